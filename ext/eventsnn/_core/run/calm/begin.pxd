# The beginning of a block: which neurons are calm in it (calm.pxd).
#
# Followed neurons have been taken up to it. External input is drawn, for some blocks together (external.h). Then one
# pass goes over all neurons of a group (passes.h): it adds their external input and lists those that are not calm.

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from eventsnn._core.run.calm.ahead cimport fits, is_at_line, look_ahead
from eventsnn._core.run.calm.blocks cimport (
    BIAS,
    HELD_D,
    IS_APART,
    IS_HELD,
    LEAST_D,
    STATE,
    Blocks,
    D,
    Drive,
    Followed,
    Group,
    Grown,
    Lines,
    Rise,
    U,
    X,
)
from eventsnn._core.run.calm.calm cimport class_of, draw_cell_of, drive_of, is_small_wide, low_of, state_at, width_of
from eventsnn._core.solve.closed_form cimport KEPT, KEPT_M, PER_UNIT, RATE, RATE_M, WIDTH, WIDTH_M, current_at
from eventsnn._core.run.core cimport Core, neuron_at
from eventsnn._core.solve.crossing cimport BOUND_MARGIN
from eventsnn._core.run.events cimport watched
from eventsnn._core.run.calm.external cimport PARTS, Cells, draw_sums, sum_spikes
from eventsnn._core.run.calm.follow cimport begin_followed, clear, end_followed, keep_held, leave
from eventsnn._core.solve.frames cimport frame_begin, growth, lift, move, numbers, scale_of, sum_of, widened
from eventsnn._core.draw.growth cimport grow
from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.solve.neuron cimport THRESHOLD, Neuron, early
from eventsnn._core.draw.philox cimport lanes_at_hand
from eventsnn._core.run.queue cimport NEVER, wheel_remove
from eventsnn._core.draw.stream cimport MOST_IN_CELL, Source

cdef extern from "eventsnn/_core/run/calm/passes.h" nogil:
    int64_t pass_jumps "eventsnn_pass_jumps"(
        int64_t* d, int64_t by, const int64_t* before, const int64_t* now, const int64_t* more, int64_t first,
        int64_t stop, int32_t* others
    ) noexcept
    int64_t lowest_line "eventsnn_lowest_line"(
        double gap, double grown_begin, double grown_end, double margin
    ) noexcept
    void find_lows "eventsnn_find_lows"(
        int lanes, const Lines* lines, int64_t first, int64_t stop, int64_t* low
    ) noexcept
    void new_frames_of_all "eventsnn_new_frames"(
        int lanes, const double* kept, int64_t first, int64_t stop, int64_t* state
    ) noexcept
    void new_frames_of_jumps "eventsnn_new_frames_jumps"(
        int lanes, double kept, const int64_t* lows, int64_t low, const uint8_t* flag, int64_t first, int64_t stop,
        int64_t* d
    ) noexcept
    int64_t pass_currents "eventsnn_pass_currents"(
        int lanes, const Rise* rise, int64_t* state, const uint8_t* flag, int64_t first, int64_t stop, int32_t* others
    ) noexcept
    int64_t pass_one "eventsnn_pass_one"(const Rise* rise, int64_t* state, int64_t n) noexcept


# ---- the block


cdef inline void begin_block(const Blocks* b, Group* g, double t) noexcept nogil:
    """The block that holds t, and the factors that bounds need in it."""
    cdef const double* c = g.k.c
    cdef double width = width_of(g, b.width)
    cdef double one, other
    cdef int i
    # A frame must not begin twice, and external input must not be drawn twice.
    while floor(t / width) * width != t:
        width = 0.5 * width
    g.begin = floor(t / width) * width
    g.end = g.begin + width
    g.origin = frame_begin(c[WIDTH_M], g.begin)
    g.frames = g.origin == g.begin
    g.at_begin.time, g.at_end.time, g.now.time = g.begin, g.end, -1.0
    g.at_begin.u = growth(c[RATE_M], g.begin - g.origin)
    g.at_end.u = growth(c[RATE_M], g.end - g.origin)
    for i in range(g.currents):
        c = g.k.c + current_at(i)
        g.x_origin[i] = frame_begin(c[WIDTH], g.begin)
        g.frames |= (g.x_origin[i] == g.begin) << (1 + i)
        g.at_begin.x[i] = growth(c[RATE], g.begin - g.x_origin[i])
        g.at_end.x[i] = growth(c[RATE], g.end - g.x_origin[i])
        one, other = g.at_begin.u / g.at_begin.x[i], g.at_end.u / g.at_end.x[i]
        g.rise.least[i], g.rise.largest[i], g.rise.at_end[i] = min(one, other), max(one, other), other
    g.rise.currents, g.rise.margin = g.currents, BOUND_MARGIN
    g.low_before = g.low
    if g.even:
        g.low = line_of(b, g, g.gap)
    g.rise.low, g.rise.lows = g.low, NULL if g.even else b.low


cdef inline int64_t line_of(const Blocks* b, const Group* g, double gap) noexcept nogil:
    """The lowest line in the block that begins of a neuron of a group whose constants are those of all."""
    return lowest_line((gap + b.above) * g.k.c[PER_UNIT], g.at_begin.u, g.at_end.u, BOUND_MARGIN)


cdef inline void find_lines(Blocks* b, const Group* g) noexcept nogil:
    """The lowest lines of all in the block that begins, where each has its own: in new_low, as D is that of the block
    before, or, with currents, where they stay."""
    cdef Lines lines
    lines.margin = BOUND_MARGIN
    lines.gap, lines.above, lines.per_unit = b.gap, b.above, g.k.c[PER_UNIT]
    lines.grown_begin, lines.grown_end = g.at_begin.u, g.at_end.u
    lines.per_units = b.per_unit if g.varied else NULL
    lines.begins, lines.ends = b.begins, b.ends
    find_lows(lanes_at_hand(), &lines, g.start, g.stop, b.low if g.currents else b.new_low)


cdef inline void new_frames(Core* e, const Group* g) noexcept nogil:
    """Bring the numbers of all to the frames that begin with the block. D is that of the block before."""
    cdef const int64_t* lows = NULL if g.even else e.blocks.low
    cdef double kept[STATE]
    cdef int32_t n
    cdef int i
    if g.currents:
        kept[<int>D] = 0.0
        kept[<int>U] = g.k.c[KEPT_M] if g.frames & 1 else 0.0
        for i in range(STATE - 2):
            kept[X + i] = g.k.c[current_at(i) + KEPT] if g.frames & (2 << i) else 0.0
        new_frames_of_all(lanes_at_hand(), kept, g.start, g.stop, g.state)
    elif g.varied:
        for n in range(g.start, g.stop):
            new_frames_of_jumps(1, class_of(e, g, n).c[KEPT_M], lows, g.low_before, e.blocks.flag, n, n + 1, g.state)
    else:
        new_frames_of_jumps(
            lanes_at_hand(), g.k.c[KEPT_M], lows, g.low_before, e.blocks.flag, g.start, g.stop, g.state
        )


# ---- external input


cdef inline void find_cells(const Group* g, int64_t stride, int64_t* sums, Drive* drive) noexcept nogil:
    """The present block and those that follow it in its cell and in its frames, as far as they are drawn together."""
    cdef Cells* p = &drive.cells
    cdef const Source* d = drive.source
    cdef const double* c = g.k.c
    cdef double width = g.end - g.begin
    cdef double cell = floor(g.begin / d.width)
    cdef double stop = min(cell * d.width + d.width, g.origin + c[WIDTH_M])
    cdef int slot = drive.slot
    cdef int i
    p.key, p.c0 = d.key, drive.index + <uint32_t>drive.start
    p.c1, p.c2 = <uint32_t>(<uint64_t><int64_t>cell), <uint32_t>(<uint64_t><int64_t>cell >> 32)
    p.least, p.start, p.width = <const double*>d.least, cell * d.width, d.width
    # A sum may round up to the end, which belongs to the next cell; this is the last double before it.
    p.last = (p.start + d.width) * (1.0 - 1.0 / 9007199254740992.0)
    p.current, p.weight, p.scale, p.origin, p.rate = slot >= 0, d.weight, scale_of(g.k, d.port), g.origin, c[RATE_M]
    if slot >= 0:
        c = c + current_at(slot)
        p.x_scale, p.x_origin, p.x_rate = p.scale, g.x_origin[slot], c[RATE]
        stop = min(stop, p.x_origin + c[WIDTH])
    p.parts = <int>min((stop - g.begin) / width, <double>PARTS)
    for i in range(PARTS + 1):
        p.edge[i] = g.begin + i * width if i <= p.parts else infinity()
    p.whole = p.edge[0] == p.start and p.edge[p.parts] == p.start + p.width
    p.stride, p.u, p.x = stride, sums + drive.start, sums + PARTS * stride + drive.start
    for i in range(PARTS):
        p.spikes[i] = 0


cdef inline void draw_external(Core* e, const Group* g, Drive* drive) noexcept nogil:
    """Have the external input of the block in the sums of its neurons."""
    cdef Blocks* b = &e.blocks
    cdef Cells* p = &drive.cells
    cdef double times[MOST_IN_CELL]
    cdef double grown[MOST_IN_CELL]
    cdef double x_grown[MOST_IN_CELL]
    cdef int64_t full, i
    cdef int n
    drive.part += 1
    if drive.part >= p.parts or p.edge[drive.part] != g.begin or p.edge[drive.part + 1] != g.end:
        drive.part = 0
        find_cells(g, e.net.n, b.sums, drive)
        full = draw_sums(lanes_at_hand(), p, drive.stop - drive.start, b.others)
        for i in range(full):
            n = draw_cell_of(g, drive, drive.start + b.others[i], times)
            grow(lanes_at_hand(), n, times, p.origin, p.rate, grown)
            if p.current:
                grow(lanes_at_hand(), n, times, p.x_origin, p.x_rate, x_grown)
            sum_spikes(p, b.others[i], n, times, grown, x_grown)
    e.tally.external_events += p.spikes[drive.part]


cdef inline void take_sums(const Blocks* b, Group* g, const Drive* drive, int64_t stride) noexcept nogil:
    """Let `rise` know the external input of some neurons in the block."""
    g.rise.u = g.rise.x = NULL
    g.rise.slot = max(drive.slot, 0)
    if drive.source != NULL:
        g.rise.u = b.sums + drive.part * stride
        g.rise.x = b.sums + (PARTS + drive.part) * stride


cdef inline int64_t external_spikes(const Group* g, int32_t n) noexcept nogil:
    """How many external spikes of a neuron come in the block."""
    cdef const Drive* drive = drive_of(g, n)
    cdef double times[MOST_IN_CELL]
    cdef int64_t found = 0
    cdef int k
    if drive.source == NULL:
        return 0
    for k in range(draw_cell_of(g, drive, n, times)):
        found += g.begin <= times[k] < g.end
    return found


# ---- one that has been apart


cdef inline bint take_record(Core* e, Group* g, int32_t n) noexcept nogil:
    """Whether a neuron that is apart may be calm in the block that begins; its state is then there but for D, with U in
    its place if there are no currents."""
    cdef Blocks* b = &e.blocks
    cdef Neuron* s = neuron_at(e, n)
    cdef int64_t* f = state_at(g, n)
    cdef bint held = early(s.release) >= g.end
    cdef double gap
    cdef int i
    if not s.framed or watched(e, n) or e.net.change_time[s.change] < infinity() or (g.begin < s.release and not held):
        return False
    if s.t < s.release <= g.begin:
        move(class_of(e, g, n), s, s.release)
        lift(class_of(e, g, n), s)
    move(class_of(e, g, n), s, g.begin)
    if held:
        s.u = widened(0)
    if not is_small_wide(s.u):
        return False
    for i in range(g.currents):
        if not is_small_wide(numbers(g.k, s)[i]):
            return False
        f[X + i] = <int64_t>numbers(g.k, s)[i].low - BIAS
    if g.currents:
        f[U] = <int64_t>s.u.low - BIAS
    else:
        f[D] = <int64_t>s.u.low
    gap = e.net.classes[s.class_of].c[THRESHOLD] - s.drive
    if g.even and not g.taken:
        g.gap, g.low = gap, line_of(b, g, gap)
        g.rise.low = g.low
    elif g.even and gap != g.gap:
        become_uneven(b, g)
    g.taken = True
    b.gap[n] = gap
    b.flag[n] = 0
    if held:
        keep_held(b, g, n, s.release)
    return True


cdef inline void become_uneven(Blocks* b, Group* g) noexcept nogil:
    """From now on each has a line of its own."""
    cdef int32_t n
    for n in range(g.start, g.stop):
        b.gap[n] = g.gap
        b.low[n] = g.low
    g.even = False
    g.rise.lows = b.low


cdef inline void begin_apart(Core* e, Group* g, int32_t n) noexcept nogil:
    """Let a neuron that was apart be calm, held or followed in the block that begins, if it may."""
    cdef Blocks* b = &e.blocks
    cdef int64_t* f = state_at(g, n)
    if not take_record(e, g, n):
        b.flag[n] = IS_APART
        clear(g, f)
        e.tally.external_events -= external_spikes(g, n)
        return
    if e.wakes.link[n].key != NEVER:
        wheel_remove(&e.wakes, n)
        e.wakes.link[n].key = NEVER
    if g.varied:
        b.low[n] = lowest_line((b.gap[n] + b.above) * b.per_unit[n], b.begins[n], b.ends[n], BOUND_MARGIN)
    elif not g.even:
        b.low[n] = line_of(b, g, b.gap[n])
    take_sums(b, g, drive_of(g, n), e.net.n)
    if g.currents:
        pass_one(&g.rise, f, n)
    else:
        f[D] = sum_of(f[D], -low_of(b, g, n))
        if g.rise.u != NULL:
            f[D] = sum_of(f[D], g.rise.u[n])
    if b.flag[n] & IS_HELD:
        f[D] = HELD_D
    else:
        begin_calm(e, g, n)


cdef inline void begin_calm(Core* e, Group* g, int32_t n) noexcept nogil:
    """Let a neuron that is not refractory be what D says."""
    cdef const Blocks* b = &e.blocks
    cdef int64_t d = state_at(g, n)[<int>D]
    cdef Followed* x
    cdef Grown grown
    if d < LEAST_D:
        leave(e, g, n, g.begin)
    elif d >= 0:
        x = begin_followed(e, g, n, g.begin, True)
        if x != NULL and not fits(g, x):
            leave(e, g, n, g.begin)
        elif x != NULL:
            grown = g.at_begin
            if g.varied:
                grown.u = b.begins[n]
            look_ahead(e, g, x, &grown)
            if is_at_line(e, g, x, &grown):
                x.next = x.t  # it begins so


# ---- all of a group


cdef inline void grow_lines(Blocks* b, const Group* g) noexcept nogil:
    """Find the growth of each neuron's unit at the beginning and the end of the block. All have one width of frames."""
    cdef int64_t n = g.stop - g.start
    grow(lanes_at_hand(), n, b.rate + g.start, 0.0, g.begin - g.origin, b.begins + g.start)
    grow(lanes_at_hand(), n, b.rate + g.start, 0.0, g.end - g.origin, b.ends + g.start)


cdef inline int64_t pass_over(Core* e, Group* g, const Drive* drive, int32_t* others) noexcept nogil:
    """Have D of some neurons as it is in the block that begins, and list others."""
    cdef Blocks* b = &e.blocks
    take_sums(b, g, drive, e.net.n)
    if g.currents:
        return pass_currents(lanes_at_hand(), &g.rise, g.state, b.flag, drive.start, drive.stop, others)
    if g.even:
        return pass_jumps(
            g.state, sum_of(g.low_before, -g.low), NULL, NULL, g.rise.u, drive.start, drive.stop, others
        )
    return pass_jumps(g.state, 0, b.low, b.new_low, g.rise.u, drive.start, drive.stop, others)


cdef inline int64_t pass_over_all(Core* e, Group* g) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef int64_t others = 0
    cdef int i
    if not g.even:
        find_lines(b, g)
    for i in range(g.n_drives):
        others += pass_over(e, g, &g.drive[i], b.others + others)
    if g.currents == 0 and not g.even:
        memcpy(b.low + g.start, b.new_low + g.start, (g.stop - g.start) * sizeof(int64_t))
    return others


cdef inline void begin_held(Core* e, Group* g) noexcept nogil:
    """Follow the held neurons that are released in the block."""
    cdef Blocks* b = &e.blocks
    cdef int64_t held = g.n_held
    cdef int64_t i
    cdef int32_t n
    cdef Followed* x
    g.n_held = 0
    for i in range(held):
        n = b.held[g.start + i]
        if b.flag[n] != IS_HELD:
            continue
        if early(b.release[n]) >= g.end:
            state_at(g, n)[<int>D] = HELD_D
            b.held[g.start + g.n_held] = n
            g.n_held += 1
        else:
            x = begin_followed(e, g, n, g.begin, True)
            if x != NULL and not fits(g, x):
                leave(e, g, n, g.begin)


cdef inline void begin_group(Core* e, Group* g, double t) noexcept nogil:
    cdef Blocks* b = &e.blocks
    cdef int64_t others, i
    cdef int32_t n
    end_followed(e, g)
    begin_block(b, g, t)
    if g.varied:
        grow_lines(b, g)
    for i in range(g.n_drives):
        if g.drive[i].source != NULL:
            draw_external(e, g, &g.drive[i])
    if g.frames:
        new_frames(e, g)
    others = pass_over_all(e, g)
    begin_held(e, g)
    for i in range(others):
        n = b.others[i]
        if b.flag[n] & IS_APART:
            begin_apart(e, g, n)
        elif b.flag[n] == 0:
            begin_calm(e, g, n)
    b.looks += g.stop - g.start
    b.looking += g.cost_of_look * (g.stop - g.start)


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
            begin_group(e, g, t)
        b.end = min(b.end, g.end)
