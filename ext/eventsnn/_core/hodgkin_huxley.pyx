"""The recurrence of eventsnn/models/hodgkin_huxley.py."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport fabs

from eventsnn._core.mathfunc cimport exp, expm1
from eventsnn._core.neuron cimport ROW, Class, Model, Series
from eventsnn._core.taylor cimport complete, own, product, square

cdef enum:
    G_NA = 0        # these four divided by C_m
    G_K = 1
    G_L = 2
    PER_C = 3
    E_NA = 4
    E_K = 5
    E_L = 6
    E_EX = 7
    E_IN = 8
    V_T = 9
    RATE_EX = 10    # 1 / tau_syn_ex
    RATE_IN = 11
    # series
    FIFTH = 0       # exp((V - V_T - 40) / 5)
    FOURTH = 1      # exp((13 - V + V_T) / 4)
    EIGHTEENTH = 2  # exp((17 - V + V_T) / 18)
    FORTIETH = 3    # exp((10 - V + V_T) / 40)
    LAST_FIFTH = 4  # exp((15 - V + V_T) / 5)
    ALPHA_M = 5
    BETA_M = 6
    ALPHA_N = 7
    BETA_H = 8
    SUM_M = 9
    SUM_H = 10
    SUM_N = 11
    M_2 = 12
    M_H = 13
    N_2 = 14
    SODIUM = 15
    POTASSIUM = 16
    TOTAL = 17
    RATIO_OF_ALPHA_M = 18   # 14 of each
    RATIO_OF_BETA_M = 32
    RATIO_OF_ALPHA_N = 46
    TERMS = 12


cdef extern from *:
    """
    #define EVENTSNN_NEAR_ZERO 0.3
    /* B_2k / (2k)!, k = 1 to 12 */
    static const double EVENTSNN_BERNOULLI[12] = {
        1.0 / 12.0, -1.0 / 720.0, 1.0 / 30240.0, -1.0 / 1209600.0, 1.0 / 47900160.0, -691.0 / 1307674368000.0,
        1.0 / 74724249600.0, -3617.0 / 10670622842880000.0, 43867.0 / 5109094217170944000.0,
        -174611.0 / 802857662698291200000.0, 77683.0 / 14101100039391805440000.0,
        -236364091.0 / 1693824136731743669452800000.0};
    """
    const double NEAR_ZERO "EVENTSNN_NEAR_ZERO"
    const double* BERNOULLI "EVENTSNN_BERNOULLI"


cdef inline double growth(const double* v, double scale, const double* e, int n) noexcept nogil:
    """Order n >= 1 of e = exp(scale v + constant)."""
    cdef double total = 0.0
    cdef int i
    for i in range(1, n + 1):
        total = total + i * v[i] * e[n - i]
    return scale * total / n


cdef inline double ratio(
    double x_0, double scale, const double* v, const double* e, const double* b, double (*rows)[ROW], int n
) noexcept nogil:
    """Order n of b = x / (exp(x) - 1), where e = exp(x) and x = x_0 at first and changes by scale v.

    At 0 a quotient has no digits; there it is b = 1 - x/2 + sum of B_2k x^2k / (2k)!, by Horner's rule for series.
    """
    cdef double total
    cdef int i, j
    rows[0][n] = x_0 if n == 0 else scale * v[n]
    if fabs(x_0) >= NEAR_ZERO:
        if n == 0:
            return x_0 / expm1(x_0)
        total = rows[0][n]
        for i in range(1, n + 1):
            total = total - e[i] * b[n - i]
        return total / expm1(x_0)
    rows[1][n] = square(rows[0], n)
    rows[2][n] = BERNOULLI[TERMS - 1] if n == 0 else 0.0
    for j in range(1, TERMS):
        total = product(rows[1], rows[1 + j], n)
        rows[2 + j][n] = total + BERNOULLI[TERMS - 1 - j] if n == 0 else total
    total = product(rows[1], rows[1 + TERMS], n) - 0.5 * rows[0][n]
    return 1.0 + total if n == 0 else total


cdef inline void rates(const Class* k, Series* z, int n) noexcept nogil:
    cdef const double* v = z.y
    cdef double level = v[0] - own(k)[V_T]
    cdef double* e
    cdef double total
    cdef int i
    if n == 0:
        z.aux[FIFTH][0] = exp((level - 40.0) * 0.2)
        z.aux[FOURTH][0] = exp((13.0 - level) * 0.25)
        z.aux[EIGHTEENTH][0] = exp((17.0 - level) * (1.0 / 18.0))
        z.aux[FORTIETH][0] = exp((10.0 - level) * 0.025)
        z.aux[LAST_FIFTH][0] = exp((15.0 - level) * 0.2)
    else:
        z.aux[FIFTH][n] = growth(v, 0.2, z.aux[FIFTH], n)
        z.aux[FOURTH][n] = growth(v, -0.25, z.aux[FOURTH], n)
        z.aux[EIGHTEENTH][n] = growth(v, -1.0 / 18.0, z.aux[EIGHTEENTH], n)
        z.aux[FORTIETH][n] = growth(v, -0.025, z.aux[FORTIETH], n)
        z.aux[LAST_FIFTH][n] = growth(v, -0.2, z.aux[LAST_FIFTH], n)
    z.aux[ALPHA_M][n] = ratio(
        (13.0 - level) * 0.25, -0.25, v, z.aux[FOURTH], z.aux[ALPHA_M], &z.aux[RATIO_OF_ALPHA_M], n
    )
    z.aux[BETA_M][n] = ratio((level - 40.0) * 0.2, 0.2, v, z.aux[FIFTH], z.aux[BETA_M], &z.aux[RATIO_OF_BETA_M], n)
    z.aux[ALPHA_N][n] = ratio(
        (15.0 - level) * 0.2, -0.2, v, z.aux[LAST_FIFTH], z.aux[ALPHA_N], &z.aux[RATIO_OF_ALPHA_N], n
    )
    e = z.aux[FIFTH]
    total = 4.0 * e[n]
    for i in range(1, n + 1):
        total = total - e[i] * z.aux[BETA_H][n - i]
    z.aux[BETA_H][n] = total / (1.0 + e[0])


cdef void extend(const Class* k, Series* z, int first, int last) noexcept nogil:
    cdef const double* p = own(k)
    cdef double* v = z.y
    cdef double* m = z.y + ROW
    cdef double* h = z.y + 2 * ROW
    cdef double* a = z.y + 3 * ROW
    cdef double* g_ex = z.y + 4 * ROW
    cdef double* g_in = z.y + 5 * ROW
    cdef double alpha_m, alpha_h, alpha_n, pulled
    cdef int n
    for n in range(first, last):
        rates(k, z, n)
        alpha_m = 1.28 * z.aux[ALPHA_M][n]
        alpha_h = 0.128 * z.aux[EIGHTEENTH][n]
        alpha_n = 0.16 * z.aux[ALPHA_N][n]
        z.aux[SUM_M][n] = alpha_m + 1.4 * z.aux[BETA_M][n]
        z.aux[SUM_H][n] = alpha_h + z.aux[BETA_H][n]
        z.aux[SUM_N][n] = alpha_n + 0.5 * z.aux[FORTIETH][n]
        z.aux[M_2][n] = square(m, n)
        z.aux[M_H][n] = product(m, h, n)
        z.aux[N_2][n] = square(a, n)
        z.aux[SODIUM][n] = p[G_NA] * product(z.aux[M_2], z.aux[M_H], n)
        z.aux[POTASSIUM][n] = p[G_K] * square(z.aux[N_2], n)
        z.aux[TOTAL][n] = (z.aux[SODIUM][n] + z.aux[POTASSIUM][n]) + p[PER_C] * (g_ex[n] + g_in[n])
        pulled = z.aux[SODIUM][n] * p[E_NA] + z.aux[POTASSIUM][n] * p[E_K]
        pulled = pulled + p[PER_C] * (g_ex[n] * p[E_EX] + g_in[n] * p[E_IN])
        pulled = (pulled - product(z.aux[TOTAL], v, n)) - p[G_L] * (v[n] - p[E_L] if n == 0 else v[n])
        v[n + 1] = (pulled + z.force[n]) / (n + 1)
        m[n + 1] = (alpha_m - product(z.aux[SUM_M], m, n)) / (n + 1)
        h[n + 1] = (alpha_h - product(z.aux[SUM_H], h, n)) / (n + 1)
        a[n + 1] = (alpha_n - product(z.aux[SUM_N], a, n)) / (n + 1)
        g_ex[n + 1] = -p[RATE_EX] * g_ex[n] / (n + 1)
        g_in[n + 1] = -p[RATE_IN] * g_in[n] / (n + 1)


cdef Model model
model.extend = extend
complete(&model)

kernel = PyCapsule_New(&model, "eventsnn.Model", NULL)
