# Rows of synapses while they are built: `store_values` draws what belongs to each synapse, `sort_row` sorts a row by
# (delay, target, draw).

from libc.float cimport DBL_MAX, FLT_MAX
from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t
from libc.string cimport memcpy, memset

from eventsnn._core.mathfunc cimport to_bits
from eventsnn._core.values cimport CHUNK, Values, draw_chunk

cdef enum:
    # What is wrong with a value.
    NOTHING = 0
    WEIGHT_REFUSED = 1
    WEIGHT_NOT_FINITE = 2
    WEIGHT_TOO_LARGE = 3
    DELAY_REFUSED = 4
    DELAY_NOT_ALLOWED = 5

cdef enum:
    # Shorter lists are sorted by insertion: a pass of the other way goes through 256 counts.
    INSERTION = 48


cdef struct Table:
    # Values, and by hashing the number of each; -1 where there is none.
    const double* value
    const int32_t* number
    int bits


cdef struct Store:
    # Arrays with a place for every synapse; NULL where nothing is kept.
    int32_t* target
    double* weight
    float* weight32
    double* delay
    uint16_t* number      # of the delay in the table
    int64_t* ordinal
    Values weights
    Values delays
    Table table


cdef struct Fault:
    # The first in the rule's order; of refused values also how many.
    int what
    int64_t count
    uint64_t ordinal
    double value


cdef inline int64_t place_in(const Table* table, double x) noexcept nogil:
    """Where x, not -0, is in the table, or would be."""
    cdef int64_t at = <int64_t>((to_bits(x) * <uint64_t>0x9E3779B97F4A7C15) >> (64 - table.bits))
    while table.number[at] >= 0 and table.value[table.number[at]] != x:
        at = (at + 1) & ((<int64_t>1 << table.bits) - 1)
    return at


cdef inline bint fault(Fault* found, int what, uint64_t ordinal, double value) noexcept nogil:
    found.what, found.ordinal, found.value = what, ordinal, value
    return False


cdef inline bint refused(Fault* found, int what, const Values* law, int64_t failed) noexcept nogil:
    """Note what could not be drawn; True if it is no use to go on."""
    if failed:
        found.what = what
        found.count += failed
    return failed > 0 and not law.refuses


cdef inline bint store_values(
    Store* s, const uint64_t* ordinal, const int64_t* slot, int64_t n, Fault* found
) noexcept nogil:
    """Draw weights and delays of at most CHUNK synapses and put each into its slot; False if that is no use."""
    cdef double value[CHUNK]
    cdef int64_t k
    if s.ordinal != NULL:
        for k in range(n):
            s.ordinal[slot[k]] = <int64_t>ordinal[k]
    if s.weight != NULL or s.weight32 != NULL:
        if refused(found, WEIGHT_REFUSED, &s.weights, draw_chunk(&s.weights, ordinal, n, value)):
            return False
        for k in range(n):
            if not -DBL_MAX <= value[k] <= DBL_MAX:
                return fault(found, WEIGHT_NOT_FINITE, ordinal[k], value[k])
            if s.weight != NULL:
                s.weight[slot[k]] = value[k]
            else:
                s.weight32[slot[k]] = <float>value[k]
                if not -FLT_MAX <= s.weight32[slot[k]] <= FLT_MAX:
                    return fault(found, WEIGHT_TOO_LARGE, ordinal[k], value[k])
    if s.delay != NULL or s.number != NULL:
        if refused(found, DELAY_REFUSED, &s.delays, draw_chunk(&s.delays, ordinal, n, value)):
            return False
        for k in range(n):
            if not 0.0 <= value[k] <= DBL_MAX:
                return fault(found, DELAY_NOT_ALLOWED, ordinal[k], value[k])
            if s.delay != NULL:
                s.delay[slot[k]] = value[k] + 0.0   # 0, not -0
            else:
                s.number[slot[k]] = <uint16_t>s.table.number[place_in(&s.table, value[k] + 0.0)]
    return True


cdef struct Item:
    uint64_t key
    int64_t index


cdef inline void insert_items(Item* item, int64_t n) noexcept nogil:
    cdef Item one
    cdef int64_t k, at
    for k in range(1, n):
        one = item[k]
        at = k
        while at > 0 and item[at - 1].key > one.key:
            item[at] = item[at - 1]
            at -= 1
        item[at] = one


cdef inline void sort_items(Item* item, Item* other, int64_t n) noexcept nogil:
    """Sort by key, equal keys in the order in which they come: byte by byte, from the lowest of those that differ."""
    cdef int64_t start[256]
    cdef uint64_t differing = 0
    cdef int64_t k, sum, count
    cdef int shift, byte
    cdef Item* source = item
    cdef Item* sorted = other
    if n <= INSERTION:
        insert_items(item, n)
        return
    for k in range(1, n):
        differing |= item[k].key ^ item[0].key
    for shift in range(0, 64, 8):
        if (differing >> shift) & 255 == 0:
            continue
        memset(start, 0, sizeof(start))
        for k in range(n):
            start[(source[k].key >> shift) & 255] += 1
        sum = 0
        for byte in range(256):
            count = start[byte]
            start[byte] = sum
            sum += count
        for k in range(n):
            byte = (source[k].key >> shift) & 255
            sorted[start[byte]] = source[k]
            start[byte] += 1
        source, sorted = sorted, source
    if source != item:
        memcpy(item, source, n * sizeof(Item))


cdef inline void sort_row(
    Store* s, int64_t begin, int64_t n, bint by_target, const int32_t* post, Item* item, Item* other
) noexcept nogil:
    """Sort n synapses, from `begin` on, by (delay, target, order) and replace targets by neurons.

    by_target: they are not yet sorted by target. `item` and `other` have room for n.
    """
    cdef int32_t* target = s.target + begin
    cdef int64_t k
    cdef bint by_delay = s.delay != NULL or s.number != NULL
    if by_target or by_delay:
        for k in range(n):
            item[k].index = k
            item[k].key = <uint64_t>target[k] if by_target else 0
            if s.number != NULL:
                item[k].key |= <uint64_t>s.number[begin + k] << 32
        if by_target or s.number != NULL:
            sort_items(item, other, n)
        if s.delay != NULL:
            for k in range(n):
                item[k].key = to_bits(s.delay[begin + item[k].index])
            sort_items(item, other, n)
        move_row(s, begin, n, item, <double*>other)
    for k in range(n):
        target[k] = post[target[k]]


cdef inline void move_row(Store* s, int64_t begin, int64_t n, const Item* item, double* room) noexcept nogil:
    """Put the synapses of a row into the order of the items; `room` is for one array of them."""
    cdef int64_t k
    memcpy(room, s.target + begin, n * sizeof(int32_t))
    for k in range(n):
        s.target[begin + k] = (<int32_t*>room)[item[k].index]
    if s.weight != NULL:
        memcpy(room, s.weight + begin, n * sizeof(double))
        for k in range(n):
            s.weight[begin + k] = room[item[k].index]
    if s.weight32 != NULL:
        memcpy(room, s.weight32 + begin, n * sizeof(float))
        for k in range(n):
            s.weight32[begin + k] = (<float*>room)[item[k].index]
    if s.delay != NULL:
        memcpy(room, s.delay + begin, n * sizeof(double))
        for k in range(n):
            s.delay[begin + k] = room[item[k].index]
    if s.number != NULL:
        memcpy(room, s.number + begin, n * sizeof(uint16_t))
        for k in range(n):
            s.number[begin + k] = (<uint16_t*>room)[item[k].index]
    if s.ordinal != NULL:
        memcpy(room, s.ordinal + begin, n * sizeof(int64_t))
        for k in range(n):
            s.ordinal[begin + k] = (<int64_t*>room)[item[k].index]
