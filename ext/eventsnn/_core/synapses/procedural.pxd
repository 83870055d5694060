# Rows that are not kept, but drawn anew from their counters for every spike.
#
# A row is made by the same draws and the same sort as one that is kept (rows.pxd), so it has the same bits. Whoever
# makes a row owns it; nothing here is shared, so rows may be made in several threads.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from eventsnn._core.synapses.lines cimport DISTINCT, line_length
from eventsnn._core.synapses.rows cimport NOTHING, Draft, Fault, Part, draw_part, open_draft, order_draft, take_values


cdef struct Recipe:
    Part part
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


cdef inline Made* new_row(const Part* p, int64_t n) noexcept nogil:
    """Room for a row in one piece of memory; NULL if there is none."""
    cdef int64_t doubles = (n if p.weight_bytes == 8 else 0) + (n if p.delays_differ else 0)
    cdef int64_t floats = n if p.weight_bytes == 4 else 0
    cdef Made* made = <Made*>malloc(sizeof(Made) + 8 * doubles + 4 * floats + 4 * n)
    cdef double* free_place
    if made == NULL:
        return NULL
    memset(made, 0, sizeof(Made))
    made.n = n
    free_place = <double*>(made + 1)
    if p.weight_bytes == 8:
        made.weight = free_place
        free_place += n
    if p.delays_differ:
        made.delay = free_place
        free_place += n
    if p.weight_bytes == 4:
        made.weight32 = <float*>free_place
    made.target = <int32_t*>free_place + floats
    return made


cdef inline Made* make_row(const Recipe* r, int64_t row) noexcept nogil:
    """The synapses of a row; NULL if there is no memory left. To be freed."""
    cdef const Part* p = &r.part
    cdef int64_t n = line_length(&p.rule, row)
    cdef Made* made
    cdef const uint64_t* order
    cdef Draft d
    cdef Fault fault
    cdef int64_t k
    if not open_draft(&d, n):
        return NULL
    made = new_row(p, n)
    if made == NULL:
        free(d.word)
        return NULL
    d.numbered, d.timed = False, p.delays_differ
    d.by_target = p.rule.kind <= DISTINCT
    d.key_bits = 32
    fault.what = NOTHING
    fault.count = 0
    # What it might find wrong has been excluded when the network was compiled.
    draw_part(p, &d, row, NULL, n, NULL, &fault)
    order = order_draft(&d)
    for k in range(n):
        made.target[k] = r.post[d.target[<uint32_t>order[k]]]
    take_values(&d, order, made.weight, made.weight32, made.delay)
    free(d.word)
    return made
