"""ECF, the compression of Prophesee's HDF5 files (HDF5 filter 36559), decoded a chunk at a time.

A chunk, little-endian: 32 bits (number of events << 2 | how the pixels are packed), 64 bits of the first time
(microseconds), the times, then the pixels.

- Times are bytes: a step of 0 to 14 in the upper 4 bits and in the lower ones how many events then come at once. 15 for
  these says that the number stands in the next 2 bytes. An upper 15 is a digit of 4 bits, the lowest first, of a longer
  step, which ends with the next byte that is none.
- Rows are words of 16 bits, the row in 11 and in 5 how many events have it, where 31 says that the next word holds the
  number. Columns are words too, a column in 11 bits and in 5 which of the next five columns have an event as well.
  Polarities are bytes, 1 bit and in 7 how many events have it, where 127 says that the next 2 bytes hold the number.
- In its place columns and polarities may be packed into 12 bits each, four in three words of 16, or rows with them into
  24 bits, four in three words of 32.

Source: github.com/prophesee-ai/hdf5_ecf, whose decoder defines the format.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Ints
from eventsnn.events.decoded import Damaged

FILTER = 36559
MOST_EVENTS = 2**16 - 1

# For each number of 5 bits which of a column and the five behind it have an event: always the first, then bit 4 to 0.
COLUMNS = np.array([[True] + [bool(bits >> bit & 1) for bit in (4, 3, 2, 1, 0)] for bits in range(32)])


class Runs(NamedTuple):
    """Units that say how many events have a value: their positions, the numbers, and where the next field starts."""

    at: Ints
    counts: Ints
    stop: int


def decode(chunk: bytes) -> tuple[Ints, Ints, Ints, Ints]:
    """Times (microseconds), columns, rows and polarities of a chunk; Damaged if its parts do not fit each other."""
    if len(chunk) < 12:
        raise Damaged(f"a chunk of {len(chunk)} bytes is too short")
    info = int.from_bytes(chunk[:4], "little")
    n = info >> 2
    if n > MOST_EVENTS:
        raise Damaged(f"a chunk says that it has {n} events, of which {MOST_EVENTS} are allowed")
    if n == 0:
        return (np.empty(0, np.int64),) * 4
    t, start = _times(chunk, n)
    if info & 2:
        pixel = _packed(chunk, start, n, 32)
        return t, pixel >> 1 & 0x7FF, pixel >> 12 & 0x7FF, pixel & 1
    words = _units(chunk, start, "<u2")
    rows = _runs(words, words & 31, words & 31 == 31, 1, n)
    y = np.repeat(words[rows.at].astype(np.int64) >> 5, rows.counts)
    start += 2 * rows.stop
    if info & 1:
        pixel = _packed(chunk, start, n, 16)
        return t, pixel >> 1, y, pixel & 1
    x, used = _columns(_units(chunk, start, "<u2"), n)
    signs = _units(chunk, start + 2 * used, "u1")
    of = _runs(signs, signs & 127, signs & 127 == 127, 2, n)
    return t, x, y, np.repeat(signs[of.at].astype(np.int64) >> 7, of.counts)


def _units(chunk: bytes, start: int, dtype: str) -> NDArray[Any]:
    count = max(len(chunk) - start, 0) // np.dtype(dtype).itemsize
    return np.frombuffer(chunk, dtype=dtype, count=count, offset=min(start, len(chunk)))


def _times(chunk: bytes, n: int) -> tuple[Ints, int]:
    units = _units(chunk, 12, "u1")
    upper, lower = units >> 4, units & 15
    digit = upper == 15
    runs = _runs(units, np.where(digit, 0, lower), (lower == 15) & ~digit, 2, n)
    is_digit = digit[runs.at]
    # Digits are numbered from the last unit that is none.
    number = np.arange(runs.at.size)
    place = number - np.maximum.accumulate(np.where(is_digit, -1, number)) - 1
    if (place > 15).any():
        raise Damaged("a chunk has a step of time of more than 64 bits")
    digits = lower[runs.at].astype(np.uint64) << (4 * np.maximum(place, 0)).astype(np.uint64)
    steps = np.where(is_digit, digits, upper[runs.at])
    first = np.frombuffer(chunk, dtype="<u8", count=1, offset=4)
    times = (first + np.cumsum(steps, dtype=np.uint64)).view(np.int64)
    return np.repeat(times, runs.counts), 12 + runs.stop


def _runs(units: NDArray[Any], short: NDArray[Any], is_long: NDArray[np.bool_], wide: int, n: int) -> Runs:
    """The units up to the one with which there are n events; of those that are long the next `wide` are the number."""
    counts = short.astype(np.int64)
    counts[is_long] = 0
    said = np.append(0, np.cumsum(counts))
    of_value = np.ones(units.size, dtype=np.bool_)
    events, counted, free = 0, 0, 0
    # Only what the long ones say tells which of the units behind are numbers, so these are followed one by one.
    for k in np.flatnonzero(is_long).tolist():
        if k < free:
            continue
        events += int(said[k]) - counted
        if events >= n or k + wide >= units.size:
            break
        free = k + 1 + wide
        counts[k] = int.from_bytes(units[k + 1 : free].tobytes(), "little")
        counts[k + 1 : free] = 0
        of_value[k + 1 : free] = False
        events += int(counts[k])
        counted = int(said[free])
    total = np.cumsum(counts)
    last = int(np.searchsorted(total, n))
    if last == total.size or total[last] != n:
        raise Damaged(f"the runs of a chunk of {n} events do not add up to them")
    at = np.flatnonzero(of_value[: last + 1])
    stop = last + 1 + (wide if is_long[last] else 0)
    return Runs(at, counts[at], stop)


def _columns(words: NDArray[np.uint16], n: int) -> tuple[Ints, int]:
    """Columns of n events, and how many words they take; the last may have columns beyond, which mean nothing."""
    columns = COLUMNS[words & 31]
    total = np.cumsum(columns.sum(axis=1))
    last = int(np.searchsorted(total, n))
    if last == total.size:
        raise Damaged(f"a chunk of {n} events has only {int(total[-1]) if total.size else 0} columns")
    word, step = np.nonzero(columns[: last + 1])
    return (words[word[:n]] >> 5).astype(np.int64) + step[:n], last + 1


def _packed(chunk: bytes, start: int, n: int, bits: int) -> Ints:
    """n numbers of 3/4 of so many bits, four of them in three words, each filled from its upper end."""
    words = _units(chunk, start, f"<u{bits // 8}").astype(np.int64)
    groups = -(-n // 4)
    if words.size < 3 * groups:
        raise Damaged(f"a chunk of {n} events ends before their pixels")
    a, b, c = words[: 3 * groups].reshape(groups, 3).T
    part = bits // 4
    one, two, three = (1 << part) - 1, (1 << 2 * part) - 1, (1 << 3 * part) - 1
    four = [a >> part, a & one | b >> 2 * part << part, b & two | c >> 3 * part << 2 * part, c & three]
    return np.stack(four, axis=1).ravel()[:n]
