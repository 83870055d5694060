# The inbox: the neurons that wake in a window, and what arrives in it, first by row and then by neuron.
#
# Added row by row, weights would fall on neurons all over the memory, whose states would not be in the cache. So the
# rows of a window are gone through twice: `list_rows` counts the arrivals at each neuron, and `sort_arrivals` puts them
# side by side, in the order of the rows. The neurons then take their arrivals one after the other. Rows with a delay
# for each synapse are read as spans (spans.pxd).

from libc.math cimport nextafter
from libc.stdint cimport int32_t, int64_t, uint16_t

from eventsnn._core.run.calm.blocks cimport Notes
from eventsnn._core.run.core cimport NO_MEMORY, Core, Projection, Range, neuron_at, prefetch
from eventsnn._core.run.events cimport arrive, fail, next_own
from eventsnn._core.run.lanes cimport fetch_cut, next_part
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.run.learn cimport bring_if_many, plastic_end, room_to_transmit, transmit
from eventsnn._core.solve.neuron cimport Arrival, Inbox, Row, Slice, target_of
from eventsnn._core.run.queue cimport (
    NEVER,
    Arriving,
    Due,
    RowQueue,
    Span,
    due_sort,
    due_spare,
    row_free,
    span_spare,
    wake_set,
    wheel_key,
    wheel_put,
    wheel_take,
)
from eventsnn._core.run.calm.scatter cimport deliver, list_segments, take_gathered
from eventsnn._core.run.calm.singly cimport count_gathered, place_gathered
from eventsnn._core.run.spans cimport (
    SPANS_AHEAD,
    cut_spans,
    has_spans,
    list_span,
    order_arrivals,
    place_span,
    span_length,
    time_of_last,
)
from eventsnn._core.run.synapses cimport NO_ROOM, NO_SLICE, give_back_rows, slice_delay, take_slice

cdef enum:
    CACHE_LINE = 64
    AHEAD = 16    # places in a list between the neuron being processed and the one that is prepared
    CUT_AHEAD = 8
    MANY = 8      # neurons of which one is reached: enough to go through all of them in order
    # Arrivals in a window, more only at one time: benchmarks/speed_floor.py
    MOST_ARRIVALS = 524288
    MOST_WITH_CALM = 65536


cdef inline bint grow_rows(Inbox* b) noexcept nogil:
    cdef int64_t room = 2 * b.row_room + 64
    if not enlarge(<void**>&b.row, room * sizeof(Slice)):
        return False
    b.row_room = room
    return True


cdef inline void begin_window(Inbox* b, bint prompts) noexcept nogil:
    b.n_rows = b.n = 0
    b.weighted = prompts  # what arrives promptly may have a weight for each
    b.timed = False


cdef inline bint add_row(Inbox* b, const Slice* slice) noexcept nogil:
    """Append a slice to those of the window; False if there is no memory left."""
    cdef Slice* new
    if b.n_rows == b.row_room and not grow_rows(b):
        return False
    new = &b.row[b.n_rows]
    new[0] = slice[0]
    b.weighted |= not new.one_weight
    if new.one_weight:
        new.shared_weight = new.weight[0] if new.weight32 == NULL else new.weight32[0]
    b.n_rows += 1
    return True


cdef inline bint list_row(Core* e, const Slice* slice) noexcept nogil:
    """Append a slice to those of the window and count what arrives where; False if there is no memory left."""
    cdef Inbox* b = &e.inbox
    cdef int64_t* place = b.place
    cdef int32_t* touched = e.touched
    cdef int64_t n_touched = e.n_touched
    cdef int64_t i
    cdef int32_t n
    if not add_row(b, slice):
        return False
    for i in range(slice.n):
        prefetch(&place[target_of(slice, min(i + AHEAD, slice.n - 1))])
        n = target_of(slice, i)
        touched[n_touched] = n
        n_touched += place[n] == 0
        place[n] += 1
    e.n_touched = n_touched
    b.n += slice.n
    e.tally.synaptic_events += slice.n
    return True


cdef inline bint list_arriving(Core* e, Arriving* due) noexcept nogil:
    """List the arrivals of a slice at neurons of this lane; False if there is no memory left."""
    cdef int64_t at = 0
    cdef int64_t n
    cdef Slice part
    due.slice.of = &due.row
    if e.blocks.on:
        if not add_row(&e.inbox, &due.slice):
            return False
        n = list_segments(e, &due.slice, &e.net.projections[due.row.projection], <int32_t>(e.inbox.n_rows - 1))
        e.tally.synaptic_events += n
        e.inbox.n += n
        return n >= 0
    if e.whole:
        return list_row(e, &due.slice)
    while next_part(e, &due.slice, &e.net.projections[due.row.projection], &at, &part):
        if not list_row(e, &part):
            return False
    return True


cdef inline bint take_due(Core* e, int32_t at, double stop, int64_t* n) noexcept nogil:
    """Note the slices of a row that arrive before stop as due, add their synapses to n, and file the rest of the row.

    False if there is no memory left.
    """
    cdef RowQueue* q = &e.state.rows
    cdef Row* row = &q.row[at]
    cdef const Projection* p = &e.net.projections[row.projection]
    cdef Arriving* due
    cdef Span* span
    cdef int64_t next, length
    while row.time < stop:
        length = span_length(p, row, stop)
        if length:
            span = span_spare(q)
            if span == NULL:
                return False
            span.at, span.n = at, length
            q.n_spans += 1
            n[0] += length
            return True  # it is filed when it is known where the window ends
        due = due_spare(q)
        if due == NULL:
            return False
        due.row = row[0]
        due.delay = slice_delay(p, row.first)
        next = take_slice(e, p, row.row, row.first, &due.slice)
        if next == NO_ROOM:
            return False
        due.slice.time = row.time
        # The slices of one spike lie in the order of their delays.
        due.row.first = <int64_t><size_t>due.slice.target
        q.n_due += 1
        n[0] += due.slice.n
        if next == NO_SLICE:
            row_free(q, at)
            return True
        row.first = next
        arrive(p, row)
    wheel_put(&q.wheel, at, wheel_key(&q.wheel, row.time))
    return True


cdef inline bint take_from_calm(Core* e) noexcept nogil:
    """Add arrivals to calm neurons and count those at other neurons; False if there is no memory left."""
    cdef Inbox* b = &e.inbox
    cdef int64_t i
    cdef int32_t n
    if not deliver(e, b.n):
        return False
    b.n = e.blocks.notes.n
    e.blocks.arrivals += b.n
    for i in range(b.n):
        n = e.blocks.notes.taken[i].neuron
        if b.place[n] == 0:
            e.touched[e.n_touched] = n
            e.n_touched += 1
        b.place[n] += 1
    return True


cdef inline void shorten(Core* e, double* stop, int64_t n, int64_t most) noexcept nogil:
    """Let the window end earlier if more than `most` of n arrivals are due: halve it until they are not.

    Arrivals after the new end are left for the rest of the window. All arrivals of one time stay together.
    """
    cdef RowQueue* q = &e.state.rows
    cdef int64_t i
    cdef double first, last
    while n > most:
        first, last = infinity(), 0.0
        for i in range(q.n_due):
            first = min(first, q.due[i].row.time)
            last = max(last, q.due[i].row.time)
        for i in range(q.n_spans):
            first = min(first, q.row[q.span[i].at].time)
            last = max(last, time_of_last(e, &q.span[i]))
        if first == last:
            return
        stop[0] = max(first + 0.5 * (last - first), nextafter(first, last))
        n = leave_late(q, stop[0]) + cut_spans(e, stop[0])


cdef inline int64_t leave_late(RowQueue* q, double stop) noexcept nogil:
    """Put what is due at stop or later behind the rest; returns how much arrives before."""
    cdef int64_t i
    cdef int64_t n = 0
    cdef int64_t kept = 0
    cdef Arriving due
    for i in range(q.n_due):
        due = q.due[i]
        if due.row.time < stop:
            q.due[i] = q.due[kept]
            q.due[kept] = due
            kept += 1
            n += due.slice.n
        elif due.row.time < q.late:
            q.late = due.row.time
    q.n_late += q.n_due - kept
    q.n_due = kept
    return n


cdef inline double list_rows(Core* e, double begin, double stop) noexcept nogil:
    """List all rows that arrive before stop; returns where the window ends, earlier than stop if they are many, or if
    weights of some follow from what happens in it."""
    cdef RowQueue* q = &e.state.rows
    cdef Inbox* b = &e.inbox
    cdef const Due* order
    cdef int64_t i
    cdef int64_t n = 0
    cdef int32_t at = wheel_take(&q.wheel)
    cdef int32_t next
    cdef int32_t ahead = at
    cdef const Row* row
    cdef const Projection* p
    cdef const Arriving* ahead_due
    cdef bint room = True
    begin_window(b, e.prompts.on)
    e.blocks.n_segments = e.blocks.n_gathered = e.blocks.n_rest = e.blocks.n_followed_rest = 0
    if q.n_late == 0:
        give_back_rows(e)
    for i in range(q.n_late):
        q.due[i] = q.due[q.n_due + i]
    q.n_due, q.n_late, q.late, q.n_spans = q.n_late, 0, infinity(), 0
    for _i in range(SPANS_AHEAD):
        ahead = q.wheel.link[ahead].next if ahead >= 0 else -1
    while at >= 0 and room:
        if ahead >= 0:
            row = &q.row[ahead]
            p = &e.net.projections[row.projection]
            if has_spans(p):
                prefetch(p.delay + row.first)
                prefetch(p.delay + row.first + CACHE_LINE // sizeof(double))
            ahead = q.wheel.link[ahead].next
        next = q.wheel.link[at].next
        e.tally.queue_pops += e.lane == 0  # the queue is the same in all others
        room = take_due(e, at, stop, &n)
        at = next
    n = leave_late(q, stop)
    for i in range(q.n_spans):
        n += q.span[i].n
    shorten(e, &stop, n, MOST_WITH_CALM if e.blocks.on else MOST_ARRIVALS)
    if e.net.plastic:
        stop = plastic_end(e, begin, stop)
        leave_late(q, stop)
        cut_spans(e, stop)
        bring_if_many(e, begin)
        room = room and room_to_transmit(e)
    order = due_sort(q)
    for i in range(-CUT_AHEAD, q.n_due):
        if i + CUT_AHEAD < q.n_due:
            ahead_due = &q.due[order[i + CUT_AHEAD].at]
            fetch_cut(e, &ahead_due.slice, &e.net.projections[ahead_due.row.projection])
        if i < 0:
            continue
        if e.net.plastic and room:
            transmit(e, &q.due[order[i].at])
        room = room and list_arriving(e, &q.due[order[i].at])
    b.timed = q.n_spans > 0 or (e.blocks.on and e.blocks.singly) or e.prompts.on
    if e.blocks.on:
        room = room and take_from_calm(e)
    room = room and list_spans(e)
    if b.timed and MANY * e.n_touched > e.net.n:
        list_in_order(e)
    if not room:
        fail(e, NO_MEMORY, stop, 0)
    return stop


cdef inline bint list_spans(Core* e) noexcept nogil:
    """List all spans; False if there is no memory left."""
    cdef RowQueue* q = &e.state.rows
    cdef Inbox* b = &e.inbox
    cdef int64_t i
    cdef const Row* row
    cdef const Projection* p
    cdef const char* target
    for i in range(q.n_spans):
        if b.n_rows == b.row_room and not grow_rows(b):
            return False
        if i + SPANS_AHEAD < q.n_spans:
            # Their targets, and their weights, which are read when all spans are listed.
            row = &q.row[q.span[i + SPANS_AHEAD].at]
            p = &e.net.projections[row.projection]
            if has_spans(p):
                target = <const char*>p.target + row.first * (sizeof(uint16_t) if p.narrow else sizeof(int32_t))
                prefetch(target)
                prefetch(target + CACHE_LINE)
                if p.weight != NULL and not p.one_weight:
                    prefetch(p.weight + row.first)
                    prefetch(p.weight + row.first + CACHE_LINE // sizeof(double))
                elif not p.one_weight:
                    prefetch(p.weight32 + row.first)
                    prefetch(p.weight32 + row.first + CACHE_LINE // sizeof(float))
        if not list_span(e, &q.span[i]):
            return False
    if e.blocks.on:
        if not take_gathered(e):
            return False
        count_gathered(e)
    return True


cdef inline void list_in_order(Core* e) noexcept nogil:
    """Let the neurons that are reached stand in the order in which they lie in memory."""
    cdef int64_t r
    cdef int32_t n
    cdef int64_t n_touched = 0
    cdef Range all
    cdef const Range* range_of = e.range
    all.start, all.stop = 0, <int32_t>e.net.n
    if e.whole:
        range_of = &all
    for r in range(1 if e.whole else e.n_ranges):
        for n in range(range_of[r].start, range_of[r].stop):
            e.touched[n_touched] = n
            n_touched += e.inbox.place[n] > 0
    e.n_touched = n_touched


cdef inline void list_wakes(Core* e, double end) noexcept nogil:
    """List the neurons whose own next event comes before end. Other neurons of the window are queued anew."""
    cdef int64_t i
    cdef int64_t last = e.n_touched
    cdef double own
    cdef int32_t n = wheel_take(&e.wakes)
    while n >= 0:
        e.wakes.link[n].key = NEVER
        e.tally.queue_pops += 1
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
    if not enlarge(<void**>&b.row_of, room * sizeof(int32_t)) or not enlarge(<void**>&b.weight, room * sizeof(double)):
        return False
    b.room = room
    return True


cdef inline bint grow_timed(Inbox* b, int64_t room) noexcept nogil:
    if not enlarge(<void**>&b.arrival, room * sizeof(Arrival)):
        return False
    b.timed_room = room
    return True


cdef inline bint sort_arrivals(Core* e) noexcept nogil:
    """Put what arrives in the window side by side for each neuron; False if there is no memory left."""
    cdef Inbox* b = &e.inbox
    cdef int64_t* place = b.place
    cdef int64_t i, n
    cdef int64_t end = 0
    cdef int64_t needed = b.n + e.n_touched
    if not b.timed and needed > b.room and not grow_arrivals(b, 2 * needed):
        return False
    # As much again is room to sort.
    if b.timed and 2 * needed > b.timed_room and not grow_timed(b, 4 * needed):
        return False
    for i in range(e.n_touched):
        b.start[i] = end + 1  # 0 stands for having none
        n = place[e.touched[i]]
        place[e.touched[i]] = end + 1
        end += 1 + n
    e.prompts.n_arrivals = end
    if e.blocks.on:
        place_taken(e)
        place_gathered(e)
    if b.timed:
        for i in range(0 if e.blocks.on else b.n_rows):
            place_span(NULL if e.whole else e, b, <int32_t>i)
        for i in range(e.n_touched):
            if place[e.touched[i]] - b.start[i] > 1:
                order_arrivals(b, b.start[i], place[e.touched[i]], end)
        return True
    if e.blocks.on:
        return True
    for i in range(b.n_rows):
        if b.weighted:
            place_row(b, <int32_t>i, True)
        else:
            place_row(b, <int32_t>i, False)
    return True


cdef inline void place_taken(Core* e) noexcept nogil:
    cdef Inbox* b = &e.inbox
    cdef const Slice* row
    cdef int64_t i
    cdef int32_t n, r
    cdef double weight
    cdef Arrival new
    cdef const Notes* notes = &e.blocks.notes
    for i in range(notes.n):
        n = notes.taken[i].neuron
        r = notes.taken[i].row
        row = &b.row[r]
        weight = row.shared_weight if row.one_weight else notes.weight[i]
        if b.timed:
            new.time, new.weight, new.row = row.time, weight, r
            b.arrival[b.place[n]] = new
            b.place[n] += 1
        else:
            place_one(b, n, r, b.weighted, weight)


cdef inline void place_one(Inbox* b, int32_t n, int32_t r, bint weighted, double weight) noexcept nogil:
    """Put an arrival behind those of its neuron that are in their place."""
    cdef int64_t at = b.place[n]
    b.place[n] = at + 1
    b.row_of[at] = r
    if weighted:
        b.weight[at] = weight


cdef inline void place_row(Inbox* b, int32_t r, bint weighted) noexcept nogil:
    cdef const Slice* row = &b.row[r]
    cdef const double* weight = row.weight
    cdef const float* weight32 = row.weight32
    cdef int64_t* place = b.place
    cdef int64_t step = 0 if row.one_weight else 1
    cdef double w = 0.0
    cdef int64_t i
    for i in range(row.n):
        prefetch(&place[target_of(row, min(i + AHEAD, row.n - 1))])
        if weighted:
            w = weight[step * i] if weight32 == NULL else weight32[step * i]
        place_one(b, target_of(row, i), r, weighted, w)
