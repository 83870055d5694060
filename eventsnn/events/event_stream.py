"""Event Stream 2 (.es) of changes of pixels.

An event is 5 bytes: 7 bits of time since the event before it (microseconds) and one of polarity, then 16 bits each of x
and y. In place of an event a byte 0xFF adds 127 microseconds, and 0xFE says nothing. Rows count from the bottom.

Source: github.com/neuromorphicsystems/event_stream.
"""

from __future__ import annotations

import re
from bisect import bisect_left

import numpy as np

from eventsnn.events.decoded import Bytes, Damaged, Decoded

MAGIC = b"Event Stream"
HEADER = 20
EVENT_BYTES = 5
LATER, NOTHING = 0xFF, 0xFE
LATER_BY = 127
PAUSE = re.compile(rb"[\xfe\xff]*")


def read_es(data: Bytes) -> Decoded:
    if data.size < HEADER:
        raise Damaged(f"the file ends at byte {data.size}, inside of the header of {HEADER} bytes")
    version, kind = int(data[12]), int(data[15])
    if version != 2 or kind != 1:
        raise Damaged(
            f"bytes 12 and 15 say version {version} and type {kind}; version 2 and type 1, changes of pixels, "
            "can be read"
        )
    width, height = data[16:HEADER].copy().view("<u2").tolist()
    body = data[HEADER:]
    begins, counts, later = (np.array(column, dtype=np.int64) for column in _runs(body))
    number = np.arange(counts.sum())
    at = EVENT_BYTES * (number - np.repeat(np.cumsum(counts) - counts, counts)) + np.repeat(begins, counts)
    first = body[at]
    return Decoded(
        np.cumsum(first >> 1, dtype=np.int64) + LATER_BY * np.repeat(np.cumsum(later), counts),
        body[at + 1].astype(np.uint16) | body[at + 2].astype(np.uint16) << 8,
        height - 1 - (body[at + 3].astype(np.int32) | body[at + 4].astype(np.int32) << 8),
        first & 1,
        lambda k: f"byte {HEADER + at[k]}",
        width,
        height,
    )


def _runs(body: Bytes) -> tuple[list[int], list[int], list[int]]:
    """Events that follow one another: where each such run begins, how many they are, and the bytes 0xFF before them.

    Only events say where the next one starts. A run ends at the first byte of at least 0xFE among every fifth from its
    begin, which one binary search finds.
    """
    marks = [(EVENT_BYTES * np.flatnonzero(body[k::EVENT_BYTES] >= NOTHING) + k).data for k in range(EVENT_BYTES)]
    searched = [0] * EVENT_BYTES
    begins, counts, later = [], [], []
    at = 0
    raw = body.tobytes()
    while at < len(raw):
        begin, at = at, PAUSE.match(raw, at).end()  # type: ignore[union-attr]  # it matches nothing as well
        later.append(raw.count(LATER, begin, at))
        phase = at % EVENT_BYTES
        k = searched[phase] = bisect_left(marks[phase], at, searched[phase])
        stop = marks[phase][k] if k < len(marks[phase]) else len(raw)
        begins.append(at)
        counts.append((stop - at) // EVENT_BYTES)
        at = begins[-1] + EVENT_BYTES * counts[-1]
        if at < stop:
            raise Damaged(f"the file ends inside of the event at byte {HEADER + at}; it was cut short or damaged")
    return begins, counts, later
