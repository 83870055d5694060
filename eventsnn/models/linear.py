"""Linear models as their users describe them: a membrane, currents and thresholds, each with a time constant.

Between two events all of them are one thing. With v = V_m - E_L, currents x_i and parts T_k of the threshold,

    C_m dv/dt = -(C_m / tau_m) v + I_e + sum_i x_i      (without the first term if there is no leak)
    dx_i/dt = -x_i / tau_i                               (alpha currents: + y_i,  dy_i/dt = -y_i / tau_i)
    dT_k/dt = -T_k / tau_k + gain_k v
    spike:  v >= V_th - E_L + sum_k T_k,  then  z <- max(lowest, scale z + jump)  for every variable z.

`LinearModel` turns a description into the constants that eventsnn/solve/closed_form.py and its compiled twin
ext/eventsnn/_core/models/linear.pyx work with. A user's own model is a subclass with `parameters` and `equations`.
"""

from __future__ import annotations

import math
import reprlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.base.mathfunc import exp
from eventsnn._core.models import linear as kernels
from eventsnn._core.solve.neuron import MOST_VARIABLES
from eventsnn.base.checks import flag, floats, number, require, require_order
from eventsnn.base.errors import InputError
from eventsnn.draw.values import Value, Values
from eventsnn.models.base import Model
from eventsnn.solve import closed_form, crossing, frames
from eventsnn.solve.state import State

Number = float | NDArray[np.float64]

# The longest and the shortest time constant of a neuron may differ by this factor. Beyond it a sum of exponentials
# keeps too few digits.
FARTHEST_APART = 1e9
# A number's frames are at most this many of its time constants wide. There are none where tau_m / |tau_m - tau| is
# larger than MOST_CANCELLED, because the terms of v would cancel too much.
LONGEST_FRAME = 2.0
MOST_CANCELLED = 10.0


def _check_fields(part: Any, numbers: Sequence[str], texts: Sequence[str] = (), flags: Sequence[str] = ()) -> None:
    """Raise InputError unless these fields of a part are numbers (one, or one a neuron), names and truth values."""
    what = type(part).__name__
    for name in numbers:
        array = floats(getattr(part, name), f"{what}: {name}", "a number, or an array with one a neuron")
        if array.ndim > 1 or not array.size:
            raise InputError(f"{what}: {name} is an array of shape {array.shape}; it must be a number, or one a neuron")
        require(~np.isnan(array), array, f"{what}: {name}", "must be a number")
    for name in texts if getattr(part, "port", None) is None else (*texts, "port"):
        value = getattr(part, name)
        if not isinstance(value, str) or not value:
            raise InputError(f"{what}: {name} = {reprlib.repr(value)} must be a name, not empty")
    for name in flags:
        flag(getattr(part, name), f"{what}: {name}")
    if not isinstance(getattr(part, "reset", None), Reset | None):
        raise InputError(f"{what}: reset = {reprlib.repr(part.reset)} must be a Reset or None")


@dataclass(frozen=True)
class Reset:
    """What a spike does to a variable: z <- max(lowest, scale z + jump); without arguments, nothing.

    For the membrane z is V_m - E_L, for a threshold its deviation from rest. |scale| must not exceed 1.
    """

    scale: Number = 1.0
    jump: Number = 0.0
    lowest: Number = -math.inf

    def __post_init__(self) -> None:
        _check_fields(self, numbers=("scale", "jump", "lowest"))


@dataclass(frozen=True)
class Membrane:
    """The membrane of a linear neuron: C_m dv/dt = -(C_m / tau_m) v + I_e + currents; v = V_m - E_L.

    tau_m: ms, None for no leak. V_th: mV, the threshold at rest. reset: after a spike, by default to E_L. clamped: v
    (and every threshold that it drives) is held while the neuron is refractory and input at `port` is lost; else v goes
    on, and the neuron merely cannot spike. port: its name if input (mV) may jump v. The constant current is the
    model's parameter I_e (pA).
    """

    tau_m: Number | None  # ms
    C_m: Number  # pF
    E_L: Number  # mV
    V_th: Number  # mV
    t_ref: Number  # ms
    reset: Reset = field(default=Reset(scale=0.0))
    clamped: bool = True
    port: str | None = None

    def __post_init__(self) -> None:
        given = () if self.tau_m is None else ("tau_m",)
        _check_fields(self, (*given, "C_m", "E_L", "V_th", "t_ref"), texts=(), flags=("clamped",))
        if not isinstance(self.reset, Reset):
            raise InputError(f"Membrane: reset = {reprlib.repr(self.reset)} must be a Reset")


@dataclass(frozen=True)
class Current:
    """A current of a linear neuron: dx/dt = -x / tau (pA, ms); if alpha, dx/dt = -x / tau + y, dy/dt = -y / tau.

    An input of weight w (pA) at `port` adds w to x, or w e / tau to y: then x rises to a peak of w after tau. Without a
    port only spikes change it, by `reset`. Its state is recorded as `name`, y as "d" + name (pA/ms).
    """

    name: str
    tau: Number
    port: str | None = None
    alpha: bool = False
    reset: Reset | None = None

    def __post_init__(self) -> None:
        _check_fields(self, ("tau",), texts=("name",), flags=("alpha",))


@dataclass(frozen=True)
class Threshold:
    """A part of the threshold that returns to 0: dT/dt = -T / tau + gain (V_m - E_L), in mV and ms; gain in 1/ms.

    offset (mV) is added where T is set or recorded as `name`.
    """

    name: str
    tau: Number
    gain: Number | None = None
    reset: Reset | None = None
    offset: Number = 0.0

    def __post_init__(self) -> None:
        _check_fields(self, ("tau", "offset") if self.gain is None else ("tau", "gain", "offset"), texts=("name",))


@dataclass(frozen=True)
class Linear:
    """The equations of a linear model."""

    membrane: Membrane
    currents: Sequence[Current] = ()
    thresholds: Sequence[Threshold] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.membrane, Membrane):
            raise InputError(f"Linear: membrane = {reprlib.repr(self.membrane)} must be a Membrane")
        for name, kind in (("currents", Current), ("thresholds", Threshold)):
            parts = getattr(self, name)
            require_order(parts, f"Linear: {name}", f"a list of {kind.__name__}")
            for part in parts:
                if not isinstance(part, kind):
                    raise InputError(f"Linear: {reprlib.repr(part)} in {name} must be a {kind.__name__}")


@dataclass(frozen=True)
class Layout:
    """The parts of a linear model that do not depend on its values: names and order of a neuron's variables."""

    slots: tuple[str, ...]
    state_variables: tuple[str, ...]
    ports: tuple[str, ...]
    shape: closed_form.Shape


class LinearModel(Model):
    """A neuron model with linear equations between its spikes; a subclass names them, and both engines can run it.

        class Adaptive(esn.LinearModel):
            parameters = {"tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "t_ref": 2.0, "I_e": 0.0,
                          "tau_syn": 2.0, "tau_a": 100.0, "jump": -50.0}

            def equations(self, p):
                return esn.Linear(
                    esn.Membrane(p["tau_m"], p["C_m"], p["E_L"], p["V_th"], p["t_ref"]),
                    [esn.Current("I_syn", p["tau_syn"], port="syn"),
                     esn.Current("I_a", p["tau_a"], reset=esn.Reset(jump=p["jump"]))],
                )

    `parameters` gives the names and defaults, I_e (pA) among them. `equations` receives their values as arrays, one
    element or one a neuron, and must return the same variables whatever the values. State: V_m (mV), and each current
    and threshold by its name; a model with thresholds also records its threshold as V_th (mV). Input without `port=`
    goes to the only port, or by its sign to "ex" and "in". `units`, a dictionary, may give the units of parameters
    whose names are not of NEST's kind (tau_, V_, E_, I_, g_ ...), into which quantities are then converted. Raises
    InputError for time constants that are not positive and finite, or lie too far apart.
    """

    kernel = kernels.kernel
    parameters: dict[str, float]
    # Parameters, beyond tau_* and C_m, that must be positive, with their units.
    positive: ClassVar[dict[str, str]] = {}

    def __init__(self, **parameters: Value):
        super().__init__(**parameters)
        if "I_e" not in self.parameters:
            raise InputError(f"{type(self).__name__}: parameters must name I_e, the constant current in pA; add it")
        for name, value in self.parameters.items():
            number(value, f"{type(self).__name__}: parameters: {name}", "a finite number, its default")
        linear = self._described({name: np.array([value]) for name, value in self.parameters.items()})
        layout = self.layout = _layout(linear)
        self.slots, self.state_variables, self.ports = layout.slots, layout.state_variables, layout.ports
        self.shape = layout.shape
        self.recordables = self.state_variables + (("V_th",) if len(linear.thresholds) else ())
        self._check_names()

    @abstractmethod
    def equations(self, p: Values) -> Linear:
        """The equations for these values of the parameters, arrays of one or n elements."""

    def _described(self, values: Values, where: str = "") -> Linear:
        try:
            linear = self.equations(values)
        except InputError as error:  # of one of the parts
            raise InputError(f"{where or type(self).__name__}: {error}") from None
        if not isinstance(linear, Linear):
            raise InputError(f"{type(self).__name__}: equations returned {linear!r}; it must return a Linear")
        parts: list[Membrane | Current | Threshold] = [linear.membrane, *linear.currents, *linear.thresholds]
        resets = [part.reset for part in parts if part.reset is not None]
        sizes = {np.size(value) for part in [*parts, *resets] for value in vars(part).values()} - {1}
        if len(sizes) > 1:
            raise InputError(
                f"{where or type(self).__name__}: equations returned arrays of {' and '.join(map(str, sorted(sizes)))} "
                "numbers; each must have one, or one a neuron"
            )
        return linear

    def _check_names(self) -> None:
        name = type(self).__name__
        taken = [*self.state_variables, "V_th", "spikes", *self.parameters]
        for variable in self.state_variables:
            if taken.count(variable) > 1:
                raise InputError(f"{name}: the name {variable!r} of a variable is taken; choose another")
        for port in self.ports:
            if self.ports.count(port) > 1:
                raise InputError(f"{name}: two variables have the port {port!r}; give each a port of its own")
        for count, what in [(len(self.slots), "variables"), (len(self.ports), "ports")]:
            if count > MOST_VARIABLES:
                raise InputError(f"{name}: {count} {what} are more than the {MOST_VARIABLES} a neuron can have")

    # ---- values

    @property
    def instantaneous(self) -> bool:
        return self.shape.clamped and all(slot < 0 for slot in self.shape.targets)

    def offsets(self, values: Values) -> Values:
        """What is added (mV) where a variable is set or recorded, by name; the others have none."""
        linear = self._described(values)
        E_L = _array(linear.membrane.E_L)
        return {"V_m": E_L, "V_th": E_L} | {part.name: _array(part.offset) for part in linear.thresholds}

    def initial_state(self, values: Values) -> Values:
        offsets = self.offsets(values)
        return {name: offsets.get(name, np.zeros(1)) for name in self.state_variables}

    def to_state(self, values: Values, state: Values) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        offsets = self.offsets(values)
        return state["V_m"] - offsets["V_m"], [state[name] - offsets.get(name, 0.0) for name in self.slots]

    def check(self, values: Values, where: str) -> None:
        units = {name: "ms" for name in values if name.startswith("tau_")} | {"C_m": "pF"} | self.positive
        for name, unit in units.items():
            if name in values:
                require(values[name] > 0, values[name], f"{where}: {name}", "must be positive", unit)
        if "t_ref" in values:
            require(values["t_ref"] >= 0, values["t_ref"], f"{where}: t_ref", "must not be negative", "ms")
        linear = self._described(values, where)
        if _layout(linear) != self.layout:
            raise InputError(
                f"{where}: equations returned other variables, ports or resets for these values than for the defaults; "
                "let only numbers depend on the parameters"
            )
        membrane = linear.membrane
        parts: list[Current | Threshold] = [*linear.currents, *linear.thresholds]
        taus = {part.name: _array(part.tau) for part in parts}
        if membrane.tau_m is not None:
            taus["V_m"] = _array(membrane.tau_m)
        for name, tau in taus.items():
            what = f"{where}: the time constant of {name}"
            require((tau > 0) & np.isfinite(tau), tau, what, "must be positive and finite, or it would grow", "ms")
        self._check_distance(taus, where)
        resets = {"V_m": membrane.reset} | {part.name: part.reset for part in parts if part.reset is not None}
        for name, rule in resets.items():
            scale = _array(rule.scale)
            require(np.abs(scale) <= 1, scale, f"{where}: scale of the reset of {name}",
                    "must lie between -1 and 1, or it would grow from spike to spike")  # fmt: skip
        fixed = _array(membrane.reset.scale) == 0.0
        reset, threshold, E_L, fixed = np.broadcast_arrays(
            _array(membrane.reset.jump), _array(membrane.V_th), _array(membrane.E_L), fixed
        )
        with np.errstate(over="ignore"):  # what is too large is named when the constants follow from it
            bad = fixed & ~(reset < threshold - E_L)
        if bad.any():
            i = int(np.argmax(bad))
            raise InputError(
                f"{where}: V_reset = {E_L[i] + reset[i]:g} mV must lie below V_th = {threshold[i]:g} mV"
                + (f" (neuron {i})" if reset.size > 1 else "")
            )

    def _check_distance(self, taus: dict[str, NDArray[np.float64]], where: str) -> None:
        names = list(taus)
        table = np.stack(np.broadcast_arrays(*taus.values())) if taus else np.ones((1, 1))
        ratio = table.max(axis=0) / table.min(axis=0)
        if (ratio > FARTHEST_APART).any():
            i = int(np.argmax(ratio > FARTHEST_APART))
            low, high = int(table[:, i].argmin()), int(table[:, i].argmax())
            raise InputError(
                f"{where}: the time constants of {names[low]}, {table[low, i]:g} ms, and {names[high]}, "
                f"{table[high, i]:g} ms, lie too far apart; a factor of {FARTHEST_APART:g} is allowed"
                + (f" (neuron {i})" if ratio.size > 1 else "")
            )

    def constants(self, values: Values) -> tuple[list[str], NDArray[np.float64]]:
        linear = self._described(values)
        m = linear.membrane
        C_m, tau_m = _array(m.C_m), _array(math.inf if m.tau_m is None else m.tau_m)
        gain = 1.0 / C_m if m.tau_m is None else tau_m / C_m
        rows: list[tuple[str, Any]] = [
            ("R", gain), ("t_ref", m.t_ref), ("V_th - E_L", _array(m.V_th) - _array(m.E_L)), ("tau_m", tau_m),
            ("1/C_m", 1.0 / C_m),
            *_reset_rows("V_m", m.reset),
        ]  # fmt: skip
        currents, thresholds = _in_order(linear)
        parts: list[Current | Threshold] = [*currents, *thresholds]
        taus = [_array(part.tau) for part in parts] + ([] if m.tau_m is None else [tau_m])
        rows += [("longest", np.maximum.reduce(np.broadcast_arrays(*taus)) if taus else 1.0)]
        framed = _can_be_framed(self.shape, tau_m, currents)
        frames = [_frame_rows(_array(current.tau), framed) for current in currents]
        of_v = _frame_rows(tau_m, framed)
        narrowest = np.minimum.reduce(np.broadcast_arrays(*[widths for (_, widths), *_ in [of_v, *frames]]))
        rows += [("1/unit", 1.0), ("narrowest frame", narrowest), *of_v]
        for current, of_current in zip(currents, frames, strict=True):
            tau = _array(current.tau)
            difference = 1.0 / tau if m.tau_m is None else np.abs(tau_m - tau) / (tau_m * tau)
            inverse = tau if m.tau_m is None else _inverse_difference(tau_m, tau)
            rows += [(f"tau of {current.name}", tau), ("difference", difference), ("inverse", inverse)]
            rows += [("faster", np.where(tau <= tau_m, 1.0, 0.0)), *_reset_rows(current.name, current.reset)]
            rows += [("coupling", np.where(tau <= tau_m, 1.0, -1.0) * inverse / C_m), *of_current]
        for part in thresholds:
            rows += [(f"tau of {part.name}", part.tau), ("gain", 0.0 if part.gain is None else part.gain)]
            rows += _reset_rows(part.name, part.reset)
        rows += [("slowest", place) for place in _slowest_first(currents)]
        for current in linear.currents:
            if current.port is not None:
                rows += [(f"weight to {current.name}", math.e / _array(current.tau) if current.alpha else 1.0)]
        rows += [("weight to V_m", 1.0)] if m.port is not None else []
        array = np.stack(np.broadcast_arrays(*[_array(row) for _, row in rows]))
        return [name for name, _ in rows], array

    # ---- equations, for the reference engine

    def flow(self, c: Sequence[float], s: State, h: float) -> None:
        closed_form.flow(self.shape, c, s, h)

    def hold(self, c: Sequence[float], s: State, h: float) -> None:
        closed_form.hold(self.shape, c, s, h)

    def enter(self, c: Sequence[float], s: State, release: float) -> None:
        frames.enter(self.shape, c, s, release)

    def leave(self, c: Sequence[float], s: State, release: float) -> None:
        frames.leave(self.shape, c, s, release)

    def is_lost(self, c: Sequence[float], s: State) -> bool:
        return s.frame is not None and frames.is_lost(s.frame)

    def threshold(self, c: Sequence[float], s: State) -> float:
        return closed_form.threshold(self.shape, c, s)

    def crossing(self, c: Sequence[float], s: State, start: float = 0.0) -> tuple[float, bool]:
        return crossing.crossing(self.shape, c, s, start)

    def receive(self, c: Sequence[float], s: State, weights: Sequence[float], refractory: bool) -> None:
        closed_form.receive(self.shape, c, s, weights, refractory)

    def reset(self, c: Sequence[float], s: State) -> None:
        closed_form.reset(self.shape, c, s)


def _in_order(linear: Linear) -> tuple[list[Current], list[Threshold]]:
    """As the state holds them: alpha currents come first among currents, and driven thresholds among thresholds, so
    that the kernels need no indices."""
    currents = sorted(linear.currents, key=lambda current: not current.alpha)
    return currents, sorted(linear.thresholds, key=lambda part: part.gain is None)


def _layout(linear: Linear) -> Layout:
    currents, thresholds = _in_order(linear)
    parts: list[Current | Threshold] = [*currents, *thresholds]
    n_alpha = sum(current.alpha for current in currents)
    slots = [current.name for current in currents]
    slots += [f"d{current.name}" for current in currents[:n_alpha]] + [part.name for part in thresholds]
    order = [name for c in linear.currents for name in ((c.name, f"d{c.name}") if c.alpha else (c.name,))]
    into = [
        (current.port, slots.index(f"d{current.name}" if current.alpha else current.name))
        for current in linear.currents
        if current.port is not None
    ]
    into += [(linear.membrane.port, -1)] if linear.membrane.port is not None else []
    shape = closed_form.Shape(
        n_currents=len(currents),
        n_alpha=n_alpha,
        n_thresholds=len(thresholds),
        n_driven=sum(part.gain is not None for part in thresholds),
        leaks=linear.membrane.tau_m is not None,
        clamped=linear.membrane.clamped,
        resets=any(part.reset is not None for part in parts),
        targets=tuple(slot for _, slot in into),
    )
    names = ("V_m", *order, *(part.name for part in linear.thresholds))
    return Layout(tuple(slots), names, tuple(port for port, _ in into), shape)


def _array(value: Any) -> NDArray[np.float64]:
    return np.atleast_1d(np.asarray(value, dtype=np.float64))


def _inverse_difference(tau_m: NDArray[np.float64], tau: NDArray[np.float64]) -> NDArray[np.float64]:
    gap = np.abs(tau_m - tau)
    return np.where(gap > 0.0, tau_m * tau / np.where(gap > 0.0, gap, 1.0), 0.0)


def _can_be_framed(shape: closed_form.Shape, tau_m: NDArray[np.float64], currents: Sequence[Current]) -> Any:
    """Whether a neuron is kept in exponential frames (frames.py)."""
    if not (shape.leaks and shape.clamped) or shape.n_alpha or shape.n_thresholds:
        return np.zeros(1, dtype=bool)
    taus = np.broadcast_arrays(tau_m, *[_array(current.tau) for current in currents])
    closest = np.minimum.reduce([taus[0], *[np.abs(taus[0] - tau) for tau in taus[1:]]])
    return closest * MOST_CANCELLED >= taus[0]


def _frame_rows(tau: NDArray[np.float64], framed: Any) -> list[tuple[str, Any]]:
    """The frames of a number: their width (ms), a power of two, 0 if there are none; 1/tau; what is left after one."""
    _, exponent = np.frexp(LONGEST_FRAME * tau)
    width, tau, framed = np.broadcast_arrays(np.ldexp(1.0, exponent - 1), tau, framed)
    unique, which = np.unique(np.where(framed, -width / tau, 0.0), return_inverse=True)
    kept = np.array([exp(value) for value in unique])[which.reshape(-1)]
    return [("width of a frame", np.where(framed, width, 0.0)), ("1/tau", 1.0 / tau), ("kept in a frame", kept)]


def _reset_rows(name: str, reset: Reset | None) -> list[tuple[str, Any]]:
    reset = reset or Reset()
    return [(f"scale of {name}", reset.scale), (f"jump of {name}", reset.jump), ("lowest", reset.lowest)]


def _slowest_first(currents: Sequence[Current]) -> list[NDArray[np.float64]]:
    """For each neuron the places of its currents in descending order of their time constants."""
    if not currents:
        return []
    taus = np.stack(np.broadcast_arrays(*[_array(current.tau) for current in currents]))
    return list(np.argsort(-taus, axis=0, kind="stable").astype(np.float64))
