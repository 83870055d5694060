"""The command line as it is typed, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`eventsnn` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "eventsnn", *arguments], capture_output=True, text=True, timeout=120, cwd=cwd
    )
