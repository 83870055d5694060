"""Growth of a frame's unit at many times at once: the bits of the scalar exponential, in every kind of lanes."""

import itertools
import math
import random

import numpy as np
import pytest

from eventsnn import streams
from eventsnn._core import growth, mathfunc, philox

each_number_of_lanes = pytest.mark.parametrize(
    "lanes",
    [
        pytest.param(n, marks=pytest.mark.skipif(n > philox.most_lanes(), reason="not on this processor"))
        for n in (1, 4, 8)
    ],
)
one_by_one_or_together = pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
LN2 = math.log(2.0)


def scalar(times, origin, rate):
    return [mathfunc.exp((float(t) - origin) * rate) for t in times]


def bits(numbers):
    """nan, which the origin may become, included."""
    return np.asarray(numbers, dtype=float).view(np.uint64).tolist()


def same_as_scalar(lanes, times, origin, rate):
    times = np.array(times)
    return bits(growth.growth(lanes, times, len(times), origin, rate)) == bits(scalar(times, origin, rate))


@each_number_of_lanes
def test_random_arguments_of_all_sizes(lanes):
    draw = np.random.default_rng(1)
    for low, high in [(0.0, 8.0), (-0.4, 0.4), (-700.0, 700.0), (-1e-9, 1e-9)]:
        assert same_as_scalar(lanes, draw.uniform(low, high, 50_000), 0.0, 1.0)
    for _ in range(200):
        origin, rate = draw.uniform(0.0, 1e6), 1.0 / draw.uniform(0.1, 100.0)
        assert same_as_scalar(lanes, origin + draw.uniform(0.0, 8.0, 100) / rate, origin, rate)


@each_number_of_lanes
def test_arguments_at_which_the_exponential_changes_its_power_of_two(lanes):
    edges = [0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-300, 1e-16, 699.999, -699.999]
    for half in range(-2018, 2019):
        x = 0.5 * half * LN2
        edges += [x, *(math.nextafter(x, towards) for towards in (-math.inf, math.inf))]
    assert same_as_scalar(lanes, edges, 0.0, 1.0)


@each_number_of_lanes
@pytest.mark.parametrize("behind", [0.0, 5e-324, math.inf, math.nan, 1e300])
def test_any_number_of_times_whatever_lies_behind_them(lanes, behind):
    for n in range(18):
        times = np.array([100.0 + 0.3 * k for k in range(n)] + [behind] * (18 - n))
        found = growth.growth(lanes, times, n, 99.0, 0.25)
        assert bits(found[:n]) == bits(scalar(times[:n], 99.0, 0.25))
        assert set(found[n:]) <= {-1.0}


@each_number_of_lanes
@one_by_one_or_together
@pytest.mark.parametrize("second_rate", [None, 0.5])
@pytest.mark.parametrize("mean", [0.001, 4.0, 5.0, 7.9])
@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 1001])
def test_cells_have_the_spikes_of_the_twin_and_their_growth(lanes, together, second_rate, mean, n):
    stream, start, end, origin, rate = 2**32 - 500, 750.25, 750.5, 748.0, 0.05
    counts, times, factors, second = growth.cells(
        lanes, together, n, 7, stream, mean, math.exp(-mean), start, end, origin, rate, second_rate
    )
    expected = [
        streams.poisson_cell(7, (stream + k) % 2**32, 0, mean, math.exp(-mean), start, end - start) for k in range(n)
    ]
    assert counts.tolist() == [min(len(cell), 15) for cell in expected]
    flat = list(itertools.chain.from_iterable(cell for cell in expected if len(cell) < 15))
    assert times.tolist() == flat
    assert bits(factors) == bits(scalar(flat, origin, rate))
    if second_rate is None:
        assert second is None
    else:
        assert bits(second) == bits(scalar(flat, origin, second_rate))
    if n == 1001 and mean == 7.9:
        assert set(counts.tolist()) >= set(range(1, 16))


@each_number_of_lanes
@one_by_one_or_together
def test_key_and_times_that_round_up_to_the_end_of_a_cell(lanes, together):
    """Four doubles to a cell, as in test_streams.py, under keys of 64 bits."""
    draw = random.Random(2)
    start, end = 2.0**50 + 0.25, 2.0**50 + 1.25
    for _ in range(20):
        key = draw.getrandbits(64)
        arguments = (6.25, math.exp(-6.25), start, end, 2.0**50, 1.0, None)
        counts, times, factors, _ = growth.cells(lanes, together, 20, key, 3, *arguments)
        expected = [philox.cell_at_once(lanes, key, 3 + k, *arguments[:4]) for k in range(20)]
        assert times.tolist() == list(itertools.chain.from_iterable(cell for cell in expected if cell is not None))
        assert bits(factors) == bits(scalar(times, 2.0**50, 1.0))
