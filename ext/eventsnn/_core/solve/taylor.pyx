"""Events of neurons without a closed form side by side, for tests."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdlib cimport calloc, free

from eventsnn._core.solve.neuron cimport Class, Event, Model, Neuron, variables
from eventsnn._core.draw.philox cimport lanes_at_hand
from eventsnn._core.solve.steps cimport settle
from eventsnn._core.solve.taylor cimport take_in_lanes


def side_by_side(model, int lanes, double[:, ::1] state, double[:, ::1] constants):
    """Take events of neurons in vectors of so many lanes. state: time, that of the event, until when to look, V, drive,
    end of refractoriness, what arrives at both ports, and slots, a row each; changed in place. Returns which have an
    outcome and, for each, before when there is no crossing, and V at the time until which it was looked."""
    cdef int n = <int>state.shape[0]
    cdef int slots = <int>state.shape[1] - 8
    cdef Py_ssize_t stride = sizeof(Neuron) + (slots + <int>model.shape.ahead) * sizeof(double)
    cdef Model of = (<Model*>PyCapsule_GetPointer(model.kernel, "eventsnn.Model"))[0]
    cdef Class* classes = <Class*>calloc(n, sizeof(Class))
    cdef char* record = <char*>calloc(n, stride)
    cdef Event* events = <Event*>calloc(n, sizeof(Event))
    cdef Neuron* s
    cdef int i, j
    if classes == NULL or record == NULL or events == NULL:
        raise MemoryError
    of.n_slots, of.ports, of.clamped = slots, len(model.ports), model.shape.clamped
    for i in range(of.ports):
        of.target[i] = model.shape.targets[i]
    for i in range(n):
        classes[i].model, classes[i].c = &of, &constants[i, 0]
        s = events[i].s = <Neuron*>(record + i * stride)
        s.class_of = i
        s.t, events[i].t, events[i].until, s.v = state[i, 0], state[i, 1], state[i, 2], state[i, 3]
        s.drive, s.release, events[i].total[0], events[i].total[1] = state[i, 4], state[i, 5], state[i, 6], state[i, 7]
        events[i].added = True
        for j in range(slots):
            variables(&classes[i], s)[j] = state[i, 8 + j]
    take_in_lanes(min(lanes, lanes_at_hand()), classes, events, n)
    outcomes = []
    for i in range(n):
        s = events[i].s
        state[i, 0], state[i, 3] = s.t, s.v
        for j in range(slots):
            state[i, 8 + j] = variables(&classes[i], s)[j]
        crossing = s.crossing
        settle(&classes[i], s, events[i].until)
        outcomes.append((events[i].outcome, crossing, s.v))
    free(classes)
    free(record)
    free(events)
    return outcomes
