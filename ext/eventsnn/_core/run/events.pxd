# The events of one neuron: external spikes, samples, spikes, and everything that is due at one time. The schedule of
# engine.pyx decides when; nothing here looks at another neuron's state.

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from eventsnn._core.run.core cimport (
    NO_MEMORY,
    OUT_OF_RANGE,
    RUNNING,
    TOO_MANY_INPUTS,
    TOO_MANY_ROUNDS,
    TOO_MANY_SPIKES,
    TOO_MANY_STEPS,
    Core,
    Fired,
    Message,
    Passage,
    Probe,
    Projection,
    Prompts,
    Replay,
    Shot,
    Watch,
    neuron_at,
)
from eventsnn._core.run.foresight cimport LOOK, free_state, outlasts_bound, predict, stays_below
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.plasticity.plastic cimport Plastic, note_fired, note_sent
from eventsnn._core.solve.neuron cimport (
    AT_THRESHOLD,
    BOUNDED,
    FOUND,
    MOST_VARIABLES,
    R,
    RELEASE_SLACK,
    SEARCHED,
    STAYS_BELOW,
    T_REF,
    UNKNOWN,
    Class,
    Neuron,
    Slice,
    count_anew,
    is_stiff,
    round_of,
    time_of,
    variables,
)
from eventsnn._core.run.queue cimport Row, row_push
from eventsnn._core.draw.stream cimport Source, Stream, stream_next
from eventsnn._core.run.synapses cimport NO_ROOM, first_slice, slice_delay, take_slice


cdef inline bint is_over(const Core* e, double t) noexcept nogil:
    """Whether a failure lies before t, so that what happens then has no meaning."""
    cdef const Replay* r
    if e.prompts.present >= 0:
        r = &e.prompts.replay[e.prompts.present]
        if r.status != RUNNING and t > r.failed_at:
            return True
    return e.tally.status != RUNNING and t > e.tally.failed_at


cdef inline void fail(Core* e, int status, double t, int32_t n) noexcept nogil:
    """Keep the first failure by (time, round, neuron): neurons of a window are not processed in the order of time. That
    of one that may be gone through again is its own."""
    cdef bint first = e.tally.status == RUNNING or t < e.tally.failed_at
    cdef Replay* r
    if e.prompts.present >= 0 and status != NO_MEMORY:
        r = &e.prompts.replay[e.prompts.present]
        if r.status == RUNNING or t < r.failed_at:
            r.status, r.failed_at, r.failed_round = status, t, e.round
        return
    if not first and t == e.tally.failed_at:
        first = e.round < e.tally.failed_round or (e.round == e.tally.failed_round and n < e.tally.failed)
    if status == NO_MEMORY:
        e.tally.status = status
    elif e.tally.status != NO_MEMORY and first:
        e.tally.status = status
        e.tally.failed_at = t
        e.tally.failed_round = e.round
        e.tally.failed = n


cdef inline int ended_by(const Class* k, const Neuron* s) noexcept nogil:
    """Why a neuron whose state is lost ends the run."""
    return TOO_MANY_STEPS if is_stiff(k, s) else OUT_OF_RANGE


# ---- one neuron


cdef inline void go_on(Core* e, const Class* k, Neuron* s) noexcept nogil:
    """Bring a neuron whose state goes on in steps to its release or to the end of its step, whichever its search has
    reached: its state follows from the one there, whatever happens next."""
    cdef double t = s.crossing if s.bounded == SEARCHED else s.release
    if s.t < t:
        if e.tally.watch_start != NULL:
            sample(e, <int32_t>((<char*>s - e.state.records) // e.net.stride), t)
        k.model.settle(k, s, t)
    s.bounded = BOUNDED


cdef inline void refine(Core* e, Neuron* s, double until) noexcept nogil:
    """Time of the first crossing, from the state after the neuron's last event; or how far it was searched for."""
    cdef const Class* k = &e.net.classes[s.class_of]
    cdef bint refractory = s.t < s.release
    if k.model.stepped:
        go_on(e, k, s)
        if refractory:
            predict(e, s, until)
            if s.crossing > s.t:
                return
    cdef const Neuron* start = free_state(e, k, s)
    cdef double searched = s.crossing - start.t if s.bounded == SEARCHED else 0.0
    s.crossing = k.model.crossing(k, start, s.crossing if s.framed else searched, &s.bounded)
    if s.crossing != s.crossing:
        s.crossing = infinity()
        fail(e, ended_by(k, start), start.t, <int32_t>((<char*>s - e.state.records) // e.net.stride))


cdef inline bint refine_due(Core* e, Neuron* s, double t, double until) noexcept nogil:
    """Refine a bound that t has reached; True if there was one."""
    cdef bint bounded = False
    while s.bounded != FOUND and s.crossing <= t:
        refine(e, s, until)
        e.tally.bounds_due += 1
        bounded = True
    return bounded


cdef inline void sample(Core* e, int32_t n, double before) noexcept nogil:
    """Samples of neuron n at times before the next change of its state, from a copy of it."""
    cdef int64_t w
    cdef Watch* watch
    cdef Probe* probe
    cdef Neuron* s = neuron_at(e, n)
    cdef Class* k = &e.net.classes[s.class_of]
    cdef Neuron* copy = e.scratch
    cdef int i, variable
    cdef int64_t at
    cdef double value
    for w in range(e.tally.watch_start[n], e.tally.watch_start[n + 1]):
        watch = &e.tally.watches[w]
        probe = &e.tally.probes[watch.probe]
        while watch.at < probe.n_times and probe.time[watch.at] < before:
            memcpy(copy, s, e.net.stride)
            k.model.settle(k, copy, probe.time[watch.at])
            k.model.leave(k, copy)
            for i in range(probe.n_variables):
                variable = probe.variable[i]
                if variable == 0:
                    value = copy.v
                elif variable > 0:
                    value = variables(k, copy)[variable - 1]
                else:
                    value = k.model.threshold(k, copy)
                at = i * probe.n + watch.row
                probe.out[at * probe.n_times + watch.at] = value + probe.offset[at]
            watch.at += 1


cdef inline bint watched(const Core* e, int32_t n) noexcept nogil:
    return e.tally.watch_start != NULL and e.tally.watch_start[n] < e.tally.watch_start[n + 1]


cdef inline int64_t leave_prompt(
    Core* e, const Fired* spike, const Projection* p, int32_t row, int64_t first
) noexcept nogil:
    """The first slice that does not arrive promptly; what does has been brought already."""
    cdef Slice slice
    while first >= 0 and spike.time + slice_delay(p, first) < e.prompts.stop:
        first = take_slice(e, p, row, first, &slice)
    return first


cdef inline void send(Core* e, const Fired* spike, int32_t projection, int32_t row) noexcept nogil:
    """Queue a spike on a row of its neuron."""
    cdef Projection* p = &e.net.projections[projection]
    cdef Row entry
    entry.first = first_slice(p, row)
    if spike.time + p.least_delay < e.prompts.stop:
        entry.first = leave_prompt(e, spike, p, row, entry.first)
    if entry.first == NO_ROOM:
        fail(e, NO_MEMORY, spike.time, spike.neuron)
    if entry.first < 0:
        return
    entry.fired = spike.time
    entry.fired_round = spike.round
    entry.projection = projection
    entry.row = row
    entry.ordinal = spike.ordinal
    if p.plastic != NULL and not note_sent(p.plastic, row, spike.time, e.state.time):
        fail(e, NO_MEMORY, spike.time, spike.neuron)
    arrive(p, &entry)
    if not row_push(&e.state.rows, &entry):
        fail(e, NO_MEMORY, entry.time, 0)


cdef inline void tell(Core* e, const Fired* spike) noexcept nogil:
    """Let the other lanes know of a spike when they meet."""
    cdef Message* m = &e.message[e.told]
    cdef int64_t room = 2 * m.room + 64
    if m.n_fired == m.room:
        if not enlarge(<void**>&m.fired, room * sizeof(Fired)):
            fail(e, NO_MEMORY, spike.time, spike.neuron)
            return
        m.room = room
    m.fired[m.n_fired] = spike[0]
    m.n_fired += 1


cdef inline void arrive(const Projection* p, Row* row) noexcept nogil:
    """Note when the first synapse of a row is reached."""
    row.time = (row.fired + slice_delay(p, row.first)) + p.dendritic
    row.round = row.fired_round + 1 if row.time == row.fired else 0


cdef inline void fire(Core* e, int32_t n, double t) noexcept nogil:
    cdef Neuron* s = neuron_at(e, n)
    cdef const Class* of
    if s.class_of >= 0:
        of = &e.net.classes[s.class_of]
        of.model.leave(of, s)
        of.model.reset(of, s)
        s.release = t + of.c[T_REF]
        of.model.enter(of, s)
    announce(e, n, t)


cdef inline void announce(Core* e, int32_t n, double t) noexcept nogil:
    """Count a spike as one of its neuron's, record it and send it off."""
    cdef Neuron* s = neuron_at(e, n)
    cdef int32_t millisecond
    cdef Fired spike
    millisecond = <int32_t>(<int64_t>floor(t) & 0x7FFFFFFF)
    if millisecond != s.millisecond:
        s.millisecond = millisecond
        s.burst = 0
    s.burst += 1
    if s.burst > e.net.max_spikes:
        fail(e, TOO_MANY_SPIKES, t, n)
    spike.time, spike.neuron, spike.round, spike.ordinal = t, n, e.round, s.spikes
    s.spikes += 1
    if e.prompts.on:
        keep_shot(e, &spike)
    else:
        publish(e, &spike)


cdef inline void publish(Core* e, const Fired* spike) noexcept nogil:
    """Record a spike that is final, and send it off."""
    cdef int32_t n = spike.neuron
    cdef int64_t k
    e.tally.fired += 1
    if e.net.recorded[n]:
        keep_spike(e, n, spike.time)
    for k in range(e.net.outgoing_start[n], e.net.outgoing_start[n + 1]):
        send(e, spike, e.net.outgoing_projection[k], e.net.outgoing_row[k])
    if e.net.plastic:
        note_spike(e, spike)
    if e.team != NULL and e.net.outgoing_start[n] < e.net.outgoing_start[n + 1]:
        tell(e, spike)


cdef inline void note_spike(Core* e, const Fired* spike) noexcept nogil:
    """Let plastic synapses of a neuron know that it has fired."""
    cdef Plastic* p
    cdef int64_t k
    for k in range(e.net.n_projections):
        p = e.net.projections[k].plastic
        if p != NULL and not note_fired(p, spike.neuron, spike.time):
            fail(e, NO_MEMORY, spike.time, spike.neuron)


cdef inline void keep_shot(Core* e, const Fired* spike) noexcept nogil:
    """Note a spike that may be taken back until the window ends."""
    cdef Prompts* q = &e.prompts
    cdef Replay* r
    cdef int64_t room = 2 * q.shot_room + 64
    cdef int32_t k = <int32_t>q.n_shots
    if q.n_shots == q.shot_room:
        if not enlarge(<void**>&q.shot, room * sizeof(Shot)):
            fail(e, NO_MEMORY, spike.time, spike.neuron)
            return
        q.shot_room = room
    q.n_shots += 1
    q.shot[k].spike, q.shot[k].next, q.shot[k].told, q.shot[k].gone = spike[0], -1, q.exchanges, False
    if q.present >= 0:
        r = &q.replay[q.present]
        if r.last >= 0:
            q.shot[r.last].next = k
        else:
            r.spikes = k
        r.last = k


cdef inline void keep_spike(Core* e, int32_t n, double t) noexcept nogil:
    cdef int64_t room = 2 * e.tally.spike_room + 1024
    if e.tally.n_spikes == e.tally.spike_room:
        if not enlarge(<void**>&e.tally.spike_time, room * sizeof(double)) \
                or not enlarge(<void**>&e.tally.spike_neuron, room * sizeof(int32_t)):
            fail(e, NO_MEMORY, t, n)
            return
        e.tally.spike_room = room
    e.tally.spike_time[e.tally.n_spikes] = t
    e.tally.spike_neuron[e.tally.n_spikes] = n
    e.tally.n_spikes += 1


cdef inline void external_input(Core* e, int32_t n, double t, bint taken, double* total) noexcept nogil:
    """Add up the external spikes at t by port, in the order of the stimuli, or add them to a state in a frame, if they
    are taken; those of a source are its own spikes.

    A stream whose intervals no longer advance time is ended.
    """
    cdef Neuron* neuron = neuron_at(e, n)
    cdef const Class* of
    cdef const Source* d
    cdef Stream* s
    cdef int32_t k, count
    for k in range(neuron.n_streams):
        s = &neuron.streams[k]
        count = 0
        while s.first == t:
            count += 1
            e.tally.external_events += 1
            d = &e.net.sources[s.source]
            if neuron.class_of < 0:
                fire(e, n, t)
            elif taken and neuron.framed:
                of = &e.net.classes[neuron.class_of]
                of.model.take(of, neuron, d.port, d.weight, total)
            elif taken:
                total[d.port] = total[d.port] + d.weight
            stream_next(e.net.sources, s)
            if count > e.net.max_spikes:
                s.first = infinity()
                if neuron.class_of >= 0:
                    fail(e, TOO_MANY_INPUTS, t, n)


cdef inline double next_own(const Neuron* s) noexcept nogil:
    """Time of the first event that needs no other neuron."""
    return s.crossing if s.crossing < s.outside else s.outside


cdef inline double next_external(const Neuron* s) noexcept nogil:
    cdef double first = infinity()
    cdef int32_t k
    for k in range(s.n_streams):
        if s.streams[k].first < first:
            first = s.streams[k].first
    return first


cdef inline double next_outside(const Core* e, const Neuron* s) noexcept nogil:
    """The first of a neuron's external spikes and change of current."""
    return min(e.net.change_time[s.change], next_external(s))


cdef inline void change_current(Core* e, int32_t n, double t) noexcept nogil:
    cdef Neuron* s = neuron_at(e, n)
    cdef const Class* k = &e.net.classes[s.class_of]
    k.model.settle(k, s, t)
    k.model.leave(k, s)
    s.drive = k.c[R] * (e.net.I_e[n] + e.net.change_amplitude[s.change])
    s.slope = k.c[R] * e.net.change_slope[s.change]
    s.sines = e.net.sines + e.net.change_sine[2 * s.change]
    s.n_sines = e.net.change_sine[2 * s.change + 1]
    s.change += 1
    k.model.enter(k, s)


cdef inline double arrival_time(const Core* e, int64_t next, int64_t end) noexcept nogil:
    return time_of(&e.inbox, next) if next < end else infinity()


cdef inline int32_t arrival_round(const Core* e, int64_t next) noexcept nogil:
    return round_of(&e.inbox, &e.inbox.arrival[next])


cdef inline int64_t process(Core* e, int32_t n, double t, int64_t next, int64_t end) noexcept nogil:
    """Everything that happens to neuron n at t: crossing, change of current, input, threshold test. Of what arrives,
    `next` is the first that has not been taken; returns the first that comes later."""
    cdef Neuron* s = neuron_at(e, n)
    cdef bint changed = False
    cdef bint input = False
    cdef int64_t first = next
    cdef int outcome = 0
    if e.tally.watch_start != NULL:
        sample(e, n, t)
    if t == s.crossing:
        e.net.classes[s.class_of].model.settle(&e.net.classes[s.class_of], s, t)
        fire(e, n, t)
        changed = True
    if t == s.outside:
        if t == e.net.change_time[s.change]:
            change_current(e, n, t)
            changed = True
        input = t == next_external(s)
    while arrival_time(e, next, end) == t and (not e.prompts.on or arrival_round(e, next) == e.round):
        next += 1
    if input or next > first:
        changed |= take_input(e, n, t, input, first, next, &outcome)
    if t == s.outside:
        s.outside = next_outside(e, s)
    if changed:
        if e.net.classes[s.class_of].model.stepped:
            count_anew(s, t)
        s.bounded = BOUNDED if outcome & STAYS_BELOW else UNKNOWN
        s.crossing = infinity()
    return next


cdef inline bint take_input(
    Core* e, int32_t n, double t, bint external, int64_t first, int64_t next, int* outcome
) noexcept nogil:
    """Add all input at t, and test the threshold; False if the neuron takes none. outcome: whether a free one stays
    below its threshold until the next."""
    cdef Neuron* s = neuron_at(e, n)
    cdef const Class* k = &e.net.classes[s.class_of] if s.class_of >= 0 else NULL
    cdef double total[MOST_VARIABLES + 1]
    cdef bint taken = False
    cdef int i
    if k != NULL:
        if t < s.release and s.release - t <= t * RELEASE_SLACK:
            s.release = t
        taken = not (k.model.instantaneous and t < s.release)
    if taken:
        k.model.settle(k, s, t)
        if k.model.begin != NULL:
            k.model.begin(k, s, total)
        else:
            for i in range(k.model.ports):
                total[i] = 0.0
    if external:
        external_input(e, n, t, taken, total)
    if not taken:
        return False
    outcome[0] = k.model.receive(k, s, &e.inbox, first, next, total)
    if t < s.release:
        outcome[0] = 0
    elif outcome[0] & AT_THRESHOLD:
        fire(e, n, t)
    if k.model.lost != NULL and k.model.lost(k, s):
        fail(e, ended_by(k, s), t, n)
    return True


cdef inline bint take_event(Core* e, int32_t n, double stop, Passage* at, int64_t end) noexcept nogil:
    """The next event of neuron n, if it comes before stop; what arrives by then ends at `end`. False if there is
    none."""
    cdef Neuron* s = neuron_at(e, n)
    cdef double t, arrives, until
    while True:
        t = s.outside
        arrives = arrival_time(e, at.next, end)
        if arrives < t:
            t = arrives
        until = t if t < stop else stop + LOOK
        if s.bounded == UNKNOWN and not (t < stop and stays_below(e, s, t)):
            predict(e, s, until)
        if s.bounded == BOUNDED and s.crossing <= t and t < stop and outlasts_bound(e, s, t):
            s.bounded, s.crossing = UNKNOWN, infinity()
        if s.crossing < t:
            t = s.crossing
        if not (t < stop and refine_due(e, s, t, until)):
            break
    # At failed_at itself a neuron of lower number, or an earlier round, may yet fail.
    if not t < stop or is_over(e, t):
        return False
    e.round = at.round + 1 if t == at.last else 0
    if e.prompts.on and next_own(s) != t:
        e.round = arrival_round(e, at.next)
    at.last, at.round = t, e.round
    if e.round > e.net.max_rounds:
        fail(e, TOO_MANY_ROUNDS, t, n)
        return False
    at.next = process(e, n, t, at.next, end)
    return True


cdef inline void process_before(Core* e, int32_t n, double stop, int64_t next, int64_t end) noexcept nogil:
    """All events of neuron n before stop; `next` to `end` is what arrives by then."""
    cdef Passage at
    at.next, at.last, at.round = next, -1.0, 0
    while take_event(e, n, stop, &at, end):
        pass
    e.round = 0
