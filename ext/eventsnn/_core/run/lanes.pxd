# Lanes: how threads share a network.
#
# A lane is a Core, run by one thread. It has ranges of neurons that are expected to cost as much as those of any other
# lane (eventsnn/compile/lanes.py). With one thread there is one lane, of all neurons. Inside a window neurons do not
# depend on each other, so a lane takes its own through it alone. The queue of rows is the same in all lanes: each lane
# files every spike, and lists only the arrivals at its own neurons.
#
# Before every window the lanes meet: each says what it has fired and from when on it has something to do, and waits for
# the others; then all know the same. Nothing else passes between them but prompt arrivals (prompt.pxd), and no lock is
# taken. In no lane does anything depend on which neurons it has, so their distribution changes no bit.
#
# A lane that has met the others writes its next message while some may still read the last one, so there are two of
# them; it cannot begin a third before all have come to the next meeting, and thus have read the first.

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free

from eventsnn._core.run.calm.blocks cimport Activity
from eventsnn._core.run.core cimport RUNNING, Core, Fired, Message, Projection, Range, barrier_wait, prefetch, seconds
from eventsnn._core.run.events cimport send
from eventsnn._core.solve.neuron cimport Slice, target_of, targets_from
from eventsnn._core.run.queue cimport wheel_first
from eventsnn._core.run.synapses cimport give_up_rows


cdef enum:
    NARROW = 65535    # the largest target of 16 bits
    NEARBY = 32       # targets, of two cache lines if they are of 16 bits


cdef struct Met:
    # What all lanes know when they have met.
    double first          # nothing happens before it
    int64_t work          # events, updates and looks so far
    bint running          # none has failed
    Activity activity


cdef inline Met meet(Core* e) noexcept nogil:
    """Wait for the other lanes, and file the spikes that they have fired since the last time."""
    cdef const Message* other
    cdef Message* mine = &e.message[e.told]
    cdef Met met
    cdef int i
    tell_work(e)
    met.first, met.work, met.running = mine.first, mine.work, mine.running
    met.activity = mine.activity
    if e.team == NULL:
        return met
    wait_for_others(e)
    for i in range(e.team.n):
        if i == e.lane:
            continue
        other = &e.team.lane[i].message[e.told]
        met.first = min(met.first, other.first)
        met.work += other.work
        met.running &= other.running
        met.activity.events += other.activity.events
        met.activity.updates += other.activity.updates
        met.activity.follows += other.activity.follows
        met.activity.arrivals += other.activity.arrivals
        met.activity.looking += other.activity.looking
        met.activity.least_looking += other.activity.least_looking
    listen(e)
    return met


cdef inline void wait_for_others(Core* e) noexcept nogil:
    cdef double began = seconds()
    barrier_wait(&e.team.barrier)
    e.tally.waiting += seconds() - began


cdef inline double first_of(const Core* e) noexcept nogil:
    """Nothing happens in a lane before this time. It is a lower bound, so nothing may happen at the time itself."""
    cdef double queued = min(wheel_first(&e.state.rows.wheel), wheel_first(&e.wakes), e.state.rows.late)
    return max(min(queued, e.blocks.end, e.blocks.next), e.state.time)


cdef enum:
    # Events that take as long as a search for a crossing, or a step of a neuron without a closed form.
    WORTH_OF_SEARCH = 16


cdef inline void tell_work(Core* e) noexcept nogil:
    cdef Message* mine = &e.message[e.told]
    mine.first = first_of(e)
    mine.work = e.tally.synaptic_events + e.tally.external_events + e.tally.updates + e.blocks.looks
    mine.work += WORTH_OF_SEARCH * e.tally.bounds_due
    mine.running = e.tally.status == RUNNING
    mine.activity = activity_of(e)


cdef inline void listen(Core* e) noexcept nogil:
    """File what the other lanes have fired."""
    cdef int i
    for i in range(e.team.n):
        if i != e.lane:
            file_spikes(e, &e.team.lane[i].message[e.told])
    e.told ^= 1
    e.message[e.told].n_fired = 0


cdef inline Activity activity_of(const Core* e) noexcept nogil:
    cdef Activity a
    a.events = e.tally.synaptic_events + e.tally.external_events
    a.updates, a.follows = e.tally.updates, e.blocks.follows
    a.arrivals, a.looking, a.least_looking = e.blocks.arrivals, e.blocks.looking, e.blocks.least_looking
    return a


cdef inline void file_spikes(Core* e, const Message* m) noexcept nogil:
    cdef const Fired* spike
    cdef int64_t i, k
    for i in range(m.n_fired):
        spike = &m.fired[i]
        for k in range(e.net.outgoing_start[spike.neuron], e.net.outgoing_start[spike.neuron + 1]):
            send(e, spike, e.net.outgoing_projection[k], e.net.outgoing_row[k])


# ---- rows


cdef inline int64_t guessed_place(const Slice* slice, const Projection* p, int32_t neuron) noexcept nogil:
    """How many of ascending targets lie before a neuron if they are spread evenly."""
    cdef int64_t first = max(p.first_target, slice.base)
    cdef int64_t last = min(<int64_t>p.last_target, <int64_t>slice.base + NARROW) if slice.narrow else p.last_target
    return min(max(slice.n * (neuron - first) // max(last - first, 1), 0), slice.n)


cdef inline int64_t targets_below(const Slice* slice, const Projection* p, int32_t neuron) noexcept nogil:
    """How many of ascending targets lie before a neuron."""
    cdef int64_t guess = guessed_place(slice, p, neuron)
    cdef int64_t width = NEARBY
    cdef int64_t low = guess - width
    cdef int64_t high = guess + width
    cdef int64_t half
    while low > 0 and target_of(slice, low - 1) >= neuron:
        high = low
        low -= width
        width *= 2
    while high < slice.n and target_of(slice, high) < neuron:
        low = high + 1
        high += width
        width *= 2
    low, high = max(low, 0), min(high, slice.n)
    while low < high:
        half = (high - low + 1) >> 1
        if target_of(slice, low + half - 1) < neuron:
            low += half
        else:
            high = low + half - 1
    return low


cdef inline void fetch_cut(const Core* e, const Slice* slice, const Projection* p) noexcept nogil:
    """Fetch where a slice will be cut at the ranges of the lane."""
    cdef int64_t k
    if e.whole or not p.ascending or slice.n == 0:
        return
    for k in range(e.n_ranges):
        fetch_near(slice, p, e.range[k].start)
        fetch_near(slice, p, e.range[k].stop)


cdef inline void fetch_near(const Slice* slice, const Projection* p, int32_t neuron) noexcept nogil:
    cdef int64_t guess
    if p.first_target < neuron <= p.last_target:
        guess = guessed_place(slice, p, neuron)
        prefetch(targets_from(slice, max(guess - NEARBY, 0)))
        prefetch(targets_from(slice, min(guess, slice.n - 1)))
        prefetch(targets_from(slice, min(guess + NEARBY, slice.n - 1)))


cdef inline bint in_lane(const Core* e, int32_t neuron) noexcept nogil:
    cdef int64_t r
    for r in range(e.n_ranges):
        if e.range[r].start <= neuron < e.range[r].stop:
            return True
    return False


cdef inline bint is_mine(const Core* e, int32_t neuron) noexcept nogil:
    """Whether a lane has a neuron."""
    return e.whole or in_lane(e, neuron)


cdef inline void keep_part(Slice* slice, const Slice* all, int64_t begin, int64_t end) noexcept nogil:
    slice[0] = all[0]
    slice.n = end - begin
    slice.target = targets_from(all, begin)
    if not all.one_weight:
        if all.weight32 != NULL:
            slice.weight32 = all.weight32 + begin
        else:
            slice.weight = all.weight + begin


cdef inline int64_t next_part(
    const Core* e, const Slice* all, const Projection* p, int64_t* at, Slice* part
) noexcept nogil:
    """Fill in the next part of a slice that reaches neurons of the lane; returns how many, 0 if there is none.

    `at` is 0 at first; it counts ranges if targets ascend, else targets.
    """
    cdef const Range* r
    cdef int64_t begin, end
    if p.ascending:
        while at[0] < e.n_ranges:
            r = &e.range[at[0]]
            at[0] += 1
            if r.start <= p.last_target and r.stop > p.first_target:
                begin = 0 if r.start <= p.first_target else targets_below(all, p, r.start)
                end = all.n if r.stop > p.last_target else targets_below(all, p, r.stop)
                if begin < end:
                    keep_part(part, all, begin, end)
                    return end - begin
        return 0
    begin = at[0]
    while begin < all.n and not in_lane(e, target_of(all, begin)):
        begin += 1
    end = begin
    while end < all.n and in_lane(e, target_of(all, end)):
        end += 1
    at[0] = end
    keep_part(part, all, begin, end)
    return end - begin


# ---- the end of a lane


cdef inline void give_up_inputs(Core* e) noexcept nogil:
    """Free what groups have allocated, before they go."""
    cdef int64_t k
    for k in range(e.blocks.n_groups):
        free(e.blocks.group[k].input)
    e.blocks.n_groups = 0


cdef inline void give_up_queue(Core* e) noexcept nogil:
    free(e.state.rows.wheel.link)
    free(e.state.rows.row)
    free(e.state.rows.due)
    free(e.state.rows.order)
    free(e.state.rows.begin)
    free(e.state.rows.span)


cdef inline void give_up(Core* e) noexcept nogil:
    """Free what a lane has allocated as it went along."""
    cdef int i
    give_up_inputs(e)
    give_up_rows(e)
    give_up_queue(e)
    free(e.inbox.row)
    free(e.inbox.row_of)
    free(e.inbox.weight)
    free(e.blocks.segment)
    free(e.blocks.gathered)
    free(e.blocks.gathered_growth)
    free(e.blocks.gathered_begin)
    free(e.blocks.notes.taken)
    free(e.blocks.listed)
    free(e.blocks.places)
    free(e.transmitted)
    free(e.blocks.pool)
    free(e.blocks.notes.weight)
    free(e.inbox.arrival)
    free(e.tally.spike_time)
    free(e.tally.spike_neuron)
    free(e.prompts.replay)
    free(e.prompts.due)
    free(e.prompts.kept)
    free(e.prompts.shot)
    free(e.prompts.applied)
    free(e.prompts.row)
    for i in range(2):
        free(e.message[i].fired)
        free(e.message[i].change)
