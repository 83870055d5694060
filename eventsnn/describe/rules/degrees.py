"""FixedInDegree and FixedOutDegree: so many synapses a neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventsnn._core.synapses.connect import Lines
from eventsnn.base.arrays import Ids
from eventsnn.base.errors import InputError
from eventsnn.describe.rules.base import Rule, check_flags, own_places, set_count


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
        set_count(self, "indegree")
        check_flags(self, "autapses", "multapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        own = own_places(post, pre, self.autapses)
        check_degree(self, "indegree", self.indegree, own, len(pre), "presynaptic")
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
        set_count(self, "outdegree")
        check_flags(self, "autapses", "multapses")

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        own = own_places(pre, post, self.autapses)
        check_degree(self, "outdegree", self.outdegree, own, len(post), "postsynaptic")
        return Lines("repeating" if self.multapses else "distinct", key, len(pre), len(post), own, self.outdegree)

    def shape(self, n_pre: int, n_post: int) -> tuple[int, ...]:
        return (n_pre, self.outdegree)


def check_degree(
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
