"""Compiled equations of the LIF neurons with conductances, as a capsule that the engine opens."""

import numpy as np
from numpy.typing import NDArray

kernel: object

def side_by_side(lanes: int, state: NDArray[np.float64], constants: NDArray[np.float64]) -> list[bool]:
    """Settle neurons in vectors of so many lanes; which of them could not be settled so.

    state: time, when they shall be settled, V, drive, end of refractoriness and slots, a row each; changed in place.
    """
