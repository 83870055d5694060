# What connect.pyx shows to the engine.

from libc.stdint cimport int64_t

from eventsnn._core.lines cimport LineRule
from eventsnn._core.procedural cimport Recipe


cdef class Lines:
    cdef LineRule rule
    cdef readonly int64_t n_pre
    cdef readonly bint by_target     # a row does not come sorted by target
    cdef readonly bint shared        # several lines share a row
    cdef list held


cdef class Procedure:
    cdef Recipe recipe
    cdef list held
