/* Taylor series of one neuron and of several side by side: taylor.pxd explains them.
 *
 * A model has its recurrence in a header of its own, `extend`, which series_all.h compiles for one number and for
 * vectors of two kinds, so that all give the same bits.
 * eventsnn_one_extend(p, z, first, last): the orders of one neuron's series above first, up to last.
 * eventsnn_look(lanes, e): the first orders of lanes neurons.
 */

#ifndef EVENTSNN_TAYLOR_H
#define EVENTSNN_TAYLOR_H

#include <math.h>
#include <stdint.h>

#include "eventsnn/_core/base/compiler.h"
#include "eventsnn/_core/draw/growth.h"

#define EVENTSNN_ULP 2.220446049250313e-16
#define EVENTSNN_ROUNDING 1.7763568394002505e-15
#define EVENTSNN_NO_MORE 9.5367431640625e-07

#define EVENTSNN_ORDERS 25     /* orders of a series, the constant included */
#define EVENTSNN_AUXILIARY 64  /* series that a recurrence needs beside the variables' */
#define EVENTSNN_FEWEST 4      /* orders, before the last two terms say anything */
#define EVENTSNN_VARIABLES 8   /* of a neuron whose series is found beside others */
#define EVENTSNN_MOST_EXPONENT 700.0

/* The first orders of all variables, V first, from the time of the state on. */
typedef struct {
    double *y;                 /* (variables, EVENTSNN_ORDERS) */
    double force[EVENTSNN_ORDERS]; /* what the drive adds to dV/dt */
    double aux[EVENTSNN_AUXILIARY][EVENTSNN_ORDERS];
    int variables;
    int held;                  /* V is held */
} eventsnn_one_series;

/* Free neurons under constant drives whose series are found side by side, up to 8. */
typedef struct {
    EVENTSNN_ROW state[EVENTSNN_VARIABLES][8];
    EVENTSNN_ROW drive[8];
    EVENTSNN_ROW h[8];               /* how far the series is to be good for */
    const double *own[8];      /* constants of the model's own */
    const double *tolerance[8];
    double *y[8];              /* out: (variables, EVENTSNN_ORDERS) */
    int n;
    int variables;
    int constants;             /* of the model's own */
    int order;                 /* of the series, at most; out: so many are known */
} eventsnn_looks;

#endif
