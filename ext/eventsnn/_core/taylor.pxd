# Models without a closed form: between two events their state is a Taylor series, renewed step by step.
# eventsnn/models/taylor.py explains it, function by function. A model gives its recurrence (`extend`); `complete` fills
# in the rest of its Model.

from libc.float cimport DBL_MAX
from libc.math cimport fabs, floor
from libc.stdint cimport int8_t, int64_t
from libc.string cimport memcpy

from eventsnn._core.mathfunc cimport exp, infinity, log, not_a_number, sin_turns
from eventsnn._core.neuron cimport (
    AT_THRESHOLD,
    BOUNDED,
    FOUND,
    MOST_VARIABLES,
    ROW,
    SEARCHED,
    Class,
    Event,
    Inbox,
    Looks,
    Model,
    Neuron,
    Series,
    Sine,
    Step,
    port_of,
    variables,
    weight_of,
)
from eventsnn._core.philox cimport lanes_at_hand

cdef enum:
    R = 0
    THRESHOLD = 2
    ORDER = 3
    FARTHEST = 4
    V_RESET = 5
    LOWEST = 7
    # then the tolerance of each variable, the jump of each slot and the scale of each port
    HEAD = 8
    # How often a step may become longer.
    TRIES = 64
    # How often less far is looked for a crossing.
    HALVINGS = 3


cdef extern from "eventsnn/_core/taylor.h" nogil:
    enum:
        FEWEST "EVENTSNN_FEWEST"                          # orders, before the last two terms say anything
        VARIABLES "EVENTSNN_VARIABLES"                    # of a neuron whose series is found beside others
    const double ULP "EVENTSNN_ULP"                       # 2^-52
    const double ROUNDING "EVENTSNN_ROUNDING"             # 2^-49
    const double NO_MORE "EVENTSNN_NO_MORE"               # 2^-20, of a tolerance, or mV


cdef extern from *:
    """
    #define EVENTSNN_LONGEST_STEP 1000.0
    #define EVENTSNN_BEYOND 1.0000000002328306
    #define EVENTSNN_FINITE 1e288
    #define EVENTSNN_NARROWEST 9.094947017729282e-13
    #define EVENTSNN_TURN 6.283185307179586
    """
    const double LONGEST_STEP "EVENTSNN_LONGEST_STEP"     # ms
    const double BEYOND "EVENTSNN_BEYOND"                 # more than a span may be wrong by
    const double FINITE "EVENTSNN_FINITE"                 # so large that its share of a tolerance is a number
    const double NARROWEST "EVENTSNN_NARROWEST"           # 2^-40, of a step
    const double TURN "EVENTSNN_TURN"                     # 2 pi


cdef inline int count(const Class* k) noexcept nogil:
    return 1 + k.model.n_slots


cdef inline double tolerance_of(const Class* k, int i) noexcept nogil:
    return k.c[HEAD + i]


cdef inline const double* jumps(const Class* k) noexcept nogil:
    return k.c + HEAD + count(k)


cdef inline const double* scales(const Class* k) noexcept nogil:
    return jumps(k) + k.model.n_slots


cdef inline const double* own(const Class* k) noexcept nogil:
    """The constants of the model itself."""
    return scales(k) + k.model.ports


cdef inline Step* step_of(const Class* k, const Neuron* s) noexcept nogil:
    return <Step*>(variables(k, s) + k.model.n_slots)


cdef inline double* series_of(const Class* k, Step* p) noexcept nogil:
    return &p.last[0] + count(k)


cdef inline double horner(const double* a, int order, double h) noexcept nogil:
    cdef double total = a[order]
    cdef int i
    for i in range(order - 1, -1, -1):
        total = total * h + a[i]
    return total


cdef inline void begin(const Class* k, const Neuron* s, Series* z, double* y, bint held) noexcept nogil:
    cdef int order = <int>k.c[ORDER]
    cdef const Sine* p
    cdef double turns, omega, sine, cosine, next
    cdef int i, j, n
    z.y = y
    z.variables = count(k)
    z.held = held
    y[0] = s.v
    for i in range(k.model.n_slots):
        y[(1 + i) * ROW] = variables(k, s)[i]
    for n in range(order + 1):
        z.force[n] = 0.0
    z.force[0] = s.drive
    z.force[1] = s.slope
    for j in range(s.n_sines):
        p = &s.sines[j]
        turns = p.frequency * s.t + p.phase
        turns = turns - floor(turns)
        omega = TURN * p.frequency
        sine = k.c[R] * p.amplitude * sin_turns(turns)
        cosine = k.c[R] * p.amplitude * sin_turns(turns + 0.25)
        for n in range(order + 1):
            z.force[n] = z.force[n] + sine
            next = omega * cosine / (n + 1)
            cosine = -omega * sine / (n + 1)
            sine = next


# ---- how many orders


cdef inline bint is_alone(const Class* k, const Neuron* s) noexcept nogil:
    """Whether the series follows from the state alone, and may be cut off where its terms are small."""
    return s.slope == 0.0 and s.n_sines == 0 and k.model.revise == NULL


cdef inline bint is_small(const Class* k, const double* y, int n, double power) noexcept nogil:
    """Whether the terms of order n are below the tolerance where h^n is `power`."""
    cdef double size
    cdef int i
    for i in range(count(k)):
        size = fabs(y[i * ROW + n])
        if not size * power <= tolerance_of(k, i) or not size <= FINITE:
            return False
    return True


cdef inline int orders_at(const Class* k, const Neuron* s, Step* p, double h, bint held) noexcept nogil:
    """How many orders the state at h takes, which are then known; 0 if it takes more than there are."""
    cdef int order = <int>k.c[ORDER]
    cdef double* y = series_of(k, p)
    cdef bint last = False
    cdef bint begun = False
    cdef double power = h * h
    cdef bint small
    cdef Series z
    cdef int n
    if not is_alone(k, s) or not h < LONGEST_STEP:
        return 0
    for n in range(FEWEST - 1, order + 1):
        if n > p.known:
            if not begun:
                begin(k, s, &z, y, held)
            k.model.extend(own(k), &z, n - 1 if begun else 0, n)
            begun = True
            p.known = n
        power = power * h
        small = is_small(k, y, n, power)
        if small and last:
            return n
        last = small
    return 0


cdef inline double span_at(const Class* k, const double* y, int order) noexcept nogil:
    """How far the last two terms of so many orders stay below the tolerance."""
    cdef double span = LONGEST_STEP
    cdef double largest, share
    cdef int i, n
    for n in range(order - 1, order + 1):
        largest = 0.0
        for i in range(count(k)):
            share = fabs(y[i * ROW + n]) / tolerance_of(k, i)
            if not share <= DBL_MAX:
                return 0.0
            largest = max(largest, share)
        if largest > 0.0:
            span = min(span, exp(-log(largest) / n))
    return span


cdef inline bint is_slow(const Neuron* s, const double* y, double span) noexcept nogil:
    """Whether V may be at rest."""
    return s.slope == 0.0 and not s.n_sines and fabs(y[1]) * span <= NO_MORE


cdef inline bint has_not_moved(const Class* k, const Step* p, const double* y) noexcept nogil:
    cdef int i
    for i in range(count(k)):
        if not fabs(p.last[i] - y[i * ROW]) <= ROUNDING * fabs(y[i * ROW]) + NO_MORE * tolerance_of(k, i):
            return False
    return True


cdef inline double length(double t, double span) noexcept nogil:
    """Of a step, so that its end is fl(t + this)."""
    return (t + span) - t


cdef inline double longest(const Class* k, const Neuron* s, Step* p, double span) noexcept nogil:
    """How far a step goes whose terms of fewer orders may happen to stay below the tolerance for longer."""
    cdef double other
    cdef int _try, n
    for _try in range(TRIES):
        span = min(span * BEYOND, LONGEST_STEP)
        n = orders_at(k, s, p, span, False)
        other = span_at(k, series_of(k, p), n) if n else 0.0
        if not other > 0.0:
            break
        p.order = n
        span = max(span, other)
    return span


cdef inline void end_step(const Class* k, const Neuron* s, Step* p, double span, int order) noexcept nogil:
    cdef int i
    p.span = length(s.t, span)
    p.end = s.t + p.span
    for i in range(count(k)):
        p.last[i] = horner(series_of(k, p) + i * ROW, order, p.span)


cdef inline void take_step(const Class* k, const Neuron* s, Step* p, bint held) noexcept nogil:
    """Find the whole series, how long it is good for and where it ends."""
    cdef int order = <int>k.c[ORDER]
    cdef double* y = series_of(k, p)
    cdef double span
    cdef Series z
    cdef int i, n
    z.held = held
    if p.known < order:
        begin(k, s, &z, y, held)
        k.model.extend(own(k), &z, 0, order)
        p.known = order
    p.order = order
    span = span_at(k, y, order)
    if is_slow(s, y, span):
        end_step(k, s, p, span, order)
    if is_slow(s, y, span) and has_not_moved(k, p, y) and p.end > s.t:
        p.end = infinity()
        p.span = infinity()
        p.order = 0
        for i in range(count(k)):
            p.last[i] = y[i * ROW]
    else:
        n = order
        if is_alone(k, s):
            span = longest(k, s, p, span)
            n = orders_at(k, s, p, length(s.t, span), False) if length(s.t, span) < span else 0
        end_step(k, s, p, span, n if n else <int>p.order)
    if k.model.revise != NULL:
        k.model.revise(k, s, p, &z)
    p.whole = 1.0


cdef inline void forget(const Class* k, Neuron* s) noexcept nogil:
    step_of(k, s).known = step_of(k, s).whole = 0.0


cdef inline void keep_step(const Class* k, const Neuron* s) noexcept nogil:
    """Let a free neuron have the step on which it is. That is no change of its state."""
    cdef Step* p = step_of(k, s)
    if p.whole == 0.0:
        take_step(k, s, p, False)


cdef inline void go(const Class* k, Neuron* s, double t, bint held) noexcept nogil:
    """Advance the state to t."""
    cdef Step* p = step_of(k, s)
    cdef double* y = series_of(k, p)
    cdef double h
    cdef int i, n
    if held:
        forget(k, s)
    while s.t < t:
        h = t - s.t
        n = orders_at(k, s, p, h, held) if p.whole == 0.0 or t < p.end else 0
        if n == 0:
            if p.whole == 0.0:
                take_step(k, s, p, held)
            if not p.end > s.t:
                break  # so fast that time does not advance: it crosses its threshold now
            n = <int>p.order
            if not t < p.end:
                h = p.span
                s.v = p.last[0]
                for i in range(k.model.n_slots):
                    variables(k, s)[i] = p.last[1 + i]
                if s.slope != 0.0:
                    s.drive = s.drive + s.slope * h
                s.t = p.end
                forget(k, s)
                continue
        s.v = horner(y, n, h)
        for i in range(k.model.n_slots):
            variables(k, s)[i] = horner(y + (1 + i) * ROW, n, h)
        if s.slope != 0.0:
            s.drive = s.drive + s.slope * h
        break
    s.t = t
    forget(k, s)


cdef inline void settle(const Class* k, Neuron* s, double t) noexcept nogil:
    if t < s.release:
        go(k, s, t, k.model.clamped)
    else:
        if s.t < s.release:
            go(k, s, s.release, k.model.clamped)
        go(k, s, t, False)


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
    m.receive = receive
    m.reset = reset
