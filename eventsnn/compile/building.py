"""Building: draws the synapses of projections into rows, in threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.synapses import build as kernel_build
from eventsnn._core.synapses.connect import Lines, Share
from eventsnn.base.arrays import Ids

# Blocks of rows for each thread: rows and lines differ in length.
BLOCKS = 4
# More threads are never of use.
MOST_THREADS = 1024
# A thread is worth its start from this many synapses on, 10 ms of work, if the number of threads is not given.
WORTH_A_THREAD = 2**18


class Built(NamedTuple):
    """Rows that are built.

    Row r has the slices slice_row[r]:slice_row[r + 1]. begin: where each slice begins in its row. value: number of the
    slice's delay times the number of pages, plus its page. faults: for values that cannot be used, the share, what is
    wrong, how many there are, the ordinal and the value of the first.
    """

    rows: kernel_build.Rows
    slice_row: NDArray[np.int64]
    begin: NDArray[np.uint32]
    value: NDArray[np.uint16]
    faults: list[tuple[int, str, int, int, float]]


class Building:
    """Builds the rows that some shares have in common. Making one counts the synapses, `build` draws them.

    The rows are the same for any number of threads: each block of lines writes to places of its own. threads=None: as
    many as there are processors and work for.
    """

    def __init__(self, shares: list[Share], threads: int | None = None):
        self.shares = shares
        self.threads = threads
        self.blocks: list[list[tuple[int, int]]] = []
        self.counts: list[NDArray[np.int64]] = []
        for share in shares:
            blocks, count = _count(share.lines, threads)
            self.blocks.append(blocks)
            self.counts.append(count)
        self.lengths = np.stack([count.sum(axis=0) for count in self.counts])

    def build(self, post: Ids, n_delays: int, **kept: Any) -> Built:
        """Draw all synapses. post: the neurons of all shares' targets; for the rest see the kernel."""
        rows = kernel_build.Rows(self.shares, self.lengths, post, n_delays, **kept)
        before = rows.start[:-1].copy()
        for share, blocks, count in zip(self.shares, self.blocks, self.counts, strict=True):
            # In each row the synapses of a block lie behind those of the shares and of the blocks before.
            cursors = before + np.cumsum(count, axis=0) - count
            before += count.sum(axis=0)
            if share.lines.shared:
                jobs: list[Any] = [(share, *block, at) for block, at in zip(blocks, cursors, strict=True)]
                in_threads(len(jobs), rows.place, jobs)
        slice_row = np.zeros(rows.start.size, dtype=np.int64)
        threads = _threads(self.threads, rows.start.item(rows.start.size - 1))
        jobs = [(*block, slice_row[1:]) for block in _row_blocks(rows.start, BLOCKS * threads)]
        parts = in_threads(threads, rows.draw, jobs)
        np.cumsum(slice_row, out=slice_row)
        begins, values = ([part[k] for part in parts] for k in (0, 1))
        begin = np.concatenate([np.empty(0, dtype=np.uint32), *begins])
        value = np.concatenate([np.empty(0, dtype=np.uint16), *values])
        return Built(rows, slice_row, begin, value, [fault for part in parts for fault in part[2]])


def _count(lines: Lines, threads: int | None) -> tuple[list[tuple[int, int]], NDArray[np.int64]]:
    """Blocks of lines, and the number of synapses in each row; one count for each block if blocks share rows."""
    # Counts of blocks take less than a byte for each synapse.
    n = _threads(threads, lines.most_ordinals, 8 * lines.n_pre if lines.shared else 0)
    blocks = _blocks(lines.n, n if lines.shared else BLOCKS * n)
    count = np.zeros((len(blocks) if lines.shared else 1, lines.n_pre), dtype=np.int64)
    in_threads(n, lines.count, [(*block, count[k if lines.shared else 0]) for k, block in enumerate(blocks)])
    return blocks, count


def count_synapses(lines: Lines, threads: int | None) -> int:
    """How many synapses lines that are rows make."""
    return int(_count(lines, threads)[1].sum())


def in_threads(threads: int, action: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> list[Any]:
    """The results of action(*job) for all jobs. `action` must release the GIL for threads to be of use."""
    if threads == 1 or len(jobs) < 2:
        return [action(*job) for job in jobs]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda job: action(*job), jobs))


def _threads(given: int | None, synapses: int, fewest: int = 0) -> int:
    """The number of threads: as given, or one for each processor that this process may use.

    Each must have at least `fewest` synapses to draw.
    """
    if given is not None:
        return min(given, MOST_THREADS)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, synapses // max(fewest, WORTH_A_THREAD)))


def _blocks(n: int, count: int) -> list[tuple[int, int]]:
    edges = [n * k // count for k in range(count + 1)]
    return [(first, last) for first, last in pairwise(edges) if first < last]


def _row_blocks(start: NDArray[np.int64], count: int) -> list[tuple[int, int]]:
    """Blocks of rows with about equally many synapses."""
    first = np.searchsorted(start, np.arange(count) * (start[-1] / count))
    edges = np.unique(np.concatenate([[0], first, [start.size - 1]])).tolist()
    return list(pairwise(edges))
