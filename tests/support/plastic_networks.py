"""Plastic synapses between spike trains that are chosen: their weights follow from the trains alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from oracle_plasticity import History, Updates, history, walk

import eventsnn as esn
from eventsnn.base.arrays import Floats

ENGINES = ["compiled", "reference"]
TAU_SENT = 50.0  # ms; time constant of the current in which all that was sent is added up

Train = list[float]


@dataclass
class Trains:
    """What fires in a network of sources, plastic synapses and neurons that are told when to spike.

    All sources are connected to all neurons; the order of synapses is that of (pre, post). pre, post: a train for each
    source and each neuron. axonal, dendritic: delays (ms), of which the axonal one may differ by synapse; where there
    is no dendritic one, delay= is given. weight: one for all synapses, or one each. reward: of the one neuron that
    releases dopamine.
    """

    pre: list[Train]
    post: list[Train]
    axonal: Any = 1.0
    dendritic: float | None = None
    weight: Any = 50.0
    reward: Train = field(default_factory=list)
    t_ref: float = 0.0

    @property
    def pairs(self) -> list[tuple[int, int]]:
        return [(i, j) for i in range(len(self.pre)) for j in range(len(self.post))]

    def each(self, values: Any) -> Floats:
        """One number a synapse."""
        return np.broadcast_to(np.asarray(values, dtype=np.float64), len(self.pairs))

    def shaped(self, values: Any) -> Any:
        """A value for connect: one number, or an array in the rule's own order."""
        return values if np.ndim(values) == 0 else np.reshape(values, (len(self.pre), len(self.post)))

    @property
    def behind(self) -> float:
        """The dendritic delay (ms)."""
        return 0.0 if self.dendritic is None else self.dendritic


class Driven:
    """A network of Trains, whose plastic synapses are `wires`.

    Neurons are perfect integrators that the plastic synapses hardly move: a kick of 2 mV fires them at once, and what
    the plastic synapses send them is added up in the current I_syn_ex, which outlives spikes and refractoriness.

    rule: a name and its keywords, or a user's own, with the Updates that the oracle makes of a train on either side.
    """

    def __init__(
        self,
        rule: str | esn.PlasticityRule,
        trains: Trains,
        updates: Callable[..., Updates] | None = None,
        **keywords: Any,
    ):
        self.rule, self.trains, self.updates, self.keywords = rule, trains, updates, keywords
        self.net = net = esn.Network(seed=3)
        self.pre = net.population(len(trains.pre), esn.SpikeSource(trains.pre), name="pre")
        model = esn.IF(("ex",), C_m=1e9, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=trains.t_ref, tau_syn_ex=TAU_SENT)
        self.post = net.population(len(trains.post), model, name="post")
        kicks = net.population(len(trains.post), esn.SpikeSource(trains.post), name="kicks")
        net.connect(kicks, self.post, esn.OneToOne(), weight=2.0, delay=0.0, port="delta")
        if rule == "RewardSTDP":
            reward = net.population(1, esn.SpikeSource([trains.reward]), name="reward")
            keywords = {"reward": reward, **keywords}
        made = getattr(esn, rule)(**keywords) if isinstance(rule, str) else rule
        delays = {"delay": trains.shaped(trains.axonal)}
        if trains.dendritic is not None:
            delays = {"axonal_delay": trains.shaped(trains.axonal), "dendritic_delay": trains.dendritic}
        self.wires = net.connect(
            self.pre, self.post, esn.AllToAll(), weight=trains.shaped(trains.weight), port="ex",
            plasticity=made, name="wires", **delays,
        )  # fmt: skip
        self.net.record(self.post, "spikes")

    def weights(self) -> Floats:
        """Weights as they are now, in the order of (pre, post)."""
        synapses = self.wires.synapses()
        weight: Floats = synapses.weight[np.lexsort((synapses.post, synapses.pre))]
        return weight

    def expected(self, reads: Train, start: float = -math.inf, weight: Any = None) -> list[History]:
        """What the oracle says of each synapse, given the spikes of the neurons as they came.

        start, weight: learning begins with these weights then.
        """
        trains, keywords = self.trains, dict(self.keywords)
        axonal = trains.each(trains.axonal)
        weights = trains.each(trains.weight if weight is None else weight)
        fired = self.net.results().spikes["post"]
        if self.rule == "RewardSTDP":
            delay = keywords.pop("delay", 1.0)
            keywords["reward"] = [t + delay for t in trains.reward]
        found = []
        for k, (i, j) in enumerate(trains.pairs):
            pre = [t + axonal[k] for t in trains.pre[i]]
            post = [t + trains.behind for t in fired.times[fired.ids == j].tolist()]
            size = abs(weights[k])
            if self.updates is not None:
                found.append(walk(size, pre, post, reads, start, self.updates(pre, post)))
            else:
                found.append(history(self.rule, size, pre, post, reads, start, **keywords))
        return found

    def sent(self, found: list[History], at: float) -> Floats:
        """The current of each neuron at a time that follows from what each spike was sent with."""
        trains = self.trains
        axonal = trains.each(trains.axonal)
        parts: list[list[float]] = [[] for _ in trains.post]
        for k, (i, j) in enumerate(trains.pairs):
            arrivals = [(t + axonal[k]) + trains.behind for t in trains.pre[i]]
            parts[j] += [
                w * math.exp(-(at - t) / TAU_SENT) for t, w in zip(arrivals, found[k].sent, strict=True) if t <= at
            ]
        return np.array([math.fsum(terms) for terms in parts])


def random_trains(rng: np.random.Generator, n: int, until: float, dendritic: float) -> Trains:
    """n sources and n neurons with off-grid spikes, some at the same times at the synapse, some twice; many delays."""

    def train(rate: float) -> Train:
        """Off the grid, and some on one of 1/4 ms, whose sums with delays on it are exact."""
        free = rng.uniform(0.0, until, rng.poisson(rate * until))
        grid = rng.integers(1, int(4 * until), rng.poisson(rate * until)) / 4.0
        return sorted([*free.tolist(), *grid.tolist()])

    pre, post = ([train(rng.uniform(0.02, 0.06)) for _ in range(n)] for _ in range(2))
    for one in pre[::3]:
        one += one[:3]
        one.sort()
    size = n * n
    axonal = np.where(rng.random(size) < 0.7, rng.integers(1, 12, size) / 4.0, rng.uniform(0.0, 3.0, size))
    reward = sorted(rng.uniform(0.0, until, 6).tolist())
    return Trains(pre, post, axonal, dendritic, reward=reward, t_ref=float(rng.choice([0.0, 0.3, 2.0])))
