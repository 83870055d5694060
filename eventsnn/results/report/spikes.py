"""The spikes of a report's raster: intervals between the spikes of each neuron, counted in a quantum of time.

The quantum is the shortest of 1 ps, 10 ps, 100 ps ... with which the spikes fit into a page that stays below 30 MB. A
neuron's first interval begins at the beginning of the window. Above MOST_SPIKES and MOST_ROWS every second neuron of
each population is drawn, or every third and so on: spike trains that are drawn are complete, and densities keep their
proportions.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.base.arrays import Ints
from eventsnn.results.recorded import Recorded
from eventsnn.results.report.arrays import compressed, packed
from eventsnn.results.report.facts import window
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.summaries import text

MOST_SPIKES, MOST_ROWS = 10_000_000, 500_000
# Of 30 MB a page has 26 for spikes, which base64 makes of these bytes.
MOST_BYTES = 19_500_000
SHORTEST = 1e-9  # ms
MOST_TICKS = 2.0**32


class Drawn(NamedTuple):
    """What the raster shows. data: fit for JSON; quantum: ms; every: one of so many neurons is drawn."""

    data: dict[str, Any]
    quantum: float
    every: int


def drawn_spikes(results: Recorded, colours: Sequence[str]) -> Drawn:
    """The raster of all populations that have neurons, in the given colours.

    data: begin, length, quantum (ms); populations: [{name, colour, ids}]; counts: spikes of each row, population after
    population; intervals: in quanta, row after row.
    """
    populations = [trains for trains in results.spikes.values() if trains.n > 0]
    every = _thinning(populations)
    parts = [trains if every == 1 else trains[::every] for trains in populations]
    named = [
        {"name": text(part.name), "colour": colour, "ids": packed(part.neurons, "u4")}
        for part, colour in zip(parts, colours, strict=True)
    ]
    counts = [part.counts() for part in parts]
    t0, t1 = window(results)
    quantum, intervals = _intervals(parts, counts, t0, t1)
    data = {
        "begin": t0,
        "length": t1 - t0,
        "quantum": quantum,
        "populations": named,
        "counts": packed(np.concatenate([*counts, np.empty(0, np.int64)]), "u4"),
        "intervals": {"type": "u4", "data": base64.b64encode(intervals).decode("ascii")},
    }
    return Drawn(data, quantum, every)


def _thinning(populations: Sequence[SpikeTrains]) -> int:
    """One of how many neurons is drawn: as few left out as the limits allow."""
    every, most = 1, max((trains.n for trains in populations), default=1)
    while every < most:
        rows = sum(-(-trains.n // every) for trains in populations)
        spikes = sum(int(trains.counts()[::every].sum()) for trains in populations)
        excess = max(spikes / MOST_SPIKES, rows / MOST_ROWS)
        if excess <= 1.0:
            break
        every = max(every + 1, int(every * excess))
    return min(every, most)


def _intervals(parts: Sequence[SpikeTrains], counts: Sequence[Ints], t0: float, t1: float) -> tuple[float, bytes]:
    """The quantum (ms), and the intervals in it, compressed."""
    times = [part.times[np.argsort(part.rows, kind="stable")] for part in parts]
    since = np.concatenate([*times, np.empty(0)]) - t0
    lengths = np.concatenate([*counts, np.empty(0, np.int64)])
    firsts = (np.cumsum(lengths) - lengths)[lengths > 0]
    quantum = SHORTEST
    while True:
        if (t1 - t0) / quantum < MOST_TICKS:
            ticks = np.rint(since / quantum)
            intervals = np.diff(ticks, prepend=0.0)
            intervals[firsts] = ticks[firsts]
            packed_up = compressed(intervals, "u4")
            if len(packed_up) <= MOST_BYTES:
                return quantum, packed_up
        # a decimal number again: 1e-9 * 10 is none
        quantum = float(f"{quantum * 10.0:.0e}")
