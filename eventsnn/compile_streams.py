"""compile_streams: external spikes, of source populations and of stimuli, as one stream after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.plan import Floats, StreamPlan
from eventsnn.point_processes import PointProcess
from eventsnn.stimuli import SpikeSource
from eventsnn.streams import PARAMETERS, stream_key
from eventsnn.values import resolve

if TYPE_CHECKING:
    from eventsnn.network import Network, Stimulus


def compile_streams(
    network: Network, starts: dict[str, int], n: int, ports: Callable[[Stimulus, Floats], NDArray[np.int64]]
) -> StreamPlan:
    """Collects one block of streams a source population or stimulus, then sorts them by neuron, stably.

    ports: the port of every target of a stimulus with these weights, or one for all.
    """
    blocks: list[dict[str, Any]] = []
    trains: list[Floats] = []
    held = 0
    for population in network.populations.values():
        ids = np.arange(population.n) + starts[population.name]
        if isinstance(population.model, PointProcess):
            blocks.append(_drawn(population.name, "source", ids, population.model, network.seed))
        elif isinstance(population.model, SpikeSource):
            begin, end = population.model.bounds(population.n, population.name)
            trains.append(population.model.times)
            blocks.append({"neuron": ids, "train_start": held + begin, "train_stop": held + end})
            held += population.model.times.size
    for stimulus in network.stimuli.values():
        if isinstance(stimulus.source, PointProcess):
            target = np.concatenate([part.ids + starts[part.population.name] for part in stimulus.targets])
            key = stream_key(network.seed, stimulus.name, "stimulus weight")
            weight = resolve(stimulus.weight, target.size, f"{stimulus.name}: weight", key)
            block = _drawn(stimulus.name, "stimulus", target, stimulus.source, network.seed)
            port = ports(stimulus, weight)
            sizes = [len(part) for part in stimulus.targets]
            models: list[Any] = [part.population.model for part in stimulus.targets]
            magnitudes = np.repeat([model.magnitudes for model in models], sizes)
            weight = np.where(magnitudes, np.abs(weight), weight)
            for name, values in (("weight", weight), ("port", port)):
                block[name] = np.broadcast_to(values, target.size)[block["index"]]
            blocks.append(block)
    pieces = [block for block in blocks if "piece_time" in block]
    for block, before in zip(pieces, np.cumsum([0] + [block["piece_time"].size for block in pieces]), strict=False):
        block["piece_start"], block["piece_stop"] = block["piece_start"] + before, block["piece_stop"] + before
    neuron = np.concatenate([block["neuron"] for block in blocks]) if blocks else np.empty(0, dtype=np.int64)
    order = np.argsort(neuron, kind="stable")

    def column(name: str, dtype: type[np.generic], *shape: int) -> NDArray[Any]:
        # Converted one by one: 64-bit keys together with zeros of another type would become float64.
        parts = [np.full((block["neuron"].size, *shape), block.get(name, 0), dtype=dtype) for block in blocks]
        return np.concatenate(parts)[order] if parts else np.empty((0, *shape), dtype=dtype)

    def table(name: str, dtype: type[np.generic]) -> NDArray[Any]:
        return np.concatenate([np.empty(0, dtype=dtype), *(block[name] for block in pieces)])

    return StreamPlan(
        start=np.searchsorted(neuron[order], np.arange(n + 1)).astype(np.int64),
        kind=column("kind", np.int32),
        key=column("key", np.uint64),
        index=column("index", np.uint32),
        parameter=column("parameter", np.float64, PARAMETERS),
        stationary=column("stationary", np.int32),
        weight=column("weight", np.float64),
        port=column("port", np.int32),
        train_start=column("train_start", np.int64),
        train_stop=column("train_stop", np.int64),
        train_time=np.concatenate(trains) if trains else np.empty(0),
        piece_start=column("piece_start", np.int64),
        piece_stop=column("piece_stop", np.int64),
        piece_time=table("piece_time", np.float64),
        piece_share=table("piece_share", np.float64),
        piece_width=table("piece_width", np.float64),
        piece_run=table("piece_run", np.int32),
    )


def _drawn(name: str, use: str, ids: Any, process: PointProcess, seed: int) -> dict[str, Any]:
    """Streams of one source population or stimulus, which may share a name."""
    drawn = process.compile(ids.size, name, lambda parameter: stream_key(seed, name, f"{use} {parameter}"))
    pieces = drawn.pieces._asdict() if drawn.pieces is not None else {}
    parameter = np.zeros((drawn.on.size, PARAMETERS))
    for k, values in enumerate(drawn.parameter):
        parameter[:, k] = values
    return {
        "neuron": ids[drawn.on],
        "kind": drawn.kind,
        "key": np.uint64(stream_key(seed, name, f"{use} spikes")),
        "index": drawn.on,
        "parameter": parameter,
        "stationary": drawn.stationary,
        **{f"piece_{name}": values for name, values in pieces.items()},
    }
