"""Send-on-delta: an event whenever a signal has moved by delta."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import floats
from eventsnn.base.errors import InputError
from eventsnn.encode.base import Code, in_parts, parts, require_few, signals
from eventsnn.results.trains import Trains

# A level that is missed by so small a part of delta counts as reached: 0.1 + 0.1 + 0.1 is not 0.3.
SLACK = 1e-9


class Crossings(NamedTuple):
    """Events of many signals: which signal, when (ms), and whether it had gone up."""

    signal: Ints
    times: Floats
    up: NDArray[np.bool_]


@dataclass(frozen=True, repr=False)
class SendOnDelta(Code):
    """An event each time that a signal has moved by delta: up if x - ref >= delta, down if ref - x >= delta.

    The signal is a straight line between its samples, dt apart, and events come when that line reaches the level
    ref +- delta, which is then the new ref; ref begins as the first value. Events down are channel 0, up channel 1.

    Parameters: delta, in the unit of x; dt (ms).
    Raises InputError for a parameter out of range.

    Source: Miskowicz 2006, Sensors 6:49; Lichtsteiner, Posch & Delbruck 2008, IEEE J Solid-State Circuits 43:566.
    """

    takes: ClassVar[Literal["image", "sound", "signal"]] = "sound"

    delta: float = 0.1
    dt: float = 1.0

    def __post_init__(self) -> None:
        self._require_positive("delta", "dt")

    def encode(self, x: ArrayLike) -> Trains:
        """Spike trains of x, shape (samples, *channels, time), of channels (2, *channels) and dt (time - 1) ms.

        Raises InputError for a value that is not finite, with its index.
        """
        values = self._values(x, axes="channels and, the last, time")
        if values.shape[-1] < 1:
            raise InputError("SendOnDelta: x has no times on its last axis; at least one is needed")
        with np.errstate(over="ignore"):
            moved = sum(float(np.abs(np.diff(part.astype(np.float64))).sum()) for _, part in parts(values))
        require_few(moved / self.delta, "SendOnDelta", "take a larger delta")
        return in_parts(values, self._encode, (2, *values.shape[1:-1]), self.dt * (values.shape[-1] - 1))

    def _encode(self, x: Floats, _: int) -> Trains:
        steps, shape = x.shape[-1], x.shape[1:-1]
        found = level_crossings(signals(x).T, self.dt * np.arange(float(steps)), self.delta, self.delta)
        n = math.prod(shape)
        sample, channel = np.divmod(found.signal, max(n, 1))
        ids = found.up * n + channel
        return Trains.of(sample, found.times, ids, len(x), (2, *shape), self.dt * (steps - 1))

    def decode(self, trains: Trains, start: ArrayLike = 0.0) -> Floats:
        """The signals (samples, *channels, time) at multiples of dt.

        start: their first values, a number or an array (samples, *channels). They are straight lines between the
        events, where they are exact; in between a signal that was encoded lies within delta of the last level, and so
        within 2 delta of this line.

        Raises InputError for trains or first values of another shape.
        """
        shape = (len(self._decodable(trains)), *trains.shape[1:])
        if trains.shape[:1] != (2,):
            raise InputError(f"SendOnDelta: trains have channels {trains.shape}; the first axis must be down and up")
        given = floats(start, "SendOnDelta: start", "a number or an array of them")
        try:
            first = np.broadcast_to(given, shape).reshape(-1)
        except ValueError:
            raise InputError(f"SendOnDelta: start has the shape {given.shape}; {shape} is needed") from None
        n = max(trains.n // 2, 1)
        up, channel = np.divmod(trains.ids, n)
        signal = trains.sample * n + channel
        order = np.argsort(signal, kind="stable")
        ends = np.searchsorted(signal[order], np.arange(first.size + 1))
        grid = self.dt * np.arange(round(trains.duration / self.dt) + 1)
        decoded = np.empty((first.size, grid.size))
        for k, value in enumerate(first):
            mine = order[ends[k] : ends[k + 1]]
            levels = value + self.delta * np.cumsum(np.append(0, 2 * up[mine] - 1))
            decoded[k] = np.interp(grid, np.append(0.0, trains.times[mine]), levels)
        return decoded.reshape(*shape, grid.size)


def level_crossings(
    values: Floats, at: Floats, up: float | Floats, down: float | Floats, t_ref: float = 0.0
) -> Crossings:
    """Events of n signals, which are straight lines between their values, shape (steps, n), at the times `at` (ms).

    An event comes when a signal has risen by `up`, or fallen by `down` (numbers or arrays of n), since its last event.
    For t_ref (ms) after an event the signal is not looked at, and counts from what it is then.
    """
    n = values.shape[1]
    rise, fall = np.broadcast_to(up, n), np.broadcast_to(down, n)
    level = values[0].copy()
    free = np.full(n, at[0])
    found = [(np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_))]
    for start, stop, begin, end in zip(at[:-1], at[1:], values[:-1], values[1:], strict=True):
        slope = (end - begin) / (stop - start)
        if t_ref > 0.0:
            level = np.where((free > start) & (free <= stop), begin + slope * (free - start), level)
        delta = np.where(slope > 0.0, rise, fall)
        # Only where the end lies beyond the next level can there be an event.
        moved = np.where(slope > 0.0, end - level, level - end)
        (k,) = np.nonzero((moved >= delta * (1.0 - SLACK)) & (slope != 0.0) & (free <= stop))
        if not k.size:
            continue
        step = np.where(slope[k] > 0.0, delta[k], -delta[k])
        first = start + (level[k] + step - begin[k]) / slope[k]
        interval = step / slope[k] + t_ref
        count = 1 + np.maximum(np.floor((stop - first) / interval + SLACK), 0.0).astype(np.int64)
        which = np.repeat(np.arange(k.size), count)
        number = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
        times = np.clip(first[which] + number * interval[which], start, stop)
        found.append((k[which], times, slope[k][which] > 0.0))
        if t_ref > 0.0:
            last = first + (count - 1) * interval
            free[k] = last + t_ref
            level[k] = begin[k] + slope[k] * (np.minimum(free[k], stop) - start)
        else:
            level[k] = level[k] + count * step
    return Crossings(*(np.concatenate(column) for column in zip(*found, strict=True)))
