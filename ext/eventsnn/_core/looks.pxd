# What happens when a block begins: which neurons are calm in it (calm.pxd), and how much room they have.

from libc.math cimport fabs, floor
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from eventsnn._core.blocks cimport ALERT, HELD, LAST, LATE, STATE, U, X, Aside, Blocks, Group, Lines, Looked, Rise
from eventsnn._core.calm cimport alert, catch_up, class_of, slot_of, state_at, wake, width_of
from eventsnn._core.closed_form cimport (
    COUPLING,
    PER_C,
    RATE,
    RATE_M,
    TAU,
    TAU_M,
    THRESHOLD,
    WIDTH,
    current_at,
    threshold_at,
)
from eventsnn._core.core cimport Core, neuron_at
from eventsnn._core.crossing cimport BOUND_MARGIN
from eventsnn._core.events cimport watched
from eventsnn._core.frames cimport growth, lift, move, origin_of
from eventsnn._core.growth cimport draw_cells_growth, grow
from eventsnn._core.mathfunc cimport infinity, not_a_number
from eventsnn._core.neuron cimport Class, Neuron, variables
from eventsnn._core.philox cimport TABLED, lanes_at_hand, poisson_cell
from eventsnn._core.queue cimport NEVER, wheel_remove
from eventsnn._core.stream cimport MOST_IN_CELL, Source


cdef extern from *:
    """
    #define EVENTSNN_LEAST_ROOM 1e-30
    #define EVENTSNN_MOST_ROOM 1e30
    #define EVENTSNN_OF_ROOM 0.999999
    """
    # Room is a float: less is none, more is so much, and what the rounding of one may be is left out.
    const double LEAST_ROOM "EVENTSNN_LEAST_ROOM"
    const double MOST_ROOM "EVENTSNN_MOST_ROOM"
    const double OF_ROOM "EVENTSNN_OF_ROOM"


cdef extern from "eventsnn/_core/scatter.h" nogil:
    int64_t look_jumps "eventsnn_look_jumps"(
        int lanes, const Looked* at, const Lines* lines, int varied, int64_t first, int64_t stop
    ) noexcept
    int64_t look_currents "eventsnn_look_currents"(
        int lanes, const Looked* at, const Rise* rise, int currents, int64_t first, int64_t stop
    ) noexcept
    double room_of_currents "eventsnn_room"(
        const Rise* rise, int currents, double gap, const double* state, double added
    ) noexcept


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
    cdef const Class* k = g.k
    cdef double width = width_of(b, g)
    cdef double frame = g.origin
    cdef double effect = 0.0
    cdef int i, port
    # External input must not be drawn twice.
    while g.source != NULL and floor(t / width) * width != t:
        width = 0.5 * width
    g.begin = floor(t / width) * width
    g.end = g.begin + width
    g.origin = origin_of(k, g.begin)
    g.lines.begin = growth(k.c[RATE_M], g.begin - g.origin)
    g.lines.end = growth(k.c[RATE_M], g.end - g.origin)
    g.lines.begins, g.lines.ends, g.lines.scales = b.begins, b.ends, b.scales
    g.step = growth(k.c[RATE_M], -k.c[WIDTH])
    for i in range(g.currents):
        g.rise.current[i] = growth(k.c[current_at(i) + RATE], g.origin - g.begin)
        g.rise.kept[i] = growth(k.c[current_at(i) + RATE], -width)
        g.rise.coupling[i] = k.c[current_at(i) + COUPLING]
        g.current_step[i] = growth(k.c[current_at(i) + RATE], -k.c[WIDTH])
    g.rise.membrane = 1.0 / g.lines.begin
    g.rise.per_C, g.rise.per_tau, g.rise.span, g.rise.margin = k.c[PER_C], 1.0 / k.c[TAU_M], width, BOUND_MARGIN
    g.external_effect = 0.0
    for port in range(k.model.ports):
        effect = max(effect, effect_of(g, port))
    g.rise.per_effect = 1.0 / effect
    g.lines.scale = effect / g.lines.end
    if g.source != NULL:
        if g.source.weight > 0.0:
            g.external_effect = g.source.weight * effect_of(g, g.source.port)
        g.external_scale = k.c[threshold_at(k.model, 0) + g.currents + g.source.port]
        g.external_coupled = g.external_scale
        if g.currents > 0:
            g.external_coupled = g.external_scale * k.c[current_at(slot_of(g)) + COUPLING]
    if g.origin != frame:
        leave_behind(b, g, frame)


cdef inline void leave_behind(const Blocks* b, const Group* g, double frame) noexcept nogil:
    """A new frame has begun: all calm neurons are late, those that were in this one from now on."""
    cdef int32_t n
    for n in range(g.start, g.stop):
        if not b.flag[n] & (ALERT | LATE):
            b.aside[n].frame = frame
            b.flag[n] |= LATE
            b.late_room[n] = b.room[n]
            b.room[n] = <float>-infinity()


cdef inline double effect_of(const Group* g, int port) noexcept nogil:
    """The most that an arrival of weight 1 in the block adds: to U, of a neuron with currents to v."""
    cdef const Class* k = g.k
    cdef int slot = k.model.target[port]
    cdef double scale = k.c[threshold_at(k.model, 0) + k.model.n_currents + port]
    if slot < 0:
        return scale * g.lines.end
    return scale * k.c[PER_C] * min(g.end - g.begin, k.c[current_at(slot) + TAU])


# ---- its external input


cdef inline void draw_singly(const Group* g, int32_t n, Drawn* drawn, double* room) noexcept nogil:
    """The spikes of a cell with too many of them for draw_cells_growth."""
    cdef const Source* d = g.source
    cdef int64_t cell = <int64_t>floor(g.begin / d.width)
    cdef double* membrane = room + MOST_IN_CELL
    cdef double* current = membrane + MOST_IN_CELL
    cdef int i
    drawn.n = poisson_cell(
        d.key, g.index + <uint32_t>n, cell, d.mean, d.exp_minus_mean, d.least, <double>cell * d.width, d.width, 0, room
    )
    drawn.times, drawn.membrane, drawn.current = room, membrane, current
    for i in range(drawn.n):
        membrane[i] = growth(g.k.c[RATE_M], room[i] - g.origin)
        current[i] = growth(current_rate(g), room[i] - g.origin)


cdef inline double current_rate(const Group* g) noexcept nogil:
    """The rate of the current that external input goes to; 0 if that is v."""
    cdef int slot = slot_of(g)
    return 0.0 if slot < 0 else g.k.c[current_at(slot) + RATE]


cdef inline int64_t draw_together(const Group* g, int32_t first, int n, int* counts, double* room) noexcept nogil:
    """The same of n neurons, the factors behind the times in room."""
    cdef const Source* d = g.source
    cdef int64_t cell = <int64_t>floor(g.begin / d.width)
    cdef double start = <double>cell * d.width
    # A sum may round up to the end, which belongs to the next cell; this is the last double before it.
    cdef double last = (start + d.width) * (1.0 - 1.0 / 9007199254740992.0)
    return draw_cells_growth(
        lanes_at_hand(), n, counts, d.key, g.index + <uint32_t>first, <uint32_t>(<uint64_t>cell),
        <uint32_t>(<uint64_t>cell >> 32), 0, d.least, start, d.width, last, room,
        g.origin, g.k.c[RATE_M], room + ROOM_TOGETHER,
        current_rate(g), room + 2 * ROOM_TOGETHER if g.currents > 0 else NULL,
    )


cdef inline bint take_drawn(Core* e, const Group* g, int32_t n, bint held, const Drawn* drawn) noexcept nogil:
    """Add up the external input of the block, and with it move the state to the block's frame; False if two spikes come
    at one time."""
    cdef Blocks* b = &e.blocks
    cdef Aside* a = &b.aside[n]
    cdef double scale = g.external_scale
    cdef double coupled = g.external_coupled
    cdef double weight = g.source.weight
    cdef double last = -1.0
    cdef double external, z, t
    cdef int taken = 0
    cdef int i
    if b.flag[n] & LATE:
        for i in range(drawn.n):
            if g.begin <= drawn.times[i] < g.end:
                catch_up(e, g, n)
                break
    external, z = a.external, a.z
    for i in range(drawn.n):
        t = drawn.times[i]
        if not g.begin <= t < g.end:
            continue
        if t == last:
            return False
        last = t
        taken += 1
        if g.currents > 0:
            z = z + weight * (scale * drawn.current[i])
        external = external + weight * (coupled * drawn.membrane[i])
    a.external_end, a.z_end, a.last, a.n_external = a.external if held else external, z, last, taken
    return True


cdef inline void end_block(Core* e, const Group* g, int32_t n) noexcept nogil:
    """Take over the external input of the block that has ended."""
    cdef Aside* a = &e.blocks.aside[n]
    cdef double* f = state_at(g, n)
    if g.source != NULL and a.n_external:
        a.external, a.z = a.external_end, a.z_end
        if g.currents > 0 and a.last > f[LAST]:
            f[LAST] = a.last
        e.external_events += a.n_external
        a.n_external = 0


# ---- a neuron


cdef inline bint settle_record(Core* e, const Group* g, int32_t n) noexcept nogil:
    """Whether an alert neuron may be calm in the block that begins; its state is then there, and its room inf if it
    is refractory throughout, else 0."""
    cdef Blocks* b = &e.blocks
    cdef Neuron* s = neuron_at(e, n)
    cdef Aside* a = &b.aside[n]
    cdef double* f = state_at(g, n)
    cdef double* x = variables(g.k, s)
    cdef int currents = g.currents
    cdef bint held = s.release >= g.end
    cdef int i
    if not s.framed or watched(e, n) or e.change_time[s.change] < infinity() or (g.begin < s.release < g.end):
        return False
    if s.t < s.release <= g.begin:
        move(class_of(e, g, n), s, s.release)
        lift(class_of(e, g, n), s)
    f[U] = s.v
    if currents > 0:
        f[LAST] = s.t
    for i in range(currents):
        f[X + i] = x[i]
    if g.source != NULL:
        a.external = 0.0 if held else s.external
        a.z = x[currents + slot_of(g)] if currents > 0 else 0.0
        a.n_external = 0
    b.gap[n] = e.classes[s.class_of].c[THRESHOLD] - s.drive
    b.flag[n] = ALERT
    if s.origin != g.origin:
        b.flag[n] |= LATE
        a.frame = s.origin
    if held:
        b.flag[n] |= HELD
    b.release[n] = s.release
    return True


cdef inline double room_of(const Blocks* b, const Group* g, int32_t n) noexcept nogil:
    """How much weight may arrive in the block; not positive if the neuron might spike without any."""
    cdef const Aside* a = &b.aside[n]
    cdef const Class* k = g.k
    cdef double* f = state_at(g, n)
    cdef double state[STATE]
    cdef double external = 0.0
    cdef double span
    cdef int i
    state[U] = f[U]
    for i in range(g.currents):
        state[X + i] = f[X + i]
    if g.source != NULL:
        external = a.external
        if g.currents > 0:
            state[X + slot_of(g)] += a.z
        elif a.n_external and a.external_end > external:
            external = a.external_end
    if b.flag[n] & LATE:
        span = a.frame - g.origin
        state[U] = state[U] * growth(b.rate[n] if g.varied else k.c[RATE_M], span)
        external = external * growth(k.c[RATE_M], span)
        for i in range(g.currents):
            state[X + i] = state[X + i] * growth(k.c[current_at(i) + RATE], span)
    if g.varied:
        return room_of_jumps(b.begins[n], b.ends[n], b.scales[n], b.gap[n], state[U], external)
    if g.currents == 0:
        return room_of_jumps(g.lines.begin, g.lines.end, g.lines.scale, b.gap[n], state[U], external)
    state[U] = state[U] + external
    span = a.n_external * g.external_effect if g.source != NULL else 0.0
    return room_of_currents(&g.rise, g.currents, b.gap[n], state, span)


cdef inline double room_of_jumps(
    double begin, double end, double scale, double gap, double u, double external
) noexcept nogil:
    """Between inputs U stays, and the threshold in its units only rises or only falls."""
    cdef double line = gap * (begin if gap > 0.0 else end)
    return (line - (u + external) - BOUND_MARGIN * (fabs(u) + fabs(external) + fabs(line))) / (scale * end)


cdef inline void begin_neuron(Core* e, const Group* g, int32_t n, const Drawn* drawn) noexcept nogil:
    """Let a neuron be calm in the block that begins, or not."""
    cdef Blocks* b = &e.blocks
    cdef Aside* a = &b.aside[n]
    cdef double* f = state_at(g, n)
    cdef bint was_alert = b.flag[n] & ALERT
    cdef bint calm = True
    cdef bint held, late
    cdef double kept[STATE]
    cdef Aside kept_aside
    cdef double room = 0.0
    if was_alert:
        if (e.hasty != NULL and e.hasty[n]) or not settle_record(e, g, n):
            b.flag[n] = ALERT
            return
    else:
        end_block(e, g, n)
        if b.flag[n] & HELD:
            calm = b.release[n] >= g.end
    held = b.flag[n] & HELD
    late = b.flag[n] & LATE
    if late:
        memcpy(kept, f, (STATE if g.currents else 1) * sizeof(double))
        kept_aside = a[0]
    if calm and g.source != NULL:
        calm = take_drawn(e, g, n, held, drawn)
    if calm and not held:
        room = room_of(b, g, n)
        calm = room > LEAST_ROOM
    if calm:
        b.room[n] = <float>(infinity() if held else b.of_room * min(room, MOST_ROOM))
        if b.flag[n] & LATE:
            b.late_room[n] = b.room[n]
            b.room[n] = <float>-infinity()
        if was_alert:
            b.flag[n] &= <uint8_t>~ALERT
            if e.wakes.link[n].key != NEVER:
                wheel_remove(&e.wakes, n)
                e.wakes.link[n].key = NEVER
    elif was_alert:
        b.flag[n] = ALERT
        b.room[n] = <float>not_a_number()
    else:
        if late:
            # It might spike before its next event, and must then do so from the state that it had.
            memcpy(f, kept, (STATE if g.currents else 1) * sizeof(double))
            a[0] = kept_aside
            b.flag[n] |= LATE
        alert(e, g, n, e.time)
        wake(e, n)


# ---- all of a group


cdef inline Looked looked(const Blocks* b, const Group* g) noexcept nogil:
    cdef Looked at
    at.state, at.gap, at.flag, at.room, at.others = g.state, b.gap, b.flag, b.room, b.others
    at.least, at.most, at.of_room, at.margin = <float>LEAST_ROOM, <float>MOST_ROOM, b.of_room, BOUND_MARGIN
    return at


cdef inline bint stays_held(const Blocks* b, const Group* g, int32_t n) noexcept nogil:
    return b.flag[n] & HELD and not b.flag[n] & ALERT and b.release[n] >= g.end


cdef inline void begin_jumpers(Core* e, const Group* g) noexcept nogil:
    """The same for all of a group without currents and external input; at once for those that are calm already and
    stay so."""
    cdef Blocks* b = &e.blocks
    cdef Looked at = looked(b, g)
    cdef int64_t n = g.stop - g.start
    cdef int64_t i
    if g.varied:
        grow(lanes_at_hand(), n, b.rate + g.start, 0.0, g.begin - g.origin, b.begins + g.start)
        grow(lanes_at_hand(), n, b.rate + g.start, 0.0, g.end - g.origin, b.ends + g.start)
    n = look_jumps(lanes_at_hand(), &at, &g.lines, g.varied, g.start, g.stop)
    for i in range(n):
        if not stays_held(b, g, b.others[i]):
            begin_neuron(e, g, b.others[i], NULL)


cdef inline void begin_neurons(Core* e, const Group* g) noexcept nogil:
    """The same for neurons with currents."""
    cdef Blocks* b = &e.blocks
    cdef Looked at = looked(b, g)
    cdef double moved[STATE]
    cdef const double* f
    cdef double room
    cdef int64_t i
    cdef int32_t n
    cdef int k
    cdef int64_t others = look_currents(lanes_at_hand(), &at, &g.rise, g.currents, g.start, g.stop)
    for i in range(others):
        n = b.others[i]
        f = g.state + <int64_t>n * STATE
        if b.flag[n] == LATE and b.aside[n].frame == g.origin - g.k.c[WIDTH]:
            # Most that are late had their last event in the frame before.
            moved[U] = f[U] * g.step
            for k in range(g.currents):
                moved[X + k] = f[X + k] * g.current_step[k]
            room = room_of_currents(&g.rise, g.currents, b.gap[n], moved, 0.0)
            if room > LEAST_ROOM:
                b.late_room[n] = <float>(b.of_room * min(room, MOST_ROOM))
                continue
        if not stays_held(b, g, n):
            begin_neuron(e, g, n, NULL)


cdef inline void begin_driven(Core* e, const Group* g) noexcept nogil:
    """The same for neurons with external input, of which some are drawn at a time."""
    cdef double room[3 * ROOM_TOGETHER]
    cdef double single[3 * MOST_IN_CELL]
    cdef int counts[TOGETHER]
    cdef int32_t first = g.start
    cdef int k, size
    cdef int64_t at
    cdef Drawn drawn
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
