"""Events as text, a line each (.csv, .txt): columns separated by commas, tabs or spaces.

Names in the first line say which column is what; without them they are t, x, y, p. A name such as x@640 says the width,
as faery has it, and y@480 the height. A name such as t_ms or "time [s]" says the unit of the times, s, ms, us or ns.
Without one whole numbers are microseconds, and numbers with fractions are seconds. A polarity is 1 for ON, 0 or -1 for
OFF.
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

# Microseconds.
UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}

# Beyond this a float64 has no whole microseconds.
MOST_TIME = 2.0**53

# Lines before the first event.
MOST_HEADER = 1000

# Lines that are written at a time.
BLOCK = 2**16


@dataclass
class Layout:
    """How to read the lines: how many to skip, what separates columns (None for white space), which column has t, x, y
    and p, and the unit of t and the size of the sensor, None where they are not said."""

    skipped: int = 0
    separator: str | None = None
    columns: list[int] = field(default_factory=lambda: [0, 1, 2, 3])
    unit: str | None = None
    width: int | None = None
    height: int | None = None


def read_table(path: str) -> Decoded:
    layout = _layout(path)
    t, x, y, p = _loaded(path, layout, _has_point(path, layout.skipped))

    def place(k: int) -> str:
        return f"line {next(itertools.islice(_filled(path, layout), k, None))[0]}"

    unit = layout.unit or _unit(path, layout, t)
    if unit != "us" or t.dtype != np.int64:
        late = ~(np.abs(UNITS[unit] * t) < MOST_TIME)
        if late.any():
            k = int(np.argmax(late))
            raise Damaged(f"event {k} ({place(k)}) has the time {t[k]} {unit}, which is none")
        t = np.rint(UNITS[unit] * t).astype(np.int64)
    unknown = (p > 1) | (p < -1)
    if unknown.any():
        k = int(np.argmax(unknown))
        raise Damaged(f"event {k} ({place(k)}) has the polarity {p[k]}; 1 is ON, 0 or -1 is OFF")
    return Decoded(t, x, y, p > 0, place, layout.width, layout.height)


def _unit(path: str, layout: Layout, t: NDArray[Any]) -> str:
    """The unit of times when the file does not say it."""
    if t.dtype == np.int64:
        return "us"
    with np.errstate(invalid="ignore"):  # what is not finite is refused later
        if (t % 1.0 != 0.0).any():
            return "s"
    if any("." in line.split(layout.separator)[layout.columns[0]] for _, line in _filled(path, layout)):
        raise Damaged(
            "its times have a decimal point but no fraction, and could be seconds as well as microseconds; name the "
            "column t_s or t_us in the first line"
        )
    return "us"


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
        names = [_NAME.fullmatch(_ascii(word)) for word in words]
        named = {key: k for k, name in enumerate(names) for key in NAMES if name and name["name"] in NAMES[key]}
        if len(named) == len(NAMES):
            _take_names(layout, names, named)
        elif content and not is_comment:
            raise Damaged(f"line {layout.skipped} is {content[:60]!r}, neither an event nor names with t, x, y and p")
    return layout


# A name, perhaps with a size (x@640) or a unit (t_us, "t [us]", "t (us)").
_NAME = re.compile(r"(?P<name>[a-z]+)(@(?P<size>\d{1,9})|[ _]*[\[( _](?P<unit>[a-z]+)[\])]?)?")


def _ascii(word: str) -> str:
    """The micro sign, in whatever encoding, as u."""
    return re.sub(r"[^\x00-\x7f]+", "u", word)


def _take_names(layout: Layout, names: list[re.Match[str] | None], named: dict[str, int]) -> None:
    for key, known in NAMES.items():
        if sum(name is not None and name["name"] in known for name in names) > 1:
            raise Damaged(f"line {layout.skipped} names two columns for {key}")
    t, x, y, _ = (names[named[key]] for key in "txyp")
    if t and t["unit"]:
        if t["unit"] not in UNITS:
            raise Damaged(f"line {layout.skipped} says times in {t['unit']!r}; known units are {', '.join(UNITS)}")
        layout.unit = t["unit"]
    layout.columns = [named[key] for key in "txyp"]
    layout.width, layout.height = (int(name["size"]) if name and name["size"] else None for name in (x, y))


def _has_point(path: str, skipped: int) -> bool:
    """Whether there is a decimal point behind the lines that are skipped."""
    with open(path, "rb") as file:
        for _ in range(skipped):
            file.readline()
        return any(b"." in part for part in iter(lambda: file.read(2**20), b""))


def _loaded(path: str, layout: Layout, with_point: bool) -> list[NDArray[Any]]:
    """Columns t, x, y and p: whole numbers, but for t where there is a decimal point somewhere."""
    numbers = np.dtype([("t", np.float64), ("x", np.int64), ("y", np.int64), ("p", np.int64)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a file without events is none to warn of
            warnings.simplefilter("error", DeprecationWarning)  # numpy before 2 takes 1.5 for a whole number
            found: Any = np.loadtxt(
                path,
                dtype=numbers if with_point else np.int64,
                comments=None,
                encoding=_encoding(path),
                delimiter=layout.separator,
                skiprows=layout.skipped,
                usecols=layout.columns,
                ndmin=1 if with_point else 2,
            )
        return [found[name] if with_point else found[:, k] for k, name in enumerate("txyp")]
    except (ValueError, OverflowError, DeprecationWarning) as error:
        whole = r"\s*[-+]?\d{1,18}\s*"
        time = r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*" if with_point else whole
        wanted = list(zip(layout.columns, (time, whole, whole, whole), strict=True))
        for number, line in _filled(path, layout):
            words = line.split(layout.separator)
            if len(words) <= max(layout.columns) or not all(re.fullmatch(kind, words[k]) for k, kind in wanted):
                raise Damaged(
                    f"line {number} is {line[:60]!r}, no event, whose time, x, y and p are numbers, whole ones but for "
                    "the time"
                ) from None
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
