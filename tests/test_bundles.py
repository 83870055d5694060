"""Projections whose synapses lie in rows that they have in common with others, and those that must not."""

from __future__ import annotations

import numpy as np
import pytest
from event_log import differences, event_log

import eventsnn as esn
from eventsnn.compile import lanes
from eventsnn.compile import rows as compile_rows
from eventsnn.compile.plan import PartPlan

GRID = esn.Normal(1.5, 0.75, low=0.1, grid=0.1)


def network(weight: object = 0.5, delay: object = GRID, model: type = esn.LIFDelta, dtype: str = "float64", **given):
    """Three populations that reach each other, of which one is not next to the other two."""
    net = esn.Network(seed=5)
    cells = [net.population(n, model(tau_m=10.0), name=f"cells{n}", I_e=390.0, **given) for n in (40, 30)]
    net.population(5, model(), name="between")
    cells.append(net.population(20, model(tau_m=10.0), name="cells20", I_e=390.0, **given))
    for pre in cells:
        for post in cells:
            net.connect(pre, post, esn.FixedProbability(0.3), weight=weight, delay=delay, dtype=dtype)
    net.stimulate(cells, esn.Poisson(2_000.0), weight=0.4)
    return net


@pytest.fixture
def single(monkeypatch):
    """Compile a network so that each projection has rows of its own."""

    def compiled(net: esn.Network, engine: str = "compiled") -> esn.Simulation:
        with monkeypatch.context() as patch:
            patch.setattr(compile_rows, "MOST_DELAYS", 0)
            simulation = net.compile(engine)
        assert simulation.plan.rows == simulation.plan.projections
        return simulation

    return compiled


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weight", [0.5, esn.Normal(0.0, 0.6)])
@pytest.mark.parametrize("delay", [GRID, 1.25])
def test_parts_are_the_projections(weight, delay, dtype, single):
    """Row by row, and as a whole; one row for all that a neuron reaches."""
    plan = network(weight, delay, dtype=dtype).compile().plan
    alone = single(network(weight, delay, dtype=dtype)).plan
    assert len(plan.rows) == 3 and len(plan.projections) == 9
    for part, other in zip(plan.projections, alone.projections, strict=True):
        assert isinstance(part, PartPlan) and part.n_synapses == other.n_synapses and part.name == other.name
        own = part.alone()
        for name in ("pre", "post", "start", "target", "weight", "delay"):
            assert np.array_equal(getattr(own, name), getattr(other, name)), name
        assert (own.slices is None) == (other.slices is None)
        for name in ("row", "start", "value") if own.slices is not None else ():
            assert np.array_equal(getattr(own.slices, name), getattr(other.slices, name)), name
        for row in range(part.pre.size):
            for one, two in zip(part.row(row), other.row(row), strict=True):
                assert one.dtype == two.dtype and np.array_equal(one, two)
    for merged in plan.rows:
        target, _, delays = (np.concatenate(parts) for parts in zip(*map(merged.row, range(3)), strict=True))
        for row in range(3):
            target, _, delays = merged.row(row)
            assert np.array_equal(np.lexsort((target, delays)), np.arange(target.size))


@pytest.mark.parametrize("model", [esn.LIFDelta, esn.LIFExp])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_spikes_do_not_depend_on_it(model, dtype, single):
    scale = 1.0 if model is esn.LIFDelta else 80.0
    weight = esn.Normal(0.3 * scale, 0.6 * scale)
    reference = event_log(network(weight, model=model, dtype=dtype).compile("reference"), 30.0)
    for simulation in (
        network(weight, model=model, dtype=dtype).compile(),
        single(network(weight, model=model, dtype=dtype)),
    ):
        for calm in (True, False):
            simulation._state.set_calm(calm)
        simulation._state.set_calm(True)
        assert differences(reference, event_log(simulation, 30.0)) == []


def test_what_is_not_bundled():
    """Targets outside of frames, whose sums have an order; delays by synapse; other weights, ports, types, sources."""

    def rows(change) -> tuple[int, int]:
        net = esn.Network(seed=1)
        lif = esn.LIFDelta()
        a, b, c = (net.population(10, lif, name=name) for name in "abc")
        change(net, a, b, c)
        plan = net.compile().plan
        return len(plan.projections), len(plan.rows)

    def connect(net, a, *posts, **given):
        for post in posts:
            net.connect(a, post, esn.AllToAll(), **given)

    assert rows(lambda net, a, b, c: connect(net, a, b, c)) == (2, 1)
    assert rows(lambda net, a, b, c: (connect(net, a, b), connect(net, a, c, weight=2.0))) == (2, 2)
    assert rows(lambda net, a, b, c: (connect(net, a, b), connect(net, a, c, dtype="float32"))) == (2, 2)
    assert rows(lambda net, a, b, c: (connect(net, a, c), connect(net, b, c))) == (2, 2)
    assert rows(lambda net, a, b, c: (connect(net, a, c), connect(net, a[:5], b))) == (2, 2)
    assert rows(lambda net, a, b, c: connect(net, a, b, b)) == (2, 2)
    assert rows(lambda net, a, b, c: connect(net, a, b, c, delay=esn.Uniform(1.0, 2.0))) == (2, 2)
    assert rows(lambda net, a, b, c: connect(net, a, b, c, storage="procedural")) == (2, 2)

    def ramp(net, a, b, c):
        connect(net, a, b, c)
        net.stimulate(c, esn.RampCurrent([0.0, 100.0], [0.0, 10.0]))

    assert rows(ramp) == (2, 2)

    def conductances(net, a, b, c):
        connect(net, a, b, net.population(5, esn.LIFCondExp(), name="d"))

    assert rows(conductances) == (2, 2)


def test_weights_can_be_recorded_and_synapses_read():
    net = network(esn.Normal(0.0, 0.6))
    before = {name: p.synapses() for name, p in net.projections.items()}
    net.record(net.projections[next(iter(net.projections))], "weight", every=1.0)
    results = net.run(30.0)
    for name, p in net.projections.items():
        for field in ("pre", "post", "weight", "delay"):
            assert np.array_equal(getattr(p.synapses(), field), getattr(before[name], field))
    assert isinstance(net._simulation.plan.projections[0], PartPlan) and results.summary["synaptic_events"] > 0


@pytest.mark.parametrize("times", [1, 2, 17, 63])
def test_how_often_a_row_reaches_a_neuron(times, monkeypatch):
    """Also where what is alike lies across two of the parts that are looked through; never too few."""
    monkeypatch.setattr(lanes, "PART", 40)
    for before in (0, 1, 30, 39, 40, 70):
        net = esn.Network()
        a, b = (net.population(100, esn.LIFDelta(), name=name) for name in "ab")
        post = [*range(before), *[before] * times]
        net.connect(a[:1], b, esn.Explicit([0] * len(post), post))
        found = lanes.most_alike(net.compile().plan.rows[0])
        assert times <= found <= (times if times < 63 else 200)
