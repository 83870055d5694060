"""Compiled equations of a model, as a capsule that the engine opens."""

kernel: object
