"""The scenarios that learn digits by exact gradients: they recognise what is held out, also with little training."""

import math

import numpy as np
import pytest
from scenario_runs import run

import eventsnn as esn
from eventsnn import train
from eventsnn.scenarios import digits_eventprop, mnist_eventprop

FEW = {"hidden": 5, "epochs": 1}


@pytest.mark.parametrize("samples", [0.5, 12.0])
def test_cut_short_there_is_nothing_to_check(tmp_path, samples):
    words = ("--set", "hidden=5", "--set", "epochs=1", "--duration", samples * digits_eventprop.EVERY)
    assert run(tmp_path, "digits_eventprop", *words) == {}


def test_mnist_cut_short(tmp_path):
    words = ("--set", "hidden=5", "--set", "epochs=1", "--set", "test=4800", "--duration", 2_500.0)
    assert run(tmp_path, "mnist_eventprop", *words) == {}


@pytest.mark.long
@pytest.mark.parametrize(("name", "checks"), [("digits_eventprop", 3), ("mnist_eventprop", 4)])
def test_in_full(tmp_path, name, checks):
    assert len(run(tmp_path, name)) == checks


@pytest.mark.parametrize(("scenario", "tests"), [(digits_eventprop, 1_697), (mnist_eventprop, 4_900)])
def test_bad_parameters(scenario, tests):
    name = scenario.__name__.rpartition(".")[2]
    for parameters, message in [
        ({"hidden": 0}, f"{name}: hidden = 0 must be at least 1"),
        ({"epochs": -2}, f"{name}: epochs = -2 must be at least 1"),
        ({"test": 9}, f"{name}: test = 9 must be from 10 to {tests}, all images less 100"),
        ({"test": tests + 1}, f"{name}: test = {tests + 1} must be from 10 to {tests}"),
    ]:
        with pytest.raises(esn.InputError, match=message):
            esn.scenario(name, **parameters).network  # noqa: B018 - built when it is asked for


def test_few_epochs_recognise_most_digits():
    """In the pass of training, from a tenth of the images held out."""
    net = digits_eventprop.build(hidden=40, epochs=3, seed=5)
    task = digits_eventprop.split("digits_eventprop", "digits", 360, 5)
    digits_eventprop.learn(net, task, 3, 5)
    model = train.Trainable(net, net.populations["input"], net.populations["output"], digits_eventprop.END)
    times = digits_eventprop.times_of(task.test)
    assert train.evaluate(model, times, task.test_digits, digits_eventprop.LOSS)[1] > 0.9


def test_few_images_of_mnist_teach_something():
    net = mnist_eventprop.build(hidden=40, test=4_000, epochs=4, seed=5)
    task = mnist_eventprop.split(4_000, 5)
    history = mnist_eventprop.learn(net, task, 4, 5)
    assert len(history) == 4 and history.best == 3 and history.loss[-1] < history.loss[0]
    model = train.Trainable(net, net.populations["input"], net.populations["output"], mnist_eventprop.END)
    times = mnist_eventprop.times_of(task.test[:300])
    assert train.evaluate(model, times, task.test_digits[:300], mnist_eventprop.LOSS)[1] > 0.5


@pytest.mark.parametrize("scenario", [digits_eventprop, mnist_eventprop])
def test_first_weights_reach_what_they_should(scenario):
    """Highest potentials without a threshold, on average: 1.5 V_th in the hidden layer, 3 V_th in the last one."""
    net = scenario.build(seed=5)
    task = scenario.split(1_000, 5) if scenario is mnist_eventprop else scenario.split("", "digits", 360, 5)
    times = scenario.times_of(task.known[:50])
    for name, reach in (("output", 3.0), ("hidden", 1.5)):
        net.populations[name].set(V_th=1e9)
        reader = train.Trainable(net, net.populations["input"], net.populations[name], scenario.END)
        assert reader.forward(times).v_max.mean() == pytest.approx(reach, rel=0.25)


def test_spikes_of_the_inputs():
    images = np.zeros((1, 8, 8))
    images[0, 0, :3] = 0.25, 1.0, 0.5
    times = digits_eventprop.times_of(images)[0]
    assert times[:4].tolist() == [15.0, 0.0, 10.0, math.inf] and times[64:68].tolist() == [5.0, 20.0, 10.0, 0.0]
    assert times.size == 129 and times[128] == 0.0
    images = np.zeros((1, 28, 28))
    images[0, 0, :4] = 0.25, 1.0, 1.0 / 255.0, 2.0 / 255.0
    times = mnist_eventprop.times_of(images)[0]
    assert times[:3].tolist() == [15.0, 0.0, math.inf] and times[3] == pytest.approx(20.0 * 253.0 / 255.0)
    assert times.size == 785 and times[784] == 0.0 and np.isfinite(times).sum() == 4


def test_images_are_moved_as_they_should():
    images = np.arange(1.0, 19.0).reshape(2, 3, 3)
    down, right = mnist_eventprop.moved(images, np.array([[1, 0], [0, -1]]))
    assert down.tolist() == [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert right.tolist() == [[11.0, 12.0, 0.0], [14.0, 15.0, 0.0], [17.0, 18.0, 0.0]]
    np.testing.assert_array_equal(mnist_eventprop.moved(images, np.zeros((2, 2), dtype=int)), images)


def test_nothing_is_learnt_from_images_held_out():
    task = digits_eventprop.split("", "digits", 360, 3)
    assert len(task.known) == 1_437 and len(task.test) == 360
    everything = np.concatenate([task.known, task.test]).reshape(1_797, -1)
    images, digits = digits_eventprop.load_images("digits")
    order = np.lexsort(everything.T), np.lexsort(images.reshape(1_797, -1).T)
    np.testing.assert_array_equal(everything[order[0]], images.reshape(1_797, -1)[order[1]])
    np.testing.assert_array_equal(np.bincount(np.r_[task.known_digits, task.test_digits]), np.bincount(digits))


def test_nothing_is_left_of_an_image_when_the_next_one_begins():
    """An image's last spikes come before END; less than 1e-15 of what they evoke is left then."""
    left = (digits_eventprop.EVERY - 2.0 * digits_eventprop.END) / digits_eventprop.TAU
    assert left * math.exp(-left) < 1e-15


def test_a_run_in_pieces_is_the_same_run():
    whole = esn.scenario("digits_eventprop", **FEW).run(3_000.0)
    parts = esn.scenario("digits_eventprop", **FEW)
    parts.run(1_300.0)
    parts.run(1_700.0)
    results = parts.network.results()
    for population, spikes in whole.spikes.items():
        assert len(spikes) > 0
        np.testing.assert_array_equal(results.spikes[population].times, spikes.times)
        np.testing.assert_array_equal(results.spikes[population].ids, spikes.ids)
