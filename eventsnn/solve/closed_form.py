"""The equations of every linear model, as the reference engine runs them.

closed_form.pxd in ext/eventsnn/_core/solve and linear.pyx in models/ perform the same operations in the same order.
What the equations are stands in eventsnn/models/linear.py; here they are solved, from the values at the last event and
never from the coefficients of a sum of exponentials, which cancel where time constants nearly agree.

(a) What a current of 1 adds to v after h is the divided difference of exp(-r h) over the rates 1/tau_m and 1/tau, what
    an alpha current adds, one over 1/tau_m, 1/tau, 1/tau; a ramp has the rates 0, 0, 1/tau_m, and a threshold that v
    drives one rate more. A divided difference over two rates is an expm1, over more `divided`, without cancellation.
(b) An input is added to a current together with what earlier additions lost (`low`): a constant weight would else be
    rounded in the same direction every time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from eventsnn._core.base.mathfunc import exp, expm1, sin_turns
from eventsnn._core.solve.closed_form import (
    CURRENT_RESET,
    CURRENT_WIDTH,
    DIFFERENCE,
    FASTER,
    GAIN,
    HEAD,
    INVERSE,
    PER_C,
    TAU,
    TAU_M,
    THRESHOLD_RESET,
    THRESHOLD_WIDTH,
    V_RESET,
)
from eventsnn._core.solve.neuron import THRESHOLD
from eventsnn.solve.state import State

# Where `divided` changes from a series of positive terms to a difference of which little cancels.
SERIES_BELOW = 2.0
TWO_PI = 6.283185307179586


class Shape(NamedTuple):
    """How many variables of each kind a model has; alpha currents and driven thresholds come first among theirs."""

    n_currents: int
    n_alpha: int
    n_thresholds: int
    n_driven: int
    leaks: bool
    clamped: bool
    resets: bool  # a spike changes a current or a threshold
    targets: tuple[int, ...]  # for each port the variable that takes its input; -1 is v
    ahead: int = 0  # numbers that the kernel keeps beside the state

    @property
    def n_slots(self) -> int:
        return self.n_currents + self.n_alpha + self.n_thresholds


def current_at(k: Shape, i: int) -> int:
    return HEAD + CURRENT_WIDTH * i


def threshold_at(k: Shape, i: int) -> int:
    return HEAD + CURRENT_WIDTH * k.n_currents + THRESHOLD_WIDTH * i


def decay(z: float) -> tuple[float, float]:
    """exp(-z) and exp(-z) - 1, both accurate, with one of them computed."""
    if z < 0.5:
        lost = expm1(-z)
        return 1.0 + lost, lost
    kept = exp(-z)
    return kept, kept - 1.0


def divided(rates: Sequence[float], h: float) -> float:
    """Divided difference of exp(-r h) over ascending rates, without its sign (-1)^(n-1); all terms are positive.

    Where the rates are close it is h^(n-1) exp(-r_n h) times the sum over k of the complete homogeneous symmetric
    polynomials of degree k in (r_n - r_i) h, divided by (k + n - 1)!.
    """
    n = len(rates)
    if n == 1:
        return exp(-rates[0] * h)
    spread = rates[-1] - rates[0]
    if spread * h >= SERIES_BELOW:
        return (divided(rates[:-1], h) - divided(rates[1:], h)) / spread
    scale, first = exp(-rates[-1] * h), 1.0
    for i in range(1, n):
        scale = scale * h
        first = first / i
    p = [(rates[-1] - rate) * h for rate in rates[:-1]]
    terms = [first] * (n - 1)
    total, order = first, n - 1
    while terms[-1] > 2.0**-56 * total:
        order += 1
        degree = 0.0
        for i in range(n - 1):
            degree = degree + p[i] * terms[i] / order
            terms[i] = degree
        total = total + degree
    return scale * total


def forced(k: Shape, c: Sequence[float], s: State, h: float) -> tuple[float, list[float], float, float]:
    """The oscillation of v and of the driven thresholds that sinusoidal currents keep up, h after s.t; the sum of the
    currents, and its derivative."""
    v, current, derivative = 0.0, 0.0, 0.0
    driven = [0.0] * k.n_driven
    rate = 1.0 / c[TAU_M]
    for frequency, phase, amplitude in s.sines:
        turns = frequency * s.t + phase
        turns = turns - math.floor(turns) + frequency * h
        sine, cosine = sin_turns(turns), sin_turns(turns + 0.25)
        omega = TWO_PI * frequency
        size = amplitude * c[PER_C] / (rate * rate + omega * omega)
        in_phase, behind = rate * size, -omega * size
        v = v + (in_phase * sine + behind * cosine)
        current = current + amplitude * sine
        derivative = derivative + amplitude * omega * cosine
        for i in range(k.n_driven):
            at = threshold_at(k, i)
            b = 1.0 / c[at + TAU]
            size = c[at + GAIN] / (b * b + omega * omega)
            alpha, beta = size * (b * in_phase + omega * behind), size * (b * behind - omega * in_phase)
            driven[i] = driven[i] + (alpha * sine + beta * cosine)
    return v, driven, current, derivative


def solve(k: Shape, c: Sequence[float], s: State, h: float) -> tuple[State, float]:
    """The state after h, and u = v - threshold there. u is found from where v would settle if that is not above the
    threshold: then rounding cannot lift a v that only approaches it."""
    new = s.copy()
    tau_m, drive, slope = c[TAU_M], s.drive, s.slope
    rate = 1.0 / tau_m
    kept, lost = decay(h / tau_m)
    before, after, v = 0.0, 0.0, s.v
    swing_before, swing_after = [0.0] * k.n_driven, [0.0] * k.n_driven
    if s.sines:
        before, swing_before, _, _ = forced(k, c, s, 0.0)
        after, swing_after, _, _ = forced(k, c, s, h)
        v = v - before
    added = 0.0
    for i in range(k.n_currents):
        at = current_at(k, i)
        x = s.x[i]
        y = s.x[k.n_currents + i] if i < k.n_alpha else 0.0
        if x == 0.0 and y == 0.0:
            continue
        relative, gone = decay(h * c[at + DIFFERENCE])
        if c[at + FASTER] != 0.0:
            slower, own = kept, kept * relative
        else:
            slower = own = exp(-h / c[at + TAU])
        response = slower * h if c[at + DIFFERENCE] == 0.0 else slower * (-gone * c[at + INVERSE])
        added = added + x * response
        if y != 0.0:
            r = 1.0 / c[at + TAU]
            added = added + y * divided(sorted([rate, r, r]), h)
            x = x + y * h
            new.x[k.n_currents + i] = y * own
            new.low[k.n_currents + i] = s.low[k.n_currents + i] * own
        new.x[i] = x * own
        new.low[i] = s.low[i] * own
    added = c[PER_C] * added
    if slope != 0.0:
        added = added + (slope * rate * divided([0.0, 0.0, rate], h) if k.leaks else slope * (0.5 * h * h))
        new.drive = drive + slope * h
    new.v = (v + ((drive - v) * -lost + added) if k.leaks else v + (drive * h + added)) + after
    total = thresholds_after(k, c, s, h, v, swing_before, swing_after, new)
    if k.leaks and drive <= c[THRESHOLD] and slope == 0.0:
        u = (drive - c[THRESHOLD]) + ((v - drive) * kept + (added + after - total))
    else:
        u = (v - c[THRESHOLD]) + (((drive - v) * -lost if k.leaks else drive * h) + (added + after - total))
    return new, u


def thresholds_after(
    k: Shape,
    c: Sequence[float],
    s: State,
    h: float,
    v: float,
    swing_before: Sequence[float],
    swing_after: Sequence[float],
    new: State,
) -> float:
    """Fills in the thresholds after h and returns their sum; v is without what sinusoidal currents keep up."""
    total = 0.0
    first = k.n_currents + k.n_alpha
    rate = 1.0 / c[TAU_M]
    for j in range(k.n_thresholds):
        at = threshold_at(k, j)
        value = s.x[first + j]
        if j < k.n_driven:
            b = 1.0 / c[at + TAU]
            value = value - swing_before[j]
            driven = v * divided(sorted([b, rate]), h)
            driven = driven + (s.drive * rate if k.leaks else s.drive) * divided(sorted([0.0, b, rate]), h)
            if s.slope != 0.0:
                ramp = s.slope * rate if k.leaks else s.slope
                driven = driven + ramp * divided(sorted([0.0, 0.0, b, rate]), h)
            for i in range(k.n_currents):
                r = 1.0 / c[current_at(k, i) + TAU]
                if s.x[i] != 0.0:
                    driven = driven + c[PER_C] * s.x[i] * divided(sorted([b, rate, r]), h)
                if i < k.n_alpha and s.x[k.n_currents + i] != 0.0:
                    driven = driven + c[PER_C] * s.x[k.n_currents + i] * divided(sorted([b, rate, r, r]), h)
            value = (value * exp(-h / c[at + TAU]) + c[at + GAIN] * driven) + swing_after[j]
        elif value != 0.0:
            value = value * exp(-h / c[at + TAU])
        new.x[first + j] = value
        total = total + value
    return total


def flow(k: Shape, c: Sequence[float], s: State, h: float) -> None:
    new, _ = solve(k, c, s, h)
    s.v, s.x, s.low, s.drive = new.v, new.x, new.low, new.drive


def hold(k: Shape, c: Sequence[float], s: State, h: float) -> None:
    """Refractory: v and the thresholds that it drives stay, the rest goes on; without a clamp all does."""
    if not k.clamped:
        flow(k, c, s, h)
        return
    for i in range(k.n_currents):
        y = s.x[k.n_currents + i] if i < k.n_alpha else 0.0
        if s.x[i] == 0.0 and y == 0.0:
            continue
        own = exp(-h / c[current_at(k, i) + TAU])
        if y != 0.0:
            s.x[i] = s.x[i] + y * h
            s.x[k.n_currents + i] = y * own
            s.low[k.n_currents + i] = s.low[k.n_currents + i] * own
        s.x[i] = s.x[i] * own
        s.low[i] = s.low[i] * own
    for j in range(k.n_driven, k.n_thresholds):
        place = k.n_currents + k.n_alpha + j
        if s.x[place] != 0.0:
            s.x[place] = s.x[place] * exp(-h / c[threshold_at(k, j) + TAU])
    if s.slope != 0.0:
        s.drive = s.drive + s.slope * h


def threshold(k: Shape, c: Sequence[float], s: State) -> float:
    """Relative to E_L, in mV."""
    total = 0.0
    for j in range(k.n_currents + k.n_alpha, k.n_slots):
        total = total + s.x[j]
    return c[THRESHOLD] + total


def receive(k: Shape, c: Sequence[float], s: State, weights: Sequence[float], refractory: bool) -> None:
    """Adds the sum of each port's weights of one time to its variable; a clamped v takes none while refractory."""
    scales = threshold_at(k, k.n_thresholds) + k.n_currents
    for port, slot in enumerate(k.targets):
        weight = weights[port] * c[scales + port]
        if slot < 0:
            if not (refractory and k.clamped):
                s.v = s.v + weight
        else:
            weight = weight + s.low[slot]
            total = s.x[slot] + weight
            part = total - s.x[slot]
            s.low[slot] = (s.x[slot] - (total - part)) + (weight - part)
            s.x[slot] = total


def reset(k: Shape, c: Sequence[float], s: State) -> None:
    s.v = after_spike(c, V_RESET, s.v)
    if not k.resets:
        return
    for i in range(k.n_currents):
        s.x[i] = after_spike(c, current_at(k, i) + CURRENT_RESET, s.x[i])
    for j in range(k.n_thresholds):
        place = k.n_currents + k.n_alpha + j
        s.x[place] = after_spike(c, threshold_at(k, j) + THRESHOLD_RESET, s.x[place])


def after_spike(c: Sequence[float], at: int, value: float) -> float:
    value = c[at] * value + c[at + 1]
    return value if value > c[at + 2] else c[at + 2]
