"""`projection.set(weight=...)` between runs: from the user's line to spikes, recorded weights and `synapses()`."""

import math

import numpy as np
import pytest
from event_log import Threaded, differences, event_log

import eventsnn as esn

ENGINES = ["compiled", "reference"]


def three(weight=(0.4, 0.6, 0.0)):
    """Kicks at 1, 2 ... 9 ms reach three neurons 0.5 ms later; 1 mV fires them at once, less is nearly forgotten."""
    net = esn.Network()
    cells = net.population(3, esn.LIFDelta(tau_m=0.1, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.2), name="cells")
    kick = net.population(1, esn.SpikeSource(np.arange(1.0, 10.0)), name="kick")
    wires = net.connect(kick, cells, esn.AllToAll(), weight=[list(weight)], delay=0.5, name="wires")
    net.record(wires, "weight", every=1.0)
    return net, wires


@pytest.mark.parametrize("engine", ENGINES)
def test_by_hand(engine):
    net, wires = three()
    net.run(3.0, engine=engine)
    wires.set(weight=[[1.5, 0.6, 0.2]])
    net.run(until=5.25)  # the kick of 5 ms is under way
    wires.set(weight=[[0.0, 1.5, 0.2]])
    results = net.run(until=8.0)
    spikes = results.spikes["cells"]
    assert list(zip(spikes.times.tolist(), spikes.ids.tolist(), strict=True)) == [
        (3.5, 0), (4.5, 0), (5.5, 1), (6.5, 1), (7.5, 1)
    ]  # fmt: skip
    assert wires.get("weight").tolist() == [0.0, 1.5, 0.2] and wires.synapses().post.tolist() == [0, 1, 2]
    trace = results.traces["wires"]
    assert trace.times.tolist() == list(range(8))
    assert trace.weight[0].tolist() == [0.4] * 3 + [1.5] * 3 + [0.0] * 2
    net.reset()
    assert wires.get("weight").tolist() == [0.0, 1.5, 0.2]  # weights stay as they were set last


def balanced(**options):
    net = esn.Network(seed=6)
    cells = net.population(60, esn.LIFExp(t_ref=1.0), name="cells", V_m=esn.Uniform(-70.0, -56.0))
    wires = net.connect(
        cells, cells, esn.FixedProbability(0.2), weight=esn.Normal(80.0, 30.0), delay=esn.Uniform(0.5, 2.0),
        name="wires", **options,
    )  # fmt: skip
    net.stimulate(cells, esn.Poisson(9_000.0), weight=45.0)
    return net, wires


class Set:
    """Runs to a third, where weights are set, and on to the end."""

    def __init__(self, net, wires, engine, weight, threads=1):
        self.net, self.wires, self.engine, self.weight, self.threads = net, wires, engine, weight, threads

    def run(self, until):
        self.net.run(until=until / 3, engine=self.engine, threads=self.threads)
        self.wires.set(weight=self.weight)
        return self.net.run(until=until, threads=self.threads)

    def results(self):
        return self.net.results()

    @property
    def _state(self):
        return self.net._simulation._state


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_engines_and_threads_agree_and_the_weights_are_those_of_connect(dtype):
    """A distribution draws what it would have drawn for a network connected with it."""
    other = esn.Normal(-60.0, 20.0)
    logs = []
    for engine, threads in (("reference", 1), ("compiled", 1), ("compiled", 3)):
        net, wires = balanced(dtype=dtype)
        logs.append(event_log(Set(net, wires, engine, other, threads), 60.0))
        drawn, again = wires.get("weight"), balanced(dtype=dtype)[1]
        again.set(weight=other)
        assert np.array_equal(drawn, again.get("weight"))
    assert differences(logs[0], logs[1]) == differences(logs[0], logs[2]) == []
    unchanged = event_log(Threaded(balanced(dtype=dtype)[0].compile(), 1), 60.0)
    assert "cells times" in differences(unchanged, logs[1])


def test_a_number_is_for_all():
    net, wires = balanced()
    net.run(1.0)
    wires.set(weight=5.0)
    assert set(wires.get("weight").tolist()) == {5.0}


@pytest.mark.parametrize(
    ("connect", "weight", "sentence"),
    [
        ({"weight": esn.Uniform(0.0, 1.0), "storage": "procedural"}, 2.0, "wires keeps no weights with storage='proc"),
        ({"weight": esn.Uniform(0.0, 1.0)}, np.nan, "wires: weight = nan"),
        ({"weight": esn.Uniform(0.0, 1.0)}, [1.0, 2.0], "wires: weight"),
        ({"weight": esn.Uniform(0.0, 1.0)}, "strong", "wires: weight"),
    ],
)
def test_what_is_refused_changes_nothing(connect, weight, sentence):
    net = esn.Network()
    cells = net.population(4, esn.LIFDelta(), name="cells")
    wires = net.connect(cells, cells, esn.AllToAll(), name="wires", **connect)
    net.run(1.0)
    before = wires.get("weight")
    with pytest.raises(esn.InputError, match=sentence):
        wires.set(weight=weight)
    with pytest.raises(esn.StateError, match="cannot change delays of wires after the first run"):
        wires.set(delay=2.0)
    assert np.array_equal(wires.get("weight"), before)
    net.run(1.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_projections_with_common_rows_keep_their_own(engine):
    """Two projections from the same neurons, in one set of rows; the weights of one are set."""

    def two(weight):
        net = esn.Network(seed=6)
        cells = [net.population(60, esn.LIFExp(t_ref=1.0), name=name, V_m=esn.Uniform(-70.0, -56.0)) for name in "ab"]
        x, y = (
            net.connect(cells[0], post, esn.FixedInDegree(12), weight=w, delay=1.5)
            for post, w in zip(cells, (weight, esn.Normal(80.0, 30.0)), strict=True)
        )
        net.stimulate(cells, esn.Poisson(9_000.0), weight=45.0)
        return net, x, y

    net, x, y = two(esn.Normal(80.0, 30.0))
    assert {type(p).__name__ for p in net.compile().plan.projections} == {"PartPlan"}
    before = y.get("weight")
    net.run(2.0, engine=engine)
    x.set(weight=esn.Normal(-60.0, 20.0))
    other = two(esn.Normal(-60.0, 20.0))[1].synapses()
    for name in ("pre", "post", "delay", "weight"):
        assert np.array_equal(getattr(x.synapses(), name), getattr(other, name))
    assert np.array_equal(y.get("weight"), before)
    assert len(net.run(40.0).spikes["a"]) > 20


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_in_the_order_of_the_synapses(engine):
    """What get() gives can be changed and set again, whatever the rule: here half of the synapses are cut."""
    net = esn.Network(seed=5)
    source = net.population(4, esn.SpikeSource([1.0, 11.0]), name="source")
    cells = net.population(6, esn.LIFDelta(E_L=0.0, V_th=100.0, tau_m=10.0), name="cells")
    wires = net.connect(source, cells, esn.FixedProbability(0.6), weight=esn.Uniform(1.0, 2.0), delay=1.0)
    with pytest.raises(esn.StateError, match="have their order from the first run on"):
        wires.set(weight=[1.0], order="synapses")
    net.run(5.0, engine=engine)
    synapses = wires.synapses()
    weight = np.where(np.arange(len(synapses)) % 2, 0.0, synapses.weight)
    wires.set(weight=weight, order="synapses")
    assert wires.get("weight").tolist() == weight.tolist() and wires.get("post").tolist() == synapses.post.tolist()
    before = np.zeros(6)
    np.add.at(before, synapses.post, synapses.weight)
    jumps = np.zeros(6)
    np.add.at(jumps, synapses.post, weight)
    net.run(until=12.0)
    net.run(until=math.nextafter(12.0, 13.0))
    assert cells.state("V_m") == pytest.approx(before * math.exp(-1.0) + jumps, rel=1e-9)
    net.reset()
    assert wires.get("weight").tolist() == synapses.weight.tolist()
    net.run(1.0, engine=engine)
    for wrong, sentence in (
        ([1.0], "weights of shape"),
        (np.full(len(synapses), np.nan), r"weight = nan \(synapse 0\) must be finite"),
    ):
        with pytest.raises(esn.InputError, match=sentence):
            wires.set(weight=wrong, order="synapses")
    with pytest.raises(esn.InputError, match="order = 'post' is not known"):
        wires.set(weight=1.0, order="post")
