# The way back over the tape of one sample: what the loss gains if V or a current of a neuron were larger at a time.
#
# With the weights l_V and l_k of a neuron's state, both 0 after the end, on the way back
#   over an interval    l_k <- l_k exp(-h / tau_k) + l_V kernel_k(h),   l_V <- l_V exp(-h / tau_m);
#   at an arrival       the gradient of its weight gains l_k, that of its time w (l_k / tau_k - l_V / C_m);
#   at a release        its time gains -l_V dV/dt, and l_V <- 0;
#   at a spike          l_V <- -(error of its time and of its release) / (dV/dt before it).
# The last is the derivative of the spike's time by V, -1 / (dV/dt): V is at the threshold. (Wunderlich & Pehle 2021,
# Sci Rep 11:12829, for V_reset = E_L and t_ref = 0.)

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

from eventsnn._core.base.mathfunc cimport exp, infinity
from eventsnn._core.train.forward cimport put_state, state_of, states_of
from eventsnn._core.train.membrane cimport Factors, One, Rates, States, collect, find_factors, retreat
from eventsnn._core.train.tape cimport FIRES, PEAKS, RELEASED, Arrival, Fan, Happening, Segment, Tape, Wiring, port_of


cdef struct Gradient:
    # What the gradients of a sample are added to; NULL: they are not wanted.
    double* weight        # as the weights
    double* delay         # by entry
    double* tau           # by place: tau_m, tau_syn of both ports; needs a tape that keeps the states


cdef inline double exp_rest(double x) noexcept nogil:
    """(e^x - 1 - x) / x^2."""
    cdef double sum = 0.0, term = 0.5
    cdef int n
    if fabs(x) > 0.5:
        return (exp(x) - 1.0 - x) / (x * x)
    for n in range(3, 20):
        sum += term
        term *= x / n
    return sum


cdef inline void add_tau(
    const Fan* fan, const Factors* f, const One* s, const One* weight, double* gradient
) noexcept nogil:
    """What the time constants do to a state over an interval, times what that weighs at its end."""
    cdef const Rates* r = &fan.rates
    cdef double h = f.h, x, v = s.v if s.v > -infinity() else 0.0, by_m
    cdef int k
    by_m = v * f.membrane * h * r.per_tau_m * r.per_tau_m
    by_m += r.change * ((1.0 - f.membrane) - f.membrane * h * r.per_tau_m)
    for k in range(r.currents):
        x = (r.per_tau_syn[k] - r.per_tau_m) * h
        by_m += s.current[k] * r.per_C * r.per_tau_m * r.per_tau_m * f.membrane * h * h * exp_rest(-x)
        gradient[1 + k] += r.per_tau_syn[k] * r.per_tau_syn[k] * s.current[k] * f.synapse[k] * h * (
            weight.v * r.per_C * h * exp_rest(x) + weight.current[k]
        )
    gradient[0] += weight.v * by_m


cdef inline One bring_back(const Rates* r, const One* s, const Factors* f) noexcept nogil:
    cdef One z
    z.current[0] = s.current[0] * f.synapse[0] + s.v * f.kernel[0]
    z.current[1] = s.current[1] * f.synapse[1] + s.v * f.kernel[1] if r.currents == 2 else 0.0
    z.v = s.v * f.membrane
    return z


cdef inline One go_back_through(
    Tape* p, const Wiring* w, const Fan* fan, const Happening* first, const Happening* last, One s, double begin,
    double end, const One* kept, const double* errors, double* tau, double* time
) noexcept nogil:
    """Bring the weights of one neuron back through an interval in which something happens to it.

    kept: its state at the beginning. errors: of its peak. time: gains the derivative by the end of the interval, of a
    peak that lies there.
    """
    cdef const Happening* h = last
    cdef int64_t place = fan.first + first.k
    cdef Factors f
    cdef double t = end, rate
    while True:
        find_factors(&fan.rates, t - (h.t if h >= first else begin), &f)
        if tau != NULL:
            add_tau(fan, &f, &h.state if h >= first else kept, &s, tau)
        s = bring_back(&fan.rates, &s, &f)
        if h < first:
            return s
        t = h.t
        if h.kind == RELEASED:
            p.carried[place] = -s.v * h.slope
            s.v = 0.0
        elif h.kind == FIRES:
            rate = max(h.slope, w.least_slope * fan.threshold * fan.rates.per_tau_m)
            s.v = -(p.spike[h.spike].error + p.carried[place]) / rate
            p.carried[place] = 0.0
        elif p.top[place] == h - p.happening:
            s.v += errors[0]
            time[0] += errors[0] * h.slope
        h -= 1


cdef inline void end_integral(
    const Tape* p, const Wiring* w, const Fan* fan, const double* error, const States* s, const States* x, double* tau
) noexcept nogil:
    """Begin the way back with the errors of the integral of V.

    Integrating the equations, it is tau_m (I_e T / C_m + Q / C_m - (V(T) - V(0))) with the charge
    Q = sum of tau_k (x_k(0) + all received - x_k(T)).
    """
    cdef int32_t k
    cdef int c
    cdef int64_t place
    cdef double charge, by_m, moved
    for k in range(fan.n):
        place = fan.first + k
        s.v[k] = -error[k] * fan.tau_m
        by_m = fan.I_e * p.duration / fan.C_m - (x.v[k] - w.v[place])
        for c in range(fan.rates.currents):
            s.current[c][k] = -error[k] * fan.tau_m * fan.tau_syn[c] / fan.C_m
            charge = (w.current1 if c else w.current0)[place] + p.received[2 * place + c] - x.current[c][k]
            moved = charge / fan.C_m
            by_m += fan.tau_syn[c] * moved
            if tau != NULL:
                tau[3 * k + 1 + c] += error[k] * fan.tau_m * moved
        if tau != NULL:
            tau[3 * k] += error[k] * by_m


cdef inline double integral_of(
    const Tape* p, const Wiring* w, const Fan* fan, const States* x, int32_t k
) noexcept nogil:
    cdef int64_t place = fan.first + k
    cdef double total = fan.I_e * p.duration / fan.C_m - (x.v[k] - w.v[place])
    cdef int c
    for c in range(fan.rates.currents):
        total += fan.tau_syn[c] / fan.C_m * (
            (w.current1 if c else w.current0)[place] + p.received[2 * place + c] - x.current[c][k]
        )
    return fan.tau_m * total


cdef inline void add_constant(
    const Fan* fan, int port, const double* weight, const double* error, double* gradient
) noexcept nogil:
    """What the weight of an arrival adds to the integral of V however long it lasts."""
    cdef int32_t k
    for k in range(fan.n):
        gradient[k] += error[k] * fan.tau_m / fan.C_m * fan.tau_syn[port_of(port, weight[k])]


cdef inline void go_back(
    Tape* p, const Wiring* w, const Segment* segment, const double* peak, const double* integral, const Gradient* g
) noexcept nogil:
    """One window of a fan. peak, integral: errors by place, NULL if none."""
    cdef const Fan* fan = &w.fan[segment.fan]
    cdef States s = states_of(p.state, fan), old = states_of(p.scratch, fan), kept = s
    cdef int64_t i, h = segment.happening + segment.happenings - 1, first, group, entry
    cdef const Arrival* a
    cdef const double* weight
    cdef double begin, by_time
    cdef double* tau = NULL
    cdef One z, weighs
    cdef int32_t k
    cdef bint reads = not fan.threshold < infinity()
    cdef double no_error = 0.0
    for i in range(segment.arrival + segment.arrivals - 1, segment.arrival - 1, -1):
        a = &p.arrival[i]
        by_time = 0.0
        if a.entry >= 0:
            entry = fan.weight + <int64_t>a.entry * fan.n
            weight = w.weight + entry
            by_time = collect(
                w.lanes, fan.n, w.port[fan.entry + a.entry], &fan.rates, weight, &s, g.weight + entry
            )
            if reads and integral != NULL:
                add_constant(
                    fan, w.port[fan.entry + a.entry], weight, integral + fan.first, g.weight + entry
                )
        begin = a.t - a.factors.h
        if p.keeps:
            p.kept_n -= 3 * fan.n
            kept.v = p.kept + p.kept_n
            kept.current[0], kept.current[1] = kept.v + fan.n, kept.v + 2 * fan.n
        first = h
        while first >= segment.happening and p.happening[first].arrival == i:
            k = p.happening[first].k
            z = state_of(&s, k)
            put_state(&old, k, &z)
            first -= 1
        if g.tau != NULL and a.factors.h > 0.0:
            for k in range(fan.n):
                p.flag[k] = 0
            for k in range(<int32_t>(h - first)):
                p.flag[p.happening[h - k].k] = 1
            for k in range(fan.n):
                if p.flag[k] == 0:
                    z, weighs = state_of(&kept, k), state_of(&s, k)
                    add_tau(fan, &a.factors, &z, &weighs, g.tau + 3 * (fan.first + k))
        retreat(w.lanes, fan.n, fan.rates.currents, &a.factors, &s)
        while h > first:
            k = p.happening[h].k
            group = h
            while group - 1 > first and p.happening[group - 1].k == k:
                group -= 1
            weighs = state_of(&old, k)
            if g.tau != NULL:
                z, tau = state_of(&kept, k), g.tau + 3 * (fan.first + k)
            weighs = go_back_through(
                p, w, fan, &p.happening[group], &p.happening[h], weighs, begin, a.t, &z,
                &peak[fan.first + k] if peak != NULL else &no_error, tau, &by_time
            )
            put_state(&s, k, &weighs)
            h = group - 1
        if a.entry >= 0:
            p.spike[a.spike].error += by_time
            if g.delay != NULL:
                g.delay[fan.entry + a.entry] += by_time


cdef inline void run_backward(
    Tape* p, const Wiring* w, const double* peak, const double* integral, const Gradient* g
) noexcept nogil:
    """All of one sample; the errors of spikes are on the tape, and those of the sources are found there."""
    cdef int64_t i
    cdef int32_t of
    cdef const Fan* fan
    cdef States s, x
    for of in range(w.fans):
        fan = &w.fan[of]
        s, x = states_of(p.state, fan), states_of(p.scratch, fan)
        if fan.threshold < infinity() or integral == NULL:
            memset(s.v, 0, <size_t>(3 * fan.n) * sizeof(double))
            continue
        for i in range(3 * fan.n):
            x.v[i] = s.v[i]
        end_integral(
            p, w, fan, integral + fan.first, &s, &x, NULL if g.tau == NULL else g.tau + 3 * fan.first
        )
        # States weigh nothing on a current that is not there.
        if fan.rates.currents == 1:
            memset(s.current[1], 0, <size_t>fan.n * sizeof(double))
    memset(p.carried, 0, <size_t>w.places * sizeof(double))
    for i in range(p.segments - 1, -1, -1):
        go_back(p, w, &p.segment[i], peak, integral, g)
