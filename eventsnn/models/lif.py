"""Integrate-and-fire neurons with a constant threshold and a fixed reset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsnn.base.checks import require_order
from eventsnn.base.errors import InputError
from eventsnn.draw.values import Value, Values
from eventsnn.models.linear import Current, Linear, LinearModel, Membrane, Reset

NEST_DEFAULTS = {
    "tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0, "I_e": 0.0,
}  # fmt: skip


def membrane(p: Values, port: str | None = None, leaks: bool = True) -> Membrane:
    """A membrane that a spike sets to V_reset."""
    to = Reset(scale=0.0, jump=p["V_reset"] - p["E_L"])
    return Membrane(p["tau_m"] if leaks else None, p["C_m"], p["E_L"], p["V_th"], p["t_ref"], to, port=port)


class PortsModel(LinearModel):
    """A model whose current ports are chosen by name; port p has the time constant tau_syn_p."""

    defaults: dict[str, float]
    taus: dict[str, float] = {}  # where the default is not 2 ms

    def __init__(self, ports: Sequence[str] = ("ex", "in"), **parameters: Value):
        if not isinstance(ports, str):
            require_order(ports, f"{type(self).__name__}: ports", "a list of names")
        names: list[Any] = [ports] if isinstance(ports, str) else list(ports)
        for name in names:
            if not isinstance(name, str) or not name.isidentifier():
                raise InputError(f"{type(self).__name__}: port {name!r} must be a name of letters, digits and _")
        self.synapses = tuple(names)
        self.parameters = self.defaults | {f"tau_syn_{port}": self.taus.get(port, 2.0) for port in self.synapses}
        super().__init__(**parameters)

    def __repr__(self) -> str:
        if self.synapses == ("ex", "in"):
            return super().__repr__()
        name, _, rest = super().__repr__().partition("(")
        return f"{name}(ports={self.synapses!r}{', ' if rest != ')' else ''}{rest}"

    def synaptic(self, p: Values, alpha: bool = False) -> list[Current]:
        return [Current(f"I_syn_{port}", p[f"tau_syn_{port}"], port, alpha) for port in self.synapses]


class LIFDelta(LinearModel):
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

    parameters = NEST_DEFAULTS

    def equations(self, p: Values) -> Linear:
        return Linear(membrane(p, port="delta"))


class LIFExp(PortsModel):
    """Leaky integrate-and-fire neuron with exponential current synapses (NEST: iaf_psc_exp, iaf_psc_exp_multisynapse).

    Equations: tau_m dV/dt = -(V - E_L) + R (I_e + sum of I_syn_k),  R = tau_m / C_m,
    tau_syn_k dI_syn_k/dt = -I_syn_k.  An input of weight w (pA) adds w to the current of its port: "ex" or "in" as
    named, or by the sign of the weight (a weight of zero goes to "ex"). At V >= V_th the neuron spikes; V is then
    V_reset for t_ref, while the currents go on decaying and receiving. The time constants may be equal, nearly equal
    or in any order. `ports` names any other set of ports, for example LIFExp(ports=("ampa", "nmda", "gaba"),
    tau_syn_nmda=100.0); each has its parameter tau_syn_<port> and state I_syn_<port>.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        tau_m       10.0  ms   membrane time constant
        C_m        250.0  pF   capacitance
        E_L        -70.0  mV   resting potential
        V_th       -55.0  mV   threshold
        V_reset    -70.0  mV   potential after a spike, below V_th
        t_ref        2.0  ms   refractory period
        I_e          0.0  pA   constant current
        tau_syn_ex   2.0  ms   time constant of port "ex"
        tau_syn_in   2.0  ms   time constant of port "in"
    State: V_m (mV), E_L unless given; I_syn_ex, I_syn_in (pA), 0 unless given. All three are recordable.

    Source: Tsodyks, Uziel & Markram 2000, J Neurosci 20:RC50; Rotter & Diesmann 1999, Biol Cybern 81:381.
    """

    defaults = NEST_DEFAULTS

    def equations(self, p: Values) -> Linear:
        return Linear(membrane(p), self.synaptic(p))


class LIFAlpha(PortsModel):
    """Leaky integrate-and-fire neuron with alpha-shaped current synapses (NEST: iaf_psc_alpha).

    Equations: tau_m dV/dt = -(V - E_L) + R (I_e + sum of I_syn_k),  R = tau_m / C_m,
    dI_syn_k/dt = -I_syn_k / tau_syn_k + dI_syn_k,  d(dI_syn_k)/dt = -dI_syn_k / tau_syn_k.  An input of weight w (pA)
    adds w e / tau_syn_k to dI_syn_k (pA/ms), so that one input gives I(t) = w e (t / tau) exp(-t / tau), which has its
    peak, w, at tau. Ports, reset and refractoriness are those of LIFExp, `ports` included.

    Parameters (defaults are NEST's), each a number, an array with one value a neuron, or a distribution:
        tau_m       10.0  ms   membrane time constant
        C_m        250.0  pF   capacitance
        E_L        -70.0  mV   resting potential
        V_th       -55.0  mV   threshold
        V_reset    -70.0  mV   potential after a spike, below V_th
        t_ref        2.0  ms   refractory period
        I_e          0.0  pA   constant current
        tau_syn_ex   2.0  ms   rise time of port "ex"
        tau_syn_in   2.0  ms   rise time of port "in"
    State: V_m (mV), E_L unless given; I_syn_ex, I_syn_in (pA) and dI_syn_ex, dI_syn_in (pA/ms), 0 unless given. All
    are recordable.

    Source: Rall 1967, J Neurophysiol 30:1138; Rotter & Diesmann 1999, Biol Cybern 81:381.
    """

    defaults = NEST_DEFAULTS

    def equations(self, p: Values) -> Linear:
        return Linear(membrane(p), self.synaptic(p, alpha=True))


class IF(PortsModel):
    """Perfect integrate-and-fire neuron: no leak, exponential current synapses and delta synapses.

    Equations: C_m dV/dt = I_e + sum of I_syn_k,  tau_syn_k dI_syn_k/dt = -I_syn_k.  An input of weight w adds w (pA)
    to the current of its port, or w (mV) to V at once at port "delta" (lost if the neuron is refractory). Without a
    leak V keeps what it was given for ever. At V >= V_th the neuron spikes; V is then V_reset for t_ref. `ports` names
    the currents as in LIFExp.

    Parameters (defaults are those of LIFExp), each a number, an array with one value a neuron, or a distribution:
        C_m        250.0  pF   capacitance
        E_L        -70.0  mV   initial potential
        V_th       -55.0  mV   threshold
        V_reset    -70.0  mV   potential after a spike, below V_th
        t_ref        2.0  ms   refractory period
        I_e          0.0  pA   constant current
        tau_syn_ex   2.0  ms   time constant of port "ex"
        tau_syn_in   2.0  ms   time constant of port "in"
    State: V_m (mV), E_L unless given; I_syn_ex, I_syn_in (pA), 0 unless given. All three are recordable. Ports: "ex",
    "in", "delta".

    Source: Lapicque 1907; Gerstein & Mandelbrot 1964, Biophys J 4:41.
    """

    defaults = {name: value for name, value in NEST_DEFAULTS.items() if name != "tau_m"}

    def equations(self, p: Values) -> Linear:
        return Linear(membrane(p, port="delta", leaks=False), self.synaptic(p))
