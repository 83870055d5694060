"""Neurons whose spikes begin as an exponential, with and without adaptation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsnn._core.models import exponential as kernels
from eventsnn._core.models.exponential import (
    E_EX,
    E_IN,
    E_L,
    PER_C,
    PER_DELTA,
    RATE_EX,
    RATE_IN,
    RATE_L,
    RATE_W,
    UPSTROKE,
    V_T,
    A,
)
from eventsnn.base.errors import InputError
from eventsnn.draw.values import Values
from eventsnn.models.taylor import TaylorModel
from eventsnn.solve.series import Series, beginning, exponential, product

# (V_peak - V_th) / Delta_T: with more, V rises faster than time is resolved, and terms of its series overflow.
STEEPEST = 40.0


class EIF(TaylorModel):
    """Exponential integrate-and-fire neuron with exponential conductances.

    Equations: C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th) / Delta_T) - g_ex (V - E_ex) - g_in (V - E_in)
    + I,  dg/dt = -g / tau_syn.  An input of weight w (nS) adds |w| to g_ex, or to g_in if w < 0 or it is sent to port
    "in". At V >= V_peak the neuron spikes; V is then V_reset for t_ref.

    Parameters (defaults are those of AdEx), each a number, an array with one value a neuron, or a distribution:
        C_m     281.0  pF   capacitance
        g_L      30.0  nS   leak conductance
        E_L     -70.6  mV   resting potential
        V_th    -50.4  mV   where the exponential takes over
        Delta_T   2.0  mV   how sharply it does
        V_peak    0.0  mV   threshold, the peak of a spike; at most 40 Delta_T above V_th
        V_reset -60.0  mV   potential after a spike, below V_peak
        t_ref     0.0  ms   refractory period
        I_e       0.0  pA   constant current
        E_ex      0.0  mV   reversal potential of g_ex
        E_in    -85.0  mV   reversal potential of g_in
        tau_syn_ex 0.2 ms   time constant of g_ex
        tau_syn_in 2.0 ms   time constant of g_in
        tolerance 1e-12 mV  largest error of V in a step of the solution
    State: V_m (mV), E_L unless given; g_ex, g_in (nS), 0 unless given. All are recordable. Ports: "ex", "in".

    Source: Fourcaud-Trocme et al. 2003, J Neurosci 23:11628.
    """

    kernel = kernels.kernel
    parameters = {
        "C_m": 281.0, "g_L": 30.0, "E_L": -70.6, "V_th": -50.4, "Delta_T": 2.0, "V_peak": 0.0, "V_reset": -60.0,
        "t_ref": 0.0, "I_e": 0.0, "E_ex": 0.0, "E_in": -85.0, "tau_syn_ex": 0.2, "tau_syn_in": 2.0, "tolerance": 1e-12,
    }  # fmt: skip
    ports = ("ex", "in")
    slots: tuple[str, ...] = ("g_ex", "g_in")
    targets = (0, 1)
    tolerances: tuple[float, ...] = (1.0, 1.0)
    magnitudes = True
    threshold_name = "V_peak"
    units = {"Delta_T": "mV", "tolerance": "mV"}
    positive = {"C_m": "pF", "g_L": "nS", "Delta_T": "mV"}

    def check(self, values: Values, where: str) -> None:
        super().check(values, where)
        steepness = (values["V_peak"] - values["V_th"]) / values["Delta_T"]
        if not (steepness <= STEEPEST).all():
            raise InputError(
                f"{where}: V_peak = {values['V_peak'].flat[0]:g} mV lies more than {STEEPEST:g} Delta_T above V_th, "
                "where V would rise faster than time is resolved; lower V_peak"
            )

    def own(self, values: Values) -> dict[int, tuple[str, Any]]:
        C_m, g_L, Delta_T = values["C_m"], values["g_L"], values["Delta_T"]
        return {
            RATE_L: ("g_L / C_m", g_L / C_m),
            E_L: ("E_L", values["E_L"]),
            V_T: ("V_th", values["V_th"]),
            PER_DELTA: ("1 / Delta_T", 1.0 / Delta_T),
            UPSTROKE: ("g_L Delta_T / C_m", g_L * Delta_T / C_m),
            PER_C: ("1 / C_m", 1.0 / C_m),
            E_EX: ("E_ex", values["E_ex"]),
            E_IN: ("E_in", values["E_in"]),
            RATE_EX: ("1 / tau_syn_ex", 1.0 / values["tau_syn_ex"]),
            RATE_IN: ("1 / tau_syn_in", 1.0 / values["tau_syn_in"]),
            **self.adaptation(values),
        }

    def adaptation(self, values: Values) -> dict[int, tuple[str, Any]]:
        return {A: ("a", 0.0), RATE_W: ("1 / tau_w", 0.0)}

    # ---- equations, for the reference engine

    def extend(self, p: Sequence[float], z: Series, n: int) -> None:
        v, g_ex, g_in = z.y[:3]
        above = v[n] - p[E_L] if n == 0 else v[n]
        if z.held:
            v.append(0.0)
        else:
            changes, e, g = z.row("changes"), z.row("e"), z.row("g")
            changes.append(n * v[n])
            e.append(exponential(changes, p[PER_DELTA], e, n) if n > 0 else beginning((v[0] - p[V_T]) * p[PER_DELTA]))
            g.append(g_ex[n] + g_in[n])
            pulled = product(g, v, n) - (g_ex[n] * p[E_EX] + g_in[n] * p[E_IN])
            if len(z.y) == 4:
                pulled = pulled + z.y[3][n]
            v.append((((p[UPSTROKE] * e[n] - p[RATE_L] * above) - p[PER_C] * pulled) + z.force[n]) / (n + 1))
        g_ex.append(-p[RATE_EX] * g_ex[n] / (n + 1))
        g_in.append(-p[RATE_IN] * g_in[n] / (n + 1))
        if len(z.y) == 4:
            w = z.y[3]
            w.append(p[RATE_W] * (p[A] * above - w[n]) / (n + 1))


class AdEx(EIF):
    """Adaptive exponential integrate-and-fire neuron with exponential conductances (NEST: aeif_cond_exp).

    Equations: C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th) / Delta_T) - w - g_ex (V - E_ex)
    - g_in (V - E_in) + I,  tau_w dw/dt = a (V - E_L) - w,  dg/dt = -g / tau_syn.  An input of weight w (nS) adds |w| to
    g_ex, or to g_in if w < 0 or it is sent to port "in". At V >= V_peak the neuron spikes: V <- V_reset, w <- w + b; V
    is then held for t_ref.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        C_m     281.0  pF   capacitance
        g_L      30.0  nS   leak conductance
        E_L     -70.6  mV   resting potential
        V_th    -50.4  mV   where the exponential takes over
        Delta_T   2.0  mV   how sharply it does
        V_peak    0.0  mV   threshold, the peak of a spike; at most 40 Delta_T above V_th
        V_reset -60.0  mV   potential after a spike, below V_peak
        t_ref     0.0  ms   refractory period
        a         4.0  nS   how strongly V drives w
        b        80.5  pA   what a spike adds to w
        tau_w   144.0  ms   time constant of w
        I_e       0.0  pA   constant current
        E_ex      0.0  mV   reversal potential of g_ex
        E_in    -85.0  mV   reversal potential of g_in
        tau_syn_ex 0.2 ms   time constant of g_ex
        tau_syn_in 2.0 ms   time constant of g_in
        tolerance 1e-12 mV  largest error of V in a step of the solution
    State: V_m (mV), E_L unless given; g_ex, g_in (nS) and w (pA), 0 unless given. All are recordable. Ports: "ex"
    and "in".

    Source: Brette & Gerstner 2005, J Neurophysiol 94:3637.
    """

    units = {**EIF.units, "a": "nS", "b": "pA", "w": "pA"}
    parameters = {**EIF.parameters, "a": 4.0, "b": 80.5, "tau_w": 144.0}
    slots = ("g_ex", "g_in", "w")
    tolerances = (1.0, 1.0, 1.0)

    def jumps(self, values: Values) -> list[Any]:
        return [0.0, 0.0, values["b"]]

    def adaptation(self, values: Values) -> dict[int, tuple[str, Any]]:
        return {A: ("a", values["a"]), RATE_W: ("1 / tau_w", 1.0 / values["tau_w"])}
