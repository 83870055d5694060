/* Undefines what wide.h defines, and what is defined for it. */

#undef CHOOSE
#undef SIZE
#undef IF
#undef INLINE
#undef WIDE
#undef MASK
#undef FROM
#undef CONSTANT
#undef ANY
#undef EVENTSNN_TARGET
#undef EVENTSNN_WIDTH
#undef EVENTSNN_EXP
#undef EVENTSNN_OF
