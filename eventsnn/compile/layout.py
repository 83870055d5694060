"""lay_out: from the Plan to a Net, the arrays that the compiled engine points into and never changes.

All decisions about these arrays are made here; the engine compiles nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.draw.stream import PARAMETERS, POISSON, SINE, STEPS
from eventsnn._core.solve.neuron import MOST_VARIABLES, R
from eventsnn.base.arrays import Floats, Ids, Ints
from eventsnn.compile.groups import Groups, find_groups, kinds_of_classes, numbered
from eventsnn.compile.lanes import load, most_alike, parts
from eventsnn.compile.plan import CurrentPlan, PartPlan, Plan, ProbePlan, ProceduralPlan, ProjectionPlan, StreamPlan
from eventsnn.draw.streams import STEPS_MEAN

# ms. The longest window where most neurons may be calm: blocks cut a window into parts, and each part goes through all
# that arrives in the window.
LONGEST_WITH_CALM = 0.125
# Rounds and spikes are counted by kernels in 32 bits.
MOST_COUNTED = 2**31 - 2

MODEL = np.dtype(
    [
        *((name, "i4") for name in ("ports", "positive", "negative", "instantaneous", "n_slots", "n_currents")),
        *((name, "i4") for name in ("n_alpha", "n_thresholds", "n_driven", "leaks", "clamped", "resets")),
        *((name, "i4") for name in ("magnitudes", "ahead")),
        ("target", "i4", (MOST_VARIABLES,)),
    ]
)  # fmt: skip
SOURCE = np.dtype(
    [
        *((name, "f8") for name in ("weight", "width", "mean", "begin")), ("parameter", "f8", (PARAMETERS,)),
        ("key", "u8"),
        ("piece", "i8"), ("n_pieces", "i4"), ("port", "i4"), ("kind", "i4"), ("stationary", "i4"),
    ]
)  # fmt: skip


class Rows(NamedTuple):
    """Rows of synapses and the numbers that kernels need of them: Projection in ext/eventsnn/_core/run/core.pxd."""

    plan: ProjectionPlan | ProceduralPlan
    ascending: bool
    first_target: int
    last_target: int
    weight_size: float
    most_alike: int
    least_delay: float


@dataclass(frozen=True)
class Net:
    """A network as the compiled engine sees it; all lanes share it. What is not said here stands in Plan."""

    n: int
    window: float
    shortest: float  # ms, the shortest delay
    prompted: NDArray[np.uint8]
    max_rounds: int
    max_spikes: int
    model_names: tuple[str, ...]
    kernels: tuple[object, ...]  # of models
    models: NDArray[np.void]  # MODEL
    words: int  # the most numbers of a neuron's state that lie behind its record
    behind: int  # the most numbers behind a record, with those that are no part of the state
    class_model: Ids
    constants: Floats
    framed: NDArray[np.bool_]  # (classes + 1) whether the class has frames; the last is for sources
    class_of: Ids
    v: Floats
    variables: Floats
    I_e: Floats
    drive: Floats  # (n) mV, under I_e alone
    recorded: NDArray[np.uint8]
    change: Ids  # (n) where the programme of each neuron begins, ended by inf: in
    change_time: Floats
    change_amplitude: Floats
    change_slope: Floats
    change_sine: Ids  # (changes, 2) first of the rows of sines, and how many
    sines: Floats
    sources: NDArray[np.void]  # SOURCE: what streams share that differ in index and given spikes only
    stream_start: Ints  # (n + 1)
    stream_source: Ids
    stream_index: NDArray[np.uint32]
    train: Ints  # (streams, 2) the first of its given spikes in train_time, and how many
    train_time: Floats
    piece_time: Floats
    piece_share: Floats
    piece_width: Floats
    piece_run: Ids
    projections: tuple[ProjectionPlan | PartPlan | ProceduralPlan, ...]
    rows: tuple[Rows, ...]
    outgoing_start: Ints  # (n + 1) neuron n has the rows outgoing_start[n]:outgoing_start[n + 1] of
    outgoing_projection: Ids
    outgoing_row: Ids
    parts: Ints  # where parts of the network end; every lane has a range of each
    load: Floats  # (n + 1) what all neurons before each are expected to cost
    groups: Groups
    probes: tuple[ProbePlan, ...]


def lay_out(plan: Plan) -> Net:
    """The arrays of a compiled network."""
    streams = plan.streams
    sources, source_of = _sources(streams)
    kinds = kinds_of_classes(plan)
    groups = find_groups(plan, kinds, source_of, sources)
    window = min(plan.window, LONGEST_WITH_CALM) if 2 * groups.n_calm > plan.n else plan.window
    models = _models(plan)
    words = models["n_slots"] + models["n_currents"] + models["n_alpha"]
    gain = np.append(plan.constants[:, R], 0.0)[plan.class_of]
    return Net(
        n=plan.n,
        window=window,
        shortest=min((float(p.delay.min(initial=np.inf)) + p.dendritic for p in plan.rows), default=np.inf),
        prompted=plan.prompted,
        max_rounds=min(plan.max_rounds, MOST_COUNTED),
        max_spikes=min(plan.max_spikes, MOST_COUNTED),
        model_names=tuple(type(model).__qualname__ for model in plan.models),
        kernels=tuple(model.kernel for model in plan.models),
        models=models,
        words=int(words.max(initial=0)),
        behind=int((words + models["ahead"]).max(initial=0)),
        class_model=plan.class_model,
        constants=plan.constants,
        framed=kinds.framed,
        class_of=plan.class_of,
        v=plan.v,
        variables=plan.variables,
        I_e=plan.I_e,
        drive=gain * plan.I_e,
        recorded=plan.recorded,
        sources=sources,
        stream_start=streams.start,
        stream_source=source_of,
        stream_index=streams.index,
        train=np.column_stack([streams.train_start, streams.train_stop - streams.train_start]),
        train_time=streams.train_time,
        piece_time=streams.piece_time,
        piece_share=streams.piece_share,
        piece_width=streams.piece_width,
        piece_run=streams.piece_run,
        projections=plan.projections,
        rows=tuple(_rows(p, plan.n) for p in plan.rows),
        parts=parts(plan),
        load=load(plan),
        groups=groups,
        probes=plan.probes,
        **_programmes(plan.currents),
        **_outgoing(plan.rows, plan.n),
    )


def _models(plan: Plan) -> NDArray[Any]:
    table = np.zeros(len(plan.models), dtype=MODEL)
    for row, model in zip(table, plan.models, strict=True):
        shape = model.shape
        row["ports"], row["instantaneous"], row["magnitudes"] = len(model.ports), model.instantaneous, model.magnitudes
        row["positive"], row["negative"] = model.by_sign or (0, 0)
        for name in (
            "n_slots",
            "n_currents",
            "n_alpha",
            "n_thresholds",
            "n_driven",
            "leaks",
            "clamped",
            "resets",
            "ahead",
        ):
            row[name] = getattr(shape, name)
        row["target"][: len(shape.targets)] = shape.targets
    return table


def _sources(streams: StreamPlan) -> tuple[NDArray[Any], Ids]:
    """The different sources, and for every stream the number of its source."""
    columns = [streams.key, streams.weight, *np.ascontiguousarray(streams.parameter.T)]
    columns += [streams.kind, streams.port, streams.stationary, streams.piece_start, streams.begin]
    first, number = numbered(columns)
    sources = np.zeros(first.size, dtype=SOURCE)
    for name in ("key", "weight", "begin", "parameter", "port", "kind", "stationary"):
        sources[name] = getattr(streams, name)[first]
    sources["piece"] = streams.piece_start[first]
    sources["n_pieces"] = (streams.piece_stop - streams.piece_start)[first]
    in_cells = np.isin(sources["kind"], (POISSON, SINE))
    sources["width"] = np.where(in_cells, sources["parameter"][:, 0], 0.0)
    sources["mean"] = np.where(in_cells, sources["parameter"][:, 1], 0.0)
    sources["mean"][sources["kind"] == STEPS] = STEPS_MEAN
    return sources, number.astype(np.int32)


def _rows(plan: ProjectionPlan | ProceduralPlan, n: int) -> Rows:
    return Rows(
        plan=plan,
        ascending=bool((plan.post[1:] >= plan.post[:-1]).all()),
        first_target=int(plan.post.min(initial=n)),
        last_target=int(plan.post.max(initial=0)),
        weight_size=plan.weight_size,
        most_alike=most_alike(plan),
        least_delay=float(plan.delay.min(initial=np.inf)) + plan.dendritic,
    )


def _outgoing(rows: Sequence[ProjectionPlan | ProceduralPlan], n: int) -> dict[str, NDArray[Any]]:
    """The rows of every neuron."""
    sizes = [plan.pre.size for plan in rows]
    pre = np.concatenate([np.empty(0, dtype=np.int32), *(plan.pre for plan in rows)])
    order = np.argsort(pre, kind="stable")
    projection = np.repeat(np.arange(len(rows), dtype=np.int32), sizes)
    row = np.concatenate([np.empty(0, dtype=np.int32), *(np.arange(size, dtype=np.int32) for size in sizes)])
    return {
        "outgoing_start": np.searchsorted(pre[order], np.arange(n + 1)),
        "outgoing_projection": projection[order],
        "outgoing_row": row[order],
    }


def _programmes(currents: CurrentPlan) -> dict[str, NDArray[Any]]:
    """Programmes of currents, each ended by inf; the last one stands for having none."""
    ends = np.append(currents.start[1:], currents.time.size)
    sines = np.column_stack([currents.sine_start, np.diff(currents.sine_start, append=0)])[: currents.time.size]
    n = currents.start.size - 1
    first = np.append(currents.start[:n] + np.arange(n), currents.time.size + n)
    return {
        "change": first.astype(np.int32)[currents.of],
        "change_time": np.insert(currents.time, ends, np.inf),
        "change_amplitude": np.insert(currents.amplitude, ends, 0.0),
        "change_slope": np.insert(currents.slope, ends, 0.0),
        "change_sine": np.insert(sines, ends, 0, axis=0).astype(np.int32),
        "sines": currents.sine,
    }
