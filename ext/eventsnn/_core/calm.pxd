# Calm neurons: how a network in which most neurons get input all the time is spared most looks at them.
#
# Time is cut into blocks, each of a group of neurons that have their constants in common. Of each neuron
#
#     D = U - the lowest line in the block          (without currents)
#     D >= U - sum_i X_i R_i - the lowest line      (with currents; R_i = E / E_i of any time until the block ends)
#
# is kept, where the line is the threshold in units of U, and more is subtracted than rounding may be. As long as D is
# negative after every addition, v stays below the threshold in the whole block, whatever the times of input are. Such a
# neuron is calm: it is no entry of any queue, its state lies with those of the others, and input is added to it row by
# row (scatter.pxd), with no other test than the sign of D. Its external input is added when the block begins. A neuron
# whose D becomes positive is alert from then on: the addition is taken back, its state is put into its record, and it
# goes the ordinary way until the block ends. So do all whose D is not negative at first, that are released from
# refractoriness in the block, are sampled or have a change of current ahead. A neuron that is refractory for the whole
# block is calm as well.
#
# Sums of integers are the same in any order, so no bit depends on any of this.

from libc.math cimport floor, nextafter
from libc.stdint cimport int32_t, int64_t

from eventsnn._core.blocks cimport ALERT_D, IS_ALERT, IS_HELD, STATE, Blocks, D, Group, U, X
from eventsnn._core.closed_form cimport NARROWEST
from eventsnn._core.core cimport Core, neuron_at
from eventsnn._core.events cimport next_outside, next_own, predict
from eventsnn._core.frames cimport numbers, sum_of, widened
from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.neuron cimport UNKNOWN, Class, Neuron
from eventsnn._core.queue cimport wake_set
from eventsnn._core.stream cimport Source, Stream, refill, stream_next


cdef inline int64_t* state_at(const Group* g, int32_t n) noexcept nogil:
    return g.state + (<int64_t>n * STATE if g.currents else n)


cdef inline int64_t low_of(const Blocks* b, const Group* g, int32_t n) noexcept nogil:
    """The lowest line of a calm neuron in the block."""
    return g.low if g.even else b.low[n]


cdef inline const Class* class_of(const Core* e, const Group* g, int32_t n) noexcept nogil:
    """That of a neuron itself, where they differ in more than what the group keeps of each."""
    return &e.classes[neuron_at(e, n).class_of] if g.varied else g.k


cdef inline int slot_of(const Group* g) noexcept nogil:
    """The current that external input goes to; -1 for v."""
    return g.k.model.target[g.source.port]


cdef inline bint is_included(const Group* g) noexcept nogil:
    """Whether the state of a neuron without currents has the external input of the block from its beginning; what
    lowers v must come later."""
    return g.source.weight > 0.0


cdef inline double width_of(const Blocks* b, const Group* g) noexcept nogil:
    """How long a block is, a power of two: it lies in one frame of each number and in one cell of external input."""
    cdef double width = min(b.width, g.k.c[NARROWEST])
    return min(width, g.source.width) if g.source != NULL else width


# ---- from calm to alert


cdef inline void alert(Core* e, const Group* g, int32_t n, double now) noexcept nogil:
    """Put a calm neuron's state into its record, as it is before `now` with all input up to then.

    When its last event was does not matter: it does not reach the threshold in the block without another."""
    cdef Blocks* b = &e.blocks
    cdef Neuron* s = neuron_at(e, n)
    cdef int64_t* f = state_at(g, n)
    cdef int64_t u = f[U] if g.currents else sum_of(f[D], low_of(b, g, n))
    cdef int i
    for i in range(g.currents):
        numbers(g.k, s)[i] = widened(f[X + i])
    if g.source != NULL:
        if g.currents or is_included(g):
            u = sum_of(u, -b.pending[n].u)
        if g.currents:
            numbers(g.k, s)[slot_of(g)] = widened(sum_of(f[X + slot_of(g)], -b.pending[n].x))
        b.pending[n].u = b.pending[n].x = b.pending[n].n = 0
    if not b.flag[n] & IS_HELD:
        s.u = widened(u)
    if g.source != NULL:
        take_block(e, g, s, now)
    # In the frames of the block, which `now` may be the end of, or not yet have come to.
    s.t = min(max(now, g.begin), nextafter(g.end, 0.0))
    s.outside = next_outside(e, s)
    s.bounded = UNKNOWN
    s.crossing = infinity()
    b.flag[n] = IS_ALERT
    f[D] = ALERT_D


cdef inline void take_block(Core* e, const Group* g, Neuron* s, double now) noexcept nogil:
    """Bring a neuron's stream to the first spike from `now` on, and what comes before in the block to its state."""
    cdef const Source* d = g.source
    cdef Stream* stream = s.streams
    cdef double total[STATE]
    total[0] = total[1] = total[2] = 0.0
    stream.cell = <int64_t>floor(g.begin / d.width)
    stream.in_cell = stream.n = stream.at = 0
    refill(e.sources, stream)
    while stream.first < g.begin:
        stream_next(e.sources, stream)
    while stream.first < now:
        s.t = stream.first
        e.external_events += 1
        if g.currents > 0 or not s.t < s.release:
            g.k.model.take(g.k, s, d.port, d.weight, total)
        stream_next(e.sources, stream)


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
                if not b.flag[n] & IS_ALERT:
                    alert(e, &b.group[k], n, e.time)
                    wake(e, n)
