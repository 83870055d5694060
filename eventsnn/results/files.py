"""What all files of results have in common: SONATA's head, arrays with checksums, and one error for all damage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

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

Content = TypeVar("Content")


def write_head(file: h5py.File) -> None:
    file.attrs["magic"] = np.uint32(SONATA_MAGIC)
    file.attrs["version"] = np.array([0, 1], dtype=np.uint32)


def write_array(group: h5py.Group, name: str, array: np.ndarray, units: str | None = None) -> None:
    # checksums need chunks, which an array without elements cannot have
    dataset = group.create_dataset(name, data=array, fletcher32=array.size > 0)
    if units is not None:
        dataset.attrs["units"] = units


class Layout(Exception):
    """A file that can be read but is not laid out as the module says."""


def read_file(path: Path, read: Callable[[Path], Content]) -> Content:
    """read(path), with every way in which a file can be wrong turned into one InputError."""
    if not path.is_file():
        raise InputError(f"{path} is missing, so {path.parent} holds no complete eventsnn result; save or run it again")
    try:
        return read(path)
    except Layout as error:
        raise InputError(f"{path} does not hold what eventsnn writes: {error}; save or run it again") from None
    except InputError as error:
        raise InputError(f"{path} does not fit {SUMMARY} or was altered: {error}; save or run it again") from None
    except PermissionError:
        raise InputError(f"{path} may not be read; change its permissions") from None
    except DAMAGE:
        raise InputError(f"{path} is truncated, damaged or of another format; save or run it again") from None


def read_array(group: h5py.Group, name: str, dtype: type) -> np.ndarray:
    if name not in group or not isinstance(group[name], h5py.Dataset):
        raise Layout(f"{group.name} has no dataset {name!r}")
    if group[name].dtype != dtype:
        raise Layout(f"{group.name}/{name} is {group[name].dtype}, it must be {np.dtype(dtype).name}")
    return np.asarray(group[name][()])
