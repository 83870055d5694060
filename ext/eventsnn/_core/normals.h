/* Many normal values by the polar method (Marsaglia & Bray, 1964): eventsnn_normals tries it with one block of four words
 * each, and says of which the value is one.
 *
 * Two uniform numbers give a point (x, y) of the square from -1 to 1. If it lies in the unit circle, at s = x^2 + y^2 > 0,
 * the value is mean + std (x sqrt(-2 log(s) / s)). The logarithm is log_of_normal of mathfunc.pxd: the same operations in
 * the same order, written once and compiled for one number, for four and for eight. So all have its bits.
 */

#ifndef EVENTSNN_NORMALS_H
#define EVENTSNN_NORMALS_H

#include <math.h>
#include <string.h>

#include "words.h"

typedef struct {
    double mean;
    double std;
    double low;
    double high;
    double grid; /* 0: values are not rounded */
    double least;
    double most;
} eventsnn_normal;

/* What is found of eight values, a bit each: which are none, and which of the others lie outside of [low, high]. */
typedef struct {
    uint8_t failed;
    uint8_t outside;
} eventsnn_found;

/* NUMBER: double or a vector of it, BITS: unsigned integers of the same size. */
#define EVENTSNN_DEFINE_POLAR(NAME, ATTRIBUTES, NUMBER, BITS, SQRT, TO_FLOAT)                                          \
    ATTRIBUTES NUMBER NAME(NUMBER x, NUMBER s)                                                                         \
    {                                                                                                                  \
        const uint64_t sqrt_half = 0x3FE6A09E667F3BCD, one = (uint64_t)0x3FF << 52;                                    \
        BITS bits, field, number;                                                                                      \
        NUMBER n, f, head, lost, square, linear, high, low, z, z2, z4, cubic, quotient;                                \
        memcpy(&bits, &s, sizeof(s));                                                                                  \
        field = (bits + (one - sqrt_half)) >> 52;                                                                      \
        /* 2^52 + field as a number. */                                                                                \
        number = field | (uint64_t)0x4330000000000000;                                                                 \
        memcpy(&n, &number, sizeof(n));                                                                                \
        n = n - (4503599627370496.0 + 1023.0);                                                                         \
        bits = bits + one - (field << 52);                                                                             \
        memcpy(&f, &bits, sizeof(f));                                                                                  \
        f = f - 1.0;                                                                                                   \
        head = TO_FLOAT(f);                                                                                            \
        lost = 0.5 * ((f - head) * (f + head));                                                                        \
        square = 0.5 * (head * head);                                                                                  \
        linear = n * 0.6931471805598903 + f;                                                                           \
        high = linear - square;                                                                                        \
        low = ((n * 0.6931471805598903 - linear) + f) + ((linear - high) - square);                                    \
        quotient = f / (2.0 + f);                                                                                      \
        z = quotient * quotient;                                                                                       \
        z2 = z * z;                                                                                                    \
        z4 = z2 * z2;                                                                                                  \
        cubic = quotient                                                                                               \
            * (0.5 * (f * f)                                                                                           \
               + z * ((((2.0 / 3.0 + z * (2.0 / 5.0)) + z2 * (2.0 / 7.0 + z * (2.0 / 9.0)))                            \
                       + z4 * ((2.0 / 11.0 + z * (2.0 / 13.0)) + z2 * (2.0 / 15.0 + z * (2.0 / 17.0))))                \
                      + (z4 * z4) * (2.0 / 19.0 + z * (2.0 / 21.0))));                                                 \
        return x * SQRT((-2.0 * (high + ((low + n * 5.497923018708371e-14) + (cubic - lost)))) / s);                   \
    }

#define EVENTSNN_AS_FLOAT(f) ((double)(float)(f))

EVENTSNN_DEFINE_POLAR(eventsnn_polar_plain, static inline, double, uint64_t, sqrt, EVENTSNN_AS_FLOAT)

static void eventsnn_normals_plain(
    const eventsnn_normal *v, int64_t n, const uint32_t *w0, const uint32_t *w1, const uint32_t *w2,
    const uint32_t *w3, double *out, eventsnn_found *found)
{
    for (int64_t k = 0; k < n; k++) {
        const double x = 2.0 * eventsnn_uniform53(w0[k], w1[k]) - 1.0, y = 2.0 * eventsnn_uniform53(w2[k], w3[k]) - 1.0;
        const double s = x * x + y * y;
        const uint8_t bit = (uint8_t)(1u << (k & 7));
        double value;
        if ((k & 7) == 0)
            found[k >> 3].failed = found[k >> 3].outside = 0;
        if (!(s > 0.0 && s < 1.0)) {
            found[k >> 3].failed |= bit;
            continue;
        }
        value = v->mean + v->std * eventsnn_polar_plain(x, s);
        if (!(v->low <= value && value <= v->high))
            found[k >> 3].outside |= bit;
        if (v->grid > 0.0)
            value = v->grid * rint(value / v->grid) + 0.0;
        out[k] = value < v->least ? v->least : value > v->most ? v->most : value;
    }
}

#ifdef EVENTSNN_VECTORS

#define EVENTSNN_FLOAT4(f) _mm256_cvtps_pd(_mm256_cvtpd_ps(f))
#define EVENTSNN_FLOAT8(f) _mm512_cvtps_pd(_mm512_cvtpd_ps(f))

typedef uint64_t eventsnn_whole4 __attribute__((vector_size(32)));
typedef uint64_t eventsnn_whole8 __attribute__((vector_size(64)));

EVENTSNN_DEFINE_POLAR(
    eventsnn_polar_avx2, EVENTSNN_AVX2 EVENTSNN_INLINE, __m256d, eventsnn_whole4, _mm256_sqrt_pd, EVENTSNN_FLOAT4)
EVENTSNN_DEFINE_POLAR(
    eventsnn_polar_avx512, EVENTSNN_AVX512 EVENTSNN_INLINE, __m512d, eventsnn_whole8, _mm512_sqrt_pd, EVENTSNN_FLOAT8)

EVENTSNN_AVX2 static void eventsnn_normals_avx2(
    const eventsnn_normal *v, int64_t n, const uint32_t *w0, const uint32_t *w1, const uint32_t *w2,
    const uint32_t *w3, double *out, eventsnn_found *found)
{
    const __m256d zero = _mm256_setzero_pd(), one = _mm256_set1_pd(1.0);
    const __m256d grid = _mm256_set1_pd(v->grid), least = _mm256_set1_pd(v->least), most = _mm256_set1_pd(v->most);
    unsigned failed = 0, outside = 0;
    for (int64_t k = 0; k < n; k += 4) {
        const __m256d x = 2.0 * eventsnn_uniform53_avx2(_mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(w0 + k))),
                                    _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(w1 + k)))) - 1.0;
        const __m256d y = 2.0 * eventsnn_uniform53_avx2(_mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(w2 + k))),
                                    _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(w3 + k)))) - 1.0;
        const __m256d s = x * x + y * y;
        failed = k & 4 ? failed : 0;
        outside = k & 4 ? outside : 0;
        const __m256d in = _mm256_and_pd(_mm256_cmp_pd(s, zero, _CMP_GT_OQ), _mm256_cmp_pd(s, one, _CMP_LT_OQ));
        __m256d value = v->mean + v->std * eventsnn_polar_avx2(x, _mm256_blendv_pd(_mm256_set1_pd(0.5), s, in));
        const __m256d within = _mm256_and_pd(_mm256_cmp_pd(value, _mm256_set1_pd(v->low), _CMP_GE_OQ),
                                             _mm256_cmp_pd(value, _mm256_set1_pd(v->high), _CMP_LE_OQ));
        if (v->grid > 0.0)
            value = grid * _mm256_round_pd(value / grid, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC) + 0.0;
        value = _mm256_blendv_pd(value, most, _mm256_cmp_pd(value, most, _CMP_GT_OQ));
        value = _mm256_blendv_pd(value, least, _mm256_cmp_pd(value, least, _CMP_LT_OQ));
        _mm256_storeu_pd(out + k, value);
        failed |= (unsigned)(~_mm256_movemask_pd(in) & 15) << (k & 4);
        outside |= (unsigned)(_mm256_movemask_pd(in) & ~_mm256_movemask_pd(within) & 15) << (k & 4);
        found[k >> 3].failed = (uint8_t)failed;
        found[k >> 3].outside = (uint8_t)outside;
    }
}

EVENTSNN_AVX512 EVENTSNN_INLINE __m512d eventsnn_point_avx512(const uint32_t *high, const uint32_t *low)
{
    const __m512i upper = _mm512_slli_epi64(_mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)high)), 32);
    const __m512i word = _mm512_or_si512(upper, _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)low)));
    return 2.0 * (_mm512_cvtepi64_pd(_mm512_srli_epi64(word, 11)) * (1.0 / 9007199254740992.0)) - 1.0;
}

EVENTSNN_AVX512 static void eventsnn_normals_avx512(
    const eventsnn_normal *v, int64_t n, const uint32_t *w0, const uint32_t *w1, const uint32_t *w2,
    const uint32_t *w3, double *out, eventsnn_found *found)
{
    const __m512d zero = _mm512_setzero_pd(), one = _mm512_set1_pd(1.0);
    const __m512d grid = _mm512_set1_pd(v->grid), least = _mm512_set1_pd(v->least), most = _mm512_set1_pd(v->most);
    for (int64_t k = 0; k < n; k += 8) {
        const __m512d x = eventsnn_point_avx512(w0 + k, w1 + k), y = eventsnn_point_avx512(w2 + k, w3 + k);
        const __m512d s = x * x + y * y;
        const __mmask8 in = _mm512_cmp_pd_mask(s, zero, _CMP_GT_OQ) & _mm512_cmp_pd_mask(s, one, _CMP_LT_OQ);
        __m512d value = v->mean + v->std * eventsnn_polar_avx512(x, _mm512_mask_blend_pd(in, _mm512_set1_pd(0.5), s));
        const __mmask8 within = _mm512_cmp_pd_mask(value, _mm512_set1_pd(v->low), _CMP_GE_OQ)
            & _mm512_cmp_pd_mask(value, _mm512_set1_pd(v->high), _CMP_LE_OQ);
        if (v->grid > 0.0)
            value = grid * _mm512_roundscale_pd(value / grid, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC) + 0.0;
        value = _mm512_mask_blend_pd(_mm512_cmp_pd_mask(value, most, _CMP_GT_OQ), value, most);
        value = _mm512_mask_blend_pd(_mm512_cmp_pd_mask(value, least, _CMP_LT_OQ), value, least);
        _mm512_storeu_pd(out + k, value);
        found[k >> 3].failed = (uint8_t)~in;
        found[k >> 3].outside = (uint8_t)(in & ~within);
    }
}

#endif

/* The words and out have room for n and EVENTSNN_AT_A_TIME more; bits behind the last one mean nothing. */
static void eventsnn_normals(
    int lanes, const eventsnn_normal *v, int64_t n, const uint32_t *w0, const uint32_t *w1, const uint32_t *w2,
    const uint32_t *w3, double *out, eventsnn_found *found)
{
#ifdef EVENTSNN_VECTORS
    if (lanes == 8) {
        eventsnn_normals_avx512(v, n, w0, w1, w2, w3, out, found);
        return;
    }
    if (lanes >= 4) {
        eventsnn_normals_avx2(v, n, w0, w1, w2, w3, out, found);
        return;
    }
#endif
    (void)lanes;
    eventsnn_normals_plain(v, n, w0, w1, w2, w3, out, found);
}

#endif
