import numpy as np
from numpy.typing import NDArray

def spikes(
    key: int,
    index: int,
    kind: int,
    parameter: NDArray[np.float64],
    stationary: bool,
    train: NDArray[np.float64],
    stop: float,
) -> list[float]:
    """The spikes of a stream before a time (ms)."""
