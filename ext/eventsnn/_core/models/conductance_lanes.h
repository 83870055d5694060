/* The functions of conductance.h for vectors of EVENTSNN_WIDTH numbers, or for one number; it includes this once for each.
 */

#include "eventsnn/_core/base/wide.h"

#define CONSTANTS EVENTSNN_OF(constants)
#define MIDDLE EVENTSNN_OF(middle)

typedef struct {
    WIDE per_c, V_th, rate_l, E_L, E_ex, E_in, rate_ex, rate_in, tau_ex, tau_in;
} CONSTANTS;

/* The middle of a step: conductances and how they change, what they do to A and to V. */
typedef struct {
    WIDE g_ex, g_in, change_ex, change_in, area_ex, area_in, pull_ex, pull_in;
} MIDDLE;

/* 1 - exp(-y) and exp(y) - 1 for 0 <= y <= 1/4. */
INLINE void EVENTSNN_OF(parts)(WIDE y, WIDE *later, WIDE *earlier)
{
    WIDE y2 = y * y;
    WIDE even = y2 * (0.5 + y2 * (1.0 / 24.0 + y2 * (1.0 / 720.0 + y2 * (1.0 / 40320.0 +
                y2 * (1.0 / 3628800.0 + y2 * (1.0 / 479001600.0))))));
    WIDE odd = y * (1.0 + y2 * (1.0 / 6.0 + y2 * (1.0 / 120.0 + y2 * (1.0 / 5040.0 +
               y2 * (1.0 / 362880.0 + y2 * (1.0 / 39916800.0))))));
    *later = odd - even;
    *earlier = odd + even;
}

/* The conductances h later, at most half of a time constant. */
INLINE void EVENTSNN_OF(decay)(const CONSTANTS *c, WIDE h, int slots, WIDE *x)
{
    WIDE half = 0.5 * h, left_ex, left_in, change_ex, change_in, unused;
    EVENTSNN_OF(parts)(half * c->rate_ex, &left_ex, &unused);
    EVENTSNN_OF(parts)(half * c->rate_in, &left_in, &unused);
    left_ex = 1.0 - left_ex;
    left_in = 1.0 - left_in;
    if (slots == 2) {
        x[0] = (x[0] * left_ex) * left_ex;
        x[1] = (x[1] * left_in) * left_in;
        return;
    }
    change_ex = x[2] * left_ex;
    change_in = x[3] * left_in;
    x[0] = ((x[0] + x[2] * half) * left_ex + change_ex * half) * left_ex;
    x[1] = ((x[1] + x[3] * half) * left_in + change_in * half) * left_in;
    x[2] = change_ex * left_ex;
    x[3] = change_in * left_in;
}

/* A between the middle and a point z away, later or earlier by `step`; and how much r differs there. */
INLINE WIDE EVENTSNN_OF(away)(
    const CONSTANTS *c, const MIDDLE *m, WIDE z, WIDE part_ex, WIDE part_in, double step, int slots, WIDE *pulled)
{
    WIDE ex = m->g_ex * part_ex, in = m->g_in * part_in, area;
    if (slots == 2) {
        area = m->area_ex * ex + m->area_in * in;
    } else {
        ex = ex - (m->change_ex * z) * (1.0 - step * part_ex);
        in = in - (m->change_in * z) * (1.0 - step * part_in);
        area = m->area_ex * (ex + (m->change_ex * c->tau_ex) * part_ex)
            + m->area_in * (in + (m->change_in * c->tau_in) * part_in);
    }
    *pulled = m->pull_ex * ex + m->pull_in * in;
    return c->rate_l * z + area;
}

/* V after h, within a step. force: what ramps and sines add to the drive at the nodes, later and earlier by pairs, or
 * NULL. */
INLINE WIDE EVENTSNN_OF(v_after)(
    const CONSTANTS *c, WIDE v, WIDE drive, const WIDE *x, WIDE h, int rule, int slots, const double *force)
{
    WIDE half = 0.5 * h, total = h * 0.0, lost_ex, lost_in, middle, to_end, unused;
    MIDDLE m;
    m.area_ex = c->per_c * c->tau_ex;
    m.area_in = c->per_c * c->tau_in;
    m.pull_ex = c->per_c * (c->E_ex - v);
    m.pull_in = c->per_c * (c->E_in - v);
    EVENTSNN_OF(parts)(half * c->rate_ex, &lost_ex, &unused);
    EVENTSNN_OF(parts)(half * c->rate_in, &lost_in, &unused);
    m.change_ex = m.change_in = total;
    if (slots == 4) {
        m.g_ex = (x[0] + x[2] * half) * (1.0 - lost_ex);
        m.g_in = (x[1] + x[3] * half) * (1.0 - lost_in);
        m.change_ex = x[2] * (1.0 - lost_ex);
        m.change_in = x[3] * (1.0 - lost_in);
    } else {
        m.g_ex = x[0] * (1.0 - lost_ex);
        m.g_in = x[1] * (1.0 - lost_in);
    }
    middle = (c->rate_l * (c->E_L - v) + drive) + (m.pull_ex * m.g_ex + m.pull_in * m.g_in);
    to_end = EVENTSNN_OF(away)(c, &m, half, lost_ex, lost_in, 1.0, slots, &unused);
    for (int k = 0; k < eventsnn_pairs[rule]; k++) {
        WIDE z = h * eventsnn_nodes[rule][k][0];
        WIDE later_ex, earlier_ex, later_in, earlier_in, less, more, late, early, area, behind;
        EVENTSNN_OF(parts)(z * c->rate_ex, &later_ex, &earlier_ex);
        EVENTSNN_OF(parts)(z * c->rate_in, &later_in, &earlier_in);
        area = EVENTSNN_OF(away)(c, &m, z, later_ex, later_in, 1.0, slots, &less);
        behind = EVENTSNN_OF(away)(c, &m, z, earlier_ex, earlier_in, -1.0, slots, &more);
        late = middle - less;
        early = middle + more;
        if (force) {
            late = late + force[2 * k];
            early = early + force[2 * k + 1];
        }
        total = total + eventsnn_nodes[rule][k][1] *
            (late * EVENTSNN_EXP(area - to_end) + early * EVENTSNN_EXP(-(behind + to_end)));
    }
    return v + h * total;
}

/* A bound: so long (ms) V surely stays below the threshold without input and under a constant drive.
 *
 * V does not get through a level at which it cannot rise: now, nor later if inhibition outlives excitation and V would
 * settle below it without either. Until some horizon inhibition loses no more than that part of tau_syn_in. Where V falls
 * at first it may then rise faster; but it comes back to where it is before it gets any higher. */
INLINE WIDE EVENTSNN_OF(bound)(const CONSTANTS *c, WIDE v, WIDE drive, const WIDE *x, int slots)
{
    const WIDE none = v * 0.0, never = none + INFINITY;
    WIDE slack = EVENTSNN_MARGIN * (SIZE(c->V_th) + SIZE(v));
    WIDE top = c->V_th - slack, gap = top - v;
    WIDE down = c->rate_l * (top - c->E_L) - drive;
    WIDE ex = slots == 4 ? x[0] + 0.36787944117144239 * c->tau_ex * x[2] : x[0];
    WIDE in = slots == 4 ? x[1] + 0.36787944117144239 * c->tau_in * x[3] : x[1];
    WIDE up_ex = CHOOSE(c->E_ex > top, c->per_c * (c->E_ex - top), none);
    WIDE down_in = (1.0 - EVENTSNN_MARGIN) * c->per_c * (top - c->E_in);
    WIDE safe = (1.0 - EVENTSNN_MARGIN) * down;
    MASK stays = IF(c->rate_in <= c->rate_ex) & IF(up_ex * x[0] <= safe + down_in * x[1]);
    WIDE horizon = EVENTSNN_HORIZON * c->tau_in, kept = (1.0 - EVENTSNN_HORIZON) * x[1], rise, fall, first, next;
    if (slots == 4)
        stays = stays & IF(up_ex * x[2] <= down_in * x[3]);
    stays = IF(c->E_in <= top) & IF(down >= 0.0) & (stays | IF(up_ex * ex <= safe));
    rise = ex * CHOOSE(c->E_ex > v, c->E_ex - v, none) + CHOOSE(c->E_in > v, in, kept) * (c->E_in - v);
    rise = c->rate_l * (c->E_L - v) + c->per_c * rise + drive;
    /* The higher V, the slower: (1 - exp(-fall t)) rise / fall is what it gains, -log(1 - z) >= z + z^2 / 2. */
    fall = c->rate_l + c->per_c * kept;
    first = gap / rise;
    first = first + 0.5 * fall * (first * first);
    next = CHOOSE(IF(rise > fall * gap) & IF(first < horizon), first, horizon);
    next = CHOOSE(stays, never, next * (1.0 - 1e-12));
    return CHOOSE(gap > 0.0, next, none);
}

/* The largest rate of V from now on. */
INLINE WIDE EVENTSNN_OF(largest)(const CONSTANTS *c, const WIDE *x, int slots)
{
    WIDE ex = slots == 4 ? x[0] + c->tau_ex * x[2] : x[0];
    WIDE in = slots == 4 ? x[1] + c->tau_in * x[3] : x[1];
    return c->rate_l + c->per_c * (ex + in);
}

INLINE void EVENTSNN_OF(constants_of)(const double *const *of, CONSTANTS *c)
{
    int alike = 1;
    for (int j = 1; j < EVENTSNN_WIDTH; j++)
        alike &= of[j] == of[0];
    c->per_c = CONSTANT(of, alike, EVENTSNN_PER_C);
    c->V_th = CONSTANT(of, alike, EVENTSNN_V_TH);
    c->rate_l = CONSTANT(of, alike, EVENTSNN_RATE_L);
    c->E_L = CONSTANT(of, alike, EVENTSNN_E_L);
    c->E_ex = CONSTANT(of, alike, EVENTSNN_E_EX);
    c->E_in = CONSTANT(of, alike, EVENTSNN_E_IN);
    c->rate_ex = CONSTANT(of, alike, EVENTSNN_RATE_EX);
    c->rate_in = CONSTANT(of, alike, EVENTSNN_RATE_IN);
    c->tau_ex = CONSTANT(of, alike, EVENTSNN_TAU_EX);
    c->tau_in = CONSTANT(of, alike, EVENTSNN_TAU_IN);
}

INLINE void EVENTSNN_OF(conduct_all)(eventsnn_conducting *e, int rule, int slots)
{
    for (int first = 0; first < e->n; first += EVENTSNN_WIDTH) {
        CONSTANTS c;
        WIDE h = FROM(e->h), drive = FROM(e->drive), v = FROM(e->v), x[4];
        EVENTSNN_OF(constants_of)(e->c + first, &c);
        for (int i = 0; i < slots; i++)
            x[i] = FROM(e->x[i]);
        if (rule != EVENTSNN_HELD)
            v = EVENTSNN_OF(v_after)(&c, v, drive, x, h, rule, slots, NULL);
        EVENTSNN_OF(decay)(&c, h, slots, x);
        x[slots - 2] = x[slots - 2] + FROM(e->added[0]);
        x[slots - 1] = x[slots - 1] + FROM(e->added[1]);
        for (int i = 0; i < slots; i++)
            *(WIDE *)(e->x[i] + first) = x[i];
        *(WIDE *)(e->a + first) = EVENTSNN_OF(largest)(&c, x, slots);
        if (rule == EVENTSNN_HELD)
            continue;
        *(WIDE *)(e->v + first) = v;
        *(WIDE *)(e->bound + first) = EVENTSNN_OF(bound)(&c, v, drive, x, slots);
    }
}

EVENTSNN_TARGET EVENTSNN_PERHAPS void EVENTSNN_OF(conduct)(eventsnn_conducting *e, int rule, int slots)
{
    /* Each with numbers that the compiler knows, so that loops are unrolled. */
    if (rule == EVENTSNN_HELD)
        EVENTSNN_OF(conduct_all)(e, EVENTSNN_HELD, slots);
    else if (slots == 4)
        EVENTSNN_OF(conduct_all)(e, rule, 4);
    else if (rule == 0)
        EVENTSNN_OF(conduct_all)(e, 0, 2);
    else if (rule == 1)
        EVENTSNN_OF(conduct_all)(e, 1, 2);
    else
        EVENTSNN_OF(conduct_all)(e, 2, 2);
}

#undef CONSTANTS
#undef MIDDLE
#include "eventsnn/_core/base/wide_end.h"
