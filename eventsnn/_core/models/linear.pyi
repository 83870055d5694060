"""Compiled equations of all linear models, as a capsule that the engine opens."""

kernel: object
