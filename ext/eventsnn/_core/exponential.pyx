"""The recurrence of eventsnn/models/exponential.py, of the neurons with and without adaptation."""

from cpython.pycapsule cimport PyCapsule_New

from eventsnn._core.mathfunc cimport exp
from eventsnn._core.neuron cimport ROW, Class, Model, Series
from eventsnn._core.taylor cimport complete, exponential, own, product

cdef enum:
    RATE_L = 0      # g_L / C_m
    E_L = 1
    V_T = 2
    PER_DELTA = 3   # 1 / Delta_T
    UPSTROKE = 4    # g_L Delta_T / C_m
    PER_C = 5
    E_EX = 6
    E_IN = 7
    RATE_EX = 8     # 1 / tau_syn_ex
    RATE_IN = 9
    A = 10
    RATE_W = 11


cdef void extend(const Class* k, Series* z, int first, int last) noexcept nogil:
    cdef const double* p = own(k)
    cdef double* v = z.y
    cdef double* g_ex = z.y + ROW
    cdef double* g_in = z.y + 2 * ROW
    cdef double* w = z.y + 3 * ROW
    cdef double* x = z.aux[0]
    cdef double* e = z.aux[1]
    cdef double* g = z.aux[2]
    cdef bint adapts = k.model.n_slots == 3
    cdef double above, pulled, rate
    cdef int n
    for n in range(first, last):
        above = v[n] - p[E_L] if n == 0 else v[n]
        if z.held:
            v[n + 1] = 0.0
        else:
            x[n] = v[n] * p[PER_DELTA]
            e[n] = exponential(x, e, n) if n > 0 else exp((v[0] - p[V_T]) * p[PER_DELTA])
            g[n] = g_ex[n] + g_in[n]
            pulled = product(g, v, n) - (g_ex[n] * p[E_EX] + g_in[n] * p[E_IN])
            if adapts:
                pulled = pulled + w[n]
            rate = ((p[UPSTROKE] * e[n] - p[RATE_L] * above) - p[PER_C] * pulled) + z.force[n]
            v[n + 1] = rate / (n + 1)
        g_ex[n + 1] = -p[RATE_EX] * g_ex[n] / (n + 1)
        g_in[n + 1] = -p[RATE_IN] * g_in[n] / (n + 1)
        if adapts:
            w[n + 1] = p[RATE_W] * (p[A] * above - w[n]) / (n + 1)


cdef Model model
model.extend = extend
complete(&model)

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
