"""Which neurons may be calm, and which of them form a group.

ext/eventsnn/_core/run/calm/calm.pxd says what calm neurons are. A group is a range of neurons to which the same input
adds the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.draw.stream import MOST_IN_CELL, POISSON
from eventsnn._core.solve.closed_form import COUPLING, NARROWEST, PER_UNIT, RATE, RATE_M, V_RESET, WIDTH_M
from eventsnn._core.solve.neuron import MOST_CURRENTS, PORTS, THRESHOLD
from eventsnn.base.arrays import Bools, Floats, Ids, Ints
from eventsnn.compile.lanes import Range, calm_groups
from eventsnn.compile.plan import Plan
from eventsnn.models.linear import LinearModel
from eventsnn.solve.closed_form import current_at, threshold_at
from eventsnn.solve.frames import CELL, SLACK

# A range of fewer neurons is no group.
FEWEST_OF_A_GROUP = 16
# The most by which a unit grows in a frame. The most that the external input of a block may add, in units.
MOST_GROWN = 8.0
MOST_EXTERNAL = 2.0**58


class Kinds(NamedTuple):
    """Properties of each class that follow from its constants. Sources have the last element of each array."""

    framed: Bools
    can_be_calm: Bools
    jumps: Bools  # whether neurons of the class can be calm and have no currents
    number: Ints  # equal for classes to which the same input adds the same
    scale: Floats  # (classes, PORTS) units of U that an input of weight 1 adds where a frame begins
    into_current: Bools  # (classes, PORTS) whether the port leads to a current


def numbered(columns: Sequence[NDArray[Any]]) -> tuple[Ints, Ints]:
    """Number the different rows of a table; returns where each number occurs first, and the number of every row.

    Floats are told apart by their bits.
    """
    bits = [column.view(np.uint64) if column.dtype == np.float64 else column for column in columns]
    size = bits[0].size
    bits = [column for column in bits if (column[1:] != column[:-1]).any()]
    if not bits:
        return np.arange(min(size, 1)), np.zeros(size, dtype=np.int64)
    order = np.lexsort(bits)
    new = changes(*(column[order] for column in bits))
    number = np.empty(size, dtype=np.int64)
    number[order] = new
    return order[np.flatnonzero(np.diff(new, prepend=-1))], number


def changes(*columns: NDArray[Any]) -> Ints:
    """Number the runs of rows in which no column changes."""
    changed = np.zeros(columns[0].size, dtype=bool)
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.cumsum(changed)


def kinds_of_classes(plan: Plan) -> Kinds:
    """The Kinds of all classes of a plan."""
    n = plan.class_model.size + 1
    framed, can, into_current = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), np.zeros((n, PORTS), dtype=bool)
    scale = np.zeros((n, PORTS))
    currents, layout = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    layouts: dict[Any, int] = {}
    of_currents = np.zeros((n, MOST_CURRENTS))
    bounds = np.searchsorted(plan.class_model, np.arange(len(plan.models) + 1))
    for model, first, stop in zip(plan.models, bounds[:-1], bounds[1:], strict=True):
        classes = slice(first, stop)
        layout[classes] = layouts.setdefault((model.shape, model.by_sign), len(layouts))
        if not isinstance(model, LinearModel):
            continue
        shape, c = model.shape, plan.constants[classes]
        framed[classes] = c[:, WIDTH_M] != 0.0
        if not _has_few_numbers(model):
            continue
        can[classes] = _stays_below_after_a_spike(c)
        currents[classes] = shape.n_currents
        for i in range(shape.n_currents):
            of_currents[classes, i] = c[:, current_at(shape, i) + RATE]
        for port, slot in enumerate(shape.targets):
            scale[classes, port] = scales(model, c, port)
            into_current[classes, port] = slot >= 0
    columns = [scale, of_currents]
    if plan.constants.shape[1] > RATE_M:
        columns.append(np.vstack([plan.constants[:, [PER_UNIT, RATE_M]], np.zeros((1, 2))]))
    # 0 and -0 are one.
    table = np.where(can[:, np.newaxis], np.hstack(columns), 0.0) + 0.0
    _, number = numbered([layout, can, *np.ascontiguousarray(table.T)])
    return Kinds(framed, can, can & (currents == 0), number, scale, into_current)


def scales(model: LinearModel, c: Floats, port: int) -> Floats:
    """Units of U that an input of weight 1 adds where a frame begins: scale_of of ext/.../solve/frames.pxd."""
    shape = model.shape
    slot = shape.targets[port]
    with np.errstate(over="ignore"):
        scale: Floats = c[:, threshold_at(shape, 0) + shape.n_currents + port] * c[:, PER_UNIT]
        return scale if slot < 0 else scale * c[:, current_at(shape, slot) + COUPLING]


def _has_few_numbers(model: LinearModel) -> bool:
    """Whether the state is U alone, or U and a few currents that take all input."""
    shape = model.shape
    if shape.resets:
        return False
    if shape.n_slots == 0:
        return len(model.ports) == 1
    few = shape.n_slots == shape.n_currents <= MOST_CURRENTS and shape.n_alpha == 0
    return few and 1 <= len(model.ports) <= PORTS and all(slot >= 0 for slot in shape.targets)


def _stays_below_after_a_spike(c: Floats) -> Bools:
    """Classes in frames whose spikes put V well below the threshold and change nothing else."""
    reset = np.maximum(c[:, V_RESET + 1], c[:, V_RESET + 2])
    framed = (c[:, WIDTH_M] != 0.0) & (c[:, NARROWEST] >= CELL) & (c[:, V_RESET] == 0.0)
    with np.errstate(over="ignore"):
        below: Bools = framed & ((c[:, THRESHOLD] - reset) * c[:, PER_UNIT] > 4.0 * SLACK)
    return below


@dataclass(frozen=True)
class Groups:
    """For every neuron its group, and what the group's external input is drawn from."""

    number: Ints  # of the neuron's group; -1: it is never calm
    singly: Bools  # whether the neuron takes its input one by one
    varied: Bools  # whether it also has constants of its own
    source: Ints  # of the neuron's external spikes; -1: it has none, or several
    drive: Ints  # number of the run of neurons whose external spikes have one source
    index: NDArray[np.uint32]  # of the neuron's stream
    cell: Floats  # (groups) ms, the shortest cell in which external input is drawn; inf: there is none
    jump: Floats  # (3, n) rate, scale of input, 1 / unit of neurons without currents; 0 if no neuron is `singly`
    narrowest: Floats  # (classes) ms, the narrowest frame

    @property
    def n_calm(self) -> int:
        return int(np.count_nonzero(self.number >= 0))


def find_groups(plan: Plan, kinds: Kinds, source_of: Ids, sources: NDArray[Any]) -> Groups:
    """Put neurons that may be calm into groups. source_of: the number of every stream's source in `sources`."""
    of = plan.class_of
    streams = np.diff(plan.streams.start)
    one = streams == 1
    first = np.minimum(plan.streams.start[: plan.n], max(source_of.size - 1, 0))
    source = np.where(one, source_of[first] if source_of.size else -1, -1).astype(np.int64)
    index = plan.streams.index[first] if source_of.size else np.zeros(plan.n, dtype=np.uint32)
    may = kinds.can_be_calm[of] & _has_calm_input(plan, kinds, streams, source, sources)
    kind = kinds.number[of]
    # The streams of a drive have ascending indices, as its neurons have.
    number = np.where(one, np.arange(plan.n) - index, 0)
    # Synapses with a delay each arrive in no order (spans.pxd), so their targets take input one by one.
    singly = np.zeros(plan.n, dtype=bool)
    for p in plan.rows:
        if p.delay.size > 1 and getattr(p, "slices", None) is None:
            singly[p.post] = True
    singly |= plan.prompted > 0
    may &= ~singly | kinds.jumps[of]
    runs = changes(may, kind, singly)
    few = np.bincount(runs)[runs] < FEWEST_OF_A_GROUP
    varied = may & kinds.jumps[of] & (streams == 0) & few
    jump = _jumps(plan, kinds)
    # A varied group, whose neurons have constants of their own, has one model and one width of frames.
    _, exponent = np.frexp(jump[:, 3])
    alike = 4096 * np.append(plan.class_model, 0).astype(np.int64) + exponent + 2048
    kind = np.where(varied, -1 - alike[of], kind)
    singly = may & (singly | varied)
    runs = changes(may, kind, singly, varied)
    width = np.append(sources["width"], np.inf)[source]
    cell = np.full(runs[-1] + 1 if plan.n else 0, np.inf)
    np.minimum.at(cell, runs[may], width[may])
    return Groups(
        number=np.where(may, runs, -1),
        singly=singly,
        varied=varied,
        source=source,
        drive=changes(source, number),
        index=index,
        cell=cell,
        jump=np.ascontiguousarray(jump[of, :3].T) if singly.any() else np.zeros((3, plan.n)),
        narrowest=_column(plan, NARROWEST),
    )


def _has_calm_input(plan: Plan, kinds: Kinds, streams: Ints, source: Ints, sources: NDArray[Any]) -> Bools:
    """Neurons without external input, or with one Poisson stream that may be added to U and X when a block begins.

    What the stream brings in a block must never be too large for U and X.
    """
    drawn = np.append((sources["kind"] == POISSON) & (sources["width"] >= CELL), True)
    may: Bools = (streams <= 1) & drawn[source]
    may &= (streams == 0) | (plan.max_spikes >= MOST_IN_CELL)
    driven = np.flatnonzero(may & (streams == 1) & kinds.can_be_calm[plan.class_of])
    weight, port = sources["weight"][source[driven]], sources["port"][source[driven]]
    classes = plan.class_of[driven]
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.abs(weight * kinds.scale[classes, port]) * MOST_GROWN * MOST_IN_CELL
    may[driven] &= (largest < MOST_EXTERNAL) & ((weight >= 0.0) | kinds.into_current[classes, port])
    return may


def _column(plan: Plan, constant: int) -> Floats:
    """A constant of every class, and 0 for sources; all 0 if no class has this constant."""
    c = plan.constants
    return np.append(c[:, constant], 0.0) if c.shape[1] > constant else np.zeros(len(c) + 1)


def _jumps(plan: Plan, kinds: Kinds) -> Floats:
    """(classes, 4) rate, scale of input, 1 / unit, width of frames of classes without currents; 0 for others."""
    columns = _column(plan, RATE_M), kinds.scale[:, 0], _column(plan, PER_UNIT), _column(plan, WIDTH_M)
    return np.where(kinds.jumps[:, np.newaxis], np.column_stack(columns), 0.0)


class GroupsOfLane(NamedTuple):
    """The groups of one lane in the order of its neurons, then its empty groups; and the drives of all of them."""

    start: Ids
    stop: Ids
    calm: Bools
    cell: Floats  # ms; 0: no external input is drawn
    singly: Bools
    varied: Bools
    first_drive: Ints  # (groups + 1)
    drive_start: Ids
    drive_stop: Ids
    drive_source: Ids  # -1: none
    drive_index: NDArray[np.uint32]  # a neuron's stream has this index plus the neuron's number
    of_neuron: Ids  # the group of each neuron that takes its input one by one; else 0


def groups_of_lane(groups: Groups, class_of: Ids, part: Sequence[Range], fewest: int) -> GroupsOfLane:
    """The groups of the neurons in some ranges; neurons in groups of less than `fewest` are never calm."""

    def block(a: int) -> tuple[float, float]:
        return float(groups.narrowest[class_of[a]]), float(groups.cell[groups.number[a]])

    found = calm_groups(part, groups.number, fewest, block)
    start, stop, number = np.array(found, dtype=np.int64).reshape(-1, 3).T
    calm = number >= 0
    cell = np.where(calm, groups.cell[np.maximum(number, 0)], np.inf) if number.size else np.empty(0)
    begin: list[NDArray[Any]] = []
    first_drive = [0]
    of_neuron = np.zeros(class_of.size, dtype=np.int32)
    for k in range(start.size):
        a, b = int(start[k]), int(stop[k])
        cuts = np.append(a, np.flatnonzero(np.diff(groups.drive[a:b])) + 1 + a) if calm[k] else np.empty(0, dtype=int)
        begin.append(cuts)
        first_drive.append(first_drive[-1] + cuts.size)
        if calm[k] and b > a and groups.singly[a]:
            of_neuron[a:b] = k
    drive_start = np.concatenate([*begin, np.empty(0, dtype=np.int64)]).astype(np.int32)
    drive_stop = np.append(drive_start[1:], 0).astype(np.int32)
    last = np.array(first_drive[1:], dtype=np.int64)[calm] - 1
    drive_stop[last] = stop[calm]
    filled = np.repeat(stop > start, np.diff(first_drive))
    source = np.where(filled, groups.source[drive_start], -1) if drive_start.size else np.empty(0)
    at = np.minimum(start, class_of.size - 1)
    return GroupsOfLane(
        start=start.astype(np.int32),
        stop=stop.astype(np.int32),
        calm=calm,
        cell=np.where(np.isfinite(cell), cell, 0.0),
        singly=groups.singly[at] & calm,
        varied=groups.varied[at] & calm,
        first_drive=np.array(first_drive, dtype=np.int64),
        drive_start=drive_start,
        drive_stop=drive_stop,
        drive_source=source.astype(np.int32),
        drive_index=groups.index[drive_start] - drive_start.astype(np.uint32),
        of_neuron=of_neuron,
    )
