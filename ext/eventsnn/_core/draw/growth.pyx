"""The growth of frames' units at many times, for Python; growth.h explains it."""

import numpy as np

from libc.stdint cimport int64_t

from eventsnn._core.draw.philox cimport lanes_at_hand


def growth(int lanes, const double[::1] times, int64_t n, double origin, double rate):
    out = np.full(times.shape[0], -1.0)
    cdef double[::1] view = out
    grow(min(lanes, lanes_at_hand()), n, &times[0], origin, rate, &view[0])
    return out
