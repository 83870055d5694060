"""Compiled equations of QIF, as a capsule that the engine opens."""

kernel: object

# Where the constants of the model's own are.
CURVATURE: int
E_L: int
SPAN: int
RHEOBASE: int
