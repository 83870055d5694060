"""deferred_interrupt: Ctrl-C and signals wait until what must not be torn is done."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from eventsnn.base.errors import Interrupted

# What Ctrl-C sends, and what ends a process; not every system has the last one.
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def undivided(action: str) -> Iterator[None]:
    """Within it Ctrl-C waits until all is done, and then raises Interrupted."""
    number = 0
    try:
        with deferred_interrupt(f"interrupting after the present {action}") as interrupted:
            try:
                yield
            finally:
                number = interrupted()
    finally:
        if number:
            raise Interrupted(f"interrupted after the {action}; run() goes on", number)


@contextmanager
def deferred_interrupt(told: str = "interrupting after the present chunk") -> Iterator[Callable[[], int]]:
    """Within it Ctrl-C only sets a flag and says so, so that neither a chunk nor the collection of its results is torn;
    so do signals that end a process, if they would raise an exception. Gives the number of the signal that came, else
    0."""
    usual = {number: signal.getsignal(number) for number in ENDING}
    deferred = [number for number, handler in usual.items() if callable(handler)]
    if threading.current_thread() is not threading.main_thread() or not deferred:
        yield lambda: 0  # signals come to the main thread, and not at all where they are ignored
        return
    came = [0]

    def note(number: int, frame: Any) -> None:
        came[0] = number
        print(told, file=sys.stderr)

    for number in deferred:
        signal.signal(number, note)
    try:
        yield lambda: came[0]
    finally:
        for number in deferred:
            signal.signal(number, usual[number])
