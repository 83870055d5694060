"""What a simulation is asked for: whether it can be done, before anything is."""

from __future__ import annotations

import math

import numpy as np

from eventsnn.base.arrays import Floats, Ints, read_only
from eventsnn.base.checks import floats
from eventsnn.base.counted import Counted
from eventsnn.base.errors import InputError
from eventsnn.base.memory import allowed, require_memory
from eventsnn.compile.plan import Plan, ProbePlan, WeightProbePlan
from eventsnn.run.samples import sample_count
from eventsnn.run.weight_samples import learning

# In one trace of one run: 16 GiB.
MOST_SAMPLES = 2**31
# Bytes of samples that surely are available.
SMALL = 2**24


def end_of(now: float, duration: float | None, until: float | Counted | None) -> float:
    """When a run that is asked for at time `now` ends at the latest, ms; InputError unless that is to come."""
    if isinstance(until, Counted):
        if duration is None:
            raise InputError(f"run: until={until!r} may never be; give the duration too, the most that is simulated")
        until = None
    if (duration is None) == (until is None):
        raise InputError("run: give either the duration in ms or until= in ms")
    name, value = ("duration", duration) if until is None else ("until", until)
    array = floats(value, f"run: {name}", "a number of ms", "ms")
    if array.ndim:
        raise InputError(f"run: {name} is an array of shape {array.shape}; it must be one number of ms")
    number = float(array)
    low = 0.0 if until is None else now
    stop = now + number if until is None else number
    if not (low <= number and stop < math.inf):
        raise InputError(f"run: {name} = {number:.17g} ms must be finite and at least {low:.17g} ms")
    return stop


def require_room(plan: Plan, start: float, kept_from: float, stop: float, limit: float | None) -> None:
    """Refuse samples that no memory holds, before anything is simulated or dropped."""
    if limit is not None:
        allowed(limit, "run")
    needs: dict[str, float] = {}
    probes: list[ProbePlan | WeightProbePlan] = [*plan.probes, *plan.weight_probes]
    changing = {probe.name for probe in learning(plan)}
    for probe in probes:
        constant = isinstance(probe, WeightProbePlan) and probe.name not in changing
        count = sample_count(probe.every, probe.times, kept_from if constant else start, stop)
        size = count * probe.ids.size * (1 if isinstance(probe, WeightProbePlan) else len(probe.variables))
        if size > MOST_SAMPLES:
            raise InputError(
                f"run: the trace {probe.name!r} would hold {size:,.0f} samples, more than the {MOST_SAMPLES:,} "
                "that are allowed; record fewer ids, less often, or run in pieces with keep='new'"
            )
        # Samples are held twice when the engine hands them over; weights, which do not change, not even once.
        needs[f"the trace {probe.name!r}, {size:,.0f} samples"] = 24 * count + (0 if constant else 16 * size)
    # To ask the system takes longer than many a short run.
    if limit is not None or math.fsum(needs.values()) > SMALL:
        remedy = "record fewer ids, less often, or run in pieces with keep='new'"
        require_memory(needs, allowed(limit, "run"), "run: what is recorded", dict.fromkeys(needs, remedy))


def sources(
    plan: Plan, now: float, population: str, times: Floats, begin: Ints, end: Ints
) -> tuple[int, tuple[Floats, Ints, Ints]]:
    """The first neuron of a population of sources, and trains for it as arrays for an engine. See set_trains."""
    found = next((p for p in plan.populations if isinstance(population, str) and p.name == population), None)
    if found is None or found.model is not None:
        raise InputError(f"set_trains: {population!r} is no population of sources")
    what = f"set_trains: {population}"
    times = read_only(times, np.float64, 1, f"{what}: times")
    begin, end = read_only(begin, np.int64, 1, f"{what}: begin"), read_only(end, np.int64, 1, f"{what}: end")
    if not (begin.size == end.size == found.n and ((begin >= 0) & (begin <= end) & (end <= times.size)).all()):
        raise InputError(f"{what}: begin and end must be places in times, one of each for {found.n} neurons")
    past = np.flatnonzero(times < now)
    if past.size:
        raise InputError(
            f"{population}: a spike at {times[past[0]]:.17g} ms lies in the past, for the network stands at "
            f"{now:.17g} ms; give later times, or relative=True for times that count from the present"
        )
    return found.start, (times, np.ascontiguousarray(begin), np.ascontiguousarray(end))


def require_static(plan: Plan, population: str, neurons: Ints) -> None:
    """Raise InputError if a synapse of these neurons is plastic: it learns when their spikes arrive."""
    for projection in plan.projections:
        if projection.plastic is not None and np.isin(projection.pre, neurons).any():
            raise InputError(
                f"{population}: spikes on the way to {projection.name}, which is plastic, cannot be dropped"
            )
