"""Model: what every neuron model declares.

A model is its equations: `flow` (closed form between events), `hold` (the same while refractory), `threshold`,
`crossing` (time to the first crossing), `receive` (what an input does) and `reset` (what a spike does). The engines own
time, prediction and refractoriness.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.errors import InputError, suggest
from eventsnn.draw.values import Value, Values, own
from eventsnn.solve.state import State

# What the letters before the first _ of a name say about its unit, since parameters have NEST's names.
UNITS = {
    "tau": "ms", "t": "ms", "V": "mV", "E": "mV", "I": "pA", "dI": "pA/ms", "C": "pF", "g": "nS", "dg": "nS/ms",
}  # fmt: skip


class Model(ABC):
    """A neuron model with its parameters; each is a number, an array (one a neuron) or a distribution.

    Raises InputError for an unknown parameter; values are checked when the network is compiled.
    """

    parameters: dict[str, float]
    ports: tuple[str, ...]
    threshold_name: ClassVar[str] = "V_th"  # of the parameter at which a spike is counted
    state_variables: tuple[str, ...]
    slots: tuple[str, ...]  # the state variables without V_m, in the order in which the kernels hold them
    recordables: tuple[str, ...]  # the variables that may be recorded
    # How many variables of each kind there are, for the kernel.
    shape: Any
    # Of parameters and state variables whose names say nothing about their units.
    units: ClassVar[dict[str, str]] = {}
    # The signs of weights choose ports and mean nothing else.
    magnitudes = False
    # The same equations compiled: a capsule of the struct Model in ext/eventsnn/_core/solve/neuron.pxd.
    kernel: object

    def __init__(self, **parameters: Value):
        for name in parameters:
            if name not in self.parameters:
                raise InputError(f"{type(self).__name__} has no parameter {name!r}; {suggest(name, self.parameters)}")
        name = type(self).__name__
        given = {key: own(value, f"{name}: {key}", self.unit_of(key)) for key, value in parameters.items()}
        self.values: dict[str, Value] = {**self.parameters, **given}

    def __repr__(self) -> str:
        plain = {k: v for k, v in self.values.items() if isinstance(v, float | int) and v == self.parameters[k]}
        changed = [f"{k}={v!r}" for k, v in self.values.items() if k not in plain]
        return f"{type(self).__name__}({', '.join(changed)})"

    def unit_of(self, name: str) -> str:
        """The unit of a parameter or a state variable; "" if it has none, or its name does not say which."""
        return self.units.get(name, UNITS.get(name.partition("_")[0], ""))

    def unit_of_weights(self, port: str | None) -> str:
        """The unit of weights at a port, or without one: mV if input jumps V, else nS or pA; "" if ports differ."""
        other = "nS" if self.magnitudes else "pA"
        slots = [slot for name, slot in zip(self.ports, self.shape.targets, strict=True) if port in (None, name)]
        units = {"mV" if slot < 0 else other for slot in slots}
        return units.pop() if len(units) == 1 else ""

    @property
    def by_sign(self) -> tuple[int, int] | None:
        """The ports of input without a named port, of weights >= 0 and < 0; None if it must be named."""
        if len(self.ports) == 1:
            return 0, 0
        if {"ex", "in"} <= set(self.ports):
            return self.ports.index("ex"), self.ports.index("in")
        return None

    @property
    @abstractmethod
    def instantaneous(self) -> bool:
        """All input jumps v itself and is lost while the neuron is refractory."""

    @abstractmethod
    def initial_state(self, values: Values) -> Values:
        """Default initial state by name."""

    @abstractmethod
    def offsets(self, values: Values) -> Values:
        """What is added (mV) where a variable is set or recorded, by name; the others have none."""

    @abstractmethod
    def to_state(self, values: Values, state: Values) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """v relative to E_L, and the other variables in the order of the slots."""

    @abstractmethod
    def check(self, values: Values, where: str) -> None:
        """Raise InputError, naming `where`, for the first value that the equations cannot take."""

    @abstractmethod
    def constants(self, values: Values) -> tuple[list[str], NDArray[np.float64]]:
        """The constants of the equations: their names, and an array (names, n or 1). R and t_ref come first."""

    @abstractmethod
    def flow(self, c: Sequence[float], s: State, h: float) -> None:
        """Advance the state of a neuron that is free by h ms."""

    @abstractmethod
    def hold(self, c: Sequence[float], s: State, h: float) -> None:
        """Advance the state of a refractory neuron by h ms."""

    def enter(self, c: Sequence[float], s: State, release: float) -> None:  # noqa: B027
        """Put the state into the form in which the engines keep it; the neuron is refractory before `release`."""

    def leave(self, c: Sequence[float], s: State, release: float) -> None:  # noqa: B027
        """Put the state back into the form that the equations take."""

    @abstractmethod
    def threshold(self, c: Sequence[float], s: State) -> float:
        """The present threshold in mV relative to E_L."""

    @abstractmethod
    def crossing(self, c: Sequence[float], s: State, start: float = 0.0) -> tuple[float, bool]:
        """Time in ms until v first reaches the threshold without further events, inf if it never does, and True; or a
        time before which it does not, and False: the search then has to go on from there (`start`)."""

    def is_lost(self, c: Sequence[float], s: State) -> bool:
        """Whether input has made the state too large for the equations."""
        return False

    @abstractmethod
    def receive(self, c: Sequence[float], s: State, weights: Sequence[float], refractory: bool) -> None:
        """Add the summed weights of one time, one sum a port."""

    @abstractmethod
    def reset(self, c: Sequence[float], s: State) -> None:
        """What a spike does to the state."""
