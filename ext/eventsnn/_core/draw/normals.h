/* Many normal values by the polar method (Marsaglia & Bray, 1964), in two steps: eventsnn_points makes a point of each
 * block of four words, and puts those in the unit circle side by side; eventsnn_normals makes values of these alone.
 *
 * Two uniform numbers give a point (x, y) of the square from -1 to 1. If it lies in the unit circle, at s = x^2 + y^2 > 0,
 * the value is mean + std (x sqrt(-2 log(s) / s)). The logarithm is log_of_normal of mathfunc.pxd: the same operations in
 * the same order, written once and compiled for one number, for four and for eight. So all have its bits.
 *
 * All arrays have room for n and EVENTSNN_AT_A_TIME more.
 */

#ifndef EVENTSNN_NORMALS_H
#define EVENTSNN_NORMALS_H

#include <math.h>
#include <string.h>

#include "eventsnn/_core/draw/words.h"

typedef struct {
    double mean;
    double std;
    double low;
    double high;
    double grid; /* 0: values are not rounded */
    double least;
    double most;
} eventsnn_normal;

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

/* Make n points; returns how many lie in the circle. x, s, inside: x, s and number of each of these; others: the numbers
 * of all other points. */
static int64_t eventsnn_points_plain(
    int64_t n, const uint32_t *w0, const uint32_t *w1, const uint32_t *w2, const uint32_t *w3, double *x, double *s,
    int32_t *inside, int32_t *others)
{
    int64_t m = 0;
    for (int64_t k = 0; k < n; k++) {
        const double a = 2.0 * eventsnn_uniform53(w0[k], w1[k]) - 1.0, b = 2.0 * eventsnn_uniform53(w2[k], w3[k]) - 1.0;
        x[m] = a;
        s[m] = a * a + b * b;
        inside[m] = others[k - m] = (int32_t)k;
        /* No branch: every fifth would be mispredicted. */
        m += (s[m] > 0.0) & (s[m] < 1.0);
    }
    return m;
}

/* The value of each such point, and how many of these lie outside of [low, high], with their numbers. */
static int64_t eventsnn_normals_plain(
    const eventsnn_normal *v, int64_t n, const double *x, const double *s, double *out, int32_t *outside)
{
    int64_t m = 0;
    for (int64_t k = 0; k < n; k++) {
        double value = v->mean + v->std * eventsnn_polar_plain(x[k], s[k]);
        if (!(v->low <= value && value <= v->high))
            outside[m++] = (int32_t)k;
        if (v->grid > 0.0)
            value = v->grid * rint(value / v->grid) + 0.0;
        out[k] = value < v->least ? v->least : value > v->most ? v->most : value;
    }
    return m;
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

/* Lists the bits of a vector that begins at k, of those below n; how many are listed then. */
EVENTSNN_INLINE int64_t eventsnn_list_bits(unsigned bits, int64_t k, int64_t n, int32_t *list, int64_t m)
{
    for (; bits && k + eventsnn_lowest_bit(bits) < n; bits &= bits - 1)
        list[m++] = (int32_t)(k + eventsnn_lowest_bit(bits));
    return m;
}

EVENTSNN_AVX2 static int64_t eventsnn_normals_avx2(
    const eventsnn_normal *v, int64_t n, const double *x, const double *s, double *out, int32_t *outside)
{
    const __m256d grid = _mm256_set1_pd(v->grid), least = _mm256_set1_pd(v->least), most = _mm256_set1_pd(v->most);
    int64_t m = 0;
    for (int64_t k = 0; k < n; k += 4) {
        __m256d value = v->mean + v->std * eventsnn_polar_avx2(_mm256_loadu_pd(x + k), _mm256_loadu_pd(s + k));
        const __m256d within = _mm256_and_pd(_mm256_cmp_pd(value, _mm256_set1_pd(v->low), _CMP_GE_OQ),
                                             _mm256_cmp_pd(value, _mm256_set1_pd(v->high), _CMP_LE_OQ));
        m = eventsnn_list_bits(~(unsigned)_mm256_movemask_pd(within) & 15, k, n, outside, m);
        if (v->grid > 0.0)
            value = grid * _mm256_round_pd(value / grid, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC) + 0.0;
        value = _mm256_blendv_pd(value, most, _mm256_cmp_pd(value, most, _CMP_GT_OQ));
        value = _mm256_blendv_pd(value, least, _mm256_cmp_pd(value, least, _CMP_LT_OQ));
        _mm256_storeu_pd(out + k, value);
    }
    return m;
}

EVENTSNN_AVX512 EVENTSNN_INLINE __m512d eventsnn_coordinate_avx512(const uint32_t *high, const uint32_t *low)
{
    const __m512i upper = _mm512_slli_epi64(_mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)high)), 32);
    const __m512i word = _mm512_or_si512(upper, _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)low)));
    return 2.0 * (_mm512_cvtepi64_pd(_mm512_srli_epi64(word, 11)) * (1.0 / 9007199254740992.0)) - 1.0;
}

EVENTSNN_AVX512 static int64_t eventsnn_points_avx512(
    int64_t n, const uint32_t *w0, const uint32_t *w1, const uint32_t *w2, const uint32_t *w3, double *x, double *s,
    int32_t *inside, int32_t *others)
{
    __m256i number = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    int64_t m = 0;
    for (int64_t k = 0; k < n; k += 8) {
        const __mmask8 real = n - k < 8 ? (__mmask8)((1u << (n - k)) - 1) : 255;
        const __m512d a = eventsnn_coordinate_avx512(w0 + k, w1 + k), b = eventsnn_coordinate_avx512(w2 + k, w3 + k);
        const __m512d square = a * a + b * b;
        const __mmask8 in = real & _mm512_cmp_pd_mask(square, _mm512_setzero_pd(), _CMP_GT_OQ)
            & _mm512_cmp_pd_mask(square, _mm512_set1_pd(1.0), _CMP_LT_OQ);
        _mm512_storeu_pd(x + m, _mm512_maskz_compress_pd(in, a));
        _mm512_storeu_pd(s + m, _mm512_maskz_compress_pd(in, square));
        _mm256_storeu_si256((__m256i *)(inside + m), _mm256_maskz_compress_epi32(in, number));
        _mm256_storeu_si256((__m256i *)(others + k - m), _mm256_maskz_compress_epi32((__mmask8)~in, number));
        number = _mm256_add_epi32(number, _mm256_set1_epi32(8));
        m += __builtin_popcount(in);
    }
    return m;
}

EVENTSNN_AVX512 static int64_t eventsnn_normals_avx512(
    const eventsnn_normal *v, int64_t n, const double *x, const double *s, double *out, int32_t *outside)
{
    const __m512d grid = _mm512_set1_pd(v->grid), least = _mm512_set1_pd(v->least), most = _mm512_set1_pd(v->most);
    int64_t m = 0;
    for (int64_t k = 0; k < n; k += 8) {
        __m512d value = v->mean + v->std * eventsnn_polar_avx512(_mm512_loadu_pd(x + k), _mm512_loadu_pd(s + k));
        const __mmask8 within = _mm512_cmp_pd_mask(value, _mm512_set1_pd(v->low), _CMP_GE_OQ)
            & _mm512_cmp_pd_mask(value, _mm512_set1_pd(v->high), _CMP_LE_OQ);
        m = eventsnn_list_bits((__mmask8)~within, k, n, outside, m);
        if (v->grid > 0.0)
            value = grid * _mm512_roundscale_pd(value / grid, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC) + 0.0;
        value = _mm512_mask_blend_pd(_mm512_cmp_pd_mask(value, most, _CMP_GT_OQ), value, most);
        value = _mm512_mask_blend_pd(_mm512_cmp_pd_mask(value, least, _CMP_LT_OQ), value, least);
        _mm512_storeu_pd(out + k, value);
    }
    return m;
}

#endif

static int64_t eventsnn_points(
    int lanes, int64_t n, const uint32_t *w0, const uint32_t *w1, const uint32_t *w2, const uint32_t *w3, double *x,
    double *s, int32_t *inside, int32_t *others)
{
#ifdef EVENTSNN_VECTORS
    if (lanes == 8)
        return eventsnn_points_avx512(n, w0, w1, w2, w3, x, s, inside, others);
#endif
    (void)lanes;
    return eventsnn_points_plain(n, w0, w1, w2, w3, x, s, inside, others);
}

static int64_t eventsnn_normals(
    int lanes, const eventsnn_normal *v, int64_t n, const double *x, const double *s, double *out, int32_t *outside)
{
#ifdef EVENTSNN_VECTORS
    if (lanes == 8)
        return eventsnn_normals_avx512(v, n, x, s, out, outside);
    if (lanes >= 4)
        return eventsnn_normals_avx2(v, n, x, s, out, outside);
#endif
    (void)lanes;
    return eventsnn_normals_plain(v, n, x, s, out, outside);
}

#endif
