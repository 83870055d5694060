"""The parts of the linear models: divided differences, bounds, delicate crossings; and what is refused."""

import math

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
