"""Compiled equations of QIF, as a capsule that the engine opens."""

kernel: object
