# What happens in a window: the neurons that wake, and what arrives, first by row and then by neuron.
#
# A row's weights would fall on neurons all over the memory, and each would find its neuron's state out of the cache. So
# the rows of a window are gone through twice: `list_rows` counts what arrives where, and `sort_arrivals` puts the
# arrivals of each neuron side by side, in the order of the rows. The neurons then take theirs one after the other.

from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t
from libc.stdlib cimport realloc

from eventsnn._core.core cimport NO_MEMORY, Core, Projection, neuron_at
from eventsnn._core.events cimport arrive, fail, next_own
from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.neuron cimport Factor, Inbox, Slice
from eventsnn._core.queue cimport (
    NEVER,
    SLOTS,
    Due,
    Row,
    RowQueue,
    due_push,
    due_sort,
    row_free,
    row_push,
    wake_set,
    wheel_key,
    wheel_put,
    wheel_take,
)

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


cdef inline bint list_row(Core* e, const Row* row) noexcept nogil:
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
    new.time, new.first, new.end, new.projection = row.time, row.first, row.end, row.projection
    new.port = p.port
    new.tie = <int32_t>b.n_rows
    if b.n_rows and new.time == b.row[b.n_rows - 1].time:
        new.tie = b.row[b.n_rows - 1].tie
    b.weighted |= not p.one_weight
    if p.one_weight:
        new.weight = p.weight[0] if p.weight32 == NULL else p.weight32[0]
    b.n_rows += 1
    for i in range(row.first, row.end):
        prefetch(&place[target[min(i + AHEAD, row.end - 1)]])
        n = target[i]
        touched[n_touched] = n
        n_touched += place[n] == 0
        place[n] += 1
    e.n_touched = n_touched
    b.n += row.end - row.first
    return True


cdef inline bint take_due(Core* e, int32_t at, double stop, int64_t* n) noexcept nogil:
    """Note as due what of a row arrives before stop, add to n how much, and file the rest; False if there is no memory
    left."""
    cdef RowQueue* q = &e.rows
    cdef Row* row = &q.row[at]
    cdef const Projection* p = &e.projections[row.projection]
    cdef int64_t end
    cdef double delay
    while row.time < stop:
        end = row.end
        if not p.one_delay:
            end = row.first + 1
            delay = p.delay[row.first]
            while end < row.end and p.delay[end] == delay:
                end += 1
        if not due_push(q, row, end):
            return False
        n[0] += end - row.first
        if end == row.end:
            row_free(q, at)
            return True
        row.first = end
        arrive(p, row)
    wheel_put(&q.wheel, at, wheel_key(&q.wheel, row.time))
    return True


cdef inline bint shorten(RowQueue* q, double* stop, int64_t* n) noexcept nogil:
    """Put back what is due in the later half of the time that it spans, and set stop there; False if there is no memory
    left. All that is due at one time stays."""
    cdef int64_t i
    cdef int64_t kept = 0
    cdef double first = infinity()
    cdef double last = 0.0
    cdef double middle
    for i in range(q.n_due):
        first = min(first, q.due[i].time)
        last = max(last, q.due[i].time)
    if first == last:
        return True
    middle = first + 0.5 * (last - first)
    stop[0] = middle if middle > first else last
    n[0] = 0
    for i in range(q.n_due):
        if q.due[i].time < stop[0]:
            q.due[kept] = q.due[i]
            kept += 1
            n[0] += q.due[i].end - q.due[i].first
        elif not row_push(q, &q.due[i]):
            return False
    q.n_due = kept
    return True


cdef inline double list_rows(Core* e, double stop) noexcept nogil:
    """All rows that arrive before stop in the present window, or in the present round of a single instant. Returns an
    earlier time if they are many: the window then ends there."""
    cdef RowQueue* q = &e.rows
    cdef Inbox* b = &e.inbox
    cdef const Due* order
    cdef const Row* row
    cdef int64_t i
    cdef int64_t n = 0
    cdef int64_t most = MOST_ARRIVALS
    cdef int32_t at = wheel_take(&q.wheel)
    cdef int32_t next
    cdef bint room = True
    begin_window(b)
    q.n_due = 0
    while at >= 0 and room:
        next = q.wheel.link[at].next
        room = take_due(e, at, stop, &n)
        if n > most and room:
            room = shorten(q, &stop, &n)
            most = max(most, 2 * n)
        at = next
    order = due_sort(q)
    for i in range(q.n_due):
        row = &q.due[order[i].at]
        room = room and list_row(e, row)
        e.synaptic_events += row.end - row.first
    if not room:
        fail(e, NO_MEMORY, stop, 0)
    return stop


cdef inline void list_wakes(Core* e, double end) noexcept nogil:
    """Neurons whose next event lies in the window and before end; the others are queued anew."""
    cdef int64_t i
    cdef int64_t last = e.n_touched
    cdef double own
    cdef int32_t n = wheel_take(&e.wakes)
    while n >= 0:
        e.wakes.link[n].key = NEVER
        prefetch(neuron_at(e, n))
        e.touched[last] = n
        last += 1
        n = e.wakes.link[n].next
    for i in range(e.n_touched, last):
        n = e.touched[i]
        own = next_own(neuron_at(e, n))
        if not own < end:
            wake_set(&e.wakes, n, own)
        elif e.inbox.place[n] == 0:
            e.touched[e.n_touched] = n
            e.n_touched += 1


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


cdef inline int32_t first_due(const Core* e, double t) noexcept nogil:
    """The first neuron with anything to do in the present round at t."""
    cdef int32_t first = <int32_t>e.n
    cdef int32_t n, at
    cdef int64_t k
    cdef const Row* row
    cdef const Projection* p
    for n in range(<int32_t>e.n):
        if next_own(neuron_at(e, n)) == t:
            first = n
            break
    at = e.rows.wheel.first[e.rows.wheel.now & (SLOTS - 1)]
    while at >= 0:
        row = &e.rows.row[at]
        p = &e.projections[row.projection]
        if row.time == t and row.round == e.round:
            for k in range(row.first, row.end):
                if (p.one_delay or row.fired + p.delay[k] == t) and p.target[k] < first:
                    first = p.target[k]
        at = e.rows.wheel.link[at].next
    return first
