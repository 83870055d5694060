"""Rate: a Poisson process a channel, of a rate proportional to its value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import whole
from eventsnn.base.errors import InputError
from eventsnn.base.sorting import order_in_time, outside_dead_times
from eventsnn.draw.distributions import Exponential, Uniform
from eventsnn.draw.streams import stream_key
from eventsnn.encode.base import AT_ONCE, Code, in_parts, require_few, signals
from eventsnn.results.trains import Trains

# A draw's place has 64 bits: 32 for the channel, 32 for the number of the interval. The last number is no interval.
MOST_CHANNELS = 2**32
NO_INTERVAL = 2**32 - 1


@dataclass(frozen=True, repr=False)
class Rate(Code):
    """Random spikes at the rate rate_max x, for x in [0, 1]: a Poisson process, or one with a dead time.

    The intervals between the spikes of a channel are t_ref + E, where E is exponential with the mean 1 / rate - t_ref,
    so that the rate is what was asked for; the process begins in equilibrium, as if it had gone on for ever.

    Parameters: duration (ms); rate_max (Hz), of x = 1; t_ref (ms), with rate_max t_ref < 1; seed. What a channel draws
    depends on the seed and its place among all channels of all samples alone.
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

    def encode(self, x: ArrayLike, clip: bool = False, first: int = 0) -> Trains:
        """Spike trains of x, shape (samples, *channels).

        first: number of the first sample, so that batches drawn apart are those that would be drawn together.

        Raises InputError for a value that is NaN or not in [0, 1], with its index; clip=True moves it into the range.
        """
        values = self._values(x, 0.0, 1.0, clip)
        begin = _first_channel(self, first, values.shape[:1], values.shape[1:])
        expected = self.rate_max / 1000.0 * self.duration * values.sum(dtype=np.float64)
        require_few(expected, "Rate", "encode fewer samples, or take a lower rate_max or a shorter duration")

        def encode_some(x: Floats, number: int) -> Trains:
            return self._encode(x, begin + number * math.prod(x.shape[1:]))

        return in_parts(values, encode_some, values.shape[1:], self.duration)

    def _encode(self, x: Floats, begin: int) -> Trains:
        flat = x.ravel()
        on = np.flatnonzero(flat > 0.0)
        with np.errstate(over="ignore"):  # infinite is right: no spike
            mean = 1000.0 / (self.rate_max * flat[on]) - self.t_ref
        key = stream_key(self.seed, "Rate", "intervals")
        which, spikes = [on[:0]], [np.empty(0)]
        for rows, _, times in renewals(key, begin + on, mean, self.t_ref, self.duration):
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

    Parameters: dt (ms), for which each value holds; rate_max (Hz), of x = 1; t_ref (ms); seed. What a channel draws
    depends on the seed and its place among all channels of all samples alone.
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

    def encode(self, x: ArrayLike, clip: bool = False, first: int = 0) -> Trains:
        """Spike trains of x, shape (samples, *channels, time), which last dt times the number of steps.

        first: number of the first sample, so that batches drawn apart are those that would be drawn together.

        Raises InputError for a value that is NaN or not in [0, 1], with its index; clip=True moves it into the range.
        """
        values = self._values(x, 0.0, 1.0, clip, "channels and, the last, time")
        steps, shape = values.shape[-1], values.shape[1:-1]
        begin = _first_channel(self, first, values.shape[:1], shape)
        highest = values.max(axis=-1, initial=0.0).sum(dtype=np.float64)
        expected = self.rate_max / 1000.0 * self.dt * steps * highest
        require_few(expected, "InhomogeneousRate", "encode fewer samples or steps, or take a lower rate_max")

        def encode_some(x: Floats, number: int) -> Trains:
            return self._encode(x, begin + number * math.prod(shape))

        return in_parts(values, encode_some, shape, self.dt * steps)

    def _encode(self, x: Floats, begin: int) -> Trains:
        duration = self.dt * x.shape[-1]
        flat = signals(x)
        highest = flat.max(axis=1, initial=0.0)
        on = np.flatnonzero(highest > 0.0)
        with np.errstate(over="ignore"):  # infinite is right: no spike
            mean = 1000.0 / (self.rate_max * highest[on])
        intervals, thinning = (stream_key(self.seed, "InhomogeneousRate", use) for use in ("intervals", "thinning"))
        which, spikes = [on[:0]], [np.empty(0)]
        for rows, number, times in renewals(intervals, begin + on, mean, 0.0, duration):
            channel = on[rows]
            share = Uniform(0.0, 1.0).sample(thinning, draws(begin + channel, number))
            step = np.minimum((times / self.dt).astype(np.int64), x.shape[-1] - 1)
            kept = share * highest[channel] < flat[channel, step]
            which.append(channel[kept])
            spikes.append(times[kept])
        channel, times = np.concatenate(which), np.concatenate(spikes)
        if self.t_ref > 0.0:
            in_time = order_in_time(times)
            channel, times = channel[in_time], times[in_time]
            free = outside_dead_times(channel, times, self.t_ref)
            channel, times = channel[free], times[free]
        return _trains(channel, times, x.shape[:-1], duration)

    def decode(self, trains: Trains) -> Floats:
        """The estimate counts / (rate_max dt) of x in each step of dt, shape (samples, *channels, time)."""
        return self._decodable(trains).binned(self.dt) / (self.rate_max / 1000.0 * self.dt)


def _require_dead_time(code: Rate | InhomogeneousRate) -> None:
    code._require("t_ref", lambda t_ref: t_ref >= 0.0, "a finite number of ms, 0 or more")
    code._require_whole("seed", 0, 2**63 - 1)


def _first_channel(code: Code, first: int, samples: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """The number of sample `first`'s first channel among all channels of all samples."""
    n = math.prod(shape)
    return n * whole(first, f"{type(code).__name__}: first", 0, MOST_CHANNELS // max(n, 1) - samples[0])


def renewals(
    key: int, channel: Ints, mean: Floats, t_ref: float, duration: float
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Spikes of processes with intervals t_ref + an exponential of this mean (ms), in equilibrium at 0, up to duration.

    Yields, some at a time, for each spike the position of its process in `channel`, its number, and its time, ascending
    within a process. The draws of a process depend on the key and its channel alone, not on what is drawn together.
    """
    reached, drawn = np.zeros(channel.size), np.zeros(channel.size, dtype=np.int64)
    left = np.arange(channel.size)
    while left.size:
        expected = (duration - reached[left]) / (mean[left] + t_ref)
        many = np.minimum(np.ceil(expected + np.sqrt(expected) + 2.0), AT_ONCE).astype(np.int64)
        order = np.argsort(many, kind="stable")
        left, many = left[order], many[order]
        start, again = 0, []
        while start < left.size:
            # As many processes as have AT_ONCE draws, if all have as many as the last.
            draws_of_all = many[start : start + AT_ONCE] * np.arange(1, min(AT_ONCE, left.size - start) + 1)
            stop = start + max(1, int(np.searchsorted(draws_of_all, AT_ONCE, side="right")))
            rows = left[start:stop]
            number = drawn[rows, np.newaxis] + np.arange(many[stop - 1])
            index = draws(channel[rows, np.newaxis], number)
            gaps = t_ref + mean[rows, np.newaxis] * Exponential(1.0).sample(key, index.ravel()).reshape(index.shape)
            if t_ref > 0.0:
                begins = drawn[rows] == 0
                gaps[begins, 0] = _residual(gaps[begins, 0], key, channel[rows[begins]], mean[rows[begins]], t_ref)
            gaps[:, 0] += reached[rows]
            times = np.cumsum(gaps, axis=1)
            at, column = np.nonzero(times < duration)
            yield rows[at], number[at, column], times[at, column]
            reached[rows], drawn[rows] = times[:, -1], number[:, -1] + 1
            again.append(rows[times[:, -1] < duration])
            start = stop
        left = np.concatenate(again)


def draws(channel: Ints, number: Ints) -> NDArray[np.uint64]:
    """Where in its stream the draw of a channel with this number lies."""
    return (channel.astype(np.uint64) << np.uint64(32)) + number.astype(np.uint64)


def _residual(interval: Floats, key: int, channel: Ints, mean: Floats, t_ref: float) -> Floats:
    """From any moment to the next spike, of density P(interval > t) / (t_ref + mean).

    That is constant up to t_ref, where it lies with the probability t_ref / (t_ref + mean), and then an exponential.
    """
    place = (t_ref + mean) * Uniform(0.0, 1.0).sample(key, draws(channel, np.full(channel.size, NO_INTERVAL)))
    return np.where(place < t_ref, place, interval)


def _trains(which: Ints, times: Floats, shape: tuple[int, ...], duration: float) -> Trains:
    """Trains of spikes by their channel counted through all samples, for values of this shape."""
    n = math.prod(shape[1:])
    sample, channel = np.divmod(which, max(n, 1))
    return Trains.of(sample, times, channel, shape[0], shape[1:], duration)
