"""Distributions: values against theory and the written-out method, element-wise streams, every refusal."""

import math

import numpy as np
import pytest
from scipy import stats

from eventsnn._core.draw import philox
from eventsnn._core.draw.values import Law
from eventsnn.base.errors import InputError
from eventsnn.draw import streams
from eventsnn.draw.distributions import Distribution, Exponential, LogNormal, Normal, Uniform

KEY = 0x0123456789ABCDEF
ERROR_PROBABILITY = 1e-6  # of each statistical test, were its seed not fixed
ALL = [
    Uniform(-10.0, 20.0),
    Normal(1.0, 2.0),
    Normal(1.0, 2.0, low=0.5, high=3.0),
    LogNormal(0.3, 0.5),
    Exponential(2.5),
]


def elements(n):
    return np.arange(n, dtype=np.uint64)


@pytest.mark.parametrize(
    ("distribution", "theory"),
    [
        (ALL[0], stats.uniform(-10.0, 30.0)),
        (ALL[1], stats.norm(1.0, 2.0)),
        (ALL[2], stats.truncnorm(-0.25, 1.0, 1.0, 2.0)),
        (ALL[3], stats.lognorm(0.5, scale=math.exp(0.3))),
        (ALL[4], stats.expon(scale=2.5)),
    ],
)
def test_samples_follow_the_distribution(distribution, theory):
    values = distribution.sample(KEY, elements(50_000))
    assert stats.kstest(values, theory.cdf).pvalue > ERROR_PROBABILITY
    standard_error = theory.std() / math.sqrt(len(values))
    assert abs(values.mean() - theory.mean()) < 5 * standard_error


@pytest.mark.parametrize("distribution", ALL)
def test_an_element_depends_on_key_and_number_alone(distribution):
    assert isinstance(distribution, Distribution)
    values = distribution.sample(KEY, elements(100))
    assert values.dtype == np.float64
    assert np.array_equal(distribution.sample(KEY, elements(100)[::-7]), values[::-7])
    assert len(set(values)) == 100
    far = distribution.sample(KEY, elements(100) + np.uint64(2**32))
    other = distribution.sample(KEY + 1, elements(100))
    assert not np.any(values == far) and not np.any(values == other)
    assert distribution.sample(KEY, elements(0)).shape == (0,)


def test_uniform_is_made_of_the_first_two_words_of_the_element():
    expected = []
    for i in (0, 5, 2**32 + 5):
        words = streams.philox4x32(KEY, i & 0xFFFFFFFF, i >> 32, 0, 0)
        expected.append(-10.0 + 30.0 * streams.uniform53(words[0], words[1]))
    assert Uniform(-10.0, 20.0).sample(KEY, np.array([0, 5, 2**32 + 5], dtype=np.uint64)).tolist() == expected


def polar(key, i, mean, std, low, high):
    for attempt in range(10_000):
        words = streams.philox4x32(key, i, 0, attempt, 0)
        x, y = (2.0 * streams.uniform53(*pair) - 1.0 for pair in (words[:2], words[2:]))
        square = x * x + y * y
        if 0.0 < square < 1.0:
            value = mean + std * x * math.sqrt(-2.0 * math.log(square) / square)
            if low <= value <= high:
                return value
    raise AssertionError


@pytest.mark.parametrize(("low", "high"), [(-math.inf, math.inf), (2.0, 2.5)])
def test_normal_is_the_polar_method_on_successive_attempts(low, high):
    values = Normal(1.0, 2.0, low, high).sample(KEY, elements(200))
    assert values == pytest.approx([polar(KEY, i, 1.0, 2.0, low, high) for i in range(200)], rel=1e-14, abs=1e-14)


@pytest.mark.parametrize("lanes", [1, 4, 8])
@pytest.mark.parametrize("kind", ["normal", "lognormal", "uniform", "exponential"])
def test_bits_do_not_depend_on_how_many_are_drawn_side_by_side(lanes, kind):
    """Against one by one; also of numbers of 64 bits, on a grid, and where many are drawn again or refused."""
    if lanes > philox.most_lanes():
        pytest.skip("not on this processor")
    index = np.concatenate([elements(1_000), elements(1_000) + np.uint64(2**40)])
    for given in (
        {}, {"low": 0.5, "high": 2.0}, {"low": 0.75, "least": 0.8, "grid": 0.1}, {"most": 1.5},
        {"low": 1.0, "high": 2.5, "refuses": True},
    ):  # fmt: skip
        expected, refused = Law(kind, 1.0, 0.75, lanes=1, **given).sample(KEY, index)
        for n in (*range(35), 255, 256, 257, 2_000):
            values, failed = Law(kind, 1.0, 0.75, lanes=lanes, **given).sample(KEY, index[:n])
            assert values.tobytes() == expected[:n].tobytes() and failed <= refused
        assert failed == refused and (refused > 0) == ("refuses" in given and kind in ("normal", "lognormal"))


def test_lognormal_is_exp_of_the_normal_with_the_same_stream():
    values = LogNormal(0.3, 0.5).sample(KEY, elements(200))
    assert values == pytest.approx(np.exp(Normal(0.3, 0.5).sample(KEY, elements(200))), rel=1e-15)


def test_exponential_is_the_logarithm_of_a_uniform_number():
    uniform = Uniform(0.0, 1.0).sample(KEY, elements(200))
    assert Exponential(2.5).sample(KEY, elements(200)) == pytest.approx(-2.5 * np.log(1.0 - uniform), rel=1e-14)


def test_uniform_never_reaches_high_unless_the_interval_is_a_point():
    above = math.nextafter(1.0, 2.0)
    assert set(Uniform(1.0, above).sample(KEY, elements(1000))) == {1.0}
    assert set(Uniform(7.5, 7.5).sample(KEY, elements(10))) == {7.5}


def test_clip_moves_what_redraw_would_draw_again():
    free = Normal(0.0, 1.0).sample(KEY, elements(1000))
    clipped = Normal(0.0, 1.0, -1.0, 0.5, outside="clip").sample(KEY, elements(1000))
    redrawn = Normal(0.0, 1.0, -1.0, 0.5).sample(KEY, elements(1000))
    inside = (free >= -1.0) & (free <= 0.5)
    assert np.array_equal(clipped, np.where(free < -1.0, -1.0, np.where(free > 0.5, 0.5, free)))
    assert np.array_equal(redrawn[inside], free[inside])
    assert np.all((redrawn >= -1.0) & (redrawn <= 0.5)) and not np.any(redrawn == clipped, where=~inside)


def test_error_counts_what_fell_outside():
    free = Normal(0.0, 1.0).sample(KEY, elements(1000))
    outside = np.count_nonzero(free < -2.0)
    assert outside > 0
    with pytest.raises(InputError, match=rf"Normal: {outside} of 1000 values .*\[low, high\] = \[-2.0, inf\]"):
        Normal(0.0, 1.0, low=-2.0, outside="error").sample(KEY, elements(1000))
    inside = Normal(0.0, 1.0, low=-40.0, outside="error").sample(KEY, elements(1000))
    assert np.array_equal(inside, free)


def test_a_grid_rounds_to_the_nearest_multiple():
    free = Normal(1.5, 0.75).sample(KEY, elements(1000))
    rounded = Normal(1.5, 0.75, grid=0.1).sample(KEY, elements(1000))
    assert np.abs(rounded - free).max() <= 0.05 + 1e-12
    assert np.array_equal(rounded, 0.1 * np.round(rounded * 10.0))
    assert not np.any(np.signbit(Normal(0.0, 1e-3, grid=0.1).sample(KEY, elements(100))))


def test_bounds_on_a_grid_hold_for_what_was_rounded():
    """A multiple that is a bound has the weight of a whole step, as a delay drawn again below half a step has."""
    free = Normal(0.0, 1.0).sample(KEY, elements(50_000))
    near = np.round(free)
    bounds = {"low": -1.0, "high": 2.0, "grid": 1.0}
    clipped = Normal(0.0, 1.0, **bounds, outside="clip").sample(KEY, elements(50_000))
    assert np.array_equal(clipped, np.clip(near, -1.0, 2.0))
    redrawn = Normal(0.0, 1.0, **bounds).sample(KEY, elements(50_000))
    inside = (near >= -1.0) & (near <= 2.0)
    assert np.array_equal(redrawn[inside], near[inside])
    values, counts = np.unique(redrawn, return_counts=True)
    assert values.tolist() == [-1.0, 0.0, 1.0, 2.0]
    weights = np.diff(stats.norm.cdf([-1.5, -0.5, 0.5, 1.5, 2.5]))
    assert stats.chisquare(counts, counts.sum() * weights / weights.sum()).pvalue > ERROR_PROBABILITY
    with pytest.raises(InputError, match=rf"Normal: {np.count_nonzero(~inside)} of 50000 values"):
        Normal(0.0, 1.0, **bounds, outside="error").sample(KEY, elements(50_000))


@pytest.mark.parametrize("outside", ["redraw", "clip", "error"])
def test_a_bound_is_kept_though_its_multiple_of_the_grid_lies_beyond_it(outside):
    assert 3 * 0.1 > 0.3
    values = Normal(0.3, 0.01, low=0.0, high=0.3, outside=outside, grid=0.1).sample(KEY, elements(100))
    assert set(values) == {0.3}


@pytest.mark.parametrize("normal", [Normal(0.0, 1.0, low=20.0), Normal(1.0, 0.0, high=0.5), Normal(0.0, 1.0, 0.2, 0.2)])
def test_redrawing_gives_up_on_an_interval_that_is_practically_never_hit(normal):
    with pytest.raises(InputError, match="practically never"):
        normal.sample(KEY, elements(2))


def test_zero_std_gives_the_mean():
    assert set(Normal(3.0, 0.0).sample(KEY, elements(10))) == {3.0}
    assert set(LogNormal(0.0, 0.0).sample(KEY, elements(10))) == {1.0}
    assert set(Exponential(0.0).sample(KEY, elements(10))) == {0.0}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Uniform(2.0, 1.0), "Uniform: low = 2.0 is above high = 1.0"),
        (lambda: Uniform(math.nan, 1.0), "Uniform: low = nan is not a finite number"),
        (lambda: Uniform(0.0, math.inf), "Uniform: high = inf is not a finite number"),
        (lambda: Uniform(-1.5e308, 1.5e308), "Uniform: .* is too wide; high - low must be finite"),
        (lambda: Uniform("0", 1.0), "Uniform: low = '0' is not a finite number"),
        (lambda: Normal(math.nan, 1.0), "Normal: mean = nan is not a finite number"),
        (lambda: Normal(0.0, -1.0), "Normal: std = -1.0 is negative"),
        (lambda: Normal(0.0, math.inf), "Normal: std = inf is not a finite number"),
        (lambda: Normal(0.0, 1.0, low=math.nan), "Normal: low = nan is not a number"),
        (lambda: Normal(0.0, 1.0, low=1.0, high=0.0), "Normal: low = 1.0 is above high = 0.0"),
        (lambda: Normal(0.0, 1.0, outside="redrow"), "outside = 'redrow' is not known; did you mean 'redraw'"),
        (lambda: Normal(0.0, 1.0, outside=3), "outside = 3 is not known; known are redraw, clip, error$"),
        (lambda: Normal(0.0, 1.0, grid=0.0), "Normal: grid = 0.0 is not positive; give the distance of two values"),
        (lambda: Normal(0.0, 1.0, grid=math.nan), "Normal: grid = nan is not a finite number"),
        (lambda: Normal(0.0, 1.0, low=0.05, grid=0.1), "Normal: low = 0.05 is no multiple of grid = 0.1; give 0"),
        (lambda: Normal(0.0, 1.0, high=0.28, grid=0.1), "Normal: high = 0.28 is no multiple of grid = 0.1; give 0.3$"),
        (lambda: LogNormal(math.inf, 1.0), "LogNormal: mu = inf is not a finite number"),
        (lambda: LogNormal(0.0, -0.5), "LogNormal: sigma = -0.5 is negative"),
        (lambda: Exponential(-1.0), "Exponential: mean = -1.0 is negative"),
        (lambda: Exponential(math.inf), "Exponential: mean = inf is not a finite number"),
    ],
)
def test_unusable_parameters_are_refused_on_construction(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()
