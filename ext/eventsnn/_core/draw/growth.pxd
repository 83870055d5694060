# The growth of a frame's unit at many times, as `growth` of frames.pxd finds it for one: exp((time - origin) * rate),
# with the bits of mathfunc.pxd. growth.h explains arguments and design.

from libc.stdint cimport int64_t


cdef extern from "eventsnn/_core/draw/growth.h" nogil:
    # The factors of n times, however many.
    void grow "eventsnn_growth"(
        int lanes, int64_t n, const double* time, double origin, double rate, double* out
    ) noexcept
