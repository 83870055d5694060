"""The growth of frames' units at the spikes of cells, for Python; growth.h explains it."""

import numpy as np

from libc.stdint cimport int64_t, uint32_t, uint64_t

from eventsnn._core.philox cimport TABLED, lanes_at_hand, tabulate


def growth(int lanes, const double[::1] times, int64_t n, double origin, double rate):
    out = np.full(times.shape[0], -1.0)
    cdef double[::1] view = out
    grow(min(lanes, lanes_at_hand()), n, &times[0], origin, rate, &view[0])
    return out


def cells(
    int lanes,
    bint together,
    int n,
    uint64_t key,
    uint32_t stream,
    double mean,
    double exp_minus_mean,
    double start,
    double end,
    double origin,
    double rate,
    second_rate,
):
    cdef double least[TABLED]
    cdef double last = np.nextafter(end, start)
    cdef double[:, ::1] room = np.empty((3, (TABLED - 2) * n + TABLED))
    cdef int[::1] counts = np.empty(n, dtype=np.intc)
    cdef double* second = NULL if second_rate is None else &room[2, 0]
    cdef double other = 0.0 if second_rate is None else second_rate
    cdef int64_t spikes = 0
    cdef int k
    tabulate(mean, exp_minus_mean, least)
    lanes = min(lanes, lanes_at_hand())
    if together:
        spikes = draw_cells_growth(
            lanes, n, &counts[0], key, stream, 0, 0, 0, least, start, end - start, last,
            &room[0, 0], origin, rate, &room[1, 0], other, second,
        )
    else:
        for k in range(n):
            counts[k] = draw_cell_growth(
                lanes, key, stream + <uint32_t>k, 0, 0, 0, least, start, end - start, last,
                &room[0, spikes], origin, rate, &room[1, spikes], other,
                NULL if second == NULL else second + spikes,
            )
            spikes += counts[k] if counts[k] < TABLED - 1 else 0
    found = np.asarray(room)[:, :spikes]
    return np.asarray(counts), found[0], found[1], None if second == NULL else found[2]
