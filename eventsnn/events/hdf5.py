"""Prophesee's HDF5 files: a dataset /CD/events with the fields x, y, p and t (microseconds); an attribute of the file,
geometry = "1280x720", is the size of the sensor.

Compression that HDF5 knows is left to it, ECF is decoded here, since there is no filter of it to be had.

Source: docs.prophesee.ai, "HDF5 File Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from eventsnn.events import ecf
from eventsnn.events.decoded import MOST_EXPANSION, Damaged
from eventsnn.events.recording import Events

EVENTS = "CD/events"
FIELDS = np.dtype([("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")])

# Events of a chunk that is written, and of a block that is read.
CHUNK = 2**14
BLOCK = 2**20

Block = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


def read_hdf5(path: str) -> tuple[int | None, int | None, Iterator[Block]]:
    """Width and height, None if the file does not say, and times (microseconds), x, y and p, some events at a time."""
    file = h5py.File(path, "r")
    dataset = file.get(EVENTS)
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 1 or not set("xypt") <= set(dataset.dtype.names or ()):
        raise Damaged(f"it has no dataset /{EVENTS} with the fields x, y, p and t")
    for name in "xypt":
        if dataset.dtype[name].kind not in "iu":
            raise Damaged(f"the field {name} of /{EVENTS} has the type {dataset.dtype[name]}; whole numbers are needed")
    stored = dataset.id.get_storage_size()
    if dataset.size * FIELDS.itemsize > MOST_EXPANSION * stored or dataset.external:
        raise Damaged(f"/{EVENTS} says that it has {dataset.size} events, but {stored} bytes of them are in the file")
    geometry = file.attrs.get("geometry", "")
    said = geometry.decode("latin-1") if isinstance(geometry, bytes) else str(geometry)
    size = re.fullmatch(r"(\d{1,9})x(\d{1,9})", said)
    width, height = (int(size[1]), int(size[2])) if size else (None, None)
    filters = dataset.id.get_create_plist()
    names = [filters.get_filter(k)[0] for k in range(filters.get_nfilters())]
    if ecf.FILTER not in names:
        return width, height, _plain(dataset)
    if names != [ecf.FILTER]:
        raise Damaged(f"/{EVENTS} is compressed by ECF and by other filters, {names}; only ECF alone can be read")
    return width, height, _ecf(dataset)


def _plain(dataset: h5py.Dataset) -> Iterator[Block]:
    for start in range(0, dataset.size, BLOCK):
        yield _fields(dataset[start : start + BLOCK])


def _fields(part: NDArray[Any]) -> Block:
    return part["t"], part["x"], part["y"], part["p"] > 0


def _ecf(dataset: h5py.Dataset) -> Iterator[Block]:
    length = dataset.chunks[0]
    for start in range(0, dataset.size, length):
        n = min(length, dataset.size - start)
        skipped, raw = dataset.id.read_direct_chunk((start,))
        try:
            block = _fields(np.frombuffer(raw, dtype=dataset.dtype)) if skipped else ecf.decode(raw)
        except (Damaged, ValueError) as error:
            raise Damaged(f"/{EVENTS}, events from {start}: {error}") from None
        if block[0].size < n:
            raise Damaged(f"/{EVENTS}, events from {start}: the chunk has {block[0].size} events in place of {n}")
        t, x, y, p = (column[:n] for column in block)
        yield t, x, y, p


def write_hdf5(path: Path, events: Events, t: NDArray[np.int64]) -> None:
    """Write the layout that is read, uncompressed."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"version": "1.0", "geometry": f"{events.width}x{events.height}"})
        dataset = file.create_dataset(
            EVENTS, shape=t.shape, dtype=FIELDS, chunks=(min(CHUNK, max(t.size, 1)),), maxshape=(None,)
        )
        for start in range(0, t.size, BLOCK):
            part = slice(start, start + BLOCK)
            found = np.empty(t[part].size, dtype=FIELDS)
            found["t"], found["x"], found["y"], found["p"] = t[part], events.x[part], events.y[part], events.p[part]
            dataset[part] = found
