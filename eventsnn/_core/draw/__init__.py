"""Chance: the generator, streams of external spikes, values of distributions."""
