"""The kernel of all linear models; eventsnn/models/closed_form.py explains it, function by function."""

from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport int8_t, int64_t
from libc.string cimport memcpy

from eventsnn._core.closed_form cimport (
    COUPLING,
    CURRENT_RESET,
    RATE,
    RATE_M,
    TAU,
    THRESHOLD_RESET,
    V_RESET,
    WIDTH,
    State,
    current_at,
    solve,
    threshold_at,
    threshold_now,
)
from eventsnn._core.crossing cimport bound, clear, crossing
from eventsnn._core.frames cimport (
    EXTERNAL,
    SYNAPTIC,
    add,
    crossing_of_jumps,
    enter,
    leave,
    lift,
    move,
    reached,
    state_of,
)
from eventsnn._core.mathfunc cimport exp
from eventsnn._core.neuron cimport (
    FOUND,
    MOST_CURRENTS,
    MOST_VARIABLES,
    Class,
    Inbox,
    Model,
    Neuron,
    port_of,
    variables,
    weight_of,
)
from eventsnn._core.skim cimport skim_currents, skim_jumps


cdef void flow(const Class* k, Neuron* s, double h) noexcept nogil:
    cdef State old = state_of(k, s, NULL)
    cdef State new
    cdef double x[MOST_VARIABLES]
    new.x = old.x
    new.low = old.x + k.model.n_slots
    if k.model.n_driven:
        memcpy(x, old.x, k.model.n_slots * sizeof(double))
        old.x = x
    solve(k, &old, h, &new)
    s.v = new.v
    s.drive = new.drive


cdef void hold(const Class* k, Neuron* s, double h) noexcept nogil:
    cdef const Model* m = k.model
    cdef double* x = variables(k, s)
    cdef double* low = x + m.n_slots
    cdef double y, own
    cdef int i
    if not m.clamped:
        flow(k, s, h)
        return
    for i in range(m.n_currents):
        y = x[m.n_currents + i] if i < m.n_alpha else 0.0
        if x[i] == 0.0 and y == 0.0:
            continue
        own = exp(-h / k.c[current_at(i) + TAU])
        if y != 0.0:
            x[i] = x[i] + y * h
            x[m.n_currents + i] = y * own
            low[m.n_currents + i] = low[m.n_currents + i] * own
        x[i] = x[i] * own
        low[i] = low[i] * own
    for i in range(m.n_currents + m.n_alpha + m.n_driven, m.n_slots):
        if x[i] != 0.0:
            x[i] = x[i] * exp(-h / k.c[threshold_at(m, i - m.n_currents - m.n_alpha) + TAU])
    if s.slope != 0.0:
        s.drive = s.drive + s.slope * h


cdef void settle(const Class* k, Neuron* s, double t) noexcept nogil:
    if s.framed:
        if s.t < s.release <= t:
            move(k, s, s.release)
            lift(k, s)
        move(k, s, t)
        return
    if t < s.release:
        hold(k, s, t - s.t)
    else:
        if s.t < s.release:
            hold(k, s, s.release - s.t)
            s.t = s.release
        if t > s.t:
            flow(k, s, t - s.t)
    s.t = t


cdef double next_crossing(const Class* k, const Neuron* s, double start, int8_t* certainty) noexcept nogil:
    certainty[0] = FOUND
    if s.framed and k.model.n_slots == 0:
        return crossing_of_jumps(k, s)
    return s.t + crossing(k, s, start, certainty)


cdef double threshold(const Class* k, const Neuron* s) noexcept nogil:
    return threshold_now(k, variables(k, s))


cdef bint receive(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, const double* external
) noexcept nogil:
    cdef const Model* m = k.model
    cdef double sums[MOST_VARIABLES]
    cdef double weight
    cdef int64_t i
    cdef int port
    for port in range(m.ports):
        sums[port] = 0.0
    for i in range(next, end):
        weight = weight_of(b, i)
        port = port_of(m, b, i, weight)
        sums[port] = sums[port] + weight
    if not s.framed:
        if external != NULL:
            for port in range(m.ports):
                sums[port] = sums[port] + external[port]
        receive_sums(k, s, sums)
        return s.v >= threshold(k, s)
    for port in range(m.ports):
        add(k, s, port, sums[port], SYNAPTIC)
    if external != NULL:
        for port in range(m.ports):
            add(k, s, port, external[port], EXTERNAL)
    return reached(k, s)


cdef inline void receive_sums(const Class* k, Neuron* s, const double* weights) noexcept nogil:
    cdef const Model* m = k.model
    cdef double* x = variables(k, s)
    cdef double* low = x + m.n_slots
    cdef const double* scale = k.c + threshold_at(m, m.n_thresholds) + m.n_currents
    cdef double weight, total, part
    cdef int port, slot
    for port in range(m.ports):
        slot = m.target[port]
        weight = weights[port] * scale[port]
        if slot < 0:
            if not (s.t < s.release and m.clamped):
                s.v = s.v + weight
        else:
            weight = weight + low[slot]
            total = x[slot] + weight
            part = total - x[slot]
            low[slot] = (x[slot] - (total - part)) + (weight - part)
            x[slot] = total


cdef inline double after_spike(const double* rule, double value) noexcept nogil:
    value = rule[0] * value + rule[1]
    return value if value > rule[2] else rule[2]


cdef void reset(const Class* k, Neuron* s) noexcept nogil:
    cdef const Model* m = k.model
    cdef double* x = variables(k, s)
    cdef int i, slot
    s.v = after_spike(k.c + V_RESET, s.v)
    if not m.resets:
        return
    for i in range(m.n_currents):
        x[i] = after_spike(k.c + current_at(i) + CURRENT_RESET, x[i])
    for i in range(m.n_thresholds):
        slot = m.n_currents + m.n_alpha + i
        x[slot] = after_spike(k.c + threshold_at(m, i) + THRESHOLD_RESET, x[slot])


cdef void fit(Model* m) noexcept nogil:
    cdef int port
    if m.n_slots == 0 and m.ports == 1:
        m.skim = skim_jumps
    elif m.n_slots == m.n_currents <= MOST_CURRENTS and m.n_alpha == 0 and 1 <= m.ports <= MOST_CURRENTS:
        m.skim = skim_currents
        for port in range(m.ports):
            if m.target[port] < 0:
                m.skim = NULL


cdef int kind(const Class* k, double* constants) noexcept nogil:
    cdef const Model* m = k.model
    cdef int n = 0
    cdef int i
    constants[n] = k.c[WIDTH]
    constants[n + 1] = k.c[RATE_M]
    n += 2
    for i in range(m.n_currents):
        constants[n] = k.c[current_at(i) + RATE]
        constants[n + 1] = k.c[current_at(i) + COUPLING]
        n += 2
    for i in range(m.ports):
        constants[n] = k.c[threshold_at(m, m.n_thresholds) + m.n_currents + i]
        n += 1
    return n


cdef Model model
model.settle = settle
model.enter = enter
model.leave = leave
model.threshold = threshold
model.crossing = next_crossing
model.bound = bound
model.clear = clear
model.skim = NULL
model.fit = fit
model.kind = kind
model.receive = receive
model.reset = reset

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
