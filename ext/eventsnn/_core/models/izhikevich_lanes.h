/* The recurrence of eventsnn/models/izhikevich.py. */

EVENTSNN_TARGET static void EVENTSNN_OF(extend)(const WIDE *p, SERIES *z, int first, int last)
{
    const WIDE a = p[EVENTSNN_A], b = p[EVENTSNN_B], k_2 = p[EVENTSNN_K_2], k_1 = p[EVENTSNN_K_1], k_0 = p[EVENTSNN_K_0], V_u = p[EVENTSNN_V_U], leak_u = p[EVENTSNN_LEAK_U];
    WIDE *v = z->y, *u = z->y + ROW;
    for (int n = first; n < last; n++) {
        WIDE rate = (k_2 * SQUARE(v, n) + k_1 * v[n] - u[n]) + z->force[n];
        WIDE level = v[n];
        if (n == 0) {
            rate = rate + k_0;
            level = level - V_u;
        }
        v[n + 1] = z->held ? (WIDE){0} : rate / (n + 1.0);
        u[n + 1] = a * (b * level - leak_u * u[n]) / (n + 1.0);
    }
}
