"""in_threads: the same action in several threads, or in none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def in_threads(action: Callable[..., None], n: int, *arguments: Any) -> bool:
    """Run action(k, *arguments) for all k below n at once, each in a thread. False, and nothing done, if there are not
    so many to be had."""
    gate = threading.Event()
    called_off = False

    def begin(k: int) -> None:
        gate.wait()
        if not called_off:
            action(k, *arguments)

    threads = [threading.Thread(target=begin, args=(k,), name=f"eventsnn-{k}") for k in range(1, n)]
    try:
        for thread in threads:
            thread.start()
    except RuntimeError:
        called_off = True
    gate.set()
    if not called_off:
        action(0, *arguments)
    for thread in threads:
        if thread.ident is not None:
            thread.join()
    return not called_off
