"""Random spikes from outside: point processes, drawn exactly and on no grid.

Every neuron has a stream of its own, which follows from the network's seed, the name of the source or stimulus and the
neuron's index, and from nothing else. eventsnn/draw/streams.py says how each kind of stream is drawn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.base.arrays import Bools, Floats, Ids, Ints
from eventsnn.base.checks import require
from eventsnn.base.errors import InputError
from eventsnn.draw.streams import cell_width
from eventsnn.draw.values import Value, resolve, resolve_some

# Hz: below, the cells of a stream would last beyond any time; above, Ctrl-C would have to wait for a window's spikes.
LOWEST_RATE, HIGHEST_RATE = 1e-300, 1e9

RATE_RULE = f"must be 0 or lie between {LOWEST_RATE:g} and {HIGHEST_RATE:g} Hz"

Key = Callable[[str], int]


class Pieces(NamedTuple):
    """Piecewise constant rates, the tables of all neurons one after the other; see StreamPlan."""

    start: Ints  # of each stream's table
    stop: Ints
    time: Floats
    share: Floats
    width: Floats
    run: Ids


class Streams(NamedTuple):
    """The streams of a process, as StreamPlan has them. Neurons without spikes have none."""

    on: Ints  # the numbers of the neurons that have a stream
    kind: int | Ints
    parameter: Sequence[float | Floats]  # the columns that the kind has, of one element or one for each of `on`
    stationary: bool = False
    pieces: Pieces | None = None


class Some(NamedTuple):
    """Neurons of a population of n that get a parameter of their own."""

    ids: Ints
    n: int
    where: str  # what errors call them
    before: int  # key of the draws of all
    now: int  # and of theirs


class PointProcess(ABC):
    """Independent random spike trains, one a neuron.

    Any parameter is a number, an array with one value a neuron, or a distribution. In `Network.stimulate` every target
    gets a train of its own without a source neuron. As a population it is a source to connect from: all targets of one
    of its neurons receive the same train.
    """

    @abstractmethod
    def compile(self, n: int, where: str, key: Key) -> Streams:
        """The streams of n neurons; key(parameter) is the key of its draws. InputError, naming `where`, if it can't."""

    def with_some(self, name: str, value: Any, some: Some) -> Any:
        """A parameter of all neurons, in which some have this value."""
        what = f"{some.where}: {name}"
        whole = np.broadcast_to(resolve(getattr(self, name), some.n, what, some.before), some.n).copy()
        whole[some.ids] = resolve_some(value, some.ids, what, some.now)
        return whole

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def require_shared(name: str, some: Some, shared: str) -> None:
    """Raise InputError for a parameter that all neurons have in common."""
    if name == shared:
        raise InputError(f"{some.where}: {name!r} is one for all neurons; set it for the whole population")


def in_range(rate: Floats) -> Bools:
    good: Bools = (rate == 0.0) | ((rate >= LOWEST_RATE) & (rate <= HIGHEST_RATE))
    return good


def rates(value: Value, n: int, what: str, key: int) -> Floats:
    """Rates (Hz), one or n of them, or an InputError that names `what`."""
    rate = resolve(value, n, what, key)
    require(rate >= 0.0, rate, what, "must not be negative", "Hz")
    require(in_range(rate), rate, what, RATE_RULE, "Hz")
    return rate


def positive(rate: Floats, n: int) -> tuple[Ints, Floats]:
    """Which of n neurons have a rate above 0, and their rates."""
    full = np.broadcast_to(rate, n)
    on = np.flatnonzero(full > 0.0)
    return on, full[on]


def cell_widths(rate: Floats) -> Floats:
    """The width of the cells (ms) for each rate above 0."""
    widths = {float(r): cell_width(float(r)) for r in np.unique(rate)}
    return np.array([widths[r] for r in rate.tolist()])
