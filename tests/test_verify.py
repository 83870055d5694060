"""The invariants of the schedule: they hold after any number of windows, and what breaks them is found."""

from __future__ import annotations

import numpy as np
import pytest
from calm_networks import busy_network
from random_networks import random_network

import eventsnn as esn

CALM, APART, HELD, FOLLOWED = 0, 1, 2, 4


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("seed", [1, 3, 8, 14, 23, 42])
def test_busy_networks_are_sound_between_windows(seed, threads):
    """Whatever the chunks of the run are; there are neurons of every kind."""
    for width in (2.0**-6, 0.125, 1.0):
        simulation = busy_network(seed, 12.0).compile()
        state, seen = simulation._state, set()
        state.set_calm(True, width=width)
        rng = np.random.default_rng(seed)
        while not state.advance(12.0, int(rng.integers(1, 400)), threads):
            state.verify()
            seen |= set(state.flags().tolist())
        state.verify()
        assert seen == {CALM, APART, HELD, FOLLOWED} or threads > 1 or width != 0.125


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_are_sound_between_windows(seed):
    simulation = random_network(seed, 20.0).compile()
    state = simulation._state
    while not state.advance(20.0, 50):
        state.verify()


def running() -> esn.Simulation:
    """A network in the middle of a block, with neurons that are calm, held and followed."""
    net = esn.Network(seed=2)
    cells = net.population(200, esn.LIFExp(tau_m=10.0, t_ref=2.0, V_th=-60.0), I_e=100.0, V_m=esn.Uniform(-70.0, -60.0))
    net.connect(cells, cells, esn.FixedOutDegree(40), weight=esn.Normal(20.0, 5.0), delay=1.5)
    net.stimulate(cells, esn.Poisson(5_000.0), weight=15.0)
    net.population(3, esn.Poisson(100.0))
    simulation = net.compile()
    simulation._state.set_calm(True, width=1.0)
    simulation._state.advance(60.0, 12_000)
    simulation._state.verify()
    assert {CALM, HELD, FOLLOWED} <= set(simulation._state.flags().tolist())
    return simulation


@pytest.mark.parametrize(
    ("what", "kind", "sentence"),
    [
        ("flag", CALM, "is neither calm nor held, followed or apart"),
        ("line", CALM, "is calm at its line or beyond a range"),
        ("wake", CALM, "is in the queue of wakes too late or for nothing"),
        ("wake", FOLLOWED, "is in the queue of wakes too late or for nothing"),
        ("no wake", None, "is in the queue of wakes too late or for nothing"),
        ("release", HELD, "is held, but not as those are that are"),
        ("place", FOLLOWED, "is followed, but not as those are that are"),
        ("lost", CALM, "a place of the pool is lost"),
        ("block", CALM, "is in a block that is none"),
        ("row", CALM, "a spike under way should have arrived"),
    ],
)
def test_what_is_planted_is_found(what, kind, sentence):
    state = running()._state
    neuron = 200 if kind is None else int(np.flatnonzero(state.flags() == kind)[0])
    state.plant(what, neuron)
    with pytest.raises(RuntimeError, match=sentence):
        state.verify()
