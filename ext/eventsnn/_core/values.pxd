# Values drawn from a distribution, or given, by number: value i follows from the key and i alone.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from eventsnn._core.mathfunc cimport exp, infinity, log
from eventsnn._core.philox cimport uniform53

cdef extern from "eventsnn/_core/normals.h" nogil:
    enum:
        AT_A_TIME "EVENTSNN_AT_A_TIME"
    ctypedef struct Normal "eventsnn_normal":
        double mean
        double std
        double low
        double high
        double grid
        double least
        double most
    ctypedef struct Found "eventsnn_found":
        uint8_t failed
        uint8_t outside
    int lowest_bit "eventsnn_lowest_bit"(uint64_t word) noexcept
    # Four words of the blocks (index, attempt); there is room for AT_A_TIME more.
    void words_of "eventsnn_words"(
        int lanes, uint64_t key, int64_t n, const uint64_t* index, uint32_t attempt, uint32_t* w0, uint32_t* w1,
        uint32_t* w2, uint32_t* w3
    ) noexcept
    # Values in [least, most] from them, with room for AT_A_TIME more, and what is wrong with each eight.
    void normals "eventsnn_normals"(
        int lanes, const Normal* v, int64_t n, const uint32_t* w0, const uint32_t* w1, const uint32_t* w2,
        const uint32_t* w3, double* out, Found* found
    ) noexcept

cdef enum:
    GIVEN = 0
    UNIFORM = 1
    NORMAL = 2
    LOGNORMAL = 3
    EXPONENTIAL = 4

cdef enum:
    CHUNK = 256    # values drawn at a time
    EIGHTS = 32    # of them
    ATTEMPTS = 10000


cdef struct Values:
    # first and second: UNIFORM low and high - low, NORMAL mean and standard deviation, LOGNORMAL mu and sigma,
    # EXPONENTIAL mean. Normal values outside [low, high] are drawn again or refused, then rounded to the grid if it is
    # not 0; all are then put into [least, most].
    int kind
    uint64_t key
    double first
    double second
    double low
    double high
    double grid
    double least
    double most
    bint refuses
    int lanes                 # numbers drawn side by side
    const double* given


cdef class Law:
    cdef Values values


cdef inline void draw_uniform(int lanes, uint64_t key, const uint64_t* index, int64_t n, double* out) noexcept nogil:
    """A uniform number in [0, 1) for each of at most CHUNK indices."""
    cdef uint32_t high[CHUNK + AT_A_TIME]
    cdef uint32_t low[CHUNK + AT_A_TIME]
    cdef uint32_t unused[CHUNK + AT_A_TIME]
    cdef int64_t k
    words_of(lanes, key, n, index, 0, high, low, unused, unused)
    for k in range(n):
        out[k] = uniform53(high[k], low[k])


cdef inline int64_t draw_normal(const Values* v, const uint64_t* index, int64_t n, double* out) noexcept nogil:
    """At most CHUNK values; how many never fall into [low, high].

    All are tried at once, and once more those that failed: a loop for each would be mispredicted at every fifth.
    """
    cdef uint32_t w0[CHUNK + AT_A_TIME]
    cdef uint32_t w1[CHUNK + AT_A_TIME]
    cdef uint32_t w2[CHUNK + AT_A_TIME]
    cdef uint32_t w3[CHUNK + AT_A_TIME]
    cdef double value[CHUNK + AT_A_TIME]
    cdef Found found[EIGHTS + AT_A_TIME]
    cdef uint64_t left[CHUNK]
    cdef int32_t place[CHUNK]
    cdef int32_t again[CHUNK]
    cdef int lanes = v.lanes
    cdef Normal normal
    cdef int64_t k, failed
    cdef int64_t refused = 0
    cdef uint32_t attempt = 1
    normal.mean, normal.std, normal.low, normal.high = v.first, v.second, v.low, v.high
    normal.grid, normal.least, normal.most = v.grid, v.least, v.most
    if v.kind == LOGNORMAL:
        normal.grid, normal.least, normal.most = 0.0, -infinity(), infinity()
    words_of(lanes, v.key, n, index, 0, w0, w1, w2, w3)
    normals(lanes, &normal, n, w0, w1, w2, w3, out, found)
    n = left_over(found, n, v.refuses, &refused, place)
    for k in range(n):
        left[k] = index[place[k]]
    while n > 0 and attempt < ATTEMPTS:
        words_of(lanes, v.key, n, left, attempt, w0, w1, w2, w3)
        normals(lanes, &normal, n, w0, w1, w2, w3, value, found)
        for k in range(n):
            out[place[k]] = value[k]
        failed = left_over(found, n, v.refuses, &refused, again)
        for k in range(failed):
            left[k] = left[again[k]]
            place[k] = place[again[k]]
        n = failed
        attempt += 1
    return n + refused


cdef inline int64_t left_over(
    const Found* found, int64_t n, bint refuses, int64_t* refused, int32_t* place
) noexcept nogil:
    """Which of n values are to be drawn once more, ascending; how many. Others are refused, if any is."""
    cdef int64_t at = 0
    cdef int64_t k
    cdef uint32_t some, outside
    for k in range((n + 7) // 8):
        outside = found[k].outside
        some = found[k].failed | (0 if refuses else outside)
        if n - 8 * k < 8:
            some &= (<uint32_t>1 << (n - 8 * k)) - 1
            outside &= (<uint32_t>1 << (n - 8 * k)) - 1
        while refuses and outside:
            outside &= outside - 1
            refused[0] += 1
        while some:
            place[at] = <int32_t>(8 * k + lowest_bit(some))
            some &= some - 1
            at += 1
    return at


cdef inline int64_t draw_chunk(const Values* v, const uint64_t* index, int64_t n, double* out) noexcept nogil:
    """At most CHUNK values, with room for AT_A_TIME more; how many could not be drawn."""
    cdef int64_t failed = 0
    cdef int64_t k
    if v.kind == GIVEN:
        for k in range(n):
            out[k] = v.given[index[k]]
        return 0
    if v.kind == UNIFORM:
        draw_uniform(v.lanes, v.key, index, n, out)
        for k in range(n):
            out[k] = v.first + v.second * out[k]
    elif v.kind == EXPONENTIAL:
        draw_uniform(v.lanes, v.key, index, n, out)
        for k in range(n):
            out[k] = v.first * -log(1.0 - out[k])
    else:
        failed = draw_normal(v, index, n, out)
        if v.kind == NORMAL:
            return failed
        for k in range(n):
            out[k] = exp(out[k])
    for k in range(n):
        out[k] = v.least if out[k] < v.least else v.most if out[k] > v.most else out[k]
    return failed
