"""The places of constants, and limits, of neuron.pxd, for Python."""
