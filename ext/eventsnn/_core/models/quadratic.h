/* The recurrence of quadratic_lanes.h for one neuron and for several. */

/* Where the constants of the model's own are. */
enum {
    EVENTSNN_CURVATURE = 0,
    EVENTSNN_E_L = 1,
    EVENTSNN_SPAN = 2,
    EVENTSNN_RHEOBASE = 3,
    EVENTSNN_OWN = 4
};

#define EVENTSNN_RECURRENCE "eventsnn/_core/models/quadratic_lanes.h"
#include "eventsnn/_core/solve/series_all.h"
