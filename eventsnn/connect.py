"""Connection rules: which synapses exist between the neurons of a presynaptic and a postsynaptic side.

A rule generates its synapses in an order of its own and numbers them; this ordinal picks a synapse's weight and delay
out of an array or a random stream, whatever the order in which synapses are stored. Random rules draw row by row (keyed
by presynaptic neuron), FixedInDegree column by column, FixedTotalNumber synapse by synapse: more rows, columns or
synapses leave the earlier ones as they were.
"""

import operator
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eventsnn._core import build as kernel_build
from eventsnn._core import connect as kernel
from eventsnn._core.connect import Lines, Share
from eventsnn.errors import InputError

# Blocks of rows for each thread: rows and lines differ in length.
BLOCKS = 4
# Synapses for which a thread is worth its start, where nobody says how many there are to be: 10 ms of work.
WORTH_A_THREAD = 2**18

Ids: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]


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


class Rows(NamedTuple):
    """Synapses by presynaptic neuron, each row sorted by (target, ordinal).

    Row i is the slice indptr[i]:indptr[i + 1]; `target` holds indices into the postsynaptic side, `ordinal` the numbers
    of the synapses in the rule's order of generation (None if they were not asked for).
    """

    indptr: NDArray[np.int64]
    target: Ids
    ordinal: NDArray[np.int64] | None


class Rule(ABC):
    """What all connection rules have in common."""

    # "row", or what the rule does instead.
    drawn_by: ClassVar[str] = "row"

    @abstractmethod
    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        """What the kernel is to draw between two sides, from the random stream of this 64-bit key.

        `pre` and `post` are the global ids of the neurons on the two sides, unique on each side; an autapse is a pair
        with the same id. Raises InputError if the rule cannot be satisfied on these sides.
        """

    @abstractmethod
    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...] | None:
        """The shape of an array of weights or delays; flattened, its element k belongs to the synapse of ordinal k.

        None if the number of synapses is random, so that no array can fit.
        """

    def weights(self) -> Floats | None:
        """Weights that the rule brings, the k-th for the synapse of ordinal k; None if it has none of its own.

        They are multiplied by the projection's weight, which then is one number.
        """
        return None

    def draw(self, key: int, pre: Ids, post: Ids, ordinals: bool) -> Rows:
        """The synapses between two sides, for reading; see `lines` for the arguments."""
        lines = self.lines(key, pre, post)
        places = _count_up(len(post)).astype(np.int32)
        rows = Building([Share(lines)]).build(places, 1, wide=True, ordinals=ordinals).rows
        return Rows(rows.start, rows.target.astype(np.int32, copy=False), rows.ordinal)


@dataclass(frozen=True)
class OneToOne(Rule):
    """Neuron i to neuron i; the sides must have the same size. Ordinal i, weights of shape (n,)."""

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        n = len(pre)
        if len(post) != n:
            raise InputError(f"OneToOne: {n} presynaptic and {len(post)} postsynaptic neurons; the sizes must be equal")
        return Lines("same", key, n, n)

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (n_pre,)


@dataclass(frozen=True)
class AllToAll(Rule):
    """Every pair once. Ordinal pre * n_post + post, weights of shape (n_pre, n_post).

    With autapses=False the elements of such an array that belong to a neuron and itself are not used.
    """

    autapses: bool = True

    def __post_init__(self) -> None:
        _check_flags(self, "autapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        return Lines("every", key, len(pre), len(post), _own(pre, post, self.autapses))

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (n_pre, n_post)


@dataclass(frozen=True)
class FixedInDegree(Rule):
    """`indegree` random presynaptic neurons for each postsynaptic one, drawn column by column.

    Ordinal post * indegree + k for the k-th draw of a column, weights of shape (n_post, indegree). Raises InputError if
    indegree is not an integer >= 0, and in drawing if there are too few presynaptic neurons.
    """

    drawn_by: ClassVar[str] = "draws columns"

    indegree: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _set_count(self, "indegree")
        _check_flags(self, "autapses", "multapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        own = _own(post, pre, self.autapses)
        _check_degree(self, "indegree", self.indegree, own, len(pre), "presynaptic")
        kind = "repeating" if self.multapses else "distinct"
        return Lines(kind, key, len(pre), len(post), own, self.indegree, columns=True)

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (n_post, self.indegree)


@dataclass(frozen=True)
class FixedOutDegree(Rule):
    """`outdegree` random postsynaptic neurons for each presynaptic one, drawn row by row.

    Ordinal pre * outdegree + k for the k-th draw of a row, weights of shape (n_pre, outdegree). Raises InputError if
    outdegree is not an integer >= 0, and in drawing if there are too few postsynaptic neurons.
    """

    outdegree: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _set_count(self, "outdegree")
        _check_flags(self, "autapses", "multapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        own = _own(pre, post, self.autapses)
        _check_degree(self, "outdegree", self.outdegree, own, len(post), "postsynaptic")
        return Lines("repeating" if self.multapses else "distinct", key, len(pre), len(post), own, self.outdegree)

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (n_pre, self.outdegree)


@dataclass(frozen=True)
class FixedProbability(Rule):
    """Every pair at most once, independently with probability p, drawn row by row (NEST's pairwise_bernoulli).

    Ordinal pre * n_post + post; as the number of synapses is random, weights cannot be an array. Raises InputError if p
    is not in [0, 1].
    """

    p: float
    autapses: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.p, Real) or isinstance(self.p, bool) or not 0.0 <= self.p <= 1.0:
            raise InputError(f"FixedProbability: p = {self.p!r} is not a probability in [0, 1]")
        object.__setattr__(self, "p", float(self.p))
        _check_flags(self, "autapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        if self.p == 1.0:
            return AllToAll(self.autapses).lines(key, pre, post)
        return Lines("probable", key, len(pre), len(post), _own(pre, post, self.autapses), p=self.p)

    def shape(self, n_pre: int, n_post: int) -> None:
        return None


@dataclass(frozen=True)
class FixedTotalNumber(Rule):
    """`n` random pairs. Ordinal k for the k-th pair, weights of shape (n,).

    With multapses=False a pair already taken is drawn again, which is slow only when nearly all pairs are wanted.
    Raises InputError if n is not an integer >= 0, and in drawing if there are too few pairs.
    """

    drawn_by: ClassVar[str] = "draws pairs from all rows"

    n: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _set_count(self, "n", 2**40)
        _check_flags(self, "autapses", "multapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        own = _own(pre, post, self.autapses)
        pairs = len(pre) * len(post) - np.count_nonzero(own >= 0)
        if self.n > 0 and pairs < (1 if self.multapses else self.n):
            raise InputError(
                f"FixedTotalNumber: n = {self.n} with autapses={self.autapses} and multapses={self.multapses} does "
                f"not fit {len(pre)} presynaptic and {len(post)} postsynaptic neurons, which form {pairs} allowed pairs"
            )
        if self.multapses:
            return Lines("drawn", key, len(pre), len(post), own, self.n)
        source, target = kernel.distinct_pairs(key, self.n, len(post), own)
        return Lines("listed", key, len(pre), len(post), pre=source, post=target)

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (self.n,)


@dataclass(frozen=True, eq=False)
class Explicit(Rule):
    """The pairs given: neuron pre_ids[k] of the presynaptic side to neuron post_ids[k] of the postsynaptic side.

    Ordinal k, weights of shape (n,). Ids count from 0 on each side; a pair given twice is two synapses. Raises
    InputError unless both are one-dimensional sequences of integers of one length, and in drawing if an id is out of
    range.
    """

    drawn_by: ClassVar[str] = "is a list of pairs"

    pre_ids: NDArray[np.int64] | Sequence[int]
    post_ids: NDArray[np.int64] | Sequence[int]

    def __post_init__(self) -> None:
        for name in ("pre_ids", "post_ids"):
            try:
                ids = np.array(getattr(self, name))
            except ValueError:
                raise InputError(f"Explicit: {name} holds lists of different lengths, not integers") from None
            if ids.ndim != 1 or (ids.size and not np.issubdtype(ids.dtype, np.integer)):
                raise InputError(
                    f"Explicit: {name} has {ids.ndim} dimensions and type {ids.dtype}; "
                    "one dimension of integers is needed"
                )
            ids = ids.astype(np.int64)
            ids.flags.writeable = False
            object.__setattr__(self, name, ids)
        if len(self.pre_ids) != len(self.post_ids):
            raise InputError(
                f"Explicit: pre_ids has {len(self.pre_ids)} and post_ids {len(self.post_ids)} elements; "
                "the lengths must be equal"
            )

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        source = self._indices("pre_ids", len(pre), "presynaptic")
        target = self._indices("post_ids", len(post), "postsynaptic")
        return Lines("listed", key, len(pre), len(post), pre=source, post=target)

    def _indices(self, name: str, n: int, side: str) -> Ids:
        ids = np.asarray(getattr(self, name))
        wrong = np.flatnonzero((ids < 0) | (ids >= n))
        if wrong.size:
            k = wrong[0]
            raise InputError(
                f"Explicit: {name}[{k}] = {ids[k]} is not an index into the {n} neurons of the {side} side, "
                "which are counted from 0"
            )
        return ids.astype(np.int32)

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (len(self.pre_ids),)


def _count_up(n: int) -> NDArray[np.int64]:
    """0 ... n - 1 as int64, which numpy's default integer is not everywhere."""
    return np.arange(n, dtype=np.int64)


def _own(line: Ids, side: Ids, autapses: bool) -> Ids:
    """For each id in `line` the index of the same id in `side`, -1 where there is none; all -1 with autapses."""
    own = np.full(len(line), -1, dtype=np.int32)
    if not autapses:
        _, in_line, in_side = np.intersect1d(line, side, assume_unique=True, return_indices=True)
        own[in_line] = in_side
    return own


def _check_degree(
    rule: FixedInDegree | FixedOutDegree, name: str, degree: int, own: Ids, n_side: int, side: str
) -> None:
    """Refuse a degree that some line cannot have; a neuron that may not connect to itself has one candidate less."""
    if degree == 0 or own.size == 0:
        return
    autapse_excluded = bool(np.any(own >= 0))
    candidates = n_side - autapse_excluded
    needed = 1 if rule.multapses else degree
    if candidates < needed:
        without_itself = " other than the neuron itself" if autapse_excluded else ""
        raise InputError(
            f"{type(rule).__name__}: {name} = {degree} with multapses={rule.multapses} needs at least "
            f"{needed} {side} neurons{without_itself}, but there are {candidates}"
        )


def _set_count(rule: Rule, name: str, most: int = 2**31 - 1) -> None:
    value = getattr(rule, name)
    try:
        count = operator.index(value)
    except TypeError:
        count = -1
    if not 0 <= count <= most or isinstance(value, bool):
        raise InputError(f"{type(rule).__name__}: {name} = {value!r} is not an integer from 0 to {most}")
    object.__setattr__(rule, name, count)


def _check_flags(rule: Rule, *names: str) -> None:
    for name in names:
        value = getattr(rule, name)
        if not isinstance(value, bool):
            raise InputError(f"{type(rule).__name__}: {name} = {value!r} is neither True nor False")
