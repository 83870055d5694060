# Exponential frames: how a neuron is kept between its events; eventsnn/solve/frames.py explains them, function by
# function. A framed neuron's U is `u`; the first n_currents of the variables behind it are X, as integers.

from libc.math cimport fabs
from libc.stdint cimport int64_t

from eventsnn._core.solve.closed_form cimport (
    COUPLING,
    KEPT,
    KEPT_M,
    PER_UNIT,
    RATE,
    RATE_M,
    TAU_M,
    WIDTH,
    WIDTH_M,
    State,
    current_at,
    threshold_at,
)
from eventsnn._core.base.mathfunc cimport exp, infinity, log
from eventsnn._core.solve.neuron cimport (
    AT_THRESHOLD,
    MOST_VARIABLES,
    STAYS_BELOW,
    THRESHOLD,
    Class,
    Neuron,
    Wide,
    variables,
)


cdef extern from "eventsnn/_core/solve/integers.h" nogil:
    """
    #define EVENTSNN_CELL 0.015625
    #define EVENTSNN_LARGEST_DRIVE 1329227995784915872903807060280344576.0
    #define EVENTSNN_POTENTIAL_ROUNDING 1e-9
    """
    const int64_t SLACK "EVENTSNN_SLACK"
    const double CELL "EVENTSNN_CELL"                      # ms
    const double LARGEST_DRIVE "EVENTSNN_LARGEST_DRIVE"    # 2^120
    const double ROUNDING "EVENTSNN_POTENTIAL_ROUNDING"    # of a potential, as a part of the threshold: far more
    int64_t nearest "eventsnn_nearest"(double value) noexcept
    int64_t sum_of "eventsnn_sum"(int64_t a, int64_t b) noexcept
    int64_t later "eventsnn_later"(int64_t value, double kept) noexcept
    Wide widened "eventsnn_widened"(int64_t value) noexcept
    Wide wide_sum "eventsnn_wide_sum"(Wide a, Wide b) noexcept
    Wide wide_nearest "eventsnn_wide_nearest"(double value) noexcept
    Wide wide_later "eventsnn_wide_later"(Wide value, double kept, double frames) noexcept
    Wide limited "eventsnn_limited"(Wide sum, double rough) noexcept
    double as_double "eventsnn_wide_double"(Wide a) noexcept
    bint is_narrow "eventsnn_is_narrow"(Wide a) noexcept
    bint is_lost "eventsnn_is_lost"(Wide a) noexcept


cdef inline Wide* numbers(const Class* k, const Neuron* s) noexcept nogil:
    """X of each current. It takes the room of the variable and of what additions to it have lost."""
    return <Wide*>variables(k, s)


cdef inline bint can_be_framed(const Class* k, const Neuron* s) noexcept nogil:
    return k.c[WIDTH_M] != 0.0 and s.slope == 0.0 and s.n_sines == 0 and fabs(s.drive * k.c[PER_UNIT]) < LARGEST_DRIVE


cdef inline double frame_begin(double width, double t) noexcept nogil:
    # No time is negative, a conversion is quicker than floor, and from 2^52 on all doubles are whole.
    cdef double frames = t / width
    return (<double>(<int64_t>frames) if frames < 4503599627370496.0 else frames) * width


cdef inline double growth(double rate, double span) noexcept nogil:
    return exp(span * rate)


cdef inline double membrane_grown(const Class* k, double t) noexcept nogil:
    return growth(k.c[RATE_M], t - frame_begin(k.c[WIDTH_M], t))


cdef inline double current_grown(const Class* k, int i, double t) noexcept nogil:
    cdef const double* c = k.c + current_at(i)
    return growth(c[RATE], t - frame_begin(c[WIDTH], t))


cdef inline double coupled(const Class* k, const Neuron* s, int i) noexcept nogil:
    return (as_double(numbers(k, s)[i]) / current_grown(k, i, s.t)) / k.c[PER_UNIT]


cdef inline void lift(const Class* k, Neuron* s) noexcept nogil:
    cdef double total = s.v - s.drive
    cdef int i
    for i in range(k.model.n_currents):
        total = total + coupled(k, s, i)
    s.u = wide_nearest((total * k.c[PER_UNIT]) * membrane_grown(k, s.t))


cdef inline void enter(const Class* k, Neuron* s) noexcept nogil:
    cdef Wide* number = numbers(k, s)
    cdef double x[MOST_VARIABLES]
    cdef double scale
    cdef int i
    s.framed = can_be_framed(k, s)
    if not s.framed:
        return
    s.u = widened(0)
    for i in range(k.model.n_currents):
        x[i] = variables(k, s)[i]
    for i in range(k.model.n_currents):
        scale = k.c[current_at(i) + COUPLING] * k.c[PER_UNIT]
        number[i] = wide_nearest(x[i] * (scale * current_grown(k, i, s.t)))
    if not s.t < s.release:
        lift(k, s)


cdef inline double read(const Class* k, const Neuron* s, double* x) noexcept nogil:
    """Fills in the currents and returns v."""
    cdef bint free = not s.t < s.release
    cdef double total = (as_double(s.u) / membrane_grown(k, s.t)) / k.c[PER_UNIT] if free else 0.0
    cdef double part
    cdef int i
    for i in range(k.model.n_currents):
        part = coupled(k, s, i)
        total = total - part
        x[i] = part / k.c[current_at(i) + COUPLING]
    return s.drive + total if free else s.v


cdef inline void leave(const Class* k, Neuron* s) noexcept nogil:
    cdef int i
    cdef double x[MOST_VARIABLES]
    if s.framed:
        s.v = read(k, s, x)
        for i in range(k.model.n_currents):
            variables(k, s)[i], variables(k, s)[k.model.n_currents + i] = x[i], 0.0
        s.framed = False


cdef inline double frames_until(double width, double t, double begin) noexcept nogil:
    """How many frames end between t and one that begins then."""
    return 0.0 if t >= begin else (begin - frame_begin(width, t)) / width


cdef inline void move(const Class* k, Neuron* s, double t) noexcept nogil:
    cdef Wide* x = numbers(k, s)
    cdef const double* c
    cdef int i
    if not s.t < s.release:
        s.u = wide_later(s.u, k.c[KEPT_M], frames_until(k.c[WIDTH_M], s.t, frame_begin(k.c[WIDTH_M], t)))
    for i in range(k.model.n_currents):
        c = k.c + current_at(i)
        x[i] = wide_later(x[i], c[KEPT], frames_until(c[WIDTH], s.t, frame_begin(c[WIDTH], t)))
    s.t = t


cdef inline double scale_of(const Class* k, int port) noexcept nogil:
    """Units of U that an input of weight 1 adds where a frame begins."""
    cdef double scale = k.c[threshold_at(k.model, 0) + k.model.n_currents + port] * k.c[PER_UNIT]
    cdef int slot = k.model.target[port]
    return scale if slot < 0 else scale * k.c[current_at(slot) + COUPLING]


cdef inline void add_number(Wide* number, double* rough, double added) noexcept nogil:
    """rough: their sum in double, which does not wrap around."""
    cdef Wide wide = wide_nearest(added)
    rough[0] = rough[0] + as_double(wide)
    number[0] = wide_sum(number[0], wide)


cdef inline bint any_lost(const Class* k, const Neuron* s) noexcept nogil:
    cdef int i
    cdef bint found = is_lost(s.u)
    for i in range(k.model.n_currents):
        found |= is_lost(numbers(k, s)[i])
    return found


cdef inline int place_of(const Class* k, const Neuron* s, double grown, const double* x_grown) noexcept nogil:
    """AT_THRESHOLD if V is there, the units of U and of each X having grown by so much; STAYS_BELOW if it never comes
    there without input. No part of V, be it that of U or of an X, is ever larger in size than it is now."""
    cdef double gap = k.c[THRESHOLD] - s.drive
    cdef double total = gap
    cdef double lifted = 0.0
    cdef double u = as_double(s.u)
    cdef double part
    cdef int i
    for i in range(k.model.n_currents):
        part = (as_double(numbers(k, s)[i]) / x_grown[i]) / k.c[PER_UNIT]
        total = total + part
        lifted = lifted - min(part, 0.0)
    if u >= (total * k.c[PER_UNIT]) * grown - SLACK:
        return AT_THRESHOLD
    lifted = lifted + max(u, 0.0) / (grown * k.c[PER_UNIT])
    return STAYS_BELOW if lifted < gap - (ROUNDING * fabs(k.c[THRESHOLD]) + 8.0 * SLACK / k.c[PER_UNIT]) else 0


cdef inline bint reached(const Class* k, const Neuron* s) noexcept nogil:
    cdef double x_grown[MOST_VARIABLES]
    cdef int i
    for i in range(k.model.n_currents):
        x_grown[i] = current_grown(k, i, s.t)
    return place_of(k, s, membrane_grown(k, s.t), x_grown) == AT_THRESHOLD


cdef inline double crossing_of_jumps(const Class* k, const Neuron* s) noexcept nogil:
    cdef double gap = (k.c[THRESHOLD] - s.drive) * k.c[PER_UNIT]
    cdef double width = k.c[WIDTH_M]
    cdef double origin = frame_begin(width, s.t)
    cdef Wide u = s.u
    cdef double t
    if gap >= 0.0:
        return infinity()
    while True:
        t = origin
        if as_double(u) < gap:
            t = origin + k.c[TAU_M] * log(as_double(u) / gap)
        origin = origin + width
        if t < origin:
            return t if t > s.t else s.t
        u = wide_later(u, k.c[KEPT_M], 1.0)


cdef inline State state_of(const Class* k, const Neuron* s, double* x) noexcept nogil:
    """The state as the equations take it; x is room for the variables of one in a frame."""
    cdef State w
    w.t = s.t
    w.v = s.v
    w.drive = s.drive
    w.slope = s.slope
    w.x = variables(k, s)
    w.low = NULL
    w.sines = s.sines
    w.n_sines = s.n_sines
    if s.framed:
        w.x = x
        w.v = read(k, s, x)
    return w


cdef inline State state_at(const Class* k, const Neuron* s, double t, double* x) noexcept nogil:
    """The state of a free neuron in a frame as it will be at t."""
    cdef State w
    cdef const double* c
    cdef double part
    cdef int i
    w.t, w.drive, w.slope, w.x, w.low, w.sines, w.n_sines = t, s.drive, 0.0, x, NULL, s.sines, 0
    w.v = frames_until(k.c[WIDTH_M], s.t, frame_begin(k.c[WIDTH_M], t))
    w.v = as_double(wide_later(s.u, k.c[KEPT_M], w.v))
    w.v = (w.v / membrane_grown(k, t)) / k.c[PER_UNIT]
    for i in range(k.model.n_currents):
        c = k.c + current_at(i)
        part = frames_until(c[WIDTH], s.t, frame_begin(c[WIDTH], t))
        part = as_double(wide_later(numbers(k, s)[i], c[KEPT], part))
        part = (part / current_grown(k, i, t)) / k.c[PER_UNIT]
        w.v = w.v - part
        x[i] = part / c[COUPLING]
    w.v = s.drive + w.v
    return w
