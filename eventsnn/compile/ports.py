"""Which port of a neuron an input takes, and which weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.errors import InputError
from eventsnn.describe.parts import Neurons, Stimulus
from eventsnn.models.base import Model

# So many of the largest weights may meet at one time that their sum, and what it does to a state, is still a number.
LARGEST_WEIGHT = 1e150


def least_weight(targets: Sequence[Neurons], port: str | None) -> float:
    """The smallest weight that can be used: signs only choose ports of conductances, so that at a port that is named
    there must be none."""
    sizes = any(part.population.model.magnitudes for part in targets)  # type: ignore[union-attr]
    return 0.0 if port is not None and sizes else -LARGEST_WEIGHT


def rule_of_weights(value: float, port: str | None) -> str:
    """What a weight that cannot be used must be."""
    if -LARGEST_WEIGHT <= value < 0.0:
        return f"must not be negative at port {port!r} of conductances; leave port= out, and its sign chooses the port"
    return f"must be finite and at most {LARGEST_WEIGHT:g} in size"


def require_weights(name: str, targets: Sequence[Neurons], port: str | None, weight: Floats, each: str) -> None:
    """Raise InputError for the first weight that cannot be used at these targets; `each`: what there is one for."""
    good = (weight >= least_weight(targets, port)) & (weight <= LARGEST_WEIGHT)
    if not good.all():
        k = int(np.argmin(good))
        value, where = float(weight.flat[k]), f" ({each} {k})" if weight.size > 1 else ""
        raise InputError(f"{name}: weight = {value:g}{where} {rule_of_weights(value, port)}")


def port_of(targets: Sequence[Neurons], port: str | None, name: str) -> int:
    """Index of the port that all targets use; -1: by the sign of the weight, each model in its own way."""
    models = [part.population.model for part in targets if isinstance(part.population.model, Model)]
    if port is not None:
        places = {model.ports.index(port) for model in models}
        if len(places) > 1:
            raise InputError(f"{name}: port {port!r} differs between the models of its targets; split it")
        return places.pop()
    return 0 if all(len(model.ports) == 1 for model in models) else -1


def ports_of_stimulus(stimulus: Stimulus, weight: Floats) -> Ints:
    """The port of every target of a stimulus, or one for all."""
    port = port_of(stimulus.targets, stimulus.port, stimulus.name)
    if port >= 0:
        return np.full(1, port)
    by_sign = [target.population.model.by_sign for target in stimulus.targets]  # type: ignore[union-attr]
    sizes = [len(target) for target in stimulus.targets]
    positive, negative = (np.repeat([ports[sign] for ports in by_sign], sizes) for sign in (0, 1))  # type: ignore[index]
    return np.where(weight < 0, negative, positive)
