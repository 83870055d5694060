# Rows of synapses, read slice by slice. A slice is the synapses of a row with one delay and one base, its targets
# ascending. Where each synapse has a delay of its own, several synapses are taken in one go (spans.pxd).
#
# `first` says where a slice begins:
# - where delays are kept by slice, it is the number of the slice;
# - in other rows that are kept, it is the first synapse of the slice;
# - in rows that are not kept, it is the address of the row made for the spike, which knows how far it has been read.
#   A row is made when its neuron fires, since its first delay must be known. If all delays are equal it is made when it
#   arrives; until then `first` is 0. Made rows are freed after the window in which they were read to the end.

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free

from eventsnn._core.run.core cimport Core, Projection
from eventsnn._core.synapses.lines cimport line_is_empty
from eventsnn._core.solve.neuron cimport Row, Slice, targets_from
from eventsnn._core.synapses.procedural cimport Made, make_row
from eventsnn._core.run.queue cimport LEVELS, SLOTS, row_push

cdef enum:
    NO_SLICE = -1
    NO_ROOM = -2    # there is no memory for a row


cdef inline int64_t first_slice(const Projection* p, int64_t row) noexcept nogil:
    """Where the first slice of a row begins; NO_SLICE if the row has no synapses."""
    if p.recipe != NULL:
        return NO_SLICE if line_is_empty(&p.recipe.part.rule, row) else 0 if p.one_delay else made_row(p, row)
    if p.start[row] == p.start[row + 1]:
        return NO_SLICE
    return p.start[row] if p.slice_row == NULL else p.slice_row[row]


cdef inline int64_t made_row(const Projection* p, int64_t row) noexcept nogil:
    cdef Made* made = make_row(p.recipe, row)
    return NO_ROOM if made == NULL else <int64_t><size_t>made


cdef inline double slice_delay(const Projection* p, int64_t first) noexcept nogil:
    cdef const Made* made
    if p.one_delay:
        return p.delay[0]
    if p.recipe != NULL:
        made = <const Made*><size_t>first
        return made.delay[made.at]
    return p.delay[first if p.slice_row == NULL else p.slice_value[first]]


cdef inline int64_t take_slice(Core* e, const Projection* p, int64_t row, int64_t first, Slice* slice) noexcept nogil:
    """Fill in the synapses of the slice that begins at first. Where the row's next one begins, NO_SLICE or NO_ROOM."""
    cdef int64_t end, begin
    cdef int64_t next = NO_SLICE
    slice.one_weight = p.one_weight
    slice.port = p.port
    slice.delay = NULL
    if p.recipe != NULL:
        return take_made(e, p, row, first, slice)
    begin, end = first, p.start[row + 1]
    slice.base, slice.narrow = p.base[0], p.narrow
    if p.slice_row != NULL:
        slice.base = p.base[p.slice_value[first]]
        begin = p.start[row] + p.slice_start[first]
        if first + 1 < p.slice_row[row + 1]:
            next = first + 1
            end = p.start[row] + p.slice_start[next]
    elif not p.one_delay:
        next = end_of_slice(p.delay, first, end)
        if next < end:
            end = next
        else:
            next = NO_SLICE
    slice.target = p.target
    slice.target = targets_from(slice, begin)
    slice.n = end - begin
    slice.weight = NULL
    slice.weight32 = NULL
    if p.weight32 != NULL:
        slice.weight32 = p.weight32 if p.one_weight else p.weight32 + begin
    else:
        slice.weight = p.weight if p.one_weight else p.weight + begin
    return next


cdef inline bint leave_made(Core* e, Made* made, int64_t at) noexcept nogil:
    """Note how far a row that was made has been read; False if that is to its end."""
    made.at = at
    if at < made.n:
        return True
    made.next = e.arrived
    e.arrived = made
    return False


cdef inline int64_t end_of_slice(const double* delay, int64_t first, int64_t end) noexcept nogil:
    """Where another delay begins."""
    cdef int64_t k = first + 1
    while k < end and delay[k] == delay[first]:
        k += 1
    return k


cdef inline int64_t take_made(Core* e, const Projection* p, int64_t row, int64_t first, Slice* slice) noexcept nogil:
    """take_slice for a row that is not kept."""
    cdef Made* made
    cdef int64_t begin, end
    if first == 0:
        first = made_row(p, row)
        if first == NO_ROOM:
            return NO_ROOM
    made = <Made*><size_t>first
    begin = made.at
    end = made.n if p.one_delay else end_of_slice(made.delay, begin, made.n)
    slice.target, slice.base, slice.narrow = made.target + begin, 0, False
    slice.n = end - begin
    slice.weight = p.weight
    slice.weight32 = p.weight32
    if made.weight != NULL:
        slice.weight = made.weight + begin
    if made.weight32 != NULL:
        slice.weight32 = made.weight32 + begin
    return first if leave_made(e, made, end) else NO_SLICE


cdef inline void give_back_rows(Core* e) noexcept nogil:
    """Free what was made for slices of a window that has ended."""
    cdef Made* made
    while e.arrived != NULL:
        made = e.arrived
        e.arrived = made.next
        free(made)


cdef inline void give_up_rows(Core* e) noexcept nogil:
    """Free all rows that were made, those that are under way as well."""
    cdef int64_t slot
    cdef int32_t at
    cdef const Row* row
    for slot in range(LEVELS * SLOTS if e.state.rows.row != NULL else 0):
        at = e.state.rows.wheel.first[slot]
        while at >= 0:
            row = &e.state.rows.row[at]
            if e.net.projections[row.projection].recipe != NULL and row.first > 0:
                free(<Made*><size_t>row.first)
            at = e.state.rows.wheel.link[at].next
    give_back_rows(e)


cdef inline bint copy_rows(const Core* e, Core* other) noexcept nogil:
    """File in another lane all spikes that are under way; False if there is no memory left."""
    cdef int64_t slot
    cdef int32_t at
    cdef const Projection* p
    cdef Row row
    for slot in range(LEVELS * SLOTS if e.state.rows.row != NULL else 0):
        at = e.state.rows.wheel.first[slot]
        while at >= 0:
            row = e.state.rows.row[at]
            p = &e.net.projections[row.projection]
            if p.recipe != NULL and row.first > 0:
                row.first = made_row(p, row.row)
                if row.first == NO_ROOM:
                    return False
                (<Made*><size_t>row.first).at = (<const Made*><size_t>e.state.rows.row[at].first).at
            if not row_push(&other.state.rows, &row):
                return False
            at = e.state.rows.wheel.link[at].next
    return True
