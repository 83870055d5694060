/* Constants and places that the recurrence of hodgkin_huxley_lanes.h needs, for any width of vectors. */

#ifndef EVENTSNN_HODGKIN_HUXLEY_H
#define EVENTSNN_HODGKIN_HUXLEY_H

#define EVENTSNN_NEAR_ZERO 0.3
#define EVENTSNN_TERMS 12

/* B_2k / (2k)!, k = 1 to 12. */
static const double eventsnn_bernoulli[EVENTSNN_TERMS] = {
    1.0 / 12.0, -1.0 / 720.0, 1.0 / 30240.0, -1.0 / 1209600.0, 1.0 / 47900160.0, -691.0 / 1307674368000.0,
    1.0 / 74724249600.0, -3617.0 / 10670622842880000.0, 43867.0 / 5109094217170944000.0,
    -174611.0 / 802857662698291200000.0, 77683.0 / 14101100039391805440000.0,
    -236364091.0 / 1693824136731743669452800000.0};

/* Where the constants of the model's own are. */
enum {
    EVENTSNN_G_NA = 0,
    EVENTSNN_G_K = 1,
    EVENTSNN_G_L = 2,
    EVENTSNN_PER_C = 3,
    EVENTSNN_E_NA = 4,
    EVENTSNN_E_K = 5,
    EVENTSNN_E_L = 6,
    EVENTSNN_E_EX = 7,
    EVENTSNN_E_IN = 8,
    EVENTSNN_V_T = 9,
    EVENTSNN_RATE_EX = 10,
    EVENTSNN_RATE_IN = 11,
    EVENTSNN_OWN = 12
};

/* Series. */
enum {
    EVENTSNN_CHANGES = 0,     /* of V: its orders, each times its own */
    EVENTSNN_FIFTH = 1,       /* exp((V - V_T - 40) / 5) */
    EVENTSNN_FOURTH = 2,      /* exp((13 - V + V_T) / 4) */
    EVENTSNN_EIGHTEENTH = 3,  /* exp((17 - V + V_T) / 18) */
    EVENTSNN_FORTIETH = 4,    /* exp((10 - V + V_T) / 40) */
    EVENTSNN_LAST_FIFTH = 5,  /* exp((15 - V + V_T) / 5) */
    EVENTSNN_ALPHA_M = 6,
    EVENTSNN_BETA_M = 7,
    EVENTSNN_ALPHA_N = 8,
    EVENTSNN_BETA_H = 9,
    EVENTSNN_SUM_M = 10,
    EVENTSNN_SUM_H = 11,
    EVENTSNN_SUM_N = 12,
    EVENTSNN_M_2 = 13,
    EVENTSNN_M_H = 14,
    EVENTSNN_N_2 = 15,
    EVENTSNN_TOTAL = 16,
    EVENTSNN_RATIO_OF_ALPHA_M = 17,  /* 2 + EVENTSNN_TERMS of each */
    EVENTSNN_RATIO_OF_BETA_M = 31,
    EVENTSNN_RATIO_OF_ALPHA_N = 45
};

#define EVENTSNN_RECURRENCE "eventsnn/_core/models/hodgkin_huxley_lanes.h"
#include "eventsnn/_core/solve/series_all.h"

#endif
