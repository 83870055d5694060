"""Rate codes: the statistics of their spikes, what a spike depends on, and their decoders."""

import numpy as np
import pytest
from scipy import stats

import eventsnn as esn
from eventsnn.encode import InhomogeneousRate, Rate

ERROR_PROBABILITY = 1e-6  # of each statistical test, were its seed not fixed


def test_poisson_intervals_and_counts():
    trains = Rate(duration=2e5, rate_max=50.0, seed=1).encode([[1.0]])
    assert stats.kstest(np.diff(trains.times), "expon", args=(0.0, 20.0)).pvalue > ERROR_PROBABILITY
    counts = Rate(duration=100.0, rate_max=80.0, seed=2).encode(np.full((4000, 2), 0.5)).counts().ravel()
    observed = np.bincount(counts, minlength=15)[:15]
    expected = stats.poisson.pmf(np.arange(15), 4.0) * 8000
    tail = 8000 - observed[:12].sum()
    chi = stats.chisquare([*observed[:12], tail], [*expected[:12], 8000 - expected[:12].sum()])
    assert chi.pvalue > ERROR_PROBABILITY


def test_a_dead_time_keeps_the_rate():
    trains = Rate(duration=2e5, rate_max=50.0, t_ref=5.0, seed=3).encode([[1.0]])
    assert np.diff(trains.times).min() >= 5.0
    assert stats.kstest(np.diff(trains.times), "expon", args=(5.0, 15.0)).pvalue > ERROR_PROBABILITY
    # In equilibrium from the beginning: first spikes of density P(interval > t) / 20 ms.
    first = Rate(duration=400.0, rate_max=50.0, t_ref=5.0, seed=4).encode(np.ones((5000, 1))).first().ravel()

    def cumulative(t):
        return np.where(t < 5.0, t / 20.0, 0.25 + 0.75 * -np.expm1(-(t - 5.0) / 15.0))

    assert stats.kstest(first, cumulative).pvalue > ERROR_PROBABILITY


def test_rate_estimates_are_right_on_average():
    x = np.random.default_rng(0).uniform(0.0, 1.0, (200, 30))
    for t_ref in (0.0, 4.0):
        code = Rate(duration=500.0, rate_max=100.0, t_ref=t_ref, seed=5)
        mean, std = code.decode(code.encode(x)) - x, np.sqrt(x / 50.0)  # at most, Poisson
        assert abs(mean.sum()) < stats.norm.isf(ERROR_PROBABILITY / 2) * np.sqrt((std**2).sum())
        assert np.abs(mean).max() > 0.01


def test_batches_go_on_where_the_last_one_ended():
    x = np.random.default_rng(0).uniform(0.0, 1.0, (6, 5))
    for code, values in ((Rate(seed=7), x), (InhomogeneousRate(dt=40.0, seed=7), np.repeat(x[..., np.newaxis], 3, 2))):
        whole, rest = code.encode(values), code.encode(values[2:], first=2)
        assert np.array_equal(rest.times, whole[2:].times) and np.array_equal(rest.ids, whole[2:].ids)
        with pytest.raises(esn.InputError, match="first = -1 must be a whole number"):
            code.encode(values, first=-1)


def test_the_two_kinds_of_rates_draw_apart():
    x = np.full((1, 40), 0.5)
    assert not np.isin(Rate().encode(x).times, InhomogeneousRate(dt=100.0).encode(x[..., np.newaxis]).times).any()


def test_what_a_channel_draws_depends_on_nothing_else():
    x = np.random.default_rng(0).uniform(0.0, 1.0, (6, 5))
    whole = Rate(duration=300.0, seed=7).encode(x)
    alone = x.copy()
    alone[:, [0, 1, 3, 4]] = 0.0
    assert np.array_equal(Rate(duration=300.0, seed=7).encode(alone)[3, 2].times, whole[3, 2].times)
    shorter = Rate(duration=100.0, seed=7).encode(x)
    kept = whole.times < 100.0
    assert np.array_equal(shorter.times, whole.times[kept]) and np.array_equal(shorter.ids, whole.ids[kept])
    assert Rate(duration=300.0, seed=8).encode(x).times.tolist() != whole.times.tolist()
    assert np.array_equal(Rate(duration=300.0, seed=7).encode(x[:3]).times, whole[:3].times)


def test_inhomogeneous_rates_follow_x():
    """Times of many channels, mapped by the integral of the rate, are uniform (Kolmogorov-Smirnov)."""
    x = 0.5 + 0.5 * np.sin(np.arange(200) / 15.0)
    code = InhomogeneousRate(dt=0.5, rate_max=200.0, seed=1)
    trains = code.encode(np.broadcast_to(x, (300, 2, 200)))
    integral = np.concatenate([[0.0], np.cumsum(x)])
    share = np.interp(trains.times, 0.5 * np.arange(201), integral) / integral[-1]
    assert stats.kstest(share, "uniform").pvalue > ERROR_PROBABILITY
    expected = 600 * 0.2 * 0.5 * x.sum()
    assert abs(trains.times.size - expected) < stats.norm.isf(ERROR_PROBABILITY / 2) * np.sqrt(expected)
    assert code.decode(trains).mean(axis=(0, 1)) == pytest.approx(x, abs=0.7)  # 5.4 times its deviation of 0.13
    assert code.decode(trains).sum() * 0.2 * 0.5 == pytest.approx(trains.times.size, rel=1e-12)


def test_inhomogeneous_rate_with_a_dead_time():
    code = InhomogeneousRate(dt=1000.0, rate_max=100.0, t_ref=4.0, seed=2)
    trains = code.encode(np.full((40, 1, 1), 1.0))
    gaps = np.concatenate([np.diff(one.times) for one in trains])
    assert gaps.min() >= 4.0
    # Outside of dead times the rate is 100 Hz, so that intervals are 4 ms and an exponential of 10 ms.
    assert stats.kstest(gaps, "expon", args=(4.0, 10.0)).pvalue > ERROR_PROBABILITY
    silent = code.encode(np.zeros((2, 3, 4)))
    assert silent.times.size == 0 and silent.shape == (3,) and silent.duration == 4000.0
