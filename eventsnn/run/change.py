"""change_of: which neurons go on otherwise when a network changes between two runs, and from what state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.draw.stream import TRAIN
from eventsnn._core.solve.neuron import R
from eventsnn.base.arrays import Bools, Floats, Ids, Ints
from eventsnn.compile.altered import Stated
from eventsnn.compile.groups import numbered
from eventsnn.compile.layout import Net
from eventsnn.compile.plan import CurrentPlan, Plan, StreamPlan


class Change(NamedTuple):
    """Neurons and streams that go on otherwise from a time on, all else being as it was."""

    time: float  # ms
    neuron: Ids  # those that do, ascending; the state that they have then is in what follows
    v: Floats  # mV relative to E_L
    variables: Floats  # (neurons, slots)
    low: Floats  # (neurons, slots) what additions to currents have lost
    drive: Floats  # mV
    slope: Floats  # mV/ms
    piece: Ids  # how many pieces of its programme of currents have begun
    stream: Ints  # (streams) the number that each stream had before; -1: it begins at this time


def begun(net: Net) -> Change:
    """All neurons and streams at t = 0."""
    none = np.zeros(net.n, dtype=np.int32)
    return Change(
        time=0.0,
        neuron=np.arange(net.n, dtype=np.int32),
        v=net.v,
        variables=net.variables,
        low=np.zeros_like(net.variables),
        drive=net.drive,
        slope=np.zeros(net.n),
        piece=none,
        stream=np.full(net.stream_source.size, -1),
    )


def change_of(
    old: Plan, new: Plan, settled: dict[str, Any], time: float, given: Sequence[Stated], moved: Sequence[Stated]
) -> Change:
    """What becomes of a network in the state `settled` when its Plan is `new`, some variables are given and others are
    moved."""
    changed = differ(old.class_of, new.class_of, lambda a, b: (old.constants[a] == new.constants[b]).all(axis=1))
    changed |= old.I_e != new.I_e
    changed |= differ(old.currents.of, new.currents.of, lambda a, b: _same(old.currents, a, new.currents, b))
    for stated in (*given, *moved):
        changed[stated.neuron] = True
    changed &= new.class_of >= 0
    v, variables, low = settled["v"].copy(), settled["variables"].copy(), settled["low"].copy()
    for slot, neuron, values in moved:
        _column(v, variables, slot)[neuron] += values
    for slot, neuron, values in given:
        _column(v, variables, slot)[neuron] = values
        if slot >= 0:
            low[neuron, slot] = 0.0
    neuron = np.flatnonzero(changed)
    piece, amplitude, slope = _present(new.currents, neuron, time)
    gain = new.constants[new.class_of[neuron], R]
    return Change(
        time=time,
        neuron=neuron.astype(np.int32),
        v=v[neuron],
        variables=variables[neuron],
        low=low[neuron],
        drive=gain * (new.I_e[neuron] + amplitude),
        slope=gain * slope,
        piece=piece,
        stream=_streams(old.streams, new.streams, time),
    )


def differ(a: Ids, b: Ids, same: Callable[[Ids, Ids], Bools]) -> Bools:
    """For every neuron whether a row of one table, of this number, is another than a row of a second table; none is
    numbered below 0. same: of two lists of numbers, row by row."""
    if a.size == 0:
        return np.zeros(0, dtype=bool)
    first, number = numbered([a, b])
    a, b = a[first], b[first]
    different = (a < 0) != (b < 0)
    both = np.flatnonzero((a >= 0) & (b >= 0))
    different[both] = ~same(a[both], b[both])
    found: Bools = different[number]
    return found


def _same(old: CurrentPlan, a: Ids, new: CurrentPlan, b: Ids) -> Bools:
    pairs = [zip(_programme(old, i), _programme(new, j), strict=True) for i, j in zip(a, b, strict=True)]
    return np.array([all(np.array_equal(x, y) for x, y in pair) for pair in pairs], dtype=bool)


def _programme(current: CurrentPlan, p: int) -> list[NDArray[Any]]:
    begin, end = current.start[p : p + 2].tolist()
    sines = current.sine_start[begin : end + 1]
    pieces = [table[begin:end] for table in (current.time, current.amplitude, current.slope)]
    return [*pieces, sines - sines[0], current.sine[sines[0] : sines[-1]]]


def _column(v: Floats, variables: Floats, slot: int) -> Floats:
    return v if slot < 0 else variables[:, slot]


def _present(current: CurrentPlan, neuron: Ints, time: float) -> tuple[Ids, Floats, Floats]:
    """How many pieces of their programmes have begun before a time, and the straight part of the current then and its
    slope. A piece that begins at this time is still to come."""
    begun, amplitude, slope = np.zeros(neuron.size, dtype=np.int32), np.zeros(neuron.size), np.zeros(neuron.size)
    programme = current.of[neuron]
    for p in np.unique(programme[programme >= 0]).tolist():
        here = programme == p
        begin, end = current.start[p : p + 2].tolist()
        count = int(np.searchsorted(current.time[begin:end], time))
        last = begin + count - 1
        begun[here] = count
        if count:
            amplitude[here] = current.amplitude[last] + current.slope[last] * (time - current.time[last])
            slope[here] = current.slope[last]
    return begun, amplitude, slope


def _streams(old: StreamPlan, new: StreamPlan, time: float) -> Ints:
    """The number that each stream had before, -1 for one that begins."""
    n = old.index.size
    neurons = [np.repeat(np.arange(plan.start.size - 1), np.diff(plan.start)) for plan in (old, new)]
    key, index = np.concatenate([old.key, new.key]), np.concatenate([old.index, new.index])
    _, number = numbered([np.concatenate(neurons), key, index])
    where = np.full(number.max(initial=0) + 1, -1)
    where[number[:n]] = np.arange(n)
    before = where[number[n:]]
    before[(new.begin == time) & (new.kind != TRAIN)] = -1
    return before
