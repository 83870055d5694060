"""Taylor series of several variables: their products and exponentials, order by order, and their first zero.

ext/eventsnn/_core/solve/taylor.pxd and series_lanes.h beside it perform the same operations in the same order. How a
state follows a series stands in eventsnn/models/taylor.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eventsnn._core.base.mathfunc import exp

ULP = 2.0**-52
MOST_EXPONENT = 700.0
NARROWEST = 2.0**-40  # of a step: where a polynomial touches zero within it

Row = list[float]


class Series:
    """The first orders of all variables, V first, from the time of a state on."""

    def __init__(self, y: Sequence[float], force: Row, held: bool):
        self.y: list[Row] = [[value] for value in y]
        self.force = force  # what the drive adds to dV/dt
        self.aux: dict[Any, Row] = {}  # series that a recurrence needs besides
        self.held = held  # V is held

    @property
    def order(self) -> int:
        return len(self.y[0]) - 1

    def row(self, name: Any) -> Row:
        return self.aux.setdefault(name, [])


@dataclass
class Step:
    """The series that a neuron's state follows up to `end` (ms; inf at rest), `span` after its beginning."""

    end: float
    span: float
    last: list[float]  # the state at the end
    z: Series
    order: int  # of the polynomial


def product(a: Row, b: Row, n: int) -> float:
    """Order n of the product of two series."""
    total = 0.0
    for i in range(n + 1):
        total = total + a[i] * b[n - i]
    return total


def square(a: Row, n: int) -> float:
    total = 0.0
    for i in range((n + 1) // 2):
        total = total + a[i] * a[n - i]
    total = total + total
    if n % 2 == 0:
        total = total + a[n // 2] * a[n // 2]
    return total


def exponential(changes: Row, scale: float, e: Row, n: int) -> float:
    """Order n >= 1 of e = exp(scale a + constant), from e' = scale e a'. changes: the orders of a, each times n."""
    total = 0.0
    for i in range(1, n + 1):
        total = total + changes[i] * e[n - i]
    return scale * total / n


def beginning(x: float) -> float:
    """exp(x), where that is a number; beyond, nothing has a meaning."""
    return exp(max(min(x, MOST_EXPONENT), -MOST_EXPONENT))


def horner(a: Row, order: int, h: float) -> float:
    total = a[order]
    for value in reversed(a[:order]):
        total = total * h + value
    return total


# ---- the first crossing within a step


def _shifted(a: Row, start: float, width: float) -> Row:
    """Coefficients of a(start + width x)."""
    q = list(a)
    order = len(q) - 1
    if start != 0.0:
        for i in range(order):
            for n in range(order - 1, i - 1, -1):
                q[n] = q[n] + start * q[n + 1]
    power = 1.0
    for n in range(1, order + 1):
        power = power * width
        q[n] = q[n] * power
    return q


def _root(q: Row) -> float:
    """Where q, negative at 0, not at 1 and growing in between, is zero: Newton's method inside a bracket."""
    low, high, x = 0.0, 1.0, 1.0
    if q[1] > 0.0 and -q[0] < q[1]:
        x = -q[0] / q[1]
    for _ in range(100):
        value, slope = q[-1], 0.0
        for term in reversed(q[:-1]):
            slope = slope * x + value
            value = value * x + term
        if value < 0.0:
            low = x
        else:
            high = x
        next_ = x - value / slope if slope > 0.0 else low
        if not low < next_ < high:
            next_ = low + 0.5 * (high - low)
        if abs(next_ - x) <= ULP * x or not low < next_ < high:
            return next_
        x = next_
    return x


def first_root(a: Row, span: float) -> float:
    """The first zero in (0, span] of a polynomial that is negative at 0; inf if there is none."""
    start, stop = 0.0, span
    while True:
        q = _shifted(a, start, stop - start)
        above, rises, at_end = q[0], q[1], q[0]
        for n in range(1, len(q)):
            at_end = at_end + q[n]
            if q[n] > 0.0:
                above = above + q[n]
            elif n > 1:
                rises = rises + n * q[n]
        if not above < 0.0:
            if rises > 0.0 or stop - start <= NARROWEST * span:
                if at_end >= 0.0:
                    return start + (stop - start) * _root(q)
            else:
                stop = start + 0.5 * (stop - start)
                continue
        if stop == span:
            return math.inf
        start, stop = stop, span
