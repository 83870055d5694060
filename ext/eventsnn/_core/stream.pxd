# External spikes of one neuron: the state of a stream, and how it comes by its next spikes. eventsnn/streams.py holds the
# Python twin; both must give the same bits.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.philox cimport poisson_cell

cdef enum:
    # Times of a Poisson cell that are kept; a fuller cell is drawn again for the rest.
    KEPT = 10


cdef struct Source:
    # What streams of one stimulus have in common.
    uint64_t key
    double weight
    double width          # ms a cell; 0 for given trains
    double mean           # spikes a cell
    double exp_minus_mean
    int32_t port


cdef struct Stream:
    # External spikes. 128 bytes, two lines of the cache: a stream is read as often as its neuron.
    double first          # next spike, ms; inf if none
    int32_t source        # its Source
    uint32_t index        # in the Source's random stream
    int32_t at            # of `first` among the spikes ahead: of `kept`, or of a given train
    int32_t n             # spikes ahead
    int64_t cell          # present cell of a Poisson process
    int64_t in_cell       # its spikes before kept[0]
    const double* train   # given spike times; NULL for a Poisson process
    double kept[KEPT]


cdef inline void refill(const Source* sources, Stream* s) noexcept nogil:
    """The next spikes of a Poisson stream, when those kept are used up."""
    cdef double time[64]  # poisson_cell never gives as many
    cdef const Source* d = &sources[s.source]
    cdef int32_t count, k
    s.in_cell += s.n
    while True:
        count = poisson_cell(d.key, s.index, s.cell, d.mean, d.exp_minus_mean, <double>s.cell * d.width, d.width, time)
        if s.in_cell < count:
            break
        s.cell += 1
        s.in_cell = 0
    s.n = min(count - <int32_t>s.in_cell, <int32_t>KEPT)
    for k in range(s.n):
        s.kept[k] = time[s.in_cell + k]
    s.at = 0
    s.first = s.kept[0]


cdef inline void stream_next(const Source* sources, Stream* s) noexcept nogil:
    s.at += 1
    if s.train != NULL:
        s.first = s.train[s.at] if s.at < s.n else infinity()
    elif s.at < s.n:
        s.first = s.kept[s.at]
    else:
        refill(sources, s)
