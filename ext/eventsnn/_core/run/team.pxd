# The lanes of one network, and all arrays that they point into.

from libc.stdint cimport int64_t

from eventsnn._core.run.core cimport Core, Team
from eventsnn._core.run.net cimport Arena


cdef class Lanes:
    cdef Core core                # the first lane
    cdef Core** lane              # the first and the others
    cdef Team team
    cdef object net
    cdef Arena arena              # of what all lanes share
    cdef Arena of_lanes           # of what they have of their own
    cdef int mode                 # of blocks
    cdef bint driven              # whether neurons that may be calm have external spikes
    cdef lay(self, net)
    cdef begin_lane(self, Core* e, Arena arena)
    cdef make_blocks(self)
    cdef begin_streams(self)
    cdef begin_neurons(self)
    cdef begin(self, change)
    cdef give_groups(self, Core* e, list part)
    cdef set_calm_mode(self, int mode, double width, double above)
    cdef rouse(self)
    cdef share(self, int n)
    cdef assemble(self, int n)
    cdef reset_lane(self, Core* e, int number, Arena arena)
    cdef give_ranges(self, Core* e, list part)
    cdef give_neurons(self, Core* e, const int64_t[::1] neurons)
    cdef join(self)
    cdef restore_lane(self, Core* e, dict state)
