# Whether a followed neuron reaches its threshold, and when (follow.pxd).
#
# A crossing is looked for only where `next` does not exclude it. Without currents that is the crossing itself, if there
# is one in the block; with currents the first zero of a parabola above the distance from the threshold.

from libc.math cimport fabs, sqrt
from libc.stdint cimport int8_t

from eventsnn._core.run.calm.blocks cimport Blocks, Followed, Group, Grown
from eventsnn._core.run.calm.calm cimport class_of, gap_of, grow_to, is_small, own_class
from eventsnn._core.solve.closed_form cimport PER_UNIT, RATE, RATE_M, TAU_M, current_at
from eventsnn._core.run.core cimport Core, neuron_at
from eventsnn._core.solve.frames cimport SLACK, nearest, numbers, widened
from eventsnn._core.base.mathfunc cimport infinity, log
from eventsnn._core.solve.neuron cimport FOUND, Class, Neuron

cdef extern from *:
    """
    #define EVENTSNN_ROUNDED 1e-9
    #define EVENTSNN_SOONER 0.999999999
    """
    # More than all rounding of a distance from the threshold, as a part of its terms. A factor for the time to a
    # crossing, so that the crossing surely comes later.
    const double ROUNDED "EVENTSNN_ROUNDED"
    const double SOONER "EVENTSNN_SOONER"


cdef inline bint fits(const Group* g, const Followed* x) noexcept nogil:
    """Whether the numbers of a neuron leave room for more."""
    cdef bint small = x.held or is_small(x.u)
    cdef int i
    for i in range(g.currents):
        small &= is_small(x.x[i])
    return small


cdef inline void look_ahead(Core* e, const Group* g, Followed* x, const Grown* f) noexcept nogil:
    """When the next crossing may come, if nothing else happens, from a state that is below the threshold."""
    cdef Blocks* b = &e.blocks
    cdef const Class* k = class_of(e, g, x.neuron)
    cdef double gap = gap_of(b, g, x.neuron) * k.c[PER_UNIT]
    cdef double rate = k.c[RATE_M]
    cdef double line = gap * f.u
    cdef double distance, size, slope, bend, ratio, part, steeper
    cdef int i
    if g.currents == 0:
        x.next = infinity()
        if gap < 0.0 and <double>x.u >= gap * (b.ends[x.neuron] if g.varied else g.at_end.u) * (1.0 + ROUNDED):
            x.next = g.origin
            if <double>x.u < gap:
                x.next = g.origin + k.c[TAU_M] * log(<double>x.u / gap)
            x.next = max(x.next, x.t)
        return
    distance = <double>x.u - line
    size = fabs(<double>x.u) + fabs(line)
    slope = -line * rate
    bend = max(0.0, -gap) * g.at_end.u * (rate * rate)
    for i in range(g.currents):
        ratio = f.u / f.x[i]
        part = <double>x.x[i] * ratio
        steeper = k.c[current_at(i) + RATE] - rate
        distance -= part
        size += fabs(part)
        slope += steeper * part
        if x.x[i] < 0:
            bend -= (steeper * steeper) * (<double>x.x[i] * max(ratio, g.rise.at_end[i]))
    distance += ROUNDED * size
    if distance >= 0.0:
        x.next = x.t
        return
    slope += sqrt(slope * slope - 2.0 * bend * distance)
    x.next = x.t + SOONER * (-2.0 * distance / slope) if slope > 0.0 else infinity()


cdef inline double with_currents(
    const Group* g, const Class* k, const Followed* x, const Grown* f, double v
) noexcept nogil:
    """What U stands for at v (mV), the currents' part in it included."""
    cdef int i
    for i in range(g.currents):
        v = v + (<double>x.x[i] / f.x[i]) / k.c[PER_UNIT]
    return (v * k.c[PER_UNIT]) * f.u


cdef inline bint is_at_line(Core* e, const Group* g, const Followed* x, const Grown* f) noexcept nogil:
    """What `reached` of frames.pxd says."""
    cdef const Class* k = class_of(e, g, x.neuron)
    return <double>x.u >= with_currents(g, k, x, f, gap_of(&e.blocks, g, x.neuron)) - SLACK


cdef inline bint crosses(Core* e, const Group* g, Followed* x, double t) noexcept nogil:
    """Whether v reaches the threshold by t, and when: `next`; else that is a time before which it does not."""
    cdef const Class* k
    cdef Neuron* s
    cdef int8_t certainty
    cdef int i
    if x.next > t:
        return False
    if g.currents == 0:
        return True
    k = own_class(e, x.neuron)
    s = e.scratch
    s.t, s.drive, s.slope, s.n_sines, s.framed, s.release = x.t, neuron_at(e, x.neuron).drive, 0.0, 0, True, x.t
    s.u = widened(x.u)
    for i in range(g.currents):
        numbers(k, s)[i] = widened(x.x[i])
    while x.next <= t:
        x.next = k.model.crossing(k, s, x.next, &certainty)
        if certainty == FOUND:
            return x.next <= t
    return False


cdef inline void lift_followed(Core* e, const Group* g, Followed* x) noexcept nogil:
    """End refractoriness."""
    cdef const Class* k = class_of(e, g, x.neuron)
    cdef Neuron* s = neuron_at(e, x.neuron)
    cdef Grown f
    x.t = s.release = x.release
    x.held = False
    grow_to(k, x.t, &f)
    x.u = nearest(with_currents(g, k, x, &f, s.v - s.drive))
    look_ahead(e, g, x, &f)
