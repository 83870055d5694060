"""Leaky integrate-and-fire cells under currents that are straight lines between samples, many side by side.

Between two samples tau dV/dt = -V + s, s = s0 + r u, has the solution

    V(u) = V0 + r (u - u0) + c expm1(-(u - u0) / tau),    c = V0 - s(u0) + r tau.

All cells are taken from sample to sample at once; those that may have reached the threshold before are looked at one by
one. V is convex or concave, as c says. So it has one first crossing between u0 and the end if it lies above the
threshold there, or at the maximum of a concave V before; and Newton's method goes to it from one side, begun at that
end of a convex V, and at u0 of a concave one.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from eventsnn.base.arrays import Floats, Ints

# Newton's steps, at most: near a grazing crossing each takes half of the distance that is left.
MOST_STEPS = 60


class Spikes(NamedTuple):
    """Which cell spikes, and when (ms)."""

    cell: Ints
    times: Floats


class UnboundedError(Exception):
    """A cell spikes more often than is allowed; the arguments are its number and the time (ms)."""


@dataclass
class HairCells:
    """Cells that begin at V = 0; at V = threshold a cell spikes, and V is then 0 for t_ref (ms).

    Attributes: dt (ms), between two samples; tau (ms); threshold; t_ref (ms); most, spikes within dt; v and free (ms),
    the state of each cell, V and when it may move; steps, how many they have taken.
    """

    n: int
    dt: float
    tau: float
    threshold: float
    t_ref: float
    most: int
    steps: int = 0

    def __post_init__(self) -> None:
        self.v, self.free = np.zeros(self.n), np.zeros(self.n)

    def follow(self, current: Floats) -> Spikes:
        """Spikes from the first to the last sample of currents (cells, samples); the next call begins with that one.

        Raises UnboundedError for a cell that spikes more than `most` times within dt.
        """
        # V at the end of a step is decay V + early s0 + late s1.
        decay, gained = math.exp(-self.dt / self.tau), -math.expm1(-self.dt / self.tau)
        early, late = self.tau / self.dt * gained - decay, 1.0 - self.tau / self.dt * gained
        cells: list[int] = []
        times: list[float] = []
        samples = current.T
        for s0, s1 in itertools.pairwise(samples):
            begin, before = self.steps * self.dt, self.v
            self.v = decay * before + early * s0 + late * s1
            # A maximum, where V = s, lies in between only if V is below s at first and above it at last.
            may_cross = (self.v >= self.threshold) | ((s0 >= self.threshold) & (before < s0) & (self.v > s1))
            for i in np.flatnonzero(may_cross | (self.free > begin)).tolist():
                line = float(s0[i]), float(s1[i] - s0[i]) / self.dt
                self.v[i], found = self._step(float(before[i]), float(self.free[i]) - begin, *line)
                if len(found) > self.most:
                    raise UnboundedError(i, begin)
                if found:
                    cells += [i] * len(found)
                    times += [begin + u for u in found]
                    self.free[i] = begin + found[-1] + self.t_ref
            self.steps += 1
        return Spikes(np.array(cells, dtype=np.int64), np.array(times, dtype=np.float64))

    def _step(self, v: float, free: float, s0: float, slope: float) -> tuple[float, list[float]]:
        """V at the end of a step and when a cell spikes in it, one time more than `most` at most; s = s0 + slope u.

        free: when it may move, from the begin of the step.
        """
        u = max(free, 0.0)
        found: list[float] = []
        while u < self.dt:
            left = self.dt - u
            crossing = _crossing(v, s0 + slope * u, slope, left, self.tau, self.threshold)
            if crossing is None:
                gained = (v - s0 - slope * u + slope * self.tau) * math.expm1(-left / self.tau)
                return v + slope * left + gained, found
            found.append(u + crossing)
            if len(found) > self.most:
                break
            v, u = 0.0, u + crossing + self.t_ref
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
