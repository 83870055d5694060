# Programs: updates of synapses as operations on registers (eventsnn/plasticity/program.py), carried out for many
# synapses at once. A register is a row of numbers, one for each synapse.

from libc.math cimport fabs
from libc.stdint cimport int32_t, uint8_t

from eventsnn._core.base.mathfunc cimport exp, expm1, infinity, log, not_a_number

cdef enum:
    AT_ONCE = 64            # synapses
    # Operations, as in program.py.
    ADD = 0
    SUBTRACT = 1
    MULTIPLY = 2
    DIVIDE = 3
    LEAST = 4
    LARGEST = 5
    POWER = 6
    EXP = 7
    EXPM1 = 8
    SIZE = 9


cdef struct Program:
    int n_inputs
    int first_result        # behind inputs and constants
    int n_operations
    const int32_t* operation    # (operations, 3): operation, a, b
    const int32_t* output       # registers of the results that are asked for
    const uint8_t* used         # for each input whether anything depends on it
    double* register            # (registers, AT_ONCE); constants are in theirs


cdef inline double* register_of(const Program* p, int k) noexcept nogil:
    return p.register + k * AT_ONCE


cdef inline double* output_of(const Program* p, int k) noexcept nogil:
    return register_of(p, p.output[k])


cdef inline double power(double a, double b) noexcept nogil:
    """a^b for a >= 0; nan for a negative a."""
    if a > 0.0:
        return exp(b * log(a))
    if a == 0.0:
        return 0.0 if b > 0.0 else 1.0 if b == 0.0 else infinity()
    return not_a_number()


cdef inline void carry_out(const Program* p, int n) noexcept nogil:
    """Find all results for the first n synapses."""
    cdef int k, i, operation
    cdef const double* a
    cdef const double* b
    cdef double* out
    for k in range(p.n_operations):
        operation = p.operation[3 * k]
        a, b = register_of(p, p.operation[3 * k + 1]), register_of(p, p.operation[3 * k + 2])
        out = register_of(p, p.first_result + k)
        if operation == ADD:
            for i in range(n):
                out[i] = a[i] + b[i]
        elif operation == SUBTRACT:
            for i in range(n):
                out[i] = a[i] - b[i]
        elif operation == MULTIPLY:
            for i in range(n):
                out[i] = a[i] * b[i]
        elif operation == DIVIDE:
            for i in range(n):
                out[i] = a[i] / b[i]
        elif operation == LEAST:
            for i in range(n):
                out[i] = a[i] if a[i] < b[i] else b[i]
        elif operation == LARGEST:
            for i in range(n):
                out[i] = a[i] if a[i] > b[i] else b[i]
        elif operation == POWER:
            for i in range(n):
                out[i] = power(a[i], b[i])
        elif operation == EXP:
            for i in range(n):
                out[i] = exp(a[i])
        elif operation == EXPM1:
            for i in range(n):
                out[i] = expm1(a[i])
        else:
            for i in range(n):
                out[i] = fabs(a[i])
