"""Results: what a run recorded, and how to draw, keep and load it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Any

from eventsnn.base.checks import scalar
from eventsnn.base.errors import StateError
from eventsnn.results.fingerprint import fingerprint
from eventsnn.results.html import image, table
from eventsnn.results.recorded import Recorded
from eventsnn.results.spike_trains import COLUMNS, cells
from eventsnn.results.storage import read, save
from eventsnn.results.traces import TRACE_COLUMNS, trace_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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

    def __post_init__(self) -> None:
        for name in ("measured", "expected", "tolerance"):
            scalar(getattr(self, name), f"check {self.name!r}: {name}", "a number")

    @property
    def passed(self) -> bool:
        """True if |measured - expected| <= tolerance; a NaN never passes."""
        return bool(abs(self.measured - self.expected) <= self.tolerance)


class Results(Recorded):
    """Everything that a run recorded.

    Attributes:
        spikes: {population: SpikeTrains}.
        traces: {population or projection: Traces}.
        t_start, t_stop: the simulated time in ms that the results cover.
        summary: what else is known of the run (engine, seed, counters, checks ...), fit for JSON. `plot` looks for
            summary["V_th"] = {population: mV} to draw spikes on top of membrane potentials, and for
            summary["currents"], what stimuli injected into traced neurons (eventsnn/results/injected.py): of the first
            50 of each trace, in up to 2,000 pieces of straight lines and sines; of more, nothing is noted.

    Counters, all of the compiled engine: synaptic_events and external_events that arrived; spikes, of sources too;
    queue_pops, entries taken from the queues; neuron_updates, how often a neuron was taken up in a window;
    bounds_due, how often a time came before which a neuron could not spike and its crossing had to be searched for;
    threshold_tests, quick ones of whether V stays below the threshold for some time, and threshold_tests_resolved,
    those by which it does; calm_looks, how often it was asked of a neuron how much may arrive without a spike, and
    alert_arrivals, what then arrived at neurons with no room for it; windows, stretches of time taken up one after
    another, and under_way, spikes on their way along a projection, summed over windows. collecting_s and
    processing_s: seconds spent on finding out what happens in each window, and on the neurons to which it happens (0
    where a delay of 0 leaves no windows), and waiting_s, for other threads: those of the first thread. All counts are
    the same for any number of threads, but for a run that ended in an error.

    `results.spikes[name]` raises InputError with a suggestion if nothing of that name was recorded.
    """

    def plot(
        self,
        t0: float | None = None,
        t1: float | None = None,
        populations: str | Sequence[str] | None = None,
        traces: int = 6,
        bin: float | None = None,
        title: str | None = None,
    ) -> Figure:
        """Raster, population rates, recorded potentials and, beneath, the currents (pA) that stimuli injected into
        these neurons, as one matplotlib Figure (`savefig` writes it).

        t0, t1: ms, the window that is drawn; where left out, from the beginning and to the end of the run.
        populations: the name of one or a list of names; where left out, all that were recorded.
        traces: at most so many recorded potentials and currents, 0 to 50, dealt out fairly to the populations.
        bin: ms, the width of the bins of the rates. Where left out it is chosen so that bins hold some spikes, and
            rates are left out where the spikes are not enough for five bins.
        title: a text above the picture.

        A notebook shows the figure. Raises InputError unless the window is a part of what was simulated and all names
        and numbers are of this kind.
        """
        from eventsnn.results.plot import figure  # matplotlib takes longer to import than many runs last

        return figure(self, t0, t1, populations, traces, bin, title)

    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal digits, of all spikes and samples and of the state in which the run ended.

        It is the same for any number of threads, engine, storage of synapses and compiler, and however the run was cut
        into pieces or resumed. Raises StateError where the state is not known: once the network has gone on since, and
        for results that were put together by hand.
        """
        return fingerprint(self, self.state())

    def state(self) -> str:
        """SHA-256, in hexadecimal digits, of the state in which the run ended; see `fingerprint`."""
        if callable(self._state):
            self._state = self._state()
        if self._state is None:
            raise StateError("fingerprint: the state in which the run ended is not known of these results")
        return self._state

    @classmethod
    def of(cls, recorded: Recorded, state: Callable[[], str] | str | None) -> Results:
        """Results of what was recorded and the SHA-256 of the state in the end, which may be found out later."""
        found = object.__new__(cls)
        found.__dict__ |= recorded.__dict__
        found._state = state
        return found

    def __getstate__(self) -> dict[str, Any]:
        held = super().__getstate__()
        with suppress(StateError):
            held["_state"] = self.state()
        return held if isinstance(held["_state"], str) else held | {"_state": None}

    def _repr_html_(self) -> str:
        """What a notebook shows: the tables, and beneath them the picture."""
        from eventsnn.results.plot import figure

        title = f"Results, {self.t_start:g} to {self.t_stop:g} ms"
        parts = [table(title, COLUMNS, starmap(cells, self.spikes.items()))]
        if self.traces:
            rows = [row for name, traces in self.traces.items() for row in trace_rows(name, traces)]
            parts.append(table("Traces", TRACE_COLUMNS, rows))
        return "".join([*parts, image(figure(self).png(), "raster, rates and traces")])

    def report(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Write one HTML page, below 30 MB, that needs no network: a raster to zoom into, rates, traces, statistics,
        weights, checks and counters; docs/report.md says more.

        Raises InputError if there is a file already, unless force=True, or if it cannot be written.
        """
        from eventsnn.results.report.report import write_report  # for few runs, and with modules of its own

        write_report(self, path, force)

    def to_neo(self) -> Any:
        """A neo.Block with one Segment, for Elephant, Viziphant and the files that Neo writes.

        segment.spiketrains has a train (ms) for every neuron recorded, silent ones included, annotated with population
        and neuron, its id there. Each variable traced is an AnalogSignal where it was sampled regularly, else an
        IrregularlySampledSignal, shape (samples, ids), in the unit of its name, dimensionless if that says none.
        Raises InputError without the package neo.
        """
        from eventsnn.results.hand_over import block  # Neo is optional

        return block(self)

    def to_dataframe(self, trace: str | None = None) -> Any:
        """All spikes as a pandas.DataFrame with the columns population (categorical), id and time (ms).

        Populations follow each other; in each, times ascend. trace: the name of a trace, whose samples are given in
        place of the spikes, with the columns id, time and one for each variable; ids follow each other. Raises
        InputError without the package pandas, or if nothing of this name was sampled.
        """
        from eventsnn.results.hand_over import spike_table, trace_table  # pandas is optional

        return spike_table(self.spikes) if trace is None else trace_table(self.traces[trace])

    def save(self, directory: str | os.PathLike[str], force: bool = False) -> None:
        """Write spikes.h5, traces.h5 and summary.json into `directory`; `eventsnn.load` reads them back.

        The summary gets the fingerprint, where the state is known in which the run ended.

        Raises InputError if the directory holds anything already. With force=True a former result in it is replaced.
        """
        with suppress(StateError):
            self.summary |= {"state": self.state(), "fingerprint": self.fingerprint()}
        save(self, directory, force)


def load(directory: str | os.PathLike[str]) -> Results:
    """The Results that `Results.save` wrote into `directory`, bit for bit.

    Raises InputError, naming the file, if one is missing, damaged or of another origin.
    """
    kept = read(directory)
    state = kept.summary.get("state")
    return Results.of(kept, state if isinstance(state, str) else None)
