# Scalar exp, expm1, log, log1p, sin_turns and atan2 whose bits are the same on every IEEE-754 machine.
#
# The C library's versions differ between systems, and even between processors with and without fused
# multiply-add; an event log that must agree to the last bit cannot rest on them. Here only + - * /, comparisons
# and integer operations are used, in the order written: compile without contraction and without fast-math.
# Rounding is taken to be to nearest, the default everywhere. The bodies stand in this file so that the kernels
# that cimport them inline them.
#
# (a) exp. With n the integer nearest to x/ln 2, x = n ln 2 + r + e, |r| <= ln(2)/2, where ln 2 is held in two
#     parts. The high part has 42 bits, so n times it is exact (|n| < 2^11), and so is its difference to x; e is
#     what rounding r lost. Then
#         exp(x) = 2^n (1 + r + r^2/2 + exp_cubic(r) + e (1 + r)),    exp_cubic(r) = r^3 Q(r).
#     Q is the Taylor polynomial 1/3! ... r^10/13!; what it leaves out is below 0.04 ulp. Its terms are grouped
#     in pairs, pairs of pairs and so on, so that the processor has independent work to do side by side.
#     1 + r is summed without error (the larger summand comes first, what was lost is added to the small part), so
#     that the last addition is the only rounding at the size of the result.
#     Budget in ulp: 0.5 last addition, 0.04 truncation, 0.1 rounding of the small part, which is below 0.07.
#     Results below the smallest normal number are rounded once more when scaled: below 0.85 ulp together.
#
# (b) expm1 takes one of three ways.
#     |x| < 1/16, where the engine nearly always is: n = 0, r = x, and four terms of Q fewer suffice.
#     Budget: 0.5 last addition, 0.04 truncation, 0.06 rounding of the small part.
#     -36 <= x <= 39: 2^n ((1 - 2^-n) + r + r^2/2 + exp_cubic(r) + e (1 + r)). The bracket is exact up to n = 53,
#     what it loses beyond is added back. The result is least against its parts at n = 1, x = ln(2)/2, where four
#     times the rounding of (a) would show; so r^2/2 is split into an exact square and a rest, and the bracket, r
#     and the square are summed without error. Budget there: 0.5 last addition, 0.15 truncation, 0.05 rounding.
#     Elsewhere exp(x) - 1: below -36 exp's error is out of sight, above 39 the 1 is.
#
# (c) log. x = 2^n (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), f exact, and s = f/(2 + f), for which
#     log(1 + f) = 2 artanh(s) = 2s + s R(s^2). Since 2s = f - f^2/2 + s f^2/2,
#         log(x) = n ln 2 + f - f^2/2 + log_cubic(f),    log_cubic(f) = s (f^2/2 + R(s^2)).
#     R is the Taylor polynomial 2/3 s^2 ... 2/21 s^20; what it leaves out is below 0.01 ulp. The large parts, n
#     times the high part of ln 2, f and the exact square, are again summed without error. The division's rounding
#     only enters through log_cubic, which is below 0.017.
#     Budget in ulp: 0.5 last addition, 0.2 rounding of the small part, worst where n ln 2 and f nearly halve each
#     other (n = -1, x = 0.7).
#
# (d) log1p is the same with n = 0 and f = x where 1 + x is in the interval of (c). Elsewhere it is log(u), u = 1 + x
#     rounded, and c/u is added to the small part, where c is what the sum lost (found exactly); the next term,
#     (c/u)^2/2, is below 2^-107.
#
# (e) sin_turns(x) is sin(2 pi x): the angle counts full turns, so that taking whole turns off it is exact. What is left
#     is folded into [-1/4, 1/4], exactly as well, and the Taylor polynomial of degree 21 leaves out less than 1e-17.
#     The rounding of 2 pi and of the angle in radians make the error larger than that of the others: 3e-16, absolute,
#     and below 2.5 ulp.
#
# (f) atan2(y, x). q is the smaller of |x| and |y| over the larger one; where y is the larger one, the angle is taken
#     from pi/2, and where x is negative from pi. With c the multiple of 1/8 next to q, atan(q) = atan(c) + atan(t),
#     t = (q - c) / (1 + c q), |t| < 1/16, and q - c is exact. Where q < 0.1, c is 0, lest t be as large as the result.
#     The Taylor polynomial of degree 17 leaves out less than 0.01 ulp. atan(c), pi/2 and pi are held in two parts.
#     Budget in ulp: 0.5 last addition, 0.5 rounding of q, up to 0.7 that of t.
#
# Largest errors seen in 10^6 random arguments per range, 50 ranges: exp 0.63 (0.76 where the result is subnormal),
# expm1 0.68, log 0.69, log1p 0.69 ulp; atan2 in 2 10^4 per range, 14 ranges: 1.33 ulp. Over neighbouring arguments
# none of the first four was seen to step the wrong way.

from libc.float cimport DBL_MAX, DBL_MIN
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy


cdef extern from *:
    """
    #define EVENTSNN_LN2_HIGH 0.6931471805598903
    #define EVENTSNN_LN2_LOW 5.497923018708371e-14
    #define EVENTSNN_INVERSE_LN2 1.4426950408889634
    #define EVENTSNN_ROUNDING_SHIFT 6755399441055744.0
    #define EVENTSNN_HALF_PI_HIGH 1.5707963267948966
    #define EVENTSNN_HALF_PI_LOW 6.123233995736766e-17
    """
    # ln 2 to 42 bits, and the rest.
    const double LN2_HIGH "EVENTSNN_LN2_HIGH"
    const double LN2_LOW "EVENTSNN_LN2_LOW"
    const double INVERSE_LN2 "EVENTSNN_INVERSE_LN2"
    # 1.5 * 2^52: numbers of this size are integers, so adding it rounds to the nearest one.
    const double ROUNDING_SHIFT "EVENTSNN_ROUNDING_SHIFT"
    const double HALF_PI_HIGH "EVENTSNN_HALF_PI_HIGH"
    const double HALF_PI_LOW "EVENTSNN_HALF_PI_LOW"


cdef extern from "eventsnn/_core/base/angles.h" nogil:
    const double* ATAN_HIGH "eventsnn_atan_high"
    const double* ATAN_LOW "eventsnn_atan_low"


cdef inline uint64_t to_bits(double x) noexcept nogil:
    cdef uint64_t bits
    memcpy(&bits, &x, sizeof(bits))
    return bits


cdef inline double from_bits(uint64_t bits) noexcept nogil:
    cdef double x
    memcpy(&x, &bits, sizeof(x))
    return x


cdef inline double infinity() noexcept nogil:
    return from_bits(<uint64_t>0x7FF << 52)


cdef inline double not_a_number() noexcept nogil:
    """One fixed pattern: what an invalid operation gives differs in sign between processors."""
    return from_bits(<uint64_t>0xFFF << 51)


cdef inline double power_of_two(int64_t n) noexcept nogil:
    """2^n for -1022 <= n <= 1023."""
    return from_bits(<uint64_t>(n + 1023) << 52)


cdef inline double half_square(double r, double* lost) noexcept nogil:
    """r^2/2 without its last bits, which go to lost: the 24 bits of a float have an exact square."""
    cdef double head = <double><float>r
    lost[0] = 0.5 * ((r - head) * (r + head))
    return 0.5 * (head * head)


cdef inline double exp_cubic(double r) noexcept nogil:
    """exp(r) - 1 - r - r^2/2 for |r| <= ln(2)/2."""
    cdef double r2 = r * r
    cdef double r4 = r2 * r2
    cdef double terms_3_to_6 = (1.0 / 6.0 + r * (1.0 / 24.0)) + r2 * (1.0 / 120.0 + r * (1.0 / 720.0))
    cdef double terms_7_to_10 = (1.0 / 5040.0 + r * (1.0 / 40320.0)) + r2 * (1.0 / 362880.0 + r * (1.0 / 3628800.0))
    cdef double terms_11_to_13 = (1.0 / 39916800.0 + r * (1.0 / 479001600.0)) + r2 * (1.0 / 6227020800.0)
    return (r * r2) * ((terms_3_to_6 + r4 * terms_7_to_10) + (r4 * r4) * terms_11_to_13)


cdef inline double reduce_by_ln2(double x, double* n, double* error) noexcept nogil:
    """The r of (a), with its n and e; |x| < 1100."""
    cdef double high, low, r
    n[0] = (x * INVERSE_LN2 + ROUNDING_SHIFT) - ROUNDING_SHIFT
    high = x - n[0] * LN2_HIGH
    low = n[0] * LN2_LOW
    r = high - low
    error[0] = (high - r) - low
    return r


cdef inline double exp(double x) noexcept nogil:
    """e^x; 0 and inf where that is out of range, with gradual underflow; nan stays nan."""
    cdef double n, error, r, high, result
    cdef int64_t exponent
    if not (-746.0 < x < 710.0):
        if x >= 710.0:
            return infinity()
        return 0.0 if x <= -746.0 else x
    r = reduce_by_ln2(x, &n, &error)
    high = 1.0 + r
    result = high + ((((1.0 - high) + r) + error * high) + (0.5 * (r * r) + exp_cubic(r)))
    exponent = <int64_t>n
    if -1022 < exponent < 1024:
        return result * power_of_two(exponent)
    # Beyond the range of normal powers of two; halves are within it, and only the second product rounds.
    return (result * power_of_two(exponent >> 1)) * power_of_two(exponent - (exponent >> 1))


cdef inline double expm1_small(double x) noexcept nogil:
    """e^x - 1 for |x| < 1/16. Subtracting the negative tail, not adding the tail, keeps the sign of -0.0."""
    cdef double x2 = x * x
    cdef double terms_3_to_6 = (1.0 / 6.0 + x * (1.0 / 24.0)) + x2 * (1.0 / 120.0 + x * (1.0 / 720.0))
    cdef double terms_7_to_9 = (1.0 / 5040.0 + x * (1.0 / 40320.0)) + x2 * (1.0 / 362880.0)
    return x - ((-x * x2) * (terms_3_to_6 + (x2 * x2) * terms_7_to_9) - 0.5 * x2)


cdef inline double expm1(double x) noexcept nogil:
    """e^x - 1 without cancellation; -1 and inf where e^x is out of range; -0.0 stays -0.0, nan stays nan."""
    cdef double n, error, r, inverse_scale, offset, linear, square, lost, high, low
    if -0.0625 < x < 0.0625:
        return expm1_small(x)
    if not (-36.0 <= x <= 39.0):
        return exp(x) - 1.0
    r = reduce_by_ln2(x, &n, &error)
    inverse_scale = power_of_two(-<int64_t>n)
    offset = 1.0 - inverse_scale
    # The first summand is the larger one in both sums (offset may be 0), so what is lost is found exactly.
    linear = offset + r
    square = half_square(r, &lost)
    high = linear + square
    low = ((offset - linear) + r) + ((linear - high) + square)
    low += ((1.0 - offset) - inverse_scale) + error * (1.0 + r)
    return (high + (low + (lost + exp_cubic(r)))) * power_of_two(<int64_t>n)


cdef inline double log_cubic(double f) noexcept nogil:
    """log(1 + f) - f + f^2/2 for 1 + f in [sqrt(1/2), sqrt(2))."""
    cdef double s = f / (2.0 + f)
    cdef double z = s * s
    cdef double z2 = z * z
    cdef double z4 = z2 * z2
    cdef double terms_3_to_9 = (2.0 / 3.0 + z * (2.0 / 5.0)) + z2 * (2.0 / 7.0 + z * (2.0 / 9.0))
    cdef double terms_11_to_17 = (2.0 / 11.0 + z * (2.0 / 13.0)) + z2 * (2.0 / 15.0 + z * (2.0 / 17.0))
    cdef double terms_19_to_21 = 2.0 / 19.0 + z * (2.0 / 21.0)
    return s * (0.5 * (f * f) + z * ((terms_3_to_9 + z4 * terms_11_to_17) + (z4 * z4) * terms_19_to_21))


cdef inline double log_of_normal(double x, double n_offset, double correction) noexcept nogil:
    """n_offset ln 2 + log(x) + correction for a positive normal x and a correction that is small beside it."""
    cdef uint64_t sqrt_half = 0x3FE6A09E667F3BCD
    # Moving sqrt(1/2) to 1 makes the exponent field count from sqrt(1/2), not from 1.
    cdef uint64_t exponent_field = (to_bits(x) + ((<uint64_t>0x3FF << 52) - sqrt_half)) >> 52
    cdef double n = n_offset + <double>(<int32_t>exponent_field - 1023)
    cdef double f = from_bits(to_bits(x) + (<uint64_t>0x3FF << 52) - (exponent_field << 52)) - 1.0
    cdef double large = n * LN2_HIGH
    cdef double lost
    cdef double square = half_square(f, &lost)
    # The first summand is the larger one in both sums (large may be 0), so what is lost is found exactly.
    cdef double linear = large + f
    cdef double high = linear - square
    cdef double low = ((large - linear) + f) + ((linear - high) - square)
    return high + ((low + (n * LN2_LOW + correction)) + (log_cubic(f) - lost))


cdef inline double log(double x) noexcept nogil:
    """Natural logarithm; -inf for +0.0 and -0.0, nan below; inf stays inf, nan stays nan."""
    if DBL_MIN <= x <= DBL_MAX:
        return log_of_normal(x, 0.0, 0.0)
    if x == 0.0:
        return -infinity()
    if x < 0.0:
        return not_a_number()
    if x < DBL_MIN:
        return log_of_normal(x * 18014398509481984.0, -54.0, 0.0)  # 2^54 makes every subnormal number normal
    return x


cdef inline double log1p(double x) noexcept nogil:
    """log(1 + x) without cancellation; -inf for -1, nan below; -0.0 stays -0.0, inf stays inf, nan stays nan."""
    cdef double u, lost, square, high
    if -0.2928 < x < 0.4142:
        square = half_square(x, &lost)
        high = x - square
        return high - ((lost - log_cubic(x)) - ((x - high) - square))
    if -1.0 < x <= DBL_MAX:
        u = 1.0 + x
        lost = x - (u - 1.0) if x < 1.0 else 1.0 - (u - x)
        return log_of_normal(u, 0.0, lost / u)
    if x == -1.0:
        return -infinity()
    return not_a_number() if x < -1.0 else x


cdef inline double sin_turns(double x) noexcept nogil:
    """sin(2 pi x); nan for inf and nan."""
    cdef double y, y2
    if not (-2251799813685248.0 < x < 2251799813685248.0):
        # Multiples of 1/2 all of them.
        return 0.0 if -DBL_MAX <= x <= DBL_MAX else not_a_number()
    if x < -0.5 or x > 0.5:
        x = x - ((x + ROUNDING_SHIFT) - ROUNDING_SHIFT)
    if x > 0.25:
        x = 0.5 - x
    elif x < -0.25:
        x = -0.5 - x
    y = 6.283185307179586 * x
    y2 = y * y
    return y - (y * y2) * (1.0 / 6.0 - y2 * (1.0 / 120.0 - y2 * (1.0 / 5040.0 - y2 * (1.0 / 362880.0 - y2 * (
        1.0 / 39916800.0 - y2 * (1.0 / 6227020800.0 - y2 * (1.0 / 1307674368000.0 - y2 * (
            1.0 / 355687428096000.0 - y2 * (1.0 / 121645100408832000.0 - y2 * (1.0 / 51090942171709440000.0))))))))))


cdef inline double atan_cubic(double t) noexcept nogil:
    """t - atan(t) for |t| <= 0.1."""
    cdef double z = t * t
    cdef double z2 = z * z
    cdef double terms_3_to_9 = (1.0 / 3.0 - z * (1.0 / 5.0)) + z2 * (1.0 / 7.0 - z * (1.0 / 9.0))
    cdef double terms_11_to_17 = (1.0 / 11.0 - z * (1.0 / 13.0)) + z2 * (1.0 / 15.0 - z * (1.0 / 17.0))
    return (t * z) * (terms_3_to_9 + (z2 * z2) * terms_11_to_17)


cdef inline bint is_negative(double x) noexcept nogil:
    """-0.0 is."""
    return to_bits(x) >> 63 != 0


cdef inline double atan2(double y, double x) noexcept nogil:
    """The angle of the point (x, y), from -pi to pi; zeros and infinities as in C; nan stays nan."""
    cdef double across = -x if is_negative(x) else x
    cdef double up = -y if is_negative(y) else y
    cdef double q, c, t, high, low, quarters, angle
    cdef int j = 0
    if x != x or y != y:
        return not_a_number()
    if up == across:
        q = 0.0 if up == 0.0 else 1.0
    else:
        q = up / across if up < across else across / up
    if q >= 0.1:
        j = <int>(8.0 * q + 0.5)
    c = 0.125 * j
    t = (q - c) / (1.0 + c * q) if j > 0 else q
    high = ATAN_HIGH[j]
    low = ATAN_LOW[j] - atan_cubic(t)
    # The angle is a number of right angles and atan(q), added or taken off.
    quarters = 0.0
    if up > across:
        quarters = 1.0
    elif is_negative(x):
        quarters = 2.0
    if quarters == 2.0 or (quarters == 1.0 and not is_negative(x)):
        high, low, t = -high, -low, -t
    # The first summand is the larger one, so what is lost is found exactly.
    angle = quarters * HALF_PI_HIGH + high
    low = low + ((quarters * HALF_PI_HIGH - angle) + high) if quarters > 0.0 else low
    angle = angle + (t + (low + quarters * HALF_PI_LOW))
    return -angle if is_negative(y) else angle
