"""Compiled equations of EIF and AdEx, as a capsule that the engine opens."""

kernel: object

# Where the constants of the model's own are.
RATE_L: int
E_L: int
V_T: int
PER_DELTA: int
UPSTROKE: int
PER_C: int
E_EX: int
E_IN: int
RATE_EX: int
RATE_IN: int
A: int
RATE_W: int
