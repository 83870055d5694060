# The first crossing of the threshold, and a time before which it cannot lie; eventsnn/solve/crossing.py explains it,
# function by function.

from libc.math cimport fabs, sqrt
from libc.stdint cimport int8_t

from eventsnn._core.solve.closed_form cimport (
    GAIN,
    LONGEST,
    PER_C,
    TAU,
    TAU_M,
    TWO_PI,
    State,
    bare,
    current_at,
    forced,
    solve,
    threshold_at,
    threshold_now,
)
from eventsnn._core.solve.frames cimport state_of
from eventsnn._core.base.mathfunc cimport infinity, log1p
from eventsnn._core.solve.neuron cimport FOUND, MOST_VARIABLES, R, SEARCHED, THRESHOLD, Class, Model, Neuron

cdef enum:
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
    #define EVENTSNN_ALPHA_PEAK 0.3679
    """
    const double NOISE "EVENTSNN_NOISE"                       # 2^-52
    const double MARGIN "EVENTSNN_MARGIN"                     # 2^-50
    # How far below the threshold a bound aims, as a fraction of the potentials: far more than the rounding of a
    # crossing, so that none comes before its bound, and far less than what would make bounds useless.
    const double BOUND_MARGIN "EVENTSNN_BOUND_MARGIN"
    const double PEAK_TOLERANCE "EVENTSNN_PEAK_TOLERANCE"     # 2^-28
    const double ALPHA_PEAK "EVENTSNN_ALPHA_PEAK"


cdef struct Point:
    double u
    double du
    double ddu
    double third
    State state
    double x[MOST_VARIABLES]


cdef inline void point(const Class* k, const State* s, double h, Point* p) noexcept nogil:
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


cdef inline double magnitude(const Class* k, const State* s) noexcept nogil:
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


cdef inline double extreme_current(const Class* k, const State* s, double sign) noexcept nogil:
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


cdef inline double charge(const Class* k, const State* s, double sign) noexcept nogil:
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


cdef inline double highest_v(const Class* k, const State* s, double sign) noexcept nogil:
    cdef double settled
    if sign * s.slope > 0.0:
        return infinity()
    if k.model.leaks:
        settled = sign * s.drive + k.c[R] * extreme_current(k, s, sign)
        return settled if settled > sign * s.v else sign * s.v
    if sign * s.drive > 0.0:
        return infinity()
    return sign * s.v + k.c[PER_C] * charge(k, s, sign)


cdef inline bint hopeless(const Class* k, const State* s, double margin) noexcept nogil:
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


cdef inline double root(
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


cdef inline double peak(const Class* k, const State* s, double low, double high) noexcept nogil:
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


cdef inline double crossing(const Class* k, State w, double start, int8_t* certainty) noexcept nogil:
    cdef const double* c = k.c
    cdef Point points[2]
    cdef Point* here = &points[0]
    cdef Point* there = &points[1]
    cdef Point* swap
    cdef double low, high, width, scale, top
    cdef double x[MOST_VARIABLES]
    cdef State at_top
    cdef int kind, _
    certainty[0] = FOUND
    if start == 0.0 and w.v >= threshold_now(k, w.x):
        return 0.0
    if hopeless(k, &w, 0.0):
        return infinity()
    if bare(k, &w):
        return c[TAU_M] * log1p((c[THRESHOLD] - w.v) / (w.drive - c[THRESHOLD]))
    low = start
    scale = magnitude(k, &w)
    point(k, &w, low, here)
    if here.u >= 0.0:
        return low
    width = 2.0 * c[LONGEST]
    for _ in range(MOST_INTERVALS):
        if not (scale < infinity() and here.third < infinity()):
            return infinity()
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


cdef inline void steepest(const Class* k, const State* w, double* rise, double* bend) noexcept nogil:
    """How fast v can approach the threshold from now on: mV/ms, and how fast that itself can grow."""
    cdef const Model* m = k.model
    cdef const double* c = k.c
    cdef double settled = w.drive + c[R] * extreme_current(k, w, 1.0)
    cdef double value, gain, fast, slow
    cdef int i, at
    if m.leaks:
        rise[0] = (settled - w.v) / c[TAU_M]
        bend[0] = w.slope / c[TAU_M]
    else:
        rise[0] = settled
        bend[0] = w.slope
    if rise[0] < 0.0:
        rise[0] = 0.0
    if bend[0] < 0.0:
        bend[0] = 0.0
    for i in range(m.n_thresholds):
        at = threshold_at(m, i)
        value = w.x[m.n_currents + m.n_alpha + i] / c[at + TAU]
        gain = c[at + GAIN] if i < m.n_driven else 0.0
        if gain == 0.0:
            if value > 0.0:
                rise[0] = rise[0] + value
            continue
        fast = fabs(gain) * highest_v(k, w, 1.0 if gain > 0.0 else -1.0)
        slow = fabs(gain) * highest_v(k, w, -1.0 if gain > 0.0 else 1.0)
        rise[0] = rise[0] + ((value if value > fast else fast) + slow)


cdef inline double lower(double theta, double v, double drive) noexcept nogil:
    """The threshold of a bare neuron, a margin lower."""
    return theta - BOUND_MARGIN * (fabs(v) + fabs(drive) + fabs(theta))


cdef inline bint clear(const Class* k, const Neuron* s, double h) noexcept nogil:
    """Whether v surely stays below the threshold for h, found with less work than a bound."""
    cdef const Model* m = k.model
    cdef double held[MOST_VARIABLES]
    cdef State w = state_of(k, s, held)
    cdef double low, gap, rise, bend, x
    cdef double upward = 0.0
    cdef double size = 0.0
    cdef int i
    if m.leaks and m.n_thresholds == 0 and s.slope == 0.0 and s.n_sines == 0:
        # The constant threshold, and each current at the highest that it will ever be.
        for i in range(m.n_currents):
            x = w.x[i]
            if i < m.n_alpha:
                x = (x if x > 0.0 else 0.0) + ALPHA_PEAK * fabs(w.x[m.n_currents + i]) * k.c[current_at(i) + TAU]
            upward = upward + (x if x > 0.0 else 0.0)
            size = size + fabs(w.x[i]) + fabs(x)
        low = k.c[THRESHOLD] - BOUND_MARGIN * (k.c[R] * size + (fabs(w.v) + fabs(w.drive) + fabs(k.c[THRESHOLD])))
        upward = w.drive + k.c[R] * upward
        return w.v < low and (upward <= low or (upward - w.v) * h < (low - w.v) * k.c[TAU_M])
    gap = (threshold_now(k, w.x) - BOUND_MARGIN * magnitude(k, &w)) - w.v
    if not gap > 0.0:
        return False
    steepest(k, &w, &rise, &bend)
    return (rise + 0.5 * bend * h) * h < gap


cdef inline double bound(const Class* k, const Neuron* s) noexcept nogil:
    """Time to the threshold if v rose, and the threshold fell, as fast as they ever will; where the threshold is
    constant, if the current stayed at its upper bound. The threshold is taken a margin lower, so that no rounding in
    `crossing` can come before."""
    cdef const Model* m = k.model
    cdef const double* c = k.c
    cdef double held[MOST_VARIABLES]
    cdef State w = state_of(k, s, held)
    cdef double margin, gap, low, settled, rise, bend
    if bare(k, &w):
        low = lower(c[THRESHOLD], w.v, w.drive)
        if w.v >= low:
            return 0.0
        return c[TAU_M] * ((low - w.v) / (w.drive - w.v)) if w.drive > low else infinity()
    margin = BOUND_MARGIN * magnitude(k, &w)
    gap = (threshold_now(k, w.x) - margin) - w.v
    if gap <= 0.0:
        return 0.0
    if hopeless(k, &w, margin):
        return infinity()
    if m.leaks and m.n_thresholds == 0 and not w.slope > 0.0:
        settled = w.drive + c[R] * extreme_current(k, &w, 1.0)
        low = c[THRESHOLD] - margin
        return c[TAU_M] * log1p((low - w.v) / (settled - low))
    steepest(k, &w, &rise, &bend)
    if bend == 0.0:
        return gap / rise if rise > 0.0 else infinity()
    return 2.0 * gap / (rise + sqrt(rise * rise + 2.0 * bend * gap))
