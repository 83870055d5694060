"""What tests/support/exact.py runs: random neurons of every linear model, in random states.

A row of docs/accuracy.md is a `Family`; parameters and states are columns with one value a neuron.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import oracle
from numpy.typing import NDArray

import eventsnn as esn

Array = NDArray[np.float64]
Columns = dict[str, Any]  # name -> one value a neuron


def loguniform(rng: np.random.Generator, low: float, high: float, n: int) -> Array:
    return np.exp(rng.uniform(math.log(low), math.log(high), n))


def dyadic(values: Any) -> Any:
    """Rounded to 1/4096, so that a potential minus E_L is exact."""
    return np.round(np.asarray(values) * 4096.0) / 4096.0


# ---- a model and its random parameters


@dataclass(frozen=True)
class Family:
    """One row of the table. `draw` gives parameters for n neurons; `fixed` goes to the model's constructor."""

    name: str
    model: str
    draw: Callable[[np.random.Generator, int], Columns]
    ports: tuple[str, ...] = ("ex", "in")
    fixed: dict[str, Any] = field(default_factory=dict)
    humps: int = 1  # maxima that the states of `grazing` have at least; if more than 1, the family is for those alone

    def instance(self, parameters: Columns) -> Any:
        keywords = {"ports": self.ports} if self.model in ("LIFExp", "LIFAlpha") and self.ports != ("ex", "in") else {}
        make = getattr(esn, self.model)
        known = make(**keywords, **self.fixed).parameters  # a GLIF has those of its level
        given = {name: value for name, value in parameters.items() if name in known}
        return make(**keywords, **self.fixed, **given)

    def cell(self, parameters: Columns) -> oracle.Cell:
        return oracle.cell(self.model, {**self.fixed, **parameters}, self.ports)

    @property
    def alpha(self) -> bool:
        return self.model in ("LIFAlpha", "GLIF")


def membrane(rng: np.random.Generator, n: int) -> Columns:
    E_L = dyadic(rng.uniform(-80.0, -50.0, n))
    return {
        "tau_m": loguniform(rng, 3.0, 50.0, n), "C_m": loguniform(rng, 50.0, 500.0, n), "E_L": E_L,
        "V_th": E_L + dyadic(rng.uniform(5.0, 25.0, n)), "V_reset": E_L - dyadic(rng.uniform(0.0, 10.0, n)),
        "t_ref": np.where(rng.random(n) < 0.2, 0.0, loguniform(rng, 0.1, 10.0, n)),
    }  # fmt: skip


def with_drive(rng: np.random.Generator, p: Columns, n: int) -> Columns:
    """A constant current that ends below the threshold, or none, or, in a fifth of the cases, one above it."""
    theta = p["V_th"] - p["E_L"]
    kind, above, below = rng.random(n), rng.uniform(1.0, 3.0, n), rng.uniform(-1.0, 1.0, n)
    level = np.select([kind < 0.2, kind < 0.4], [above, np.zeros(n)], below)
    return {**p, "I_e": level * theta * p["C_m"] / p["tau_m"]}


def delta_neuron(rng: np.random.Generator, n: int) -> Columns:
    return with_drive(rng, membrane(rng, n), n)


def synaptic(taus: Callable[[np.random.Generator, Array, int], Sequence[Array]], ports: Sequence[str] = ("ex", "in")):
    """A leaky neuron whose synaptic time constants `taus` derives from tau_m."""

    def draw(rng: np.random.Generator, n: int) -> Columns:
        p = with_drive(rng, membrane(rng, n), n)
        columns = taus(rng, p["tau_m"], n)
        return {**p, **{f"tau_syn_{port}": tau for port, tau in zip(ports, columns, strict=True)}}

    return draw


def distinct(rng: np.random.Generator, tau_m: Array, n: int) -> list[Array]:
    return [loguniform(rng, 0.3, 60.0, n), loguniform(rng, 0.3, 60.0, n)]


def equal(rng: np.random.Generator, tau_m: Array, n: int) -> list[Array]:
    """Both equal to tau_m, one of them, or both equal to each other."""
    other, kind = loguniform(rng, 0.3, 60.0, n), rng.integers(0, 4, n)
    return [np.where((kind == 1) | (kind == 3), other, tau_m), np.where((kind == 2) | (kind == 3), other, tau_m)]


def nearly_equal(rng: np.random.Generator, tau_m: Array, n: int) -> list[Array]:
    """tau_m (1 + x), |x| of 1e-9 or less; half of the time one of them only."""
    gap = [rng.choice([-1.0, 1.0], n) * loguniform(rng, 1e-15, 1e-9, n) for _ in range(2)]
    other = np.where(rng.random(n) < 0.5, loguniform(rng, 0.3, 60.0, n), tau_m * (1.0 + gap[1]))
    first = tau_m * (1.0 + gap[0])
    swap = rng.random(n) < 0.5
    return [np.where(swap, first, other), np.where(swap, other, first)]


def half(rng: np.random.Generator, tau_m: Array, n: int) -> list[Array]:
    """tau_m = 2 tau_syn, for both ports or one of them."""
    other, kind = loguniform(rng, 0.3, 60.0, n), rng.integers(0, 3, n)
    return [np.where(kind == 1, other, tau_m / 2.0), np.where(kind == 2, other, tau_m / 2.0)]


def several(rng: np.random.Generator, tau_m: Array, n: int) -> list[Array]:
    """Four ports; the third may equal tau_m or another port, exactly or nearly."""
    a, b, c = (loguniform(rng, 0.3, 60.0, n) for _ in range(3))
    near = 1.0 + rng.choice([-1.0, 1.0], n) * loguniform(rng, 1e-15, 1e-9, n)
    kind = rng.integers(0, 5, n)
    third = np.select([kind == 0, kind == 1, kind == 2, kind == 3], [tau_m, tau_m * near, a, a * near], c)
    return [a, b, third, np.where(rng.random(n) < 0.3, third, loguniform(rng, 0.3, 60.0, n))]


FOUR = ("fast", "slow", "third", "fourth")


def apart(rng: np.random.Generator, tau_m: Array, n: int) -> list[Array]:
    """A fast, a middle and a slow port, each several times slower than the one before; the fast one may equal tau_m."""
    near = 1.0 + rng.choice([-1.0, 1.0], n) * loguniform(rng, 1e-15, 1e-9, n)
    kind = rng.integers(0, 4, n)
    fast = np.select([kind == 0, kind == 1], [tau_m, tau_m * near], tau_m * rng.uniform(0.3, 1.5, n))
    middle = tau_m * rng.uniform(2.0, 4.0, n)
    slow = middle * rng.uniform(3.0, 6.0, n)
    return [fast, middle, slow, np.where(rng.random(n) < 0.5, slow, slow * near)]


def no_leak(rng: np.random.Generator, n: int) -> Columns:
    p = membrane(rng, n)
    del p["tau_m"]
    tau = [loguniform(rng, 0.3, 60.0, n) for _ in range(2)]
    theta = p["V_th"] - p["E_L"]
    level = np.where(rng.random(n) < 0.3, 0.0, rng.uniform(-0.5, 1.0, n))  # of the threshold in 100 ms
    return {
        **p, "I_e": level * theta * p["C_m"] / 100.0,
        "tau_syn_ex": tau[0], "tau_syn_in": np.where(rng.random(n) < 0.2, tau[0], tau[1]),
    }  # fmt: skip


def mat2(rng: np.random.Generator, n: int) -> Columns:
    p = with_drive(rng, membrane(rng, n), n)
    omega = p.pop("V_th")
    del p["V_reset"]
    near = 1.0 + rng.choice([-1.0, 1.0], n) * loguniform(rng, 1e-15, 1e-9, n)
    kind = rng.integers(0, 4, n)
    return {
        **p, "omega": omega, "t_ref": loguniform(rng, 0.5, 5.0, n),
        "tau_syn_ex": np.where(kind == 0, p["tau_m"], loguniform(rng, 0.5, 20.0, n)),
        "tau_syn_in": loguniform(rng, 0.5, 20.0, n),
        "tau_1": np.where(kind == 1, p["tau_m"] * near, loguniform(rng, 3.0, 30.0, n)),
        "tau_2": loguniform(rng, 50.0, 300.0, n),
        "alpha_1": rng.uniform(-3.0, 40.0, n), "alpha_2": rng.uniform(0.0, 5.0, n),
    }  # fmt: skip


def mihalas_niebur(rng: np.random.Generator, n: int) -> Columns:
    """Around the parameters of the paper; a of either sign, and k, b, g / C_m also equal to one another."""
    E_L = dyadic(rng.uniform(-75.0, -65.0, n))
    theta = E_L + dyadic(rng.uniform(10.0, 25.0, n))
    g, C_m = loguniform(rng, 0.02, 0.1, n), np.where(rng.random(n) < 0.5, 1.0, loguniform(rng, 0.5, 2.0, n))
    kind = rng.integers(0, 4, n)
    follows, up, down = rng.random(n), rng.uniform(0.0, 0.01, n), rng.uniform(-0.003, 0.0, n)
    a = np.select([follows < 0.3, follows < 0.5], [np.zeros(n), down], up)
    return {
        "C_m": C_m, "g": g, "E_L": E_L, "V_reset": E_L - dyadic(rng.uniform(0.0, 5.0, n)), "Theta_inf": theta,
        "Theta_reset": theta - dyadic(rng.uniform(2.0, 9.0, n)), "a": a,
        "b": np.where(kind == 0, g / C_m, loguniform(rng, 0.005, 0.03, n)),
        "k_1": np.where(kind == 1, g / C_m, loguniform(rng, 0.05, 0.5, n)), "k_2": loguniform(rng, 0.01, 0.05, n),
        "R_1": rng.choice([0.0, 0.5], n), "R_2": rng.choice([0.0, 1.0], n),
        "A_1": rng.choice([0.0, 1.0], n) * rng.uniform(-1.0, 1.0, n),
        "A_2": rng.choice([0.0, 1.0], n) * rng.uniform(-0.6, 0.0, n),
        "t_ref": loguniform(rng, 0.5, 3.0, n), "I_e": rng.uniform(0.0, 1.2, n) * (theta - E_L) * g,
        "tau_syn_ex": loguniform(rng, 0.5, 20.0, n), "tau_syn_in": loguniform(rng, 0.5, 20.0, n),
    }  # fmt: skip


def glif(rng: np.random.Generator, n: int) -> Columns:
    """Around NEST's defaults, C_m / g = 6 ms; the synapses are also as slow as the membrane, or nearly."""
    E_L = dyadic(rng.uniform(-80.0, -70.0, n))
    theta = dyadic(rng.uniform(15.0, 30.0, n))
    C_m, g = loguniform(rng, 40.0, 200.0, n), loguniform(rng, 4.0, 15.0, n)
    near = 1.0 + rng.choice([-1.0, 1.0], n) * loguniform(rng, 1e-15, 1e-9, n)
    kind = rng.integers(0, 4, n)
    return {
        "g": g, "E_L": E_L, "V_th": E_L + theta, "C_m": C_m, "t_ref": loguniform(rng, 1.0, 5.0, n),
        "V_reset": E_L - dyadic(rng.uniform(0.0, 5.0, n)),
        "th_spike_add": rng.uniform(0.0, 3.0, n), "th_spike_decay": loguniform(rng, 0.005, 0.05, n),
        "voltage_reset_fraction": rng.uniform(0.0, 0.3, n), "voltage_reset_add": rng.uniform(-10.0, 3.0, n),
        "th_voltage_index": rng.uniform(-0.005, 0.01, n), "th_voltage_decay": loguniform(rng, 0.02, 0.2, n),
        "asc_amps_1": rng.uniform(-30.0, 5.0, n), "asc_amps_2": rng.uniform(-200.0, 20.0, n),
        "asc_decay_1": loguniform(rng, 0.002, 0.02, n), "asc_decay_2": loguniform(rng, 0.05, 0.2, n),
        "asc_r_1": rng.uniform(0.5, 1.0, n), "asc_r_2": rng.uniform(0.5, 1.0, n),
        "I_e": rng.uniform(0.0, 1.2, n) * theta * g,
        "tau_syn_ex": np.where(kind == 0, C_m / g * near, loguniform(rng, 0.5, 10.0, n)),
        "tau_syn_in": np.where(kind == 1, C_m / g, loguniform(rng, 0.5, 10.0, n)),
    }  # fmt: skip


def families() -> list[Family]:
    rows = [
        Family("LIFDelta", "LIFDelta", delta_neuron, ("delta",)),
        Family("LIFExp", "LIFExp", synaptic(distinct)),
        Family("LIFExp, equal time constants", "LIFExp", synaptic(equal)),
        Family("LIFExp, equal but for 1e-9 or less", "LIFExp", synaptic(nearly_equal)),
        Family("LIFExp, tau_m = 2 tau_syn", "LIFExp", synaptic(half)),
        Family("LIFExp, four ports", "LIFExp", synaptic(several, FOUR), FOUR),
        Family("LIFAlpha", "LIFAlpha", synaptic(distinct)),
        Family("LIFAlpha, equal time constants", "LIFAlpha", synaptic(equal)),
        Family("LIFAlpha, equal but for 1e-9 or less", "LIFAlpha", synaptic(nearly_equal)),
        Family("LIFAlpha, four ports", "LIFAlpha", synaptic(several, FOUR), FOUR),
        Family("IF", "IF", no_leak),
        Family("MAT2", "MAT2", mat2),
        Family("MihalasNiebur", "MihalasNiebur", mihalas_niebur),
        Family("LIFExp, two humps", "LIFExp", synaptic(apart, FOUR), FOUR, humps=2),
        Family("LIFAlpha, two humps", "LIFAlpha", synaptic(apart, FOUR), FOUR, humps=2),
    ]
    return rows + [Family(f"GLIF, level {k}", "GLIF", glif, fixed={"level": k}) for k in range(1, 6)]


FAMILIES = {family.name: family for family in families()}


# ---- states


def resistance(family: Family, p: Columns) -> Any:
    """mV per pA of a lasting current; without leak, of one that lasts 10 ms."""
    if "tau_m" in p:
        return p["tau_m"] / p["C_m"]
    return 1.0 / p["g"] if "g" in p else 10.0 / p["C_m"]


def threshold(p: Columns) -> Any:
    return p["V_th" if "V_th" in p else "omega" if "omega" in p else "Theta_inf"] - p["E_L"]


def charge(family: Family, p: Columns, port: str) -> Any:
    """pA ms that an input of 1 pA brings."""
    return p[f"tau_syn_{port}"] * (math.e if family.alpha else 1.0)


def random_states(family: Family, p: Columns, rng: np.random.Generator, n: int) -> Columns:
    """Initial states below the threshold. Currents are scaled to their effect, so that about half of them cross."""
    theta, R = threshold(p), resistance(family, p)
    tau = p["tau_m"] if "tau_m" in p else p["C_m"] / p["g"] if "g" in p else 10.0
    states: Columns = {"V_m": p["E_L"] + dyadic(theta * (1.0 - loguniform(rng, 0.02, 2.0, n)))}
    for k, port in enumerate(family.ports):
        if port == "delta":
            continue
        sign = np.where(rng.random(n) < 0.85, 1.0, -1.0) * (1.0 if k % 2 == 0 else -1.0)
        sign *= rng.random(n) < 0.9
        size = theta / R * (1.0 + tau / p[f"tau_syn_{port}"]) * loguniform(rng, 0.05, 8.0, n)
        states[f"I_syn_{port}"] = sign * size
        if family.alpha:
            again = np.where(rng.random(n) < 0.8, sign, -sign) * (rng.random(n) < 0.9)
            states[f"dI_syn_{port}"] = again * size / p[f"tau_syn_{port}"] * loguniform(rng, 0.1, 5.0, n)
    if family.humps > 1:  # up with the fast current, down with the middle one, up again with the slow ones
        slow = theta / R * loguniform(rng, 0.5, 4.0, n)
        factors = [rng.uniform(1.0, 8.0, n), -rng.uniform(1.0, 3.0, n), np.ones(n), rng.uniform(0.0, 0.2, n)]
        for port, factor in zip(family.ports, factors, strict=True):
            size = slow * factor
            states[f"I_syn_{port}"] = size
            if family.alpha:
                states[f"dI_syn_{port}"] = size / p[f"tau_syn_{port}"] * rng.uniform(-0.2, 0.5, n)
    if family.model == "MAT2":
        states["V_th_alpha_1"] = rng.uniform(-1.0, 1.0, n) * theta * 0.3 * (rng.random(n) < 0.7)
        states["V_th_alpha_2"] = rng.uniform(-0.5, 1.0, n) * theta * 0.3 * (rng.random(n) < 0.7)
    if family.model == "MihalasNiebur":
        states["Theta"] = p["Theta_inf"] + dyadic(rng.uniform(-0.2, 0.5, n) * theta)
        states["I_1"] = rng.uniform(-1.0, 1.0, n) * 0.5 * theta / R
        states["I_2"] = rng.uniform(-1.0, 0.3, n) * 0.5 * theta / R
        states["V_m"] = np.minimum(states["V_m"], states["Theta"] - dyadic(rng.uniform(0.01, 1.0, n)))
    if family.model == "GLIF":
        level = family.fixed["level"]
        if level >= 3:
            states["ASC_1"] = rng.uniform(-1.0, 0.3, n) * 0.3 * theta / R
            states["ASC_2"] = rng.uniform(-1.0, 0.3, n) * 0.5 * theta / R
        if level in (2, 4, 5):
            states["threshold_spike"] = rng.uniform(0.0, 0.3, n) * theta
        if level == 5:
            states["threshold_voltage"] = rng.uniform(-0.1, 0.2, n) * theta
    return states


def exact_state(cell: oracle.Cell, p: Columns, states: Columns) -> list[Any]:
    x = {name: float(value) for name, value in states.items()}
    x["V_m"] = x["V_m"] - float(p["E_L"])
    if "Theta" in x:
        x["Theta"] = x["Theta"] - float(p["Theta_inf"])
    return cell.state(**x)


def at(columns: Columns, i: int) -> Columns:
    return {name: float(values[i]) if np.ndim(values) else values for name, values in columns.items()}
