# A Net (eventsnn/compile/layout.py) as the kernels see it; it never changes.

from libc.stdint cimport int64_t

from eventsnn._core.run.core cimport Core


cdef class Arena:
    cdef list held
    cdef void* hold(self, array, dtype) except? NULL
    cdef void* allocate(self, int64_t n, size_t size) except? NULL


cdef set_net(Core* e, net, Arena arena)
cdef set_rows(Core* e, rows, Arena arena)
cdef set_groups(Core* e, net, found, Arena arena)
