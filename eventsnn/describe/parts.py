"""The parts of a description: neurons, populations, projections, stimuli and probes. They hold no engine state."""

from __future__ import annotations

import inspect
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import choice, flag, floats, number, whole
from eventsnn.base.errors import InputError, suggest
from eventsnn.describe.currents import InjectedCurrent
from eventsnn.describe.learning import Learning
from eventsnn.describe.processes.base import PointProcess
from eventsnn.describe.rules.base import Rule
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.draw.values import Patched, Value, Values, own
from eventsnn.models.base import Model

Side: TypeAlias = "Neurons | Sequence[Neurons]"


class Owner(ABC):
    """The network that parts belong to, as far as they ask for it: what is known only of the whole."""

    seed: int

    @property
    @abstractmethod
    def started(self) -> bool:
        """Whether the network has run."""

    @abstractmethod
    def renew(self, undo: Callable[[], Any]) -> None:
        """Let a run that goes on have what has been added to the description; if it cannot, `undo` it and raise."""

    @abstractmethod
    def require_unstarted(self, action: str) -> None:
        """Raise StateError if the network has run, and so cannot do this."""

    @abstractmethod
    def initial_values(self, population: Population) -> Values:
        """Parameters and state of a population at t = 0, arrays of one or n elements, checked."""

    @abstractmethod
    def present_state(self, population: Population, names: Sequence[str]) -> Values:
        """State variables of a population at the present time, arrays of n elements; all of them if none is named."""

    @abstractmethod
    def set_values(self, neurons: Neurons, values: Mapping[str, Any]) -> None:
        """Let neurons have these parameters and state from now on; of a point process its parameters."""

    @abstractmethod
    def set_spikes(self, neurons: Neurons, source: SpikeSource, relative: bool) -> None:
        """Let sources spike so from now on; relative: times count from the present."""

    @abstractmethod
    def add_spikes(self, neurons: Neurons, source: SpikeSource, relative: bool) -> None:
        """Let sources have these spikes too, beside those to come."""

    @abstractmethod
    def drop_spikes(self, neurons: Neurons) -> Floats:
        """Let no spike of these neurons that is under way arrive; when those were fired, ms."""

    @abstractmethod
    def set_stimulus(self, stimulus: Stimulus, weight: Value | None, values: Mapping[str, Any]) -> None:
        """Let a stimulus have this weight and these parameters from now on."""

    @abstractmethod
    def set_weights(self, projection: Projection, weight: Value) -> None:
        """Let the synapses of a projection have these weights from now on."""

    @abstractmethod
    def put_weights(self, projection: Projection, weights: Floats) -> None:
        """The same in the order of `synapses_of`, for a network that has run."""

    @abstractmethod
    def set_learning(self, projection: Projection, enabled: bool) -> None:
        """Let the weights of a plastic projection change, or stay as they are, from now on."""

    @abstractmethod
    def synapses_of(self, projection: Projection) -> Synapses:
        """The synapses of a projection, as they are or as they will be drawn."""


class Guarded:
    """What refuses attributes that it does not have: a misspelt one, or a parameter, would have no effect."""

    name: str
    attributes: ClassVar[frozenset[str]]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.attributes:
            label = self.__dict__.get("name", type(self).__name__)
            raise InputError(f"{label}: there is no attribute {name!r} to be set; {self._remedy(name)}")
        owner = self._owner() if name in self.__dict__ else None
        if owner is not None:
            owner.require_unstarted(f"change {self.name}")
        super().__setattr__(name, value)

    def _remedy(self, name: str) -> str:
        return suggest(name, self.attributes)

    def _owner(self) -> Owner | None:
        """The network without which it must not change once that has run; None if it is not yet known."""
        return None


class Neurons(Guarded):
    """Some neurons of one population: what connect, stimulate and record take. Slicing gives a smaller one."""

    attributes = frozenset({"population", "ids", "name"})

    def __init__(self, population: Population, ids: Ints | range, name: str):
        self.population = population
        # A range stands for its numbers until somebody asks for them: a network that is too large to be compiled must
        # not fill the memory while it is described.
        self.__dict__["_range" if isinstance(ids, range) else "ids"] = ids
        self.name = name

    @cached_property
    def ids(self) -> Ints:
        """The index of each neuron in its population."""
        span: range = self.__dict__["_range"]
        return np.arange(span.start, span.stop, span.step, dtype=np.int64)

    @property
    def distinct(self) -> bool:
        """Whether it is known without a look that no neuron is there twice."""
        return "_range" in self.__dict__

    def __len__(self) -> int:
        return len(self.__dict__["_range"]) if self.distinct else self.ids.size

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} neurons>"

    def __getitem__(self, key: Any) -> Neurons:
        """Neurons by index, slice, mask or list of indices; raises InputError for an index that is out of range."""
        try:
            ids = self._pick(key if isinstance(key, slice) else indices(key, self.name))
        except (IndexError, TypeError) as error:
            raise InputError(f"{self.name}: no such neurons, {error}; it has {len(self)}") from None
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            text = f"{start}:{stop}" + (f":{step}" if step != 1 else "")
        else:
            text = f"{ids[0]}" if len(ids) == 1 else f"{len(ids)} of {len(self)}"
        return Neurons(self.population, ids, f"{self.name}[{text}]")

    def _pick(self, key: slice | NDArray[Any]) -> Ints | range:
        if not self.distinct or (not isinstance(key, slice) and key.dtype == np.bool_):
            return self.ids[key]
        span: range = self.__dict__["_range"]
        if isinstance(key, slice):
            return span[key]
        n = len(span)
        outside = key[(key >= n) | (key < -n)]
        if outside.size:
            raise IndexError(f"index {outside[0]} is out of bounds for axis 0 with size {n}")
        positions = key.astype(np.int64)
        ids: Ints = span.start + span.step * np.where(positions < 0, positions + n, positions)
        return ids

    def __iter__(self) -> Iterator[Neurons]:
        return (self[i] for i in range(len(self)))

    def set(self, **values: Any) -> None:
        """Set parameters or state: numbers, arrays with one value a neuron, or distributions.

        Before the first run state is that at t = 0. Between runs values hold from `net.time` on: to be set is an event
        for each of the neurons, before all others at this time. A neuron whose V_m is then at its threshold spikes;
        one that is refractory remains so, with the V_m that it is given. Parameters stay after `net.reset()`.

        Of a SpikeSource its spikes: times= (ms), ids= if need be, both as in SpikeSource, and relative=True if times
        count from the present; they take the place of those to come, and none may lie in the past. Of a point process
        its parameters, as rate=: a process begins anew where it is set, with random numbers of its own.

        Raises InputError for an unknown name, and between runs for a bad value; nothing is changed then. Before the
        first run values may be set one after the other: they are checked when the network is compiled.
        """
        model = self.population.model
        if isinstance(model, SpikeSource):
            if values:
                self._set_spikes(**values)
            return
        known = [*model.parameters, *model.state_variables] if isinstance(model, Model) else arguments(model)
        for name in values:
            if name not in known:
                what = "parameter or state" if isinstance(model, Model) else "parameter"
                raise InputError(f"{self.name}: {type(model).__name__} has no {what} {name!r}; {suggest(name, known)}")
        if values:
            if isinstance(model, Model):
                values = {k: own(value, f"{self.name}: {k}", model.unit_of(k)) for k, value in values.items()}
            self.population.network.set_values(self, values)

    def push(self, times: Any, ids: Any = None, relative: bool = False) -> None:
        """Let a SpikeSource spike at these times too, beside those that are still to come: live input, in chunks.

        times (ms), ids and relative as in `set`. However a stream of spikes is cut into chunks, the network does the
        same. Raises InputError for a time in the past, and for what is no SpikeSource.
        """
        if not isinstance(self.population.model, SpikeSource):
            raise InputError(f"{self.name}: {self.population.model!r} takes no spikes; make it a SpikeSource")
        self.population.network.add_spikes(self, self._given(times, ids, relative), relative)

    def _set_spikes(self, times: Any = None, ids: Any = None, relative: bool = False, **others: Any) -> None:
        if others:
            name, known = min(others), ["times", "ids", "relative"]
            raise InputError(f"{self.name}: a SpikeSource has no {name!r}; {suggest(name, known)}")
        if times is None:
            raise InputError(f"{self.name}: spikes need times=, the times (ms) of all of them")
        self.population.network.set_spikes(self, self._given(times, ids, relative), relative)

    def _given(self, times: Any, ids: Any, relative: bool) -> SpikeSource:
        """Spikes for this source, checked."""
        flag(relative, f"{self.name}: relative")
        try:
            source = SpikeSource(times, ids)
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from None
        was = self.population.model
        if source.ids is None and isinstance(was, SpikeSource) and was.ids is not None and len(self) > 1:
            raise InputError(
                f"{self.name}: times without ids= would be spikes of each of its {len(self)} neurons; give ids=, or "
                "one list of times a neuron"
            )
        source.bounds(len(self), self.name)
        return source

    def drop_spikes(self) -> Floats:
        """Let no spike of these neurons that is under way arrive anywhere; when those were fired, ms.

        Raises InputError where a synapse of theirs is plastic, which learns when spikes arrive; StateError for the
        reference engine.
        """
        return self.population.network.drop_spikes(self)

    def state(self, *names: str) -> Any:
        """State variables such as V_m (mV) as they are at `net.time`: an array for a name, a tuple for several, a
        dictionary of all without any.

        They follow from the closed forms, exactly, and reading them changes nothing. What happens at that very time is
        not in them: it belongs to the next run. Raises InputError for an unknown name and for sources, which have none.
        """
        model = self.population.model
        known = model.recordables if isinstance(model, Model) else ()
        for name in names:
            if not isinstance(name, str) or name not in known:
                raise InputError(f"{self.name}: there is no state variable {name!r}; {suggest(name, known)}")
        values = self.population.network.present_state(self.population, names or known)
        arrays = {name: values[name][self.ids] for name in names or known}
        if not names:
            return arrays
        return arrays[names[0]] if len(names) == 1 else tuple(arrays.values())


class Population(Neurons):
    """Neurons of one model, or a source. Made by `Network.population`."""

    attributes = Neurons.attributes | {"network", "n", "model", "values", "initial"}

    def __init__(self, network: Owner, name: str, n: int, model: Model | SpikeSource | PointProcess):
        if not isinstance(model, Model | SpikeSource | PointProcess):
            raise InputError(
                f"{name}: {reprlib.repr(model)} is not a model or source; write net.population(n, LIFDelta())"
            )
        super().__init__(self, range(whole(n, f"{name}: n", 1, 2**31 - 1)), name)
        self.network = network
        self.n = n
        self.model = model
        given = model.values if isinstance(model, Model) else {}
        self.values: dict[str, Value | Patched] = {
            k: own(v, f"{name}: {k}", model.unit_of(k))  # type: ignore[union-attr]
            for k, v in given.items()
        }
        self.initial: dict[str, Value | Patched] = {}

    def _remedy(self, name: str) -> str:
        if isinstance(self.model, Model) and name in (*self.model.parameters, *self.model.state_variables):
            return f"write {self.name}.set({name}=...)"
        return super()._remedy(name)

    def get(self, *names: str) -> Any:
        """Parameters as they are now and state at t = 0: an array of length n for a name, a tuple for several.

        Raises InputError for an unknown name or a value that cannot be used; StateError for state after the first run,
        which `state` gives as it is then.
        """
        known = self.network.initial_values(self)
        if not all(isinstance(name, str) and (name in self.values or name not in known) for name in names):
            self.network.require_unstarted(f"read the state of {self.name} at t = 0")
        for name in names:
            if not isinstance(name, str) or name not in known:
                raise InputError(f"{self.name}: no parameter or state {name!r}; {suggest(name, known)}")
        arrays = tuple(np.broadcast_to(known[name], self.n).copy() for name in names)
        return arrays[0] if len(names) == 1 else arrays


@dataclass(frozen=True)
class Synapses:
    """Synapses of a projection, as arrays of equal length, ordered by (pre, delay, post).

    pre and post are positions on the two sides given to connect (the neuron's index if a side is one population).
    """

    pre: Ints
    post: Ints
    weight: Floats  # mV for delta synapses, pA for currents
    delay: Floats  # ms

    def __len__(self) -> int:
        return self.pre.size


@dataclass(eq=False)
class Projection(Guarded):
    """Synapses from one side to another. Made by `Network.connect`."""

    attributes = frozenset(
        {"network", "name", "pre", "post", "rule", "weight", "delay", "port", "dtype", "storage", "dendritic"}
    )

    network: Owner
    name: str
    pre: list[Neurons]
    post: list[Neurons]
    rule: Rule
    weight: Value
    delay: Value
    port: str | None
    dtype: str
    storage: str
    dendritic: float = 0.0  # ms, beside `delay`

    @property
    def plasticity(self) -> Learning | None:
        """How its weights change; None if they are static."""
        return self.__dict__.get("_learning")

    def _remedy(self, name: str) -> str:
        if name == "plasticity":
            return "give plasticity= to connect, and set plasticity.enabled to freeze it"
        return super()._remedy(name)

    def _owner(self) -> Owner | None:
        return self.network

    def __repr__(self) -> str:
        return f"<Projection {self.name}: {self.rule!r}>"

    def set(
        self, *, weight: Value | None = None, delay: Value | None = None, order: Literal["rule", "synapses"] = "rule"
    ) -> None:
        """Set weight (mV, pA or nS) or delay (ms): numbers, arrays or distributions, as in connect.

        Weights may be set between runs too: spikes under way arrive with the new ones. Synapses that all share one
        weight are then given one each, which takes 8 bytes a synapse more (4 as float32). An array is in the rule's own
        order, as in connect, or with order="synapses" in that of `synapses()` and `get("weight")`, which is there once
        the network has run; such weights are dropped by `net.reset()`. InputError if none is kept; StateError for
        delays after the first run.
        """
        choice(order, f"{self.name}: order", ("rule", "synapses"))
        if delay is not None:
            self.network.require_unstarted(f"change delays of {self.name}")
            self.delay = own(delay, f"{self.name}: delay", "ms")
        if weight is None:
            return
        weight = own(weight, f"{self.name}: weight", unit_of_weights(self.post, self.port))
        if order == "rule":
            self.network.set_weights(self, weight)
        else:
            self.network.put_weights(self, floats(weight, f"{self.name}: weight", "an array with a number a synapse"))

    def normalize(self, total: float, axis: Literal["post", "pre"] = "post") -> None:
        """Scale weights so that those onto each postsynaptic neuron, or with axis="pre" those from each presynaptic
        one, sum up to `total` (the unit of weights; sizes where weights are negative).

        Neurons whose weights are all 0 stay as they are. Bounds of plasticity hold. Raises InputError, and StateError
        before the first run.
        """
        total = number(total, f"{self.name}: total", "a finite number >= 0", 0.0)
        choice(axis, f"{self.name}: axis", ("post", "pre"))
        synapses = self.synapses()
        side = synapses.post if axis == "post" else synapses.pre
        size = np.abs(synapses.weight)
        sums = np.bincount(side, size)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(sums > 0.0, total / sums, 1.0)
        high = np.inf if self.plasticity is None else self.plasticity.rule.w_max
        low = 0.0 if self.plasticity is None else self.plasticity.rule.w_min
        self.network.put_weights(self, np.copysign(np.clip(size * scale[side], low, high), synapses.weight))

    def get(self, *names: Literal["pre", "post", "weight", "delay"]) -> Any:
        """Arrays of `synapses()` by name; a tuple for several. InputError for an unknown name."""
        synapses = self.synapses()
        known = synapses.__dataclass_fields__
        for name in names:
            if not isinstance(name, str) or name not in known:
                raise InputError(f"{self.name}: synapses have no {name!r}; {suggest(name, known)}")
        arrays = tuple(getattr(synapses, name) for name in names)
        return arrays[0] if len(names) == 1 else arrays

    def synapses(self) -> Synapses:
        """All synapses; those of the network's run if it has begun, else drawn as that run will draw them."""
        return self.network.synapses_of(self)


@dataclass
class Stimulus(Guarded):
    """An external drive of some neurons. Made by `Network.stimulate`."""

    attributes = frozenset({"name", "targets", "source", "weight", "port"})

    name: str
    targets: list[Neurons]
    source: PointProcess | InjectedCurrent
    weight: Value
    port: str | None

    def _owner(self) -> Owner:
        return self.targets[0].population.network

    def set(self, *, weight: Value | None = None, **values: Any) -> None:
        """Set the weight (mV, pA or nS a spike) or parameters of the process or current, as rate= (Hz) of Poisson or
        amplitudes= (pA) of StepCurrent.

        This may be done between runs: from `net.time` on the drive is another. A process begins anew then, with random
        numbers of its own, unless only the weight changes. Both stay after `net.reset()`. Raises InputError for an
        unknown name and, between runs, for a bad value; nothing is changed then.
        """
        known = arguments(self.source)
        current = isinstance(self.source, InjectedCurrent)
        for name in values:
            if name not in known:
                raise InputError(
                    f"{self.name}: {type(self.source).__name__} has no parameter {name!r}; "
                    + suggest(name, [*known, *([] if current else ["weight"])])
                )
        if current and weight is not None:
            raise InputError(f"{self.name}: a current has no weight; its amplitude is in pA")
        if values or weight is not None:
            if weight is not None:
                weight = own(weight, f"{self.name}: weight", unit_of_weights(self.targets, self.port))
            self._owner().set_stimulus(self, weight, values)


@dataclass
class Probe:
    """A recording. Made by `Network.record`; `target` is a projection for weights."""

    name: str
    target: Neurons | Projection
    variables: list[str]
    every: float | None
    times: Floats | None
    synapses: Ints | None = None


def unit_of_weights(targets: Sequence[Neurons], port: str | None) -> str:
    """The unit of weights that reach these neurons; "" if they differ."""
    units = {part.population.model.unit_of_weights(port) for part in targets}  # type: ignore[union-attr]
    return units.pop() if len(units) == 1 else ""


def arguments(source: PointProcess | InjectedCurrent) -> list[str]:
    """The names of what makes up a point process or a current."""
    return list(inspect.signature(type(source)).parameters)


def altered(source: Any, values: Mapping[str, Any]) -> Any:
    """The same kind of point process or current with some values in place of its own."""
    return type(source)(**{name: getattr(source, name) for name in arguments(source)} | dict(values))


def indices(key: Any, what: str) -> NDArray[Any]:
    """Whole numbers or a mask as a one-dimensional array, or an InputError that names `what`."""
    try:
        if isinstance(key, Mapping | Set | np.ma.MaskedArray):  # without an order, or with gaps
            raise TypeError
        array = np.atleast_1d(key if isinstance(key, np.ndarray) or not np.iterable(key) else list(key))
    except Exception:  # lists of different lengths, or an object that fails to say what its elements are
        array = np.empty((0, 0))
    if array.ndim > 1 or (array.size and array.dtype.kind not in "iub"):
        raise InputError(f"{what}: {reprlib.repr(key)} is no index; whole numbers, a slice or a mask are allowed")
    return array.copy() if array.size else array.astype(np.int64)
