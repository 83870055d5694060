"""Building the rows of a projection, in blocks that threads may take in any order.

A. `count` goes through lines (lines.pxd) and counts the synapses of each row; the sums say where rows begin. A block of
   columns or of single synapses has counts of its own, so that it knows which places of a row are its own.
B. `fill` draws the same lines once more and puts every synapse, with its weight and delay, into its row. Nothing is
   kept of a line, and a synapse's number in the rule's order is forgotten as soon as its values are drawn. Columns are
   taken in ascending order, synapses in the order of the rule: this is the order in which they come to lie in a row.
C. `sort` sorts each row by (delay, target, draw) as far as it is not, and replaces targets by neurons; `slice` finds
   the slices of rows whose delays take few values. Until then such a delay is its number among them.

The functions trust their arguments; eventsnn/connect.py and eventsnn/compile_synapses.py have checked them.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from eventsnn._core.lines cimport (
    DISTINCT,
    DRAWN,
    EVERY,
    LISTED,
    PROBABLE,
    REPEATING,
    SAME,
    LineRule,
    Words,
    bounded,
    draw_line,
    draw_pair,
    line_length,
    open_line,
    ordinal_of,
)
from eventsnn._core.mathfunc cimport log1p
from eventsnn._core.procedural cimport Made, make_row
from eventsnn._core.rows cimport (
    DELAY_NOT_ALLOWED,
    DELAY_REFUSED,
    NOTHING,
    WEIGHT_NOT_FINITE,
    WEIGHT_REFUSED,
    WEIGHT_TOO_LARGE,
    Fault,
    Item,
    Store,
    Table,
    place_in,
    sort_row,
    store_values,
)
from eventsnn._core.values cimport CHUNK, GIVEN, Law, Values

WRONG = {
    WEIGHT_REFUSED: "weight refused", WEIGHT_NOT_FINITE: "weight", WEIGHT_TOO_LARGE: "weight too large",
    DELAY_REFUSED: "delay refused", DELAY_NOT_ALLOWED: "delay",
}
KINDS = {
    "repeating": REPEATING, "distinct": DISTINCT, "probable": PROBABLE, "every": EVERY, "same": SAME, "drawn": DRAWN,
    "listed": LISTED,
}

cdef extern from "eventsnn/_core/compiler.h":
    void prefetch "EVENTSNN_PREFETCH"(const void* address) noexcept nogil

cdef enum:
    NEVER = -1


cdef struct Held:
    # Synapses whose places are known, and that wait for their values to be drawn.
    int64_t n
    int64_t slot[CHUNK]
    int32_t target[CHUNK]
    uint64_t ordinal[CHUNK]


cdef inline bint newly_taken(int64_t* table, int shift, int64_t mask, int64_t pair) noexcept nogil:
    """Enter a pair into an open-addressing table of -1s (Fibonacci hashing); false if it was there already."""
    cdef int64_t slot = <int64_t>((<uint64_t>pair * <uint64_t>0x9E3779B97F4A7C15) >> shift)
    while table[slot] != NEVER:
        if table[slot] == pair:
            return False
        slot = (slot + 1) & mask
    table[slot] = pair
    return True


def distinct_pairs(uint64_t key, int64_t n, int64_t n_post, const int32_t[::1] own):
    """`n` different pairs, each one line: int32 arrays (pre, post). An autapse or a taken pair is drawn again."""
    cdef int64_t n_pre = own.shape[0]
    cdef int bits = max(1, int(2 * n).bit_length())
    cdef int64_t size = <int64_t>1 << bits
    cdef int64_t[::1] table = np.full(size, NEVER, dtype=np.int64)
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
                if newly_taken(&table[0], 64 - bits, size - 1, pre[k] * n_post + post[k]):
                    break
    return np.asarray(pre), np.asarray(post)


# ---- delays that take few values


cdef class Few:
    """Ascending values, and the number of each by hashing."""

    cdef readonly object values
    cdef Table table
    cdef object number

    def __init__(self, values):
        cdef int64_t k
        self.values = np.asarray(values, dtype=np.float64) + 0.0   # 0, not -0
        self.prepare(self.values)
        cdef int32_t[::1] number = self.number
        for k in range(self.values.size):
            number[place_in(&self.table, self.table.value[k])] = <int32_t>k

    cdef prepare(self, const double[::1] values):
        self.table.bits = int(8 * values.shape[0] + 8).bit_length()   # sparse, so that few searches go on
        self.number = np.full(1 << self.table.bits, -1, dtype=np.int32)
        cdef int32_t[::1] number = self.number
        self.table.number = &number[0]
        self.table.value = &values[0] if values.shape[0] else NULL

    @staticmethod
    def of(const double[::1] array, int64_t most):
        """The values of an array; None if they are more than `most`."""
        cdef Few few = Few.__new__(Few)
        cdef double[::1] found = np.empty(most)
        cdef int64_t n = 0
        cdef int64_t k = 0
        cdef int64_t at
        few.prepare(found)
        cdef int32_t[::1] number = few.number
        with nogil:
            for k in range(array.shape[0]):
                at = place_in(&few.table, array[k] + 0.0)
                if number[at] < 0:
                    if n == most:
                        n = NEVER
                        break
                    number[at] = <int32_t>n
                    found[n] = array[k] + 0.0
                    n += 1
        return None if n == NEVER else Few(np.sort(found[:n]))


# ---- rows


cdef class Lines:
    """What a rule draws between two sides; the struct LineRule says what the numbers are."""

    def __init__(
        self, str kind, uint64_t key, int64_t n_pre, int64_t n_post, const int32_t[::1] own=None, int64_t degree=0,
        double p=0.0, bint columns=False, const int32_t[::1] pre=None, const int32_t[::1] post=None,
    ):
        cdef LineRule* r = &self.rule
        r.kind, r.columns, r.key, r.degree, r.n_pre = KINDS[kind], columns, key, degree, n_pre
        r.n = n_post if columns else n_pre
        r.n_side = n_pre if columns else n_post
        if r.kind == DRAWN:
            r.n = degree
        elif r.kind == LISTED:
            r.n = pre.shape[0]
        r.log_of_failure = log1p(-p)
        r.own = &own[0] if own is not None and own.shape[0] else NULL
        r.pre = &pre[0] if pre is not None and pre.shape[0] else NULL
        r.post = &post[0] if post is not None and post.shape[0] else NULL
        self.n_pre = n_pre
        self.shared = columns or r.kind >= DRAWN
        self.by_target = r.kind >= DRAWN or (r.kind <= DISTINCT and not columns)
        self.held = [own, pre, post]

    @property
    def n(self):
        return self.rule.n

    def rooms(self):
        """Room for the partners of a line, and a deck to deal them from."""
        cdef LineRule* r = &self.rule
        most = r.degree if r.kind <= DISTINCT else r.n_side if r.kind <= EVERY else 1
        return np.empty(max(most, 1), dtype=np.int32), np.arange(r.n_side if r.kind == DISTINCT else 1, dtype=np.int32)

    def count(self, int64_t first, int64_t last, int64_t[::1] length):
        """Add the synapses of these lines to the lengths of their rows."""
        cdef const LineRule* r = &self.rule
        cdef int64_t line, k, n
        cdef int32_t pre, post
        partners, deck = self.rooms()
        cdef int32_t[::1] chosen = partners
        cdef int32_t[::1] cards = deck
        with nogil:
            for line in range(first, last):
                if r.kind >= DRAWN:
                    draw_pair(r, line, &pre, &post)
                    length[pre] += 1
                elif r.columns:
                    n = draw_line(r, line, &chosen[0], &cards[0], NULL)
                    for k in range(n):
                        length[chosen[k]] += 1
                else:
                    length[line] += line_length(r, line)


cdef class Procedure:
    """Rows that are not kept: what is needed to draw one. Laws that are None are of values that all synapses share."""

    def __init__(
        self, Lines lines, const int32_t[::1] post, Law weights, uint64_t weight_key, str dtype, Law delays,
        uint64_t delay_key,
    ):
        self.recipe.rule = lines.rule
        self.recipe.post = &post[0] if post.shape[0] else NULL
        if weights is not None:
            self.recipe.weights = weights.values
            self.recipe.weights.key = weight_key
            self.recipe.weight_bytes = 4 if dtype == "float32" else 8
        if delays is not None:
            self.recipe.delays = delays.values
            self.recipe.delays.key = delay_key
            self.recipe.delays_differ = True
        self.held = [lines, post]

    def row(self, int64_t row):
        """Targets, and weights and delays or None, of one row."""
        cdef Made* made = make_row(&self.recipe, row)
        if made == NULL:
            raise MemoryError
        try:
            return (
                copied(made.target, made.n, np.int32),
                copied(made.weight, made.n, np.float64) if made.weight32 == NULL
                else copied(made.weight32, made.n, np.float32),
                copied(made.delay, made.n, np.float64),
            )
        finally:
            free(made)


cdef class Rows:
    """The synapses of a projection by row: row r is start[r]:start[r + 1]. What is None is not kept by synapse."""

    cdef readonly object start      # int64
    cdef readonly object target     # int32
    cdef readonly object weight     # float64 or float32
    cdef readonly object delay      # float64
    cdef readonly object number     # uint16, of the delay in a table
    cdef readonly object ordinal    # int64
    cdef Store store
    cdef list held

    def __init__(self, start):
        self.start = start
        self.target = np.empty(start.item(start.size - 1), dtype=np.int32)
        self.store.target = <int32_t*>address(self.target)
        self.held = []

    def keep_weights(self, str dtype, Law law, uint64_t key, const double[::1] given):
        self.weight = np.empty(self.target.size, dtype=dtype)
        if dtype == "float32":
            self.store.weight32 = <float*>address(self.weight)
        else:
            self.store.weight = <double*>address(self.weight)
        self.prepare(&self.store.weights, law, key, given)

    def keep_delays(self, Few few, Law law, uint64_t key, const double[::1] given):
        if few is None:
            self.delay = np.empty(self.target.size)
            self.store.delay = <double*>address(self.delay)
        else:
            self.number = np.empty(self.target.size, dtype=np.uint16)
            self.store.number = <uint16_t*>address(self.number)
            self.store.table = few.table
            self.held.append(few)
        self.prepare(&self.store.delays, law, key, given)

    def keep_ordinals(self):
        self.ordinal = np.empty(self.target.size, dtype=np.int64)
        self.store.ordinal = <int64_t*>address(self.ordinal)

    cdef prepare(self, Values* values, Law law, uint64_t key, const double[::1] given):
        if law is None:
            values.kind = GIVEN
            values.given = &given[0] if given.shape[0] else NULL
            self.held.append(given)
        else:
            values[0] = law.values
            values.key = key

    def fill(self, Lines lines, int64_t first, int64_t last, int64_t[::1] cursor):
        """Draw these lines; cursor[r] is where the next synapse of row r goes. What is wrong, or None."""
        cdef const LineRule* r = &lines.rule
        cdef Fault fault
        partners, deck = lines.rooms()
        cdef int32_t[::1] chosen = partners
        cdef int32_t[::1] cards = deck
        fault.what = NOTHING
        fault.count = 0
        fault.ordinal = 0
        fault.value = 0.0
        with nogil:
            if r.kind >= DRAWN:
                fill_pairs(r, &self.store, first, last, &cursor[0], &fault)
            else:
                fill_lines(r, &self.store, first, last, &cursor[0], &chosen[0], &cards[0], &fault)
        return (WRONG[fault.what], fault.count, fault.ordinal, fault.value) if fault.what != NOTHING else None

    def sort(self, int64_t first, int64_t last, bint by_target, const int32_t[::1] post, int64_t[::1] slices):
        """Sort these rows, replace targets by the neurons `post`, and count the slices of each if there is a table."""
        cdef const int64_t[::1] start = self.start
        cdef Store* s = &self.store
        cdef int64_t most = np.max(np.diff(self.start[first : last + 1]), initial=1)
        room = np.empty(2 * most * sizeof(Item), dtype=np.uint8)
        cdef Item* item = <Item*>address(room)
        cdef int64_t row, k
        with nogil:
            for row in range(first, last):
                if start[row] == start[row + 1]:
                    continue
                sort_row(s, start[row], start[row + 1] - start[row], by_target, &post[0], item, item + most)
                if s.number != NULL:
                    slices[row] = 1
                    for k in range(start[row] + 1, start[row + 1]):
                        slices[row] += s.number[k] != s.number[k - 1]

    def slice(
        self, int64_t first, int64_t last, const int64_t[::1] row_slice, uint32_t[::1] begin, uint16_t[::1] value
    ):
        """Where the slices of these sorted rows begin, counted from their row, and the number of the delay of each."""
        cdef const int64_t[::1] start = self.start
        cdef const uint16_t* number = self.store.number
        cdef int64_t row, k, at
        with nogil:
            for row in range(first, last):
                at = row_slice[row]
                for k in range(start[row], start[row + 1]):
                    if k == start[row] or number[k] != number[k - 1]:
                        begin[at] = <uint32_t>(k - start[row])
                        value[at] = number[k]
                        at += 1


cdef copied(const void* data, int64_t n, dtype):
    """An array of its own; None if there are no data."""
    if data == NULL:
        return None
    array = np.empty(n, dtype=dtype)
    memcpy(address(array), data, array.nbytes)
    return array


cdef void* address(array):
    return <void*><size_t>array.ctypes.data


cdef bint drawn(const Store* s) noexcept nogil:
    """Whether anything but the target is kept by synapse."""
    return (
        s.weight != NULL or s.weight32 != NULL or s.delay != NULL or s.number != NULL or s.ordinal != NULL
    )


cdef inline void hold(const Store* s, Held* held, int64_t slot, int32_t target, uint64_t ordinal) noexcept nogil:
    """Note where a synapse goes, and fetch those places: they lie all over the memory."""
    held.slot[held.n] = slot
    held.target[held.n] = target
    held.ordinal[held.n] = ordinal
    held.n += 1
    prefetch(s.target + slot)
    if s.weight != NULL:
        prefetch(s.weight + slot)
    if s.weight32 != NULL:
        prefetch(s.weight32 + slot)
    if s.delay != NULL:
        prefetch(s.delay + slot)
    if s.number != NULL:
        prefetch(s.number + slot)


cdef bint put(Store* s, Held* held, bint kept, Fault* fault) noexcept nogil:
    """Fill in the synapses that were held; False if it is no use to go on."""
    cdef int64_t n = held.n
    cdef int64_t k
    for k in range(n):
        s.target[held.slot[k]] = held.target[k]
    held.n = 0
    return not kept or n == 0 or store_values(s, held.ordinal, held.slot, n, fault)


cdef void fill_lines(
    const LineRule* r, Store* s, int64_t first, int64_t last, int64_t* cursor, int32_t* chosen, int32_t* deck,
    Fault* fault,
) noexcept nogil:
    cdef Held held
    cdef bint kept = drawn(s)
    cdef int64_t line, k, n, row
    held.n = 0
    for line in range(first, last):
        n = draw_line(r, line, chosen, deck, NULL)
        for k in range(n):
            if r.columns:
                row = chosen[k]
                hold(s, &held, cursor[row], <int32_t>line, ordinal_of(r, line, k, chosen[k]))
                cursor[row] += 1
            else:
                hold(s, &held, cursor[line] + k, chosen[k], ordinal_of(r, line, k, chosen[k]))
            if held.n == CHUNK and not put(s, &held, kept, fault):
                return
    put(s, &held, kept, fault)


cdef void fill_pairs(
    const LineRule* r, Store* s, int64_t first, int64_t last, int64_t* cursor, Fault* fault
) noexcept nogil:
    cdef Held held
    cdef bint kept = drawn(s)
    cdef int64_t line
    cdef int32_t pre, post
    held.n = 0
    for line in range(first, last):
        draw_pair(r, line, &pre, &post)
        hold(s, &held, cursor[pre], post, <uint64_t>line)
        cursor[pre] += 1
        if held.n == CHUNK and not put(s, &held, kept, fault):
            return
    put(s, &held, kept, fault)
