/* The arithmetic of states in frames: integers of 64 bits, the same with every compiler. eventsnn/solve/frames.py says
 * what they mean. */

#ifndef EVENTSNN_INTEGERS_H
#define EVENTSNN_INTEGERS_H

#include <math.h>
#include <stdint.h>

#include "eventsnn/_core/base/compiler.h"

/* The most ports of a neuron that can be calm. */
enum { EVENTSNN_PORTS = 2 };

/* The threshold is this many units lower when an input is tested for reaching it. */
#define EVENTSNN_SLACK 512

/* ---- of 64 bits */

/* 2^62 */
#define EVENTSNN_LIMIT_64 4611686018427387904.0
#define EVENTSNN_MOST_64 ((int64_t)1 << 62)

#if EVENTSNN_MOST_LANES >= 4 && (defined(__SSE2__) || defined(_M_X64))
#include <emmintrin.h>
/* Half to even. */
EVENTSNN_EACH int64_t eventsnn_rounded(double value) { return _mm_cvtsd_si64(_mm_set_sd(value)); }
#else
EVENTSNN_EACH int64_t eventsnn_rounded(double value) { return (int64_t)llrint(value); }
#endif

/* The nearest, but no more in size than 2^62. */
EVENTSNN_EACH int64_t eventsnn_nearest(double value)
{
    return value >= EVENTSNN_LIMIT_64 ? EVENTSNN_MOST_64
        : value > -EVENTSNN_LIMIT_64  ? eventsnn_rounded(value)
                                      : -EVENTSNN_MOST_64;
}

/* Sums wrap around. */
EVENTSNN_EACH int64_t eventsnn_sum(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* ---- products of 64 bits each, the halves of 128 */

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
EVENTSNN_EACH int64_t eventsnn_product(int64_t a, int64_t b, uint64_t *low)
{
    int64_t high;
    *low = (uint64_t)_mul128(a, b, &high);
    return high;
}
EVENTSNN_EACH uint64_t eventsnn_product_unsigned(uint64_t a, uint64_t b, uint64_t *low)
{
    uint64_t high;
    *low = _umul128(a, b, &high);
    return high;
}
#else
EVENTSNN_EACH int64_t eventsnn_product(int64_t a, int64_t b, uint64_t *low)
{
    const __int128 product = (__int128)a * b;
    *low = (uint64_t)product;
    return (int64_t)(product >> 64);
}
EVENTSNN_EACH uint64_t eventsnn_product_unsigned(uint64_t a, uint64_t b, uint64_t *low)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
}
#endif

/* value factor / 2^63, rounded to the nearest. */
EVENTSNN_EACH int64_t eventsnn_scaled(int64_t value, int64_t factor)
{
    uint64_t low;
    uint64_t high = (uint64_t)eventsnn_product(value, factor, &low);
    low += (uint64_t)1 << 62;
    high += low < (uint64_t)1 << 62;
    return (int64_t)(high << 1 | low >> 63);
}

/* kept: what is left of 1 in a frame, a multiple of 2^-63. */
EVENTSNN_EACH int64_t eventsnn_later(int64_t value, double kept)
{
    return eventsnn_scaled(value, (int64_t)(kept * 9223372036854775808.0));
}

/* ---- of 128 bits */

typedef struct {
    uint64_t low;
    int64_t high;
} eventsnn_wide;

/* 2^124: numbers of this size are too large. */
#define EVENTSNN_LIMIT 21267647932558653966460912964485513216.0

EVENTSNN_EACH eventsnn_wide eventsnn_widened(int64_t value)
{
    const eventsnn_wide wide = {(uint64_t)value, value >> 63};
    return wide;
}

EVENTSNN_EACH eventsnn_wide eventsnn_wide_sum(eventsnn_wide a, eventsnn_wide b)
{
    eventsnn_wide sum;
    sum.low = a.low + b.low;
    sum.high = (int64_t)((uint64_t)a.high + (uint64_t)b.high + (sum.low < a.low));
    return sum;
}

EVENTSNN_EACH int eventsnn_is_narrow(eventsnn_wide a) { return a.high == (int64_t)a.low >> 63; }

EVENTSNN_EACH eventsnn_wide eventsnn_negative(eventsnn_wide a)
{
    a.low = 0 - a.low;
    a.high = (int64_t)(~(uint64_t)a.high + (a.low == 0));
    return a;
}

/* The nearest, but no more in size than the limit. */
static eventsnn_wide eventsnn_wide_nearest(double value)
{
    eventsnn_wide wide;
    double size = fabs(value), high;
    if (size < EVENTSNN_LIMIT_64)
        return eventsnn_widened(eventsnn_rounded(value));
    size = size < EVENTSNN_LIMIT ? size : EVENTSNN_LIMIT;
    high = floor(size / 18446744073709551616.0);
    wide.high = (int64_t)high;
    wide.low = (uint64_t)(size - high * 18446744073709551616.0);
    return value < 0.0 ? eventsnn_negative(wide) : wide;
}

/* The nearest double, half to even. */
EVENTSNN_PERHAPS double eventsnn_wide_double(eventsnn_wide a)
{
    const eventsnn_wide size = a.high < 0 ? eventsnn_negative(a) : a;
    uint64_t low = size.low, high = (uint64_t)size.high;
    int shift = 0;
    if (eventsnn_is_narrow(a))
        return (double)(int64_t)a.low;
    /* Only whether the bits that are shifted out are all zero matters. */
    for (; high; shift++) {
        low = low >> 1 | (low & 1) | high << 63;
        high >>= 1;
    }
    return ldexp((a.high < 0 ? -1.0 : 1.0) * (double)low, shift);
}

EVENTSNN_PERHAPS eventsnn_wide eventsnn_wide_later(eventsnn_wide a, double kept, double frames)
{
    const int64_t factor = (int64_t)(kept * 9223372036854775808.0);
    for (; frames > 0.0 && (a.low | (uint64_t)a.high); frames -= 1.0) {
        uint64_t w0, w1, w2, low;
        if (eventsnn_is_narrow(a)) {
            a = eventsnn_widened(eventsnn_scaled((int64_t)a.low, factor));
            continue;
        }
        w1 = eventsnn_product_unsigned(a.low, (uint64_t)factor, &w0);
        w2 = (uint64_t)eventsnn_product(a.high, factor, &low);
        w0 += (uint64_t)1 << 62;
        w1 += w0 < (uint64_t)1 << 62;
        w1 += low;
        w2 += w1 < low;
        a.low = w1 << 1 | w0 >> 63;
        a.high = (int64_t)(w2 << 1 | w1 >> 63);
    }
    return a;
}

EVENTSNN_EACH int eventsnn_is_lost(eventsnn_wide a)
{
    const int64_t most = (int64_t)1 << 60;
    return a.high >= most || a.high < -most || (a.high == -most && a.low == 0);
}

/* A sum of numbers, moved to the limit if it is larger in size. `rough` is the same sum in double, which cannot wrap. */
EVENTSNN_PERHAPS eventsnn_wide eventsnn_limited(eventsnn_wide sum, double rough)
{
    if (fabs(rough) >= 6.0 * EVENTSNN_LIMIT || eventsnn_is_lost(sum))
        return eventsnn_wide_nearest(rough > 0.0 ? EVENTSNN_LIMIT : -EVENTSNN_LIMIT);
    return sum;
}

#endif
