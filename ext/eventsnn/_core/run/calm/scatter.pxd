# How input reaches calm neurons: slice by slice, each added to all neurons that it reaches.
#
# (a) `list_segments` cuts the slices that arrive in the window at the borders of groups, into segments.
# (b) `deliver` takes the segments one after the other, in the order of time. Within a group a shared weight adds the
#     same to every state, which `find_pulse` computes once. Targets whose D is not negative afterwards are listed, and
#     looked at when all that arrives at this time has been added (follow.pxd). Arrivals at neurons that are apart are
#     noted.

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from eventsnn._core.run.calm.blocks cimport (
    DOUBLES,
    FLOATS,
    IS_APART,
    IS_HELD,
    IS_SUSPECT,
    PAD,
    SHARED,
    Blocks,
    D,
    Gathered,
    Group,
    Listed,
    Pulse,
    Segment,
    Taken,
    U,
    X,
    target_in,
)
from eventsnn._core.run.calm.calm cimport class_of, grow_to, state_at
from eventsnn._core.run.core cimport Core, Projection
from eventsnn._core.run.calm.follow cimport clear, leave, leave_at, visit
from eventsnn._core.solve.frames cimport nearest, scale_of, sum_of
from eventsnn._core.draw.growth cimport grow
from eventsnn._core.run.lanes cimport targets_below
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.solve.neuron cimport Slice, target_of, targets_from
from eventsnn._core.draw.philox cimport lanes_at_hand
from eventsnn._core.run.calm.singly cimport gather_segment, order_gathered

cdef extern from "eventsnn/_core/run/calm/scatter.h" nogil:
    double weight_at "eventsnn_weight"(const Pulse* p, int kind, int64_t i) noexcept
    double largest "eventsnn_largest"(const Pulse* p, int kind) noexcept
    void fetch "eventsnn_fetch"(const Pulse* p, int kind) noexcept
    int64_t add_slice "eventsnn_add_slice"(
        int lanes, const Pulse* p, int kind, int currents, int64_t* state, int32_t* listed
    ) noexcept

cdef extern from *:
    """
    #define EVENTSNN_HEAVY 144115188075855872.0
    #define EVENTSNN_LARGE 1152921504606846976.0
    #define EVENTSNN_MOST_LOAD 2305843009213693952.0
    """
    # The most that may be added to a number of a calm neuron by
    const double HEAVY "EVENTSNN_HEAVY"            # one arrival where they come one by one, 2^57
    const double LARGE "EVENTSNN_LARGE"            # one slice, 2^60
    const double MOST_LOAD "EVENTSNN_MOST_LOAD"    # all slices of one time, 2^61

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
    Blocks* b, const Slice* slice, const Projection* of, int32_t row, int32_t group, int64_t begin, int64_t end
) noexcept nogil:
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
    p.weight, p.weight32 = NULL, NULL
    p.target, p.base, p.narrow = targets_from(slice, begin), slice.base, slice.narrow
    p.n = end - begin
    p.row, p.time, p.port = row, slice.time, slice.port
    p.size, p.alike = of.weight_size, min(of.most_alike, slice.n)
    p.shared = slice.weight32[0] if slice.weight32 != NULL else slice.weight[0]
    if not slice.one_weight:
        new.kind = FLOATS if slice.weight32 != NULL else DOUBLES
        p.weight32 = slice.weight32 + begin if slice.weight32 != NULL else NULL
        p.weight = slice.weight + begin if slice.weight32 == NULL else NULL
    return True


cdef inline void cut(Segment* piece, const Segment* w, int64_t begin, int64_t end) noexcept nogil:
    """The synapses of a segment from begin to end."""
    cdef Pulse* p = &piece.pulse
    piece[0] = w[0]
    p.n = end - begin
    p.target = <const char*>p.target + begin * (sizeof(uint16_t) if p.narrow else sizeof(int32_t))
    if p.weight != NULL:
        p.weight = p.weight + begin
    if p.weight32 != NULL:
        p.weight32 = p.weight32 + begin


cdef inline int64_t list_segments(Core* e, const Slice* slice, const Projection* p, int32_t row) noexcept nogil:
    """Cut a slice; how many of its synapses reach neurons of the lane, -1 if there is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef const Group* g
    cdef int64_t begin
    cdef int64_t end = 0
    cdef int64_t n = 0
    cdef int32_t after = -1
    cdef int32_t k
    if not p.ascending:
        return list_pieces(b, slice, p, row)
    for k in range(b.n_groups):
        g = &b.group[k]
        if g.stop <= p.first_target or g.start > p.last_target:
            continue
        if g.start != after:
            end = 0 if g.start <= p.first_target else targets_below(slice, p, g.start)
        begin, after = end, g.stop
        end = slice.n if g.stop > p.last_target else targets_below(slice, p, g.stop)
        if not list_segment(b, slice, p, row, k, begin, end):
            return -1
        n += end - begin
    return n


cdef inline int64_t list_pieces(Blocks* b, const Slice* slice, const Projection* p, int32_t row) noexcept nogil:
    """Cut a slice whose targets are in no order."""
    cdef int64_t begin = 0
    cdef int64_t end
    cdef int64_t n = 0
    cdef int32_t k, target
    while begin < slice.n:
        target = target_of(slice, begin)
        k = 0
        while k < b.n_groups and not b.group[k].start <= target < b.group[k].stop:
            k += 1
        end = begin + 1
        if k < b.n_groups:
            while end < slice.n and b.group[k].start <= target_of(slice, end) < b.group[k].stop:
                end += 1
            if not list_segment(b, slice, p, row, k, begin, end):
                return -1
            n += end - begin
        begin = end
    return n


# ---- (b)


cdef inline void find_pulse(Group* g, Segment* w) noexcept nogil:
    """What an arrival of this segment adds to a state, by the sign of its weight. For D it depends on the block."""
    cdef Pulse* p = &w.pulse
    cdef double scale, now, then
    cdef bint rises
    cdef int sign, i, port
    if g.now.time != p.time:
        grow_to(g.k, p.time, &g.now)
    for sign in range(2):
        port = p.port if p.port >= 0 else g.k.model.by_sign[sign]
        scale = scale_of(g.k, port)
        p.slot[sign] = g.k.model.target[port]
        p.u[sign] = scale * g.now.u
        if g.currents == 0:
            continue
        p.x[sign] = scale * g.now.x[p.slot[sign]]
        # What X takes from U at the time of the row, and when the block ends.
        now = p.u[sign] / p.x[sign]
        then = g.rise.at_end[p.slot[sign]]
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


cdef inline double largest_factor(const Pulse* p, int currents) noexcept nogil:
    """The most that a weight of 1 adds to one of a state's numbers."""
    cdef double factor = max(fabs(p.u[0]), fabs(p.u[1]))
    if currents:
        factor = max(factor, max(max(fabs(p.x[0]), fabs(p.x[1])), max(fabs(p.d[0]), fabs(p.d[1]))))
    return factor


cdef inline bint is_light(Blocks* b, double added, double most) noexcept nogil:
    """Whether a number of a calm neuron stays in its range when so much is added, with all else that arrives at the
    same time."""
    if not added < most or not b.load + added < MOST_LOAD:
        return False
    b.load += added
    return True


cdef inline void scatter_piece(Core* e, Group* g, Segment* w) noexcept nogil:
    """Add a slice, or a piece of one, that is light."""
    cdef Blocks* b = &e.blocks
    cdef int64_t i, m
    cdef int32_t n
    m = add_slice(lanes_at_hand(), &w.pulse, w.kind, g.currents, g.state, b.places)
    for i in range(m):
        n = target_in(&w.pulse, b.places[i])
        if b.flag[n] & IS_APART:
            clear(g, state_at(g, n))
            note(b, w, b.places[i])
        else:
            list_neuron(b, n, w.group)


cdef inline void scatter_heavy(Core* e, Group* g, Segment* w, double limit) noexcept nogil:
    """Add a slice piece by piece: between two weights above the limit, whose neurons are apart from now on."""
    cdef Blocks* b = &e.blocks
    cdef Segment piece
    cdef int64_t first = 0
    cdef int64_t i
    for i in range(w.pulse.n):
        if fabs(weight_at(&w.pulse, w.kind, i)) < limit:
            continue
        cut(&piece, w, first, i)
        scatter_piece(e, g, &piece)
        leave_at(e, g, target_in(&w.pulse, i), w.pulse.time)
        note(b, w, i)
        first = i + 1
    cut(&piece, w, first, w.pulse.n)
    scatter_piece(e, g, &piece)


cdef inline void scatter_segment(Core* e, Group* g, Segment* w) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef double factor
    cdef bint light
    find_pulse(g, w)
    factor = largest_factor(&w.pulse, g.currents)
    if is_light(b, factor * w.pulse.alike * w.pulse.size, LARGE):
        scatter_piece(e, g, w)
        return
    # No weight of its projection is larger, but most slices have none of the largest.
    if is_light(b, factor * w.pulse.alike * largest(&w.pulse, w.kind), LARGE):
        scatter_piece(e, g, w)
        return
    light = is_light(b, 0.5 * LARGE, LARGE)
    scatter_heavy(e, g, w, 0.5 * LARGE / (factor * w.pulse.alike) if light else 0.0)


cdef inline void list_neuron(Blocks* b, int32_t n, int32_t group) noexcept nogil:
    """There is room for one for each arrival of the window."""
    b.listed[b.n_listed].neuron, b.listed[b.n_listed].group = n, group
    b.n_listed += 1


cdef inline void visit_listed(Core* e, double t) noexcept nogil:
    """Look at those that are listed, since all that arrives at t has been added."""
    cdef Blocks* b = &e.blocks
    cdef Group* g
    cdef int64_t i
    b.load = 0.0
    b.arrivals += b.n_listed
    for i in range(b.n_listed):
        g = &b.group[b.listed[i].group]
        if g.now.time != t or g.varied:
            grow_to(class_of(e, g, b.listed[i].neuron), t, &g.now)
        visit(e, g, b.listed[i].neuron, t, &g.now)
    b.n_listed = 0


cdef inline void note(Blocks* b, const Segment* w, int64_t i) noexcept nogil:
    """Note the arrival at place i, at a neuron that is apart."""
    b.notes.taken[b.notes.n].neuron = target_in(&w.pulse, i)
    b.notes.taken[b.notes.n].row = w.pulse.row
    if w.kind == DOUBLES:
        b.notes.weight[b.notes.n] = w.pulse.weight[i]
    elif w.kind == FLOATS:
        b.notes.weight[b.notes.n] = w.pulse.weight32[i]
    b.notes.n += 1


cdef inline bint room_for(Blocks* b, int64_t n) noexcept nogil:
    """For the notes of n arrivals, for the places of as many, and as many neurons; False if there is no memory left."""
    b.notes.n = 0
    if not room_to_list(b, n):
        return False
    if n < b.notes.room:
        return True
    if not enlarge(<void**>&b.notes.taken, 2 * n * sizeof(Taken)) \
            or not enlarge(<void**>&b.notes.weight, 2 * n * sizeof(double)) \
            or not enlarge(<void**>&b.places, 2 * n * sizeof(int32_t)):
        return False
    b.notes.room = 2 * n
    return True


cdef inline bint room_to_list(Blocks* b, int64_t n) noexcept nogil:
    b.n_listed = 0
    if n < b.listed_room:
        return True
    if not enlarge(<void**>&b.listed, 2 * n * sizeof(Listed)):
        return False
    b.listed_room = 2 * n
    return True


cdef inline bint deliver(Core* e, int64_t n) noexcept nogil:
    """Add the n arrivals of the window to calm neurons and note those at others; False if there is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef Segment* w
    cdef Group* g
    cdef int64_t i, k
    if not room_for(b, n + 1):
        return False
    b.load = 0.0
    for i in range(min(FETCHED_AHEAD, b.n_segments)):
        fetch(&b.segment[i].pulse, b.segment[i].kind)
    for i in range(b.n_segments):
        if i + FETCHED_AHEAD < b.n_segments:
            fetch(&b.segment[i + FETCHED_AHEAD].pulse, b.segment[i + FETCHED_AHEAD].kind)
        w = &b.segment[i]
        g = &b.group[w.group]
        if i > 0 and w.pulse.time != b.segment[i - 1].pulse.time:
            visit_listed(e, b.segment[i - 1].pulse.time)
        if g.singly:
            if not gather_segment(e, w):
                return False
        elif g.k == NULL:
            for k in range(w.pulse.n):
                note(b, w, k)
        else:
            scatter_segment(e, g, w)
    if b.n_listed:
        visit_listed(e, b.segment[b.n_segments - 1].pulse.time)
    return True


# ---- one by one


cdef inline void find_added(Blocks* b, int64_t first) noexcept nogil:
    """Find what each gathered arrival adds, from the first on."""
    cdef double* growth = b.gathered_growth
    cdef Gathered* a
    cdef int64_t i
    for i in range(first, b.n_gathered):
        a = &b.gathered[i]
        growth[i] = (a.time - b.group[b.group_of[a.neuron]].origin) * b.rate[a.neuron]
    grow(lanes_at_hand(), b.n_gathered - first, growth + first, 0.0, 1.0, growth + first)
    for i in range(first, b.n_gathered):
        a = &b.gathered[i]
        a.added = nearest(a.weight * (b.scales[a.neuron] * growth[i]))


cdef inline int64_t add_what_raises(Blocks* b) noexcept nogil:
    """Add all arrivals that raise calm neurons; returns how many neurons became suspect, which are listed in `others`.

    A neuron whose D is no longer negative is suspect and takes no more; its `place` is the last arrival that it took.
    """
    cdef const Gathered* a
    cdef int64_t i
    cdef int64_t n = 0
    for i in range(b.n_gathered):
        a = &b.gathered[i]
        if b.flag[a.neuron] != 0 or -HEAVY < <double>a.added < 0.0:
            continue
        if -HEAVY < <double>a.added < HEAVY:
            b.single[a.neuron] = sum_of(b.single[a.neuron], a.added)
            if b.single[a.neuron] < 0:
                continue
            b.place[a.neuron] = <int32_t>i
        else:
            b.place[a.neuron] = <int32_t>(i - 1)
        b.flag[a.neuron] = IS_SUSPECT
        b.others[n] = a.neuron
        n += 1
    return n


cdef inline bint is_left(Core* e, const Gathered* a, int64_t i) noexcept nogil:
    """Whether arrival i is left for its neuron, which is then suspect, followed or apart.

    An arrival that lowers a calm neuron is added here. One that a suspect neuron has taken is taken back.
    """
    cdef Blocks* b = &e.blocks
    cdef int64_t* d = &b.single[a.neuron]
    cdef uint8_t flag = b.flag[a.neuron]
    if flag == 0 and a.added < 0:
        d[0] = sum_of(d[0], a.added)
        if e.prompts.on:
            e.prompts.lowered[a.neuron] = sum_of(e.prompts.lowered[a.neuron], a.added)
        if d[0] >= 0:
            # So far below the threshold that the number has wrapped around.
            leave(e, &b.group[b.group_of[a.neuron]], a.neuron, e.state.time)
    if flag & IS_SUSPECT and i <= b.place[a.neuron] and a.added >= 0:
        d[0] = sum_of(d[0], -a.added)
    return flag != 0 and not flag & IS_HELD


cdef inline void keep_what_is_left(Core* e) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef Gathered a
    cdef int64_t i
    cdef int64_t kept = 0
    for i in range(b.n_gathered):
        a = b.gathered[i]
        if is_left(e, &a, i):
            b.gathered[kept] = a
            kept += 1
    b.n_gathered = kept


cdef inline void keep_for_replays(Core* e) noexcept nogil:
    """Keep the arrivals that are left, in a window in which more may arrive than is known so far.

    Arrivals at neurons that are apart are kept in order, all others behind them, backwards.
    """
    cdef Blocks* b = &e.blocks
    cdef const Gathered* a
    cdef int64_t i
    b.rest = b.gathered + b.gathered_room
    b.followed_rest = b.rest + b.gathered_room
    for i in range(b.n_gathered):
        a = &b.gathered[i]
        if not is_left(e, a, i):
            continue
        if b.flag[a.neuron] & IS_APART:
            b.rest[b.n_rest] = a[0]
            b.n_rest += 1
        else:
            b.followed_rest -= 1
            b.followed_rest[0] = a[0]
            b.n_followed_rest += 1


cdef inline bint take_gathered(Core* e) noexcept nogil:
    """Add all arrivals of the window at neurons that take their input one by one. False if there is no memory left.

    If a calm neuron stays below its threshold with all that raises it and nothing that lowers it, the order of its
    input does not matter. The arrivals of other neurons are put in order. Arrivals at neurons that are apart are kept.
    """
    cdef Blocks* b = &e.blocks
    cdef const Gathered* a
    cdef int64_t i, n, suspects
    cdef int32_t k
    if b.n_gathered == 0:
        return True
    find_added(b, 0)
    suspects = add_what_raises(b)
    if e.prompts.on:
        keep_for_replays(e)
        return True
    keep_what_is_left(e)
    for i in range(suspects):
        b.flag[b.others[i]] = 0
    n = b.n_gathered
    if n == 0:
        return True
    if not room_to_list(b, n + 1):
        return False
    a = order_gathered(b, &e.inbox)
    b.n_gathered = 0
    for i in range(n):
        k = a[i].neuron
        if i > 0 and a[i].time != a[i - 1].time:
            visit_listed(e, a[i - 1].time)
        if not b.flag[k] & (IS_APART | IS_HELD) and not is_light(b, fabs(<double>a[i].added), HEAVY):
            leave_at(e, &b.group[b.group_of[k]], k, a[i].time)
        if b.flag[k] & IS_APART:
            b.gathered[b.n_gathered] = a[i]
            b.n_gathered += 1
        elif not b.flag[k] & IS_HELD:
            b.single[k] = sum_of(b.single[k], a[i].added)
            if b.single[k] >= 0:
                list_neuron(b, k, b.group_of[k])
    visit_listed(e, a[n - 1].time)
    b.rest, b.n_rest = b.gathered, b.n_gathered
    return True
