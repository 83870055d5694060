import numpy as np
from numpy.typing import NDArray

def batches(
    key: int,
    index: int,
    kind: int,
    parameter: NDArray[np.float64],
    stationary: bool,
    train: NDArray[np.float64],
    stops: NDArray[np.float64],
    room: int,
) -> list[list[float]]:
    """The spikes of a stream as `stream_ahead` gives them, at most `room` at a time; [] ends those before each stop."""
