"""Tells the user how training is going."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from eventsnn.base.checks import takes_one
from eventsnn.base.errors import InputError
from eventsnn.run.progress import duration
from eventsnn.train.history import EpochStatus


class EpochBar:
    """A bar on standard error: epochs, loss, accuracy, time to go. Where standard error is no terminal it prints one
    line at the end."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._progress = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.fields[text]}", markup=False),
            console=self._console,
            expand=True,
        )
        self._task = self._progress.add_task("", total=1.0, text="starting")
        self._status: EpochStatus | None = None

    @staticmethod
    def of(progress: Any) -> AbstractContextManager[Callable[[EpochStatus], None]]:
        """What `progress` asks for: a bar, nothing, or a function that is told."""
        if progress is True:
            return EpochBar()
        if progress is False:
            return nullcontext(lambda status: None)
        if not takes_one(progress):
            raise InputError(f"fit: progress = {progress!r} must be True, False or a function of EpochStatus")
        return nullcontext(progress)

    def __enter__(self) -> EpochBar:
        if self._live:
            self._progress.start()
        return self

    def __call__(self, status: EpochStatus) -> None:
        self._status = status
        if self._live:
            self._progress.update(self._task, total=status.epochs, completed=status.epoch, text=text_of(status))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            if self._status is not None:
                self._progress.update(self._task, text=text_of(self._status, ended=True))
            self._progress.stop()
        elif self._status is not None:
            self._console.print(text_of(self._status, ended=True), markup=False, highlight=False, soft_wrap=True)


def text_of(status: EpochStatus, ended: bool = False) -> str:
    """One line on an epoch: 12/100 epochs · loss 0.0213 · right 98.2 % · validation 97.6 % · 3.1 s to go."""
    parts = [f"{status.epoch}/{status.epochs} epochs", f"loss {status.loss:.4g}"]
    if status.accuracy == status.accuracy:
        parts.append(f"right {100.0 * status.accuracy:.1f} %")
    if status.validation_accuracy == status.validation_accuracy:
        parts.append(f"validation {100.0 * status.validation_accuracy:.1f} %")
    left = 0.0 if ended else status.seconds * (status.epochs - status.epoch) / status.epoch
    parts.append(f"{duration(left)} to go" if left > 0.0 else duration(status.seconds))
    return " · ".join(parts)
