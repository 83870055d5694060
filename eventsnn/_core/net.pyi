from numpy import void
from numpy.typing import NDArray

from eventsnn.plan import Floats

CONSTANTS: dict[str, int]

def scales(model: NDArray[void], constants: Floats) -> list[float]: ...
