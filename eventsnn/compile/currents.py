"""compile_currents: injected currents as programmes. Neurons that receive the same set of currents share one."""

from __future__ import annotations

import numpy as np

from eventsnn.compile.plan import CurrentPlan
from eventsnn.describe.currents import InjectedCurrent, Sine
from eventsnn.describe.description import Description


def compile_currents(description: Description, starts: dict[str, int], n: int) -> CurrentPlan:
    """Neurons that share the same set of currents share a programme: the sum, in the order of the stimuli."""
    stimuli = [s for s in description.stimuli.values() if isinstance(s.source, InjectedCurrent)]
    member = np.zeros((len(stimuli), n), dtype=bool)
    for row, stimulus in zip(member, stimuli, strict=True):
        for part in stimulus.targets:
            row[part.ids + starts[part.population.name]] = True
    sets, of = np.unique(member, axis=1, return_inverse=True) if stimuli else (np.zeros((0, 1), bool), np.zeros(n, int))
    start, programme = [0], np.full(sets.shape[1], -1, dtype=np.int32)
    times, amplitudes, slopes, sine_start = [np.empty(0)], [np.empty(0)], [np.empty(0)], [0]
    sines: list[Sine] = []
    for column in range(sets.shape[1]):
        chosen = [s.source for s, inside in zip(stimuli, sets[:, column], strict=True) if inside]
        if not chosen:
            continue
        programme[column] = len(start) - 1
        time = np.unique(np.concatenate([source.times for source in chosen]))  # type: ignore[union-attr]
        total, slope = np.zeros(time.size), np.zeros(time.size)
        for source in chosen:
            value, rise = source.lines(time)  # type: ignore[union-attr]
            total, slope = total + value, slope + rise
        for at in time.tolist():
            sines += [sine for source in chosen for sine in source.sines(at)]  # type: ignore[union-attr]
            sine_start.append(len(sines))
        times.append(time)
        amplitudes.append(total)
        slopes.append(slope)
        start.append(start[-1] + time.size)
    return CurrentPlan(
        of=programme[of.reshape(-1)],
        start=np.array(start, dtype=np.int64),
        time=np.concatenate(times),
        amplitude=np.concatenate(amplitudes),
        slope=np.concatenate(slopes),
        sine_start=np.array(sine_start, dtype=np.int64),
        sine=np.array(sines, dtype=np.float64).reshape(-1, 3),
    )
