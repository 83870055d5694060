# Exponential frames: how a neuron is kept between its events; eventsnn/models/frames.py explains them, function by
# function. A framed neuron's v is U of synaptic input (or, while it is refractory, v itself) and `external` is U of
# external input; of the variables behind it the first n_currents are X of synaptic input, the next X of external input.

from libc.math cimport floor

from eventsnn._core.closed_form cimport (
    COUPLING,
    RATE,
    RATE_M,
    TAU_M,
    THRESHOLD,
    WIDTH,
    State,
    current_at,
    threshold_at,
)
from eventsnn._core.mathfunc cimport exp, infinity, log
from eventsnn._core.neuron cimport Class, Neuron, variables

cdef enum Half:
    SYNAPTIC = 0
    EXTERNAL = 1


cdef extern from *:
    """
    #define EVENTSNN_SMALLEST 1e-300
    """
    const double SMALLEST "EVENTSNN_SMALLEST"


cdef inline bint can_be_framed(const Class* k, const Neuron* s) noexcept nogil:
    return k.c[WIDTH] != 0.0 and s.slope == 0.0 and s.n_sines == 0


cdef inline double origin_of(const Class* k, double t) noexcept nogil:
    return floor(t / k.c[WIDTH]) * k.c[WIDTH]


cdef inline double growth(double rate, double span) noexcept nogil:
    return exp(span * rate)


cdef inline double current(const Class* k, const Neuron* s, double span, int i) noexcept nogil:
    cdef const double* x = variables(k, s)
    return (x[i] + x[k.model.n_currents + i]) / growth(k.c[current_at(i) + RATE], span)


cdef inline void lift(const Class* k, Neuron* s) noexcept nogil:
    cdef double span = s.t - s.origin
    cdef double total = s.v - s.drive
    cdef int i
    for i in range(k.model.n_currents):
        total = total + k.c[current_at(i) + COUPLING] * current(k, s, span, i)
    s.v = total * growth(k.c[RATE_M], span)
    s.external = 0.0


cdef inline void enter(const Class* k, Neuron* s) noexcept nogil:
    cdef double* x = variables(k, s)
    cdef double span
    cdef int i
    s.framed = can_be_framed(k, s)
    if not s.framed:
        return
    s.origin = origin_of(k, s.t)
    span = s.t - s.origin
    for i in range(k.model.n_currents):
        x[i] = x[i] * growth(k.c[current_at(i) + RATE], span)
        x[k.model.n_currents + i] = 0.0
    s.external = 0.0
    if not s.t < s.release:
        lift(k, s)


cdef inline double read(const Class* k, const Neuron* s, double* x) noexcept nogil:
    """Fills in the currents and returns v."""
    cdef double span = s.t - s.origin
    cdef double total = 0.0
    cdef bint free = not s.t < s.release
    cdef int i
    if free:
        total = (s.v + s.external) / growth(k.c[RATE_M], span)
    for i in range(k.model.n_currents):
        x[i] = current(k, s, span, i)
        total = total - k.c[current_at(i) + COUPLING] * x[i]
    return s.drive + total if free else s.v


cdef inline void leave(const Class* k, Neuron* s) noexcept nogil:
    cdef int i
    if s.framed:
        s.v = read(k, s, variables(k, s))
        for i in range(k.model.n_currents):
            variables(k, s)[k.model.n_currents + i] = 0.0
        s.framed = False


cdef inline double flushed(double value) noexcept nogil:
    return 0.0 if -SMALLEST < value < SMALLEST else value


cdef inline void shift(
    const Class* k, double gap, bint held, double* u, double* external, double* x, double* z, int n
) noexcept nogil:
    """Bring both halves of a state into a frame that begins `gap` later."""
    cdef double kept
    cdef int i
    if not held:
        kept = exp(-gap * k.c[RATE_M])
        u[0] = flushed(u[0] * kept)
        external[0] = flushed(external[0] * kept)
    for i in range(n):
        kept = exp(-gap * k.c[current_at(i) + RATE])
        x[i] = flushed(x[i] * kept)
        z[i] = flushed(z[i] * kept)


cdef inline void move(const Class* k, Neuron* s, double t) noexcept nogil:
    cdef double origin = origin_of(k, t)
    cdef double* x = variables(k, s)
    cdef int n = k.model.n_currents
    if origin != s.origin:
        shift(k, origin - s.origin, s.t < s.release, &s.v, &s.external, x, x + n, n)
        s.origin = origin
    s.t = t


cdef inline void add(const Class* k, Neuron* s, int port, double weight, int half) noexcept nogil:
    cdef double span = s.t - s.origin
    cdef double scale = k.c[threshold_at(k.model, 0) + k.model.n_currents + port]
    cdef int slot = k.model.target[port]
    cdef double* x
    if slot >= 0:
        x = variables(k, s) + half * k.model.n_currents + slot
        x[0] = x[0] + weight * (scale * growth(k.c[current_at(slot) + RATE], span))
        scale = scale * k.c[current_at(slot) + COUPLING]
    if not s.t < s.release:
        weight = weight * (scale * growth(k.c[RATE_M], span))
        if half == SYNAPTIC:
            s.v = s.v + weight
        else:
            s.external = s.external + weight


cdef inline bint reached(const Class* k, const Neuron* s) noexcept nogil:
    cdef double span = s.t - s.origin
    cdef double total = 0.0
    cdef int i
    for i in range(k.model.n_currents):
        total = total + k.c[current_at(i) + COUPLING] * current(k, s, span, i)
    return s.v + s.external >= ((k.c[THRESHOLD] - s.drive) + total) * growth(k.c[RATE_M], span)


cdef inline double crossing_of_jumps(const Class* k, const Neuron* s) noexcept nogil:
    cdef double gap = k.c[THRESHOLD] - s.drive
    cdef double t
    if reached(k, s):
        return s.t
    if gap >= 0.0:
        return infinity()
    t = s.origin + k.c[TAU_M] * log((s.v + s.external) / gap)
    return t if t > s.t else s.t


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
