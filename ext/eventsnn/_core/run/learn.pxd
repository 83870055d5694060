# Plastic projections in the schedule. Weights are found when rows are listed, before anything is added to neurons: what
# arrives in a window has the weights that follow from all spikes before the window.
#
# That is all that a weight may follow from only if no spike of the window itself comes to the synapse before the weight
# is fixed. A spike of the target does so dendritic ms after it was fired, and the weight is fixed dendritic ms before
# it arrives. So windows are cut before the first arrival that lies more than twice that after the beginning of the
# window; where spikes take no time on the dendrite, before each arrival (`plastic_end`).
#
# What is transmitted is kept apart from the weights, since a row may arrive twice in a window.

from libc.math cimport nextafter
from libc.stdint cimport int32_t, int64_t

from eventsnn._core.base.memory cimport enlarge
from eventsnn._core.draw.growth cimport grow
from eventsnn._core.draw.philox cimport lanes_at_hand
from eventsnn._core.plasticity.plastic cimport (
    MOST_TRACES,
    LATEST,
    SMALLEST_POWER,
    Plastic,
    Traces,
    Train,
    cut_train,
    first_from,
    has_past,
    last_before,
    latest_of,
    not_needed,
    own_traces,
    size_of,
    spike_at,
    take_past,
    traces_before,
    update,
    within,
)
from eventsnn._core.plasticity.program cimport AT_ONCE, Program, carry_out, output_of, register_of
from eventsnn._core.run.core cimport WEIGHT_LOST, Core, Projection, prefetch
from eventsnn._core.run.events cimport fail
from eventsnn._core.run.queue cimport Arriving, RowQueue
from eventsnn._core.solve.neuron cimport Row, Slice, target_of

cdef extern from *:
    """
    #define EVENTSNN_SURELY_BEFORE (1.0 - 8.881784197001252e-16)
    """
    # 1 - 2^-50: more than a sum of a time and a delay is rounded by.
    const double SURELY_BEFORE "EVENTSNN_SURELY_BEFORE"

cdef enum:
    # Postsynaptic spikes that are kept for each target, on average, before all weights are brought up to date.
    MOST_KEPT = 64
    FEWEST_KEPT = 1024


cdef inline double plastic_end(const Core* e, double begin, double end) noexcept nogil:
    """Where a window ends so that all weights that are fixed in it follow from spikes before its beginning."""
    cdef const RowQueue* q = &e.state.rows
    cdef const Arriving* due
    cdef const Plastic* p
    cdef double comes
    cdef int64_t i
    for i in range(q.n_due):
        due = &q.due[i]
        p = e.net.projections[due.row.projection].plastic
        if p == NULL or not p.learns or not due.row.time < end:
            continue
        comes = due.row.fired + due.delay
        if comes > begin + p.dendritic or (p.rewards != NULL and comes > begin + p.reward_delay):
            end = max(due.row.time, nextafter(begin, end))
    return end


cdef inline bint room_to_transmit(Core* e) noexcept nogil:
    """For what all plastic slices of the window transmit; False if there is no memory left."""
    cdef RowQueue* q = &e.state.rows
    cdef int64_t n = 0
    cdef int64_t i
    for i in range(q.n_due):
        if e.net.projections[q.due[i].row.projection].plastic != NULL:
            n += q.due[i].slice.n
    e.n_transmitted = 0
    if n > e.transmitted_room:
        if not enlarge(<void**>&e.transmitted, 2 * n * sizeof(double)):
            return False
        e.transmitted_room = 2 * n
    return True


cdef inline int64_t first_synapse(const Projection* q, const Slice* slice) noexcept nogil:
    """The number of the first synapse of a slice among all of the projection."""
    if q.weight32 != NULL:
        return slice.weight32 - q.weight32
    return slice.weight - q.weight


cdef inline void transmit(Core* e, Arriving* due) noexcept nogil:
    """Let a slice have the weights with which it arrives, and learn from its arrival."""
    cdef const Projection* q = &e.net.projections[due.row.projection]
    cdef Plastic* p = q.plastic
    cdef Slice* slice = &due.slice
    cdef double* out = e.transmitted + e.n_transmitted
    cdef int64_t first, i, k
    cdef double factor = 1.0
    if p == NULL:
        return
    first = first_synapse(q, slice)
    k = due.row.ordinal - p.pre[due.row.row].first
    # What has come to the synapses before their weights were set arrives with what they were set to.
    if p.learns and p.enabled and not due.row.fired + due.delay < p.swept:
        i = 0
        while i < slice.n:
            learn(p, due, k, first, i, <int>min(<int64_t>AT_ONCE, slice.n - i))
            i += AT_ONCE
    if p.step != NULL:
        factor = spike_at(&p.pre[due.row.row], &p.pre_traces, k)[p.n_stepped + p.pre_traces.n]
    for i in range(slice.n):
        out[i] = p.weight32[first + i] if p.weight32 != NULL else p.weight[first + i]
    if p.step != NULL:
        for i in range(slice.n):
            out[i] = out[i] * factor
    if p.learns:
        require_finite(e, due, out)
    e.n_transmitted += slice.n
    slice.weight, slice.weight32 = out, NULL


cdef inline void require_finite(Core* e, const Arriving* due, double* weight) noexcept nogil:
    """End the run where a weight is no finite number."""
    cdef double sum = 0.0
    cdef int64_t i
    for i in range(due.slice.n):
        sum += weight[i] * 0.0
    if sum == 0.0:
        return
    for i in range(due.slice.n):
        if weight[i] * 0.0 != 0.0:
            fail(e, WEIGHT_LOST, due.row.time, target_of(&due.slice, i))
            weight[i] = 0.0


cdef inline void learn(Plastic* p, const Arriving* due, int64_t k, int64_t first, int64_t begin, int n) noexcept nogil:
    """Bring n synapses of a slice, from `begin` on, up to date for spike number k of its train, and let this spike
    change them."""
    cdef const Slice* slice = &due.slice
    cdef const Row* row = &due.row
    cdef double pre[MOST_TRACES]
    cdef double post[MOST_TRACES]
    cdef double since = p.swept
    cdef double t = row.fired + due.delay
    cdef int32_t target
    cdef int i
    if k > 0:
        since = max(since, spike_at(&p.pre[row.row], &p.pre_traces, k - 1)[0] + due.delay)
    if p.on_pre != NULL:
        own_traces(&p.pre[row.row], &p.pre_traces, k, row.fired, pre)
    if p.at == NULL:
        learn_together(p, due, since, t, pre, first + begin, begin, n)
        return
    for i in range(n):
        target = target_of(slice, begin + i)
        if has_past(p, target, since):
            take_past(p, row.row, first + begin + i, target, due.delay, since, t)
        if p.on_pre != NULL:
            traces_before(&p.post[target - p.first_target], &p.post_traces, t, p.dendritic, False, post)
            update(p, p.on_pre, first + begin + i, t, pre, post)


# ---- many synapses at once, whose sizes and variables do not change by themselves


cdef inline void decay_all(double rate, const double* span, int n, double* values) noexcept nogil:
    """values[i] * decay(rate, span[i]) for n values."""
    cdef double factor[AT_ONCE]
    cdef double used[AT_ONCE]
    cdef int i
    for i in range(n):
        used[i] = span[i] if rate * span[i] >= SMALLEST_POWER else 0.0
    grow(lanes_at_hand(), n, used, 0.0, rate, factor)
    for i in range(n):
        values[i] = values[i] * (factor[i] if rate * span[i] >= SMALLEST_POWER else 0.0)


cdef inline void bring_in(Plastic* p, int n, const double* size, double* into) noexcept nogil:
    """Sizes after an update, in their bounds and in the type in which weights are kept."""
    cdef int i
    for i in range(n):
        into[i] = within(p, size[i])
    if p.weight32 != NULL:
        for i in range(n):
            into[i] = <float>into[i]


cdef inline void learn_together(
    Plastic* p, const Arriving* due, double since, double t, const double* pre, int64_t synapse, int64_t begin, int n
) noexcept nogil:
    """take_past and the update of a presynaptic spike for n synapses."""
    cdef const Program* f = p.on_pre
    cdef double size[AT_ONCE]
    cdef int32_t target[AT_ONCE]
    cdef double* row
    cdef int i, j
    for i in range(n):
        target[i] = target_of(&due.slice, begin + i) - p.first_target
        prefetch(latest_of(p, target[i]))
        size[i] = size_of(p, synapse + i)
    if p.on_post != NULL:
        take_past_together(p, due, since, t, n, target, size)
    if f != NULL:
        row = register_of(f, 0)
        for i in range(n):
            row[i] = size[i]
        for j in range(p.pre_traces.n):
            row = register_of(f, 1 + j)
            for i in range(n if f.used[1 + j] else 0):
                row[i] = pre[j]
        find_post(p, t, n, target, f)
        carry_out(f, n)
        bring_in(p, n, output_of(f, 0), size)
    for i in range(n):
        if p.weight32 != NULL:
            p.weight32[synapse + i] = <float>(p.sign * size[i])
        else:
            p.weight[synapse + i] = p.sign * size[i]


cdef inline void find_post(Plastic* p, double t, int n, const int32_t* target, const Program* f) noexcept nogil:
    """Let a program have the postsynaptic traces of n synapses at t."""
    cdef double span[AT_ONCE]
    cdef const Traces* of = &p.post_traces
    cdef int first = 1 + p.pre_traces.n
    cdef const Train* x
    cdef const double* spike
    cdef int64_t last
    cdef int i, j
    for i in range(n):
        spike = latest_of(p, target[i]) + LATEST - 1
        if not spike[0] + p.dendritic < t:
            x = &p.post[target[i]]
            last = last_before(x, of, t, p.dendritic, False)
            spike = NULL if last < 0 else spike_at(x, of, last)
        # A trace is 0 where there is no spike.
        span[i] = 0.0 if spike == NULL or spike[0] < 0.0 else t - (spike[0] + p.dendritic)
        for j in range(of.n):
            register_of(f, first + j)[i] = 0.0 if spike == NULL else spike[1 + j]
    for j in range(of.n):
        if f.used[first + j]:
            decay_all(of.rate[j], span, n, register_of(f, first + j))


cdef inline void take_past_together(
    Plastic* p, const Arriving* due, double since, double t, int n, const int32_t* target, double* size
) noexcept nogil:
    """Take all postsynaptic spikes that come to n synapses in [since, t): of each the first, then the second and so
    on."""
    cdef int which[AT_ONCE]
    cdef int64_t at[AT_ONCE]
    cdef double comes[AT_ONCE]
    cdef const Train* x
    cdef const double* latest
    cdef int m = 0
    cdef int i, k
    for i in range(n):
        latest = latest_of(p, target[i])
        if not latest[LATEST - 1] + p.dendritic >= since:
            continue
        # Most have a few: they are found without their train, counted from the last one, -1, backwards.
        which[m], at[m] = i, -1
        while at[m] > -LATEST and latest[LATEST + at[m] - 1] + p.dendritic >= since:
            at[m] -= 1
        comes[m] = latest[LATEST + at[m]] + p.dendritic
        if at[m] == -LATEST:
            x = &p.post[target[i]]
            at[m] = first_from(x, &p.post_traces, since, p.dendritic)
            comes[m] = spike_at(x, &p.post_traces, at[m])[0] + p.dendritic
        m += comes[m] < t
    while m:
        take_posts(p, due, m, which, at, comes, target, size)
        k = 0
        for i in range(m):
            x = &p.post[target[which[i]]]
            if at[i] == -1 or at[i] + 1 == x.n:
                continue
            which[k], at[k] = which[i], at[i] + 1
            if at[k] < 0:
                comes[k] = latest_of(p, target[which[k]])[LATEST + at[k]] + p.dendritic
            else:
                comes[k] = spike_at(x, &p.post_traces, at[k])[0] + p.dendritic
            k += comes[k] < t
        m = k


cdef inline void take_posts(
    Plastic* p, const Arriving* due, int m, const int* which, const int64_t* at, const double* comes,
    const int32_t* target, double* size
) noexcept nogil:
    """Take one postsynaptic spike of each of m synapses, which comes at comes[i]: number at[i] of its train, from the
    end if that is negative."""
    cdef const Program* f = p.on_post
    cdef const Traces* of = &p.pre_traces
    cdef const Train* x = &p.pre[due.row.row]
    cdef const Train* y
    cdef double span[AT_ONCE]
    cdef double own[MOST_TRACES]
    cdef int64_t last = due.row.ordinal - x.first - 1
    cdef int64_t k
    cdef int first = 1 + of.n
    cdef int i, j
    cdef bint uses_own = False
    for j in range(p.post_traces.n):
        uses_own |= f.used[first + j]
    for i in range(m):
        register_of(f, 0)[i] = size[which[i]]
        if uses_own:
            y = &p.post[target[which[i]]]
            k = y.n + at[i] if at[i] < 0 else at[i]
            own_traces(y, &p.post_traces, k, spike_at(y, &p.post_traces, k)[0], own)
            for j in range(p.post_traces.n):
                register_of(f, first + j)[i] = own[j]
        k = last
        while k >= 0 and not spike_at(x, of, k)[0] + due.delay < comes[i]:
            k -= 1
        span[i] = 0.0 if k < 0 else comes[i] - (spike_at(x, of, k)[0] + due.delay)
        for j in range(of.n):
            register_of(f, 1 + j)[i] = 0.0 if k < 0 else spike_at(x, of, k)[1 + j]
    for j in range(of.n):
        if f.used[1 + j]:
            decay_all(of.rate[j], span, m, register_of(f, 1 + j))
    carry_out(f, m)
    bring_in(p, m, output_of(f, 0), span)
    for i in range(m):
        size[which[i]] = span[i]


# ---- all synapses


cdef inline double surely_arrived(const Plastic* p, double t) noexcept nogil:
    """All that has come to a synapse before this time has come to the neuron behind it before t."""
    return t if p.dendritic == 0.0 else (t - p.dendritic) * SURELY_BEFORE


cdef inline void bring_synapse(
    Plastic* p, int64_t row, int64_t synapse, int32_t target, double delay, int64_t k, double t, double now
) noexcept nogil:
    """Take all that comes to a synapse before t. Spike number k of its train is the last that has surely come; those
    after it that come before t are taken if they come to the neuron at `now` or later."""
    cdef const Train* x = &p.pre[row]
    cdef double since = p.swept
    cdef double comes
    cdef double pre[MOST_TRACES]
    cdef double post[MOST_TRACES]
    if k >= 0:
        since = max(since, spike_at(x, &p.pre_traces, k)[0] + delay)
    k += 1
    while k < x.n:
        comes = spike_at(x, &p.pre_traces, k)[0] + delay
        if comes + p.dendritic < now:
            since = max(since, comes)  # it has been taken, and all that came before it, even if it is none of the sure
        elif not comes < t:
            break
        elif not comes < p.swept:
            take_past(p, row, synapse, target, delay, since, comes)
            if p.on_pre != NULL:
                own_traces(x, &p.pre_traces, k, spike_at(x, &p.pre_traces, k)[0], pre)
                traces_before(&p.post[target - p.first_target], &p.post_traces, comes, p.dendritic, False, post)
                update(p, p.on_pre, synapse, comes, pre, post)
            since = max(since, comes)
        k += 1
    if has_past(p, target, since):
        take_past(p, row, synapse, target, delay, since, t)


cdef inline void bring_row(const Projection* q, int64_t row, double t, double now) noexcept nogil:
    """Take all that comes to the synapses of a row before t; the network stands at `now`."""
    cdef Plastic* p = q.plastic
    cdef const Train* x = &p.pre[row]
    cdef Slice slice
    cdef double sure = surely_arrived(p, now)
    cdef double delay = q.delay[0]
    cdef double at = -1.0
    cdef int64_t number = 0 if q.slice_row == NULL else q.slice_row[row]
    cdef int64_t k = -1
    cdef int64_t synapse
    slice.target, slice.base, slice.narrow = q.target, q.base[0], q.narrow
    for synapse in range(q.start[row], q.start[row + 1]):
        if q.slice_row != NULL:
            if number < q.slice_row[row + 1] and synapse - q.start[row] == <int64_t>q.slice_start[number]:
                delay, slice.base = q.delay[q.slice_value[number]], q.base[q.slice_value[number]]
                number += 1
        elif not q.one_delay:
            delay = q.delay[synapse]
        if delay != at:
            k = last_before(x, &p.pre_traces, sure, delay, False)
            at = delay
        bring_synapse(p, row, synapse, target_of(&slice, synapse), delay, k, t, now)


cdef inline void bring_rows(const Projection* q, double t, double now) noexcept nogil:
    """Take all that comes to any synapse before t; the network stands at `now`."""
    cdef Plastic* p = q.plastic
    cdef int64_t row
    if p.learns and p.enabled:
        for row in range(p.n_rows):
            bring_row(q, row, t, now)


cdef inline void bring_all(const Projection* q, double now) noexcept nogil:
    """Take all that has come to synapses and to the neurons behind them, and forget spikes that nothing asks for any
    more."""
    cdef Plastic* p = q.plastic
    cdef double t = surely_arrived(p, now)
    cdef int64_t k
    cdef int32_t n
    bring_rows(q, t, now)
    p.swept = max(p.swept, t)
    p.kept = 0
    for n in range(p.n_targets):
        k = not_needed(&p.post[n], &p.post_traces, t, p.dendritic)
        if k:
            cut_train(&p.post[n], &p.post_traces, k)
        p.kept += p.post[n].n
    k = not_needed(&p.third, &p.third_traces, t, p.reward_delay)
    if k:
        cut_train(&p.third, &p.third_traces, k)


cdef inline void bring_if_many(Core* e, double t) noexcept nogil:
    """Bring weights up to date where many spikes are kept for those that are not."""
    cdef Plastic* p
    cdef int64_t k
    for k in range(e.net.n_projections):
        p = e.net.projections[k].plastic
        if p != NULL and p.kept > MOST_KEPT * p.n_targets + FEWEST_KEPT:
            bring_all(&e.net.projections[k], t)
