"""Ctrl-C while the command is still importing ends it with its code and no traceback. Imported first of all."""

from __future__ import annotations

import os
import signal
import sys

COMMAND = "eventsnn"


def is_command() -> bool:
    """Whether this process is the command line, and not a program that imports the package."""
    name, _ = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))
    return name == COMMAND or sys.orig_argv[1:3] == ["-m", COMMAND]


if is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
