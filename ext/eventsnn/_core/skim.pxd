# How a neuron in a frame is taken quickly through what arrives in a window.
#
# What an input adds to the state (frames.pxd) is the same for all neurons of a kind, those with the same time
# constants: so the factors of every row are found once in a window and kept in a table; not where arrivals have times
# of their own, or a neuron has a kind of its own: there `take_own` finds them one by one. A neuron then takes some
# arrivals at a time, and the external spikes between them, without asking after each whether it spikes: one bound over
# all of them answers that (of jumps the highest U that comes up in between; of currents v and its steepest rise, and
# all positive input on top). If the bound reaches the threshold, fewer are tried, in the end one; then the neuron goes
# the ordinary way. Nothing is left out, so no bit depends on any of this.

from libc.stdint cimport INT32_MAX, int32_t, int64_t

from eventsnn._core.bounds cimport Part, bound, bound_jumps, currents_stay_below, jumps_stay_below
from eventsnn._core.closed_form cimport (
    KEPT,
    KEPT_M,
    NARROWEST,
    PER_UNIT,
    RATE,
    RATE_M,
    THRESHOLD,
    WIDTH,
    WIDTH_M,
    current_at,
)
from eventsnn._core.frames cimport (
    frame_begin,
    frames_until,
    growth,
    is_narrow,
    lift,
    move,
    nearest,
    numbers,
    scale_of,
    sum_of,
    wide_later,
    widened,
)
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
    Wide,
    early,
    port_of,
    row_of,
    tied_to_next,
    time_of,
    weight_of,
)
from eventsnn._core.philox cimport lanes_at_hand
from eventsnn._core.stream cimport Source, Stream, stream_next

cdef extern from *:
    """
    #define EVENTSNN_MOST_PART ((int64_t)1 << 61)
    """
    const int64_t MOST_PART "EVENTSNN_MOST_PART"

cdef enum:
    AT_ONCE = 16          # arrivals: benchmarks/speed_floor.py
    HEAVY_BITS = 57       # larger additions are left to the ordinary way


# ---- factors


cdef inline void grow_factor(const Class* k, double t, Factor* f) noexcept nogil:
    cdef const double* c
    cdef int i
    f.membrane = growth(k.c[RATE_M], t - frame_begin(k.c[WIDTH_M], t))
    for i in range(k.model.n_currents):
        c = k.c + current_at(i)
        f.current[i] = growth(c[RATE], t - frame_begin(c[WIDTH], t))


cdef inline void pulse(const Class* k, int port, Factor* f, int at) noexcept nogil:
    """What an arrival of weight 1 at a port adds, when f has grown."""
    cdef double scale = scale_of(k, port)
    cdef int slot = k.model.target[port]
    f.slot[at] = slot
    if slot >= 0:
        f.x[at] = scale * f.current[slot]
    f.u[at] = scale * f.membrane


cdef inline void fill(const Class* k, const Inbox* b, const Slice* row, Factor* f) noexcept nogil:
    """The factors of what a row adds, and, of a row with one weight, what it adds."""
    cdef const Model* m = k.model
    cdef int port, sign
    grow_factor(k, row.time, f)
    f.positive = <float>(1.000001 * row.shared_weight) if row.shared_weight > 0.0 else 0.0
    for sign in range(2):
        port = row.port if row.port >= 0 else m.by_sign[sign if b.weighted else row.shared_weight < 0.0]
        pulse(k, port, f, sign)
    if not b.weighted:
        f.u_added = nearest(row.shared_weight * f.u[0])
        if k.model.n_currents:
            f.x_added = nearest(row.shared_weight * f.x[0])


cdef inline const Factor* factor(const Class* k, const Inbox* b, int64_t row) noexcept nogil:
    """Those of a row, from the table of a neuron's kind."""
    cdef int64_t at = k.kind * b.row_room + row
    if b.filled[at] != b.window:
        b.filled[at] = b.window
        fill(k, b, &b.row[row], &b.factor[at])
    return &b.factor[at]


cdef inline void prepare_growth(const Class* k, Inbox* b, int64_t next, int64_t end) noexcept nogil:
    """The arguments of the exponentials by which a neuron's arrivals in a window grow."""
    cdef bint wanted = k != NULL and k.model.skim != NULL and not k.c[NARROWEST] < b.width
    cdef double origin = frame_begin(k.c[WIDTH_M], b.arrival[next].time) if wanted and next < end else 0.0
    cdef int64_t i
    b.grown[next - 1] = 0.0
    for i in range(next, end):
        b.grown[i] = (b.arrival[i].time - origin) * k.c[RATE_M] if wanted else 0.0


cdef inline void grow_ahead(Inbox* b, int64_t begin, int64_t end) noexcept nogil:
    """What has been prepared from begin to end, for some neurons together and before these are taken through the
    window, since their exponentials do not wait for each other."""
    grow_times(lanes_at_hand(), end - begin, b.grown + begin, 0.0, 1.0, b.grown + begin)


cdef inline void grow(const Class* k, const Inbox* b, int64_t at, const Part* p, Factor* f, int n) noexcept nogil:
    """Only what the factors of an arrival depend on beside its port."""
    cdef int i
    f.membrane = b.grown[at] if b.timed else growth(k.c[RATE_M], time_of(b, at) - p.origin)
    for i in range(n):
        f.current[i] = growth(k.c[current_at(i) + RATE], time_of(b, at) - p.begin[i])


# ---- some arrivals at a time


cdef inline int64_t narrow(Wide value) noexcept nogil:
    """A number of 64 bits, or one that is found too large."""
    return <int64_t>value.low if is_narrow(value) else MOST_PART


cdef inline int64_t moved(Wide value, double kept, double frames) noexcept nogil:
    return narrow(value if frames == 0.0 else wide_later(value, kept, frames))


cdef inline bint is_large(int64_t value) noexcept nogil:
    return not -MOST_PART < value < MOST_PART


cdef inline Part part_of(const Class* k, const Neuron* s, double first, int n) noexcept nogil:
    """What a neuron has before the first event of a window, in the frames of the window."""
    cdef const double* c
    cdef Part p
    cdef int i
    p.origin, p.last = frame_begin(k.c[WIDTH_M], first), first
    p.u = narrow(s.u) if s.t < s.release else moved(s.u, k.c[KEPT_M], frames_until(k.c[WIDTH_M], s.t, p.origin))
    for i in range(n):
        c = k.c + current_at(i)
        p.begin[i] = frame_begin(c[WIDTH], first)
        p.x[i] = moved(numbers(k, s)[i], c[KEPT], frames_until(c[WIDTH], s.t, p.begin[i]))
    p.highest = p.u
    p.size = 0
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


cdef inline void add_to(int64_t* sum, int64_t added, int64_t* size) noexcept nogil:
    """size: bits that are set where numbers of this size have one."""
    sum[0] = sum_of(sum[0], added)
    size[0] |= added ^ (added >> 63)


cdef inline void take_arrivals(
    const Class* k, const Inbox* b, Part* p, int64_t next, int64_t end, bint held, int n
) noexcept nogil:
    cdef const int32_t* rows = b.row_of
    cdef int64_t i
    cdef const Factor* f
    cdef int64_t u = p.u
    cdef int64_t highest = p.highest
    cdef double weight
    cdef int sign
    for i in range(next, end):
        f = factor(k, b, rows[i] & INT32_MAX)
        if b.weighted:
            weight = b.weight[i]
            sign = weight < 0.0
            if n > 0:
                add_to(&p.x[f.slot[sign]], nearest(weight * f.x[sign]), &p.size)
                p.positive += weight if weight > 0.0 else 0.0
            if not held:
                add_to(&u, nearest(weight * f.u[sign]), &p.size)
        else:
            if n > 0:
                add_to(&p.x[f.slot[0]], f.x_added, &p.size)
                p.positive += f.positive
            if not held:
                add_to(&u, f.u_added, &p.size)
        # The threshold is tested after all that comes at one time.
        if n == 0 and rows[i] >= 0:
            highest = u if u > highest else highest
    if next < end:
        p.last = time_of(b, end - 1)
    p.u, p.highest = u, highest


cdef inline void take_own(
    const Class* k, const Inbox* b, Part* p, int64_t next, int64_t end, bint held, int n, Factor* f
) noexcept nogil:
    """The same without a table; f: what has grown until the last arrival."""
    cdef const Model* m = k.model
    cdef int64_t i
    cdef int port = 0
    cdef int slot
    cdef double weight, scale
    for i in range(next, end):
        grow(k, b, i, p, f, n)
        weight = weight_of(b, i)
        if m.ports > 1:
            port = port_of(m, b, i, weight)
        scale = scale_of(k, port)
        if n > 0:
            slot = m.target[port]
            add_to(&p.x[slot], nearest(weight * (scale * f.current[slot])), &p.size)
            p.positive += weight if weight > 0.0 else 0.0
        if not held:
            add_to(&p.u, nearest(weight * (scale * f.membrane)), &p.size)
            if not tied_to_next(b, i):
                p.highest = p.u if p.u > p.highest else p.highest
    if next < end:
        p.last = time_of(b, end - 1)


cdef inline bint take_external(
    const Class* k, const Source* sources, Stream* stream, Part* p, double stop, int64_t most, bint held, int n
) noexcept nogil:
    """The external spikes before stop; False if there are too many at one time, or if they add up to too much."""
    cdef const Source* d = &sources[stream.source]
    cdef int slot = k.model.target[d.port]
    cdef double scale = scale_of(k, d.port)
    cdef double rate = 0.0 if slot < 0 else k.c[current_at(slot) + RATE]
    cdef double t
    cdef int64_t count, added
    cdef int64_t rise = 0
    while stream.first < stop:
        t = stream.first
        count = 0
        while stream.first == t:
            count += 1
            stream_next(sources, stream)
        if count > min(most, 8):
            return False
        p.n_external += count
        if n > 0:
            added = nearest(d.weight * (scale * growth(rate, t - p.begin[slot])))
            if added >> HEAVY_BITS != added >> 63:
                return False
            p.x[slot] = sum_of(p.x[slot], count * added)
            p.positive += count * d.weight if d.weight > 0.0 else 0.0
            if is_large(p.x[slot]):
                return False
        if not held:
            added = nearest(d.weight * (scale * growth(k.c[RATE_M], t - p.origin)))
            if added >> HEAVY_BITS != added >> 63:
                return False
            added = count * added
            p.u = sum_of(p.u, added)
            rise = sum_of(rise, added) if added > 0 else rise
            if is_large(p.u) or is_large(rise):
                return False
        if t > p.last:
            p.last = t
    # What comes between arrivals, at the highest that it may add to any of their sums.
    p.highest = sum_of(p.highest, rise)
    return True


# ---- a neuron


cdef inline bint too_large(const Part* p, int n) noexcept nogil:
    cdef int i
    cdef bint found = is_large(p.u) or is_large(p.highest) or p.size >> HEAVY_BITS != 0
    for i in range(n):
        found |= is_large(p.x[i])
    return found


cdef inline int64_t skim_framed(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double stop, Skimmed* found, int n, bint own
) noexcept nogil:
    cdef int64_t most = AT_ONCE
    cdef int64_t last
    cdef double first, limit
    cdef Wide* x = numbers(k, s)
    cdef bint streams = s.n_streams == 1
    cdef bint held, clear
    cdef bint changed = False
    cdef Part before, p
    cdef const Factor* f
    cdef const Factor* f_last = NULL
    cdef Factor grown
    cdef Stream kept
    cdef int i
    if not s.framed or k.c[NARROWEST] < b.width:
        return next
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
        if held and not first < early(s.release):
            break
        if s.t < s.release and not held:
            move(k, s, s.release)
            lift(k, s)
        p = part_of(k, s, first, n)
        if too_large(&p, n):
            most = 0  # and no bound is known
            break
        before = p
        limit = min(stop, early(s.release)) if held else stop
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
        clear = clear and not too_large(&p, n)
        if clear and not held:
            if n == 0:
                clear = jumps_stay_below(
                    k, s, &p, first, f_last.membrane if f_last != NULL else growth(k.c[RATE_M], p.last - p.origin)
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
                x[i] = widened(p.x[i])
            s.u, s.t = widened(p.u), p.last
            s.bounded = UNKNOWN
            changed = True
        if most < AT_ONCE:
            most <<= 2
    if changed:
        found.changed = True
        if most > 0 and not s.t < s.release:
            if n == 0:
                bound_jumps(k, s, &p, f_last.membrane if f_last != NULL else growth(k.c[RATE_M], s.t - p.origin))
            else:
                bound(k, s, &p, f_last, n)
    return next


cdef inline bint skim_few(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double stop, Skimmed* found
) noexcept nogil:
    """What skim_framed does in the plainest case, by far the most frequent where windows are narrow: some jumps with
    times of their own, no streams. False, and nothing done, in any other."""
    cdef Part p
    cdef double scale, gap
    cdef int64_t i
    if not s.framed or s.n_streams or k.model.ports != 1 or k.c[NARROWEST] < b.width or not 0 < end - next <= AT_ONCE:
        return False
    if s.t < s.release or not b.arrival[end - 1].time < stop:
        return False
    gap = k.c[THRESHOLD] - s.drive
    scale = scale_of(k, 0)
    p = part_of(k, s, b.arrival[next].time, 0)
    p.last = b.arrival[end - 1].time
    for i in range(next, end):
        if b.arrival[i].tied:
            return False
        add_to(&p.u, nearest(weight_of(b, i) * (scale * b.grown[i])), &p.size)
        p.highest = p.u if p.u > p.highest else p.highest
    if gap > 0.0 or too_large(&p, 0) or not jumps_stay_below(k, s, &p, p.last, b.grown[end - 1]):
        return False
    s.u, s.t = widened(p.u), p.last
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
