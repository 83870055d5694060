# Values drawn from a distribution, or given, by number: value i follows from the key and i alone.

from libc.math cimport rint, sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from eventsnn._core.mathfunc cimport exp, log, log_of_normal

cdef enum:
    GIVEN = 0
    UNIFORM = 1
    NORMAL = 2
    LOGNORMAL = 3
    EXPONENTIAL = 4

cdef enum:
    CHUNK = 256    # values drawn at a time
    LANES = 32
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
    const double* given


cdef class Law:
    cdef Values values


cdef inline double in_two_parts(uint32_t high, uint32_t low) noexcept nogil:
    """`uniform53` from two numbers below 2^31, which the vector units of all processors convert."""
    cdef double upper = <double><int32_t>(high >> 6)
    cdef double lower = <double><int32_t>((high & 63) << 21 | low >> 11)
    return (upper * 134217728.0 + lower) * (1.0 / 9007199254740992.0)


cdef inline void draw_words(
    uint64_t key, const uint64_t* index, int64_t n, uint32_t attempt, double* x, double* y
) noexcept nogil:
    """Two uniform numbers in [0, 1) for each index, from the counter (index, attempt): `philox`, LANES at a time.

    Compilers vectorise loops of a known length, so what is behind the last index is drawn as well and not used.
    """
    cdef uint32_t c0[LANES]
    cdef uint32_t c1[LANES]
    cdef uint32_t c2[LANES]
    cdef uint32_t c3[LANES]
    cdef uint32_t k0, k1, even, odd
    cdef uint64_t product0, product1
    cdef int64_t k, lanes
    cdef int64_t at = 0
    cdef int _step
    while at < n:
        lanes = min(<int64_t>LANES, n - at)
        for k in range(LANES):
            c0[k] = c1[k] = c3[k] = 0
            c2[k] = attempt
        for k in range(lanes):
            c0[k] = <uint32_t>index[at + k]
            c1[k] = <uint32_t>(index[at + k] >> 32)
        k0, k1 = <uint32_t>key, <uint32_t>(key >> 32)
        for _step in range(10):
            for k in range(LANES):
                product0 = <uint64_t>0xD2511F53 * c0[k]
                product1 = <uint64_t>0xCD9E8D57 * c2[k]
                even = <uint32_t>(product1 >> 32) ^ c1[k] ^ k0
                odd = <uint32_t>(product0 >> 32) ^ c3[k] ^ k1
                c1[k] = <uint32_t>product1
                c3[k] = <uint32_t>product0
                c0[k] = even
                c2[k] = odd
            k0 += <uint32_t>0x9E3779B9
            k1 += <uint32_t>0xBB67AE85
        for k in range(lanes):
            x[at + k] = in_two_parts(c0[k], c1[k])
            y[at + k] = in_two_parts(c2[k], c3[k])
        at += LANES


cdef inline int64_t draw_normal(const Values* v, const uint64_t* index, int64_t n, double* out) noexcept nogil:
    """At most CHUNK values by the polar method (Marsaglia & Bray, 1964); how many never fall into [low, high].

    All are tried at once, and once more those that failed: a loop for each would be mispredicted at every fifth.
    """
    cdef uint64_t left[CHUNK]
    cdef int64_t place[CHUNK]
    cdef int64_t taken[CHUNK]
    cdef double x[CHUNK]
    cdef double square[CHUNK]
    cdef double logarithm[CHUNK]
    cdef double y, value
    cdef int64_t k, at, accepted, failed
    cdef int64_t refused = 0
    cdef uint32_t attempt = 0
    cdef bint inside
    for k in range(n):
        left[k] = index[k]
        place[k] = k
    while n > 0 and attempt < ATTEMPTS:
        draw_words(v.key, left, n, attempt, x, square)
        accepted = failed = 0
        for k in range(n):
            x[accepted] = 2.0 * x[k] - 1.0
            y = 2.0 * square[k] - 1.0
            square[accepted] = x[accepted] * x[accepted] + y * y
            taken[accepted] = place[k]
            left[failed] = left[k]
            place[failed] = place[k]
            inside = 0.0 < square[accepted] < 1.0
            accepted += inside
            failed += not inside
        for k in range(accepted):
            logarithm[k] = log_of_normal(square[k], 0.0, 0.0)
        for k in range(accepted):
            at = taken[k]
            value = v.first + v.second * (x[k] * sqrt(-2.0 * logarithm[k] / square[k]))
            inside = v.low <= value <= v.high
            out[at] = value
            place[failed] = at
            left[failed] = index[at]
            failed += not (inside or v.refuses)
            refused += v.refuses and not inside
        n = failed
        attempt += 1
    return n + refused


cdef inline double on_grid(double value, double grid) noexcept nogil:
    """The nearest multiple; 0, not -0."""
    return grid * rint(value / grid) + 0.0


cdef inline int64_t draw_chunk(const Values* v, const uint64_t* index, int64_t n, double* out) noexcept nogil:
    """At most CHUNK values; how many could not be drawn."""
    cdef double unused[CHUNK]
    cdef int64_t failed = 0
    cdef int64_t k
    if v.kind == GIVEN:
        for k in range(n):
            out[k] = v.given[index[k]]
        return 0
    if v.kind == UNIFORM:
        draw_words(v.key, index, n, 0, out, unused)
        for k in range(n):
            out[k] = v.first + v.second * out[k]
    elif v.kind == EXPONENTIAL:
        draw_words(v.key, index, n, 0, out, unused)
        for k in range(n):
            out[k] = v.first * -log(1.0 - out[k])
    else:
        failed = draw_normal(v, index, n, out)
        if v.kind == LOGNORMAL:
            for k in range(n):
                out[k] = exp(out[k])
        elif v.grid > 0.0:
            for k in range(n):
                out[k] = on_grid(out[k], v.grid)
    for k in range(n):
        out[k] = v.least if out[k] < v.least else v.most if out[k] > v.most else out[k]
    return failed
