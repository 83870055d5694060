"""Files of events: which format one has, reading and writing.

| suffix | format | read by | written by |
|---|---|---|---|
| .aedat4 | AEDAT 4 | faery | faery |
| .aedat | AEDAT 2.0, AEDAT 3.1 | eventsnn | eventsnn, 3.1 |
| .raw | EVT 2.0, EVT 3.0 | eventsnn | faery |
| .dat | DAT 2 | eventsnn | faery |
| .es | Event Stream 2 | eventsnn | faery |
| .hdf5, .h5 | Prophesee's, also compressed by ECF | eventsnn, h5py | h5py |
| .bin | N-MNIST, N-Caltech101 | eventsnn | eventsnn |
| .csv, .txt | text | eventsnn, numpy | eventsnn |

faery reads more of them, but takes a file that was cut short for a whole one and a time that runs backwards for the one
before it, and refuses the older kind of DAT that N-CARS has.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.errors import InputError
from eventsnn.base.paths import as_path, existing, replacing, require_free
from eventsnn.events import aedat, event_stream, evt, hdf5, nmnist, prophesee, table
from eventsnn.events.decoded import Bytes, Damaged, Decoded
from eventsnn.events.foreign import faery, read_foreign
from eventsnn.events.recording import Events

READABLE = "AEDAT4, AEDAT 3.1 and 2.0, EVT 2.0 and 3.0, DAT, Event Stream, Prophesee's HDF5, N-MNIST's .bin and .csv"

BEGINNING = 2**16


def read(path: str | os.PathLike[str], width: int | None = None, height: int | None = None) -> Events:
    """Events of a file: AEDAT4, AEDAT 3.1 and 2.0, EVT 2.0 and 3.0, DAT, Event Stream (.es), Prophesee's HDF5, the .bin
    files of N-MNIST and N-Caltech101, and text (.csv).

    What it is shows in its first bytes; a .bin and text have nothing there, so their suffix counts. Times are those of
    the file, its microseconds / 1000, and y counts from the top whatever the file does. The size of the sensor is what
    the file says, or else width and height, or else the largest coordinates + 1.

    Raises InputError, naming the byte or the event, for a file that is cut short or damaged, of another kind, or holds
    times that run backwards or coordinates outside the sensor, and for a size that contradicts the file. AEDAT4 needs
    faery: pip install "eventsnn[dvs]".
    """
    file = existing(path, "the recording")
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            kind = _kind(opened.read(BEGINNING), file.suffix.lower())
        if kind in ("aedat4", "hdf5"):
            decoded = read_foreign(kind, str(file), size)
        elif kind == "table":
            decoded = table.read_table(str(file))
        else:
            decoded = decode(kind, np.fromfile(file, dtype=np.uint8))
        return decoded.events(path, width, height)
    except Damaged as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def decode(kind: str, data: Bytes) -> Decoded:
    """The events in the bytes of a file of this kind; Damaged if there is no sense in them."""
    if kind == "dat":
        return prophesee.read_dat(data, prophesee.Header(data))
    if kind == "evt":
        header = prophesee.Header(data)
        if header.version == "2.0":
            return evt.read_evt2(data, header)
        if header.version == "3.0":
            return evt.read_evt3(data, header)
        raise Damaged(f"it is of version {header.version!r} of EVT; 2.0 and 3.0 can be read")
    readers: dict[str, Callable[[Bytes], Decoded]] = {
        "aedat2": aedat.read_aedat2,
        "aedat3": aedat.read_aedat3,
        "es": event_stream.read_es,
        "nmnist": nmnist.read_nmnist,
    }
    return readers[kind](data)


def _kind(beginning: bytes, suffix: str) -> str:
    """The kind of a file by its first bytes, or else its suffix."""
    if not beginning:
        raise Damaged("the file is empty")
    for magic, kind in (
        (b"#!AER-DAT4.0", "aedat4"),
        (b"#!AER-DAT3.1", "aedat3"),
        (b"#!AER-DAT2.0", "aedat2"),
        (event_stream.MAGIC, "es"),
        (b"\x89HDF\r\n\x1a\n", "hdf5"),
    ):
        if beginning.startswith(magic):
            return kind
    if beginning.startswith(b"#!AER-DAT"):
        raise Damaged(f"it is of version {beginning[9:12].decode('latin-1')!r} of AEDAT; 4.0, 3.1 and 2.0 can be read")
    if beginning.startswith(b"% "):
        header = prophesee.Header(np.frombuffer(beginning, dtype=np.uint8))
        if header.evt or header.is_dat:
            return "evt" if header.evt else "dat"
    kinds = {".bin": "nmnist", ".csv": "table", ".txt": "table"}
    if suffix not in kinds:
        raise Damaged(f"it begins like no known kind of file of events; {READABLE} can be read")
    return kinds[suffix]


class Format(NamedTuple):
    """What a format that is written can hold, and how it is written.

    Attributes: pixels, the most that a row and a column have; least, most: times (microseconds); write: takes a path,
    events and their times in whole microseconds.
    """

    pixels: tuple[int, int]
    least: int
    most: int
    write: Callable[[Path, Events, NDArray[np.int64]], None]


def _by_faery(**options: str) -> Callable[[Path, Events, NDArray[np.int64]], None]:
    def write_by_faery(path: Path, events: Events, t: NDArray[np.int64]) -> None:
        module = faery(f"writing {path.suffix}")
        data = np.empty(t.size, dtype=module.EVENTS_DTYPE)
        data["t"], data["x"], data["y"], data["on"] = t, events.x, events.y, events.p
        stream: Any = module.events_stream_from_array(data, (events.width, events.height))
        stream.to_file(path, zero_t0=False, **options)

    return write_by_faery


_TABLE = Format((2**16, 2**16), -(2**53), 2**53, table.write_table)
_HDF5 = Format((2**16, 2**16), -(2**53), 2**53, hdf5.write_hdf5)

# EVT and Event Stream fill time that passes without events, also that before the first, with words: 128 MB at most.
FORMATS = {
    (".aedat4", None): Format((2**15, 2**15), 0, 2**53, _by_faery()),
    (".aedat", None): Format((2**15, 2**15), 0, 2**53, aedat.write_aedat3),
    (".raw", "evt2"): Format((2**11, 2**11), 0, 2**51, _by_faery(version="evt2")),
    (".raw", "evt3"): Format((2**11, 2**11), 0, 2**48, _by_faery(version="evt3")),
    (".dat", None): Format((2**14, 2**14), 0, 2**32, _by_faery(version="dat2")),
    (".es", None): Format((2**16 - 1, 2**16 - 1), 0, 2**34, _by_faery()),
    (".hdf5", None): _HDF5,
    (".h5", None): _HDF5,
    (".bin", None): Format((2**8, nmnist.LATER), 0, nmnist.MOST_TIME, nmnist.write_nmnist),
    (".csv", None): _TABLE,
    (".txt", None): _TABLE,
}


def write(events: Events, path: str | os.PathLike[str], force: bool = False, version: str | None = None) -> None:
    """Write events into a file, complete or not at all, in the format that its suffix names.

    .aedat4, .raw (version "evt3" or "evt2"), .dat and .es need faery: pip install "eventsnn[dvs]". .aedat (3.1), .hdf5,
    .h5, .bin (of N-MNIST), .csv and .txt do not. Times are rounded to whole microseconds, which is what these formats
    have. .aedat and .bin have no place for the size of the sensor, which has to be given to `read` again.

    Raises InputError for another suffix or version, for events that the format cannot hold, for a missing faery, and if
    the file exists already, unless force=True, or cannot be written.
    """
    if not isinstance(events, Events):
        raise InputError(f"write: {type(events).__name__} is not Events; events.Events.of makes them of arrays")
    target = as_path(path, "the recording")
    suffix = target.suffix.lower()
    known = {name: form for (ending, name), form in FORMATS.items() if ending == suffix}
    if not known:
        endings = ", ".join(dict.fromkeys(ending for ending, _ in FORMATS))
        raise InputError(f"{path}: the suffix {suffix!r} names no format that is written; known are {endings}")
    if version is None:
        version = list(known)[-1]
    if not isinstance(version, str | None) or version not in known:
        names = ", ".join(repr(name) for name in known if name)
        there_is = f"known are {names}" if names else "this format has only one, leave it out"
        raise InputError(f"{path}: version = {version!r} is none of {suffix}; {there_is}")
    form = known[version]
    require_free(target, "the recording", force)
    if suffix == ".bin" and not len(events):
        raise InputError(
            f"{path}: a .bin without events is an empty file, which is no recording; choose another suffix"
        )
    t = _microseconds(events, target, form)
    with replacing(target, "the recording", force) as staging:
        try:
            form.write(staging, events, t)
        except RuntimeError as error:
            raise InputError(f"the recording {target} cannot be written: {error}") from None
        finally:
            staging.with_name(f"{staging.name}.write").unlink(missing_ok=True)  # of faery


def _microseconds(events: Events, path: str | os.PathLike[str], form: Format) -> NDArray[np.int64]:
    """The times as the file has them, if it can hold the events."""
    width, height = form.pixels
    if events.width > width or events.height > height:
        raise InputError(
            f"{path}: a sensor of {events.width} x {events.height} pixels does not fit this format, which holds up to "
            f"{width} x {height}; crop or downsample the events, or choose another suffix"
        )
    t = np.rint(1000.0 * events.t)
    if t.size and not (t[0] >= form.least and t[-1] < form.most):
        raise InputError(
            f"{path}: times from {events.t[0]} to {events.t[-1]} ms do not fit this format, which holds "
            f"{form.least / 1000.0:g} to {form.most / 1000.0:g} ms; choose another suffix, or write "
            "Events.of(events.t - events.t[0], ...)"
        )
    return t.astype(np.int64)
