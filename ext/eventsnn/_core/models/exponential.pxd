# Where the constants of the model's own are.

cdef extern from "eventsnn/_core/models/exponential.h":
    cpdef enum:
        RATE_L "EVENTSNN_RATE_L"
        E_L "EVENTSNN_E_L"
        V_T "EVENTSNN_V_T"
        PER_DELTA "EVENTSNN_PER_DELTA"
        UPSTROKE "EVENTSNN_UPSTROKE"
        PER_C "EVENTSNN_PER_C"
        E_EX "EVENTSNN_E_EX"
        E_IN "EVENTSNN_E_IN"
        RATE_EX "EVENTSNN_RATE_EX"
        RATE_IN "EVENTSNN_RATE_IN"
        A "EVENTSNN_A"
        RATE_W "EVENTSNN_RATE_W"
    enum:
        OWN "EVENTSNN_OWN"
