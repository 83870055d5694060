from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

def merge_rows(
    plans: Sequence[Any], numbers: Sequence[NDArray[np.int32]], n_delays: int, dtype: DTypeLike | None
) -> tuple[
    NDArray[np.int64],
    NDArray[np.int32],
    NDArray[np.floating[Any]] | None,
    NDArray[np.int64],
    NDArray[np.uint32],
    NDArray[np.uint16],
]: ...
