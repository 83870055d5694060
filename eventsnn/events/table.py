"""Events as text, a line each (.csv, .txt): columns separated by commas, tabs or spaces.

Names in the first line say which column is what; without them they are t, x, y, p. Times are whole microseconds, or
seconds where there is a decimal point. A polarity is 1 for ON, 0 or -1 for OFF. A name such as x@640 says the width, as
faery has it, and y@480 the height.
"""

from __future__ import annotations

import codecs
import itertools
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from eventsnn.events.decoded import Damaged, Decoded
from eventsnn.events.recording import Events

NAMES = {
    "t": ("t", "ts", "time", "timestamp", "timestamps"),
    "x": ("x",),
    "y": ("y",),
    "p": ("p", "pol", "polarity", "on"),
}

# Beyond this a float64 has no whole microseconds.
MOST_TIME = 2.0**53

# Lines before the first event.
MOST_HEADER = 1000

# Lines that are written at a time.
BLOCK = 2**16


@dataclass
class Layout:
    """How to read the lines: how many to skip, what separates columns (None for white space), which column has t, x, y
    and p, and the size of the sensor, None where it is not said."""

    skipped: int = 0
    separator: str | None = None
    columns: list[int] = field(default_factory=lambda: [0, 1, 2, 3])
    width: int | None = None
    height: int | None = None


def read_table(path: str) -> Decoded:
    layout = _layout(path)
    in_seconds = _has_point(path, layout.skipped)
    t, x, y, p = _loaded(path, layout, in_seconds)

    def place(k: int) -> str:
        return f"line {next(itertools.islice(_filled(path, layout), k, None))[0]}"

    if in_seconds:
        late = ~(np.abs(1e6 * t) < MOST_TIME)
        if late.any():
            k = int(np.argmax(late))
            raise Damaged(f"event {k} ({place(k)}) has the time {t[k]} s, which is none")
        t = np.rint(1e6 * t).astype(np.int64)
    unknown = (p > 1) | (p < -1)
    if unknown.any():
        k = int(np.argmax(unknown))
        raise Damaged(f"event {k} ({place(k)}) has the polarity {p[k]}; 1 is ON, 0 or -1 is OFF")
    return Decoded(t, x, y, p > 0, place, layout.width, layout.height)


def _opened(path: str) -> TextIO:
    return open(path, encoding=_encoding(path), errors="replace")


def _encoding(path: str) -> str:
    """Only a mark of UTF-8 at the begin matters, as all that is taken from a file is ASCII."""
    with open(path, "rb") as file:
        return "utf-8-sig" if file.read(3) == codecs.BOM_UTF8 else "latin-1"


def _layout(path: str) -> Layout:
    """What the first lines tell: comments, then perhaps names of the columns, then events."""
    layout = Layout()
    with _opened(path) as file:
        lines = [line.strip() for line in itertools.islice(file, MOST_HEADER)]
    for line in lines:
        content = line.lstrip("#% ")
        is_comment = content != line
        layout.separator = "," if "," in content else None
        if content and not is_comment and re.match(r"[-+.\d]", content):
            break
        layout.skipped += 1
        words = [word.strip().strip("\"'").lower() for word in content.split(layout.separator)]
        named = {key: k for k, word in enumerate(words) for key, names in NAMES.items() if _name(word) in names}
        if len(named) == len(NAMES):
            layout.columns = [named[key] for key in "txyp"]
            layout.width, layout.height = _size(words[named["x"]]), _size(words[named["y"]])
        elif content and not is_comment:
            raise Damaged(f"line {layout.skipped} is {content[:60]!r}, neither an event nor names with t, x, y and p")
    return layout


def _name(word: str) -> str:
    return re.split(r"[^a-z]", word, maxsplit=1)[0]


def _size(word: str) -> int | None:
    said = re.fullmatch(r"[a-z]+@(\d{1,9})", word)
    return int(said[1]) if said else None


def _has_point(path: str, skipped: int) -> bool:
    """Whether there is a decimal point behind the lines that are skipped."""
    with open(path, "rb") as file:
        for _ in range(skipped):
            file.readline()
        return any(b"." in part for part in iter(lambda: file.read(2**20), b""))


def _loaded(path: str, layout: Layout, in_seconds: bool) -> list[NDArray[Any]]:
    """Columns t, x, y and p: whole numbers, but for t in seconds."""
    numbers = np.dtype([("t", np.float64), ("x", np.int64), ("y", np.int64), ("p", np.int64)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a file without events is none to warn of
            warnings.simplefilter("error", DeprecationWarning)  # numpy before 2 takes 1.5 for a whole number
            found: Any = np.loadtxt(
                path,
                dtype=numbers if in_seconds else np.int64,
                comments=None,
                encoding=_encoding(path),
                delimiter=layout.separator,
                skiprows=layout.skipped,
                usecols=layout.columns,
                ndmin=1 if in_seconds else 2,
            )
        return [found[name] if in_seconds else found[:, k] for k, name in enumerate("txyp")]
    except (ValueError, OverflowError, DeprecationWarning) as error:
        whole = r"\s*[-+]?\d{1,18}\s*"
        time = r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*" if in_seconds else whole
        wanted = list(zip(layout.columns, (time, whole, whole, whole), strict=True))
        for number, line in _filled(path, layout):
            words = line.split(layout.separator)
            if len(words) <= max(layout.columns) or not all(re.fullmatch(kind, words[k]) for k, kind in wanted):
                unit = "seconds" if in_seconds else "whole microseconds"
                raise Damaged(f"line {number} is {line[:60]!r}, no event of a time in {unit}, x, y and p") from None
        raise Damaged(str(error)) from None


def _filled(path: str, layout: Layout) -> Iterator[tuple[int, str]]:
    """Number and content of each line that has an event."""
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            if number > layout.skipped and line.strip():
                yield number, line.strip()


def write_table(path: Path, events: Events, t: NDArray[np.int64]) -> None:
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"t,x@{events.width},y@{events.height},on\n")
        for start in range(0, t.size, BLOCK):
            part = slice(start, start + BLOCK)
            columns = (t[part].tolist(), events.x[part].tolist(), events.y[part].tolist(), events.p[part].tolist())
            file.write("".join(map("%d,%d,%d,%d\n".__mod__, zip(*columns, strict=True))))
