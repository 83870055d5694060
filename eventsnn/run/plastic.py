"""Plastics: the weights of projections that change, as the reference engine sees them.

A synapse is brought up to date when a presynaptic spike comes to it or its weight is read. All that has come to it
since is then taken in the order of time; so it does not matter when this is done. Of spikes only times are kept, with
the traces that they leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.base.mathfunc import exp
from eventsnn.base.arrays import Floats
from eventsnn.compile.plan import PartPlan, PlasticPlan, ProceduralPlan, ProjectionPlan
from eventsnn.plasticity.program import Program
from eventsnn.run.entry import ARRIVAL, Entry

# A trace below e^-700 is 0.
SMALLEST_POWER = -700.0
# What comes to a synapse at one time, after presynaptic spikes.
POST, THIRD = 0, 1


def decay(rate: float, span: float) -> float:
    """What is left of a trace after a time."""
    power = rate * span
    return 0.0 if power < SMALLEST_POWER else float(exp(power))


class Train:
    """The spikes of a neuron and its traces after each."""

    def __init__(self, rate: list[float], nearest: list[int], gain: float = 1.0):
        self.rate, self.nearest, self.gain = rate, nearest, gain
        self.times: list[float] = []
        self.traces: list[list[float]] = []

    def add(self, t: float) -> None:
        before = self.own(len(self.times), t)
        self.times.append(t)
        pairs = zip(before, self.nearest, strict=True)
        self.traces.append([self.gain if nearest else x + self.gain for x, nearest in pairs])

    def own(self, k: int, t: float) -> list[float]:
        """Traces at t, which spike number k - 1 was the last one to raise."""
        if k == 0:
            return [0.0] * len(self.rate)
        return self._decayed(k - 1, t - self.times[k - 1])

    def before(self, t: float, delay: float, included: bool = False) -> list[float]:
        """Traces at t where spikes come after a delay; of one at t itself nothing is seen unless it is included."""
        k = len(self.times)
        while k and not (self.times[k - 1] + delay < t or (included and self.times[k - 1] + delay == t)):
            k -= 1
        return [0.0] * len(self.rate) if k == 0 else self._decayed(k - 1, t - (self.times[k - 1] + delay))

    def between(self, begin: float, end: float, delay: float) -> list[tuple[int, float]]:
        """Numbers and times of the spikes that come in [begin, end) after a delay."""
        k = len(self.times)
        while k and self.times[k - 1] + delay >= begin:
            k -= 1
        return [(i, s + delay) for i, s in enumerate(self.times[k:], k) if s + delay < end]

    def _decayed(self, k: int, span: float) -> list[float]:
        return [x * decay(rate, span) for x, rate in zip(self.traces[k], self.rate, strict=True)]


class Plastic:
    """The synapses of a plastic projection."""

    def __init__(self, plan: ProjectionPlan):
        assert plan.plastic is not None
        self.plan, self.rule = plan, plan.plastic
        rule = self.rule
        self.start: list[int] = plan.start.tolist()
        self.target: list[int] = plan.target.tolist()
        self.delay: list[float] = plan.delays().tolist()
        self.weight: NDArray[np.floating[Any]] = np.array(plan.weight)
        n = plan.n_synapses
        self.own = [[0.0] * rule.own_rate.size for _ in range(n)]
        self.at = [0.0] * n  # when size and variables of a synapse are those that are kept
        self.since = [0.0] * n  # what has come to it before is in them
        self.enabled = True
        self.pre = [Train(rule.pre_rate.tolist(), rule.pre_nearest.tolist()) for _ in range(plan.pre.size)]
        self.post = {n: Train(rule.post_rate.tolist(), rule.post_nearest.tolist()) for n in set(plan.post.tolist())}
        self.third = Train([rule.reward_rate], [0], rule.reward_gain)
        self.rewarding = set(rule.reward.tolist())
        self.steps: list[list[tuple[float, list[float]]]] = [[] for _ in range(plan.pre.size)]

    # ---- spikes

    def fired(self, n: int, t: float) -> None:
        """Neuron n fires, as a target or as one that rewards."""
        if n in self.post:
            self.post[n].add(t)
        if n in self.rewarding:
            self.third.add(t)

    def sent(self, row: int, t: float) -> None:
        """The presynaptic neuron of a row fires."""
        self.pre[row].add(t)
        if self.rule.step is not None:
            last = self.steps[row][-1:]
            before, variables = last[0] if last else (t, [*self.rule.initial.tolist(), 0.0])
            self.steps[row].append((t, self.rule.step([*variables[:-1], t - before])))

    def arrival(self, row: int, k: int, t: float) -> float:
        """When a spike of a row, fired at t, comes to the neuron behind synapse k of the row."""
        return (t + self.delay[self.start[row] + k]) + self.rule.dendritic

    def transmitted(self, row: int, k: int, ordinal: int) -> float:
        """The weight with which spike number `ordinal` of a row reaches the neuron behind synapse k of the row."""
        synapse = self.start[row] + k
        train, rule = self.pre[row], self.rule
        t = train.times[ordinal] + self.delay[synapse]
        # It has come to the synapse before its weight was set, and arrives with what it was set to.
        late = t < self.since[synapse]
        if rule.learns and self.enabled and not late:
            self._learn(row, synapse, ordinal, t)
        weight = float(self.weight[synapse])
        return weight if rule.step is None else float(weight * self.steps[row][ordinal][1][-1])

    # ---- one synapse

    def _learn(self, row: int, synapse: int, ordinal: int, t: float) -> None:
        """Spike number `ordinal` of a row comes to a synapse."""
        train, rule = self.pre[row], self.rule
        self.bring(row, synapse, t)
        if rule.on_pre is not None:
            own = train.own(ordinal, train.times[ordinal])
            other = self.post[self.target[synapse]].before(t, rule.dendritic)
            self._update(rule.on_pre, synapse, t, own, other)

    def bring(self, row: int, synapse: int, t: float) -> None:
        """Take all postsynaptic and rewarding spikes that come to a synapse before t."""
        rule, train = self.rule, self.post[self.target[synapse]]
        since = self.since[synapse]
        comes = [(time, POST, k) for k, time in train.between(since, t, rule.dendritic)]
        comes += [(time, THIRD, k) for k, time in self.third.between(since, t, rule.reward_delay)]
        for time, kind, k in sorted(comes):
            if kind == THIRD:
                self._flow(synapse, time)
            elif rule.on_post is not None:
                pre = self.pre[row].before(time, self.delay[synapse])
                self._update(rule.on_post, synapse, time, pre, train.own(k, train.times[k]))
        self.since[synapse] = max(since, t)

    def _update(self, program: Program, synapse: int, t: float, pre: list[float], post: list[float]) -> None:
        self._flow(synapse, t)
        results = program([self._size(synapse), *pre, *post, *self.own[synapse]])
        self._keep(synapse, results[0])
        self.own[synapse] = results[1:]

    def _flow(self, synapse: int, t: float) -> None:
        """Let the size and the variables of a synapse be those at t."""
        size, own = self._later(synapse, t)
        if self.rule.between is not None:
            self._keep(synapse, size)
        self.own[synapse], self.at[synapse] = own, t

    def _later(self, synapse: int, t: float) -> tuple[float, list[float]]:
        rule, own, size = self.rule, self.own[synapse], self._size(synapse)
        span = t - self.at[synapse]
        if rule.between is not None:
            third = self.third.before(self.at[synapse], rule.reward_delay, included=True)
            size = rule.between([size, *own, *third, span])[0]
        return size, [x * decay(rate, span) for x, rate in zip(own, rule.own_rate.tolist(), strict=True)]

    def _size(self, synapse: int) -> float:
        return self.rule.sign * float(self.weight[synapse])

    def _keep(self, synapse: int, size: float) -> None:
        self.weight[synapse] = self.rule.sign * within(self.rule, size)

    # ---- between runs

    def weights(self, t: float) -> Floats:
        """All weights as they are at t, before what happens then. What has come to a synapse, but not yet to the neuron
        behind it, is in them: so they are found from copies."""
        kept = self.weight.copy(), [list(own) for own in self.own], list(self.at), list(self.since)
        self._settle(t)
        weights = self.weight.astype(np.float64)
        self.weight[:], self.own, self.at, self.since = kept
        return weights

    def set_weights(self, weights: NDArray[np.floating[Any]], t: float) -> None:
        self._settle(t)
        self.weight[:] = weights

    def enable(self, enabled: bool, t: float) -> None:
        """Let weights change, or stay as they are, from t on."""
        if enabled != self.enabled:
            self._settle(t)
            self.enabled = enabled

    def _settle(self, t: float) -> None:
        """Take all that comes to any synapse before t, also of spikes that have not come to the neuron behind it."""
        for row, train in enumerate(self.pre):
            for synapse in range(self.start[row], self.start[row + 1]):
                if self.rule.learns and self.enabled:
                    comes = [s + self.delay[synapse] for s in train.times]
                    for ordinal, time in enumerate(comes):
                        if time < t <= time + self.rule.dendritic and not time < self.since[synapse]:
                            self._learn(row, synapse, ordinal, time)
                    self.bring(row, synapse, t)
                self.since[synapse] = max(self.since[synapse], t)
        self._pause(t)

    def _pause(self, t: float) -> None:
        """Have all sizes that change by themselves as they are at t; they do not while plasticity is frozen."""
        if self.rule.between is None:
            return
        for synapse in range(self.weight.size):
            size = self._size(synapse)
            self._flow(synapse, t)
            if not self.enabled:
                self._keep(synapse, size)


def within(rule: PlasticPlan, size: float) -> float:
    """A size in the bounds of its rule; nan stays."""
    size = rule.low if size < rule.low else size
    return rule.high if size > rule.high else size


class Plastics:
    """The plastic ones among the projections of a network, by their numbers."""

    def __init__(self, projections: Sequence[ProjectionPlan | PartPlan | ProceduralPlan]):
        self.of = {
            k: Plastic(p) for k, p in enumerate(projections) if isinstance(p, ProjectionPlan) and p.plastic is not None
        }

    def fired(self, n: int, t: float) -> None:
        """Neuron n fires, as a target or as one that rewards."""
        for plastic in self.of.values():
            plastic.fired(n, t)

    def sent(self, projection: int, row: int, t: float, ordinal: int) -> Iterator[tuple[tuple[Any, ...], int, float]]:
        """The presynaptic neuron of a row fires: the key of each arrival, its neuron, and the sign of its weight."""
        plastic = self.of[projection]
        plastic.sent(row, t)
        begin, end = plastic.start[row : row + 2]
        for k, target in enumerate(plastic.target[begin:end]):
            key = (plastic.arrival(row, k, t), 0, ARRIVAL, projection, row, ordinal, k)
            yield key, target, plastic.rule.sign

    def weighted(self, entry: Entry) -> Entry:
        """An entry of the queue with the weight that it has as it arrives."""
        if not self.of or entry.key[2] != ARRIVAL or entry.key[3] not in self.of:
            return entry
        row, ordinal, k = entry.key[4:]
        return entry._replace(weight=self.of[entry.key[3]].transmitted(row, k, ordinal))
