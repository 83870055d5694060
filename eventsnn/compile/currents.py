"""compile_currents: injected currents as programmes. Neurons that receive the same set of currents share one."""

from __future__ import annotations

import numpy as np

from eventsnn.base.arrays import Ids
from eventsnn.compile.plan import CurrentPlan
from eventsnn.describe.currents import InjectedCurrent, Sine
from eventsnn.describe.description import Description


def compile_currents(description: Description, starts: dict[str, int], n: int) -> CurrentPlan:
    """Neurons that share the same set of currents share a programme: the sum, in the order of the stimuli."""
    sources = [s.source for s in description.stimuli.values() if isinstance(s.source, InjectedCurrent)]
    sets, of = programmes(description, starts, n)
    start = [0]
    times, amplitudes, slopes, sine_start = [np.empty(0)], [np.empty(0)], [np.empty(0)], [0]
    sines: list[Sine] = []
    for members in sets:
        chosen = [sources[k] for k in members]
        time = np.unique(np.concatenate([source.times for source in chosen]))
        total, slope = np.zeros(time.size), np.zeros(time.size)
        for source in chosen:
            value, rise = source.lines(time)
            total, slope = total + value, slope + rise
        for at in time.tolist():
            sines += [sine for source in chosen for sine in source.sines(at)]
            sine_start.append(len(sines))
        times.append(time)
        amplitudes.append(total)
        slopes.append(slope)
        start.append(start[-1] + time.size)
    return CurrentPlan(
        of=of,
        start=np.array(start, dtype=np.int64),
        time=np.concatenate(times),
        amplitude=np.concatenate(amplitudes),
        slope=np.concatenate(slopes),
        sine_start=np.array(sine_start, dtype=np.int64),
        sine=np.array(sines, dtype=np.float64).reshape(-1, 3),
    )


def programmes(description: Description, starts: dict[str, int], n: int) -> tuple[list[tuple[int, ...]], Ids]:
    """The sets of currents that some neuron receives, by their numbers in the order of the stimuli; and which of them
    each neuron does, -1 without any."""
    stimuli = [s for s in description.stimuli.values() if isinstance(s.source, InjectedCurrent)]
    reached = [np.concatenate([part.ids + starts[part.population.name] for part in s.targets]) for s in stimuli]
    neuron = np.concatenate([np.empty(0, dtype=np.int64), *reached])
    number = np.repeat(np.arange(len(stimuli)), [ids.size for ids in reached])
    order = np.argsort(neuron, kind="stable")
    driven, first = np.unique(neuron[order], return_index=True)
    sets: dict[tuple[int, ...], int] = {}
    of = np.full(n, -1, dtype=np.int32)
    for k, members in zip(driven.tolist(), np.split(number[order], first[1:]), strict=False):
        of[k] = sets.setdefault(tuple(members.tolist()), len(sets))
    return list(sets), of
