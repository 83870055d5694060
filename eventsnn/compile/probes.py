"""compile_probe: what is recorded, of which neurons and synapses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.errors import InputError
from eventsnn.compile.neurons import initial_values
from eventsnn.compile.plan import PartPlan, ProbePlan, ProceduralPlan, ProjectionPlan, WeightProbePlan
from eventsnn.compile.synapses import global_ids
from eventsnn.describe.description import Description
from eventsnn.describe.parts import Probe


def compile_probe(probe: Probe, starts: dict[str, int]) -> ProbePlan:
    target: Any = probe.target
    model = target.population.model
    places = {"V_m": 0, "V_th": -1} | {name: 1 + slot for slot, name in enumerate(model.slots)}
    offsets = model.offsets(initial_values(target.population))
    n = target.population.n
    offset = np.stack([np.broadcast_to(offsets.get(name, 0.0), n)[target.ids] for name in probe.variables])
    variable = tuple(places[name] for name in probe.variables)
    neuron = global_ids([target], starts)
    return ProbePlan(probe.name, tuple(probe.variables), variable, offset, neuron, target.ids, probe.every, probe.times)


def compile_weight_probe(
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
    return WeightProbePlan(probe.name, plan.name, weight, ids, probe.every, probe.times)


def compile_recorded(description: Description, starts: dict[str, int], n: int) -> NDArray[np.uint8]:
    recorded = np.full(n, 0 if description.spike_probes else 1, dtype=np.uint8)
    for target in description.spike_probes:
        recorded[target.ids + starts[target.population.name]] = 1
    return recorded
