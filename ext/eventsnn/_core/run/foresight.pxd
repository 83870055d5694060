# Foresight: a time before which a neuron surely does not cross its threshold, found with less work than the crossing.

from libc.string cimport memcpy

from eventsnn._core.run.core cimport Core
from eventsnn._core.solve.neuron cimport BOUNDED, Class, Neuron


cdef extern from *:
    """
    #define EVENTSNN_ULP_OF_TIME 8.881784197001252e-16
    #define EVENTSNN_LOOK 0.25
    """
    # 2^-50: a crossing so little behind t may be rounded to it.
    const double ULP_OF_TIME "EVENTSNN_ULP_OF_TIME"
    # ms: so far beyond what is known of its input a neuron is tested that may get more at any time.
    const double LOOK "EVENTSNN_LOOK"


cdef inline Neuron* free_state(const Core* e, const Class* k, Neuron* s) noexcept nogil:
    """The neuron, or, if it is refractory, a copy of it as it will be when it is released."""
    if not s.t < s.release:
        return s
    memcpy(e.scratch, s, e.net.stride)
    k.model.settle(k, e.scratch, s.release)
    return e.scratch


cdef inline void predict(const Core* e, Neuron* s, double until) noexcept nogil:
    """Bound the time of the first crossing if nothing else happens; most crossings are superseded by an event. until:
    how far to look, for a model that must be told."""
    cdef const Class* k = &e.net.classes[s.class_of]
    cdef const Neuron* start
    s.bounded = BOUNDED
    if k.model.stepped and s.t < s.release:
        s.crossing = s.release
        return
    start = free_state(e, k, s)
    if k.model.lost != NULL and k.model.lost(k, start):
        s.crossing = start.t
        return
    if k.model.bound != NULL:
        s.crossing = start.t + k.model.bound(k, start)
        return
    until = max(until, start.t)
    s.crossing = until if k.model.clear(k, start, distance(start, until)) else start.t


cdef inline double distance(const Neuron* s, double t) noexcept nogil:
    """A bit more than what lies between the state and t."""
    return t + t * ULP_OF_TIME - s.t


cdef inline bint stays_below(Core* e, const Neuron* s, double t) noexcept nogil:
    """Whether a neuron surely does not cross its threshold by t; most do not before their next input."""
    cdef const Class* k = &e.net.classes[s.class_of]
    cdef bint clear
    if s.t < s.release:
        return t < s.release
    clear = k.model.clear(k, s, distance(s, t))
    e.tally.tests += 1
    e.tally.tests_resolved += clear
    return clear


cdef inline bint outlasts_bound(Core* e, const Neuron* s, double t) noexcept nogil:
    """Whether a neuron that was not looked at for long enough surely does not cross its threshold by t either."""
    return e.net.classes[s.class_of].model.bound == NULL and stays_below(e, s, t)
