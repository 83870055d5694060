"""bundle_rows: the rows of synapses as the compiled engine reads them, one for all that a spike reaches at one time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.merge import merge_rows
from eventsnn.models.base import Model
from eventsnn.models.closed_form import PER_UNIT, WIDTH_M, R
from eventsnn.models.frames import LARGEST_DRIVE
from eventsnn.models.linear import LinearModel
from eventsnn.plan import CurrentPlan, Floats, Ids, PartPlan, ProceduralPlan, ProjectionPlan, SlicePlan

# A row's synapses are counted delay by delay.
MOST_DELAYS = 4096

Stored = ProjectionPlan | ProceduralPlan
Plans = tuple[ProjectionPlan | PartPlan | ProceduralPlan, ...]


def bundle_rows(
    projections: list[Stored], hasty: NDArray[np.uint8], constants: Floats, models: Sequence[Model], class_model: Ids,
    class_of: Ids, I_e: Floats, currents: CurrentPlan, **_: Any,
) -> tuple[Plans, tuple[Stored, ...]]:  # fmt: skip
    """Projections, and the rows that hold their synapses. The list is emptied, so that no synapse is there twice.

    Projections from the same neurons whose synapses look alike have one row for each of these, sorted by delay and then
    target, in place of one each: a spike then finds what it reaches at one time side by side. The order of their inputs
    has a meaning only for targets that may be outside of frames; projections with such ones stay as they are.
    """
    commute = _commuting(constants, models, class_model, class_of, I_e, currents) & ~hasty.any()
    parts: dict[int, PartPlan] = {}
    for bundle in _bundles(projections, commute):
        merged = _merged([projections[k] for k in bundle])  # type: ignore[misc]
        for k in bundle:
            p = projections[k]
            parts[k] = PartPlan(p.name, p.pre, p.post, merged, p.weight_size, p.n_synapses)
            projections[k] = merged
    plans = tuple(parts.get(k, p) for k, p in enumerate(projections))
    rows = tuple({id(p): p for p in projections}.values())
    projections.clear()
    return plans, rows


def _commuting(
    constants: Floats, models: Sequence[Model], class_model: Ids, class_of: Ids, I_e: Floats, currents: CurrentPlan
) -> NDArray[np.bool_]:
    """Neurons that are never outside of frames, where sums would depend on the order of inputs."""
    linear = np.array([isinstance(model, LinearModel) for model in models], dtype=bool)[class_model]
    if not linear.any():
        return np.zeros(class_of.size, dtype=bool)
    framed = linear & (constants[:, WIDTH_M] != 0.0)
    straight = np.ones(currents.start.size, dtype=bool)  # the last is none
    largest = np.zeros(currents.start.size)
    programme = np.repeat(np.arange(currents.start.size - 1), np.diff(currents.start))
    straight[programme[(currents.slope != 0.0) | (np.diff(currents.sine_start)[: programme.size] > 0)]] = False
    np.maximum.at(largest, programme, np.abs(currents.amplitude))
    drive = constants[class_of, R] * (np.abs(I_e) + largest[currents.of])
    near = drive * constants[class_of, PER_UNIT] < LARGEST_DRIVE
    commuting: NDArray[np.bool_] = (class_of >= 0) & framed[class_of] & straight[currents.of] & near
    return commuting


def _bundles(projections: Sequence[Stored], commute: NDArray[np.bool_]) -> list[list[int]]:
    """Which projections to bundle, each list in the order of targets."""
    alike: dict[Any, list[int]] = {}
    for k, p in enumerate(projections):
        by_synapse = p.delay.size > 1 and getattr(p, "slices", None) is None
        if isinstance(p, ProceduralPlan) or by_synapse or not p.n_synapses:
            continue
        if commute[p.post].all():
            weight = p.weight.tobytes() if p.weight.size == 1 and p.n_synapses > 1 else None
            alike.setdefault((p.pre.tobytes(), p.port, p.weight.dtype.char, weight), []).append(k)
    bundles = []
    for bundle in alike.values():
        bundle.sort(key=lambda k: int(projections[k].post.min()))
        apart = all(
            projections[a].post.max() < projections[b].post.min() for a, b in zip(bundle, bundle[1:], strict=False)
        )
        delays = np.unique(np.concatenate([projections[k].delay for k in bundle]))
        if len(bundle) > 1 and apart and delays.size <= MOST_DELAYS:
            bundles.append(bundle)
    return bundles


def _merged(plans: list[ProjectionPlan]) -> ProjectionPlan:
    delays = np.unique(np.concatenate([p.delay for p in plans]))
    numbers = [np.searchsorted(delays, p.delay).astype(np.int32) for p in plans]
    shared = plans[0].weight.size == 1 and plans[0].n_synapses > 1
    dtype = None if shared else plans[0].weight.dtype
    start, target, weight, row, begin, value = merge_rows(plans, numbers, delays.size, dtype)
    return ProjectionPlan(
        name=" + ".join(p.name for p in plans),
        pre=plans[0].pre,
        post=np.concatenate([p.post for p in plans]),
        start=start,
        target=target,
        weight=plans[0].weight if weight is None else weight,
        delay=delays,
        slices=SlicePlan(row, begin, value) if delays.size > 1 else None,
        port=plans[0].port,
        weight_size=max(p.weight_size for p in plans),
    )
