"""What all commands share: how they print, and how bad input and Ctrl-C end them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console

from eventsnn.base.errors import InputError, Interrupted, SaveInterrupted
from eventsnn.run.interrupts import ENDING

CHECK_FAILED = 1
BAD_INPUT = 2
RUNAWAY = 3
DEFECT = 70
BROKEN_PIPE = 128 + 13  # what shells call a process that SIGPIPE has ended


def console(stderr: bool = False) -> Console:
    # Paths, titles and error texts may hold square brackets and colons, which rich would take for its own markup.
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


class LostOutput(Exception):
    """What was printed could not be written. No OSError, which rich and typer would turn into codes of their own."""

    def __init__(self, error: OSError):
        super().__init__(str(error))
        self.error = error

    def report(self) -> int:
        """Say why, unless whoever read the output wants no more of it; returns the exit code."""
        if isinstance(self.error, BrokenPipeError):
            return BROKEN_PIPE
        reason = self.error.strerror or self.error
        console(stderr=True).print(
            f"eventsnn: the output could not be written ({reason}); what is in a folder of results is complete",
            soft_wrap=True,
        )
        return BAD_INPUT


class Guarded:
    """A text stream that raises LostOutput, from its first failure on; or none, if what it prints is not needed."""

    def __init__(self, stream: Any, needed: bool):
        self._stream, self._needed = stream, needed
        self._lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            if self._lost is None:
                action()
        except OSError as error:
            self._lost = error
            # What is still in its buffer is written when the process ends, which would complain.
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())
        # Again and again, since typer tries whether a stream can be written, and hides what it raises then.
        if self._lost is not None and self._needed:
            raise LostOutput(self._lost)


@contextmanager
def guarded_output() -> Iterator[None]:
    """Raises LostOutput if stdout cannot be written; a run goes on if stderr, with its progress, cannot."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        stream and Guarded(stream, needed) for stream, needed in zip(before, (True, False), strict=True)
    )
    try:
        yield
    finally:
        guarded = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = before
        for stream in guarded:
            if stream is not None:
                stream.flush()


@contextmanager
def input_errors() -> Iterator[None]:
    """Ends at bad input with its sentence."""
    try:
        yield
    except InputError as error:
        console(stderr=True).print(f"eventsnn: {error}", soft_wrap=True)
        raise typer.Exit(BAD_INPUT) from None


def raise_signals() -> list[int]:
    """Let signals that end a process raise an exception as Ctrl-C does; those that are ignored stay ignored. The list
    will have the numbers of those that have come."""
    came: list[int] = []

    def end(number: int, frame: object) -> None:
        came.append(number)
        raise Interrupted("interrupted", number)

    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)
    return came


def ignore_signals() -> None:
    """Nothing is left to be interrupted."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """What shells call a process that a signal has ended: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + int(getattr(interrupt, "number", signal.SIGINT))


@contextmanager
def interrupts(kept: str) -> Iterator[None]:
    """Ends at Ctrl-C, or a signal that ends a process, with this sentence, which says what is kept."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        sentence = interrupt if isinstance(interrupt, SaveInterrupted) else kept
        console(stderr=True).print(f"eventsnn: {sentence}", soft_wrap=True)
        raise typer.Exit(exit_code(interrupt)) from None
