# Events of many neurons side by side, before the neurons of a window are taken one after the other. Only two sorts of
# events are taken so: inputs that add to the state of a neuron that does not spike before, and ends of its steps.

from libc.stdint cimport int32_t, int64_t
from libc.math cimport fabs

from eventsnn._core.run.core cimport RUNNING, Core, neuron_at, prefetch
from eventsnn._core.run.events cimport ended_by, fail, fire, process_before, refine, watched
from eventsnn._core.run.foresight cimport LOOK, ULP_OF_TIME, stays_below
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.solve.neuron cimport (
    AT_THRESHOLD,
    BOUNDED,
    SEARCHED,
    UNKNOWN,
    Event,
    Model,
    Neuron,
    count_anew,
    early,
    port_of,
    time_of,
    weight_of,
)

cdef enum:
    AT_ONCE = 256           # neurons that are looked through for such events
    NEXT = 8                # how many of them before it is read one is fetched


cdef inline bint only_adds(const Core* e, int32_t n, const Neuron* s, double t) noexcept nogil:
    """Whether nothing happens to a neuron up to t, and then nothing but what arrives."""
    return (
        s.t < t and t < s.outside and t < s.crossing and s.bounded != UNKNOWN and s.slope == 0.0 and s.n_sines == 0
        and (s.t >= s.release or t < early(s.release) and not e.net.classes[s.class_of].model.instantaneous)
        and not watched(e, n)
    )


cdef inline bint goes_on(Core* e, int32_t n, Neuron* s, double t, double stop) noexcept nogil:
    """Whether a neuron's next event is the end of a step, or of its refractoriness, from which its state goes on.

    It must come before stop, and not after t, at which something may arrive.
    """
    cdef const Model* model = e.net.classes[s.class_of].model
    if model.look == NULL or s.slope != 0.0 or s.n_sines or watched(e, n):
        return False
    t = min(t, s.outside)
    if s.t < s.release:
        if s.bounded == UNKNOWN:
            s.bounded, s.crossing = BOUNDED, s.release
    elif s.bounded == BOUNDED and s.crossing <= t and s.crossing < stop:
        if s.t < s.crossing and t < stop and stays_below(e, s, t):
            s.crossing = t + t * ULP_OF_TIME
        else:
            refine(e, s, 0.0)
            e.tally.bounds_due += 1
    return (s.t < s.release or s.bounded == SEARCHED) and s.crossing <= t and s.crossing < stop


cdef inline int64_t fill(const Core* e, Event* event, int64_t next, int64_t end) noexcept nogil:
    """Sum up what arrives at one time, from `next` on; returns the first that comes later."""
    cdef const Model* model = e.net.classes[event.s.class_of].model
    cdef double weight
    event.total[0] = event.total[1] = 0.0
    while True:
        weight = weight_of(&e.inbox, next)
        event.total[port_of(model, &e.inbox, next, weight)] += fabs(weight) if model.magnitudes else weight
        next += 1
        if next == end or time_of(&e.inbox, next) != event.t:
            return next


cdef inline double look_until(const Core* e, int64_t later, int64_t end, double stop) noexcept nogil:
    cdef double t
    if not later < end:
        return stop + LOOK
    t = time_of(&e.inbox, later)
    return t + t * ULP_OF_TIME


cdef inline void take_some(Core* e, const Model* model, Event* events, int n) noexcept nogil:
    cdef Event* x
    cdef int i
    cdef int32_t neuron
    if n == 0:
        return
    model.take_all(e.net.classes, events, n)
    for i in range(n):
        x = &events[i]
        if x.outcome:
            neuron = <int32_t>((<char*>x.s - e.state.records) // e.net.stride)
        if x.outcome & AT_THRESHOLD:
            fire(e, neuron, x.t)
            x.s.bounded = UNKNOWN
            x.s.crossing = infinity()
        # A spike may bring V back, and what it adds to other variables may be too much.
        if x.outcome and x.added and model.lost(&e.net.classes[x.s.class_of], x.s):
            fail(e, ended_by(&e.net.classes[x.s.class_of], x.s), x.t, neuron)
        if x.added:
            count_anew(x.s, x.t)


cdef inline bint alike(const Model* one, const Model* other) noexcept nogil:
    """Whether events of both may be taken together; one: NULL if there are none yet."""
    return one == other or (
        one != NULL and one.take_all == other.take_all and one.look == other.look and one.n_slots == other.n_slots
    )


cdef inline bint may_be_taken(const Core* e, int32_t n, int64_t i, double stop) noexcept nogil:
    """Whether there is something that may be taken together for the neuron at this place of the list."""
    cdef const Neuron* s = neuron_at(e, n)
    cdef const Model* model = e.net.classes[s.class_of].model if s.class_of >= 0 else NULL
    return model != NULL and model.take_all != NULL and (
        e.inbox.start[i] < e.inbox.place[n] or (model.look != NULL and s.crossing < stop)
    )


cdef inline void process_together(Core* e, int64_t first, int64_t last, double stop) noexcept nogil:
    """Take arrivals at listed neurons whose model takes events side by side, one time of each neuron in a pass.

    Inputs that only add, and ends of steps, are taken together. Anything else that happens to a neuron before its last
    arrival is processed by itself.
    """
    cdef int64_t some[AT_ONCE]
    cdef Event events[AT_ONCE]
    cdef const Model* model = NULL
    cdef int n_some = 0
    cdef int n_left, n_events, k
    cdef int64_t i, next, end, later
    cdef int32_t n
    cdef Neuron* s
    cdef Event* event
    for i in range(first, last):
        if may_be_taken(e, e.touched[i], i, stop):
            some[n_some] = i
            n_some += 1
    while n_some and e.tally.status == RUNNING:
        n_left = n_events = 0
        for k in range(n_some):
            prefetch(neuron_at(e, e.touched[some[min(k + NEXT, n_some - 1)]]))
            i = some[k]
            n = e.touched[i]
            s = neuron_at(e, n)
            next, end = e.inbox.start[i], e.inbox.place[n]
            event = &events[n_events]
            event.s, event.t, event.added = s, time_of(&e.inbox, next) if next < end else infinity(), True
            if not alike(model, e.net.classes[s.class_of].model):
                take_some(e, model, events, n_events)
                events[0] = event[0]
                event = events
                model, n_events = e.net.classes[s.class_of].model, 0
            if goes_on(e, n, s, event.t, stop):
                event.until = look_until(e, next, end, stop)
                event.t, event.added = s.crossing, False
                n_events += 1
                some[n_left] = i
                n_left += 1
                continue
            if not next < end:
                continue
            if only_adds(e, n, s, event.t) and event.t < stop:
                later = fill(e, event, next, end)
                event.until = look_until(e, later, end, stop)
                n_events += 1
            else:
                later = next + 1
                while later < end and time_of(&e.inbox, later) == event.t:
                    later += 1
                if later == end:
                    continue
                process_before(e, n, time_of(&e.inbox, later), next, later)
            e.inbox.start[i] = later
            if later < end or model.look != NULL:
                some[n_left] = i
                n_left += 1
        take_some(e, model, events, n_events)
        n_some = n_left
