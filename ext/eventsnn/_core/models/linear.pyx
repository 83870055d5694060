"""The kernel of all linear models; eventsnn/solve/closed_form.py explains it, function by function."""

from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport int8_t, int64_t
from libc.string cimport memcpy

from eventsnn._core.solve.closed_form cimport (
    CURRENT_RESET,
    TAU,
    THRESHOLD_RESET,
    V_RESET,
    State,
    current_at,
    solve,
    threshold_at,
    threshold_now,
)
from eventsnn._core.solve.crossing cimport bound, clear, crossing, magnitude
from eventsnn._core.solve.frames cimport (
    CELL,
    add_number,
    any_lost,
    as_double,
    crossing_of_jumps,
    current_grown,
    enter,
    frame_begin,
    place_of,
    leave,
    lift,
    limited,
    membrane_grown,
    move,
    numbers,
    reached,
    scale_of,
    state_at,
    state_of,
)
from eventsnn._core.base.mathfunc cimport exp, not_a_number
from eventsnn._core.solve.neuron cimport (
    BOUNDED,
    FOUND,
    MOST_VARIABLES,
    Class,
    Inbox,
    Model,
    Neuron,
    port_of,
    variables,
    weight_of,
)


cdef extern from *:
    """
    #define EVENTSNN_NO_SEARCH 1e-9
    """
    # How far below the threshold no search is needed, as a fraction of what v is made of.
    const double MARGIN "EVENTSNN_NO_SEARCH"


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
    cdef double held[MOST_VARIABLES]
    cdef State w
    cdef double t, end, raised
    cdef int8_t found
    certainty[0] = FOUND
    if not s.framed:
        return s.t + crossing(k, state_of(k, s, held), start, certainty)
    if any_lost(k, s):
        return not_a_number()
    if reached(k, s):
        return s.t
    if k.model.n_slots == 0:
        return crossing_of_jumps(k, s)
    t = max(s.t, frame_begin(CELL, max(s.t, start)))
    end = frame_begin(CELL, t) + CELL
    w = state_at(k, s, t, held)
    t = w.t + crossing(k, w, 0.0, certainty)
    certainty[0] = FOUND
    if t < end:
        return t
    certainty[0] = BOUNDED
    # So long v stays below the threshold, whatever is rounded.
    raised = MARGIN * magnitude(k, &w)
    w.drive, w.v = w.drive + raised, w.v + raised
    return max(end, w.t + crossing(k, w, 0.0, &found))


cdef double threshold(const Class* k, const Neuron* s) noexcept nogil:
    return threshold_now(k, variables(k, s))


cdef void begin(const Class* k, const Neuron* s, double* total) noexcept nogil:
    cdef int i
    for i in range(k.model.ports):
        total[i] = 0.0
    if s.framed:
        total[0] = as_double(s.u)
        for i in range(k.model.n_currents):
            total[1 + i] = as_double(numbers(k, s)[i])


cdef inline void take_grown(
    const Class* k, Neuron* s, int port, double weight, double grown, const double* x_grown, double* total
) noexcept nogil:
    """`take`, where the growth of the units of U and of each X is known."""
    cdef double scale = scale_of(k, port)
    cdef int slot = k.model.target[port]
    if slot >= 0:
        add_number(&numbers(k, s)[slot], &total[1 + slot], weight * (scale * x_grown[slot]))
    if not s.t < s.release:
        add_number(&s.u, &total[0], weight * (scale * grown))


cdef void take(const Class* k, Neuron* s, int port, double weight, double* total) noexcept nogil:
    cdef double x_grown[MOST_VARIABLES]
    cdef int slot = k.model.target[port]
    if slot >= 0:
        x_grown[slot] = current_grown(k, slot, s.t)
    take_grown(k, s, port, weight, membrane_grown(k, s.t), x_grown, total)


cdef int receive(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double* total
) noexcept nogil:
    cdef const Model* m = k.model
    cdef double sums[MOST_VARIABLES]
    cdef double x_grown[MOST_VARIABLES]
    cdef double weight, grown
    cdef int64_t i
    cdef int port
    if s.framed:
        grown = membrane_grown(k, s.t)
        for i in range(m.n_currents):
            x_grown[i] = current_grown(k, <int>i, s.t)
        for i in range(next, end):
            weight = weight_of(b, i)
            take_grown(k, s, port_of(m, b, i, weight), weight, grown, x_grown, total)
        s.u = limited(s.u, total[0])
        for port in range(m.n_currents):
            numbers(k, s)[port] = limited(numbers(k, s)[port], total[1 + port])
        return place_of(k, s, grown, x_grown)
    for port in range(m.ports):
        sums[port] = 0.0
    for i in range(next, end):
        weight = weight_of(b, i)
        port = port_of(m, b, i, weight)
        sums[port] = sums[port] + weight
    for port in range(m.ports):
        sums[port] = sums[port] + total[port]
    receive_sums(k, s, sums)
    return s.v >= threshold(k, s)


cdef bint lost(const Class* k, const Neuron* s) noexcept nogil:
    return s.framed and any_lost(k, s)


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


cdef Model model
model.settle = settle
model.enter = enter
model.leave = leave
model.threshold = threshold
model.crossing = next_crossing
model.bound = bound
model.clear = clear
model.begin = begin
model.take = take
model.receive = receive
model.lost = lost
model.reset = reset

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
