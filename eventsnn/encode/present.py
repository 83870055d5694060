"""present: samples one after the other, for a network that stays the same."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats
from eventsnn.base.checks import number
from eventsnn.base.errors import InputError
from eventsnn.results.trains import Trains


def present(trains: Trains, every: float | None = None, pause: float = 0.0) -> Trains:
    """All samples lined up as one, sample k from k * every ms on, to be shown to one network one after another.

    every: ms from the beginning of one sample to that of the next; the duration of a sample and the pause unless given.
    A spike at the very end of a sample comes just before the next one begins.
    pause: ms of silence, at least, between two samples.

        shown = encode.present(trains, every=50.0)
        pixels = net.population(trains.n, shown.to_source())
        results = net.run(shown.duration)
        answers = results.by_sample(every=50.0)["layer"].counts()        # (samples, neurons)

    The next batch needs no new network: `pixels.set(times=shown.times, ids=shown.ids, relative=True)`, then run on.

    Raises InputError if a sample does not fit between its beginning and that of the next, less the pause.
    """
    if not isinstance(trains, Trains):
        raise InputError(f"present: {type(trains).__name__} cannot be presented; give Trains")
    period, silence = (_milliseconds(value, name) for value, name in ((every, "every"), (pause, "pause")))
    if math.isnan(period):
        period = trains.duration + silence
    latest = trains.times.max(initial=0.0)
    if not (period > 0.0 and latest + silence <= period):
        raise InputError(
            f"present: every = {period:g} ms with pause = {silence:g} ms is too short for samples whose last spike "
            f"comes at {latest:g} ms; give a longer every"
        )
    if math.isinf(float(period) * (len(trains) + 1)):
        raise InputError(f"present: every = {period:g} ms is too long for {len(trains)} samples; give a shorter one")
    start = period * np.arange(len(trains) + 1)
    sample = trains.sample
    # The sum may round up to the beginning of the next sample, or to the time of the spike behind it.
    times = np.minimum(start[sample] + trains.times, np.nextafter(start[sample + 1], 0.0))
    one = np.array([0, times.size])
    return Trains(times, _ties_in_order(times, trains.ids), one, trains.shape, float(start[-1]))


def _ties_in_order(times: Floats, ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """The channels, ascending among spikes of one time; times ascend."""
    fresh = np.diff(times, prepend=-1.0) > 0.0
    falls = np.flatnonzero(~fresh[1:] & (ids[1:] < ids[:-1])) + 1
    if not falls.size:
        return ids
    tie = np.cumsum(fresh)
    mixed = np.flatnonzero(np.isin(tie, tie[falls]))
    ordered = ids.copy()
    ordered[mixed] = ids[mixed][np.lexsort((ids[mixed], tie[mixed]))]
    return ordered


def _milliseconds(value: float | None, name: str) -> float:
    """A number of ms, NaN for None."""
    if value is None:
        return math.nan
    return number(value, f"present: {name}", "one number of ms, 0 or more", least=0.0, unit="ms")
