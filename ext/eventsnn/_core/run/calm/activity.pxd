# review: decides whether there are calm neurons and how long blocks are, by what happened in the last few milliseconds.
#
# A block costs a look at every neuron of its group when it begins, too much where hardly anything happens. With longer
# blocks there are fewer looks, but more neurons that may spike and are taken one by one. There are calm neurons while
# they cost less than taking each event by itself. All lanes decide from the same sums, and so alike.

from libc.math cimport ceil
from libc.stdint cimport int32_t, int64_t

from eventsnn._core.run.calm.blocks cimport ALWAYS_CALM, IS_APART, NEVER_CALM, Activity, Blocks, Group
from eventsnn._core.run.calm.calm cimport state_at, width_of
from eventsnn._core.run.core cimport Core
from eventsnn._core.run.calm.follow cimport clear, leave_all
from eventsnn._core.base.mathfunc cimport infinity

cdef extern from *:
    """
    #define EVENTSNN_BETWEEN_REVIEWS 2.0
    #define EVENTSNN_WORTH_IT 0.5
    #define EVENTSNN_WIDEST_BLOCK 32.0
    #define EVENTSNN_NARROWEST_BLOCK 0.015625
    #define EVENTSNN_FIRST_BLOCK 0.125
    """
    const double BETWEEN_REVIEWS "EVENTSNN_BETWEEN_REVIEWS"     # ms
    # Calm neurons begin if looks would cost less than this part of what events cost one by one.
    const double WORTH_IT "EVENTSNN_WORTH_IT"
    const double WIDEST_BLOCK "EVENTSNN_WIDEST_BLOCK"           # ms
    const double NARROWEST_BLOCK "EVENTSNN_NARROWEST_BLOCK"
    const double FIRST_BLOCK "EVENTSNN_FIRST_BLOCK"

cdef enum:
    BLOCKS_TO_REVIEW = 4
    # Costs in ns: benchmarks/speed_floor.py.
    COST_OF_UPDATE = 150
    COST_OF_ARRIVAL = 25
    COST_OF_LOOK = 1
    COST_OF_VARIED = 6
    COST_WITH_CURRENTS = 2


cdef inline bint is_late(const Core* e, double t) noexcept nogil:
    """Whether t is so large that the windows are no longer exact, and what arrives promptly may reach any neuron."""
    return not t < e.state.rows.wheel.instants


cdef inline void turn_on(Core* e) noexcept nogil:
    """From the next blocks on there may be calm neurons."""
    cdef Blocks* b = &e.blocks
    cdef const Group* g
    cdef int64_t k
    cdef int32_t n
    for k in range(b.n_groups):
        g = &b.group[k]
        b.group[k].n_held = b.group[k].n_followed = 0
        for n in range(g.start, g.stop):
            b.flag[n] = IS_APART
            if g.k != NULL:
                clear(g, state_at(g, n))
    b.on = True
    expect_blocks(e)


cdef inline void expect_blocks(Core* e) noexcept nogil:
    """Let the next blocks begin at the next multiple of their width."""
    cdef Blocks* b = &e.blocks
    cdef Group* g
    cdef double width
    cdef int64_t k
    b.end = b.next = infinity()
    for k in range(b.n_groups):
        g = &b.group[k]
        if g.k != NULL:
            g.taken, g.even = False, not g.varied
            width = width_of(g, b.width)
            g.begin = g.end = ceil(e.state.time / width) * width
            b.end = min(b.end, g.end)


cdef inline void turn_off(Core* e) noexcept nogil:
    if e.blocks.on:
        leave_all(e)
        e.blocks.on = False
        e.blocks.end = e.blocks.next = infinity()


cdef inline void interrupt(Core* e) noexcept nogil:
    """Have every neuron's state in its record; blocks begin anew with the next ones."""
    if e.blocks.on:
        leave_all(e)
        expect_blocks(e)


cdef inline bint review(Core* e, const Activity* now, double time) noexcept nogil:
    """Decide anew, from what all lanes have done so far; whether neurons have become calm or apart, so that other
    things come first."""
    cdef Blocks* b = &e.blocks
    cdef double elapsed = time - b.reviewed
    cdef double each, apart, singly, together
    if b.mode == NEVER_CALM or now.least_looking == 0.0 or is_late(e, time):
        return False
    if b.mode == ALWAYS_CALM:
        if b.on:
            return False
        turn_on(e)
        return True
    if elapsed < BETWEEN_REVIEWS or (b.on and elapsed < BLOCKS_TO_REVIEW * b.width):
        return False
    each = COST_OF_UPDATE * <double>(now.events - b.then.events)
    apart = COST_OF_UPDATE * <double>(now.updates - b.then.updates)
    singly = COST_OF_UPDATE * <double>(now.follows - b.then.follows) \
        + COST_OF_ARRIVAL * <double>(now.arrivals - b.then.arrivals)
    together = <double>(now.looking - b.then.looking)
    b.reviewed = time
    b.then = now[0]
    if b.fresh:
        b.fresh = False
        return False
    if not b.on:
        if now.least_looking * elapsed > WORTH_IT * each:
            return False
        b.width = FIRST_BLOCK
        while b.width < WIDEST_BLOCK and now.least_looking * elapsed * WIDEST_BLOCK > b.width * WORTH_IT * each:
            b.width = 2.0 * b.width
        turn_on(e)
        b.reviewed, b.fresh = ceil(time / b.width) * b.width, True
        return True
    if apart + singly + together > each:
        turn_off(e)
        # To begin and to end costs as much as many blocks.
        b.patience = max(2.0 * b.patience, BETWEEN_REVIEWS)
        b.reviewed, b.fresh = time + b.patience, True
        return True
    if singly > 2.0 * together:
        b.width = max(0.5 * b.width, NARROWEST_BLOCK)
    elif together > 2.0 * singly:
        b.width = min(2.0 * b.width, WIDEST_BLOCK)
    return False
