# How a neuron in a frame is taken quickly through what arrives in a window.
#
# What an input adds to the state (frames.pxd) is the same for all neurons of a kind, those with the same time
# constants: so the factors of every row are found once in a window and kept in a table; not where arrivals have times
# of their own, or a neuron has a kind of its own: there `take_own` finds them one by one. A neuron then takes some
# arrivals at a time, and the external spikes between them, without asking after each whether it spikes: one bound over
# all of them answers that (of jumps the highest U that comes up in between; of currents v and its steepest rise, and
# all positive input on top). If the bound reaches the threshold, fewer are tried, in the end one; then the neuron goes
# the ordinary way. Nothing is left out and the order of additions to each half of the state stays, so no bit depends on
# any of this.

from libc.stdint cimport INT32_MAX, int32_t, int64_t

from eventsnn._core.bounds cimport Part, bound, bound_jumps, currents_stay_below, jumps_stay_below
from eventsnn._core.closed_form cimport COUPLING, RATE, RATE_M, THRESHOLD, WIDTH, current_at, threshold_at
from eventsnn._core.frames cimport growth, lift, move, origin_of, shift
from eventsnn._core.growth cimport grow as grow_times
from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.neuron cimport (
    MOST_CURRENTS,
    UNKNOWN,
    Class,
    Factor,
    Inbox,
    Model,
    Neuron,
    Skimmed,
    Slice,
    port_of,
    row_of,
    tied_to_next,
    time_of,
    variables,
    weight_of,
)
from eventsnn._core.philox cimport lanes_at_hand
from eventsnn._core.stream cimport Source, Stream, stream_next

cdef enum:
    AT_ONCE = 16          # arrivals: benchmarks/speed_floor.py


# ---- factors


cdef inline void grow_factor(const Class* k, double span, Factor* f) noexcept nogil:
    cdef int i
    f.membrane = growth(k.c[RATE_M], span)
    for i in range(k.model.n_currents):
        f.current[i] = growth(k.c[current_at(i) + RATE], span)


cdef inline void pulse(const Class* k, int port, Factor* f, int at) noexcept nogil:
    """What an arrival of weight 1 at a port adds, when f has grown."""
    cdef double scale = k.c[threshold_at(k.model, 0) + k.model.n_currents + port]
    cdef int slot = k.model.target[port]
    f.slot[at] = slot
    if slot >= 0:
        f.x[at] = scale * f.current[slot]
        scale = scale * k.c[current_at(slot) + COUPLING]
    f.u[at] = scale * f.membrane


cdef inline void fill(const Class* k, const Inbox* b, const Slice* row, double origin, Factor* f) noexcept nogil:
    """The factors of what a row adds; of a row with one weight, what it adds."""
    cdef const Model* m = k.model
    cdef int port, sign
    grow_factor(k, row.time - origin, f)
    f.positive = <float>(1.000001 * row.shared_weight) if row.shared_weight > 0.0 else 0.0
    for sign in range(2):
        port = row.port if row.port >= 0 else m.by_sign[sign if b.weighted else row.shared_weight < 0.0]
        pulse(k, port, f, sign)
        if not b.weighted:
            f.x[sign] = row.shared_weight * f.x[sign]
            f.u[sign] = row.shared_weight * f.u[sign]


cdef inline const Factor* factor(const Class* k, const Inbox* b, int64_t row) noexcept nogil:
    """Those of a row, from the table of a neuron's kind."""
    cdef int64_t at = k.kind * b.row_room + row
    if b.filled[at] != b.window:
        b.filled[at] = b.window
        fill(k, b, &b.row[row], origin_of(k, b.row[row].time), &b.factor[at])
    return &b.factor[at]


cdef inline double frame_of(const Class* k, const Neuron* s, double t) noexcept nogil:
    """The origin of the frame of t, mostly that in which the neuron is."""
    return s.origin if s.framed and s.origin <= t < s.origin + k.c[WIDTH] else origin_of(k, t)


cdef inline void prepare_growth(const Class* k, const Neuron* s, Inbox* b, int64_t next, int64_t end) noexcept nogil:
    """The arguments of the exponentials by which a neuron's arrivals in a window grow."""
    cdef bint wanted = k != NULL and k.model.skim != NULL and not k.c[WIDTH] < b.width
    cdef double origin = frame_of(k, s, b.arrival[next].time) if wanted and next < end else 0.0
    cdef int64_t i
    b.grown[next - 1] = 0.0
    for i in range(next, end):
        b.grown[i] = (b.arrival[i].time - origin) * k.c[RATE_M] if wanted else 0.0


cdef inline void grow_ahead(Inbox* b, int64_t begin, int64_t end) noexcept nogil:
    """What has been prepared from begin to end, for some neurons together and before these are taken through the
    window, since their exponentials do not wait for each other."""
    grow_times(lanes_at_hand(), end - begin, b.grown + begin, 0.0, 1.0, b.grown + begin)


cdef inline void grow(const Class* k, const Inbox* b, int64_t at, double origin, Factor* f, int n) noexcept nogil:
    """Only what the factors of an arrival depend on beside its port."""
    cdef double span = time_of(b, at) - origin
    cdef int i
    f.membrane = b.grown[at] if b.timed else growth(k.c[RATE_M], span)
    for i in range(n):
        f.current[i] = growth(k.c[current_at(i) + RATE], span)


# ---- some arrivals at a time


cdef inline Part part_of(const Class* k, const Neuron* s, double origin, double first, int n) noexcept nogil:
    """What a neuron has before the first event of a frame."""
    cdef const double* x = variables(k, s)
    cdef Part p
    cdef int i
    p.origin, p.u, p.external, p.last = origin, s.v, s.external, first
    for i in range(n):
        p.x[i], p.z[i] = x[i], x[n + i]
    if origin != s.origin:
        shift(k, origin - s.origin, s.t < s.release, &p.u, &p.external, p.x, p.z, n)
    p.highest, p.highest_external = p.u, p.external
    p.positive = 0.0
    p.n_external = 0
    return p


cdef inline int64_t cut(const Inbox* b, int64_t next, int64_t end, int64_t most, double stop) noexcept nogil:
    """Where the next `most` arrivals before stop end; arrivals of one time stay together."""
    cdef int64_t last = min(next + most, end)
    while last > next and not time_of(b, last - 1) < stop:
        last -= 1
    while last > next and tied_to_next(b, last - 1):
        last += 1
    return last


cdef inline int64_t take_tied(
    const Class* k, const Inbox* b, const Factor* f, Part* p, int64_t i, bint held, int n
) noexcept nogil:
    """Several that arrive at one time: the sum of each port is added once."""
    cdef const Model* m = k.model
    cdef double sums[MOST_CURRENTS]
    cdef double weight, scale
    cdef bint more = True
    cdef int port, slot
    for port in range(MOST_CURRENTS):
        sums[port] = 0.0
    while more:
        weight = weight_of(b, i)
        port = port_of(m, b, i, weight)
        sums[port] = sums[port] + weight
        more = tied_to_next(b, i)
        i += 1
    for port in range(m.ports):
        scale = k.c[threshold_at(m, 0) + n + port]
        slot = m.target[port]
        if slot >= 0:
            p.x[slot] = p.x[slot] + sums[port] * (scale * f.current[slot])
            scale = scale * k.c[current_at(slot) + COUPLING]
        if sums[port] > 0.0:
            p.positive += sums[port]
        if not held:
            p.u = p.u + sums[port] * (scale * f.membrane)
    if p.u > p.highest:
        p.highest = p.u
    return i


cdef inline void take_arrivals(
    const Class* k, const Inbox* b, Part* p, int64_t next, int64_t end, bint held, int n
) noexcept nogil:
    cdef const int32_t* rows = b.row_of
    cdef int64_t i = next
    cdef const Factor* f
    cdef double u = p.u
    cdef double highest = p.highest
    cdef double weight
    cdef int sign
    cdef int32_t r
    while i < end:
        r = rows[i]
        if r < 0:
            p.u, p.highest = u, highest
            i = take_tied(k, b, factor(k, b, r & INT32_MAX), p, i, held, n)
            u, highest = p.u, p.highest
            continue
        f = factor(k, b, r)
        if b.weighted:
            weight = b.weight[i]
            sign = weight < 0.0
            if n > 0:
                p.x[f.slot[sign]] = p.x[f.slot[sign]] + weight * f.x[sign]
                p.positive += weight if weight > 0.0 else 0.0
            if not held:
                u = u + weight * f.u[sign]
        else:
            if n > 0:
                p.x[f.slot[0]] = p.x[f.slot[0]] + f.x[0]
                p.positive += f.positive
            if not held:
                u = u + f.u[0]
        if n == 0:
            highest = u if u > highest else highest
        i += 1
    if next < end:
        p.last = time_of(b, end - 1)
    p.u, p.highest = u, highest


cdef inline void take_own(
    const Class* k, const Inbox* b, Part* p, int64_t next, int64_t end, bint held, int n, Factor* f
) noexcept nogil:
    """The same without a table; f: what has grown until the last arrival."""
    cdef const Model* m = k.model
    cdef const double* scales = k.c + threshold_at(m, 0) + n
    cdef int64_t i = next
    cdef int port = 0
    cdef int slot
    cdef double weight, scale
    while i < end:
        grow(k, b, i, p.origin, f, n)
        if tied_to_next(b, i):
            i = take_tied(k, b, f, p, i, held, n)
            continue
        weight = weight_of(b, i)
        if m.ports > 1:
            port = port_of(m, b, i, weight)
        scale = scales[port]
        if n > 0:
            slot = m.target[port]
            p.x[slot] = p.x[slot] + weight * (scale * f.current[slot])
            scale = scale * k.c[current_at(slot) + COUPLING]
            p.positive += weight if weight > 0.0 else 0.0
        if not held:
            p.u = p.u + weight * (scale * f.membrane)
            p.highest = p.u if p.u > p.highest else p.highest
        i += 1
    if next < end:
        p.last = time_of(b, end - 1)


cdef inline bint take_external(
    const Class* k, const Source* sources, Stream* stream, Part* p, double stop, int64_t most, bint held, int n
) noexcept nogil:
    """The external spikes before stop; False if there are too many at one time."""
    cdef const Source* d = &sources[stream.source]
    cdef int slot = k.model.target[d.port]
    cdef double scale = k.c[threshold_at(k.model, 0) + n + d.port]
    cdef double coupled = scale if slot < 0 else scale * k.c[current_at(slot) + COUPLING]
    cdef double rate = 0.0 if slot < 0 else k.c[current_at(slot) + RATE]
    cdef double t, sum
    cdef int64_t count
    while stream.first < stop:
        t = stream.first
        sum = 0.0
        count = 0
        while stream.first == t:
            count += 1
            if count > most:
                return False
            sum = sum + d.weight
            stream_next(sources, stream)
        p.n_external += count
        if n > 0:
            p.z[slot] = p.z[slot] + sum * (scale * growth(rate, t - p.origin))
            p.positive += sum if sum > 0.0 else 0.0
        if not held:
            p.external = p.external + sum * (coupled * growth(k.c[RATE_M], t - p.origin))
            if p.external > p.highest_external:
                p.highest_external = p.external
        if t > p.last:
            p.last = t
    return True


# ---- a neuron


cdef inline int64_t skim_framed(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double stop, Skimmed* found, int n, bint own
) noexcept nogil:
    cdef int64_t most = AT_ONCE
    cdef int64_t last
    cdef double first, limit, origin
    cdef double* x = variables(k, s)
    cdef bint streams = s.n_streams == 1
    cdef bint held, clear
    cdef bint changed = False
    cdef Part before, p
    cdef const Factor* f
    cdef const Factor* f_last = NULL
    cdef Factor grown
    cdef Stream kept
    cdef int i
    if not s.framed or k.c[WIDTH] < b.width:
        return next
    origin = -1.0
    while most > 0:
        first = time_of(b, next) if next < end else infinity()
        f = NULL
        if streams and s.streams.first < first:
            first = s.streams.first
        elif next < end and not own:
            f = factor(k, b, row_of(b, next))
        if not first < stop:
            break
        held = first < s.release
        if s.t < s.release and not held:
            move(k, s, s.release)
            lift(k, s)
        if origin < 0.0:
            origin = frame_of(k, s, first)
        p = part_of(k, s, origin, first, n)
        before = p
        limit = min(stop, s.release) if held else stop
        last = cut(b, next, end, most, limit)
        if last > next and own:
            take_own(k, b, &p, next, last, held, n, &grown)
        elif last > next:
            take_arrivals(k, b, &p, next, last, held, n)
        clear = True
        if streams:
            kept = s.streams[0]
            if last < end:
                limit = min(limit, time_of(b, last))
            clear = take_external(k, found.sources, s.streams, &p, limit, found.most, held, n)
        f_last = NULL
        if last > next and time_of(b, last - 1) == p.last:
            f_last = &grown if own else factor(k, b, row_of(b, last - 1))
        if clear and not held:
            if n == 0:
                clear = jumps_stay_below(
                    k, s, &p, first, f_last.membrane if f_last != NULL else growth(k.c[RATE_M], p.last - origin)
                )
            else:
                clear = currents_stay_below(k, s, &before, &p, first, f, n)
        found.tests += not held
        found.resolved += clear and not held
        if not clear:
            if streams:
                s.streams[0] = kept
            most >>= 2
            continue
        next = last
        found.external += p.n_external
        if n > 0 or not held:
            for i in range(n):
                x[i], x[n + i] = p.x[i], p.z[i]
            s.v, s.external, s.t, s.origin = p.u, p.external, p.last, origin
            s.bounded = UNKNOWN
            changed = True
        if most < AT_ONCE:
            most <<= 2
    if changed:
        found.changed = True
        if most > 0 and not s.t < s.release:
            if n == 0:
                bound_jumps(k, s, &p, f_last.membrane if f_last != NULL else growth(k.c[RATE_M], s.t - s.origin))
            else:
                bound(k, s, &p, f_last, n)
    return next


cdef inline bint skim_few(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double stop, Skimmed* found
) noexcept nogil:
    """What skim_framed does in the plainest case, by far the most frequent where windows are narrow: some jumps with
    times of their own, no streams, all in one frame. False, and nothing done, in any other."""
    cdef Part p
    cdef double scale, gap
    cdef int64_t i
    if not s.framed or s.n_streams or k.model.ports != 1 or k.c[WIDTH] < b.width or not 0 < end - next <= AT_ONCE:
        return False
    p.last = b.arrival[end - 1].time
    if s.t < s.release or not p.last < stop or not s.origin <= b.arrival[next].time < s.origin + k.c[WIDTH]:
        return False
    gap = k.c[THRESHOLD] - s.drive
    scale = k.c[threshold_at(k.model, 0)]
    p.origin, p.u, p.external = s.origin, s.v, s.external
    p.highest, p.highest_external = p.u, p.external
    for i in range(next, end):
        if b.arrival[i].tied:
            return False
        p.u = p.u + weight_of(b, i) * (scale * b.grown[i])
        p.highest = p.u if p.u > p.highest else p.highest
    if gap > 0.0 or not jumps_stay_below(k, s, &p, p.last, b.grown[end - 1]):
        return False
    s.v, s.t = p.u, p.last
    bound_jumps(k, s, &p, b.grown[end - 1])
    found.tests += 1
    found.resolved += 1
    found.changed = True
    return True


cdef inline int64_t skim_jumps(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double stop, Skimmed* found
) noexcept nogil:
    if b.timed and skim_few(k, s, b, next, end, stop, found):
        return end
    if b.timed or k.kind < 0:
        return skim_framed(k, s, b, next, end, stop, found, 0, True)
    return skim_framed(k, s, b, next, end, stop, found, 0, False)


cdef inline int64_t skim_currents(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double stop, Skimmed* found
) noexcept nogil:
    cdef bint own = b.timed or k.kind < 0
    if k.model.n_currents == 2:
        if own:
            return skim_framed(k, s, b, next, end, stop, found, 2, True)
        return skim_framed(k, s, b, next, end, stop, found, 2, False)
    if own:
        return skim_framed(k, s, b, next, end, stop, found, 1, True)
    return skim_framed(k, s, b, next, end, stop, found, 1, False)
