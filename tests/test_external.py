"""External input of blocks: sums of what the spikes of cells add, the same in every kind of lanes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eventsnn._core.base import mathfunc
from eventsnn._core.draw import philox
from eventsnn._core.run.calm import external
from eventsnn.draw import streams

each_number_of_lanes = pytest.mark.parametrize(
    "lanes",
    [
        pytest.param(n, marks=pytest.mark.skipif(n > philox.most_lanes(), reason="not on this processor"))
        for n in (1, 4, 8)
    ],
)
WIDTH, CELL = 0.25, 3001
START = CELL * WIDTH
# Whole cells in one, two, three and four parts, and parts of cells.
EDGES = [
    [0.0, 1.0], [0.0, 0.5, 1.0], [0.0, 0.25, 0.5, 0.75], [0.0, 0.25, 0.5, 0.75, 1.0],
    [0.5, 0.75, 1.0], [0.25, 0.5], [0.75, 1.0], [0.0, 0.125, 0.25, 0.375, 0.5],
]  # fmt: skip


def times_of(key: int, stream: int, mean: float) -> list[float]:
    return streams.poisson_cell(key, stream % 2**32, CELL, mean, math.exp(-mean), START, WIDTH)


def summed(times: list[float], weight: float, scale: float, origin: float, rate: float) -> int:
    return sum(round(weight * (scale * mathfunc.exp((t - origin) * rate))) for t in times)


@each_number_of_lanes
@pytest.mark.parametrize("current", [None, (-0.37e9, START - 0.5, 2.0)])
@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("mean", [0.001, 4.0, 7.9])
@pytest.mark.parametrize("n", [1, 8, 9, 16, 33, 1001])
def test_sums_are_those_of_the_twin(lanes, current, edges, mean, n):
    """Around the last number of a stream, and with cells that hold more than the table has."""
    key, stream, weight, scale, origin, rate = 2**63 + 7, 2**32 - 500, 0.1, 1e13, START - 6.0, 0.05
    edges = [START + WIDTH * edge for edge in edges]
    u, x, spikes, full = external.sums(
        lanes, n, key, stream, CELL, mean, math.exp(-mean), WIDTH, edges, weight, scale, origin, rate, current
    )
    cells = [times_of(key, stream + k, mean) for k in range(n)]
    assert full == [k for k in range(n) if len(cells[k]) > 14] and (len(full) > 0) == (mean > 7.0 and n > 1000)
    for part, (begin, end) in enumerate(zip(edges, edges[1:], strict=False)):
        inside = [[t for t in cell if begin <= t < end and len(cell) < 15] for cell in cells]
        assert u[part].tolist() == [summed(times, weight, scale, origin, rate) for times in inside]
        if current is not None:
            assert x[part].tolist() == [summed(times, weight, *current) for times in inside]
        assert spikes[part] == sum(map(len, inside))


@each_number_of_lanes
def test_nothing_is_written_beside_the_streams(lanes):
    """Behind the last one of a part lies what belongs to others."""
    for n in range(1, 20):
        edges = [START, START + 0.5 * WIDTH, START + WIDTH]
        u, _, _, _ = external.sums(lanes, n, 1, 0, CELL, 4.0, math.exp(-4.0), WIDTH, edges, 0.1, 1e13, START, 0.05)
        one = external.sums(1, 40, 1, 0, CELL, 4.0, math.exp(-4.0), WIDTH, edges, 0.1, 1e13, START, 0.05)[0]
        assert np.array_equal(u, one[:, :n])
