"""SpikeSource: spikes by neuron or as flat arrays, and spikes set anew between runs."""

import numpy as np
import pytest

import eventsnn as esn


def test_flat_arrays_are_the_same_as_lists():
    lists = [[3.0, 5.0, 5.0], [], [1.0]]
    flat = [(3.0, 0), (5.0, 0), (5.0, 0), (1.0, 2)]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]):
        times, ids = zip(*(flat[k] for k in order), strict=True)
        source = esn.SpikeSource(times, ids)
        for n in (3, 5):
            net = esn.Network()
            net.population(n, source, name="flat")
            trains = net.run(10.0).spikes["flat"].trains()
            assert [train.tolist() for train in trains] == lists + [[]] * (n - 3)


def test_no_spikes_at_all():
    net = esn.Network()
    net.population(2, esn.SpikeSource([], []), name="silent")
    net.population(2, esn.SpikeSource([]), name="one list")
    net.population(2, esn.SpikeSource([[], []]), name="lists")
    assert all(len(spikes) == 0 for spikes in net.run(5.0).spikes.values())


REFUSED = [
    ("esn.SpikeSource([1.0], [0, 1])", "1 times but 2 ids"),
    ("esn.SpikeSource([1.0, 2.0], [0, -1])", "ids[1] = -1"),
    ("esn.SpikeSource([1.0], [2**31])", "ids[0] = 2147483648"),
    ("net.population(2, esn.SpikeSource([1.0], [2**31 - 1]), name='a')\nnet.run(1.0)", "neuron 2147483647"),
    ("esn.SpikeSource([1.0], [0.5])", "whole numbers"),
    ("esn.SpikeSource([1.0], [[0]])", "whole numbers"),
    ("esn.SpikeSource([1.0], [True])", "whole numbers"),
    ("esn.SpikeSource([1.0], 'a')", "whole numbers"),
    ("esn.SpikeSource([-1.0], [0])", "times[0] = -1 ms is negative"),
    ("esn.SpikeSource([np.nan], [0])", "times[0] = nan must be finite"),
    ("esn.SpikeSource(['1'], [0])", "list of numbers"),
    ("esn.SpikeSource([[1.0]], [0])", "not an array of shape (1, 1)"),
    (
        "net.population(2, esn.SpikeSource([1.0], [2]), name='a')\nnet.run(1.0)",
        "a: SpikeSource has spikes of neuron 2; ids must lie in 0 to 1",
    ),
    ("source.set(times=[2.0], ids=[5])", "source: SpikeSource has spikes of neuron 5; ids must lie in 0 to 3"),
    ("source.set(times=[2.0, 1.0])", "source: SpikeSource: times[1] = 1 ms"),
    ("source.set(times=[2.0], rate=3.0)", "source: a SpikeSource has no 'rate'"),
    ("source.set(times=[2.0], relativ=True)", "did you mean 'relative'?"),
    ("source.set(times=[2.0], relative=1)", "relative = 1 is neither True nor False"),
    ("source.set(rate=3.0)", "source: a SpikeSource has no 'rate'"),
    ("source.set(relative=True)", "source: spikes need times="),
    ("source.set(ids=[0])", "source: spikes need times="),
    ("noise.set(times=[1.0])", "noise: Poisson"),
    ("cells.set(times=[1.0])", "cells: LIFDelta has no parameter or state 'times'"),
]


@pytest.mark.parametrize(("code", "words"), REFUSED, ids=[code for code, _ in REFUSED])
def test_bad_spikes_are_refused_in_one_sentence(code, words):
    net = esn.Network()
    source = net.population(4, esn.SpikeSource([1.0]), name="source")
    noise = net.population(1, esn.Poisson(rate=5.0), name="noise")
    cells = net.population(1, esn.LIFDelta(), name="cells")
    with pytest.raises(esn.InputError) as caught:
        exec(code, {"esn": esn, "np": np, "net": net, "source": source, "noise": noise, "cells": cells})
    assert words in str(caught.value) and len(str(caught.value)) < 260


def test_spikes_of_the_description_are_replaced():
    net = esn.Network()
    source = net.population(2, esn.SpikeSource([1.0]), name="source")
    source.set(times=[2.0, 3.0], ids=[1, 0])
    assert net.run(5.0).spikes["source"].ids.tolist() == [1, 0]
    net.reset()
    with pytest.raises(esn.InputError, match="times without ids= would be spikes of each of its 2 neurons"):
        source.set(times=[4.0])
    source.set(times=[[4.0], [4.0]])
    assert net.run(5.0).spikes["source"].times.tolist() == [4.0, 4.0]


def test_a_time_in_the_past_is_refused_and_the_present_is_not():
    net = esn.Network()
    source = net.population(2, esn.SpikeSource([1.0]), name="source")
    net.run(7.5)
    with pytest.raises(esn.InputError, match=r"a spike at 7\.25 ms lies in the past.*7\.5 ms.*relative=True"):
        source.set(times=[8.0, 7.25], ids=[0, 1])
    source.set(times=[0.0, 0.5], ids=[1, 0], relative=True)
    spikes = net.run(2.0).spikes["source"]
    assert spikes.times.tolist() == [1.0, 1.0, 7.5, 8.0] and spikes.ids.tolist() == [0, 1, 1, 0]


def test_spikes_set_later_take_the_place_of_those_to_come():
    net = esn.Network()
    source = net.population(2, esn.SpikeSource([[1.0, 5.0, 9.0], [6.0]]), name="source")
    net.run(3.0)
    source.set(times=[4.0], ids=[0])
    assert net.run(9.0).spikes["source"].times.tolist() == [1.0, 4.0]
    net.reset()
    assert net.run(12.0).spikes["source"].times.tolist() == [1.0, 5.0, 6.0, 9.0]


def shown(net, sources, engine, threads, batches, delay):
    """Batches of random spikes shown one after the other, to a network that goes on."""
    rng = np.random.default_rng(5)
    for batch in range(batches):
        for source in sources:
            n = rng.integers(0, 200)
            times = np.round(rng.uniform(0.0, 30.0, n), 2)
            source.set(times=times, ids=rng.integers(0, len(source), n), relative=True)
        net.run([20.5, 31.0, 0.25][batch % 3], engine=engine, threads=threads if batch % 2 else 1)
    return net.results()


@pytest.mark.parametrize("delay", [1.0, 0.0, 1e-3, esn.Uniform(0.1, 3.0), esn.Normal(1.5, 0.7, low=0.1, grid=0.1)])
def test_engines_and_threads_agree_batch_after_batch(delay):
    """Delays of 0 or 1e-3 ms between a few of many, sources in each lane."""
    answers = []
    for engine, threads in (("reference", 1), ("compiled", 1), ("compiled", 3)):
        net = esn.Network(seed=3)
        sources = [net.population(n, esn.SpikeSource([1.0]), name=f"source {n}") for n in (30, 7)]
        cells = net.population(60, esn.LIFDelta(), name="cells", V_m=esn.Uniform(-70.0, -55.0))
        net.connect(sources[0], cells, esn.FixedProbability(0.3), weight=esn.Uniform(0.0, 4.0))
        net.connect(sources[1], cells[:8], esn.FixedProbability(0.5), weight=5.0, delay=delay)
        net.connect(cells, cells, esn.FixedProbability(0.1), weight=0.5, delay=1.5)
        results = shown(net, sources, engine, threads, 7, delay)
        answers.append([(s.times.tolist(), s.ids.tolist()) for s in results.spikes.values()])
    assert answers[0] == answers[1] == answers[2]
    assert all(len(times) > 50 for times, _ in answers[0])


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_one_batch_after_another_is_one_long_presentation(engine):
    """The same spikes given at once, or half of them when half of the time is over."""
    rng = np.random.default_rng(7)
    times, ids = np.sort(np.round(rng.uniform(0.0, 100.0, 300), 2)), rng.integers(0, 20, 300)

    def network():
        net = esn.Network(seed=1)
        source = net.population(20, esn.SpikeSource(times, ids), name="source")
        cells = net.population(40, esn.LIFExp(), name="cells")
        net.connect(source, cells, esn.FixedProbability(0.4), weight=400.0)
        return net, source

    whole, _ = network()
    pieces, source = network()
    early = times < 50.0
    source.set(times=times[early], ids=ids[early])
    pieces.run(50.0, engine=engine)
    source.set(times=times[~early], ids=ids[~early])
    at_once = whole.run(100.0, engine=engine)
    for name, spikes in pieces.run(50.0).spikes.items():
        expected = at_once.spikes[name]
        assert np.array_equal(spikes.times, expected.times) and np.array_equal(spikes.ids, expected.ids)
        assert len(spikes) > 0
