"""Compiled equations of Izhikevich's neuron, exact and in forward steps, as capsules that the engine opens."""

kernel: object
kernel_in_steps: object
