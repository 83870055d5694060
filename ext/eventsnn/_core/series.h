/* What Taylor series need everywhere; taylor.pxd says of what the numbers are parts. */

#ifndef EVENTSNN_SERIES_H
#define EVENTSNN_SERIES_H

#define EVENTSNN_ULP 2.220446049250313e-16
#define EVENTSNN_ROUNDING 1.7763568394002505e-15
#define EVENTSNN_NO_MORE 9.5367431640625e-07

static const double eventsnn_inverse[] = {
    0.0,      1.0,      1.0 / 2,  1.0 / 3,  1.0 / 4,  1.0 / 5,  1.0 / 6,  1.0 / 7,  1.0 / 8,
    1.0 / 9,  1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14, 1.0 / 15, 1.0 / 16, 1.0 / 17,
    1.0 / 18, 1.0 / 19, 1.0 / 20, 1.0 / 21, 1.0 / 22, 1.0 / 23, 1.0 / 24};

#endif
