/* What is the least that the delivery of spikes can cost? Each synapse of each spike adds to its target, spike after
 * spike, and nothing else happens: a part of bench.py. weight is one for each stretch of synapses, or with stored one for
 * each synapse. */

#include <stdint.h>

/* One word a neuron. */
int64_t add(int64_t stretches, const int64_t *begin, const int64_t *end, const int32_t *target, const double *weight,
            int stored, double *state)
{
    int64_t events = 0;
    for (int64_t s = 0; s < stretches; s++) {
        if (stored)
            for (int64_t k = begin[s]; k < end[s]; k++)
                state[target[k]] += weight[k];
        else
            for (int64_t k = begin[s]; k < end[s]; k++)
                state[target[k]] += weight[s];
        events += end[s] - begin[s];
    }
    return events;
}

static inline int64_t add_and_compare(double *state, double weight, double threshold)
{
    state[0] += weight;
    state[1] += weight > 0.0 ? weight : 0.0;
    return state[0] >= threshold;
}

/* Two words a neuron, its state and what an upper bound of it needs, and the test whether it crosses the threshold. */
int64_t add_two(int64_t stretches, const int64_t *begin, const int64_t *end, const int32_t *target,
                const double *weight, int stored, double *state, double threshold, int64_t *above)
{
    int64_t events = 0;
    for (int64_t s = 0; s < stretches; s++) {
        if (stored)
            for (int64_t k = begin[s]; k < end[s]; k++)
                *above += add_and_compare(state + 2 * (int64_t)target[k], weight[k], threshold);
        else
            for (int64_t k = begin[s]; k < end[s]; k++)
                *above += add_and_compare(state + 2 * (int64_t)target[k], weight[s], threshold);
        events += end[s] - begin[s];
    }
    return events;
}
