"""Equations of eventsnn.models.LIFDelta."""

from cpython.pycapsule cimport PyCapsule_New

from libc.math cimport fabs

from eventsnn._core.mathfunc cimport expm1, infinity, log1p
from eventsnn._core.neuron cimport BOUND_MARGIN, C_THRESHOLD, Model, Neuron

cdef enum:
    TAU_M = 5


cdef void flow(const double* c, Neuron* s, double h) noexcept nogil:
    s.v = s.v + (s.drive - s.v) * -expm1(-h / c[TAU_M])


cdef void hold(const double* c, Neuron* s, double h) noexcept nogil:
    pass


cdef double crossing(const double* c, const Neuron* s) noexcept nogil:
    if s.v >= c[C_THRESHOLD]:
        return 0.0
    if s.drive <= c[C_THRESHOLD]:
        return infinity()
    return c[TAU_M] * log1p((c[C_THRESHOLD] - s.v) / (s.drive - c[C_THRESHOLD]))


cdef double bound(const double* c, const Neuron* s) noexcept nogil:
    """Time to the threshold at the present slope, which only falls: a division in place of the logarithm."""
    cdef double low = c[C_THRESHOLD] - BOUND_MARGIN * (fabs(s.v) + fabs(s.drive) + fabs(c[C_THRESHOLD]))
    if s.v >= low:
        return 0.0
    if s.drive <= low:
        return infinity()
    return c[TAU_M] * ((low - s.v) / (s.drive - s.v))


cdef void receive(Neuron* s, const double* weights) noexcept nogil:
    s.v = s.v + weights[0]


cdef Model model
model.ports = 1
model.instantaneous = 1
model.flow = flow
model.hold = hold
model.crossing = crossing
model.bound = bound
model.receive = receive

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
