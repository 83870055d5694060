# How input reaches calm neurons: row by row, each added to all that it reaches.
#
# (a) `list_segments` cuts the slices that arrive in the window at the borders of groups.
# (b) `deliver` takes them one after the other, in the order of time. What a slice adds to a state is the same for all
#     neurons of a group that a shared weight reaches (`find_pulse`). A target whose D is not negative afterwards
#     becomes alert, as it is before the slice; what else has come to it at the same time may be in its state already,
#     since its threshold is tested when all has. Arrivals at alert neurons are noted and taken from there.

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t

from eventsnn._core.blocks cimport (
    ALERT_D,
    DOUBLES,
    FLOATS,
    IS_ALERT,
    PAD,
    SHARED,
    Blocks,
    D,
    Group,
    Notes,
    Pulse,
    Segment,
    Taken,
    U,
    X,
)
from eventsnn._core.calm cimport alert, state_at
from eventsnn._core.core cimport Core, Projection
from eventsnn._core.frames cimport nearest
from eventsnn._core.lanes cimport targets_below
from eventsnn._core.memory cimport enlarge
from eventsnn._core.neuron cimport Factor, Slice
from eventsnn._core.singly cimport gather_segment
from eventsnn._core.skim cimport grow_factor, pulse

cdef extern from "eventsnn/_core/scatter.h" nogil:
    void fetch "eventsnn_fetch"(const Pulse* p, int kind) noexcept
    int64_t add_slice "eventsnn_add_slice"(
        const Pulse* p, int kind, int currents, int64_t* state, int32_t* listed
    ) noexcept
    void take_back "eventsnn_take_back"(const Pulse* p, int kind, int currents, int64_t i, int64_t* state) noexcept

cdef extern from *:
    """
    #define EVENTSNN_HEAVY 288230376151711744.0
    """
    const double HEAVY "EVENTSNN_HEAVY"    # 2^58

cdef enum:
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
    Blocks* b, const Slice* slice, double size, int32_t row, int32_t group, int64_t begin, int64_t end
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
    p.row, p.time, p.port, p.size = row, slice.time, slice.port, size
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
    cdef double size = p.weight_size
    if not p.ascending:
        return list_pieces(b, slice, size, row)
    for k in range(b.n_groups):
        g = &b.group[k]
        if g.stop <= p.first_target or g.start > p.last_target:
            continue
        begin = 0 if g.start <= p.first_target else targets_below(slice, g.start)
        end = slice.n if g.stop > p.last_target else targets_below(slice, g.stop)
        if not list_segment(b, slice, size, row, k, begin, end):
            return -1
        n += end - begin
    return n


cdef inline int64_t list_pieces(Blocks* b, const Slice* slice, double size, int32_t row) noexcept nogil:
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
            if not list_segment(b, slice, size, row, k, begin, end):
                return -1
            n += end - begin
        begin = end
    return n


# ---- (b)


cdef inline void find_pulse(Blocks* b, const Group* g, Segment* w) noexcept nogil:
    """What an arrival adds to the state, by the sign of its weight. The rows of one spike often reach several groups of
    one kind at one time; what D rises by depends on the group's block."""
    cdef Pulse* p = &w.pulse
    cdef Factor f
    cdef double now, then
    cdef bint rises
    cdef int sign, i
    if p.time == b.found.time and g.kind == b.found_kind and p.port == b.found.port:
        for sign in range(2):
            p.u[sign], p.x[sign], p.slot[sign] = b.found.u[sign], b.found.x[sign], b.found.slot[sign]
    else:
        grow_factor(g.k, p.time, &f)
        for sign in range(2):
            pulse(g.k, p.port if p.port >= 0 else p.by_sign[sign], &f, sign)
            p.u[sign], p.x[sign], p.slot[sign] = f.u[sign], f.x[sign], f.slot[sign]
        b.found, b.found_kind = p[0], g.kind
    for sign in range(2 if g.currents else 0):
        # What X takes from U at the time of the row, and when the block ends.
        now = p.u[sign] / p.x[sign]
        then = g.at_end[p.slot[sign]]
        # A weight of this sign adds to X what has this sign.
        rises = p.x[sign] > 0.0 if sign == 0 else p.x[sign] < 0.0
        p.d[sign] = p.u[sign] - p.x[sign] * (min(now, then) if rises else max(now, then))
    if w.kind == SHARED:
        sign = p.shared < 0.0
        for i in range(4):
            p.added[i] = 0
        if g.currents:
            p.added[<int>D] = nearest(p.shared * p.d[sign]) + PAD
            p.added[<int>U] = nearest(p.shared * p.u[sign])
            p.added[X + p.slot[sign]] = nearest(p.shared * p.x[sign])
        else:
            p.added[<int>D] = nearest(p.shared * p.u[sign])


cdef inline bint is_heavy(const Segment* w, int currents) noexcept nogil:
    """Whether a few such weights might take D from one end of its range to the other."""
    cdef const Pulse* p = &w.pulse
    cdef double factor = max(fabs(p.u[0]), fabs(p.u[1]))
    if currents:
        factor = max(factor, max(max(fabs(p.x[0]), fabs(p.x[1])), max(fabs(p.d[0]), fabs(p.d[1]))))
    return not p.size * factor < HEAVY


cdef inline void scatter_segment(Core* e, const Group* g, Segment* w) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef int64_t i, m
    cdef int32_t n
    find_pulse(b, g, w)
    if is_heavy(w, g.currents):
        for i in range(w.pulse.n):
            n = w.pulse.target[i]
            if not b.flag[n] & IS_ALERT:
                alert(e, g, n, w.pulse.time)
            note(b, w, i)
        return
    m = add_slice(&w.pulse, w.kind, g.currents, g.state, b.listed)
    for i in range(m):
        if not b.flag[w.pulse.target[b.listed[i]]] & IS_ALERT:
            take_back(&w.pulse, w.kind, g.currents, b.listed[i], g.state)
    for i in range(m):
        n = w.pulse.target[b.listed[i]]
        if b.flag[n] & IS_ALERT:
            state_at(g, n)[<int>D] = ALERT_D
        else:
            alert(e, g, n, w.pulse.time)
        note(b, w, b.listed[i])


cdef inline void note(Blocks* b, const Segment* w, int64_t i) noexcept nogil:
    """Note the arrival at place i, at an alert neuron."""
    b.notes.taken[b.notes.n].neuron = w.pulse.target[i]
    b.notes.taken[b.notes.n].row = w.pulse.row
    if w.kind == DOUBLES:
        b.notes.weight[b.notes.n] = w.pulse.weight[i]
    elif w.kind == FLOATS:
        b.notes.weight[b.notes.n] = w.pulse.weight32[i]
    b.notes.n += 1


cdef inline bint room_for(Blocks* b, int64_t n) noexcept nogil:
    """For the notes of n arrivals, and for the places of as many; False if there is no memory left."""
    b.notes.n = 0
    if n < b.notes.room:
        return True
    if not enlarge(<void**>&b.notes.taken, 2 * n * sizeof(Taken)) \
            or not enlarge(<void**>&b.notes.weight, 2 * n * sizeof(double)) \
            or not enlarge(<void**>&b.listed, 2 * n * sizeof(int32_t)):
        return False
    b.notes.room = 2 * n
    return True


cdef inline bint deliver(Core* e, int64_t n) noexcept nogil:
    """Add the n arrivals of the window to calm neurons and note those at others; False if there is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef Segment* w
    cdef const Group* g
    cdef int64_t i, k
    if not room_for(b, n + 1):
        return False
    for i in range(min(FETCHED_AHEAD, b.n_segments)):
        fetch(&b.segment[i].pulse, b.segment[i].kind)
    for i in range(b.n_segments):
        if i + FETCHED_AHEAD < b.n_segments:
            fetch(&b.segment[i + FETCHED_AHEAD].pulse, b.segment[i + FETCHED_AHEAD].kind)
        w = &b.segment[i]
        g = &b.group[w.group]
        if g.singly:
            if not gather_segment(e, w):
                return False
        elif g.k == NULL:
            for k in range(w.pulse.n):
                note(b, w, k)
        else:
            scatter_segment(e, g, w)
    return True
