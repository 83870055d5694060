"""Injected: what stimuli inject into the neurons that are traced, noted for the summary of a run.

Plans say what is injected from now on; what was injected before a change is taken down when the change comes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eventsnn.compile.plan import CurrentPlan, Plan
from eventsnn.results.injected import Piece, Programme
from eventsnn.results.style import MOST_TRACES
from eventsnn.run.entry import sines_of

# Of all programmes together: a note takes 100 bytes or more of each.
MOST_PIECES = 2_000


class Injected:
    """Programmes of currents from a time (ms) on, of the first neurons of every trace, those that pictures show."""

    def __init__(self, since: float = 0.0):
        self._since = since  # when the present currents began
        self._past: dict[int, list[Piece]] = {}  # what a neuron received before

    def change(self, old: Plan, new: Plan, time: float) -> None:
        """The network goes on with another Plan at a time."""
        tables = zip(vars(old.currents).values(), vars(new.currents).values(), strict=True)
        if all(np.array_equal(before, now) for before, now in tables):
            return
        for neuron in {neuron for probe in new.probes for neuron in probe.neuron[:MOST_TRACES].tolist()}:
            past = self._past.setdefault(neuron, [])
            # one that is too long already is not noted, whatever follows
            if len(past) <= MOST_PIECES:
                past += _pieces(old.currents, int(old.currents.of[neuron]), self._since, time)
        self._since = time

    def notes(self, plan: Plan, end: float) -> list[dict[str, Any]]:
        """summary["currents"], up to a time: programmes that are not 0; none at all if they have too many pieces."""
        present: dict[int, list[Piece]] = {}
        found: dict[tuple[Piece, ...], dict[str, list[int]]] = {}
        for probe in plan.probes:
            neurons = probe.neuron[:MOST_TRACES]
            columns = (neurons, probe.ids[:MOST_TRACES], plan.currents.of[neurons])
            for neuron, index, number in zip(*(column.tolist() for column in columns), strict=True):
                if number not in present:
                    present[number] = _pieces(plan.currents, number, self._since, end)
                pieces = (*self._past.get(neuron, ()), *present[number])
                if any(piece.amplitude or piece.slope or piece.sines for piece in pieces):
                    found.setdefault(pieces, {}).setdefault(probe.name, []).append(index)
            if sum(map(len, found)) > MOST_PIECES:
                return []
        return [Programme(neurons, pieces).note() for pieces, neurons in found.items()]


def _pieces(current: CurrentPlan, number: int, start: float, stop: float) -> list[Piece]:
    """The pieces of a programme between two times; none, -1, is one of 0 pA. Of too many the first are enough."""
    if start == stop:
        return []
    begin, end = current.start[number : number + 2].tolist() if number >= 0 else (0, 0)
    times = current.time[begin:end]
    first = int(np.searchsorted(times, start, side="right")) - 1
    last = min(int(np.searchsorted(times, stop)), first + MOST_PIECES + 1)
    pieces = [Piece(start, 0.0, 0.0, ())] if first < 0 else []
    for k in range(begin + max(first, 0), begin + last):
        time, amplitude, slope = (float(table[k]) for table in (current.time, current.amplitude, current.slope))
        at = max(time, start)
        pieces.append(Piece(at, amplitude + slope * (at - time), slope, sines_of(current, k)))
    return pieces
