"""Recorded: spikes, traces and a summary of a run."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from eventsnn.base.checks import floats, number
from eventsnn.base.errors import InputError, suggest
from eventsnn.results.spike_trains import COLUMNS, SpikeTrains, cells
from eventsnn.results.traces import Traces
from eventsnn.results.trains import Trains

if TYPE_CHECKING:
    from typing_extensions import Self

Item = TypeVar("Item")

# The most samples that a run may be cut into.
MOST_SAMPLES = 2**24


class Named(Mapping[str, Item]):
    """A read-only dictionary whose missing name raises InputError with a suggestion."""

    def __init__(self, items: Mapping[str, Item], what: str):
        self._items = dict(items)
        self._what = what

    def __getitem__(self, name: str) -> Item:
        if name not in self:
            raise InputError(f"results hold no {self._what} of {name!r}; {suggest(name, self._items)}")
        return self._at(name)

    def _at(self, name: str) -> Item:
        return self._items[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._items

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


class Recorded:
    """What a run recorded, without the ways to draw and to keep it; see Results."""

    # How to read it part by part, where it is not at hand as a whole; and the SHA-256 of the state in the end, or how
    # to find it.
    _parts: Callable[[], Iterator[Recorded]] | None = None
    _state: Callable[[], str] | str | None = None

    def __init__(
        self,
        spikes: Mapping[str, SpikeTrains],
        traces: Mapping[str, Traces],
        t_start: float,
        t_stop: float,
        summary: dict[str, Any],
    ):
        for what, given, kind in (("spikes", spikes, SpikeTrains), ("traces", traces, Traces)):
            named = isinstance(given, Mapping) and all(isinstance(name, str) for name in given)
            if not named or not all(isinstance(item, kind) for item in given.values()):
                raise InputError(
                    f"results: {what} = {reprlib.repr(given)} must be a dictionary from names to {kind.__name__}"
                )
        if not isinstance(summary, dict):
            raise InputError(f"results: summary = {reprlib.repr(summary)} must be a dictionary")
        self.spikes: Mapping[str, SpikeTrains] = Named(spikes, "spikes")
        self.traces: Mapping[str, Traces] = Named(traces, "traces")
        self.t_start = number(t_start, "results: t_start", "a finite number of ms", unit="ms")
        rule = f"a finite number of ms from t_start = {self.t_start:g} on"
        self.t_stop = number(t_stop, "results: t_stop", rule, self.t_start, unit="ms")
        self.summary = summary

    @classmethod
    def in_parts(
        cls, spikes: Mapping[str, SpikeTrains], traces: Mapping[str, Traces], t_start: float, t_stop: float,
        summary: dict[str, Any], parts: Callable[[], Iterator[Recorded]],
    ) -> Self:  # fmt: skip
        """What lies in parts that follow each other in time, and is not at hand as a whole: mappings read it."""
        found = object.__new__(cls)
        found.spikes, found.traces, found.t_start, found.t_stop = spikes, traces, t_start, t_stop
        found.summary, found._parts = summary, parts
        return found

    def parts(self) -> Iterator[Recorded]:
        """The same, part by part in the order of time, of which each fits into memory; itself where it is at hand."""
        return iter([self]) if self._parts is None else self._parts()

    def __getstate__(self) -> dict[str, Any]:
        if self._parts is None:
            return self.__dict__.copy()
        whole = {"spikes": Named(self.spikes, "spikes"), "traces": Named(self.traces, "traces"), "_parts": None}
        return self.__dict__ | whole

    def by_sample(self, every: float) -> Mapping[str, Trains]:
        """The spikes of each population, cut into the samples that it was shown, one every so many ms.

        Sample k lies in [t_start + k every, t_start + (k + 1) every), and times count from its beginning; a last one
        that the run did not see to its end is left out. The channels are the neurons recorded. See
        `eventsnn.encode.present`, which lines samples up in this way. Raises InputError unless every is above 0 and at
        most what was simulated.
        """
        length = self.t_stop - self.t_start
        given = floats(every, "results: every of by_sample", "a number of ms", unit="ms")
        if given.ndim or not 0.0 < given <= length or length / float(given) >= MOST_SAMPLES:
            raise InputError(
                f"results: by_sample({every!r}) must be one number of ms above 0 and at most {length:g} ms, all that "
                f"was simulated, and make less than {MOST_SAMPLES:,} samples"
            )
        every = float(given)
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

    def __repr__(self) -> str:
        rows = [COLUMNS, *[cells(name, trains) for name, trains in self.spikes.items()]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"Results, {self.t_start:g} to {self.t_stop:g} ms"]
        for first, *others in rows:
            aligned = [first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(others, widths[1:], strict=True))]
            lines.append("  ".join(aligned))
        lines.extend(f"{name}: {traces!r}" for name, traces in self.traces.items())
        return "\n".join(lines)
