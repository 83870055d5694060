"""Equations of all linear models; eventsnn/models/closed_form.py explains them, function by function."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport fabs, floor, sqrt
from libc.stdint cimport int8_t
from libc.string cimport memcpy

from eventsnn._core.mathfunc cimport exp, expm1, infinity, log1p, sin_turns
from eventsnn._core.neuron cimport (
    FOUND,
    MOST_VARIABLES,
    SEARCHED,
    Class,
    Model,
    Neuron,
    Sine,
    variables,
)

cdef enum:
    R = 1
    THRESHOLD = 2
    TAU_M = 4
    PER_C = 5
    V_RESET = 6
    LONGEST = 9
    HEAD = 10
    # of a current
    TAU = 0
    DIFFERENCE = 1
    INVERSE = 2
    FASTER = 3
    CURRENT_RESET = 4
    CURRENT_WIDTH = 7
    # of a threshold
    GAIN = 1
    THRESHOLD_RESET = 3
    THRESHOLD_WIDTH = 6
    MOST_INTERVALS = 200
    MAX_ITERATIONS = 200

cdef enum Kind:
    UNCERTAIN = 0
    CLEAR = 1
    CONCAVE = 2
    MONOTONE = 3

cdef extern from *:
    """
    #define EVENTSNN_NOISE 2.220446049250313e-16
    #define EVENTSNN_MARGIN 8.881784197001252e-16
    #define EVENTSNN_BOUND_MARGIN 1e-12
    #define EVENTSNN_PEAK_TOLERANCE 3.725290298461914e-09
    #define EVENTSNN_SMALLEST_TERM 1.3877787807814457e-17
    #define EVENTSNN_ALPHA_PEAK 0.3679
    #define EVENTSNN_TWO_PI 6.283185307179586
    """
    const double NOISE "EVENTSNN_NOISE"                       # 2^-52
    const double MARGIN "EVENTSNN_MARGIN"                     # 2^-50
    # How far below the threshold a bound aims, as a fraction of the potentials: far more than the rounding of a
    # crossing, so that none comes before its bound, and far less than what would make bounds useless.
    const double BOUND_MARGIN "EVENTSNN_BOUND_MARGIN"
    const double PEAK_TOLERANCE "EVENTSNN_PEAK_TOLERANCE"     # 2^-28
    const double SMALLEST_TERM "EVENTSNN_SMALLEST_TERM"       # 2^-56
    const double ALPHA_PEAK "EVENTSNN_ALPHA_PEAK"
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


cdef struct Point:
    double u
    double du
    double ddu
    double third
    State state
    double x[MOST_VARIABLES]


cdef inline int current_at(int i) noexcept nogil:
    return HEAD + CURRENT_WIDTH * i


cdef inline int threshold_at(const Model* m, int i) noexcept nogil:
    return HEAD + CURRENT_WIDTH * m.n_currents + THRESHOLD_WIDTH * i


cdef inline State state_of(const Class* k, const Neuron* s) noexcept nogil:
    cdef State w
    w.t = s.t
    w.v = s.v
    w.drive = s.drive
    w.slope = s.slope
    w.x = variables(k, s)
    w.low = NULL
    w.sines = s.sines
    w.n_sines = s.n_sines
    return w


cdef inline bint bare(const Class* k, const Neuron* s) noexcept nogil:
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


cdef double divided_ascending(const double* rates, int n, double h) noexcept nogil:
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


cdef double divided(int n, double a, double b, double c, double d, double h) noexcept nogil:
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


cdef double forced(
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


cdef double driven_after(
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


cdef void flow(const Class* k, Neuron* s, double h) noexcept nogil:
    cdef State old, new
    cdef double x[MOST_VARIABLES]
    cdef double lost
    if bare(k, s):
        # What `solve` does then.
        decay(h / k.c[TAU_M], &lost)
        s.v = (s.v + ((s.drive - s.v) * -lost + 0.0)) + 0.0
        return
    old = state_of(k, s)
    new = old
    if k.model.n_driven:
        memcpy(x, old.x, k.model.n_slots * sizeof(double))
        old.x = x
    new.low = new.x + k.model.n_slots
    solve(k, &old, h, &new)
    s.v = new.v
    s.drive = new.drive


cdef void hold(const Class* k, Neuron* s, double h) noexcept nogil:
    cdef const Model* m = k.model
    cdef double* x = variables(k, s)
    cdef double* low = x + m.n_slots
    cdef double y, own
    cdef int i
    if not m.clamped:
        flow(k, s, h)
        return
    for i in range(m.n_currents):
        y = x[m.n_currents + i] if i < m.n_alpha else 0.0
        if x[i] == 0.0 and y == 0.0:
            continue
        own = exp(-h / k.c[current_at(i) + TAU])
        if y != 0.0:
            x[i] = x[i] + y * h
            x[m.n_currents + i] = y * own
        x[i] = x[i] * own
        low[i] = low[i] * own
    for i in range(m.n_currents + m.n_alpha + m.n_driven, m.n_slots):
        if x[i] != 0.0:
            x[i] = x[i] * exp(-h / k.c[threshold_at(m, i - m.n_currents - m.n_alpha) + TAU])
    if s.slope != 0.0:
        s.drive = s.drive + s.slope * h


cdef inline double threshold_now(const Class* k, const double* x) noexcept nogil:
    cdef double total = 0.0
    cdef int i
    for i in range(k.model.n_currents + k.model.n_alpha, k.model.n_slots):
        total = total + x[i]
    return k.c[THRESHOLD] + total


cdef double threshold(const Class* k, const Neuron* s) noexcept nogil:
    return threshold_now(k, variables(k, s))


cdef void receive(const Class* k, Neuron* s, const double* weights, bint refractory) noexcept nogil:
    cdef const Model* m = k.model
    cdef double* x = variables(k, s)
    cdef double* low = x + m.n_slots
    cdef const double* scale = k.c + threshold_at(m, m.n_thresholds) + m.n_currents
    cdef double weight, total, part
    cdef int port, slot
    for port in range(m.ports):
        slot = m.target[port]
        weight = weights[port] * scale[port]
        if slot < 0:
            if not (refractory and m.clamped):
                s.v = s.v + weight
        elif slot < m.n_currents:
            weight = weight + low[slot]
            total = x[slot] + weight
            part = total - x[slot]
            low[slot] = (x[slot] - (total - part)) + (weight - part)
            x[slot] = total
        else:
            x[slot] = x[slot] + weight


cdef inline double after_spike(const double* rule, double value) noexcept nogil:
    value = rule[0] * value + rule[1]
    return value if value > rule[2] else rule[2]


cdef void reset(const Class* k, Neuron* s) noexcept nogil:
    cdef const Model* m = k.model
    cdef double* x = variables(k, s)
    cdef int i, slot
    s.v = after_spike(k.c + V_RESET, s.v)
    if not m.resets:
        return
    for i in range(m.n_currents):
        x[i] = after_spike(k.c + current_at(i) + CURRENT_RESET, x[i])
    for i in range(m.n_thresholds):
        slot = m.n_currents + m.n_alpha + i
        x[slot] = after_spike(k.c + threshold_at(m, i) + THRESHOLD_RESET, x[slot])


# ---- the first crossing


cdef double crossing(const Class* k, const Neuron* s, double start, int8_t* certainty) noexcept nogil:
    cdef const double* c = k.c
    cdef State w = state_of(k, s)
    cdef Point points[2]
    cdef Point* here = &points[0]
    cdef Point* there = &points[1]
    cdef Point* swap
    cdef double low, high, width, scale, top
    cdef double x[MOST_VARIABLES]
    cdef State at_top
    cdef int kind, _
    certainty[0] = FOUND
    if start == 0.0 and s.v >= threshold_now(k, w.x):
        return 0.0
    if hopeless(k, &w, 0.0):
        return infinity()
    if bare(k, s):
        return c[TAU_M] * log1p((c[THRESHOLD] - s.v) / (s.drive - c[THRESHOLD]))
    low = start
    scale = magnitude(k, &w)
    point(k, &w, low, here)
    if here.u >= 0.0:
        return low
    width = 2.0 * c[LONGEST]
    for _ in range(MOST_INTERVALS):
        while True:
            kind = shape_of(here, width, scale)
            if kind:
                break
            width = 0.5 * width
        high = low + width
        point(k, &w, high, there)
        if there.u >= 0.0:
            return root(k, &w, low, high, scale, here)
        if kind == CONCAVE and here.du > 0.0 > there.du:
            top = peak(k, &w, low, high)
            at_top = w
            at_top.x = x
            if solve(k, &w, top, &at_top) >= 0.0:
                return root(k, &w, low, top, scale, here)
        if hopeless(k, &there.state, 0.0):
            return infinity()
        low = high
        swap = here
        here = there
        there = swap
        width = 2.0 * width
    certainty[0] = SEARCHED
    return low


cdef inline int shape_of(const Point* p, double width, double scale) noexcept nogil:
    cdef double change = p.third * width
    cdef double curvature = p.ddu + change / 3.0
    cdef double top
    if curvature < 0.0 < p.du and p.du < -curvature * width:
        top = p.u - p.du * p.du / (2.0 * curvature)
    else:
        top = p.u + (p.du + 0.5 * curvature * width) * width
        top = top if top > p.u else p.u
    if top < -MARGIN * scale:
        return CLEAR
    if p.ddu + change <= 0.0:
        return CONCAVE
    if p.ddu - change >= 0.0 or p.du + ((p.ddu if p.ddu < 0.0 else 0.0) - 0.5 * change) * width >= 0.0:
        return MONOTONE
    if change * width * width <= 6.0 * NOISE * scale:
        return CONCAVE
    return UNCERTAIN


cdef void point(const Class* k, const State* s, double h, Point* p) noexcept nogil:
    cdef const Model* m = k.model
    cdef const double* c = k.c
    cdef double tau_m = c[TAU_M]
    cdef double driven[MOST_VARIABLES]
    cdef double total = 0.0
    cdef double d_total = 0.0
    cdef double second = 0.0
    cdef double third = 0.0
    cdef double tau, x, y, largest, omega, dv, ddv, bound_2, bound_3, gain, value, d_value, dd_value
    cdef int i, at
    p.state = s[0]
    p.state.x = p.x
    p.u = solve(k, s, h, &p.state)
    if s.n_sines:
        forced(k, s, h, driven, &total, &d_total)
    for i in range(m.n_currents):
        tau = c[current_at(i) + TAU]
        x = p.x[i]
        y = p.x[m.n_currents + i] if i < m.n_alpha else 0.0
        total = total + x
        d_total = d_total + (y - x / tau)
        largest = fabs(x) + fabs(y) * tau
        second = second + (largest + fabs(y) * tau) / tau
        third = third + (largest + 2.0 * fabs(y) * tau) / (tau * tau)
    for i in range(s.n_sines):
        omega = TWO_PI * s.sines[i].frequency
        second = second + 2.0 * fabs(s.sines[i].amplitude) * omega
        third = third + fabs(s.sines[i].amplitude) * omega * omega
    if m.leaks:
        dv = (p.state.drive - p.state.v) / tau_m + c[PER_C] * total
        ddv = (s.slope - dv) / tau_m + c[PER_C] * d_total
        bound_2 = fabs(ddv) + c[PER_C] * second
        bound_3 = bound_2 / tau_m + c[PER_C] * third
    else:
        dv = p.state.drive + c[PER_C] * total
        ddv = s.slope + c[PER_C] * d_total
        bound_2 = fabs(ddv) + c[PER_C] * second
        bound_3 = c[PER_C] * third
    p.du = dv
    p.ddu = ddv
    for i in range(m.n_thresholds):
        at = threshold_at(m, i)
        tau = c[at + TAU]
        value = p.x[m.n_currents + m.n_alpha + i]
        gain = c[at + GAIN] if i < m.n_driven else 0.0
        d_value = gain * p.state.v - value / tau
        dd_value = gain * dv - d_value / tau
        p.du = p.du - d_value
        p.ddu = p.ddu - dd_value
        bound_3 = bound_3 + (fabs(dd_value) / tau + 2.0 * fabs(gain) * bound_2)
    p.third = bound_3


cdef double magnitude(const Class* k, const State* s) noexcept nogil:
    cdef const Model* m = k.model
    cdef const double* c = k.c
    cdef double total = 0.0
    cdef double tau, x
    cdef int i
    for i in range(m.n_currents):
        tau = c[current_at(i) + TAU]
        x = fabs(s.x[i])
        if i < m.n_alpha:
            x = x + fabs(s.x[m.n_currents + i]) * tau
        total = total + x * min(tau, c[TAU_M])
    for i in range(s.n_sines):
        total = total + fabs(s.sines[i].amplitude) / (TWO_PI * s.sines[i].frequency)
    total = c[PER_C] * total + (fabs(s.v) + fabs(c[THRESHOLD]))
    if m.leaks:
        total = total + fabs(s.drive)
    for i in range(m.n_currents + m.n_alpha, m.n_slots):
        total = total + fabs(s.x[i])
    return total


cdef double extreme_current(const Class* k, const State* s, double sign) noexcept nogil:
    cdef const Model* m = k.model
    cdef const double* order = k.c + threshold_at(m, m.n_thresholds)
    cdef double best = 0.0
    cdef double total = 0.0
    cdef double more = 0.0
    cdef int place, i
    for place in range(m.n_currents):
        i = <int>order[place]
        total = total + sign * s.x[i]
        if total > best:
            best = total
        if i < m.n_alpha and sign * s.x[m.n_currents + i] > 0.0:
            more = more + ALPHA_PEAK * (sign * s.x[m.n_currents + i]) * k.c[current_at(i) + TAU]
    for i in range(s.n_sines):
        more = more + fabs(s.sines[i].amplitude)
    return best + more


cdef double charge(const Class* k, const State* s, double sign) noexcept nogil:
    cdef const Model* m = k.model
    cdef double total = 0.0
    cdef double tau
    cdef int i
    for i in range(m.n_currents):
        tau = k.c[current_at(i) + TAU]
        if sign * s.x[i] > 0.0:
            total = total + sign * s.x[i] * tau
        if i < m.n_alpha and sign * s.x[m.n_currents + i] > 0.0:
            total = total + sign * s.x[m.n_currents + i] * (tau * tau)
    for i in range(s.n_sines):
        total = total + 2.0 * fabs(s.sines[i].amplitude) / (TWO_PI * s.sines[i].frequency)
    return total


cdef double highest_v(const Class* k, const State* s, double sign) noexcept nogil:
    cdef double settled
    if sign * s.slope > 0.0:
        return infinity()
    if k.model.leaks:
        settled = sign * s.drive + k.c[R] * extreme_current(k, s, sign)
        return settled if settled > sign * s.v else sign * s.v
    if sign * s.drive > 0.0:
        return infinity()
    return sign * s.v + k.c[PER_C] * charge(k, s, sign)


cdef bint hopeless(const Class* k, const State* s, double margin) noexcept nogil:
    cdef const Model* m = k.model
    cdef double highest = highest_v(k, s, 1.0)
    cdef double lowest = k.c[THRESHOLD]
    cdef double value, gain, drawn
    cdef int i, at
    if highest == infinity():
        return False
    for i in range(m.n_thresholds):
        at = threshold_at(m, i)
        value = s.x[m.n_currents + m.n_alpha + i]
        if i < m.n_driven:
            gain = k.c[at + GAIN]
            if gain < 0.0:
                drawn = gain * highest
            elif gain > 0.0:
                drawn = -gain * highest_v(k, s, -1.0)
            else:
                drawn = 0.0
            drawn = drawn * k.c[at + TAU]
            if drawn < value:
                value = drawn
        if value < 0.0:
            lowest = lowest + value
    return highest <= lowest - margin


cdef double bound(const Class* k, const Neuron* s) noexcept nogil:
    """Time to the threshold if v rose, and the threshold fell, as fast as they ever will; where the threshold is
    constant, if the current stayed at its upper bound. The threshold is taken a margin lower, so that no rounding in
    `crossing` can come before."""
    cdef const Model* m = k.model
    cdef const double* c = k.c
    cdef State w
    cdef double margin, gap, low, settled, rise, bend, value, gain, fast, slow
    cdef int i, at
    if bare(k, s):
        low = c[THRESHOLD] - BOUND_MARGIN * (fabs(s.v) + fabs(s.drive) + fabs(c[THRESHOLD]))
        if s.v >= low:
            return 0.0
        return c[TAU_M] * ((low - s.v) / (s.drive - s.v)) if s.drive > low else infinity()
    w = state_of(k, s)
    margin = BOUND_MARGIN * magnitude(k, &w)
    gap = (threshold_now(k, w.x) - margin) - s.v
    if gap <= 0.0:
        return 0.0
    if hopeless(k, &w, margin):
        return infinity()
    settled = s.drive + c[R] * extreme_current(k, &w, 1.0)
    if m.leaks and m.n_thresholds == 0 and not s.slope > 0.0:
        low = c[THRESHOLD] - margin
        return c[TAU_M] * log1p((low - s.v) / (settled - low))
    if m.leaks:
        rise = (settled - s.v) / c[TAU_M]
        bend = s.slope / c[TAU_M]
    else:
        rise = settled
        bend = s.slope
    if rise < 0.0:
        rise = 0.0
    if bend < 0.0:
        bend = 0.0
    for i in range(m.n_thresholds):
        at = threshold_at(m, i)
        value = w.x[m.n_currents + m.n_alpha + i] / c[at + TAU]
        gain = c[at + GAIN] if i < m.n_driven else 0.0
        if gain == 0.0:
            if value > 0.0:
                rise = rise + value
            continue
        fast = fabs(gain) * highest_v(k, &w, 1.0 if gain > 0.0 else -1.0)
        slow = fabs(gain) * highest_v(k, &w, -1.0 if gain > 0.0 else 1.0)
        rise = rise + ((value if value > fast else fast) + slow)
    if bend == 0.0:
        return gap / rise if rise > 0.0 else infinity()
    return 2.0 * gap / (rise + sqrt(rise * rise + 2.0 * bend * gap))


cdef double root(
    const Class* k, const State* s, double low, double high, double scale, const Point* first
) noexcept nogil:
    cdef Point here
    cdef double h = high
    cdef double new
    cdef int _
    if first.du > 0.0:
        new = low - first.u / first.du
        if low < new < high:
            h = new
    for _ in range(MAX_ITERATIONS):
        point(k, s, h, &here)
        if here.u >= 0.0:
            high = h
        else:
            low = h
        new = h - here.u / here.du if here.du > 0.0 else -1.0
        if fabs(here.u) <= NOISE * scale:
            return new if low <= new <= high else h
        if not low < new < high:
            new = low + 0.5 * (high - low)
            if new == low or new == high:
                return high
        if fabs(new - h) <= NOISE * new:
            return new
        h = new
    return high


cdef double peak(const Class* k, const State* s, double low, double high) noexcept nogil:
    cdef Point here
    cdef double tolerance = PEAK_TOLERANCE * (high - low)
    cdef double h = low + 0.5 * (high - low)
    cdef double new
    cdef int _
    for _ in range(MAX_ITERATIONS):
        point(k, s, h, &here)
        if here.du > 0.0:
            low = h
        else:
            high = h
        new = h - here.du / here.ddu if here.ddu < 0.0 else -1.0
        if not low < new < high:
            new = low + 0.5 * (high - low)
            if new == low or new == high:
                return new
        if fabs(new - h) <= tolerance:
            return new
        h = new
    return h


cdef Model model
model.flow = flow
model.hold = hold
model.threshold = threshold
model.crossing = crossing
model.bound = bound
model.receive = receive
model.reset = reset

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
