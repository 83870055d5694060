"""Exponential frames: how a neuron is kept between its events so that an input costs no exponential of its own.

ext/eventsnn/_core/frames.pxd performs the same operations in the same order.

Where a leaky membrane takes exponential currents, constant drive and nothing else,

    v(t) = drive + U exp(-(t - F) / tau_m) - sum_i a_i x_i(t),   x_i(t) = X_i exp(-(t - F) / tau_i),
    a_i = (tau_m tau_i / (tau_m - tau_i)) / C_m,

with numbers U and X_i that nothing but an event changes. F, the origin of the frame, is the last multiple of a power of
two (WIDTH, ms) not after t, so that the exponentials stay small. An input of w to x_i at t adds w exp((t - F) / tau_i)
to X_i and w a_i exp((t - F) / tau_m) to U; one to v itself adds w exp((t - F) / tau_m) to U. These factors are the same
for every neuron with the same time constants: a spike that reaches a thousand neurons needs one of each.

(a) What synapses add and what stimuli add are kept apart, in two halves of which only the sum means anything: the order
    of synaptic and external inputs among each other then changes no bit.
(b) An event in a later frame moves the neuron there, by one factor for each number however many frames lie between.
(c) While the neuron is refractory, v is held and U has no meaning; the currents go on. At the end of the refractory
    period U is found from v and the currents.
(d) A spike, and a change of the current, take the state out of its frame and put it back. Under a ramp or a sinusoidal
    current, and where a_i would be so large that the terms cancel, there is no frame (eventsnn/models/linear.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from eventsnn._core.mathfunc import exp, log
from eventsnn.models.base import Frame, State
from eventsnn.models.closed_form import COUPLING, RATE, RATE_M, TAU_M, THRESHOLD, WIDTH, Shape, current_at, threshold_at

# Smaller numbers are no more than zero, and would soon be denormal, which is slow.
SMALLEST = 1e-300

SYNAPTIC, EXTERNAL = 0, 1


def enter(k: Shape, c: Sequence[float], s: State, release: float) -> None:
    """Put a state into the frame of its time, if it can be in one."""
    if c[WIDTH] == 0.0 or s.slope != 0.0 or s.sines:
        return
    origin = math.floor(s.t / c[WIDTH]) * c[WIDTH]
    span = s.t - origin
    x = [s.x[i] * exp(span * c[current_at(k, i) + RATE]) for i in range(k.n_currents)]
    s.frame = Frame(origin, [0.0, 0.0], [x, [0.0] * k.n_currents])
    if not s.t < release:
        lift(k, c, s)


def leave(k: Shape, c: Sequence[float], s: State, release: float) -> None:
    """Take a state out of its frame."""
    f = s.frame
    if f is None:
        return
    span = s.t - f.origin
    total = (f.u[SYNAPTIC] + f.u[EXTERNAL]) / exp(span * c[RATE_M])
    for i in range(k.n_currents):
        s.x[i] = current(k, c, f, span, i)
        s.low[i] = 0.0
        total = total - c[current_at(k, i) + COUPLING] * s.x[i]
    if not s.t < release:
        s.v = s.drive + total
    s.frame = None


def current(k: Shape, c: Sequence[float], f: Frame, span: float, i: int) -> float:
    return (f.x[SYNAPTIC][i] + f.x[EXTERNAL][i]) / exp(span * c[current_at(k, i) + RATE])


def lift(k: Shape, c: Sequence[float], s: State) -> None:
    """Find U from v, where the neuron has just become free."""
    f = s.frame
    assert f is not None
    span = s.t - f.origin
    total = s.v - s.drive
    for i in range(k.n_currents):
        total = total + c[current_at(k, i) + COUPLING] * current(k, c, f, span, i)
    f.u = [total * exp(span * c[RATE_M]), 0.0]


def move(k: Shape, c: Sequence[float], s: State, t: float) -> None:
    """Go on to t, and to the frame in which it lies."""
    f = s.frame
    assert f is not None
    origin = math.floor(t / c[WIDTH]) * c[WIDTH]
    s.t = t
    gap = origin - f.origin
    if gap == 0.0:
        return
    f.origin = origin
    kept = exp(-gap * c[RATE_M])
    f.u = [flushed(u * kept) for u in f.u]
    for i in range(k.n_currents):
        kept = exp(-gap * c[current_at(k, i) + RATE])
        for half in f.x:
            half[i] = flushed(half[i] * kept)


def flushed(value: float) -> float:
    return 0.0 if -SMALLEST < value < SMALLEST else value


def settle(k: Shape, c: Sequence[float], s: State, t: float, release: float) -> None:
    """Go on to t, through the end of refractoriness if that lies between."""
    if s.t < release <= t:
        move(k, c, s, release)
        lift(k, c, s)
    move(k, c, s, t)


def add(k: Shape, c: Sequence[float], s: State, port: int, weight: float, half: int, release: float) -> None:
    """An input at the time of the state."""
    f = s.frame
    assert f is not None
    span = s.t - f.origin
    free = not s.t < release
    scale = c[threshold_at(k, k.n_thresholds) + k.n_currents + port]
    slot = k.targets[port]
    if slot >= 0:
        at = current_at(k, slot)
        f.x[half][slot] = f.x[half][slot] + weight * (scale * exp(span * c[at + RATE]))
        scale = scale * c[at + COUPLING]
    if free:
        f.u[half] = f.u[half] + weight * (scale * exp(span * c[RATE_M]))


def reached(k: Shape, c: Sequence[float], s: State) -> bool:
    """Whether v is at the threshold or above it."""
    f = s.frame
    assert f is not None
    span = s.t - f.origin
    total = 0.0
    for i in range(k.n_currents):
        total = total + c[current_at(k, i) + COUPLING] * current(k, c, f, span, i)
    return f.u[SYNAPTIC] + f.u[EXTERNAL] >= ((c[THRESHOLD] - s.drive) + total) * exp(span * c[RATE_M])


def crossing(k: Shape, c: Sequence[float], s: State) -> float:
    """When a neuron without currents reaches the threshold if nothing else happens: a function of U and the frame
    alone, whatever its last event was."""
    f = s.frame
    assert f is not None
    gap = c[THRESHOLD] - s.drive
    if reached(k, c, s):
        return s.t
    if gap >= 0.0:
        return math.inf
    return max(s.t, f.origin + c[TAU_M] * log((f.u[SYNAPTIC] + f.u[EXTERNAL]) / gap))
