# The structs that the engine and the model kernels share.
#
# A model's kernel fills one Model with its equations; the engine calls them and never learns which model it has. A
# Class is one set of parameter values: neurons with equal parameters share it, so that it stays in the cache. The class
# of the model in eventsnn/models/ has the same equations, in the same order of operations, and says what the constants
# mean.

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint16_t, uint64_t

from eventsnn._core.base.mathfunc cimport from_bits, to_bits
from eventsnn._core.draw.stream cimport Stream

# Where the constants of a neuron are. Python has these places from the compiled module, by the same names.
cpdef enum:
    # The first constants of every model; the engine reads the first two.
    R = 0
    T_REF = 1
    THRESHOLD = 2

cpdef enum:
    # Ports and variables that a model may have.
    MOST_VARIABLES = 64
    # Exponential currents of a neuron that can be calm.
    MOST_CURRENTS = 2
    # Steps of a neuron without a closed form in 1 ms.
    MOST_STEPS = 16384


cdef extern from *:
    """
    #define EVENTSNN_RELEASE_SLACK 8.881784197001252e-16
    """
    # 2^-50: an input so little before the end of refractoriness, as a fraction of its time, ends it.
    const double RELEASE_SLACK "EVENTSNN_RELEASE_SLACK"


cdef extern from "eventsnn/_core/solve/taylor.h":
    enum:
        ROW "EVENTSNN_ORDERS"
    ctypedef struct Series "eventsnn_one_series":
        double* y
        double* force
        int variables
        int held
    ctypedef struct Looks "eventsnn_looks":
        double state[8][8]
        double drive[8]
        double h[8]
        const double* own[8]
        const double* tolerance[8]
        double* y[8]
        int n
        int variables
        int constants
        int order


cdef extern from "eventsnn/_core/solve/integers.h":
    cpdef enum:
        PORTS "EVENTSNN_PORTS"
    ctypedef struct Wide "eventsnn_wide":
        # An integer of 128 bits.
        uint64_t low
        int64_t high


cdef struct Sine:
    # Sinusoidal current, amplitude sin(2 pi (frequency t + phase)).
    double frequency      # 1/ms
    double phase          # turns
    double amplitude      # pA


cdef struct Neuron:
    # The record of a neuron: 120 bytes, in the order in which most events read and write them. Behind it lie, as
    # double, the variables in the order of the model's slots, and what additions to its currents have lost. While the
    # neuron is in a frame, frames.pxd says what they are.
    double t              # ms, when the state was true
    double v              # mV relative to E_L; of a neuron in a frame only while it is refractory
    Wide u                # U, in place of v while the neuron is in a frame; else the steps it has taken, and since when
    double drive          # mV, R (I_e + step currents)
    double crossing       # first threshold crossing if nothing else happens, or a lower bound of it; inf if none
    double outside        # next external spike or change of current; inf if none
    double release        # refractory before this time
    double slope          # of drive, mV/ms
    Stream* streams       # its external spikes
    const Sine* sines     # its sinusoidal currents
    int64_t spikes        # fired so far
    int32_t n_streams
    int32_t class_of      # its Class; -1 for a source
    int32_t change        # its next change of current, in Net.change_time
    int32_t millisecond   # of the last spike, the lower 31 bits
    int32_t burst         # spikes in this millisecond
    int16_t n_sines
    int8_t bounded        # a Certainty
    int8_t framed


cdef enum Certainty:
    # What Neuron.crossing holds.
    FOUND = 0         # the crossing
    BOUNDED = 1       # a lower bound of it
    SEARCHED = 2      # a lower bound from which the search is to go on
    UNKNOWN = 3       # nothing yet


cdef struct Row:
    # A spike under way on the synapses of a row, from `first` on.
    double time           # first arrival, ms
    int64_t ordinal       # of the spike among its neuron's
    int64_t first         # where in the row, see synapses.pxd
    double fired          # time of the spike, ms
    int32_t round
    int32_t projection
    int32_t row
    int32_t fired_round


cdef struct Slice:
    # The synapses of a row that are reached at one time. Or a span: those reached in a window, each at its own time.
    const void* target        # target_of says which neurons they are
    int32_t base
    int narrow
    const double* weight      # of the first target
    const float* weight32     # in its place, if not NULL
    int64_t n
    double time
    double shared_weight      # of all targets, if they have only one
    int one_weight
    int32_t port              # -1: by the sign of the weight
    const double* delay       # of the synapses of a span; NULL: all arrive at `time`
    const Row* of             # whose synapses they are


cdef struct Arrival:
    # One arrival at a neuron, in windows in which the synapses of a row may be reached at different times.
    double time
    double weight             # if the inbox is `weighted`
    int32_t row


cdef struct Inbox:
    # All that arrives in the present window, first by row (slices in canonical order, then spans), and then by neuron.
    Slice* row                # slices and spans
    int64_t n_rows
    int64_t row_room
    bint weighted             # some row has a weight for each synapse
    bint timed                # some row is a span
    # The arrivals of one neuron lie side by side, in canonical order. If `timed`, they are in `arrival`; else `row_of`
    # has the row of each and, if `weighted`, `weight` its weight.
    int32_t* row_of
    double* weight
    Arrival* arrival
    int64_t n
    int64_t room
    int64_t timed_room        # room in `arrival`
    int64_t* place            # (neurons) the number of its arrivals; later, behind the last of them that is placed
    int64_t* start            # by place in `touched`, where the arrivals of that neuron begin


cdef struct Step:
    # Behind the variables of a neuron without a closed form: the series that its state follows up to `end`.
    double known              # orders of the series
    double whole              # 1.0 if the rest is known too
    double order              # of the polynomial
    double end                # ms; inf at rest
    double span               # ms, the same from the state on
    double last[1]            # the state at the end, then the series


cdef enum Outcome:
    # What an event leads to, beside the new state.
    AT_THRESHOLD = 1      # a free neuron is at its threshold, or above it
    LOST = 2              # the state has become too large
    STAYS_BELOW = 4       # a free neuron never comes to its threshold without input


cdef struct Event:
    # All that arrives at a neuron at one time. If nothing is `added`, a time from which its state goes on.
    Neuron* s
    double t
    bint added
    double until          # a bit later than what is next known to happen to it
    double total[2]       # by port, before it is scaled
    int outcome


cdef struct Model:
    # A model: the kernel fills in the functions, the engine the numbers from the plan.
    int ports
    int by_sign[2]        # ports of weights >= 0 and < 0 without a named port
    int instantaneous     # all input jumps v itself and is lost while refractory
    int n_slots
    int n_currents
    int n_alpha
    int n_thresholds
    int n_driven
    int leaks
    int clamped
    int resets
    int magnitudes        # the signs of weights choose ports and mean nothing else
    bint stepped          # the state goes on in steps, each found from the one before it
    int own               # of a Taylor series, how many constants there are of the model's own
    int ahead             # numbers behind the variables that are no part of the state
    int target[MOST_VARIABLES]    # for each port the slot that takes its input; -1 is v
    # Advances the state to t, through the end of refractoriness if that lies between.
    void (*settle)(const Class* k, Neuron* s, double t) noexcept nogil
    # Put the state into the form in which it is kept between events, and back into the form that the equations take.
    void (*enter)(const Class* k, Neuron* s) noexcept nogil
    void (*leave)(const Class* k, Neuron* s) noexcept nogil
    double (*threshold)(const Class* k, const Neuron* s) noexcept nogil
    # When v reaches the threshold; searches from `start` after the state, or, if that is in a frame, from the time
    # start, and certainty says what it has found.
    double (*crossing)(const Class* k, const Neuron* s, double start, int8_t* certainty) noexcept nogil
    # So long (ms) `crossing` cannot come, found with less work; NULL: only `clear` knows.
    double (*bound)(const Class* k, const Neuron* s) noexcept nogil
    # Whether there is surely none for h ms, found with less work again.
    bint (*clear)(const Class* k, const Neuron* s, double h) noexcept nogil
    # Prepares the totals of the inputs of one time: for each port 0, or for U and each X of a state in a frame what it
    # is, by which is told whether it becomes too large. NULL: 0 for each port.
    void (*begin)(const Class* k, const Neuron* s, double* total) noexcept nogil
    # Adds an input at the time of the state to one in a frame.
    void (*take)(const Class* k, Neuron* s, int port, double weight, double* total) noexcept nogil
    # Adds what arrives from `next` to `end`, all at the time of the state, and the sums by port of external input, or
    # to one in a frame what `take` has not added; returns what of an Outcome is known.
    int (*receive)(
        const Class* k, Neuron* s, const Inbox* b, int64_t next, int64_t end, double* total
    ) noexcept nogil
    # Whether a state in a frame has become too large for its integers; NULL: there are none.
    bint (*lost)(const Class* k, const Neuron* s) noexcept nogil
    void (*reset)(const Class* k, Neuron* s) noexcept nogil
    # NULL but for Taylor series, taylor.h. The orders of a series above first, up to last; those of several neurons.
    void (*extend)(const double* own, Series* z, int first, int last) noexcept nogil
    void (*look)(int lanes, Looks* e) noexcept nogil
    # Advances each neuron to its event, adds what arrives and bounds its crossing; returns how many have an `outcome`.
    # NULL: that is not quicker than one by one. Between its state and the event nothing else happens to a neuron, and
    # it has no ramp or sine.
    int (*take_all)(const Class* classes, Event* events, int n) noexcept nogil
    # Makes another step of the one found; NULL: that is it.
    void (*revise)(const Class* k, const Neuron* s, Step* p, Series* z) noexcept nogil


cdef struct Class:
    const Model* model
    const double* c


cdef inline void count_anew(Neuron* s, double t) noexcept nogil:
    """Let the steps of a neuron be counted from an event at t on."""
    s.u.low, s.u.high = 0, <int64_t>to_bits(t)


cdef inline bint count_step(Neuron* s) noexcept nogil:
    """Count another step of a neuron; False if it has taken too many since its last event, or in the ms before."""
    s.u.low += 1
    if s.u.low <= <uint64_t>MOST_STEPS:
        return True
    if s.t - from_bits(<uint64_t>s.u.high) < 1.0:
        return False
    count_anew(s, s.t)
    s.u.low = 1
    return True


cdef inline bint is_stiff(const Class* k, const Neuron* s) noexcept nogil:
    """Whether a neuron has taken too many steps; its V is then not a number."""
    return k.model.stepped and s.u.low > <uint64_t>MOST_STEPS


cdef inline double early(double release) noexcept nogil:
    """Input before this time surely does not end a refractory period that ends at `release`."""
    return release * (1.0 - 2.0 * RELEASE_SLACK)


cdef inline int32_t row_of(const Inbox* b, int64_t arrival) noexcept nogil:
    return b.arrival[arrival].row if b.timed else b.row_of[arrival]


cdef inline double time_of(const Inbox* b, int64_t arrival) noexcept nogil:
    return b.arrival[arrival].time if b.timed else b.row[row_of(b, arrival)].time


cdef inline int32_t round_of(const Inbox* b, const Arrival* a) noexcept nogil:
    """The round of its time in which something arrives whose row has a time of its own for each synapse."""
    cdef const Row* of = b.row[a.row].of
    return of.fired_round + 1 if a.time == of.fired else 0


cdef inline double weight_of(const Inbox* b, int64_t arrival) noexcept nogil:
    if not b.weighted:
        return b.row[row_of(b, arrival)].shared_weight
    return b.arrival[arrival].weight if b.timed else b.weight[arrival]


cdef inline int port_of(const Model* m, const Inbox* b, int64_t arrival, double weight) noexcept nogil:
    cdef int port = b.row[row_of(b, arrival)].port
    return port if port >= 0 else m.by_sign[weight < 0.0]


cdef inline double* variables(const Class* k, const Neuron* s) noexcept nogil:
    return <double*>(s + 1)


cdef inline int32_t target_of(const Slice* slice, int64_t i) noexcept nogil:
    """The i-th neuron that a slice reaches: targets are counted from its base, in 16 bits where that is enough."""
    if slice.narrow:
        return slice.base + (<const uint16_t*>slice.target)[i]
    return slice.base + (<const int32_t*>slice.target)[i]


cdef inline const void* targets_from(const Slice* slice, int64_t i) noexcept nogil:
    """Where the targets from the i-th on lie."""
    return <const char*>slice.target + i * (sizeof(uint16_t) if slice.narrow else sizeof(int32_t))


cdef inline bint row_of_before(const Inbox* b, int32_t one, int32_t other) noexcept nogil:
    """Whether what arrives of one row is to be added before what arrives of another at the same time."""
    cdef const Slice* x = &b.row[one]
    cdef const Slice* y = &b.row[other]
    if x.of.projection != y.of.projection:
        return x.of.projection < y.of.projection
    if x.of.row != y.of.row:
        return x.of.row < y.of.row
    # The order of a neuron's spikes; ordinals of those that may still be taken back may leave gaps.
    if x.of.fired != y.of.fired:
        return x.of.fired < y.of.fired
    if x.of.fired_round != y.of.fired_round:
        return x.of.fired_round < y.of.fired_round
    if x.of.ordinal != y.of.ordinal:
        return x.of.ordinal < y.of.ordinal
    # Parts of one row lie in the order of their delays.
    return <size_t>x.target < <size_t>y.target
