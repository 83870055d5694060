# Rows that are not kept, but drawn anew from their counters for every spike.
#
# A row is made by the same draws and the same sort as one that is kept (lines.pxd, values.pxd, rows.pxd), so it has the
# same bits. Whoever makes a row owns it; nothing here is shared, so rows may be made in several threads.

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from eventsnn._core.lines cimport DISTINCT, LineRule, draw_line, line_length, ordinal_of
from eventsnn._core.rows cimport NOTHING, Fault, Item, Store, sort_row, store_values
from eventsnn._core.values cimport CHUNK, Values


cdef struct Recipe:
    LineRule rule
    Values weights
    Values delays
    int weight_bytes      # of each synapse; 0 if all have one
    bint delays_differ
    const int32_t* post


cdef struct Made:
    # A row, sorted by (delay, target, draw).
    Made* next            # of a list
    int64_t n
    int64_t at            # where its next slice begins
    int32_t* target
    double* weight        # NULL: not by synapse
    float* weight32
    double* delay


cdef inline Made* new_row(const Recipe* r, int64_t n) noexcept nogil:
    """Room for a row in one piece of memory; NULL if there is none."""
    cdef int64_t doubles = (n if r.weight_bytes == 8 else 0) + (n if r.delays_differ else 0)
    cdef int64_t floats = n if r.weight_bytes == 4 else 0
    cdef Made* made = <Made*>malloc(sizeof(Made) + 8 * doubles + 4 * floats + 4 * n)
    cdef double* free_place
    if made == NULL:
        return NULL
    memset(made, 0, sizeof(Made))
    made.n = n
    free_place = <double*>(made + 1)
    if r.weight_bytes == 8:
        made.weight = free_place
        free_place += n
    if r.delays_differ:
        made.delay = free_place
        free_place += n
    if r.weight_bytes == 4:
        made.weight32 = <float*>free_place
    made.target = <int32_t*>free_place + floats
    return made


cdef inline Made* make_row(const Recipe* r, int64_t row) noexcept nogil:
    """The synapses of a row; NULL if there is no memory left. To be freed."""
    cdef uint64_t ordinal[CHUNK]
    cdef int64_t slot[CHUNK]
    cdef int64_t n = line_length(&r.rule, row)
    cdef int64_t held = 0
    cdef int64_t k
    cdef bint by_target = r.rule.kind <= DISTINCT
    cdef Store s
    cdef Fault fault
    # Both the memory of what has been dealt (lines.pxd) and the room to sort, one after the other.
    cdef Item* room = <Item*>malloc((2 * n + 8) * sizeof(Item)) if by_target or r.delays_differ else NULL
    cdef Made* made = new_row(r, n)
    if made == NULL or (room == NULL and (by_target or r.delays_differ)):
        free(room)
        free(made)
        return NULL
    memset(&s, 0, sizeof(Store))
    s.target, s.weight, s.weight32, s.delay = made.target, made.weight, made.weight32, made.delay
    s.weights, s.delays = r.weights, r.delays
    fault.what = NOTHING
    fault.count = 0
    draw_line(&r.rule, row, made.target, NULL, <int32_t*>room)
    if r.weight_bytes or r.delays_differ:
        for k in range(n):
            slot[held] = k
            ordinal[held] = ordinal_of(&r.rule, row, k, made.target[k])
            held += 1
            if held == CHUNK or k == n - 1:
                # What it might find wrong has been excluded when the network was compiled.
                store_values(&s, ordinal, slot, held, &fault)
                held = 0
    sort_row(&s, 0, n, by_target, r.post, room, room + n)
    free(room)
    return made
