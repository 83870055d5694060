"""Izhikevich's neuron, exact or with the forward steps of the published figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from eventsnn._core.models import izhikevich as kernels
from eventsnn._core.models.izhikevich import K_0, K_1, K_2, LEAK_U, STEP, V_U, A, B
from eventsnn.base.checks import require
from eventsnn.base.errors import InputError, suggest
from eventsnn.draw.values import Value, Values
from eventsnn.models.taylor import TaylorModel
from eventsnn.solve.series import Series, Step, square
from eventsnn.solve.state import State

METHODS = ("exact", "figure1")


class Izhikevich(TaylorModel):
    """Izhikevich's neuron: two variables, and most firing patterns of cortical neurons.

    Equations: dV/dt = k_2 V^2 + k_1 V + k_0 - U + I,  dU/dt = a (b (V - V_u) - leak_u U).  I is I_e and all injected
    currents; 1 pA is 1 mV/ms, as in NEST. An input of weight w (mV) adds w to V at once. At V >= V_th the neuron
    spikes: V <- c, U <- U + d; V is then held for t_ref, and input is lost.

    method="exact" solves these equations. method="figure1" takes forward steps of `step` ms from t = 0 on, first V and
    then U with the new V, and tests the threshold at the end of each: that is what the published figure shows, and for
    nine of its twenty patterns the number of spikes is another one. Then I counts as it is when a step begins.

    Parameters (defaults are NEST's, c and d those of regular spiking), each a number, an array with one value a neuron,
    or a distribution:
        a       0.02 1/ms rate of U
        b       0.2  1/ms how strongly V moves U
        c     -65.0  mV   potential after a spike, below V_th
        d       8.0  mV/ms what a spike adds to U
        V_th   30.0  mV   threshold, the peak of a spike
        k_2     0.04 1/(mV ms) quadratic, k_1 linear, k_0 constant part of dV/dt
        k_1     5.0  1/ms
        k_0   140.0  mV/ms
        V_u     0.0  mV   where V does not move U
        leak_u  1.0  whether U decays; 0 in the published pattern of accommodation
        step    0.25 ms   of method="figure1"; multiples of it are the only times of spikes
        t_ref   0.0  ms   refractory period
        I_e     0.0  pA   constant current
        tolerance 1e-12 mV largest error of V in a step of the solution
    State: V_m (mV), -65 unless given; U_m (mV/ms), b V_m unless given. Both are recordable. Port: "delta". A neuron
    that runs away, as for a < 0 and d < 0, ends the run with RunawayError when U_m or V_m exceeds 1e4.

    Source: Izhikevich 2003, IEEE Trans Neural Netw 14:1569; Izhikevich 2004, IEEE Trans Neural Netw 15:1063, figure 1.
    """

    parameters = {
        "a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "V_th": 30.0, "k_2": 0.04, "k_1": 5.0, "k_0": 140.0, "V_u": 0.0,
        "leak_u": 1.0, "step": 0.25, "t_ref": 0.0, "I_e": 0.0, "tolerance": 1e-12,
    }  # fmt: skip
    units = {
        "a": "1/ms", "b": "1/ms", "c": "mV", "d": "mV/ms", "k_2": "1/mV/ms", "k_1": "1/ms", "k_0": "mV/ms",
        "step": "ms", "tolerance": "mV", "U_m": "mV/ms",
    }  # fmt: skip
    ports = ("delta",)
    slots = ("U_m",)
    targets = (-1,)
    tolerances = (1.0,)
    farthest = 1e4
    reset_name = "c"

    def __init__(self, method: str = "exact", **parameters: Value):
        if not isinstance(method, str) or method not in METHODS:
            raise InputError(f"Izhikevich: method = {method!r} is not known; {suggest(method, METHODS)}")
        self.method = method
        self.whole_steps = method != "exact"
        super().__init__(**parameters)

    @property
    def kernel(self) -> object:  # type: ignore[override]
        return kernels.kernel_in_steps if self.whole_steps else kernels.kernel

    def __repr__(self) -> str:
        if self.method == "exact":
            return super().__repr__()
        name, _, rest = super().__repr__().partition("(")
        return f"{name}(method={self.method!r}{', ' if rest != ')' else ''}{rest}"

    def check(self, values: Values, where: str) -> None:
        super().check(values, where)
        require(values["step"] > 0, values["step"], f"{where}: step", "must be positive", "ms")

    def initial_state(self, values: Values) -> Values:
        V_m = values.get("V_m", np.full(1, -65.0))
        return {"V_m": V_m, "U_m": values["b"] * V_m}

    def gain(self, values: Values) -> Any:
        return 1.0

    def jumps(self, values: Values) -> list[Any]:
        return [values["d"]]

    def own(self, values: Values) -> dict[int, tuple[str, Any]]:
        places = {A: "a", B: "b", K_2: "k_2", K_1: "k_1", K_0: "k_0", V_U: "V_u", LEAK_U: "leak_u", STEP: "step"}
        return {place: (name, values[name]) for place, name in places.items()}

    # ---- equations, for the reference engine

    def extend(self, p: Sequence[float], z: Series, n: int) -> None:
        v, u = z.y
        rate = (p[K_2] * square(v, n) + p[K_1] * v[n] - u[n]) + z.force[n]
        level = v[n]
        if n == 0:
            rate = rate + p[K_0]
            level = level - p[V_U]
        v.append(0.0 if z.held else rate / (n + 1))
        u.append(p[A] * (p[B] * level - p[LEAK_U] * u[n]) / (n + 1))

    def revise(self, p: Sequence[float], s: State, step: Step, z: Series) -> None:
        """One step of the published figure, to the next multiple of its length: V, then u with the new V."""
        v, u = z.y[0][0], z.y[1][0]
        number = math.floor(s.t / p[STEP]) + 1.0
        while number * p[STEP] <= s.t:
            number = number + 1.0
        step.end = number * p[STEP]
        step.span = step.end - s.t
        for row in z.y:
            row[1:] = [0.0] * (len(row) - 1)
        if not z.held:
            v = v + p[STEP] * (((p[K_2] * (v * v) + p[K_1] * v) + p[K_0] - u) + z.force[0])
        step.last = [v, u + p[STEP] * (p[A] * (p[B] * (v - p[V_U]) - p[LEAK_U] * u))]
