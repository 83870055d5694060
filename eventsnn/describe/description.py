"""Description: populations, projections, stimuli and recordings under their names, checked as they are added."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.checks import choice, floats, number, whole
from eventsnn.base.errors import InputError, suggest
from eventsnn.describe.currents import InjectedCurrent
from eventsnn.describe.learning import Learning
from eventsnn.describe.parts import (
    Neurons,
    Owner,
    Population,
    Probe,
    Projection,
    Side,
    Stimulus,
    indices,
    unit_of_weights,
)
from eventsnn.describe.processes.base import PointProcess
from eventsnn.describe.rules.base import Rule
from eventsnn.describe.spike_source import SpikeSource, spike_train
from eventsnn.draw.values import Value, own
from eventsnn.models.base import Model
from eventsnn.plasticity.base import PlasticityRule
from eventsnn.plasticity.reward import RewardSTDP

DTYPES = ("float64", "float32")
STORAGES = ("stored", "procedural")


@dataclass(eq=False)
class Description(Owner):
    """Neurons, synapses, stimuli and recordings, as they are asked for; see Network for its parameters."""

    seed: int = 0
    max_rounds: int = 1_000
    max_spikes: int = 1_000_000
    populations: dict[str, Population] = field(default_factory=dict, init=False, repr=False)
    projections: dict[str, Projection] = field(default_factory=dict, init=False, repr=False)
    stimuli: dict[str, Stimulus] = field(default_factory=dict, init=False, repr=False)
    probes: dict[str, Probe] = field(default_factory=dict, init=False, repr=False)
    spike_probes: list[Neurons] = field(default_factory=list, init=False, repr=False)
    # For a label, the smallest number that may be free: names are never given back.
    _next_number: dict[tuple[str, str], int] = field(default_factory=dict, init=False, repr=False)

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
        label = self.free_name(type(model).__name__, "populations")
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
        delay: Value | None = None,
        port: str | None = None,
        name: str | None = None,
        dtype: str = "float64",
        storage: str = "stored",
        plasticity: PlasticityRule | None = None,
        axonal_delay: Value | None = None,
        dendritic_delay: float | None = None,
    ) -> Projection:
        """Connect pre to post by a rule. A list of populations is their union.

        weight: mV for delta synapses, pA for currents, nS for conductances, at most 1e150; delay: ms, >= 0, axonal, 1
        unless given.
        Each is a number, a distribution, or an array with one value a synapse in the rule's own order (see the rule).
        Conv2D and SparseMatrix bring weights, which `weight`, one number, multiplies. port: without it, the sign of the
        weight chooses "ex" or "in"; at one that is named, currents take the weight as it is, so that a positive one at
        "in" excites, and conductances (nS) refuse negative ones, as they have no sign. dtype "float32" halves the
        memory of weights that differ: they are rounded once, when the network is compiled.

        storage "procedural" keeps no synapses, which else take 2 to 20 bytes each: a neuron's are drawn anew whenever
        it fires, with the same bits. For every synapse a spike then takes 5 ns (FixedOutDegree) to 20 ns
        (FixedProbability) longer, 22 ns more with weights and 20 to 35 ns more with delays from a distribution. It is
        offered for rules that draw row by row, which are FixedOutDegree, FixedProbability, AllToAll and OneToOne, with
        numbers and distributions; delays must have a lower bound >= 0, which is taken for the smallest delay.

        plasticity: the rule by which weights change, such as STDP(); each synapse then has a weight of its own, all of
        one sign. A spike comes to the synapse after axonal_delay and to the neuron after dendritic_delay more, one
        number (ms), which spikes of the neuron also take to the synapse; `delay` alone is axonal. A network of plastic
        synapses runs fastest if the dendritic delay is half of the whole or more.

        Raises InputError for a bad rule, an unknown port, dtype or storage, a source as target, a taken name; and when
        the network is compiled, for what cannot be drawn anew.
        """
        self.require_unstarted("connect")
        if not isinstance(rule, Rule):
            raise InputError(
                f"connect: {reprlib.repr(rule)} is not a rule; write for example AllToAll() or FixedInDegree(100)"
            )
        pre_side, post_side = self.side(pre, "connect: pre"), self.side(post, "connect: post")
        label = self.free_name(f"{side_name(pre_side)}->{side_name(post_side)}", "projections")
        name = self.new_name(name, label, self.projections, "connect")
        self.require_ports(post_side, port, name)
        choice(dtype, f"{name}: dtype", DTYPES)
        choice(storage, f"{name}: storage", STORAGES)
        weight = own(weight, f"{name}: weight", unit_of_weights(post_side, port))
        axonal, dendritic = _delays(name, delay, axonal_delay, dendritic_delay, plasticity)
        projection = Projection(self, name, pre_side, post_side, rule, weight, axonal, port, dtype, storage, dendritic)
        if plasticity is not None:
            if storage == "procedural":
                raise InputError(f"{name}: storage='procedural' keeps no weights that could change; use 'stored'")
            if isinstance(plasticity, RewardSTDP) and plasticity.reward.population.network is not self:
                raise InputError(
                    f"{name}: the reward of its rule, {plasticity.reward.name}, belongs to another network; give a "
                    "population of this one"
                )
            projection.__dict__["_learning"] = Learning(projection, plasticity)
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
        """Drive neurons from outside: each gets random spikes of its own (weight: mV, pA or nS a spike), or a current
        (pA). weight and port are those of `connect`.

        Raises InputError for a source as target, an unknown port, a weight given with a current or missing without, and
        for a current with rows for other neurons than these.
        """
        self.require_unstarted("stimulate")
        side = self.side(targets, "stimulate")
        if isinstance(source, SpikeSource):
            raise InputError("stimulate: SpikeSource reaches neurons over synapses; make it a population and connect")
        if not isinstance(source, PointProcess | InjectedCurrent):
            raise InputError(
                f"stimulate: {source!r} is not a stimulus; known are currents and point processes such as Poisson(rate)"
            )
        label = self.free_name(f"{type(source).__name__}->{side_name(side)}", "stimuli")
        name = self.new_name(name, label, self.stimuli, "stimulate")
        current = isinstance(source, InjectedCurrent)
        if current and (weight is not None or port is not None):
            raise InputError(f"{name}: a current has no weight and no port; its amplitude is in pA")
        if not current and weight is None:
            raise InputError(f"{name}: a stimulus of spikes needs weight= (mV for delta synapses, pA for currents)")
        if isinstance(source, InjectedCurrent):
            source.require_rows(sum(len(part) for part in side), name)
        self.require_ports(side, port, name, needs_port=not current)
        weight = 0.0 if weight is None else own(weight, f"{name}: weight", unit_of_weights(side, port))
        stimulus = Stimulus(name, side, source, weight, port)
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
        "weight". A run does not include its end: a sample at that very time, of which the first run that ends so warns,
        belongs to the run that follows; `state()` reads what is there then.

        ids: which neurons (or synapses) of the target; all of them unless given. The trace is found under the name of
        the population or projection unless `name` is given. "spikes" takes neither every nor times: all spikes are
        recorded unless one or more record(..., "spikes") say which. Samples are the closed form's right limit at their
        time. Recordings may be added between runs; they begin at `net.time`. Raises InputError for an unknown variable,
        bad times, ids out of range, a name that is taken.
        """
        names: list[Any] = list(variables) if isinstance(variables, list | tuple) else [variables]
        synapses = None
        if isinstance(target, Projection):
            if self.projections.get(target.name) is not target:
                raise InputError(f"record: {target.name} belongs to another network")
            owner: str = target.name
            known = ["weight"]
            if ids is not None:
                synapses = indices(ids, f"record: {target.name}")
                if synapses.dtype == np.bool_:
                    raise InputError(f"record: {target.name}: ids of synapses must be whole numbers, not a mask")
        elif not isinstance(target, Neurons):
            raise InputError(f"record: {target!r} is not a population or a projection")
        else:
            target = target if ids is None else target[ids]
            self.side(target, "record")
            model = target.population.model
            owner, known = target.population.name, ["spikes"]
            if isinstance(model, Model):
                known += model.recordables
        for variable in names or [""]:
            if not isinstance(variable, str) or variable not in known:
                raise InputError(f"record: {target.name} has no {variable!r}; {suggest(variable, known)}")
            if names.count(variable) > 1:
                raise InputError(f"record: {target.name}: {variable!r} is listed twice; name each variable once")
        if "spikes" in names:
            if len(names) > 1 or every is not None or times is not None or name is not None:
                raise InputError(f"record: spikes of {target.name} are recorded exactly; give only ids with 'spikes'")
            self._require_new(cast(Neurons, target))
            self.spike_probes.append(cast(Neurons, target))
            self.renew(self.spike_probes.pop)
            return
        if (every is None) == (times is None):
            raise InputError(f"record: {target.name}: give either every= (ms) or times= (ms) for {', '.join(names)}")
        if every is not None:
            width = floats(every, f"record: {target.name}: every", "a number of ms", "ms")
            if width.ndim or not 0.0 < width < math.inf:
                raise InputError(f"record: {target.name}: every = {every} ms must be one positive, finite number")
            every = float(width)
        if name is None and owner in self.probes:
            raise InputError(
                f"record: a trace {owner!r} is there already; list its variables in one call, or give name="
            )
        name = self.new_name(name, owner, self.probes, "record")
        at = None if times is None else spike_train(times, f"record: {name}")
        self.probes[name] = Probe(name, target, names, every, at, synapses)
        self.renew(self.probes.popitem)

    def _require_new(self, neurons: Neurons) -> None:
        """Raise InputError where spikes are recorded while the network lives, and so should be for the whole run."""
        if not self.started:
            return
        if not self.spike_probes:
            raise InputError("record: the spikes of all neurons are recorded already")
        if any(probe.population is neurons.population for probe in self.spike_probes):
            raise InputError(
                f"record: spikes of some neurons of {neurons.population.name} are recorded already; record those of "
                "others after net.reset()"
            )

    def side(self, side: Side, what: str) -> list[Neurons]:
        """One side of a connection as a list of Neurons of this network, none twice."""
        parts: list[Any] = list(side) if isinstance(side, list | tuple) else [side]
        for part in parts:
            if not isinstance(part, Neurons):
                raise InputError(f"{what}: {part!r} is not a population or a list of populations")
            if part.population.network is not self:
                raise InputError(f"{what}: {part.name} belongs to another network")
        for population in {part.population for part in parts}:
            mine = [part for part in parts if part.population is population]
            if len(mine) == 1 and mine[0].distinct:
                continue
            # With more than there are some must be there twice; to sort them might take more memory than there is.
            if sum(len(part) for part in mine) <= population.n:
                ids = np.concatenate([part.ids for part in mine])
                twice = np.unique(ids).size != ids.size
            else:
                twice = True
            if twice:
                raise InputError(f"{what}: neurons of {population.name} appear twice; name each neuron once")
        if not sum(len(part) for part in parts):
            raise InputError(f"{what}: no neurons in {[part.name for part in parts]}")
        return parts

    def new_name(self, name: str | None, default: str, taken: dict[str, Any], what: str) -> str:
        if name is None:
            return default
        if not isinstance(name, str) or not name or "/" in name or name in (".", ".."):
            raise InputError(f"{what}: name {name!r} cannot be used; it must be a string, not empty and without '/'")
        try:
            name.encode()
        except UnicodeError:  # streams of random numbers and files are named by these bytes
            raise InputError(f"{what}: name {name!r} holds half a character; choose another") from None
        if name in taken:
            raise InputError(f"{what}: the name {name!r} is taken; choose another")
        return name

    def free_name(self, label: str, kind: str) -> str:
        """label#k for the smallest k that is free among populations, projections or stimuli."""
        key, taken = (kind, label), getattr(self, kind)
        k = self._next_number.get(key, 0)
        while f"{label}#{k}" in taken:
            k += 1
        self._next_number[key] = k
        return f"{label}#{k}"

    def require_ports(self, side: list[Neurons], port: str | None, name: str, needs_port: bool = True) -> None:
        for part in side:
            model = part.population.model
            if not isinstance(model, Model):
                raise InputError(f"{name}: {part.name} is a source and takes no input; connect from it instead")
            if port is not None and not (isinstance(port, str) and port in model.ports):
                raise InputError(
                    f"{name}: {type(model).__name__} of {part.name} has no port {port!r}; {suggest(port, model.ports)}"
                )
            if needs_port and port is None and model.by_sign is None:
                ports = ", ".join(model.ports)
                known = f"has the ports {ports}; name one with port=" if ports else "takes no input"
                raise InputError(f"{name}: {type(model).__name__} of {part.name} {known}")


def _delays(
    name: str, delay: Value | None, axonal: Value | None, dendritic: float | None, plasticity: object
) -> tuple[Value, float]:
    """The axonal and the dendritic part of a delay, ms."""
    if plasticity is not None and not isinstance(plasticity, PlasticityRule):
        raise InputError(f"{name}: plasticity = {reprlib.repr(plasticity)} is no rule; write for example STDP()")
    if axonal is None and dendritic is None:
        return own(1.0 if delay is None else delay, f"{name}: delay", "ms"), 0.0
    if delay is not None:
        raise InputError(f"{name}: delay is axonal; give either it or axonal_delay and dendritic_delay")
    if plasticity is None:
        raise InputError(f"{name}: axonal_delay and dendritic_delay differ only with plasticity=; give delay=")
    part = number(
        0.0 if dendritic is None else dendritic, f"{name}: dendritic_delay", "one number >= 0 (ms)", 0.0, unit="ms"
    )
    return own(0.0 if axonal is None else axonal, f"{name}: axonal_delay", "ms"), part


def side_name(side: list[Neurons]) -> str:
    return "+".join(part.name for part in side)
