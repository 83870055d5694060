# The two priority queues of the engine, both binary heaps.
#
# (a) RowQueue: rows of synapses on which a spike travels, ordered by the canonical order (time, round, projection, row,
#     ordinal, first synapse of the slice). The full key matters: with two rows at one time, say +30 and -30 mV from
#     neurons 1 and 2, floating-point sums depend on their order, and a heap ordered by time alone would leave that to
#     chance.
# (b) WakeQueue: for every neuron at most one entry, the time of its next own event (crossing, external spike, change of
#     current). place[n] finds the entry, so that a superseded time is moved or removed, never left behind.

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport realloc

from eventsnn._core.mathfunc cimport infinity


cdef struct Row:
    double time           # arrival, ms
    int64_t ordinal       # of the spike among its neuron's
    int64_t first         # first synapse of the slice with this arrival
    double fired          # time of the spike, ms
    int32_t round
    int32_t projection
    int32_t row
    int32_t fired_round


cdef struct RowQueue:
    Row* heap
    int64_t size
    int64_t room


cdef struct WakeQueue:
    double* time          # heap
    int32_t* neuron       # beside it
    int32_t* place        # (neurons) index in the heap, -1 if absent
    int64_t size


cdef inline bint row_before(const Row* a, const Row* b) noexcept nogil:
    if a.time != b.time:
        return a.time < b.time
    if a.round != b.round:
        return a.round < b.round
    if a.projection != b.projection:
        return a.projection < b.projection
    if a.row != b.row:
        return a.row < b.row
    if a.ordinal != b.ordinal:
        return a.ordinal < b.ordinal
    return a.first < b.first


cdef inline bint row_push(RowQueue* q, const Row* row) noexcept nogil:
    """False if there is no memory left; the queue is then as it was."""
    cdef Row* grown
    cdef int64_t room, i, parent
    if q.size == q.room:
        room = 2 * q.room + 64
        grown = <Row*>realloc(q.heap, room * sizeof(Row))
        if grown == NULL:
            return False
        q.heap = grown
        q.room = room
    i = q.size
    q.size += 1
    while i > 0:
        parent = (i - 1) >> 1
        if not row_before(row, &q.heap[parent]):
            break
        q.heap[i] = q.heap[parent]
        i = parent
    q.heap[i] = row[0]
    return True


cdef inline void row_pop(RowQueue* q) noexcept nogil:
    cdef int64_t i = 0
    cdef int64_t child
    cdef Row last
    q.size -= 1
    last = q.heap[q.size]
    while True:
        child = 2 * i + 1
        if child >= q.size:
            break
        if child + 1 < q.size and row_before(&q.heap[child + 1], &q.heap[child]):
            child += 1
        if not row_before(&q.heap[child], &last):
            break
        q.heap[i] = q.heap[child]
        i = child
    q.heap[i] = last


cdef inline double row_first(const RowQueue* q) noexcept nogil:
    return q.heap[0].time if q.size else infinity()


cdef inline double wake_first(const WakeQueue* q) noexcept nogil:
    return q.time[0] if q.size else infinity()


cdef inline void wake_place(WakeQueue* q, int64_t i, double time, int32_t neuron) noexcept nogil:
    """Put an entry where the heap has a hole at i."""
    cdef int64_t parent, child
    while i > 0:
        parent = (i - 1) >> 1
        if not time < q.time[parent]:
            break
        q.time[i] = q.time[parent]
        q.neuron[i] = q.neuron[parent]
        q.place[q.neuron[i]] = <int32_t>i
        i = parent
    while True:
        child = 2 * i + 1
        if child >= q.size:
            break
        if child + 1 < q.size and q.time[child + 1] < q.time[child]:
            child += 1
        if not q.time[child] < time:
            break
        q.time[i] = q.time[child]
        q.neuron[i] = q.neuron[child]
        q.place[q.neuron[i]] = <int32_t>i
        i = child
    q.time[i] = time
    q.neuron[i] = neuron
    q.place[neuron] = <int32_t>i


cdef inline void wake_set(WakeQueue* q, int32_t neuron, double time) noexcept nogil:
    """Set, move or, for infinity, remove the entry of a neuron."""
    cdef int64_t i = q.place[neuron]
    if time < infinity():
        if i < 0:
            i = q.size
            q.size += 1
        wake_place(q, i, time, neuron)
    elif i >= 0:
        q.place[neuron] = -1
        q.size -= 1
        if i < q.size:
            wake_place(q, i, q.time[q.size], q.neuron[q.size])
