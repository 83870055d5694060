# Calm neurons: how a network in which most neurons get input all the time is spared most looks at them.
#
# Time is cut into blocks, each of a group of neurons that have their constants in common. When a block begins, every
# neuron of the group is asked how much weight may arrive in the block so that it surely does not spike, whatever the
# times of arrival: its room, from an upper bound of v with all external input of the block, which is drawn at once. One
# that has room is calm: it is no entry of any queue, its state lies with those of the others, and input is added to it
# row by row (scatter.pxd), without any test. Each positive input takes away from the room, before any input of its
# window is added. A neuron whose room is used up is alert from then on: its state is put back into its record, as it
# was before the window, and it goes the ordinary way until the block ends. So do all that have no room at first, are
# released from refractoriness in the block, are sampled or have a change of current ahead. A neuron that is refractory
# for the whole block is calm as well.
#
# Nothing is left out and the order of additions to each half of the state stays, so no bit depends on any of this.

from libc.math cimport fabs, floor, nextafter
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from eventsnn._core.blocks cimport ALERT, HELD, LAST, LATE, STATE, U, X, Aside, Blocks, Group, Rise
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
from eventsnn._core.events cimport next_outside, next_own, predict, watched
from eventsnn._core.frames cimport EXTERNAL, add, growth, lift, move, origin_of, shift
from eventsnn._core.growth cimport draw_cells_growth
from eventsnn._core.mathfunc cimport infinity, not_a_number
from eventsnn._core.neuron cimport MOST_CURRENTS, UNKNOWN, Class, Neuron, variables
from eventsnn._core.philox cimport TABLED, lanes_at_hand, poisson_cell
from eventsnn._core.queue cimport NEVER, wake_set, wheel_remove
from eventsnn._core.stream cimport MOST_IN_CELL, Source, Stream, refill, stream_next


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
    int64_t look "eventsnn_look"(
        int lanes, int64_t first, int64_t stop, const double* state, const double* gap, const double* release,
        double membrane, double membrane_end, double per_effect, double margin, double end, float least, float most,
        float* room, const uint8_t* flag, int32_t* others
    ) noexcept
    int64_t look_currents "eventsnn_look_currents"(
        int lanes, const Rise* rise, int currents, int64_t first, int64_t stop, const double* state, const double* gap,
        float least, float most, double of_room, float* room, const uint8_t* flag, int32_t* others
    ) noexcept
    double room_of_currents "eventsnn_room_of_currents"(
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


cdef inline double* state_at(const Group* g, int32_t n) noexcept nogil:
    return g.state + (<int64_t>n * STATE if g.currents else n)


cdef inline const Class* class_of(const Core* e, const Group* g, int32_t n) noexcept nogil:
    """That of a neuron itself, where they differ in more than what the group keeps of each."""
    return &e.classes[neuron_at(e, n).class_of] if g.varied else g.k


cdef inline int slot_of(const Group* g) noexcept nogil:
    """The current that external input goes to; -1 for v."""
    return g.k.model.target[g.source.port]


# ---- from calm to alert


cdef inline void alert(Core* e, const Group* g, int32_t n, double now) noexcept nogil:
    """Put a calm neuron's state into its record, as it is before `now` with all input up to then."""
    cdef Blocks* b = &e.blocks
    cdef Neuron* s = neuron_at(e, n)
    cdef Aside* a = &b.aside[n]
    cdef const double* f = state_at(g, n)
    cdef double* x = variables(g.k, s)
    cdef int currents = g.currents
    cdef bint held = b.flag[n] & HELD
    cdef int i
    if currents > 0 or not held:
        s.origin = a.frame if b.flag[n] & LATE else g.origin
        # Without currents the time of the last event has no part in anything: a later one in its frame will do.
        s.t = max(f[LAST], s.origin) if currents > 0 else min(now, nextafter(s.origin + g.k.c[WIDTH], 0.0))
    if not held:
        s.v, s.external = f[U], a.external if g.source != NULL else 0.0
    for i in range(currents):
        x[i], x[currents + i] = f[X + i], 0.0
    if g.source != NULL:
        if currents > 0:
            x[currents + slot_of(g)] = a.z
        take_block(e, g, s, now)
    s.outside = next_outside(e, s)
    s.bounded = UNKNOWN
    s.crossing = infinity()
    b.flag[n] = ALERT
    b.room[n] = <float>not_a_number()


cdef inline void take_block(Core* e, const Group* g, Neuron* s, double now) noexcept nogil:
    """Bring a neuron's stream to the first spike from `now` on, and what comes before in the block to its state."""
    cdef const Source* d = g.source
    cdef Stream* stream = s.streams
    cdef double last = s.t
    cdef double sum, t
    stream.cell = <int64_t>floor(g.begin / d.width)
    stream.in_cell = stream.n = stream.at = 0
    refill(e.sources, stream)
    while stream.first < g.begin:
        stream_next(e.sources, stream)
    while stream.first < now:
        t = stream.first
        sum = 0.0
        while stream.first == t:
            sum = sum + d.weight
            e.external_events += 1
            stream_next(e.sources, stream)
        if g.currents > 0 or not t < s.release:
            move(g.k, s, t)
            add(g.k, s, d.port, sum, EXTERNAL)
            last = t if t > last else last
            s.t = last


cdef inline void wake(Core* e, int32_t n) noexcept nogil:
    predict(e, neuron_at(e, n))
    # A bound may lie before the present time, but what has been taken from the queue is not looked at again.
    wake_set(&e.wakes, n, max(next_own(neuron_at(e, n)), e.time))


cdef inline void alert_all(Core* e) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef int64_t k
    cdef int32_t n
    for k in range(b.n_groups):
        if b.group[k].k != NULL:
            for n in range(b.group[k].start, b.group[k].stop):
                if not b.flag[n] & ALERT:
                    alert(e, &b.group[k], n, e.time)
                    wake(e, n)


# ---- the beginning of a block


cdef inline double width_of(const Blocks* b, const Group* g) noexcept nogil:
    """How long a block is, a power of two: it lies in one frame, and in one cell of the external input."""
    cdef double width = min(b.width, g.k.c[WIDTH])
    return min(width, g.source.width) if g.source != NULL else width


cdef inline void begin_block(const Blocks* b, Group* g, double t) noexcept nogil:
    """The block that holds t, and the factors that bounds need in it."""
    cdef const Class* k = g.k
    cdef double width = width_of(b, g)
    cdef double frame = g.origin
    cdef int i, port
    # External input must not be drawn twice.
    while g.source != NULL and floor(t / width) * width != t:
        width = 0.5 * width
    g.begin = floor(t / width) * width
    g.end = g.begin + width
    g.origin = origin_of(k, g.begin)
    g.membrane = growth(k.c[RATE_M], g.begin - g.origin)
    g.membrane_end = growth(k.c[RATE_M], g.end - g.origin)
    g.step = growth(k.c[RATE_M], -k.c[WIDTH])
    for i in range(g.currents):
        g.rise.current[i] = growth(k.c[current_at(i) + RATE], g.origin - g.begin)
        g.rise.kept[i] = growth(k.c[current_at(i) + RATE], -width)
        g.rise.coupling[i] = k.c[current_at(i) + COUPLING]
        g.current_step[i] = growth(k.c[current_at(i) + RATE], -k.c[WIDTH])
    g.rise.membrane = 1.0 / g.membrane
    g.rise.per_C, g.rise.per_tau, g.rise.span, g.rise.margin = k.c[PER_C], 1.0 / k.c[TAU_M], width, BOUND_MARGIN
    g.effect = g.external_effect = 0.0
    for port in range(k.model.ports):
        g.effect = max(g.effect, effect_of(g, port))
    g.per_effect = g.rise.per_effect = 1.0 / g.effect
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
        return scale * g.membrane_end
    return scale * k.c[PER_C] * min(g.end - g.begin, k.c[current_at(slot) + TAU])


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


cdef inline void catch_up(Core* e, const Group* g, int32_t n) noexcept nogil:
    """Move the state of a neuron that is late to the frame of the block, in which its next event lies."""
    cdef Blocks* b = &e.blocks
    cdef Aside* a = &b.aside[n]
    cdef double* f = state_at(g, n)
    cdef double z[MOST_CURRENTS]
    cdef double external = 0.0
    cdef int slot = 0
    z[0] = z[1] = 0.0
    if g.source != NULL:
        external = a.external
        if g.currents > 0:
            slot = slot_of(g)
            z[slot] = a.z
    shift(class_of(e, g, n), g.origin - a.frame, b.flag[n] & HELD, &f[U], &external, f + X, z, g.currents)
    if g.source != NULL:
        a.external, a.z = external, z[slot]
    b.flag[n] &= <uint8_t>~LATE
    b.room[n] = b.late_room[n]


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
        span = 1.0 / (b.lines.scale[n] * b.lines.end[n])
        return room_of_jumps(b.lines.begin[n], b.lines.end[n], span, b.gap[n], state[U], external)
    if g.currents == 0:
        return room_of_jumps(g.membrane, g.membrane_end, g.per_effect, b.gap[n], state[U], external)
    state[U] = state[U] + external
    span = a.n_external * g.external_effect if g.source != NULL else 0.0
    return room_of_currents(&g.rise, g.currents, b.gap[n], state, span)


cdef inline double room_of_jumps(
    double membrane, double membrane_end, double per_effect, double gap, double u, double external
) noexcept nogil:
    """Between inputs U stays, and the threshold in its units only rises or only falls."""
    cdef double line = gap * (membrane if gap > 0.0 else membrane_end)
    return (line - (u + external) - BOUND_MARGIN * (fabs(u) + fabs(external) + fabs(line))) * per_effect


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


cdef inline void begin_jumpers(Core* e, const Group* g) noexcept nogil:
    """The same for all of a group without currents and external input; at once for those that are calm already and
    stay so."""
    cdef Blocks* b = &e.blocks
    cdef int64_t i
    cdef int64_t n = look(
        lanes_at_hand(), g.start, g.stop, g.state, b.gap, b.release, g.membrane, g.membrane_end,
        b.of_room * g.per_effect, BOUND_MARGIN, g.end, <float>LEAST_ROOM, <float>MOST_ROOM, b.room, b.flag, b.others
    )
    for i in range(n):
        begin_neuron(e, g, b.others[i], NULL)


cdef inline void begin_neurons(Core* e, const Group* g) noexcept nogil:
    """The same for neurons with currents."""
    cdef Blocks* b = &e.blocks
    cdef double moved[STATE]
    cdef const double* f
    cdef double room
    cdef int64_t i
    cdef int32_t n
    cdef int k
    cdef int64_t others = look_currents(
        lanes_at_hand(), &g.rise, g.currents, g.start, g.stop, g.state, b.gap, <float>LEAST_ROOM, <float>MOST_ROOM,
        b.of_room, b.room, b.flag, b.others
    )
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
        elif b.flag[n] & HELD and not b.flag[n] & ALERT and b.release[n] >= g.end:
            continue
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
