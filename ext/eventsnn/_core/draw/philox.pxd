# Counter-based random numbers: every draw is a pure function of a 64-bit key and a 128-bit counter, so it depends on no
# order of calls, thread or restart. eventsnn/draw/streams.py holds the Python twin; both must give the same bits.

from libc.stdint cimport int64_t, uint32_t, uint64_t

from eventsnn._core.base.mathfunc cimport infinity


cdef enum:
    AT_ONCE = 8
    # Most spikes of a cell that are drawn by draw_cell, and one.
    TABLED = 16


cdef extern from "eventsnn/_core/draw/cell.h" nogil:
    # Philox 4x32-10 (Salmon, Moraes, Dror & Shaw, SC11, 2011): four words from a counter of four words.
    void philox "eventsnn_philox"(
        uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t* out
    ) noexcept
    # A number in [0, 1), a multiple of 2^-53, from two words.
    double uniform53 "eventsnn_uniform53"(uint32_t high, uint32_t low) noexcept
    # How many blocks are best drawn side by side, the first argument of what follows.
    int lanes_at_hand "eventsnn_lanes"() noexcept
    # AT_ONCE such numbers from four blocks.
    void draw_uniforms "eventsnn_uniforms"(
        int lanes, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, double* out
    ) noexcept
    # How many spikes a cell has, and if fewer than TABLED - 1 also `times`, which must have room for TABLED.
    int draw_cell "eventsnn_cell"(
        int lanes, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
        const double* least, double start, double width, double last, double* times
    ) noexcept


cdef inline void tabulate(double mean, double exp_minus_mean, double* least) noexcept nogil:
    """The uniform number from which on there is a first, second, ... spike in a cell, as least[1], least[2], ...

    These are the cumulative probabilities of a Poisson distribution, up to where they grow no more, and then inf.
    """
    cdef double probability = exp_minus_mean
    cdef double following
    cdef int k
    least[0] = infinity()
    least[1] = probability
    for k in range(2, TABLED):
        probability *= mean / (k - 1)
        following = least[k - 1] + probability
        least[k] = following if following > least[k - 1] else infinity()


cdef inline int large_count(double uniform, double mean, double exp_minus_mean) noexcept nogil:
    """The count of a Poisson distribution by inversion, which the table has the beginning of."""
    cdef double probability = exp_minus_mean
    cdef double cumulative = probability
    cdef double following
    cdef int count = 0
    while uniform >= cumulative:
        count += 1
        probability *= mean / count
        following = cumulative + probability
        if following == cumulative:
            break
        cumulative = following
    return count


cdef inline int poisson_cell(
    uint64_t key,
    uint32_t stream,
    int64_t cell,
    double mean,
    double exp_minus_mean,
    const double* least,
    double start,
    double width,
    uint32_t level,
    double* times,
) noexcept nogil:
    """Spike times (ms, ascending, in [start, start + width)) of one cell of a Poisson process; returns how many.

    Cells of different width in one stream are told apart by `level`, below 2^24.
    `mean` = rate * width must be below 8: the tail of the distribution then vanishes in double precision long before a
    count of 64, which is what `times` has room for; what comes after the spikes is of no use. `least` is from
    `tabulate`. `start` must not be negative.
    """
    cdef uint32_t low = <uint32_t>(<uint64_t>cell)
    cdef uint32_t high = <uint32_t>(<uint64_t>cell >> 32)
    cdef double uniform[AT_ONCE]
    cdef double end = start + width
    # A sum may round up to the end, which belongs to the next cell; this is the last double before it.
    cdef double last = end * (1.0 - 1.0 / 9007199254740992.0)
    cdef double time
    cdef int lanes = lanes_at_hand()
    cdef int drawn = 0
    cdef int count, k, slot

    count = draw_cell(lanes, key, stream, low, high, level << 8, least, start, width, last, times)
    if count < TABLED - 1:
        return count
    draw_uniforms(lanes, key, stream, low, high, level << 8, uniform)
    count = large_count(uniform[0], mean, exp_minus_mean)
    for k in range(count):
        if (k + 1) % AT_ONCE == 0:
            drawn += AT_ONCE
            draw_uniforms(lanes, key, stream, low, high, level << 8 | <uint32_t>(drawn >> 1), uniform)
        time = start + width * uniform[(k + 1) % AT_ONCE]
        time = time if time < last else last
        slot = k
        while slot > 0 and times[slot - 1] > time:
            times[slot] = times[slot - 1]
            slot -= 1
        times[slot] = time
    return count
