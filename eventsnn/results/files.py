"""What all files of results have in common: SONATA's head, arrays with checksums, and one error for all damage.

A file may come from anywhere. Its SHA-256 is compared before the HDF5 library sees it, which may crash or hang on bytes
that make no sense; and what HDF5 allows but eventsnn does not write is refused, for a small file could make it read
others, or fill the memory: links but hard ones, external and virtual data, filters, and arrays that the file declares
but does not hold.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import h5py
import numpy as np

from eventsnn.base.errors import InputError

SUMMARY = "summary.json"

VERSION = 1
SONATA_MAGIC = 0x0A7A
SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
UNSORTED, BY_TIME = 0, 2
# whatever h5py and the JSON parser make of damaged bytes
DAMAGE = (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, MemoryError, OverflowError)

# Numbers in a chunk of an array that grows: 512 kB; and its rows, if it is a table.
_CHUNK, _ROWS = 65_536, 64
_ESCAPES = str.maketrans({"%": "%25", "/": "%2F", "\0": "%00"})

Content = TypeVar("Content")


def write_head(file: h5py.File) -> None:
    file.attrs["magic"] = np.uint32(SONATA_MAGIC)
    file.attrs["version"] = np.array([0, 1], dtype=np.uint32)


def write_array(group: h5py.Group, name: str, array: np.ndarray, units: str | None = None) -> None:
    # checksums need chunks, which an array without elements cannot have
    dataset = group.create_dataset(name, data=array, fletcher32=array.size > 0)
    if units is not None:
        dataset.attrs["units"] = units


def add_array(group: h5py.Group, name: str, array: np.ndarray, units: str | None = None) -> None:
    """Write an array, or let the one that is there go on with it along its last axis."""
    if name not in group:
        write_array(group, name, array, units)
        return
    held = group[name]
    if held.maxshape[-1] is not None:
        former = held[()]
        del group[name]
        others = array.shape[:-1]
        chunks = (*(min(n, _ROWS) for n in others), _CHUNK // (_ROWS if others else 1))
        held = group.create_dataset(name, data=former, fletcher32=True, maxshape=(*others, None), chunks=chunks)
        if units is not None:
            held.attrs["units"] = units
    before = held.shape[-1]
    held.resize(before + array.shape[-1], axis=array.ndim - 1)
    held[..., before:] = array


class Layout(Exception):
    """A file that can be read but is not laid out as the module says."""


class Altered(Exception):
    """A file whose checksum is another one than when it was saved; the text says where that stands."""


def read_file(path: Path, read: Callable[[Path], Content]) -> Content:
    """read(path), with every way in which a file can be wrong turned into one InputError."""
    if not path.is_file():
        raise InputError(f"{path} is missing, so {path.parent} holds no complete eventsnn result; save or run it again")
    try:
        return read(path)
    except Layout as error:
        raise InputError(f"{path} does not hold what eventsnn writes: {error}; save or run it again") from None
    except Altered as error:
        raise InputError(
            f"{path} is truncated, damaged or altered: its SHA-256 is not the one in {error}; save or run it again"
        ) from None
    except InputError as error:
        raise InputError(f"{path} does not fit {SUMMARY} or was altered: {error}; save or run it again") from None
    except PermissionError:
        raise InputError(f"{path} may not be read; change its permissions") from None
    except DAMAGE:
        raise InputError(f"{path} is truncated, damaged or of another format; save or run it again") from None


def sha256(path: Path, skip: int = 0) -> str:
    """The SHA-256 of a file, but for its first bytes, in hexadecimal digits."""
    digest, block = hashlib.sha256(), bytearray(2**20)
    with path.open("rb", buffering=0) as file:
        file.seek(skip)
        while size := file.readinto(block):
            digest.update(memoryview(block)[:size])
    return digest.hexdigest()


def read_group(group: h5py.Group, name: str) -> h5py.Group:
    member = _member(group, name)
    if not isinstance(member, h5py.Group):
        raise Layout(f"{group.name} has no group {name!r}")
    return member


def read_array(group: h5py.Group, name: str, dtype: type) -> np.ndarray:
    dataset = _member(group, name)
    if not isinstance(dataset, h5py.Dataset):
        raise Layout(f"{group.name} has no dataset {name!r}")
    path = dataset.name
    if dataset.dtype != dtype:
        raise Layout(f"{path} is {dataset.dtype}, it must be {np.dtype(dtype).name}")
    _require_plain(dataset.id.get_create_plist(), path)
    if dataset.size is None:
        raise Layout(f"{path} has no elements, not even none")
    size = dataset.size * dataset.dtype.itemsize
    held = min(dataset.file.id.get_filesize(), dataset.id.get_storage_size())
    if size > held:
        raise Layout(f"{path} is to have {size:,} bytes, of which the file holds {held:,}")
    return np.asarray(dataset[()])


def _require_plain(created: h5py.h5p.PropDCID, path: str) -> None:
    """Refuse data that lie in other files, and filters but the checksums that eventsnn writes."""
    if created.get_layout() == h5py.h5d.VIRTUAL:
        raise Layout(f"{path} is a virtual dataset, whose data lie in other files")
    if created.get_external_count():
        raise Layout(f"the data of {path} lie in an external file")
    filters = [created.get_filter(k) for k in range(created.get_nfilters())]
    for code, *_, name in filters:
        if code != h5py.h5z.FILTER_FLETCHER32:
            known = name.decode("utf-8", "replace") or code
            raise Layout(f"{path} has the filter {known!r}, only fletcher32 is written")


def _member(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
    """What is under this name in the group itself; None if nothing is."""
    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        kind = {h5py.SoftLink: "a soft", h5py.ExternalLink: "an external"}.get(type(link), "another kind of")
        raise Layout(f"{name!r} in {group.name} is {kind} link, only hard links are written")
    return group[name]


def escape(name: str) -> str:
    """A name as HDF5 can have it."""
    escaped = name.translate(_ESCAPES)
    return escaped.replace(".", "%2E") if escaped in (".", "..") else escaped


def unescape(name: str) -> str:
    """The name that was escaped."""
    return unquote(name)


def plain(value: Any) -> Any:
    """`value` in the types of JSON. What has no equivalent is written as text: a finished run is never lost for it."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | range):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
