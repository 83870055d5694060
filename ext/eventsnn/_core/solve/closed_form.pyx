"""The places of a linear neuron's constants, for Python; closed_form.pxd has the equations."""
