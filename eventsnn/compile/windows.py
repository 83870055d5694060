"""How wide the engine's windows are, and which neurons something may reach within one.

A few short delays must not take the windows from a network whose other delays are long, nor a continuous distribution
of delays that begins at 0. So windows may be wider than the shortest delays: what is fired in such a window and arrives
in it too is looked after when the window has been gone through once. No bit depends on the width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eventsnn.compile.plan import ProceduralPlan, ProjectionPlan

Stored = ProjectionPlan | ProceduralPlan

# A window never outlasts this many ms, so that a run can be stopped between two of them.
LONGEST_WINDOW = 1.0
# Windows that no delay is shorter than are wide enough from this width on: benchmarks/heterogeneity.py.
WIDE_WINDOW = 2.0**-5
# Others are no wider and no narrower than this. Where most neurons are calm, wider ones would be cut to the first.
WIDEST_PROMPT = 2.0**-3
NARROWEST_PROMPT = 2.0**-6
# Which share of the synapses may have a delay that is shorter than a window.
MOST_PROMPT = 1.0 / 8.0
# Rows that are drawn to estimate a share, where synapses are not kept.
ROWS_DRAWN = 8


def window_width(smallest_delay: float) -> float:
    """The largest power of two (ms) not above the smallest delay and not above LONGEST_WINDOW; 0 for 0."""
    if smallest_delay >= LONGEST_WINDOW:
        return LONGEST_WINDOW
    if smallest_delay == 0.0:
        return 0.0
    _, exponent = math.frexp(smallest_delay)
    return math.ldexp(1.0, exponent - 1)


def choose_windows(projections: Sequence[Stored], n: int) -> tuple[float, NDArray[np.uint8]]:
    """Width (ms) of windows, a power of two, and 1 for each of the n neurons that a shorter delay leads to."""
    smallest = min((float(p.delay.min()) for p in projections if p.n_synapses), default=math.inf)
    window = window_width(smallest)
    if window < WIDE_WINDOW:
        window = WIDEST_PROMPT
        most = MOST_PROMPT * sum(p.n_synapses for p in projections)
        while window > NARROWEST_PROMPT and _shorter(projections, window) > most:
            window /= 2.0
    prompted = np.zeros(n, dtype=np.uint8)
    for p in projections:
        if p.n_synapses and float(p.delay.min()) < window:
            prompted[_short_targets(p, window)] = 1
    return window, prompted


def _shorter(projections: Sequence[Stored], window: float) -> float:
    """How many synapses have a delay below the window."""
    return sum(_share_below(p, window) * p.n_synapses for p in projections if float(p.delay.min(initial=1.0)) < window)


def _share_below(p: Stored, window: float) -> float:
    if isinstance(p, ProceduralPlan):
        delay = np.concatenate([p.row(row)[2] for row in range(min(p.pre.size, ROWS_DRAWN))])
        return float(np.mean(delay < window)) if delay.size else 0.0
    if p.slices is None:
        return float(np.mean(p.delay < window))
    lengths = np.diff(p.slice_begins(), append=p.n_synapses)
    return float(lengths[(p.delay < window)[p.slices.value]].sum()) / p.n_synapses


def _short_targets(p: Stored, window: float) -> NDArray[np.int32]:
    if isinstance(p, ProceduralPlan):
        return p.post
    if p.delay.size == 1:
        return p.target
    short = p.delay < window
    return p.target[p.by_synapse(short) if p.slices is not None else short]
