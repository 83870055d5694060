# From the kernels' structs to the arrays of a checkpoint and back.

from eventsnn._core.run.core cimport Core
from eventsnn._core.run.net cimport Arena
from eventsnn._core.draw.stream cimport Stream


cdef dict read_neurons(const Core* e, net)
cdef write_neurons(Core* e, net, dict state)
cdef dict read_streams(const Core* e, net)
cdef Stream* find_streams(const Core* e, net, dict state, dict trains, Arena arena) except? NULL
cdef read_rows(const Core* e, list into)
cdef write_rows(Core* e, dict state)
cdef set_train(Stream* s, const double* time, n, at)
