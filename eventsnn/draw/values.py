"""Numbers, arrays and distributions that a user gave, as checked arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import floats, require
from eventsnn.base.errors import InputError
from eventsnn.base.quantities import plain
from eventsnn.draw.distributions import Distribution

Value = float | Sequence[float] | NDArray[np.float64] | Distribution
Values = dict[str, Floats]


@dataclass
class Patched:
    """A value of all neurons (None: their default) that has been replaced for some, part after part."""

    base: Value | None
    parts: list[tuple[Ints, Value]]


NUMBERS = "a number, an array or a distribution"


def own(value: Value, what: str, unit: str) -> Value:
    """What a description keeps of a value: plain numbers in this unit, which do not change with what was given.

    Quantities are converted; what cannot be is an InputError that names `what`.
    """
    if isinstance(value, Distribution):
        if value.unit not in ("", unit):
            raise InputError(f"{what}: {value!r} draws {value.unit}, not {unit or 'plain numbers'}; give plain numbers")
        return value
    kept: Any = plain(value, what, unit)
    if isinstance(kept, np.ndarray):
        kept = kept.copy()
    elif isinstance(kept, list):
        kept = [part.copy() if isinstance(part, list | np.ndarray) else part for part in kept]
    return kept  # type: ignore[no-any-return]


def resolve(value: Value, n: int, what: str, key: int) -> Floats:
    """A number (one element), an array of length n, or n draws; finite, or an InputError that names `what`."""
    if isinstance(value, Distribution):
        return resolve_some(value, np.arange(n), what, key)
    array = floats(value, what, NUMBERS)
    if array.ndim and array.shape != (n,):
        raise InputError(f"{what} is an array of shape {array.shape}; it must be one number or {n} of them")
    array = array.reshape(-1)
    require(np.isfinite(array), array, what, "must be finite")
    return array


def resolve_some(value: Value, ids: Ints, what: str, key: int) -> Floats:
    """The same for the neurons `ids` of a population: one element, an array with one for each, or their own draws."""
    if not isinstance(value, Distribution):
        return resolve(value, ids.size, what, key)
    array = draw(value, key, ids.astype(np.uint64), what)
    require(np.isfinite(array), array, what, "must be finite")
    return array


def draw(distribution: Distribution, key: int, index: NDArray[np.uint64], what: str) -> Floats:
    """The draws of these numbers; what the distribution refuses is an InputError that names `what`."""
    try:
        return distribution.sample(key, index)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
