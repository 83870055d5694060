# Calm neurons: how a network in which most neurons get input all the time is spared most looks at them.
#
# Time is cut into blocks, each of a group of neurons that have their constants in common. Of each neuron
#
#     D = U - the lowest line in the block          (without currents)
#     D >= U - sum_i X_i R_i - the lowest line      (with currents; R_i = E / E_i of any time until the block ends)
#
# is kept, where the line is the threshold in units of U, and more is subtracted than rounding may be. As long as D is
# negative after all that arrives at a time, v stays below the threshold in the whole block, whatever the times of input
# are. Such a neuron is calm: it is no entry of any queue, its state lies with those of the others, and input is added
# to it row by row (scatter.pxd), with no other test than the sign of D. Its external input is added when the block
# begins (begin.pxd). One that is refractory for the whole block is held, and takes as little.
#
# A neuron whose D is not negative, when a block begins or when something arrives, is followed until the block ends:
# from event to event, with its external input at the times at which it comes (follow.pxd). Few are.
#
# All others are apart: those that are sampled, or have a change of current ahead, or numbers or inputs so large that
# a few more would not fit. Their state is in their record, and they go the ordinary way.
#
# Sums of integers are the same in any order, so no bit depends on any of this.

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t, uint32_t

from eventsnn._core.blocks cimport STATE, Blocks, Drive, Group, Grown
from eventsnn._core.closed_form cimport NARROWEST
from eventsnn._core.core cimport Core, neuron_at
from eventsnn._core.external cimport PARTS
from eventsnn._core.frames cimport current_grown, is_narrow, membrane_grown
from eventsnn._core.neuron cimport Class, Wide
from eventsnn._core.philox cimport poisson_cell
from eventsnn._core.stream cimport Source

cdef extern from *:
    """
    #define EVENTSNN_MOST_U ((int64_t)1 << 60)
    #define EVENTSNN_MOST_D ((int64_t)1 << 61)
    """
    # Larger numbers are left to the ordinary way.
    const int64_t MOST_U "EVENTSNN_MOST_U"
    # D of a calm neuron does not come to more by what arrives at one time.
    const int64_t MOST_D "EVENTSNN_MOST_D"


cdef inline int64_t* state_at(const Group* g, int32_t n) noexcept nogil:
    return g.state + (<int64_t>n * STATE if g.currents else n)


cdef inline int64_t low_of(const Blocks* b, const Group* g, int32_t n) noexcept nogil:
    """The lowest line of a calm neuron in the block."""
    return g.low if g.even else b.low[n]


cdef inline double gap_of(const Blocks* b, const Group* g, int32_t n) noexcept nogil:
    return g.gap if g.even else b.gap[n]


cdef inline const Class* class_of(const Core* e, const Group* g, int32_t n) noexcept nogil:
    """That of a neuron itself, where they differ in more than what the group keeps of each."""
    if g.varied:
        return &e.net.classes[neuron_at(e, n).class_of]
    return g.k


cdef inline const Class* own_class(const Core* e, int32_t n) noexcept nogil:
    """With what those of a group need not have in common: threshold, reset, refractoriness."""
    return &e.net.classes[neuron_at(e, n).class_of]


cdef inline Drive* drive_of(const Group* g, int32_t n) noexcept nogil:
    """What the external input of a neuron comes from."""
    cdef int low = 0
    cdef int high = g.n_drives - 1
    cdef int middle
    while low < high:
        middle = (low + high) >> 1
        if n < g.drive[middle].stop:
            high = middle
        else:
            low = middle + 1
    return &g.drive[low]


cdef inline int draw_cell_of(const Group* g, const Drive* drive, int32_t n, double* times) noexcept nogil:
    """The external spikes of a neuron in the cell that the block lies in; returns how many."""
    cdef const Source* d = drive.source
    cdef double cell = floor(g.begin / d.width)
    return poisson_cell(
        d.key, drive.index + <uint32_t>n, <int64_t>cell, d.mean, d.exp_minus_mean, d.least, cell * d.width, d.width, 0,
        times,
    )


cdef inline double width_of(const Group* g, double wanted) noexcept nogil:
    """How long a block is, a power of two: it lies in one frame of each number and in one cell of external input; the
    shortest cell has no more blocks than are drawn together."""
    cdef double width = wanted
    if g.cell > 0.0:
        width = min(max(width, g.cell / PARTS), g.cell)
    return min(width, g.k.c[NARROWEST])


cdef inline void grow_to(const Class* k, double t, Grown* f) noexcept nogil:
    cdef int i
    f.time = t
    f.u = membrane_grown(k, t)
    for i in range(k.model.n_currents):
        f.x[i] = current_grown(k, i, t)


cdef inline bint is_small(int64_t value) noexcept nogil:
    return -MOST_U < value < MOST_U


cdef inline bint is_small_wide(Wide value) noexcept nogil:
    return is_narrow(value) and is_small(<int64_t>value.low)
