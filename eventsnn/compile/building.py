"""Building: the synapses of projections are drawn, in threads."""

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
# Synapses for which a thread is worth its start, where nobody says how many there are to be: 10 ms of work.
WORTH_A_THREAD = 2**18


class Built(NamedTuple):
    """Rows that are built. Slices of row r are slice_row[r]:slice_row[r + 1]; value: the number of each slice, that of
    its delay times the pages, and its page. faults: what is wrong with values, of which share, what, how many, the
    first's ordinal, the value."""

    rows: kernel_build.Rows
    slice_row: NDArray[np.int64]
    begin: NDArray[np.uint32]
    value: NDArray[np.uint16]
    faults: list[tuple[int, str, int, int, float]]


class Building:
    """The rows that some shares have in common: make one, which counts their synapses, then build.

    However many threads take part in it, the rows are the same: a block of lines writes to places of its own. None:
    as many as there are processors and work for.
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
            # Where the synapses of a block go in each row: behind those of other shares and of the blocks before.
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
    """Blocks of lines, and how many synapses there are in each row: in each block, if blocks have rows in common."""
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
    """What `action` returns for each of the jobs, its arguments; it must release the GIL for threads to be of use."""
    if threads == 1 or len(jobs) < 2:
        return [action(*job) for job in jobs]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda job: action(*job), jobs))


def _threads(given: int | None, synapses: int, fewest: int = 0) -> int:
    """As many as given; or as processors that this process may use, if there is work, `fewest` synapses, for each."""
    if given is not None:
        return given
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
