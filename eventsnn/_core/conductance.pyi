"""Compiled equations of the LIF neurons with conductances, as a capsule that the engine opens."""

kernel: object
