# What the engine and the model kernels share.
#
# A model's kernel fills one Model with its equations; the engine calls them and never learns which model it has. A
# Class is one set of parameter values: neurons with equal parameters share it, so that it stays in the cache. The
# equations and the meaning of the constants are those of the model's class in eventsnn/models/, in the same order of
# operations.

from libc.stdint cimport int8_t, int32_t, int64_t

from eventsnn._core.stream cimport Stream

cdef enum:
    # The constants that the engine itself reads; the rest is the model's.
    C_E_L = 0
    C_R = 1
    C_THRESHOLD = 2
    C_RESET = 3
    C_T_REF = 4


cdef extern from *:
    """
    #define EVENTSNN_BOUND_MARGIN 1e-12
    """
    # How far below the threshold a bound aims, as a fraction of the potentials: far more than the rounding of a
    # crossing, so that none comes before its bound, and far less than what would make bounds useless.
    const double BOUND_MARGIN "EVENTSNN_BOUND_MARGIN"


cdef struct Neuron:
    # 128 bytes, two lines of the cache; what most inputs read and write comes first.
    double t              # ms, when v and current were true
    double v              # mV relative to E_L
    double drive          # mV, R (I_e + step currents)
    double pending        # time at which `input` arrives; inf if none
    double input[2]       # summed weights that arrive then, one a port
    double crossing       # first threshold crossing if nothing else happens, or a lower bound of it; inf if none
    double outside        # next external spike or change of current; inf if none
    double release        # refractory before this time
    double current[2]     # pA, one a port
    Stream* streams       # its external spikes
    int64_t spikes        # fired so far
    int32_t n_streams
    int32_t class_of      # its Class; -1 for a source
    int8_t touched        # listed for the present window
    int8_t bounded        # `crossing` is but a lower bound
    int32_t change        # its next change of current, in Core.change_time
    int32_t millisecond   # of the last spike, the lower 31 bits
    int32_t burst         # spikes in it


cdef struct Model:
    int ports
    int instantaneous     # input jumps v itself and is lost while refractory
    void (*flow)(const double* c, Neuron* s, double h) noexcept nogil
    void (*hold)(const double* c, Neuron* s, double h) noexcept nogil
    double (*crossing)(const double* c, const Neuron* s) noexcept nogil
    # A time before which `crossing` cannot lie, found with less work.
    double (*bound)(const double* c, const Neuron* s) noexcept nogil
    void (*receive)(Neuron* s, const double* weights) noexcept nogil


cdef struct Class:
    const Model* model
    const double* c
