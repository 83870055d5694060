"""ReferenceSimulation: the reference engine, whose events can be looked at one by one."""

from __future__ import annotations

import math

from eventsnn.base.checks import scalar, whole
from eventsnn.compile.plan import Plan
from eventsnn.run.change import Change
from eventsnn.run.entry import Entry
from eventsnn.run.reference import Reference
from eventsnn.run.samples import sample_times
from eventsnn.run.simulation import Simulation


class ReferenceSimulation(Simulation):
    """A Simulation by the reference engine, which also goes from event to event."""

    engine = "reference"
    _state: Reference

    def _begin(self) -> Reference:
        return Reference(self.plan)

    def _continue(self, plan: Plan, change: Change) -> Reference:
        return self._state.continued(plan, change)

    def _advance_a_little(self, stop: float, budget: int, threads: int) -> bool:
        return self._state.advance(stop, budget, pausing=True)

    def peek(self) -> float:
        """Time of the next event in ms, inf if there is none.

        A search for a crossing that has not ended counts as an event: a step goes on with it, and nothing else happens.
        """
        return self._state.peek()

    def step(self) -> None:
        """Process all events of the next time and round, and the samples before it."""
        reference = self._state
        self.require_rest("step")
        if self._ended is not None:
            raise self._ended
        t = reference.peek()
        if t < math.inf:
            times = [sample_times(probe.every, probe.times, self.time, t) for probe in self.plan.probes]
            reference.set_samples(times)
            while reference.peek() < t:
                reference.step()
            reference.time = t
            reference.step()
            self._collect(times, *reference.take_spikes())
        if self._ended is not None:
            raise self._ended

    def pending(self, neuron: int | None = None, until: float = math.inf) -> list[Entry]:
        """Events in the queue, of one neuron or all, before `until` ms."""
        if neuron is not None:
            neuron = whole(neuron, "pending: neuron", 0, self.plan.n - 1)
        return self._state.pending(neuron, scalar(until, "pending: until", "a number of ms", unit="ms"))
