"""Random streams: keys, and the readable twin of the compiled generator.

A draw is a pure function of a key (which object, for what purpose, under which seed) and a counter (which element), so
adding an object, a thread or an interruption never changes another draw. The twin performs the operations of philox.pxd
and stream.pxd in ext/eventsnn/_core/draw in the same order and gives the same bits. sqrt is exact to the last bit
everywhere, so that the C library's will do.
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Sequence
from math import sqrt

from eventsnn._core.base.mathfunc import exp, log
from eventsnn._core.draw.stream import (
    EXPONENTIAL,
    GAMMA,
    LOGNORMAL,
    NORMAL,
)
from eventsnn.base.errors import InputError

WORD = 0xFFFFFFFF


def stream_key(seed: int, name: str, purpose: str) -> int:
    """The 64-bit key of the stream that the object `name` uses for `purpose` in a network with this seed.

    Every part is preceded by its length, so that no two different triples are hashed from the same bytes.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in (str(operator.index(seed)), name, purpose):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return int.from_bytes(digest.digest(), "little")


def cell_width(rate_hz: float) -> float:
    """The width (ms) of a Poisson stream's cells: the power of two for which a cell holds 4 to 8 spikes on average.

    Raises InputError unless rate_hz is finite and at least 1e-300.
    """
    if not 1e-300 <= rate_hz < math.inf:
        raise InputError(f"Poisson: rate = {rate_hz} Hz has no cells; a finite rate of at least 1e-300 Hz is needed")
    _, exponent = math.frexp(rate_hz / 1000.0)
    return math.ldexp(1.0, 3 - exponent)


def philox4x32(key: int, c0: int, c1: int, c2: int, c3: int) -> tuple[int, int, int, int]:
    """Philox 4x32-10 (Salmon, Moraes, Dror & Shaw, SC11, 2011): four 32-bit words from a counter of four words."""
    k0, k1 = key & WORD, key >> 32
    for _ in range(10):
        product0 = 0xD2511F53 * c0
        product1 = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (product1 >> 32) ^ c1 ^ k0, product1 & WORD, (product0 >> 32) ^ c3 ^ k1, product0 & WORD
        k0 = (k0 + 0x9E3779B9) & WORD
        k1 = (k1 + 0xBB67AE85) & WORD
    return c0, c1, c2, c3


def uniform53(high: int, low: int) -> float:
    """Uniform in [0, 1), a multiple of 2^-53, from two 32-bit words."""
    return ((high << 32 | low) >> 11) * 2.0**-53


def poisson_cell(
    key: int, stream: int, cell: int, mean: float, exp_minus_mean: float, start: float, width: float, level: int = 0
) -> list[float]:
    """Spike times (ms, ascending, in [start, start + width)) of one cell of a Poisson process.

    The count is drawn by inversion from the first two words of block 0 of the counters (stream, cell, level and block);
    the times are uniform in the cell, one from the other two words of block 0, then two from each following block.
    `mean` is rate * width, below 8, and `exp_minus_mean` its exp(-mean), handed in because the libraries' exp differ in
    bits. Cells of different width in one stream are told apart by `level`.
    """
    low, high = cell & WORD, cell >> 32 & WORD
    words = philox4x32(key, stream, low, high, level << 8)
    uniform = uniform53(words[0], words[1])
    count = 0
    probability = cumulative = exp_minus_mean
    while uniform >= cumulative:
        count += 1
        probability *= mean / count
        following = cumulative + probability
        if following == cumulative:
            break
        cumulative = following

    end = start + width
    times = []
    for k in range(count):
        if k % 2 == 0:
            time = start + width * uniform53(words[2], words[3])
        else:
            words = philox4x32(key, stream, low, high, level << 8 | (k + 1) // 2)
            time = start + width * uniform53(words[0], words[1])
        times.append(time if time < end else math.nextafter(end, start))
    return sorted(times)


# ---- the processes. A stream's kind says what its parameters are; see StreamPlan.

# The mean number of candidates for a spike in a cell of a process of kind STEPS. Half of them or more are spikes.
STEPS_MEAN = 4.0
# 1 / sqrt(2 pi), the mean of max(z, 0) for a standard normal z.
HALF_NORMAL = 0.3989422804014327


def width_level(width: float) -> int:
    """A number for each power of two that is a float64; 0 for 0."""
    return math.frexp(width)[1] + 2048 if width > 0.0 else 0


def thinned(key: int, stream: int, cell: int, level: int, times: list[float], shares: list[float]) -> list[float]:
    """The candidates of a cell that are spikes, each with the probability that `shares` gives.

    Blocks from 128 on of the cell's counters hold one uniform number for each candidate in the order of time.
    """
    low, high = cell & WORD, cell >> 32 & WORD
    kept = []
    words = (0, 0, 0, 0)
    for k, (time, share) in enumerate(zip(times, shares, strict=True)):
        if k % 2 == 0:
            words = philox4x32(key, stream, low, high, level << 8 | 128 + k // 2)
        if uniform53(*words[2 * (k % 2) : 2 * (k % 2) + 2]) < share:
            kept.append(time)
    return kept


def uniforms(key: int, index: int, k: int, block: int) -> tuple[float, float]:
    words = philox4x32(key, index, k & WORD, k >> 32 & WORD, block)
    return uniform53(words[0], words[1]), uniform53(words[2], words[3])


def interval(kind: int, p: Sequence[float], key: int, index: int, k: int, biased: bool) -> float:
    """Interval k (ms) of a renewal process: of density f(x), or, if biased, x f(x) / mean."""
    if kind == EXPONENTIAL:
        dead_time, mean = p[:2]
        x = mean * -log(1.0 - uniforms(key, index, k, 0)[0])
        if biased:
            u, w = uniforms(key, index, k, 1)
            if u * (dead_time + mean) >= dead_time:
                x = x + mean * -log(1.0 - w)
        return dead_time + x
    if kind == GAMMA:
        shape, scale = p[:2]
        return scale * standard_gamma(shape + 1.0 if biased else shape, key, index, k)
    if kind == LOGNORMAL:
        mu, sigma = p[:2]
        x, square, _ = polar(key, index, k, 0)
        z = x * sqrt(-2.0 * log(square) / square)
        return exp((mu + sigma * sigma if biased else mu) + sigma * z)
    if kind == NORMAL:
        return normal_interval(p, key, index, k, biased)
    low, high = p[:2]
    u, _ = uniforms(key, index, k, 0)
    if biased:
        ratio = low / high
        return high * sqrt(ratio * ratio + u * (1.0 - ratio * ratio))
    return low + (high - low) * u


def polar(key: int, index: int, k: int, block: int) -> tuple[float, float, int]:
    """A point x, y in the unit circle as (x, x^2 + y^2), from the first block that has one, and the block after it."""
    while True:
        u, v = uniforms(key, index, k, block)
        block += 1
        x, y = 2.0 * u - 1.0, 2.0 * v - 1.0
        square = x * x + y * y
        if 0.0 < square < 1.0:
            return x, square, block


def standard_gamma(shape: float, key: int, index: int, k: int) -> float:
    """Gamma variable of scale 1 (Marsaglia & Tsang, ACM Transactions on Mathematical Software 26, 2000)."""
    d = (shape + 1.0 if shape < 1.0 else shape) - 1.0 / 3.0
    c = 1.0 / sqrt(9.0 * d)
    block = 0
    while True:
        x, square, block = polar(key, index, k, block)
        u, w = uniforms(key, index, k, block)
        block += 1
        z = x * sqrt(-2.0 * log(square) / square)
        t = 1.0 + c * z
        if t <= 0.0:
            continue
        t = t * t * t
        if log(u) < 0.5 * (z * z) + d * ((1.0 - t) + log(t)):
            break
    return d * t * exp(log(w) / shape) if shape < 1.0 else d * t


def normal_interval(p: Sequence[float], key: int, index: int, k: int, biased: bool) -> float:
    """A normal variable in [low, high], low >= 0. If biased, by rejection from (max(mean, 0) + max(x - mean, 0)) f(x).

    The first part is normal; the second is mean + std R, where R = sqrt(-2 log(square)) has a Rayleigh distribution.
    """
    mean, std, low, high = p[:4]
    normal_part = max(mean, 0.0)
    both_parts = normal_part + std * HALF_NORMAL
    block = 0
    while True:
        x, square, block = polar(key, index, k, block)
        length = -2.0 * log(square)
        value = mean + std * (x * sqrt(length / square))
        accepted = True
        if biased:
            u, w = uniforms(key, index, k, block)
            block += 1
            if u * both_parts >= normal_part:
                value = mean + std * sqrt(length)
            accepted = w * (normal_part + max(value - mean, 0.0)) < value
        if accepted and low <= value <= high:
            return value
