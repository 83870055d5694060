/* The recurrence of exponential_lanes.h for one neuron and for several. */

/* Where the constants of the model's own are. */
enum {
    EVENTSNN_RATE_L = 0,
    EVENTSNN_E_L = 1,
    EVENTSNN_V_T = 2,
    EVENTSNN_PER_DELTA = 3,
    EVENTSNN_UPSTROKE = 4,
    EVENTSNN_PER_C = 5,
    EVENTSNN_E_EX = 6,
    EVENTSNN_E_IN = 7,
    EVENTSNN_RATE_EX = 8,
    EVENTSNN_RATE_IN = 9,
    EVENTSNN_A = 10,
    EVENTSNN_RATE_W = 11,
    EVENTSNN_OWN = 12
};

#define EVENTSNN_RECURRENCE "eventsnn/_core/models/exponential_lanes.h"
#include "eventsnn/_core/solve/series_all.h"
