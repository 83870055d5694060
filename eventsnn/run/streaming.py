"""Streaming: when a run hands on what it has recorded, so that it never holds much of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from eventsnn.base.checks import number
from eventsnn.base.errors import InputError
from eventsnn.base.paths import as_path
from eventsnn.compile.plan import ProbePlan
from eventsnn.run.checkpoint import Store, new_store
from eventsnn.run.samples import sample_count, sample_times

# Spikes that are held at most, but for those of one chunk: 32 MB.
MOST_SPIKES = 2_000_000
# Samples that are held at most, but for those of one time: 32 MB.
MOST_SAMPLES = 4_000_000


class Streaming:
    """Of one run: the store that it writes into, and its checkpoints, if it has any, at whole multiples of `every`
    (ms) and at the end."""

    def __init__(self, store: Store, checkpoints: bool, every: float | None):
        self.store, self.checkpoints, self.every = store, checkpoints, every

    def pauses(self, start: float, stop: float) -> list[float]:
        """When the run pauses for a checkpoint."""
        return [time for time in sample_times(self.every, None, start, stop).tolist() if time > start]

    @staticmethod
    def reach(probes: Iterable[ProbePlan], start: float, stop: float) -> float:
        """How far to go at once, so that not too many samples are taken."""
        probes = list(probes)

        def count(to: float) -> float:
            return math.fsum(
                sample_count(probe.every, probe.times, start, to) * probe.ids.size * len(probe.variables)
                for probe in probes
            )

        while count(stop) > MOST_SAMPLES:
            middle = start + (stop - start) / 2
            if not start < middle < stop:
                break
            stop = middle
        return stop


def streaming_of(stream: Any, checkpoint: Any, every: Any, store: Store | None) -> Streaming | None:
    """What the arguments of a run ask for, `store` being what the runs before it have streamed into."""
    if stream is not None and checkpoint is not None:
        raise InputError(
            f"run: stream = {stream!r} and checkpoint = {checkpoint!r}: give checkpoint alone, whose folder gets the "
            "results too"
        )
    if every is not None:
        if checkpoint is None:
            raise InputError(f"run: every = {every!r} is the time between checkpoints; give checkpoint=, their folder")
        every = number(every, "run: every", "a number of ms above 0", unit="ms")
        if not every > 0.0:
            raise InputError(f"run: every = {every:g} ms must be above 0")
    what, given = ("checkpoint", checkpoint) if stream is None else ("stream", stream)
    if given is None:
        return None
    if store is None:
        store = new_store(given, what)
    elif as_path(given, f"run: {what}", folder=True).resolve() != store.folder.resolve():
        raise InputError(f"run: {what} = {given}: what was recorded before is in {store.folder}; name that folder")
    return Streaming(store, checkpoint is not None, every)
