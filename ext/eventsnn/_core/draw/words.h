/* Philox blocks of many counters: eventsnn_words(lanes, key, n, index, attempt, w0, w1, w2, w3) finds the four words of
 * the blocks (low word of index[k], high word of index[k], attempt, 0), as eventsnn_philox of cell.h does one by one.
 *
 * The arrays of words have room for n and EVENTSNN_AT_A_TIME more: what is behind the last index is drawn as well, and of
 * no use.
 */

#ifndef EVENTSNN_WORDS_H
#define EVENTSNN_WORDS_H

#include <string.h>

#include "eventsnn/_core/draw/cell.h"

enum { EVENTSNN_AT_A_TIME = 32 };

static void eventsnn_words_plain(
    uint64_t key, int64_t n, const uint64_t *index, uint32_t attempt, uint32_t *w0, uint32_t *w1, uint32_t *w2,
    uint32_t *w3)
{
    for (int64_t k = 0; k < n; k++) {
        uint32_t word[4];
        eventsnn_philox(key, (uint32_t)index[k], (uint32_t)(index[k] >> 32), attempt, 0, word);
        w0[k] = word[0];
        w1[k] = word[1];
        w2[k] = word[2];
        w3[k] = word[3];
    }
}

#ifdef EVENTSNN_VECTORS

/* Several vectors side by side: each multiplication waits for the one before it in its own. */
#define EVENTSNN_DEFINE_WORDS(NAME, ATTRIBUTES, VECTOR, PREFIX, EACH, XOR, STORE)                                      \
    ATTRIBUTES static void NAME(                                                                                       \
        uint64_t key, int64_t n, const uint64_t *index, uint32_t attempt, uint32_t *w0, uint32_t *w1, uint32_t *w2,    \
        uint32_t *w3)                                                                                                  \
    {                                                                                                                  \
        enum { SIDE = 4, SIZE = sizeof(VECTOR) / sizeof(uint64_t), STEP = SIDE * SIZE };                               \
        const VECTOR m0 = PREFIX##_set1_epi64##EACH(EVENTSNN_M0), m1 = PREFIX##_set1_epi64##EACH(EVENTSNN_M1);         \
        const VECTOR add0 = PREFIX##_set1_epi64##EACH(EVENTSNN_W0), add1 = PREFIX##_set1_epi64##EACH(EVENTSNN_W1);     \
        for (int64_t at = 0; at < n; at += STEP) {                                                                     \
            uint64_t last[STEP];                                                                                       \
            const uint64_t *from = index + at;                                                                         \
            VECTOR x0[SIDE], x1[SIDE], x2[SIDE], x3[SIDE];                                                             \
            VECTOR k0 = PREFIX##_set1_epi64##EACH((int64_t)key), k1 = PREFIX##_set1_epi64##EACH((int64_t)(key >> 32)); \
            if (n - at < STEP) {                                                                                       \
                for (int64_t k = 0; k < STEP; k++)                                                                     \
                    last[k] = k < n - at ? from[k] : 0;                                                                \
                from = last;                                                                                           \
            }                                                                                                          \
            for (int s = 0; s < SIDE; s++) {                                                                           \
                memcpy(&x0[s], from + s * SIZE, sizeof(VECTOR));                                                       \
                x1[s] = PREFIX##_srli_epi64(x0[s], 32);                                                                \
                x2[s] = PREFIX##_set1_epi64##EACH(attempt);                                                            \
                x3[s] = PREFIX##_set1_epi64##EACH(0);                                                                  \
            }                                                                                                          \
            for (int step = 0; step < 10; step++) {                                                                    \
                for (int s = 0; s < SIDE; s++) {                                                                       \
                    const VECTOR product0 = PREFIX##_mul_epu32(x0[s], m0), product1 = PREFIX##_mul_epu32(x2[s], m1);   \
                    x0[s] = XOR(PREFIX##_srli_epi64(product1, 32), XOR(x1[s], k0));                                    \
                    x1[s] = product1;                                                                                  \
                    x2[s] = XOR(PREFIX##_srli_epi64(product0, 32), XOR(x3[s], k1));                                    \
                    x3[s] = product0;                                                                                  \
                }                                                                                                      \
                k0 = PREFIX##_add_epi64(k0, add0);                                                                     \
                k1 = PREFIX##_add_epi64(k1, add1);                                                                     \
            }                                                                                                          \
            for (int s = 0; s < SIDE; s++) {                                                                           \
                STORE(w0 + at + s * SIZE, x0[s]);                                                                      \
                STORE(w1 + at + s * SIZE, x1[s]);                                                                      \
                STORE(w2 + at + s * SIZE, x2[s]);                                                                      \
                STORE(w3 + at + s * SIZE, x3[s]);                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

/* The lower halves of the lanes. */
EVENTSNN_AVX512 EVENTSNN_INLINE void eventsnn_store_avx512(uint32_t *out, __m512i x)
{
    _mm256_storeu_si256((__m256i *)out, _mm512_cvtepi64_epi32(x));
}

EVENTSNN_AVX2 EVENTSNN_INLINE void eventsnn_store_avx2(uint32_t *out, __m256i x)
{
    const __m256i halves = _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
    _mm_storeu_si128((__m128i *)out, _mm256_castsi256_si128(halves));
}

EVENTSNN_DEFINE_WORDS(
    eventsnn_words_avx512, EVENTSNN_AVX512, __m512i, _mm512, , _mm512_xor_si512, eventsnn_store_avx512)
EVENTSNN_DEFINE_WORDS(eventsnn_words_avx2, EVENTSNN_AVX2, __m256i, _mm256, x, _mm256_xor_si256, eventsnn_store_avx2)

#endif

static void eventsnn_words(
    int lanes, uint64_t key, int64_t n, const uint64_t *index, uint32_t attempt, uint32_t *w0, uint32_t *w1,
    uint32_t *w2, uint32_t *w3)
{
#ifdef EVENTSNN_VECTORS
    if (lanes == 8) {
        eventsnn_words_avx512(key, n, index, attempt, w0, w1, w2, w3);
        return;
    }
    if (lanes >= 4) {
        eventsnn_words_avx2(key, n, index, attempt, w0, w1, w2, w3);
        return;
    }
#endif
    (void)lanes;
    eventsnn_words_plain(key, n, index, attempt, w0, w1, w2, w3);
}

#endif
