# What is kept of calm neurons: calm.pxd says what they are, scatter.pxd how input reaches them.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from eventsnn._core.neuron cimport Class
from eventsnn._core.stream cimport Source

cdef extern from "eventsnn/_core/scatter.h":
    enum:
        # Flags of a neuron.
        ALERT "EVENTSNN_ALERT"
        LATE "EVENTSNN_LATE"
        HELD "EVENTSNN_HELD"
        # Kinds of weights.
        SHARED "EVENTSNN_SHARED"
        DOUBLES "EVENTSNN_DOUBLES"
        FLOATS "EVENTSNN_FLOATS"
        # The state of a calm neuron: places, and how many there are.
        U "EVENTSNN_U"
        LAST "EVENTSNN_LAST"
        X "EVENTSNN_X"
        STATE "EVENTSNN_STATE"
        # Ports of a neuron that can be calm.
        PORTS "EVENTSNN_PORTS"
    ctypedef struct Taken "eventsnn_taken":
        # An arrival at a neuron that is not calm.
        int32_t neuron
        int32_t row
    ctypedef struct Notes "eventsnn_notes":
        Taken* taken
        double* weight
        int64_t n
    ctypedef struct Rise "eventsnn_rise":
        # How far v may rise in the block: factors from U and X to v and currents when it begins.
        double membrane       # from U, without currents back
        double current[2]
        double coupling[2]
        double kept[2]        # of a current, from begin to end
        double per_C
        double per_tau
        double span           # ms
        double size           # of thresholds and drives, beside the gap
        double per_effect     # of the most that an arrival of weight 1 adds
        double margin
    ctypedef struct Looked "eventsnn_looked":
        # Neurons that are looked at when a block begins.
        const double* state
        const double* gap
        const uint8_t* flag
        float* room
        int32_t* others
        float least
        float most
        double of_room
        double margin
    ctypedef struct Lines "eventsnn_lines":
        # What a mV is in U when the block begins and ends, and the mV that an arrival of weight 1 adds: the same for
        # all, or of each neuron.
        double begin
        double end
        double scale
        double* begins
        double* ends
        double* scales
    ctypedef struct Pulse "eventsnn_pulse":
        # What arrives of a slice at one group, and what it adds to a state, by port.
        const int32_t* target
        const double* weight
        const float* weight32
        double shared
        int64_t n
        double time
        int32_t row
        int ascending
        int port
        int by_sign[2]
        double u[2]
        double x[2]
        int slot[2]

cdef enum Mode:
    BY_ACTIVITY = 0
    NEVER_CALM = 1
    ALWAYS_CALM = 2


cdef struct Aside:
    # 64 bytes: what of a calm neuron with external input synaptic input does not touch.
    double external       # U of external input, when the block begins
    double z              # X of external input, the same
    double external_end   # and when it ends
    double z_end
    double last           # external spike in the block
    double frame          # origin of the frame of one that is late
    int64_t n_external    # spikes in the block
    int64_t unused


cdef struct Group:
    # Neurons, one after the other, that have all constants and the source of external spikes in common.
    int32_t start
    int32_t stop
    const Class* k            # NULL: never calm
    const Source* source      # NULL: none
    uint32_t index            # of the stream of neuron 0, if that were in the group
    double* state             # of neuron 0, if that were in the group
    double* tie               # the same
    uint16_t* count           # the same
    int currents
    bint singly               # they take their input one by one, singly.pxd
    bint varied               # and have constants of their own: rates, and scales of input
    int32_t kind              # of neurons with the same constants and frames
    double begin              # of the present block
    double end
    double origin             # of the frame that it lies in
    # What bounds need.
    Rise rise
    Lines lines
    double step               # of U, and of a current, to the next frame
    double current_step[2]
    double external_effect    # most that an external spike adds to what is compared
    double external_scale     # what one of weight 1 adds to the current and to v, at the origin of the frame
    double external_coupled


cdef struct Segment:
    # What of a slice reaches one group.
    Pulse pulse
    int32_t group
    int kind


cdef struct Gathered:
    # One arrival.
    double time
    double weight
    int32_t neuron
    int32_t row


cdef struct Blocks:
    int mode
    bint on
    Group* group
    int64_t n_groups
    int64_t n                 # neurons that may be calm
    int cost_of_look          # at a neuron when a block begins, at most
    double end                # the first end of a block; inf while not on
    double width              # of blocks, if a group does not want another
    double of_room            # how much of the room is used
    double* state
    Aside* aside
    double* gap               # from drive to threshold, mV
    float* room               # weight that may arrive in the block; inf if it is held; nan if alert; -inf if late
    float* late_room          # that of one that is late
    uint8_t* flag
    double* tie               # sums of what arrives at one time
    uint16_t* count           # or how much of it there is
    double* adds              # what so much adds to a state
    # Of neurons that take their input one by one.
    bint singly               # there are some
    Gathered* gathered        # what arrives at them in the window; behind as much again, in order
    int64_t n_gathered
    int64_t gathered_room
    double* gathered_growth   # of U's unit, for each in order
    int64_t* gathered_begin   # of ranges of times
    int32_t* group_of
    double* rate              # of the growth of U's unit
    double* u
    double* sums              # of what arrives at one time
    double* begins            # of Lines
    double* ends
    double* scales
    double* release           # when one is released that is refractory throughout
    int32_t* others           # room for the neurons of a lane
    Segment* segment
    int64_t n_segments
    int64_t segment_room
    Pulse found               # the last, of a kind of neurons
    int32_t found_kind
    Notes notes
    int64_t notes_room
    int64_t arrivals          # at neurons that are not calm
    int64_t looks             # at neurons when a block begins
    # The last review of all this: when, and what had been done.
    double reviewed
    int64_t events_then
    int64_t updates_then
    int64_t arrivals_then
    int64_t looks_then
