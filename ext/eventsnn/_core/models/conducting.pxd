# The state of neurons with conductances from one event to the next, and its first crossing:
# eventsnn/models/conductance.py explains it, function by function.

from libc.math cimport fabs, floor
from libc.stdint cimport int8_t

from eventsnn._core.base.mathfunc cimport expm1, infinity, log1p, not_a_number, sin_turns
from eventsnn._core.solve.neuron cimport FOUND, R, SEARCHED, THRESHOLD, Class, Neuron, Sine, variables


# Where the constants of a neuron are, behind those of all neurons; R is 1 / C_m.
cdef extern from "eventsnn/_core/models/conductance.h":
    cpdef enum:
        RATE_L "EVENTSNN_RATE_L"
        E_L "EVENTSNN_E_L"
        V_RESET "EVENTSNN_V_RESET"
        E_EX "EVENTSNN_E_EX"
        E_IN "EVENTSNN_E_IN"
        RATE_EX "EVENTSNN_RATE_EX"
        RATE_IN "EVENTSNN_RATE_IN"
        TAU_EX "EVENTSNN_TAU_EX"
        TAU_IN "EVENTSNN_TAU_IN"
        SCALES "EVENTSNN_SCALES"


cdef extern from "eventsnn/_core/models/conductance.h" nogil:
    const int* PAIRS "eventsnn_pairs"
    const double (*NODES "eventsnn_nodes")[6][2]
    ctypedef struct Constants "eventsnn_one_constants":
        double per_c
        double V_th
        double rate_l
        double E_L
        double E_ex
        double E_in
        double rate_ex
        double rate_in
        double tau_ex
        double tau_in
    void decay "eventsnn_one_decay"(const Constants* c, double h, int slots, double* x)
    double v_after "eventsnn_one_v_after"(
        const Constants* c, double v, double drive, const double* x, double h, int rule, int slots, const double* force
    )
    double bound_of "eventsnn_one_bound"(const Constants* c, double v, double drive, const double* x, int slots)


cdef extern from *:
    """
    #define EVENTSNN_NOTHING 5.421010862427522e-20
    #define EVENTSNN_LARGEST_RATE 32768.0
    #define EVENTSNN_NARROWEST 9.094947017729282e-13
    #define EVENTSNN_BEYOND 1.0625
    #define EVENTSNN_SHORTEST_LOOK 0.0625
    #define EVENTSNN_ENOUGH 5.551115123125783e-17
    #define EVENTSNN_TURN 6.283185307179586
    """
    const double NOTHING "EVENTSNN_NOTHING"               # 2^-64
    const double LARGEST_RATE "EVENTSNN_LARGEST_RATE"     # 1/ms, 2^15
    const double NARROWEST "EVENTSNN_NARROWEST"           # 2^-40, of a step
    const double BEYOND "EVENTSNN_BEYOND"                 # a crossing that is expected
    const double SHORTEST_LOOK "EVENTSNN_SHORTEST_LOOK"   # of a step
    const double ENOUGH "EVENTSNN_ENOUGH"                 # 2^-54, of a step
    const double TURN "EVENTSNN_TURN"                     # 2 pi


cdef struct Speed:
    double a
    double decay


cdef struct Point:
    double h
    double f          # V - V_th, if known
    bint known
    double x[4]


cdef inline void get_constants(const Class* k, Constants* c) noexcept nogil:
    c.per_c, c.V_th, c.rate_l, c.E_L = k.c[R], k.c[THRESHOLD], k.c[RATE_L], k.c[E_L]
    c.E_ex, c.E_in, c.rate_ex, c.rate_in = k.c[E_EX], k.c[E_IN], k.c[RATE_EX], k.c[RATE_IN]
    c.tau_ex, c.tau_in = k.c[TAU_EX], k.c[TAU_IN]


cdef inline Speed speed_of(const Class* k, const Neuron* s) noexcept nogil:
    cdef const double* x = variables(k, s)
    cdef Speed speed
    cdef double ex = x[0]
    cdef double inh = x[1]
    cdef int i
    if k.model.n_slots == 4:
        ex = ex + k.c[TAU_EX] * x[2]
        inh = inh + k.c[TAU_IN] * x[3]
    speed.decay = k.c[RATE_EX] if ex > 0.0 else 0.0
    if inh > 0.0 and k.c[RATE_IN] > speed.decay:
        speed.decay = k.c[RATE_IN]
    for i in range(s.n_sines):
        if TURN * s.sines[i].frequency > speed.decay:
            speed.decay = TURN * s.sines[i].frequency
    speed.a = k.c[RATE_L] + k.c[R] * (ex + inh)
    return speed


cdef inline bint is_silent(const Speed* speed, const Neuron* s) noexcept nogil:
    return speed.decay == 0.0 and s.slope == 0.0 and s.n_sines == 0


cdef inline double span_of(const Speed* speed, double t) noexcept nogil:
    """The length of a step that begins at t, such that the step ends at fl(t + length)."""
    cdef double by_a = 0.125 * speed.a
    cdef double by_decay = 2.0 * speed.decay
    cdef double span = 1.0 / (by_a if by_a > by_decay else by_decay)
    return (t + span) - t


cdef inline int rule_of(const Speed* speed, double h) noexcept nogil:
    cdef double a = speed.a * h
    cdef double y = speed.decay * h
    # Without branches, which would be mispredicted.
    cdef int first = <int>(a <= 0.75) & <int>(y <= 0.125)
    cdef int second = <int>(a <= 2.5) & <int>(y <= 0.25)
    return 2 - (first | second) - first


cdef inline double rise_of(const Class* k, const Neuron* s) noexcept nogil:
    return k.c[RATE_L] * (k.c[E_L] - s.v) + s.drive


cdef inline double sine(const Neuron* s, const Sine* p, double phase, double h) noexcept nogil:
    cdef double turns = p.frequency * s.t + phase
    return sin_turns((turns - floor(turns)) + p.frequency * h)


cdef inline double force_of(const Class* k, const Neuron* s, double h) noexcept nogil:
    cdef double total = s.slope * h
    cdef int i
    for i in range(s.n_sines):
        total = total + k.c[R] * s.sines[i].amplitude * sine(s, &s.sines[i], s.sines[i].phase, h)
    return total


cdef inline double later(const Class* k, const Neuron* s, double h, const Speed* speed) noexcept nogil:
    """V after h, within a step."""
    cdef Constants c
    cdef double force[12]
    cdef bint forced = s.slope != 0.0 or s.n_sines != 0
    cdef int rule = rule_of(speed, h)
    cdef double half = 0.5 * h
    cdef double z
    cdef int i
    get_constants(k, &c)
    if forced:
        for i in range(PAIRS[rule]):
            z = h * NODES[rule][i][0]
            force[2 * i] = force_of(k, s, half + z)
            force[2 * i + 1] = force_of(k, s, half - z)
    return v_after(&c, s.v, s.drive, variables(k, s), h, rule, k.model.n_slots, force if forced else NULL)


cdef inline void drop(const Class* k, Neuron* s) noexcept nogil:
    cdef double* x = variables(k, s)
    cdef bint alpha = k.model.n_slots == 4
    cdef double tau, most
    cdef int i
    for i in range(2):
        tau = k.c[TAU_EX + i]
        most = x[i] + tau * x[2 + i] if alpha else x[i]
        if (k.c[R] * tau) * most < NOTHING:
            x[i] = 0.0
            if alpha:
                x[2 + i] = 0.0


cdef inline void flow(const Class* k, Neuron* s, double h, const Speed* speed, bint held) noexcept nogil:
    """Advance the state, but for its time, within a step."""
    cdef Constants c
    get_constants(k, &c)
    if not held:
        s.v = later(k, s, h, speed)
    decay(&c, h, k.model.n_slots, variables(k, s))
    if s.slope != 0.0:
        s.drive = s.drive + s.slope * h


cdef inline bint is_near(const Speed* speed, double h) noexcept nogil:
    """Whether h is surely within a step, being at most half of one."""
    return speed.a * h <= 4.0 and speed.decay * h <= 0.25 and speed.decay > 0.0


cdef inline bint go_near(const Class* k, Neuron* s, double t, Speed* speed, bint held) noexcept nogil:
    """Take whole steps, and leave the last one to t; False if there is none."""
    cdef double h, end
    while s.t < t:
        speed[0] = speed_of(k, s)
        if is_near(speed, t - s.t):
            return True
        if is_silent(speed, s):
            if not held:
                s.v = s.v - (rise_of(k, s) / k.c[RATE_L]) * expm1(-(k.c[RATE_L] * (t - s.t)))
            break
        h = span_of(speed, s.t)
        end = s.t + h
        if t < end:
            return True
        if not end > s.t:
            break
        flow(k, s, h, speed, held)
        drop(k, s)
        s.t = end
    s.t = t
    return False


cdef inline void go(const Class* k, Neuron* s, double t, bint held) noexcept nogil:
    cdef Speed speed
    if go_near(k, s, t, &speed, held):
        flow(k, s, t - s.t, &speed, held)
        s.t = t


cdef inline void settle(const Class* k, Neuron* s, double t) noexcept nogil:
    if t < s.release:
        go(k, s, t, True)
    else:
        if s.t < s.release:
            go(k, s, s.release, True)
        go(k, s, t, False)


# ---- crossings


cdef inline Point point_at(const Class* k, const Neuron* s, double h) noexcept nogil:
    cdef Constants c
    cdef Point p
    cdef int i
    get_constants(k, &c)
    p.h, p.known = h, False
    for i in range(k.model.n_slots):
        p.x[i] = variables(k, s)[i]
    if h > 0.0:
        decay(&c, h, k.model.n_slots, p.x)
    return p


cdef inline double f_at(const Class* k, const Neuron* s, const Speed* speed, Point* p) noexcept nogil:
    if not p.known:
        p.f = later(k, s, p.h, speed) - k.c[THRESHOLD]
        p.known = True
    return p.f


cdef inline void range_between(
    const Class* k, const Neuron* s, const Point* p, const Point* q, double* least, double* most
) noexcept nogil:
    """The least and the most that phi can be between two points."""
    cdef double width = q.h - p.h
    cdef double swing = s.slope * width
    cdef double now, reach, small, large, pull
    cdef int i
    least[0] = (k.c[RATE_L] * (k.c[E_L] - k.c[THRESHOLD]) + s.drive) + s.slope * p.h
    most[0] = least[0]
    if swing > 0.0:
        most[0] = most[0] + swing
    else:
        least[0] = least[0] + swing
    for i in range(s.n_sines):
        now = k.c[R] * s.sines[i].amplitude * sine(s, &s.sines[i], s.sines[i].phase, p.h)
        reach = TURN * s.sines[i].frequency * width
        swing = fabs(k.c[R] * s.sines[i].amplitude) * (reach if reach < 2.0 else 2.0)
        least[0] = least[0] + (now - swing)
        most[0] = most[0] + (now + swing)
    for i in range(2):
        pull = k.c[R] * (k.c[E_EX + i] - k.c[THRESHOLD])
        small = q.x[i]
        large = p.x[i]
        if k.model.n_slots == 4:
            small = small if small < p.x[i] else p.x[i]
            large = large + p.x[2 + i] * width
        least[0] = least[0] + pull * (small if pull > 0.0 else large)
        most[0] = most[0] + pull * (large if pull > 0.0 else small)


cdef inline void derivatives(
    const Class* k, const Neuron* s, const Point* p, double* first, double* second
) noexcept nogil:
    """The first two derivatives of F at a point where F is known."""
    cdef const double* c = k.c
    cdef double pull_ex = c[R] * (c[E_EX] - c[THRESHOLD])
    cdef double pull_in = c[R] * (c[E_IN] - c[THRESHOLD])
    cdef double phi = (c[RATE_L] * (c[E_L] - c[THRESHOLD]) + s.drive) + (pull_ex * p.x[0] + pull_in * p.x[1])
    cdef double ex = -c[RATE_EX] * p.x[0]
    cdef double inh = -c[RATE_IN] * p.x[1]
    cdef double bend, a
    cdef int i
    if k.model.n_slots == 4:
        ex = ex + p.x[2]
        inh = inh + p.x[3]
    bend = pull_ex * ex + pull_in * inh
    if s.slope != 0.0 or s.n_sines:
        phi = phi + force_of(k, s, p.h)
        bend = bend + s.slope
        for i in range(s.n_sines):
            bend = bend + (TURN * s.sines[i].frequency) * (c[R] * s.sines[i].amplitude) * sine(
                s, &s.sines[i], s.sines[i].phase + 0.25, p.h
            )
    a = c[RATE_L] + c[R] * (p.x[0] + p.x[1])
    first[0] = phi - a * p.f
    second[0] = bend - c[R] * (ex + inh) * p.f - a * first[0]


cdef inline double ahead(const Class* k, const Neuron* s, const Point* p, double span) noexcept nogil:
    """How far to look for a crossing next: a little beyond where it seems to be."""
    cdef double first, second, step, turn, h
    derivatives(k, s, p, &first, &second)
    if not first > 0.0:
        return span
    step = -p.f / first
    turn = 0.5 * step * second / first
    if not turn > -0.5:
        return span
    step = BEYOND * (step / (1.0 + turn))
    h = p.h + (step if step > SHORTEST_LOOK * span else SHORTEST_LOOK * span)
    return h if h < span else span


cdef inline double root(
    const Class* k, const Neuron* s, const Speed* speed, const Point* low, const Point* high, double span
) noexcept nogil:
    """Where F, negative at one point and not at the other, is zero."""
    cdef Point here = low[0] if -low.f < high.f else high[0]
    cdef double below = low.h
    cdef double above = high.h
    cdef double first, second, h, step, turn, part
    cdef int _try
    for _try in range(100):
        if here.f < 0.0:
            below = here.h
        else:
            above = here.h
        derivatives(k, s, &here, &first, &second)
        h = below
        step = turn = infinity()
        if first > 0.0:
            step = here.f / first
            turn = 0.5 * step * second / first
            if turn < 0.5:
                h = here.h - step / (1.0 - turn)
        part = 8.0 * step / span
        if fabs(step) * (turn * turn + part * part) <= ENOUGH * span:
            return h if below <= h <= above else here.h
        if not below < h < above:
            h = below + 0.5 * (above - below)
            if not below < h < above:
                return above
        here = point_at(k, s, h)
        f_at(k, s, speed, &here)
    return above


cdef inline double silent_crossing(const Class* k, const Neuron* s) noexcept nogil:
    cdef double rise = rise_of(k, s)
    cdef double share = (k.c[RATE_L] * (k.c[THRESHOLD] - s.v)) / rise if rise > 0.0 else 1.0
    return s.t + -log1p(-share) / k.c[RATE_L] if share < 1.0 else infinity()


cdef inline double crossing(const Class* k, const Neuron* s, double start, int8_t* certainty) noexcept nogil:
    cdef Speed speed = speed_of(k, s)
    cdef Point low, above
    cdef double span, end, high, width, least, most, left, h
    certainty[0] = FOUND
    if s.v >= k.c[THRESHOLD]:
        return s.t
    if not speed.a <= LARGEST_RATE:
        return not_a_number()
    if is_silent(&speed, s):
        return silent_crossing(k, s)
    span = span_of(&speed, s.t)
    end = s.t + span
    if not end > s.t:
        return not_a_number()
    low = point_at(k, s, 0.0)
    low.f, low.known = s.v - k.c[THRESHOLD], True
    high = ahead(k, s, &low, span)
    while True:
        above = point_at(k, s, high)
        width = high - low.h
        range_between(k, s, &low, &above, &least, &most)
        left = 1.0 - speed.a * width
        if most <= 0.0 or low.f * (left if left > 0.0 else 0.0) + most * width < 0.0:
            pass
        elif least >= 0.0 or width <= NARROWEST * span:
            if f_at(k, s, &speed, &above) >= 0.0:
                h = root(k, s, &speed, &low, &above, span)
                return s.t + h if s.t + h < end else end
        else:
            high = low.h + 0.5 * width
            continue
        if high == span:
            certainty[0] = SEARCHED
            return end
        low = above
        f_at(k, s, &speed, &low)
        high = ahead(k, s, &low, span)


cdef inline double bound(const Class* k, const Neuron* s) noexcept nogil:
    cdef Constants c
    cdef Speed speed
    if s.slope != 0.0 or s.n_sines:
        return 0.0
    speed = speed_of(k, s)
    if not speed.a <= LARGEST_RATE:
        return 0.0
    get_constants(k, &c)
    return bound_of(&c, s.v, s.drive, variables(k, s), k.model.n_slots)


cdef inline bint clear(const Class* k, const Neuron* s, double h) noexcept nogil:
    return h < bound(k, s)
