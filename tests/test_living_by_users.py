"""What users do to a network that lives, as they know it from other simulators, and what must then hold."""

import math
import os
import signal

import numpy as np
import pytest
from event_log import differences, recorded

import eventsnn as esn
from eventsnn.base.errors import Interrupted
from eventsnn.run import simulation

ENGINES = ["compiled", "reference"]


def noisy(weight=20.0, **options):
    net = esn.Network(seed=2)
    cells = net.population(40, esn.LIFExp(), name="cells")
    net.stimulate(cells, esn.Poisson(8_000.0), weight=40.0, name="drive")
    net.connect(cells, cells, esn.FixedProbability(0.2), weight=weight, delay=1.0, name="wires", **options)
    return net, cells


# ---- a description does not change by itself


@pytest.mark.parametrize("kind", [np.array, list])
def test_arrays_that_are_written_to_later_change_nothing(kind):
    """Processes are compiled again with every change, and went on otherwise with what then stood in their arrays."""

    def run(write):
        net = esn.Network(seed=1)
        rate, weight, v = kind([100.0] * 4), kind([30.0] * 4), kind([-60.0] * 4)
        source = net.population(4, esn.Poisson(rate), name="source")
        cells = net.population(4, esn.LIFExp(), name="cells", V_m=v)
        drive = net.stimulate(cells, esn.SinusoidalPoisson(rate, rate, rate), weight=weight, name="drive")
        wires = net.connect(source, cells, esn.OneToOne(), weight=weight)
        net.stimulate(cells, esn.Gamma(rate, rate), weight=weight)
        net.stimulate(cells, esn.PoissonRefractory(rate, kind([1.0] * 4)), weight=weight)
        drive.set(weight=weight)
        wires.set(weight=weight)
        if write:
            weight[0], v[0] = 900.0, -51.0
        net.run(50.0)
        if write:
            rate[0], rate[1] = 500.0, 0.0
        cells.set(tau_m=5.0)
        return net.run(100.0)

    assert differences(recorded(run(False)), recorded(run(True))) == []


# ---- weights that synapses share


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("engine", "threads"), [("compiled", 1), ("compiled", 2), ("reference", 1)])
def test_a_weight_that_all_synapses_share_is_set_between_runs(engine, threads, dtype):
    """As that of synapses which have one each, also where projections share their rows and spikes are under way."""

    def run(weight, engine="compiled", threads=1):
        net = esn.Network(seed=4)
        lif = esn.LIFDelta(E_L=0.0, V_th=20.0, V_reset=0.0)
        exc, inh = (net.population(n, lif, name=name) for n, name in ((40, "exc"), (20, "inh")))
        first = net.connect(exc, exc, esn.FixedProbability(0.2), weight=weight, delay=3.0, name="first", dtype=dtype)
        net.connect(exc, inh, esn.FixedProbability(0.2), weight=weight, delay=3.0, dtype=dtype)
        back = net.connect(inh, [exc, inh], esn.FixedInDegree(5), weight=esn.Uniform(-2.0, -2.0), name="back")
        net.stimulate([exc, inh], esn.Poisson(4_000.0), weight=1.0)
        net.record(first, "weight", every=4.0)
        net.run(10.0, engine=engine, threads=threads)
        first.set(weight=0.5)
        net.run(10.0, threads=threads)
        exc.set(tau_m=12.0)
        first.set(weight=esn.Uniform(0.0, 1.0))
        back.set(weight=-1.0)
        results = net.run(10.0, threads=threads)
        assert (first.get("weight") < 1.0).all()
        return results

    # Those of a distribution that draws one number are not shared.
    expected = run(esn.Uniform(1.5, 1.5))
    got = run(1.5, engine, threads)
    assert differences(recorded(expected), recorded(got)) == []
    assert got.traces["first"].weight[0, :5].tolist() == [1.5] * 3 + [0.5] * 2


def test_a_lesion_and_its_end_after_reset():
    """A number that was set made the weights shared ones, which after reset() could not be set any more."""
    net = esn.Network()
    source = net.population(1, esn.SpikeSource([1.0, 11.0, 21.0]), name="source")
    cells = net.population(2, esn.LIFDelta(E_L=0.0, V_th=20.0, tau_m=10.0), name="cells")
    wires = net.connect(source, cells, esn.AllToAll(), weight=[[5.0, 6.0]], delay=1.0)
    for _ in range(2):
        net.run(5.0)
        wires.set(weight=0.0)
        before = cells.state("V_m")
        net.run(10.0)
        assert cells.state("V_m") == pytest.approx(before * math.exp(-1.0), rel=1e-13, abs=1e-300)
        net.reset()
    net.run(15.0)
    wires.set(weight=[[7.0, 8.0]])
    net.run(10.0)
    assert cells.state("V_m") == pytest.approx([7.0 * math.exp(-0.3), 8.0 * math.exp(-0.3)], rel=1e-13)


# ---- between two states there is none


@pytest.mark.parametrize("engine", ENGINES)
def test_a_refused_run_takes_no_change_back(engine):
    """It took a run of 0 ms for one that has not begun, and went back to before it."""
    net, cells = noisy()
    source = net.population(1, esn.SpikeSource([]), name="source")
    net.run(0.0, engine=engine)
    cells.set(V_m=-60.0)
    source.set(times=[1.0])
    with pytest.raises(esn.InputError, match="duration = -5 ms"):
        net.run(-5.0)
    net.run(0.0)
    assert cells.state("V_m").tolist() == [-60.0] * 40
    assert net.run(2.0, engine=engine).spikes["source"].times.tolist() == [1.0]


def test_nothing_changes_while_a_run_goes_on():
    net, cells = noisy(weight=esn.Uniform(1.0, 2.0))
    source = net.population(1, esn.SpikeSource([]), name="source")
    rates = net.population(1, esn.Poisson(5.0), name="rates")
    drive, wires = net.stimuli["drive"], net.projections["wires"]
    changes = [
        lambda: cells.set(V_m=-60.0), lambda: cells[:3].set(tau_m=5.0), lambda: drive.set(rate=1.0),
        lambda: drive.set(weight=1.0), lambda: wires.set(weight=1.0), lambda: net.record(cells, "V_m", every=1.0),
        lambda: source.push([5.0]), lambda: source[0].set(times=[5.0]), lambda: rates.set(rate=1.0), net.reset,
    ]  # fmt: skip
    refused = []

    def change(status):
        for k, each in enumerate(changes):
            with pytest.raises(esn.StateError, match="a run of this network is going on"):
                each()
            refused.append(k)

    net.run(20.0, progress=change)
    assert set(refused) == set(range(len(changes))) and net.time == 20.0
    net.reset()
    assert differences(recorded(net.run(20.0)), recorded(noisy_again(20.0))) == []


def noisy_again(duration):
    net, _ = noisy(weight=esn.Uniform(1.0, 2.0))
    net.population(1, esn.SpikeSource([]), name="source")
    net.population(1, esn.Poisson(5.0), name="rates")
    return net.run(duration)


def test_a_change_for_which_there_is_no_memory_is_none(monkeypatch):
    net, cells = noisy()
    expected, _ = noisy()
    net.run(5.0)
    expected.run(5.0)

    def fail(plan):
        raise MemoryError

    drive = net.stimuli["drive"]
    with monkeypatch.context() as patch:
        patch.setattr(simulation, "lay_out", fail)
        changes = [
            lambda: cells.set(tau_m=3.0, V_m=-60.0), lambda: cells[:4].set(I_e=3.0), lambda: drive.set(rate=3.0),
            lambda: net.record(cells, "V_m", every=1.0),
        ]  # fmt: skip
        for change in changes:
            with pytest.raises(MemoryError):
                change()
    assert cells.get("tau_m").tolist() == [10.0] * 40 and drive.source.rate == 8_000.0 and not net.probes
    assert differences(recorded(net.run(20.0)), recorded(expected.run(20.0))) == []


def test_ctrl_c_in_the_middle_of_a_change_waits_for_its_end(monkeypatch):
    """The description and what runs then both are as they were set."""
    net, cells = noisy()
    expected, others = noisy()
    net.run(5.0)
    expected.run(5.0)
    others.set(tau_m=12.0)
    lay_out = simulation.lay_out

    def interrupted(plan):
        os.kill(os.getpid(), signal.SIGINT)
        return lay_out(plan)

    with monkeypatch.context() as patch:
        patch.setattr(simulation, "lay_out", interrupted)
        with pytest.raises(Interrupted, match=r"interrupted after the change; run\(\) goes on"):
            cells.set(tau_m=12.0)
    assert cells.get("tau_m").tolist() == [12.0] * 40
    assert differences(recorded(net.run(20.0)), recorded(expected.run(20.0))) == []


# ---- state


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", [esn.LIFDelta(), esn.LIFExp(), esn.AdEx(), esn.MAT2()])
def test_setting_the_state_that_is_there_changes_no_bit(engine, model):
    def network():
        net = esn.Network(seed=1)
        cells = net.population(20, model, name="cells")
        net.stimulate(cells, esn.Poisson(3_000.0), weight=1.0 if model.instantaneous else 40.0)
        net.record(cells, "V_m", every=1.0)
        net.run(20.3, engine=engine)
        return net, cells

    net, cells = network()
    cells.set(**{name: cells.state(name) for name in model.state_variables})
    cells[3:5].set(V_m=cells.state("V_m")[3:5])
    expected, _ = network()
    assert differences(recorded(expected.run(20.0)), recorded(net.run(20.0))) == []


@pytest.mark.parametrize("model", [esn.LIFDelta(), esn.LIFExp(), esn.AdEx(), esn.MAT2(), esn.GLIF()])
def test_E_L_and_V_m_are_set_together(model):
    """Also where V_m is given as it is: it stays, and so must move relative to the E_L that goes away."""
    net = esn.Network()
    cells = net.population(4, model, name="cells")
    net.run(5.0)
    v = cells.state("V_m")
    given = np.array([v[0], -66.0, v[2], -67.0])
    cells.set(E_L=-80.0, V_m=given)
    assert cells.state("V_m") == pytest.approx(given, rel=1e-14)
    cells[:2].set(E_L=-75.0)
    assert cells.state("V_m") == pytest.approx(given, rel=1e-14)


# ---- until a spike


def test_a_count_of_no_neurons_is_refused():
    _, cells = noisy()
    with pytest.raises(esn.InputError, match=r"SpikeCount: cells\[3:3\] has no neurons"):
        esn.SpikeCount(cells[3:3])


def test_chunks_grow_as_long_as_the_spike_does_not_come(monkeypatch):
    """To take back costs as much however long a chunk is: chunks of one size made large networks much slower."""
    monkeypatch.setattr(simulation, "WATCHED_BUDGET", 1_000)
    monkeypatch.setitem(simulation.BUDGET, "compiled", 16_000)
    budgets = []
    advance = simulation.Simulation._advance_a_little

    def noted(self, stop, budget, threads):
        budgets.append(budget)
        return advance(self, stop, budget, threads)

    monkeypatch.setattr(simulation.Simulation, "_advance_a_little", noted)
    net, cells = noisy()
    expected, _ = noisy()
    results = net.run(300.0, until=esn.SpikeCount(cells, 300))
    assert budgets[:6] == [1_000, 2_000, 4_000, 8_000, 16_000, 16_000]
    assert results.spikes["cells"].times.size == 300
    assert differences(recorded(expected.run(300.0)), recorded(net.run(until=300.0))) == []


# ---- slices of point processes


@pytest.mark.parametrize("started", [False, True])
def test_slices_of_processes_whose_parameters_are_lists(started):
    net = esn.Network(seed=1)
    steps = net.population(4, esn.InhomogeneousPoisson([0.0, 50.0], [0.0, 0.0]), name="steps")
    laws = net.population(4, esn.Renewal(esn.Uniform(7.0, 7.0), start="ordinary"), name="laws")
    if started:
        net.run(0.0)
    steps[1:3].set(rates=[0.0, 1_000.0])
    steps[2].set(rates=[[1_000.0, 0.0]])
    laws[1:3].set(intervals=esn.Uniform(11.0, 11.0))
    laws[2:].set(intervals=[esn.Uniform(13.0, 13.0), esn.Uniform(17.0, 17.0)])
    spikes = net.run(100.0).spikes
    assert [train.size > 0 for train in spikes["steps"].trains()] == [False, True, True, False]
    assert spikes["steps"].trains()[1].min() >= 50.0 > spikes["steps"].trains()[2].max()
    assert [train[0] for train in spikes["laws"].trains()] == [7.0, 11.0, 13.0, 17.0]
    for change, sentence in (
        (lambda: steps[0].set(times=[1.0]), r"steps\[0\]: 'times' is one for all neurons"),
        (lambda: steps[:2].set(rates=[1.0]), r"steps\[0:2\]: rates is an array of shape \(1,\); give 2 of them"),
        (lambda: laws[0].set(start="stationary"), r"laws\[0\]: 'start' is one for all neurons"),
        (lambda: laws[:2].set(intervals=[esn.Uniform(1.0, 2.0)]), r"laws\[0:2\]: 1 distributions of intervals for 2"),
        (lambda: laws[0].set(intervals=3.0), "Renewal: intervals"),
    ):
        with pytest.raises(esn.InputError, match=sentence):
            change()
