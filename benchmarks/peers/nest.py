"""NEST, on its grid or, if the request asks for it, with its precise models (the `_ps` ones)."""

from typing import Any

from peers import worker

MODELS = {"delta": "iaf_psc_delta", "exp": "iaf_psc_exp"}
RULES = {"indegree": "fixed_indegree", "outdegree": "fixed_outdegree", "probability": "pairwise_bernoulli"}


def version() -> str:
    import nest

    return nest.__version__


def value(v: Any, low: float | None = None) -> Any:
    """A number or NEST's distribution, not below `low`."""
    import nest

    if not isinstance(v, dict):
        return v if low is None else max(v, low)
    [(name, numbers)] = v.items()
    drawn = {"uniform": nest.random.uniform, "normal": nest.random.normal}[name](*numbers)
    return drawn if low is None else nest.math.max(drawn, low)


def connect(network: dict[str, Any], neurons: Any) -> None:
    import nest

    first, parts = 0, {}
    for name, n in network["populations"].items():
        parts[name] = neurons[first : first + n]
        first += n
    for k, p in enumerate(network["projections"]):
        name, number = p["rule"]
        rule = {"rule": RULES[name], {"probability": "p"}.get(name, name): number}
        if name == "probability":
            rule["allow_autapses"] = False
        synapse = {"delay": value(p["delay"], worker.STEP)}
        if network["stored"]:
            synapse["weight"] = value(p["weight"])
        else:
            synapse["synapse_model"] = f"shared_{k}"
            nest.CopyModel("static_synapse_hom_w", synapse["synapse_model"], {"weight": p["weight"]})
        nest.Connect(parts[p["pre"]], neurons, rule, synapse)


def drive_with(network: dict[str, Any], neurons: Any, precise: bool) -> tuple[int, int]:
    """The drive; returns how many connections it takes, and how many spikes of its own NEST counts.

    No delay is shorter than the network's: that would slow NEST.
    """
    import nest

    drive = network["drive"]
    if drive["kind"] == "current":
        neurons.I_e = drive["amplitude"]
    if drive["kind"] == "poisson":
        source = nest.Create("poisson_generator" + ("_ps" if precise else ""), params={"rate": drive["rate"]})
        nest.Connect(source, neurons, syn_spec={"weight": drive["weight"], "delay": drive["delay"]})
        return len(neurons), 0
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
    neurons.V_m = value(network["V_m"])
    connect(network, neurons)
    others, own_spikes = drive_with(network, neurons, precise)
    nest.Prepare()
    built = worker.mark()
    # NEST counts its spikes; a recorder takes 33 kB for each neuron that is connected to it.
    transient, early = network["transient"], 0
    if transient:
        nest.Run(transient)
        early = nest.local_spike_counter
    nest.Run(network["duration"] - transient)
    late = nest.local_spike_counter - own_spikes
    done = worker.mark()

    n = len(neurons)
    return worker.answer(
        begin, built, done,
        neurons=n, synapses=nest.num_connections - others, spikes=early + late,
        rate=late / n / (network["duration"] - transient) * 1000.0,
    )  # fmt: skip


if __name__ == "__main__":
    worker.serve(version, simulate)
