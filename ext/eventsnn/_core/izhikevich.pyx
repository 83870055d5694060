"""The recurrence of eventsnn/models/izhikevich.py, and the forward steps of the published figure."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport floor

from eventsnn._core.neuron cimport ROW, Class, Model, Neuron, Series, Step
from eventsnn._core.taylor cimport complete, own, square

cdef enum:
    A = 0
    B = 1
    K_2 = 2
    K_1 = 3
    K_0 = 4
    V_U = 5
    LEAK_U = 6
    STEP = 7


cdef void extend(const Class* k, Series* z, int first, int last) noexcept nogil:
    cdef const double* p = own(k)
    cdef double* v = z.y
    cdef double* u = z.y + ROW
    cdef double rate, level
    cdef int n
    for n in range(first, last):
        rate = (p[K_2] * square(v, n) + p[K_1] * v[n] - u[n]) + z.force[n]
        level = v[n]
        if n == 0:
            rate = rate + p[K_0]
            level = level - p[V_U]
        v[n + 1] = 0.0 if z.held else rate / (n + 1)
        u[n + 1] = p[A] * (p[B] * level - p[LEAK_U] * u[n]) / (n + 1)


cdef void forward(const Class* k, const Neuron* s, Step* step, Series* z) noexcept nogil:
    """One step of the published figure, to the next multiple of its length: V, then u with the new V."""
    cdef const double* p = own(k)
    cdef double v = z.y[0]
    cdef double u = z.y[ROW]
    cdef double number
    cdef int n
    number = floor(s.t / p[STEP]) + 1.0
    while number * p[STEP] <= s.t:
        number = number + 1.0
    step.end = number * p[STEP]
    step.span = step.end - s.t
    for n in range(1, ROW):
        z.y[n] = 0.0
        z.y[ROW + n] = 0.0
    if not z.held:
        v = v + p[STEP] * (((p[K_2] * (v * v) + p[K_1] * v) + p[K_0] - u) + z.force[0])
    step.last[0] = v
    (&step.last[0])[1] = u + p[STEP] * (p[A] * (p[B] * (v - p[V_U]) - p[LEAK_U] * u))


cdef Model model
model.extend = extend
complete(&model)

cdef Model in_steps = model
in_steps.revise = forward

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
kernel_in_steps = PyCapsule_New(&in_steps, "eventsnn.Model", NULL)
