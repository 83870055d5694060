import numpy as np
from numpy.typing import NDArray

MOST_IN_CELL: int
PARAMETERS: int

# Kinds of streams.
TRAIN: int
POISSON: int
STEPS: int
SINE: int
EXPONENTIAL: int
GAMMA: int
LOGNORMAL: int
NORMAL: int
UNIFORM: int

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
