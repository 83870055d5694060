"""The compiled engine: lookahead windows over a queue of spike rows and a queue of neurons' own events.

The schedule. Windows have a width W that is a power of two and not above the smallest delay; window k is [kW,
(k+1)W). A spike fired inside a window arrives at fl(t + d) >= (k+1)W, because kW + W is exact and rounding is
monotone. So all input of a window is known when it begins, and its neurons do not depend on each other. For every
window in which anything happens:

(a) Rows. Rows that arrive inside the window are taken in canonical order. A row does not touch a neuron's state: it
    adds its weight to the input pending at its time. Only when a later row arrives there is the pending input carried out (c),
    because only then is it known that no more input comes at that time. Ties are therefore added up before the one
    threshold test, whoever sent them. Depends on: the queue.
(b) Wakes. Neurons whose own next event (crossing, external spike, change of current) lies in the window join the
    list of those that rows have touched. Depends on: the state before the window.
(c) Neurons. Every listed neuron goes through its remaining events up to the end of the window, in time order, and then
    queues its next own event. Spikes push rows, all of them beyond the window. Depends on: (a), (b); not on other
    neurons.

If some delay is 0, or t is so large that W is lost in its last bit, the window is the single instant t; rows that
arrive at the time they were sent form the next round of the same instant. Cutting a window short, at the end of a
run, changes nothing.
"""

cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport floor, nextafter
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc

import numpy as np

from eventsnn._core.mathfunc cimport exp, infinity
from eventsnn._core.neuron cimport C_E_L, C_R, C_RESET, C_T_REF, C_THRESHOLD, Class, Model, Neuron
from eventsnn._core.philox cimport poisson_cell
from eventsnn._core.queue cimport (
    Row,
    RowQueue,
    WakeQueue,
    row_first,
    row_pop,
    row_push,
    wake_first,
    wake_set,
)

cdef enum:
    # Times of a Poisson cell that are kept; a fuller cell, one in 250, is drawn again for the rest.
    KEPT = 16
    CELL_ROOM = 64

cdef enum Status:
    RUNNING = 0
    TOO_MANY_SPIKES = 1
    TOO_MANY_ROUNDS = 2
    NO_MEMORY = 3

REASONS = {TOO_MANY_SPIKES: "spikes", TOO_MANY_ROUNDS: "rounds"}


cdef struct Projection:
    const int64_t* start
    const int32_t* target
    const double* weight
    const double* delay
    int one_weight
    int one_delay
    int port


cdef struct Stream:
    const double* time    # spikes ahead: a given train, or KEPT of the present cell
    int64_t at
    int64_t n
    uint64_t key
    uint32_t index
    int32_t port
    double weight
    double width          # ms a cell; 0 for a given train
    double mean
    double exp_minus_mean
    int64_t cell          # present cell
    int64_t in_cell       # spikes of the present cell before time[0]


cdef struct Probe:
    int64_t n
    const double* time
    int64_t n_times
    int n_variables
    const int32_t* variable   # 0 V_m, then the currents by port
    double* out               # (variables, neurons, times)


cdef struct Watch:
    int32_t neuron
    int32_t probe
    int64_t row
    int64_t at                # next sample


cdef struct Core:
    int64_t n
    Neuron* neurons
    Class* classes
    const double* I_e
    const uint8_t* recorded
    # external spikes and step currents
    const int64_t* stream_start
    Stream* streams
    double* stream_time
    const int64_t* programme_start
    const double* programme_time
    const double* programme_amplitude
    # synapses; outgoing[n] lists (projection, row) of neuron n
    Projection* projections
    const int64_t* outgoing_start
    const int32_t* outgoing_projection
    const int32_t* outgoing_row
    # the schedule
    RowQueue rows
    WakeQueue wakes
    double window
    double time               # everything before it has been processed
    double instant            # of the present round
    int32_t round
    int32_t* touched
    int64_t n_touched
    int32_t max_rounds
    int64_t max_spikes
    # what comes out
    double* spike_time
    int32_t* spike_neuron
    int64_t n_spikes
    int64_t spike_room
    Probe* probes
    const int64_t* watch_start    # (n + 1), NULL if nothing is sampled
    Watch* watches
    # failure, the earliest; counters
    int status
    double failed_at
    int32_t failed
    int64_t synaptic_events
    int64_t external_events
    int64_t updates
    int64_t fired
    int64_t rows_popped


cdef void fail(Core* e, int status, double t, int32_t n) noexcept nogil:
    """Keep the first failure in simulated time: neurons of a window are not processed in its order."""
    if status == NO_MEMORY:
        e.status = status
    elif e.status != NO_MEMORY and (
        e.status == RUNNING or t < e.failed_at or (t == e.failed_at and n < e.failed)
    ):
        e.status = status
        e.failed_at = t
        e.failed = n


# ---- external spikes


cdef void refill(Core* e, Stream* s) noexcept nogil:
    """The next spikes of a Poisson stream, when those kept are used up."""
    cdef double cell_time[CELL_ROOM]
    cdef double* kept = e.stream_time + KEPT * (s - e.streams)
    cdef int count
    cdef int64_t k
    s.in_cell += s.n
    while True:
        count = poisson_cell(
            s.key, s.index, s.cell, s.mean, s.exp_minus_mean, <double>s.cell * s.width, s.width, cell_time
        )
        if s.in_cell < count:
            break
        s.cell += 1
        s.in_cell = 0
    s.n = min(count - s.in_cell, <int64_t>KEPT)
    s.at = 0
    for k in range(s.n):
        kept[k] = cell_time[s.in_cell + k]
    s.time = kept


cdef inline double stream_first(const Stream* s) noexcept nogil:
    return s.time[s.at] if s.at < s.n else infinity()


cdef inline void stream_next(Core* e, Stream* s) noexcept nogil:
    s.at += 1
    if s.at >= s.n and s.width > 0.0:
        refill(e, s)


# ---- one neuron


cdef inline void settle(const Class* k, Neuron* s, double t) noexcept nogil:
    """Advance a neuron's state to t, through the end of refractoriness if that lies between."""
    if t < s.release:
        k.model.hold(k.c, s, t - s.t)
    else:
        if s.t < s.release:
            k.model.hold(k.c, s, s.release - s.t)
            s.t = s.release
        if t > s.t:
            k.model.flow(k.c, s, t - s.t)
    s.t = t


cdef inline double predict(const Class* k, const Neuron* s) noexcept nogil:
    """Time of the first crossing if nothing else happens."""
    cdef Neuron released
    if s.t < s.release:
        released = s[0]
        k.model.hold(k.c, &released, s.release - s.t)
        return s.release + k.model.crossing(k.c, &released)
    return s.t + k.model.crossing(k.c, s)


cdef void sample(Core* e, int32_t n, double before) noexcept nogil:
    """Samples of neuron n at times before the next change of its state, from a copy of it."""
    cdef int64_t w
    cdef Watch* watch
    cdef Probe* probe
    cdef Neuron* s = &e.neurons[n]
    cdef Class* k = &e.classes[s.class_of]
    cdef Neuron copy
    cdef int i, variable
    cdef double value
    for w in range(e.watch_start[n], e.watch_start[n + 1]):
        watch = &e.watches[w]
        probe = &e.probes[watch.probe]
        while watch.at < probe.n_times and probe.time[watch.at] < before:
            copy = s[0]
            settle(k, &copy, probe.time[watch.at])
            for i in range(probe.n_variables):
                variable = probe.variable[i]
                value = copy.v + k.c[C_E_L] if variable == 0 else copy.current[variable - 1]
                probe.out[(i * probe.n + watch.row) * probe.n_times + watch.at] = value
            watch.at += 1


cdef void send(Core* e, int32_t n, double t, int32_t projection, int32_t row) noexcept nogil:
    """Queue a spike of neuron n at t on one of its rows."""
    cdef Projection* p = &e.projections[projection]
    cdef Row entry
    entry.first = p.start[row]
    if entry.first == p.start[row + 1]:
        return
    entry.fired = t
    entry.fired_round = e.round
    entry.projection = projection
    entry.row = row
    entry.ordinal = e.neurons[n].spikes
    queue_slice(e, p, &entry)


cdef inline void queue_slice(Core* e, const Projection* p, Row* entry) noexcept nogil:
    entry.time = entry.fired + p.delay[0 if p.one_delay else entry.first]
    entry.round = entry.fired_round + 1 if entry.time == entry.fired else 0
    if not row_push(&e.rows, entry):
        fail(e, NO_MEMORY, entry.time, 0)


cdef void fire(Core* e, int32_t n, double t) noexcept nogil:
    cdef Neuron* s = &e.neurons[n]
    cdef const double* c
    cdef int64_t k, millisecond
    e.fired += 1
    if e.recorded[n]:
        keep_spike(e, n, t)
    if s.class_of >= 0:
        c = e.classes[s.class_of].c
        s.v = c[C_RESET]
        s.release = t + c[C_T_REF]
    millisecond = <int64_t>floor(t)
    if millisecond != s.millisecond:
        s.millisecond = millisecond
        s.burst = 0
    s.burst += 1
    if s.burst > e.max_spikes:
        fail(e, TOO_MANY_SPIKES, t, n)
    for k in range(e.outgoing_start[n], e.outgoing_start[n + 1]):
        send(e, n, t, e.outgoing_projection[k], e.outgoing_row[k])
    s.spikes += 1


cdef void keep_spike(Core* e, int32_t n, double t) noexcept nogil:
    cdef int64_t room
    cdef void* grown
    if e.n_spikes == e.spike_room:
        room = 2 * e.spike_room + 1024
        grown = realloc(e.spike_time, room * sizeof(double))
        if grown != NULL:
            e.spike_time = <double*>grown
            grown = realloc(e.spike_neuron, room * sizeof(int32_t))
        if grown == NULL:
            fail(e, NO_MEMORY, t, n)
            return
        e.spike_neuron = <int32_t*>grown
        e.spike_room = room
    e.spike_time[e.n_spikes] = t
    e.spike_neuron[e.n_spikes] = n
    e.n_spikes += 1


cdef bint external_input(Core* e, int32_t n, double t, double* total) noexcept nogil:
    """Add up the external spikes at t by port, in the order of the stimuli; those of a source are its own spikes."""
    cdef int64_t k
    cdef Stream* s
    cdef bint any = False
    for k in range(e.stream_start[n], e.stream_start[n + 1]):
        s = &e.streams[k]
        while stream_first(s) == t:
            any = True
            e.external_events += 1
            if e.neurons[n].class_of < 0:
                fire(e, n, t)
            else:
                total[s.port] = total[s.port] + s.weight
            stream_next(e, s)
    return any


cdef inline double next_event(const Core* e, int32_t n) noexcept nogil:
    """The first of a neuron's crossing, external spikes and change of current."""
    cdef const Neuron* s = &e.neurons[n]
    cdef double first = s.crossing
    cdef double other
    cdef int64_t k
    for k in range(e.stream_start[n], e.stream_start[n + 1]):
        other = stream_first(&e.streams[k])
        if other < first:
            first = other
    if s.programme >= 0 and e.programme_start[s.programme] + s.step < e.programme_start[s.programme + 1]:
        other = e.programme_time[e.programme_start[s.programme] + s.step]
        if other < first:
            first = other
    return first


cdef bint change_current(Core* e, int32_t n, double t) noexcept nogil:
    """Carry out the neuron's change of current at t, if there is one."""
    cdef Neuron* s = &e.neurons[n]
    cdef Class* k
    cdef int64_t at
    if s.programme < 0:
        return False
    at = e.programme_start[s.programme] + s.step
    if at >= e.programme_start[s.programme + 1] or e.programme_time[at] != t:
        return False
    k = &e.classes[s.class_of]
    settle(k, s, t)
    s.drive = k.c[C_R] * (e.I_e[n] + e.programme_amplitude[at])
    s.step += 1
    return True


cdef void process(Core* e, int32_t n, double t) noexcept nogil:
    """Everything that happens to neuron n at t: crossing, change of current, input, threshold test, prediction."""
    cdef Neuron* s = &e.neurons[n]
    cdef Class* k = &e.classes[s.class_of]
    cdef bint changed = False
    cdef bint input
    cdef double total[2]
    total[0] = total[1] = 0.0
    e.updates += 1
    if e.watch_start != NULL:
        sample(e, n, t)
    if t == s.crossing:
        settle(k, s, t)
        fire(e, n, t)
        changed = True
    if change_current(e, n, t):
        changed = True
    input = t == s.next and external_input(e, n, t, total)
    if t == s.pending:
        s.pending = infinity()
        total[0] = s.input[0] + total[0]
        total[1] = s.input[1] + total[1]
        input = True
    if input and s.class_of >= 0 and not (k.model.instantaneous and t < s.release):
        settle(k, s, t)
        k.model.receive(s, total)
        if t >= s.release and s.v >= k.c[C_THRESHOLD]:
            fire(e, n, t)
        changed = True
    if changed:
        s.crossing = predict(k, s)
        s.next = next_event(e, n)
    elif t == s.next:
        s.next = next_event(e, n)


cdef void process_before(Core* e, int32_t n, double stop) noexcept nogil:
    """All events of neuron n before stop."""
    cdef Neuron* s = &e.neurons[n]
    cdef double t
    cdef double last = -1.0
    cdef int32_t rounds = 0
    while True:
        t = s.next if s.next < s.pending else s.pending
        if not t < stop:
            return
        rounds = rounds + 1 if t == last else 0
        last = t
        if rounds > e.max_rounds:
            fail(e, TOO_MANY_ROUNDS, t, n)
        if e.status != RUNNING and t >= e.failed_at:
            return
        process(e, n, t)


# ---- the schedule


cdef inline void touch(Core* e, int32_t n) noexcept nogil:
    if not e.neurons[n].touched:
        e.neurons[n].touched = 1
        e.touched[e.n_touched] = n
        e.n_touched += 1


cdef inline void deliver(Core* e, int32_t n, double t, double weight, int port) noexcept nogil:
    """Add one synapse's weight to the input pending at t."""
    cdef Neuron* s = &e.neurons[n]
    cdef Class* k = &e.classes[s.class_of]
    if port < 0:
        port = weight < 0.0 and k.model.ports > 1
    if s.pending == t:
        s.input[port] = s.input[port] + weight
        return
    if s.next < t or s.pending < t:
        process_before(e, n, t)
        if e.status != RUNNING and not t < e.failed_at:
            return
    touch(e, n)
    s.pending = t
    s.input[port] = weight
    s.input[1 - port] = 0.0


cdef void deliver_rows(Core* e, double stop) noexcept nogil:
    """(a) All rows that arrive before stop; of a single instant those of the present round."""
    cdef Row row
    cdef Projection* p
    cdef int64_t i, end
    cdef double delay
    while e.rows.size and e.rows.heap[0].time < stop and e.rows.heap[0].round <= e.round:
        row = e.rows.heap[0]
        row_pop(&e.rows)
        e.rows_popped += 1
        p = &e.projections[row.projection]
        end = p.start[row.row + 1]
        i = row.first
        delay = p.delay[0 if p.one_delay else i]
        while i < end and (p.one_delay or p.delay[i] == delay):
            deliver(e, p.target[i], row.time, p.weight[0 if p.one_weight else i], p.port)
            i += 1
        e.synaptic_events += i - row.first
        if i < end:
            row.first = i
            queue_slice(e, p, &row)


cdef void process_touched(Core* e, double stop, bint instant) noexcept nogil:
    """(b) and (c)."""
    cdef int64_t i
    cdef int32_t n
    cdef Neuron* s
    while wake_first(&e.wakes) < stop:
        n = e.wakes.neuron[0]
        wake_set(&e.wakes, n, infinity())
        touch(e, n)
    for i in range(e.n_touched):
        n = e.touched[i]
        s = &e.neurons[n]
        s.touched = 0
        if instant:
            # What follows from it at the same time is the next round.
            process(e, n, e.instant)
        else:
            process_before(e, n, stop)
        wake_set(&e.wakes, n, s.next)
    e.n_touched = 0


cdef int32_t first_due(const Core* e, double t) noexcept nogil:
    """The first neuron with anything to do in the present round at t."""
    cdef int32_t first = <int32_t>e.n
    cdef int64_t i, k
    cdef const Row* row
    cdef const Projection* p
    for i in range(e.wakes.size):
        if e.wakes.time[i] == t and e.wakes.neuron[i] < first:
            first = e.wakes.neuron[i]
    for i in range(e.rows.size):
        row = &e.rows.heap[i]
        p = &e.projections[row.projection]
        if row.time == t and row.round == e.round:
            for k in range(row.first, p.start[row.row + 1]):
                if (p.one_delay or row.fired + p.delay[k] == t) and p.target[k] < first:
                    first = p.target[k]
    return first


cdef bint advance_window(Core* e, double stop) noexcept nogil:
    """One window, or one round of one instant; False when nothing is left before stop."""
    cdef double t = min(row_first(&e.rows), wake_first(&e.wakes))
    cdef double end
    cdef bint instant
    if not t < stop:
        e.time = stop
        return False
    end = (floor(t / e.window) + 1.0) * e.window if e.window > 0.0 else t
    instant = not end > t
    if instant:
        end = nextafter(t, infinity())
        e.round = e.round + 1 if t == e.instant else 0
        e.instant = t
        if e.round > e.max_rounds:
            fail(e, TOO_MANY_ROUNDS, t, first_due(e, t))
            return False
    else:
        e.round = 0
    if end > stop:
        end = stop
    deliver_rows(e, end)
    process_touched(e, end, instant)
    e.time = t if instant else end
    return e.status == RUNNING


cdef bint advance(Core* e, double stop, int64_t budget) noexcept nogil:
    """Windows until stop, failure, or budget events; True when stop is reached or the run failed."""
    cdef int64_t limit = e.synaptic_events + e.updates + budget
    while advance_window(e, stop):
        if e.synaptic_events + e.updates >= limit:
            return False
    return True


# ---- the Python side


@cython.final
cdef class Engine:
    """State of a compiled network, and the loop over it. Holds every array that the kernels point into."""

    cdef Core core
    cdef object plan
    cdef list held                # arrays that the kernels point into: those of the plan, then those of the present run
    cdef int64_t held_by_plan
    cdef list sampled

    def __init__(self, plan):
        cdef Core* e = &self.core
        self.plan = plan
        self.held = []
        self.sampled = []
        e.n = plan.n
        e.window = plan.window
        e.max_rounds = min(plan.max_rounds, 2**31 - 2)
        e.max_spikes = min(plan.max_spikes, 2**63 - 1)
        e.instant = -1.0
        e.neurons = <Neuron*>self.allocate(plan.n, sizeof(Neuron))
        e.touched = <int32_t*>self.allocate(plan.n, sizeof(int32_t))
        e.wakes.time = <double*>self.allocate(plan.n, sizeof(double))
        e.wakes.neuron = <int32_t*>self.allocate(plan.n, sizeof(int32_t))
        e.wakes.place = <int32_t*>self.allocate(plan.n, sizeof(int32_t))
        e.I_e = <const double*>self.hold(plan.I_e, np.float64)
        e.recorded = <const uint8_t*>self.hold(plan.recorded, np.uint8)
        self.build_classes()
        self.build_streams()
        self.build_projections()
        self.build_neurons()
        self.held_by_plan = len(self.held)

    def __dealloc__(self):
        free(self.core.rows.heap)
        free(self.core.spike_time)
        free(self.core.spike_neuron)

    cdef void* hold(self, array, dtype) except? NULL:
        """Keep an array alive, contiguous and of this type, and return where its data lie."""
        kept = np.ascontiguousarray(array, dtype=dtype)
        self.held.append(kept)
        return <void*><size_t>kept.ctypes.data

    cdef void* allocate(self, int64_t n, size_t size) except? NULL:
        return self.hold(np.zeros(max(n, 1) * size, dtype=np.uint8), np.uint8)

    cdef build_classes(self):
        cdef Core* e = &self.core
        cdef int64_t k
        cdef int64_t row = self.plan.constants.shape[1]
        cdef const double* constants = <const double*>self.hold(self.plan.constants, np.float64)
        models = [<size_t>PyCapsule_GetPointer(model.kernel, "eventsnn.Model") for model in self.plan.models]
        e.classes = <Class*>self.allocate(len(self.plan.class_model), sizeof(Class))
        for k in range(len(self.plan.class_model)):
            e.classes[k].model = <const Model*><size_t>models[self.plan.class_model[k]]
            e.classes[k].c = constants + k * row

    cdef build_streams(self):
        cdef Core* e = &self.core
        cdef int64_t k
        cdef int64_t n = len(self.plan.streams.key)
        cdef Stream* s
        plan = self.plan.streams
        cdef const uint64_t[::1] key = plan.key
        cdef const uint32_t[::1] index = plan.index
        cdef const double[::1] rate = plan.rate
        cdef const double[::1] width = plan.width
        cdef const double[::1] weight = plan.weight
        cdef const int32_t[::1] port = plan.port
        cdef const int64_t[::1] train_start = plan.train_start
        cdef const int64_t[::1] train_stop = plan.train_stop
        cdef const double* train = <const double*>self.hold(plan.train_time, np.float64)
        e.stream_start = <const int64_t*>self.hold(plan.start, np.int64)
        e.streams = <Stream*>self.allocate(n, sizeof(Stream))
        e.stream_time = <double*>self.allocate(KEPT * n if np.any(plan.width > 0) else 0, sizeof(double))
        for k in range(n):
            s = &e.streams[k]
            s.key = key[k]
            s.index = index[k]
            s.port = port[k]
            s.weight = weight[k]
            s.width = width[k]
            if s.width > 0.0:
                s.mean = rate[k] / 1000.0 * s.width
                s.exp_minus_mean = exp(-s.mean)
                refill(e, s)
            else:
                s.time = train + train_start[k]
                s.n = train_stop[k] - train_start[k]

    cdef build_projections(self):
        cdef Core* e = &self.core
        cdef Projection* p
        plans = self.plan.projections
        e.projections = <Projection*>self.allocate(len(plans), sizeof(Projection))
        for k, plan in enumerate(plans):
            p = &e.projections[k]
            p.start = <const int64_t*>self.hold(plan.start, np.int64)
            p.target = <const int32_t*>self.hold(plan.target, np.int32)
            p.weight = <const double*>self.hold(plan.weight, np.float64)
            p.delay = <const double*>self.hold(plan.delay, np.float64)
            p.one_weight = plan.weight.size == 1
            p.one_delay = plan.delay.size == 1
            p.port = plan.port
        pre = np.concatenate([plan.pre for plan in plans]) if plans else np.empty(0, dtype=np.int32)
        sizes = [plan.pre.size for plan in plans]
        order = np.argsort(pre, kind="stable")
        projection = np.repeat(np.arange(len(plans)), sizes)
        row = np.concatenate([np.arange(size) for size in sizes]) if plans else np.empty(0)
        e.outgoing_start = <const int64_t*>self.hold(np.searchsorted(pre[order], np.arange(e.n + 1)), np.int64)
        e.outgoing_projection = <const int32_t*>self.hold(projection[order], np.int32)
        e.outgoing_row = <const int32_t*>self.hold(row[order], np.int32)

    cdef build_neurons(self):
        cdef Core* e = &self.core
        cdef Neuron* s
        cdef int32_t n
        cdef const double[::1] v = self.plan.v
        cdef const double[:, ::1] current = self.plan.current
        cdef const int32_t[::1] class_of = self.plan.class_of
        cdef const int32_t[::1] programme = self.plan.currents.of
        e.programme_start = <const int64_t*>self.hold(self.plan.currents.start, np.int64)
        e.programme_time = <const double*>self.hold(self.plan.currents.time, np.float64)
        e.programme_amplitude = <const double*>self.hold(self.plan.currents.amplitude, np.float64)
        for n in range(e.n):
            s = &e.neurons[n]
            s.v = v[n]
            s.current[0] = current[n, 0]
            s.current[1] = current[n, 1]
            s.class_of = class_of[n]
            s.programme = programme[n]
            s.millisecond = -1
            s.pending = s.crossing = infinity()
            e.wakes.place[n] = -1
            if s.class_of >= 0:
                s.drive = e.classes[s.class_of].c[C_R] * e.I_e[n]
                s.crossing = predict(&e.classes[s.class_of], s)
            s.next = next_event(e, n)
            wake_set(&e.wakes, n, s.next)

    @property
    def time(self):
        """Everything before this time (ms) has been processed."""
        return self.core.time

    @property
    def failure(self):
        """None, or (neuron, time, reason) of the run-away that ended the run."""
        if self.core.status == NO_MEMORY:
            raise MemoryError("the run needs more memory for spikes on their way than there is")
        return None if self.core.status == RUNNING else (self.core.failed, self.core.failed_at,
        REASONS[self.core.status])

    @property
    def counters(self):
        cdef Core* e = &self.core
        return {
            "synaptic_events": e.synaptic_events, "external_events": e.external_events, "neuron_updates": e.updates,
            "spikes": e.fired, "rows": e.rows_popped,
        }  # fmt: skip

    def advance(self, double stop, int64_t budget):
        """Process about `budget` events before `stop` (ms); True when none is left or the run failed."""
        cdef bint done
        cdef int64_t w
        with nogil:
            done = advance(&self.core, stop, budget)
        if done and self.core.watch_start != NULL:
            for w in range(self.core.watch_start[self.core.n]):
                sample(&self.core, self.core.watches[w].neuron, self.core.time)
        return done

    def take_spikes(self):
        """Times (ms) and neurons of the spikes since the last call, in no particular order."""
        cdef int64_t n = self.core.n_spikes
        times = np.empty(n)
        neurons = np.empty(n, dtype=np.int32)
        if n:
            times[:] = <double[:n]>self.core.spike_time
            neurons[:] = <int32_t[:n]>self.core.spike_neuron
        self.core.n_spikes = 0
        return times, neurons

    def set_samples(self, list times):
        """Begin a run: probe k will be sampled at times[k]; the result appears in `samples`."""
        cdef Core* e = &self.core
        cdef Probe* probe
        cdef Watch* watch
        cdef int64_t at, w
        plans = self.plan.probes
        e.watch_start = NULL
        if not any(at.size for at in times):
            self.sampled = [np.zeros((len(plan.variables), plan.neuron.size, 0)) for plan in plans]
            return
        self.sampled = []
        self.held = self.held[: self.held_by_plan]
        e.probes = <Probe*>self.allocate(len(plans), sizeof(Probe))
        for k, plan in enumerate(plans):
            out = np.zeros((len(plan.variables), plan.neuron.size, times[k].size))
            self.sampled.append(out)
            probe = &e.probes[k]
            probe.n = plan.neuron.size
            probe.time = <const double*>self.hold(times[k], np.float64)
            probe.n_times = times[k].size
            probe.n_variables = len(plan.variables)
            probe.variable = <const int32_t*>self.hold(plan.variable, np.int32)
            probe.out = <double*>self.hold(out, np.float64)
        neuron = np.concatenate([plan.neuron for plan in plans])
        of_probe = np.repeat(np.arange(len(plans)), [plan.neuron.size for plan in plans])
        row = np.concatenate([np.arange(plan.neuron.size) for plan in plans])
        order = np.argsort(neuron, kind="stable")
        e.watches = <Watch*>self.allocate(neuron.size, sizeof(Watch))
        for w, at in enumerate(order):
            watch = &e.watches[w]
            watch.neuron = neuron[at]
            watch.probe = of_probe[at]
            watch.row = row[at]
        e.watch_start = <const int64_t*>self.hold(np.searchsorted(neuron[order], np.arange(e.n + 1)), np.int64)

    @property
    def samples(self):
        """For every probe the arrays (ids, samples) of its variables by name."""
        return [dict(zip(plan.variables, out)) for plan, out in zip(self.plan.probes, self.sampled)]

    def state(self):
        """Every neuron's state as it stands, at the time of its own last event."""
        cdef int64_t n
        cdef double[:, ::1] out = np.empty((6, self.core.n))
        cdef Neuron* s
        for n in range(self.core.n):
            s = &self.core.neurons[n]
            out[0, n], out[1, n], out[2, n], out[3, n] = s.t, s.v, s.current[0], s.current[1]
            out[4, n], out[5, n] = s.drive, s.release
        return dict(zip(("t", "v", "ex", "in", "drive", "release"), np.asarray(out)))
