"""How wide the engine's windows are, and which neurons are hasty: joined by delays too short for such windows.

One delay of zero must not take the windows from a network whose other delays are long. So the width may be chosen
without the shortest delays, if few neurons have them: these are the hasty ones, which the engine takes through each
window in shorter ones of their own. No bit depends on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eventsnn.plan import Floats, ProceduralPlan, ProjectionPlan

# A window never outlasts this many ms, so that a run can be stopped between two of them.
LONGEST_WINDOW = 1.0
# Shorter ones are lost in the last bits of t after some seconds; single instants do as well, and t / window stays
# finite.
SHORTEST_WINDOW = 2.0**-40
# How many times wider windows must become to be worth it, and which share of the neurons may be hasty, at most and for
# each time that windows become wider. Hasty neurons are never calm, and one thread takes them all.
LEAST_GAIN = 4.0
MOST_HASTY = 0.5
HASTY_FOR_GAIN = 1.0 / 128.0


def window_width(smallest_delay: float) -> float:
    """The largest power of two (ms) not above the smallest delay, within SHORTEST_ and LONGEST_WINDOW; else 0."""
    if smallest_delay >= LONGEST_WINDOW:
        return LONGEST_WINDOW
    if smallest_delay < SHORTEST_WINDOW:
        return 0.0
    _, exponent = math.frexp(smallest_delay)
    return math.ldexp(1.0, exponent - 1)


def choose_windows(
    projections: Sequence[ProjectionPlan | ProceduralPlan], n: int
) -> tuple[float, float, NDArray[np.uint8]]:
    """Width (ms) of the windows of most neurons and of hasty ones, and 1 for each of the n neurons that is hasty."""
    smallest = [delay for p in projections if p.n_synapses for delay in _kinds_of_delays(p)]
    least = window_width(min(smallest, default=math.inf))
    for width in sorted({LONGEST_WINDOW, *map(window_width, smallest)}, reverse=True):
        gain = width / least if least > 0.0 else math.inf
        if width == least or gain < LEAST_GAIN:
            break
        hasty = _hasty(projections, width, n, int(n * min(MOST_HASTY, HASTY_FOR_GAIN * gain)))
        if hasty is not None:
            return width, least, hasty.astype(np.uint8)
    return least, least, np.zeros(n, dtype=np.uint8)


def _kinds_of_delays(p: ProjectionPlan | ProceduralPlan) -> list[float]:
    """All delays of rows in which they take few values, for these may be of several projections; else the least."""
    few = isinstance(p, ProjectionPlan) and p.slices is not None
    return p.delay.tolist() if few else [float(p.delay.min())]


def _hasty(
    projections: Sequence[ProjectionPlan | ProceduralPlan], width: float, n: int, most: int
) -> NDArray[np.bool_] | None:
    """Sources and targets of synapses with a delay below width; None if they are more than `most`."""
    hasty = np.zeros(n, dtype=bool)
    for p in projections:
        if not p.n_synapses or float(p.delay.min()) >= width:
            continue
        # Few sources may have many targets, but many sources need not be asked for theirs.
        for side in (_hasty_sources, _hasty_targets):
            hasty[side(p, width)] = True
            if np.count_nonzero(hasty) > most:
                return None
    return hasty


def _hasty_sources(p: ProjectionPlan | ProceduralPlan, width: float) -> NDArray[np.int32]:
    if isinstance(p, ProceduralPlan):
        return p.pre
    # The synapses of a row are sorted by delay.
    rows = np.flatnonzero(np.diff(p.start))
    first: Floats
    if p.slices is not None:
        first = p.delay[p.slices.value[p.slices.row[rows]]]
    else:
        first = p.delay[p.start[rows]] if p.delay.size > 1 else np.broadcast_to(p.delay, rows.size)
    return p.pre[rows[first < width]]


def _hasty_targets(p: ProjectionPlan | ProceduralPlan, width: float) -> NDArray[np.int32]:
    if isinstance(p, ProceduralPlan):
        return p.post
    if p.delay.size == 1:
        return p.target
    short = p.delay < width
    return p.target[p.by_synapse(short) if p.slices is not None else short]
