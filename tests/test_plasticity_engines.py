"""Recurrent plastic networks: engines, pieces and threads give the same bits, weights follow from spikes."""

import math

import numpy as np
import pytest
from event_log import differences
from oracle_plasticity import history
from plastic_lives import Life
from plastic_networks import ENGINES
from plastic_recurrent import MODELS, RULES, log_of, recurrent

import eventsnn as esn

STOP = 20.0
PAIRS = list(zip(RULES, [*list(RULES)[5:], *list(RULES)[:5]], strict=True))
# Every rule twice, and every model with several of them.
CASES = [(list(MODELS)[k % len(MODELS)], rules, k) for k, rules in enumerate(PAIRS)]

every_case = pytest.mark.parametrize(
    ("model", "rules", "seed"), CASES, ids=[f"{m}, {r[0]}, {r[1]}" for m, r, _ in CASES]
)


@every_case
def test_engines_pieces_and_threads_agree(model, rules, seed):
    whole = log_of(recurrent(model, rules, seed), "reference", STOP)
    assert len(whole["cells times"]) > 15 * 8, "hardly a spike"
    learned = {
        name for name in whole if name.startswith("weights of plastic") and len(set(np.frombuffer(whole[name]))) > 50
    }
    assert learned
    pieces = (0.3, 7.5, 7.5, 12.0, 17.7, STOP)
    runs = [("reference", pieces, (1,))] if seed % 3 == 0 else []
    if "compiled" in ENGINES:
        runs += [("compiled", (STOP,), (1,)), ("compiled", pieces, (1, 2, 3)), ("compiled", (STOP / 3, STOP), (3, 2))]
    for engine, stops, threads in runs:
        other = log_of(recurrent(model, rules, seed), engine, *stops, threads=threads)
        assert differences(whole, other) == [], (engine, stops, threads)


@pytest.mark.parametrize("rules", [("STDP", "triplet"), ("restricted", "reward"), ("own", "short term")])
def test_weights_of_float32(rules):
    """They are rounded at each update, in all engines alike."""
    logs = [log_of(recurrent("LIFExp", rules, 3, dtype="float32"), engine, STOP) for engine in {*ENGINES, "reference"}]
    assert all(differences(logs[0], log) == [] for log in logs)
    weights = np.frombuffer(logs[0]["weights of plastic0"])
    assert np.array_equal(weights, weights.astype(np.float32)) and np.unique(weights).size > 100


ORACLE = {
    "STDP": {"lambda_": 0.1, "mu_plus": 0.4, "mu_minus": 0.4},
    "TripletSTDP": {"Aplus": 0.02, "Aplus_triplet": 0.1, "Aminus": 0.05, "Aminus_triplet": 0.02},
    "VogelsSTDP": {"eta": 0.05},
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", ORACLE)
def test_weights_follow_from_the_spikes(rule, engine):
    """Neurons that drive each other: every spike is at once one from before and one from behind, and many are caused by
    the synapse that learns from them."""
    rng = np.random.default_rng(2)
    net = esn.Network(seed=2)
    cells = net.population(15, esn.LIFDelta(t_ref=1.0, tau_m=20.0), name="cells")
    most = 8.0 if rule == "STDP" else 3.0
    keywords = ORACLE[rule] | {"w_max": most}
    axonal = np.where(rng.random((15, 15)) < 0.5, rng.uniform(0.1, 3.0, (15, 15)), 1.0)
    weight = rng.uniform(0.1, 0.9, (15, 15)) * most
    wires = net.connect(
        cells, cells, esn.AllToAll(), weight=weight, axonal_delay=axonal, dendritic_delay=0.75,
        plasticity=getattr(esn, rule)(**keywords), name="wires",
    )  # fmt: skip
    net.stimulate(cells, esn.Poisson(1_000.0), weight=0.8)
    spikes = net.run(40.0, engine=engine).spikes["cells"]
    assert len(spikes) > 100
    trains = [spikes.times[spikes.ids == n].tolist() for n in range(15)]
    synapses = wires.synapses()
    for k in rng.permutation(len(synapses))[:60]:
        i, j = synapses.pre[k], synapses.post[k]
        pre, post = [t + axonal[i, j] for t in trains[i]], [t + 0.75 for t in trains[j]]
        expected = history(rule, weight[i, j], pre, post, [40.0], **keywords).reads[0]
        assert math.isclose(synapses.weight[k], expected, rel_tol=1e-12, abs_tol=1e-13), (i, j)


@pytest.mark.filterwarnings("ignore:record. the sample")
@pytest.mark.parametrize("first", range(0, 40, 10))
def test_random_lives(first):
    """Runs that end anywhere, reads, weights that are set, frozen, normalized, recorded, kept and restored."""
    for seed in range(first, first + 10):
        life = Life(seed)
        assert life.lived("reference") == life.lived("compiled"), (seed, life.acts)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1_000, 3_000, 100))
def test_many_more_random_lives(first):
    for seed in range(first, first + 100):
        life = Life(seed)
        assert life.lived("reference") == life.lived("compiled"), (seed, life.acts)


@pytest.mark.parametrize("rule", ["STDP", "restricted", "triplet", "reward", "own"])
def test_trains_that_are_long(rule):
    """Spikes of a neuron that fires often are kept for synapses that seldom hear from theirs, until they are many."""
    logs = []
    for engine in ("reference", "compiled"):
        net = esn.Network(seed=1)
        seldom = net.population(3, esn.SpikeSource([[5.0, 5.5, 290.0], [100.0], []]), name="seldom")
        often = net.population(2, esn.SpikeSource([np.arange(0.0, 300.0, 0.2), np.arange(0.0, 300.0, 7.0)]))
        reward = net.population(1, esn.SpikeSource(np.arange(0.0, 300.0, 30.0)))
        cells = net.population(2, esn.IF(C_m=1e9, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="cells")
        net.connect(often, cells, esn.OneToOne(), weight=2.0, delay=0.0, port="delta")
        wires = [
            net.connect(
                pre, cells, esn.AllToAll(), weight=0.5, axonal_delay=0.5, dendritic_delay=d, port="ex",
                plasticity=RULES[rule](1.0, reward),
            )
            for pre, d in ((seldom, 0.0), (seldom, 2.5), (often[1], 2.5))
        ]  # fmt: skip
        net.run(until=150.0, engine=engine)
        middle = [p.get("weight").tolist() for p in wires]
        net.run(until=300.0)
        assert net.results().summary["spikes"] > 3_000
        logs.append([middle, [p.get("weight").tolist() for p in wires], cells.state("I_syn_ex").tolist()])
    assert logs[0] == logs[1]


@pytest.mark.parametrize("rule", RULES)
def test_rows_that_are_long(rule):
    """More synapses with one delay than are taken at once."""
    rng = np.random.default_rng(7)
    times = [sorted(rng.uniform(0.0, 40.0, int(size)).round(1).tolist()) for size in rng.integers(0, 9, 150)]
    weight = rng.uniform(0.1, 0.9, (2, 150))
    axonal = np.repeat([[0.5], [1.0]], 150, axis=1)
    axonal[1, 100:] = 0.25
    logs = []
    for engine in ENGINES:
        net = esn.Network(seed=1)
        pre = net.population(2, esn.SpikeSource([1.0, 1.0, 3.5, 12.3, 12.8, 25.0, 39.0]), name="pre")
        kicks = net.population(150, esn.SpikeSource(times))
        reward = net.population(1, esn.SpikeSource([2.0, 20.0]))
        cells = net.population(150, esn.IF(C_m=1e9, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0))
        net.connect(kicks, cells, esn.OneToOne(), weight=2.0, delay=0.0, port="delta")
        wires = net.connect(
            pre, cells, esn.AllToAll(), weight=weight, axonal_delay=axonal, dendritic_delay=0.75, port="ex",
            plasticity=RULES[rule](1.0, reward),
        )  # fmt: skip
        net.run(until=20.0, engine=engine)
        middle = wires.get("weight").tolist()
        net.run(until=45.0)
        logs.append([middle, wires.get("weight").tolist(), cells.state("I_syn_ex").tolist()])
    assert all(log == logs[0] for log in logs)


@pytest.mark.parametrize("calm", ["auto", True, False])
@pytest.mark.parametrize("rules", [("STDP", "reward"), ("restricted", "triplet"), ("short term", "Vogels")])
def test_short_delays_and_calm_neurons(rules, calm):
    """Spikes that come back to the synapse within a window, and neurons that are looked at together while they rest."""
    logs = []
    for engine, chosen in (("compiled", calm), ("compiled", False), ("reference", None))[: 3 if calm is True else 2]:
        net = esn.Network(seed=3)
        cells = net.population(100, esn.LIFExp(t_ref=1.0, I_e=390.0), name="cells", V_m=esn.Uniform(-70.0, -55.5))
        reward = net.population(1, esn.Poisson(rate=100.0), name="reward")
        for k, rule in enumerate(rules):
            net.connect(
                cells, cells, esn.FixedOutDegree(20), weight=esn.Uniform(10.0, 50.0), name=f"plastic{k}",
                axonal_delay=esn.Uniform(1e-3, 0.05), dendritic_delay=(1e-3, 0.0)[k],
                plasticity=RULES[rule](60.0, reward),
            )  # fmt: skip
        net.connect(cells, cells, esn.FixedOutDegree(20), weight=-20.0, delay=esn.Uniform(0.0, 1.0), name="static")
        net.stimulate(cells, esn.Poisson(200.0), weight=160.0)
        logs.append(log_of(net, engine, 3.0, 10.0, calm=chosen))
    assert len(logs[0]["cells times"]) > 40 * 8
    assert all(differences(logs[0], log) == [] for log in logs)
