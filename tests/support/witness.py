"""Counts what a network provokes in the reference engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import takewhile

import numpy as np

from eventsnn._core.solve.closed_form import TAU, TAU_M
from eventsnn._core.solve.neuron import T_REF
from eventsnn.compile.plan import PartPlan, Plan, ProceduralPlan
from eventsnn.models import LIFExp
from eventsnn.run.entry import ARRIVAL, CHANGE, CROSSING, EXTERNAL, LAST, SEARCH, Entry
from eventsnn.run.reference import Reference
from eventsnn.solve.closed_form import current_at


class Witness(Reference):
    """The reference engine with a Counter, `seen`, of the situations that the equality tests must contain."""

    def __init__(self, plan: Plan):
        self.seen: Counter[str] = Counter()
        self._last_spike: dict[int, float] = {}
        self._receiving = False
        super().__init__(plan)
        self._see_description()

    def _see_description(self) -> None:
        see, plan = self.seen, self.plan
        see["projections with rows in common"] += len(plan.rows) < len(plan.projections)
        for part in plan.projections:
            projection = part.alone() if isinstance(part, PartPlan) else part
            see["synapses drawn for each spike"] += isinstance(projection, ProceduralPlan)
            if isinstance(projection, ProceduralPlan):
                continue
            pre = np.repeat(projection.pre, np.diff(projection.start))
            see["self-loop"] += int(np.sum(pre == projection.target))
            pairs = np.unique(np.column_stack([pre, projection.target]), axis=0)
            see["several synapses of one pair"] += projection.n_synapses - len(pairs)
        for neuron in self.neurons:
            if neuron.model is None:
                continue
            state = neuron.state.copy()
            neuron.model.leave(neuron.c, state, 0.0)
            threshold = neuron.model.threshold(neuron.c, state)
            see["V = V_th at t = 0"] += state.v == threshold
            see["V > V_th at t = 0"] += state.v > threshold
            see["constant current above threshold"] += neuron.state.drive > threshold
            see["constant current that ends at the threshold"] += neuron.state.drive == threshold
            see["t_ref = 0"] += neuron.c[T_REF] == 0.0
            if isinstance(neuron.model, LIFExp):
                taus = sorted((neuron.c[TAU_M], *(neuron.c[current_at(neuron.model.shape, i) + TAU] for i in (0, 1))))
                gaps = [b - a for a, b in zip(taus, taus[1:], strict=False)]
                see["equal time constants"] += 0.0 in gaps
                see["nearly equal time constants"] += any(0.0 < gap < 1e-6 for gap in gaps)

    def step(self) -> None:
        first = self.queue[0].key[:2]
        now = list(takewhile(lambda entry: entry.key[:2] == first, self.queue))
        if first[1] == LAST:
            self.seen["sample at the time of a spike"] += first[0] in self._last_spike.values()
        elif first[1] != SEARCH:
            self._see_round(*first, now)
        super().step()
        if self.failure is not None:
            self.seen[f"run-away: {self.failure[2].name}"] += 1

    def _see_round(self, t: float, round_: int, now: list[Entry]) -> None:
        see = self.seen
        kinds: dict[int, list[int]] = defaultdict(list)
        arrivals: dict[int, list[Entry]] = defaultdict(list)
        for entry in now:
            kinds[entry.neuron].append(entry.key[2])
            if entry.key[2] == ARRIVAL:
                arrivals[entry.neuron].append(entry)
        see["rounds after the first"] += round_ == 1
        see["third round"] += round_ == 2
        for mine in kinds.values():
            see["input at a crossing"] += ARRIVAL in mine and CROSSING in mine
            see["input at a change of current"] += ARRIVAL in mine and CHANGE in mine
            see["crossing at a change of current"] += CROSSING in mine and CHANGE in mine
            see["external and synaptic input at once"] += EXTERNAL in mine and mine.count(ARRIVAL) > 1
        for n, entries in arrivals.items():
            self._see_arrivals(n, t, round_, entries)

    def _see_arrivals(self, n: int, t: float, round_: int, entries: list[Entry]) -> None:
        see, neuron = self.seen, self.neurons[n]
        see["arrivals"] += len(entries)
        see["tied arrivals"] += len(entries) if len(entries) > 1 else 0
        see["both ports at once"] += len({entry.port for entry in entries}) > 1
        see["nothing but weights of zero"] += all(entry.weight == 0.0 for entry in entries)
        for port in {entry.port for entry in entries}:
            weights = [entry.weight for entry in entries if entry.port == port]
            see["sum that depends on the order"] += running_sum(weights) != running_sum(weights[::-1])
        assert neuron.model is not None
        if t < neuron.release:
            see["dropped input" if neuron.model.instantaneous else "input while refractory"] += 1
        see["input at the end of refractoriness"] += t == neuron.release and neuron.spikes > 0 and neuron.c[T_REF] > 0.0
        if round_ > 0:
            rows = [(self.plan.projections[entry.key[3]].row(entry.key[4]), entry.key[6]) for entry in entries]
            positive = [delay[k] > 0.0 for (_, _, delay), k in rows]
            see["delay of zero"] += positive.count(False)
            see["positive delay that is lost in the sum"] += positive.count(True)

    def _receive(self, t: float, round_: int, now: list[Entry]) -> set[int]:
        self._receiving = True
        accepted = super()._receive(t, round_, now)
        self._receiving = False
        return accepted

    def _fire(self, n: int, t: float, round_: int) -> None:
        neuron = self.neurons[n]
        if neuron.model is None:
            self.seen["source that spikes twice at one time"] += self._last_spike.get(n) == t
        else:
            state = neuron.state.copy()
            neuron.model.leave(neuron.c, state, t)
            v, threshold = state.v, neuron.model.threshold(neuron.c, state)
            see = self.seen
            held = neuron.spikes > 0 and neuron.c[T_REF] > 0.0
            see["spike at the end of refractoriness"] += held and t == neuron.release
            see["sinusoidal current at a spike"] += bool(neuron.state.sines)
            see["ramp at a spike"] += neuron.state.slope != 0.0
            see[f"spike of {type(neuron.model).__name__}"] += 1
            self.seen["input that lifts V to V_th exactly"] += self._receiving and v == threshold
            self.seen["crossing that lands below V_th"] += not self._receiving and v < threshold
            self.seen["neuron that spikes twice at one time"] += self._last_spike.get(n) == t
        self._last_spike[n] = t
        super()._fire(n, t, round_)

    def _predict(self, n: int, now: float, round_: int) -> None:
        neuron = self.neurons[n]
        if neuron.model is not None:
            self.seen["superseded crossing"] += neuron.crossing is not None
            currents = neuron.state.x[: neuron.model.shape.n_currents]
            both = min(currents, default=0.0) < 0.0 < max(currents, default=0.0)
            self.seen["excitation and inhibition at once"] += both
        super()._predict(n, now, round_)


def running_sum(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total = total + value
    return total
