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
run or where more arrives than fits in the cache, changes nothing. Hasty neurons, those of delays too short for the
windows of the others, go through each of these alone, in windows or instants of their own.
"""

cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport fabs, floor, nextafter
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy

import os
import threading

import numpy as np

from eventsnn._core.activity cimport (
    COST_OF_LOOK,
    COST_OF_VARIED,
    COST_WITH_CURRENTS,
    FIRST_BLOCK,
    interrupt,
    review,
    turn_off,
    turn_on,
)
from eventsnn._core.begin cimport begin_blocks
from eventsnn._core.blocks cimport ALWAYS_CALM, BY_ACTIVITY, NEVER_CALM, PORTS, STATE, Blocks, Drive, Group
from eventsnn._core.calm cimport state_at
from eventsnn._core.closed_form cimport NARROWEST, PER_UNIT, RATE, RATE_M, THRESHOLD, V_RESET, WIDTH_M, current_at
from eventsnn._core.connect cimport Procedure
from eventsnn._core.crossing cimport BOUND_MARGIN
from eventsnn._core.core cimport (
    NO_MEMORY,
    OUT_OF_RANGE,
    RUNNING,
    TOO_MANY_INPUTS,
    TOO_MANY_ROUNDS,
    TOO_MANY_SPIKES,
    UNSOUND,
    Core,
    Probe,
    Projection,
    Range,
    Team,
    Watch,
    neuron_at,
    prefetch,
    seconds,
)
from eventsnn._core.events cimport (
    fail,
    keep_spike,
    next_outside,
    next_own,
    predict,
    process,
    process_before,
    refine_due,
    sample,
)
from eventsnn._core.inbox cimport AHEAD, CACHE_LINE, first_due, list_rows, list_wakes, sort_arrivals
from eventsnn._core.lanes cimport Met, first_of, is_mine, meet
from eventsnn._core.external cimport PARTS
from eventsnn._core.follow cimport finish_window
from eventsnn._core.frames cimport CELL, SLACK, scale_of
from eventsnn._core.mathfunc cimport exp, infinity
from eventsnn._core.neuron cimport C_R, MOST_CURRENTS, UNKNOWN, Class, Model, Neuron, Sine, variables
from eventsnn._core.philox cimport tabulate
from eventsnn._core.prompt cimport begin_prompts, begin_record, begin_replays, is_prompted, settle_window
from eventsnn._core.queue cimport (
    NEVER,
    Link,
    rows_begin,
    wake_set,
    wheel_advance,
    wheel_begin,
    wheel_due,
    wheel_remove,
    wheel_take,
)
from eventsnn._core.stream cimport (
    MOST_IN_CELL,
    PARAMETERS,
    POISSON,
    SINE,
    STEPS,
    STEPS_MEAN,
    TRAIN,
    Source,
    Stream,
    stream_begin,
)
from eventsnn._core.synapses cimport copy_rows, give_up_rows
from eventsnn._core.together cimport SETTLED_AHEAD, process_together
from eventsnn._core.verify cimport (
    VERIFIES,
    WRONG_BLOCK,
    WRONG_FLAG,
    WRONG_FOLLOWED,
    WRONG_HELD,
    WRONG_LINE,
    WRONG_POOL,
    WRONG_ROW,
    WRONG_WAKE,
    group_of,
    verify,
)
from eventsnn.lanes import calm_groups, hasty_projections, least_delays, most_alike, ranges

# How many neurons must stand together.
FEWEST_OF_A_GROUP = 16
# ms, of a window where most neurons may be calm: what arrives in one is looked through for each of its parts.
LONGEST_WITH_CALM = 0.125
# Sets of parameter values that stay in the cache by themselves.
MOST_CLASSES = 64

# What a unit grows by in a frame, at most, and what external input of a block may come to, in units.
MOST_GROWN = 8.0
MOST_EXTERNAL = 2.0**58

# How often a lane looks whether the others have come before it lets other threads have its processor.
LOOKS = 2000

SENTENCES = {
    WRONG_FLAG: "is neither calm nor held, followed or apart",
    WRONG_LINE: "is calm at its line or beyond a range",
    WRONG_WAKE: "is in the queue of wakes too late or for nothing",
    WRONG_HELD: "is held, but not as those are that are",
    WRONG_FOLLOWED: "is followed, but not as those are that are",
    WRONG_BLOCK: "is in a block that is none",
}
NO_ROOM_LEFT = "the spikes of the run do not fit into memory; it stopped at {:g} ms"
REASONS = {TOO_MANY_SPIKES: "spikes", TOO_MANY_ROUNDS: "rounds", TOO_MANY_INPUTS: "inputs", OUT_OF_RANGE: "state"}


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
        if e.together:
            prefetch(<const char*>s + 2 * CACHE_LINE)
        prefetch(&e.wakes.link[e.touched[min(i + 2 * AHEAD, e.n_touched - 1)]])
        s = neuron_at(e, e.touched[min(i + AHEAD, e.n_touched - 1)])
        if s.outside < stop and s.n_streams:
            prefetch(s.streams)
            prefetch(&s.streams.kept[2])
        if e.many_classes:
            if s.class_of >= 0:
                prefetch(e.classes[s.class_of].c)
                prefetch(e.classes[s.class_of].c + CACHE_LINE // sizeof(double))
            s = neuron_at(e, e.touched[min(i + AHEAD + AHEAD // 2, e.n_touched - 1)])
            if s.class_of >= 0:
                prefetch(&e.classes[s.class_of])
        if e.together and i % SETTLED_AHEAD == 0 and not instant and e.status == RUNNING and not e.prompts.on:
            process_together(e, i, min(i + SETTLED_AHEAD, e.n_touched), stop)
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
        elif e.prompts.on and is_prompted(e, n):
            begin_record(e, n, next, end)
        else:
            process_before(e, n, stop, next, end)
        wake_set(&e.wakes, n, next_own(s))
    e.updates += e.n_touched
    e.n_touched = 0


cdef void refine_present(Core* e, double t) noexcept nogil:
    """Look up the neurons that wake at t. Entries may lie too early, and nothing happens at a bound: neither must count
    as a round."""
    cdef int32_t next
    cdef int32_t n = wheel_take(&e.wakes)
    while n >= 0:
        next = e.wakes.link[n].next
        e.wakes.link[n].key = NEVER
        refine_due(e, neuron_at(e, n), t)
        wake_set(&e.wakes, n, next_own(neuron_at(e, n)))
        n = next


cdef bint is_due(const Core* e) noexcept nogil:
    return wheel_due(&e.wakes) or wheel_due(&e.rows.wheel)


cdef bint count_round(Core* e, double t) noexcept nogil:
    """The next round of what happens at t; False if there are too many."""
    e.round = e.round + 1 if t == e.instant else 0
    e.instant = t
    if e.round > e.max_rounds:
        fail(e, TOO_MANY_ROUNDS, t, first_due(e, t))
        return False
    return True


cdef bint begin_round(Core* e, double t) noexcept nogil:
    """The next round of what happens at t in all lanes; False if nothing does, or if there are too many."""
    refine_present(e, t)
    if e.beside == NULL:
        return meet(e, is_due(e)).due and count_round(e, t)
    refine_present(e.beside, t)
    if not meet(e, is_due(e) or is_due(e.beside)).due:
        return False
    count_round(e.beside, t)
    return count_round(e, t)


cdef void go_to(Core* e, double t) noexcept nogil:
    wheel_advance(&e.rows.wheel, t)
    wheel_advance(&e.wakes, t)


cdef double end_of_window(const Core* e, double t) noexcept nogil:
    """t itself if the window is a single instant."""
    return (floor(t / e.window) + 1.0) * e.window if e.window > 0.0 else t


cdef void take_window(Core* e, double t, double end, bint instant) noexcept nogil:
    """(a), (b) and (c) from t to end, or earlier; or in the present round at t."""
    # Reading the clock would cost a single instant more than what happens in it.
    cdef bint timed = e.window > 0.0 and not e.is_hasty
    cdef double began = seconds() if timed else 0.0
    cdef double listed = 0.0
    begin_prompts(e, t, 0.0 if instant else end)
    end = list_rows(e, end)
    if e.prompts.on:
        e.prompts.stop = end
    list_wakes(e, end)
    if e.status != NO_MEMORY and not sort_arrivals(e):
        fail(e, NO_MEMORY, t, 0)
    if timed:
        listed = seconds()
        e.collecting += listed - began
    if e.status != NO_MEMORY:
        process_touched(e, end, instant)
    if e.prompts.on:
        if e.blocks.on and e.status != NO_MEMORY:
            begin_replays(e)
            finish_window(e, end)
        settle_window(e)
    if e.blocks.on and e.status != NO_MEMORY:
        finish_window(e, end)
    if timed:
        e.processing += seconds() - listed
    if e.status != NO_MEMORY:
        e.time = t if instant else end
    if VERIFIES and not instant and verify(e, &e.failed):
        e.status = UNSOUND


cdef void advance_hasty(Core* e, double stop) noexcept nogil:
    """The hasty lane up to the end of the others' window. Nothing they fire in it reaches hasty neurons so soon."""
    cdef double t = first_of(e)
    cdef double end
    while t < stop and e.status == RUNNING:
        go_to(e, t)
        end = end_of_window(e, t)
        if end > t:
            e.round = 0
            take_window(e, t, min(end, stop), False)
        else:
            refine_present(e, t)
            if is_due(e) and count_round(e, t):
                take_window(e, t, nextafter(t, infinity()), True)
        t = first_of(e)
    if e.status == RUNNING:
        e.time = stop


cdef void advance_window(Core* e, double t, double stop) noexcept nogil:
    """The window, or the round of an instant, in which something may happen at t, the first time in any lane."""
    cdef double end = end_of_window(e, t)
    cdef bint instant = not end > t
    cdef double began
    go_to(e, t)
    if e.blocks.on:
        if instant:
            turn_off(e)
        elif not t < e.blocks.end:
            began = seconds()
            begin_blocks(e, t)
            e.collecting += seconds() - began
        if not e.blocks.end > t:
            turn_off(e)  # t is so large that a block is lost in its last bit
        end = min(end, e.blocks.end)
    if not instant:
        e.round = 0
        take_window(e, t, min(end, stop), False)
        if e.beside != NULL and e.status != NO_MEMORY:
            began = seconds()
            advance_hasty(e.beside, e.time)
            e.processing += seconds() - began
        return
    if e.beside != NULL:
        go_to(e.beside, t)
    if begin_round(e, t):
        take_window(e, t, nextafter(t, infinity()), True)
        if e.beside != NULL:
            take_window(e.beside, t, nextafter(t, infinity()), True)


cdef bint advance(Core* e, double stop, int64_t budget) noexcept nogil:
    """Windows until stop, failure, or budget events; True when stop is reached or the run failed. All lanes at once."""
    cdef Met met = meet(e, False)
    cdef int64_t limit = met.work + budget
    while met.running and met.first < stop and met.work < limit:
        if review(e, &met.activity, met.first):
            met = meet(e, False)
            continue
        advance_window(e, met.first, stop)
        met = meet(e, False)
    if met.running and not met.first < stop:
        e.time = stop
        if e.beside != NULL:
            e.beside.time = stop
    return not (met.running and met.first < stop)


# ---- the Python side


def in_threads(action, int n, *arguments):
    """Run action(k, *arguments) for all k below n at once, each in a thread. False, and nothing done, if there are not
    so many to be had."""
    gate = threading.Event()
    called_off = False

    def begin(k):
        gate.wait()
        if not called_off:
            action(k, *arguments)

    threads = [threading.Thread(target=begin, args=(k,), name=f"eventsnn-{k}") for k in range(1, n)]
    try:
        for thread in threads:
            thread.start()
    except RuntimeError:
        called_off = True
    gate.set()
    if not called_off:
        action(0, *arguments)
    for thread in threads:
        if thread.ident is not None:
            thread.join()
    return not called_off


def layout_of(model):
    """What an input adds to the state depends on this beside constants."""
    return model.shape, model.by_sign


def changes_of(*columns):
    """Number the runs of rows in which no column changes."""
    changes = np.zeros(columns[0].size, dtype=bool)
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return np.cumsum(changes)


cdef void give_up_inputs(Core* e) noexcept nogil:
    """Free what groups have allocated, before they go."""
    cdef int64_t k
    for k in range(e.blocks.n_groups):
        free(e.blocks.group[k].input)
    e.blocks.n_groups = 0


cdef void give_up(Core* e) noexcept nogil:
    """Free what a lane has allocated as it went along."""
    cdef int i
    give_up_inputs(e)
    give_up_rows(e)
    free(e.rows.wheel.link)
    free(e.rows.row)
    free(e.rows.due)
    free(e.rows.order)
    free(e.rows.begin)
    free(e.rows.span)
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
    free(e.blocks.pool)
    free(e.blocks.notes.weight)
    free(e.inbox.arrival)
    free(e.spike_time)
    free(e.spike_neuron)
    free(e.prompts.replay)
    free(e.prompts.due)
    free(e.prompts.kept)
    free(e.prompts.shot)
    free(e.prompts.applied)
    free(e.prompts.row)
    for i in range(2):
        free(e.message[i].fired)
        free(e.message[i].change)


cdef bint can_be_calm(const Class* k) noexcept:
    """Neurons in frames, with jumps or few currents, of which a spike does no more than put V well below the
    threshold."""
    cdef const Model* m = k.model
    cdef double reset
    cdef int port
    if m.take == NULL or k.c[WIDTH_M] == 0.0 or not k.c[NARROWEST] >= CELL or m.resets or k.c[V_RESET] != 0.0:
        return False
    reset = max(k.c[V_RESET + 1], k.c[V_RESET + 2])
    if not (k.c[THRESHOLD] - reset) * k.c[PER_UNIT] > 4.0 * SLACK:
        return False
    if m.n_slots == 0:
        return m.ports == 1
    for port in range(m.ports):
        if m.target[port] < 0:
            return False
    return m.n_slots == m.n_currents <= MOST_CURRENTS and m.n_alpha == 0 and 1 <= m.ports <= PORTS


cdef double highest_drive(const Class* k) noexcept:
    if k.model.n_slots > 0 or not can_be_calm(k):
        return -infinity()
    return k.c[THRESHOLD] - BOUND_MARGIN * fabs(k.c[THRESHOLD])


cdef bint fits(const Class* k, const Source* d) noexcept:
    """Whether external input may be added to D before it comes, and that of a block is never too large for it."""
    cdef double largest = fabs(d.weight * scale_of(k, d.port)) * MOST_GROWN * MOST_IN_CELL
    return largest < MOST_EXTERNAL and (d.weight >= 0.0 or k.model.target[d.port] >= 0)


@cython.final
@cython.no_gc_clear  # __dealloc__ needs what the lanes' memory holds
cdef class Engine:
    """State of a compiled network, and the loop over it. Holds every array that the kernels point into."""

    cdef Core core                # the first lane
    cdef Core* hasty              # the lane of hasty neurons; NULL: there are none
    cdef Core** lane              # the first, the others, the hasty one
    cdef int shared               # lanes that are not hasty
    cdef Team team
    cdef list held_by_lanes
    cdef object plan
    cdef list held                # arrays that the kernels point into: those of the plan, then those of the present run
    cdef int64_t held_by_plan
    cdef dict trains              # by the first of the neurons: the spikes that were given to them last
    cdef list sampled
    cdef object source_of         # of each stream
    cdef object kind_of_class
    cdef object source            # of each neuron that has one stream; -1
    cdef object group_of          # each neuron
    cdef object drive_of
    cdef object cell_of_group
    cdef object singly            # whether it takes its input one by one, and has constants of its own
    cdef object varied
    cdef object jump_of_class     # of classes without currents: rate, scale of input, width of frames
    cdef int mode                 # of blocks

    def __init__(self, plan):
        cdef Core* e = &self.core
        self.plan = plan
        self.held = []
        self.held_by_lanes = []
        self.trains = {}
        self.sampled = []
        self.lane = <Core**>self.allocate(2, sizeof(Core*))
        self.lane[0] = e
        self.shared = self.team.n = 1
        e.whole = True
        e.n = plan.n
        e.window = plan.window
        e.max_rounds = min(plan.max_rounds, 2**31 - 2)
        e.max_spikes = min(plan.max_spikes, 2**31 - 2)
        e.instant = -1.0
        self.build_classes()
        e.records = <char*>self.allocate(plan.n, e.stride)
        e.inbox.place = <int64_t*>self.allocate(plan.n, sizeof(int64_t))
        self.begin_lane(e, self.held)
        e.I_e = <const double*>self.hold(plan.I_e, np.float64)
        e.recorded = <const uint8_t*>self.hold(plan.recorded, np.uint8)
        self.build_streams()
        self.find_groups()
        wheel_begin(&e.wakes, <Link*>self.allocate(plan.n, sizeof(Link)), e.window)
        rows_begin(&e.rows, e.window)
        self.build_outgoing()
        e.projections = self.build_projections(plan.rows, False)
        e.prompts.prompted = <const uint8_t*>self.hold(plan.prompted, np.uint8)
        e.prompts.shortest = min((p.delay.min(initial=np.inf) for p in plan.rows), default=np.inf)
        e.prompts.replay_of = <int32_t*>self.allocate(plan.n, sizeof(int32_t))
        e.prompts.lowered = <int64_t*>self.allocate(plan.n, sizeof(int64_t))
        self.build_blocks()
        self.build_neurons()
        if plan.hasty.any():
            self.build_hasty()
            self.share(1)
        self.held_by_plan = len(self.held)

    def __dealloc__(self):
        cdef int i
        for i in range(1, self.team.n):
            give_up(self.lane[i])
        give_up(&self.core)

    cdef void* hold(self, array, dtype, list where=None) except? NULL:
        """Keep an array alive, contiguous and of this type, and return where its data lie."""
        kept = np.ascontiguousarray(array, dtype=dtype)
        (self.held if where is None else where).append(kept)
        return <void*><size_t>kept.ctypes.data

    cdef void* allocate(self, int64_t n, size_t size, list where=None) except? NULL:
        """Zeros, from a boundary of the cache's lines on."""
        cdef size_t start
        start = <size_t>self.hold(np.zeros(max(n, 1) * size + CACHE_LINE, dtype=np.uint8), np.uint8, where)
        return <void*>(start + CACHE_LINE - start % CACHE_LINE)

    cdef begin_lane(self, Core* e, list where):
        """The memory that a lane needs of its own, whatever it does."""
        cdef int64_t n = self.core.n
        e.scratch = <Neuron*>self.allocate(1, self.core.stride, where)
        e.touched = <int32_t*>self.allocate(2 * n + 1, sizeof(int32_t), where)
        e.blocks.others = <int32_t*>self.allocate(n + 1, sizeof(int32_t), where)
        e.inbox.start = <int64_t*>self.allocate(n, sizeof(int64_t), where)
        e.prompts.applied_of = <int32_t*>self.allocate(n, sizeof(int32_t), where)
        e.prompts.present = -1

    cdef build_classes(self):
        cdef Core* e = &self.core
        cdef Model* m
        cdef int64_t k
        cdef int64_t behind = 0
        cdef int64_t row = self.plan.constants.shape[1]
        # From the beginning of a cache line, so that a Class needs as few of them as may be.
        cdef double* constants = <double*>self.allocate(self.plan.constants.size, sizeof(double))
        cdef const double* given = <const double*>self.hold(self.plan.constants, np.float64)
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
            m.magnitudes, m.ahead = model.magnitudes, shape.ahead
            behind = max(behind, <int64_t>((m.n_slots + m.n_currents + m.n_alpha + m.ahead) * sizeof(double)))
        e.stride = (sizeof(Neuron) + behind + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE
        memcpy(constants, given, self.plan.constants.nbytes)
        e.classes = <Class*>self.allocate(len(self.plan.class_model), sizeof(Class))
        for k in range(len(self.plan.class_model)):
            e.classes[k].model = &models[<int64_t>self.plan.class_model[k]]
            e.classes[k].c = constants + k * row
            e.classes[k].highest_drive = highest_drive(&e.classes[k])
            e.together = e.together or e.classes[k].model.settle_all != NULL
        e.many_classes = len(self.plan.class_model) > MOST_CLASSES
        self.find_kinds()

    cdef find_kinds(self):
        """Number the kinds of classes, for which what an input adds is the same."""
        cdef const Class* c
        cdef int64_t k
        cdef int i
        kinds = {}
        numbers = np.zeros(len(self.plan.class_model), dtype=np.int64)
        for k in range(numbers.size):
            c = &self.core.classes[k]
            kind = [layout_of(self.plan.models[self.plan.class_model[k]])]
            if can_be_calm(c):
                kind += [c.c[PER_UNIT], c.c[RATE_M], *[scale_of(c, i) for i in range(c.model.ports)]]
                kind += [c.c[current_at(i) + RATE] for i in range(c.model.n_currents)]
            numbers[k] = kinds.setdefault(tuple(kind), len(kinds))
        self.kind_of_class = numbers

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
        self.source_of = which.reshape(-1)
        cdef const int64_t[::1] source_of = self.source_of
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

    cdef Projection* build_projections(self, plans, bint hasty) except? NULL:
        """What all lanes but the hasty one need of the synapses, or what that one does."""
        cdef Projection* projections = <Projection*>self.allocate(len(plans), sizeof(Projection))
        cdef Projection* p
        for k, plan in enumerate(plans):
            p = &projections[k]
            p.port = plan.port
            p.ascending = bool((plan.post[1:] >= plan.post[:-1]).all())
            p.first_target, p.last_target = plan.post.min(initial=self.core.n), plan.post.max(initial=0)
            p.one_weight, p.one_delay = plan.weight.size == 1, plan.delay.size == 1
            p.weight_size = plan.weight_size
            p.most_alike = most_alike(plan)
            mine = self.plan.hasty[plan.post if plan.procedure is not None or not hasty else plan.target] == hasty
            p.reaches, p.mixed = mine.any(), not mine.all()
            p.least_delay = plan.delay.min(initial=np.inf)
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
        return projections

    cdef build_outgoing(self):
        cdef Core* e = &self.core
        plans = self.plan.rows
        pre = np.concatenate([plan.pre for plan in plans]) if plans else np.empty(0, dtype=np.int32)
        sizes = [plan.pre.size for plan in plans]
        order = np.argsort(pre, kind="stable")
        projection = np.repeat(np.arange(len(plans)), sizes)
        row = np.concatenate([np.arange(size) for size in sizes]) if plans else np.empty(0)
        e.outgoing_start = <const int64_t*>self.hold(np.searchsorted(pre[order], np.arange(e.n + 1)), np.int64)
        e.outgoing_projection = <const int32_t*>self.hold(projection[order], np.int32)
        e.outgoing_row = <const int32_t*>self.hold(row[order], np.int32)

    cdef build_hasty(self):
        """The lane of hasty neurons, which stays the same however the others are shared."""
        cdef Core* e = &self.core
        cdef Core* h = <Core*>self.allocate(1, sizeof(Core))
        parts = hasty_projections(self.plan)
        e.hasty = <const uint8_t*>self.hold(self.plan.hasty, np.uint8)
        e.least_delay = <const double*>self.hold(least_delays(self.plan, parts), np.float64)
        e.message[0].sent = e.message[1].sent = infinity()
        h[0] = e[0]
        h.is_hasty = True
        h.window = self.plan.hasty_window
        self.reset_lane(h, 1, self.held)
        h.projections = self.build_projections(parts, True)
        h.blocks.mode = NEVER_CALM
        h.blocks.n = h.blocks.n_groups = 0
        self.hasty = h
        self.give_neurons(h, np.flatnonzero(self.plan.hasty))
        e.beside = h

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
        self.give_groups(e, [(p.start, p.stop) for p in self.plan.populations])

    cdef build_blocks(self):
        """Room for the state of calm neurons; most of it is never touched where there are none."""
        cdef Core* e = &self.core
        e.blocks.width = FIRST_BLOCK
        e.blocks.end = e.blocks.next = infinity()
        e.blocks.free = -1
        e.blocks.state = <int64_t*>self.allocate(e.n, STATE * sizeof(int64_t))
        e.blocks.single = <int64_t*>self.allocate(e.n, sizeof(int64_t))
        e.blocks.sums = <int64_t*>self.allocate(2 * PARTS * e.n, sizeof(int64_t))
        e.blocks.gap = <double*>self.allocate(e.n, sizeof(double))
        e.blocks.low = <int64_t*>self.allocate(e.n, sizeof(int64_t))
        e.blocks.new_low = <int64_t*>self.allocate(e.n, sizeof(int64_t))
        e.blocks.flag = <uint8_t*>self.allocate(e.n, sizeof(uint8_t))
        e.blocks.release = <double*>self.allocate(e.n, sizeof(double))
        e.blocks.held = <int32_t*>self.allocate(e.n, sizeof(int32_t))
        e.blocks.followed = <int32_t*>self.allocate(e.n, sizeof(int32_t))
        e.blocks.place = <int32_t*>self.allocate(e.n, sizeof(int32_t))
        e.blocks.begins = <double*>self.allocate(e.n, sizeof(double))
        e.blocks.ends = <double*>self.allocate(e.n, sizeof(double))
        # Zeros if there is none that takes its input one by one: what spans bring to others is gathered as well.
        jumps = self.jump_of_class[self.plan.class_of].T if self.singly.any() else np.zeros((3, e.n))
        e.blocks.rate = <double*>self.hold(jumps[0], np.float64)
        e.blocks.scales = <double*>self.hold(jumps[1], np.float64)
        e.blocks.per_unit = <double*>self.hold(jumps[2], np.float64)

    cdef find_groups(self):
        """Number the neurons that may be calm by what those of a group have in common; -1 stands for the others."""
        cdef Core* e = &self.core
        cdef int64_t k
        cdef const Class* c
        plan = self.plan
        can = np.zeros(len(plan.class_model) + 1, dtype=bool)  # the last is that of sources
        jumps = np.zeros_like(can)
        self.jump_of_class = np.zeros((can.size, 4))
        for k in range(len(plan.class_model)):
            c = &e.classes[k]
            can[k] = can_be_calm(c)
            jumps[k] = can[k] and c.model.n_currents == 0
            if jumps[k]:
                self.jump_of_class[k] = c.c[RATE_M], scale_of(c, 0), c.c[PER_UNIT], c.c[WIDTH_M]
        streams = np.diff(plan.streams.start)
        first = np.minimum(plan.streams.start[: plan.n], max(len(self.source_of) - 1, 0))
        self.source = np.where(streams == 1, self.source_of[first] if len(self.source_of) else -1, -1)
        n_sources = self.source_of.max(initial=-1) + 1
        poisson = [e.sources[k].kind == POISSON and e.sources[k].width >= CELL for k in range(n_sources)]
        may = can[plan.class_of] & (streams <= 1) & np.array([*poisson, True])[self.source]
        may &= (streams == 0) | (plan.max_spikes >= MOST_IN_CELL)
        driven = may & (streams == 1)
        for k, source in set(zip(plan.class_of[driven].tolist(), self.source[driven].tolist())):
            if not fits(&e.classes[<int64_t>k], &e.sources[<int64_t>source]):
                may &= (plan.class_of != k) | (self.source != source)
        kind = np.append(self.kind_of_class, 0)[plan.class_of]
        # Streams of a group are numbered as its neurons are.
        number = np.where(streams == 1, np.arange(plan.n), 0)
        number[streams == 1] -= plan.streams.index[first[streams == 1]]
        # Synapses with a delay each arrive in no order, which that of additions follows (spans.pxd).
        self.singly = np.zeros(plan.n, dtype=bool)
        for p in plan.rows:
            if p.delay.size > 1 and getattr(p, "slices", None) is None:
                self.singly[p.post] = True
        self.singly |= plan.prompted > 0
        may &= ~self.singly | jumps[plan.class_of]
        runs = changes_of(may, kind, self.singly)
        few = np.bincount(runs)[runs] < FEWEST_OF_A_GROUP
        self.varied = may & jumps[plan.class_of] & (streams == 0) & few
        # Of those of which each has constants of its own a group has one model and one width of frames, a power of two.
        _, exponent = np.frexp(self.jump_of_class[:, 3])
        alike = 4096 * np.append(plan.class_model, 0) + exponent + 2048
        kind = np.where(self.varied, -1 - alike[plan.class_of], kind)
        self.singly = may & (self.singly | self.varied)
        runs = changes_of(may, kind, self.singly, self.varied)
        self.group_of = np.where(may, runs, -1)
        self.drive_of = changes_of(self.source, number)
        width = np.array([*[e.sources[k].width for k in range(n_sources)], np.inf])[self.source]
        self.cell_of_group = np.full(runs[-1] + 1 if plan.n else 0, np.inf)
        np.minimum.at(self.cell_of_group, runs[may], width[may])
        if 2 * np.count_nonzero(may) > plan.n:
            e.window = min(e.window, LONGEST_WITH_CALM)

    cdef give_groups(self, Core* e, list part):
        """Tell a lane which of its neurons have their constants and external input in common."""
        cdef int64_t k
        cdef Group* g
        plan = self.plan
        kind = self.group_of

        def block(a):
            return e.classes[<int64_t>plan.class_of[a]].c[NARROWEST], self.cell_of_group[kind[a]]

        groups = calm_groups(part, kind, FEWEST_OF_A_GROUP if self.mode == BY_ACTIVITY else 1, block)
        on = e.blocks.on and self.mode != NEVER_CALM
        e.blocks.mode = self.mode
        e.blocks.singly = False
        number_of = np.zeros(plan.n, dtype=np.int32)
        e.blocks.on = False
        e.blocks.end = e.blocks.next = infinity()
        e.blocks.n = 0
        e.blocks.cost_of_look = COST_OF_LOOK
        give_up_inputs(e)
        e.blocks.n_groups = len(groups)
        e.blocks.group = <Group*>self.allocate(len(groups), sizeof(Group), self.held_by_lanes)
        for k, (a, b, number) in enumerate(groups):
            g = &e.blocks.group[k]
            g.start, g.stop = a, b
            if number < 0:
                continue
            g.k = &e.classes[<int64_t>plan.class_of[a]]
            g.currents = g.k.model.n_currents
            g.even = not self.varied[a]
            # Those without currents take less room, at the beginning of that of their group.
            g.state = e.blocks.state + (0 if g.currents else (STATE - 1) * g.start)
            if self.singly[a]:
                g.singly, g.varied = True, self.varied[a]
                g.state = e.blocks.single
                e.blocks.singly = True
                number_of[a:b] = k
                if g.varied:
                    e.blocks.cost_of_look = max(e.blocks.cost_of_look, <int>COST_OF_VARIED)
            if g.currents:
                e.blocks.cost_of_look = max(e.blocks.cost_of_look, <int>COST_WITH_CURRENTS)
            e.blocks.n += b - a
            self.give_drives(e, g)
        e.blocks.group_of = <int32_t*>self.hold(number_of, np.int32, self.held_by_lanes)
        if on:
            turn_on(e)

    cdef give_drives(self, Core* e, Group* g):
        """Tell a group where the external input of its neurons comes from."""
        cdef Drive* drive
        cdef int k
        cdef int32_t a
        cell = self.cell_of_group[self.group_of[g.start]]
        g.cell = cell if np.isfinite(cell) else 0.0
        cuts = [g.start, *(np.flatnonzero(np.diff(self.drive_of[g.start : g.stop])) + 1 + g.start).tolist(), g.stop]
        g.n_drives = len(cuts) - 1
        g.drive = <Drive*>self.allocate(g.n_drives, sizeof(Drive), self.held_by_lanes)
        for k in range(g.n_drives):
            drive = &g.drive[k]
            a = drive.start = cuts[k]
            drive.stop = cuts[k + 1]
            drive.slot = -1
            if g.start < g.stop and self.source[a] >= 0:
                drive.source = &e.sources[<int64_t>self.source[a]]
                drive.index = <uint32_t>(neuron_at(e, a).streams.index - <int64_t>a)
                drive.slot = g.k.model.target[drive.source.port]

    def set_calm(self, mode, double width=FIRST_BLOCK, double above=0.0):
        """Whether neurons may be calm: True and False, or "auto" where there is enough going on; and how long blocks
        are at most (ms, a power of two), with "auto" in the beginning. For tests and benchmarks: no bit depends on
        it, as long as lines do not lie `above` (mV) where they should."""
        cdef int i
        self.mode = {"auto": BY_ACTIVITY, True: ALWAYS_CALM, False: NEVER_CALM}[mode]
        self.rouse()
        for i, part in enumerate(ranges(self.plan, self.shared)):
            self.lane[i].blocks.width = width
            self.lane[i].blocks.above = above
            self.give_groups(self.lane[i], part)

    cdef rouse(self):
        """Have all neurons' states in their records."""
        cdef int i
        for i in range(self.team.n):
            interrupt(self.lane[i])

    # ---- lanes

    cdef share(self, int n):
        """Share the neurons that are not hasty among n lanes."""
        cdef Core* e = &self.core
        cdef Core* other
        cdef int i
        self.rouse()
        self.join()
        give_up_inputs(e)
        self.held_by_lanes = []
        self.team.barrier.n = n
        self.team.barrier.looks = LOOKS if n <= (os.cpu_count() or 1) else 0
        self.lane = <Core**>self.allocate(n + 1, sizeof(Core*), self.held_by_lanes)
        self.lane[0] = e
        self.assemble(1)
        for i in range(1, n):
            other = <Core*>self.allocate(1, sizeof(Core), self.held_by_lanes)
            other[0] = e[0]
            self.reset_lane(other, i, self.held_by_lanes)
            self.lane[i] = other
            self.assemble(i + 1)
            if not copy_rows(e, other):
                self.join()
                raise MemoryError(NO_ROOM_LEFT.format(e.time))
        part_of_lane = ranges(self.plan, n)
        for i, part in enumerate(part_of_lane):
            self.give_ranges(self.lane[i], part)
            self.give_neurons(self.lane[i], np.concatenate([np.arange(a, b) for a, b in part] + [[]]).astype(np.int64))

    cdef assemble(self, int n):
        """Let the first n lanes, and the hasty one behind them, be the team."""
        cdef int i
        self.shared = self.team.n = n
        self.team.lane = self.lane
        if self.hasty != NULL:
            self.lane[n] = self.hasty
            self.hasty.lane = n
            self.team.n = n + 1
        for i in range(self.team.n):
            self.lane[i].team = &self.team if self.team.n > 1 else NULL
            self.lane[i].whole = n == 1 or self.lane[i].is_hasty

    cdef reset_lane(self, Core* e, int number, list where):
        """Take from the copy of another lane all that is not common to them."""
        cdef int k
        e.lane = number
        e.beside = NULL
        self.begin_lane(e, where)
        e.inbox.row, e.inbox.row_of, e.inbox.weight, e.inbox.arrival = NULL, NULL, NULL, NULL
        e.blocks.segment, e.blocks.notes.taken, e.blocks.notes.weight, e.blocks.listed = NULL, NULL, NULL, NULL
        e.blocks.places, e.blocks.pool, e.blocks.pool_room, e.blocks.free = NULL, NULL, 0, -1
        e.blocks.gathered, e.blocks.gathered_growth, e.blocks.gathered_begin = NULL, NULL, NULL
        e.blocks.segment_room = e.blocks.notes.room = e.blocks.gathered_room = e.blocks.listed_room = 0
        e.blocks.arrivals = e.blocks.looks = e.blocks.follows = 0
        e.blocks.n_groups = 0
        e.inbox.row_room = e.inbox.room = e.inbox.timed_room = 0
        e.prompts.replay, e.prompts.due, e.prompts.kept, e.prompts.shot = NULL, NULL, NULL, NULL
        e.prompts.applied, e.prompts.row = NULL, NULL
        e.prompts.replay_room = e.prompts.kept_room = e.prompts.shot_room = 0
        e.prompts.applied_room = e.prompts.row_room = 0
        e.spike_time, e.spike_neuron = NULL, NULL
        e.n_spikes = e.spike_room = 0
        e.arrived = NULL
        e.synaptic_events = e.external_events = e.queue_pops = e.updates = 0
        e.bounds_due = e.tests = e.tests_resolved = e.fired = 0
        for k in range(2):
            e.message[k].fired, e.message[k].change = NULL, NULL
            e.message[k].room = e.message[k].n_fired = e.message[k].change_room = e.message[k].n_changes = 0
            e.message[k].sent = infinity()
        rows_begin(&e.rows, e.window)
        wheel_advance(&e.rows.wheel, e.time)

    cdef give_ranges(self, Core* e, list part):
        """Let a lane have these ranges of neurons."""
        cdef int64_t k
        e.n_ranges = len(part)
        e.range = <Range*>self.allocate(e.n_ranges, sizeof(Range), self.held_by_lanes)
        for k, (first, stop) in enumerate(part):
            e.range[k].start, e.range[k].stop = first, stop
        self.give_groups(e, part)

    cdef give_neurons(self, Core* e, const int64_t[::1] neurons):
        """Wake those of these neurons that are in a lane."""
        cdef int64_t k, n
        cdef Link* link = self.core.wakes.link
        wheel_begin(&e.wakes, link, e.window)
        wheel_advance(&e.wakes, e.time)
        for k in range(neurons.shape[0]):
            n = neurons[k]
            if e.hasty == NULL or e.hasty[n] == e.is_hasty:
                link[n].key = NEVER
                wake_set(&e.wakes, n, next_own(neuron_at(e, n)))

    cdef join(self):
        """Take into the first lane what the others have to show."""
        cdef Core* e = &self.core
        cdef Core* other
        cdef int i
        cdef int64_t k
        for i in range(1, self.shared):
            other = self.lane[i]
            for k in range(other.n_spikes):
                keep_spike(e, other.spike_neuron[k], other.spike_time[k])
            e.synaptic_events += other.synaptic_events
            e.external_events += other.external_events
            e.queue_pops += other.queue_pops
            e.updates += other.updates
            e.bounds_due += other.bounds_due
            e.tests += other.tests
            e.tests_resolved += other.tests_resolved
            e.fired += other.fired
            e.blocks.looks += other.blocks.looks
            e.blocks.arrivals += other.blocks.arrivals
            if other.status != RUNNING:
                e.status = other.status
            give_up(other)
        self.assemble(1)

    @property
    def threads(self):
        """How many took part in the last call of `advance`."""
        return self.shared

    def advance(self, double stop, int64_t budget, int threads=1):
        """Process about `budget` events before `stop` (ms) in at most so many threads; True when none is left or the
        run failed."""
        threads = max(1, min(threads, self.core.n))
        # What has been put off to a later part of its window is in no queue; the next chunk will have it there.
        if threads != self.shared and self.core.rows.n_late == 0:
            self.share(threads)
        if self.shared == 1:
            self.advance_lane(0, stop, budget)
        elif not in_threads(self.advance_lane, self.shared, stop, budget):
            self.share(1)
            self.advance_lane(0, stop, budget)
        if self.lost_memory():
            raise MemoryError(NO_ROOM_LEFT.format(self.core.time))
        if self.is_unsound():
            self.verify()
        done = self.failure is not None or not self.core.time < stop
        if done:
            self.rouse()
        return done

    def advance_lane(self, int lane, double stop, int64_t budget):
        cdef Core* e = self.lane[lane]
        with nogil:
            advance(e, stop, budget)

    def lost_memory(self):
        return any([self.lane[i].status == NO_MEMORY for i in range(self.team.n)])

    def is_unsound(self):
        return any([self.lane[i].status == UNSOUND for i in range(self.team.n)])

    def set_trains(self, int32_t first, times, const int64_t[::1] begin, const int64_t[::1] end):
        """Let source first + k spike at times[begin[k]:end[k]] (ms), none of which lies in the past, instead of at what
        it still had before it."""
        cdef int32_t n
        cdef int64_t k
        cdef int i
        cdef Core* e
        cdef Stream* s
        cdef list held = []
        cdef const double* time = <const double*>self.hold(times, np.float64, held)
        for k in range(begin.shape[0]):
            n = first + <int32_t>k
            s = neuron_at(&self.core, n).streams
            s.train = time + begin[k]
            s.at, s.n = 0, <int32_t>(end[k] - begin[k])
            s.first = s.train[0] if s.n else infinity()
            neuron_at(&self.core, n).outside = s.first
            for i in range(self.team.n):
                e = self.lane[i]
                if is_mine(e, n):
                    wake_set(&e.wakes, n, s.first)
        self.trains[first] = held

    # ---- what is to be seen

    @property
    def time(self):
        """Everything before this time (ms) has been processed."""
        return self.core.time

    @property
    def failure(self):
        """None, or (neuron, time, reason) of the run-away that ended the run: the first of all lanes."""
        cdef const Core* e
        cdef int i
        failures = []
        for i in range(self.team.n):
            e = self.lane[i]
            if e.status in REASONS:
                failures.append((e.failed_at, e.failed_round, e.failed, REASONS[e.status]))
        if not failures:
            return None
        time, _, neuron, reason = min(failures)
        return neuron, time, reason

    @property
    def counters(self):
        """Of all lanes; seconds of the first."""
        cdef const Core* e
        cdef int i
        names = (
            "synaptic_events", "external_events", "queue_pops", "neuron_updates", "bounds_due", "threshold_tests",
            "threshold_tests_resolved", "spikes", "calm_looks", "alert_arrivals",
        )
        counts = np.zeros(len(names), dtype=np.int64)
        for i in range(self.team.n):
            e = self.lane[i]
            counts += (
                e.synaptic_events, e.external_events, e.queue_pops, e.updates, e.bounds_due, e.tests, e.tests_resolved,
                e.fired, e.blocks.looks, e.blocks.arrivals,
            )
        e = &self.core
        spent = {"collecting_s": e.collecting, "processing_s": e.processing, "waiting_s": e.waiting}
        return dict(zip(names, counts.tolist())) | spent

    def take_spikes(self):
        """Times (ms) and neurons of the spikes since the last call, in no particular order."""
        cdef Core* e
        cdef int i
        # A run ends here, perhaps within a block, whose external spikes at calm neurons have not been counted yet.
        self.rouse()
        times, neurons = [np.empty(0)], [np.empty(0, dtype=np.int32)]
        for i in range(self.team.n):
            e = self.lane[i]
            if e.n_spikes:
                times.append(np.array(<double[:e.n_spikes]>e.spike_time))
                neurons.append(np.array(<int32_t[:e.n_spikes]>e.spike_neuron))
            e.n_spikes = 0
        return np.concatenate(times), np.concatenate(neurons)

    def set_samples(self, list times):
        """Begin a run: probe k will be sampled at times[k]; the result appears in `samples`."""
        cdef Core* e = &self.core
        cdef Probe* probe
        cdef Watch* watch
        cdef int64_t at, w
        cdef int i
        plans = self.plan.probes
        self.rouse()
        for i in range(self.team.n):
            self.lane[i].watch_start = NULL
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
        for i in range(1, self.team.n):
            self.lane[i].probes, self.lane[i].watches = e.probes, e.watches
            self.lane[i].watch_start = e.watch_start

    @property
    def samples(self):
        """For every probe the arrays (ids, samples) of its variables by name, filled up to the time reached."""
        cdef Core* e = &self.core
        cdef int64_t w
        failure = self.failure
        if e.watch_start != NULL:
            for w in range(e.watch_start[e.n]):
                sample(e, e.watches[w].neuron, e.time if failure is None else failure[1])
        return [dict(zip(plan.variables, out)) for plan, out in zip(self.plan.probes, self.sampled)]

    def verify(self):
        """Raise RuntimeError if the schedule is not as it should be between two windows."""
        cdef int i, broken
        cdef int32_t neuron = -1
        for i in range(self.team.n):
            broken = verify(self.lane[i], &neuron)
            if self.lane[i].status == UNSOUND:
                raise RuntimeError(f"the schedule was not sound after a window, see neuron {self.lane[i].failed}")
            if broken == WRONG_ROW:
                raise RuntimeError(f"lane {i}: a spike under way should have arrived before {self.lane[i].time:g} ms")
            if broken == WRONG_POOL:
                raise RuntimeError(f"lane {i}: a place of the pool is lost")
            if broken:
                raise RuntimeError(f"lane {i}: neuron {neuron} {SENTENCES[broken]}, at {self.lane[i].time:g} ms")

    def plant(self, str what, int32_t n):
        """Break the schedule at a neuron, for tests of `verify`."""
        cdef Core* e = &self.core
        cdef Blocks* b = &e.blocks
        if what == "flag":
            b.flag[n] = 3
        elif what == "line":
            state_at(&b.group[group_of(e, n)], n)[0] = 1
        elif what == "wake":
            wake_set(&e.wakes, n, e.time)
        elif what == "no wake":
            wheel_remove(&e.wakes, n)
            e.wakes.link[n].key = NEVER
        elif what == "release":
            b.release[n] = 0.0
        elif what == "place":
            b.pool[b.place[n]].neuron = -1
        elif what == "lost":
            b.free = b.pool[b.free].free
        elif what == "block":
            b.group[group_of(e, n)].end += 1e-3
        elif what == "row":
            e.time = infinity()
        else:
            raise ValueError(what)

    def flags(self):
        """Of every neuron 0 while it is calm; 1: apart, 2: held, 4: followed."""
        return np.array([self.core.blocks.flag[n] if self.core.blocks.on else 1 for n in range(self.core.n)])

    def bounds(self):
        """For every neuron a time (ms) before which it does not spike if nothing else happens."""
        cdef int64_t n
        self.rouse()
        cdef double[::1] out = np.empty(self.core.n)
        for n in range(self.core.n):
            out[n] = neuron_at(&self.core, n).crossing
        return np.asarray(out)

    def state(self):
        """Every neuron's state at the present time."""
        self.rouse()
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
                e.classes[s.class_of].model.settle(&e.classes[s.class_of], s, e.time)
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
