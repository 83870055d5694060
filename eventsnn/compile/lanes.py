"""Lanes: which neurons each thread of the compiled engine has, and what these are expected to cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.draw.stream import POISSON
from eventsnn.base.arrays import Floats, Ints
from eventsnn.compile.plan import Plan, ProceduralPlan, ProjectionPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

# The most ranges of neurons that a lane has. A cut of a slice costs as much as this many synapses, so that each piece
# must get at least as many.
MOST_RANGES = 16
FEWEST_OF_A_CUT = 1024
# The cost of a neuron that does nothing, and of such a source, in inputs per ms. The rate (1/ms) that neurons are
# assumed to fire at.
IDLE, IDLE_SOURCE = 2.0, 0.01
GUESSED_RATE = 0.005

# `most_alike` counts synapses on one neuron up to this number, and looks at this many synapses at a time.
MOST_COUNTED = 64
PART = 1 << 17

Range = tuple[int, int]


def parts(plan: Plan) -> Ints:
    """Where the parts of the network end. Every lane gets a range of each part.

    Parts are populations. If there are so many populations that too few synapses of a slice would reach a range, parts
    are larger.
    """
    populations = np.array([population.stop for population in plan.populations], dtype=np.int64)
    synapses = slices = 0
    for rows in plan.rows:
        cut = rows.slices if isinstance(rows, ProjectionPlan) else None
        if cut is None and isinstance(rows, ProjectionPlan) and rows.delay.size > 1:
            continue  # these are taken synapse by synapse
        synapses += rows.n_synapses
        slices += cut.value.size if cut is not None else rows.pre.size
    most = min(max(synapses // (max(slices, 1) * FEWEST_OF_A_CUT), 1), MOST_RANGES)
    if populations.size <= most or synapses == 0 and populations.size <= MOST_RANGES:
        return populations
    return np.linspace(0, plan.n, most + 1).astype(np.int64)[1:]


def load(plan: Plan) -> Floats:
    """What all neurons before each are expected to cost, in inputs per ms: n + 1 numbers, the first of them 0."""
    each = np.where(plan.class_of < 0, IDLE_SOURCE, IDLE)
    for projection in plan.projections:
        if projection.n_synapses:
            each[projection.post] += GUESSED_RATE * projection.n_synapses / projection.post.size
    width, mean = plan.streams.parameter[:, :2].T
    drawn = np.divide(mean, width, out=np.zeros_like(mean), where=plan.streams.kind == POISSON)
    before = np.append(0.0, np.cumsum(drawn))[plan.streams.start]
    return np.append(0.0, np.cumsum(each + np.diff(before)))


def ranges(ends: Ints, loads: Floats, n: int) -> list[list[Range]]:
    """For each of n lanes its ranges of neurons: one of every part (`parts`), all lanes' of about the same `load`."""
    lanes: list[list[Range]] = [[] for _ in range(n)]
    start = 0
    for end in ends.tolist():
        wanted = np.linspace(loads[start], loads[end], n + 1)[1:-1]
        cuts = [start, *(start + np.searchsorted(loads[start:end], wanted)).tolist(), end]
        for lane, first, stop in zip(lanes, cuts, cuts[1:], strict=False):
            if first < stop:
                lane.append((first, stop))
        start = end
    return lanes


def calm_groups(
    part: Iterable[Range], kind: NDArray[np.int64], fewest: int, block: Callable[[int], Hashable]
) -> list[tuple[int, int, int]]:
    """(start, stop, kind) of the groups of a lane. Neurons of one kind form one group.

    Kind -1 is never calm; a group of less than `fewest` neurons becomes kind -1. All lanes must begin the blocks of all
    groups, so that their windows end at the same times. So for each `block` of a group of which the lane has no neuron,
    an empty group stands behind the others.
    """
    groups: list[tuple[int, int, int]] = []
    elsewhere = {}
    # Cut where the kind changes in the whole network, not in the lane: whether a neuron may be calm must not depend on
    # which neurons the lane has.
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
    """An upper bound of how many synapses of one row reach one neuron."""
    if isinstance(plan, ProceduralPlan):
        return int(MOST_COUNTED if plan.n_synapses <= plan.pre.size * plan.post.size else plan.n_synapses)
    most = 1
    for start in range(0, plan.n_synapses, PART):
        # A run of equal targets across the border of two parts must be seen whole.
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
