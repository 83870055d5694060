"""Plastic projections: made from their plans, read between runs, turned into arrays of a checkpoint and back."""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

from eventsnn._core.plasticity.plastic cimport (
    LATEST,
    Plastic,
    Traces,
    Train,
    decay,
    flow,
    not_needed,
    renew_latest,
    spike_at,
)
from eventsnn._core.plasticity.program cimport AT_ONCE, Program
from eventsnn._core.run.core cimport Core
from eventsnn._core.run.learn cimport bring_all, bring_rows, surely_arrived
from eventsnn._core.run.net cimport Arena
from eventsnn.run.weights import WeightsOfRows


@cython.final
@cython.no_gc_clear  # __dealloc__ needs what the arena holds
cdef class Plastics:
    """All plastic projections of a network that is laid out."""

    def __cinit__(self):
        self.arena = Arena()
        self.weights, self.made = {}, []

    @staticmethod
    cdef Plastics begun(Core* core, net):
        """Those of a network at t = 0."""
        cdef Plastics found = Plastics()
        found.core, found.net = core, net
        for k, rows in enumerate(net.rows):
            if rows.plan.plastic is not None:
                found.weights[k] = WeightsOfRows(net, k)
                found.make(k, rows.plan)
                core.net.plastic = True
        return found

    def __dealloc__(self):
        cdef Plastic* p
        cdef int64_t i
        for address in self.made:
            p = <Plastic*><size_t>address
            for i in range(p.n_rows):
                free(p.pre[i].spike)
            for i in range(p.n_targets):
                free(p.post[i].spike)
            free(p.third.spike)

    cdef Plastic* of(self, int64_t k) except NULL:
        return self.core.net.projections[k].plastic

    # ---- the beginning

    cdef make(self, int64_t k, plan):
        cdef Arena arena = self.arena
        cdef Plastic* p = <Plastic*>arena.allocate(1, sizeof(Plastic))
        cdef int64_t n = plan.n_synapses
        cdef int64_t i
        rule = plan.plastic
        p.sign, p.low, p.high, p.dendritic = rule.sign, rule.low, rule.high, rule.dendritic
        p.axonal = plan.delay.max() if n else 0.0
        p.enabled, p.learns = True, rule.learns
        p.on_pre, p.on_post = self.program(rule.on_pre), self.program(rule.on_post)
        p.between, p.step = self.program(rule.between), self.program(rule.step)
        p.n_stepped = rule.initial.size + 1
        p.initial = <const double*>arena.hold(rule.initial, np.float64)
        self.set_traces(&p.pre_traces, rule.pre_rate, rule.pre_nearest, 1.0, p.n_stepped if p.step != NULL else 0)
        self.set_traces(&p.post_traces, rule.post_rate, rule.post_nearest, 1.0, 0)
        self.set_traces(&p.third_traces, np.array([rule.reward_rate]), np.zeros(1, np.uint8), rule.reward_gain, 0)
        p.reward_delay = rule.reward_delay
        if rule.reward.size:
            rewards = np.zeros(self.net.n, dtype=np.uint8)
            rewards[rule.reward] = 1
            p.rewards = <const uint8_t*>arena.hold(rewards, np.uint8)
        p.n_rows = plan.pre.size
        p.first_target = self.net.rows[k].first_target
        p.n_targets = max(self.net.rows[k].last_target - p.first_target + 1, 0)
        p.pre = <Train*>arena.allocate(p.n_rows, sizeof(Train))
        p.post = <Train*>arena.allocate(p.n_targets, sizeof(Train))
        p.latest = <double*>arena.allocate(p.n_targets * (LATEST - 1 + p.post_traces.width), sizeof(double))
        for i in range(p.n_targets):
            renew_latest(p, i)
        p.n_own = rule.own_rate.size
        for j in range(p.n_own):
            p.own_rate[j] = rule.own_rate[j]
        if p.n_own or p.between != NULL:
            p.own = <double*>arena.allocate(n * max(p.n_own, 1), sizeof(double))
            p.at = <double*>arena.allocate(n, sizeof(double))
        self.core.net.projections[k].plastic = p
        self.made.append(<size_t>p)

    def point(self, int64_t k):
        """Let kernels know where the weights of rows are."""
        cdef Plastic* p = self.of(k)
        array = self.weights[k].all
        if array.dtype == np.float32:
            p.weight32 = <float*><size_t>array.ctypes.data
        else:
            p.weight = <double*><size_t>array.ctypes.data

    cdef Program* program(self, given) except? NULL:
        cdef Program* p
        cdef int64_t i, j
        if given is None:
            return NULL
        p = <Program*>self.arena.allocate(1, sizeof(Program))
        p.n_inputs, p.first_result = given.n_inputs, given.n_inputs + given.constants.size
        p.n_operations = len(given.operations)
        p.operation = <const int32_t*>self.arena.hold(given.operations, np.int32)
        p.output = <const int32_t*>self.arena.hold(given.outputs, np.int32)
        used = np.isin(np.arange(given.n_inputs), np.append(given.operations[:, 1:].reshape(-1), given.outputs))
        p.used = <const uint8_t*>self.arena.hold(used, np.uint8)
        p.register = <double*>self.arena.allocate(given.size * AT_ONCE, sizeof(double))
        for i in range(given.constants.size):
            for j in range(AT_ONCE):
                p.register[(p.n_inputs + i) * AT_ONCE + j] = given.constants[i]
        return p

    cdef set_traces(self, Traces* of, rate, nearest, double gain, int64_t behind):
        of.n, of.gain = rate.size, gain
        of.width = <int>(1 + of.n + behind)
        for j in range(of.n):
            of.rate[j], of.nearest[j] = rate[j], nearest[j]

    # ---- between runs

    def bring(self, int64_t k):
        """Bring weights up to date as far as nothing is under way on dendrites."""
        bring_all(&self.core.net.projections[k], self.core.state.time)

    def present(self, int64_t k):
        """All weights of rows as they are at the present time. What has come to a synapse, but not yet to the neuron
        behind it, is in them: so they are found from copies."""
        cdef Plastic* p = self.of(k)
        cdef double swept
        self.bring(k)
        array = self.weights[k].all
        n = array.size if p.at != NULL else 0
        swept = p.swept
        kept = array.copy()
        own, at = np.zeros(n * p.n_own), np.zeros(n)
        if n:
            at[:] = <double[:n]>p.at
            if p.n_own:
                own[:] = <double[:n * p.n_own]>p.own
        self.settle(k)
        found = array.astype(np.float64)
        array[:] = kept
        p.swept = swept
        if n:
            memcpy(p.at, <const double*><size_t>at.ctypes.data, n * sizeof(double))
            memcpy(p.own, <const double*><size_t>own.ctypes.data, n * p.n_own * sizeof(double))
        return found

    cdef pause(self, int64_t k, double t):
        """Have all sizes that change by themselves as they are at t; they do not while plasticity is frozen."""
        cdef Plastic* p = self.of(k)
        cdef int64_t i
        cdef int j
        if p.between == NULL:
            return
        for i in range(self.weights[k].all.size):
            if p.enabled:
                flow(p, i, t)
                continue
            for j in range(p.n_own):
                p.own[i * p.n_own + j] = p.own[i * p.n_own + j] * decay(p.own_rate[j], t - p.at[i])
            p.at[i] = t

    def settle(self, int64_t k):
        """Have all weights as they are at the present time, so that they can be set."""
        cdef double t = self.core.state.time
        self.bring(k)
        bring_rows(&self.core.net.projections[k], t, t)
        self.of(k).swept = max(self.of(k).swept, t)
        self.pause(k, t)

    def enable(self, int64_t k, bint enabled):
        """Let weights change, or stay as they are, from the present time on."""
        if enabled != self.of(k).enabled:
            self.settle(k)
            self.of(k).enabled = enabled

    # ---- checkpoints

    cdef dict read_trains(self, const Train* trains, int64_t n, const Traces* of, double now, double delay):
        """Spikes of n trains that may still be asked for: where each begins, how many were before, and the rows."""
        cdef int64_t i, k
        cdef int64_t total = 0
        start = np.zeros(n + 1, dtype=np.int64)
        first = np.zeros(n, dtype=np.int64)
        cdef int64_t[::1] begins = start
        cdef int64_t[::1] before = first
        for i in range(n):
            k = not_needed(&trains[i], of, now, delay)
            before[i] = trains[i].first + k
            total += trains[i].n - k
            begins[i + 1] = total
        spikes = np.zeros((total, of.width))
        cdef double[:, ::1] rows = spikes
        for i in range(n):
            k = begins[i + 1] - begins[i]
            if k:
                memcpy(&rows[begins[i], 0], spike_at(&trains[i], of, trains[i].n - k), k * of.width * sizeof(double))
        return {"start": start, "first": first, "spikes": spikes}

    cdef write_trains(self, Train* trains, int64_t n, const Traces* of, given, start, first):
        cdef int64_t i, k
        cdef const double[:, ::1] rows = given
        cdef const int64_t[::1] begins = start
        cdef const int64_t[::1] before = first
        cdef double* spike
        for i in range(n):
            k = begins[i + 1] - begins[i]
            free(trains[i].spike)
            trains[i].spike, trains[i].n, trains[i].room, trains[i].first = NULL, 0, 0, before[i]
            if k == 0:
                continue
            spike = <double*>malloc(k * of.width * sizeof(double))
            if spike == NULL:
                raise MemoryError
            memcpy(spike, &rows[begins[i], 0], k * of.width * sizeof(double))
            trains[i].spike, trains[i].n, trains[i].room = spike, <int32_t>k, <int32_t>k

    def arrays(self):
        """All that goes on depends on but the weights, as named arrays: see eventsnn/run/state.py."""
        cdef Plastic* p
        cdef int64_t k
        cdef double now
        found = {}
        for k in sorted(self.weights):
            self.bring(k)
            p = self.of(k)
            now = surely_arrived(p, self.core.state.time)
            trains = {
                "pre": self.read_trains(p.pre, p.n_rows, &p.pre_traces, now, p.axonal),
                "post": self.read_trains(p.post, p.n_targets, &p.post_traces, now, p.dendritic),
                "third": self.read_trains(&p.third, 1, &p.third_traces, now, p.reward_delay),
            }
            for side, arrays in trains.items():
                found |= {f"plastic.{k}.{side}_{name}": array for name, array in arrays.items()}
            n = self.weights[k].all.size if p.at != NULL else 0
            found[f"plastic.{k}.own"] = np.zeros((n, p.n_own))
            found[f"plastic.{k}.at"] = np.zeros(n)
            if n:
                found[f"plastic.{k}.at"][:] = <double[:n]>p.at
                if p.n_own:
                    found[f"plastic.{k}.own"].reshape(-1)[:] = <double[:n * p.n_own]>p.own
            found[f"plastic.{k}.swept"] = np.array(p.swept)
            found[f"plastic.{k}.enabled"] = np.array(p.enabled, dtype=np.uint8)
        return found

    def restore(self, dict arrays):
        """Go on from such arrays, which fit."""
        cdef Plastic* p
        cdef int64_t k, n, i
        for k in self.weights:
            p = self.of(k)
            given = {name: arrays[f"plastic.{k}.{name}"] for name in NAMES}
            self.write_trains(
                p.pre, p.n_rows, &p.pre_traces, given["pre_spikes"], given["pre_start"], given["pre_first"]
            )
            self.write_trains(
                p.post, p.n_targets, &p.post_traces, given["post_spikes"], given["post_start"], given["post_first"]
            )
            self.write_trains(
                &p.third, 1, &p.third_traces, given["third_spikes"], given["third_start"], given["third_first"]
            )
            n = given["at"].size
            if n:
                memcpy(p.at, <const double*><size_t>given["at"].ctypes.data, n * sizeof(double))
                memcpy(p.own, <const double*><size_t>given["own"].ctypes.data, n * p.n_own * sizeof(double))
            for i in range(p.n_targets):
                renew_latest(p, i)
            p.swept, p.enabled = given["swept"], given["enabled"]
            p.kept = given["post_spikes"].shape[0]


NAMES = [f"{side}_{name}" for side in ("pre", "post", "third") for name in ("start", "first", "spikes")]
NAMES += ["own", "at", "swept", "enabled"]
