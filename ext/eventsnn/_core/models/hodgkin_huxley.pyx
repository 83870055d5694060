"""The kernel of eventsnn/models/hodgkin_huxley.py."""

from cpython.pycapsule cimport PyCapsule_New

from eventsnn._core.solve.neuron cimport Looks, Model, Series
from eventsnn._core.solve.taylor cimport complete


cdef extern from "eventsnn/_core/models/hodgkin_huxley.h" nogil:
    void extend "eventsnn_one_extend"(const double* own, Series* z, int first, int last) noexcept
    void look "eventsnn_look"(int lanes, Looks* e) noexcept


cdef Model model
model.extend = extend
model.look = look
complete(&model, OWN)

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
