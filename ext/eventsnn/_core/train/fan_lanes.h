/* One interval of the neurons of a fan, for one neuron or for several at once; the rest of them by one. */

#include "eventsnn/_core/base/wide.h"

#if EVENTSNN_WIDTH > 1
/* Where the numbers of some neurons begin, nothing is aligned. */
typedef double EVENTSNN_OF(loose) __attribute__((vector_size(8 * EVENTSNN_WIDTH), aligned(8)));
typedef int64_t EVENTSNN_OF(loose_mask) __attribute__((vector_size(8 * EVENTSNN_WIDTH), aligned(8)));
#else
typedef double EVENTSNN_OF(loose);
typedef int64_t EVENTSNN_OF(loose_mask);
#endif
#define LOAD(row) (*(const EVENTSNN_OF(loose) *)((row) + k))
#define STORE(row, x) (*(EVENTSNN_OF(loose) *)((row) + k) = (x))
#define STORE_MASK(row, x) (*(EVENTSNN_OF(loose_mask) *)((row) + k) = (x))
#define POSITIVE(x) CHOOSE((x) > 0.0, (x), (WIDE){0})

/* Whether V of a neuron with one current may have come to its bar: at the end, or where it turned in between, at
 * -log(1 - z) / difference, which is at least `turn` synaptic time constants. There dV/dt is 0, so that V is
 * tau_m (I_syn + I_e) / C_m, and the series of exp(turn) bounds I_syn. */
INLINE MASK EVENTSNN_OF(may_reach)(
    const eventsnn_rates *r, WIDE before, WIDE current, WIDE after, WIDE left, WIDE bar)
{
    const double leak = r->per_tau_m, rate = r->per_tau_syn[0];
    WIDE rises = current * r->per_C + r->change - before * leak;
    WIDE falls = left * r->per_C + r->change - after * leak;
    MASK reaches = IF(after >= bar), turns = IF(rises > 0.0) & IF(falls < 0.0);
    if (!ANY(turns))
        return reaches;
    WIDE scale = rises / (rate * r->per_C * current);
    WIDE z = (rate - leak) * scale;
    WIDE ahead = 1.0 + z * (0.5 + z * (1.0 / 3.0 + 0.25 * z)), behind = 1.0 / (1.0 - 0.5 * z);
    WIDE turn = scale * CHOOSE(z >= 0.0, ahead, behind) * rate;
    WIDE grown = 1.0 + turn * (1.0 + turn * (0.5 + turn * (1.0 / 6.0 + turn * (1.0 / 24.0))));
    WIDE top = (current * r->per_C / grown + r->change) / leak;
    return reaches | (turns & IF(top * (1.0 + 1e-12) >= bar));
}

/* The same with two currents: V rises at most by what they would bring without a leak. */
INLINE MASK EVENTSNN_OF(may_reach_by_two)(
    const eventsnn_rates *r, const eventsnn_factors *f, WIDE before, WIDE first, WIDE second, WIDE after, WIDE bar)
{
    const double more = r->change > 0.0 ? r->change * f->h : 0.0;
    WIDE high = CHOOSE(before > 0.0, before, before * f->membrane) + more +
                (POSITIVE(first) + POSITIVE(second)) * (f->h * r->per_C);
    return IF(after >= bar) | IF(high >= bar);
}

EVENTSNN_TARGET static int64_t EVENTSNN_OF(advance)(
    int begin, int n, const eventsnn_rates *r, const eventsnn_factors *f, double end, const eventsnn_states *s,
    const eventsnn_states *old, const double *bar, const double *release, int64_t *flag)
{
    double *v = s->v, *x = s->current[0], *y = s->current[1];
    double *old_v = old->v, *old_x = old->current[0], *old_y = old->current[1];
    const double membrane = f->membrane, fx = f->synapse[0], fy = f->synapse[1];
    const double kx = f->kernel[0], ky = f->kernel[1], drive = f->drive;
    MASK any = (MASK){0};
    int k = begin;
    if (r->currents == 1) {
        for (; k + EVENTSNN_WIDTH <= n; k += EVENTSNN_WIDTH) {
            WIDE before = LOAD(v), current = LOAD(x);
            WIDE after = before * membrane + current * kx + drive, left = current * fx;
            MASK found = EVENTSNN_OF(may_reach)(r, before, current, after, left, LOAD(bar)) | IF(LOAD(release) < end);
            STORE(old_v, before);
            STORE(old_x, current);
            STORE(v, after);
            STORE(x, left);
            STORE_MASK(flag, found);
            any |= found;
        }
    } else {
        for (; k + EVENTSNN_WIDTH <= n; k += EVENTSNN_WIDTH) {
            WIDE before = LOAD(v), first = LOAD(x), second = LOAD(y);
            WIDE after = before * membrane + first * kx + second * ky + drive;
            MASK found = EVENTSNN_OF(may_reach_by_two)(r, f, before, first, second, after, LOAD(bar)) |
                         IF(LOAD(release) < end);
            STORE(old_v, before);
            STORE(old_x, first);
            STORE(old_y, second);
            STORE(v, after);
            STORE(x, first * fx);
            STORE(y, second * fy);
            STORE_MASK(flag, found);
            any |= found;
        }
    }
    int64_t some = ANY(any);
#if EVENTSNN_WIDTH > 1
    if (k < n)
        some |= eventsnn_one_advance(k, n, r, f, end, s, old, bar, release, flag);
#endif
    return some;
}

#undef LOAD
#undef STORE
#undef STORE_MASK
#undef POSITIVE
#include "eventsnn/_core/base/wide_end.h"
