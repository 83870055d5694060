"""Models without a closed form, against scipy's DOP853 at 1e-13 and against their own laws."""

import inspect
import math
import re

import numpy as np
import pytest
from event_log import differences, event_log
from mpmath import mp, mpf
from small_networks import one
from stepped_models import gates, spike_times

import eventsnn as esn
from eventsnn import models
from eventsnn.models.stepped import THRESHOLD, SteppedModel
from eventsnn.scenarios import adex_patterns
from eventsnn.scenarios import izhikevich_patterns as patterns
from eventsnn.solve.series import first_root
from eventsnn.solve.state import State

MODELS = [
    esn.Izhikevich(), esn.Izhikevich(a=0.1, t_ref=1.5), esn.EIF(t_ref=2.0, tau_syn_ex=1.0),
    esn.AdEx(tau_syn_ex=1.0), esn.LIFCondExp(), esn.LIFCondAlpha(tau_syn_ex=1.5), esn.HHTraub(),
    esn.QIF(),
]  # fmt: skip
CURRENT = {
    "Izhikevich": 10.0, "EIF": 700.0, "AdEx": 800.0, "LIFCondExp": 500.0, "LIFCondAlpha": 500.0, "HHTraub": 500.0,
    "QIF": 300.0,
}  # fmt: skip
WEIGHT = {
    "Izhikevich": 4.0, "EIF": 30.0, "AdEx": 30.0, "LIFCondExp": 40.0, "LIFCondAlpha": 20.0, "HHTraub": 10.0, "QIF": 4.0,
}  # fmt: skip


def name_of(model):
    return repr(model)


def current_of(model):
    return CURRENT[type(model).__name__]


generic = pytest.mark.parametrize("model", MODELS, ids=name_of)


def constants_of(model):
    net, cells = one(model)
    plan = net.compile().plan
    x = plan.variables[0, : len(model.slots)].tolist()
    return plan.constants[0].tolist(), State(0.0, float(plan.v[0]), x, [0.0] * len(x))


def test_every_model_without_a_closed_form_is_tested():
    known = (getattr(models, name) for name in models.__all__)
    concrete = {m for m in known if inspect.isclass(m) and issubclass(m, SteppedModel) and not inspect.isabstract(m)}
    assert {type(model) for model in MODELS} == concrete


@generic
def test_docstring_names_parameters_state_and_source(model):
    for part in ("Equation", "State", "Source", "spike", "t_ref", *model.recordables, *model.parameters):
        assert part in type(model).__doc__
    said = dict(re.findall(r"^ {8}(\w+) +(-?\d[\d.e-]*)", type(model).__doc__, re.MULTILINE))
    assert {name: float(value) for name, value in said.items()} == type(model).parameters


# ---- times


def published_current(pattern):
    def current(t):
        value = 0.0
        for begin, height in pattern.steps:
            value = height if t >= begin else value
        for ramp in pattern.ramps:
            times, heights = zip(*ramp, strict=True)
            value += float(np.interp(t, times, heights)) if times[0] <= t < times[-1] else 0.0
        return value

    changes = [t for t, _ in pattern.steps] + [t for ramp in pattern.ramps for t, _ in ramp]
    return current, changes


def izhikevich_of(pattern, **parameters):
    k_1, k_0 = patterns.OTHER.get(pattern.name, (5.0, 140.0))
    odd = pattern.name == patterns.ACCOMMODATING
    return esn.Izhikevich(
        a=pattern.a, b=pattern.b, c=pattern.c, d=pattern.d, k_1=k_1, k_0=k_0, V_u=-65.0 if odd else 0.0,
        leak_u=0.0 if odd else 1.0, **parameters,
    )  # fmt: skip


def test_izhikevichs_patterns_against_an_independent_integration():
    results = patterns.build().run(patterns.DURATION)
    for pattern, train in zip(patterns.PATTERNS, patterns.trains(results, "exact"), strict=True):
        u = -16.0 if pattern.name == patterns.ACCOMMODATING else pattern.b * pattern.V_0
        start = [pattern.V_0, u]
        expected, _ = spike_times(izhikevich_of(pattern), start, pattern.duration, *published_current(pattern))
        assert len(train) == len(expected) == pattern.spikes, pattern.name
        assert np.abs(train - expected).max() < 1e-9, pattern.name


# Spikes of the published figure and of the exact solution (order 8 at 1e-13), and the first and last of these.
TABLE = [
    (5, 5, 12.631, 82.665), (1, 1, 42.746, 42.746), (28, 29, 24.494, 187.915), (6, 8, 38.240, 68.834),
    (6, 7, 19.452, 155.878), (6, 6, 9.991, 68.250), (10, 10, 83.942, 290.493), (14, 18, 104.338, 299.977),
    (1, 1, 16.593, 16.593), (1, 1, 25.632, 25.632), (1, 1, 336.733, 336.733), (1, 1, 19.477, 19.477),
    (1, 1, 57.634, 57.634), (7, 14, 57.634, 102.894), (1, 1, 91.889, 91.889), (5, 7, 44.160, 263.314),
    (1, 8, 11.096, 48.849), (1, 1, 310.504, 310.504), (3, 4, 93.218, 254.577), (12, 46, 85.149, None),
]  # fmt: skip


def test_izhikevichs_patterns_against_the_table():
    results = patterns.build().run(patterns.DURATION)
    exact, figure = patterns.trains(results, "exact"), patterns.trains(results, "figure")
    for expected, train, published in zip(TABLE, exact, figure, strict=True):
        of_figure, of_exact, first, last = expected
        assert (len(published), len(train)) == (of_figure, of_exact)
        assert abs(train[0] - first) < 1e-3
        assert last is None or abs(train[-1] - last) < 1e-3


@pytest.mark.long
@pytest.mark.parametrize("pattern", adex_patterns.PATTERNS, ids=lambda pattern: pattern.name)
def test_adex_patterns_against_an_independent_integration(pattern):
    names = ("C_m", "g_L", "E_L", "a", "tau_w", "b", "V_reset")
    model = esn.AdEx(V_th=-50.0, Delta_T=2.0, V_peak=0.0, **{name: getattr(pattern, name) for name in names})

    def current(t):
        return pattern.current if t >= adex_patterns.ONSET else 0.0

    start = [pattern.E_L, 0.0, 0.0, 0.0]
    expected, _ = spike_times(model, start, adex_patterns.DURATION, current, [adex_patterns.ONSET])
    assert len(expected) == pattern.spikes
    assert [expected[0], expected[-1]] == pytest.approx([pattern.first, pattern.last], rel=0, abs=1e-10)


def test_forward_steps_are_those_of_the_program():
    rng = np.random.default_rng(1)
    for _ in range(5):
        a, b, c, d = rng.uniform(0.01, 0.1), rng.uniform(0.15, 0.27), rng.uniform(-65, -45), rng.uniform(0, 8)
        step, height = 2.0 ** -int(rng.integers(1, 5)), rng.uniform(5, 20)
        net, cell = one(esn.Izhikevich("figure1", a=a, b=b, c=c, d=d, step=step, I_e=height), V_m=-70.0)
        net.record(cell, ["V_m", "U_m"], every=1.0)
        results = net.run(200.0)
        v, u, expected, sampled = -70.0, b * -70.0, [], []
        for k in range(round(200.0 / step)):
            if k * step % 1.0 == 0.0:
                sampled.append((v, u))
            v = v + step * (0.04 * v**2 + 5 * v + 140 - u + height)
            u = u + step * a * (b * v - u)
            if v >= 30:
                expected.append((k + 1) * step)
                v, u = c, u + d
        assert results.spikes["cell"].times.tolist() == [t for t in expected if t < 200.0]
        traces = results.traces["cell"]
        assert np.allclose(np.array(sampled).T, [traces.V_m[0], traces.U_m[0]], rtol=1e-9, atol=1e-9)


def start_of(model, V_m):
    if isinstance(model, esn.Izhikevich):
        return [V_m, model.values["b"] * V_m]
    if isinstance(model, esn.HHTraub):
        alpha, beta = gates(V_m - model.values["V_T"])
        return [V_m, *(a / (a + b) for a, b in zip(alpha, beta, strict=True)), 0.0, 0.0]
    return [V_m] + [0.0] * len(model.slots)


@generic
@pytest.mark.parametrize("share", [1.0, 0.0])
def test_spikes_and_state_against_an_independent_integration(model, share):
    """With a current that is switched on and off and ramps, or without; and with input at irregular times."""
    rng = np.random.default_rng(7)
    stop, height, weight = 120.0, share * current_of(model), WEIGHT[type(model).__name__]
    net, cell = one(model, V_m=-66.0)
    net.stimulate(cell, esn.StepCurrent([10.0, 60.0], [height, 0.0]))
    net.stimulate(cell, esn.RampCurrent([70.0, 100.0], [0.0, 1.5 * height]))
    inputs = []
    for sign in (1.0, -0.5):
        times = np.sort(rng.uniform(1.0, stop, 40 if share else 150))
        source = net.population(1, esn.SpikeSource(times), name=f"source {sign}")
        net.connect(source, cell, esn.OneToOne(), weight=sign * weight, delay=0.0)
        place, amount = 0, sign * weight
        if model.magnitudes:
            port = 0 if sign > 0 else 1
            place, amount = 1 + model.targets[port], abs(amount)
            if isinstance(model, esn.LIFCondAlpha):
                amount *= math.e / model.values[("tau_syn_ex", "tau_syn_in")[port]]
        inputs += [(t, place, amount) for t in times.tolist()]

    def current(t):
        ramp = np.interp(t, [70.0, 100.0], [0.0, 1.5 * height]) if t >= 70.0 else 0.0
        return (height if 10.0 <= t < 60.0 else 0.0) + float(ramp)

    simulation = net.compile()
    train = simulation.run(stop).spikes["cell"].times
    expected, final = spike_times(model, start_of(model, -66.0), stop, current, [10.0, 60.0, 70.0, 100.0], inputs)
    assert len(train) == len(expected) > 0
    assert np.abs(train - expected).max() < 1e-9
    state = simulation._state.settled()
    assert np.allclose(state["v"][0], final[0], rtol=0, atol=1e-6)
    assert np.allclose(state["variables"][0, : len(model.slots)], final[1:], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "model", [esn.Izhikevich(I_e=4.0), esn.HHTraub(I_e=100.0), esn.LIFCondExp(I_e=200.0)], ids=name_of
)
def test_sinusoidal_current(model):
    net, cell = one(model, V_m=-66.0)
    amplitude = 0.5 * current_of(model)
    net.stimulate(cell, esn.SineCurrent(amplitude, 25.0, phase=40.0))
    train = net.run(150.0).spikes["cell"].times
    I_e = model.values["I_e"]

    def current(t):
        return I_e + amplitude * math.sin(2.0 * math.pi * (0.025 * t + 40.0 / 360.0))

    expected, _ = spike_times(model, start_of(model, -66.0), 150.0, current)
    assert len(train) == len(expected) > 2
    assert np.abs(train - expected).max() < 1e-9


def time_of_qif(start, stop, current, model):
    """How long (ms) V takes from start to stop under a constant current: inverse tangents, circular or hyperbolic."""
    p = {name: mpf(value) for name, value in model.values.items()}
    curvature = p["g_L"] / (p["C_m"] * (p["V_th"] - p["E_L"]))
    middle = (p["E_L"] + p["V_th"]) / 2
    rest = current / (p["C_m"] * curvature) - ((p["V_th"] - p["E_L"]) / 2) ** 2
    a, b = mpf(start) - middle, mpf(stop) - middle
    if rest == 0:
        return (1 / a - 1 / b) / curvature
    width = mp.sqrt(abs(rest))
    if rest > 0:
        return (mp.atan(b / width) - mp.atan(a / width)) / (curvature * width)
    return (mp.acoth(a / width) - mp.acoth(b / width)) / (curvature * width)


@pytest.mark.parametrize(
    ("V_m", "current"),
    [(-70.0, 93.76), (-70.0, 94.0), (-70.0, 200.0), (-70.0, 3000.0), (-54.9, 0.0), (-40.0, 60.0), (-60.0, 93.75)],
)
def test_qif_fires_when_its_closed_form_says(V_m, current):
    """93.75 pA is where rest and V_th meet: slowly above it, for ever below it unless V begins beyond V_th."""
    model = esn.QIF(I_e=current)
    with mp.workdps(40):
        first = float(time_of_qif(V_m, 0.0, current, model))
        again = float(time_of_qif(-70.0, 0.0, current, model)) if current > 93.75 else math.inf
    net, _ = one(model, V_m=V_m)
    train = net.run(first + 100.0).spikes["cell"].times
    # Near where rest and V_th meet the current's last bit says how long V lingers there.
    assert train[0] == pytest.approx(first, rel=1e-12, abs=1e-13)
    assert train.size == 1 + max(0, math.ceil(100.0 / (again + 2.0)) - 1)
    if train.size > 1:
        assert train[1] - train[0] == pytest.approx(again + 2.0, rel=2e-12, abs=1e-13)


def test_qif_settles_as_its_closed_form_says():
    """Below V_th without input: x / (span - x) decays at the rate g_L / C_m."""
    net, cell = one(esn.QIF(), V_m=-55.5)
    net.record(cell, "V_m", every=1.0)
    traces = net.run(150.0).traces["cell"]
    share = 14.5 / 0.5 * np.exp(-0.1 * traces.times)
    assert np.allclose(traces.V_m[0], -70.0 + 15.0 * share / (1.0 + share), rtol=0, atol=1e-13)


def test_less_tolerance_means_more_steps_and_smaller_errors():
    work, errors = [], []
    expected = None
    for tolerance in (1e-14, 1e-10, 1e-6):
        net, _ = one(esn.HHTraub(I_e=300.0, tolerance=tolerance))
        results = net.run(100.0)
        train = results.spikes["cell"].times
        expected = train if expected is None else expected
        work.append(results.summary["bounds_due"] * np.ceil(-0.5 * np.log(tolerance) + 4.0) ** 2)
        errors.append(np.abs(train - expected).max())
    assert work[0] > work[1] > work[2]
    assert errors[0] == 0.0 < errors[1] < 1e-8 < errors[2] < 1e-3


def test_pictures_have_their_line_where_a_spike_is_counted():
    net, _ = one(esn.AdEx(V_peak=10.0))
    assert net.run(1.0).summary["V_th"] == {"cell": 10.0}


# ---- laws


@generic
def test_advancing_twice_is_advancing_once(model):
    c, s = constants_of(model)
    s.drive = c[0] * 0.2 * current_of(model)
    if model.magnitudes:
        s.x[-1] = 3.0
    for h, rest in ((0.01, 0.3), (0.7, 1.1), (3.0, 5.0)):
        whole, parts = s.copy(), s.copy()
        model.flow(c, whole, h + rest)
        model.flow(c, parts, h)
        parts.step = None
        model.flow(c, parts, rest)
        assert np.allclose([whole.v, *whole.x], [parts.v, *parts.x], rtol=1e-12, atol=1e-10)


@generic
def test_the_crossing_lands_on_the_threshold_and_none_comes_before(model):
    c, s = constants_of(model)
    s.drive = c[0] * 1.5 * current_of(model)
    last = s.v
    for _ in range(300):
        span, found = model.crossing(c, s)
        probe = s.copy()
        model.flow(c, probe, span)
        if found:
            rate = abs(probe.v - last) / span
            assert abs(probe.v - c[THRESHOLD]) < 1e-9 * max(1.0, rate) or rate > 1e6
            break
        for h in np.linspace(0.0, span, 50):
            between = s.copy()
            model.flow(c, between, h)
            assert between.v < c[THRESHOLD]
        last = s.v
        model.settle(c, s, s.t + span, 0.0)
    else:
        pytest.fail("no crossing found")


def test_the_first_root_of_polynomials_that_nearly_touch_zero():
    def poly(*roots):
        return np.polynomial.polynomial.polyfromroots(roots)

    for roots in [(0.3, 0.7, 0.9), (0.5, 0.5 + 1e-9, 2.0), (0.2, 0.6, 3.0), (0.999, 5.0, 6.0)]:
        a = poly(*roots)
        a = -a if a[0] > 0 else a
        assert abs(first_root(a.tolist(), 1.0) - roots[0]) < 1e-8
    touching = -poly(0.5, 0.5) - np.array([1e-6, 0.0, 0.0])
    assert first_root(touching.tolist(), 1.0) == math.inf
    assert first_root([-1.0, 0.5, 0.25], 1.0) == math.inf
    assert first_root([-1.0, 0.5, 0.5], 1.0) == pytest.approx(1.0, abs=1e-15)


@generic
def test_a_neuron_at_rest_takes_no_more_steps(model):
    # With NEST's values HHTraub fires by itself.
    quiet = esn.HHTraub(E_L=-70.0) if isinstance(model, esn.HHTraub) else model
    net, _ = one(quiet, V_m=-66.0)
    simulation = net.compile()
    simulation.run(20_000.0)
    assert simulation.results().spikes["cell"].times.size == 0
    before = simulation._state.counters["bounds_due"]
    state = simulation._state.settled()["v"][0]
    simulation.run(1e6)
    assert simulation._state.counters["bounds_due"] <= before + 2
    assert simulation._state.settled()["v"][0] == state


def test_a_neuron_at_rest_wakes_up():
    net, cell = one(esn.AdEx())
    net.stimulate(cell, esn.StepCurrent([1e6], [800.0]))
    late = net.run(1_000_100.0).spikes["cell"].times
    net, cell = one(esn.AdEx())
    net.stimulate(cell, esn.StepCurrent([20_000.0], [800.0]))
    early = net.run(20_100.0).spikes["cell"].times
    assert np.allclose(late - 1e6, early - 20_000.0, rtol=0, atol=1e-9)


# ---- bits


def network(model, seed):
    """Neurons of one model and linear ones, with delays of 0 and more, currents of all kinds, Poisson input."""
    rng = np.random.default_rng(seed)
    net = esn.Network(seed=seed)
    weight, height = WEIGHT[type(model).__name__], current_of(model)
    cells = net.population(4, model, name="cells", V_m=esn.Uniform(-70.0, -60.0), I_e=esn.Uniform(0.0, 1.2 * height))
    linear = net.population(3, esn.LIFExp(I_e=400.0), name="linear", V_m=esn.Uniform(-70.0, -56.0))
    delays = [0.0, 0.4, 1.5] if seed % 2 else [0.4, 1.5]
    for name, pre in (("a", cells), ("b", linear)):
        net.connect(pre, cells, esn.FixedProbability(0.6), weight=esn.Uniform(-0.5 * weight, weight),
                    delay=float(rng.choice(delays)), name=name)  # fmt: skip
    net.connect(cells, linear, esn.AllToAll(), weight=100.0, delay=esn.Uniform(0.2, 1.0))
    net.stimulate(cells[:2], esn.Poisson(rate=300.0), weight=0.5 * weight)
    net.stimulate(cells[1:], esn.Poisson(rate=300.0), weight=-0.3 * weight)
    net.stimulate(cells[1:2], esn.StepCurrent([3.0, 9.0, 20.0], [height, -height, 0.0]))
    net.stimulate(cells[2:3], esn.RampCurrent([2.0, 15.0, 21.0], [0.0, height, 0.0]))
    net.stimulate(cells[3:], esn.SineCurrent(0.5 * height, 80.0))
    if seed % 3:
        net.record(cells, list(model.recordables), every=0.7)
    return net


ALIKE = [*MODELS, esn.Izhikevich("figure1", a=0.03, step=0.3)]


@pytest.mark.parametrize("model", ALIKE, ids=name_of)
def test_bits_are_the_same_in_both_engines_in_pieces_and_in_threads(model):
    fired = 0
    for seed in range(1, 5):
        stop = 12.0 if isinstance(model, esn.HHTraub) else 25.0
        net = network(model, seed)
        expected = event_log(net.compile(engine="reference"), stop)
        fired += len(expected["cells times"]) // 8
        compiled = net.compile()
        assert not differences(expected, event_log(compiled, stop)), seed
        assert not differences(expected, event_log(net.compile(), 0.3 * stop, 0.31 * stop, 0.5 * stop, stop)), seed
        for threads in (2, 3):
            simulation = net.compile()
            simulation.run(stop, threads=threads)
            again = event_log(simulation, stop)
            assert not differences(expected, again), (seed, threads)
    assert fired > 3


@generic
def test_recording_changes_no_bit(model):
    logs = []
    for record in (False, True):
        net, cell = one(model, V_m=-66.0)
        net.stimulate(cell, esn.StepCurrent([1.0], [current_of(model)]))
        if record:
            net.record(cell, list(model.recordables), every=0.13)
        simulation = net.compile()
        log = event_log(simulation, 60.0)
        logs.append({name: log[name] for name in log if name.startswith("state") or re.search(r" (times|ids)$", name)})
        logs[-1].pop("cell sample times", None)
        if record:
            traces = simulation.results().traces["cell"]
    assert not differences(*logs)
    assert traces.V_m.max() <= model.values[model.threshold_name] or isinstance(model, esn.HHTraub)


def test_half_and_half_is_a_whole():
    for model in MODELS:
        net, cell = one(model, V_m=-66.0, I_e=current_of(model))
        net.record(cell, "V_m", every=0.5)
        assert not differences(event_log(net.compile(), 1000.0), event_log(net.compile(), 500.0, 1000.0))


# ---- extremes


@pytest.mark.parametrize("model", [esn.EIF(), esn.AdEx(Delta_T=1.26), esn.AdEx(V_peak=29.6, t_ref=0.5)], ids=name_of)
def test_exponential_terms_never_overflow(model):
    net, cell = one(model, V_m=700.0)
    kick = net.population(1, esn.SpikeSource([5.0, 9.0, 9.5]), name="kick")
    net.connect(kick, cell, esn.AllToAll(), weight=1e5, delay=1.0)
    net.record(cell, ["V_m", "g_ex"], every=0.05)
    results = net.run(30.0)
    assert results.spikes["cell"].times[0] == 0.0
    assert len(results.spikes["cell"].times) > 3
    assert np.isfinite(results.traces["cell"].V_m).all()
    assert results.traces["cell"].V_m.max() <= model.values["V_peak"]


def test_pattern_t_runs_away_and_says_so():
    with pytest.raises(esn.RunawayError, match=r"^neuron 19 of exact has run away: .* at t = \d+\.\d+ ms"):
        patterns.build(d_of_T=-2.0).run(350.0)
    net = patterns.build(d_of_T=-2.0)
    messages = []
    for engine in ("compiled", "reference"):
        only = esn.Network()
        last = patterns.PATTERNS[-1]
        cell = only.population(1, izhikevich_of(last._replace(d=-2.0)), name="T", V_m=last.V_0, I_e=80.0, U_m=3000.0)
        del cell
        with pytest.raises(esn.RunawayError) as caught:
            only.compile(engine=engine).run(1e4)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    with pytest.raises(esn.RunawayError):
        net.run(350.0)
    assert len(patterns.trains(net.results(), "exact")[-1]) > 2000


@pytest.mark.parametrize("weight", [1e149, -1e150])
def test_a_state_that_no_number_holds_is_an_error(weight):
    net, cell = one(esn.Izhikevich(V_th=1e300), V_m=-65.0)
    kick = net.population(1, esn.SpikeSource([5.0]), name="kick")
    net.connect(kick, cell, esn.AllToAll(), weight=weight, delay=1.0)
    with pytest.raises(esn.RunawayError, match="neuron 0 of cell has run away.*at t = 6 ms"):
        net.run(10.0)
