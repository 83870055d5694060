"""Rows of several projections with the same presynaptic neurons, made one; eventsnn/compile_rows.py says when."""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset


cdef struct Part:
    # ProjectionPlan says what the arrays hold; slice_row is NULL where all delays are equal.
    const int64_t* start
    const int32_t* target
    const char* weight
    const int64_t* slice_row
    const uint32_t* slice_start
    const uint16_t* slice_value
    const int32_t* number         # of each of the projection's delays among all


cdef const void* address(array, dtype) except? NULL:
    """Where the data of an array lie; it must be kept alive."""
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise TypeError(f"expected contiguous {dtype}, got {array.dtype}")
    return <const void*><size_t>array.ctypes.data


cdef inline int64_t slices_of(const Part* p, int64_t row, int64_t* first) noexcept nogil:
    if p.slice_row == NULL:
        first[0] = 0
        return p.start[row + 1] > p.start[row]
    first[0] = p.slice_row[row]
    return p.slice_row[row + 1] - first[0]


cdef inline int64_t slice_of(const Part* p, int64_t row, int64_t slice, int64_t last, int64_t* begin) noexcept nogil:
    """How many synapses a slice of a row has, and where they begin; last: the last slice of the row."""
    cdef int64_t end = p.start[row + 1]
    begin[0] = p.start[row]
    if p.slice_row != NULL:
        if slice < last:
            end = begin[0] + p.slice_start[slice + 1]
        begin[0] += p.slice_start[slice]
    return end - begin[0]


cdef inline int32_t delay_of(const Part* p, int64_t slice) noexcept nogil:
    return p.number[0 if p.slice_row == NULL else p.slice_value[slice]]


cdef inline int64_t count_row(
    const Part* part, int n_parts, int64_t row, int64_t* counts, int64_t n_delays
) noexcept nogil:
    """How many synapses of a row have each delay; returns how many delays there are."""
    cdef int64_t slice, first, n, begin
    cdef int64_t different = 0
    cdef int k
    memset(counts, 0, n_delays * sizeof(int64_t))
    for k in range(n_parts):
        n = slices_of(&part[k], row, &first)
        for slice in range(first, first + n):
            counts[delay_of(&part[k], slice)] += slice_of(&part[k], row, slice, first + n - 1, &begin)
    for slice in range(n_delays):
        different += counts[slice] > 0
    return different


cdef inline void copy_row(
    const Part* part, int n_parts, int64_t row, int64_t* place, int32_t* target, char* weight, int64_t size
) noexcept nogil:
    """Put the synapses of a row in their place; place: where those of each delay begin."""
    cdef int64_t slice, first, n, begin, length
    cdef int64_t* at
    cdef int k
    for k in range(n_parts):
        n = slices_of(&part[k], row, &first)
        for slice in range(first, first + n):
            at = &place[delay_of(&part[k], slice)]
            length = slice_of(&part[k], row, slice, first + n - 1, &begin)
            memcpy(target + at[0], part[k].target + begin, length * sizeof(int32_t))
            if size:
                memcpy(weight + at[0] * size, part[k].weight + begin * size, length * size)
            at[0] += length


def merge_rows(plans, numbers, int64_t n_delays, dtype):
    """One row for each of the rows of all plans, which are in the order of their targets: start, target, weight (None
    if dtype is), and the slices' row, start and value. numbers: of each plan's delays among n_delays."""
    cdef int n_parts = len(plans)
    cdef int64_t rows = plans[0].start.size - 1
    cdef int64_t size = 0 if dtype is None else np.dtype(dtype).itemsize
    cdef int64_t row, k, sum
    cdef int64_t at = 0
    parts = np.zeros(n_parts * sizeof(Part), dtype=np.uint8)
    cdef Part* part = <Part*><size_t>parts.ctypes.data
    cdef int64_t[::1] start = np.zeros(rows + 1, dtype=np.int64)
    cdef int64_t[::1] slice_row = np.zeros(rows + 1, dtype=np.int64)
    cdef int64_t[::1] counts = np.zeros(n_delays + 1, dtype=np.int64)
    for k, plan in enumerate(plans):
        part[k].start = <const int64_t*>address(plan.start, np.int64)
        part[k].target = <const int32_t*>address(plan.target, np.int32)
        part[k].number = <const int32_t*>address(numbers[k], np.int32)
        if size:
            part[k].weight = <const char*>address(plan.weight, dtype)
        if plan.slices is not None:
            part[k].slice_row = <const int64_t*>address(plan.slices.row, np.int64)
            part[k].slice_start = <const uint32_t*>address(plan.slices.start, np.uint32)
            part[k].slice_value = <const uint16_t*>address(plan.slices.value, np.uint16)
    with nogil:
        for row in range(rows):
            slice_row[row + 1] = slice_row[row] + count_row(part, n_parts, row, &counts[0], n_delays)
            start[row + 1] = start[row]
            for k in range(n_parts):
                start[row + 1] += part[k].start[row + 1] - part[k].start[row]
    cdef int32_t[::1] target = np.empty(start[rows] + 1, dtype=np.int32)
    cdef char[::1] weight = np.empty(start[rows] * size + 1, dtype=np.int8)
    cdef uint32_t[::1] slice_start = np.empty(slice_row[rows] + 1, dtype=np.uint32)
    cdef uint16_t[::1] slice_value = np.empty(slice_row[rows] + 1, dtype=np.uint16)
    with nogil:
        for row in range(rows):
            count_row(part, n_parts, row, &counts[0], n_delays)
            sum = start[row]
            for k in range(n_delays):
                if counts[k] > 0:
                    slice_start[at] = <uint32_t>(sum - start[row])
                    slice_value[at] = <uint16_t>k
                    at += 1
                sum += counts[k]
                counts[k] = sum - counts[k]
            copy_row(part, n_parts, row, &counts[0], &target[0], &weight[0], size)
    weights = np.asarray(weight)[:-1].view(dtype) if size else None
    slices = np.asarray(slice_row), np.asarray(slice_start)[:-1], np.asarray(slice_value)[:-1]
    return np.asarray(start), np.asarray(target)[:-1], weights, *slices
