"""The scenarios of the yin-yang symbol: both learn, also in little time, and pass their checks in full."""

import math

import numpy as np
import pytest
from scenario_runs import run

import eventsnn as esn
from eventsnn import train
from eventsnn.scenarios import yin_yang, yin_yang_delays

BOTH = (yin_yang, yin_yang_delays)


@pytest.mark.parametrize("scenario", BOTH)
@pytest.mark.parametrize("samples", [0.5, 30.0])
def test_cut_short_there_is_nothing_to_check(tmp_path, scenario, samples):
    name = scenario.__name__.rpartition(".")[2]
    assert run(tmp_path, name, "--duration", samples * scenario.EVERY, "--set", "hidden=10", "--set", "epochs=1") == {}


@pytest.mark.long
@pytest.mark.parametrize("name", ["yin_yang", "yin_yang_delays"])
def test_in_full(tmp_path, name):
    assert len(run(tmp_path, name)) == 2


@pytest.mark.parametrize("scenario", BOTH)
@pytest.mark.parametrize("parameters", [{"hidden": 0}, {"epochs": 0}, {"hidden": -3, "epochs": 5}])
def test_bad_parameters(scenario, parameters):
    name = scenario.__name__.rpartition(".")[2]
    with pytest.raises(esn.InputError, match=f"{name}: hidden = .* and epochs = .* must be at least 1"):
        esn.scenario(name, **parameters).network  # noqa: B018 - built when it is asked for


@pytest.mark.parametrize(("scenario", "least"), [(yin_yang, 0.8), (yin_yang_delays, 0.8)])
def test_few_epochs_tell_more_than_any_line_can(scenario, least):
    """A linear classifier tells two thirds of the points (Kriener, Goeltz & Petrovici 2022)."""
    net = scenario.build(hidden=30, epochs=3)
    scenario.learn(net, 3, 1)
    model = train.Trainable(net, net.populations["input"], net.populations["output"], scenario.END)
    features, labels = train.yin_yang(500, 7)
    assert train.evaluate(model, scenario.times_of(features), labels, scenario.LOSS)[1] > least


@pytest.mark.parametrize("scenario", BOTH)
def test_inputs_mirror_each_other(scenario):
    """x and 1 - x are equally far from the middle of the window; a fifth input is the same for all points."""
    times = scenario.times_of(np.array([[0.0, 1.0], [0.3, 0.6]]))
    assert times.shape[0] == 2 and times.min() >= 0.0 and times.max() < scenario.END
    np.testing.assert_allclose(times[:, 0] + times[:, 2], times[:, 1] + times[:, 3])
    assert (times[0, 4:] == times[1, 4:]).all()
    assert times[1, 0] - times[0, 0] == pytest.approx(0.3 * (times[0, 1] - times[0, 0]))


@pytest.mark.parametrize("scenario", BOTH)
def test_nothing_is_left_of_a_sample_when_the_next_one_begins(scenario):
    """Refractoriness has ended, and less than 1e-11 of a potential is left, while it lasts longer than a sample."""
    net = scenario.build(hidden=3, epochs=1)
    model = net.populations["hidden"]
    t_ref, tau_m = (float(model.get(name)[0]) for name in ("t_ref", "tau_m"))
    assert scenario.END <= t_ref < scenario.EVERY - scenario.END
    assert math.exp(-(scenario.EVERY - scenario.END) / tau_m) < 1e-11


def test_a_run_in_pieces_is_the_same_run():
    whole = esn.scenario("yin_yang_delays", hidden=5, epochs=1).run(700.0)
    parts = esn.scenario("yin_yang_delays", hidden=5, epochs=1)
    parts.run(300.0)
    parts.run(400.0)
    results = parts.network.results()
    for population, spikes in whole.spikes.items():
        assert len(spikes) > 0
        np.testing.assert_array_equal(results.spikes[population].times, spikes.times)
        np.testing.assert_array_equal(results.spikes[population].ids, spikes.ids)
