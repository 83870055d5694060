/* Neurons with conductances side by side: what taylor.pxd does with one, for eight at once.
 *
 * eventsnn_conduct(lanes, e, slots): advances the neuron of each lane that is not there yet by a step from t, or to stop
 * if that comes before its end; slots is 4 for alpha functions, 2 for exponentials. None may have a ramp or sine current.
 * Afterwards `left` is not 0 for those that must go singly from where they were, since they are at rest or too fast; their
 * state means nothing. lanes is what eventsnn_lanes() of compiler.h says.
 *
 * The operations are those of `go` and `few_orders` in taylor.pxd and of conductance.pyx, in the same order, so that the
 * bits are theirs; a lane that has all the orders it needs stands still while the others go on.
 */

#ifndef EVENTSNN_CONDUCTANCE_H
#define EVENTSNN_CONDUCTANCE_H

#include <stdint.h>

#include "cell.h"
#include "growth.h"
#include "series.h"

#define EVENTSNN_LANES 8
#define EVENTSNN_WEIGHT_OF_DECAY 3.0

/* Not gcc for Windows, which does not align vectors on the stack. */
#if (defined(__GNUC__) || defined(__clang__)) && !defined(_WIN32)
#define EVENTSNN_SIDE_BY_SIDE 1
#define EVENTSNN_ROW double __attribute__((aligned(64)))
#else
#define EVENTSNN_SIDE_BY_SIDE 0
#define EVENTSNN_ROW double
#endif

typedef struct {
    EVENTSNN_ROW t[8];
    double stop[8], v[8], drive[8], x[4][8];
    double rate_l[8], E_L[8], per_c[8], E_ex[8], E_in[8], rate_ex[8], rate_in[8], peak_ex[8], peak_in[8];
    double tolerance[8], order[8];
    int64_t held[8], left[8];
} eventsnn_conducting;

#if EVENTSNN_SIDE_BY_SIDE

#define EVENTSNN_MOST_ORDER 24
#define EVENTSNN_LEAST_EXPONENT (-700.0) /* what lies below it belongs to a conductance of 0 */

#define EVENTSNN_OF(name) eventsnn_##name##_plain
#define EVENTSNN_TARGET
#define EVENTSNN_WIDTH 2
#define EVENTSNN_ANY(mask) (((mask)[0] | (mask)[1]) != 0)
#include "conductance_lanes.h"

#ifdef EVENTSNN_VECTORS

#define EVENTSNN_OF(name) eventsnn_##name##_avx2
#define EVENTSNN_TARGET EVENTSNN_AVX2
#define EVENTSNN_WIDTH 4
#define EVENTSNN_ANY(mask) (_mm256_movemask_pd((__m256d)(mask)) != 0)
#include "conductance_lanes.h"

#define EVENTSNN_OF(name) eventsnn_##name##_avx512
#define EVENTSNN_TARGET EVENTSNN_AVX512
#define EVENTSNN_WIDTH 8
#define EVENTSNN_ANY(mask) (_mm512_movepi64_mask((__m512i)(mask)) != 0)
#include "conductance_lanes.h"

static inline void eventsnn_conduct(int lanes, eventsnn_conducting *e, int slots)
{
    if (lanes == 8)
        eventsnn_conduct_avx512(e, slots);
    else if (lanes == 4)
        eventsnn_conduct_avx2(e, slots);
    else
        eventsnn_conduct_plain(e, slots);
}

#else

#define eventsnn_conduct(lanes, e, slots) eventsnn_conduct_plain(e, slots)

#endif

#else

/* Without such vectors all neurons go singly. */
#define eventsnn_conduct(lanes, e, slots) ((void)(e))

#endif

#endif
