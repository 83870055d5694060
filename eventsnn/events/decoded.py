"""What readers of files hand over, how it becomes Events, and what they share.

A reader takes the bytes of a file and raises Damaged for what it cannot make sense of. It never allocates by a number
that a header gives, only by the size of the file; what it returns is checked here once for all formats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Ints
from eventsnn.base.checks import whole
from eventsnn.base.errors import InputError
from eventsnn.events.event_array import EVENT, MOST_PIXELS
from eventsnn.events.recording import Events

Bytes = NDArray[np.uint8]


# EVENT with times as they come, microseconds.
RAW = np.dtype([("t", np.int64), ("x", np.uint16), ("y", np.uint16), ("p", np.uint8)], align=True)

# What a compressed byte becomes at most: no list of events is shorter than what deflate makes of zeros.
MOST_EXPANSION = 1032

# Times that are converted at a time, within the caches.
BLOCK = 2**16


class Damaged(Exception):
    """A file that cannot be read; its text says what is wrong, and where."""


@dataclass(frozen=True)
class Decoded:
    """The events of a file, in its order.

    Attributes:
        t: microseconds, int64; x, y: whole numbers; p: 1 or True for ON; all of shape (events,).
        place: says where in the file an event stands, such as "byte 80", given its number; None if that is not known.
        width, height: of the sensor, None if the file does not say.
        most: the largest width and height that the format can express.
        raw: where t, x, y and p are fields of one array that is laid out like Events, this array, which becomes them.
    """

    t: Ints
    x: NDArray[Any]
    y: NDArray[Any]
    p: NDArray[Any]
    place: Callable[[int], str] | None
    width: int | None = None
    height: int | None = None
    most: int = MOST_PIXELS
    raw: NDArray[Any] | None = None

    def events(self, path: str | PathLike[str], width: int | None, height: int | None) -> Events:
        """Events of a sensor of the size that the file says, or the arguments, or else that the events span.

        Raises Damaged for a coordinate outside the sensor, a time before that of the event before it, and a size that
        the format cannot express; InputError for arguments that contradict the file.
        """
        columns = self._size(path, "width", self.width, width, self.x)
        rows = self._size(path, "height", self.height, height, self.y)
        for name, values, most in (("x", self.x, columns), ("y", self.y, rows)):
            if values.size and not (values.min() >= 0 and values.max() < most):
                k = int(np.argmax((values < 0) | (values >= most)))
                raise Damaged(
                    f"{self._event(k)} has {name} = {values[k]}, outside of the sensor of {columns} x {rows} pixels"
                )
        falls = self.t[1:] < self.t[:-1]
        if falls.any():
            k = int(np.argmax(falls)) + 1
            raise Damaged(
                f"{self._event(k)} is at {self.t[k] / 1000.0} ms, before the one that precedes it, at "
                f"{self.t[k - 1] / 1000.0} ms"
            )
        data = np.empty(self.t.size, dtype=EVENT) if self.raw is None else self.raw.view(EVENT)
        for start in range(0, self.t.size, BLOCK):
            part = slice(start, start + BLOCK)
            data["t"][part] = self.t[part] / 1000.0
        if self.raw is None:
            data["x"], data["y"], data["p"] = self.x, self.y, self.p
        return Events(data, columns, rows)

    def _event(self, k: int) -> str:
        return f"event {k} ({self.place(k)})" if self.place else f"event {k}"

    def _size(
        self, path: str | PathLike[str], name: str, said: int | None, given: int | None, values: NDArray[Any]
    ) -> int:
        if given is not None:
            given = whole(given, f"{path}: {name}", 1, MOST_PIXELS)
        if said is None:
            return given or min(max(int(values.max(initial=0)) + 1, 1), self.most)
        if not 1 <= said <= self.most:
            raise Damaged(f"the {name} of the sensor is said to be {said}; it must lie in 1 to {self.most} pixels")
        if given is not None and given != said:
            raise InputError(f"{path}: {name} = {given} contradicts the file, which says {said}; leave it out")
        return said


def records(data: Bytes, start: int, dtype: Any, what: str) -> NDArray[Any]:
    """The rest of a file as an array of this type, aligned; Damaged if it ends inside of one."""
    size = np.dtype(dtype).itemsize
    rest = data.size - start
    if rest % size:
        at = data.size - rest % size
        raise Damaged(f"the file ends inside of the {what} at byte {at}; it was cut short or damaged")
    return data[start:].copy().view(dtype)


def unwrapped(counter: NDArray[Any], period: int) -> Ints:
    """A counter that begins anew after each `period`, counted on; a fall by over half of it is such a begin."""
    values = counter.astype(np.int64)
    begins = values[1:] < values[:-1] - period // 2
    if begins.any():
        values[1:] += period * np.cumsum(begins)
    return values


def header_lines(data: Bytes, marker: bytes, end: bytes) -> tuple[list[str], int]:
    """The lines of a header that begin with `marker`, and where the events behind it start.

    It ends behind the line that begins with `end`. Older files have none, and their events may begin with the marker
    by chance: a line with control characters is taken for events.
    """
    lines: list[str] = []
    start = 0
    raw = data[: 2**20].tobytes()
    while raw.startswith(marker, start):
        stop = raw.find(b"\n", start)
        line = raw[start : stop if stop >= 0 else None].rstrip(b"\r")
        if stop < 0 or any(byte < 32 and byte != 9 for byte in line):
            break
        lines.append(line.decode("utf-8", "replace"))
        start = stop + 1
        if line.startswith(end):
            break
    return lines, start
