"""The recurrence and the closed form of eventsnn/models/quadratic.py."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport fabs, sqrt
from libc.stdint cimport int8_t

from eventsnn._core.base.mathfunc cimport atan2, expm1, infinity, log1p, not_a_number, sin_turns
from eventsnn._core.solve.neuron cimport FOUND, THRESHOLD, Class, Model, Neuron, Series
from eventsnn._core.solve.steps cimport FARTHEST, own
from eventsnn._core.solve.steps cimport settle as settle_in_steps
from eventsnn._core.solve.taylor cimport complete, gap_of
from eventsnn._core.solve.taylor cimport crossing as crossing_in_step

cdef extern from *:
    """
    #define EVENTSNN_INVERSE_TURN 0.15915494309189535
    #define EVENTSNN_AT_REST 100.0
    """
    const double INVERSE_TURN "EVENTSNN_INVERSE_TURN"     # 1 / (2 pi)
    const double AT_REST "EVENTSNN_AT_REST"               # e^-100 of the way is out of sight


cdef extern from "eventsnn/_core/models/quadratic.h" nogil:
    void extend "eventsnn_one_extend"(const double* own, Series* z, int first, int last) noexcept


cdef inline bint is_constant(const Neuron* s) noexcept nogil:
    """The drive."""
    return s.slope == 0.0 and not s.n_sines


cdef inline double velocity(const double* p, double drive, double v) noexcept nogil:
    """dV/dt."""
    cdef double x = v - p[E_L]
    cdef double y = x - 0.5 * p[SPAN]
    if 2.0 * drive < p[RHEOBASE]:
        return p[CURVATURE] * (x * (x - p[SPAN])) + drive
    return p[CURVATURE] * (y * y) + (drive - p[RHEOBASE])


cdef inline double incline(const double* p, double v) noexcept nogil:
    """k y, half the derivative of dV/dt by V."""
    return p[CURVATURE] * ((v - p[E_L]) - 0.5 * p[SPAN])


cdef inline double later(const double* p, double peak, double drive, double v, double h) noexcept nogil:
    """V after h without a spike."""
    cdef double now = velocity(p, drive, v)
    cdef double a = incline(p, v)
    cdef double squared = p[CURVATURE] * (drive - p[RHEOBASE])
    cdef double rate, twice, turns, rest, part, below
    if squared < 0.0:
        rate = sqrt(-squared)
        twice = 2.0 * rate * h
        part = expm1(twice if twice < AT_REST else AT_REST)
        rest = rate - a if a <= 0.0 else -p[CURVATURE] * now / (rate + a)
        below = 2.0 * rate + rest * part
    elif squared > 0.0:
        rate = sqrt(squared)
        turns = rate * h * INVERSE_TURN
        if turns >= 0.5:
            return peak
        part = sin_turns(turns)
        below = rate * sin_turns(turns + 0.25) - a * part
    else:
        part = h
        below = 1.0 - a * h
    if below <= 0.0:
        return peak
    v = v + now * part / below
    return peak if v > peak else v


cdef inline double rise(const double* p, double peak, double drive, double v) noexcept nogil:
    """How long V takes to the peak, from below it; inf if it does not come there."""
    cdef double now = velocity(p, drive, v)
    cdef double a = incline(p, v)
    cdef double a_peak = incline(p, peak)
    cdef double gap = peak - v
    cdef double squared = p[CURVATURE] * (drive - p[RHEOBASE])
    cdef double rate, then, ratio
    if not now > 0.0:
        return infinity()
    if squared > 0.0:
        rate = sqrt(squared)
        return atan2(rate * (p[CURVATURE] * gap), a * a_peak + squared) / rate
    if squared == 0.0:
        return p[CURVATURE] * gap / (a * a_peak) if a * a_peak > 0.0 else infinity()
    rate = sqrt(-squared)
    if a > 0.0:
        ratio = (rate + a) / (now * (rate + a_peak))
    elif a_peak < 0.0:
        then = velocity(p, drive, peak)
        if not then > 0.0:
            return infinity()
        ratio = (rate - a_peak) / (then * (rate - a))
    else:
        return infinity()
    return log1p(2.0 * rate * gap * ratio) / (2.0 * rate)


cdef void settle(const Class* k, Neuron* s, double t) noexcept nogil:
    if not is_constant(s):
        settle_in_steps(k, s, t)
        return
    # V is held while the neuron is refractory.
    if s.t < s.release:
        s.t = t if t < s.release else s.release
    if s.t < t:
        s.v = later(own(k), k.c[THRESHOLD], s.drive, s.v, t - s.t)
        s.t = t


cdef double crossing(const Class* k, const Neuron* s, double start, int8_t* certainty) noexcept nogil:
    """Under a constant drive the search ends at once, so that nothing takes the state further than the last event."""
    if not is_constant(s):
        return crossing_in_step(k, s, start, certainty)
    certainty[0] = FOUND
    if s.v >= k.c[THRESHOLD]:
        return s.t
    if not fabs(s.v) <= k.c[FARTHEST]:
        return not_a_number()
    return s.t + rise(own(k), k.c[THRESHOLD], s.drive, s.v)


cdef double bound(const Class* k, const Neuron* s) noexcept nogil:
    """dV/dt is convex in V, so that on the way up it is nowhere more than at one of the ends."""
    cdef const double* p = own(k)
    cdef double gap = gap_of(k, s)
    cdef double now, then
    if not gap > 0.0 or not is_constant(s) or not fabs(s.v) <= k.c[FARTHEST]:
        return 0.0  # let `crossing` say what there is
    now = velocity(p, s.drive, s.v)
    if not now > 0.0:
        return infinity()
    if s.drive < p[RHEOBASE] and incline(p, s.v) <= 0.0 and (s.v - p[E_L]) + gap >= p[SPAN]:
        return infinity()  # V settles before the vertex
    then = velocity(p, s.drive, s.v + gap)
    return gap / (now if now > then else then) * (1.0 - 1e-12)


cdef bint clear(const Class* k, const Neuron* s, double h) noexcept nogil:
    return h < bound(k, s)


cdef Model model
model.extend = extend
complete(&model, OWN)
model.take_all = NULL
model.bound = bound
model.clear = clear
model.settle = settle
model.crossing = crossing

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
