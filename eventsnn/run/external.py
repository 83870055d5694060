"""External spikes of the streams of a Plan, one after the other."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator

from eventsnn._core.base.mathfunc import exp, sin_turns
from eventsnn._core.draw.stream import POISSON, SINE, STEPS, TRAIN
from eventsnn.compile.plan import StreamPlan
from eventsnn.draw import streams


def spike_times(plan: StreamPlan, s: int) -> Iterator[float]:
    """All spikes (ms) of stream s of a plan, ascending; most streams never end."""
    kind = int(plan.kind[s])
    if kind == TRAIN:
        return iter(plan.train_time[plan.train_start[s] : plan.train_stop[s]].tolist())
    if kind not in (STEPS, POISSON, SINE):
        return _renewal(plan, s)
    times = _stepwise(plan, s) if kind == STEPS else _in_cells(plan, s)
    return itertools.dropwhile(lambda time: time < plan.begin[s], times)


def _in_cells(plan: StreamPlan, s: int) -> Iterator[float]:
    """A Poisson process, or one whose rate follows a sine: candidates at the highest rate, thinned."""
    key, index = int(plan.key[s]), int(plan.index[s])
    width, mean, base, swing, frequency, phase = plan.parameter[s].tolist()
    exp_minus_mean = exp(-mean)
    for cell in itertools.count(math.floor(plan.begin[s] / width)):
        times = streams.poisson_cell(key, index, cell, mean, exp_minus_mean, cell * width, width)
        if plan.kind[s] == SINE:
            shares = [base + swing * sin_turns(frequency * t + phase) for t in times]
            times = streams.thinned(key, index, cell, 0, times, shares)
        yield from times


def _stepwise(plan: StreamPlan, s: int) -> Iterator[float]:
    """A Poisson process of piecewise constant rate.

    A piece takes its candidates from a homogeneous process at a rate that is one of the powers of two times
    STEPS_MEAN / ms, at least its own and below twice that. Neighbouring pieces of one such rate form a run; its pieces
    may share cells.
    """
    key, index = int(plan.key[s]), int(plan.index[s])
    pieces = slice(int(plan.piece_start[s]), int(plan.piece_stop[s]))
    start, share, widths = (a[pieces].tolist() for a in (plan.piece_time, plan.piece_share, plan.piece_width))
    length = plan.piece_run[pieces].tolist()
    mean, begin = streams.STEPS_MEAN, float(plan.begin[s])
    first = 0
    while first < len(start):
        after = first + length[first]
        end = start[after] if after < len(start) else math.inf
        width = widths[first]
        cell = math.floor(max(start[first], begin) / width) if width > 0.0 else 0
        level = streams.width_level(width)
        while width > 0.0 and cell * width < end:
            times = streams.poisson_cell(key, index, cell, mean, exp(-mean), cell * width, width, level)
            inside = [start[first] <= t < end for t in times]
            piece = [bisect.bisect_right(start, t, first, after) - 1 for t in times]
            shares = [share[p] if within else 0.0 for p, within in zip(piece, inside, strict=True)]
            yield from streams.thinned(key, index, cell, level, times, shares)
            cell += 1
        first = after


def _renewal(plan: StreamPlan, s: int) -> Iterator[float]:
    """Spikes at independent intervals; interval k is drawn from the counters (stream, k, block)."""
    key, index = int(plan.key[s]), int(plan.index[s])
    kind, parameter = int(plan.kind[s]), plan.parameter[s].tolist()
    time = float(plan.begin[s])
    for k in itertools.count():
        if k == 0 and plan.stationary[s]:
            # Time 0 falls into an interval with a probability proportional to its length, and anywhere in it.
            biased = streams.interval(kind, parameter, key, index, 0, True)
            time = time + streams.uniforms(key, index, 0, streams.WORD)[0] * biased
        else:
            time = time + streams.interval(kind, parameter, key, index, k, False)
        if time == math.inf:
            return
        yield time


def numbered(times: Iterable[float], max_spikes: int) -> Iterator[tuple[int, float]]:
    """The spikes of a stream at these times, ascending, with their numbers; it is ended if its intervals no longer
    advance time."""
    last, count = -1.0, 0
    for at, time in enumerate(times):
        count = count + 1 if time == last else 1
        last = time
        if count > max_spikes + 1:
            return
        yield at, time
