/* The recurrence of exponential_lanes.h for one neuron and for several. */

#define EVENTSNN_RECURRENCE "exponential_lanes.h"
#include "series_all.h"
