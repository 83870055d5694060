/* The recurrence of eventsnn/models/hodgkin_huxley.py. */

#define RATIO EVENTSNN_OF(ratio)
#define RATES EVENTSNN_OF(rates)

/* Order n of b = x / (exp(x) - 1), where e = exp(x) and x = x_0 at first and changes by scale v.
 *
 * At 0 a quotient has no digits; there it is b = 1 - x/2 + sum of B_2k x^2k / (2k)!, by Horner's rule for series. */
INLINE WIDE RATIO(WIDE x_0, double scale, const WIDE *v, const WIDE *e, const WIDE *b, WIDE (*rows)[ROW], int n)
{
    MASK near = IF(SIZE(x_0) < EVENTSNN_NEAR_ZERO);
    WIDE x = n == 0 ? x_0 : scale * v[n], far_off = x, total;
    rows[0][n] = x;
    if (ANY(~near)) {
        for (int i = 1; i <= n; i++)
            far_off = far_off - e[i] * b[n - i];
        far_off = far_off / (e[0] - 1.0);
    }
    if (!ANY(near))
        return far_off;
    rows[1][n] = SQUARE(rows[0], n);
    rows[2][n] = (n == 0 ? eventsnn_bernoulli[EVENTSNN_TERMS - 1] : 0.0) + (WIDE){0};
    for (int j = 1; j < EVENTSNN_TERMS; j++) {
        total = PRODUCT(rows[1], rows[1 + j], n);
        rows[2 + j][n] = n == 0 ? total + eventsnn_bernoulli[EVENTSNN_TERMS - 1 - j] : total;
    }
    total = PRODUCT(rows[1], rows[1 + EVENTSNN_TERMS], n) - 0.5 * x;
    return CHOOSE(near, n == 0 ? 1.0 + total : total, far_off);
}

INLINE void RATES(WIDE V_T, SERIES *z, int n)
{
    const WIDE *v = z->y, *changes = z->aux[EVENTSNN_CHANGES];
    WIDE level = v[0] - V_T, total, *fifth = z->aux[EVENTSNN_FIFTH], *beta_h = z->aux[EVENTSNN_BETA_H];
    WIDE *last_fifth = z->aux[EVENTSNN_LAST_FIFTH], *fourth = z->aux[EVENTSNN_FOURTH];
    WIDE *eighteenth = z->aux[EVENTSNN_EIGHTEENTH], *fortieth = z->aux[EVENTSNN_FORTIETH];
    if (n == 0) {
        fifth[0] = BEGINNING((level - 40.0) * 0.2);
        fourth[0] = BEGINNING((13.0 - level) * 0.25);
        eighteenth[0] = BEGINNING((17.0 - level) * (1.0 / 18.0));
        fortieth[0] = BEGINNING((10.0 - level) * 0.025);
        last_fifth[0] = BEGINNING((15.0 - level) * 0.2);
    } else {
        const WIDE none = (WIDE){0};
        z->aux[EVENTSNN_CHANGES][n] = (double)n * v[n];
        fifth[n] = EXPONENTIAL(changes, none + 0.2, fifth, n);
        fourth[n] = EXPONENTIAL(changes, none - 0.25, fourth, n);
        eighteenth[n] = EXPONENTIAL(changes, none - 1.0 / 18.0, eighteenth, n);
        fortieth[n] = EXPONENTIAL(changes, none - 0.025, fortieth, n);
        last_fifth[n] = EXPONENTIAL(changes, none - 0.2, last_fifth, n);
    }
    z->aux[EVENTSNN_ALPHA_M][n] = RATIO(
        (13.0 - level) * 0.25, -0.25, v, fourth, z->aux[EVENTSNN_ALPHA_M], z->aux + EVENTSNN_RATIO_OF_ALPHA_M, n);
    z->aux[EVENTSNN_BETA_M][n] = RATIO(
        (level - 40.0) * 0.2, 0.2, v, fifth, z->aux[EVENTSNN_BETA_M], z->aux + EVENTSNN_RATIO_OF_BETA_M, n);
    z->aux[EVENTSNN_ALPHA_N][n] = RATIO(
        (15.0 - level) * 0.2, -0.2, v, last_fifth, z->aux[EVENTSNN_ALPHA_N], z->aux + EVENTSNN_RATIO_OF_ALPHA_N, n);
    total = 4.0 * fifth[n];
    for (int i = 1; i <= n; i++)
        total = total - fifth[i] * beta_h[n - i];
    beta_h[n] = total / (1.0 + fifth[0]);
}

EVENTSNN_TARGET static void EVENTSNN_OF(extend)(const WIDE *p, SERIES *z, int first, int last)
{
    const WIDE g_Na = p[EVENTSNN_G_NA], g_K = p[EVENTSNN_G_K], g_L = p[EVENTSNN_G_L], per_c = p[EVENTSNN_PER_C], E_Na = p[EVENTSNN_E_NA], E_K = p[EVENTSNN_E_K], E_L = p[EVENTSNN_E_L];
    const WIDE E_ex = p[EVENTSNN_E_EX], E_in = p[EVENTSNN_E_IN], V_T = p[EVENTSNN_V_T], rate_ex = p[EVENTSNN_RATE_EX], rate_in = p[EVENTSNN_RATE_IN];
    WIDE *v = z->y, *m = v + ROW, *h = m + ROW, *a = h + ROW, *g_ex = a + ROW, *g_in = g_ex + ROW;
    WIDE *sum_m = z->aux[EVENTSNN_SUM_M], *sum_h = z->aux[EVENTSNN_SUM_H], *sum_n = z->aux[EVENTSNN_SUM_N];
    WIDE *m_2 = z->aux[EVENTSNN_M_2], *m_h = z->aux[EVENTSNN_M_H], *n_2 = z->aux[EVENTSNN_N_2];
    WIDE *total = z->aux[EVENTSNN_TOTAL];
    for (int n = first; n < last; n++) {
        RATES(V_T, z, n);
        WIDE alpha_m = 1.28 * z->aux[EVENTSNN_ALPHA_M][n];
        WIDE alpha_h = 0.128 * z->aux[EVENTSNN_EIGHTEENTH][n];
        WIDE alpha_n = 0.16 * z->aux[EVENTSNN_ALPHA_N][n];
        sum_m[n] = alpha_m + 1.4 * z->aux[EVENTSNN_BETA_M][n];
        sum_h[n] = alpha_h + z->aux[EVENTSNN_BETA_H][n];
        sum_n[n] = alpha_n + 0.5 * z->aux[EVENTSNN_FORTIETH][n];
        m_2[n] = SQUARE(m, n);
        m_h[n] = PRODUCT(m, h, n);
        n_2[n] = SQUARE(a, n);
        WIDE sodium = g_Na * PRODUCT(m_2, m_h, n), potassium = g_K * SQUARE(n_2, n);
        total[n] = (sodium + potassium) + per_c * (g_ex[n] + g_in[n]);
        WIDE pulled = sodium * E_Na + potassium * E_K;
        pulled = pulled + per_c * (g_ex[n] * E_ex + g_in[n] * E_in);
        pulled = (pulled - PRODUCT(total, v, n)) - g_L * (n == 0 ? v[0] - E_L : v[n]);
        v[n + 1] = (pulled + z->force[n]) / (n + 1.0);
        m[n + 1] = (alpha_m - PRODUCT(sum_m, m, n)) / (n + 1.0);
        h[n + 1] = (alpha_h - PRODUCT(sum_h, h, n)) / (n + 1.0);
        a[n + 1] = (alpha_n - PRODUCT(sum_n, a, n)) / (n + 1.0);
        g_ex[n + 1] = -rate_ex * g_ex[n] / (n + 1.0);
        g_in[n + 1] = -rate_in * g_in[n] / (n + 1.0);
    }
}

#undef RATIO
#undef RATES
