"""Generalized linear integrate-and-fire neuron."""

from __future__ import annotations

import numpy as np

from eventsnn.base.errors import InputError
from eventsnn.draw.values import Values
from eventsnn.models.linear import Current, Linear, LinearModel, Membrane, Reset, Threshold


class MihalasNiebur(LinearModel):
    """Generalized linear integrate-and-fire neuron with spike-induced currents and a threshold that follows V.

    Equations: C_m dV/dt = I_e + I_1 + I_2 + I_syn_ex + I_syn_in - g (V - E_L),  dI_j/dt = -k_j I_j,
    dTheta/dt = a (V - E_L) - b (Theta - Theta_inf).  At V >= Theta the neuron spikes: I_j <- R_j I_j + A_j,
    V <- V_reset, Theta <- max(Theta_reset, Theta); V and Theta are then held for t_ref. An input of weight w (pA) adds
    w to the current I_syn of its port, "ex" or "in", which decays with tau_syn.

    Parameters (defaults are those of the paper's table 1, tonic spiking but for a current; with C_m = 1 pF its V/s are
    pA), each a number, an array with one value a neuron, or a distribution:
        C_m           1.0  pF   capacitance
        g             0.05 nS   leak conductance
        E_L         -70.0  mV   resting potential
        V_reset     -70.0  mV   potential after a spike, below Theta_reset
        Theta_inf   -50.0  mV   threshold at rest
        Theta_reset -60.0  mV   lowest threshold after a spike
        a             0.0  1/ms how strongly V moves the threshold
        b             0.01 1/ms rate of the threshold's return
        k_1           0.2  1/ms decay rate of I_1
        k_2           0.02 1/ms decay rate of I_2
        R_1           0.0  what a spike leaves of I_1, a fraction
        R_2           1.0  what a spike leaves of I_2, a fraction
        A_1           0.0  pA   what a spike adds to I_1
        A_2           0.0  pA   what a spike adds to I_2
        t_ref         0.0  ms   refractory period
        I_e           0.0  pA   constant current
        tau_syn_ex    2.0  ms   time constant of port "ex"
        tau_syn_in    2.0  ms   time constant of port "in"
    State: V_m (mV), E_L unless given; I_1, I_2, I_syn_ex, I_syn_in (pA), 0 unless given; Theta (mV), Theta_inf unless
    given. All are recordable; V_th is another name of Theta there.

    Source: Mihalas & Niebur 2009, Neural Comput 21:704.
    """

    parameters = {
        "C_m": 1.0, "g": 0.05, "E_L": -70.0, "V_reset": -70.0, "Theta_inf": -50.0, "Theta_reset": -60.0, "a": 0.0,
        "b": 0.01, "k_1": 0.2, "k_2": 0.02, "R_1": 0.0, "R_2": 1.0, "A_1": 0.0, "A_2": 0.0, "t_ref": 0.0, "I_e": 0.0,
        "tau_syn_ex": 2.0, "tau_syn_in": 2.0,
    }  # fmt: skip
    units = {
        "Theta_inf": "mV", "Theta_reset": "mV", "Theta": "mV", "a": "1/ms", "b": "1/ms", "k_1": "1/ms", "k_2": "1/ms",
        "A_1": "pA", "A_2": "pA",
    }  # fmt: skip
    positive = {"g": "nS", "b": "1/ms", "k_1": "1/ms", "k_2": "1/ms"}

    def check(self, values: Values, where: str) -> None:
        super().check(values, where)
        reset, threshold = np.broadcast_arrays(values["V_reset"], values["Theta_reset"])
        if not (reset < threshold).all():
            i = int(np.argmin(reset < threshold))
            raise InputError(
                f"{where}: V_reset = {reset[i]:g} mV must lie below Theta_reset = {threshold[i]:g} mV"
                + (f" (neuron {i})" if reset.size > 1 else "")
            )

    def equations(self, p: Values) -> Linear:
        to = Reset(scale=0.0, jump=p["V_reset"] - p["E_L"])
        return Linear(
            Membrane(p["C_m"] / p["g"], p["C_m"], p["E_L"], p["Theta_inf"], p["t_ref"], to),
            [
                Current("I_1", 1.0 / p["k_1"], reset=Reset(p["R_1"], p["A_1"])),
                Current("I_2", 1.0 / p["k_2"], reset=Reset(p["R_2"], p["A_2"])),
                Current("I_syn_ex", p["tau_syn_ex"], "ex"),
                Current("I_syn_in", p["tau_syn_in"], "in"),
            ],
            [Threshold("Theta", 1.0 / p["b"], p["a"], Reset(lowest=p["Theta_reset"] - p["Theta_inf"]), p["Theta_inf"])],
        )
