"""Compiled equations of HHTraub, as a capsule that the engine opens."""

kernel: object

# Where the constants of the model's own are.
G_NA: int
G_K: int
G_L: int
PER_C: int
E_NA: int
E_K: int
E_L: int
E_EX: int
E_IN: int
V_T: int
RATE_EX: int
RATE_IN: int
