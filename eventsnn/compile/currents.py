"""compile_currents: injected currents as programmes. Neurons that receive the same currents share one.

A current has one row of numbers, for all neurons that it drives, or a row for each of them; equal rows count as one. A
programme is the sum of the rows that a neuron receives, its members, in the order of the stimuli. All are made at once:
the lines of all members, the times at which any of them begins, which are the pieces of the programme, and then the
first member of every programme is added to its pieces, the second, and so on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventsnn.base.arrays import Floats, Ids, Ints
from eventsnn.compile.plan import CurrentPlan
from eventsnn.describe.currents import InjectedCurrent
from eventsnn.describe.description import Description


class Rows(NamedTuple):
    """The rows of all currents: row r consists of the lines start[r]:start[r + 1]."""

    start: Ints
    time: Floats
    value: Floats
    slope: Floats
    sine: Floats  # (lines, 3)


class Members(NamedTuple):
    """The rows that programmes consist of: by programme, and then in the order of the stimuli."""

    programme: Ints
    place: Ints  # among the members of the programme
    row: Ints


def compile_currents(description: Description, starts: dict[str, int], n: int) -> CurrentPlan:
    rows, neuron, row = _collect(description, starts)
    members, of = _share(neuron, row, n)
    count = np.bincount(members.programme)

    lengths = np.diff(rows.start)[members.row]
    member = np.repeat(np.arange(lengths.size), lengths)
    line = _ranges(rows.start[members.row], lengths)
    order = np.lexsort((rows.time[line], members.programme[member]))
    programme, time = members.programme[member[order]], rows.time[line[order]]
    fresh = np.ones(order.size, dtype=bool)
    fresh[1:] = (programme[1:] != programme[:-1]) | (time[1:] != time[:-1])
    piece = np.empty(order.size, dtype=np.int64)  # that begins with each line
    piece[order] = np.cumsum(fresh) - 1
    programme, time = programme[fresh], time[fresh]

    amplitude, slope = np.zeros(time.size), np.zeros(time.size)
    sines, sounding = [np.empty((0, 3))], [np.empty(0, dtype=np.int64)]
    by_place = np.argsort(members.place[member], kind="stable")
    bounds = np.searchsorted(members.place[member][by_place], np.arange(1, count.max(initial=0)))
    pieces = np.arange(time.size)
    for place, some in enumerate(np.split(by_place, bounds)):
        pieces = pieces[count[programme[pieces]] > place]
        if not some.size:
            continue
        # Lines are in the order of pieces; in a piece holds the last that has begun, if it is of the same programme.
        last = np.searchsorted(piece[some], pieces, side="right") - 1
        begun = (last >= 0) & (programme[piece[some[last]]] == programme[pieces])
        now, at = pieces[begun], line[some[last[begun]]]
        amplitude[now] += rows.value[at] + rows.slope[at] * (time[now] - rows.time[at])
        slope[now] += rows.slope[at]
        loud = rows.sine[at, 2] != 0.0
        sines.append(rows.sine[at[loud]])
        sounding.append(now[loud])
    in_piece = np.concatenate(sounding)
    order = np.argsort(in_piece, kind="stable")
    return CurrentPlan(
        of=of,
        start=np.searchsorted(programme, np.arange(count.size + 1)),
        time=time,
        amplitude=amplitude,
        slope=slope,
        sine_start=np.searchsorted(in_piece[order], np.arange(time.size + 1)),
        sine=np.concatenate(sines)[order],
    )


def _collect(description: Description, starts: dict[str, int]) -> tuple[Rows, Ints, Ints]:
    """The rows of all currents; and each neuron that a current drives, in the order of the stimuli, with its row."""
    stimuli = [s for s in description.stimuli.values() if isinstance(s.source, InjectedCurrent)]
    neurons, of_neurons = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    times, values, slopes = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    lengths: list[int] = []
    sines: list[tuple[int, Floats]] = []
    lines = 0
    for stimulus in stimuli:
        source: InjectedCurrent = stimulus.source  # type: ignore[assignment]
        value, slope, sine = source.value, source.slope, source.sine
        targets = [part.ids + starts[part.population.name] for part in stimulus.targets]
        neurons += targets
        if source.shared:
            of_neurons += [np.full(ids.size, len(lengths)) for ids in targets]
        else:
            kept, which = _distinct(source)
            value, slope, sine = value[kept], slope[kept], None if sine is None else sine[kept]
            of_neurons.append(len(lengths) + which)
        if sine is not None:
            sines.append((lines, sine.reshape(-1, 3)))
        times.append(source.times if len(value) == 1 else np.tile(source.times, len(value)))
        values.append(value.reshape(-1))
        slopes.append(slope.reshape(-1))
        lengths += [source.times.size] * len(value)
        lines += value.size
    of_lines = np.zeros((lines, 3))
    for begin, sine in sines:
        of_lines[begin : begin + len(sine)] = sine
    rows = Rows(
        np.cumsum([0, *lengths]), np.concatenate(times), np.concatenate(values), np.concatenate(slopes), of_lines
    )
    return rows, np.concatenate(neurons), np.concatenate(of_neurons)


def _distinct(source: InjectedCurrent) -> tuple[Ints, Ints]:
    """Where each distinct row of a current is first, and which of them each row is."""
    parts = [source.value, source.slope] + ([] if source.sine is None else [source.sine.reshape(len(source.value), -1)])
    table = np.ascontiguousarray(np.concatenate(parts, axis=1))
    if not table.shape[1]:
        return np.zeros(1, dtype=np.int64), np.zeros(len(table), dtype=np.int64)
    # Rows as bytes: compared as numbers, column by column, they would take ten times as long.
    _, kept, which = np.unique(
        table.view(np.dtype((np.void, table.strides[0]))).reshape(-1), return_index=True, return_inverse=True
    )
    return kept, which.reshape(-1)


def _share(neuron: Ints, row: Ints, n: int) -> tuple[Members, Ids]:
    """The programmes that neurons with these rows follow; and which of them each of n does, -1 without any."""
    order = np.argsort(neuron, kind="stable")
    row = row[order]
    driven, first, count = np.unique(neuron[order], return_index=True, return_counts=True)
    # Neurons have the same key if their first rows, so many as have been looked at, are the same.
    key, rows, taken = np.zeros(driven.size, dtype=np.int64), int(row.max(initial=0)) + 1, 0
    going = np.arange(driven.size)
    for k in range(int(count.max(initial=0))):
        going = going[count[going] > k]
        _, alike = np.unique(key[going] * rows + row[first[going] + k], return_inverse=True)
        key[going] = taken + alike.reshape(-1)
        taken += int(alike.max()) + 1
    _, leader, which = np.unique(key, return_index=True, return_inverse=True)
    leaders = np.sort(leader)  # programmes are numbered by the first neuron that follows them
    of = np.full(n, -1, dtype=np.int32)
    of[driven] = np.searchsorted(leaders, leader[which.reshape(-1)])
    lengths = count[leaders]
    place = _ranges(np.zeros(leaders.size, dtype=np.int64), lengths)
    return Members(np.repeat(np.arange(leaders.size), lengths), place, row[_ranges(first[leaders], lengths)]), of


def _ranges(start: Ints, length: Ints) -> Ints:
    """start[0], start[0] + 1, ... so many as length[0] says, and so on."""
    return np.repeat(start - (np.cumsum(length) - length), length) + np.arange(length.sum())
