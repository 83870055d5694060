"""How the compiled engine shares a network among its lanes: which neurons and which synapses each has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eventsnn.plan import Ints, ProceduralPlan, ProjectionPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

# Ranges of neurons that a lane has at most.
MOST_RANGES = 16

# How many synapses on one neuron are counted, and of how many synapses at a time.
MOST_COUNTED = 64
PART = 1 << 17

Range = tuple[int, int]


def ranges(borders: Ints, n: int) -> list[list[Range]]:
    """For each of n lanes its ranges of neurons: a share of every population or, if these are many, of parts. borders:
    where populations end."""
    bounds = [0, *borders.tolist()]
    if len(bounds) > MOST_RANGES + 1:
        bounds = np.linspace(0, bounds[-1], MOST_RANGES + 1).astype(np.int64).tolist()
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
