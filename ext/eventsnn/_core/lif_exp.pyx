"""Equations of eventsnn.models.LIFExp; eventsnn/models/lif_exp.py explains them, function by function."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport fabs

from eventsnn._core.mathfunc cimport exp, expm1, infinity, log, log1p
from eventsnn._core.neuron cimport BOUND_MARGIN, C_R, C_THRESHOLD, Model, Neuron

cdef enum:
    TAU_M = 5
    TAU = 6         # of port "ex"; those of port "in" follow PORT_CONSTANTS later
    SLOW = 7
    DIFFERENCE = 8
    FACTOR = 9
    PORT_CONSTANTS = 4
    TAU_EX = 6
    TAU_IN = 10
    MAX_ITERATIONS = 200

cdef double NOISE = 1.0 / 4503599627370496.0       # 2^-52
cdef double PEAK_TOLERANCE = 1.0 / 268435456.0     # 2^-28


cdef inline double positive(double x) noexcept nogil:
    return x if x > 0.0 else 0.0


cdef inline double response(const double* c, int port, double h) noexcept nogil:
    cdef const double* p = c + PORT_CONSTANTS * port
    if p[DIFFERENCE] == 0.0:
        return exp(-h / p[SLOW]) * (h / p[TAU])
    return exp(-h / p[SLOW]) * (-expm1(-h * p[DIFFERENCE]) * p[FACTOR])


cdef inline double potential(const double* c, const Neuron* s, double h) noexcept nogil:
    cdef double synaptic = 0.0
    cdef int port
    for port in range(2):
        if s.current[port] != 0.0:
            synaptic = synaptic + s.current[port] * response(c, port, h)
    return s.v + ((s.drive - s.v) * -expm1(-h / c[TAU_M]) + c[C_R] * synaptic)


cdef inline double slope(const double* c, const Neuron* s, double v, double ex, double in_) noexcept nogil:
    return (s.drive - v) + c[C_R] * (ex + in_)


cdef inline double slope_at(const double* c, const Neuron* s, double h) noexcept nogil:
    return slope(c, s, potential(c, s, h), current_at(c, s, 0, h), current_at(c, s, 1, h))


cdef inline double current_at(const double* c, const Neuron* s, int port, double h) noexcept nogil:
    return s.current[port] * exp(-h / c[TAU + PORT_CONSTANTS * port])


cdef void flow(const double* c, Neuron* s, double h) noexcept nogil:
    s.v = potential(c, s, h)
    hold(c, s, h)


cdef void hold(const double* c, Neuron* s, double h) noexcept nogil:
    cdef int port
    for port in range(2):
        if s.current[port] != 0.0:
            s.current[port] = current_at(c, s, port, h)


cdef void receive(Neuron* s, const double* weights) noexcept nogil:
    s.current[0] = s.current[0] + weights[0]
    s.current[1] = s.current[1] + weights[1]


cdef double crossing(const double* c, const Neuron* s) noexcept nogil:
    cdef double split, h
    if s.v >= c[C_THRESHOLD]:
        return 0.0
    if s.drive + c[C_R] * (positive(s.current[0]) + positive(s.current[1])) <= c[C_THRESHOLD]:
        return infinity()
    split = turning_point(c, s)
    if split > 0.0:
        h = search(c, s, 0.0, split)
        if h < infinity():
            return h
    return search(c, s, split, infinity())


cdef double bound(const double* c, const Neuron* s) noexcept nogil:
    """Time to the threshold if the synaptic current stayed at an upper bound of all that it will be. If inhibition
    outlives excitation, their sum only falls towards 0 or below; else excitation alone bounds it. The threshold is
    taken a margin lower, so that no rounding in `crossing` can come before."""
    cdef double ex = positive(s.current[0])
    cdef double in_ = positive(s.current[1])
    cdef double highest = c[C_R] * (ex + in_)
    cdef double low = c[C_THRESHOLD] - BOUND_MARGIN * (fabs(s.v) + fabs(s.drive) + fabs(c[C_THRESHOLD]) + highest)
    if s.current[0] > 0.0 > s.current[1] and c[TAU_IN] >= c[TAU_EX]:
        highest = c[C_R] * positive(s.current[0] + s.current[1])
    if s.v >= low:
        return 0.0
    if s.drive + highest <= low:
        return infinity()
    return c[TAU_M] * log1p((low - s.v) / (s.drive + highest - low))


cdef double turning_point(const double* c, const Neuron* s) noexcept nogil:
    cdef double ex = s.current[0]
    cdef double in_ = s.current[1]
    cdef double split
    if c[TAU_EX] == c[TAU_IN] or not ex * in_ < 0.0:
        return 0.0
    split = log(-(ex / c[TAU_EX]) / (in_ / c[TAU_IN])) * (c[TAU_EX] * c[TAU_IN] / (c[TAU_IN] - c[TAU_EX]))
    return split if 0.0 < split < infinity() else 0.0


cdef double search(const double* c, const Neuron* s, double low, double end) noexcept nogil:
    cdef bint certain = end == infinity() and s.drive > c[C_THRESHOLD]
    cdef bint rising = slope_at(c, s, low) > 0.0
    cdef double width = c[TAU_M]
    cdef double high, top, ex, in_
    if end == infinity() and not certain and not rising:
        return infinity()
    while True:
        high = min(low + width, end)
        if high == infinity():
            return infinity()
        if potential(c, s, high) >= c[C_THRESHOLD]:
            return root(c, s, low, high)
        if rising and slope_at(c, s, high) < 0.0:
            top = peak(c, s, low, high)
            return root(c, s, low, top) if potential(c, s, top) >= c[C_THRESHOLD] else infinity()
        if high == end:
            return infinity()
        ex = current_at(c, s, 0, high)
        in_ = current_at(c, s, 1, high)
        if s.drive + c[C_R] * (positive(ex) + positive(in_)) <= c[C_THRESHOLD]:
            return infinity()
        width = 2.0 * width


cdef double root(const double* c, const Neuron* s, double low, double high) noexcept nogil:
    cdef double noise = NOISE * (fabs(s.v) + fabs(s.drive) + fabs(c[C_THRESHOLD]))
    cdef double h = low
    cdef double v, f, derivative, new
    cdef int _
    for _ in range(MAX_ITERATIONS):
        v = potential(c, s, h)
        f = v - c[C_THRESHOLD]
        if f >= 0.0:
            high = h
        else:
            low = h
        derivative = slope(c, s, v, current_at(c, s, 0, h), current_at(c, s, 1, h)) / c[TAU_M]
        new = h - f / derivative if derivative > 0.0 else -1.0
        if fabs(f) <= noise:
            return new if low <= new <= high else h
        if not low < new < high:
            new = low + 0.5 * (high - low)
            if new == low or new == high:
                return high
        if fabs(new - h) <= NOISE * new:
            return new
        h = new
    return high


cdef double peak(const double* c, const Neuron* s, double low, double high) noexcept nogil:
    cdef double tolerance = PEAK_TOLERANCE * min(c[TAU_M], c[TAU_EX], c[TAU_IN])
    cdef double h = low + 0.5 * (high - low)
    cdef double f, derivative, new, ex, in_
    cdef int _
    for _ in range(MAX_ITERATIONS):
        ex = current_at(c, s, 0, h)
        in_ = current_at(c, s, 1, h)
        f = slope(c, s, potential(c, s, h), ex, in_)
        if f > 0.0:
            low = h
        else:
            high = h
        derivative = -f / c[TAU_M] - c[C_R] * (ex / c[TAU_EX] + in_ / c[TAU_IN])
        new = h - f / derivative if derivative < 0.0 else -1.0
        if not low < new < high:
            new = low + 0.5 * (high - low)
            if new == low or new == high:
                return new
        if fabs(new - h) <= tolerance:
            return new
        h = new
    return h


cdef Model model
model.ports = 2
model.instantaneous = 0
model.flow = flow
model.hold = hold
model.crossing = crossing
model.bound = bound
model.receive = receive

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
