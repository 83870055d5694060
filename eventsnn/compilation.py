"""compile_network: from the description to the Plan. All validation that needs values happens here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.compile_currents import compile_currents
from eventsnn.compile_rows import compile_rows, draw_rows
from eventsnn.compile_streams import compile_streams
from eventsnn.compile_synapses import compile_projection, global_ids, prepare
from eventsnn.compile_units import fill_units
from eventsnn.compile_windows import choose_windows
from eventsnn.distributions import Distribution
from eventsnn.errors import InputError
from eventsnn.models.base import Model, Value, Values
from eventsnn.network import Neurons, Synapses
from eventsnn.plan import (
    Floats,
    PartPlan,
    Plan,
    PopulationPlan,
    ProbePlan,
    ProceduralPlan,
    ProjectionPlan,
    WeightProbePlan,
)
from eventsnn.streams import stream_key
from eventsnn.values import resolve

if TYPE_CHECKING:
    from eventsnn.network import Network, Population, Probe, Projection, Stimulus


def compile_network(network: Network, threads: int | None = None) -> Plan:
    """Validate the network and build its Plan, the same for any number of threads. InputError for the first mistake."""
    if not network.populations:
        raise InputError("compile: the network has no population; add one with net.population(n, model)")
    starts, n = _numbering(network)
    if n >= 2**31:
        raise InputError(f"compile: {n} neurons are more than the {2**31 - 1} that can be numbered")

    neurons = _compile_neurons(network, starts, n)
    drawings = [compile_projection(p, starts, _port(p), threads) for p in network.projections.values()]
    streams, currents = compile_streams(network, starts, n, _stimulus_ports), compile_currents(network, starts, n)
    fill_units(**neurons, projections=drawings, streams=streams, currents=currents)
    projections, rows = compile_rows(drawings, threads, currents=currents, **neurons)
    window, prompted = choose_windows(rows, n)
    probes = [p for p in network.probes.values() if isinstance(p.target, Neurons)]
    weight_probes = [p for p in network.probes.values() if not isinstance(p.target, Neurons)]
    weights = tuple(_compile_weight_probe(probe, projections) for probe in weight_probes)
    plan = Plan(
        seed=network.seed,
        populations=tuple(_population_plan(p, starts[p.name]) for p in network.populations.values()),
        projections=projections,
        rows=rows,
        streams=streams,
        currents=currents,
        probes=tuple(_compile_probe(probe, starts) for probe in probes),
        weight_probes=weights,
        recorded=_recorded(network, starts, n),
        window=window,
        prompted=prompted,
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
    model.check(values, population.name)
    state = resolved(population.state)
    return {**values, **model.initial_state({**values, **state}), **state}


def _population_plan(population: Population, start: int) -> PopulationPlan:
    model = population.model
    if not isinstance(model, Model):
        return PopulationPlan(population.name, start, population.n, None, None)
    V_th = None if "V_th" in model.recordables else population.values.get(model.threshold_name)
    one = None if V_th is None or np.ndim(V_th) or isinstance(V_th, Distribution) else float(V_th)  # type: ignore[arg-type]
    return PopulationPlan(population.name, start, population.n, model, one)


def _compile_neurons(network: Network, starts: dict[str, int], n: int) -> dict[str, Any]:
    populations = [p for p in network.populations.values() if isinstance(p.model, Model)]
    models: tuple[Any, ...] = tuple(population.model for population in populations)
    tables: list[Floats] = []
    class_of = np.full(n, -1, dtype=np.int32)
    v, I_e = np.zeros(n), np.zeros(n)
    variables = np.zeros((n, max((len(model.slots) for model in models), default=0)))
    classes = 0
    for population, model in zip(populations, models, strict=True):
        values = population_values(population)
        block = slice(starts[population.name], starts[population.name] + population.n)
        constants = _constants(model, values, population.name)
        tables.append(constants)
        class_of[block] = classes + (np.arange(population.n) if constants.shape[1] > 1 else 0)
        classes += constants.shape[1]
        v[block], slots = model.to_state(values, values)
        for slot, value in enumerate(slots):
            variables[block, slot] = value
        I_e[block] = values["I_e"]
    table = np.zeros((classes, max((len(constants) for constants in tables), default=1)))
    class_model = np.repeat(np.arange(len(tables)), [constants.shape[1] for constants in tables]).astype(np.int32)
    at = 0
    for constants in tables:
        table[at : at + constants.shape[1], : constants.shape[0]] = constants.T
        at += constants.shape[1]
    return {
        "models": models, "class_of": class_of, "class_model": class_model, "constants": table,
        "v": v, "variables": variables, "I_e": I_e,
    }  # fmt: skip


def _constants(model: Model, values: Values, where: str) -> Floats:
    with np.errstate(all="ignore"):
        names, constants = model.constants(values)
    # Without a leak tau_m is infinite, and most variables have no lowest value.
    unbounded = np.array([name in ("tau_m", "lowest") for name in names])
    wrong = np.argwhere(np.isnan(constants) | (np.isinf(constants) & ~unbounded[:, np.newaxis]))
    if wrong.size:
        row, neuron = wrong[0].tolist()
        raise InputError(
            f"{where}: {names[row]} = {constants[row, neuron]:g} follows from the parameters and must "
            "be finite; give less extreme ones"
        )
    return constants


def _port(owner: Projection | Stimulus) -> int:
    """Index of the port that all targets use; -1: by the sign of the weight, each model in its own way."""
    side = owner.post if hasattr(owner, "post") else owner.targets
    models = [part.population.model for part in side if isinstance(part.population.model, Model)]
    if owner.port is not None:
        places = {model.ports.index(owner.port) for model in models}
        if len(places) > 1:
            raise InputError(f"{owner.name}: port {owner.port!r} differs between the models of its targets; split it")
        return places.pop()
    return 0 if all(len(model.ports) == 1 for model in models) else -1


def synapses_of(projection: Projection) -> Synapses:
    """The synapses of a projection: those of its network's Simulation, or as they will be drawn."""
    network = projection.network
    plan = None
    if network._simulation is not None:
        plan = next(p for p in network._simulation.plan.projections if p.name == projection.name)
    if isinstance(plan, PartPlan):
        plan = plan.alone()
    if not isinstance(plan, ProjectionPlan):
        plan, _ = draw_rows([prepare(projection, _numbering(network)[0], _port(projection))], None)
    n_synapses = plan.n_synapses
    position = np.zeros(int(plan.post.max()) + 1, dtype=np.int64)
    position[plan.post] = np.arange(plan.post.size)
    return Synapses(
        pre=np.repeat(np.arange(plan.pre.size), np.diff(plan.start)),
        post=position[plan.target],
        weight=np.broadcast_to(plan.weight, n_synapses).astype(np.float64),
        delay=plan.delays().copy(),
    )


def _stimulus_ports(stimulus: Stimulus, weight: Floats) -> NDArray[np.int64]:
    """The port of every target of a stimulus, or one for all."""
    port = _port(stimulus)
    if port >= 0:
        return np.full(1, port)
    by_sign = [target.population.model.by_sign for target in stimulus.targets]  # type: ignore[union-attr]
    sizes = [len(target) for target in stimulus.targets]
    positive, negative = (np.repeat([ports[sign] for ports in by_sign], sizes) for sign in (0, 1))  # type: ignore[index]
    return np.where(weight < 0, negative, positive)


def _compile_probe(probe: Probe, starts: dict[str, int]) -> ProbePlan:
    target: Any = probe.target
    model = target.population.model
    places = {"V_m": 0, "V_th": -1} | {name: 1 + slot for slot, name in enumerate(model.slots)}
    offsets = model.offsets(population_values(target.population))
    n = target.population.n
    offset = np.stack([np.broadcast_to(offsets.get(name, 0.0), n)[target.ids] for name in probe.variables])
    variable = tuple(places[name] for name in probe.variables)
    neuron = global_ids([target], starts)
    return ProbePlan(probe.name, tuple(probe.variables), variable, offset, neuron, target.ids, probe.every, probe.times)


def _compile_weight_probe(
    probe: Probe, projections: Sequence[ProjectionPlan | PartPlan | ProceduralPlan]
) -> WeightProbePlan:
    plan = next(p for p in projections if p.name == probe.target.name)
    if isinstance(plan, ProceduralPlan):
        raise InputError(
            f"record: {plan.name} keeps no weights with storage='procedural'; use storage='stored', or read them with "
            "synapses()"
        )
    if isinstance(plan, PartPlan):
        plan = plan.alone()
    ids = np.arange(plan.n_synapses) if probe.synapses is None else probe.synapses
    if ids.size and not (0 <= ids.min() and ids.max() < plan.n_synapses):
        raise InputError(f"record: {plan.name}: ids must lie in 0 to {plan.n_synapses - 1}, its synapses")
    weight = np.broadcast_to(plan.weight, plan.n_synapses)[ids].astype(np.float64)
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
