"""The parts of the linear models: divided differences, bounds, delicate crossings; and what is refused."""

import math
import subprocess
import sys

import numpy as np
import pytest
from exact_models import MODELS, constants_of, name_of, on_grid, situations, table_of
from mpmath import mp, mpf

import eventsnn as esn
from eventsnn.solve import closed_form, crossing
from eventsnn.solve.state import State

nan, inf = math.nan, math.inf
generic = pytest.mark.parametrize("model", MODELS, ids=name_of)


# ---- divided differences


def exact_divided(rates, h):
    """By Opitz: a corner of the exponential of the matrix with the rates on its diagonal and ones beside it."""
    n = len(rates)
    matrix = mp.zeros(n)
    for i, rate in enumerate(rates):
        matrix[i, i] = -mpf(rate) * mpf(h)
        if i:
            matrix[i - 1, i] = mpf(1)
    return mp.expm(matrix)[0, n - 1] * mpf(h) ** (n - 1)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_divided_loses_nothing_where_rates_agree(n):
    rng = np.random.default_rng(n)
    with mp.workdps(80):
        for _ in range(250):
            base = float(rng.choice([0.005, 0.1, 0.5, 2.0]))
            near = [1.0, 1.0, 1.0 + 1e-15, 1.0 + 1e-12, 1.0 - 1e-9, 1.0 + 1e-6, 1.01, 3.0, 40.0]
            zeros = int(rng.choice([0, 0, 1, 2]))
            rates = sorted(([0.0] * zeros + [float(base * rng.choice(near)) for _ in range(n)])[:n])
            h = float(rng.choice([1e-9, 1e-3, 0.3, 2.0, 7.0, 30.0]))
            exact = exact_divided(rates, h)
            # The exponent of the slowest is rounded once.
            relative = abs(closed_form.divided(rates, h) / exact - 1)
            assert relative < 2e-15 + 2.3e-16 * rates[0] * h, (rates, h, float(relative))


def test_divided_over_one_rate_is_an_exponential():
    assert closed_form.divided([0.25], 8.0) == pytest.approx(math.exp(-2.0), rel=4e-16)
    assert closed_form.divided([0.0, 0.0], 3.0) == 3.0
    assert closed_form.divided([0.0, 0.0, 0.0], 3.0) == 4.5


def test_decay_is_accurate_in_both_of_its_values():
    rng = np.random.default_rng(1)
    with mp.workdps(40):
        for z in [0.0, 0.5, math.nextafter(0.5, 0.0), 1e-300, 800.0, *(10.0 ** rng.uniform(-20.0, 2.0, 500)).tolist()]:
            kept, lost = closed_form.decay(z)
            true = mp.exp(-mpf(z))
            assert abs(kept - true) <= 2.3e-16 * true + mpf(2) ** -1074
            assert abs(lost - mp.expm1(-mpf(z))) <= 2.3e-16 * abs(mp.expm1(-mpf(z)))


# ---- bounds


@generic
def test_bounds_are_never_below_what_they_bound(model):
    """extreme_current and highest_v against both suprema on a dense grid; hopeless means that nothing crosses."""
    all_ = list(situations(model, 21, 50))
    for _, _, s in all_[::2]:  # so calm that it can be seen that nothing will cross
        s.x = [0.01 * x for x in s.x]
        s.v, s.drive, s.slope, s.sines = -5.0, min(s.drive, 5.0 if model.shape.leaks else -0.01), 0.0, ()
    tables = [table_of(model, p, s) for p, _, s in all_]
    currents = [name for name in model.slots if name in tables[0][0]["V_m"]]
    finite, never = 0, 0
    for dt, doublings in ((0.02, 10), (0.5, 10)):
        grids = on_grid(*map(list, zip(*tables, strict=True)), dt, doublings)
        for (p, c, s), grid in zip(all_, grids, strict=True):
            t = dt * np.arange(grid["V_m"].size)
            total = sum((grid[name] for name in currents), np.zeros(t.size))
            for i, (_, _, amplitude) in enumerate(s.sines):
                total = total + amplitude * grid[f"sine {i}"]
            parts = [name for name in model.slots if name.startswith(("V_th", "T", "threshold"))]
            above = grid["V_m"] - c[2] - sum(grid[name] for name in parts)
            for sign in (1.0, -1.0):
                bound = crossing.extreme_current(model.shape, c, s, sign)
                assert (sign * total).max() <= bound + 1e-10 * (1.0 + abs(bound)), (c, s)
                bound = crossing.highest_v(model.shape, c, s, sign)
                assert (sign * grid["V_m"]).max() <= bound + 1e-9 * (1.0 + abs(s.v)), (c, s)
                finite += bound < inf
            if crossing.hopeless(model.shape, c, s):
                never += 1
                assert (above < 1e-9 * (1.0 + abs(s.v))).all(), (c, s)
            assert p["E_L"] == 0.0
    assert finite > 30 and never > 8


# ---- delicate crossings


def lif(ports, **changed):
    model = esn.LIFExp(ports=ports)
    return model, constants_of(model, E_L=0.0, V_th=15.0, V_reset=0.0, C_m=10.0, tau_m=10.0, **changed)[1]


@pytest.mark.parametrize(("tau_ex", "tau_in"), [(1.0, 40.0), (40.0, 1.0), (8.0, 30.0), (30.0, 8.0)])
def test_both_humps_of_v_are_searched(tau_ex, tau_in):
    """V falls, rises and falls again, or rises, dips and rises to an asymptote: both orders of extrema that currents of
    opposite sign make, with the threshold below and above each of them."""
    rng = np.random.default_rng(6)
    model = esn.LIFExp()
    step, taus = 0.05, np.array([tau_ex, tau_in])
    t = np.arange(0.0, 300.0, step)
    membrane, synapses = np.exp(-t / 10.0), np.exp(-t / taus[:, np.newaxis])
    seen = set()
    for _ in range(1_200):
        sign = rng.choice([-1.0, 1.0])
        current = rng.uniform(0.0, 3_000.0, 2) / taus * (sign, -sign)
        v, drive = float(rng.uniform(-10.0, 10.0)), float(rng.choice([0.0, 8.0, 20.0]))
        s = State(0.0, v, current.tolist(), [0.0, 0.0], drive)
        # Solution of the equations with R = 1 mV / pA and tau_m = 10 ms.
        V = s.drive + (s.v - s.drive) * membrane + (current * taus / (taus - 10.0)) @ (synapses - membrane)
        turns = np.flatnonzero(np.diff(np.sign(np.diff(V)))) + 1
        if len(turns) < 2 or np.abs(np.diff(V[turns])).min() < 1.0:
            continue
        levels = sorted([V[0], *V[turns], V[-1], V.max() + 1.0])
        for threshold in np.add(levels[1:], levels[:-1]) / 2.0:
            if threshold < V[0] + 0.1 or np.abs(V[[*turns, -1]] - threshold).min() < 0.1:
                continue
            c = constants_of(model, E_L=0.0, V_th=float(threshold), V_reset=float(threshold) - 1.0, C_m=10.0,
                             tau_syn_ex=tau_ex, tau_syn_in=tau_in)[1]  # fmt: skip
            h, found = model.crossing(c, s)
            above = np.flatnonzero(V >= threshold)
            assert found
            if above.size == 0:
                assert h == inf
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


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_search_is_taken_up_where_it_ended(engine):
    """V rises towards 14 mV under an oscillation of 1 MHz and 1.4 mV: 34,000 maxima, each higher than the last, and so
    more intervals than one search goes through."""
    frequency, amplitude, tau = 1000.0, 2.2e6, 10.0
    net = esn.Network()
    cells = net.population(1, esn.LIFExp(E_L=0.0, V_th=15.0, V_reset=0.0, t_ref=100.0, I_e=350.0), name="cells")
    net.stimulate(cells, esn.SineCurrent(amplitude, 1000.0 * frequency))
    (time,) = net.run(60.0, engine=engine).spikes["cells"].times
    with mp.workdps(40):
        omega = 2 * mp.pi * mpf(frequency)
        size = mpf(amplitude) / 250 / (omega**2 + mpf(tau) ** -2)

        def above(t):
            swing = size * (mp.sin(omega * t) / tau - omega * mp.cos(omega * t))
            return 14 + swing - (14 - size * omega) * mp.exp(-t / tau) - 15

        assert abs(time - mp.findroot(above, mpf(time))) < 1e-13
        assert max(above(time - mpf(k) / 1000 / frequency) for k in range(1, 1001)) < 0


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_search_that_never_ends_holds_up_no_run(engine):
    """12 mV and an oscillation of 0.06 mV for ever, of a current that would bring V to the threshold if it stayed."""
    net = esn.Network()
    cells = net.population(1, esn.LIFExp(E_L=0.0, V_th=15.0, V_reset=0.0, I_e=300.0), name="cells", V_m=12.0)
    net.stimulate(cells, esn.SineCurrent(100.0, 1000.0))
    assert len(net.run(50.0, engine=engine).spikes["cells"]) == 0
    simulation = net.compile(engine="reference")
    before = simulation.peek()
    for _ in range(5):
        simulation.step()
    assert before < simulation.time < simulation.peek() < inf and simulation.pending() == []


def approach(v, taus, currents):
    """T_i and a_i of v - threshold = sum of a_i exp(-t / T_i); the drive is the threshold, 15 mV, and R 1 mV / pA."""
    terms = {mpf(10): mpf(v) - 15}
    for tau, current in zip(taus, currents, strict=True):
        a = mpf(current) * mpf(tau) / (mpf(tau) - 10)
        terms[mpf(tau)] = terms.get(mpf(tau), mpf(0)) + a
        terms[mpf(10)] -= a
    return terms


TIMES = np.concatenate([np.linspace(0.02, 20.0, 60), np.geomspace(20.5, 3_000.0, 60)]).tolist()


def highest(terms):
    """The supremum over time of v - threshold in units of the slowest exponential and of the largest coefficient."""
    slowest, size = max(terms), max(abs(a) for a in terms.values())
    values = [sum(a * mp.exp(-t / tau + t / slowest) for tau, a in terms.items()) / size for t in TIMES]
    return max(values), [float(t) for t, value in zip(TIMES, values, strict=True) if value > 0]


@pytest.mark.parametrize(
    "taus",
    [
        (2.0, 5.0),
        (2.0, 30.0),
        (30.0, 2.0),
        (30.0, 50.0),
        (50.0, 30.0),
        (2.0, 5.0, 30.0),
        (30.0, 2.0, 9.9),
        (20.0, 30.0, 40.0),
        (9.0, 2.0),
        (9.5, 9.0),
        (9.7, 5.0, 9.0),
    ],  # fmt: skip
)
def test_a_drive_at_the_threshold_is_only_approached(taus):
    """Excitation faster and slower than the membrane, and inhibition. Where v only approaches the threshold it never
    crosses, although after 36 time constants the rest is less than the last digit of v; where it crosses, it does so
    where 30 digits do."""
    ports = ("a", "b", "c")[: len(taus)]
    model, c = lif(ports, **{f"tau_syn_{port}": tau for port, tau in zip(ports, taus, strict=True)})
    rng = np.random.default_rng(7)
    crossing, approaching = 0, 0
    with mp.workdps(30):
        for _ in range(40):
            v = float(rng.choice([rng.uniform(-10.0, 14.0), -2_000.0]))
            signs = rng.choice([-1.0, 1.0], len(taus))
            # Excitation a little faster than the membrane, and a v far away, keep the search going to the last digits.
            strength = rng.choice([1_000.0, 100.0, 2.0, 0.1])
            currents = (signs * rng.uniform(0.0, strength, len(taus)) / np.sqrt(taus)).tolist()
            h, found = model.crossing(c, State(0.0, v, currents, [0.0] * len(taus), 15.0))
            assert found
            top, above = highest(approach(v, taus, currents))
            terms = approach(v, taus, currents)
            overshoot = max(sum(a * mp.exp(-t / tau) for tau, a in terms.items()) for t in TIMES)
            if top > 1e-3 and overshoot > 1e-14 * (
                10.0 + abs(v)
            ):  # what lies within rounding of the threshold may be missed
                crossing += 1
                assert h < inf, (v, currents)
                assert abs(sum(a * mp.exp(-h / tau) for tau, a in terms.items())) < 3e-15 * (10.0 + abs(v)), (
                    v,
                    currents,
                    h,
                )
                assert h <= above[0] + 1e-3 * h, (v, currents, h)
            elif top < -1e-3:
                approaching += 1
                assert h == inf, (v, currents)
    assert crossing >= 2 and approaching >= 2, (crossing, approaching)


# ---- what is refused


class Described(esn.LinearModel):
    """A model whose equations are given to it."""

    parameters = {"I_e": 0.0, "tau": 5.0, "t_ref": 1.0}

    def __init__(self, currents=(), thresholds=(), result=None, **membrane):
        self.given = result or esn.Linear(
            esn.Membrane(**{"tau_m": 10.0, "C_m": 1.0, "E_L": 0.0, "V_th": 15.0, "t_ref": 1.0, **membrane}),
            currents,
            thresholds,
        )
        super().__init__()

    def equations(self, p):
        return self.given


class WithoutI_e(Described):
    parameters = {"tau": 5.0}


def refused(make, *words):
    """make() describes a model and uses it; one sentence that holds all words refuses it."""
    with pytest.raises(esn.InputError) as caught:
        net = esn.Network()
        net.population(3, make(), name="cells")
        net.compile()
    message = str(caught.value)
    for word in words:
        assert word in message, message
    assert "\n" not in message and len(message) < 300, message


current, threshold = esn.Current, esn.Threshold


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"reset": esn.Reset(scale=1.5)}, ["cells: scale of the reset of V_m = 1.5", "between -1 and 1"]),
        ({"currents": [current("I", 5.0, reset=esn.Reset(-1.01))]}, ["cells: scale of the reset of I = -1.01"]),
        ({"thresholds": [threshold("T", 5.0, reset=esn.Reset(nan))]}, ["cells: scale of the reset of T = nan"]),
        ({"currents": [current("I", 0.0)]}, ["cells: the time constant of I = 0 ms", "positive and finite"]),
        ({"currents": [current("I", -3.0)]}, ["cells: the time constant of I = -3 ms", "positive and finite"]),
        ({"currents": [current("I", nan)]}, ["cells: the time constant of I = nan ms", "positive and finite"]),
        ({"thresholds": [threshold("T", inf)]}, ["cells: the time constant of T = inf ms", "positive and finite"]),
        ({"tau_m": 0.0}, ["cells: the time constant of V_m = 0 ms", "positive and finite"]),
        ({"tau_m": inf}, ["cells: the time constant of V_m = inf ms", "positive and finite"]),
        (
            {"currents": [current("I", 1e-6)], "tau_m": 1.01e3},
            ["cells: the time constants of I, 1e-06 ms, and V_m, 1010 ms", "too far apart", "factor of 1e+09"],
        ),
        (
            {"currents": [current("I", 1e-9)], "thresholds": [threshold("T", np.array([1, 0.5, 1.1]))], "tau_m": None},
            ["of I, 1e-09 ms, and T, 1.1 ms", "(neuron 2)"],
        ),
        ({"currents": [current("I", 5.0), current("I", 5.0)]}, ["Described: the name 'I'", "choose another"]),
        ({"currents": [current("V_m", 5.0)]}, ["the name 'V_m'", "taken"]),
        ({"currents": [current("I", 5.0, alpha=True), current("dI", 5.0)]}, ["the name 'dI'", "taken"]),
        ({"thresholds": [threshold("V_th", 5.0)]}, ["the name 'V_th'", "taken"]),
        ({"thresholds": [threshold("tau", 5.0)]}, ["the name 'tau'", "taken"]),
        ({"currents": [current("spikes", 5.0)]}, ["the name 'spikes'", "taken"]),
        (
            {"currents": [current("I", 5.0, "a"), current("J", 5.0, "a")]},
            ["Described: two variables have the port 'a'", "a port of its own"],
        ),
        ({"currents": [current("I", 5.0, "a")], "port": "a"}, ["two variables have the port 'a'"]),
        ({"result": "a Linear"}, ["Described: equations returned 'a Linear'", "must return a Linear"]),
        ({"result": esn.Membrane(1.0, 1.0, 0.0, 1.0, 0.0)}, ["Described: equations returned Membrane"]),
        (
            {"currents": [current(f"I_{i}", 5.0) for i in range(65)]},
            ["Described: 65 variables are more than the 64"],
        ),
        (
            {"currents": [current(f"I_{i}", 5.0, alpha=True) for i in range(33)]},
            ["Described: 66 variables are more than the 64"],
        ),
        (
            {"currents": [current(f"I_{i}", 5.0, f"port_{i}") for i in range(64)], "port": "delta"},
            ["Described: 65 ports are more than the 64"],
        ),
        ({"reset": esn.Reset(0.0, 15.0)}, ["cells: V_reset = 15 mV must lie below V_th = 15 mV"]),
    ],
)  # fmt: skip
def test_descriptions_that_are_refused(parts, words):
    refused(lambda: Described(**parts), *words)


class Adapting(esn.LinearModel):
    """A spike adds `jump` to a current, by default nothing."""

    parameters = {"I_e": 0.0, "jump": 0.0, "tau_a": 50.0}

    def equations(self, p):
        parts = [esn.Current("I_a", p["tau_a"], reset=esn.Reset(jump=p["jump"]))]
        if np.any(p["tau_a"] > 100.0):
            parts.append(esn.Current("I_b", 5.0))
        return esn.Linear(esn.Membrane(10.0, 250.0, 0.0, 15.0, 2.0), parts)


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_reset_that_changes_nothing_by_default_is_not_forgotten(engine):
    net = esn.Network()
    cells = net.population(1, Adapting(jump=-200.0), name="cells", I_e=500.0)
    net.record(cells, "I_a", times=[10.0 * math.log(4.0) + 1e-9])
    results = net.run(15.0, engine=engine)
    (first,) = results.spikes["cells"].times
    assert first == pytest.approx(10.0 * math.log(4.0), abs=1e-14)  # 20 (1 - exp(-t / 10)) = 15
    assert results.traces["cells"].I_a[0, 0] == pytest.approx(-200.0, abs=1e-8)


def test_variables_must_not_depend_on_values():
    words = ["cells: equations returned other variables", "let only numbers depend on the parameters"]
    refused(lambda: Adapting(tau_a=101.0), *words)


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("weights", [(1e308, 1e308), (1e308, 1e308, -1e308, -1e308)])
def test_a_state_that_is_too_large_ends_the_run(engine, weights, tmp_path):
    """Weights whose sum overflows, of one sign and of both: in a process of its own, for it once never returned."""
    code = f"""
import eventsnn as esn
net = esn.Network()
cells = net.population(1, esn.LIFExp(), name="cells")
for weight in {weights}:
    net.connect(net.population(1, esn.SpikeSource([1.0])), cells, esn.AllToAll(), weight=weight)
try:
    net.run(10.0, engine={engine!r})
except esn.RunawayError as error:
    print(error)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("neuron 0 of cells has run away: a variable of its state left the range")


def test_a_model_with_all_its_variables_runs():
    """64 variables, and time constants as far apart as is allowed."""
    parts = [current(f"I_{i}", 5.0 + i, f"port_{i}", reset=esn.Reset(jump=1.0)) for i in range(62)]
    for engine in ("compiled", "reference"):
        net = esn.Network()
        model = Described(currents=parts, thresholds=[threshold("T", 1e-6), threshold("U", 1e3)], tau_m=5.0)
        cells = net.population(2, model, name="cells", I_e=4.0)
        net.stimulate(cells, esn.Poisson(rate=100.0), weight=1.0, port="port_61")
        net.record(cells, ["I_61"], times=[20.0])
        assert len(net.run(30.0, engine=engine).spikes["cells"]) > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WithoutI_e(), ["WithoutI_e", "I_e", "add it"]),
        (lambda: esn.GLIF(level=6), ["GLIF: level = 6", "1, 2, 3, 4, 5"]),
        (lambda: esn.GLIF(level=0), ["GLIF: level = 0"]),
        (lambda: esn.GLIF(level="5"), ["GLIF: level = '5'"]),
        (lambda: esn.GLIF(level=2.0), ["GLIF: level = 2.0"]),
        (lambda: esn.GLIF(level=None), ["GLIF: level = None"]),
        (lambda: esn.GLIF(level=True), ["GLIF: level = True"]),
        (lambda: esn.GLIF(level=1, th_spike_add=1.0), ["GLIF has no parameter 'th_spike_add'"]),
        (lambda: esn.GLIF(level=5, V_reset=-70.0), ["GLIF has no parameter 'V_reset'"]),
        (lambda: esn.GLIF(g=0.0), ["cells: g = 0 nS", "positive"]),
        (lambda: esn.GLIF(asc_decay_2=-0.1), ["cells: asc_decay_2 = -0.1 1/ms", "positive"]),
        (lambda: esn.GLIF(voltage_reset_fraction=1.2), ["cells: scale of the reset of V_m = 1.2", "between -1 and 1"]),
        (lambda: esn.MihalasNiebur(b=0.0), ["cells: b = 0 1/ms", "positive"]),
        (lambda: esn.MihalasNiebur(k_1=[0.1, -0.2, 0.1]), ["cells: k_1 = -0.2 1/ms (neuron 1)", "positive"]),
        (lambda: esn.MihalasNiebur(R_2=1.1), ["cells: scale of the reset of I_2 = 1.1"]),
        (lambda: esn.MihalasNiebur(Theta_reset=-70.0), ["V_reset = -70 mV must lie below Theta_reset = -70 mV"]),
        (
            lambda: esn.MihalasNiebur(Theta_reset=[-60.0, -60.0, -75.0]),
            ["V_reset = -70 mV must lie below Theta_reset = -75 mV (neuron 2)"],
        ),
        (lambda: esn.MihalasNiebur(V_reset=-50.0), ["V_reset = -50 mV must lie below V_th = -50 mV"]),
        (lambda: esn.LIFExp(V_reset=-50.0), ["V_reset = -50 mV must lie below V_th = -55 mV"]),
        (lambda: esn.IF(C_m=0.0), ["cells: C_m = 0 pF", "positive"]),
        (lambda: esn.IF(tau_m=10.0), ["IF has no parameter 'tau_m'"]),
        (lambda: esn.MAT2(tau_2=0.0), ["cells: tau_2 = 0 ms", "positive"]),
        (lambda: esn.MAT2(t_ref=-1.0), ["cells: t_ref = -1 ms", "negative"]),
        (lambda: esn.LIFExp(ports=("a b",)), ["LIFExp: port 'a b'", "letters, digits and _"]),
        (lambda: esn.LIFExp(ports=("1a",)), ["LIFExp: port '1a'"]),
        (lambda: esn.LIFAlpha(ports=("",)), ["LIFAlpha: port ''"]),
        (lambda: esn.IF(ports=(3,)), ["IF: port 3"]),
        (lambda: esn.LIFExp(ports=("a", "a")), ["LIFExp", "'I_syn_a'", "taken"]),
        (lambda: esn.IF(ports=("ex", "delta")), ["IF: two variables have the port 'delta'"]),
        (lambda: esn.LIFExp(ports=("a",), tau_syn_ex=1.0), ["no parameter 'tau_syn_ex'", "'tau_syn_a'"]),
    ],
)
def test_built_in_models_refuse(make, words):
    refused(make, *words)


def test_input_must_name_its_port_where_the_sign_does_not():
    net = esn.Network()
    cells = net.population(3, esn.LIFExp(ports=("a", "b", "c")), name="cells")
    with pytest.raises(esn.InputError, match="LIFExp of cells has the ports a, b, c; name one with port="):
        net.stimulate(cells, esn.Poisson(rate=1.0), weight=1.0)
    with pytest.raises(esn.InputError, match="LIFExp of cells has the ports a, b, c; name one with port="):
        net.connect(cells, cells, esn.AllToAll(), weight=1.0)
    with pytest.raises(esn.InputError, match="LIFExp of cells has no port 'ex'; known are a, b, c"):
        net.connect(cells, cells, esn.AllToAll(), weight=1.0, port="ex")
    alone = net.population(3, esn.LIFExp(ports="syn"), name="alone")
    net.connect(cells, alone, esn.AllToAll(), weight=-1.0)
    deaf = net.population(3, Described(currents=[current("I", 5.0)]), name="deaf")
    with pytest.raises(esn.InputError, match="Described of deaf takes no input"):
        net.connect(cells, deaf, esn.AllToAll())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("esn.RampCurrent([1.0, 1.0], [1.0, 2.0])", ["RampCurrent", "1 ms", "strictly"]),
        ("esn.RampCurrent([2.0, 1.0], [1.0, 2.0])", ["RampCurrent: times[1] = 1 ms", "ascending"]),
        ("esn.RampCurrent([-1.0], [1.0])", ["RampCurrent: times[0] = -1 ms", "negative"]),
        ("esn.RampCurrent([1.0], [inf])", ["RampCurrent: amplitudes[0] = inf", "finite"]),
        ("esn.RampCurrent([1.0], ['a'])", ["RampCurrent: amplitudes = ['a']", "numbers"]),
        ("esn.RampCurrent([1.0, 2.0], [1.0])", ["RampCurrent", "2 times", "1 amplitudes"]),
        ("esn.RampCurrent([0.0, 5e-324], [0.0, 1.0])", ["RampCurrent", "times[0]", "too steep"]),
        ("esn.RampCurrent(1.0, 2.0)", ["RampCurrent: times", "list of numbers"]),
        ("esn.SineCurrent('1', 5.0)", ["SineCurrent: amplitude = '1'", "number of pA"]),
        ("esn.SineCurrent([1.0], 5.0)", ["SineCurrent: amplitude = [1.0]", "one finite number of pA"]),
        ("esn.SineCurrent(nan, 5.0)", ["SineCurrent: amplitude = nan", "finite"]),
        ("esn.SineCurrent(1.0, 0.0)", ["SineCurrent: frequency = 0 Hz", "1e-06", "1e+06"]),
        ("esn.SineCurrent(1.0, -5.0)", ["SineCurrent: frequency = -5 Hz", "between"]),
        ("esn.SineCurrent(1.0, 2e6)", ["SineCurrent: frequency = 2e+06 Hz", "between"]),
        ("esn.SineCurrent(1.0, inf)", ["SineCurrent: frequency = inf", "finite number of Hz"]),
        ("esn.SineCurrent(1.0, 5.0, phase=None)", ["SineCurrent: phase = None", "degrees"]),
        ("esn.SineCurrent(1.0, 5.0, offset=inf)", ["SineCurrent: offset = inf", "finite"]),
        ("esn.SineCurrent(1.0, 5.0, start=-1.0)", ["SineCurrent: start = -1 ms", "0 <= start < stop"]),
        ("esn.SineCurrent(1.0, 5.0, start=3.0, stop=3.0)", ["start = 3 ms and stop = 3 ms", "0 <= start < stop"]),
        ("esn.SineCurrent(1.0, 5.0, start=inf)", ["SineCurrent: start = inf", "finite"]),
        ("esn.SineCurrent(1.0, 5.0, stop=nan)", ["SineCurrent: stop = nan", "finite"]),
    ],
)
def test_currents_that_are_refused(code, words):
    with pytest.raises(esn.InputError) as caught:
        eval(code)
    for word in words:
        assert word in str(caught.value), caught.value
    assert "\n" not in str(caught.value)
