"""Leaky integrate-and-fire neurons with conductance synapses.

conducting.pxd and conductance.h in ext/eventsnn/_core perform the same operations in the same order.

The membrane is linear: dV/dt = -a(t) (V - v) + r(t), where v is V at the beginning of a step, a = (g_L + g_ex + g_in) /
C_m and r what dV/dt is at v. With A the integral of a, which like the conductances has a closed form,

    V(h) = v + int_0^h r(s) exp(A(s) - A(h)) ds.

(a) A Gauss-Legendre rule gives the integral: with 6 nodes for a h <= 3/4 and h / tau <= 1/8, with 8 for 5/2 and 1/4,
    with 12 for 8 and 1/2, where a is as large as it can become and tau the shorter time constant of a conductance
    that is not 0. A step ends where 12 nodes no longer do. What the rule leaves out is below 2e-17 of what V moves.
    Where nothing pulls, r is 0 and V does not move.
(b) Nodes lie in pairs about the middle of the step, and so many exponentials of them follow from an even and an odd
    part; the conductances and A are found from what they are in the middle, A as a sum of what is not negative.
(c) Ramps and sines are part of r; 1 / (2 pi frequency) counts as a time constant.
(d) Conductances that are so small at the end of a step that they move nothing become 0. Without any, and under a
    constant current, V goes to where it settles exponentially, in one step that never ends.
(e) Crossings. With F = V - V_th, F exp(A) has the derivative phi exp(A), where phi is dV/dt at the threshold, which
    does not depend on V: F exp(A) falls where phi is negative, and grows where it is positive. From the beginning of a
    step, a piece that ends where a crossing is to be expected is halved until phi has one sign, or F surely stays
    negative; where phi is positive, F at its end tells; and so on to the end of the step. Inside a piece Halley's
    method finds the crossing, within a bracket.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.base.mathfunc import exp, expm1, log1p, sin_turns
from eventsnn._core.models import conductance as kernels
from eventsnn._core.models.conducting import E_EX, E_IN, E_L, RATE_EX, RATE_IN, RATE_L, SCALES, TAU_EX, TAU_IN, V_RESET
from eventsnn._core.solve.neuron import THRESHOLD, R
from eventsnn.base.checks import require
from eventsnn.draw.values import Values
from eventsnn.models.stepped import SteppedModel, until
from eventsnn.solve.state import State

# Half of the nodes of each rule, from the middle, in lengths of the step, with their weights.
RULES = (
    (
        (0.11930959304159845, 0.23395696728634552), (0.33060469323313224, 0.1803807865240693),
        (0.466234757101576, 0.08566224618958518),
    ),
    (
        (0.0917173212478249, 0.181341891689181), (0.2627662049581645, 0.15685332293894363),
        (0.39833323870681336, 0.11119051722668724), (0.48014492824876814, 0.05061426814518813),
    ),
    (
        (0.06261670425573446, 0.12457352290670139), (0.1839157494990901, 0.1167462682691774),
        (0.29365897714330874, 0.10158371336153296), (0.38495133709715235, 0.08003916427167311),
        (0.45205862818523745, 0.05346966299765921), (0.4907803171233596, 0.023587668193255914),
    ),
)  # fmt: skip
MOST = ((0.75, 0.125), (2.5, 0.25))  # a h and h / tau of the first two
SHORTEST = (0.125, 2.0)  # 1 / (8 / a) and 1 / (tau / 2), the parts of one step of the last
NOTHING = 2.0**-64  # what a conductance may still come to, g tau / C_m, and count as 0
LARGEST_RATE = 2.0**15  # 1/ms: with larger ones a neuron has run away
SHORTEST_TAU = 2.0**-12  # ms: a shorter one makes steps too short to come to an end
NARROWEST = 2.0**-40  # of a step: where phi touches zero within it
BEYOND = 1.0625  # how far beyond a crossing that is expected it is looked for
SHORTEST_LOOK = 0.0625  # of a step: how far at least
ENOUGH = 2.0**-54  # of a step: the error of a crossing
TWO_PI = 6.283185307179586


class LIFCondExp(SteppedModel):
    """Leaky integrate-and-fire neuron with exponential conductances (NEST: iaf_cond_exp).

    Equations: C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I,  dg/dt = -g / tau_syn.  An input of
    weight w (nS) adds |w| to g_ex, or to g_in if w < 0 or it is sent to port "in". At V >= V_th the neuron spikes; V is
    then V_reset for t_ref, while the conductances go on decaying and receiving.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        C_m     250.0  pF   capacitance
        g_L     16.6667 nS  leak conductance
        E_L     -70.0  mV   resting potential
        V_th    -55.0  mV   threshold
        V_reset -60.0  mV   potential after a spike, below V_th
        t_ref     2.0  ms   refractory period
        I_e       0.0  pA   constant current
        E_ex      0.0  mV   reversal potential of g_ex
        E_in    -85.0  mV   reversal potential of g_in
        tau_syn_ex 0.2 ms   time constant of g_ex
        tau_syn_in 2.0 ms   time constant of g_in
    State: V_m (mV), E_L unless given; g_ex, g_in (nS), 0 unless given. All are recordable. Ports: "ex", "in".

    Source: Meffin, Burkitt & Grayden 2004, J Comput Neurosci 16:159.
    """

    kernel = kernels.kernel
    parameters = {
        "C_m": 250.0, "g_L": 16.6667, "E_L": -70.0, "V_th": -55.0, "V_reset": -60.0, "t_ref": 2.0, "I_e": 0.0,
        "E_ex": 0.0, "E_in": -85.0, "tau_syn_ex": 0.2, "tau_syn_in": 2.0,
    }  # fmt: skip
    ports = ("ex", "in")
    slots: tuple[str, ...] = ("g_ex", "g_in")
    targets: tuple[int, ...] = (0, 1)
    magnitudes = True
    positive = {"C_m": "pF", "g_L": "nS"}

    @property
    def alpha(self) -> bool:
        return len(self.slots) == 4

    def constants(self, values: Values) -> tuple[list[str], NDArray[np.float64]]:
        rows = [
            ("1 / C_m", self.gain(values)), ("t_ref", values["t_ref"]), ("V_th", values["V_th"]),
            ("g_L / C_m", values["g_L"] / values["C_m"]), ("E_L", values["E_L"]), ("V_reset", 0.0),
            ("V_reset", values["V_reset"]), ("E_ex", values["E_ex"]), ("E_in", values["E_in"]),
            ("1 / tau_syn_ex", 1.0 / values["tau_syn_ex"]), ("1 / tau_syn_in", 1.0 / values["tau_syn_in"]),
            ("tau_syn_ex", values["tau_syn_ex"]), ("tau_syn_in", values["tau_syn_in"]),
        ]  # fmt: skip
        rows += [(f"weight to {port}", scale) for port, scale in zip(self.ports, self.scales(values), strict=True)]
        columns = [np.atleast_1d(np.asarray(row, dtype=np.float64)) for _, row in rows]
        return [name for name, _ in rows], np.stack(np.broadcast_arrays(*columns))

    # ---- equations, for the reference engine

    def check(self, values: Values, where: str) -> None:
        super().check(values, where)
        for name in ("tau_syn_ex", "tau_syn_in"):
            rule = f"must be at least {SHORTEST_TAU:g} ms, as a shorter one needs too many steps"
            require(values[name] >= SHORTEST_TAU, values[name], f"{where}: {name}", rule, "ms")

    def is_lost(self, c: Sequence[float], s: State) -> bool:
        return not self._speed(c, s)[0] <= LARGEST_RATE

    def _speed(self, c: Sequence[float], s: State) -> tuple[float, float]:
        """The largest a can be from now on, and 1 / the shortest time constant, 0 without any (1/ms)."""
        ex, inh = s.x[0], s.x[1]
        if self.alpha:
            ex, inh = ex + c[TAU_EX] * s.x[2], inh + c[TAU_IN] * s.x[3]
        decay = c[RATE_EX] if ex > 0.0 else 0.0
        if inh > 0.0 and c[RATE_IN] > decay:
            decay = c[RATE_IN]
        for frequency, _, _ in s.sines:
            if TWO_PI * frequency > decay:
                decay = TWO_PI * frequency
        return c[RATE_L] + c[R] * (ex + inh), decay

    def _decayed(self, c: Sequence[float], x: Sequence[float], h: float) -> list[float]:
        """The conductances h later, at most half of a time constant."""
        half = 0.5 * h
        left_ex, left_in = 1.0 - _parts(half * c[RATE_EX])[0], 1.0 - _parts(half * c[RATE_IN])[0]
        if not self.alpha:
            return [(x[0] * left_ex) * left_ex, (x[1] * left_in) * left_in]
        change_ex, change_in = x[2] * left_ex, x[3] * left_in
        return [
            ((x[0] + x[2] * half) * left_ex + change_ex * half) * left_ex,
            ((x[1] + x[3] * half) * left_in + change_in * half) * left_in,
            change_ex * left_ex,
            change_in * left_in,
        ]

    def _later(self, c: Sequence[float], s: State, h: float, speed: tuple[float, float]) -> float:
        """V after h, within a step."""
        a, y = speed[0] * h, speed[1] * h
        rule: Sequence[tuple[float, float]] = RULES[2]
        for (most_a, most_y), nodes in zip(MOST, RULES, strict=False):
            if a <= most_a and y <= most_y:
                rule = nodes
                break
        v, half = s.v, 0.5 * h
        forced = s.slope != 0.0 or bool(s.sines)
        area_ex, area_in = c[R] * c[TAU_EX], c[R] * c[TAU_IN]
        pull_ex, pull_in = c[R] * (c[E_EX] - v), c[R] * (c[E_IN] - v)
        lost_ex, lost_in = _parts(half * c[RATE_EX])[0], _parts(half * c[RATE_IN])[0]
        left_ex, left_in = 1.0 - lost_ex, 1.0 - lost_in
        change_ex = change_in = 0.0
        if self.alpha:
            g_ex, g_in = (s.x[0] + s.x[2] * half) * left_ex, (s.x[1] + s.x[3] * half) * left_in
            change_ex, change_in = s.x[2] * left_ex, s.x[3] * left_in
        else:
            g_ex, g_in = s.x[0] * left_ex, s.x[1] * left_in
        middle = (c[RATE_L] * (c[E_L] - v) + s.drive) + (pull_ex * g_ex + pull_in * g_in)

        def away(z: float, part_ex: float, part_in: float, step: float) -> tuple[float, float]:
            """A between the middle and a point z away, later or earlier by `step`; and how much r differs there."""
            ex, inh = g_ex * part_ex, g_in * part_in
            if not self.alpha:
                area = area_ex * ex + area_in * inh
            else:
                ex, inh = ex - (change_ex * z) * (1.0 - step * part_ex), inh - (change_in * z) * (1.0 - step * part_in)
                area = area_ex * (ex + (change_ex * c[TAU_EX]) * part_ex) + area_in * (
                    inh + (change_in * c[TAU_IN]) * part_in
                )
            return c[RATE_L] * z + area, pull_ex * ex + pull_in * inh

        to_end, total = away(half, lost_ex, lost_in, 1.0)[0], 0.0
        for node, weight in rule:
            z = h * node
            (later_ex, earlier_ex), (later_in, earlier_in) = _parts(z * c[RATE_EX]), _parts(z * c[RATE_IN])
            area, less = away(z, later_ex, later_in, 1.0)
            behind, more = away(z, earlier_ex, earlier_in, -1.0)
            late, early = middle - less, middle + more
            if forced:
                late, early = late + self._force(c, s, half + z), early + self._force(c, s, half - z)
            total = total + weight * (late * exp(area - to_end) + early * exp(-(behind + to_end)))
        return v + h * total

    def _force(self, c: Sequence[float], s: State, h: float) -> float:
        """What ramps and sines add to the drive h later."""
        total = s.slope * h
        for frequency, phase, amplitude in s.sines:
            turns = frequency * s.t + phase
            total = total + c[R] * amplitude * sin_turns((turns - math.floor(turns)) + frequency * h)
        return total

    def _go(self, c: Sequence[float], s: State, t: float, held: bool) -> None:
        while s.t < t:
            speed = self._speed(c, s)
            if _is_silent(speed, s):
                if not held:
                    s.v = s.v - (_rise(c, s) / c[RATE_L]) * expm1(-(c[RATE_L] * (t - s.t)))
                break
            end, h = until(s.t, _span(speed))
            if not (t < end or end > s.t):
                break
            whole = not t < end
            h = h if whole else t - s.t
            if not held:
                s.v = self._later(c, s, h, speed)
            s.x = self._decayed(c, s.x, h)
            if s.slope != 0.0:
                s.drive = s.drive + s.slope * h
            if whole:
                self._drop(c, s)
            s.t = end if whole else t
        s.t = t

    def _drop(self, c: Sequence[float], s: State) -> None:
        """Let conductances be 0 that no longer matter."""
        for i, tau in enumerate((c[TAU_EX], c[TAU_IN])):
            most = s.x[i] + tau * s.x[2 + i] if self.alpha else s.x[i]
            if (c[R] * tau) * most < NOTHING:
                s.x[i] = 0.0
                if self.alpha:
                    s.x[2 + i] = 0.0

    def crossing(self, c: Sequence[float], s: State, start: float = 0.0) -> tuple[float, bool]:
        """From the state on, to the end of its step; nan for a state that is out of range."""
        if s.v >= c[THRESHOLD]:
            return 0.0, True
        speed = self._speed(c, s)
        if self.is_lost(c, s):
            return math.nan, True
        if _is_silent(speed, s):
            rise = _rise(c, s)
            share = (c[RATE_L] * (c[THRESHOLD] - s.v)) / rise if rise > 0.0 else 1.0
            return (-log1p(-share) / c[RATE_L] if share < 1.0 else math.inf), True
        end, span = until(s.t, _span(speed))
        if not end > s.t:
            return math.nan, True
        low = Point(self, c, s, speed, 0.0, s.v)
        high = low.ahead(span)
        while True:
            above = Point(self, c, s, speed, high)
            width = high - low.h
            least, most = low.range_until(above)
            left = 1.0 - speed[0] * width
            if most <= 0.0 or low.f * (left if left > 0.0 else 0.0) + most * width < 0.0:
                pass
            elif least >= 0.0 or width <= NARROWEST * span:
                if above.f >= 0.0:
                    h = _root(low, above, span)
                    return (h if s.t + h < end else end - s.t), True
            else:
                high = low.h + 0.5 * width
                continue
            if high == span:
                return end - s.t, False
            low, high = above, above.ahead(span)

    def receive(self, c: Sequence[float], s: State, weights: Sequence[float], refractory: bool) -> None:
        for port, weight in enumerate(weights):
            slot = self.targets[port]
            s.x[slot] = s.x[slot] + weight * c[SCALES + port]

    def reset(self, c: Sequence[float], s: State) -> None:
        s.v = c[V_RESET]


class LIFCondAlpha(LIFCondExp):
    """Leaky integrate-and-fire neuron with alpha-shaped conductances (NEST: iaf_cond_alpha).

    Equations: C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I,  dg/dt = -g / tau_syn + dg,
    d(dg)/dt = -dg / tau_syn.  An input of weight w (nS) adds |w| e / tau_syn to dg_ex (nS/ms), or to dg_in if w < 0
    or it is sent to port "in", so that one input gives g(t) = |w| e (t / tau) exp(-t / tau), with its peak w at tau.
    At V >= V_th the neuron spikes; V is then V_reset for t_ref, while the conductances go on.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        C_m     250.0  pF   capacitance
        g_L     16.6667 nS  leak conductance
        E_L     -70.0  mV   resting potential
        V_th    -55.0  mV   threshold
        V_reset -60.0  mV   potential after a spike, below V_th
        t_ref     2.0  ms   refractory period
        I_e       0.0  pA   constant current
        E_ex      0.0  mV   reversal potential of g_ex
        E_in    -85.0  mV   reversal potential of g_in
        tau_syn_ex 0.2 ms   rise time of g_ex
        tau_syn_in 2.0 ms   rise time of g_in
    State: V_m (mV), E_L unless given; g_ex, g_in (nS) and dg_ex, dg_in (nS/ms), 0 unless given. All are recordable.
    Ports: "ex", "in".

    Source: Meffin, Burkitt & Grayden 2004, J Comput Neurosci 16:159; Kuhn, Aertsen & Rotter 2004, J Neurosci 24:2345.
    """

    slots = ("g_ex", "g_in", "dg_ex", "dg_in")
    targets = (2, 3)

    def scales(self, values: Values) -> list[Any]:
        return [math.e / values["tau_syn_ex"], math.e / values["tau_syn_in"]]


class Point:
    """The state h after that at the beginning of a step, as far as it is asked for."""

    def __init__(
        self,
        model: LIFCondExp,
        c: Sequence[float],
        s: State,
        speed: tuple[float, float],
        h: float,
        v: float | None = None,
    ):
        self.model, self.c, self.s, self.speed, self.h = model, c, s, speed, h
        self.x = model._decayed(c, s.x, h) if h > 0.0 else list(s.x)
        self._f = None if v is None else v - c[THRESHOLD]

    @property
    def f(self) -> float:
        """V - V_th."""
        if self._f is None:
            self._f = self.model._later(self.c, self.s, self.h, self.speed) - self.c[THRESHOLD]
        return self._f

    def range_until(self, later: Point) -> tuple[float, float]:
        """The least and the most that phi can be up to a later point."""
        c, s, width = self.c, self.s, later.h - self.h
        least = most = (c[RATE_L] * (c[E_L] - c[THRESHOLD]) + s.drive) + s.slope * self.h
        swing = s.slope * width
        least, most = (least, most + swing) if swing > 0.0 else (least + swing, most)
        for frequency, phase, amplitude in s.sines:
            now = c[R] * amplitude * _sine(s, frequency, phase, self.h)
            reach = TWO_PI * frequency * width
            swing = abs(c[R] * amplitude) * (reach if reach < 2.0 else 2.0)
            least, most = least + (now - swing), most + (now + swing)
        for i, reversal in enumerate((c[E_EX], c[E_IN])):
            pull = c[R] * (reversal - c[THRESHOLD])
            small, large = later.x[i], self.x[i]
            if self.model.alpha:
                small = small if small < self.x[i] else self.x[i]
                large = large + self.x[2 + i] * width
            least, most = (
                least + pull * (small if pull > 0.0 else large),
                most + pull * (large if pull > 0.0 else small),
            )
        return least, most

    def derivatives(self) -> tuple[float, float]:
        """The first and the second of F."""
        c, s, f = self.c, self.s, self.f
        pull_ex, pull_in = c[R] * (c[E_EX] - c[THRESHOLD]), c[R] * (c[E_IN] - c[THRESHOLD])
        phi = (c[RATE_L] * (c[E_L] - c[THRESHOLD]) + s.drive) + (pull_ex * self.x[0] + pull_in * self.x[1])
        ex, inh = -c[RATE_EX] * self.x[0], -c[RATE_IN] * self.x[1]
        if self.model.alpha:
            ex, inh = ex + self.x[2], inh + self.x[3]
        bend = pull_ex * ex + pull_in * inh
        if s.slope != 0.0 or s.sines:
            phi, bend = phi + self.model._force(c, s, self.h), bend + s.slope
            for frequency, phase, amplitude in s.sines:
                cosine = _sine(s, frequency, phase + 0.25, self.h)
                bend = bend + (TWO_PI * frequency) * (c[R] * amplitude) * cosine
        a = c[RATE_L] + c[R] * (self.x[0] + self.x[1])
        first = phi - a * f
        return first, bend - c[R] * (ex + inh) * f - a * first

    def ahead(self, span: float) -> float:
        """How far to look for a crossing next: a little beyond where it seems to be."""
        first, second = self.derivatives()
        if not first > 0.0:
            return span
        step = -self.f / first
        turn = 0.5 * step * second / first
        if not turn > -0.5:
            return span
        step = BEYOND * (step / (1.0 + turn))
        h = self.h + (step if step > SHORTEST_LOOK * span else SHORTEST_LOOK * span)
        return h if h < span else span

    def at(self, h: float) -> Point:
        return Point(self.model, self.c, self.s, self.speed, h)


def _sine(s: State, frequency: float, phase: float, h: float) -> float:
    turns = frequency * s.t + phase
    return sin_turns((turns - math.floor(turns)) + frequency * h)


def _root(low: Point, high: Point, span: float) -> float:
    """Where F, negative at one point and not at the other, is zero."""
    here = low if -low.f < high.f else high
    below, above = low.h, high.h
    for _ in range(100):
        if here.f < 0.0:
            below = here.h
        else:
            above = here.h
        first, second = here.derivatives()
        h = below
        step = turn = math.inf
        if first > 0.0:
            step = here.f / first
            turn = 0.5 * step * second / first
            if turn < 0.5:
                h = here.h - step / (1.0 - turn)
        part = 8.0 * step / span
        if abs(step) * (turn * turn + part * part) <= ENOUGH * span:
            return h if below <= h <= above else here.h
        if not below < h < above:
            h = below + 0.5 * (above - below)
            if not below < h < above:
                return above
        here = here.at(h)
    return above


def _parts(y: float) -> tuple[float, float]:
    """1 - exp(-y) and exp(y) - 1 for 0 <= y <= 1/4."""
    y2 = y * y
    even = y2 * (
        0.5
        + y2
        * (1.0 / 24.0 + y2 * (1.0 / 720.0 + y2 * (1.0 / 40320.0 + y2 * (1.0 / 3628800.0 + y2 * (1.0 / 479001600.0)))))
    )
    odd = y * (
        1.0
        + y2 * (1.0 / 6.0 + y2 * (1.0 / 120.0 + y2 * (1.0 / 5040.0 + y2 * (1.0 / 362880.0 + y2 * (1.0 / 39916800.0)))))
    )
    return odd - even, odd + even


def _span(speed: tuple[float, float]) -> float:
    """How long a step is good for (ms)."""
    by_a, by_decay = SHORTEST[0] * speed[0], SHORTEST[1] * speed[1]
    return 1.0 / (by_a if by_a > by_decay else by_decay)


def _is_silent(speed: tuple[float, float], s: State) -> bool:
    """Nothing but the leak and a constant drive."""
    return speed[1] == 0.0 and s.slope == 0.0 and not s.sines


def _rise(c: Sequence[float], s: State) -> float:
    """dV/dt without conductances."""
    return c[RATE_L] * (c[E_L] - s.v) + s.drive
