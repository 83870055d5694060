"""Random streams: keys, the readable twin of the compiled generator, and external Poisson spikes.

A draw is a pure function of a key (which object, for what purpose, under which seed) and a counter (which element), so
adding an object, a thread or an interruption never changes another draw. The twin performs the operations of
ext/eventsnn/_core/philox.pxd in the same order and gives the same bits.
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Iterator

from eventsnn._core.mathfunc import exp
from eventsnn.errors import InputError
from eventsnn.plan import StreamPlan

_WORD = 0xFFFFFFFF


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
    k0, k1 = key & _WORD, key >> 32
    for _ in range(10):
        product0 = 0xD2511F53 * c0
        product1 = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (product1 >> 32) ^ c1 ^ k0, product1 & _WORD, (product0 >> 32) ^ c3 ^ k1, product0 & _WORD
        k0 = (k0 + 0x9E3779B9) & _WORD
        k1 = (k1 + 0xBB67AE85) & _WORD
    return c0, c1, c2, c3


def uniform53(high: int, low: int) -> float:
    """Uniform in [0, 1), a multiple of 2^-53, from two 32-bit words."""
    return ((high << 32 | low) >> 11) * 2.0**-53


def poisson_cell(
    key: int, stream: int, cell: int, mean: float, exp_minus_mean: float, start: float, width: float
) -> list[float]:
    """Spike times (ms, ascending, in [start, start + width)) of one cell of a Poisson process.

    The count is drawn by inversion from the first two words of block 0 of the counters (stream, cell, block); the times
    are uniform in the cell, one from the other two words of block 0, then two from each following block. `mean` is
    rate * width, below 8, and `exp_minus_mean` its exp(-mean), handed in because the libraries' exp differ in bits.
    """
    low, high = cell & _WORD, cell >> 32 & _WORD
    words = philox4x32(key, stream, low, high, 0)
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
            words = philox4x32(key, stream, low, high, (k + 1) // 2)
            time = start + width * uniform53(words[0], words[1])
        times.append(time if time < end else math.nextafter(end, start))
    return sorted(times)


def spike_times(plan: StreamPlan, s: int) -> Iterator[float]:
    """All spikes (ms) of stream s of a plan, ascending; most streams never end."""
    width = float(plan.width[s])
    if width == 0.0:
        yield from plan.train_time[plan.train_start[s] : plan.train_stop[s]].tolist()
        return
    mean = float(plan.rate[s]) / 1000.0 * width
    cell = 0
    while True:
        key, index = int(plan.key[s]), int(plan.index[s])
        yield from poisson_cell(key, index, cell, mean, exp(-mean), cell * width, width)
        cell += 1
