"""`sweep`: a network is simulated at each point of a grid, and what was measured becomes a `Sweep`."""

from __future__ import annotations

import hashlib
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsnn.base.checks import flag, number, whole
from eventsnn.base.errors import InputError, InputWarning, suggest
from eventsnn.base.paths import AnyPath, as_path, claimed
from eventsnn.batch import table as tables
from eventsnn.batch.cells import DamagedCell, Outcome, Task, keep, read_outcome
from eventsnn.batch.grid import Value
from eventsnn.batch.jobs import Where, outcomes
from eventsnn.batch.measures import standard
from eventsnn.batch.plan import Plan, make_folder, read_plan
from eventsnn.batch.progress import Clock, SweepBar, SweepStatus
from eventsnn.batch.swept import Swept
from eventsnn.network import Network
from eventsnn.results.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_THREADS = 1024
Measure = Callable[[Results], Mapping[str, Any]]
Progress = bool | Callable[[SweepStatus], object]


@dataclass(frozen=True)
class Sweep(Swept):
    """What was measured at each point of a grid of parameters; made by `sweep` and `load_sweep`.

    Attributes:
        plan: the grid, the repeats and the seed, and what was simulated.
        outcomes: what became of the cells that were simulated, by their index.
        folder: where they are kept, or None.
    """

    def to_csv(self, path: AnyPath, force: bool = False) -> None:
        """Write the table as CSV, floats with all their digits.

        Raises InputError if there is a file already, unless force=True, or if it cannot be written.
        """
        tables.write_csv(self.table(), path, force)

    def to_parquet(self, path: AnyPath, force: bool = False) -> None:
        """Write the table as Apache Parquet; needs pandas and pyarrow: pip install "eventsnn[parquet]".

        Raises InputError without them, if there is a file already, unless force=True, or if it cannot be written.
        """
        tables.write_parquet(self.table(), path, force)

    def to_dataframe(self) -> Any:
        """The table as a pandas.DataFrame. Raises InputError without the package pandas."""
        return tables.dataframe(self.table())

    def heat_map(
        self, quantity: str, path: AnyPath | None = None, x: str | None = None, y: str | None = None
    ) -> Figure:
        """A quantity over two parameters, in colour; written to `path` if one is given.

        x, y: the first two parameters with several values if left out. It is the mean over repeats, and over the
        parameters that are on no axis. Raises InputError for unknown names, or a grid that has no two axes.
        """
        from eventsnn.batch.plot import heat_map_figure, written  # matplotlib takes long to import

        return written(heat_map_figure(self, quantity, x, y), path)

    def curves(self, quantity: str, path: AnyPath | None = None, x: str | None = None, by: str | None = None) -> Figure:
        """A quantity over one parameter, a curve for each value of another one; written to `path` if one is given.

        x: the first parameter with several values if left out. by: the next one, if there is one. Points are means over
        repeats, and over the parameters that are not named; bars are standard deviations. Raises InputError for unknown
        names, or a grid without any axis.
        """
        from eventsnn.batch.plot import curves_figure, written

        return written(curves_figure(self, quantity, x, by), path)

    def plot(self, path: AnyPath | None = None) -> Figure:
        """All quantities: heat maps over two parameters, curves over one; written to `path` if one is given."""
        from eventsnn.batch.plot import overview, written

        return written(overview(self), path)

    def report(self, path: AnyPath, force: bool = False) -> None:
        """Write pictures, the means at each point and the cells that failed as one HTML page that needs no network.

        Raises InputError if there is a file already, unless force=True, or if it cannot be written.
        """
        from eventsnn.batch.report import write_report

        write_report(self, path, force)

    def __repr__(self) -> str:
        sizes = [f"{name} ({len(values)} values)" for name, values in self.grid.items()]
        parts = [*sizes, *([f"{self.plan.repeat} repeats"] if self.plan.repeat > 1 else [])]
        lacking = [f"{n} {word}" for n, word in ((len(self.failed), "failed"), (self.missing, "missing")) if n]
        return f"<Sweep of {' x '.join(parts) or 'one cell'}: {', '.join([f'{len(self.plan.cells)} cells', *lacking])}>"


def sweep(
    build: Callable[..., Network],
    duration: float,
    grid: Mapping[str, Sequence[Value]],
    *,
    repeat: int = 1,
    jobs: int = 1,
    measure: Measure | None = None,
    skip: float = 0.0,
    out: AnyPath | None = None,
    seed: int = 1,
    retry_failed: bool = False,
    threads: int = 1,
    dask: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    progress: Progress = False,
) -> Sweep:
    """Simulate a network at each point of a grid, and measure.

    build: called with the parameters of a cell, returns the Network. If it has a parameter `seed` that is not in the
        grid, each cell is given its own, which follows from the sweep's seed, the cell's parameters and its repeat.
    duration: of each cell, ms. grid: the values of each parameter; a cell is a combination of them, `repeat` times.
    measure: called with the Results of a cell, returns a dictionary of numbers. Left out it is rate (Hz), CV of
        intervals, synchrony, correlation and frequency of each population, of the run without its first `skip` ms:
        docs/sweeps.md says what they are.
    out: folder in which each cell is kept when it is finished. Called again with the same arguments `sweep` goes on
        with the cells that are missing; those that failed are tried again with retry_failed=True.
    jobs: cells at the same time, in processes of their own; threads: of each. The numbers depend on neither.
    dask: the address of a scheduler of dask.distributed, in whose workers cells are simulated instead.
    slurm: the same as jobs of Slurm, as many as `jobs`; a dictionary with any of partition, minutes, memory (GB) and
        cluster ("local" for processes of this machine). `out` must be a folder that all machines see.
    progress: True for a bar on standard error, or a function that is called with a SweepStatus after each cell.

    A cell that raises an exception has failed; the others go on. Raises InputError for arguments that make no sense, a
    folder that holds another sweep or cannot be written, and a cluster that cannot be reached.
    """
    takes_seed = _require_build(build, grid)
    length = number(duration, "sweep: duration", "a number of ms above 0", above=0.0)
    late = number(skip, "sweep: skip", "a number of ms, 0 or more and below the duration")
    if not 0.0 <= late < length:
        raise InputError(f"sweep: skip = {late:g} ms must be 0 or more and below the duration of {length:g} ms")
    if measure is not None and not callable(measure):
        raise InputError(f"sweep: measure = {measure!r} must be a function that takes Results")
    if measure is not None and late:
        raise InputError("sweep: skip is for what is measured by itself; leave it out, or measure")
    what = {"build": _named(build), "measure": measure and _named(measure), "duration": length, "skip": late}
    plan = Plan.of(grid, repeat, seed, takes_seed, what)
    task = Simulated(build, length, measure, late, whole(threads, "sweep: threads", 1, MOST_THREADS))
    folder = None if out is None else as_path(out, "sweep: out", folder=True)
    return simulated(plan, task, Where(jobs, dask, slurm), folder, retry_failed, progress, _warn)


def load_sweep(directory: AnyPath) -> Sweep:
    """The sweep in a folder, finished or not. Raises InputError if there is none; warns of cells that are damaged."""
    folder = as_path(directory, "load_sweep: directory", folder=True)
    plan = read_plan(folder)
    return Sweep(plan, _kept(plan, folder, _warn), folder)


@dataclass(frozen=True)
class Simulated:
    """The task of a cell whose network `build` makes."""

    build: Callable[..., Network]
    duration: float
    measure: Measure | None
    skip: float
    threads: int

    def __call__(self, parameters: dict[str, Value], seed: int | None) -> Mapping[str, Any]:
        network = self.build(**parameters, **({} if seed is None else {"seed": seed}))
        if not isinstance(network, Network):
            raise InputError(f"sweep: build must return an eventsnn.Network, not {type(network).__name__}")
        results = network.run(self.duration, threads=self.threads)
        return standard(results, self.skip) if self.measure is None else self.measure(results)


def simulated(
    plan: Plan,
    task: Task,
    where: Where,
    folder: Path | None,
    retry_failed: bool,
    progress: Progress,
    say: Callable[[str], None],
) -> Sweep:
    """Simulate what is missing of a sweep. say: told of damaged files of cells, which are simulated again."""
    flag(retry_failed, "sweep: retry_failed")
    if not (isinstance(progress, bool) or callable(progress)):
        raise InputError(f"sweep: progress = {progress!r} must be True, False or a function that takes a SweepStatus")
    if folder is not None:
        make_folder(folder)
    with claimed(folder, f"the sweep cannot be written to {folder}") if folder is not None else nullcontext():
        found: dict[int, Outcome] = {}
        if folder is not None:
            plan.write(folder)
            found = _kept(plan, folder, say)
        if retry_failed:
            found = {index: outcome for index, outcome in found.items() if outcome.error is None}
        left = [cell for cell in plan.cells if cell.index not in found]
        failed = sum(outcome.error is not None for outcome in found.values())
        with SweepBar() if progress is True else nullcontext(progress or _quiet) as show:
            clock = Clock(len(plan.cells), len(found), failed)
            show(clock.status())
            with closing(outcomes(task, left, where, folder)) as coming:
                for outcome in coming:
                    if folder is not None:
                        keep(folder, plan.cells[outcome.index], outcome)
                    found[outcome.index] = outcome
                    show(clock.count(outcome.error is not None))
    return Sweep(plan, dict(sorted(found.items())), folder)


def _kept(plan: Plan, folder: Path, say: Callable[[str], None]) -> dict[int, Outcome]:
    """The cells that a folder has the outcomes of."""
    found = {}
    for cell in plan.cells:
        try:
            outcome = read_outcome(folder, cell)
        except DamagedCell as error:
            say(f"{error}; the cell counts as not simulated")
            continue
        if outcome is not None:
            found[cell.index] = outcome
    return found


def _require_build(build: Any, grid: Any) -> bool:
    """Whether `build` has a parameter seed. Raises InputError if it is no function, or cannot take the grid's."""
    if not callable(build):
        raise InputError(f"sweep: build = {build!r} must be a function that returns an eventsnn.Network")
    try:
        parameters = inspect.signature(build).parameters
    except (ValueError, TypeError):
        return False
    anything = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    for name in grid if isinstance(grid, Mapping) and not anything else ():
        if name not in parameters:
            raise InputError(f"sweep: build has no parameter {name!r} to be swept; {suggest(name, parameters)}")
    return "seed" in parameters


def _named(function: Any) -> str:
    """The name of a function, and where its source can be had some digits of that's SHA-256: another one of the same
    name must not fill up a folder that this one began."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    try:
        digits = hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]
    except (OSError, TypeError):
        return str(name)
    return f"{name} {digits}"


def _warn(text: str) -> None:
    warnings.warn(text, InputWarning, stacklevel=4)


def _quiet(status: SweepStatus) -> None:
    pass
