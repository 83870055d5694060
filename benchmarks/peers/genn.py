"""GeNN's single-threaded CPU backend, on its grid and in its default precision, float32.

Linear equations take their exact step, conductances an exponential one. What its compiler spends is not counted, since
it is another process.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from peers import wiring, worker

PORTS = ("ex", "in")
ADVANCE = {
    "delta": "V = V_inf + (V - V_inf) * decay + in_ex + in_in;",
    "exp": "V = V_inf + (V - V_inf) * decay + to_ex * in_ex + to_in * in_in;",
    "cond": """
        const scalar g = g_L + in_ex + in_in;
        const scalar V_inf = (g_L * E_L + in_ex * E_ex + in_in * E_in) / g;
        V = V_inf + (V - V_inf) * exp(-dt * g / C_m);""",
}
# Poisson numbers of inputs a step, each of `weight`, to a current that decays by a factor a step, if it does not end.
EXTERNAL = """
    scalar p = gennrand_uniform();
    while (p > none) {
        current += weight;
        p *= gennrand_uniform();
    }
    injectCurrent(current);
    current *= decay;"""


def version() -> str:
    from importlib.metadata import version

    import pygenn  # noqa: F401

    return version("pygenn")


def steps(delay: float) -> int:
    """Without a delay an input arrives a step after its spike."""
    return max(round(delay / worker.STEP) - 1, 0)


def initial(v: Any) -> Any:
    import pygenn as g

    if not isinstance(v, dict):
        return v
    name, a, b = worker.unlimited(v)
    return g.init_var(*(("Uniform", {"min": a, "max": b}) if name == "uniform" else ("Normal", {"mean": a, "sd": b})))


def of_neurons(network: dict[str, Any], draws: np.random.Generator, n: int) -> dict[str, Any]:
    """What the equations name: numbers, or an array where a value differs from neuron to neuron."""
    p, drive = network["parameters"], network["drive"]
    if network["model"] == "cond":
        return {name: p[name] for name in ("g_L", "E_L", "E_ex", "E_in", "C_m", "V_th", "V_reset")}
    drawn = {}
    for name in ("tau_m", "V_th"):
        drawn[name] = p[name]
        if isinstance(p[name], dict):
            kind, a, b = worker.unlimited(p[name])
            drawn[name] = draws.uniform(a, b, n) if kind == "uniform" else draws.normal(a, b, n)
    tau_m = drawn["tau_m"]
    current = drive["amplitude"] * tau_m / p["C_m"] if drive["kind"] == "current" else 0.0
    names = {"V_inf": p["E_L"] + current, "decay": np.exp(-worker.STEP / tau_m), "V_th": drawn["V_th"]}
    names |= {"V_reset": p["V_reset"]}
    if network["model"] == "exp":
        for port in PORTS:
            tau = p[f"tau_syn_{port}"]
            factor = tau * tau_m / (tau_m - tau) / p["C_m"]
            names[f"to_{port}"] = factor * (np.exp(-worker.STEP / tau_m) - np.exp(-worker.STEP / tau))
    return names


def populations(model: Any, network: dict[str, Any], draws: np.random.Generator) -> dict[str, Any]:
    import pygenn as g

    parts = {}
    for k, (name, n) in enumerate(network["populations"].items()):
        values = of_neurons(network, draws, n)
        each = {key: value for key, value in values.items() if np.ndim(value)}
        one = {key: float(value) for key, value in values.items() if not np.ndim(value)}
        neuron = g.create_neuron_model(
            "neuron", params=[*one, ("held", "unsigned int")],
            vars=[("V", "scalar"), ("left", "unsigned int"), *((key, "scalar") for key in each)],
            additional_input_vars=[(f"in_{port}", "scalar", 0.0) for port in PORTS],
            sim_code=f"if (left > 0) left--; else {{ {ADVANCE[network['model']]} }}",
            threshold_condition_code="left == 0 && V >= V_th", reset_code="V = V_reset; left = held;",
        )  # fmt: skip
        held = round(network["parameters"]["t_ref"] / worker.STEP)
        state = {"V": initial(worker.of(network["V_m"], k)), "left": 0, **each}
        parts[name] = model.add_neuron_population(name, n, neuron, one | {"held": held}, state)
        parts[name].spike_recording_enabled = True
    return parts


def fade(network: dict[str, Any], port: str) -> float:
    """What is left of an input after a step."""
    p = network["parameters"]
    return 0.0 if network["model"] == "delta" else float(np.exp(-worker.STEP / p[f"tau_syn_{port}"]))


@functools.cache  # since nobody else keeps it
def late() -> Any:
    import pygenn as g

    draw = "value = (uint8_t)(low + (high - low) * gennrand_uniform());"
    return g.create_var_init_snippet("late", params=["low", "high"], var_init_code=draw)


def add_synapses(
    model: Any, network: dict[str, Any], ends: tuple[Any, Any], weight: Any, delay: Any, connectivity: Any
) -> Any:
    """Those of a rule, or, if connectivity is None, those that the caller sets: then weight is an array."""
    import pygenn as g

    port = PORTS[int(np.mean(weight) < 0.0 if isinstance(weight, np.ndarray) else worker.mean(weight) < 0.0)]
    if network["model"] == "cond":
        weight = abs(weight)
    receive = g.create_postsynaptic_model("receive", params=["decay"], sim_code="injectCurrent(inSyn); inSyn *= decay;")
    name = "StaticPulse"
    if isinstance(delay, dict):
        kind, low, high = worker.unlimited(delay)
        if kind != "uniform":
            raise worker.Unsupported("delays are drawn from uniform distributions only")
        # Rounded to the grid, none below a step.
        slots = (max(low / worker.STEP - 0.5, 0.0), high / worker.STEP - 0.5)
        variables = {"g": initial(weight), "d": g.init_var(late(), {"low": slots[0], "high": slots[1]})}
        update = g.init_weight_update("StaticPulseDendriticDelay", {}, variables)
    elif network["stored"]:
        update = g.init_weight_update(name, {}, {"g": initial(weight)})
    else:
        update = g.init_weight_update("StaticPulseConstantWeight", {"g": weight})
    rule = [] if connectivity is None else [connectivity]
    made = model.add_synapse_population(
        f"synapses_{len(model.synapse_populations)}", "SPARSE", *ends, update,
        g.init_postsynaptic(receive, {"decay": fade(network, port)}), *rule,
    )  # fmt: skip
    made.post_target_var = f"in_{port}"
    if isinstance(delay, dict):
        made.max_dendritic_delay_timesteps = int(slots[1]) + 2
    else:
        made.axonal_delay_steps = steps(delay)
    return made


def connect(model: Any, network: dict[str, Any], parts: dict[str, Any]) -> None:
    import pygenn as g

    for p in network["projections"]:
        name, number = p["rule"]
        if name == "wiring":
            wire(model, network, parts, wiring.synapses(number, sum(network["populations"].values())), p["delay"])
            continue
        if "post" in p or name == "outdegree" and len(parts) > 1:
            raise worker.Unsupported("this rule is not written yet")
        pre = parts[p["pre"]]
        for post in parts.values():
            rule = {
                "indegree": ("FixedNumberPreWithReplacement", {"num": number}),
                "outdegree": ("FixedNumberPostWithReplacement", {"num": number}),
                "probability": ("FixedProbabilityNoAutapse" if pre is post else "FixedProbability", {"prob": number}),
            }[name]
            add_synapses(model, network, (pre, post), p["weight"], p["delay"], g.init_sparse_connectivity(*rule))


def wire(model: Any, network: dict[str, Any], parts: dict[str, Any], made: wiring.Synapses, delay: float) -> None:
    first = np.concatenate([[0], np.cumsum(list(network["populations"].values()))])
    source, target = (np.searchsorted(first, ids, side="right") - 1 for ids in (made.pre, made.post))
    for j, pre in enumerate(parts.values()):
        for k, post in enumerate(parts.values()):
            for mine in ((made.weight > 0.0), (made.weight < 0.0)):
                here = np.flatnonzero((source == j) & (target == k) & mine)
                if here.size:
                    group = add_synapses(model, network, (pre, post), made.weight[here], delay, None)
                    group.set_sparse_connections(made.pre[here] - first[j], made.post[here] - first[k])


def drive_with(model: Any, network: dict[str, Any], parts: dict[str, Any]) -> None:
    import pygenn as g

    drive = network["drive"]
    if drive["kind"] == "poisson":
        source = g.create_current_source_model(
            "external", params=["weight", "decay", "none"], vars=[("current", "scalar")], injection_code=EXTERNAL
        )
        for k, (name, part) in enumerate(parts.items()):
            if rate := worker.of(drive["rate"], k):
                none = float(np.exp(-rate / 1000.0 * worker.STEP))
                values = {"weight": drive["weight"], "decay": fade(network, "ex"), "none": none}
                made = model.add_current_source(f"external_{name}", source, part, values, {"current": 0.0})
                made.target_var = "in_ex"
    elif drive["kind"] == "kicks":
        kick(model, network, parts)


def kick(model: Any, network: dict[str, Any], parts: dict[str, Any]) -> None:
    drive, sizes = network["drive"], [part.num_neurons for part in parts.values()]
    ids, trains = worker.kicks(drive, sum(sizes), network["duration"])
    bound = np.concatenate([[0], np.cumsum([train.size for train in trains])])
    first = 0
    for name, size in zip(parts, sizes, strict=True):
        here = np.flatnonzero((ids >= first) & (ids < first + size))
        state = {"startSpike": bound[here], "endSpike": bound[here + 1]}
        source = model.add_neuron_population(f"kicks_{name}", here.size, "SpikeSourceArray", {}, state)
        source.extra_global_params["spikeTimes"].set_init_values(np.concatenate(trains))
        shared = network | {"stored": False}
        group = add_synapses(model, shared, (source, parts[name]), drive["weight"], drive["delay"], None)
        group.set_sparse_connections(np.arange(here.size), ids[here] - first)
        first += size


def simulate(request: dict[str, Any]) -> dict[str, Any]:
    import pygenn as g

    network = request["network"]
    begin = worker.mark()
    # Compiled anew in each repeat, as whatever its description has not in common with the first.
    # Optimised, which also keeps it from denormal numbers: without, coba takes several times as long.
    model = g.GeNNModel("float", "network", backend="single_threaded_cpu", optimize_code=True)
    model.dt, model.seed, model.fuse_postsynaptic_models = worker.STEP, request["seed"], True
    parts = populations(model, network, np.random.default_rng(request["seed"]))
    connect(model, network, parts)
    drive_with(model, network, parts)
    count = round(network["duration"] / worker.STEP)
    model.build(str(Path(request["folder"])))
    worker.pin(request)
    model.load(num_recording_timesteps=count)
    built = worker.mark()
    for _ in range(count):
        model.step_time()
    done = worker.mark()

    model.pull_recording_buffers_from_device()
    recorded = [part.spike_recording_data[0] for part in parts.values()]
    first = np.concatenate([[0], np.cumsum(list(network["populations"].values()))])
    times = np.concatenate([times for times, _ in recorded])
    ids = np.concatenate([ids + start for (_, ids), start in zip(recorded, first, strict=False)]).astype(np.int64)
    n = int(first[-1])
    groups = [group for name, group in model.synapse_populations.items() if not group.src.name.startswith("kicks")]
    synapses = 0
    for group in groups:
        group._row_lengths.pull_from_device()
        synapses += int(np.sum(group._row_lengths.view))
    return worker.answer(
        begin, built, done, neurons=n, synapses=synapses, spikes=len(times), rate=worker.rate(times, n, network),
        **wiring.counts(network, ids),
    )  # fmt: skip


if __name__ == "__main__":
    worker.serve(version, simulate)
