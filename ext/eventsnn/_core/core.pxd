# The state of a compiled network as the kernels see it. Engine (engine.pyx) owns every array that is pointed to here.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from eventsnn._core.blocks cimport Activity, Blocks
from eventsnn._core.neuron cimport Class, Inbox, Neuron, Row, Sine
from eventsnn._core.procedural cimport Made, Recipe
from eventsnn._core.queue cimport RowQueue, WakeQueue
from eventsnn._core.stream cimport Source, Stream

cdef enum Status:
    # Outcome in eventsnn/outcome.py says what each means.
    RUNNING = 0
    TOO_MANY_SPIKES = 1
    TOO_MANY_ROUNDS = 2
    NO_MEMORY = 3
    TOO_MANY_INPUTS = 4
    OUT_OF_RANGE = 5
    UNSOUND = 6           # of debug builds: verify.pxd


cdef struct Projection:
    # ProjectionPlan says what the arrays hold.
    const int64_t* start
    const void* target            # narrow: uint16, else int32
    int narrow
    const int32_t* base           # of all targets, or of those of a slice by its number
    const double* weight
    const float* weight32         # in its place, if not NULL
    const double* delay
    const int64_t* slice_row      # NULL: delays are stored once or by synapse
    const uint32_t* slice_start
    const uint16_t* slice_value
    const Recipe* recipe          # of rows that are not kept; NULL: they are
    int one_weight
    int one_delay
    double weight_size            # no weight is larger
    int64_t most_alike            # synapses of a slice on one neuron
    int port
    int ascending                 # the targets of a slice
    double least_delay
    int32_t first_target          # of all that it may have
    int32_t last_target


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


cdef extern from "eventsnn/_core/barrier.h":
    ctypedef struct Barrier "eventsnn_barrier":
        int n
        int looks
        int come
        int times
    void barrier_wait "eventsnn_barrier_wait"(Barrier* barrier) noexcept nogil


cdef extern from "eventsnn/_core/compiler.h":
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
    # A spike of which the other lanes are told.
    double time
    int64_t ordinal
    int32_t neuron
    int32_t round


cdef struct Change:
    # A spike of which something arrives in the window in which it was fired; or that was not fired after all.
    Fired spike
    bint gone
    bint final                # of a neuron that is not gone through again


cdef struct Shot:
    # A spike fired in the present window, as far as is known.
    Fired spike
    int32_t next              # of the same neuron; -1: none
    int32_t told              # in which exchange
    bint gone


cdef struct Passage:
    # How far a neuron has come in a window.
    int64_t next              # the first arrival that it has not taken
    double last               # time of its last event; -1: there was none
    int32_t round             # of that


cdef struct Applied:
    # A spike that has been brought to those at which it arrives in the present window.
    Fired spike
    int32_t next              # one more than the number of another of the same neuron; 0: none
    bint gone
    int64_t first             # of what it brings, among what is gathered
    int64_t n


cdef struct Replay:
    # A neuron in the present window, which is gone through again if more arrives in it than was known.
    int32_t neuron
    int32_t group             # in which it is followed; -1: it is in its record
    int64_t kept              # where is kept what it was after the last event that is final
    Passage at                # and how far it had come
    int64_t first             # of its arrivals since then, in the inbox
    int32_t n
    int32_t room
    int32_t spikes            # the first that it has fired; -1: none
    int32_t last
    int32_t final             # the last that is final; -1: none
    int32_t known_final       # what these were before it was gone through the last time, the first after it
    int32_t known
    int64_t external          # external events since then, of one in its record
    double failed_at          # its failure, if status is not RUNNING
    int32_t failed_round
    int status
    bint due                  # to be gone through again


cdef struct Prompts:
    # What a window needs in which spikes may arrive that are fired in it: prompt.pxd, replay.pxd.
    bint on                   # the present window is one
    double stop               # its end, if so; what arrives before is not sent
    double limit              # up to which neurons are taken for now
    double settled            # what happens before this time, and at it up to this round, is final
    int32_t settled_round
    bint failing              # some neuron has failed, as far as is known
    int32_t exchanges         # of the present window
    int32_t most_exchanges    # and spikes that change in one, beside one a neuron, before neurons are taken on more
    int64_t most_changes      # carefully
    bint careful              # now by one spike each, until nothing changes
    bint pausing              # and are on their way to the second
    double begun              # from this time on
    double shortest           # ms, of all delays
    const uint8_t* prompted   # neurons that some synapse reaches within a window
    bint any                  # any neuron may be reached so: t is so large that windows are no longer exact
    Replay* replay
    int64_t n_replays
    int64_t replay_room
    int32_t* replay_of        # (neurons) one more than its number; 0: none
    int32_t present           # the one that is being gone through; -1: none
    int32_t* due              # those that are to be gone through again
    int64_t n_due
    char* kept
    int64_t n_kept            # bytes
    int64_t kept_room
    int64_t n_arrivals        # places that are taken in the inbox
    Shot* shot
    int64_t n_shots
    int64_t shot_room
    Applied* applied
    int64_t n_applied
    int64_t applied_room
    int32_t* applied_of       # (neurons) one more than the number of the last; 0: none
    Row* row                  # of which something arrives promptly
    int64_t n_rows
    int64_t row_room
    int64_t first_row         # of these, among those of the inbox
    int64_t* lowered          # (neurons) what has been added that lowers a calm one
    bint suspects             # some calm neurons may come to their line


cdef struct Message:
    # What a lane tells the others before they go on.
    double first          # nothing happens in it before this time
    int64_t work          # done so far
    bint running          # it has not failed
    Activity activity
    Fired* fired          # since the last message
    int64_t n_fired
    int64_t room
    double again          # when a neuron fires after it has fired, beyond all that is final
    Change* change        # of prompt arrivals, since the last exchange
    int64_t n_changes
    int64_t change_room


cdef struct Team:
    Barrier barrier       # of threads
    int n                 # lanes
    Core** lane


cdef struct Net:
    # What never changes. All lanes share what it points to.
    int64_t n                 # neurons
    int64_t stride            # bytes from one neuron to the next
    Class* classes
    bint many_classes         # more than the cache holds
    bint together             # some models take events side by side
    const double* I_e
    const uint8_t* recorded
    # external spikes and step currents
    Source* sources
    const double* change_time     # programmes one after the other, each ended by inf
    const double* change_amplitude
    const double* change_slope
    const int32_t* change_sine    # the first of those active from then on, and behind the last
    const Sine* sines
    # synapses; outgoing[n] lists (projection, row) of neuron n
    Projection* projections
    const int64_t* outgoing_start
    const int32_t* outgoing_projection
    const int32_t* outgoing_row
    double window
    int32_t max_rounds
    int32_t max_spikes


cdef struct State:
    # What a checkpoint holds, with what of it calm neurons have at the moment (blocks.pxd). Lanes share the neurons.
    char* records             # the neurons, each with what lies behind it
    Stream* streams           # of external spikes
    RowQueue rows             # under way
    double time               # everything before it has been processed


cdef struct Tally:
    # What comes out. Nothing depends on it but when a run ends.
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
    double collecting         # s, spent on finding out what happens in windows
    double processing         # s, on what happens to neurons
    double waiting            # s, for other lanes


cdef struct Core:
    # One lane: neurons that one thread takes through the windows, and all that this needs of its own. lanes.pxd.
    Net net
    State state
    Tally tally
    Team* team            # NULL: there is no other lane
    int lane
    bint whole            # it has all neurons
    int told              # number of the message to be written
    Message message[2]
    Range* range          # of its neurons
    int64_t n_ranges
    Neuron* scratch           # room for the copy of one
    Made* arrived             # rows that were made for a spike and have arrived; needed until the window ends
    WakeQueue wakes
    int32_t round             # of the present neuron at its present time
    int32_t* touched          # the neurons to which anything happens in the present window, and room for as many
    int64_t n_touched
    Inbox inbox
    Blocks blocks
    Prompts prompts


cdef extern from "eventsnn/_core/compiler.h":
    void prefetch "EVENTSNN_PREFETCH"(const void* address) noexcept nogil


cdef inline Neuron* neuron_at(const Core* e, int64_t n) noexcept nogil:
    return <Neuron*>(e.state.records + n * e.net.stride)
