# What the engine and the model kernels share.
#
# A model's kernel fills one Model with its equations; the engine calls them and never learns which model it has. A
# Class is one set of parameter values: neurons with equal parameters share it, so that it stays in the cache. The
# equations and the meaning of the constants are those of the model's class in eventsnn/models/, in the same order of
# operations.

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t

from eventsnn._core.stream cimport Source, Stream

cdef enum:
    # The constants that the engine itself reads; the rest is the model's.
    C_R = 0
    C_T_REF = 1

cdef enum:
    # Ports and variables that a model may have.
    MOST_VARIABLES = 64


cdef struct Sine:
    # Sinusoidal current, amplitude sin(2 pi (frequency t + phase)).
    double frequency      # 1/ms
    double phase          # turns
    double amplitude      # pA


cdef struct Neuron:
    # 104 bytes, in the order in which most events read and write them. Behind it in memory lie, as double, the
    # variables in the order of the model's slots, and what additions to its currents have lost.
    double t              # ms, when the state was true
    double v              # mV relative to E_L
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
    int32_t change        # its next change of current, in Core.change_time
    int32_t millisecond   # of the last spike, the lower 31 bits
    int32_t burst         # spikes in it
    int16_t n_sines
    int8_t bounded        # a Certainty


cdef enum Certainty:
    # What Neuron.crossing is: the crossing; a lower bound; one from which the search for it is to go on; nothing yet.
    FOUND = 0
    BOUNDED = 1
    SEARCHED = 2
    UNKNOWN = 3


cdef struct Slice:
    # What arrives of a row at one time.
    double time
    int64_t first
    int64_t end
    int32_t projection


cdef struct Arrival:
    double weight
    int32_t row               # of the window's, which says when
    int32_t port              # -1: by the sign of the weight


cdef struct Skimmed:
    const Source* sources
    int64_t most          # external spikes that may come at one time
    int64_t times         # at which anything arrived
    int64_t external      # spikes
    double last           # when v reached the threshold, or too many spikes came
    bint reached
    bint too_many


cdef struct Model:
    # The kernel fills in the functions, the engine the rest from the plan.
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
    int target[MOST_VARIABLES]    # for each port the slot that takes its input; -1 is v
    void (*flow)(const Class* k, Neuron* s, double h) noexcept nogil
    void (*hold)(const Class* k, Neuron* s, double h) noexcept nogil
    double (*threshold)(const Class* k, const Neuron* s) noexcept nogil
    # Searches from `start` after the state; certainty says what it has found.
    double (*crossing)(const Class* k, const Neuron* s, double start, int8_t* certainty) noexcept nogil
    # A time before which `crossing` cannot lie, found with less work.
    double (*bound)(const Class* k, const Neuron* s) noexcept nogil
    # Whether there is surely none for h ms, found with less work again.
    bint (*clear)(const Class* k, const Neuron* s, double h) noexcept nogil
    # Takes what arrives from `next` on, and the spikes of a single stream, before stop and until v may cross the
    # threshold between two of them or has reached it at one; NULL if the model has no such way.
    const Arrival* (*skim)(
        const Class* k,
        Neuron* s,
        const Slice* rows,
        const Arrival* next,
        const Arrival* end,
        double stop,
        Skimmed* found,
    ) noexcept nogil
    void (*receive)(const Class* k, Neuron* s, const double* weights, bint refractory) noexcept nogil
    void (*reset)(const Class* k, Neuron* s) noexcept nogil


cdef struct Class:
    const Model* model
    const double* c


cdef inline double* variables(const Class* k, const Neuron* s) noexcept nogil:
    return <double*>(s + 1)
