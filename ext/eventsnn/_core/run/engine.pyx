"""The compiled engine: windows over a queue of spike rows and a queue of neurons' own events.

The schedule. Windows have a width W that is a power of two; window k is [kW, (k+1)W). Where W is not above the smallest
delay, a spike fired inside a window arrives at fl(t + d) >= (k+1)W, because kW + W is exact and rounding is monotone.
So all input of a window is known when it begins, and its neurons do not depend on each other. For every window in which
anything happens:

(a) Rows. Rows that arrive inside the window are taken in canonical order, and what they bring is put side by side for
    each neuron, in that order. No neuron's state is touched. Depends on: the queue.
(b) Wakes. Neurons whose own next event (crossing, external spike, change of current) lies in the window join the
    list of those that rows reach. Depends on: the state before the window.
(c) Neurons. Every listed neuron goes through its events up to the end of the window, in time order, and then queues
    its next own event. All that arrives at one time is added up before the one threshold test, whoever sent it. Spikes
    push rows. Depends on: (a), (b); not on other neurons.
(d) Prompt arrivals. Where W is above the smallest delay, spikes may arrive in the window in which they were fired.
    Those that they reach are gone through the window again, until nothing changes any more (prompt.pxd).

Cutting a window short, at the end of a run or where more arrives than fits in the cache, changes nothing. Where t is so
large that W is lost in its last bit, a window is one time.
"""

cimport cython
from libc.math cimport floor, nextafter
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

import numpy as np

from eventsnn._core.run.calm.activity cimport is_late, review, turn_off
from eventsnn._core.run.calm.begin cimport begin_blocks
from eventsnn._core.run.core cimport (
    NO_MEMORY,
    RUNNING,
    UNSOUND,
    Core,
    Probe,
    Watch,
    neuron_at,
    prefetch,
    seconds,
)
from eventsnn._core.run.events cimport fail, next_own, process_before, sample
from eventsnn._core.run.calm.follow cimport finish_window
from eventsnn._core.run.inbox cimport AHEAD, CACHE_LINE, list_rows, list_wakes, sort_arrivals
from eventsnn._core.run.lanes cimport Met, is_mine, meet
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.run.net cimport Arena
from eventsnn._core.solve.neuron cimport Neuron
from eventsnn._core.run.plastics cimport Plastics
from eventsnn._core.run.prompt cimport begin_prompts, begin_record, begin_replays, is_prompted, settle_window
from eventsnn._core.run.queue cimport wake_set, wheel_advance
from eventsnn._core.run.state cimport (
    find_streams,
    move_weights,
    read_neurons,
    read_rows,
    read_streams,
    set_train,
    set_weights_of,
    write_neurons,
)
from eventsnn._core.draw.stream cimport Stream
from eventsnn._core.run.team cimport Lanes
from eventsnn._core.run.together cimport AT_ONCE, process_together
from eventsnn._core.run.verify cimport VERIFIES, verify
from eventsnn.base.errors import StateError
from eventsnn.run.outcome import Outcome
from eventsnn.run.state import arrays_of_rows, arrays_of_trains, carried, checked_state, digest, trains_of, without
from eventsnn.run.threads import in_threads
from eventsnn.run.weights import WeightsOfRows, checked_weights, rows_of, synapses_of

# ---- the schedule


cdef void process_touched(Core* e, double stop) noexcept nogil:
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
        if e.net.together:
            prefetch(<const char*>s + 2 * CACHE_LINE)
        prefetch(&e.wakes.link[e.touched[min(i + 2 * AHEAD, e.n_touched - 1)]])
        s = neuron_at(e, e.touched[min(i + AHEAD, e.n_touched - 1)])
        if s.outside < stop and s.n_streams:
            prefetch(s.streams)
            prefetch(&s.streams.kept[2])
        if e.net.many_classes:
            if s.class_of >= 0:
                prefetch(e.net.classes[s.class_of].c)
                prefetch(e.net.classes[s.class_of].c + CACHE_LINE // sizeof(double))
            s = neuron_at(e, e.touched[min(i + AHEAD + AHEAD // 2, e.n_touched - 1)])
            if s.class_of >= 0:
                prefetch(&e.net.classes[s.class_of])
        if e.net.together and i % AT_ONCE == 0 and e.tally.status == RUNNING and not e.prompts.on:
            process_together(e, i, min(i + AT_ONCE, e.n_touched), stop)
        n = e.touched[i]
        s = neuron_at(e, n)
        next = e.inbox.start[i]
        end = e.inbox.place[n]
        e.inbox.place[n] = 0
        if e.prompts.on and is_prompted(e, n):
            begin_record(e, n, next, end)
        else:
            process_before(e, n, stop, next, end)
        # Not in the present window, whose wakes have been taken, where a neuron has not come to its end.
        wake_set(&e.wakes, n, max(next_own(s), stop))
    e.tally.updates += e.n_touched
    e.n_touched = 0


cdef double end_of_window(const Core* e, double t) noexcept nogil:
    return max((floor(t / e.net.window) + 1.0) * e.net.window, nextafter(t, infinity()))


cdef void take_window(Core* e, double t, double end) noexcept nogil:
    """(a) to (d) from t to end, or earlier."""
    cdef double began = seconds()
    cdef double listed
    e.round = 0
    begin_prompts(e, t, end)
    end = list_rows(e, t, end)
    if e.prompts.on:
        e.prompts.stop = e.prompts.limit = end
    list_wakes(e, end)
    if e.tally.status != NO_MEMORY and not sort_arrivals(e):
        fail(e, NO_MEMORY, t, 0)
    listed = seconds()
    e.tally.collecting += listed - began
    if e.tally.status != NO_MEMORY:
        process_touched(e, end)
    if e.prompts.on:
        if e.blocks.on and e.tally.status != NO_MEMORY:
            begin_replays(e)
            finish_window(e, end)
        settle_window(e)
    if e.blocks.on and e.tally.status != NO_MEMORY:
        finish_window(e, end)
    e.tally.processing += seconds() - listed
    if e.tally.status != NO_MEMORY:
        e.state.time = end
    if VERIFIES and verify(e, &e.tally.failed):
        e.tally.status = UNSOUND


cdef void advance_window(Core* e, double t, double stop) noexcept nogil:
    """The window in which something may happen at t, the first time in any lane."""
    cdef double end = end_of_window(e, t)
    cdef double began
    e.tally.windows += 1
    e.tally.under_way += e.state.rows.n
    wheel_advance(&e.state.rows.wheel, t)
    wheel_advance(&e.wakes, t)
    if e.blocks.on and is_late(e, t):
        turn_off(e)
    if e.blocks.on:
        if not t < e.blocks.end:
            began = seconds()
            begin_blocks(e, t)
            e.tally.collecting += seconds() - began
        if not e.blocks.end > t:
            turn_off(e)  # t is so large that a block is lost in its last bit
        end = min(end, e.blocks.end)
    take_window(e, t, min(end, stop))


cdef bint advance(Core* e, double stop, int64_t budget) noexcept nogil:
    """Windows until stop, failure, or budget events; True when stop is reached or the run failed. All lanes at once."""
    cdef Met met = meet(e)
    cdef int64_t limit = met.work + budget
    while met.running and met.first < stop and met.work < limit:
        if review(e, &met.activity, met.first):
            met = meet(e)
            continue
        advance_window(e, met.first, stop)
        met = meet(e)
    if met.running and not met.first < stop:
        e.state.time = stop
    return not (met.running and met.first < stop)


# ---- the Python side


@cython.final
@cython.no_gc_clear  # Lanes says why
cdef class Engine(Lanes):
    """The loop over a network that is laid out."""

    cdef object digest            # of the network, when it has been asked for
    cdef Arena of_run             # of the samples of the present run
    cdef dict trains              # by stream: the spikes that it had been given in a state that was restored
    cdef dict given               # by the first neuron of a population: those that its sources were given since
    cdef dict weights             # by number of rows: those that may change
    cdef Plastics plastics
    cdef set reweighted           # projections whose weights have been set
    cdef list sampled

    def __init__(self, net):
        self.of_run = Arena()
        self.trains, self.given, self.weights, self.reweighted = {}, {}, {}, set()
        self.sampled = []
        self.lay(net)
        self.plastics = Plastics.begun(&self.core, net)
        for k in self.plastics.weights:
            self.weights[k] = self.plastics.weights[k]
            self.point_weights(k)
            self.bound_weights(k)
            self.plastics.point(k)

    @property
    def threads(self):
        """How many took part in the last call of `advance`."""
        return self.team.n

    def advance(self, double stop, int64_t budget, int threads=1):
        """Process about `budget` events before `stop` (ms) in at most so many threads; True when none is left or the
        run failed."""
        # Spikes on both sides of plastic synapses are known to one lane only.
        threads = 1 if self.core.net.plastic else max(1, min(threads, self.core.net.n))
        # What has been put off to a later part of its window is in no queue; the next chunk will have it there.
        if threads != self.team.n and self.core.state.rows.n_late == 0:
            self.share(threads)
        if self.team.n == 1:
            self.advance_lane(0, stop, budget)
        elif not in_threads(self.advance_lane, self.team.n, stop, budget):
            self.share(1)
            self.advance_lane(0, stop, budget)
        if self.lost_memory():
            raise MemoryError(Outcome.NO_MEMORY.sentence(self.core.state.time))
        if self.is_unsound():
            self.verify()
        if self.failure is not None:
            self.rouse()
            return True
        return not self.core.state.time < stop

    def advance_lane(self, int lane, double stop, int64_t budget):
        cdef Core* e = self.lane[lane]
        with nogil:
            advance(e, stop, budget)

    def set_trains(self, int32_t first, times, const int64_t[::1] begin, const int64_t[::1] end):
        """Let source first + k spike at times[begin[k]:end[k]] (ms), none of which lies in the past, instead of at what
        it still had before it."""
        cdef int32_t n
        cdef int64_t k
        cdef int i
        cdef bint silent
        cdef Stream* s
        given = np.array(times, dtype=np.float64)
        cdef const double* held = <const double*><size_t>given.ctypes.data
        # They take the place of all that was given to these sources before, so that nothing else is pointed into.
        self.given[first] = given, np.array(begin), np.array(end)
        for k in range(begin.shape[0]):
            n = first + <int32_t>k
            s = neuron_at(&self.core, n).streams
            silent = begin[k] == end[k] and s.first == infinity()
            set_train(s, held + begin[k], end[k] - begin[k], 0)
            if silent:
                continue  # as it was before, like most pixels of a camera
            neuron_at(&self.core, n).outside = s.first
            for i in range(self.team.n):
                if is_mine(self.lane[i], n):
                    wake_set(&self.lane[i].wakes, n, s.first)

    cdef dict all_trains(self):
        """The spikes that sources were given, by stream."""
        found = dict(self.trains)
        for first, (times, begin, end) in self.given.items():
            stream = self.net.stream_start[first]
            found |= {stream + k: times[a:b] for k, (a, b) in enumerate(zip(begin.tolist(), end.tolist()))}
        return found

    def set_weights(self, int64_t projection, weights):
        """Give the synapses of projection number `projection` new weights, by (row, delay, target, draw). Spikes under
        way arrive with them. InputError if they cannot be set."""
        kept = checked_weights(self.net.projections, projection, weights)
        self.rouse()
        if rows_of(self.net, projection) in self.plastics.weights:
            self.plastics.settle(rows_of(self.net, projection))
        self.put_weights(projection, kept)

    def weights_of(self, int64_t projection):
        """The weights of a plastic projection as they are at the present time."""
        return self.plastics.present(rows_of(self.net, projection))

    def set_learning(self, int64_t projection, bint enabled):
        """Let the weights of a plastic projection change, or stay as they are, from the present time on."""
        self.plastics.enable(rows_of(self.net, projection), enabled)

    cdef put_weights(self, int64_t projection, weights):
        k = rows_of(self.net, projection)
        if k not in self.weights:
            self.weights[k] = WeightsOfRows(self.net, k)
            self.point_weights(k)
        self.weights[k].set(synapses_of(self.net.projections[projection]), weights)
        self.reweighted.add(projection)
        self.bound_weights(k)

    cdef point_weights(self, int64_t k):
        """Let rows have their weights where these may change."""
        cdef int i
        for i in range(self.team.n):
            move_weights(self.lane[i], k, self.core.net.projections[k], self.weights[k].all)
        set_weights_of(&self.core.net.projections[k], self.weights[k].all)

    cdef bound_weights(self, int64_t k):
        self.core.net.projections[k].weight_size = self.weights[k].size

    def snapshot(self):
        """What `rewind` goes back to, in this engine."""
        return self.arrays()

    def rewind(self, dict snapshot):
        """Go back to where the engine stood. Spikes and samples that were not taken are dropped; what was counted is
        not."""
        self.adopt(snapshot)

    def continued(self, net, change):
        """The engine that goes on from here with another network, of the same neurons and rows, in which neurons and
        streams are as a Change says once they are `restated`."""
        cdef Engine later = Engine(net)
        later.adopt(carried(self.net, net, self.arrays(), later.arrays(), change))
        later.set_calm_mode(self.mode, self.core.blocks.width, self.core.blocks.above)
        return later

    def forked(self):
        """Another engine over the same network that stands where this one does."""
        cdef Engine twin = Engine(self.net)
        twin.adopt(self.arrays())
        twin.set_calm_mode(self.mode, self.core.blocks.width, self.core.blocks.above)
        return twin

    def drop_spikes(self, neurons):
        """Let no spike of these neurons that is under way arrive. The times (ms) at which they were fired."""
        arrays = self.arrays()
        kept, fired = without(self.net, arrays, neurons)
        self.adopt(kept)
        return fired

    def restate(self, change):
        """Let neurons be as a Change says."""
        self.rouse()
        self.begin(change)

    # ---- what is to be seen

    @property
    def time(self):
        """Everything before this time (ms) has been processed."""
        return self.core.state.time

    def take_spikes(self):
        """Times (ms) and neurons of the spikes since the last call, in no particular order."""
        cdef Core* e
        cdef int i
        if self.driven:
            # A run ends here, perhaps within a block, whose external spikes at calm neurons have not been counted yet.
            self.rouse()
        times, neurons = [np.empty(0)], [np.empty(0, dtype=np.int32)]
        for i in range(self.team.n):
            e = self.lane[i]
            if e.tally.n_spikes:
                times.append(np.array(<double[:e.tally.n_spikes]>e.tally.spike_time))
                neurons.append(np.array(<int32_t[:e.tally.n_spikes]>e.tally.spike_neuron))
            e.tally.n_spikes = 0
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
        if not any(at.size for at in times):
            self.forget_samples()
            return
        self.rouse()
        self.forget_samples()
        self.sampled = []
        e.tally.probes = <Probe*>arena.allocate(len(plans), sizeof(Probe))
        for k, plan in enumerate(plans):
            out = np.zeros((len(plan.variables), plan.neuron.size, times[k].size))
            self.sampled.append(out)
            probe = &e.tally.probes[k]
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
        e.tally.watches = <Watch*>arena.allocate(neuron.size, sizeof(Watch))
        for w, at in enumerate(order):
            watch = &e.tally.watches[w]
            watch.neuron = neuron[at]
            watch.probe = of_probe[at]
            watch.row = row[at]
        start = np.searchsorted(neuron[order], np.arange(e.net.n + 1))
        e.tally.watch_start = <const int64_t*>arena.hold(start, np.int64)
        for i in range(1, self.team.n):
            self.lane[i].tally.probes, self.lane[i].tally.watches = e.tally.probes, e.tally.watches
            self.lane[i].tally.watch_start = e.tally.watch_start
        self.of_run = arena

    cdef forget_samples(self):
        cdef int i
        for i in range(self.team.n):
            self.lane[i].tally.watch_start = NULL
        self.sampled = [np.zeros((len(plan.variables), plan.neuron.size, 0)) for plan in self.net.probes]

    @property
    def samples(self):
        """For every probe the arrays (ids, samples) of its variables by name, filled up to the time reached."""
        cdef Core* e = &self.core
        cdef int64_t w
        failure = self.failure
        if e.tally.watch_start != NULL:
            for w in range(e.tally.watch_start[e.net.n]):
                sample(e, e.tally.watches[w].neuron, e.state.time if failure is None else failure[1])
        return [dict(zip(plan.variables, out)) for plan, out in zip(self.net.probes, self.sampled)]

    # ---- checkpoints

    def state(self):
        """All that goes on from here depends on but the network itself, as named arrays: see eventsnn/run/state.py."""
        if self.failure is not None or self.lost_memory() or self.is_unsound():
            raise StateError(f"state: the run has ended at {self.time:g} ms, so that there is none to go on from")
        return {"network": self.fingerprint().copy()} | self.arrays()

    cdef dict arrays(self):
        """The same but for the network's digest, which takes long where there are many synapses."""
        cdef list rows = []
        self.rouse()
        read_rows(&self.core, rows)
        clock = {"time": np.array(self.core.state.time)}
        weights = {}
        plastic = self.plastics.arrays()
        for projection in sorted(self.reweighted | self.plastic_projections()):
            of_rows = self.weights[rows_of(self.net, projection)]
            weights[f"weights.{projection}"] = of_rows.all[synapses_of(self.net.projections[projection])].copy()
        parts = read_neurons(&self.core, self.net) | read_streams(&self.core, self.net)
        return clock | parts | arrays_of_trains(self.all_trains()) | arrays_of_rows(rows) | weights | plastic

    def restore(self, state):
        """Go on from a state of this network, taken in any process with any number of threads. InputError, and the
        engine as it was, if it is none. Spikes and samples that were not taken are dropped."""
        self.adopt(checked_state(self.net, state, self.fingerprint()))

    cdef adopt(self, dict arrays):
        cdef Stream* streams
        cdef Arena arena = Arena()
        cdef int i
        trains = trains_of(arrays)
        streams = find_streams(&self.core, self.net, arrays, trains, arena)
        self.rouse()
        self.join()
        self.forget_samples()
        self.of_run = Arena()
        self.trains, self.given = trains, {}
        memcpy(self.core.state.streams, streams, len(self.net.stream_source) * sizeof(Stream))
        write_neurons(&self.core, self.net, arrays)
        self.restore_weights(arrays)
        self.plastics.restore(arrays)
        for i in range(self.team.n):
            self.restore_lane(self.lane[i], arrays)
        self.share(1)

    cdef set plastic_projections(self):
        return {number for number, plan in enumerate(self.net.projections) if plan.plastic is not None}

    cdef restore_weights(self, dict state):
        for k, weights in self.weights.items():
            weights.set(slice(None), weights.plan.weight)
            self.bound_weights(k)
        self.reweighted.clear()
        for name in state:
            if name.startswith("weights."):
                self.put_weights(int(name.removeprefix("weights.")), state[name])

    cdef fingerprint(self):
        if self.digest is None:
            self.digest = digest(self.net)
        return self.digest
