# Lines: what a connection rule draws, piece by piece.
#
# A. A draw is keyed by its line: a column (postsynaptic neuron) of FixedInDegree, a row (presynaptic neuron) of
#    FixedOutDegree and FixedProbability, a single synapse of FixedTotalNumber. Line i draws its words from the counters
#    (low word of i, high word of i, block), so it depends on no other line.
# B. Bounded integers are unbiased (Lemire, ACM TOMACS 29, 2019, on 32-bit words).
# C. `own[i]` is the index of line i's own neuron on the other side, -1 where it is not there; NULL: no line has one, or
#    autapses are allowed. The own neuron is left out by drawing among one candidate less and stepping over it: no
#    rejection.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from eventsnn._core.base.mathfunc cimport log
from eventsnn._core.draw.philox cimport lanes_at_hand, philox, uniform53
from eventsnn._core.draw.values cimport AT_A_TIME, words_of

cdef enum:
    # Kinds of lines. The partners of a line are
    REPEATING = 0    # `degree` draws
    DISTINCT = 1     # `degree` draws, none twice
    PROBABLE = 2     # each candidate with a probability, ascending
    EVERY = 3        # all candidates, ascending
    SAME = 4         # the candidate of the same number
    # or the line is one synapse,
    DRAWN = 5        # drawn
    LISTED = 6       # given


cdef enum:
    PAIRS = 256      # synapses drawn at a time

cdef struct LineRule:
    int kind
    bint columns              # a line is a column
    uint64_t key
    int64_t n                 # lines
    int64_t degree
    int64_t n_side            # candidates
    int64_t n_pre             # DRAWN
    double log_of_failure     # PROBABLE
    const int32_t* own        # may be NULL
    const int32_t* pre        # LISTED
    const int32_t* post


cdef inline int32_t own_of(const LineRule* rule, int64_t line) noexcept nogil:
    return -1 if rule.own == NULL else rule.own[line]


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


cdef inline void choose_repeating(Words* words, int32_t* chosen, int64_t degree, uint32_t candidates) noexcept nogil:
    cdef int64_t k
    for k in range(degree):
        chosen[k] = <int32_t>bounded(words, candidates)


cdef inline void choose_distinct(
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


cdef inline int64_t card_at(const int32_t* dealt, int64_t mask, int32_t place) noexcept nogil:
    """Where `dealt`, pairs (place, card) found by hashing, has this place, or would have it."""
    cdef int64_t at = <int64_t>((<uint32_t>place * <uint32_t>0x9E3779B9) >> 7) & mask
    while dealt[2 * at] >= 0 and dealt[2 * at] != place:
        at = (at + 1) & mask
    return at


cdef inline void choose_distinct_without_deck(
    Words* words, int32_t* chosen, int64_t degree, uint32_t candidates, int32_t* dealt
) noexcept nogil:
    """The same, from a deck of which only the places are kept where a card was moved to.

    `dealt` has room for 8 numbers a card and 16 more.
    """
    cdef int64_t mask = 1
    cdef int64_t k, at
    cdef int32_t place, card
    while mask < 2 * degree:
        mask *= 2
    mask -= 1
    for at in range(mask + 1):
        dealt[2 * at] = -1
    for k in range(degree):
        place = <int32_t>(k + bounded(words, candidates - <uint32_t>k))
        at = card_at(dealt, mask, place)
        chosen[k] = dealt[2 * at + 1] if dealt[2 * at] >= 0 else place
        if place > k:
            card = <int32_t>card_at(dealt, mask, <int32_t>k)
            card = dealt[2 * card + 1] if dealt[2 * card] >= 0 else <int32_t>k
            dealt[2 * at] = place
            dealt[2 * at + 1] = card


cdef inline int64_t choose_by_probability(
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


cdef inline int64_t line_length(const LineRule* rule, int64_t line) noexcept nogil:
    """How many partners a line has. Of kind PROBABLE, they are drawn to be counted."""
    cdef Words words
    if rule.kind == PROBABLE:
        open_line(&words, rule.key, <uint64_t>line)
        return choose_by_probability(
            &words, rule.log_of_failure, rule.n_side - (own_of(rule, line) >= 0), own_of(rule, line), NULL
        )
    if rule.kind == EVERY:
        return rule.n_side - (own_of(rule, line) >= 0)
    return rule.degree if rule.kind <= DISTINCT else 1


cdef inline bint line_is_empty(const LineRule* rule, int64_t line) noexcept nogil:
    """Whether a line has no partner; of PROBABLE the first skip says so."""
    cdef Words words
    cdef uint32_t high, low
    if rule.kind != PROBABLE:
        return line_length(rule, line) == 0
    open_line(&words, rule.key, <uint64_t>line)
    high = next_word(&words)
    low = next_word(&words)
    return not log(1.0 - uniform53(high, low)) / rule.log_of_failure < <double>(
        rule.n_side - (own_of(rule, line) >= 0)
    )


cdef inline int64_t draw_line(
    const LineRule* rule, int64_t line, int32_t* chosen, int32_t* deck, int32_t* dealt
) noexcept nogil:
    """The partners of a line that is a row or a column, in the order of drawing; returns how many.

    Distinct ones are dealt from the deck, or, without one, with the memory `dealt`.
    """
    cdef Words words
    cdef int32_t own
    cdef int64_t candidates, k
    if rule.kind == SAME:
        chosen[0] = <int32_t>line
        return 1
    own = own_of(rule, line)
    candidates = rule.n_side - (own >= 0)
    if rule.kind == EVERY:
        for k in range(candidates):
            chosen[k] = <int32_t>(k + (own >= 0 and k >= own))
        return candidates
    open_line(&words, rule.key, <uint64_t>line)
    if rule.kind == PROBABLE:
        return choose_by_probability(&words, rule.log_of_failure, candidates, own, chosen)
    if rule.kind == REPEATING:
        choose_repeating(&words, chosen, rule.degree, <uint32_t>candidates)
    elif deck != NULL:
        choose_distinct(&words, chosen, rule.degree, <uint32_t>candidates, deck)
    else:
        choose_distinct_without_deck(&words, chosen, rule.degree, <uint32_t>candidates, dealt)
    if own >= 0:
        for k in range(rule.degree):
            chosen[k] += chosen[k] >= own
    return rule.degree


cdef inline uint64_t ordinal_of(const LineRule* rule, int64_t line, int64_t k, int32_t partner) noexcept nogil:
    """The number of the k-th partner of a line in the rule's order of generation."""
    if rule.kind <= DISTINCT:
        return <uint64_t>(line * rule.degree + k)
    return <uint64_t>(line * rule.n_side + partner) if rule.kind <= EVERY else <uint64_t>line


cdef inline void draw_pairs(
    const LineRule* rule, const uint64_t* line, int64_t n, int32_t* pre, int32_t* post
) noexcept nogil:
    """The synapses that are lines by themselves, at most PAIRS. An autapse is drawn again."""
    cdef uint32_t w0[PAIRS + AT_A_TIME]
    cdef uint32_t w1[PAIRS + AT_A_TIME]
    cdef uint32_t unused[PAIRS + AT_A_TIME]
    cdef uint64_t product0, product1
    cdef uint32_t n_pre = <uint32_t>rule.n_pre
    cdef uint32_t n_post = <uint32_t>rule.n_side
    cdef uint32_t surplus = 0
    cdef int64_t k
    words_of(lanes_at_hand(), rule.key, n, line, 0, w0, w1, unused, unused)
    for k in range(n):
        product0, product1 = <uint64_t>w0[k] * n_pre, <uint64_t>w1[k] * n_post
        pre[k], post[k] = <int32_t>(product0 >> 32), <int32_t>(product1 >> 32)
        surplus |= (<uint32_t>product0 < n_pre) | (<uint32_t>product1 < n_post)
    if not surplus and rule.own == NULL:
        return
    for k in range(n):
        if w0[k] * n_pre < n_pre or w1[k] * n_post < n_post or own_of(rule, pre[k]) == post[k]:
            # Here alone a word may be a surplus one.
            draw_pair(rule, line[k], pre + k, post + k)


cdef inline void draw_pair(const LineRule* rule, uint64_t line, int32_t* pre, int32_t* post) noexcept nogil:
    """One of them, with as many words as it takes."""
    cdef Words words
    open_line(&words, rule.key, line)
    while True:
        pre[0] = <int32_t>bounded(&words, <uint32_t>rule.n_pre)
        post[0] = <int32_t>bounded(&words, <uint32_t>rule.n_side)
        if own_of(rule, pre[0]) != post[0]:
            return
