import numpy as np
from numpy.typing import NDArray

def growth(lanes: int, times: NDArray[np.float64], n: int, origin: float, rate: float) -> NDArray[np.float64]:
    """exp((t - origin) * rate) of the first n times, and -1 for the others."""

def cells(
    lanes: int,
    together: bool,
    n: int,
    key: int,
    stream: int,
    mean: float,
    exp_minus_mean: float,
    start: float,
    end: float,
    origin: float,
    rate: float,
    second_rate: float | None,
) -> tuple[NDArray[np.intc], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """Cell 0 of n streams from `stream` on, together or one by one: counts, all times, their growth at both rates.

    A count of 15 is that of a cell with too many spikes to be drawn at once, of which there are none.
    """
