"""Linear neurons solved twice, both times without the package: by their exponentials in 50 digits, and as differential
equations by DOP853.

Between two events everything about such a neuron is a sum of exponentials. `spikes` writes that sum down and looks for
its first zero by interval arithmetic: every term is monotone, so its values at the ends of an interval enclose it, and
an interval is halved until the enclosure of the sum shows that there is no zero, or that of its derivative that there
is at most one. Nothing is missed and nothing is taken for a zero that is none. `integrated_spikes` knows the
differential equations only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from mpmath import exp, mp, mpf
from scipy.integrate import solve_ivp

Sum = dict[mpf, mpf]  # rate (1/ms) -> coefficient: the function of s that is the sum of coefficient exp(-rate s)
NARROWEST = mpf(10) ** -20  # ms; a touch that is this narrow is one of 1e-40 mV, which 50 digits barely tell from none


@dataclass
class Decaying:
    """A current, or a part of the threshold: x' = -rate x + gain v, and at a spike x <- max(lowest, scale x + jump).

    With `late` the spike's change is made to what the decay of the refractory period leaves of x.
    """

    rate: float
    x: float = 0.0
    gain: float = 0.0
    scale: float = 1.0
    jump: float = 0.0
    lowest: float = -np.inf
    late: bool = False


@dataclass
class Neuron:
    """C v' = -g v + I + currents, threshold = base + thresholds; v and threshold in mV above rest.

    reset: (factor, addition) of v at a spike; None if v goes on. Where v is reset it is held for t_ref, and so are the
    thresholds that it drives.
    """

    C: float
    g: float
    base: float
    v: float = 0.0
    reset: tuple[float, float] | None = (0.0, 0.0)
    t_ref: float = 0.0
    currents: list[Decaying] = field(default_factory=list)
    thresholds: list[Decaying] = field(default_factory=list)


def exactly(neuron: Neuron) -> Neuron:
    """The same neuron with the very values of its floats."""

    def parts(old: list[Decaying]) -> list[Decaying]:
        return [
            Decaying(*(mpf(float(v)) for v in (p.rate, p.x, p.gain, p.scale, p.jump, p.lowest)), late=p.late)
            for p in old
        ]

    numbers = {name: mpf(float(getattr(neuron, name))) for name in ("C", "g", "base", "v", "t_ref")}
    reset = None if neuron.reset is None else tuple(mpf(float(x)) for x in neuron.reset)
    return Neuron(**numbers, reset=reset, currents=parts(neuron.currents), thresholds=parts(neuron.thresholds))


# ---- sums of exponentials


def value(terms: Sum, s: mpf) -> mpf:
    return sum((c * exp(-rate * s) for rate, c in terms.items()), mpf(0))


def derivative(terms: Sum) -> Sum:
    return {rate: -rate * c for rate, c in terms.items() if rate != 0}


def added(*sums: Sum) -> Sum:
    total: Sum = {}
    for terms in sums:
        for rate, c in terms.items():
            total[rate] = total.get(rate, mpf(0)) + c
    return total


def relaxed(rate: mpf, start: mpf, drive: Sum) -> Sum:
    """y with y' = -rate y + drive and y(0) = start. No rate of the drive may equal `rate`."""
    particular = {r: c / (rate - r) for r, c in drive.items()}
    return added(particular, {rate: start - sum(particular.values(), mpf(0))})


def curves(neuron: Neuron, current: mpf) -> tuple[list[Sum], Sum, list[Sum]]:
    """Currents, potential and parts of the threshold from now on, while nothing happens."""
    currents = [{part.rate: part.x} for part in neuron.currents]
    drive = added({mpf(0): current}, *currents)
    potential = relaxed(neuron.g / neuron.C, neuron.v, {rate: c / neuron.C for rate, c in drive.items()})
    thresholds = [
        relaxed(part.rate, part.x, {rate: part.gain * c for rate, c in potential.items()} if part.gain else {})
        for part in neuron.thresholds
    ]
    return currents, potential, thresholds


def enclosure(terms: Sum, a: mpf, b: mpf) -> tuple[mpf, mpf]:
    """Bounds of the sum on [a, b]."""
    low = high = mpf(0)
    for rate, c in terms.items():
        ends = sorted((c * exp(-rate * a), c * exp(-rate * b)))
        low, high = low + ends[0], high + ends[1]
    return low, high


def first_zero(terms: Sum, end: mpf) -> mpf | None:
    """The first s in [0, end] at which the sum, negative at 0, is zero."""
    slope = derivative(terms)
    waiting = [(mpf(0), end)]  # from right to left
    while waiting:
        a, b = waiting.pop()
        if enclosure(terms, a, b)[1] < 0:
            continue
        low, high = enclosure(slope, a, b)
        if low > 0 or high < 0:
            if low > 0 and value(terms, b) >= 0:
                return bracketed(terms, slope, a, b)
            continue
        if b - a < NARROWEST:
            raise ArithmeticError(f"the threshold is touched, or crossed twice, within {NARROWEST} ms of {a}")
        waiting += [((a + b) / 2, b), (a, (a + b) / 2)]
    return None


def bracketed(terms: Sum, slope: Sum, a: mpf, b: mpf) -> mpf:
    """The zero in [a, b] of a sum that rises there: Newton's steps where they stay inside, halves where not."""
    s = b
    while b - a > mpf(10) ** -35:
        f = value(terms, s)
        a, b = (a, s) if f >= 0 else (s, b)
        new = s - f / value(slope, s)
        if abs(new - s) < mpf(10) ** -35:
            return new
        s = new if a < new < b else (a + b) / 2
    return b


# ---- events


def spikes(neuron: Neuron, changes: list[tuple[float, float]], stop: float) -> list[tuple[mpf, mpf]]:
    """(time, speed of v relative to the threshold) of all spikes before `stop`.

    changes: (time in ms, current from then on); 0 before the first.
    """
    with mp.workdps(50):
        return list(events(exactly(neuron), [(mpf(float(t)), mpf(float(x))) for t, x in changes], mpf(float(stop))))


def events(neuron: Neuron, changes: list[tuple[mpf, mpf]], stop: mpf) -> Iterator[tuple[mpf, mpf]]:
    now, free, current = mpf(0), mpf(0), mpf(0)
    pending = [*changes, (stop, mpf(0))]
    while True:
        while pending and pending[0][0] <= now:
            current = pending.pop(0)[1]
        if not pending:
            return
        until = min(pending[0][0], free) if free > now else pending[0][0]
        _, potential, thresholds = curves(neuron, current)
        above = added(potential, {rate: -c for rate, c in added({mpf(0): neuron.base}, *thresholds).items()})
        fires = None
        if now >= free:
            height = neuron.v - neuron.base - sum(part.x for part in neuron.thresholds)
            fires = mpf(0) if height >= 0 else first_zero(above, until - now)
        if fires is None:
            advance(neuron, current, until - now)
            now = until
            continue
        speed = value(derivative(above), fires)
        advance(neuron, current, fires)
        now += fires
        if now >= stop:
            return
        yield now, speed
        free = now + neuron.t_ref
        fire(neuron)
        if neuron.reset is not None and neuron.t_ref > 0:
            # Held: nothing that lasts until the release depends on what comes in meanwhile.
            assert all(part.late or part.gain for part in neuron.currents + neuron.thresholds)
            now = free


def advance(neuron: Neuron, current: mpf, s: mpf) -> None:
    currents, potential, thresholds = curves(neuron, current)
    for part, curve in zip(neuron.currents + neuron.thresholds, currents + thresholds, strict=True):
        part.x = value(curve, s)
    neuron.v = value(potential, s)


def fire(neuron: Neuron) -> None:
    for part in neuron.currents + neuron.thresholds:
        left = part.x * (exp(-part.rate * neuron.t_ref) if part.late else 1)
        part.x = max(part.lowest, part.scale * left + part.jump)
    if neuron.reset is not None:
        neuron.v = neuron.reset[0] * neuron.v + neuron.reset[1]


# ---- the same neurons as differential equations


def integrated_spikes(neuron: Neuron, changes: list[tuple[float, float]], stop: float) -> list[float]:
    """All spike times before `stop`, in floating point."""
    neuron = replace(
        neuron,
        currents=[replace(part) for part in neuron.currents],
        thresholds=[replace(part) for part in neuron.thresholds],
    )
    parts = neuron.currents + neuron.thresholds
    n = len(neuron.currents)
    rate, gain = np.array([part.rate for part in parts]), np.array([part.gain for part in parts])
    current = 0.0

    def flow(t, y):
        v = (-neuron.g * y[0] + current + sum(y[1 : 1 + n])) / neuron.C
        return np.append(v, -rate * y[1:] + gain * y[0])

    def above(t, y):
        return y[0] - neuron.base - sum(y[1 + n :])

    above.terminal, above.direction = True, 1.0

    def solve(y, t, **options):
        return solve_ivp(flow, (0.0, t), y, method="DOP853", rtol=1e-13, atol=1e-14, max_step=2.0, **options)

    now, free, found = 0.0, 0.0, []
    y = np.array([neuron.v] + [part.x for part in parts])
    pending = [*changes, (stop, 0.0)]
    while True:
        while pending and pending[0][0] <= now:
            current = pending.pop(0)[1]
        if not pending:
            return found
        until = min(pending[0][0], free) if free > now else pending[0][0]
        fires = now >= free and above(0.0, y) >= 0
        step = 0.0
        if now >= free and not fires:
            path = solve(y, until - now, events=above)
            fires, step = path.status == 1, float(path.t[-1])
            if not fires:
                y, now = path.y[:, -1], until
                continue
            for _ in range(2):  # the zero of the interpolant is none of the solution to all digits
                at = solve(y, step).y[:, -1]
                speed = flow(0.0, at)
                step -= above(0.0, at) / (speed[0] - sum(speed[1 + n :]))
        if not fires:
            y, now = solve(y, until - now).y[:, -1], until
            continue
        if step > 0:
            y = solve(y, step).y[:, -1]
        now += step
        found.append(now)
        free = now + neuron.t_ref
        left = [x * np.exp(-part.rate * neuron.t_ref) if part.late else x for part, x in zip(parts, y[1:], strict=True)]
        after = [max(part.lowest, part.scale * x + part.jump) for part, x in zip(parts, left, strict=True)]
        if neuron.reset is None:
            y = np.array([y[0], *after])
        else:
            y = np.array([neuron.reset[0] * y[0] + neuron.reset[1], *after])
            now = free
