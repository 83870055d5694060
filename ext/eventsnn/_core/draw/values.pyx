"""Samplers of the distributions: eventsnn/draw/distributions.py says what each draws."""

import numpy as np

from libc.stdint cimport int64_t, uint64_t

from eventsnn._core.draw.philox cimport lanes_at_hand

MOST_ATTEMPTS = ATTEMPTS
KINDS = {"given": GIVEN, "uniform": UNIFORM, "normal": NORMAL, "lognormal": LOGNORMAL, "exponential": EXPONENTIAL}


cdef class Law:
    """A distribution as the kernels see it; the struct Values says what the numbers are."""

    def __init__(
        self, str kind, double first, double second=0.0, double low=-np.inf, double high=np.inf, double grid=0.0,
        double least=-np.inf, double most=np.inf, bint refuses=False, int lanes=0,
    ):
        cdef Values* v = &self.values
        v.kind, v.first, v.second = KINDS[kind], first, second
        v.low, v.high, v.grid, v.least, v.most, v.refuses = low, high, grid, least, most, refuses
        v.lanes = lanes or lanes_at_hand()

    def sample(self, uint64_t key, const uint64_t[::1] index):
        """The values of these numbers, and how many could not be drawn."""
        cdef int64_t n = index.shape[0]
        cdef double[::1] value = np.empty(n + AT_A_TIME)
        cdef Values v = self.values
        cdef int64_t failed = 0
        cdef int64_t at = 0
        v.key = key
        with nogil:
            while at < n and (failed == 0 or v.refuses):
                failed += draw_chunk(&v, &index[at], min(<int64_t>CHUNK, n - at), &value[at])
                at += CHUNK
        return np.asarray(value)[:n].copy(), failed
