"""The places of the constants of a neuron without a closed form, for Python; steps.pxd has the steps."""
