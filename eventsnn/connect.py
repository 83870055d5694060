"""Connection rules: which synapses exist between the neurons of a presynaptic and a postsynaptic side.

A rule generates its synapses in an order of its own and numbers them; this ordinal picks a synapse's weight and delay
out of an array or a random stream, whatever the order in which synapses are stored. Random rules draw row by row (keyed
by presynaptic neuron), FixedInDegree column by column, FixedTotalNumber synapse by synapse: more rows, columns or
synapses leave the earlier ones as they were.
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn._core import connect as kernel
from eventsnn.errors import InputError


class Rows(NamedTuple):
    """Synapses by presynaptic neuron, each row sorted by (target, ordinal).

    Row i is the slice indptr[i]:indptr[i + 1]; `target` holds indices into the postsynaptic side, `ordinal` the numbers
    of the synapses in the rule's order of generation (None if they were not asked for).
    """

    indptr: NDArray[np.int64]
    target: NDArray[np.int32]
    ordinal: NDArray[np.int64] | None


class Rule(ABC):
    """What all connection rules have in common."""

    @abstractmethod
    def draw(self, key: int, pre: NDArray[np.int32], post: NDArray[np.int32], ordinals: bool) -> Rows:
        """The synapses between two sides, from the random stream of this 64-bit key.

        `pre` and `post` are the global ids of the neurons on the two sides, unique on each side; an autapse is a pair
        with the same id. Raises InputError if the rule cannot be satisfied on these sides.
        """

    @abstractmethod
    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...] | None:
        """The shape of an array of weights or delays; flattened, its element k belongs to the synapse of ordinal k.

        None if the number of synapses is random, so that no array can fit.
        """


@dataclass(frozen=True)
class OneToOne(Rule):
    """Neuron i to neuron i; the sides must have the same size. Ordinal i, weights of shape (n,)."""

    def draw(self, key: int, pre: NDArray[np.int32], post: NDArray[np.int32], ordinals: bool) -> Rows:
        n = len(pre)
        if len(post) != n:
            raise InputError(f"OneToOne: {n} presynaptic and {len(post)} postsynaptic neurons; the sizes must be equal")
        return Rows(_count_up(n + 1), np.arange(n, dtype=np.int32), _count_up(n) if ordinals else None)

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

    def draw(self, key: int, pre: NDArray[np.int32], post: NDArray[np.int32], ordinals: bool) -> Rows:
        n_pre, n_post = len(pre), len(post)
        own = _own(pre, post, self.autapses)
        rows = np.flatnonzero(own >= 0)
        autapses = rows * n_post + own[rows]
        target = np.tile(np.arange(n_post, dtype=np.int32), n_pre)
        return Rows(
            np.concatenate([[0], np.cumsum(n_post - (own >= 0), dtype=np.int64)]),
            np.delete(target, autapses) if autapses.size else target,
            np.delete(_count_up(n_pre * n_post), autapses) if ordinals else None,
        )

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (n_pre, n_post)


@dataclass(frozen=True)
class FixedInDegree(Rule):
    """`indegree` random presynaptic neurons for each postsynaptic one, drawn column by column.

    Ordinal post * indegree + k for the k-th draw of a column, weights of shape (n_post, indegree). Raises InputError if
    indegree is not an integer >= 0, and in drawing if there are too few presynaptic neurons.
    """

    indegree: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _set_count(self, "indegree")
        _check_flags(self, "autapses", "multapses")

    def draw(self, key: int, pre: NDArray[np.int32], post: NDArray[np.int32], ordinals: bool) -> Rows:
        own = _own(post, pre, self.autapses)
        _check_degree(self, "indegree", self.indegree, own, len(pre), "presynaptic")
        source = kernel.draw_lines(key, self.indegree, len(pre), own, self.multapses)
        column_indptr = _count_up(len(post) + 1) * self.indegree
        return Rows(*kernel.rows_of_columns(column_indptr, source, None, len(pre), ordinals))

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

    def draw(self, key: int, pre: NDArray[np.int32], post: NDArray[np.int32], ordinals: bool) -> Rows:
        own = _own(pre, post, self.autapses)
        _check_degree(self, "outdegree", self.outdegree, own, len(post), "postsynaptic")
        target = kernel.draw_lines(key, self.outdegree, len(post), own, self.multapses)
        source = np.repeat(np.arange(len(pre), dtype=np.int32), self.outdegree)
        return _sorted_rows(source, target, len(pre), len(post), ordinals)

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

    def draw(self, key: int, pre: NDArray[np.int32], post: NDArray[np.int32], ordinals: bool) -> Rows:
        if self.p == 1.0:
            return AllToAll(self.autapses).draw(key, pre, post, ordinals)
        return Rows(*kernel.draw_rows(key, self.p, len(post), _own(pre, post, self.autapses), ordinals))

    def shape(self, n_pre: int, n_post: int) -> None:
        return None


@dataclass(frozen=True)
class FixedTotalNumber(Rule):
    """`n` random pairs. Ordinal k for the k-th pair, weights of shape (n,).

    With multapses=False a pair already taken is drawn again, which is slow only when nearly all pairs are wanted.
    Raises InputError if n is not an integer >= 0, and in drawing if there are too few pairs.
    """

    n: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _set_count(self, "n", 2**40)
        _check_flags(self, "autapses", "multapses")

    def draw(self, key: int, pre: NDArray[np.int32], post: NDArray[np.int32], ordinals: bool) -> Rows:
        own = _own(pre, post, self.autapses)
        pairs = len(pre) * len(post) - np.count_nonzero(own >= 0)
        if self.n > 0 and pairs < (1 if self.multapses else self.n):
            raise InputError(
                f"FixedTotalNumber: n = {self.n} with autapses={self.autapses} and multapses={self.multapses} does "
                f"not fit {len(pre)} presynaptic and {len(post)} postsynaptic neurons, which form {pairs} allowed pairs"
            )
        source, target = kernel.draw_pairs(key, self.n, len(post), own, self.multapses)
        return _sorted_rows(source, target, len(pre), len(post), ordinals)

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (self.n,)


@dataclass(frozen=True, eq=False)
class Explicit(Rule):
    """The pairs given: neuron pre_ids[k] of the presynaptic side to neuron post_ids[k] of the postsynaptic side.

    Ordinal k, weights of shape (n,). Ids count from 0 on each side; a pair given twice is two synapses. Raises
    InputError unless both are one-dimensional sequences of integers of one length, and in drawing if an id is out of
    range.
    """

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

    def draw(self, key: int, pre: NDArray[np.int32], post: NDArray[np.int32], ordinals: bool) -> Rows:
        source = self._indices("pre_ids", len(pre), "presynaptic")
        target = self._indices("post_ids", len(post), "postsynaptic")
        return _sorted_rows(source, target, len(pre), len(post), ordinals)

    def _indices(self, name: str, n: int, side: str) -> NDArray[np.int32]:
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


def _own(line: NDArray[np.int32], side: NDArray[np.int32], autapses: bool) -> NDArray[np.int32]:
    """For each id in `line` the index of the same id in `side`, -1 where there is none; all -1 with autapses."""
    own = np.full(len(line), -1, dtype=np.int32)
    if not autapses:
        _, in_line, in_side = np.intersect1d(line, side, assume_unique=True, return_indices=True)
        own[in_line] = in_side
    return own


def _sorted_rows(source: NDArray[np.int32], target: NDArray[np.int32], n_pre: int, n_post: int, ordinals: bool) -> Rows:
    """Rows of pairs that are given in their order of generation."""
    columns = kernel.columns_of_pairs(source, target, n_post, ordinals)
    return Rows(*kernel.rows_of_columns(*columns, n_pre, ordinals))


def _check_degree(
    rule: FixedInDegree | FixedOutDegree, name: str, degree: int, own: NDArray[np.int32], n_side: int, side: str
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
