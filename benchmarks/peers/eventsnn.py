"""eventsnn itself, from the same description as its peers."""

from pathlib import Path
from typing import Any

import numpy as np

from peers import worker

MODELS = {"delta": "LIFDelta", "exp": "LIFExp"}


def version() -> str:
    import eventsnn

    return eventsnn.__version__


def build(network: dict[str, Any], seed: int) -> Any:
    """The network, or the scenario that the description names."""
    import eventsnn as esn
    from eventsnn import scenario

    if "scenario" in network:
        try:
            return scenario.load(network["scenario"]).build(seed=seed, **network["parameters"])
        except esn.InputError as error:
            raise worker.Unsupported(str(error).partition(" (")[0]) from None

    def value(v: Any, stored: bool = False) -> Any:
        if isinstance(v, dict):
            [(name, numbers)] = v.items()
            return {"uniform": esn.Uniform, "normal": esn.Normal}[name](*numbers)
        return esn.Uniform(v, v) if stored else v

    def rule(name: str, number: Any) -> Any:
        if name == "probability":
            return esn.FixedProbability(number, autapses=False)
        return {"indegree": esn.FixedInDegree, "outdegree": esn.FixedOutDegree}[name](number)

    net = esn.Network(seed=seed)
    parameters = {name: value(v) for name, v in network["parameters"].items()}
    model = getattr(esn, MODELS[network["model"]])(**parameters)
    parts = {
        name: net.population(n, model, name=name, V_m=value(network["V_m"]))
        for name, n in network["populations"].items()
    }
    everyone = list(parts.values())
    for p in network["projections"]:
        weight = value(p["weight"], network["stored"])
        net.connect(parts[p["pre"]], everyone, rule(*p["rule"]), weight=weight, delay=value(p["delay"]))
    drive_with(net, everyone, network)
    return net


def drive_with(net: Any, parts: list[Any], network: dict[str, Any]) -> None:
    import eventsnn as esn

    drive = network["drive"]
    if drive["kind"] == "poisson":
        net.stimulate(parts, esn.Poisson(drive["rate"]), weight=drive["weight"], name="external")
    elif drive["kind"] == "current":
        net.stimulate(parts, esn.StepCurrent([0.0], [drive["amplitude"]]), name="external")
    elif drive["kind"] == "kicks":
        [neurons] = parts
        ids, trains = worker.kicks(drive, len(neurons), network["duration"])
        source = net.population(len(ids), esn.SpikeSource(trains), name="kicks")
        net.connect(source, neurons[ids], esn.OneToOne(), weight=drive["weight"], delay=drive["delay"])
        net.record(neurons, "spikes")


def simulate(request: dict[str, Any]) -> dict[str, Any]:
    # What the modules hold is no part of the network.
    from eventsnn import compilation, engine, scenario  # noqa: F401

    network = request["network"]
    worker.pin(request)
    begin = worker.mark()
    simulation = build(network, request["seed"]).compile()
    built = worker.mark()
    results = simulation.run(network["duration"], threads=request["threads"])
    done = worker.mark()

    starts = {p.name: p.start for p in simulation.plan.populations}
    times = np.concatenate([trains.times for trains in results.spikes.values()])
    ids = np.concatenate([trains.ids + starts[name] for name, trains in results.spikes.items()])
    np.save(Path(request["folder"]) / "spikes.npy", ids[np.argsort(times, kind="stable")].astype(np.int32))
    neurons = sum(trains.n for trains in results.spikes.values())
    return worker.answer(
        begin, built, done,
        neurons=neurons,
        synapses=simulation.plan.n_synapses,
        spikes=len(times),
        rate=worker.rate(times, neurons, network),
        events=results.summary["synaptic_events"] + results.summary["external_events"],
        threads=results.summary["threads"],
    )  # fmt: skip


if __name__ == "__main__":
    worker.serve(version, simulate)
