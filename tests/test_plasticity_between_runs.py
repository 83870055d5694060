"""What is done to plastic synapses between runs: they are frozen, set, normalized, reset, read, kept."""

import math

import numpy as np
import pytest
from oracle_plasticity import History
from plastic_networks import ENGINES, Driven, Trains, random_trains

import eventsnn as esn

STOP = 120.0
RULES = {
    "STDP": ("STDP", {"lambda_": 0.05, "mu_plus": 0.4, "mu_minus": 0.4, "w_max": 100.0}, 50.0),
    "STDP nearest": ("STDP", {"lambda_": 0.05, "mu_plus": 0.0, "mu_minus": 1.0, "pairing": "nearest_symmetric"}, 50.0),
    "TripletSTDP": ("TripletSTDP", {"Aplus": 0.3, "Aplus_triplet": 0.8, "Aminus": 0.6, "Aminus_triplet": 0.2}, 40.0),
    "VogelsSTDP": ("VogelsSTDP", {"eta": 0.02, "w_max": 2.0}, 0.4),
}

every_rule = pytest.mark.parametrize("rule", RULES)
every_engine = pytest.mark.parametrize("engine", ENGINES)


def driven_by(rule, seed=1, dendritic=6.25):
    """Nine synapses; with this delay spikes are in the dendrite when a run ends."""
    name, keywords, weight = RULES[rule]
    trains = random_trains(np.random.default_rng(seed), 3, STOP, dendritic)
    trains.weight = weight
    return Driven(name, trains, **keywords)


def close(a, b, rel=1e-12):
    np.testing.assert_allclose(a, b, rtol=rel, atol=rel * 1e-2 * np.abs(b).max())


def reads(found):
    return np.array([one.reads[-1] for one in found])


@every_engine
@every_rule
def test_frozen_weights_stay_and_traces_go_on(rule, engine):
    """From 40 to 70 ms nothing is learned; pairs of spikes from before and after that are."""
    driven = driven_by(rule)
    net, plasticity = driven.net, driven.wires.plasticity
    net.record(driven.wires, "weight", every=5.0, name="every")
    assert plasticity.enabled
    net.run(until=40.0, engine=engine)
    plasticity.enabled = False
    assert not plasticity.enabled
    frozen = driven.weights()
    net.run(until=55.0)
    assert np.array_equal(driven.weights(), frozen)
    net.run(until=70.0)
    assert np.array_equal(driven.weights(), frozen)
    plasticity.enabled = True
    net.run(until=STOP)
    before, after = driven.expected([40.0]), driven.expected([STOP], 70.0, frozen)
    close(frozen, reads(before))
    close(driven.weights(), reads(after))
    assert not np.array_equal(driven.weights(), frozen)
    during = driven.net.results().traces["every"]
    shown = during.weight[:, (during.times >= 40.0) & (during.times < 70.0)]
    assert np.array_equal(shown, np.broadcast_to(shown[:, :1], shown.shape)) and shown.shape == (9, 6)
    # A spike is sent with the weight that it found at the synapse, or that was there as it was frozen.
    pieces = [(40.0, before), (70.0, frozen), (math.inf, after)]
    close(
        driven.post.state("I_syn_ex"),
        driven.sent(joined(driven, pieces, [None, frozen, frozen]), math.nextafter(STOP, 0.0)),
        1e-11,
    )


def joined(driven, pieces, starts):
    """Histories whose spikes are sent as in the first of the pieces (end, histories or weights) in which they arrive;
    those that arrive in another than they came to the synapse are sent with the weights as they are as it begins."""
    axonal = driven.trains.each(driven.trains.axonal)
    found = []
    for k, (i, _) in enumerate(driven.trains.pairs):
        sent = []
        for number, t in enumerate(driven.trains.pre[i]):
            came, arrived = (
                next(p for p, (end, _) in enumerate(pieces) if s < end)
                for s in (t + axonal[k], t + axonal[k] + driven.trains.behind)
            )
            of = pieces[arrived][1][k]
            if came < arrived:
                of = starts[arrived][k]
            sent.append(of.sent[number] if isinstance(of, History) else float(of))
        found.append(History(sent[-1], sent=sent))
    return found


@every_engine
def test_frozen_from_the_beginning_is_static(engine):
    driven = driven_by("STDP")
    driven.wires.plasticity.enabled = False
    driven.net.run(until=STOP, engine=engine)
    assert set(driven.weights().tolist()) == {50.0}
    driven.net.reset()
    driven.net.run(until=STOP, engine=engine)
    assert set(driven.weights().tolist()) == {50.0} and not driven.wires.plasticity.enabled
    driven.net.reset()
    driven.wires.plasticity.enabled = True
    driven.net.run(until=STOP, engine=engine)
    close(driven.weights(), reads(driven.expected([STOP])))


@every_engine
def test_freezing_and_thawing_at_once_changes_nothing(engine):
    once, twice = driven_by("STDP"), driven_by("STDP")
    once.net.run(until=STOP, engine=engine)
    for stop in (13.0, 40.0, 41.0, STOP):
        twice.net.run(until=stop, engine=engine)
        twice.wires.plasticity.enabled = False
        twice.wires.plasticity.enabled = True
    assert np.array_equal(once.weights(), twice.weights())


@every_engine
@every_rule
def test_weights_that_are_set_are_learned_from(rule, engine):
    """Spikes that are in the dendrite then arrive with the new weights, as those of static synapses do."""
    driven = driven_by(rule)
    weight = RULES[rule][2]
    driven.net.run(until=40.0, engine=engine)
    new = np.linspace(0.1, 1.2, 9) * weight
    driven.wires.set(weight=new.reshape(3, 3))
    assert np.array_equal(driven.weights(), new)
    driven.net.run(until=STOP)
    before, after = driven.expected([40.0]), driven.expected([STOP], 40.0, new)
    close(driven.weights(), reads(after))
    pieces = joined(driven, [(40.0, before), (math.inf, after)], [None, new])
    axonal = driven.trains.each(driven.trains.axonal)
    came = [t + axonal[k] for k, (i, _) in enumerate(driven.trains.pairs) for t in driven.trains.pre[i]]
    assert any(40.0 - driven.trains.behind <= s < 40.0 for s in came)
    close(driven.post.state("I_syn_ex"), driven.sent(pieces, math.nextafter(STOP, 0.0)), 1e-11)


@every_engine
def test_weights_in_the_order_of_synapses(engine):
    driven = driven_by("STDP")
    driven.net.run(until=40.0, engine=engine)
    synapses = driven.wires.synapses()
    weight = np.where(synapses.pre == 1, 0.0, synapses.weight)
    driven.wires.set(weight=weight, order="synapses")
    assert driven.wires.get("weight").tolist() == weight.tolist()
    driven.net.run(until=STOP)
    given = weight[np.lexsort((synapses.post, synapses.pre))]
    close(driven.weights(), reads(driven.expected([STOP], 40.0, given)))


@every_engine
@pytest.mark.parametrize("axis", ["post", "pre"])
def test_normalize(axis, engine):
    driven = driven_by("STDP")
    driven.net.run(until=40.0, engine=engine)
    before = driven.weights().reshape(3, 3)
    driven.wires.normalize(60.0, axis=axis)
    over = 0 if axis == "post" else 1
    expected = before * 60.0 / before.sum(axis=over, keepdims=True)
    normal = driven.weights()
    assert normal == pytest.approx(expected.ravel(), rel=1e-14)
    driven.net.run(until=STOP)
    close(driven.weights(), reads(driven.expected([STOP], 40.0, normal)))


@every_engine
def test_normalize_keeps_zeros_signs_and_bounds(engine):
    net = esn.Network()
    pre = net.population(2, esn.SpikeSource([1.0]), name="pre")
    post = net.population(3, esn.LIFExp(), name="post")
    weight = [[-1.0, 0.0, -8.0], [-3.0, 0.0, -1.0]]
    wires = net.connect(pre, post, esn.AllToAll(), weight=weight, plasticity=esn.STDP(w_max=10.0), name="wires")
    net.run(0.5, engine=engine)
    wires.normalize(12.0)
    order = np.lexsort((wires.synapses().post, wires.synapses().pre))
    assert wires.get("weight")[order] == pytest.approx([-3.0, 0.0, -10.0, -9.0, 0.0, -12.0 / 9.0], rel=1e-14)


@every_engine
def test_reset_with_and_without_what_was_learned(engine):
    driven = driven_by("STDP")
    driven.net.run(until=60.0, engine=engine)
    first = driven.weights()
    driven.net.reset()
    driven.net.run(until=60.0, engine=engine)
    assert np.array_equal(driven.weights(), first)
    driven.net.reset(weights=False)
    assert driven.net.time == 0.0
    assert np.array_equal(driven.weights(), first)
    driven.net.run(until=60.0, engine=engine)
    second = driven.weights()
    close(second, reads(driven.expected([60.0], weight=first)))
    driven.net.reset(weights=False)
    driven.net.reset(weights=False)
    driven.net.run(until=60.0, engine=engine)
    close(driven.weights(), reads(driven.expected([60.0], weight=second)))
    driven.net.reset()
    driven.net.run(until=60.0, engine=engine)
    assert np.array_equal(driven.weights(), first)


@every_engine
def test_weights_that_are_given_anew_take_the_place_of_those_that_were_learned(engine):
    driven = driven_by("STDP")
    driven.net.run(until=60.0, engine=engine)
    driven.net.reset(weights=False)
    driven.wires.set(weight=7.0)
    assert set(driven.weights().tolist()) == {7.0}
    driven.net.run(until=60.0, engine=engine)
    close(driven.weights(), reads(driven.expected([60.0], weight=7.0)))


@every_engine
@pytest.mark.parametrize(
    ("rule", "keywords"),
    [
        ("STDP", {"pairing": "nearest_pre_centered"}), ("STDP", {"pairing": "nearest_restricted"}),
        ("TripletSTDP", RULES["TripletSTDP"][1]), ("RewardSTDP", {}), ("TsodyksMarkram", {"tau_psc": 3.0}),
    ],
)  # fmt: skip
def test_reading_changes_no_bit(rule, keywords, engine):
    """Read at many times, recorded, in pieces: the weights and what is sent have the bits of a run that was let be."""
    seen = []
    for stops in ([STOP], np.linspace(0.7, STOP, 60).tolist()):
        trains = random_trains(np.random.default_rng(8), 3, STOP, 1.25)
        trains.weight = 40.0
        driven = Driven(rule, trains, **keywords)
        if len(stops) > 1:
            driven.net.record(driven.wires, "weight", every=0.5)
        for stop in stops:
            driven.net.run(until=stop, engine=engine)
            if len(stops) > 1:
                driven.weights()
        seen.append(np.concatenate([driven.weights(), driven.post.state("I_syn_ex")]))
    assert np.array_equal(seen[0], seen[1])


@every_engine
def test_a_spike_in_the_dendrite_counts_where_it_was(engine):
    """At 10 ms it is at the synapse (9.5), not at the neuron (11.5); the neuron's spike of 9.9 comes back at 11.9."""
    driven = Driven("STDP", Trains([[9.0, 30.0]], [[5.0, 9.9]], 0.5, 2.0, 50.0))
    driven.net.run(until=10.0, engine=engine)
    depressed = 50.0 * (1.0 - 0.01 * math.exp(-2.5 / 20.0))
    assert driven.weights() == pytest.approx([depressed], rel=1e-15)
    driven.wires.set(weight=80.0)
    assert driven.weights().tolist() == [80.0]
    driven.net.run(until=12.0)
    assert driven.post.state("I_syn_ex") == pytest.approx([80.0 * math.exp(-0.5 / 50.0)], rel=1e-13)
    raised = 80.0 + 100.0 * 0.01 * 0.2 * math.exp(-(11.9 - 9.5) / 20.0)
    assert driven.weights() == pytest.approx([raised], rel=1e-14)


@every_engine
def test_recorded_weights(engine):
    """Some synapses, every so often, under a name; pieces of a run show what the whole does."""
    whole, pieces = driven_by("STDP"), driven_by("STDP")
    for driven in (whole, pieces):
        driven.net.record(driven.wires, "weight", every=10.0, ids=[4, 0])
    trace = whole.net.run(until=STOP, engine=engine).traces["wires"]
    assert trace.times.tolist() == np.arange(0.0, STOP, 10.0).tolist() and trace.weight.shape == (2, 12)
    assert trace.weight[:, 0].tolist() == [50.0, 50.0] and np.unique(trace.weight).size > 10
    shown = []
    for stop in (3.0, 10.0, 33.3, 70.0, STOP):
        found = pieces.net.run(until=stop, engine=engine, keep="new").traces["wires"]
        shown.append(found.weight)
    assert np.array_equal(np.concatenate(shown, axis=1), trace.weight)
    for driven in (whole, pieces):
        assert np.array_equal(driven.weights(), whole.weights())


@every_engine
def test_a_run_that_stops_with_a_spike(engine):
    """Weights that are recorded at the very time of the spike, and those after it, are as in a run to a given time."""
    seen = []
    for until in (esn.SpikeCount, None):
        driven = Driven("STDP", Trains([[1.0, 5.0]], [[2.0, 4.0, 6.0, 9.0]], 0.5, 0.25, 50.0), lambda_=0.1)
        driven.net.record(driven.wires, "weight", every=2.0)
        for n, stop in ((2, 4.0), (1, 6.0)):
            if until is None:
                driven.net.run(until=math.nextafter(stop, math.inf), engine=engine)
            else:
                driven.net.run(50.0, until=until(driven.post, n), engine=engine)
            assert driven.net.time == math.nextafter(stop, math.inf)
            assert driven.net.results().traces["wires"].times[-1] == stop
        driven.net.run(until=12.0)
        seen.append([driven.net.results().traces["wires"].weight.tolist(), driven.weights().tolist()])
    assert seen[0] == seen[1] and len(set(seen[0][0][0])) > 3


@every_engine
def test_progress_counts_the_whole_run(engine):
    """Also where the run pauses to record weights."""
    driven = driven_by("STDP")
    driven.net.record(driven.wires, "weight", every=5.0)
    shown = []
    driven.net.run(until=STOP, engine=engine, progress=shown.append)
    spikes = [status.spikes for status in shown]
    assert spikes == sorted(spikes) and spikes[-1] == driven.net.results().summary["spikes"] > 20
    assert {(status.t_start, status.t_stop) for status in shown} == {(0.0, STOP)}


@every_engine
def test_other_changes_leave_what_is_learned(engine):
    """Parameters, drives, recordings and spikes that are given between runs."""
    driven = driven_by("STDP")
    net, trains = driven.net, driven.trains
    extra = net.population(1, esn.LIFDelta(), name="others")
    stimulus = net.stimulate(extra, esn.Poisson(100.0), weight=1.0)
    static = net.connect(driven.pre, extra, esn.AllToAll(), weight=1.0)
    net.run(until=40.0, engine=engine)
    before = driven.weights()
    driven.post.set(t_ref=0.5)
    stimulus.set(rate=200.0)
    static.set(weight=2.0)
    net.record(driven.wires, "weight", every=10.0, ids=[2], name="late")
    driven.pre[1].push([50.1, 50.2, 77.0])
    assert np.array_equal(driven.weights(), before)
    trains.pre[1] = sorted([*trains.pre[1], 50.1, 50.2, 77.0])
    late = net.run(until=STOP).traces["late"]
    close(driven.weights(), reads(driven.expected([STOP])))
    assert late.times[0] == 40.0 and len(late.times) == 8


def test_samples_that_no_memory_holds_are_refused_before_the_run():
    net = esn.Network()
    cells = net.population(100, esn.LIFDelta(), name="cells")
    learned = net.connect(cells, cells, esn.AllToAll(), weight=1.0, plasticity=esn.STDP(), name="learned")
    net.record(learned, "weight", every=0.1)
    with pytest.raises(esn.InputError, match="trace 'learned'.*record fewer ids"):
        net.run(10_000.0, limit_memory=10**8)
    assert net.time == 0.0
