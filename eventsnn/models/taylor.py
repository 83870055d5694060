"""Models without a closed form: between two events the state is a Taylor series, renewed step by step.

ext/eventsnn/_core/solve/taylor.pxd and series_lanes.h beside it perform the same operations in the same order.

(a) A model gives a recurrence: the next coefficient of each variable from those up to the present one (Parker &
    Sochacki 1996, Neural Parallel Sci Comput 4:97). Products, quotients and exponentials take one sum for each order.
(b) A step has `ORDER` terms, which follows from the tolerance, and goes as far as its last two terms stay below it:
    h = (tolerance / |c_n|)^(1/n). Steps begin at the neuron's last event and follow one another; they depend on nothing
    else. Where an event comes within one, the state is the series at that time, and a new step begins there. Of the
    series only so many terms are taken until two after one another, and of all variables, are below the tolerance at
    that time: under dense input few are. So that this is never found beyond the end of a step, one whose terms of fewer
    orders happen to stay below the tolerance for longer is as long as these say. Under ramps and sines, whose terms may
    vanish before others come, all are taken.
(c) A neuron that a whole step has not moved, but for rounding, is at rest: its step never ends.
(d) The first crossing within a step is that of a polynomial: intervals are halved until the polynomial surely stays
    negative, or surely grows; then Newton's method inside a bracket.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.base.mathfunc import exp, log, sin_turns
from eventsnn._core.solve.neuron import THRESHOLD, R
from eventsnn._core.solve.steps import FARTHEST, HEAD, ORDER, TRIES, V_RESET
from eventsnn.base.checks import require
from eventsnn.draw.values import Values
from eventsnn.models.stepped import Shape, SteppedModel, count_step, until
from eventsnn.solve.series import Series, Step, first_root, horner
from eventsnn.solve.state import State

MOST_ORDER = 24
FEWEST = 4  # orders, before the last two terms say anything
LONGEST_STEP = 1000.0  # ms
BEYOND = 1.0 + 2.0**-32  # more than a span may be wrong by
FINITE = 1e288  # so large that its share of a tolerance is a number
LARGEST = 1.7976931348623157e308
ULP = 2.0**-52
ROUNDING = 2.0**-49  # of a variable, and
NO_MORE = 2.0**-20  # of a tolerance: less does not move a variable; or mV
MOST_EXPONENT = 700.0
NARROWEST = 2.0**-40  # of a step: where a polynomial touches zero within it
TWO_PI = 6.283185307179586


class TaylorModel(SteppedModel):
    """A neuron model whose state between events is a Taylor series; a subclass gives its recurrence.

    `extend` computes the next order; its twin is a .pyx in ext/eventsnn/_core, whose capsule is `kernel`. A spike sets
    V to V_reset and adds its jump to every other variable. tolerance (mV): the largest error of V in a step.
    """

    # The largest size of a variable; beyond, the neuron has run away.
    farthest: ClassVar[float] = 1e6
    # The tolerance of each slot as a multiple of that of V.
    tolerances: tuple[float, ...]
    # Steps are those that `revise` makes, not those that the series allows.
    whole_steps: bool = False

    @property
    def shape(self) -> Shape:
        ahead = 5 + (1 + len(self.slots)) * (2 + MOST_ORDER)
        return Shape(len(self.slots), self.clamped, self.targets, ahead)

    # ---- what a subclass gives

    @abstractmethod
    def extend(self, p: Sequence[float], z: Series, n: int) -> None:
        """Append order n + 1 of every variable; p are the constants of the model's own."""

    @abstractmethod
    def own(self, values: Values) -> dict[int, tuple[str, Any]]:
        """What each constant of the model's own is, and its value, by its place among them."""

    def jumps(self, values: Values) -> list[Any]:
        """What a spike adds to each slot."""
        return [0.0] * len(self.slots)

    def revise(self, p: Sequence[float], s: State, step: Step, z: Series) -> None:
        """Make another step of the one found."""

    # ---- values

    def check(self, values: Values, where: str) -> None:
        super().check(values, where)
        tolerance = values["tolerance"]
        good = (tolerance >= 1e-15) & (tolerance <= 1e-3)
        require(good, tolerance, f"{where}: tolerance", "must lie between 1e-15 and 0.001 mV", "mV")

    def constants(self, values: Values) -> tuple[list[str], NDArray[np.float64]]:
        tolerance = values["tolerance"]
        order = np.minimum(np.ceil(-0.5 * np.log(tolerance)) + 4.0, MOST_ORDER)
        rows = [
            ("R", self.gain(values)), ("t_ref", values["t_ref"]),
            (self.threshold_name, values[self.threshold_name]), ("order", order), ("farthest", self.farthest),
            ("V_reset", 0.0 if self.resets_V else 1.0), ("V_reset", values[self.reset_name] if self.resets_V else 0.0),
            ("lowest", -math.inf), ("tolerance", tolerance),
        ]  # fmt: skip
        parts = zip(self.slots, self.tolerances, strict=True)
        rows += [(f"tolerance of {name}", tolerance * part) for name, part in parts]
        rows += [(f"jump of {name}", jump) for name, jump in zip(self.slots, self.jumps(values), strict=True)]
        rows += [(f"weight to {port}", scale) for port, scale in zip(self.ports, self.scales(values), strict=True)]
        own = self.own(values)
        rows += [own[place] for place in range(len(own))]
        columns = [np.atleast_1d(np.asarray(row, dtype=np.float64)) for _, row in rows]
        return [name for name, _ in rows], np.stack(np.broadcast_arrays(*columns))

    # ---- equations, for the reference engine

    def _own(self, c: Sequence[float]) -> Sequence[float]:
        return c[HEAD + 1 + 2 * len(self.slots) + len(self.ports) :]

    def _begin(self, c: Sequence[float], s: State, held: bool) -> Series:
        order = int(c[ORDER])
        force = [s.drive, s.slope] + [0.0] * (order - 1)
        for frequency, phase, amplitude in s.sines:
            turns = frequency * s.t + phase
            turns = turns - math.floor(turns)
            omega = TWO_PI * frequency
            sine = c[R] * amplitude * sin_turns(turns)
            cosine = c[R] * amplitude * sin_turns(turns + 0.25)
            for n in range(order + 1):
                force[n] = force[n] + sine
                sine, cosine = omega * cosine / (n + 1), -omega * sine / (n + 1)
        return Series([s.v, *s.x], force, held)

    def _is_alone(self, s: State) -> bool:
        """Whether the series follows from the state alone, and may be cut off where its terms are small."""
        return s.slope == 0.0 and not s.sines and not self.whole_steps

    def _orders(self, c: Sequence[float], s: State, z: Series, h: float) -> int:
        """How many orders the state at h takes, which are then known; 0 if it takes more than there are."""
        if not self._is_alone(s) or not h < LONGEST_STEP:
            return 0
        power, last = h * h, False
        for n in range(FEWEST - 1, int(c[ORDER]) + 1):
            self._extend_to(c, z, n)
            power = power * h
            sizes = [abs(row[n]) for row in z.y]
            small = all(size * power <= c[HEAD + i] and size <= FINITE for i, size in enumerate(sizes))
            if small and last:
                return n
            last = small
        return 0

    def _extend_to(self, c: Sequence[float], z: Series, order: int) -> None:
        p = self._own(c)
        for n in range(z.order, order):
            self.extend(p, z, n)

    def _span(self, c: Sequence[float], z: Series, order: int) -> float:
        """How far the last two terms of so many orders stay below the tolerance."""
        span = LONGEST_STEP
        for n in (order - 1, order):
            shares = [abs(row[n]) / c[HEAD + i] for i, row in enumerate(z.y)]
            if not all(share <= LARGEST for share in shares):
                return 0.0
            if max(shares) > 0.0:
                span = min(span, exp(-log(max(shares)) / n))
        return span

    def _longest(self, c: Sequence[float], s: State, z: Series, span: float) -> tuple[float, int]:
        """How far a step goes whose terms of fewer orders may happen to stay below the tolerance for longer."""
        order = int(c[ORDER])
        for _ in range(TRIES):
            span = min(span * BEYOND, LONGEST_STEP)
            n = self._orders(c, s, z, span)
            other = self._span(c, z, n) if n else 0.0
            if not other > 0.0:
                break
            order, span = n, max(span, other)
        return span, order

    def _step(self, c: Sequence[float], s: State, z: Series) -> Step:
        """The series from a state on, how long it is good for and where it ends."""
        order = int(c[ORDER])
        self._extend_to(c, z, order)
        span = self._span(c, z, order)
        step = self._ended(s, z, span, order, order)
        slow = s.slope == 0.0 and not s.sines and abs(z.y[0][1]) * span <= NO_MORE
        if slow and self._has_not_moved(c, step) and step.end > s.t:
            step = Step(math.inf, math.inf, [row[0] for row in z.y], z, 0)
        elif self._is_alone(s):
            span, order = self._longest(c, s, z, span)
            step = self._ended(s, z, span, order, self._orders(c, s, z, until(s.t, span)[1]) or order)
        if self.whole_steps:
            self.revise(self._own(c), s, step, z)
        return step

    def _ended(self, s: State, z: Series, span: float, order: int, n: int) -> Step:
        end, span = until(s.t, span)
        return Step(end, span, [horner(row, n, span) for row in z.y], z, order)

    def _has_not_moved(self, c: Sequence[float], step: Step) -> bool:
        return all(
            abs(step.last[i] - row[0]) <= ROUNDING * abs(row[0]) + NO_MORE * c[HEAD + i]
            for i, row in enumerate(step.z.y)
        )

    def _go(self, c: Sequence[float], s: State, t: float, held: bool) -> None:
        while s.t < t:
            h = t - s.t
            step: Step | None = s.step if not held else None
            z = self._begin(c, s, held) if step is None else step.z
            n = self._orders(c, s, z, h) if step is None or t < step.end else 0
            if n == 0:
                step = self._step(c, s, z) if step is None else step
                if not step.end > s.t:
                    break  # so fast that time does not advance: it crosses its threshold now
                n = step.order
                if t >= step.end:
                    if not count_step(s):
                        s.v = math.nan
                        break
                    s.v, s.x, s.step = step.last[0], step.last[1:], None
                    if s.slope != 0.0:
                        s.drive = s.drive + s.slope * step.span
                    s.t = step.end
                    continue
            s.v, *s.x = (horner(row, n, h) for row in z.y)
            if s.slope != 0.0:
                s.drive = s.drive + s.slope * h
            break
        s.t, s.step = t, None

    def leave(self, c: Sequence[float], s: State, release: float) -> None:
        s.step = None

    def crossing(self, c: Sequence[float], s: State, start: float = 0.0) -> tuple[float, bool]:
        """From the state on, to the end of its step; the engines take the state there before they go on. nan for a
        state that is out of range."""
        if s.v >= c[THRESHOLD]:
            return 0.0, True
        if self.is_lost(c, s):
            return math.nan, True
        if s.step is None:
            s.step = self._step(c, s, self._begin(c, s, False))
        step: Step = s.step
        if step.end == math.inf:
            return math.inf, True
        v = step.z.y[0][: step.order + 1]
        if not step.end > s.t:
            return (0.0 if v[1] > 0.0 else math.nan), True
        h = first_root([v[0] - c[THRESHOLD], *v[1:]], step.span)
        if h <= step.span:
            return (h if s.t + h < step.end else step.end - s.t), True
        return step.end - s.t, step.last[0] >= c[THRESHOLD]

    def is_lost(self, c: Sequence[float], s: State) -> bool:
        return not all(abs(value) <= c[FARTHEST] for value in (s.v, *s.x))

    def receive(self, c: Sequence[float], s: State, weights: Sequence[float], refractory: bool) -> None:
        s.step = None
        scale = HEAD + 1 + 2 * len(self.slots)
        for port, weight in enumerate(weights):
            weight, slot = weight * c[scale + port], self.targets[port]
            if slot >= 0:
                s.x[slot] = s.x[slot] + weight
            elif not (refractory and self.clamped):
                s.v = s.v + weight

    def reset(self, c: Sequence[float], s: State) -> None:
        s.step = None
        s.v = c[V_RESET] * s.v + c[V_RESET + 1]
        for i in range(len(self.slots)):
            s.x[i] = s.x[i] + c[HEAD + 1 + len(self.slots) + i]
