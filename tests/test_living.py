"""A network that lives: parameters, state, drives and recordings change between its runs, as events like any other."""

import math

import numpy as np
import pytest
from event_log import Threaded, differences, recorded
from random_changes import random_change
from random_networks import random_network

import eventsnn as esn

ENGINES = ["compiled", "reference"]
STOP = 40.0


def life(seed, engine, threads=(1,), calm=None, between=()):
    """All that comes of a random network that is changed at four random times; between: where else it pauses."""
    net = random_network(seed, STOP, others=True)
    rng = np.random.default_rng([seed, 77])
    changes, log = [], {}
    stops = np.sort(rng.uniform(0.0, STOP, 4))
    stops = np.round(stops * 8.0) / 8.0 if seed % 2 == 0 else stops

    def be_calm():
        if calm is not None:
            net._simulation._state.set_calm(calm, 2.0**-4)

    try:
        for begin, end in zip([0.0, *stops], [*stops, STOP], strict=True):
            for share in (*between, 1.0):
                stop = end if share == 1.0 else begin + share * (end - begin)
                if net._simulation is None:
                    net.run(0.0, engine=engine)
                    be_calm()
                Threaded(net, *threads).run(until=stop) if engine == "compiled" else net.run(until=stop)
            for _ in range(rng.integers(1, 4) if end < STOP else 0):
                changes.append(random_change(net, rng))
                be_calm()
    except esn.RunawayError as error:
        log["error"] = str(error).encode()
    log |= recorded(net.results()) | {"changes": str(changes).encode()}
    if "error" not in log:
        log |= {f"state {name}": np.asarray(a).tobytes() for name, a in net._simulation._state.settled().items()}
        net._simulation._state.verify()
    return log


def require_equal_lives(seed):
    expected = life(seed, "reference")
    for options in ({}, {"threads": (2, 1, 3)}, {"calm": True}, {"calm": True, "threads": (2,)}, {"between": (0.3,)}):
        assert differences(expected, life(seed, "compiled", **options)) == [], options
    assert differences(expected, life(seed, "reference", between=(0.3, 0.7))) == []


@pytest.mark.parametrize("seed", range(24))
def test_random_lives_agree_to_the_last_bit(seed):
    require_equal_lives(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(24, 1_024))
def test_a_thousand_random_lives(seed):
    require_equal_lives(seed)


# ---- by hand


@pytest.mark.parametrize("engine", ENGINES)
def test_a_membrane_whose_parameters_change(engine):
    """V(t) = E_L + (V - E_L) exp(-t / tau_m) with the E_L and tau_m of each run; V_m stays as E_L changes."""
    net = esn.Network()
    cells = net.population(2, esn.LIFDelta(tau_m=10.0, E_L=-65.0, V_th=-50.0), name="cells", V_m=-55.0)
    net.run(5.0, engine=engine)
    v = -65.0 + 10.0 * math.exp(-0.5)
    assert cells.state("V_m") == pytest.approx([v, v], rel=1e-14)
    cells[1].set(E_L=-70.0, tau_m=20.0)
    assert cells.state("V_m") == pytest.approx([v, v], rel=1e-14)
    net.run(5.0)
    expected = [-65.0 + (v + 65.0) * math.exp(-0.5), -70.0 + (v + 70.0) * math.exp(-0.25)]
    assert cells.state("V_m") == pytest.approx(expected, rel=1e-14)
    assert cells.get("tau_m").tolist() == [10.0, 20.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_set_at_threshold_is_a_spike_at_that_time(engine):
    net = esn.Network()
    cells = net.population(4, esn.LIFDelta(E_L=-65.0, V_th=-50.0, V_reset=-65.0, t_ref=2.0), name="cells")
    net.run(5.0, engine=engine)
    cells[[2, 0]].set(V_m=[-50.0, -50.0 - 1e-9])
    cells[3].set(V_m=-40.0)
    spikes = net.run(5.0).spikes["cells"]
    assert list(zip(spikes.times.tolist(), spikes.ids.tolist(), strict=True)) == [(5.0, 2), (5.0, 3)]
    # A refractory neuron keeps the V_m that it is given, and then spikes when it is released.
    net = esn.Network()
    cell = net.population(1, esn.LIFDelta(E_L=-65.0, V_th=-50.0, V_reset=-65.0, t_ref=2.0), name="cell", V_m=-50.0)
    net.run(1.0, engine=engine)
    cell.set(V_m=-49.0)
    assert net.run(5.0).spikes["cell"].times.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", [esn.LIFExp(), esn.LIFDelta(), esn.AdEx(), esn.LIFCondExp(), esn.MAT2(), esn.GLIF()])
def test_I_e_that_is_set_is_a_step_current(engine, model):
    def network():
        net = esn.Network(seed=3)
        cells = net.population(8, model, name="cells")
        weight = 1.0 if model.instantaneous else 0.5 if isinstance(model, esn.LIFCondExp) else 40.0
        net.stimulate(cells, esn.Poisson(4_000.0), weight=weight)
        net.record(cells, "V_m", every=1.0)
        return net, cells

    net, cells = network()
    net.run(30.0, engine=engine)
    cells[2:6].set(I_e=700.0)
    expected, same = network()
    expected.stimulate(same[2:6], esn.StepCurrent([30.0], [700.0]))
    assert differences(recorded(expected.run(60.0, engine=engine)), recorded(net.run(30.0))) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_setting_what_is_there_changes_nothing(engine):
    """A change concerns only those whose numbers are others: all else has the bits of the network left alone."""
    expected = random_network(6, STOP).run(STOP, engine=engine)
    net = random_network(6, STOP)
    net.run(13.0, engine=engine)
    for population in net.populations.values():
        for name in population.values:
            population.set(**{name: population.get(name)})
    for stimulus in net.stimuli.values():
        if not hasattr(stimulus.source, "amplitudes") and not isinstance(stimulus.source, esn.SineCurrent):
            stimulus.set(weight=stimulus.weight)
    assert differences(recorded(expected), recorded(net.run(until=STOP))) == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "process",
    [
        esn.Poisson(50.0),
        esn.Gamma(50.0, 3.0),
        esn.PoissonRefractory(50.0, 1.0),
        esn.SinusoidalPoisson(50.0, 20.0, 10.0),
        esn.InhomogeneousPoisson([0.0], [50.0]),
    ],
)
def test_a_rate_that_is_set_holds_from_then_on(engine, process):
    """Counts of 60 streams over 2 s: within 5 standard deviations of a Poisson count (error probability 1e-6)."""
    net = esn.Network(seed=4)
    source = net.population(60, process, name="source")
    stepwise = isinstance(process, esn.InhomogeneousPoisson)
    net.run(1_000.0, engine=engine)
    source[:30].set(rate=400.0) if not stepwise else source.set(rates=[400.0])
    spikes = net.run(2_000.0).spikes["source"]
    counts = spikes.between(1_000.0, 3_000.0).counts()
    faster = 30 * 2 * 400.0
    assert abs(counts[:30].sum() - faster) < 5.0 * math.sqrt(faster)
    others = faster if stepwise else 30 * 2 * 50.0
    assert abs(counts[30:].sum() - others) < 5.0 * math.sqrt(others)
    left = esn.Network(seed=4)
    left.population(60, process, name="source")
    untouched = left.run(3_000.0, engine=engine).spikes["source"]
    alone = [a.tolist() == b.tolist() for a, b in zip(spikes.trains(), untouched.trains(), strict=True)]
    assert alone == ([False] * 60 if stepwise else [False] * 30 + [True] * 30)


def test_draws_after_a_change_are_new():
    """Halving the rate and back must not bring back the spikes of the cells that were drawn before."""
    net = esn.Network(seed=4)
    source = net.population(1, esn.Poisson(1_000.0), name="source")
    net.run(1_000.0)
    source.set(rate=500.0)
    net.run(1_000.0)
    source.set(rate=1_000.0)
    times = net.run(1_000.0).spikes["source"].times
    gaps = [set(np.diff(times[(times >= a) & (times < a + 1_000.0)]).tolist()) for a in (0.0, 1_000.0, 2_000.0)]
    assert not (gaps[0] & gaps[1]) | (gaps[0] & gaps[2]) | (gaps[1] & gaps[2])
    net.run(0.0)
    source.set(rate=0.0)
    assert net.run(500.0).spikes["source"].between(3_000.0, 3_500.0).times.size == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_recordings_that_are_added_begin_then(engine):
    net = random_network(6, STOP)
    whole = net.run(STOP, engine=engine)
    name = next(p.name for p in net.populations.values() if "V_th" in p.values)
    again = random_network(6, STOP)
    again.run(20.0, engine=engine)
    again.record(again.populations[name], "V_m", every=0.5, name="added")
    expected = random_network(6, STOP)
    expected.record(expected.populations[name], "V_m", every=0.5, name="added")
    late, early = again.run(until=STOP), expected.run(STOP, engine=engine)
    trace, first = late.traces["added"], early.traces["added"]
    assert trace.times.tolist() == [t for t in first.times.tolist() if t >= 20.0]
    assert trace.V_m.tobytes() == np.ascontiguousarray(first.V_m[:, first.times >= 20.0]).tobytes()
    added = [name for name in recorded(late) if name.startswith("added ")]
    assert sorted(differences(recorded(whole), recorded(late))) == sorted(added)


@pytest.mark.parametrize("engine", ENGINES)
def test_spikes_that_are_recorded_later(engine):
    net = esn.Network()
    a, b = (net.population(2, esn.SpikeSource([1.0, 6.0]), name=name) for name in "ab")
    net.record(a[:1], "spikes")
    net.run(5.0, engine=engine)
    with pytest.raises(esn.InputError, match="spikes of some neurons of a are recorded already"):
        net.record(a, "spikes")
    net.record(b, "spikes")
    results = net.run(5.0)
    assert results.spikes["a"].times.tolist() == [1.0, 6.0]
    assert results.spikes["b"].times.tolist() == [6.0, 6.0] and results.spikes["b"].t_start == 5.0
    everything = esn.Network()
    everything.population(1, esn.SpikeSource([1.0]), name="c")
    everything.run(5.0, engine=engine)
    with pytest.raises(esn.InputError, match="all neurons are recorded already"):
        everything.record(everything.populations["c"], "spikes")


def test_reset_keeps_the_description_and_drops_state():
    net = esn.Network(seed=1)
    cells = net.population(2, esn.LIFDelta(tau_m=10.0, E_L=-65.0, V_th=-50.0), name="cells", V_m=-55.0)
    drive = net.stimulate(cells, esn.Poisson(100.0), weight=0.1, name="drive")
    net.run(5.0)
    cells.set(tau_m=20.0, V_m=-51.0)
    drive.set(rate=0.0)
    net.reset()
    net.run(5.0)
    assert cells.state("V_m") == pytest.approx(-65.0 + 10.0 * math.exp(-0.25), rel=1e-14)


# ---- slices before the first run


def test_slices_are_set_before_the_first_run():
    net = esn.Network(seed=1)
    cells = net.population(4, esn.LIFDelta(E_L=-65.0), name="cells")
    cells[1:3].set(V_m=[-60.0, -59.0], tau_m=esn.Uniform(5.0, 6.0))
    cells[2].set(V_m=-58.0)
    cells.set(E_L=-70.0)  # those whose V_m is not given begin there
    assert cells.get("V_m").tolist() == [-70.0, -60.0, -58.0, -70.0]
    tau = cells.get("tau_m")
    assert tau[0] == tau[3] == 10.0 and 5.0 <= tau[1] < 6.0 and tau[1] != tau[2]
    sources = net.population(3, esn.SpikeSource([1.0, 2.0]), name="sources")
    sources[1:].set(times=[4.0, 3.0], ids=[1, 0])
    rates = net.population(3, esn.Poisson(10.0), name="rates")
    rates[2].set(rate=0.0)
    assert rates.model.rate.tolist() == [10.0, 10.0, 0.0]
    spikes = net.run(5.0).spikes["sources"]
    assert [train.tolist() for train in spikes.trains()] == [[1.0, 2.0], [3.0], [4.0]]
    sources[0].push([5.5])
    sources[2].set(times=[1.0], relative=True)
    trains = net.run(5.0).spikes["sources"].between(5.0, 10.0).trains()
    assert [train.tolist() for train in trains] == [[5.5], [], [6.0]]


# ---- what cannot be


def lively():
    net = esn.Network(seed=1)
    cells = net.population(3, esn.LIFExp(), name="cells")
    drive = net.stimulate(cells, esn.Poisson(100.0), weight=10.0, name="drive")
    step = net.stimulate(cells, esn.StepCurrent([1.0], [50.0]), name="step")
    source = net.population(2, esn.Poisson(10.0), name="source")
    net.record(cells, "V_m", every=1.0)
    net.run(5.0)
    return net, cells, drive, step, source


REFUSED = {
    "cells: tau_m = -1 ms must be positive": lambda o: o.cells.set(tau_m=-1.0),
    "cells: V_reset = .* must lie below V_th": lambda o: o.cells.set(V_th=-200.0),
    r"cells\[0:2\]: V_m is an array of shape \(3,\)": lambda o: o.cells[:2].set(V_m=[1.0, 2.0, 3.0]),
    r"cells\[0\]: LIFExp has no parameter or state 'Vm'; .*'V_m'": lambda o: o.cells[0].set(Vm=1.0),
    "cells: V_m = nan.* must be finite": lambda o: o.cells.set(V_m=math.nan),
    "drive: rate = -1 Hz must not be negative": lambda o: o.drive.set(rate=-1.0),
    "drive: Poisson has no parameter 'rat'; .*'rate'": lambda o: o.drive.set(rat=1.0),
    "step: a current has no weight": lambda o: o.step.set(weight=1.0),
    "StepCurrent: 1 times but 2 amplitudes": lambda o: o.step.set(amplitudes=[1.0, 2.0]),
    "source: Poisson has no parameter 'times'": lambda o: o.source.set(times=[1.0]),
    "record: cells has no 'W'": lambda o: o.net.record(o.cells, "W", every=1.0, name="w"),
    "cannot add a population after the first run": lambda o: o.net.population(1, esn.LIFExp()),
    "cannot connect after the first run": lambda o: o.net.connect(o.cells, o.cells, esn.AllToAll()),
    "cannot read the state of cells at t = 0 after the first run": lambda o: o.cells.get("V_m"),
    "until: SpikeCount": lambda o: o.net.run(until=esn.SpikeCount(o.cells)),
    "SpikeCount: n = 0": lambda o: esn.SpikeCount(o.cells, 0),
    "SpikeCount: 3 is not a population": lambda o: esn.SpikeCount(3),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused_and_nothing_is_changed(sentence):
    class Parts:
        net, cells, drive, step, source = lively()

    expected, *_ = lively()
    if "until: SpikeCount" in sentence:
        sentence = r"until=SpikeCount\(<cells: 3 neurons>, 1\) may never be; give the duration too"
        change = REFUSED["until: SpikeCount"]
    else:
        change = REFUSED[sentence]
    with pytest.raises((esn.InputError, esn.StateError), match=sentence):
        change(Parts)
    assert differences(recorded(expected.run(20.0)), recorded(Parts.net.run(20.0))) == []


def test_after_a_runaway_nothing_can_change():
    net = esn.Network()
    cells = net.population(1, esn.LIFDelta(t_ref=0.0), name="cells")
    net.connect(cells, cells, esn.AllToAll(), weight=100.0, delay=0.0)
    cells.set(V_m=0.0)
    with pytest.raises(esn.RunawayError):
        net.run(5.0)
    with pytest.raises(esn.StateError, match=r"change cells: the run has ended at 0 ms; call net\.reset\(\) first"):
        cells.set(V_th=1.0)


# ---- until the n-th spike


def excited(n=20):
    net = esn.Network(seed=3)
    cells = net.population(n, esn.LIFExp(), name="cells")
    net.stimulate(cells, esn.Poisson(8_000.0), weight=40.0)
    net.connect(cells, cells, esn.FixedProbability(0.2), weight=30.0, delay=1.0)
    net.record(cells, "V_m", every=1.0, ids=[0, 1])
    return net, cells


@pytest.mark.parametrize(("engine", "threads"), [("compiled", 1), ("compiled", 2), ("reference", 1)])
def test_a_run_stops_with_a_spike(engine, threads):
    whole, _ = excited()
    expected = whole.run(100.0)
    spikes = expected.spikes["cells"]
    for neurons in (slice(None), slice(3, 9)):
        mine = spikes.times[np.isin(spikes.ids, np.arange(20)[neurons])]
        net, cells = excited()
        count = 0
        for n in (1, 5, 20, 1):
            results = net.run(100.0, until=esn.SpikeCount(cells[neurons], n), engine=engine, threads=threads)
            count += n
            assert net.time == math.nextafter(mine[count - 1], math.inf) == results.t_stop
            assert results.spikes["cells"].times.tolist() == spikes.times[spikes.times < net.time].tolist()
        results = net.run(until=100.0, threads=threads)
        assert differences(recorded(expected), recorded(results)) == []
        for counter in ("spikes", "external_events", "synaptic_events"):
            assert results.summary[counter] == expected.summary[counter]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_spike_that_does_not_come(engine):
    net, cells = excited()
    net.run(10.0, until=esn.SpikeCount(cells, 1_000_000), engine=engine)
    assert net.time == 10.0
    net.run(10.0, until=esn.SpikeCount(cells))
    assert net.time < 20.0


def test_spikes_that_are_not_recorded_cannot_be_counted():
    net, cells = excited()
    net.record(cells[:5], "spikes")
    net.run(10.0, until=esn.SpikeCount(cells[2]))
    with pytest.raises(esn.InputError, match=r'spikes of cells are recorded.*call net\.record\(cells, "spikes"\)'):
        net.run(10.0, until=esn.SpikeCount(cells[7]))
    other, _ = excited()
    with pytest.raises(esn.InputError, match="cells belongs to another network"):
        other.run(10.0, until=esn.SpikeCount(cells))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_runaway_behind_the_spike_does_not_happen(engine):
    net = esn.Network(max_spikes=50)
    source = net.population(1, esn.SpikeSource([1.0, 2.0]), name="source")
    cells = net.population(1, esn.LIFDelta(t_ref=0.0), name="cells")
    net.connect(source, cells, esn.AllToAll(), weight=30.0, delay=1.5)
    net.connect(cells, cells, esn.AllToAll(), weight=30.0, delay=0.0)
    net.run(10.0, until=esn.SpikeCount(source, 2), engine=engine)
    assert net.time == math.nextafter(2.0, 3.0)
    with pytest.raises(esn.RunawayError):
        net.run(10.0)
