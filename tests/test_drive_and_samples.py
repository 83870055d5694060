"""What goes into a network from outside and what comes out of it, by hand; both engines must give the answer."""

import math

import numpy as np
import pytest
from small_networks import delta, exponential, spikes_at, times_of

import eventsnn as esn

pytestmark = pytest.mark.parametrize("engine", ["compiled", "reference"])


# ---- currents from outside


@pytest.mark.parametrize("make", [delta, exponential])
def test_step_currents(engine, make):
    """R = 1 mV / pA, tau_m = 10 ms: 8 pA from 2 ms, -4 pA from 5 ms, 0 from 6 ms; 1 pA throughout."""
    net = esn.Network()
    cells = make(net, V_th=100.0, I_e=1.0)
    net.stimulate(cells, esn.StepCurrent([2.0, 5.0, 6.0], [8.0, -4.0, 0.0]))
    net.record(cells, "V_m", times=[2.0, 5.0, 6.0, 9.0])
    V = net.run(10.0, engine=engine).traces["cells"].V_m[0]
    expected, v = [], 0.0
    for drive, h in [(1.0, 2.0), (9.0, 3.0), (-3.0, 1.0), (1.0, 3.0)]:
        v = drive + (v - drive) * math.exp(-h / 10.0)
        expected.append(v)
    assert V == pytest.approx(expected, rel=1e-14)


def test_step_currents_of_several_stimuli_add_up(engine):
    net = esn.Network()
    cells = delta(net, 2, V_th=100.0)
    net.stimulate(cells, esn.StepCurrent([1.0, 3.0], [5.0, 0.0]))
    net.stimulate(cells[1], esn.StepCurrent([2.0], [7.0]))
    net.record(cells, "V_m", times=[1.0, 2.0, 3.0])
    V = net.run(4.0, engine=engine).traces["cells"].V_m
    one = -5.0 * math.expm1(-0.1)
    first = [0.0, one, 5.0 + (one - 5.0) * math.exp(-0.1)]
    second = [0.0, one, 12.0 + (one - 12.0) * math.exp(-0.1)]
    assert V == pytest.approx(np.array([first, second]), rel=1e-14)


def test_a_current_changes_before_the_input_of_its_time(engine):
    """A current that begins at the time of a spike does not change V there, and drives it from there on."""
    net = esn.Network()
    cells = delta(net, V_th=10.0, t_ref=2.0)
    net.stimulate(cells, esn.StepCurrent([3.0], [20.0]))
    spikes_at(net, cells, [3.0], weight=10.0)
    assert times_of(net.run(20.0, engine=engine)) == pytest.approx([3.0, 5.0 + 10.0 * math.log(2.0)], rel=1e-14)


def test_a_current_that_changes_in_refractoriness_acts_from_its_end(engine):
    net = esn.Network()
    cells = delta(net, V_th=10.0, V_m=10.0, t_ref=4.0)
    net.stimulate(cells, esn.StepCurrent([0.0, 2.0], [500.0, 20.0]))
    assert times_of(net.run(15.0, engine=engine)) == pytest.approx([0.0, 4.0 + 10.0 * math.log(2.0)], rel=1e-14)


# ---- sources


def test_spike_sources(engine):
    net = esn.Network()
    each = [[0.0, 1.0, 1.0], [], [0.1]]
    net.population(3, esn.SpikeSource(each), name="each")
    net.population(2, esn.SpikeSource([0.5, 7.0]), name="all")
    results = net.run(7.0, engine=engine)
    assert [train.tolist() for train in results.spikes["each"].trains()] == each
    assert [train.tolist() for train in results.spikes["all"].trains()] == [[0.5], [0.5]]


def test_a_poisson_source_delivers_its_spikes_and_no_others(engine):
    net = esn.Network(seed=5)
    source = net.population(3, esn.Poisson(rate=[50.0, 0.0, 500.0]), name="source")
    cells = delta(net, 3)
    net.connect(source, cells, esn.OneToOne(), delay=0.25)
    spikes = net.run(500.0, engine=engine).spikes
    for sent, arrived in zip(spikes["source"].trains(), spikes["cells"].trains(), strict=True):
        assert arrived.tolist() == [t + 0.25 for t in sent if t + 0.25 < 500.0]
    assert spikes["source"].counts()[1] == 0 and (spikes["source"].counts()[[0, 2]] > 0).all()


# ---- runs and samples


def test_runs_are_half_open(engine):
    net = esn.Network()
    cells = delta(net)
    spikes_at(net, cells, [4.0, 5.0], delay=1.0)
    net.record(cells, "V_m", every=2.5)
    first = net.run(until=5.0, engine=engine, keep="new")
    second = net.run(until=6.0, keep="new")
    third = net.run(until=6.5, keep="new")
    assert [times_of(r) for r in (first, second, third)] == [[], [5.0], [6.0]]
    assert [r.traces["cells"].times.tolist() for r in (first, second, third)] == [[0.0, 2.5], [5.0], []]


def test_sample_times_are_rounded_products(engine):
    net = esn.Network()
    net.record(delta(net), "V_m", every=0.1)
    times = net.run(100.0, engine=engine).traces["cells"].times
    assert times.tolist() == [k * 0.1 for k in range(1000)]


def test_samples_take_the_right_limit(engine):
    net = esn.Network()
    cells = delta(net, 2, V_reset=-3.0, E_L=-3.0, V_th=1.0, t_ref=1.0)
    spikes_at(net, cells, [2.0], weight=[[4.0, 3.0]])
    net.record(cells, "V_m", times=[math.nextafter(2.0, 0.0), 2.0])
    assert net.run(3.0, engine=engine).traces["cells"].V_m.tolist() == [[-3.0, -3.0], [-3.0, 0.0]]


def test_samples_come_after_the_last_round_of_their_time(engine):
    net = esn.Network()
    cells = delta(net, 3, V_th=100.0)
    chain = delta(net, 2, name="chain")
    net.connect(chain[0], [chain[1], cells[0]], esn.AllToAll(), weight=2.0, delay=0.0)
    net.connect(chain[1], cells[1], esn.AllToAll(), weight=3.0, delay=0.0)
    spikes_at(net, chain[0], [1.0])
    net.record(cells, "V_m", times=[1.0])
    V_m = net.run(2.0, engine=engine).traces["cells"].V_m[:, 0]
    assert V_m == pytest.approx([2.0, 3.0, 0.0], abs=1e-13)


def test_recording_changes_no_bit(engine):
    def run(record):
        net = esn.Network(seed=4)
        cells = exponential(net, 4, V_th=5.0, t_ref=1.0, tau_syn_in=3.0)
        net.stimulate(cells, esn.Poisson(rate=2_000.0), weight=3.0)
        net.stimulate(cells, esn.Poisson(rate=1_000.0), weight=-2.0)
        net.connect(cells, cells, esn.AllToAll(autapses=False), weight=2.0, delay=0.7)
        if record:
            net.record(cells, ["V_m", "I_syn_in"], every=0.013)
        return net.run(100.0, engine=engine).spikes["cells"]

    plain, recorded = run(False), run(True)
    assert len(plain) > 20
    assert plain.times.tolist() == recorded.times.tolist() and plain.ids.tolist() == recorded.ids.tolist()


def test_output_order_is_time_then_population_then_id(engine):
    net = esn.Network()
    cells = delta(net, 4)
    source = net.population(4, esn.SpikeSource([3.0]))
    net.connect(source, cells, esn.Explicit([0, 1, 2, 3], [3, 1, 2, 0]), delay=[1.0, 1.0, 0.5, 1.0])
    spikes = net.run(5.0, engine=engine).spikes["cells"]
    assert spikes.times.tolist() == [3.5, 4.0, 4.0, 4.0] and spikes.ids.tolist() == [2, 0, 1, 3]


def test_a_moving_threshold_is_recorded_of_a_model_with_no_other_variable(engine):
    """No current: 3 mV at each spike, decaying with 15 ms."""

    class Adapting(esn.LinearModel):
        parameters = {"tau_m": 10.0, "C_m": 250.0, "E_L": 0.0, "V_th": 10.0, "t_ref": 0.0, "I_e": 0.0, "tau_th": 15.0}

        def equations(self, p):
            membrane = esn.Membrane(p["tau_m"], p["C_m"], p["E_L"], p["V_th"], p["t_ref"], port="kick")
            return esn.Linear(membrane, [], [esn.Threshold("raised", p["tau_th"], reset=esn.Reset(jump=3.0))])

    net = esn.Network()
    cell = net.population(1, Adapting(), name="cell", I_e=500.0)
    net.record(cell, ["V_th", "raised"], every=10.0)
    results = net.run(50.0, engine=engine)
    spikes, trace = results.spikes["cell"].times, results.traces["cell"]
    raised = [3.0 * np.exp(-(t - spikes[spikes <= t]) / 15.0).sum() for t in trace.times]
    assert trace.V_th[0] == pytest.approx(10.0 + np.array(raised), rel=1e-12) and len(spikes) > 1
