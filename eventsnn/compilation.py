"""compile_network: from the description to the Plan. All validation that needs values happens here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.compile_streams import compile_streams
from eventsnn.connect import Rule
from eventsnn.distributions import Distribution
from eventsnn.errors import InputError
from eventsnn.models.base import Model, Value, Values, floats
from eventsnn.network import Neurons, Synapses
from eventsnn.plan import (
    CurrentPlan,
    Floats,
    Ids,
    Plan,
    PopulationPlan,
    ProbePlan,
    ProjectionPlan,
    WeightProbePlan,
)
from eventsnn.stimuli import StepCurrent
from eventsnn.streams import stream_key
from eventsnn.values import NUMBERS, draw, resolve

if TYPE_CHECKING:
    from eventsnn.network import Network, Population, Probe, Projection, Stimulus

# A window never outlasts this many ms, so that a run can be stopped between two of them.
LONGEST_WINDOW = 1.0
# Shorter ones are lost in the last bits of t after some seconds; single instants do as well, and t / window stays
# finite.
SHORTEST_WINDOW = 2.0**-40


def compile_network(network: Network) -> Plan:
    """Validate the network and build its Plan. Raises InputError for the first mistake."""
    if not network.populations:
        raise InputError("compile: the network has no population; add one with net.population(n, model)")
    starts, n = _numbering(network)
    if n >= 2**31:
        raise InputError(f"compile: {n} neurons are more than the {2**31 - 1} that can be numbered")

    neurons = _compile_neurons(network, starts, n)
    projections = tuple(_compile_projection(p, starts) for p in network.projections.values())
    smallest = min((float(p.delay.min()) for p in projections if p.n_synapses), default=math.inf)
    probes = [p for p in network.probes.values() if isinstance(p.target, Neurons)]
    weight_probes = [p for p in network.probes.values() if not isinstance(p.target, Neurons)]
    plan = Plan(
        seed=network.seed,
        populations=tuple(_population_plan(p, starts[p.name]) for p in network.populations.values()),
        projections=projections,
        streams=compile_streams(network, starts, n, _stimulus_ports),
        currents=_compile_currents(network, starts, n),
        probes=tuple(_compile_probe(probe, starts) for probe in probes),
        weight_probes=tuple(_compile_weight_probe(probe, projections) for probe in weight_probes),
        recorded=_recorded(network, starts, n),
        window=window_width(smallest),
        max_rounds=network.max_rounds,
        max_spikes=network.max_spikes,
        **neurons,
    )
    _freeze(plan)
    return plan


def _numbering(network: Network) -> tuple[dict[str, int], int]:
    """The number of each population's first neuron, and how many there are in all."""
    starts, n = {}, 0
    for population in network.populations.values():
        starts[population.name] = n
        n += population.n
    return starts, n


def window_width(smallest_delay: float) -> float:
    """The largest power of two (ms) not above the smallest delay, within SHORTEST_ and LONGEST_WINDOW; else 0."""
    if smallest_delay >= LONGEST_WINDOW:
        return LONGEST_WINDOW
    if smallest_delay < SHORTEST_WINDOW:
        return 0.0
    _, exponent = math.frexp(smallest_delay)
    return math.ldexp(1.0, exponent - 1)


def population_values(population: Population) -> Values:
    """Parameters and initial state of a population as arrays of one or n elements, checked."""
    model = population.model
    if not isinstance(model, Model):
        return {}

    def resolved(given: dict[str, Value]) -> Values:
        return {
            name: resolve(
                value,
                population.n,
                f"{population.name}: {name}",
                stream_key(population.network.seed, population.name, name),
            )
            for name, value in given.items()
        }

    values = resolved(population.values)
    type(model).check(values, population.name)
    return {**values, **type(model).initial_state(values), **resolved(population.state)}


def _population_plan(population: Population, start: int) -> PopulationPlan:
    if not isinstance(population.model, Model):
        return PopulationPlan(population.name, start, population.n, None, None)
    V_th = population.values["V_th"]
    one = None if np.ndim(V_th) or isinstance(V_th, Distribution) else float(V_th)  # type: ignore[arg-type]
    return PopulationPlan(population.name, start, population.n, type(population.model), one)


def _compile_neurons(network: Network, starts: dict[str, int], n: int) -> dict[str, Any]:
    models: list[type[Model]] = []
    tables: list[tuple[int, Floats]] = []
    class_of = np.full(n, -1, dtype=np.int32)
    v, current, I_e = np.zeros(n), np.zeros((n, 2)), np.zeros(n)
    classes = 0
    for population in network.populations.values():
        if not isinstance(population.model, Model):
            continue
        model = type(population.model)
        values = population_values(population)
        if model not in models:
            models.append(model)
        block = slice(starts[population.name], starts[population.name] + population.n)
        constants = _constants(model, values, population.name)
        tables.append((models.index(model), constants))
        class_of[block] = classes + (np.arange(population.n) if constants.shape[1] > 1 else 0)
        classes += constants.shape[1]
        v[block] = values["V_m"] - values["E_L"]
        for port, name in enumerate(model.state_variables[1:]):
            current[block, port] = values[name]
        I_e[block] = values["I_e"]
    table = np.zeros((classes, max((len(model.constant_names) for model in models), default=1)))
    class_model = np.zeros(classes, dtype=np.int32)
    at = 0
    for index, constants in tables:
        table[at : at + constants.shape[1], : constants.shape[0]] = constants.T
        class_model[at : at + constants.shape[1]] = index
        at += constants.shape[1]
    return {
        "models": tuple(models), "class_of": class_of, "class_model": class_model, "constants": table,
        "v": v, "current": current, "I_e": I_e,
    }  # fmt: skip


def _constants(model: type[Model], values: Values, where: str) -> Floats:
    with np.errstate(all="ignore"):
        constants = model.constants(values)
    wrong = np.argwhere(~np.isfinite(constants))
    if wrong.size:
        row, neuron = wrong[0].tolist()
        raise InputError(
            f"{where}: {model.constant_names[row]} = {constants[row, neuron]:g} follows from the parameters and must "
            "be finite; give less extreme ones"
        )
    return constants


def _global_ids(side: list[Neurons], starts: dict[str, int]) -> Ids:
    return np.concatenate([part.ids + starts[part.population.name] for part in side]).astype(np.int32)


def _compile_projection(projection: Projection, starts: dict[str, int]) -> ProjectionPlan:
    name, seed = projection.name, projection.network.seed
    pre, post = _global_ids(projection.pre, starts), _global_ids(projection.post, starts)

    def given(value: Value, purpose: str) -> Floats | Distribution:
        return value if isinstance(value, Distribution) else floats(value, f"{name}: {purpose}", NUMBERS)

    weights, delays = given(projection.weight, "weight"), given(projection.delay, "delay")
    per_synapse = any(isinstance(value, Distribution) or value.ndim > 0 for value in (weights, delays))
    try:
        rows = projection.rule.draw(stream_key(seed, name, "connections"), pre, post, per_synapse)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    except MemoryError:
        raise InputError(f"{name}: the synapses of {projection.rule!r} do not fit into memory; make fewer") from None

    ordinal: Any = rows.ordinal

    def values(value: Floats | Distribution, purpose: str, unit: str, low: float) -> Floats:
        what = f"{name}: {purpose}"
        if isinstance(value, Distribution):
            array = draw(value, stream_key(seed, name, purpose), ordinal.astype(np.uint64), what)
        elif value.ndim:
            array = _per_synapse(value, what, projection.rule, projection.rule.shape(pre.size, post.size))[ordinal]
        else:
            array = value.reshape(1)
        good = np.isfinite(array) & (array >= low)
        if not good.all():
            wrong = int(np.argmin(good))
            where = f" (synapse {ordinal[wrong]} in the rule's order)" if array.size > 1 else ""
            rule = "finite and not negative" if low == 0.0 else "finite"
            raise InputError(f"{what} = {array[wrong]:g} {unit}{where} must be {rule}")
        return array

    weight, delay = values(weights, "weight", "mV or pA", -math.inf), values(delays, "delay", "ms", 0.0)
    target = rows.target
    if delay.size > 1:
        order = np.lexsort((delay, np.repeat(np.arange(pre.size), np.diff(rows.indptr))))
        target, delay = target[order], delay[order]
        weight = weight[order] if weight.size > 1 else weight
    return ProjectionPlan(name, pre, post, rows.indptr, post[target], weight, delay, _port(projection))


def _per_synapse(array: Floats, what: str, rule: Rule, shape: tuple[int, ...] | None) -> Floats:
    """An array of weights or delays in the rule's own order, flattened."""
    if shape is None:
        raise InputError(
            f"{what}: {type(rule).__name__} makes a random number of synapses; give a number or a distribution"
        )
    if array.shape != shape:
        raise InputError(f"{what} is an array of shape {array.shape}; {type(rule).__name__} needs shape {shape} here")
    return array.reshape(-1)


def _port(owner: Projection | Stimulus) -> int:
    """Index of the named port; 0 where all targets have one port; -1: by the sign of the weight."""
    side = owner.post if hasattr(owner, "post") else owner.targets
    models = {type(part.population.model) for part in side}
    ports = [model.ports for model in models if issubclass(model, Model)]
    if owner.port is not None:
        places = {names.index(owner.port) for names in ports}
        if len(places) > 1:
            raise InputError(f"{owner.name}: port {owner.port!r} differs between the models of its targets; split it")
        return places.pop()
    return 0 if all(len(p) == 1 for p in ports) else -1


def synapses_of(projection: Projection) -> Synapses:
    """The synapses of a projection: those of its network's Simulation, or as they will be drawn."""
    network = projection.network
    if network._simulation is not None:
        plan = next(p for p in network._simulation.plan.projections if p.name == projection.name)
    else:
        plan = _compile_projection(projection, _numbering(network)[0])
    n_synapses = plan.n_synapses
    position = np.zeros(int(plan.post.max()) + 1, dtype=np.int64)
    position[plan.post] = np.arange(plan.post.size)
    return Synapses(
        pre=np.repeat(np.arange(plan.pre.size), np.diff(plan.start)),
        post=position[plan.target],
        weight=np.broadcast_to(plan.weight, n_synapses).copy(),
        delay=np.broadcast_to(plan.delay, n_synapses).copy(),
    )


def _stimulus_ports(stimulus: Stimulus, weight: Floats) -> NDArray[np.int64]:
    """The port of every target of a stimulus, or one for all."""
    port = _port(stimulus)
    if port >= 0:
        return np.full(1, port)
    models = [target.population.model for target in stimulus.targets]
    two = [isinstance(model, Model) and len(model.ports) > 1 for model in models]
    second = np.repeat(two, [len(target) for target in stimulus.targets]) & (weight < 0)
    return second.astype(np.int64)


def _compile_currents(network: Network, starts: dict[str, int], n: int) -> CurrentPlan:
    """Neurons that share the same set of step currents share a programme: the sum, in the order of the stimuli."""
    currents = [s for s in network.stimuli.values() if isinstance(s.source, StepCurrent)]
    if not currents:
        return CurrentPlan(np.full(n, -1, dtype=np.int32), np.zeros(1, dtype=np.int64), np.empty(0), np.empty(0))
    member = np.zeros((len(currents), n), dtype=bool)
    for row, stimulus in zip(member, currents, strict=True):
        row[_global_ids(stimulus.targets, starts)] = True
    sets, of = np.unique(member, axis=1, return_inverse=True)
    start, times, amplitudes = [0], [np.empty(0)], [np.empty(0)]
    programme = np.full(sets.shape[1], -1, dtype=np.int32)
    for column in range(sets.shape[1]):
        chosen = [s.source for s, inside in zip(currents, sets[:, column], strict=True) if inside]
        if not chosen:
            continue
        programme[column] = len(start) - 1
        time = np.unique(np.concatenate([source.times for source in chosen]))  # type: ignore[union-attr]
        total = np.zeros(time.size)
        for source in chosen:
            held = np.concatenate([[0.0], source.amplitudes])  # type: ignore[union-attr]
            total = total + held[np.searchsorted(source.times, time, side="right")]  # type: ignore[union-attr]
        times.append(time)
        amplitudes.append(total)
        start.append(start[-1] + time.size)
    return CurrentPlan(
        of=programme[of.reshape(-1)],
        start=np.array(start, dtype=np.int64),
        time=np.concatenate(times),
        amplitude=np.concatenate(amplitudes),
    )


def _compile_probe(probe: Probe, starts: dict[str, int]) -> ProbePlan:
    target: Any = probe.target
    known = target.population.model.state_variables
    variable = tuple(known.index(name) for name in probe.variables)
    neuron = _global_ids([target], starts)
    return ProbePlan(probe.name, tuple(probe.variables), variable, neuron, target.ids, probe.every, probe.times)


def _compile_weight_probe(probe: Probe, projections: tuple[ProjectionPlan, ...]) -> WeightProbePlan:
    plan = next(p for p in projections if p.name == probe.target.name)
    ids = np.arange(plan.n_synapses) if probe.synapses is None else probe.synapses
    if ids.size and not (0 <= ids.min() and ids.max() < plan.n_synapses):
        raise InputError(f"record: {plan.name}: ids must lie in 0 to {plan.n_synapses - 1}, its synapses")
    weight = np.broadcast_to(plan.weight, plan.n_synapses)[ids]
    return WeightProbePlan(probe.name, weight, ids, probe.every, probe.times)


def _recorded(network: Network, starts: dict[str, int], n: int) -> NDArray[np.uint8]:
    recorded = np.full(n, 0 if network.spike_probes else 1, dtype=np.uint8)
    for target in network.spike_probes:
        recorded[target.ids + starts[target.population.name]] = 1
    return recorded


def _freeze(item: Any) -> None:
    """Make every array in the plan read-only."""
    for value in vars(item).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
        elif isinstance(value, tuple):
            for part in value:
                if hasattr(part, "__dict__") and not isinstance(part, type):
                    _freeze(part)
        elif hasattr(value, "__dict__"):
            _freeze(value)
