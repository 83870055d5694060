/* The recurrence of quadratic_lanes.h for one neuron and for several. */

#define EVENTSNN_RECURRENCE "quadratic_lanes.h"
#include "series_all.h"
