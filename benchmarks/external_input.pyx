"""The loops of external_input.py: streams drawn and read as the engine does it, and nothing else."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from eventsnn._core.base.mathfunc cimport exp, to_bits
from eventsnn._core.draw.philox cimport tabulate
from eventsnn._core.draw.stream cimport (
    MOST_IN_CELL,
    POISSON,
    Source,
    Stream,
    cell_times,
    stream_begin,
    stream_next,
)

cdef void describe(Source* d, double width, double mean) noexcept:
    memset(d, 0, sizeof(Source))
    d.key = 12345
    d.kind = POISSON
    d.width = width
    d.mean = mean
    d.exp_minus_mean = exp(-mean)
    tabulate(d.mean, d.exp_minus_mean, d.least)


def cells(int64_t n, int64_t repeats, double width, double mean):
    """Draw cell after cell of n neurons; returns the number of spikes and a sum that holds the drawing to be done."""
    cdef Source source
    cdef Stream s
    cdef double times[MOST_IN_CELL]
    cdef int64_t spikes = 0
    cdef uint64_t total = 0
    cdef int64_t i, cell
    cdef int count
    describe(&source, width, mean)
    memset(&s, 0, sizeof(Stream))
    with nogil:
        for cell in range(repeats):
            for i in range(n):
                s.index = <uint32_t>i
                s.cell = cell
                count = cell_times(&source, &s, times)
                spikes += count
                if count:
                    total += to_bits(times[0])
    return spikes, total


cdef class Streams:
    """A stream for each of n neurons. Reading returns how many spikes it read and the sum of their bits."""

    cdef int64_t n
    cdef Source source
    cdef Stream* streams

    def __cinit__(self, int64_t n, double width, double mean):
        cdef int64_t i
        describe(&self.source, width, mean)
        self.n = n
        self.streams = <Stream*>calloc(n, sizeof(Stream))
        if self.streams == NULL:
            raise MemoryError
        for i in range(n):
            self.streams[i].index = <uint32_t>i
            stream_begin(&self.source, &self.streams[i])

    def __dealloc__(self):
        free(self.streams)

    def one_by_one(self, double window, int64_t windows):
        """All spikes of window after window, neuron after neuron."""
        cdef int64_t spikes = 0
        cdef uint64_t total = 0
        cdef int64_t w, i
        cdef double stop
        cdef Stream* s
        with nogil:
            for w in range(windows):
                stop = <double>(w + 1) * window
                for i in range(self.n):
                    s = &self.streams[i]
                    while s.first < stop:
                        spikes += 1
                        total += to_bits(s.first)
                        stream_next(&self.source, s)
        return spikes, total
