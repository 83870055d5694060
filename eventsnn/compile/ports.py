"""Which port of a neuron an input takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.errors import InputError
from eventsnn.describe.parts import Neurons, Stimulus
from eventsnn.models.base import Model


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
