"""The flow of a linear neuron between two events, in exact coefficients.

Without current it is a sum of polynomials times exponentials (`Flow`); an external current (`Drive`) adds a polynomial
and sines (`Particular`).

`N` is the arithmetic that tests/support/oracle.py chooses. With its digits the coefficients may be used as they are,
also for time constants that differ by 1e-17; for equal ones a coefficient is a polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Real = Any  # gmpy2.mpfr or mpmath.mpf
Basis = tuple[int, int]  # (index of rate, power): s^power exp(-rate s)


@dataclass
class Drive:
    """External current (pA) from a moment on: level + slope s + sum of amplitude sin(omega s + phase)."""

    level: Real = 0
    slope: Real = 0
    sines: list[tuple[Real, Real, Real]] = field(default_factory=list)


def shifted(drive: Drive, s: Real) -> Drive:
    """The same drive seen from s later."""
    sines = [(amplitude, omega, phase + omega * s) for amplitude, omega, phase in drive.sines]
    return Drive(drive.level + drive.slope * s, drive.slope, sines)


class Flow:
    """x' = A x for states in cascade: A is lower triangular, -rates on the diagonal, `links` (source, target, gain)
    below it. `output` is the row L of f = L x."""

    def __init__(self, rates: Sequence[Real], links: Sequence[tuple[int, int, Real]], output: Sequence[int], N: Any):
        self.N, self.n = N, len(rates)
        self.rates, self.links = rates, links
        self.distinct = list(dict.fromkeys(rates))
        index = [self.distinct.index(rate) for rate in rates]
        into: list[list[tuple[int, Real]]] = [[] for _ in rates]
        for source, target, gain in links:
            assert source < target
            if gain:
                into[target].append((source, gain))
        # responses[i][k]: what a state i of 1 at time 0 makes of state k, as {(rate, power): coefficient}.
        self.responses: list[dict[int, dict[Basis, Real]]] = []
        for i in range(self.n):
            response: dict[int, dict[Basis, Real]] = {i: {(index[i], 0): N.real(1)}}
            for k in range(i + 1, self.n):
                forcing: dict[Basis, Real] = {}
                for source, gain in into[k]:
                    for basis, coefficient in response.get(source, {}).items():
                        forcing[basis] = forcing.get(basis, 0) + gain * coefficient
                if forcing:
                    response[k] = self.convolve(forcing, index[k])
            self.responses.append(response)
        self.basis = sorted({b for response in self.responses for terms in response.values() for b in terms})
        place = {b: j for j, b in enumerate(self.basis)}
        self.entries = [
            [
                (i, [(place[b], c) for b, c in response[k].items()])
                for i, response in enumerate(self.responses)
                if k in response
            ]
            for k in range(self.n)
        ]
        # Coefficients of f on the basis, as rows over the states.
        self.weights: list[list[tuple[int, Real]]] = []
        for b in self.basis:
            row = []
            for i, response in enumerate(self.responses):
                total = N.real(0)
                for k, terms in response.items():
                    if b in terms:
                        total += output[k] * terms[b]
                if total:
                    row.append((i, total))
            self.weights.append(row)
        # Rows L A^n for the derivatives, and what bounds need, as float64.
        row = [N.real(value) for value in output]
        self.rows = []
        for _ in range(7):
            self.rows.append([float(value) for value in row])
            new = [-rate * value for rate, value in zip(rates, row, strict=True)]
            for source, target, gain in links:
                new[source] = new[source] + gain * row[target]
            row = new
        self.tau = [float(1 / rate) if rate else math.inf for rate in rates]
        self.into = [[(source, float(gain)) for source, gain in sources] for sources in into]

    def convolve(self, forcing: dict[Basis, Real], own: int) -> dict[Basis, Real]:
        """The solution of x' = -rate x + forcing, x(0) = 0."""
        result: dict[Basis, Real] = {}
        at_zero = self.N.real(0)
        for rate in {r for r, _ in forcing}:
            top = max(power for r, power in forcing if r == rate)
            p = [forcing.get((rate, power), self.N.real(0)) for power in range(top + 1)]
            if rate == own:
                for power, value in enumerate(p):
                    result[rate, power + 1] = result.get((rate, power + 1), 0) + value / (power + 1)
                continue
            gap = self.distinct[own] - self.distinct[rate]
            above = self.N.real(0)
            for power in range(top, -1, -1):  # q' + gap q = p
                above = (p[power] - (power + 1) * above) / gap
                result[rate, power] = result.get((rate, power), 0) + above
            at_zero += above
        if at_zero:
            result[own, 0] = result.get((own, 0), 0) - at_zero
        return result

    def basis_values(self, s: Real) -> list[Real]:
        decays: dict[int, Real] = {}
        values = []
        for rate, power in self.basis:
            if rate not in decays:
                decays[rate] = self.N.exp(-self.distinct[rate] * s)
            values.append(decays[rate] if power == 0 else decays[rate] * s if power == 1 else decays[rate] * s**power)
        return values

    def step(self, x: Sequence[Real], s: Real) -> list[Real]:
        b = self.basis_values(s)
        new = []
        for entry in self.entries:
            total = 0
            for i, terms in entry:
                if x[i]:
                    if len(terms) == 1:
                        total += terms[0][1] * b[terms[0][0]] * x[i]
                    else:
                        total += sum([c * b[j] for j, c in terms]) * x[i]
            new.append(total)
        return new

    def coefficients(self, x: Sequence[Real]) -> list[Real]:
        """f = L x on the basis."""
        return [sum([c * x[i] for i, c in row]) for row in self.weights]

    def derivative(self, coefficients: Sequence[Real]) -> list[Real]:
        place = {b: j for j, b in enumerate(self.basis)}
        result = [self.N.real(0)] * len(self.basis)
        for (rate, power), c in zip(self.basis, coefficients, strict=True):
            j = place[rate, power]
            result[j] = result[j] - self.distinct[rate] * c
            if power:
                lower = place[rate, power - 1]
                result[lower] = result[lower] + power * c
        return result

    def ranges(self, x: Sequence[float], h: float) -> tuple[list[float], list[float]]:
        """Bounds of every state over [0, h], in cascade: each is no more than itself plus what flows in."""
        high, low = [], []
        for k in range(self.n):
            up, down = (x[k], 0.0) if x[k] > 0.0 else (0.0, x[k])
            span = min(h, self.tau[k])
            for source, gain in self.into[k]:
                a, b = gain * high[source] * span, gain * low[source] * span
                up += max(a, b, 0.0)
                down += min(a, b, 0.0)
            high.append(up)
            low.append(down)
        return high, low


class Particular:
    """What the drive alone makes of V (state v of the flow) and the thresholds: the bounded solution (with leak),
    polynomial plus sines."""

    def __init__(self, flow: Flow, v: int, drive: Drive, I_e: Real, C: Real, theta: Real):
        N, R0, rate = flow.N, flow.N.real(0), flow.rates[v]
        self.states: dict[int, tuple[list[Real], list[tuple[Real, Real, Real]]]] = {}
        a, b = (N.real(drive.level) + I_e) / C, N.real(drive.slope) / C
        if rate:
            polynomial = [a / rate - b / rate**2, b / rate] if b else [a / rate]
        else:
            polynomial = [R0, a, b / 2] if b else [R0, a]
        sines = []  # (real and imaginary part of F, omega): Im(F exp(i omega s))
        for amplitude, omega, phase in drive.sines:
            re, im = amplitude / C * N.cos(phase), amplitude / C * N.sin(phase)
            sines.append((*divide(re, im, rate, omega), omega))
        self.states[v] = polynomial, sines
        total, total_sines = list(polynomial), list(sines)
        for source, k, g in flow.links:
            if source != v or not g:
                continue
            if not rate:
                raise ValueError("the oracle knows no threshold that follows V without leak")
            r = flow.rates[k]
            if len(polynomial) == 2:
                slope = g * polynomial[1] / r
                own = [(g * polynomial[0] - slope) / r, slope]
            else:
                own = [g * polynomial[0] / r]
            own_sines = [(*divide(g * re, g * im, r, omega), omega) for re, im, omega in sines]
            self.states[k] = own, own_sines
            total = [x - y for x, y in zip(total, own, strict=True)]
            total_sines = [
                (re - own_re, im - own_im, omega)
                for (re, im, omega), (own_re, own_im, _) in zip(total_sines, own_sines, strict=True)
            ]
        total[0] = total[0] - theta
        self.polynomial, self.sines = total, total_sines
        self.floats = [float(value) for value in total] + [0.0] * (3 - len(total))
        self.amplitudes = [(abs(float(re)) + abs(float(im)), float(omega)) for re, im, omega in total_sines]

    def at(self, k: int, s: Real, N: Any) -> Real:
        if k not in self.states:
            return 0
        return particular_value(*self.states[k], s, N)

    def value(self, s: Real, order: int, N: Any) -> Real:
        """f's part, or its derivative."""
        polynomial, sines = self.polynomial, self.sines
        for _ in range(order):
            polynomial = [k * c for k, c in enumerate(polynomial)][1:]
            sines = [(-omega * im, omega * re, omega) for re, im, omega in sines]
        return particular_value(polynomial, sines, s, N)

    def derivatives(self, s: Real, order: int, N: Any) -> tuple[list[float], list[float]]:
        """Derivatives order to order + 3 at s in float64, and the sizes of their terms."""
        p0, p1, p2 = self.floats
        if p1 == 0.0 == p2 and not self.sines:
            return ([p0, 0.0, 0.0, 0.0], [abs(p0), 0.0, 0.0, 0.0]) if order == 0 else ([0.0] * 4, [0.0] * 4)
        t = float(s)
        values = [p0 + p1 * t + p2 * t * t, p1 + 2 * p2 * t, 2 * p2, 0.0, 0.0, 0.0, 0.0][order : order + 4]
        sizes = [
            abs(p0) + abs(p1) * t + abs(p2) * t * t, abs(p1) + 2 * abs(p2) * t, 2 * abs(p2), 0.0, 0.0, 0.0, 0.0,
        ][order : order + 4]  # fmt: skip
        for (re, im, omega), (size, w) in zip(self.sines, self.amplitudes, strict=True):
            sine, cosine = float(N.sin(omega * s)), float(N.cos(omega * s))
            f, g = float(re), float(im)
            for _ in range(order):
                f, g = -w * g, w * f
            for n in range(4):
                values[n] += f * sine + g * cosine
                sizes[n] += size * w ** (order + n)
                f, g = -w * g, w * f
        return values, sizes

    def bound(self, order: int) -> float:
        return sum(size * omega**order for size, omega in self.amplitudes)

    def highest(self, s: float, h: float) -> float:
        """Upper bound of f's part over [s, s + h]."""
        p0, p1, p2 = self.floats
        ends = [p0 + p1 * t + p2 * t * t for t in (s, s + h)]
        return max(ends) + abs(p2) * h * h + self.bound(0)


def divide(re: Real, im: Real, a: Real, b: Real) -> tuple[Real, Real]:
    """(re + i im) / (a + i b)"""
    norm = a * a + b * b
    return (re * a + im * b) / norm, (im * a - re * b) / norm


def particular_value(polynomial: Sequence[Real], sines: Sequence[tuple[Real, Real, Real]], s: Real, N: Any) -> Real:
    total = N.real(0)
    for c in reversed(polynomial):
        total = total * s + c
    for re, im, omega in sines:
        total += re * N.sin(omega * s) + im * N.cos(omega * s)
    return total
