"""The arithmetic of states in frames, for Python; integers.h explains it."""

from eventsnn._core.solve.frames cimport as_double, limited, wide_later, wide_nearest, wide_sum
from eventsnn._core.solve.neuron cimport Wide


cdef Wide wide(value):
    cdef Wide a
    a.low, a.high = value & 0xFFFFFFFFFFFFFFFF, value >> 64
    return a


cdef whole(Wide a):
    return (int(a.high) << 64) + int(a.low)


def nearest(double value):
    return whole(wide_nearest(value))


def later(value, double kept, double frames):
    return whole(wide_later(wide(value), kept, frames))


def double_of(value):
    return as_double(wide(value))


def total(values):
    """Their sum, no more in size than the limit."""
    cdef Wide sum = wide(0)
    cdef double rough = 0.0
    for value in values:
        sum = wide_sum(sum, wide(value))
        rough += as_double(wide(value))
    return whole(limited(sum, rough))
