"""What every model promises, against its equations as tests/support/exact_models.py writes them again."""

import inspect
import math
import re

import numpy as np
import pytest
from exact_models import (
    MODELS,
    constants_of,
    evolve,
    held,
    name_of,
    on_grid,
    situations,
    size_of,
    table_of,
    threshold_at_rest,
)
from mpmath import mp, mpf

import eventsnn as esn
from eventsnn import models
from eventsnn.models.linear import LinearModel
from eventsnn.solve.state import State

BUILT_IN = [model for model in MODELS if type(model).__module__.startswith("eventsnn.")]
generic = pytest.mark.parametrize("model", MODELS, ids=name_of)
built_in = pytest.mark.parametrize("model", BUILT_IN, ids=name_of)

# Values of NEST 3 for the parameters that its model of the same equations has; those of MihalasNiebur are the paper's.
LIF = {"tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0, "I_e": 0.0}
SYNAPSES = {"tau_syn_ex": 2.0, "tau_syn_in": 2.0}
GLIF_1 = {"C_m": 58.72, "g": 9.43, "E_L": -78.85, "V_th": -51.68, "t_ref": 3.75, "I_e": 0.0, **SYNAPSES}
FIXED_RESET = {"V_reset": -78.85}
RULES = {
    "voltage_reset_fraction": 0.20, "voltage_reset_add": 18.51, "th_spike_add": 0.37, "th_spike_decay": 0.009,
}  # fmt: skip
AFTER_SPIKE = {
    "asc_amps_1": -9.18, "asc_amps_2": -198.94, "asc_decay_1": 0.003, "asc_decay_2": 0.1,
    "asc_r_1": 1.0, "asc_r_2": 1.0,
}  # fmt: skip
DEFAULTS = {
    "LIFDelta": LIF,
    "LIFExp": {**LIF, **SYNAPSES},
    "LIFExp(ports=('a', 'b', 'c'))": {**LIF, "tau_syn_a": 2.0, "tau_syn_b": 2.0, "tau_syn_c": 2.0},
    "LIFAlpha": {**LIF, **SYNAPSES},
    "IF": {**{name: value for name, value in LIF.items() if name != "tau_m"}, **SYNAPSES},
    "MAT2": {
        "tau_m": 5.0, "C_m": 100.0, "E_L": -70.0, "t_ref": 2.0, "I_e": 0.0, "tau_syn_ex": 1.0, "tau_syn_in": 3.0,
        "tau_1": 10.0, "tau_2": 200.0, "alpha_1": 37.0, "alpha_2": 2.0, "omega": -51.0,
    },
    "MihalasNiebur(a=0.005, A_1=10.0, A_2=-0.6)": {
        "C_m": 1.0, "g": 0.05, "E_L": -70.0, "V_reset": -70.0, "Theta_inf": -50.0, "Theta_reset": -60.0, "a": 0.0,
        "b": 0.01, "k_1": 0.2, "k_2": 0.02, "R_1": 0.0, "R_2": 1.0, "A_1": 0.0, "A_2": 0.0, "t_ref": 0.0, "I_e": 0.0,
        **SYNAPSES,
    },
    "GLIF(level=1)": {**GLIF_1, **FIXED_RESET},
    "GLIF(level=2)": {**GLIF_1, **RULES},
    "GLIF(level=3)": {**GLIF_1, **FIXED_RESET, **AFTER_SPIKE},
    "GLIF(level=4)": {**GLIF_1, **RULES, **AFTER_SPIKE},
    "GLIF(level=5)": {**GLIF_1, **RULES, **AFTER_SPIKE, "th_voltage_index": 0.005, "th_voltage_decay": 0.09},
}  # fmt: skip


def after(model, c, s, h):
    s = s.copy()
    model.flow(c, s, h)
    return s


def exactly(table, start, h):
    with mp.workdps(60):
        return evolve(table, start, h)


def test_every_built_in_linear_model_is_tested():
    known = (getattr(models, name) for name in models.__all__)
    concrete = {m for m in known if inspect.isclass(m) and issubclass(m, LinearModel) and not inspect.isabstract(m)}
    assert {type(model) for model in BUILT_IN} == concrete


# ---- what a user reads


@built_in
def test_defaults_are_those_of_nest_and_of_the_docstring(model):
    expected = DEFAULTS[name_of(model)]
    assert model.parameters == expected
    said = re.findall(r"(?:^ {8}|; )(\w+) +(-?\d+\.\d+)(?= |$)", model.__doc__, re.MULTILINE)
    assert len(said) == len(dict(said)) >= 7
    stated = {name: float(value) for name, value in said}
    if name_of(model) == "LIFExp(ports=('a', 'b', 'c'))":
        expected = DEFAULTS["LIFExp"]
    if isinstance(model, esn.GLIF):  # it states the parameters of all levels
        assert stated == {**DEFAULTS["GLIF(level=3)"], **DEFAULTS["GLIF(level=5)"]}
    else:
        assert stated == expected
    net = esn.Network()
    cells = net.population(2, model)
    for name in model.parameters:
        assert cells.get(name).tolist() == [model.values[name]] * 2
    E_L = expected["E_L"]
    rest = {"V_m": E_L, "Theta": expected.get("Theta_inf")}
    for name in model.state_variables:
        assert cells.get(name).tolist() == [rest.get(name, 0.0)] * 2, name


@built_in
def test_docstring_names_equation_ports_state_and_source(model):
    for part in ("Equation", "State", "Source", "spike", "t_ref"):
        assert part in model.__doc__
    if name_of(model) == "LIFExp(ports=('a', 'b', 'c'))":
        return  # the docstring speaks of the ports "ex" and "in"
    for port in model.ports:
        assert f'"{port}"' in model.__doc__ or type(model) is esn.GLIF and f'port "{port}"' in model.__doc__
    for name in (*model.recordables, *model.parameters):
        head, _, number = name.rpartition("_")
        assert name in model.__doc__ or (number in "12" and head in model.__doc__), name


@built_in
def test_unknown_parameters_are_refused_with_a_suggestion(model):
    name = type(model).__name__
    with pytest.raises(esn.InputError, match=f"^{name} has no parameter 't_reff'; did you mean 't_ref'"):
        type(model)(t_reff=3.0)
    with pytest.raises(esn.InputError, match=f"^{name} has no parameter 'colour'; known are .*C_m"):
        type(model)(colour=1.0)


@pytest.mark.parametrize(
    "text",
    [
        "LIFDelta()", "LIFExp()", "LIFExp(tau_m=7.5)", "LIFExp(ports=('a', 'b', 'c'))", "LIFAlpha(ports=('a',))",
        "LIFExp(ports=('a', 'nmda'), tau_syn_nmda=100.0)", "IF(C_m=1.0)", "MAT2(omega=-50.0)", "GLIF(level=5)",
        "GLIF(level=2, g=9.0)", "MihalasNiebur(a=0.005, A_1=10.0)",
    ],
)  # fmt: skip
def test_repr_is_the_call_that_made_the_model(text):
    assert repr(eval(f"esn.{text}")) == text


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_glif_has_the_variables_of_its_level(level):
    model = esn.GLIF(level=level)
    expected = {"V_m", "I_syn_ex", "I_syn_in", "dI_syn_ex", "dI_syn_in"}
    expected |= {"ASC_1", "ASC_2"} if level >= 3 else set()
    expected |= {"threshold_spike", "V_th"} if level in (2, 4, 5) else set()
    expected |= {"threshold_voltage"} if level == 5 else set()
    assert set(model.recordables) == expected
    assert set(model.state_variables) == expected - {"V_th"}


# ---- the equations


def test_the_oracle_is_the_exponential_of_the_matrix():
    """evolve against mpmath's expm."""
    for model in MODELS:
        for p, _, s in situations(model, 11, 1):
            with mp.workdps(60):
                table, start = table_of(model, p, s)
                names = list(table)
                A, y = mp.zeros(len(names)), mp.matrix([start[name] for name in names])
                for i, name in enumerate(names):
                    for source, a in table[name].items():
                        A[i, names.index(source)] = a
                by_matrix = mp.expm(A * mpf(3.3)) * y
                for name, value in zip(names, by_matrix, strict=True):
                    assert abs(evolve(table, start, 3.3)[name] - value) < mpf(10) ** -45 * (1 + abs(value))


@generic
def test_flow_solves_the_equation(model):
    """Against 50 digits, at small and large steps."""
    for p, c, s in situations(model, 1, 30):
        with mp.workdps(60):
            table, start = table_of(model, p, s)
        for h in (1e-9, 0.01, 0.7, 13.0, 90.0):
            compare(model, p, c, s, h, after(model, c, s, h), exactly(table, start, h))


def compare(model, p, c, s, h, now, true):
    """The state against the true one: each variable, and v - threshold, to the digits that rounding leaves."""
    size = size_of(model, p, s, h)
    assert abs(now.v - true["V_m"]) < 3e-15 * size, (c, s, h)
    total = mpf(threshold_at_rest(model, p))
    for i, name in enumerate(model.slots):
        if name.startswith(("V_th", "T", "threshold")):
            total += true[name]
            assert abs(now.x[i] - true[name]) < 3e-15 * size, (name, c, s, h)
        else:
            # What is left of it is as uncertain as the exponent.
            charge = abs(s.x[i]) + (abs(s.x[model.slots.index(f"d{name}")]) * h if f"d{name}" in model.slots else 0.0)
            assert abs(now.x[i] - true[name]) <= 1e-15 * charge, (name, c, s, h)
    assert abs(model.threshold(c, now) - total) < 5e-15 * size
    assert now.drive == pytest.approx(s.drive + s.slope * h, rel=1e-15, abs=1e-15)
    assert (now.slope, now.sines, now.t) == (s.slope, s.sines, s.t)


@generic
def test_hold_keeps_v_and_what_it_drives(model):
    """The rest goes on; a model whose V is not reset goes on as a whole."""
    for p, c, s in situations(model, 3, 20):
        with mp.workdps(60):
            table, start = table_of(model, p, s)
        frozen = held(model, table)
        for h in (0.7, 13.0):
            now = s.copy()
            model.hold(c, now, h)
            compare(model, p, c, s, h, now, exactly(frozen, start, h))
            free = after(model, c, s, h)
            if frozen is table:
                assert now == free
                continue
            assert now.v == s.v and now.drive == free.drive
            for name, x, old, new in zip(model.slots, now.x, s.x, free.x, strict=True):
                assert x == (pytest.approx(new, rel=1e-15) if frozen[name] else old), name


@generic
def test_flow_is_a_semigroup(model):
    rng = np.random.default_rng(2)
    for p, c, s in situations(model, 2, 60):
        a, b = rng.exponential(5.0, 2).tolist()
        once, half = after(model, c, s, a + b), after(model, c, s, a)
        half.t += a
        twice = after(model, c, half, b)
        size = size_of(model, p, s, a + b)
        assert once.v == pytest.approx(twice.v, rel=0.0, abs=5e-15 * size)
        for x, y, old in zip(once.x, twice.x, s.x, strict=True):
            assert x == pytest.approx(y, rel=1e-13, abs=5e-15 * max(size, abs(old)))


@generic
def test_flow_of_no_time_changes_nothing(model):
    for _, c, s in situations(model, 4, 60, sines=0.0):
        assert after(model, c, s, 0.0) == s
        now = s.copy()
        model.hold(c, now, 0.0)
        assert now == s


@generic
def test_receive_adds_each_sum_to_its_port(model):
    alpha = any(name.startswith("dI") for name in model.slots)
    for p, c, s in situations(model, 5, 10):
        for refractory in (False, True):
            weights = [3.0, -4.0, 5.0][: len(model.ports)]
            now, expected = s.copy(), s.copy()
            model.receive(c, now, weights, refractory)
            for port, weight in zip(model.ports, weights, strict=True):
                if port in ("delta", "jump"):
                    expected.v += 0.0 if refractory else weight
                elif alpha:
                    expected.x[model.slots.index(f"dI_syn_{port}")] += weight * math.e / p[f"tau_syn_{port}"]
                else:
                    expected.x[model.slots.index(f"I_syn_{port}")] += weight
            assert now.v == expected.v
            assert now.x == pytest.approx(expected.x, rel=4e-16)


def test_one_alpha_input_peaks_at_its_weight_after_tau():
    net = esn.Network()
    source = net.population(1, esn.SpikeSource([1.0]))
    cells = net.population(1, esn.LIFAlpha(tau_syn_ex=4.0), name="cells")
    net.connect(source, cells, esn.OneToOne(), weight=30.0, delay=1.0)
    net.record(cells, ["I_syn_ex"], times=[2.0, 4.0, 5.99, 6.0, 6.01, 10.0])
    (current,) = net.run(11.0).traces["cells"].I_syn_ex
    assert current[3] == pytest.approx(30.0, rel=1e-15)
    assert current[3] > max(current[2], current[4])
    assert current[1] == pytest.approx(30.0 * math.e * 0.5 * math.exp(-0.5), rel=1e-15)
    assert current[5] == pytest.approx(30.0 * math.e * 2.0 * math.exp(-2.0), rel=1e-15)


# ---- spikes


def spiked(model, c, **state):
    """The state by name after a spike, from this one."""
    s = State(0.0, state.pop("V_m"), [state.pop(name, 0.0) for name in model.slots], [0.0] * len(model.slots))
    assert not state
    model.reset(c, s)
    return {"V_m": s.v, **{name: x for name, x in zip(model.slots, s.x, strict=True) if x}}, s


def constants(model, **changed):
    return constants_of(model, **changed)[1]


@pytest.mark.parametrize("model", [esn.LIFExp(), esn.LIFAlpha(), esn.IF()], ids=name_of)
def test_a_spike_resets_v_and_no_current(model):
    now, _ = spiked(model, constants(model, V_reset=-68.0), V_m=15.5, I_syn_ex=7.0)
    assert now == {"V_m": 2.0, "I_syn_ex": 7.0}


def test_mat2_raises_its_threshold_and_keeps_v():
    now, _ = spiked(esn.MAT2(), constants(esn.MAT2()), V_m=19.5, I_syn_in=-3.0, V_th_alpha_1=1.0, V_th_alpha_2=-0.5)
    assert now == {"V_m": 19.5, "I_syn_in": -3.0, "V_th_alpha_1": 38.0, "V_th_alpha_2": 1.5}


def test_mihalas_niebur_updates_by_the_papers_rules():
    model = esn.MihalasNiebur(A_1=10.0, A_2=-0.6, R_1=0.5, R_2=0.25, V_reset=-72.0)
    c = constants(model)
    # Theta is counted from Theta_inf = -50: -65 lies below Theta_reset = -60, -55 above.
    now, _ = spiked(model, c, V_m=20.0, I_1=4.0, I_2=8.0, Theta=-15.0, I_syn_ex=1.0)
    assert now == {"V_m": -2.0, "I_1": 12.0, "I_2": 1.4, "Theta": -10.0, "I_syn_ex": 1.0}
    now, _ = spiked(model, c, V_m=20.0, Theta=-5.0)
    assert now == {"V_m": -2.0, "I_1": 10.0, "I_2": -0.6, "Theta": -5.0}


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_glif_resets_at_the_end_of_refractoriness(level):
    """Its after-spike currents and threshold_spike are worth what the rules say when t_ref ends; V at once."""
    model = esn.GLIF(level=level, t_ref=5.0)
    state = {"V_m": 30.0, "I_syn_ex": 2.0}
    state |= {"ASC_1": -20.0, "ASC_2": 40.0} if level >= 3 else {}
    state |= {"threshold_spike": 3.0} if level in (2, 4, 5) else {}
    state |= {"threshold_voltage": 1.5} if level == 5 else {}
    c = constants(model)
    now, s = spiked(model, c, **state)
    assert now["V_m"] == pytest.approx(0.0 if level in (1, 3) else 0.2 * 30.0 + 18.51, rel=1e-15, abs=1e-15)
    assert now["I_syn_ex"] == 2.0
    model.hold(c, s, 5.0)
    then = dict(zip(model.slots, s.x, strict=True))
    assert s.v == now["V_m"]
    if level >= 3:
        assert then["ASC_1"] == pytest.approx(-20.0 * math.exp(-0.015) - 9.18, rel=1e-14)
        assert then["ASC_2"] == pytest.approx(40.0 * math.exp(-0.5) - 198.94, rel=1e-14)
    if level in (2, 4, 5):
        assert then["threshold_spike"] == pytest.approx(3.0 * math.exp(-0.045) + 0.37, rel=1e-14)
    if level == 5:
        assert then["threshold_voltage"] == 1.5


def test_a_users_reset_scales_jumps_and_stops_at_the_lowest():
    model = next(model for model in MODELS if type(model).__name__ == "Custom")
    now, _ = spiked(model, constants(model), V_m=16.0, I_a=10.0, I_syn_ex=3.0, T_1=1.0, T_2=-4.0)
    assert now == {"V_m": 5.0, "I_a": 1.0, "I_syn_ex": 3.0, "T_1": 3.0, "T_2": -1.0}
    now, _ = spiked(model, constants(model), V_m=-20.0, T_2=4.0)
    assert now == {"V_m": -6.0, "I_a": -4.0, "T_1": 2.0, "T_2": 4.0}


@generic
def test_threshold_is_that_at_rest_and_its_parts(model):
    for p, c, s in situations(model, 6, 10):
        parts = [x for name, x in zip(model.slots, s.x, strict=True) if name.startswith(("V_th", "T", "threshold"))]
        assert model.threshold(c, s) == pytest.approx(threshold_at_rest(model, p) + math.fsum(parts), rel=1e-15)


LONG = 200.0  # ms: how far a search is followed, and to where the exact solution is cheap


def first_crossing(model, c, s):
    """Like `crossing`, which may hand back how far it has come, but followed for a long time."""
    h, found = model.crossing(c, s)
    while not found and h < LONG:
        start = h
        h, found = model.crossing(c, s, start)
        assert h > start
    return h, found


@generic
def test_crossing_is_the_first_time_at_which_v_reaches_the_threshold(model):
    """It lands on the threshold, and no earlier time on a fine grid is above; without one no time of the grid is.
    Whether a maximum just touches the threshold is left to rounding."""
    crossed, n = 0, 120
    all_ = list(situations(model, 7, n))
    tables = [table_of(model, p, s) for p, _, s in all_]
    parts = [name for name in model.slots if name.startswith(("V_th", "T", "threshold"))]
    grids = [(dt, on_grid(*map(list, zip(*tables, strict=True)), dt, k)) for dt, k in ((0.02, 11), (0.5, 12))]
    for k, (p, c, s) in enumerate(all_):
        h, found = first_crossing(model, c, s)
        size = size_of(model, p, s, min(h, 100.0))
        for dt, grid in grids:
            u = grid[k]["V_m"] - threshold_at_rest(model, p) - sum(grid[k][part] for part in parts)
            t = dt * np.arange(u.size)
            rounding = 1e-11 * (size + (abs(s.drive) + abs(s.slope) * t) * (1.0 + t))
            assert (u < rounding)[t < h].all(), (c, s, h)
        if h == math.inf or not found:
            continue
        crossed += 1
        assert h > 0.0
        if h > LONG:
            continue
        true, later = (exactly(*table_of(model, p, s), h * factor) for factor in (1.0, 1.0 + 1e-6))
        u, up = (float(x["V_m"] - threshold_at_rest(model, p) - sum(x[part] for part in parts)) for x in (true, later))
        slope = (up - u) / (1e-6 * h)
        assert slope > 0.0 or abs(slope) < 1e-5, (c, s, h)
        assert abs(u) <= 4e-15 * size + abs(slope) * 4e-16 * h, (c, s, h)
    assert n / 6 < crossed < n - n / 10, crossed


@generic
def test_crossing_at_or_above_threshold_is_now(model):
    for _, c, s in situations(model, 8, 20):
        edge = model.threshold(c, s)
        for v in (edge, math.nextafter(edge, math.inf), edge + 30.0):
            s.v = v
            assert model.crossing(c, s) == (0.0, True)


# ---- the compiled twin


def described(model, n, rng):
    """A population of random neurons: parameters and states of every kind."""
    near = 1.0 + rng.choice([0.0, 1e-15, 1e-9, 1e-4], n)
    values, state = {}, {}
    for name in model.parameters:
        tau = rng.choice([0.5, 2.0, 10.0, 30.0], n) * near
        if name == "tau_m":
            values[name] = np.full(n, 10.0)
        elif name.startswith("tau_"):
            values[name] = tau
        elif name in ("b", "k_1", "k_2") or "_decay" in name:
            values[name] = 1.0 / tau
        elif name in ("a", "gain", "th_voltage_index"):
            values[name] = rng.choice([-0.1, 0.0, 0.02, 0.3], n)
    fixed = {
        "E_L": 0.0, "C_m": 10.0, "g": 1.0, "V_th": 15.0, "omega": 15.0, "Theta_inf": 15.0, "Theta_reset": 5.0,
        "V_reset": 3.0, "I_e": 12.0 if "tau_m" in values or "g" in model.parameters else 1.0,
    }  # fmt: skip
    values |= {name: value for name, value in fixed.items() if name in model.parameters}
    state = {"V_m": rng.uniform(-20.0, 16.0, n)}
    for name in model.state_variables[1:]:
        if name.startswith(("V_th", "T", "threshold")):
            state[name] = rng.uniform(-1.0, 6.0, n) + (15.0 if name == "Theta" else 5.0 if name == "T_2" else 0.0)
        else:
            state[name] = rng.choice([-1.0, 1.0], n) * rng.uniform(0.0, 200.0, n)
    return values, state


@generic
def test_the_compiled_equations_are_the_same(model):
    """Random neurons under every kind of current in both engines: spike times and all that can be recorded."""
    rng = np.random.default_rng(9)
    n = 30
    values, state = described(model, n, rng)
    results = {}
    for engine in ("compiled", "reference"):
        net = esn.Network(seed=3)
        cells = net.population(n, model, name="cells", **values, **state)
        net.stimulate(cells[:20], esn.StepCurrent([7.0, 12.0], [20.0, -15.0]))
        net.stimulate(cells[5:25], esn.RampCurrent([3.0, 8.0, 19.0], [0.0, 25.0, -5.0]))
        net.stimulate(cells[10:], esn.SineCurrent(20.0, 60.0, phase=30.0, offset=3.0, start=1.0, stop=21.0))
        net.stimulate(cells[15:], esn.SineCurrent(4.0, 700.0))
        noise = net.population(n, esn.Poisson(rate=200.0), name="noise")
        for port, weight in zip(model.ports, (20.0, -15.0, 5.0), strict=False):
            net.connect(noise, cells, esn.OneToOne(), weight=weight / (10.0 if port == "delta" else 1.0), port=port)
        net.record(cells, model.recordables, times=np.linspace(0.0, 25.0, 41)[:-1])
        results[engine] = net.run(25.0, engine=engine)
    a, b = results["compiled"], results["reference"]
    assert len(a.spikes["cells"]) > n / 3
    assert a.spikes["cells"].times.tobytes() == b.spikes["cells"].times.tobytes()
    assert a.spikes["cells"].ids.tolist() == b.spikes["cells"].ids.tolist()
    for name in model.recordables:
        assert getattr(a.traces["cells"], name).tobytes() == getattr(b.traces["cells"], name).tobytes(), name


@pytest.mark.parametrize(("mine", "theirs"), [("LIFExpAgain", "LIFExp"), ("MAT2Again", "MAT2")])
def test_a_model_written_by_its_user_has_the_same_bits(mine, theirs):
    by_name = {name_of(model): model for model in MODELS}
    logs = []
    for model in (by_name[mine], by_name[theirs]):
        values, state = described(model, 40, np.random.default_rng(10))
        net = esn.Network(seed=4)
        cells = net.population(40, model, name="cells", **values, **state)
        net.stimulate(cells, esn.Poisson(rate=3_000.0), weight=12.0)
        net.stimulate(cells, esn.RampCurrent([3.0, 80.0], [0.0, 25.0]))
        net.connect(cells, cells, esn.FixedProbability(0.2), weight=esn.Normal(0.0, 10.0), delay=1.0)
        net.record(cells, model.recordables, times=np.linspace(0.0, 200.0, 101)[:-1])
        results = net.run(200.0)
        assert len(results.spikes["cells"]) > 100
        traces = results.traces["cells"]
        logs.append([results.spikes["cells"].times.tobytes(), results.spikes["cells"].ids.tobytes(),
                     *(getattr(traces, name).tobytes() for name in model.recordables)])  # fmt: skip
    assert logs[0] == logs[1]
