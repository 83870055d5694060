/* The loops of scatter.pxd over the synapses of a slice, in C so that each is compiled for every kind of weight and state.
 *
 * Of a slice, target[i] receives the weight shared, weight[i] or weight32[i]. A weight goes to `port`, or by its sign to
 * by_sign[0] or by_sign[1] if that is negative, and adds its multiple of u[port] and x[port] to a neuron's state: to U,
 * and if it has currents to X of slot[port]. The state of neuron n begins at state + n * stride. flag[n] says whether the
 * neuron is alert, whether its state is not yet in the frame of the block (late), and whether it is refractory throughout
 * the block (held).
 */

#ifndef EVENTSNN_SCATTER_H
#define EVENTSNN_SCATTER_H

#include <math.h>
#include <stdint.h>

#if defined(_MSC_VER)
#define EVENTSNN_EACH static __forceinline
#else
#define EVENTSNN_EACH static inline __attribute__((always_inline))
#endif

enum { EVENTSNN_ALERT = 1, EVENTSNN_LATE = 2, EVENTSNN_HELD = 4 };
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
    int ascending;
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

/* ---- memory */

#if defined(__GNUC__) || defined(__clang__)
#define EVENTSNN_FETCH(address) __builtin_prefetch(address, 0)
#else
#define EVENTSNN_FETCH(address) ((void)(address))
#endif

/* Fetch a slice, which lies anywhere in memory, before its turn comes. */
static void eventsnn_fetch(const eventsnn_pulse *p, int kind)
{
    enum { LINE = 64 };
    for (int64_t i = 0; i < p->n; i += LINE / (int64_t)sizeof(int32_t))
        EVENTSNN_FETCH(p->target + i);
    if (kind == EVENTSNN_DOUBLES)
        for (int64_t i = 0; i < p->n; i += LINE / (int64_t)sizeof(double))
            EVENTSNN_FETCH(p->weight + i);
    if (kind == EVENTSNN_FLOATS)
        for (int64_t i = 0; i < p->n; i += LINE / (int64_t)sizeof(float))
            EVENTSNN_FETCH(p->weight32 + i);
}

/* ---- notes, and room
 *
 * Before a weight is added to the state of a neuron, it is taken from the neuron's room, if positive. What is left is
 * never more than the exact difference, whatever is rounded. The room of an alert neuron is nan, and its arrivals are
 * noted: since all are written behind the notes and only count if it is nan, this costs no branch. What is added to its
 * state does no harm, the true one is elsewhere. At a neuron that has no room left, or is late (-inf), each of these
 * loops stops and returns its place: nothing has been done there, and the loop goes on from there when that is mended. */

/* Of a weight too large for a float, more than there is room. */
EVENTSNN_EACH float eventsnn_positive(double weight)
{
    const float positive = weight < 2e30 ? (float)weight : 2e30f;
    return positive > 0.0f ? positive : 0.0f;
}

EVENTSNN_EACH float eventsnn_left(float room, float positive)
{
    return room * 0.9999997615814209f - positive;
}

EVENTSNN_EACH int64_t eventsnn_note(
    const eventsnn_notes *notes, int64_t m, int kind, int32_t neuron, int32_t row, double weight, float left)
{
    notes->taken[m].neuron = neuron;
    notes->taken[m].row = row;
    if (kind != EVENTSNN_SHARED)
        notes->weight[m] = weight;
    return m + (left != left);
}

/* ---- a slice that is alone at its time */

/* The synapses of one pair from i on, a tie; the place behind them, or i if the neuron has no room. */
EVENTSNN_EACH int64_t eventsnn_scatter_pair(
    const eventsnn_pulse *p, int kind, int currents, int64_t i, double *state, float *room, eventsnn_notes *notes)
{
    const int32_t n = p->target[i];
    double sums[EVENTSNN_PORTS] = {0.0, 0.0}, *s = state + n * (int64_t)(currents ? EVENTSNN_STATE : 1);
    float left = room[n];
    int64_t end = i;
    for (; end < p->n && p->target[end] == n; end++) {
        const double w = eventsnn_weight(p, kind, end);
        sums[eventsnn_port(p, w)] += w;
        left = eventsnn_left(left, eventsnn_positive(w));
    }
    if (left < 0.0f)
        return i;
    room[n] = left;
    for (; i < end; i++)
        notes->n = eventsnn_note(notes, notes->n, kind, n, p->row, eventsnn_weight(p, kind, i), left);
    if (currents) {
        s[EVENTSNN_LAST] = p->time;
        for (int port = 0; port < EVENTSNN_PORTS; port++) {
            s[EVENTSNN_X + p->slot[port]] += sums[port] * p->x[port];
            s[EVENTSNN_U] += sums[port] * p->u[port];
        }
    } else {
        s[EVENTSNN_U] += sums[0] * p->u[0];
    }
    return end;
}

EVENTSNN_EACH int64_t eventsnn_scatter_each(
    const eventsnn_pulse *p, int kind, int currents, int64_t i, double *state, float *room, eventsnn_notes *notes)
{
    const int32_t *target = p->target;
    const int64_t last = p->n - 1, stride = currents ? EVENTSNN_STATE : 1;
    const double time = p->time;
    const int32_t row = p->row;
    const eventsnn_notes at = *notes;
    int64_t m = at.n;
    double weight = p->shared;
    int port = eventsnn_port(p, weight), slot = EVENTSNN_X + p->slot[port];
    double u = weight * p->u[port], x = weight * p->x[port];
    float positive = eventsnn_positive(weight);
    while (i <= last) {
        const int32_t n = target[i];
        double *s = state + n * stride;
        float left;
        if (i < last && target[i + 1] == n) {
            int64_t next;
            notes->n = m;
            next = eventsnn_scatter_pair(p, kind, currents, i, state, room, notes);
            m = notes->n;
            if (next == i)
                break;
            i = next;
            continue;
        }
        if (kind != EVENTSNN_SHARED) {
            weight = eventsnn_weight(p, kind, i);
            positive = eventsnn_positive(weight);
            port = currents ? eventsnn_port(p, weight) : 0;
            u = weight * p->u[port];
            x = weight * p->x[port];
            slot = EVENTSNN_X + p->slot[port];
        }
        left = eventsnn_left(room[n], positive);
        if (left < 0.0f)
            break;
        room[n] = left;
        m = eventsnn_note(&at, m, kind, n, row, weight, left);
        s[EVENTSNN_U] += u;
        if (currents) {
            s[slot] += x;
            s[EVENTSNN_LAST] = time;
        }
        i++;
    }
    notes->n = m;
    return i;
}

/* ---- slices of one time: the sums of weights by port first, for all of them, then what they add */

EVENTSNN_EACH int64_t eventsnn_sum_each(
    const eventsnn_pulse *p, int kind, int currents, int64_t i, double *tie, float *room, eventsnn_notes *notes)
{
    const int32_t *target = p->target;
    const int64_t n_targets = p->n;
    const int32_t row = p->row;
    const eventsnn_notes at = *notes;
    int64_t m = at.n;
    for (; i < n_targets; i++) {
        const int32_t n = target[i];
        const double weight = eventsnn_weight(p, kind, i);
        const float left = eventsnn_left(room[n], eventsnn_positive(weight));
        if (left < 0.0f)
            break;
        room[n] = left;
        m = eventsnn_note(&at, m, kind, n, row, weight, left);
        if (currents)
            tie[EVENTSNN_PORTS * (int64_t)n + eventsnn_port(p, weight)] += weight;
        else
            tie[n] += weight;
    }
    notes->n = m;
    return i;
}

EVENTSNN_EACH void eventsnn_add_each(const eventsnn_pulse *p, int currents, double *state, double *tie)
{
    const int32_t *target = p->target;
    const int64_t n_targets = p->n;
    const double u = p->u[0], time = p->time;
    for (int64_t i = 0; i < n_targets; i++) {
        const int32_t n = target[i];
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
}

/* ---- the same where all weights are shared, of two kinds at most, and go to U: how many of each there are is enough.
 *
 * count[n] holds the number of the first kind and, EVENTSNN_SECOND times as large, that of the second. */

enum { EVENTSNN_SECOND = 256, EVENTSNN_MOST_TIED = 15 };

/* Count the arrivals of a slice; most is how often the most frequent target comes: more often than EVENTSNN_MOST_TIED,
 * and the counts may be wrong and must be cleared. */
static int64_t eventsnn_count_tied(
    const eventsnn_pulse *p, int64_t i, uint16_t unit, uint16_t *count, float *room, eventsnn_notes *notes, int *most)
{
    const int32_t *target = p->target;
    const int64_t n_targets = p->n;
    const int32_t row = p->row;
    const float positive = eventsnn_positive(p->shared);
    const eventsnn_notes at = *notes;
    int64_t m = at.n;
    int32_t before = i > 0 ? target[i - 1] : -1;
    int times = 1;
    for (; i < n_targets; i++) {
        const int32_t n = target[i];
        const float left = eventsnn_left(room[n], positive);
        if (n == before) {
            for (times = 1; times <= i && target[i - times] == n;)
                times++;
            *most = times > *most ? times : *most;
        }
        before = n;
        if (left < 0.0f)
            break;
        room[n] = left;
        m = eventsnn_note(&at, m, EVENTSNN_SHARED, n, row, 0.0, left);
        count[n] = (uint16_t)(count[n] + unit);
    }
    notes->n = m;
    return i;
}

static void eventsnn_clear_counts(const eventsnn_pulse *p, uint16_t *count)
{
    for (int64_t i = 0; i < p->n; i++)
        count[p->target[i]] = 0;
}

/* Add to each target what belongs to its counts; adds[0] is 0, for a target that has been here before. */
static void eventsnn_add_counted(const eventsnn_pulse *p, double *state, uint16_t *count, const double *adds)
{
    const int32_t *target = p->target;
    const int64_t n_targets = p->n;
    for (int64_t i = 0; i < n_targets; i++) {
        const int32_t n = target[i];
        const int counted = count[n];
        count[n] = 0;
        state[n] += adds[counted];
    }
}

/* ---- what neurons without external input have room for when a block begins
 *
 * Compilers make vectors of these loops, as long as each does so little. */

enum { EVENTSNN_LOOKS = 64 }; /* at once */

/* Neurons, and what is found: room, and in `others` those that are alert, late or held or have no room; what is theirs
 * stays. Room is a part of what is left, no less than `least` and no more than `most`. */
typedef struct {
    const double *state;
    const double *gap;
    const uint8_t *flag;
    float *room;
    int32_t *others;
    float least;
    float most;
    double of_room;
    double margin;
} eventsnn_looked;

/* Give n neurons from `first` on the room that is left; returns where others end, of which there were m. */
EVENTSNN_EACH int64_t eventsnn_give_room(const eventsnn_looked *at, float *left, int n, int64_t first, int64_t m)
{
    const uint8_t *flag = at->flag + first;
    const float least = at->least, most = at->most;
    float *room = at->room + first;
    int32_t other[EVENTSNN_LOOKS], *others = at->others;
    for (int k = 0; k < n; k++) {
        left[k] = left[k] < most ? left[k] : most;
        other[k] = (flag[k] != 0) | !(left[k] > least);
    }
    for (int k = 0; k < n; k++) {
        const float now = room[k];
        room[k] = other[k] ? now : left[k];
    }
    for (int k = 0; k < n; k++) {
        others[m] = (int32_t)(first + k);
        m += other[k];
    }
    return m;
}

/* Without currents: (lowest line - U) per effect; the line is gap times what a mV is in U when the block begins or ends,
 * whichever is lower. What that is, and the scale of input, may be one number for all or one for each. */
typedef struct {
    double begin;
    double end;
    double scale;
    const double *begins;
    const double *ends;
    const double *scales;
} eventsnn_lines;

EVENTSNN_EACH int64_t eventsnn_look_jumps_each(
    const eventsnn_looked *at, const eventsnn_lines *lines, int varied, int64_t first, int64_t stop)
{
    const double one_begin = lines->begin, one_end = lines->end, margin = at->margin, of_room = at->of_room;
    const double one_part = of_room / (lines->scale * one_end);
    int64_t m = 0;
    for (; first < stop; first += EVENTSNN_LOOKS) {
        const int n = stop - first < EVENTSNN_LOOKS ? (int)(stop - first) : EVENTSNN_LOOKS;
        const double *gap = at->gap + first, *u = at->state + first;
        const double *begin = varied ? lines->begins + first : gap, *end = varied ? lines->ends + first : gap;
        const double *scale = varied ? lines->scales + first : gap;
        float left[EVENTSNN_LOOKS];
        for (int k = 0; k < n; k++) {
            const double a = gap[k] * (varied ? begin[k] : one_begin), b = gap[k] * (varied ? end[k] : one_end);
            const double line = a < b ? a : b;
            const double all = line - u[k] - margin * (fabs(u[k]) + fabs(line));
            left[k] = (float)(all * (varied ? of_room / (scale[k] * end[k]) : one_part));
        }
        m = eventsnn_give_room(at, left, n, first, m);
    }
    return m;
}

/* With currents: v rises at most as fast as at first with the currents at their highest, and each positive input adds at
 * most what it does without the leak. */
typedef struct {
    double membrane;
    double current[2];
    double coupling[2];
    double kept[2];
    double per_C;
    double per_tau;
    double span;
    double size;
    double per_effect;
    double margin;
} eventsnn_rise;

/* state: U, and X from EVENTSNN_X on; added: what external input adds to v. v is relative to the drive. */
EVENTSNN_EACH double eventsnn_room(
    const eventsnn_rise *r, int currents, double gap, const double *state, double added)
{
    double v = state[EVENTSNN_U] * r->membrane, size = fabs(v) + fabs(gap) + r->size, up = 0.0, rise;
    for (int i = 0; i < currents; i++) {
        const double x = state[EVENTSNN_X + i] * r->current[i], part = r->coupling[i] * x, kept = x * r->kept[i];
        v = v - part;
        size = size + fabs(part);
        up = up + (kept < x ? x : kept); /* a current falls to what is kept of it */
    }
    rise = (r->per_C * up - v * r->per_tau) * r->span;
    v = v + (rise > 0.0 ? rise : 0.0) + added;
    return (gap - v - r->margin * (size + fabs(v))) * r->per_effect;
}

EVENTSNN_EACH int64_t eventsnn_look_currents_each(
    const eventsnn_looked *at, const eventsnn_rise *r, int currents, int64_t first, int64_t stop)
{
    const eventsnn_rise rise = *r;
    const double of_room = at->of_room;
    int64_t m = 0;
    for (; first < stop; first += EVENTSNN_LOOKS) {
        const int n = stop - first < EVENTSNN_LOOKS ? (int)(stop - first) : EVENTSNN_LOOKS;
        const double *gap = at->gap + first, *state = at->state + EVENTSNN_STATE * first;
        float left[EVENTSNN_LOOKS];
        for (int k = 0; k < n; k++)
            left[k] = (float)(eventsnn_room(&rise, currents, gap[k], state + EVENTSNN_STATE * k, 0.0) * of_room);
        m = eventsnn_give_room(at, left, n, first, m);
    }
    return m;
}

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__)) && !defined(_WIN32)
#define EVENTSNN_AVX2 __attribute__((target("avx2")))
#define EVENTSNN_HAS_AVX2(lanes) ((lanes) >= 4)
#else
#define EVENTSNN_AVX2
#define EVENTSNN_HAS_AVX2(lanes) 0
#endif

/* A loop compiled for narrow vectors and wide ones, and for both kinds of neurons that it knows. */
#define EVENTSNN_LOOK(name, each, Bounds, one, other) \
    EVENTSNN_AVX2 static int64_t name##_avx2( \
        const eventsnn_looked *at, const Bounds *bounds, int kind, int64_t first, int64_t stop) \
    { \
        return kind == one ? each(at, bounds, one, first, stop) : each(at, bounds, other, first, stop); \
    } \
    static int64_t name( \
        int lanes, const eventsnn_looked *at, const Bounds *bounds, int kind, int64_t first, int64_t stop) \
    { \
        if (EVENTSNN_HAS_AVX2(lanes)) \
            return name##_avx2(at, bounds, kind, first, stop); \
        return kind == one ? each(at, bounds, one, first, stop) : each(at, bounds, other, first, stop); \
    }

EVENTSNN_LOOK(eventsnn_look_jumps, eventsnn_look_jumps_each, eventsnn_lines, 0, 1)
EVENTSNN_LOOK(eventsnn_look_currents, eventsnn_look_currents_each, eventsnn_rise, 1, 2)

/* ---- chosen once for each slice */

static int64_t eventsnn_scatter(
    const eventsnn_pulse *p, int kind, int currents, int64_t i, double *state, float *room,
    eventsnn_notes *notes)
{
    if (!currents) {
        if (kind == EVENTSNN_SHARED)
            return eventsnn_scatter_each(p, EVENTSNN_SHARED, 0, i, state, room, notes);
        if (kind == EVENTSNN_DOUBLES)
            return eventsnn_scatter_each(p, EVENTSNN_DOUBLES, 0, i, state, room, notes);
        return eventsnn_scatter_each(p, EVENTSNN_FLOATS, 0, i, state, room, notes);
    }
    if (kind == EVENTSNN_SHARED)
        return eventsnn_scatter_each(p, EVENTSNN_SHARED, 1, i, state, room, notes);
    if (kind == EVENTSNN_DOUBLES)
        return eventsnn_scatter_each(p, EVENTSNN_DOUBLES, 1, i, state, room, notes);
    return eventsnn_scatter_each(p, EVENTSNN_FLOATS, 1, i, state, room, notes);
}

static int64_t eventsnn_sum(
    const eventsnn_pulse *p, int kind, int currents, int64_t i, double *tie, float *room,
    eventsnn_notes *notes)
{
    if (!currents) {
        if (kind == EVENTSNN_SHARED)
            return eventsnn_sum_each(p, EVENTSNN_SHARED, 0, i, tie, room, notes);
        if (kind == EVENTSNN_DOUBLES)
            return eventsnn_sum_each(p, EVENTSNN_DOUBLES, 0, i, tie, room, notes);
        return eventsnn_sum_each(p, EVENTSNN_FLOATS, 0, i, tie, room, notes);
    }
    if (kind == EVENTSNN_SHARED)
        return eventsnn_sum_each(p, EVENTSNN_SHARED, 1, i, tie, room, notes);
    if (kind == EVENTSNN_DOUBLES)
        return eventsnn_sum_each(p, EVENTSNN_DOUBLES, 1, i, tie, room, notes);
    return eventsnn_sum_each(p, EVENTSNN_FLOATS, 1, i, tie, room, notes);
}

static void eventsnn_add_tie(const eventsnn_pulse *p, int currents, double *state, double *tie)
{
    if (currents)
        eventsnn_add_each(p, 1, state, tie);
    else
        eventsnn_add_each(p, 0, state, tie);
}

#endif
