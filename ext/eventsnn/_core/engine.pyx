"""The compiled engine: lookahead windows over a queue of spike rows and a queue of neurons' own events.

The schedule. Windows have a width W that is a power of two and not above the smallest delay; window k is [kW,
(k+1)W). A spike fired inside a window arrives at fl(t + d) >= (k+1)W, because kW + W is exact and rounding is
monotone. So all input of a window is known when it begins, and its neurons do not depend on each other. For every
window in which anything happens:

(a) Rows. Rows that arrive inside the window are taken in canonical order, and what they bring is put side by side for
    each neuron, in that order. No neuron's state is touched. Depends on: the queue.
(b) Wakes. Neurons whose own next event (crossing, external spike, change of current) lies in the window join the
    list of those that rows reach. Depends on: the state before the window.
(c) Neurons. Every listed neuron goes through its events up to the end of the window, in time order, and then queues
    its next own event. All that arrives at one time is added up before the one threshold test, whoever sent it. Spikes
    push rows, all of them beyond the window. Depends on: (a), (b); not on other neurons.

If some delay is 0, or t is so large that W is lost in its last bit, the window is the single instant t; rows that
arrive at the time they were sent form the next round of the same instant. Cutting a window short, at the end of a
run or where more arrives than fits in the cache, changes nothing.
"""

cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport floor, nextafter
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy

import numpy as np

from eventsnn._core.connect cimport Procedure
from eventsnn._core.core cimport (
    NO_MEMORY,
    RUNNING,
    TOO_MANY_INPUTS,
    TOO_MANY_ROUNDS,
    TOO_MANY_SPIKES,
    Core,
    Probe,
    Projection,
    Watch,
    neuron_at,
)
from eventsnn._core.events cimport (
    fail,
    next_outside,
    next_own,
    predict,
    process,
    process_before,
    refine_due,
    sample,
)
from eventsnn._core.inbox cimport AHEAD, CACHE_LINE, first_due, list_rows, list_wakes, prefetch, sort_arrivals
from eventsnn._core.mathfunc cimport exp, infinity
from eventsnn._core.neuron cimport C_R, MOST_KIND_CONSTANTS, UNKNOWN, Class, Model, Neuron, Sine, variables
from eventsnn._core.philox cimport tabulate
from eventsnn._core.queue cimport (
    NEVER,
    Link,
    rows_begin,
    wake_set,
    wheel_advance,
    wheel_begin,
    wheel_due,
    wheel_first,
    wheel_take,
)
from eventsnn._core.stream cimport PARAMETERS, POISSON, SINE, STEPS, STEPS_MEAN, TRAIN, Source, Stream, stream_begin
from eventsnn._core.synapses cimport give_up_rows

# Tables of factors, and how many neurons must share one.
MOST_KINDS = 8
FEWEST_OF_A_KIND = 4

REASONS = {TOO_MANY_SPIKES: "spikes", TOO_MANY_ROUNDS: "rounds", TOO_MANY_INPUTS: "inputs"}


cdef extern from *:
    """
    #include <time.h>
    static double eventsnn_seconds(void) {
        struct timespec now;
        timespec_get(&now, TIME_UTC);
        return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    }
    """
    double seconds "eventsnn_seconds"() noexcept nogil


# ---- the schedule


cdef void process_touched(Core* e, double stop, bint instant) noexcept nogil:
    """(c) What happens before stop to the neurons that are listed."""
    cdef int64_t i
    cdef int32_t n
    cdef Neuron* s
    cdef int64_t next, end
    for i in range(e.n_touched):
        # Fetch what neurons further on in the list need: first the neuron, later its streams if they are due. Not in a
        # function of its own: gcc takes one that only prefetches for one that does nothing, and leaves it out.
        s = neuron_at(e, e.touched[min(i + 2 * AHEAD, e.n_touched - 1)])
        prefetch(s)
        prefetch(<const char*>s + CACHE_LINE)
        prefetch(&e.wakes.link[e.touched[min(i + 2 * AHEAD, e.n_touched - 1)]])
        s = neuron_at(e, e.touched[min(i + AHEAD, e.n_touched - 1)])
        if s.outside < stop and s.n_streams:
            prefetch(s.streams)
            prefetch(&s.streams.kept[2])
        n = e.touched[i]
        s = neuron_at(e, n)
        next = e.inbox.start[i]
        end = e.inbox.place[n]
        e.inbox.place[n] = 0
        if instant:
            # What follows from it at the same time is the next round.
            refine_due(e, s, e.instant)
            process(e, n, e.instant, next, end)
            if s.bounded == UNKNOWN:
                predict(e, s)
        else:
            process_before(e, n, stop, next, end)
        wake_set(&e.wakes, n, next_own(s))
    e.updates += e.n_touched
    e.n_touched = 0


cdef bint begin_round(Core* e, double t) noexcept nogil:
    """The next round of what happens at t; False if nothing does, or if there are too many."""
    cdef int32_t next
    cdef int32_t n = wheel_take(&e.wakes)
    # Entries may lie too early, and nothing happens at a bound: neither must count as a round.
    while n >= 0:
        next = e.wakes.link[n].next
        e.wakes.link[n].key = NEVER
        refine_due(e, neuron_at(e, n), t)
        wake_set(&e.wakes, n, next_own(neuron_at(e, n)))
        n = next
    if not (wheel_due(&e.wakes) or wheel_due(&e.rows.wheel)):
        return False
    e.round = e.round + 1 if t == e.instant else 0
    e.instant = t
    if e.round > e.max_rounds:
        fail(e, TOO_MANY_ROUNDS, t, first_due(e, t))
        return False
    return True


cdef bint advance_window(Core* e, double stop) noexcept nogil:
    """One window, or one round of one instant; False when nothing is left before stop."""
    # Both queues know of the first entry only that it is not earlier, and may lead to a time at which nothing happens.
    cdef double t = max(min(wheel_first(&e.rows.wheel), wheel_first(&e.wakes), e.rows.late), e.time)
    cdef double end
    # Reading the clock would cost a single instant more than what happens in it.
    cdef double began = seconds() if e.window > 0.0 else 0.0
    cdef double listed = 0.0
    cdef bint instant
    if not t < stop:
        e.time = stop
        return False
    wheel_advance(&e.rows.wheel, t)
    wheel_advance(&e.wakes, t)
    end = (floor(t / e.window) + 1.0) * e.window if e.window > 0.0 else t
    instant = not end > t
    if instant:
        if not begin_round(e, t):
            return e.status == RUNNING
        end = nextafter(t, infinity())
    else:
        e.round = 0
    end = list_rows(e, min(end, stop))
    list_wakes(e, end)
    if e.status != NO_MEMORY and not sort_arrivals(e):
        fail(e, NO_MEMORY, t, 0)
    if e.status == NO_MEMORY:
        return False
    if e.window > 0.0:
        listed = seconds()
        e.collecting += listed - began
    process_touched(e, end, instant)
    if e.window > 0.0:
        e.processing += seconds() - listed
    if e.status != NO_MEMORY:
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


def layout_of(model):
    """What the factors of two models depend on beside their constants."""
    return model.shape, model.by_sign


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
        e.max_spikes = min(plan.max_spikes, 2**31 - 2)
        e.instant = -1.0
        self.build_classes()
        e.records = <char*>self.allocate(plan.n, e.stride)
        e.scratch = <Neuron*>self.allocate(1, e.stride)
        e.touched = <int32_t*>self.allocate(2 * plan.n + 1, sizeof(int32_t))
        e.inbox.place = <int64_t*>self.allocate(plan.n, sizeof(int64_t))
        e.inbox.start = <int64_t*>self.allocate(plan.n, sizeof(int64_t))
        wheel_begin(&e.wakes, <Link*>self.allocate(plan.n, sizeof(Link)), e.window)
        rows_begin(&e.rows, e.window)
        e.I_e = <const double*>self.hold(plan.I_e, np.float64)
        e.recorded = <const uint8_t*>self.hold(plan.recorded, np.uint8)
        self.build_streams()
        self.build_projections()
        self.build_neurons()
        self.held_by_plan = len(self.held)

    def __dealloc__(self):
        give_up_rows(&self.core)
        free(self.core.rows.wheel.link)
        free(self.core.rows.row)
        free(self.core.rows.due)
        free(self.core.rows.order)
        free(self.core.rows.begin)
        free(self.core.inbox.row)
        free(self.core.inbox.factor)
        free(self.core.inbox.row_of)
        free(self.core.inbox.weight)
        free(self.core.spike_time)
        free(self.core.spike_neuron)

    cdef void* hold(self, array, dtype) except? NULL:
        """Keep an array alive, contiguous and of this type, and return where its data lie."""
        kept = np.ascontiguousarray(array, dtype=dtype)
        self.held.append(kept)
        return <void*><size_t>kept.ctypes.data

    cdef void* allocate(self, int64_t n, size_t size) except? NULL:
        """Zeros, from a boundary of the cache's lines on."""
        cdef size_t start
        start = <size_t>self.hold(np.zeros(max(n, 1) * size + CACHE_LINE, dtype=np.uint8), np.uint8)
        return <void*>(start + CACHE_LINE - start % CACHE_LINE)

    cdef build_classes(self):
        cdef Core* e = &self.core
        cdef Model* m
        cdef int64_t k
        cdef int64_t behind = 0
        cdef int64_t row = self.plan.constants.shape[1]
        cdef const double* constants = <const double*>self.hold(self.plan.constants, np.float64)
        cdef Model* models = <Model*>self.allocate(len(self.plan.models), sizeof(Model))
        for k, model in enumerate(self.plan.models):
            m = &models[k]
            m[0] = (<Model*>PyCapsule_GetPointer(model.kernel, "eventsnn.Model"))[0]
            shape = model.shape
            m.ports = len(model.ports)
            if model.by_sign is not None:
                m.by_sign[0], m.by_sign[1] = model.by_sign
            m.instantaneous = model.instantaneous
            m.n_slots, m.n_currents, m.n_alpha = shape.n_slots, shape.n_currents, shape.n_alpha
            m.n_thresholds, m.n_driven = shape.n_thresholds, shape.n_driven
            m.leaks, m.clamped, m.resets = shape.leaks, shape.clamped, shape.resets
            for port, slot in enumerate(shape.targets):
                m.target[port] = slot
            m.fit(m)
            behind = max(behind, <int64_t>((m.n_slots + m.n_currents + m.n_alpha) * sizeof(double)))
        e.stride = (sizeof(Neuron) + behind + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE
        e.classes = <Class*>self.allocate(len(self.plan.class_model), sizeof(Class))
        for k in range(len(self.plan.class_model)):
            e.classes[k].model = &models[<int64_t>self.plan.class_model[k]]
            e.classes[k].c = constants + k * row
        self.build_kinds()

    cdef build_kinds(self):
        """Number the kinds of neurons whose inputs have the same factors, the largest MOST_KINDS of them."""
        cdef Core* e = &self.core
        cdef double[:, ::1] constants = np.zeros((len(self.plan.class_model), 1 + MOST_KIND_CONSTANTS))
        cdef int64_t k
        cdef const Class* c
        e.inbox.width = e.window
        e.inbox.filled = <int32_t*>self.allocate(MOST_KINDS, sizeof(int32_t))
        layouts = [layout_of(model) for model in self.plan.models]
        for k in range(constants.shape[0]):
            c = &e.classes[k]
            e.classes[k].kind = -1
            constants[k, 0] = layouts.index(layout_of(self.plan.models[self.plan.class_model[k]]))
            if c.model.skim != NULL:
                c.model.kind(c, &constants[k, 1])
        _, kinds = np.unique(np.asarray(constants), axis=0, return_inverse=True)
        kinds = kinds.reshape(-1)
        neurons = np.bincount(kinds[self.plan.class_of[self.plan.class_of >= 0]])
        chosen = np.argsort(-neurons, kind="stable")[:MOST_KINDS]
        for number, kind in enumerate(chosen):
            if neurons[kind] >= FEWEST_OF_A_KIND:
                e.inbox.n_kinds = number + 1
                for k in np.flatnonzero(kinds == kind):
                    if e.classes[k].model.skim != NULL:
                        e.classes[k].kind = number

    cdef build_streams(self):
        """Streams that differ only in their index, or in the spikes given, share a Source."""
        cdef Core* e = &self.core
        cdef int64_t k
        cdef int32_t i
        cdef Stream* s
        cdef Source* d
        plan = self.plan.streams
        columns = [plan.key, plan.weight.view(np.uint64), *plan.parameter.T.copy().view(np.uint64)]
        columns += [c.astype(np.uint64) for c in (plan.kind, plan.port, plan.stationary, plan.piece_start)]
        _, first, which = np.unique(np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True)
        cdef const int64_t[::1] source_of = which.reshape(-1)
        cdef const uint32_t[::1] index = plan.index
        cdef const int64_t[::1] train_start = plan.train_start
        cdef const int64_t[::1] train_stop = plan.train_stop
        cdef const double* train = <const double*>self.hold(plan.train_time, np.float64)
        cdef const double* piece_time = <const double*>self.hold(plan.piece_time, np.float64)
        cdef const double* piece_share = <const double*>self.hold(plan.piece_share, np.float64)
        cdef const double* piece_width = <const double*>self.hold(plan.piece_width, np.float64)
        cdef const int32_t* piece_run = <const int32_t*>self.hold(plan.piece_run, np.int32)
        cdef int64_t piece
        e.sources = <Source*>self.allocate(len(first), sizeof(Source))
        for k, at in enumerate(first):
            d = &e.sources[k]
            d.key = plan.key[at]
            d.weight = plan.weight[at]
            d.port = plan.port[at]
            d.kind = plan.kind[at]
            d.stationary = plan.stationary[at]
            for i in range(PARAMETERS):
                d.parameter[i] = plan.parameter[at, i]
            if d.kind == POISSON or d.kind == SINE:
                d.width = d.parameter[0]
                d.mean = d.parameter[1]
            elif d.kind == STEPS:
                d.mean = STEPS_MEAN
            d.exp_minus_mean = exp(-d.mean)
            tabulate(d.mean, d.exp_minus_mean, d.least)
            piece = plan.piece_start[at]
            d.n_pieces = plan.piece_stop[at] - piece
            d.piece_time = piece_time + piece
            d.piece_share = piece_share + piece
            d.piece_width = piece_width + piece
            d.piece_run = piece_run + piece
        e.streams = <Stream*>self.allocate(len(plan.key), sizeof(Stream))
        for k in range(len(plan.key)):
            s = &e.streams[k]
            s.source = source_of[k]
            s.index = index[k]
            if e.sources[s.source].kind == TRAIN:
                s.train = train + train_start[k]
                s.n = train_stop[k] - train_start[k]
                s.first = s.train[0] if s.n else infinity()
            else:
                stream_begin(e.sources, s)

    cdef build_projections(self):
        cdef Core* e = &self.core
        cdef Projection* p
        plans = self.plan.projections
        e.projections = <Projection*>self.allocate(len(plans), sizeof(Projection))
        for k, plan in enumerate(plans):
            p = &e.projections[k]
            p.port = plan.port
            p.one_weight, p.one_delay = plan.weight.size == 1, plan.delay.size == 1
            if plan.weight.dtype == np.float32:
                p.weight32 = <const float*>self.hold(plan.weight, np.float32)
            else:
                p.weight = <const double*>self.hold(plan.weight, np.float64)
            p.delay = <const double*>self.hold(plan.delay, np.float64)
            if plan.procedure is not None:
                p.recipe = &(<Procedure>plan.procedure).recipe
                continue
            p.start = <const int64_t*>self.hold(plan.start, np.int64)
            p.target = <const int32_t*>self.hold(plan.target, np.int32)
            if plan.slices is not None:
                p.slice_row = <const int64_t*>self.hold(plan.slices.row, np.int64)
                p.slice_start = <const uint32_t*>self.hold(plan.slices.start, np.uint32)
                p.slice_value = <const uint16_t*>self.hold(plan.slices.value, np.uint16)
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
        cdef const double[:, ::1] variable = self.plan.variables
        cdef int slot
        cdef const int32_t[::1] class_of = self.plan.class_of
        currents = self.plan.currents
        # An inf ends every programme; the last one stands for having none.
        ends = np.append(currents.start[1:], currents.time.size)
        e.change_time = <const double*>self.hold(np.insert(currents.time, ends, np.inf), np.float64)
        e.change_amplitude = <const double*>self.hold(np.insert(currents.amplitude, ends, 0.0), np.float64)
        e.change_slope = <const double*>self.hold(np.insert(currents.slope, ends, 0.0), np.float64)
        sines = np.column_stack([currents.sine_start, np.diff(currents.sine_start, append=0)])[: currents.time.size]
        e.change_sine = <const int32_t*>self.hold(np.insert(sines, ends, 0, axis=0), np.int32)
        e.sines = <const Sine*>self.hold(currents.sine, np.float64)
        n_programmes = currents.start.size - 1
        first = np.append(currents.start[:n_programmes] + np.arange(n_programmes), currents.time.size + n_programmes)
        cdef const int32_t[::1] change = first.astype(np.int32)[currents.of]
        cdef const int64_t[::1] stream_start = self.plan.streams.start
        for n in range(e.n):
            s = neuron_at(e, n)
            s.v = v[n]
            s.class_of = class_of[n]
            s.change = change[n]
            s.streams = e.streams + stream_start[n]
            s.n_streams = stream_start[n + 1] - stream_start[n]
            s.millisecond = -1
            s.crossing = infinity()
            e.wakes.link[n].key = NEVER
            if s.class_of >= 0:
                for slot in range(e.classes[s.class_of].model.n_slots):
                    variables(&e.classes[s.class_of], s)[slot] = variable[n, slot]
                s.drive = e.classes[s.class_of].c[C_R] * e.I_e[n]
                e.classes[s.class_of].model.enter(&e.classes[s.class_of], s)
                predict(e, s)
            s.outside = next_outside(e, s)
            wake_set(&e.wakes, n, next_own(s))

    @property
    def time(self):
        """Everything before this time (ms) has been processed."""
        return self.core.time

    @property
    def failure(self):
        """None, or (neuron, time, reason) of the run-away that ended the run."""
        if self.core.status == RUNNING or self.core.status == NO_MEMORY:
            return None
        return self.core.failed, self.core.failed_at, REASONS[self.core.status]

    @property
    def counters(self):
        cdef Core* e = &self.core
        return {
            "synaptic_events": e.synaptic_events,
            "external_events": e.external_events,
            "queue_pops": e.queue_pops,
            "neuron_updates": e.updates,
            "bounds_due": e.bounds_due,
            "threshold_tests": e.tests,
            "threshold_tests_resolved": e.tests_resolved,
            "spikes": e.fired,
            "collecting_s": e.collecting,
            "processing_s": e.processing,
        }

    def advance(self, double stop, int64_t budget):
        """Process about `budget` events before `stop` (ms); True when none is left or the run failed."""
        cdef bint done
        with nogil:
            done = advance(&self.core, stop, budget)
        if self.core.status == NO_MEMORY:
            raise MemoryError(f"the spikes of the run do not fit into memory; it stopped at {self.core.time:g} ms")
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
            probe.offset = <const double*>self.hold(plan.offset, np.float64)
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
        """For every probe the arrays (ids, samples) of its variables by name, filled up to the time reached."""
        cdef Core* e = &self.core
        cdef int64_t w
        if e.watch_start != NULL:
            for w in range(e.watch_start[e.n]):
                sample(e, e.watches[w].neuron, e.time if self.failure is None else e.failed_at)
        return [dict(zip(plan.variables, out)) for plan, out in zip(self.plan.probes, self.sampled)]

    def bounds(self):
        """For every neuron a time (ms) before which it does not spike if nothing else happens."""
        cdef int64_t n
        cdef double[::1] out = np.empty(self.core.n)
        for n in range(self.core.n):
            out[n] = neuron_at(&self.core, n).crossing
        return np.asarray(out)

    def state(self):
        """Every neuron's state as it stands, at the time of its own last event."""
        cdef Core* e = &self.core
        cdef int64_t n
        cdef const Model* m
        cdef int slot
        cdef double[:, ::1] out = np.empty((5, e.n))
        cdef double[:, ::1] held = np.zeros((e.n, self.plan.variables.shape[1]))
        cdef double[:, ::1] low = np.zeros((e.n, self.plan.variables.shape[1]))
        cdef Neuron* s
        for n in range(e.n):
            s = e.scratch
            memcpy(s, neuron_at(e, n), e.stride)
            if s.class_of >= 0:
                e.classes[s.class_of].model.leave(&e.classes[s.class_of], s)
            out[0, n], out[1, n], out[2, n], out[3, n], out[4, n] = s.t, s.v, s.drive, s.slope, s.release
            if s.class_of < 0:
                continue
            m = e.classes[s.class_of].model
            for slot in range(m.n_slots):
                held[n, slot] = variables(&e.classes[s.class_of], s)[slot]
            for slot in range(m.n_currents + m.n_alpha):
                low[n, slot] = variables(&e.classes[s.class_of], s)[m.n_slots + slot]
        names = ("t", "v", "drive", "slope", "release")
        return dict(zip(names, np.asarray(out))) | {"variables": np.asarray(held), "low": np.asarray(low)}
