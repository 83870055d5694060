"""Inputs of training: the spikes that each sample brings to the input neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import floats
from eventsnn.base.errors import InputError
from eventsnn.results.trains import Trains


@dataclass(frozen=True, eq=False)
class Samples:
    """Sample k has the spikes start[k]:start[k + 1], each of a neuron of the network at a time (ms)."""

    start: Ints
    neuron: Ints
    time: Floats

    def __len__(self) -> int:
        return self.start.size - 1

    def pick(self, which: Ints) -> Samples:
        """Some samples, in this order."""
        begin = self.start[which]
        counts = self.start[which + 1] - begin
        start = np.zeros(which.size + 1, dtype=np.int64)
        np.cumsum(counts, out=start[1:])
        index = np.arange(start[-1]) + np.repeat(begin - start[:-1], counts)
        return Samples(start, self.neuron[index], self.time[index])


def samples_of(inputs: Trains | ArrayLike | Samples, neurons: Ints, duration: float) -> Samples:
    """Samples from Trains, or from an array of the shape (samples, inputs) of first spikes (ms, NaN or inf: none).

    neurons: the input neurons, numbered through the network. Raises InputError if shapes or times do not fit.
    """
    if isinstance(inputs, Samples):
        return inputs
    if isinstance(inputs, Trains):
        if inputs.n != neurons.size:
            raise InputError(
                f"train: Trains of {inputs.n} channels do not fit {neurons.size} input neurons; "
                "the numbers must be equal"
            )
        if inputs.times.size and inputs.times.max() >= duration:
            raise InputError(
                f"train: an input spike at {inputs.times.max():g} ms lies behind the end of a sample, {duration:g} ms; "
                "give a longer duration"
            )
        return Samples(inputs.offsets.astype(np.int64), neurons[inputs.ids], inputs.times.astype(np.float64))
    array = floats(inputs, "train: inputs", "Trains or an array of spike times")
    if array.ndim != 2 or array.shape[1] != neurons.size:
        raise InputError(
            f"train: inputs of shape {array.shape} must have the shape (samples, {neurons.size}), a spike time (ms) "
            "for each input neuron, NaN for none"
        )
    spikes = np.isfinite(array)
    bad = spikes & ~((array >= 0.0) & (array < duration))
    if bad.any() or (array == -np.inf).any():
        sample, neuron = np.argwhere(bad | (array == -np.inf))[0]
        raise InputError(
            f"train: the input spike {array[sample, neuron]:g} ms of sample {sample}, neuron {neuron}, must lie from 0 "
            f"to the end of a sample, {duration:g} ms"
        )
    start = np.concatenate([[0], np.cumsum(spikes.sum(axis=1))])
    return Samples(start.astype(np.int64), neurons[np.nonzero(spikes)[1]], array[spikes])
