# What is kept of calm neurons: calm.pxd says what they are, scatter.pxd how input reaches them.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from eventsnn._core.run.calm.external cimport Cells
from eventsnn._core.solve.neuron cimport MOST_CURRENTS, Class
from eventsnn._core.draw.stream cimport Source

cdef extern from "eventsnn/_core/run/calm/scatter.h":
    enum:
        # Kinds of weights.
        SHARED "EVENTSNN_SHARED"
        DOUBLES "EVENTSNN_DOUBLES"
        FLOATS "EVENTSNN_FLOATS"
        # The state of a calm neuron with currents: places, and how many there are; of one without there is only D. U
        # and X are kept as that less BIAS.
        D "EVENTSNN_D"
        U "EVENTSNN_U"
        X "EVENTSNN_X"
        STATE "EVENTSNN_STATE"
        # Ports of a neuron that can be calm.
    const int64_t BIAS "EVENTSNN_BIAS"
    # What an arrival at a neuron with currents adds to D beyond what is found, for all that may be rounded.
    enum:
        PAD "EVENTSNN_PAD"
    ctypedef struct Pulse "eventsnn_pulse":
        # What arrives of a slice at one group, and what it adds to a state: by the sign of the weight, for weight 1;
        # and for the weight that all share.
        const void* target
        int32_t base
        int narrow
        const double* weight
        const float* weight32
        double shared
        double size           # no weight is larger
        double alike          # nor do more reach one neuron
        int64_t n
        double time
        int32_t row
        int port
        double d[2]
        double u[2]
        double x[2]
        int slot[2]
        int64_t added[4]

    int32_t target_in "eventsnn_target_of"(const Pulse* p, int64_t i) noexcept nogil

cdef extern from "eventsnn/_core/run/calm/passes.h":
    ctypedef struct Rise "eventsnn_rise":
        int currents
        double least[2]
        double largest[2]
        double at_end[2]
        double margin
        int64_t low
        const int64_t* lows
        const int64_t* u
        const int64_t* x
        int slot

    ctypedef struct Lines "eventsnn_lines":
        const double* gap
        double above
        double per_unit
        double grown_begin
        double grown_end
        const double* per_units
        const double* begins
        const double* ends
        double margin

cdef enum Mode:
    BY_ACTIVITY = 0
    NEVER_CALM = 1
    ALWAYS_CALM = 2

cdef enum:
    # Flags of a neuron. One with none is calm.
    IS_APART = 1
    IS_HELD = 2
    IS_FOLLOWED = 4
    IS_SUSPECT = 8        # for a moment only, see take_gathered in scatter.pxd

cdef extern from *:
    """
    #define EVENTSNN_LISTED_D ((int64_t)1 << 62)
    #define EVENTSNN_HELD_D (-((int64_t)1 << 60))
    #define EVENTSNN_LEAST_D (-((int64_t)1 << 61))
    """
    # D of a neuron that is followed or apart, at which all that arrives is listed, and of one that is held, at which
    # nothing is. D of a calm one is not below the last.
    const int64_t LISTED_D "EVENTSNN_LISTED_D"
    const int64_t HELD_D "EVENTSNN_HELD_D"
    const int64_t LEAST_D "EVENTSNN_LEAST_D"


cdef struct Input:
    # An external spike of a followed neuron, and what it adds; what the units of U and of each X have grown by.
    double time
    double grown
    double x_grown[MOST_CURRENTS]
    int64_t u
    int64_t x


cdef struct Followed:
    # The state of a followed neuron at its last event.
    double t
    double release        # refractory before, if held
    double next           # no crossing comes before
    int64_t u
    int64_t x[MOST_CURRENTS]
    int32_t neuron
    int32_t free          # the next one of those that are free
    int64_t first         # of its inputs, among those of its group
    int32_t at            # of those ahead
    int32_t n
    int slot              # the current that they go to
    bint held


cdef struct Listed:
    # A neuron to be looked at when all that arrives at a time has been added.
    int32_t neuron
    int32_t group


cdef struct Taken:
    # An arrival at a neuron that is apart.
    int32_t neuron
    int32_t row


cdef struct Notes:
    Taken* taken
    double* weight
    int64_t n
    int64_t room


cdef struct Grown:
    # What the units of U and of each X have grown by at a time.
    double time
    double u
    double x[MOST_CURRENTS]


cdef struct Drive:
    # Neurons of a group, one after the other, whose external spikes are of one source.
    int32_t start
    int32_t stop
    const Source* source      # NULL: they have none
    uint32_t index            # of the stream of neuron 0, if that were among them
    int slot                  # the current that the spikes go to; -1 for v
    int part                  # which of those in `cells` are of the present block
    Cells cells               # what is drawn of some blocks


cdef struct Group:
    # Neurons, one after the other, for which what an input adds is the same.
    int32_t start
    int32_t stop
    const Class* k            # NULL: never calm
    Drive* drive              # all that their external input comes from, in the order of neurons
    int n_drives
    double cell               # ms, the shortest of the cells in which it is drawn; 0: there is none
    int64_t* state            # of neuron 0, if that were in the group
    int currents
    int cost_of_look          # ns, at one of them when a block begins
    bint singly               # they take their input one by one, singly.pxd
    bint varied               # and have constants of their own: rates, and scales of input
    bint even                 # all that are calm are equally far from drive to threshold
    double gap                # in that case
    bint taken                # some have been calm since blocks began
    double begin              # of the present block
    double end
    double origin             # of the frame of U that it lies in, and of those of X
    double x_origin[MOST_CURRENTS]
    Grown at_begin
    Grown at_end
    Grown now                 # at the time last asked for
    int64_t low               # the lowest line in the block, if even
    int64_t low_before        # and in the one before
    Rise rise                 # what X takes from U in the block
    int frames                # bits: of U and of each X a new frame has begun with the block
    int64_t n_held            # which are refractory throughout
    int64_t n_followed
    Input* input              # of those that are followed
    int64_t n_inputs
    int64_t input_room


cdef struct Segment:
    # What of a slice reaches one group.
    Pulse pulse
    int32_t group
    int kind


cdef struct Gathered:
    # One arrival, and what it adds.
    double time
    double weight
    int64_t added
    int32_t neuron
    int32_t row


cdef struct Activity:
    # What has been done so far.
    int64_t events        # synaptic and external
    int64_t updates       # of single neurons
    int64_t arrivals      # at neurons that are not calm
    int64_t looking       # ns, at neurons at the beginning of a block
    double least_looking  # ns a ms, in the widest blocks


cdef struct Blocks:
    int mode
    bint on
    Group* group
    int64_t n_groups
    double least_looking      # ns a ms, of looks in the widest blocks
    double end                # the first end of a block; inf while not on
    double next               # no followed neuron has anything to do before
    double width              # of blocks, if a group does not want another
    double above              # mV that lines lie above where they should
    int64_t* state
    int64_t* sums             # of external input: (2, PARTS, neurons), first what it adds to U and then what to X
    double* gap               # from drive to threshold, mV
    int64_t* low              # the lowest line in the block, of neurons whose group is not even
    int64_t* new_low          # room for as many
    uint8_t* flag
    double* release           # when one is released that is held
    int32_t* held             # room for those of each group
    int32_t* followed         # the same; some are no more, as their flags say
    int32_t* place            # of a neuron that is followed, in pool
    Followed* pool
    int64_t pool_room
    int32_t free              # the first one that is free; -1
    int32_t* others           # room for the neurons of a lane
    # Of neurons that take their input one by one.
    bint singly               # there are some
    Gathered* gathered        # what arrives at them in the window; behind as much again, in order
    int64_t n_gathered
    Gathered* rest            # what is left for neurons that are apart
    int64_t n_rest
    Gathered* followed_rest   # in a window with prompt arrivals, for those that are followed or suspect
    int64_t n_followed_rest
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
    int32_t* places           # in a slice; room for as many as notes have
    Listed* listed
    int64_t n_listed
    int64_t listed_room
    double load               # what has come at the present time, at most
    Notes notes
    int64_t arrivals          # at neurons that are not calm
    int64_t looks             # at neurons when a block begins
    int64_t looking           # ns that these cost
    int64_t follows           # of neurons
    # The last review of all this: when, and what had been done.
    double reviewed
    bint fresh                # what has been done since then is not known yet
    double patience           # ms, before there may be calm neurons again
    Activity then
