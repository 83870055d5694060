"""Network: a description that can be compiled and run."""

from __future__ import annotations

import copy
import json
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, overload

import numpy as np

from eventsnn.base.arrays import Floats, Ints, fixed_arrays
from eventsnn.base.checks import choice, flag, number, whole
from eventsnn.base.errors import InputError, StateError
from eventsnn.base.paths import AnyPath, as_path, replacing
from eventsnn.compile.altered import (
    altered_process,
    altered_stimulus,
    describe,
    patched,
    restated,
    restoring,
    weight_of,
)
from eventsnn.compile.network import compile_again, compile_network, drawn_plan, drawn_synapses, planned_synapses
from eventsnn.compile.neurons import initial_values, value_of
from eventsnn.compile.plan import Plan
from eventsnn.compile.ports import require_weights
from eventsnn.compile.streams import Begins, rekeyed
from eventsnn.describe.conditions import SpikeCount
from eventsnn.describe.description import Description
from eventsnn.describe.parts import Neurons, Population, Projection, Stimulus, Synapses
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.draw.values import Value, Values
from eventsnn.models.base import Model
from eventsnn.results.results import Results
from eventsnn.run.interrupts import undivided
from eventsnn.run.progress import RunStatus
from eventsnn.run.reference_simulation import ReferenceSimulation
from eventsnn.run.simulation import Simulation
from eventsnn.run.timeline import timeline

Engine: TypeAlias = Literal["compiled", "reference"]

SIMULATIONS: dict[str, type[Simulation]] = {"compiled": Simulation, "reference": ReferenceSimulation}


@dataclass(eq=False)
class Network(Description):
    """A description of neurons, synapses, stimuli and recordings; `run` compiles it and simulates.

    seed: every random draw of the network follows from it and from the names of its objects.
    max_rounds, max_spikes: the run is stopped with RunawayError after so many rounds at one time, or so many spikes of
    one neuron within one whole millisecond.
    """

    seed: int = 0
    max_rounds: int = 1_000
    max_spikes: int = 1_000_000

    _simulation: Simulation | None = field(default=None, init=False, repr=False)
    # Those that sources were given after the first run.
    _spikes: dict[str, SpikeSource] = field(default_factory=dict, init=False, repr=False)
    # When processes were set last, by use and name.
    _begins: dict[tuple[str, str], Floats] = field(default_factory=dict, init=False, repr=False)
    # Seed and time (ms) of external spikes that are drawn otherwise than the network's seed says.
    _drawn: tuple[int, float] | None = field(default=None, init=False, repr=False)
    # Weights that stay through a reset, by projection.
    _learned: dict[str, Floats] = field(default_factory=dict, init=False, repr=False)

    @overload
    def compile(
        self, engine: Literal["compiled"] = "compiled", threads: int | None = None, limit_memory: float | None = None
    ) -> Simulation: ...
    @overload
    def compile(
        self, engine: Literal["reference"], threads: int | None = None, limit_memory: float | None = None
    ) -> ReferenceSimulation: ...
    def compile(
        self, engine: Engine = "compiled", threads: int | None = None, limit_memory: float | None = None
    ) -> Simulation:
        """Validate everything and return an independent Simulation; raises InputError for the first mistake.

        engine: "compiled" or "reference", whose ReferenceSimulation also goes from event to event. threads: upper bound
        of the threads that draw synapses; None: the processors that this process may use. It changes no synapse.
        limit_memory: bytes that the network may take; None: what the system has available, where it says so. A network
        that needs more is refused before anything is allocated.
        """
        choice(engine, "engine", SIMULATIONS)
        if threads is not None:
            threads = whole(threads, "compile: threads", 1)
        simulation = SIMULATIONS[engine](compile_network(self, threads, limit_memory))
        for name, weights in self._learned.items():
            simulation.set_weights(name, weights)
        for projection in self.projections.values():
            if projection.plasticity is not None and not projection.plasticity.enabled:
                simulation.set_learning(projection.name, False)
        return simulation

    def run(
        self,
        duration: float | None = None,
        *,
        until: float | SpikeCount | None = None,
        threads: int = 1,
        progress: bool | Callable[[RunStatus], None] = False,
        engine: Engine | None = None,
        keep: Literal["all", "new"] = "all",
        limit_memory: float | None = None,
        stream: AnyPath | None = None,
        checkpoint: AnyPath | None = None,
        every: float | None = None,
    ) -> Results:
        """Simulate `duration` ms more, or up to the time `until`; the first run compiles the network.

        With until=SpikeCount(neurons, n) the run stops with the n-th spike of these neurons, if it comes.

        threads: upper bound of the threads that simulate. progress: True for a bar, or a function of RunStatus. engine:
        "compiled" or "reference", fixed by the first run. keep="new": Results of this run only. Ctrl-C raises
        KeyboardInterrupt; what was simulated is kept (`results()`), and `run` goes on from there. limit_memory: bytes
        that the network, and then the samples of this run, may take; None: what the system has available.

        stream: a folder that gets spikes and samples while the run goes on, so that they take no memory; the Results
        read them when they are asked for, and `load` reads the folder at any moment. checkpoint: the same, and also
        the whole state at each whole multiple of `every` ms, if that is given, and when the run ends: `resume` goes on
        from there. Raises InputError, RunawayError.
        """
        if isinstance(until, SpikeCount) and until.neurons.population.network is not self:
            raise InputError(f"run: until: {until.neurons.name} belongs to another network")
        if checkpoint is not None and self._drawn is not None:
            raise InputError(
                f"run: checkpoint = {checkpoint!r}: a fork with a seed is another network than was described, which "
                "nothing can resume; give stream= in place of it"
            )
        first = self._simulation is None
        if self._simulation is None:
            threads = whole(threads, "run: threads", 1)
            self._simulation = self.compile("compiled" if engine is None else engine, limit_memory=limit_memory)
        elif engine is not None and engine != self._simulation.engine:
            raise StateError(
                f"run: the network already runs on engine={self._simulation.engine!r}; "
                f"call net.reset() to change to {engine!r}"
            )
        try:
            return self._simulation.run(
                duration, until=until, threads=threads, progress=progress, keep=keep, limit_memory=limit_memory,
                stream=stream, checkpoint=checkpoint, every=every,
            )  # fmt: skip
        except InputError:
            if first and not self._simulation.begun:
                self.reset()  # a first run whose arguments are refused has not begun
            raise

    def resume(self, directory: AnyPath, limit_memory: float | None = None) -> Results:
        """Compile the network and stand where the last checkpoint in a folder says, with everything recorded before.

        The network is described as it was for the run that wrote the checkpoint; `run(checkpoint=directory)` then goes
        on, in any number of threads, with the bits of a run that was never interrupted. A checkpoint that is damaged
        is warned of, and the one before it is taken. limit_memory: see `compile`. Raises InputError if there is none,
        or one of another network or version; StateError if the network has run.
        """
        self.require_unstarted("resume")
        simulation = self.compile(limit_memory=limit_memory)
        results = simulation.resume(directory)
        self._simulation = simulation
        return results

    def fork(self, seed: int | None = None) -> Network:
        """An independent network that stands where this one does, and can be changed and run on its own.

        Synapses are shared and nothing is compiled again. It records from the present time on. seed: external spikes
        are drawn anew from the present time on, other ones for each seed; None: they come as they do in this network.
        Raises StateError before the first run.
        """
        if self._simulation is None:
            raise StateError("fork: the network has not run yet; call net.run(0) to compile it, or copy.deepcopy(net)")
        simulation = self._simulation.fork(seed)
        twin = object.__new__(type(self))
        described = {name: value for name, value in self.__dict__.items() if name != "_simulation"}
        # Arrays that cannot change are shared.
        shared = {id(array): array for array in fixed_arrays(described)}
        twin.__dict__ |= copy.deepcopy(described, {id(self): twin, **shared})
        twin._simulation = simulation
        if seed is not None:
            twin._drawn = (whole(seed, "fork: seed", 0), self.time)
        return twin

    def timeline(
        self, path: AnyPath, t0: float | None = None, t1: float | None = None,
        neurons: Sequence[Neurons] | Neurons | None = None, force: bool = False,
    ) -> None:  # fmt: skip
        """Write the events of a part of the run into a file that Perfetto and chrome://tracing show, on a time line for
        each neuron: its spikes, what arrives from other neurons and from stimuli, and arrows from a spike to where it
        arrives.

        t0, t1: ms; from the beginning and for 100 ms where left out. neurons: those that are shown; the first ten of
        each population where left out. Raises InputError unless the window was simulated and all spikes were recorded
        of these neurons and of populations that project to them, also those that were under way where recording began;
        for more than a million events; and if there is a file already, unless force=True. StateError before the first
        run.
        """
        if self._simulation is None:
            raise StateError("time line: the network has not run yet; call net.run first")
        results = self._simulation.results()
        begin = results.t_start if t0 is None else number(t0, "time line: t0", "a number of ms", unit="ms")
        end = t1 if t1 is None else number(t1, "time line: t1", "a number of ms", unit="ms")
        chosen = None if neurons is None else self._ids_of(neurons)
        varying = {name for name in self.projections if self._simulation.weights_of(name) is not None}
        window = begin, min(begin + 100.0, results.t_stop) if end is None else end
        events = timeline(self._simulation.plan, results, *window, chosen, varying)
        with replacing(as_path(path, "the time line"), "the time line", force) as staging:
            staging.write_text(json.dumps(events), encoding="utf-8")

    def _ids_of(self, neurons: Sequence[Neurons] | Neurons) -> dict[str, Ints]:
        """By population, the ids of neurons of this network."""
        given = neurons if isinstance(neurons, list | tuple) else [neurons]
        found: dict[str, Ints] = {}
        for some in given:
            part = some[:] if isinstance(some, Population) else some
            if not isinstance(part, Neurons) or part.population.network is not self:
                raise InputError(f"time line: neurons: {reprlib.repr(some)} are no neurons of this network")
            before = found.get(part.population.name, np.empty(0, dtype=np.int64))
            found[part.population.name] = np.union1d(before, part.ids)
        return found

    def __getstate__(self) -> dict[str, Any]:
        if self._simulation is not None:
            raise StateError(
                "copy: the network has run, and its Simulation stays in this process; copy or pickle the network "
                "before its first run or after net.reset(), or hand on net.results()"
            )
        return self.__dict__.copy()

    @property
    def time(self) -> float:
        """Simulated time in ms."""
        return 0.0 if self._simulation is None else self._simulation.time

    def results(self) -> Results:
        """Everything recorded since t = 0. Raises StateError before the first run."""
        if self._simulation is None:
            raise StateError("results: the network has not run yet; call net.run(duration) first")
        return self._simulation.results()

    def reset(self, weights: bool = True) -> None:
        """Back to t = 0; the next run begins anew.

        Parameters, weights, drives and recordings stay as they were set last. State, and spikes given to sources after
        the first run, do not. weights=False: all weights stay as they are now, those that were learned too; else the
        next run begins with those that were given. Raises StateError while a run is going on.
        """
        flag(weights, "reset: weights")
        if self._simulation is not None:
            self._simulation.require_rest("reset")
        if weights:
            self._learned = {}
        elif self._simulation is not None:
            present = {name: self._simulation.weights_of(name) for name in self.projections}
            self._learned = {name: array for name, array in present.items() if array is not None}
        self._simulation = None
        self._spikes, self._begins, self._drawn = {}, {}, None

    @property
    def started(self) -> bool:
        return self._simulation is not None

    def require_unstarted(self, action: str) -> None:
        if self._simulation is not None:
            raise StateError(f"cannot {action} after the first run; call net.reset() first, which goes back to t = 0")

    def initial_values(self, population: Population) -> Values:
        return initial_values(population)

    def present_state(self, population: Population, names: Sequence[str]) -> Values:
        simulation = self.compile() if self._simulation is None else self._simulation
        values = simulation.state_of(population.name, names)
        assert isinstance(population.model, Model)
        offsets = population.model.offsets(initial_values(population))
        return {name: value + offsets.get(name, 0.0) for name, value in values.items()}

    # ---- changes, before the first run and between runs

    def set_values(self, neurons: Neurons, values: Mapping[str, Any]) -> None:
        population = neurons.population
        if not isinstance(population.model, Model):
            process, begin = altered_process(neurons, values, self._begins, self.time)
            self._alter(population, {"model": process}, {("source", population.name): begin})
        elif self._simulation is None:
            describe(neurons, values)
        else:
            self._simulation.require_alive(f"change {neurons.name}")
            with undivided("change"):
                self._restate(neurons, {k: value_of(neurons, k, value, self.time) for k, value in values.items()})

    def _restate(self, neurons: Neurons, values: Values) -> None:
        """Let neurons have these parameters and state in the present run."""
        simulation, population = self._simulation, neurons.population
        assert simulation is not None and isinstance(population.model, Model)
        before = initial_values(population)
        parameters = {name: value for name, value in values.items() if name in population.values}
        changes = {"values": population.values | patched(neurons, parameters, before)}
        names = population.model.state_variables
        present = self.present_state(population, names) if not values.keys().isdisjoint(names) else {}
        with restoring(population, changes if parameters else {}):
            plan = self._again(simulation.plan, self._begins) if parameters else simulation.plan
            start = next(p.start for p in plan.populations if p.name == population.name)
            simulation.change(plan, *restated(neurons, start, values, before, present))

    def _again(self, plan: Plan, begins: Begins) -> Plan:
        """The Plan of what is described now."""
        again = compile_again(self, plan, begins)
        return again if self._drawn is None else replace(again, streams=rekeyed(again.streams, *self._drawn))

    def drop_spikes(self, neurons: Neurons) -> Floats:
        if self._simulation is None:
            return np.empty(0)
        with undivided("change"):
            return self._simulation.drop_spikes(neurons.population.name, neurons.ids)

    def set_stimulus(self, stimulus: Stimulus, weight: Value | None, values: Mapping[str, Any]) -> None:
        source, begin = altered_stimulus(stimulus, values, self.time)
        changes: dict[str, Any] = {"source": source}
        if weight is not None:
            changes["weight"] = weight_of(stimulus, weight, self.time)
        self._alter(stimulus, changes, {("stimulus", stimulus.name): begin} if values else {})

    def _alter(self, part: Any, changes: Mapping[str, Any], begins: Begins) -> None:
        """Let a part of the description have these attributes from now on. begins: processes that begin anew."""
        simulation = self._simulation
        if simulation is None:
            part.__dict__.update(changes)
            return
        simulation.require_alive(f"change {part.name}")
        with undivided("change"):
            with restoring(part, changes):
                simulation.change(self._again(simulation.plan, {**self._begins, **begins}))
            self._begins |= begins

    def renew(self, undo: Callable[[], Any]) -> None:
        simulation = self._simulation
        if simulation is None:
            return
        with undivided("change"):
            try:
                simulation.require_alive("record")
                simulation.change(self._again(simulation.plan, self._begins))
            except BaseException:
                undo()
                raise

    def set_spikes(self, neurons: Neurons, source: SpikeSource, relative: bool) -> None:
        population = neurons.population
        given = source.later(self.time) if relative else source
        if neurons is not population:
            others = self._spikes_of(population).without(neurons.ids, population.n)
            given = others.joined(given.among(neurons.ids), population.n, self.time)
        if self._simulation is None:
            population.model = given
            return
        with undivided("change"):
            self._simulation.set_trains(population.name, given.times, *given.bounds(population.n, population.name))
            self._spikes[population.name] = given

    def add_spikes(self, neurons: Neurons, source: SpikeSource, relative: bool) -> None:
        population = neurons.population
        added = source.later(self.time) if relative else source
        if neurons is not population:
            added = added.among(neurons.ids)
        self.set_spikes(population, self._spikes_of(population).joined(added, population.n, self.time), False)

    def _spikes_of(self, population: Population) -> SpikeSource:
        held = self._spikes.get(population.name, population.model)
        assert isinstance(held, SpikeSource)
        return held

    def set_weights(self, projection: Projection, weight: Value) -> None:
        if self._simulation is None:
            projection.weight = weight
            self._learned.pop(projection.name, None)
            return
        with undivided("change"):
            altered = drawn_plan(self, replace(projection, weight=weight))
            self._simulation.set_weights(projection.name, np.broadcast_to(altered.weight, altered.n_synapses))
            projection.__dict__["weight"] = weight

    def set_learning(self, projection: Projection, enabled: bool) -> None:
        if self._simulation is not None:
            self._simulation.set_learning(projection.name, enabled)

    def put_weights(self, projection: Projection, weights: Floats) -> None:
        if self._simulation is None:
            raise StateError(
                f"{projection.name}: synapses have their order from the first run on; call net.run(0) before"
            )
        require_weights(projection.name, projection.post, projection.port, weights, "synapse")
        with undivided("change"):
            self._simulation.set_weights(projection.name, weights)

    def synapses_of(self, projection: Projection) -> Synapses:
        if self._simulation is not None:
            kept = planned_synapses(self._simulation.plan, projection.name)
            if kept is not None:
                weights = self._simulation.weights_of(projection.name)
                return kept if weights is None else replace(kept, weight=weights)
        drawn = drawn_synapses(self, projection)
        return replace(drawn, weight=self._learned[projection.name]) if projection.name in self._learned else drawn
