"""One stream of external spikes without a network."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from eventsnn._core.draw.philox cimport tabulate


def spikes(
    uint64_t key,
    uint32_t index,
    int kind,
    const double[::1] parameter,
    bint stationary,
    const double[::1] train,
    double stop,
):
    cdef Source source
    cdef Stream s
    cdef int i
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
    while s.first < stop:
        found.append(s.first)
        stream_next(&source, &s)
    return found
