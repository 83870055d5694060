"""Readers of other projects, run in a process of their own: HDF5, and faery for AEDAT4.

On damaged files these can stop the whole process (faery 0.7.1 aborts on about one in forty AEDAT4 files with some bytes
changed) or take gigabytes and many seconds (HDF5 2.0 for a damaged string, one file in a thousand). The process sends
what it finds through a pipe; its time is bounded, and its memory where the platform can do so.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.errors import InputError
from eventsnn.events.decoded import MOST_EXPANSION, RAW, Damaged, Decoded
from eventsnn.events.hdf5 import read_hdf5

# Of the process, in bytes; it holds some blocks of events.
MEMORY = 2 * 2**30

# Seconds, and bytes of the file in each second beyond them: a hundredth of what is usual.
PATIENCE, PACE = 30.0, 10**6

# The empty entry would be the folder in which the process happens to run.
PROGRAM = "import sys; sys.path = [p for p in sys.path if p]; from eventsnn.events import foreign; foreign.send()"


def faery(what: str) -> Any:
    """The module faery, or an InputError that says how to install it."""
    try:
        return importlib.import_module("faery")
    except ImportError:
        raise InputError(f'{what} needs faery; install it with: pip install "eventsnn[dvs]"') from None


def read_foreign(kind: str, path: str, size: int) -> Decoded:
    """The events of a file of this kind, hdf5 or aedat4, and size in bytes; Damaged if its reader fails, however.

    Raises InputError where faery is needed and not installed.
    """
    if kind == "aedat4" and importlib.util.find_spec("faery") is None:
        faery(f"{path}: reading AEDAT4")
    # What can be imported here can be imported there, wherever it was found.
    paths = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    environment = {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, kind, path]
    most = MOST_EXPANSION * size
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment) as process,
    ):
        timer = threading.Timer(PATIENCE + size / PACE, process.kill)
        timer.start()
        try:
            head, raw = _received(process.stdout, most)
            if len(raw) > most:
                raise Damaged(f"it expands to more than {MOST_EXPANSION} times its size")
            code = process.wait()
        finally:
            timer.cancel()
            process.kill()
        if code != 0 or not head:
            errors.seek(0)
            raise Damaged(f"its reader stopped after {len(raw) // RAW.itemsize} events: {_reason(code, errors.read())}")
    known = json.loads(head)
    found = np.frombuffer(raw, dtype=RAW)
    width, height = known["width"], known["height"]
    return Decoded(found["t"], found["x"], found["y"], found["p"], None, width, height, raw=found)


def _received(stream: IO[bytes] | None, most: int) -> tuple[bytes, bytearray]:
    """The first line and what follows, up to somewhat more than `most` bytes."""
    raw = bytearray()
    head = stream.readline(1000) if stream else b""
    while stream and len(raw) <= most and (part := stream.read(2**20)):
        raw += part
    return head, raw


def _reason(code: int, errors: bytes) -> str:
    if code < 0:
        return f"signal {-code}"
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines and code == 1 else f"code {code}"


def send() -> None:
    """What the process does: write the size of the sensor as a line of JSON to the standard output, then all events."""
    _bound_memory()
    kind, path = sys.argv[1:3]
    try:
        out = sys.stdout.buffer
        width, height, blocks = _aedat4(path) if kind == "aedat4" else read_hdf5(path)
        out.write(json.dumps({"width": width, "height": height}).encode() + b"\n")
        for t, x, y, p in blocks:
            found: NDArray[Any] = np.empty(t.size, dtype=RAW)
            found["t"], found["x"], found["y"], found["p"] = t, x, y, p
            out.write(found.tobytes())
            out.flush()
    except BaseException as error:  # a panic of faery is no Exception
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr, flush=True)
        os._exit(1)


def _bound_memory() -> None:
    try:
        resource: Any = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, OSError, ValueError):
        pass  # Windows has no such bound, and macOS does not keep to it


def _aedat4(path: str) -> tuple[int | None, int | None, Iterator[Any]]:
    stream = faery("AEDAT4").events_stream_from_file(path, file_type="aedat")
    width, height = stream.dimensions()
    return width, height, ((part["t"], part["x"], part["y"], part["on"]) for part in stream)
