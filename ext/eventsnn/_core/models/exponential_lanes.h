/* The recurrence of eventsnn/models/exponential.py, of the neurons with and without adaptation. */

EVENTSNN_TARGET static void EVENTSNN_OF(extend)(const WIDE *p, SERIES *z, int first, int last)
{
    const WIDE rate_l = p[EVENTSNN_RATE_L], E_L = p[EVENTSNN_E_L], V_T = p[EVENTSNN_V_T], per_delta = p[EVENTSNN_PER_DELTA], upstroke = p[EVENTSNN_UPSTROKE], per_c = p[EVENTSNN_PER_C];
    const WIDE E_ex = p[EVENTSNN_E_EX], E_in = p[EVENTSNN_E_IN], rate_ex = p[EVENTSNN_RATE_EX], rate_in = p[EVENTSNN_RATE_IN], a = p[EVENTSNN_A], rate_w = p[EVENTSNN_RATE_W];
    WIDE *v = z->y, *g_ex = v + ROW, *g_in = g_ex + ROW, *w = g_in + ROW;
    WIDE *changes = z->aux[0], *e = z->aux[1], *g = z->aux[2];
    const int adapts = z->variables == 4;
    for (int n = first; n < last; n++) {
        WIDE above = n == 0 ? v[0] - E_L : v[n];
        if (z->held) {
            v[n + 1] = (WIDE){0};
        } else {
            changes[n] = (double)n * v[n];
            e[n] = n == 0 ? BEGINNING((v[0] - V_T) * per_delta) : EXPONENTIAL(changes, per_delta, e, n);
            g[n] = g_ex[n] + g_in[n];
            WIDE pulled = PRODUCT(g, v, n) - (g_ex[n] * E_ex + g_in[n] * E_in);
            if (adapts)
                pulled = pulled + w[n];
            WIDE rate = ((upstroke * e[n] - rate_l * above) - per_c * pulled) + z->force[n];
            v[n + 1] = rate / (n + 1.0);
        }
        g_ex[n + 1] = -rate_ex * g_ex[n] / (n + 1.0);
        g_in[n + 1] = -rate_in * g_in[n] / (n + 1.0);
        if (adapts)
            w[n + 1] = rate_w * (a * above - w[n]) / (n + 1.0);
    }
}
