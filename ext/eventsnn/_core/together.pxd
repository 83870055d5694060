# Neurons that are brought to their next event side by side, before a window's neurons are taken one after the other.

from libc.stdint cimport int32_t, int64_t

from eventsnn._core.core cimport RUNNING, Core, neuron_at
from eventsnn._core.events cimport arrival_time, process_before, watched
from eventsnn._core.neuron cimport UNKNOWN, Model, Neuron, time_of

cdef enum:
    SETTLED_AHEAD = 64      # neurons that are settled side by side


cdef inline void settle_some(Core* e, const int64_t* some, int n_some, double stop) noexcept nogil:
    """Bring neurons, by their places in the list, to their first event before stop, side by side: what is done to one
    there begins with that. Those that are sampled, or may cross their threshold before, are left out."""
    cdef Neuron* chosen[SETTLED_AHEAD]
    cdef double time[SETTLED_AHEAD]
    cdef const Model* model = NULL
    cdef int n_chosen = 0
    cdef Neuron* s
    cdef double t
    cdef int i
    cdef int32_t n
    for i in range(n_some):
        n = e.touched[some[i]]
        s = neuron_at(e, n)
        t = min(s.outside, arrival_time(e, e.inbox.start[some[i]], e.inbox.place[n]))
        if not s.t < t < stop or s.bounded == UNKNOWN or not t < s.crossing or watched(e, n):
            continue
        if model != e.classes[s.class_of].model:
            if n_chosen:
                model.settle_all(e.classes, chosen, time, n_chosen)
            model = e.classes[s.class_of].model
            n_chosen = 0
        chosen[n_chosen], time[n_chosen] = s, t
        n_chosen += 1
    if n_chosen:
        model.settle_all(e.classes, chosen, time, n_chosen)


cdef inline void process_together(Core* e, int64_t first, int64_t last, double stop) noexcept nogil:
    """All but the last time at which something arrives, for those neurons of the list that can be settled side by side.
    One time of each comes after the other: so many neurons are settled at once in each round."""
    cdef int64_t some[SETTLED_AHEAD]
    cdef int64_t i, later
    cdef int n_some = 0
    cdef int n_left, k
    cdef int32_t n
    cdef double t
    for i in range(first, last):
        n = neuron_at(e, e.touched[i]).class_of
        if n >= 0 and e.classes[n].model.settle_all != NULL:
            some[n_some] = i
            n_some += 1
    while n_some and e.status == RUNNING:
        settle_some(e, some, n_some, stop)
        n_left = 0
        for k in range(n_some):
            i = some[k]
            n = e.touched[i]
            t = arrival_time(e, e.inbox.start[i], e.inbox.place[n])
            later = e.inbox.start[i]
            while arrival_time(e, later, e.inbox.place[n]) == t < stop:
                later += 1
            if later < e.inbox.place[n]:
                process_before(e, n, time_of(&e.inbox, later), e.inbox.start[i], later)
                e.inbox.start[i] = later
                some[n_left] = i
                n_left += 1
        n_some = n_left
