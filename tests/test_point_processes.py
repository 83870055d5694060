"""Random spikes from outside: each process against its theory, the same bits in both engines, every refusal.

ERROR_PROBABILITY is that of each statistical test, were its seed not fixed; estimates are compared within five standard
errors, which is about as rare.
"""

import itertools
import math

import numpy as np
import pytest
from event_log import differences, event_log, event_log_of_pieces
from scipy import stats
from small_networks import delta

import eventsnn as esn
from eventsnn.describe.processes.base import PointProcess

ERROR_PROBABILITY = 1e-6
ENGINES = ["compiled", "reference"]


def trains(process, n=1, duration=1000.0, seed=1, engine="compiled", name="noise"):
    net = esn.Network(seed=seed)
    net.population(n, process, name=name)
    return net.run(duration, engine=engine).spikes[name].trains()


def stimulus_trains(process, n=1, duration=1000.0, seed=1, engine="compiled"):
    """The same from `stimulate`: every input makes its neuron spike at once."""
    net = esn.Network(seed=seed)
    cells = net.population(n, esn.LIFDelta(E_L=0.0, V_reset=0.0, V_th=1.0, t_ref=0.0), name="cells")
    net.stimulate(cells, process, weight=2.0)
    return net.run(duration, engine=engine).spikes["cells"].trains()


def first_of(process, n, m, duration):
    """The first m spikes of n neurons: fixing their number and not the time does not favour short intervals."""
    drawn = trains(process, n, duration)
    assert min(map(len, drawn)) >= m
    return np.array([train[:m] for train in drawn])


def lists(values):
    return [train.tolist() for train in values]


PROCESSES = {
    "Poisson": esn.Poisson(rate=esn.Uniform(50.0, 900.0)),
    "steps": esn.InhomogeneousPoisson([0.0, 20.0, 20.75, 90.0, 170.3], [1000.0, 300.0, 0.0, 5000.0, 20.0]),
    "steps each": esn.InhomogeneousPoisson(
        [3.0, 4.5, 50.0], [[0.0, 500.0, 700.0], [1e3, 2e3, 50.0], [0.0, 0.0, 0.0], [900.0, 1000.0, 0.0]]
    ),
    "sine": esn.SinusoidalPoisson([400.0, 100.0, 0.0, 20.0], [50.0, 500.0, 300.0, -300], 20.0, [0.0, 90.0, 45.0, 9e4]),
    "sine at rest": esn.SinusoidalPoisson(100.0, [50.0, -100.0, 50.0, 0.0], 0.0, [0.0, 90.0, 90.0, 0.0]),
    "dead time": esn.PoissonRefractory([100.0, 300.0, 0.0, 900.0], [2.0, 3.0, 5.0, 0.0]),
    "Gamma": esn.Gamma([100.0, 200.0, 300.0, 500.0], [2.0, 0.5, 7.5, 1.0]),
    "Gamma ordinary": esn.Gamma(esn.Normal(300.0, 50.0), esn.Uniform(0.5, 3.0), start="ordinary"),
    "Exponential": esn.Renewal(esn.Exponential(5.0)),
    "LogNormal": esn.Renewal(esn.LogNormal(1.0, 1.0)),
    "Normal": esn.Renewal([esn.Normal(5.0, 3.0, low=0.0), esn.Normal(-1.0, 3.0, low=1.0, high=5.0)] * 2),
    "Uniform": esn.Renewal([esn.Uniform(5.0, 5.0), esn.Uniform(0.0, 5.0), esn.Uniform(2.0, 5.0), esn.Exponential(3.0)]),
    "Uniform ordinary": esn.Renewal(esn.Uniform(1.0, 5.0), start="ordinary"),
}


# ---- bits


@pytest.mark.parametrize("name", PROCESSES)
def test_both_engines_and_every_division_into_runs_give_the_same_bits(name):
    net = esn.Network(seed=11)
    net.population(4, PROCESSES[name], name="source")
    cells = net.population(4, esn.LIFExp(V_th=-69.0), name="cells")
    net.stimulate(cells, PROCESSES[name], weight=100.0)
    net.record(cells, "V_m", every=7.0)
    whole = event_log(net.compile(), 400.0)
    assert len(np.frombuffer(whole["source times"])) > 100 and len(np.frombuffer(whole["cells times"])) > 10
    assert differences(whole, event_log(net.compile("reference"), 400.0)) == []
    stops = (0.3, 1.0, 33.3, 33.4, 170.5, 399.0, 400.0)
    assert differences(whole, event_log(net.compile(), *stops)) == []
    pieces = event_log_of_pieces(net.compile(), *stops)
    assert differences({name: whole[name] for name in pieces}, pieces) == []


@pytest.mark.parametrize("name", PROCESSES)
def test_a_stream_depends_on_nothing_but_seed_name_use_and_index(name):
    process = PROCESSES[name]
    plain = lists(trains(process, 4, 300.0))
    net = esn.Network(seed=1)
    first = delta(net, 3, name="first")
    net.stimulate(first, esn.Gamma(9.0, 2.0), weight=0.0)
    net.population(2, esn.Poisson(100.0), name="before")
    net.population(4, process, name="noise")
    net.population(4, process, name="other")
    spikes = net.run(300.0).spikes
    assert lists(spikes["noise"].trains()) == plain
    assert lists(trains(process, 4, 300.0, seed=2)) != plain
    others = [lists(spikes["other"].trains()), lists(stimulus_trains(process, 4, 300.0))]
    for k, train in enumerate(plain):
        for other in others:
            assert not train or train != other[k]
    drawn = [tuple(train) for train in plain if train]
    assert len(set(drawn)) == len(drawn)


def has_lists(process: PointProcess) -> bool:
    return any(isinstance(value, list) for value in vars(process).values())


@pytest.mark.parametrize("make", [lambda: esn.Gamma(100.0, 2.0), lambda: esn.InhomogeneousPoisson([0.0], [100.0])])
def test_more_neurons_leave_those_before_as_they_were(make):
    assert lists(trains(make(), 3)) == lists(trains(make(), 8))[:3]


def test_a_rate_of_zero_is_silent():
    silent = [
        esn.InhomogeneousPoisson([0.0, 5.0], [0.0, 0.0]),
        esn.InhomogeneousPoisson([], []),
        esn.SinusoidalPoisson(0.0, 0.0, 5.0),
        esn.SinusoidalPoisson(10.0, -20.0, 0.0, 90.0),
        esn.PoissonRefractory(0.0, 5.0),
        esn.Gamma(0.0, 5.0),
    ]
    for process in silent:
        for engine in ENGINES:
            assert lists(trains(process, 2, engine=engine)) == [[], []]


def test_stepwise_spikes_follow_from_the_rate_at_their_time():
    """What comes later does not matter, and a piece may be cut in two."""
    times, rates = [0.0, 50.0, 120.0], [80.0, 700.0, 90.0]
    (whole,) = trains(esn.InhomogeneousPoisson(times, rates), duration=300.0)
    (early,) = trains(esn.InhomogeneousPoisson(times[:2], [80.0, 0.0]), duration=300.0)
    assert early.tolist() == whole[whole < 50.0].tolist()
    cut = esn.InhomogeneousPoisson([0.0, 20.0, 50.0, 60.0, 61.0, 120.0], [80.0, 80.0, 700.0, 700.0, 700.0, 90.0])
    assert lists(trains(cut, duration=300.0)) == [whole.tolist()]


def test_ordinary_and_stationary_starts_share_all_intervals_but_the_first():
    stationary, ordinary = (trains(esn.Gamma(100.0, 3.0, start=start))[0] for start in ("stationary", "ordinary"))
    assert stationary[0] != ordinary[0]
    n = min(len(stationary), len(ordinary))
    assert np.diff(stationary)[: n - 1] == pytest.approx(np.diff(ordinary)[: n - 1], abs=1e-12)


# ---- renewal processes


RENEWAL = {
    "dead time": (esn.PoissonRefractory, dict(rate=150.0, dead_time=4.0), stats.expon(4.0, 1000.0 / 150.0 - 4.0)),
    "no dead time": (esn.PoissonRefractory, dict(rate=150.0, dead_time=0.0), stats.expon(scale=1000.0 / 150.0)),
    "Gamma 3": (esn.Gamma, dict(rate=150.0, shape=3.0), stats.gamma(3.0, scale=1000.0 / 450.0)),
    "Gamma 1": (esn.Gamma, dict(rate=150.0, shape=1.0), stats.expon(scale=1000.0 / 150.0)),
    "Gamma 0.4": (esn.Gamma, dict(rate=150.0, shape=0.4), stats.gamma(0.4, scale=1000.0 / 60.0)),
    "Gamma 1e4": (esn.Gamma, dict(rate=150.0, shape=1e4), stats.gamma(1e4, scale=1000.0 / 150.0 / 1e4)),
    "Exponential": (esn.Renewal, dict(intervals=esn.Exponential(7.0)), stats.expon(scale=7.0)),
    "LogNormal": (esn.Renewal, dict(intervals=esn.LogNormal(1.5, 0.8)), stats.lognorm(0.8, scale=math.exp(1.5))),
    "Uniform": (esn.Renewal, dict(intervals=esn.Uniform(2.0, 9.0)), stats.uniform(2.0, 7.0)),
    "Uniform from 0": (esn.Renewal, dict(intervals=esn.Uniform(0.0, 9.0)), stats.uniform(0.0, 9.0)),
    "Normal": (esn.Renewal, dict(intervals=esn.Normal(7.0, 3.0, low=0.0)), stats.truncnorm(-7 / 3, np.inf, 7.0, 3.0)),
    "Normal within": (
        esn.Renewal, dict(intervals=esn.Normal(4.0, 3.0, 2.0, 9.0)), stats.truncnorm(-2 / 3, 5 / 3, 4.0, 3.0),
    ),
    "Normal below 0": (
        esn.Renewal, dict(intervals=esn.Normal(-2.0, 5.0, low=1.0)), stats.truncnorm(0.6, np.inf, -2.0, 5.0),
    ),
}  # fmt: skip


def recurrence_cdf(theory):
    """The distribution of the time from any moment to the next spike: the integral of (1 - F) / mean."""
    x = np.linspace(0.0, theory.ppf(1.0 - 1e-9), 400_001)
    area = np.concatenate([[0.0], np.cumsum((theory.sf(x[1:]) + theory.sf(x[:-1])) / 2.0 * np.diff(x))])
    return lambda t: np.interp(t, x, area / theory.mean())


@pytest.mark.parametrize("name", RENEWAL)
def test_intervals_follow_their_distribution_and_are_independent(name):
    kind, parameters, theory = RENEWAL[name]
    intervals = np.diff(first_of(kind(**parameters), 100, 200, 4000.0), axis=1)
    assert stats.kstest(intervals.reshape(-1), theory.cdf).pvalue > ERROR_PROBABILITY
    assert stats.spearmanr(intervals[:, :-1].reshape(-1), intervals[:, 1:].reshape(-1)).pvalue > ERROR_PROBABILITY
    # The interval has a mean within 5 standard errors, and so has its square.
    for power in (1, 2):
        moments = intervals**power
        spread = 5.0 * moments.std() / math.sqrt(moments.size)
        assert abs(moments.mean() - theory.moment(power)) < spread + 1e-4 * theory.moment(power)


@pytest.mark.parametrize("name", RENEWAL)
def test_a_stationary_process_begins_anywhere_in_an_interval(name):
    kind, parameters, theory = RENEWAL[name]
    first = first_of(kind(**parameters), 8000, 2, 300.0)
    assert stats.kstest(first[:, 0], recurrence_cdf(theory)).pvalue > ERROR_PROBABILITY
    assert stats.kstest(first[:, 1] - first[:, 0], theory.cdf).pvalue > ERROR_PROBABILITY
    assert stats.spearmanr(first[:, 0], first[:, 1] - first[:, 0]).pvalue > ERROR_PROBABILITY


@pytest.mark.parametrize("name", RENEWAL)
def test_an_ordinary_process_begins_with_a_whole_interval(name):
    kind, parameters, theory = RENEWAL[name]
    first = first_of(kind(**parameters, start="ordinary"), 4000, 1, 300.0)[:, 0]
    assert stats.kstest(first, theory.cdf).pvalue > ERROR_PROBABILITY


@pytest.mark.parametrize("name", RENEWAL)
def test_the_rate_of_a_stationary_process_is_the_same_at_all_times(name):
    kind, parameters, theory = RENEWAL[name]
    n, bins = 10_000, np.linspace(0.0, 30.0, 11)
    counts = np.array([np.histogram(train, bins)[0] for train in trains(kind(**parameters), n, 30.0)])
    expected = np.diff(bins) / theory.mean()
    assert (abs(counts.mean(axis=0) - expected) < 5.0 * counts.std(axis=0) / math.sqrt(n)).all()


def test_the_same_at_the_start_of_a_stimulus():
    n, bins = 10_000, np.linspace(0.0, 30.0, 11)
    drawn = stimulus_trains(esn.Gamma(100.0, 4.0), n, 30.0)
    counts = np.array([np.histogram(train, bins)[0] for train in drawn])
    assert (abs(counts.mean(axis=0) - 0.3) < 5.0 * counts.std(axis=0) / math.sqrt(n)).all()


@pytest.mark.parametrize(
    ("process", "CV"),
    [
        (esn.PoissonRefractory(200.0, 2.5), 0.5),
        (esn.Gamma(200.0, 4.0), 0.5),
        (esn.Gamma(200.0, 0.5), math.sqrt(2.0)),
        (esn.Renewal(esn.LogNormal(1.0, 0.5)), math.sqrt(math.expm1(0.25))),
    ],
)
def test_rate_cv_and_fano_factor(process, CV):
    """Over long times the variance of the count is CV^2 of its mean. 2,000 counts give it within 5 sqrt(2 / 2000)."""
    n, duration = 2000, 2000.0
    drawn = trains(process, n, duration)
    counts = np.array([len(train) for train in drawn])
    mean = math.exp(1.125) if isinstance(process, esn.Renewal) else 5.0
    assert abs(counts.mean() - duration / mean) < 5.0 * counts.std() / math.sqrt(n)
    assert counts.var() / counts.mean() == pytest.approx(CV**2, rel=5.0 * math.sqrt(2.0 / n) + 0.02)
    intervals = np.concatenate([np.diff(train) for train in drawn])
    assert intervals.std() / intervals.mean() == pytest.approx(CV, rel=0.02)


# ---- rates that change


def expected_spikes(process, t):
    """The integral of the rate from 0 to each t, per neuron."""
    if isinstance(process, esn.InhomogeneousPoisson):
        edges = np.append(process.times, 1e9)
        area = np.concatenate([[0.0], np.cumsum(process.rates * np.diff(edges))]) / 1000.0
        return np.interp(t, edges, area)
    fine = np.linspace(0.0, 1000.0, 1_000_001)
    angle = 2.0 * np.pi * (process.frequency * fine / 1000.0 + process.phase / 360.0)
    rate = np.maximum(0.0, process.rate + process.amplitude * np.sin(angle))
    area = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2.0)]) * 0.001 / 1000.0
    return np.interp(t, fine, area)


CHANGING = {
    "steps": esn.InhomogeneousPoisson([0.0, 100.0, 150.0, 400.0, 650.0, 800.0], [80.0, 3000.0, 50.0, 0.0, 60.0, 200.0]),
    "steps within a cell": esn.InhomogeneousPoisson(np.arange(0.0, 1e3, 2.0), np.tile([55.0, 70.0, 90.0], 167)[:500]),
    "steps across cells": esn.InhomogeneousPoisson(np.arange(0.0, 1e3, 1.5), np.tile([10.0, 900.0, 90.0], 300)[:667]),
    "late steps": esn.InhomogeneousPoisson([333.3, 500.0], [90.0, 300.0]),
    "sine": esn.SinusoidalPoisson(100.0, 80.0, 8.0, 30.0),
    "rectified sine": esn.SinusoidalPoisson(50.0, 200.0, 3.0),
    "negative amplitude": esn.SinusoidalPoisson(50.0, -150.0, 11.0, 720.0 + 45.0),
    "slow sine": esn.SinusoidalPoisson(0.0, 300.0, 0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGING)
def test_intervals_in_expected_spikes_are_those_of_a_poisson_process(name):
    """Rescaled by the expected number of spikes the process is Poisson with rate 1 (time-rescaling theorem): laid end
    to end the neurons' trains have independent exponential intervals, and the counts are Poisson."""
    process, n = CHANGING[name], 200
    total = float(expected_spikes(process, 1000.0))
    drawn = trains(process, n, 1000.0)
    offsets = np.repeat(np.arange(n) * total, [len(train) for train in drawn])
    rescaled = offsets + expected_spikes(process, np.concatenate(drawn))
    intervals = np.diff(rescaled)
    assert stats.kstest(intervals, "expon").pvalue > ERROR_PROBABILITY
    assert stats.spearmanr(intervals[:-1], intervals[1:]).pvalue > ERROR_PROBABILITY
    assert stats.kstest(rescaled / (n * total), "uniform").pvalue > ERROR_PROBABILITY
    counts = np.array([len(train) for train in drawn])
    assert abs(counts.mean() - total) < 5.0 * math.sqrt(total / n)
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=5.0 * math.sqrt(2.0 / n))


@pytest.mark.parametrize("name", CHANGING)
def test_the_rate_follows_its_course(name):
    n, bins = 500, np.linspace(0.0, 1000.0, 41)
    drawn = trains(CHANGING[name], n, 1000.0, seed=3)
    counts = np.histogram(np.concatenate(drawn), bins)[0]
    expected = n * np.diff(expected_spikes(CHANGING[name], bins))
    assert not counts[expected == 0.0].any()
    assert (abs(counts - expected) < 6.0 * np.sqrt(expected) + 1e-9).all()


def test_a_sine_at_rest_has_the_rate_of_its_phase():
    process = esn.SinusoidalPoisson(100.0, [80.0, 80.0, -80.0], 0.0, [90.0, 30.0, 90.0])
    counts = np.array([len(train) for train in trains(process, 3, 100_000.0)])
    assert (abs(counts - [18_000, 14_000, 2_000]) < 5.0 * np.sqrt([18_000, 14_000, 2_000])).all()


# ---- independence


@pytest.mark.parametrize("name", ["steps", "sine", "dead time", "Gamma", "LogNormal"])
def test_neurons_and_names_are_independent(name):
    """Counts of 50 ms, in turn compared with those of the next neuron, of another population, and of a stimulus."""
    process = {
        "steps": esn.InhomogeneousPoisson([0.0], [100.0]),
        "sine": esn.SinusoidalPoisson(100.0, 0.0, 5.0),
        "dead time": esn.PoissonRefractory(100.0, 5.0),
        "Gamma": esn.Gamma(100.0, 3.0),
        "LogNormal": esn.Renewal(esn.LogNormal(2.0, 1.0)),
    }[name]
    net = esn.Network(seed=8)
    bins = np.arange(0.0, 4001.0, 50.0)
    cells = net.population(50, esn.LIFDelta(E_L=0.0, V_reset=0.0, V_th=1.0, t_ref=0.0), name="cells")
    net.stimulate(cells, process, weight=2.0, name="a")
    for source in ("a", "b"):
        net.population(50, process, name=source)
    spikes = net.run(4000.0).spikes
    counts = {key: np.array([np.histogram(t, bins)[0] for t in spikes[key].trains()]) for key in ("a", "b", "cells")}
    compared = {"neighbours": (counts["a"][:-1], counts["a"][1:])}
    compared |= {pair: (counts[pair[0]], counts[pair[1]]) for pair in itertools.combinations(counts, 2)}
    for what, (x, y) in compared.items():
        assert stats.spearmanr(x.reshape(-1), y.reshape(-1)).pvalue > ERROR_PROBABILITY, what


def test_pieces_of_different_rate_are_independent():
    """Cell 1 is [8, 16) ms where cells are 8 ms wide, and [16, 32) ms where they are 16 ms wide."""
    drawn = trains(esn.InhomogeneousPoisson([8.0, 16.0, 32.0], [499.0, 249.0, 0.0]), 3000, 40.0)
    early, late = ([np.count_nonzero((train >= a) & (train < 2 * a)) for train in drawn] for a in (8.0, 16.0))
    assert np.mean(early) == pytest.approx(4.0, abs=0.2) and np.mean(late) == pytest.approx(4.0, abs=0.2)
    assert stats.spearmanr(early, late).pvalue > ERROR_PROBABILITY


# ---- extremes


@pytest.mark.parametrize(
    ("process", "duration", "expected"),  # ms, spikes of a neuron on average
    [
        (esn.InhomogeneousPoisson([0.0, 1.0, 900.0, 1e6], [1e6, 1e-3, 1e-300, 1e6]), 1_000_001.0, 2000),
        (esn.InhomogeneousPoisson([0.0, 1.0, 1e6], [1e6, 0.0, 1e6]), 1_000_001.0, 2000),
        (esn.InhomogeneousPoisson([5e-324, 1e-3, 1.0], [1e9, 1e6, 0.0]), 1000.0, 2000),
        (esn.InhomogeneousPoisson([1e12], [1e6]), 1e12 + 1.0, 1000),
        (esn.SinusoidalPoisson(1e-5, 1000.0, 0.5, -90.0), 1000.0, 1000 / math.pi),
        (esn.SinusoidalPoisson(1000.0, 1000.0, 1e9, 1e12), 2000.0, 2000),
        (esn.PoissonRefractory(999.9999999, 1.0), 2000.0, 2000),
        (esn.PoissonRefractory(1e-300, 1e5), 1e9, 0),
        (esn.Gamma(5.0, 0.001), 1000.0, None),
        (esn.Gamma(1000.0, 1e9), 2000.0, 2000),
        (esn.Renewal(esn.LogNormal(-40.0, 10.0)), 100.0, None),
        (esn.Renewal(esn.LogNormal(600.0, 0.1)), 1e9, 0),
        (esn.Renewal(esn.Normal(0.5, 0.0, low=0.5, high=0.5)), 1000.0, 2000),
        (esn.Renewal(esn.Normal(0.0, 1.0, low=2.0, high=2.5)), 4000.0, 4000 / stats.truncnorm(2.0, 2.5).mean()),
        (esn.Renewal(esn.Uniform(0.0, 2e-6), start="ordinary"), 2e-3, 2000),
    ],
    ids=lambda value: repr(value)[:70],
)
def test_extreme_parameters(process, duration, expected):
    net = esn.Network(seed=2)
    source = net.population(2, process, name="source")
    net.stimulate(delta(net, 2), process, weight=0.5)
    logs = [event_log(net.compile(engine), duration) for engine in ENGINES]
    assert differences(*logs) == []
    if expected is not None:
        spikes = len(np.frombuffer(logs[0]["source times"]))
        assert abs(spikes - len(source) * expected) <= 5.0 * math.sqrt(len(source) * expected)


def test_a_long_silence_between_two_rates_costs_nothing():
    """At the highest rate throughout there would be 1e16 candidates."""
    (train,) = trains(esn.InhomogeneousPoisson([0.0, 1.0, 1e10], [1e6, 0.0, 1e4]), duration=1e10 + 10.0)
    assert 800 < np.count_nonzero(train < 1.0) < 1200
    assert 50 < np.count_nonzero(train >= 1e10) < 150
    assert not np.any((train >= 1.0) & (train < 1e10))


def test_regular_intervals_are_regular():
    drawn = trains(esn.Renewal(esn.Uniform(8.0, 8.0)), 2000, 100.0)
    assert stats.kstest([train[0] / 8.0 for train in drawn], "uniform").pvalue > ERROR_PROBABILITY
    assert all(np.diff(train) == pytest.approx(8.0, abs=1e-12) for train in drawn)


def test_dead_time_is_kept():
    for train in trains(esn.PoissonRefractory(300.0, 3.0), 50, 2000.0):
        assert np.diff(train).min() >= 3.0 - 1e-12


# ---- run-away


@pytest.mark.parametrize("engine", ENGINES)
def test_a_source_whose_intervals_vanish_is_stopped(engine):
    net = esn.Network(seed=1, max_spikes=50)
    net.population(3, esn.Gamma(1000.0, 0.001), name="burst")
    with pytest.raises(esn.RunawayError, match=r"of burst fired more than 50 times within 1 ms \(max_spikes\)"):
        net.run(1e6, engine=engine)


@pytest.mark.parametrize("delay", [1.5, 0.0])  # in windows, and in single instants
def test_a_stimulus_whose_intervals_vanish_is_stopped(delay):
    net = esn.Network(seed=1, max_spikes=20)
    cells = net.population(3, esn.LIFExp(), name="cells")
    net.connect(cells, cells, esn.AllToAll(), weight=1.0, delay=delay)
    net.stimulate(cells, esn.Gamma(1000.0, 0.001), weight=1e-3)
    logs = [event_log(net.compile(engine), 1e6) for engine in ENGINES]
    assert differences(*logs) == []
    (sentence,) = {log["error"].decode() for log in logs}
    assert "of cells got more than 20 spikes of one stimulus at one time (max_spikes), at t = " in sentence
    assert sentence.endswith("Give the stimulus longer intervals")


@pytest.mark.parametrize("use", ["source", "stimulus"])
def test_intervals_too_short_for_the_time_are_stopped(use):
    """The first intervals of a stationary process may be huge, and those after them advance time no more."""
    net = esn.Network(seed=3, max_spikes=1000)
    process = esn.Renewal(esn.LogNormal(0.0, 10.0))
    if use == "source":
        net.population(20, process, name="it")
    else:
        net.stimulate(delta(net, 20, name="it"), process, weight=0.0)
    for engine in ENGINES:
        with pytest.raises(esn.RunawayError, match="of it"):
            net.compile(engine).run(1e60)


@pytest.mark.parametrize("process", [process for process in PROCESSES.values() if not has_lists(process)][:3], ids=repr)
def test_a_stimulus_of_spikes_needs_a_weight_and_a_source_has_parameters_of_its_own(process):
    net = esn.Network()
    with pytest.raises(esn.InputError, match="needs weight="):
        net.stimulate(delta(net, 4), process)
    with pytest.raises(esn.InputError, match=f"{type(process).__name__} has no parameter 'V_m'"):
        net.population(4, process, V_m=3.0)


def test_representations_name_the_parameters():
    assert repr(esn.PoissonRefractory(5.0, 2.0)) == "PoissonRefractory(start='stationary', rate=5.0, dead_time=2.0)"
    assert repr(esn.InhomogeneousPoisson([0.0, 2.0], [1.0, 3.0])) == "InhomogeneousPoisson([0.0, 2.0], [1.0, 3.0])"
    sine = esn.SinusoidalPoisson(1.0, 2.0, 3.0)
    assert repr(sine) == "SinusoidalPoisson(rate=1.0, amplitude=2.0, frequency=3.0, phase=0.0)"
