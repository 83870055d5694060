/* The recurrence of eventsnn/models/quadratic.py. */

EVENTSNN_TARGET static void EVENTSNN_OF(extend)(const WIDE *p, SERIES *z, int first, int last)
{
    const WIDE curvature = p[EVENTSNN_CURVATURE], E_L = p[EVENTSNN_E_L], span = p[EVENTSNN_SPAN];
    WIDE *v = z->y, *x = z->aux[0];
    for (int n = first; n < last; n++) {
        x[n] = n == 0 ? v[0] - E_L : v[n];
        WIDE term = n == 0 ? x[0] * (x[0] - span) : SQUARE(x, n) - span * x[n];
        v[n + 1] = z->held ? (WIDE){0} : (curvature * term + z->force[n]) / (n + 1.0);
    }
}
