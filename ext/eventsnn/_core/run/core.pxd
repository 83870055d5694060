# The structs of a running network, by lifetime: Net never changes, State is what a checkpoint holds, Tally is what
# comes out, Core is a lane. Engine (engine.pyx) owns every array that they point to.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from eventsnn._core.run.calm.blocks cimport Activity, Blocks
from eventsnn._core.plasticity.plastic cimport Plastic
from eventsnn._core.solve.neuron cimport Class, Inbox, Neuron, Row, Sine
from eventsnn._core.synapses.procedural cimport Made, Recipe
from eventsnn._core.run.queue cimport RowQueue, WakeQueue
from eventsnn._core.draw.stream cimport Source, Stream

cdef enum Status:
    # Outcome in eventsnn/run/outcome.py says what each means.
    RUNNING = 0
    TOO_MANY_SPIKES = 1
    TOO_MANY_ROUNDS = 2
    NO_MEMORY = 3
    TOO_MANY_INPUTS = 4
    OUT_OF_RANGE = 5
    UNSOUND = 6           # of debug builds: verify.pxd
    TOO_MANY_STEPS = 7
    WEIGHT_LOST = 8


cdef struct Projection:
    # Rows of synapses, of one projection or of several; ProjectionPlan says what the arrays hold.
    const int64_t* start
    const void* target            # narrow: uint16, else int32
    int narrow
    const int32_t* base           # one for all targets, or one for each number of a slice
    const double* weight
    const float* weight32         # in place of `weight`, if not NULL
    const double* delay
    const int64_t* slice_row      # NULL: delays are stored once or by synapse
    const uint32_t* slice_start
    const uint16_t* slice_value
    const Recipe* recipe          # how to draw a row that is not kept; NULL: rows are kept
    int one_weight
    int one_delay
    double weight_size            # the largest size of a weight
    int64_t most_alike            # the most synapses of a row on one neuron
    int port
    int ascending                 # whether the targets of a slice ascend
    double least_delay
    int32_t first_target          # no target lies before or behind these
    int32_t last_target
    double dendritic              # ms, what comes to each delay
    Plastic* plastic              # NULL: weights stay as they are


cdef struct Probe:
    int64_t n
    const double* time
    int64_t n_times
    int n_variables
    const int32_t* variable   # 0 V_m, then the slots; -1 the threshold
    const double* offset      # (variables, neurons) mV
    double* out               # (variables, neurons, times)


cdef struct Watch:
    int32_t neuron
    int32_t probe
    int64_t row
    int64_t at                # next sample


cdef extern from "eventsnn/_core/base/barrier.h":
    ctypedef struct Barrier "eventsnn_barrier":
        int n
        int looks
        int come
        int times
    void barrier_wait "eventsnn_barrier_wait"(Barrier* barrier) noexcept nogil


cdef extern from "eventsnn/_core/base/compiler.h":
    """
    #include <time.h>
    EVENTSNN_PERHAPS double eventsnn_seconds(void) {
        struct timespec now;
        timespec_get(&now, TIME_UTC);
        return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    }
    """
    double seconds "eventsnn_seconds"() noexcept nogil


cdef struct Range:
    int32_t start
    int32_t stop


cdef struct Fired:
    # A spike, as lanes tell each other.
    double time
    int64_t ordinal
    int32_t neuron
    int32_t round


cdef struct Change:
    # A spike that arrives somewhere in the window in which it was fired.
    Fired spike
    bint gone                 # it was not fired after all
    bint final                # its neuron is not gone through again


cdef struct Shot:
    # A spike fired in the present window, which may still be taken back.
    Fired spike
    int32_t next              # the neuron's next shot; -1: none
    int32_t told              # the exchange in which other lanes were told of it
    bint gone                 # it was taken back


cdef struct Passage:
    # How far a neuron has come in a window.
    int64_t next              # the first arrival that it has not taken
    double last               # time of its last event; -1: there was none
    int32_t round             # round of its last event


cdef struct Applied:
    # A spike that has been brought to the neurons at which it arrives in the present window.
    Fired spike
    int32_t next              # one more than the number of another applied spike of the neuron; 0: none
    bint gone
    int64_t first             # the first of its arrivals among those gathered
    int64_t n


cdef struct Replay:
    # A neuron that goes through the present window again when more arrives than was known.
    int32_t neuron
    int32_t group             # the group in which it is followed; -1: it is in its record
    int64_t kept              # where its state after its last final event is kept
    Passage at                # how far it had come by then
    int64_t first             # its first arrival since then, in the inbox
    int32_t n
    int32_t room
    int32_t spikes            # its first shot; -1: none
    int32_t last              # its last shot
    int32_t final             # its last shot that is final; -1: none
    int32_t known_final       # `final` before it went through the window the last time
    int32_t known             # the first shot after that
    int64_t external          # external events since then, if it is in its record
    double failed_at          # its failure, if status is not RUNNING
    int32_t failed_round
    int status
    bint due                  # it is to go through the window again


cdef struct Prompts:
    # Prompt arrivals, in a window in which spikes may arrive that are fired in it: prompt.pxd, replay.pxd.
    bint on                   # the present window is one
    double stop               # the end of such a window; what arrives before it is not sent
    double limit              # neurons are taken up to this time for now
    double settled            # what happens before this time, and at it up to this round, is final
    int32_t settled_round
    bint failing              # some neuron has failed, as far as is known
    int32_t exchanges         # exchanges in the present window
    int32_t most_exchanges    # with more exchanges, or more spikes that change in one beside one a neuron, neurons are
    int64_t most_changes      # taken on carefully
    bint careful              # they are: each by one spike, until nothing changes
    bint pausing              # and are on their way to the second
    double begun              # from this time on
    double shortest           # ms, the shortest delay
    const uint8_t* prompted   # 1 for neurons that some synapse reaches within a window
    bint any                  # any neuron may be reached so: t is so large that windows are no longer exact
    Replay* replay
    int64_t n_replays
    int64_t replay_room
    int32_t* replay_of        # (neurons) one more than the number of the neuron's replay; 0: none
    int32_t present           # the replay that is going through the window; -1: none
    int32_t* due              # the replays that are to go through it again
    int64_t n_due
    char* kept
    int64_t n_kept            # bytes
    int64_t kept_room
    int64_t n_arrivals        # places in the inbox that are taken
    Shot* shot
    int64_t n_shots
    int64_t shot_room
    Applied* applied
    int64_t n_applied
    int64_t applied_room
    int32_t* applied_of       # (neurons) one more than the number of the neuron's last applied spike; 0: none
    Row* row                  # rows of which something arrives promptly
    int64_t n_rows
    int64_t row_room
    int64_t first_row         # the first of these rows among those of the inbox
    int64_t* lowered          # (neurons) the sum of what was added to a calm neuron and lowers it
    bint suspects             # some calm neurons may come to their line


cdef struct Message:
    # A message: what a lane tells the others when they meet.
    double first          # nothing happens in the lane before this time
    int64_t work          # events that it has processed so far
    bint running          # it has not failed
    Activity activity
    Fired* fired          # its spikes since the last message
    int64_t n_fired
    int64_t room
    double again          # the first time at which a neuron fires for the second time, beyond all that is final
    Change* change        # its changes of prompt arrivals since the last exchange
    int64_t n_changes
    int64_t change_room


cdef struct Team:
    Barrier barrier       # of threads
    int n                 # lanes
    Core** lane


cdef struct Net:
    # A network that is laid out (eventsnn/compile/layout.py). It never changes, and all lanes share what it points to.
    int64_t n                 # neurons
    int64_t stride            # bytes from one record to the next
    Class* classes
    bint many_classes         # more classes than the cache holds
    bint together             # some models take events side by side
    const double* I_e
    const uint8_t* recorded
    # external spikes and step currents
    Source* sources
    const double* change_time     # programmes one after the other, each ended by inf
    const double* change_amplitude
    const double* change_slope
    const int32_t* change_sine    # (changes, 2) the first of the sines active from then on, and how many
    const Sine* sines
    # synapses; outgoing_start[n]:outgoing_start[n + 1] are the rows of neuron n
    Projection* projections
    int64_t n_projections
    bint plastic              # some of them are
    const int64_t* outgoing_start
    const int32_t* outgoing_projection
    const int32_t* outgoing_row
    double window
    int32_t max_rounds
    int32_t max_spikes


cdef struct State:
    # The state of a network, which a checkpoint holds. While neurons are calm, part of it is in Blocks (blocks.pxd).
    char* records             # the records of neurons, each with the numbers behind it; all lanes share them
    Stream* streams           # external spikes
    RowQueue rows             # spikes under way
    double time               # everything before this time has been processed


cdef struct Tally:
    # What comes out of a run. Nothing that follows depends on it but the end of the run.
    double* spike_time
    int32_t* spike_neuron
    int64_t n_spikes
    int64_t spike_room
    Probe* probes
    const int64_t* watch_start    # (n + 1), NULL if nothing is sampled
    Watch* watches
    # failure, the earliest; counters
    int status
    double failed_at
    int32_t failed_round
    int32_t failed
    int64_t synaptic_events
    int64_t external_events
    int64_t queue_pops
    int64_t updates
    int64_t bounds_due
    int64_t tests
    int64_t tests_resolved
    int64_t fired
    int64_t windows
    int64_t under_way         # rows, summed over windows
    double collecting         # s, spent on finding out what happens in windows
    double processing         # s, on what happens to neurons
    double waiting            # s, for other lanes


cdef struct Core:
    # A lane (lanes.pxd): neurons that one thread takes through the windows, and the memory that it has for this.
    Net net
    State state
    Tally tally
    Team* team            # NULL: there is no other lane
    int lane
    bint whole            # it has all neurons
    int told              # number of the message to be written
    Message message[2]
    Range* range          # the ranges of its neurons
    int64_t n_ranges
    Neuron* scratch           # room for the copy of one record
    double* transmitted       # weights of plastic slices that arrive in the present window
    int64_t n_transmitted
    int64_t transmitted_room
    Made* arrived             # rows that were made for a spike and have been read; needed until the window ends
    WakeQueue wakes
    int32_t round             # the round that the present neuron is in
    int32_t* touched          # the neurons to which anything happens in the present window, and room for as many
    int64_t n_touched
    Inbox inbox
    Blocks blocks
    Prompts prompts


cdef extern from "eventsnn/_core/base/compiler.h":
    void prefetch "EVENTSNN_PREFETCH"(const void* address) noexcept nogil


cdef inline Neuron* neuron_at(const Core* e, int64_t n) noexcept nogil:
    return <Neuron*>(e.state.records + n * e.net.stride)
