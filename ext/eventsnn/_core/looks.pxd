# What happens when a block begins: which neurons are calm in it (calm.pxd).

from libc.math cimport fabs, floor
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from eventsnn._core.blocks cimport (
    ALERT_D,
    HELD_D,
    IS_ALERT,
    IS_HELD,
    LEAST_D,
    STATE,
    Blocks,
    D,
    Group,
    Pending,
    Rise,
    U,
    X,
)
from eventsnn._core.calm cimport alert, class_of, is_included, slot_of, state_at, wake, width_of
from eventsnn._core.closed_form cimport (
    KEPT,
    KEPT_M,
    PER_UNIT,
    RATE,
    RATE_M,
    THRESHOLD,
    WIDTH,
    WIDTH_M,
    current_at,
)
from eventsnn._core.core cimport Core, neuron_at
from eventsnn._core.crossing cimport BOUND_MARGIN
from eventsnn._core.events cimport watched
from eventsnn._core.frames cimport (
    SLACK,
    frame_begin,
    growth,
    is_narrow,
    later,
    lift,
    move,
    nearest,
    numbers,
    scale_of,
    sum_of,
)
from eventsnn._core.growth cimport draw_cells_growth, grow
from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.neuron cimport Neuron, Wide, early
from eventsnn._core.philox cimport TABLED, lanes_at_hand, poisson_cell
from eventsnn._core.queue cimport NEVER, wheel_remove
from eventsnn._core.stream cimport MOST_IN_CELL, Source

cdef extern from *:
    """
    #define EVENTSNN_MOST_U ((int64_t)1 << 60)
    """
    # Larger numbers are left to the ordinary way.
    const int64_t MOST_U "EVENTSNN_MOST_U"

cdef extern from "eventsnn/_core/scatter.h" nogil:
    int64_t look_jumps "eventsnn_look_jumps"(
        int64_t* d, int64_t by, int64_t first, int64_t stop, int32_t* others
    ) noexcept
    int64_t look_currents "eventsnn_look_currents"(
        const Rise* rise, int currents, int64_t* state, const uint8_t* flag, int64_t first, int64_t stop,
        int32_t* others
    ) noexcept
    int64_t distance "eventsnn_distance_of"(const Rise* rise, int currents, const int64_t* state, int64_t low) noexcept

cdef enum:
    # Neurons whose external input is drawn at a time, and room for it.
    TOGETHER = 32
    ROOM_TOGETHER = 14 * TOGETHER + TABLED


cdef struct Drawn:
    # The external spikes of a neuron in a cell, and the factors at their times.
    const double* times
    const double* membrane
    const double* current
    int n


# ---- the block


cdef inline void begin_block(const Blocks* b, Group* g, double t) noexcept nogil:
    """The block that holds t, and the factors that bounds need in it."""
    cdef const double* c = g.k.c
    cdef double width = width_of(b, g)
    cdef double one, other
    cdef int i
    # A frame must not begin twice, and external input must not be drawn twice.
    while floor(t / width) * width != t:
        width = 0.5 * width
    g.begin = floor(t / width) * width
    g.end = g.begin + width
    g.origin = frame_begin(c[WIDTH_M], g.begin)
    g.frames = g.origin == g.begin
    g.grown_begin = growth(c[RATE_M], g.begin - g.origin)
    g.grown_end = growth(c[RATE_M], g.end - g.origin)
    for i in range(g.currents):
        c = g.k.c + current_at(i)
        g.frames |= (frame_begin(c[WIDTH], g.begin) == g.begin) << (1 + i)
        one = g.grown_begin / growth(c[RATE], g.begin - frame_begin(c[WIDTH], g.begin))
        other = g.grown_end / growth(c[RATE], g.end - frame_begin(c[WIDTH], g.begin))
        g.rise.least[i], g.rise.largest[i], g.at_end[i] = min(one, other), max(one, other), other
    g.rise.margin = BOUND_MARGIN
    g.low_before, g.moved = g.low, g.start
    if g.even:
        g.low = lowest_line((g.gap + b.above) * g.k.c[PER_UNIT], g.grown_begin, g.grown_end)


cdef inline int64_t lowest_line(double gap, double grown_begin, double grown_end) noexcept nogil:
    """Below what U does not reach the threshold in the block, whatever is rounded; gap in units."""
    cdef double line = gap * (grown_begin if gap > 0.0 else grown_end)
    # A line out of reach is one that is just so, too.
    return min(nearest(line - BOUND_MARGIN * fabs(line) - 2.0 * SLACK) - 1, MOST_U)


# ---- a neuron


cdef inline bint settle_record(Core* e, Group* g, int32_t n) noexcept nogil:
    """Whether an alert neuron may be calm in the block that begins; its state is then there but for D, with U in its
    place if there are no currents."""
    cdef Blocks* b = &e.blocks
    cdef Neuron* s = neuron_at(e, n)
    cdef int64_t* f = state_at(g, n)
    cdef bint held = early(s.release) >= g.end
    cdef double gap
    cdef int i
    if not s.framed or watched(e, n) or e.change_time[s.change] < infinity() or (g.begin < s.release and not held):
        return False
    if s.t < s.release <= g.begin:
        move(class_of(e, g, n), s, s.release)
        lift(class_of(e, g, n), s)
    move(class_of(e, g, n), s, g.begin)
    if not held and not is_small(s.u):
        return False
    for i in range(g.currents):
        if not is_small(numbers(g.k, s)[i]):
            return False
        f[X + i] = <int64_t>numbers(g.k, s)[i].low
    f[U if g.currents else D] = <int64_t>s.u.low
    gap = e.classes[s.class_of].c[THRESHOLD] - s.drive
    if g.even and gap != g.gap:
        become_uneven(b, g)
    b.gap[n] = gap
    b.flag[n] = IS_ALERT | (IS_HELD if held else 0)
    b.release[n] = s.release
    return True


cdef inline bint is_small(Wide value) noexcept nogil:
    return is_narrow(value) and -MOST_U < <int64_t>value.low < MOST_U


cdef inline void become_uneven(Blocks* b, Group* g) noexcept nogil:
    """From now on each has a line of its own."""
    cdef int32_t n
    for n in range(g.start, g.stop):
        b.gap[n] = g.gap
        b.low[n] = g.low if n < g.moved else g.low_before
    g.even = False


cdef inline int64_t line_of(Blocks* b, const Group* g, int32_t n) noexcept nogil:
    """The lowest line of a neuron in the block that begins."""
    cdef double per_unit = g.k.c[PER_UNIT]
    if g.even:
        return g.low
    if g.varied:
        return lowest_line((b.gap[n] + b.above) * b.per_unit[n], b.begins[n], b.ends[n])
    return lowest_line((b.gap[n] + b.above) * per_unit, g.grown_begin, g.grown_end)


cdef inline void new_frames(Core* e, const Group* g, int32_t n) noexcept nogil:
    """Bring a calm neuron's numbers to the frames that begin with the block. D is that of the block before."""
    cdef int64_t* f = state_at(g, n)
    cdef const double* c = class_of(e, g, n).c
    cdef int64_t low
    cdef int i
    if g.currents == 0 and g.frames:
        low = g.low_before if g.even else e.blocks.low[n]
        f[D] = sum_of(later(sum_of(f[D], low), c[KEPT_M]), -low)
        return
    if g.frames & 1:
        f[U] = later(f[U], c[KEPT_M])
    for i in range(g.currents):
        if g.frames & (2 << i):
            f[X + i] = later(f[X + i], c[current_at(i) + KEPT])


cdef inline void begin_neuron(Core* e, Group* g, int32_t n, const Drawn* drawn) noexcept nogil:
    """Let a neuron be calm in the block that begins, or not. It is in the frames of the block."""
    cdef Blocks* b = &e.blocks
    cdef int64_t* f = state_at(g, n)
    cdef bint was_alert = b.flag[n] & IS_ALERT
    cdef Pending input
    cdef int64_t low
    if g.moved < g.stop:
        g.moved = n
    if was_alert:
        if (e.hasty != NULL and e.hasty[n]) or not settle_record(e, g, n):
            b.flag[n] = IS_ALERT
            f[D] = ALERT_D
            return
    elif g.currents == 0:
        f[D] = sum_of(f[D], g.low_before if g.even else b.low[n])  # U
    low = line_of(b, g, n)
    if not g.even:
        b.low[n] = low
    if not b.flag[n] & IS_HELD:
        f[D] = distance(&g.rise, g.currents, f, low) if g.currents else sum_of(f[D], -low)
    elif early(b.release[n]) >= g.end:
        f[D] = HELD_D
    else:
        # It is released in the block.
        alert(e, g, n, e.time)
        wake(e, n)
        return
    if g.source != NULL:
        take_drawn(b, g, n, drawn, &input)
    if not LEAST_D <= f[D] < 0:
        if was_alert:
            b.flag[n] = IS_ALERT
            f[D] = ALERT_D
        else:
            if g.source != NULL and g.currents == 0 and is_included(g):
                f[D] = sum_of(f[D], -input.u)
            alert(e, g, n, e.time)
            wake(e, n)
        return
    if g.source != NULL:
        b.pending[n] = input
        if g.currents:
            f[U] = sum_of(f[U], input.u)
            f[X + slot_of(g)] = sum_of(f[X + slot_of(g)], input.x)
    elif g.currents == 0 and b.flag[n] & IS_HELD and was_alert:
        b.held[g.start + g.n_held] = n
        g.n_held += 1
    if was_alert:
        b.flag[n] &= <uint8_t>~IS_ALERT
        if e.wakes.link[n].key != NEVER:
            wheel_remove(&e.wakes, n)
            e.wakes.link[n].key = NEVER


cdef inline void end_block(Core* e, const Group* g, int32_t n) noexcept nogil:
    """Count the external input of the block that has ended; all of it is now in the state, which is still in the
    frames of that block."""
    cdef Pending* p = &e.blocks.pending[n]
    if p.n:
        if g.currents == 0 and not is_included(g):
            state_at(g, n)[D] = sum_of(state_at(g, n)[D], p.u)
        e.external_events += p.n
        p.u = p.x = p.n = 0


# ---- external input


cdef inline void draw_singly(const Group* g, int32_t n, Drawn* drawn, double* room) noexcept nogil:
    """The spikes of a cell with too many of them for draw_cells_growth."""
    cdef const Source* d = g.source
    cdef int64_t cell = <int64_t>floor(g.begin / d.width)
    cdef double* membrane = room + MOST_IN_CELL
    cdef double* current = membrane + MOST_IN_CELL
    drawn.n = poisson_cell(
        d.key, g.index + <uint32_t>n, cell, d.mean, d.exp_minus_mean, d.least, <double>cell * d.width, d.width, 0, room
    )
    drawn.times, drawn.membrane, drawn.current = room, membrane, current
    grow_drawn(g, drawn.n, room, membrane, current)


cdef inline void grow_drawn(
    const Group* g, int64_t n, const double* times, double* membrane, double* current
) noexcept nogil:
    """The factors at some times in the cell, of which only those in the block will be used."""
    cdef const double* c = g.k.c
    grow(lanes_at_hand(), n, times, g.origin, c[RATE_M], membrane)
    if g.currents > 0:
        c = c + current_at(slot_of(g))
        grow(lanes_at_hand(), n, times, frame_begin(c[WIDTH], g.begin), c[RATE], current)


cdef inline int64_t draw_together(const Group* g, int32_t first, int n, int* counts, double* room) noexcept nogil:
    """The same of n neurons, the factors behind the times in room."""
    cdef const Source* d = g.source
    cdef const double* c = g.k.c
    cdef int64_t cell = <int64_t>floor(g.begin / d.width)
    cdef double start = <double>cell * d.width
    # A sum may round up to the end, which belongs to the next cell; this is the last double before it.
    cdef double last = (start + d.width) * (1.0 - 1.0 / 9007199254740992.0)
    cdef int64_t spikes = draw_cells_growth(
        lanes_at_hand(), n, counts, d.key, g.index + <uint32_t>first, <uint32_t>(<uint64_t>cell),
        <uint32_t>(<uint64_t>cell >> 32), 0, d.least, start, d.width, last, room,
        g.origin, c[RATE_M], room + ROOM_TOGETHER, 0.0, NULL,
    )
    if g.currents > 0:
        c = c + current_at(slot_of(g))
        grow(lanes_at_hand(), spikes, room, frame_begin(c[WIDTH], g.begin), c[RATE], room + 2 * ROOM_TOGETHER)
    return spikes


cdef inline void take_drawn(
    const Blocks* b, const Group* g, int32_t n, const Drawn* drawn, Pending* input
) noexcept nogil:
    """Add up the external input of the block. D rises as if all came at once, but does not fall before it comes; what
    jumps v of a neuron that is refractory throughout is lost."""
    cdef int64_t* f = state_at(g, n)
    cdef double scale = scale_of(g.k, g.source.port)
    cdef double weight = g.source.weight
    cdef double rise
    cdef int i
    input.u = input.x = input.n = 0
    for i in range(drawn.n):
        if not g.begin <= drawn.times[i] < g.end:
            continue
        input.n += 1
        input.u = sum_of(input.u, nearest(weight * (scale * drawn.membrane[i])))
        if g.currents > 0:
            input.x = sum_of(input.x, nearest(weight * (scale * drawn.current[i])))
    if b.flag[n] & IS_HELD:
        input.u = input.u if g.currents else 0
    elif g.currents > 0:
        rise = <double>input.u - <double>input.x * g.at_end[slot_of(g)]
        f[D] = sum_of(f[D], nearest(rise + BOUND_MARGIN * fabs(<double>input.u)) if rise > 0.0 else 0)
    elif is_included(g):
        f[D] = sum_of(f[D], input.u)


# ---- all of a group


cdef inline bint stays_held(const Blocks* b, const Group* g, int32_t n) noexcept nogil:
    return b.flag[n] == IS_HELD and early(b.release[n]) >= g.end


cdef inline void begin_jumpers(Core* e, Group* g) noexcept nogil:
    """The same for all of a group without currents and external input; at once for those that are calm already and
    stay so."""
    cdef Blocks* b = &e.blocks
    cdef int64_t held = g.n_held
    cdef int64_t i, others
    cdef int32_t n
    if g.varied:
        grow_lines(b, g)
    if g.frames:
        for n in range(g.start, g.stop):
            if b.flag[n] == 0:
                new_frames(e, g, n)
    if g.even:
        others = look_jumps(g.state, sum_of(g.low_before, -g.low), g.start, g.stop, b.others)
    else:
        others = move_lines(b, g)
    g.moved = g.stop
    g.n_held = 0
    for i in range(held):
        n = b.held[g.start + i]
        if b.flag[n] != IS_HELD:
            continue
        if stays_held(b, g, n):
            g.state[n] = HELD_D
            b.held[g.start + g.n_held] = n
            g.n_held += 1
        else:
            alert(e, g, n, e.time)
            wake(e, n)
    for i in range(others):
        n = b.others[i]
        if b.flag[n] & IS_ALERT:
            begin_neuron(e, g, n, NULL)
        elif b.flag[n] == 0:
            alert(e, g, n, e.time)
            wake(e, n)


cdef inline int64_t move_lines(Blocks* b, const Group* g) noexcept nogil:
    """Take D of each from its line in the block before to that in the present one, and list others."""
    cdef int64_t others = 0
    cdef int64_t low
    cdef int32_t n
    for n in range(g.start, g.stop):
        low = line_of(b, g, n)
        g.state[n] = sum_of(sum_of(g.state[n], b.low[n]), -low)
        b.low[n] = low
        b.others[others] = n
        others += not LEAST_D <= g.state[n] < 0
    return others


cdef inline void grow_lines(Blocks* b, const Group* g) noexcept nogil:
    """What the unit of each has grown by when the block begins and ends. All have frames of one width."""
    cdef int64_t n = g.stop - g.start
    grow(lanes_at_hand(), n, b.rate + g.start, 0.0, g.begin - g.origin, b.begins + g.start)
    grow(lanes_at_hand(), n, b.rate + g.start, 0.0, g.end - g.origin, b.ends + g.start)


cdef inline void begin_neurons(Core* e, Group* g) noexcept nogil:
    """The same for neurons with currents."""
    cdef Blocks* b = &e.blocks
    cdef int64_t i, others
    cdef int32_t n
    if g.frames:
        for n in range(g.start, g.stop):
            if not b.flag[n] & IS_ALERT:
                new_frames(e, g, n)
    if not g.even:
        for n in range(g.start, g.stop):
            b.low[n] = line_of(b, g, n)
    g.rise.low, g.rise.lows = g.low, NULL if g.even else b.low
    g.moved = g.stop
    others = look_currents(&g.rise, g.currents, g.state, b.flag, g.start, g.stop, b.others)
    for i in range(others):
        n = b.others[i]
        if stays_held(b, g, n):
            state_at(g, n)[<int>D] = HELD_D
        elif b.flag[n] & IS_ALERT:
            begin_neuron(e, g, n, NULL)
        else:
            alert(e, g, n, e.time)
            wake(e, n)


cdef inline void begin_driven(Core* e, Group* g) noexcept nogil:
    """The same for neurons with external input, of which some are drawn at a time."""
    cdef double room[3 * ROOM_TOGETHER]
    cdef double single[3 * MOST_IN_CELL]
    cdef int counts[TOGETHER]
    cdef int32_t first = g.start
    cdef int k, size
    cdef int64_t at
    cdef Drawn drawn
    if g.varied:
        grow_lines(&e.blocks, g)
    while first < g.stop:
        size = min(g.stop - first, <int>TOGETHER)
        draw_together(g, first, size, counts, room)
        at = 0
        for k in range(size):
            if counts[k] == TABLED - 1:
                draw_singly(g, first + k, &drawn, single)
            else:
                drawn.times = room + at
                drawn.membrane, drawn.current = drawn.times + ROOM_TOGETHER, drawn.times + 2 * ROOM_TOGETHER
                drawn.n = counts[k]
                at += counts[k]
            if not e.blocks.flag[first + k] & IS_ALERT:
                end_block(e, g, first + k)
                if g.frames:
                    new_frames(e, g, first + k)
            begin_neuron(e, g, first + k, &drawn)
        first += size


cdef inline void begin_blocks(Core* e, double t) noexcept nogil:
    """Begin all blocks that are due at t, and see when the next one is."""
    cdef Blocks* b = &e.blocks
    cdef Group* g
    cdef int64_t k
    b.end = infinity()
    for k in range(b.n_groups):
        g = &b.group[k]
        if g.k == NULL:
            continue
        if not t < g.end:
            begin_block(b, g, t)
            if g.source != NULL:
                begin_driven(e, g)
            elif g.currents == 0:
                begin_jumpers(e, g)
            else:
                begin_neurons(e, g)
            b.looks += g.stop - g.start
        b.end = min(b.end, g.end)
