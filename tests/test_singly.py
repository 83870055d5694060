"""Calm neurons that take their input one by one: with constants of their own, or behind synapses with a delay each."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from calm_networks import SEEDS, STOP, WIDTHS, busy_network, calm
from event_log import Threaded, differences, event_log
from spread_networks import network

import eventsnn as esn


@functools.cache
def expected(seed: int, varied: bool) -> dict[str, bytes]:
    return event_log(busy_network(seed, STOP, varied).compile("reference"), STOP)


def are_calm(simulation: esn.Simulation, part: float) -> None:
    """Most of what arrived, did so at neurons that were calm."""
    counters = simulation._state.counters
    assert counters["alert_arrivals"] < part * counters["synaptic_events"]


@pytest.mark.parametrize("varied", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks(seed, varied, by_synapse):
    """In half of them times lie on a grid, and much comes at one time."""
    for width in WIDTHS:
        simulation = calm(busy_network(seed, STOP, varied), True, width=width)
        assert differences(expected(seed, varied), event_log(simulation, STOP)) == []
    for threads in (2, 3):
        simulation = Threaded(calm(busy_network(seed, STOP, varied), True), threads)
        assert differences(expected(seed, varied), event_log(simulation, STOP)) == []


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_delays_of_which_the_least_is_tiny(seed):
    """Windows are as narrow as that, or, for most neurons, as wide as without these."""
    reference = event_log(busy_network(seed, STOP, tiny=True).compile("reference"), STOP)
    for mode, threads in ((True, 1), ("auto", 1), (False, 2)):
        simulation = Threaded(calm(busy_network(seed, STOP, tiny=True), mode), threads)
        assert differences(reference, event_log(simulation, STOP)) == []


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_slices_alone_reach_neurons_with_constants_of_their_own(seed):
    for width in WIDTHS:
        simulation = calm(busy_network(seed, STOP, True), True, width=width)
        assert differences(expected(seed, True), event_log(simulation, STOP)) == []


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("storage", ["stored", "procedural"])
@pytest.mark.parametrize("grid", [None, 0.125])
def test_dense_networks(own, storage, grid, by_synapse):
    """In one run and in pieces, in threads, and with changes of mode in between."""
    reference = event_log(network("delta", own, storage, grid).compile(engine="reference"), 20.0)
    for threads in (1, 2, 3):
        simulation = calm(network("delta", own, storage, grid))
        assert differences(reference, event_log(Threaded(simulation, threads), 20.0)) == []
        are_calm(simulation, 0.9)
    simulation = calm(network("delta", own, storage, grid))
    for stop, mode in ((2.3, True), (2.31, "auto"), (4.9, False), (7.0, True)):
        simulation.run(until=stop)
        simulation._state.set_calm(mode)
    assert differences(reference, event_log(simulation, 20.0)) == []


def large(tau_m: object) -> esn.Network:
    net = esn.Network(seed=3)
    lif = esn.LIFDelta(tau_m=20.0, E_L=0.0, V_th=20.0, V_reset=10.0, t_ref=2.0)
    state = {"V_m": esn.Uniform(-10.0, 20.0), "tau_m": tau_m}
    cells = [net.population(n, lif, name=name, **state) for n, name in ((800, "exc"), (200, "inh"))]
    for part, weight in zip(cells, (0.2, -1.0), strict=True):
        drawn = esn.Normal(weight, 0.02)
        net.connect(part, cells, esn.FixedInDegree(len(part) // 4), weight=drawn, delay=esn.Uniform(0.5, 3.0))
    net.stimulate(cells, esn.StepCurrent([0.0], [500.0]))
    return net


@pytest.mark.parametrize("tau_m", [20.0, esn.Uniform(18.0, 22.0)], ids=["alike", "own"])
def test_hardly_anything_arrives_at_neurons_that_are_not_calm(tau_m):
    """Which is what the work is for; without calm neurons each window is an update of most of them."""
    simulation = calm(large(tau_m), "auto")
    simulation.run(60.0)
    are_calm(simulation, 0.25)
    one_by_one = calm(large(tau_m), False)
    one_by_one.run(60.0)
    assert 4 * simulation._state.counters["neuron_updates"] < one_by_one._state.counters["neuron_updates"]


@pytest.mark.parametrize("tau_m", [20.0, esn.Uniform(18.0, 22.0)], ids=["alike", "own"])
def test_a_line_too_high_would_be_noticed(tau_m):
    def spikes(above):
        results = calm(large(tau_m), True, width=1.0, above=above).run(60.0)
        return [results.spikes[name].times.tolist() for name in ("exc", "inh")]

    plain = calm(large(tau_m), False).run(60.0)
    right = [plain.spikes[name].times.tolist() for name in ("exc", "inh")]
    assert sum(map(len, right)) > 1000
    assert spikes(0.0) == right
    assert spikes(0.3) != right


def test_a_volley_after_a_single_arrival(by_synapse):
    """Nearly all that arrives lies in a tiny part of the time between the first arrival and the last, in no order."""
    rng = np.random.default_rng(4)

    def net():
        net = esn.Network()
        lif = esn.LIFDelta(tau_m=10.0, E_L=0.0, V_th=30.0, V_reset=0.0, t_ref=0.1)
        cells = net.population(20, lif, name="cells", tau_m=np.linspace(9.0, 11.0, 20))
        sources = net.population(40, esn.SpikeSource([[0.25]] * 40), name="sources")
        net.connect(sources, cells, esn.Explicit(pre, post), weight=weight, delay=delay)
        return net

    pre, post = rng.integers(0, 40, 3000), rng.integers(0, 20, 3000)
    weight, delay = rng.normal(0.1, 0.5, 3000), 1.05 + 1e-9 * rng.integers(0, 900, 3000)
    delay[:2] = 1.0, 1.1
    reference = event_log(net().compile(engine="reference"), 4.0)
    assert differences(reference, event_log(calm(net(), True), 4.0)) == []
