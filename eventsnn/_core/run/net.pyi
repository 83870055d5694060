from numpy import void
from numpy.typing import NDArray

from eventsnn.base.arrays import Floats

def scales(model: NDArray[void], constants: Floats) -> list[float]: ...
