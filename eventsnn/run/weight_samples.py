"""WeightSamples: the weights of plastic projections at the times at which they are recorded."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.compile.plan import Plan, WeightProbePlan
from eventsnn.run.samples import sample_times


class WeightSamples:
    """What has been recorded of weights that change by themselves; static ones need no samples."""

    def __init__(self, plan: Plan):
        self.times: dict[str, list[float]] = {probe.name: [] for probe in learning(plan)}
        self.weights: dict[str, list[Floats]] = {name: [] for name in self.times}

    def pauses(self, plan: Plan, start: float, stop: float) -> list[float]:
        """Where a run must pause so that weights are sampled after all that happens at their time; and its end."""
        due: set[float] = set()
        for probe in learning(plan):
            due.update(sample_times(probe.every, probe.times, start, stop).tolist())
        pauses = sorted(math.nextafter(time, math.inf) for time in due)
        return [*pauses, stop] if not pauses or pauses[-1] < stop else pauses

    def take(self, plan: Plan, start: float, pause: float, weights: Callable[[str], Floats]) -> None:
        """Sample what is due in [start, pause); the network stands at `pause`."""
        for probe in learning(plan):
            for time in sample_times(probe.every, probe.times, start, pause).tolist():
                self.times.setdefault(probe.name, []).append(time)
                self.weights.setdefault(probe.name, []).append(weights(probe.projection)[probe.ids])

    def of(self, probe: WeightProbePlan) -> tuple[Floats, Floats]:
        """Times, and weights (ids, samples)."""
        times = self.times.get(probe.name, [])
        if not times:
            return np.empty(0), np.empty((probe.ids.size, 0))
        return np.array(times), np.array(self.weights[probe.name]).T.copy()


def learning(plan: Plan) -> list[WeightProbePlan]:
    """Recordings of weights that change by themselves."""
    plastic = {p.name for p in plan.projections if p.plastic is not None}
    return [probe for probe in plan.weight_probes if probe.projection in plastic]
