# Counter-based random numbers: every draw is a pure function of a 64-bit key and a 128-bit counter, so it depends on no
# order of calls, thread or restart. eventsnn/streams.py holds the Python twin; both must give the same bits.

from libc.stdint cimport int64_t, uint32_t, uint64_t


cdef inline void philox(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t* out
) noexcept nogil:
    """Philox 4x32-10 (Salmon, Moraes, Dror & Shaw, SC11, 2011): four words from a counter of four words."""
    cdef uint32_t k0 = <uint32_t>key
    cdef uint32_t k1 = <uint32_t>(key >> 32)
    cdef uint64_t product0, product1
    cdef int _step
    for _step in range(10):
        product0 = <uint64_t>0xD2511F53 * c0
        product1 = <uint64_t>0xCD9E8D57 * c2
        c0 = <uint32_t>(product1 >> 32) ^ c1 ^ k0
        c1 = <uint32_t>product1
        c2 = <uint32_t>(product0 >> 32) ^ c3 ^ k1
        c3 = <uint32_t>product0
        k0 += <uint32_t>0x9E3779B9
        k1 += <uint32_t>0xBB67AE85
    out[0] = c0
    out[1] = c1
    out[2] = c2
    out[3] = c3


cdef inline double uniform53(uint32_t high, uint32_t low) noexcept nogil:
    """Uniform in [0, 1), a multiple of 2^-53, from two words."""
    return <double>(((<uint64_t>high << 32) | low) >> 11) * (1.0 / 9007199254740992.0)


cdef inline int poisson_cell(
    uint64_t key,
    uint32_t stream,
    int64_t cell,
    double mean,
    double exp_minus_mean,
    double start,
    double width,
    uint32_t level,
    double* times,
) noexcept nogil:
    """Spike times (ms, ascending, in [start, start + width)) of one cell of a Poisson process; returns how many.

    Cells of different width in one stream are told apart by `level`, below 2^24.
    `mean` = rate * width must be below 8: the tail of the distribution then vanishes in double precision long before a
    count of 64, which is what `times` has room for. `start` must not be negative.
    """
    cdef uint32_t word[4]
    cdef uint32_t cell_low = <uint32_t>(<uint64_t>cell)
    cdef uint32_t cell_high = <uint32_t>(<uint64_t>cell >> 32)
    cdef double uniform, probability, cumulative, following, time
    cdef double end = start + width
    cdef int count = 0
    cdef int k, slot, pair

    philox(key, stream, cell_low, cell_high, level << 8, word)
    uniform = uniform53(word[0], word[1])
    probability = exp_minus_mean
    cumulative = probability
    while uniform >= cumulative:
        count += 1
        probability *= mean / count
        following = cumulative + probability
        if following == cumulative:
            break
        cumulative = following

    for k in range(count):
        pair = (k + 1) & 1
        if pair == 0:
            philox(key, stream, cell_low, cell_high, level << 8 | <uint32_t>((k + 1) >> 1), word)
        time = start + width * uniform53(word[2 * pair], word[2 * pair + 1])
        if time >= end:
            # The sum may round up to the end, which belongs to the next cell; this is the last double before it.
            time = end * (1.0 - 1.0 / 9007199254740992.0)
        slot = k
        while slot > 0 and times[slot - 1] > time:
            times[slot] = times[slot - 1]
            slot -= 1
        times[slot] = time
    return count
