"""Multi-timescale adaptive threshold."""

from __future__ import annotations

from eventsnn.draw.values import Values
from eventsnn.models.linear import Current, Linear, LinearModel, Membrane, Reset, Threshold


class MAT2(LinearModel):
    """Neuron with a non-resetting potential and a multi-timescale adaptive threshold (NEST: mat2_psc_exp).

    Equations: tau_m dV/dt = -(V - E_L) + R (I_e + I_syn_ex + I_syn_in),  R = tau_m / C_m;
    threshold = omega + V_th_alpha_1 + V_th_alpha_2,  tau_k dV_th_alpha_k/dt = -V_th_alpha_k.  At V >= threshold the
    neuron spikes: V_th_alpha_k += alpha_k, V is not reset. For t_ref after a spike it cannot spike again, while V and
    all else go on; if V is above the threshold when t_ref ends it spikes at once. An input of weight w (pA) adds w to
    the current of its port, "ex" or "in".

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        tau_m        5.0  ms   membrane time constant
        C_m        100.0  pF   capacitance
        E_L        -70.0  mV   resting potential
        t_ref        2.0  ms   refractory period
        I_e          0.0  pA   constant current
        tau_syn_ex   1.0  ms   time constant of port "ex"
        tau_syn_in   3.0  ms   time constant of port "in"
        tau_1       10.0  ms   short time constant of the threshold
        tau_2      200.0  ms   long time constant of the threshold
        alpha_1     37.0  mV   what a spike adds to its short part
        alpha_2      2.0  mV   what a spike adds to its long part
        omega      -51.0  mV   threshold at rest (absolute; the paper counts from E_L, 19 mV)
    State: V_m (mV), E_L unless given; I_syn_ex, I_syn_in (pA) and V_th_alpha_1, V_th_alpha_2 (mV), 0 unless given. All
    are recordable, and so is V_th, the threshold (mV).

    Source: Kobayashi, Tsubo & Shinomoto 2009, Front Comput Neurosci 3:9.
    """

    parameters = {
        "tau_m": 5.0, "C_m": 100.0, "E_L": -70.0, "t_ref": 2.0, "I_e": 0.0, "tau_syn_ex": 1.0, "tau_syn_in": 3.0,
        "tau_1": 10.0, "tau_2": 200.0, "alpha_1": 37.0, "alpha_2": 2.0, "omega": -51.0,
    }  # fmt: skip
    units = {"alpha_1": "mV", "alpha_2": "mV", "omega": "mV"}

    def equations(self, p: Values) -> Linear:
        return Linear(
            Membrane(p["tau_m"], p["C_m"], p["E_L"], p["omega"], p["t_ref"], Reset(), clamped=False),
            [Current("I_syn_ex", p["tau_syn_ex"], "ex"), Current("I_syn_in", p["tau_syn_in"], "in")],
            [
                Threshold("V_th_alpha_1", p["tau_1"], reset=Reset(jump=p["alpha_1"])),
                Threshold("V_th_alpha_2", p["tau_2"], reset=Reset(jump=p["alpha_2"])),
            ],
        )
