"""Events: what an event camera, or a simulated one, has recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.checks import floats, number, whole
from eventsnn.errors import InputError
from eventsnn.events import filters
from eventsnn.stimuli import SpikeSource
from eventsnn.trains import Trains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# t in ms; p is 1 for ON, 0 for OFF. Padded to 16 bytes, since numpy is several times slower where t is not aligned.
EVENT = np.dtype([("t", np.float64), ("x", np.uint16), ("y", np.uint16), ("p", np.uint8)], align=True)

# Coordinates have 16 bits.
MOST_PIXELS = 2**16


@dataclass(frozen=True, eq=False, repr=False)
class Events:
    """Events of a sensor of width x height pixels, sorted by time.

    Attributes:
        data: structured array, shape (events,), read-only: t (ms, float64), x (column, from the left), y (row, from the
            top), p (1 where the pixel became brighter, ON, and 0 where darker, OFF).
        width, height: pixels of a row and of a column.

    `t`, `x`, `y` and `p` are the fields; `len(events)` is the number of events; numpy takes Events as `data`. Index by
    a slice, a mask or an array of indices: the answer are Events of the same sensor.

    Raises InputError for arrays that are no events, a time that is not finite or before that of the event before it, a
    coordinate outside the sensor, and a polarity that is neither 0 nor 1, naming the event.
    """

    data: NDArray[Any]
    width: int
    height: int

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            object.__setattr__(self, name, whole(getattr(self, name), f"events: {name}", 1, MOST_PIXELS))
        data = np.asarray(self.data)
        if data.dtype != EVENT:
            missing = [name for name in EVENT.names or () if name not in (data.dtype.names or ())]
            if missing:
                raise InputError(
                    f"events: an array of type {data.dtype} has no field {missing[0]}; t, x, y, p are needed"
                )
            data = Events.of(data["t"], data["x"], data["y"], data["p"], self.width, self.height).data
        if data.ndim != 1:
            raise InputError(f"events: the array has the shape {data.shape}; one dimension is needed")
        data = data.view()
        data.flags.writeable = False
        object.__setattr__(self, "data", data)
        self._check()

    @classmethod
    def of(cls, t: ArrayLike, x: ArrayLike, y: ArrayLike, p: ArrayLike, width: int, height: int) -> Events:
        """Events of times (ms), columns, rows and polarities, arrays of the same length."""
        times = floats(t, "events: t", "times in ms")
        data = np.empty(times.shape, dtype=EVENT)
        data["t"] = times
        for name, values, most in (("x", x, MOST_PIXELS), ("y", y, MOST_PIXELS), ("p", p, 2)):
            try:
                array = np.asarray(values)
            except ValueError:  # lists of different lengths
                array = np.asarray(None)
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

    def __len__(self) -> int:
        return self.data.size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = self.data if dtype is None else self.data.astype(dtype)
        return array.copy() if copy else array

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)

    def __getitem__(self, key: Any) -> Events:
        try:
            return Events(np.atleast_1d(self.data[key]), self.width, self.height)
        except (IndexError, TypeError, ValueError) as error:
            raise InputError(f"events: no such events among {len(self)}, {error}") from None

    def between(self, start: float, stop: float) -> Events:
        """The events at start <= t < stop (ms)."""
        span = floats([start, stop], "events: the times of between", "two numbers of ms")
        if np.isnan(span).any():
            raise InputError(f"events: between({start}, {stop}) is no span of time; two numbers of ms are needed")
        first, last = np.searchsorted(self.t, span)
        return self[first:last]

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> Events:
        """The events of the columns x0 to x1 - 1 and the rows y0 to y1 - 1, as a sensor of its own.

        Raises InputError for a part that is empty or reaches beyond the sensor.
        """
        return filters.crop(self, x0, y0, x1, y1)

    def downsample(self, factor: int) -> Events:
        """All events, with factor x factor pixels taken as one; a part of such a block at an edge is one as well.

        Raises InputError unless factor is a whole number from 1.
        """
        return filters.downsample(self, factor)

    def refractory(self, t_ref: float) -> Events:
        """The events that come t_ref (ms) or more after the last kept event of their pixel, of either polarity.

        Raises InputError unless t_ref is a finite number from 0.
        """
        return filters.refractory(self, t_ref)

    def background_activity(self, dt: float) -> Events:
        """The events for which one of the 8 pixels around theirs had an event in the dt (ms) before.

        Noise comes alone, and what moves in the scene makes neighbours fire together. An event counts for its
        neighbours whether or not it is kept; of equal times the one that stands first is the earlier.

        Raises InputError unless dt is a finite number from 0.

        Source: Delbruck 2008, Proc Intl Symp Secure-Life Electronics 1:21.
        """
        return filters.background_activity(self, dt)

    def frames(self, every: float) -> NDArray[np.int32]:
        """ON minus OFF events of each pixel in windows of `every` ms from the first event, (windows, height, width).

        Raises InputError unless every is a finite number above 0, and where the frames would have over 2^28 values.
        """
        return filters.frames(self, every)

    def to_trains(self, start: float | None = None) -> Trains:
        """Trains of one sample with the channels (2, height, width), OFF first, in ms from `start`, the first event.

        They last to 1 us, a tick of a camera's clock, after the last event, so that a run of their duration has all.

        Raises InputError if an event comes before start, or for a sensor of more than 2^30 pixels.
        """
        times, ids = self._channels(start)
        turn = np.cumsum(np.diff(times, prepend=times[:1]) > 0.0)
        # Spikes of one time stand in the order of channels; as times are sorted already, little is left to sort.
        order = np.argsort(turn * (2 * self.height * self.width) + ids, kind="stable")
        offsets = np.array([0, times.size])
        duration = float(times[-1]) + 1e-3 if times.size else 0.0
        return Trains(times, ids[order], offsets, (2, self.height, self.width), duration)

    def to_source(self, start: float | None = None) -> SpikeSource:
        """A SpikeSource for 2 * height * width neurons, whose spikes come `start` ms earlier than the events.

        Neuron (p * height + y) * width + x spikes with the events of polarity p of pixel x, y. Without start the first
        event comes at 0.

        Raises InputError if an event comes before start, or for a sensor of more than 2^30 pixels.
        """
        return SpikeSource(*self._channels(start))

    def _channels(self, start: float | None) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Times from start and channels of all events."""
        if 2 * self.height * self.width > 2**31:
            raise InputError(
                f"events: a sensor of {self.width} x {self.height} pixels has too many channels; crop or downsample it"
            )
        if start is not None:
            start = number(start, "events: start", "a finite number of ms")
            if self.data.size and self.t[0] < start:
                raise InputError(
                    f"events: the first at {self.t[0]} ms comes before start = {start} ms; take between(start, stop)"
                )
        begin = start if start is not None else float(self.t[0]) if self.data.size else 0.0
        ids = self.p.astype(np.int32)
        ids *= self.height
        ids += self.y
        ids *= self.width
        ids += self.x
        return self.t - begin, ids

    def plot(self, panels: int = 4, every: float | None = None) -> Figure:
        """Images of ON and OFF events in windows of `every` ms, at even distances over the recording, as a Figure.

        Without `every` a window has about as many events as a tenth of the pixels. Raises InputError unless panels is a
        whole number from 1 to 12 and every is a finite number above 0.
        """
        from eventsnn.events import view  # matplotlib takes long to import

        return view.figure(self, panels, every)

    def animate(self, path: str | os.PathLike[str], every: float, fps: float = 20.0, force: bool = False) -> None:
        """Write an animated image, .gif or .png: windows of `every` ms after one another, fps of them in a second.

        Raises InputError unless every is a finite number above 0 and fps one from 0.001 to 50 Hz, which is as fast as
        viewers show GIF, for another kind of file, for more than 2000 windows, and if the file exists already, unless
        force=True, or cannot be written.
        """
        from eventsnn.events import view

        view.animate(self, path, every, fps, force)

    def __repr__(self) -> str:
        span = f" in {self.t[-1] - self.t[0]:,.6g} ms from {self.t[0]:,.3f} ms on" if self.data.size else ""
        return f"Events({len(self):,} events of {self.width} x {self.height} pixels{span})"
