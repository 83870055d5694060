"""Where the constants of a neuron without a closed form are; steps.pxd says what they are."""

ORDER: int
FARTHEST: int
V_RESET: int
LOWEST: int
HEAD: int
TRIES: int
