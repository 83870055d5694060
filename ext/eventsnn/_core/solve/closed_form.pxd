# The state of a linear neuron after some time, and the constants that it follows from; eventsnn/solve/closed_form.py
# explains it, function by function.

from libc.math cimport floor

from eventsnn._core.base.mathfunc cimport exp, expm1, sin_turns
from eventsnn._core.solve.neuron cimport MOST_VARIABLES, THRESHOLD, Class, Model, Sine

# Where the constants of a linear neuron are, behind those of all neurons: these, then CURRENT_WIDTH for each current,
# THRESHOLD_WIDTH for each threshold, the places of the currents in descending order of their time constants, and the
# scale of the weights of each port.
cpdef enum:
    TAU_M = 3
    PER_C = 4
    V_RESET = 5
    LONGEST = 8
    PER_UNIT = 9
    NARROWEST = 10
    WIDTH_M = 11
    RATE_M = 12
    KEPT_M = 13
    HEAD = 14

cpdef enum:
    # of a current; TAU of a threshold too
    TAU = 0
    DIFFERENCE = 1
    INVERSE = 2
    FASTER = 3
    CURRENT_RESET = 4
    COUPLING = 7
    WIDTH = 8
    RATE = 9
    KEPT = 10
    CURRENT_WIDTH = 11

cpdef enum:
    # of a threshold
    GAIN = 1
    THRESHOLD_RESET = 2
    THRESHOLD_WIDTH = 5


cdef extern from *:
    """
    #define EVENTSNN_SMALLEST_TERM 1.3877787807814457e-17
    #define EVENTSNN_TWO_PI 6.283185307179586
    """
    const double SMALLEST_TERM "EVENTSNN_SMALLEST_TERM"       # 2^-56
    const double TWO_PI "EVENTSNN_TWO_PI"


cdef struct State:
    double t
    double v
    double drive
    double slope
    double* x
    double* low           # NULL where nothing is added to it
    const Sine* sines
    int n_sines


cdef inline int current_at(int i) noexcept nogil:
    return HEAD + CURRENT_WIDTH * i


cdef inline int threshold_at(const Model* m, int i) noexcept nogil:
    return HEAD + CURRENT_WIDTH * m.n_currents + THRESHOLD_WIDTH * i


cdef inline bint bare(const Class* k, const State* s) noexcept nogil:
    """A leaky membrane under constant current and nothing else."""
    return k.model.n_slots == 0 and k.model.leaks and s.slope == 0.0 and s.n_sines == 0


cdef inline double decay(double z, double* lost) noexcept nogil:
    cdef double kept
    if z < 0.5:
        lost[0] = expm1(-z)
        return 1.0 + lost[0]
    kept = exp(-z)
    lost[0] = kept - 1.0
    return kept


cdef inline double divided_ascending(const double* rates, int n, double h) noexcept nogil:
    cdef double p[4]
    cdef double terms[4]
    cdef double spread, scale, first, total, degree
    cdef int i, order
    if n == 1:
        return exp(-rates[0] * h)
    spread = rates[n - 1] - rates[0]
    if spread * h >= 2.0:
        return (divided_ascending(rates, n - 1, h) - divided_ascending(rates + 1, n - 1, h)) / spread
    scale = exp(-rates[n - 1] * h)
    first = 1.0
    for i in range(1, n):
        scale = scale * h
        first = first / i
    for i in range(n - 1):
        p[i] = (rates[n - 1] - rates[i]) * h
        terms[i] = first
    total = first
    order = n - 1
    while terms[n - 2] > SMALLEST_TERM * total:
        order += 1
        degree = 0.0
        for i in range(n - 1):
            degree = degree + p[i] * terms[i] / order
            terms[i] = degree
        total = total + degree
    return scale * total


cdef inline double divided(int n, double a, double b, double c, double d, double h) noexcept nogil:
    """Over the first n of the rates, in any order."""
    cdef double rates[4]
    cdef double rate
    cdef int i, j
    rates[0] = a
    rates[1] = b
    rates[2] = c
    rates[3] = d
    for i in range(1, n):
        rate = rates[i]
        j = i
        while j > 0 and rates[j - 1] > rate:
            rates[j] = rates[j - 1]
            j -= 1
        rates[j] = rate
    return divided_ascending(rates, n, h)


cdef inline double forced(
    const Class* k, const State* s, double h, double* driven, double* current, double* derivative
) noexcept nogil:
    cdef const Model* m = k.model
    cdef const double* c = k.c
    cdef double rate = 1.0 / c[TAU_M]
    cdef double v = 0.0
    cdef double turns, sine, cosine, omega, size, in_phase, behind, b, alpha, beta
    cdef const Sine* p
    cdef int i, j, at
    current[0] = 0.0
    derivative[0] = 0.0
    for i in range(m.n_driven):
        driven[i] = 0.0
    for j in range(s.n_sines):
        p = &s.sines[j]
        turns = p.frequency * s.t + p.phase
        turns = turns - floor(turns) + p.frequency * h
        sine = sin_turns(turns)
        cosine = sin_turns(turns + 0.25)
        omega = TWO_PI * p.frequency
        size = p.amplitude * c[PER_C] / (rate * rate + omega * omega)
        in_phase = rate * size
        behind = -omega * size
        v = v + (in_phase * sine + behind * cosine)
        current[0] = current[0] + p.amplitude * sine
        derivative[0] = derivative[0] + p.amplitude * omega * cosine
        for i in range(m.n_driven):
            at = threshold_at(m, i)
            b = 1.0 / c[at + TAU]
            size = c[at + GAIN] / (b * b + omega * omega)
            alpha = size * (b * in_phase + omega * behind)
            beta = size * (b * behind - omega * in_phase)
            driven[i] = driven[i] + (alpha * sine + beta * cosine)
    return v


cdef inline double driven_after(
    const Class* k,
    const State* s,
    double h,
    double v,
    const double* swing_before,
    const double* swing_after,
    State* new,
) noexcept nogil:
    """Fills in the thresholds that v drives and returns their sum; from x as it was, before any current is changed."""
    cdef const Model* m = k.model
    cdef const double* c = k.c
    cdef double rate = 1.0 / c[TAU_M]
    cdef double total = 0.0
    cdef double value, driven, b, r, ramp
    cdef int i, j, at
    cdef int first = m.n_currents + m.n_alpha
    for j in range(m.n_driven):
        at = threshold_at(m, j)
        value = s.x[first + j]
        b = 1.0 / c[at + TAU]
        value = value - swing_before[j]
        driven = v * divided(2, b, rate, 0.0, 0.0, h)
        driven = driven + (s.drive * rate if m.leaks else s.drive) * divided(3, 0.0, b, rate, 0.0, h)
        if s.slope != 0.0:
            ramp = s.slope * rate if m.leaks else s.slope
            driven = driven + ramp * divided(4, 0.0, 0.0, b, rate, h)
        for i in range(m.n_currents):
            r = 1.0 / c[current_at(i) + TAU]
            if s.x[i] != 0.0:
                driven = driven + c[PER_C] * s.x[i] * divided(3, b, rate, r, 0.0, h)
            if i < m.n_alpha and s.x[m.n_currents + i] != 0.0:
                driven = driven + c[PER_C] * s.x[m.n_currents + i] * divided(4, b, rate, r, r, h)
        value = (value * exp(-h / c[at + TAU]) + c[at + GAIN] * driven) + swing_after[j]
        new.x[first + j] = value
        total = total + value
    return total


cdef inline double solve(const Class* k, const State* s, double h, State* new) noexcept nogil:
    """Fills in v, drive, x and low of `new` and returns u. x may be that of s if no threshold is driven."""
    cdef const Model* m = k.model
    cdef const double* c = k.c
    cdef double tau_m = c[TAU_M]
    cdef double lost, relative, gone, slower, own, response, x, y, r, total
    cdef double kept = decay(h / tau_m, &lost)
    cdef double before = 0.0
    cdef double after = 0.0
    cdef double v = s.v
    cdef double added = 0.0
    cdef double drive = s.drive
    cdef double swing_before[MOST_VARIABLES]
    cdef double swing_after[MOST_VARIABLES]
    cdef const double* p
    cdef int i
    cdef double unused, also
    for i in range(m.n_driven):
        swing_before[i] = 0.0
        swing_after[i] = 0.0
    if s.n_sines:
        before = forced(k, s, 0.0, swing_before, &unused, &also)
        after = forced(k, s, h, swing_after, &unused, &also)
        v = v - before
    total = 0.0
    if m.n_driven:
        total = driven_after(k, s, h, v, swing_before, swing_after, new)
    for i in range(m.n_currents):
        p = c + current_at(i)
        x = s.x[i]
        y = s.x[m.n_currents + i] if i < m.n_alpha else 0.0
        if x == 0.0 and y == 0.0:
            new.x[i] = x
            if i < m.n_alpha:
                new.x[m.n_currents + i] = y
            continue
        relative = decay(h * p[DIFFERENCE], &gone)
        if p[FASTER] != 0.0:
            slower = kept
            own = kept * relative
        else:
            slower = own = exp(-h / p[TAU])
        response = slower * h if p[DIFFERENCE] == 0.0 else slower * (-gone * p[INVERSE])
        added = added + x * response
        if y != 0.0:
            r = 1.0 / p[TAU]
            added = added + y * divided(3, 1.0 / tau_m, r, r, 0.0, h)
            x = x + y * h
        if i < m.n_alpha:
            new.x[m.n_currents + i] = y * own
            if new.low != NULL and y != 0.0:
                new.low[m.n_currents + i] = new.low[m.n_currents + i] * own
        new.x[i] = x * own
        if new.low != NULL:
            new.low[i] = new.low[i] * own
    added = c[PER_C] * added
    if s.slope != 0.0:
        if m.leaks:
            r = 1.0 / tau_m
            added = added + s.slope * r * divided(3, 0.0, 0.0, r, 0.0, h)
        else:
            added = added + s.slope * (0.5 * h * h)
    for i in range(m.n_currents + m.n_alpha + m.n_driven, m.n_slots):
        x = s.x[i]
        if x != 0.0:
            x = x * exp(-h / c[threshold_at(m, i - m.n_currents - m.n_alpha) + TAU])
        new.x[i] = x
        total = total + x
    new.drive = drive + s.slope * h if s.slope != 0.0 else drive
    new.v = (v + ((drive - v) * -lost + added) if m.leaks else v + (drive * h + added)) + after
    if m.leaks and drive <= c[THRESHOLD] and s.slope == 0.0:
        return (drive - c[THRESHOLD]) + ((v - drive) * kept + (added + after - total))
    return (v - c[THRESHOLD]) + (((drive - v) * -lost if m.leaks else drive * h) + (added + after - total))


cdef inline double threshold_now(const Class* k, const double* x) noexcept nogil:
    cdef double total = 0.0
    cdef int i
    for i in range(k.model.n_currents + k.model.n_alpha, k.model.n_slots):
        total = total + x[i]
    return k.c[THRESHOLD] + total
