"""Leaky membranes with conductances, exponential or alpha: eventsnn/models/conductance.py explains it, function by
function."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport fabs, floor
from libc.stdint cimport int8_t, int64_t
from libc.stdlib cimport calloc, free

from eventsnn._core.mathfunc cimport expm1, infinity, log1p, not_a_number, sin_turns
from eventsnn._core.neuron cimport (
    AT_THRESHOLD,
    BOUNDED,
    FOUND,
    LOST,
    SEARCHED,
    Class,
    Event,
    Inbox,
    Model,
    Neuron,
    Sine,
    port_of,
    variables,
    weight_of,
)
from eventsnn._core.philox cimport lanes_at_hand

cdef enum:
    V_RESET = 6
    SCALES = 13
    MOST_LANES = 8


cdef extern from "eventsnn/_core/conductance.h" nogil:
    enum:
        ROOM "EVENTSNN_ROOM"
        RULES "EVENTSNN_RULES"
        HELD "EVENTSNN_HELD"
        PER_C "EVENTSNN_PER_C"
        THRESHOLD "EVENTSNN_V_TH"
        RATE_L "EVENTSNN_RATE_L"
        E_L "EVENTSNN_E_L"
        E_EX "EVENTSNN_E_EX"
        E_IN "EVENTSNN_E_IN"
        RATE_EX "EVENTSNN_RATE_EX"
        RATE_IN "EVENTSNN_RATE_IN"
        TAU_EX "EVENTSNN_TAU_EX"
        TAU_IN "EVENTSNN_TAU_IN"
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
    ctypedef struct Conducting "eventsnn_conducting":
        double v[64]
        double h[64]
        double drive[64]
        double x[4][64]
        double added[2][64]
        double bound[64]
        double a[64]
        const double* c[64]
        int n

    void decay "eventsnn_one_decay"(const Constants* c, double h, int slots, double* x)
    double v_after "eventsnn_one_v_after"(
        const Constants* c, double v, double drive, const double* x, double h, int rule, int slots, const double* force
    )
    double bound_of "eventsnn_one_bound"(const Constants* c, double v, double drive, const double* x, int slots)
    void conduct "eventsnn_conduct"(int lanes, Conducting* e, int rule, int slots)


cdef extern from *:
    """
    #define EVENTSNN_NOTHING 5.421010862427522e-20
    #define EVENTSNN_LARGEST_RATE 1048576.0
    #define EVENTSNN_NARROWEST 9.094947017729282e-13
    #define EVENTSNN_BEYOND 1.0625
    #define EVENTSNN_SHORTEST_LOOK 0.0625
    #define EVENTSNN_ENOUGH 5.551115123125783e-17
    #define EVENTSNN_TURN 6.283185307179586
    """
    const double NOTHING "EVENTSNN_NOTHING"               # 2^-64
    const double LARGEST_RATE "EVENTSNN_LARGEST_RATE"     # 1/ms, 2^20
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
    c.per_c, c.V_th, c.rate_l, c.E_L = k.c[PER_C], k.c[THRESHOLD], k.c[RATE_L], k.c[E_L]
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
    speed.a = k.c[RATE_L] + k.c[PER_C] * (ex + inh)
    return speed


cdef inline bint is_silent(const Speed* speed, const Neuron* s) noexcept nogil:
    return speed.decay == 0.0 and s.slope == 0.0 and s.n_sines == 0


cdef inline double span_of(const Speed* speed, double t) noexcept nogil:
    """Of a step, so that its end is fl(t + this)."""
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


cdef double force_of(const Class* k, const Neuron* s, double h) noexcept nogil:
    cdef double total = s.slope * h
    cdef int i
    for i in range(s.n_sines):
        total = total + k.c[PER_C] * s.sines[i].amplitude * sine(s, &s.sines[i], s.sines[i].phase, h)
    return total


cdef double later(const Class* k, const Neuron* s, double h, const Speed* speed) noexcept nogil:
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
        if (k.c[PER_C] * tau) * most < NOTHING:
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


cdef bint go_near(const Class* k, Neuron* s, double t, Speed* speed, bint held) noexcept nogil:
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


cdef void go(const Class* k, Neuron* s, double t, bint held) noexcept nogil:
    cdef Speed speed
    if go_near(k, s, t, &speed, held):
        flow(k, s, t - s.t, &speed, held)
        s.t = t


cdef void settle(const Class* k, Neuron* s, double t) noexcept nogil:
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


cdef void range_between(
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
        now = k.c[PER_C] * s.sines[i].amplitude * sine(s, &s.sines[i], s.sines[i].phase, p.h)
        reach = TURN * s.sines[i].frequency * width
        swing = fabs(k.c[PER_C] * s.sines[i].amplitude) * (reach if reach < 2.0 else 2.0)
        least[0] = least[0] + (now - swing)
        most[0] = most[0] + (now + swing)
    for i in range(2):
        pull = k.c[PER_C] * (k.c[E_EX + i] - k.c[THRESHOLD])
        small = q.x[i]
        large = p.x[i]
        if k.model.n_slots == 4:
            small = small if small < p.x[i] else p.x[i]
            large = large + p.x[2 + i] * width
        least[0] = least[0] + pull * (small if pull > 0.0 else large)
        most[0] = most[0] + pull * (large if pull > 0.0 else small)


cdef void derivatives(const Class* k, const Neuron* s, const Point* p, double* first, double* second) noexcept nogil:
    """Of F at a point where it is known."""
    cdef const double* c = k.c
    cdef double pull_ex = c[PER_C] * (c[E_EX] - c[THRESHOLD])
    cdef double pull_in = c[PER_C] * (c[E_IN] - c[THRESHOLD])
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
            bend = bend + (TURN * s.sines[i].frequency) * (c[PER_C] * s.sines[i].amplitude) * sine(
                s, &s.sines[i], s.sines[i].phase + 0.25, p.h
            )
    a = c[RATE_L] + c[PER_C] * (p.x[0] + p.x[1])
    first[0] = phi - a * p.f
    second[0] = bend - c[PER_C] * (ex + inh) * p.f - a * first[0]


cdef double ahead(const Class* k, const Neuron* s, const Point* p, double span) noexcept nogil:
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


cdef double root(
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


cdef double silent_crossing(const Class* k, const Neuron* s) noexcept nogil:
    cdef double rise = rise_of(k, s)
    cdef double share = (k.c[RATE_L] * (k.c[THRESHOLD] - s.v)) / rise if rise > 0.0 else 1.0
    return s.t + -log1p(-share) / k.c[RATE_L] if share < 1.0 else infinity()


cdef double crossing(const Class* k, const Neuron* s, double start, int8_t* certainty) noexcept nogil:
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


cdef double bound(const Class* k, const Neuron* s) noexcept nogil:
    cdef Constants c
    cdef Speed speed
    if s.slope != 0.0 or s.n_sines:
        return 0.0
    speed = speed_of(k, s)
    if not speed.a <= LARGEST_RATE:
        return 0.0
    get_constants(k, &c)
    return bound_of(&c, s.v, s.drive, variables(k, s), k.model.n_slots)


cdef bint clear(const Class* k, const Neuron* s, double h) noexcept nogil:
    return h < bound(k, s)


# ---- what events do


cdef void enter(const Class* k, Neuron* s) noexcept nogil:
    pass


cdef double threshold(const Class* k, const Neuron* s) noexcept nogil:
    return k.c[THRESHOLD]


cdef bint lost(const Class* k, const Neuron* s) noexcept nogil:
    cdef Speed speed = speed_of(k, s)
    return not speed.a <= LARGEST_RATE


cdef bint receive(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double* total
) noexcept nogil:
    cdef double* x = variables(k, s) + k.model.target[0]
    cdef double sums[2]
    cdef double weight
    cdef int64_t i
    sums[0] = sums[1] = 0.0
    for i in range(next, end):
        weight = weight_of(b, i)
        sums[port_of(k.model, b, i, weight)] += fabs(weight)
    x[0] = x[0] + (sums[0] + total[0]) * k.c[SCALES]
    x[1] = x[1] + (sums[1] + total[1]) * k.c[SCALES + 1]
    return s.v >= k.c[THRESHOLD]


cdef inline void add(const Class* k, Event* event, int* outcomes) noexcept nogil:
    """What a single event does, at which the state is settled."""
    cdef Neuron* s = event.s
    cdef double* x = variables(k, s) + k.model.target[0]
    x[0] = x[0] + event.total[0] * k.c[SCALES]
    x[1] = x[1] + event.total[1] * k.c[SCALES + 1]
    finish(k, event, lost(k, s), bound(k, s), outcomes)


cdef inline void finish(const Class* k, Event* event, bint is_lost, double until, int* outcomes) noexcept nogil:
    """Predict the crossing, and note what else has come of an event. until (ms): none before."""
    cdef Neuron* s = event.s
    cdef bint held = event.t < s.release
    event.outcome = LOST if is_lost else 0
    if not held and s.v >= k.c[THRESHOLD]:
        event.outcome = event.outcome | AT_THRESHOLD
    s.crossing = s.release if held else event.t + until
    s.bounded = BOUNDED
    outcomes[0] += event.outcome != 0


# ---- events side by side


cdef struct Group:
    Conducting e
    Event* event[ROOM]


cdef inline void place(const Class* k, Event* event, Group* g) noexcept nogil:
    """Put an event into the next place of a group."""
    cdef const Neuron* s = event.s
    cdef const double* x = variables(k, s)
    cdef Conducting* e = &g.e
    cdef int j = e.n
    e.n += 1
    g.event[j] = event
    e.c[j] = k.c
    e.h[j], e.v[j], e.drive[j] = event.t - s.t, s.v, s.drive
    e.x[0][j], e.x[1][j] = x[0], x[1]
    if k.model.n_slots == 4:
        e.x[2][j], e.x[3][j] = x[2], x[3]
    e.added[0][j] = event.total[0] * k.c[SCALES]
    e.added[1][j] = event.total[1] * k.c[SCALES + 1]


cdef inline void fill_up(Conducting* e) noexcept nogil:
    """Let the lanes that are over have what the last one has."""
    cdef int last = e.n - 1
    cdef int i, j
    for j in range(e.n, (e.n + MOST_LANES - 1) // MOST_LANES * MOST_LANES):
        e.h[j], e.v[j], e.drive[j], e.c[j] = e.h[last], e.v[last], e.drive[last], e.c[last]
        for i in range(4):
            e.x[i][j] = e.x[i][last]
        for i in range(2):
            e.added[i][j] = e.added[i][last]


cdef void take_group(int lanes, const Class* classes, Group* g, int rule, int slots, int* outcomes) noexcept nogil:
    cdef Conducting* e = &g.e
    cdef Neuron* s
    cdef double* x
    cdef int j
    fill_up(e)
    conduct(lanes, e, rule, slots)
    for j in range(e.n):
        s = g.event[j].s
        x = variables(NULL, s)
        s.t, s.v, x[0], x[1] = g.event[j].t, e.v[j], e.x[0][j], e.x[1][j]
        if slots == 4:
            x[2], x[3] = e.x[2][j], e.x[3][j]
        finish(&classes[s.class_of], g.event[j], not e.a[j] <= LARGEST_RATE, e.bound[j], outcomes)
    e.n = 0


cdef int take_in_lanes(int lanes, const Class* classes, Event* events, int n) noexcept nogil:
    """The last steps to events side by side, by their rules."""
    cdef Group groups[RULES + 1]
    cdef const Class* k = NULL
    cdef Neuron* s
    cdef Speed speed
    cdef bint held
    cdef int outcomes = 0
    cdef int i, rule
    for rule in range(RULES + 1):
        groups[rule].e.n = 0
    for i in range(n):
        s = events[i].s
        k = &classes[s.class_of]
        held = events[i].t < s.release
        speed = speed_of(k, s)
        if not is_near(&speed, events[i].t - s.t) and not go_near(k, s, events[i].t, &speed, held):
            add(k, &events[i], &outcomes)
            continue
        rule = rule_of(&speed, events[i].t - s.t)
        rule = HELD if held else rule
        place(k, &events[i], &groups[rule])
        if groups[rule].e.n == ROOM:
            take_group(lanes, classes, &groups[rule], rule, k.model.n_slots, &outcomes)
    for rule in range(RULES + 1):
        if groups[rule].e.n:
            take_group(lanes, classes, &groups[rule], rule, k.model.n_slots, &outcomes)
    return outcomes


cdef int take_all(const Class* classes, Event* events, int n) noexcept nogil:
    return take_in_lanes(lanes_at_hand(), classes, events, n)


cdef void reset(const Class* k, Neuron* s) noexcept nogil:
    s.v = k.c[V_RESET]


cdef Model model
model.stepped = True
model.settle = settle
model.enter = enter
model.leave = enter
model.threshold = threshold
model.crossing = crossing
model.bound = bound
model.clear = clear
model.lost = lost
model.receive = receive
model.reset = reset
model.take_all = take_all


def side_by_side(int lanes, double[:, ::1] state, double[:, ::1] constants):
    """Take events of neurons in vectors of so many lanes. state: time, that of the event, V, drive, end of
    refractoriness, what arrives at both ports, and slots, a row each; changed in place. Returns which have an outcome
    and, for each, before when there is no crossing."""
    cdef int n = <int>state.shape[0]
    cdef int slots = <int>state.shape[1] - 7
    cdef Py_ssize_t stride = sizeof(Neuron) + slots * sizeof(double)
    cdef Model of = model
    cdef Class* classes = <Class*>calloc(n, sizeof(Class))
    cdef char* record = <char*>calloc(n, stride)
    cdef Event* events = <Event*>calloc(n, sizeof(Event))
    cdef Neuron* s
    cdef int i, j
    of.n_slots, of.ports = slots, 2
    of.target[0], of.target[1] = slots - 2, slots - 1
    if classes == NULL or record == NULL or events == NULL:
        raise MemoryError
    for i in range(n):
        classes[i].model, classes[i].c = &of, &constants[i, 0]
        s = events[i].s = <Neuron*>(record + i * stride)
        s.class_of = i
        s.t, events[i].t, s.v, s.drive, s.release = state[i, 0], state[i, 1], state[i, 2], state[i, 3], state[i, 4]
        events[i].total[0], events[i].total[1] = state[i, 5], state[i, 6]
        for j in range(slots):
            variables(&classes[i], s)[j] = state[i, 7 + j]
    take_in_lanes(min(lanes, lanes_at_hand()), classes, events, n)
    for i in range(n):
        s = events[i].s
        state[i, 0], state[i, 2] = s.t, s.v
        for j in range(slots):
            state[i, 7 + j] = variables(&classes[i], s)[j]
    outcomes = [(events[i].outcome, events[i].s.crossing) for i in range(n)]
    free(classes)
    free(record)
    free(events)
    return outcomes


kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
