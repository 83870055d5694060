"""When a probe samples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError, InputWarning


def sample_count(every: float | None, times: Floats | None, start: float, stop: float) -> float:
    """How many of `sample_times` there are, one more or less, without making them."""
    if times is not None:
        return float(np.searchsorted(times, stop) - np.searchsorted(times, start))
    if every is None or not stop > start:
        return 0.0
    if not stop / every < 2.0**53:
        raise InputError(f"record: every = {every:g} ms makes too many samples in {stop:g} ms; it must be larger")
    return (stop - start) / every


def sample_times(every: float | None, times: Floats | None, start: float, stop: float) -> Floats:
    """Sample times in [start, stop): k * every for whole k, or those of `times`."""
    if times is not None:
        return times[np.searchsorted(times, start) : np.searchsorted(times, stop)]
    if every is None or not stop > start:
        return np.empty(0)
    first = max(0, math.floor(start / every) - 1)
    candidates = np.arange(first, math.ceil(stop / every) + 2, dtype=np.float64) * every
    return candidates[(candidates >= start) & (candidates < stop)]


def warn_of_samples_at(stop: float, probes: Iterable[Any]) -> bool:
    """Warn, and return True, if a probe was given the very time at which a run ends: this sample is not taken yet."""
    for probe in probes:
        if probe.times is not None and stop in probe.times:
            warnings.warn(
                f"record: the sample of {probe.name} at {stop:g} ms, where this run ends, is not taken: it belongs to "
                "the run that follows; run longer, or read state() of the population",
                InputWarning,
                stacklevel=4,
            )
            return True
    return False
