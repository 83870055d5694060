"""Compiled equations of the LIF neurons with conductances, as a capsule that the engine opens."""

import numpy as np
from numpy.typing import NDArray

kernel: object

def side_by_side(lanes: int, state: NDArray[np.float64], constants: NDArray[np.float64]) -> list[tuple[int, float]]:
    """Take events of neurons in vectors of so many lanes.

    state: time, that of the event, V, drive, end of refractoriness, what arrives at both ports, and slots, a row each;
    changed in place. Returns for each an Outcome of neuron.pxd and before when there is no crossing.
    """
