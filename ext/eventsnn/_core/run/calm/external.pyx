"""The external input of blocks, for Python; external.h explains it."""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.draw.philox cimport TABLED, lanes_at_hand, tabulate


def sums(
    int lanes, int64_t n, uint64_t key, uint32_t stream, int64_t cell, double mean, double exp_minus_mean, double width,
    edges, double weight, double scale, double origin, double rate, current=None,
):
    """The sums that n streams, from `stream` on, add to U in each part of a cell, and to X if there is a current.

    Returns both, (parts, n) each, the number of spikes in each part, and the streams that hold too many spikes.
    current: scale, origin and rate of X.
    """
    cdef double least[TABLED]
    cdef Cells p
    cdef int64_t[:, :, ::1] out = np.full((2, PARTS, n), -1, dtype=np.int64)
    cdef int32_t[::1] full = np.empty(n + 1, dtype=np.int32)
    cdef int k
    tabulate(mean, exp_minus_mean, least)
    p.key, p.c0 = key, stream
    p.c1, p.c2 = <uint32_t>(<uint64_t>cell), <uint32_t>(<uint64_t>cell >> 32)
    p.least, p.start, p.width = least, cell * width, width
    p.last = np.nextafter(p.start + width, 0.0)
    p.parts = len(edges) - 1
    for k in range(PARTS + 1):
        p.edge[k] = edges[k] if k < len(edges) else infinity()
    p.whole = p.edge[0] == p.start and p.edge[p.parts] == p.start + width
    p.weight, p.scale, p.origin, p.rate = weight, scale, origin, rate
    p.current = current is not None
    if p.current:
        p.x_scale, p.x_origin, p.x_rate = current
    p.stride, p.u, p.x = n, &out[0, 0, 0], &out[1, 0, 0]
    for k in range(PARTS):
        p.spikes[k] = 0
    k = draw_sums(min(lanes, lanes_at_hand()), &p, n, &full[0])
    found = np.asarray(out)[:, : p.parts]
    return found[0], found[1], [p.spikes[part] for part in range(p.parts)], sorted(full[i] for i in range(k))
