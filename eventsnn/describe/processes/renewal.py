"""Renewal processes: PoissonRefractory, Gamma, and Renewal with intervals from any distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from eventsnn._core.draw.stream import EXPONENTIAL, GAMMA, LOGNORMAL, NORMAL, PARAMETERS, UNIFORM
from eventsnn.base.checks import choice, require
from eventsnn.base.errors import InputError
from eventsnn.describe.processes.base import (
    HIGHEST_RATE,
    LOWEST_RATE,
    Key,
    PointProcess,
    Some,
    Streams,
    positive,
    rates,
    require_shared,
)
from eventsnn.draw import streams
from eventsnn.draw.distributions import Distribution, Exponential, LogNormal, Normal, Uniform
from eventsnn.draw.values import Value, own, resolve

# Of the shape of a Gamma process. Below, thousands of spikes fall together; above, rounding shows in the intervals.
LOWEST_SHAPE, HIGHEST_SHAPE = 1e-3, 1e9
# Of LogNormal intervals, for the same reason.
HIGHEST_SIGMA = 10.0
# A normal value must fall into [low, high] at least so often: each miss costs a draw.
LEAST_SHARE = 0.01

Start = Literal["stationary", "ordinary"]


class RenewalProcess(PointProcess):
    """A process whose intervals are independent and have one distribution.

    start: "stationary", as if the process had been going on for ever: the first spike comes after the rest of the
    interval that time 0 falls into, and the rate is the same at all times; or "ordinary", as if there had been a spike
    at 0 (which is not one of the spikes): the first spike comes after a whole interval. Stationary is the default:
    with an ordinary start all neurons of a population would be in step for some intervals.
    """

    def __init__(self, start: Start):
        choice(start, f"{type(self).__name__}: start", ("stationary", "ordinary"))
        self.start = start

    @property
    def stationary(self) -> bool:
        return self.start == "stationary"

    def with_some(self, name: str, value: Any, some: Some) -> Any:
        require_shared(name, some, "start")
        return super().with_some(name, value, some)


class PoissonRefractory(RenewalProcess):
    """Poisson process with dead time: after every spike none for dead_time ms, then again one with a constant hazard.

    rate: Hz, not negative: the mean rate with the dead time included, as in NEST's ppd_sup_generator (n_proc = 1) and
    in Elephant's StationaryPoissonProcessDeadTime; the hazard is 1 / (1 / rate - dead_time). (The rates of a Brian2
    group that spikes by `rand() < rates*dt` and is then refractory are the hazard, rate / (1 - rate dead_time) here.)
    dead_time: ms, not negative, below 1000 / rate. The coefficient of variation is 1 - rate dead_time.
    start: see RenewalProcess. (A single process of NEST begins without being refractory.)
    """

    def __init__(self, rate: Value, dead_time: Value, start: Start = "stationary"):
        super().__init__(start)
        self.rate = own(rate, "PoissonRefractory: rate", "Hz")
        self.dead_time = own(dead_time, "PoissonRefractory: dead_time", "ms")

    def compile(self, n: int, where: str, key: Key) -> Streams:
        rate = rates(self.rate, n, f"{where}: rate", key("rate"))
        dead_time = resolve(self.dead_time, n, f"{where}: dead_time", key("dead_time"))
        require(dead_time >= 0.0, dead_time, f"{where}: dead_time", "must not be negative", "ms")
        rate, dead_time = np.broadcast_arrays(rate, dead_time)
        fits = rate * dead_time < 1000.0
        require(
            fits,
            dead_time,
            f"{where}: dead_time",
            f"leaves no room for {rate[int(np.argmin(fits))]:g} Hz; it must be below 1000 / rate",
            "ms",
        )
        on, rate = positive(rate, n)
        dead_time = np.broadcast_to(dead_time, n)[on]
        rest = np.maximum(1000.0 / rate - dead_time, 0.0)
        return Streams(on, EXPONENTIAL, [dead_time, rest], self.stationary)


class Gamma(RenewalProcess):
    """Gamma process: intervals have a Gamma distribution (NEST: gamma_sup_generator with n_proc = 1 and a whole shape).

    rate: Hz, not negative, the mean rate. shape: from 0.001 to 1e9; the coefficient of variation is 1 / sqrt(shape): 1
    is a Poisson process, a larger shape is more regular. start: see RenewalProcess. (NEST's begins in the last stage
    before a spike.)
    """

    def __init__(self, rate: Value, shape: Value, start: Start = "stationary"):
        super().__init__(start)
        self.rate, self.shape = own(rate, "Gamma: rate", "Hz"), own(shape, "Gamma: shape", "")

    def compile(self, n: int, where: str, key: Key) -> Streams:
        rate = rates(self.rate, n, f"{where}: rate", key("rate"))
        shape = resolve(self.shape, n, f"{where}: shape", key("shape"))
        good = (shape >= LOWEST_SHAPE) & (shape <= HIGHEST_SHAPE)
        require(good, shape, f"{where}: shape", f"must lie between {LOWEST_SHAPE:g} and {HIGHEST_SHAPE:g}")
        on, rate = positive(rate, n)
        shape = np.broadcast_to(shape, n)[on]
        return Streams(on, GAMMA, [shape, 1000.0 / rate / shape], self.stationary)


class Renewal(RenewalProcess):
    """Renewal process: independent intervals from a distribution.

    intervals: a distribution of ms, or a list with one a neuron: Exponential, Uniform, LogNormal, or Normal with
    low >= 0. Uniform(T, T) is regular. (For Gamma intervals there is Gamma.) start: see RenewalProcess; the first
    interval of a stationary process is drawn exactly for all of them.
    """

    def __init__(self, intervals: Distribution | Sequence[Distribution], start: Start = "stationary"):
        super().__init__(start)
        self.intervals: Distribution | list[Distribution]
        self.intervals = list(intervals) if isinstance(intervals, list | tuple) else intervals  # type: ignore[assignment]
        for distribution in self.intervals if isinstance(self.intervals, list) else [self.intervals]:
            check_intervals(distribution)

    def with_some(self, name: str, value: Any, some: Some) -> Any:
        require_shared(name, some, "start")
        given = list(value) if isinstance(value, list | tuple) else [value] * some.ids.size
        if len(given) != some.ids.size:
            raise InputError(f"{some.where}: {len(given)} distributions of intervals for {some.ids.size} neurons")
        laws = list(self.intervals) if isinstance(self.intervals, list) else [self.intervals] * some.n
        for k, law in zip(some.ids.tolist(), given, strict=True):
            laws[k] = law
        return laws

    def compile(self, n: int, where: str, key: Key) -> Streams:
        each = self.intervals if isinstance(self.intervals, list) else [self.intervals]
        if len(each) != n and isinstance(self.intervals, list):
            raise InputError(f"{where}: {len(each)} distributions of intervals for {n} neurons; give one a neuron")
        kind = np.array([KINDS[type(distribution)] for distribution in each])
        columns = np.zeros((PARAMETERS, len(each)))
        for k, distribution in enumerate(each):
            numbers = interval_parameters(distribution)
            columns[: len(numbers), k] = numbers
        return Streams(np.arange(n), kind, list(columns), self.stationary)


KINDS: dict[type, int] = {
    Exponential: EXPONENTIAL,
    LogNormal: LOGNORMAL,
    Normal: NORMAL,
    Uniform: UNIFORM,
}


def interval_parameters(intervals: Distribution) -> list[float]:
    if isinstance(intervals, Exponential):
        return [0.0, intervals.mean]
    if isinstance(intervals, LogNormal):
        return [intervals.mu, intervals.sigma]
    if isinstance(intervals, Normal):
        return [intervals.mean, intervals.std, intervals.low, intervals.high]
    assert isinstance(intervals, Uniform)
    return [intervals.low, intervals.high]


def check_intervals(intervals: Any) -> None:
    """Raise InputError for what cannot be a distribution of intervals, or not one that can be drawn."""
    what = f"Renewal: intervals = {intervals!r}"
    if type(intervals) not in KINDS:
        known = ", ".join(kind.__name__ for kind in KINDS)
        raise InputError(f"{what} must be a distribution of ms or a list of them; known are {known}")
    own(intervals, "Renewal: intervals", "ms")
    if isinstance(intervals, Uniform | Normal) and intervals.low < 0.0:
        raise InputError(f"{what} may be negative; give low >= 0")
    if isinstance(intervals, Normal):
        if intervals.outside != "redraw":
            raise InputError(f"{what} are drawn one by one during the run; outside='redraw' is needed")
        if intervals.grid is not None:
            raise InputError(f"{what} are drawn one by one during the run, on no grid; leave grid out")
        if normal_share(intervals) < LEAST_SHARE:
            raise InputError(f"{what} practically never fall into [low, high]; widen it")
    if isinstance(intervals, LogNormal) and intervals.sigma > HIGHEST_SIGMA:
        raise InputError(f"{what} differ too much in length; sigma must not exceed {HIGHEST_SIGMA:g}")
    mean = mean_interval(intervals)
    if not 1000.0 / HIGHEST_RATE <= mean <= 1000.0 / LOWEST_RATE:
        raise InputError(
            f"{what} have a mean of {mean:g} ms; it must lie between {1000.0 / HIGHEST_RATE:g} and "
            f"{1000.0 / LOWEST_RATE:g} ms"
        )


def mean_interval(intervals: Distribution) -> float:
    """ms, for a normal distribution roughly."""
    if isinstance(intervals, LogNormal):
        exponent = intervals.mu + intervals.sigma**2 / 2.0
        return math.exp(exponent) if exponent < 700.0 else math.inf
    if isinstance(intervals, Uniform):
        return intervals.low / 2.0 + intervals.high / 2.0
    if isinstance(intervals, Normal):
        return max(intervals.low, min(intervals.high, max(intervals.mean, intervals.std)))
    assert isinstance(intervals, Exponential)
    return intervals.mean


def normal_share(normal: Normal) -> float:
    """The smaller of the shares of values and of length-biased values (see streams.normal_interval) that are kept."""
    if normal.std == 0.0:
        return float(normal.low <= normal.mean <= normal.high)
    low, high = ((bound - normal.mean) / normal.std for bound in (normal.low, normal.high))

    def area(z: float) -> float:
        return 0.5 * math.erfc(-z / math.sqrt(2.0))

    def density(z: float) -> float:
        return streams.HALF_NORMAL * math.exp(-0.5 * z * z) if abs(z) < 40.0 else 0.0

    share = area(high) - area(low)
    length = normal.mean * share + normal.std * (density(low) - density(high))
    return min(share, length / (max(normal.mean, 0.0) + normal.std * streams.HALF_NORMAL))
