"""Rows: builds the rows of projections with the same presynaptic neurons, in blocks that threads take in any order.

A. The synapses of each row are counted by projection (`Lines.count`); the sums say where rows begin.
B. Where lines are columns or single synapses, `place` draws them once more, in the order of the rule. In the row of
   each synapse it notes what tells the synapse from others: its ordinal, with its target if both fit, or only its
   target if all synapses are alike. The note lies where the weight, the delay or the target will be.
C. `draw` goes through the rows. It draws the synapses of each projection with weights and delays, sorts all by (delay,
   target, draw), and writes them to where they stay. So there is one copy of the synapses at any time.

Targets are counted from a base, in 16 bits where neurons span at most 65,536 or where slices are cut at pages of that
size. A slice is the synapses of a row that have one delay and one base.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from eventsnn._core.synapses.connect cimport Share
from eventsnn._core.synapses.lines cimport DRAWN, LISTED, PAIRS, LineRule, draw_line, draw_pairs, ordinal_of
from eventsnn._core.base.memory cimport address, enlarge
from eventsnn._core.synapses.rows cimport (
    BOTH,
    DELAY_NOT_ALLOWED,
    DELAY_REFUSED,
    NOTHING,
    ORDINAL,
    TARGET,
    WEIGHT_NOT_FINITE,
    WEIGHT_REFUSED,
    WEIGHT_TOO_LARGE,
    Draft,
    Fault,
    Part,
    draw_part,
    open_draft,
    order_draft,
    take_values,
)

WRONG = {
    WEIGHT_REFUSED: "weight refused", WEIGHT_NOT_FINITE: "weight", WEIGHT_TOO_LARGE: "weight too large",
    DELAY_REFUSED: "delay refused", DELAY_NOT_ALLOWED: "delay",
}

cdef extern from "eventsnn/_core/base/compiler.h":
    void prefetch "EVENTSNN_PREFETCH"(const void* address) noexcept nogil

cdef enum:
    PAGE_BITS = 16


cdef struct Notes:
    # Notes of synapses until their rows are drawn: an array of numbers of so many bytes.
    char* at
    int bytes


cdef struct Slices:
    # The slices of a block of rows: where each begins in its row, and its number, which stands for delay and base.
    uint32_t* begin
    uint16_t* value
    int64_t n
    int64_t room


cdef struct Store:
    # Arrays with a place for every synapse; NULL where nothing is kept.
    uint16_t* target
    int32_t* wide             # in place of `target`, if not NULL
    double* weight
    float* weight32
    double* delay
    int64_t* ordinal
    const int32_t* post       # of all targets; NULL: they follow each other, `shift` above the base
    int32_t shift
    int32_t base
    int pages
    bint sliced


cdef inline void write_note(
    const Notes* notes, int noted, int64_t place, uint64_t ordinal, uint64_t target
) noexcept nogil:
    cdef uint64_t code = target if noted == TARGET else ordinal if noted == ORDINAL else target << 32 | ordinal
    if notes.bytes == 4:
        (<uint32_t*>notes.at)[place] = <uint32_t>code
    elif notes.bytes == 8:
        (<uint64_t*>notes.at)[place] = code
    else:
        (<uint16_t*>notes.at)[place] = <uint16_t>code


cdef inline void read_notes(const Notes* notes, int64_t place, int64_t n, uint64_t* code) noexcept nogil:
    cdef int64_t k
    if notes.bytes == 4:
        for k in range(n):
            code[k] = (<const uint32_t*>notes.at)[place + k]
    elif notes.bytes == 8:
        for k in range(n):
            code[k] = (<const uint64_t*>notes.at)[place + k]
    else:
        for k in range(n):
            code[k] = (<const uint16_t*>notes.at)[place + k]


cdef inline bint list_slice(Slices* s, int64_t begin, uint16_t value) noexcept nogil:
    cdef int64_t room = 2 * s.room + 1024
    if s.n == s.room:
        if not enlarge(<void**>&s.begin, room * sizeof(uint32_t)) \
                or not enlarge(<void**>&s.value, room * sizeof(uint16_t)):
            return False
        s.room = room
    s.begin[s.n], s.value[s.n] = <uint32_t>begin, value
    s.n += 1
    return True


cdef void place_columns(
    const LineRule* r, int noted, int64_t first, int64_t last, const Notes* notes, int64_t* cursor, int32_t* chosen,
    int32_t* deck,
) noexcept nogil:
    cdef int64_t line, k, n
    for line in range(first, last):
        n = draw_line(r, line, chosen, deck, NULL)
        for k in range(n):
            prefetch(notes.at + cursor[chosen[k]] * notes.bytes)
        for k in range(n):
            write_note(notes, noted, cursor[chosen[k]], ordinal_of(r, line, k, chosen[k]), <uint64_t>line)
            cursor[chosen[k]] += 1


cdef void place_pairs(
    const LineRule* r, int noted, int64_t first, int64_t last, const Notes* notes, int64_t* cursor
) noexcept nogil:
    cdef uint64_t line[PAIRS]
    cdef int32_t pre[PAIRS]
    cdef int32_t post[PAIRS]
    cdef int64_t place[PAIRS]
    cdef int64_t n, k
    while first < last:
        n = min(<int64_t>PAIRS, last - first)
        for k in range(n):
            line[k] = first + k
        if r.kind == LISTED:
            memcpy(pre, r.pre + first, n * sizeof(int32_t))
            memcpy(post, r.post + first, n * sizeof(int32_t))
        else:
            draw_pairs(r, line, n, pre, post)
        for k in range(n):
            # They lie all over the memory.
            place[k] = cursor[pre[k]]
            cursor[pre[k]] += 1
            prefetch(notes.at + place[k] * notes.bytes)
        for k in range(n):
            write_note(notes, noted, place[k], line[k], <uint64_t>post[k])
        first += n


cdef bint write_row(
    const Store* s, const Draft* d, const uint64_t* order, int64_t begin, Slices* slices
) noexcept nogil:
    """False if there is no memory left."""
    cdef int64_t k
    cdef int64_t n = d.n
    cdef uint32_t at, above
    cdef int value
    cdef int last = -1
    for k in range(n):
        at = <uint32_t>order[k]
        above = <uint32_t>(d.target[at] + s.shift if s.post == NULL else s.post[d.target[at]] - s.base)
        if s.wide != NULL:
            s.wide[begin + k] = <int32_t>above
        else:
            s.target[begin + k] = <uint16_t>above
        if s.sliced:
            value = (d.number[at] if d.numbered else 0) * s.pages
            if s.wide == NULL:
                value += above >> PAGE_BITS
            if value != last:
                if not list_slice(slices, k, <uint16_t>value):
                    return False
                last = value
    take_values(
        d, order, s.weight + begin if s.weight != NULL else NULL, s.weight32 + begin if s.weight32 != NULL else NULL,
        s.delay + begin if s.delay != NULL else NULL,
    )
    if s.ordinal != NULL:
        for k in range(n):
            s.ordinal[begin + k] = <int64_t>d.ordinal[<uint32_t>order[k]]
    return True


cdef class Rows:
    """Rows under construction; what is None is not kept by synapse.

    lengths: of each share's part of each row. n_delays: how many values delays take; 0: each synapse has its own.
    """

    cdef readonly object start      # int64
    cdef readonly object target     # uint16 or int32
    cdef readonly object weight     # float64 or float32
    cdef readonly object delay      # float64
    cdef readonly object ordinal    # int64
    cdef list shares
    cdef object lengths
    cdef object post
    cdef object noted
    cdef Store store
    cdef Notes notes
    cdef int64_t n_delays

    def __init__(
        self, list shares, lengths, post, int64_t n_delays, dtype=None, int base=0, int pages=1, bint wide=False,
        bint ordinals=False
    ):
        cdef Store* s = &self.store
        self.shares, self.lengths, self.post, self.n_delays = shares, lengths, post, n_delays
        self.start = np.concatenate([[0], np.cumsum(lengths.sum(axis=0))])
        n = self.start.item(self.start.size - 1)
        s.post, s.base, s.pages = <const int32_t*>address(post), base, pages
        if post.size and (np.diff(post) == 1).all():
            s.post, s.shift = NULL, post[0] - base
        s.sliced = n_delays > 1 or pages > 1
        self.target = np.empty(n, dtype=np.int32 if wide else np.uint16)
        if wide:
            s.wide = <int32_t*>address(self.target)
        else:
            s.target = <uint16_t*>address(self.target)
        if dtype is not None:
            self.weight = np.empty(n, dtype=dtype)
            if self.weight.itemsize == 4:
                s.weight32 = <float*>address(self.weight)
            else:
                s.weight = <double*>address(self.weight)
        if n_delays == 0:
            self.delay = np.empty(n)
            s.delay = <double*>address(self.delay)
        if ordinals:
            self.ordinal = np.empty(n, dtype=np.int64)
            s.ordinal = <int64_t*>address(self.ordinal)
        self.make_notes(n)

    cdef bint alike(self, Share share):
        """Whether nothing but the target tells synapses from each other."""
        return not share.part.weight_bytes and not share.part.delays_differ and self.ordinal is None

    cdef int noted_of(self, Share share):
        if self.alike(share):
            return TARGET
        return BOTH if self.notes.bytes == 8 and share.lines.most_ordinals <= 2**32 else ORDINAL

    cdef make_notes(self, int64_t n):
        cdef Share share
        cdef int64_t most = 0
        for share in self.shares:
            if share.lines.shared:
                most = max(most, share.lines.most_targets if self.alike(share) else share.lines.most_ordinals)
        size = 2 if most <= 2**16 else 4 if most <= 2**32 else 8
        kept = [a for a in (self.target, self.weight, self.delay, self.ordinal) if a is not None and a.itemsize >= size]
        self.noted = min(kept, key=lambda a: a.itemsize) if kept else np.empty(n if most else 0, dtype=f"u{size}")
        self.notes.at, self.notes.bytes = <char*>address(self.noted), self.noted.itemsize

    def place(self, Share share, int64_t first, int64_t last, int64_t[::1] cursor):
        """Draw these lines of a share; cursor[r] is where the next synapse of row r goes."""
        cdef const LineRule* r = &share.part.rule
        cdef int noted = self.noted_of(share)
        partners, deck = share.lines.rooms()
        cdef int32_t[::1] chosen = partners
        cdef int32_t[::1] cards = deck
        with nogil:
            if r.kind >= DRAWN:
                place_pairs(r, noted, first, last, &self.notes, &cursor[0])
            else:
                place_columns(r, noted, first, last, &self.notes, &cursor[0], &chosen[0], &cards[0])

    def draw(self, int64_t first, int64_t last, int64_t[::1] n_slices):
        """Draw these rows, and count the slices of each. Their begins and values, and what is wrong with values: of
        which share, what, how many, the first's ordinal, the value."""
        cdef const int64_t[::1] start = self.start
        cdef const int64_t[:, ::1] length = self.lengths
        cdef int n_parts = len(self.shares)
        cdef int64_t most = np.max(np.diff(self.start[first : last + 1]), initial=1)
        cdef Draft d
        cdef Slices slices
        cdef int64_t row
        cdef int k
        cdef bint going = True
        cdef int32_t[::1] deck = np.arange(max([share.lines.n_cards for share in self.shares]) + 1, dtype=np.int32)
        parts = np.zeros(n_parts * sizeof(Part) + 1, dtype=np.uint8)
        faults = np.zeros(n_parts * sizeof(Fault) + 1, dtype=np.uint8)
        cdef Part* part = <Part*>address(parts)
        cdef Fault* fault = <Fault*>address(faults)
        for k, share in enumerate(self.shares):
            part[k] = (<Share>share).part
            part[k].noted = self.noted_of(share)
        if not open_draft(&d, most):
            raise MemoryError
        memset(&slices, 0, sizeof(Slices))
        d.numbered, d.timed = self.n_delays > 1, self.n_delays == 0
        d.by_target = any(share.lines.by_target for share in self.shares)
        d.target_bits = max(len(self.post) - 1, 1).bit_length()
        d.key_bits = d.target_bits + (int(self.n_delays) - 1).bit_length()
        with nogil:
            for row in range(first, last):
                if start[row] == start[row + 1]:
                    continue
                n_slices[row] = slices.n
                going = self.draw_row(
                    &d, row, start[row], part, n_parts, &length[0, row], length.shape[1], &deck[0], fault
                )
                going = going and write_row(&self.store, &d, order_draft(&d), start[row], &slices)
                n_slices[row] = slices.n - n_slices[row]
                if not going:
                    break
        free(d.word)
        found = [
            (k, WRONG[fault[k].what], fault[k].count, fault[k].ordinal, fault[k].value)
            for k in range(n_parts) if fault[k].what != NOTHING
        ]
        begin, value = np.empty(slices.n, dtype=np.uint32), np.empty(slices.n, dtype=np.uint16)
        if slices.n:
            begin[:] = <uint32_t[:slices.n]>slices.begin
            value[:] = <uint16_t[:slices.n]>slices.value
        free(slices.begin)
        free(slices.value)
        if not going and not found:
            raise MemoryError
        return begin, value, found

    cdef bint draw_row(
        self, Draft* d, int64_t row, int64_t at, const Part* part, int n_parts, const int64_t* length, int64_t stride,
        int32_t* deck, Fault* fault,
    ) noexcept nogil:
        """False if it is no use to go on."""
        cdef uint64_t* code
        cdef int64_t n
        cdef int k
        d.n = 0
        for k in range(n_parts):
            n = length[k * stride]
            code = NULL
            if n > 0 and (part[k].rule.columns or part[k].rule.kind >= DRAWN):
                code = d.word
                read_notes(&self.notes, at, n, code)
            if n > 0 and not draw_part(&part[k], d, row, code, n, deck, &fault[k]):
                return False
            at += n
        return True
