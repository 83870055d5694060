/* The loops of conductance.h for vectors of EVENTSNN_WIDTH numbers; it includes this once for each kind of processor.
 * EVENTSNN_TARGET: attributes of functions for it; EVENTSNN_OF(name): the name there; EVENTSNN_ANY(mask): whether any
 * lane of a mask is set.
 */

typedef double EVENTSNN_OF(wide) __attribute__((vector_size(8 * EVENTSNN_WIDTH)));
typedef int64_t EVENTSNN_OF(mask) __attribute__((vector_size(8 * EVENTSNN_WIDTH)));

#define WIDE EVENTSNN_OF(wide)
#define MASK EVENTSNN_OF(mask)
#define CHOOSE EVENTSNN_OF(choose)
#define ANY EVENTSNN_OF(any)
#define INLINE EVENTSNN_TARGET static inline __attribute__((always_inline))
#define SIZE(x) ((WIDE)((MASK)(x) & INT64_MAX))
#define FROM(row) (*(const WIDE *)((row) + first))

typedef struct {
    WIDE drive, rate_l, E_L, per_c, E_ex, E_in, rate_ex, rate_in, tolerance, order;
    MASK held;
} EVENTSNN_OF(constants);

INLINE void CHOOSE(const MASK *which, const WIDE *from, WIDE *to)
{
    *to = (WIDE)(((MASK)*from & *which) | ((MASK)*to & ~*which));
}

INLINE int ANY(const MASK *m)
{
    return EVENTSNN_ANY(*m);
}

EVENTSNN_DEFINE_EXP(EVENTSNN_OF(exp_of), INLINE, WIDE, MASK)

/* What is left after h of what decays at this rate. */
INLINE void EVENTSNN_OF(remains)(const WIDE *rate, const WIDE *h, WIDE *out)
{
    const WIDE least = (WIDE){0} + EVENTSNN_LEAST_EXPONENT;
    WIDE exponent = -*rate * *h;
    MASK below = exponent < least;
    CHOOSE(&below, &least, &exponent);
    *out = EVENTSNN_OF(exp_of)(exponent);
}

/* The state after h of the lanes that are going, from v and x into last_v and last_x. */
INLINE void EVENTSNN_OF(few_orders)(
    const EVENTSNN_OF(constants) *c, const WIDE *v, const WIDE *x, const WIDE *h, const MASK *going, int slots,
    WIDE *last_v, WIDE *last_x)
{
    const WIDE small = EVENTSNN_SMALL_TERM * c->tolerance;
    WIDE y[EVENTSNN_MOST_ORDER + 1], g[EVENTSNN_MOST_ORDER];
    WIDE z[4], power = (WIDE){0} + 1.0, left_ex, left_in;
    MASK active = *going, large_before = {0};
    y[0] = *v;
    *last_v = *v;
    for (int i = 0; i < slots; i++)
        z[i] = x[i];
#if !defined(__clang__)
#pragma GCC unroll 24
#endif
    for (int n = 0; n < EVENTSNN_MOST_ORDER; n++) {
        const double inverse = eventsnn_inverse[n + 1];
        WIDE sum = {0}, pulled, next, above = n ? y[n] : y[0] - c->E_L;
        WIDE change_ex = -c->rate_ex * z[0], change_in = -c->rate_in * z[1];
        MASK large;
        g[n] = z[0] + z[1];
#if !defined(__clang__)
#pragma GCC unroll 24
#endif
        for (int i = 0; i <= n; i++)
            sum = sum + y[i] * g[n - i];
        pulled = sum - (z[0] * c->E_ex + z[1] * c->E_in);
        next = -c->rate_l * above - c->per_c * pulled;
        next = (n ? next + 0.0 : next + c->drive) * inverse;
        y[n + 1] = (WIDE)((MASK)next & ~c->held);
        if (slots == 4) {
            change_ex = change_ex + z[2];
            change_in = change_in + z[3];
            z[2] = -c->rate_ex * z[2] * inverse;
            z[3] = -c->rate_in * z[3] * inverse;
        }
        z[0] = change_ex * inverse;
        z[1] = change_in * inverse;

        power = power * *h;
        next = *last_v + y[n + 1] * power;
        CHOOSE(&active, &next, last_v);
        large = SIZE(y[n + 1]) * power > small;
        active &= c->order > (double)(n + 1);
        if (n % 2) {
            active &= large | large_before;
            if (!ANY(&active))
                break;
        }
        large_before = large;
    }
    EVENTSNN_OF(remains)(&c->rate_ex, h, &left_ex);
    EVENTSNN_OF(remains)(&c->rate_in, h, &left_in);
    last_x[0] = (slots == 4 ? x[0] + x[2] * *h : x[0]) * left_ex;
    last_x[1] = (slots == 4 ? x[1] + x[3] * *h : x[1]) * left_in;
    if (slots == 4) {
        last_x[2] = x[2] * left_ex;
        last_x[3] = x[3] * left_in;
    }
}

/* The lanes from `first` on. */
INLINE void EVENTSNN_OF(conduct_some)(eventsnn_conducting *e, int first, int slots)
{
    const EVENTSNN_OF(constants) c = {
        FROM(e->drive), FROM(e->rate_l),  FROM(e->E_L),     FROM(e->per_c),     FROM(e->E_ex), FROM(e->E_in),
        FROM(e->rate_ex), FROM(e->rate_in), FROM(e->tolerance), FROM(e->order), *(const MASK *)(e->held + first)};
    const WIDE no_more = EVENTSNN_NO_MORE * c.tolerance, stop = FROM(e->stop);
    WIDE t = FROM(e->t), v = FROM(e->v), x[4], last_v, last_x[4];
    WIDE ex, in, decay = {0}, span, end, h = stop - t;
    MASK going = t < stop, some, whole, moved;
    if (!ANY(&going))
        return;
    for (int i = 0; i < slots; i++)
        x[i] = FROM(e->x[i]);
    ex = slots == 4 ? x[0] + FROM(e->peak_ex) * x[2] : x[0];
    in = slots == 4 ? x[1] + FROM(e->peak_in) * x[3] : x[1];
    some = ex > 0.0;
    CHOOSE(&some, &c.rate_ex, &decay);
    some = (in > 0.0) & (c.rate_in > decay);
    CHOOSE(&some, &c.rate_in, &decay);
    span = 1.0 / (c.rate_l + c.per_c * (ex + in) + EVENTSNN_WEIGHT_OF_DECAY * decay);
    span = (t + span) - t;
    end = t + span;
    whole = ~(stop < end);
    CHOOSE(&whole, &span, &h);
    EVENTSNN_OF(few_orders)(&c, &v, x, &h, &going, slots, &last_v, last_x);

    moved = ~(SIZE(last_v - v) <= EVENTSNN_ULP * SIZE(v) + no_more);
    for (int i = 0; i < slots; i++) {
        MASK nothing = whole & (SIZE(last_x[i]) < no_more);
        last_x[i] = (WIDE)((MASK)last_x[i] & ~nothing);
        moved |= ~(SIZE(last_x[i] - x[i]) <= EVENTSNN_ULP * SIZE(x[i]) + no_more);
    }
    *(MASK *)(e->left + first) = going & whole & ~(moved & (end > t));
    *(WIDE *)(e->v + first) = last_v;
    for (int i = 0; i < slots; i++)
        *(WIDE *)(e->x[i] + first) = last_x[i];
    t = stop;
    CHOOSE(&whole, &end, &t);
    *(WIDE *)(e->t + first) = t;
}

EVENTSNN_TARGET static void EVENTSNN_OF(conduct)(eventsnn_conducting *e, int slots)
{
    for (int first = 0; first < EVENTSNN_LANES; first += EVENTSNN_WIDTH) {
        if (slots == 4)
            EVENTSNN_OF(conduct_some)(e, first, 4);
        else
            EVENTSNN_OF(conduct_some)(e, first, 2);
    }
}

#undef WIDE
#undef MASK
#undef CHOOSE
#undef ANY
#undef INLINE
#undef SIZE
#undef FROM
#undef EVENTSNN_TARGET
#undef EVENTSNN_WIDTH
#undef EVENTSNN_ANY
#undef EVENTSNN_OF
