"""Where cells are simulated: in this process, in others of this machine, on a cluster of dask, on one of Slurm.

Each way yields the outcomes as they come, in any order; that of a cell is the same wherever it was simulated. When the
generator is closed, by Ctrl-C or an error, what is under way is given up.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from eventsnn.base.checks import whole
from eventsnn.base.errors import InputError, suggest
from eventsnn.batch.cells import Outcome, Task, cell_path, keep, read_outcome, work
from eventsnn.batch.grid import Cell
from eventsnn.results.hand_over import package

MOST_JOBS = 10_000
CONNECT_S = 20  # s, to reach a scheduler
LOOK_S = 0.5  # s between looks at what Slurm's jobs have written
WATCH_S = 0.5  # s between looks of a process whether the first one is still there
SLURM_OPTIONS = ("cluster", "partition", "minutes", "memory")


@dataclass(frozen=True)
class Where:
    """Where the cells of a sweep are simulated.

    jobs: cells at the same time, on this machine or as jobs of Slurm; a cluster of dask has as many as it has workers.
    dask: address of a scheduler, such as tcp://10.0.0.1:8786. slurm: options of its jobs, see `sweep`.
    """

    jobs: int = 1
    dask: str | None = None
    slurm: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "jobs", whole(self.jobs, "sweep: jobs", 1, MOST_JOBS))
        if self.dask is not None and self.slurm is not None:
            raise InputError("sweep: dask and slurm are two places; give one of them")
        if self.dask is not None and not isinstance(self.dask, str):
            raise InputError(f"sweep: dask = {self.dask!r} must be the address of a scheduler, such as tcp://host:8786")
        if self.slurm is not None:
            _check_slurm(self.slurm)


def outcomes(task: Task, cells: Sequence[Cell], where: Where, folder: Path | None) -> Generator[Outcome, None, None]:
    """The outcome of each cell, as they come. folder: of the sweep, into which jobs of Slurm write by themselves.

    Raises InputError if the place cannot be reached or the package for it is not installed.
    """
    if where.dask is not None:
        return _on_dask(task, cells, where.dask)
    if where.slurm is not None:
        if folder is None:
            raise InputError("sweep: slurm needs a folder that all its machines see; name it with out")
        return _on_slurm(task, cells, where.jobs, where.slurm, folder)
    if min(where.jobs, len(cells)) > 1:
        return _in_processes(task, cells, where.jobs)
    return (work(task, cell) for cell in cells)


def _in_processes(task: Task, cells: Sequence[Cell], jobs: int) -> Generator[Outcome, None, None]:
    from joblib import Parallel, delayed  # takes long to import
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    # One cell at a time: the last ones shall not wait in the batch of one process while another has nothing to do.
    pool = Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered", batch_size=1)
    try:
        with closing(pool(delayed(_work_apart)(task, cell) for cell in cells)) as found:
            yield from found
    except TerminatedWorkerError:
        raise InputError(
            f"sweep: one of the {jobs} processes was killed, perhaps for the memory that it took; the cells that they "
            "had finished are kept; go on with fewer jobs"
        ) from None


def _work_apart(task: Task, cell: Cell) -> Outcome:
    """The same in a process that Ctrl-C reaches too, but which the first process ends."""
    with suppress(ValueError):  # not in its main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with(os.getppid())
    return work(task, cell)


@cache
def _end_with(parent: int) -> None:
    """End this process when the one that made it has been killed: else it would wait for more cells for minutes."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


# ---- dask


def _on_dask(task: Task, cells: Sequence[Cell], address: str) -> Generator[Outcome, None, None]:
    distributed = package("distributed", "dask")
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"sweep: no scheduler of dask answers at {address!r}: {error}") from None
    with client:
        # pure=False: a cell that failed before is simulated again, not looked up.
        futures = client.map(partial(work, task), cells, pure=False)
        cell_of = {future.key: cell for future, cell in zip(futures, cells, strict=True)}
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                yield _of_future(future, cell_of[future.key])
        finally:
            client.cancel(futures)


def _of_future(future: Any, cell: Cell) -> Outcome:
    """The outcome that a worker sent, or that no worker survived the cell."""
    try:
        found = future.result()
    except Exception as error:
        return Outcome(cell.index, {}, f"{type(error).__name__}: {error}", 0.0)
    return found if isinstance(found, Outcome) else Outcome(cell.index, {}, "dask returned no outcome", 0.0)


# ---- Slurm


def _check_slurm(options: Any) -> None:
    if not isinstance(options, Mapping):
        raise InputError(f"sweep: slurm = {options!r} must be a dictionary of options, {{}} for none")
    for name in options:
        if name not in SLURM_OPTIONS:
            raise InputError(f"sweep: slurm has no option {name!r}; {suggest(name, SLURM_OPTIONS)}")
    for name in ("minutes", "memory"):
        if name in options:
            whole(options[name], f"sweep: slurm: {name}", 1)


def _on_slurm(
    task: Task, cells: Sequence[Cell], jobs: int, options: Mapping[str, Any], folder: Path
) -> Generator[Outcome, None, None]:
    """Deal the cells out to as many jobs, which write them into the folder, and look there until all have come."""
    shares = [list(cells[first::jobs]) for first in range(min(jobs, len(cells)))]
    for cell in cells:
        cell_path(folder, cell.index).unlink(missing_ok=True)  # of a cell that failed before
    running = _executor(options, folder).map_array(partial(_work_share, task, folder), shares)
    try:
        waiting = dict(zip(running, shares, strict=True))
        while waiting:
            for job, share in list(waiting.items()):
                ended = job.done()
                left = yield from _come(folder, share)
                waiting[job] = left
                if ended:
                    end = _end_of(job) if left else ""
                    yield from (Outcome(cell.index, {}, end, 0.0) for cell in left)
                    del waiting[job]
            if waiting:
                time.sleep(LOOK_S)
    finally:
        for job in running:
            with suppress(Exception):  # it has ended
                job.cancel()


def _executor(options: Mapping[str, Any], folder: Path) -> Any:
    submitit = package("submitit", "slurm")
    try:
        executor = submitit.AutoExecutor(folder=folder / "slurm", cluster=options.get("cluster", "slurm"))
    except (RuntimeError, ValueError) as error:
        raise InputError(f"sweep: jobs cannot be handed to Slurm: {error}") from None
    parameters = {"name": "eventsnn", "cpus_per_task": 1, "timeout_min": options.get("minutes", 24 * 60)}
    if "partition" in options:
        parameters["slurm_partition"] = options["partition"]
    if "memory" in options:
        parameters["mem_gb"] = options["memory"]
    executor.update_parameters(**parameters)
    return executor


def _work_share(task: Task, folder: Path, share: Sequence[Cell]) -> None:
    for cell in share:
        keep(folder, cell, work(task, cell))


def _come(folder: Path, share: Sequence[Cell]) -> Generator[Outcome, None, list[Cell]]:
    """Yields the outcomes of a share that have been written; returns the cells without one."""
    left = []
    for cell in share:
        outcome = read_outcome(folder, cell)
        if outcome is None:
            left.append(cell)
        else:
            yield outcome
    return left


def _end_of(job: Any) -> str:
    """Why a job ended without having simulated a cell."""
    with suppress(Exception):
        error = job.exception()
        if error is not None:
            return " ".join(f"job {job.job_id} ended: {error}".split())[:500]
    return f"job {job.job_id} ended before it came to this cell"
