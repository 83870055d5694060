# How a spike's prompt arrivals are brought to their neurons, and taken back if the spike was not fired after all
# (prompt.pxd).

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free

from eventsnn._core.run.calm.blocks cimport IS_APART, IS_FOLLOWED, IS_HELD, IS_SUSPECT, Blocks, Gathered
from eventsnn._core.run.core cimport Applied, Core, Fired, Projection, Prompts
from eventsnn._core.solve.frames cimport sum_of
from eventsnn._core.run.inbox cimport grow_rows
from eventsnn._core.run.lanes cimport is_mine
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.solve.neuron cimport Arrival, Inbox, Row, Slice, target_of
from eventsnn._core.synapses.procedural cimport Made
from eventsnn._core.run.replay cimport insert, new_replay, note_due, remove
from eventsnn._core.run.calm.scatter cimport HEAVY, find_added
from eventsnn._core.run.calm.singly cimport room_to_gather
from eventsnn._core.run.synapses cimport NO_ROOM, first_slice, slice_delay, take_slice


# ---- what a spike brings


cdef inline int32_t add_prompt_row(
    Core* e, const Slice* slice, const Fired* spike, int32_t projection, int32_t row
) noexcept nogil:
    """Append a row that arrives promptly to the rows of the window; returns its number, -1 without memory."""
    cdef Prompts* q = &e.prompts
    cdef Inbox* b = &e.inbox
    cdef int64_t room = 2 * q.row_room + 64
    cdef int64_t i
    cdef Row* of
    if b.n_rows == b.row_room and not grow_rows(b):
        return -1
    if q.n_rows == 0:
        q.first_row = b.n_rows
    if q.n_rows == q.row_room:
        if not enlarge(<void**>&q.row, room * sizeof(Row)):
            return -1
        q.row_room = room
        for i in range(q.n_rows):
            b.row[q.first_row + i].of = &q.row[i]
    of = &q.row[q.n_rows]
    q.n_rows += 1
    of.fired, of.fired_round, of.ordinal = spike.time, spike.round, spike.ordinal
    of.projection, of.row = projection, row
    b.row[b.n_rows] = slice[0]
    b.row[b.n_rows].of = of
    b.n_rows += 1
    return <int32_t>(b.n_rows - 1)


cdef inline bint gather_slice(Core* e, const Slice* slice, double time, int32_t row) noexcept nogil:
    """Gather the arrivals of a slice at neurons of the lane; False if there is no memory left."""
    cdef Blocks* b = &e.blocks
    cdef Gathered new
    cdef int64_t i, k
    if not room_to_gather(b, slice.n):
        return False
    new.time, new.row, new.added = time, row, 0
    for i in range(slice.n):
        new.neuron = target_of(slice, i)
        if is_mine(e, new.neuron):
            k = 0 if slice.one_weight else i
            new.weight = slice.weight[k] if slice.weight32 == NULL else slice.weight32[k]
            b.gathered[b.n_gathered] = new
            b.n_gathered += 1
    return True


cdef inline bint gather_row(Core* e, const Fired* spike, int32_t projection, int32_t row) noexcept nogil:
    """Gather the arrivals of a row in the window at neurons of the lane; False if there is no memory left."""
    cdef const Projection* p = &e.net.projections[projection]
    cdef int64_t first = first_slice(p, row)
    cdef int64_t next
    cdef int32_t r = -1
    cdef double time
    cdef Slice slice
    cdef bint room = first != NO_ROOM
    while first >= 0 and room:
        time = spike.time + slice_delay(p, first)
        if not time < e.prompts.stop:
            break
        next = take_slice(e, p, row, first, &slice)
        if r < 0 and next != NO_ROOM:
            r = add_prompt_row(e, &slice, spike, projection, row)
        room = next != NO_ROOM and r >= 0 and gather_slice(e, &slice, time, r)
        first = next
    if p.recipe != NULL and first > 0:
        free(<Made*><size_t>first)  # what is left of it is made again when it is sent
    return room


cdef inline bint bring(Core* e, const Fired* spike) noexcept nogil:
    """Bring to the neurons of the lane what a spike brings them in the window; False if there is no memory left."""
    cdef Prompts* q = &e.prompts
    cdef Blocks* b = &e.blocks
    cdef int64_t first = b.n_gathered
    cdef int64_t room = 2 * q.applied_room + 64
    cdef int64_t i, k
    cdef Applied* new
    for k in range(e.net.outgoing_start[spike.neuron], e.net.outgoing_start[spike.neuron + 1]):
        if arrives_promptly(e, spike, &e.net.projections[e.net.outgoing_projection[k]]):
            if not gather_row(e, spike, e.net.outgoing_projection[k], e.net.outgoing_row[k]):
                return False
    if q.n_applied == q.applied_room:
        if not enlarge(<void**>&q.applied, room * sizeof(Applied)):
            return False
        q.applied_room = room
    new = &q.applied[q.n_applied]
    new.spike, new.first, new.n, new.gone = spike[0], first, b.n_gathered - first, False
    new.next = q.applied_of[spike.neuron]
    q.n_applied += 1
    q.applied_of[spike.neuron] = <int32_t>q.n_applied
    if b.on and b.singly:
        find_added(b, first)
    for i in range(first, b.n_gathered):
        give(e, &b.gathered[i])
    e.tally.synaptic_events += new.n
    return True


cdef inline void take_back(Core* e, const Fired* spike) noexcept nogil:
    """Take back what a spike has brought that was not fired after all."""
    cdef Prompts* q = &e.prompts
    cdef Applied* old
    cdef int32_t k = q.applied_of[spike.neuron]
    cdef int64_t i
    while k > 0:
        old = &q.applied[k - 1]
        if not old.gone and old.spike.time == spike.time and old.spike.round == spike.round:
            old.gone = True
            for i in range(old.first, old.first + old.n):
                take_from(e, &e.blocks.gathered[i])
                e.blocks.gathered[i].row = -1
            e.tally.synaptic_events -= old.n
            return
        k = old.next


cdef inline bint arrives_promptly(const Core* e, const Fired* spike, const Projection* p) noexcept nogil:
    return spike.time + p.least_delay < e.prompts.stop


# ---- to a neuron


cdef inline void give(Core* e, const Gathered* a) noexcept nogil:
    """Bring an arrival to its neuron."""
    cdef Prompts* q = &e.prompts
    cdef Blocks* b = &e.blocks
    cdef Arrival new
    cdef int32_t n = a.neuron
    new.time, new.weight, new.row = a.time, a.weight, a.row
    if not q.replay_of[n]:
        if b.on and not b.flag[n] & (IS_APART | IS_FOLLOWED):
            if not b.flag[n] & IS_HELD:
                raise_calm(b, q, a)
            return
        if not new_replay(e, n, b.group_of[n] if b.on and b.flag[n] & IS_FOLLOWED else -1):
            return
        q.replay[q.n_replays - 1].external = 0
    insert(e, &q.replay[q.replay_of[n] - 1], &new)
    note_due(q, q.replay_of[n] - 1)


cdef inline void raise_calm(Blocks* b, Prompts* q, const Gathered* a) noexcept nogil:
    cdef int32_t n = a.neuron
    b.single[n] = sum_of(b.single[n], a.added)
    if a.added < 0:
        q.lowered[n] = sum_of(q.lowered[n], a.added)
    if b.single[n] >= 0 or sum_of(b.single[n], -q.lowered[n]) >= 0 or not fabs(<double>a.added) < HEAVY:
        b.flag[n] |= IS_SUSPECT
        q.suspects = True


cdef inline void take_from(Core* e, const Gathered* a) noexcept nogil:
    cdef Prompts* q = &e.prompts
    cdef Blocks* b = &e.blocks
    cdef Arrival old
    cdef int32_t n = a.neuron
    old.time, old.weight, old.row = a.time, a.weight, a.row
    if q.replay_of[n]:
        remove(e, &q.replay[q.replay_of[n] - 1], &old)
        note_due(q, q.replay_of[n] - 1)
    elif not b.flag[n] & IS_HELD:
        b.single[n] = sum_of(b.single[n], -a.added)
        if a.added < 0:
            q.lowered[n] = sum_of(q.lowered[n], -a.added)
