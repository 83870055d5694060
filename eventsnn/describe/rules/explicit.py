"""Explicit: pairs that are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.synapses.connect import Lines
from eventsnn.base.arrays import Ids
from eventsnn.base.errors import InputError
from eventsnn.describe.rules.base import Rule


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
            given = getattr(self, name)
            try:
                ids = np.array(given)
            except ValueError:
                raise InputError(f"Explicit: {name} holds lists of different lengths, not integers") from None
            except Exception:  # an object that fails to say what its elements are
                ids = np.array(None)
            if isinstance(given, np.ma.MaskedArray):
                raise InputError(f"Explicit: {name} is a masked array, whose mask would be lost; give its compressed()")
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
