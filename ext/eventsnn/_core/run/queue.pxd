# The two priority queues of the engine: spikes under way (RowQueue) and neurons' own events (WakeQueue).
#
# All entries of one window are taken from a queue at once, so a queue need not order the entries of a window. It files
# them under keys, which are integers: the number of the window, or, where windows are single instants, the bits of the
# time, which for times >= 0 order as the times do. The keys hang on a Wheel (G. Varghese, T. Lauck, 1987, Hashed and
# hierarchical timing wheels, SOSP 87), which is a calendar whose far days are filed coarsely:
#
# - `now` is the present key; no entry lies before it. Keys are numbers of LEVELS digits of BITS bits. An entry hangs at
#   the level of the highest digit in which its key differs from `now`, in the slot of that digit's value, so that each
#   slot is a range of keys, and all of a level come before all of the next.
# - `wheel_advance` makes a key the present one. The slot that it falls in, if not at level 0, is then a range in which
#   lower digits differ too, and its entries move to lower levels: an entry moves at most once for each digit, mostly
#   once or never.
# - A slot is a list, linked by the numbers of its entries, so that an entry is found and taken out without a search.
#   A wheel needs no memory but the links of all entries; it allocates nothing.

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy

from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.solve.neuron cimport Row, Slice

cdef extern from "eventsnn/_core/base/compiler.h":
    int lowest_bit "eventsnn_lowest_bit"(uint64_t word) noexcept nogil

cdef extern from *:
    """
    #define EVENTSNN_WINDOWS 4503599627370496
    #define EVENTSNN_NEVER 0x7FFFFFFFFFFFFFFF
    """
    # 2^52: windows are numbered up to here; none later is wider than two doubles at its time.
    const int64_t WINDOWS "EVENTSNN_WINDOWS"
    # The key of an entry that hangs nowhere.
    const int64_t NEVER "EVENTSNN_NEVER"

cdef enum:
    BITS = 6
    SLOTS = 64
    LEVELS = 11
    RUN = 8               # of rows sorted by insertion
    MOST_TOGETHER = 32    # rows in one part of a window, more are merged


cdef struct Link:
    int64_t key
    int32_t next          # in the slot; -1 if none
    int32_t previous


cdef struct Wheel:
    Link* link            # of every entry there may be
    int64_t now
    double width          # ms, of a key that is the number of a window
    double rate           # 1 / width
    double instants       # from this time on every double has a key of its own
    int64_t shift         # which is its bits plus this
    uint64_t used[LEVELS]             # which slots of a level are not empty
    int32_t first[LEVELS * SLOTS]     # entry of a slot; -1 if empty


# Wakes: at most one entry a neuron, at the time of its next own event (crossing, external spike, change of current) or
# before. An entry is moved when that time becomes earlier. When the time becomes later the entry stays, and is filed
# anew when it falls due: most entries are superseded many times before they do.
ctypedef Wheel WakeQueue


cdef struct Arriving:
    # A slice that arrives in the present window, and its row.
    Row row
    Slice slice
    double delay          # ms, the axonal part


cdef struct Span:
    # The next n synapses of a row, which arrive in the present window, each with a delay of its own.
    int64_t n
    int32_t at            # the row, in `row`


cdef struct Due:
    double time
    int64_t at            # in `due`


cdef struct RowQueue:
    Wheel wheel
    Row* row              # under way
    int64_t room
    int64_t n             # rows under way
    int32_t free          # the first place of `row` without a row; such places are linked by `next`
    Arriving* due         # n_due slices of the window in no order; behind them n_late for a later part of the window
    Due* order            # their order, and room for as much to merge
    int64_t* begin        # (n_due) where the parts of the window begin
    int64_t n_due
    int64_t n_late
    double late           # ms, when the first of the late ones arrives; inf if there is none
    int64_t due_room
    Span* span            # n_spans, in no order
    int64_t n_spans
    int64_t span_room


# ---- a wheel


cdef inline void wheel_begin(Wheel* w, Link* link, double width) noexcept nogil:
    cdef int64_t i
    cdef int64_t bits
    w.link = link
    w.now = 0
    w.width = width
    w.rate = 1.0 / width if width > 0.0 else 0.0
    w.instants = <double>WINDOWS * width
    memcpy(&bits, &w.instants, sizeof(bits))
    w.shift = WINDOWS - bits if width > 0.0 else 0
    for i in range(LEVELS):
        w.used[i] = 0
    for i in range(LEVELS * SLOTS):
        w.first[i] = -1


cdef inline int64_t wheel_key(const Wheel* w, double time) noexcept nogil:
    cdef int64_t bits
    if time < w.instants:
        return <int64_t>(time * w.rate)
    memcpy(&bits, &time, sizeof(bits))
    return bits + w.shift


cdef inline int64_t wheel_slot(const Wheel* w, int64_t key) noexcept nogil:
    """Where a key hangs: its slot among those of all levels."""
    cdef int64_t differing = key ^ w.now
    cdef int64_t slots = 0
    while differing >= SLOTS:
        differing >>= BITS
        key >>= BITS
        slots += SLOTS
    return slots + (key & (SLOTS - 1))


cdef inline void wheel_put(Wheel* w, int32_t i, int64_t key) noexcept nogil:
    cdef int64_t slot
    cdef Link* link = &w.link[i]
    key = max(key, w.now)
    slot = wheel_slot(w, key)
    link.key = key
    link.previous = -1
    link.next = w.first[slot]
    if link.next >= 0:
        w.link[link.next].previous = i
    w.first[slot] = i
    w.used[slot >> BITS] |= <uint64_t>1 << (slot & (SLOTS - 1))


cdef inline void wheel_remove(Wheel* w, int32_t i) noexcept nogil:
    cdef const Link* link = &w.link[i]
    cdef int64_t slot
    if link.next >= 0:
        w.link[link.next].previous = link.previous
    if link.previous >= 0:
        w.link[link.previous].next = link.next
        return
    slot = wheel_slot(w, link.key)
    w.first[slot] = link.next
    if link.next < 0:
        w.used[slot >> BITS] &= ~(<uint64_t>1 << (slot & (SLOTS - 1)))


cdef inline int32_t wheel_empty(Wheel* w, int64_t slot) noexcept nogil:
    """The first entry of a slot, which loses them all; -1 if there is none."""
    cdef int32_t first = w.first[slot]
    w.first[slot] = -1
    w.used[slot >> BITS] &= ~(<uint64_t>1 << (slot & (SLOTS - 1)))
    return first


cdef inline int32_t wheel_take(Wheel* w) noexcept nogil:
    """Take all entries of the present key: the first, and the others by `next`; -1 if there is none."""
    return wheel_empty(w, w.now & (SLOTS - 1))


cdef inline double wheel_first(const Wheel* w) noexcept nogil:
    """A time at which or after which the first entry lies: when the first slot in use begins; infinity if none is."""
    cdef int64_t level, key
    cdef double time
    for level in range(LEVELS):
        if w.used[level]:
            key = w.now >> (level * BITS) & ~<int64_t>(SLOTS - 1) | lowest_bit(w.used[level])
            key <<= level * BITS
            if w.instants > 0.0 and key < WINDOWS:
                return key * w.width
            key -= w.shift
            memcpy(&time, &key, sizeof(time))
            return time
    return infinity()


cdef inline void wheel_advance(Wheel* w, double time) noexcept nogil:
    """Make the key of a time at or before wheel_first the present one."""
    cdef int64_t key = wheel_key(w, time)
    cdef int64_t far = (key ^ w.now) >> BITS
    cdef int64_t slot
    cdef int32_t i, next
    if key <= w.now:
        return
    slot = wheel_slot(w, key)
    w.now = key
    if far == 0 or w.first[slot] < 0:
        return
    i = wheel_empty(w, slot)
    while i >= 0:
        next = w.link[i].next
        wheel_put(w, i, w.link[i].key)
        i = next


# ---- wakes


cdef inline void wake_set(WakeQueue* w, int32_t neuron, double time) noexcept nogil:
    """Let a neuron's entry lie at this time or before; it need have none for infinity."""
    cdef int64_t key
    if time < infinity():
        key = wheel_key(w, time)
        if key < w.link[neuron].key:
            if w.link[neuron].key != NEVER:
                wheel_remove(w, neuron)
            wheel_put(w, neuron, key)


# ---- rows


cdef inline bint row_before(const Row* a, const Row* b) noexcept nogil:
    """The canonical order. The full key matters: with two rows at one time, say +30 and -30 mV from neurons 1 and 2,
    floating-point sums depend on their order, and an order by time alone would leave that to chance."""
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


cdef inline bint row_grow(RowQueue* q) noexcept nogil:
    cdef int64_t room = min(2 * q.room + 64, <int64_t>0x7FFFFFFF)
    cdef int64_t i
    if room == q.room:
        return False
    if not enlarge(<void**>&q.row, room * sizeof(Row)) or not enlarge(<void**>&q.wheel.link, room * sizeof(Link)):
        return False
    for i in range(q.room, room):
        q.wheel.link[i].next = <int32_t>(i + 1) if i + 1 < room else -1
    q.free = <int32_t>q.room
    q.room = room
    return True


cdef inline bint row_push(RowQueue* q, const Row* row) noexcept nogil:
    """False if there is no memory left; the queue is then as it was."""
    cdef int32_t i
    if q.free < 0 and not row_grow(q):
        return False
    i = q.free
    q.free = q.wheel.link[i].next
    q.row[i] = row[0]
    q.n += 1
    wheel_put(&q.wheel, i, wheel_key(&q.wheel, row.time))
    return True


cdef inline void row_free(RowQueue* q, int32_t i) noexcept nogil:
    q.wheel.link[i].next = q.free
    q.free = i
    q.n -= 1


cdef inline Arriving* due_spare(RowQueue* q) noexcept nogil:
    """Room for one more; NULL if there is no memory left."""
    cdef int64_t room = 2 * q.due_room + 64
    if q.n_due == q.due_room:
        if not enlarge(<void**>&q.due, room * sizeof(Arriving)) \
                or not enlarge(<void**>&q.order, 2 * room * sizeof(Due)) \
                or not enlarge(<void**>&q.begin, room * sizeof(int64_t)):
            return NULL
        q.due_room = room
    return &q.due[q.n_due]


cdef inline Span* span_spare(RowQueue* q) noexcept nogil:
    """Room for one more; NULL if there is no memory left."""
    cdef int64_t room = 2 * q.span_room + 64
    if q.n_spans == q.span_room:
        if not enlarge(<void**>&q.span, room * sizeof(Span)):
            return NULL
        q.span_room = room
    return &q.span[q.n_spans]


cdef inline void rows_begin(RowQueue* q, double width) noexcept nogil:
    wheel_begin(&q.wheel, NULL, width)
    q.row, q.due, q.order, q.begin, q.span = NULL, NULL, NULL, NULL, NULL
    q.free = -1
    q.room = q.n = q.due_room = q.n_due = q.n_late = q.n_spans = q.span_room = 0
    q.late = infinity()


cdef inline bint due_before(const Arriving* due, const Due* a, const Due* b) noexcept nogil:
    return a.time < b.time or (a.time == b.time and row_before(&due[a.at].row, &due[b.at].row))


cdef inline int64_t due_deal(RowQueue* q) noexcept nogil:
    """Deal out what is due to n_due equal parts of the time that it spans; how much lies in the fullest, all if it
    cannot be dealt out."""
    cdef Due* dealt = q.order + q.n_due
    cdef int64_t* begin = q.begin
    cdef double first = infinity()
    cdef double last = 0.0
    cdef double rate
    cdef int64_t i, k, size
    cdef int64_t before = 0
    cdef int64_t fullest = 0
    for i in range(q.n_due):
        first = min(first, q.due[i].row.time)
        last = max(last, q.due[i].row.time)
    rate = (q.n_due - 1) / (last - first) if last > first else infinity()
    if not rate < infinity():
        for i in range(q.n_due):
            dealt[i].time = q.due[i].row.time
            dealt[i].at = i
        return q.n_due
    for k in range(q.n_due):
        begin[k] = 0
    for i in range(q.n_due):
        begin[<int64_t>((q.due[i].row.time - first) * rate)] += 1
    for k in range(q.n_due):
        size = begin[k]
        begin[k] = before
        before += size
        fullest = max(fullest, size)
    for i in range(q.n_due):
        k = <int64_t>((q.due[i].row.time - first) * rate)
        dealt[begin[k]].time = q.due[i].row.time
        dealt[begin[k]].at = i
        begin[k] += 1
    return fullest


cdef inline const Due* due_sort(RowQueue* q) noexcept nogil:
    """The canonical order of what is due: dealt out by time and put right by insertion, which for times all over the
    window is next to nothing; where many are close together in short runs, which are then merged by twos."""
    cdef Due* merged = q.order
    cdef Due* order = q.order + q.n_due
    cdef Due new
    cdef int64_t i, j, k, middle, end
    cdef int64_t n = q.n_due
    cdef int64_t run = RUN if due_deal(q) > MOST_TOGETHER else n
    for i in range(n):
        new = order[i]
        j = i
        while (j if run == n else j % RUN) and due_before(q.due, &new, &order[j - 1]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = new
    while run < n:
        k = 0
        while k < n:
            i = k
            middle = j = min(k + run, n)
            end = min(k + 2 * run, n)
            while k < end:
                if j == end or (i < middle and not due_before(q.due, &order[j], &order[i])):
                    merged[k] = order[i]
                    i += 1
                else:
                    merged[k] = order[j]
                    j += 1
                k += 1
        order, merged = merged, order
        run *= 2
    return order
