"""What users describe, and what becomes of it: slices, unions, values, names, synapses, streams, the Plan."""

import dataclasses

import numpy as np
import pytest

import eventsnn as esn
from eventsnn._core.solve.closed_form import TAU_M

both = pytest.mark.parametrize("engine", ["compiled", "reference"])


def small(seed=1):
    """5 `exc` and 3 `inh` of LIFDelta in a network of this seed."""
    net = esn.Network(seed=seed)
    return net, net.population(5, esn.LIFDelta(), name="exc"), net.population(3, esn.LIFDelta(), name="inh")


def pairs(projection):
    synapses = projection.synapses()
    return list(zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True))


# ---- populations and their values


def test_the_snippet_of_the_readme_in_small():
    net = esn.Network(seed=1)
    lif = esn.LIFDelta(tau_m=20.0, E_L=0.0, V_th=20.0, V_reset=10.0, t_ref=2.0)
    exc = net.population(100, lif, name="exc", V_m=esn.Uniform(-10.0, 20.0))
    inh = net.population(25, lif, name="inh", V_m=esn.Uniform(-10.0, 20.0))
    net.connect(exc, [exc, inh], esn.FixedInDegree(10), weight=0.1, delay=1.5)
    net.connect(inh, [exc, inh], esn.FixedInDegree(25), weight=-0.5, delay=1.5)
    net.stimulate([exc, inh], esn.Poisson(rate=20_000.0), weight=0.1)
    net.record(exc, "V_m", every=0.1, ids=range(5))
    results = net.run(50.0, threads=2)
    assert set(results.spikes) == {"exc", "inh"} and results.spikes["exc"].rate() > 1.0
    assert results.traces["exc"].V_m.shape == (5, 500) and results.traces["exc"].ids.tolist() == [0, 1, 2, 3, 4]
    assert results.summary["synapses"] == 125 * 35


def test_sizes_names_and_slices():
    _, exc, _ = small()
    assert len(exc) == 5 and exc.ids.tolist() == [0, 1, 2, 3, 4]
    for key, ids in [
        (slice(2), [0, 1]), (slice(1, None, 2), [1, 3]), (-1, [4]), (np.int64(2), [2]), ([3, 0], [3, 0]),
        (np.array([True, False, True, False, False]), [0, 2]), (slice(9, 3), []), ([], []), (range(2, 4), [2, 3]),
    ]:  # fmt: skip
        assert exc[key].ids.tolist() == ids
    assert exc[1:4][1:].ids.tolist() == [2, 3] and exc[1:][[0, 3]].ids.tolist() == [1, 4]
    assert [neuron.ids.tolist() for neuron in exc] == [[0], [1], [2], [3], [4]]
    assert repr(exc) == "<exc: 5 neurons>" and exc[:2].name == "exc[0:2]" and exc[3].name == "exc[3]"


def test_unnamed_objects_are_counted():
    net, exc, inh = small()
    more = [net.population(1, esn.LIFDelta()) for _ in range(2)] + [net.population(1, esn.LIFExp())]
    assert [population.name for population in more] == ["LIFDelta#0", "LIFDelta#1", "LIFExp#0"]
    rule = esn.AllToAll()
    names = [net.connect(*sides, rule).name for sides in [(exc, inh), (exc, inh), ([exc, inh], inh), (exc[:2], inh)]]
    assert names == ["exc->inh#0", "exc->inh#1", "exc+inh->inh#0", "exc[0:2]->inh#0"]
    assert net.connect(exc, inh, rule, name="mine").name == "mine"
    stimuli = [net.stimulate(exc, esn.Poisson(1.0), weight=1.0).name for _ in range(2)]
    assert stimuli == ["Poisson->exc#0", "Poisson->exc#1"]


def test_get_and_set_before_the_first_run():
    net, exc, _ = small()
    assert exc.get("V_th").tolist() == [-55.0] * 5
    exc.set(V_th=-50.0, tau_m=[1.0, 2.0, 3.0, 4.0, 5.0], V_m=-60.0)
    V_th, tau_m, V_m = exc.get("V_th", "tau_m", "V_m")
    assert V_th.tolist() == [-50.0] * 5 and tau_m.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0] and V_m.tolist() == [-60.0] * 5
    tau_m[:] = 0.0
    assert exc.get("tau_m").tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    projection = net.connect(exc, exc, esn.OneToOne(), weight=2.0)
    projection.set(delay=3.0)
    assert projection.get("weight", "delay")[0].tolist() == [2.0] * 5 and projection.get("delay").tolist() == [3.0] * 5


def test_a_model_is_a_template():
    """Values set for one population leave the model and its other populations alone."""
    net = esn.Network()
    lif = esn.LIFDelta(tau_m=7.0)
    a, b = net.population(1, lif, name="a", I_e=5.0), net.population(1, lif, name="b")
    a.set(tau_m=3.0)
    assert (a.get("tau_m"), b.get("tau_m"), a.get("I_e"), b.get("I_e")) == (3.0, 7.0, 5.0, 0.0)
    assert lif.values["tau_m"] == 7.0


@both
@pytest.mark.parametrize("array", [[1.0, 2.0, 4.0, 8.0, 16.0], np.arange(1, 6), (3, 3, 3, 3, 3)])
def test_parameters_as_arrays(engine, array):
    """Every neuron decays with its own tau_m."""
    net = esn.Network()
    cells = net.population(5, esn.LIFDelta(tau_m=array, E_L=0.0, V_th=1.0, V_reset=-1.0), name="cells", V_m=0.5)
    net.record(cells, "V_m", times=[3.0])
    V = net.run(4.0, engine=engine).traces["cells"].V_m[:, 0]
    assert V == pytest.approx(0.5 * np.exp(-3.0 / np.asarray(array)), rel=1e-14)


def test_parameters_and_states_as_distributions():
    net = esn.Network(seed=1)
    cells = net.population(500, esn.LIFDelta(tau_m=esn.Uniform(5.0, 15.0)), name="cells", V_m=esn.Normal(-65.0, 2.0))
    tau_m, V_m = cells.get("tau_m", "V_m")
    assert len(set(tau_m)) == len(set(V_m)) == 500 and 5.0 <= tau_m.min() < 6.0 < 14.0 < tau_m.max() < 15.0
    # 5 standard errors, with a fixed seed: error probability 6e-7 for another one.
    assert abs(V_m.mean() + 65.0) < 5.0 * 2.0 / np.sqrt(500.0)
    assert abs(np.corrcoef(tau_m, V_m)[0, 1]) < 5.0 / np.sqrt(500.0)
    plan = net.compile().plan
    assert np.array_equal(plan.v, V_m + 70.0)
    assert np.array_equal(plan.constants[plan.class_of, TAU_M], tau_m)


# ---- synapses


def test_slices_and_unions_are_numbered_by_position():
    net, exc, inh = small()
    projection = net.connect([inh[1:], exc[[4, 0]]], [exc[3:], inh], esn.Explicit([0, 1, 2, 3], [1, 4, 0, 2]))
    assert pairs(projection) == [(0, 1), (1, 4), (2, 0), (3, 2)]
    plan = net.compile().plan.projections[0]
    # Neurons are numbered through: exc 0-4, inh 5-7.
    assert plan.pre.tolist() == [6, 7, 4, 0] and plan.post.tolist() == [3, 4, 5, 6, 7]
    assert plan.target.tolist() == [4, 7, 3, 5]


@both
def test_a_union_is_one_side(engine):
    """FixedInDegree over a union draws from all of it, and an autapse is a pair of the same neuron of it."""
    net, exc, inh = small()
    projection = net.connect([exc, inh], [inh, exc], esn.AllToAll(autapses=False))
    same = {(k, k + 3) for k in range(5)} | {(k + 5, k) for k in range(3)}
    assert sorted(pairs(projection)) == [(i, j) for i in range(8) for j in range(8) if (i, j) not in same]
    indegree = net.connect([exc, inh], exc, esn.FixedInDegree(7, multapses=False, autapses=False))
    assert np.bincount(indegree.synapses().post).tolist() == [7] * 5
    before = pairs(indegree)
    net.run(1.0, engine=engine)
    assert pairs(indegree) == before


@both
def test_synapses_are_the_same_before_and_after_the_first_run(engine):
    net, exc, inh = small()
    every = [
        net.connect(exc, [inh, exc], esn.FixedProbability(0.5), weight=esn.Normal(1.0, 0.2), delay=esn.Uniform(1, 2)),
        net.connect(inh, exc, esn.FixedTotalNumber(9), weight=-1.0, delay=esn.LogNormal(0.0, 0.5)),
        net.connect(exc, inh, esn.FixedOutDegree(2), weight=np.arange(10.0).reshape(5, 2), delay=0.5),
    ]
    before = [projection.synapses() for projection in every]
    net.run(10.0, engine=engine)
    for projection, old in zip(every, before, strict=True):
        new = projection.synapses()
        for name in ("pre", "post", "weight", "delay"):
            assert np.array_equal(getattr(old, name), getattr(new, name))
            assert np.array_equal(projection.get(name), getattr(new, name))
        assert len(new) == len(new.pre) > 0


def test_synapses_are_sorted_by_pre_delay_and_post():
    net, exc, _ = small()
    synapses = net.connect(exc, exc, esn.AllToAll(), delay=esn.Uniform(0.5, 9.0), weight=esn.Uniform(0, 1)).synapses()
    order = np.lexsort((synapses.post, synapses.delay, synapses.pre))
    assert order.tolist() == list(range(25)) and len(set(synapses.delay)) == 25
    equal = net.connect(exc, exc, esn.Explicit([1, 0, 1, 1], [4, 2, 3, 3]), weight=[1.0, 2.0, 3.0, 4.0]).synapses()
    assert equal.post.tolist() == [2, 3, 3, 4] and equal.weight.tolist() == [2.0, 3.0, 4.0, 1.0]


def test_arrays_of_weights_and_delays_follow_the_order_of_the_rule():
    """AllToAll: weight[pre, post]; FixedInDegree: weight[post, k], read back through a weight that names its place."""
    net, exc, inh = small()
    weight, delay = np.arange(15.0).reshape(5, 3), np.arange(15.0, 0.0, -1.0).reshape(5, 3)
    synapses = net.connect(exc, inh, esn.AllToAll(), weight=weight, delay=delay).synapses()
    assert np.array_equal(synapses.weight, weight[synapses.pre, synapses.post])
    assert np.array_equal(synapses.delay, delay[synapses.pre, synapses.post])
    place = np.repeat(np.arange(3.0), 4).reshape(3, 4)
    synapses = net.connect(exc, inh, esn.FixedInDegree(4), weight=place).synapses()
    assert np.array_equal(synapses.weight, synapses.post) and len(synapses) == 12
    place = np.repeat(np.arange(5.0), 2).reshape(5, 2)
    synapses = net.connect(exc, inh, esn.FixedOutDegree(2), weight=place).synapses()
    assert np.array_equal(synapses.weight, synapses.pre)
    given = esn.Explicit([4, 0, 2], [0, 1, 2])
    synapses = net.connect(exc, inh, given, weight=[0.0, 1.0, 2.0], delay=[3.0, 2.0, 1.0]).synapses()
    assert synapses.pre.tolist() == [0, 2, 4] and synapses.weight.tolist() == [1.0, 2.0, 0.0]
    assert synapses.delay.tolist() == [2.0, 1.0, 3.0]


def test_a_distribution_gives_a_synapse_its_draw_whatever_the_order_of_storage():
    """With delays that reverse the order in which synapses are stored, each keeps the weight of its ordinal."""

    def weights(delay):
        net, exc, _ = small()
        synapses = net.connect(exc, exc, esn.AllToAll(), name="p", weight=esn.Normal(0.0, 1.0), delay=delay).synapses()
        return dict(zip(zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True), synapses.weight, strict=True))

    plain = weights(1.0)
    assert len(set(plain.values())) == 25
    assert plain == weights(np.arange(25.0, 0.0, -1.0).reshape(5, 5)) == weights(esn.Uniform(1.0, 2.0))


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_float32_rounds_weights_once(engine):
    """V_m after one input of each weight, from rest at 0: the weight as it was rounded, and not again."""
    weights = [1 / 3, 0.1, -2.7]
    net = esn.Network()
    cells = net.population(3, esn.LIFDelta(E_L=0.0, V_th=20.0, V_reset=0.0), name="cells")
    source = net.population(1, esn.SpikeSource([1.0]), name="source")
    synapses = net.connect(source, cells, esn.AllToAll(), weight=[weights], delay=0.5, dtype="float32")
    one = net.connect(source, cells, esn.AllToAll(), weight=0.7, delay=1.5, dtype="float32")
    net.record(cells, "V_m", times=[1.5])
    traces = net.run(4.0, engine=engine).traces["cells"]
    rounded = np.float32(weights).astype(float)
    assert synapses.get("weight").tolist() == rounded.tolist()
    # Float64 would be off by 1e-9.
    assert traces.V_m[:, 0] == pytest.approx(rounded, abs=1e-14)
    assert one.get("weight").tolist() == 3 * [float(np.float32(0.7))]
    assert synapses.get("weight").dtype == np.float64


@pytest.mark.parametrize(
    ("weight", "dtype", "words"),
    [
        (1.0, "float16", "known are float64, float32|did you mean 'float"),
        (1.0, np.float32, "dtype = <class 'numpy.float32'> is not known"),
        ([[1.0, 1e39]], "float32", r"a->b: weight = 1e\+39 is too large for dtype 'float32'; use 'float64'"),
    ],
)
def test_a_dtype_that_does_not_fit(weight, dtype, words):
    net = esn.Network()
    a, b = net.population(1, esn.LIFDelta(), name="a"), net.population(2, esn.LIFDelta(), name="b")
    with pytest.raises(esn.InputError, match=words):
        net.connect(a, b, esn.AllToAll(), weight=weight, name="a->b", dtype=dtype)
        net.compile()


def test_two_synapses_between_the_same_neurons():
    net, exc, _ = small()
    assert pairs(net.connect(exc, exc, esn.Explicit([0, 0, 1], [2, 2, 2]))) == [(0, 2), (0, 2), (1, 2)]


def test_a_side_of_silent_rows_and_no_synapses():
    net, exc, inh = small()
    empty = net.connect(exc, inh, esn.FixedTotalNumber(0), weight=esn.Normal(0.0, 1.0), delay=esn.Uniform(1.0, 2.0))
    synapses = empty.synapses()
    assert len(synapses) == 0 and synapses.weight.shape == synapses.delay.shape == (0,)
    net.run(1.0)


# ---- random streams


def described(net, extra):
    """Everything random that a network can have, after `extra` objects that must not matter."""
    if extra:
        more = net.population(7, esn.LIFExp(tau_m=esn.Uniform(5.0, 20.0)), name="extra", V_m=esn.Uniform(-70.0, -60.0))
        net.population(3, esn.Poisson(rate=50.0), name="extra noise")
        net.connect(more, more, esn.FixedInDegree(3), name="extra wires", weight=esn.Normal(0.0, 1.0))
        net.stimulate(more, esn.Poisson(rate=10.0), weight=esn.Normal(1.0, 0.1), name="extra drive")
        trains = net.population(2, esn.SpikeSource([3.0]), name="extra trains")
        net.connect(trains, more, esn.AllToAll(), name="extra input")
    cells = net.population(20, esn.LIFDelta(tau_m=esn.Uniform(8.0, 12.0)), name="cells", V_m=esn.Uniform(-70.0, -60.0))
    noise = net.population(4, esn.Poisson(rate=esn.Uniform(20.0, 80.0)), name="noise")
    wires = net.connect(cells, cells, esn.FixedInDegree(5), weight=esn.Normal(1.0, 0.2), delay=esn.Uniform(0.5, 3.0))
    input_ = net.connect(noise, cells, esn.FixedProbability(0.3), weight=2.0)
    if extra:
        net.connect(net.populations["extra"], cells, esn.FixedInDegree(2), weight=0.0)
    net.stimulate(cells, esn.Poisson(rate=900.0), weight=esn.Uniform(0.5, 2.0))
    net.record(cells, "V_m", every=1.0)
    return cells, [wires, input_]


@both
def test_adding_an_object_changes_no_draw_of_another(engine):
    plain, more = esn.Network(seed=9), esn.Network(seed=9)
    (cells, projections), (same_cells, same_projections) = described(plain, False), described(more, True)
    for name in ("tau_m", "V_m"):
        assert np.array_equal(cells.get(name), same_cells.get(name))
    for one, two in zip(projections, same_projections, strict=True):
        a, b = one.synapses(), two.synapses()
        assert all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("pre", "post", "weight", "delay"))
    a, b = plain.run(100.0, engine=engine), more.run(100.0, engine=engine)
    for name in ("cells", "noise"):
        assert len(a.spikes[name]) > 10
        assert a.spikes[name].times.tolist() == b.spikes[name].times.tolist()
        assert a.spikes[name].ids.tolist() == b.spikes[name].ids.tolist()
    assert np.array_equal(a.traces["cells"].V_m, b.traces["cells"].V_m)


def test_a_larger_population_begins_with_the_draws_of_the_smaller():
    def draws(n):
        net = esn.Network(seed=2)
        cells = net.population(n, esn.LIFDelta(), name="cells", V_m=esn.Uniform(-70.0, -60.0))
        net.population(n, esn.Poisson(rate=100.0), name="noise")
        return cells.get("V_m"), net.run(100.0).spikes["noise"].trains()

    (v, trains), (more_v, more_trains) = draws(5), draws(9)
    assert np.array_equal(v, more_v[:5])
    assert all(np.array_equal(a, b) for a, b in zip(trains, more_trains[:5], strict=True))


def test_objects_of_different_kinds_may_share_a_name_and_draw_apart():
    """A population, a projection and a stimulus called "x": their weights and spikes have nothing in common."""
    net = esn.Network(seed=1)
    source = net.population(20, esn.Poisson(rate=esn.Uniform(50.0, 60.0)), name="x")
    cells = net.population(20, esn.LIFDelta(), name="cells")
    wires = net.connect(source, cells, esn.OneToOne(), weight=esn.Uniform(0.0, 1.0), name="x")
    net.stimulate(cells, esn.Poisson(rate=esn.Uniform(50.0, 60.0)), weight=esn.Uniform(0.0, 1.0), name="x")
    streams = net.compile().plan.streams
    mean = streams.parameter[:, 1].tolist()
    assert len(mean) == 40 and len(set(mean)) == 40 and len(set(streams.key)) == 2
    assert not np.intersect1d(streams.weight, wires.get("weight")).size


@pytest.mark.parametrize("changed", ["seed", "name"])
def test_another_seed_or_name_gives_other_draws(changed):
    def draws(seed, name):
        net = esn.Network(seed=seed)
        cells = net.population(20, esn.LIFDelta(), name=name, V_m=esn.Uniform(-70.0, -60.0))
        wires = net.connect(cells, cells, esn.FixedInDegree(5), weight=esn.Normal(0, 1), delay=esn.Uniform(1, 2))
        source = net.population(20, esn.Poisson(rate=100.0), name=f"{name} source")
        times = net.run(100.0).spikes[source.name].times
        return [cells.ids, wires.get("pre") * 20 + wires.get("post"), wires.get("weight"), wires.get("delay"), times]

    one, same = draws(1, "a"), draws(1, "a")
    other = draws(*((2, "a") if changed == "seed" else (1, "b")))
    for k, (a, b, c) in enumerate(zip(one, same, other, strict=True)):
        assert np.array_equal(a, b)
        assert k == 0 or not np.array_equal(a, c)
        if k > 1:
            assert not np.intersect1d(a, c).size


# ---- recordings of the description


@both
def test_weights_are_recorded(engine):
    net, exc, inh = small()
    projection = net.connect(exc, inh, esn.AllToAll(), weight=esn.Normal(0.0, 1.0), name="wires")
    net.record(projection, "weight", every=2.0)
    net.record(projection, "weight", times=[1.5], ids=[3, 0], name="some")
    results = net.run(5.0, engine=engine)
    weight = projection.get("weight")
    assert results.traces["wires"].times.tolist() == [0.0, 2.0, 4.0]
    assert np.array_equal(results.traces["wires"].weight, np.repeat(weight[:, np.newaxis], 3, axis=1))
    assert results.traces["some"].weight[:, 0].tolist() == weight[[3, 0]].tolist()
    assert results.traces["some"].ids.tolist() == [3, 0]


@both
def test_spikes_of_some_neurons(engine):
    """Rates and counts refer to the neurons whose spikes were kept."""
    net = esn.Network()
    for name in ("a", "b", "c"):
        net.population(4, esn.SpikeSource([[1.0], [2.0], [3.0], [4.0]]), name=name)
    net.record(net.populations["b"], "spikes", ids=[3, 1])
    net.record(net.populations["c"][:1], "spikes")
    net.record(net.populations["c"][2], "spikes")
    results = net.run(10.0, engine=engine)
    assert set(results.spikes) == {"b", "c"}
    b, c = results.spikes["b"], results.spikes["c"]
    assert b.times.tolist() == [2.0, 4.0] and b.ids.tolist() == [1, 3]
    assert b.neurons.tolist() == [1, 3] and b.counts().tolist() == [1, 1] and b.rate() == 100.0
    assert c.times.tolist() == [1.0, 3.0] and c.neurons.tolist() == [0, 2]
    assert results.summary["spikes"] == 12


@both
def test_several_traces_of_one_population(engine):
    net = esn.Network()
    cells = net.population(3, esn.LIFExp(), name="cells", I_syn_ex=[1.0, 2.0, 3.0], V_m=[-70.0, -69.0, -68.0])
    net.record(cells, ["V_m", "I_syn_ex"], times=[0.0, 1.0, 1.0])
    net.record(cells[[2, 0]], "V_m", times=[0.0], name="two")
    net.record(cells, "I_syn_in", every=4.0, ids=np.array([False, True, False]), name="one")
    traces = net.run(5.0, engine=engine).traces
    assert list(traces) == ["cells", "two", "one"]
    assert traces["cells"].V_m[:, 0] == pytest.approx([-70.0, -69.0, -68.0], abs=1e-13)
    assert traces["cells"].I_syn_ex[:, 0] == pytest.approx([1.0, 2.0, 3.0], abs=1e-12)
    assert np.array_equal(traces["cells"].V_m[:, 1], traces["cells"].V_m[:, 2])
    assert traces["two"].V_m[:, 0] == pytest.approx([-68.0, -70.0], abs=1e-13) and traces["two"].ids.tolist() == [2, 0]
    assert traces["one"].ids.tolist() == [1] and traces["one"].times.tolist() == [0.0, 4.0]
    assert set(traces["two"].variables) == {"V_m"} and set(traces["one"].variables) == {"I_syn_in"}


# ---- the Plan


def arrays_of(item, path="plan"):
    for name, value in vars(item).items():
        for k, part in enumerate(value if isinstance(value, tuple) else (value,)):
            if isinstance(part, np.ndarray):
                yield f"{path}.{name}[{k}]", part
            elif dataclasses.is_dataclass(part) and not isinstance(part, type):
                yield from arrays_of(part, f"{path}.{name}[{k}]")


def test_every_array_of_a_plan_is_read_only():
    net = esn.Network(seed=1)
    cells, projections = described(net, True)
    net.stimulate(cells, esn.StepCurrent([1.0], [2.0]))
    net.record(projections[0], "weight", every=1.0)
    source = net.population(2, esn.SpikeSource([1.0]))
    net.connect(source, cells, esn.AllToAll())
    plan = net.compile().plan
    found = dict(arrays_of(plan))
    assert len(found) > 50
    for path, array in found.items():
        assert not array.flags.writeable, path
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.seed = 2


def test_a_plan_does_not_share_the_users_arrays():
    """What a user does to an array afterwards changes neither the description nor its Plan."""
    weight, times, taus = np.ones((5, 3)), np.array([1.0, 2.0]), np.full(5, 10.0)
    net, exc, inh = small()
    net.connect(exc, inh, esn.AllToAll(), weight=weight)
    source = net.population(1, esn.SpikeSource(times))
    net.record(exc, "V_m", times=times)
    exc.set(tau_m=taus)
    simulation = net.compile()
    weight[:], times[:], taus[:] = 9.0, 7.0, -1.0
    assert simulation.plan.projections[0].weight.tolist() == [1.0] * 15
    assert simulation.run(5.0).spikes[source.name].times.tolist() == [1.0, 2.0]
    assert simulation.results().traces["exc"].times.tolist() == [1.0, 2.0]
    assert set(simulation.plan.constants[:5, TAU_M]) == {10.0}


def test_the_window_is_a_power_of_two_not_above_the_smallest_delay():
    """As long as that does not make it narrower than 1/64 ms: half of the delays are those given here."""
    for delay, window in [(1.5, 1.0), (1.0, 1.0), (0.9, 0.5), (0.1, 0.0625), (100.0, 1.0), (0.0, 2.0**-6)]:
        net, exc, _ = small()
        net.connect(exc, exc, esn.AllToAll(), delay=2.0)
        net.connect(exc, exc, esn.AllToAll(), delay=delay)
        assert net.compile().plan.window == window
