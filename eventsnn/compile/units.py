"""fill_units: the unit of each class, in which the integers of its neurons count (eventsnn/solve/frames.py)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventsnn._core.solve.closed_form import COUPLING, PER_UNIT, V_RESET
from eventsnn._core.solve.neuron import THRESHOLD, R
from eventsnn.base.arrays import Floats, Ids
from eventsnn.compile.plan import CurrentPlan, PartPlan, ProceduralPlan, ProjectionPlan, StreamPlan
from eventsnn.compile.synapses import Drawing
from eventsnn.models.base import Model
from eventsnn.models.linear import LinearModel
from eventsnn.solve.closed_form import current_at, threshold_at

# The larger of the threshold and V_reset is 2^52 to 2^53 units. If the threshold is OUT_OF_REACH times as large as the
# largest effect of an input, a current or the initial state, this effect is 2^52 to 2^53 units instead.
UNITS = 53
OUT_OF_REACH = 65_536.0
# Exponents that leave room for all arithmetic.
MOST_EXPONENT = 500


# What overflows is larger than any number, which is all that the unit asks of it.
@np.errstate(over="ignore")
def fill_units(
    constants: Floats, models: Sequence[Model], class_model: Ids, class_of: Ids, v: Floats, variables: Floats,
    I_e: Floats, projections: Sequence[Drawing | ProjectionPlan | PartPlan | ProceduralPlan],
    streams: StreamPlan, currents: CurrentPlan,
) -> None:  # fmt: skip
    """Write 1 / unit (1/mV) into the constants of each class."""
    framed = np.isin(class_model, [number for number, model in enumerate(models) if isinstance(model, LinearModel)])
    if not framed.any():
        return
    size, effect, large = (np.zeros(len(constants)) for _ in range(3))
    coupling: list[tuple[np.ndarray, int, Floats]] = []
    for number, model in enumerate(models):
        if not isinstance(model, LinearModel):
            continue
        classes, shape = np.flatnonzero(class_model == number), model.shape
        c = constants[classes]
        couplings = [np.abs(c[:, current_at(shape, i) + COUPLING]) for i in range(shape.n_currents)]
        for port, slot in enumerate(shape.targets):
            scale = np.abs(c[:, threshold_at(shape, shape.n_thresholds) + shape.n_currents + port])
            effect[classes] = np.maximum(
                effect[classes], scale * (couplings[slot] if 0 <= slot < len(couplings) else 1.0)
            )
        size[classes] = np.maximum(np.abs(c[:, THRESHOLD]), np.abs(c[:, V_RESET + 1]))
        coupling += [(classes, i, column) for i, column in enumerate(couplings)]

    def enlarge(neurons: np.ndarray, values: Floats) -> None:
        np.maximum.at(large, class_of[neurons], np.minimum(np.abs(values), np.finfo(np.float64).max))

    def gain_of(neurons: np.ndarray) -> Floats:
        gain: Floats = constants[class_of[neurons], R]
        return gain

    neurons = np.flatnonzero(class_of >= 0)
    enlarge(neurons, v[neurons])
    enlarge(neurons, gain_of(neurons) * I_e[neurons])
    for classes, i, column in coupling:
        of = np.zeros(len(constants))
        of[classes] = column
        enlarge(neurons, of[class_of[neurons]] * variables[neurons, i])
    driven = neurons[currents.of[neurons] >= 0]
    if driven.size:
        begin, some = currents.start[:-1], np.diff(currents.start) > 0
        largest = np.zeros(begin.size)
        if some.any():
            largest[some] = np.maximum.reduceat(np.abs(currents.amplitude), begin[some])
        enlarge(driven, gain_of(driven) * (np.abs(I_e[driven]) + largest[currents.of[driven]]))
    for p in projections:
        enlarge(p.post, p.weight_size * effect[class_of[p.post]])
    of_stream = np.repeat(np.arange(class_of.size), np.diff(streams.start))
    reached = class_of[of_stream] >= 0
    enlarge(of_stream[reached], streams.weight[reached] * effect[class_of[of_stream[reached]]])
    size = np.where((size > OUT_OF_REACH * large) | (size == 0.0), large, size)
    _, exponent = np.frexp(np.where(size > 0.0, size, 1.0))
    unit = np.ldexp(1.0, UNITS - np.clip(exponent, -MOST_EXPONENT, MOST_EXPONENT))
    constants[framed, PER_UNIT] = unit[framed]
