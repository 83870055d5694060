"""The generator Philox 4x32-10 and the spikes of a cell, for Python."""

import numpy as np

from libc.stdint cimport int64_t, uint32_t, uint64_t

from eventsnn.base.errors import InputError


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
