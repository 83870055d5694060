"""What every model promises; the checks find the models by themselves, so a new one is tested by being listed."""

import inspect
import math
import re

import numpy as np
import pytest
from mpmath import mp, mpf

import eventsnn as esn
from eventsnn import models
from eventsnn.compilation import resolve
from eventsnn.models.base import Model, State

ALL = [
    model
    for model in (getattr(models, name) for name in models.__all__)
    if inspect.isclass(model) and issubclass(model, Model) and model is not Model
]
generic = pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)

# Values of NEST 3 for the parameters that its model of the same equations has.
NEST = {
    "LIFDelta": {
        "tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0, "I_e": 0.0,
    },
    "LIFExp": {
        "tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0, "I_e": 0.0,
        "tau_syn_ex": 2.0, "tau_syn_in": 2.0,
    },
}  # fmt: skip

STATES = 300


def constants_of(model, **changed):
    values = {name: resolve(value, 1, name, 0) for name, value in {**model.parameters, **changed}.items()}
    model.check(values, "test")
    return model.constants(values)[:, 0].tolist()


def situations(model, seed, n=STATES):
    """Random constants and free states below threshold; time constants of ports of any order, equal and nearly equal,
    currents of both signs and balanced so that V may have two humps, drives around the threshold."""
    rng = np.random.default_rng(seed)
    taus = [name for name in model.parameters if name.startswith("tau_syn")]
    for _ in range(n):
        near = float(rng.choice([0.0, 1e-15, 1e-12, 1e-9, 1e-6, -1e-9, -1e-4]))
        tau = [float(rng.choice([0.5, 2.0, 10.0, 10.0 * (1.0 + near), 30.0])) for _ in taus]
        if len(tau) == 2 and rng.random() < 0.3:
            tau[1] = tau[0] * (1.0 + near)
        c = constants_of(model, E_L=0.0, V_th=15.0, V_reset=0.0, C_m=10.0, **dict(zip(taus, tau, strict=True)))
        drive = float(rng.choice([0.0, 10.0, 14.9, 15.0, 15.1, 30.0]))
        v = float(rng.choice([0.0, -20.0, rng.uniform(0.0, 15.0), 14.999]))
        current = []
        for k, t in enumerate(tau):
            # A charge rather than a current is what decides about the height of the response.
            charge = rng.uniform(0.0, 1_500.0) * (-1.0) ** (k + rng.integers(0, 2) * (rng.random() < 0.3))
            current.append(float(charge / t) if rng.random() < 0.9 else 0.0)
        yield c, State(0.0, v, current, drive)


def exact_potential(model, c, s, h):
    """V - E_L after h from the equations in the model's docstring, in the current precision of mpmath."""
    of = dict(zip(model.constant_names, c, strict=True))
    tm, drive = mpf(of["tau_m"]), mpf(s.drive)
    v = drive + (mpf(s.v) - drive) * mp.exp(-h / tm)
    for port, current in zip(model.ports, s.current, strict=False):
        tau = mpf(of[f"tau_{port}"])
        gain = h / tm * mp.exp(-h / tm) if tau == tm else (mp.exp(-h / tau) - mp.exp(-h / tm)) * tau / (tau - tm)
        v += mpf(of["R"]) * mpf(current) * gain
    return v


def after(model, c, s, h):
    s = s.copy()
    model.flow(c, s, h)
    return s


def scale(c, s):
    """The potentials whose difference V is (mV): rounding errors are measured against them."""
    return abs(s.v) + abs(s.drive) + c[1] * sum(map(abs, s.current)) + abs(c[2])


def test_models_are_found():
    assert {model.__name__ for model in ALL} >= {"LIFDelta", "LIFExp"}


@generic
def test_defaults_are_those_of_nest_and_of_the_docstring(model):
    assert model.parameters == NEST[model.__name__]
    said = dict(re.findall(r"^ +(\w+) +(-?\d+\.\d+) +(?:ms|mV|pA|pF)\b", model.__doc__, re.MULTILINE))
    assert {name: float(value) for name, value in said.items()} == model.parameters
    net = esn.Network()
    cells = net.population(2, model())
    for name, value in model.parameters.items():
        assert cells.get(name).tolist() == [value, value]
    assert cells.get("V_m").tolist() == [-70.0, -70.0]


@generic
def test_docstring_names_equation_ports_state_and_source(model):
    for part in ("Equation", "State", "Source", *model.ports, *model.state_variables):
        assert part in model.__doc__


@generic
def test_unknown_parameters_are_refused_with_a_suggestion(model):
    with pytest.raises(esn.InputError, match=f"{model.__name__} has no parameter 'tau_n'; did you mean 'tau_m'"):
        model(tau_n=3.0)
    with pytest.raises(esn.InputError, match=f"{model.__name__} has no parameter 'colour'; known are tau_m, C_m"):
        model(colour=1.0)


@generic
def test_repr_shows_what_differs_from_the_defaults(model):
    assert repr(model()) == f"{model.__name__}()"
    assert repr(model(tau_m=7.5)) == f"{model.__name__}(tau_m=7.5)"


@generic
def test_flow_solves_the_equation(model):
    """Against 40 digits, at small and large steps."""
    with mp.workdps(60):
        for c, s in situations(model, 1, 100):
            for h in (1e-9, 0.01, 0.7, 13.0, 400.0):
                error = abs(after(model, c, s, h).v - exact_potential(model, c, s, mpf(h)))
                assert error < 1e-15 * scale(c, s), (c, s, h)


@generic
def test_flow_is_a_semigroup(model):
    rng = np.random.default_rng(2)
    for c, s in situations(model, 2):
        a, b = rng.exponential(5.0, 2)
        once, twice = after(model, c, s, a + b), after(model, c, after(model, c, s, a), b)
        assert once.v == pytest.approx(twice.v, rel=0.0, abs=2e-15 * scale(c, s))
        assert once.current == pytest.approx(twice.current, rel=1e-14)


@generic
def test_flow_of_no_time_changes_nothing_and_hold_keeps_v(model):
    for c, s in situations(model, 3):
        assert after(model, c, s, 0.0) == s
        held = s.copy()
        model.hold(c, held, 3.3)
        assert held.v == s.v and held.drive == s.drive
        assert held.current == after(model, c, s, 3.3).current


@generic
def test_receive_adds_each_sum_to_its_port(model):
    sums = [3.0, -4.0][: len(model.ports)]
    s = State(0.0, 1.0, [10.0, -20.0][: len(model.state_variables) - 1], 5.0)
    model.receive(s, sums)
    if model.instantaneous:
        assert s == State(0.0, 1.0 + sums[0], s.current, 5.0)
    else:
        assert s == State(0.0, 1.0, [13.0, -24.0], 5.0)


def grid():
    """Times on which a crossing could be seen: dense near 0, where fast currents act, and out to the slowest decay."""
    early, middle, late = np.linspace(0.0, 5.0, 200), np.linspace(5.0, 60.0, 150), np.geomspace(60.0, 1e3, 40)
    return np.concatenate([early, middle[1:], late[1:]])


def potentials(model, c, s, times):
    return np.array([after(model, c, s, float(h)).v for h in times])


@generic
def test_crossing_is_the_first_time_at_which_v_reaches_the_threshold(model):
    """It lands on the threshold, coming from below, and no earlier time on a fine grid is above; without one no time of
    the grid is. Whether a maximum just touches the threshold is left to rounding."""
    crossed = 0
    for c, s in situations(model, 4, 2 * STATES):
        h = model.crossing(c, s)
        rounding = 2e-15 * scale(c, s)
        times = grid()
        V = potentials(model, c, s, times)
        if h == math.inf:
            assert V.max() < c[2] + rounding, (c, s)
            continue
        crossed += 1
        assert h > 0.0
        slope = (after(model, c, s, h * (1.0 + 1e-6)).v - after(model, c, s, h * (1.0 - 1e-6)).v) / (2e-6 * h)
        assert slope > 0.0 or abs(slope) < 1e-6
        assert abs(after(model, c, s, h).v - c[2]) <= rounding + abs(slope) * 4e-16 * h, (c, s, h)
        assert (V[times < h] < c[2] + rounding).all(), (c, s, h)
        before = np.linspace(0.0, h, 100)[:-1]
        assert (potentials(model, c, s, before) < c[2] + rounding).all(), (c, s, h)
    assert 50 < crossed < 2 * STATES - 50


@generic
def test_crossing_at_or_above_threshold_is_now(model):
    for c, s in situations(model, 5, 20):
        for v in (c[2], math.nextafter(c[2], math.inf), c[2] + 30.0):
            assert model.crossing(c, State(0.0, v, s.current, s.drive)) == 0.0


@pytest.mark.parametrize(("tau_ex", "tau_in"), [(1.0, 40.0), (40.0, 1.0), (8.0, 30.0), (30.0, 8.0)])
def test_both_humps_of_v_are_searched(tau_ex, tau_in):
    """V falls, rises and falls again, or rises, dips and rises to an asymptote: both orders of extrema that currents of
    opposite sign make, with the threshold below and above each of them."""
    rng = np.random.default_rng(6)
    base = constants_of(models.LIFExp, E_L=0.0, V_th=1.0, V_reset=0.0, C_m=10.0, tau_syn_ex=tau_ex, tau_syn_in=tau_in)
    step, taus = 0.05, np.array([tau_ex, tau_in])
    t = np.arange(0.0, 300.0, step)
    membrane, synapses = np.exp(-t / 10.0), np.exp(-t / taus[:, np.newaxis])
    seen = set()
    for _ in range(2_000):
        sign = rng.choice([-1.0, 1.0])
        current = rng.uniform(0.0, 3_000.0, 2) / taus * (sign, -sign)
        s = State(0.0, float(rng.uniform(-10.0, 10.0)), current.tolist(), float(rng.choice([0.0, 8.0, 20.0])))
        # Solution of the equations with R = 1 mV / pA and tau_m = 10 ms.
        V = s.drive + (s.v - s.drive) * membrane + (current * taus / (taus - 10.0)) @ (synapses - membrane)
        turns = np.flatnonzero(np.diff(np.sign(np.diff(V)))) + 1
        if len(turns) < 2 or np.abs(np.diff(V[turns])).min() < 1.0:
            continue
        levels = sorted([V[0], *V[turns], V[-1], V.max() + 1.0])
        for threshold in np.add(levels[1:], levels[:-1]) / 2.0:
            if threshold < V[0] + 0.1 or np.abs(V[[*turns, -1]] - threshold).min() < 0.1:
                continue
            h = models.LIFExp.crossing([*base[:2], float(threshold), *base[3:]], s)
            above = np.flatnonzero(V >= threshold)
            if above.size == 0:
                assert h == math.inf
            else:
                assert t[above[0] - 1] <= h <= t[above[0]]
            seen.add((bool(V[1] > V[0]), above.size > 0, bool(above.size and above[0] > turns[1])))
    # First rising: caught before the dip, only after it, or never; first falling: caught after the dip, or never.
    assert {order[:2] for order in seen} == {(True, True), (True, False), (False, True), (False, False)}
    assert {(True, True, False), (True, True, True)} <= seen


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_ports_of_nearly_equal_time_constants_hide_no_maximum(engine):
    """V rises to 26.9 mV at 12 ms, while the currents cancel only after 10^7 ms, when every exponential is 0."""
    net = esn.Network()
    cells = esn.LIFExp(C_m=10.0, E_L=0.0, V_th=15.0, V_reset=0.0, tau_syn_ex=10.0, tau_syn_in=10.00001, t_ref=100.0)
    net.population(1, cells, name="cells", V_m=-20.0, I_syn_ex=130.0, I_syn_in=-40.0)
    (time,) = net.run(50.0, engine=engine).spikes["cells"].times
    with mp.workdps(40):
        ti = mpf(10.00001)

        def above(t):
            synaptic = ti / (ti - 10) * (mp.exp(-t / ti) - mp.exp(-t / 10))
            return (13 * t - 20) * mp.exp(-t / 10) - 40 * synaptic - 15

        exact = mp.findroot(above, 5)
        assert abs(time - exact) < 1e-13


@generic
def test_the_compiled_equations_are_the_same(model):
    """One neuron of each random situation, in both engines: spike times and samples, bit for bit."""
    rng = np.random.default_rng(9)
    n = 60
    taus = [0.5, 2.0, 10.0, 10.0 + 1e-9, 30.0]
    names = {name: rng.choice(taus, n) for name in model.parameters if "tau" in name}
    state = {"V_m": rng.uniform(-20.0, 16.0, n)}
    for name, sign in zip(model.state_variables[1:], rng.choice([-1.0, 1.0], 4), strict=False):
        state[name] = sign * rng.uniform(0.0, 500.0, n)
    results = {}
    for engine in ("compiled", "reference"):
        net = esn.Network()
        values = {"E_L": 0.0, "V_th": 15.0, "V_reset": 3.0, "C_m": 10.0, "I_e": 12.0, **names}
        cells = net.population(n, model(**values), name="cells", **state)
        net.stimulate(cells, esn.StepCurrent([7.0, 12.0], [20.0, -15.0]))
        net.record(cells, model.state_variables, times=np.linspace(0.0, 30.0, 101)[:-1])
        results[engine] = net.run(30.0, engine=engine)
    a, b = results["compiled"], results["reference"]
    assert len(a.spikes["cells"]) > n / 3
    assert a.spikes["cells"].times.tolist() == b.spikes["cells"].times.tolist()
    assert a.spikes["cells"].ids.tolist() == b.spikes["cells"].ids.tolist()
    for name in model.state_variables:
        assert np.array_equal(getattr(a.traces["cells"], name), getattr(b.traces["cells"], name)), name
