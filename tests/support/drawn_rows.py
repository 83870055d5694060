"""What a connection rule draws, as rows that can be read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.synapses.connect import Share
from eventsnn.base.arrays import Ids
from eventsnn.compile.building import Building
from eventsnn.describe.rules.base import Rule


class Rows(NamedTuple):
    """Synapses by presynaptic neuron, each row sorted by (target, ordinal).

    Row i is the slice indptr[i]:indptr[i + 1]; `target` holds indices into the postsynaptic side, `ordinal` the numbers
    of the synapses in the rule's order of generation (None if they were not asked for).
    """

    indptr: NDArray[np.int64]
    target: Ids
    ordinal: NDArray[np.int64] | None


def draw(rule: Rule, key: int, pre: Ids, post: Ids, ordinals: bool) -> Rows:
    """The synapses that a rule makes between two sides, for reading; see Rule.lines for the arguments."""
    places = np.arange(len(post), dtype=np.int32)
    rows = Building([Share(rule.lines(key, pre, post))]).build(places, 1, wide=True, ordinals=ordinals).rows
    return Rows(rows.start, rows.target.astype(np.int32, copy=False), rows.ordinal)
