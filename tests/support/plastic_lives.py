"""Random lives of small plastic networks: runs of any length, and between them all that users do to what learns.

Half of the times lie on a grid of 1/4 ms, as do delays: so spikes meet at synapses, and runs end where spikes arrive,
where they come to a synapse, or one bit later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from plastic_recurrent import RULES

import eventsnn as esn

STOP = 40.0
ACTS = {
    "none": 3, "read": 5, "set": 2, "set one": 1, "freeze": 2, "thaw": 2, "normalize": 2, "restore": 1, "count": 1,
    "record": 1, "reset": 0.2,
}  # fmt: skip


@dataclass
class Wires:
    """A plastic projection."""

    rule: str
    axonal: Any
    dendritic: float
    weight: np.ndarray
    dtype: str
    sign: float
    recorded: bool


@dataclass
class Act:
    """What is done when the network stands at `time`: to which projection, and with which numbers."""

    time: float
    name: str
    projection: int
    weight: np.ndarray
    number: float
    threads: int


class Life:
    """Everything that happens in the life with this seed; `lived` lets it happen on an engine."""

    def __init__(self, seed: int):
        self.rng = rng = np.random.default_rng(seed)
        n, m = (int(size) for size in rng.integers(1, 4, 2))
        self.pre, self.kicks = ([self.train(12) for _ in range(size)] for size in (n, m))
        for train in self.pre:
            if train and rng.random() < 0.3:
                train.append(train[0])
                train.sort()
        self.reward = self.train(6)
        self.t_ref = float(rng.choice([0.0, 0.25, 1.0]))
        self.wires = [self.projection(n, m) for _ in range(int(rng.integers(1, 3)))]
        self.acts: list[Act] = []
        t = 0.0
        while t < STOP:
            t = max(t, self.time(t, min(STOP, t + 8.0)))
            if rng.random() < 0.3:
                t = math.nextafter(t, math.inf)
            self.acts.append(self.act(t, n, m))

    def time(self, low: float, high: float) -> float:
        if self.rng.random() < 0.6:
            return float(self.rng.integers(int(4 * low), int(4 * high) + 1)) / 4.0
        return float(self.rng.uniform(low, high))

    def train(self, most: int) -> list[float]:
        return sorted(self.time(0.0, STOP) for _ in range(int(self.rng.integers(0, most))))

    def projection(self, n: int, m: int) -> Wires:
        rng = self.rng
        axonal: Any = self.time(0.25, 3.0)
        if rng.random() < 0.5:
            axonal = [[self.time(0.25, 3.0) for _ in range(m)] for _ in range(n)]
        return Wires(
            list(RULES)[int(rng.integers(len(RULES)))],
            axonal,
            float(rng.choice([0.0, 0.25, 1.25, 3.0, 0.7071])),
            rng.uniform(0.1, 0.9, (n, m)),
            "float32" if rng.random() < 0.3 else "float64",
            float(rng.choice([1.0, 1.0, -1.0])),
            bool(rng.random() < 0.3),
        )

    def act(self, t: float, n: int, m: int) -> Act:
        rng = self.rng
        name = str(rng.choice(list(ACTS), p=np.array(list(ACTS.values())) / sum(ACTS.values())))
        k = int(rng.integers(len(self.wires)))
        weight = rng.uniform(0.05, 0.95, (n, m)) * self.wires[k].sign
        return Act(t, name, k, weight, float(rng.uniform(0.1, 2.0)), int(rng.integers(1, 4)))

    def network(self) -> tuple[esn.Network, list[esn.Projection], esn.Population]:
        net = esn.Network(seed=1)
        pre = net.population(len(self.pre), esn.SpikeSource(self.pre), name="pre")
        model = esn.IF(C_m=1e9, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=self.t_ref, tau_syn_ex=50.0)
        post = net.population(len(self.kicks), model, name="post")
        kicks = net.population(len(self.kicks), esn.SpikeSource(self.kicks), name="kicks")
        net.connect(kicks, post, esn.OneToOne(), weight=2.0, delay=0.0, port="delta")
        reward = net.population(1, esn.SpikeSource([self.reward]), name="reward")
        made = []
        for k, wires in enumerate(self.wires):
            made.append(
                net.connect(
                    pre, post, esn.AllToAll(), weight=wires.weight * wires.sign, axonal_delay=wires.axonal,
                    dendritic_delay=wires.dendritic, dtype=wires.dtype, port=("ex", "in")[k % 2],
                    plasticity=RULES[wires.rule](1.0, reward), name=f"wires{k}",
                )
            )  # fmt: skip
            if wires.recorded:
                net.record(made[-1], "weight", every=1.25)
        return net, made, post

    def lived(self, engine: str) -> list[Any]:
        """What was read, recorded and sent."""
        net, made, post = self.network()
        seen: list[Any] = []

        def run(**options: Any) -> None:
            net.run(engine=engine, **options)  # type: ignore[arg-type]

        for number, act in enumerate(self.acts):
            wires = made[act.projection]
            assert wires.plasticity is not None
            if act.name == "count" and act.time > net.time:
                run(duration=act.time - net.time, until=esn.SpikeCount(post, 1), threads=act.threads)
                seen.append(net.time)
            run(until=max(act.time, net.time), threads=act.threads)
            if act.name == "read":
                seen.append([p.get("weight").tolist() for p in made])
            elif act.name == "set":
                wires.set(weight=act.weight)
            elif act.name == "set one":
                wires.set(weight=float(act.weight[0, 0]))
            elif act.name in ("freeze", "thaw"):
                wires.plasticity.enabled = act.name == "thaw"
            elif act.name == "normalize":
                wires.normalize(act.number, axis="pre" if act.threads == 1 else "post")
            elif act.name == "restore" and engine == "compiled":
                state = net._simulation._state  # type: ignore[union-attr]
                state.verify()
                state.restore(state.state())
            elif act.name == "record":
                net.record(wires, "weight", every=act.number, name=f"late {number}")
            elif act.name == "reset":
                net.reset(weights=False)
        run(until=max(net.time, STOP + 5.0))
        results = net.results()
        seen += [p.get("weight").tolist() for p in made]
        seen += [post.state(name).tolist() for name in ("I_syn_ex", "I_syn_in")]
        seen.append(results.spikes["post"].times.tolist())
        traces = results.traces
        return [*seen, {name: (traces[name].times.tolist(), traces[name].weight.tolist()) for name in traces}]
