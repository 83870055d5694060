"""Neurons that surely do not spike in a block, and those that may."""
