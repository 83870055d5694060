# How input reaches calm neurons: row by row, in canonical order, each row added to all that it reaches.
#
# (a) `list_segments` cuts the slices that arrive in the window at the borders of groups.
# (b) `deliver` takes them one after the other. What a slice adds to a state is the same number for all neurons of a
#     group that a shared weight reaches (`find_pulse`). It first takes from the room of its target; a neuron that has
#     none left becomes alert, as it is before the slice. Arrivals at alert neurons are noted and taken from there.
# (c) Slices that arrive at one time, and synapses of one slice that reach one neuron, are ties: their weights are
#     summed by port and the sum is added once. Slices that reach different groups are none.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t
from libc.string cimport memmove

from eventsnn._core.blocks cimport (
    ALERT,
    DOUBLES,
    FLOATS,
    LATE,
    PORTS,
    SHARED,
    Blocks,
    Group,
    Notes,
    Pulse,
    Segment,
    Taken,
)
from eventsnn._core.calm cimport alert, catch_up
from eventsnn._core.core cimport Core, Projection
from eventsnn._core.lanes cimport targets_below
from eventsnn._core.memory cimport enlarge
from eventsnn._core.neuron cimport Factor, Slice
from eventsnn._core.singly cimport gather_segment
from eventsnn._core.skim cimport grow_factor, pulse

cdef extern from "eventsnn/_core/scatter.h" nogil:
    void fetch "eventsnn_fetch"(const Pulse* p, int kind) noexcept
    int64_t scatter "eventsnn_scatter"(
        const Pulse* p, int kind, int currents, int64_t i, double* state, float* room, Notes* notes
    ) noexcept
    int64_t sum_tied "eventsnn_sum"(
        const Pulse* p, int kind, int currents, int64_t i, double* tie, float* room, Notes* notes
    ) noexcept
    void add_tie "eventsnn_add_tie"(const Pulse* p, int currents, double* state, double* tie) noexcept
    int64_t count_tied "eventsnn_count_tied"(
        const Pulse* p, int64_t i, uint16_t unit, uint16_t* count, float* room, Notes* notes, int* most
    ) noexcept
    void clear_counts "eventsnn_clear_counts"(const Pulse* p, uint16_t* count) noexcept
    void add_counted "eventsnn_add_counted"(
        const Pulse* p, double* state, uint16_t* count, const double* adds
    ) noexcept

cdef extern from "eventsnn/_core/scatter.h":
    enum:
        SECOND "EVENTSNN_SECOND"
        MOST_TIED "EVENTSNN_MOST_TIED"

cdef enum:
    # Slices of one kind that can be counted: with what count_tied allows for each, fewer than SECOND.
    MOST_COUNTED = 16
    FETCHED_AHEAD = 2


# ---- (a)


cdef inline bint room_for_segment(Blocks* b) noexcept nogil:
    cdef int64_t room = 2 * b.segment_room + 64
    if b.n_segments == b.segment_room:
        if not enlarge(<void**>&b.segment, room * sizeof(Segment)):
            return False
        b.segment_room = room
    return True


cdef inline bint list_segment(
    Blocks* b, const Slice* slice, int32_t row, int32_t group, int64_t begin, int64_t end, bint ascending
) noexcept nogil:
    cdef const Group* g = &b.group[group]
    cdef Segment* new
    cdef Pulse* p
    if begin == end:
        return True
    if not room_for_segment(b):
        return False
    new = &b.segment[b.n_segments]
    b.n_segments += 1
    new.group = group
    new.kind = SHARED
    p = &new.pulse
    p.target = slice.target + begin
    p.n = end - begin
    p.row, p.time, p.port = row, slice.time, slice.port
    p.ascending = ascending
    p.shared = slice.weight32[0] if slice.weight32 != NULL else slice.weight[0]
    if not slice.one_weight:
        new.kind = FLOATS if slice.weight32 != NULL else DOUBLES
        p.weight32 = slice.weight32 + begin if slice.weight32 != NULL else NULL
        p.weight = slice.weight + begin if slice.weight32 == NULL else NULL
    if g.k != NULL:
        p.by_sign[0], p.by_sign[1] = g.k.model.by_sign[0], g.k.model.by_sign[1]
    return True


cdef inline int64_t list_segments(Core* e, const Slice* slice, const Projection* p, int32_t row) noexcept nogil:
    """Cut a slice; how many of its synapses reach neurons of the lane, -1 if there is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef const Group* g
    cdef int64_t begin, end
    cdef int64_t n = 0
    cdef int32_t k
    if not p.ascending:
        return list_pieces(b, slice, row)
    for k in range(b.n_groups):
        g = &b.group[k]
        if g.stop <= p.first_target or g.start > p.last_target:
            continue
        begin = 0 if g.start <= p.first_target else targets_below(slice, g.start)
        end = slice.n if g.stop > p.last_target else targets_below(slice, g.stop)
        if not list_segment(b, slice, row, k, begin, end, True):
            return -1
        n += end - begin
    return n


cdef inline int64_t list_pieces(Blocks* b, const Slice* slice, int32_t row) noexcept nogil:
    """The same of targets in no order."""
    cdef int64_t begin = 0
    cdef int64_t end
    cdef int64_t n = 0
    cdef int32_t k, target
    while begin < slice.n:
        target = slice.target[begin]
        k = 0
        while k < b.n_groups and not b.group[k].start <= target < b.group[k].stop:
            k += 1
        end = begin + 1
        if k < b.n_groups:
            while end < slice.n and b.group[k].start <= slice.target[end] < b.group[k].stop:
                end += 1
            if not list_segment(b, slice, row, k, begin, end, False):
                return -1
            n += end - begin
        begin = end
    return n


# ---- (b)


cdef inline void unsettle(Core* e, const Group* g, int32_t n, double time) noexcept nogil:
    """Let a neuron without room have some, if it is late, or else be alert."""
    if e.blocks.flag[n] & LATE:
        catch_up(e, g, n)
    else:
        alert(e, g, n, time)


cdef inline void find_pulse(Blocks* b, const Group* g, Pulse* p) noexcept nogil:
    """What an arrival of weight 1 adds to the state, by port. The rows of one spike often reach several groups of one
    kind at one time."""
    cdef Factor f
    cdef int port
    if p.time == b.found.time and g.kind == b.found_kind:
        copy_pulse(&b.found, p)
        return
    grow_factor(g.k, p.time - g.origin, &f)
    for port in range(PORTS):
        p.u[port] = p.x[port] = 0.0
        p.slot[port] = 0
    for port in range(g.k.model.ports):
        pulse(g.k, port, &f, port)
        p.u[port] = f.u[port]
        if g.currents > 0:
            p.x[port], p.slot[port] = f.x[port], f.slot[port]
    b.found.time, b.found_kind = p.time, g.kind
    copy_pulse(p, &b.found)


cdef inline void scatter_segment(Core* e, Segment* w) noexcept nogil:
    """A slice that is alone at its time."""
    cdef Blocks* b = &e.blocks
    cdef const Group* g = &b.group[w.group]
    cdef int64_t i = 0
    find_pulse(b, g, &w.pulse)
    while True:
        i = scatter(&w.pulse, w.kind, g.currents, i, g.state, b.room, &b.notes)
        if i == w.pulse.n:
            return
        unsettle(e, g, w.pulse.target[i], w.pulse.time)


cdef inline void note_all(Blocks* b, const Segment* w) noexcept nogil:
    """Note arrivals at neurons of which none is calm."""
    cdef Taken* taken = b.notes.taken + b.notes.n
    cdef int64_t i
    for i in range(w.pulse.n):
        taken[i].neuron = w.pulse.target[i]
        taken[i].row = w.pulse.row
        if w.kind == DOUBLES:
            b.notes.weight[b.notes.n + i] = w.pulse.weight[i]
        elif w.kind == FLOATS:
            b.notes.weight[b.notes.n + i] = w.pulse.weight32[i]
    b.notes.n += w.pulse.n


# ---- (c)


cdef inline void put_groups_together(Segment* w, int64_t n) noexcept nogil:
    """Slices of one time by the group that they reach; those of one group stay in order."""
    cdef Segment new
    cdef int64_t i, k
    for i in range(1, n):
        k = i
        while k > 0 and w[k - 1].group > w[i].group:
            k -= 1
        if k < i:
            new = w[i]
            memmove(&w[k + 1], &w[k], (i - k) * sizeof(Segment))
            w[k] = new


cdef inline bint can_be_counted(const Blocks* b, int64_t begin, int64_t end, int64_t* second) noexcept nogil:
    """Whether slices of one time that reach a group without currents have one weight each, of two at most; where those
    with the second begin."""
    cdef const Segment* w = &b.segment[begin]
    cdef int64_t k
    if b.group[w.group].currents:
        return False
    second[0] = end
    for k in range(begin, end):
        if b.segment[k].kind != SHARED:
            return False
        if b.segment[k].pulse.shared != w.pulse.shared:
            if second[0] < end:
                return False
            second[0] = k
            w = &b.segment[k]
    return second[0] - begin <= MOST_COUNTED and end - second[0] <= MOST_COUNTED


cdef inline void unsettle_tied(Core* e, const Group* g, int64_t begin, int64_t k, int64_t i) noexcept nogil:
    """The same at place i of the k-th of some slices of one time. Those before it may have reached the neuron as well:
    if it becomes alert, this is noted now."""
    cdef Blocks* b = &e.blocks
    cdef const Segment* w = &b.segment[k]
    cdef int32_t n = w.pulse.target[i]
    cdef int64_t j
    unsettle(e, g, n, w.pulse.time)
    if not b.flag[n] & ALERT:
        return
    for j in range(begin, k):
        note_of(b, &b.segment[j], b.segment[j].pulse.n, n)
    note_of(b, w, i, n)


cdef inline void note_of(Blocks* b, const Segment* w, int64_t stop, int32_t n) noexcept nogil:
    """Note what of the first `stop` synapses of a slice reaches a neuron."""
    cdef int64_t i = 0
    cdef int64_t high = stop
    cdef int64_t middle
    if w.pulse.ascending:
        while i < high:
            middle = (i + high) >> 1
            if w.pulse.target[middle] < n:
                i = middle + 1
            else:
                high = middle
    while i < stop and (w.pulse.target[i] == n or not w.pulse.ascending):
        if w.pulse.target[i] == n:
            b.notes.taken[b.notes.n].neuron = n
            b.notes.taken[b.notes.n].row = w.pulse.row
            b.notes.weight[b.notes.n] = weight_in(w, i)
            b.notes.n += 1
        i += 1


cdef inline double weight_in(const Segment* w, int64_t i) noexcept nogil:
    if w.kind == SHARED:
        return w.pulse.shared
    return w.pulse.weight[i] if w.kind == DOUBLES else w.pulse.weight32[i]


cdef inline bint scatter_counted(Core* e, int64_t begin, int64_t second, int64_t end) noexcept nogil:
    """The same by counting; False, and nothing but room is lost, if some neuron is reached too often."""
    cdef Blocks* b = &e.blocks
    cdef const Group* g = &b.group[b.segment[begin].group]
    cdef Segment* w
    cdef double sum
    cdef int64_t noted = b.notes.n
    cdef int64_t i, k
    cdef int64_t most[2]
    cdef int times
    most[0] = most[1] = 0
    for k in range(begin, end):
        w = &b.segment[k]
        i = 0
        times = 1
        while times <= MOST_TIED:
            i = count_tied(&w.pulse, i, 1 if k < second else SECOND, g.count, b.room, &b.notes, &times)
            if i == w.pulse.n:
                break
            unsettle_tied(e, g, begin, k, i)
        most[k >= second] += times
        if times > MOST_TIED:
            for i in range(begin, k + 1):
                clear_counts(&b.segment[i].pulse, g.count)
            b.notes.n = noted
            return False
    w = &b.segment[begin]
    find_pulse(b, g, &w.pulse)
    # Sums as they would be made one by one, the first kind first.
    sum = 0.0
    for i in range(most[0] + 1):
        fill_adds(b.adds + i, sum, w.pulse.u[0], b.segment[end - 1].pulse.shared, most[1])
        sum = sum + w.pulse.shared
    for k in range(begin, end):
        add_counted(&b.segment[k].pulse, g.state, g.count, b.adds)
    return True


cdef inline void fill_adds(double* adds, double sum, double u, double second, int64_t most) noexcept nogil:
    cdef int64_t j
    for j in range(most + 1):
        adds[j * SECOND] = sum * u
        sum = sum + second


cdef inline void scatter_tied(Core* e, int64_t begin, int64_t end) noexcept nogil:
    """Slices of one time that reach one group."""
    cdef Blocks* b = &e.blocks
    cdef const Group* g = &b.group[b.segment[begin].group]
    cdef Segment* w
    cdef int64_t i, k, second
    if can_be_counted(b, begin, end, &second) and scatter_counted(e, begin, second, end):
        return
    for k in range(begin, end):
        w = &b.segment[k]
        i = 0
        while True:
            i = sum_tied(&w.pulse, w.kind, g.currents, i, g.tie, b.room, &b.notes)
            if i == w.pulse.n:
                break
            unsettle_tied(e, g, begin, k, i)
    find_pulse(b, g, &b.segment[begin].pulse)
    for k in range(begin, end):
        w = &b.segment[k]
        copy_pulse(&b.segment[begin].pulse, &w.pulse)
        add_tie(&w.pulse, g.currents, g.state, g.tie)


cdef inline void copy_pulse(const Pulse* one, Pulse* other) noexcept nogil:
    cdef int port
    for port in range(PORTS):
        other.u[port], other.x[port], other.slot[port] = one.u[port], one.x[port], one.slot[port]


cdef inline bint scatter_time(Core* e, int64_t begin, int64_t end) noexcept nogil:
    """Slices of one time; False if there is no memory left."""
    cdef Segment* w = e.blocks.segment
    cdef const Group* g
    cdef bint room = True
    cdef int64_t i = begin
    cdef int64_t next
    if end - begin > 1:
        put_groups_together(w + begin, end - begin)
    while i < end:
        next = i + 1
        while next < end and w[next].group == w[i].group:
            next += 1
        g = &e.blocks.group[w[i].group]
        if g.k == NULL or g.singly:
            while i < next:
                if g.singly:
                    room = room and gather_segment(e, &w[i])
                else:
                    note_all(&e.blocks, &w[i])
                i += 1
        elif next - i > 1:
            scatter_tied(e, i, next)
        else:
            while i < next:
                scatter_segment(e, &w[i])
                i += 1
        i = next
    return room


# ---- all of it


cdef inline bint room_for_notes(Notes* notes, int64_t* room, int64_t n) noexcept nogil:
    notes.n = 0
    if n < room[0]:
        return True
    if not enlarge(<void**>&notes.taken, 2 * n * sizeof(Taken)) \
            or not enlarge(<void**>&notes.weight, 2 * n * sizeof(double)):
        return False
    room[0] = 2 * n
    return True


cdef inline bint deliver(Core* e, int64_t n) noexcept nogil:
    """Add the n arrivals of the window to calm neurons and note those at others; False if there is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef int64_t i = 0
    cdef int64_t fetched = 0
    cdef int64_t end
    if not room_for_notes(&b.notes, &b.notes_room, n + 1):
        return False
    while i < b.n_segments:
        end = i + 1
        while end < b.n_segments and b.segment[end].pulse.time == b.segment[i].pulse.time:
            end += 1
        while fetched < min(end + FETCHED_AHEAD, b.n_segments):
            fetch(&b.segment[fetched].pulse, b.segment[fetched].kind)
            fetched += 1
        if not scatter_time(e, i, end):
            return False
        i = end
    return True
