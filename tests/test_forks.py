"""Forks: independent networks that stand where another one does."""

from __future__ import annotations

import numpy as np
import pytest
from long_networks import CASES, network_of
from small_networks import delta, spikes_at, times_of

import eventsnn as esn
from eventsnn.base.errors import InputError, StateError

MIDDLE, STOP = 37.3, 80.0


def rest(net: esn.Network) -> str:
    """What comes of the rest of a run."""
    return net.run(until=STOP, keep="new").fingerprint()


@pytest.mark.parametrize("case", CASES)
def test_a_fork_goes_on_with_the_bits_of_the_network_it_came_from(case):
    net = network_of(case)
    net.run(MIDDLE)
    first, second = net.fork(), net.fork()
    found = rest(first)
    assert first.time == STOP and second.time == net.time == MIDDLE
    assert rest(second) == rest(net) == found


@pytest.mark.parametrize("case", [case for case in CASES if "Current" not in case and "SpikeSource" not in case])
def test_a_seed_draws_other_external_spikes_and_the_same_ones_for_the_same_seed(case):
    net = network_of(case)
    net.run(MIDDLE)
    one, again, other = (rest(net.fork(seed=seed)) for seed in (1, 1, 2))
    assert one == again != other
    assert rest(net) not in (one, other)


def test_seeds_leave_what_was_given_and_what_has_been_drawn():
    """Arrivals that were drawn before the fork, or are given, are the same; the rate of new ones is that of the source.

    50 sources of 200 Hz for 4 s: 40,000 spikes, standard deviation 200; five times that is passed in 1 of 2e6.
    """
    net = esn.Network(seed=5)
    net.population(50, esn.Poisson(200.0), name="noise")
    net.population(1, esn.SpikeSource([1.0, 7.0]), name="given")
    net.run(5.0)
    results = net.fork(seed=9).run(4000.0)
    assert times_of(results, "given") == [7.0]
    assert abs(len(results.spikes["noise"]) - 40_000) < 1_000
    assert results.spikes["noise"].times.min() >= 5.0
    assert len(net.results().spikes["noise"]) > 0 and net.results().t_stop == 5.0


def test_forks_of_many_seeds_are_independent():
    """Counts of 400 forks over 100 ms at 100 Hz times 4: Poisson of mean 40, variance 40 +- 4 sigma of the estimate."""
    net = esn.Network(seed=5)
    net.population(4, esn.Poisson(100.0), name="noise")
    net.run(10.0)
    counts = np.array([len(net.fork(seed=seed).run(100.0).spikes["noise"]) for seed in range(400)])
    assert abs(counts.mean() - 40.0) < 4 * np.sqrt(40.0 / 400)
    assert abs(counts.var() / 40.0 - 1.0) < 4 * np.sqrt(2.0 / 400)


def three() -> esn.Network:
    """A source that spikes at 1 and 4 ms, and a neuron that each spike of it fires 5 ms later."""
    net = esn.Network()
    cell = delta(net)
    spikes_at(net, cell, [1.0, 4.0], weight=2.0, delay=5.0, name="source")
    return net


def test_a_spike_under_way_can_be_dropped():
    net = three()
    net.run(5.0)
    twin = net.fork()
    dropped = twin.populations["source"].drop_spikes()
    assert dropped.tolist() == [1.0, 4.0]
    assert times_of(twin.run(10.0)) == []
    assert times_of(net.run(10.0)) == [6.0, 9.0]
    assert net.populations["source"].drop_spikes().size == 0


def test_only_the_neurons_that_are_named_lose_their_spikes():
    net = esn.Network()
    cells = delta(net, n=3)
    source = net.population(3, esn.SpikeSource([[1.0], [1.0], [2.0]]), name="source")
    net.connect(source, cells, esn.OneToOne(), weight=2.0, delay=5.0)
    net.run(3.0)
    assert source[1:].drop_spikes().tolist() == [1.0, 2.0]
    results = net.run(10.0)
    assert times_of(results) == [6.0] and results.spikes["cells"].ids.tolist() == [0]


def test_a_spike_is_added_by_lifting_a_neuron_to_its_threshold():
    net = three()
    net.run(2.0)
    twin = net.fork()
    twin.populations["cells"].set(V_m=1.0)
    assert times_of(twin.run(10.0)) == [2.0, 6.0, 9.0]
    assert times_of(net.run(10.0)) == [6.0, 9.0]


def test_what_is_set_in_a_fork_stays_in_it():
    def changed(net: esn.Network) -> esn.Network:
        net.populations["cells"].set(I_e=500.0)
        next(iter(net.projections.values())).set(weight=5.0)
        return net

    def begun() -> esn.Network:
        net = network_of("model LIFExp")
        net.run(MIDDLE)
        return net

    net, alone = begun(), begun()
    twin = changed(net.fork())
    assert rest(twin) == rest(changed(begun()))
    assert rest(net) == rest(alone)


def test_forks_of_forks_and_forks_of_what_was_changed():
    net = network_of("rows float32")
    net.run(20.0)
    net.populations["cells"].set(V_m=-60.0)
    first = net.fork()
    first.run(MIDDLE - 20.0)
    second = first.fork()
    net.run(until=MIDDLE)
    assert rest(second) == rest(first) == rest(net)


def test_forks_share_what_cannot_change():
    """Ends of a million synapses, and spikes that were given, are there once."""
    pre = np.arange(1_000_000) % 50
    net = esn.Network()
    cells = net.population(50, esn.LIFDelta(), name="cells")
    net.population(50, esn.SpikeSource(pre * 1.0, pre), name="source")
    net.connect(cells, cells, esn.Explicit(pre, pre[::-1].copy()), weight=0.1, delay=1.0, name="wires")
    net.run(1.0)
    twin = net.fork()
    assert twin.projections["wires"] is not net.projections["wires"]
    assert np.shares_memory(twin.projections["wires"].rule.pre_ids, net.projections["wires"].rule.pre_ids)
    assert twin.populations["source"].network is twin and not twin.projections["wires"].rule.pre_ids.flags.writeable


def test_what_a_fork_cannot_do_is_a_sentence():
    net = network_of("rule STDP")
    with pytest.raises(StateError, match=r"fork: the network has not run yet; call net\.run\(0\)"):
        net.fork()
    net.run(20.0)
    with pytest.raises(InputError, match="noise: spikes on the way to wires, which is plastic, cannot be dropped"):
        net.fork().populations["noise"].drop_spikes()
    with pytest.raises(InputError, match="fork: seed"):
        net.fork(seed=-1)
    slow = network_of("rows float32")
    slow.run(1.0, engine="reference")
    with pytest.raises(StateError, match="the reference engine cannot be forked; compile another"):
        slow.fork()
    with pytest.raises(StateError, match="cells: the reference engine cannot drop spikes"):
        slow.populations["cells"].drop_spikes()
    with pytest.raises(InputError, match="a fork with a seed is another network than was described"):
        net.fork(seed=1).run(1.0, checkpoint="never")


def test_a_fork_has_checkpoints_that_the_network_resumes(tmp_path):
    net = network_of("rows float32")
    net.run(20.0)
    net.fork().run(10.0, checkpoint=tmp_path / "c")
    later = network_of("rows float32")
    assert later.resume(tmp_path / "c").t_start == 20.0 and later.time == 30.0
    net.run(until=30.0)
    assert rest(later) == rest(net)


@pytest.mark.long
def test_a_thousand_forks_leave_no_memory_behind():
    import resource

    net = network_of("rows float32")
    net.run(10.0)
    for _ in range(200):
        net.fork().run(1.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2000):
        net.fork(seed=3).run(1.0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 4_000  # kB
