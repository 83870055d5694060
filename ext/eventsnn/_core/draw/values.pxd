# Values drawn from a distribution, or given, by number: value i follows from the key and i alone.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from eventsnn._core.base.mathfunc cimport exp, infinity, log
from eventsnn._core.draw.philox cimport uniform53

cdef extern from "eventsnn/_core/draw/normals.h" nogil:
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
    # Four words of the blocks (index, attempt); all arrays here have room for AT_A_TIME more.
    void words_of "eventsnn_words"(
        int lanes, uint64_t key, int64_t n, const uint64_t* index, uint32_t attempt, uint32_t* w0, uint32_t* w1,
        uint32_t* w2, uint32_t* w3
    ) noexcept
    # Makes points of the words; returns how many lie in the unit circle. x, s: of these; inside, others: their numbers,
    # and those of all other points.
    int64_t points "eventsnn_points"(
        int lanes, int64_t n, const uint32_t* w0, const uint32_t* w1, const uint32_t* w2, const uint32_t* w3, double* x,
        double* s, int32_t* inside, int32_t* others
    ) noexcept
    # Makes values of these points; returns how many lie outside [least, most], whose numbers are in `outside`.
    int64_t normals "eventsnn_normals"(
        int lanes, const Normal* v, int64_t n, const double* x, const double* s, double* out, int32_t* outside
    ) noexcept

cdef enum:
    GIVEN = 0
    UNIFORM = 1
    NORMAL = 2
    LOGNORMAL = 3
    EXPONENTIAL = 4

cdef enum:
    CHUNK = 512    # values drawn at a time
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
    cdef double x[CHUNK + AT_A_TIME]
    cdef double s[CHUNK + AT_A_TIME]
    cdef double value[CHUNK + AT_A_TIME]
    cdef int32_t inside[CHUNK + AT_A_TIME]
    cdef int32_t again[CHUNK + AT_A_TIME]
    cdef int32_t outside[CHUNK + AT_A_TIME]
    cdef uint64_t left[2][CHUNK]
    cdef int32_t place[2][CHUNK]
    cdef Normal normal
    cdef int64_t k, m, n_outside
    cdef int64_t refused = 0
    cdef uint32_t attempt = 0
    cdef bint now = False
    normal.mean, normal.std, normal.low, normal.high = v.first, v.second, v.low, v.high
    normal.grid, normal.least, normal.most = v.grid, v.least, v.most
    if v.kind == LOGNORMAL:
        normal.grid, normal.least, normal.most = 0.0, -infinity(), infinity()
    for k in range(n):
        left[now][k], place[now][k] = index[k], <int32_t>k
    while n > 0 and attempt < ATTEMPTS:
        words_of(v.lanes, v.key, n, left[now], attempt, w0, w1, w2, w3)
        m = points(v.lanes, n, w0, w1, w2, w3, x, s, inside, again)
        n_outside = normals(v.lanes, &normal, m, x, s, value, outside)
        for k in range(m):
            out[place[now][inside[k]]] = value[k]
        n -= m
        if v.refuses:
            refused += n_outside
        else:
            for k in range(n_outside):
                again[n + k] = inside[outside[k]]
            n += n_outside
        for k in range(n):
            left[not now][k], place[not now][k] = left[now][again[k]], place[now][again[k]]
        now = not now
        attempt += 1
    return n + refused


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
