"""State: a running network as named arrays, which a checkpoint holds; and the check that they fit a network.

Everything else follows from the Net: a fresh process that lays out the same network goes on from these arrays with the
same bits, in any number of threads.

    network           digest of all that a Net holds but what is recorded
    time              ms; everything before it has been processed
    neurons.          of every neuron:
      t, v, drive, slope, crossing, release, bounded, framed    as in the struct Neuron, neuron.pxd
      u, words        its integers in a frame, low word first; what lies behind its record
      spikes          fired so far: the ordinal of the next one
      change          its next change of current, in Net.change_time
      millisecond, burst    of the last spike, and how many spikes were in it
    streams.          where every stream stands, as in the struct Stream, stream.pxd: first, cell, at, n, in_cell, piece
    trains.           spikes that were given to sources between runs: of the stream trains.stream[k] those at
                      trains.time[trains.start[k]:trains.start[k + 1]], ms
    rows.             spikes under way: `row` of `projection` among the rows of the Net, on which the neuron's spike
                      number `ordinal` travels, fired at `fired` (ms) in the round `fired_round`; `read` of its
                      synapses, or of its slices where delays are kept by slice, have arrived
    weights.P         of projection number P, if they were set or are plastic: as the plan has them, by (row, delay,
                      target, draw)
    plastic.K         of plastic projections: plastic_state.py
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.errors import InputError
from eventsnn.compile.layout import Net, Rows
from eventsnn.compile.plan import PartPlan, ProceduralPlan
from eventsnn.run.change import Change
from eventsnn.run.plastic_state import check_plastic, plastic_shapes
from eventsnn.run.weights import checked_weights

State = dict[str, NDArray[Any]]

_DIGEST = 32
# Fields of a Net left out of the digest: what is recorded makes no difference,
_RECORDING = ("recorded", "probes")
# and these follow from the rest.
_TWICE = ("projections", "kernels")
_FLOATS = ("t", "v", "drive", "slope", "crossing", "release")
_KNOWN_WITHOUT_NAN = {f"neurons.{name}" for name in _FLOATS} | {"streams.first", "trains.time", "rows.fired", "time"}


def digest(net: Net) -> NDArray[np.uint8]:
    """A hash of a Net, by which a network is told from others."""
    found = hashlib.blake2b(digest_size=_DIGEST)
    _add(
        found,
        {field.name: getattr(net, field.name) for field in fields(net) if field.name not in (*_RECORDING, *_TWICE)},
    )
    return np.frombuffer(found.digest(), dtype=np.uint8)


def _add(found: Any, item: Any) -> None:
    if isinstance(item, np.ndarray):
        found.update(f"{item.dtype.str}{item.shape}".encode())
        found.update(np.ascontiguousarray(item).reshape(-1).view(np.uint8))
    elif isinstance(item, dict):
        for name, value in item.items():
            found.update(name.encode())
            _add(found, value)
    elif isinstance(item, ProceduralPlan):
        # Its rows are not at hand; the first of them tell that others are drawn in the same way.
        _add(found, {"pre": item.pre, "post": item.post, "delay": item.delay, "weight": item.weight})
        for row in range(min(item.pre.size, 8)):
            _add(found, item.row(row))
    elif is_dataclass(item):
        _add(found, {field.name: getattr(item, field.name) for field in fields(item)})
    elif isinstance(item, tuple):
        for part in item:
            _add(found, part)
    elif isinstance(item, bool | int | float | str | np.generic | None):
        found.update(repr(item).encode())


def shapes(net: Net) -> dict[str, tuple[Any, tuple[int | None, ...]]]:
    """Type and shape of every array of a state but weights; None stands for any length."""
    n, streams = (net.n,), (net.stream_source.size,)
    of_neurons: dict[str, Any] = dict.fromkeys(_FLOATS, (np.float64, n))
    of_neurons |= dict.fromkeys(("change", "millisecond", "burst"), (np.int32, n))
    of_neurons |= dict.fromkeys(("bounded", "framed"), (np.int8, n))
    of_neurons |= {"u": (np.int64, (net.n, 2)), "words": (np.int64, (net.n, net.words)), "spikes": (np.int64, n)}
    of_streams: dict[str, Any] = {"first": (np.float64, streams), "cell": (np.int64, streams)}
    of_streams |= dict.fromkeys(("at", "n", "in_cell", "piece"), (np.int32, streams))
    of_trains = {"stream": (np.int64, (None,)), "start": (np.int64, (None,)), "time": (np.float64, (None,))}
    of_rows: dict[str, Any] = dict.fromkeys(("ordinal", "read"), (np.int64, (None,)))
    of_rows |= dict.fromkeys(("projection", "row", "fired_round"), (np.int32, (None,)))
    of_rows |= {"fired": (np.float64, (None,))}
    found: dict[str, Any] = {
        "network": (np.uint8, (_DIGEST,)),
        "time": (np.float64, ()),
    }
    parts: dict[str, dict[str, Any]] = {
        "neurons": of_neurons,
        "streams": of_streams,
        "trains": of_trains,
        "rows": of_rows,
    }
    for part, names in parts.items():
        found |= {f"{part}.{name}": expected for name, expected in names.items()}
    return found | plastic_shapes(net)


def arrays_of_rows(found: list[tuple[Any, ...]]) -> State:
    """Rows under way as the engine finds them: each once, in one order, wherever they stand in its queues."""
    names = ("projection", "row", "ordinal", "read", "fired_round", "fired")
    types = (np.int32, np.int32, np.int64, np.int64, np.int32, np.float64)
    columns: list[NDArray[Any]] = [
        np.array([entry[k] for entry in found], dtype=dtype) for k, dtype in enumerate(types)
    ]
    order = np.lexsort(columns[3::-1])
    columns = [column[order] for column in columns]
    again = np.ones(order.size, dtype=bool)
    again[:1] = False
    for column in columns[:3]:
        again[1:] &= column[1:] == column[:-1]
    return {f"rows.{name}": column[~again] for name, column in zip(names, columns, strict=True)}


def arrays_of_trains(trains: Mapping[int, Floats]) -> State:
    """Spikes given to streams."""
    given = [trains[k] for k in sorted(trains)]
    start = np.cumsum([0, *(times.size for times in given)], dtype=np.int64)
    return {
        "trains.stream": np.array(sorted(trains), dtype=np.int64),
        "trains.start": start,
        "trains.time": np.concatenate([np.empty(0), *given]),
    }


def trains_of(state: State) -> dict[int, Floats]:
    """Spikes given to streams, by the number of the stream; the inverse of arrays_of_trains."""
    start = state["trains.start"].tolist()
    return {
        int(k): np.array(state["trains.time"][a:b])  # a copy, since kernels point into it
        for k, a, b in zip(state["trains.stream"], start, start[1:], strict=False)
    }


def without(net: Net, state: State, neurons: Ints) -> tuple[State, Floats]:
    """A state in which no spike of these neurons is under way, and when those were fired that are left out, ms."""
    gone = np.zeros(state["rows.row"].size, dtype=bool)
    pre = np.zeros(state["rows.row"].size, dtype=np.int64)
    for k, rows in enumerate(net.rows):
        mine = state["rows.projection"] == k
        pre[mine] = rows.plan.pre[state["rows.row"][mine]]
        gone |= mine & np.isin(pre, neurons)
    spikes = np.unique(np.stack([pre[gone], state["rows.ordinal"][gone]]), axis=1, return_index=True)[1]
    fired = np.sort(state["rows.fired"][gone][spikes])
    names = [name for name in state if name.startswith("rows.")]
    return state | {name: state[name][~gone] for name in names}, fired


def carried(old: Net, new: Net, state: State, begun: State, change: Change) -> State:
    """The state of a network as one of another, of the same neurons and rows, whose state was `begun` when it began."""
    kept = change.stream >= 0
    before = change.stream[kept]
    found = dict(state)
    for name in (name for name in state if name.startswith("streams.")):
        found[name] = begun[name].copy()
        found[name][kept] = state[name][before]
    number = np.full(old.stream_source.size, -1)
    number[before] = np.flatnonzero(kept)
    trains = {int(number[k]): times for k, times in trains_of(state).items()}
    found |= arrays_of_trains(trains)
    found["neurons.change"] = new.change + (state["neurons.change"] - old.change)
    found["neurons.change"][change.neuron] = new.change[change.neuron] + change.piece
    return found


def checked_state(net: Net, state: Mapping[str, Any], own: NDArray[np.uint8]) -> State:
    """The arrays of a state, contiguous. InputError, naming the array, if it is none of the network of this digest."""
    expected = shapes(net)
    missing = [name for name in expected if name not in state]
    if missing:
        _refuse(f"{missing[0]} is missing")
    arrays: State = {}
    for name, given in state.items():
        if name.startswith("weights."):
            arrays[name] = _weights(net, name, given)
            continue
        if name not in expected:
            _refuse(f"{name} is no array of a state")
        dtype, shape = expected[name]
        arrays[name] = _array(name, given, np.dtype(dtype), shape)
    if not np.array_equal(arrays["network"], own):
        _refuse("network says that it is one of another network")
    for name in _KNOWN_WITHOUT_NAN:
        if np.isnan(arrays[name]).any():
            _refuse(f"{name} holds a number that is none")
    _check_times(arrays)
    _check_neurons(net, arrays)
    _check_trains(net, arrays)
    _check_streams(net, arrays)
    _check_rows(net, arrays)
    _check_due(arrays)
    check_plastic(net, arrays, _refuse)
    return arrays


def _refuse(what: str) -> None:
    raise InputError(f"the state cannot be used: {what}")


def _array(name: str, given: Any, dtype: np.dtype[Any], shape: tuple[int | None, ...]) -> NDArray[Any]:
    if not isinstance(given, np.ndarray | np.generic):
        _refuse(f"{name} is {type(given).__name__}, not an array")
    array = np.asarray(given)
    fits = array.ndim == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
    if array.dtype != dtype or not fits:
        sizes = "x".join("any" if size is None else str(size) for size in shape) or "a single number"
        found = "x".join(map(str, array.shape)) or "a single number"
        _refuse(f"{name} is {array.dtype} of shape {found}; it must be {dtype} of shape {sizes}")
    return np.ascontiguousarray(array).reshape(array.shape)


def _weights(net: Net, name: str, given: Any) -> NDArray[Any]:
    number = name.removeprefix("weights.")
    if not (number.isdecimal() and number.isascii() and int(number) < len(net.projections)):
        _refuse(f"{name} is of no projection")
    plan = net.projections[int(number)]
    if isinstance(plan, ProceduralPlan):
        _refuse(f"{name}: {plan.name} keeps no weights with storage='procedural'")
    dtype = plan.rows.weight.dtype if isinstance(plan, PartPlan) else plan.weight.dtype
    array = _array(name, given, dtype, (plan.n_synapses,))
    try:
        return checked_weights(net.projections, int(number), array)
    except InputError as error:
        _refuse(f"{name}: {error}")
        raise


def _within(name: str, values: NDArray[Any], low: Any, high: Any, what: str) -> None:
    """Refuse the first value below low, or not below high."""
    wrong = np.flatnonzero((values < low) | (values >= high))
    if wrong.size:
        _refuse(f"{name}[{wrong[0]}] = {values.flat[wrong[0]]} is {what}")


def _check_times(state: State) -> None:
    if not 0.0 <= state["time"] < np.inf:
        _refuse(f"time = {state['time']:g} ms is none")
    _within("neurons.t", state["neurons.t"], 0.0, np.nextafter(state["time"], np.inf), "no time that has been")
    for name in ("neurons.spikes", "neurons.burst"):
        _within(name, state[name], 0, np.inf, "no number of spikes")


def _check_due(state: State) -> None:
    for name in ("neurons.crossing", "streams.first"):
        early = np.flatnonzero(state[name] < state["time"])
        if early.size:
            _refuse(f"{name}[{early[0]}] = {state[name][early[0]]:g} ms: it should have happened before")


def _check_neurons(net: Net, state: State) -> None:
    _within("neurons.bounded", state["neurons.bounded"], 0, 4, "no certainty")
    _within("neurons.framed", state["neurons.framed"], 0, 1 + net.framed.astype(int)[net.class_of], "not possible")
    ends = np.flatnonzero(net.change_time == np.inf)
    last = ends[np.searchsorted(ends, net.change)]
    _within("neurons.change", state["neurons.change"], net.change, last + 1, "no change of this neuron's current")


def _check_trains(net: Net, state: State) -> None:
    stream, start, time = (state[f"trains.{name}"] for name in ("stream", "start", "time"))
    if start.size != stream.size + 1 or start[0] != 0 or start[-1] != time.size or (np.diff(start) < 0).any():
        _refuse("trains.start does not cut trains.time into one part for each of trains.stream")
    _within("trains.stream", stream, 0, net.stream_source.size, "no stream")
    wrong = np.flatnonzero(net.sources["kind"][net.stream_source[stream]] != 0)
    if wrong.size:
        _refuse(f"trains.stream[{wrong[0]}] = {stream[wrong[0]]} is a stream that is drawn")


def _check_streams(net: Net, state: State) -> None:
    """Check numbers of streams that the engine trusts when it draws their spikes anew."""
    _within("streams.at", state["streams.at"], 0, np.inf, "no place in a stream")
    _within("streams.cell", state["streams.cell"], 0, 2**53, "no cell")
    pieces = np.append(net.sources["n_pieces"], 0)[net.stream_source]
    _within("streams.piece", state["streams.piece"], 0, pieces + 1, "no piece of this stream")


def _check_rows(net: Net, state: State) -> None:
    columns = {name: state[f"rows.{name}"] for name in ("projection", "row", "ordinal", "read", "fired")}
    sizes = {array.size for array in columns.values()} | {state["rows.fired_round"].size}
    if len(sizes) > 1:
        _refuse("the arrays rows.* differ in length")
    _within("rows.projection", columns["projection"], 0, len(net.rows), "no projection")
    for k in np.unique(columns["projection"]).tolist():
        mine = np.flatnonzero(columns["projection"] == k)
        of_rows = {name: array[mine] for name, array in columns.items()}
        _check_rows_of(net.rows[k], mine, of_rows, float(state["time"]))


def _check_rows_of(rows: Rows, places: Ints, columns: State, time: float) -> None:
    plan = rows.plan
    row, read = columns["row"], columns["read"]

    def within(name: str, low: Any, high: Any, what: str) -> None:
        wrong = np.flatnonzero((columns[name] < low) | (columns[name] >= high))
        if wrong.size:
            _refuse(f"rows.{name}[{places[wrong[0]]}] = {columns[name][wrong[0]]} is {what}")

    within("row", 0, plan.pre.size, f"no row of {plan.name}")
    if isinstance(plan, ProceduralPlan):
        delays = [np.broadcast_to(plan.delay, 1) if plan.delay.size == 1 else plan.row(int(r))[2] for r in row]
        within("read", 0, np.array([delay.size for delay in delays]), f"not how far a row of {plan.name} can be read")
        delay = np.array([of_row[k] for of_row, k in zip(delays, read.tolist(), strict=True)])
    else:
        begin = plan.start if plan.slices is None else plan.slices.row
        length = np.diff(begin)[row]
        if plan.delay.size == 1:
            length = np.minimum(length, 1)
        within("read", 0, length, f"not how far a row of {plan.name} can be read")
        at = begin[row] + read
        which = at if plan.slices is None else plan.slices.value[at]
        delay = plan.delay[which] if plan.delay.size > 1 else np.broadcast_to(plan.delay, at.size)
    late = np.flatnonzero((columns["fired"] + delay) + plan.dendritic < time)
    if late.size:
        _refuse(
            f"rows.fired[{places[late[0]]}] = {columns['fired'][late[0]]:g} ms: the spike should have arrived before"
        )
