"""Simulations: both engines in chunks that can be interrupted, their state and progress."""
