/* Neurons with conductances. eventsnn/models/conductance.py explains them; the operations are the same, in the same order.
 *
 * conductance_lanes.h has them once for one number and for vectors of two kinds, so that all give the same bits.
 * eventsnn_one_...: of one neuron.
 * eventsnn_conduct(lanes, e, rule, slots): of many at once, each at a time of its own; slots is 4 for alpha functions, 2
 * for exponentials, lanes what eventsnn_lanes() of compiler.h says.
 */

#ifndef EVENTSNN_CONDUCTANCE_H
#define EVENTSNN_CONDUCTANCE_H

#include <math.h>
#include <stdint.h>

#include "eventsnn/_core/base/compiler.h"
#include "eventsnn/_core/draw/growth.h"

#define EVENTSNN_ROOM 64
#define EVENTSNN_RULES 3
#define EVENTSNN_HELD 3                   /* in place of a rule: V is held */
#define EVENTSNN_HORIZON 0.125            /* of tau_syn_in */
#define EVENTSNN_MARGIN 9.094947017729282e-13 /* far more than rounding, far less than what matters */

/* Where they are among the constants of a class. */
enum {
    EVENTSNN_PER_C = 0,
    EVENTSNN_V_TH = 2,
    EVENTSNN_RATE_L = 3,
    EVENTSNN_E_L = 4,
    EVENTSNN_V_RESET = 6,
    EVENTSNN_E_EX = 7,
    EVENTSNN_E_IN = 8,
    EVENTSNN_RATE_EX = 9,
    EVENTSNN_RATE_IN = 10,
    EVENTSNN_TAU_EX = 11,
    EVENTSNN_TAU_IN = 12,
    EVENTSNN_SCALES = 13 /* of the weights of each port */
};

/* Half of the nodes of each rule, from the middle, with their weights. */
static const int eventsnn_pairs[EVENTSNN_RULES] = {3, 4, 6};
static const double eventsnn_nodes[EVENTSNN_RULES][6][2] = {
    {{0.11930959304159845, 0.23395696728634552},
     {0.33060469323313224, 0.1803807865240693},
     {0.466234757101576, 0.08566224618958518}},
    {{0.0917173212478249, 0.181341891689181},
     {0.26276620495816449, 0.15685332293894363},
     {0.39833323870681337, 0.11119051722668724},
     {0.48014492824876814, 0.05061426814518813}},
    {{0.06261670425573446, 0.12457352290670139},
     {0.1839157494990901, 0.1167462682691774},
     {0.29365897714330874, 0.10158371336153296},
     {0.38495133709715235, 0.08003916427167311},
     {0.45205862818523745, 0.05346966299765921},
     {0.4907803171233596, 0.023587668193255914}}};

/* Events of one rule. The state, h before the event, becomes that after it. */
typedef struct {
    EVENTSNN_ROW v[EVENTSNN_ROOM];
    double h[EVENTSNN_ROOM], drive[EVENTSNN_ROOM], x[4][EVENTSNN_ROOM];
    double added[2][EVENTSNN_ROOM]; /* to what the two ports add to */
    double bound[EVENTSNN_ROOM];    /* out: so long (ms) after it there is surely no crossing */
    double a[EVENTSNN_ROOM];        /* out: the largest rate (1/ms) of V from then on */
    const double *c[EVENTSNN_ROOM]; /* constants */
    int n;
} eventsnn_conducting;

#define EVENTSNN_FUNCTIONS "eventsnn/_core/models/conductance_lanes.h"
#include "eventsnn/_core/base/each_width.h"

#ifdef EVENTSNN_VECTORS

static inline void eventsnn_conduct(int lanes, eventsnn_conducting *e, int rule, int slots)
{
    if (lanes == 8)
        eventsnn_conduct_avx512(e, rule, slots);
    else if (lanes == 4)
        eventsnn_conduct_avx2(e, rule, slots);
    else
        eventsnn_one_conduct(e, rule, slots);
}

#else

#define eventsnn_conduct(lanes, e, rule, slots) ((void)(lanes), eventsnn_one_conduct(e, rule, slots))

#endif

#endif
