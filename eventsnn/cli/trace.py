"""`eventsnn run --trace`: a part of the events of a run in a file, for a viewer of time lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eventsnn.base.arrays import Ints
from eventsnn.base.errors import InputError, suggest
from eventsnn.base.paths import require_free
from eventsnn.describe.parts import Neurons
from eventsnn.network import Network


@dataclass(frozen=True)
class Trace:
    """What is asked for: a file, a window (ms) and ids by population; None where that is left to the network."""

    file: Path
    window: tuple[float, float] | None
    ids: dict[str, Ints] | None
    force: bool

    def require(self, network: Network, duration: float) -> None:
        """InputError for what a run of this network and duration (ms) will not have."""
        self.neurons(network)
        if self.window and self.window[1] > duration:
            raise InputError(f"--trace-window ends at {self.window[1]:g} ms, after the {duration:g} ms of the run")

    def neurons(self, network: Network) -> list[Neurons] | None:
        """Those that are named. InputError if the network does not have one."""
        if self.ids is None:
            return None
        for name, ids in self.ids.items():
            if name not in network.populations:
                known = suggest(name, network.populations)
                raise InputError(f"--trace-neurons: there is no population {name!r}; {known}")
            if ids.max() >= network.populations[name].n:
                raise InputError(f"--trace-neurons: {name} has {network.populations[name].n} neurons, no {ids.max()}")
        return [network.populations[name][ids] for name, ids in self.ids.items()]

    def write(self, network: Network) -> Path:
        """Write the file."""
        begin, end = self.window or (None, None)
        network.timeline(self.file, begin, end, self.neurons(network), self.force)
        return self.file


def trace_of(file: Path | None, window: str | None, neurons: str | None, force: bool) -> Trace | None:
    """What the options say; None if no file is asked for. InputError where they say nothing that can be understood."""
    if file is None:
        given = [name for name, value in (("window", window), ("neurons", neurons)) if value is not None]
        if given:
            raise InputError(f"--trace-{given[0]} is of the file that --trace names; give --trace FILE too")
        return None
    require_free(file, "the time line", force)
    return Trace(file, window and _window(window), neurons and _ids(neurons), force)  # type: ignore[arg-type]


def _window(text: str) -> tuple[float, float]:
    try:
        begin, end = map(float, text.split(":"))
    except ValueError:
        raise InputError(f"--trace-window {text!r} is no window; give two times in ms, as 80:100") from None
    if not 0.0 <= begin < end < np.inf:
        raise InputError(f"--trace-window {text!r} must begin at 0 or later and end after it begins, in ms")
    return begin, end


def _ids(text: str) -> dict[str, Ints]:
    """Ids by population of a text like "exc:0-9,inh:3,exc:20"."""
    found: dict[str, list[Ints]] = {}
    for part in text.split(","):
        match = re.fullmatch(r"(.+):(\d+)(?:-(\d+))?", part.strip())
        if match is None:
            raise InputError(f"--trace-neurons: {part!r} names no neurons; give population:id or population:first-last")
        first, last = int(match[2]), int(match[3] or match[2])
        if not first <= last < first + 100_000:
            raise InputError(f"--trace-neurons: {part!r}: the last must not be before the first, or 100,000 beyond it")
        found.setdefault(match[1], []).append(np.arange(first, last + 1))
    return {name: np.unique(np.concatenate(ids)) for name, ids in found.items()}
