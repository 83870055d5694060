/* The beginning of a block: the passes find D of the neurons from `first` to stop of a group in the block that begins.
 * They list the neurons that are not calm: whose D is not between -2^61 and 0. integers.h and scatter.h say what the
 * numbers are.
 *
 * eventsnn_pass_jumps: without currents. D moves by as much as the line does, and by the external input.
 * eventsnn_pass_currents: with currents. The external input is added to U and X. D is the most by which v may come above
 *     the line in the block: what X takes from U lies between `least` and `largest` of each current, and all external
 *     input that raises v counts as if it had come. Neurons with a flag are listed too; their D means nothing.
 *
 * D of neurons with currents is a bound, and need not be the same on all processors.
 */

#ifndef EVENTSNN_PASSES_H
#define EVENTSNN_PASSES_H

#include "eventsnn/_core/draw/cell.h"
#include "eventsnn/_core/run/calm/scatter.h"

enum { EVENTSNN_AT_ONCE = 16 };

/* ---- lines
 *
 * The lowest line of a block: as long as U is below it, v does not reach the threshold, whatever is rounded. gap: from
 * what v settles at up to the threshold, negative if the threshold lies below. */

/* A line is lowered by margin, a part of it, and by more units than the slack of the threshold. The highest is 2^60. */
#define EVENTSNN_LINE_SLACK (2.0 * EVENTSNN_SLACK + 1.0)
#define EVENTSNN_HIGHEST_LINE 1152921504606846976.0

static int64_t eventsnn_lowest_line(double gap, double grown_begin, double grown_end, double margin)
{
    double line = gap * (gap > 0.0 ? grown_begin : grown_end);
    line = line - margin * fabs(line) - EVENTSNN_LINE_SLACK;
    return eventsnn_nearest(line < EVENTSNN_HIGHEST_LINE ? line : EVENTSNN_HIGHEST_LINE);
}

typedef struct {
    const double *gap; /* of each neuron */
    double above, per_unit, grown_begin, grown_end; /* of all neurons */
    const double *per_units, *begins, *ends; /* the last three for each neuron, or NULL */
    double margin;
} eventsnn_lines;

EVENTSNN_PERHAPS void eventsnn_find_lows_of(const eventsnn_lines *l, int64_t first, int64_t stop, int64_t *low)
{
    for (int64_t n = first; n < stop; n++) {
        const double gap = (l->gap[n] + l->above) * (l->per_units ? l->per_units[n] : l->per_unit);
        low[n] = eventsnn_lowest_line(
            gap, l->per_units ? l->begins[n] : l->grown_begin, l->per_units ? l->ends[n] : l->grown_end, l->margin);
    }
}

#ifdef EVENTSNN_VECTORS

EVENTSNN_AVX512 static void eventsnn_find_lows_avx512(const eventsnn_lines *l, int64_t first, int64_t stop, int64_t *low)
{
    const __m512d margin = _mm512_set1_pd(l->margin), slack = _mm512_set1_pd(EVENTSNN_LINE_SLACK);
    const __m512d highest = _mm512_set1_pd(EVENTSNN_HIGHEST_LINE), least = _mm512_set1_pd(-EVENTSNN_LIMIT_64);
    const int each = l->per_units != NULL;
    int64_t n = first;
    for (; n + 8 <= stop; n += 8) {
        const __m512d unit = each ? _mm512_loadu_pd(l->per_units + n) : _mm512_set1_pd(l->per_unit);
        const __m512d begin = each ? _mm512_loadu_pd(l->begins + n) : _mm512_set1_pd(l->grown_begin);
        const __m512d end = each ? _mm512_loadu_pd(l->ends + n) : _mm512_set1_pd(l->grown_end);
        const __m512d gap = (_mm512_loadu_pd(l->gap + n) + l->above) * unit;
        const __mmask8 positive = _mm512_cmp_pd_mask(gap, _mm512_setzero_pd(), _CMP_GT_OQ);
        __m512d line = gap * _mm512_mask_blend_pd(positive, end, begin);
        line = line - margin * _mm512_abs_pd(line) - slack;
        line = _mm512_max_pd(_mm512_min_pd(line, highest), least);
        _mm512_storeu_si512(low + n, _mm512_cvtpd_epi64(line));
    }
    eventsnn_find_lows_of(l, n, stop, low);
}

EVENTSNN_PERHAPS void eventsnn_find_lows(int lanes, const eventsnn_lines *l, int64_t first, int64_t stop, int64_t *low)
{
    if (lanes == 8)
        eventsnn_find_lows_avx512(l, first, stop, low);
    else
        eventsnn_find_lows_of(l, first, stop, low);
}

#else

#define eventsnn_find_lows(lanes, l, first, stop, low) ((void)(lanes), eventsnn_find_lows_of(l, first, stop, low))

#endif

/* ---- D */

EVENTSNN_EACH int eventsnn_is_other(int64_t d) { return ((uint64_t)d + ((uint64_t)1 << 61)) >> 61 != 0; }

EVENTSNN_EACH int64_t eventsnn_pass_some_jumps(
    int64_t *d, int64_t by, const int64_t *from, const int64_t *to, const int64_t *more, int64_t n, int some,
    int32_t *others)
{
    uint64_t any = 0;
    int64_t m = 0;
    for (int k = 0; k < some; k++) {
        const int64_t moved = to ? eventsnn_sum(from[n + k], -to[n + k]) : by;
        d[n + k] = eventsnn_sum(d[n + k], more ? eventsnn_sum(moved, more[n + k]) : moved);
        any |= (uint64_t)d[n + k] + ((uint64_t)1 << 61);
    }
    if (any >> 61 == 0)
        return 0;
    for (int k = 0; k < some; k++) {
        others[m] = (int32_t)(n + k);
        m += eventsnn_is_other(d[n + k]);
    }
    return m;
}

EVENTSNN_EACH int64_t eventsnn_pass_all_jumps(
    int64_t *d, int64_t by, const int64_t *from, const int64_t *to, const int64_t *more, int64_t first, int64_t stop,
    int32_t *others)
{
    int64_t m = 0, n = first;
    for (; n + EVENTSNN_AT_ONCE <= stop; n += EVENTSNN_AT_ONCE)
        m += eventsnn_pass_some_jumps(d, by, from, to, more, n, EVENTSNN_AT_ONCE, others + m);
    return m + eventsnn_pass_some_jumps(d, by, from, to, more, n, (int)(stop - n), others + m);
}

/* Lines move by `by`, or, if there are arrays `from` and `to`, from these to those. more: external input, or NULL. */
EVENTSNN_PERHAPS int64_t eventsnn_pass_jumps(
    int64_t *d, int64_t by, const int64_t *from, const int64_t *to, const int64_t *more, int64_t first, int64_t stop,
    int32_t *others)
{
    if (to)
        return more ? eventsnn_pass_all_jumps(d, by, from, to, more, first, stop, others)
                    : eventsnn_pass_all_jumps(d, by, from, to, NULL, first, stop, others);
    return more ? eventsnn_pass_all_jumps(d, by, NULL, NULL, more, first, stop, others)
                : eventsnn_pass_all_jumps(d, by, NULL, NULL, NULL, first, stop, others);
}

/* ---- frames
 *
 * kept: what is left of 1 in the frame that ends; 0 if no frame ends. For states with currents it has a place for each of
 * their numbers. Neurons with a flag have numbers that are 0, or as those of all others. */

EVENTSNN_PERHAPS void eventsnn_new_frames_of(const double *kept, int64_t first, int64_t stop, int64_t *state)
{
    for (int64_t i = first * EVENTSNN_STATE; i < stop * EVENTSNN_STATE; i++)
        if (kept[i % EVENTSNN_STATE] > 0.0)
            state[i] = eventsnn_later(eventsnn_sum(state[i], EVENTSNN_BIAS), kept[i % EVENTSNN_STATE]) - EVENTSNN_BIAS;
}

/* D is relative to the neuron's own line, or to that of all. D of neurons with a flag means something else. */
EVENTSNN_PERHAPS void eventsnn_new_frames_of_jumps(
    double kept, const int64_t *lows, int64_t low, const uint8_t *flag, int64_t first, int64_t stop, int64_t *d)
{
    for (int64_t n = first; n < stop; n++) {
        const int64_t line = lows ? lows[n] : low;
        if (flag[n] == 0)
            d[n] = eventsnn_sum(eventsnn_later(eventsnn_sum(d[n], line), kept), -line);
    }
}

#ifdef EVENTSNN_VECTORS

/* value factor / 2^63 as eventsnn_scaled has it, for a factor below 2^62: a frame is longer than its time constant. All
 * halves of 32 bits are signed. */
EVENTSNN_AVX512 EVENTSNN_INLINE __m512i eventsnn_scaled_avx512(__m512i value, __m512i factor)
{
    const __m512i half = _mm512_set1_epi64((int64_t)1 << 31);
    const __m512i value_high = _mm512_srai_epi64(_mm512_add_epi64(value, half), 32);
    const __m512i factor_high = _mm512_srai_epi64(_mm512_add_epi64(factor, half), 32);
    const __m512i middle = _mm512_add_epi64(_mm512_mul_epi32(value_high, factor), _mm512_mul_epi32(value, factor_high));
    const __m512i high = _mm512_add_epi64(_mm512_mul_epi32(value_high, factor_high), _mm512_srai_epi64(middle, 32));
    __m512i low = _mm512_srli_epi64(_mm512_slli_epi64(middle, 32), 1);
    low = _mm512_add_epi64(low, _mm512_srai_epi64(_mm512_mul_epi32(value, factor), 1));
    low = _mm512_srli_epi64(_mm512_add_epi64(low, _mm512_set1_epi64((int64_t)1 << 61)), 62);
    return _mm512_add_epi64(_mm512_slli_epi64(high, 1), low);
}

EVENTSNN_AVX512 EVENTSNN_INLINE __m512i eventsnn_kept_avx512(__m512d kept)
{
    return _mm512_cvtpd_epi64(_mm512_mul_pd(kept, _mm512_set1_pd(9223372036854775808.0)));
}

EVENTSNN_AVX512 static void eventsnn_new_frames_avx512(const double *kept, int64_t first, int64_t stop, int64_t *state)
{
    const __m512d of_each = _mm512_broadcast_f64x4(_mm256_loadu_pd(kept));
    const __mmask8 changes = _mm512_cmp_pd_mask(of_each, _mm512_setzero_pd(), _CMP_GT_OQ);
    const __m512i factor = eventsnn_kept_avx512(of_each), bias = _mm512_set1_epi64(EVENTSNN_BIAS);
    int64_t n = first;
    for (; n + 2 <= stop; n += 2) {
        int64_t *s = state + EVENTSNN_STATE * n;
        const __m512i later = eventsnn_scaled_avx512(_mm512_add_epi64(_mm512_loadu_si512(s), bias), factor);
        _mm512_mask_storeu_epi64(s, changes, _mm512_sub_epi64(later, bias));
    }
    eventsnn_new_frames_of(kept, n, stop, state);
}

EVENTSNN_AVX512 static void eventsnn_new_frames_jumps_avx512(
    double kept, const int64_t *lows, int64_t low, const uint8_t *flag, int64_t first, int64_t stop, int64_t *d)
{
    const __m512i factor = eventsnn_kept_avx512(_mm512_set1_pd(kept)), line_of_all = _mm512_set1_epi64(low);
    int64_t n = first;
    for (; n + 8 <= stop; n += 8) {
        const __m512i line = lows ? _mm512_loadu_si512(lows + n) : line_of_all;
        const __m512i flags = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(flag + n)));
        const __m512i later = eventsnn_scaled_avx512(_mm512_add_epi64(_mm512_loadu_si512(d + n), line), factor);
        _mm512_mask_storeu_epi64(d + n, _mm512_testn_epi64_mask(flags, flags), _mm512_sub_epi64(later, line));
    }
    eventsnn_new_frames_of_jumps(kept, lows, low, flag, n, stop, d);
}

EVENTSNN_PERHAPS void eventsnn_new_frames(int lanes, const double *kept, int64_t first, int64_t stop, int64_t *state)
{
    if (lanes == 8)
        eventsnn_new_frames_avx512(kept, first, stop, state);
    else
        eventsnn_new_frames_of(kept, first, stop, state);
}

EVENTSNN_PERHAPS void eventsnn_new_frames_jumps(
    int lanes, double kept, const int64_t *lows, int64_t low, const uint8_t *flag, int64_t first, int64_t stop,
    int64_t *d)
{
    if (lanes == 8)
        eventsnn_new_frames_jumps_avx512(kept, lows, low, flag, first, stop, d);
    else
        eventsnn_new_frames_of_jumps(kept, lows, low, flag, first, stop, d);
}

#else

#define eventsnn_new_frames(lanes, kept, first, stop, state)                                                           \
    ((void)(lanes), eventsnn_new_frames_of(kept, first, stop, state))
#define eventsnn_new_frames_jumps(lanes, kept, lows, low, flag, first, stop, d)                                        \
    ((void)(lanes), eventsnn_new_frames_of_jumps(kept, lows, low, flag, first, stop, d))

#endif

typedef struct {
    int currents;
    /* For each current what X takes from U in the block: the least, the largest, and at its end. */
    double least[2], largest[2], at_end[2];
    double margin;
    int64_t low;         /* the line of all neurons */
    const int64_t *lows; /* that of each neuron, or NULL */
    const int64_t *u, *x; /* external input of each neuron, or NULL */
    int slot;            /* the current that external input goes to */
} eventsnn_rise;

/* The highest value of v in the block, in units of U, if nothing arrives any more. */
EVENTSNN_EACH double eventsnn_highest(const eventsnn_rise *r, const int64_t *s)
{
    double up = (double)eventsnn_sum(s[EVENTSNN_U], EVENTSNN_BIAS), size = fabs(up);
    for (int i = 0; i < r->currents; i++) {
        const double x = (double)eventsnn_sum(s[EVENTSNN_X + i], EVENTSNN_BIAS), part = x * (x >= 0.0 ? r->least[i] : r->largest[i]);
        up -= part;
        size += fabs(part);
    }
    return up + r->margin * size;
}

/* The most by which external input raises this value. */
EVENTSNN_EACH double eventsnn_raised(const eventsnn_rise *r, int64_t u, int64_t x)
{
    const double part = (double)x * r->at_end[r->slot], up = (double)u - part;
    return up > 0.0 ? up + r->margin * (fabs((double)u) + fabs(part)) : 0.0;
}

/* Whether a number leaves room for what may come in a block. */
EVENTSNN_EACH int eventsnn_is_small(int64_t number)
{
    return ((uint64_t)number + ((uint64_t)1 << 60)) >> 61 == 0;
}

/* D: how far this value is above the line, rounded up; 0 where it is too far for a number. */
EVENTSNN_EACH int64_t eventsnn_distance(double highest, int64_t low)
{
    const double d = highest - (double)low;
    return d > -EVENTSNN_LIMIT_64 && d < EVENTSNN_LIMIT_64 ? (int64_t)d + 1024 : 0;
}

/* D of one neuron; its external input, if it has any, is added to its state. */
static int64_t eventsnn_pass_one(const eventsnn_rise *r, int64_t *s, int64_t n)
{
    double highest = eventsnn_highest(r, s);
    if (r->u) {
        highest += eventsnn_raised(r, r->u[n], r->x[n]);
        s[EVENTSNN_U] = eventsnn_sum(s[EVENTSNN_U], r->u[n]);
        s[EVENTSNN_X + r->slot] = eventsnn_sum(s[EVENTSNN_X + r->slot], r->x[n]);
    }
    s[EVENTSNN_D] = eventsnn_distance(highest, r->lows ? r->lows[n] : r->low);
    for (int i = 0; i <= r->currents; i++)
        if (!eventsnn_is_small(eventsnn_sum(s[EVENTSNN_U + i], EVENTSNN_BIAS)))
            s[EVENTSNN_D] = 0;
    return s[EVENTSNN_D];
}

EVENTSNN_PERHAPS int64_t eventsnn_pass_currents_of(
    const eventsnn_rise *r, int64_t *state, const uint8_t *flag, int64_t first, int64_t stop, int32_t *others)
{
    int64_t m = 0;
    for (int64_t n = first; n < stop; n++) {
        const int64_t d = eventsnn_pass_one(r, state + EVENTSNN_STATE * n, n);
        others[m] = (int32_t)n;
        m += (flag[n] != 0) | eventsnn_is_other(d);
    }
    return m;
}

#ifdef EVENTSNN_VECTORS

/* The same number of eight states, which lie in four vectors. */
EVENTSNN_AVX512 EVENTSNN_INLINE __m512i eventsnn_of_eight(const __m512i *state, int number)
{
    const __m512i at = _mm512_add_epi64(_mm512_setr_epi64(0, 4, 8, 12, 0, 4, 8, 12), _mm512_set1_epi64(number));
    const __m512i low = _mm512_permutex2var_epi64(state[0], at, state[1]);
    const __m512i high = _mm512_permutex2var_epi64(state[2], at, state[3]);
    return _mm512_shuffle_i64x2(low, high, 0x44);
}

EVENTSNN_AVX512 EVENTSNN_INLINE __mmask8 eventsnn_large(__m512i number)
{
    const __m512i shifted = _mm512_add_epi64(number, _mm512_set1_epi64((int64_t)1 << 60));
    return _mm512_cmpge_epu64_mask(shifted, _mm512_set1_epi64((int64_t)1 << 61));
}

/* Eight neurons side by side. */
EVENTSNN_AVX512 EVENTSNN_INLINE int64_t eventsnn_pass_eight(
    const eventsnn_rise *r, int64_t *state, const uint8_t *flag, int64_t n, int driven, int32_t *others)
{
    const __m512i bias = _mm512_set1_epi64(EVENTSNN_BIAS), bound = _mm512_set1_epi64((int64_t)1 << 61);
    const __m512d margin = _mm512_set1_pd(r->margin);
    __m512i s[4], d, u, x, flags, more_u = bias, more_x = bias;
    __m512d up, size, part, highest;
    __mmask8 large, far;
    unsigned listed;
    int64_t m = 0;
    for (int j = 0; j < 4; j++)
        s[j] = _mm512_loadu_si512(state + EVENTSNN_STATE * (n + 2 * j));
    u = _mm512_add_epi64(eventsnn_of_eight(s, EVENTSNN_U), bias);
    up = _mm512_cvtepi64_pd(u);
    size = _mm512_abs_pd(up);
    if (driven) {
        more_u = _mm512_loadu_si512(r->u + n);
        more_x = _mm512_loadu_si512(r->x + n);
        u = _mm512_add_epi64(u, more_u);
    }
    large = eventsnn_large(u);
    for (int i = 0; i < r->currents; i++) {
        x = _mm512_add_epi64(eventsnn_of_eight(s, EVENTSNN_X + i), bias);
        part = _mm512_mul_pd(_mm512_cvtepi64_pd(x), _mm512_mask_blend_pd(
            _mm512_movepi64_mask(x), _mm512_set1_pd(r->least[i]), _mm512_set1_pd(r->largest[i])));
        up = _mm512_sub_pd(up, part);
        size = _mm512_add_pd(size, _mm512_abs_pd(part));
        large |= eventsnn_large(driven && i == r->slot ? _mm512_add_epi64(x, more_x) : x);
    }
    highest = _mm512_add_pd(up, _mm512_mul_pd(margin, size));
    if (driven) {
        const __m512d of_u = _mm512_cvtepi64_pd(more_u);
        part = _mm512_mul_pd(_mm512_cvtepi64_pd(more_x), _mm512_set1_pd(r->at_end[r->slot]));
        up = _mm512_sub_pd(of_u, part);
        size = _mm512_add_pd(_mm512_abs_pd(of_u), _mm512_abs_pd(part));
        highest = _mm512_mask_add_pd(
            highest, _mm512_cmp_pd_mask(up, _mm512_setzero_pd(), _CMP_GT_OQ), highest,
            _mm512_add_pd(up, _mm512_mul_pd(margin, size)));
    }
    highest = _mm512_sub_pd(highest, r->lows ? _mm512_cvtepi64_pd(_mm512_loadu_si512(r->lows + n))
                                             : _mm512_set1_pd((double)r->low));
    far = _mm512_cmp_pd_mask(_mm512_abs_pd(highest), _mm512_set1_pd(EVENTSNN_LIMIT_64), _CMP_NLT_UQ);
    d = _mm512_add_epi64(_mm512_cvtpd_epi64(highest), _mm512_set1_epi64(1024));
    d = _mm512_maskz_mov_epi64((__mmask8)~(far | large), d);
    for (int j = 0; j < 4; j++) {
        const __m512i at = _mm512_add_epi64(_mm512_setr_epi64(0, 0, 8, 8, 1, 1, 9, 9), _mm512_set1_epi64(2 * j));
        if (driven)
            s[j] = _mm512_mask_add_epi64(
                s[j], (__mmask8)(0x22 | 0x44 << r->slot), s[j], _mm512_permutex2var_epi64(more_u, at, more_x));
        _mm512_storeu_si512(
            state + EVENTSNN_STATE * (n + 2 * j), _mm512_mask_permutexvar_epi64(s[j], 0x11, at, d));
    }
    listed = _mm512_cmpge_epu64_mask(_mm512_add_epi64(d, bound), bound);
    flags = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(flag + n)));
    listed |= _mm512_test_epi64_mask(flags, flags);
    for (; listed; listed &= listed - 1)
        others[m++] = (int32_t)n + eventsnn_lowest_bit(listed);
    return m;
}

EVENTSNN_AVX512 static int64_t eventsnn_pass_currents_avx512(
    const eventsnn_rise *r, int64_t *state, const uint8_t *flag, int64_t first, int64_t stop, int32_t *others)
{
    int64_t m = 0, n = first;
    for (; n + 8 <= stop; n += 8)
        m += r->u ? eventsnn_pass_eight(r, state, flag, n, 1, others + m)
                  : eventsnn_pass_eight(r, state, flag, n, 0, others + m);
    return m + eventsnn_pass_currents_of(r, state, flag, n, stop, others + m);
}

EVENTSNN_PERHAPS int64_t eventsnn_pass_currents(
    int lanes, const eventsnn_rise *r, int64_t *state, const uint8_t *flag, int64_t first, int64_t stop, int32_t *others)
{
    return lanes == 8 ? eventsnn_pass_currents_avx512(r, state, flag, first, stop, others)
                      : eventsnn_pass_currents_of(r, state, flag, first, stop, others);
}

#else

#define eventsnn_pass_currents(lanes, r, state, flag, first, stop, others)                                             \
    ((void)(lanes), eventsnn_pass_currents_of(r, state, flag, first, stop, others))

#endif

#endif
