"""The models without a closed form, written again and solved by scipy's DOP853 at 1e-13.

A crossing is found by Henon's trick (1982, Physica D 5:412): from the last step before it V is the independent
variable, so that no interpolation is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

TIGHT = {"method": "DOP853", "rtol": 1e-13, "atol": 1e-13}
Field = Callable[[float, np.ndarray, float, float], np.ndarray]  # t, state, current, slope


@dataclass
class Equations:
    """dy/dt of the free neuron, V first; what a spike does; its threshold."""

    rate: Callable[[np.ndarray, float], Any]  # state, current
    reset: Callable[[np.ndarray], np.ndarray]
    threshold: float
    clamped: bool = True
    t_ref: float = 0.0


def izhikevich(p: dict[str, float]) -> Equations:
    def rate(y, current):
        v, u = y
        dv = p["k_2"] * v**2 + p["k_1"] * v + p["k_0"] - u + current
        return [dv, p["a"] * (p["b"] * (v - p["V_u"]) - p["leak_u"] * u)]

    return Equations(rate, lambda y: np.array([p["c"], y[1] + p["d"]]), p["V_th"], True, p["t_ref"])


def exponential(p: dict[str, float], adapts: bool) -> Equations:
    def rate(y, current):
        v, g_ex, g_in = y[:3]
        w = y[3] if adapts else 0.0
        leak = -p["g_L"] * (v - p["E_L"]) + p["g_L"] * p["Delta_T"] * math.exp((v - p["V_th"]) / p["Delta_T"])
        dv = (leak - w - g_ex * (v - p["E_ex"]) - g_in * (v - p["E_in"]) + current) / p["C_m"]
        rest = [-g_ex / p["tau_syn_ex"], -g_in / p["tau_syn_in"]]
        return [dv, *rest] + ([(p["a"] * (v - p["E_L"]) - w) / p["tau_w"]] if adapts else [])

    def reset(y):
        return np.array([p["V_reset"], *y[1:3], *([y[3] + p["b"]] if adapts else [])])

    return Equations(rate, reset, p["V_peak"], True, p["t_ref"])


def quadratic(p: dict[str, float]) -> Equations:
    def rate(y, current):
        curve = p["g_L"] * (y[0] - p["E_L"]) * (y[0] - p["V_th"]) / (p["V_th"] - p["E_L"])
        return [(curve + current) / p["C_m"]]

    return Equations(rate, lambda y: np.array([p["V_reset"]]), p["V_peak"], True, p["t_ref"])


def conductance(p: dict[str, float], alpha: bool) -> Equations:
    def rate(y, current):
        v, g_ex, g_in = y[:3]
        dv = (-p["g_L"] * (v - p["E_L"]) - g_ex * (v - p["E_ex"]) - g_in * (v - p["E_in"]) + current) / p["C_m"]
        dg_ex, dg_in = -g_ex / p["tau_syn_ex"], -g_in / p["tau_syn_in"]
        if not alpha:
            return [dv, dg_ex, dg_in]
        return [dv, dg_ex + y[3], dg_in + y[4], -y[3] / p["tau_syn_ex"], -y[4] / p["tau_syn_in"]]

    return Equations(rate, lambda y: np.array([p["V_reset"], *y[1:]]), p["V_th"], True, p["t_ref"])


def gates(u: float) -> tuple[list[float], list[float]]:
    def ratio(x):
        return 1.0 if x == 0.0 else x / math.expm1(x)

    alpha = [1.28 * ratio((13 - u) / 4), 0.128 * math.exp((17 - u) / 18), 0.16 * ratio((15 - u) / 5)]
    return alpha, [1.4 * ratio((u - 40) / 5), 4 / (1 + math.exp((40 - u) / 5)), 0.5 * math.exp((10 - u) / 40)]


def hodgkin_huxley(p: dict[str, float]) -> Equations:
    def rate(y, current):
        v, m, h, n, g_ex, g_in = y
        alpha, beta = gates(v - p["V_T"])
        ions = p["g_Na"] * m**3 * h * (v - p["E_Na"]) + p["g_K"] * n**4 * (v - p["E_K"]) + p["g_L"] * (v - p["E_L"])
        dv = (current - ions - g_ex * (v - p["E_ex"]) - g_in * (v - p["E_in"])) / p["C_m"]
        moved = [a * (1 - x) - b * x for a, b, x in zip(alpha, beta, (m, h, n), strict=True)]
        return [dv, *moved, -g_ex / p["tau_syn_ex"], -g_in / p["tau_syn_in"]]

    return Equations(rate, lambda y: y, p["V_th"], False, p["t_ref"])


def equations_of(model: Any) -> Equations:
    p = dict(model.values)
    make = {
        "Izhikevich": izhikevich,
        "EIF": lambda p: exponential(p, False),
        "AdEx": lambda p: exponential(p, True),
        "LIFCondExp": lambda p: conductance(p, False),
        "LIFCondAlpha": lambda p: conductance(p, True),
        "HHTraub": hodgkin_huxley,
        "QIF": quadratic,
    }[type(model).__name__]
    return make(p)


def go(e: Equations, y: np.ndarray, t: float, stop: float, current: Callable[[float], float], free: bool) -> Any:
    """To stop, or to the first crossing: (time, state, whether it crossed)."""

    def rate(t, y):
        dy = np.array(e.rate(y, current(t)))
        if not free and e.clamped:
            dy[0] = 0.0
        return dy

    def above(t, y):
        return y[0] - e.threshold

    above.direction, above.terminal = 1.0, True
    if free and y[0] >= e.threshold:
        return t, y, True
    solution = solve_ivp(rate, (t, stop), y, events=above if free else None, dense_output=False, **TIGHT)
    if not (free and solution.t_events[0].size):
        return stop, solution.y[:, -1], False
    # Before the last step V was below the threshold; where it does not yet rise there, go half of the way to the event.
    t, y = solution.t[-2], solution.y[:, -2]
    while rate(t, y)[0] <= 0.0:
        half = solve_ivp(rate, (t, 0.5 * (t + solution.t_events[0][0])), y, **TIGHT)
        t, y = half.t[-1], half.y[:, -1]

    def by_v(v, z):
        dy = rate(z[0], np.array([v, *z[1:]]))
        return np.array([1.0, *dy[1:]]) / dy[0]

    end = solve_ivp(by_v, (y[0], e.threshold), np.array([t, *y[1:]]), **TIGHT).y[:, -1]
    return float(end[0]), np.array([e.threshold, *end[1:]]), True


def spike_times(
    model: Any,
    y: Sequence[float],
    stop: float,
    current: Callable[[float], float] = lambda t: 0.0,
    changes: Sequence[float] = (),
    inputs: Sequence[tuple[float, int, float]] = (),
) -> tuple[list[float], np.ndarray]:
    """Spike times (ms) and the final state. `changes` are times at which the current has a kink or a jump; an input
    (time, place in the state, amount) is added to it."""
    e = equations_of(model)
    now, state, release, spikes = 0.0, np.array(y, dtype=float), 0.0, []
    stops = sorted({*changes, *(t for t, _, _ in inputs), stop})
    for end in stops:
        # Just inside, so that the current is that of the present piece.
        middle = 0.5 * (now + end)

        def inside(t, now=now, end=end, middle=middle):
            low, high = now + 1e-12 * (end - now), end - 1e-12 * (end - now)
            return current(min(max(t, low), high)) if high > low else current(middle)

        while now < end:
            if now < release:
                now, state, _ = go(e, state, now, min(release, end), inside, False)
                continue
            now, state, crossed = go(e, state, now, end, inside, True)
            if crossed and now < end:
                spikes.append(now)
                state = e.reset(state)
                release = now + e.t_ref
        for t, place, amount in inputs:
            if t == end and not (place == 0 and e.clamped and end < release):
                state[place] += amount
    return spikes, state
