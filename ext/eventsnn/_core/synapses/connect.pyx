"""Lines, Share and Procedure: what a projection draws, its share in rows, and how to draw a row anew.

The functions trust their arguments; eventsnn/describe/rules and eventsnn/compile/synapses.py have checked them.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from eventsnn._core.synapses.lines cimport (
    DISTINCT,
    DRAWN,
    EVERY,
    LISTED,
    PROBABLE,
    REPEATING,
    SAME,
    LineRule,
    PAIRS,
    Words,
    bounded,
    draw_line,
    draw_pairs,
    line_length,
    open_line,
)
from eventsnn._core.base.memory cimport address
from eventsnn._core.base.mathfunc cimport log1p
from eventsnn._core.synapses.procedural cimport Made, make_row
from eventsnn._core.synapses.rows cimport Part, place_in
from eventsnn._core.draw.values cimport GIVEN, Law, Values

KINDS = {
    "repeating": REPEATING, "distinct": DISTINCT, "probable": PROBABLE, "every": EVERY, "same": SAME, "drawn": DRAWN,
    "listed": LISTED,
}

cdef enum:
    NEVER = -1


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
        r.own = &own[0] if own is not None and np.any(np.asarray(own) >= 0) else NULL
        r.pre = &pre[0] if pre is not None and pre.shape[0] else NULL
        r.post = &post[0] if post is not None and post.shape[0] else NULL
        self.n_pre = n_pre
        self.shared = columns or r.kind >= DRAWN
        self.by_target = r.kind >= DRAWN or (r.kind <= DISTINCT and not columns)
        self.held = [own, pre, post]

    @property
    def n(self):
        return self.rule.n

    @property
    def most_targets(self):
        """How many candidates there are for targets."""
        return self.rule.n if self.rule.columns else self.rule.n_side

    @property
    def most_ordinals(self):
        """How many numbers there are in the rule's order."""
        cdef LineRule* r = &self.rule
        return r.n * r.degree if r.kind <= DISTINCT else r.n * r.n_side if r.kind <= EVERY else r.n

    @property
    def n_cards(self):
        """The size of the deck that rows are dealt from; 0 if they are not dealt."""
        return self.rule.n_side if self.rule.kind == DISTINCT and not self.rule.columns else 0

    def rooms(self):
        """Room for the partners of a line, and a deck to deal them from."""
        cdef LineRule* r = &self.rule
        most = r.degree if r.kind <= DISTINCT else r.n_side if r.kind <= EVERY else 1
        return np.empty(max(most, 1), dtype=np.int32), np.arange(r.n_side if r.kind == DISTINCT else 1, dtype=np.int32)

    def draw(self, int64_t line):
        """The partners of a line that is a row or a column, in the order of drawing."""
        partners, deck = self.rooms()
        cdef int32_t[::1] chosen = partners
        cdef int32_t[::1] cards = deck
        return partners[: draw_line(&self.rule, line, &chosen[0], &cards[0], NULL)]

    def count(self, int64_t first, int64_t last, int64_t[::1] length):
        """Add the synapses of these lines to the lengths of their rows."""
        cdef const LineRule* r = &self.rule
        cdef int64_t line, k, n
        partners, deck = self.rooms()
        cdef int32_t[::1] chosen = partners
        cdef int32_t[::1] cards = deck
        with nogil:
            if r.kind >= DRAWN:
                count_pairs(r, first, last, &length[0])
            elif r.columns:
                for line in range(first, last):
                    n = draw_line(r, line, &chosen[0], &cards[0], NULL)
                    for k in range(n):
                        length[chosen[k]] += 1
            else:
                for line in range(first, last):
                    length[line] += line_length(r, line)


cdef void count_pairs(const LineRule* r, int64_t first, int64_t last, int64_t* length) noexcept nogil:
    cdef uint64_t line[PAIRS]
    cdef int32_t pre[PAIRS]
    cdef int32_t post[PAIRS]
    cdef int64_t n, k
    if r.kind == LISTED:
        for k in range(first, last):
            length[r.pre[k]] += 1
        return
    while first < last:
        n = min(<int64_t>PAIRS, last - first)
        for k in range(n):
            line[k] = first + k
        draw_pairs(r, line, n, pre, post)
        for k in range(n):
            length[pre[k]] += 1
        first += n


cdef class Share:
    """A projection's part of rows. Weights and delays are a Law, or arrays in the rule's order; None: all have one."""

    def __init__(
        self, Lines lines, str dtype="float64", weights=None, uint64_t weight_key=0, delays=None, uint64_t delay_key=0,
        Few few=None, const uint16_t[::1] numbers=None, int number=0, int32_t first=0,
    ):
        """few: the values of delays, if these are few. numbers: the number of each among the delays of the rows.

        number: that of the delay, if all synapses have one. first: the number of the projection's first target among
        those of the rows.
        """
        cdef Part* p = &self.part
        p.rule, p.first, p.number = lines.rule, first, <uint16_t>number
        self.lines, self.held = lines, [few, numbers]
        if weights is not None:
            p.weight_bytes = 4 if dtype == "float32" else 8
            self.prepare(&p.weights, weights, weight_key)
        if delays is not None:
            p.delays_differ = True
            self.prepare(&p.delays, delays, delay_key)
        if few is not None:
            p.table = few.table
            p.number_of = &numbers[0] if numbers.shape[0] else NULL

    cdef prepare(self, Values* values, source, uint64_t key):
        cdef const double[::1] given
        if isinstance(source, Law):
            values[0] = (<Law>source).values
            values.key = key
        else:
            given = source
            values.kind = GIVEN
            values.given = &given[0] if given.shape[0] else NULL
            self.held.append(given)


cdef class Procedure:
    """Rows that are not kept: what is needed to draw one."""

    def __init__(self, Share share, const int32_t[::1] post):
        self.recipe.part = share.part
        self.recipe.post = &post[0] if post.shape[0] else NULL
        self.held = [share, post]

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


cdef copied(const void* data, int64_t n, dtype):
    """An array of its own; None if there are no data."""
    if data == NULL:
        return None
    array = np.empty(n, dtype=dtype)
    memcpy(address(array), data, array.nbytes)
    return array
