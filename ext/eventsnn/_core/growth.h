/* The spikes of Poisson cells together with how much a frame's unit has grown by then, exp((time - origin) * rate).
 *
 * eventsnn_growth(lanes, n, time, origin, rate, out): that factor for n times, however many.
 * eventsnn_cell_growth(lanes, key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors,
 *     second_rate, second_factors): eventsnn_cell, and the factors of its times for one rate or for two. Without a
 *     second one, second_factors is NULL. All three arrays have room for 16.
 * eventsnn_cells_growth(lanes, n, counts, ...): the same for the streams c0, ..., c0 + n - 1; returns the number of
 *     spikes. Stream c0 + k has counts[k]; those of one stream follow those of the other in `times`, and so do their
 *     factors. All three arrays have room for 14 n + 16. A count of 15 says that this cell must be drawn in another
 *     way: nothing is there of it.
 *
 * |(time - origin) * rate| must be below 700. The exponential is that of mathfunc.pxd, where its design stands: the
 * same operations in the same order, written once and compiled for one number, for four and for eight. So all have its
 * bits. Numbers behind the last spike of a cell are inf and become nan, which takes no longer than others do.
 *
 * Many cells at once cost less than one after the other, by three things. Vectors of eight hold the blocks of two
 * streams, so that none are drawn that few cells need. Each step is done for a group of streams before the next one: a
 * processor looks ahead about as far as one cell is long, and would wait for its long chain of steps. And the
 * exponentials of all spikes stand side by side, without gaps.
 */

#ifndef EVENTSNN_GROWTH_H
#define EVENTSNN_GROWTH_H

#include <stddef.h>
#include <string.h>

#include "cell.h"

/* NUMBER: double or a vector of it. What adding the shift leaves in the lowest bits is n, in twos complement. */
#define EVENTSNN_DEFINE_EXP(NAME, ATTRIBUTES, NUMBER, BITS)                                                            \
    ATTRIBUTES NUMBER NAME(NUMBER x)                                                                                   \
    {                                                                                                                  \
        NUMBER shifted = x * 1.4426950408889634 + 6755399441055744.0;                                                  \
        NUMBER n = shifted - 6755399441055744.0;                                                                       \
        NUMBER above = x - n * 0.6931471805598903;                                                                     \
        NUMBER below = n * 5.497923018708371e-14;                                                                      \
        NUMBER r = above - below;                                                                                      \
        NUMBER error = (above - r) - below;                                                                            \
        NUMBER r2 = r * r;                                                                                             \
        NUMBER r4 = r2 * r2;                                                                                           \
        NUMBER terms_3_to_6 = (1.0 / 6.0 + r * (1.0 / 24.0)) + r2 * (1.0 / 120.0 + r * (1.0 / 720.0));                 \
        NUMBER terms_7_to_10 =                                                                                         \
            (1.0 / 5040.0 + r * (1.0 / 40320.0)) + r2 * (1.0 / 362880.0 + r * (1.0 / 3628800.0));                      \
        NUMBER terms_11_to_13 = (1.0 / 39916800.0 + r * (1.0 / 479001600.0)) + r2 * (1.0 / 6227020800.0);              \
        NUMBER cubic = (r * r2) * ((terms_3_to_6 + r4 * terms_7_to_10) + (r4 * r4) * terms_11_to_13);                  \
        NUMBER high = 1.0 + r;                                                                                         \
        NUMBER result = high + ((((1.0 - high) + r) + error * high) + (0.5 * r2 + cubic));                             \
        BITS result_bits, power;                                                                                       \
        memcpy(&result_bits, &result, sizeof(result));                                                                 \
        memcpy(&power, &shifted, sizeof(shifted));                                                                     \
        result_bits += power << 52;                                                                                    \
        memcpy(&result, &result_bits, sizeof(result));                                                                 \
        return result;                                                                                                 \
    }

EVENTSNN_DEFINE_EXP(eventsnn_exp_plain, static inline, double, uint64_t)

static inline void eventsnn_growth_plain(int64_t n, const double *time, double origin, double rate, double *out)
{
    for (int64_t k = 0; k < n; k++)
        out[k] = eventsnn_exp_plain((time[k] - origin) * rate);
}

static inline int eventsnn_cell_growth_plain(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start, double width,
    double last, double *times, double origin, double rate, double *factors, double second_rate,
    double *second_factors)
{
    int count = eventsnn_cell_plain(key, c0, c1, c2, c3, least, start, width, last, times);
    if (count == 15)
        return count;
    eventsnn_growth_plain(count, times, origin, rate, factors);
    if (second_factors)
        eventsnn_growth_plain(count, times, origin, second_rate, second_factors);
    return count;
}

static inline int64_t eventsnn_cells_growth_plain(
    int n, int *counts, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least,
    double start, double width, double last, double *times, double origin, double rate, double *factors,
    double second_rate, double *second_factors)
{
    int64_t spikes = 0;
    for (int k = 0; k < n; k++) {
        counts[k] = eventsnn_cell_plain(
            key, c0 + (uint32_t)k, c1, c2, c3, least, start, width, last, times + spikes);
        spikes += counts[k] < 15 ? counts[k] : 0;
    }
    eventsnn_growth_plain(spikes, times, origin, rate, factors);
    if (second_factors)
        eventsnn_growth_plain(spikes, times, origin, second_rate, second_factors);
    return spikes;
}

#ifdef EVENTSNN_AVX2

typedef uint64_t eventsnn_bits4 __attribute__((vector_size(32)));
typedef uint64_t eventsnn_bits8 __attribute__((vector_size(64)));

EVENTSNN_DEFINE_EXP(eventsnn_exp_avx2, EVENTSNN_AVX2 EVENTSNN_INLINE, __m256d, eventsnn_bits4)
EVENTSNN_DEFINE_EXP(eventsnn_exp_avx512, EVENTSNN_AVX512 EVENTSNN_INLINE, __m512d, eventsnn_bits8)

/* How many streams do each step before the next. */
#define EVENTSNN_GROUP 32

EVENTSNN_AVX2 EVENTSNN_INLINE __m256d eventsnn_factors_avx2(__m256d time, double origin, double rate)
{
    return eventsnn_exp_avx2((time - origin) * rate);
}

EVENTSNN_AVX512 EVENTSNN_INLINE __m512d eventsnn_factors_avx512(__m512d time, double origin, double rate)
{
    return eventsnn_exp_avx512((time - origin) * rate);
}

EVENTSNN_AVX2 static void eventsnn_growth_avx2(int64_t n, const double *time, double origin, double rate, double *out)
{
    int64_t k = 0;
    for (; k + 4 <= n; k += 4)
        _mm256_storeu_pd(out + k, eventsnn_factors_avx2(_mm256_loadu_pd(time + k), origin, rate));
    if (k < n) {
        double some[4] = {origin, origin, origin, origin};
        memcpy(some, time + k, (size_t)(n - k) * sizeof(double));
        _mm256_storeu_pd(some, eventsnn_factors_avx2(_mm256_loadu_pd(some), origin, rate));
        memcpy(out + k, some, (size_t)(n - k) * sizeof(double));
    }
}

EVENTSNN_AVX512 static void eventsnn_growth_avx512(
    int64_t n, const double *time, double origin, double rate, double *out)
{
    int64_t k = 0;
    for (; k + 8 <= n; k += 8)
        _mm512_storeu_pd(out + k, eventsnn_factors_avx512(_mm512_loadu_pd(time + k), origin, rate));
    if (k < n) {
        __mmask8 wanted = (__mmask8)((1u << (n - k)) - 1u);
        __m512d some = _mm512_mask_loadu_pd(_mm512_set1_pd(origin), wanted, time + k);
        _mm512_mask_storeu_pd(out + k, wanted, eventsnn_factors_avx512(some, origin, rate));
    }
}

/* The factors of the times of a cell, which are in four vectors as in cell.h. */
EVENTSNN_AVX2 EVENTSNN_INLINE void eventsnn_grown_avx2(
    const __m256d *times, int count, double origin, double rate, double *factors)
{
    _mm256_storeu_pd(factors, eventsnn_factors_avx2(times[0], origin, rate));
    _mm256_storeu_pd(factors + 4, eventsnn_factors_avx2(times[1], origin, rate));
    if (count >= 8 && count < 15) {
        _mm256_storeu_pd(factors + 8, eventsnn_factors_avx2(times[2], origin, rate));
        _mm256_storeu_pd(factors + 12, eventsnn_factors_avx2(times[3], origin, rate));
    }
}

EVENTSNN_AVX512 EVENTSNN_INLINE __m512d eventsnn_joined(__m256d low, __m256d high)
{
    return _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1);
}

EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_grown_avx512(
    const __m256d *times, int count, double origin, double rate, double *factors)
{
    _mm512_storeu_pd(factors, eventsnn_factors_avx512(eventsnn_joined(times[0], times[1]), origin, rate));
    if (count >= 8 && count < 15)
        _mm512_storeu_pd(factors + 8, eventsnn_factors_avx512(eventsnn_joined(times[2], times[3]), origin, rate));
}

EVENTSNN_AVX2 static int eventsnn_cell_growth_avx2(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start, double width,
    double last, double *times, double origin, double rate, double *factors, double second_rate,
    double *second_factors)
{
    __m256d sorted[4];
    int count = eventsnn_draw_avx2(key, c0, c1, c2, c3, least, start, width, last, sorted);
    eventsnn_store(times, sorted, count);
    eventsnn_grown_avx2(sorted, count, origin, rate, factors);
    if (second_factors)
        eventsnn_grown_avx2(sorted, count, origin, second_rate, second_factors);
    return count;
}

EVENTSNN_AVX512 static int eventsnn_cell_growth_avx512(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start, double width,
    double last, double *times, double origin, double rate, double *factors, double second_rate,
    double *second_factors)
{
    __m256d sorted[4];
    int count = eventsnn_draw_avx512(key, c0, c1, c2, c3, least, start, width, last, sorted);
    eventsnn_store(times, sorted, count);
    eventsnn_grown_avx512(sorted, count, origin, rate, factors);
    if (second_factors)
        eventsnn_grown_avx512(sorted, count, origin, second_rate, second_factors);
    return count;
}

EVENTSNN_AVX2 static int64_t eventsnn_cells_growth_avx2(
    int n, int *counts, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least,
    double start, double width, double last, double *times, double origin, double rate, double *factors,
    double second_rate, double *second_factors)
{
    int64_t spikes = 0;
    for (int from = 0; from < n; from += EVENTSNN_GROUP) {
        int to = n - from < EVENTSNN_GROUP ? n : from + EVENTSNN_GROUP;
        __m256d uniform[EVENTSNN_GROUP][2], sorted[4];
        for (int k = from; k < to; k++)
            eventsnn_eight_avx2(
                key, c0 + (uint32_t)k, c1, c2, c3, &uniform[k - from][0], &uniform[k - from][1]);
        for (int k = from; k < to; k++) {
            sorted[0] = uniform[k - from][0];
            sorted[1] = uniform[k - from][1];
            counts[k] = eventsnn_first_avx2(sorted, sorted + 1, least, start, width, last);
            if (counts[k] >= 8 && counts[k] < 15) {
                eventsnn_eight_avx2(key, c0 + (uint32_t)k, c1, c2, c3 + 4, sorted + 2, sorted + 3);
                eventsnn_second_avx2(sorted, sorted + 1, sorted + 2, sorted + 3, counts[k], start, width, last);
            }
            eventsnn_store(times + spikes, sorted, counts[k]);
            spikes += counts[k] < 15 ? counts[k] : 0;
        }
    }
    eventsnn_growth_avx2(spikes, times, origin, rate, factors);
    if (second_factors)
        eventsnn_growth_avx2(spikes, times, origin, second_rate, second_factors);
    return spikes;
}

/* Eight uniform numbers of stream p, and as many of stream q. */
EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_eight_of_two(
    uint64_t key, uint32_t p, uint32_t q, uint32_t c1, uint32_t c2, uint32_t c3, __m512d *first, __m512d *second)
{
    const __m512i m0 = _mm512_set1_epi64(EVENTSNN_M0), m1 = _mm512_set1_epi64(EVENTSNN_M1);
    const __m512i w0 = _mm512_set1_epi64(EVENTSNN_W0), w1 = _mm512_set1_epi64(EVENTSNN_W1);
    __m512i k0 = _mm512_set1_epi64((int64_t)key), k1 = _mm512_set1_epi64((int64_t)(key >> 32));
    __m512i x0 = _mm512_mask_blend_epi64(0xAA, _mm512_set1_epi64(p), _mm512_set1_epi64(q));
    __m512i x1 = _mm512_set1_epi64(c1), x2 = _mm512_set1_epi64(c2);
    __m512i x3 = _mm512_add_epi64(_mm512_set1_epi64(c3), _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3));
    __m512d even, odd;
#if !defined(__clang__)
#pragma GCC unroll 1
#endif
    for (int step = 0; step < 10; step++) {
        __m512i product0 = _mm512_mul_epu32(x0, m0), product1 = _mm512_mul_epu32(x2, m1);
        x0 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product1, 32), x1, k0, EVENTSNN_XOR_OF_THREE);
        x1 = product1;
        x2 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product0, 32), x3, k1, EVENTSNN_XOR_OF_THREE);
        x3 = product0;
        k0 = _mm512_add_epi64(k0, w0);
        k1 = _mm512_add_epi64(k1, w1);
    }
    even = eventsnn_uniform53_avx512(x0, x1);
    odd = eventsnn_uniform53_avx512(x2, x3);
    *first = _mm512_unpacklo_pd(even, odd);
    *second = _mm512_unpackhi_pd(even, odd);
}

EVENTSNN_AVX512 static int64_t eventsnn_cells_growth_avx512(
    int n, int *counts, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least,
    double start, double width, double last, double *times, double origin, double rate, double *factors,
    double second_rate, double *second_factors)
{
    const __m512d least_low = _mm512_loadu_pd(least), least_high = _mm512_loadu_pd(least + 8);
    int64_t spikes = 0;
    for (int from = 0; from < n; from += EVENTSNN_GROUP) {
        int size = n - from < EVENTSNN_GROUP ? n - from : EVENTSNN_GROUP, n_full = 0, at = 0;
        uint32_t c = c0 + (uint32_t)from, full[EVENTSNN_GROUP + 1];
        __m512d uniform[EVENTSNN_GROUP], more[EVENTSNN_GROUP];
        __m256d sorted[4];
        for (int k = 0; k < size; k += 2)
            eventsnn_eight_of_two(
                key, c + (uint32_t)k, c + (uint32_t)k + 1, c1, c2, c3, uniform + k, uniform + k + 1);
        for (int k = 0; k < size; k++) {
            __m512d first = _mm512_broadcastsd_pd(_mm512_castpd512_pd128(uniform[k]));
            int low = _mm512_cmp_pd_mask(first, least_low, _CMP_GE_OQ);
            int high = _mm512_cmp_pd_mask(first, least_high, _CMP_GE_OQ);
            int count = __builtin_popcount((unsigned)(low | high << 8));
            counts[from + k] = count;
            full[n_full] = c + (uint32_t)k;
            n_full += (count >= 8) & (count < 15);
        }
        full[n_full] = c;
        for (int i = 0; i < n_full; i += 2)
            eventsnn_eight_of_two(key, full[i], full[i + 1], c1, c2, c3 + 4, more + i, more + i + 1);
        for (int k = 0; k < size; k++) {
            int count = counts[from + k];
            /* The first number is the count's. */
            __mmask8 wanted = (__mmask8)((2u << count) - 2u);
            __m512d sum = _mm512_add_pd(_mm512_set1_pd(start), _mm512_mul_pd(_mm512_set1_pd(width), uniform[k]));
            __m512d time = _mm512_mask_min_pd(_mm512_set1_pd(INFINITY), wanted, sum, _mm512_set1_pd(last));
            sorted[0] = _mm512_castpd512_pd256(time);
            sorted[1] = _mm512_extractf64x4_pd(time, 1);
            eventsnn_sort_avx2(sorted, sorted + 1);
            if (count >= 8 && count < 15) {
                sorted[2] = _mm512_castpd512_pd256(more[at]);
                sorted[3] = _mm512_extractf64x4_pd(more[at], 1);
                eventsnn_second_avx2(sorted, sorted + 1, sorted + 2, sorted + 3, count, start, width, last);
                at++;
            }
            eventsnn_store(times + spikes, sorted, count);
            spikes += count < 15 ? count : 0;
        }
    }
    eventsnn_growth_avx512(spikes, times, origin, rate, factors);
    if (second_factors)
        eventsnn_growth_avx512(spikes, times, origin, second_rate, second_factors);
    return spikes;
}

static inline void eventsnn_growth(
    int lanes, int64_t n, const double *time, double origin, double rate, double *out)
{
    if (lanes == 8)
        eventsnn_growth_avx512(n, time, origin, rate, out);
    else if (lanes == 4)
        eventsnn_growth_avx2(n, time, origin, rate, out);
    else
        eventsnn_growth_plain(n, time, origin, rate, out);
}

static inline int eventsnn_cell_growth(
    int lanes, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start,
    double width, double last, double *times, double origin, double rate, double *factors, double second_rate,
    double *second_factors)
{
    if (lanes == 8)
        return eventsnn_cell_growth_avx512(
            key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate, second_factors);
    if (lanes == 4)
        return eventsnn_cell_growth_avx2(
            key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate, second_factors);
    return eventsnn_cell_growth_plain(
        key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate, second_factors);
}

static inline int64_t eventsnn_cells_growth(
    int lanes, int n, int *counts, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
    const double *least, double start, double width, double last, double *times, double origin, double rate,
    double *factors, double second_rate, double *second_factors)
{
    if (lanes == 8)
        return eventsnn_cells_growth_avx512(
            n, counts, key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate,
            second_factors);
    if (lanes == 4)
        return eventsnn_cells_growth_avx2(
            n, counts, key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate,
            second_factors);
    return eventsnn_cells_growth_plain(
        n, counts, key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate,
        second_factors);
}

#else

#define eventsnn_growth(lanes, n, time, origin, rate, out) eventsnn_growth_plain(n, time, origin, rate, out)
#define eventsnn_cell_growth(                                                                                          \
    lanes, key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate, second_factors)  \
    eventsnn_cell_growth_plain(                                                                                        \
        key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate, second_factors)
#define eventsnn_cells_growth(                                                                                         \
    lanes, n, counts, key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate,       \
    second_factors)                                                                                                    \
    eventsnn_cells_growth_plain(                                                                                       \
        n, counts, key, c0, c1, c2, c3, least, start, width, last, times, origin, rate, factors, second_rate,          \
        second_factors)

#endif

#endif
