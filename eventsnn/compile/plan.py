"""Plan: a compiled network as immutable arrays, which is all that an engine sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.synapses.connect import Procedure
from eventsnn.base.arrays import Floats, Ids, Ints
from eventsnn.models.base import Model
from eventsnn.plasticity.program import Program


@dataclass(frozen=True)
class PopulationPlan:
    """A contiguous block of neurons; `model` is None for a source. V_th (mV) is None where neurons differ in it."""

    name: str
    start: int
    n: int
    model: Model | None
    V_th: float | None

    @property
    def stop(self) -> int:
        return self.start + self.n


@dataclass(frozen=True)
class SlicePlan:
    """Delays that take few values: row r consists of the slices row[r]:row[r+1], each of one delay and base, ascending.

    Slice s begins start[s] synapses behind the begin of its row; its delay and base are number value[s] of all.
    """

    row: Ints
    start: NDArray[np.uint32]
    value: NDArray[np.uint16]


@dataclass(frozen=True)
class PlasticPlan:
    """How the weights of a projection follow from spikes on both sides.

    A trace or a variable at rate r (1/ms) changes by exp(r D) in a time D; one with its mark in `nearest` is set to 1
    by a spike, others are raised by 1. Programs take, in this order, the size of the weight, the traces of
    presynaptic and of postsynaptic spikes and the variables of the synapse; on_pre and on_post give the size and the
    variables. between: of the size, variables, third traces and a time, the size. step: of variables of a presynaptic
    neuron, first `initial`, and the time since its last spike, the variables and the factor of what is transmitted.
    """

    sign: float  # of all weights
    low: float  # bounds of their size
    high: float
    dendritic: float  # ms, the part of the delay that postsynaptic spikes take as well
    pre_rate: Floats
    pre_nearest: NDArray[np.uint8]
    post_rate: Floats
    post_nearest: NDArray[np.uint8]
    own_rate: Floats
    on_pre: Program | None
    on_post: Program | None
    between: Program | None
    step: Program | None
    initial: Floats
    reward: Ids  # neurons whose spikes raise the third trace; none if there is none
    reward_delay: float  # ms
    reward_rate: float
    reward_gain: float

    @property
    def learns(self) -> bool:
        """Whether weights change, not only what is transmitted."""
        return self.on_pre is not None or self.on_post is not None


@dataclass(frozen=True)
class ProjectionPlan:
    """Synapses by row: row r, of neuron pre[r], holds start[r]:start[r+1], sorted by (delay, post, draw).

    A synapse reaches neuron base + offset. offset is uint16 where neurons span at most 65,536, or where slices are cut
    so that theirs do, and else int32. base has one element for each delay if there are `slices`, else one.
    weight (float64 or float32) has one element if it is the same for all synapses. delay has one element if it is the
    same for all, one for each value if there are `slices`, and else one for each synapse. port -1 means by the sign of
    the weight. No weight is larger in size than weight_size, which does not depend on how synapses are stored.
    """

    name: str
    pre: Ids
    post: Ids
    start: Ints
    offset: NDArray[np.uint16] | Ids
    base: Ids
    weight: NDArray[np.floating[Any]]
    delay: Floats
    slices: SlicePlan | None
    port: int
    weight_size: float
    plastic: PlasticPlan | None = None

    @property
    def procedure(self) -> None:
        """None: these rows are kept, and none is drawn anew."""

    @property
    def dendritic(self) -> float:
        """What comes to each delay, ms."""
        return 0.0 if self.plastic is None else self.plastic.dendritic

    @property
    def n_synapses(self) -> int:
        return self.offset.size

    @property
    def target(self) -> Ids:
        """The neuron that each synapse reaches, as an array of its own."""
        target: Ids = self.offset + self.by_synapse(self.base)
        return target

    def by_synapse(self, table: NDArray[Any]) -> NDArray[Any]:
        """The element of every synapse, from a table of one element for all, or of one for each number of a slice."""
        if self.slices is None or table.size == 1:
            return np.broadcast_to(table, self.n_synapses)
        return np.repeat(table[self.slices.value], np.diff(self.slice_begins(), append=self.n_synapses))

    def row(self, row: int) -> tuple[Ids, NDArray[np.floating[Any]], Floats]:
        """Target, weight and delay of the synapses of a row."""
        begin, end = self.start[row : row + 2].tolist()
        base, weight = self.base, self.weight
        weight = weight[begin:end] if weight.size > 1 else np.broadcast_to(weight, end - begin)
        if self.slices is not None:
            first, last = self.slices.row[row : row + 2].tolist()
            lengths = np.diff(self.slices.start[first:last], append=np.uint32(end - begin))
            number = self.slices.value[first:last]
            delay = np.repeat(self.delay[number], lengths)
            base = np.repeat(self.base[number], lengths) if base.size > 1 else base
        else:
            delay = self.delay[begin:end] if self.delay.size > 1 else np.broadcast_to(self.delay, end - begin)
        return self.offset[begin:end] + base, weight, delay

    def delays(self) -> Floats:
        """The delay of every synapse, ms."""
        return self.by_synapse(self.delay)

    def slice_begins(self) -> Ints:
        """The first synapse of every slice."""
        assert self.slices is not None
        return np.repeat(self.start[:-1], np.diff(self.slices.row)) + self.slices.start


@dataclass(frozen=True)
class PartPlan:
    """A projection that shares `rows` with others: its synapses are those with targets from min(post) to max(post)."""

    name: str
    pre: Ids
    post: Ids
    rows: ProjectionPlan
    weight_size: float
    n_synapses: int
    plastic: ClassVar[None] = None

    @property
    def procedure(self) -> None:
        """None: these rows are kept, and none is drawn anew."""

    @property
    def port(self) -> int:
        return self.rows.port

    def row(self, row: int) -> tuple[Ids, NDArray[np.floating[Any]], Floats]:
        """Target, weight and delay of the synapses of a row."""
        target, weight, delay = self.rows.row(row)
        mine = self._has(target)
        return target[mine], weight[mine], delay[mine]

    def synapses(self) -> Ints:
        """Where in the rows this projection's synapses lie."""
        return np.flatnonzero(self._has(self.rows.target))

    def alone(self) -> ProjectionPlan:
        """The same projection in rows of its own."""
        rows = self.rows
        target = rows.target
        mine = self.synapses()
        delay, slices = rows.delay, None
        start = np.searchsorted(mine, rows.start)
        if rows.slices is not None:
            numbers, value = np.unique(rows.by_synapse(rows.delay)[mine], return_inverse=True)
            delay = numbers
            if delay.size > 1:
                row_of = np.repeat(np.arange(start.size - 1), np.diff(start))
                first = np.flatnonzero(np.diff(row_of, prepend=-1) | np.diff(value.reshape(-1), prepend=-1))
                begin = first - start[row_of[first]]
                row = np.searchsorted(row_of[first], np.arange(start.size))
                slices = SlicePlan(row, begin.astype(np.uint32), value.reshape(-1)[first].astype(np.uint16))
        weight = rows.weight[mine] if rows.weight.size > 1 else rows.weight
        base = np.zeros(delay.size if slices is not None else 1, dtype=np.int32)
        return ProjectionPlan(
            self.name, self.pre, self.post, start, target[mine], base, weight, delay, slices,
            rows.port, self.weight_size,
        )  # fmt: skip

    def _has(self, target: Ids) -> NDArray[np.bool_]:
        mine: NDArray[np.bool_] = (target >= self.post.min()) & (target <= self.post.max())
        return mine


@dataclass(frozen=True)
class ProceduralPlan:
    """Synapses that are not kept: `procedure` draws row r, of neuron pre[r], when a spike needs it.

    weight (of the type of all weights) and delay hold one value that all synapses share, or the least and the largest
    that can be drawn.
    """

    name: str
    pre: Ids
    post: Ids
    procedure: Procedure
    weight: NDArray[np.floating[Any]]
    delay: Floats
    port: int
    weight_size: float
    n_synapses: int
    plastic: ClassVar[None] = None
    dendritic: ClassVar[float] = 0.0

    def row(self, row: int) -> tuple[Ids, NDArray[np.floating[Any]], Floats]:
        """Target, weight and delay of the synapses of a row, sorted by (delay, post, draw)."""
        target, weight, delay = self.procedure.row(row)
        return (
            target,
            np.broadcast_to(self.weight, target.size) if weight is None else weight,
            np.broadcast_to(self.delay, target.size) if delay is None else delay,
        )


@dataclass(frozen=True)
class StreamPlan:
    """External spikes by neuron: streams start[n]:start[n+1] reach neuron n, in the order of the stimuli.

    Streams of a source are its spikes; others add `weight` to `port`. All but given trains are drawn, from the counters
    (index, ...) of `key`. The columns of `parameter`, by kind (ext/eventsnn/_core/draw/stream.pxd):
        TRAIN        nothing; the spikes are train_time[train_start:train_stop]
        POISSON      width of a cell (ms), mean number of spikes in it
        SINE         width of a cell, mean number of candidates; a candidate at t is a spike with the probability
                     [2] + [3] sin(2 pi ([4] t + [5]))
        STEPS        nothing; pieces piece_start:piece_stop, each from piece_time (ms) to the next one's: candidates in
                     cells of piece_width (ms; 0: none), which are spikes with probability piece_share. The first of a
                     run of pieces of equal width says in piece_run how many they are
        EXPONENTIAL  intervals: dead time (ms), mean of the rest (ms)
        GAMMA        intervals: shape, scale (ms)
        LOGNORMAL    intervals: mu, sigma
        NORMAL       intervals: mean, std, low, high (ms)
        UNIFORM      intervals: low, high (ms)
    stationary: 1 if the first interval of a process of intervals is the time from any moment to the next spike.
    begin: ms, before which there are no spikes; a process of intervals begins there.
    """

    start: Ints
    kind: Ids
    key: NDArray[np.uint64]
    index: NDArray[np.uint32]
    parameter: Floats
    stationary: Ids
    begin: Floats
    weight: Floats
    port: Ids
    train_start: Ints
    train_stop: Ints
    train_time: Floats
    piece_start: Ints
    piece_stop: Ints
    piece_time: Floats
    piece_share: Floats
    piece_width: Floats
    piece_run: Ids


@dataclass(frozen=True)
class CurrentPlan:
    """Currents: neuron n follows programme of[n] (-1: none), the pieces start[p]:start[p+1].

    From time (ms) on the current is amplitude (pA) + slope (pA/ms) * (t - time) + the sinusoidal currents
    sine_start[piece]:sine_start[piece+1] of `sine`, rows of frequency (1/ms), phase (turns), amplitude (pA).
    """

    of: NDArray[np.int32]
    start: Ints
    time: Floats
    amplitude: Floats
    slope: Floats
    sine_start: Ints
    sine: Floats


@dataclass(frozen=True)
class ProbePlan:
    """Samples of some neurons' variables; `neuron` holds global indices, `ids` those within the population.

    variable: for each of the variables 0 for V_m, 1 + slot for another of the state, -1 for the threshold; offset
    (variables, neurons) is what is added to it, in mV.
    """

    name: str
    variables: tuple[str, ...]
    variable: tuple[int, ...]
    offset: Floats
    neuron: Ids
    ids: Ints
    every: float | None
    times: Floats | None


@dataclass(frozen=True)
class WeightProbePlan:
    """Samples of the weights of a projection's synapses."""

    name: str
    projection: str
    weight: Floats
    ids: Ints
    every: float | None
    times: Floats | None


@dataclass(frozen=True)
class Plan:
    """A compiled network. Neurons are numbered through all populations; every array is read-only."""

    seed: int
    populations: tuple[PopulationPlan, ...]
    projections: tuple[ProjectionPlan | PartPlan | ProceduralPlan, ...]
    rows: tuple[ProjectionPlan | ProceduralPlan, ...]  # the rows that hold the synapses of all projections
    streams: StreamPlan
    currents: CurrentPlan
    probes: tuple[ProbePlan, ...]
    weight_probes: tuple[WeightProbePlan, ...]
    models: tuple[Model, ...]
    class_of: NDArray[np.int32]  # (n) row of constants; -1 for a source
    class_model: NDArray[np.int32]  # (classes) index into models
    constants: Floats  # (classes, longest)
    v: Floats  # (n) mV relative to E_L, at t = 0
    variables: Floats  # (n, most slots) the rest of the state at t = 0, in the order of the model's slots
    I_e: Floats  # (n) pA
    recorded: NDArray[np.uint8]  # (n) 1 if spikes are kept
    window: float  # ms, a power of two
    prompted: NDArray[np.uint8]  # (n) 1 if some synapse on the neuron has a delay below window
    max_rounds: int
    max_spikes: int

    @property
    def n(self) -> int:
        return self.class_of.size

    @property
    def n_synapses(self) -> int:
        return sum(projection.n_synapses for projection in self.projections)

    def locate(self, neuron: int) -> tuple[str, int]:
        """Population name and index within it of a neuron."""
        for population in self.populations:
            if neuron < population.stop:
                return population.name, neuron - population.start
        raise IndexError(neuron)
