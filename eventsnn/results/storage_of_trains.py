"""Trains on disk: one HDF5 file in the SONATA layout (see storage.py), of a population called "trains":

/spikes/trains                   attributes format = "eventsnn trains", version = 1, shape, duration (ms)
/spikes/trains/timestamps        float64, sorted within each sample, attribute units = "ms"
/spikes/trains/node_ids          uint64, channel
/spikes/trains/offsets           int64, sample k has the spikes offsets[k]:offsets[k + 1]

It is sealed as "eventsnn trains" (sealed.py); a file whose bytes are others is refused. One that begins at once as an
HDF5 file, as other programs write it, has no such checksum, and none is compared.
"""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np

from eventsnn.base.errors import InputError
from eventsnn.base.paths import as_path, existing, replacing
from eventsnn.results.files import (
    BY_TIME,
    SORTING,
    UNSORTED,
    VERSION,
    Layout,
    read_array,
    read_file,
    read_group,
    sha256,
    write_array,
    write_head,
)
from eventsnn.results.sampled_spikes import SampledSpikes
from eventsnn.results.sealed import BLOCK, first_block, require_seal

_TRAINS_FORMAT = "eventsnn trains"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def save_trains(trains: SampledSpikes, path: str | os.PathLike[str], force: bool = False) -> None:
    """Write `trains` into an HDF5 file, complete or not at all; see the module for the layout.

    Raises InputError if the file exists already, unless force=True, or cannot be written.
    """
    what = "the file of spike trains"
    with replacing(as_path(path, what), what, force) as staging:
        _write(trains, staging)
        block = first_block(_TRAINS_FORMAT, sha256(staging, BLOCK))
        with staging.open("r+b") as raw:
            raw.write(block)


def _write(trains: SampledSpikes, path: Path) -> None:
    with h5py.File(path, "w", userblock_size=BLOCK) as file:
        write_head(file)
        group = file.create_group("spikes/trains")
        shape = np.array(trains.shape, dtype=np.int64)
        group.attrs.update({"format": _TRAINS_FORMAT, "version": VERSION, "duration": trains.duration, "shape": shape})
        group.attrs.create("sorting", BY_TIME if len(trains) == 1 else UNSORTED, dtype=SORTING)
        write_array(group, "timestamps", trains.times, "ms")
        write_array(group, "node_ids", trains.ids.astype(np.uint64))
        write_array(group, "offsets", trains.offsets)


def read_trains(path: str | os.PathLike[str]) -> SampledSpikes:
    """What `save_trains` wrote.

    Raises InputError, naming the file, if it is missing, damaged or of another origin.
    """
    return read_file(existing(path, "the file of spike trains"), _read_trains)


def _read_trains(path: Path) -> SampledSpikes:
    with path.open("rb") as raw:
        first = raw.read(BLOCK)
    if not first.startswith(_SIGNATURE):
        if not first.startswith(_TRAINS_FORMAT.encode()):
            raise Layout(f"it begins neither with {_TRAINS_FORMAT!r} nor as an HDF5 file")
        require_seal(path, _TRAINS_FORMAT)
    with h5py.File(path, "r") as file:
        group = read_group(read_group(file, "spikes"), "trains")
        if group.attrs.get("format") != _TRAINS_FORMAT:
            raise Layout(f"its format is not {_TRAINS_FORMAT!r}")
        shape = tuple(int(length) for length in group.attrs["shape"])
        ids = read_array(group, "node_ids", np.uint64)
        if min(shape, default=0) < 0 or ids.max(initial=0) >= 2**31:
            raise Layout(f"shape {shape} or node_ids up to {ids.max(initial=0)} are out of range")
        times, offsets = read_array(group, "timestamps", np.float64), read_array(group, "offsets", np.int64)
        try:
            return SampledSpikes(times, ids.astype(np.int32), offsets, shape, float(group.attrs["duration"]))
        except InputError as error:
            raise Layout(str(error)) from None
