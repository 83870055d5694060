"""The quadratic neuron under a constant current, against integrals of dt = dV / F(V) at 40 digits."""

import math

import numpy as np
import pytest
from event_log import differences, event_log
from mpmath import mp, mpf

import eventsnn as esn

ULP = 2.0**-52
RHEOBASE = 93.75  # pA, with the default parameters


def exact(model, **changed):
    """Parameters as numbers of mpmath, some of them others."""
    return {name: mpf(value) for name, value in model.values.items()} | changed


def velocity(p, v):
    curve = p["g_L"] * (v - p["E_L"]) * (v - p["V_th"]) / (p["V_th"] - p["E_L"])
    return (curve + p["I_e"]) / p["C_m"]


def duration(p, start, stop):
    """How long V takes from start to stop: a numerical integral, cut where the integrand changes its scale."""
    middle = (p["E_L"] + p["V_th"]) / 2
    width = mp.sqrt(abs(p["I_e"] * (p["V_th"] - p["E_L"]) / p["g_L"] - ((p["V_th"] - p["E_L"]) / 2) ** 2))
    centres = [middle] if velocity(p, middle) >= 0 else [middle - width, middle + width]
    distances = [abs(width or start - middle) * mpf(4) ** k for k in range(-60, 30)]
    cuts = [c + sign * d for c in centres for sign in (-1, 1) for d in distances]
    if velocity(p, middle) > 0:
        cuts = [middle, *(c for c in cuts if abs(c - middle) >= width / 16)]
    low, high = min(start, stop), max(start, stop)
    points = [low, *sorted(cut for cut in cuts if low < cut < high), high]
    total = mp.quad(lambda v: 1 / velocity(p, v), points)
    return total if start < stop else -total


def expected(model, start, stop):
    """The duration, and by how much it may differ where V, the current and parameters have been rounded once."""
    with mp.workdps(40):
        p, start, stop = exact(model), mpf(start), mpf(stop)
        span = duration(p, start, stop)
        blur = abs(start / velocity(p, start)) + abs(stop / velocity(p, stop)) + span
        for name in ("I_e", "g_L", "E_L", "V_th"):
            step = mpf(10) ** -25
            moved = exact(model, **{name: p[name] * (1 + step)})
            blur += abs(duration(moved, start, stop) - span) / step
        return span, float(blur) * ULP


def one(model, **state):
    net = esn.Network()
    return net, net.population(1, model, name="cell", **state)


ABOVE = [
    (-70.0, 200.0), (-70.0, 3000.0), (-90.0, 1e6), (-70.0, 94.0), (-62.5, 94.0), (-70.0, RHEOBASE + 1e-3),
    (-70.0, RHEOBASE + 1e-6), (-60.0, RHEOBASE + 1e-9), (-60.0, RHEOBASE), (-54.0, 0.0), (-54.999999, 0.0), (-1.0, 0.0),
    (-40.0, 60.0), (-30.0, -1000.0), (-61.0, RHEOBASE - 1e-6), (-62.49999, RHEOBASE - 1e-11),
]  # fmt: skip


@pytest.mark.parametrize(("V_m", "current"), ABOVE)
def test_spikes_come_when_the_integral_says(V_m, current):
    model = esn.QIF(I_e=current)
    with mp.workdps(40):
        first, blur = expected(model, V_m, 0.0)
        net, _ = one(model, V_m=V_m)
        again, again_blur = expected(model, -70.0, 0.0) if current > RHEOBASE else (math.inf, 0.0)
        train = net.run(float(first + (1.5 * again if again < math.inf else 50.0)) + 2.0).spikes["cell"].times
        assert train.size == (2 if current > RHEOBASE else 1)
        assert abs(train[0] - first) < blur + ULP * first
        if train.size > 1:
            assert abs(train[1] - train[0] - again - 2) < again_blur + 4 * ULP * train[1]


def test_the_period_just_above_the_rheobase_is_that_of_the_bottleneck():
    """All constants are powers of two, so that nothing is rounded but the result: weeks keep their digits."""
    for excess in (1, 3, 1000):
        current = 128.0 + excess * math.ulp(128.0)
        model = esn.QIF(C_m=256.0, g_L=32.0, E_L=-64.0, V_th=-48.0, V_reset=-64.0, I_e=current)
        with mp.workdps(40):
            period = duration(exact(model), mpf(-64), mpf(0))
            net, _ = one(model, V_m=-64.0)
            train = net.run(float(2 * period) + 3.0).spikes["cell"].times
            assert abs(train[0] - period) < 4 * ULP * period
            assert abs(train[1] - train[0] - period - 2) < 4 * ULP * train[1]


@pytest.mark.parametrize(
    ("V_m", "current"),
    [(-70.0, 200.0), (-70.0, 95.0), (-64.0, RHEOBASE + 1e-5), (-50.0, 0.0), (-55.5, 0.0), (-69.0, 60.0)],
)
def test_the_state_between_is_that_of_the_integral(V_m, current):
    """Samples are right if the time to come there is."""
    model = esn.QIF(I_e=current)
    stop = 30.0
    net, cell = one(model, V_m=V_m)
    net.record(cell, "V_m", times=np.linspace(0.0, stop, 12)[1:])
    results = net.run(stop)
    train, traces = results.spikes["cell"].times, results.traces["cell"]
    checked = 0
    for t, v in zip(traces.times, traces.V_m[0], strict=True):
        if train.size and t > train[0]:
            break
        with mp.workdps(40):
            span, blur = expected(model, V_m, v)
            assert abs(span - t) < 2 * blur
        checked += 1
    assert checked > 2


@pytest.mark.parametrize("weight", [15.5, 20.0, 69.0])
def test_a_neuron_at_rest_that_is_kicked_over_its_threshold(weight):
    net, cell = one(esn.QIF(t_ref=0.0))
    kick = net.population(1, esn.SpikeSource([5.0]), name="kick")
    net.connect(kick, cell, esn.AllToAll(), weight=weight, delay=1.0)
    first, blur = expected(esn.QIF(), -70.0 + weight, 0.0)
    results = net.run(float(first) + 100.0)
    train = results.spikes["cell"].times
    assert train.size == 1
    assert abs(train[0] - 6.0 - first) < blur + ULP * train[0]


@pytest.mark.parametrize(
    ("V_m", "parameters"),
    [
        (-55.0, {}),
        (-70.0, {}),
        (-55.3, {"E_L": -70.1, "V_th": -55.3, "g_L": 23.7, "C_m": 181.3}),
        (-52.0, {"C_m": 256.0, "g_L": 32.0, "E_L": -64.0, "V_th": -48.0, "I_e": 96.0}),
        (-60.0, {"C_m": 256.0, "g_L": 32.0, "E_L": -64.0, "V_th": -48.0, "I_e": 96.0}),
        (-56.0, {"C_m": 256.0, "g_L": 32.0, "E_L": -64.0, "V_th": -48.0, "I_e": 128.0}),
    ],
)
@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_state_at_an_equilibrium_stays_there(V_m, parameters, engine):
    net, cell = one(esn.QIF(**parameters), V_m=V_m)
    net.record(cell, "V_m", times=[0.1, 1e3, 1e6])
    results = net.compile(engine=engine).run(1.1e6)
    assert results.spikes["cell"].times.size == 0
    assert (results.traces["cell"].V_m == V_m).all()


@pytest.mark.parametrize("current", [0.0, 50.0, 93.0, -400.0])
def test_in_the_end_v_is_at_the_lower_equilibrium(current):
    net, cell = one(esn.QIF(I_e=current), V_m=-62.0)
    net.record(cell, "V_m", times=[5e3, 1e9])
    trace = net.run(1.1e9).traces["cell"].V_m[0]
    assert trace[0] == trace[1]
    assert trace[0] == pytest.approx(-62.5 - math.sqrt(56.25 - 0.6 * current), rel=0, abs=3e-14 * abs(trace[0]))


def test_a_peak_before_the_lower_equilibrium_is_reached_and_one_beyond_it_is_not():
    """The lower equilibrium lies at -65.37 mV with 80 pA, and at -66.27 mV with 70 pA."""
    parameters = {"V_peak": -66.0, "V_reset": -75.0}
    model = esn.QIF(I_e=80.0, **parameters)
    first, blur = expected(model, -75.0, -66.0)
    for engine in ("compiled", "reference"):
        net, _ = one(model, V_m=-75.0)
        train = net.compile(engine=engine).run(100.0).spikes["cell"].times
        assert abs(train[0] - first) < blur
        net, _ = one(esn.QIF(I_e=70.0, **parameters), V_m=-75.0)
        assert net.compile(engine=engine).run(1e4).spikes["cell"].times.size == 0


@pytest.mark.parametrize("current", [0.0, 60.0, 93.7, 93.8, 300.0])
@pytest.mark.parametrize("V_m", [-80.0, -64.0, -54.0])
def test_the_series_agrees(V_m, current):
    """A sinusoidal current of no size to speak of leaves no closed form."""
    trains, traces = [], []
    for amplitude in (0.0, 1e-300):
        net, cell = one(esn.QIF(I_e=current), V_m=V_m)
        if amplitude:
            net.stimulate(cell, esn.SineCurrent(amplitude, 10.0))
        net.record(cell, "V_m", every=0.37)
        results = net.run(60.0)
        trains.append(results.spikes["cell"].times)
        traces.append(results.traces["cell"].V_m[0])
    assert trains[0].size == trains[1].size
    assert np.allclose(*trains, rtol=0, atol=1e-8)
    slow = np.abs(traces[0]) > 20.0
    assert np.allclose(traces[0][slow], traces[1][slow], rtol=0, atol=1e-6)


def test_only_ramps_and_sines_take_steps():
    work = []
    for sine in (False, True):
        net, cell = one(esn.QIF(I_e=200.0))
        if sine:
            net.stimulate(cell, esn.SineCurrent(1e-300, 10.0))
        results = net.run(1000.0)
        work.append(results.summary["bounds_due"] / results.spikes["cell"].times.size)
    assert work[0] <= 3.0 < 4.0 < work[1]


def test_v_never_exceeds_the_peak_before_a_spike():
    for current in (94.0, 300.0, 1e5, 1e8):
        net, _ = one(esn.QIF(I_e=current))
        first = net.run(1500.0).spikes["cell"].times[0]
        times = [first]
        for _ in range(20):
            times.append(math.nextafter(times[-1], 0.0))
        net, cell = one(esn.QIF(I_e=current))
        net.record(cell, "V_m", times=sorted(times)[:-1])
        trace = net.run(1500.0).traces["cell"].V_m[0]
        assert (trace <= 0.0).all()
        assert current > 1e7 or trace.min() > -1e-6


def test_currents_that_change_between_constant_ones_ramps_and_sines():
    """Between closed form and series, while refractory too."""
    for t_ref in (0.0, 3.0):
        net = esn.Network(seed=5)
        cells = net.population(6, esn.QIF(t_ref=t_ref, I_e=esn.Uniform(80.0, 300.0)), name="cells")
        net.connect(cells, cells, esn.AllToAll(), weight=esn.Uniform(-3.0, 3.0), delay=esn.Uniform(0.3, 2.0))
        net.stimulate(cells, esn.StepCurrent([4.0, 20.0, 26.0], [150.0, -90.0, 40.0]))
        net.stimulate(cells[:4], esn.RampCurrent([6.0, 9.0, 13.0], [0.0, 200.0, 0.0]))
        net.record(cells, "V_m", every=0.31)
        whole = event_log(net.compile(engine="reference"), 60.0)
        assert len(whole["cells times"]) // 8 > 8
        assert not differences(whole, event_log(net.compile(), 60.0))
        assert not differences(whole, event_log(net.compile(), 5.0, 7.7, 9.0, 22.5, 60.0))


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("current", [0.0, 200.0, -1e13])
def test_a_state_out_of_range_is_an_error(engine, current):
    net, cell = one(esn.QIF(I_e=current))
    kick = net.population(1, esn.SpikeSource([5.0]), name="kick")
    net.connect(kick, cell, esn.AllToAll(), weight=-1e7, delay=1.0)
    with pytest.raises(esn.RunawayError, match="neuron 0 of cell has run away.*at t = 6 ms"):
        net.compile(engine=engine).run(10.0)
