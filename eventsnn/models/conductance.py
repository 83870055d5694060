"""Leaky integrate-and-fire neurons with conductance synapses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from eventsnn._core import conductance as kernels
from eventsnn._core.mathfunc import exp
from eventsnn.models.base import State, Values
from eventsnn.models.taylor import INVERSE, Series, TaylorModel, product

# How much more the decay of a conductance counts than the conductance itself in how far a series reaches. What is cut
# off is then less than the tolerance, or at worst 1.4 times as much (50 mV from the reversal potential).
WEIGHT_OF_DECAY = 3.0


class LIFCondExp(TaylorModel):
    """Leaky integrate-and-fire neuron with exponential conductances (NEST: iaf_cond_exp).

    Equations: C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I,  dg/dt = -g / tau_syn.  An input of
    weight w (nS) adds |w| to g_ex, or to g_in if w < 0 or it is sent to port "in". At V >= V_th the neuron spikes; V is
    then V_reset for t_ref, while the conductances go on decaying and receiving.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        C_m     250.0  pF   capacitance
        g_L     16.6667 nS  leak conductance
        E_L     -70.0  mV   resting potential
        V_th    -55.0  mV   threshold
        V_reset -60.0  mV   potential after a spike, below V_th
        t_ref     2.0  ms   refractory period
        I_e       0.0  pA   constant current
        E_ex      0.0  mV   reversal potential of g_ex
        E_in    -85.0  mV   reversal potential of g_in
        tau_syn_ex 0.2 ms   time constant of g_ex
        tau_syn_in 2.0 ms   time constant of g_in
        tolerance 1e-12 mV  largest error of V in a step of the solution
    State: V_m (mV), E_L unless given; g_ex, g_in (nS), 0 unless given. All are recordable. Ports: "ex", "in".

    Source: Meffin, Burkitt & Grayden 2004, J Comput Neurosci 16:159.
    """

    kernel = kernels.kernel
    parameters = {
        "C_m": 250.0, "g_L": 16.6667, "E_L": -70.0, "V_th": -55.0, "V_reset": -60.0, "t_ref": 2.0, "I_e": 0.0,
        "E_ex": 0.0, "E_in": -85.0, "tau_syn_ex": 0.2, "tau_syn_in": 2.0, "tolerance": 1e-12,
    }  # fmt: skip
    ports = ("ex", "in")
    slots: tuple[str, ...] = ("g_ex", "g_in")
    targets: tuple[int, ...] = (0, 1)
    tolerances: tuple[float, ...] = (1.0, 1.0)
    magnitudes = True
    positive = {"C_m": "pF", "g_L": "nS"}

    def own(self, values: Values) -> list[tuple[str, Any]]:
        C_m, alpha = values["C_m"], len(self.slots) == 4
        tau_ex, tau_in = values["tau_syn_ex"], values["tau_syn_in"]
        return [
            ("g_L / C_m", values["g_L"] / C_m), ("E_L", values["E_L"]), ("1 / C_m", 1.0 / C_m),
            ("E_ex", values["E_ex"]), ("E_in", values["E_in"]), ("1 / tau_syn_ex", 1.0 / tau_ex),
            ("1 / tau_syn_in", 1.0 / tau_in), ("peak of g_ex", tau_ex / math.e if alpha else 0.0),
            ("peak of g_in", tau_in / math.e if alpha else 0.0),
        ]  # fmt: skip

    # ---- equations, for the reference engine

    def reach(self, p: Sequence[float], s: State) -> float:
        rate_l, _, per_c, _, _, rate_ex, rate_in, peak_ex, peak_in = p[:9]
        most_ex, most_in = s.x[0], s.x[1]
        if len(s.x) == 4:
            most_ex, most_in = most_ex + peak_ex * s.x[2], most_in + peak_in * s.x[3]
        decay = max(rate_ex if most_ex > 0.0 else 0.0, rate_in if most_in > 0.0 else 0.0)
        return 1.0 / (rate_l + per_c * (most_ex + most_in) + WEIGHT_OF_DECAY * decay)

    def decayed(self, p: Sequence[float], x: Sequence[float], h: float) -> list[float]:
        rate_ex, rate_in = p[5:7]
        left_ex, left_in = exp(-rate_ex * h), exp(-rate_in * h)
        if len(x) == 2:
            return [x[0] * left_ex, x[1] * left_in]
        return [(x[0] + x[2] * h) * left_ex, (x[1] + x[3] * h) * left_in, x[2] * left_ex, x[3] * left_in]

    def extend(self, p: Sequence[float], z: Series, n: int) -> None:
        rate_l, E_L, per_c, E_ex, E_in, rate_ex, rate_in, _, _ = p[:9]
        v, g_ex, g_in = z.y[:3]
        if z.held:
            v.append(0.0)
        else:
            above = v[n] - E_L if n == 0 else v[n]
            g = z.row("g")
            g.append(g_ex[n] + g_in[n])
            pulled = product(v, g, n) - (g_ex[n] * E_ex + g_in[n] * E_in)
            v.append(((-rate_l * above - per_c * pulled) + z.force[n]) * INVERSE[n + 1])
        change_ex, change_in = -rate_ex * g_ex[n], -rate_in * g_in[n]
        if len(z.y) == 5:
            dg_ex, dg_in = z.y[3:]
            change_ex, change_in = change_ex + dg_ex[n], change_in + dg_in[n]
            dg_ex.append(-rate_ex * dg_ex[n] * INVERSE[n + 1])
            dg_in.append(-rate_in * dg_in[n] * INVERSE[n + 1])
        g_ex.append(change_ex * INVERSE[n + 1])
        g_in.append(change_in * INVERSE[n + 1])


class LIFCondAlpha(LIFCondExp):
    """Leaky integrate-and-fire neuron with alpha-shaped conductances (NEST: iaf_cond_alpha).

    Equations: C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I,  dg/dt = -g / tau_syn + dg,
    d(dg)/dt = -dg / tau_syn.  An input of weight w (nS) adds |w| e / tau_syn to dg_ex (nS/ms), or to dg_in if w < 0
    or it is sent to port "in", so that one input gives g(t) = |w| e (t / tau) exp(-t / tau), with its peak w at tau.
    At V >= V_th the neuron spikes; V is then V_reset for t_ref, while the conductances go on.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        C_m     250.0  pF   capacitance
        g_L     16.6667 nS  leak conductance
        E_L     -70.0  mV   resting potential
        V_th    -55.0  mV   threshold
        V_reset -60.0  mV   potential after a spike, below V_th
        t_ref     2.0  ms   refractory period
        I_e       0.0  pA   constant current
        E_ex      0.0  mV   reversal potential of g_ex
        E_in    -85.0  mV   reversal potential of g_in
        tau_syn_ex 0.2 ms   rise time of g_ex
        tau_syn_in 2.0 ms   rise time of g_in
        tolerance 1e-12 mV  largest error of V in a step of the solution
    State: V_m (mV), E_L unless given; g_ex, g_in (nS) and dg_ex, dg_in (nS/ms), 0 unless given. All are recordable.
    Ports: "ex", "in".

    Source: Meffin, Burkitt & Grayden 2004, J Comput Neurosci 16:159; Kuhn, Aertsen & Rotter 2004, J Neurosci 24:2345.
    """

    slots = ("g_ex", "g_in", "dg_ex", "dg_in")
    targets = (2, 3)
    tolerances = (1.0, 1.0, 1.0, 1.0)

    def scales(self, values: Values) -> list[Any]:
        return [math.e / values["tau_syn_ex"], math.e / values["tau_syn_in"]]
