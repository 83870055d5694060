"""compile_streams: the streams of external spikes of all neurons, from source populations and stimuli."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.draw.stream import PARAMETERS, TRAIN
from eventsnn.base.arrays import Floats, Ints
from eventsnn.compile.plan import StreamPlan
from eventsnn.compile.ports import require_weights
from eventsnn.describe.description import Description
from eventsnn.describe.parts import Population, Stimulus
from eventsnn.describe.processes.base import Pieces, PointProcess
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.draw.streams import stream_key
from eventsnn.draw.values import resolve


@dataclass
class Block:
    """The streams of one source population or stimulus; each field has one element, or one a stream. See StreamPlan."""

    neuron: Ints
    kind: int | Ints = TRAIN
    key: int | NDArray[np.uint64] = 0
    index: int | Ints = 0
    parameter: float | Floats = 0.0  # (streams, PARAMETERS)
    stationary: bool = False
    begin: float | Floats = 0.0
    weight: float | Floats = 0.0
    port: int | Ints = 0
    train_start: int | Ints = 0
    train_stop: int | Ints = 0
    piece_start: int | Ints = 0
    piece_stop: int | Ints = 0
    pieces: Pieces | None = None


# By use and name.
Begins = Mapping[tuple[str, str], Floats]


def compile_streams(
    description: Description, starts: dict[str, int], n: int, ports: Callable[[Stimulus, Floats], Ints], begins: Begins
) -> StreamPlan:
    """Collects one block of streams a source population or stimulus, then sorts them by neuron, stably.

    ports: the port of every target of a stimulus with these weights, or one for all. begins: when processes were set
    last (ms, one element or one a neuron), by ("source", name of a population) or ("stimulus", its name).
    """
    blocks: list[Block] = []
    trains: list[Floats] = [np.empty(0)]
    held = 0
    for population in description.populations.values():
        ids = np.arange(population.n) + starts[population.name]
        if isinstance(population.model, PointProcess):
            blocks.append(drawn(population.name, "source", ids, population.model, description.seed, begins))
        elif isinstance(population.model, SpikeSource):
            begin, end = population.model.bounds(population.n, population.name)
            trains.append(population.model.times)
            blocks.append(Block(ids, train_start=held + begin, train_stop=held + end))
            held += population.model.times.size
    for stimulus in description.stimuli.values():
        if isinstance(stimulus.source, PointProcess):
            blocks.append(reaching(stimulus, stimulus.source, starts, description.seed, ports, begins))
    blocks, pieces = numbered_pieces(blocks)
    neuron = np.concatenate([np.empty(0, dtype=np.int64), *(block.neuron for block in blocks)])
    order = np.argsort(neuron, kind="stable")

    def column(name: str, dtype: type[np.generic], *shape: int) -> NDArray[Any]:
        # Converted one by one: 64-bit keys together with zeros of another type would become float64.
        none = np.empty((0, *shape), dtype=dtype)
        parts = [np.full((block.neuron.size, *shape), getattr(block, name), dtype=dtype) for block in blocks]
        return np.concatenate([none, *parts])[order]

    return StreamPlan(
        start=np.searchsorted(neuron[order], np.arange(n + 1)).astype(np.int64),
        kind=column("kind", np.int32),
        key=column("key", np.uint64),
        index=column("index", np.uint32),
        parameter=column("parameter", np.float64, PARAMETERS),
        stationary=column("stationary", np.int32),
        begin=column("begin", np.float64),
        weight=column("weight", np.float64),
        port=column("port", np.int32),
        train_start=column("train_start", np.int64),
        train_stop=column("train_stop", np.int64),
        train_time=np.concatenate(trains),
        piece_start=column("piece_start", np.int64),
        piece_stop=column("piece_stop", np.int64),
        piece_time=np.concatenate([np.empty(0), *(piece.time for piece in pieces)]),
        piece_share=np.concatenate([np.empty(0), *(piece.share for piece in pieces)]),
        piece_width=np.concatenate([np.empty(0), *(piece.width for piece in pieces)]),
        piece_run=np.concatenate([np.empty(0, dtype=np.int32), *(piece.run for piece in pieces)]),
    )


def parameter_key(part: Population | Stimulus, use: str, parameter: str, time: float = 0.0) -> int:
    """The key of the draws of a parameter that is set at a time (ms)."""
    network = part.targets[0].population.network if isinstance(part, Stimulus) else part.network
    return stream_key(network.seed, part.name, f"{use} {parameter}" + (f" at {time!r}" if time else ""))


def drawn(name: str, use: str, ids: Ints, process: PointProcess, seed: int, begins: Begins) -> Block:
    """The streams of one source population or stimulus, which may share a name.

    Each time that a process is set it has draws of its own.
    """
    streams = process.compile(ids.size, name, lambda parameter: stream_key(seed, name, f"{use} {parameter}"))
    parameter = np.zeros((streams.on.size, PARAMETERS))
    for k, values in enumerate(streams.parameter):
        parameter[:, k] = values
    begin: Floats = begins.get((use, name), np.zeros(1))
    times, number = np.unique(begin, return_inverse=True)
    uses = [f"{use} spikes" if time == 0.0 else f"{use} spikes from {time!r}" for time in times.tolist()]
    keys = np.array([stream_key(seed, name, text) for text in uses], dtype=np.uint64)
    on = streams.on
    key = np.broadcast_to(keys[number.reshape(-1)], ids.size)[on]
    begin = np.broadcast_to(begin, ids.size)[on]
    return Block(ids[on], streams.kind, key, on, parameter, streams.stationary, begin, pieces=streams.pieces)


def reaching(
    stimulus: Stimulus, process: PointProcess, starts: dict[str, int], seed: int,
    ports: Callable[[Stimulus, Floats], Ints], begins: Begins,
) -> Block:  # fmt: skip
    """The streams of a stimulus, with the weight and the port at which each reaches its neuron."""
    target = np.concatenate([part.ids + starts[part.population.name] for part in stimulus.targets])
    key = stream_key(seed, stimulus.name, "stimulus weight")
    weight = resolve(stimulus.weight, target.size, f"{stimulus.name}: weight", key)
    require_weights(stimulus.name, stimulus.targets, stimulus.port, weight, "neuron")
    block = drawn(stimulus.name, "stimulus", target, process, seed, begins)
    port = ports(stimulus, weight)
    models: list[Any] = [part.population.model for part in stimulus.targets]
    magnitudes = np.repeat([model.magnitudes for model in models], [len(part) for part in stimulus.targets])
    weight = np.where(magnitudes, np.abs(weight), weight)
    here = block.index
    weight, port = np.broadcast_to(weight, target.size)[here], np.broadcast_to(port, target.size)[here]
    return replace(block, weight=weight, port=port)


def rekeyed(streams: StreamPlan, seed: int, time: float) -> StreamPlan:
    """The same streams with other draws from a time (ms) on, those of this seed; given trains stay as they are."""
    drawn = streams.kind != TRAIN
    keys, number = np.unique(streams.key, return_inverse=True)
    others = np.array([stream_key(seed, f"{key:016x}", "spikes of a fork") for key in keys.tolist()], dtype=np.uint64)
    key = np.where(drawn, others[number.reshape(-1)], streams.key) if keys.size else streams.key
    return replace(streams, key=key, begin=np.where(drawn, np.maximum(streams.begin, time), streams.begin))


def numbered_pieces(blocks: list[Block]) -> tuple[list[Block], list[Pieces]]:
    """Number the pieces of rates through all blocks; returns the blocks with these numbers, and their pieces."""
    numbered, pieces, before = [], [], 0
    for block in blocks:
        if block.pieces is not None:
            start, stop = block.pieces.start + before, block.pieces.stop + before
            before += block.pieces.time.size
            pieces.append(block.pieces)
            block = replace(block, piece_start=start, piece_stop=stop)
        numbered.append(block)
    return numbered, pieces
