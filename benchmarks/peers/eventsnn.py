"""eventsnn itself, from the same description as its peers."""

from pathlib import Path
from typing import Any

import numpy as np

from peers import wiring, worker

MODELS = {"delta": "LIFDelta", "exp": "LIFExp", "cond": "LIFCondExp"}


def version() -> str:
    import eventsnn

    return eventsnn.__version__


def build(network: dict[str, Any], seed: int) -> Any:
    import eventsnn as esn

    def value(v: Any, stored: bool = False) -> Any:
        if not isinstance(v, dict):
            return esn.Uniform(v, v) if stored else v
        name, a, b, limits = worker.distribution(v)
        return {"uniform": esn.Uniform, "normal": esn.Normal}[name](a, b, **limits)

    def rule(name: str, number: Any) -> Any:
        if name == "probability":
            return esn.FixedProbability(number, autapses=False)
        return rules[name](number)

    rules = {"indegree": esn.FixedInDegree, "outdegree": esn.FixedOutDegree, "total": esn.FixedTotalNumber}
    net = esn.Network(seed=seed)
    parameters = {name: value(v) for name, v in network["parameters"].items()}
    model = getattr(esn, MODELS[network["model"]])(**parameters)
    parts = {}
    for k, (name, n) in enumerate(network["populations"].items()):
        state = {key: value(worker.of(network[key], k)) for key in ("V_m", "I_e") if key in network}
        parts[name] = net.population(n, model, name=name, **state)
    everyone = list(parts.values())
    for p in network["projections"]:
        if p["rule"][0] == "wiring":
            made = wiring.synapses(p["rule"][1], sum(network["populations"].values()))
            pairs = esn.Explicit(made.pre, made.post)
            net.connect(everyone, everyone, pairs, weight=made.weight, delay=p["delay"])
            continue
        weight = value(p["weight"], network["stored"])
        post = parts[p["post"]] if "post" in p else everyone
        net.connect(parts[p["pre"]], post, rule(*p["rule"]), weight=weight, delay=value(p["delay"]))
    drive_with(net, everyone, network)
    return net


def drive_with(net: Any, parts: list[Any], network: dict[str, Any]) -> None:
    import eventsnn as esn

    drive = network["drive"]
    if drive["kind"] == "poisson":
        if not isinstance(drive["rate"], list):
            net.stimulate(parts, esn.Poisson(drive["rate"]), weight=drive["weight"], name="external")
            return
        for part, rate in zip(parts, drive["rate"], strict=True):
            if rate:
                net.stimulate(part, esn.Poisson(rate), weight=drive["weight"])
    elif drive["kind"] == "current":
        net.stimulate(parts, esn.StepCurrent([0.0], [drive["amplitude"]]), name="external")
    elif drive["kind"] == "kicks":
        sizes = [len(part) for part in parts]
        ids, trains = worker.kicks(drive, sum(sizes), network["duration"])
        source = net.population(len(ids), esn.SpikeSource(trains), name="kicks")
        first = 0
        for part, size in zip(parts, sizes, strict=True):
            here = np.flatnonzero((ids >= first) & (ids < first + size))
            ends = source[here], part[ids[here] - first]
            net.connect(*ends, esn.OneToOne(), weight=drive["weight"], delay=drive["delay"])
            net.record(part, "spikes")
            first += size


def simulate(request: dict[str, Any]) -> dict[str, Any]:
    # What the modules hold is no part of the network.
    import eventsnn.network  # noqa: F401

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
    rates = {name: worker.rate(trains.times, trains.n, network) for name, trains in results.spikes.items()}
    return worker.answer(
        begin, built, done,
        neurons=neurons,
        synapses=simulation.plan.n_synapses,
        spikes=len(times),
        rate=worker.rate(times, neurons, network),
        rates=rates,
        events=results.summary["synaptic_events"] + results.summary["external_events"],
        threads=results.summary["threads"],
    )  # fmt: skip


if __name__ == "__main__":
    worker.serve(version, simulate)
