"""SpikeCount: when a run is to stop, other than at a time."""

from __future__ import annotations

import reprlib

from eventsnn.base.checks import whole
from eventsnn.base.counted import Counted
from eventsnn.base.errors import InputError
from eventsnn.describe.parts import Neurons


class SpikeCount(Counted):
    """The run stops with the n-th spike of some neurons: `net.run(1000, until=SpikeCount(E, 10))` ms at most.

    All that happens at the time of this spike still belongs to the run, which ends at the next number after it. Spikes
    are counted from the beginning of the run on, and must be recorded. Whether the spike came is told by `net.time`,
    which then lies before the end of the duration. Raises InputError for what are no neurons of a population, for none
    of them, and for n below 1.
    """

    def __init__(self, neurons: Neurons, n: int = 1):
        if not isinstance(neurons, Neurons):
            raise InputError(f"SpikeCount: {reprlib.repr(neurons)} is not a population or a slice of one")
        if not len(neurons):
            raise InputError(f"SpikeCount: {neurons.name} has no neurons, so that no spike would come")
        self.neurons, self.population, self.ids = neurons, neurons.population.name, neurons.ids
        self.n = whole(n, "SpikeCount: n", 1)

    def __repr__(self) -> str:
        return f"SpikeCount({self.neurons!r}, {self.n})"
