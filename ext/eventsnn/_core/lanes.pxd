# Lanes: how threads share a network.
#
# A lane is a Core, run by one thread, and has an even part of every population; with one thread there is one lane, of
# all neurons. Neurons do not depend on each other inside a window, so a lane takes its own through it alone. The queue
# of rows is the same in all lanes: each files every spike, and of what arrives lists only what reaches its own neurons.
# Hasty neurons, those of synapses with a delay too short for a window, are in a lane of their own. Nothing that others
# fire in a window reaches them in it, nor the other way round. So the hasty lane takes them from the beginning of a
# window to its end in shorter windows of its own, or instant by instant, without meeting anyone. Ranges of the other
# lanes may hold hasty neurons, which they leave out wherever they meet them.
#
# Before every window, and every round of a single instant, the lanes meet: each says what it has fired and from when
# on it has something to do, waits for the others, and then knows the same as they. Nothing else passes between them,
# and no lock is taken. Which neurons are in which lane changes no bit, since in no lane anything depends on it.
#
# A lane that has met the others writes its next message while some may still read the last one, so there are two of
# them; it cannot begin a third before all have come to the next meeting, and thus have read the first.

from libc.stdint cimport int32_t, int64_t

from eventsnn._core.core cimport RUNNING, Activity, Core, Fired, Message, Projection, Range, barrier_wait, seconds
from eventsnn._core.events cimport send
from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.neuron cimport Slice, target_of, targets_from
from eventsnn._core.queue cimport wheel_first


cdef struct Met:
    # What all lanes have in common when they have met.
    double first          # nothing happens before it
    int64_t work          # events, updates and looks so far
    bint running          # none has failed
    bint due              # something happens at the present instant
    Activity activity


cdef inline Met meet(Core* e, bint due) noexcept nogil:
    """Wait for the other lanes, and file the spikes that they have fired since the last time. The hasty lane comes with
    the first."""
    cdef const Message* other
    cdef Message* mine = &e.message[e.told]
    cdef Met met
    cdef double began
    cdef int i
    tell_work(e, due)
    met.first, met.work, met.running, met.due = mine.first, mine.work, mine.running, mine.due
    met.activity = mine.activity
    if e.team == NULL:
        return met
    if e.beside != NULL:
        tell_work(e.beside, due)
    if e.team.barrier.n > 1:
        began = seconds()
        barrier_wait(&e.team.barrier)
        e.waiting += seconds() - began
    for i in range(e.team.n):
        if i == e.lane:
            continue
        other = &e.team.lane[i].message[e.told]
        met.first = min(met.first, other.first)
        met.work += other.work
        met.running &= other.running
        met.due |= other.due
        met.activity.events += other.activity.events
        met.activity.updates += other.activity.updates
        met.activity.arrivals += other.activity.arrivals
        met.activity.looks += other.activity.looks
        met.activity.neurons += other.activity.neurons
    listen(e)
    if e.beside != NULL:
        listen(e.beside)
    return met


cdef inline double first_of(const Core* e) noexcept nogil:
    """Nothing happens in a lane before this time. Queues know of their first entry only that it is not earlier, and may
    lead to a time at which nothing happens."""
    cdef double queued = min(wheel_first(&e.rows.wheel), wheel_first(&e.wakes), e.rows.late)
    return max(min(queued, e.blocks.end, e.blocks.next), e.time)


cdef inline void tell_work(Core* e, bint due) noexcept nogil:
    cdef Message* mine = &e.message[e.told]
    mine.first = first_of(e) if e.hasty == NULL else min(first_of(e), mine.sent)
    mine.work = e.synaptic_events + e.external_events + e.updates + e.blocks.looks
    mine.running = e.status == RUNNING
    mine.due = due
    mine.activity = activity_of(e)


cdef inline void listen(Core* e) noexcept nogil:
    """File what the other lanes have fired."""
    cdef int i
    for i in range(e.team.n):
        if i != e.lane:
            file_spikes(e, &e.team.lane[i].message[e.told])
    e.told ^= 1
    e.message[e.told].n_fired = 0
    e.message[e.told].sent = infinity()


cdef inline Activity activity_of(const Core* e) noexcept nogil:
    cdef Activity a
    if e.is_hasty:
        # What it does says nothing about whether the others should be calm.
        a.events = a.updates = a.arrivals = a.looks = a.neurons = 0
        return a
    a.events = e.synaptic_events + e.external_events
    a.updates = e.updates + e.blocks.follows
    a.arrivals, a.looks, a.neurons = e.blocks.arrivals, e.blocks.looks, e.blocks.n
    return a


cdef inline void file_spikes(Core* e, const Message* m) noexcept nogil:
    cdef const Fired* spike
    cdef int64_t i, k
    for i in range(m.n_fired):
        spike = &m.fired[i]
        for k in range(e.outgoing_start[spike.neuron], e.outgoing_start[spike.neuron + 1]):
            send(e, spike, e.outgoing_projection[k], e.outgoing_row[k])


# ---- rows


cdef inline int64_t targets_below(const Slice* slice, int32_t neuron) noexcept nogil:
    """How many of ascending targets lie before a neuron."""
    cdef int64_t low = 0
    cdef int64_t high = slice.n
    cdef int64_t middle
    while low < high:
        middle = (low + high) >> 1
        if target_of(slice, middle) < neuron:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline bint in_lane(const Core* e, int32_t neuron) noexcept nogil:
    cdef int64_t r
    for r in range(e.n_ranges):
        if e.range[r].start <= neuron < e.range[r].stop:
            return True
    return False


cdef inline bint has_all(const Core* e) noexcept nogil:
    """Whether a lane has all neurons there are."""
    return e.whole and e.hasty == NULL


cdef inline bint is_mine(const Core* e, int32_t neuron) noexcept nogil:
    """Whether a lane has a neuron that its ranges may hold for another."""
    return (e.hasty == NULL or e.hasty[neuron] == e.is_hasty) and (e.whole or in_lane(e, neuron))


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
    """The next part of a slice that reaches neurons of the lane, and how many; 0 if there is none. `at` is 0 at first,
    and counts ranges where targets are ascending, and else targets."""
    cdef const Range* r
    cdef int64_t begin, end
    if p.ascending:
        while at[0] < e.n_ranges:
            r = &e.range[at[0]]
            at[0] += 1
            if r.start <= p.last_target and r.stop > p.first_target:
                begin, end = targets_below(all, r.start), targets_below(all, r.stop)
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
