"""The models again, from what their docstrings state, and their solution to as many digits as are asked for.

Nothing here uses the constants or the closed form of the product. A model is a table: for each variable, relative to
its rest, the coefficients of the variables that its derivative is made of. Constant currents, ramps and sinusoidal
currents are more variables of the same table.
"""

from __future__ import annotations

import numpy as np
from mpmath import mp, mpf
from scipy.linalg import expm

import eventsnn as esn
from eventsnn.draw.values import resolve
from eventsnn.models.base import Model
from eventsnn.solve.state import State

Table = dict[str, dict[str, mpf]]


class Custom(esn.LinearModel):
    """What no built-in model has: no leak with thresholds, one of them pulled down by V; a current without a port."""

    parameters = {
        "C_m": 10.0, "E_L": 0.0, "V_th": 15.0, "t_ref": 2.0, "I_e": 0.0, "tau_a": 20.0, "tau_syn_ex": 2.0,
        "tau_1": 50.0, "tau_2": 10.0, "gain": -0.02,
    }  # fmt: skip

    def equations(self, p):
        return esn.Linear(
            esn.Membrane(None, p["C_m"], p["E_L"], p["V_th"], p["t_ref"], esn.Reset(0.5, -3.0, -6.0), port="jump"),
            [
                esn.Current("I_a", p["tau_a"], reset=esn.Reset(0.5, -4.0)),
                esn.Current("I_syn_ex", p["tau_syn_ex"], port="ex", alpha=True),
            ],
            [
                esn.Threshold("T_1", p["tau_1"], reset=esn.Reset(jump=2.0)),
                esn.Threshold("T_2", p["tau_2"], p["gain"], esn.Reset(1.0, 0.0, -1.0), offset=5.0),
            ],
        )


class LIFExpAgain(esn.LinearModel):
    """LIFExp as its user would write it."""

    parameters = dict(esn.LIFExp().parameters)

    def equations(self, p):
        reset = esn.Reset(scale=0.0, jump=p["V_reset"] - p["E_L"])
        return esn.Linear(
            esn.Membrane(p["tau_m"], p["C_m"], p["E_L"], p["V_th"], p["t_ref"], reset),
            [esn.Current(f"I_syn_{port}", p[f"tau_syn_{port}"], port=port) for port in ("ex", "in")],
        )


class MAT2Again(esn.LinearModel):
    """MAT2 as its user would write it."""

    parameters = dict(esn.MAT2().parameters)

    def equations(self, p):
        return esn.Linear(
            esn.Membrane(p["tau_m"], p["C_m"], p["E_L"], p["omega"], p["t_ref"], esn.Reset(), clamped=False),
            [esn.Current(f"I_syn_{port}", p[f"tau_syn_{port}"], port=port) for port in ("ex", "in")],
            [esn.Threshold(f"V_th_alpha_{k}", p[f"tau_{k}"], reset=esn.Reset(jump=p[f"alpha_{k}"])) for k in (1, 2)],
        )


MODELS = [
    esn.LIFDelta(),
    esn.LIFExp(),
    esn.LIFExp(ports=("a", "b", "c")),
    esn.LIFAlpha(),
    esn.IF(),
    esn.MAT2(),
    esn.MihalasNiebur(a=0.005, A_1=10.0, A_2=-0.6),
    *(esn.GLIF(level=level) for level in (1, 2, 3, 4, 5)),
    Custom(),
    LIFExpAgain(),
    MAT2Again(),
]


def name_of(model: Model) -> str:
    return repr(model).replace("()", "")


def constants_of(model: Model, **changed: float) -> tuple[dict[str, float], list[float]]:
    """The values of the parameters, some changed, and the product's constants for them."""
    numbers = {name: float(value) for name, value in {**model.values, **changed}.items()}
    values = {name: resolve(value, 1, name, 0) for name, value in numbers.items()}
    model.check(values, "test")
    return numbers, model.constants(values)[1][:, 0].tolist()


def threshold_at_rest(model: Model, p: dict[str, float]) -> float:
    names = {"MAT2": "omega", "MAT2Again": "omega", "MihalasNiebur": "Theta_inf"}
    return p[names.get(type(model).__name__, "V_th")] - p["E_L"]


def table_of(model: Model, p: dict[str, float], s: State | None = None) -> tuple[Table, dict[str, mpf]]:
    """The equations with these parameters, and where s starts, in the current precision of mpmath."""
    kind = type(model).__name__
    q = {name: mpf(value) for name, value in p.items()}
    leak = mpf(0) if kind in ("IF", "Custom") else q["g"] / q["C_m"] if "g" in q else 1 / q["tau_m"]
    table: Table = {"V_m": {"V_m": -leak}}

    def current(name: str, rate: mpf, alpha: bool = False) -> None:
        table["V_m"][name] = 1 / q["C_m"]
        table[name] = {name: -rate}
        if alpha:
            table[name][f"d{name}"] = mpf(1)
            table[f"d{name}"] = {f"d{name}": -rate}

    for name in p:
        if name.startswith("tau_syn_"):
            current(f"I_syn_{name.removeprefix('tau_syn_')}", 1 / q[name], kind in ("LIFAlpha", "GLIF", "Custom"))
    if kind.startswith("MAT2"):
        table |= {f"V_th_alpha_{k}": {f"V_th_alpha_{k}": -1 / q[f"tau_{k}"]} for k in (1, 2)}
    if kind == "MihalasNiebur":
        current("I_1", q["k_1"])
        current("I_2", q["k_2"])
        table["Theta"] = {"Theta": -q["b"], "V_m": q["a"]}
    if kind == "GLIF" and model.level >= 3:
        current("ASC_1", q["asc_decay_1"])
        current("ASC_2", q["asc_decay_2"])
    if kind == "GLIF" and model.level in (2, 4, 5):
        table["threshold_spike"] = {"threshold_spike": -q["th_spike_decay"]}
    if kind == "GLIF" and model.level == 5:
        table["threshold_voltage"] = {"threshold_voltage": -q["th_voltage_decay"], "V_m": q["th_voltage_index"]}
    if kind == "Custom":
        current("I_a", 1 / q["tau_a"])
        table |= {"T_1": {"T_1": -1 / q["tau_1"]}, "T_2": {"T_2": -1 / q["tau_2"], "V_m": q["gain"]}}
    assert set(table) == set(model.state_variables)
    start = {}
    if s is not None:
        start = {"V_m": mpf(s.v), **{name: mpf(x) for name, x in zip(model.slots, s.x, strict=True)}}
        start |= {"one": mpf(1), "drive": mpf(s.drive)}
        table |= {"one": {}, "drive": {"one": mpf(s.slope)}}
        table["V_m"]["drive"] = leak if leak else mpf(1)
        for i, (frequency, phase, amplitude) in enumerate(s.sines):
            omega, angle = 2 * mp.pi * mpf(frequency), 2 * mp.pi * (mpf(frequency) * mpf(s.t) + mpf(phase))
            table |= {f"sine {i}": {f"cosine {i}": omega}, f"cosine {i}": {f"sine {i}": -omega}}
            start |= {f"sine {i}": mp.sin(angle), f"cosine {i}": mp.cos(angle)}
            table["V_m"][f"sine {i}"] = mpf(amplitude) / q["C_m"]
    return table, start


def held(model: Model, table: Table) -> Table:
    """The equations of a refractory neuron: V and what it drives stay."""
    if type(model).__name__.startswith("MAT2"):
        return table
    return {name: {} if name == "V_m" or "V_m" in row else row for name, row in table.items()}


def evolve(table: Table, start: dict[str, mpf], h: float) -> dict[str, mpf]:
    """The solution after h by the series of the exponential of the table, in integers so long that nothing is lost."""
    names = list(table)
    size = float(max(sum(abs(a) for a in row.values()) for row in table.values())) * h
    bits = 230 + int(1.5 * size)
    rows = [(i, names.index(source), int(mp.ldexp(a * mpf(h), bits)))
            for i, name in enumerate(names) for source, a in table[name].items()]  # fmt: skip
    terms = [int(mp.ldexp(start[name], bits)) for name in names]
    total = list(terms)
    order = 0
    while order < 2.0 * size or max(map(abs, terms)) > 2**20:
        order += 1
        new = [0] * len(names)
        for i, j, a in rows:
            new[i] += a * terms[j]
        terms = [(value >> bits) // order for value in new]
        total = [a + b for a, b in zip(total, terms, strict=True)]
    return {name: mp.ldexp(mpf(value), -bits) for name, value in zip(names, total, strict=True)}


def on_grid(
    tables: list[Table], starts: list[dict[str, mpf]], dt: float, doublings: int
) -> list[dict[str, np.ndarray]]:
    """Solutions at 0, dt, 2 dt, ... in float64, for many tables at once."""
    names = [list(table) for table in tables]
    width = max(map(len, names))
    A, Y = np.zeros((len(tables), width, width)), np.zeros((len(tables), width, 1))
    for k, (table, start) in enumerate(zip(tables, starts, strict=True)):
        for i, name in enumerate(names[k]):
            Y[k, i] = float(start[name])
            for source, a in table[name].items():
                A[k, i, names[k].index(source)] = float(a)
    step = expm(A * dt)
    for _ in range(doublings):
        Y = np.concatenate([Y, step @ Y], axis=2)
        step = step @ step
    return [dict(zip(names[k], Y[k], strict=False)) for k in range(len(tables))]


def size_of(model: Model, p: dict[str, float], s: State, h: float) -> float:
    """The potentials of which v - threshold is the sum after h (mV); errors of rounding are measured against them."""
    kind = type(model).__name__
    leak = 0.0 if kind in ("IF", "Custom") else p["g"] / p["C_m"] if "g" in p else 1.0 / p["tau_m"]
    span = min(h, 1.0 / leak) if leak else h
    drive = abs(s.drive) + abs(s.slope) * h
    v = abs(s.v) + (drive if leak else drive * h)
    table, _ = table_of(model, p)
    for name, x in zip(model.slots, s.x, strict=True):
        if name in table["V_m"]:
            v += abs(x) * min(span, -1.0 / float(table[name][name])) / p["C_m"]
        elif name[1:] in table["V_m"]:
            tau = -1.0 / float(table[name][name])
            v += abs(x) * min(h, tau) * min(span, tau) / p["C_m"]
    for frequency, _, amplitude in s.sines:
        # The phase itself is rounded.
        v += abs(amplitude) / (p["C_m"] * 6.28 * frequency) * (1.0 + 6.28 * frequency * h)
    total = v + abs(threshold_at_rest(model, p))
    for name, x in zip(model.slots, s.x, strict=True):
        if name not in table["V_m"] and name[1:] not in table["V_m"]:
            gain = abs(float(table[name].get("V_m", 0.0)))
            total += abs(x) + gain * v * min(h, -1.0 / float(table[name][name]))
    return total


def situations(model: Model, seed: int, n: int, sines: float = 0.3, ramps: float = 0.3):
    """Random parameters and states below the threshold: time constants in any order, equal and nearly equal, currents
    of both signs, drives below, at and above the threshold, ramps and sinusoidal currents."""
    rng = np.random.default_rng(seed)
    alpha = type(model).__name__ in ("LIFAlpha", "GLIF", "Custom")
    for _ in range(n):
        near = float(rng.choice([0.0, 1e-15, 1e-12, 1e-9, 1e-6, -1e-9, -1e-4]))
        changed = {"E_L": 0.0, "C_m": 10.0, "t_ref": 1.5}
        for name in model.parameters:
            tau = float(rng.choice([0.5, 2.0, 10.0, 10.0 * (1.0 + near), 30.0]))
            if name == "tau_m":
                changed[name] = 10.0
            elif name.startswith("tau_"):
                changed[name] = tau
            elif name in ("b", "k_1", "k_2") or name.endswith(("_decay", "_decay_1", "_decay_2")):
                changed[name] = 1.0 / tau
            elif name in ("a", "gain", "th_voltage_index"):
                changed[name] = float(rng.choice([-0.1, 0.02, 0.3]))
            elif name == "asc_decay_1" and "asc_decay_2" in changed and rng.random() < 0.3:
                changed[name] = changed["asc_decay_2"] * (1.0 + near)
        fixed = {"g": 1.0, "V_th": 15.0, "omega": 15.0, "Theta_inf": 15.0, "Theta_reset": 5.0, "V_reset": 0.0}
        changed |= {name: value for name, value in fixed.items() if name in model.parameters}
        if "tau_syn_in" in changed and rng.random() < 0.3:
            changed["tau_syn_in"] = changed["tau_syn_ex"] * (1.0 + near)
        p, c = constants_of(model, **changed)
        table, _ = table_of(model, p)
        leaks = table["V_m"]["V_m"] != 0
        s = State(0.0, float(rng.choice([0.0, -20.0, rng.uniform(0.0, 15.0), 14.999])))
        s.drive = float(rng.choice([0.0, 10.0, 14.9, 15.0, 15.1, 30.0]) if leaks else rng.choice([-0.2, 0.0, 0.3]))
        turn = rng.choice([-1.0, 1.0])
        for name in model.slots:
            if name in table["V_m"]:
                # A charge rather than a current decides about the height of the response.
                turn = -turn if rng.random() < 0.85 else turn
                s.x.append(float(turn * rng.uniform(0.0, 1_500.0) * -table[name][name]) * (rng.random() < 0.9))
            elif alpha and name[1:] in table["V_m"]:
                s.x.append(float(rng.choice([-1.0, 1.0]) * rng.uniform(0.0, 1_500.0) * table[name][name] ** 2))
            else:
                s.x.append(float(rng.choice([0.0, rng.uniform(-1.0, 8.0)])))
        s.low = [0.0] * len(s.x)
        if rng.random() < ramps:
            s.slope = float(rng.choice([-0.3, 0.01, 0.2]) if leaks else rng.choice([-0.01, 0.003]))
        if rng.random() < sines:
            s.t = float(rng.uniform(0.0, 100.0))
            s.sines = tuple((float(rng.choice([0.002, 0.05, 1.0])), float(rng.uniform(-1.0, 1.0)),
                             float(rng.uniform(0.0, 20.0))) for _ in range(rng.integers(1, 3)))  # fmt: skip
        while s.v >= model.threshold(c, s) - 1e-4:
            s.v -= 3.0
        yield p, c, s
