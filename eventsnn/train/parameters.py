"""What is learned: which weights, delays and time constants of a network, as one array."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eventsnn.base.arrays import Bools, Floats, Ints
from eventsnn.base.checks import number
from eventsnn.base.errors import InputError, suggest
from eventsnn.describe.parts import Population, Projection
from eventsnn.describe.rules.convolution import Conv2D
from eventsnn.describe.rules.explicit import Explicit
from eventsnn.describe.rules.pairs import AllToAll
from eventsnn.network import Network
from eventsnn.train.wiring import TAU_M, TAU_SYN, Wiring, ports_of

KINDS = ("weight", "delay", "tau_m", "tau_syn")
# ms; what learning leaves of a delay in a loop, which is how far a window reaches, and of a time constant.
LEAST_IN_LOOPS = 0.1
LEAST_TAU = 0.1


@dataclass(frozen=True)
class _Tau:
    """Time constants of a population that are learned: `block` has one for all its neurons, or one for each."""

    kind: str
    population: Population
    names: tuple[str, ...]
    columns: tuple[int, ...]
    block: slice


class Parameters:
    """The learned parameters of a network, one after the other in `values`, and where each belongs.

    All weights come first, then delays, then time constants. A weight is a synapse's own, but for Conv2D, whose kernel
    all its synapses share. A population has one time constant, or where its neurons differ one for each of them.
    """

    def __init__(self, network: Network, wiring: Wiring, learn: Mapping[str, float], projections: Sequence[str]):
        self.network, self.wiring = network, wiring
        self.learn = learn
        self._posts: Ints | None = None
        self.projections = [name for name in network.projections if name in projections]
        self.populations = [
            population
            for population in network.populations.values()
            if wiring.place[wiring.starts[population.name]] >= 0
        ]
        self._weights()
        self._delays()
        self._taus()
        parts = [self.n_weights, self.n_delays, self.n_taus]
        self.values = self._beginning()
        self.scale = np.repeat([learn.get(kind, 0.0) for kind in KINDS[:3]], parts)
        for tau in self.taus:
            self.scale[self.place_of(tau)] = learn[tau.kind]
        self.low, self.high = np.full(self.values.size, -np.inf), np.full(self.values.size, np.inf)
        self.low[self.n_weights : self.n_weights + self.n_delays] = self.least_delay
        self.low[self.n_weights + self.n_delays :] = LEAST_TAU
        self.bounded = self.values.size > self.n_weights

    # ---- layout

    def _weights(self) -> None:
        """For each learned weight in the kernel, its slot, and which parameter it has."""
        w = self.wiring
        slots, of = [], []
        self.blocks: dict[str, slice | Ints] = {}
        n = 0
        if "weight" in self.learn:
            for name in self.projections:
                projection = self.network.projections[name]
                mine = w.slot_of[self._synapses(name)]
                if isinstance(projection.rule, Conv2D):
                    element = _elements(projection)
                    size = projection.rule.kernel.size
                else:
                    element, size = np.arange(mine.size), mine.size
                slots.append(mine)
                of.append(n + element)
                self.blocks[name] = slice(n, n + size)
                n += size
        self.n_weights = n
        self.slots = np.concatenate(slots) if slots else np.empty(0, dtype=np.int64)
        self.weight_of = np.concatenate(of) if of else np.empty(0, dtype=np.int64)
        # Where each weight has a parameter of its own and all are learned, kernel and optimizer share one array.
        self.shares = n == w.weight.size == np.unique(self.weight_of).size and self.learn.keys() == {"weight"}
        if self.shares:
            self.weight_of = self.slots
            self.blocks = {name: w.slot_of[self._synapses(name)] for name in self.blocks}

    def _delays(self) -> None:
        entries, self.delay_blocks = [], {}
        n = 0
        if "delay" in self.learn:
            for name in self.projections:
                if isinstance(self.network.projections[name].rule, Conv2D):
                    raise InputError(
                        f"train: {name} is a Conv2D, whose delays are not learned; name other projections="
                    )
                mine = self.wiring.entry_of[self._synapses(name)]
                entries.append(mine)
                self.delay_blocks[name] = slice(n, n + mine.size)
                n += mine.size
        self.n_delays = n
        self.entries = np.concatenate(entries) if entries else np.empty(0, dtype=np.int64)
        self.least_delay = np.empty(0)
        if n:
            mine = np.concatenate([self._synapses(name) for name in self.projections])
            self.least_delay = np.where(self.wiring.loop_of[mine] >= 0, LEAST_IN_LOOPS, 0.0)

    def _taus(self) -> None:
        """Time constants: one for a population whose neurons all have the same, else one for each neuron; one for both
        ports where these have the same, else one for each port."""
        self.taus: list[_Tau] = []
        n = 0
        for kind in ("tau_m", "tau_syn"):
            for population in self.populations if kind in self.learn else ():
                names = ["tau_m"] if kind == "tau_m" else [f"tau_syn_{port}" for port in ports_of(population)]
                given = np.stack([population.get(name) for name in names])
                together = [names] if (given == given[0]).all() else [[name] for name in names]
                one = bool((given == given[:, :1]).all())
                for same in together:
                    size = 1 if one else population.n
                    columns = [TAU_M] if kind == "tau_m" else [TAU_SYN + names.index(name) for name in same]
                    if kind == "tau_syn" and len(together) == 1:
                        columns = [TAU_SYN, TAU_SYN + 1]
                    self.taus.append(_Tau(kind, population, tuple(same), tuple(columns), slice(n, n + size)))
                    n += size
        self.n_taus = n

    def _synapses(self, name: str) -> Ints:
        k = list(self.network.projections).index(name)
        start = self.wiring.synapses.start
        return np.arange(start[k], start[k + 1])

    def _places(self, population: Population) -> Ints:
        start = self.wiring.starts[population.name]
        return self.wiring.place[start : start + population.n]

    def _beginning(self) -> Floats:
        w = self.wiring
        if self.shares:
            return w.weight
        values = np.empty(self.n_weights + self.n_delays + self.n_taus)
        for name, block in self.blocks.items():
            rule, given = self.network.projections[name].rule, w.weight[w.slot_of[self._synapses(name)]]
            if isinstance(rule, Conv2D):
                scale = float(np.asarray(self.network.projections[name].weight))
                values[block] = scale * rule.kernel.ravel()
            else:
                values[block] = given
        values[self.n_weights : self.n_weights + self.n_delays] = w.delay[self.entries]
        for tau in self.taus:
            given = tau.population.get(tau.names[0])
            values[self.place_of(tau)] = given[0] if tau.block.stop - tau.block.start == 1 else given
        return values

    def place_of(self, tau: _Tau) -> slice:
        """Where these time constants are in `values`."""
        first = self.n_weights + self.n_delays
        return slice(first + tau.block.start, first + tau.block.stop)

    # ---- use

    def put(self) -> None:
        """Let the kernels have the values."""
        w = self.wiring
        if self.bounded:
            # np.clip takes three times as long for few parameters.
            np.maximum(self.values, self.low, out=self.values)
            np.minimum(self.values, self.high, out=self.values)
        if not self.shares:
            w.weight[self.slots] = self.values[self.weight_of]
        if self.n_delays:
            w.delay[self.entries] = self.values[self.n_weights : self.n_weights + self.n_delays]
            w.fit_windows()
        if self.n_taus:
            for tau in self.taus:
                fans = w.fan_of[self._places(tau.population)]
                for column in tau.columns:
                    w.constants[fans, column] = self.values[self.place_of(tau)]
            w.net.set_constants(w.constants)

    def gradient(self, weight: Floats, delay: Floats, tau: Floats) -> Floats:
        """The gradient by `values` from those by weights, delays and time constants in the order of the kernels."""
        if self.shares:
            return weight
        gradient = np.empty(self.values.size)
        gradient[: self.n_weights] = np.bincount(self.weight_of, weight[self.slots], self.n_weights)
        if self.n_delays:
            gradient[self.n_weights : self.n_weights + self.n_delays] = delay[self.entries]
        for found in self.taus:
            each = tau[self._places(found.population)][:, found.columns].sum(axis=1)
            one = found.block.stop - found.block.start == 1
            gradient[self.place_of(found)] = each.sum() if one else each
        return gradient

    def keep_signs(self, kept: bool) -> None:
        """Let no weight change its sign, or let all be free again: bounds at 0."""
        weights = self.values[: self.n_weights]
        self.low[: self.n_weights] = np.where(kept & (weights >= 0.0), 0.0, -np.inf)
        self.high[: self.n_weights] = np.where(kept & (weights < 0.0), 0.0, np.inf)
        self.bounded = kept or self.values.size > self.n_weights

    def posts(self) -> Ints:
        """For each learned weight the neuron that it reaches; -1 where synapses on several share it."""
        posts = np.full(self.n_weights, -1, dtype=np.int64)
        for name in self.blocks:
            if isinstance(self.network.projections[name].rule, Conv2D):
                continue
            posts[self.blocks[name]] = self.wiring.synapses.post[self._synapses(name)]
        return posts

    def grow(self, silent: Bools, growth: float) -> None:
        """Let the weights onto silent neurons grow (pA)."""
        if self._posts is None:
            self._posts = self.posts()
        self.values[: self.n_weights] += np.where((self._posts >= 0) & silent[self._posts], growth, 0.0)

    # ---- the network

    def write(self) -> None:
        """Let the network have the values: weights and delays of projections, time constants of populations."""
        w = self.wiring
        for name in self.projections:
            mine = self._synapses(name)
            projection = self.network.projections[name]
            rule = projection.rule
            if isinstance(rule, Conv2D) and "weight" in self.learn:
                kernel = self.values[self.blocks[name]].reshape(rule.kernel.shape)
                projection.rule = Conv2D(kernel, rule.pre_shape, rule.stride, rule.padding)
                projection.set(weight=1.0)
            else:
                sides = self._sides(projection, mine)
                write_synapses(projection, *sides, w.weight[w.slot_of[mine]], w.delay[w.entry_of[mine]])
        for tau in self.taus:
            values = self.values[self.place_of(tau)]
            tau.population.set(**dict.fromkeys(tau.names, float(values[0]) if values.size == 1 else values.copy()))

    def _sides(self, projection: Projection, mine: Ints) -> tuple[Ints, Ints]:
        """Positions on the two sides of the synapses of a projection."""
        found = []
        for side, ids in ((projection.pre, self.wiring.synapses.pre), (projection.post, self.wiring.synapses.post)):
            all_ids = np.concatenate([part.ids + self.wiring.starts[part.population.name] for part in side])
            order = np.argsort(all_ids)
            found.append(order[np.searchsorted(all_ids[order], ids[mine])])
        return found[0], found[1]


def write_synapses(projection: Projection, pre: Ints, post: Ints, weight: Floats, delay: Floats) -> None:
    """Let the synapses from `pre` to `post` (positions on the sides) have these weights (pA) and delays (ms)."""
    shape = tuple(sum(len(part) for part in side) for side in (projection.pre, projection.post))
    dense = isinstance(projection.rule, AllToAll) and np.unique(pre * shape[1] + post).size == shape[0] * shape[1]
    if not dense:
        projection.rule = Explicit(pre, post)
    written: list[float | Floats] = []
    for values in (weight, delay):
        if values.size and (values == values[0]).all():
            written.append(float(values[0]))
        elif dense:
            matrix = np.empty(shape)
            matrix[pre, post] = values
            written.append(matrix)
        else:
            written.append(values)
    projection.set(weight=written[0], delay=written[1])


def _elements(projection: Projection) -> Ints:
    """The element of a Conv2D's kernel that each of its synapses has."""
    rule = projection.rule
    assert isinstance(rule, Conv2D)
    synapses = projection.synapses()
    c, y, x = np.unravel_index(synapses.pre, rule.pre_shape)
    o, i, j = np.unravel_index(synapses.post, rule.post_shape)
    u = y + rule.padding[0] - i * rule.stride[0]
    v = x + rule.padding[1] - j * rule.stride[1]
    elements: Ints = np.ravel_multi_index((o, c, u, v), rule.kernel.shape)
    return elements


def kinds_of(learn: Any) -> dict[str, float]:
    """What is learned, and by which factor its learning rate is multiplied; InputError for what cannot be."""
    given: dict[str, Any] = {}
    if isinstance(learn, str):
        given = {learn: 1.0}
    elif isinstance(learn, Mapping):
        given = dict(learn)
    elif isinstance(learn, list | tuple | set | frozenset):
        given = {kind if isinstance(kind, str) else repr(kind): 1.0 for kind in learn}
    else:
        raise InputError(f"train: learn = {reprlib.repr(learn)} must name some of {', '.join(KINDS)}")
    for kind, factor in given.items():
        if kind not in KINDS:
            raise InputError(f"train: {reprlib.repr(kind)} cannot be learned; {suggest(str(kind)[:40], KINDS)}")
        given[kind] = number(factor, f"train: learn[{kind!r}]", "a finite number above 0", above=0.0)
    if not given:
        raise InputError(f"train: learn is empty; name some of {', '.join(KINDS)}")
    return given
