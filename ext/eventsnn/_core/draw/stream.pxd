# External spikes of one neuron: the state of a stream, and how it comes by its next spikes. eventsnn/draw/streams.py
# has the Python twin, with the reasons; both must give the same bits. Where a stream stands is in its state and in
# nothing else, and that is numbers, but for `train`, which follows from the plan.

from libc.math cimport floor, sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from eventsnn._core.base.mathfunc cimport exp, infinity, log, sin_turns, to_bits
from eventsnn._core.draw.philox cimport (
    AT_ONCE,
    TABLED,
    draw_uniforms,
    lanes_at_hand,
    philox,
    poisson_cell,
    uniform53,
)

cdef enum:
    # Times of a cell that are kept; a fuller cell is drawn again for the rest.
    KEPT = 10

cpdef enum:
    # No less than poisson_cell ever gives.
    MOST_IN_CELL = 64
    # The most parameters of a stream.
    PARAMETERS = 6

# The kind of a stream says what its parameters are: StreamPlan in eventsnn/compile/plan.py.
cpdef enum:
    TRAIN = 0
    POISSON = 1
    STEPS = 2
    SINE = 3
    EXPONENTIAL = 4    # from here on a process of independent intervals
    GAMMA = 5
    LOGNORMAL = 6
    NORMAL = 7
    UNIFORM = 8

cdef enum:
    # The block that places the beginning of a stationary process in its first interval.
    PLACE = 0xFFFFFFFF


cdef extern from *:
    """
    #define EVENTSNN_STEPS_MEAN 4.0
    #define EVENTSNN_HALF_NORMAL 0.3989422804014327
    """
    const double STEPS_MEAN "EVENTSNN_STEPS_MEAN"
    const double HALF_NORMAL "EVENTSNN_HALF_NORMAL"


cdef struct Source:
    # What the streams of one source or stimulus share. StreamPlan in eventsnn/compile/plan.py explains kinds and
    # parameters.
    uint64_t key
    double weight
    double width          # ms a cell
    double mean           # candidates for a spike in a cell
    double begin          # ms; no spikes before
    double exp_minus_mean
    double least[TABLED]  # probabilities of up to 0, 1, ... candidates in a cell
    int32_t port
    int32_t kind
    int32_t stationary
    int32_t n_pieces
    double parameter[PARAMETERS]
    const double* piece_time
    const double* piece_share
    const double* piece_width
    const int32_t* piece_run


cdef struct Stream:
    # The external spikes of one neuron from one source. 128 bytes, two lines of the cache: a stream is read as often as
    # its neuron.
    double first          # next spike, ms; inf if none
    int32_t source        # its Source
    uint32_t index        # in the Source's random stream
    int32_t at            # of `first` among the spikes ahead: of `kept`, or of a given train
    int32_t n             # spikes ahead
    int64_t cell          # cell of the next spikes to be drawn; of a process of intervals the number of the next one
    int32_t in_cell       # spikes of that cell before kept[0], or -n if kept holds the last of the cell before
    int32_t piece         # of a stepwise process: the first piece of the present run
    const double* train   # given spike times; NULL for drawn ones
    double kept[KEPT]


# ---- processes in cells


cdef inline uint32_t width_level(double width) noexcept nogil:
    """A number for each power of two that is a normal double, as in the twin: its exponent, never below 1."""
    return <uint32_t>((to_bits(width) >> 52) + 1026)


cdef inline int64_t first_cell(const Source* d, int32_t piece) noexcept nogil:
    """In which a piece of a stepwise process begins, or the whole process does."""
    return <int64_t>floor(max(d.piece_time[piece], d.begin) / d.piece_width[piece])


cdef inline bint find_run(const Source* d, Stream* s) noexcept nogil:
    """Go on to the run of pieces that the present cell overlaps; False after the last."""
    cdef int32_t after
    cdef double end
    while s.piece < d.n_pieces:
        after = s.piece + d.piece_run[s.piece]
        end = d.piece_time[after] if after < d.n_pieces else infinity()
        if d.piece_width[s.piece] > 0.0 and <double>s.cell * d.piece_width[s.piece] < end:
            return True
        s.piece = after
        s.in_cell = 0
        if after < d.n_pieces and d.piece_width[after] > 0.0:
            s.cell = first_cell(d, after)
    return False


cdef inline double share_of(const Source* d, const Stream* s, double t) noexcept nogil:
    """The probability with which a candidate at t is a spike."""
    cdef int32_t low, high, middle
    if d.kind == SINE:
        return d.parameter[2] + d.parameter[3] * sin_turns(d.parameter[4] * t + d.parameter[5])
    low = s.piece
    high = s.piece + d.piece_run[s.piece]
    if t < d.piece_time[low] or (high < d.n_pieces and t >= d.piece_time[high]):
        return 0.0
    while high - low > 1:
        middle = low + (high - low) // 2
        if t < d.piece_time[middle]:
            high = middle
        else:
            low = middle
    return d.piece_share[low]


cdef inline int thin(const Source* d, const Stream* s, uint32_t level, double* times, int count) noexcept nogil:
    """Leave those of a cell's candidates that are spikes; returns how many."""
    cdef double uniform[AT_ONCE]
    cdef int kept = 0
    cdef int k
    for k in range(count):
        if k % AT_ONCE == 0:
            draw_uniforms(
                lanes_at_hand(), d.key, s.index, <uint32_t>(<uint64_t>s.cell), <uint32_t>(<uint64_t>s.cell >> 32),
                level << 8 | <uint32_t>(128 + (k >> 1)), uniform,
            )
        if uniform[k % AT_ONCE] < share_of(d, s, times[k]):
            times[kept] = times[k]
            kept += 1
    return kept


cdef inline int cell_times(const Source* d, const Stream* s, double* times) noexcept nogil:
    """All spikes of the present cell, ascending; returns how many."""
    cdef double width = d.width
    cdef uint32_t level = 0
    cdef int count
    if d.kind == STEPS:
        width = d.piece_width[s.piece]
        level = width_level(width)
    count = poisson_cell(
        d.key, s.index, s.cell, d.mean, d.exp_minus_mean, d.least, <double>s.cell * width, width, level, times
    )
    return count if d.kind == POISSON else thin(d, s, level, times, count)


# ---- processes of independent intervals


cdef inline void uniforms(
    const Source* d, uint32_t index, int64_t k, uint32_t block, double* u, double* v
) noexcept nogil:
    cdef uint32_t word[4]
    philox(d.key, index, <uint32_t>(<uint64_t>k), <uint32_t>(<uint64_t>k >> 32), block, word)
    u[0] = uniform53(word[0], word[1])
    v[0] = uniform53(word[2], word[3])


cdef inline double polar(const Source* d, uint32_t index, int64_t k, uint32_t* block, double* square) noexcept nogil:
    """The x of a point in the unit circle, and x^2 + y^2, from the first block that has one; block goes beyond it."""
    cdef double u, v, x, y
    while True:
        uniforms(d, index, k, block[0], &u, &v)
        block[0] += 1
        x = 2.0 * u - 1.0
        y = 2.0 * v - 1.0
        square[0] = x * x + y * y
        if 0.0 < square[0] < 1.0:
            return x


cdef inline double standard_gamma(const Source* d, double shape, uint32_t index, int64_t k) noexcept nogil:
    cdef double a = (shape + 1.0 if shape < 1.0 else shape) - 1.0 / 3.0
    cdef double c = 1.0 / sqrt(9.0 * a)
    cdef uint32_t block = 0
    cdef double x, square, u, w, z, t
    while True:
        x = polar(d, index, k, &block, &square)
        uniforms(d, index, k, block, &u, &w)
        block += 1
        z = x * sqrt(-2.0 * log(square) / square)
        t = 1.0 + c * z
        if t <= 0.0:
            continue
        t = t * t * t
        if log(u) < 0.5 * (z * z) + a * ((1.0 - t) + log(t)):
            break
    return a * t * exp(log(w) / shape) if shape < 1.0 else a * t


cdef inline double normal_interval(const Source* d, uint32_t index, int64_t k, bint biased) noexcept nogil:
    cdef double mean = d.parameter[0]
    cdef double std = d.parameter[1]
    cdef double normal_part = mean if mean > 0.0 else 0.0
    cdef double both_parts = normal_part + std * HALF_NORMAL
    cdef uint32_t block = 0
    cdef double x, square, length, value, above, u, w
    cdef bint accepted
    while True:
        x = polar(d, index, k, &block, &square)
        length = -2.0 * log(square)
        value = mean + std * (x * sqrt(length / square))
        accepted = True
        if biased:
            uniforms(d, index, k, block, &u, &w)
            block += 1
            if u * both_parts >= normal_part:
                value = mean + std * sqrt(length)
            above = value - mean if value > mean else 0.0
            accepted = w * (normal_part + above) < value
        if accepted and d.parameter[2] <= value <= d.parameter[3]:
            return value


cdef inline double interval(const Source* d, uint32_t index, int64_t k, bint biased) noexcept nogil:
    """Interval k (ms): of density f(x), or, if biased, x f(x) / mean."""
    cdef double a = d.parameter[0]
    cdef double b = d.parameter[1]
    cdef uint32_t block = 0
    cdef double u, w, x, square, ratio
    if d.kind == EXPONENTIAL:
        uniforms(d, index, k, 0, &u, &w)
        x = b * -log(1.0 - u)
        if biased:
            uniforms(d, index, k, 1, &u, &w)
            if u * (a + b) >= a:
                x = x + b * -log(1.0 - w)
        return a + x
    if d.kind == GAMMA:
        return b * standard_gamma(d, a + 1.0 if biased else a, index, k)
    if d.kind == LOGNORMAL:
        x = polar(d, index, k, &block, &square)
        return exp((a + b * b if biased else a) + b * (x * sqrt(-2.0 * log(square) / square)))
    if d.kind == NORMAL:
        return normal_interval(d, index, k, biased)
    uniforms(d, index, k, 0, &u, &w)
    if biased:
        ratio = a / b
        return b * sqrt(ratio * ratio + u * (1.0 - ratio * ratio))
    return a + (b - a) * u


cdef inline void after_interval(const Source* d, Stream* s) noexcept nogil:
    """The next spike of a process of intervals."""
    cdef double u, w
    if s.cell == 0 and d.stationary:
        uniforms(d, s.index, 0, PLACE, &u, &w)
        s.first = s.first + u * interval(d, s.index, 0, True)
    else:
        s.first = s.first + interval(d, s.index, s.cell, False)
    s.cell += 1
    s.at = 0
    s.n = 1


# ---- all of them


cdef inline void refill(const Source* sources, Stream* s) noexcept nogil:
    """The next spikes of a stream that is drawn, when those kept are used up."""
    cdef double times[MOST_IN_CELL + KEPT]
    cdef const Source* d = &sources[s.source]
    cdef int32_t count
    if d.kind >= EXPONENTIAL:
        after_interval(d, s)
        return
    s.in_cell += s.n
    while True:
        if d.kind == STEPS and not find_run(d, s):
            s.first = infinity()
            return
        count = cell_times(d, s, times)
        if s.in_cell < count:
            break
        s.cell += 1
        s.in_cell = 0
    s.n = min(count - s.in_cell, <int32_t>KEPT)
    # As many as there is room for, whatever their number: a loop of unknown length would cost more.
    memcpy(s.kept, times + s.in_cell, KEPT * sizeof(double))
    s.at = 0
    s.first = s.kept[0]
    if s.in_cell + s.n == count:
        # Nothing is left of this cell, which need not be drawn again to find that out.
        s.cell += 1
        s.in_cell = -s.n


cdef inline void stream_next(const Source* sources, Stream* s) noexcept nogil:
    s.at += 1
    if s.train != NULL:
        s.first = s.train[s.at] if s.at < s.n else infinity()
    elif s.at < s.n:
        s.first = s.kept[s.at]
    else:
        refill(sources, s)


cdef inline void stream_begin(const Source* sources, Stream* s) noexcept nogil:
    """The first spike of a stream that is drawn; its state is zero but for source and index."""
    cdef const Source* d = &sources[s.source]
    if d.kind >= EXPONENTIAL:
        s.first = d.begin
    elif d.kind != STEPS:
        s.cell = <int64_t>floor(d.begin / d.width)
    elif d.piece_width[0] > 0.0:
        s.cell = first_cell(d, 0)
    refill(sources, s)
    while s.first < d.begin:
        stream_next(sources, s)
