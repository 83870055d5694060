"""Drawing the synapses of the random rules and sorting them into rows.

A. A line is what a draw is keyed by: a column (postsynaptic neuron) of FixedInDegree, a row (presynaptic neuron) of
   FixedOutDegree and FixedProbability, a single synapse of FixedTotalNumber. Line i draws its words from the counters
   (low word of i, high word of i, block), so it depends on no other line.
B. Bounded integers are unbiased (Lemire, ACM TOMACS 29, 2019, on 32-bit words).
C. `own[i]` is the index of line i's own neuron on the other side, -1 where it is not there or autapses are allowed. The
   own neuron is left out by drawing among one candidate less and stepping over it: no rejection.
D. Everything that has been drawn becomes columns (sorted by post), then rows; both are stable counting sorts, so a row
   ends up sorted by (target, ordinal) with two passes over the synapses.

The functions trust their arguments; eventsnn/connect.py has checked them.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from eventsnn._core.mathfunc cimport log, log1p
from eventsnn._core.philox cimport philox, uniform53


cdef struct Words:
    uint64_t key
    uint64_t line
    uint64_t block
    int left
    uint32_t word[4]


cdef inline void open_line(Words* words, uint64_t key, uint64_t line) noexcept nogil:
    words.key = key
    words.line = line
    words.block = 0
    words.left = 0


cdef inline uint32_t next_word(Words* words) noexcept nogil:
    if words.left == 0:
        philox(
            words.key,
            <uint32_t>words.line,
            <uint32_t>(words.line >> 32),
            <uint32_t>words.block,
            <uint32_t>(words.block >> 32),
            words.word,
        )
        words.block += 1
        words.left = 4
    words.left -= 1
    return words.word[3 - words.left]


cdef inline uint32_t bounded(Words* words, uint32_t bound) noexcept nogil:
    """Uniform in [0, bound)."""
    cdef uint64_t product = <uint64_t>next_word(words) * bound
    cdef uint32_t surplus
    if <uint32_t>product < bound:
        surplus = (<uint32_t>0 - bound) % bound
        while <uint32_t>product < surplus:
            product = <uint64_t>next_word(words) * bound
    return <uint32_t>(product >> 32)


cdef void choose_repeating(Words* words, int32_t* chosen, int64_t degree, uint32_t candidates) noexcept nogil:
    cdef int64_t k
    for k in range(degree):
        chosen[k] = <int32_t>bounded(words, candidates)


cdef void choose_distinct(
    Words* words, int32_t* chosen, int64_t degree, uint32_t candidates, int32_t* deck
) noexcept nogil:
    """Deal `degree` different candidates from a deck that holds i at place i, and leave the deck like that again.

    A partial Fisher-Yates shuffle: no rejection at any degree, and each order of the same candidates equally likely.
    The places disturbed are the first `degree` and those whose own number was dealt, so restoring is as cheap.
    """
    cdef int64_t k, place
    for k in range(degree):
        place = k + bounded(words, candidates - <uint32_t>k)
        chosen[k] = deck[place]
        deck[place] = deck[k]
        deck[k] = chosen[k]
    for k in range(degree):
        deck[k] = <int32_t>k
        deck[chosen[k]] = chosen[k]


def draw_lines(uint64_t key, int64_t degree, int64_t n_side, const int32_t[::1] own, bint multapses):
    """`degree` partners among `n_side` for each line: int32 array, line after line, in the order of drawing."""
    cdef int64_t n_lines = own.shape[0]
    cdef int32_t[::1] partner = np.empty(n_lines * degree, dtype=np.int32)
    cdef int32_t[::1] deck = np.arange(0 if multapses else n_side, dtype=np.int32)
    cdef Words words
    cdef int64_t line, k
    cdef int32_t* chosen
    cdef uint32_t candidates
    if partner.shape[0] == 0:
        return np.asarray(partner)
    with nogil:
        for line in range(n_lines):
            open_line(&words, key, <uint64_t>line)
            chosen = &partner[line * degree]
            candidates = <uint32_t>(n_side - (own[line] >= 0))
            if multapses:
                choose_repeating(&words, chosen, degree, candidates)
            else:
                choose_distinct(&words, chosen, degree, candidates, &deck[0])
            if own[line] >= 0:
                for k in range(degree):
                    chosen[k] += chosen[k] >= own[line]
    return np.asarray(partner)


cdef inline bint newly_taken(int64_t* table, int shift, int64_t mask, int64_t pair) noexcept nogil:
    """Enter a pair into an open-addressing table of -1s (Fibonacci hashing); false if it was there already."""
    cdef int64_t slot = <int64_t>((<uint64_t>pair * <uint64_t>0x9E3779B97F4A7C15) >> shift)
    while table[slot] != -1:
        if table[slot] == pair:
            return False
        slot = (slot + 1) & mask
    table[slot] = pair
    return True


def draw_pairs(uint64_t key, int64_t n, int64_t n_post, const int32_t[::1] own, bint multapses):
    """`n` pairs, each one line: int32 arrays (pre, post). An autapse or a pair already taken is drawn again."""
    cdef int64_t n_pre = own.shape[0]
    cdef int bits = max(1, int(2 * n).bit_length())
    cdef int64_t size = 1 if multapses else <int64_t>1 << bits
    cdef int64_t[::1] table = np.full(size, -1, dtype=np.int64)
    cdef int32_t[::1] pre = np.empty(n, dtype=np.int32)
    cdef int32_t[::1] post = np.empty(n, dtype=np.int32)
    cdef Words words
    cdef int64_t k
    with nogil:
        for k in range(n):
            open_line(&words, key, <uint64_t>k)
            while True:
                pre[k] = <int32_t>bounded(&words, <uint32_t>n_pre)
                post[k] = <int32_t>bounded(&words, <uint32_t>n_post)
                if own[pre[k]] == post[k]:
                    continue
                if multapses or newly_taken(&table[0], 64 - bits, size - 1, pre[k] * n_post + post[k]):
                    break
    return np.asarray(pre), np.asarray(post)


cdef int64_t choose_by_probability(
    Words* words, double log_of_failure, int64_t candidates, int32_t own, int32_t* chosen
) noexcept nogil:
    """Accept candidates independently, ascending, by geometric skips; returns how many (chosen may be NULL)."""
    cdef int64_t position = 0
    cdef int64_t accepted = 0
    cdef uint32_t high, low
    cdef double skip
    while True:
        high = next_word(words)
        low = next_word(words)
        skip = log(1.0 - uniform53(high, low)) / log_of_failure
        # Negated, so that the infinite and undefined skips of p = 0 end the row too.
        if not skip < <double>(candidates - position):
            return accepted
        position += <int64_t>skip
        if chosen != NULL:
            chosen[accepted] = <int32_t>(position + (own >= 0 and position >= own))
        accepted += 1
        position += 1


def draw_rows(uint64_t key, double p, int64_t n_post, const int32_t[::1] own, bint ordinals):
    """Each pair at most once, with probability p < 1: rows (indptr, target, ordinal or None).

    The draws are made twice, to count and to fill, which is cheaper than moving a result that grows.
    """
    cdef int64_t n_pre = own.shape[0]
    cdef int64_t[::1] indptr = np.zeros(n_pre + 1, dtype=np.int64)
    cdef double log_of_failure = log1p(-p)
    cdef Words words
    cdef int64_t row, k
    cdef int32_t[::1] target
    cdef int64_t[::1] ordinal
    with nogil:
        for row in range(n_pre):
            open_line(&words, key, <uint64_t>row)
            indptr[row + 1] = indptr[row] + choose_by_probability(
                &words, log_of_failure, n_post - (own[row] >= 0), own[row], NULL
            )
    target = np.empty(indptr[n_pre], dtype=np.int32)
    ordinal = np.empty(indptr[n_pre] if ordinals else 0, dtype=np.int64)
    with nogil:
        for row in range(n_pre):
            if indptr[row] == indptr[row + 1]:
                continue
            open_line(&words, key, <uint64_t>row)
            choose_by_probability(
                &words, log_of_failure, n_post - (own[row] >= 0), own[row], &target[indptr[row]]
            )
            if ordinals:
                for k in range(indptr[row], indptr[row + 1]):
                    ordinal[k] = row * n_post + target[k]
    return np.asarray(indptr), np.asarray(target), np.asarray(ordinal) if ordinals else None


cdef int64_t[::1] starts_of(const int32_t[::1] group, int64_t n_groups):
    """Where each group begins when its members stand together, and, last, the total."""
    cdef int64_t[::1] start = np.zeros(n_groups + 1, dtype=np.int64)
    cdef int64_t k
    with nogil:
        for k in range(group.shape[0]):
            start[group[k] + 1] += 1
        for k in range(n_groups):
            start[k + 1] += start[k]
    return start


def columns_of_pairs(const int32_t[::1] pre, const int32_t[::1] post, int64_t n_post, bint ordinals):
    """Pairs in order of generation -> columns (indptr, source, ordinal or None), each in order of generation."""
    cdef int64_t[::1] indptr = starts_of(post, n_post)
    cdef int64_t[::1] cursor = np.array(indptr[:n_post])
    cdef int32_t[::1] source = np.empty(pre.shape[0], dtype=np.int32)
    cdef int64_t[::1] ordinal = np.empty(pre.shape[0] if ordinals else 0, dtype=np.int64)
    cdef int64_t k, slot
    with nogil:
        for k in range(pre.shape[0]):
            slot = cursor[post[k]]
            cursor[post[k]] += 1
            source[slot] = pre[k]
            if ordinals:
                ordinal[slot] = k
    return np.asarray(indptr), np.asarray(source), np.asarray(ordinal) if ordinals else None


def rows_of_columns(
    const int64_t[::1] column_indptr, const int32_t[::1] source, const int64_t[::1] column_ordinal, int64_t n_pre,
    bint ordinals,
):
    """Columns -> rows (indptr, target, ordinal or None); column_ordinal None stands for 0, 1, 2, ..."""
    cdef int64_t n = source.shape[0]
    cdef int64_t[::1] indptr = starts_of(source, n_pre)
    cdef int64_t[::1] cursor = np.array(indptr[:n_pre])
    cdef int32_t[::1] target = np.empty(n, dtype=np.int32)
    cdef int64_t[::1] ordinal = np.empty(n if ordinals else 0, dtype=np.int64)
    cdef bint counted = column_ordinal is None
    cdef int64_t column, k, slot
    with nogil:
        for column in range(column_indptr.shape[0] - 1):
            for k in range(column_indptr[column], column_indptr[column + 1]):
                slot = cursor[source[k]]
                cursor[source[k]] += 1
                target[slot] = <int32_t>column
                if ordinals:
                    ordinal[slot] = k if counted else column_ordinal[k]
    return np.asarray(indptr), np.asarray(target), np.asarray(ordinal) if ordinals else None
