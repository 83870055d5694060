"""How synapses are kept: slices of one delay, what is uniform once, and the same network whichever way."""

import os

import numpy as np
import pytest
from drawn_rows import draw

import eventsnn as esn
from eventsnn.compile import building
from eventsnn.compile import synapses as compile_synapses
from eventsnn.draw import streams


def receivers(n=4):
    """A source that fires at 1 ms, and n neurons, which show in V_m what has arrived."""
    net = esn.Network()
    cells = net.population(n, esn.LIFDelta(E_L=0.0, V_th=1e3, V_reset=0.0, tau_m=1e9), name="cells")
    return net, net.population(2, esn.SpikeSource([1.0]), name="source"), cells


def compiled(net):
    return net.compile().plan.projections[0]


def test_delays_of_few_values_are_kept_by_slice():
    """Row 0 reaches 3 and 1 after 0.5 ms, 0 and 2 after 2 ms; row 1 has no synapse; row 2 reaches 1 after 2 ms."""
    net, _, cells = receivers()
    source = net.population(3, esn.SpikeSource([1.0]))
    rule = esn.Explicit([0, 0, 2, 0, 0], [3, 2, 1, 0, 1])
    net.connect(source, cells, rule, weight=[1.0, 2.0, 3.0, 4.0, 5.0], delay=[0.5, 2.0, 2.0, 2.0, 0.5])
    plan = compiled(net)
    assert plan.start.tolist() == [0, 4, 4, 5] and plan.target.tolist() == [1, 3, 0, 2, 1]
    assert plan.weight.tolist() == [5.0, 1.0, 4.0, 2.0, 3.0]
    assert plan.delay.tolist() == [0.5, 2.0]
    assert plan.slices.row.tolist() == [0, 2, 2, 3]
    assert plan.slices.start.tolist() == [0, 2, 0] and plan.slices.value.tolist() == [0, 1, 1]
    assert plan.delays().tolist() == [0.5, 0.5, 2.0, 2.0, 2.0]


def test_a_slice_ends_with_its_row():
    """The last delay of row 0 is the first of row 1."""
    net, source, cells = receivers()
    net.connect(source, cells, esn.AllToAll(), delay=[[1.0, 1.0, 2.0, 2.0], [2.0, 2.0, 3.0, 3.0]])
    slices = compiled(net).slices
    assert slices.row.tolist() == [0, 2, 4] and slices.start.tolist() == [0, 2, 0, 2]


@pytest.mark.parametrize(("delay", "kept"), [(esn.Uniform(1.0, 1.0), 1), (esn.Uniform(1.0, 2.0), 8)])
def test_equal_delays_are_kept_once_and_continuous_ones_by_synapse(delay, kept):
    net, source, cells = receivers()
    net.connect(source, cells, esn.AllToAll(), delay=delay)
    plan = compiled(net)
    assert plan.delay.size == kept and plan.slices is None


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("values", [0, 2**16])
def test_every_weight_arrives_after_its_delay(engine, dtype, values, monkeypatch):
    """Weights are powers of two, so that V_m without a leak names the synapses of which it is the sum."""
    monkeypatch.setattr(compile_synapses, "MOST_VALUES", values)
    net, source, cells = receivers()
    weight = 2.0 ** np.arange(8.0).reshape(2, 4)
    delay = np.array([[0.5, 1.5, 0.5, 2.5], [1.5, 1.5, 2.5, 2.5]])
    net.connect(source, cells, esn.AllToAll(), weight=weight, delay=delay, dtype=dtype)
    times = np.array([1.25, 1.75, 2.75, 3.75])
    net.record(cells, "V_m", times=times)
    V_m = net.run(5.0, engine=engine).traces["cells"].V_m
    assert (compiled(net).slices is None) == (values == 0)
    arrived = (1.0 + delay)[:, :, np.newaxis] < times
    assert np.array_equal(np.rint(V_m), np.sum(weight[:, :, np.newaxis] * arrived, axis=0))


RULES = [
    esn.AllToAll(autapses=False),
    esn.FixedInDegree(7),
    esn.FixedInDegree(5, autapses=False, multapses=False),
    esn.FixedOutDegree(60),
    esn.FixedProbability(0.2),
    esn.FixedTotalNumber(900, autapses=False),
    esn.FixedTotalNumber(900, multapses=False),
]
DELAYS = [1.0, esn.Uniform(0.5, 3.0), esn.Normal(1.5, 0.75, low=0.1, grid=0.1)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("delay", DELAYS)
def test_synapses_are_the_same_for_any_number_of_threads(rule, delay):
    net = esn.Network(seed=3)
    cells = net.population(120, esn.LIFDelta())
    net.connect(cells, cells, rule, weight=esn.Normal(0.0, 1.0), delay=delay)
    one = net.compile().plan.projections[0]
    for threads in (2, 3, 7):
        more = net.compile(threads=threads).plan.projections[0]
        for name in ("start", "target", "weight", "delay"):
            assert np.array_equal(getattr(one, name), getattr(more, name))
        assert np.array_equal(one.delays(), more.delays())


@pytest.mark.parametrize(("indegree", "expected"), [(7, [3]), (30, [3, 3, 3])])
def test_threads_are_as_many_as_processors_with_work(indegree, expected, monkeypatch):
    """Rows of 840 and of 3,600 synapses. Counts of 120 rows, for each thread its own, take 960 bytes."""
    used = []
    pool = building.ThreadPoolExecutor
    monkeypatch.setattr(building, "WORTH_A_THREAD", 200)
    monkeypatch.setattr(building, "ThreadPoolExecutor", lambda n: used.append(n) or pool(n))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    net = esn.Network(seed=3)
    cells = net.population(120, esn.LIFDelta())
    net.connect(cells, cells, esn.FixedInDegree(indegree), weight=esn.Normal(0.0, 1.0))
    several = net.compile().plan.projections[0]
    assert used == expected
    one = net.compile(threads=1).plan.projections[0]
    assert used == expected
    assert several.target.tobytes() == one.target.tobytes() and several.weight.tobytes() == one.weight.tobytes()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("delay", DELAYS[1:])
def test_a_row_is_sorted_by_delay_target_and_draw_and_its_values_are_those_of_the_ordinals(rule, delay):
    """The distributions drawn anew from the ordinals, and NumPy's sort."""
    net = esn.Network(seed=3)
    cells = net.population(120, esn.LIFDelta())
    projection = net.connect(cells, cells, rule, name="p", weight=esn.Normal(0.0, 1.0), delay=delay)
    ids = np.arange(120, dtype=np.int32)
    rows = draw(rule, streams.stream_key(3, "p", "connections"), ids, ids, True)
    numbers = rows.ordinal.astype(np.uint64)
    weight = projection.weight.sample(streams.stream_key(3, "p", "weight"), numbers)
    drawn = delay.sample(streams.stream_key(3, "p", "delay"), numbers)
    pre = np.repeat(np.arange(120), np.diff(rows.indptr))
    order = np.lexsort((rows.ordinal, rows.target, drawn, pre))
    synapses = projection.synapses()
    for got, expected in [
        (synapses.pre, pre), (synapses.post, rows.target), (synapses.weight, weight), (synapses.delay, drawn)
    ]:  # fmt: skip
        assert np.array_equal(got, expected[order])


@pytest.mark.parametrize("n", [2, 40, 5000])
def test_long_rows_with_ties_are_sorted_stably(n):
    """One row, from 3 delays and 40 targets: by insertion and byte by byte; weights tell the draws."""
    rng = np.random.default_rng(n)
    post, delay = rng.integers(0, 40, n), rng.integers(1, 4, n) * 0.7
    net, source, _ = receivers()
    cells = net.population(40, esn.LIFDelta())
    rule = esn.Explicit(np.zeros(n, dtype=int), post)
    synapses = net.connect(source, cells, rule, weight=np.arange(float(n)), delay=delay).synapses()
    assert synapses.weight.tolist() == np.lexsort((np.arange(n), post, delay)).tolist()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"delay": (700, -1.0)}, r"p: delay = -1 ms \(synapse 700 in the rule's order\) must be finite and not neg"),
        ({"weight": (3, np.nan)}, r"p: weight = nan mV or pA \(synapse 3 in the rule's order\) must be finite"),
        ({"delay": (2, np.inf), "weight": (840, np.inf)}, r"p: delay = inf ms \(synapse 2 in"),
    ],
)
def test_the_first_value_that_cannot_be_used_is_named(threads, values, words):
    net = esn.Network()
    cells = net.population(120, esn.LIFDelta())
    given = {name: np.arange(1.0, 841.0).reshape(120, 7) for name in values}
    for name, (at, value) in values.items():
        given[name].flat[at:] = value
    net.connect(cells, cells, esn.FixedInDegree(7), name="p", **given)
    with pytest.raises(esn.InputError, match=words):
        net.compile(threads=threads)


@pytest.mark.parametrize("threads", [1, 3])
def test_draws_outside_an_interval_are_counted_or_given_up(threads):
    def connected(delay):
        net = esn.Network(seed=1)
        cells = net.population(100, esn.LIFDelta())
        net.connect(cells, cells, esn.AllToAll(), name="p", delay=delay)
        return net

    below = esn.Normal(0.0, 1.0).sample(streams.stream_key(1, "p", "delay"), np.arange(10_000, dtype=np.uint64)) < 0.0
    words = rf"p: delay: Normal: {below.sum()} of 10000 values drawn with mean = 0.0 .* fell outside"
    with pytest.raises(esn.InputError, match=words):
        connected(esn.Normal(0.0, 1.0, low=0.0, outside="error")).compile(threads=threads)
    with pytest.raises(esn.InputError, match="p: delay: Normal: .* practically never give a value"):
        connected(esn.Normal(0.0, 1.0, low=50.0)).compile(threads=threads)
