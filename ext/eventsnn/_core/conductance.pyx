"""The recurrence of eventsnn/models/conductance.py: leaky membranes with conductances, exponential or alpha."""

from cpython.pycapsule cimport PyCapsule_New

from eventsnn._core.mathfunc cimport infinity
from eventsnn._core.neuron cimport ROW, Class, Model, Neuron, Series, variables
from eventsnn._core.taylor cimport THRESHOLD, complete, own, product

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


cdef extern from *:
    """
    #define EVENTSNN_BRIEF 0.5
    #define EVENTSNN_HORIZON 0.125
    """
    const double BRIEF "EVENTSNN_BRIEF"         # of the shortest time constant
    const double HORIZON "EVENTSNN_HORIZON"     # of tau_syn_in


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
            pulled = product(g, v, n) - (g_ex[n] * p[E_EX] + g_in[n] * p[E_IN])
            v[n + 1] = ((-p[RATE_L] * above - p[PER_C] * pulled) + z.force[n]) / (n + 1)
        change_ex = -p[RATE_EX] * g_ex[n]
        change_in = -p[RATE_IN] * g_in[n]
        if alpha:
            change_ex = change_ex + dg_ex[n]
            change_in = change_in + dg_in[n]
            dg_ex[n + 1] = -p[RATE_EX] * dg_ex[n] / (n + 1)
            dg_in[n + 1] = -p[RATE_IN] * dg_in[n] / (n + 1)
        g_ex[n + 1] = change_ex / (n + 1)
        g_in[n + 1] = change_in / (n + 1)


cdef inline double most_ex(const Class* k, const Neuron* s) noexcept nogil:
    """The highest conductance there can be from now on."""
    cdef const double* x = variables(k, s)
    return x[0] + own(k)[PEAK_EX] * x[2] if k.model.n_slots == 4 else x[0]


cdef inline double most_in(const Class* k, const Neuron* s) noexcept nogil:
    cdef const double* x = variables(k, s)
    return x[1] + own(k)[PEAK_IN] * x[3] if k.model.n_slots == 4 else x[1]


cdef double brief(const Class* k, const Neuron* s) noexcept nogil:
    cdef const double* p = own(k)
    cdef double rate = p[RATE_L] + p[PER_C] * (most_ex(k, s) + most_in(k, s))
    if p[RATE_EX] > rate:
        rate = p[RATE_EX]
    if p[RATE_IN] > rate:
        rate = p[RATE_IN]
    return BRIEF / rate


cdef double climb(const Class* k, const Neuron* s, double gap) noexcept nogil:
    """Within HORIZON of tau_syn_in inhibition loses no more than that part. Where V falls at first it may then rise
    faster; but it comes back to where it is before it gets any higher."""
    cdef const double* p = own(k)
    cdef double horizon = HORIZON / p[RATE_IN]
    cdef double top = k.c[THRESHOLD]
    cdef double ex = most_ex(k, s)
    cdef double rise
    if p[E_IN] <= top and p[RATE_L] * (p[E_L] - top) + s.drive + p[PER_C] * ex * max(0.0, p[E_EX] - top) <= 0.0:
        return infinity()
    rise = ex * max(0.0, p[E_EX] - s.v)
    if p[E_IN] > s.v:
        rise = rise + most_in(k, s) * (p[E_IN] - s.v)
    else:
        rise = rise + (1.0 - HORIZON) * variables(k, s)[1] * (p[E_IN] - s.v)
    rise = p[RATE_L] * (p[E_L] - s.v) + p[PER_C] * rise + s.drive
    return gap / rise if rise * horizon > gap else horizon


cdef Model model
model.extend = extend
model.brief = brief
model.climb = climb
complete(&model)

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
