"""What all commands share: how they print, and how bad input and Ctrl-C end them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from eventsnn.base.errors import InputError, SaveInterrupted

CHECK_FAILED = 1
BAD_INPUT = 2
RUNAWAY = 3
DEFECT = 70
INTERRUPTED = 130


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


@contextmanager
def interrupts(kept: str) -> Iterator[None]:
    """Ends at Ctrl-C with this sentence, which says what is kept."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        sentence = interrupt if isinstance(interrupt, SaveInterrupted) else kept
        console(stderr=True).print(f"eventsnn: {sentence}", soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
