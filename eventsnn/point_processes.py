"""Random spikes from outside: point processes, drawn exactly and on no grid.

Every neuron has a stream of its own, which follows from the network's seed, the name of the source or stimulus and the
neuron's index, and from nothing else. eventsnn/streams.py says how each kind of stream is drawn.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn import streams
from eventsnn._core.mathfunc import sin_turns
from eventsnn.checks import floats, require
from eventsnn.distributions import Distribution, Exponential, LogNormal, Normal, Uniform
from eventsnn.errors import InputError, suggest
from eventsnn.models.base import Value
from eventsnn.plan import Floats
from eventsnn.stimuli import distinct_times
from eventsnn.streams import cell_width
from eventsnn.values import resolve

# Hz: below, the cells of a stream would last beyond any time; above, Ctrl-C would have to wait for a window's spikes.
LOWEST_RATE, HIGHEST_RATE = 1e-300, 1e9
# Of the shape of a Gamma process. Below, thousands of spikes fall together; above, rounding shows in the intervals.
LOWEST_SHAPE, HIGHEST_SHAPE = 1e-3, 1e9
# Of LogNormal intervals, for the same reason.
HIGHEST_SIGMA = 10.0
# A normal value must fall into [low, high] at least so often: each miss costs a draw.
LEAST_SHARE = 0.01
# Candidates that a sinusoidal process may go through without a spike, in the part of a period in which it is silent.
MOST_CANDIDATES = 1e8
# Number of the last cell that a piece of a rate may begin in: beyond, cells are finer than a float64 resolves.
LAST_CELL = 2.0**52

Key = Callable[[str], int]
Start = Literal["stationary", "ordinary"]


class Pieces(NamedTuple):
    """Piecewise constant rates, the tables of all neurons one after the other; see StreamPlan."""

    start: NDArray[np.int64]  # of each stream's table
    stop: NDArray[np.int64]
    time: Floats
    share: Floats
    width: Floats
    run: NDArray[np.int32]


class Streams(NamedTuple):
    """The streams of a process, as StreamPlan has them, of those of the n neurons that have any: number `on`."""

    on: NDArray[np.int64]
    kind: int | NDArray[np.int64]
    parameter: Sequence[float | Floats]  # the columns that the kind has, of one element or one for each of `on`
    stationary: bool = False
    pieces: Pieces | None = None


class PointProcess(ABC):
    """Independent random spike trains, one a neuron.

    Any parameter is a number, an array with one value a neuron, or a distribution. In `Network.stimulate` every target
    gets a train of its own without a source neuron. As a population it is a source to connect from: all targets of one
    of its neurons receive the same train.
    """

    @abstractmethod
    def compile(self, n: int, where: str, key: Key) -> Streams:
        """The streams of n neurons; key(parameter) is the key of its draws. InputError, naming `where`, if it can't."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Poisson(PointProcess):
    """Poisson process (NEST: poisson_generator; as a population poisson_generator -> parrot_neuron).

    rate: Hz, not negative.
    """

    def __init__(self, rate: Value):
        self.rate = rate

    def compile(self, n: int, where: str, key: Key) -> Streams:
        rate = rates(self.rate, n, f"{where}: rate", key("rate"))
        on, rate = positive(rate, n)
        width = cell_widths(rate)
        return Streams(on, streams.POISSON, [width, rate / 1000.0 * width])


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
        self.rates = floats(rates, f"{where}: rates", "one list of numbers (Hz), or one list a neuron")
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
        return Streams(on, streams.STEPS, [], pieces=pieces._replace(start=pieces.start[of], stop=pieces.stop[of]))


class SinusoidalPoisson(PointProcess):
    """Poisson process with the rate max(0, rate + amplitude sin(2 pi frequency t + phase)), t from 0
    (NEST: sinusoidal_poisson_generator).

    rate, amplitude: Hz, rate not negative; where amplitude is the larger, the mean rate is above `rate`. frequency: Hz,
    not negative; phase: degrees. A homogeneous process at the highest rate is thinned, so that the cost is that of
    rate + |amplitude|.
    """

    def __init__(self, rate: Value, amplitude: Value, frequency: Value, phase: Value = 0.0):
        self.rate, self.amplitude, self.frequency, self.phase = rate, amplitude, frequency, phase

    def compile(self, n: int, where: str, key: Key) -> Streams:
        rate = rates(self.rate, n, f"{where}: rate", key("rate"))
        amplitude = resolve(self.amplitude, n, f"{where}: amplitude", key("amplitude"))
        frequency = resolve(self.frequency, n, f"{where}: frequency", key("frequency"))
        phase = resolve(self.phase, n, f"{where}: phase", key("phase"))
        require(frequency >= 0.0, frequency, f"{where}: frequency", "must not be negative", "Hz")
        rate, amplitude, frequency, phase = np.broadcast_arrays(rate, amplitude, frequency, phase)
        peak = rate + np.abs(amplitude)
        require(in_range(peak), peak, f"{where}: rate + |amplitude|", RATE_RULE, "Hz")
        still = frequency == 0.0
        sine = np.array([sin_turns(degrees / 360.0) for degrees in phase.tolist()])
        constant: Floats = rate + amplitude * sine
        # At frequency 0 the rate is constant, and so must be what it is thinned from.
        peak = np.where(still, np.where(constant < LOWEST_RATE, 0.0, constant), peak)
        silent = (np.abs(amplitude) > rate) & ~still
        long = silent & (peak > MOST_CANDIDATES * frequency)
        require(
            ~long,
            frequency,
            f"{where}: frequency",
            f"is too low for rate + |amplitude| = {peak[int(np.argmax(long))]:g} Hz, since the rate is 0 for part of a "
            "period and this part would take long to pass; use InhomogeneousPoisson",
            "Hz",
        )
        on, peak = positive(peak, n)
        base, swing, frequency, phase = (
            np.broadcast_to(a, n)[on] for a in (rate, np.where(still, constant - rate, amplitude), frequency, phase)
        )
        still = np.broadcast_to(still, n)[on]
        width = cell_widths(peak)
        turns = np.where(still, 0.25, phase / 360.0)
        parameter = [width, peak / 1000.0 * width, base / peak, swing / peak, frequency / 1000.0, turns]
        return Streams(on, streams.SINE, parameter)


class RenewalProcess(PointProcess):
    """A process whose intervals are independent and have one distribution.

    start: "stationary", as if the process had been going on for ever: the first spike comes after the rest of the
    interval that time 0 falls into, and the rate is the same at all times; or "ordinary", as if there had been a spike
    at 0 (which is not one of the spikes): the first spike comes after a whole interval. Stationary is the default:
    with an ordinary start all neurons of a population would be in step for some intervals.
    """

    def __init__(self, start: Start):
        if start not in ("stationary", "ordinary"):
            raise InputError(
                f"{type(self).__name__}: start = {start!r} is not known; {suggest(start, ('stationary', 'ordinary'))}"
            )
        self.start = start

    @property
    def stationary(self) -> bool:
        return self.start == "stationary"


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
        self.rate, self.dead_time = rate, dead_time

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
        return Streams(on, streams.EXPONENTIAL, [dead_time, rest], self.stationary)


class Gamma(RenewalProcess):
    """Gamma process: intervals have a Gamma distribution (NEST: gamma_sup_generator with n_proc = 1 and a whole shape).

    rate: Hz, not negative, the mean rate. shape: from 0.001 to 1e9; the coefficient of variation is 1 / sqrt(shape): 1
    is a Poisson process, a larger shape is more regular. start: see RenewalProcess. (NEST's begins in the last stage
    before a spike.)
    """

    def __init__(self, rate: Value, shape: Value, start: Start = "stationary"):
        super().__init__(start)
        self.rate, self.shape = rate, shape

    def compile(self, n: int, where: str, key: Key) -> Streams:
        rate = rates(self.rate, n, f"{where}: rate", key("rate"))
        shape = resolve(self.shape, n, f"{where}: shape", key("shape"))
        good = (shape >= LOWEST_SHAPE) & (shape <= HIGHEST_SHAPE)
        require(good, shape, f"{where}: shape", f"must lie between {LOWEST_SHAPE:g} and {HIGHEST_SHAPE:g}")
        on, rate = positive(rate, n)
        shape = np.broadcast_to(shape, n)[on]
        return Streams(on, streams.GAMMA, [shape, 1000.0 / rate / shape], self.stationary)


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

    def compile(self, n: int, where: str, key: Key) -> Streams:
        each = self.intervals if isinstance(self.intervals, list) else [self.intervals]
        if len(each) != n and isinstance(self.intervals, list):
            raise InputError(f"{where}: {len(each)} distributions of intervals for {n} neurons; give one a neuron")
        kind = np.array([KINDS[type(distribution)] for distribution in each])
        columns = np.zeros((streams.PARAMETERS, len(each)))
        for k, distribution in enumerate(each):
            numbers = interval_parameters(distribution)
            columns[: len(numbers), k] = numbers
        return Streams(np.arange(n), kind, list(columns), self.stationary)


KINDS: dict[type, int] = {
    Exponential: streams.EXPONENTIAL,
    LogNormal: streams.LOGNORMAL,
    Normal: streams.NORMAL,
    Uniform: streams.UNIFORM,
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


# ---- rates


RATE_RULE = f"must be 0 or lie between {LOWEST_RATE:g} and {HIGHEST_RATE:g} Hz"


def in_range(rate: Floats) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = (rate == 0.0) | ((rate >= LOWEST_RATE) & (rate <= HIGHEST_RATE))
    return good


def rates(value: Value, n: int, what: str, key: int) -> Floats:
    """Rates (Hz), one or n of them, or an InputError that names `what`."""
    rate = resolve(value, n, what, key)
    require(rate >= 0.0, rate, what, "must not be negative", "Hz")
    require(in_range(rate), rate, what, RATE_RULE, "Hz")
    return rate


def positive(rate: Floats, n: int) -> tuple[NDArray[np.int64], Floats]:
    """Which of n neurons have a rate above 0, and their rates."""
    full = np.broadcast_to(rate, n)
    on = np.flatnonzero(full > 0.0)
    return on, full[on]


def cell_widths(rate: Floats) -> Floats:
    """The width of the cells (ms) for each rate above 0."""
    widths = {float(r): cell_width(float(r)) for r in np.unique(rate)}
    return np.array([widths[r] for r in rate.tolist()])


def step_widths(rate: Floats) -> Floats:
    """The width of the cells (ms) that hold STEPS_MEAN candidates and 2 to 4 spikes on average; inf for a rate of 0."""
    widths = {float(r): cell_width(float(r)) / 2.0 for r in np.unique(rate[rate > 0.0])} | {0.0: math.inf}
    return np.array([widths[r] for r in rate.reshape(-1).tolist()]).reshape(rate.shape)


def run_lengths(width: Floats) -> NDArray[np.int32]:
    """For each piece the number of pieces from it on to the next of another width."""
    changes = np.append(np.flatnonzero(np.diff(width)) + 1, width.size)
    place = np.arange(width.size)
    return (changes[np.searchsorted(changes, place, side="right")] - place).astype(np.int32)
