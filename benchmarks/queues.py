"""Which queue is the fastest for what the engine does with its two?

Motivation: the heaps of the first engine took a quarter of the time of networks with short delays (cuba, microcircuit).
The engine's use is peculiar. All of a window is taken at once. A neuron's time is set anew in every window that reaches
the neuron, mostly later, and seldom falls due. A row of synapses comes back for each of its delays.

The patterns are those of runs, counted in `wake_set` and `list_rows`: how many times are set in a window, how many of
them for what fell due, earlier, as before, or later; and how far ahead. Each queue replays the same list of deeds and
must take the same entries in the same windows. Time is per set or row, with what follows from it.

Run: taskset -c 1 python benchmarks/queues.py, on an otherwise idle machine.

Result, 2026-11-24, 2-core AMD EPYC virtual machine (1 MiB of L2 a core), gcc 12, one thread, ns a set or row; the wheel
is the engine's, `calendar` one of a single level that leaves superseded entries behind:

    what                  wheel  calendar  4-ary heap  binary heap  std::priority_queue  heapq  SortedList
    wakes, cuba               3         4          12           16                   84    573        1208
    microcircuit             12         8          71           69                   94    713        1807
    microcircuit, a tenth     8         8          57           56                   78    516        1155
    brunel                    3         3          14           19                   83    391        1307
    brunel, Poisson           6         4          76           76                   75    456        1047
    sparse                   61        19          68           75                   83    433        3662
    rows, cuba               29         -          18           19                   28    302        2366
    microcircuit             17         -          86           88                   74    278         185
    brunel                   16         -          63           65                   49    260         170

The engine with the wheel in place of two binary heaps: microcircuit (a tenth) 129 -> 95 ns an event, cuba 105 -> 99,
4,000 neurons like brunel's with continuous delays 102 -> 47, brunel 18.8 -> 17.6 and with constant drive 14.0 -> 13.7.

What was tried:
- The calendar is as fast, and where a million neurons are mostly set once three times faster, but what it leaves behind
  has no bound, and far times are gone through once a year; the wheel needs neither a width nor a year to be chosen.
- Rows of a window merged in runs of 8: brunel 39 and microcircuit 57 ns a row, and 85 ns an event with continuous
  delays. Dealt out by time first: 16, 17 and 47.
- Entries of the wheel one after the other, each with a look at its neuron: 280 and 285 ns an event in a microcircuit of
  77,169 neurons. Fetching all neurons first: 270 and 243.
"""

import bisect
import ctypes
import heapq
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventsnn._core.run.queue import replay_rows, replay_wakes

SOURCE = Path(__file__).with_suffix(".cpp")
COMPILER = os.environ.get("CXX", "g++")
REPEATS = 5
PYTHON_SHARE = 10  # the queues in Python replay this part of the windows


class Wakes(NamedTuple):
    """Neurons, width of a window (ms), windows; sets by rows a window; how a set moves the time; windows ahead."""

    n: int
    width: float
    windows: int
    sets: int
    earlier: float
    same: float
    ahead: list[int]  # out of all: 0, 1, 2-3, 4-7 ... windows


class Rows(NamedTuple):
    """Width of a window (ms), windows, spikes a window, first delay (ms), delays and the step between them (ms)."""

    width: float
    windows: int
    spikes: float
    delay: float
    delays: int
    step: float


WAKES = {
    "cuba": Wakes(4_000, 0.0625, 8_000, 113, 0.13, 0.0, [0, 3, 4, 5, 8, 13, 23, 47, 101, 267, 529]),
    "microcircuit": Wakes(77_169, 0.0625, 40, 13_000, 0.0, 0.9, [0, 40, 38, 19, 3]),
    "microcircuit, a tenth": Wakes(7_717, 0.0625, 400, 1_300, 0.0, 0.9, [0, 40, 38, 19, 3]),
    "brunel": Wakes(12_500, 1.0, 80, 12_400, 0.03, 0.2, [1, 4, 17, 60, 18]),
    "brunel, Poisson": Wakes(12_500, 1.0, 80, 0, 0.0, 0.0, [0, 1]),
    "sparse": Wakes(1_000_000, 1.0, 1_000, 1_000, 0.1, 0.0, [0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 4, 8]),
}
ROWS = {
    "cuba": Rows(0.0625, 40_000, 1.4, 0.1, 1, 0.0),
    "microcircuit": Rows(0.0625, 300, 130.0, 0.1, 30, 0.1),
    "brunel": Rows(1.0, 2_000, 270.0, 1.5, 1, 0.0),
}


def wake_deeds(p: Wakes) -> tuple[np.ndarray, ...]:
    """Ends of the windows, where the sets of each begin, neurons and times set; what is taken in all."""
    rng = np.random.default_rng(1)
    share = np.cumsum(p.ahead) / sum(p.ahead)

    def fresh(size: int) -> np.ndarray:
        octave = np.searchsorted(share, rng.random(size), side="right")
        return p.width * np.where(octave == 0, rng.random(size), 2.0 ** (octave - 1) * (1.0 + rng.random(size)))

    stop = p.width * np.arange(p.windows)
    own = fresh(p.n)
    neurons, times, begin = [np.arange(p.n)], [own.copy()], [0, p.n]
    taken = 0
    for now in stop[1:]:
        due = np.flatnonzero(own < now)
        taken += due.size
        reached = np.unique(rng.integers(0, p.n, size=p.sets))
        reached = reached[own[reached] >= now]
        kind = rng.random(reached.size)
        own[due] = now + fresh(due.size)
        old = own[reached]
        later = np.maximum(old, now + fresh(reached.size))
        new = np.where(kind < p.earlier, now + rng.random(reached.size) * (old - now), later)
        own[reached] = np.where((kind >= p.earlier) & (kind < p.earlier + p.same), old, new)
        all_set = np.concatenate([due, reached])
        rng.shuffle(all_set)
        neurons.append(all_set)
        times.append(own[all_set])
        begin.append(begin[-1] + all_set.size)
    return stop, np.array(begin), np.concatenate(neurons).astype(np.int32), np.concatenate(times), np.array(taken)


def row_deeds(p: Rows) -> tuple[np.ndarray, ...]:
    """Ends of the windows, where the rows pushed in each begin, times and keys; what is taken in all."""
    rng = np.random.default_rng(1)
    stop = p.width * np.arange(p.windows)
    spikes = rng.poisson(p.spikes, p.windows)
    fired = np.repeat(stop, spikes) + p.width * rng.random(spikes.sum())
    slices = np.arange(p.delays)
    time_ = (fired[:, None] + p.delay + p.step * slices).ravel()
    # The first slice is pushed in the window of the spike, each other when the one before it has been taken.
    window = np.floor(fired / p.width).astype(np.int64)[:, None].repeat(p.delays, axis=1)
    window[:, 1:] = np.floor((fired[:, None] + p.delay + p.step * slices[:-1]) / p.width) + 1
    window = window.ravel()
    key = np.zeros((time_.size, 5), dtype=np.int64)
    key[:, 1] = rng.integers(0, 8, spikes.sum()).repeat(p.delays)
    key[:, 2] = rng.integers(0, 10_000, spikes.sum()).repeat(p.delays)
    key[:, 4] = np.tile(slices, spikes.sum())
    order = np.argsort(window, kind="stable")
    order = order[window[order] < p.windows]
    begin = np.searchsorted(window[order], np.arange(p.windows + 1))
    return stop, begin, time_[order], key[order], np.array((time_[order] < stop[-1]).sum())


# ---- queues of Python


def heapq_wakes(n, stop, begin, neuron, when):
    own, queue, taken = [np.inf] * n, [], 0
    for k, end in enumerate(stop):
        while queue and queue[0][0] < end:
            t, i = heapq.heappop(queue)
            if own[i] == t:
                own[i] = np.inf
                taken += 1
        for i, t in zip(neuron[begin[k] : begin[k + 1]], when[begin[k] : begin[k + 1]], strict=True):
            own[i] = t
            heapq.heappush(queue, (t, i))
    return taken


def sorted_list_wakes(n, stop, begin, neuron, when):
    from sortedcontainers import SortedList

    own, queue, taken = [np.inf] * n, SortedList(), 0
    for k, end in enumerate(stop):
        while queue and queue[0][0] < end:
            _, i = queue.pop(0)
            own[i] = np.inf
            taken += 1
        for i, t in zip(neuron[begin[k] : begin[k + 1]], when[begin[k] : begin[k + 1]], strict=True):
            if own[i] < np.inf:
                queue.remove((own[i], i))
            own[i] = t
            queue.add((t, i))
    return taken


def heapq_rows(stop, begin, rows):
    queue, taken = [], 0
    for k, end in enumerate(stop):
        while queue and queue[0][0] < end:
            heapq.heappop(queue)
            taken += 1
        for row in rows[begin[k] : begin[k + 1]]:
            heapq.heappush(queue, row)
    return taken


def sorted_list_rows(stop, begin, rows):
    from sortedcontainers import SortedList

    queue, taken = SortedList(), 0
    for k, end in enumerate(stop):
        due = bisect.bisect_left(queue, (end,))
        del queue[:due]
        taken += due
        queue.update(rows[begin[k] : begin[k + 1]])
    return taken


# ---- timing


def best(action, deeds: int, expected: int | None, repeats: int = REPEATS) -> str:
    """Nanoseconds a deed, the least of some repeats, after a check of what was taken."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        taken = action()
        times.append(time.perf_counter() - began)
        if expected is not None and taken != expected:
            raise SystemExit(f"a queue took {taken} entries in place of {expected}")
    return f"{min(times) / deeds * 1e9:.0f}"


def pointers(*arrays: np.ndarray) -> list[ctypes.c_void_p]:
    return [ctypes.c_void_p(array.ctypes.data) for array in arrays]


def has_sorted_list() -> bool:
    try:
        import sortedcontainers  # noqa: F401
    except ImportError:
        print("sortedcontainers is not installed: its SortedList is left out")
        return False
    return True


def compiled(folder: str) -> ctypes.CDLL | None:
    built = Path(folder) / "queues.so"
    try:
        subprocess.run([COMPILER, "-O3", "-shared", "-fPIC", str(SOURCE), "-o", str(built)], check=True)
    except (OSError, subprocess.CalledProcessError):
        print(f"no C++ compiler called {COMPILER}: heaps, calendar and std::priority_queue are left out")
        return None
    library = ctypes.CDLL(str(built))
    for queue in ("binary", "quaternary", "calendar", "standard"):
        getattr(library, f"wakes_{queue}").restype = ctypes.c_int64
    for queue in ("binary", "quaternary", "standard"):
        getattr(library, f"rows_{queue}").restype = ctypes.c_int64
    return library


def time_wakes(p: Wakes, library: ctypes.CDLL | None, with_sorted: bool) -> dict[str, str]:
    stop, begin, neuron, when, expected = wake_deeds(p)
    n, total = neuron.size, int(expected)
    out = {"wheel": best(lambda: len(replay_wakes(p.n, p.width, stop, begin, neuron, when)[0]), n, total)}
    room = np.empty(n, dtype=np.int32)
    rest = [ctypes.c_int64(p.n), ctypes.c_double(p.width), ctypes.c_int64(stop.size)]
    rest += pointers(stop, begin, neuron, when, room)
    for queue in ("calendar", "quaternary", "binary", "standard") if library is not None else ():
        out[queue] = best(lambda queue=queue: getattr(library, f"wakes_{queue}")(*rest), n, total)
    some = stop[: max(2, p.windows // PYTHON_SHARE)]
    part = int(begin[some.size])
    plain = (p.n, some.tolist(), begin.tolist(), neuron[:part].tolist(), when[:part].tolist())
    out["heapq"] = best(lambda: heapq_wakes(*plain), part, None, 1)
    if with_sorted:
        out["SortedList"] = best(lambda: sorted_list_wakes(*plain), part, heapq_wakes(*plain), 1)
    return out


def time_rows(p: Rows, library: ctypes.CDLL | None, with_sorted: bool) -> dict[str, str]:
    stop, begin, when, key, expected = row_deeds(p)
    n, total = when.size, int(expected)
    wheel = replay_rows(p.width, stop, begin, when, key)[0]
    out = {"wheel": best(lambda: len(replay_rows(p.width, stop, begin, when, key)[0]), n, total)}
    room = np.empty(n, dtype=np.int64)
    rest = [ctypes.c_int64(stop.size), *pointers(stop, begin, when, key, room)]
    for queue in ("quaternary", "binary", "standard") if library is not None else ():
        out[queue] = best(lambda queue=queue: getattr(library, f"rows_{queue}")(*rest), n, total)
        if not np.array_equal(room[:total], wheel):
            raise SystemExit(f"{queue}: another order of the rows")
    some = stop[: max(2, p.windows // PYTHON_SHARE)]
    rows = list(zip(when.tolist(), *key.T.tolist(), strict=True))
    out["heapq"] = best(lambda: heapq_rows(some.tolist(), begin.tolist(), rows), int(begin[some.size]), None, 1)
    if with_sorted:
        out["SortedList"] = best(
            lambda: sorted_list_rows(some.tolist(), begin.tolist(), rows), int(begin[some.size]), None, 1
        )
    return out


def main():
    with_sorted = has_sorted_list()
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(folder)
        print("ns a set of a neuron's next event, or a row of synapses")
        for title, patterns, timed in (("wakes", WAKES, time_wakes), ("rows", ROWS, time_rows)):
            for name, pattern in patterns.items():
                result = timed(pattern, library, with_sorted)
                print(f"{title}, {name}: " + ", ".join(f"{queue} {ns}" for queue, ns in result.items()), flush=True)


if __name__ == "__main__":
    main()
