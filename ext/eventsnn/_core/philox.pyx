"""Philox 4x32-10 and the samplers that draw element i from nothing but a key and i.

Element i has the substream of counters (low word of i, high word of i, attempt, 0).
"""

import numpy as np

from libc.math cimport sqrt
from libc.stdint cimport int64_t, uint32_t, uint64_t

from eventsnn._core.mathfunc cimport exp, log

from eventsnn.errors import InputError

cdef enum:
    MOST_ATTEMPTS = 10000


def philox4x32(uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3):
    cdef uint32_t word[4]
    philox(key, c0, c1, c2, c3, word)
    return word[0], word[1], word[2], word[3]


def most_lanes():
    return lanes_at_hand()


def eight_uniforms(int lanes, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3):
    cdef double number[AT_ONCE]
    draw_uniforms(min(lanes, lanes_at_hand()), key, c0, c1, c2, c3, number)
    return [number[k] for k in range(AT_ONCE)]


def cell_at_once(
    int lanes, uint64_t key, uint32_t stream, double mean, double exp_minus_mean, double start, double end
):
    cdef double times[TABLED]
    cdef double least[TABLED]
    cdef double last = np.nextafter(end, start)
    cdef int count
    tabulate(mean, exp_minus_mean, least)
    lanes = min(lanes, lanes_at_hand())
    count = draw_cell(lanes, key, stream, 0, 0, 0, least, start, end - start, last, times)
    return [times[k] for k in range(count)] if count < TABLED - 1 else None


def poisson_cell_times(
    uint64_t key,
    uint32_t stream,
    int64_t cell,
    double mean,
    double exp_minus_mean,
    double start,
    double width,
    uint32_t level=0,
):
    cdef double times[64]
    cdef double least[TABLED]
    cdef int count
    if not 0.0 <= mean < 8.0:
        raise InputError(f"poisson_cell_times: mean = {mean} is not in [0, 8)")
    tabulate(mean, exp_minus_mean, least)
    count = poisson_cell(key, stream, cell, mean, exp_minus_mean, least, start, width, level, times)
    return [times[k] for k in range(count)]


def uniform(uint64_t key, const uint64_t[::1] index):
    cdef Py_ssize_t n = index.shape[0]
    cdef double[::1] value = np.empty(n)
    cdef uint32_t word[4]
    cdef Py_ssize_t i
    with nogil:
        for i in range(n):
            philox(key, <uint32_t>index[i], <uint32_t>(index[i] >> 32), 0, 0, word)
            value[i] = uniform53(word[0], word[1])
    return np.asarray(value)


cdef inline bint draw_normal(
    uint64_t key, uint64_t index, double mean, double std, double low, double high, double* value
) noexcept nogil:
    """One normal value in [low, high] by the polar method (Marsaglia & Bray, 1964); false if it is never hit."""
    cdef uint32_t word[4]
    cdef double x, y, square
    cdef int attempt
    for attempt in range(MOST_ATTEMPTS):
        philox(key, <uint32_t>index, <uint32_t>(index >> 32), <uint32_t>attempt, 0, word)
        x = 2.0 * uniform53(word[0], word[1]) - 1.0
        y = 2.0 * uniform53(word[2], word[3]) - 1.0
        square = x * x + y * y
        if square >= 1.0 or square == 0.0:
            continue
        value[0] = mean + std * (x * sqrt(-2.0 * log(square) / square))
        if low <= value[0] <= high:
            return True
    return False


def normal(uint64_t key, const uint64_t[::1] index, double mean, double std, double low, double high):
    cdef Py_ssize_t n = index.shape[0]
    cdef double[::1] value = np.empty(n)
    cdef Py_ssize_t i = 0
    with nogil:
        while i < n and draw_normal(key, index[i], mean, std, low, high, &value[i]):
            i += 1
    if i < n:
        raise InputError(
            f"Normal: mean = {mean} and std = {std} practically never give a value in [low, high] = [{low}, {high}] "
            f"({MOST_ATTEMPTS} attempts failed); widen the interval or use outside='clip'"
        )
    return np.asarray(value)


def exponential(uint64_t key, const uint64_t[::1] index, double mean):
    cdef double[::1] value = uniform(key, index)
    cdef Py_ssize_t i
    with nogil:
        for i in range(value.shape[0]):
            value[i] = mean * -log(1.0 - value[i])
    return np.asarray(value)


def lognormal(uint64_t key, const uint64_t[::1] index, double mu, double sigma):
    cdef double[::1] value = normal(key, index, mu, sigma, -np.inf, np.inf)
    cdef Py_ssize_t i
    with nogil:
        for i in range(value.shape[0]):
            value[i] = exp(value[i])
    return np.asarray(value)
