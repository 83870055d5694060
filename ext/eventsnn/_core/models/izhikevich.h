/* The recurrence of izhikevich_lanes.h for one neuron and for several. */

/* Where the constants of the model's own are. */
enum {
    EVENTSNN_A = 0,
    EVENTSNN_B = 1,
    EVENTSNN_K_2 = 2,
    EVENTSNN_K_1 = 3,
    EVENTSNN_K_0 = 4,
    EVENTSNN_V_U = 5,
    EVENTSNN_LEAK_U = 6,
    EVENTSNN_STEP = 7,
    EVENTSNN_OWN = 8
};

#define EVENTSNN_RECURRENCE "eventsnn/_core/models/izhikevich_lanes.h"
#include "eventsnn/_core/solve/series_all.h"
