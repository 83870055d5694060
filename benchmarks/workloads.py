"""The networks of bench.py, each described once; every worker builds it with its own simulator's words.

A description is plain data. All neurons are of one model, in consecutive populations, and each projection goes from one
population to another, or to all neurons if it names none; one with the rule "wiring" goes from all to all, and
peers/wiring.py makes its synapses. A value is a number, {"uniform": [low, high]} or {"normal":
[mean, std]}, the latter also with "low", "high" and "grid": rounded to multiples of the grid and drawn again outside.
V_m, I_e and the rate of a drive may be lists of values, one for each population.
"""

import math
from dataclasses import dataclass
from typing import Any

DELTA = {"tau_m": 20.0, "C_m": 250.0, "E_L": 0.0, "V_th": 20.0, "V_reset": 10.0, "t_ref": 2.0}
CUBA = {
    "tau_m": 20.0, "C_m": 200.0, "E_L": -49.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0,
    "tau_syn_ex": 5.0, "tau_syn_in": 10.0,
}  # fmt: skip
COBA = {
    "C_m": 200.0, "g_L": 10.0, "E_L": -60.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0, "E_ex": 0.0, "E_in": -80.0,
    "tau_syn_ex": 5.0, "tau_syn_in": 10.0,
}  # fmt: skip
MICROCIRCUIT = {
    "tau_m": 10.0, "C_m": 250.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 2.0,
    "tau_syn_ex": 0.5, "tau_syn_in": 0.5,
}  # fmt: skip
FLY = {
    "tau_m": 20.0, "C_m": 250.0, "E_L": -52.0, "V_th": -45.0, "V_reset": -52.0, "t_ref": 2.2,
    "tau_syn_ex": 5.0, "tau_syn_in": 5.0,
}  # fmt: skip
TAU_SYN = 0.5  # ms, of brunel_exp: a current of w C_m / tau_syn moves V by what a jump of w does


@dataclass(frozen=True)
class Workload:
    """A network, what it is for, and the rate by which one knows that it is the right one.

    rate: Hz, mean of all neurons after the transient; None: that of eventsnn in the same session. tolerance: which part
    of it a rate may be off. rates: where populations differ, the rate of each and how far it may be off, in Hz. axes:
    what its times are drawn over: neurons, synapses, rate. only: the simulators that run it, all if empty. repeats: the
    most that it is worth. alone: the workload that is the same network on one thread.
    """

    name: str
    about: str
    network: dict[str, Any]
    rate: float | None = None
    tolerance: float = 0.05
    axes: tuple[str, ...] = ()
    threads: int = 1
    only: tuple[str, ...] = ()
    rates: dict[str, tuple[float, float]] | None = None
    repeats: int | None = None
    alone: str = ""


def brunel(
    scale: float, drive: str = "poisson", stored: bool = False, exponential: bool = False, varied: bool = False
) -> dict[str, Any]:
    """Brunel's network as in scenarios/brunel.py.

    exponential: currents of the same charge in place of jumps. varied: weights, delays, tau_m and V_th are drawn.
    """
    n = max(50, round(12_500 * scale))
    n_exc = round(0.8 * n)
    indegree = {"exc": round(0.1 * n_exc), "inh": round(0.1 * (n - n_exc))}
    parameters: dict[str, Any] = dict(DELTA)
    unit = 1.0  # mV
    if exponential:
        parameters |= {"tau_syn_ex": TAU_SYN, "tau_syn_in": TAU_SYN}
        unit = parameters["C_m"] / TAU_SYN  # pA
    weight: dict[str, Any] = {"exc": 0.1 * unit, "inh": -0.5 * unit}
    delay: Any = 1.5
    external = {"kind": "poisson", "rate": 20_000.0, "weight": weight["exc"], "delay": delay}
    if drive == "dc":
        external = {"kind": "current", "amplitude": 40.0 * parameters["C_m"] / parameters["tau_m"]}
    if varied:
        weight = {name: {"normal": [w, 0.1 * abs(w)]} for name, w in weight.items()}
        delay = {"uniform": [0.05, 3.0]}
        parameters |= {"tau_m": {"uniform": [18.0, 22.0]}, "V_th": {"uniform": [19.0, 21.0]}}
    return {
        "model": "exp" if exponential else "delta",
        "parameters": parameters,
        "V_m": {"uniform": [-10.0, 20.0]},
        "populations": {"exc": n_exc, "inh": n - n_exc},
        "projections": [
            {"pre": name, "rule": ["indegree", k], "weight": weight[name], "delay": delay}
            for name, k in indegree.items()
        ],
        "stored": stored or varied,
        "drive": external,
        "duration": 1000.0 * min(scale, 1.0),
        "transient": 100.0 * min(scale, 1.0),
    }


def cuba(scale: float) -> dict[str, Any]:
    """The network of scenarios/cuba.py."""
    n = round(4_000 * scale)
    n_exc = round(0.8 * n)
    # A smaller network with the same probability would have too few synapses to stay active.
    rule = ["probability", min(0.02 / min(scale, 1.0), 1.0)]
    weights = {"exc": 1.62 / 0.1, "inh": -9.0 / 0.1}
    return {
        "model": "exp",
        "parameters": CUBA,
        "V_m": {"uniform": [-60.0, -50.0]},
        "populations": {"exc": n_exc, "inh": n - n_exc},
        "projections": [{"pre": name, "rule": rule, "weight": w, "delay": 0.1} for name, w in weights.items()],
        "stored": False,
        "drive": {"kind": "none"},
        "duration": 10_000.0 * min(scale, 1.0),
        "transient": 0.0,
    }


def coba(scale: float) -> dict[str, Any]:
    """The network of scenarios/coba.py, started by 15 inputs to each neuron."""
    weights = {"exc": 6.0, "inh": -67.0}
    network = cuba(scale)
    return network | {
        "model": "cond",
        "parameters": COBA,
        "projections": [p | {"weight": weights[p["pre"]]} for p in network["projections"]],
        "drive": {
            "kind": "kicks", "spikes": round(60_000 * scale), "weight": 6.0, "delay": 0.1, "seed": 1,
            "until": 50.0 * min(scale, 1.0),
        },
        "transient": 100.0 * min(scale, 1.0),
    }  # fmt: skip


def microcircuit(scale: float, part: float) -> dict[str, Any]:
    """The network of scenarios/microcircuit.py with `part` of the neurons, 0.1 or 1, and the inputs that it gives them.

    Smaller networks keep a fiftieth and run longer than others of their scale: few neurons fire seldom and irregularly.
    """
    from eventsnn.scenarios import microcircuit as published

    part = max(part * scale, 0.02)
    kept = published.share_of_inputs(part, None)
    strength = 1.0 / math.sqrt(kept)
    exc, inh = ({"normal": [d, 0.5 * d], "low": 0.1, "grid": 0.1} for d in (published.DELAY_EXC, published.DELAY_INH))
    projections = []
    for k, post in enumerate(published.POPULATIONS):
        for j, pre in enumerate(published.POPULATIONS):
            inhibitory, weight = bool(published.INHIBITORY[j]), strength * float(published.WEIGHTS[k, j])
            drawn = {"normal": [weight, 0.1 * abs(weight)], ("high" if inhibitory else "low"): 0.0}
            if number := round(part * kept * float(published.SYNAPSES[k, j])):
                ends = {"pre": pre.name, "post": post.name, "rule": ["total", number]}
                projections.append({**ends, "weight": drawn, "delay": inh if inhibitory else exc})
    duration = 1000.0 * min(10.0 * scale, 1.0)
    return {
        "model": "exp",
        "parameters": MICROCIRCUIT,
        "V_m": [{"normal": [p.V_m, p.std]} for p in published.POPULATIONS],
        "I_e": ((1.0 - math.sqrt(kept)) * published.mean_input()).tolist(),
        "populations": {p.name: round(part * p.n) for p in published.POPULATIONS},
        "projections": projections,
        "stored": True,
        "drive": {
            "kind": "poisson",
            "rate": [published.BACKGROUND * round(kept * p.inputs) for p in published.POPULATIONS],
            "weight": strength * published.WEIGHT_EXC,
            "delay": published.DELAY_EXC,
        },
        "duration": duration,
        "transient": 0.2 * duration,
    }


def expected(part: float) -> dict[str, tuple[float, float]]:
    """Rate and tolerance (Hz) of each population of the microcircuit."""
    from eventsnn.scenarios import microcircuit as published

    target = published.TARGETS[part, published.share_of_inputs(part, None)]
    names = [p.name for p in published.POPULATIONS]
    return dict(zip(names, zip(target.rates, target.tolerances, strict=True), strict=True))


def fly(scale: float) -> dict[str, Any]:
    """A large network in which few neurons are active: a synthetic twin of a connectome's.

    Neurons, delay, weight of a contact and drive are those of Shiu et al. 2024 (A Drosophila computational brain model
    reveals sensorimotor processing, Nature 634, 210-219): LIFExp, 0.275 mV a contact, which is 0.275 mV C_m / tau_m as
    a current, and 21 taste neurons under Poisson input of 150 Hz, 250 times as strong. The 138,639 neurons have 1.5e7
    connected pairs of 3.8 contacts in the mean, as in FlyWire's connectome; both, and the degrees, are heavy-tailed. A
    source is excitatory with a probability of 0.7. The drive enters a community of 6,000 neurons, which has three
    quarters of its synapses within itself: 1,900 neurons come to fire, at 44 Hz in the mean.
    """
    contact = 0.275 * FLY["C_m"] / FLY["tau_m"]  # pA
    n, driven, delay = max(round(138_639 * scale), 1_000), 21, 1.8
    made = {
        "seed": 1, "synapses": round(15.6e6 * n / 138_639), "spread": 1.0, "community": round(6_000 * n / 138_639),
        "inside": 0.75, "excitatory": 0.7, "driven": driven, "tail": 1.3, "most": 1_000, "contact": contact,
    }  # fmt: skip
    return {
        "model": "exp",
        "parameters": FLY,
        "V_m": FLY["E_L"],
        "populations": {"driven": driven, "others": n - driven},
        "projections": [{"rule": ["wiring", made], "delay": delay}],
        "stored": True,
        "drive": {"kind": "poisson", "rate": [150.0, 0.0], "weight": 250.0 * contact, "delay": delay},
        "duration": 1000.0 * min(10.0 * scale, 1.0),
        "transient": 100.0 * min(scale, 1.0),
    }


def sparse(scale: float, n: float = 1e4, outdegree: int = 100, rate: float | None = None) -> dict[str, Any]:
    """n neurons that fire only when they are made to: 1e4 spikes in 1 s whatever n is, or `rate` Hz.

    Each of these spikes is set off by an input of 30 mV at a time of its own and reaches `outdegree` random neurons
    with 0.01 mV each: at an out-degree of 100 that makes 1e6 synaptic events, in a network of 100 n synapses.
    """
    duration = 1000.0 * min(scale, 1.0)
    neurons = round(n * scale)
    rule = ["outdegree", min(outdegree, neurons)]
    spikes = round(1e4 * scale if rate is None else rate * neurons * duration / 1000.0)
    return {
        "model": "delta",
        "parameters": DELTA,
        "V_m": 0.0,
        "populations": {"neurons": neurons},
        "projections": [{"pre": "neurons", "rule": rule, "weight": 0.01, "delay": 1.5}],
        "stored": False,
        "drive": {"kind": "kicks", "spikes": spikes, "weight": 30.0, "delay": 1.5, "seed": 1},
        "duration": duration,
        "transient": 0.0,
    }


def fired(network: dict[str, Any]) -> float:
    """The rate (Hz) of a network that fires once for each kick and never else."""
    [n] = network["populations"].values()
    return float(network["drive"]["spikes"] / n / network["duration"] * 1000.0)


def kicked(scale: float, name: str, about: str, *axes: str, **arguments: Any) -> Workload:
    network = sparse(scale, **arguments)
    return Workload(name, about, network, rate=fired(network), tolerance=1e-3, axes=axes)


def workloads(scale: float, cores: int) -> list[Workload]:
    """All of them, `scale` times as large and, below 1, as long."""
    full = scale == 1.0
    published: dict[str, Any] = {"rate": 38.1, "tolerance": 0.04} if full else {"tolerance": 0.3}
    loose: dict[str, Any] = {} if full else {"tolerance": 0.3}
    rows = [
        Workload("brunel_poisson", "Brunel, Poisson drive, shared weights", brunel(scale), **published),
        Workload("brunel_poisson_stored", "the same, a weight a synapse", brunel(scale, stored=True), **published),
        Workload("brunel_dc", "Brunel, constant drive, shared weights", brunel(scale, "dc"), **published),
        Workload("brunel_dc_stored", "the same, a weight a synapse", brunel(scale, "dc", stored=True), **published),
        Workload("brunel_exp", "Brunel, exponential currents, Poisson", brunel(scale, exponential=True), **loose),
        Workload(
            "brunel_exp_dc", "Brunel, exponential currents, constant drive", brunel(scale, "dc", exponential=True),
            **loose,
        ),
        Workload(
            "brunel_dc_het", "Brunel, constant drive; weights, delays, tau_m, V_th drawn",
            brunel(scale, "dc", varied=True), **loose,
        ),
        Workload(
            "cuba", "Vogels & Abbott, self-sustained", cuba(scale),
            **({"rate": 5.56, "tolerance": 0.105} if full else {"tolerance": 0.5}),
        ),
    ]  # fmt: skip
    about = "Vogels & Abbott with conductances, self-sustained"
    on_grid = ("eventsnn", "nest", "brian2", "brian2_cython", "annarchy", "genn")
    conducted: dict[str, Any] = {"rate": 19.9, "tolerance": 0.2} if full else {"tolerance": 0.5}
    rows.append(Workload("coba", about, coba(scale), only=on_grid, **conducted))
    layers = ("eventsnn", "scatter", "scatter_two", "nest", "nest_ps")  # those that have words for it
    of_part: dict[float, dict[str, Any]] = {
        part: {"tolerance": 0.5, "only": layers} | ({"rates": expected(part)} if full else {}) for part in (0.1, 1.0)
    }
    tenth, whole = microcircuit(scale, 0.1), microcircuit(scale, 1.0)
    rows += [
        Workload("microcircuit", "Potjans & Diesmann, a tenth", tenth, **of_part[0.1]),
        Workload("microcircuit_full", "Potjans & Diesmann in full", whole, **of_part[1.0], repeats=1),
    ]
    wired = ("eventsnn", "scatter", "scatter_two", "nest", "brian2", "brian2_cython", "genn")
    seldom = {"tolerance": 0.1 if full else 0.3}  # 21 trains decide
    rows.append(Workload("fly", "synthetic connectome of a fly, 1.4 % of it active", fly(scale), only=wired, **seldom))
    for exponent in (4, 5, 6):
        about = f"1e{exponent} neurons, 1e4 spikes, 1e6 synaptic events a second"
        axes = ("neurons", "synapses", "rate") if exponent == 4 else ("neurons",)
        rows.append(kicked(scale, f"sparse_1e{exponent}", about, *axes, n=10.0**exponent))
    for degree in (10, 1000):
        about = f"1e4 neurons, {degree} synapses each, 1e4 spikes a second"
        rows.append(kicked(scale, f"sparse_degree_{degree}", about, "synapses", outdegree=degree))
    for rate in (10, 100):
        about = f"1e4 neurons, 100 synapses each, {rate} Hz"
        rows.append(kicked(scale, f"sparse_{rate}Hz", about, "rate", rate=rate))
    threads = 2
    while threads <= cores:
        shared: dict[str, Any] = {"threads": threads, "only": ("eventsnn", "nest")}
        for alone, network, rate in (
            ("brunel_poisson", brunel(scale), published), ("microcircuit", tenth, of_part[0.1]),
        ):  # fmt: skip
            name, about = f"{alone}_threads_{threads}", f"{alone} on {threads} cores"
            rows.append(Workload(name, about, network, alone=alone, **(rate | shared)))
        threads *= 2
    return rows
