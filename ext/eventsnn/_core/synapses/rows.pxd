# A Draft: a row of synapses while it is made. `draw_part` adds the synapses of a projection with their weights and
# delays, `order_draft` sorts all by (delay, target, draw). Rows that are kept (build.pyx) and rows that are drawn anew
# for every spike (procedural.pxd) are made in the same way.

from libc.float cimport DBL_MAX, FLT_MAX
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport malloc
from libc.string cimport memcpy, memset

from eventsnn._core.synapses.lines cimport (
    DISTINCT,
    DRAWN,
    LISTED,
    PAIRS,
    LineRule,
    draw_line,
    draw_pairs,
    ordinal_of,
)
from eventsnn._core.base.mathfunc cimport to_bits
from eventsnn._core.draw.values cimport AT_A_TIME, CHUNK, Values, draw_chunk

cdef enum Wrong:
    # What is wrong with a value.
    NOTHING = 0
    WEIGHT_REFUSED = 1
    WEIGHT_NOT_FINITE = 2
    WEIGHT_TOO_LARGE = 3
    DELAY_REFUSED = 4
    DELAY_NOT_ALLOWED = 5

cdef enum Noted:
    # What is noted of a synapse until its row is drawn, where lines are not rows: its target if all synapses are alike,
    # its ordinal, or both, with the target in the upper half.
    TARGET = 0
    ORDINAL = 1
    BOTH = 2

cdef enum:
    # Shorter lists are sorted by insertion: a pass of the other way goes through 256 counts.
    INSERTION = 48


cdef struct Table:
    # Values, and by hashing the number of each; -1 where there is none.
    const double* value
    const int32_t* number
    int bits


cdef struct Part:
    # The part of a row that one projection draws.
    LineRule rule
    int32_t first             # number of its first candidate among those of all parts
    int weight_bytes          # bytes of a weight; 0 if all synapses have one weight
    bint delays_differ
    int noted
    Values weights
    Values delays
    Table table               # values of delays, if these are few
    const uint16_t* number_of     # for each value of the table its number among the delays of all parts
    uint16_t number           # number of the delay, if all synapses have one


cdef struct Fault:
    # The first value in the rule's order that cannot be used; of refused values also how many there are.
    int what
    int64_t count
    uint64_t ordinal
    double value


cdef struct Draft:
    # The synapses of a row in the order of the rules, and room for them.
    int64_t n
    bint numbered             # delays are kept as numbers of few values
    bint timed                # each synapse keeps a delay of its own
    bint by_target            # they do not come sorted by target
    int target_bits
    int key_bits              # bits of delay and target
    int32_t* target           # number among the candidates of all parts
    uint64_t* ordinal
    double* weight
    double* delay
    uint16_t* number
    uint64_t* word            # when they are sorted: what by, and in the lower half their place in the arrays
    uint64_t* other


cdef inline int64_t place_in(const Table* table, double x) noexcept nogil:
    """Where x, not -0, is in the table, or would be."""
    cdef int64_t at = <int64_t>((to_bits(x) * <uint64_t>0x9E3779B97F4A7C15) >> (64 - table.bits))
    while table.number[at] >= 0 and table.value[table.number[at]] != x:
        at = (at + 1) & ((<int64_t>1 << table.bits) - 1)
    return at


cdef inline bint open_draft(Draft* d, int64_t room) noexcept nogil:
    """Room for rows of so many synapses, in one piece of memory; False if there is none. To be freed: its word."""
    d.n = 0
    room += AT_A_TIME
    d.word = <uint64_t*>malloc(room * (5 * sizeof(uint64_t) + sizeof(int32_t) + sizeof(uint16_t)))
    if d.word == NULL:
        return False
    d.other = d.word + room
    d.weight = <double*>(d.other + room)
    d.delay = d.weight + room
    d.ordinal = <uint64_t*>(d.delay + room)
    d.target = <int32_t*>(d.ordinal + room)
    d.number = <uint16_t*>(d.target + room)
    return True


# ---- drawing


cdef inline bint note_fault(Fault* found, int what, uint64_t ordinal, double value) noexcept nogil:
    if found.what == NOTHING or ordinal < found.ordinal:
        found.what, found.ordinal, found.value = what, ordinal, value
    return True


cdef inline bint draw_values(
    const Values* v, const uint64_t* ordinal, int64_t n, double* out, int refused, Fault* found
) noexcept nogil:
    """False if it is no use to go on."""
    cdef int64_t failed
    cdef int64_t at = 0
    while at < n:
        failed = draw_chunk(v, ordinal + at, min(<int64_t>CHUNK, n - at), out + at)
        if failed:
            found.what, found.ordinal = refused, 0
            found.count += failed
            if not v.refuses:
                return False
        at += CHUNK
    return True


cdef inline bint draw_part(
    const Part* p, Draft* d, int64_t row, const uint64_t* code, int64_t n, int32_t* deck, Fault* found
) noexcept nogil:
    """Add to a draft the n synapses that a part has in a row; False if it is no use to go on. code: of each synapse,
    where lines are not rows; NULL: they are."""
    cdef int32_t* target = d.target + d.n
    cdef uint64_t* ordinal = d.ordinal + d.n
    cdef int64_t k
    cdef int64_t begin = d.n
    d.n += n
    if code == NULL:
        # Without a deck there is only one part, so that all before the ordinals is free.
        draw_line(&p.rule, row, target, deck, <int32_t*>d.word)
        for k in range(n):
            ordinal[k] = ordinal_of(&p.rule, row, k, target[k])
    else:
        decode(p, code, n, target, ordinal)
    if p.weight_bytes:
        if not draw_values(&p.weights, ordinal, n, d.weight + begin, WEIGHT_REFUSED, found):
            return False
        for k in range(n):
            if not -DBL_MAX <= d.weight[begin + k] <= DBL_MAX:
                note_fault(found, WEIGHT_NOT_FINITE, ordinal[k], d.weight[begin + k])
            elif p.weight_bytes == 4 and not -FLT_MAX <= <float>d.weight[begin + k] <= FLT_MAX:
                note_fault(found, WEIGHT_TOO_LARGE, ordinal[k], d.weight[begin + k])
    if p.delays_differ and not draw_delays(p, d, begin, found):
        return False
    if d.numbered and not p.delays_differ:
        for k in range(n):
            d.number[begin + k] = p.number
    if p.first:
        for k in range(n):
            target[k] += p.first
    return True


cdef inline bint draw_delays(const Part* p, Draft* d, int64_t begin, Fault* found) noexcept nogil:
    cdef double* delay = d.delay + begin
    cdef const uint64_t* ordinal = d.ordinal + begin
    cdef int64_t n = d.n - begin
    cdef int64_t k
    cdef bint allowed = True
    if not draw_values(&p.delays, ordinal, n, delay, DELAY_REFUSED, found):
        return False
    for k in range(n):
        allowed &= 0.0 <= delay[k] <= DBL_MAX
    if not allowed:
        for k in range(n):
            if not 0.0 <= delay[k] <= DBL_MAX:
                note_fault(found, DELAY_NOT_ALLOWED, ordinal[k], delay[k])
        return True
    if not d.numbered:
        for k in range(n):
            delay[k] += 0.0   # 0, not -0
    elif found.what == NOTHING:
        for k in range(n):
            d.number[begin + k] = p.number_of[p.table.number[place_in(&p.table, delay[k] + 0.0)]]
    return True


cdef inline void decode(
    const Part* p, const uint64_t* code, int64_t n, int32_t* target, uint64_t* ordinal
) noexcept nogil:
    """The targets and ordinals of synapses from what was noted of them."""
    cdef int64_t k
    cdef uint32_t degree = <uint32_t>p.rule.degree
    cdef int32_t unused[PAIRS]
    for k in range(n):
        ordinal[k] = code[k] if p.noted == ORDINAL else <uint32_t>code[k]
    if p.noted != ORDINAL:
        for k in range(n):
            target[k] = <int32_t>(code[k] >> 32 if p.noted == BOTH else code[k])
    elif p.rule.kind == LISTED:
        for k in range(n):
            target[k] = p.rule.post[code[k]]
    elif p.rule.kind == DRAWN:
        k = 0
        while k < n:
            draw_pairs(&p.rule, code + k, min(<int64_t>PAIRS, n - k), unused, target + k)
            k += PAIRS
    elif p.rule.kind > DISTINCT:
        for k in range(n):
            target[k] = <int32_t>(code[k] // <uint64_t>p.rule.n_side)
    elif code[n - 1] >> 32 == 0:
        for k in range(n):
            target[k] = <int32_t>(<uint32_t>code[k] // degree)
    else:
        for k in range(n):
            target[k] = <int32_t>(code[k] // degree)


# ---- sorting


cdef inline void insert_words(uint64_t* word, int64_t n) noexcept nogil:
    cdef uint64_t one
    cdef int64_t k, at
    for k in range(1, n):
        one = word[k]
        at = k
        while at > 0 and word[at - 1] >> 32 > one >> 32:
            word[at] = word[at - 1]
            at -= 1
        word[at] = one


cdef inline void sort_words(uint64_t* word, uint64_t* other, int64_t n) noexcept nogil:
    """Sort by the upper half, equal ones in the order in which they come: byte by byte, from the lowest."""
    cdef uint32_t start[4][256]
    cdef uint32_t sum, count
    cdef uint64_t* source = word
    cdef uint64_t* sorted = other
    cdef int64_t k
    cdef int number, byte, shift
    if n <= INSERTION:
        insert_words(word, n)
        return
    memset(start, 0, sizeof(start))
    for k in range(n):
        start[0][(word[k] >> 32) & 255] += 1
        start[1][(word[k] >> 40) & 255] += 1
        start[2][(word[k] >> 48) & 255] += 1
        start[3][word[k] >> 56] += 1
    for number in range(4):
        shift = 32 + 8 * number
        if start[number][(word[0] >> shift) & 255] == n:
            continue
        sum = 0
        for byte in range(256):
            count = start[number][byte]
            start[number][byte] = sum
            sum += count
        for k in range(n):
            byte = (source[k] >> shift) & 255
            sorted[start[number][byte]] = source[k]
            start[number][byte] += 1
        source, sorted = sorted, source
    if source != word:
        memcpy(word, source, n * sizeof(uint64_t))


cdef inline const uint64_t* order_draft(Draft* d) noexcept nogil:
    """The synapses by (delay, target, draw), each in the lower half of a word: sorted by what counts least, and then by
    what counts more."""
    cdef bint at_once = d.numbered and d.key_bits <= 32
    cdef uint64_t key
    cdef int64_t k
    cdef int half
    for k in range(d.n):
        key = <uint64_t>d.target[k] if d.by_target else 0
        if at_once:
            key |= <uint64_t>d.number[k] << d.target_bits
        d.word[k] = key << 32 | <uint64_t>k
    if d.by_target or at_once:
        sort_words(d.word, d.other, d.n)
    if d.numbered and not at_once:
        for k in range(d.n):
            d.word[k] = <uint64_t>d.number[<uint32_t>d.word[k]] << 32 | <uint32_t>d.word[k]
        sort_words(d.word, d.other, d.n)
    for half in range(2 if d.timed else 0):
        for k in range(d.n):
            key = to_bits(d.delay[<uint32_t>d.word[k]]) >> (32 * half)
            d.word[k] = key << 32 | <uint32_t>d.word[k]
        sort_words(d.word, d.other, d.n)
    return d.word


cdef inline void take_values(
    const Draft* d, const uint64_t* order, double* weight, float* weight32, double* delay
) noexcept nogil:
    """Weights and delays in this order, where there is a place for them."""
    cdef int64_t k
    if weight != NULL:
        for k in range(d.n):
            weight[k] = d.weight[<uint32_t>order[k]]
    if weight32 != NULL:
        for k in range(d.n):
            weight32[k] = <float>d.weight[<uint32_t>order[k]]
    if delay != NULL:
        for k in range(d.n):
            delay[k] = d.delay[<uint32_t>order[k]]
