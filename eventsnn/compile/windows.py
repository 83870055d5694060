"""choose_windows: how wide the engine's windows are, and which neurons a spike may reach in its own window.

Windows may be wider than the shortest delays. Otherwise a few short delays, or a distribution that begins at 0, would
make all windows tiny. Spikes that arrive in the window in which they were fired are dealt with after the window has
been gone through once (prompt.pxd). No bit depends on the width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eventsnn.compile.plan import ProceduralPlan, ProjectionPlan

Stored = ProjectionPlan | ProceduralPlan

# ms. A run can be stopped between two windows, so none lasts longer.
LONGEST_WINDOW = 1.0
# ms. Windows no wider than the shortest delay are chosen if they are at least this wide: benchmarks/heterogeneity.py.
WIDE_WINDOW = 2.0**-5
# ms. Otherwise windows have a width in this range. Where most neurons are calm, wider ones would be cut anyway.
WIDEST_PROMPT = 2.0**-3
NARROWEST_PROMPT = 2.0**-6
# ms. Windows where they are cut at most arrivals.
WINDOW_WITH_CUTS = 2.0**-6
# The largest share of synapses whose delay may be shorter than a window.
MOST_PROMPT = 1.0 / 8.0
# Rows drawn to estimate this share where synapses are not kept.
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
    """The width (ms) of windows, a power of two; and for each of n neurons 1 if a shorter delay leads to it, else 0."""
    smallest = min((float(p.delay.min()) + p.dendritic for p in projections if p.n_synapses), default=math.inf)
    window = window_width(smallest)
    if window < WIDE_WINDOW:
        window = WIDEST_PROMPT
        most = MOST_PROMPT * sum(p.n_synapses for p in projections)
        while window > NARROWEST_PROMPT and _shorter(projections, window) > most:
            window /= 2.0
    for p in projections:
        if p.plastic is not None and p.n_synapses:
            window = min(window, widest_plastic(p))
    prompted = np.zeros(n, dtype=np.uint8)
    for p in projections:
        if p.n_synapses and float(p.delay.min()) + p.dendritic < window:
            prompted[_short_targets(p, window)] = 1
    return window, prompted


def widest_plastic(p: Stored) -> float:
    """The widest window (ms) that a plastic projection allows: its spikes never arrive in the window in which they were
    fired, and where the window would be cut at most of them it is narrow from the beginning (learn.pxd)."""
    widest = window_width(float(p.delay.min()) + p.dendritic)
    return widest if 2.0 * p.dendritic >= widest else min(widest, WINDOW_WITH_CUTS)


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
