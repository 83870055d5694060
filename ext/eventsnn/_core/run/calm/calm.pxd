# Calm neurons: in a network in which most neurons get input all the time, most inputs are one addition and no more.
#
# The neurons of a group have the same constants. For each group time is cut into blocks. For each neuron the number
#
#     D = U - the lowest line in the block          (without currents)
#     D >= U - sum_i X_i R_i - the lowest line      (with currents; R_i = E / E_i at any time until the block ends)
#
# is kept. The line is the threshold in units of U; the lowest line lies lower by more than rounding may be. As long as
# D is negative after each time at which something arrives, v stays below the threshold in the whole block, whatever the
# times of input are. A neuron goes one of four ways:
#
# - Calm: its D is negative. It is in no queue, its state lies side by side with those of its group, and input is added
#   row by row (scatter.pxd), with no test but the sign of D. Its external input is added when the block begins
#   (begin.pxd).
# - Held: it is refractory for the whole block. It costs as little.
# - Followed: its D was not negative when the block began or when something arrived. Until the block ends it is taken
#   from event to event, with each external input at its time (follow.pxd). Few are.
# - Apart: it is sampled, or has a change of current ahead, or numbers or inputs so large that a few more would not fit.
#   Its state is in its record, and it goes the ordinary way.
#
# Sums of integers are the same in any order, so no bit depends on any of this.

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t, uint32_t

from eventsnn._core.run.calm.blocks cimport STATE, Blocks, Drive, Group, Grown
from eventsnn._core.solve.closed_form cimport NARROWEST
from eventsnn._core.run.core cimport Core, neuron_at
from eventsnn._core.run.calm.external cimport PARTS
from eventsnn._core.solve.frames cimport current_grown, is_narrow, membrane_grown
from eventsnn._core.solve.neuron cimport Class, Wide
from eventsnn._core.draw.philox cimport poisson_cell
from eventsnn._core.draw.stream cimport Source

cdef extern from *:
    """
    #define EVENTSNN_MOST_U ((int64_t)1 << 60)
    #define EVENTSNN_MOST_D ((int64_t)1 << 61)
    """
    # Neurons with larger numbers are apart.
    const int64_t MOST_U "EVENTSNN_MOST_U"
    # What arrives at one time never raises D of a calm neuron above this.
    const int64_t MOST_D "EVENTSNN_MOST_D"


cdef inline int64_t* state_at(const Group* g, int32_t n) noexcept nogil:
    return g.state + (<int64_t>n * STATE if g.currents else n)


cdef inline int64_t low_of(const Blocks* b, const Group* g, int32_t n) noexcept nogil:
    """The lowest line of a calm neuron in the block."""
    return g.low if g.even else b.low[n]


cdef inline double gap_of(const Blocks* b, const Group* g, int32_t n) noexcept nogil:
    return g.gap if g.even else b.gap[n]


cdef inline const Class* class_of(const Core* e, const Group* g, int32_t n) noexcept nogil:
    """The class of a neuron in a varied group; else that of the group, which has the same constants for input."""
    if g.varied:
        return &e.net.classes[neuron_at(e, n).class_of]
    return g.k


cdef inline const Class* own_class(const Core* e, int32_t n) noexcept nogil:
    """The class of the neuron itself, with threshold, reset and refractoriness, in which neurons of a group differ."""
    return &e.net.classes[neuron_at(e, n).class_of]


cdef inline Drive* drive_of(const Group* g, int32_t n) noexcept nogil:
    """The drive of a neuron: the range of neurons of its group whose external input has the same source."""
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
    """The width of a block, a power of two.

    A block lies in one frame of each number and in one cell of external input. The shortest cell has no more blocks
    than are drawn together.
    """
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
