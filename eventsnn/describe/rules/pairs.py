"""OneToOne, AllToAll and FixedProbability: every pair at most once."""

from __future__ import annotations

from dataclasses import dataclass

from eventsnn._core.synapses.connect import Lines
from eventsnn.base.arrays import Ids
from eventsnn.base.checks import real
from eventsnn.base.errors import InputError
from eventsnn.describe.rules.base import Rule, check_flags, own_places


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
        check_flags(self, "autapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        return Lines("every", key, len(pre), len(post), own_places(pre, post, self.autapses))

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (n_pre, n_post)


@dataclass(frozen=True)
class FixedProbability(Rule):
    """Every pair at most once, independently with probability p, drawn row by row (NEST's pairwise_bernoulli).

    Ordinal pre * n_post + post; as the number of synapses is random, weights cannot be an array. Raises InputError if p
    is not in [0, 1].
    """

    p: float
    autapses: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= real(self.p) <= 1.0:
            raise InputError(f"FixedProbability: p = {self.p!r} is not a probability in [0, 1]")
        object.__setattr__(self, "p", float(self.p) + 0.0)  # -0.0 would have no end of candidates
        check_flags(self, "autapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        if self.p == 1.0:
            return AllToAll(self.autapses).lines(key, pre, post)
        return Lines("probable", key, len(pre), len(post), own_places(pre, post, self.autapses), p=self.p)

    def shape(self, n_pre: int, n_post: int) -> None:
        return None

    def expected(self, n_pre: int, n_post: int) -> float:
        return self.p * n_pre * n_post
