"""The engine's queues alone, driven by a list of what is to be done: for their tests and benchmarks/queues.py."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free

import numpy as np


cdef inline double advance(Wheel* w, double t, double stop) noexcept nogil:
    """Make the next key in use before stop the present one; its time and at least t, or infinity if there is none."""
    t = max(wheel_first(w), t)
    if not t < stop:
        return infinity()
    wheel_advance(w, t)
    return t


def replay_wakes(int64_t n, double width, const double[::1] stop, const int64_t[::1] begin, const int32_t[::1] neuron,
                 const double[::1] time):
    """Neurons whose events lie before stop[0], then sets[begin[0]:begin[1]] of (neuron, time); and so on.

    Returns the neurons taken and, for every stop, how many in all.
    """
    cdef WakeQueue w
    links = np.zeros(n * sizeof(Link), dtype=np.uint8)
    cdef unsigned char[::1] room = links
    cdef double[::1] own = np.full(n, np.inf)
    cdef int32_t[::1] taken = np.empty(len(neuron), dtype=np.int32)
    cdef int64_t[::1] count = np.zeros(len(stop), dtype=np.int64)
    cdef int64_t i, k
    cdef int64_t n_taken = 0
    cdef int32_t at, next
    cdef double t
    cdef double now = 0.0
    wheel_begin(&w, <Link*>&room[0], width)
    for i in range(n):
        w.link[i].key = NEVER
    with nogil:
        for k in range(stop.shape[0]):
            t = advance(&w, now, stop[k])
            while t < stop[k]:
                at = wheel_take(&w)
                while at >= 0:
                    next = w.link[at].next
                    w.link[at].key = NEVER
                    if own[at] < stop[k]:
                        own[at] = infinity()
                        taken[n_taken] = at
                        n_taken += 1
                    else:
                        wake_set(&w, at, own[at])
                    at = next
                t = advance(&w, now, stop[k]) if w.now < wheel_key(&w, stop[k]) else infinity()
            now = stop[k]
            count[k] = n_taken
            for i in range(begin[k], begin[k + 1]):
                own[neuron[i]] = time[i]
                wake_set(&w, neuron[i], time[i])
    return np.asarray(taken)[:n_taken], np.asarray(count)


def replay_rows(double width, const double[::1] stop, const int64_t[::1] begin, const double[::1] time,
                const int64_t[:, ::1] key):
    """Rows that arrive before stop[0], in their order, then rows begin[0] to begin[1] - 1 are pushed; and so on.

    key[i] is (round, projection, row, ordinal, first) of row i. Returns the rows taken and, for every stop, how many in
    all.
    """
    cdef RowQueue q
    cdef Row row
    cdef const Due* order
    cdef Arriving* due
    cdef int64_t[::1] taken = np.empty(len(time), dtype=np.int64)
    cdef int64_t[::1] count = np.zeros(len(stop), dtype=np.int64)
    cdef int64_t i, k
    cdef int64_t n_taken = 0
    cdef int32_t at, next
    cdef double t
    cdef double now = 0.0
    cdef bint room = True
    row.fired = 0.0
    rows_begin(&q, width)
    with nogil:
        for k in range(stop.shape[0]):
            t = advance(&q.wheel, now, stop[k])
            while t < stop[k]:
                q.n_due = 0
                at = wheel_take(&q.wheel)
                while at >= 0:
                    next = q.wheel.link[at].next
                    if q.row[at].time < stop[k]:
                        due = due_spare(&q)
                        room = room and due != NULL
                        if room:
                            due.row = q.row[at]
                            q.n_due += 1
                        row_free(&q, at)
                    else:
                        wheel_put(&q.wheel, at, wheel_key(&q.wheel, q.row[at].time))
                    at = next
                order = due_sort(&q)
                for i in range(q.n_due):
                    taken[n_taken] = q.due[order[i].at].row.fired_round
                    n_taken += 1
                t = advance(&q.wheel, now, stop[k]) if q.wheel.now < wheel_key(&q.wheel, stop[k]) else infinity()
            now = stop[k]
            count[k] = n_taken
            for i in range(begin[k], begin[k + 1]):
                row.time, row.round, row.projection = time[i], <int32_t>key[i, 0], <int32_t>key[i, 1]
                row.row, row.ordinal, row.first, row.fired_round = <int32_t>key[i, 2], key[i, 3], key[i, 4], <int32_t>i
                room = row_push(&q, &row) and room
    free(q.wheel.link)
    free(q.row)
    free(q.due)
    free(q.order)
    free(q.begin)
    if not room:
        raise MemoryError("the rows do not fit into memory")
    return np.asarray(taken)[:n_taken], np.asarray(count)
