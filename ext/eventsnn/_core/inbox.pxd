# What arrives in a window, first by row and then by neuron.
#
# A row's weights would fall on neurons all over the memory, and each would find its neuron's state out of the cache. So
# the rows of a window are gone through twice: `list_rows` counts what arrives where, and `sort_arrivals` puts the
# arrivals of each neuron side by side, in the order of the rows. The neurons then take theirs one after the other.

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport realloc

from eventsnn._core.core cimport NO_MEMORY, Core, Inbox, Projection
from eventsnn._core.events cimport fail, queue_slice
from eventsnn._core.neuron cimport Arrival, Slice
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


cdef inline bint list_row(Core* e, const Row* row, int64_t end) noexcept nogil:
    """Append a row to those of the window and count what arrives where; False if there is no memory left."""
    cdef Inbox* b = &e.inbox
    cdef const int32_t* target = e.projections[row.projection].target
    cdef int64_t* place = b.place
    cdef int32_t* touched = e.touched
    cdef int64_t n_touched = e.n_touched
    cdef Slice* new
    cdef void* grown
    cdef int64_t room, i
    cdef int32_t n
    if b.n_rows == b.row_room:
        room = 2 * b.row_room + 64
        grown = realloc(b.row, room * sizeof(Slice))
        if grown == NULL:
            return False
        b.row = <Slice*>grown
        b.row_room = room
    new = &b.row[b.n_rows]
    new.time, new.first, new.end, new.projection = row.time, row.first, end, row.projection
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
    b.n_rows = b.n = 0
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


cdef inline bint sort_arrivals(Core* e) noexcept nogil:
    """Put what arrives in the window side by side for each neuron; False if there is no memory left."""
    cdef Inbox* b = &e.inbox
    cdef const Slice* row
    cdef const Projection* p
    cdef Arrival* arrival
    cdef int64_t* place = b.place
    cdef const int32_t* target
    cdef const double* weight
    cdef const float* weight32
    cdef void* grown
    cdef int64_t i, r, one_weight
    cdef int64_t end = 0
    cdef int32_t port, n
    if b.n > b.room:
        grown = realloc(b.arrival, 2 * b.n * sizeof(Arrival))
        if grown == NULL:
            return False
        b.arrival = <Arrival*>grown
        b.room = 2 * b.n
    for i in range(e.n_touched):
        b.start[i] = end
        end += place[e.touched[i]]
        place[e.touched[i]] = b.start[i]
    for r in range(b.n_rows):
        row = &b.row[r]
        p = &e.projections[row.projection]
        target, weight, weight32, one_weight, port = p.target, p.weight, p.weight32, p.one_weight, p.port
        for i in range(row.first, row.end):
            prefetch(&place[target[min(i + AHEAD, row.end - 1)]])
            n = target[i]
            arrival = &b.arrival[place[n]]
            place[n] += 1
            arrival.weight = weight[0 if one_weight else i] if weight32 == NULL else weight32[0 if one_weight else i]
            arrival.row = <int32_t>r
            arrival.port = port
    return True
