"""compile_network: from the description to the Plan. All validation that needs values happens on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from eventsnn.base.errors import InputError
from eventsnn.base.memory import allowed
from eventsnn.compile.currents import compile_currents
from eventsnn.compile.memory import require_room
from eventsnn.compile.neurons import compile_neurons
from eventsnn.compile.plan import PartPlan, Plan, PopulationPlan, ProceduralPlan, ProjectionPlan
from eventsnn.compile.ports import port_of, ports_of_stimulus
from eventsnn.compile.probes import compile_probe, compile_recorded, compile_weight_probe
from eventsnn.compile.rows import Plans, compile_rows, draw_rows, require_parts
from eventsnn.compile.streams import Begins, compile_streams
from eventsnn.compile.synapses import compile_projection, prepare
from eventsnn.compile.units import fill_units
from eventsnn.compile.windows import choose_windows
from eventsnn.describe.description import Description
from eventsnn.describe.parts import Neurons, Population, Projection, Synapses
from eventsnn.draw.distributions import Distribution
from eventsnn.draw.values import Patched
from eventsnn.models.base import Model


def compile_network(description: Description, threads: int | None = None, limit_memory: float | None = None) -> Plan:
    """Validate the network and build its Plan, the same for any number of threads. InputError for the first mistake.

    limit_memory: bytes that it may take; None: what is available.
    """
    if not description.populations:
        raise InputError("compile: the network has no population; add one with net.population(n, model)")
    starts, n = numbering(description)
    if n >= 2**31:
        raise InputError(f"compile: {n} neurons are more than the {2**31 - 1} that can be numbered")
    require_room(description, allowed(limit_memory, "compile"))

    neurons = compile_neurons(description, starts, n)
    drawings = [
        compile_projection(p, starts, port_of(p.post, p.port, p.name), threads)
        for p in description.projections.values()
    ]
    streams, currents = (
        compile_streams(description, starts, n, ports_of_stimulus, {}),
        compile_currents(description, starts, n),
    )
    fill_units(**neurons, projections=drawings, streams=streams, currents=currents)
    projections, rows = compile_rows(drawings, threads, currents=currents, **neurons)
    window, prompted = choose_windows(rows, n)
    plan = Plan(
        seed=description.seed,
        projections=projections,
        rows=rows,
        streams=streams,
        currents=currents,
        window=window,
        prompted=prompted,
        max_rounds=description.max_rounds,
        max_spikes=description.max_spikes,
        **_what_is_seen(description, starts, n, projections),
        **neurons,
    )
    _freeze(plan)
    return plan


def compile_again(description: Description, plan: Plan, begins: Begins) -> Plan:
    """The Plan of a description in which parameters, drives or recordings have changed since `plan`; synapses are as
    they were. begins: see compile_streams. InputError for the first mistake."""
    starts, n = numbering(description)
    neurons = compile_neurons(description, starts, n)
    streams = compile_streams(description, starts, n, ports_of_stimulus, begins)
    currents = compile_currents(description, starts, n)
    fill_units(**neurons, projections=plan.projections, streams=streams, currents=currents)
    require_parts(plan.projections, currents=currents, **neurons)
    seen = _what_is_seen(description, starts, n, plan.projections)
    again = replace(plan, streams=streams, currents=currents, **seen, **neurons)
    _freeze(again)
    return again


def _what_is_seen(description: Description, starts: dict[str, int], n: int, projections: Plans) -> dict[str, Any]:
    """Names of populations, and what is recorded of them and of projections."""
    probes = [p for p in description.probes.values() if isinstance(p.target, Neurons)]
    weight_probes = [p for p in description.probes.values() if not isinstance(p.target, Neurons)]
    return {
        "populations": tuple(_population_plan(p, starts[p.name]) for p in description.populations.values()),
        "probes": tuple(compile_probe(probe, starts) for probe in probes),
        "weight_probes": tuple(compile_weight_probe(probe, projections) for probe in weight_probes),
        "recorded": compile_recorded(description, starts, n),
    }


def numbering(description: Description) -> tuple[dict[str, int], int]:
    """The number of each population's first neuron, and how many there are in all."""
    starts, n = {}, 0
    for population in description.populations.values():
        starts[population.name] = n
        n += population.n
    return starts, n


def _population_plan(population: Population, start: int) -> PopulationPlan:
    model = population.model
    if not isinstance(model, Model):
        return PopulationPlan(population.name, start, population.n, None, None)
    V_th = None if "V_th" in model.recordables else population.values.get(model.threshold_name)
    one = None if V_th is None or np.ndim(V_th) or isinstance(V_th, Distribution | Patched) else float(V_th)  # type: ignore[arg-type]
    return PopulationPlan(population.name, start, population.n, model, one)


def drawn_plan(description: Description, projection: Projection) -> ProjectionPlan:
    """The synapses of a projection by itself, as a run will draw them."""
    starts, _ = numbering(description)
    port = port_of(projection.post, projection.port, projection.name)
    plan, _ = draw_rows([prepare(projection, starts, port)], None)
    return plan


def drawn_synapses(description: Description, projection: Projection) -> Synapses:
    """The same for users, by position on the two sides."""
    return by_side(drawn_plan(description, projection))


def planned_synapses(plan: Plan, name: str) -> Synapses | None:
    """The synapses that a Plan has of the projection of this name; None if it keeps none."""
    projection = next(p for p in plan.projections if p.name == name)
    if isinstance(projection, ProceduralPlan):
        return None
    return by_side(projection.alone() if isinstance(projection, PartPlan) else projection)


def by_side(plan: ProjectionPlan) -> Synapses:
    n_synapses = plan.n_synapses
    position = np.zeros(int(plan.post.max()) + 1, dtype=np.int64)
    position[plan.post] = np.arange(plan.post.size)
    return Synapses(
        pre=np.repeat(np.arange(plan.pre.size), np.diff(plan.start)),
        post=position[plan.target],
        weight=np.broadcast_to(plan.weight, n_synapses).astype(np.float64),
        delay=plan.delays() + plan.dendritic,
    )


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
