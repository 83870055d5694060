# verify: checks that the schedule is sound between two windows. Debug builds do so after every window, tests when they
# like.

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t, uint8_t

from eventsnn._core.run.calm.blocks cimport (
    BIAS,
    IS_APART,
    IS_FOLLOWED,
    IS_HELD,
    LISTED_D,
    Blocks,
    D,
    Followed,
    Group,
    U,
    X,
)
from eventsnn._core.run.calm.calm cimport state_at
from eventsnn._core.solve.closed_form cimport WIDTH, WIDTH_M, current_at
from eventsnn._core.run.core cimport RUNNING, Core, neuron_at
from eventsnn._core.run.events cimport next_own
from eventsnn._core.run.calm.follow cimport input_of, next_of
from eventsnn._core.run.lanes cimport is_mine
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.run.queue cimport LEVELS, NEVER, SLOTS, wheel_key

cdef extern from *:
    """
    #ifdef EVENTSNN_DEBUG
    #define EVENTSNN_VERIFIES 1
    #else
    #define EVENTSNN_VERIFIES 0
    #endif
    """
    const bint VERIFIES "EVENTSNN_VERIFIES"

cdef enum Broken:
    # What may be wrong; Flaw in eventsnn/run/outcome.py says it.
    SOUND = 0
    WRONG_FLAG = 1
    WRONG_LINE = 2
    WRONG_WAKE = 3
    WRONG_HELD = 4
    WRONG_FOLLOWED = 5
    WRONG_POOL = 6
    WRONG_BLOCK = 7
    WRONG_ROW = 8


cdef inline int verify_block(const Blocks* b, const Group* g, double time) noexcept nogil:
    cdef double width = g.end - g.begin
    cdef const double* c = g.k.c
    cdef int i
    if not width > 0.0 or floor(g.begin / width) * width != g.begin or not b.end <= g.end or time > g.end:
        return WRONG_BLOCK
    if g.origin > g.begin or g.end > g.origin + c[WIDTH_M]:
        return WRONG_BLOCK
    for i in range(g.currents):
        if g.x_origin[i] > g.begin or g.end > g.x_origin[i] + c[current_at(i) + WIDTH]:
            return WRONG_BLOCK
    return SOUND


cdef inline int verify_followed(const Blocks* b, const Group* g, int32_t n, double time) noexcept nogil:
    cdef const Followed* x = &b.pool[b.place[n]]
    cdef const int64_t* f = state_at(g, n)
    cdef int i
    if x.neuron != n or f[D] != LISTED_D or next_of(g, x) < time or x.t > g.end:
        return WRONG_FOLLOWED
    for i in range(1 + g.currents if g.currents else 0):
        if f[U + i] != -BIAS:
            return WRONG_FOLLOWED
    for i in range(x.at, x.n):
        if not input_of(g, x, i).time < g.end or (i > x.at and input_of(g, x, i).time < input_of(g, x, i - 1).time):
            return WRONG_FOLLOWED
    return SOUND


cdef inline int verify_neuron(const Core* e, const Group* g, int32_t n) noexcept nogil:
    cdef const Blocks* b = &e.blocks
    cdef const int64_t* f = state_at(g, n)
    cdef uint8_t flag = b.flag[n]
    if flag != 0 and flag != IS_APART and flag != IS_HELD and flag != IS_FOLLOWED:
        return WRONG_FLAG
    if flag != IS_APART and e.wakes.link[n].key != NEVER:
        return WRONG_WAKE
    if flag == 0 and not f[D] < 0:
        return WRONG_LINE
    if flag == 0 and g.currents > 0 and not f[U] & f[X] & f[X + 1] < 0:
        return WRONG_LINE
    if flag == IS_HELD and (not f[D] < 0 or not b.release[n] > g.begin):
        return WRONG_HELD
    if flag == IS_FOLLOWED:
        return verify_followed(b, g, n, e.state.time)
    return SOUND


cdef inline int verify_lists(const Blocks* b, const Group* g, int64_t* followed) noexcept nogil:
    """Check that each held or followed neuron stands in its list once."""
    cdef int64_t held = 0
    cdef int64_t listed = 0
    cdef int64_t i
    cdef int32_t n
    followed[0] = 0
    for n in range(g.start, g.stop):
        held += b.flag[n] == IS_HELD
        followed[0] += b.flag[n] == IS_FOLLOWED
    for i in range(g.n_held):
        listed += b.flag[b.held[g.start + i]] == IS_HELD
    if listed != held:
        return WRONG_HELD
    listed = 0
    for i in range(g.n_followed):
        listed += b.flag[b.followed[g.start + i]] == IS_FOLLOWED
    return SOUND if listed == followed[0] else WRONG_FOLLOWED


cdef inline int verify_blocks(const Core* e, int32_t* neuron) noexcept nogil:
    cdef const Blocks* b = &e.blocks
    cdef const Group* g
    cdef int64_t followed
    cdef int64_t used = 0
    cdef int64_t k
    cdef int32_t n, at
    cdef int broken
    for k in range(b.n_groups):
        g = &b.group[k]
        if g.k == NULL or not g.end > g.begin:
            continue
        neuron[0] = g.start
        broken = verify_block(b, g, e.state.time)
        if not broken:
            broken = verify_lists(b, g, &followed)
        if broken:
            return broken
        used += followed
        for n in range(g.start, g.stop):
            neuron[0] = n
            broken = verify_neuron(e, g, n)
            if broken:
                return broken
    at = b.free
    while at >= 0 and used <= b.pool_room:
        used += 1
        at = b.pool[at].free
    neuron[0] = -1
    return SOUND if used == b.pool_room else WRONG_POOL


cdef inline int verify_wakes(const Core* e, int32_t* neuron) noexcept nogil:
    """Check that each neuron with an event of its own ahead is in the queue, at that time or before."""
    cdef int32_t n
    cdef int64_t latest
    cdef double own
    for n in range(<int32_t>e.net.n):
        if not is_mine(e, n):
            continue
        if e.blocks.on and e.blocks.group[group_of(e, n)].k != NULL and e.blocks.flag[n] != IS_APART:
            continue
        own = next_own(neuron_at(e, n))
        neuron[0] = n
        # A bound may lie before the present time; nothing does happen there.
        latest = max(wheel_key(&e.wakes, max(own, e.state.time)), e.wakes.now)
        if own < infinity() and not e.wakes.link[n].key <= latest:
            return WRONG_WAKE
    return SOUND


cdef inline int64_t group_of(const Core* e, int32_t n) noexcept nogil:
    """The group of a neuron of the lane; groups stand in the order of their neurons, empty ones behind."""
    cdef int64_t k = 0
    while not e.blocks.group[k].start <= n < e.blocks.group[k].stop:
        k += 1
    return k


cdef inline int verify_rows(const Core* e, int32_t* neuron) noexcept nogil:
    """Check that no spike under way should have arrived already."""
    cdef int64_t slot
    cdef int32_t at
    for slot in range(LEVELS * SLOTS if e.state.rows.row != NULL else 0):
        at = e.state.rows.wheel.first[slot]
        while at >= 0:
            neuron[0] = -1
            if e.state.rows.row[at].time < e.state.time:
                return WRONG_ROW
            at = e.state.rows.wheel.link[at].next
    return SOUND


cdef inline int verify(const Core* e, int32_t* neuron) noexcept nogil:
    """What is wrong in a lane, and at which neuron, -1 if at none."""
    cdef int broken = verify_rows(e, neuron) if e.tally.status == RUNNING else SOUND
    if not broken and e.tally.status == RUNNING:
        broken = verify_wakes(e, neuron)
    if not broken and e.tally.status == RUNNING and e.blocks.on:
        broken = verify_blocks(e, neuron)
    return broken
