"""Random changes of a network that lives: of parameters, state, drives, weights, spikes and recordings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import eventsnn as esn
from eventsnn.models.base import Model

# Around what the networks of random_networks.py have.
VALUES: dict[str, list[float]] = {
    "V_th": [-2.0, 0.0, 1.0, 5.0], "V_reset": [-3.0, 0.0, 2.0], "E_L": [-1.0, 0.5, 4.0],
    "t_ref": [-1.0, 0.0, 0.125, 2.0], "I_e": [-100.0, 0.0, 150.0, 600.0],
}  # fmt: skip
FACTORS = [0.25, 0.5, 1.0, 1.3, 2.0]


def random_change(net: esn.Network, rng: np.random.Generator) -> str:
    """Change one thing; what was changed, or the sentence with which it was refused."""
    kinds: list[Callable[[esn.Network, np.random.Generator], str]] = [
        parameters, parameters, state, state, stimulus, stimulus, process, spikes, weights, recording
    ]  # fmt: skip
    kind = kinds[rng.integers(len(kinds))]
    try:
        return kind(net, rng)
    except esn.InputError as error:
        return str(error)


def some(population: esn.Population, rng: np.random.Generator) -> esn.Population:
    """The population, or some of its neurons."""
    if rng.random() < 0.5:
        return population
    first = int(rng.integers(len(population)))
    return population[first : first + 1 + int(rng.integers(len(population)))]


def one_of(parts, rng):
    parts = list(parts)
    return parts[rng.integers(len(parts))] if parts else None


def parameters(net, rng):
    population = one_of((p for p in net.populations.values() if isinstance(p.model, Model)), rng)
    neurons = some(population, rng)
    known = [name for name in population.values if name in VALUES or name.startswith(("tau", "C_m", "g"))]
    name = known[rng.integers(len(known))]
    now = population.get(name)[neurons.ids]
    value = now + rng.choice(VALUES[name], len(neurons)) if name in VALUES else now * rng.choice(FACTORS)
    neurons.set(**{name: value})
    return f"{neurons.name}.{name}"


def state(net, rng):
    population = one_of((p for p in net.populations.values() if isinstance(p.model, Model)), rng)
    neurons = some(population, rng)
    name = population.model.state_variables[rng.integers(len(population.model.state_variables))]
    now = neurons.state(name)
    value = now + rng.choice([-8.0, -1.0, 0.0, 0.5, 6.0, 20.0], len(neurons))
    if not name.startswith("V") and rng.random() < 0.5:
        value = now * rng.choice(FACTORS)
    if name == "V_m" and "V_th" in population.values and rng.random() < 0.3:
        value = population.get("V_th")[neurons.ids]
    neurons.set(**{name: value})
    return f"{neurons.name}.{name}"


def stimulus(net, rng):
    chosen = one_of(net.stimuli.values(), rng)
    if chosen is None:
        return "no stimulus"
    source = chosen.source
    if isinstance(source, esn.Poisson):
        if rng.random() < 0.4:
            chosen.set(weight=float(rng.choice([-3.0, 0.5, 2.0])))
        else:
            chosen.set(rate=float(rng.choice([0.0, 100.0, 700.0, 3_000.0])))
    elif isinstance(source, esn.StepCurrent):
        times = np.unique(net.time + np.append(rng.uniform(-10.0, 20.0, 4), 0.0).clip(-net.time))
        chosen.set(times=times, amplitudes=np.round(rng.normal(50.0, 200.0, times.size)))
    elif isinstance(source, esn.SineCurrent):
        chosen.set(amplitude=float(rng.choice([0.0, 100.0])), frequency=float(rng.choice([20.0, 300.0])))
    elif isinstance(source, esn.RampCurrent):
        chosen.set(amplitudes=source.amplitudes * rng.choice(FACTORS))
    else:
        name = "rate" if hasattr(source, "rate") else None
        if name is None:
            return "nothing"
        chosen.set(rate=float(rng.choice([0.0, 100.0, 700.0])))
    return chosen.name


def process(net, rng):
    population = one_of((p for p in net.populations.values() if hasattr(p.model, "rate")), rng)
    if population is None:
        return "no process"
    neurons = some(population, rng)
    neurons.set(rate=rng.choice([0.0, 200.0, 900.0], len(neurons)))
    return neurons.name


def spikes(net, rng):
    population = one_of((p for p in net.populations.values() if isinstance(p.model, esn.SpikeSource)), rng)
    if population is None:
        return "no spikes"
    neurons = some(population, rng)
    times = np.round(rng.uniform(0.0, 20.0, 12) * 8.0) / 8.0
    ids = rng.integers(0, len(neurons), 12)
    if rng.random() < 0.5:
        neurons.set(times=times, ids=ids, relative=True)
    else:
        neurons.push(times, ids, relative=True)
    return neurons.name


def weights(net, rng):
    projection = one_of(net.projections.values(), rng)
    if projection is None:
        return "no projection"
    now, factor = projection.get("weight"), float(rng.choice([-1.0, 0.5, 1.5]))
    low, high = np.sort(factor * np.append(now, 0.0)[[0, -1]]).tolist()
    chosen = [factor * now, factor * float(now[:1].sum()), esn.Uniform(low, high)][rng.integers(3)]
    projection.set(weight=chosen)
    return projection.name


def recording(net, rng):
    population = one_of((p for p in net.populations.values() if isinstance(p.model, Model)), rng)
    name = f"more{len(net.probes)}"
    net.record(some(population, rng), "V_m", every=float(rng.choice([0.5, 1.7])), name=name)
    return name
