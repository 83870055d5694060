"""The kernel of eventsnn/models/izhikevich.py, and the forward steps of the published figure."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport floor

from eventsnn._core.solve.neuron cimport ROW, Class, Looks, Model, Neuron, Series, Step
from eventsnn._core.solve.steps cimport own
from eventsnn._core.solve.taylor cimport complete

cdef extern from "eventsnn/_core/models/izhikevich.h" nogil:
    void extend "eventsnn_one_extend"(const double* own, Series* z, int first, int last) noexcept
    void look "eventsnn_look"(int lanes, Looks* e) noexcept


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
model.look = look
complete(&model, OWN)

cdef Model in_steps = model
in_steps.take_all = NULL
in_steps.revise = forward

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
kernel_in_steps = PyCapsule_New(&in_steps, "eventsnn.Model", NULL)
