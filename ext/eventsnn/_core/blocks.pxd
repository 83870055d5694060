# What is kept of calm neurons: calm.pxd says what they are, scatter.pxd how input reaches them.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from eventsnn._core.neuron cimport MOST_CURRENTS, Class
from eventsnn._core.stream cimport Source

cdef extern from "eventsnn/_core/scatter.h":
    enum:
        # Kinds of weights.
        SHARED "EVENTSNN_SHARED"
        DOUBLES "EVENTSNN_DOUBLES"
        FLOATS "EVENTSNN_FLOATS"
        # The state of a calm neuron with currents: places, and how many there are; of one without there is only D.
        D "EVENTSNN_D"
        U "EVENTSNN_U"
        X "EVENTSNN_X"
        STATE "EVENTSNN_STATE"
        # Ports of a neuron that can be calm.
        PORTS "EVENTSNN_PORTS"
    # What an arrival at a neuron with currents adds to D beyond what is found, for all that may be rounded.
    enum:
        PAD "EVENTSNN_PAD"
    ctypedef struct Pulse "eventsnn_pulse":
        # What arrives of a slice at one group, and what it adds to a state: by the sign of the weight, for weight 1;
        # and for the weight that all share.
        const int32_t* target
        const double* weight
        const float* weight32
        double shared
        double size           # no weight is larger
        int64_t n
        double time
        int32_t row
        int port
        int by_sign[2]
        double d[2]
        double u[2]
        double x[2]
        int slot[2]
        int64_t added[4]

    ctypedef struct Rise "eventsnn_rise":
        # Of each current the least and the largest of what X takes from U; the line of all, or of each.
        double least[2]
        double largest[2]
        double margin
        int64_t low
        const int64_t* lows

cdef enum Mode:
    BY_ACTIVITY = 0
    NEVER_CALM = 1
    ALWAYS_CALM = 2

cdef enum:
    # Flags of a neuron.
    IS_ALERT = 1
    IS_HELD = 2

cdef extern from *:
    """
    #define EVENTSNN_ALERT_D ((int64_t)1 << 62)
    #define EVENTSNN_HELD_D (-((int64_t)1 << 60))
    #define EVENTSNN_LEAST_D (-((int64_t)1 << 61))
    """
    # D of an alert neuron, at which all that arrives is listed, and of one that is held when a block begins, at which
    # nothing is, or else it becomes alert. D of others is not below the last.
    const int64_t ALERT_D "EVENTSNN_ALERT_D"
    const int64_t HELD_D "EVENTSNN_HELD_D"
    const int64_t LEAST_D "EVENTSNN_LEAST_D"


cdef struct Pending:
    # External input of the block that a state has already.
    int64_t u
    int64_t x
    int64_t n             # spikes


cdef struct Taken:
    # An arrival at a neuron that is not calm.
    int32_t neuron
    int32_t row


cdef struct Notes:
    Taken* taken
    double* weight
    int64_t n
    int64_t room


cdef struct Group:
    # Neurons, one after the other, that have all constants and the source of external spikes in common.
    int32_t start
    int32_t stop
    const Class* k            # NULL: never calm
    const Source* source      # NULL: none
    uint32_t index            # of the stream of neuron 0, if that were in the group
    int64_t* state            # of neuron 0, if that were in the group
    int currents
    bint singly               # they take their input one by one, singly.pxd
    bint varied               # and have constants of their own: rates, and scales of input
    bint even                 # all that are calm are equally far from drive to threshold
    double gap                # in that case
    int32_t kind              # of neurons with the same constants and frames
    double begin              # of the present block
    double end
    double origin             # of the frame of U that it lies in
    # What a unit of U has grown by when the block begins and ends.
    double grown_begin
    double grown_end
    int64_t low               # the lowest line in the block, if even
    int64_t low_before        # and in the one before
    int32_t moved             # neurons before this one have the line of the block
    Rise rise                 # what X takes from U in the block
    double at_end[MOST_CURRENTS]  # and when it ends
    int frames                # bits: of U and of each X a new frame has begun with the block
    int64_t n_held            # without currents and external input: which are refractory throughout


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
    double above              # mV that lines lie above where they should
    int64_t* state
    Pending* pending
    double* gap               # from drive to threshold, mV
    int64_t* low              # the lowest line in the block, of neurons whose group is not even
    uint8_t* flag
    double* release           # when one is released that is refractory throughout
    int32_t* held             # room for those of each group
    int32_t* others           # room for the neurons of a lane
    # Of neurons that take their input one by one.
    bint singly               # there are some
    Gathered* gathered        # what arrives at them in the window; behind as much again, in order
    int64_t n_gathered
    int64_t gathered_room
    double* gathered_growth   # of U's unit, for each in order
    int64_t* gathered_begin   # of ranges of times
    int32_t* group_of
    int64_t* single           # their states
    double* rate              # of the growth of U's unit
    double* scales            # of input, in units
    double* per_unit
    double* begins            # what U's unit has grown by when the block begins and ends
    double* ends
    Segment* segment
    int64_t n_segments
    int64_t segment_room
    Pulse found               # the last, of a kind of neurons
    int32_t found_kind
    int32_t* listed           # places in a slice; room for as many as notes have
    Notes notes
    int64_t arrivals          # at neurons that are not calm
    int64_t looks             # at neurons when a block begins
    # The last review of all this: when, and what had been done.
    double reviewed
    int64_t events_then
    int64_t updates_then
    int64_t arrivals_then
    int64_t looks_then
