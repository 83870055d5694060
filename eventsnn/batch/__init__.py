"""Sweeps: a network simulated at each point of a grid of parameters, and tables of what came out."""
