"""Networks of every kind, by name and seed, that tests/test_state.py stops and restores; and a process that goes on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from calm_networks import busy_network
from random_networks import random_network

import eventsnn as esn
from eventsnn._core.run.engine import Engine
from eventsnn.compile.layout import Net, lay_out
from eventsnn.compile.plan import Plan
from eventsnn.run.samples import sample_times

STOP = 30.0
KINDS = ("random", "few at once", "busy", "varied", "procedural", "spread", "taylor", "crowded")


def network_of(kind: str, seed: int) -> esn.Network:
    if kind in ("random", "few at once"):
        return random_network(seed, STOP, few_at_once=kind == "few at once")
    if kind in ("busy", "varied"):
        return busy_network(seed, STOP, varied=kind == "varied")
    if kind == "taylor":
        return taylor_network(seed)
    return dense_network(kind, seed)


def dense_network(kind: str, seed: int) -> esn.Network:
    """Rows that are made for each spike, with a delay for each synapse or one for all; or delays all over a few ms, a
    few of them nearly zero; or more in a window than is taken at once."""
    rng = np.random.default_rng(seed)
    net = esn.Network(seed=seed)
    model = esn.LIFDelta if rng.random() < 0.4 else esn.LIFExp
    scale = 1.0 if model is esn.LIFDelta else 40.0
    t_ref = float(rng.choice([0.5, 1.0]))
    start = esn.Uniform(-70.0, -55.0)
    cells = net.population(60, model(tau_m=10.0, t_ref=t_ref), name="cells", I_e=410.0, V_m=start)
    least = 0.6 if kind == "crowded" else 0.1  # ms
    delays = [1.5, esn.Uniform(least, 3.0), esn.Normal(1.5, 0.75, low=least, grid=0.1), esn.Exponential(1.0)]
    for k in range(3):
        storage = "procedural" if kind == "procedural" or (kind == "crowded" and k == 1) else "stored"
        by_synapse = esn.Normal(0.3 * scale, 0.3 * scale, low=-2.0 * scale, high=2.0 * scale)
        weight = by_synapse if rng.random() < 0.5 else float(rng.normal(0.2, 0.3)) * scale
        delay = delays[int(rng.integers(0, 4 if kind == "spread" else 3))]
        net.connect(cells, cells, esn.FixedOutDegree(20), weight=weight, delay=delay, storage=storage, name=f"rows{k}")
    if kind == "crowded":
        volleys = [[t + k * 5e-5 for t in (3.0, 11.0, 20.0)] for k in range(1200)]
        sources = net.population(1200, esn.SpikeSource(volleys), name="volleys")
        for k, delay in enumerate([1.0, esn.Uniform(1.0, 1.05), esn.Normal(1.0, 0.05, low=0.9, grid=0.01)]):
            storage = "procedural" if k == seed % 3 else "stored"
            weight = esn.Uniform(-0.01 * scale, 0.01 * scale)
            rule = esn.FixedOutDegree(450 if k == 0 else 30)
            net.connect(sources, cells, rule, weight=weight, delay=delay, storage=storage, name=f"volley{k}")
    net.stimulate(cells, esn.Poisson(1_000.0), weight=0.4 * scale)
    net.record(cells[:3], "V_m", every=0.7)
    return net


def taylor_network(seed: int) -> esn.Network:
    """Models without a closed form, beside each other."""
    rng = np.random.default_rng(seed)
    net = esn.Network(seed=seed)
    models = [
        esn.LIFCondExp(I_e=200.0), esn.LIFCondAlpha(I_e=250.0), esn.Izhikevich(I_e=6.0), esn.AdEx(I_e=700.0),
        esn.HHTraub(I_e=300.0), esn.EIF(I_e=300.0), esn.QIF(I_e=200.0), esn.LIFExp(I_e=350.0),
    ]  # fmt: skip
    chosen = rng.permutation(len(models))[:3]
    cells = [net.population(5, models[k], name=f"cells{k}") for k in chosen]
    for pre in cells:
        for post in cells:
            delay = esn.Uniform(0.3, 2.0) if rng.random() < 0.5 else 1.25
            weight = esn.Uniform(0.0, 3.0)
            net.connect(pre, post, esn.FixedOutDegree(3), weight=weight, delay=delay)
    net.stimulate(cells[0], esn.Poisson(500.0), weight=2.0)
    net.stimulate(cells[1], esn.Gamma(200.0, 2.0), weight=1.0)
    net.stimulate(cells[2], esn.RampCurrent([3.0, 20.0], [0.0, 100.0]))
    net.stimulate(cells[0][:2], esn.SineCurrent(50.0, 60.0))
    for k, population in zip(chosen, cells, strict=True):
        net.record(population, list(population.model.recordables), every=1.3, name=f"probe{k}")
    return net


def laid_out(network: esn.Network) -> tuple[Plan, Net]:
    plan = network.compile("reference").plan
    return plan, lay_out(plan)


def begin(plan: Plan, engine: Engine, stop: float = STOP) -> None:
    """Let all be sampled from the present time on."""
    engine.set_samples([sample_times(probe.every, probe.times, engine.time, stop) for probe in plan.probes])


def outcome(engine: Engine) -> dict[str, Any]:
    """Everything that two runs must have in common from where they began on, as arrays."""
    times, neurons = engine.take_spikes()
    order = np.lexsort((neurons, times))
    found = {"times": times[order], "neurons": neurons[order]}
    for k, samples in enumerate(engine.samples):
        found |= {f"sample {k} {name}": values for name, values in samples.items()}
    if engine.failure is not None:
        neuron, time, reason = engine.failure
        # What belongs to the very time of a failure depends on who came first.
        before = found["times"] < time
        times, neurons = found["times"][before], found["neurons"][before]
        return {"times": times, "neurons": neurons, "failure": np.array([neuron, time, float(reason)])}
    return found | {f"settled {name}": values for name, values in engine.settled().items()}


def go_on(engine: Engine, threads: list[int], budget: int = 5_000, stop: float = STOP) -> None:
    """To the end, with one number of threads after the other."""
    k = 0
    while not engine.advance(stop, budget, threads[k % len(threads)]):
        k += 1


def main() -> None:
    """Restore every state KIND,SEED,THREADS.npz of a folder in this process and write what comes of it beside it."""
    for path in sorted(Path(sys.argv[1]).glob("*.npz")):
        kind, seed, threads = path.stem.split(",")
        plan, net = laid_out(network_of(kind, int(seed)))
        engine = Engine(net)
        with np.load(path) as state:
            engine.restore(state)
        begin(plan, engine)
        go_on(engine, [int(digit) for digit in threads])
        np.savez(path.with_suffix(".out"), **outcome(engine))
        path.with_suffix(".out.npz").rename(path.with_suffix(".out"))


if __name__ == "__main__":
    main()


def laid_out_alone(**limits: int) -> tuple[esn.Network, esn.Population]:
    net = esn.Network(seed=1, **limits)
    return net, net.population(2, esn.LIFDelta(tau_m=10.0, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.0), name="cells")


def same(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """Names of the arrays in which two differ."""
    return [
        name for name in sorted(a.keys() | b.keys()) if name not in a or name not in b or not equal(a[name], b[name])
    ]


def equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
