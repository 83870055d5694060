"""Events of neurons that are taken side by side, in the lanes of vectors: the bits of single ones."""

import math

import numpy as np
import pytest
from event_log import differences, event_log

import eventsnn as esn
from eventsnn._core.models.conductance import side_by_side
from eventsnn._core.solve.taylor import side_by_side as series_side_by_side
from eventsnn.models.stepped import THRESHOLD
from eventsnn.solve.state import State

# An Outcome of ext/eventsnn/_core/solve/neuron.pxd.
AT_THRESHOLD, LOST = 1, 2
OFTEN = 400


def cases(rng, alpha):
    """Models and states of all kinds: at rest, refractory, with conductances that are gone, huge, or about to go."""
    for _ in range(OFTEN):
        tau_ex, tau_in = rng.choice([0.2, 2.0, 5.0, 10.0], 2)
        kind = esn.LIFCondAlpha if alpha else esn.LIFCondExp
        model = kind(
            C_m=float(rng.choice([100.0, 250.0])), tau_syn_ex=tau_ex, tau_syn_in=tau_in,
            E_ex=float(rng.choice([0.0, 20.0])),
        )  # fmt: skip
        size = [0.0, 1e-18, 1e-14, 1e-9, 1.0, 30.0, 300.0, 3e3]
        x = (rng.choice(size, 4 if alpha else 2) * rng.uniform(0.5, 1.5)).tolist()
        t = float(rng.choice([0.0, 10.0, 1e6])) + rng.uniform()
        stop = t + float(rng.choice([1e-9, 1e-3, 0.1, 1.0, 10.0]))
        rest = rng.uniform() < 0.1
        v = model.parameters["E_L"] if rest else rng.uniform(-85.0, -56.0)
        if rest:
            x = [0.0] * len(x)
        drive = 0.0 if rest else rng.normal(0.0, 2.0)
        yield model, float(v), x, drive, t, stop, stop + 1.0 if rng.uniform() < 0.2 else 0.0


@pytest.mark.parametrize("lanes", [1, 4, 8])
@pytest.mark.parametrize("alpha", [False, True], ids=["exponential", "alpha"])
@pytest.mark.parametrize("classes", [1, OFTEN], ids=["one class", "many classes"])
def test_bits_are_those_of_single_neurons(lanes, alpha, classes):
    rng = np.random.default_rng(lanes + 100 * alpha)
    given, constants, expected = [], [], []
    one = None
    for each, v, x, drive, t, stop, release in cases(rng, alpha):
        model = one = each if classes > 1 or one is None else one
        _, c = model.constants({name: np.array([float(value)]) for name, value in model.values.items()})
        c = c[:, 0].tolist()
        weights = rng.choice([0.0, 3.0, 50.0, 1e9], 2, p=[0.5, 0.3, 0.19, 0.01]).tolist()
        s = State(t, v, list(x), drive=drive)
        model.settle(c, s, stop, release)
        model.receive(c, s, weights, stop < release)
        given.append([t, stop, v, drive, release, *weights, *x])
        constants.append(c)
        outcome = (0 if stop < release else int(s.v >= c[THRESHOLD])) + 2 * model.is_lost(c, s)
        expected.append((s, outcome, c, model))
    state = np.array(given)
    outcomes = side_by_side(lanes, state, np.array(constants))
    wanted = np.array([[s.v, *s.x] for s, *_ in expected])
    assert state[:, [2, *range(7, state.shape[1])]].tobytes() == wanted.tobytes()
    assert [outcome for outcome, _ in outcomes] == [outcome for _, outcome, *_ in expected]
    for (_, until), (s, outcome, c, model), row in zip(outcomes, expected, given, strict=True):
        if row[1] < row[4]:
            assert until == row[4]
        elif not outcome:
            span, found = model.crossing(c, s)
            assert until >= s.t and (not found or until <= s.t + span or span == math.inf)


@pytest.mark.parametrize("seed", range(1, 5))
def test_networks_have_the_bits_of_the_reference(seed):
    """More neurons than are taken together, several inputs in a window, two models with own and shared parameters."""
    net = esn.Network(seed=seed)
    tau_syn_ex = esn.Uniform(1.0, 3.0) if seed % 2 else 2.0
    start = esn.Uniform(-70.0, -55.0)
    exc = net.population(70, esn.LIFCondExp(I_e=150.0, tau_syn_ex=tau_syn_ex), name="exc", V_m=start)
    inh = net.population(40, esn.LIFCondAlpha(I_e=200.0, tau_syn_ex=1.0), name="inh", V_m=start)
    linear = net.population(20, esn.LIFExp(I_e=400.0), name="linear", V_m=start)
    rule, delay = esn.FixedProbability(0.3), [0.3, 1.0, 1.5, esn.Uniform(0.4, 2.0)][seed - 1]
    net.connect(exc, [exc, inh], rule, weight=2.0, delay=delay)
    net.connect(inh, [exc, inh], rule, weight=-4.0, delay=delay)
    net.connect(linear, exc, rule, weight=1.0, delay=delay)
    net.stimulate([exc, inh], esn.Poisson(1_500.0), weight=3.0)
    net.stimulate(exc[:10], esn.StepCurrent([5.0, 11.0], [300.0, 0.0]))
    net.stimulate(exc[10:12], esn.RampCurrent([2.0, 15.0], [0.0, 300.0]))
    net.stimulate(inh[:2], esn.SineCurrent(100.0, 80.0))
    net.record(exc[::7], ["V_m", "g_ex"], every=0.7)
    stop = 20.0
    expected = event_log(net.compile(engine="reference"), stop)
    assert expected["exc times"] and expected["inh times"]
    assert not differences(expected, event_log(net.compile(), stop))
    assert not differences(expected, event_log(net.compile(), 0.3 * stop, 0.31 * stop, stop))
    simulation = net.compile()
    simulation.run(stop, threads=2)
    assert not differences(expected, event_log(simulation, stop))


# ---- Taylor series


def series_cases(rng, model):
    """States of all kinds: far from the threshold and above it, refractory, where x / (exp(x) - 1) has no digits."""
    for _ in range(OFTEN // 4):
        t = float(rng.choice([0.0, 10.0, 1e6])) + rng.uniform()
        stop = t + float(rng.choice([1e-9, 1e-3, 0.05, 0.3, 4.0]))
        until = stop + float(rng.choice([1e-9, 1e-3, 0.05, 0.3, 4.0]))
        release = stop + float(rng.choice([1e-3, 0.3, 2.0])) if rng.uniform() < 0.2 else 0.0
        v = float(rng.choice([-80.0, -60.0, -50.0, -48.0, -23.0])) + rng.normal(0.0, 2.0)
        x = {"g_ex": rng.choice([0.0, 1e-9, 30.0]), "g_in": rng.choice([0.0, 1e-9, 30.0]), "U_m": rng.uniform(-15, -8)}
        slots = [float(x.get(name, rng.uniform())) for name in model.slots]
        yield t, stop, until, v, rng.normal(0.0, 2.0), release, slots


@pytest.mark.parametrize("lanes", [1, 4, 8])
@pytest.mark.parametrize("kind", [esn.HHTraub, esn.AdEx, esn.EIF, esn.Izhikevich], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("tolerances", [[1e-12], [1e-6, 1e-9]], ids=["one class", "two classes"])
def test_series_have_the_bits_of_single_neurons(lanes, kind, tolerances):
    rng = np.random.default_rng(lanes + len(tolerances))
    given, constants, expected = [], [], []
    for t, stop, until, v, drive, release, slots in series_cases(rng, kind()):
        model = kind(tolerance=float(rng.choice(tolerances)))
        _, c = model.constants({name: np.array([float(value)]) for name, value in model.values.items()})
        c = c[:, 0].tolist()
        weights = rng.choice([0.0, 0.1, 3.0], 2).tolist()
        s = State(t, v, list(slots), drive=drive)
        model.settle(c, s, stop, release)
        model.receive(c, s, weights[: len(model.ports)], stop < release)
        given.append([t, stop, until, v, drive, release, *weights, *slots])
        constants.append(c)
        at_threshold, lost = stop >= release and s.v >= c[THRESHOLD], model.is_lost(c, s)
        expected.append((s.copy(), AT_THRESHOLD * at_threshold + LOST * lost, c, model))
    state = np.array(given)
    outcomes = series_side_by_side(kind(), lanes, state, np.array(constants))
    wanted = np.array([[s.v, *s.x] for s, *_ in expected])
    assert state[:, [3, *range(8, state.shape[1])]].tobytes() == wanted.tobytes()
    looked = 0
    for (outcome, no_crossing, v), (s, known, c, model), row in zip(outcomes, expected, given, strict=True):
        assert outcome == known
        if not outcome:
            free = row[1] >= row[5]
            span, found = model.crossing(c, s.copy()) if free else (math.inf, False)
            assert no_crossing >= s.t and (not found or no_crossing <= s.t + span)
            looked += free and no_crossing > s.t
        model.settle(c, s, row[2], row[5])
        assert v == s.v
    assert looked > OFTEN / 16


@pytest.mark.parametrize("kind", [esn.HHTraub, esn.AdEx, esn.Izhikevich], ids=lambda kind: kind.__name__)
def test_networks_of_series_have_the_bits_of_the_reference(kind):
    """Dense input, several times of it in a window, spikes, refractoriness, ramps and sines among the neurons."""
    weight, current = {esn.HHTraub: (3.0, 0.0), esn.AdEx: (6.0, 900.0), esn.Izhikevich: (0.5, 3.0)}[kind]
    net = esn.Network(seed=5)
    cells = net.population(
        40, kind(tolerance=1e-8, t_ref=1.5, I_e=current), name="cells", V_m=esn.Uniform(-70.0, -55.0)
    )
    ex = net.population(60, esn.Poisson(100.0), name="ex")
    net.connect(ex, cells, esn.FixedProbability(0.5), weight=weight, delay=esn.Uniform(0.4, 2.0))
    net.connect(ex, cells, esn.FixedProbability(0.2), weight=-weight, delay=0.7)
    net.connect(cells, cells, esn.FixedProbability(0.2), weight=weight, delay=0.5)
    net.stimulate(cells[20:], esn.Poisson(500.0), weight=weight)
    net.stimulate(cells[:5], esn.RampCurrent([2.0, 8.0], [0.0, 300.0 if kind is not esn.Izhikevich else 5.0]))
    net.stimulate(cells[5:7], esn.SineCurrent(5.0, 80.0))
    net.record(cells[::7], ["V_m"], every=0.7)
    stop = 12.0
    expected = event_log(net.compile(engine="reference"), stop)
    assert expected["cells times"]
    assert not differences(expected, event_log(net.compile(), stop))
    assert not differences(expected, event_log(net.compile(), 0.3 * stop, 0.31 * stop, stop))
    simulation = net.compile()
    simulation.run(stop, threads=2)
    assert not differences(expected, event_log(simulation, stop))
