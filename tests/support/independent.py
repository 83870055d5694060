"""Linear neurons as differential equations, integrated by DOP853: nothing is shared with the package or the oracle."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.integrate import solve_ivp


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


def integrated_spikes(neuron: Neuron, changes: list[tuple[float, float]], stop: float) -> list[float]:
    """All spike times before `stop`, in floating point.

    changes: (time in ms, current from then on); 0 before the first.
    """
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
