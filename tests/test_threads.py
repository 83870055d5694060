"""Any number of threads gives the same bits: spikes, samples, states, errors and counters."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from event_log import STOP, Threaded, differences, event_log, log_of
from random_networks import random_network
from small_networks import delta, spikes_at

import eventsnn as esn
from eventsnn.run.simulation import BUDGET

THREADS = (2, 3, 7)
SEEDS = range(300, 330)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks(seed):
    expected = log_of(random_network(seed, STOP), 1)
    for threads in THREADS:
        assert differences(expected, log_of(random_network(seed, STOP), threads)) == []


def test_the_networks_fail_and_have_prompt_arrivals():
    """What the equality above is worth: run-aways and delays of zero are among its networks."""
    errors = prompted = 0
    for seed in SEEDS:
        simulation = random_network(seed, STOP).compile()
        prompted += simulation.plan.prompted.any()
        errors += "error" in event_log(simulation, STOP)
    assert errors >= 2
    assert prompted >= 5


def balanced(storage="stored", **options):
    """Some thousand synapses on neurons that fire irregularly; of two populations the later one is listed first."""
    net = esn.Network(seed=4)
    lif = esn.LIFExp(tau_m=10.0, C_m=100.0, E_L=0.0, V_th=10.0, V_reset=0.0, t_ref=1.0, tau_syn_ex=1.0, tau_syn_in=2.0)
    a, b = net.population(53, lif, name="a", V_m=esn.Uniform(0.0, 9.0)), net.population(28, lif, name="b")
    c = delta(net, 5, name="c", V_th=10.0, t_ref=1.0)
    options = {"storage": storage, "delay": esn.Uniform(0.4, 3.0), **options}
    net.connect(a, [b, a], esn.FixedOutDegree(20), weight=esn.Normal(60.0, 10.0), **options)
    net.connect(b, [a, b], esn.FixedOutDegree(30), weight=-80.0, **options)
    net.connect(a, c, esn.FixedProbability(0.5), weight=3.0, delay=1.0)
    net.connect(c, [b, c], esn.AllToAll(), weight=1.0, delay=1.0, name="last")
    net.stimulate([a, b], esn.Poisson(2000.0), weight=40.0)
    net.record(a, ["V_m"], every=0.5, ids=[0, 17, 52])
    return net


@pytest.mark.parametrize("storage", ["stored", "procedural"])
@pytest.mark.parametrize("delay", [esn.Uniform(0.4, 3.0), 1.5])
def test_storage_and_delays(storage, delay):
    expected = log_of(balanced(storage, delay=delay), 1)
    assert len(expected) > 5
    for threads in THREADS:
        assert differences(expected, log_of(balanced(storage, delay=delay), threads)) == []


@pytest.mark.parametrize("storage", ["stored", "procedural"])
def test_threads_may_change_from_run_to_run_with_spikes_under_way(storage):
    stops = [5.0, 5.3, 11.0, 11.01, 25.0, 30.0]
    expected = log_of(balanced(storage), 1, stops=stops)
    assert differences(expected, log_of(balanced(storage), 1, 3, 2, 7, 1, 4, stops=stops)) == []
    assert differences(expected, log_of(balanced(storage), 2, 1, stops=stops)) == []


def test_chunks_in_threads(monkeypatch):
    expected = log_of(balanced(), 1)
    monkeypatch.setitem(BUDGET, "compiled", 5)
    assert differences(expected, log_of(balanced(), 3)) == []


@pytest.mark.parametrize("n", [1_000, 70_000])
@pytest.mark.parametrize("targets", [[0, 900], [0, 10], [990, 1_000], [400, 600]])
def test_rows_whose_targets_lie_unevenly(targets, n):
    """Where a row is cut is guessed as if its targets were spread evenly; here they are not, in all ways to be wrong.
    With 70,000 neurons slices are cut at 65,536 too."""

    def net():
        net = esn.Network(seed=2)
        first, last = (place * n // 1_000 for place in targets)
        cells = delta(net, n, I_e=3.0, t_ref=2.0)
        post = cells[np.unique([0, *range(first, min(last, first + 300)), n - 1])]
        net.connect(cells[:: n // 50], post, esn.FixedProbability(0.9), weight=esn.Uniform(0.1, 2.0), delay=1.5)
        net.stimulate(cells[:: n // 25], esn.Poisson(500.0), weight=1.0)
        return net

    def log(threads):
        # Looks at calm neurons, which counters hold, depend on who has them.
        return event_log(Threaded(net().compile(), threads), 20.0)

    expected = log(1)
    for threads in THREADS:
        assert differences(expected, log(threads)) == []


def test_more_threads_than_neurons_and_more_populations_than_ranges():
    def chain():
        net = esn.Network(seed=1)
        cells = [delta(net, 1, name=f"cell{k}", I_e=3.0 if k == 0 else 0.0) for k in range(20)]
        for first, second in zip(cells, cells[1:], strict=False):
            net.connect(first, second, esn.OneToOne(), weight=1.5, delay=0.25)
        return net

    expected = log_of(chain(), 1)
    one = chain().run(STOP).spikes["cell0"].times[0]
    for threads in (*THREADS, 64):
        net = chain()
        assert differences(expected, log_of(net, threads)) == []
        results = net.run(STOP, threads=threads)
        # A neuron fires when it is reached, a quarter of a millisecond after the one before it; binary, so exact.
        assert results.spikes["cell19"].times[0] == pytest.approx(one + 19 * 0.25, abs=1e-12)
        assert results.summary["threads"] == min(threads, 20)


def test_one_neuron_is_named_whoever_fails_first():
    """Two neurons without refractoriness run away at the same time, in different threads: the lower number is named."""

    def net():
        net = esn.Network(seed=1, max_spikes=50)
        cells = delta(net, 9)
        net.connect(cells, cells, esn.OneToOne(), weight=2.0, delay=0.001)
        spikes_at(net, cells[[3, 8]], [5.0], weight=2.0, delay=0.001)
        return net

    messages = []
    for threads in (1, *THREADS):
        with pytest.raises(esn.RunawayError) as error:
            net().run(20.0, threads=threads)
        messages.append(str(error.value))
        assert error.value.neuron == 3
    assert len(set(messages)) == 1


def test_threads_that_cannot_be_had_are_done_without(monkeypatch):
    expected = log_of(balanced(), 1)
    start = threading.Thread.start

    def refuse(thread):
        if sum(other.name.startswith("eventsnn") for other in threading.enumerate()) >= 1:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert differences(expected, log_of(balanced(), 4)) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("eventsnn")]


def test_an_error_in_a_report_leaves_no_thread():
    net, before = balanced(), threading.active_count()  # other tests may have left some
    with pytest.raises(ZeroDivisionError):
        net.run(STOP, threads=3, progress=lambda status: 1 / 0)
    assert threading.active_count() == before
    expected = balanced().run(STOP).spikes["a"]
    actual = net.run(until=STOP, threads=2).spikes["a"]
    np.testing.assert_array_equal(actual.times, expected.times)
