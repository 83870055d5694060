"""The first crossing of the threshold, for every linear model, as the reference engine finds it.

ext/eventsnn/_core/solve/crossing.pxd performs the same operations in the same order.

From a time at which v is below the threshold the search goes on by intervals on which, by a bound of the third
derivative over all that follows, the distance u to the threshold stays negative, or is monotone, or concave or convex;
there one value at its end, and at the maximum of a concave one, decides. The interval is halved until one of these
holds. It ends when no value that v can take reaches any that the threshold can take. Nothing in it asks how many
exponentials there are, or whether some of them agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from eventsnn._core.base.mathfunc import log1p
from eventsnn._core.solve.closed_form import GAIN, LONGEST, PER_C, TAU, TAU_M
from eventsnn._core.solve.neuron import THRESHOLD, R
from eventsnn.solve import closed_form
from eventsnn.solve.closed_form import TWO_PI, Shape, current_at, threshold_at
from eventsnn.solve.state import State

# Rounding of u, and the distance that must remain where a crossing is excluded, as fractions of what u is made of.
NOISE = 2.0**-52
MARGIN = 2.0**-50
# Intervals that one search goes through before it hands back how far it has come.
MOST_INTERVALS = 200
MAX_ITERATIONS = 200
# The potential is flat at its maximum: this fraction of the present interval leaves it exact.
PEAK_TOLERANCE = 2.0**-28
# Above the greatest value of s exp(-s), 1/e.
ALPHA_PEAK = 0.3679

CLEAR, CONCAVE, MONOTONE = 1, 2, 3


class Point(NamedTuple):
    """u = v - threshold and what bounds it from some time on."""

    u: float
    du: float
    ddu: float
    third: float  # bound of |u'''| from here on
    state: State


def crossing(k: Shape, c: Sequence[float], s: State, start: float = 0.0) -> tuple[float, bool]:
    """Time until v first reaches the threshold without further events, inf if it never does, and True; or a time
    before which it does not, and False. The search begins `start` after the state."""
    if start == 0.0 and s.v >= closed_form.threshold(k, c, s):
        return 0.0, True
    if hopeless(k, c, s):
        return math.inf, True
    if k.n_slots == 0 and k.leaks and s.slope == 0.0 and not s.sines:
        return c[TAU_M] * log1p((c[THRESHOLD] - s.v) / (s.drive - c[THRESHOLD])), True
    low, scale = start, magnitude(k, c, s)
    here = point(k, c, s, low)
    if here.u >= 0.0:
        return low, True
    width = 2.0 * c[LONGEST]
    for _ in range(MOST_INTERVALS):
        if not (scale < math.inf and here.third < math.inf):
            return math.inf, True  # a state that is not finite any more
        while True:
            kind = shape_of(here, width, scale)
            if kind:
                break
            width = 0.5 * width
        high = low + width
        there = point(k, c, s, high)
        if there.u >= 0.0:
            return root(k, c, s, low, high, scale, here), True
        if kind == CONCAVE and here.du > 0.0 > there.du:
            top = peak(k, c, s, low, high)
            if closed_form.solve(k, c, s, top)[1] >= 0.0:
                return root(k, c, s, low, top, scale, here), True
        if hopeless(k, c, there.state):
            return math.inf, True
        low, here = high, there
        width = 2.0 * width
    return low, False


def shape_of(p: Point, width: float, scale: float) -> int:
    """What is certain about u on the next `width` ms, 0 if nothing is."""
    change = p.third * width
    curvature = p.ddu + change / 3.0
    if curvature < 0.0 < p.du and p.du < -curvature * width:
        top = p.u - p.du * p.du / (2.0 * curvature)
    else:
        top = max(p.u, p.u + (p.du + 0.5 * curvature * width) * width)
    if top < -MARGIN * scale:
        return CLEAR
    if p.ddu + change <= 0.0:
        return CONCAVE
    if p.ddu - change >= 0.0 or p.du + (min(0.0, p.ddu) - 0.5 * change) * width >= 0.0:
        return MONOTONE  # or convex, which from below crosses at most once as well
    if change * width * width <= 6.0 * NOISE * scale:
        return CONCAVE
    return 0


def point(k: Shape, c: Sequence[float], s: State, h: float) -> Point:
    new, u = closed_form.solve(k, c, s, h)
    _, _, sine, d_sine = closed_form.forced(k, c, s, h) if s.sines else (0.0, [], 0.0, 0.0)
    tau_m = c[TAU_M]
    total, d_total = sine, d_sine
    second, third = 0.0, 0.0  # bounds of the currents' changes, and of their second derivatives
    for i in range(k.n_currents):
        tau = c[current_at(k, i) + TAU]
        x = new.x[i]
        y = new.x[k.n_currents + i] if i < k.n_alpha else 0.0
        total = total + x
        d_total = d_total + (y - x / tau)
        largest = abs(x) + abs(y) * tau
        second = second + (largest + abs(y) * tau) / tau
        third = third + (largest + 2.0 * abs(y) * tau) / (tau * tau)
    for frequency, _, amplitude in s.sines:
        omega = TWO_PI * frequency
        second = second + 2.0 * abs(amplitude) * omega
        third = third + abs(amplitude) * omega * omega
    if k.leaks:
        dv = (new.drive - new.v) / tau_m + c[PER_C] * total
        ddv = (s.slope - dv) / tau_m + c[PER_C] * d_total
        bound_2 = abs(ddv) + c[PER_C] * second
        bound_3 = bound_2 / tau_m + c[PER_C] * third
    else:
        dv = new.drive + c[PER_C] * total
        ddv = s.slope + c[PER_C] * d_total
        bound_2 = abs(ddv) + c[PER_C] * second
        bound_3 = c[PER_C] * third
    du, ddu = dv, ddv
    for j in range(k.n_thresholds):
        at = threshold_at(k, j)
        tau = c[at + TAU]
        value = new.x[k.n_currents + k.n_alpha + j]
        gain = c[at + GAIN] if j < k.n_driven else 0.0
        d_value = gain * new.v - value / tau
        dd_value = gain * dv - d_value / tau
        du, ddu = du - d_value, ddu - dd_value
        bound_3 = bound_3 + (abs(dd_value) / tau + 2.0 * abs(gain) * bound_2)
    return Point(u, du, ddu, bound_3, new)


def magnitude(k: Shape, c: Sequence[float], s: State) -> float:
    """The potentials of which u is the difference, in mV."""
    total = 0.0
    for i in range(k.n_currents):
        tau = c[current_at(k, i) + TAU]
        x = abs(s.x[i])
        if i < k.n_alpha:
            x = x + abs(s.x[k.n_currents + i]) * tau
        total = total + x * min(tau, c[TAU_M])
    for frequency, _, amplitude in s.sines:
        total = total + abs(amplitude) / (TWO_PI * frequency)
    total = c[PER_C] * total + (abs(s.v) + abs(c[THRESHOLD]))
    if k.leaks:
        total = total + abs(s.drive)
    for j in range(k.n_currents + k.n_alpha, k.n_slots):
        total = total + abs(s.x[j])
    return total


def extreme_current(k: Shape, c: Sequence[float], s: State, sign: float) -> float:
    """Upper bound of sign times the sum of all currents from now on. Of exponentials, slowest first, the sum is an
    average of the partial sums of their present values, and 0; so inhibition that outlives excitation counts against
    it. (Abel's summation.)"""
    order = threshold_at(k, k.n_thresholds)
    best, total, more = 0.0, 0.0, 0.0
    for place in range(k.n_currents):
        i = int(c[order + place])
        total = total + sign * s.x[i]
        if total > best:
            best = total
        if i < k.n_alpha and sign * s.x[k.n_currents + i] > 0.0:
            more = more + ALPHA_PEAK * (sign * s.x[k.n_currents + i]) * c[current_at(k, i) + TAU]
    for _, _, amplitude in s.sines:
        more = more + abs(amplitude)
    return best + more


def charge(k: Shape, c: Sequence[float], s: State, sign: float) -> float:
    """Upper bound of sign times the integral of all currents from now on, pA ms."""
    total = 0.0
    for i in range(k.n_currents):
        tau = c[current_at(k, i) + TAU]
        total = total + max(0.0, sign * s.x[i]) * tau
        if i < k.n_alpha:
            total = total + max(0.0, sign * s.x[k.n_currents + i]) * (tau * tau)
    for frequency, _, amplitude in s.sines:
        total = total + 2.0 * abs(amplitude) / (TWO_PI * frequency)
    return total


def highest_v(k: Shape, c: Sequence[float], s: State, sign: float) -> float:
    """Upper bound of sign times v from now on."""
    if sign * s.slope > 0.0:
        return math.inf
    if k.leaks:
        return max(sign * s.v, sign * s.drive + c[R] * extreme_current(k, c, s, sign))
    if sign * s.drive > 0.0:
        return math.inf
    return sign * s.v + c[PER_C] * charge(k, c, s, sign)


def hopeless(k: Shape, c: Sequence[float], s: State) -> bool:
    """No value that v can take from now on reaches any that the threshold can take."""
    highest = highest_v(k, c, s, 1.0)
    if highest == math.inf:
        return False
    lowest = c[THRESHOLD]
    for j in range(k.n_thresholds):
        at = threshold_at(k, j)
        value = s.x[k.n_currents + k.n_alpha + j]
        if j < k.n_driven:
            gain = c[at + GAIN]
            drawn = gain * highest if gain < 0.0 else -gain * highest_v(k, c, s, -1.0) if gain > 0.0 else 0.0
            value = min(value, drawn * c[at + TAU])
        lowest = lowest + min(value, 0.0)
    return highest <= lowest


def root(k: Shape, c: Sequence[float], s: State, low: float, high: float, scale: float, first: Point) -> float:
    """The crossing between low (below the threshold) and high (at or above it), by Newton inside the bracket."""
    h = high
    if first.du > 0.0:
        guess = low - first.u / first.du
        if low < guess < high:
            h = guess
    for _ in range(MAX_ITERATIONS):
        here = point(k, c, s, h)
        if here.u >= 0.0:
            high = h
        else:
            low = h
        new = h - here.u / here.du if here.du > 0.0 else -1.0
        if abs(here.u) <= NOISE * scale:
            return new if low <= new <= high else h
        if not low < new < high:
            new = low + 0.5 * (high - low)
            if new == low or new == high:
                return high
        if abs(new - h) <= NOISE * new:
            return new
        h = new
    return high


def peak(k: Shape, c: Sequence[float], s: State, low: float, high: float) -> float:
    """Where u is largest between low (rising) and high (falling), by Newton inside the bracket."""
    tolerance = PEAK_TOLERANCE * (high - low)
    h = low + 0.5 * (high - low)
    for _ in range(MAX_ITERATIONS):
        here = point(k, c, s, h)
        if here.du > 0.0:
            low = h
        else:
            high = h
        new = h - here.du / here.ddu if here.ddu < 0.0 else -1.0
        if not low < new < high:
            new = low + 0.5 * (high - low)
            if new == low or new == high:
                return new
        if abs(new - h) <= tolerance:
            return new
        h = new
    return h
