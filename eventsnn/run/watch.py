"""Watch: counts spikes of some neurons while they run, and says when enough have come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.counted import Counted
from eventsnn.base.errors import InputError
from eventsnn.compile.plan import Plan


class Watch:
    """Of one run, whose spikes it is shown chunk by chunk."""

    def __init__(self, plan: Plan, awaited: Counted):
        name, ids = awaited.population, awaited.ids
        start = next((p.start for p in plan.populations if p.name == name and not (ids >= p.n).any()), None)
        if start is None:
            raise InputError(f"run: until: there are no such neurons of {name} in this network")
        self.mine = np.zeros(plan.n, dtype=bool)
        self.mine[start + ids] = True
        if not plan.recorded[self.mine].all():
            raise InputError(
                f"run: until: not all of these spikes of {name} are recorded, so that they cannot be counted; call "
                f'net.record({name}, "spikes")'
            )
        self.missing = awaited.n
        self.chunks = 0  # seen so far

    def see(self, times: Floats, neurons: NDArray[np.int32]) -> float | None:
        """When the last spike that was missing came (ms), if it is among these; else None."""
        self.chunks += 1
        counted = np.sort(times[self.mine[neurons]])
        self.missing -= counted.size
        return float(counted[self.missing - 1]) if self.missing <= 0 else None
