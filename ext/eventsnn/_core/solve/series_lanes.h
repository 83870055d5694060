/* The series of EVENTSNN_WIDTH neurons; series_all.h includes this once for each. eventsnn/models/taylor.py has the same
 * operations, in the same order.
 */

#include "eventsnn/_core/base/wide.h"

#define ROW EVENTSNN_ORDERS
#define SERIES EVENTSNN_OF(series)
#define PRODUCT EVENTSNN_OF(product)
#define SQUARE EVENTSNN_OF(square)
#define EXPONENTIAL EVENTSNN_OF(exponential)
#define BEGINNING EVENTSNN_OF(beginning)

#if EVENTSNN_WIDTH > 1
typedef struct {
    WIDE *y;
    WIDE force[ROW];
    WIDE aux[EVENTSNN_AUXILIARY][ROW];
    int variables;
    int held;
} SERIES;
#endif

/* Order n of the product of two series. */
INLINE WIDE PRODUCT(const WIDE *a, const WIDE *b, int n)
{
    WIDE total = (WIDE){0};
    for (int i = 0; i <= n; i++)
        total = total + a[i] * b[n - i];
    return total;
}

INLINE WIDE SQUARE(const WIDE *a, int n)
{
    WIDE total = (WIDE){0};
    for (int i = 0; i < (n + 1) / 2; i++)
        total = total + a[i] * a[n - i];
    total = total + total;
    if (n % 2 == 0)
        total = total + a[n / 2] * a[n / 2];
    return total;
}

/* Order n >= 1 of e = exp(scale a + constant), from e' = scale e a'. changes: the orders of a, each times its own. */
INLINE WIDE EXPONENTIAL(const WIDE *changes, WIDE scale, const WIDE *e, int n)
{
    WIDE total = (WIDE){0};
    for (int i = 1; i <= n; i++)
        total = total + changes[i] * e[n - i];
    return scale * total / (double)n;
}

/* exp(x), where that is a number; beyond, nothing has a meaning. */
INLINE WIDE BEGINNING(WIDE x)
{
    WIDE most = x * 0.0 + EVENTSNN_MOST_EXPONENT;
    x = CHOOSE(x > most, most, x);
    return EVENTSNN_EXP(CHOOSE(x < -most, -most, x));
}

#include EVENTSNN_RECURRENCE

/* To as many orders as the states of all take at h, or to all that there are. */
EVENTSNN_TARGET static inline void EVENTSNN_OF(look)(eventsnn_looks *e)
{
    const int first = 0;
    SERIES z;
    WIDE y[EVENTSNN_VARIABLES][ROW], p[EVENTSNN_OWN], tolerance[EVENTSNN_VARIABLES];
    WIDE h = FROM(e->h), power = h * h;
    MASK last = h < (WIDE){0}, done = last;
    int alike = 1, n;
    for (int j = 1; j < EVENTSNN_WIDTH; j++)
        alike &= e->own[j] == e->own[0];
    for (int i = 0; i < e->constants; i++)
        p[i] = CONSTANT(e->own, alike, i);
    z.y = y[0];
    z.variables = e->variables;
    z.held = 0;
    for (int i = 0; i <= e->order; i++)
        z.force[i] = (WIDE){0};
    z.force[0] = FROM(e->drive);
    for (int i = 0; i < e->variables; i++) {
        y[i][0] = FROM(e->state[i]);
        tolerance[i] = CONSTANT(e->tolerance, alike, i);
    }
    EVENTSNN_OF(extend)(p, &z, 0, EVENTSNN_FEWEST - 2);
    for (n = EVENTSNN_FEWEST - 1; n <= e->order; n++) {
        MASK small = ~(done & 0);
        EVENTSNN_OF(extend)(p, &z, n - 1, n);
        power = power * h;
        for (int i = 0; i < e->variables; i++)
            small &= IF(SIZE(y[i][n]) * power <= tolerance[i]);
        done |= small & last;
        last = small;
        /* Where this many are needed the end of the step is near, and finding that takes all. */
        if (!ANY(~done) && 2 * n <= e->order)
            break;
    }
    e->order = n <= e->order ? n : e->order;
    for (int i = 0; i < e->variables; i++)
        for (n = 0; n <= e->order; n++)
            for (int j = 0; j < EVENTSNN_WIDTH; j++)
                e->y[j][i * ROW + n] = ((const double *)&y[i][n])[j];
}

#undef ROW
#undef SERIES
#undef PRODUCT
#undef SQUARE
#undef EXPONENTIAL
#undef BEGINNING
#include "eventsnn/_core/base/wide_end.h"
