"""Weights that are set while a network runs: which ones can be set, and where the compiled engine keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Ints
from eventsnn.base.errors import InputError
from eventsnn.compile.plan import PartPlan, ProceduralPlan, ProjectionPlan
from eventsnn.compile.plasticity import require_bounds

if TYPE_CHECKING:
    from eventsnn.compile.layout import Net

Weights = NDArray[np.floating[Any]]
Projections = tuple[ProjectionPlan | PartPlan | ProceduralPlan, ...]


def checked_weights(projections: Projections, number: int, weights: Any) -> Weights:
    """New weights of a projection's synapses, in the type of its weights, by (row, delay, target, draw).

    InputError if they cannot be set.
    """
    if not 0 <= number < len(projections):
        raise InputError(f"set_weights: there is no projection number {number}; there are {len(projections)}")
    plan = projections[number]
    if isinstance(plan, ProceduralPlan):
        raise InputError(f"{plan.name} keeps no weights with storage='procedural', so that none can be set")
    rows = plan.rows if isinstance(plan, PartPlan) else plan
    if rows.weight.size != rows.n_synapses:
        raise InputError(
            f"{plan.name}: all synapses share one weight, so that none can be set; connect them with a weight for each"
        )
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (plan.n_synapses,):
        raise InputError(
            f"{plan.name}: weights of shape {array.shape} cannot be set; it has {plan.n_synapses} synapses"
        )
    with np.errstate(over="ignore"):
        kept = array.astype(rows.weight.dtype)
    wrong = np.flatnonzero(~np.isfinite(kept))
    if wrong.size:
        allowed = "finite" if not np.isfinite(array[wrong[0]]) else "small enough for dtype 'float32'"
        raise InputError(f"{plan.name}: weight = {array[wrong[0]]:g} (synapse {wrong[0]}) must be {allowed}")
    if plan.plastic is not None:
        require_bounds(plan.name, plan.plastic.low, plan.plastic.high, kept * plan.plastic.sign)
    return kept


class WeightsOfRows:
    """The weights of one of the rows of a Net that may change."""

    def __init__(self, net: Net, k: int):
        plan: Any = net.rows[k].plan
        self.plan = plan
        self.all: Weights = np.array(plan.weight)

    def set(self, synapses: Ints | slice, weights: Weights) -> None:
        self.all[synapses] = weights

    @property
    def size(self) -> float:
        """No weight is larger, nor becomes so."""
        largest = float(np.abs(self.all).max(initial=0.0))
        return largest if self.plan.plastic is None else max(largest, self.plan.plastic.high)


def rows_of(net: Net, projection: int) -> int:
    """The number of the rows that hold the synapses of a projection."""
    plan = net.projections[projection]
    rows = plan.rows if isinstance(plan, PartPlan) else plan
    return next(k for k, of in enumerate(net.rows) if of.plan is rows)


def synapses_of(plan: ProjectionPlan | PartPlan) -> Ints | slice:
    """Where in its rows the synapses of a projection lie, in their order."""
    return plan.synapses() if isinstance(plan, PartPlan) else slice(None)
