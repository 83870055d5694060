"""What a neuron model declares, and the state that all models share.

A model is its equations: `flow` (closed form between events), `hold` (the same while refractory), `crossing` (time to
the first threshold crossing) and `receive` (what an input does). The engines own time, prediction and refractoriness.
"""

from __future__ import annotations

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eventsnn.distributions import Distribution
from eventsnn.errors import InputError, suggest

Value = float | Sequence[float] | NDArray[np.float64] | Distribution
Values = dict[str, NDArray[np.float64]]


@dataclass
class State:
    """One neuron between two events. `v` and all potentials of the equations are relative to E_L."""

    t: float = 0.0  # ms, when v and current were true
    v: float = 0.0  # mV
    current: list[float] = field(default_factory=list)  # pA, one a port of a model with synaptic currents
    drive: float = 0.0  # mV, R (I_e + step currents): where v would settle without synaptic current

    def copy(self) -> State:
        return State(self.t, self.v, list(self.current), self.drive)


class Model(ABC):
    """A neuron model with its parameters; each is a number, an array (one a neuron) or a distribution.

    Raises InputError for an unknown parameter; values are checked when the network is compiled.
    """

    parameters: ClassVar[dict[str, float]]
    ports: ClassVar[tuple[str, ...]]
    state_variables: ClassVar[tuple[str, ...]]
    # The names of the constants that `constants` computes, in the order in which the kernels read them.
    constant_names: ClassVar[tuple[str, ...]]
    # True if input jumps V itself: such input is lost while the neuron is refractory.
    instantaneous: ClassVar[bool]
    # The same equations compiled: a capsule of the struct Model in ext/eventsnn/_core/neuron.pxd.
    kernel: ClassVar[object]

    def __init__(self, **parameters: Value):
        for name in parameters:
            if name not in self.parameters:
                raise InputError(f"{type(self).__name__} has no parameter {name!r}; {suggest(name, self.parameters)}")
        self.values: dict[str, Value] = {**self.parameters, **parameters}

    def __repr__(self) -> str:
        changed = [f"{k}={v!r}" for k, v in self.values.items() if v is not self.parameters[k]]
        return f"{type(self).__name__}({', '.join(changed)})"

    @classmethod
    def initial_state(cls, values: Values) -> Values:
        """Default initial state (mV, pA): at rest without synaptic current."""
        return {name: values["E_L"] if name == "V_m" else np.zeros(1) for name in cls.state_variables}

    @classmethod
    def check(cls, values: Values, where: str) -> None:
        """Raise InputError, naming `where`, for the first value that the equations cannot take."""
        for name in values:
            if name.startswith("tau_") or name == "C_m":
                unit = "pF" if name == "C_m" else "ms"
                require(values[name] > 0, values[name], f"{where}: {name}", "must be positive", unit)
        require(values["t_ref"] >= 0, values["t_ref"], f"{where}: t_ref", "must not be negative", "ms")
        reset, threshold = np.broadcast_arrays(values["V_reset"], values["V_th"])
        if not (reset < threshold).all():
            i = int(np.argmin(reset < threshold))
            raise InputError(
                f"{where}: V_reset = {reset[i]:g} mV must lie below V_th = {threshold[i]:g} mV"
                + (f" (neuron {i})" if reset.size > 1 else "")
            )

    @classmethod
    @abstractmethod
    def constants(cls, values: Values) -> NDArray[np.float64]:
        """Array (len(constant_names), n or 1) of what the equations need."""

    @staticmethod
    @abstractmethod
    def flow(c: Sequence[float], s: State, h: float) -> None:
        """Advance v and the currents of a neuron that is free by h ms."""

    @staticmethod
    @abstractmethod
    def hold(c: Sequence[float], s: State, h: float) -> None:
        """Advance the currents of a refractory neuron by h ms; v stays."""

    @staticmethod
    @abstractmethod
    def crossing(c: Sequence[float], s: State) -> float:
        """Time in ms until v first reaches the threshold without further events; inf if it never does."""

    @staticmethod
    @abstractmethod
    def receive(s: State, weights: Sequence[float]) -> None:
        """Add the summed weights of one time, one sum a port."""


def floats(value: Any, what: str, allowed: str) -> NDArray[np.float64]:
    """A number or numbers as a float64 array of the same shape, or an InputError that names `what` and what is allowed.

    numpy alone would take "5", True and None (as nan) for numbers, and drop the imaginary part of a complex one.
    """
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{what} = {reprlib.repr(value)} must be {allowed}")
    return np.array(array, dtype=np.float64)


def require(good: NDArray[np.bool_], values: NDArray[np.float64], what: str, rule: str, unit: str = "") -> None:
    """Raise InputError naming the first value that is not good; nan never is."""
    if not good.all():
        i = int(np.argmin(good))
        where = f" (neuron {i})" if values.size > 1 else ""
        raise InputError(f"{what} = {values.flat[i]:g}{unit and ' ' + unit}{where} {rule}")
