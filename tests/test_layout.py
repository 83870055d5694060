"""What is laid out for the compiled engine, without one: arrays solved by hand, and numbers as kernels have them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from calm_networks import busy_network
from random_networks import random_network

import eventsnn as esn
from eventsnn._core.run.net import scales as scales_of_kernel
from eventsnn.compile import lanes
from eventsnn.compile.groups import groups_of_lane, kinds_of_classes, numbered, scales
from eventsnn.compile.lanes import ranges
from eventsnn.compile.layout import LONGEST_WITH_CALM, Net, lay_out
from eventsnn.compile.plan import Plan
from eventsnn.models.linear import LinearModel
from eventsnn.run.outcome import Flaw, Outcome
from eventsnn.run.state import digest

EXT = Path(__file__).parent.parent / "ext" / "eventsnn" / "_core"


def laid(net: esn.Network) -> Net:
    return lay_out(plan_of(net))


def plan_of(net: esn.Network) -> Plan:
    return net.compile("reference").plan


def lif(**given: object) -> esn.LIFDelta:
    return esn.LIFDelta(**{"tau_m": 10.0, "E_L": 0.0, "V_th": 20.0, "V_reset": 0.0, **given})


# ---- numbers that Python and the kernels have in common


def test_scales_are_those_of_the_kernel():
    """To the last bit, of every class in a frame and every port."""
    compared = 0
    for network in (
        *(random_network(seed, 20.0) for seed in range(40)),
        *(busy_network(seed, 5.0) for seed in range(8)),
    ):
        plan = plan_of(network)
        net, kinds = lay_out(plan), kinds_of_classes(plan)
        for k in np.flatnonzero(kinds.framed[:-1]).tolist():
            number = int(plan.class_model[k])
            model = plan.models[number]
            assert isinstance(model, LinearModel)
            expected = scales_of_kernel(net.models[number : number + 1], plan.constants[k].copy())
            found = [float(scales(model, plan.constants[k : k + 1], port)[0]) for port in range(len(model.ports))]
            assert found == expected
            assert not kinds.can_be_calm[k] or kinds.scale[k, : len(found)].tolist() == expected
            compared += len(found)
    assert compared > 300


@pytest.mark.parametrize(
    ("file", "kind", "enum"), [("run/core.pxd", "Status", Outcome), ("run/verify.pxd", "Broken", Flaw)]
)
def test_outcomes_are_numbered_as_in_the_kernels(file, kind, enum):
    block = re.search(rf"cdef enum {kind}:\n((?:    .*\n)+)", (EXT / file).read_text())
    assert block is not None
    in_c = dict(re.findall(r"^    ([A-Z_]+) = (\d+)", block.group(1), re.MULTILINE))
    assert {member.name: str(member.value) for member in enum} == in_c


def test_every_outcome_has_a_sentence():
    for outcome in Outcome:
        assert "{" not in outcome.sentence(2.5, 1_000, 100)
        assert not outcome.runaway or outcome.remedy
    assert Outcome.TOO_MANY_SPIKES.sentence(max_spikes=1_000).startswith("fired more than 1,000 times")
    assert Outcome.NO_MEMORY.sentence(2.5).endswith("stopped at 2.5 ms")
    assert all("{" not in flaw.sentence(7) for flaw in Flaw)


# ---- numbering


def test_rows_of_a_table_are_numbered():
    first, number = numbered([np.array([1.0, 2.0, 1.0, -0.0, 0.0]), np.array([7, 7, 7, 7, 7])])
    assert first.size == 4 and number[0] == number[2] and number[3] != number[4]
    assert [number[at] for at in first] == list(range(4)) and first[number[2]] == 0
    rng = np.random.default_rng(1)
    columns = [
        rng.integers(0, 4, 500),
        rng.integers(0, 3, 500).astype(float),
        np.zeros(500),
        rng.integers(0, 2, 500) > 0,
    ]
    first, number = numbered(columns)
    table = np.column_stack(columns)
    unique, inverse = np.unique(table, axis=0, return_inverse=True)
    assert first.size == len(unique) and np.array_equal(table[first][number], table)
    assert len(set(zip(number.tolist(), inverse.reshape(-1).tolist(), strict=True))) == len(unique)
    for size in (0, 1, 3):
        first, number = numbered([np.zeros(size), np.ones(size, dtype=np.int32)])
        assert first.tolist() == [0] * min(size, 1) and number.tolist() == [0] * size


# ---- which neurons may be calm


def alone(model: esn.Model, *processes: object, weight: float = 1.0) -> Net:
    net = esn.Network()
    cells = net.population(20, model, name="cells")
    for k, process in enumerate(processes):
        net.stimulate(cells, process, weight=weight, name=f"stimulus{k}")
    return laid(net)


POISSON = esn.Poisson(1_000.0)


@pytest.mark.parametrize(
    ("net", "calm"),
    [
        (lambda: alone(lif()), True),
        (lambda: alone(lif(V_reset=20.0 - 1e-13)), False),
        (lambda: alone(esn.LIFExp()), True),
        (lambda: alone(esn.LIFExp(ports=("a", "b", "c"))), False),
        (lambda: alone(esn.LIFExp(tau_syn_ex=10.0 + 1e-9)), False),
        (lambda: alone(esn.LIFAlpha()), False),
        (lambda: alone(esn.IF()), False),
        (lambda: alone(esn.GLIF(3)), False),
        (lambda: alone(esn.AdEx()), False),
        (lambda: alone(lif(), POISSON), True),
        (lambda: alone(lif(), POISSON, weight=-1.0), False),
        (lambda: alone(lif(), POISSON, weight=1e3), False),
        (lambda: alone(lif(), POISSON, POISSON), False),
        (lambda: alone(lif(), esn.Poisson(1e6)), False),
        (lambda: alone(lif(), esn.Gamma(100.0, 2.0)), False),
        (lambda: alone(esn.LIFExp(), POISSON, weight=-10.0), True),
    ],
)
def test_who_may_be_calm(net, calm):
    """Neurons in frames with few numbers, well below the threshold after a spike, and one Poisson stream that does no
    harm when it is added before it comes."""
    found = net()
    assert (found.groups.number >= 0).tolist() == [calm] * 20
    assert found.window == (LONGEST_WITH_CALM if calm else 1.0)


def neighbours() -> tuple[esn.Network, Plan, Net]:
    """Neurons 0-19 and 20-39 alike, of which 10-29 are driven, the two halves by two stimuli; 40-59 with other numbers;
    60-63 sources; 64-83 each with constants of its own."""
    net = esn.Network(seed=1)
    cells = [net.population(20, lif(), name=name) for name in "ab"]
    net.population(20, esn.LIFExp(), name="c")
    net.population(4, esn.Poisson(10.0), name="sources")
    net.population(20, lif(tau_m=np.linspace(10.0, 15.9, 20)), name="d")
    net.stimulate(cells[0][10:], esn.Poisson(1_000.0), weight=0.5, name="one")
    net.stimulate(cells[1][:10], esn.Poisson(4_000.0), weight=0.25, name="other")
    plan = plan_of(net)
    return net, plan, lay_out(plan)


def test_groups_and_drives_of_neighbours():
    _, plan, net = neighbours()
    groups = net.groups
    runs = [int(groups.number[at]) for at in (0, 40, 60, 64)]
    assert groups.number.tolist() == [runs[0]] * 40 + [runs[1]] * 20 + [-1] * 4 + [runs[3]] * 20
    assert runs[2] == -1 and len({*runs}) == 4
    assert np.flatnonzero(groups.varied).tolist() == np.flatnonzero(groups.singly).tolist() == list(range(64, 84))
    # Cells that hold 4 to 8 spikes: of 1 kHz 4 ms, of 4 kHz 1 ms.
    assert groups.cell[runs[0]] == 1.0 and groups.cell[runs[1]] == np.inf
    assert np.array_equal(groups.jump[0, 64:], 1.0 / plan.constants[plan.class_of[64:], 3])
    assert np.flatnonzero(np.diff(groups.drive))[:3].tolist() == [9, 19, 29]


def test_groups_of_a_lane():
    """Of neurons 5 to 24 and 62 on. A group that the lane has no neuron of is there without any, so that all lanes
    begin blocks at the same times."""
    _, plan, net = neighbours()
    found = groups_of_lane(net.groups, plan.class_of, [(5, 25), (62, 84)], 1)
    assert list(zip(found.start.tolist(), found.stop.tolist(), found.calm.tolist(), strict=True)) == [
        (5, 25, True), (62, 64, False), (64, 84, True), (40, 40, True),
    ]  # fmt: skip
    assert found.cell.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert found.varied.tolist() == [False, False, True, False]
    assert found.first_drive.tolist() == [0, 3, 3, 4, 5]
    assert found.drive_start.tolist() == [5, 10, 20, 64, 40] and found.drive_stop.tolist() == [10, 20, 25, 84, 40]
    sources = net.groups.source[[10, 20]].tolist()
    assert found.drive_source.tolist() == [-1, *sources, -1, -1]
    assert net.sources["weight"][sources].tolist() == [0.5, 0.25]
    # Neuron 10 has stream 0 of its stimulus, neuron 20 that of the other: less by so much modulo 2^32 for neuron 0.
    assert found.drive_index[1:3].tolist() == [2**32 - 10, 2**32 - 20]
    assert found.of_neuron.tolist() == [0] * 64 + [2] * 20
    assert not groups_of_lane(net.groups, plan.class_of, [(0, 84)], 50).calm.any()


# ---- the rest


def test_programmes_are_ended_by_inf_and_the_last_stands_for_none():
    net = esn.Network()
    cells = net.population(4, lif(), name="cells")
    net.stimulate(cells[:2], esn.StepCurrent([1.0, 2.0], [5.0, -5.0]), name="step")
    net.stimulate(cells[2], esn.RampCurrent([3.0, 4.0], [0.0, 10.0]), name="ramp")
    net.stimulate(cells[2], esn.SineCurrent(2.0, 50.0), name="sine")
    found = laid(net)
    programmes = [found.change_time[at:].tolist() for at in found.change]
    until = [times[: times.index(np.inf)] for times in programmes]
    assert until == [[1.0, 2.0], [1.0, 2.0], [0.0, 3.0, 4.0], []]
    at = int(found.change[2])
    assert found.change_slope[at : at + 3].tolist() == [0.0, 10.0, 0.0]
    assert found.change_sine[at : at + 3, 1].tolist() == [1, 1, 1] and found.sines[0, 2] == 2.0
    assert found.change_time[-1] == np.inf and found.change[3] == found.change_time.size - 1


def test_rows_of_a_neuron_are_listed_by_projection():
    net = esn.Network()
    a, b = (net.population(3, esn.LIFCondExp(), name=name) for name in "ab")
    net.connect(a, b, esn.AllToAll(), delay=2.0)
    net.connect([b, a], b[1:], esn.AllToAll(), delay=esn.Uniform(0.3, 0.7))
    found = laid(net)
    start = found.outgoing_start.tolist()
    outgoing = list(zip(found.outgoing_projection.tolist(), found.outgoing_row.tolist(), strict=True))
    assert [outgoing[x:y] for x, y in zip(start, start[1:], strict=False)] == [
        [(0, 0), (1, 3)], [(0, 1), (1, 4)], [(0, 2), (1, 5)], [(1, 0)], [(1, 1)], [(1, 2)],
    ]  # fmt: skip
    first, second = found.rows
    assert (first.first_target, first.last_target, second.first_target, second.last_target) == (3, 5, 4, 5)
    assert first.ascending and first.least_delay == 2.0 and 0.3 <= second.least_delay < 0.7
    assert not found.prompted.any()


def test_neurons_that_short_delays_reach_are_prompted():
    net = esn.Network()
    cells = net.population(600, lif(), name="cells")
    net.connect(cells, cells, esn.FixedOutDegree(3), delay=1.5)
    net.connect(cells[:1], cells[1:2], esn.AllToAll(), delay=0.0)
    found = laid(net)
    assert np.flatnonzero(found.prompted).tolist() == [1] and found.window == 0.125
    assert found.shortest == 0.0 and [rows.least_delay for rows in found.rows] == [1.5, 0.0]


def test_streams_that_differ_in_their_index_alone_have_one_source():
    net = esn.Network()
    cells = net.population(5, lif(), name="cells")
    net.population(3, esn.SpikeSource([[1.0], [2.0, 3.0], []]), name="given")
    net.stimulate(cells, esn.Poisson([100.0, 100.0, 200.0, 100.0, 200.0]), weight=2.0)
    found = laid(net)
    assert found.stream_source[:5].tolist() == [found.stream_source[0]] * 2 + [found.stream_source[2]] + [
        found.stream_source[0], found.stream_source[2],
    ]  # fmt: skip
    assert len(found.sources) == 3 and found.stream_index[:5].tolist() == [0, 1, 2, 3, 4]
    of_given = found.train[5:]
    assert [found.train_time[a : a + n].tolist() for a, n in of_given.tolist()] == [[1.0], [2.0, 3.0], []]


def test_a_digest_tells_networks_apart():
    digests = {digest(laid(random_network(seed, 20.0, samples=False))).tobytes() for seed in range(20)}
    assert len(digests) == 20
    one, other = (digest(laid(random_network(3, 20.0, samples=samples))) for samples in (True, False))
    assert np.array_equal(one, other)


# ---- shares of lanes


def test_lanes_share_parts_by_what_is_expected_to_happen():
    """Of a part of 10 neurons that cost 3 each and one of 4 that cost 30, two and four lanes get the same load."""
    load = np.cumsum([0.0] + 10 * [3.0] + 4 * [30.0])
    assert ranges(np.array([10, 14]), load, 2) == [[(0, 5), (10, 12)], [(5, 10), (12, 14)]]
    # As one part of 150: half of it is reached with the fifth half of the 30's.
    assert ranges(np.array([14]), load, 2) == [[(0, 12)], [(12, 14)]]
    assert ranges(np.array([14]), load, 5) == [[(0, 10)], [(10, 11)], [(11, 12)], [(12, 13)], [(13, 14)]]
    # More lanes than neurons: some have none, and no neuron is lost.
    assert [r for lane in ranges(np.array([2]), load[:3], 5) for r in lane] == [(0, 1), (1, 2)]


def test_load_counts_synapses_and_drawn_spikes():
    net = esn.Network(seed=1)
    a, b = net.population(4, lif(), name="a"), net.population(2, lif(), name="b")
    net.connect(a, b, esn.FixedInDegree(3), weight=1.0, delay=1.0)
    net.stimulate(b, esn.Poisson(8_000.0), weight=0.1)
    net.population(3, esn.SpikeSource([[1.0], [2.0], [3.0]]), name="given")
    each = np.diff(lanes.load(plan_of(net)))
    assert each[:4] == pytest.approx(lanes.IDLE)
    assert each[4:6] == pytest.approx(lanes.IDLE + 3 * lanes.GUESSED_RATE + 8.0)
    assert each[6:] == pytest.approx(lanes.IDLE_SOURCE)


@pytest.mark.parametrize(("synapses", "ends"), [(20, [60]), (2_500, [30, 60]), (5_000, [10, 30, 60])])
def test_parts_are_populations_if_enough_of_a_slice_reaches_a_share(synapses, ends):
    """Slices of 20 synapses are cut once at most, those of 5,000 at the borders of all populations."""
    net = esn.Network(seed=1)
    cells = [net.population(n, lif(), name=name) for n, name in ((10, "a"), (20, "b"), (30, "c"))]
    net.connect(cells, cells, esn.FixedOutDegree(synapses), weight=0.01, delay=1.0)
    assert lanes.parts(plan_of(net)).tolist() == ends
