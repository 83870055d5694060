"""Leaky integrate-and-fire neuron with exponentially decaying synaptic currents."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eventsnn._core import lif_exp as kernels
from eventsnn._core.mathfunc import exp, expm1, log
from eventsnn.models.base import Model, State, Values

# A root is accepted once the function is below this fraction of the potentials it is the difference of.
NOISE = 2.0**-52
# The potential is flat at its maximum: this fraction of the shortest time constant leaves it exact.
PEAK_TOLERANCE = 2.0**-28
MAX_ITERATIONS = 200


class LIFExp(Model):
    """Leaky integrate-and-fire neuron with exponential current synapses (NEST: iaf_psc_exp).

    Equations: tau_m dV/dt = -(V - E_L) + R (I_e + I_syn_ex + I_syn_in),  R = tau_m / C_m,
    tau_syn_k dI_syn_k/dt = -I_syn_k.  An input of weight w (pA) adds w to the current of its port: "ex" or "in" as
    named, or by the sign of the weight (a weight of zero goes to "ex"). At V >= V_th the neuron spikes; V is then
    V_reset for t_ref, while the currents go on decaying and receiving. The time constants may be equal, nearly equal
    or in any order.

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

    parameters = {
        "tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0, "I_e": 0.0,
        "tau_syn_ex": 2.0, "tau_syn_in": 2.0,
    }  # fmt: skip
    ports = ("ex", "in")
    state_variables = ("V_m", "I_syn_ex", "I_syn_in")
    constant_names = (
        "E_L", "R", "threshold", "reset", "t_ref", "tau_m",
        "tau_ex", "slow_ex", "difference_ex", "factor_ex", "tau_in", "slow_in", "difference_in", "factor_in",
    )  # fmt: skip
    instantaneous = False
    kernel = kernels.kernel

    @classmethod
    def constants(cls, values: Values) -> NDArray[np.float64]:
        p = values
        rows = [p["E_L"], p["tau_m"] / p["C_m"], p["V_th"] - p["E_L"], p["V_reset"] - p["E_L"], p["t_ref"], p["tau_m"]]
        for tau in (p["tau_syn_ex"], p["tau_syn_in"]):
            gap = np.abs(p["tau_m"] - tau)
            rows += [tau, np.maximum(p["tau_m"], tau), gap / (p["tau_m"] * tau), tau / np.where(gap > 0, gap, np.inf)]
        return np.stack(np.broadcast_arrays(*rows))

    @staticmethod
    def flow(c: Sequence[float], s: State, h: float) -> None:
        s.v = potential(c, s, h)
        s.current[0] = s.current[0] * exp(-h / c[6])
        s.current[1] = s.current[1] * exp(-h / c[10])

    @staticmethod
    def hold(c: Sequence[float], s: State, h: float) -> None:
        s.current[0] = s.current[0] * exp(-h / c[6])
        s.current[1] = s.current[1] * exp(-h / c[10])

    @staticmethod
    def receive(s: State, weights: Sequence[float]) -> None:
        s.current[0] = s.current[0] + weights[0]
        s.current[1] = s.current[1] + weights[1]

    @staticmethod
    def crossing(c: Sequence[float], s: State) -> float:
        """First zero of V - threshold. V' exp(s/tau_m) is monotone on either side of the zero of
        I_ex/tau_ex exp(-s/tau_ex) + I_in/tau_in exp(-s/tau_in), a single logarithm; so V has at most one maximum on
        either side, and between these V is monotone and a bracketed Newton finds the crossing."""
        threshold = c[2]
        if s.v >= threshold:
            return 0.0
        if s.drive + c[1] * (max(s.current[0], 0.0) + max(s.current[1], 0.0)) <= threshold:
            return math.inf
        split = turning_point(c, s)
        if split > 0.0:
            h = search(c, s, 0.0, split)
            if h < math.inf:
                return h
        return search(c, s, split, math.inf)


def response(c: Sequence[float], port: int, h: float) -> float:
    """V/R that a current of 1 at time 0 has caused after h: (exp(-h/tau_m) - exp(-h/tau)) tau / (tau_m - tau), in a
    form that needs no difference of nearly equal numbers."""
    tau, slow, difference, factor = c[6 + 4 * port : 10 + 4 * port]
    if difference == 0.0:
        return exp(-h / slow) * (h / tau)
    return exp(-h / slow) * (-expm1(-h * difference) * factor)


def potential(c: Sequence[float], s: State, h: float) -> float:
    synaptic = 0.0
    for port in (0, 1):
        if s.current[port] != 0.0:
            synaptic = synaptic + s.current[port] * response(c, port, h)
    return s.v + ((s.drive - s.v) * -expm1(-h / c[5]) + c[1] * synaptic)


def synaptic_currents(c: Sequence[float], s: State, h: float) -> tuple[float, float]:
    return s.current[0] * exp(-h / c[6]), s.current[1] * exp(-h / c[10])


def slope(c: Sequence[float], s: State, h: float) -> float:
    """tau_m V'(h), in mV."""
    ex, in_ = synaptic_currents(c, s, h)
    return (s.drive - potential(c, s, h)) + c[1] * (ex + in_)


def turning_point(c: Sequence[float], s: State) -> float:
    """Where d/ds (V' exp(s/tau_m)) changes sign; 0 if nowhere after now."""
    ex, in_ = s.current
    tau_ex, tau_in = c[6], c[10]
    if tau_ex == tau_in or not ex * in_ < 0.0:
        return 0.0
    split = log(-(ex / tau_ex) / (in_ / tau_in)) * (tau_ex * tau_in / (tau_in - tau_ex))
    return split if 0.0 < split < math.inf else 0.0


def search(c: Sequence[float], s: State, low: float, end: float) -> float:
    """First crossing in [low, end], V below the threshold at low and with at most one extremum; inf if none.

    The search goes outward in growing strides: far out all exponentials are 0 and hide a maximum that came before.
    """
    threshold = c[2]
    certain = end == math.inf and s.drive > threshold
    rising = slope(c, s, low) > 0.0
    if end == math.inf and not certain and not rising:
        return math.inf
    width = c[5]
    while True:
        high = min(low + width, end)
        if high == math.inf:
            return math.inf
        if potential(c, s, high) >= threshold:
            return root(c, s, low, high)
        if rising and slope(c, s, high) < 0.0:
            top = peak(c, s, low, high)
            return root(c, s, low, top) if potential(c, s, top) >= threshold else math.inf
        if high == end:
            return math.inf
        ex, in_ = synaptic_currents(c, s, high)
        if s.drive + c[1] * (max(ex, 0.0) + max(in_, 0.0)) <= threshold:
            return math.inf
        width = 2.0 * width


def root(c: Sequence[float], s: State, low: float, high: float) -> float:
    """The crossing between low (below the threshold) and high (at or above it), by Newton inside the bracket."""
    threshold, tau_m = c[2], c[5]
    noise = NOISE * (abs(s.v) + abs(s.drive) + abs(threshold))
    h = low
    for _ in range(MAX_ITERATIONS):
        f = potential(c, s, h) - threshold
        if f >= 0.0:
            high = h
        else:
            low = h
        derivative = slope(c, s, h) / tau_m
        new = h - f / derivative if derivative > 0.0 else -1.0
        if abs(f) <= noise:
            return new if low <= new <= high else h
        if not low < new < high:
            new = low + 0.5 * (high - low)
            if new == low or new == high:
                return high
        if abs(new - h) <= NOISE * new:
            return new
        h = new
    return high


def peak(c: Sequence[float], s: State, low: float, high: float) -> float:
    """Where V' is zero between low (rising) and high (falling), by Newton inside the bracket."""
    tau_m, tau_ex, tau_in = c[5], c[6], c[10]
    tolerance = PEAK_TOLERANCE * min(tau_m, tau_ex, tau_in)
    h = low + 0.5 * (high - low)
    for _ in range(MAX_ITERATIONS):
        f = slope(c, s, h)
        if f > 0.0:
            low = h
        else:
            high = h
        ex, in_ = synaptic_currents(c, s, h)
        derivative = -f / tau_m - c[1] * (ex / tau_ex + in_ / tau_in)
        new = h - f / derivative if derivative < 0.0 else -1.0
        if not low < new < high:
            new = low + 0.5 * (high - low)
            if new == low or new == high:
                return new
        if abs(new - h) <= tolerance:
            return new
        h = new
    return h
