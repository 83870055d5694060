/* All that depends on the compiler, and on how wide its vectors are.
 *
 * EVENTSNN_MOST_LANES: numbers of 64 bits in a vector, at most: 8 (AVX-512), 4 (AVX2), or 1, plain C. What the processor
 * has of these is found out at run time, eventsnn_lanes(). All give the same bits.
 * EVENTSNN_VECTORS is defined where there may be vectors: EVENTSNN_AVX2 and EVENTSNN_AVX512 mark functions for them, and
 * EVENTSNN_INLINE those that must become part of such a one.
 */

#ifndef EVENTSNN_COMPILER_H
#define EVENTSNN_COMPILER_H

#include <stdint.h>

#ifndef EVENTSNN_MOST_LANES
#define EVENTSNN_MOST_LANES 8
#endif

#if defined(_MSC_VER)
#define EVENTSNN_EACH static __forceinline
#else
#define EVENTSNN_EACH static inline __attribute__((always_inline))
#endif

/* A function that some of the kernels which include it do not call. */
#if defined(__GNUC__) || defined(__clang__)
#define EVENTSNN_PERHAPS static __attribute__((unused))
#else
#define EVENTSNN_PERHAPS static
#endif

/* ---- memory: have an address in the cache before it is read, or written */

#if defined(__GNUC__) || defined(__clang__)
#define EVENTSNN_FETCH(address) __builtin_prefetch(address, 0)
#define EVENTSNN_PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define EVENTSNN_FETCH(address) ((void)(address))
#define EVENTSNN_PREFETCH(address) ((void)(address))
#endif

/* ---- bits */

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
EVENTSNN_EACH int eventsnn_lowest_bit(uint64_t word)
{
    unsigned long place;
    _BitScanForward64(&place, word);
    return (int)place;
}
#else
EVENTSNN_EACH int eventsnn_lowest_bit(uint64_t word) { return __builtin_ctzll(word); }
#endif

/* ---- vectors. Not gcc for Windows, which does not align them on the stack. */

#if EVENTSNN_MOST_LANES >= 4 && defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__)) && !defined(_WIN32)
#include <immintrin.h>
#define EVENTSNN_VECTORS
#define EVENTSNN_AVX2 __attribute__((target("avx2,popcnt")))
#define EVENTSNN_AVX512 __attribute__((target("avx2,popcnt,avx512f,avx512dq,avx512vl")))
#define EVENTSNN_INLINE static inline __attribute__((always_inline))
#endif

/* Numbers that are read as vectors, in a struct. */
#ifdef EVENTSNN_VECTORS
#define EVENTSNN_ROW double __attribute__((aligned(64)))
#else
#define EVENTSNN_ROW double
#endif

static inline int eventsnn_lanes(void)
{
#ifdef EVENTSNN_VECTORS
    if (EVENTSNN_MOST_LANES >= 8 && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return 8;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") ? 4 : 1;
#else
    return 1;
#endif
}

#endif
