# What the engine and the model kernels share.
#
# A model's kernel fills one Model with its equations; the engine calls them and never learns which model it has. A
# Class is one set of parameter values: neurons with equal parameters share it, so that it stays in the cache. The
# equations and the meaning of the constants are those of the model's class in eventsnn/models/, in the same order of
# operations.

from libc.stdint cimport int32_t, int64_t

cdef enum:
    # The constants that the engine itself reads; the rest is the model's.
    C_E_L = 0
    C_R = 1
    C_THRESHOLD = 2
    C_RESET = 3
    C_T_REF = 4


cdef struct Neuron:
    double t              # ms, when v and current were true
    double v              # mV relative to E_L
    double current[2]     # pA, one a port
    double drive          # mV, R (I_e + step currents)
    double release        # refractory before this time
    double next           # next of crossing, external spike and current change; inf if none
    double crossing       # first threshold crossing if nothing else happens; inf if none
    double pending        # time at which `input` arrives; inf if none
    double input[2]       # summed weights that arrive then, one a port
    int64_t spikes        # fired so far
    int64_t millisecond   # whole millisecond of the last spike
    int64_t burst         # spikes in it
    int32_t class_of      # its Class; -1 for a source
    int32_t programme     # step currents that it follows; -1 for none
    int32_t step          # next step of the programme
    int32_t touched       # listed for the present window


cdef struct Model:
    int ports
    int instantaneous     # input jumps v itself and is lost while refractory
    void (*flow)(const double* c, Neuron* s, double h) noexcept nogil
    void (*hold)(const double* c, Neuron* s, double h) noexcept nogil
    double (*crossing)(const double* c, const Neuron* s) noexcept nogil
    void (*receive)(Neuron* s, const double* weights) noexcept nogil


cdef struct Class:
    const Model* model
    const double* c
