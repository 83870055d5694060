"""The kernel of all linear models; eventsnn/models/closed_form.py explains it, function by function."""

from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from eventsnn._core.closed_form cimport (
    CURRENT_RESET,
    TAU,
    TAU_M,
    THRESHOLD,
    THRESHOLD_RESET,
    V_RESET,
    State,
    bare,
    current_at,
    decay,
    solve,
    state_of,
    threshold_at,
    threshold_now,
)
from eventsnn._core.crossing cimport ULP_OF_TIME, bound, clear, crossing, lower
from eventsnn._core.mathfunc cimport exp, infinity
from eventsnn._core.neuron cimport MOST_VARIABLES, Arrival, Class, Model, Neuron, Skimmed, Slice, variables
from eventsnn._core.stream cimport stream_next


cdef void flow(const Class* k, Neuron* s, double h) noexcept nogil:
    cdef State old, new
    cdef double x[MOST_VARIABLES]
    cdef double lost
    if bare(k, s):
        # What `solve` does then.
        decay(h / k.c[TAU_M], &lost)
        s.v = (s.v + ((s.drive - s.v) * -lost + 0.0)) + 0.0
        return
    old = state_of(k, s)
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


cdef double threshold(const Class* k, const Neuron* s) noexcept nogil:
    return threshold_now(k, variables(k, s))


cdef void receive(const Class* k, Neuron* s, const double* weights, bint refractory) noexcept nogil:
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
            if not (refractory and m.clamped):
                s.v = s.v + weight
        else:
            weight = weight + low[slot]
            total = x[slot] + weight
            part = total - x[slot]
            low[slot] = (x[slot] - (total - part)) + (weight - part)
            x[slot] = total


cdef const Arrival* skim(
    const Class* k,
    Neuron* s,
    const Slice* rows,
    const Arrival* next,
    const Arrival* end,
    double stop,
    Skimmed* found,
) noexcept nogil:
    """What the engine does to a bare neuron with `flow` and `receive`: all that happens to it is input, to v."""
    cdef double tau = k.c[TAU_M]
    cdef double theta = k.c[THRESHOLD]
    cdef double scale = k.c[threshold_at(k.model, 0)]
    cdef double drive = s.drive
    cdef double v = s.v
    cdef double t = s.t
    cdef double at, low, lost, arrived, external
    cdef int64_t count
    if not bare(k, s):
        return next
    while True:
        at = rows[next.row].time if next < end else stop
        if s.n_streams and s.streams.first < at:
            at = s.streams.first
        if not at < stop:
            break
        if at >= s.release:
            if t < s.release:
                t = s.release
            low = lower(theta, v, drive)
            if not v < low or (drive > low and not (drive - v) * (at + at * ULP_OF_TIME - t) < (low - v) * tau):
                break
        found.times += 1
        arrived = 0.0
        while next < end and rows[next.row].time == at:
            arrived = arrived + next.weight
            next += 1
        if s.n_streams and s.streams.first == at:
            external = 0.0
            count = 0
            while s.streams.first == at:
                count += 1
                external = external + found.sources[s.streams.source].weight
                stream_next(found.sources, s.streams)
                if count > found.most:
                    s.streams.first = infinity()
                    found.too_many = True
            found.external += count
            arrived = arrived + external
        if at >= s.release:
            decay((at - t) / tau, &lost)
            v = ((v + ((drive - v) * -lost + 0.0)) + 0.0) + arrived * scale
            t = at
            found.reached = v >= theta
        if found.reached or found.too_many:
            found.last = at
            break
    if s.t < s.release and not t > s.release:
        t = s.t  # as it is left while it is refractory
    s.v = v
    s.t = t
    return next


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
model.flow = flow
model.hold = hold
model.threshold = threshold
model.crossing = crossing
model.bound = bound
model.clear = clear
model.skim = skim
model.receive = receive
model.reset = reset

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
