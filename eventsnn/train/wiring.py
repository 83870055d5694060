"""From a Network to what the kernels of training read: fans of neurons, in stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from eventsnn._core.train.gradients import Net
from eventsnn.base.arrays import Bools, Floats, Ints
from eventsnn.base.errors import InputError
from eventsnn.compile.network import numbering
from eventsnn.describe.parts import Population, Projection
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.models.lif import LIFExp
from eventsnn.network import Network

# mV; a neuron whose threshold lies so high above E_L never fires, and its V is read.
NEVER = 1e6

# Of a fan, in the order of the kernel.
CONSTANTS = ("tau_m", "tau_syn", "tau_syn", "C_m", "I_e", "V_th", "V_reset", "t_ref")
TAU_M, TAU_SYN, THRESHOLD, RESET = 0, 1, 5, 6


@dataclass(frozen=True)
class Synaptic:
    """All synapses of a network, by projection and then in the order of `Projection.synapses()`."""

    pre: Ints  # neurons numbered through all populations
    post: Ints
    weight: Floats  # pA
    delay: Floats  # ms
    port: Ints  # -1: by the sign of the weight
    start: Ints  # (projections + 1) where those of a projection begin


@dataclass(frozen=True)
class Neuronal:
    """Constants and initial state of all neurons; rows of sources mean nothing."""

    constants: Floats  # (neurons, 8) see CONSTANTS, potentials relative to E_L
    currents: Ints  # 1 if both time constants of synapses are equal, else 2
    initial: Floats  # (3, neurons): V, currents
    computed: Bools  # no source


@dataclass(frozen=True)
class Wiring:
    """What the passes need: `net` reads `weight` and `delay` where they are, so that they are changed in place.

    slot_of: for each synapse its weight in `weight`; entry_of: its delay in `delay`. place: for each neuron where it is
    computed, -1 for sources. looped: the projections of which synapses are part of a loop.
    """

    net: Net
    output: Ints  # by neuron: its number among the outputs, -1 if it is none
    neurons: Neuronal
    synapses: Synaptic
    starts: dict[str, int]
    weight: Floats
    delay: Floats
    slot_of: Ints
    entry_of: Ints
    place: Ints
    fan_of: Ints  # by place
    constants: Floats  # by fan
    windows: Floats  # by stage
    loop_of: Ints  # by synapse: the stage whose loop it is part of, -1 if of none

    def fit_windows(self) -> None:
        """Take delays that were changed into account. InputError if a loop has a synapse without delay."""
        inside = self.loop_of >= 0
        if inside.any():
            self.windows[:] = np.inf
            np.minimum.at(self.windows, self.loop_of[inside], self.delay[self.entry_of[inside]])
            self.net.set_windows(self.windows)


def wire(network: Network, apart: bool = False) -> Wiring:
    """What training needs of a network. apart: each neuron is a fan, as it must be if its delays are its own.

    Raises InputError for what has no gradient: models other than LIFExp and SpikeSource, stimuli, plastic projections,
    more than two time constants of synapses, neurons that begin or are reset at their threshold, and loops of synapses
    without delay.
    """
    require_differentiable(network)
    network.require_unstarted("train")
    starts, _ = numbering(network)
    neurons, synapses = _neurons(network, starts), _synapses(network, starts)
    _merge_ports(synapses, neurons)
    component, stage_of, windows = _stages(synapses, neurons)
    order = np.lexsort((synapses.delay, synapses.pre, synapses.post))
    fans = _fans(synapses, neurons, order, component, stage_of, apart)
    return _lay_out(synapses, neurons, order, fans, stage_of, windows, component, starts)


def require_differentiable(network: Network) -> None:
    if not isinstance(network, Network):
        raise InputError(f"train: {network!r} is not a Network; give the one to be trained")
    for population in network.populations.values():
        if not isinstance(population.model, LIFExp | SpikeSource):
            raise InputError(
                f"train: {population.name} is a {type(population.model).__name__}, whose spike times have no gradient "
                "here; train networks of LIFExp neurons and SpikeSource inputs"
            )
    if network.stimuli:
        name = next(iter(network.stimuli))
        raise InputError(
            f"train: the stimulus {name} cannot be trained with; give its spikes as inputs of a SpikeSource, or "
            "currents as I_e"
        )
    for projection in network.projections.values():
        if projection.plasticity is not None:
            raise InputError(
                f"train: {projection.name} is plastic; leave out plasticity=, as gradients change its weights"
            )


def differ(network: Network) -> bool:
    """Whether some population has neurons with different time constants."""
    for population in network.populations.values():
        if isinstance(population.model, LIFExp):
            for name in ("tau_m", *(f"tau_syn_{port}" for port in population.model.ports)):
                if np.unique(population.get(name)).size > 1:
                    return True
    return False


def _neurons(network: Network, starts: dict[str, int]) -> Neuronal:
    n = sum(population.n for population in network.populations.values())
    constants, initial = np.ones((n, len(CONSTANTS))), np.zeros((3, n))
    currents, computed = np.ones(n, dtype=np.int64), np.zeros(n, dtype=bool)
    for population in network.populations.values():
        if isinstance(population.model, SpikeSource):
            continue
        part = slice(starts[population.name], starts[population.name] + population.n)
        computed[part] = True
        ports = ports_of(population)
        names = [
            "tau_m",
            *(f"tau_syn_{port}" for port in (ports[0], ports[-1])),
            "C_m",
            "I_e",
            "V_th",
            "V_reset",
            "t_ref",
        ]
        constants[part] = np.stack([population.get(name) for name in names], axis=1)
        E_L = population.get("E_L")
        constants[part, THRESHOLD] -= E_L
        constants[part, RESET] -= E_L
        constants[part, THRESHOLD][constants[part, THRESHOLD] >= NEVER] = np.inf
        initial[0, part] = population.get("V_m") - E_L
        initial[1, part] = population.get(f"I_syn_{ports[0]}")
        if len(ports) == 2:
            initial[2, part] = population.get(f"I_syn_{ports[-1]}")
        for where, values in (("V_m", initial[0, part]), ("V_reset", constants[part, RESET])):
            if (values >= constants[part, THRESHOLD]).any():
                raise InputError(f"train: {where} of {population.name} is not below V_th; raise V_th or lower {where}")
        if (constants[part, TAU_SYN] == constants[part, TAU_SYN + 1]).all():
            initial[1, part] += initial[2, part]
            initial[2, part] = 0.0
        else:
            currents[part] = 2
    return Neuronal(constants, currents, initial, computed)


def ports_of(population: Population) -> tuple[str, ...]:
    """One port or two, in the order of the kernel: the first takes weights >= 0 that are sent to no named port."""
    model = population.model
    assert isinstance(model, LIFExp)
    if len(model.ports) > 2:
        raise InputError(
            f"train: {population.name} has the ports {', '.join(model.ports)}; gradients are there for at most two, "
            'such as "ex" and "in"'
        )
    order = range(len(model.ports)) if model.by_sign is None else dict.fromkeys(model.by_sign)
    return tuple(model.ports[port] for port in order)


def _synapses(network: Network, starts: dict[str, int]) -> Synaptic:
    parts: list[tuple[Any, ...]] = []
    counts = [0]
    for projection in network.projections.values():
        synapses = projection.synapses()
        pre, post = (
            np.concatenate([part.ids + starts[part.population.name] for part in side])
            for side in (projection.pre, projection.post)
        )
        port = _ports_of_side(projection)
        parts.append((
            pre[synapses.pre], post[synapses.post], synapses.weight, synapses.delay,
            port[synapses.post],
        ))  # fmt: skip
        counts.append(len(synapses))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.empty(0)] * 5
    pre, post, ports = (columns[k].astype(np.int64) for k in (0, 1, 4))
    weight, delay = (columns[k].astype(np.float64) for k in (2, 3))
    return Synaptic(pre, post, weight, delay, ports, np.cumsum(counts))


def _ports_of_side(projection: Projection) -> Ints:
    """The port that each neuron of the postsynaptic side takes a projection's spikes by; -1: by the sign of weights."""
    found = []
    for part in projection.post:
        ports = ports_of(part.population)
        by_sign = projection.port is None and len(ports) == 2
        found.append(np.full(len(part), -1 if by_sign else ports.index(projection.port or ports[0])))
    return np.concatenate(found)


def _merge_ports(synapses: Synaptic, neurons: Neuronal) -> None:
    """Where both currents have the same time constant there is one."""
    synapses.port[neurons.currents[synapses.post] == 1] = 0


def _stages(synapses: Synaptic, neurons: Neuronal) -> tuple[Ints, Ints, Floats]:
    """For each neuron the loop or single neuron that it is part of, for each of these its stage, and the windows."""
    from scipy.sparse import coo_array  # scipy takes long to import
    from scipy.sparse.csgraph import connected_components

    n = len(neurons.currents)
    fires = ~neurons.computed | (neurons.constants[:, THRESHOLD] < np.inf)
    sends = fires[synapses.pre]
    pre, post, delay = synapses.pre[sends], synapses.post[sends], synapses.delay[sends]
    graph = coo_array((np.ones(len(pre), dtype=np.int8), (pre, post)), shape=(n, n))
    parts, component = connected_components(graph, directed=True, connection="strong")
    inside = component[pre] == component[post]
    loops = np.zeros(parts, dtype=bool)
    loops[component[pre[inside]]] = True
    least = np.full(parts, np.inf)
    np.minimum.at(least, component[pre[inside]], delay[inside])
    if (least == 0.0).any():
        raise InputError(
            "train: a loop of the network has a synapse with a delay of 0 ms, so that a spike would have an effect on "
            "itself; give synapses within loops a delay above 0"
        )
    level = _levels(component[pre[~inside]], component[post[~inside]], parts)
    # Loops are stages of their own, behind the neurons without loops of their level.
    kinds = np.where(loops, level * (parts + 1) + np.arange(parts) + 1, level * (parts + 1))
    numbers, stage_of = np.unique(kinds, return_inverse=True)
    windows = np.full(len(numbers), np.inf)
    windows[stage_of[loops]] = least[loops]
    return component.astype(np.int64), stage_of.astype(np.int64), windows


def _levels(pre: Ints, post: Ints, n: int) -> Ints:
    """How many steps lie before each node of a graph without loops, at most."""
    level = np.zeros(n, dtype=np.int64)
    edges = np.unique(np.stack([pre, post]), axis=1)
    while True:
        deeper = level.copy()
        np.maximum.at(deeper, edges[1], level[edges[0]] + 1)
        if (deeper == level).all():
            return level
        level = deeper


@dataclass(frozen=True)
class _Fans:
    members: list[Ints]  # neurons of each
    stage: Ints
    first: Ints  # (neurons + 1) where the synapses of a neuron begin in the order by neuron


def _fans(synapses: Synaptic, neurons: Neuronal, order: Ints, component: Ints, stage_of: Ints, apart: bool) -> _Fans:
    """Neurons with the same constants that receive the same at the same times."""
    n = len(neurons.currents)
    first = np.searchsorted(synapses.post[order], np.arange(n + 1))
    source = np.stack([synapses.pre, synapses.port], axis=1)[order]
    delay = synapses.delay[order]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for neuron in np.flatnonzero(neurons.computed).tolist():
        stage = int(stage_of[component[neuron]])
        if apart:
            key: tuple[Any, ...] = (stage, neuron)
        else:
            part = slice(first[neuron], first[neuron + 1])
            key = (stage, source[part].tobytes(), delay[part].tobytes(), neurons.constants[neuron].tobytes())
        groups.setdefault(key, []).append(neuron)
    keys = sorted(groups, key=lambda key: (key[0], groups[key][0]))
    members = [np.array(groups[key], dtype=np.int64) for key in keys]
    return _Fans(members, np.array([key[0] for key in keys], dtype=np.int64), first)


def _lay_out(
    synapses: Synaptic,
    neurons: Neuronal,
    order: Ints,
    fans: _Fans,
    stage_of: Ints,
    windows: Floats,
    component: Ints,
    starts: dict[str, int],
) -> Wiring:
    n, total = len(neurons.currents), len(order)
    slot_of, entry_of = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
    table = np.zeros((len(fans.members), 6), dtype=np.int64)
    sources: list[Ints] = []
    place = entry = weight = 0
    for number, members in enumerate(fans.members):
        own = [order[fans.first[neuron] : fans.first[neuron + 1]] for neuron in members]
        m, size = len(own[0]), len(members)
        table[number] = size, m, place, entry, weight, neurons.currents[members[0]]
        slots = weight + np.arange(m) * size
        for k, of in enumerate(own):
            slot_of[of] = slots + k
            entry_of[of] = entry + np.arange(m)
        sources.append(np.stack([synapses.pre[own[0]], np.full(m, number), np.arange(m)]))
        place, entry, weight = place + size, entry + m, weight + m * size
    neuron = np.concatenate(fans.members) if fans.members else np.empty(0, dtype=np.int64)
    weights, delays, port = np.empty(total), np.empty(entry), np.empty(entry, dtype=np.int8)
    weights[slot_of], delays[entry_of], port[entry_of] = synapses.weight, synapses.delay, synapses.port
    branch = np.concatenate(sources, axis=1) if sources else np.empty((3, 0), dtype=np.int64)
    branch = branch[:, np.argsort(branch[0], kind="stable")]
    first_fan = np.searchsorted(fans.stage, np.arange(len(windows) + 1))
    constants = np.array([neurons.constants[members[0]] for members in fans.members]).reshape(-1, len(CONSTANTS))
    output = np.full(n, -1, dtype=np.int64)
    net = Net(
        np.stack([first_fan[:-1], first_fan[1:]], axis=1),
        windows,
        table,
        constants,
        neuron,
        port,
        delays,
        weights,
        np.ascontiguousarray(neurons.initial[:, neuron]),
        output,
        np.searchsorted(branch[0], np.arange(n + 1)),
        np.ascontiguousarray(branch[1:].T.astype(np.int32)),
    )
    where = np.full(n, -1, dtype=np.int64)
    where[neuron] = np.arange(len(neuron))
    fires = ~neurons.computed | (neurons.constants[:, THRESHOLD] < np.inf)
    inside = (component[synapses.pre] == component[synapses.post]) & fires[synapses.pre]
    loop_of = np.where(inside, stage_of[component[synapses.post]], -1)
    return Wiring(
        net=net,
        output=output,
        neurons=neurons,
        synapses=synapses,
        starts=starts,
        weight=weights,
        delay=delays,
        slot_of=slot_of,
        entry_of=entry_of,
        place=where,
        fan_of=np.repeat(np.arange(len(fans.members)), [len(members) for members in fans.members]),
        constants=constants,
        windows=windows,
        loop_of=loop_of,
    )
