"""SpikeTrains: the spikes of a population."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats, Ints, read_only
from eventsnn.base.checks import as_array, scalar, whole
from eventsnn.base.errors import InputError
from eventsnn.results.html import table

# What tables of spike trains show.
COLUMNS = ("population", "neurons", "spikes", "rate (Hz)", "CV")
# Of a histogram: 1 GB for each of its arrays.
MOST_BINS = 2**27


@dataclass(frozen=True, eq=False, repr=False)
class SpikeTrains:
    """The spikes of a population, or of some of its neurons, in a window of time.

    Attributes:
        times: spike times in ms, ascending, float64, shape (spikes,).
        ids: the neuron that fired, as its index in the population, int64, shape (spikes,).
        n: number of neurons that this object is about, silent ones included.
        t_start, t_stop: the window in ms; rates refer to its length.
        name: of the population.
        selected: ids of the n neurons where they are not simply 0 ... n-1; see `neurons`.

    Per-neuron answers (`trains`, `counts`, `cv`) have one entry for each of `neurons`, in that order.
    Arrays are taken over without a copy and are read-only here. `len(spikes)` is the number of spikes.

    Raises InputError if the arrays do not fit each other, the window or the neurons.
    """

    times: Floats
    ids: Ints
    n: int
    t_start: float
    t_stop: float
    name: str
    selected: Ints | None = None

    __iter__ = None  # ambiguous: over spikes, or over neurons? `times` and `trains()` say which

    def __post_init__(self) -> None:
        what = f"spikes of {self.name!r}"
        if not isinstance(self.name, str):
            raise InputError(f"{what}: the name of a population must be a string")
        object.__setattr__(self, "times", read_only(self.times, np.float64, 1, f"{what}: times"))
        object.__setattr__(self, "ids", read_only(self.ids, np.int64, 1, f"{what}: ids"))
        if self.selected is not None:
            object.__setattr__(self, "selected", read_only(self.selected, np.int64, 1, f"{what}: selected"))
        object.__setattr__(self, "n", whole(self.n, f"{what}: n", 0))
        for name in ("t_start", "t_stop"):
            object.__setattr__(self, name, scalar(getattr(self, name), f"{what}: {name}", "a number of ms", unit="ms"))
        self._validate(what)

    @classmethod
    def sound(
        cls, times: Floats, ids: Ints, n: int, t_start: float, t_stop: float, name: str, selected: Ints | None
    ) -> SpikeTrains:
        """The same without looking at every spike, for read-only arrays that surely fit: what a short run leaves must
        not cost more the more there were before it."""
        trains = object.__new__(cls)
        values = {"times": times, "ids": ids, "n": n, "t_start": t_start, "t_stop": t_stop, "name": name}
        for field, value in {**values, "selected": selected}.items():
            object.__setattr__(trains, field, value)
        return trains

    def _validate(self, what: str) -> None:
        times, ids = self.times, self.ids
        if not (math.isfinite(self.t_start) and math.isfinite(self.t_stop) and self.t_start <= self.t_stop):
            raise InputError(f"{what}: the window {self.t_start} to {self.t_stop} ms must be finite and ascending")
        if len(times) != len(ids):
            raise InputError(f"{what}: {len(times)} times but {len(ids)} ids, there must be one id for each time")
        if self.selected is not None and len(self.selected) != self.n:
            raise InputError(f"{what}: n is {self.n}, it must be the number of neurons")
        if len(times) == 0:
            return
        if not (times[0] >= self.t_start and times[-1] <= self.t_stop and np.all(times[:-1] <= times[1:])):
            raise InputError(f"{what}: times must ascend within {self.t_start} to {self.t_stop} ms")
        if self.selected is None and not (0 <= ids.min() and ids.max() < self.n):
            raise InputError(f"{what}: ids run from {ids.min()} to {ids.max()}, allowed is 0 to {self.n - 1}")
        if self.selected is not None and not np.isin(ids, self.selected).all():
            raise InputError(f"{what}: some ids are not among the selected neurons")

    @cached_property
    def neurons(self) -> Ints:
        """Ids of the neurons that this object is about, shape (n,)."""
        neurons = np.arange(self.n, dtype=np.int64) if self.selected is None else self.selected
        neurons.flags.writeable = False
        return neurons

    def between(self, t0: float, t1: float) -> SpikeTrains:
        """The spikes with t0 <= time < t1 (ms).

        The window of the answer is the part of [t0, t1) that was simulated, so that rates stay right.
        Raises InputError if no part of it was.
        """
        what = f"spikes of {self.name!r}: between's"
        t0, t1 = (scalar(t, f"{what} {name}", "a number of ms", unit="ms") for t, name in ((t0, "t0"), (t1, "t1")))
        start, stop = max(t0, self.t_start), min(t1, self.t_stop)
        if not (t0 < t1 and start < stop):
            raise InputError(
                f"spikes of {self.name!r}: between({t0}, {t1}) is no window within {self.t_start} to {self.t_stop} ms"
            )
        first, last = np.searchsorted(self.times, [t0, t1])
        return SpikeTrains(self.times[first:last], self.ids[first:last], self.n, start, stop, self.name, self.selected)

    def __getitem__(self, index: int | slice | Sequence[int] | NDArray[Any]) -> SpikeTrains:
        """The spikes of some neurons: `spikes[3]`, `spikes[:100]`, `spikes[[7, 2]]`, `spikes[mask]`.

        Indexes `neurons` as NumPy would: for the whole population positions are ids. The order given is kept.
        Raises InputError for a neuron that is not there, one named twice, or a mask of another length.
        """
        neurons = np.atleast_1d(self._pick(index))
        if len(np.unique(neurons)) != len(neurons):
            raise InputError(f"spikes of {self.name!r}: index {_brief(index)} names a neuron twice")
        keep = np.zeros(int(self.neurons.max(initial=-1)) + 1, dtype=bool)
        keep[neurons] = True
        kept = keep[self.ids]
        return SpikeTrains(
            self.times[kept], self.ids[kept], len(neurons), self.t_start, self.t_stop, self.name, neurons
        )

    def _pick(self, index: Any) -> Ints:
        picked = index
        if not isinstance(index, slice):
            picked = as_array(index)
            if picked.size == 0 and picked.dtype != np.bool_:
                picked = picked.astype(np.int64)
            if picked.ndim > 1 or picked.dtype.kind not in "iub":
                raise InputError(
                    f"spikes of {self.name!r}: index {_brief(index)} must be an integer, a slice, "
                    "a list of integers or a boolean mask"
                )
            if picked.dtype.kind == "b" and picked.shape != (self.n,):
                raise InputError(
                    f"spikes of {self.name!r}: a mask must have one entry for each of {self.n} neurons, "
                    f"this one has shape {picked.shape}"
                )
        try:
            return np.asarray(self.neurons[picked], dtype=np.int64)
        except (IndexError, TypeError, OverflowError):
            raise InputError(
                f"spikes of {self.name!r}: index {_brief(index)} is out of range, allowed is 0 to {self.n - 1}"
            ) from None

    @cached_property
    def rows(self) -> Ints:
        """For each spike the position of its neuron in `neurons`, shape (spikes,)."""
        if self.selected is None:
            return self.ids
        row_of_id = np.zeros(int(self.selected.max(initial=-1)) + 1, dtype=np.int64)
        row_of_id[self.selected] = np.arange(self.n)
        rows = row_of_id[self.ids]
        rows.flags.writeable = False
        return rows

    @cached_property
    def _by_neuron(self) -> tuple[Floats, Ints]:
        """Times sorted by position of the neuron, then by time; and where each neuron's begin, shape (n + 1,)."""
        rows = self.rows
        begins = np.zeros(self.n + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=self.n), out=begins[1:])
        times = self.times[np.argsort(rows, kind="stable")]
        times.flags.writeable = False
        return times, begins

    def trains(self) -> list[Floats]:
        """Spike times (ms) of each neuron: n arrays, in the order of `neurons`."""
        times, begins = self._by_neuron
        bounds = begins.tolist()
        return [times[first:last] for first, last in zip(bounds[:-1], bounds[1:], strict=True)]

    def counts(self) -> Ints:
        """Number of spikes of each neuron, shape (n,)."""
        return np.diff(self._by_neuron[1])

    def rate(self) -> float:
        """Mean rate of a neuron in Hz: spikes / (n (t_stop - t_start)); NaN without neurons or duration."""
        seconds = (self.t_stop - self.t_start) / 1000.0
        return len(self.times) / (self.n * seconds) if self.n > 0 and seconds > 0.0 else math.nan

    def isi(self) -> Floats:
        """All intervals between successive spikes of a neuron (ms), pooled: neuron after neuron, each in time order."""
        times, begins = self._by_neuron
        within = np.ones(max(len(times) - 1, 0), dtype=bool)
        joints = begins[1:-1]
        within[joints[(joints > 0) & (joints < len(times))] - 1] = False
        return np.diff(times)[within]

    def cv(self) -> Floats:
        """Coefficient of variation of the interspike intervals of each neuron, shape (n,).

        std(isi) / mean(isi) with the population standard deviation (ddof = 0), as in Elephant; NaN for a neuron
        with fewer than three spikes, since one interval does not vary.
        """
        isi = self.isi()
        intervals = np.maximum(self.counts() - 1, 0)
        neuron = np.repeat(np.arange(self.n), intervals)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(neuron, isi, self.n) / intervals
            variance = np.bincount(neuron, (isi - mean[neuron]) ** 2, self.n) / intervals
            return np.where(intervals >= 2, np.sqrt(variance) / mean, np.nan)

    def psth(self, width: float) -> tuple[Floats, Floats]:
        """Edges of bins of `width` ms, shape (bins + 1,), and the mean rate of a neuron in each, Hz, shape (bins,).

        Bins are half-open and begin at t_start; the last one ends at t_stop, and its rate refers to its own length.
        Raises InputError unless width > 0.
        """
        width = scalar(width, f"spikes of {self.name!r}: psth width", "a number of ms", unit="ms")
        if not (math.isfinite(width) and width > 0.0):
            raise InputError(f"spikes of {self.name!r}: psth width is {width} ms, it must be greater than 0")
        if (self.t_stop - self.t_start) / width > MOST_BINS:
            raise InputError(f"spikes of {self.name!r}: psth width is {width} ms, too short for {MOST_BINS:,} bins")
        # a quotient such as (3 * 0.1) / 0.1 lies an ulp above 3 and must not open a bin of no length
        bins = math.ceil((self.t_stop - self.t_start) / width * (1.0 - 1e-12))
        edges = np.asarray(self.t_start + width * np.arange(bins + 1), dtype=np.float64)
        edges[-1] = self.t_stop
        bounds = np.searchsorted(self.times, edges)
        bounds[-1] = len(self.times)
        with np.errstate(invalid="ignore", divide="ignore"):
            return edges, np.diff(bounds) / (self.n * np.diff(edges) / 1000.0)

    def __reduce__(self) -> tuple[type[SpikeTrains], tuple[Any, ...]]:
        # By way of the constructor, so that the arrays of a copy are read-only too.
        return type(self), (self.times, self.ids, self.n, self.t_start, self.t_stop, self.name, self.selected)

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        return (
            f"SpikeTrains({self.name!r}: {len(self):,} spikes of {self.n:,} neurons, "
            f"{self.t_start:g} to {self.t_stop:g} ms, {self.rate():.4g} Hz)"
        )

    def _repr_html_(self) -> str:
        return table(f"Spikes, {self.t_start:g} to {self.t_stop:g} ms", COLUMNS, [cells(self.name, self)])


def cells(name: str, trains: SpikeTrains) -> tuple[str, ...]:
    """The row of a population in a table with COLUMNS; CV is the mean of the neurons that have one."""
    cv = trains.cv()
    cv = cv[np.isfinite(cv)]
    mean = f"{cv.mean():.2f}" if len(cv) else "-"
    return name, f"{trains.n:,}", f"{len(trains):,}", f"{trains.rate():.2f}", mean


def _brief(index: Any) -> str:
    text = repr(index)
    return text if len(text) <= 60 else f"{text[:57]}..."
