"""Drives either engine in chunks that can be interrupted, and turns what comes out into Results."""

from __future__ import annotations

import math
import signal
import sys
import threading
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.engine import Engine as CompiledEngine
from eventsnn.errors import InputError, RunawayError, StateError
from eventsnn.models.base import suggest
from eventsnn.network import whole
from eventsnn.plan import Plan
from eventsnn.progress import ProgressBar, RunStatus
from eventsnn.recording import sample_times
from eventsnn.reference import Entry, Reference
from eventsnn.results import Results, SpikeTrains, Traces

Floats = NDArray[np.float64]

# Events between two looks at the clock and the signals: some 50 ms in either engine.
BUDGET = {"compiled": 2_000_000, "reference": 2_000}


class Simulation:
    """A Plan and its state. `Network.run` makes one; `Network.compile` gives an independent one."""

    def __init__(self, plan: Plan, engine: str):
        if engine not in BUDGET:
            raise InputError(f"engine = {engine!r} is not known; {suggest(str(engine), BUDGET)}")
        self.plan = plan
        self.engine = engine
        self._state: CompiledEngine | Reference = CompiledEngine(plan) if engine == "compiled" else Reference(plan)
        self._spikes: list[tuple[Floats, NDArray[np.int32]]] = []
        self._samples: list[list[tuple[Floats, dict[str, Floats]]]] = [[] for _ in plan.probes]
        self._wall = 0.0
        self._ended: RunawayError | None = None

    @property
    def time(self) -> float:
        """Simulated time in ms: everything before it has been processed."""
        return self._state.time

    def run(
        self,
        duration: float | None = None,
        *,
        until: float | None = None,
        threads: int = 1,
        progress: bool | Callable[[RunStatus], None] = False,
        keep: Literal["all", "new"] = "all",
    ) -> Results:
        """Simulate [time, time + duration) or [time, until), in ms; see Network.run."""
        start = self.time
        stop = self._stop(duration, until)
        whole(threads, "run: threads", 1)
        if keep not in ("all", "new"):
            raise InputError(f"run: keep = {keep!r} is not known; known are 'all' and 'new'")
        if self._ended is not None:
            raise self._ended
        if keep == "new":
            self._spikes, self._samples = [], [[] for _ in self.plan.probes]
        times = [sample_times(probe.every, probe.times, start, stop) for probe in self.plan.probes]
        self._state.set_samples(times)
        bar = ProgressBar() if progress is True else nullcontext(progress or None)
        with bar as report, deferred_interrupt() as interrupted:
            self._advance(stop, report, interrupted)
            self._collect(times)
        if self._ended is not None:
            raise self._ended
        if interrupted():
            raise KeyboardInterrupt(f"interrupted at {self.time:g} ms; what was simulated is kept, run() goes on")
        return self.results(start if keep == "new" else 0.0)

    def _stop(self, duration: float | None, until: float | None) -> float:
        if (duration is None) == (until is None):
            raise InputError("run: give either the duration in ms or until= in ms")
        name, value = ("duration", duration) if until is None else ("until", until)
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise InputError(f"run: {name} = {value!r} must be a number of ms") from None
        low = 0.0 if until is None else self.time
        if not low <= number < math.inf:
            raise InputError(f"run: {name} = {number:g} ms must be finite and at least {low:g} ms")
        return self.time + number if until is None else number

    def _advance(
        self, stop: float, report: Callable[[RunStatus], None] | None, interrupted: Callable[[], bool]
    ) -> None:
        start, before, began = self.time, dict(self._state.counters), clock.perf_counter()
        done = False
        while not done and not interrupted():
            done = self._state.advance(stop, BUDGET[self.engine])
            if report is not None:
                now = self._state.counters
                wall = clock.perf_counter() - began
                spikes, events = (now[k] - before[k] for k in ("spikes", "synaptic_events"))
                report(RunStatus(self.time, start, stop, wall, spikes, events))
        self._wall += clock.perf_counter() - began

    def _collect(self, times: list[Floats]) -> None:
        """Take over what the engine recorded, up to the time it has reached or the failure that ended it."""
        end = self.time
        failure = self._state.failure
        if failure is not None:
            neuron, end, reason = failure
            self._ended = self._runaway(neuron, end, reason)
        spike_times, neurons = self._state.take_spikes()
        if failure is not None:
            kept = spike_times < end
            spike_times, neurons = spike_times[kept], neurons[kept]
        order = np.lexsort((neurons, spike_times))
        self._spikes.append((spike_times[order], neurons[order]))
        for store, at, values in zip(self._samples, times, self._state.samples, strict=True):
            n = int(np.searchsorted(at, end))
            store.append((at[:n], {name: array[:, :n] for name, array in values.items()}))

    def _runaway(self, neuron: int, time: float, reason: str) -> RunawayError:
        population, index = self.plan.locate(neuron)
        what = {
            "spikes": f"fired more than {self.plan.max_spikes:,} times within 1 ms (max_spikes)",
            "rounds": "is in a loop that never advances time: "
            f"more than {self.plan.max_rounds:,} rounds of events at one time (max_rounds)",
        }[reason]
        return RunawayError(
            f"neuron {index} of {population} {what}, at t = {time:.17g} ms; the run ends there and what was simulated "
            "before is kept. Give the neurons a refractory period t_ref, or the loop a delay",
            population,
            index,
            time,
        )

    def results(self, start: float = 0.0) -> Results:
        """Everything recorded since t = 0, or since the last run that kept only the new."""
        end = self.time if self._ended is None else self._ended.time
        times = np.concatenate([np.empty(0), *(t for t, _ in self._spikes)])
        neurons = np.concatenate([np.empty(0, dtype=np.int32), *(n for _, n in self._spikes)])
        spikes = {}
        # A stable sort by population keeps the order of output within each.
        starts = np.array([p.start for p in self.plan.populations])
        of = np.searchsorted(starts, neurons, side="right") - 1
        order = np.argsort(of, kind="stable")
        bounds = np.searchsorted(of[order], np.arange(starts.size + 1))
        for p, low, high in zip(self.plan.populations, bounds[:-1], bounds[1:], strict=True):
            if self.plan.recorded[p.start : p.stop].any():
                chosen = order[low:high]
                ids = neurons[chosen].astype(np.int64) - p.start
                spikes[p.name] = SpikeTrains(times[chosen], ids, p.n, start, end, p.name)
        traces = {}
        for probe, store in zip(self.plan.probes, self._samples, strict=True):
            at = np.concatenate([np.empty(0), *(t for t, _ in store)])
            none = np.empty((probe.ids.size, 0))
            values = {name: np.concatenate([none, *(v[name] for _, v in store)], axis=1) for name in probe.variables}
            traces[probe.name] = Traces(at, probe.ids, values)
        for weights in self.plan.weight_probes:
            at = sample_times(weights.every, weights.times, start, end)
            constant = np.repeat(weights.weight[:, np.newaxis], at.size, axis=1)
            traces[weights.name] = Traces(at, weights.ids, {"weight": constant})
        return Results(spikes, traces, start, end, self._summary(start, end))

    def _summary(self, start: float, end: float) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "version": version("eventsnn"),
            "seed": self.plan.seed,
            "threads": 1,
            "duration_ms": end - start,
            "wall_s": self._wall,
            "neurons": self.plan.n,
            "synapses": self.plan.n_synapses,
            **self._state.counters,
            "V_th": self._thresholds(),
        }

    def _thresholds(self) -> dict[str, float]:
        """V_th (mV) of the populations in which it is one number."""
        thresholds = {}
        for p in self.plan.populations:
            classes = np.unique(self.plan.class_of[p.start : p.stop])
            if p.model is not None and classes.size == 1:
                c = self.plan.constants[classes[0]]
                thresholds[p.name] = float(c[0] + c[2])
        return thresholds

    # ---- the reference engine, event by event

    def _reference(self, action: str) -> Reference:
        if not isinstance(self._state, Reference):
            raise StateError(f"{action} needs net.compile(engine='reference'); the compiled engine runs in windows")
        return self._state

    def peek(self) -> float:
        """Time of the next event in ms, inf if there is none (reference engine only)."""
        return self._reference("peek").peek()

    def step(self) -> None:
        """Process all events of the next time and round (reference engine only)."""
        reference = self._reference("step")
        if reference.queue:
            reference.step()

    def pending(self, neuron: int | None = None, until: float = math.inf) -> list[Entry]:
        """Events in the queue, of one neuron or all, before `until` ms (reference engine only)."""
        return self._reference("pending").pending(neuron, until)


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Within it Ctrl-C only sets a flag, so that a chunk is never torn; a second Ctrl-C interrupts at once."""
    pressed = [False]
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    usual = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        if pressed[0] and callable(usual):
            usual(number, frame)
        pressed[0] = True
        print("interrupting after the present chunk", file=sys.stderr)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed[0]
    finally:
        signal.signal(signal.SIGINT, usual)
