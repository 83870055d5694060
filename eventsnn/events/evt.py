"""EVT 2.0 and EVT 3.0, the .raw files of Prophesee's cameras.

Words that are no change of a pixel, such as triggers and measurements, are left out. So is what comes before the first
time, or the first row, in a recording that begins in the middle of a stream.

Sources: docs.prophesee.ai, "EVT 2.0 Format" and "EVT 3.0 Format".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Ints
from eventsnn.events.decoded import Bytes, Decoded, records, unwrapped
from eventsnn.events.prophesee import Header

# The upper four bits of a word. In EVT 2.0 0 and 1 are events, OFF and ON.
EVT2_TIME_HIGH = 8
ADDR_Y, ADDR_Y_OTHER, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH = 0, 1, 2, 3, 4, 5, 6, 8

# Words decoded at a time: what is needed meanwhile stays in the caches, and memory does not grow with the file.
BLOCK = 2**19

# Bits that are set in each number of 12 bits.
BITS = np.array([value.bit_count() for value in range(2**12)], dtype=np.uint8)

UNKNOWN = -(2**40)


def read_evt2(data: Bytes, header: Header) -> Decoded:
    """EVT 2.0: words of 32 bits, the time (28 bits of 64 microseconds) or an event: 6 bits of time, x, y."""
    words = records(data, header.start, "<u4", "word")
    kind = (words >> 28).astype(np.uint8)
    is_time = kind == EVT2_TIME_HIGH
    high = unwrapped(words[is_time] & 0xFFFFFFF, 2**28) << 6
    at = np.flatnonzero(kind <= 1)
    times_before = np.cumsum(is_time)[at]
    first = int(np.searchsorted(times_before, 1))
    at, times_before = at[first:], times_before[first:]
    found = words[at]
    return Decoded(
        high[times_before - 1] + (found >> 22 & 0x3F) + header.t0,
        (found >> 11 & 0x7FF).astype(np.uint16),
        (found & 0x7FF).astype(np.uint16),
        kind[at],
        lambda k: f"byte {header.start + 4 * int(at[k])}",
        header.width,
        header.height,
        2**11,
    )


def read_evt3(data: Bytes, header: Header) -> Decoded:
    """EVT 3.0: words of 16 bits, each of which changes one thing: the time, the row, or the column, which is an event.

    A vector stands for the events of 8 or 12 columns from a base on, which it moves on by its length.
    """
    words = records(data, header.start, "<u2", "word")
    stream = _Stream()
    parts = [stream.decode(words[k : k + BLOCK], k) for k in range(0, words.size, BLOCK)]
    whole = _Part(*(np.concatenate(columns) for columns in zip(stream.decode(words[:0], 0), *parts, strict=True)))
    return Decoded(
        whole.t + header.t0,
        whole.x,
        whole.y,
        whole.p,
        lambda k: f"byte {header.start + 2 * int(whole.word[k])}",
        header.width,
        header.height,
        2**11,
    )


class _Part(NamedTuple):
    """Events of some words: number of the word, t (microseconds), x, y, p."""

    word: Ints
    t: Ints
    x: NDArray[np.int32]
    y: NDArray[np.int16]
    p: NDArray[np.uint8]


class _Stream:
    """What the words so far have left behind: time, row, and the base and polarity of vectors."""

    def __init__(self) -> None:
        self.high = UNKNOWN  # in 4096 microseconds, counted on where the word begins anew
        self.low = 0
        self.row = -1
        self.base = UNKNOWN
        self.base_p = 0

    def decode(self, words: NDArray[np.uint16], first: int) -> _Part:
        """The events of the next words, the first of which has this number."""
        kind = (words >> 12).astype(np.uint8)
        content = words & np.uint16(0xFFF)
        at = np.flatnonzero((kind == ADDR_X) | (kind == VECT_12) | (kind == VECT_8))
        t = self._times(kind, content, at)
        y = self._rows(kind, content, at)
        x = (content[at] & 0x7FF).astype(np.int32)
        p = (content[at] >> 11).astype(np.uint8)
        columns = self._columns(kind, content, at, x, p)
        known = (t >= 0) & (y >= 0) & (x >= 0)
        if columns is None and known.all():
            return _Part(at + first, t, x, y, p)
        columns = np.where(known, 1 if columns is None else columns, 0).astype(np.uint16)
        # Each event word as often as it has columns, and which column that is.
        which = np.repeat(np.arange(at.size), BITS[columns])
        column = np.flatnonzero(np.unpackbits(columns.view(np.uint8), bitorder="little")) % 16
        return _Part(at[which] + first, t[which], x[which] + column.astype(np.int32), y[which], p[which])

    def _times(self, kind: NDArray[np.uint8], content: NDArray[np.uint16], at: Ints) -> Ints:
        """The time of each event, negative before the first."""
        is_time = (kind == TIME_LOW) | (kind == TIME_HIGH)
        found = np.flatnonzero(is_time)
        is_high = kind[found] == TIME_HIGH
        value = content[found].astype(np.int64)
        highs = value[is_high]
        if self.high >= 0:
            highs = unwrapped(np.append(self.high % 2**12, highs), 2**12) + (self.high - self.high % 2**12)
        else:
            highs = np.append(UNKNOWN, unwrapped(highs, 2**12))
        # The lower bits begin anew where the upper ones change, and stay where the same upper ones are said again.
        low = np.append(self.low, np.where(is_high, 0, value))
        says = np.append(True, ~is_high)
        says[1:][is_high] = np.diff(highs) != 0
        low = low[np.maximum.accumulate(np.where(says, np.arange(says.size), 0))]
        time = (highs[np.append(0, np.cumsum(is_high))] << 12) + low
        self.high, self.low = int(highs[-1]), int(low[-1])
        return np.asarray(time[np.cumsum(is_time, dtype=np.int32)[at]])

    def _rows(self, kind: NDArray[np.uint8], content: NDArray[np.uint16], at: Ints) -> NDArray[np.int16]:
        """The row of each event, negative before the first and where it is one of another kind of pixel."""
        is_row = kind <= ADDR_Y_OTHER
        found = np.flatnonzero(is_row)
        row = (content[found] & 0x7FF).astype(np.int16)
        row[kind[found] == ADDR_Y_OTHER] = -1
        rows = np.append(np.int16(self.row), row)
        self.row = int(rows[-1])
        return rows[np.cumsum(is_row, dtype=np.int32)[at]]

    def _columns(
        self, kind: NDArray[np.uint8], content: NDArray[np.uint16], at: Ints, x: NDArray[np.int32], p: NDArray[np.uint8]
    ) -> NDArray[np.uint16] | None:
        """Which columns from x on have an event, as bits, None if it is x alone everywhere; sets x and p of vectors."""
        is_vector = kind[at] != ADDR_X
        vectors = at[is_vector]
        length = np.where(kind[vectors] == VECT_12, 12, 8)
        moved = np.append(0, np.cumsum(length))
        is_base = kind == VECT_BASE_X
        bases = np.flatnonzero(is_base)
        # Bases as if all vectors of these words had moved them on, also those before.
        base = np.append(self.base, (content[bases] & 0x7FF) - moved[np.searchsorted(vectors, bases)])
        base_p = np.append(self.base_p, content[bases] >> 11)
        self.base, self.base_p = int(base[-1] + moved[-1]), int(base_p[-1])
        if not vectors.size:
            return None
        of = np.cumsum(is_base, dtype=np.int32)[vectors]
        x[is_vector] = np.maximum(base[of] + moved[:-1], -1)
        p[is_vector] = base_p[of]
        columns = np.ones(at.size, dtype=np.uint16)
        columns[is_vector] = content[vectors] & np.where(length == 12, 0xFFF, 0xFF).astype(np.uint16)
        return columns
