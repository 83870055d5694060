/* The loops of scatter.pxd over the synapses of a slice, in C so that each is compiled for every kind of weight and state.
 *
 * Of a slice, target[i] receives the weight shared, weight[i] or weight32[i]. What that adds to a neuron's state follows
 * from its sign s: the nearest integers of weight u[s], to U, and of weight x[s], to X of slot[s]; and to D what is not
 * less than it raises the highest that v may reach. Without currents the state is D alone, and weight u[s] is added to
 * it. The state of neuron n begins at state + n * stride.
 */

#ifndef EVENTSNN_SCATTER_H
#define EVENTSNN_SCATTER_H

#include <stdint.h>

#include "integers.h"

#if defined(_MSC_VER)
#define EVENTSNN_EACH static __forceinline
#else
#define EVENTSNN_EACH static inline __attribute__((always_inline))
#endif

/* Kinds of weights. */
enum { EVENTSNN_SHARED, EVENTSNN_DOUBLES, EVENTSNN_FLOATS };
enum { EVENTSNN_D, EVENTSNN_U, EVENTSNN_X, EVENTSNN_STATE = 4 };
enum { EVENTSNN_PORTS = 2, EVENTSNN_PAD = 64, EVENTSNN_TOGETHER = 8 };

typedef struct {
    const int32_t *target;
    const double *weight;
    const float *weight32;
    double shared;
    double size; /* no weight is larger */
    int64_t n;
    double time;
    int32_t row;
    int port;
    int by_sign[2];
    double d[2];
    double u[2];
    double x[2];
    int slot[2];
    int64_t added[EVENTSNN_STATE]; /* what the shared weight adds */
} eventsnn_pulse;

EVENTSNN_EACH double eventsnn_weight(const eventsnn_pulse *p, int kind, int64_t i)
{
    return kind == EVENTSNN_SHARED ? p->shared : kind == EVENTSNN_DOUBLES ? p->weight[i] : (double)p->weight32[i];
}

/* ---- memory */

#if defined(__GNUC__) || defined(__clang__)
#define EVENTSNN_FETCH(address) __builtin_prefetch(address, 0)
#else
#define EVENTSNN_FETCH(address) ((void)(address))
#endif

/* Fetch a slice, which lies anywhere in memory, before its turn comes. */
static void eventsnn_fetch(const eventsnn_pulse *p, int kind)
{
    enum { LINE = 64 };
    for (int64_t i = 0; i < p->n; i += LINE / (int64_t)sizeof(int32_t))
        EVENTSNN_FETCH(p->target + i);
    if (kind == EVENTSNN_DOUBLES)
        for (int64_t i = 0; i < p->n; i += LINE / (int64_t)sizeof(double))
            EVENTSNN_FETCH(p->weight + i);
    if (kind == EVENTSNN_FLOATS)
        for (int64_t i = 0; i < p->n; i += LINE / (int64_t)sizeof(float))
            EVENTSNN_FETCH(p->weight32 + i);
}

/* ---- additions
 *
 * Where D of any of some targets is not negative afterwards, all of these are listed by their places in the slice: in one
 * of some hundred. Those of one slice come at one time, so that what D is in between does not matter. */

/* What the synapse at i adds. */
EVENTSNN_EACH void eventsnn_find_added(const eventsnn_pulse *p, int kind, int currents, int64_t i, int64_t *added)
{
    if (kind == EVENTSNN_SHARED) {
        for (int k = 0; k < (currents ? EVENTSNN_STATE : 1); k++)
            added[k] = p->added[k];
    } else {
        const double weight = eventsnn_weight(p, kind, i);
        if (currents) {
            const int sign = weight < 0.0;
            added[EVENTSNN_D] = eventsnn_rounded(weight * p->d[sign]) + EVENTSNN_PAD;
            added[EVENTSNN_U] = eventsnn_rounded(weight * p->u[sign]);
            added[EVENTSNN_X] = added[EVENTSNN_X + 1] = 0;
            added[EVENTSNN_X + p->slot[sign]] = eventsnn_rounded(weight * p->x[sign]);
        } else {
            added[EVENTSNN_D] = eventsnn_rounded(weight * p->u[0]);
        }
    }
}

/* Add what n synapses from i on bring; all D that they leave, and-ed. */
EVENTSNN_EACH int64_t eventsnn_add_some(
    const eventsnn_pulse *p, int kind, int currents, int64_t i, int n, int64_t *state, int64_t *added)
{
    const int64_t stride = currents ? EVENTSNN_STATE : 1;
    int64_t all = -1;
    for (int k = 0; k < n; k++) {
        int64_t *s = state + p->target[i + k] * stride;
        if (kind != EVENTSNN_SHARED)
            eventsnn_find_added(p, kind, currents, i + k, added);
        for (int j = 0; j < stride; j++)
            s[j] = eventsnn_sum(s[j], added[j]);
        all &= s[EVENTSNN_D];
    }
    return all;
}

EVENTSNN_EACH int64_t eventsnn_add_each(
    const eventsnn_pulse *p, int kind, int currents, int64_t *state, int32_t *listed)
{
    const int32_t *target = p->target;
    const int64_t n = p->n, stride = currents ? EVENTSNN_STATE : 1;
    int64_t m = 0, added[EVENTSNN_STATE];
    if (kind == EVENTSNN_SHARED)
        eventsnn_find_added(p, kind, currents, 0, added);
    for (int64_t i = 0; i < n; i += EVENTSNN_TOGETHER) {
        const int some = n - i < EVENTSNN_TOGETHER ? (int)(n - i) : EVENTSNN_TOGETHER;
        const int64_t all = some == EVENTSNN_TOGETHER
            ? eventsnn_add_some(p, kind, currents, i, EVENTSNN_TOGETHER, state, added)
            : eventsnn_add_some(p, kind, currents, i, some, state, added);
        if (all >= 0) {
            for (int64_t k = i; k < i + some; k++) {
                listed[m] = (int32_t)k;
                m += state[target[k] * stride + EVENTSNN_D] >= 0;
            }
        }
    }
    return m;
}

/* Each chosen once for a slice. */
static int64_t eventsnn_add_slice(const eventsnn_pulse *p, int kind, int currents, int64_t *state, int32_t *listed)
{
    if (!currents) {
        if (kind == EVENTSNN_SHARED)
            return eventsnn_add_each(p, EVENTSNN_SHARED, 0, state, listed);
        if (kind == EVENTSNN_DOUBLES)
            return eventsnn_add_each(p, EVENTSNN_DOUBLES, 0, state, listed);
        return eventsnn_add_each(p, EVENTSNN_FLOATS, 0, state, listed);
    }
    if (kind == EVENTSNN_SHARED)
        return eventsnn_add_each(p, EVENTSNN_SHARED, 1, state, listed);
    if (kind == EVENTSNN_DOUBLES)
        return eventsnn_add_each(p, EVENTSNN_DOUBLES, 1, state, listed);
    return eventsnn_add_each(p, EVENTSNN_FLOATS, 1, state, listed);
}

/* Take back what the synapse at i has added. */
static void eventsnn_take_back(const eventsnn_pulse *p, int kind, int currents, int64_t i, int64_t *state)
{
    int64_t added[EVENTSNN_STATE], *s = state + p->target[i] * (int64_t)(currents ? EVENTSNN_STATE : 1);
    eventsnn_find_added(p, kind, currents, i, added);
    for (int j = 0; j < (currents ? EVENTSNN_STATE : 1); j++)
        s[j] = eventsnn_sum(s[j], -added[j]);
}

/* ---- the beginning of a block: D of all from first to stop, and those that are listed since theirs is not between -2^61
 * and 0 */

enum { EVENTSNN_AT_ONCE = 16 };

EVENTSNN_EACH int eventsnn_is_other(int64_t d) { return ((uint64_t)d + ((uint64_t)1 << 61)) >> 61 != 0; }

/* Without currents the line has moved, by the same for all. */
static int64_t eventsnn_look_jumps(int64_t *d, int64_t by, int64_t first, int64_t stop, int32_t *others)
{
    int64_t m = 0;
    for (int64_t n = first; n < stop; n += EVENTSNN_AT_ONCE) {
        const int some = stop - n < EVENTSNN_AT_ONCE ? (int)(stop - n) : EVENTSNN_AT_ONCE;
        uint64_t any = 0;
        if (some == EVENTSNN_AT_ONCE) {
            for (int k = 0; k < EVENTSNN_AT_ONCE; k++) {
                d[n + k] = eventsnn_sum(d[n + k], by);
                any |= (uint64_t)d[n + k] + ((uint64_t)1 << 61);
            }
        } else {
            for (int k = 0; k < some; k++) {
                d[n + k] = eventsnn_sum(d[n + k], by);
                any |= (uint64_t)d[n + k] + ((uint64_t)1 << 61);
            }
        }
        if (any >> 61 == 0)
            continue;
        for (int k = 0; k < some; k++) {
            others[m] = (int32_t)(n + k);
            m += eventsnn_is_other(d[n + k]);
        }
    }
    return m;
}

/* Of each current the least and the largest of what X takes from U in the block; the line of all, or of each. */
typedef struct {
    double least[2];
    double largest[2];
    double margin;
    int64_t low;
    const int64_t *lows;
} eventsnn_rise;

/* Where in units of U v is at most in the block, if nothing arrives any more. */
EVENTSNN_EACH double eventsnn_highest(const eventsnn_rise *r, int currents, const int64_t *s)
{
    double up = (double)s[EVENTSNN_U], size = fabs(up);
    for (int i = 0; i < currents; i++) {
        const double x = (double)s[EVENTSNN_X + i], part = x * (x >= 0.0 ? r->least[i] : r->largest[i]);
        up -= part;
        size += fabs(part);
    }
    return up + r->margin * size;
}

/* Above how far that is from the line; 0 where it is too far for a number. */
EVENTSNN_EACH int64_t eventsnn_distance(double highest, int64_t low)
{
    const double d = highest - (double)low;
    return d > -EVENTSNN_LIMIT_64 && d < EVENTSNN_LIMIT_64 ? (int64_t)d + 1024 : 0;
}

EVENTSNN_EACH int64_t eventsnn_look_currents_each(
    const eventsnn_rise *rise, int currents, int64_t *state, const uint8_t *flag, int64_t first, int64_t stop,
    int32_t *others)
{
    const eventsnn_rise r = *rise;
    int64_t m = 0;
    for (int64_t n = first; n < stop; n++) {
        int64_t *s = state + EVENTSNN_STATE * n;
        s[EVENTSNN_D] = eventsnn_distance(eventsnn_highest(&r, currents, s), r.lows ? r.lows[n] : r.low);
        others[m] = (int32_t)n;
        m += (flag[n] != 0) | eventsnn_is_other(s[EVENTSNN_D]);
    }
    return m;
}

/* With currents; those with a flag are listed too, and their D means nothing. */
static int64_t eventsnn_look_currents(
    const eventsnn_rise *rise, int currents, int64_t *state, const uint8_t *flag, int64_t first, int64_t stop,
    int32_t *others)
{
    if (currents == 1)
        return eventsnn_look_currents_each(rise, 1, state, flag, first, stop, others);
    return eventsnn_look_currents_each(rise, 2, state, flag, first, stop, others);
}

static int64_t eventsnn_distance_of(const eventsnn_rise *rise, int currents, const int64_t *state, int64_t low)
{
    return eventsnn_distance(eventsnn_highest(rise, currents, state), low);
}

#endif
