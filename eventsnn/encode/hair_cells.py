"""Leaky integrate-and-fire cells under currents that are straight lines between samples, many side by side.

Between two samples tau dV/dt = -V + s, s = s0 + r u, has the solution

    V(u) = V0 + r (u - u0) + c expm1(-(u - u0) / tau),    c = V0 - s(u0) + r tau.

All cells are taken from sample to sample at once; those that may have reached the threshold before are looked at one by
one. V is convex or concave, as c says. So it has one first crossing between u0 and the end if it lies above the
threshold there, or at the maximum of a concave V before; and Newton's method goes to it from one side, begun at that
end of a convex V, and at u0 of a concave one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from eventsnn.trains import Floats, Ints

# Newton's steps, at most: near a grazing crossing each takes half of the distance that is left.
MOST_STEPS = 60


class Spikes(NamedTuple):
    """Which cell spikes, and when (ms)."""

    cell: Ints
    times: Floats


class UnboundedError(Exception):
    """A cell spikes more often than is allowed; the arguments are its number and the time (ms)."""


def spikes(current: Floats, dt: float, tau: float, threshold: float, t_ref: float, most_in_step: int) -> Spikes:
    """Spikes of cells that begin at V = 0 under currents (cells, samples), dt (ms) apart, of which the last one stays.

    At V = threshold a cell spikes; V is then 0 for t_ref (ms). Raises UnboundedError for a cell that spikes more than
    most_in_step times within dt.
    """
    samples = np.concatenate([current, current[:, -1:]], axis=1).T
    # V at the end of a step is decay V + early s0 + late s1.
    decay, gained = math.exp(-dt / tau), -math.expm1(-dt / tau)
    early, late = tau / dt * gained - decay, 1.0 - tau / dt * gained
    v, free = np.zeros(len(current)), np.zeros(len(current))
    cells: list[int] = []
    times: list[float] = []
    for k, (s0, s1) in enumerate(zip(samples[:-1], samples[1:], strict=True)):
        begin, before = k * dt, v
        v = decay * v + early * s0 + late * s1
        # A maximum, where V = s, lies in between only if V is below s at first and above it at last.
        may_cross = (v >= threshold) | ((s0 >= threshold) & (before < s0) & (v > s1))
        for i in np.flatnonzero(may_cross | (free > begin)).tolist():
            line = (float(s0[i]), float(s1[i] - s0[i]) / dt)
            v[i], found = _step(float(before[i]), float(free[i]) - begin, line, dt, tau, threshold, t_ref, most_in_step)
            if len(found) > most_in_step:
                raise UnboundedError(i, begin)
            if found:
                cells += [i] * len(found)
                times += [begin + u for u in found]
                free[i] = begin + found[-1] + t_ref
    return Spikes(np.array(cells, dtype=np.int64), np.array(times, dtype=np.float64))


def _step(
    v: float, free: float, line: tuple[float, float], dt: float, tau: float, threshold: float, t_ref: float, most: int
) -> tuple[float, list[float]]:
    """V of a cell at the end of a step, and when it spikes in it, one time more than `most` at most.

    free: when it may move, from the begin of the step; line: s0 and r.
    """
    s0, slope = line
    u = max(free, 0.0)
    found: list[float] = []
    while u < dt:
        crossing = _crossing(v, s0 + slope * u, slope, dt - u, tau, threshold)
        if crossing is None:
            left = dt - u
            return v + slope * left + (v - s0 - slope * u + slope * tau) * math.expm1(-left / tau), found
        found.append(u + crossing)
        if len(found) > most:
            break
        v, u = 0.0, u + crossing + t_ref
    return 0.0, found


def _crossing(v: float, s: float, slope: float, length: float, tau: float, threshold: float) -> float | None:
    """When V first reaches the threshold within so many ms, None if it does not; s is what it follows at first."""
    if v >= threshold:
        return 0.0
    c = v - s + slope * tau

    def at(u: float) -> float:
        return v + slope * u + c * math.expm1(-u / tau)

    end = length
    if at(end) < threshold:
        if not (c < 0.0 and slope < 0.0 and c < slope * tau):
            return None
        end = tau * math.log(c / (slope * tau))
        if end >= length or at(end) < threshold:
            return None
    u = end if c > 0.0 else 0.0
    for _ in range(MOST_STEPS):
        rise = slope - c / tau * math.exp(-u / tau)
        if rise <= 0.0:
            break  # V is at its maximum, which is the threshold
        following = min(max(u + (threshold - at(u)) / rise, 0.0), end)
        if abs(following - u) <= 2.0 * math.ulp(1.0) * end:
            return following
        u = following
    return u
