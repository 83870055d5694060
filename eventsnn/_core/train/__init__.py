"""Exact gradients of spike times: passes over the samples of a mini-batch."""
