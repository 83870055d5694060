import numpy as np
from numpy.typing import NDArray

MOST_ATTEMPTS: int

class Law:
    """A distribution as the kernels see it."""

    def __init__(
        self,
        kind: str,
        first: float,
        second: float = 0.0,
        low: float = ...,
        high: float = ...,
        grid: float = 0.0,
        least: float = ...,
        most: float = ...,
        refuses: bool = False,
        lanes: int = 0,
    ) -> None: ...
    def sample(self, key: int, index: NDArray[np.uint64]) -> tuple[NDArray[np.float64], int]: ...
