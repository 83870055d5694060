# The steps of models without a closed form: Taylor series, and how the state follows them. eventsnn/models/taylor.py
# explains it, function by function.

from libc.float cimport DBL_MAX
from libc.math cimport fabs, floor

from eventsnn._core.base.mathfunc cimport exp, infinity, log, not_a_number, sin_turns
from eventsnn._core.solve.neuron cimport R, ROW, Class, Neuron, Series, Sine, Step, count_step, variables

# Where the constants of a neuron without a closed form are, behind those of all neurons.
cpdef enum:
    ORDER = 3
    FARTHEST = 4
    V_RESET = 5
    LOWEST = 7
    # then the tolerance of each variable, the jump of each slot and the scale of each port
    HEAD = 8

cpdef enum:
    # How often a step may become longer.
    TRIES = 64


cdef extern from "eventsnn/_core/solve/taylor.h" nogil:
    enum:
        FEWEST "EVENTSNN_FEWEST"                          # orders, before the last two terms say anything
    const double ROUNDING "EVENTSNN_ROUNDING"             # 2^-49
    const double NO_MORE "EVENTSNN_NO_MORE"               # 2^-20, of a tolerance, or mV


cdef extern from *:
    """
    #define EVENTSNN_LONGEST_STEP 1000.0
    #define EVENTSNN_BEYOND 1.0000000002328306
    #define EVENTSNN_FINITE 1e288
    #define EVENTSNN_TURN 6.283185307179586
    """
    const double LONGEST_STEP "EVENTSNN_LONGEST_STEP"     # ms
    const double BEYOND "EVENTSNN_BEYOND"                 # more than a span may be wrong by
    const double FINITE "EVENTSNN_FINITE"                 # so large that its share of a tolerance is a number
    const double TURN "EVENTSNN_TURN"                     # 2 pi


cdef inline int count(const Class* k) noexcept nogil:
    return 1 + k.model.n_slots


cdef inline double tolerance_of(const Class* k, int i) noexcept nogil:
    return k.c[HEAD + i]


cdef inline const double* jumps(const Class* k) noexcept nogil:
    return k.c + HEAD + count(k)


cdef inline const double* scales(const Class* k) noexcept nogil:
    return jumps(k) + k.model.n_slots


cdef inline const double* own(const Class* k) noexcept nogil:
    """The constants of the model itself."""
    return scales(k) + k.model.ports


cdef inline Step* step_of(const Class* k, const Neuron* s) noexcept nogil:
    return <Step*>(variables(k, s) + k.model.n_slots)


cdef inline double* series_of(const Class* k, Step* p) noexcept nogil:
    return &p.last[0] + count(k)


cdef inline double horner(const double* a, int order, double h) noexcept nogil:
    cdef double total = a[order]
    cdef int i
    for i in range(order - 1, -1, -1):
        total = total * h + a[i]
    return total


cdef inline void begin(const Class* k, const Neuron* s, Series* z, double* y, bint held) noexcept nogil:
    cdef int order = <int>k.c[ORDER]
    cdef const Sine* p
    cdef double turns, omega, sine, cosine, next
    cdef int i, j, n
    z.y = y
    z.variables = count(k)
    z.held = held
    y[0] = s.v
    for i in range(k.model.n_slots):
        y[(1 + i) * ROW] = variables(k, s)[i]
    for n in range(order + 1):
        z.force[n] = 0.0
    z.force[0] = s.drive
    z.force[1] = s.slope
    for j in range(s.n_sines):
        p = &s.sines[j]
        turns = p.frequency * s.t + p.phase
        turns = turns - floor(turns)
        omega = TURN * p.frequency
        sine = k.c[R] * p.amplitude * sin_turns(turns)
        cosine = k.c[R] * p.amplitude * sin_turns(turns + 0.25)
        for n in range(order + 1):
            z.force[n] = z.force[n] + sine
            next = omega * cosine / (n + 1)
            cosine = -omega * sine / (n + 1)
            sine = next


# ---- how many orders


cdef inline bint is_alone(const Class* k, const Neuron* s) noexcept nogil:
    """Whether the series follows from the state alone, and may be cut off where its terms are small."""
    return s.slope == 0.0 and s.n_sines == 0 and k.model.revise == NULL


cdef inline bint is_small(const Class* k, const double* y, int n, double power) noexcept nogil:
    """Whether the terms of order n are below the tolerance where h^n is `power`."""
    cdef double size
    cdef int i
    for i in range(count(k)):
        size = fabs(y[i * ROW + n])
        if not size * power <= tolerance_of(k, i) or not size <= FINITE:
            return False
    return True


cdef inline int orders_at(const Class* k, const Neuron* s, Step* p, double h, bint held) noexcept nogil:
    """How many orders the state at h takes, which are then known; 0 if it takes more than there are."""
    cdef int order = <int>k.c[ORDER]
    cdef double* y = series_of(k, p)
    cdef bint last = False
    cdef bint begun = False
    cdef double power = h * h
    cdef bint small
    cdef Series z
    cdef int n
    if not is_alone(k, s) or not h < LONGEST_STEP:
        return 0
    for n in range(FEWEST - 1, order + 1):
        if n > p.known:
            if not begun:
                begin(k, s, &z, y, held)
            k.model.extend(own(k), &z, n - 1 if begun else 0, n)
            begun = True
            p.known = n
        power = power * h
        small = is_small(k, y, n, power)
        if small and last:
            return n
        last = small
    return 0


cdef inline double span_at(const Class* k, const double* y, int order) noexcept nogil:
    """How far the last two terms of so many orders stay below the tolerance."""
    cdef double span = LONGEST_STEP
    cdef double largest, share
    cdef int i, n
    for n in range(order - 1, order + 1):
        largest = 0.0
        for i in range(count(k)):
            share = fabs(y[i * ROW + n]) / tolerance_of(k, i)
            if not share <= DBL_MAX:
                return 0.0
            largest = max(largest, share)
        if largest > 0.0:
            span = min(span, exp(-log(largest) / n))
    return span


cdef inline bint is_slow(const Neuron* s, const double* y, double span) noexcept nogil:
    """Whether V may be at rest."""
    return s.slope == 0.0 and not s.n_sines and fabs(y[1]) * span <= NO_MORE


cdef inline bint has_not_moved(const Class* k, const Step* p, const double* y) noexcept nogil:
    cdef int i
    for i in range(count(k)):
        if not fabs(p.last[i] - y[i * ROW]) <= ROUNDING * fabs(y[i * ROW]) + NO_MORE * tolerance_of(k, i):
            return False
    return True


cdef inline double length(double t, double span) noexcept nogil:
    """The length of a step of about `span` from t on, such that the step ends at fl(t + length)."""
    return (t + span) - t


cdef inline double longest(const Class* k, const Neuron* s, Step* p, double span) noexcept nogil:
    """How far a step goes whose terms of fewer orders may happen to stay below the tolerance for longer."""
    cdef double other
    cdef int _try, n
    for _try in range(TRIES):
        span = min(span * BEYOND, LONGEST_STEP)
        n = orders_at(k, s, p, span, False)
        other = span_at(k, series_of(k, p), n) if n else 0.0
        if not other > 0.0:
            break
        p.order = n
        span = max(span, other)
    return span


cdef inline void end_step(const Class* k, const Neuron* s, Step* p, double span, int order) noexcept nogil:
    cdef int i
    p.span = length(s.t, span)
    p.end = s.t + p.span
    for i in range(count(k)):
        p.last[i] = horner(series_of(k, p) + i * ROW, order, p.span)


cdef inline void take_step(const Class* k, const Neuron* s, Step* p, bint held) noexcept nogil:
    """Find the whole series, how long it is good for and where it ends."""
    cdef int order = <int>k.c[ORDER]
    cdef double* y = series_of(k, p)
    cdef double span
    cdef Series z
    cdef int i, n
    z.held = held
    if p.known < order:
        begin(k, s, &z, y, held)
        k.model.extend(own(k), &z, 0, order)
        p.known = order
    p.order = order
    span = span_at(k, y, order)
    if is_slow(s, y, span):
        end_step(k, s, p, span, order)
    if is_slow(s, y, span) and has_not_moved(k, p, y) and p.end > s.t:
        p.end = infinity()
        p.span = infinity()
        p.order = 0
        for i in range(count(k)):
            p.last[i] = y[i * ROW]
    else:
        n = order
        if is_alone(k, s):
            span = longest(k, s, p, span)
            n = orders_at(k, s, p, length(s.t, span), False) if length(s.t, span) < span else 0
        end_step(k, s, p, span, n if n else <int>p.order)
    if k.model.revise != NULL:
        k.model.revise(k, s, p, &z)
    p.whole = 1.0


cdef inline void forget(const Class* k, Neuron* s) noexcept nogil:
    step_of(k, s).known = step_of(k, s).whole = 0.0


cdef inline void keep_step(const Class* k, const Neuron* s) noexcept nogil:
    """Let a free neuron have the step on which it is. That is no change of its state."""
    cdef Step* p = step_of(k, s)
    if p.whole == 0.0:
        take_step(k, s, p, False)


cdef inline void go(const Class* k, Neuron* s, double t, bint held) noexcept nogil:
    """Advance the state to t."""
    cdef Step* p = step_of(k, s)
    cdef double* y = series_of(k, p)
    cdef double h
    cdef int i, n
    if held:
        forget(k, s)
    while s.t < t:
        h = t - s.t
        n = orders_at(k, s, p, h, held) if p.whole == 0.0 or t < p.end else 0
        if n == 0:
            if p.whole == 0.0:
                take_step(k, s, p, held)
            if not p.end > s.t:
                break  # so fast that time does not advance: it crosses its threshold now
            n = <int>p.order
            if not t < p.end:
                if not count_step(s):
                    s.v = not_a_number()
                    break
                h = p.span
                s.v = p.last[0]
                for i in range(k.model.n_slots):
                    variables(k, s)[i] = p.last[1 + i]
                if s.slope != 0.0:
                    s.drive = s.drive + s.slope * h
                s.t = p.end
                forget(k, s)
                continue
        s.v = horner(y, n, h)
        for i in range(k.model.n_slots):
            variables(k, s)[i] = horner(y + (1 + i) * ROW, n, h)
        if s.slope != 0.0:
            s.drive = s.drive + s.slope * h
        break
    s.t = t
    forget(k, s)


cdef inline void settle(const Class* k, Neuron* s, double t) noexcept nogil:
    if t < s.release:
        go(k, s, t, k.model.clamped)
    else:
        if s.t < s.release:
            go(k, s, s.release, k.model.clamped)
        go(k, s, t, False)
