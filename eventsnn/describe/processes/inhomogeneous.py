"""InhomogeneousPoisson: a rate that is constant piece by piece."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.draw.stream import STEPS
from eventsnn.base.arrays import Floats, Ids
from eventsnn.base.checks import floats
from eventsnn.base.errors import InputError
from eventsnn.describe.processes.base import (
    RATE_RULE,
    Key,
    Pieces,
    PointProcess,
    Some,
    Streams,
    in_range,
    require_shared,
)
from eventsnn.describe.spike_source import distinct_times
from eventsnn.draw import streams
from eventsnn.draw.streams import cell_width

# Number of the last cell that a piece of a rate may begin in: beyond, cells are finer than a float64 resolves.
LAST_CELL = 2.0**52


class InhomogeneousPoisson(PointProcess):
    """Poisson process with a piecewise constant rate (NEST: inhomogeneous_poisson_generator): rates[k] Hz from times[k]
    ms on, 0 before times[0], the last one for ever.

    times: strictly ascending, not negative. rates: one list for all neurons, or an array (neurons, times). Each piece
    thins a homogeneous process at a rate below twice its own, so that the cost is that of at most two spikes for every
    spike, and of about four for every change of the rate across a power of two, however far apart the rates are.

    Raises InputError for times or rates that are none, and if their numbers differ.
    """

    def __init__(
        self,
        times: Sequence[float] | NDArray[np.float64],
        rates: Sequence[float] | Sequence[Sequence[float]] | NDArray[np.float64],
    ):
        where = "InhomogeneousPoisson"
        self.times = distinct_times(times, where)
        self.rates = floats(rates, f"{where}: rates", "one list of numbers (Hz), or one list a neuron", "Hz")
        if self.rates.ndim not in (1, 2):
            raise InputError(
                f"{where}: rates is an array of shape {self.rates.shape}; "
                "give one list of numbers (Hz), or one list a neuron"
            )
        if self.rates.shape[-1] != self.times.size:
            raise InputError(f"{where}: {self.times.size} times but {self.rates.shape[-1]} rates; give one rate a time")
        for place in np.argwhere(~in_range(self.rates))[:1]:
            index = ", ".join(map(str, place))
            raise InputError(f"{where}: rates[{index}] = {self.rates[tuple(place)]:g} Hz {RATE_RULE}")
        late = np.argwhere(self.times / step_widths(np.atleast_2d(self.rates)) >= LAST_CELL)
        for row, k in late[:1]:
            raise InputError(
                f"{where}: times[{k}] = {self.times[k]:g} ms is too late for "
                f"{np.atleast_2d(self.rates)[row, k]:g} Hz: spikes would be finer than times are; begin earlier"
            )

    def __repr__(self) -> str:
        return f"InhomogeneousPoisson({self.times.tolist()}, {self.rates.tolist()})"

    def with_some(self, name: str, value: Any, some: Some) -> Any:
        require_shared(name, some, "times")
        rates = floats(value, f"{some.where}: rates", "one list of numbers (Hz), or one list a neuron")
        pieces = self.times.size
        if rates.shape not in ((pieces,), (some.ids.size, pieces)):
            raise InputError(
                f"{some.where}: rates is an array of shape {rates.shape}; give {pieces} of them, or as many a neuron"
            )
        table = np.broadcast_to(self.rates, (some.n, pieces)).copy()
        table[some.ids] = rates
        return table

    def compile(self, n: int, where: str, key: Key) -> Streams:
        rows = np.atleast_2d(self.rates)
        if self.rates.ndim == 2 and len(rows) != n:
            raise InputError(f"{where}: rates has {len(rows)} rows for {n} neurons; give one a neuron, or one for all")
        width = step_widths(rows)
        share = np.where(rows > 0.0, rows / 1000.0 * np.where(rows > 0.0, width, 0.0) / streams.STEPS_MEAN, 0.0)
        width = np.where(rows > 0.0, width, 0.0)
        begin = np.arange(len(rows)) * self.times.size
        pieces = Pieces(begin, begin + self.times.size, np.tile(self.times, len(rows)), share.reshape(-1),
                        width.reshape(-1), np.concatenate([run_lengths(row) for row in width]))  # fmt: skip
        active = np.broadcast_to((rows > 0.0).any(axis=1), n)
        on = np.flatnonzero(active)
        of = on if len(rows) > 1 else np.zeros(on.size, dtype=np.int64)
        return Streams(on, STEPS, [], pieces=pieces._replace(start=pieces.start[of], stop=pieces.stop[of]))


def step_widths(rate: Floats) -> Floats:
    """The width of the cells (ms) that hold STEPS_MEAN candidates and 2 to 4 spikes on average; inf for a rate of 0."""
    widths = {float(r): cell_width(float(r)) / 2.0 for r in np.unique(rate[rate > 0.0])} | {0.0: math.inf}
    return np.array([widths[r] for r in rate.reshape(-1).tolist()]).reshape(rate.shape)


def run_lengths(width: Floats) -> Ids:
    """For each piece the number of pieces from it on to the next of another width."""
    changes = np.append(np.flatnonzero(np.diff(width)) + 1, width.size)
    place = np.arange(width.size)
    return (changes[np.searchsorted(changes, place, side="right")] - place).astype(np.int32)
