"""Rows as they are kept: targets in 16 bits from a base; slices cut where these end; what building takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from event_log import differences, event_log

import eventsnn as esn
from eventsnn.compile import rows as compile_rows
from eventsnn.compile.plan import PartPlan

PAGE = 65_536
GRID = esn.Normal(1.5, 0.75, low=0.1, grid=0.1)
KINDS = [
    {"weight": 12.0, "delay": 1.5},
    {"weight": esn.Uniform(4.0, 12.0), "delay": GRID},
    {"weight": esn.Uniform(4.0, 12.0), "delay": GRID, "dtype": "float32"},
    {"weight": 12.0, "delay": esn.Uniform(1.0, 2.0)},
]


def far_network(kind: dict, before: int = 0, model: type = esn.LIFDelta, storage: str = "stored") -> esn.Network:
    """10 driven neurons that reach others at both ends of 65,541, and on either side of the border of 16 bits."""
    net = esn.Network(seed=3)
    net.population(before, esn.SpikeSource([]), name="silent") if before else None
    source = net.population(10, esn.Poisson(500.0), name="source")
    first = net.population(PAGE, model(tau_m=10.0), name="first")
    last = net.population(5, model(tau_m=10.0), name="last")
    many = 20
    weight = kind["weight"] if model is esn.LIFDelta else 800.0
    for side in (first[:20], first[-20:]):
        net.connect(side, first[-5:], esn.FixedOutDegree(2), **kind | {"weight": weight})
    if storage == "procedural":
        net.connect(source, [first, last], esn.FixedOutDegree(many), storage=storage, **kind | {"weight": weight})
    else:
        post = np.tile([0, 1, 2, PAGE - 2, PAGE - 1, PAGE, PAGE + 1, PAGE + 4], 10)
        net.connect(source, [first, last], esn.Explicit(np.repeat(np.arange(10), 8), post), **kind | {"weight": weight})
    net.record(first[:20], "spikes")
    net.record(first[-20:], "spikes")
    net.record(last, "spikes")
    return net


@pytest.mark.parametrize("n", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1])
@pytest.mark.parametrize("before", [0, 1, 70_000])
@pytest.mark.parametrize("delay", [1.5, GRID])
def test_targets_on_either_side_of_the_border(n, before, delay, monkeypatch):
    """Every target is the one given, and in 16 bits where slices may be cut; from a base that lies anywhere."""
    monkeypatch.setattr(compile_rows, "FEWEST_OF_A_PAGE", 0)
    net = esn.Network(seed=2)
    net.population(before, esn.SpikeSource([]), name="before") if before else None
    source = net.population(2, esn.SpikeSource([1.0]), name="source")
    cells = net.population(n, esn.LIFDelta(), name="cells")
    some = [*range(5), *range(n // 2, n // 2 + 5), *range(n - 5, n)]
    some += [k for k in range(PAGE - 5, PAGE + 5) if k < n]
    rows = np.repeat([0, 1], len(some))
    made = net.connect(source, cells, esn.Explicit(rows, some * 2), weight=np.arange(rows.size), delay=delay)
    (plan,) = net.compile().plan.rows
    assert plan.offset.dtype == np.uint16
    assert len(set(plan.base.tolist())) == -(-n // PAGE) and plan.base.min() == before + 2
    for row in range(2):
        target, weight, delays = plan.row(row)
        ordinal = weight.astype(int) - row * len(some)
        assert target.dtype == np.int32 and np.array_equal(target - before - 2, np.array(some)[ordinal])
        assert np.array_equal(np.sort(ordinal), np.arange(len(some)))
        assert np.array_equal(np.lexsort((ordinal, target, delays)), np.arange(len(some)))
    synapses = made.synapses()
    assert np.array_equal(synapses.post, np.array(some)[synapses.weight.astype(int) % len(some)])
    assert np.array_equal(plan.target, np.concatenate([plan.row(0)[0], plan.row(1)[0]]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("model", "before"), [(esn.LIFDelta, 70_000), (esn.LIFExp, 0)])
def test_spikes_do_not_depend_on_how_targets_are_kept(kind, model, before, monkeypatch):
    """In pages or in 32 bits, with calm neurons or without, in threads; on the reference."""
    expected = event_log(far_network(kind, before, model).compile("reference"), 20.0)
    for fewest, width in ((0, np.uint16), (10**9, np.int32)):
        monkeypatch.setattr(compile_rows, "FEWEST_OF_A_PAGE", fewest)
        for calm in (True, False):
            simulation = far_network(kind, before, model).compile()
            cut = kind["delay"] != KINDS[3]["delay"]
            assert simulation.plan.rows[-1].offset.dtype == (width if cut else np.int32)
            simulation._state.set_calm(calm)
            assert differences(expected, event_log(simulation, 20.0)) == []
    threads = far_network(kind, before, model).compile(threads=2)
    threads.run(20.0, threads=2)
    spikes = {name: trains.times.tobytes() for name, trains in threads.results().spikes.items()}
    assert all(expected[f"{name} times"] == times for name, times in spikes.items())
    assert sum(map(len, spikes.values())) > 8 * 40


def test_rows_that_are_made_reach_beyond_the_border():
    kind = {"weight": 25.0, "delay": 1.5}
    expected = event_log(far_network(kind, storage="procedural").compile("reference"), 5.0)
    assert differences(expected, event_log(far_network(kind, storage="procedural").compile(), 5.0)) == []


def test_projections_with_rows_in_common_are_cut_as_well(monkeypatch):
    monkeypatch.setattr(compile_rows, "FEWEST_OF_A_PAGE", 0)
    net = esn.Network(seed=4)
    cells = [net.population(n, esn.LIFDelta(), name=f"cells{n}") for n in (300, PAGE, 200)]
    made = [net.connect(cells[0], post, esn.FixedOutDegree(50), delay=GRID, weight=GRID) for post in cells]
    before = [one.synapses() for one in made]
    plan = net.compile().plan
    assert len(plan.rows) == 1 and len(set(plan.rows[0].base.tolist())) == 2
    for part, one, own in zip(plan.projections, before, (p.alone() for p in plan.projections), strict=True):
        assert isinstance(part, PartPlan) and part.n_synapses == one.post.size == own.n_synapses
        assert np.array_equal(own.target, one.post + part.post[0])
        assert np.array_equal(own.weight, one.weight) and np.array_equal(own.delays(), one.delay)
        rows = [part.row(row) for row in range(300)]
        for k, whole in enumerate((own.target, own.weight, own.delays())):
            assert np.array_equal(np.concatenate([row[k] for row in rows]), whole)


def test_short_slices_are_not_cut():
    """Cutting costs 6 bytes a slice, and time: rows of few synapses for each delay have targets of 32 bits."""
    net = esn.Network()
    cells = net.population(PAGE + 1, esn.LIFDelta())
    few = net.connect(cells[:10], cells, esn.FixedOutDegree(8))
    many = net.connect(cells[:10], cells, esn.FixedOutDegree(80))
    plans = {p.name: p for p in net.compile().plan.rows}
    assert plans[few.name].offset.dtype == np.int32 and plans[many.name].offset.dtype == np.uint16


def test_targets_in_no_order_are_not_cut():
    net = esn.Network(seed=1)
    first, last = (net.population(PAGE, esn.LIFDelta(), name=name) for name in ("first", "last"))
    source = net.population(1, esn.SpikeSource([1.0]))
    net.connect(source, [last, first], esn.Explicit([0] * 4, [0, PAGE - 1, PAGE, 2 * PAGE - 1]), weight=25.0)
    (plan,) = net.compile().plan.rows
    assert plan.offset.dtype == np.int32
    spikes = net.run(5.0).spikes
    assert spikes["first"].ids.tolist() == spikes["last"].ids.tolist() == [0, PAGE - 1]


# Four projections of 2.5e6 synapses each from the same neurons. Prints the most bytes a synapse while they were built.
PROGRAM = """
import eventsnn as esn

def memory(name):
    return 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

net = esn.Network(seed=1)
cells = [net.population(5_000, esn.LIFDelta(), name=name) for name in "abcd"]
for post in cells:
    net.connect(cells[0], post, esn.{rule}, weight=esn.Normal(1.0, 0.1), delay={delay}, dtype="float32")
before = memory("VmRSS")
plan = net.compile().plan
assert len(plan.rows) == 1
print((memory("VmHWM") - before) / plan.n_synapses)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer has memory of its own")
@pytest.mark.parametrize("delay", ["1.5", "esn.Normal(1.5, 0.75, low=0.1, grid=0.1)"])
@pytest.mark.parametrize("rule", ["FixedInDegree(500)", "FixedProbability(0.1)", "FixedTotalNumber(2_500_000)"])
def test_no_synapse_is_there_twice_while_rows_are_built(rule, delay):
    """2 bytes for the target, 4 for the weight, and neurons; a copy of either would take it beyond."""
    program = PROGRAM.format(rule=rule, delay=delay)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 7.9
