"""Chance: keys of random streams, the readable twin of the generator, distributions."""
