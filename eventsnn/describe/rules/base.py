"""Connection rules: which synapses exist between the neurons of a presynaptic and a postsynaptic side.

A rule generates its synapses in an order of its own and numbers them; this ordinal picks a synapse's weight and delay
out of an array or a random stream, whatever the order in which synapses are stored. Random rules draw row by row (keyed
by presynaptic neuron), FixedInDegree column by column, FixedTotalNumber synapse by synapse: more rows, columns or
synapses leave the earlier ones as they were.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from eventsnn._core.synapses.connect import Lines
from eventsnn.base.arrays import Floats, Ids
from eventsnn.base.checks import flag
from eventsnn.base.errors import InputError


class Rule(ABC):
    """A connection rule, the base of all."""

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

    def expected(self, n_pre: int, n_post: int) -> float:
        """How many synapses are to be expected; a rule that makes a random number of them says how many on average."""
        shape = self.shape(n_pre, n_post)
        return 0.0 if shape is None else float(math.prod(shape))

    def weights(self) -> Floats | None:
        """Weights that the rule brings, the k-th for the synapse of ordinal k; None if it has none of its own.

        They are multiplied by the projection's weight, which then is one number.
        """
        return None


def own_places(line: Ids, side: Ids, autapses: bool) -> Ids:
    """For each id in `line` the index of the same id in `side`, -1 where there is none; all -1 with autapses."""
    own = np.full(len(line), -1, dtype=np.int32)
    if not autapses:
        _, in_line, in_side = np.intersect1d(line, side, assume_unique=True, return_indices=True)
        own[in_line] = in_side
    return own


def set_count(rule: Rule, name: str, most: int = 2**31 - 1) -> None:
    value = getattr(rule, name)
    try:
        count = operator.index(value)
    except TypeError:
        count = -1
    if not 0 <= count <= most or isinstance(value, bool):
        raise InputError(f"{type(rule).__name__}: {name} = {value!r} is not an integer from 0 to {most}")
    object.__setattr__(rule, name, count)


def check_flags(rule: Rule, *names: str) -> None:
    for name in names:
        flag(getattr(rule, name), f"{type(rule).__name__}: {name}")
