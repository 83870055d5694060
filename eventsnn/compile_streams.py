"""compile_streams: external spikes, of source populations and of stimuli, as one stream after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.errors import InputError
from eventsnn.models.base import require
from eventsnn.plan import Floats, StreamPlan
from eventsnn.stimuli import Poisson, SpikeSource
from eventsnn.streams import cell_width, stream_key
from eventsnn.values import resolve

if TYPE_CHECKING:
    from eventsnn.network import Network, Stimulus

# Hz: below, the cells of a stream would last beyond any time; above, Ctrl-C would have to wait for a window's spikes.
LOWEST_RATE, HIGHEST_RATE = 1e-300, 1e9


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
        if isinstance(population.model, Poisson):
            blocks.append(_poisson_block(population.name, "source", ids, population.model, network.seed, 0.0, 0))
        elif isinstance(population.model, SpikeSource):
            source = population.model
            if source.per_neuron and len(source.trains) != population.n:
                raise InputError(
                    f"{population.name}: SpikeSource has {len(source.trains)} spike trains for {population.n} neurons; "
                    "give one train a neuron, or one list for all"
                )
            bounds = held + np.cumsum([0] + [train.size for train in source.trains])
            trains += source.trains
            held = int(bounds[-1])
            one = slice(None) if source.per_neuron else np.zeros(population.n, dtype=np.int64)
            blocks.append({"neuron": ids, "train_start": bounds[:-1][one], "train_stop": bounds[1:][one]})
    for stimulus in network.stimuli.values():
        if isinstance(stimulus.source, Poisson):
            target = np.concatenate([part.ids + starts[part.population.name] for part in stimulus.targets])
            key = stream_key(network.seed, stimulus.name, "stimulus weight")
            weight = resolve(stimulus.weight, target.size, f"{stimulus.name}: weight", key)
            port = ports(stimulus, weight)
            poisson = stimulus.source
            blocks.append(_poisson_block(stimulus.name, "stimulus", target, poisson, network.seed, weight, port))
    neuron = np.concatenate([block["neuron"] for block in blocks]) if blocks else np.empty(0, dtype=np.int64)
    order = np.argsort(neuron, kind="stable")

    def column(name: str, dtype: type[np.generic]) -> NDArray[Any]:
        # Converted one by one: 64-bit keys together with zeros of another type would become float64.
        parts = [np.full(block["neuron"].size, block.get(name, 0), dtype=dtype) for block in blocks]
        return np.concatenate(parts)[order] if parts else np.empty(0, dtype=dtype)

    return StreamPlan(
        start=np.searchsorted(neuron[order], np.arange(n + 1)).astype(np.int64),
        key=column("key", np.uint64),
        index=column("index", np.uint32),
        rate=column("rate", np.float64),
        width=column("width", np.float64),
        weight=column("weight", np.float64),
        port=column("port", np.int32),
        train_start=column("train_start", np.int64),
        train_stop=column("train_stop", np.int64),
        train_time=np.concatenate(trains) if trains else np.empty(0),
    )


def _poisson_block(
    name: str, kind: str, ids: Any, source: Poisson, seed: int, weight: Any, port: Any
) -> dict[str, Any]:
    """Streams of one source population or stimulus, which may share a name; a rate of 0 has none."""
    rate = resolve(source.rate, ids.size, f"{name}: rate", stream_key(seed, name, f"{kind} rate"))
    require(rate >= 0, rate, f"{name}: rate", "must not be negative", "Hz")
    in_range = (rate >= LOWEST_RATE) & (rate <= HIGHEST_RATE)
    allowed = f"must be 0 or lie between {LOWEST_RATE:g} and {HIGHEST_RATE:g} Hz"
    require((rate == 0) | in_range, rate, f"{name}: rate", allowed, "Hz")
    full = np.broadcast_to(rate, ids.size)
    on = np.flatnonzero(full > 0)
    widths = {float(r): cell_width(float(r)) for r in np.unique(full[on])}
    return {
        "neuron": ids[on],
        "key": np.full(on.size, stream_key(seed, name, f"{kind} spikes"), dtype=np.uint64),
        "index": on,
        "rate": full[on],
        "width": np.array([widths[r] for r in full[on].tolist()]),
        "weight": np.broadcast_to(weight, ids.size)[on],
        "port": np.broadcast_to(port, ids.size)[on],
    }


