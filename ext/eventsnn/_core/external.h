/* The external input of a block of a group, summed for each neuron: eventsnn_draw_sums.
 *
 * Streams c0, ..., c0 + n - 1 have a Poisson cell each, as in cell.h. What a spike at t adds to U is the nearest integer of
 * weight (scale exp((t - origin) rate)), to X of a current the same with what is the current's. Of the cell up to four
 * parts, [edge[k], edge[k + 1]), are summed each by itself: u[k stride + i], x[k stride + i] for stream c0 + i, and all
 * their spikes in spikes[k]. Sums of integers have no order, so that nothing is sorted.
 *
 * Places of streams whose cell holds too many spikes for the table of cell.h are listed in `full`, and returned is how
 * many; their sums are 0. There, and with a vector of eight only, is a stream in each lane: the blocks of the generator
 * come one after the other, as many as the fullest of the eight cells needs.
 */

#ifndef EVENTSNN_EXTERNAL_H
#define EVENTSNN_EXTERNAL_H

#include "growth.h"
#include "integers.h"

enum { EVENTSNN_PARTS = 4, EVENTSNN_FULL = 15 };

typedef struct {
    uint64_t key;
    uint32_t c0, c1, c2;
    const double *least;
    double start, width, last;
    double edge[EVENTSNN_PARTS + 1];
    int parts;
    int whole;   /* all times of the cell lie in them */
    int current; /* the input is that of a current */
    double weight, scale, origin, rate;
    double x_scale, x_origin, x_rate;
    int64_t stride, *u, *x;
    int64_t spikes[EVENTSNN_PARTS];
} eventsnn_cells;

/* What the spikes of one stream add, of which `factor` and `x_factor` are the exponentials. */
static inline void eventsnn_sum_spikes(
    eventsnn_cells *p, int64_t i, int64_t n, const double *time, const double *factor, const double *x_factor)
{
    for (int part = 0; part < p->parts; part++) {
        int64_t u = 0, x = 0, spikes = 0;
        for (int64_t k = 0; k < n; k++) {
            if (!(p->edge[part] <= time[k] && time[k] < p->edge[part + 1]))
                continue;
            u = eventsnn_sum(u, eventsnn_nearest(p->weight * (p->scale * factor[k])));
            if (p->current)
                x = eventsnn_sum(x, eventsnn_nearest(p->weight * (p->x_scale * x_factor[k])));
            spikes++;
        }
        p->u[part * p->stride + i] = u;
        if (p->current)
            p->x[part * p->stride + i] = x;
        p->spikes[part] += spikes;
    }
}

/* Some streams one after the other. */
static int eventsnn_draw_sums_of(int lanes, eventsnn_cells *p, int64_t first, int64_t n, int32_t *full)
{
    enum { SOME = 32, ROOM = 14 * SOME + 16 };
    double times[ROOM], factors[ROOM], x_factors[ROOM];
    int counts[SOME], m = 0;
    for (int64_t i = first; i < first + n; i += SOME) {
        const int some = first + n - i < SOME ? (int)(first + n - i) : SOME;
        int64_t at = 0;
        int64_t spikes = 0;
        for (int k = 0; k < some; k++) {
            counts[k] = eventsnn_cell(
                lanes, p->key, p->c0 + (uint32_t)(i + k), p->c1, p->c2, 0, p->least, p->start, p->width, p->last,
                times + spikes);
            spikes += counts[k] == EVENTSNN_FULL ? 0 : counts[k];
        }
        eventsnn_growth(lanes, spikes, times, p->origin, p->rate, factors);
        if (p->current)
            eventsnn_growth(lanes, spikes, times, p->x_origin, p->x_rate, x_factors);
        for (int k = 0; k < some; k++) {
            const int count = counts[k] == EVENTSNN_FULL ? 0 : counts[k];
            if (counts[k] == EVENTSNN_FULL)
                full[m++] = (int32_t)(i + k);
            eventsnn_sum_spikes(p, i + k, count, times + at, factors + at, x_factors + at);
            at += count;
        }
    }
    return m;
}

#ifdef EVENTSNN_VECTORS

/* Two vectors of eight streams each: while one waits for a product, the other goes on. */
enum { EVENTSNN_STREAMS = 16 };

/* Of each part the sums of what comes in it or later. */
typedef struct {
    __m512i count, u[EVENTSNN_PARTS], x[EVENTSNN_PARTS], spikes[EVENTSNN_PARTS];
    __mmask8 valid;
    int most;
} eventsnn_eight_streams;

EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_add_spikes(
    const eventsnn_cells *p, eventsnn_eight_streams *s, __m512d uniform, int k, int parts, int current)
{
    __mmask8 wanted = _mm512_mask_cmpgt_epi64_mask(s->valid, s->count, _mm512_set1_epi64(k));
    const __m512d sum = _mm512_add_pd(_mm512_set1_pd(p->start), _mm512_mul_pd(_mm512_set1_pd(p->width), uniform));
    const __m512d time = _mm512_min_pd(sum, _mm512_set1_pd(p->last));
    const __m512i u = _mm512_cvtpd_epi64(p->weight * (p->scale * eventsnn_exp_avx512((time - p->origin) * p->rate)));
    const __m512i one = _mm512_set1_epi64(1);
    __m512i x = u;
    if (current)
        x = _mm512_cvtpd_epi64(p->weight * (p->x_scale * eventsnn_exp_avx512((time - p->x_origin) * p->x_rate)));
    if (!p->whole) {
        wanted = _mm512_mask_cmp_pd_mask(wanted, time, _mm512_set1_pd(p->edge[0]), _CMP_GE_OQ);
        wanted = _mm512_mask_cmp_pd_mask(wanted, time, _mm512_set1_pd(p->edge[p->parts]), _CMP_LT_OQ);
    }
    for (int part = 0; part < parts; part++) {
        if (part > 0)
            wanted = _mm512_mask_cmp_pd_mask(wanted, time, _mm512_set1_pd(p->edge[part]), _CMP_GE_OQ);
        s->u[part] = _mm512_mask_add_epi64(s->u[part], wanted, s->u[part], u);
        if (current)
            s->x[part] = _mm512_mask_add_epi64(s->x[part], wanted, s->x[part], x);
        s->spikes[part] = _mm512_mask_add_epi64(s->spikes[part], wanted, s->spikes[part], one);
    }
}

/* Block `block` of the generator for both. */
EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_uniforms_of_streams(
    const eventsnn_cells *p, int64_t i, uint32_t block, __m512d *first, __m512d *second)
{
    const __m512i m0 = _mm512_set1_epi64(EVENTSNN_M0), m1 = _mm512_set1_epi64(EVENTSNN_M1);
    const __m512i eight = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    uint32_t k0 = (uint32_t)p->key, k1 = (uint32_t)(p->key >> 32);
    __m512i x0[2], x1[2], x2[2], x3[2];
    for (int g = 0; g < 2; g++) {
        x0[g] = _mm512_add_epi64(_mm512_set1_epi64((int64_t)(p->c0 + (uint32_t)i + 8 * (uint32_t)g)), eight);
        x1[g] = _mm512_set1_epi64(p->c1);
        x2[g] = _mm512_set1_epi64(p->c2);
        x3[g] = _mm512_set1_epi64(block);
    }
#if !defined(__clang__)
#pragma GCC unroll 10
#endif
    for (int step = 0; step < 10; step++) {
        const __m512i one = _mm512_set1_epi64(k0), other = _mm512_set1_epi64(k1);
        for (int g = 0; g < 2; g++) {
            const __m512i product0 = _mm512_mul_epu32(x0[g], m0), product1 = _mm512_mul_epu32(x2[g], m1);
            x0[g] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product1, 32), x1[g], one, EVENTSNN_XOR_OF_THREE);
            x1[g] = product1;
            x2[g] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product0, 32), x3[g], other, EVENTSNN_XOR_OF_THREE);
            x3[g] = product0;
        }
        k0 += EVENTSNN_W0;
        k1 += EVENTSNN_W1;
    }
    for (int g = 0; g < 2; g++) {
        first[g] = eventsnn_uniform53_avx512(x0[g], x1[g]);
        second[g] = eventsnn_uniform53_avx512(x2[g], x3[g]);
    }
}

/* The streams from i on, of which `left` are there. */
EVENTSNN_AVX512 EVENTSNN_INLINE int eventsnn_draw_streams(
    eventsnn_cells *p, int64_t i, int64_t left, int parts, int current, __m512i *spikes, int32_t *full)
{
    eventsnn_eight_streams s[2];
    __m512d first[2], second[2];
    int most = 0, m = 0;
    eventsnn_uniforms_of_streams(p, i, 0, first, second);
    for (int g = 0; g < 2; g++) {
        __mmask8 reached, over;
        int k = 1;
        s[g].valid = left >= 8 * g + 8 ? 0xFF : left > 8 * g ? (__mmask8)((1u << (left - 8 * g)) - 1u) : 0;
        s[g].count = _mm512_setzero_si512();
        for (; k <= EVENTSNN_FULL; k++) {
            reached = _mm512_cmp_pd_mask(first[g], _mm512_set1_pd(p->least[k]), _CMP_GE_OQ);
            if (!reached)
                break;
            s[g].count = _mm512_mask_add_epi64(s[g].count, reached, s[g].count, _mm512_set1_epi64(1));
        }
        over = _mm512_mask_cmpge_epi64_mask(s[g].valid, s[g].count, _mm512_set1_epi64(EVENTSNN_FULL));
        s[g].valid &= (__mmask8)~over;
        for (; over; over &= (__mmask8)(over - 1))
            full[m++] = (int32_t)(i + 8 * g + eventsnn_lowest_bit(over));
        s[g].most = k - 1 < EVENTSNN_FULL ? k - 1 : EVENTSNN_FULL - 1;
        most = s[g].most > most ? s[g].most : most;
        for (int part = 0; part < parts; part++)
            s[g].u[part] = s[g].x[part] = s[g].spikes[part] = _mm512_setzero_si512();
    }
    for (int k = 0; k < most; k++) {
        if (k & 1)
            eventsnn_uniforms_of_streams(p, i, (uint32_t)(k + 1) / 2, first, second);
        for (int g = 0; g < 2; g++)
            if (k < s[g].most)
                eventsnn_add_spikes(p, &s[g], k & 1 ? first[g] : second[g], k, parts, current);
    }
    for (int g = 0; g < 2; g++) {
        const int64_t at = i + 8 * g;
        const __mmask8 here = left >= 8 * g + 8 ? 0xFF : left > 8 * g ? (__mmask8)((1u << (left - 8 * g)) - 1u) : 0;
        for (int part = 0; here && part < parts; part++) {
            if (part + 1 < parts) {
                s[g].u[part] = _mm512_sub_epi64(s[g].u[part], s[g].u[part + 1]);
                s[g].x[part] = _mm512_sub_epi64(s[g].x[part], s[g].x[part + 1]);
                s[g].spikes[part] = _mm512_sub_epi64(s[g].spikes[part], s[g].spikes[part + 1]);
            }
            _mm512_mask_storeu_epi64(p->u + part * p->stride + at, here, s[g].u[part]);
            if (current)
                _mm512_mask_storeu_epi64(p->x + part * p->stride + at, here, s[g].x[part]);
            spikes[part] = _mm512_add_epi64(spikes[part], s[g].spikes[part]);
        }
    }
    return m;
}

#define EVENTSNN_DRAW_SUMS(NAME, PARTS, CURRENT)                                                                       \
    EVENTSNN_AVX512 static int NAME(eventsnn_cells *p, int64_t n, int32_t *full)                                       \
    {                                                                                                                  \
        int m = 0;                                                                                                     \
        __m512i spikes[EVENTSNN_PARTS];                                                                                \
        for (int part = 0; part < EVENTSNN_PARTS; part++)                                                              \
            spikes[part] = _mm512_setzero_si512();                                                                     \
        for (int64_t i = 0; i < n; i += EVENTSNN_STREAMS)                                                              \
            m += eventsnn_draw_streams(p, i, n - i, PARTS, CURRENT, spikes, full + m);                                 \
        for (int part = 0; part < EVENTSNN_PARTS; part++)                                                              \
            p->spikes[part] += _mm512_reduce_add_epi64(spikes[part]);                                                  \
        return m;                                                                                                      \
    }

EVENTSNN_DRAW_SUMS(eventsnn_draw_jumps_1, 1, 0)
EVENTSNN_DRAW_SUMS(eventsnn_draw_jumps_2, 2, 0)
EVENTSNN_DRAW_SUMS(eventsnn_draw_jumps_4, 4, 0)
EVENTSNN_DRAW_SUMS(eventsnn_draw_currents_1, 1, 1)
EVENTSNN_DRAW_SUMS(eventsnn_draw_currents_2, 2, 1)
EVENTSNN_DRAW_SUMS(eventsnn_draw_currents_4, 4, 1)

static int eventsnn_draw_sums(int lanes, eventsnn_cells *p, int64_t n, int32_t *full)
{
    if (lanes != 8)
        return eventsnn_draw_sums_of(lanes, p, 0, n, full);
    if (p->current)
        return p->parts == 1 ? eventsnn_draw_currents_1(p, n, full)
            : p->parts == 2  ? eventsnn_draw_currents_2(p, n, full)
                             : eventsnn_draw_currents_4(p, n, full);
    return p->parts == 1 ? eventsnn_draw_jumps_1(p, n, full)
        : p->parts == 2  ? eventsnn_draw_jumps_2(p, n, full)
                         : eventsnn_draw_jumps_4(p, n, full);
}

#else

#define eventsnn_draw_sums(lanes, p, n, full) eventsnn_draw_sums_of(lanes, p, 0, n, full)

#endif

#endif
