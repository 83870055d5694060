"""Leaky integrate-and-fire neuron whose inputs jump the membrane potential."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eventsnn._core import lif_delta as kernels
from eventsnn._core.mathfunc import expm1, log1p
from eventsnn.models.base import Model, State, Values


class LIFDelta(Model):
    """Leaky integrate-and-fire neuron with delta synapses (NEST: iaf_psc_delta).

    Equation: tau_m dV/dt = -(V - E_L) + R I_e,  R = tau_m / C_m.  An input of weight w (mV) adds w to V at once, or is
    lost if the neuron is refractory. At V >= V_th the neuron spikes; V is then V_reset for t_ref.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        tau_m   10.0  ms   membrane time constant
        C_m    250.0  pF   capacitance
        E_L    -70.0  mV   resting potential
        V_th   -55.0  mV   threshold
        V_reset -70.0 mV   potential after a spike, below V_th
        t_ref    2.0  ms   refractory period
        I_e      0.0  pA   constant current
    State: V_m (mV), E_L unless given. Port: "delta". Recordable: V_m.

    Source: Lapicque 1907; Brunel 2000, J Comput Neurosci 8:183.
    """

    parameters = {
        "tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0, "I_e": 0.0,
    }  # fmt: skip
    ports = ("delta",)
    state_variables = ("V_m",)
    constant_names = ("E_L", "R", "threshold", "reset", "t_ref", "tau_m")
    instantaneous = True
    kernel = kernels.kernel

    @classmethod
    def constants(cls, values: Values) -> NDArray[np.float64]:
        p = values
        rows = (p["E_L"], p["tau_m"] / p["C_m"], p["V_th"] - p["E_L"], p["V_reset"] - p["E_L"], p["t_ref"], p["tau_m"])
        return np.stack(np.broadcast_arrays(*rows))

    @staticmethod
    def flow(c: Sequence[float], s: State, h: float) -> None:
        tau_m = c[5]
        s.v = s.v + (s.drive - s.v) * -expm1(-h / tau_m)

    @staticmethod
    def hold(c: Sequence[float], s: State, h: float) -> None:
        pass

    @staticmethod
    def crossing(c: Sequence[float], s: State) -> float:
        threshold, tau_m = c[2], c[5]
        if s.v >= threshold:
            return 0.0
        if s.drive <= threshold:
            return math.inf
        return tau_m * log1p((threshold - s.v) / (s.drive - threshold))

    @staticmethod
    def receive(s: State, weights: Sequence[float]) -> None:
        s.v = s.v + weights[0]
