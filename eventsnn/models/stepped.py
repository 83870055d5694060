"""Neurons whose state goes on in steps, since no single formula holds for all time.

A step begins at the neuron's last event, or where the one before it ends, and its length follows from the state there
and from nothing else. Within a step the state at any time is found from that at its beginning. A search for a crossing
goes to the end of a step; the engines take the state there before they go on.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.solve.neuron import MOST_STEPS, THRESHOLD
from eventsnn.base.checks import require
from eventsnn.base.errors import InputError
from eventsnn.draw.values import Values
from eventsnn.models.base import Model
from eventsnn.solve.state import State


class Shape(NamedTuple):
    """What the kernels must know of such a model; names are those of closed_form.Shape."""

    n_slots: int
    clamped: bool  # V is held while the neuron is refractory
    targets: tuple[int, ...]  # for each port the slot that takes its input; -1 is V
    ahead: int = 0  # numbers that the kernel keeps behind the variables
    n_currents: int = 0
    n_alpha: int = 0
    n_thresholds: int = 0
    n_driven: int = 0
    leaks: bool = True
    resets: bool = True


class SteppedModel(Model):
    """A neuron model whose state goes on in steps. If `clamped`, V is held for t_ref after a spike."""

    clamped: ClassVar[bool] = True
    resets_V: ClassVar[bool] = True
    # Parameters that must be positive, with their units.
    positive: ClassVar[dict[str, str]] = {}
    # Slots that take the input of each port, -1 for V.
    targets: tuple[int, ...]
    reset_name: ClassVar[str] = "V_reset"

    @property
    def shape(self) -> Shape:
        return Shape(len(self.slots), self.clamped, self.targets)

    @property
    def state_variables(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("V_m", *self.slots)

    @property
    def recordables(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.state_variables

    @property
    def instantaneous(self) -> bool:
        return self.clamped and all(slot < 0 for slot in self.targets)

    def gain(self, values: Values) -> Any:
        """What 1 pA adds to dV/dt, in mV/ms."""
        return 1.0 / values["C_m"]

    def scales(self, values: Values) -> list[Any]:
        """What a weight of 1 adds, for each port."""
        return [1.0] * len(self.ports)

    # ---- values

    def offsets(self, values: Values) -> Values:
        return {}

    def initial_state(self, values: Values) -> Values:
        return {"V_m": values["E_L"]} | {name: np.zeros(1) for name in self.slots}

    def to_state(self, values: Values, state: Values) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        for name in self.slots:
            if name.lstrip("d").startswith("g_"):
                require(state[name] >= 0, state[name], f"{type(self).__name__}: {name}", "must not be negative", "nS")
        return state["V_m"], [state[name] for name in self.slots]

    def check(self, values: Values, where: str) -> None:
        units = {name: "ms" for name in values if name.startswith("tau_")} | self.positive
        for name, unit in units.items():
            require(values[name] > 0, values[name], f"{where}: {name}", "must be positive", unit)
        require(values["t_ref"] >= 0, values["t_ref"], f"{where}: t_ref", "must not be negative", "ms")
        if self.resets_V:
            reset, threshold = np.broadcast_arrays(values[self.reset_name], values[self.threshold_name])
            if not (reset < threshold).all():
                i = int(np.argmin(reset < threshold))
                raise InputError(
                    f"{where}: {self.reset_name} = {reset[i]:g} mV must lie below {self.threshold_name} = "
                    f"{threshold[i]:g} mV" + (f" (neuron {i})" if reset.size > 1 else "")
                )

    # ---- equations, for the reference engine

    @abstractmethod
    def _go(self, c: Sequence[float], s: State, t: float, held: bool) -> None:
        """Advance the state to t; held: V is."""

    def settle(self, c: Sequence[float], s: State, t: float, release: float) -> None:
        if t < release:
            self._go(c, s, t, self.clamped)
        else:
            if s.t < release:
                self._go(c, s, release, self.clamped)
            if s.t < t:
                self._go(c, s, t, False)

    def flow(self, c: Sequence[float], s: State, h: float) -> None:
        self._go(c, s, s.t + h, False)

    def hold(self, c: Sequence[float], s: State, h: float) -> None:
        self._go(c, s, s.t + h, self.clamped)

    def threshold(self, c: Sequence[float], s: State) -> float:
        return c[THRESHOLD]


def count_step(s: State) -> bool:
    """Count another step; False if a neuron has taken too many since its last event, or in the ms before."""
    s.steps += 1
    if s.steps <= MOST_STEPS:
        return True
    if s.t - s.since < 1.0:
        return False
    s.steps, s.since = 1, s.t
    return True


def until(t: float, span: float) -> tuple[float, float]:
    """The end of a step and its length, so that the one is fl(t + the other)."""
    span = (t + span) - t
    return t + span, span
