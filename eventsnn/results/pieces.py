"""Pieces of a run on disk: what it recorded, piece by piece of its time, while it goes on.

    DIR/pieces/000001.h5, 000002.h5 ...   sealed as "eventsnn piece" (sealed.py), each written once and never changed
        attributes  t_start, t_stop (ms) of the piece; summary, JSON text: that of the results up to its end
        /spikes/<population>             attributes n and t_start, since when it was recorded in this piece
        /spikes/<population>/timestamps, node_ids, selected      as in spikes.h5 (storage.py)
        /traces/<name>/times, ids, values/<variable>             as in traces.h5

A piece has its name once it is complete and on the disk. So the folder can be read at any moment, by any process, and
after any crash, and holds everything up to the end of its last piece.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from weakref import WeakValueDictionary

import h5py
import numpy as np

from eventsnn.base.errors import InputError
from eventsnn.results.files import Layout, escape, plain, read_array, read_file, read_group, unescape
from eventsnn.results.recorded import Named, Recorded
from eventsnn.results.sealed import require_seal, write_sealed
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces

FOLDER = "pieces"
_KIND = "eventsnn piece"

Item = TypeVar("Item", SpikeTrains, Traces)
Read = TypeVar("Read")


class Head(NamedTuple):
    """What a piece says of itself."""

    t_start: float
    t_stop: float
    populations: dict[str, int]  # neurons that are recorded
    traces: dict[str, list[str]]  # their variables
    summary: dict[str, Any]


class Piece:
    """One piece in its file, whose arrays are read whenever they are asked for.

    Whoever did not write it compares its bytes with its checksum before anything is read.
    """

    def __init__(self, path: Path):
        self.path = path

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of what is in the file."""
        return read_file(self.path, lambda path: require_seal(path, _KIND))

    @cached_property
    def head(self) -> Head:
        """All but the arrays."""
        return self._read(self._read_head)

    def read(self) -> Recorded:
        """All that is in the file."""
        start, stop, populations, traces, summary = self.head
        return Recorded(
            {name: self.spikes(name) for name in populations}, {name: self.trace(name) for name in traces},
            start, stop, summary,
        )  # fmt: skip

    def spikes(self, name: str) -> SpikeTrains:
        return self._read(lambda file: self._read_spikes(file, name))

    def trace(self, name: str) -> Traces:
        return self._read(lambda file: self._read_trace(file, name))

    def _read(self, read: Callable[[h5py.File], Read]) -> Read:
        _ = self.digest

        def from_file(path: Path) -> Read:
            with h5py.File(path, "r") as file:
                return read(file)

        return read_file(self.path, from_file)

    def _read_head(self, file: h5py.File) -> Head:
        summary = json.loads(file.attrs["summary"])
        if not isinstance(summary, dict):
            raise Layout("its summary is no object")
        spikes, traces = read_group(file, "spikes"), read_group(file, "traces")
        populations = {unescape(name): int(read_group(spikes, name).attrs["n"]) for name in spikes}
        variables = {unescape(name): [unescape(one) for one in traces[name]["values"]] for name in traces}
        return Head(float(file.attrs["t_start"]), float(file.attrs["t_stop"]), populations, variables, summary)

    def _read_spikes(self, file: h5py.File, name: str) -> SpikeTrains:
        group = read_group(read_group(file, "spikes"), escape(name))
        ids = read_array(group, "node_ids", np.uint64).astype(np.int64)
        selected = read_array(group, "selected", np.int64) if "selected" in group else None
        start, n = float(group.attrs["t_start"]), int(group.attrs["n"])
        return SpikeTrains(
            read_array(group, "timestamps", np.float64), ids, n, start, float(file.attrs["t_stop"]), name, selected
        )

    def _read_trace(self, file: h5py.File, name: str) -> Traces:
        group = read_group(read_group(file, "traces"), escape(name))
        values = read_group(group, "values")
        arrays = {unescape(variable): read_array(values, variable, np.float64) for variable in values}
        return Traces(read_array(group, "times", np.float64), read_array(group, "ids", np.int64), arrays)


def pieces_of(folder: Path) -> list[Piece]:
    """The pieces in a folder of results, in the order of their time; none if there are none."""
    return [Piece(path) for path in sorted((folder / FOLDER).glob("[0-9]*.h5"))]


def write_piece(folder: Path, number: int, part: Recorded) -> Piece:
    """Add what was recorded since the last piece. Raises InputError if it cannot be written."""
    path = folder / FOLDER / f"{number:06d}.h5"
    piece = Piece(path)
    piece.digest = write_sealed(path, _KIND, lambda file: _write(file, part))
    populations = {population: trains.n for population, trains in part.spikes.items()}
    variables = {trace: list(one.variables) for trace, one in part.traces.items()}
    piece.head = Head(part.t_start, part.t_stop, populations, variables, plain(part.summary))
    return piece


def _write(file: h5py.File, part: Recorded) -> None:
    file.attrs.update({"t_start": part.t_start, "t_stop": part.t_stop, "summary": json.dumps(plain(part.summary))})
    spikes, traces = file.create_group("spikes"), file.create_group("traces")
    for name, trains in part.spikes.items():
        group = spikes.create_group(escape(name))
        group.attrs.update({"n": trains.n, "t_start": trains.t_start})
        group["timestamps"], group["node_ids"] = trains.times, trains.ids.astype(np.uint64)
        if trains.selected is not None:
            group["selected"] = trains.selected
    for name, trace in part.traces.items():
        group = traces.create_group(escape(name))
        group["times"], group["ids"] = trace.times, trace.ids
        values = group.create_group("values")
        for variable, array in trace.variables.items():
            values[escape(variable)] = array


class OnDemand(Named[Item]):
    """A read-only dictionary of what has to be read first; what is in use is not read twice."""

    def __init__(self, names: Iterable[str], read: Callable[[str], Item], what: str):
        unread: dict[str, Any] = dict.fromkeys(names)
        super().__init__(unread, what)
        self._read: Callable[[str], Item] = read
        self._held: WeakValueDictionary[str, Item] = WeakValueDictionary()

    def _at(self, name: str) -> Item:
        found = self._held.get(name)
        if found is None:
            self._held[name] = found = self._read(name)
        return found

    def __repr__(self) -> str:
        return repr(dict(self))


def joined(pieces: Sequence[Piece], rest: Recorded | None = None) -> Recorded:
    """What pieces that follow each other hold, and what was recorded since, as one; arrays are read when they are asked
    for."""
    heads = [piece.head for piece in pieces]
    before = [(one.t_stop, next_one.t_start) for one, next_one in pairwise(heads)]
    if rest is not None:
        before.append((heads[-1].t_stop, rest.t_start))
    if any(stop != start for stop, start in before):
        raise InputError(f"{pieces[0].path.parent} does not hold all pieces of a run: one that lay between is gone")
    last = heads[-1].t_stop if rest is None else rest.t_stop
    summary = dict(heads[-1].summary) if rest is None else rest.summary
    more: Recorded = Recorded({}, {}, 0.0, 0.0, {}) if rest is None else rest

    def spikes(name: str) -> SpikeTrains:
        parts = [piece.spikes(name) for piece, head in zip(pieces, heads, strict=True) if name in head.populations]
        parts += [more.spikes[name]] if name in more.spikes else []
        return _joined_spikes(parts, last)

    def trace(name: str) -> Traces:
        parts = [piece.trace(name) for piece, head in zip(pieces, heads, strict=True) if name in head.traces]
        parts += [more.traces[name]] if name in more.traces else []
        return _joined_traces(parts)

    recorded = dict.fromkeys([name for head in heads for name in head.populations] + list(more.spikes))
    sampled = dict.fromkeys([name for head in heads for name in head.traces] + list(more.traces))
    return Recorded.in_parts(
        OnDemand(recorded, spikes, "spikes"), OnDemand(sampled, trace, "traces"),
        heads[0].t_start, last, summary, lambda: _each(pieces, rest),
    )  # fmt: skip


def _each(pieces: Sequence[Piece], rest: Recorded | None) -> Iterator[Recorded]:
    for piece in pieces:
        yield piece.read()
    if rest is not None:
        yield rest


def _joined_spikes(parts: list[SpikeTrains], stop: float) -> SpikeTrains:
    """One after the other; which neurons are recorded is what was so last."""
    first, last = parts[0], parts[-1]
    times, ids = np.concatenate([part.times for part in parts]), np.concatenate([part.ids for part in parts])
    return SpikeTrains(times, ids, last.n, first.t_start, stop, first.name, last.selected)


def _joined_traces(parts: list[Traces]) -> Traces:
    variables = {name: np.concatenate([part.variables[name] for part in parts], axis=1) for name in parts[0].variables}
    return Traces(np.concatenate([part.times for part in parts]), parts[0].ids, variables)
