"""compile_neurons: parameters and initial state of all neurons, and the constants of their equations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError
from eventsnn.compile.plausible import warn_of_si
from eventsnn.describe.description import Description
from eventsnn.describe.parts import Neurons, Population
from eventsnn.draw.streams import stream_key
from eventsnn.draw.values import Patched, Value, Values, resolve, resolve_some
from eventsnn.models.base import Model


def compile_neurons(description: Description, starts: dict[str, int], n: int) -> dict[str, Any]:
    populations = [p for p in description.populations.values() if isinstance(p.model, Model)]
    models: tuple[Any, ...] = tuple(population.model for population in populations)
    tables: list[Floats] = []
    class_of = np.full(n, -1, dtype=np.int32)
    v, I_e = np.zeros(n), np.zeros(n)
    variables = np.zeros((n, max((len(model.slots) for model in models), default=0)))
    classes = 0
    for population, model in zip(populations, models, strict=True):
        values = initial_values(population)
        warn_of_si(model, values, population.name)
        block = slice(starts[population.name], starts[population.name] + population.n)
        constants = _constants(model, values, population.n, population.name)
        tables.append(constants)
        class_of[block] = classes + (np.arange(population.n) if constants.shape[1] > 1 else 0)
        classes += constants.shape[1]
        v[block], slots = model.to_state(values, values)
        for slot, value in enumerate(slots):
            variables[block, slot] = value
        I_e[block] = values["I_e"]
    table = np.zeros((classes, max((len(constants) for constants in tables), default=1)))
    class_model = np.repeat(np.arange(len(tables)), [constants.shape[1] for constants in tables]).astype(np.int32)
    at = 0
    for constants in tables:
        table[at : at + constants.shape[1], : constants.shape[0]] = constants.T
        at += constants.shape[1]
    return {
        "models": models, "class_of": class_of, "class_model": class_model, "constants": table,
        "v": v, "variables": variables, "I_e": I_e,
    }  # fmt: skip


def initial_values(population: Population) -> Values:
    """Parameters and initial state of a population as arrays of one or n elements, checked."""
    model = population.model
    if not isinstance(model, Model):
        return {}

    def whole(given: Mapping[str, Value | Patched]) -> Values:
        without = [name for name, value in given.items() if isinstance(value, Patched) and value.base is None]
        bases: dict[str, Any] = {k: v.base if isinstance(v, Patched) else v for k, v in given.items()}
        return {name: value_of(population, name, base) for name, base in bases.items() if name not in without}

    def patched(given: Mapping[str, Value | Patched], values: Values) -> Values:
        patches = {name: value for name, value in given.items() if isinstance(value, Patched)}
        return values | {name: _patched(population, name, values[name], patch) for name, patch in patches.items()}

    values = patched(population.values, whole(population.values))
    model.check(values, population.name)
    state = whole(population.initial)
    initial = patched(population.initial, {**values, **model.initial_state({**values, **state}), **state})
    for name, array in initial.items():
        _require_size(array.size, population.n, f"{population.name}: {name}")
    return initial


def value_of(neurons: Neurons, name: str, value: Value, time: float = 0.0) -> Floats:
    """What some neurons have of a parameter or state variable that is set at a time (ms): one element, or one each."""
    population = neurons.population
    # Each time of setting has draws of its own.
    purpose = name if time == 0.0 else f"{name} at {time!r}"
    key = stream_key(population.network.seed, population.name, purpose)
    what = f"{neurons.name}: {name}"
    if neurons is population:
        return resolve(value, population.n, what, key)
    return resolve_some(value, neurons.ids, what, key)


def _patched(population: Population, name: str, values: Floats, patch: Patched) -> Floats:
    values = np.broadcast_to(values, population.n).copy()
    for ids, value in patch.parts:
        values[ids] = value_of(Neurons(population, ids, population.name), name, value)
    return values


def _require_size(size: int, n: int, what: str) -> None:
    """Raise InputError where a user's equations, which may hold arrays of their own, gave numbers for other neurons."""
    if size not in (1, n):
        raise InputError(f"{what}: the equations gave numbers for {size} neurons, but there are {n}")


def _constants(model: Model, values: Values, n: int, where: str) -> Floats:
    with np.errstate(all="ignore"):
        names, constants = model.constants(values)
    _require_size(constants.shape[1], n, where)
    # Without a leak tau_m is infinite, and most variables have no lowest value.
    unbounded = np.array([name in ("tau_m", "lowest") for name in names])
    wrong = np.argwhere(np.isnan(constants) | (np.isinf(constants) & ~unbounded[:, np.newaxis]))
    if wrong.size:
        row, neuron = wrong[0].tolist()
        raise InputError(
            f"{where}: {names[row]} = {constants[row, neuron]:g} follows from the parameters and must "
            "be finite; give less extreme ones"
        )
    return constants
