# Replays: neurons that go through the present window again when more arrives in it than was known.
#
# The state of such a neuron at the beginning of the window is kept: its record with its streams, or, if it is followed,
# its place in the pool. Its arrivals are kept too, in order, and the spikes that it has fired. A replay puts the state
# back and goes through the arrivals that the neuron has by now. When events are final the kept state moves behind them,
# so that no event is repeated without need.

from libc.math cimport fabs, nextafter
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from eventsnn._core.run.calm.ahead cimport fits, is_at_line, look_ahead
from eventsnn._core.run.calm.blocks cimport Followed, Group, Grown
from eventsnn._core.run.calm.calm cimport class_of, grow_to
from eventsnn._core.run.core cimport NO_MEMORY, RUNNING, TOO_MANY_ROUNDS, Core, Passage, Prompts, Replay, neuron_at
from eventsnn._core.run.events cimport fail, is_over, next_own, take_event
from eventsnn._core.run.calm.follow cimport add_inputs, fire_followed, followed_at, go_on, leave
from eventsnn._core.solve.frames cimport nearest, scale_of, sum_of
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.solve.neuron cimport RELEASE_SLACK, Arrival, Class, Inbox, Neuron, round_of
from eventsnn._core.run.queue cimport wake_set
from eventsnn._core.run.calm.scatter cimport HEAVY, MOST_LOAD
from eventsnn._core.run.spans cimport arrival_before
from eventsnn._core.draw.stream cimport Stream

cdef enum:
    SPARE = 4    # arrivals that a neuron has room for beyond those that it has


cdef struct Kept:
    # The kept state of a followed neuron.
    Followed x
    double v
    double release
    int64_t spikes
    int32_t millisecond
    int32_t burst


# ---- what is kept


cdef inline bint new_replay(Core* e, int32_t n, int32_t group) noexcept nogil:
    """Begin the list of a neuron's arrivals and spikes, as the last of all; False if there is no memory left."""
    cdef Prompts* q = &e.prompts
    cdef Replay* r
    cdef int64_t room = 2 * q.replay_room + 64
    if q.n_replays == q.replay_room:
        if not enlarge(<void**>&q.replay, room * sizeof(Replay)) or not enlarge(<void**>&q.due, room * sizeof(int32_t)):
            fail(e, NO_MEMORY, e.state.time, n)
            return False
        q.replay_room = room
    r = &q.replay[q.n_replays]
    q.n_replays += 1
    q.replay_of[n] = <int32_t>q.n_replays
    r.neuron, r.group, r.first, r.n, r.room = n, group, 0, 0, 0
    r.spikes = r.last = r.final = -1
    r.at.last, r.at.round = -1.0, 0
    r.status, r.due = RUNNING, False
    return keep_followed(e, r) if group >= 0 else keep_record(e, r)


cdef inline bint room_to_keep(Core* e, Replay* r, int64_t size) noexcept nogil:
    cdef Prompts* q = &e.prompts
    cdef int64_t room = 2 * (q.n_kept + size)
    if q.n_kept + size > q.kept_room:
        if not enlarge(<void**>&q.kept, room):
            fail(e, NO_MEMORY, e.state.time, r.neuron)
            return False
        q.kept_room = room
    r.kept = q.n_kept
    q.n_kept += size
    return True


cdef inline int64_t watches_of(const Core* e, int32_t n) noexcept nogil:
    return e.tally.watch_start[n + 1] - e.tally.watch_start[n] if e.tally.watch_start != NULL else 0


cdef inline bint keep_record(Core* e, Replay* r) noexcept nogil:
    cdef int64_t streams = neuron_at(e, r.neuron).n_streams * sizeof(Stream)
    if not room_to_keep(e, r, e.net.stride + streams + watches_of(e, r.neuron) * sizeof(int64_t)):
        return False
    copy_record(e, r)
    return True


cdef inline void copy_record(Core* e, const Replay* r) noexcept nogil:
    """Keep what it is now."""
    cdef const Neuron* s = neuron_at(e, r.neuron)
    cdef int64_t streams = s.n_streams * sizeof(Stream)
    cdef char* kept = e.prompts.kept + r.kept
    cdef int64_t i
    memcpy(kept, s, e.net.stride)
    memcpy(kept + e.net.stride, s.streams, streams)
    for i in range(watches_of(e, r.neuron)):
        (<int64_t*>(kept + e.net.stride + streams))[i] = e.tally.watches[e.tally.watch_start[r.neuron] + i].at


cdef inline void put_back_record(Core* e, const Replay* r) noexcept nogil:
    cdef Neuron* s = neuron_at(e, r.neuron)
    cdef int64_t streams = s.n_streams * sizeof(Stream)
    cdef const char* kept = e.prompts.kept + r.kept
    cdef int64_t i
    memcpy(s, kept, e.net.stride)
    memcpy(s.streams, kept + e.net.stride, streams)
    for i in range(watches_of(e, r.neuron)):
        e.tally.watches[e.tally.watch_start[r.neuron] + i].at = (<const int64_t*>(kept + e.net.stride + streams))[i]


cdef inline bint keep_followed(Core* e, Replay* r) noexcept nogil:
    if not room_to_keep(e, r, sizeof(Kept)):
        return False
    copy_followed(e, r)
    return True


cdef inline void copy_followed(Core* e, const Replay* r) noexcept nogil:
    cdef const Neuron* s = neuron_at(e, r.neuron)
    cdef Kept* kept = <Kept*>(e.prompts.kept + r.kept)
    kept.x = followed_at(&e.blocks, r.neuron)[0]
    kept.v, kept.release = s.v, s.release
    kept.spikes, kept.millisecond, kept.burst = s.spikes, s.millisecond, s.burst


cdef inline void put_back_followed(Core* e, const Replay* r) noexcept nogil:
    cdef Neuron* s = neuron_at(e, r.neuron)
    cdef const Kept* kept = <const Kept*>(e.prompts.kept + r.kept)
    followed_at(&e.blocks, r.neuron)[0] = kept.x
    s.v, s.release = kept.v, kept.release
    s.spikes, s.millisecond, s.burst = kept.spikes, kept.millisecond, kept.burst


# ---- arrivals


cdef inline bint room_for_arrivals(Core* e, int64_t n) noexcept nogil:
    """Make room for n more arrivals, and for as many to sort them; False if there is no memory left."""
    cdef Inbox* b = &e.inbox
    cdef int64_t needed = e.prompts.n_arrivals + 2 * n
    if needed <= b.timed_room:
        return True
    if not enlarge(<void**>&b.arrival, 2 * needed * sizeof(Arrival)):
        fail(e, NO_MEMORY, e.state.time, 0)
        return False
    b.timed_room = 2 * needed
    return True


cdef inline bint give_room(Core* e, Replay* r, int64_t room) noexcept nogil:
    """Move a neuron's arrivals to where there is room for more; False if there is no memory left."""
    if not room_for_arrivals(e, room):
        return False
    memcpy(e.inbox.arrival + e.prompts.n_arrivals, e.inbox.arrival + r.first, r.n * sizeof(Arrival))
    r.first, r.room = e.prompts.n_arrivals, <int32_t>room
    e.prompts.n_arrivals += room
    return True


cdef inline void insert(Core* e, Replay* r, const Arrival* new) noexcept nogil:
    """Put an arrival where it belongs among those of a neuron; of equal ones it is the last."""
    cdef Arrival* a
    cdef int32_t i
    if r.n == r.room and not give_room(e, r, 2 * r.n + SPARE):
        return
    a = e.inbox.arrival + r.first
    i = r.n
    while i > 0 and arrival_before(&e.inbox, new, &a[i - 1]):
        a[i] = a[i - 1]
        i -= 1
    a[i] = new[0]
    r.n += 1


cdef inline void remove(Core* e, Replay* r, const Arrival* old) noexcept nogil:
    cdef Arrival* a = e.inbox.arrival + r.first
    cdef int32_t i = r.n - 1
    while i >= 0 and (a[i].row != old.row or a[i].time != old.time or a[i].weight != old.weight):
        i -= 1
    if i < 0:
        return
    r.n -= 1
    while i < r.n:
        a[i] = a[i + 1]
        i += 1


# ---- through the window


cdef inline bint is_final(const Prompts* q, const Replay* r, const Passage* at) noexcept nogil:
    """Whether all that has happened to a neuron is final, and it goes on: a failure is found again each time."""
    return r.status == RUNNING and (
        at.last < q.settled or (at.last == q.settled and at.round <= q.settled_round)
    )


cdef inline void keep_passage(Core* e, Replay* r, const Passage* at) noexcept nogil:
    """Keep what a neuron is now, since all that has happened to it so far is final."""
    cdef int32_t taken = <int32_t>(at.next - r.first)
    r.at, r.first, r.n, r.room = at[0], at.next, r.n - taken, r.room - taken
    r.final = r.last
    if r.group >= 0:
        copy_followed(e, r)
    else:
        copy_record(e, r)


cdef inline int32_t shot_after(const Prompts* q, const Replay* r, int32_t final) noexcept nogil:
    """The first spike of a neuron after one that is final."""
    return q.shot[final].next if final >= 0 else r.spikes


cdef inline int32_t next_shot(const Prompts* q, const Replay* r) noexcept nogil:
    """The first spike of a neuron that is still to be settled."""
    cdef int32_t k = shot_after(q, r, r.final)
    while k >= 0 and q.shot[k].spike.time < q.begun:
        k = q.shot[k].next
    return k


cdef inline bint has_come_far(const Prompts* q, const Replay* r) noexcept nogil:
    """Whether a neuron is to wait, because its spikes that are still to be settled come at two times."""
    cdef int32_t first
    if not q.pausing:
        return False
    first = next_shot(q, r)
    return first >= 0 and q.shot[r.last].spike.time > q.shot[first].spike.time


cdef inline double second_time(const Prompts* q, const Replay* r) noexcept nogil:
    """The second of the times of a neuron's spikes that are still to be settled."""
    cdef int32_t first = next_shot(q, r)
    cdef int32_t k = first
    while q.shot[k].spike.time == q.shot[first].spike.time:
        k = q.shot[k].next
    return q.shot[k].spike.time


cdef inline bint run_followed(Core* e, Group* g, Replay* r) noexcept nogil:
    """Take a followed neuron as far as the limit. False if its numbers, or what arrives, are too large for it."""
    cdef Followed* x = followed_at(&e.blocks, r.neuron)
    cdef const Class* k = class_of(e, g, r.neuron)
    cdef const Arrival* a = e.inbox.arrival
    cdef int64_t end = r.first + r.n
    cdef Passage at = r.at
    cdef double scale = scale_of(k, 0)
    cdef double t, load
    cdef int64_t u, added
    cdef int32_t round
    cdef Grown f
    if not fits(g, x):
        return False
    at.next = r.first
    while at.next < end and a[at.next].time < e.prompts.limit:
        t, round = a[at.next].time, round_of(&e.inbox, &a[at.next])
        grow_to(k, t, &f)
        u, load = 0, 0.0
        while at.next < end and a[at.next].time == t and round_of(&e.inbox, &a[at.next]) == round:
            added = nearest(a[at.next].weight * (scale * f.u))
            if not -HEAVY < <double>added < HEAVY:
                return False
            u, load = sum_of(u, added), load + fabs(<double>added)
            at.next += 1
        if not load < MOST_LOAD:
            return False
        if x.held and t < x.release and x.release - t <= t * RELEASE_SLACK:
            x.release = t
        # What happens without input at t comes in its first round.
        if round == 0:
            go_on(e, g, x, t, True)
        else:
            go_on(e, g, x, nextafter(t, infinity()), False)
        if is_over(e, t):
            return True
        e.round = round
        if round > e.net.max_rounds:
            fail(e, TOO_MANY_ROUNDS, t, r.neuron)
            e.round = 0
            return True
        add_inputs(g, x, t)
        if not x.held:
            x.u, x.t = sum_of(x.u, u), t
            if is_at_line(e, g, x, &f):
                fire_followed(e, g, x, t)
            elif not fits(g, x):
                e.round = 0
                return False
            else:
                look_ahead(e, g, x, &f)
        e.round = 0
        at.last, at.round = t, round
        if is_final(&e.prompts, r, &at):
            keep_passage(e, r, &at)
        if has_come_far(&e.prompts, r):
            return True
    go_on(e, g, x, e.prompts.limit, False)
    return True


cdef inline void run_record(Core* e, Replay* r) noexcept nogil:
    cdef int64_t before = e.tally.external_events
    cdef int64_t end = r.first + r.n
    cdef Passage at = r.at
    at.next = r.first
    while take_event(e, r.neuron, e.prompts.limit, &at, end):
        if is_final(&e.prompts, r, &at):
            keep_passage(e, r, &at)
            before = e.tally.external_events
        if has_come_far(&e.prompts, r):
            break
    e.round = 0
    r.external = e.tally.external_events - before
    wake_set(&e.wakes, r.neuron, max(next_own(neuron_at(e, r.neuron)), e.prompts.stop))


cdef inline void run(Core* e, int32_t i) noexcept nogil:
    """Take a neuron from where it is kept as far as the limit."""
    cdef Prompts* q = &e.prompts
    cdef Replay* r = &q.replay[i]
    cdef Group* g
    cut_shots(q, r)
    r.status, r.due = RUNNING, False
    q.present = i
    if r.group >= 0:
        g = &e.blocks.group[r.group]
        if not run_followed(e, g, r):
            put_back_followed(e, r)
            drop_shots(q, r)
            leave(e, g, r.neuron, e.state.time)
            r.group, r.status = -1, RUNNING
            if not keep_record(e, r):
                q.present = -1
                return
    if r.group < 0:
        run_record(e, r)
    q.present = -1


cdef inline void cut_shots(Prompts* q, Replay* r) noexcept nogil:
    """Forget the shots of a neuron that are not final."""
    if r.final >= 0:
        q.shot[r.final].next = -1
    else:
        r.spikes = -1
    r.last = r.final


cdef inline void drop_shots(Prompts* q, Replay* r) noexcept nogil:
    """Forget the shots of a neuron that are not final, and mark them as gone: it did not fire them after all."""
    cdef int32_t k = shot_after(q, r, r.final)
    while k >= 0:
        q.shot[k].gone = True
        k = q.shot[k].next
    cut_shots(q, r)


cdef inline void note_due(Prompts* q, int32_t i) noexcept nogil:
    if not q.replay[i].due:
        q.replay[i].due = True
        q.due[q.n_due] = i
        q.n_due += 1


cdef inline void run_again(Core* e, int32_t i) noexcept nogil:
    """Take a neuron from where it is kept; what it has fired since then so far is known."""
    cdef Replay* r = &e.prompts.replay[i]
    r.known_final, r.known = r.final, shot_after(&e.prompts, r, r.final)
    if r.group >= 0:
        put_back_followed(e, r)
    else:
        put_back_record(e, r)
        e.tally.external_events -= r.external
    run(e, i)
    e.tally.updates += 1
