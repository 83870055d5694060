"""Code: the base of all codes, and the checks of what they are given."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.checks import flag, floats, whole
from eventsnn.base.errors import InputError
from eventsnn.results.trains import Trains

# Values that are worked on at a time, so that what is needed meanwhile stays small: 16 MB for each array of them.
AT_ONCE = 2_000_000
# Spikes of one call, at most: 12 GB.
MOST_SPIKES = 2**30

# Of the parameters of codes that have one.
UNITS = {"rate_max": "Hz"} | dict.fromkeys(
    ("duration", "tau", "interval", "cycle", "dt", "t_ref", "isi_min", "isi_max"), "ms"
)


class Code(ABC):
    """A code: it turns arrays of samples, the first axis, into spike trains, and back where that can be done."""

    takes: ClassVar[Literal["image", "sound", "signal"]] = "image"  # what file the command line gives it

    @abstractmethod
    def encode(self, x: ArrayLike) -> Trains:
        """The spike trains of samples x; those with a range of values also take clip=True, which moves x into it."""

    def _require(self, name: str, good: Callable[[float], bool], rule: str) -> None:
        """Keep a parameter as a float that is good, or raise InputError with the rule that it breaks."""
        value = getattr(self, name)
        array = floats(value, f"{type(self).__name__}: {name}", "a number", UNITS.get(name, ""))
        if array.ndim or not math.isfinite(array) or not good(float(array)):
            raise InputError(f"{type(self).__name__}: {name} = {value!r} must be {rule}")
        object.__setattr__(self, name, float(array))

    def _require_positive(self, *names: str) -> None:
        for name in names:
            self._require(name, lambda value: value > 0.0, "a finite number above 0")

    def _require_whole(self, name: str, low: int, high: int) -> None:
        value = whole(getattr(self, name), f"{type(self).__name__}: {name}", low, high)
        object.__setattr__(self, name, value)

    def _values(
        self, x: ArrayLike, low: float = -math.inf, high: float = math.inf, clip: bool = False, axes: str = "channels"
    ) -> NDArray[Any]:
        return batch(x, type(self).__name__, low, high, clip, axes)

    def _decodable(self, trains: Trains) -> Trains:
        if not isinstance(trains, Trains):
            raise InputError(f"{type(self).__name__}: {type(trains).__name__} cannot be decoded; give Trains")
        return trains

    def __repr__(self) -> str:
        changed = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)  # type: ignore[arg-type]
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


def batch(x: ArrayLike, what: str, low: float, high: float, clip: bool, axes: str = "channels") -> NDArray[Any]:
    """Samples x, of shape (samples, *axes), as numbers in [low, high], or an InputError that names the first that is
    not; with clip=True finite ones outside are moved to the nearer end."""
    flag(clip, f"{what}: clip")
    array = x if type(x) is np.ndarray and x.dtype.kind in "iuf" else floats(x, f"{what}: x", "an array of numbers")
    if array.ndim < 2:
        raise InputError(
            f"{what}: x has shape {array.shape}, but its first axis counts samples and the others {axes}; write "
            "x[np.newaxis] for one sample"
        )
    for start, part in parts(array):
        wrong = ~np.isfinite(part) if clip else ~(np.isfinite(part) & (part >= low) & (part <= high))
        if wrong.any():
            index = np.unravel_index(int(np.argmax(wrong)), part.shape)
            value = part[index]
            at = ", ".join(str(int(k) + (start if axis == 0 else 0)) for axis, k in enumerate(index))
            remedy = "; scale x, or pass clip=True to move it there" if np.isfinite(value) else ""
            raise InputError(f"{what}: x[{at}] = {value:g} must {_range(low, high)}{remedy}")
    return np.clip(array, low, high) if clip else array


def _range(low: float, high: float) -> str:
    if math.isinf(low):
        return "be finite"
    return f"be finite and at least {low:g}" if math.isinf(high) else f"lie in {low:g} to {high:g}"


def parts(array: NDArray[Any], each: int = 1) -> Iterator[tuple[int, NDArray[Any]]]:
    """Samples some at a time, of AT_ONCE numbers if a value is `each` of them, with the number of the first sample."""
    step = max(1, AT_ONCE // max(1, each * math.prod(array.shape[1:])))
    for start in range(0, len(array), step):
        yield start, array[start : start + step]


def require_few(spikes: float, what: str, remedy: str) -> None:
    """Raise InputError if so many spikes, about, are too many to hold."""
    if not spikes <= MOST_SPIKES:
        raise InputError(
            f"{what}: this would be about {spikes:.3g} spikes, and {MOST_SPIKES:.3g} is the most; {remedy}"
        )


def rows(values: NDArray[Any]) -> NDArray[Any]:
    """A row for each sample; reshape(n, -1) cannot tell how long one is if there are none."""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def signals(values: NDArray[Any]) -> Floats:
    """A row for each sample and channel, over the last axis, time."""
    return values.reshape(math.prod(values.shape[:-1]), values.shape[-1]).astype(np.float64)


def first_spikes(
    values: NDArray[Any], times: Callable[[Floats], Floats], shape: tuple[int, ...], duration: float, each: int = 1
) -> Trains:
    """Trains of at most one spike a channel: times(values) in ms, infinite where there is none, some samples at a time.

    values: (samples, ...). times: returns an array of shape (samples, *shape). each: channels that one value makes.
    """

    def encode(part: Floats, _: int) -> Trains:
        return Trains.of_first(rows(times(part)), shape, duration)

    return in_parts(values, encode, shape, duration, each)


def in_parts(
    values: NDArray[Any],
    encode: Callable[[Floats, int], Trains],
    shape: tuple[int, ...],
    duration: float,
    each: int = 1,
) -> Trains:
    """Trains of values (samples, ...): encode(part, number of its first sample), some samples at a time.

    each: numbers that a value becomes on the way.
    """
    none = Trains(np.empty(0), np.empty(0, np.int32), np.zeros(1, np.int64), shape, duration)
    found = [encode(np.asarray(part, dtype=np.float64), first) for first, part in parts(values, each)]
    return Trains.join([none, *found])
