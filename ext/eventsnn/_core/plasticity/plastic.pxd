# Plastic projections: the traces of spikes on both sides, and the updates of their synapses. eventsnn/run/plastic.py is
# the same for the reference engine.
#
# A synapse is brought up to date when a presynaptic spike comes to it or its weight is read: `take_past` takes all that
# has come to it since, in the order of time. Of spikes only times are kept, in trains, with the traces that they leave.
# A train is cut when nothing can ask for its beginning any more, which changes nothing.

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memmove

from eventsnn._core.base.mathfunc cimport exp, infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.plasticity.program cimport AT_ONCE, Program, carry_out, output_of, register_of

cdef enum:
    MOST_TRACES = 4
    LATEST = 4              # spikes of a target whose times are found without its train


cdef extern from *:
    """
    #define EVENTSNN_SMALLEST_POWER -700.0
    #define EVENTSNN_CLEARLY_EARLIER (1.0 - 1e-9)
    """
    # A trace below e^-700 is 0.
    const double SMALLEST_POWER "EVENTSNN_SMALLEST_POWER"
    # Of two spikes at times so far apart, as a fraction, the first also comes first after a delay.
    const double CLEARLY_EARLIER "EVENTSNN_CLEARLY_EARLIER"


cdef struct Train:
    # The spikes of a neuron, each a row of numbers: its time (ms) and the traces after it.
    double* spike
    int64_t first           # how many spikes were before the first of these
    int32_t n
    int32_t room


cdef struct Traces:
    # How the traces in a train behave.
    int n
    int width               # numbers of a spike
    double gain             # what a spike adds
    double rate[MOST_TRACES]
    uint8_t nearest[MOST_TRACES]


cdef struct Plastic:
    double sign             # of all weights
    double low              # bounds of their size
    double high
    double dendritic        # ms
    double axonal           # ms, the longest
    double reward_delay     # ms
    bint enabled
    bint learns             # some update changes weights
    Traces pre_traces
    Traces post_traces
    Traces third_traces
    int n_own               # variables of a synapse
    double own_rate[MOST_TRACES]
    Program* on_pre         # NULL: there is none
    Program* on_post
    Program* between
    Program* step
    int n_stepped
    const double* initial
    Train* pre              # by row
    Train* post             # by target, from the first on
    double* latest          # by target: the times of its last spikes, -inf for fewer, and the traces of the last
    Train third
    int64_t n_rows
    int32_t first_target
    int32_t n_targets
    const uint8_t* rewards  # by neuron; NULL: none
    double* weight          # of all synapses, signed
    float* weight32         # in place of it, if not NULL
    double* own             # (synapses, n_own)
    double* at              # (synapses) the time of size and variables; NULL: neither changes by itself
    double swept            # what has come before this time is in all weights
    int64_t kept            # postsynaptic spikes that are kept


# ---- trains


cdef inline double decay(double rate, double span) noexcept nogil:
    cdef double power = rate * span
    return 0.0 if power < SMALLEST_POWER else exp(power)


cdef inline double* spike_at(const Train* x, const Traces* of, int64_t k) noexcept nogil:
    """The spike in place k of a train."""
    return x.spike + k * of.width


cdef inline void decayed(const double* spike, const Traces* of, double span, double* out) noexcept nogil:
    cdef int j
    for j in range(of.n):
        out[j] = spike[1 + j] * decay(of.rate[j], span)


cdef inline void nothing(const Traces* of, double* out) noexcept nogil:
    cdef int j
    for j in range(of.n):
        out[j] = 0.0


cdef inline void own_traces(const Train* x, const Traces* of, int64_t k, double t, double* out) noexcept nogil:
    """Traces at t, which the spike before place k was the last one to raise."""
    if k == 0:
        nothing(of, out)
    else:
        decayed(spike_at(x, of, k - 1), of, t - spike_at(x, of, k - 1)[0], out)


cdef inline int64_t last_before(const Train* x, const Traces* of, double t, double delay, bint included) noexcept nogil:
    """The place of the last spike that comes before t after a delay, or at t if that is included; -1: none."""
    cdef int64_t k = x.n - 1
    cdef double comes
    while k >= 0:
        comes = spike_at(x, of, k)[0] + delay
        if comes < t or (included and comes == t):
            break
        k -= 1
    return k


cdef inline void traces_before(
    const Train* x, const Traces* of, double t, double delay, bint included, double* out
) noexcept nogil:
    cdef int64_t k = last_before(x, of, t, delay, included)
    if k < 0:
        nothing(of, out)
    else:
        decayed(spike_at(x, of, k), of, t - (spike_at(x, of, k)[0] + delay), out)


cdef inline int64_t first_from(const Train* x, const Traces* of, double t, double delay) noexcept nogil:
    """The place of the first spike that comes at t or later after a delay; n: none does."""
    cdef int64_t k = x.n
    while k > 0 and spike_at(x, of, k - 1)[0] + delay >= t:
        k -= 1
    return k


cdef inline int64_t not_needed(const Train* x, const Traces* of, double now, double delay) noexcept nogil:
    """How many spikes at the beginning nothing that comes from now on asks for: those before the last one that has
    surely come, and before all that may come at one time with it."""
    cdef int64_t k = 0
    cdef const double* spike
    while k + 2 < x.n:
        spike = spike_at(x, of, k)
        if not (spike[of.width] < spike[2 * of.width] * CLEARLY_EARLIER and spike[2 * of.width] + delay < now):
            break
        k += 1
    return k


cdef inline void cut_train(Train* x, const Traces* of, int64_t k) noexcept nogil:
    """Forget the first k spikes."""
    x.n -= <int32_t>k
    x.first += k
    memmove(x.spike, spike_at(x, of, k), <size_t>x.n * of.width * sizeof(double))


cdef inline double* add_spike(Train* x, const Traces* of, double t) noexcept nogil:
    """Append a spike, and its traces; NULL if there is no memory left."""
    cdef int32_t room = 2 * x.room + 4
    cdef double* spike
    cdef int j
    if x.n == x.room:
        if not enlarge(<void**>&x.spike, <size_t>room * of.width * sizeof(double)):
            return NULL
        x.room = room
    spike = spike_at(x, of, x.n)
    own_traces(x, of, x.n, t, spike + 1)
    spike[0] = t
    for j in range(of.n):
        spike[1 + j] = of.gain if of.nearest[j] else spike[1 + j] + of.gain
    x.n += 1
    return spike


cdef inline bint note_sent(Plastic* p, int64_t row, double t, double now) noexcept nogil:
    """The presynaptic neuron of a row fires; False if there is no memory left."""
    cdef Train* x = &p.pre[row]
    cdef const Traces* of = &p.pre_traces
    cdef const double* before = p.initial
    cdef double* spike
    cdef double span = 0.0
    cdef int j
    if x.n == x.room and x.n:
        cut_train(x, of, not_needed(x, of, now - p.dendritic, p.axonal))
    spike = add_spike(x, of, t)
    if spike == NULL:
        return False
    if p.step != NULL:
        if x.n > 1:
            before = spike - of.width + 1 + of.n
            span = t - spike[-of.width]
        for j in range(p.n_stepped - 1):
            register_of(p.step, j)[0] = before[j]
        register_of(p.step, p.n_stepped - 1)[0] = span
        carry_out(p.step, 1)
        for j in range(p.n_stepped):
            spike[1 + of.n + j] = output_of(p.step, j)[0]
    return True


cdef inline double* latest_of(const Plastic* p, int64_t n) noexcept nogil:
    return p.latest + n * (LATEST - 1 + p.post_traces.width)


cdef inline void renew_latest(Plastic* p, int64_t n) noexcept nogil:
    """Have the last spikes of a target where they are found without its train."""
    cdef const Traces* of = &p.post_traces
    cdef const Train* x = &p.post[n]
    cdef double* latest = latest_of(p, n)
    cdef int j
    for j in range(LATEST):
        latest[j] = spike_at(x, of, x.n - LATEST + j)[0] if x.n >= LATEST - j else -infinity()
    for j in range(of.n):
        latest[LATEST + j] = spike_at(x, of, x.n - 1)[1 + j] if x.n else 0.0


cdef inline bint note_fired(Plastic* p, int32_t n, double t) noexcept nogil:
    """A neuron fires, as a target or as one that rewards; False if there is no memory left."""
    if p.first_target <= n < p.first_target + p.n_targets:
        if add_spike(&p.post[n - p.first_target], &p.post_traces, t) == NULL:
            return False
        renew_latest(p, n - p.first_target)
        p.kept += 1
    if p.rewards != NULL and p.rewards[n]:
        return add_spike(&p.third, &p.third_traces, t) != NULL
    return True


# ---- one synapse


cdef inline double size_of(const Plastic* p, int64_t synapse) noexcept nogil:
    return p.sign * (p.weight32[synapse] if p.weight32 != NULL else p.weight[synapse])


cdef inline double within(const Plastic* p, double size) noexcept nogil:
    """A size in the bounds of its rule; nan stays."""
    size = p.low if size < p.low else size
    return p.high if size > p.high else size


cdef inline void keep(Plastic* p, int64_t synapse, double size) noexcept nogil:
    cdef double weight = p.sign * within(p, size)
    if p.weight32 != NULL:
        p.weight32[synapse] = <float>weight
    else:
        p.weight[synapse] = weight


cdef inline double later_size(Plastic* p, int64_t synapse, double t) noexcept nogil:
    """The size that follows by itself at t from the one that is kept."""
    cdef double third[MOST_TRACES]
    cdef const Program* f = p.between
    cdef int j
    traces_before(&p.third, &p.third_traces, p.at[synapse], p.reward_delay, True, third)
    register_of(f, 0)[0] = size_of(p, synapse)
    for j in range(p.n_own):
        register_of(f, 1 + j)[0] = p.own[synapse * p.n_own + j]
    register_of(f, 1 + p.n_own)[0] = third[0]
    register_of(f, 2 + p.n_own)[0] = t - p.at[synapse]
    carry_out(f, 1)
    return output_of(f, 0)[0]


cdef inline void flow(Plastic* p, int64_t synapse, double t) noexcept nogil:
    """Let the size and the variables of a synapse be those at t."""
    cdef double* own = p.own + synapse * p.n_own
    cdef int j
    if p.at == NULL:
        return
    if p.between != NULL:
        keep(p, synapse, later_size(p, synapse, t))
    for j in range(p.n_own):
        own[j] = own[j] * decay(p.own_rate[j], t - p.at[synapse])
    p.at[synapse] = t


cdef inline void update(
    Plastic* p, const Program* f, int64_t synapse, double t, const double* pre, const double* post
) noexcept nogil:
    cdef int j
    cdef int k = 1
    flow(p, synapse, t)
    register_of(f, 0)[0] = size_of(p, synapse)
    for j in range(p.pre_traces.n):
        register_of(f, k + j)[0] = pre[j]
    k += p.pre_traces.n
    for j in range(p.post_traces.n):
        register_of(f, k + j)[0] = post[j]
    k += p.post_traces.n
    for j in range(p.n_own):
        register_of(f, k + j)[0] = p.own[synapse * p.n_own + j]
    carry_out(f, 1)
    keep(p, synapse, output_of(f, 0)[0])
    for j in range(p.n_own):
        p.own[synapse * p.n_own + j] = output_of(f, 1 + j)[0]


cdef inline void take_past(
    Plastic* p, int64_t row, int64_t synapse, int32_t target, double delay, double since, double t
) noexcept nogil:
    """Take all postsynaptic and rewarding spikes that come to a synapse in [since, t)."""
    cdef const Train* x = &p.post[target - p.first_target]
    cdef double pre[MOST_TRACES]
    cdef double post[MOST_TRACES]
    cdef int64_t i = first_from(x, &p.post_traces, since, p.dendritic)
    cdef int64_t k = first_from(&p.third, &p.third_traces, since, p.reward_delay)
    cdef double comes, third
    while True:
        comes = spike_at(x, &p.post_traces, i)[0] + p.dendritic if i < x.n else infinity()
        third = spike_at(&p.third, &p.third_traces, k)[0] + p.reward_delay if k < p.third.n else infinity()
        if third < comes:
            if not third < t:
                break
            flow(p, synapse, third)
            k += 1
            continue
        if not comes < t:
            break
        if p.on_post != NULL:
            traces_before(&p.pre[row], &p.pre_traces, comes, delay, False, pre)
            own_traces(x, &p.post_traces, i, spike_at(x, &p.post_traces, i)[0], post)
            update(p, p.on_post, synapse, comes, pre, post)
        i += 1


cdef inline bint has_past(const Plastic* p, int32_t target, double since) noexcept nogil:
    """Whether something may have come to a synapse since then."""
    if latest_of(p, target - p.first_target)[LATEST - 1] + p.dendritic >= since:
        return True
    return p.third.n > 0 and spike_at(&p.third, &p.third_traces, p.third.n - 1)[0] + p.reward_delay >= since
