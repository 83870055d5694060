/* The hot part of poisson_cell: Philox blocks side by side, and what becomes of them without a branch.
 *
 * eventsnn_uniforms(lanes, key, c0, c1, c2, c3, out): eight uniform numbers in [0, 1), two from each of the blocks
 *     (c0, c1, c2, c3) to (c0, c1, c2, c3 + 3).
 * eventsnn_cell(lanes, key, c0, c1, c2, c3, least, start, width, last, times): how many spikes there are in the cell of
 *     that first block, by how many of the 16 ascending `least` its first uniform number reaches. If they are fewer
 *     than 15, their times min(start + width * uniform, last) come first in the 16 of `times`, ascending.
 *
 * lanes says how many blocks are drawn side by side: 8 or 4 in the 64-bit lanes of a vector of AVX-512 or AVX2, 1 in
 * plain C; eventsnn_lanes() is the most that the processor can do. A word is the lower half of its lane, where the
 * multiplication looks for it, and what is left in the upper half does no harm. Nothing is rounded in one way that is
 * not rounded in the others, so that all give the same bits.
 */

#ifndef EVENTSNN_CELL_H
#define EVENTSNN_CELL_H

#include <math.h>
#include <stdint.h>

#include "eventsnn/_core/base/compiler.h"

#define EVENTSNN_M0 0xD2511F53u
#define EVENTSNN_M1 0xCD9E8D57u
#define EVENTSNN_W0 0x9E3779B9u
#define EVENTSNN_W1 0xBB67AE85u

static inline void eventsnn_philox(uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t *out)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int step = 0; step < 10; step++) {
        uint64_t product0 = (uint64_t)EVENTSNN_M0 * c0, product1 = (uint64_t)EVENTSNN_M1 * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += EVENTSNN_W0;
        k1 += EVENTSNN_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static inline double eventsnn_uniform53(uint32_t high, uint32_t low)
{
    /* Signed, because few processors convert unsigned numbers. */
    return (double)(int64_t)((((uint64_t)high << 32) | low) >> 11) * (1.0 / 9007199254740992.0);
}

static inline void eventsnn_uniforms_plain(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, double *out)
{
    for (uint32_t block = 0; block < 4; block++) {
        uint32_t word[4];
        eventsnn_philox(key, c0, c1, c2, c3 + block, word);
        out[2 * block] = eventsnn_uniform53(word[0], word[1]);
        out[2 * block + 1] = eventsnn_uniform53(word[2], word[3]);
    }
}

static inline int eventsnn_cell_plain(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start,
    double width, double last, double *times)
{
    double uniform[16];
    int count = 0;
    eventsnn_uniforms_plain(key, c0, c1, c2, c3, uniform);
    for (int k = 0; k < 16; k++)
        count += uniform[0] >= least[k];
    if (count == 15)
        return count;
    if (count >= 8)
        eventsnn_uniforms_plain(key, c0, c1, c2, c3 + 4, uniform + 8);
    for (int k = 0; k < count; k++) {
        double time = start + width * uniform[1 + k];
        int slot = k;
        if (time > last)
            time = last;
        for (; slot > 0 && times[slot - 1] > time; slot--)
            times[slot] = times[slot - 1];
        times[slot] = time;
    }
    return count;
}

#ifdef EVENTSNN_VECTORS

/* uniform53 of four lanes: the 53 bits as 2^52 + the lower 32 and 2^84 + 2^32 times the others; the sums are exact. */
EVENTSNN_AVX2 static inline __m256d eventsnn_uniform53_avx2(__m256i high, __m256i low)
{
    __m256i bits = _mm256_srli_epi64(_mm256_blend_epi32(_mm256_slli_epi64(high, 32), low, 0x55), 11);
    __m256i upper = _mm256_or_si256(_mm256_srli_epi64(bits, 32), _mm256_set1_epi64x(0x4530000000000000));
    __m256i lower = _mm256_blend_epi32(bits, _mm256_set1_epi64x(0x4330000000000000), 0xAA);
    __m256d large = _mm256_sub_pd(_mm256_castsi256_pd(upper), _mm256_set1_pd(19342813118337666422669312.0));
    __m256d number = _mm256_add_pd(large, _mm256_castsi256_pd(lower));
    return _mm256_mul_pd(number, _mm256_set1_pd(1.0 / 9007199254740992.0));
}

EVENTSNN_AVX2 static inline void eventsnn_eight_avx2(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, __m256d *first, __m256d *second)
{
    const __m256i m0 = _mm256_set1_epi64x(EVENTSNN_M0), m1 = _mm256_set1_epi64x(EVENTSNN_M1);
    const __m256i w0 = _mm256_set1_epi64x(EVENTSNN_W0), w1 = _mm256_set1_epi64x(EVENTSNN_W1);
    __m256i k0 = _mm256_set1_epi64x((int64_t)key), k1 = _mm256_set1_epi64x((int64_t)(key >> 32));
    __m256i x0 = _mm256_set1_epi64x(c0), x1 = _mm256_set1_epi64x(c1), x2 = _mm256_set1_epi64x(c2);
    /* With the blocks in this order, unpacking below puts the uniform numbers into theirs. */
    __m256i x3 = _mm256_add_epi64(_mm256_set1_epi64x(c3), _mm256_setr_epi64x(0, 2, 1, 3));
    __m256d even, odd;
    /* Unrolled, gcc would load each round's keys from general registers, which costs more than adding. */
#if !defined(__clang__)
#pragma GCC unroll 1
#endif
    for (int step = 0; step < 10; step++) {
        __m256i product0 = _mm256_mul_epu32(x0, m0), product1 = _mm256_mul_epu32(x2, m1);
        x0 = _mm256_xor_si256(_mm256_srli_epi64(product1, 32), _mm256_xor_si256(x1, k0));
        x1 = product1;
        x2 = _mm256_xor_si256(_mm256_srli_epi64(product0, 32), _mm256_xor_si256(x3, k1));
        x3 = product0;
        k0 = _mm256_add_epi64(k0, w0);
        k1 = _mm256_add_epi64(k1, w1);
    }
    even = eventsnn_uniform53_avx2(x0, x1);
    odd = eventsnn_uniform53_avx2(x2, x3);
    *first = _mm256_unpacklo_pd(even, odd);
    *second = _mm256_unpackhi_pd(even, odd);
}

EVENTSNN_AVX2 static void eventsnn_uniforms_avx2(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, double *out)
{
    __m256d first, second;
    eventsnn_eight_avx2(key, c0, c1, c2, c3, &first, &second);
    _mm256_storeu_pd(out, first);
    _mm256_storeu_pd(out + 4, second);
}

#define EVENTSNN_ORDER(a, b)                                        \
    do {                                                            \
        __m256d low_ = _mm256_min_pd(a, b);                         \
        b = _mm256_max_pd(a, b);                                    \
        a = low_;                                                   \
    } while (0)

#define EVENTSNN_LOWER_HALVES 0x20
#define EVENTSNN_UPPER_HALVES 0x31
#define EVENTSNN_UPPER_HALVES_SWAPPED 0x13
#define EVENTSNN_REVERSED 0x1B

/* Sort a bitonic sequence of eight, a before b: Batcher's network, each time four pairs. */
EVENTSNN_AVX2 static inline void eventsnn_merge_avx2(__m256d *a, __m256d *b)
{
    __m256d x = *a, y = *b, z;
    EVENTSNN_ORDER(x, y);
    z = _mm256_permute2f128_pd(x, y, EVENTSNN_UPPER_HALVES);
    x = _mm256_permute2f128_pd(x, y, EVENTSNN_LOWER_HALVES);
    EVENTSNN_ORDER(x, z);
    y = _mm256_unpackhi_pd(x, z);
    x = _mm256_unpacklo_pd(x, z);
    EVENTSNN_ORDER(x, y);
    z = _mm256_unpackhi_pd(x, y);
    x = _mm256_unpacklo_pd(x, y);
    *a = _mm256_permute2f128_pd(x, z, EVENTSNN_LOWER_HALVES);
    *b = _mm256_permute2f128_pd(x, z, EVENTSNN_UPPER_HALVES);
}

/* Sort eight in the same way. That the lanes are not in order between the steps spares moves across their halves. */
EVENTSNN_AVX2 static inline void eventsnn_sort_avx2(__m256d *a, __m256d *b)
{
    __m256d x = *a, y = *b, z;
    EVENTSNN_ORDER(x, y);
    y = _mm256_permute_pd(y, 5);
    EVENTSNN_ORDER(x, y);
    z = _mm256_unpackhi_pd(x, y);
    x = _mm256_unpacklo_pd(x, y);
    EVENTSNN_ORDER(x, z);
    /* Ascending fours: x0 z0 x1 z1 and x2 z2 x3 z3. */
    y = _mm256_permute_pd(_mm256_permute2f128_pd(x, z, EVENTSNN_UPPER_HALVES_SWAPPED), 5);
    x = _mm256_permute2f128_pd(x, z, EVENTSNN_LOWER_HALVES);
    EVENTSNN_ORDER(x, y);
    z = _mm256_unpackhi_pd(x, y);
    x = _mm256_unpacklo_pd(x, y);
    EVENTSNN_ORDER(x, z);
    y = _mm256_permute2f128_pd(x, z, EVENTSNN_UPPER_HALVES);
    x = _mm256_permute2f128_pd(x, z, EVENTSNN_LOWER_HALVES);
    EVENTSNN_ORDER(x, y);
    *a = _mm256_unpacklo_pd(x, y);
    *b = _mm256_unpackhi_pd(x, y);
}

/* The times that belong to four uniform numbers; inf for those that are not wanted. */
EVENTSNN_AVX2 static inline __m256d eventsnn_times_avx2(
    __m256d uniform, __m256d wanted, double start, double width, double last)
{
    __m256d sum = _mm256_add_pd(_mm256_set1_pd(start), _mm256_mul_pd(_mm256_set1_pd(width), uniform));
    return _mm256_blendv_pd(_mm256_set1_pd(INFINITY), _mm256_min_pd(sum, _mm256_set1_pd(last)), wanted);
}

/* Make the first eight uniform numbers of a cell its first times, sorted; returns how many spikes there are. */
EVENTSNN_AVX2 static inline int eventsnn_first_avx2(
    __m256d *a, __m256d *b, const double *least, double start, double width, double last)
{
    __m256d first = _mm256_permute4x64_pd(*a, 0), wanted[4];
    int reached = 0;
    for (int k = 0; k < 4; k++) {
        wanted[k] = _mm256_cmp_pd(first, _mm256_loadu_pd(least + 4 * k), _CMP_GE_OQ);
        reached |= _mm256_movemask_pd(wanted[k]) << 4 * k;
    }
    *a = eventsnn_times_avx2(*a, wanted[0], start, width, last);
    *b = eventsnn_times_avx2(*b, wanted[1], start, width, last);
    eventsnn_sort_avx2(a, b);
    return __builtin_popcount((unsigned)reached);
}

/* Make the next eight, of which count - 7 are wanted, times as well and sort all: the later ones stay in c and d. */
EVENTSNN_AVX2 static inline void eventsnn_second_avx2(
    __m256d *a, __m256d *b, __m256d *c, __m256d *d, int count, double start, double width, double last)
{
    const __m256d place = _mm256_setr_pd(8.0, 9.0, 10.0, 11.0), number = _mm256_set1_pd(count);
    __m256d behind = _mm256_add_pd(place, _mm256_set1_pd(4.0)), x, y;
    x = eventsnn_times_avx2(*c, _mm256_cmp_pd(place, number, _CMP_LE_OQ), start, width, last);
    y = eventsnn_times_avx2(*d, _mm256_cmp_pd(behind, number, _CMP_LE_OQ), start, width, last);
    eventsnn_sort_avx2(&x, &y);
    *c = _mm256_permute4x64_pd(y, EVENTSNN_REVERSED);
    *d = _mm256_permute4x64_pd(x, EVENTSNN_REVERSED);
    EVENTSNN_ORDER(*a, *c);
    EVENTSNN_ORDER(*b, *d);
    eventsnn_merge_avx2(a, b);
    eventsnn_merge_avx2(c, d);
}

/* The times of a cell as four vectors, of which the last two are of use from eight spikes on. */
EVENTSNN_AVX2 EVENTSNN_INLINE int eventsnn_draw_avx2(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start, double width,
    double last, __m256d *times)
{
    int count;
    eventsnn_eight_avx2(key, c0, c1, c2, c3, times, times + 1);
    count = eventsnn_first_avx2(times, times + 1, least, start, width, last);
    if (count >= 8 && count < 15) {
        eventsnn_eight_avx2(key, c0, c1, c2, c3 + 4, times + 2, times + 3);
        eventsnn_second_avx2(times, times + 1, times + 2, times + 3, count, start, width, last);
    }
    return count;
}

EVENTSNN_AVX2 EVENTSNN_INLINE void eventsnn_store(double *out, const __m256d *vector, int count)
{
    _mm256_storeu_pd(out, vector[0]);
    _mm256_storeu_pd(out + 4, vector[1]);
    if (count >= 8 && count < 15) {
        _mm256_storeu_pd(out + 8, vector[2]);
        _mm256_storeu_pd(out + 12, vector[3]);
    }
}

EVENTSNN_AVX2 static int eventsnn_cell_avx2(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start, double width,
    double last, double *times)
{
    __m256d sorted[4];
    int count = eventsnn_draw_avx2(key, c0, c1, c2, c3, least, start, width, last, sorted);
    eventsnn_store(times, sorted, count);
    return count;
}

#define EVENTSNN_XOR_OF_THREE 0x96

EVENTSNN_AVX512 static inline __m512d eventsnn_uniform53_avx512(__m512i high, __m512i low)
{
    __m512i bits = _mm512_srli_epi64(_mm512_mask_blend_epi32(0x5555, _mm512_slli_epi64(high, 32), low), 11);
    return _mm512_mul_pd(_mm512_cvtepu64_pd(bits), _mm512_set1_pd(1.0 / 9007199254740992.0));
}

/* As with AVX2, but all blocks that may be needed at once. */
EVENTSNN_AVX512 EVENTSNN_INLINE int eventsnn_draw_avx512(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start, double width,
    double last, __m256d *times)
{
    const __m512i m0 = _mm512_set1_epi64(EVENTSNN_M0), m1 = _mm512_set1_epi64(EVENTSNN_M1);
    const __m512i w0 = _mm512_set1_epi64(EVENTSNN_W0), w1 = _mm512_set1_epi64(EVENTSNN_W1);
    __m512i k0 = _mm512_set1_epi64((int64_t)key), k1 = _mm512_set1_epi64((int64_t)(key >> 32));
    __m512i x0 = _mm512_set1_epi64(c0), x1 = _mm512_set1_epi64(c1), x2 = _mm512_set1_epi64(c2);
    __m512i x3 = _mm512_add_epi64(_mm512_set1_epi64(c3), _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7));
    __m512d even, odd, low, high;
    int count;
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
    low = _mm512_unpacklo_pd(even, odd);
    high = _mm512_unpackhi_pd(even, odd);
    times[0] = _mm512_castpd512_pd256(low);
    times[1] = _mm512_extractf64x4_pd(low, 1);
    count = eventsnn_first_avx2(times, times + 1, least, start, width, last);
    if (count >= 8 && count < 15) {
        times[2] = _mm512_castpd512_pd256(high);
        times[3] = _mm512_extractf64x4_pd(high, 1);
        eventsnn_second_avx2(times, times + 1, times + 2, times + 3, count, start, width, last);
    }
    return count;
}

EVENTSNN_AVX512 static int eventsnn_cell_avx512(
    uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start, double width,
    double last, double *times)
{
    __m256d sorted[4];
    int count = eventsnn_draw_avx512(key, c0, c1, c2, c3, least, start, width, last, sorted);
    eventsnn_store(times, sorted, count);
    return count;
}

static inline void eventsnn_uniforms(
    int lanes, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, double *out)
{
    if (lanes >= 4)
        eventsnn_uniforms_avx2(key, c0, c1, c2, c3, out);
    else
        eventsnn_uniforms_plain(key, c0, c1, c2, c3, out);
}

static inline int eventsnn_cell(
    int lanes, uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, const double *least, double start,
    double width, double last, double *times)
{
    if (lanes == 8)
        return eventsnn_cell_avx512(key, c0, c1, c2, c3, least, start, width, last, times);
    if (lanes == 4)
        return eventsnn_cell_avx2(key, c0, c1, c2, c3, least, start, width, last, times);
    return eventsnn_cell_plain(key, c0, c1, c2, c3, least, start, width, last, times);
}

#else

#define eventsnn_uniforms(lanes, key, c0, c1, c2, c3, out) \
    ((void)(lanes), eventsnn_uniforms_plain(key, c0, c1, c2, c3, out))
#define eventsnn_cell(lanes, key, c0, c1, c2, c3, least, start, width, last, times) \
    ((void)(lanes), eventsnn_cell_plain(key, c0, c1, c2, c3, least, start, width, last, times))

#endif

#endif
