# Calm neurons that take their input one by one. They have no currents. Either each neuron has constants of its own, so
# that a row adds another number to each; or synapses with a delay each reach them, so that input comes in no order.
#
# (a) Their arrivals of a window are gathered from slices and spans. Arrivals by spans at other neurons are, too.
# (b) `order_gathered` puts the arrivals in the order of time, and `take_gathered` of scatter.pxd adds them.
# (c) Arrivals at neurons that are apart are kept for them, and go the way of inbox.pxd.

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from eventsnn._core.run.calm.blocks cimport DOUBLES, SHARED, Blocks, Gathered, Segment, target_in
from eventsnn._core.run.core cimport Core
from eventsnn._core.run.lanes cimport is_mine
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.solve.neuron cimport Arrival, Inbox, Slice, row_of_before, target_of

cdef enum:
    MOST_INSERTED = 16    # in one range of times; more are merged


# ---- (a)


cdef inline bint room_to_gather(Blocks* b, int64_t more) noexcept nogil:
    cdef int64_t room = 2 * (b.n_gathered + more)
    if b.n_gathered + more <= b.gathered_room:
        return True
    # As much again is room to sort.
    if not enlarge(<void**>&b.gathered, 2 * room * sizeof(Gathered)) \
            or not enlarge(<void**>&b.gathered_growth, room * sizeof(double)) \
            or not enlarge(<void**>&b.gathered_begin, room * sizeof(int64_t)):
        return False
    b.gathered_room = room
    return True


cdef inline bint gather_segment(Core* e, const Segment* s) noexcept nogil:
    """Gather the arrivals of a slice at a group; False if there is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef Gathered new
    cdef int64_t i
    if not room_to_gather(b, s.pulse.n):
        return False
    new.time, new.row, new.weight = s.pulse.time, s.pulse.row, s.pulse.shared
    for i in range(s.pulse.n):
        new.neuron = target_in(&s.pulse, i)
        if s.kind != SHARED:
            new.weight = s.pulse.weight[i] if s.kind == DOUBLES else s.pulse.weight32[i]
        b.gathered[b.n_gathered] = new
        b.n_gathered += 1
    return True


cdef inline bint gather_span(Core* e, int32_t r) noexcept nogil:
    """Gather the arrivals of a span at neurons of the lane; False if there is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef const Slice* span = &e.inbox.row[r]
    cdef const double* delay = span.delay
    cdef double fired = span.of.fired
    cdef bint all_mine = e.whole
    cdef int64_t before = b.n_gathered
    cdef Gathered new
    cdef int64_t i
    if not room_to_gather(b, span.n):
        return False
    new.row, new.weight = r, span.shared_weight
    for i in range(span.n):
        new.neuron = target_of(span, i)
        if not all_mine and not is_mine(e, new.neuron):
            continue
        new.time = fired + delay[i]
        if not span.one_weight:
            new.weight = span.weight[i] if span.weight32 == NULL else span.weight32[i]
        b.gathered[b.n_gathered] = new
        b.n_gathered += 1
    e.tally.synaptic_events += b.n_gathered - before
    return True


# ---- (b)


cdef inline bint gathered_before(const Inbox* b, const Gathered* one, const Gathered* other) noexcept nogil:
    if one.time != other.time:
        return one.time < other.time
    return one.row != other.row and row_of_before(b, one.row, other.row)


cdef inline int64_t run_end(const Inbox* b, const Gathered* a, int64_t at, int64_t n) noexcept nogil:
    """How far what begins at `at` is in order."""
    at += 1
    while at < n and not gathered_before(b, &a[at], &a[at - 1]):
        at += 1
    return min(at, n)


cdef inline void merge_gathered(const Inbox* b, Gathered* a, int64_t n, Gathered* free) noexcept nogil:
    """Sort by merging what is in order already."""
    cdef int64_t at, left, right, middle, end
    while run_end(b, a, 0, n) < n:
        at = 0
        while at < n:
            left, middle = at, run_end(b, a, at, n)
            right, end = middle, run_end(b, a, middle, n) if middle < n else n
            while at < end:
                if right < end and (left == middle or gathered_before(b, &a[right], &a[left])):
                    free[at] = a[right]
                    right += 1
                else:
                    free[at] = a[left]
                    left += 1
                at += 1
        memcpy(a, free, n * sizeof(Gathered))


cdef inline void insert_gathered(const Inbox* b, Gathered* a, int64_t n) noexcept nogil:
    cdef Gathered new
    cdef int64_t i, j
    for i in range(1, n):
        if not gathered_before(b, &a[i], &a[i - 1]):
            continue
        new = a[i]
        j = i
        while j > 0 and gathered_before(b, &new, &a[j - 1]):
            a[j] = a[j - 1]
            j -= 1
        a[j] = new


cdef inline void deal_gathered(
    const Inbox* b, Gathered* a, int64_t n, int64_t* begin, Gathered* dealt
) noexcept nogil:
    """Put what is in no order in the order of time: deal it out by time to as many ranges, and sort each of them."""
    cdef double first = infinity()
    cdef double last = 0.0
    cdef double rate
    cdef int64_t i, k, size
    cdef int64_t before = 0
    for i in range(n):
        first = min(first, a[i].time)
        last = max(last, a[i].time)
        begin[i] = 0
    rate = min((n - 1) / (last - first), 1e300)
    for i in range(n):
        begin[<int64_t>((a[i].time - first) * rate)] += 1
    for k in range(n):
        size = begin[k]
        begin[k] = before
        before += size
    for i in range(n):
        k = <int64_t>((a[i].time - first) * rate)
        dealt[begin[k]] = a[i]
        begin[k] += 1
    before = 0
    for k in range(n):
        size = begin[k] - before
        if size > MOST_INSERTED:
            merge_gathered(b, dealt + before, size, a)
        elif size > 1:
            insert_gathered(b, dealt + before, size)
        before = begin[k]


cdef inline Gathered* order_gathered(Blocks* b, const Inbox* box) noexcept nogil:
    """The arrivals that are gathered, in canonical order."""
    cdef int64_t i
    for i in range(1, b.n_gathered):
        if b.gathered[i].time < b.gathered[i - 1].time:
            deal_gathered(box, b.gathered, b.n_gathered, b.gathered_begin, b.gathered + b.gathered_room)
            return b.gathered + b.gathered_room
    return b.gathered  # as of slices alone


# ---- (c)


cdef inline void count_gathered(Core* e) noexcept nogil:
    """Count what is kept for each neuron."""
    cdef Inbox* box = &e.inbox
    cdef int64_t i
    cdef int32_t n
    for i in range(e.blocks.n_rest):
        n = e.blocks.rest[i].neuron
        if box.place[n] == 0:
            e.touched[e.n_touched] = n
            e.n_touched += 1
        box.place[n] += 1
    box.n += e.blocks.n_rest
    e.blocks.arrivals += e.blocks.n_rest


cdef inline void place_gathered(Core* e) noexcept nogil:
    """Put it behind what its neuron has so far."""
    cdef Inbox* box = &e.inbox
    cdef const Gathered* a = e.blocks.rest
    cdef Arrival new
    cdef int64_t i
    for i in range(e.blocks.n_rest):
        new.time, new.weight, new.row = a[i].time, a[i].weight, a[i].row
        box.arrival[box.place[a[i].neuron]] = new
        box.place[a[i].neuron] += 1
