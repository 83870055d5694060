# What arrives in a window, first by row and then by neuron.
#
# A row's weights would fall on neurons all over the memory, and each would find its neuron's state out of the cache. So
# the rows of a window are gone through twice: `list_rows` counts what arrives where, and `sort_arrivals` puts the
# arrivals of each neuron side by side, in the order of the rows. The neurons then take theirs one after the other.

from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t
from libc.stdlib cimport realloc

from eventsnn._core.core cimport NO_MEMORY, Core, Projection
from eventsnn._core.events cimport fail, queue_slice
from eventsnn._core.neuron cimport Factor, Inbox, Slice
from eventsnn._core.queue cimport Row, row_pop

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define EVENTSNN_PREFETCH(address) __builtin_prefetch(address, 1)
    #else
    #define EVENTSNN_PREFETCH(address) ((void)(address))
    #endif
    """
    void prefetch "EVENTSNN_PREFETCH"(const void* address) noexcept nogil

cdef enum:
    CACHE_LINE = 64
    AHEAD = 16    # places in a list between the neuron being processed and the one that is prepared
    MOST_ARRIVALS = 524288    # in a window, more only at one time: benchmarks/speed_floor.py


cdef inline bint grow_rows(Inbox* b) noexcept nogil:
    cdef int64_t room = 2 * b.row_room + 64
    cdef void* grown = realloc(b.row, room * sizeof(Slice))
    if grown == NULL:
        return False
    b.row = <Slice*>grown
    grown = realloc(b.factor, (b.n_kinds + 1) * room * sizeof(Factor))
    if grown == NULL:
        return False
    b.factor = <Factor*>grown
    b.row_room = room
    return True


cdef inline void begin_window(Inbox* b) noexcept nogil:
    cdef int i
    b.n_rows = b.n = 0
    b.weighted = False
    b.window += 1
    if b.window == INT32_MAX:
        # What was found so long ago must not be taken for the present.
        b.window = 1
        for i in range(b.n_kinds):
            b.filled[i] = 0


cdef inline bint list_row(Core* e, const Row* row, int64_t end) noexcept nogil:
    """Append a row to those of the window and count what arrives where; False if there is no memory left."""
    cdef Inbox* b = &e.inbox
    cdef const Projection* p = &e.projections[row.projection]
    cdef const int32_t* target = p.target
    cdef int64_t* place = b.place
    cdef int32_t* touched = e.touched
    cdef int64_t n_touched = e.n_touched
    cdef Slice* new
    cdef int64_t i
    cdef int32_t n
    if b.n_rows == b.row_room and not grow_rows(b):
        return False
    new = &b.row[b.n_rows]
    new.time, new.first, new.end, new.projection = row.time, row.first, end, row.projection
    new.port = p.port
    new.tie = <int32_t>b.n_rows
    if b.n_rows and new.time == b.row[b.n_rows - 1].time:
        new.tie = b.row[b.n_rows - 1].tie
    b.weighted |= not p.one_weight
    if p.one_weight:
        new.weight = p.weight[0] if p.weight32 == NULL else p.weight32[0]
    b.n_rows += 1
    for i in range(row.first, end):
        prefetch(&place[target[min(i + AHEAD, end - 1)]])
        n = target[i]
        touched[n_touched] = n
        n_touched += place[n] == 0
        place[n] += 1
    e.n_touched = n_touched
    b.n += end - row.first
    return True


cdef inline double list_rows(Core* e, double stop) noexcept nogil:
    """All rows that arrive before stop; of a single instant those of the present round. Returns an earlier time if they
    are many: the window then ends there."""
    cdef Row row
    cdef Projection* p
    cdef int64_t i, end
    cdef double delay
    cdef Inbox* b = &e.inbox
    begin_window(b)
    while e.rows.size and e.rows.heap[0].time < stop and e.rows.heap[0].round <= e.round:
        if b.n >= MOST_ARRIVALS and e.rows.heap[0].time > b.row[b.n_rows - 1].time:
            return e.rows.heap[0].time
        row = e.rows.heap[0]
        row_pop(&e.rows)
        p = &e.projections[row.projection]
        end = p.start[row.row + 1]
        if not p.one_delay:
            i = row.first
            delay = p.delay[i]
            while i < end and p.delay[i] == delay:
                i += 1
            end = i
        if not list_row(e, &row, end):
            fail(e, NO_MEMORY, row.time, 0)
            return stop
        e.synaptic_events += end - row.first
        if end < p.start[row.row + 1]:
            row.first = end
            queue_slice(e, p, &row)
    return stop


cdef inline bint grow_arrivals(Inbox* b, int64_t room) noexcept nogil:
    cdef void* grown = realloc(b.row_of, room * sizeof(int32_t))
    if grown == NULL:
        return False
    b.row_of = <int32_t*>grown
    grown = realloc(b.weight, room * sizeof(double))
    if grown == NULL:
        return False
    b.weight = <double*>grown
    b.room = room
    return True


cdef inline bint sort_arrivals(Core* e) noexcept nogil:
    """Put what arrives in the window side by side for each neuron; False if there is no memory left."""
    cdef Inbox* b = &e.inbox
    cdef int64_t* place = b.place
    cdef int64_t i, n
    cdef int64_t end = 0
    if b.n + e.n_touched > b.room and not grow_arrivals(b, 2 * (b.n + e.n_touched)):
        return False
    for i in range(e.n_touched):
        b.row_of[end] = -1  # no row: stands before those of a neuron
        b.start[i] = end + 1
        n = place[e.touched[i]]
        place[e.touched[i]] = end + 1
        end += 1 + n
    for i in range(b.n_rows):
        if b.weighted:
            place_row(e, b, <int32_t>i, True)
        else:
            place_row(e, b, <int32_t>i, False)
    return True


cdef inline void place_row(const Core* e, Inbox* b, int32_t r, bint weighted) noexcept nogil:
    cdef const Slice* row = &b.row[r]
    cdef const Projection* p = &e.projections[row.projection]
    cdef const int32_t* target = p.target
    cdef int64_t* place = b.place
    cdef int32_t* row_of = b.row_of
    cdef int32_t tie = row.tie
    cdef int64_t step = 0 if p.one_weight else 1
    cdef int64_t i, at
    cdef int32_t n, before
    for i in range(row.first, row.end):
        prefetch(&place[target[min(i + AHEAD, row.end - 1)]])
        n = target[i]
        at = place[n]
        place[n] = at + 1
        row_of[at] = r
        if weighted:
            b.weight[at] = p.weight[step * i] if p.weight32 == NULL else p.weight32[step * i]
        before = row_of[at - 1] & INT32_MAX
        if tie <= before <= r:
            row_of[at - 1] |= INT32_MIN
