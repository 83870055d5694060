# Models without a closed form: their crossings, and what events do to them. eventsnn/models/taylor.py explains it,
# function by function. A model gives its recurrence (`extend`, `look`); `complete` fills in the rest of its Model.

from libc.math cimport fabs
from libc.stdint cimport int8_t, int64_t
from libc.string cimport memcpy

from eventsnn._core.base.mathfunc cimport infinity, not_a_number
from eventsnn._core.solve.neuron cimport (
    AT_THRESHOLD,
    BOUNDED,
    FOUND,
    LOST,
    MOST_VARIABLES,
    ROW,
    SEARCHED,
    THRESHOLD,
    Class,
    Event,
    Inbox,
    Looks,
    Model,
    Neuron,
    Step,
    port_of,
    variables,
    weight_of,
)
from eventsnn._core.draw.philox cimport lanes_at_hand
from eventsnn._core.solve.steps cimport (
    FARTHEST,
    HEAD,
    ORDER,
    V_RESET,
    count,
    forget,
    jumps,
    keep_step,
    orders_at,
    own,
    scales,
    series_of,
    settle,
    step_of,
    tolerance_of,
)

cdef enum:
    # How often less far is looked for a crossing.
    HALVINGS = 3


cdef extern from "eventsnn/_core/solve/taylor.h" nogil:
    const double ULP "EVENTSNN_ULP"                       # 2^-52


cdef extern from *:
    """
    #define EVENTSNN_NARROWEST 9.094947017729282e-13
    """
    const double NARROWEST "EVENTSNN_NARROWEST"           # 2^-40, of a step


cdef inline void enter(const Class* k, Neuron* s) noexcept nogil:
    forget(k, s)


cdef inline double threshold(const Class* k, const Neuron* s) noexcept nogil:
    return k.c[THRESHOLD]


# ---- the first crossing within a step


cdef inline void shifted(const double* a, int order, double start, double width, double* q) noexcept nogil:
    """Coefficients of a(start + width x)."""
    cdef double power = 1.0
    cdef int i, n
    for n in range(order + 1):
        q[n] = a[n]
    if start != 0.0:
        for i in range(order):
            for n in range(order - 1, i - 1, -1):
                q[n] = q[n] + start * q[n + 1]
    for n in range(1, order + 1):
        power = power * width
        q[n] = q[n] * power


cdef inline double root(const double* q, int order) noexcept nogil:
    """Where q, negative at 0, not at 1 and growing in between, is zero: Newton's method inside a bracket."""
    cdef double low = 0.0
    cdef double high = 1.0
    cdef double x = 1.0
    cdef double value, slope, next
    cdef int _try, n
    if q[1] > 0.0 and -q[0] < q[1]:
        x = -q[0] / q[1]
    for _try in range(100):
        value = q[order]
        slope = 0.0
        for n in range(order - 1, -1, -1):
            slope = slope * x + value
            value = value * x + q[n]
        if value < 0.0:
            low = x
        else:
            high = x
        next = x - value / slope if slope > 0.0 else low
        if not (low < next < high):
            next = low + 0.5 * (high - low)
        if fabs(next - x) <= ULP * x or not (low < next < high):
            return next
        x = next
    return x


cdef inline double first_root(const double* a, int order, double span) noexcept nogil:
    """The first zero in (0, span] of a polynomial that is negative at 0; inf if there is none."""
    cdef double q[ROW]
    cdef double start = 0.0
    cdef double stop = span
    cdef double above, rises, at_end
    cdef int n
    while True:
        shifted(a, order, start, stop - start, q)
        above = q[0]
        rises = q[1]
        at_end = q[0]
        for n in range(1, order + 1):
            at_end = at_end + q[n]
            if q[n] > 0.0:
                above = above + q[n]
            elif n > 1:
                rises = rises + n * q[n]
        if above < 0.0:
            pass
        elif rises > 0.0 or stop - start <= NARROWEST * span:
            if at_end >= 0.0:
                return start + (stop - start) * root(q, order)
        else:
            stop = start + 0.5 * (stop - start)
            continue
        if stop == span:
            return infinity()
        start = stop
        stop = span


cdef inline bint is_in_range(const Class* k, const Neuron* s) noexcept nogil:
    cdef int i
    if not fabs(s.v) <= k.c[FARTHEST]:
        return False
    for i in range(k.model.n_slots):
        if not fabs(variables(k, s)[i]) <= k.c[FARTHEST]:
            return False
    return True


cdef inline bint lost(const Class* k, const Neuron* s) noexcept nogil:
    return not is_in_range(k, s)


cdef inline double crossing(const Class* k, const Neuron* s, double start, int8_t* certainty) noexcept nogil:
    """From the state on, to the end of its step; the engine takes the state there before it goes on."""
    cdef Step* p = step_of(k, s)
    cdef double* y = series_of(k, p)
    cdef double q[ROW]
    cdef double h
    certainty[0] = FOUND
    if s.v >= k.c[THRESHOLD]:
        return s.t
    if not is_in_range(k, s):
        return not_a_number()
    keep_step(k, s)
    if p.end == infinity():
        return infinity()
    if not p.end > s.t:
        return s.t if y[1] > 0.0 else not_a_number()
    memcpy(q, y, sizeof(q))
    q[0] = y[0] - k.c[THRESHOLD]
    h = first_root(q, <int>p.order, p.span)
    if h <= p.span:
        return s.t + h if s.t + h < p.end else p.end
    if p.last[0] >= k.c[THRESHOLD]:
        return p.end
    certainty[0] = SEARCHED
    return p.end


cdef inline double gap_of(const Class* k, const Neuron* s) noexcept nogil:
    """How far V is from the threshold, less what the series may be wrong by."""
    return (k.c[THRESHOLD] - s.v) - 8.0 * tolerance_of(k, 0)


cdef inline bint clear(const Class* k, const Neuron* s, double h) noexcept nogil:
    """The terms that V rises by would not do, if nothing held it back."""
    cdef Step* p = step_of(k, s)
    cdef const double* v = series_of(k, p)
    cdef double gap = gap_of(k, s)
    cdef double total = 0.0
    cdef int i, n
    if not gap > 0.0 or not is_in_range(k, s):
        return False
    n = orders_at(k, s, p, h, False)
    if n == 0:
        return False
    for i in range(n, 0, -1):
        total = (total + (v[i] if v[i] > 0.0 else 0.0)) * h
    return total < gap


cdef inline double clear_for(const Class* k, const Neuron* s, double h) noexcept nogil:
    """For how long, up to h, it is known that V does not come to the threshold."""
    cdef int _try
    for _try in range(HALVINGS):
        if clear(k, s, h):
            return h
        h = 0.5 * h
    return 0.0


# ---- what events do


cdef inline int receive(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double* total
) noexcept nogil:
    cdef const Model* m = k.model
    cdef double sums[MOST_VARIABLES]
    cdef double weight
    cdef int64_t i
    cdef int port, slot
    for port in range(m.ports):
        sums[port] = 0.0
    for i in range(next, end):
        weight = weight_of(b, i)
        port = port_of(m, b, i, weight)
        sums[port] = sums[port] + (fabs(weight) if m.magnitudes else weight)
    forget(k, s)
    for port in range(m.ports):
        weight = sums[port]
        weight = weight + total[port]
        weight = weight * scales(k)[port]
        slot = m.target[port]
        if slot >= 0:
            variables(k, s)[slot] = variables(k, s)[slot] + weight
        elif not (s.t < s.release and m.clamped):
            s.v = s.v + weight
    return s.v >= k.c[THRESHOLD]


# ---- events side by side


cdef inline void take(const Class* k, Event* event) noexcept nogil:
    """Advance a neuron to an event, and add what arrives."""
    cdef Neuron* s = event.s
    cdef int port, slot
    settle(k, s, event.t)
    forget(k, s)
    for port in range(k.model.ports if event.added else 0):
        slot = k.model.target[port]
        if slot >= 0:
            variables(k, s)[slot] = variables(k, s)[slot] + event.total[port] * scales(k)[port]
        elif not (event.t < s.release and k.model.clamped):
            s.v = s.v + event.total[port] * scales(k)[port]
    event.outcome = AT_THRESHOLD if not event.t < s.release and s.v >= k.c[THRESHOLD] else 0
    if event.added and lost(k, s):
        event.outcome = event.outcome | LOST


cdef inline void place(const Class* k, const Event* event, Looks* g) noexcept nogil:
    """Put a neuron into the next place of a vector."""
    cdef Neuron* s = event.s
    cdef int j = g.n
    cdef int i
    g.n += 1
    g.variables = count(k)
    g.constants = k.model.own
    g.order = max(g.order, <int>k.c[ORDER])
    g.state[0][j], g.drive[j], g.h[j] = s.v, s.drive, goal(event) - s.t
    for i in range(k.model.n_slots):
        g.state[1 + i][j] = variables(k, s)[i]
    g.own[j], g.tolerance[j], g.y[j] = own(k), k.c + HEAD, series_of(k, step_of(k, s))


cdef inline double goal(const Event* event) noexcept nogil:
    """How far the series of a neuron is to be good for."""
    return min(event.s.release, event.until) if event.t < event.s.release else event.until


cdef inline void find_end(const Class* k, Neuron* s) noexcept nogil:
    """Let a refractory neuron stop at the end of its step, if that comes first."""
    cdef Step* p = step_of(k, s)
    keep_step(k, s)
    if s.t < p.end < s.release:
        s.bounded, s.crossing = SEARCHED, p.end


cdef inline void look_together(int lanes, const Class* classes, Event** events, Looks* g) noexcept nogil:
    """Find the series of neurons, and say before when they do not cross their thresholds."""
    cdef const Class* k = NULL
    cdef Neuron* s
    cdef int last = g.n - 1
    cdef int i, j
    for j in range(g.n, lanes):
        g.drive[j], g.h[j], g.own[j], g.tolerance[j] = g.drive[last], g.h[last], g.own[last], g.tolerance[last]
        g.y[j] = g.y[last]
        for i in range(g.variables):
            g.state[i][j] = g.state[i][last]
    classes[events[0].s.class_of].model.look(lanes, g)
    for j in range(g.n):
        s = events[j].s
        k = &classes[s.class_of]
        step_of(k, s).known = g.order
        s.bounded = BOUNDED
        if s.t < s.release:
            s.crossing = s.release
            if not orders_at(k, s, step_of(k, s), goal(events[j]) - s.t, False):
                find_end(k, s)
        else:
            s.crossing = s.t + clear_for(k, s, events[j].until - s.t)
    g.n = g.order = 0


cdef inline int take_in_lanes(int lanes, const Class* classes, Event* events, int n) noexcept nogil:
    cdef Looks g
    cdef Event* looking[8]
    cdef const Class* k
    cdef int outcomes = 0
    cdef int i
    g.n = g.order = 0
    for i in range(n):
        k = &classes[events[i].s.class_of]
        take(k, &events[i])
        outcomes += events[i].outcome != 0
        if events[i].outcome:
            continue
        if k.model.clamped and events[i].t < events[i].s.release:
            events[i].s.bounded, events[i].s.crossing = BOUNDED, events[i].s.release
            continue
        looking[g.n] = &events[i]
        place(k, &events[i], &g)
        if g.n == lanes:
            look_together(lanes, classes, looking, &g)
    if g.n:
        look_together(lanes, classes, looking, &g)
    return outcomes


cdef inline int take_all(const Class* classes, Event* events, int n) noexcept nogil:
    return take_in_lanes(lanes_at_hand(), classes, events, n)


cdef inline void reset(const Class* k, Neuron* s) noexcept nogil:
    cdef int i
    forget(k, s)
    s.v = k.c[V_RESET] * s.v + k.c[V_RESET + 1]
    for i in range(k.model.n_slots):
        variables(k, s)[i] = variables(k, s)[i] + jumps(k)[i]


cdef inline void complete(Model* m, int constants) noexcept nogil:
    """Fill in all that models of this kind have in common. constants: how many they have of their own."""
    m.own = constants
    m.take_all = take_all
    m.stepped = True
    m.settle = settle
    m.enter = enter
    m.leave = enter
    m.threshold = threshold
    m.crossing = crossing
    m.clear = clear
    m.lost = lost
    m.receive = receive
    m.reset = reset
