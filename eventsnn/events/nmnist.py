"""The .bin files of N-MNIST and N-Caltech101: 5 bytes an event, without a header.

A byte each of x and y, one bit of polarity, 23 bits of time (microseconds), the highest first. y = 240 is no event:
from there on times are 2^13 microseconds later.

Source: Orchard, Jayawant, Cohen & Thakor 2015, Frontiers in Neuroscience 9:437, and the data set's reader.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eventsnn.base.arrays import Ints
from eventsnn.events.decoded import Bytes, Decoded, records
from eventsnn.events.recording import Events

LATER = 240
LATER_BY = 2**13

# Times that can be written: 2^23 microseconds.
MOST_TIME = 2**23


RECORD = np.dtype([("x", np.uint8), ("y", np.uint8), ("high", np.uint8), ("low", ">u2")])


def read_nmnist(data: Bytes) -> Decoded:
    found = records(data, 0, RECORD, "event")
    t = (found["high"] & 0x7F).astype(np.int64) << 16 | found["low"]
    later = found["y"] == LATER
    t += LATER_BY * np.cumsum(later)
    at = np.flatnonzero(~later)
    if at.size < found.size:
        found, t = found[at], t[at]
    return Decoded(t, found["x"], found["y"], found["high"] >> 7, lambda k: f"byte {5 * int(at[k])}", most=2**8)


def write_nmnist(path: Path, events: Events, t: Ints) -> None:
    found = np.empty(t.size, dtype=RECORD)
    found["x"], found["y"] = events.x, events.y
    found["high"] = events.p << 7 | (t >> 16).astype(np.uint8)
    found["low"] = t & 0xFFFF
    path.write_bytes(found.tobytes())
