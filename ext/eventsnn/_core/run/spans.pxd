# Spans: the synapses of a row that arrive in a window, each with a delay of its own.
#
# Slice by slice such rows would fall apart into single synapses. A span takes all synapses that arrive in the window,
# each at fl(fired + its delay). Spans are listed and placed in any order, behind the slices, with the time of every
# arrival. `order_arrivals` then puts the few arrivals of each neuron in canonical order.

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from eventsnn._core.run.core cimport Core, Projection
from eventsnn._core.run.events cimport arrive
from eventsnn._core.run.lanes cimport is_mine
from eventsnn._core.solve.neuron cimport Arrival, Inbox, Row, Slice, round_of, row_of_before, target_of, targets_from
from eventsnn._core.synapses.procedural cimport Made
from eventsnn._core.run.queue cimport RowQueue, Span, row_free, wheel_key, wheel_put
from eventsnn._core.run.calm.singly cimport gather_span
from eventsnn._core.run.synapses cimport leave_made

cdef enum:
    INSERTED = 32         # arrivals of a neuron sorted by insertion; more are merged
    SPANS_AHEAD = 8       # between the one that is gone through and the one that is fetched into the cache


# ---- from rows


cdef inline bint has_spans(const Projection* p) noexcept nogil:
    """Whether rows that are kept have a delay for each synapse."""
    return not p.one_delay and p.slice_row == NULL and p.recipe == NULL and p.plastic == NULL


cdef inline const double* span_delays(const Projection* p, const Row* row) noexcept nogil:
    """The delays of the synapses of a row from its `first` on, where each has its own."""
    cdef const Made* made = <const Made*><size_t>row.first
    if p.recipe != NULL:
        return made.delay + made.at
    return p.delay + row.first


cdef inline int64_t span_length(const Projection* p, const Row* row, double stop) noexcept nogil:
    """How many synapses of a row arrive before stop, if they are to be taken as a span; else 0. At least two, and the
    first two not together."""
    cdef const double* delay
    cdef int64_t n, k
    if p.one_delay or p.slice_row != NULL or p.plastic != NULL:
        return 0
    delay = span_delays(p, row)
    if p.recipe != NULL:
        n = (<const Made*><size_t>row.first).n - (<const Made*><size_t>row.first).at
    else:
        n = p.start[row.row + 1] - row.first
    if n < 2 or delay[0] == delay[1] or not row.fired + delay[1] < stop:
        return 0
    k = 2
    while k < n and row.fired + delay[k] < stop:
        k += 1
    return k


cdef inline bint take_span(Core* e, const Projection* p, Row* row, int64_t n, Slice* span) noexcept nogil:
    """Fill in the next n synapses of a row; False if none is left."""
    cdef Made* made
    cdef int64_t begin = row.first
    span.n = n
    span.of = row
    span.time = row.time
    span.one_weight = p.one_weight
    span.port = p.port
    span.weight, span.weight32 = p.weight, p.weight32
    if p.recipe != NULL:
        made = <Made*><size_t>row.first
        begin = made.at
        span.target, span.base, span.narrow = made.target + begin, 0, False
        span.delay = made.delay + begin
        if made.weight != NULL:
            span.weight = made.weight + begin
        if made.weight32 != NULL:
            span.weight32 = made.weight32 + begin
        return leave_made(e, made, begin + n)
    span.target, span.base, span.narrow = p.target, p.base[0], p.narrow
    span.target = targets_from(span, begin)
    span.delay = p.delay + begin
    if p.weight32 != NULL:
        span.weight32 = p.weight32 if p.one_weight else p.weight32 + begin
    else:
        span.weight = p.weight if p.one_weight else p.weight + begin
    row.first = begin + n
    return row.first < p.start[row.row + 1]


cdef inline double time_of_last(const Core* e, const Span* span) noexcept nogil:
    """When the last synapse of a span arrives."""
    cdef const Row* row = &e.state.rows.row[span.at]
    return row.fired + span_delays(&e.net.projections[row.projection], row)[span.n - 1]


cdef inline int64_t cut_spans(Core* e, double stop) noexcept nogil:
    """Shorten spans to what arrives before stop; returns how much that is. Rows without any are filed again."""
    cdef RowQueue* q = &e.state.rows
    cdef int64_t n = 0
    cdef int64_t i = 0
    cdef Span* span
    while i < q.n_spans:
        span = &q.span[i]
        while span.n > 0 and not time_of_last(e, span) < stop:
            span.n -= 1
        if span.n > 0:
            n += span.n
            i += 1
            continue
        wheel_put(&q.wheel, span.at, wheel_key(&q.wheel, q.row[span.at].time))
        q.n_spans -= 1
        span[0] = q.span[q.n_spans]
    return n


cdef inline bint list_span(Core* e, const Span* span) noexcept nogil:
    """List a span: gather or count its arrivals at neurons of this lane, and file the rest of its row.

    False if there is no memory left. There is room for the span.
    """
    cdef Inbox* b = &e.inbox
    cdef RowQueue* q = &e.state.rows
    cdef Row* row = &q.row[span.at]
    cdef const Projection* p = &e.net.projections[row.projection]
    cdef int64_t* place = b.place
    cdef int32_t* touched = e.touched
    cdef int64_t n_touched = e.n_touched
    cdef Slice* new
    cdef int64_t i
    cdef int64_t others = 0
    cdef bint all_mine = e.whole
    cdef int32_t n
    new = &b.row[b.n_rows]
    b.n_rows += 1
    if take_span(e, p, row, span.n, new):
        arrive(p, row)
        wheel_put(&q.wheel, span.at, wheel_key(&q.wheel, row.time))
    else:
        row_free(q, span.at)
    b.weighted |= not new.one_weight
    if new.one_weight:
        new.shared_weight = new.weight[0] if new.weight32 == NULL else new.weight32[0]
    if e.blocks.on:
        return gather_span(e, <int32_t>(b.n_rows - 1))
    for i in range(new.n):
        n = target_of(new, i)
        if not all_mine and not is_mine(e, n):
            others += 1
            continue
        touched[n_touched] = n
        n_touched += place[n] == 0
        place[n] += 1
    e.n_touched = n_touched
    b.n += new.n - others
    e.tally.synaptic_events += new.n - others
    return True


# ---- to neurons


cdef inline void place_span(const Core* lane, Inbox* b, int32_t r) noexcept nogil:
    """Put the arrivals of a span, or of a slice beside spans, behind those that their neurons have so far.

    lane: NULL if it has all neurons.
    """
    if not b.weighted:
        place_with(lane, b, r, False, False)
    elif b.row[r].weight32 == NULL:
        place_with(lane, b, r, True, False)
    else:
        place_with(lane, b, r, True, True)


cdef inline void place_with(const Core* lane, Inbox* b, int32_t r, bint weighted, bint single) noexcept nogil:
    cdef const Slice* row = &b.row[r]
    cdef const double* delay = row.delay
    cdef const double* weight = row.weight
    cdef const float* weight32 = row.weight32
    cdef int64_t* place = b.place
    cdef Arrival* arrivals = b.arrival
    cdef Arrival new
    cdef double fired = row.of.fired
    cdef int64_t step = 0 if row.one_weight else 1
    cdef int64_t length = row.n
    cdef int64_t i, at
    cdef int32_t n
    new.time, new.weight, new.row = row.time, 0.0, r
    for i in range(length):
        n = target_of(row, i)
        if lane != NULL and not is_mine(lane, n):
            continue
        at = place[n]
        place[n] = at + 1
        if delay != NULL:
            new.time = fired + delay[i]
        if weighted:
            new.weight = weight32[step * i] if single else weight[step * i]
        arrivals[at] = new


cdef inline bint arrival_before(const Inbox* b, const Arrival* one, const Arrival* other) noexcept nogil:
    cdef int32_t round, other_round
    if one.time != other.time:
        return one.time < other.time
    round, other_round = round_of(b, one), round_of(b, other)
    return round < other_round or (round == other_round and row_of_before(b, one.row, other.row))


cdef inline void swap_if_later(Arrival* two) noexcept nogil:
    """Put two arrivals in order without a branch, which would be mispredicted half of the times."""
    cdef int later = two[1].time < two[0].time
    cdef Arrival first = two[later]
    cdef Arrival second = two[1 - later]
    two[0], two[1] = first, second


cdef inline void insert_arrivals(const Inbox* b, Arrival* a, int64_t n) noexcept nogil:
    """Sort a few by insertion."""
    cdef Arrival new
    cdef int64_t i, j
    for i in range(1, n):
        if a[i - 1].time < a[i].time:
            continue
        new = a[i]
        j = i
        while j > 0 and arrival_before(b, &new, &a[j - 1]):
            a[j] = a[j - 1]
            j -= 1
        a[j] = new


cdef inline void merge_arrivals(const Inbox* b, Arrival* a, int64_t middle, int64_t n, Arrival* free) noexcept nogil:
    cdef int64_t left = 0
    cdef int64_t right = middle
    cdef int64_t at
    memcpy(free, a, middle * sizeof(Arrival))
    for at in range(n):
        if left == middle:
            return
        if right < n and arrival_before(b, &a[right], &free[left]):
            a[at] = a[right]
            right += 1
        else:
            a[at] = free[left]
            left += 1


cdef inline void order_arrivals(Inbox* b, int64_t start, int64_t end, int64_t free) noexcept nogil:
    """Put the arrivals of a neuron in canonical order. Arrivals of one row and time keep their order.

    From `free` on there is room for as many.
    """
    cdef Arrival* a = b.arrival + start
    cdef int64_t n = end - start
    cdef int64_t run = INSERTED
    cdef int64_t i = 0
    if n == 2 and a[0].time != a[1].time:
        swap_if_later(a)
        return
    while i < n:
        insert_arrivals(b, a + i, min(run, n - i))
        i += run
    while run < n:
        i = 0
        while i + run < n:
            merge_arrivals(b, a + i, run, min(2 * run, n - i), b.arrival + free)
            i += 2 * run
        run *= 2
