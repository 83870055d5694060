"""Currents that stimuli inject into traced neurons: how the summary of a run notes them, and their curves.

summary["currents"] is a list of programmes, each of the neurons that follow it, by the name of their trace, and its
pieces in the order of time, all in lists and dictionaries that are fit for JSON:

    {"neurons": {trace: [id, ...]}, "pieces": [[time, amplitude, slope, [[frequency, phase, size], ...]], ...]}

From time (ms) to that of the next piece the current is amplitude (pA) + slope (pA/ms) * (t - time) + size (pA) *
sin(2 pi (frequency (1/ms) * t + phase (turns))) of each sine; before the first piece nothing is known of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from eventsnn.base.arrays import Floats

# Points of a sine's period that make it look smooth, and how many a curve has at most: a period is then less than the
# width of a line.
POINTS_PER_PERIOD, MOST_POINTS = 64, 50_000
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class Piece(NamedTuple):
    """A straight line and sines (frequency in 1/ms, phase in turns, amplitude in pA) from `time` on."""

    time: float  # ms
    amplitude: float  # pA
    slope: float  # pA/ms
    sines: tuple[tuple[float, float, float], ...]


class Programme(NamedTuple):
    """Pieces of current one after another, and the neurons that follow them, by trace."""

    neurons: dict[str, list[int]]
    pieces: tuple[Piece, ...]

    def note(self) -> dict[str, Any]:
        """What the summary says of it."""
        pieces = [[*piece[:3], [list(sine) for sine in piece.sines]] for piece in self.pieces]
        return {"neurons": self.neurons, "pieces": pieces}


def programmes(summary: Mapping[str, Any]) -> list[Programme]:
    """What a summary notes. It may come from elsewhere: what is no programme is left out."""
    notes = summary.get("currents")
    found = [_programme(note) for note in notes] if isinstance(notes, list) else []
    return [programme for programme in found if programme is not None]


def _programme(note: Any) -> Programme | None:
    try:
        neurons = {name: [int(neuron) for neuron in ids] for name, ids in note["neurons"].items()}
        pieces = []
        for time, amplitude, slope, sines in note["pieces"]:
            waves = tuple((float(frequency), float(phase), float(size)) for frequency, phase, size in sines)
            pieces.append(Piece(float(time), float(amplitude), float(slope), waves))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None
    numbers = [number for piece in pieces for number in (*piece[:3], *(x for sine in piece.sines for x in sine))]
    times = [piece.time for piece in pieces]
    # Their products must be numbers too.
    good = all(abs(number) < 1e100 for number in numbers) and times == sorted(times)
    return Programme(neurons, tuple(pieces)) if good else None


def current_curve(pieces: Sequence[Piece], t0: float, t1: float) -> tuple[Floats, Floats]:
    """Times (ms) from t0 to t1 and currents (pA) that a line through them shows; two of one time where it jumps."""
    times, values = [np.empty(0)], [np.empty(0)]
    ends = [piece.time for piece in pieces[1:]] + [math.inf]
    for piece, until in zip(pieces, ends, strict=False):
        begin, end = max(piece.time, t0), min(until, t1)
        if begin < end:
            fastest = max((abs(frequency) for frequency, _, _ in piece.sines), default=0.0)
            at = _points(begin, end, min(POINTS_PER_PERIOD * fastest, MOST_POINTS / (t1 - t0)))
            current = piece.amplitude + piece.slope * (at - piece.time)
            for frequency, phase, size in piece.sines:
                current += size * np.sin(2.0 * np.pi * (frequency * at + phase))
            times.append(at)
            values.append(current)
    return np.concatenate(times), np.concatenate(values)


def _points(begin: float, end: float, density: float) -> Floats:
    """Both ends and so many points a ms between them, one somewhere in each interval: at equal distances, points of a
    sine that is too fast for them would show a slow one."""
    count = math.ceil(density * (end - begin))
    k = np.arange(count)
    return np.concatenate([[begin], begin + (end - begin) * (k + (k + 1) * GOLDEN % 1.0) / max(count, 1), [end]])
