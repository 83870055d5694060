# Where the constants of the model's own are.

cdef extern from "eventsnn/_core/models/quadratic.h":
    cpdef enum:
        CURVATURE "EVENTSNN_CURVATURE"
        E_L "EVENTSNN_E_L"
        SPAN "EVENTSNN_SPAN"
        RHEOBASE "EVENTSNN_RHEOBASE"
    enum:
        OWN "EVENTSNN_OWN"
