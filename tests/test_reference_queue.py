"""The reference engine's queue: its invariants hold under random actors, and a broken queue is reported."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from random_networks import random_network

import eventsnn as esn
from eventsnn.compile.plan import Plan
from eventsnn.run.entry import ARRIVAL, CROSSING, EXTERNAL, SAMPLE, SEARCH, Entry
from eventsnn.run.reference import Reference

STOP = 40.0


class Ledger(Reference):
    """Counts crossings as they are put into the queue, superseded, and fired."""

    def __init__(self, plan: Plan):
        self.queued = self.superseded = self.fired = 0
        super().__init__(plan)

    def _predict(self, n: int, now: float, round_: int) -> None:
        self.superseded += self.neurons[n].crossing is not None
        super()._predict(n, now, round_)
        self.queued += self.neurons[n].crossing is not None

    def step(self) -> None:
        first = self.queue[0].key[:2]
        due = [entry for entry in self.queue if entry.key[:3] == (*first, CROSSING)]
        super().step()
        self.fired += len(due) if first[1] != SEARCH else 0


class Actors:
    """Do at random what a user of the engine can do, and check after each deed."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.reference = Ledger(random_network(seed, STOP).compile().plan)
        self.now = 0.0
        self.sample()

    def act(self) -> None:
        deeds: list[Callable[[], object]] = [self.step, self.advance, self.sample, self.look]
        deeds[self.rng.choice(4, p=[0.6, 0.2, 0.05, 0.15])]()
        self.reference.verify()
        assert self.reference.peek() >= self.now, "the next event lies before one that was processed"
        self.now = max(self.now, min(self.reference.peek(), self.reference.time))

    def step(self) -> None:
        self.reference.advance(STOP, 1)

    def advance(self) -> None:
        """A few events, up to some time off the grid that may lie before the next event."""
        self.reference.advance(self.reference.time + self.rng.exponential(0.3), int(self.rng.integers(1, 8)))

    def sample(self) -> None:
        """Begin a new run with other sample times."""
        start = self.reference.time
        times = [np.sort(self.rng.uniform(start, STOP, 20)) for _ in self.reference.plan.probes]
        self.reference.set_samples(times)
        wanted = sorted(at[0] for at in times)
        assert [entry.time for entry in self.reference.queue if entry.key[2] == SAMPLE] == wanted

    def look(self) -> None:
        """pending() is the queue, filtered, in canonical order; looking changes nothing."""
        before = list(self.reference.queue)
        everything = [entry for entry in before if entry.key[1] != SEARCH]
        n = int(self.rng.integers(0, self.reference.plan.n))
        until = float(self.rng.choice([e.time for e in everything])) if everything else 0.0
        assert self.reference.pending() == everything == sorted(everything, key=lambda entry: entry.key)
        assert self.reference.pending(neuron=n) == [e for e in everything if e.neuron == n]
        assert self.reference.pending(until=until) == [e for e in everything if e.key[0] < until]
        both = self.reference.pending(neuron=n, until=until)
        assert both == [e for e in everything if e.neuron == n and e.key[0] < until]
        assert list(self.reference.queue) == before


def crossings(reference: Reference) -> list[Entry]:
    return [entry for entry in reference.queue if entry.key[2] == CROSSING]


def test_invariants_hold_under_random_actors() -> None:
    superseded = fired = 0
    for seed in range(80):
        actors = Actors(seed)
        reference = actors.reference
        for _ in range(200):
            actors.act()
            if reference.failure is not None:
                break
            held = crossings(reference)
            assert len(held) == sum(neuron.crossing is not None for neuron in reference.neurons)
            assert reference.queued == reference.fired + reference.superseded + len(held), f"seed {seed}"
        superseded, fired = superseded + reference.superseded, fired + reference.fired
    assert superseded > 1_000 and fired > 300


def driven_neuron(*trains: list[float], weight: float = -1.0, **parameters: float) -> Reference:
    """A neuron whose constant current alone lets it spike at tau_m ln 2 = 6.9 ms, and a source for each spike train."""
    network = esn.Network()
    model = esn.LIFDelta(tau_m=10.0, C_m=250.0, E_L=0.0, V_th=10.0, V_reset=0.0, I_e=500.0, **parameters)
    neuron = network.population(1, model, name="neuron")
    if trains:
        sources = network.population(len(trains), esn.SpikeSource(list(trains)), name="sources")
        network.connect(sources, neuron, esn.AllToAll(), weight=weight, delay=1.5)
    reference = network.compile(engine="reference")._state
    assert isinstance(reference, Reference)
    return reference


def test_input_replaces_the_crossing() -> None:
    """Inhibition delays the crossing at each arrival; the queue never holds the former one."""
    reference = driven_neuron([0.0, 1.0, 2.0])
    times = []
    while reference.peek() < 5.0:
        (crossing,) = crossings(reference)
        assert crossing is reference.neurons[0].crossing
        times.append(crossing.time)
        reference.advance(5.0, 1)
    v = 0.0
    expected = [10.0 * math.log(2.0)]
    for arrival, since in ((1.5, 1.5), (2.5, 1.0), (3.5, 1.0)):
        v = 20.0 + (v - 20.0) * math.exp(-since / 10.0) - 1.0
        expected.append(arrival + 10.0 * math.log((20.0 - v) / 10.0))
    # Sources fire at 0, 1 and 2 ms, arrivals come at 1.5, 2.5 and 3.5 ms; a look before each.
    assert times == pytest.approx([expected[k] for k in (0, 0, 0, 1, 1, 2)], rel=1e-14)
    assert [entry.time for entry in crossings(reference)] == pytest.approx([expected[3]], rel=1e-14)


def test_pending_shows_what_will_happen() -> None:
    reference = driven_neuron([0.5, 0.5], [0.5])
    kinds = [(entry.time, entry.key[2], entry.neuron) for entry in reference.pending(until=1.0)]
    assert kinds == [(0.5, EXTERNAL, 1), (0.5, EXTERNAL, 2)]
    assert reference.peek() == 0.5
    reference.advance(STOP, 1)
    arrivals = reference.pending(neuron=0, until=3.0)
    assert [entry.key for entry in arrivals] == [
        (2.0, 0, ARRIVAL, 0, 0, 0, 0),
        (2.0, 0, ARRIVAL, 0, 0, 1, 0),
        (2.0, 0, ARRIVAL, 0, 1, 0, 0),
    ]
    assert reference.pending(neuron=0, until=2.0) == []
    assert reference.pending(neuron=1) == reference.pending(neuron=2) == []


def test_empty_queue() -> None:
    network = esn.Network()
    network.population(2, esn.LIFExp())
    simulation = network.compile(engine="reference")
    assert simulation.peek() == math.inf
    assert simulation.pending() == []
    simulation.step()
    simulation.run(10.0)
    assert simulation.time == 10.0


# ---- corrupted on purpose


def twice(reference: Reference) -> None:
    reference.queue.add(reference.pending(neuron=1)[0])


def out_of_order(reference: Reference) -> None:
    reference.queue._lists[0].reverse()


def before_now(reference: Reference) -> None:
    reference.queue.add(Entry((reference.time - 0.5, 0, EXTERNAL, 1, 0, 99), 1))


def superseded_crossing(reference: Reference) -> None:
    reference.queue.add(Entry((6.0, 0, CROSSING, 0), 0))


def crossing_lost(reference: Reference) -> None:
    reference.queue.remove(reference.neurons[0].crossing)


def crossing_forgotten(reference: Reference) -> None:
    reference.neurons[0].crossing = None


def crossing_of_another_time(reference: Reference) -> None:
    reference.neurons[0].crossing = Entry((6.5, 0, CROSSING, 0), 0)


def crossing_while_refractory(reference: Reference) -> None:
    reference.neurons[0].state.v = 0.0
    reference.neurons[0].release = 30.0


@pytest.mark.parametrize(
    ("corrupt", "message"),
    [
        (twice, "the same key"),
        (out_of_order, "out of order"),
        (before_now, "lies before the present time"),
        (superseded_crossing, "neuron 0: queue holds crossings"),
        (crossing_lost, "neuron 0: queue holds crossings"),
        (crossing_forgotten, "neuron 0: queue holds crossings"),
        (crossing_of_another_time, "neuron 0: queue holds crossings"),
        (crossing_while_refractory, "neuron 0: crossing at .* 30"),
    ],
)
def test_verify_reports_a_broken_queue(corrupt: Callable[[Reference], None], message: str) -> None:
    reference = driven_neuron([0.5, 1.0, 20.0], [0.5, 21.0])
    reference.advance(2.25, 1_000)
    reference.verify()
    corrupt(reference)
    with pytest.raises(RuntimeError, match=message):
        reference.verify()
