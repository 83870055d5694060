# The plastic projections of an engine, and all memory that they point into.

from libc.stdint cimport int64_t

from eventsnn._core.plasticity.plastic cimport Plastic, Traces, Train
from eventsnn._core.plasticity.program cimport Program
from eventsnn._core.run.core cimport Core
from eventsnn._core.run.net cimport Arena


cdef class Plastics:
    cdef Core* core
    cdef Arena arena
    cdef object net
    cdef dict weights             # by number of rows
    cdef list made                # addresses of all Plastic

    @staticmethod
    cdef Plastics begun(Core* core, net)
    cdef Plastic* of(self, int64_t k) except NULL
    cdef make(self, int64_t k, plan)
    cdef Program* program(self, given) except? NULL
    cdef set_traces(self, Traces* of, rate, nearest, double gain, int64_t behind)
    cdef dict read_trains(self, const Train* trains, int64_t n, const Traces* of, double now, double delay)
    cdef write_trains(self, Train* trains, int64_t n, const Traces* of, given, start, first)
    cdef pause(self, int64_t k, double t)
