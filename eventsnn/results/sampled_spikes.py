"""SampledSpikes: the spikes of many samples, each with the same channels."""

from __future__ import annotations

import itertools
import math
import reprlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import as_array, number, require_order, whole
from eventsnn.base.errors import InputError
from eventsnn.base.sorting import order_by

if TYPE_CHECKING:
    from typing_extensions import Self

# Spikes that are sorted at a time.
AT_ONCE = 100_000
# A quotient such as (3 * 0.1) / 0.1 is an ulp above 3 and must not begin a bin of no length.
ROUNDING = 1e-15


@dataclass(frozen=True, eq=False, repr=False)
class SampledSpikes:
    """Spikes of samples that each have the same channels, without the ways to draw and to keep them; see Trains."""

    times: Floats
    ids: NDArray[np.int32]
    offsets: Ints
    shape: tuple[int, ...]
    duration: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _lengths(self.shape))
        rule = "a finite number of ms, 0 or more"
        object.__setattr__(self, "duration", number(self.duration, "trains: duration", rule, least=0.0, unit="ms"))
        for name, dtype in (("times", np.float64), ("ids", np.int32), ("offsets", np.int64)):
            object.__setattr__(self, name, _given(getattr(self, name), name, dtype))
        times, ids, offsets = self.times, self.ids, self.offsets
        if not (times.ndim == ids.ndim == offsets.ndim == 1 and times.size == ids.size):
            raise InputError(f"trains: times and ids have shapes {times.shape} and {ids.shape}; both need (spikes,)")
        if not (offsets.size and offsets[0] == 0 and offsets[-1] == times.size and (np.diff(offsets) >= 0).all()):
            raise InputError(f"trains: offsets must ascend from 0 to {times.size}, the number of spikes")
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
        cls, sample: ArrayLike, times: ArrayLike, ids: ArrayLike, samples: int, shape: tuple[int, ...], duration: float
    ) -> Self:
        """Trains of spikes in any order: spike k is one of channel ids[k] in sample[k].

        Raises InputError if arrays, samples, shape and duration are of another kind or do not fit each other.
        """
        of_sample, at = _given(sample, "sample numbers", np.int64), _given(times, "times", np.float64)
        channel, samples = _given(ids, "ids", np.int32), whole(samples, "trains: samples", 0, 2**31)
        shapes = of_sample.shape, at.shape, channel.shape
        if set(shapes) != {(at.size,)}:
            raise InputError(f"trains: sample, times and ids have shapes {shapes}; all need (spikes,)")
        if at.size and not (of_sample.min() >= 0 and of_sample.max() < samples):
            raise InputError(
                f"trains: sample numbers run from {of_sample.min()} to {of_sample.max()}, allowed is 0 to {samples - 1}"
            )
        offsets = np.zeros(samples + 1, dtype=np.int64)
        np.cumsum(np.bincount(of_sample, minlength=samples), out=offsets[1:])
        if (of_sample[1:] < of_sample[:-1]).any():
            by_sample = order_by(of_sample)
            of_sample, at, channel = of_sample[by_sample], at[by_sample], channel[by_sample]
        sorted_times, sorted_ids = np.empty(at.size), np.empty(at.size, dtype=np.int32)
        # Some samples at a time, which the cache holds: sorting takes a third of the time, and little memory.
        first = 0
        while first < samples:
            last = max(first + 1, int(np.searchsorted(offsets, offsets[first] + AT_ONCE, side="right")) - 1)
            part = slice(offsets[first], offsets[last])
            order = np.lexsort((channel[part], at[part], of_sample[part]))
            sorted_times[part], sorted_ids[part] = at[part][order], channel[part][order]
            first = last
        return cls(sorted_times, sorted_ids, offsets, shape, duration)

    @classmethod
    def of_first(cls, times: ArrayLike, shape: tuple[int, ...], duration: float) -> Self:
        """Trains of one spike a channel, at times of shape (samples, n), or of none where that is infinite or NaN.

        Raises InputError if times, shape and duration are of another kind or do not fit each other.
        """
        at, shape = _given(times, "times", np.float64), _lengths(shape)
        if at.shape[1:] != (math.prod(shape),):
            raise InputError(
                f"trains: times of first spikes have shape {at.shape}, but (samples, {math.prod(shape)}) is needed"
            )
        order = np.argsort(at, axis=1, kind="stable")
        in_order = np.take_along_axis(at, order, axis=1)
        fires = in_order < np.inf
        offsets = np.concatenate([[0], np.cumsum(np.count_nonzero(fires, axis=1))])
        return cls(in_order[fires], order[fires].astype(np.int32), offsets, shape, duration)

    @classmethod
    def join(cls, parts: Sequence[SampledSpikes]) -> Self:
        """The samples of all parts one after the other, each as long as the longest.

        Raises InputError if there are none, or for channels of different shapes.
        """
        require_order(parts, "trains: parts to join", "a list of Trains")
        for part in parts:
            if not isinstance(part, SampledSpikes):
                raise InputError(f"trains: {reprlib.repr(part)} cannot be joined; give a list of Trains")
        shapes = sorted({part.shape for part in parts})
        if len(shapes) != 1:
            raise InputError(f"trains: parts of the shapes {shapes} cannot be joined; one or more of one shape can")
        ends = np.cumsum([0] + [part.times.size for part in parts])
        offsets = [part.offsets[1:] + before for part, before in zip(parts, ends[:-1], strict=True)]
        return cls(
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.ids for part in parts]),
            np.concatenate([[0], *offsets]),
            shapes[0],
            max(part.duration for part in parts),
        )

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        # By way of the constructor, so that the arrays of a copy are read-only too.
        return type(self), (self.times, self.ids, self.offsets, self.shape, self.duration)

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

    @property
    def channel(self) -> Ints:
        """The channel of each spike, counted through all samples: sample * n + ids, shape (spikes,)."""
        return self.sample * self.n + self.ids

    def __iter__(self) -> Iterator[Self]:
        for first, last in itertools.pairwise(self.offsets.tolist()):
            offsets = np.array([0, last - first])
            yield type(self)(self.times[first:last], self.ids[first:last], offsets, self.shape, self.duration)

    def __getitem__(self, key: Any) -> Self:
        first, *rest = (key or (slice(None),)) if isinstance(key, tuple) else (key,)
        if first is Ellipsis:  # it stands for no axis if all have an index of their own
            first, rest = (rest[0], rest[1:]) if len(rest) > len(self.shape) else (slice(None), [Ellipsis, *rest])
        try:
            samples = np.atleast_1d(np.arange(len(self))[first])
            if samples.ndim > 1:
                raise IndexError("one index or one list of them picks samples")
            channels = np.arange(self.n).reshape(self.shape)[tuple(rest)] if rest else None
        except (IndexError, TypeError, ValueError, OverflowError) as error:
            shape = (len(self), *self.shape)
            raise InputError(f"trains of shape {shape}: no such samples or channels, {error}") from None
        counts = np.diff(self.offsets)[samples]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        # Spike number k of the answer is k - offsets[its sample] behind the begin of that sample here.
        at = np.arange(offsets[-1]) + np.repeat(self.offsets[samples] - offsets[:-1], counts)
        if channels is None:
            return type(self)(self.times[at], self.ids[at], offsets, self.shape, self.duration)
        if np.unique(channels).size != channels.size:
            raise InputError(f"trains: index {rest} names a channel twice")
        number = np.full(self.n, -1, dtype=np.int64)
        number[channels.ravel()] = np.arange(channels.size)
        ids = number[self.ids[at]]
        kept = ids >= 0
        sample = np.repeat(np.arange(samples.size), counts)[kept]
        return type(self).of(sample, self.times[at][kept], ids[kept], samples.size, channels.shape, self.duration)

    def counts(self) -> Ints:
        """Number of spikes of each channel, shape (samples, *shape)."""
        return np.bincount(self.channel, minlength=len(self) * self.n).reshape(len(self), *self.shape)

    def binned(self, width: float) -> Ints:
        """Number of spikes of each channel in bins of `width` ms, shape (samples, *shape, bins).

        The last bin may be shorter. A spike between two bins belongs to the later one.

        Raises InputError unless width is a finite number above 0, and for more than 2^31 counts.
        """
        width = number(width, "binned: width", "a finite number of ms above 0", above=0.0, unit="ms")
        with np.errstate(over="ignore"):
            bins = max(np.ceil(np.float64(self.duration) / width * (1.0 - ROUNDING)), 1.0)
        if not bins * max(len(self) * self.n, 1) <= 2**31:
            raise InputError(f"binned: width = {width:g} ms makes {bins:,.0f} bins a channel; give a larger one")
        bins = int(bins)
        place = np.minimum((self.times / width * (1.0 + ROUNDING)).astype(np.int64), bins - 1)
        counts = np.bincount(self.channel * bins + place, minlength=len(self) * self.n * bins)
        return counts.reshape(len(self), *self.shape, bins)

    def rates(self) -> Floats:
        """Rate of each channel, Hz: 1000 counts / duration, shape (samples, *shape); NaN without duration."""
        return np.asarray(self.counts() * (1000.0 / self.duration if self.duration > 0.0 else np.nan))

    def first(self) -> Floats:
        """Time of the first spike of each channel, ms, NaN without one, shape (samples, *shape)."""
        first = np.full(len(self) * self.n, np.nan)
        # Written backwards, so that the first of a channel's spikes is the one that stays.
        first[self.channel[::-1]] = self.times[::-1]
        return first.reshape(len(self), *self.shape)

    def __repr__(self) -> str:
        samples = f"{len(self):,} sample{'s' * (len(self) != 1)}"
        channels = f"{' x '.join(map(str, self.shape)) or 1} channels"
        spikes = f"{self.times.size:,} spikes, {self.duration:g} ms"
        return f"{type(self).__name__}({samples} of {channels}, {spikes})"


def _lengths(shape: Any) -> tuple[int, ...]:
    require_order(shape, "trains: shape", "a tuple of whole numbers")
    return tuple(whole(length, "trains: a length in shape", 0, 2**31) for length in shape)


def _given(values: Any, name: str, dtype: type) -> NDArray[Any]:
    """A read-only array of this type, or an InputError if values would be changed by it."""
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(f"trains: {name} are a masked array, whose mask would be lost; give its compressed()")
    array = as_array(values)
    kinds = "iuf" if dtype is np.float64 else "iu"
    if array.size and array.dtype.kind not in kinds:
        raise InputError(
            f"trains: {name} are of type {array.dtype}; {'numbers' if 'f' in kinds else 'whole numbers'} are needed"
        )
    given: NDArray[Any] = array.astype(dtype, copy=False).view()
    if dtype is not np.float64 and array.dtype.itemsize >= given.dtype.itemsize and not np.array_equal(given, array):
        raise InputError(f"trains: {name} run from {array.min()} to {array.max()}, too far for {given.dtype}")
    given.flags.writeable = False
    return given
