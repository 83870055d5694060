# Where the constants of the model's own are.

cdef extern from "eventsnn/_core/models/hodgkin_huxley.h":
    cpdef enum:
        G_NA "EVENTSNN_G_NA"
        G_K "EVENTSNN_G_K"
        G_L "EVENTSNN_G_L"
        PER_C "EVENTSNN_PER_C"
        E_NA "EVENTSNN_E_NA"
        E_K "EVENTSNN_E_K"
        E_L "EVENTSNN_E_L"
        E_EX "EVENTSNN_E_EX"
        E_IN "EVENTSNN_E_IN"
        V_T "EVENTSNN_V_T"
        RATE_EX "EVENTSNN_RATE_EX"
        RATE_IN "EVENTSNN_RATE_IN"
    enum:
        OWN "EVENTSNN_OWN"
