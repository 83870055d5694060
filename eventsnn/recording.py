"""What is recorded besides spikes, and when it is sampled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eventsnn.errors import InputError
from eventsnn.models.base import Model, suggest
from eventsnn.network import Neurons, Probe, Projection
from eventsnn.stimuli import spike_train

if TYPE_CHECKING:
    from eventsnn.network import Network


def make_probe(
    network: Network,
    target: Neurons | Projection,
    variables: str | Sequence[str],
    every: float | None,
    times: Sequence[float] | NDArray[np.float64] | None,
    ids: Iterable[int] | None,
    name: str | None,
) -> Probe | None:
    """The probe that `Network.record` describes, None for spikes. Raises InputError."""
    names = [variables] if isinstance(variables, str) else list(variables)
    if isinstance(target, Projection):
        if network.projections.get(target.name) is not target:
            raise InputError(f"record: {target.name} belongs to another network")
        owner: str = target.name
        known = ["weight"]
    else:
        network.side(target, "record")
        model = target.population.model
        owner, known = target.population.name, ["spikes"]
        if isinstance(model, Model):
            known += model.state_variables
    for variable in names:
        if variable not in known:
            raise InputError(f"record: {target.name} has no {variable!r}; {suggest(variable, known)}")
    if "spikes" in names:
        if len(names) > 1 or every is not None or times is not None or name is not None:
            raise InputError(f"record: spikes of {target.name} are recorded exactly; give only ids with 'spikes'")
        return None
    if (every is None) == (times is None):
        raise InputError(f"record: {target.name}: give either every= (ms) or times= (ms) for {', '.join(names)}")
    if every is not None and not (math.isfinite(every) and every > 0):
        raise InputError(f"record: {target.name}: every = {every!r} ms must be positive")
    name = owner if name is None else name
    if name in network.probes:
        raise InputError(f"record: a trace {name!r} is there already; list its variables in one call, or give name=")
    chosen = None if ids is None else np.fromiter(ids, dtype=np.int64)
    if chosen is not None and isinstance(target, Neurons):
        target, chosen = target[chosen], None
    return Probe(name, target, names, every, None if times is None else spike_train(times, f"record: {name}"), chosen)


def sample_times(
    every: float | None, times: NDArray[np.float64] | None, start: float, stop: float
) -> NDArray[np.float64]:
    """Sample times in [start, stop): k * every for whole k, or those of `times`."""
    if times is not None:
        return times[np.searchsorted(times, start) : np.searchsorted(times, stop)]
    if every is None or not stop > start:
        return np.empty(0)
    first = max(0, math.floor(start / every) - 1)
    candidates = np.arange(first, math.ceil(stop / every) + 2, dtype=np.float64) * every
    return candidates[(candidates >= start) & (candidates < stop)]
