# The forward pass of one sample: each fan goes from arrival to arrival, and leaves on the tape what happens to it.

from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy, memset

from eventsnn._core.base.mathfunc cimport infinity
from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.train.membrane cimport (
    Factors,
    One,
    Rates,
    States,
    advance,
    after,
    decay,
    find_factors,
    has_top,
    reaches,
    receive,
    slope,
    stand_still,
)
from eventsnn._core.train.tape cimport (
    FIRES,
    LOST,
    NO_MEMORY,
    NONE,
    PEAKS,
    RELEASED,
    Fan,
    Happening,
    Tape,
    Wiring,
    fire,
    grow,
    port_of,
    take_due,
)


cdef inline States states_of(double* array, const Fan* fan) noexcept nogil:
    cdef States s
    s.v = array + 3 * fan.first
    s.current[0] = s.v + fan.n
    s.current[1] = s.v + 2 * fan.n
    return s


cdef inline One state_of(const States* s, int32_t k) noexcept nogil:
    cdef One z
    z.v, z.current[0], z.current[1] = s.v[k], s.current[0][k], s.current[1][k]
    return z


cdef inline void put_state(const States* s, int32_t k, const One* z) noexcept nogil:
    s.v[k], s.current[0][k], s.current[1][k] = z.v, z.current[0], z.current[1]


cdef inline int happen(
    Tape* p, int kind, double t, double rate, const One* state, int32_t k, int64_t spike
) noexcept nogil:
    """Put on the tape what happens to a neuron in the interval whose end comes next onto it."""
    if not grow(<void**>&p.happening, p.happenings, &p.happening_room, sizeof(Happening)):
        return NO_MEMORY
    cdef Happening* h = &p.happening[p.happenings]
    h.t, h.slope, h.state, h.arrival = t, rate, state[0], p.arrivals
    h.k, h.spike, h.kind = k, <int32_t>spike, kind
    p.happenings += 1
    return NONE


cdef inline int go_through(
    Tape* p, const Wiring* w, const Fan* fan, int32_t k, One* s, double t, double end
) noexcept nogil:
    """Bring one neuron from t to the end of the interval, through its spikes and releases."""
    cdef const Rates* r = &fan.rates
    cdef int64_t place = fan.first + k
    cdef double when
    cdef One z
    cdef int failure
    while True:
        if p.release[place] < infinity():
            if not p.release[place] < end:
                decay(r, s, end - t)
                s.v = -infinity()
                return NONE
            when = max(p.release[place], t)
            z = s[0]
            decay(r, &z, when - t)
            z.v = fan.reset
            p.release[place] = infinity()
            failure = happen(p, RELEASED, when, slope(r, &z), &z, k, p.last[place])
        elif reaches(r, s, fan.threshold, end - t, &when):
            z = s[0]
            decay(r, &z, when)
            z.v = fan.threshold
            when += t
            failure = happen(p, FIRES, when, slope(r, &z), &z, k, p.spikes)
            p.last[place] = p.spikes
            p.bar[place], p.top[place] = fan.threshold, -1
            z.v = -infinity()
            p.release[place] = when + fan.t_ref
            if failure == NONE:
                failure = fire(p, w, w.neuron[place], when)
        else:
            s[0] = after(r, s, end - t)
            return NONE
        if failure != NONE:
            return failure
        s[0], t = z, when


cdef inline int find_peak(
    Tape* p, const Fan* fan, int32_t k, const One* s, double t, double end, const One* final
) noexcept nogil:
    """Put on the tape where V of a neuron is larger than ever before, if it is so in an interval."""
    cdef const Rates* r = &fan.rates
    cdef int64_t place = fan.first + k
    cdef double at, best = final.v, when = end, rate = slope(r, final)
    cdef One z, there = final[0]
    if has_top(r, s, end - t, &at):
        z = after(r, s, at)
        if z.v > best:
            best, when, rate, there = z.v, t + at, 0.0, z
    if best <= p.bar[place]:
        return NONE
    p.bar[place] = best
    p.top[place] = p.happenings
    return happen(p, PEAKS, when, rate, &there, k, -1)


cdef inline double next_alarm(const Tape* p, const Fan* fan, const States* s, double end) noexcept nogil:
    """A time before which no neuron of a fan fires or is released unless something arrives."""
    cdef double alarm = infinity(), most, reach, drive = max(fan.I_e, 0.0) / fan.C_m * fan.tau_m
    cdef int32_t k
    cdef int c
    for k in range(fan.n):
        if p.release[fan.first + k] < infinity():
            alarm = min(alarm, p.release[fan.first + k])
            continue
        most = max(s.v[k], 0.0) + drive
        for c in range(fan.rates.currents):
            reach = min(fan.tau_m, fan.tau_syn[c]) / fan.C_m
            most += max(s.current[c][k], 0.0) * reach
        if most >= p.bar[fan.first + k]:
            return end
    return alarm


cdef inline int cross(
    Tape* p, const Wiring* w, const Fan* fan, int32_t of, double end, int32_t entry, int32_t spike
) noexcept nogil:
    """Bring all neurons of a fan to the end of an interval, and let a spike arrive there if entry >= 0."""
    cdef States s = states_of(p.state, fan), old = states_of(p.scratch, fan)
    cdef double t = p.now[of], when
    cdef int64_t* flag = p.flag
    cdef One z, final
    cdef Factors* f
    cdef int32_t k, port
    cdef int failure
    if not grow(<void**>&p.arrival, p.arrivals, &p.arrival_room, sizeof(p.arrival[0])):
        return NO_MEMORY
    f = &p.arrival[p.arrivals].factors
    if p.keeps:
        if p.kept_n + 3 * fan.n > p.kept_room:
            p.kept_room = 2 * p.kept_n + 3 * fan.n + 64
            if not enlarge(<void**>&p.kept, <size_t>p.kept_room * sizeof(double)):
                return NO_MEMORY
        memcpy(p.kept + p.kept_n, s.v, <size_t>(3 * fan.n) * sizeof(double))
        p.kept_n += 3 * fan.n
    if end > t:
        find_factors(&fan.rates, end - t, f)
        if advance(w.lanes, fan.n, &fan.rates, f, end, &s, &old, p.bar + fan.first, p.release + fan.first, flag):
            for k in range(fan.n):
                if flag[k] == 0:
                    continue
                z = state_of(&old, k)
                if p.bar[fan.first + k] == fan.threshold or reaches(&fan.rates, &z, fan.threshold, end - t, &when):
                    failure = go_through(p, w, fan, k, &z, t, end)
                    put_state(&s, k, &z)
                else:
                    final = state_of(&s, k)
                    failure = find_peak(p, fan, k, &z, t, end, &final)
                if failure != NONE:
                    return failure
        p.now[of] = end
    else:
        stand_still(f)
    p.arrival[p.arrivals].t, p.arrival[p.arrivals].entry, p.arrival[p.arrivals].spike = p.now[of], entry, spike
    p.arrivals += 1
    if entry >= 0:
        port = w.port[fan.entry + entry]
        receive(w.lanes, fan.n, port, w.weight + fan.weight + <int64_t>entry * fan.n, &s)
        if not fan.threshold < infinity():
            add_received(p, fan, port, w.weight + fan.weight + <int64_t>entry * fan.n)
    return NONE


cdef inline void add_received(Tape* p, const Fan* fan, int port, const double* weight) noexcept nogil:
    cdef int32_t k
    for k in range(fan.n):
        p.received[2 * (fan.first + k) + port_of(port, weight[k])] += weight[k]


cdef inline bint is_over(const Tape* p, const Fan* fan) noexcept nogil:
    """Whether no neuron of a fan will ever fire again: what arrives from now on has no effect."""
    cdef int32_t k
    for k in range(fan.n):
        if not p.duration <= p.release[fan.first + k] < infinity():
            return False
    return True


cdef inline int go_on(Tape* p, const Wiring* w, int32_t of, double end) noexcept nogil:
    """One window of a fan, up to `end`."""
    cdef const Fan* fan = &w.fan[of]
    cdef int64_t n = take_due(p, of, end), i, segment = p.segments
    cdef int64_t spikes = p.spikes
    cdef int failure
    cdef bint over = False
    cdef States s = states_of(p.state, fan)
    if n < 0 or not grow(<void**>&p.segment, p.segments, &p.segment_room, sizeof(p.segment[0])):
        return NO_MEMORY
    p.segments += 1
    p.segment[segment].fan = of
    p.segment[segment].arrival, p.segment[segment].happening = p.arrivals, p.happenings
    for i in range(n):
        failure = cross(p, w, fan, of, p.sorting[i].t, p.sorting[i].entry, p.sorting[i].spike)
        if failure != NONE:
            return failure
        if p.spikes > spikes:
            spikes = p.spikes
            over = is_over(p, fan)
            if over:
                break
    if not over:
        failure = cross(p, w, fan, of, end, -1, -1)
        if failure != NONE:
            return failure
    for i in range(fan.n):
        if not isfinite(s.current[0][i]) or not (s.v[i] < infinity()):
            return LOST
    p.segment[segment].arrivals = p.arrivals - p.segment[segment].arrival
    p.segment[segment].happenings = p.happenings - p.segment[segment].happening
    if over:
        p.alarm[of], p.now[of] = infinity(), end
    elif end < p.duration:
        p.alarm[of] = next_alarm(p, fan, &s, end)
    return NONE


cdef inline void begin(Tape* p, const Wiring* w, double duration) noexcept nogil:
    """The state at t = 0."""
    cdef int32_t of, k
    cdef const Fan* fan
    cdef States s
    cdef One z
    p.spikes = p.arrivals = p.happenings = p.segments = p.kept_n = 0
    p.duration = duration
    memset(p.received, 0, <size_t>(2 * w.places) * sizeof(double))
    for of in range(w.fans):
        fan = &w.fan[of]
        s = states_of(p.state, fan)
        p.now[of] = p.alarm[of] = 0.0
        p.pending[of].n = 0
        p.pending[of].soonest = duration
        for k in range(fan.n):
            z.v, z.current[0], z.current[1] = (
                w.v[fan.first + k], w.current0[fan.first + k], w.current1[fan.first + k]
            )
            put_state(&s, k, &z)
            p.bar[fan.first + k] = fan.threshold
            if not fan.threshold < infinity() or (p.tracks and w.output[w.neuron[fan.first + k]] >= 0):
                p.bar[fan.first + k] = z.v
            p.release[fan.first + k] = infinity()
            p.last[fan.first + k] = p.top[fan.first + k] = -1


cdef inline int run_forward(
    Tape* p, const Wiring* w, int64_t n, const int64_t* neuron, const double* time, double duration
) noexcept nogil:
    """All of one sample: the first n spikes are those of the sources."""
    cdef int64_t i
    cdef int32_t of, stage
    cdef double end, soonest, window
    cdef int failure
    begin(p, w, duration)
    for i in range(n):
        failure = fire(p, w, neuron[i], time[i])
        if failure != NONE:
            return failure
    for stage in range(w.stages):
        window = w.stage[stage].window
        while True:
            soonest = duration
            for of in range(w.stage[stage].first, w.stage[stage].end):
                soonest = min(soonest, min(p.pending[of].soonest, max(p.alarm[of], p.now[of])))
            if not soonest < duration:
                break
            end = duration
            if window < duration:
                end = min(end, (<double><int64_t>(soonest / window) + 1.0) * window)
                if not end > soonest:
                    end = min(duration, end + window)
            for of in range(w.stage[stage].first, w.stage[stage].end):
                if p.pending[of].soonest < end or p.alarm[of] < end:
                    failure = go_on(p, w, of, end)
                    if failure != NONE:
                        return failure
            if not window < duration:
                break
    return NONE
