# From the kernels' structs to the arrays of a checkpoint and back.

from libc.stdint cimport int32_t, int64_t

from eventsnn._core.run.core cimport Core, Projection
from eventsnn._core.run.net cimport Arena
from eventsnn._core.draw.stream cimport Stream
from eventsnn._core.solve.neuron cimport Neuron


cdef dict read_neurons(const Core* e, net)
cdef write_neurons(Core* e, net, dict state)
cdef dict read_streams(const Core* e, net)
cdef Stream* find_streams(const Core* e, net, dict state, dict trains, Arena arena) except? NULL
cdef read_rows(const Core* e, list into)
cdef write_rows(Core* e, dict state)
cdef set_weights_of(Projection* p, weights)
cdef move_weights(Core* e, int64_t k, Projection before, weights)
cdef void set_change(const Core* e, Neuron* s, int32_t first, int32_t begun) noexcept
cdef void set_train(Stream* s, const double* time, int64_t n, int64_t at) noexcept nogil
