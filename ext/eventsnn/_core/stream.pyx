"""One stream of external spikes without a network, as a kernel that takes several spikes at a time sees it."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from eventsnn._core.philox cimport tabulate

cdef enum:
    ROOM = 16


def batches(
    uint64_t key,
    uint32_t index,
    int kind,
    const double[::1] parameter,
    bint stationary,
    const double[::1] train,
    const double[::1] stops,
    int room,
):
    cdef Source source
    cdef Stream s
    cdef double times[ROOM]
    cdef double stop
    cdef int n, k, i
    memset(&source, 0, sizeof(Source))
    memset(&s, 0, sizeof(Stream))
    source.key = key
    source.kind = kind
    source.stationary = stationary
    for i in range(PARAMETERS):
        source.parameter[i] = parameter[i]
    source.width = parameter[0]
    source.mean = parameter[1]
    source.exp_minus_mean = exp(-source.mean)
    tabulate(source.mean, source.exp_minus_mean, source.least)
    s.index = index
    if kind == TRAIN:
        s.n = <int>train.shape[0]
        s.train = &train[0]
        s.first = train[0]
    else:
        stream_begin(&source, &s)
    found = []
    for stop in stops:
        while s.first < stop:
            n = stream_ahead(&s, stop, times, min(room, <int>ROOM))
            found.append([times[k] for k in range(n)])
            # What was only looked at is still there, and may be taken in two parts.
            stream_skip(&source, &s, n // 2)
            stream_skip(&source, &s, n - n // 2)
        found.append([])
    return found
