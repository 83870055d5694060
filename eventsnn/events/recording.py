"""Events: what an event camera, or a simulated one, has recorded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.checks import number
from eventsnn.base.errors import InputError
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.events import filters
from eventsnn.events.event_array import EventArray
from eventsnn.results.trains import Trains

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Events(EventArray):
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
            start = number(start, "events: start", "a finite number of ms", unit="ms")
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
        from eventsnn.events import view  # as above

        view.animate(self, path, every, fps, force)
