# Where arrays lie in memory, and arrays that grow as a run goes along.

from libc.stdlib cimport realloc


cdef inline bint enlarge(void** array, size_t size) noexcept nogil:
    """Let an array, which holds the address of one or NULL, have room for this many bytes; False, and the array as it
    was, if there is no memory left."""
    cdef void* grown = realloc(array[0], size)
    if grown == NULL:
        return False
    array[0] = grown
    return True


cdef inline void* address(array):
    """Where the elements of a numpy array lie."""
    return <void*><size_t>array.ctypes.data
