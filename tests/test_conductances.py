"""Neurons with conductances: against quadrature with 30 digits, hand-solved cases, their own laws, and mutants."""

import dataclasses
import math

import numpy as np
import pytest
from copies import load
from event_log import differences, event_log, simulation_of
from mpmath import mp, mpf

import eventsnn as esn
from eventsnn.models.stepped import THRESHOLD
from eventsnn.run.reference import Reference
from eventsnn.solve.state import State

MODELS = {False: esn.LIFCondExp, True: esn.LIFCondAlpha}
kinds = pytest.mark.parametrize("alpha", [False, True], ids=["exponential", "alpha"])
engines = pytest.mark.parametrize("engine", ["compiled", "reference"])


def constants_of(model):
    return model.constants({name: np.array([float(value)]) for name, value in model.values.items()})[1][:, 0].tolist()


def gauss(n):
    """Nodes in [0, 1] and weights of a Gauss-Legendre rule."""
    rule = []
    for start in np.polynomial.legendre.leggauss(n)[0].tolist():
        z = mpf(start)
        for _ in range(6):
            before, p = mpf(1), z
            for j in range(2, n + 1):
                before, p = p, ((2 * j - 1) * z * p - (j - 1) * before) / j
            slope = n * (z * p - before) / (z * z - 1)
            z = z - p / slope
        rule.append(((1 + z) / 2, 1 / ((1 - z * z) * slope**2)))
    return rule


class Exact:
    """The solution of the equations with 30 digits."""

    def __init__(self, model, drive=0.0):
        mp.dps = 30
        self.p = {name: mpf(float(value)) for name, value in model.values.items()}
        self.drive, self.alpha = mpf(drive), len(model.slots) == 4
        self.rule = gauss(24)

    def conductance(self, g, slope, tau, h):
        return (g + slope * h) * mp.exp(-h / tau)

    def area(self, g, slope, tau, h):
        left = mp.exp(-h / tau)
        return g * tau * (1 - left) + slope * tau * (tau * (1 - left) - h * left)

    def after(self, v, x, h):
        """V and the conductances h later, in panels in which V does not change by more than e^8."""
        p, x = self.p, [mpf(value) for value in x] + [mpf(0)] * (4 - len(x))
        taus = p["tau_syn_ex"], p["tau_syn_in"]
        most = sum(g + tau * slope for g, slope, tau in zip(x[:2], x[2:], taus, strict=True)) + p["g_L"]
        n = max(1, int(mp.ceil(h * max(most / p["C_m"] / 8, 1 / min(taus)))))
        v, h = mpf(v), mpf(h) / n
        for _ in range(n):
            x, v = self.panel(v, x, h)
        return v, x if self.alpha else x[:2]

    def panel(self, v, x, h):
        p = self.p
        pairs = list(zip(x[:2], x[2:], (p["tau_syn_ex"], p["tau_syn_in"]), (p["E_ex"], p["E_in"]), strict=True))
        end = sum(self.area(g, slope, tau, h) for g, slope, tau, _ in pairs)
        total = mpf(0)
        for node, weight in self.rule:
            s = h * node
            passed = sum(self.area(g, slope, tau, s) for g, slope, tau, _ in pairs)
            rate = p["g_L"] * (p["E_L"] - v) / p["C_m"] + self.drive
            rate += sum(self.conductance(g, slope, tau, s) * (E - v) for g, slope, tau, E in pairs) / p["C_m"]
            total += weight * rate * mp.exp(-(p["g_L"] * (h - s) + end - passed) / p["C_m"])
        left = [mp.exp(-h / tau) for _, _, tau, _ in pairs]
        x = [self.conductance(g, slope, tau, h) for g, slope, tau, _ in pairs] + [
            slope * part for (_, slope, _, _), part in zip(pairs, left, strict=True)
        ]
        return x, v + h * total


def any_model(rng, alpha, slowest=4.0):
    taus = 10.0 ** rng.uniform(-1.5, slowest, 2)
    if rng.uniform() < 0.2:
        taus[1] = taus[0]
    return MODELS[alpha](
        C_m=float(10.0 ** rng.uniform(0, 3)), g_L=float(10.0 ** rng.uniform(-2, 2)), tau_syn_ex=float(taus[0]),
        tau_syn_in=float(taus[1]), E_ex=float(rng.choice([0.0, 20.0])), E_in=float(rng.choice([-85.0, -70.0])),
    )  # fmt: skip


def any_slots(rng, model):
    x = (10.0 ** rng.uniform(-3, 4, 2) * rng.choice([0.0, 1.0], 2, p=[0.2, 0.8])).tolist()
    if len(model.slots) == 2:
        return x
    taus = model.values["tau_syn_ex"], model.values["tau_syn_in"]
    slopes = [g / tau * rng.uniform(0.0, 5.0) for g, tau in zip(x, taus, strict=True)]
    return [g * rng.choice([0.0, 1.0]) for g in x] + slopes


@kinds
def test_states_are_those_of_the_equations_whatever_the_parameters(alpha):
    """Fast and slow conductances, of every size and none, from a nanosecond to a second later."""
    rng = np.random.default_rng(5 + alpha)
    errors = []
    while len(errors) < 150:
        model = any_model(rng, alpha)
        c, x, v, drive = constants_of(model), any_slots(rng, model), rng.uniform(-90.0, -50.0), rng.normal(0.0, 1.0)
        h, t = 10.0 ** rng.uniform(-6, 3), float(rng.choice([0.0, 17.3]))
        largest = model._speed(c, State(0.0, v, x))[0]
        if h * max(largest, 1.0 / model.values["tau_syn_ex"], 1.0 / model.values["tau_syn_in"]) > 300.0:
            continue
        h = (t + h) - t
        s = State(t, v, list(x), drive=drive)
        model.settle(c, s, t + h, 0.0)
        wanted, slots = Exact(model, drive).after(v, x, h)
        settles = max(90.0, abs(drive) * model.values["C_m"] / model.values["g_L"])
        errors.append(float(abs(s.v - wanted)) / min(settles, 90.0 + abs(drive) * h))
        # An exponential is as good as a time constant that has been rounded.
        for value, right in zip(s.x, slots, strict=True):
            assert value == pytest.approx(float(right), rel=1e-12, abs=1e-15)
    assert max(errors) < 1e-15


@kinds
def test_crossings_are_first_and_exact(alpha):
    """Those in long intervals under slow conductances too; none is there where V stays below the threshold."""
    rng = np.random.default_rng(11 + alpha)
    found = missing = 0
    for _ in range(150):
        model = any_model(rng, alpha, slowest=2.5)
        c, x, v = constants_of(model), any_slots(rng, model), rng.uniform(-80.0, -55.5)
        s = State(0.0, v, list(x), drive=float(rng.choice([0.0, rng.normal(0.0, 1.0)])))
        exact = Exact(model, s.drive)
        for _ in range(40):
            span, is_found = model.crossing(c, s)
            end = min(span, 100.0)
            for h in np.linspace(0.0, end, 25)[1:-1]:
                between = State(0.0, s.v, list(s.x), drive=s.drive)
                model.flow(c, between, h)
                assert between.v < c[THRESHOLD] + 1e-12
            if is_found:
                break
            model.settle(c, s, s.t + span, 0.0)
        if not is_found or span == math.inf:
            missing += 1
        else:
            found += 1
            there, slots = exact.after(s.v, s.x, span)
            a = (model.values["g_L"] + float(sum(slots[:2]))) / model.values["C_m"]
            assert abs(there - c[THRESHOLD]) < 1e-13 + 200.0 * a * 2.0**-50 * span
    assert found > 30 and missing > 30


@engines
def test_a_neuron_without_conductances_fires_when_the_logarithm_says(engine):
    net = esn.Network()
    net.population(1, esn.LIFCondExp(I_e=300.0), name="cell", V_m=-60.0)
    times = net.run(200.0, engine=engine).spikes["cell"].times
    tau, settles = 250.0 / 16.6667, -70.0 + 300.0 / 16.6667
    period = tau * math.log((settles + 60.0) / (settles + 55.0))
    assert times.size == math.ceil((200.0 - period) / (period + 2.0))
    assert times == pytest.approx(period + (period + 2.0) * np.arange(times.size), rel=1e-14)


@engines
@kinds
@pytest.mark.parametrize("above", [1e-9, -1e-9])
def test_grazing(alpha, engine, above):
    """The threshold lies so little below the highest V, or above it."""
    model = MODELS[alpha](tau_syn_ex=5.0, tau_syn_in=5.0)
    x = [30.0, 10.0] if not alpha else [0.0, 0.0, 12.0, 4.0]
    exact = Exact(model)
    low, high = mpf(0), mpf(40)
    for _ in range(60):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (a, high) if exact.after(-70.0, x, a)[0] < exact.after(-70.0, x, b)[0] else (low, b)
    peak = exact.after(-70.0, x, low)[0]
    net = esn.Network()
    state = dict(zip(model.slots, x, strict=True))
    model = MODELS[alpha](tau_syn_ex=5.0, tau_syn_in=5.0, V_th=float(peak - above), V_reset=-80.0)
    net.population(1, model, name="cell", **state)
    times = net.run(60.0, engine=engine).spikes["cell"].times
    assert times.size == (above > 0)
    if above > 0:
        assert times[0] == pytest.approx(float(low), abs=0.01)


@engines
def test_an_hour_after_thousands_of_nS(engine):
    """Where nothing pulls any more V is where it rests, and no time has been spent on the way."""
    net = esn.Network()
    cell = net.population(2, esn.LIFCondExp(tau_syn_in=10.0), name="cell", g_in=[5_000.0, 50_000.0])
    net.record(cell, "V_m", times=[5.0, 3.6e6])
    results = net.run(3.6e6 + 1.0, engine=engine)
    trace = results.traces["cell"].V_m
    assert trace[:, 1].tolist() == [-70.0, -70.0]
    for i, g in enumerate((5_000.0, 50_000.0)):
        exact = Exact(esn.LIFCondExp(tau_syn_in=10.0))
        assert trace[i, 0] == pytest.approx(float(exact.after(-70.0, [0.0, g], 5.0)[0]), abs=1e-13)


def network(alpha, seed):
    """Neurons of all kinds of parameters, with input at random times and at equal ones, currents and samples."""
    rng = np.random.default_rng(seed)
    net = esn.Network(seed=seed)
    model = MODELS[alpha](
        tau_syn_ex=esn.Uniform(0.2, 3.0), tau_syn_in=esn.Uniform(0.5, 12.0), I_e=esn.Uniform(0.0, 400.0),
        t_ref=float(rng.choice([0.0, 1.0])), V_reset=-65.0,
    )  # fmt: skip
    cells = net.population(20, model, name="cells", V_m=esn.Uniform(-75.0, -56.0))
    delay = float(rng.choice([0.5, 1.5]))
    net.connect(cells, cells, esn.FixedProbability(0.3), weight=esn.Uniform(-20.0, 12.0), delay=delay)
    net.stimulate(cells, esn.Poisson(rate=200.0), weight=8.0)
    net.stimulate(cells[:10], esn.Poisson(rate=100.0), weight=-15.0)
    net.stimulate(cells[:2], esn.RampCurrent([2.0, 25.0], [0.0, 400.0]))
    net.stimulate(cells[2:4], esn.SineCurrent(200.0, 60.0))
    net.stimulate(cells[4:6], esn.StepCurrent([5.0, 20.0], [300.0, -100.0]))
    net.record(cells[:3], ["V_m", "g_in"], every=1.7)
    return net


@kinds
@pytest.mark.parametrize("weight", [4e5, -4e5, 4e6, -4e6, 1e9, -1e9, 1e150, -1e150])
@pytest.mark.parametrize("refractory", [False, True])
def test_weights_out_of_range_end_a_run_at_their_time(alpha, weight, refractory):
    logs = []
    for engine in ("reference", "compiled"):
        net = esn.Network()
        cell = net.population(1, MODELS[alpha](t_ref=5.0), name="cell", V_m=-50.0 if refractory else -70.0)
        net.population(3, MODELS[alpha](I_e=300.0), name="others")
        kick = net.population(1, esn.SpikeSource([2.0, 2.5]), name="kick")
        net.connect(kick, cell, esn.AllToAll(), weight=weight, delay=1.0)
        logs.append(event_log(net.compile(engine=engine), 8.0))
    assert not differences(*logs)
    # 2^15 / ms is the most that V may change by, as a part of itself: 8.2e6 nS, alpha functions at their slope.
    steepest = abs(weight) * (math.e if alpha else 1.0) / 250.0
    assert ("error" in logs[0]) == (steepest > 2.0**15)
    if "error" in logs[0]:
        assert b"neuron 0 of cell has run away" in logs[0]["error"] and b"at t = 3 ms" in logs[0]["error"]


# ---- mutants

CONDUCTANCE = "eventsnn.models.conductance"
MUTANTS = [
    # (name, old text, new text)
    ("fewer nodes", "(0.75, 0.125)", "(1.5, 0.25)"),
    ("more nodes", "(2.5, 0.25)", "(1.5, 0.15)"),
    ("longer steps", "SHORTEST = (0.125, 2.0)", "SHORTEST = (0.125, 1.99)"),
    ("small conductances kept", "NOTHING = 2.0**-64", "NOTHING = 0.0"),
    ("crossing less exact", "ENOUGH = 2.0**-54", "ENOUGH = 2.0**-34"),
    ("looked for farther ahead", "BEYOND = 1.0625", "BEYOND = 1.5"),
    ("crossing searched for from the other end", "here = low if -low.f < high.f else high", "here = high"),
    (
        "V moves while it is held",
        "            if not held:\n                s.v = self._later",
        "            if True:\n                s.v = self._later",
    ),
    ("ramps left out", "total = s.slope * h\n", "total = 0.0 * h\n"),
    ("two exponentials", "exp(-(behind + to_end))", "exp(-behind) * exp(-to_end)"),
    ("input scaled twice", "weight * c[SCALES + port]", "weight * c[SCALES + port] * 1.0000000000000002"),
    ("decay in one piece", "(x[0] * left_ex) * left_ex, (", "x[0] * (left_ex * left_ex), ("),
    ("spike a little late", "(h if s.t + h < end", "(h + 1e-13 if s.t + h < end"),
    ("sines from the last event", "turns = frequency * s.t + phase\n    return", "turns = phase\n    return"),
]
CASES = [(alpha, seed) for seed in range(1, 5) for alpha in (False, True)]


def runs(module):
    """Whether each network has the same event log in the compiled engine and in a reference on a module's models."""
    for alpha, seed in CASES:
        simulation = network(alpha, seed).compile()
        plan = simulation.plan
        copies = tuple(getattr(module, type(model).__name__)(**model.values) for model in plan.models)
        reference = simulation_of(plan, Reference(dataclasses.replace(plan, models=copies)))
        yield not differences(event_log(simulation, 40.0), event_log(reference, 40.0))


def test_both_engines_have_the_same_bits():
    assert all(runs(load(CONDUCTANCE)))


@pytest.mark.parametrize("mutant", [mutant[1:] for mutant in MUTANTS], ids=[mutant[0] for mutant in MUTANTS])
def test_mutants_are_caught(mutant):
    assert not all(runs(load(CONDUCTANCE, *mutant)))
