"""Rate: a Poisson process a channel, of a rate proportional to its value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.distributions import Exponential, Uniform
from eventsnn.encode.base import AT_ONCE, Code, in_parts, signals
from eventsnn.errors import InputError
from eventsnn.streams import stream_key
from eventsnn.trains import Floats, Ints, Trains


@dataclass(frozen=True, repr=False)
class Rate(Code):
    """Random spikes at the rate rate_max x, for x in [0, 1]: a Poisson process, or one with a dead time.

    The intervals between the spikes of a channel are t_ref + E, where E is exponential with the mean 1 / rate - t_ref,
    so that the rate is what was asked for; the process begins in equilibrium, as if it had gone on for ever.

    Parameters: duration (ms); rate_max (Hz), of x = 1; t_ref (ms), with rate_max t_ref < 1; seed. What channel i of
    sample k draws depends on the seed, k and i alone.
    Raises InputError for a parameter out of range.

    Source: Adrian & Zotterman 1926, J Physiol 61:151; Dayan & Abbott 2001, Theoretical Neuroscience, section 1.4.
    """

    duration: float = 100.0
    rate_max: float = 100.0
    t_ref: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._require_positive("duration", "rate_max")
        _require_dead_time(self)
        if self.rate_max * self.t_ref >= 1000.0:
            raise InputError(
                f"Rate: rate_max = {self.rate_max:g} Hz leaves no time for t_ref = {self.t_ref:g} ms; their product "
                "must be below 1"
            )

    def encode(self, x: ArrayLike, clip: bool = False) -> Trains:
        """Spike trains of x, shape (samples, *channels).

        Raises InputError for a value that is NaN or not in [0, 1], with its index; clip=True moves it into the range.
        """
        values = self._values(x, 0.0, 1.0, clip)
        return in_parts(values, self._encode, values.shape[1:], self.duration)

    def _encode(self, x: Floats, first: int) -> Trains:
        flat = x.ravel()
        on = np.flatnonzero(flat > 0.0)
        interval = 1000.0 / (self.rate_max * flat[on])
        channel = on + first * math.prod(x.shape[1:])
        which, spikes = [on[:0]], [np.empty(0)]
        for rows, _, times in renewals(self.seed, channel, interval - self.t_ref, self.t_ref, self.duration):
            which.append(on[rows])
            spikes.append(times)
        return _trains(np.concatenate(which), np.concatenate(spikes), x.shape, self.duration)

    def decode(self, trains: Trains) -> Floats:
        """The estimate counts / (rate_max duration) of x, shape (samples, *channels)."""
        return np.asarray(self._decodable(trains).rates() / self.rate_max)


@dataclass(frozen=True, repr=False)
class InhomogeneousRate(Code):
    """Random spikes at the rate rate_max x(t), an inhomogeneous Poisson process, for x(t) in [0, 1] in steps of dt.

    Candidates at the channel's highest rate are kept with the probability x(t) / max x (thinning). With t_ref none is
    kept in the t_ref after a spike, so that the rate holds outside of these dead times only.

    Parameters: dt (ms), for which each value holds; rate_max (Hz), of x = 1; t_ref (ms); seed. What channel i of
    sample k draws depends on the seed, k and i alone.
    Raises InputError for a parameter out of range.

    Source: Lewis & Shedler 1979, Naval Research Logistics Quarterly 26:403.
    """

    takes: ClassVar[Literal["image", "sound", "signal"]] = "signal"

    dt: float = 1.0
    rate_max: float = 100.0
    t_ref: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._require_positive("dt", "rate_max")
        _require_dead_time(self)

    def encode(self, x: ArrayLike, clip: bool = False) -> Trains:
        """Spike trains of x, shape (samples, *channels, time), which last dt times the number of steps.

        Raises InputError for a value that is NaN or not in [0, 1], with its index; clip=True moves it into the range.
        """
        values = self._values(x, 0.0, 1.0, clip, "channels and, the last, time")
        duration = self.dt * values.shape[-1]
        flat = signals(values)
        highest = flat.max(axis=1, initial=0.0)
        on = np.flatnonzero(highest > 0.0)
        mean = 1000.0 / (self.rate_max * highest[on])
        which, spikes = [on[:0]], [np.empty(0)]
        for rows, number, times in renewals(self.seed, on, mean, 0.0, duration):
            channel = on[rows]
            index = (channel.astype(np.uint64) << np.uint64(32)) + number.astype(np.uint64)
            share = Uniform(0.0, 1.0).sample(stream_key(self.seed, "Rate", "thinning"), index)
            step = np.minimum((times / self.dt).astype(np.int64), values.shape[-1] - 1)
            kept = share * highest[channel] < flat[channel, step]
            which.append(channel[kept])
            spikes.append(times[kept])
        channel, times = np.concatenate(which), np.concatenate(spikes)
        if self.t_ref > 0.0:
            free = _outside_dead_times(channel, times, self.t_ref)
            channel, times = channel[free], times[free]
        return _trains(channel, times, values.shape[:-1], duration)

    def decode(self, trains: Trains) -> Floats:
        """The estimate counts / (rate_max dt) of x in each step of dt, shape (samples, *channels, time)."""
        steps = round(self._decodable(trains).duration / self.dt)
        step = np.minimum((trains.times / self.dt).astype(np.int64), max(steps - 1, 0))
        at = (trains.sample * trains.n + trains.ids) * steps + step
        counts = np.bincount(at, minlength=len(trains) * trains.n * steps)
        return counts.reshape(len(trains), *trains.shape, steps) / (self.rate_max / 1000.0 * self.dt)


def _require_dead_time(code: Rate | InhomogeneousRate) -> None:
    code._require("t_ref", lambda t_ref: t_ref >= 0.0, "a finite number of ms, 0 or more")
    code._require_whole("seed", 0, 2**63 - 1)


def renewals(
    seed: int, channel: Ints, mean: Floats, t_ref: float, duration: float
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Spikes of processes with intervals t_ref + an exponential of this mean (ms), in equilibrium at 0, up to duration.

    Yields, some at a time, for each spike the position of its process in `channel`, its number, and its time, ascending
    within a process. The draws of a process depend on the seed and its channel alone, not on what is drawn together.
    """
    key = stream_key(seed, "Rate", "intervals")
    reached, drawn = np.zeros(channel.size), np.zeros(channel.size, dtype=np.int64)
    left = np.arange(channel.size)
    while left.size:
        expected = (duration - reached[left]) / (mean[left] + t_ref)
        many = np.ceil(expected + np.sqrt(expected) + 2.0)
        order = np.argsort(many, kind="stable")
        left, many = left[order], many[order]
        start, again = 0, []
        while start < left.size:
            stop = start + max(1, int(AT_ONCE // many[start]))
            rows = left[start:stop]
            number = drawn[rows, np.newaxis] + np.arange(int(many[min(stop, left.size) - 1]))
            index = (channel[rows].astype(np.uint64) << np.uint64(32))[:, np.newaxis] + number.astype(np.uint64)
            gaps = t_ref + mean[rows, np.newaxis] * Exponential(1.0).sample(key, index.ravel()).reshape(index.shape)
            if t_ref > 0.0:
                begins = drawn[rows] == 0
                gaps[begins, 0] = _residual(gaps[begins, 0], seed, channel[rows[begins]], mean[rows[begins]], t_ref)
            gaps[:, 0] += reached[rows]
            times = np.cumsum(gaps, axis=1)
            at, column = np.nonzero(times < duration)
            yield rows[at], number[at, column], times[at, column]
            reached[rows], drawn[rows] = times[:, -1], number[:, -1] + 1
            again.append(rows[times[:, -1] < duration])
            start = stop
        left = np.concatenate(again)


def _residual(interval: Floats, seed: int, channel: Ints, mean: Floats, t_ref: float) -> Floats:
    """From any moment to the next spike, of density P(interval > t) / (t_ref + mean).

    That is constant up to t_ref, where it lies with the probability t_ref / (t_ref + mean), and then an exponential.
    """
    place = (t_ref + mean) * Uniform(0.0, 1.0).sample(stream_key(seed, "Rate", "beginning"), channel.astype(np.uint64))
    return np.where(place < t_ref, place, interval)


def _outside_dead_times(channel: Ints, times: Floats, t_ref: float) -> Ints:
    """Which spikes, sorted within a channel, lie t_ref or more behind the last one of their channel that does."""
    order = np.argsort(channel, kind="stable")
    first = np.flatnonzero(np.diff(channel[order], prepend=-1))
    stop = np.append(first[1:], order.size)
    kept = []
    at = first
    while at.size:
        kept.append(order[at])
        # Each channel goes on to the next spike that is far enough from the one that it has just kept.
        release, following = times[order[at]] + t_ref, at + 1
        while True:
            early = (following < stop) & (times[order[np.minimum(following, order.size - 1)]] < release)
            if not early.any():
                break
            following = following + early
        going_on = following < stop
        at, stop = following[going_on], stop[going_on]
    return np.sort(np.concatenate([*kept, order[:0]]))


def _trains(which: Ints, times: Floats, shape: tuple[int, ...], duration: float) -> Trains:
    """Trains of spikes by their channel counted through all samples, for values of this shape."""
    n = math.prod(shape[1:])
    sample, channel = np.divmod(which, max(n, 1))
    return Trains.of(sample, times, channel, shape[0], shape[1:], duration)
