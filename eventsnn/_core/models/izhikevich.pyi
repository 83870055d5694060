"""Compiled equations of Izhikevich's neuron, exact and in forward steps, as capsules that the engine opens."""

kernel: object
kernel_in_steps: object

# Where the constants of the model's own are.
A: int
B: int
K_2: int
K_1: int
K_0: int
V_U: int
LEAK_U: int
STEP: int
