"""The places of the constants of a neuron with conductances, for Python; conducting.pxd has the equations."""
