# Followed neurons: those that may spike in the present block, from event to event (calm.pxd).
#
# A followed neuron's state is in the pool, as it is after its last event. What arrives at it is added where it is for
# calm ones, to a state that is zero otherwise; since all of it is listed, `visit` finds there what has arrived at one
# time. Its external spikes in the block are drawn again when it begins to be followed, and come between.
# ahead.pxd says whether it reaches its threshold.

from libc.math cimport floor, nextafter
from libc.stdint cimport int32_t, int64_t

from eventsnn._core.run.calm.ahead cimport crosses, fits, is_at_line, lift_followed, look_ahead
from eventsnn._core.run.calm.blocks cimport (
    BIAS,
    HELD_D,
    IS_APART,
    IS_FOLLOWED,
    IS_HELD,
    LISTED_D,
    STATE,
    Blocks,
    D,
    Drive,
    Followed,
    Group,
    Grown,
    Input,
    U,
    X,
)
from eventsnn._core.run.calm.calm cimport MOST_D, draw_cell_of, drive_of, grow_to, low_of, own_class, state_at
from eventsnn._core.solve.closed_form cimport COUPLING, PER_UNIT, RATE, RATE_M, V_RESET, current_at
from eventsnn._core.run.core cimport NO_MEMORY, Core, neuron_at
from eventsnn._core.run.events cimport announce, fail, is_over, next_outside, next_own
from eventsnn._core.run.foresight cimport predict
from eventsnn._core.solve.frames cimport nearest, numbers, scale_of, sum_of, widened
from eventsnn._core.draw.growth cimport grow
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.solve.neuron cimport T_REF, BOUNDED, RELEASE_SLACK, UNKNOWN, Class, Neuron, early
from eventsnn._core.draw.philox cimport lanes_at_hand
from eventsnn._core.run.queue cimport wake_set
from eventsnn._core.draw.stream cimport MOST_IN_CELL, Source, Stream, refill, stream_next

# ---- the pool


cdef inline Followed* followed_at(const Blocks* b, int32_t n) noexcept nogil:
    return &b.pool[b.place[n]]


cdef inline bint enlarge_pool(Blocks* b) noexcept nogil:
    cdef int64_t room = 2 * b.pool_room + 64
    cdef int64_t i
    if not enlarge(<void**>&b.pool, room * sizeof(Followed)):
        return False
    for i in range(b.pool_room, room):
        b.pool[i].free = <int32_t>(i + 1) if i + 1 < room else -1
    b.free = <int32_t>b.pool_room
    b.pool_room = room
    return True


cdef inline void give_back(Blocks* b, Followed* x) noexcept nogil:
    x.free = b.free
    b.free = b.place[x.neuron]


# ---- one begins to be followed


cdef inline bint room_for_inputs(Group* g) noexcept nogil:
    """Make room for the external spikes of one more neuron; False if there is no memory left."""
    cdef int64_t room = 2 * g.input_room + 8 * MOST_IN_CELL
    if g.n_inputs + MOST_IN_CELL <= g.input_room:
        return True
    if not enlarge(<void**>&g.input, room * sizeof(Input)):
        return False
    g.input_room = room
    return True


cdef inline const Input* input_of(const Group* g, const Followed* x, int i) noexcept nogil:
    return &g.input[x.first + i]


cdef inline void draw_inputs(Group* g, int32_t n, double after, bint upto, Followed* x) noexcept nogil:
    """A neuron's external spikes in the block after a time, or, if upto, from it on. There is room for them."""
    cdef const Drive* drive = drive_of(g, n)
    cdef const Source* d = drive.source
    cdef const Class* k = g.k
    cdef double times[MOST_IN_CELL]
    cdef double grown[MOST_IN_CELL]
    cdef double scale = scale_of(k, d.port)
    cdef int count = draw_cell_of(g, drive, n, times)
    cdef Input* input = g.input + x.first
    cdef int first = 0
    cdef int i, j
    while first < count and (times[first] < after or (times[first] == after and not upto)):
        first += 1
    while count > first and not times[count - 1] < g.end:
        count -= 1
    x.n = count - first
    g.n_inputs += x.n
    if x.n == 0:
        return
    grow(lanes_at_hand(), x.n, times + first, g.origin, k.c[RATE_M], grown)
    for i in range(x.n):
        input[i].time = times[first + i]
        input[i].grown = grown[i]
        input[i].u = nearest(d.weight * (scale * grown[i]))
        input[i].x = 0
    for j in range(g.currents):
        grow(lanes_at_hand(), x.n, times + first, g.x_origin[j], k.c[current_at(j) + RATE], grown)
        for i in range(x.n):
            input[i].x_grown[j] = grown[i]
            if j == drive.slot:
                input[i].x = nearest(d.weight * (scale * grown[i]))


cdef inline void clear(const Group* g, int64_t* f) noexcept nogil:
    """Empty the state of a followed neuron: it will hold what arrives from now on, and all arrivals are listed."""
    cdef int i
    f[D] = LISTED_D
    for i in range(STATE - 1 if g.currents else 0):
        f[U + i] = -BIAS


cdef inline Followed* begin_followed(Core* e, Group* g, int32_t n, double t, bint upto) noexcept nogil:
    """Follow a neuron from t on (`take_up`), and list it. No neuron is listed twice in a block."""
    cdef Followed* x = take_up(e, g, n, t, upto)
    if x != NULL:
        e.blocks.followed[g.start + g.n_followed] = n
        g.n_followed += 1
    return x


cdef inline Followed* take_up(Core* e, Group* g, int32_t n, double t, bint upto) noexcept nogil:
    """Take up a calm or held neuron as it is at t. NULL if there is no memory left.

    Its state holds all external input of the block. Input after t, or, if upto, from t on, is taken out: it is still to
    come.
    """
    cdef Blocks* b = &e.blocks
    cdef int64_t* f = state_at(g, n)
    cdef Followed* x
    cdef int32_t at
    cdef int i
    if (b.free < 0 and not enlarge_pool(b)) or not room_for_inputs(g):
        fail(e, NO_MEMORY, t, n)
        return NULL
    at = b.free
    x = &b.pool[at]
    b.free = x.free
    b.place[n] = at
    x.neuron, x.t, x.at, x.n, x.first = n, t, 0, 0, g.n_inputs
    x.held = b.flag[n] & IS_HELD
    x.release = b.release[n] if x.held else -1.0
    x.next = t
    if drive_of(g, n).source != NULL:
        draw_inputs(g, n, t, upto, x)
    x.t = min(t, nextafter(g.end, 0.0))
    x.u = sum_of(f[U], BIAS) if g.currents else sum_of(f[D], low_of(b, g, n))
    for i in range(g.currents):
        x.x[i] = sum_of(f[X + i], BIAS)
    x.slot = drive_of(g, n).slot
    for i in range(x.n):
        x.u = sum_of(x.u, -input_of(g, x, i).u)
        if g.currents:
            x.x[x.slot] = sum_of(x.x[x.slot], -input_of(g, x, i).x)
    clear(g, f)
    if x.held and not x.t < x.release:
        lift_followed(e, g, x)
    b.flag[n] = IS_FOLLOWED
    b.follows += 1
    return x


# ---- and ends to be


cdef inline void keep_held(Blocks* b, Group* g, int32_t n, double release) noexcept nogil:
    b.flag[n] = IS_HELD
    b.release[n] = release
    b.held[g.start + g.n_held] = n
    g.n_held += 1


cdef inline void end_followed(Core* e, Group* g) noexcept nogil:
    """Let all that are followed be calm or held when the block ends, up to which they have been taken."""
    cdef Blocks* b = &e.blocks
    cdef Followed* x
    cdef int64_t* f
    cdef int64_t k
    cdef int32_t n
    cdef int i
    for k in range(g.n_followed):
        n = b.followed[g.start + k]
        if not b.flag[n] & IS_FOLLOWED:
            continue
        x = followed_at(b, n)
        f = state_at(g, n)
        for i in range(g.currents):
            f[X + i] = sum_of(x.x[i], -BIAS)
        if g.currents:
            f[U] = sum_of(x.u, -BIAS)
        else:
            f[D] = sum_of(x.u, -low_of(b, g, n))
        b.flag[n] = 0
        if x.held:
            f[D] = HELD_D
            keep_held(b, g, n, x.release)
        give_back(b, x)
    g.n_followed = g.n_inputs = 0


cdef inline void leave(Core* e, Group* g, int32_t n, double now) noexcept nogil:
    """Let a neuron be apart: put its state into its record.

    The state of a calm neuron is taken as it is before `now`, with all input up to then. When its last event was does
    not matter, since it does not reach the threshold in the block without another. A followed neuron's state is taken
    as it is.
    """
    cdef Blocks* b = &e.blocks
    cdef Neuron* s = neuron_at(e, n)
    cdef Followed* x
    cdef bint wrapped = g.currents == 0 and b.flag[n] == 0 and state_at(g, n)[<int>D] > MOST_D
    cdef double ahead
    cdef int i
    if not b.flag[n] & IS_FOLLOWED and take_up(e, g, n, max(now, g.begin), True) == NULL:
        return
    x = followed_at(b, n)
    s.t = x.t
    if x.held:
        s.release = x.release
    else:
        s.u = widened(x.u)
        if wrapped:
            s.u.high = -1
    for i in range(g.currents):
        numbers(g.k, s)[i] = widened(x.x[i])
    if drive_of(g, n).source != NULL:
        ahead = input_of(g, x, x.at).time if x.at < x.n else g.end
        e.tally.external_events -= x.n - x.at
        seek(e, g, s, ahead)
    s.outside = next_outside(e, s)
    s.bounded = UNKNOWN
    s.crossing = infinity()
    b.flag[n] = IS_APART
    clear(g, state_at(g, n))
    if x.first + x.n == g.n_inputs:
        g.n_inputs = x.first
    give_back(b, x)
    predict(e, s, e.state.time)
    # A bound may lie before the present time, but what has been taken from the queue is not looked at again.
    wake_set(&e.wakes, n, max(next_own(s), e.state.time))


cdef inline void seek(Core* e, const Group* g, Neuron* s, double t) noexcept nogil:
    """Bring a neuron's stream to the first spike from t on."""
    cdef Stream* stream = s.streams
    stream.cell = <int64_t>floor(g.begin / e.net.sources[stream.source].width)
    stream.in_cell = stream.n = stream.at = 0
    refill(e.net.sources, stream)
    while stream.first < t:
        stream_next(e.net.sources, stream)


cdef inline void leave_all(Core* e) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef Group* g
    cdef int64_t k
    cdef int32_t n
    for k in range(b.n_groups):
        g = &b.group[k]
        if g.k == NULL:
            continue
        for n in range(g.start, g.stop):
            if not b.flag[n] & IS_APART:
                leave(e, g, n, e.state.time)
        g.n_held = g.n_followed = g.n_inputs = 0


# ---- one event


cdef inline void fire_followed(Core* e, Group* g, Followed* x, double t) noexcept nogil:
    """A spike: it is held from now on, or, if it is released in the block, followed."""
    cdef Blocks* b = &e.blocks
    cdef const Class* k = own_class(e, x.neuron)
    cdef int32_t n = x.neuron
    cdef Neuron* s = neuron_at(e, n)
    cdef int64_t* state = state_at(g, n)
    cdef const double* c
    cdef Grown f
    cdef double part
    cdef int i
    s.v = max(k.c[V_RESET + 1], k.c[V_RESET + 2])
    s.release = t + k.c[T_REF]
    x.t, x.release, x.held = t, s.release, True
    if g.currents:
        grow_to(k, t, &f)
    for i in range(g.currents):
        # Out of its frame and back, as at every spike.
        c = k.c + current_at(i)
        part = ((<double>x.x[i] / f.x[i]) / k.c[PER_UNIT]) / c[COUPLING]
        x.x[i] = nearest(part * (c[COUPLING] * k.c[PER_UNIT] * f.x[i]))
    announce(e, n, t)
    # In a window that may be gone through again it stays where it is.
    if early(x.release) >= g.end and not (e.prompts.on and g.singly):
        while x.at < x.n:
            add_input(g, x)
        for i in range(g.currents):
            state[X + i] = sum_of(state[X + i], x.x[i])
        state[D] = HELD_D
        keep_held(b, g, n, x.release)
        give_back(b, x)
    elif not t < x.release:
        lift_followed(e, g, x)


cdef inline void add_input(const Group* g, Followed* x) noexcept nogil:
    """Add the next external spike; U means nothing while a neuron is held."""
    cdef const Input* input = input_of(g, x, x.at)
    x.u = sum_of(x.u, input.u)
    if g.currents:
        x.x[x.slot] = sum_of(x.x[x.slot], input.x)
    x.at += 1


cdef inline void add_inputs(const Group* g, Followed* x, double t) noexcept nogil:
    """Add the external spikes at t, which are the next."""
    while x.at < x.n and input_of(g, x, x.at).time == t:
        add_input(g, x)


cdef inline void add_while_held(const Group* g, Followed* x, double t) noexcept nogil:
    """The external spikes of a refractory neuron before t, up to one that ends it."""
    cdef double time
    while x.at < x.n:
        time = input_of(g, x, x.at).time
        if not time < t or not time < x.release:
            return
        if x.release - time <= time * RELEASE_SLACK:
            x.release = time
            return
        add_input(g, x)


cdef inline bint go_on(Core* e, Group* g, Followed* x, double t, bint upto) noexcept nogil:
    """Take a followed neuron through all that happens before t, or, if upto, a crossing at t as well. False if it is
    followed no more."""
    cdef int32_t n = x.neuron
    cdef double input, limit
    cdef Grown f
    cdef int i
    while not is_over(e, t):
        if x.held:
            add_while_held(g, x, t)
            if t < x.release or (t == x.release and not upto):
                return True
            lift_followed(e, g, x)
        input = input_of(g, x, x.at).time if x.at < x.n else infinity()
        limit = min(input, t)
        if crosses(e, g, x, limit) and (upto or x.next < t):
            fire_followed(e, g, x, x.next)
            if not e.blocks.flag[n] & IS_FOLLOWED:
                return False
            continue
        if not input < t:
            return True
        f.u = input_of(g, x, x.at).grown
        for i in range(g.currents):
            f.x[i] = input_of(g, x, x.at).x_grown[i]
        add_inputs(g, x, input)
        x.t = input
        if is_at_line(e, g, x, &f):
            fire_followed(e, g, x, input)
            if not e.blocks.flag[n] & IS_FOLLOWED:
                return False
        else:
            look_ahead(e, g, x, &f)
    return True


cdef inline bint take_arrived(Core* e, Group* g, Followed* x, double t) noexcept nogil:
    """Take a followed neuron to t, and add all that comes then; whether its threshold is to be tested."""
    cdef int64_t* state = state_at(g, x.neuron)
    cdef int64_t u = sum_of(state[U], BIAS) if g.currents else sum_of(state[D], -LISTED_D)
    cdef bint anything = u != 0
    cdef int i
    for i in range(g.currents):
        anything |= state[X + i] != -BIAS
    if t == x.t and not anything:
        clear(g, state)  # of weights of zero D knows more than it should
        return False
    if x.held and t < x.release and x.release - t <= t * RELEASE_SLACK:
        x.release = t
    if not go_on(e, g, x, t, True):
        return False
    for i in range(g.currents):
        x.x[i] = sum_of(x.x[i], sum_of(state[X + i], BIAS))
    clear(g, state)
    add_inputs(g, x, t)
    if x.held:
        return False
    x.u = sum_of(x.u, u)
    x.t = t
    return True


cdef inline bint is_out_of_range(const Group* g, int flag, const int64_t* f) noexcept nogil:
    """Whether a number of a neuron that is not followed has left its range.

    D of a calm neuron that falls below its range wraps around and becomes positive.
    """
    if g.currents:
        return f[U] & f[X] & f[X + 1] >= 0
    return flag == 0 and f[D] > MOST_D


cdef inline void visit(Core* e, Group* g, int32_t n, double t, const Grown* grown) noexcept nogil:
    """Look at a neuron at which something has arrived at t. grown: the growth of units at t."""
    cdef Blocks* b = &e.blocks
    cdef int64_t* f = state_at(g, n)
    cdef Followed* x
    if b.flag[n] & IS_APART:
        return
    if is_out_of_range(g, b.flag[n], f):
        leave(e, g, n, t)
        return
    if b.flag[n] & IS_HELD:
        f[D] = HELD_D
        return
    if b.flag[n] == 0 and f[D] < 0:
        return
    if b.flag[n] == 0:
        x = begin_followed(e, g, n, t, False)
        if x == NULL:
            return
    else:
        x = followed_at(b, n)
        if not take_arrived(e, g, x, t):
            return
    if is_at_line(e, g, x, grown):
        fire_followed(e, g, x, t)
        return
    if not fits(g, x):
        leave(e, g, n, t)
        return
    look_ahead(e, g, x, grown)


cdef inline void leave_at(Core* e, Group* g, int32_t n, double t) noexcept nogil:
    """Let a neuron be apart before an input at t that is too large for it; what else has come at t is in its state."""
    cdef Blocks* b = &e.blocks
    cdef Neuron* s = neuron_at(e, n)
    if b.flag[n] & IS_FOLLOWED:
        take_arrived(e, g, followed_at(b, n), t)
    if b.flag[n] & IS_APART:
        return
    leave(e, g, n, t)
    if not t < s.release:
        # Its threshold is tested when that input has been added too: it may already be above, and yet not spike.
        s.bounded, s.crossing = BOUNDED, infinity()


# ---- the end of a window


cdef inline void finish_window(Core* e, double stop) noexcept nogil:
    """Take all followed neurons to stop, and find the time at which something happens to one of them next."""
    cdef Blocks* b = &e.blocks
    cdef Group* g
    cdef Followed* x
    cdef int64_t k, i, kept
    cdef int32_t n
    cdef double own
    b.next = infinity()
    for k in range(b.n_groups):
        g = &b.group[k]
        kept = 0
        for i in range(g.n_followed):
            n = b.followed[g.start + i]
            if not b.flag[n] & IS_FOLLOWED:
                continue
            x = followed_at(b, n)
            if next_of(g, x) < stop and not (e.prompts.on and g.singly) and not go_on(e, g, x, stop, False):
                continue
            b.followed[g.start + kept] = n
            kept += 1
            own = next_of(g, x)
            if own < b.next:
                b.next = own
        g.n_followed = kept


cdef inline double next_of(const Group* g, const Followed* x) noexcept nogil:
    """Nothing happens to a followed neuron before this time unless something arrives."""
    cdef double own = x.release if x.held else x.next
    return min(own, input_of(g, x, x.at).time) if x.at < x.n else own
