# The structs of calm neurons: calm.pxd says what calm neurons are, scatter.pxd how input reaches them.

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
        # The places of the state of a calm neuron with currents, and how many there are. U and X are kept less BIAS. A
        # neuron without currents has D alone.
        D "EVENTSNN_D"
        U "EVENTSNN_U"
        X "EVENTSNN_X"
        STATE "EVENTSNN_STATE"
    const int64_t BIAS "EVENTSNN_BIAS"
    # An arrival at a neuron with currents adds this to D beyond what is computed, for all rounding.
    enum:
        PAD "EVENTSNN_PAD"
    ctypedef struct Pulse "eventsnn_pulse":
        # The synapses of a slice on one group, and what they add to a state: d, u, x for a weight of 1 or -1 by its
        # sign, `added` for the weight that all share.
        const void* target
        int32_t base
        int narrow
        const double* weight
        const float* weight32
        double shared
        double size           # the largest size of a weight
        double alike          # the most synapses on one neuron
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
    # D of a neuron that is followed or apart, so that all arrivals are listed; D of one that is held, so that none is;
    # the lowest D of a calm neuron.
    const int64_t LISTED_D "EVENTSNN_LISTED_D"
    const int64_t HELD_D "EVENTSNN_HELD_D"
    const int64_t LEAST_D "EVENTSNN_LEAST_D"


cdef struct Input:
    # An external spike of a followed neuron, the growth of units at its time, and what it adds.
    double time
    double grown
    double x_grown[MOST_CURRENTS]
    int64_t u
    int64_t x


cdef struct Followed:
    # The state of a followed neuron at its last event.
    double t
    double release        # refractory before this time, if held
    double next           # no crossing comes before this time
    int64_t u
    int64_t x[MOST_CURRENTS]
    int32_t neuron
    int32_t free          # the next free place of the pool, if this is one
    int64_t first         # its first input, among those of its group
    int32_t at            # the first input that is still ahead
    int32_t n             # its inputs in the block
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
    # The growth of the units of U and of each X at a time.
    double time
    double u
    double x[MOST_CURRENTS]


cdef struct Drive:
    # Neurons of a group, one after the other, whose external spikes are of one source.
    int32_t start
    int32_t stop
    const Source* source      # NULL: they have none
    uint32_t index            # the stream of neuron n has the index plus n
    int slot                  # the current that the spikes go to; -1 for v
    int part                  # the part of `cells` that is the present block
    Cells cells               # external input drawn for some blocks


cdef struct Group:
    # Neurons, one after the other, for which what an input adds is the same.
    int32_t start
    int32_t stop
    const Class* k            # NULL: never calm
    Drive* drive              # the sources of their external input, in the order of neurons
    int n_drives
    double cell               # ms, the shortest cell in which external input is drawn; 0: there is none
    int64_t* state            # neuron n has its state at n, or at STATE n if there are currents
    int currents
    int cost_of_look          # ns, of one look at one neuron when a block begins
    bint singly               # the neurons take their input one by one, singly.pxd
    bint varied               # and have constants of their own: rates, and scales of input
    bint even                 # all calm neurons have the same gap from drive to threshold
    double gap                # this gap, mV
    bint taken                # some neurons have been calm since blocks began
    double begin              # the present block
    double end
    double origin             # the beginning of the frame of U in the block, and of those of X
    double x_origin[MOST_CURRENTS]
    Grown at_begin
    Grown at_end
    Grown now                 # at the time last asked for
    int64_t low               # the lowest line in the block, if even
    int64_t low_before        # the lowest line in the block before
    Rise rise                 # what X takes from U in the block
    int frames                # a bit for U and for each X: its frame has begun with the block
    int64_t n_held            # neurons that are refractory throughout
    int64_t n_followed
    Input* input              # external spikes of the followed neurons
    int64_t n_inputs
    int64_t input_room


cdef struct Segment:
    # The synapses of a slice on one group.
    Pulse pulse
    int32_t group
    int kind                  # of weights


cdef struct Gathered:
    # One arrival, and what it adds.
    double time
    double weight
    int64_t added
    int32_t neuron
    int32_t row


cdef struct Activity:
    # Counts of what has been done so far.
    int64_t events        # synaptic and external events
    int64_t updates       # updates of neurons that are apart, and of sources
    int64_t follows       # how often a neuron was followed
    int64_t arrivals      # arrivals at neurons that are not calm
    int64_t looking       # ns spent on looks at neurons when blocks began
    double least_looking  # ns a ms that looks cost with the widest blocks


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
    int32_t* held             # held neurons, each group's from the place of its first neuron on
    int32_t* followed         # the same of followed ones; by their flags some are followed no more
    int32_t* place            # the place of a followed neuron in `pool`
    Followed* pool
    int64_t pool_room
    int32_t free              # the first one that is free; -1
    int32_t* others           # room for the neurons of a lane
    # Neurons that take their input one by one.
    bint singly               # there are some
    Gathered* gathered        # what arrives at them in the window; behind it room for as much, in order
    int64_t n_gathered
    Gathered* rest            # what arrives at neurons that are apart
    int64_t n_rest
    Gathered* followed_rest   # in a window with prompt arrivals, what arrives at followed and suspect neurons
    int64_t n_followed_rest
    int64_t gathered_room
    double* gathered_growth   # of U's unit, for each in order
    int64_t* gathered_begin   # of ranges of times
    int32_t* group_of
    int64_t* single           # their states
    double* rate              # of the growth of U's unit
    double* scales            # of input, in units
    double* per_unit
    double* begins            # the growth of U's unit when the block begins and ends
    double* ends
    Segment* segment
    int64_t n_segments
    int64_t segment_room
    int32_t* places           # in a slice; room for as many as notes have
    Listed* listed
    int64_t n_listed
    int64_t listed_room
    double load               # the most that the slices of the present time may have added to one neuron
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
