/* The recurrence of izhikevich_lanes.h for one neuron and for several. */

#define EVENTSNN_RECURRENCE "izhikevich_lanes.h"
#include "series_all.h"
