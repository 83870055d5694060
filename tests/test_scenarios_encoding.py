"""The scenarios of encodings: each runs and passes its check, also cut short, and its parts are right by themselves."""

import math

import numpy as np
import pytest
from scenario_runs import run, simulated

import eventsnn as esn
from eventsnn.scenarios import codes, dvs_edges, dvs_live, dvs_tracking, hearing, noise_robustness, rank_order_digits


@pytest.mark.parametrize(
    ("name", "duration", "checks"),
    [
        ("codes", codes.DURATION, 10),
        ("codes", 50.0, 0),
        ("dvs_edges", dvs_edges.DURATION, 2),
        ("dvs_edges", 100.0, 0),
        ("dvs_edges", 20.0, 0),
        ("dvs_live", 200.0, 1),
        ("dvs_live", 3.0, 1),
        ("dvs_tracking", dvs_tracking.DURATION, 2),
        ("dvs_tracking", 30.0, 0),
        ("dvs_tracking", 2 * dvs_tracking.DURATION, 2),
        ("hearing", hearing.DURATION, 3),
        ("hearing", 50.0, 0),
        ("rank_order_digits", rank_order_digits.DURATION, 3),
        ("rank_order_digits", 300.0, 0),
    ],
)
def test_scenarios_pass_their_checks(tmp_path, name, duration, checks):
    assert len(run(tmp_path, name, "--duration", duration)) == checks


@pytest.mark.long
@pytest.mark.parametrize(("settings", "n"), [(("images=mnist",), 3), (("images=mnist", "m=0.99", "merge=0.85"), 1)])
def test_rank_order_of_mnist(tmp_path, settings, n):
    checks = run(tmp_path, "rank_order_digits", *(word for setting in settings for word in ("--set", setting)))
    assert len(checks) == n and checks["first neuron is the most active (share of images)"]["measured"] == 1.0


@pytest.mark.long
def test_noise_robustness_in_full(tmp_path):
    assert len(run(tmp_path, "noise_robustness")) == 5


def test_the_first_spike_follows_the_formula_with_any_disturbance():
    """QIF neurons at V_th beside the sum of weight exp(-t / tau): the same neuron, for 12 x 4 images and 5 weights."""
    network = noise_robustness.build(images=4, seed=3)
    results = simulated(network, noise_robustness.whole(4), images=4, seed=3)
    found = noise_robustness.winners(results, 4)
    expected = noise_robustness.most_active(noise_robustness.disturb(4, 3))
    for spread, first in found.items():
        assert first.shape == (12, 4) and np.array_equal(first, expected[spread])
    assert len({tuple(first.ravel()) for first in found.values()}) == 5  # the disturbances make a difference


def test_templates_are_learnt_in_one_pass():
    code = rank_order_digits.RankOrder(m=0.5, threshold=0.0)
    images = np.array([[[0.9, 0.1, 0.0]], [[0.8, 0.2, 0.0]], [[0.0, 0.2, 0.9]], [[0.9, 0.0, 0.2]]])
    templates, digits_of = rank_order_digits.learn(code, images, np.array([0, 0, 0, 1]), merge=0.9)
    # The first two are alike: worths (1, 1/2, 0); the third is (0, 1/2, 1); the fourth, of another digit, (1, 0, 1/2).
    expected = np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0], [1.0, 0.0, 0.5]]) / math.sqrt(1.25)
    assert templates == pytest.approx(expected, abs=1e-12) and digits_of.tolist() == [0, 0, 1]


def test_held_out_images_are_not_learnt_from():
    task = rank_order_digits.prepare("digits", 200, None, None, 1)
    seen = {image.tobytes() for image in task.train}
    assert len(task.train) + len(task.test) == 1797
    # Two of the data set's images are equal to the last grey level; they may fall on either side.
    assert sum(image.tobytes() in seen for image in task.test) <= 2


def test_edges_prefer_their_own_orientation():
    """A straight line of events through each neuron's middle excites the neuron of its orientation most."""
    kernel = dvs_edges.kernel(8)[:, 1]
    reach = dvs_edges.REACH
    for k, angle in enumerate(np.deg2rad(dvs_edges.orientations(8))):
        along = np.linspace(-reach, reach, 41)
        x, y = np.rint(along * np.cos(angle)).astype(int), np.rint(-along * np.sin(angle)).astype(int)
        drive = kernel[:, y + reach, x + reach].sum(axis=1)
        assert drive.argmax() == k
    assert np.abs(kernel.sum(axis=(1, 2))).max() < 1e-12  # no orientation answers to uniform light


def test_the_preferred_orientation_is_a_mean_of_angles():
    counts = np.zeros(8)
    counts[[0, 7]] = 1.0  # 0 and 157.5 degrees: their mean is 168.75, not 78.75
    assert float(dvs_edges.preferred(counts)) == pytest.approx(168.75, abs=1e-9)


@pytest.mark.parametrize("chunk", [1.0, 7.3, 60.0])
def test_live_spikes_do_not_depend_on_the_cut(chunk):
    live = esn.scenario("dvs_live", chunk=chunk)
    spikes = live.run(60.0).spikes["layer"]
    whole = dvs_live.build()
    whole.populations["camera"].push(*dvs_live.events(0.0, 60.0, 1e6, 1))
    expected = whole.run(60.0).spikes["layer"]
    assert len(expected) > 100
    assert spikes.times.tolist() == expected.times.tolist() and spikes.ids.tolist() == expected.ids.tolist()


def test_live_figures_are_in_the_summary():
    live = esn.scenario("dvs_live", chunk=10.0)
    told = live.run(25.0).summary["live"]
    assert len(told["busy"]) == 3 and min(told["busy"]) > 0.0
    assert 0.0 < told["delay_p50_ms"] <= told["delay_p99_ms"]


def test_few_events_make_no_neuron_of_the_live_layer_fire(tmp_path):
    assert run(tmp_path, "dvs_live", "--set", "rate=1e4", "--duration", 50.0) == {}


def test_the_bar_is_where_its_events_are():
    times, pixels = dvs_live.events(30.0, 40.0, 1e6, 1)
    near = float(np.mean(dvs_live.distances(times, pixels) < dvs_live.NEAR))
    # Half of all, and of the noise what happens to lie there: a band of 7 pixels along 90, of 100 x 100.
    assert near == pytest.approx(0.5 + 0.5 * (7.0 * 90.0 + np.pi * 3.5**2) / 1e4, abs=0.02)


def test_the_ball_is_where_its_brightest_pixels_are():
    frames = dvs_tracking.video(500.0)
    for k in (0, 13, 40):
        y, x = np.nonzero(frames[k] > 120.0)
        assert [x.mean(), y.mean()] == pytest.approx(dvs_tracking.centre(np.array([10.0 * k]))[0], abs=0.3)


@pytest.mark.parametrize(
    ("name", "setting", "duration"),
    [("noise_robustness", "images=4", noise_robustness.whole(4)), ("rank_order_digits", "m=0.95", 2_000.0)],
)
def test_shares_are_checked_for_the_default_only(tmp_path, name, setting, duration):
    assert len(run(tmp_path, name, "--set", setting, "--duration", duration)) == 1


@pytest.mark.parametrize(
    ("module", "parameters", "words"),
    [
        (codes, {"x": 1.5}, "codes: x = 1.5 must lie in 0 to 1"),
        (dvs_edges, {"n": 1}, "dvs_edges: n = 1 orientations must be at least 2"),
        (hearing, {"training": 0}, "hearing: training = 0 speakers must be from 1 to 1000"),
        (hearing, {"channels": 2}, "hearing: channels = 2 must be 3 or more"),
        (noise_robustness, {"images": 0}, "noise_robustness: images = 0 must be from 1 to 100"),
        (noise_robustness, {"images": 101}, "noise_robustness: images = 101 must be from 1 to 100"),
        (rank_order_digits, {"test": 0}, "test = 0"),
        (rank_order_digits, {"test": 1797}, "test = 1797"),
        (rank_order_digits, {"m": 1.0}, r"m = 1.0 must be from 0\.\d+, .* to below 1"),
        (rank_order_digits, {"m": 0.1}, "m = 0.1 must be from"),
        (rank_order_digits, {"merge": 1.0}, "merge = 1.0 must be between 0 and 1"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(module, parameters, words):
    with pytest.raises(esn.InputError, match=words):
        module.build(**parameters)
