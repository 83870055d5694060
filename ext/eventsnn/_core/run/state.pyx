"""From the kernels' structs to the arrays of a checkpoint and back: eventsnn/run/state.py says what these are.

A checkpoint leaves out what follows from the Net and the rest of the state: pointers, the next external spike of a
neuron, when a row arrives, spikes of a cell that have been drawn ahead, the series of steps.
"""

from libc.stdint cimport int8_t, int32_t, int64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

import numpy as np

from eventsnn._core.run.core cimport Core, Projection, neuron_at
from eventsnn._core.run.events cimport arrive, next_outside
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.run.net cimport Arena
from eventsnn._core.solve.neuron cimport Model, Neuron, Row, Slice
from eventsnn._core.synapses.procedural cimport Made, make_row
from eventsnn._core.run.queue cimport LEVELS, SLOTS, row_push
from eventsnn._core.draw.stream cimport (
    EXPONENTIAL,
    KEPT,
    MOST_IN_CELL,
    STEPS,
    TRAIN,
    Source,
    Stream,
    cell_times,
)
from eventsnn._core.run.synapses cimport NO_ROOM, made_row
from eventsnn.base.errors import InputError

# ---- neurons


cdef inline int64_t words_of(const Core* e, const Neuron* s) noexcept:
    """Numbers of a neuron's state behind its record."""
    cdef const Model* m
    if s.class_of < 0:
        return 0
    m = e.net.classes[s.class_of].model
    return m.n_slots + m.n_currents + m.n_alpha


cdef dict read_neurons(const Core* e, net):
    cdef int64_t n
    cdef const Neuron* s
    cdef double[:, ::1] real = np.empty((6, e.net.n))
    cdef int64_t[:, ::1] u = np.empty((e.net.n, 2), dtype=np.int64)
    cdef int64_t[:, ::1] words = np.zeros((e.net.n, net.words), dtype=np.int64)
    cdef int64_t[::1] spikes = np.empty(e.net.n, dtype=np.int64)
    cdef int32_t[:, ::1] number = np.empty((3, e.net.n), dtype=np.int32)
    cdef int8_t[:, ::1] mark = np.empty((2, e.net.n), dtype=np.int8)
    for n in range(e.net.n):
        s = neuron_at(e, n)
        real[0, n], real[1, n], real[2, n] = s.t, s.v, s.drive
        real[3, n], real[4, n], real[5, n] = s.slope, s.crossing, s.release
        u[n, 0], u[n, 1], spikes[n] = <int64_t>s.u.low, s.u.high, s.spikes
        number[0, n], number[1, n], number[2, n] = s.change, s.millisecond, s.burst
        mark[0, n], mark[1, n] = s.bounded, s.framed
        if words_of(e, s):
            memcpy(&words[n, 0], <const void*>(s + 1), words_of(e, s) * sizeof(double))
    reals = dict(zip(("t", "v", "drive", "slope", "crossing", "release"), np.asarray(real)))
    numbers = dict(zip(("change", "millisecond", "burst"), np.asarray(number)))
    marks = dict(zip(("bounded", "framed"), np.asarray(mark)))
    rest = {"u": np.asarray(u), "words": np.asarray(words), "spikes": np.asarray(spikes)}
    return {f"neurons.{name}": values for name, values in (reals | numbers | marks | rest).items()}


cdef void set_change(const Core* e, Neuron* s, int32_t first, int32_t begun) noexcept:
    """Let so many pieces of a neuron's programme of currents, which begins at `first`, have begun."""
    s.change = first + begun
    s.sines, s.n_sines = NULL, 0
    if begun:
        s.sines = e.net.sines + e.net.change_sine[2 * s.change - 2]
        s.n_sines = e.net.change_sine[2 * s.change - 1]


cdef write_neurons(Core* e, net, dict state):
    """Their streams must stand where they should."""
    cdef int64_t n, behind
    cdef Neuron* s
    cdef const double[::1] t = state["neurons.t"]
    cdef const double[::1] v = state["neurons.v"]
    cdef const double[::1] drive = state["neurons.drive"]
    cdef const double[::1] slope = state["neurons.slope"]
    cdef const double[::1] crossing = state["neurons.crossing"]
    cdef const double[::1] release = state["neurons.release"]
    cdef const int64_t[:, ::1] u = state["neurons.u"]
    cdef const int64_t[:, ::1] words = state["neurons.words"]
    cdef const int64_t[::1] spikes = state["neurons.spikes"]
    cdef const int32_t[::1] change = state["neurons.change"]
    cdef const int32_t[::1] millisecond = state["neurons.millisecond"]
    cdef const int32_t[::1] burst = state["neurons.burst"]
    cdef const int8_t[::1] bounded = state["neurons.bounded"]
    cdef const int8_t[::1] framed = state["neurons.framed"]
    cdef const int32_t[::1] first_change = net.change
    for n in range(e.net.n):
        s = neuron_at(e, n)
        s.t, s.v, s.drive, s.slope = t[n], v[n], drive[n], slope[n]
        s.crossing, s.release, s.spikes = crossing[n], release[n], spikes[n]
        s.u.low, s.u.high = u[n, 0], u[n, 1]
        s.millisecond, s.burst = millisecond[n], burst[n]
        s.bounded, s.framed = bounded[n], framed[n]
        set_change(e, s, first_change[n], change[n] - first_change[n])
        behind = words_of(e, s)
        memset(<void*>(s + 1), 0, e.net.stride - sizeof(Neuron))
        if behind:
            memcpy(<void*>(s + 1), &words[n, 0], behind * sizeof(double))
        s.outside = next_outside(e, s)


# ---- streams


cdef dict read_streams(const Core* e, net):
    cdef int64_t k
    cdef int64_t n = len(net.stream_source)
    cdef const Stream* s
    cdef double[::1] first = np.empty(n)
    cdef int64_t[::1] cell = np.empty(n, dtype=np.int64)
    cdef int32_t[:, ::1] number = np.empty((4, n), dtype=np.int32)
    for k in range(n):
        s = &e.state.streams[k]
        first[k], cell[k] = s.first, s.cell
        number[0, k], number[1, k], number[2, k], number[3, k] = s.at, s.n, s.in_cell, s.piece
    numbers = dict(zip(("at", "n", "in_cell", "piece"), np.asarray(number)))
    found = {"first": np.asarray(first), "cell": np.asarray(cell)} | numbers
    return {f"streams.{name}": values for name, values in found.items()}


cdef void set_train(Stream* s, const double* time, int64_t n, int64_t at) noexcept nogil:
    """Let a source spike at given times (ms), the next being number `at`."""
    s.train, s.n, s.at = time, <int32_t>n, <int32_t>at
    s.first = time[s.at] if s.at < s.n else infinity()


cdef bint find_kept(const Source* sources, Stream* s) noexcept:
    """Draw again what a stream keeps of its cell; False if its numbers are those of no stream."""
    cdef double times[MOST_IN_CELL + KEPT]
    cdef const Source* d = &sources[s.source]
    cdef Stream drawn = s[0]
    cdef int count, begin
    if s.first == infinity():
        return True
    if d.kind >= EXPONENTIAL:
        return s.at == 0 and s.n == 1
    if d.kind == STEPS and not (s.piece < d.n_pieces and d.piece_width[s.piece] > 0.0):
        return False
    if s.in_cell < 0:
        drawn.cell -= 1
    if not drawn.cell >= 0 or not s.at < s.n <= KEPT:
        return False
    count = cell_times(d, &drawn, times)
    begin = count - s.n if s.in_cell < 0 else s.in_cell
    if begin < 0 or begin > count - s.n or (s.in_cell < 0 and s.in_cell != -s.n):
        return False
    memcpy(s.kept, times + begin, s.n * sizeof(double))
    return s.kept[s.at] == s.first


cdef Stream* find_streams(const Core* e, net, dict state, dict trains, Arena arena) except? NULL:
    """All streams as a state has them, in memory of their own. trains: by stream, the spikes that it was given."""
    cdef int64_t k
    cdef int64_t n = len(net.stream_source)
    cdef const double[::1] first = state["streams.first"]
    cdef const int64_t[::1] cell = state["streams.cell"]
    cdef const int32_t[::1] at = state["streams.at"]
    cdef const int32_t[::1] ahead = state["streams.n"]
    cdef const int32_t[::1] in_cell = state["streams.in_cell"]
    cdef const int32_t[::1] piece = state["streams.piece"]
    cdef const int64_t[:, ::1] train = net.train
    cdef const double* train_time = <const double*>arena.hold(net.train_time, np.float64)
    cdef const double* time
    cdef Stream* streams = <Stream*>arena.allocate(n, sizeof(Stream))
    cdef Stream* s
    cdef bint good
    for k in range(n):
        s = &streams[k]
        s.source, s.index = e.state.streams[k].source, e.state.streams[k].index
        if e.net.sources[s.source].kind == TRAIN:
            time, length = train_time + train[k, 0], train[k, 1]
            if k in trains:
                time, length = <const double*><size_t>trains[k].ctypes.data, trains[k].size
            good = ahead[k] == length and 0 <= at[k] <= length
            if good:
                set_train(s, time, length, at[k])
                good = s.first == first[k] or first[k] == infinity()
                s.first = first[k]
        else:
            s.first, s.cell, s.at, s.n = first[k], cell[k], at[k], ahead[k]
            s.in_cell, s.piece = in_cell[k], piece[k]
            good = find_kept(e.net.sources, s)
        if not good:
            raise InputError(
                f"the state cannot be used: streams.first[{k}] = {first[k]:.17g} ms is not when this stream spikes next"
            )
    return streams


# ---- rows


cdef int64_t read_before(const Projection* p, const Row* row) except -1:
    """How many synapses of a row arrive before row.time; how many slices, where delays are kept by slice."""
    cdef Made* made
    cdef const double* delay = p.delay
    cdef int64_t k = 0
    cdef int64_t n
    if p.one_delay:
        return 0
    if p.recipe != NULL:
        made = make_row(p.recipe, row.row)
        if made == NULL:
            raise MemoryError
        while k < made.n and row.fired + made.delay[k] < row.time:
            k += 1
        free(made)
        return k
    if p.slice_row != NULL:
        n = p.slice_row[row.row + 1] - p.slice_row[row.row]
        while k < n and (row.fired + delay[p.slice_value[p.slice_row[row.row] + k]]) + p.dendritic < row.time:
            k += 1
        return k
    delay += p.start[row.row]
    while k < p.start[row.row + 1] - p.start[row.row] and (row.fired + delay[k]) + p.dendritic < row.time:
        k += 1
    return k


cdef int64_t read_of(const Projection* p, const Row* row) noexcept:
    """The same of a row in the queue."""
    if p.recipe != NULL:
        return 0 if row.first == 0 else (<const Made*><size_t>row.first).at
    return row.first - (p.start[row.row] if p.slice_row == NULL else p.slice_row[row.row])


cdef read_rows(const Core* e, list into):
    """Add (projection, row, ordinal, how far it was read, fired_round, fired) of every row under way. Of one of
    which something has been left for a later part of the window, several may be found: the one least read holds."""
    cdef int64_t slot, k
    cdef int32_t at
    cdef const Row* row
    for slot in range(LEVELS * SLOTS if e.state.rows.row != NULL else 0):
        at = e.state.rows.wheel.first[slot]
        while at >= 0:
            row = &e.state.rows.row[at]
            read = read_of(&e.net.projections[row.projection], row)
            into.append((row.projection, row.row, row.ordinal, read, row.fired_round, row.fired))
            at = e.state.rows.wheel.link[at].next
    for k in range(e.state.rows.n_due, e.state.rows.n_due + e.state.rows.n_late):
        row = &e.state.rows.due[k].row
        read = read_before(&e.net.projections[row.projection], row)
        into.append((row.projection, row.row, row.ordinal, read, row.fired_round, row.fired))


cdef write_rows(Core* e, dict state):
    """File the rows of a lane. The queue is empty and stands at the present time."""
    cdef const double[::1] fired = state["rows.fired"]
    cdef const int32_t[::1] fired_round = state["rows.fired_round"]
    cdef const int64_t[::1] ordinal = state["rows.ordinal"]
    cdef const int32_t[::1] projection = state["rows.projection"]
    cdef const int32_t[::1] row = state["rows.row"]
    cdef const int64_t[::1] read = state["rows.read"]
    cdef const Projection* p
    cdef Row new
    cdef int64_t k
    for k in range(fired.shape[0]):
        p = &e.net.projections[projection[k]]
        new.fired, new.fired_round, new.ordinal = fired[k], fired_round[k], ordinal[k]
        new.projection, new.row = projection[k], row[k]
        if p.recipe == NULL:
            new.first = read[k] + (p.start[new.row] if p.slice_row == NULL else p.slice_row[new.row])
        elif p.one_delay:
            new.first = 0
        else:
            new.first = made_row(p, new.row)
            if new.first == NO_ROOM:
                raise MemoryError
            (<Made*><size_t>new.first).at = read[k]
        arrive(p, &new)
        if not row_push(&e.state.rows, &new):
            raise MemoryError


# ---- weights that may change


cdef set_weights_of(Projection* p, weights):
    """Let rows have their weights in this array."""
    if p.weight32 != NULL:
        p.weight32 = <const float*><size_t>weights.ctypes.data
    else:
        p.weight = <const double*><size_t>weights.ctypes.data


cdef move_weights(Core* e, int64_t k, Projection before, weights):
    """Let what has been left for a later part of the window have its weights in this array as well."""
    cdef Slice* late
    cdef int64_t i
    for i in range(e.state.rows.n_due, e.state.rows.n_due + e.state.rows.n_late):
        late = &e.state.rows.due[i].slice
        if e.state.rows.due[i].row.projection != k:
            continue
        if before.weight32 != NULL:
            late.weight32 = <const float*><size_t>weights.ctypes.data + (late.weight32 - before.weight32)
        else:
            late.weight = <const double*><size_t>weights.ctypes.data + (late.weight - before.weight)
