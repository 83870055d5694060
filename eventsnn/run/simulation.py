"""Simulation: drives an engine in chunks that can be interrupted, and turns what comes out into Results."""

from __future__ import annotations

import math
import reprlib
import time as clock
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib.metadata import version
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.run.engine import Engine as CompiledEngine
from eventsnn.base.arrays import Floats, Ints, read_only
from eventsnn.base.checks import floats, takes_one, whole
from eventsnn.base.counted import Counted
from eventsnn.base.errors import InputError, Interrupted, RunawayError, StateError
from eventsnn.base.memory import allowed, require_memory
from eventsnn.base.sorting import order_by, order_in_time
from eventsnn.compile.altered import Stated
from eventsnn.compile.layout import lay_out
from eventsnn.compile.plan import PartPlan, Plan, ProbePlan, ProceduralPlan, WeightProbePlan
from eventsnn.compile.rows import with_weights
from eventsnn.results.results import Results
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces
from eventsnn.run.change import Change, change_of
from eventsnn.run.history import SpikeHistory, TraceHistory
from eventsnn.run.injected import Injected
from eventsnn.run.interrupts import deferred_interrupt
from eventsnn.run.outcome import Outcome
from eventsnn.run.progress import ProgressBar, RunStatus
from eventsnn.run.samples import sample_count, sample_times, warn_of_samples_at
from eventsnn.run.watch import Watch
from eventsnn.run.weight_samples import WeightSamples, learning
from eventsnn.solve.state import State

# Events between two looks at the clock and the signals: 50 ms in either engine, or less.
BUDGET = {"compiled": 8_000_000, "reference": 2_000}
# The same in the first chunk where spikes are counted: what is done beyond the last of them is done again. Each further
# chunk has twice as many, since to be able to go back costs as much however long it is.
WATCHED_BUDGET = 1_000_000
# To read it takes half a millisecond.
VERSION = version("eventsnn")
# More are never of use.
MOST_THREADS = 1024
# In one trace of one run: 16 GiB.
MOST_SAMPLES = 2**31
# Bytes of samples that surely are available.
SMALL = 2**24


class Simulation:
    """A compiled network that runs: a Plan and an engine with its state. `Network.compile` gives an independent one."""

    engine: ClassVar[str] = "compiled"

    def __init__(self, plan: Plan):
        if not isinstance(plan, Plan):
            raise InputError(
                f"Simulation: {reprlib.repr(plan)} is no Plan; net.compile() makes a Simulation of a network"
            )
        self.plan = plan
        self._state = self._begin()
        self._spikes, self._samples = self._nothing()
        self._weight_samples = WeightSamples(plan)
        # Spikes at the time at which an interrupted run stands. They are kept back, for more may come at this time.
        self._late = (np.empty(0), np.empty(0, dtype=np.int32))
        self._kept_from = 0.0
        # What engines counted before a change, and what lies before _kept_from.
        self._earlier: dict[str, Any] = {}
        self._counted_before = self._counters()
        # When recordings began that were added while the network lived.
        self._since: dict[tuple[str, str], float] = {("weight", probe.name): 0.0 for probe in plan.weight_probes}
        self._wall = 0.0
        self._running = False
        # By projection, when which weights were set.
        self._weights: dict[str, list[tuple[float, Floats]]] = {}
        self._injected = Injected()
        self._ended: RunawayError | None = None
        self._warned = False  # of samples at the end of a run

    def _begin(self) -> Any:
        """The state of the engine at t = 0."""
        return CompiledEngine(lay_out(self.plan))

    def __getstate__(self) -> dict[str, Any]:
        raise StateError(
            "copy: a Simulation stays in its process; pickle the network before its first run and compile it there, or "
            "hand on results()"
        )

    @property
    def time(self) -> float:
        """Simulated time in ms: everything before it has been processed."""
        return self._state.time if self._ended is None else self._ended.time

    @property
    def begun(self) -> bool:
        """Whether anything has been simulated."""
        return self.time > 0.0 or self._ended is not None or any(self._counters().values())

    def run(
        self,
        duration: float | None = None,
        *,
        until: float | Counted | None = None,
        threads: int = 1,
        progress: bool | Callable[[RunStatus], None] = False,
        keep: Literal["all", "new"] = "all",
        limit_memory: float | None = None,
    ) -> Results:
        """Simulate [time, time + duration) or [time, until), in ms; see Network.run.

        limit_memory: bytes that the samples of this run may take; None: what is available.
        """
        start = self.time
        watch = Watch(self.plan, until) if isinstance(until, Counted) else None
        stop = self._stop(duration, until)
        threads = min(whole(threads, "run: threads", 1), MOST_THREADS)
        if not isinstance(keep, str) or keep not in ("all", "new"):
            raise InputError(f"run: keep = {keep!r} is not known; known are 'all' and 'new'")
        if not (progress is None or isinstance(progress, bool) or takes_one(progress)):
            raise InputError(f"run: progress = {progress!r} must be True, False or a function of one RunStatus")
        self.require_rest("run")
        if self._ended is not None:
            raise self._ended
        self._require_room(start, self._kept_from if keep == "all" else start, stop, limit_memory)
        if keep == "new":
            self._spikes, self._samples = self._nothing()
            self._weight_samples = WeightSamples(self.plan)
            self._kept_from, self._injected = start, Injected(start)
            self._counted_before, self._wall = self._counters(), 0.0
        bar = ProgressBar() if progress is True else nullcontext(progress or None)
        with bar as report, deferred_interrupt() as interrupted:
            self._running = True
            try:
                stop = self._advance(stop, threads, watch, report, interrupted)
            finally:
                self._running = False
        if self._ended is not None:
            raise self._ended
        if number := interrupted():
            when = "when the run had come to its end" if self.time == stop else f"at {self.time:g} ms"
            raise Interrupted(f"interrupted {when}; what was simulated is kept, run() goes on", number)
        if stop > start and not self._warned:
            self._warned = warn_of_samples_at(stop, (*self.plan.probes, *self.plan.weight_probes))
        return self.results()

    def change(self, plan: Plan, given: Sequence[Stated] = (), moved: Sequence[Stated] = ()) -> None:
        """From the present time on the network is this one, of the same neurons and synapses.

        Every neuron that this concerns goes through an event before all others of this time: those with other
        parameters or another current; those of which variables are `given`, and those of which they are `moved` by so
        much.
        """
        change = change_of(self.plan, plan, self._state.settled(), self.time, given, moved)
        if plan is self.plan:
            self._state.restate(change)
            return
        counted, later = self._counters(), self._continue(plan, change)
        later.restate(change)
        if later is not self._state:
            self._state, self._earlier = later, counted
        self._see(plan)

    def _see(self, plan: Plan) -> None:
        """Go on with another Plan, in which more may be recorded."""
        self._injected.change(self.plan, plan, self.time)
        self.plan = plan
        for p in plan.populations:
            if plan.recorded[p.start : p.stop].any() and p.name not in self._spikes:
                self._spikes[p.name] = SpikeHistory()
                self._since["spikes", p.name] = self.time
        for probe in plan.probes[len(self._samples) :]:
            self._samples.append(TraceHistory(probe.variables, probe.ids.size))
        for weights in plan.weight_probes:
            self._since.setdefault(("weight", weights.name), self.time)

    def _continue(self, plan: Plan, change: Change) -> Any:
        """The engine that goes on from here with another Plan."""
        return self._state.continued(lay_out(plan), change)

    def _counters(self) -> dict[str, Any]:
        """Counts of what has been done since t = 0, and seconds that it took."""
        return {name: count + self._earlier.get(name, 0) for name, count in self._state.counters.items()}

    def require_alive(self, action: str) -> None:
        """Raise StateError while a run is going on, and once one has ended in a run-away."""
        self.require_rest(action)
        if self._ended is not None:
            raise StateError(
                f"{action}: the run has ended at {self.time:g} ms; call net.reset() first, which goes back to t = 0"
            )

    def set_trains(self, population: str, times: Floats, begin: Ints, end: Ints) -> None:
        """Let neuron k of a population of sources spike at times[begin[k]:end[k]] from now on, not as it was to.

        Raises InputError for a time in the past.
        """
        self.require_rest(f"change {population}")
        plan = next((p for p in self.plan.populations if isinstance(population, str) and p.name == population), None)
        if plan is None or plan.model is not None:
            raise InputError(f"set_trains: {population!r} is no population of sources")
        what = f"set_trains: {population}"
        times = read_only(times, np.float64, 1, f"{what}: times")
        begin, end = read_only(begin, np.int64, 1, f"{what}: begin"), read_only(end, np.int64, 1, f"{what}: end")
        if not (begin.size == end.size == plan.n and ((begin >= 0) & (begin <= end) & (end <= times.size)).all()):
            raise InputError(f"{what}: begin and end must be places in times, one of each for {plan.n} neurons")
        past = np.flatnonzero(times < self.time)
        if past.size:
            raise InputError(
                f"{population}: a spike at {times[past[0]]:.17g} ms lies in the past, for the network stands at "
                f"{self.time:.17g} ms; give later times, or relative=True for times that count from the present"
            )
        self._state.set_trains(plan.start, times, np.ascontiguousarray(begin), np.ascontiguousarray(end))

    def set_weights(self, projection: str, weights: Floats) -> None:
        """Give the synapses of a projection new weights, in the order of the Plan; spikes under way arrive with them.

        Where they share one weight each is given one of its own. Raises InputError if none is kept.
        """
        self.require_rest(f"change {projection}")
        number = next(k for k, p in enumerate(self.plan.projections) if p.name == projection)
        plan = with_weights(self.plan, number)
        if plan is not self.plan:
            self.require_alive(f"change {projection}")
            self.change(plan)
        self._state.set_weights(number, weights)
        if plan.projections[number].plastic is not None:
            return
        mine = self.plan.projections[number]
        rows = mine.rows if isinstance(mine, PartPlan) else mine
        assert not isinstance(rows, ProceduralPlan)  # refused above
        kept = np.array(weights, dtype=rows.weight.dtype).astype(np.float64)
        changes = self._weights.setdefault(projection, [])
        if not any(probe.projection == projection for probe in self.plan.weight_probes):
            changes.clear()
        changes.append((self.time, kept))

    def weights_of(self, projection: str) -> Floats | None:
        """The weights as they are at the present time; None if they are still those of the Plan."""
        number = next(k for k, p in enumerate(self.plan.projections) if p.name == projection)
        if self.plan.projections[number].plastic is not None:
            weights: Floats = self._state.weights_of(number)
            return weights
        return self._weights[projection][-1][1] if projection in self._weights else None

    def set_learning(self, projection: str, enabled: bool) -> None:
        """Let the weights of a plastic projection change, or stay as they are, from the present time on."""
        self.require_alive(f"change {projection}")
        self._state.set_learning(next(k for k, p in enumerate(self.plan.projections) if p.name == projection), enabled)

    def state_of(self, population: str, names: Sequence[str]) -> dict[str, Floats]:
        """State variables of a population at the present time, potentials relative to E_L as in the equations."""
        self.require_rest(f"read the state of {population}")
        plan = next(p for p in self.plan.populations if p.name == population)
        model, settled = plan.model, self._state.settled()
        assert model is not None
        here = slice(plan.start, plan.stop)
        v, variables = settled["v"][here], settled["variables"][here]
        values = {"V_m": v} | {slot: variables[:, k] for k, slot in enumerate(model.slots)}
        if "V_th" in names and "V_th" not in values:
            constants = self.plan.constants[self.plan.class_of[here]].tolist()
            states = (State(v=v[k], x=variables[k].tolist()) for k in range(len(v)))
            values["V_th"] = np.array([model.threshold(c, s) for c, s in zip(constants, states, strict=True)])
        return {name: values[name] for name in names}

    def require_rest(self, action: str) -> None:
        """Raise StateError while a run is going on."""
        if self._running:
            raise StateError(f"{action}: a run of this network is going on; wait until it returns")

    def _require_room(self, start: float, kept_from: float, stop: float, limit: float | None) -> None:
        """Refuse samples that no memory holds, before anything is simulated or dropped."""
        if limit is not None:
            allowed(limit, "run")
        needs: dict[str, float] = {}
        probes: list[ProbePlan | WeightProbePlan] = [*self.plan.probes, *self.plan.weight_probes]
        changing = {probe.name for probe in learning(self.plan)}
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

    def _stop(self, duration: float | None, until: float | Counted | None) -> float:
        if isinstance(until, Counted):
            if duration is None:
                raise InputError(
                    f"run: until={until!r} may never be; give the duration too, the most that is simulated"
                )
            until = None
        if (duration is None) == (until is None):
            raise InputError("run: give either the duration in ms or until= in ms")
        name, value = ("duration", duration) if until is None else ("until", until)
        array = floats(value, f"run: {name}", "a number of ms", "ms")
        if array.ndim:
            raise InputError(f"run: {name} is an array of shape {array.shape}; it must be one number of ms")
        number = float(array)
        low = 0.0 if until is None else self.time
        stop = self.time + number if until is None else number
        if not (low <= number and stop < math.inf):
            raise InputError(f"run: {name} = {number:.17g} ms must be finite and at least {low:.17g} ms")
        return stop

    def _advance(
        self, stop: float, threads: int, watch: Watch | None, report: Callable[[RunStatus], None] | None,
        interrupted: Callable[[], int],
    ) -> float:  # fmt: skip
        """Simulate up to `stop`, or to what is watched for; when it was to stop in the end."""
        start, sampled = self.time, self.time
        before, began = self._counters(), clock.perf_counter()

        def tell() -> None:
            if report is not None:
                now, wall = self._counters(), clock.perf_counter() - began
                spikes, events = (now[k] - before[k] for k in ("spikes", "synaptic_events"))
                report(RunStatus(self.time, start, stop, wall, spikes, events))

        for pause in self._weight_samples.pauses(self.plan, start, stop):
            found = self._advance_to(pause, threads, watch, tell, interrupted)
            seen = watch is not None and watch.missing <= 0
            if self._ended is not None or self.time < pause:
                return found if seen else stop
            self._weight_samples.take(self.plan, sampled, pause, lambda name: self.weights_of(name))  # type: ignore[arg-type,return-value]
            if seen:
                return found
            sampled = pause
        return stop

    def _advance_to(
        self, stop: float, threads: int, watch: Watch | None, tell: Callable[[], None], interrupted: Callable[[], int]
    ) -> float:
        """Simulate up to `stop`, between two samples of weights; `tell` is called after each chunk."""
        began = clock.perf_counter()
        done = False
        while watch is not None and not done and not interrupted():
            found, done = self._advance_watched(stop, threads, watch)
            if found is not None:
                stop, watch = found, None
            tell()
        times = self._begin_samples(stop)
        try:
            while not done and not interrupted():
                done = self._state.advance(stop, BUDGET[self.engine] * threads, threads)
                tell()
        finally:
            self._collect(times, *self._state.take_spikes())
        self._wall += clock.perf_counter() - began
        return stop

    def _advance_watched(self, stop: float, threads: int, watch: Watch) -> tuple[float | None, bool]:
        """A chunk, after which the run goes on or is to stop at the time that is returned, before which it then stands:
        a chunk that has gone beyond it is taken back. Also whether all is done."""
        before, counted, times = self._state.snapshot(), self._counters(), self._begin_samples(stop)
        budget = min(WATCHED_BUDGET << watch.chunks, BUDGET[self.engine]) * threads
        try:
            done = self._advance_a_little(stop, budget, threads)
        except MemoryError:
            self._collect(times, *self._state.take_spikes())
            raise
        spikes = self._state.take_spikes()
        reached = watch.see(*spikes)
        if reached is None:
            self._collect(times, *spikes)
            return None, done
        found = math.nextafter(reached, math.inf)
        if before is None or (self._state.failure is None and not found < self._state.time):
            self._collect(times, *spikes)
        else:
            self._state.rewind(before)
            self._earlier = {name: count - self._state.counters[name] for name, count in counted.items()}
        return found, False

    def _advance_a_little(self, stop: float, budget: int, threads: int) -> bool:
        """Simulate no further than what may be taken back."""
        return bool(self._state.advance(stop, budget, threads))

    def _begin_samples(self, stop: float) -> list[Floats]:
        """Let the engine take samples from now on; when."""
        times = [sample_times(probe.every, probe.times, self.time, stop) for probe in self.plan.probes]
        self._state.set_samples(times)
        return times

    def _collect(self, times: list[Floats], spike_times: Floats, neurons: NDArray[np.int32]) -> None:
        """Take over what the engine recorded, up to the time it has reached or the failure that ended it."""
        failure = self._state.failure
        if failure is not None:
            self._ended = self._runaway(*failure)
        end = self.time
        spike_times, neurons = np.append(self._late[0], spike_times), np.append(self._late[1], neurons)
        early = spike_times < end
        self._late = (spike_times[~early], neurons[~early])
        self._keep_spikes(spike_times[early], neurons[early])
        for store, at, values in zip(self._samples, times, self._state.samples, strict=True):
            n = int(np.searchsorted(at, end))
            store.append(at[:n], {name: array[:, :n] for name, array in values.items()})

    def _nothing(self) -> tuple[dict[str, SpikeHistory], list[TraceHistory]]:
        recorded = self.plan.recorded
        spikes = {p.name: SpikeHistory() for p in self.plan.populations if recorded[p.start : p.stop].any()}
        return spikes, [TraceHistory(probe.variables, probe.ids.size) for probe in self.plan.probes]

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

    def _runaway(self, neuron: int, time: float, outcome: Outcome) -> RunawayError:
        population, index = self.plan.locate(neuron)
        what = outcome.sentence(time, self.plan.max_spikes, self.plan.max_rounds)
        return RunawayError(
            f"neuron {index} of {population} {what}, at t = {time:.17g} ms; the run ends there and what was simulated "
            f"before is kept. {outcome.remedy}",
            population,
            index,
            time,
        )

    def results(self) -> Results:
        """Everything recorded since t = 0, or since the beginning of the last run that kept only the new."""
        self.require_rest("results")
        start, end = self._kept_from, self.time
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
        traces = {}
        for probe, samples in zip(self.plan.probes, self._samples, strict=True):
            values = {name: grown.values for name, grown in samples.values.items()}
            traces[probe.name] = Traces.sound(samples.times.values, probe.ids, values)
        changing = {probe.name for probe in learning(self.plan)}
        for weights in self.plan.weight_probes:
            if weights.name in changing:
                at, sampled = self._weight_samples.of(weights)
                traces[weights.name] = Traces(at, weights.ids, {"weight": sampled})
                continue
            at = sample_times(weights.every, weights.times, self._begin_of("weight", weights.name), end)
            sampled = np.broadcast_to(weights.weight[:, np.newaxis], (weights.ids.size, at.size))
            if weights.projection in self._weights:
                sampled = sampled.copy()
            for time, changed in self._weights.get(weights.projection, ()):
                sampled[:, at >= time] = changed[weights.ids, np.newaxis]
            traces[weights.name] = Traces(at, weights.ids, {"weight": sampled})
        return Results(spikes, traces, start, end, self._summary(start, end))

    def _begin_of(self, kind: str, name: str) -> float:
        """Since when results tell of a recording."""
        return max(self._kept_from, self._since.get((kind, name), 0.0))

    def _summary(self, start: float, end: float) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "version": VERSION,
            "seed": self.plan.seed,
            "threads": self._state.threads,
            "duration_ms": end - start,
            "wall_s": self._wall,
            "neurons": self.plan.n,
            "synapses": self.plan.n_synapses,
            **{name: count - self._counted_before[name] for name, count in self._counters().items()},
            "V_th": {p.name: p.V_th for p in self.plan.populations if p.V_th is not None},
            "currents": self._injected.notes(self.plan, end),
        }
