"""What `set` makes of a description, and of the state of a network that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from eventsnn.base.arrays import Floats, Ints
from eventsnn.compile.neurons import initial_values
from eventsnn.compile.streams import Begins, parameter_key
from eventsnn.describe.currents import InjectedCurrent
from eventsnn.describe.parts import Neurons, Population, Stimulus, altered
from eventsnn.describe.processes.base import PointProcess, Some
from eventsnn.draw.distributions import Distribution
from eventsnn.draw.values import Patched, Value, Values, resolve
from eventsnn.models.base import Model


class Stated(NamedTuple):
    """Values of one variable of the state: slot -1 is V_m, others as the kernels hold them; relative to E_L."""

    slot: int
    neuron: Ints  # numbered through all populations
    values: Floats


@contextmanager
def restoring(part: Any, changes: Mapping[str, Any]) -> Iterator[None]:
    """Give a part of a description other attributes, and its own again if they do not come into use."""
    kept = part.__dict__.copy()
    part.__dict__.update(changes)
    try:
        yield
    except BaseException:
        part.__dict__.clear()
        part.__dict__.update(kept)
        raise


def describe(neurons: Neurons, values: Mapping[str, Value]) -> None:
    """Let neurons begin with these parameters and state."""
    population = neurons.population
    for name, value in values.items():
        held = population.values if name in population.values else population.initial
        if neurons is population:
            held[name] = value
            continue
        if not isinstance(held.get(name), Patched):
            held[name] = Patched(held.get(name), [])  # type: ignore[arg-type]
        held[name].parts.append((neurons.ids, value))  # type: ignore[union-attr]


def patched(neurons: Neurons, values: Values, before: Values) -> dict[str, Value]:
    """Values of a whole population, in which those of some neurons have taken the place of what was before."""
    found: dict[str, Value] = {}
    for name, part in values.items():
        if neurons is neurons.population:
            found[name] = float(part[0]) if part.size == 1 else part
            continue
        whole = np.broadcast_to(before[name], neurons.population.n).copy()
        whole[neurons.ids] = part
        found[name] = whole
    return found


def restated(
    neurons: Neurons, start: int, values: Values, before: Values, present: Values
) -> tuple[list[Stated], list[Stated]]:
    """Variables of the state that are given, and by how much others move, whose potentials stay as E_L changes.

    start: number of the population's first neuron. before: its parameters and initial state before it was changed.
    present: its state, where some is given. InputError for state that the equations cannot take.
    """
    population = neurons.population
    n, model = population.n, population.model
    assert isinstance(model, Model)
    after = initial_values(population)
    state = dict(present)
    for name in present.keys() & values.keys():
        state[name] = present[name].copy()
        state[name][neurons.ids] = values[name]
    given, moved = [], []
    if state:
        v, variables = model.to_state(after, after | state)
    offsets = [model.offsets(these) for these in (before, after)]
    for slot, name in enumerate(("V_m", *model.slots), -1):
        others = state[name] != present[name] if state else np.zeros(n, dtype=bool)
        if others.any():
            ids = np.flatnonzero(others)
            relative = np.broadcast_to(v if slot < 0 else variables[slot], n)
            given.append(Stated(slot, start + ids, relative[ids]))
        old, new = (np.broadcast_to(of.get(name, 0.0), n) for of in offsets)
        ids = np.flatnonzero((old != new) & ~others)
        if ids.size:
            moved.append(Stated(slot, start + ids, (old - new)[ids]))
    return given, moved


def altered_process(
    neurons: Neurons, values: Mapping[str, Any], begins: Begins, time: float
) -> tuple[PointProcess, Floats]:
    """The process of a population in which some neurons have other parameters from a time (ms) on, and when it begins
    for each."""
    population = neurons.population
    assert isinstance(population.model, PointProcess)
    if neurons is population:
        n = population.n
        values = {name: drawn_value(population, "source", name, value, n, time) for name, value in values.items()}
        return altered(population.model, values), np.array([time])
    whole = {}
    for name, value in values.items():
        before, now = (parameter_key(population, "source", name, at) for at in (0.0, time))
        some = Some(neurons.ids, population.n, neurons.name, before, now)
        whole[name] = population.model.with_some(name, value, some)
    begin = np.broadcast_to(begins.get(("source", population.name), np.zeros(1)), population.n).copy()
    begin[neurons.ids] = time
    return altered(population.model, whole), begin


def altered_stimulus(
    stimulus: Stimulus, values: Mapping[str, Any], time: float
) -> tuple[PointProcess | InjectedCurrent, Floats]:
    """The source of a stimulus with other parameters from a time (ms) on, and when it begins."""
    n = sum(len(part) for part in stimulus.targets)
    if isinstance(stimulus.source, PointProcess):
        values = {name: drawn_value(stimulus, "stimulus", name, value, n, time) for name, value in values.items()}
    source = altered(stimulus.source, values) if values else stimulus.source
    if isinstance(source, InjectedCurrent):
        source.require_rows(n, stimulus.name)
    return source, np.array([time])


def weight_of(stimulus: Stimulus, weight: Value, time: float) -> Value:
    """Weights of a stimulus that are set at a time (ms)."""
    n = sum(len(part) for part in stimulus.targets)
    drawn: Value = drawn_value(stimulus, "stimulus", "weight", weight, n, time)
    return drawn


def drawn_value(part: Population | Stimulus, use: str, name: str, value: Any, n: int, time: float) -> Any:
    """A value that is set at a time (ms); one that is drawn has other draws at each."""
    if time == 0.0 or not isinstance(value, Distribution) or name == "intervals":
        return value
    return resolve(value, n, f"{part.name}: {name}", parameter_key(part, use, name, time))
