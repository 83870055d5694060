"""Compiled equations of Izhikevich's neuron, as a capsule that the engine opens."""

kernel: object
