"""What a run leaves: spike trains, sampled traces, a summary."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.checks import floats
from eventsnn.errors import InputError, suggest
from eventsnn.trains import Trains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Item = TypeVar("Item")

# That a run may be cut into.
MOST_SAMPLES = 2**24

_UNIT_OF_PREFIX = {
    "V_": "mV", "E_": "mV", "Theta": "mV", "threshold": "mV", "I_": "pA", "ASC_": "pA", "dI_": "pA/ms", "g_": "nS",
    "C_": "pF", "t_": "ms", "tau_": "ms",
}  # fmt: skip


def unit(variable: str) -> str:
    """The unit that NEST's naming gives a recorded variable: "mV" for V_m, "pA" for I_syn_ex, "nS" for g_ex.

    A weight is in mV, pA or nS, depending on the model it projects to: its unit is "" here, as is that of a variable
    that a user has named otherwise.
    """
    return next((name for prefix, name in _UNIT_OF_PREFIX.items() if variable.startswith(prefix)), "")


@dataclass(frozen=True)
class Check:
    """A measured number against the one that was published or derived.

    A scenario's `check` returns a list of these. `source` says where `expected` and `tolerance` come from.
    """

    name: str
    measured: float
    expected: float
    tolerance: float
    source: str

    @property
    def passed(self) -> bool:
        """True if |measured - expected| <= tolerance; a NaN never passes."""
        return bool(abs(self.measured - self.expected) <= self.tolerance)


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

    times: FloatArray
    ids: IntArray
    n: int
    t_start: float
    t_stop: float
    name: str
    selected: IntArray | None = None

    __iter__ = None  # ambiguous: over spikes, or over neurons? `times` and `trains()` say which

    def __post_init__(self) -> None:
        what = f"spikes of {self.name!r}"
        object.__setattr__(self, "times", _read_only(self.times, np.float64, 1, f"{what}: times"))
        object.__setattr__(self, "ids", _read_only(self.ids, np.int64, 1, f"{what}: ids"))
        if self.selected is not None:
            object.__setattr__(self, "selected", _read_only(self.selected, np.int64, 1, f"{what}: selected"))
        self._validate(what)

    def _validate(self, what: str) -> None:
        times, ids = self.times, self.ids
        if not (math.isfinite(self.t_start) and math.isfinite(self.t_stop) and self.t_start <= self.t_stop):
            raise InputError(f"{what}: the window {self.t_start} to {self.t_stop} ms must be finite and ascending")
        if len(times) != len(ids):
            raise InputError(f"{what}: {len(times)} times but {len(ids)} ids, there must be one id for each time")
        if self.n < 0 or (self.selected is not None and len(self.selected) != self.n):
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
    def neurons(self) -> IntArray:
        """Ids of the neurons that this object is about, shape (n,)."""
        neurons = np.arange(self.n, dtype=np.int64) if self.selected is None else self.selected
        neurons.flags.writeable = False
        return neurons

    def between(self, t0: float, t1: float) -> SpikeTrains:
        """The spikes with t0 <= time < t1 (ms).

        The window of the answer is the part of [t0, t1) that was simulated, so that rates stay right.
        Raises InputError if no part of it was.
        """
        start, stop = max(float(t0), self.t_start), min(float(t1), self.t_stop)
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

    def _pick(self, index: Any) -> IntArray:
        picked = index
        if not isinstance(index, slice):
            picked = np.asarray(index)
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
        except IndexError:
            raise InputError(
                f"spikes of {self.name!r}: index {_brief(index)} is out of range, allowed is 0 to {self.n - 1}"
            ) from None

    @cached_property
    def rows(self) -> IntArray:
        """For each spike the position of its neuron in `neurons`, shape (spikes,)."""
        if self.selected is None:
            return self.ids
        row_of_id = np.zeros(int(self.selected.max(initial=-1)) + 1, dtype=np.int64)
        row_of_id[self.selected] = np.arange(self.n)
        rows = row_of_id[self.ids]
        rows.flags.writeable = False
        return rows

    @cached_property
    def _by_neuron(self) -> tuple[FloatArray, IntArray]:
        """Times sorted by position of the neuron, then by time; and where each neuron's begin, shape (n + 1,)."""
        rows = self.rows
        begins = np.zeros(self.n + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=self.n), out=begins[1:])
        times = self.times[np.argsort(rows, kind="stable")]
        times.flags.writeable = False
        return times, begins

    def trains(self) -> list[FloatArray]:
        """Spike times (ms) of each neuron: n arrays, in the order of `neurons`."""
        times, begins = self._by_neuron
        bounds = begins.tolist()
        return [times[first:last] for first, last in zip(bounds[:-1], bounds[1:], strict=True)]

    def counts(self) -> IntArray:
        """Number of spikes of each neuron, shape (n,)."""
        return np.diff(self._by_neuron[1])

    def rate(self) -> float:
        """Mean rate of a neuron in Hz: spikes / (n (t_stop - t_start)); NaN without neurons or duration."""
        seconds = (self.t_stop - self.t_start) / 1000.0
        return len(self.times) / (self.n * seconds) if self.n > 0 and seconds > 0.0 else math.nan

    def isi(self) -> FloatArray:
        """All intervals between successive spikes of a neuron (ms), pooled: neuron after neuron, each in time order."""
        times, begins = self._by_neuron
        within = np.ones(max(len(times) - 1, 0), dtype=bool)
        joints = begins[1:-1]
        within[joints[(joints > 0) & (joints < len(times))] - 1] = False
        return np.diff(times)[within]

    def cv(self) -> FloatArray:
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

    def psth(self, width: float) -> tuple[FloatArray, FloatArray]:
        """Edges of bins of `width` ms, shape (bins + 1,), and the mean rate of a neuron in each, Hz, shape (bins,).

        Bins are half-open and begin at t_start; the last one ends at t_stop, and its rate refers to its own length.
        Raises InputError unless width > 0.
        """
        if not (math.isfinite(width) and width > 0.0):
            raise InputError(f"spikes of {self.name!r}: psth width is {width} ms, it must be greater than 0")
        # a quotient such as (3 * 0.1) / 0.1 lies an ulp above 3 and must not open a bin of no length
        bins = math.ceil((self.t_stop - self.t_start) / width * (1.0 - 1e-12))
        edges = np.asarray(self.t_start + width * np.arange(bins + 1), dtype=np.float64)
        edges[-1] = self.t_stop
        bounds = np.searchsorted(self.times, edges)
        bounds[-1] = len(self.times)
        with np.errstate(invalid="ignore", divide="ignore"):
            return edges, np.diff(bounds) / (self.n * np.diff(edges) / 1000.0)

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        return (
            f"SpikeTrains({self.name!r}: {len(self):,} spikes of {self.n:,} neurons, "
            f"{self.t_start:g} to {self.t_stop:g} ms, {self.rate():.4g} Hz)"
        )


class Traces:
    """Variables of a population or projection, sampled at given times.

    Attributes:
        times: sample times in ms, ascending, shape (samples,).
        ids: the neurons (or synapses) sampled, as indices in the population (projection), shape (ids,).
        variables: {name: array of shape (ids, samples)}, read-only; each is an attribute too, such as `traces.V_m`.

    Units are those of the names: V_m in mV, I_syn_ex in pA (see `unit`).

    Raises InputError if the shapes do not fit each other or times do not ascend.
    """

    def __init__(self, times: ArrayLike, ids: ArrayLike, variables: Mapping[str, ArrayLike]):
        self.times: FloatArray = _read_only(times, np.float64, 1, "traces: times")
        self.ids: IntArray = _read_only(ids, np.int64, 1, "traces: ids")
        arrays = {name: _read_only(values, np.float64, 2, f"traces: {name}") for name, values in variables.items()}
        self.variables: Mapping[str, FloatArray] = MappingProxyType(arrays)
        if not (np.isfinite(self.times).all() and np.all(self.times[:-1] <= self.times[1:])):
            raise InputError("traces: times must be finite and ascend")
        for name, values in arrays.items():
            if values.shape != (len(self.ids), len(self.times)):
                raise InputError(
                    f"traces: {name} has shape {values.shape}, it must be "
                    f"(ids, samples) = ({len(self.ids)}, {len(self.times)})"
                )

    def __getattr__(self, name: str) -> FloatArray:
        # reached only for what is no ordinary attribute; __dict__, since copying asks before __init__ has run
        variables: Mapping[str, FloatArray] = self.__dict__.get("variables", {})
        if name in variables:
            return variables[name]
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"traces hold no {name!r}; {suggest(name, variables)}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.variables]

    def between(self, t0: float, t1: float) -> Traces:
        """The samples with t0 <= time < t1 (ms); raises InputError unless t0 < t1."""
        if not t0 < t1:
            raise InputError(f"traces: between({t0}, {t1}) is no window, t0 must be less than t1")
        first, last = np.searchsorted(self.times, [t0, t1])
        return Traces(
            self.times[first:last], self.ids, {name: array[:, first:last] for name, array in self.variables.items()}
        )

    def __repr__(self) -> str:
        return f"Traces({', '.join(self.variables)}: {len(self.ids)} ids, {len(self.times):,} samples)"


class Named(Mapping[str, Item]):
    """A read-only dictionary whose missing name raises InputError with a suggestion."""

    def __init__(self, items: Mapping[str, Item], what: str):
        self._items = dict(items)
        self._what = what

    def __getitem__(self, name: str) -> Item:
        if name not in self._items:
            raise InputError(f"results hold no {self._what} of {name!r}; {suggest(name, self._items)}")
        return self._items[name]

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def get(self, name: str, default: Any = None) -> Any:
        return self._items.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


class Results:
    """Everything that a run recorded.

    Attributes:
        spikes: {population: SpikeTrains}.
        traces: {population or projection: Traces}.
        t_start, t_stop: the simulated time in ms that the results cover.
        summary: what else is known of the run (engine, seed, counters, checks ...), fit for JSON. `plot` looks for
            summary["V_th"] = {population: mV} to draw spikes on top of membrane potentials.

    Counters, all of the compiled engine: synaptic_events and external_events that arrived; spikes, of sources too;
    queue_pops, entries taken from the queues; neuron_updates, how often a neuron was taken up in a window;
    bounds_due, how often a time came before which a neuron could not spike and its crossing had to be searched for;
    threshold_tests, quick ones of whether V stays below the threshold for some time, and threshold_tests_resolved,
    those by which it does; calm_looks, how often it was asked of a neuron how much may arrive without a spike, and
    alert_arrivals, what then arrived at neurons with no room for it. collecting_s and processing_s: seconds spent on
    finding out what happens in each window, and on the neurons to which it happens (0 where a delay of 0 leaves no
    windows), and waiting_s, for other threads: those of the first thread. All counts are the same for any number of
    threads, but for a run that ended in an error.

    `results.spikes[name]` raises InputError with a suggestion if nothing of that name was recorded.
    """

    def __init__(
        self,
        spikes: Mapping[str, SpikeTrains],
        traces: Mapping[str, Traces],
        t_start: float,
        t_stop: float,
        summary: dict[str, Any],
    ):
        self.spikes: Mapping[str, SpikeTrains] = Named(spikes, "spikes")
        self.traces: Mapping[str, Traces] = Named(traces, "traces")
        self.t_start = t_start
        self.t_stop = t_stop
        self.summary = summary

    def by_sample(self, every: float) -> Mapping[str, Trains]:
        """What each population fired at each of the samples that it was shown, one every so many ms.

        Sample k lies in [t_start + k every, t_start + (k + 1) every), and times count from its beginning; a last one
        that the run did not see to its end is left out. The channels are the neurons recorded. See
        `eventsnn.encode.present`, which lines samples up in this way. Raises InputError unless every is above 0 and at
        most what was simulated.
        """
        length = self.t_stop - self.t_start
        given = floats(every, "results: every of by_sample", "a number of ms")
        if given.ndim or not 0.0 < given <= length or length / given >= MOST_SAMPLES:
            raise InputError(
                f"results: by_sample({every!r}) must be one number of ms above 0 and at most {length:g} ms, all that "
                f"was simulated, and make less than {MOST_SAMPLES:,} samples"
            )
        samples = math.floor(length / every * (1.0 + 1e-12))
        start = self.t_start + every * np.arange(samples + 1)
        start[-1] = min(start[-1], self.t_stop)
        cut = {}
        for name, spikes in self.spikes.items():
            shown = int(np.searchsorted(spikes.times, start[-1]))
            times, rows = spikes.times[:shown], spikes.rows[:shown]
            sample = np.searchsorted(start, times, side="right") - 1
            cut[name] = Trains.of(sample, np.minimum(times - start[sample], every), rows, samples, (spikes.n,), every)
        return Named(cut, "spikes")

    def plot(self) -> Figure:
        """Raster, population rates and recorded potentials as one matplotlib Figure (`savefig` writes it)."""
        from eventsnn.plot import figure  # matplotlib takes longer to import than many runs last

        return figure(self)

    def save(self, directory: str | os.PathLike[str], force: bool = False) -> None:
        """Write spikes.h5, traces.h5 and summary.json into `directory`; `eventsnn.load` reads them back.

        Raises InputError if the directory holds anything already. With force=True a former result in it is replaced.
        """
        from eventsnn.storage import save  # storage builds Results, so it imports this module

        save(self, directory, force)

    def __repr__(self) -> str:
        rows = [("population", "neurons", "spikes", "rate (Hz)", "CV")]
        for name, trains in self.spikes.items():
            cv = trains.cv()
            cv = cv[np.isfinite(cv)]
            mean_cv = f"{cv.mean():.2f}" if len(cv) else "-"
            rows.append((name, f"{trains.n:,}", f"{len(trains):,}", f"{trains.rate():.2f}", mean_cv))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"Results, {self.t_start:g} to {self.t_stop:g} ms"]
        for first, *others in rows:
            cells = [first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(others, widths[1:], strict=True))]
            lines.append("  ".join(cells))
        lines.extend(f"{name}: {traces!r}" for name, traces in self.traces.items())
        return "\n".join(lines)


def _read_only(values: ArrayLike, dtype: type, dimensions: int, what: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
        if array.size == 0 and array.ndim == dimensions:
            array = array.astype(dtype)
        array = np.asarray(array.astype(dtype, casting="same_kind", copy=False)).view()
    except (TypeError, ValueError):
        raise InputError(f"{what} must be an array of {np.dtype(dtype).name}") from None
    if array.ndim != dimensions:
        raise InputError(f"{what} must have {dimensions} dimension{'s' * (dimensions > 1)}, not {array.ndim}")
    array.flags.writeable = False
    return array


def _brief(index: Any) -> str:
    text = repr(index)
    return text if len(text) <= 60 else f"{text[:57]}..."
