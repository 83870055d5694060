"""Checks of single arguments that several parts of the package take."""

from __future__ import annotations

from typing import Any

import numpy as np

from eventsnn.errors import InputError
from eventsnn.models.base import floats

# Coordinates have 16 bits.
MOST_PIXELS = 2**16


def number(value: Any, what: str, rule: str, least: float = -np.inf, above: float = -np.inf) -> float:
    """A finite number, at least `least` and above `above`, or an InputError that says the rule."""
    array = floats(value, what, rule)
    if array.ndim or not np.isfinite(array) or array < least or array <= above:
        raise InputError(f"{what} = {value!r} must be {rule}")
    return float(array)


def whole(value: Any, what: str, low: int, high: int) -> int:
    """A whole number from low to high, or an InputError that names `what`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"{what} = {value!r} must be a whole number from {low} to {high}")
    return int(value)


def pixels(value: Any, what: str) -> int:
    """A number of pixels, or an InputError that names `what`."""
    return whole(value, what, 1, MOST_PIXELS)
