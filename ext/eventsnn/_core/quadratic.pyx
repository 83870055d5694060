"""The recurrence of eventsnn/models/quadratic.py."""

from cpython.pycapsule cimport PyCapsule_New

from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.neuron cimport Class, Model, Neuron, Series
from eventsnn._core.taylor cimport complete, own, square

cdef enum:
    CURVATURE = 0   # g_L / (C_m (V_th - E_L))
    E_L = 1
    SPAN = 2        # V_th - E_L


cdef inline double curve(double x, double span) noexcept nogil:
    # A product keeps its digits near both of its zeros.
    return x * (x - span)


cdef void extend(const Class* k, Series* z, int first, int last) noexcept nogil:
    cdef const double* p = own(k)
    cdef double* v = z.y
    cdef double* x = z.aux[0]
    cdef double term
    cdef int n
    for n in range(first, last):
        x[n] = v[n] - p[E_L] if n == 0 else v[n]
        term = curve(x[0], p[SPAN]) if n == 0 else square(x, n) - p[SPAN] * x[n]
        v[n + 1] = 0.0 if z.held else (p[CURVATURE] * term + z.force[n]) / (n + 1)


cdef double climb(const Class* k, const Neuron* s, double gap) noexcept nogil:
    """dV/dt is convex in V, so that on the way up it is nowhere more than at one of the ends."""
    cdef const double* p = own(k)
    cdef double x = s.v - p[E_L]
    cdef double now = p[CURVATURE] * curve(x, p[SPAN]) + s.drive
    cdef double then = p[CURVATURE] * curve(x + gap, p[SPAN]) + s.drive
    if now <= 0.0:
        # Left of the vertex V settles; right of it a rounding error may decide where it goes.
        return infinity() if x < 0.5 * p[SPAN] else 0.0
    return gap / (now if now > then else then)


cdef Model model
model.extend = extend
model.climb = climb
complete(&model)

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
