"""The executable specification: event-driven simulation in plain Python, one event at a time.

The compiled engine must give the same event log, bit for bit. docs/semantics.md is the prose of this file.

The queue holds, sorted by their full key,
- one Arrival for every synapse that a spike travels on: (time, round, ARRIVAL, projection, pre, ordinal, synapse), the
  synapses of a row being numbered by (delay, post, draw),
- one Crossing for every neuron that will reach its threshold if nothing else happens: (time, round, CROSSING, neuron);
  while the search for it has not ended, the time that it has reached, in the round SEARCH,
- the next Change of every neuron with step currents: (time, 0, CHANGE, neuron),
- the next External spike of every stream: (time, 0, EXTERNAL, neuron, stream),
- the next Sample of every probe: (time, LAST, SAMPLE, probe).
`step` takes all entries of one time and round and goes through the phases: crossings, changes, inputs, threshold
test. The end of refractoriness is no event: `settle` lets a neuron pass it on the way to its next one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sortedcontainers import SortedKeyList

from eventsnn._core.solve.neuron import T_REF, R
from eventsnn.compile.plan import PartPlan, Plan
from eventsnn.models.stepped import SteppedModel
from eventsnn.run import external as external_spikes
from eventsnn.run.change import Change
from eventsnn.run.entry import (
    ARRIVAL,
    CHANGE,
    CROSSING,
    EXTERNAL,
    LAST,
    SAMPLE,
    SEARCH,
    Entry,
    Neuron,
    arrays_of_states,
    by_port,
    ended_by,
    flaws,
    sines_of,
)
from eventsnn.run.outcome import Outcome
from eventsnn.run.plastic import Plastics
from eventsnn.run.weights import Weights, checked_weights
from eventsnn.solve import frames
from eventsnn.solve.state import State

# An input that comes so little before the end of refractoriness, as a fraction of its time, ends it: times such as 22
# times 0.1 ms after a spike are not exactly what a refractory period of 2.2 ms ends at.
RELEASE_SLACK = 2.0**-50


class Reference:
    """The reference engine on a Plan. A Simulation uses it as it uses Engine (ext/eventsnn/_core/run/engine.pyx)."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.time = 0.0
        self.failure: tuple[int, float, Outcome] | None = None
        self.threads = 1
        self.counters = {"synaptic_events": 0, "external_events": 0, "neuron_updates": 0, "spikes": 0}
        self.log: list[tuple[float, int]] = []
        self.samples: list[dict[str, NDArray[np.float64]]] = []
        self._sample_times: list[NDArray[np.float64]] = []
        self.queue: SortedKeyList = SortedKeyList(key=lambda entry: entry.key)
        self.neurons = [self._neuron(n) for n in range(plan.n)]
        for p, projection in enumerate(plan.projections):
            for row, n in enumerate(projection.pre.tolist()):
                self.neurons[n].projections.append((p, row))
        self.plastics = Plastics(plan.projections)
        self._weights: dict[int, tuple[NDArray[np.int64], Weights]] = {}  # weights set, and where rows begin in them
        self._streams = [self._stream(s) for s in range(plan.streams.kind.size)]
        self._changes = {n: self._programme(n) for n in range(plan.n) if plan.currents.of[n] >= 0}
        for s in range(len(self._streams)):
            self._queue_external(s)
        for n in self._changes:
            self._queue_change(n)
        for n in range(plan.n):
            self._predict(n, 0.0, -1)

    # ---- what the network is made of

    def _neuron(self, n: int) -> Neuron:
        plan = self.plan
        k = int(plan.class_of[n])
        if k < 0:
            return Neuron(None, [], State())
        model = plan.models[plan.class_model[k]]
        c = plan.constants[k].tolist()
        x = plan.variables[n, : len(model.slots)].tolist()
        state = State(0.0, float(plan.v[n]), x, [0.0] * len(x), c[R] * float(plan.I_e[n]))
        model.enter(c, state, 0.0)
        return Neuron(model, c, state)

    def _stream(self, s: int, times: Iterable[float] | None = None) -> Iterator[tuple[int, float]]:
        given = external_spikes.spike_times(self.plan.streams, s) if times is None else times
        return external_spikes.numbered(given, self.plan.max_spikes)

    def _queue_external(self, s: int) -> None:
        """Queue the next spike of stream s."""
        at, time = next(self._streams[s], (0, math.inf))
        if time < math.inf:
            self.queue.add(self._external(s, at, time))

    def _external(self, s: int, at: int, time: float) -> Entry:
        streams = self.plan.streams
        n = int(np.searchsorted(streams.start, s, side="right")) - 1
        return Entry((time, 0, EXTERNAL, n, s, at), n, int(streams.port[s]), float(streams.weight[s]))

    def set_trains(
        self, first: int, times: NDArray[np.float64], begin: NDArray[np.int64], end: NDArray[np.int64]
    ) -> None:
        """Let source first + k spike at times[begin[k]:end[k]] (ms), in place of the spikes that it still had to come.

        None of the times lies in the past.
        """
        changed = range(first, first + begin.size)
        for entry in [e for e in self.queue if e.key[2] == EXTERNAL and e.neuron in changed]:
            self.queue.remove(entry)
        for k, n in enumerate(changed):
            s = int(self.plan.streams.start[n])
            self._streams[s] = self._stream(s, times[begin[k] : end[k]].tolist())
            self._queue_external(s)

    def set_weights(self, projection: int, weights: Any) -> None:
        """Give the synapses of a projection new weights, by (row, delay, target, draw), with which spikes under way
        arrive as well. InputError if they cannot be set."""
        kept = checked_weights(self.plan.projections, projection, weights)
        plan: Any = self.plan.projections[projection]
        if projection in self.plastics.of:
            self.plastics.of[projection].set_weights(kept, self.time)
            return
        start = plan.alone().start if isinstance(plan, PartPlan) else plan.start
        self._weights[projection] = start, kept
        for entry in [e for e in self.queue if e.key[2:4] == (ARRIVAL, projection)]:
            row, synapse = entry.key[4], entry.key[6]
            weight = float(kept[start[row] + synapse])
            self.queue.remove(entry)
            self.queue.add(entry._replace(weight=weight, port=self._port(plan.port, weight, entry.neuron)))

    # ---- a network that changes between runs

    def snapshot(self) -> None:
        """Nothing: the reference pauses at spikes and need not go back."""

    def continued(self, plan: Plan, change: Change) -> Reference:
        """Itself, which goes on with another Plan, of the same neurons and synapses, in which neurons and streams are
        as a Change says once they are `restated`."""
        number = {before: s for s, before in enumerate(change.stream.tolist()) if before >= 0}
        waiting = [entry for entry in self.queue if entry.key[2] == EXTERNAL]
        for entry in waiting:
            self.queue.remove(entry)
        streams, self.plan = self._streams, plan
        self._streams = [self._stream(s) if old < 0 else streams[old] for s, old in enumerate(change.stream.tolist())]
        for entry in (entry for entry in waiting if entry.key[4] in number):
            self.queue.add(self._external(number[entry.key[4]], entry.key[5], entry.time))
        for s in np.flatnonzero(change.stream < 0).tolist():
            self._queue_external(s)
        return self

    def restate(self, change: Change) -> None:
        """Let neurons be as a Change says."""
        plan, current = self.plan, self.plan.currents
        columns = (change.neuron, change.v, change.variables, change.low, change.drive, change.slope, change.piece)
        for n, v, x, low, drive, slope, piece in zip(*(column.tolist() for column in columns), strict=True):
            neuron, k = self.neurons[n], int(plan.class_of[n])
            model, c = plan.models[plan.class_model[k]], plan.constants[k].tolist()
            slots = len(model.slots)
            sines = sines_of(current, int(current.start[current.of[n]]) + piece - 1) if piece else ()
            state = State(change.time, v, x[:slots], low[:slots], drive, slope, sines, since=change.time)
            model.enter(c, state, neuron.release)
            neuron.c, neuron.state = c, state
            for entry in [e for e in self.queue if e.key[2] == CHANGE and e.neuron == n]:
                self.queue.remove(entry)
            if current.of[n] >= 0:
                self._changes[n] = self._programme(n, piece)
                self._queue_change(n)
            self._predict(n, change.time, -1)

    def _row(self, projection: int, row: int) -> Iterator[tuple[int, float, float]]:
        """Target, present weight and delay of the synapses of a row."""
        target, weight, delay = self.plan.projections[projection].row(row)
        if projection in self._weights:
            start, weights = self._weights[projection]
            weight = weights[start[row] : start[row + 1]]
        return zip(target.tolist(), weight.tolist(), delay.tolist(), strict=True)

    def _programme(self, n: int, piece: int = 0) -> Iterator[tuple[int, float]]:
        """Changes of current of neuron n from this piece of its programme on: numbers and times."""
        current = self.plan.currents
        begin, end = current.start[current.of[n] : current.of[n] + 2].tolist()
        return iter(enumerate(current.time[begin + piece : end].tolist(), piece))

    def _queue_change(self, n: int) -> None:
        """Queue the next change of current of neuron n; the port of the entry is the number of the piece."""
        piece, time = next(self._changes[n], (0, math.inf))
        if time < math.inf:
            self.queue.add(Entry((time, 0, CHANGE, n), n, piece))

    # ---- one neuron

    def settle(self, n: int, t: float) -> State:
        """The neuron's state advanced to t, through the end of refractoriness if that lies between."""
        neuron = self.neurons[n]
        state = neuron.state
        assert neuron.model is not None
        if state.frame is not None:
            frames.settle(neuron.model.shape, neuron.c, state, t, neuron.release)
        elif isinstance(neuron.model, SteppedModel):
            neuron.model.settle(neuron.c, state, t, neuron.release)
        elif t < neuron.release:
            neuron.model.hold(neuron.c, state, t - state.t)
        else:
            if state.t < neuron.release:
                neuron.model.hold(neuron.c, state, neuron.release - state.t)
                state.t = neuron.release
            if t > state.t:
                neuron.model.flow(neuron.c, state, t - state.t)
        state.t = t
        return state

    def _predict(self, n: int, now: float, round_: int) -> None:
        """Replace the neuron's crossing in the queue by the one that follows from its state."""
        neuron = self.neurons[n]
        if neuron.model is None:
            return
        if neuron.crossing is not None:
            self.queue.remove(neuron.crossing)
            neuron.crossing = None
        self._search(n, now, round_, 0.0)

    def _search(self, n: int, now: float, round_: int, reached: float) -> None:
        """Queue the neuron's crossing, searched for from `reached` on, or the time up to which there is none."""
        neuron = self.neurons[n]
        assert neuron.model is not None
        kept = neuron.state
        neuron.state = kept.copy()
        state = self.settle(n, max(neuron.release, kept.t))
        neuron.state = kept
        if state.frame is not None:
            time, found = frames.next_crossing(neuron.model.shape, neuron.c, state, reached)
        else:
            neuron.model.leave(neuron.c, state, neuron.release)
            start = reached - state.t if reached > 0.0 else 0.0
            span, found = neuron.model.crossing(neuron.c, state, start)
            time = state.t + span
            if state.t == kept.t:
                kept.step = state.step
        if math.isnan(time) and not state.t > now:
            self._fail(n, state.t, ended_by(state))
            return
        if math.isnan(time):
            time, found = state.t, False  # the run ends there, not before what happens until then
        if time < math.inf:
            at = SEARCH if not found else round_ + 1 if time == now else 0
            neuron.crossing = Entry((time, at, CROSSING, n), n)
            self.queue.add(neuron.crossing)

    def _fire(self, n: int, t: float, round_: int) -> None:
        neuron = self.neurons[n]
        self.counters["spikes"] += 1
        if self.plan.recorded[n]:
            self.log.append((t, n))
        if neuron.model is not None:
            neuron.model.leave(neuron.c, neuron.state, t)
            neuron.model.reset(neuron.c, neuron.state)
            neuron.release = t + neuron.c[T_REF]
            neuron.state.steps, neuron.state.since = 0, t
            neuron.model.enter(neuron.c, neuron.state, neuron.release)
        if math.floor(t) != neuron.millisecond:
            neuron.millisecond, neuron.spikes_in_millisecond = math.floor(t), 0
        neuron.spikes_in_millisecond += 1
        if neuron.spikes_in_millisecond > self.plan.max_spikes:
            self._fail(n, t, Outcome.TOO_MANY_SPIKES)
        self.plastics.fired(n, t)
        for p, row in neuron.projections:
            projection = self.plan.projections[p]
            if p in self.plastics.of:
                for key, target, sign in self.plastics.sent(p, row, t, neuron.spikes):
                    self.queue.add(Entry(key, target, self._port(projection.port, sign, target)))
                continue
            for k, (target, weight, delay) in enumerate(self._row(p, row)):
                arrival = t + delay
                key = (arrival, round_ + 1 if arrival == t else 0, ARRIVAL, p, row, neuron.spikes, k)
                self.queue.add(Entry(key, target, self._port(projection.port, weight, target), weight))
        neuron.spikes += 1

    def weights_of(self, projection: int) -> NDArray[np.float64]:
        return self.plastics.of[projection].weights(self.time)

    def set_learning(self, projection: int, enabled: bool) -> None:
        self.plastics.of[projection].enable(enabled, self.time)

    def _weighted(self, entry: Entry) -> Entry:
        entry = self.plastics.weighted(entry)
        if not math.isfinite(entry.weight):
            self._fail(entry.neuron, entry.time, Outcome.WEIGHT_LOST)
        return entry if math.isfinite(entry.weight) else entry._replace(weight=0.0)

    def _port(self, port: int, weight: float, target: int) -> int:
        model = self.neurons[target].model
        assert model is not None and (port >= 0 or model.by_sign is not None)
        return port if port >= 0 else model.by_sign[weight < 0.0]  # type: ignore[index]

    def _fail(self, n: int, t: float, outcome: Outcome) -> None:
        if self.failure is None or (t, n) < (self.failure[1], self.failure[0]):
            self.failure = (n, t, outcome)

    # ---- the schedule

    def peek(self) -> float:
        """Time of the next event in ms, or of the next step of a search for a crossing; inf if there is neither."""
        return self.queue[0].time if self.queue else math.inf

    def pending(self, neuron: int | None = None, until: float = math.inf) -> list[Entry]:
        """What is in the queue, in canonical order, for one neuron (global index) or all, before `until` (ms)."""
        return [e for e in self.queue if e.time < until and neuron in (None, e.neuron) and e.key[1] != SEARCH]

    def step(self) -> None:
        """Process everything of the first time and round in the queue."""
        t, round_ = self.queue[0].key[:2]
        now: list[Entry] = []
        while self.queue and self.queue[0].key[:2] == (t, round_):
            entry = self.queue.pop(0)
            now.append(self._weighted(entry))
            if entry.key[2] == EXTERNAL:
                self._queue_external(entry.key[4])  # it may come at the same time
            elif entry.key[2] == CHANGE:
                self._queue_change(entry.neuron)
        if round_ == SEARCH:
            for entry in now:
                self.neurons[entry.neuron].crossing = None
                if isinstance(self.neurons[entry.neuron].model, SteppedModel):
                    self.settle(entry.neuron, t)
                self._search(entry.neuron, t, SEARCH, t)
            return
        if round_ == LAST:
            for entry in now:
                self._sample(entry)
            return
        if round_ > self.plan.max_rounds:
            self._fail(min(entry.neuron for entry in now), t, Outcome.TOO_MANY_ROUNDS)
            return
        changed: set[int] = set()
        for entry in now:
            if entry.key[2] == CROSSING:
                self.neurons[entry.neuron].crossing = None
                self.settle(entry.neuron, t)
                self._fire(entry.neuron, t, round_)
                changed.add(entry.neuron)
        for entry in now:
            if entry.key[2] == CHANGE:
                self._change_current(entry.neuron, entry.port, t)
                changed.add(entry.neuron)
        changed |= self._receive(t, round_, now)
        for n in sorted(changed):
            self._predict(n, t, round_)
        self.counters["neuron_updates"] += len({entry.neuron for entry in now})

    def _change_current(self, n: int, piece: int, t: float) -> None:
        neuron = self.neurons[n]
        assert neuron.model is not None
        state, gain, current = self.settle(n, t), neuron.c[R], self.plan.currents
        piece += int(current.start[current.of[n]])
        neuron.model.leave(neuron.c, state, neuron.release)
        state.steps, state.since = 0, t
        state.drive = gain * (float(self.plan.I_e[n]) + float(current.amplitude[piece]))
        state.slope = gain * float(current.slope[piece])
        state.sines = sines_of(current, piece)
        neuron.model.enter(neuron.c, state, neuron.release)

    def _receive(self, t: float, round_: int, now: list[Entry]) -> set[int]:
        """Add all inputs to their neurons and test each threshold once. Returns the neurons that were advanced."""
        inputs: dict[int, tuple[list[Entry], list[Entry]]] = {}
        of_streams = Counter((entry.neuron, entry.key[4]) for entry in now if entry.key[2] == EXTERNAL)
        for (n, _), count in of_streams.items():
            if count > self.plan.max_spikes and self.neurons[n].model is not None:
                self._fail(n, t, Outcome.TOO_MANY_INPUTS)
        for entry in now:
            kind, n = entry.key[2], entry.neuron
            if kind not in (EXTERNAL, ARRIVAL):
                continue
            self.counters["external_events" if kind == EXTERNAL else "synaptic_events"] += 1
            if self.neurons[n].model is None:
                self._fire(n, t, round_)
            else:
                inputs.setdefault(n, ([], []))[kind == EXTERNAL].append(entry)
        accepted = set()
        for n, (synaptic, external) in sorted(inputs.items()):
            neuron = self.neurons[n]
            assert neuron.model is not None
            if t < neuron.release and neuron.release - t <= t * RELEASE_SLACK:
                neuron.release = t
            if neuron.model.instantaneous and t < neuron.release:
                continue
            if self._add(neuron, self.settle(n, t), synaptic, external) and t >= neuron.release:
                self._fire(n, t, round_)
            if neuron.model.is_lost(neuron.c, neuron.state):
                self._fail(n, t, ended_by(neuron.state))
            neuron.state.steps, neuron.state.since = 0, t
            accepted.add(n)
        return accepted

    def _add(self, neuron: Neuron, state: State, synaptic: list[Entry], external: list[Entry]) -> bool:
        """Add the inputs of one time; True if v is then at the threshold or above it. Outside of frames they are summed
        first, by port and in canonical order, synaptic and external apart."""
        model, c = neuron.model, neuron.c
        assert model is not None
        if state.frame is None:
            inside, outside = by_port(model, synaptic), by_port(model, external)
            total = [a + b for a, b in zip(inside, outside, strict=True)]
            model.receive(c, state, total, state.t < neuron.release)
            return state.v >= model.threshold(c, state)
        inputs = [(entry.port, entry.weight) for entry in (*synaptic, *external)]
        return frames.receive(model.shape, c, state, inputs, neuron.release)

    # ---- samples

    def set_samples(self, times: list[NDArray[np.float64]]) -> None:
        """Begin a run: probe k will be sampled at times[k]; `samples[k]` holds one array (ids, samples) a variable."""
        self._sample_times = times
        self.samples = [
            {name: np.zeros((probe.neuron.size, at.size)) for name in probe.variables}
            for probe, at in zip(self.plan.probes, times, strict=True)
        ]
        for entry in [e for e in self.queue if e.key[2] == SAMPLE]:
            self.queue.remove(entry)
        for k, at in enumerate(times):
            if at.size:
                self.queue.add(Entry((float(at[0]), LAST, SAMPLE, k, 0), -1))

    def _sample(self, entry: Entry) -> None:
        t, _, _, k, column = entry.key
        probe = self.plan.probes[k]
        for row, n in enumerate(probe.neuron.tolist()):
            model, c = self.neurons[n].model, self.neurons[n].c
            assert model is not None
            kept = self.neurons[n].state
            self.neurons[n].state = kept.copy()
            now = self.settle(n, t)
            self.neurons[n].state = kept
            model.leave(c, now, self.neurons[n].release)
            for name, variable, offset in zip(probe.variables, probe.variable, probe.offset.tolist(), strict=True):
                if variable < 0:
                    value = model.threshold(c, now)
                else:
                    value = now.v if variable == 0 else now.x[variable - 1]
                self.samples[k][name][row, column] = value + offset[row]
        if column + 1 < self._sample_times[k].size:
            self.queue.add(Entry((float(self._sample_times[k][column + 1]), LAST, SAMPLE, k, column + 1), -1))

    # ---- running

    def advance(self, stop: float, budget: int, threads: int = 1, pausing: bool = False) -> bool:
        """Process at most `budget` steps of events before `stop` (ms), in one thread; True when none is left or the run
        failed. pausing: not beyond a step with spikes that are recorded."""
        for _ in range(budget):
            if not self.peek() < stop:
                self.time = stop
                return True
            self.time = self.peek()
            self.step()
            if self.failure is not None:
                return True
            if pausing and self.log:
                return False
        return False

    def take_spikes(self) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Times and neurons of the spikes since the last call, in no particular order."""
        times = np.array([t for t, _ in self.log], dtype=np.float64)
        neurons = np.array([n for _, n in self.log], dtype=np.int32)
        self.log = []
        return times, neurons

    def settled(self) -> dict[str, NDArray[np.float64]]:
        """Every neuron's state as it is at the present time."""
        states = []
        for n, neuron in enumerate(self.neurons):
            kept = neuron.state
            neuron.state = s = kept.copy()
            if neuron.model is not None:
                self.settle(n, self.time)
                neuron.model.leave(neuron.c, s, neuron.release)
            neuron.state = kept
            states.append(s)
        return arrays_of_states(states, [neuron.release for neuron in self.neurons], self.plan.variables.shape[1])

    def verify(self) -> None:
        """Check every invariant of the queue; raises RuntimeError with the state of what broke it."""
        problems = flaws(self.queue, self.neurons, self.time if self.failure is None else 0.0)
        if problems:
            raise RuntimeError("the reference engine's queue is broken:\n" + "\n".join(problems))
