"""Random networks with parameters, weights and currents of any size, in which much leaves its range or is stiff."""

from __future__ import annotations

from typing import Any

import numpy as np

import eventsnn as esn

MODELS = [
    esn.LIFCondExp, esn.LIFCondAlpha, esn.HHTraub, esn.AdEx, esn.EIF, esn.Izhikevich, esn.QIF, esn.LIFExp, esn.LIFAlpha,
    esn.LIFDelta,
]  # fmt: skip


class TooLong(Exception):
    """The reference engine has not come to the end in so many chunks."""


class Limited:
    """A Simulation that gives up after so many chunks."""

    def __init__(self, simulation: esn.Simulation, chunks: int):
        self.simulation, self.chunks = simulation, chunks

    def run(self, **options: Any) -> esn.Results:
        def count(status: esn.RunStatus) -> None:
            self.chunks -= 1
            if self.chunks < 0:
                raise TooLong

        return self.simulation.run(progress=count, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.simulation, name)


class Draw:
    def __init__(self, seed: int):
        self.rng = np.random.default_rng([seed, 5])

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def size(self, decades: float) -> float:
        """A number of either sign, whose size is anything up to so many powers of ten."""
        return float(self.rng.normal() * 10.0 ** self.rng.uniform(0.0, decades))

    def times(self, stop: float, most: int) -> np.ndarray:
        return np.sort(self.rng.uniform(0.0, stop, self.rng.integers(1, most)))

    def port(self, model: Any) -> str | None:
        if model.by_sign is not None and self.chance(0.7):
            return None
        return str(model.ports[self.rng.integers(len(model.ports))])


def extreme_network(seed: int, stop: float) -> esn.Network:
    draw = Draw(seed)
    rng = draw.rng
    net = esn.Network(seed=seed)
    cells = [population(net, draw, k) for k in range(rng.integers(1, 3))]
    for k in range(rng.integers(1, 4)):
        source = net.population(1, esn.SpikeSource(draw.times(stop, 8)), name=f"source{k}")
        for target in cells:
            delay = float(rng.choice([0.0, 0.1, 1.0, rng.uniform(0.0, 2.0)]))
            port = draw.port(target.model)
            weight = weight_at(target.model, port, draw.size(9.0))
            net.connect(source, target, esn.AllToAll(), weight=weight, delay=delay, port=port)
    for target in cells:
        for source in cells:
            if draw.chance(0.5):
                weight, delay = draw.size(8.0), float(rng.uniform(0.0, 2.0))
                port = draw.port(target.model)
                weight = weight_at(target.model, port, weight)
                net.connect(source, target, esn.AllToAll(), port=port, weight=weight, delay=delay)
        if draw.chance(0.3) and target.model.by_sign is not None:
            net.stimulate(target, esn.Poisson(float(10.0 ** rng.uniform(1.0, 4.0))), weight=draw.size(8.0))
        if draw.chance(0.3):
            times = draw.times(stop, 4)
            net.stimulate(target, esn.StepCurrent(times, [draw.size(9.0) for _ in times]))
        if draw.chance(0.2):
            net.stimulate(target, esn.SineCurrent(abs(draw.size(8.0)), 10.0))
    return net


def weight_at(model: Any, port: str | None, weight: float) -> float:
    """The weight, or its size where a port of conductances is named, which has no sign."""
    return abs(weight) if port is not None and model.magnitudes else weight


def population(net: esn.Network, draw: Draw, k: int) -> esn.Population:
    kind = MODELS[draw.rng.integers(len(MODELS))]
    rests = [0.5, 2.0, 5.0] if kind is esn.HHTraub else [0.0, 0.5, 2.0, 5.0]
    parameters = {"t_ref": float(draw.rng.choice(rests))} if draw.chance(0.7) else {}
    cells = net.population(int(draw.rng.integers(1, 5)), kind(**parameters), name=f"cells{k}")
    if draw.chance(0.3):
        cells.set(I_e=draw.size(8.0))
    return cells
