/* The loops over the neurons of a fan: one interval forward in time, one interval back, one arrival.
 *
 * All neurons of a fan receive the same spikes at the same times, so that an interval has one set of factors for all.
 * The way there is written for vectors in fan_lanes.h, the rest is plain C that compilers make vectors of; the order of
 * every sum is written out, so that the bits do not depend on the width of vectors.
 */

#ifndef EVENTSNN_TRAIN_FAN_H
#define EVENTSNN_TRAIN_FAN_H

#include "eventsnn/_core/base/compiler.h"

#include <stdint.h>

typedef struct {
    double h;            /* ms, how long the interval is */
    double membrane;     /* exp(-h / tau_m) */
    double synapse[2];   /* exp(-h / tau_syn), by port */
    double kernel[2];    /* what 1 pA at the beginning has made of V at the end, mV */
    double drive;        /* what I_e has made of it, mV */
} eventsnn_factors;

typedef struct {
    double per_tau_m;        /* 1/ms */
    double per_tau_syn[2];   /* 1/ms */
    double per_C;            /* 1/pF */
    double change;           /* I_e / C_m, mV/ms */
    int currents;            /* 1 or 2 */
} eventsnn_rates;

/* The state of the neurons: V relative to E_L (-inf while refractory), and the synaptic currents. */
typedef struct {
    double *v;
    double *current[2];
} eventsnn_states;

#define EVENTSNN_FUNCTIONS "eventsnn/_core/train/fan_lanes.h"
#include "eventsnn/_core/base/each_width.h"

/* The transposed: what the states at the end weigh is brought back to the beginning. */
EVENTSNN_EACH void eventsnn_retreat_each(int n, int currents, const eventsnn_factors *f, const eventsnn_states *s)
{
    double *__restrict v = s->v, *__restrict x = s->current[0], *__restrict y = s->current[1];
    const double membrane = f->membrane, fx = f->synapse[0], fy = f->synapse[1], kx = f->kernel[0], ky = f->kernel[1];
    for (int k = 0; k < n; k++)
        x[k] = x[k] * fx + v[k] * kx;
    if (currents == 2)
        for (int k = 0; k < n; k++)
            y[k] = y[k] * fy + v[k] * ky;
    for (int k = 0; k < n; k++)
        v[k] = v[k] * membrane;
}

/* Adds the weights of an arrival to the currents; port -1: to the first if positive, else to the second. */
EVENTSNN_EACH void eventsnn_receive_each(int n, int port, const double *__restrict weight, const eventsnn_states *s)
{
    double *__restrict x = s->current[0], *__restrict y = s->current[1];
    if (port >= 0) {
        double *__restrict z = port ? y : x;
        for (int k = 0; k < n; k++)
            z[k] += weight[k];
        return;
    }
    for (int k = 0; k < n; k++) {
        x[k] += weight[k] >= 0.0 ? weight[k] : 0.0;
        y[k] += weight[k] >= 0.0 ? 0.0 : weight[k];
    }
}

/* Adds an arrival's part to the gradient of the weights, and returns that of its time. */
EVENTSNN_EACH double eventsnn_collect_each(
    int n, int port, const eventsnn_rates *r, const double *__restrict weight, const eventsnn_states *s,
    double *__restrict gradient)
{
    const double *__restrict v = s->v, *__restrict x = s->current[0], *__restrict y = s->current[1];
    const double per_C = r->per_C, rx = r->per_tau_syn[0], ry = r->per_tau_syn[1];
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    int k = 0;
    if (port >= 0) {
        const double *__restrict z = port ? y : x;
        const double rz = port ? ry : rx;
        for (; k + 4 <= n; k += 4)
            for (int i = 0; i < 4; i++) {
                gradient[k + i] += z[k + i];
                sum[i] += weight[k + i] * (z[k + i] * rz - v[k + i] * per_C);
            }
        for (int i = 0; k < n; k++, i++) {
            gradient[k] += z[k];
            sum[i] += weight[k] * (z[k] * rz - v[k] * per_C);
        }
    } else {
        for (int i = 0; k < n; k++, i = (i + 1) & 3) {
            int first = weight[k] >= 0.0;
            double z = first ? x[k] : y[k];
            gradient[k] += z;
            sum[i] += weight[k] * (z * (first ? rx : ry) - v[k] * per_C);
        }
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

#ifdef EVENTSNN_VECTORS
EVENTSNN_AVX2 static void eventsnn_retreat_avx2(
    int n, int currents, const eventsnn_factors *f, const eventsnn_states *s)
{
    eventsnn_retreat_each(n, currents, f, s);
}

EVENTSNN_AVX2 static void eventsnn_receive_avx2(int n, int port, const double *weight, const eventsnn_states *s)
{
    eventsnn_receive_each(n, port, weight, s);
}

EVENTSNN_AVX2 static double eventsnn_collect_avx2(
    int n, int port, const eventsnn_rates *r, const double *weight, const eventsnn_states *s, double *gradient)
{
    return eventsnn_collect_each(n, port, r, weight, s, gradient);
}
#define EVENTSNN_WIDEST(name, ...) (lanes >= 4 ? eventsnn_##name##_avx2(__VA_ARGS__) : eventsnn_##name##_each(__VA_ARGS__))
#else
#define EVENTSNN_WIDEST(name, ...) ((void)lanes, eventsnn_##name##_each(__VA_ARGS__))
#endif

/* Advances all neurons and keeps their states in `old`. Sets flag[k] if neuron k may have reached its bar, or is released
 * before `end`, and returns whether any is set. */
static int64_t eventsnn_advance(
    int lanes, int n, const eventsnn_rates *r, const eventsnn_factors *f, double end, const eventsnn_states *s,
    const eventsnn_states *old, const double *bar, const double *release, int64_t *flag)
{
#ifdef EVENTSNN_VECTORS
    if (lanes >= 8 && n >= 8)
        return eventsnn_advance_avx512(0, n, r, f, end, s, old, bar, release, flag);
    if (lanes >= 4 && n >= 4)
        return eventsnn_advance_avx2(0, n, r, f, end, s, old, bar, release, flag);
#endif
    (void)lanes;
    return eventsnn_one_advance(0, n, r, f, end, s, old, bar, release, flag);
}

static void eventsnn_retreat(int lanes, int n, int currents, const eventsnn_factors *f, const eventsnn_states *s)
{
    EVENTSNN_WIDEST(retreat, n, currents, f, s);
}

static void eventsnn_receive(int lanes, int n, int port, const double *weight, const eventsnn_states *s)
{
    EVENTSNN_WIDEST(receive, n, port, weight, s);
}

static double eventsnn_collect(
    int lanes, int n, int port, const eventsnn_rates *r, const double *weight, const eventsnn_states *s,
    double *gradient)
{
    return EVENTSNN_WIDEST(collect, n, port, r, weight, s, gradient);
}

#endif
