"""Compiled equations of EIF and AdEx, as a capsule that the engine opens."""

kernel: object
