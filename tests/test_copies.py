"""What crosses a process: every public object survives pickle and deepcopy, or refuses in a sentence."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest
from scipy import sparse

import eventsnn as esn

WAYS = {"pickle": lambda value: pickle.loads(pickle.dumps(value)), "deepcopy": copy.deepcopy}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def network():
    net = esn.Network(seed=3)
    cells = net.population(5, esn.LIFExp(), name="cells", V_m=esn.Uniform(-70.0, -60.0))
    source = net.population(2, esn.SpikeSource([[1.0], [2.0, 3.0]]), name="source")
    net.connect(source, cells, esn.FixedProbability(0.5), weight=esn.Normal(500.0, 10.0), delay=0.5)
    net.connect(cells, cells, esn.Explicit([0, 1], [1, 2]), weight=[100.0, 200.0], name="wires")
    net.connect(source, cells, esn.AllToAll(), weight=5.0, plasticity=esn.STDP(), name="plastic")
    net.connect(cells, cells, esn.OneToOne(), weight=2.0, plasticity=esn.RewardSTDP(source), name="rewarded")
    net.stimulate(cells, esn.Poisson(9_000.0), weight=60.0)
    net.stimulate(cells[:2], esn.StepCurrent([1.0], [50.0]))
    net.record(cells, "V_m", every=0.5)
    return net


def results():
    return network().run(50.0)


def same_results(one, other):
    assert one.summary == other.summary and repr(one) == repr(other)
    for name, spikes in one.spikes.items():
        assert np.array_equal(spikes.times, other.spikes[name].times) and spikes.n == other.spikes[name].n
    for name, traces in one.traces.items():
        assert np.array_equal(traces.V_m, other.traces[name].V_m) and np.array_equal(
            traces.times, other.traces[name].times
        )


# Instances of all that users make or are given; for the rest see REFUSED.
OBJECTS = [
    *(getattr(esn, name)() for name in (
        "AdEx", "EIF", "GLIF", "HHTraub", "IF", "Izhikevich", "LIFAlpha", "LIFCondAlpha", "LIFCondExp", "LIFDelta",
        "LIFExp", "MAT2", "MihalasNiebur", "QIF", "OneToOne", "AllToAll",
    )),
    esn.FixedInDegree(3), esn.FixedOutDegree(3), esn.FixedProbability(0.1), esn.FixedTotalNumber(7),
    esn.Explicit([0], [1]), esn.Conv2D([[1.0]], (4, 4)), esn.SparseMatrix(sparse.csr_array(np.eye(3))),
    esn.Uniform(0.0, 1.0), esn.Normal(0.0, 1.0, low=-1.0), esn.LogNormal(0.0, 1.0), esn.Exponential(2.0),
    esn.Poisson(5.0), esn.PoissonRefractory(5.0, 2.0), esn.Gamma(5.0, 2.0), esn.Renewal(esn.Uniform(1.0, 2.0)),
    esn.InhomogeneousPoisson([0.0], [3.0]), esn.SinusoidalPoisson(1.0, 2.0, 3.0), esn.SpikeSource([1.0, 2.0]),
    esn.StepCurrent([1.0], [2.0]), esn.RampCurrent([1.0, 2.0], [2.0, 3.0]), esn.SineCurrent(1.0, 2.0),
    esn.Reset(jump=1.0), esn.Membrane(10.0, 100.0, 0.0, 10.0, 1.0), esn.Current("I_a", 3.0), esn.Threshold("th", 3.0),
    esn.Linear(esn.Membrane(10.0, 100.0, 0.0, 10.0, 1.0), [esn.Current("I_a", 3.0)]),
    esn.Check("rate", 1.0, 2.0, 0.5, "nowhere"), esn.RunStatus(1.0, 0.0, 2.0, 0.1, 3, 4),
    esn.encode.Latency(10.0).encode(np.array([[0.1, 0.9]])),
    esn.events.Events.of([1.0, 2.0], [0, 1], [0, 1], [1, 0], 2, 2),
    esn.STDP(), esn.STDP(pairing="nearest_restricted", mu_plus=0.3), esn.PowerLawSTDP(), esn.TripletSTDP(),
    esn.VogelsSTDP(), esn.TsodyksMarkram(tau_psc=3.0), esn.Trace(3.0, nearest=True),
    esn.train.SpikeTime(), esn.train.TimeToFirstSpike(0.7), esn.train.MaxVoltage(), esn.train.IntegratedVoltage(),
    esn.train.SoftSpikeCount(), esn.train.SGD(0.1, momentum=0.5), esn.train.Adam(0.2), esn.train.Errors(np.ones(3)),
    esn.train.History(np.ones(3), np.ones(3), best=2),
    esn.PlasticityRule(pre={"x": 20.0}, synapse={"c": 5.0}, on_post=lambda w, x, c: (w + x, c + 1.0), w_max=2.0),
]  # fmt: skip


def contents(value):
    """All that an object holds, as text and bytes."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if sparse.issparse(value):
        return contents(value.toarray())
    if isinstance(value, dict):
        return {key: contents(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [contents(item) for item in value]
    if hasattr(value, "__dict__"):
        return type(value).__name__, contents(vars(value))
    return repr(value)


@each_way
@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: type(value).__name__)
def test_objects_survive_with_equal_contents(value, way):
    other = way(value)
    assert type(other) is type(value) and repr(other) == repr(value) and contents(other) == contents(value)


@each_way
def test_a_count_of_spikes_survives_with_its_network(way):
    other = way(esn.SpikeCount(network().populations["cells"][1:3], 2))
    assert (other.population, other.ids.tolist(), other.n) == ("cells", [1, 2], 2)
    assert other.neurons.population.network.run(5.0, until=other).t_stop <= 5.0


@each_way
def test_results_survive_and_stay_read_only(way):
    made = results()
    other = way(made)
    same_results(made, other)
    for array in (other.spikes["cells"].times, other.traces["cells"].times, other.traces["cells"].V_m):
        assert not array.flags.writeable
    part = way(made.spikes["cells"][[3, 1]].between(5.0, 20.0))
    assert part.neurons.tolist() == [3, 1] and (part.t_start, part.t_stop) == (5.0, 20.0)
    trains = way(esn.encode.Latency(10.0).encode(np.array([[0.1, 0.9]])))
    assert not trains.times.flags.writeable


@each_way
def test_a_network_that_has_not_run_survives_and_gives_the_same_spikes(way):
    net = network()
    other = way(net)
    same_results_of = net.run(50.0), other.run(50.0)
    assert np.array_equal(*(r.spikes["cells"].times for r in same_results_of))
    assert other.projections["rewarded"].plasticity.rule.reward is other.populations["source"]
    assert other.projections["plastic"].plasticity.projection is other.projections["plastic"]
    assert other.populations["cells"].network is other and other.projections["wires"].pre[0].population.network is other


@each_way
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ran(), ["has run", "net.reset()", "net.results()"]),
        (lambda: network().compile(), ["stays in its process", "results()"]),
        (lambda: network().compile("reference"), ["stays in its process", "results()"]),
        (esn.ProgressBar, ["belongs to its terminal"]),
    ],
)
def test_what_cannot_cross_says_what_to_do(make, words, way):
    with pytest.raises(esn.StateError) as caught:
        way(make())
    assert all(word in str(caught.value) for word in words)


def ran():
    net = network()
    net.run(1.0)
    return net


@each_way
@pytest.mark.parametrize(
    "error", [esn.InputError("a"), esn.StateError("b"), esn.RunawayError("c", "cells", 3, 1.5)], ids=repr
)
def test_errors_survive(error, way):
    other = way(error)
    assert type(other) is type(error) and str(other) == str(error) and vars(other) == vars(error)


def run_away(weight):
    net = esn.Network(seed=1, max_spikes=50)
    cells = net.population(2, esn.LIFDelta(t_ref=0.0), name="cells", V_m=-55.0)
    net.connect(cells, cells, esn.AllToAll(), weight=weight, delay=0.0)
    return net.run(5.0).spikes["cells"].times.size


def test_a_pool_hears_of_a_network_that_runs_away():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with pytest.raises(esn.RunawayError, match="of cells") as caught:
            pool.map_async(run_away, [0.0, 30.0]).get(timeout=60.0)
        assert caught.value.population == "cells" and caught.value.time >= 0.0


@each_way
def test_a_sweep_is_what_it_was(way):
    sweep = esn.sweep(lambda n: pair(n), 5.0, {"n": [1, 2]}, measure=lambda results: {"a": len(results.spikes["s"])})
    twin = way(sweep)
    assert repr(twin) == repr(sweep) and twin.table()["a"].tolist() == sweep.table()["a"].tolist() == [1.0, 2.0]


def pair(n: int) -> esn.Network:
    net = esn.Network()
    net.population(n, esn.SpikeSource([[1.0]] * n), name="s")
    return net


def test_every_public_name_is_tried():
    tried = {type(value).__name__ for value in OBJECTS} | {"Results", "SpikeTrains", "Traces", "Network", "Simulation"}
    tried |= {"SpikeCount", "ReferenceSimulation", "ProgressBar", "InputError", "InputWarning", "StateError"}
    tried |= {"RunawayError"}
    # Neurons, projections and what rewards cross with their network; LinearModel is a base; load is a function; the
    # rest are modules.
    tried |= {"Population", "Projection", "RewardSTDP", "LinearModel", "load", "scenario", "encode", "events"}
    tried |= {"plasticity", "train", "Sweep", "SweepStatus", "sweep", "load_sweep"}
    assert set(esn.__all__) - tried == set()


@each_way
def test_a_trainable_stays_where_it_is(way):
    net = esn.Network()
    source, out = net.population(1, esn.SpikeSource([1.0])), net.population(1, esn.LIFExp())
    with pytest.raises(esn.StateError, match="make another Trainable"):
        way(esn.train.Trainable(net, source, out, 10.0))
