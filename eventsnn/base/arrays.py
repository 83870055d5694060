"""The arrays that the whole package hands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.checks import as_array
from eventsnn.base.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Ids = NDArray[np.int32]  # of neurons, numbered through the whole network
Bools = NDArray[np.bool_]


def read_only(values: ArrayLike, dtype: type, dimensions: int, what: str) -> NDArray[Any]:
    """A view of what is given that cannot be written to, or an InputError that names `what`."""
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(f"{what} is a masked array, whose mask would be lost; fill it, x.filled(0)")
    try:
        array = as_array(values)
        if array.size == 0 and array.ndim == dimensions:
            array = array.astype(dtype)
        if array.size and array.dtype.kind not in "iuf":
            raise TypeError
        array = np.asarray(array.astype(dtype, casting="same_kind", copy=False)).view()
    except (TypeError, ValueError):
        raise InputError(f"{what} must be an array of {np.dtype(dtype).name}") from None
    if array.ndim != dimensions:
        raise InputError(f"{what} must have {dimensions} dimension{'s' * (dimensions > 1)}, not {array.ndim}")
    array.flags.writeable = False
    return array


def fixed_arrays(item: Any) -> Iterator[NDArray[Any]]:
    """All arrays that cannot be written to, in an object and what it holds."""
    seen: set[int] = set()
    left = [item]
    while left:
        part = left.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, np.ndarray):
            if not part.flags.writeable:
                yield part
        elif isinstance(part, Mapping):
            left += part.values()
        elif isinstance(part, list | tuple):
            left += part
        elif hasattr(part, "__dict__") and not isinstance(part, type):
            left += vars(part).values()
