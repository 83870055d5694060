"""Simulation: drives an engine in chunks that can be interrupted, and turns what comes out into Results."""

from __future__ import annotations

import math
import reprlib
import time as clock
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from eventsnn._core.run.engine import Engine as CompiledEngine
from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import takes_one, whole
from eventsnn.base.counted import Counted
from eventsnn.base.errors import InputError, Interrupted, RunawayError, StateError
from eventsnn.base.paths import AnyPath, claimed
from eventsnn.compile.altered import Stated
from eventsnn.compile.layout import lay_out
from eventsnn.compile.plan import PartPlan, Plan, ProceduralPlan
from eventsnn.compile.rows import with_weights
from eventsnn.compile.streams import rekeyed
from eventsnn.results.fingerprint import digest
from eventsnn.results.pieces import joined
from eventsnn.results.results import Results
from eventsnn.run.change import Change, change_of
from eventsnn.run.checkpoint import Store, newest
from eventsnn.run.injected import Injected
from eventsnn.run.interrupts import deferred_interrupt
from eventsnn.run.outcome import runaway
from eventsnn.run.progress import ProgressBar, RunStatus
from eventsnn.run.recording import VERSION, Recording, machine
from eventsnn.run.request import end_of, require_room, require_static, sources
from eventsnn.run.samples import sample_times, warn_of_samples_at
from eventsnn.run.streaming import MOST_SPIKES, Streaming, streaming_of
from eventsnn.run.watch import Watch
from eventsnn.solve.state import State

if TYPE_CHECKING:
    from typing_extensions import Self

# Events between two looks at the clock and the signals: 50 ms in either engine, or less.
BUDGET = {"compiled": 8_000_000, "reference": 2_000}
# The same in the first chunk where spikes are counted: what is done beyond the last of them is done again. Each further
# chunk has twice as many, since to be able to go back costs as much however long it is.
WATCHED_BUDGET = 1_000_000
# More are never of use.
MOST_THREADS = 1024


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
        self._recording = Recording(plan)
        self._store: Store | None = None  # what was recorded before
        self._kept_from = 0.0
        # What engines counted before a change, and what lies before _kept_from.
        self._earlier: dict[str, Any] = {}
        self._counted_before = self._counters()
        self._wall = 0.0
        self._running = False
        self._ended: RunawayError | None = None
        self._warned = False  # of samples at the end of a run
        self._stands = object()  # another one once the network has gone on or was changed

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
        stream: AnyPath | None = None,
        checkpoint: AnyPath | None = None,
        every: float | None = None,
    ) -> Results:
        """Simulate [time, time + duration) or [time, until), in ms; see Network.run.

        limit_memory: bytes that the samples of this run may take; None: what is available.
        """
        start = self.time
        watch = Watch(self.plan, until) if isinstance(until, Counted) else None
        stop = end_of(start, duration, until)
        threads = min(whole(threads, "run: threads", 1), MOST_THREADS)
        if not isinstance(keep, str) or keep not in ("all", "new"):
            raise InputError(f"run: keep = {keep!r} is not known; known are 'all' and 'new'")
        if not (progress is None or isinstance(progress, bool) or takes_one(progress)):
            raise InputError(f"run: progress = {progress!r} must be True, False or a function of one RunStatus")
        self.require_rest("run")
        if self._ended is not None:
            raise self._ended
        if checkpoint is not None and self.engine != "compiled":
            raise InputError(f"run: checkpoint = {checkpoint!r}: the {self.engine} engine has no checkpoints")
        streaming = streaming_of(stream, checkpoint, every, self._store)
        if streaming is None:
            require_room(self.plan, start, self._kept_from if keep == "all" else start, stop, limit_memory)
        else:
            self._store = streaming.store
        self._stands = object()
        if keep == "new":
            self._recording.begin(start)
            self._recording.injected = Injected(start)
            if self._store is not None:
                self._store.forget()
            self._kept_from, self._counted_before, self._wall = start, self._counters(), 0.0
        held = claimed(streaming.store.folder, "run") if streaming else nullcontext()
        bar = ProgressBar() if progress is True else nullcontext(progress or None)
        with held, bar as report, deferred_interrupt() as interrupted:
            self._running = True
            try:
                stop = self._advance(stop, threads, watch, report, interrupted, streaming)
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

    def fork(self, seed: int | None = None) -> Self:
        """An independent Simulation that stands where this one does, at this very event.

        Synapses are shared and the state is copied. It records from the present time on. seed: external spikes are
        drawn anew from here on, other ones for every seed; None: they come as they do here. Raises StateError once a
        run has ended in an error, and for the reference engine.
        """
        self.require_alive("fork")
        if self.engine != "compiled":
            raise StateError(f"fork: the {self.engine} engine cannot be forked; compile another one")
        twin = object.__new__(type(self))
        twin.__dict__ |= self.__dict__
        twin._state = self._state.forked()
        twin._recording = self._recording.forked(self.time)
        twin._store, twin._kept_from, twin._wall, twin._stands = None, self.time, 0.0, object()
        twin._earlier = {name: -count for name, count in twin._state.counters.items()}
        twin._counted_before = twin._counters()
        if seed is not None:
            streams = rekeyed(self.plan.streams, whole(seed, "fork: seed", 0), self.time)
            twin.change(replace(self.plan, streams=streams))
        return twin

    def drop_spikes(self, population: str, ids: Ints) -> Floats:
        """Let no spike of these neurons that is under way arrive anywhere; when those were fired, ms.

        InputError where a synapse of theirs is plastic, which learns when spikes arrive; StateError for the reference
        engine.
        """
        self.require_alive(f"change {population}")
        if self.engine != "compiled":
            raise StateError(f"{population}: the {self.engine} engine cannot drop spikes; run the compiled one")
        plan = next(p for p in self.plan.populations if p.name == population)
        neurons = plan.start + np.asarray(ids)
        require_static(self.plan, population, neurons)
        self._stands = object()
        fired: Floats = self._state.drop_spikes(neurons)
        return fired

    def resume(self, directory: AnyPath) -> Results:
        """Stand where the last sound checkpoint in a folder says; see Network.resume."""
        if self.begun:
            raise StateError("resume: the network has run; net.reset() goes back to t = 0")
        if self.engine != "compiled":
            raise InputError(f"resume: the {self.engine} engine has no checkpoints")
        store, found = newest(directory)
        where, notes, head = store.folder, found.notes, store.pieces[-1].head
        if notes.get("eventsnn") != VERSION:
            raise InputError(
                f"{where} was written by eventsnn {notes.get('eventsnn')}, this is {VERSION}, which may not go on with "
                "the same bits; install that version, or run anew"
            )
        self._recording.require_same(head.populations, head.traces, str(where))
        try:
            self._state.restore(found.state)
        except InputError as error:
            raise InputError(
                f"{where} cannot be gone on with: {error}; describe the network as it was when that was written, with "
                "all that was set between runs"
            ) from None
        self._store, self._stands = store, object()
        self._kept_from, self._wall = float(notes["kept_from"]), float(notes["wall_s"])
        now = self._state.counters
        self._earlier = {name: count - now[name] for name, count in notes["counters"].items() if name in now}
        self._counted_before = dict(notes["counted_before"])
        self._recording.begin(self.time)
        self._recording.late, self._recording.weights = found.late, found.weights
        self._recording.since = {(kind, name): time for kind, name, time in notes["since"]}
        self._recording.injected = Injected(self._kept_from)
        return self.results()

    def change(self, plan: Plan, given: Sequence[Stated] = (), moved: Sequence[Stated] = ()) -> None:
        """From the present time on the network is this one, of the same neurons and synapses.

        Every neuron that this concerns goes through an event before all others of this time: those with other
        parameters or another current; those of which variables are `given`, and those of which they are `moved` by so
        much.
        """
        self._stands = object()
        change = change_of(self.plan, plan, self._state.settled(), self.time, given, moved)
        if plan is self.plan:
            self._state.restate(change)
            return
        counted, later = self._counters(), self._continue(plan, change)
        later.restate(change)
        if later is not self._state:
            self._state, self._earlier = later, counted
        self._recording.see(plan, self.time)
        self.plan = plan

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
        start, trains = sources(self.plan, self.time, population, times, begin, end)
        self._stands = object()
        self._state.set_trains(start, *trains)

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
        self._stands = object()
        self._state.set_weights(number, weights)
        if plan.projections[number].plastic is not None:
            return
        mine = self.plan.projections[number]
        rows = mine.rows if isinstance(mine, PartPlan) else mine
        assert not isinstance(rows, ProceduralPlan)  # refused above
        kept = np.array(weights, dtype=rows.weight.dtype).astype(np.float64)
        self._recording.note_weights(projection, self.time, kept)

    def weights_of(self, projection: str) -> Floats | None:
        """The weights as they are at the present time; None if they are still those of the Plan."""
        number = next(k for k, p in enumerate(self.plan.projections) if p.name == projection)
        if self.plan.projections[number].plastic is not None:
            weights: Floats = self._state.weights_of(number)
            return weights
        set_so_far = self._recording.weights
        return set_so_far[projection][-1][1] if projection in set_so_far else None

    def set_learning(self, projection: str, enabled: bool) -> None:
        """Let the weights of a plastic projection change, or stay as they are, from the present time on."""
        self.require_alive(f"change {projection}")
        self._stands = object()
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

    def _advance(
        self, stop: float, threads: int, watch: Watch | None, report: Callable[[RunStatus], None] | None,
        interrupted: Callable[[], int], streaming: Streaming | None,
    ) -> float:  # fmt: skip
        """Simulate up to `stop`, or to what is watched for; when it was to stop in the end."""
        start, sampled = self.time, self.time
        before, began = self._counters(), clock.perf_counter()

        def tell() -> None:
            if report is not None:
                now, wall = self._counters(), clock.perf_counter() - began
                spikes, events = (now[k] - before[k] for k in ("spikes", "synaptic_events"))
                report(RunStatus(self.time, start, stop, wall, spikes, events))

        if streaming:
            streaming.store.cut()
        if streaming and not streaming.store.number:
            # So that a folder that cannot be written is refused before hours have passed.
            self._hand_on(streaming, streaming.checkpoints)
        samples = self._recording.weight_samples.pauses(self.plan, start, stop)
        saves = set(streaming.pauses(start, stop) if streaming else ())
        found = stop
        for pause in sorted({*samples, *saves}):
            found = self._advance_to(pause, threads, watch, tell, interrupted, streaming)
            seen = watch is not None and watch.missing <= 0
            if self._ended is not None or self.time < pause:
                break
            weights = self._recording.weight_samples
            weights.take(self.plan, sampled, pause, lambda name: self.weights_of(name))  # type: ignore[arg-type,return-value]
            if seen:
                break
            sampled = pause
            if streaming and pause in saves:
                self._hand_on(streaming, True)
        if streaming:
            self._hand_on(streaming, streaming.checkpoints and self._ended is None)
        return found if watch is not None and watch.missing <= 0 else stop

    def _advance_to(
        self, stop: float, threads: int, watch: Watch | None, tell: Callable[[], None],
        interrupted: Callable[[], int], streaming: Streaming | None,
    ) -> float:  # fmt: skip
        """Simulate up to `stop`, between two samples of weights; `tell` is called after each chunk."""
        began = clock.perf_counter()
        done = False
        while watch is not None and not done and not interrupted():
            found, done = self._advance_watched(stop, threads, watch)
            if found is not None:
                stop, watch = found, None
            tell()
        while not done:
            reach = stop if streaming is None else streaming.reach(self.plan.probes, self.time, stop)
            ended = self._advance_at_once(reach, threads, tell, interrupted, streaming is not None)
            done = interrupted() > 0 or self._state.failure is not None or (ended and reach == stop)
            if streaming and not done:
                self._hand_on(streaming, False)
        self._wall += clock.perf_counter() - began
        return stop

    def _advance_at_once(
        self, stop: float, threads: int, tell: Callable[[], None], interrupted: Callable[[], int], bounded: bool
    ) -> bool:
        """Simulate up to `stop`, and take what was recorded from the engine; bounded: pause once this is much. Whether
        `stop` was reached."""
        before, done = self._counters()["spikes"], False
        # An event may be a spike: in smaller chunks fewer are beyond what is enough.
        budget = BUDGET[self.engine] * threads // (8 if bounded else 1)
        times = self._begin_samples(stop)
        try:
            while not done and not interrupted():
                done = self._state.advance(stop, budget, threads)
                tell()
                if bounded and self._counters()["spikes"] - before > MOST_SPIKES:
                    break
        finally:
            self._collect(times, *self._state.take_spikes())
        return done

    def _hand_on(self, streaming: Streaming, checkpoint: bool) -> None:
        """Write what was recorded, and from where to go on."""
        end, recording = self.time, self._recording
        if end > recording.start or not streaming.store.number:
            streaming.store.add(recording.recorded(end, self._summary(end)))
            recording.begin(end)
        if not checkpoint:
            return
        notes = {
            "eventsnn": VERSION, "time": end, "kept_from": self._kept_from, "wall_s": self._wall,
            "counters": self._counters(), "counted_before": self._counted_before,
            "since": [[kind, name, time] for (kind, name), time in recording.since.items()],
        }  # fmt: skip
        streaming.store.save(notes, self._state.state(), recording.late, recording.weights)

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

    def _collect(self, times: list[Floats], *spikes: Any) -> None:
        """Take over what the engine recorded, up to the time it has reached or the failure that ended it."""
        if (failure := self._state.failure) is not None:
            self._ended = runaway(self.plan, *failure)
        self._recording.take(self._state, times, spikes, self.time)

    def results(self) -> Results:
        """Everything recorded since t = 0, or since the beginning of the last run that kept only the new."""
        self.require_rest("results")
        end, stands = self.time, self._stands
        rest = self._recording.recorded(end, self._summary(end))
        pieces = self._store.pieces if self._store is not None else []

        def state() -> str:
            if self._stands is not stands:
                raise StateError(
                    "fingerprint: the network has gone on since, so that the state in which this run ended is gone; "
                    "ask for it before it goes on"
                )
            return self._digest()

        return Results.of(joined(pieces, rest) if pieces else rest, state)

    def _digest(self) -> str:
        """SHA-256 of the present state: that of all neurons, and weights that have changed."""
        if (failure := self._state.failure) is not None:
            return digest({"failure": np.array([float(part) for part in failure])})
        weights = {f"weights {p.name}": self.weights_of(p.name) for p in self.plan.projections}
        changed = {name: array for name, array in weights.items() if array is not None}
        return digest({**self._state.settled(), **changed, "time": np.array([self.time])})

    def _summary(self, end: float) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "version": VERSION,
            "seed": self.plan.seed,
            "threads": self._state.threads,
            "duration_ms": end - self._kept_from,
            "wall_s": self._wall,
            "neurons": self.plan.n,
            "synapses": self.plan.n_synapses,
            **{name: count - self._counted_before.get(name, 0) for name, count in self._counters().items()},
            "V_th": {p.name: p.V_th for p in self.plan.populations if p.V_th is not None},
            "currents": self._recording.injected.notes(self.plan, end),
            "machine": machine(),
        }
