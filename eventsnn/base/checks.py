"""Checks of what a user gave: numbers, whole numbers and arrays of them, or an InputError that names what is wrong."""

from __future__ import annotations

import inspect
import operator
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Set
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.errors import InputError, suggest
from eventsnn.base.quantities import plain


def as_array(value: Any) -> NDArray[Any]:
    """The value as an array of any type, or None as one, which no check lets pass, for what no array can be made of."""
    try:
        return _array(plain(value, ""))
    except Exception:  # a quantity
        return np.asarray(None)


def _array(value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except Exception:  # lists of different lengths; and a value may itself say what its elements are, or fail to
        return np.asarray(None)


def floats(value: Any, what: str, allowed: str, unit: str = "") -> NDArray[np.float64]:
    """A number or numbers as a float64 array of the same shape, or an InputError that names `what` and what is allowed.

    numpy alone would take "5", True and None (as nan) for numbers, and drop the imaginary part of a complex one.
    Quantities are converted to `unit`; without one those that have a unit are refused.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{what} is a masked array, whose mask would be lost; fill it, x.filled(0)")
    array = _array(plain(value, what, unit))
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
    value: Any, what: str, rule: str, least: float = -np.inf, above: float = -np.inf, most: float = np.inf,
    unit: str = "",
) -> float:  # fmt: skip
    """A finite number from `least` to `most` and above `above`, or an InputError that names `what` and the rule."""
    array = floats(value, what, rule, unit)
    if array.ndim or not np.isfinite(array) or not least <= array <= most or array <= above:
        raise InputError(f"{what} = {reprlib.repr(value)} must be {rule}")
    return float(array)


def scalar(value: Any, what: str, rule: str, unit: str = "") -> float:
    """One number, infinite or NaN too, or an InputError that names `what` and the rule."""
    array = floats(value, what, rule, unit)
    if array.ndim:
        raise InputError(f"{what} = {reprlib.repr(value)} must be {rule}")
    return float(array)


def real(value: Any) -> float:
    """The value as a float, nan if it is no real number."""
    if not isinstance(value, Real) or isinstance(value, bool | np.timedelta64):
        return np.nan
    try:
        return float(value)
    except (TypeError, OverflowError):
        return np.nan


def choice(value: Any, what: str, known: Iterable[str]) -> str:
    """One of the known words, or an InputError that names `what` and the nearest of them."""
    words = list(known)
    if not isinstance(value, str) or value not in words:
        raise InputError(f"{what} = {reprlib.repr(value)} is not known; {suggest(value, words)}")
    return str(value)


def flag(value: Any, what: str) -> None:
    """Raise InputError unless the value is True or False."""
    if not isinstance(value, bool):
        raise InputError(f"{what} = {reprlib.repr(value)} is neither True nor False")


def require_order(value: Any, what: str, rule: str) -> None:
    """Raise InputError for what has elements in no order, or gives them only once: sets, dictionaries, generators."""
    if isinstance(value, str | bytes | bytearray | Mapping | Set | Iterator) or not np.iterable(value):
        raise InputError(f"{what} = {reprlib.repr(value)} must be {rule}")


def takes_one(function: Any) -> bool:
    """Whether something is a function that can be called with one argument, as far as it says."""
    if not callable(function) or isinstance(function, type):
        return False
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except Exception:  # it does not say what it takes
        return True
    return True


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
