"""How the compiled engine shares a network among its lanes: which neurons and which synapses each has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eventsnn.plan import Floats, Plan, ProceduralPlan, ProjectionPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

# Ranges of neurons that a lane has at most.
MOST_RANGES = 16

# How many synapses on one neuron are counted, and of how many synapses at a time.
MOST_COUNTED = 64
PART = 1 << 17

Range = tuple[int, int]


def ranges(plan: Plan, n: int) -> list[list[Range]]:
    """For each of n lanes its ranges of neurons: a share of every population or, if these are many, of parts."""
    bounds = [0, *(population.stop for population in plan.populations)]
    if len(bounds) > MOST_RANGES + 1:
        bounds = np.linspace(0, plan.n, MOST_RANGES + 1).astype(np.int64).tolist()
    parts = [
        [(a + (b - a) * k // n, a + (b - a) * (k + 1) // n) for a, b in zip(bounds, bounds[1:], strict=False)]
        for k in range(n)
    ]
    return [[(a, b) for a, b in part if a < b] for part in parts]


def calm_groups(
    part: Iterable[Range], kind: NDArray[np.int64], fewest: int, block: Callable[[int], Hashable]
) -> list[tuple[int, int, int]]:
    """(start, stop, kind) of the groups of a lane: neurons of one kind lie in one, -1 are those that are never calm, as
    are those of groups of less than `fewest`.

    Behind these stand empty ones, so that all lanes begin the blocks of all groups, and end their windows at the same
    times: one for each `block` of a neuron of which the lane has no group.
    """
    groups: list[tuple[int, int, int]] = []
    elsewhere = {}
    # Cut where anything changes, whatever neurons the lane has: whether one may be calm must not depend on that.
    cuts = [0, *(np.flatnonzero(np.diff(kind)) + 1).tolist(), kind.size]
    for a, b in zip(cuts, cuts[1:], strict=False):
        number = int(kind[a]) if b - a >= fewest else -1
        mine = False
        for low, high in part:
            start, stop = max(a, low), min(b, high)
            if start < stop:
                mine = True
                if groups and groups[-1][1:] == (start, number):
                    start = groups.pop()[0]
                groups.append((start, stop, number))
        if number >= 0 and not mine:
            elsewhere[block(a)] = (a, a, number)
    return groups + list(elsewhere.values())


def most_alike(plan: ProjectionPlan | ProceduralPlan) -> int:
    """How many synapses of a row reach one neuron, or more; of rows that are not kept more than there surely are."""
    if isinstance(plan, ProceduralPlan):
        return int(MOST_COUNTED if plan.n_synapses <= plan.pre.size * plan.post.size else plan.n_synapses)
    most = 1
    for start in range(0, plan.n_synapses, PART):
        # What is alike across the border of two parts must be seen whole.
        target = plan.offset[start : start + PART + MOST_COUNTED]
        alike = target[1:] == target[:-1]
        times = 1
        while alike.any():
            times += 1
            if times == MOST_COUNTED:
                return int(np.diff(plan.start).max())
            alike = alike[1:] & alike[:-1]
        most = max(most, times)
    return most


def hasty_projections(plan: Plan) -> list[ProjectionPlan | ProceduralPlan]:
    """The projections with no other targets than hasty neurons, where synapses are stored."""
    return [p if isinstance(p, ProceduralPlan) else _hasty_part(p, plan.hasty) for p in plan.rows]


def least_delays(plan: Plan, parts: list[ProjectionPlan | ProceduralPlan]) -> Floats:
    """For every neuron a delay (ms) that none of its synapses on neurons of the other kind is below, be that the hasty
    ones or those that are not. `parts` are hasty_projections."""
    least = np.full(plan.n, np.inf)
    for p, part in zip(plan.rows, parts, strict=True):
        shortest = max(float(p.delay.min(initial=np.inf)), plan.window)
        of_hasty = plan.hasty[p.pre] == 1
        if not plan.hasty[p.post].all():
            np.minimum.at(least, p.pre[of_hasty], shortest)
        filled = np.full(p.pre.size, plan.hasty[p.post].any())
        if isinstance(part, ProjectionPlan):
            filled = np.diff(part.start) > 0
        np.minimum.at(least, p.pre[filled & ~of_hasty], shortest)
    return least


def _hasty_part(p: ProjectionPlan, hasty: NDArray[np.uint8]) -> ProjectionPlan:
    if hasty[p.post].all():
        return p
    target = p.target
    kept = np.flatnonzero(hasty[target]) if hasty[p.post].any() else np.empty(0, dtype=np.int64)
    delay = p.delays()[kept] if p.delay.size > 1 else p.delay
    return replace(
        p,
        start=np.searchsorted(kept, p.start),
        offset=target[kept],
        base=np.zeros(1, dtype=np.int32),
        weight=p.weight[kept] if p.weight.size > 1 else p.weight,
        delay=delay,
        slices=None,
    )
