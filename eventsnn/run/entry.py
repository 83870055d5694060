"""What the queue of the reference engine holds, and a neuron as it sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sortedcontainers import SortedKeyList

from eventsnn._core.solve.neuron import MOST_STEPS
from eventsnn.compile.plan import CurrentPlan
from eventsnn.models.base import Model
from eventsnn.run.outcome import Outcome
from eventsnn.solve.state import State

CROSSING, CHANGE, EXTERNAL, ARRIVAL, SAMPLE = range(5)
SEARCH = -1  # the round in which searches for a crossing go on: before every event at the time they have reached
LAST = 2**62  # the round of samples: after every other at its time


class Entry(NamedTuple):
    """One thing that will happen; `key` is the canonical order and begins with (time, round, phase)."""

    key: tuple[Any, ...]
    neuron: int  # -1 for a sample
    port: int = 0
    weight: float = 0.0

    @property
    def time(self) -> float:
        return float(self.key[0])


@dataclass
class Neuron:
    """A neuron's equations, state and pending crossing."""

    model: Model | None  # None: a source
    c: list[float]
    state: State
    release: float = 0.0  # refractory before this time
    crossing: Entry | None = None
    spikes: int = 0
    millisecond: int = -1
    spikes_in_millisecond: int = 0
    projections: list[tuple[int, int]] = field(default_factory=list)  # (projection, row) that it is presynaptic in


def sines_of(current: CurrentPlan, piece: int) -> tuple[tuple[float, float, float], ...]:
    """The sinusoidal currents of a piece."""
    rows = current.sine[current.sine_start[piece] : current.sine_start[piece + 1]]
    return tuple((frequency, phase, amplitude) for frequency, phase, amplitude in rows.tolist())


def ended_by(state: State) -> Outcome:
    """Why a neuron whose state is lost ends the run."""
    return Outcome.TOO_MANY_STEPS if state.steps > MOST_STEPS else Outcome.OUT_OF_RANGE


def by_port(model: Model, inputs: list[Entry]) -> list[float]:
    total = [0.0] * len(model.ports)
    for entry in inputs:
        total[entry.port] = total[entry.port] + (abs(entry.weight) if model.magnitudes else entry.weight)
    return total


def arrays_of_states(states: list[State], release: list[float], slots: int) -> dict[str, NDArray[np.float64]]:
    """States of neurons and the times of their release, as arrays by name."""
    columns = np.array([(s.t, s.v, s.drive, s.slope, r) for s, r in zip(states, release, strict=True)]).T
    variables, low = np.zeros((len(states), slots)), np.zeros((len(states), slots))
    for row, s in enumerate(states):
        variables[row, : len(s.x)], low[row, : len(s.low)] = s.x, s.low
    names = ("t", "v", "drive", "slope", "release")
    return dict(zip(names, columns, strict=True)) | {"variables": variables, "low": low}


def flaws(queue: SortedKeyList, neurons: list[Neuron], time: float) -> list[str]:
    """What is wrong with a queue at a time (ms)."""
    keys = [entry.key for entry in queue]
    problems = []
    if any(a >= b for a, b in zip(keys, keys[1:], strict=False)):
        problems.append("two entries have the same key, or the queue is out of order")
    if keys and keys[0][0] < time:
        problems.append(f"an entry at {keys[0][0]} lies before the present time {time}")
    for n, neuron in enumerate(neurons):
        mine = [e for e in queue if e.key[2] == CROSSING and e.neuron == n]
        if mine != ([] if neuron.crossing is None else [neuron.crossing]):
            problems.append(f"neuron {n}: queue holds crossings {mine}, expected {neuron.crossing}")
        if neuron.model is not None and neuron.crossing and neuron.crossing.time < neuron.release:
            problems.append(f"neuron {n}: crossing at {neuron.crossing.time} before its release {neuron.release}")
    return problems
