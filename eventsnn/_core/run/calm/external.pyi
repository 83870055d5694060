from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def sums(
    lanes: int,
    n: int,
    key: int,
    stream: int,
    cell: int,
    mean: float,
    exp_minus_mean: float,
    width: float,
    edges: Sequence[float],
    weight: float,
    scale: float,
    origin: float,
    rate: float,
    current: tuple[float, float, float] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[int], list[int]]: ...
