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
from libc.math cimport floor, nextafter
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memcpy

import os
import threading

import numpy as np

from eventsnn._core.activity cimport FIRST_BLOCK, interrupt, review, turn_off, turn_on
from eventsnn._core.begin cimport begin_blocks
from eventsnn._core.blocks cimport ALWAYS_CALM, BY_ACTIVITY, NEVER_CALM, STATE, Blocks
from eventsnn._core.calm cimport state_at
from eventsnn._core.core cimport (
    NO_MEMORY,
    RUNNING,
    TOO_MANY_ROUNDS,
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
from eventsnn._core.external cimport PARTS
from eventsnn._core.follow cimport finish_window
from eventsnn._core.inbox cimport AHEAD, CACHE_LINE, first_due, list_rows, list_wakes, sort_arrivals
from eventsnn._core.lanes cimport Met, first_of, is_mine, meet
from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.net cimport Arena, set_groups, set_net, set_rows
from eventsnn._core.neuron cimport UNKNOWN, Model, Neuron, Slice, variables
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
from eventsnn._core.state cimport (
    find_streams,
    read_neurons,
    read_rows,
    read_streams,
    set_train,
    write_neurons,
    write_rows,
)
from eventsnn._core.stream cimport TRAIN, Stream, stream_begin
from eventsnn._core.synapses cimport copy_rows, give_up_rows
from eventsnn._core.together cimport SETTLED_AHEAD, process_together
from eventsnn._core.verify cimport VERIFIES, group_of, verify
from eventsnn.errors import StateError
from eventsnn.groups import FEWEST_OF_A_GROUP, groups_of_lane
from eventsnn.lanes import ranges
from eventsnn.outcome import Flaw, Outcome
from eventsnn.state import arrays_of_rows, arrays_of_trains, checked_state, digest, trains_of
from eventsnn.weights import WeightsOfRows, checked_weights, synapses_of

# How often a lane looks whether the others have come before it lets other threads have its processor.
LOOKS = 2000


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
        if e.together and i % SETTLED_AHEAD == 0 and not instant and e.status == RUNNING:
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
    end = list_rows(e, end)
    list_wakes(e, end)
    if e.status != NO_MEMORY and not sort_arrivals(e):
        fail(e, NO_MEMORY, t, 0)
    if e.status == NO_MEMORY:
        return
    if timed:
        listed = seconds()
        e.collecting += listed - began
    process_touched(e, end, instant)
    if e.blocks.on:
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


cdef void give_up_inputs(Core* e) noexcept nogil:
    """Free what groups have allocated, before they go."""
    cdef int64_t k
    for k in range(e.blocks.n_groups):
        free(e.blocks.group[k].input)
    e.blocks.n_groups = 0


cdef void give_up_queue(Core* e) noexcept nogil:
    free(e.rows.wheel.link)
    free(e.rows.row)
    free(e.rows.due)
    free(e.rows.order)
    free(e.rows.begin)
    free(e.rows.span)


cdef void give_up(Core* e) noexcept nogil:
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
    free(e.blocks.pool)
    free(e.blocks.notes.weight)
    free(e.inbox.arrival)
    free(e.spike_time)
    free(e.spike_neuron)
    for i in range(2):
        free(e.message[i].fired)


cdef set_weights_of(Projection* p, weights):
    """Let rows have their weights in this array."""
    if p.weight32 != NULL:
        p.weight32 = <const float*><size_t>weights.ctypes.data
    else:
        p.weight = <const double*><size_t>weights.ctypes.data


cdef move_weights(Core* e, int64_t k, Projection before, weights):
    """Let what has been left for a later part of the window have its weights in this array as well."""
    cdef Slice* late
    cdef int64_t i
    for i in range(e.rows.n_due, e.rows.n_due + e.rows.n_late):
        late = &e.rows.due[i].slice
        if e.rows.due[i].row.projection != k:
            continue
        if before.weight32 != NULL:
            late.weight32 = <const float*><size_t>weights.ctypes.data + (late.weight32 - before.weight32)
        else:
            late.weight = <const double*><size_t>weights.ctypes.data + (late.weight - before.weight)


@cython.final
@cython.no_gc_clear  # __dealloc__ needs what the lanes' memory holds
cdef class Engine:
    """State of a network that is laid out (eventsnn/layout.py), and the loop over it."""

    cdef Core core                # the first lane
    cdef Core* hasty              # the lane of hasty neurons; NULL: there are none
    cdef Core** lane              # the first, the others, the hasty one
    cdef int shared               # lanes that are not hasty
    cdef Team team
    cdef object net
    cdef object digest            # of the network, when it has been asked for
    cdef Arena arena              # of what all lanes share
    cdef Arena of_lanes           # of what they have of their own
    cdef Arena of_run             # of the samples of the present run
    cdef dict trains              # by stream: the spikes that it was given
    cdef dict weights             # by number of rows: those of which some have been set
    cdef set reweighted           # projections whose weights have been set
    cdef list sampled
    cdef int mode                 # of blocks

    def __init__(self, net):
        cdef Core* e = &self.core
        self.net = net
        self.arena, self.of_lanes, self.of_run = Arena(), Arena(), Arena()
        self.trains, self.weights, self.reweighted = {}, {}, set()
        self.sampled = []
        self.lane = <Core**>self.arena.allocate(2, sizeof(Core*))
        self.lane[0] = e
        self.shared = self.team.n = 1
        e.whole = True
        e.instant = -1.0
        set_net(e, net, self.arena)
        e.records = <char*>self.arena.allocate(e.n, e.stride)
        e.inbox.place = <int64_t*>self.arena.allocate(e.n, sizeof(int64_t))
        wheel_begin(&e.wakes, <Link*>self.arena.allocate(e.n, sizeof(Link)), e.window)
        rows_begin(&e.rows, e.window)
        self.begin_lane(e, self.arena)
        self.make_blocks()
        self.begin_streams()
        self.begin_neurons()
        self.give_groups(e, ranges(net.borders, 1)[0])
        if net.hasty is not None:
            self.make_hasty()
            self.share(1)

    def __dealloc__(self):
        cdef int i
        for i in range(1, self.team.n):
            give_up(self.lane[i])
        give_up(&self.core)

    # ---- the beginning

    cdef begin_lane(self, Core* e, Arena arena):
        """The memory that a lane needs of its own, whatever it does."""
        cdef int64_t n = self.core.n
        e.scratch = <Neuron*>arena.allocate(1, self.core.stride)
        e.touched = <int32_t*>arena.allocate(2 * n + 1, sizeof(int32_t))
        e.blocks.others = <int32_t*>arena.allocate(n + 1, sizeof(int32_t))
        e.inbox.start = <int64_t*>arena.allocate(n, sizeof(int64_t))

    cdef make_blocks(self):
        """Room for the state of calm neurons; most of it is never touched where there are none."""
        cdef Blocks* b = &self.core.blocks
        cdef Arena arena = self.arena
        cdef int64_t n = self.core.n
        b.width = FIRST_BLOCK
        b.end = b.next = infinity()
        b.free = -1
        b.state = <int64_t*>arena.allocate(n, STATE * sizeof(int64_t))
        b.single = <int64_t*>arena.allocate(n, sizeof(int64_t))
        b.sums = <int64_t*>arena.allocate(2 * PARTS * n, sizeof(int64_t))
        b.gap = <double*>arena.allocate(n, sizeof(double))
        b.low = <int64_t*>arena.allocate(n, sizeof(int64_t))
        b.new_low = <int64_t*>arena.allocate(n, sizeof(int64_t))
        b.flag = <uint8_t*>arena.allocate(n, sizeof(uint8_t))
        b.release = <double*>arena.allocate(n, sizeof(double))
        b.held = <int32_t*>arena.allocate(n, sizeof(int32_t))
        b.followed = <int32_t*>arena.allocate(n, sizeof(int32_t))
        b.place = <int32_t*>arena.allocate(n, sizeof(int32_t))
        b.begins = <double*>arena.allocate(n, sizeof(double))
        b.ends = <double*>arena.allocate(n, sizeof(double))

    cdef begin_streams(self):
        cdef int64_t k
        cdef Stream* streams = self.core.streams
        cdef const int64_t[:, ::1] train = self.net.train
        cdef const double* time = <const double*>self.arena.hold(self.net.train_time, np.float64)
        for k in range(train.shape[0]):
            if self.core.sources[streams[k].source].kind == TRAIN:
                set_train(&streams[k], time + train[k, 0], train[k, 1], 0)
            else:
                stream_begin(self.core.sources, &streams[k])

    cdef begin_neurons(self):
        cdef Core* e = &self.core
        cdef Neuron* s
        cdef int32_t n
        cdef int slot
        cdef const int32_t[::1] class_of = self.net.class_of
        cdef const int32_t[::1] change = self.net.change
        cdef const int64_t[::1] stream_start = self.net.stream_start
        cdef const double[::1] v = self.net.v
        cdef const double[::1] drive = self.net.drive
        cdef const double[:, ::1] variable = self.net.variables
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
                s.drive = drive[n]
                e.classes[s.class_of].model.enter(&e.classes[s.class_of], s)
                predict(e, s)
            s.outside = next_outside(e, s)
            wake_set(&e.wakes, n, next_own(s))

    cdef make_hasty(self):
        """The lane of hasty neurons, which stays the same however the others are shared."""
        cdef Core* e = &self.core
        cdef Core* h = <Core*>self.arena.allocate(1, sizeof(Core))
        e.message[0].sent = e.message[1].sent = infinity()
        h[0] = e[0]
        h.is_hasty = True
        h.window = self.net.hasty_window
        self.reset_lane(h, 1, self.arena)
        set_rows(h, self.net.hasty_rows, self.arena)
        h.blocks.mode = NEVER_CALM
        h.blocks.n = h.blocks.n_groups = 0
        self.hasty = h
        self.give_neurons(h, np.flatnonzero(self.net.hasty))
        e.beside = h

    # ---- calm neurons

    cdef give_groups(self, Core* e, list part):
        """Tell a lane which of its neurons have their constants and external input in common."""
        on = e.blocks.on and self.mode != NEVER_CALM
        fewest = FEWEST_OF_A_GROUP if self.mode == BY_ACTIVITY else 1
        e.blocks.mode = self.mode
        e.blocks.on = False
        e.blocks.end = e.blocks.next = infinity()
        give_up_inputs(e)
        set_groups(e, self.net, groups_of_lane(self.net.groups, self.net.class_of, part, fewest), self.of_lanes)
        if on:
            turn_on(e)

    def set_calm(self, mode, double width=FIRST_BLOCK, double above=0.0):
        """Whether neurons may be calm: True and False, or "auto" where there is enough going on; and how long blocks
        are at most (ms, a power of two), with "auto" in the beginning. For tests and benchmarks: no bit depends on
        it, as long as lines do not lie `above` (mV) where they should."""
        cdef int i
        self.mode = {"auto": BY_ACTIVITY, True: ALWAYS_CALM, False: NEVER_CALM}[mode]
        self.rouse()
        for i, part in enumerate(ranges(self.net.borders, self.shared)):
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
        self.of_lanes = Arena()
        self.team.barrier.n = n
        self.team.barrier.looks = LOOKS if n <= (os.cpu_count() or 1) else 0
        self.lane = <Core**>self.of_lanes.allocate(n + 1, sizeof(Core*))
        self.lane[0] = e
        self.assemble(1)
        for i in range(1, n):
            other = <Core*>self.of_lanes.allocate(1, sizeof(Core))
            other[0] = e[0]
            self.reset_lane(other, i, self.of_lanes)
            self.lane[i] = other
            self.assemble(i + 1)
            if not copy_rows(e, other):
                self.join()
                raise MemoryError(Outcome.NO_MEMORY.sentence(e.time))
        part_of_lane = ranges(self.net.borders, n)
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

    cdef reset_lane(self, Core* e, int number, Arena arena):
        """Take from the copy of another lane all that is not common to them."""
        cdef int k
        e.lane = number
        e.beside = NULL
        self.begin_lane(e, arena)
        e.inbox.row, e.inbox.row_of, e.inbox.weight, e.inbox.arrival = NULL, NULL, NULL, NULL
        e.blocks.segment, e.blocks.notes.taken, e.blocks.notes.weight, e.blocks.listed = NULL, NULL, NULL, NULL
        e.blocks.places, e.blocks.pool, e.blocks.pool_room, e.blocks.free = NULL, NULL, 0, -1
        e.blocks.gathered, e.blocks.gathered_growth, e.blocks.gathered_begin = NULL, NULL, NULL
        e.blocks.segment_room = e.blocks.notes.room = e.blocks.gathered_room = e.blocks.listed_room = 0
        e.blocks.arrivals = e.blocks.looks = e.blocks.follows = 0
        e.blocks.n_groups = 0
        e.inbox.row_room = e.inbox.room = e.inbox.timed_room = 0
        e.spike_time, e.spike_neuron = NULL, NULL
        e.n_spikes = e.spike_room = 0
        e.arrived = NULL
        e.synaptic_events = e.external_events = e.queue_pops = e.updates = 0
        e.bounds_due = e.tests = e.tests_resolved = e.fired = 0
        for k in range(2):
            e.message[k].fired = NULL
            e.message[k].room = e.message[k].n_fired = 0
            e.message[k].sent = infinity()
        rows_begin(&e.rows, e.window)
        wheel_advance(&e.rows.wheel, e.time)

    cdef give_ranges(self, Core* e, list part):
        """Let a lane have these ranges of neurons."""
        cdef int64_t k
        e.n_ranges = len(part)
        e.range = <Range*>self.of_lanes.allocate(e.n_ranges, sizeof(Range))
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
            raise MemoryError(Outcome.NO_MEMORY.sentence(self.core.time))
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
        cdef Stream* s
        given = np.array(times, dtype=np.float64)
        for k in range(begin.shape[0]):
            n = first + <int32_t>k
            s = neuron_at(&self.core, n).streams
            self.give_train(s - self.core.streams, given[begin[k] : end[k]])
            neuron_at(&self.core, n).outside = s.first
            for i in range(self.team.n):
                if is_mine(self.lane[i], n):
                    wake_set(&self.lane[i].wakes, n, s.first)

    cdef give_train(self, int64_t stream, times):
        """Keep what a stream was given, and let it begin with it."""
        self.trains[stream] = times
        set_train(&self.core.streams[stream], <const double*><size_t>times.ctypes.data, times.size, 0)

    def set_weights(self, int64_t projection, weights):
        """Give the synapses of projection number `projection` new weights, by (row, delay, target, draw). Spikes under
        way arrive with them. InputError if they cannot be set."""
        kept = checked_weights(self.net.projections, projection, weights)
        self.put_weights(projection, kept)

    cdef put_weights(self, int64_t projection, weights):
        plan = self.net.projections[projection]
        rows = getattr(plan, "rows", plan)
        k = next(k for k, of in enumerate(self.net.rows) if of.plan is rows)
        if k not in self.weights:
            self.weights[k] = WeightsOfRows(self.net, k)
            self.point_weights(k)
        self.weights[k].set(synapses_of(plan), weights)
        self.reweighted.add(projection)
        self.bound_weights(k)

    cdef point_weights(self, int64_t k):
        """Let rows have their weights where these may change."""
        cdef int i
        for i in range(self.shared):
            # All lanes but the hasty one share what they know of rows.
            move_weights(self.lane[i], k, self.core.projections[k], self.weights[k].all)
        set_weights_of(&self.core.projections[k], self.weights[k].all)
        if self.hasty != NULL:
            move_weights(self.hasty, k, self.hasty.projections[k], self.weights[k].hasty)
            set_weights_of(&self.hasty.projections[k], self.weights[k].hasty)

    cdef bound_weights(self, int64_t k):
        self.core.projections[k].weight_size = self.weights[k].size
        if self.hasty != NULL:
            self.hasty.projections[k].weight_size = self.weights[k].size

    # ---- what is to be seen

    @property
    def time(self):
        """Everything before this time (ms) has been processed."""
        return self.core.time

    @property
    def failure(self):
        """None, or (neuron, time, outcome) of the run-away that ended the run: the first of all lanes."""
        cdef const Core* e
        cdef int i
        failures = []
        for i in range(self.team.n):
            e = self.lane[i]
            if Outcome(e.status).runaway:
                failures.append((e.failed_at, e.failed_round, e.failed, Outcome(e.status)))
        if not failures:
            return None
        time, _, neuron, outcome = min(failures)
        return neuron, time, outcome

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
        plans = self.net.probes
        cdef Arena arena = Arena()
        self.rouse()
        self.forget_samples()
        if not any(at.size for at in times):
            return
        self.sampled = []
        e.probes = <Probe*>arena.allocate(len(plans), sizeof(Probe))
        for k, plan in enumerate(plans):
            out = np.zeros((len(plan.variables), plan.neuron.size, times[k].size))
            self.sampled.append(out)
            probe = &e.probes[k]
            probe.n = plan.neuron.size
            probe.time = <const double*>arena.hold(times[k], np.float64)
            probe.n_times = times[k].size
            probe.n_variables = len(plan.variables)
            probe.variable = <const int32_t*>arena.hold(plan.variable, np.int32)
            probe.offset = <const double*>arena.hold(plan.offset, np.float64)
            probe.out = <double*>arena.hold(out, np.float64)
        neuron = np.concatenate([plan.neuron for plan in plans])
        of_probe = np.repeat(np.arange(len(plans)), [plan.neuron.size for plan in plans])
        row = np.concatenate([np.arange(plan.neuron.size) for plan in plans])
        order = np.argsort(neuron, kind="stable")
        e.watches = <Watch*>arena.allocate(neuron.size, sizeof(Watch))
        for w, at in enumerate(order):
            watch = &e.watches[w]
            watch.neuron = neuron[at]
            watch.probe = of_probe[at]
            watch.row = row[at]
        e.watch_start = <const int64_t*>arena.hold(np.searchsorted(neuron[order], np.arange(e.n + 1)), np.int64)
        for i in range(1, self.team.n):
            self.lane[i].probes, self.lane[i].watches = e.probes, e.watches
            self.lane[i].watch_start = e.watch_start
        self.of_run = arena

    cdef forget_samples(self):
        cdef int i
        for i in range(self.team.n):
            self.lane[i].watch_start = NULL
        self.sampled = [np.zeros((len(plan.variables), plan.neuron.size, 0)) for plan in self.net.probes]

    @property
    def samples(self):
        """For every probe the arrays (ids, samples) of its variables by name, filled up to the time reached."""
        cdef Core* e = &self.core
        cdef int64_t w
        failure = self.failure
        if e.watch_start != NULL:
            for w in range(e.watch_start[e.n]):
                sample(e, e.watches[w].neuron, e.time if failure is None else failure[1])
        return [dict(zip(plan.variables, out)) for plan, out in zip(self.net.probes, self.sampled)]

    def verify(self):
        """Raise RuntimeError if the schedule is not as it should be between two windows."""
        cdef int i, broken
        cdef int32_t neuron = -1
        for i in range(self.team.n):
            broken = verify(self.lane[i], &neuron)
            if self.lane[i].status == UNSOUND:
                raise RuntimeError(f"{Outcome.UNSOUND.sentence()}, see neuron {self.lane[i].failed}")
            if broken:
                raise RuntimeError(f"lane {i}: {Flaw(broken).sentence(neuron)}, at {self.lane[i].time:g} ms")

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

    def settled(self):
        """Every neuron's state as it is at the present time."""
        self.rouse()
        cdef Core* e = &self.core
        cdef int64_t n
        cdef const Model* m
        cdef int slot
        cdef double[:, ::1] out = np.empty((5, e.n))
        cdef double[:, ::1] held = np.zeros((e.n, self.net.variables.shape[1]))
        cdef double[:, ::1] low = np.zeros((e.n, self.net.variables.shape[1]))
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

    # ---- checkpoints

    def state(self):
        """All that goes on from here depends on but the network itself, as named arrays: see eventsnn/state.py."""
        cdef list rows = []
        if self.failure is not None or self.lost_memory() or self.is_unsound():
            raise StateError(f"state: the run has ended at {self.core.time:g} ms, so that there is none to go on from")
        self.rouse()
        read_rows(&self.core, rows)
        hasty = [0.0, 0]
        if self.hasty != NULL:
            read_rows(self.hasty, rows)
            hasty = [self.hasty.instant, self.hasty.round]
        clock = {
            "network": self.fingerprint().copy(),
            "time": np.array(self.core.time),
            "instant": np.array([self.core.instant, hasty[0]]),
            "round": np.array([self.core.round, hasty[1]], dtype=np.int32),
        }
        weights = {}
        for projection in sorted(self.reweighted):
            plan = self.net.projections[projection]
            rows_of = getattr(plan, "rows", plan)
            k = next(k for k, of in enumerate(self.net.rows) if of.plan is rows_of)
            weights[f"weights.{projection}"] = self.weights[k].all[synapses_of(plan)].copy()
        parts = read_neurons(&self.core, self.net) | read_streams(&self.core, self.net)
        return clock | parts | arrays_of_trains(self.trains) | arrays_of_rows(rows) | weights

    def restore(self, state):
        """Go on from a state of this network, taken in any process with any number of threads. InputError, and the
        engine as it was, if it is none. Spikes and samples that were not taken are dropped."""
        cdef Stream* streams
        cdef Arena arena = Arena()
        cdef int i
        arrays = checked_state(self.net, state, self.fingerprint())
        trains = trains_of(arrays)
        streams = find_streams(&self.core, self.net, arrays, trains, arena)
        self.rouse()
        self.join()
        self.forget_samples()
        self.of_run = Arena()
        self.trains = trains
        memcpy(self.core.streams, streams, len(self.net.stream_source) * sizeof(Stream))
        write_neurons(&self.core, self.net, arrays)
        self.restore_weights(arrays)
        for i in range(self.team.n):
            self.restore_lane(self.lane[i], arrays)
        self.share(1)
        if self.hasty != NULL:
            self.give_neurons(self.hasty, np.flatnonzero(self.net.hasty))

    cdef restore_weights(self, dict state):
        for k, weights in self.weights.items():
            weights.set(slice(None), weights.plan.weight)
            self.bound_weights(k)
        self.reweighted.clear()
        for name in state:
            if name.startswith("weights."):
                self.put_weights(int(name.removeprefix("weights.")), state[name])

    cdef restore_lane(self, Core* e, dict state):
        """Clock and rows under way."""
        e.status = RUNNING
        e.time, e.blocks.reviewed = state["time"], state["time"]
        e.instant, e.round = state["instant"][int(e.is_hasty)], state["round"][int(e.is_hasty)]
        e.n_spikes = 0
        give_up_rows(e)
        give_up_queue(e)
        rows_begin(&e.rows, e.window)
        wheel_advance(&e.rows.wheel, e.time)
        write_rows(e, state)

    cdef fingerprint(self):
        if self.digest is None:
            self.digest = digest(self.net)
        return self.digest
