"""What is recorded besides spikes, and when it is sampled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from eventsnn.checks import floats
from eventsnn.errors import InputError, suggest
from eventsnn.models.base import Model
from eventsnn.network import Neurons, Probe, Projection, indices
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
) -> Probe | Neurons:
    """The probe that `Network.record` describes; for spikes the neurons whose spikes are kept. Raises InputError."""
    names: list[Any] = list(variables) if isinstance(variables, list | tuple) else [variables]
    synapses = None
    if isinstance(target, Projection):
        if network.projections.get(target.name) is not target:
            raise InputError(f"record: {target.name} belongs to another network")
        owner: str = target.name
        known = ["weight"]
        if ids is not None:
            synapses = indices(ids, f"record: {target.name}")
            if synapses.dtype == np.bool_:
                raise InputError(f"record: {target.name}: ids of synapses must be whole numbers, not a mask")
    elif not isinstance(target, Neurons):
        raise InputError(f"record: {target!r} is not a population or a projection")
    else:
        target = target if ids is None else target[ids]
        network.side(target, "record")
        model = target.population.model
        owner, known = target.population.name, ["spikes"]
        if isinstance(model, Model):
            known += model.recordables
    for variable in names or [""]:
        if variable not in known:
            raise InputError(f"record: {target.name} has no {variable!r}; {suggest(variable, known)}")
        if names.count(variable) > 1:
            raise InputError(f"record: {target.name}: {variable!r} is listed twice; name each variable once")
    if "spikes" in names:
        if len(names) > 1 or every is not None or times is not None or name is not None:
            raise InputError(f"record: spikes of {target.name} are recorded exactly; give only ids with 'spikes'")
        return cast(Neurons, target)
    if (every is None) == (times is None):
        raise InputError(f"record: {target.name}: give either every= (ms) or times= (ms) for {', '.join(names)}")
    if every is not None:
        width = floats(every, f"record: {target.name}: every", "a number of ms")
        if width.ndim or not 0.0 < width < math.inf:
            raise InputError(f"record: {target.name}: every = {every} ms must be one positive, finite number")
    if name is None and owner in network.probes:
        raise InputError(f"record: a trace {owner!r} is there already; list its variables in one call, or give name=")
    name = network.new_name(name, owner, network.probes, "record")
    at = None if times is None else spike_train(times, f"record: {name}")
    return Probe(name, target, names, every, at, synapses)


def sample_times(
    every: float | None, times: NDArray[np.float64] | None, start: float, stop: float
) -> NDArray[np.float64]:
    """Sample times in [start, stop): k * every for whole k, or those of `times`."""
    if times is not None:
        return times[np.searchsorted(times, start) : np.searchsorted(times, stop)]
    if every is None or not stop > start:
        return np.empty(0)
    if not stop / every < 2.0**53:
        raise InputError(f"record: every = {every:g} ms makes too many samples in {stop:g} ms; it must be larger")
    first = max(0, math.floor(start / every) - 1)
    candidates = np.arange(first, math.ceil(stop / every) + 2, dtype=np.float64) * every
    return candidates[(candidates >= start) & (candidates < stop)]
