"""Quantities, numbers with a unit, as plain numbers in the unit that is asked for.

Those of pint, quantities (and neo), astropy, unyt and Brian2 are known by the method with which they convert
themselves; none of these packages is imported here, but the units of Brian2, once there is one of its quantities.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from eventsnn.base.errors import InputError

# The unit that numbers of each dimension have here.
UNITS = ("ms", "mV", "pA", "pF", "nS", "Hz")

# Lists of lists that are looked into: no array has more axes.
DEEPEST = 8
LONGEST_TEXT = 60


def plain(value: Any, what: str, unit: str = "") -> Any:
    """The value itself, or the number or array that a quantity is in `unit`, such as "ms" or "pA/ms"; lists too.

    Without a unit only quantities that are plain numbers can be had. InputError, naming `what`, for other dimensions:
    numpy would silently take the number without its unit, 0.0015 for 1.5 ms.
    """
    return _plain(value, what, unit, DEEPEST)


def _plain(value: Any, what: str, unit: str, depth: int) -> Any:
    convert = _conversion(type(value))
    if convert is not None:
        return _converted(value, convert, what, unit)
    if isinstance(value, list | tuple) and depth and any(map(_may_hold_some, set(map(type, value)))):
        return [_plain(one, what, unit, depth - 1) for one in value]
    return value


def with_unit(value: Any, what: str) -> tuple[Any, str]:
    """The plain number that a quantity is in the unit of its dimension, and this unit; "" if it has none."""
    for unit in ("", *UNITS):
        try:
            return plain(value, what, unit), unit
        except InputError:
            continue
    raise InputError(f"{what} = {_text(value)} has another unit than {', '.join(UNITS)}; give a plain number")


def _converted(value: Any, convert: Callable[[Any, str], Any], what: str, unit: str) -> Any:
    for wanted in (unit, "dimensionless"):
        try:
            array = np.asarray(convert(value, wanted))
        except Exception:  # each package has its own for a dimension that does not fit
            continue
        return array.item() if array.ndim == 0 else array
    if unit:
        raise InputError(f"{what} = {_text(value)} cannot be converted to {unit}; give a plain number of {unit}")
    raise InputError(f"{what} = {_text(value)} has a unit, and none can be taken here; give a plain number")


def _of_brian2(value: Any, unit: str) -> Any:
    known = vars(import_module("brian2.units.stdunits")) | {"1": 1.0, "dimensionless": 1.0}
    above, *below = unit.split("/")
    whole = known[above]
    for name in below:
        whole = whole / known[name]
    ratio = value / whole
    if getattr(ratio, "is_dimensionless", True) is not True:
        raise TypeError
    return ratio


# A method of quantities, and what it takes to convert one with it.
CONVERSIONS: dict[str, Callable[[Any, str], Any]] = {
    "m_as": lambda value, unit: value.m_as(unit),  # pint
    "rescale": lambda value, unit: value.rescale(unit).magnitude,  # quantities
    "to_value": lambda value, unit: value.to_value(unit.replace("dimensionless", "")),  # astropy, unyt
    "in_best_unit": _of_brian2,
}


# What nearly all values are, and no quantity is.
PLAIN = frozenset({float, int, bool, str, list, tuple, type(None), np.ndarray, np.float64})


def _conversion(kind: type) -> Callable[[Any, str], Any] | None:
    if kind in PLAIN:
        return None
    return next((convert for name, convert in CONVERSIONS.items() if hasattr(kind, name)), None)


def _may_hold_some(kind: type) -> bool:
    return issubclass(kind, list | tuple) or _conversion(kind) is not None


def _text(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 20]}...{text[-12:]}"
