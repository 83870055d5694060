"""Every rule against sums over the whole history of pairs: weights at any time, and what each spike is sent with."""

import math

import numpy as np
import pytest
from plastic_networks import ENGINES, Driven, Trains, random_trains

import eventsnn as esn

PAIRINGS = ["all", "nearest_symmetric", "nearest_pre_centered", "nearest_restricted"]
MUS = {"additive": (0.0, 0.0), "multiplicative": (1.0, 1.0), "guetig": (0.4, 0.3), "van Rossum": (0.0, 1.0)}

# Rule, its keywords and the weights to begin with, so large that weights run from bound to bound in some.
CASES = {
    f"STDP {name}, {pairing}": (
        "STDP",
        {"lambda_": 0.05, "alpha": 1.1, "mu_plus": plus, "mu_minus": minus, "tau_minus": 33.0, "pairing": pairing},
        50.0,
    )
    for name, (plus, minus) in MUS.items()
    for pairing in PAIRINGS
} | {
    "STDP that meets its bounds": ("STDP", {"lambda_": 0.4, "mu_plus": 0.0, "mu_minus": 0.0, "w_max": 7.0}, 3.0),
    "PowerLawSTDP": ("PowerLawSTDP", {"lambda_": 0.2, "alpha": 0.7, "tau_plus": 15.0}, 3.0),
    "PowerLawSTDP, depressing": ("PowerLawSTDP", {"alpha": 30.0, "mu": 0.0}, 3.0),
    "TripletSTDP": ("TripletSTDP", {"Aplus": 0.3, "Aplus_triplet": 0.8, "Aminus": 0.6, "Aminus_triplet": 0.2}, 40.0),
    "TripletSTDP, nearest": (
        "TripletSTDP", {"Aplus": 0.3, "Aplus_triplet": 0.8, "Aminus": 0.6, "Aminus_triplet": 0.2, "pairing": "nearest"},
        40.0,
    ),
    "TripletSTDP, visual cortex": ("TripletSTDP", {}, 0.5),
    "VogelsSTDP": ("VogelsSTDP", {"eta": 0.02, "w_max": 2.0}, 0.4),
    "VogelsSTDP, defaults": ("VogelsSTDP", {}, 0.5),
    "RewardSTDP": ("RewardSTDP", {}, 50.0),
    "RewardSTDP, a base": ("RewardSTDP", {"b": 0.003, "tau_c": 80.0, "A_minus": 0.8, "delay": 2.3}, 90.0),
    "RewardSTDP, equal times": ("RewardSTDP", {"tau_c": 100.0, "tau_n": 100.0, "w_max": 1e6}, 50.0),
    "TsodyksMarkram": ("TsodyksMarkram", {"tau_fac": 50.0, "tau_rec": 130.0, "U": 0.2}, 50.0),
    "TsodyksMarkram, depressing": ("TsodyksMarkram", {}, 50.0),
    "TsodyksMarkram, three states": ("TsodyksMarkram", {"tau_psc": 3.0, "tau_rec": 100.0, "tau_fac": 60.0}, 50.0),
    "TsodyksMarkram, no facilitation": ("TsodyksMarkram", {"tau_psc": 3.0}, 50.0),
}  # fmt: skip

STOP = 120.0
READS = [3.3, 17.25, 40.0, 71.7, 99.99]
EVERY = 12.5

DELAYS = {
    "axonal": (1.5, None),
    "both": (0.75, 1.25),
    "no dendritic": (1.5, 0.0),
    "no axonal": (0.0, 1.25),
    "off the grid": (0.7131, 2.0371),
}


def by_hand(axonal, dendritic, weight):
    """Times that meet at the synapse, pre and post, by these delays; pairs, volleys, doubled spikes, silent times."""
    behind = 0.0 if dendritic is None else dendritic
    pre = [0.0, 4.1, 4.1, 9.5, 11.0, 11.25, 11.5, 30.0, 44.7, 44.7, 44.7, 45.1, 80.0, 80.3, 95.123456789, 118.9]
    post = [1.0, 6.2, 8.0, 11.0 + axonal - behind, 14.9, 15.0, 15.1, 33.0, 45.0, 46.5, 62.0, 62.5, 79.0, 90.0, 119.5]
    meeting = [30.0 + axonal - behind, 80.0 + axonal - behind]
    return Trains([pre], [sorted(post + meeting)], axonal, dendritic, weight, reward=[12.0, 12.0, 50.3, 90.0])


def check(rule, trains, keywords, also=lambda net, post: None):
    """Weights read at times, every so often, between runs and at the end, and the currents that they have sent: in all
    engines the same bits, which are those of the oracle but for rounding. also: connects more to a network."""
    seen = []
    for engine in ENGINES:
        driven = Driven(rule, trains, **keywords)
        also(driven.net, driven.post)
        seen.append(observed(driven, engine))
    assert len({np.concatenate([part.ravel() for part in parts]).tobytes() for parts in seen}) == 1
    at_times, every, between, sent, times = seen[0]
    # A sample is taken after what comes at its time, as those of other variables; what is read between runs before it.
    reads = [*(math.nextafter(t, math.inf) for t in [*READS, *times]), READS[1], READS[2], READS[3], STOP]
    found = driven.expected(reads)
    sign = math.copysign(1.0, np.min(trains.weight))
    close(np.concatenate([at_times, every, between], axis=1), sign * np.array([one.reads for one in found]))
    # A current is a sum of many decays, each of them rounded.
    close(sent, sign * driven.sent(found, math.nextafter(STOP, 0.0)), 1e-11)
    return driven, found


def observed(driven, engine):
    net, wires = driven.net, driven.wires
    net.record(wires, "weight", times=READS, name="at times")
    net.record(wires, "weight", every=EVERY, name="every")
    between = []
    for stop in (READS[1], READS[2], READS[3], STOP):
        net.run(until=stop, engine=engine)
        between.append(driven.weights())
    order = np.lexsort((wires.synapses().post, wires.synapses().pre))
    at_times, every = (net.results().traces[name] for name in ("at times", "every"))
    sent = driven.post.state("I_syn_ex")
    return at_times.weight[order], every.weight[order], np.transpose(between), sent, every.times


def close(a, b, rel=1e-12):
    """To 1e-12; weights that fell almost to zero, to that part of what they fell from."""
    np.testing.assert_allclose(a, b, rtol=rel, atol=rel * 1e-2 * np.abs(b).max())


@pytest.mark.parametrize("engine", ENGINES)
def test_two_spikes(engine):
    """One pair each way, in numbers: the spike at 10.3 ms is at the synapse at 11.3, the neuron's 1.5 ms after it."""
    for post, factor in ((15.8, 1.0 + 0.01 * math.exp(-6.0 / 20.0)), (5.8, 1.0 - 0.01 * math.exp(-4.0 / 20.0))):
        driven = Driven("STDP", Trains([[10.3]], [[post]], 1.0, 1.5, 50.0))
        driven.net.run(until=40.0, engine=engine)
        assert driven.weights() == pytest.approx([50.0 * factor], rel=1e-15)
        assert driven.net.results().spikes["post"].times.tolist() == [post]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_meets_at_the_synapse_is_no_pair(engine):
    """Neither a spike from before that comes with one from behind, nor one that makes the neuron spike at once."""
    driven = Driven("STDP", Trains([[10.25]], [[9.5]], 1.0, 1.75, 50.0))
    driven.net.run(until=40.0, engine=engine)
    assert driven.weights().tolist() == [50.0]
    net = esn.Network()
    pre = net.population(1, esn.SpikeSource([3.3]), name="pre")
    post = net.population(1, esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0), name="post")
    rule = esn.STDP(w_max=4.0)
    wires = [
        net.connect(pre, post, esn.AllToAll(), weight=w, axonal_delay=1.0, dendritic_delay=d, plasticity=rule)
        for w, d in ((2.0, 0.0), (1e-3, 0.25))
    ]
    spikes = net.run(20.0, engine=engine).spikes["post"].times.tolist()
    assert spikes == [3.3 + 1.0] and wires[0].get("weight").tolist() == [2.0]
    gain = 0.04 * (1.0 - 1e-3 / 4.0) * math.exp(-0.25 / 20.0)
    assert wires[1].get("weight") == pytest.approx([1e-3 + gain], rel=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_read_at_the_time_of_a_spike(engine):
    """Between runs a weight is as it was before the spike, which belongs to the next run; a sample has it already."""
    driven = Driven("STDP", Trains([[10.0]], [[9.5]], 1.0, 0.0, 50.0))
    after = math.nextafter(11.0, 12.0)
    driven.net.record(driven.wires, "weight", times=[math.nextafter(11.0, 10.0), 11.0, after])
    driven.net.run(until=11.0, engine=engine)
    assert driven.weights().tolist() == [50.0]
    driven.net.run(until=after)
    depressed = driven.weights()[0]
    assert depressed == pytest.approx(50.0 * (1.0 - 0.01 * math.exp(-1.5 / 20.0)), rel=1e-15)
    trace = driven.net.run(until=20.0).traces["wires"]
    assert trace.weight[0].tolist() == [50.0, depressed, depressed] and driven.weights()[0] == depressed


@pytest.mark.parametrize("delays", DELAYS)
@pytest.mark.parametrize("case", CASES)
def test_trains_by_hand(case, delays):
    rule, keywords, weight = CASES[case]
    check(rule, by_hand(*DELAYS[delays], weight), keywords)


@pytest.mark.parametrize("case", CASES)
def test_random_trains(case):
    """Ten sources and ten neurons, all to all, each synapse with its own delays: a hundred pairs of trains."""
    rule, keywords, weight = CASES[case]
    rng = np.random.default_rng(len(case))
    trains = random_trains(rng, 10, STOP, dendritic=float(rng.choice([0.0, 0.75, 1.25, 0.7071])))
    trains.weight = rng.uniform(0.2, 1.3, 100) * weight
    _, found = check(rule, trains, keywords)
    if rule != "TsodyksMarkram":
        assert len({one.final for one in found}) > 30


def test_kicks_that_a_refractory_neuron_does_not_hear_are_no_spikes():
    trains = Trains([[11.0, 12.6]], [[10.0, 13.0, 14.0, 20.0]], 0.5, 0.25, 50.0, t_ref=5.0)
    driven, _ = check("STDP", trains, {"lambda_": 0.1})
    assert driven.net.results().spikes["post"].times.tolist() == [10.0, 20.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_spikes_that_a_refractory_neuron_does_not_hear_are_paired(engine):
    """The neuron fires at 0 and is refractory to 2 ms; what comes in between is lost to it, not to the synapse."""
    net = esn.Network()
    source = net.population(1, esn.SpikeSource([1.0, 1.5]), name="source")
    model = esn.LIFDelta(E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=2.0)
    cell = net.population(1, model, name="cell", V_m=1.0)
    wires = net.connect(source, cell, esn.AllToAll(), weight=0.5, delay=0.1, plasticity=esn.STDP(w_max=1.0))
    net.run(3.0, engine=engine)
    assert net.results().spikes["cell"].times.tolist() == [0.0] and cell.state("V_m").tolist() == [0.0]
    gain = [1.0 - 0.01 * math.exp(-s / 20.0) for s in (1.1, 1.6)]
    assert wires.get("weight") == pytest.approx([0.5 * gain[0] * gain[1]], rel=1e-14)


@pytest.mark.parametrize("case", ["STDP guetig, all", "TripletSTDP", "VogelsSTDP", "RewardSTDP", "TsodyksMarkram"])
def test_negative_weights_keep_their_sign(case):
    rule, keywords, weight = CASES[case]
    check(rule, by_hand(0.75, 1.25, -weight), keywords)


@pytest.mark.parametrize("case", ["STDP guetig, all", *[f"STDP additive, {p}" for p in PAIRINGS], "TripletSTDP"])
def test_a_neuron_that_spikes_twice_at_a_time(case):
    """Its kick and the relayed kick come at one time, one round after the other."""
    rule, keywords, weight = CASES[case]
    trains = by_hand(0.75, 1.25, weight)

    def relayed(net, post):
        relay = net.population(1, esn.IF(E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="relay")
        kicks = net.population(1, esn.SpikeSource(trains.post[0][::2]), name="more kicks")
        net.connect(kicks, relay, esn.AllToAll(), weight=2.0, delay=0.0, port="delta")
        net.connect(relay, post, esn.AllToAll(), weight=2.0, delay=0.0, port="delta")

    driven, _ = check(rule, trains, keywords, relayed)
    times = driven.net.results().spikes["post"].times
    assert len(times) == len(trains.post[0]) + len(trains.post[0][::2]) and (np.diff(times) == 0.0).sum() >= 8


def test_the_oracle_knows_its_rules_apart():
    """No two of the rules agree on these trains: a test that holds for one fails for another."""
    finals = {}
    for case, (rule, keywords, _) in CASES.items():
        trains = by_hand(0.75, 1.25, 1.0)
        driven = Driven(rule, trains, **keywords)
        driven.net.run(until=STOP, engine="reference")
        one = driven.expected([STOP])[0]
        finals[case] = (one.reads[0], *one.sent)
    assert len(set(finals.values())) == len(CASES)
