/* The words in which functions are written that are compiled once for one number and once for vectors of EVENTSNN_WIDTH.
 * It is included before such functions, wide_end.h behind them. EVENTSNN_TARGET: attributes of functions for such a
 * processor; EVENTSNN_OF(name): the name of a function there; EVENTSNN_EXP: the exponential.
 */

#if EVENTSNN_WIDTH > 1
typedef double EVENTSNN_OF(wide) __attribute__((vector_size(8 * EVENTSNN_WIDTH)));
typedef int64_t EVENTSNN_OF(mask) __attribute__((vector_size(8 * EVENTSNN_WIDTH)));
#define CHOOSE(which, a, b) ((WIDE)(((MASK)(a) & (which)) | ((MASK)(b) & ~(which))))
#define SIZE(x) ((WIDE)((MASK)(x) & INT64_MAX))
#define IF(condition) (condition)
#define INLINE EVENTSNN_TARGET static inline __attribute__((always_inline))
#else
typedef double EVENTSNN_OF(wide);
typedef int64_t EVENTSNN_OF(mask);
#define CHOOSE(which, a, b) ((which) ? (a) : (b))
#define SIZE(x) fabs(x)
#define IF(condition) (-(MASK)(condition))
#define INLINE EVENTSNN_EACH
#endif

#define WIDE EVENTSNN_OF(wide)
#define MASK EVENTSNN_OF(mask)
#define FROM(row) (*(const WIDE *)((row) + first))
#define CONSTANT EVENTSNN_OF(constant)
#define ANY EVENTSNN_OF(any)

/* One constant of some classes. */
INLINE WIDE CONSTANT(const double *const *of, int alike, int i)
{
    WIDE out = (WIDE){0} + of[0][i];
#if EVENTSNN_WIDTH > 1
    if (!alike)
        for (int j = 1; j < EVENTSNN_WIDTH; j++)
            out[j] = of[j][i];
#else
    (void)alike;
#endif
    return out;
}

INLINE int ANY(MASK which)
{
#if EVENTSNN_WIDTH > 1
    int64_t any = 0;
    for (int j = 0; j < EVENTSNN_WIDTH; j++)
        any |= which[j];
    return any != 0;
#else
    return which != 0;
#endif
}
