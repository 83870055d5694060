/* A model's recurrence, EVENTSNN_RECURRENCE, for one number and for vectors. */

#include "eventsnn/_core/solve/taylor.h"

#define EVENTSNN_FUNCTIONS "eventsnn/_core/solve/series_lanes.h"
#include "eventsnn/_core/base/each_width.h"

#ifdef EVENTSNN_VECTORS

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
