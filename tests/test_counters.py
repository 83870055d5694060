"""What a run says of the work that it did."""

import numpy as np
import pytest

import eventsnn as esn

COUNTS = [
    "queue_pops", "synaptic_events", "external_events", "neuron_updates", "bounds_due", "threshold_tests",
    "threshold_tests_resolved", "spikes", "calm_looks", "alert_arrivals", "windows", "under_way",
]  # fmt: skip


def sparse(n: int, kicks: int, seed: int) -> esn.Network:
    """Neurons that fire when they are kicked and never else; each spike reaches 100 others and does next to nothing."""
    draws = np.random.default_rng(seed)
    net = esn.Network(seed=seed)
    cells = net.population(n, esn.LIFDelta(tau_m=20.0, E_L=0.0, V_th=20.0, V_reset=10.0, t_ref=2.0), name="cells")
    source = net.population(kicks, esn.SpikeSource([[t] for t in draws.uniform(0.0, 990.0, kicks)]), name="kicks")
    post = draws.integers(n, size=kicks)
    net.connect(source, cells, esn.Explicit(np.arange(kicks), post), weight=30.0, delay=1.5)
    net.connect(cells, cells, esn.FixedOutDegree(100), weight=0.01, delay=1.5)
    return net


@pytest.mark.parametrize("n", [500, 5_000, 50_000])
def test_a_sparse_network_costs_its_events_and_nothing_else(n):
    """However many neurons there are: those to which nothing happens are never looked at."""
    kicks = 300
    summary = sparse(n, kicks, seed=1).run(1000.0).summary
    fired = summary["spikes"] - kicks
    assert fired > 0.9 * kicks  # two kicks of one neuron may fall into its refractory period
    assert summary["synaptic_events"] == kicks + 100 * fired
    assert summary["neuron_updates"] <= summary["synaptic_events"] + summary["spikes"] + summary["bounds_due"]
    assert summary["bounds_due"] == 0  # no current drives any of them
    assert summary["queue_pops"] <= 4 * summary["spikes"]


def test_silence_counts_nothing():
    net = esn.Network()
    net.population(1_000, esn.LIFExp())
    summary = net.run(1000.0).summary
    assert [summary[name] for name in COUNTS] == [0] * len(COUNTS)
    assert 0.0 <= summary["collecting_s"] + summary["processing_s"] < 0.1


def test_spikes_under_way_are_counted_in_each_window():
    """3 spikes at 1 ms, of which 6 are under way when those after 4 ms arrive, and 3 when those after 10 ms do."""
    net = esn.Network()
    cells = net.population(3, esn.LIFDelta(), name="cells")
    source = net.population(3, esn.SpikeSource([[1.0], [1.0], [1.0]]), name="source")
    for delay in (10.0, 4.0):
        net.connect(source, cells, esn.OneToOne(), weight=0.1, delay=delay)
    counts = [net.run(until=stop).summary for stop in (0.5, 2.0, 6.0, 20.0)]
    assert [(summary["windows"], summary["under_way"]) for summary in counts] == [(0, 0), (1, 0), (2, 6), (3, 9)]


def test_a_bound_is_due_once_for_a_spike_that_nothing_disturbs():
    """A neuron under constant current: one search for each spike, found where its bound falls due."""
    net = esn.Network()
    net.population(1, esn.LIFExp(I_e=500.0))
    summary = net.run(1000.0).summary
    assert summary["spikes"] > 10
    assert summary["spikes"] <= summary["bounds_due"] <= summary["spikes"] + 1
    assert summary["threshold_tests"] == 0


def test_tests_resolved_are_tests():
    net = esn.Network(seed=2)
    cells = net.population(50, esn.LIFExp(V_th=-68.0))
    net.stimulate(cells, esn.Poisson(2_000.0), weight=20.0)
    simulation = net.compile()
    simulation._state.set_calm(False)  # calm neurons are tested once a block, which is counted as looks
    summary = simulation.run(200.0).summary
    assert 0 < summary["threshold_tests_resolved"] < summary["threshold_tests"] <= 2 * summary["external_events"]


def test_counters_of_a_run_begin_with_it():
    net = esn.Network(seed=2)
    cells = net.population(50, esn.LIFExp())
    net.stimulate(cells, esn.Poisson(1_000.0), weight=20.0)
    whole = net.compile().run(200.0).summary
    simulation = net.compile()
    first = simulation.run(100.0, keep="new").summary
    second = simulation.run(100.0, keep="new").summary
    for name in ("external_events", "spikes"):
        assert first[name] + second[name] == whole[name]


def test_calm_neurons_are_looked_at_once_a_block_and_taken_up_no_more():
    """Where hardly any spikes most of what arrives finds calm neurons; while nothing much happens none is looked at."""

    def net(weight):
        net = esn.Network(seed=2)
        cells = net.population(200, esn.LIFDelta(E_L=0.0, V_th=20.0, V_reset=0.0), name="cells")
        source = net.population(100, esn.Poisson(100.0), name="source")
        net.connect(source, cells, esn.AllToAll(), weight=weight, delay=1.0)
        return net

    calm = net(0.01).run(100.0).summary
    assert calm["spikes"] < 1_500 and calm["synaptic_events"] == pytest.approx(200 * calm["spikes"], rel=0.02)
    assert 0 < calm["calm_looks"] <= 200 * 100.0 / 0.125
    assert calm["alert_arrivals"] < 0.05 * calm["synaptic_events"]
    assert calm["neuron_updates"] < 0.1 * calm["synaptic_events"]
    firing = net(1.0).run(100.0).summary
    assert calm["alert_arrivals"] < firing["alert_arrivals"] <= firing["synaptic_events"]
    silent = esn.Network()
    many = silent.population(20_000, esn.LIFDelta(E_L=0.0, V_th=20.0, V_reset=0.0))
    source = silent.population(1, esn.SpikeSource(np.arange(0.0, 100.0, 5.0)))
    silent.connect(source, many[:5], esn.AllToAll(), weight=1.0, delay=1.0)
    summary = silent.run(100.0).summary
    assert summary["neuron_updates"] > 100 and (summary["calm_looks"], summary["alert_arrivals"]) == (0, 0)


@pytest.mark.parametrize("model", [esn.LIFDelta, esn.LIFExp])
def test_neurons_that_stay_below_their_threshold_are_not_looked_at_between_inputs(model):
    """No input is ever more than a part of what it takes, and no bound of a crossing falls due."""
    net = esn.Network(seed=1)
    cells = net.population(10, model(E_L=0.0, V_th=15.0, V_reset=0.0), name="cells")
    weight = 1.0 if model is esn.LIFDelta else 20.0
    net.stimulate(cells, esn.Poisson(100.0), weight=weight)
    summary = net.run(500.0).summary
    assert summary["external_events"] > 400 and summary["spikes"] == 0
    assert summary["bounds_due"] == 0 and summary["threshold_tests"] == 0
