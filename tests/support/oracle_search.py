"""The first crossing of a threshold, found with proof and not by sampling.

From a state, f = V - threshold and its first three derivatives are known, and the fourth is bounded over a step from
bounds of the state. That shows one of five things about the step: f stays negative, f is monotone, f is concave, f is
convex, or the step is too long and is halved (`Search.first`). In the first four cases a crossing is either impossible
or the only zero of a bracket, where Newton's method finds it in 384 bits; for a concave f that may just reach 0, the
maximum is computed first, in 384 bits. float64 decides only what is beyond NOISE times the sum of the absolute terms,
100 times what rounding can do; the rest is decided in 384 bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from oracle_flow import Flow, Particular, Real

NOISE = 1e-13  # of the sum of absolute terms
RESOLVED = 1e-40  # ms: every zero is shown to lie within this distance by the signs on both sides


@dataclass
class Crossing:
    t: Real
    slope: float  # mV/ms of V - threshold there
    bend: float  # mV/ms^2
    size: float  # mV, max(threshold, sum of |R I_k|, |drive|, |v|) when the search began; R of 10 ms without leak


class Undecided(Exception):
    """A sign that 384 bits do not settle: the case is degenerate."""


class Search:
    """f (or a derivative, or its negative) from one state on: values in 384 bits, and shapes of steps."""

    def __init__(self, flow: Flow, x0: Sequence[Real], p: Particular, order: int, sign: int, size: float):
        self.flow, self.p, self.order, self.way, self.size = flow, p, order, sign, size
        self.x0 = x0
        self.closest = math.inf  # the least |f| at a maximum that had to be computed
        self.levels: list[list[Real]] | None = None
        self.rows = [[sign * value for value in row] for row in flow.rows[order : order + 5]]

    def first(self, start: Real, length: Real) -> Crossing | None:
        """The first s in [start, length] at which the function is not negative, or None."""
        N, flow = self.flow.N, self.flow
        a, xa = N.real(start), self.x0 if not start else flow.step(self.x0, N.real(start))
        length = N.real(length)
        here = self.local(a, xa)
        if here.sign(0) >= 0:
            return self.result(a)
        h = 0.5 * min(10.0, *flow.tau)
        while a < length:
            rest = float(length - a)
            # All that is left lies below: the sum of what each state can still contribute.
            high, low = flow.ranges(here.x, rest)
            if self.ceiling(high, low, a, rest) < -here.noise[0]:
                return None
            h = min(h, rest)
            while True:
                b = length if h >= rest else a + h
                shape = self.shape(here, h)
                if shape is not None:
                    break
                h *= 0.5
                if h < 1e-30:
                    raise Undecided(f"no step is short enough at s = {float(a)}")
            there = self.local(b, flow.step(xa, b - a))
            if shape in ("rising", "convex"):
                if there.sign(0) >= 0:
                    return self.result(self.zero(0, a, b))
            elif shape == "concave" and here.sign(1) > 0:
                if there.sign(0) >= 0:
                    return self.result(self.zero(0, a, b))
                if there.sign(1) < 0:
                    top = self.zero(1, a, b)
                    value = self.value(0, top)
                    self.closest = min(self.closest, abs(float(value)))
                    if value >= 0:
                        return self.result(self.zero(0, a, top))
            a, xa, here = b, there.exact, there
            h *= 2.0
        return None

    def value(self, order: int, s: Real) -> Real:
        """The order-th derivative of the function at s after the state."""
        flow = self.flow
        if self.levels is None:
            levels = [flow.coefficients(self.x0)]
            for _ in range(self.order + 2):
                levels.append(flow.derivative(levels[-1]))
            self.levels = levels[self.order :]
        total = sum([c * b for c, b in zip(self.levels[order], flow.basis_values(s), strict=True)])
        return self.way * (total + self.p.value(s, self.order + order, self.flow.N))

    def local(self, s: Real, exact: Sequence[Real]) -> Local:
        x = [float(value) for value in exact]
        values, sizes = self.p.derivatives(s, self.order, self.flow.N)
        d, noise = [], []
        for row, value, size in zip(self.rows, values, sizes, strict=False):
            total, absolute = self.way * value, size
            for r, xi in zip(row, x, strict=True):
                term = r * xi
                total += term
                absolute += abs(term)
            d.append(total)
            noise.append(NOISE * absolute)
        return Local(self, s, exact, x, d, noise)

    def ceiling(self, high: Sequence[float], low: Sequence[float], a: Real, h: float) -> float:
        if self.order:
            return math.inf
        total = self.p.highest(float(a), h) if self.way > 0 else math.inf
        for r, up, down in zip(self.rows[0], high, low, strict=True):
            total += r * up if r > 0.0 else r * down
        return total

    def shape(self, here: Local, h: float) -> str | None:
        """What is certain about the function over [s, s + h]."""
        d0, d1, d2, d3 = here.d
        e0, e1, e2, e3 = here.noise
        high, low = self.flow.ranges(here.x, h)
        fourth = self.p.bound(self.order + 4) + sum(
            abs(r) * max(up, -down) for r, up, down in zip(self.rows[4], high, low, strict=True)
        )
        fourth *= 1.0 + 1e-9
        bend = 0.5 * fourth * h * h
        high2 = d2 + e2 + max(0.0, (d3 + e3) * h) + bend
        low2 = d2 - e2 + min(0.0, (d3 - e3) * h) - bend
        high1 = d1 + e1 + max(0.0, high2 * h)
        low1 = d1 - e1 + min(0.0, low2 * h)
        rise = d1 + e1
        if rise <= 0.0 and high2 <= 0.0:
            top = 0.0
        elif high2 >= 0.0:
            top = max(0.0, rise * h + 0.5 * high2 * h * h)
        else:
            top = rise * min(h, 0.5 * rise / -high2) if rise < -high2 * h else rise * h + 0.5 * high2 * h * h
        if d0 + e0 + top * (1.0 + 1e-9) < 0.0:
            return "below"
        if low1 > 0.0:
            return "rising"
        if high1 < 0.0:
            return "below"
        if high2 < 0.0:
            return "concave"
        if low2 > 0.0:
            return "convex"
        return None

    def zero(self, order: int, low: Real, high: Real) -> Real:
        """The one zero between low and high: for order 0 from below to above, for order 1 (a maximum) from above."""
        N = self.flow.N
        sign = 1 if order == 0 else -1
        left, right = low, high
        s = (low + high) / 2
        for _ in range(500):
            f = sign * self.value(order, s)
            if f >= 0:
                right = s
            else:
                left = s
            slope = sign * self.value(order + 1, s)
            new = s - f / slope if slope > 0 else left
            if not left < new < right:
                if abs(new - s) < RESOLVED / 4:
                    break
                new = (left + right) / 2
            if abs(new - s) < RESOLVED / 4:
                s = new
                break
            s = new
        below, above = s - N.real(RESOLVED), s + N.real(RESOLVED)
        if below > low and sign * self.value(order, below) >= 0 or above < high and sign * self.value(order, above) < 0:
            raise Undecided(f"the zero near {float(s)} is not resolved")
        return s

    def result(self, s: Real) -> Crossing:
        return Crossing(s, float(self.value(1, s)), float(self.value(2, s)), self.size)


@dataclass
class Local:
    """The function at one time: exact state, float64 state, derivatives 0 to 3 and the noise of each."""

    search: Search
    s: Real
    exact: Sequence[Real]
    x: list[float]
    d: list[float]
    noise: list[float]

    def sign(self, order: int) -> int:
        if abs(self.d[order]) > self.noise[order]:
            return 1 if self.d[order] > 0.0 else -1
        value = self.search.value(order, self.s)
        if value == 0:
            return 0
        return 1 if value > 0 else -1
