# A network as training sees it, and the tape of one sample: what the forward pass leaves for the way back.
#
# Neurons with the same constants that receive the same spikes at the same times are a fan: only their weights differ.
# Fans come in stages, in the order in which spikes go. A stage without a loop is one window, the whole run; in one with
# loops a window is as long as the smallest delay within it, so that all that arrives in a window is known before it.

from libc.stdint cimport int8_t, int32_t, int64_t
from libc.stdlib cimport free

from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.train.membrane cimport Factors, One, Rates


cdef enum:
    # Spikes of a sample: neurons without refractoriness, under weights that have grown, would fire without end.
    MOST_SPIKES = 2000000


cdef enum Kind:
    # What happens to a neuron between two arrivals.
    FIRES = 0
    RELEASED = 1
    PEAKS = 2         # V of a neuron whose peak is asked for is larger than ever before


cdef enum Failure:
    NONE = 0
    NO_MEMORY = 1
    TOO_MANY_SPIKES = 2
    LOST = 3          # V or a weight is no number


cdef struct Fan:
    Rates rates
    double tau_m          # ms
    double tau_syn[2]     # ms
    double C_m            # pF
    double I_e            # pA
    double threshold      # mV relative to E_L; inf: never fires
    double reset          # mV relative to E_L
    double t_ref          # ms
    int32_t n             # neurons
    int32_t synapses      # of each neuron
    int64_t first         # place of its first neuron; the others follow
    int64_t entry         # of its first synapse in Wiring.port and Wiring.delay
    int64_t weight        # of its first synapse in the weights, n for each entry


cdef struct Branch:
    # Where the spikes of a neuron go.
    int32_t fan
    int32_t entry


cdef struct Stage:
    int32_t first         # fan
    int32_t end
    double window         # ms; inf: the whole run


cdef struct Wiring:
    int64_t neurons       # all, sources too
    int64_t places        # neurons that are computed
    int32_t stages
    int32_t lanes
    double least_slope    # of a spike on the way back, in thresholds per tau_m
    const Stage* stage
    Fan* fan
    int32_t fans
    const int64_t* neuron     # by place
    const int8_t* port        # by entry; -1: by the sign of the weight
    const double* delay       # ms, by entry
    const double* weight      # pA
    const double* v           # by place, the initial state
    const double* current0
    const double* current1
    const int64_t* output     # by neuron: number of the output, -1 if none
    const int64_t* branches   # (neurons + 1) where those of a neuron begin
    const Branch* branch


cdef struct Spike:
    double t
    double error          # derivative of the loss by t
    int64_t neuron


cdef struct Due:
    # An arrival that is still to come.
    double t
    int32_t entry
    int32_t spike


cdef struct Pending:
    Due* due
    int64_t n
    int64_t room
    double soonest


cdef struct Arrival:
    # The end of an interval. entry -1: nothing arrives, it is the end of a window.
    Factors factors       # of the interval
    double t
    int32_t entry
    int32_t spike


cdef struct Happening:
    double t
    double slope          # dV/dt before a spike, after a release
    One state             # of the neuron from then on
    int64_t arrival       # which ends the interval
    int32_t k             # neuron of the fan
    int32_t spike
    int32_t kind


cdef struct Segment:
    # One window of a fan.
    int32_t fan
    int64_t arrival
    int64_t arrivals
    int64_t happening
    int64_t happenings


cdef struct Tape:
    Spike* spike
    int64_t spikes
    int64_t spike_room
    Arrival* arrival
    int64_t arrivals
    int64_t arrival_room
    Happening* happening
    int64_t happenings
    int64_t happening_room
    Segment* segment
    int64_t segments
    int64_t segment_room
    Pending* pending      # by fan
    Due* sorting          # scratch
    int64_t sorting_room
    double* kept          # if `keeps`: states at the beginning of each interval, 3 n for each
    int64_t kept_n
    int64_t kept_room
    bint keeps
    bint tracks           # the peaks of `Wiring.output` are found too, as long as they are silent
    # By place, 3 for each neuron of V and the currents; of a fan 3 n side by side.
    double* state
    double* scratch
    int64_t* flag
    double* bar           # threshold, or the largest V so far where the peak is asked for
    double* release       # inf: not refractory
    double* carried       # on the way back, the error of a release that goes to its spike
    double* received      # of neurons that never fire: all that they received, pA by port (2 for each)
    int64_t* last         # the last spike
    int64_t* top          # the happening that is the peak; -1: none
    double* now           # by fan
    double* alarm         # by fan: before this time nothing happens without arrivals
    double duration


cdef inline int port_of(int port, double weight) noexcept nogil:
    """The current that an arrival is added to: without a port the first if its weight is positive, else the second."""
    if port >= 0:
        return port
    return 1 if weight < 0.0 else 0


cdef inline bint grow(void** array, int64_t n, int64_t* room, size_t size) noexcept nogil:
    """Let an array have room for one more element after the first n."""
    if n < room[0]:
        return True
    if not enlarge(array, <size_t>(2 * n + 64) * size):
        return False
    room[0] = 2 * n + 64
    return True


cdef inline int schedule(Tape* p, const Wiring* w, int64_t spike) noexcept nogil:
    """Let a spike arrive wherever its neuron's synapses are."""
    cdef int64_t neuron = p.spike[spike].neuron, b
    cdef double t = p.spike[spike].t, arrival
    cdef Pending* to
    cdef const Branch* branch
    for b in range(w.branches[neuron], w.branches[neuron + 1]):
        branch = &w.branch[b]
        arrival = t + w.delay[w.fan[branch.fan].entry + branch.entry]
        if not arrival < p.duration:
            continue
        to = &p.pending[branch.fan]
        if not grow(<void**>&to.due, to.n, &to.room, sizeof(Due)):
            return NO_MEMORY
        to.due[to.n].t, to.due[to.n].entry, to.due[to.n].spike = arrival, branch.entry, <int32_t>spike
        to.n += 1
        if arrival < to.soonest:
            to.soonest = arrival
    return NONE


cdef inline int fire(Tape* p, const Wiring* w, int64_t neuron, double t) noexcept nogil:
    if p.spikes >= MOST_SPIKES:
        return TOO_MANY_SPIKES
    if not grow(<void**>&p.spike, p.spikes, &p.spike_room, sizeof(Spike)):
        return NO_MEMORY
    p.spike[p.spikes].t, p.spike[p.spikes].error, p.spike[p.spikes].neuron = t, 0.0, neuron
    p.spikes += 1
    return schedule(p, w, p.spikes - 1)


cdef inline bint before(const Due* a, const Due* b) noexcept nogil:
    if a.t != b.t:
        return a.t < b.t
    return a.entry < b.entry if a.entry != b.entry else a.spike < b.spike


cdef inline void sort(Due* x, Due* other, int64_t n) noexcept nogil:
    """Sort by time: runs of 12 by insertion, then merged with the help of `other`."""
    cdef int64_t i, j, k, a, middle, end, width = 12
    cdef Due held
    a = 0
    while a < n:
        end = min(a + width, n)
        for i in range(a + 1, end):
            held = x[i]
            j = i
            while j > a and before(&held, &x[j - 1]):
                x[j] = x[j - 1]
                j -= 1
            x[j] = held
        a = end
    while width < n:
        a = 0
        while a < n:
            middle, end = min(a + width, n), min(a + 2 * width, n)
            if middle < end and before(&x[middle], &x[middle - 1]):
                for i in range(a, middle):
                    other[i] = x[i]
                i, j, k = a, middle, a
                while i < middle:
                    if j < end and before(&x[j], &other[i]):
                        x[k] = x[j]
                        j += 1
                    else:
                        x[k] = other[i]
                        i += 1
                    k += 1
            a = end
        width *= 2


cdef inline int64_t take_due(Tape* p, int32_t fan, double end) noexcept nogil:
    """Bring what arrives at a fan before `end` into p.sorting, in the order of time; -1 if there is no memory."""
    cdef Pending* from_ = &p.pending[fan]
    cdef int64_t i, n = 0, left = 0
    if p.sorting_room < 2 * from_.n:
        if not enlarge(<void**>&p.sorting, <size_t>(4 * from_.n) * sizeof(Due)):
            return -1
        p.sorting_room = 4 * from_.n
    from_.soonest = p.duration
    for i in range(from_.n):
        if from_.due[i].t < end:
            p.sorting[n] = from_.due[i]
            n += 1
        else:
            from_.due[left] = from_.due[i]
            left += 1
            from_.soonest = min(from_.soonest, from_.due[left - 1].t)
    from_.n = left
    sort(p.sorting, p.sorting + n, n)
    return n


cdef inline void release_tape(Tape* p, int32_t fans) noexcept nogil:
    cdef int32_t i
    if p.pending != NULL:
        for i in range(fans):
            free(p.pending[i].due)
    free(p.pending)
    free(p.spike)
    free(p.arrival)
    free(p.happening)
    free(p.segment)
    free(p.sorting)
    free(p.kept)
    free(p.state)
    free(p.scratch)
    free(p.flag)
    free(p.bar)
    free(p.release)
    free(p.carried)
    free(p.received)
    free(p.last)
    free(p.top)
    free(p.now)
    free(p.alarm)
