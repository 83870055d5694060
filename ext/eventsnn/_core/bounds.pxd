# Bounds for neurons in frames: whether v surely stays below the threshold while some events are taken (skim.pxd), and
# until when it surely does after them.

from libc.math cimport fabs
from libc.stdint cimport int64_t

from eventsnn._core.closed_form cimport COUPLING, PER_C, PER_UNIT, RATE, RATE_M, TAU_M, THRESHOLD, R, current_at
from eventsnn._core.crossing cimport BOUND_MARGIN
from eventsnn._core.frames cimport SLACK, growth
from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.neuron cimport BOUNDED, MOST_CURRENTS, UNKNOWN, Class, Factor, Neuron


cdef struct Part:
    # What a neuron has taken.
    double origin                # of the frame of U
    double begin[MOST_CURRENTS]  # of the frames of X
    int64_t u
    int64_t x[MOST_CURRENTS]
    double last                  # event
    int64_t highest              # U between events
    int64_t size                 # at least that of the largest addition
    double positive              # sum of the positive weights
    int64_t n_external


cdef struct View:
    # v and the currents at some time.
    double v
    double x[MOST_CURRENTS]
    double size                  # of what v is the sum of


cdef inline View view(const Class* k, double drive, const Part* p, double t, const Factor* f, int n) noexcept nogil:
    """At t, or at the time of a row whose factors are f."""
    cdef const double* c = k.c
    cdef View w
    cdef double part
    cdef int i
    w.v = (<double>p.u / (f.membrane if f != NULL else growth(c[RATE_M], t - p.origin))) / c[PER_UNIT]
    w.size = fabs(w.v)
    for i in range(n):
        part = <double>p.x[i] / (f.current[i] if f != NULL else growth(c[current_at(i) + RATE], t - p.begin[i]))
        part = part / c[PER_UNIT]
        w.x[i] = part / c[current_at(i) + COUPLING]
        w.v = w.v - part
        w.size = w.size + fabs(part)
    w.v = w.v + drive
    w.size = BOUND_MARGIN * (w.size + fabs(drive) + fabs(c[THRESHOLD])) + SLACK / c[PER_UNIT]
    return w


cdef inline bint jumps_stay_below(
    const Class* k, const Neuron* s, const Part* p, double first, double last_growth
) noexcept nogil:
    """Between inputs U stays, and the threshold in its units only rises or only falls: its lower end is enough."""
    cdef double gap = k.c[THRESHOLD] - s.drive
    cdef double line, size
    if gap > 0.0 and s.bounded != UNKNOWN and not first < s.crossing:
        return False  # at the threshold from the beginning
    line = gap * k.c[PER_UNIT] * (growth(k.c[RATE_M], first - p.origin) if gap > 0.0 else last_growth)
    size = fabs(<double>p.highest) + fabs(line)
    return <double>p.highest < line - SLACK - BOUND_MARGIN * size


cdef inline bint currents_stay_below(
    const Class* k, const Neuron* s, const Part* before, const Part* p, double first, const Factor* f, int n
) noexcept nogil:
    """v rises at most as fast as at first, with the currents at their highest, and each positive input at most as fast
    as it does alone, for as long as all this takes. f: the factors of the first event, if known."""
    cdef const double* c = k.c
    # Up to its bound v does not reach the threshold without input.
    cdef bint known = s.bounded != UNKNOWN and first < s.crossing
    cdef double start = first if known else s.t
    cdef View w = view(k, s.drive, before, start, f if known else NULL, n)
    cdef double current = 0.0
    cdef double rise, added
    cdef int i
    if p.last > start:
        for i in range(n):
            # Negative currents are lowest in size at the end.
            current = current + (w.x[i] if w.x[i] > 0.0 else
                                 w.x[i] / growth(c[current_at(i) + RATE], p.last - start))
        rise = c[PER_C] * current - (w.v - s.drive) / c[TAU_M]
        if rise > 0.0:
            w.v = w.v + rise * (p.last - start)
    added = c[PER_C] * p.positive * (p.last - first)
    return w.v + added < c[THRESHOLD] - w.size - BOUND_MARGIN * added


cdef inline void bound_jumps(const Class* k, Neuron* s, const Part* p, double grown) noexcept nogil:
    """The same without currents, in units of U."""
    cdef const double* c = k.c
    cdef double u = <double>p.u
    cdef double size = fabs(u) + (fabs(s.drive) + fabs(c[THRESHOLD])) * c[PER_UNIT] * grown
    cdef double line = (c[THRESHOLD] - s.drive) * c[PER_UNIT] * grown - BOUND_MARGIN * size
    s.bounded = BOUNDED
    s.crossing = infinity()
    if not u < line:
        s.crossing = s.t
    elif line < 0.0:
        s.crossing = s.t + c[TAU_M] * ((u - line) / u)


cdef inline void bound(const Class* k, Neuron* s, const Part* p, const Factor* f, int n) noexcept nogil:
    """A time before which v does not cross the threshold without input, from what is at hand: if it went on rising as
    fast as it does with the currents at the highest that they will ever be."""
    cdef const double* c = k.c
    cdef View w = view(k, s.drive, p, s.t, f, n)
    cdef double low = c[THRESHOLD] - w.size
    cdef double current = 0.0
    cdef double settled
    cdef int i
    for i in range(n):
        current = current + (w.x[i] if w.x[i] > 0.0 else 0.0)
    if n == 2 and current > 0.0 and (w.x[0] < 0.0 or w.x[1] < 0.0):
        # Inhibition that outlives excitation counts against it.
        i = w.x[1] < 0.0
        if c[current_at(i) + RATE] <= c[current_at(1 - i) + RATE]:
            current = current + w.x[i] if current + w.x[i] > 0.0 else 0.0
    settled = s.drive + c[R] * current
    s.bounded = BOUNDED
    s.crossing = infinity()
    if not w.v < low:
        s.crossing = s.t
    elif settled > low:
        s.crossing = s.t + c[TAU_M] * ((low - w.v) / (settled - w.v))
