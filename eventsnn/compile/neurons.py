"""compile_neurons: parameters and initial state of all neurons, and the constants of their equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError
from eventsnn.compile.plausible import warn_of_si
from eventsnn.describe.description import Description
from eventsnn.describe.parts import Population
from eventsnn.draw.streams import stream_key
from eventsnn.draw.values import Value, Values, resolve
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

    def resolved(given: dict[str, Value]) -> Values:
        return {
            name: resolve(
                value,
                population.n,
                f"{population.name}: {name}",
                stream_key(population.network.seed, population.name, name),
            )
            for name, value in given.items()
        }

    values = resolved(population.values)
    model.check(values, population.name)
    state = resolved(population.initial)
    initial = {**values, **model.initial_state({**values, **state}), **state}
    for name, array in initial.items():
        _require_size(array.size, population.n, f"{population.name}: {name}")
    return initial


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
