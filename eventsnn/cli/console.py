"""What all commands share: how they print, and how bad input and Ctrl-C end them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from eventsnn.base.errors import InputError, Interrupted, SaveInterrupted
from eventsnn.run.simulation import ENDING

CHECK_FAILED = 1
BAD_INPUT = 2
RUNAWAY = 3
DEFECT = 70


def console(stderr: bool = False) -> Console:
    # Paths, titles and error texts may hold square brackets and colons, which rich would take for its own markup.
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


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
