"""Exponential frames: how a neuron is kept between its events, as integers that only its input changes.

ext/eventsnn/_core/solve/frames.pxd performs the same operations in the same order.

Where a leaky membrane takes exponential currents, constant drive and nothing else,

    v(t) = drive + unit U / E(t) - sum_i unit X_i / E_i(t),    unit X_i / E_i(t) = a_i x_i(t),
    E(t) = exp((t - F) / tau_m),    E_i(t) = exp((t - F_i) / tau_i),    a_i = (tau_m tau_i / (tau_m - tau_i)) / C_m,

with integers U and X_i that nothing but an event changes, and with `unit`, a power of two (mV) for each class of
neurons (eventsnn/compile/units.py). Each of the numbers has frames of its own: F is the last multiple of its WIDTH, a
power of two (ms), not after t. An input of w to x_i at t adds a_i w E_i(t) / unit to X_i and a_i w E(t) / unit to U,
one to v itself w E(t) / unit to U, each rounded to the nearest integer, half to even.

(a) Sums of integers are the same in any order. So the order of inputs has no meaning, and neither has who sent them.
(b) When a frame ends, its number is multiplied by what is left of 1 in a frame, whether anything happens or not. The
    state follows from the inputs alone, and after some thirty frames without any nothing is left of it.
(c) While the neuron is refractory, v is held and U has no meaning; the currents go on. At the end of the refractory
    period U is found from v and the currents.
(d) V is at the threshold if it is less than SLACK units below it: twenty inputs of 1 mV at one time reach 20 mV,
    although each is rounded.
(e) A spike, and a change of the current, take the state out of its frame and put it back. Under a ramp, a sinusoidal or
    a huge current, and where a_i is so large that the terms cancel, there is no frame (eventsnn/models/linear.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from eventsnn._core.base.mathfunc import exp, log
from eventsnn._core.solve.closed_form import COUPLING, KEPT, KEPT_M, PER_UNIT, RATE, RATE_M, TAU_M, WIDTH, WIDTH_M
from eventsnn._core.solve.neuron import THRESHOLD
from eventsnn.solve import crossing
from eventsnn.solve.closed_form import Shape, current_at, threshold_at
from eventsnn.solve.state import Frame, State

# The threshold is this many units lower when an input is tested for reaching it.
SLACK = 512
# Numbers of this size are too large for the compiled engine: the state is lost, unless a spike resets it.
LIMIT = 2**124
# Under a current by which v would settle so far away there are no frames.
LARGEST_DRIVE = 2.0**120
# Crossings are searched for from multiples of this on (ms), or from the last event if that comes later.
CELL = 2.0**-6
# How far below the threshold no search is needed, as a fraction of what v is made of.
MARGIN = 1e-9


def grown(width: float, rate: float, t: float) -> float:
    """By what a unit has grown at t since its frame began."""
    return exp((t - math.floor(t / width) * width) * rate)


def membrane_grown(c: Sequence[float], t: float) -> float:
    return grown(c[WIDTH_M], c[RATE_M], t)


def current_grown(k: Shape, c: Sequence[float], i: int, t: float) -> float:
    at = current_at(k, i)
    return grown(c[at + WIDTH], c[at + RATE], t)


def nearest(value: float) -> int:
    """The nearest integer, but no more in size than LIMIT."""
    return limited(round(value)) if math.isfinite(value) else (LIMIT if value > 0.0 else -LIMIT)


def limited(value: int) -> int:
    return max(-LIMIT, min(value, LIMIT))


def later(value: int, kept: float, frames: float) -> int:
    """A number so many frames later. `kept` is a multiple of 2^-63."""
    factor = int(kept * 2.0**63)
    while frames > 0.0 and value != 0:
        value = (value * factor + 2**62) >> 63
        frames -= 1.0
    return value


def is_lost(f: Frame) -> bool:
    return any(not -LIMIT < value < LIMIT for value in (f.u, *f.x))


def enter(k: Shape, c: Sequence[float], s: State, release: float) -> None:
    """Put a state into the frames of its time, if it can be in one."""
    if c[WIDTH_M] == 0.0 or s.slope != 0.0 or s.sines or not abs(s.drive * c[PER_UNIT]) < LARGEST_DRIVE:
        return
    s.frame = Frame(0, [0] * k.n_currents)
    for i in range(k.n_currents):
        scale = c[current_at(k, i) + COUPLING] * c[PER_UNIT]
        s.frame.x[i] = nearest(s.x[i] * (scale * current_grown(k, c, i, s.t)))
    if not s.t < release:
        lift(k, c, s)


def leave(k: Shape, c: Sequence[float], s: State, release: float) -> None:
    """Take a state out of its frames."""
    f = s.frame
    if f is None:
        return
    total = (f.u / membrane_grown(c, s.t)) / c[PER_UNIT]
    for i in range(k.n_currents):
        part = coupled(k, c, s, i)
        total = total - part
        s.x[i] = part / c[current_at(k, i) + COUPLING]
        s.low[i] = 0.0
    if not s.t < release:
        s.v = s.drive + total
    s.frame = None


def coupled(k: Shape, c: Sequence[float], s: State, i: int) -> float:
    """The part of v that a current takes, a_i x_i, in mV."""
    f = s.frame
    assert f is not None
    return (f.x[i] / current_grown(k, c, i, s.t)) / c[PER_UNIT]


def lift(k: Shape, c: Sequence[float], s: State) -> None:
    """Find U from v, where the neuron has just become free."""
    f = s.frame
    assert f is not None
    total = s.v - s.drive
    for i in range(k.n_currents):
        total = total + coupled(k, c, s, i)
    f.u = nearest((total * c[PER_UNIT]) * membrane_grown(c, s.t))


def move(k: Shape, c: Sequence[float], s: State, t: float, release: float) -> None:
    """Go on to t, and to the frames in which it lies."""
    f = s.frame
    assert f is not None
    if not s.t < release:
        f.u = later(f.u, c[KEPT_M], frames_between(c[WIDTH_M], s.t, t))
    for i in range(k.n_currents):
        at = current_at(k, i)
        f.x[i] = later(f.x[i], c[at + KEPT], frames_between(c[at + WIDTH], s.t, t))
    s.t = t


def frames_between(width: float, t: float, later: float) -> float:
    return math.floor(later / width) - math.floor(t / width)


def settle(k: Shape, c: Sequence[float], s: State, t: float, release: float) -> None:
    """Go on to t, through the end of refractoriness if that lies between."""
    if s.t < release <= t:
        move(k, c, s, release, release)
        lift(k, c, s)
    move(k, c, s, t, release)


def receive(k: Shape, c: Sequence[float], s: State, inputs: Iterable[tuple[int, float]], release: float) -> bool:
    """Add the inputs of one time, ports and weights; whether v is then at the threshold or above it."""
    f = s.frame
    assert f is not None
    for port, weight in inputs:
        add(k, c, s, port, weight, release)
    f.u, f.x = limited(f.u), [limited(x) for x in f.x]
    return reached(k, c, s)


def add(k: Shape, c: Sequence[float], s: State, port: int, weight: float, release: float) -> None:
    """An input at the time of the state."""
    f = s.frame
    assert f is not None
    scale = c[threshold_at(k, k.n_thresholds) + k.n_currents + port] * c[PER_UNIT]
    slot = k.targets[port]
    if slot >= 0:
        scale = scale * c[current_at(k, slot) + COUPLING]
        f.x[slot] += nearest(weight * (scale * current_grown(k, c, slot, s.t)))
    if not s.t < release:
        f.u += nearest(weight * (scale * membrane_grown(c, s.t)))


def reached(k: Shape, c: Sequence[float], s: State) -> bool:
    """Whether v is at the threshold or above it, or so little below that rounding may have done it."""
    f = s.frame
    assert f is not None
    total = c[THRESHOLD] - s.drive
    for i in range(k.n_currents):
        total = total + coupled(k, c, s, i)
    return float(f.u) >= (total * c[PER_UNIT]) * membrane_grown(c, s.t) - SLACK


def next_crossing(k: Shape, c: Sequence[float], s: State, searched: float) -> tuple[float, bool]:
    """When a free neuron reaches the threshold if nothing else happens (ms), and True; or a time from which the search
    has to go on, and False. `searched` is what the last call for this state returned, or 0."""
    f = s.frame
    assert f is not None
    if is_lost(f):
        return math.nan, True
    if reached(k, c, s):
        return s.t, True
    if k.n_currents == 0:
        return crossing_of_jumps(k, c, s), True
    s = s.copy()
    move(k, c, s, max(s.t, math.floor(max(s.t, searched) / CELL) * CELL), 0.0)
    end = (math.floor(s.t / CELL) + 1.0) * CELL
    leave(k, c, s, 0.0)
    span, _ = crossing.crossing(k, c, s)
    if s.t + span < end:
        return s.t + span, True
    return max(end, s.t + surely_below(k, c, s)), False


def surely_below(k: Shape, c: Sequence[float], s: State) -> float:
    """So long v stays below the threshold, whatever is rounded."""
    s.drive, s.v = s.drive + MARGIN * crossing.magnitude(k, c, s), s.v + MARGIN * crossing.magnitude(k, c, s)
    return crossing.crossing(k, c, s)[0]


def crossing_of_jumps(k: Shape, c: Sequence[float], s: State) -> float:
    """The crossing of a neuron without currents: a function of U and the frame in which it lies, and nothing else."""
    f = s.frame
    assert f is not None
    gap = (c[THRESHOLD] - s.drive) * c[PER_UNIT]
    if gap >= 0.0:
        return math.inf
    u, origin = f.u, math.floor(s.t / c[WIDTH_M]) * c[WIDTH_M]
    while True:
        t = origin + c[TAU_M] * log(u / gap) if float(u) < gap else origin
        origin = origin + c[WIDTH_M]
        if t < origin:
            return max(t, s.t)
        u = later(u, c[KEPT_M], 1.0)
