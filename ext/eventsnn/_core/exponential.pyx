"""The kernel of eventsnn/models/exponential.py, of the neurons with and without adaptation."""

from cpython.pycapsule cimport PyCapsule_New

from eventsnn._core.neuron cimport Looks, Model, Series
from eventsnn._core.taylor cimport complete


cdef extern from "eventsnn/_core/exponential.h" nogil:
    void extend "eventsnn_one_extend"(const double* own, Series* z, int first, int last) noexcept
    void look "eventsnn_look"(int lanes, Looks* e) noexcept


cdef Model model
model.extend = extend
model.look = look
complete(&model, 12)

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
