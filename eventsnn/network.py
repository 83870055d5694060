"""What the user asks for: populations, projections, stimuli and recordings, and no engine state."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eventsnn.checks import whole
from eventsnn.connect import Rule
from eventsnn.currents import InjectedCurrent
from eventsnn.errors import InputError, StateError, suggest
from eventsnn.models.base import Model, Value
from eventsnn.point_processes import PointProcess
from eventsnn.progress import RunStatus
from eventsnn.stimuli import SpikeSource

if TYPE_CHECKING:
    from eventsnn.engine import Simulation
    from eventsnn.results import Results

Ids: TypeAlias = NDArray[np.int64]
Side: TypeAlias = "Neurons | Sequence[Neurons]"
Engine: TypeAlias = Literal["compiled", "reference"]

DTYPES = ("float64", "float32")
STORAGES = ("stored", "procedural")


class Neurons:
    """Some neurons of one population: what connect, stimulate and record take. Slicing gives a smaller one."""

    def __init__(self, population: Population, ids: Ids, name: str):
        self.population = population
        self.ids = ids
        self.name = name

    def __len__(self) -> int:
        return self.ids.size

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} neurons>"

    def __getitem__(self, key: Any) -> Neurons:
        """Neurons by index, slice, mask or list of indices; raises InputError for an index that is out of range."""
        try:
            ids = self.ids[key if isinstance(key, slice) else indices(key, self.name)]
        except (IndexError, TypeError) as error:
            raise InputError(f"{self.name}: no such neurons, {error}; it has {len(self)}") from None
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            text = f"{start}:{stop}" + (f":{step}" if step != 1 else "")
        else:
            text = f"{ids[0]}" if ids.size == 1 else f"{ids.size} of {len(self)}"
        return Neurons(self.population, ids, f"{self.name}[{text}]")

    def __iter__(self) -> Iterator[Neurons]:
        return (self[i] for i in range(len(self)))


class Population(Neurons):
    """Neurons of one model, or a source. Made by `Network.population`."""

    def __init__(self, network: Network, name: str, n: int, model: Model | SpikeSource | PointProcess):
        super().__init__(self, np.arange(n, dtype=np.int64), name)
        self.network = network
        self.n = n
        self.model = model
        self.values = {k: own(v) for k, v in model.values.items()} if isinstance(model, Model) else {}
        self.state: dict[str, Value] = {}

    def set(self, **values: Any) -> None:
        """Set parameters or initial state: numbers, arrays of length n, or distributions.

        Of a SpikeSource its spikes: times= (ms), ids= if need be, both as in SpikeSource, and relative=True if times
        count from the present. This may be done between runs too, so that one network is shown one batch after the
        other: these spikes then take the place of those to come, and none may lie in the past.

        Raises InputError for an unknown name and a bad value; StateError after the first run, but for spikes.
        """
        if isinstance(self.model, SpikeSource) and values:
            self._set_spikes(**values)
            return
        self.network.require_unstarted(f"change {self.name}")
        for name in values:
            if not isinstance(self.model, Model):
                raise InputError(f"{self.name}: {self.model!r} is a source and has no parameter {name!r}")
            known = [*self.model.parameters, *self.model.state_variables]
            if name not in known:
                raise InputError(
                    f"{self.name}: {type(self.model).__name__} has no parameter or state {name!r}; "
                    + suggest(name, known)
                )
        for name, value in values.items():
            (self.values if name in self.values else self.state)[name] = own(value)

    def _set_spikes(self, times: Any = None, ids: Any = None, relative: bool = False, **others: Any) -> None:
        if others:
            name, known = min(others), ["times", "ids", "relative"]
            raise InputError(f"{self.name}: a SpikeSource has no {name!r}; {suggest(name, known)}")
        if not isinstance(relative, bool):
            raise InputError(f"{self.name}: relative = {relative!r} is neither True nor False")
        if times is None:
            raise InputError(f"{self.name}: spikes need times=, the times (ms) of all of them")
        try:
            source = SpikeSource(times, ids)
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from None
        was = self.model
        if source.ids is None and isinstance(was, SpikeSource) and was.ids is not None and self.n > 1:
            raise InputError(
                f"{self.name}: times without ids= would be spikes of each of its {self.n} neurons; give ids=, or one "
                "list of times a neuron"
            )
        source.bounds(self.n, self.name)
        simulation = self.network._simulation
        if simulation is None:
            self.model = source
        else:
            simulation.set_spikes(self.name, source.later(simulation.time) if relative else source)

    def get(self, *names: str) -> Any:
        """Parameters or initial state as they will be at t = 0: an array of length n for a name, a tuple for several.

        Raises InputError for an unknown name or a value that cannot be used.
        """
        from eventsnn.compilation import population_values

        self.network.require_unstarted(f"read the initial values of {self.name}")
        known = population_values(self)
        for name in names:
            if name not in known:
                raise InputError(f"{self.name}: no parameter or state {name!r}; {suggest(name, known)}")
        arrays = tuple(np.broadcast_to(known[name], self.n).copy() for name in names)
        return arrays[0] if len(names) == 1 else arrays


@dataclass(frozen=True)
class Synapses:
    """Synapses of a projection, as arrays of equal length, ordered by (pre, delay, post).

    pre and post are positions on the two sides given to connect (the neuron's index if a side is one population).
    """

    pre: Ids
    post: Ids
    weight: NDArray[np.float64]  # mV for delta synapses, pA for currents
    delay: NDArray[np.float64]  # ms

    def __len__(self) -> int:
        return self.pre.size


@dataclass(eq=False)
class Projection:
    """Synapses from one side to another. Made by `Network.connect`."""

    network: Network
    name: str
    pre: list[Neurons]
    post: list[Neurons]
    rule: Rule
    weight: Value
    delay: Value
    port: str | None
    dtype: str
    storage: str

    def __repr__(self) -> str:
        return f"<Projection {self.name}: {self.rule!r}>"

    def set(self, *, weight: Value | None = None, delay: Value | None = None) -> None:
        """Set weight (mV or pA) or delay (ms): numbers, arrays or distributions. StateError after the first run."""
        self.network.require_unstarted(f"change {self.name}")
        self.weight = self.weight if weight is None else own(weight)
        self.delay = self.delay if delay is None else own(delay)

    def get(self, *names: Literal["pre", "post", "weight", "delay"]) -> Any:
        """Arrays of `synapses()` by name; a tuple for several. InputError for an unknown name."""
        synapses = self.synapses()
        known = synapses.__dataclass_fields__
        for name in names:
            if name not in known:
                raise InputError(f"{self.name}: synapses have no {name!r}; {suggest(name, known)}")
        arrays = tuple(getattr(synapses, name) for name in names)
        return arrays[0] if len(names) == 1 else arrays

    def synapses(self) -> Synapses:
        """All synapses; those of the network's run if it has begun, else drawn as that run will draw them."""
        from eventsnn.compilation import synapses_of

        return synapses_of(self)


@dataclass
class Stimulus:
    """An external drive of some neurons. Made by `Network.stimulate`."""

    name: str
    targets: list[Neurons]
    source: PointProcess | InjectedCurrent
    weight: Value
    port: str | None


@dataclass
class Probe:
    """A recording. Made by `Network.record`; `target` is a projection for weights."""

    name: str
    target: Neurons | Projection
    variables: list[str]
    every: float | None
    times: NDArray[np.float64] | None
    synapses: Ids | None = None


@dataclass(eq=False)
class Network:
    """A description of neurons, synapses, stimuli and recordings; `run` compiles it and simulates.

    seed: every random draw of the network follows from it and from the names of its objects.
    max_rounds, max_spikes: the run is stopped with RunawayError after so many rounds at one time, or so many spikes of
    one neuron within one whole millisecond.
    """

    seed: int = 0
    max_rounds: int = 1_000
    max_spikes: int = 1_000_000
    populations: dict[str, Population] = field(default_factory=dict, init=False, repr=False)
    projections: dict[str, Projection] = field(default_factory=dict, init=False, repr=False)
    stimuli: dict[str, Stimulus] = field(default_factory=dict, init=False, repr=False)
    probes: dict[str, Probe] = field(default_factory=dict, init=False, repr=False)
    spike_probes: list[Neurons] = field(default_factory=list, init=False, repr=False)
    _simulation: Simulation | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.seed = whole(self.seed, "Network: seed", 0)
        self.max_rounds = whole(self.max_rounds, "Network: max_rounds", 1)
        self.max_spikes = whole(self.max_spikes, "Network: max_spikes", 1)

    def population(
        self, n: int, model: Model | SpikeSource | PointProcess, name: str | None = None, **values: Value
    ) -> Population:
        """Add n neurons of a model, or n sources; `values` are its parameters and initial state.

        Raises InputError for a name that is taken, a size below 1, an unknown parameter.
        """
        self.require_unstarted("add a population")
        if not isinstance(model, Model | SpikeSource | PointProcess):
            kind = model.__name__ + "()" if isinstance(model, type) else "a model such as LIFDelta()"
            if hasattr(model, "to_source"):
                kind = "its to_source()"
            raise InputError(f"population: {reprlib.repr(model)} is not a model or source; write {kind}")
        label = free_name(type(model).__name__, self.populations)
        name = self.new_name(name, label, self.populations, "population")
        n = whole(n, f"{name}: n", 1)
        if n >= 2**31:
            raise InputError(f"{name}: n = {n} is more than the {2**31 - 1} neurons that can be numbered")
        population = Population(self, name, n, model)
        population.set(**values)
        self.populations[name] = population
        return population

    def connect(
        self,
        pre: Side,
        post: Side,
        rule: Rule,
        weight: Value = 1.0,
        delay: Value = 1.0,
        port: str | None = None,
        name: str | None = None,
        dtype: str = "float64",
        storage: str = "stored",
    ) -> Projection:
        """Connect pre to post by a rule. A list of populations is their union.

        weight: mV for delta synapses, pA for currents; delay: ms, >= 0, axonal. Each is a number, a distribution, or an
        array with one value a synapse in the rule's own order (see the rule). Conv2D and SparseMatrix bring weights,
        which `weight`, one number, multiplies. port: without it, the sign of the weight chooses "ex" or "in". dtype
        "float32" halves the memory of weights that differ: they are rounded once, when the network is compiled.

        storage "procedural" keeps no synapses, which else take 2 to 20 bytes each: a neuron's are drawn anew whenever
        it fires, with the same bits. For every synapse a spike then takes 5 ns (FixedOutDegree) to 20 ns
        (FixedProbability) longer, 22 ns more with weights and 20 to 35 ns more with delays from a distribution. It is
        offered for rules that draw row by row, which are FixedOutDegree, FixedProbability, AllToAll and OneToOne, with
        numbers and distributions; delays must have a lower bound >= 0, which is taken for the smallest delay.

        Raises InputError for a bad rule, an unknown port, dtype or storage, a source as target, a taken name; and when
        the network is compiled, for what cannot be drawn anew.
        """
        self.require_unstarted("connect")
        if not isinstance(rule, Rule):
            raise InputError(
                f"connect: {reprlib.repr(rule)} is not a rule; write for example AllToAll() or FixedInDegree(100)"
            )
        pre_side, post_side = self.side(pre, "connect: pre"), self.side(post, "connect: post")
        label = free_name(f"{side_name(pre_side)}->{side_name(post_side)}", self.projections)
        name = self.new_name(name, label, self.projections, "connect")
        self.require_ports(post_side, port, name)
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise InputError(f"{name}: dtype = {dtype!r} is not known; {suggest(dtype, DTYPES)}")
        if not isinstance(storage, str) or storage not in STORAGES:
            raise InputError(f"{name}: storage = {storage!r} is not known; {suggest(storage, STORAGES)}")
        projection = Projection(self, name, pre_side, post_side, rule, own(weight), own(delay), port, dtype, storage)
        self.projections[name] = projection
        return projection

    def stimulate(
        self,
        targets: Side,
        source: PointProcess | InjectedCurrent,
        weight: Value | None = None,
        port: str | None = None,
        name: str | None = None,
    ) -> Stimulus:
        """Drive neurons from outside: each gets random spikes of its own (weight: mV or pA a spike), or a current (pA).

        Raises InputError for a source as target, an unknown port, a weight given with a current or missing without.
        """
        self.require_unstarted("stimulate")
        side = self.side(targets, "stimulate")
        if isinstance(source, SpikeSource):
            raise InputError("stimulate: SpikeSource reaches neurons over synapses; make it a population and connect")
        if not isinstance(source, PointProcess | InjectedCurrent):
            raise InputError(
                f"stimulate: {source!r} is not a stimulus; known are currents and point processes such as Poisson(rate)"
            )
        label = free_name(f"{type(source).__name__}->{side_name(side)}", self.stimuli)
        name = self.new_name(name, label, self.stimuli, "stimulate")
        current = isinstance(source, InjectedCurrent)
        if current and (weight is not None or port is not None):
            raise InputError(f"{name}: a current has no weight and no port; its amplitude is in pA")
        if not current and weight is None:
            raise InputError(f"{name}: a stimulus of spikes needs weight= (mV for delta synapses, pA for currents)")
        self.require_ports(side, port, name, needs_port=not current)
        stimulus = Stimulus(name, side, source, 0.0 if weight is None else own(weight), port)
        self.stimuli[name] = stimulus
        return stimulus

    def record(
        self,
        target: Neurons | Projection,
        variables: str | Sequence[str],
        every: float | None = None,
        times: Sequence[float] | NDArray[np.float64] | None = None,
        ids: Iterable[int] | None = None,
        name: str | None = None,
    ) -> None:
        """Record state variables (V_m in mV, I_syn_* in pA) at k * every or at given times (ms), or a projection's
        "weight".

        ids: which neurons (or synapses) of the target; all of them unless given. The trace is found under the name of
        the population or projection unless `name` is given. "spikes" takes neither every nor times: all spikes are
        recorded unless one or more record(..., "spikes") say which. Samples are the closed form's right limit at their
        time. Raises InputError for an unknown variable, bad times, ids out of range, a name that is taken.
        """
        from eventsnn.recording import make_probe

        self.require_unstarted("record")
        probe = make_probe(self, target, variables, every, times, ids, name)
        if isinstance(probe, Probe):
            self.probes[probe.name] = probe
        else:
            self.spike_probes.append(probe)

    def compile(self, engine: Engine = "compiled", threads: int | None = None) -> Simulation:
        """Validate everything and return an independent Simulation; raises InputError for the first mistake.

        threads: upper bound of the threads that draw synapses; None: the processors that this process may use. It
        changes no synapse.
        """
        from eventsnn.compilation import compile_network
        from eventsnn.engine import Simulation

        if threads is not None:
            threads = whole(threads, "compile: threads", 1)
        return Simulation(compile_network(self, threads), engine)

    def run(
        self,
        duration: float | None = None,
        *,
        until: float | None = None,
        threads: int = 1,
        progress: bool | Callable[[RunStatus], None] = False,
        engine: Engine | None = None,
        keep: Literal["all", "new"] = "all",
    ) -> Results:
        """Simulate `duration` ms more, or up to the time `until`; the first run compiles the network.

        threads: upper bound of the threads that simulate. progress: True for a bar, or a function of RunStatus. engine:
        "compiled" or "reference", fixed by the first run. keep="new": Results of this run only. Ctrl-C raises
        KeyboardInterrupt; what was simulated is kept (`results()`), and `run` goes on from there. Raises InputError,
        RunawayError.
        """
        if self._simulation is None:
            threads = whole(threads, "run: threads", 1)
            self._simulation = self.compile("compiled" if engine is None else engine)
        elif engine is not None and engine != self._simulation.engine:
            raise StateError(
                f"run: the network already runs on engine={self._simulation.engine!r}; "
                f"call net.reset() to change to {engine!r}"
            )
        try:
            return self._simulation.run(duration, until=until, threads=threads, progress=progress, keep=keep)
        except InputError:
            if not self._simulation.begun:
                self.reset()  # a first run whose arguments are refused has not begun
            raise

    @property
    def time(self) -> float:
        """Simulated time in ms."""
        return 0.0 if self._simulation is None else self._simulation.time

    def results(self) -> Results:
        """Everything recorded since t = 0. Raises StateError before the first run."""
        if self._simulation is None:
            raise StateError("results: the network has not run yet; call net.run(duration) first")
        return self._simulation.results()

    def reset(self) -> None:
        """Back to the description at t = 0; the next run begins anew."""
        self._simulation = None

    def require_unstarted(self, action: str) -> None:
        if self._simulation is not None:
            raise StateError(f"cannot {action} after the first run; call net.reset() first, which goes back to t = 0")

    def side(self, side: Side, what: str) -> list[Neurons]:
        """One side of a connection as a list of Neurons of this network, none twice."""
        parts: list[Any] = list(side) if isinstance(side, list | tuple) else [side]
        for part in parts:
            if not isinstance(part, Neurons):
                raise InputError(f"{what}: {part!r} is not a population or a list of populations")
            if part.population.network is not self:
                raise InputError(f"{what}: {part.name} belongs to another network")
        for population in {part.population for part in parts}:
            ids = np.concatenate([part.ids for part in parts if part.population is population])
            if np.unique(ids).size != ids.size:
                raise InputError(f"{what}: neurons of {population.name} appear twice; name each neuron once")
        if not sum(len(part) for part in parts):
            raise InputError(f"{what}: no neurons in {[part.name for part in parts]}")
        return parts

    def new_name(self, name: str | None, default: str, taken: dict[str, Any], what: str) -> str:
        if name is None:
            return default
        if not isinstance(name, str) or not name or "/" in name or name in (".", ".."):
            raise InputError(f"{what}: name {name!r} cannot be used; it must be a string, not empty and without '/'")
        if name in taken:
            raise InputError(f"{what}: the name {name!r} is taken; choose another")
        return name

    def require_ports(self, side: list[Neurons], port: str | None, name: str, needs_port: bool = True) -> None:
        for part in side:
            model = part.population.model
            if not isinstance(model, Model):
                raise InputError(f"{name}: {part.name} is a source and takes no input; connect from it instead")
            if port is not None and port not in model.ports:
                raise InputError(
                    f"{name}: {type(model).__name__} of {part.name} has no port {port!r}; {suggest(port, model.ports)}"
                )
            if needs_port and port is None and model.by_sign is None:
                ports = ", ".join(model.ports)
                known = f"has the ports {ports}; name one with port=" if ports else "takes no input"
                raise InputError(f"{name}: {type(model).__name__} of {part.name} {known}")


def own(value: Value) -> Value:
    """A description does not change with the arrays that it was given."""
    return value.copy() if isinstance(value, np.ndarray) else value


def side_name(side: list[Neurons]) -> str:
    return "+".join(part.name for part in side)


def free_name(label: str, taken: dict[str, Any]) -> str:
    k = 0
    while f"{label}#{k}" in taken:
        k += 1
    return f"{label}#{k}"


def indices(key: Any, what: str) -> NDArray[Any]:
    """Whole numbers or a mask as a one-dimensional array, or an InputError that names `what`."""
    try:
        array = np.atleast_1d(key if isinstance(key, np.ndarray) or not np.iterable(key) else list(key))
    except ValueError:  # lists of different lengths
        array = np.empty((0, 0))
    if array.ndim > 1 or (array.size and array.dtype.kind not in "iub"):
        raise InputError(f"{what}: {reprlib.repr(key)} is no index; whole numbers, a slice or a mask are allowed")
    return array.copy() if array.size else array.astype(np.int64)
