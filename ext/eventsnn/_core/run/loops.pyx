"""The loops over calm neurons one by one, for tests; scatter.h and passes.h explain them."""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from eventsnn._core.run.calm.begin cimport find_lows, new_frames_of_all, new_frames_of_jumps, pass_currents, pass_jumps
from eventsnn._core.run.calm.blocks cimport BIAS, DOUBLES, FLOATS, PAD, SHARED, STATE, Lines, Pulse, Rise
from eventsnn._core.draw.philox cimport lanes_at_hand
from eventsnn._core.run.calm.scatter cimport add_slice, largest

KINDS = {"shared": SHARED, "float64": DOUBLES, "float32": FLOATS}
NUMBERS_OF_A_STATE, ZERO, PADDING = STATE, -BIAS, PAD


cdef int at_hand(int lanes):
    return min(lanes, lanes_at_hand())


def added(int lanes, target, int32_t base, weight, bint shared, int currents, factors, slots, int64_t[::1] state):
    """Add a slice to the states of all; the places in it that are listed, and its largest weight. factors: what a
    weight of 1 adds to D, U and X, each by the sign of the weight; shared: all have weight[0]."""
    cdef Pulse p
    cdef const uint16_t[::1] narrow = target if target.dtype == np.uint16 else None
    cdef const int32_t[::1] wide = target if target.dtype == np.int32 else None
    cdef const double[::1] doubles = weight if weight.dtype == np.float64 else None
    cdef const float[::1] floats = weight if weight.dtype == np.float32 else None
    cdef int32_t[::1] listed = np.empty(target.size + 8, dtype=np.int32)
    cdef int kind = SHARED if shared else KINDS[weight.dtype.name]
    cdef int k
    p.target = &narrow[0] if narrow is not None else <const void*>&wide[0]
    p.base, p.narrow, p.n = base, narrow is not None, target.size
    p.weight = &doubles[0] if doubles is not None else NULL
    p.weight32 = &floats[0] if floats is not None else NULL
    p.shared = weight[0]
    for k in range(2):
        p.d[k], p.u[k], p.x[k], p.slot[k] = factors[0][k], factors[1][k], factors[2][k], slots[k]
    for k in range(4):
        p.added[k] = 0
    sign = int(weight[0] < 0.0)
    if currents:
        p.added[0] = round(p.shared * p.d[sign]) + PAD
        p.added[1] = round(p.shared * p.u[sign])
        p.added[2 + p.slot[sign]] = round(p.shared * p.x[sign])
    else:
        p.added[0] = round(p.shared * p.u[sign])
    n = add_slice(at_hand(lanes), &p, kind, currents, &state[0], &listed[0])
    return np.array(listed[:n]), largest(&p, kind)


def begun(int lanes, int currents, least, most, at_end, double margin, int64_t low, lows, external, int slot,
          int64_t[::1] state, const uint8_t[::1] flag):
    """Have D of neurons with currents as a block begins; those that are listed. external: (2, n) or None."""
    cdef Rise r
    cdef const int64_t[::1] low_of = lows
    cdef const int64_t[:, ::1] more = external
    cdef int32_t[::1] others = np.empty(flag.shape[0] + 8, dtype=np.int32)
    cdef int k
    r.currents, r.margin, r.low, r.slot = currents, margin, low, slot
    for k in range(2):
        r.least[k], r.largest[k], r.at_end[k] = least[k], most[k], at_end[k]
    r.lows = &low_of[0] if low_of is not None else NULL
    r.u = &more[0, 0] if more is not None else NULL
    r.x = &more[1, 0] if more is not None else NULL
    n = pass_currents(at_hand(lanes), &r, &state[0], &flag[0], 0, flag.shape[0], &others[0])
    return np.array(others[:n])


def begun_jumps(int64_t by, before, now, external, int64_t[::1] d):
    """Begin a block for neurons without currents: lines move by `by`, or from `before` to `now`."""
    cdef const int64_t[::1] old = before
    cdef const int64_t[::1] new = now
    cdef const int64_t[::1] more = external
    cdef int32_t[::1] others = np.empty(d.shape[0] + 8, dtype=np.int32)
    n = pass_jumps(
        &d[0], by, &old[0] if old is not None else NULL, &new[0] if new is not None else NULL,
        &more[0] if more is not None else NULL, 0, d.shape[0], &others[0],
    )
    return np.array(others[:n])


def lowest_lines(int lanes, const double[::1] gap, double above, double unit, double begin, double end, double margin):
    cdef Lines lines
    low = np.empty(gap.shape[0], dtype=np.int64)
    cdef int64_t[::1] view = low
    lines.gap, lines.above, lines.per_unit = &gap[0], above, unit
    lines.grown_begin, lines.grown_end, lines.margin = begin, end, margin
    lines.per_units = lines.begins = lines.ends = NULL
    find_lows(at_hand(lanes), &lines, 0, gap.shape[0], &view[0])
    return low


def in_new_frames(int lanes, const double[::1] kept, int64_t[::1] state):
    """Bring numbers of states with currents to new frames; kept: of D, U and each X, 0 where there is none."""
    new_frames_of_all(at_hand(lanes), &kept[0], 0, state.shape[0] // STATE, &state[0])


def jumps_in_new_frames(int lanes, double kept, lows, int64_t low, const uint8_t[::1] flag, int64_t[::1] d):
    cdef const int64_t[::1] low_of = lows
    new_frames_of_jumps(
        at_hand(lanes), kept, &low_of[0] if low_of is not None else NULL, low, &flag[0], 0, d.shape[0], &d[0]
    )
