import numpy as np
from numpy.typing import NDArray

from eventsnn._core.draw.values import Law
from eventsnn.base.arrays import Floats, Ids, Ints

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
    most_ordinals: int

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
    def draw(self, line: int) -> Ids: ...
    def count(self, first: int, last: int, length: Ints) -> None: ...

class Share:
    """A projection's part of rows."""

    lines: Lines

    def __init__(
        self,
        lines: Lines,
        dtype: str = "float64",
        weights: Law | Floats | None = None,
        weight_key: int = 0,
        delays: Law | Floats | None = None,
        delay_key: int = 0,
        few: Few | None = None,
        numbers: NDArray[np.uint16] | None = None,
        number: int = 0,
        first: int = 0,
    ) -> None: ...

class Procedure:
    """Rows that are not kept: what is needed to draw one."""

    def __init__(self, share: Share, post: Ids) -> None: ...
    def row(self, row: int) -> tuple[Ids, NDArray[np.floating] | None, Floats | None]: ...
