"""Recording: what a simulation has recorded and not yet handed on, and the results that are made of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError
from eventsnn.base.sorting import order_by, order_in_time
from eventsnn.compile.plan import Plan
from eventsnn.results.recorded import Recorded
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces
from eventsnn.run.history import SpikeHistory, TraceHistory
from eventsnn.run.injected import Injected
from eventsnn.run.samples import sample_times
from eventsnn.run.weight_samples import WeightSamples, learning

# To read it takes half a millisecond.
VERSION = version("eventsnn")


class Recording:
    """Spikes, samples and weights since `start`, ms, and the notes that the summary of results needs."""

    def __init__(self, plan: Plan):
        self.plan = plan
        # When recordings began that were added while the network lived.
        self.since: dict[tuple[str, str], float] = {("weight", probe.name): 0.0 for probe in plan.weight_probes}
        # By projection, when which weights were set.
        self.weights: dict[str, list[tuple[float, Floats]]] = {}
        # Spikes at the time at which an interrupted run stands. They are kept back, for more may come at this time.
        self.late = (np.empty(0), np.empty(0, dtype=np.int32))
        self.injected = Injected()
        self.begin(0.0)

    def begin(self, start: float) -> None:
        """Drop what was recorded before a time."""
        plan = self.plan
        self.start = start
        self._spikes = {p.name: SpikeHistory() for p in plan.populations if plan.recorded[p.start : p.stop].any()}
        self._samples = [TraceHistory(probe.variables, probe.ids.size) for probe in plan.probes]
        self.weight_samples = WeightSamples(plan)

    def see(self, plan: Plan, time: float) -> None:
        """Go on with another Plan, in which more may be recorded."""
        self.injected.change(self.plan, plan, time)
        self.plan = plan
        for p in plan.populations:
            if plan.recorded[p.start : p.stop].any() and p.name not in self._spikes:
                self._spikes[p.name] = SpikeHistory()
                self.since["spikes", p.name] = time
        for probe in plan.probes[len(self._samples) :]:
            self._samples.append(TraceHistory(probe.variables, probe.ids.size))
        for weights in plan.weight_probes:
            self.since.setdefault(("weight", weights.name), time)

    def forked(self, time: float) -> Recording:
        """A recording of the same from a time on, that knows what has been set before."""
        twin = Recording(self.plan)
        twin.since, twin.late = dict(self.since), self.late
        twin.weights = {name: list(changes) for name, changes in self.weights.items()}
        twin.injected = Injected(time)
        twin.begin(time)
        return twin

    def require_same(self, populations: Mapping[str, int], traces: Mapping[str, list[str]], where: str) -> None:
        """Raise InputError unless these are what is recorded: those of a run that is to be gone on with."""
        here = self.recorded(self.start, {})
        mine = {name: trains.n for name, trains in here.spikes.items()}
        sampled = {name: sorted(trace.variables) for name, trace in here.traces.items()}
        others = {name: sorted(variables) for name, variables in traces.items()}
        for what, now, before in (("spikes", mine, populations), ("samples", sampled, others)):
            odd = [name for name in {**now, **before} if now.get(name) != before.get(name)]
            if odd:
                raise InputError(
                    f"resume: {what} of {odd[0]} were recorded otherwise by the run in {where}; record what it did"
                )

    def note_weights(self, projection: str, time: float, weights: Floats) -> None:
        """The weights of a projection that does not learn have been set."""
        changes = self.weights.setdefault(projection, [])
        if not any(probe.projection == projection for probe in self.plan.weight_probes):
            changes.clear()
        changes.append((time, weights))

    def take(self, engine: Any, times: list[Floats], spikes: tuple[Floats, NDArray[np.int32]], end: float) -> None:
        """Take over spikes, and what an engine has sampled at these times, before `end`."""
        spike_times, neurons = np.append(self.late[0], spikes[0]), np.append(self.late[1], spikes[1])
        early = spike_times < end
        self.late = (spike_times[~early], neurons[~early])
        self._keep_spikes(spike_times[early], neurons[early])
        for store, at, values in zip(self._samples, times, engine.samples, strict=True):
            n = int(np.searchsorted(at, end))
            store.append(at[:n], {name: array[:, :n] for name, array in values.items()})

    def _keep_spikes(self, times: Floats, neurons: NDArray[np.int32]) -> None:
        """Take over the spikes of a run, by population and in output order: (time, id)."""
        starts = np.array([p.start for p in self.plan.populations])
        of = np.searchsorted(starts, neurons, side="right") - 1
        order = order_by(neurons)
        order = order[order_in_time(times[order])]
        order = order[order_by(of[order])]
        bounds = np.searchsorted(of[order], np.arange(starts.size + 1))
        for p, low, high in zip(self.plan.populations, bounds[:-1], bounds[1:], strict=True):
            if low < high:
                mine = order[low:high]
                self._spikes[p.name].append(times[mine], neurons[mine].astype(np.int64) - p.start)

    def recorded(self, end: float, summary: dict[str, Any]) -> Recorded:
        """What was recorded up to a time."""
        return Recorded(self._spike_trains(end), self._traces(end), self.start, end, summary)

    def _spike_trains(self, end: float) -> dict[str, SpikeTrains]:
        spikes = {}
        for p in self.plan.populations:
            if p.name in self._spikes:
                history = self._spikes[p.name]
                recorded = self.plan.recorded[p.start : p.stop]
                selected = None if recorded.all() else np.flatnonzero(recorded)
                if selected is not None:
                    selected.flags.writeable = False
                n = p.n if selected is None else selected.size
                spikes[p.name] = SpikeTrains.sound(
                    history.times.values, history.ids.values, n, self._begin_of("spikes", p.name), end, p.name, selected
                )
        return spikes

    def _traces(self, end: float) -> dict[str, Traces]:
        traces = {}
        for probe, samples in zip(self.plan.probes, self._samples, strict=True):
            values = {name: grown.values for name, grown in samples.values.items()}
            traces[probe.name] = Traces.sound(samples.times.values, probe.ids, values)
        changing = {probe.name for probe in learning(self.plan)}
        for weights in self.plan.weight_probes:
            if weights.name in changing:
                at, sampled = self.weight_samples.of(weights)
                traces[weights.name] = Traces(at, weights.ids, {"weight": sampled})
                continue
            at = sample_times(weights.every, weights.times, self._begin_of("weight", weights.name), end)
            sampled = np.broadcast_to(weights.weight[:, np.newaxis], (weights.ids.size, at.size))
            if weights.projection in self.weights:
                sampled = sampled.copy()
            for time, changed in self.weights.get(weights.projection, ()):
                sampled[:, at >= time] = changed[weights.ids, np.newaxis]
            traces[weights.name] = Traces(at, weights.ids, {"weight": sampled})
        return traces

    def _begin_of(self, kind: str, name: str) -> float:
        """Since when there is something of a recording."""
        return max(self.start, self.since.get((kind, name), 0.0))


@cache
def machine() -> dict[str, Any]:
    """What a summary says of the computer."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }
