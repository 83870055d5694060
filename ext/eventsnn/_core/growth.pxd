# Spikes of Poisson cells and what a frame's unit has grown by at each of them, as `growth` of frames.pxd finds it:
# exp((time - origin) * rate), with the bits of mathfunc.pxd. growth.h explains arguments and design.

from libc.stdint cimport int64_t, uint32_t, uint64_t


cdef extern from "eventsnn/_core/growth.h" nogil:
    # The factors of n times, however many.
    void grow "eventsnn_growth"(
        int lanes, int64_t n, const double* time, double origin, double rate, double* out
    ) noexcept
    # draw_cell, and the factors of its times; all three have room for TABLED, second_factors may be NULL.
    int draw_cell_growth "eventsnn_cell_growth"(
        int lanes, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
        const double* least, double start, double width, double last, double* times,
        double origin, double rate, double* factors, double second_rate, double* second_factors
    ) noexcept
    # The same for streams c0 to c0 + n - 1, and twice as fast; returns the number of spikes. Those of stream c0 + k,
    # counts[k], follow those of the stream before without a gap; where poisson_cell must draw them, that is TABLED - 1
    # and none are there. All three have room for 14 n + TABLED.
    int64_t draw_cells_growth "eventsnn_cells_growth"(
        int lanes, int n, int* counts, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
        const double* least, double start, double width, double last, double* times,
        double origin, double rate, double* factors, double second_rate, double* second_factors
    ) noexcept
