# Where the constants of the model's own are.

cdef extern from "eventsnn/_core/models/izhikevich.h":
    cpdef enum:
        A "EVENTSNN_A"
        B "EVENTSNN_B"
        K_2 "EVENTSNN_K_2"
        K_1 "EVENTSNN_K_1"
        K_0 "EVENTSNN_K_0"
        V_U "EVENTSNN_V_U"
        LEAK_U "EVENTSNN_LEAK_U"
        STEP "EVENTSNN_STEP"
    enum:
        OWN "EVENTSNN_OWN"
