"""Where the constants of every neuron begin, and limits of the kernels."""

R: int
T_REF: int
THRESHOLD: int

MOST_VARIABLES: int  # ports and variables of a model
MOST_STEPS: int  # of a neuron without a closed form in 1 ms
MOST_CURRENTS: int  # exponential currents of a neuron that can be calm
PORTS: int  # of a neuron that can be calm
