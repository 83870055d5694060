"""The loops of external_input.py: streams drawn and read as the engine does it, and nothing else."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from eventsnn._core.frames cimport growth
from eventsnn._core.growth cimport draw_cell_growth, draw_cells_growth
from eventsnn._core.mathfunc cimport exp, infinity, to_bits
from eventsnn._core.philox cimport TABLED, draw_cell, lanes_at_hand, tabulate
from eventsnn._core.stream cimport (
    MOST_IN_CELL,
    POISSON,
    Source,
    Stream,
    cell_times,
    stream_ahead,
    stream_begin,
    stream_next,
    stream_skip,
)

cdef enum:
    ROOM = 16
    TOGETHER = 64
    MOST = TOGETHER * (TABLED - 2) + TABLED


cdef extern from *:
    """
    #define EVENTSNN_RATE (1.0 / 20.0)
    #define EVENTSNN_SECOND_RATE (1.0 / 5.0)
    """
    # 1/ms
    const double RATE "EVENTSNN_RATE"
    const double SECOND_RATE "EVENTSNN_SECOND_RATE"


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


def grown(int64_t n, int64_t repeats, double width, double mean, int rates, str way, int lanes=8):
    """The same with the growth of a frame's unit at every spike, for one or two rates; rates = 0 is drawing alone.

    way is "scalar", one exponential after the other, "cell", cell after cell, or "cells", many streams at once.
    Cells too full to be drawn at once are left out. All ways give the same sum.
    """
    cdef Source source
    cdef double times[MOST]
    cdef double factors[MOST]
    cdef double second[MOST]
    cdef double* seconds = second if rates == 2 else NULL
    cdef int counts[TOGETHER]
    cdef int64_t spikes = 0
    cdef uint64_t total = 0
    cdef int64_t i, cell
    cdef double start, last
    cdef bint together = way == "cells"
    cdef bint scalar = way == "scalar"
    cdef int at_once, before, k, j
    describe(&source, width, mean)
    lanes = min(lanes, lanes_at_hand())
    with nogil:
        for cell in range(repeats):
            start = <double>cell * width
            last = (start + width) * (1.0 - 1.0 / 9007199254740992.0)
            i = 0
            while i < n:
                at_once = <int>min(TOGETHER if together else 1, n - i)
                if together:
                    draw_cells_growth(
                        lanes, at_once, counts, source.key, <uint32_t>i, <uint32_t>cell, 0, 0, source.least, start,
                        width, last, times, 0.0, RATE, factors, SECOND_RATE, seconds,
                    )
                elif scalar:
                    counts[0] = draw_cell(
                        lanes, source.key, <uint32_t>i, <uint32_t>cell, 0, 0, source.least, start, width, last, times
                    )
                    if rates:
                        for k in range(counts[0]):
                            factors[k] = growth(RATE, times[k] - 0.0)
                    if rates == 2:
                        for k in range(counts[0]):
                            second[k] = growth(SECOND_RATE, times[k] - 0.0)
                else:
                    counts[0] = draw_cell_growth(
                        lanes, source.key, <uint32_t>i, <uint32_t>cell, 0, 0, source.least, start, width, last, times,
                        0.0, RATE, factors, SECOND_RATE, seconds,
                    )
                before = 0
                for j in range(at_once):
                    if 0 < counts[j] < TABLED - 1:
                        total += to_bits(times[before])
                        before += counts[j]
                        if rates:
                            total += to_bits(factors[before - 1])
                        if rates == 2:
                            total += to_bits(second[before - 1])
                spikes += before
                i += at_once
    return spikes, total


cdef class Streams:
    """A stream for each of n neurons. Each way of reading returns how many spikes it read and the sum of their bits."""

    cdef int64_t n
    cdef Source source
    cdef Stream* streams
    cdef double* trains

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
        free(self.trains)

    def give(self, double until, int64_t spikes):
        """Draw all spikes up to then, which are that many, in advance."""
        cdef double* train
        cdef Stream* s
        cdef int64_t i
        self.trains = train = <double*>calloc(spikes, sizeof(double))
        if train == NULL:
            raise MemoryError
        for i in range(self.n):
            s = &self.streams[i]
            s.train = NULL
            while s.first < until:
                train[0] = s.first
                train += 1
                stream_next(&self.source, s)
        train = self.trains
        for i in range(self.n):
            s = &self.streams[i]
            memset(s, 0, sizeof(Stream))
            s.train = train
            while train < self.trains + spikes and (s.n == 0 or train[0] >= (train - 1)[0]):
                s.n += 1
                train += 1
            s.first = s.train[0] if s.n else infinity()

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

    def in_batches(self, double window, int64_t windows):
        """The same by stream_ahead and stream_skip."""
        cdef int64_t spikes = 0
        cdef uint64_t total = 0
        cdef double times[ROOM]
        cdef int64_t w, i
        cdef int n, k
        cdef double stop
        cdef Stream* s
        with nogil:
            for w in range(windows):
                stop = <double>(w + 1) * window
                for i in range(self.n):
                    s = &self.streams[i]
                    while s.first < stop:
                        n = stream_ahead(s, stop, times, ROOM)
                        spikes += n
                        for k in range(n):
                            total += to_bits(times[k])
                        stream_skip(&self.source, s, n)
        return spikes, total
