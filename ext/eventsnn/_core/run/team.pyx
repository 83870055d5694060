"""Lanes: made, shared among threads, joined again; and what Python sees of a network's neurons.

All lanes share the state of neurons and streams, which the first lane keeps. Each has the same queue of rows. A lane's
own memory is in an arena that is dropped as a whole when the network is shared anew.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy, memset

import os

import numpy as np

from eventsnn._core.run.calm.activity cimport FIRST_BLOCK, interrupt, turn_on
from eventsnn._core.run.calm.blocks cimport ALWAYS_CALM, BY_ACTIVITY, NEVER_CALM, STATE, Blocks
from eventsnn._core.run.calm.calm cimport state_at
from eventsnn._core.run.core cimport NO_MEMORY, RUNNING, UNSOUND, Core, Range, neuron_at
from eventsnn._core.run.events cimport keep_spike, next_outside, next_own
from eventsnn._core.run.foresight cimport predict
from eventsnn._core.run.calm.external cimport PARTS
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.run.net cimport Arena, set_groups, set_net
from eventsnn._core.solve.neuron cimport Class, Model, Neuron, count_anew, variables
from eventsnn._core.run.lanes cimport give_up, give_up_inputs, give_up_queue, is_mine
from eventsnn._core.run.queue cimport NEVER, Link, rows_begin, wake_set, wheel_advance, wheel_begin, wheel_remove
from eventsnn._core.run.state cimport set_change, set_train, write_rows
from eventsnn._core.draw.stream cimport TRAIN, Stream, stream_begin
from eventsnn._core.run.synapses cimport copy_rows, give_up_rows
from eventsnn._core.run.verify cimport group_of, verify
from eventsnn.compile.groups import FEWEST_OF_A_GROUP, groups_of_lane
from eventsnn.compile.lanes import ranges
from eventsnn.run.change import begun
from eventsnn.run.outcome import Flaw, Outcome

# In a window with prompt arrivals, before neurons are taken on more carefully.
MOST_EXCHANGES = 16
MOST_CHANGES = 1_024

# How often a lane looks whether the others have come before it lets other threads have its processor.
LOOKS = 2000


@cython.no_gc_clear  # __dealloc__ needs what the lanes' memory holds
cdef class Lanes:
    """State of a network that is laid out (eventsnn/compile/layout.py), in lanes."""

    cdef lay(self, net):
        cdef Core* e = &self.core
        self.net = net
        self.driven = bool((net.groups.source[net.groups.number >= 0] >= 0).any())
        self.arena, self.of_lanes = Arena(), Arena()
        self.lane = <Core**>self.arena.allocate(2, sizeof(Core*))
        self.lane[0] = e
        self.team.n = 1
        e.whole = True
        set_net(e, net, self.arena)
        e.state.records = <char*>self.arena.allocate(e.net.n, e.net.stride)
        e.inbox.place = <int64_t*>self.arena.allocate(e.net.n, sizeof(int64_t))
        wheel_begin(&e.wakes, <Link*>self.arena.allocate(e.net.n, sizeof(Link)), e.net.window)
        rows_begin(&e.state.rows, e.net.window)
        self.begin_lane(e, self.arena)
        self.make_blocks()
        self.begin_streams()
        self.begin_neurons()
        self.give_groups(e, ranges(net.parts, net.load, 1)[0])

    def __dealloc__(self):
        cdef int i
        for i in range(1, self.team.n):
            give_up(self.lane[i])
        give_up(&self.core)

    # ---- the beginning

    cdef begin_lane(self, Core* e, Arena arena):
        """Give a lane the memory that it always needs for itself."""
        cdef int64_t n = self.core.net.n
        e.scratch = <Neuron*>arena.allocate(1, self.core.net.stride)
        e.touched = <int32_t*>arena.allocate(2 * n + 1, sizeof(int32_t))
        e.blocks.others = <int32_t*>arena.allocate(n + 1, sizeof(int32_t))
        e.inbox.start = <int64_t*>arena.allocate(n, sizeof(int64_t))
        e.prompts.applied_of = <int32_t*>arena.allocate(n, sizeof(int32_t))
        e.prompts.present = -1

    cdef make_blocks(self):
        """Room for the state of calm neurons; most of it is never touched where there are none."""
        cdef Blocks* b = &self.core.blocks
        cdef Arena arena = self.arena
        cdef int64_t n = self.core.net.n
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
        self.core.prompts.most_exchanges, self.core.prompts.most_changes = MOST_EXCHANGES, MOST_CHANGES
        self.core.prompts.replay_of = <int32_t*>arena.allocate(n, sizeof(int32_t))
        self.core.prompts.lowered = <int64_t*>arena.allocate(n, sizeof(int64_t))

    cdef begin_streams(self):
        cdef int64_t k
        cdef Stream* streams = self.core.state.streams
        cdef const int64_t[:, ::1] train = self.net.train
        cdef const double* time = <const double*>self.arena.hold(self.net.train_time, np.float64)
        for k in range(train.shape[0]):
            if self.core.net.sources[streams[k].source].kind == TRAIN:
                set_train(&streams[k], time + train[k, 0], train[k, 1], 0)
            else:
                stream_begin(self.core.net.sources, &streams[k])

    cdef begin_neurons(self):
        cdef Core* e = &self.core
        cdef Neuron* s
        cdef int32_t n
        cdef const int32_t[::1] class_of = self.net.class_of
        cdef const int64_t[::1] stream_start = self.net.stream_start
        for n in range(e.net.n):
            s = neuron_at(e, n)
            s.class_of = class_of[n]
            s.streams = e.state.streams + stream_start[n]
            s.n_streams = stream_start[n + 1] - stream_start[n]
            s.millisecond = -1
            s.crossing = infinity()
            e.wakes.link[n].key = NEVER
        self.begin(begun(self.net))

    cdef begin(self, change):
        """Let neurons begin, each in its state (Change in eventsnn/run/change.py). All states are in the records."""
        cdef Core* e
        cdef const Class* k
        cdef Neuron* s
        cdef int64_t i
        cdef int lane, slot
        cdef double t = change.time
        cdef const int32_t[::1] neuron = change.neuron
        cdef const double[::1] v = change.v
        cdef const double[::1] drive = change.drive
        cdef const double[::1] slope = change.slope
        cdef const double[:, ::1] variable = change.variables
        cdef const double[:, ::1] low = change.low
        cdef const int32_t[::1] piece = change.piece
        cdef const int32_t[::1] first_change = self.net.change
        for i in range(neuron.shape[0]):
            s = neuron_at(&self.core, neuron[i])
            s.t, s.v, s.drive, s.slope = t, v[i], drive[i], slope[i]
            s.u.low, s.u.high, s.framed = 0, 0, False
            set_change(&self.core, s, first_change[neuron[i]], piece[i])
            memset(<void*>(s + 1), 0, self.core.net.stride - sizeof(Neuron))
            if s.class_of >= 0:
                k = &self.core.net.classes[s.class_of]
                for slot in range(k.model.n_slots):
                    variables(k, s)[slot] = variable[i, slot]
                for slot in range(k.model.n_currents + k.model.n_alpha):
                    variables(k, s)[k.model.n_slots + slot] = low[i, slot]
                if k.model.stepped:
                    count_anew(s, t)
                k.model.enter(k, s)
                predict(&self.core, s, t)
            s.outside = next_outside(&self.core, s)
            for lane in range(self.team.n):
                e = self.lane[lane]
                if is_mine(e, neuron[i]):
                    wake_set(&e.wakes, neuron[i], next_own(s))

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
        self.set_calm_mode({"auto": BY_ACTIVITY, True: ALWAYS_CALM, False: NEVER_CALM}[mode], width, above)

    cdef set_calm_mode(self, int mode, double width, double above):
        cdef int i
        self.mode = mode
        self.rouse()
        for i, part in enumerate(ranges(self.net.parts, self.net.load, self.team.n)):
            self.lane[i].blocks.width = width
            self.lane[i].blocks.above = above
            self.give_groups(self.lane[i], part)

    def set_patience(self, int32_t exchanges, int64_t changes):
        """After how much of both neurons are taken on carefully, where spikes arrive in the window in which they were
        fired. For tests: no bit depends on it."""
        cdef int i
        for i in range(self.team.n):
            self.lane[i].prompts.most_exchanges, self.lane[i].prompts.most_changes = exchanges, changes

    cdef rouse(self):
        """Have all neurons' states in their records."""
        cdef int i
        for i in range(self.team.n):
            interrupt(self.lane[i])

    # ---- lanes

    cdef share(self, int n):
        """Share the neurons among n lanes."""
        cdef Core* e = &self.core
        cdef Core* other
        cdef int i
        self.rouse()
        self.join()
        give_up_inputs(e)
        self.of_lanes = Arena()
        self.team.barrier.n = n
        self.team.barrier.looks = LOOKS if n <= (os.cpu_count() or 1) else 0
        self.lane = <Core**>self.of_lanes.allocate(n, sizeof(Core*))
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
                raise MemoryError(Outcome.NO_MEMORY.sentence(e.state.time))
        part_of_lane = ranges(self.net.parts, self.net.load, n)
        for i, part in enumerate(part_of_lane):
            self.give_ranges(self.lane[i], part)
            self.give_neurons(self.lane[i], np.concatenate([np.arange(a, b) for a, b in part] + [[]]).astype(np.int64))

    cdef assemble(self, int n):
        """Let the first n lanes be the team."""
        cdef int i
        self.team.n = n
        self.team.lane = self.lane
        for i in range(n):
            self.lane[i].team = &self.team if n > 1 else NULL
            self.lane[i].whole = n == 1

    cdef reset_lane(self, Core* e, int number, Arena arena):
        """Make a lane of the copy of another: drop all that lanes do not share."""
        cdef int k
        e.lane = number
        self.begin_lane(e, arena)
        e.inbox.row, e.inbox.row_of, e.inbox.weight, e.inbox.arrival = NULL, NULL, NULL, NULL
        e.blocks.segment, e.blocks.notes.taken, e.blocks.notes.weight, e.blocks.listed = NULL, NULL, NULL, NULL
        e.blocks.places, e.blocks.pool, e.blocks.pool_room, e.blocks.free = NULL, NULL, 0, -1
        e.blocks.gathered, e.blocks.gathered_growth, e.blocks.gathered_begin = NULL, NULL, NULL
        e.blocks.segment_room = e.blocks.notes.room = e.blocks.gathered_room = e.blocks.listed_room = 0
        e.blocks.arrivals = e.blocks.looks = e.blocks.looking = e.blocks.follows = 0
        e.blocks.n_groups = 0
        e.inbox.row_room = e.inbox.room = e.inbox.timed_room = 0
        e.prompts.replay, e.prompts.due, e.prompts.kept, e.prompts.shot = NULL, NULL, NULL, NULL
        e.prompts.applied, e.prompts.row = NULL, NULL
        e.prompts.replay_room = e.prompts.kept_room = e.prompts.shot_room = 0
        e.prompts.applied_room = e.prompts.row_room = 0
        e.tally.spike_time, e.tally.spike_neuron = NULL, NULL
        e.tally.n_spikes = e.tally.spike_room = 0
        e.arrived = NULL
        e.tally.synaptic_events = e.tally.external_events = e.tally.queue_pops = e.tally.updates = 0
        e.tally.bounds_due = e.tally.tests = e.tally.tests_resolved = e.tally.fired = 0
        for k in range(2):
            e.message[k].fired, e.message[k].change = NULL, NULL
            e.message[k].room = e.message[k].n_fired = e.message[k].change_room = e.message[k].n_changes = 0
        rows_begin(&e.state.rows, e.net.window)
        wheel_advance(&e.state.rows.wheel, e.state.time)

    cdef give_ranges(self, Core* e, list part):
        """Let a lane have these ranges of neurons."""
        cdef int64_t k
        e.n_ranges = len(part)
        e.range = <Range*>self.of_lanes.allocate(e.n_ranges, sizeof(Range))
        for k, (first, stop) in enumerate(part):
            e.range[k].start, e.range[k].stop = first, stop
        self.give_groups(e, part)

    cdef give_neurons(self, Core* e, const int64_t[::1] neurons):
        """Wake these neurons in a lane."""
        cdef int64_t k, n
        cdef Link* link = self.core.wakes.link
        wheel_begin(&e.wakes, link, e.net.window)
        wheel_advance(&e.wakes, e.state.time)
        for k in range(neurons.shape[0]):
            n = neurons[k]
            link[n].key = NEVER
            wake_set(&e.wakes, n, next_own(neuron_at(e, n)))

    cdef join(self):
        """Take the spikes and counters of all other lanes into the first, and drop these lanes."""
        cdef Core* e = &self.core
        cdef Core* other
        cdef int i
        cdef int64_t k
        for i in range(1, self.team.n):
            other = self.lane[i]
            for k in range(other.tally.n_spikes):
                keep_spike(e, other.tally.spike_neuron[k], other.tally.spike_time[k])
            e.tally.synaptic_events += other.tally.synaptic_events
            e.tally.external_events += other.tally.external_events
            e.tally.queue_pops += other.tally.queue_pops
            e.tally.updates += other.tally.updates
            e.tally.bounds_due += other.tally.bounds_due
            e.tally.tests += other.tally.tests
            e.tally.tests_resolved += other.tally.tests_resolved
            e.tally.fired += other.tally.fired
            e.blocks.looks += other.blocks.looks
            e.blocks.looking += other.blocks.looking
            e.blocks.follows += other.blocks.follows
            e.blocks.arrivals += other.blocks.arrivals
            if other.tally.status != RUNNING:
                e.tally.status = other.tally.status
            give_up(other)
        self.assemble(1)

    cdef restore_lane(self, Core* e, dict state):
        """Clock and rows under way; nothing is left of what a failure has interrupted."""
        cdef int k
        e.tally.status = RUNNING
        for k in range(2):
            e.message[k].n_fired = e.message[k].n_changes = 0
        memset(e.inbox.place, 0, e.net.n * sizeof(int64_t))
        e.state.time, e.blocks.reviewed = state["time"], state["time"]
        e.n_touched = e.tally.n_spikes = 0
        give_up_rows(e)
        give_up_queue(e)
        rows_begin(&e.state.rows, e.net.window)
        wheel_advance(&e.state.rows.wheel, e.state.time)
        write_rows(e, state)

    # ---- what is to be seen

    @property
    def failure(self):
        """None, or (neuron, time, outcome) of the run-away that ended the run: the first of all lanes."""
        cdef const Core* e
        cdef int i
        failures = []
        for i in range(self.team.n):
            e = self.lane[i]
            if Outcome(e.tally.status).runaway:
                failures.append((e.tally.failed_at, e.tally.failed_round, e.tally.failed, Outcome(e.tally.status)))
        if not failures:
            return None
        time, _, neuron, outcome = min(failures)
        return neuron, time, outcome

    @property
    def counters(self):
        """Counts summed over all lanes; windows, rows under way and seconds of the first lane."""
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
                e.tally.synaptic_events, e.tally.external_events, e.tally.queue_pops, e.tally.updates,
                e.tally.bounds_due, e.tally.tests, e.tally.tests_resolved, e.tally.fired, e.blocks.looks,
                e.blocks.arrivals,
            )
        e = &self.core
        schedule = {"windows": e.tally.windows, "under_way": e.tally.under_way}
        spent = {"collecting_s": e.tally.collecting, "processing_s": e.tally.processing, "waiting_s": e.tally.waiting}
        return dict(zip(names, counts.tolist())) | schedule | spent

    def lost_memory(self):
        return any([self.lane[i].tally.status == NO_MEMORY for i in range(self.team.n)])

    def is_unsound(self):
        return any([self.lane[i].tally.status == UNSOUND for i in range(self.team.n)])

    def verify(self):
        """Raise RuntimeError if the schedule is not as it should be between two windows."""
        cdef int i, broken
        cdef int32_t neuron = -1
        for i in range(self.team.n):
            broken = verify(self.lane[i], &neuron)
            if self.lane[i].tally.status == UNSOUND:
                raise RuntimeError(f"{Outcome.UNSOUND.sentence()}, see neuron {self.lane[i].tally.failed}")
            if broken:
                raise RuntimeError(f"lane {i}: {Flaw(broken).sentence(neuron)}, at {self.lane[i].state.time:g} ms")

    def plant(self, str what, int32_t n):
        """Break the schedule at a neuron, for tests of `verify`."""
        cdef Core* e = &self.core
        cdef Blocks* b = &e.blocks
        if what == "flag":
            b.flag[n] = 3
        elif what == "line":
            state_at(&b.group[group_of(e, n)], n)[0] = 1
        elif what == "wake":
            wake_set(&e.wakes, n, e.state.time)
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
            e.state.time = infinity()
        else:
            raise ValueError(what)

    def flags(self):
        """For every neuron 0 while it is calm; 1: apart, 2: held, 4: followed."""
        return np.array([self.core.blocks.flag[n] if self.core.blocks.on else 1 for n in range(self.core.net.n)])

    def bounds(self):
        """For every neuron a time (ms) before which it does not spike if nothing else happens."""
        cdef int64_t n
        self.rouse()
        cdef double[::1] out = np.empty(self.core.net.n)
        for n in range(self.core.net.n):
            out[n] = neuron_at(&self.core, n).crossing
        return np.asarray(out)

    def settled(self):
        """Every neuron's state as it is at the present time."""
        self.rouse()
        cdef Core* e = &self.core
        cdef int64_t n
        cdef const Model* m
        cdef int slot
        cdef double[:, ::1] out = np.empty((5, e.net.n))
        cdef double[:, ::1] held = np.zeros((e.net.n, self.net.variables.shape[1]))
        cdef double[:, ::1] low = np.zeros((e.net.n, self.net.variables.shape[1]))
        cdef Neuron* s
        for n in range(e.net.n):
            s = e.scratch
            memcpy(s, neuron_at(e, n), e.net.stride)
            if s.class_of >= 0:
                e.net.classes[s.class_of].model.settle(&e.net.classes[s.class_of], s, e.state.time)
                e.net.classes[s.class_of].model.leave(&e.net.classes[s.class_of], s)
            out[0, n], out[1, n], out[2, n], out[3, n], out[4, n] = s.t, s.v, s.drive, s.slope, s.release
            if s.class_of < 0:
                continue
            m = e.net.classes[s.class_of].model
            for slot in range(m.n_slots):
                held[n, slot] = variables(&e.net.classes[s.class_of], s)[slot]
            for slot in range(m.n_currents + m.n_alpha):
                low[n, slot] = variables(&e.net.classes[s.class_of], s)[m.n_slots + slot]
        names = ("t", "v", "drive", "slope", "release")
        return dict(zip(names, np.asarray(out))) | {"variables": np.asarray(held), "low": np.asarray(low)}
