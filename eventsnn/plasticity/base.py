"""PlasticityRule: how weights follow from spikes on both sides of a synapse."""

from __future__ import annotations

import keyword
import math
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eventsnn.base.checks import flag, number, scalar
from eventsnn.base.errors import InputError
from eventsnn.plasticity.program import Program, written

# Variables and traces of one kind that a rule may have.
MOST_TRACES = 4


@dataclass(frozen=True)
class Trace:
    """A trace of a neuron's spikes: dx/dt = -x/tau, and x += 1 at each spike.

    nearest: x = 1 at each spike in place of it, so that only the nearest one counts. tau (ms) may be infinite. Raises
    InputError for a tau that is not positive.
    """

    tau: float
    nearest: bool = False

    def __post_init__(self) -> None:
        tau = scalar(self.tau, "Trace: tau", "a positive number of ms", "ms")
        if not tau > 0.0:
            raise InputError(f"Trace: tau = {tau:g} ms must be positive")
        flag(self.nearest, "Trace: nearest")
        object.__setattr__(self, "tau", tau)


class PlasticityRule:
    """A rule of plasticity that is made of traces and two updates.

    pre, post: the traces of the spikes on either side, each a name and a time constant tau (ms) or a Trace.
    synapse: variables that each synapse has of its own, 0 at first, which decay with the time constants that are given
    (ms; infinity: none).
    on_pre, on_post: what a spike on this side does when it has come to the synapse: functions whose arguments are some
    of w (the size of the weight, in its unit), the traces and the variables, and that return the new w, or a tuple of
    it and the variables in their order. A trace of the spike's own side is as it was before this spike, one of the
    other side as its spikes strictly before this time have left it. The functions are called once, with symbols for
    numbers: they may use + - * / ** and abs, and minimum, maximum and exp of eventsnn.plasticity, and no comparison.
    w_min, w_max: after each update w is brought into these bounds.

    All traces and variables follow from spike times exactly, between events and off any grid. Hebb's rule is
    `PlasticityRule(pre={"x": 20.0}, on_post=lambda w, x: w + 0.01 * x)`. Variables of a synapse are seen as the last
    update has left them; at one time presynaptic spikes come first. Raises InputError for bad names and numbers and for
    functions that cannot be written down.
    """

    def __init__(
        self,
        pre: Mapping[str, Any] | None = None,
        post: Mapping[str, Any] | None = None,
        on_pre: Callable[..., Any] | None = None,
        on_post: Callable[..., Any] | None = None,
        synapse: Mapping[str, Any] | None = None,
        w_min: float = 0.0,
        w_max: float = math.inf,
    ):
        self.pre = _traces(pre, f"{self._label}: pre")
        self.post = _traces(post, f"{self._label}: post")
        self.synapse = {name: trace.tau for name, trace in _traces(synapse, f"{self._label}: synapse").items()}
        names = ["w", *self.pre, *self.post, *self.synapse]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{self._label}: the name {name!r} is there twice; name each trace and variable once")
        self.w_min = number(w_min, f"{self._label}: w_min", "a finite number >= 0", 0.0)
        self.w_max = scalar(w_max, f"{self._label}: w_max", "a number above w_min")
        if not self.w_max > self.w_min:
            raise InputError(
                f"{self._label}: w_max = {self.w_max:g} must be above w_min = {self.w_min:g}; both are sizes of "
                "weights, also where these are negative"
            )
        outputs = ["w", *self.synapse]
        self.on_pre = None if on_pre is None else written(on_pre, f"{self._label}: on_pre", names, outputs)
        self.on_post = None if on_post is None else written(on_post, f"{self._label}: on_post", names, outputs)

    @property
    def _label(self) -> str:
        return type(self).__name__

    # What only some rules have.

    @property
    def between(self) -> Program | None:
        """What becomes of w while nothing happens for a time D: of w, the variables, the third trace and D."""
        return None

    @property
    def step(self) -> Program | None:
        """For a rule of transmission: its variables and the factor of a spike, of the variables and of the time since
        the spike before."""
        return None

    def __repr__(self) -> str:
        return f"<{self._label}>"


def _traces(given: Mapping[str, Any] | None, what: str) -> dict[str, Trace]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InputError(f"{what} = {reprlib.repr(given)} must be a dictionary of names and time constants (ms)")
    if len(given) > MOST_TRACES:
        raise InputError(f"{what} has {len(given)} entries; at most {MOST_TRACES} are possible")
    found = {}
    for name, trace in given.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise InputError(f"{what}: {reprlib.repr(name)} must be a name that an argument of a function can have")
        if not isinstance(trace, Trace):
            tau = scalar(trace, f"{what}: {name}", "a positive number of ms or a Trace", "ms")
            if not tau > 0.0:
                raise InputError(f"{what}: the time constant of {name}, {tau:g} ms, must be positive")
            trace = Trace(tau)
        found[name] = trace
    return found


def positive(value: Any, what: str, unit: str = "ms") -> float:
    """A positive finite number, or an InputError that names it."""
    return number(value, what, f"a positive number of {unit}" if unit else "a positive number", above=0.0, unit=unit)


def not_negative(value: Any, what: str) -> float:
    """A finite number of at least 0, or an InputError that names it."""
    return number(value, what, "a finite number >= 0", 0.0)
