import numpy as np
from numpy.typing import NDArray

from eventsnn._core.values import Law

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

def distinct_pairs(key: int, n: int, n_post: int, own: Ids) -> tuple[Ids, Ids]: ...

class Few:
    """Ascending values, and the number of each by hashing."""

    values: Floats

    def __init__(self, values: Floats) -> None: ...
    @staticmethod
    def of(array: Floats, most: int) -> Few | None: ...

class Lines:
    """What a rule draws between two sides."""

    n: int
    n_pre: int
    by_target: bool
    shared: bool

    def __init__(
        self,
        kind: str,
        key: int,
        n_pre: int,
        n_post: int,
        own: Ids | None = None,
        degree: int = 0,
        p: float = 0.0,
        columns: bool = False,
        pre: Ids | None = None,
        post: Ids | None = None,
    ) -> None: ...
    def count(self, first: int, last: int, length: Ints) -> None: ...

class Procedure:
    """Rows that are not kept: what is needed to draw one."""

    def __init__(
        self,
        lines: Lines,
        post: Ids,
        weights: Law | None,
        weight_key: int,
        dtype: str,
        delays: Law | None,
        delay_key: int,
    ) -> None: ...
    def row(self, row: int) -> tuple[Ids, NDArray[np.floating] | None, Floats | None]: ...

class Rows:
    """The synapses of a projection by row: row r is start[r]:start[r + 1]. What is None is not kept by synapse."""

    start: Ints
    target: Ids
    weight: NDArray[np.floating] | None
    delay: Floats | None
    number: NDArray[np.uint16] | None
    ordinal: Ints | None

    def __init__(self, start: Ints) -> None: ...
    def keep_weights(self, dtype: str, law: Law | None, key: int, given: Floats | None) -> None: ...
    def keep_delays(self, few: Few | None, law: Law | None, key: int, given: Floats | None) -> None: ...
    def keep_ordinals(self) -> None: ...
    def fill(self, lines: Lines, first: int, last: int, cursor: Ints) -> tuple[str, int, int, float] | None: ...
    def sort(self, first: int, last: int, by_target: bool, post: Ids, slices: Ints) -> None: ...
    def slice(
        self, first: int, last: int, row_slice: Ints, begin: NDArray[np.uint32], value: NDArray[np.uint16]
    ) -> None: ...
