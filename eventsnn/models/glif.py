"""Generalized leaky integrate-and-fire neurons of five levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.base.mathfunc import exp
from eventsnn.base.errors import InputError
from eventsnn.draw.values import Value, Values
from eventsnn.models.linear import Current, Linear, LinearModel, Membrane, Reset, Threshold

COMMON = {
    "C_m": 58.72, "g": 9.43, "E_L": -78.85, "V_th": -51.68, "t_ref": 3.75, "I_e": 0.0,
    "tau_syn_ex": 2.0, "tau_syn_in": 2.0,
}  # fmt: skip
FIXED_RESET = {"V_reset": -78.85}
RESET_RULES = {
    "voltage_reset_fraction": 0.20, "voltage_reset_add": 18.51, "th_spike_add": 0.37, "th_spike_decay": 0.009,
}  # fmt: skip
AFTER_SPIKE_CURRENTS = {
    "asc_amps_1": -9.18, "asc_amps_2": -198.94, "asc_decay_1": 0.003, "asc_decay_2": 0.1,
    "asc_r_1": 1.0, "asc_r_2": 1.0,
}  # fmt: skip
ADAPTIVE_THRESHOLD = {"th_voltage_index": 0.005, "th_voltage_decay": 0.09}
LEVELS = {
    1: COMMON | FIXED_RESET,
    2: COMMON | RESET_RULES,
    3: COMMON | FIXED_RESET | AFTER_SPIKE_CURRENTS,
    4: COMMON | RESET_RULES | AFTER_SPIKE_CURRENTS,
    5: COMMON | RESET_RULES | AFTER_SPIKE_CURRENTS | ADAPTIVE_THRESHOLD,
}


def growth(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(z), with the same bits on every machine."""
    return np.array([exp(value) for value in z.tolist()])


class GLIF(LinearModel):
    """Generalized leaky integrate-and-fire neuron of level 1 to 5, with alpha-shaped synapses (NEST: glif_psc).

    Equations: C_m dV/dt = -g (V - E_L) + I_e + ASC_1 + ASC_2 + I_syn_ex + I_syn_in,  dASC_j/dt = -asc_decay_j ASC_j;
    threshold = V_th + threshold_spike + threshold_voltage,
    d threshold_spike/dt = -th_spike_decay threshold_spike,
    d threshold_voltage/dt = th_voltage_index (V - E_L) - th_voltage_decay threshold_voltage.
    At V >= threshold the neuron spikes. V and threshold_voltage are held for t_ref, from where
    V - E_L <- voltage_reset_fraction (V - E_L) + voltage_reset_add, or V <- V_reset. When t_ref ends
    ASC_j is asc_r_j exp(-asc_decay_j t_ref) times what it was, plus asc_amps_j, and threshold_spike likewise
    exp(-th_spike_decay t_ref) times what it was, plus th_spike_add; recorded in between, both decay towards this. If V
    is not below the threshold then, the neuron spikes at once. Synapses are those of LIFAlpha.

    level: 1 LIF (V_reset only); 2 LIF-R (reset rules: voltage_reset_*, th_spike_*); 3 LIF-ASC (after-spike currents:
    asc_*); 4 LIF-R-ASC (both); 5 LIF-R-ASC-A (and the adaptive threshold: th_voltage_*). A model has the parameters
    and variables of its level.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        C_m                    58.72  pF   capacitance
        g                       9.43  nS   leak conductance
        E_L                   -78.85  mV   resting potential
        V_th                  -51.68  mV   threshold at rest
        t_ref                   3.75  ms   refractory period
        I_e                     0.0   pA   constant current
        tau_syn_ex              2.0   ms   rise time of port "ex"
        tau_syn_in              2.0   ms   rise time of port "in"
        V_reset               -78.85  mV   potential after a spike (levels 1, 3)
        voltage_reset_fraction  0.2   what a spike leaves of V - E_L (levels 2, 4, 5)
        voltage_reset_add      18.51  mV   what it adds
        th_spike_add            0.37  mV   what it adds to the threshold
        th_spike_decay          0.009 1/ms decay rate of that
        asc_amps_1             -9.18  pA   what a spike adds to ASC_1 (levels 3 to 5); asc_amps_2 -198.94
        asc_decay_1             0.003 1/ms decay rate of ASC_1; asc_decay_2 0.1
        asc_r_1                 1.0   what a spike leaves of ASC_1, a fraction; asc_r_2 1.0
        th_voltage_index        0.005 1/ms how strongly V moves the threshold (level 5)
        th_voltage_decay        0.09  1/ms rate of its return
    State: V_m (mV), E_L unless given; ASC_1, ASC_2, I_syn_ex, I_syn_in (pA), dI_syn_ex, dI_syn_in (pA/ms),
    threshold_spike, threshold_voltage (mV), 0 unless given. All are recordable, and so is V_th, the threshold (mV).

    Source: Teeter et al. 2018, Nat Commun 9:709.
    """

    units = {
        "voltage_reset_add": "mV", "th_spike_add": "mV", "th_spike_decay": "1/ms", "th_voltage_index": "1/ms",
        "th_voltage_decay": "1/ms", "threshold_spike": "mV", "threshold_voltage": "mV",
        "asc_amps_1": "pA", "asc_amps_2": "pA", "asc_decay_1": "1/ms", "asc_decay_2": "1/ms", "ASC_1": "pA",
        "ASC_2": "pA",
    }  # fmt: skip
    positive = {
        "g": "nS", "th_spike_decay": "1/ms", "asc_decay_1": "1/ms", "asc_decay_2": "1/ms", "th_voltage_decay": "1/ms",
    }  # fmt: skip

    def __init__(self, level: int = 5, **parameters: Value):
        if isinstance(level, bool) or not isinstance(level, int | np.integer) or level not in LEVELS:
            raise InputError(f"GLIF: level = {level!r} must be one of 1, 2, 3, 4, 5")
        self.level = int(level)
        self.parameters = LEVELS[self.level]
        super().__init__(**parameters)

    def __repr__(self) -> str:
        name, _, rest = super().__repr__().partition("(")
        return f"{name}(level={self.level}{', ' if rest != ')' else ''}{rest}"

    def equations(self, p: Values) -> Linear:
        resets, currents, adapts = self.level in (2, 4, 5), self.level >= 3, self.level == 5
        to = (
            Reset(p["voltage_reset_fraction"], p["voltage_reset_add"])
            if resets
            else Reset(scale=0.0, jump=p["V_reset"] - p["E_L"])
        )
        parts = [Current(f"I_syn_{port}", p[f"tau_syn_{port}"], port, alpha=True) for port in ("ex", "in")]
        thresholds = []
        if currents:
            for j in (1, 2):
                decay = p[f"asc_decay_{j}"]
                # What is worth asc_amps at the end of refractoriness.
                jump = p[f"asc_amps_{j}"] * growth(decay * p["t_ref"])
                parts.append(Current(f"ASC_{j}", 1.0 / decay, reset=Reset(p[f"asc_r_{j}"], jump)))
        if resets:
            decay = p["th_spike_decay"]
            jump = p["th_spike_add"] * growth(decay * p["t_ref"])
            thresholds.append(Threshold("threshold_spike", 1.0 / decay, reset=Reset(jump=jump)))
        if adapts:
            thresholds.append(Threshold("threshold_voltage", 1.0 / p["th_voltage_decay"], p["th_voltage_index"]))
        return Linear(Membrane(p["C_m"] / p["g"], p["C_m"], p["E_L"], p["V_th"], p["t_ref"], to), parts, thresholds)
