"""Hodgkin & Huxley's equations with the rates of Traub & Miles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eventsnn._core.base.mathfunc import exp, expm1
from eventsnn._core.models import hodgkin_huxley as kernels
from eventsnn._core.models.hodgkin_huxley import (
    E_EX,
    E_IN,
    E_K,
    E_L,
    E_NA,
    G_K,
    G_L,
    G_NA,
    PER_C,
    RATE_EX,
    RATE_IN,
    V_T,
)
from eventsnn.base.checks import require
from eventsnn.draw.values import Values
from eventsnn.models.taylor import TaylorModel
from eventsnn.solve.series import Row, Series, beginning, exponential, product, square

# |x| below which x / (exp(x) - 1) is summed up as a series.
NEAR_ZERO = 0.3
# B_2k / (2k)!, k = 1 to 12.
BERNOULLI = [
    1.0 / 12.0, -1.0 / 720.0, 1.0 / 30240.0, -1.0 / 1209600.0, 1.0 / 47900160.0, -691.0 / 1307674368000.0,
    1.0 / 74724249600.0, -3617.0 / 10670622842880000.0, 43867.0 / 5109094217170944000.0,
    -174611.0 / 802857662698291200000.0, 77683.0 / 14101100039391805440000.0,
    -236364091.0 / 1693824136731743669452800000.0,
]  # fmt: skip


class HHTraub(TaylorModel):
    """Hodgkin-Huxley neuron with the rates of Traub & Miles and exponential conductances (NEST: hh_cond_exp_traub).

    Equations: C_m dV/dt = -g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L) - g_ex (V - E_ex)
    - g_in (V - E_in) + I,
    dx/dt = alpha_x (1 - x) - beta_x x for x = m, h, n,  dg/dt = -g / tau_syn.  With U = V - V_T in mV, in 1/ms:
    alpha_m = 0.32 (13 - U) / (exp((13 - U) / 4) - 1),  beta_m = 0.28 (U - 40) / (exp((U - 40) / 5) - 1),
    alpha_h = 0.128 exp((17 - U) / 18),  beta_h = 4 / (1 + exp((40 - U) / 5)),
    alpha_n = 0.032 (15 - U) / (exp((15 - U) / 5) - 1),  beta_n = 0.5 exp((10 - U) / 40).
    An input of weight w (nS) adds |w| to g_ex, or to g_in if w < 0 or it is sent to port "in". When V is at V_th or
    above it the neuron spikes, and it does not spike again for t_ref; nothing is reset, and everything goes on.

    Parameters (defaults are NEST's but for V_th, which NEST does not have), each a number, an array with one value a
    neuron, or a distribution:
        C_m     200.0  pF   capacitance
        g_Na  20000.0  nS   sodium conductance
        g_K    6000.0  nS   potassium conductance
        g_L      10.0  nS   leak conductance
        E_Na     50.0  mV   reversal potential of sodium
        E_K     -90.0  mV   reversal potential of potassium
        E_L     -60.0  mV   reversal potential of the leak
        V_T     -63.0  mV   shifts the rates; about 13 mV below the threshold
        V_th    -20.0  mV   where a spike counts
        t_ref     2.0  ms   no other spike counts for so long; longer than V is above V_th
        I_e       0.0  pA   constant current
        E_ex      0.0  mV   reversal potential of g_ex
        E_in    -80.0  mV   reversal potential of g_in
        tau_syn_ex 5.0 ms   time constant of g_ex
        tau_syn_in 10.0 ms  time constant of g_in
        tolerance 1e-12 mV  largest error of V in a step of the solution
    State: V_m (mV), E_L unless given; Act_m, Inact_h, Act_n, where they would settle at V_m unless given; g_ex, g_in
    (nS), 0 unless given. All are recordable. Ports: "ex", "in".

    Source: Traub & Miles 1991, Neuronal Networks of the Hippocampus; Brette et al. 2007, J Comput Neurosci 23:349,
    benchmark 3.
    """

    kernel = kernels.kernel
    parameters = {
        "C_m": 200.0, "g_Na": 20000.0, "g_K": 6000.0, "g_L": 10.0, "E_Na": 50.0, "E_K": -90.0, "E_L": -60.0,
        "V_T": -63.0, "V_th": -20.0, "t_ref": 2.0, "I_e": 0.0, "E_ex": 0.0, "E_in": -80.0, "tau_syn_ex": 5.0,
        "tau_syn_in": 10.0, "tolerance": 1e-12,
    }  # fmt: skip
    ports = ("ex", "in")
    slots = ("Act_m", "Inact_h", "Act_n", "g_ex", "g_in")
    targets = (3, 4)
    # V follows the gates at up to 1e4 mV/ms.
    tolerances = (1e-3, 1e-3, 1e-3, 1.0, 1.0)
    magnitudes = True
    clamped = False
    resets_V = False
    units = {"tolerance": "mV"}
    positive = {"C_m": "pF", "g_L": "nS"}

    def check(self, values: Values, where: str) -> None:
        super().check(values, where)
        require(values["t_ref"] > 0, values["t_ref"], f"{where}: t_ref",
                "must be positive, since V stays above V_th for a while", "ms")  # fmt: skip
        for name in ("g_Na", "g_K"):
            require(values[name] >= 0, values[name], f"{where}: {name}", "must not be negative", "nS")

    def initial_state(self, values: Values) -> Values:
        V_m = values.get("V_m", values["E_L"])
        alpha, beta = _rates(V_m - values["V_T"])
        gates = {name: alpha[k] / (alpha[k] + beta[k]) for k, name in enumerate(self.slots[:3])}
        return {"V_m": V_m, **gates, "g_ex": np.zeros(1), "g_in": np.zeros(1)}

    def own(self, values: Values) -> dict[int, tuple[str, Any]]:
        C_m = values["C_m"]
        scaled = {G_NA: "g_Na", G_K: "g_K", G_L: "g_L"}
        potentials = {E_NA: "E_Na", E_K: "E_K", E_L: "E_L", E_EX: "E_ex", E_IN: "E_in", V_T: "V_T"}
        inverse = {PER_C: "C_m", RATE_EX: "tau_syn_ex", RATE_IN: "tau_syn_in"}
        return {
            **{place: (f"{name} / C_m", values[name] / C_m) for place, name in scaled.items()},
            **{place: (name, values[name]) for place, name in potentials.items()},
            **{place: (f"1 / {name}", 1.0 / values[name]) for place, name in inverse.items()},
        }

    # ---- equations, for the reference engine

    def extend(self, p: Sequence[float], z: Series, n: int) -> None:
        v, m, h, a, g_ex, g_in = z.y
        _extend_rates(v[0] - p[V_T], z, n)
        alpha_m, alpha_h, alpha_n = 1.28 * z.aux["am"][n], 0.128 * z.aux["ah"][n], 0.16 * z.aux["an"][n]
        sum_m, sum_h, sum_n = z.row("sum m"), z.row("sum h"), z.row("sum n")
        sum_m.append(alpha_m + 1.4 * z.aux["bm"][n])
        sum_h.append(alpha_h + z.aux["bh"][n])
        sum_n.append(alpha_n + 0.5 * z.aux["bn"][n])
        m_2, m_h, n_2, total = z.row("m2"), z.row("mh"), z.row("n2"), z.row("total")
        m_2.append(square(m, n))
        m_h.append(product(m, h, n))
        n_2.append(square(a, n))
        sodium, potassium = p[G_NA] * product(m_2, m_h, n), p[G_K] * square(n_2, n)
        total.append((sodium + potassium) + p[PER_C] * (g_ex[n] + g_in[n]))
        pulled = sodium * p[E_NA] + potassium * p[E_K]
        pulled = pulled + p[PER_C] * (g_ex[n] * p[E_EX] + g_in[n] * p[E_IN])
        pulled = (pulled - product(total, v, n)) - p[G_L] * (v[n] - p[E_L] if n == 0 else v[n])
        v.append((pulled + z.force[n]) / (n + 1))
        m.append((alpha_m - product(sum_m, m, n)) / (n + 1))
        h.append((alpha_h - product(sum_h, h, n)) / (n + 1))
        a.append((alpha_n - product(sum_n, a, n)) / (n + 1))
        g_ex.append(-p[RATE_EX] * g_ex[n] / (n + 1))
        g_in.append(-p[RATE_IN] * g_in[n] / (n + 1))


def _rates(level: Any) -> tuple[list[Any], list[Any]]:
    """alpha and beta of m, h and n at U = V - V_T."""
    e = np.vectorize(exp, otypes=[np.float64])

    def ratio(x: Any) -> Any:
        return np.where(x == 0.0, 1.0, x / np.where(x == 0.0, 1.0, np.vectorize(expm1, otypes=[np.float64])(x)))

    alpha = [1.28 * ratio((13.0 - level) / 4.0), 0.128 * e((17.0 - level) / 18.0), 0.16 * ratio((15.0 - level) / 5.0)]
    beta = [1.4 * ratio((level - 40.0) / 5.0), 4.0 / (1.0 + e((40.0 - level) / 5.0)), 0.5 * e((10.0 - level) / 40.0)]
    return alpha, beta


def _ratio(x_0: float, scale: float, v: Row, e: Row, b: Row, rows: list[Row], n: int) -> float:
    """Order n of b = x / (exp(x) - 1), where e = exp(x) and x = x_0 at first and changes by scale v.

    At 0 a quotient has no digits; there it is b = 1 - x/2 + sum of B_2k x^2k / (2k)!, by Horner's rule for series.
    """
    rows[0].append(x_0 if n == 0 else scale * v[n])
    if abs(x_0) >= NEAR_ZERO:
        total = rows[0][n]
        for i in range(1, n + 1):
            total = total - e[i] * b[n - i]
        return total / (e[0] - 1.0)
    rows[1].append(square(rows[0], n))
    rows[2].append(BERNOULLI[-1] if n == 0 else 0.0)
    for j in range(1, len(BERNOULLI)):
        total = product(rows[1], rows[1 + j], n)
        rows[2 + j].append(total + BERNOULLI[-1 - j] if n == 0 else total)
    total = product(rows[1], rows[-1], n) - 0.5 * rows[0][n]
    return 1.0 + total if n == 0 else total


def _extend_rates(level: float, z: Series, n: int) -> None:
    v, changes = z.y[0], z.row("changes")
    changes.append(n * v[n])
    exponents = {
        "fifth": (0.2, (level - 40.0) * 0.2), "fourth": (-0.25, (13.0 - level) * 0.25),
        "ah": (-1.0 / 18.0, (17.0 - level) * (1.0 / 18.0)), "bn": (-0.025, (10.0 - level) * 0.025),
        "last fifth": (-0.2, (15.0 - level) * 0.2),
    }  # fmt: skip
    for name, (scale, first) in exponents.items():
        e = z.row(name)
        e.append(exponential(changes, scale, e, n) if n > 0 else beginning(first))
    ratios = {
        "am": ((13.0 - level) * 0.25, -0.25, "fourth"), "bm": ((level - 40.0) * 0.2, 0.2, "fifth"),
        "an": ((15.0 - level) * 0.2, -0.2, "last fifth"),
    }  # fmt: skip
    for name, (x_0, scale, of) in ratios.items():
        rows = [z.row((name, j)) for j in range(2 + len(BERNOULLI))]
        z.row(name).append(_ratio(x_0, scale, v, z.aux[of], z.row(name), rows, n))
    e_5, beta_h = z.aux["fifth"], z.row("bh")
    total = 4.0 * e_5[n]
    for i in range(1, n + 1):
        total = total - e_5[i] * beta_h[n - i]
    beta_h.append(total / (1.0 + e_5[0]))
