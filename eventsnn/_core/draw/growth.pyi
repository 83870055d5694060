import numpy as np
from numpy.typing import NDArray

def growth(lanes: int, times: NDArray[np.float64], n: int, origin: float, rate: float) -> NDArray[np.float64]:
    """exp((t - origin) * rate) of the first n times, and -1 for the others."""
