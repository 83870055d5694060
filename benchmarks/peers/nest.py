"""NEST, on its grid or, if the request asks for it, with its precise models (the `_ps` ones)."""

import math
from typing import Any

import numpy as np

from peers import wiring, worker

MODELS = {"delta": "iaf_psc_delta", "exp": "iaf_psc_exp", "cond": "iaf_cond_exp"}
RULES = {
    "indegree": "fixed_indegree", "outdegree": "fixed_outdegree", "probability": "pairwise_bernoulli",
    "total": "fixed_total_number",
}  # fmt: skip
ARGUMENTS = {"probability": "p", "total": "N"}  # of a rule that calls its number otherwise than we do


def version() -> str:
    import nest

    return nest.__version__


def value(v: Any, low: float | None = None) -> Any:
    """A number or NEST's distribution, not below `low`."""
    import nest

    if not isinstance(v, dict):
        return v if low is None else max(v, low)
    name, a, b, limits = worker.distribution(v)
    drawn = {"uniform": nest.random.uniform, "normal": nest.random.normal}[name](a, b)
    if limits:  # it rounds to its grid by itself
        half = limits.get("grid", 0.0) / 2.0
        least, most = limits.get("low", -math.inf) - half, limits.get("high", math.inf) + half
        drawn = nest.math.redraw(drawn, least, most)
    return drawn if low is None else nest.math.max(drawn, low)


def populations(network: dict[str, Any], neurons: Any) -> dict[str, Any]:
    first, parts = 0, {}
    for name, n in network["populations"].items():
        parts[name] = neurons[first : first + n]
        first += n
    return parts


def connect(network: dict[str, Any], neurons: Any, parts: dict[str, Any]) -> None:
    """Each part has a synapse model for all that it sends to others, since one holds 134 million synapses at most."""
    import nest

    for k, p in enumerate(network["projections"]):
        name, number = p["rule"]
        if name == "wiring":
            made = wiring.synapses(number, len(neurons))
            first = neurons[0].global_id
            delays = np.full(made.pre.size, p["delay"])
            synapse = {"weight": made.weight, "delay": delays}
            nest.Connect(first + made.pre, first + made.post, "one_to_one", synapse)
            continue
        rule = {"rule": RULES[name], ARGUMENTS.get(name, name): number}
        if name == "probability":
            rule["allow_autapses"] = False
        synapse = {"delay": value(p["delay"], worker.STEP)}
        if network["stored"]:
            synapse |= {"synapse_model": own_model(p["pre"]), "weight": value(p["weight"])}
        else:
            synapse["synapse_model"] = f"shared_{k}"
            nest.CopyModel("static_synapse_hom_w", synapse["synapse_model"], {"weight": p["weight"]})
        nest.Connect(parts[p["pre"]], parts[p["post"]] if "post" in p else neurons, rule, synapse)


def own_model(population: str) -> str:
    import nest

    name = f"from_{population}"
    if name not in nest.synapse_models:
        nest.CopyModel("static_synapse", name)
    return name


def counters(network: dict[str, Any], parts: dict[str, Any], precise: bool) -> Any:
    """One for each population: a neuron that never fires or forgets, and whose V is the number of spikes.

    A recorder takes 33 kB for each neuron that is connected to it.
    """
    import nest

    endless = {"tau_m": 1e15, "C_m": 1.0, "E_L": 0.0, "V_m": 0.0, "V_th": 1e30}
    made = nest.Create("iaf_psc_delta" + ("_ps" if precise else ""), len(parts), params=endless)
    for k, (name, part) in enumerate(parts.items()):
        model = own_model(name) if network["stored"] else "static_synapse"
        nest.Connect(part, made[k], syn_spec={"synapse_model": model, "weight": 1.0, "delay": worker.STEP})
    return made


def drive_with(network: dict[str, Any], neurons: Any, parts: list[Any], precise: bool) -> tuple[int, int]:
    """The drive; returns how many connections it takes, and how many spikes of its own NEST counts.

    No delay is shorter than the network's: that would slow NEST.
    """
    import nest

    drive = network["drive"]
    if drive["kind"] == "current":
        neurons.I_e = drive["amplitude"]
    if drive["kind"] == "poisson":
        rates = drive["rate"] if isinstance(drive["rate"], list) else [drive["rate"]]
        driven = [(r, part) for r, part in zip(rates, parts if len(rates) > 1 else [neurons], strict=True) if r]
        for rate, part in driven:
            source = nest.Create("poisson_generator" + ("_ps" if precise else ""), params={"rate": rate})
            nest.Connect(source, part, syn_spec={"weight": drive["weight"], "delay": drive["delay"]})
        return sum(len(part) for _, part in driven), 0
    if drive["kind"] == "kicks":
        ids, trains = worker.kicks(drive, len(neurons), network["duration"])
        when = {"precise_times" if precise else "allow_offgrid_times": True}
        # Not a spike_generator, of which each takes 37 kB for its connections.
        source = nest.Create("spike_train_injector", len(ids), [{"spike_times": train, **when} for train in trains])
        synapse = {"weight": drive["weight"], "delay": drive["delay"]}
        nest.Connect(source, neurons[ids.tolist()], "one_to_one", synapse)
        return len(ids), drive["spikes"]
    return 0, 0


def simulate(request: dict[str, Any]) -> dict[str, Any]:
    import nest

    network, precise = request["network"], request["precise"]
    worker.pin(request)
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=worker.STEP, rng_seed=request["seed"], local_num_threads=request["threads"])

    begin = worker.mark()
    parameters = {name: value(v) for name, v in network["parameters"].items()}
    model = MODELS[network["model"]] + ("_ps" if precise else "")
    neurons = nest.Create(model, sum(network["populations"].values()), params=parameters)
    parts = populations(network, neurons)
    for k, part in enumerate(parts.values()):
        part.V_m = value(worker.of(network["V_m"], k))
        if "I_e" in network:
            part.I_e = worker.of(network["I_e"], k)
    connect(network, neurons, parts)
    others, own_spikes = drive_with(network, neurons, list(parts.values()), precise)
    # Where populations differ. The shortest delay there is the counters' anyway, so that they slow nothing.
    counting = counters(network, parts, precise) if isinstance(network["V_m"], list) else None
    nest.Prepare()
    built = worker.mark()
    transient, early, before = network["transient"], 0, np.zeros(len(parts))
    if transient:
        nest.Run(transient)
        early = nest.local_spike_counter
        if counting:
            before = np.array(counting.V_m)
    nest.Run(network["duration"] - transient)
    late = nest.local_spike_counter - own_spikes
    done = worker.mark()

    n, seconds = len(neurons), (network["duration"] - transient) / 1000.0
    counts = {}
    if counting:
        others += n
        found = (np.array(counting.V_m) - before) / list(network["populations"].values()) / seconds
        counts["rates"] = dict(zip(parts, found.tolist(), strict=True))
    return worker.answer(
        begin, built, done, neurons=n, synapses=nest.num_connections - others, spikes=early + late,
        rate=late / n / seconds, **counts,
    )  # fmt: skip


if __name__ == "__main__":
    worker.serve(version, simulate)
