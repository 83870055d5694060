"""Events of neurons without a closed form side by side, for tests."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def side_by_side(
    model: Any, lanes: int, state: NDArray[np.float64], constants: NDArray[np.float64]
) -> list[tuple[int, float, float]]:
    """Take events of neurons in vectors of so many lanes.

    state: time, that of the event, until when to look, V, drive, end of refractoriness, what arrives at both ports, and
    slots, a row each; changed in place. Returns for each an Outcome of neuron.pxd, before when there is no crossing,
    and V at the time until which it was looked.
    """
