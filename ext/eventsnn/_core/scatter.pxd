# How input reaches calm neurons: row by row, in canonical order, each row added to all that it reaches.
#
# (a) `list_segments` cuts the slices that arrive in the window at the borders of groups.
# (b) `use_room` lets every positive weight take away from the room of its target, in any order. A neuron that has none
#     left becomes alert before anything is added.
# (c) `scatter` adds the slices one after the other. What one slice adds to a neuron's state is the same number for all
#     neurons of a group that a shared weight reaches. Arrivals at alert neurons are noted in this order and taken from
#     there; adding them to the place where the state of a calm neuron would be does no harm, and saves asking.
# (d) Slices that arrive at one time, and synapses of one slice that reach one neuron, are ties: their weights are summed
#     by port and the sum is added once. Slices that reach different groups are none.

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport realloc

from eventsnn._core.blocks cimport DOUBLES, FLOATS, LATE, PORTS, SHARED, Blocks, Group, Notes, Pulse, Segment, Taken
from eventsnn._core.calm cimport alert, catch_up
from eventsnn._core.core cimport Core, Projection
from eventsnn._core.lanes cimport targets_below
from eventsnn._core.neuron cimport Factor, Slice
from eventsnn._core.skim cimport grow, pulse

cdef extern from "eventsnn/_core/scatter.h" nogil:
    void use_room "eventsnn_use_room"(const Pulse* p, int kind, float* room) noexcept
    int64_t none_left "eventsnn_none_left"(const float* room, int64_t i, int64_t n) noexcept
    int64_t scatter "eventsnn_scatter"(
        const Pulse* p, int kind, int currents, int64_t i, double* state, const uint8_t* flag, Notes* notes
    ) noexcept
    void sum_tied "eventsnn_sum"(
        const Pulse* p, int kind, int currents, double* tie, const uint8_t* flag, Notes* notes
    ) noexcept
    int64_t add_tie "eventsnn_add_tie"(
        const Pulse* p, int currents, int64_t i, double* state, double* tie, const uint8_t* flag
    ) noexcept

cdef enum:
    # Neurons for each arrival, above which it is better to look at the room of each target than at all.
    FEW = 8


# ---- (a)


cdef inline bint room_for_segment(Blocks* b) noexcept nogil:
    cdef int64_t room
    cdef void* grown
    if b.n_segments == b.segment_room:
        room = 2 * b.segment_room + 64
        grown = realloc(b.segment, room * sizeof(Segment))
        if grown == NULL:
            return False
        b.segment = <Segment*>grown
        b.segment_room = room
    return True


cdef inline bint list_segment(
    Blocks* b, const Slice* slice, int32_t row, int32_t group, int64_t begin, int64_t end
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
        if not list_segment(b, slice, row, k, begin, end):
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
            if not list_segment(b, slice, row, k, begin, end):
                return -1
            n += end - begin
        begin = end
    return n


# ---- (b)


cdef inline void look_at_targets(Core* e, const Segment* w, double now) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef int64_t i
    cdef int32_t n
    for i in range(w.pulse.n):
        n = w.pulse.target[i]
        if b.room[n] < 0.0:
            alert(e, &b.group[w.group], n, now)


cdef inline void look_at_all(Core* e, double now) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef const Group* g
    cdef int64_t k, n
    for k in range(b.n_groups):
        g = &b.group[k]
        n = g.stop if g.k == NULL else none_left(b.room, g.start, g.stop)
        while n < g.stop:
            alert(e, g, <int32_t>n, now)
            n = none_left(b.room, n + 1, g.stop)


# ---- (c)


cdef inline void find_pulse(const Group* g, Pulse* p) noexcept nogil:
    """What an arrival of weight 1 adds to the state, by port."""
    cdef Factor f
    cdef int port
    grow(g.k, p.time - g.origin, &f)
    for port in range(PORTS):
        p.u[port] = p.x[port] = 0.0
        p.slot[port] = 0
    for port in range(g.k.model.ports):
        pulse(g.k, port, &f, port)
        p.u[port] = f.u[port]
        if g.currents > 0:
            p.x[port], p.slot[port] = f.x[port], f.slot[port]


cdef inline void scatter_segment(Core* e, Segment* w) noexcept nogil:
    """A slice that is alone at its time."""
    cdef Blocks* b = &e.blocks
    cdef const Group* g = &b.group[w.group]
    cdef int64_t i = 0
    if g.k == NULL:
        note_all(b, w)
        return
    find_pulse(g, &w.pulse)
    while i < w.pulse.n:
        i = scatter(&w.pulse, w.kind, g.currents, i, g.state, b.flag, &b.notes)
        if i < w.pulse.n:
            catch_up(b, g, w.pulse.target[i])


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


# ---- (d)


cdef inline bint is_tied(const Blocks* b, int64_t begin, int64_t end) noexcept nogil:
    """Whether some group is reached twice by slices of one time."""
    cdef int64_t i, k
    for i in range(begin, end):
        for k in range(begin, i):
            if b.segment[i].group == b.segment[k].group:
                return True
    return False


cdef inline void scatter_tied(Core* e, int64_t begin, int64_t end) noexcept nogil:
    """Slices of one time."""
    cdef Blocks* b = &e.blocks
    cdef Segment* w
    cdef const Group* g
    cdef int64_t i, k
    for k in range(begin, end):
        w = &b.segment[k]
        g = &b.group[w.group]
        if g.k == NULL:
            note_all(b, w)
        else:
            sum_tied(&w.pulse, w.kind, g.currents, g.tie, b.flag, &b.notes)
    for k in range(begin, end):
        w = &b.segment[k]
        g = &b.group[w.group]
        if g.k == NULL:
            continue
        find_pulse(g, &w.pulse)
        i = 0
        while i < w.pulse.n:
            i = add_tie(&w.pulse, g.currents, i, g.state, g.tie, b.flag)
            if i < w.pulse.n:
                catch_up(b, g, w.pulse.target[i])


# ---- all of it


cdef inline bint room_for_notes(Notes* notes, int64_t* room, int64_t n) noexcept nogil:
    cdef void* grown
    notes.n = 0
    if n < room[0]:
        return True
    grown = realloc(notes.taken, 2 * n * sizeof(Taken))
    if grown == NULL:
        return False
    notes.taken = <Taken*>grown
    grown = realloc(notes.weight, 2 * n * sizeof(double))
    if grown == NULL:
        return False
    notes.weight = <double*>grown
    room[0] = 2 * n
    return True


cdef inline bint deliver(Core* e, int64_t n, double now) noexcept nogil:
    """Add the n arrivals of the window, which begins at now, to calm neurons and note those at others; False if there
    is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef Segment* w
    cdef double time
    cdef int64_t i, end
    cdef bint few = FEW * n < b.n
    if not room_for_notes(&b.notes, &b.notes_room, n + 1):
        return False
    for i in range(b.n_segments):
        w = &b.segment[i]
        if b.group[w.group].k != NULL:
            use_room(&w.pulse, w.kind, b.room)
            if few and (w.kind != SHARED or w.pulse.shared > 0.0):
                look_at_targets(e, w, now)
    if not few:
        look_at_all(e, now)
    i = 0
    while i < b.n_segments:
        time = b.segment[i].pulse.time
        end = i + 1
        while end < b.n_segments and b.segment[end].pulse.time == time:
            end += 1
        if end - i > 1 and is_tied(b, i, end):
            scatter_tied(e, i, end)
        else:
            while i < end:
                scatter_segment(e, &b.segment[i])
                i += 1
        i = end
    return True
