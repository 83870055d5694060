# The membrane between two events: where V is after h ms, when it turns, and when it reaches a value.
#
# With leak and exponential currents x_k,
#     V' = -V / tau_m + (I_e + sum x_k) / C_m,   x_k' = -x_k / tau_k,
# both have closed forms, V relative to E_L. The factors by which a state goes on are those by which a gradient goes
# back.

from libc.math cimport fabs, sqrt
from libc.stdint cimport int64_t

from eventsnn._core.base.mathfunc cimport exp, expm1, log, log1p


cdef extern from "eventsnn/_core/train/fan.h" nogil:
    ctypedef struct Factors "eventsnn_factors":
        double h
        double membrane
        double synapse[2]
        double kernel[2]
        double drive
    ctypedef struct Rates "eventsnn_rates":
        double per_tau_m
        double per_tau_syn[2]
        double per_C
        double change
        int currents
    ctypedef struct States "eventsnn_states":
        double* v
        double* current[2]
    int64_t advance "eventsnn_advance"(
        int lanes, int n, const Rates* r, const Factors* f, double end, const States* s, const States* old,
        const double* bar, const double* release, int64_t* flag
    )
    void retreat "eventsnn_retreat"(int lanes, int n, int currents, const Factors* f, const States* s)
    void receive "eventsnn_receive"(int lanes, int n, int port, const double* weight, const States* s)
    double collect "eventsnn_collect"(
        int lanes, int n, int port, const Rates* r, const double* weight, const States* s, double* gradient
    )
    int find_lanes "eventsnn_lanes"()


cdef enum:
    # Steps of Newton's method, or of halving, until V is surely found.
    MOST_STEPS = 200


cdef struct One:
    # The state of one neuron.
    double v
    double current[2]


cdef inline double kernel_of(const Rates* r, int port, double h, double membrane, double synapse) noexcept nogil:
    """(exp(-h / tau_m) - exp(-h / tau_syn)) / (1 / tau_syn - 1 / tau_m), also for equal time constants (ms)."""
    cdef double difference = r.per_tau_syn[port] - r.per_tau_m
    cdef double x = difference * h
    if fabs(x) > 0.25:
        return (membrane - synapse) / difference
    # The difference of two exponentials would have lost its digits.
    return h * synapse * (expm1(x) / x if x != 0.0 else 1.0)


cdef inline void find_factors(const Rates* r, double h, Factors* f) noexcept nogil:
    cdef int k
    f.h = h
    f.membrane = exp(-h * r.per_tau_m)
    for k in range(r.currents):
        f.synapse[k] = f.membrane if r.per_tau_syn[k] == r.per_tau_m else exp(-h * r.per_tau_syn[k])
        f.kernel[k] = r.per_C * kernel_of(r, k, h, f.membrane, f.synapse[k])
    f.drive = 0.0 if r.change == 0.0 else -r.change / r.per_tau_m * expm1(-h * r.per_tau_m)


cdef inline void stand_still(Factors* f) noexcept nogil:
    f.h, f.membrane, f.drive = 0.0, 1.0, 0.0
    f.synapse[0] = f.synapse[1] = 1.0
    f.kernel[0] = f.kernel[1] = 0.0


cdef inline double slope(const Rates* r, const One* s) noexcept nogil:
    """dV/dt in mV/ms."""
    cdef double total = s.current[0] + s.current[1] if r.currents == 2 else s.current[0]
    return total * r.per_C + r.change - s.v * r.per_tau_m


cdef inline double bend(const Rates* r, const One* s) noexcept nogil:
    """The part of d2V/dt2 that is not -dV/dt / tau_m."""
    cdef double total = s.current[0] * r.per_tau_syn[0]
    if r.currents == 2:
        total += s.current[1] * r.per_tau_syn[1]
    return -total * r.per_C


cdef inline One move(const Rates* r, const One* s, const Factors* f) noexcept nogil:
    cdef One z
    z.v = s.v * f.membrane + s.current[0] * f.kernel[0] + f.drive
    z.current[0] = s.current[0] * f.synapse[0]
    z.current[1] = 0.0
    if r.currents == 2:
        z.v += s.current[1] * f.kernel[1]
        z.current[1] = s.current[1] * f.synapse[1]
    return z


cdef inline One after(const Rates* r, const One* s, double h) noexcept nogil:
    cdef Factors f
    find_factors(r, h, &f)
    return move(r, s, &f)


cdef inline double find_top(const Rates* r, const One* s, double low, double high) noexcept nogil:
    """Where V, which rises at low and falls at high, is highest between them; it turns there only."""
    cdef double x = 0.5 * (low + high), y, rate, next
    cdef One z
    cdef int _n
    for _n in range(MOST_STEPS):
        z = after(r, s, x)
        y = slope(r, &z)
        if y == 0.0:
            return x
        if y > 0.0:
            low = x
        else:
            high = x
        rate = bend(r, &z) - y * r.per_tau_m
        next = x - y / rate if rate != 0.0 else low
        if not low < next < high:
            next = 0.5 * (low + high)
        if fabs(next - x) <= 1e-15 * high:
            return next
        x = next
    return x


cdef inline bint has_top(const Rates* r, const One* s, double h, double* at) noexcept nogil:
    """Whether V rises and then falls within h, and when it is highest; it does so once at most."""
    cdef double rises = slope(r, s), difference, z, q, x, end
    cdef double ends[2]
    cdef One there
    cdef int pieces = 1, k
    if r.currents == 1:
        q = s.current[0] * r.per_tau_syn[0] * r.per_C
        if rises <= 0.0 or q <= 0.0:
            return False
        difference = r.per_tau_syn[0] - r.per_tau_m
        z = difference * (rises / q)
        if z >= 1.0:
            return False
        x = -log1p(-z) / difference if fabs(z) > 1e-5 else rises / q * (1.0 + z * (0.5 + z * (1.0 / 3.0 + 0.25 * z)))
        at[0] = x
        return x < h
    # dV/dt exp(t / tau_m) turns where the currents' sum, each over its time constant, is 0. In between V turns once.
    ends[0] = h
    if s.current[0] != 0.0 and s.current[1] != 0.0 and (s.current[0] > 0.0) != (s.current[1] > 0.0):
        difference = r.per_tau_syn[1] - r.per_tau_syn[0]
        if difference != 0.0:
            x = log(-(s.current[1] * r.per_tau_syn[1]) / (s.current[0] * r.per_tau_syn[0])) / difference
            if 0.0 < x < h:
                ends[0], ends[1], pieces = x, h, 2
    x = 0.0
    for k in range(pieces):
        there = after(r, s, ends[k])
        end = slope(r, &there)
        if rises > 0.0 and end < 0.0:
            at[0] = find_top(r, s, x, ends[k])
            return True
        x, rises = ends[k], end
    return False


cdef inline void decay(const Rates* r, One* s, double h) noexcept nogil:
    """Let the currents go on."""
    if h == 0.0:
        return
    s.current[0] *= exp(-h * r.per_tau_syn[0])
    if r.currents == 2:
        s.current[1] *= exp(-h * r.per_tau_syn[1])


cdef inline double find_reach(const Rates* r, const One* s, double goal, double high, double v) noexcept nogil:
    """When V, which comes from below the goal to v at `high`, the goal or more, is at the goal: it is so once."""
    cdef double low = 0.0, x, error = goal - s.v, y = slope(r, s), step, next
    cdef One z
    cdef int _n
    # The first guess is a parabola's.
    step = y * y + 4.0 * ((v - s.v) / high - y) / high * error
    next = 2.0 * error / (y + sqrt(step)) if step > 0.0 and y >= 0.0 else low
    x = next if low < next < high else 0.5 * (low + high)
    for _n in range(MOST_STEPS):
        z = after(r, s, x)
        error = z.v - goal
        if error == 0.0:
            return x
        if error < 0.0:
            low = x
        else:
            high = x
        y = slope(r, &z)
        # Halley's step: the error left is that of the step to the third power.
        step = y * y - 0.5 * error * (bend(r, &z) - y * r.per_tau_m)
        next = x - error * y / step if y > 0.0 and step > 0.0 else low
        if not low < next < high:
            next = 0.5 * (low + high)
            if next <= low or next >= high:
                return high
        elif fabs(next - x) <= 4e-6 * next:
            return next
        x = next
    return x


cdef inline bint reaches(const Rates* r, const One* s, double goal, double h, double* when) noexcept nogil:
    """Whether V, below the goal, comes to it within h, and when first."""
    cdef double at, top
    cdef One z
    if has_top(r, s, h, &at):
        if r.currents == 1:
            # V rises from the beginning on. Where it turns, dV/dt is 0.
            top = (s.current[0] * exp(-at * r.per_tau_syn[0]) * r.per_C + r.change) / r.per_tau_m
        else:
            z = after(r, s, at)
            top = z.v
        if top >= goal:
            when[0] = find_reach(r, s, goal, at, top)
            return True
        if r.currents == 1:
            return False
    z = after(r, s, h)
    if z.v >= goal:
        when[0] = find_reach(r, s, goal, h, z.v)
        return True
    return False
