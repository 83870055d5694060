/* The loops of scatter.pxd over the synapses of a slice, in C so that each is compiled for every kind of weight and state.
 *
 * Of a slice, target[i] receives the weight shared, weight[i] or weight32[i]. A weight goes to `port`, or by its sign to
 * by_sign[0] or by_sign[1] if that is negative, and adds its multiple of u[port] and x[port] to a neuron's state: to U,
 * and if it has currents to X of slot[port]. The state of neuron n begins at state + n * stride. flag[n] says whether the
 * neuron is alert, and whether its state is not yet in the frame of the block (late).
 */

#ifndef EVENTSNN_SCATTER_H
#define EVENTSNN_SCATTER_H

#include <stdint.h>

#if defined(_MSC_VER)
#define EVENTSNN_EACH static __forceinline
#else
#define EVENTSNN_EACH static inline __attribute__((always_inline))
#endif

enum { EVENTSNN_ALERT = 1, EVENTSNN_LATE = 2 };
/* Kinds of weights. */
enum { EVENTSNN_SHARED, EVENTSNN_DOUBLES, EVENTSNN_FLOATS };
/* Doubles of a state: U, the time of the last event, X; of a neuron without currents only U. */
enum { EVENTSNN_U, EVENTSNN_LAST, EVENTSNN_X, EVENTSNN_STATE = 4 };
enum { EVENTSNN_PORTS = 2 };

typedef struct {
    int32_t neuron;
    int32_t row;
} eventsnn_taken;

typedef struct {
    const int32_t *target;
    const double *weight;
    const float *weight32;
    double shared;
    int64_t n;
    double time;
    int32_t row;
    int port;
    int by_sign[2];
    double u[EVENTSNN_PORTS];
    double x[EVENTSNN_PORTS];
    int slot[EVENTSNN_PORTS];
} eventsnn_pulse;

/* Where arrivals at alert neurons are noted, from n on, and their weights if these differ. */
typedef struct {
    eventsnn_taken *taken;
    double *weight;
    int64_t n;
} eventsnn_notes;

EVENTSNN_EACH double eventsnn_weight(const eventsnn_pulse *p, int kind, int64_t i)
{
    return kind == EVENTSNN_SHARED ? p->shared : kind == EVENTSNN_DOUBLES ? p->weight[i] : p->weight32[i];
}

EVENTSNN_EACH int eventsnn_port(const eventsnn_pulse *p, double weight)
{
    return p->port >= 0 ? p->port : p->by_sign[weight < 0.0];
}

/* ---- room: what is left of it is never more than the exact difference, whatever is rounded. */

EVENTSNN_EACH void eventsnn_use_each(const eventsnn_pulse *p, int kind, float *room)
{
    const int32_t *target = p->target;
    const int64_t n = p->n;
    float weight = (float)p->shared;
    for (int64_t i = 0; i < n; i++) {
        if (kind != EVENTSNN_SHARED) {
            weight = (float)eventsnn_weight(p, kind, i);
            weight = weight > 0.0f ? weight : 0.0f;
        }
        room[target[i]] = room[target[i]] * 0.9999997615814209f - weight;
    }
}

static void eventsnn_use_room(const eventsnn_pulse *p, int kind, float *room)
{
    if (kind == EVENTSNN_SHARED) {
        if (p->shared > 0.0)
            eventsnn_use_each(p, EVENTSNN_SHARED, room);
    } else if (kind == EVENTSNN_DOUBLES) {
        eventsnn_use_each(p, EVENTSNN_DOUBLES, room);
    } else {
        eventsnn_use_each(p, EVENTSNN_FLOATS, room);
    }
}

/* The first of n places from i on whose room is negative; n if there is none. */
static int64_t eventsnn_none_left(const float *room, int64_t i, int64_t n)
{
    for (; i + 16 <= n; i += 16) {
        int none = 0;
        for (int k = 0; k < 16; k++)
            none |= room[i + k] < 0.0f;
        if (none)
            break;
    }
    while (i < n && !(room[i] < 0.0f))
        i++;
    return i;
}

/* ---- a slice that is alone at its time. Returns where it stopped: at the end, or at a neuron that is late. */

EVENTSNN_EACH int64_t eventsnn_scatter_each(
    const eventsnn_pulse *p, int kind, int currents, int64_t i, double *state, const uint8_t *flag, eventsnn_notes *notes)
{
    const int32_t *target = p->target;
    const int64_t last = p->n - 1, stride = currents ? EVENTSNN_STATE : 1;
    const double time = p->time;
    const int32_t row = p->row;
    eventsnn_taken *taken = notes->taken;
    double *taken_weight = notes->weight;
    int64_t m = notes->n;
    double weight = p->shared;
    int port = eventsnn_port(p, weight), slot = EVENTSNN_X + p->slot[port];
    double u = weight * p->u[port], x = weight * p->x[port];
    for (; i <= last; i++) {
        const int32_t n = target[i];
        const int what = flag[n];
        double *s = state + n * stride;
        if (what & EVENTSNN_LATE)
            break;
        if (i < last && target[i + 1] == n) {
            /* Synapses of one pair: a tie. */
            double sums[EVENTSNN_PORTS] = {0.0, 0.0};
            for (; i <= last && target[i] == n; i++) {
                const double w = eventsnn_weight(p, kind, i);
                sums[eventsnn_port(p, w)] += w;
                taken[m].neuron = n;
                taken[m].row = row;
                if (kind != EVENTSNN_SHARED)
                    taken_weight[m] = w;
                m += what & EVENTSNN_ALERT;
            }
            i--;
            if (currents) {
                s[EVENTSNN_LAST] = time;
                for (port = 0; port < EVENTSNN_PORTS; port++) {
                    s[EVENTSNN_X + p->slot[port]] += sums[port] * p->x[port];
                    s[EVENTSNN_U] += sums[port] * p->u[port];
                }
            } else {
                s[EVENTSNN_U] += sums[0] * p->u[0];
            }
            continue;
        }
        if (kind != EVENTSNN_SHARED) {
            weight = eventsnn_weight(p, kind, i);
            if (currents) {
                const int to = eventsnn_port(p, weight);
                slot = EVENTSNN_X + p->slot[to];
                x = weight * p->x[to];
                u = weight * p->u[to];
            } else {
                u = weight * p->u[0];
            }
            taken_weight[m] = weight;
        }
        taken[m].neuron = n;
        taken[m].row = row;
        m += what & EVENTSNN_ALERT;
        s[EVENTSNN_U] += u;
        if (currents) {
            s[slot] += x;
            s[EVENTSNN_LAST] = time;
        }
    }
    notes->n = m;
    return i;
}

/* ---- slices of one time: the sums of weights by port first, for all of them, then what they add. */

EVENTSNN_EACH void eventsnn_sum_each(
    const eventsnn_pulse *p, int kind, int currents, double *tie, const uint8_t *flag, eventsnn_notes *notes)
{
    const int32_t *target = p->target;
    const int64_t n_targets = p->n;
    const int32_t row = p->row;
    eventsnn_taken *taken = notes->taken;
    double *taken_weight = notes->weight;
    int64_t m = notes->n;
    double weight = p->shared;
    int port = eventsnn_port(p, weight);
    for (int64_t i = 0; i < n_targets; i++) {
        const int32_t n = target[i];
        if (kind != EVENTSNN_SHARED) {
            weight = eventsnn_weight(p, kind, i);
            port = eventsnn_port(p, weight);
            taken_weight[m] = weight;
        }
        taken[m].neuron = n;
        taken[m].row = row;
        m += flag[n] & EVENTSNN_ALERT;
        if (currents)
            tie[EVENTSNN_PORTS * (int64_t)n + port] += weight;
        else
            tie[n] += weight;
    }
    notes->n = m;
}

EVENTSNN_EACH int64_t eventsnn_add_each(
    const eventsnn_pulse *p, int currents, int64_t i, double *state, double *tie, const uint8_t *flag)
{
    const int32_t *target = p->target;
    const int64_t n_targets = p->n;
    const double u = p->u[0], time = p->time;
    for (; i < n_targets; i++) {
        const int32_t n = target[i];
        if (flag[n] & EVENTSNN_LATE)
            break;
        if (currents) {
            double *s = state + n * (int64_t)EVENTSNN_STATE, *sums = tie + EVENTSNN_PORTS * (int64_t)n;
            s[EVENTSNN_LAST] = time;
            for (int port = 0; port < EVENTSNN_PORTS; port++) {
                s[EVENTSNN_X + p->slot[port]] += sums[port] * p->x[port];
                s[EVENTSNN_U] += sums[port] * p->u[port];
                sums[port] = 0.0;
            }
        } else {
            const double sum = tie[n];
            tie[n] = 0.0;
            state[n] += sum * u;
        }
    }
    return i;
}

/* ---- chosen once for each slice */

static int64_t eventsnn_scatter(
    const eventsnn_pulse *p, int kind, int currents, int64_t i, double *state, const uint8_t *flag, eventsnn_notes *notes)
{
    if (!currents) {
        if (kind == EVENTSNN_SHARED)
            return eventsnn_scatter_each(p, EVENTSNN_SHARED, 0, i, state, flag, notes);
        if (kind == EVENTSNN_DOUBLES)
            return eventsnn_scatter_each(p, EVENTSNN_DOUBLES, 0, i, state, flag, notes);
        return eventsnn_scatter_each(p, EVENTSNN_FLOATS, 0, i, state, flag, notes);
    }
    if (kind == EVENTSNN_SHARED)
        return eventsnn_scatter_each(p, EVENTSNN_SHARED, 1, i, state, flag, notes);
    if (kind == EVENTSNN_DOUBLES)
        return eventsnn_scatter_each(p, EVENTSNN_DOUBLES, 1, i, state, flag, notes);
    return eventsnn_scatter_each(p, EVENTSNN_FLOATS, 1, i, state, flag, notes);
}

static void eventsnn_sum(
    const eventsnn_pulse *p, int kind, int currents, double *tie, const uint8_t *flag, eventsnn_notes *notes)
{
    if (!currents) {
        if (kind == EVENTSNN_SHARED)
            eventsnn_sum_each(p, EVENTSNN_SHARED, 0, tie, flag, notes);
        else if (kind == EVENTSNN_DOUBLES)
            eventsnn_sum_each(p, EVENTSNN_DOUBLES, 0, tie, flag, notes);
        else
            eventsnn_sum_each(p, EVENTSNN_FLOATS, 0, tie, flag, notes);
    } else if (kind == EVENTSNN_SHARED) {
        eventsnn_sum_each(p, EVENTSNN_SHARED, 1, tie, flag, notes);
    } else if (kind == EVENTSNN_DOUBLES) {
        eventsnn_sum_each(p, EVENTSNN_DOUBLES, 1, tie, flag, notes);
    } else {
        eventsnn_sum_each(p, EVENTSNN_FLOATS, 1, tie, flag, notes);
    }
}

static int64_t eventsnn_add_tie(
    const eventsnn_pulse *p, int currents, int64_t i, double *state, double *tie, const uint8_t *flag)
{
    return currents ? eventsnn_add_each(p, 1, i, state, tie, flag) : eventsnn_add_each(p, 0, i, state, tie, flag);
}

#endif
