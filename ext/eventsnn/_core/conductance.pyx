"""The recurrence of eventsnn/models/conductance.py: leaky membranes with conductances, exponential or alpha."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport fabs
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from eventsnn._core.mathfunc cimport exp, infinity
from eventsnn._core.neuron cimport ROW, Class, Inbox, Model, Neuron, Series, Step, port_of, variables, weight_of
from eventsnn._core.philox cimport lanes_at_hand
from eventsnn._core.taylor cimport INVERSE, ORDER, THRESHOLD, complete, forget, own, product, scales, tolerance_of

cdef enum:
    RATE_L = 0      # g_L / C_m
    E_L = 1
    PER_C = 2
    E_EX = 3
    E_IN = 4
    RATE_EX = 5     # 1 / tau_syn_ex
    RATE_IN = 6
    PEAK_EX = 7     # what 1 of dg_ex adds to g_ex at most; 0 if it is not alpha
    PEAK_IN = 8


cdef extern from "eventsnn/_core/conductance.h" nogil:
    enum:
        LANES "EVENTSNN_LANES"
        SIDE_BY_SIDE "EVENTSNN_SIDE_BY_SIDE"
    const double WEIGHT_OF_DECAY "EVENTSNN_WEIGHT_OF_DECAY"
    ctypedef struct Eight "eventsnn_conducting":
        double t[8]
        double stop[8]
        double v[8]
        double drive[8]
        double x[4][8]
        double rate_l[8]
        double E_L[8]
        double per_c[8]
        double E_ex[8]
        double E_in[8]
        double rate_ex[8]
        double rate_in[8]
        double peak_ex[8]
        double peak_in[8]
        double tolerance[8]
        double order[8]
        int64_t held[8]
        int64_t left[8]

    void conduct "eventsnn_conduct"(int lanes, Eight* e, int slots)


cdef extern from *:
    """
    #define EVENTSNN_HORIZON 0.125
    #define EVENTSNN_MARGIN 9.094947017729282e-13
    """
    const double HORIZON "EVENTSNN_HORIZON"     # of tau_syn_in
    const double MARGIN "EVENTSNN_MARGIN"       # far more than rounding, far less than what matters


cdef void extend(const Class* k, Series* z, int first, int last) noexcept nogil:
    cdef const double* p = own(k)
    cdef double* v = z.y
    cdef double* g_ex = z.y + ROW
    cdef double* g_in = z.y + 2 * ROW
    cdef double* dg_ex = z.y + 3 * ROW
    cdef double* dg_in = z.y + 4 * ROW
    cdef double* g = z.aux[0]
    cdef bint alpha = k.model.n_slots == 4
    cdef double above, pulled, change_ex, change_in
    cdef int n
    for n in range(first, last):
        if z.held:
            v[n + 1] = 0.0
        else:
            above = v[n] - p[E_L] if n == 0 else v[n]
            g[n] = g_ex[n] + g_in[n]
            pulled = product(v, g, n) - (g_ex[n] * p[E_EX] + g_in[n] * p[E_IN])
            v[n + 1] = ((-p[RATE_L] * above - p[PER_C] * pulled) + z.force[n]) * INVERSE[n + 1]
        change_ex = -p[RATE_EX] * g_ex[n]
        change_in = -p[RATE_IN] * g_in[n]
        if alpha:
            change_ex = change_ex + dg_ex[n]
            change_in = change_in + dg_in[n]
            dg_ex[n + 1] = -p[RATE_EX] * dg_ex[n] * INVERSE[n + 1]
            dg_in[n + 1] = -p[RATE_IN] * dg_in[n] * INVERSE[n + 1]
        g_ex[n + 1] = change_ex * INVERSE[n + 1]
        g_in[n + 1] = change_in * INVERSE[n + 1]


cdef void decayed(const Class* k, const Series* z, double h, double* x) noexcept nogil:
    cdef const double* p = own(k)
    cdef double left_ex = exp(-p[RATE_EX] * h)
    cdef double left_in = exp(-p[RATE_IN] * h)
    cdef double ex = z.y[ROW]
    cdef double inh = z.y[2 * ROW]
    if k.model.n_slots == 4:
        ex = ex + z.y[3 * ROW] * h
        inh = inh + z.y[4 * ROW] * h
        x[2] = z.y[3 * ROW] * left_ex
        x[3] = z.y[4 * ROW] * left_in
    x[0] = ex * left_ex
    x[1] = inh * left_in


cdef inline double most_ex(const Class* k, const Neuron* s) noexcept nogil:
    """The highest conductance there can be from now on."""
    cdef const double* x = variables(k, s)
    return x[0] + own(k)[PEAK_EX] * x[2] if k.model.n_slots == 4 else x[0]


cdef inline double most_in(const Class* k, const Neuron* s) noexcept nogil:
    cdef const double* x = variables(k, s)
    return x[1] + own(k)[PEAK_IN] * x[3] if k.model.n_slots == 4 else x[1]


cdef double reach(const Class* k, const Neuron* s) noexcept nogil:
    cdef const double* p = own(k)
    cdef double ex = most_ex(k, s)
    cdef double inh = most_in(k, s)
    cdef double decay = p[RATE_EX] if ex > 0.0 else 0.0
    if inh > 0.0 and p[RATE_IN] > decay:
        decay = p[RATE_IN]
    return 1.0 / (p[RATE_L] + p[PER_C] * (ex + inh) + WEIGHT_OF_DECAY * decay)


cdef double climb(const Class* k, const Neuron* s, double gap) noexcept nogil:
    """V does not get through a level at which it cannot rise: now, nor later if inhibition outlives excitation and V
    would settle below it without either.

    Within HORIZON of tau_syn_in inhibition loses no more than that part. Where V falls at first it may then rise
    faster; but it comes back to where it is before it gets any higher."""
    cdef const double* p = own(k)
    cdef const double* x = variables(k, s)
    cdef double horizon = HORIZON / p[RATE_IN]
    cdef double top = s.v + gap
    cdef double down = p[RATE_L] * (top - p[E_L]) - s.drive
    cdef double ex = most_ex(k, s)
    cdef double pull_ex, pull_in, rise, fall, first
    if p[E_IN] <= top and down >= 0.0:
        pull_ex = p[PER_C] * max(0.0, p[E_EX] - top)
        pull_in = p[PER_C] * (top - p[E_IN])
        down = down * (1.0 - MARGIN)
        if pull_ex * ex <= down:
            return infinity()
        if p[RATE_IN] <= p[RATE_EX] and pull_ex * x[0] <= down + (1.0 - MARGIN) * pull_in * x[1]:
            if k.model.n_slots == 2 or pull_ex * x[2] <= (1.0 - MARGIN) * pull_in * x[3]:
                return infinity()
    rise = ex * max(0.0, p[E_EX] - s.v)
    if p[E_IN] > s.v:
        rise = rise + most_in(k, s) * (p[E_IN] - s.v)
    else:
        rise = rise + (1.0 - HORIZON) * variables(k, s)[1] * (p[E_IN] - s.v)
    rise = p[RATE_L] * (p[E_L] - s.v) + p[PER_C] * rise + s.drive
    # The higher V, the slower: (1 - exp(-fall t)) rise / fall is what it gains, -log(1 - z) >= z + z^2 / 2.
    fall = p[RATE_L] + (1.0 - HORIZON) * p[PER_C] * x[1]
    if not rise > fall * gap:
        return horizon
    first = gap / rise
    first = first + 0.5 * fall * first * first
    return first if first < horizon else horizon


cdef inline void place(const Class* k, const Neuron* s, double t, Eight* e, int i) noexcept nogil:
    """Put a neuron into a lane, which has the constants of its class."""
    cdef int j
    e.t[i], e.stop[i], e.v[i], e.drive[i] = s.t, t, s.v, s.drive
    for j in range(k.model.n_slots):
        e.x[j][i] = variables(k, s)[j]
    e.held[i], e.left[i] = -<int64_t>(s.t < s.release), 0


cdef inline void set_constants(const Class* k, Eight* e, int i) noexcept nogil:
    cdef const double* p = own(k)
    e.rate_l[i], e.E_L[i], e.per_c[i], e.E_ex[i], e.E_in[i] = p[RATE_L], p[E_L], p[PER_C], p[E_EX], p[E_IN]
    e.rate_ex[i], e.rate_in[i], e.peak_ex[i], e.peak_in[i] = p[RATE_EX], p[RATE_IN], p[PEAK_EX], p[PEAK_IN]
    e.tolerance[i], e.order[i] = tolerance_of(k, 0), k.c[ORDER]


cdef inline void take_back(const Class* k, Neuron* s, const Eight* e, int i) noexcept nogil:
    cdef int j
    forget(k, s)
    s.t, s.v = e.t[i], e.v[i]
    for j in range(k.model.n_slots):
        variables(k, s)[j] = e.x[j][i]


cdef void settle_in_lanes(int lanes, const Class* classes, Neuron** s, const double* t, int n) noexcept nogil:
    """Each lane takes the next neuron when it is done with one."""
    cdef Eight e
    cdef Neuron* placed[LANES]
    cdef const Class* k = &classes[s[0].class_of]
    cdef const Class* last[LANES]
    cdef int busy = 0
    cdef int next = 0
    cdef int i
    for i in range(LANES):
        place(k, s[0], s[0].t, &e, i)
        set_constants(k, &e, i)
        last[i], placed[i] = k, NULL
    while True:
        for i in range(LANES):
            if e.t[i] < e.stop[i] and not e.left[i]:
                continue
            if placed[i] != NULL:
                if not e.left[i]:
                    take_back(k, placed[i], &e, i)
                placed[i] = NULL
                busy -= 1
            while next < n and (s[next].slope != 0.0 or s[next].n_sines or s[next].t < s[next].release < t[next]):
                next += 1
            if next < n:
                k = &classes[s[next].class_of]
                if k != last[i]:
                    set_constants(k, &e, i)
                    last[i] = k
                place(k, s[next], t[next], &e, i)
                placed[i] = s[next]
                next += 1
                busy += 1
            else:
                e.stop[i] = e.t[i]
                e.left[i] = 0
        if busy == 0:
            break
        conduct(lanes, &e, k.model.n_slots)


cdef void settle_all(const Class* classes, Neuron** s, const double* t, int n) noexcept nogil:
    settle_in_lanes(lanes_at_hand(), classes, s, t, n)


cdef bint receive(
    const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double* total
) noexcept nogil:
    """As that of taylor.pxd, without what is not needed here: three parts in a hundred of the time of coba."""
    cdef double* x = variables(k, s) + k.model.target[0]
    cdef const double* scale = scales(k)
    cdef double sums[2]
    cdef double weight
    cdef int64_t i
    sums[0] = sums[1] = 0.0
    for i in range(next, end):
        weight = weight_of(b, i)
        sums[port_of(k.model, b, i, weight)] += fabs(weight)
    forget(k, s)
    sums[0] = sums[0] + total[0]
    sums[1] = sums[1] + total[1]
    x[0] = x[0] + sums[0] * scale[0]
    x[1] = x[1] + sums[1] * scale[1]
    return s.v >= k.c[THRESHOLD]


cdef Model model
model.extend = extend
model.reach = reach
model.decayed = decayed
model.climb = climb
complete(&model)
model.receive = receive
if SIDE_BY_SIDE:
    model.settle_all = settle_all


def side_by_side(int lanes, double[:, ::1] state, double[:, ::1] constants):
    """Settle neurons in vectors of so many lanes. state: time, when they shall be settled, V, drive, end of
    refractoriness and slots, a row each; changed in place. Returns which could not be settled so."""
    cdef int n = <int>state.shape[0]
    cdef int slots = <int>state.shape[1] - 5
    cdef Py_ssize_t stride = sizeof(Neuron) + slots * sizeof(double) + sizeof(Step)
    cdef Model of = model
    cdef Class* classes = <Class*>calloc(n, sizeof(Class))
    cdef char* record = <char*>calloc(n, stride)
    cdef Neuron** s = <Neuron**>calloc(n, sizeof(Neuron*))
    cdef double* t = <double*>calloc(n, sizeof(double))
    cdef int i, j
    of.n_slots, of.ports = slots, 2
    if classes == NULL or record == NULL or s == NULL or t == NULL:
        raise MemoryError
    for i in range(n):
        classes[i].model, classes[i].c = &of, &constants[i, 0]
        s[i] = <Neuron*>(record + i * stride)
        s[i].class_of = i
        s[i].t, t[i], s[i].v, s[i].drive, s[i].release = state[i, 0], state[i, 1], state[i, 2], state[i, 3], state[i, 4]
        for j in range(slots):
            variables(&classes[i], s[i])[j] = state[i, 5 + j]
    if SIDE_BY_SIDE:
        settle_in_lanes(min(lanes, lanes_at_hand()), classes, s, t, n)
    left = [s[i].t < t[i] for i in range(n)]
    for i in range(n):
        state[i, 0], state[i, 2] = s[i].t, s[i].v
        for j in range(slots):
            state[i, 5 + j] = variables(&classes[i], s[i])[j]
    free(classes)
    free(record)
    free(s)
    free(t)
    return left


kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
