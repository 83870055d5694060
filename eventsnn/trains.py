"""Trains: spike trains of many samples and channels, what every encoder returns and `Results.by_sample` cuts out."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.errors import InputError
from eventsnn.sorting import order_by
from eventsnn.stimuli import SpikeSource

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Spikes that are sorted at a time.
AT_ONCE = 100_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Trains:
    """Spike trains of samples that each have the same channels, such as images of pixels.

    Attributes:
        times: ms since the sample began, float64, shape (spikes,).
        ids: the channel that spikes, int32, shape (spikes,): its number when `shape` is counted row by row.
        offsets: sample k has the spikes offsets[k]:offsets[k + 1], int64, shape (samples + 1,).
        shape: of the channels of a sample, such as (28, 28).
        duration: of a sample, ms.

    The spikes of a sample are sorted by time, those of one time by channel. Arrays are read-only. `len(trains)` is the
    number of samples, `trains.n` that of channels.

    Index it as an array of shape (samples, *shape): `trains[3]`, `trains[:100]`, `trains[:, 5]`, `trains[mask, 2:4]`.
    The answer are Trains again, whose channels have the shape that NumPy would give them.

    Raises InputError if arrays, shape and duration do not fit each other.
    """

    times: Floats
    ids: NDArray[np.int32]
    offsets: Ints
    shape: tuple[int, ...]
    duration: float

    def __post_init__(self) -> None:
        for name, dtype in (("times", np.float64), ("ids", np.int32), ("offsets", np.int64)):
            array = np.asarray(getattr(self, name)).astype(dtype, copy=False).view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        times, ids, offsets = self.times, self.ids, self.offsets
        if not (times.ndim == ids.ndim == offsets.ndim == 1 and times.size == ids.size):
            raise InputError(f"trains: times and ids have shapes {times.shape} and {ids.shape}; both need (spikes,)")
        if not (offsets.size and offsets[0] == 0 and offsets[-1] == times.size and (np.diff(offsets) >= 0).all()):
            raise InputError(f"trains: offsets must ascend from 0 to {times.size}, the number of spikes")
        if not (math.isfinite(self.duration) and self.duration >= 0.0):
            raise InputError(f"trains: duration = {self.duration} ms must be finite and not negative")
        if times.size == 0:
            return
        if not (ids.min() >= 0 and ids.max() < self.n):
            raise InputError(f"trains: ids run from {ids.min()} to {ids.max()}, allowed is 0 to {self.n - 1}")
        if not (times.min() >= 0.0 and times.max() <= self.duration):
            raise InputError(f"trains: times must lie in 0 to {self.duration} ms, the duration of a sample")
        falls = (times[1:] < times[:-1]) | ((times[1:] == times[:-1]) & (ids[1:] < ids[:-1]))
        inside = offsets[(offsets > 0) & (offsets < times.size)]
        falls[inside - 1] = False
        if falls.any():
            raise InputError(f"trains: spike {np.argmax(falls) + 1} comes before the one before it in its sample")

    @classmethod
    def of(
        cls, sample: Ints, times: Floats, ids: NDArray[Any], samples: int, shape: tuple[int, ...], duration: float
    ) -> Trains:
        """Trains of spikes in any order: spike k is one of channel ids[k] in sample[k]."""
        offsets = np.zeros(samples + 1, dtype=np.int64)
        np.cumsum(np.bincount(sample, minlength=samples), out=offsets[1:])
        if (sample[1:] < sample[:-1]).any():
            by_sample = order_by(sample)
            sample, times, ids = sample[by_sample], times[by_sample], ids[by_sample]
        sorted_times, sorted_ids = np.empty(times.size), np.empty(times.size, dtype=np.int32)
        # Some samples at a time, which the cache holds: sorting takes a third of the time, and little memory.
        first = 0
        while first < samples:
            last = max(first + 1, int(np.searchsorted(offsets, offsets[first] + AT_ONCE, side="right")) - 1)
            part = slice(offsets[first], offsets[last])
            order = np.lexsort((ids[part], times[part], sample[part]))
            sorted_times[part], sorted_ids[part] = times[part][order], ids[part][order]
            first = last
        return cls(sorted_times, sorted_ids, offsets, shape, duration)

    @classmethod
    def of_first(cls, times: Floats, shape: tuple[int, ...], duration: float) -> Trains:
        """Trains of one spike a channel, at times of shape (samples, n), or of none where that is infinite."""
        order = np.argsort(times, axis=1, kind="stable")
        in_order = np.take_along_axis(times, order, axis=1)
        fires = in_order < np.inf
        offsets = np.concatenate([[0], np.cumsum(np.count_nonzero(fires, axis=1))])
        return cls(in_order[fires], order[fires].astype(np.int32), offsets, shape, duration)

    @classmethod
    def join(cls, parts: Sequence[Trains]) -> Trains:
        """The samples of all parts, which have the same channels, one after the other."""
        first = parts[0]
        ends = np.cumsum([0] + [part.times.size for part in parts])
        offsets = [part.offsets[1:] + before for part, before in zip(parts, ends[:-1], strict=True)]
        return cls(
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.ids for part in parts]),
            np.concatenate([[0], *offsets]),
            first.shape,
            max(part.duration for part in parts),
        )

    def __len__(self) -> int:
        return self.offsets.size - 1

    @property
    def n(self) -> int:
        """Number of channels of a sample."""
        return math.prod(self.shape)

    @property
    def sample(self) -> Ints:
        """The sample of each spike, shape (spikes,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def __iter__(self) -> Iterator[Trains]:
        return (self[k : k + 1] for k in range(len(self)))

    def __getitem__(self, key: Any) -> Trains:
        first, *rest = key if isinstance(key, tuple) else (key,)
        try:
            samples = np.atleast_1d(np.arange(len(self))[first])
            channels = np.arange(self.n).reshape(self.shape)[tuple(rest)] if rest else None
        except (IndexError, TypeError, ValueError) as error:
            shape = (len(self), *self.shape)
            raise InputError(f"trains of shape {shape}: no such samples or channels, {error}") from None
        counts = np.diff(self.offsets)[samples]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        # Spike number k of the answer is k - offsets[its sample] behind the begin of that sample here.
        at = np.arange(offsets[-1]) + np.repeat(self.offsets[samples] - offsets[:-1], counts)
        if channels is None:
            return Trains(self.times[at], self.ids[at], offsets, self.shape, self.duration)
        if np.unique(channels).size != channels.size:
            raise InputError(f"trains: index {rest} names a channel twice")
        number = np.full(self.n, -1, dtype=np.int64)
        number[channels.ravel()] = np.arange(channels.size)
        ids = number[self.ids[at]]
        kept = ids >= 0
        sample = np.repeat(np.arange(samples.size), counts)[kept]
        return Trains.of(sample, self.times[at][kept], ids[kept], samples.size, channels.shape, self.duration)

    def counts(self) -> Ints:
        """Number of spikes of each channel, shape (samples, *shape)."""
        channel = self.sample * self.n + self.ids
        return np.bincount(channel, minlength=len(self) * self.n).reshape(len(self), *self.shape)

    def rates(self) -> Floats:
        """Rate of each channel, Hz: 1000 counts / duration, shape (samples, *shape); NaN without duration."""
        with np.errstate(invalid="ignore"):
            return np.asarray(1000.0 * self.counts() / np.float64(self.duration))

    def first(self) -> Floats:
        """Time of the first spike of each channel, ms, NaN without one, shape (samples, *shape)."""
        first = np.full(len(self) * self.n, np.nan)
        # Written backwards, so that the first of a channel's spikes is the one that stays.
        first[(self.sample * self.n + self.ids)[::-1]] = self.times[::-1]
        return first.reshape(len(self), *self.shape)

    def to_source(self) -> SpikeSource:
        """A SpikeSource for len(trains) * n neurons: the channels of all samples, which spike side by side.

        Neuron k * n + i is channel i of sample k. To show one sample after another to the same n neurons, let
        `eventsnn.encode.present` line them up first.
        """
        return SpikeSource(self.times, self.sample * self.n + self.ids)

    def plot(self, samples: int = 4) -> Figure:
        """The first samples as a matplotlib Figure (`savefig` writes it): a raster of each, or maps if they are images.

        Samples are images if the last two axes of their shape have 8 or more channels each, and the others few. A map
        shows when each channel spikes, or how often if some do more than once.
        """
        from eventsnn.plot_trains import figure  # matplotlib takes long to import

        return figure(self, samples)

    def save(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Write an HDF5 file in the SONATA spikes layout, which `eventsnn.encode.load` reads back bit for bit.

        Raises InputError if the file exists already, unless force=True, or cannot be written.
        """
        from eventsnn.storage import save_trains  # storage builds Trains, so it imports this module

        save_trains(self, path, force)

    def __repr__(self) -> str:
        return (
            f"Trains({len(self):,} sample{'s' * (len(self) != 1)} of {' x '.join(map(str, self.shape)) or 1} channels, "
            f"{self.times.size:,} spikes, {self.duration:g} ms)"
        )
