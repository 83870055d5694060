"""Checks of what a user gave: numbers, whole numbers and arrays of them, or an InputError that names what is wrong."""

from __future__ import annotations

import operator
import reprlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.errors import InputError


def floats(value: Any, what: str, allowed: str) -> NDArray[np.float64]:
    """A number or numbers as a float64 array of the same shape, or an InputError that names `what` and what is allowed.

    numpy alone would take "5", True and None (as nan) for numbers, and drop the imaginary part of a complex one.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{what} is a masked array, whose mask would be lost; fill it, x.filled(0)")
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{what} = {reprlib.repr(value)} must be {allowed}")
    return np.array(array, dtype=np.float64)


def require(good: NDArray[np.bool_], values: NDArray[np.float64], what: str, rule: str, unit: str = "") -> None:
    """Raise InputError naming the first value that is not good; nan never is."""
    if not good.all():
        i = int(np.argmin(good))
        where = f" (neuron {i})" if values.size > 1 else ""
        raise InputError(f"{what} = {values.flat[i]:g}{unit and ' ' + unit}{where} {rule}")


def number(
    value: Any, what: str, rule: str, least: float = -np.inf, above: float = -np.inf, most: float = np.inf
) -> float:
    """A finite number from `least` to `most` and above `above`, or an InputError that names `what` and the rule."""
    array = floats(value, what, rule)
    if array.ndim or not np.isfinite(array) or not least <= array <= most or array <= above:
        raise InputError(f"{what} = {reprlib.repr(value)} must be {rule}")
    return float(array)


def whole(value: Any, what: str, low: int, high: int | None = None) -> int:
    """An integer from low to high, if there is one, or an InputError that names `what`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{what} = {reprlib.repr(value)} must be a whole number") from None
    if isinstance(value, bool) or number < low or (high is not None and number > high):
        allowed = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise InputError(f"{what} = {reprlib.repr(value)} must be a whole number {allowed}")
    return number
