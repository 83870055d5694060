"""What drives a network from outside: given spikes and currents. Random spikes are in eventsnn/point_processes.py."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.errors import InputError
from eventsnn.models.base import floats


class SpikeSource:
    """A population whose neurons spike at given times (NEST: spike_generator).

    times: ms, ascending, not negative; one list for all neurons, or one list a neuron. Equal times are so many spikes.
    Raises InputError for what is no list, and for times that are negative, not finite or not ascending.
    """

    def __init__(self, times: Sequence[float] | Sequence[Sequence[float]] | NDArray[np.float64]):
        if isinstance(times, str | bytes) or not np.iterable(times):
            raise InputError(
                f"SpikeSource: times = {reprlib.repr(times)} must be one list of numbers (ms), or one list a neuron"
            )
        rows: Sequence[Any] = list(times)
        self.per_neuron = any(np.iterable(row) for row in rows)
        if self.per_neuron:
            self.trains = [spike_train(row, f"SpikeSource: neuron {i}") for i, row in enumerate(rows)]
        else:
            self.trains = [spike_train(rows, "SpikeSource")]

    def __repr__(self) -> str:
        return f"SpikeSource({len(self.trains)} train{'s' * (len(self.trains) != 1)})"


def numbers(values: Any, what: str) -> NDArray[np.float64]:
    """A one-dimensional float64 array of finite numbers, or an InputError that names `what`."""
    array = floats(values, what, "one list of numbers")
    if array.ndim != 1:
        raise InputError(f"{what} must be one list of numbers, not an array of shape {array.shape}")
    if not np.isfinite(array).all():
        i = int(np.argmin(np.isfinite(array)))
        raise InputError(f"{what}[{i}] = {array[i]} must be finite")
    return array


def spike_train(times: Any, where: str) -> NDArray[np.float64]:
    """Ascending times >= 0 as float64, or an InputError that names the first wrong one."""
    what = f"{where}: times"
    train = numbers(times, what)
    if train.size and train.min() < 0:
        i = int(np.argmax(train < 0))
        raise InputError(f"{what}[{i}] = {train[i]:g} ms is negative; simulated time begins at 0")
    falls = np.flatnonzero(np.diff(train) < 0)
    if falls.size:
        i = int(falls[0])
        raise InputError(
            f"{what}[{i + 1}] = {train[i + 1]:g} ms comes after {train[i]:g} ms; give the times in ascending order"
        )
    return train


def distinct_times(times: Any, where: str) -> NDArray[np.float64]:
    """Strictly ascending times >= 0 as float64, or an InputError that names the first wrong one."""
    train = spike_train(times, where)
    repeated = np.flatnonzero(np.diff(train) == 0)
    if repeated.size:
        raise InputError(f"{where}: time {train[repeated[0]]:g} ms is given twice; times must ascend strictly")
    return train
