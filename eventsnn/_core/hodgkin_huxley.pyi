"""Compiled equations of HHTraub, as a capsule that the engine opens."""

kernel: object
