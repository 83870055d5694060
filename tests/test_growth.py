"""Growth of a frame's unit at many times at once: the bits of the scalar exponential, in every kind of lanes."""

import math

import numpy as np
import pytest

from eventsnn._core.base import mathfunc
from eventsnn._core.draw import growth, philox

each_number_of_lanes = pytest.mark.parametrize(
    "lanes",
    [
        pytest.param(n, marks=pytest.mark.skipif(n > philox.most_lanes(), reason="not on this processor"))
        for n in (1, 4, 8)
    ],
)
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
