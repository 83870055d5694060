/* Exponentials of many numbers at once.
 *
 * eventsnn_grow(x, n): exp of each of n numbers between -700 and 700, n a multiple of 4, in place; of what is outside,
 *     some number. The operations are those of exp in mathfunc.pxd, one by one and in their order, without a branch, so
 *     that the compiler takes several numbers side by side; the bits are the same.
 */

#ifndef EVENTSNN_GROW_H
#define EVENTSNN_GROW_H

#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define EVENTSNN_INLINE static inline __attribute__((always_inline))
#else
#define EVENTSNN_INLINE static inline
#endif

EVENTSNN_INLINE double eventsnn_cubic(double r)
{
    double r2 = r * r, r4 = r2 * r2;
    double to_6 = (1.0 / 6.0 + r * (1.0 / 24.0)) + r2 * (1.0 / 120.0 + r * (1.0 / 720.0));
    double to_10 = (1.0 / 5040.0 + r * (1.0 / 40320.0)) + r2 * (1.0 / 362880.0 + r * (1.0 / 3628800.0));
    double to_13 = (1.0 / 39916800.0 + r * (1.0 / 479001600.0)) + r2 * (1.0 / 6227020800.0);
    return (r * r2) * ((to_6 + r4 * to_10) + (r4 * r4) * to_13);
}

EVENTSNN_INLINE void eventsnn_grow_with(double *x, int64_t n)
{
    const double shift = 6755399441055744.0; /* 1.5 * 2^52 */
    for (int64_t i = 0; i < n; i++) {
        double shifted = x[i] * 1.4426950408889634 + shift;
        double whole = shifted - shift;
        double above = x[i] - whole * 0.6931471805598903;
        double below = whole * 5.497923018708371e-14;
        double r = above - below;
        double error = (above - r) - below;
        double high = 1.0 + r;
        double result = high + ((((1.0 - high) + r) + error * high) + (0.5 * (r * r) + eventsnn_cubic(r)));
        uint64_t bits;
        double power;
        memcpy(&bits, &shifted, sizeof(bits));
        bits = (bits + 1023) << 52; /* the lowest bits of `shifted` are the whole number */
        memcpy(&power, &bits, sizeof(power));
        x[i] = result * power;
    }
}

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

static __attribute__((target("avx2"))) void eventsnn_grow_avx2(double *x, int64_t n)
{
    eventsnn_grow_with(x, n);
}

static inline void eventsnn_grow(double *x, int64_t n)
{
    if (__builtin_cpu_supports("avx2"))
        eventsnn_grow_avx2(x, n);
    else
        eventsnn_grow_with(x, n);
}

#else

static inline void eventsnn_grow(double *x, int64_t n)
{
    eventsnn_grow_with(x, n);
}

#endif

#endif
