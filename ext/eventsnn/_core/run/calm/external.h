/* eventsnn_draw_sums: the external input of some blocks of a group, summed for each neuron.
 *
 * Streams c0, ..., c0 + n - 1 have a Poisson cell each, as in cell.h. A spike at t adds to U the nearest integer of
 * weight (scale exp((t - origin) rate)), and to X of a current the same with the constants of the current. Up to four
 * parts of the cell, [edge[k], edge[k + 1]), are summed separately: part k of stream c0 + i goes to u[k stride + i] and
 * x[k stride + i], and the number of spikes of all streams to spikes[k]. Sums of integers have no order, so nothing is
 * sorted.
 *
 * Streams whose cell holds too many spikes for the table of cell.h have sums of 0. Their places are listed in `full`, and
 * their number is returned. With vectors of eight, each lane has a stream: the blocks of the generator come one after the
 * other, as many as the fullest of the eight cells needs.
 */

#ifndef EVENTSNN_EXTERNAL_H
#define EVENTSNN_EXTERNAL_H

#include "eventsnn/_core/draw/growth.h"
#include "eventsnn/_core/solve/integers.h"

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

/* What the spikes of one stream add; `factor` and `x_factor` are their exponentials. */
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
EVENTSNN_PERHAPS int eventsnn_draw_sums_of(int lanes, eventsnn_cells *p, int64_t first, int64_t n, int32_t *full)
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

/* Two vectors of eight streams each: while one waits for a product, the other goes on. Of so many streams those stand
 * together that have as many spikes, so that hardly any lane is idle while others still draw. */
enum { EVENTSNN_STREAMS = 16, EVENTSNN_SORTED = 16 * EVENTSNN_STREAMS };

typedef struct {
    double second[EVENTSNN_SORTED]; /* the second number of the generator's first block, which is that of the first time */
    uint8_t count[EVENTSNN_SORTED];
    int32_t order[EVENTSNN_SORTED];
} eventsnn_counted;

/* For each part the sums over it and all later parts. */
typedef struct {
    __m512i place, count, u[EVENTSNN_PARTS], x[EVENTSNN_PARTS], spikes[EVENTSNN_PARTS];
    __mmask8 valid;
    int most;
} eventsnn_eight_streams;

EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_add_spikes(
    const eventsnn_cells *p, eventsnn_eight_streams *s, __m512d uniform, int k, int parts, int current)
{
    __mmask8 wanted = _mm512_cmpgt_epi64_mask(s->count, _mm512_set1_epi64(k));
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

/* Block `block` of the generator for both, which lie at these places behind stream c0. */
EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_uniforms_of_streams(
    const eventsnn_cells *p, __m512i one_place, __m512i other_place, uint32_t block, __m512d *first, __m512d *second)
{
    const __m512i m0 = _mm512_set1_epi64(EVENTSNN_M0), m1 = _mm512_set1_epi64(EVENTSNN_M1);
    uint32_t k0 = (uint32_t)p->key, k1 = (uint32_t)(p->key >> 32);
    __m512i x0[2], x1[2], x2[2], x3[2];
    for (int g = 0; g < 2; g++) {
        x0[g] = _mm512_add_epi64(_mm512_set1_epi64(p->c0), g ? other_place : one_place);
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

/* How many spikes the streams from i on have. */
EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_count_spikes(
    const eventsnn_cells *p, int64_t i, int n, eventsnn_counted *c)
{
    const __m512i eight = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    for (int at = 0; at < n; at += EVENTSNN_STREAMS) {
        const __m512i place = _mm512_add_epi64(eight, _mm512_set1_epi64(i + at));
        __m512d first[2], second[2];
        eventsnn_uniforms_of_streams(p, place, _mm512_add_epi64(place, _mm512_set1_epi64(8)), 0, first, second);
        for (int g = 0; g < 2; g++) {
            __m512i count = _mm512_setzero_si512();
            for (int k = 1; k <= EVENTSNN_FULL; k++) {
                const __mmask8 reached = _mm512_cmp_pd_mask(first[g], _mm512_set1_pd(p->least[k]), _CMP_GE_OQ);
                if (!reached)
                    break;
                count = _mm512_mask_add_epi64(count, reached, count, _mm512_set1_epi64(1));
            }
            _mm512_storeu_pd(c->second + at + 8 * g, second[g]);
            _mm_storel_epi64((__m128i *)(c->count + at + 8 * g), _mm512_cvtepi64_epi8(count));
        }
    }
}

/* Sort their places by how many these are; how many streams there are to draw from: the others are full. */
static inline int eventsnn_sort_streams(int n, eventsnn_counted *c)
{
    int begin[EVENTSNN_FULL + 2] = {0};
    for (int k = 0; k < n; k++)
        begin[c->count[k] + 1]++;
    for (int k = 1; k <= EVENTSNN_FULL; k++)
        begin[k] += begin[k - 1];
    for (int k = 0; k < n; k++)
        c->order[begin[c->count[k]]++] = k;
    return begin[EVENTSNN_FULL - 1];
}

/* Begin with the streams at so many places of the order. */
EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_begin_streams(
    const eventsnn_counted *c, int at, int left, int parts, eventsnn_eight_streams *s, __m512d *second)
{
    const __mmask8 valid = left >= 8 ? 0xFF : left > 0 ? (__mmask8)((1u << left) - 1u) : 0;
    const __m256i place = _mm256_maskz_loadu_epi32(valid, c->order + at);
    s->valid = valid;
    s->place = _mm512_cvtepi32_epi64(place);
    s->count = _mm512_setzero_si512();
    s->most = left > 0 ? c->count[c->order[at + (left < 8 ? left : 8) - 1]] : 0;
    if (s->most > 0) {
        const __m256i counts = _mm256_i32gather_epi32((const int *)(const void *)c->count, place, 1);
        s->count = _mm512_maskz_cvtepi32_epi64(valid, _mm256_and_si256(counts, _mm256_set1_epi32(0xFF)));
        *second = _mm512_i32gather_pd(place, c->second, sizeof(double));
    }
    for (int part = 0; part < parts; part++)
        s->u[part] = s->x[part] = s->spikes[part] = _mm512_setzero_si512();
}

/* Keep what they bring. */
EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_end_streams(
    const eventsnn_cells *p, int64_t i, int parts, int current, eventsnn_eight_streams *s, __m512i *spikes)
{
    for (int part = 0; part < parts; part++) {
        int64_t *u = p->u + part * p->stride + i, *x = p->x + part * p->stride + i;
        if (part + 1 < parts) {
            s->u[part] = _mm512_sub_epi64(s->u[part], s->u[part + 1]);
            s->x[part] = _mm512_sub_epi64(s->x[part], s->x[part + 1]);
            s->spikes[part] = _mm512_sub_epi64(s->spikes[part], s->spikes[part + 1]);
        }
        _mm512_mask_i64scatter_epi64(u, s->valid, s->place, s->u[part], sizeof(int64_t));
        if (current)
            _mm512_mask_i64scatter_epi64(x, s->valid, s->place, s->x[part], sizeof(int64_t));
        spikes[part] = _mm512_add_epi64(spikes[part], s->spikes[part]);
    }
}

/* The streams from i on, of which n are there. */
EVENTSNN_AVX512 EVENTSNN_INLINE int eventsnn_draw_streams(
    eventsnn_cells *p, int64_t i, int n, int parts, int current, __m512i *spikes, int32_t *full)
{
    eventsnn_counted c;
    int drawn, m = 0;
    eventsnn_count_spikes(p, i, n, &c);
    drawn = eventsnn_sort_streams(n, &c);
    for (int at = 0; at < n; at += EVENTSNN_STREAMS) {
        const int left = drawn > at ? drawn - at : 0;
        eventsnn_eight_streams s[2];
        /* Neither is read before it is drawn, which gcc does not see. */
        __m512d first[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()}, second[2] = {first[0], first[0]};
        int most;
        for (int g = 0; g < 2; g++)
            eventsnn_begin_streams(&c, at + 8 * g, left - 8 * g, parts, &s[g], &second[g]);
        most = s[1].most > s[0].most ? s[1].most : s[0].most;
        for (int k = 0; k < most; k++) {
            if (k & 1)
                eventsnn_uniforms_of_streams(
                    p, _mm512_add_epi64(s[0].place, _mm512_set1_epi64(i)),
                    _mm512_add_epi64(s[1].place, _mm512_set1_epi64(i)), (uint32_t)(k + 1) / 2, first, second);
            for (int g = 0; g < 2; g++)
                if (k < s[g].most)
                    eventsnn_add_spikes(p, &s[g], k & 1 ? first[g] : second[g], k, parts, current);
        }
        for (int g = 0; g < 2; g++)
            eventsnn_end_streams(p, i, parts, current, &s[g], spikes);
    }
    for (int k = drawn; k < n; k++) {
        full[m++] = (int32_t)i + c.order[k];
        for (int part = 0; part < parts; part++) {
            p->u[part * p->stride + i + c.order[k]] = 0;
            if (current)
                p->x[part * p->stride + i + c.order[k]] = 0;
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
        for (int64_t i = 0; i < n; i += EVENTSNN_SORTED) {                                                             \
            const int some = n - i < EVENTSNN_SORTED ? (int)(n - i) : EVENTSNN_SORTED;                                 \
            m += eventsnn_draw_streams(p, i, some, PARTS, CURRENT, spikes, full + m);                                  \
        }                                                                                                              \
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

EVENTSNN_PERHAPS int eventsnn_draw_sums(int lanes, eventsnn_cells *p, int64_t n, int32_t *full)
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
