"""Delays of their own for all synapses: what of a row arrives in a window is a span, put in order neuron by neuron."""

import numpy as np
import pytest
from event_log import Threaded, differences, event_log
from random_networks import random_network
from small_networks import delta, times_of
from spread_networks import network

import eventsnn as esn

ENGINES = ["compiled", "reference"]
STORAGES = ["stored", "procedural"]


@pytest.mark.parametrize("engine", ENGINES)
def test_two_spikes_whose_synapses_are_reached_in_turn(engine, by_synapse):
    """Spikes at 1 and 1.0625 ms with the delays 0.5, 0.625 and 0.75 ms. 0.4 mV each; the third to arrive lifts V to the
    threshold: that of the first spike after 0.625 ms. Row by row it would be reached at 1.75 ms."""
    net = esn.Network()
    cell = delta(net, tau_m=1e6, t_ref=5.0)
    sources = net.population(2, esn.SpikeSource([[1.0], [1.0625]]))
    rule = esn.Explicit([0, 0, 0, 1, 1, 1], [0] * 6)
    net.connect(sources, cell, rule, weight=0.4, delay=[0.5, 0.625, 0.75] * 2)
    assert net.compile().plan.projections[0].slices is None
    assert times_of(net.run(5.0, engine=engine)) == [1.625]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_synapse_of_a_long_row_arrives_at_its_own_time(engine, dtype):
    """Without a leak V_m counts what has arrived; some delays are equal."""
    rng = np.random.default_rng(5)
    post, delay = rng.integers(0, 3, 200), rng.uniform(0.3, 2.0, 200)
    delay[::7] = delay[3]
    weight = rng.integers(1, 9, 200).astype(float)
    net = esn.Network()
    cells = net.population(3, esn.LIFDelta(E_L=0.0, V_th=1e9, V_reset=0.0, tau_m=1e9), name="cells")
    source = net.population(1, esn.SpikeSource([1.0, 1.2]))
    net.connect(source, cells, esn.Explicit([0] * 200, post), weight=weight, delay=delay, dtype=dtype)
    times = np.sort(rng.uniform(1.0, 4.0, 40))
    net.record(cells, "V_m", times=times)
    V_m = net.run(5.0, engine=engine).traces["cells"].V_m
    for k in range(3):
        arrived = sum((fired + delay)[:, np.newaxis] < times for fired in (1.0, 1.2))
        assert np.array_equal(np.rint(V_m[k]), (weight * (post == k)) @ arrived)


@pytest.mark.parametrize("threads", [1, 2])
def test_ties_of_neurons_in_no_frame_are_added_in_canonical_order(threads, by_synapse):
    """1e16, 1 and -1e16 mV at one time: between the others 1 is lost, behind them it counts. The slices and spans of
    three projections meet at 2 ms, and are added in the order of the projections."""

    def after(order):
        net = esn.Network()
        model = esn.IF(E_L=0.0, V_th=1e30, V_reset=0.0)
        cells = net.population(4, model, name="cells")
        early, late = net.population(1, esn.SpikeSource([1.0])), net.population(1, esn.SpikeSource([0.75]))
        for which in order:
            source, weight, delay = {
                "slice": (early, 1e16, [1.0] * 8),
                "span": (late, 1.0, [1.125, 1.25, 1.25, 1.375, 1.5, 1.25, 1.25, 1.5]),
                "other": (early, -1e16, [1.0, 0.5, 0.75, 1.0, 0.875, 1.0, 1.0, 0.625]),
            }[which]
            post = [3, 0, 1, 3, 3, 2, 3, 3] if which == "span" else [3, 2, 1, 0, 3, 1, 2, 1]
            weights = np.where(np.asarray(delay) + (0.75 if source is late else 1.0) == 2.0, weight, 0.0)
            rule = esn.Explicit([0] * 8, post)
            net.connect(source, cells, rule, weight=weights, delay=delay, name=which, port="delta")
        logs = [event_log(Threaded(net.compile(), threads), 3.0), event_log(net.compile(engine="reference"), 3.0)]
        assert differences(*logs) == []
        return np.frombuffer(logs[0]["state v"])

    assert not np.array_equal(after(["slice", "span", "other"]), after(["slice", "other", "span"]))
    after(["span", "slice", "other"])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_order_of_ties_has_no_meaning_in_a_frame(threads, by_synapse):
    def after(order):
        net = esn.Network()
        cells = net.population(4, esn.LIFDelta(E_L=0.0, V_th=20.0, V_reset=0.0), name="cells")
        source = net.population(1, esn.SpikeSource([1.0]))
        for which in order:
            delay = [1.0, 1.0, 1.0, 1.25] if which else 1.0
            net.connect(source, cells, esn.AllToAll(), weight=[0.1, -0.3, 1e9, -1e9][which], delay=1.0, name=f"{which}")
            net.connect(source, cells, esn.AllToAll(), weight=0.7, delay=np.atleast_2d(delay) if which else delay)
        return event_log(Threaded(net.compile(), threads), 3.0)["state v"]

    assert after([0, 1, 2, 3]) == after([3, 1, 0, 2]) == after([2, 3, 1, 0])


@pytest.mark.parametrize("delays", [[1.25, 1.5, 1.5, 1.75], [1.25, 1.5, 1.5000000000000002, 1.75]])
def test_ties_within_a_row(delays, by_synapse):
    """The second and third synapse arrive together, with equal delays in the order in which they were drawn, or with
    delays whose difference is lost in the sum."""
    net = esn.Network()
    cell = net.population(1, esn.LIFDelta(E_L=0.0, V_th=1e30, V_reset=0.0, tau_m=1e9), name="cells")
    source = net.population(1, esn.SpikeSource([4.0]))
    weight = [1e16, 1.0, -1e16, 1.0]
    net.connect(source, cell, esn.Explicit([0] * 4, [0] * 4), weight=weight, delay=delays)
    logs = [event_log(net.compile(engine=engine), 8.0) for engine in ENGINES]
    assert differences(*logs) == []


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_with_delays_by_synapse(seed, by_synapse):
    """Half of them have all times on a grid, so that spans meet each other and slices, also in instants."""
    expected = event_log(random_network(seed, 20.0).compile(engine="reference"), 20.0)
    assert differences(expected, event_log(random_network(seed, 20.0).compile(), 20.0)) == []
    if seed % 3 == 0:
        assert differences(expected, event_log(Threaded(random_network(seed, 20.0).compile(), 2, 3), 6.7, 20.0)) == []


@pytest.mark.parametrize("model", ["delta", "exp", "one"])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("grid", [None, 0.125])
def test_dense_networks(model, own, storage, grid, by_synapse):
    """Neurons of one kind and of kinds of their own, with and without streams, in one run and in pieces, in threads."""
    expected = event_log(network(model, own, storage, grid).compile(engine="reference"), 20.0)
    spikes = sum(len(np.frombuffer(expected[f"{name} times"])) for name in "ab")
    assert spikes > 20
    for threads in (1, 2, 3):
        simulation = Threaded(network(model, own, storage, grid).compile(), threads)
        assert differences(expected, event_log(simulation, 20.0)) == []
    pieces = Threaded(network(model, own, storage, grid).compile(), 1, 3, 2)
    assert differences(expected, event_log(pieces, 2.3, 2.31, 4.9, 7.0, 20.0)) == []


def test_a_row_of_single_weights_and_a_stimulus():
    def driven():
        net = network("delta", True, dtype="float32")
        net.stimulate(list(net.populations.values()), esn.Poisson(3000.0), weight=0.2)
        return net

    expected = event_log(driven().compile(engine="reference"), 12.0)
    assert differences(expected, event_log(driven().compile(), 12.0)) == []


def test_thousands_that_arrive_at_one_neuron_in_a_window(by_synapse):
    """More than are sorted by insertion, a third of them tied."""
    rng = np.random.default_rng(2)
    net = esn.Network()
    cells = delta(net, 2, V_th=60.0, t_ref=0.01)
    sources = net.population(40, esn.SpikeSource(rng.uniform(0.0, 0.9, (40, 1)).round(3)), name="sources")
    pre, post = rng.integers(0, 40, 4000), rng.integers(0, 2, 4000)
    delay = np.where(rng.random(4000) < 0.3, rng.uniform(1.0, 2.0, 4000).round(1), rng.uniform(1.0, 2.0, 4000))
    net.connect(sources, cells, esn.Explicit(pre, post), weight=rng.normal(0.1, 1.0, 4000), delay=delay)
    expected = event_log(net.compile(engine="reference"), 4.0)
    assert len(np.frombuffer(expected["cells times"])) == 5
    assert differences(expected, event_log(net.compile(), 4.0)) == []


@pytest.mark.parametrize("storage", STORAGES)
def test_more_arrives_in_a_window_than_is_taken_at_once(storage):
    """A window is cut within spans; without a leak V_m counts what has arrived."""
    net = esn.Network(seed=2)
    cells = net.population(40, esn.LIFDelta(E_L=0.0, V_th=1e9, V_reset=0.0, tau_m=1e9), name="cells")
    source = net.population(60, esn.SpikeSource([0.25]), name="source")
    rule = esn.FixedOutDegree(12_000)
    delay = esn.Uniform(1.0, 1.5)
    projection = net.connect(source, cells, rule, weight=1.0, delay=delay, storage=storage)
    net.record(cells, "V_m", times=[1.3, 1.5, 2.0])
    V_m = net.run(2.5).traces["cells"].V_m
    synapses = projection.synapses()
    for k, time in enumerate([1.3, 1.5, 2.0]):
        arrived = np.bincount(synapses.post[0.25 + synapses.delay < time], minlength=40)
        assert np.array_equal(np.rint(V_m[:, k]), arrived)
