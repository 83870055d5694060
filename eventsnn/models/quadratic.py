"""The quadratic integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsnn._core import quadratic as kernels
from eventsnn.models.base import Values, require
from eventsnn.models.taylor import Series, TaylorModel, square


class QIF(TaylorModel):
    """Quadratic integrate-and-fire neuron with delta synapses: V itself begins a spike, and V_peak only ends it.

    Equation: C_m dV/dt = g_L (V - E_L) (V - V_th) / (V_th - E_L) + I, with I for I_e and all injected currents. Near
    E_L that is a leak of g_L; beyond V_th V rises by itself. From I = g_L (V_th - E_L) / 4 on nothing is stable and
    the neuron fires periodically, as slowly as one likes. An input of weight w (mV) adds w to V at once, or is lost if
    the neuron is refractory. At V >= V_peak the neuron spikes; V is then V_reset for t_ref.

    Under a constant current V is a tangent or hyperbolic tangent of time. It is computed as a Taylor series
    all the same, since other currents leave no such form; the two agree to some `tolerance`.

    Parameters (defaults are those of iaf_psc_delta in NEST where it has them), each a number, an array with one value a
    neuron, or a distribution:
        C_m    250.0  pF   capacitance
        g_L     25.0  nS   leak conductance near E_L
        E_L    -70.0  mV   resting potential
        V_th   -55.0  mV   where V goes neither up nor down without input, above E_L
        V_peak   0.0  mV   threshold, the peak of a spike
        V_reset -70.0 mV   potential after a spike, below V_peak
        t_ref    2.0  ms   refractory period
        I_e      0.0  pA   constant current
        tolerance 1e-12 mV largest error of V in a step of the solution
    State: V_m (mV), E_L unless given. Recordable: V_m. Port: "delta".

    Raises InputError, when the network is compiled, for C_m, g_L or tolerance out of range, V_th not above E_L, V_reset
    not below V_peak, t_ref below 0. A run ends with RunawayError where |V| exceeds 1e6 mV.

    Source: Ermentrout & Kopell 1986, SIAM J Appl Math 46:233; Latham et al. 2000, J Neurophysiol 83:808.
    """

    kernel = kernels.kernel
    parameters = {
        "C_m": 250.0, "g_L": 25.0, "E_L": -70.0, "V_th": -55.0, "V_peak": 0.0, "V_reset": -70.0, "t_ref": 2.0,
        "I_e": 0.0, "tolerance": 1e-12,
    }  # fmt: skip
    ports = ("delta",)
    slots = ()
    targets = (-1,)
    tolerances = ()
    threshold_name = "V_peak"
    positive = {"C_m": "pF", "g_L": "nS"}

    def check(self, values: Values, where: str) -> None:
        super().check(values, where)
        require(values["V_th"] > values["E_L"], values["V_th"], f"{where}: V_th", "must lie above E_L", "mV")

    def own(self, values: Values) -> list[tuple[str, Any]]:
        span = values["V_th"] - values["E_L"]
        return [
            ("g_L / (C_m (V_th - E_L))", values["g_L"] / (values["C_m"] * span)),
            ("E_L", values["E_L"]),
            ("V_th - E_L", span),
        ]

    # ---- equations, for the reference engine

    def extend(self, p: Sequence[float], z: Series, n: int) -> None:
        curvature, E_L, span = p[:3]
        v, x = z.y[0], z.row("x")
        x.append(v[n] - E_L if n == 0 else v[n])
        # At order 0 as a product, which keeps its digits near both of its zeros.
        curve = x[0] * (x[0] - span) if n == 0 else square(x, n) - span * x[n]
        v.append(0.0 if z.held else (curvature * curve + z.force[n]) / (n + 1))
