"""Forward and backward passes over mini-batches: many small runs of one network, and the gradient of a loss of them."""

from libc.stdint cimport int8_t, int32_t, int64_t
from libc.stdlib cimport calloc, free

import numpy as np

from eventsnn._core.base.mathfunc cimport infinity, not_a_number
from eventsnn._core.train.backward cimport Gradient, integral_of, run_backward
from eventsnn._core.train.forward cimport run_forward, states_of
from eventsnn._core.train.membrane cimport States, find_lanes
from eventsnn._core.train.tape cimport (
    NONE,
    Branch,
    Fan,
    Pending,
    Stage,
    Tape,
    Wiring,
    release_tape,
)


cdef class Net:
    """What eventsnn.train.wiring makes of a network; the kernels read its arrays where they are.

    Weights and delays may be changed in place between two passes, constants with set_constants.
    """

    cdef Wiring w
    cdef object arrays
    cdef readonly int64_t weights, entries

    def __cinit__(self):
        self.w.fan = NULL

    def __init__(
        self,
        const int64_t[:, ::1] stages,     # first fan, end
        const double[::1] windows,        # by stage, ms
        const int64_t[:, ::1] fans,       # neurons, synapses of each, place, entry, weight, currents
        const double[:, ::1] constants,   # by fan: tau_m, tau_syn (2), C_m, I_e, threshold, reset, t_ref
        const int64_t[::1] neuron,        # by place
        const int8_t[::1] port,           # by entry
        double[::1] delay,                # by entry, ms
        double[::1] weight,               # pA
        const double[:, ::1] initial,     # V, currents; by place
        const int64_t[::1] output,        # by neuron: number of the output, -1 if none
        const int64_t[::1] branches,      # (neurons + 1)
        const int32_t[:, ::1] branch,     # fan, entry
    ):
        cdef Stage* stage
        cdef Branch* to
        cdef int64_t i
        self.w.stages, self.w.fans = <int32_t>stages.shape[0], <int32_t>fans.shape[0]
        self.w.neurons, self.w.places = branches.shape[0] - 1, neuron.shape[0]
        self.weights, self.entries = weight.shape[0], delay.shape[0]
        self.w.fan = <Fan*>calloc(max(1, self.w.fans), sizeof(Fan))
        stage = <Stage*>calloc(max(1, self.w.stages), sizeof(Stage))
        self.w.stage = stage
        to = <Branch*>calloc(max(1, branch.shape[0]), sizeof(Branch))
        self.w.branch = to
        if self.w.fan == NULL or stage == NULL or to == NULL:
            raise MemoryError
        self.w.lanes = find_lanes()
        for i in range(self.w.stages):
            stage[i].first, stage[i].end, stage[i].window = <int32_t>stages[i, 0], <int32_t>stages[i, 1], windows[i]
        for i in range(self.w.fans):
            self.w.fan[i].n, self.w.fan[i].synapses = <int32_t>fans[i, 0], <int32_t>fans[i, 1]
            self.w.fan[i].first, self.w.fan[i].entry, self.w.fan[i].weight = fans[i, 2], fans[i, 3], fans[i, 4]
            self.w.fan[i].rates.currents = <int>fans[i, 5]
        for i in range(branch.shape[0]):
            to[i].fan, to[i].entry = branch[i, 0], branch[i, 1]
        self.w.neuron = &neuron[0] if neuron.shape[0] else NULL
        self.w.port = &port[0] if port.shape[0] else NULL
        self.w.delay = &delay[0] if delay.shape[0] else NULL
        self.w.weight = &weight[0] if weight.shape[0] else NULL
        if neuron.shape[0]:
            self.w.v, self.w.current0, self.w.current1 = &initial[0, 0], &initial[1, 0], &initial[2, 0]
        self.w.branches, self.w.output = &branches[0], &output[0]
        self.arrays = (neuron, port, delay, weight, initial, output, branches)
        self.set_constants(constants)

    def set_constants(self, const double[:, ::1] constants):
        cdef Fan* fan
        cdef int64_t i
        cdef int k
        for i in range(self.w.fans):
            fan = &self.w.fan[i]
            fan.tau_m, fan.tau_syn[0], fan.tau_syn[1] = constants[i, 0], constants[i, 1], constants[i, 2]
            fan.C_m, fan.I_e, fan.threshold = constants[i, 3], constants[i, 4], constants[i, 5]
            fan.reset, fan.t_ref = constants[i, 6], constants[i, 7]
            fan.rates.per_tau_m, fan.rates.per_C = 1.0 / fan.tau_m, 1.0 / fan.C_m
            fan.rates.change = fan.I_e / fan.C_m
            for k in range(2):
                fan.rates.per_tau_syn[k] = 1.0 / fan.tau_syn[k]

    def set_least_slope(self, double least_slope):
        self.w.least_slope = least_slope

    def set_windows(self, const double[::1] windows):
        cdef Stage* stage = <Stage*>self.w.stage
        cdef int64_t i
        for i in range(self.w.stages):
            stage[i].window = windows[i]

    def __dealloc__(self):
        free(self.w.fan)
        free(<void*>self.w.stage)
        free(<void*>self.w.branch)


cdef bint open_tape(Tape* p, const Wiring* w) noexcept:
    cdef size_t n = <size_t>w.places + 1
    p.pending = <Pending*>calloc(<size_t>w.fans + 1, sizeof(Pending))
    p.state = <double*>calloc(3 * n, sizeof(double))
    p.scratch = <double*>calloc(3 * n, sizeof(double))
    p.flag = <int64_t*>calloc(n, sizeof(int64_t))
    p.bar = <double*>calloc(n, sizeof(double))
    p.release = <double*>calloc(n, sizeof(double))
    p.carried = <double*>calloc(n, sizeof(double))
    p.received = <double*>calloc(2 * n, sizeof(double))
    p.last = <int64_t*>calloc(n, sizeof(int64_t))
    p.top = <int64_t*>calloc(n, sizeof(int64_t))
    p.now = <double*>calloc(<size_t>w.fans + 1, sizeof(double))
    p.alarm = <double*>calloc(<size_t>w.fans + 1, sizeof(double))
    return (
        p.pending != NULL and p.state != NULL and p.scratch != NULL and p.flag != NULL and p.bar != NULL
        and p.release != NULL and p.carried != NULL and p.received != NULL and p.last != NULL and p.top != NULL
        and p.now != NULL and p.alarm != NULL
    )


cdef struct Output:
    # Where an output neuron is.
    int32_t fan
    int32_t k             # in the fan
    int64_t place


cdef void read_out(
    const Tape* p, const Wiring* w, const Output* outputs, int64_t n, double* first, double* peak, double* integral
) noexcept nogil:
    """First spikes and voltages of the output neurons of one sample; inf and NaN where there are none."""
    cdef int64_t o, s
    cdef const Fan* fan
    cdef States x
    for o in range(n):
        fan = &w.fan[outputs[o].fan]
        first[o], peak[o], integral[o] = infinity(), not_a_number(), not_a_number()
        if not fan.threshold < infinity():
            x = states_of(p.state, fan)
            integral[o] = integral_of(p, w, fan, &x, outputs[o].k)
        if not fan.threshold < infinity() or (p.tracks and p.last[outputs[o].place] < 0):
            peak[o] = p.bar[outputs[o].place]
    # Those of a neuron lie on the tape in the order of time.
    for s in range(p.spikes - 1, -1, -1):
        o = w.output[p.spike[s].neuron]
        if o >= 0:
            first[o] = p.spike[s].t


cdef void set_errors(
    Tape* p, const Wiring* w, int64_t outputs, const double* first, const double* spikes
) noexcept nogil:
    """Begin the way back with the errors of the output spikes: of the first of each neuron, of all; NULL: 0."""
    cdef int64_t s, o, n = 0
    for o in range(outputs):
        p.flag[o] = 0
    for s in range(p.spikes):
        p.spike[s].error = 0.0
        o = w.output[p.spike[s].neuron]
        if o < 0:
            continue
        if spikes != NULL:
            p.spike[s].error = spikes[n]
            n += 1
        if first != NULL and p.flag[o] == 0:
            p.flag[o] = 1
            p.spike[s].error += first[o]


cdef class Tapes:
    """The tapes of the samples of a mini-batch. Passes over different samples may run in different threads."""

    cdef Tape* tape
    cdef Output* output
    cdef readonly int64_t n
    cdef Net net
    cdef int64_t outputs

    def __cinit__(self):
        self.tape = NULL
        self.output = NULL

    def __init__(self, Net net, int64_t n, const int64_t[::1] place, const int64_t[::1] fan):
        """place, fan: of each output neuron."""
        cdef int64_t i
        self.net, self.n, self.outputs = net, 0, place.shape[0]
        self.output = <Output*>calloc(<size_t>self.outputs + 1, sizeof(Output))
        self.tape = <Tape*>calloc(<size_t>n + 1, sizeof(Tape))
        if self.tape == NULL or self.output == NULL:
            raise MemoryError
        for i in range(self.outputs):
            self.output[i].place, self.output[i].fan = place[i], <int32_t>fan[i]
            self.output[i].k = <int32_t>(place[i] - net.w.fan[fan[i]].first)
        self.n = n
        for i in range(n):
            if not open_tape(&self.tape[i], &net.w):
                raise MemoryError

    def __dealloc__(self):
        cdef int64_t i
        if self.tape != NULL:
            for i in range(self.n):
                release_tape(&self.tape[i], self.net.w.fans)
        free(self.tape)
        free(self.output)

    def forward(
        self,
        int64_t begin,
        int64_t end,
        const int64_t[::1] start,        # (samples + 1) where the input spikes of each sample begin
        const int64_t[::1] neuron,
        const double[::1] time,
        double duration,
        bint keeps,
        bint tracks,
        double[:, ::1] first,            # (samples, outputs) becomes the first spikes
        double[:, ::1] peak,             # the largest V of those that never fire; if `tracks`, of those that did not
        double[:, ::1] integral,
        int64_t[:, ::1] fired,           # (chunks, neurons) gains 1 for each sample in which one fires; may be empty
        int64_t chunk,
    ):
        """Run samples begin to end. Returns (sample, failure) of one that failed, else None."""
        cdef int64_t i, place
        cdef int failure = NONE
        cdef Tape* p
        cdef const int64_t* ids = &neuron[0] if neuron.shape[0] else NULL
        cdef const double* times = &time[0] if time.shape[0] else NULL
        cdef const Wiring* w = &self.net.w
        with nogil:
            for i in range(begin, end):
                p = &self.tape[i]
                p.keeps, p.tracks = keeps, tracks
                failure = run_forward(p, w, start[i + 1] - start[i], ids + start[i], times + start[i], duration)
                if failure != NONE:
                    break
                read_out(p, w, self.output, self.outputs, &first[i, 0], &peak[i, 0], &integral[i, 0])
                if fired.shape[0]:
                    for place in range(w.places):
                        fired[chunk, w.neuron[place]] += 1 if p.last[place] >= 0 else 0
        if failure != NONE:
            return int(i), int(failure)
        return None

    def backward(
        self,
        int64_t begin,
        int64_t end,
        const double[:, ::1] first,      # errors (samples, outputs), of what forward has found; empty: 0
        const int64_t[::1] spike_start,  # (samples + 1), of the errors of all output spikes; empty: 0
        const double[::1] spikes,
        const double[:, ::1] peak,
        const double[:, ::1] integral,
        double[::1] weight,              # gains the gradients
        double[::1] delay,
        double[:, ::1] tau,              # (places, 3) empty: not wanted
        const int64_t[::1] start,
        double[::1] input,               # becomes the derivatives by the times of the input spikes
    ):
        """Go back over samples begin to end, which `forward` has run since the last time."""
        cdef int64_t i, s, o
        cdef Tape* p
        cdef const Wiring* w = &self.net.w
        cdef Gradient g
        cdef double* by_place = NULL
        g.weight = &weight[0] if weight.shape[0] else NULL
        g.delay = &delay[0] if delay.shape[0] else NULL
        g.tau = &tau[0, 0] if tau.shape[0] else NULL
        if peak.shape[0] or integral.shape[0]:
            by_place = <double*>calloc(<size_t>(2 * w.places + 1), sizeof(double))
            if by_place == NULL:
                raise MemoryError
        with nogil:
            for i in range(begin, end):
                p = &self.tape[i]
                set_errors(
                    p, w, self.outputs, &first[i, 0] if first.shape[0] else NULL,
                    &spikes[spike_start[i]] if spikes.shape[0] else NULL
                )
                for o in range(self.outputs):
                    if peak.shape[0]:
                        by_place[self.output[o].place] = peak[i, o]
                    if integral.shape[0]:
                        by_place[w.places + self.output[o].place] = integral[i, o]
                run_backward(
                    p, w, by_place if peak.shape[0] else NULL, by_place + w.places if integral.shape[0] else NULL, &g
                )
                for s in range(start[i], start[i + 1]):
                    input[s] = p.spike[s - start[i]].error
        free(by_place)

    def spikes(self, int64_t i, bint only_outputs):
        """Neurons and times of all spikes of a sample, in the order of the tape."""
        cdef Tape* p = &self.tape[i]
        cdef int64_t s, n = 0
        cdef const int64_t* output = self.net.w.output
        ids = np.empty(p.spikes, dtype=np.int64)
        times = np.empty(p.spikes)
        cdef int64_t[::1] id_of = ids
        cdef double[::1] time_of = times
        for s in range(p.spikes):
            if not only_outputs or output[p.spike[s].neuron] >= 0:
                id_of[n], time_of[n] = p.spike[s].neuron, p.spike[s].t
                n += 1
        return ids[:n], times[:n]
