# The external input of a block of many neurons, summed for each; external.h explains it.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef extern from "eventsnn/_core/run/calm/external.h":
    enum:
        PARTS "EVENTSNN_PARTS"
    ctypedef struct Cells "eventsnn_cells":
        uint64_t key
        uint32_t c0
        uint32_t c1
        uint32_t c2
        const double* least
        double start
        double width
        double last
        double edge[5]
        int parts
        int whole
        int current
        double weight
        double scale
        double origin
        double rate
        double x_scale
        double x_origin
        double x_rate
        int64_t stride
        int64_t* u
        int64_t* x
        int64_t spikes[4]

cdef extern from "eventsnn/_core/run/calm/external.h" nogil:
    int draw_sums "eventsnn_draw_sums"(int lanes, Cells* p, int64_t n, int32_t* full) noexcept
    void sum_spikes "eventsnn_sum_spikes"(
        Cells* p, int64_t i, int64_t n, const double* time, const double* factor, const double* x_factor
    ) noexcept
