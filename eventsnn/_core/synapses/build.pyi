from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from eventsnn._core.synapses.connect import Share
from eventsnn.base.arrays import Ids, Ints

Fault = tuple[int, str, int, int, float]

class Rows:
    """Rows under construction; what is None is not kept by synapse."""

    start: Ints
    target: NDArray[np.uint16] | Ids
    weight: NDArray[np.floating[Any]] | None
    delay: NDArray[np.float64] | None
    ordinal: Ints | None

    def __init__(
        self,
        shares: list[Share],
        lengths: Ints,
        post: Ids,
        n_delays: int,
        dtype: DTypeLike | None = None,
        base: int = 0,
        pages: int = 1,
        wide: bool = False,
        ordinals: bool = False,
    ) -> None: ...
    def place(self, share: Share, first: int, last: int, cursor: Ints) -> None: ...
    def draw(
        self, first: int, last: int, n_slices: Ints
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint16], list[Fault]]: ...
