"""ANNarchy, on its grid, with the exact step of linear equations written out and its exponential step for conductances.

It compiles its program when the network is complete; what the compiler spends is not counted, since it is another
process.
"""

import os
import sys
from typing import Any

import numpy as np

from peers import worker

SOURCES = 1000  # that a Poisson input of a neuron is the sum of, at one spike a step each


def version() -> str:
    from importlib.metadata import version

    import ANNarchy  # noqa: F401

    return version("ANNarchy")


def value(v: Any, low: float | None = None) -> Any:
    import ANNarchy as ann

    if not isinstance(v, dict):
        return v if low is None else max(v, low)
    name, a, b = worker.unlimited(v)
    # It rounds delays to the grid, and none may become 0.
    return ann.Uniform(a if low is None else max(a, low), b) if name == "uniform" else ann.Normal(a, b)


def drawn(v: Any, n: int, draws: np.random.Generator) -> np.ndarray:
    if not isinstance(v, dict):
        return np.full(n, v)
    name, a, b = worker.unlimited(v)
    return draws.uniform(a, b, n) if name == "uniform" else draws.normal(a, b, n)


def neuron(network: dict[str, Any]) -> Any:
    """V relaxes to V_inf by the factor `decay` a step, an exponential current adds `to_exc` or `to_inh` of itself."""
    import ANNarchy as ann

    p, drive = network["parameters"], network["drive"]
    if network["model"] == "cond":
        equations = [
            f"dv/dt = ({p['g_L']} * ({p['E_L']} - v) + g_exc * ({p['E_ex']} - v) + g_inh * ({p['E_in']} - v))"
            f" / {p['C_m']} : exponential",
            f"dg_exc/dt = -g_exc / {p['tau_syn_ex']} : exponential",
            f"dg_inh/dt = -g_inh / {p['tau_syn_in']} : exponential",
        ]
        spike, reset = f"v >= {p['V_th']}", f"v = {p['V_reset']}"
        return ann.Neuron(equations="\n".join(equations), spike=spike, reset=reset, refractory=p["t_ref"])
    depends = {"V_inf": "tau_m", "decay": "tau_m", "V_th": "V_th"}
    varied = [name for name, parameter in depends.items() if isinstance(p[parameter], dict)]
    names = ["V_inf", "decay", "V_th", "V_reset", "t_ref"]
    external = ""
    if drive["kind"] == "poisson":
        probability = drive["rate"] / 1000.0 * worker.STEP / SOURCES
        external = f" + {drive['weight']} * Binomial({SOURCES}, {probability})"
    if network["model"] == "delta":
        equations = [f"v = V_inf + (v - V_inf) * decay + g_exc + g_inh{external}"]
    else:
        names += ["to_exc", "to_inh", "decay_exc", "decay_inh"]
        equations = [
            "v = V_inf + (v - V_inf) * decay + to_exc * g_exc + to_inh * g_inh",
            f"g_exc = g_exc * decay_exc{external}",
            "g_inh = g_inh * decay_inh",
        ]
    parameters = [f"{name} = 0.0" + ("" if name in varied else " : population") for name in names]
    return ann.Neuron(
        parameters="\n".join(parameters), equations="\n".join(equations), spike="v >= V_th", reset="v = V_reset",
        refractory="t_ref",
    )  # fmt: skip


def set_values(population: Any, network: dict[str, Any], draws: np.random.Generator) -> None:
    p, n, step = network["parameters"], population.size, worker.STEP
    population.v = drawn(network["V_m"], n, draws)
    if network["model"] == "cond":
        return
    one = not isinstance(p["tau_m"], dict)
    tau_m = p["tau_m"] if one else drawn(p["tau_m"], n, draws)
    drive = network["drive"]
    current = drive["amplitude"] * tau_m / p["C_m"] if drive["kind"] == "current" else 0.0
    population.V_inf = p["E_L"] + current
    population.decay = np.exp(-step / tau_m)
    population.V_th = drawn(p["V_th"], n, draws) if isinstance(p["V_th"], dict) else p["V_th"]
    population.V_reset, population.t_ref = p["V_reset"], p["t_ref"]
    if network["model"] == "exp":
        if not one:
            raise worker.Unsupported("currents with tau_m that differs from neuron to neuron are not written yet")
        for port, name in (("exc", "tau_syn_ex"), ("inh", "tau_syn_in")):
            tau = p[name]
            factor = tau * tau_m / (tau_m - tau) / p["C_m"]
            setattr(population, f"to_{port}", factor * (np.exp(-step / tau_m) - np.exp(-step / tau)))
            setattr(population, f"decay_{port}", np.exp(-step / tau))


def connect(net: Any, population: Any, network: dict[str, Any]) -> list[Any]:
    first, made = 0, []
    parts = {}
    for name, n in network["populations"].items():
        parts[name] = population[first : first + n] if n < population.size else population
        first += n
    for p in network["projections"]:
        target = "exc" if worker.mean(p["weight"]) >= 0 else "inh"
        projection = net.connect(parts[p["pre"]], population, target=target)
        how = {
            "weights": abs(p["weight"]) if network["model"] == "cond" else value(p["weight"]),
            "delays": value(p["delay"], worker.STEP),
            "force_multiple_weights": network["stored"],
        }  # fmt: skip
        rule, number = p["rule"]
        if rule == "probability":
            # Between a part and the whole it makes autapses too, too few to matter.
            projection.fixed_probability(probability=number, **how)
        elif rule == "indegree":
            projection.fixed_number_pre(number=number, allow_self_connections=True, **how)
        else:
            projection.fixed_number_post(number=number, allow_self_connections=True, **how)
        made.append(projection)
    return made


def simulate(request: dict[str, Any]) -> dict[str, Any]:
    import ANNarchy as ann

    network = request["network"]
    # The tools that it compiles with lie beside its interpreter.
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    begin = worker.mark()
    net = ann.Network(dt=worker.STEP, seed=request["seed"])
    net.config(num_threads=1)
    n = sum(network["populations"].values())
    population = net.create(geometry=n, neuron=neuron(network))
    made = connect(net, population, network)
    drive = network["drive"]
    if drive["kind"] == "kicks":
        ids, trains = worker.kicks(drive, n, network["duration"])
        source = net.create(ann.SpikeSourceArray(spike_times=[train.tolist() for train in trains]))
        kick = net.connect(source, population[ids.tolist()], target="exc")
        kick.one_to_one(weights=drive["weight"], delays=drive["delay"])
    monitor = net.monitor(population, "spike")
    net.compile(directory="annarchy_program", silent=True)
    set_values(population, network, np.random.default_rng(request["seed"]))
    worker.pin(request)
    built = worker.mark()
    net.simulate(network["duration"])
    done = worker.mark()

    steps = monitor.get("spike")
    times = np.concatenate([np.asarray(train, dtype=float) for train in steps.values()] + [np.empty(0)]) * worker.STEP
    synapses = sum(projection.nb_synapses for projection in made)
    return worker.answer(
        begin, built, done, neurons=n, synapses=synapses, spikes=len(times), rate=worker.rate(times, n, network)
    )


if __name__ == "__main__":
    worker.serve(version, simulate)
