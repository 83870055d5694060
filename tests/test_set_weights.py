"""Weights that are set while a network runs: both engines alike, with spikes under way; in states; what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from calm_networks import busy_network
from random_networks import random_network
from state_networks import begin, dense_network, go_on, laid_out, laid_out_alone, outcome, same

import eventsnn as esn
from eventsnn._core.run.engine import Engine
from eventsnn.base.errors import InputError
from eventsnn.compile.layout import Net
from eventsnn.compile.plan import PartPlan, Plan, ProceduralPlan
from eventsnn.run.reference import Reference

STOP = 20.0


def settable(plan: Plan) -> list[int]:
    """Projections with a weight for each synapse."""
    found = []
    for k, p in enumerate(plan.projections):
        rows = p.rows if isinstance(p, PartPlan) else p
        if not isinstance(p, ProceduralPlan) and rows.weight.size == rows.n_synapses > 0:
            found.append(k)
    return found


def new_weights(plan: Plan, k: int, rng: np.random.Generator) -> np.ndarray:
    """About as large as they were, of any sign, some 0."""
    p = plan.projections[k]
    size = p.weight_size * float(rng.choice([0.5, 1.0, 1.5])) + 0.01
    weights = rng.uniform(-size, size, p.n_synapses)
    return np.where(rng.random(p.n_synapses) < 0.2, 0.0, weights)


def changes(plan: Plan, seed: int) -> list[tuple[float, int, np.ndarray]]:
    """At random times, on the grid of spikes in half of the networks."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0.0, STOP, 6))
    times = np.round(times * 8.0) / 8.0 if seed % 2 == 0 else times
    where = settable(plan)
    return [(float(t), k, new_weights(plan, k, rng)) for t in times for k in rng.permutation(where)[:3].tolist()]


def run(plan: Plan, engine: Any, given: list[tuple[float, int, np.ndarray]], threads: list[int]) -> dict[str, Any]:
    begin(plan, engine, STOP)
    for t, k, weights in given:
        go_on(engine, threads, stop=t)
        if engine.failure is not None:
            break
        engine.set_weights(k, weights)
    go_on(engine, threads, stop=STOP)
    found = outcome(engine)
    return {name: array for name, array in found.items() if not name.startswith("sample")}


def differing(network: esn.Network, seed: int) -> tuple[list[str], dict[str, Any]]:
    """In what the engines differ, and what the reference shows."""
    plan, net = laid_out(network)
    given = changes(plan, seed)
    expected = run(plan, Reference(plan), given, [1])
    found = []
    for calm, threads in (("auto", [1]), (True, [1, 3]), (True, [2]), (False, [3, 1])):
        engine = Engine(net)
        engine.set_calm(calm)
        found += same(run(plan, engine, given, threads), expected)
    return found, expected


@pytest.mark.parametrize("few_at_once", [False, True])
def test_random_networks(few_at_once):
    """All models, zero delays, float32, ports by sign, spikes under way in both engines."""
    altered = 0
    for seed in range(16):
        found, expected = differing(random_network(seed, STOP, samples=False, few_at_once=few_at_once), seed)
        assert found == [], seed
        plan, net = laid_out(random_network(seed, STOP, samples=False, few_at_once=few_at_once))
        altered += bool(same(run(plan, Engine(net), [], [1]), expected))
    assert altered > 8


@pytest.mark.parametrize("seed", range(3))
def test_busy_networks(seed):
    """Neurons that are calm, in rows that projections share."""
    found, _ = differing(busy_network(seed, STOP), seed)
    assert found == []


@pytest.mark.parametrize("seed", [0, 2])
def test_what_is_left_for_later_arrives_with_new_weights(seed):
    """More arrives in a window than is taken at once, and the weights are set in its middle; so they are in another
    engine that comes to it from a state."""
    plan, net = laid_out(dense_network("crowded", seed))
    found = []
    for restored in (False, True):
        engine = Engine(net)
        begin(plan, engine, STOP)
        while engine.time < 3.5 or engine.time % net.window == 0.0:
            assert not engine.advance(STOP, 20_000, 2)
        if restored:
            state, engine = engine.state(), Engine(net)
            engine.restore(state)
        engine.take_spikes()
        begin(plan, engine, STOP)
        rng = np.random.default_rng(seed)
        for k in settable(plan):
            engine.set_weights(k, 2.0 * new_weights(plan, k, rng))
        go_on(engine, [1, 2], stop=STOP)
        found.append(outcome(engine))
    assert same(*found) == []
    assert found[0]["times"].size > 100


def test_weights_may_become_so_large_that_no_neuron_may_be_calm():
    """Neurons that are calm add up what arrives as 64-bit integers, as long as no weight is too large for that."""
    net = esn.Network(seed=1)
    cells = net.population(40, esn.LIFDelta(tau_m=10.0, t_ref=1.0), name="cells", V_m=esn.Uniform(-70.0, -55.0))
    source = net.population(1, esn.SpikeSource(np.arange(1.0, 20.0)), name="source")
    net.connect(source, cells, esn.AllToAll(), weight=esn.Uniform(-0.01, 0.01), delay=1.0)
    net.stimulate(cells, esn.Poisson(1_000.0), weight=0.3)
    plan, laid = laid_out(net)
    rng = np.random.default_rng(0)
    given = [(t, 0, rng.normal(0.0, size, 40)) for t, size in ((3.0, 3.0), (7.5, 1e7), (9.5, 1e9), (12.5, 3.0))]
    expected = run(plan, Reference(plan), given, [1])
    for calm in (True, False):
        engine = Engine(laid)
        engine.set_calm(calm)
        assert same(run(plan, engine, given, [1, 2]), expected) == []
    assert "failure" not in expected and np.count_nonzero(expected["neurons"] < 40) > 50


def test_by_hand():
    """An input of 0.7 mV does not lift V from 0 to 1 mV; one of 1.2 mV does, also if its spike was under way; shrunk
    again it does not."""
    for Kind in (Engine, Reference):
        net, cells = laid_out_alone()
        source = net.population(1, esn.SpikeSource([1.0, 41.0, 81.0, 121.0]))
        net.connect(source, cells, esn.AllToAll(), weight=[[0.7, 0.7]], delay=[[1.0, 2.0]])
        plan, laid = laid_out(net)
        engine = Kind(laid if Kind is Engine else plan)
        begin(plan, engine)
        for stop, weights in [(42.5, [0.7, 1.2]), (60.0, [1.2, 0.5]), (100.0, [0.25, 0.25]), (200.0, None)]:
            assert engine.advance(stop, 10**6)
            if weights is not None:
                engine.set_weights(0, np.array(weights))
        times, neurons = engine.take_spikes()
        mine = neurons < 2
        assert sorted(zip(times[mine].tolist(), neurons[mine].tolist(), strict=True)) == [(43.0, 1), (82.0, 0)]


def bundled(dtype: str = "float64") -> tuple[Plan, Net]:
    """Two projections that share their rows, one that is alone, one with a weight for all, one that is drawn."""
    net = esn.Network(seed=3)
    cells = [net.population(20, esn.LIFDelta(t_ref=1.0), name=name, I_e=390.0) for name in "abc"]
    for post in cells[:2]:
        net.connect(cells[0], post, esn.FixedOutDegree(5), weight=esn.Uniform(0.0, 2.0), delay=1.5, dtype=dtype)
    net.connect(cells[1], cells[2], esn.OneToOne(), weight=esn.Uniform(0.0, 2.0), delay=esn.Uniform(1.0, 2.0))
    net.connect(cells[1], cells[0], esn.OneToOne(), weight=1.0, name="shared")
    net.connect(cells[2], cells[0], esn.OneToOne(), weight=1.0, storage="procedural", name="drawn")
    plan, laid = laid_out(net)
    assert isinstance(plan.projections[1], PartPlan)
    return plan, laid


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_weights_are_part_of_the_state(dtype):
    """Those of the projections that were given some; a state without any brings back those of the plan."""
    plan, net = bundled(dtype)
    engine = Engine(net)
    engine.advance(5.0, 10**6)
    before = engine.state()
    assert not any(name.startswith("weights") for name in before)
    weights = np.linspace(-1.0, 3.0, 100)
    engine.set_weights(1, weights)
    engine.set_weights(2, np.linspace(-2.0, 30.0, 20))
    weights[:] = 9.0
    engine.advance(7.0, 10**6)
    after = engine.state()
    assert [name for name in after if name.startswith("weights")] == ["weights.1", "weights.2"]
    assert after["weights.1"].dtype == dtype and after["weights.1"][0] == -1.0
    other = Engine(net)
    other.set_weights(0, np.full(100, 5.0))
    other.restore(after)
    assert same(other.state(), after) == []
    go_on(other, [2])
    go_on(engine, [1])
    engine_shows, other_shows = outcome(engine), outcome(other)
    late = engine_shows["times"] >= 7.0
    engine_shows |= {name: engine_shows[name][late] for name in ("times", "neurons")}
    assert same(engine_shows, other_shows) == []
    untouched = Engine(net)
    for one in (untouched, other):
        one.restore(before)
        begin(plan, one)
        go_on(one, [1])
    assert same(outcome(untouched), outcome(other)) == []


@pytest.mark.parametrize(
    ("projection", "weights", "sentence"),
    [
        (0, np.ones(99), r"a->a#0: weights of shape \(99,\) cannot be set; it has 100 synapses"),
        (0, 1.0, r"a->a#0: weights of shape \(\) cannot be set; it has 100 synapses"),
        (1, np.append(np.ones(99), np.nan), r"a->b#0: weight = nan \(synapse 99\) must be finite"),
        (1, np.append(np.ones(99), 1e300), r"a->b#0: weight = 1e\+300 \(synapse 99\) must be small enough for dtype"),
        (3, np.ones(20), "shared: all synapses share one weight, so that none can be set"),
        (4, np.ones(20), "drawn keeps no weights with storage='procedural', so that none can be set"),
        (5, np.ones(20), "set_weights: there is no projection number 5; there are 5"),
        (-1, np.ones(20), "set_weights: there is no projection number -1; there are 5"),
    ],
)
def test_what_cannot_be_set_is_refused(projection, weights, sentence):
    plan, net = bundled("float32")
    for engine in (Engine(net), Reference(plan)):
        with pytest.raises(InputError, match=sentence):
            engine.set_weights(projection, weights)
