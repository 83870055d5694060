"""Tells the user how a sweep is going."""

from __future__ import annotations

import time
from types import TracebackType
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class SweepStatus(NamedTuple):
    """Where a sweep stands; `progress` is handed one at the beginning and after each cell.

    Attributes:
        cells: of the sweep.
        done: cells that are finished, failed ones among them, those of former runs too.
        failed: how many of them failed.
        wall_s: time on the wall since this run of the sweep began, s.
    """

    cells: int
    done: int
    failed: int
    wall_s: float


class SweepBar:
    """A bar on standard error; where that is no terminal, a line for each tenth of the cells."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, markup=False, highlight=False)
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._progress = Progress(
            BarColumn(bar_width=None), MofNCompleteColumn(), TextColumn("{task.fields[text]}", markup=False),
            TimeRemainingColumn(), console=self._console, expand=True,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=None, text="cells")
        self._said = 0

    def __enter__(self) -> SweepBar:
        if self._live:
            self._progress.start()
        return self

    def __call__(self, status: SweepStatus) -> None:
        text = f"cells, {status.failed} failed" if status.failed else "cells"
        if self._live:
            self._progress.update(self._task, total=status.cells, completed=status.done, text=text)
            return
        tenth = 10 * status.done // max(status.cells, 1)
        if tenth > self._said:
            self._said = tenth
            line = f"{status.done} of {status.cells} {text}, {status.wall_s:.1f} s"
            self._console.print(line, soft_wrap=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._progress.stop()


class Clock:
    """Counts cells for a function of SweepStatus."""

    def __init__(self, cells: int, done: int, failed: int):
        self.cells, self.done, self.failed, self.begun = cells, done, failed, time.perf_counter()

    def status(self) -> SweepStatus:
        return SweepStatus(self.cells, self.done, self.failed, time.perf_counter() - self.begun)

    def count(self, failed: bool) -> SweepStatus:
        """One more is done."""
        self.done += 1
        self.failed += failed
        return self.status()
