"""The oracle itself, against closed forms, a numerical integrator, dense sampling and a second arithmetic."""

import math

import families
import numpy as np
import oracle
import pytest
from mpmath import mp, mpf
from oracle import Drive
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

LIF = {"tau_m": 20.0, "C_m": 160.0, "E_L": 0.0, "V_th": 15.0, "V_reset": 5.0, "t_ref": 2.0, "I_e": 160.0}
SYNAPSES = {"tau_syn_ex": 2.0, "tau_syn_in": 5.0}


def digits(value) -> mpf:
    return mpf(str(value))


def test_period_of_a_constant_current():
    """T = t_ref + tau_m ln((R I - V_reset) / (R I - V_th)), to 45 digits."""
    with mp.workdps(60):
        for model, p in (("LIFDelta", LIF), ("LIFExp", {**LIF, **SYNAPSES}), ("LIFAlpha", {**LIF, **SYNAPSES})):
            cell = oracle.cell(model, p)
            times = [digits(spike.t) for spike in cell.spikes(cell.state(V_m=5.0), 200.0)]
            period = 2 + 20 * mp.log(mpf(15) / 5)
            assert len(times) == int((200 - period + 2) / period) + 1
            for k, t in enumerate(times):
                assert abs(t - (k + 1) * period + 2) < mpf(10) ** -38


@pytest.mark.parametrize("tau", [2.0, 20.0, 20.0 * (1 + 1e-9), 20.0 * (1 + 1e-15), 45.0])
def test_alpha_response(tau):
    """v(t) of I = e (t / tau) exp(-t / tau) from rest, by mpmath's own quadrature of the convolution."""
    cell = oracle.cell("LIFAlpha", {**LIF, "I_e": 0.0, "tau_syn_ex": tau, "tau_syn_in": 1.0})
    x = cell.state(dI_syn_ex=cell.ports["ex"][1])
    for t in (0.3, 7.0, 90.0):
        got = cell.advance(x, Drive(), cell.N.real(t))
        with mp.workdps(40):
            T, S, end = mpf(20), mpf(tau), mpf(t)
            v = mp.quad(lambda s: mp.e * s / S * mp.exp(-s / S - (end - s) / T), [0, end / 2, end]) / 160  # noqa: B023
            assert abs(digits(got[cell.v]) - v) < abs(v) * mpf(10) ** -30
            current = mp.e * end / S * mp.exp(-end / S)
            assert abs(digits(got[cell.place["I_syn_ex"]]) - current) < current * mpf(10) ** -30


def right_hand_side(cell, drive):
    """The equations, written down once more."""
    rates = [float(rate) for rate in cell.rates]
    C, I_e = float(cell.C), float(cell.I_e)

    def slopes(t, x):
        dx = [-rate * value for rate, value in zip(rates, x, strict=True)]
        external = I_e + float(drive.level) + float(drive.slope) * t
        external += sum(float(a) * math.sin(float(w) * t + float(phase)) for a, w, phase in drive.sines)
        k = 0
        for current in cell.currents:
            if current.alpha:
                dx[k + 1] += x[k]
                k += 1
            dx[cell.v] += x[k] / C
            k += 1
        dx[cell.v] += external / C
        for j, threshold in enumerate(cell.thresholds):
            dx[cell.v + 1 + j] += float(threshold.gain) * x[cell.v]
        return dx

    return slopes


def drives(rng, size):
    real = oracle.ARITHMETIC.real
    yield Drive()
    yield Drive(real(size * rng.normal()), real(size * rng.normal() / 50.0))
    sines = [(real(size), real(rng.uniform(0.05, 2.0)), real(rng.uniform(0.0, 6.0))) for _ in (0, 1)]
    yield Drive(real(0), real(0), sines)


@pytest.mark.parametrize("name", families.FAMILIES)
def test_flow_and_crossing_against_a_numerical_integrator(name):
    """DOP853 at 1e-12: the state at a random time, and the first crossing of a dense sample of it."""
    family = families.FAMILIES[name]
    rng = np.random.default_rng([5, *name.encode()])
    n, found = 8, 0
    p = family.draw(rng, n)
    states = families.random_states(family, p, rng, n)
    for i in range(n):
        mine = families.at(p, i)
        cell = family.cell(mine)
        x = families.exact_state(cell, mine, families.at(states, i))
        for drive in drives(rng, families.threshold(mine) / families.resistance(family, mine)):
            length = 60.0
            solution = solve_ivp(
                right_hand_side(cell, drive), (0.0, length), [float(v) for v in x], method="DOP853",
                rtol=1e-12, atol=1e-12, dense_output=True, max_step=1.0,
            )  # fmt: skip
            t = float(rng.uniform(0.0, length))
            now = [float(v) for v in cell.advance(x, drive, cell.N.real(t))]
            assert now == pytest.approx(solution.sol(t), rel=1e-8, abs=1e-8 * max(abs(v) for v in now))

            def height(s, sol=solution.sol, cell=cell):
                y = sol(s)
                return y[cell.v] - float(cell.theta) - y[cell.v + 1 :].sum(axis=0)

            grid = np.linspace(0.0, length, 6_001)
            above = np.flatnonzero(height(grid) >= 0.0)
            crossing = cell.crossing(x, drive, length)
            if above.size:
                assert crossing is not None
                high = above[0]
                expected = brentq(height, grid[high - 1], grid[high], xtol=1e-13) if high else 0.0
                assert float(crossing.t) == pytest.approx(expected, abs=1e-5)
                found += 1
            elif crossing is not None:  # between two samples
                assert cell.closest < 1e-2
    assert found >= 2


# ---- resets, refractoriness and moving thresholds: the models once more, in absolute potentials


def mat2(p):
    def slopes(y, held):
        return [-(y[0] - p["E_L"]) / p["tau_m"] + p["I_e"] / p["C_m"], -y[1] / p["tau_1"], -y[2] / p["tau_2"]]

    def height(y):
        return y[0] - (p["omega"] + y[1] + y[2])

    def at_spike(y):
        return [y[0], y[1] + p["alpha_1"], y[2] + p["alpha_2"]]

    return [p["E_L"], 0.0, 0.0], slopes, height, at_spike, None


def mihalas_niebur(p):
    def slopes(y, held):
        V, theta, I_1, I_2 = y
        free = 0.0 if held else 1.0
        return [
            free * (p["I_e"] + I_1 + I_2 - p["g"] * (V - p["E_L"])) / p["C_m"],
            free * (p["a"] * (V - p["E_L"]) - p["b"] * (theta - p["Theta_inf"])),
            -p["k_1"] * I_1, -p["k_2"] * I_2,
        ]  # fmt: skip

    def at_spike(y):
        theta = max(p["Theta_reset"], y[1])
        return [p["V_reset"], theta, p["R_1"] * y[2] + p["A_1"], p["R_2"] * y[3] + p["A_2"]]

    return [p["E_L"], p["Theta_inf"], 0.0, 0.0], slopes, lambda y: y[0] - y[1], at_spike, None


def glif(p):
    def slopes(y, held):
        V, spike, voltage, A_1, A_2 = y
        free = 0.0 if held else 1.0
        return [
            free * (p["I_e"] + A_1 + A_2 - p["g"] * (V - p["E_L"])) / p["C_m"],
            -p["th_spike_decay"] * spike,
            free * (p["th_voltage_index"] * (V - p["E_L"]) - p["th_voltage_decay"] * voltage),
            -p["asc_decay_1"] * A_1, -p["asc_decay_2"] * A_2,
        ]  # fmt: skip

    def height(y):
        return y[0] - (p["V_th"] + y[1] + y[2])

    def at_spike(y):
        return [p["E_L"] + p["voltage_reset_fraction"] * (y[0] - p["E_L"]) + p["voltage_reset_add"], *y[1:]]

    def at_release(y):
        A_1, A_2 = p["asc_r_1"] * y[3] + p["asc_amps_1"], p["asc_r_2"] * y[4] + p["asc_amps_2"]
        return [y[0], y[1] + p["th_spike_add"], y[2], A_1, A_2]

    return [p["E_L"], 0.0, 0.0, 0.0, 0.0], slopes, height, at_spike, at_release


@pytest.mark.parametrize(
    ("name", "equations"), [("MAT2", mat2), ("MihalasNiebur", mihalas_niebur), ("GLIF, level 5", glif)]
)
def test_spikes_of_adapting_neurons_against_a_numerical_integrator(name, equations):
    """A constant current for 150 ms: DOP853 with an event at the threshold, restarted at each spike and release."""
    family, spikes = families.FAMILIES[name], 0
    rng = np.random.default_rng(21)
    for _ in range(6):
        p = families.at(family.draw(rng, 1), 0)
        p = {key: float(np.ravel(value)[0]) for key, value in p.items()}
        p["I_e"] = 1.6 * float(families.threshold(p) / families.resistance(family, p))
        y, slopes, height, at_spike, at_release = equations(p)
        t, stop, found = 0.0, 150.0, []

        def event(t, y, height=height):
            return height(y)

        event.terminal, event.direction = True, 1.0

        def integrate(y, start, end, held, events, slopes=slopes):
            return solve_ivp(
                lambda t, y: slopes(y, held), (start, end), y, method="DOP853", rtol=1e-11, atol=1e-11, max_step=1.0,
                events=events,
            )  # fmt: skip

        while t < stop:
            free = integrate(y, t, stop, False, event)
            t, y = free.t[-1], free.y[:, -1]
            if t >= stop:
                break
            found.append(t)
            held = integrate(at_spike(y), t, t + p["t_ref"], family.model != "MAT2", None)
            t, y = held.t[-1], held.y[:, -1]
            if at_release is not None:
                y = at_release(y)
        cell = family.cell(p)
        expected = [float(spike.t) for spike in cell.spikes(cell.state(), stop)]
        assert expected == pytest.approx(found, abs=1e-6)
        spikes += len(found)
    assert spikes > 20


def test_conditions_that_the_search_must_find():
    """Two humps within 1e-30 mV of the threshold, on either side; float64 sees no difference."""
    p = {**LIF, "I_e": 0.0, "V_th": 1e6, "tau_syn_ex": 2.0, "tau_syn_in": 2.0 * (1 + 1e-9)}
    cell = oracle.cell("LIFExp", p)
    x = cell.state(I_syn_ex=700.0)
    top = cell.crossing(x, Drive(), 100.0, order=1, sign=-1)
    height = cell.advance(x, Drive(), top.t)[cell.v]
    for sign in (1, -1):
        cell.set_threshold(height + sign * oracle.ARITHMETIC.real(10) ** -30)
        crossing = cell.crossing(x, Drive(), 100.0)
        if sign > 0:
            assert crossing is None and cell.closest < 1e-29
        else:
            assert 1e-16 < float(top.t - crossing.t) < 1e-13


def test_a_crossing_is_neither_missed_nor_invented():
    """V = x (3/2 - x) with x = exp(-s / 10): from 1/2 up to a hump of 9/16 at x = 3/4, and down again."""
    cell = oracle.cell("LIFExp", {**LIF, "I_e": 0.0, "tau_m": 10.0, "C_m": 10.0, "tau_syn_ex": 5.0, "tau_syn_in": 5.0})
    x, real = cell.state(V_m=0.5, I_syn_ex=1.0), oracle.ARITHMETIC.real
    with mp.workdps(60):
        cell.set_threshold(real(1) / 2 + real(10) ** -15)
        assert abs(digits(cell.crossing(x, Drive(), 100.0).t) - 20 * mpf(10) ** -15) < mpf(10) ** -27
        cell.set_threshold(real(9) / 16 + real(10) ** -20)
        assert cell.crossing(x, Drive(), 100.0) is None
        cell.set_threshold(real(9) / 16 - real(10) ** -20)
        crossing = cell.crossing(x, Drive(), 100.0)
        assert abs(digits(crossing.t) + 10 * mp.log(mpf(3) / 4 + mpf(10) ** -10)) < mpf(10) ** -30
        assert cell.crossing(x, Drive(), crossing.t - real(10) ** -20) is None


def test_both_arithmetics_agree():
    """mpmath and MPFR give the same spikes to 1e-50 ms."""
    if oracle.ARITHMETIC.name == "mpmath":
        pytest.skip("gmpy2 is not installed, so that there is one arithmetic only")
    rng = np.random.default_rng(3)
    for family in families.FAMILIES.values():
        p = families.at(family.draw(rng, 1), 0)
        sign = {port: 1.0 if k % 2 == 0 else -0.1 for k, port in enumerate(family.ports)}
        times = np.cumsum(rng.exponential(1.0, 40))
        size = {
            port: sign[port] * 0.6 * families.threshold(p) * (
                1.0 if port == "delta" else p["C_m"] / families.charge(family, p, port)
            )
            for port in family.ports
        }  # fmt: skip
        ports = rng.choice(family.ports, 40)
        inputs = [(float(t), port, float(size[port])) for t, port in zip(times, ports, strict=True)]
        trains = []
        for arithmetic in (oracle.ARITHMETIC, oracle.mpmath_arithmetic()):
            cell = oracle.cell(family.model, {**family.fixed, **p}, family.ports, arithmetic)
            trains.append([digits(spike.t) for spike in cell.spikes(cell.state(), 60.0, inputs)])
        with mp.workdps(110):
            assert len(trains[0]) == len(trains[1]) > 0, family.name
            assert max(abs(a - b) for a, b in zip(*trains, strict=True)) < mpf(10) ** -50
