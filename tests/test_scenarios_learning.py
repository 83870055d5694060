"""The scenarios of networks that learn: each runs and passes its check, also cut short; its parts are right."""

import math

import numpy as np
import pytest
from scenario_runs import run, simulated
from scipy.optimize import brentq

import eventsnn as esn
from eventsnn.scenarios import digits_stdp, inhibitory_balance, pattern_detection, reward_timing

FEW = {"neurons": 10, "train": 100, "test": 20, "epochs": 1}
INPUT = {"jitter": 1.0, "frequency": 0.25, "involved": 0.5, "seed": 1}


@pytest.mark.parametrize(
    ("name", "duration", "settings"),
    [
        ("pattern_detection", 1_200.0, ()),
        ("pattern_detection", 20.0, ("frequency=0",)),
        ("inhibitory_balance", 300.0, ("n=500",)),
        ("inhibitory_balance", 20.0, ()),
        ("reward_timing", 60_000.0, ("n=40",)),
        ("reward_timing", 500.0, ("n=20",)),
        ("digits_stdp", 36_000.0, ("neurons=10", "train=100", "test=20", "epochs=1")),
        ("digits_stdp", 1_000.0, ("neurons=10", "train=100", "test=20", "epochs=1")),
    ],
)
def test_scenarios_cut_short_have_nothing_to_check(tmp_path, name, duration, settings):
    words = [word for setting in settings for word in ("--set", setting)]
    assert run(tmp_path, name, "--duration", duration, *words) == {}


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "checks"), [("pattern_detection", 3), ("inhibitory_balance", 4), ("reward_timing", 3), ("digits_stdp", 3)]
)
def test_scenarios_in_full(tmp_path, name, checks):
    assert len(run(tmp_path, name)) == checks


@pytest.mark.long
def test_400_neurons_recognise_more_digits(tmp_path):
    checks = run(tmp_path, "digits_stdp", "--set", "neurons=400")
    assert checks["digits recognised, 400 neurons (share of images)"]["measured"] >= 0.87


def test_100_neurons_recognise_more_digits_than_the_nearest_centroid(tmp_path):
    """With half of the images that the scenario learns otherwise."""
    (check,) = run(tmp_path, "digits_stdp", "--set", "train=2000").values()
    assert 1.0 - check["tolerance"] == digits_stdp.baselines(2_000, 1_000, 1)[0] <= check["measured"]


def test_bad_input():
    for name, parameters, message in [
        ("pattern_detection", {"frequency": 0.6}, "pattern_detection: frequency = 0.6 must lie in 0 to 0.5"),
        ("pattern_detection", {"involved": -1.0}, "pattern_detection: involved = -1 must lie in 0 to 1"),
        ("pattern_detection", {"jitter": math.nan}, "pattern_detection: jitter = nan must lie in 0 to 10"),
        ("inhibitory_balance", {"n": 100}, "inhibitory_balance: n = 100 must be at least 200"),
        ("reward_timing", {"n": 10}, "reward_timing: n = 10 neurons must be at least 20"),
        (
            "digits_stdp",
            {"train": 99},
            "digits_stdp: train = 99 must be at least 100, test = 1000 at least 1, and both",
        ),
        ("digits_stdp", {"test": 0}, "train = 4000 must be at least 100, test = 0 at least 1"),
        ("digits_stdp", {"train": 4_001}, "both together at most 5000"),
        ("digits_stdp", {"epochs": 0}, "digits_stdp: epochs = 0 must be at least 1"),
    ]:
        with pytest.raises(esn.InputError, match=message):
            esn.scenario(name, **parameters).network  # noqa: B018 - built when it is asked for


@pytest.mark.parametrize(
    ("name", "parameters", "duration"),
    [
        ("pattern_detection", {}, 1_200.0),
        ("reward_timing", {"n": 40}, 240_400.0),
        ("digits_stdp", FEW, 36_000.0),
        ("digits_stdp", FEW, 75_000.0),  # of which 30,000 ms are all that is learnt
    ],
)
def test_a_run_in_pieces_is_the_same_run(name, parameters, duration):
    whole = esn.scenario(name, **parameters).run(duration)
    parts = esn.scenario(name, **parameters)
    parts.run(0.4 * duration)
    parts.run(0.6 * duration)
    results = parts.network.results()
    for population, spikes in whole.spikes.items():
        assert len(spikes) > 0
        np.testing.assert_array_equal(results.spikes[population].times, spikes.times)
        np.testing.assert_array_equal(results.spikes[population].ids, spikes.ids)


# ---- pattern_detection: the neuron's kernel, what the afferents do


def test_spike_response_neuron_has_the_published_kernels():
    T, tau_m, tau_s = pattern_detection.THRESHOLD, 10.0, 2.5
    net = esn.Network()
    source = net.population(1, esn.SpikeSource([1.0]), name="source")
    neurons = net.population(2, pattern_detection.SpikeResponse(), name="neurons")
    net.connect(source, neurons[:1], esn.AllToAll(), weight=1.0, delay=1.0)
    net.connect(source, neurons[1:], esn.AllToAll(), weight=2.0 * T, delay=1.0)
    times = np.linspace(2.0, 40.0, 1_000)
    net.record(neurons, "V_m", times=times)
    results = net.run(41.0)
    s = times - 2.0
    kernel = np.exp(-s / tau_m) - np.exp(-s / tau_s)
    V = results.traces["neurons"].V_m
    np.testing.assert_allclose(V[0], kernel / kernel.max(), rtol=1e-3, atol=1e-12)
    (spike,) = results.spikes["neurons"].trains()[1]
    later = times > spike
    s = times[later] - spike
    expected = 2.0 * T * np.exp(-s / tau_m) - 4.0 * T * (np.exp(-s / tau_m) - np.exp(-s / tau_s))
    np.testing.assert_allclose(V[1, later], expected, rtol=1e-9, atol=1e-9)


def test_afferents_fire_as_often_as_published_and_repeat_the_pattern():
    times, ids = pattern_detection.tile_spikes(3, INPUT | {"jitter": 0.0})
    assert times.min() >= 3_000.0 and times.max() < 4_000.0
    assert times.size / pattern_detection.N == pytest.approx(64.0, abs=1.0)
    own_times, own_ids = pattern_detection.pattern(INPUT["seed"], INPUT["involved"])
    assert own_ids.max() < 1_000 and np.unique(own_ids).size == 1_000  # each fires at least once
    begins = pattern_detection.presentations(INPUT["seed"], INPUT["frequency"], 4_000.0)
    for begin in begins[begins >= 3_000.0]:
        within = np.flatnonzero((times >= begin) & (times < begin + 50.0) & (ids < 1_000))
        # Beside the pattern there are the spontaneous spikes, half a spike of each afferent in 50 ms.
        assert own_times.size < within.size == pytest.approx(own_times.size + 500, abs=100)
        there = np.isin(
            np.round(times[within] - begin + 100.0 * ids[within], 6), np.round(own_times + 100.0 * own_ids, 6)
        )
        assert there.sum() == own_times.size
    rates = np.bincount(ids, minlength=2_000)
    assert rates[:1_000].mean() == pytest.approx(rates[1_000:].mean(), abs=3.0)


@pytest.mark.parametrize("frequency", [0.0, 0.1, 0.25, 0.5])
def test_no_two_patterns_follow_each_other(frequency):
    begins = pattern_detection.presentations(2, frequency, 30_000.0)
    assert begins.size == frequency * 600
    assert np.all(np.diff(begins) >= 100.0) and np.all(begins % 50.0 == 0.0)


def test_background_leaves_no_gap_longer_than_50_ms():
    times, ids = pattern_detection.background(np.random.default_rng(1), 400)
    for i in range(0, pattern_detection.N, 100):
        train = np.sort(times[ids == i])
        assert np.diff(np.concatenate([[0.0], train, [400.0]])).max() <= 50.0 + 1e-9


# ---- reward_timing: which spikes are rewarded, and when


def test_pairs_are_those_within_20_ms_after_the_spike_has_come():
    times = np.array([10.0, 10.5, 12.0, 40.0, 60.9, 61.1, 100.0, 101.5])
    ids = np.array([0, 1, 1, 0, 1, 1, 2, 1])
    spikes = esn.SpikeTrains(times, ids, 3, 0.0, 200.0, "exc")
    found, lag = reward_timing.pairs(spikes, 0, 1, 0.0)
    np.testing.assert_allclose(found, [12.0, 60.9])  # 10.5: it had not come; 61.1: 20.1 ms after it had
    np.testing.assert_allclose(lag, [1.0, 19.9])
    assert reward_timing.pairs(spikes, 0, 1, 12.5)[0].tolist() == [60.9]
    assert reward_timing.pairs(spikes, 2, 0, 0.0)[0].size == 0


def test_each_pair_is_rewarded_once_within_1_to_3_s():
    scenario = esn.scenario("reward_timing", n=40)
    results = scenario.run(120_000.0)
    live = results.summary["live"]
    found, _ = reward_timing.pairs(results.spikes["exc"], live["pre"], live["post"], 0.0)
    rewards = results.spikes["dopamine"].times
    assert rewards.size >= 2 and np.all(rewards >= found[: rewards.size] + 1_000.0)
    assert np.sum(found < 117_000.0) <= rewards.size <= found.size
    chosen = scenario.network.projections["chosen"].synapses()
    others = scenario.network.projections["others"].synapses()
    assert not np.any((others.pre == chosen.pre[0]) & (others.post == chosen.post[0]))


# ---- inhibitory_balance


def test_synchrony_is_the_correlation_of_two_neurons():
    rng = np.random.default_rng(1)
    n, T = 50, 20_000.0
    independent = np.sort(rng.uniform(0.0, T, 5_000))
    trains = esn.SpikeTrains(independent, rng.integers(0, n, independent.size), n, 0.0, T, "exc")
    assert inhibitory_balance.synchrony(trains) == pytest.approx(0.0, abs=0.005)
    together = np.repeat(np.sort(rng.uniform(0.0, T, 100)), n)
    trains = esn.SpikeTrains(together, np.tile(np.arange(n), 100), n, 0.0, T, "exc")
    assert inhibitory_balance.synchrony(trains) == pytest.approx(1.0, abs=0.05)
    assert math.isnan(inhibitory_balance.synchrony(esn.SpikeTrains([], [], n, 0.0, T, "exc")))


def test_inhibition_grows_from_nothing_and_slows_the_network():
    network = inhibitory_balance.build(n=500)
    assert not network.projections["plastic"].get("weight").any()
    results = network.run(500.0)
    weights = results.traces["plastic"].weight
    assert weights[:, 0].max() == 0.0 and weights[:, -1].mean() > 0.5
    first, last = (results.spikes["exc"].between(*span).rate() for span in ((0.0, 20.0), (400.0, 500.0)))
    assert first > 100.0 and last < 0.3 * first


# ---- digits_stdp: one spike by hand, a program written apart, what is frozen


def latency(current, threshold):
    """When (ms) the potential that begins with this current (pA) reaches a threshold (mV above rest), if it does."""

    def above(t):
        return current / 250.0 * 20.0 * (math.exp(-t / 20.0) - math.exp(-t / 10.0)) - threshold(t)

    peak = 20.0 * math.log(2.0)
    return brentq(above, 0.0, peak) if above(peak) > 0.0 else math.inf


def test_one_spike_moves_the_weights_to_the_image():
    network = digits_stdp.build(**FEW | {"neurons": 1})
    network.run(0.0)
    before = network.projections["fields"].get("weight")
    (spike,) = network.run(digits_stdp.EVERY).spikes["output"].times
    task = digits_stdp.prepare(100, 20, 1, 1)
    bright = task.images[task.shown[0]].ravel() > 0.5
    raised = lambda t: 13.0 + 13.0 * math.exp(-(1.0 + t) / (100.0 * digits_stdp.EVERY))  # noqa: E731
    assert spike == pytest.approx(1.0 + latency(before[bright].sum(), raised), abs=1e-9)
    trace = np.where(bright, math.exp(-(spike - 1.0) / digits_stdp.TAU_TRACE), 0.0)
    after = network.projections["fields"].get("weight")
    np.testing.assert_allclose(after, before + 0.05 * (100.0 * trace - before), rtol=1e-13)


def test_the_winners_are_those_of_competitive_learning():
    """The neuron whose current is largest relative to its threshold learns; and those that are 0.01 ms behind it."""
    network = digits_stdp.build(**FEW)
    network.run(0.0)
    w = network.projections["fields"].get("weight").reshape(784, 10)
    spikes = network.run(100 * digits_stdp.EVERY).spikes["output"]
    task = digits_stdp.prepare(100, 20, 1, 1)
    theta, expected = np.full(10, 13.0), []
    for shown, image in enumerate(task.shown[:100]):
        bright = task.images[image].ravel() > 0.5
        times = np.array([latency(*pair) for pair in zip(w[bright].sum(axis=0), thresholds(theta), strict=True)])
        fired = np.flatnonzero(times < times.min() + digits_stdp.AT_ONCE)
        for neuron in fired[np.argsort(times[fired])]:
            w[:, neuron] += 0.05 * (np.where(bright, 100.0 * math.exp(-times[neuron] / 20.0), 0.0) - w[:, neuron])
            theta[neuron] += 13.0 * 10.0 / 100.0
            expected.append((shown, int(neuron)))
        theta *= math.exp(-1.0 / 100.0)
    image, neuron = digits_stdp.winners(simulated(network, 0.0))
    assert len(spikes) == image.size and list(zip(image.tolist(), neuron.tolist(), strict=True)) == expected
    np.testing.assert_allclose(network.projections["fields"].get("weight").reshape(784, 10), w, rtol=1e-4)


def thresholds(theta):
    """Functions of the time (ms) since an image, of one neuron each."""
    return [
        lambda t, raised=raised: 13.0 + raised * math.exp(-(1.0 + t) / (100.0 * digits_stdp.EVERY)) for raised in theta
    ]


def test_nothing_is_learnt_from_images_held_out():
    task = digits_stdp.prepare(4_000, 1_000, 2, 3)
    assert not set(task.shown[: task.learnt]) & set(task.shown[task.learnt :]) and len(set(task.shown)) == 5_000
    assert sorted(task.shown[: task.last]) == sorted(task.shown[task.last : task.learnt])
    scenario = esn.scenario("digits_stdp", **FEW)
    scenario.run(30_000.0)
    parts = scenario.network.projections["fields"], scenario.network.populations["output"]
    weights, raised = parts[0].get("weight"), parts[1].state("theta")
    assert len(scenario.run(6_000.0).spikes["output"].between(30_000.0, 36_000.0)) >= 20
    np.testing.assert_array_equal(parts[0].get("weight"), weights)
    np.testing.assert_allclose(parts[1].state("theta"), raised, rtol=1e-5)
