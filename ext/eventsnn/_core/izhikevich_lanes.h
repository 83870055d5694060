/* The recurrence of eventsnn/models/izhikevich.py. */

EVENTSNN_TARGET static void EVENTSNN_OF(extend)(const WIDE *p, SERIES *z, int first, int last)
{
    const WIDE a = p[0], b = p[1], k_2 = p[2], k_1 = p[3], k_0 = p[4], V_u = p[5], leak_u = p[6];
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
