"""Leaky membranes with conductances, exponential or alpha: what events do to them, one by one and side by side.
conducting.pxd has what happens between events."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport fabs
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from eventsnn._core.models.conducting cimport (
    LARGEST_RATE,
    SCALES,
    V_RESET,
    Speed,
    bound,
    clear,
    crossing,
    go_near,
    is_near,
    rule_of,
    settle,
    speed_of,
)
from eventsnn._core.solve.neuron cimport (
    AT_THRESHOLD,
    BOUNDED,
    LOST,
    THRESHOLD,
    Class,
    Event,
    Inbox,
    Model,
    Neuron,
    port_of,
    variables,
    weight_of,
)
from eventsnn._core.draw.philox cimport lanes_at_hand

cdef enum:
    MOST_LANES = 8


cdef extern from "eventsnn/_core/models/conductance.h" nogil:
    enum:
        ROOM "EVENTSNN_ROOM"
        RULES "EVENTSNN_RULES"
        HELD "EVENTSNN_HELD"
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

    void conduct "eventsnn_conduct"(int lanes, Conducting* e, int rule, int slots)


# ---- what events do


cdef void enter(const Class* k, Neuron* s) noexcept nogil:
    pass


cdef double threshold(const Class* k, const Neuron* s) noexcept nogil:
    return k.c[THRESHOLD]


cdef bint lost(const Class* k, const Neuron* s) noexcept nogil:
    cdef Speed speed = speed_of(k, s)
    return not speed.a <= LARGEST_RATE


cdef int receive(
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
