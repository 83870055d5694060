# Prompt arrivals: those in the very window in which their spike was fired, of delays shorter than the window.
#
# A window in which there may be some begins as all others do: every neuron is taken through it with what is known to
# arrive. What it fires is not sent yet. Then
#
# (a) the lanes exchange the spikes that they have fired, as far as these arrive within the window;
# (b) each lane brings to its neurons what arrives at them. A calm neuron stays calm if all that raises it, in whatever
#     order, leaves it below its line; any other is gone through the window again with what arrives (replay.pxd);
# (c) where that changes what a neuron fires, the spikes that it did not fire after all are taken back, and the new ones
#     are exchanged, until nothing changes any more.
#
# What happens before the first spike that is not final depends on final ones alone, and so is final itself: each
# round settles at least the next of them. What comes out follows from causes and effects, and not from the order in
# which they were found. At the end all is sent that arrives later.
#
# Where much changes again and again, as in a network that runs away, neurons are taken on more carefully: as far as the
# time at which one of them would fire for the second time, until nothing changes before that, and then on (go_further).

from libc.math cimport nextafter
from libc.stdint cimport int32_t, int64_t

from eventsnn._core.run.calm.activity cimport is_late
from eventsnn._core.run.calm.ahead cimport look_ahead
from eventsnn._core.run.calm.blocks cimport IS_FOLLOWED, IS_SUSPECT, Blocks, Followed, Gathered, Group, Grown
from eventsnn._core.run.bring cimport arrives_promptly, bring, take_back
from eventsnn._core.run.calm.calm cimport class_of, grow_to
from eventsnn._core.run.core cimport (
    NO_MEMORY,
    RUNNING,
    TOO_MANY_ROUNDS,
    Change,
    Core,
    Fired,
    Message,
    Prompts,
    Replay,
    Shot,
)
from eventsnn._core.run.events cimport fail, publish
from eventsnn._core.run.calm.follow cimport begin_followed, followed_at, next_of
from eventsnn._core.solve.frames cimport sum_of
from eventsnn._core.run.lanes cimport wait_for_others
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.solve.neuron cimport Arrival, Inbox
from eventsnn._core.run.replay cimport (
    SPARE,
    has_come_far,
    new_replay,
    note_due,
    room_for_arrivals,
    run,
    run_again,
    second_time,
    shot_after,
)
from eventsnn._core.run.calm.singly cimport room_to_gather
from eventsnn._core.run.spans cimport order_arrivals


cdef inline void begin_prompts(Core* e, double t, double end) noexcept nogil:
    """Whether a spike fired in the window, at t at the earliest, may arrive in it."""
    cdef Prompts* q = &e.prompts
    q.on = t + q.shortest < end
    q.any = is_late(e, t)
    q.stop = end if q.on else 0.0
    q.settled, q.settled_round = -1.0, 0
    q.careful = q.pausing = False
    q.exchanges = 0
    q.present = -1


cdef inline bint is_prompted(const Core* e, int32_t n) noexcept nogil:
    return e.prompts.any or e.prompts.prompted[n]


# ---- who is gone through the window again


cdef inline void begin_record(Core* e, int32_t n, int64_t first, int64_t end) noexcept nogil:
    """Take a neuron that is in its record through the window for the first time, with these arrivals."""
    cdef Prompts* q = &e.prompts
    cdef Replay* r
    if new_replay(e, n, -1):
        r = &q.replay[q.n_replays - 1]
        r.first, r.n = first, <int32_t>(end - first)
        r.room = r.n
        run(e, <int32_t>(q.n_replays - 1))


cdef inline void begin_suspect(Core* e, int32_t n) noexcept nogil:
    """Follow a calm neuron that may come to its line, from the beginning of the window on; D holds nothing that arrives
    in it."""
    cdef Group* g = &e.blocks.group[e.blocks.group_of[n]]
    cdef Followed* x
    cdef Grown f
    e.blocks.flag[n] = 0
    x = begin_followed(e, g, n, max(e.state.time, g.begin), True)
    if x != NULL:
        grow_to(class_of(e, g, n), x.t, &f)
        look_ahead(e, g, x, &f)


cdef inline void take_arrivals(Core* e, const Gathered* a, int64_t n) noexcept nogil:
    """Give followed and suspect neurons what arrives at them. Those that have nothing yet are taken up."""
    cdef Prompts* q = &e.prompts
    cdef Inbox* box = &e.inbox
    cdef int64_t known = q.n_replays
    cdef int64_t i, needed
    cdef Replay* r
    cdef Arrival new
    for i in range(n):
        if not q.replay_of[a[i].neuron]:
            if e.blocks.flag[a[i].neuron] & IS_SUSPECT:
                begin_suspect(e, a[i].neuron)
            if e.tally.status == NO_MEMORY or not new_replay(e, a[i].neuron, e.blocks.group_of[a[i].neuron]):
                return
        q.replay[q.replay_of[a[i].neuron] - 1].n += 1
    needed = n + (q.n_replays - known) * SPARE
    if not room_for_arrivals(e, needed):
        return
    for i in range(known, q.n_replays):
        r = &q.replay[i]
        r.first, r.room, r.n = q.n_arrivals, r.n + SPARE, 0
        q.n_arrivals += r.room
    for i in range(n):
        r = &q.replay[q.replay_of[a[i].neuron] - 1]
        new.time, new.weight, new.row = a[i].time, a[i].weight, a[i].row
        box.arrival[r.first + r.n] = new
        r.n += 1
    for i in range(known, q.n_replays):
        r = &q.replay[i]
        order_arrivals(box, r.first, r.first + r.n, q.n_arrivals)


cdef inline void begin_replays(Core* e) noexcept nogil:
    """Take followed neurons, and those that may come to their line, through the window for the first time."""
    cdef Prompts* q = &e.prompts
    cdef Blocks* b = &e.blocks
    cdef int64_t known = q.n_replays
    cdef int64_t i, k
    cdef int32_t n
    cdef Group* g
    take_arrivals(e, b.followed_rest, b.n_followed_rest)
    for k in range(b.n_groups):
        g = &b.group[k]
        if not g.singly:
            continue
        for i in range(g.n_followed):
            n = b.followed[g.start + i]
            if b.flag[n] & IS_FOLLOWED and not q.replay_of[n] and next_of(g, followed_at(b, n)) < q.stop:
                if not new_replay(e, n, <int32_t>k):
                    return
    if e.tally.status == NO_MEMORY:
        return
    for i in range(known, q.n_replays):
        run(e, <int32_t>i)


cdef inline void take_suspects(Core* e) noexcept nogil:
    """Take up those that may come to their line by what has been brought."""
    cdef Prompts* q = &e.prompts
    cdef Blocks* b = &e.blocks
    cdef Gathered* rest
    cdef int64_t i
    cdef int64_t n = 0
    cdef int64_t known = q.n_replays
    if not q.suspects:
        return
    q.suspects = False
    if not room_to_gather(b, 1):
        fail(e, NO_MEMORY, e.state.time, 0)
        return
    rest = b.gathered + b.gathered_room
    for i in range(b.n_gathered):
        if b.gathered[i].row >= 0 and b.flag[b.gathered[i].neuron] & IS_SUSPECT:
            b.single[b.gathered[i].neuron] = sum_of(b.single[b.gathered[i].neuron], -b.gathered[i].added)
            rest[n] = b.gathered[i]
            n += 1
    take_arrivals(e, rest, n)
    if e.tally.status != NO_MEMORY:
        for i in range(known, q.n_replays):
            note_due(q, <int32_t>i)


# ---- until nothing changes


cdef inline void note_change(Core* e, const Fired* spike, bint gone, bint final) noexcept nogil:
    """Let all lanes know of a spike of which something arrives in the window."""
    cdef Message* m = &e.message[e.told]
    cdef int64_t room = 2 * m.change_room + 64
    cdef bint prompt = False
    cdef int64_t k
    for k in range(e.net.outgoing_start[spike.neuron], e.net.outgoing_start[spike.neuron + 1]):
        prompt |= arrives_promptly(e, spike, &e.net.projections[e.net.outgoing_projection[k]])
    if not prompt:
        return
    if m.n_changes == m.change_room:
        if not enlarge(<void**>&m.change, room * sizeof(Change)):
            fail(e, NO_MEMORY, spike.time, spike.neuron)
            return
        m.change_room = room
    m.change[m.n_changes].spike, m.change[m.n_changes].gone, m.change[m.n_changes].final = spike[0], gone, final
    m.n_changes += 1


cdef inline int compare_spikes(const Fired* a, const Fired* b) noexcept nogil:
    if a.time != b.time:
        return -1 if a.time < b.time else 1
    return (a.round > b.round) - (a.round < b.round)


cdef inline void note_changes(Core* e, const Replay* r) noexcept nogil:
    """Note which of a neuron's spikes are new since it last went through the window, and which are gone."""
    cdef Shot* shot = e.prompts.shot
    cdef int32_t old = r.known
    cdef int32_t new = shot_after(&e.prompts, r, r.known_final)
    cdef int order
    while old >= 0 or new >= 0:
        order = 1 if old < 0 else -1 if new < 0 else compare_spikes(&shot[old].spike, &shot[new].spike)
        if order < 0:
            note_change(e, &shot[old].spike, True, False)
        elif order > 0:
            note_change(e, &shot[new].spike, False, False)
        else:
            shot[new].told = shot[old].told
        if order <= 0:
            shot[old].gone = True
            old = shot[old].next
        if order >= 0:
            new = shot[new].next


cdef inline bint has_failed(const Core* e) noexcept nogil:
    cdef int64_t i
    for i in range(e.prompts.n_replays):
        if e.prompts.replay[i].status != RUNNING and e.prompts.replay[i].failed_at < e.prompts.limit:
            return True
    return False


cdef inline const Message* message_of(const Core* e, int lane) noexcept nogil:
    if e.team == NULL:
        return &e.message[e.told]
    return &e.team.lane[lane].message[e.told]


cdef inline void next_message(Core* e) noexcept nogil:
    e.told ^= 1
    e.message[e.told].n_changes = e.message[e.told].n_fired = 0


cdef inline void settle_below(Prompts* q, double t) noexcept nogil:
    """All that happens before t is final."""
    q.settled, q.settled_round = nextafter(t, 0.0), 0x7FFFFFFF


cdef inline int64_t find_settled(Core* e) noexcept nogil:
    """How many spikes have changed in all lanes. What happens before the first of these, and what made it fire, is
    final."""
    cdef Prompts* q = &e.prompts
    cdef const Fired* spike
    cdef int64_t total = 0
    cdef int64_t i
    cdef int k
    q.failing = False
    for k in range(1 if e.team == NULL else e.team.n):
        q.failing |= not message_of(e, k).running
        for i in range(message_of(e, k).n_changes):
            spike = &message_of(e, k).change[i].spike
            if total == 0 or spike.time < q.settled or (spike.time == q.settled and spike.round < q.settled_round):
                q.settled, q.settled_round = spike.time, spike.round
            total += 1
    if not q.settled < q.limit:
        settle_below(q, q.limit)
    return total


cdef inline void cut(Core* e, Replay* r) noexcept nogil:
    """Forget the spikes that a neuron has fired at the limit or later; those told in an earlier exchange are gone."""
    cdef Prompts* q = &e.prompts
    cdef int32_t last = r.final
    cdef int32_t k = shot_after(q, r, last)
    while k >= 0 and q.shot[k].spike.time < q.limit:
        last, k = k, q.shot[k].next
    if last >= 0:
        q.shot[last].next = -1
    else:
        r.spikes = -1
    r.last = last
    while k >= 0:
        q.shot[k].gone = True
        if q.shot[k].told < q.exchanges:
            note_change(e, &q.shot[k].spike, True, False)
        k = q.shot[k].next


cdef inline bint exchange(Core* e) noexcept nogil:
    """(a) and (b): bring what has changed in any lane; False if nothing has."""
    cdef Prompts* q = &e.prompts
    cdef const Message* m
    cdef const Change* c
    cdef int64_t i, total
    cdef int k
    cdef bint begins
    e.message[e.told].running = not has_failed(e)
    if e.team != NULL:
        wait_for_others(e)
    total = find_settled(e)
    begins = total > 0 and not q.careful and (
        total > q.most_changes + e.net.n or q.exchanges > q.most_exchanges
    )
    if begins:
        q.careful = True
        q.limit = min(q.stop, nextafter(q.settled, infinity()))
    for k in range(1 if e.team == NULL else e.team.n):
        m = message_of(e, k)
        for i in range(m.n_changes):
            c = &m.change[i]
            if e.tally.status == NO_MEMORY:
                break
            if c.gone:
                take_back(e, &c.spike)
            elif (c.final or c.spike.time < q.limit) and not bring(e, &c.spike):
                fail(e, NO_MEMORY, c.spike.time, c.spike.neuron)
    next_message(e)
    if begins:
        for i in range(q.n_replays):
            cut(e, &q.replay[i])
    q.exchanges += 1
    return total > 0


cdef inline void run_due(Core* e) noexcept nogil:
    """(c) Take the neurons that are due through the window again, and note how their spikes have changed."""
    cdef Prompts* q = &e.prompts
    cdef int64_t i
    cdef int64_t n = q.n_due
    q.n_due = 0
    for i in range(n):
        if e.tally.status != NO_MEMORY:
            run_again(e, q.due[i])
            note_changes(e, &q.replay[q.due[i]])


cdef inline void go_further(Core* e) noexcept nogil:
    """All that happens before the limit is final. Move the limit to the first time at which a neuron fires again.

    Only spikes from the old limit on count.
    """
    cdef Prompts* q = &e.prompts
    cdef Message* mine = &e.message[e.told]
    cdef int64_t i
    cdef int k
    settle_below(q, q.limit)
    q.begun, q.limit, q.pausing = q.limit, q.stop, True
    mine.again = infinity()
    for i in range(q.n_replays):
        if e.tally.status == NO_MEMORY:
            break
        run_again(e, <int32_t>i)
        if has_come_far(q, &q.replay[i]):
            mine.again = min(mine.again, second_time(q, &q.replay[i]))
    q.pausing = False
    if e.team != NULL:
        wait_for_others(e)
    for k in range(1 if e.team == NULL else e.team.n):
        q.limit = min(q.limit, message_of(e, k).again)
    next_message(e)
    for i in range(q.n_replays):
        cut(e, &q.replay[i])
        note_changes(e, &q.replay[i])


cdef inline void settle_window(Core* e) noexcept nogil:
    """Take all neurons through what arrives promptly, and send what has been fired."""
    cdef Prompts* q = &e.prompts
    cdef int64_t i
    for i in range(q.n_shots):
        if not q.shot[i].gone:
            note_change(e, &q.shot[i].spike, False, not q.replay_of[q.shot[i].spike.neuron])
    while True:
        if exchange(e):
            take_suspects(e)
            run_due(e)
        elif q.limit < q.stop and not q.failing:
            go_further(e)
        else:
            break
    if e.tally.status != NO_MEMORY:
        send_all(e)
    end_prompts(e)


cdef inline void send_all(Core* e) noexcept nogil:
    cdef Prompts* q = &e.prompts
    cdef const Gathered* a
    cdef Replay* r
    cdef int64_t i, k
    for i in range(q.n_shots):
        if not q.shot[i].gone:
            publish(e, &q.shot[i].spike)
    for i in range(q.n_replays):
        r = &q.replay[i]
        if r.status != RUNNING:
            e.round = r.failed_round
            fail(e, r.status, r.failed_at, r.neuron)
    # Rounds count also where neurons are calm or held and have not been gone through again.
    for i in range(q.n_applied):
        if q.applied[i].gone or q.applied[i].spike.round < e.net.max_rounds:
            continue
        for k in range(q.applied[i].first, q.applied[i].first + q.applied[i].n):
            a = &e.blocks.gathered[k]
            if a.time == q.applied[i].spike.time:
                e.round = q.applied[i].spike.round + 1
                fail(e, TOO_MANY_ROUNDS, a.time, a.neuron)
    e.round = 0


cdef inline void end_prompts(Core* e) noexcept nogil:
    cdef Prompts* q = &e.prompts
    cdef int64_t i
    for i in range(q.n_replays):
        q.replay_of[q.replay[i].neuron] = 0
    for i in range(q.n_applied):
        q.applied_of[q.applied[i].spike.neuron] = 0
    for i in range(e.blocks.n_gathered):
        q.lowered[e.blocks.gathered[i].neuron] = 0
    q.n_replays = q.n_applied = q.n_shots = q.n_kept = q.n_rows = q.n_due = 0
    q.suspects = False
