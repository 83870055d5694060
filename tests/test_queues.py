"""The engine's queues give what a plain list, sorted, gives: at random, far away, at ties and at single instants."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn._core.run.queue import replay_rows, replay_wakes

Times = NDArray[np.float64]

WIDTHS = [1.0, 0.0625, 2.0**-40, 0.0]


def stops(rng: np.random.Generator, width: float) -> Times:
    """Ends of windows, cut windows, single instants, leaps over silence, and times at which a window is lost in t."""
    steps = [width or 1e-3, 0.3 * (width or 1e-3), 20.0, 70.0 * (width or 1e-3), 1e9]
    stop = np.cumsum(rng.choice(steps, size=400, p=[0.5, 0.2, 0.15, 0.14, 0.01]))
    if width:
        whole = rng.random(400) < 0.5
        stop[whole] = np.ceil(stop[whole] / width) * width
    far = np.array([2.0**52 * width, 2.0**53 * width, 2.0**54 * width + 1e16, 1e20, 1e300])
    return np.unique(np.concatenate([stop, far, np.nextafter(far, np.inf)]))


def ahead(rng: np.random.Generator, now: float, width: float) -> float:
    """A time at or after now: there, in the next windows, far away, in years, never."""
    kind = rng.integers(7)
    if kind == 0:
        return now
    if kind == 1:
        return float(np.nextafter(now, np.inf))
    if kind == 2:
        return float(np.round(now + 2.0, 1)) + 3.0
    if kind == 6:
        return np.inf if rng.random() < 0.5 else 10.0 ** rng.integers(9, 308)
    return now + rng.random() * [width, 100.0 * width + 1.0, 1e5][kind - 3]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("seed", range(5))
def test_wakes_are_taken_in_their_window(width: float, seed: int) -> None:
    """Each neuron has one time, moved earlier and later and set to infinity at random."""
    rng = np.random.default_rng(seed)
    n = 50
    stop = stops(rng, width)
    own = np.full(n, np.inf)
    expected, begin, neurons, times = [], [0], [], []
    for now in stop:
        expected.append({int(i) for i in np.flatnonzero(own < now)})
        own[own < now] = np.inf
        for neuron in rng.integers(0, n, size=rng.integers(20)):
            own[neuron] = max(now, ahead(rng, now, width))
            neurons.append(neuron)
            times.append(own[neuron])
        begin.append(len(times))
    found, count = replay_wakes(n, width, stop, np.array(begin), np.array(neurons, dtype=np.int32), np.array(times))
    assert sum(map(len, expected)) > 400
    for window, (first, last) in zip(expected, itertools.pairwise([0, *count]), strict=True):
        assert sorted(found[first:last]) == sorted(window)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("seed", range(5))
def test_rows_come_in_canonical_order(width: float, seed: int) -> None:
    """The order is that of the tuples (time, round, projection, row, ordinal, first), in whatever order they came."""
    rng = np.random.default_rng(seed)
    stop = stops(rng, width)
    queue: list[tuple[float | int, ...]] = []
    expected, begin, times, keys = [], [0], [], []
    for now in stop:
        due = sorted(entry for entry in queue if entry[0] < now)
        expected.append([int(entry[-1]) for entry in due])
        queue = [entry for entry in queue if not entry[0] < now]
        for _ in range(rng.choice([0, 3, 40])):
            time, key = max(now, ahead(rng, now, width)), rng.integers(0, 3, size=5)
            if time < np.inf:
                queue.append((time, *key, len(times)))
                times.append(time)
                keys.append(key)
        begin.append(len(times))
    # Entries with equal keys do not exist in the engine, and here any order of theirs will do.
    found, count = replay_rows(width, stop, np.array(begin), np.array(times), np.array(keys))
    assert sum(map(len, expected)) > 1000
    whole = [(time, *key) for time, key in zip(times, keys, strict=True)]
    for window, (first, last) in zip(expected, itertools.pairwise([0, *count]), strict=True):
        assert sorted(found[first:last]) == sorted(window)
        assert [whole[i] for i in found[first:last]] == [whole[i] for i in window]


def spikes_of_a_burst(extra_delay: float | None) -> tuple[Times, NDArray[np.int32]]:
    """600,000 spikes on their way at once, each with its own delay."""
    net = esn.Network(seed=4)
    sources = net.population(300, esn.SpikeSource([1.0]), name="sources")
    cells = net.population(2_000, esn.LIFDelta(), name="cells")
    late = net.population(1, esn.SpikeSource([50.0]), name="late")
    net.connect(sources, cells, esn.AllToAll(), weight=0.1, delay=esn.Uniform(1.0, 1.9))
    if extra_delay is not None:
        net.connect(late, cells[:1], esn.AllToAll(), weight=0.1, delay=extra_delay)
    trains = net.run(10.0).spikes["cells"]
    return trains.times, trains.ids


def test_a_burst_is_taken_in_parts() -> None:
    """A window in which more arrives than is sorted at a time is cut; shorter windows, and instants, show no other."""
    times, ids = spikes_of_a_burst(None)
    assert np.array_equal(np.unique(ids), np.arange(2_000))
    assert ((times > 2.0) & (times < 2.9)).all()
    for delay in (0.1, 0.0):
        again = spikes_of_a_burst(delay)
        assert np.array_equal(times, again[0])
        assert np.array_equal(ids, again[1])
