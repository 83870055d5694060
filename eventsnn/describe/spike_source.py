"""SpikeSource: spikes that are given."""

from __future__ import annotations

import copy
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.checks import as_array, floats, number, require_order, whole
from eventsnn.base.errors import InputError
from eventsnn.base.quantities import plain
from eventsnn.base.sorting import order_by, order_in_time


class SpikeSource:
    """A population whose neurons spike at given times (NEST: spike_generator, Brian2: SpikeGeneratorGroup).

    times: ms, not negative. Without ids, ascending: one list for all neurons, or one list a neuron. With ids, in any
    order: spike k is one of neuron ids[k], and neurons without any are silent. Equal times are so many spikes. n: how
    many neurons there are, if it matters: a population then has to have as many.

    Attributes: times (ms), sorted by neuron and then by time; ids, the neuron of each, or None if one list is for all;
    n, None if any number.

    Raises InputError for what is no list, and for times that are negative, not finite or, without ids, not ascending;
    for ids that are no whole numbers >= 0, not below n, or not as many as times.
    """

    times: NDArray[np.float64]
    ids: NDArray[np.integer[Any]] | None
    n: int | None

    def __init__(
        self,
        times: Sequence[float] | Sequence[Sequence[float]] | NDArray[np.float64],
        ids: Sequence[int] | NDArray[np.integer[Any]] | None = None,
        n: int | None = None,
    ):
        times = plain(times, "SpikeSource: times", "ms")
        require_order(times, "SpikeSource: times", "one list of numbers (ms), or one list a neuron")
        self.n = None if n is None else whole(n, "SpikeSource: n", 0, 2**31 - 1)
        if ids is not None:
            self.times, self.ids = _by_neuron(times, ids)
            if self.n is not None and self.ids.size and self.ids[-1] >= self.n:
                raise InputError(f"SpikeSource: ids run to {self.ids[-1]}; they must lie in 0 to {self.n - 1}")
            return
        one = isinstance(times, np.ndarray) and times.ndim == 1 and times.dtype != object
        rows: Any = times if one else list(times)
        if one or not any(np.iterable(row) for row in rows):
            self.times, self.ids = spike_train(rows, "SpikeSource"), None
            return
        trains = [spike_train(row, f"SpikeSource: neuron {i}") for i, row in enumerate(rows)]
        if self.n not in (None, len(trains)):
            raise InputError(f"SpikeSource: n = {n}, but there are {len(trains)} spike trains")
        self.n = len(trains)
        self.times = np.concatenate(trains)
        self.ids = np.repeat(np.arange(self.n), [train.size for train in trains])

    def bounds(self, n: int, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Begin and end in `times` of the spikes of each of the n neurons of population `name`.

        Raises InputError for lists of another number, or an id that none of them has.
        """
        if self.ids is None:
            return np.zeros(n, dtype=np.int64), np.full(n, self.times.size, dtype=np.int64)
        if self.n not in (None, n):
            raise InputError(
                f"{name}: SpikeSource has spike trains of {self.n} neurons, not of {n}; give one train a neuron, or "
                "one list for all"
            )
        if self.ids.size and self.ids[-1] >= n:
            raise InputError(f"{name}: SpikeSource has spikes of neuron {self.ids[-1]}; ids must lie in 0 to {n - 1}")
        end = np.cumsum(np.bincount(self.ids, minlength=n), dtype=np.int64)
        return np.append(np.int64(0), end[:-1]), end

    def later(self, by: float) -> SpikeSource:
        """The same spikes `by` ms later."""
        by = number(by, "SpikeSource: by", "a finite number of ms", unit="ms")
        moved = copy.copy(self)
        moved.times = self.times + by
        return moved

    def among(self, ids: NDArray[np.integer[Any]]) -> SpikeSource:
        """The same spikes as those of the neurons `ids` of a larger population."""
        times, own = self._from(0.0, ids.size)
        return SpikeSource(times, ids[own])

    def without(self, ids: NDArray[np.integer[Any]], n: int) -> SpikeSource:
        """The spikes of n neurons but for those of the neurons `ids`."""
        times, own = self._from(0.0, n)
        others = ~np.isin(own, ids)
        return SpikeSource(times[others], own[others])

    def joined(self, other: SpikeSource, n: int, start: float) -> SpikeSource:
        """The spikes of both from `start` (ms) on, of n neurons."""
        times, ids = (np.concatenate(parts) for parts in zip(self._from(start, n), other._from(0.0, n), strict=True))
        return SpikeSource(times, ids)

    def _from(self, start: float, n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Times and neurons of the spikes from `start` on, each with its own."""
        kept = self.times[self.times >= start]
        if self.ids is not None:
            return kept, self.ids[self.times >= start].astype(np.int64)
        return np.tile(kept, n), np.repeat(np.arange(n), kept.size)

    def __repr__(self) -> str:
        return f"SpikeSource({self.times.size} spike{'s' * (self.times.size != 1)})"


def _by_neuron(times: Any, ids: Any) -> tuple[NDArray[np.float64], NDArray[np.integer[Any]]]:
    """Times and ids sorted by id and then by time."""
    given = numbers(times, "SpikeSource: times", "ms")
    _require_not_negative(given, "SpikeSource: times")
    neuron = as_array(ids)
    if neuron.size == 0:
        neuron = neuron.astype(np.int64)
    if neuron.ndim != 1 or neuron.dtype.kind not in "iu":
        raise InputError(f"SpikeSource: ids = {reprlib.repr(ids)} must be one list of whole numbers")
    if neuron.size != given.size:
        raise InputError(f"SpikeSource: {given.size} times but {neuron.size} ids; give one id for each time")
    if neuron.size and not 0 <= neuron.min() <= neuron.max() < 2**31:
        k = int(np.argmax((neuron < 0) | (neuron >= 2**31)))
        raise InputError(f"SpikeSource: ids[{k}] = {neuron[k]} must be the index of a neuron, 0 or more")
    order = order_by(neuron)
    by_neuron, sorted_ids = given[order], neuron[order]
    if ((by_neuron[1:] < by_neuron[:-1]) & (sorted_ids[1:] == sorted_ids[:-1])).any():
        in_time = order_in_time(given)
        by_neuron = given[in_time][order_by(neuron[in_time])]
    return by_neuron, sorted_ids


def numbers(values: Any, what: str, unit: str) -> NDArray[np.float64]:
    """A one-dimensional float64 array of finite numbers in this unit, or an InputError that names `what`."""
    array = floats(values, what, "one list of numbers", unit)
    if array.ndim != 1:
        raise InputError(f"{what} must be one list of numbers, not an array of shape {array.shape}")
    if not np.isfinite(array).all():
        i = int(np.argmin(np.isfinite(array)))
        raise InputError(f"{what}[{i}] = {array[i]} must be finite")
    return array


def spike_train(times: Any, where: str) -> NDArray[np.float64]:
    """Ascending times >= 0 as float64, or an InputError that names the first wrong one."""
    what = f"{where}: times"
    train = numbers(times, what, "ms")
    _require_not_negative(train, what)
    falls = np.flatnonzero(np.diff(train) < 0)
    if falls.size:
        i = int(falls[0])
        raise InputError(
            f"{what}[{i + 1}] = {train[i + 1]:g} ms comes after {train[i]:g} ms; give the times in ascending order"
        )
    return train


def _require_not_negative(train: NDArray[np.float64], what: str) -> None:
    if train.size and train.min() < 0:
        i = int(np.argmax(train < 0))
        raise InputError(f"{what}[{i}] = {train[i]:g} ms is negative; simulated time begins at 0")


def distinct_times(times: Any, where: str) -> NDArray[np.float64]:
    """Strictly ascending times >= 0 as float64, or an InputError that names the first wrong one."""
    train = spike_train(times, where)
    repeated = np.flatnonzero(np.diff(train) == 0)
    if repeated.size:
        raise InputError(f"{where}: time {train[repeated[0]]:g} ms is given twice; times must ascend strictly")
    return train
