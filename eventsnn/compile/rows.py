"""compile_rows: the rows of synapses as engines read them. Projections that look alike share their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.solve.closed_form import PER_UNIT, WIDTH_M
from eventsnn._core.solve.neuron import R
from eventsnn.base.arrays import Floats, Ids
from eventsnn.base.errors import InputError
from eventsnn.compile.building import Building, Built
from eventsnn.compile.plan import CurrentPlan, PartPlan, Plan, ProceduralPlan, ProjectionPlan, SlicePlan
from eventsnn.compile.plasticity import made_plastic
from eventsnn.compile.synapses import MOST_VALUES, Drawing, too_large
from eventsnn.models.base import Model
from eventsnn.models.linear import LinearModel
from eventsnn.solve.frames import LARGEST_DRIVE

# The most values of delays that rows of several projections may have.
MOST_DELAYS = 4096
# Neurons that 16 bits tell apart. Slices are cut at pages if they have at least this many synapses on average.
PAGE = 2**16
FEWEST_OF_A_PAGE = 16

Plans = tuple[ProjectionPlan | PartPlan | ProceduralPlan, ...]


def compile_rows(
    drawings: Sequence[Drawing | ProceduralPlan], threads: int | None, constants: Floats, models: Sequence[Model],
    class_model: Ids, class_of: Ids, I_e: Floats, currents: CurrentPlan, **_: Any,
) -> tuple[Plans, tuple[ProjectionPlan | ProceduralPlan, ...]]:  # fmt: skip
    """Projections, and the rows that hold their synapses.

    Projections from the same neurons whose synapses look alike have one row for each of these, sorted by delay and then
    target, in place of one each: a spike then finds what it reaches at one time side by side. The order of their inputs
    has a meaning only for targets that may be outside of frames; projections with such ones stay as they are.
    """
    commute = _commuting(constants, models, class_model, class_of, I_e, currents)
    plans: dict[int, ProjectionPlan | PartPlan] = {}
    rows: dict[int, ProjectionPlan | ProceduralPlan] = {}
    for bundle in _bundles(drawings, commute):
        some = [drawings[k] for k in bundle]
        rows[min(bundle)], parts = draw_rows(some, threads)  # type: ignore[arg-type]
        plans |= dict(zip(bundle, parts, strict=True))
    rows |= {k: p for k, p in enumerate(drawings) if isinstance(p, ProceduralPlan)}
    every = tuple(plans.get(k, p) for k, p in enumerate(drawings))
    return every, tuple(rows[k] for k in sorted(rows))  # type: ignore[return-value]


def require_parts(
    projections: Plans, constants: Floats, models: Sequence[Model], class_model: Ids, class_of: Ids, I_e: Floats,
    currents: CurrentPlan, **_: Any,
) -> None:  # fmt: skip
    """Raise InputError where neurons have changed so that projections could not share their rows as they do."""
    commute = _commuting(constants, models, class_model, class_of, I_e, currents)
    for p in projections:
        if isinstance(p, PartPlan) and not commute[p.post].all():
            raise InputError(
                f"{p.name}: its synapses are stored with those of others, which these parameters or currents of its "
                "targets do not allow; set them before the first run, or after net.reset()"
            )


def with_weights(plan: Plan, number: int) -> Plan:
    """The Plan in which each synapse of a projection, of this number, has a weight of its own; the same if it has, or
    if none is kept."""
    projection = plan.projections[number]
    old = projection.rows if isinstance(projection, PartPlan) else projection
    if isinstance(old, ProceduralPlan) or old.weight.size == old.n_synapses:
        return plan
    new = replace(old, weight=np.full(old.n_synapses, old.weight[0]))
    new.weight.flags.writeable = False

    def renewed(p: Any) -> Any:
        if p is old:
            return new
        return replace(p, rows=new) if isinstance(p, PartPlan) and p.rows is old else p

    return replace(plan, projections=tuple(map(renewed, plan.projections)), rows=tuple(map(renewed, plan.rows)))


def _commuting(
    constants: Floats, models: Sequence[Model], class_model: Ids, class_of: Ids, I_e: Floats, currents: CurrentPlan
) -> NDArray[np.bool_]:
    """Neurons that are always in frames, so that the order of their inputs has no meaning."""
    linear = np.array([isinstance(model, LinearModel) for model in models], dtype=bool)[class_model]
    if not linear.any():
        return np.zeros(class_of.size, dtype=bool)
    framed = linear & (constants[:, WIDTH_M] != 0.0)
    straight = np.ones(currents.start.size, dtype=bool)  # the last is none
    largest = np.zeros(currents.start.size)
    programme = np.repeat(np.arange(currents.start.size - 1), np.diff(currents.start))
    straight[programme[(currents.slope != 0.0) | (np.diff(currents.sine_start)[: programme.size] > 0)]] = False
    np.maximum.at(largest, programme, np.abs(currents.amplitude))
    with np.errstate(over="ignore"):  # what overflows is too large in any case
        drive = constants[class_of, R] * (np.abs(I_e) + largest[currents.of])
        near = drive * constants[class_of, PER_UNIT] < LARGEST_DRIVE
    commuting: NDArray[np.bool_] = (class_of >= 0) & framed[class_of] & straight[currents.of] & near
    return commuting


def _bundles(drawings: Sequence[Drawing | ProceduralPlan], commute: NDArray[np.bool_]) -> list[list[int]]:
    """Lists of projections that share rows, each in the order of targets; a list of one for any other projection."""
    alike: dict[Any, list[int]] = {}
    for k, p in enumerate(drawings):
        if isinstance(p, ProceduralPlan):
            continue
        key: tuple[Any, ...] = (k,)
        if p.post.size and not p.timed and p.plastic is None and commute[p.post].all():
            weights = p.weights()
            shared = None if weights is None else weights.tobytes()
            key = (p.pre.tobytes(), p.port, p.dtype, shared)
        alike.setdefault(key, []).append(k)
    bundles: list[list[int]] = []
    for bundle in alike.values():
        bundle.sort(key=lambda k: int(drawings[k].post.min(initial=0)))
        apart = all(drawings[a].post.max() < drawings[b].post.min() for a, b in zip(bundle, bundle[1:], strict=False))
        together = len(bundle) > 1 and apart and _values([drawings[k] for k in bundle]).size <= MOST_DELAYS  # type: ignore[misc]
        bundles += [bundle] if together else [[k] for k in bundle]
    return bundles


def _values(drawings: Sequence[Drawing]) -> Floats:
    return np.unique(np.concatenate([p.delays() for p in drawings]))


def draw_rows(
    drawings: Sequence[Drawing], threads: int | None
) -> tuple[ProjectionPlan, list[ProjectionPlan | PartPlan]]:
    """Draw the synapses of projections into common rows; returns these, and each projection as a part of them.

    A projection that is the only one is no part, but the rows themselves.
    """
    try:
        return _draw_rows(drawings, threads)
    except MemoryError:
        raise too_large([p.projection for p in drawings]) from None


def _draw_rows(
    drawings: Sequence[Drawing], threads: int | None
) -> tuple[ProjectionPlan, list[ProjectionPlan | PartPlan]]:
    one = drawings[0]
    post = np.concatenate([p.post for p in drawings])
    first = np.cumsum([0, *(p.post.size for p in drawings)]).tolist()
    values = np.empty(0) if one.timed else _values(drawings)
    building = Building([p.share(k, values) for p, k in zip(drawings, first, strict=False)], threads)
    counts = building.lengths.sum(axis=1).tolist()
    shared = one.weights()
    dtype = one.dtype if shared is None else None
    base, pages, wide = _bases(post, building.lengths, values.size)
    built = building.build(post, values.size, dtype=dtype, base=base, pages=pages, wide=wide)
    for k, (p, n) in enumerate(zip(drawings, counts, strict=True)):
        p.require_good([fault[1:] for fault in built.faults if fault[0] == k], n)
        if built.rows.weight is not None:
            p.weight.require_drawn(built.rows.weight)
    plan = _rows_plan(drawings, post, built, values, shared, base, pages)
    if one.plastic is not None:
        plan = made_plastic(plan, one.plastic)
    if len(drawings) == 1:
        return plan, [plan]
    return plan, [
        PartPlan(p.name, p.pre, p.post, plan, p.weight_size, n) for p, n in zip(drawings, counts, strict=True)
    ]


def _rows_plan(
    drawings: Sequence[Drawing], post: Ids, built: Built, values: Floats, shared: NDArray[np.floating] | None,
    base: int, pages: int,
) -> ProjectionPlan:  # fmt: skip
    """values: delays that synapses may have, of which unused ones are left out. shared: the weight of all synapses."""
    rows = built.rows
    weight = rows.weight if shared is None else shared
    delay = values if rows.delay is None else rows.delay
    bases, slices = np.full(1, base, dtype=np.int32), None
    if values.size > 1 or pages > 1:
        used = np.flatnonzero(np.bincount(built.value))
        delay = values[used // pages]
        if used.size:
            bases = (base + PAGE * (used % pages)).astype(np.int32)
        if used.size > 1:
            number = np.zeros(used[-1] + 1, dtype=np.uint16)
            number[used] = np.arange(used.size)
            slices = SlicePlan(built.slice_row, built.begin, number[built.value])
    assert weight is not None
    return ProjectionPlan(
        name=" + ".join(p.name for p in drawings),
        pre=drawings[0].pre,
        post=post,
        start=rows.start,
        offset=rows.target,
        base=bases,
        weight=weight,
        delay=delay,
        slices=slices,
        port=drawings[0].port,
        weight_size=max(p.weight_size for p in drawings),
    )


def _bases(post: Ids, lengths: NDArray[np.int64], n_delays: int) -> tuple[int, int, bool]:
    """The base of targets, the number of pages that they lie in, and whether 32 bits are used in place of pages."""
    if not post.size:
        return 0, 1, False
    base = int(post.min())
    pages = (int(post.max()) - base) // PAGE + 1
    if pages == 1:
        return base, 1, False
    most_slices = n_delays * pages * np.count_nonzero(lengths.sum(axis=0))
    fits = n_delays * pages < MOST_VALUES and bool((np.diff(post) >= 0).all())
    if n_delays and fits and lengths.sum() >= FEWEST_OF_A_PAGE * most_slices:
        return base, pages, False
    return 0, 1, True
