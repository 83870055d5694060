"""FixedTotalNumber: so many pairs in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventsnn._core.synapses import connect as kernel
from eventsnn._core.synapses.connect import Lines
from eventsnn.base.arrays import Ids
from eventsnn.base.errors import InputError
from eventsnn.describe.rules.base import Rule, check_flags, own_places, set_count


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
        set_count(self, "n", 2**40)
        check_flags(self, "autapses", "multapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        own = own_places(pre, post, self.autapses)
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
