"""EventArray: events of a sensor as one array, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.checks import as_array, floats, whole
from eventsnn.base.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Self

# t in ms; p is 1 for ON, 0 for OFF. Padded to 16 bytes, since numpy is several times slower where t is not aligned.
EVENT = np.dtype([("t", np.float64), ("x", np.uint16), ("y", np.uint16), ("p", np.uint8)], align=True)

# Coordinates have 16 bits.
MOST_PIXELS = 2**16


@dataclass(frozen=True, eq=False, repr=False)
class EventArray:
    """Events of a sensor, without filters and the ways to draw and to hand them on; see Events."""

    data: NDArray[Any]
    width: int
    height: int

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            object.__setattr__(self, name, whole(getattr(self, name), f"events: {name}", 1, MOST_PIXELS))
        data = as_array(self.data)
        if data.dtype != EVENT:
            missing = [name for name in EVENT.names or () if name not in (data.dtype.names or ())]
            if missing:
                raise InputError(
                    f"events: an array of type {data.dtype} has no field {missing[0]}; t, x, y, p are needed"
                )
            data = type(self).of(data["t"], data["x"], data["y"], data["p"], self.width, self.height).data
        if data.ndim != 1:
            raise InputError(f"events: the array has the shape {data.shape}; one dimension is needed")
        data = data.view()
        data.flags.writeable = False
        object.__setattr__(self, "data", data)
        self._check()

    @classmethod
    def of(cls, t: ArrayLike, x: ArrayLike, y: ArrayLike, p: ArrayLike, width: int, height: int) -> Self:
        """Events of times (ms), columns, rows and polarities, arrays of the same length."""
        times = floats(t, "events: t", "times in ms", unit="ms")
        data = np.empty(times.shape, dtype=EVENT)
        data["t"] = times
        for name, values, most in (("x", x, MOST_PIXELS), ("y", y, MOST_PIXELS), ("p", p, 2)):
            array = as_array(values)
            if array.shape != times.shape or (array.size and array.dtype.kind not in "iub"):
                raise InputError(
                    f"events: {name} has the shape {array.shape} and type {array.dtype}; whole numbers of the shape "
                    f"{times.shape} of t are needed"
                )
            if array.size and not (array.min() >= 0 and array.max() < most):
                k = int(np.argmax((array < 0) | (array >= most)))
                raise InputError(f"events: event {k} has {name} = {array.flat[k]}; it must lie in 0 to {most - 1}")
            data[name] = array
        return cls(data, width, height)

    def _check(self) -> None:
        if not self.data.size:
            return
        t = self.t
        # Not (a <= b) also where one of them is nan.
        wrong = ~(t[:-1] <= t[1:])
        if wrong.any():
            k = int(np.argmax(wrong)) + 1
            raise InputError(f"events: event {k} at {t[k]} ms comes after one at {t[k - 1]} ms; times must ascend")
        if not (np.isfinite(t[0]) and np.isfinite(t[-1])):
            raise InputError(f"events: times run from {t[0]} to {t[-1]} ms; they must be finite")
        if self.x.max() >= self.width or self.y.max() >= self.height:
            k = int(np.argmax((self.x >= self.width) | (self.y >= self.height)))
            raise InputError(
                f"events: event {k} at x = {self.x[k]}, y = {self.y[k]} lies outside of the sensor of {self.width} x "
                f"{self.height} pixels"
            )
        if self.p.max() > 1:
            k = int(np.argmax(self.p > 1))
            raise InputError(f"events: event {k} has p = {self.p[k]}; ON is 1 and OFF is 0")

    @property
    def t(self) -> NDArray[np.float64]:
        """Times, ms, ascending, shape (events,)."""
        return self.data["t"]

    @property
    def x(self) -> NDArray[np.uint16]:
        """Columns, counted from the left, shape (events,)."""
        return self.data["x"]

    @property
    def y(self) -> NDArray[np.uint16]:
        """Rows, counted from the top, shape (events,)."""
        return self.data["y"]

    @property
    def p(self) -> NDArray[np.uint8]:
        """Polarities, 1 = ON and 0 = OFF, shape (events,)."""
        return self.data["p"]

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        # By way of the constructor, so that the array of a copy is read-only too.
        return type(self), (self.data, self.width, self.height)

    def __len__(self) -> int:
        return self.data.size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = self.data if dtype is None else self.data.astype(dtype)
        return array.copy() if copy else array

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)

    def __getitem__(self, key: Any) -> Self:
        try:
            return type(self)(np.atleast_1d(self.data[key]), self.width, self.height)
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"events: no such events among {len(self)}, {error}") from None

    def between(self, start: float, stop: float) -> Self:
        """The events at start <= t < stop (ms)."""
        span = floats([start, stop], "events: the times of between", "two numbers of ms", unit="ms")
        if np.isnan(span).any():
            raise InputError(f"events: between({start}, {stop}) is no span of time; two numbers of ms are needed")
        first, last = np.searchsorted(self.t, span)
        return self[first:last]

    def __repr__(self) -> str:
        span = f" in {self.t[-1] - self.t[0]:,.6g} ms from {self.t[0]:,.3f} ms on" if self.data.size else ""
        return f"{type(self).__name__}({len(self):,} events of {self.width} x {self.height} pixels{span})"
