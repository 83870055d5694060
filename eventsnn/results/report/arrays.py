"""Arrays within a page: their bytes by place, compressed, as base64.

First the lowest byte of every element, then the next of every element and so on: the high bytes of small numbers are
all zero, and those of numbers that change slowly hardly change. `unpack` in view.js is the inverse.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray


class Packed(TypedDict):
    """An array in the JSON of a page. type: "u4", "f4" or "f8", as in NumPy."""

    type: str
    data: str


def packed(array: NDArray[Any], kind: str) -> Packed:
    """A one-dimensional array as `kind`: u4 (unsigned), f4 or f8 (floats)."""
    return {"type": kind, "data": base64.b64encode(compressed(array, kind)).decode("ascii")}


def compressed(array: NDArray[Any], kind: str) -> bytes:
    """The bytes of `packed` before base64, which makes 4 of every 3."""
    plain = np.ascontiguousarray(array, dtype=f"<{kind}")
    places = plain.view(np.uint8).reshape(plain.size, plain.itemsize).T
    return zlib.compress(places.tobytes())
