/* Compiles EVENTSNN_FUNCTIONS, a file that begins with wide.h and ends with wide_end.h, for one number and, where there
 * are vectors, for four and for eight. eventsnn_exp_plain and its kin are those of growth.h. */

#define EVENTSNN_OF(name) eventsnn_one_##name
#define EVENTSNN_TARGET
#define EVENTSNN_WIDTH 1
#define EVENTSNN_EXP eventsnn_exp_plain
#include EVENTSNN_FUNCTIONS

#ifdef EVENTSNN_VECTORS

#define EVENTSNN_OF(name) eventsnn_##name##_avx2
#define EVENTSNN_TARGET EVENTSNN_AVX2
#define EVENTSNN_WIDTH 4
#define EVENTSNN_EXP eventsnn_exp_avx2
#include EVENTSNN_FUNCTIONS

#define EVENTSNN_OF(name) eventsnn_##name##_avx512
#define EVENTSNN_TARGET EVENTSNN_AVX512
#define EVENTSNN_WIDTH 8
#define EVENTSNN_EXP eventsnn_exp_avx512
#include EVENTSNN_FUNCTIONS

#endif

#undef EVENTSNN_FUNCTIONS
