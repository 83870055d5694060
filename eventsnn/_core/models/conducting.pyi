"""Where the constants of a neuron with conductances are, behind those of all neurons; R is 1 / C_m."""

RATE_L: int
E_L: int
V_RESET: int
E_EX: int
E_IN: int
RATE_EX: int
RATE_IN: int
TAU_EX: int
TAU_IN: int
SCALES: int
