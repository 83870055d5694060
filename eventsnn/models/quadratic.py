"""The quadratic integrate-and-fire neuron.

With y = V - (E_L + V_th) / 2, k = g_L / (C_m (V_th - E_L)) and a constant drive, dy/dt = k y^2 + excess, where excess
is the drive less that at the rheobase. From a state with F = dV/dt and a = k y,

    V(h) = V + F S / (C - a S),    S, C = sinh(r h), r cosh(r h),  r^2 = -k excess below the rheobase,
                                          sin(w h),  w cos(w h),   w^2 = k excess above it, and h, 1 on it.

(a) What is added to V vanishes with F. F is computed so that it keeps its digits near its zeros: a state in which
    nothing moves stays, and a bottleneck is passed as slowly as it should be.
(b) Below the rheobase S and C come from one exponential. r - a is small where V is near the upper equilibrium, and is
    then computed from F, as r^2 - a^2 = -k F.
(c) V(h) = V_peak gives the crossing: an angle above the rheobase, a logarithm below it. There it exists if V lies
    beyond the upper equilibrium, or before the lower one and V_peak too; either formula is free of differences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from eventsnn._core.base.mathfunc import atan2, expm1, log1p, sin_turns
from eventsnn._core.models import quadratic as kernels
from eventsnn._core.models.quadratic import CURVATURE, E_L, RHEOBASE, SPAN
from eventsnn._core.solve.neuron import THRESHOLD
from eventsnn._core.solve.steps import FARTHEST
from eventsnn.base.checks import require
from eventsnn.draw.values import Values
from eventsnn.models.taylor import TaylorModel
from eventsnn.solve.series import Series, square
from eventsnn.solve.state import State

INVERSE_TURN = 0.15915494309189535  # 1 / (2 pi)
AT_REST = 100.0  # e^-100 of the way is out of sight


class QIF(TaylorModel):
    """Quadratic integrate-and-fire neuron with delta synapses: V itself begins a spike, and V_peak only ends it.

    Equation: C_m dV/dt = g_L (V - E_L) (V - V_th) / (V_th - E_L) + I, with I for I_e and all injected currents. Near
    E_L that is a leak of g_L; beyond V_th V rises by itself. From I = g_L (V_th - E_L) / 4 on nothing is stable and
    the neuron fires periodically, as slowly as one likes. An input of weight w (mV) adds w to V at once, or is lost if
    the neuron is refractory. At V >= V_peak the neuron spikes; V is then V_reset for t_ref.

    Under a constant current V is known in closed form, and so is the time of the spike. With y = V - (E_L + V_th) / 2,
    k = g_L / (C_m (V_th - E_L)) and D = ((V_th - E_L) / 2)^2 - I (V_th - E_L) / g_L,
        y(t) = (y_0 - D S) / (1 - y_0 S),    S = tanh(k sqrt(D) t) / sqrt(D), or tan(k sqrt(-D) t) / sqrt(-D) if D < 0.
    Under ramps and sines, which leave no such form, V is a Taylor series.

    Parameters (defaults are those of iaf_psc_delta in NEST where it has them), each a number, an array with one value a
    neuron, or a distribution:
        C_m    250.0  pF   capacitance
        g_L     25.0  nS   leak conductance near E_L
        E_L    -70.0  mV   resting potential
        V_th   -55.0  mV   where V goes neither up nor down without input, above E_L
        V_peak   0.0  mV   threshold, the peak of a spike
        V_reset -70.0 mV   potential after a spike, below V_peak
        t_ref    2.0  ms   refractory period
        I_e      0.0  pA   constant current
        tolerance 1e-12 mV largest error of V in a step of the series
    State: V_m (mV), E_L unless given. Recordable: V_m. Port: "delta".

    Raises InputError, when the network is compiled, for C_m, g_L or tolerance out of range, V_th not above E_L, V_reset
    not below V_peak, t_ref below 0. A run ends with RunawayError where |V| exceeds 1e6 mV after an event or a step.

    Source: Ermentrout & Kopell 1986, SIAM J Appl Math 46:233; Latham et al. 2000, J Neurophysiol 83:808.
    """

    kernel = kernels.kernel
    parameters = {
        "C_m": 250.0, "g_L": 25.0, "E_L": -70.0, "V_th": -55.0, "V_peak": 0.0, "V_reset": -70.0, "t_ref": 2.0,
        "I_e": 0.0, "tolerance": 1e-12,
    }  # fmt: skip
    units = {"tolerance": "mV"}
    ports = ("delta",)
    slots = ()
    targets = (-1,)
    tolerances = ()
    threshold_name = "V_peak"
    positive = {"C_m": "pF", "g_L": "nS"}

    def check(self, values: Values, where: str) -> None:
        super().check(values, where)
        require(values["V_th"] > values["E_L"], values["V_th"], f"{where}: V_th", "must lie above E_L", "mV")

    def own(self, values: Values) -> dict[int, tuple[str, Any]]:
        span = values["V_th"] - values["E_L"]
        return {
            CURVATURE: ("g_L / (C_m (V_th - E_L))", values["g_L"] / (values["C_m"] * span)),
            E_L: ("E_L", values["E_L"]),
            SPAN: ("V_th - E_L", span),
            RHEOBASE: ("g_L (V_th - E_L) / (4 C_m)", values["g_L"] * span / (4.0 * values["C_m"])),
        }

    # ---- equations, for the reference engine

    def extend(self, p: Sequence[float], z: Series, n: int) -> None:
        v, x = z.y[0], z.row("x")
        x.append(v[n] - p[E_L] if n == 0 else v[n])
        # At order 0 as a product, which keeps its digits near both of its zeros.
        curve = x[0] * (x[0] - p[SPAN]) if n == 0 else square(x, n) - p[SPAN] * x[n]
        v.append(0.0 if z.held else (p[CURVATURE] * curve + z.force[n]) / (n + 1))

    def _go(self, c: Sequence[float], s: State, t: float, held: bool) -> None:
        if not _constant(s):
            super()._go(c, s, t, held)
        elif s.t < t:
            if not held:
                s.v = _later(self._own(c), c[THRESHOLD], s.drive, s.v, t - s.t)
            s.t = t

    def crossing(self, c: Sequence[float], s: State, start: float = 0.0) -> tuple[float, bool]:
        if not _constant(s):
            return super().crossing(c, s, start)
        if s.v >= c[THRESHOLD]:
            return 0.0, True
        if not abs(s.v) <= c[FARTHEST]:
            return math.nan, True
        return _rise(self._own(c), c[THRESHOLD], s.drive, s.v), True


def _constant(s: State) -> bool:
    return s.slope == 0.0 and not s.sines


def _velocity(p: Sequence[float], drive: float, v: float) -> float:
    """dV/dt."""
    x = v - p[E_L]
    # Two formulas, each of which keeps its digits near its zeros: this one near those of a neuron without input,
    if 2.0 * drive < p[RHEOBASE]:
        return p[CURVATURE] * (x * (x - p[SPAN])) + drive
    # this one near the rheobase. Beyond it neither term is negative. The difference is exact.
    y = x - 0.5 * p[SPAN]
    return p[CURVATURE] * (y * y) + (drive - p[RHEOBASE])


def _incline(p: Sequence[float], v: float) -> float:
    """k y, half the derivative of dV/dt by V, in 1/ms."""
    return p[CURVATURE] * ((v - p[E_L]) - 0.5 * p[SPAN])


def _later(p: Sequence[float], peak: float, drive: float, v: float, h: float) -> float:
    """V after h ms without a spike."""
    curvature, rheobase = p[CURVATURE], p[RHEOBASE]
    now, a = _velocity(p, drive, v), _incline(p, v)
    squared = curvature * (drive - rheobase)
    if squared < 0.0:
        rate = math.sqrt(-squared)
        twice = 2.0 * rate * h
        part = expm1(twice if twice < AT_REST else AT_REST)
        rest = rate - a if a <= 0.0 else -curvature * now / (rate + a)
        below = 2.0 * rate + rest * part
    elif squared > 0.0:
        rate = math.sqrt(squared)
        turns = rate * h * INVERSE_TURN
        if turns >= 0.5:
            return peak
        part = sin_turns(turns)
        below = rate * sin_turns(turns + 0.25) - a * part
    else:
        part, below = h, 1.0 - a * h
    if below <= 0.0:
        return peak
    v = v + now * part / below
    # A rounding error of time may be much of V at the end of a spike.
    return peak if v > peak else v


def _rise(p: Sequence[float], peak: float, drive: float, v: float) -> float:
    """How long (ms) V takes to the peak, from below it; inf if it does not come there."""
    curvature, rheobase = p[CURVATURE], p[RHEOBASE]
    now, a, a_peak = _velocity(p, drive, v), _incline(p, v), _incline(p, peak)
    gap = peak - v
    squared = curvature * (drive - rheobase)
    if not now > 0.0:
        return math.inf
    if squared > 0.0:
        rate = math.sqrt(squared)
        return atan2(rate * (curvature * gap), a * a_peak + squared) / rate
    if squared == 0.0:
        return curvature * gap / (a * a_peak) if a * a_peak > 0.0 else math.inf
    rate = math.sqrt(-squared)
    if a > 0.0:
        ratio = (rate + a) / (now * (rate + a_peak))
    elif a_peak < 0.0:
        then = _velocity(p, drive, peak)
        if not then > 0.0:
            return math.inf
        ratio = (rate - a_peak) / (then * (rate - a))
    else:
        return math.inf
    return log1p(2.0 * rate * gap * ratio) / (2.0 * rate)
