# The classes of connect.pyx that the engine uses.

from libc.stdint cimport int64_t, uint64_t

from eventsnn._core.synapses.lines cimport LineRule
from eventsnn._core.synapses.procedural cimport Recipe
from eventsnn._core.synapses.rows cimport Part, Table
from eventsnn._core.draw.values cimport Values


cdef class Lines:
    cdef LineRule rule
    cdef readonly int64_t n_pre
    cdef readonly bint by_target     # a row does not come sorted by target
    cdef readonly bint shared        # several lines share a row
    cdef list held


cdef class Few:
    cdef readonly object values
    cdef Table table
    cdef object number

    cdef prepare(self, const double[::1] values)


cdef class Share:
    cdef Part part
    cdef readonly Lines lines
    cdef list held

    cdef prepare(self, Values* values, source, uint64_t key)


cdef class Procedure:
    cdef Recipe recipe
    cdef list held
