/* The loops of scatter.pxd over the synapses of a slice, in C so that each is compiled for every kind of weight and state.
 *
 * Synapse i of a slice reaches target[i] with the weight w: shared, weight[i] or weight32[i]. With s the sign of w, it
 * adds the nearest integer of w u[s] to U, that of w x[s] to X of slot[s], and to D at least as much as v may rise by.
 * Without currents the state is D alone, and the nearest integer of w u[0] is added to it. The state of neuron n begins
 * at state + n * stride.
 *
 * U and X are kept less 2^62. So they are negative, as D is, while they lie between -2^62 and 2^62: one test of signs
 * says that a neuron is below its threshold and that no number leaves its range.
 */

#ifndef EVENTSNN_SCATTER_H
#define EVENTSNN_SCATTER_H

#include <math.h>
#include <stdint.h>

#include "eventsnn/_core/draw/cell.h"
#include "eventsnn/_core/solve/integers.h"

/* Kinds of weights. */
enum { EVENTSNN_SHARED, EVENTSNN_DOUBLES, EVENTSNN_FLOATS };
enum { EVENTSNN_D, EVENTSNN_U, EVENTSNN_X, EVENTSNN_STATE = 4 };
enum { EVENTSNN_PAD = 64, EVENTSNN_TOGETHER = 8 };
#define EVENTSNN_BIAS ((int64_t)1 << 62)

typedef struct {
    const void *target; /* counted from base; narrow: of 16 bits, else of 32 */
    int32_t base;
    int narrow;
    const double *weight;
    const float *weight32;
    double shared;
    double size;  /* the largest size of a weight */
    double alike; /* the most synapses on one neuron */
    int64_t n;
    double time;
    int32_t row;
    int port;
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

/* Target i, counted from the base. */
EVENTSNN_EACH int64_t eventsnn_place(const eventsnn_pulse *p, int narrow, int64_t i)
{
    return narrow ? (int64_t)((const uint16_t *)p->target)[i] : (int64_t)((const int32_t *)p->target)[i];
}

EVENTSNN_EACH int32_t eventsnn_target_of(const eventsnn_pulse *p, int64_t i)
{
    return p->base + (int32_t)eventsnn_place(p, p->narrow, i);
}

/* The largest weight, in size. */
EVENTSNN_EACH double eventsnn_larger(double size, double weight)
{
    return fabs(weight) > size ? fabs(weight) : size;
}

EVENTSNN_PERHAPS double eventsnn_largest(const eventsnn_pulse *p, int kind)
{
    double size[4] = {0.0, 0.0, 0.0, 0.0};
    const int64_t n = kind == EVENTSNN_SHARED ? 1 : p->n;
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            size[k] = eventsnn_larger(size[k], eventsnn_weight(p, kind, i + k));
    for (; i < n; i++)
        size[0] = eventsnn_larger(size[0], eventsnn_weight(p, kind, i));
    return eventsnn_larger(eventsnn_larger(size[0], size[1]), eventsnn_larger(size[2], size[3]));
}

/* ---- memory */

/* Fetch a slice, which lies anywhere in memory, before its turn comes. */
EVENTSNN_PERHAPS void eventsnn_fetch(const eventsnn_pulse *p, int kind)
{
    enum { LINE = 64 };
    const int64_t size = p->n * (int64_t)(p->narrow ? sizeof(uint16_t) : sizeof(int32_t));
    for (int64_t i = 0; i < size; i += LINE)
        EVENTSNN_FETCH((const char *)p->target + i);
    if (kind == EVENTSNN_DOUBLES)
        for (int64_t i = 0; i < p->n; i += LINE / (int64_t)sizeof(double))
            EVENTSNN_FETCH(p->weight + i);
    if (kind == EVENTSNN_FLOATS)
        for (int64_t i = 0; i < p->n; i += LINE / (int64_t)sizeof(float))
            EVENTSNN_FETCH(p->weight32 + i);
}

/* ---- additions
 *
 * Where a number of any of some targets is not negative afterwards, those are listed by their places in the slice: one of
 * some hundred. Those of one slice come at one time, so that what D is in between does not matter. */

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

/* Add what the n synapses from i on bring; returns the and of all numbers that this leaves. */
EVENTSNN_EACH int64_t eventsnn_add_some(
    const eventsnn_pulse *p, int narrow, int kind, int currents, int64_t i, int n, int64_t *state, int64_t *added)
{
    const int64_t stride = currents ? EVENTSNN_STATE : 1;
    int64_t all = -1;
    for (int k = 0; k < n; k++) {
        int64_t *s = state + eventsnn_place(p, narrow, i + k) * stride;
        if (kind != EVENTSNN_SHARED)
            eventsnn_find_added(p, kind, currents, i + k, added);
        for (int j = 0; j < stride; j++) {
            s[j] = eventsnn_sum(s[j], added[j]);
            all &= s[j];
        }
    }
    return all;
}

/* The numbers of a state, and-ed. */
EVENTSNN_EACH int64_t eventsnn_all_of(const int64_t *s, int64_t stride)
{
    return stride == 1 ? s[EVENTSNN_D] : s[EVENTSNN_D] & s[EVENTSNN_U] & s[EVENTSNN_X] & s[EVENTSNN_X + 1];
}

/* The synapses from i on, if m are listed already. */
EVENTSNN_EACH int64_t eventsnn_add_rest(
    const eventsnn_pulse *p, int narrow, int kind, int currents, int64_t i, int64_t *state, int32_t *listed, int64_t m)
{
    const int64_t n = p->n, stride = currents ? EVENTSNN_STATE : 1;
    int64_t added[EVENTSNN_STATE];
    if (kind == EVENTSNN_SHARED)
        eventsnn_find_added(p, kind, currents, 0, added);
    for (; i < n; i += EVENTSNN_TOGETHER) {
        const int some = n - i < EVENTSNN_TOGETHER ? (int)(n - i) : EVENTSNN_TOGETHER;
        const int64_t all = some == EVENTSNN_TOGETHER
            ? eventsnn_add_some(p, narrow, kind, currents, i, EVENTSNN_TOGETHER, state, added)
            : eventsnn_add_some(p, narrow, kind, currents, i, some, state, added);
        if (all >= 0) {
            for (int64_t k = i; k < i + some; k++) {
                listed[m] = (int32_t)k;
                m += eventsnn_all_of(state + eventsnn_place(p, narrow, k) * stride, stride) >= 0;
            }
        }
    }
    return m;
}

EVENTSNN_EACH int64_t eventsnn_add_each(
    const eventsnn_pulse *p, int narrow, int kind, int currents, int64_t *state, int32_t *listed)
{
    return eventsnn_add_rest(p, narrow, kind, currents, 0, state, listed, 0);
}

#ifdef EVENTSNN_VECTORS

/* List the synapses, of the eight from i on, that leave a number that is not negative. */
EVENTSNN_INLINE int64_t eventsnn_list_eight(
    const eventsnn_pulse *p, int narrow, int64_t stride, int64_t i, const int64_t *state, int32_t *listed)
{
    int64_t m = 0;
    for (int64_t k = i; k < i + EVENTSNN_TOGETHER; k++) {
        listed[m] = (int32_t)k;
        m += eventsnn_all_of(state + eventsnn_place(p, narrow, k) * stride, stride) >= 0;
    }
    return m;
}

/* A shared weight, to states with currents. */
EVENTSNN_AVX2 EVENTSNN_INLINE int64_t eventsnn_add_shared_avx2(
    const eventsnn_pulse *p, int narrow, int64_t *state, int32_t *listed)
{
    const __m256i added = _mm256_loadu_si256((const __m256i *)p->added);
    int64_t i = 0, m = 0;
    for (; i + EVENTSNN_TOGETHER <= p->n; i += EVENTSNN_TOGETHER) {
        __m256i all = _mm256_set1_epi64x(-1);
        for (int k = 0; k < EVENTSNN_TOGETHER; k++) {
            __m256i *s = (__m256i *)(state + eventsnn_place(p, narrow, i + k) * EVENTSNN_STATE);
            const __m256i sum = _mm256_add_epi64(_mm256_loadu_si256(s), added);
            _mm256_storeu_si256(s, sum);
            all = _mm256_and_si256(all, sum);
        }
        if (_mm256_movemask_pd(_mm256_castsi256_pd(all)) != 0xF)
            m += eventsnn_list_eight(p, narrow, EVENTSNN_STATE, i, state, listed + m);
    }
    return eventsnn_add_rest(p, narrow, EVENTSNN_SHARED, 1, i, state, listed, m);
}

EVENTSNN_AVX512 EVENTSNN_INLINE __m512d eventsnn_weights_avx512(const eventsnn_pulse *p, int kind, int64_t i)
{
    return kind == EVENTSNN_DOUBLES ? _mm512_loadu_pd(p->weight + i)
                                    : _mm512_cvtps_pd(_mm256_loadu_ps(p->weight32 + i));
}

/* A weight for each, to states with currents. */
EVENTSNN_AVX512 EVENTSNN_INLINE int64_t eventsnn_add_stored_avx512(
    const eventsnn_pulse *p, int narrow, int kind, int64_t *state, int32_t *listed)
{
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    static const int place[EVENTSNN_TOGETHER] = {0, 4, 1, 5, 2, 6, 3, 7};
    int64_t i = 0, m = 0;
    for (; i + EVENTSNN_TOGETHER <= p->n; i += EVENTSNN_TOGETHER) {
        __m256i added[EVENTSNN_TOGETHER], all = _mm256_set1_epi64x(-1);
        const __m512d w = eventsnn_weights_avx512(p, kind, i);
        const __mmask8 negative = _mm512_cmp_pd_mask(w, _mm512_setzero_pd(), _CMP_LT_OQ);
        const __m512d of_d = _mm512_mask_blend_pd(negative, _mm512_set1_pd(p->d[0]), _mm512_set1_pd(p->d[1]));
        const __m512d of_u = _mm512_mask_blend_pd(negative, _mm512_set1_pd(p->u[0]), _mm512_set1_pd(p->u[1]));
        const __m512d of_x = _mm512_mask_blend_pd(negative, _mm512_set1_pd(p->x[0]), _mm512_set1_pd(p->x[1]));
        const __mmask8 to_second = (__mmask8)((p->slot[0] ? ~negative : 0) | (p->slot[1] ? negative : 0));
        const __m512i d = _mm512_add_epi64(_mm512_cvtpd_epi64(w * of_d), _mm512_set1_epi64(EVENTSNN_PAD));
        const __m512i u = _mm512_cvtpd_epi64(w * of_u), x = _mm512_cvtpd_epi64(w * of_x);
        const __m512i x0 = _mm512_maskz_mov_epi64((__mmask8)~to_second, x), x1 = _mm512_maskz_mov_epi64(to_second, x);
        const __m512i du = _mm512_unpacklo_epi64(d, u), xx = _mm512_unpacklo_epi64(x0, x1);
        const __m512i du1 = _mm512_unpackhi_epi64(d, u), xx1 = _mm512_unpackhi_epi64(x0, x1);
        _mm512_storeu_si512(added, _mm512_permutex2var_epi64(du, first, xx));
        _mm512_storeu_si512(added + 2, _mm512_permutex2var_epi64(du, second, xx));
        _mm512_storeu_si512(added + 4, _mm512_permutex2var_epi64(du1, first, xx1));
        _mm512_storeu_si512(added + 6, _mm512_permutex2var_epi64(du1, second, xx1));
        for (int k = 0; k < EVENTSNN_TOGETHER; k++) {
            __m256i *s = (__m256i *)(state + eventsnn_place(p, narrow, i + k) * EVENTSNN_STATE);
            const __m256i sum = _mm256_add_epi64(_mm256_loadu_si256(s), added[place[k]]);
            _mm256_storeu_si256(s, sum);
            all = _mm256_and_si256(all, sum);
        }
        if (_mm256_movemask_pd(_mm256_castsi256_pd(all)) != 0xF)
            m += eventsnn_list_eight(p, narrow, EVENTSNN_STATE, i, state, listed + m);
    }
    return eventsnn_add_rest(p, narrow, kind, 1, i, state, listed, m);
}

/* A weight for each, without currents. */
EVENTSNN_AVX512 EVENTSNN_INLINE int64_t eventsnn_add_jumps_avx512(
    const eventsnn_pulse *p, int narrow, int kind, int64_t *state, int32_t *listed)
{
    const __m512d of_u = _mm512_set1_pd(p->u[0]);
    int64_t i = 0, m = 0;
    for (; i + EVENTSNN_TOGETHER <= p->n; i += EVENTSNN_TOGETHER) {
        int64_t added[EVENTSNN_TOGETHER], all = -1;
        _mm512_storeu_si512(added, _mm512_cvtpd_epi64(eventsnn_weights_avx512(p, kind, i) * of_u));
        for (int k = 0; k < EVENTSNN_TOGETHER; k++) {
            int64_t *s = state + eventsnn_place(p, narrow, i + k);
            *s = eventsnn_sum(*s, added[k]);
            all &= *s;
        }
        if (all >= 0)
            m += eventsnn_list_eight(p, narrow, 1, i, state, listed + m);
    }
    return eventsnn_add_rest(p, narrow, kind, 0, i, state, listed, m);
}

/* Each compiled for both widths of targets. */
EVENTSNN_AVX2 static int64_t eventsnn_add_shared_any(const eventsnn_pulse *p, int64_t *state, int32_t *listed)
{
    return p->narrow ? eventsnn_add_shared_avx2(p, 1, state, listed) : eventsnn_add_shared_avx2(p, 0, state, listed);
}

EVENTSNN_AVX512 EVENTSNN_INLINE int64_t eventsnn_add_avx512(
    const eventsnn_pulse *p, int narrow, int kind, int currents, int64_t *state, int32_t *listed)
{
    return currents ? eventsnn_add_stored_avx512(p, narrow, kind, state, listed)
                    : eventsnn_add_jumps_avx512(p, narrow, kind, state, listed);
}

EVENTSNN_AVX512 static int64_t eventsnn_add_doubles_avx512(
    const eventsnn_pulse *p, int currents, int64_t *state, int32_t *listed)
{
    return p->narrow ? eventsnn_add_avx512(p, 1, EVENTSNN_DOUBLES, currents, state, listed)
                     : eventsnn_add_avx512(p, 0, EVENTSNN_DOUBLES, currents, state, listed);
}

EVENTSNN_AVX512 static int64_t eventsnn_add_floats_avx512(
    const eventsnn_pulse *p, int currents, int64_t *state, int32_t *listed)
{
    return p->narrow ? eventsnn_add_avx512(p, 1, EVENTSNN_FLOATS, currents, state, listed)
                     : eventsnn_add_avx512(p, 0, EVENTSNN_FLOATS, currents, state, listed);
}

#endif

EVENTSNN_EACH int64_t eventsnn_add_kind(
    const eventsnn_pulse *p, int narrow, int currents, int kind, int64_t *state, int32_t *listed)
{
    if (kind == EVENTSNN_SHARED)
        return eventsnn_add_each(p, narrow, EVENTSNN_SHARED, currents, state, listed);
    if (kind == EVENTSNN_DOUBLES)
        return eventsnn_add_each(p, narrow, EVENTSNN_DOUBLES, currents, state, listed);
    return eventsnn_add_each(p, narrow, EVENTSNN_FLOATS, currents, state, listed);
}

/* Each chosen once for a slice. */
EVENTSNN_PERHAPS int64_t eventsnn_add_slice(
    int lanes, const eventsnn_pulse *p, int kind, int currents, int64_t *state, int32_t *listed)
{
    state += p->base * (int64_t)(currents ? EVENTSNN_STATE : 1);
#ifdef EVENTSNN_VECTORS
    if (lanes == 8 && kind == EVENTSNN_DOUBLES)
        return eventsnn_add_doubles_avx512(p, currents, state, listed);
    if (lanes == 8 && kind == EVENTSNN_FLOATS)
        return eventsnn_add_floats_avx512(p, currents, state, listed);
    if (lanes >= 4 && kind == EVENTSNN_SHARED && currents)
        return eventsnn_add_shared_any(p, state, listed);
#endif
    (void)lanes;
    if (currents)
        return p->narrow ? eventsnn_add_kind(p, 1, 1, kind, state, listed)
                         : eventsnn_add_kind(p, 0, 1, kind, state, listed);
    return p->narrow ? eventsnn_add_kind(p, 1, 0, kind, state, listed)
                     : eventsnn_add_kind(p, 0, 0, kind, state, listed);
}

#endif
