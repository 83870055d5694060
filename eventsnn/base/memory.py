"""How much memory there is, and the sentence that refuses what needs more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from numbers import Real
from pathlib import Path, PurePosixPath
from typing import Any

from eventsnn.base.errors import InputError

# Where Linux says so; tests have folders of their own.
PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def available() -> int | None:
    """Bytes that this process may still take: what the system has, or less where a control group, such as that of a
    container or of a batch job, limits it. None where the system does not say."""
    found = [_system(), *_groups()]
    return min((size for size in found if size is not None), default=None)


def allowed(limit: Any, what: str) -> int | None:
    """The limit in bytes that was given, or what is available where it is None."""
    if limit is None:
        return available()
    if isinstance(limit, bool) or not isinstance(limit, Real) or not 0 < float(limit) < math.inf:
        raise InputError(f"{what}: limit_memory = {limit!r} must be a number of bytes above 0, or None")
    return int(float(limit))


def require_memory(needs: Mapping[str, float], limit: int | None, what: str, remedies: Mapping[str, str]) -> None:
    """Refuse what needs more than the limit. needs: bytes by what takes them, remedies: what to do about it."""
    total = math.fsum(needs.values())
    if limit is None or total <= limit:
        return
    most = max(needs, key=lambda name: needs[name])
    raise InputError(
        f"{what} needs about {amount(total)} of memory and {amount(limit)} are available; most of it takes {most}; "
        f"{remedies[most]}, or raise limit_memory (--limit-memory) if there is more"
    )


def amount(size: float) -> str:
    """Bytes in two or three digits: 950 bytes, 1.2 GB, 23 GB."""
    for factor, unit in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            number = size / factor
            return f"{number:.2g} {unit}" if number < 99.5 or number >= 1e6 else f"{number:,.0f} {unit}"
    return f"{size:.0f} bytes"


def _system() -> int | None:
    for line in _lines(PROC / "meminfo"):
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(rest.split()[0])
    return None


def _groups() -> Iterator[int | None]:
    """What each control group around this process leaves, in version 2 and in version 1 of them."""
    for line in _lines(PROC / "self" / "cgroup"):
        _, controllers, place = (line.strip().split(":", 2) + ["", ""])[:3]
        if controllers == "":
            root, names = CGROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root, names = CGROUPS / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        inside = PurePosixPath(place).relative_to("/") if place.startswith("/") else PurePosixPath()
        for part in (inside, *inside.parents):
            yield _left(root / part, *names)


def _left(group: Path, most: str, now: str, cache: str) -> int | None:
    limit, used = _number(group / most), _number(group / now)
    if limit is None or used is None:
        return None
    # Files that are in memory only because nothing else needed it are given up at once.
    spare = sum(int(line.split()[1]) for line in _lines(group / "memory.stat") if line.split()[:1] == [cache])
    return max(0, limit - max(0, used - spare))


def _number(path: Path) -> int | None:
    words = "".join(_lines(path)).strip()
    return int(words) if words.isdecimal() else None  # "max" is no limit


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()
    except OSError:
        return []
