"""The events of a part of a run on a time line per neuron, in the Trace Event Format that Perfetto and chrome://tracing
show (Google, "Trace Event Format").

It follows from what was recorded: a spike of a neuron at t arrives along each of its synapses at t + delay. So a run is
no slower for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from eventsnn._core.draw.stream import POISSON, SINE, STEPS
from eventsnn._core.solve.neuron import T_REF
from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.errors import InputError
from eventsnn.compile.plan import PartPlan, Plan, PopulationPlan, ProceduralPlan, ProjectionPlan
from eventsnn.results.recorded import Recorded
from eventsnn.run.entry import sines_of
from eventsnn.run.external import spike_times

# What a viewer can hold.
MOST_EVENTS = 1_000_000
# Neurons of each population where none are named.
FEW = 10
# Spikes that are looked at together.
BLOCK = 10_000

Event = dict[str, Any]
Projections = ProjectionPlan | PartPlan | ProceduralPlan


def timeline(
    plan: Plan, results: Recorded, t0: float, t1: float, neurons: Mapping[str, Ints] | None, varying: Collection[str]
) -> dict[str, Any]:
    """Spikes of these neurons and all that arrives at them in [t0, t1), ms, fit for JSON.

    neurons: ids by population; None: the first FEW of each. varying: projections of whose weights only the present ones
    are known. Each population is a process there and each neuron a thread; a spike lasts as long as the neuron is
    refractory, and an arrow leads from it to where it arrives. Times are simulated ones, which the format has in us;
    `args` have them in ms, in full. Raises InputError for a window that was not simulated, spikes that were not
    recorded and more than MOST_EVENTS.
    """
    if not results.t_start <= t0 < t1 <= results.t_stop:
        raise InputError(
            f"time line: {t0:g} to {t1:g} ms is no part of {results.t_start:g} to {results.t_stop:g} ms, which was "
            "simulated"
        )
    shown = _shown(plan, neurons)
    events = [*_names(plan, shown)]
    for event in _events(plan, results, t0, t1, shown, varying):
        events.append(event)
        if len(events) > MOST_EVENTS:
            raise InputError(
                f"time line: there are more than {MOST_EVENTS:,} events from {t0:g} to {t1:g} ms; take a shorter "
                "window, or fewer neurons"
            )
    return {"traceEvents": events, "displayTimeUnit": "ms", "otherData": {"begin_ms": t0, "end_ms": t1}}


def _shown(plan: Plan, neurons: Mapping[str, Ints] | None) -> Ints:
    """Numbers of the neurons that are shown, ascending."""
    if neurons is None:
        return np.concatenate([np.arange(p.start, min(p.start + FEW, p.stop)) for p in plan.populations])
    populations = {p.name: p for p in plan.populations}
    found = []
    for name, ids in neurons.items():
        if not plan.recorded[ids + populations[name].start].all():
            raise InputError(f"time line: not all spikes of these neurons of {name} were recorded; record them")
        found.append(ids + populations[name].start)
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *found]))


def _names(plan: Plan, shown: Ints) -> Iterator[Event]:
    for number, p in enumerate(plan.populations):
        mine = shown[(shown >= p.start) & (shown < p.stop)] - p.start
        if mine.size:
            yield {"ph": "M", "name": "process_name", "pid": number, "args": {"name": p.name}}
        for neuron in mine.tolist():
            named = {"args": {"name": f"{p.name} {neuron}"}}
            yield {"ph": "M", "name": "thread_name", "pid": number, "tid": neuron, **named}


def _events(
    plan: Plan, results: Recorded, t0: float, t1: float, shown: Ints, varying: Collection[str]
) -> Iterator[Event]:
    """Spikes, arrivals from neurons with their arrows, and external ones."""
    where = _Where(plan, shown)
    yield from _spikes(plan, results, t0, t1, shown, where)
    arrow = 0
    for projection in plan.projections:
        for sender, fired, post, weight, delay, time in _arrivals(plan, results, projection, t0, t1, shown):
            name = where.name(sender)
            args = {"projection": projection.name, "sender": name, "fired_ms": fired, "delay_ms": delay}
            if projection.name not in varying:
                args["weight"] = weight
            yield where.event(f"from {name}", post, time, args)
            if t0 <= fired and where.is_shown(sender):
                arrow += 1
                ends = {"cat": "synapse", "name": projection.name, "id": arrow}
                yield {"ph": "s", **ends, **where.place(sender), "ts": 1e3 * fired}
                yield {"ph": "f", "bp": "e", **ends, **where.place(post), "ts": 1e3 * time}
    yield from _external(plan, t0, t1, shown, where)
    yield from _currents(plan, t0, t1, shown, where)


class _Where:
    """Where events of neurons stand on the time line, and under which names."""

    def __init__(self, plan: Plan, shown: Ints):
        self._starts = np.array([p.start for p in plan.populations])
        self._populations = plan.populations
        self._shown = set(shown.tolist())

    def is_shown(self, neuron: int) -> bool:
        return neuron in self._shown

    def _of(self, neuron: int) -> tuple[int, PopulationPlan]:
        number = int(np.searchsorted(self._starts, neuron, side="right")) - 1
        return number, self._populations[number]

    def name(self, neuron: int) -> str:
        _, population = self._of(neuron)
        return f"{population.name} {neuron - population.start}"

    def place(self, neuron: int) -> dict[str, int]:
        number, population = self._of(neuron)
        return {"pid": number, "tid": neuron - population.start}

    def event(self, name: str, neuron: int, time: float, args: Mapping[str, Any], duration: float = 0.0) -> Event:
        """time, duration: ms."""
        place = {"ts": 1e3 * time, "dur": 1e3 * duration, "args": {"time_ms": time, **args}}
        return {"ph": "X", "cat": name.split()[0], "name": name, **self.place(neuron), **place}


def _spikes(plan: Plan, results: Recorded, t0: float, t1: float, shown: Ints, where: _Where) -> Iterator[Event]:
    """Spikes of the neurons themselves, as far as they were recorded."""
    for p in plan.populations:
        trains = results.spikes.get(p.name)
        if trains is None:
            continue
        inside = (trains.times >= t0) & (trains.times < t1) & np.isin(trains.ids + p.start, shown)
        for neuron, time in zip((trains.ids[inside] + p.start).tolist(), trains.times[inside].tolist(), strict=True):
            k = int(plan.class_of[neuron])
            refractory = 0.0 if k < 0 else float(plan.constants[k][T_REF])
            yield where.event("spike", neuron, time, {"refractory_ms": refractory}, refractory)


def _arrivals(
    plan: Plan, results: Recorded, projection: Projections, t0: float, t1: float, shown: Ints
) -> Iterator[tuple[int, float, int, float, float, float]]:
    """Sender, when it fired (ms), receiver, weight, delay and when it arrives (ms), for what arrives in [t0, t1)."""
    if not np.isin(projection.post, shown).any():
        return
    delay = projection.rows.delay if isinstance(projection, PartPlan) else projection.delay
    longest = float(np.max(delay, initial=0.0)) + _dendritic(projection)
    if results.t_start > 0.0 and t0 < results.t_start + longest:
        raise InputError(
            f"time line: what was fired before {results.t_start:g} ms, when recording began, may still arrive along "
            f"{projection.name} at {t0:g} ms; let the window begin at {results.t_start + longest:g} ms or later"
        )
    row_of = {neuron: row for row, neuron in enumerate(projection.pre.tolist())}
    for neuron, fired in _fired(plan, results, projection, t0 - longest - 1e-6, t1):
        target, weight, delays = projection.row(row_of[neuron])
        # In the order in which the engine adds them, so that bits are the same.
        time = (fired + delays) + _dendritic(projection)
        here = np.flatnonzero((time >= t0) & (time < t1) & np.isin(target, shown))
        for k in here.tolist():
            waits = float(delays[k]) + _dendritic(projection)
            yield neuron, fired, int(target[k]), float(weight[k]), waits, float(time[k])


def _dendritic(projection: Projections) -> float:
    return projection.rows.dendritic if isinstance(projection, PartPlan) else projection.dendritic


def _fired(
    plan: Plan, results: Recorded, projection: Projections, begin: float, end: float
) -> Iterator[tuple[int, float]]:
    """Spikes of the presynaptic side in [begin, end)."""
    for p in plan.populations:
        senders = projection.pre[(projection.pre >= p.start) & (projection.pre < p.stop)]
        if not senders.size:
            continue
        if not plan.recorded[senders].all():
            raise InputError(
                f"time line: not all spikes of {p.name}, which arrive along {projection.name}, were recorded; record "
                "those of all neurons"
            )
        trains = results.spikes[p.name]
        low, high = np.searchsorted(trains.times, [begin, end])
        mine = np.isin(trains.ids[low:high] + p.start, senders)
        ids, times = trains.ids[low:high][mine] + p.start, trains.times[low:high][mine]
        for k in range(0, ids.size, BLOCK):  # not all at once, since there may be too many events
            yield from zip(ids[k : k + BLOCK].tolist(), times[k : k + BLOCK].tolist(), strict=True)


def _external(plan: Plan, t0: float, t1: float, shown: Ints, where: _Where) -> Iterator[Event]:
    """What arrives from stimuli."""
    streams = plan.streams
    # These are drawn cell by cell, so that nothing before the window is needed.
    in_cells = np.isin(streams.kind, (POISSON, SINE, STEPS))
    from_here: Floats = np.where(in_cells, np.maximum(streams.begin, t0), streams.begin)
    later = replace(streams, begin=from_here)
    for neuron in shown.tolist():
        if plan.class_of[neuron] < 0:
            continue  # its streams are its spikes
        for s in range(int(streams.start[neuron]), int(streams.start[neuron + 1])):
            for time in spike_times(later, s):
                if time >= t1:
                    break
                if time >= t0:
                    yield where.event("external", neuron, time, {"weight": float(streams.weight[s])})


def _currents(plan: Plan, t0: float, t1: float, shown: Ints, where: _Where) -> Iterator[Event]:
    """Where an injected current takes another course: pA and pA/ms from then on, `I_e` left out."""
    currents = plan.currents
    for neuron in shown[currents.of[shown] >= 0].tolist():
        begin, end = currents.start[currents.of[neuron] : currents.of[neuron] + 2].tolist()
        first, last = (begin + np.searchsorted(currents.time[begin:end], [t0, t1])).tolist()
        for piece in range(first, last):
            args = {"current": float(currents.amplitude[piece]), "slope": float(currents.slope[piece])}
            sines: dict[str, Any] = {"sines": sines_of(currents, piece)} if sines_of(currents, piece) else {}
            yield where.event("current", neuron, float(currents.time[piece]), args | sines)
