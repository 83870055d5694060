"""Spikes that arrive in the window in which they were fired, of delays shorter than the windows."""

from __future__ import annotations

import numpy as np
import pytest
from event_log import Threaded, differences, event_log, log_of
from random_networks import random_network
from small_networks import delta, spikes_at, times_of

import eventsnn as esn
from eventsnn.run.simulation import BUDGET

STOP = 40.0
SEEDS = range(500, 525)


def crowd(net, n=20, **options):
    """Neurons with delays of 1.5 ms among them, kicked now and then."""
    cells = delta(net, n, name="crowd", t_ref=0.5, **options)
    net.connect(cells, cells, esn.FixedInDegree(3), weight=0.45, delay=1.5)
    net.stimulate(cells, esn.Poisson(300.0), weight=0.6)
    return cells


def agreed(build, *, threads=(1, 2, 3), stops=(STOP / 3, STOP), calm=("auto", True), patience=None):
    """The event log of the reference, which all others must have: with calm neurons and without, in threads."""
    expected = event_log(build().compile("reference"), *stops)
    for number in threads:
        for mode in calm:
            simulation = build().compile()
            simulation._state.set_calm(mode)
            if patience is not None:
                simulation._state.set_patience(*patience)
            assert differences(expected, event_log(Threaded(simulation, number, 1), *stops)) == []
    return expected


# ---- how wide windows are, and which neurons something may reach within one


def windows_of(net):
    plan = net.compile().plan
    return plan.window, np.flatnonzero(plan.prompted).tolist()


@pytest.mark.parametrize("delay", [0.0, 2.0**-50])
@pytest.mark.parametrize("storage", ["stored", "procedural"])
def test_targets_of_delays_of_zero_are_prompted(delay, storage):
    net = esn.Network()
    cells = crowd(net)
    net.connect(cells[3:5], cells[7:9], esn.FixedProbability(1.0), delay=delay, storage=storage)
    assert windows_of(net) == (0.125, [7, 8])


def test_the_delay_of_each_synapse_counts():
    """Also where they are stored by slice; rows without synapses are skipped."""
    for unit in (1.0, 1.0 + 1e-9 * np.arange(20)):
        net = esn.Network()
        cells = crowd(net)
        delay = np.where(np.arange(20) == 6, 0.0, 2.0) * unit
        net.connect(cells, cells, esn.Explicit(np.arange(20) // 2 * 2, np.arange(20)), delay=delay)
        net.connect(cells[1], cells[2], esn.OneToOne(), delay=0.0)
        assert windows_of(net) == (0.125, [2, 6])


@pytest.mark.parametrize(
    ("delay", "window"),
    [
        (0.5, 0.5),
        (0.07, 2.0**-4),
        (esn.Uniform(0.1, 3.0), 2.0**-4),
        (esn.Normal(1.5, 0.75, low=0.1, grid=0.1), 2.0**-4),
        (esn.Uniform(1e-9, 3.0), 0.125),
        (esn.Exponential(1.0), 0.125),
        (0.06, 2.0**-5),
        (0.0, 2.0**-6),
    ],
)
@pytest.mark.parametrize("storage", ["stored", "procedural"])
def test_windows_are_narrow_only_where_many_delays_are_shorter(delay, window, storage):
    net = esn.Network(seed=1)
    cells = delta(net, 300)
    net.connect(cells, cells, esn.FixedOutDegree(100), delay=delay, storage=storage)
    shortest = float(min(p.delay.min() for p in net.compile().plan.rows))
    width, prompted = windows_of(net)
    assert width == window and bool(prompted) == (shortest < window)


# ---- solved by hand


def test_spikes_are_taken_back():
    """Neuron a fires at 1 ms and b, alone, at 1.0625 ms. The spike of a reaches b at 1.03125 ms, and b does not fire.
    What b would have fired keeps c from firing at 1.09375 ms, so that c fires after all."""

    def build(kept):
        net = esn.Network()
        crowd(net)
        cells = delta(net, 3, name="cells", tau_m=1e9, C_m=1e9)
        for n, time in enumerate((1.0, 1.0625, 1.09375)):
            spikes_at(net, cells[n], [time - 0.5], weight=1.0, delay=0.5, name=f"at {time}")
        if kept:
            net.connect(cells[0], cells[1], esn.OneToOne(), weight=-0.5, delay=2.0**-5)
        net.connect(cells[1], cells[2], esn.OneToOne(), weight=-0.5, delay=2.0**-20)
        return net

    assert windows_of(build(True)) == (0.125, [21, 22])
    for kept, expected in [(True, [0, 2]), (False, [0, 1])]:
        assert build(kept).run(3.0).spikes["cells"].ids.tolist() == expected
        agreed(lambda kept=kept: build(kept), stops=(3.0,))


def test_a_chain_of_zero_delays_fires_at_once_inside_a_window():
    def build():
        net = esn.Network()
        cells = crowd(net)
        chain = delta(net, 6, name="chain")
        last = delta(net, 1, name="last")
        net.connect(chain[:-1], chain[1:], esn.OneToOne(), weight=1.0, delay=0.0)
        net.connect(chain[5], last, esn.OneToOne(), weight=1.0, delay=1.5)
        net.connect(chain[5], cells, esn.AllToAll(), weight=0.1, delay=1.25)
        net.connect(last, chain[0], esn.OneToOne(), weight=1.0, delay=1.7)
        spikes_at(net, chain[0], [3.3], weight=1.0, delay=2.0)
        return net

    results = build().run(STOP)
    expected = [3.3 + 2.0]
    while expected[-1] + 1.5 + 1.7 < STOP:
        expected.append(expected[-1] + 1.5 + 1.7)
    for number in range(6):
        assert results.spikes["chain"][[number]].times.tolist() == expected
    assert times_of(results, "last") == [t + 1.5 for t in expected if t + 1.5 < STOP]
    assert len(agreed(build)["chain times"]) == 8 * 6 * len(expected)


def test_a_loop_of_zero_delays_runs_away():
    """Others go on to the end of the window; what they did after the failure is dropped."""

    def build():
        net = esn.Network(max_rounds=50)
        crowd(net)
        loop = delta(net, 3, name="loop")
        net.connect(loop, loop, esn.Explicit([0, 1, 2], [1, 2, 0]), weight=1.0, delay=0.0)
        spikes_at(net, loop[1], [5.3], weight=1.0, delay=2.0)
        return net

    for threads in (1, 3):
        net = build()
        with pytest.raises(esn.RunawayError, match="50 rounds") as error:
            net.run(STOP, threads=threads)
        # Round 0 is that of the kick, in which neuron 1 fires, so that in round 51 it is neuron 1 + 51 modulo 3.
        assert (error.value.population, error.value.neuron, error.value.time) == ("loop", 1, 7.3)
        assert net.results().spikes["crowd"].times.max() < 7.3
    agreed(build)


def test_the_first_to_run_away_is_named_whatever_its_lane():
    def build(first):
        net = esn.Network(max_rounds=50, max_spikes=40)
        cells = crowd(net)
        loop = delta(net, 2, name="loop")
        own = net.population(1, esn.SpikeSource(np.full(60, 4.75)), name="own")
        net.connect(own, cells[3], esn.AllToAll(), weight=0.0, delay=1.0)
        net.connect(loop, loop, esn.Explicit([0, 1], [1, 0]), weight=1.0, delay=0.0)
        spikes_at(net, loop[1], [4.75 - 2.0 + first], weight=1.0, delay=2.0)
        return net

    for first, name in [(-0.25, "loop"), (0.125, "own")]:
        for threads in (1, 2):
            with pytest.raises(esn.RunawayError) as error:
                build(first).run(STOP, threads=threads)
            assert error.value.population == name
        agreed(lambda first=first: build(first))


def test_zero_delay_and_windowed_input_at_one_time():
    """At 6 ms neuron 0 fires by two inputs that windows bring, and neuron 1 by one of these and, in the next round,
    the spike of neuron 0."""

    def build():
        net = esn.Network()
        cells = crowd(net)
        pair = delta(net, 2, name="pair", tau_m=1e9, C_m=1e9)
        starter = delta(net, 1, name="starter")
        spikes_at(net, starter, [3.0], weight=1.0, delay=1.5)
        net.connect(starter, pair, esn.AllToAll(), weight=0.5, delay=1.5)
        spikes_at(net, pair[0], [4.5], weight=0.5, delay=1.5, name="late")
        net.connect(pair[0], pair[1], esn.OneToOne(), weight=0.5, delay=0.0)
        net.connect(pair[1], cells, esn.AllToAll(), weight=0.2, delay=1.5)
        net.record(pair, ["V_m"], times=[5.9, 6.0])
        return net

    assert windows_of(build()) == (0.125, [21])
    results = build().run(STOP)
    assert results.spikes["pair"].times.tolist() == [6.0, 6.0]
    assert results.traces["pair"].V_m.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    agreed(build)


def test_times_at_which_windows_are_lost():
    """From 2^53 ms on the next time is 2 ms later: 1.5 ms take no time or 2 ms, and windows are single times."""

    def build():
        net = esn.Network(seed=3)
        start = 2.0**54
        draws = np.random.default_rng(1)
        trains = [np.unique(start + 4.0 * draws.integers(0, 40, 12)) for _ in range(6)]
        sources = net.population(6, esn.SpikeSource(trains), name="sources")
        cells = delta(net, 30, tau_m=1e9, C_m=1e9, t_ref=4.0)
        for delay, weight in [(1.5, 0.3), (5.0, 0.2), (11.0, 0.4), (2.5, -0.1)]:
            net.connect([sources, cells], cells, esn.FixedInDegree(4), weight=weight, delay=delay)
        net.connect(cells[::7], cells[3::6], esn.FixedInDegree(2), weight=0.3, delay=0.0)
        return net

    assert windows_of(build())[0] == 0.125
    log = agreed(build, stops=(2.0**54 + 20.0, 2.0**54 + 400.0), calm=("auto", False))
    assert len(log["cells times"]) > 8 * 20


# ---- at random


@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks(seed):
    agreed(lambda: random_network(seed, STOP, few_at_once=True))


@pytest.mark.parametrize("seed", range(500, 512))
@pytest.mark.parametrize("patience", [(0, 0), (1, 10)])
def test_random_networks_taken_on_carefully(seed, patience):
    """One spike of each neuron after the other, from the first or the second exchange on."""
    agreed(lambda: random_network(seed, STOP, few_at_once=True), threads=(1, 2), patience=patience)


def test_a_network_that_runs_away_between_two_numbers():
    """Delays that no clock tells from 0 but at 0, where thousands of spikes follow each other within 1e-298 ms: that
    takes as long as they do, not as long as their square."""

    def build():
        net = esn.Network(seed=3)
        cells = delta(net, 60, V_m=esn.Uniform(0.0, 2.0))
        net.connect(cells, cells, esn.FixedOutDegree(30), weight=5.0, delay=esn.Uniform(0.0, 1e-300))
        net.max_spikes = 100
        return net

    agreed(build, stops=(1.0,), threads=(1, 2))
    agreed(build, stops=(1.0,), threads=(1,), calm=("auto",), patience=(3, 5))


@pytest.mark.parametrize("seed", [1159, 2195])
def test_failures_are_found_again_and_windows_may_be_cut_short(seed):
    agreed(lambda: random_network(seed, STOP), threads=(1, 2))


@pytest.mark.parametrize("seed", range(540, 550))
def test_random_networks_of_many_delays_of_zero(seed):
    agreed(lambda: random_network(seed, STOP), threads=(1, 2))


def test_the_networks_have_prompt_arrivals_and_run_away():
    """What the equality above is worth."""
    plans = [random_network(seed, STOP, few_at_once=True).compile().plan for seed in SEEDS]
    assert sum(0 < plan.prompted.sum() < plan.n for plan in plans) >= 6
    errors = sum("error" in event_log(random_network(seed, STOP, few_at_once=True).compile(), STOP) for seed in SEEDS)
    assert errors >= 2


def continuous(n=60, delay=None, **options):
    """Neurons that are calm and followed in turn, with delays that begin at 0."""
    net = esn.Network(seed=5)
    cells = [
        delta(
            net,
            k,
            name=f"cells{k}",
            tau_m=20.0,
            C_m=1.0,
            V_th=20.0,
            V_reset=10.0,
            t_ref=2.0,
            V_m=esn.Uniform(0.0, 20.0),
        )
        for k in (4 * n // 5, n // 5)
    ]
    delay = esn.Exponential(1.0) if delay is None else delay
    net.connect(cells[0], cells, esn.FixedOutDegree(25), weight=esn.Normal(1.2, 0.3), delay=delay, **options)
    net.connect(cells[1], cells, esn.FixedOutDegree(25), weight=-6.0, delay=delay, **options)
    net.stimulate(cells, esn.Poisson(6000.0), weight=0.25)
    net.record(cells[0], ["V_m"], every=1.0, ids=[0, 17])
    return net


@pytest.mark.parametrize(
    "delay", [esn.Exponential(1.0), esn.LogNormal(0.0, 1.0), esn.Uniform(1e-9, 3.0), esn.Exponential(0.02)]
)
def test_continuous_delays_that_begin_at_0(delay):
    log = agreed(lambda: continuous(delay=delay))
    assert len(log["cells48 times"]) > 8 * 48


@pytest.mark.parametrize("options", [{"storage": "procedural"}, {"dtype": "float32"}])
def test_continuous_delays_in_all_storage(options):
    agreed(lambda: continuous(**options))


def test_many_calm_neurons_with_continuous_delays():
    """Too many for the reference: calm or not, any number of threads, in pieces."""

    def log(threads, mode, *stops):
        simulation = continuous(2000).compile()
        simulation._state.set_calm(mode)
        return event_log(Threaded(simulation, threads), *stops)

    expected = log(1, False, 50.0)
    assert len(expected["cells1600 times"]) > 8 * 1600
    for threads, mode, stops in [
        (1, True, (50.0,)),
        (2, True, (11.03, 50.0)),
        (3, "auto", (20.0, 50.0)),
        (3, False, (50.0,)),
    ]:
        assert differences(expected, log(threads, mode, *stops)) == []


def mixed(storage="stored", **options):
    """Some neurons are reached promptly, all over two populations, by rows that reach others as well."""
    net = esn.Network(seed=4)
    lif = esn.LIFExp(tau_m=10.0, C_m=100.0, E_L=0.0, V_th=10.0, V_reset=0.0, t_ref=1.0, tau_syn_ex=1.0, tau_syn_in=2.0)
    a, b = net.population(73, lif, name="a", V_m=esn.Uniform(0.0, 9.0)), net.population(48, lif, name="b")
    net.connect(a, [b, a], esn.FixedOutDegree(20), weight=esn.Normal(60.0, 10.0), storage=storage, **options)
    net.connect(b, [a, b], esn.FixedOutDegree(30), weight=-80.0, storage=storage, **options)
    net.connect(a[::9], b[::7], esn.AllToAll(), weight=esn.Normal(20.0, 5.0), delay=0.0, dtype="float32")
    net.connect(b[::7], a[5::9], esn.AllToAll(), weight=15.0, delay=0.001)
    net.stimulate([a, b], esn.Poisson(2000.0), weight=40.0)
    net.record(a, ["V_m"], every=0.5, ids=[0, 17, 52])
    return net


@pytest.mark.parametrize("storage", ["stored", "procedural"])
@pytest.mark.parametrize("delay", [esn.Uniform(0.4, 3.0), esn.Normal(1.5, 0.4, low=0.5, grid=0.1), 1.5])
def test_rows_that_reach_some_promptly(storage, delay):
    assert windows_of(mixed(storage, delay=delay))[0] == 0.125
    agreed(lambda: mixed(storage, delay=delay))


def test_threads_may_change_from_run_to_run_with_spikes_under_way():
    stops = [5.0, 5.3, 11.0, 11.01, 25.0, 30.0]
    expected = log_of(mixed(delay=1.5), 1, stops=stops)
    assert differences(expected, log_of(mixed(delay=1.5), 1, 3, 2, 7, 1, 4, stops=stops)) == []
    assert differences(expected, log_of(mixed(delay=1.5), 2, 1, stops=stops)) == []


def test_windows_that_are_cut_and_short_chunks(monkeypatch):
    expected = log_of(mixed(delay=1.5), 1)
    monkeypatch.setitem(BUDGET, "compiled", 5)
    for threads in (1, 3):
        assert differences(expected, log_of(mixed(delay=1.5), threads)) == []


def test_few_prompt_arrivals_cost_the_others_nothing():
    """A crowd that is busy has calm neurons, and as few looks at others, whether or not some spikes arrive promptly."""

    def updates(delay):
        net = esn.Network(seed=2)
        cells = net.population(400, esn.LIFDelta(E_L=0.0, V_th=20.0, V_reset=10.0, I_e=260.0), name="cells")
        net.connect(cells, cells, esn.FixedInDegree(40), weight=0.1, delay=1.5)
        net.stimulate(cells, esn.Poisson(4000.0), weight=0.1)
        few = delta(net, 4, name="few")
        net.connect(few[:2], few[2:], esn.OneToOne(), delay=delay)
        summary = net.run(100.0).summary
        return summary["neuron_updates"], summary["synaptic_events"]

    assert updates(0.0) == updates(1.5)


def test_continuous_delays_cost_no_more_looks_than_longer_ones():
    """With windows as narrow as the shortest delay there would be a thousand times as many."""

    def work(delay):
        summary = continuous(2000, delay=delay).run(100.0).summary
        return (summary["neuron_updates"] + summary["queue_pops"]) / summary["synaptic_events"]

    assert work(esn.Exponential(1.0)) < 3.0 * work(esn.Uniform(1.0, 3.0))
