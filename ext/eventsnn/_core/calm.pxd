# Calm neurons: how a network in which most neurons get input all the time is spared most looks at them.
#
# Time is cut into blocks, each of a group of neurons that have their constants in common. When a block begins, every
# neuron of the group is asked how much weight may arrive in the block so that it surely does not spike, whatever the
# times of arrival: its room, from an upper bound of v with all external input of the block, which is drawn at once. One
# that has room is calm: it is no entry of any queue, its state lies with those of the others, and input is added to it
# row by row (scatter.pxd), without any test. Each positive input takes away from the room before it is added. A neuron
# whose room is used up is alert from then on: its state is put back into its record, as it was before that input, and
# it goes the ordinary way until the block ends. So do all that have no room at first, are
# released from refractoriness in the block, are sampled or have a change of current ahead. A neuron that is refractory
# for the whole block is calm as well.
#
# Nothing is left out and the order of additions to each half of the state stays, so no bit depends on any of this.

from libc.math cimport floor, nextafter
from libc.stdint cimport int32_t, int64_t, uint8_t

from eventsnn._core.blocks cimport ALERT, HELD, LAST, LATE, STATE, U, X, Aside, Blocks, Group
from eventsnn._core.closed_form cimport WIDTH
from eventsnn._core.core cimport Core, neuron_at
from eventsnn._core.events cimport next_outside, next_own, predict
from eventsnn._core.frames cimport EXTERNAL, add, move, shift
from eventsnn._core.mathfunc cimport infinity, not_a_number
from eventsnn._core.neuron cimport MOST_CURRENTS, UNKNOWN, Class, Neuron, variables
from eventsnn._core.queue cimport wake_set
from eventsnn._core.stream cimport Source, Stream, refill, stream_next


cdef inline double* state_at(const Group* g, int32_t n) noexcept nogil:
    return g.state + (<int64_t>n * STATE if g.currents else n)


cdef inline const Class* class_of(const Core* e, const Group* g, int32_t n) noexcept nogil:
    """That of a neuron itself, where they differ in more than what the group keeps of each."""
    return &e.classes[neuron_at(e, n).class_of] if g.varied else g.k


cdef inline int slot_of(const Group* g) noexcept nogil:
    """The current that external input goes to; -1 for v."""
    return g.k.model.target[g.source.port]


cdef inline double width_of(const Blocks* b, const Group* g) noexcept nogil:
    """How long a block is, a power of two: it lies in one frame, and in one cell of the external input."""
    cdef double width = min(b.width, g.k.c[WIDTH])
    return min(width, g.source.width) if g.source != NULL else width


# ---- from calm to alert


cdef inline void alert(Core* e, const Group* g, int32_t n, double now) noexcept nogil:
    """Put a calm neuron's state into its record, as it is before `now` with all input up to then."""
    cdef Blocks* b = &e.blocks
    cdef Neuron* s = neuron_at(e, n)
    cdef Aside* a = &b.aside[n]
    cdef const double* f = state_at(g, n)
    cdef double* x = variables(g.k, s)
    cdef int currents = g.currents
    cdef bint held = b.flag[n] & HELD
    cdef int i
    if currents > 0 or not held:
        s.origin = a.frame if b.flag[n] & LATE else g.origin
        # Without currents the time of the last event has no part in anything: a later one in its frame will do.
        s.t = max(f[LAST], s.origin) if currents > 0 else min(now, nextafter(s.origin + g.k.c[WIDTH], 0.0))
    if not held:
        s.v, s.external = f[U], a.external if g.source != NULL else 0.0
    for i in range(currents):
        x[i], x[currents + i] = f[X + i], 0.0
    if g.source != NULL:
        if currents > 0:
            x[currents + slot_of(g)] = a.z
        take_block(e, g, s, now)
    s.outside = next_outside(e, s)
    s.bounded = UNKNOWN
    s.crossing = infinity()
    b.flag[n] = ALERT
    b.room[n] = <float>not_a_number()


cdef inline void take_block(Core* e, const Group* g, Neuron* s, double now) noexcept nogil:
    """Bring a neuron's stream to the first spike from `now` on, and what comes before in the block to its state."""
    cdef const Source* d = g.source
    cdef Stream* stream = s.streams
    cdef double last = s.t
    cdef double sum, t
    stream.cell = <int64_t>floor(g.begin / d.width)
    stream.in_cell = stream.n = stream.at = 0
    refill(e.sources, stream)
    while stream.first < g.begin:
        stream_next(e.sources, stream)
    while stream.first < now:
        t = stream.first
        sum = 0.0
        while stream.first == t:
            sum = sum + d.weight
            e.external_events += 1
            stream_next(e.sources, stream)
        if g.currents > 0 or not t < s.release:
            move(g.k, s, t)
            add(g.k, s, d.port, sum, EXTERNAL)
            last = t if t > last else last
            s.t = last


cdef inline void wake(Core* e, int32_t n) noexcept nogil:
    predict(e, neuron_at(e, n))
    # A bound may lie before the present time, but what has been taken from the queue is not looked at again.
    wake_set(&e.wakes, n, max(next_own(neuron_at(e, n)), e.time))


cdef inline void alert_all(Core* e) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef int64_t k
    cdef int32_t n
    for k in range(b.n_groups):
        if b.group[k].k != NULL:
            for n in range(b.group[k].start, b.group[k].stop):
                if not b.flag[n] & ALERT:
                    alert(e, &b.group[k], n, e.time)
                    wake(e, n)


# ---- from frame to frame


cdef inline void catch_up(Core* e, const Group* g, int32_t n) noexcept nogil:
    """Move the state of a neuron that is late to the frame of the block, in which its next event lies."""
    cdef Blocks* b = &e.blocks
    cdef Aside* a = &b.aside[n]
    cdef double* f = state_at(g, n)
    cdef double z[MOST_CURRENTS]
    cdef double external = 0.0
    cdef int slot = 0
    z[0] = z[1] = 0.0
    if g.source != NULL:
        external = a.external
        if g.currents > 0:
            slot = slot_of(g)
            z[slot] = a.z
    shift(class_of(e, g, n), g.origin - a.frame, b.flag[n] & HELD, &f[U], &external, f + X, z, g.currents)
    if g.source != NULL:
        a.external, a.z = external, z[slot]
    b.flag[n] &= <uint8_t>~LATE
    b.room[n] = b.late_room[n]
