/* How much a frame's unit has grown by at many times: eventsnn_growth(lanes, n, time, origin, rate, out) finds
 * exp((time - origin) * rate) for n of them.
 *
 * |(time - origin) * rate| must be below 700. The exponential is that of mathfunc.pxd, where its design stands: the
 * same operations in the same order, written once and compiled for one number, for four and for eight. So all have its
 * bits.
 */

#ifndef EVENTSNN_GROWTH_H
#define EVENTSNN_GROWTH_H

#include <stddef.h>
#include <string.h>

#include "eventsnn/_core/draw/cell.h"

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

#ifdef EVENTSNN_VECTORS

typedef uint64_t eventsnn_bits4 __attribute__((vector_size(32)));
typedef uint64_t eventsnn_bits8 __attribute__((vector_size(64)));

EVENTSNN_DEFINE_EXP(eventsnn_exp_avx2, EVENTSNN_AVX2 EVENTSNN_INLINE, __m256d, eventsnn_bits4)
EVENTSNN_DEFINE_EXP(eventsnn_exp_avx512, EVENTSNN_AVX512 EVENTSNN_INLINE, __m512d, eventsnn_bits8)

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

#else

#define eventsnn_growth(lanes, n, time, origin, rate, out) \
    ((void)(lanes), eventsnn_growth_plain(n, time, origin, rate, out))

#endif

#endif
