/* A model's recurrence, EVENTSNN_RECURRENCE, for one number and for vectors. */

#include "eventsnn/_core/solve/taylor.h"

#define EVENTSNN_OF(name) eventsnn_one_##name
#define EVENTSNN_TARGET
#define EVENTSNN_WIDTH 1
#define EVENTSNN_EXP eventsnn_exp_plain
#include "eventsnn/_core/solve/series_lanes.h"

#ifdef EVENTSNN_VECTORS

#define EVENTSNN_OF(name) eventsnn_##name##_avx2
#define EVENTSNN_TARGET EVENTSNN_AVX2
#define EVENTSNN_WIDTH 4
#define EVENTSNN_EXP eventsnn_exp_avx2
#include "eventsnn/_core/solve/series_lanes.h"

#define EVENTSNN_OF(name) eventsnn_##name##_avx512
#define EVENTSNN_TARGET EVENTSNN_AVX512
#define EVENTSNN_WIDTH 8
#define EVENTSNN_EXP eventsnn_exp_avx512
#include "eventsnn/_core/solve/series_lanes.h"

static inline void eventsnn_look(int lanes, eventsnn_looks *e)
{
    if (lanes == 8)
        eventsnn_look_avx512(e);
    else if (lanes == 4)
        eventsnn_look_avx2(e);
    else
        eventsnn_one_look(e);
}

#else

static inline void eventsnn_look(int lanes, eventsnn_looks *e)
{
    (void)lanes;
    eventsnn_one_look(e);
}

#endif
