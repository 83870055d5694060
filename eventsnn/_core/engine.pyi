"""The compiled engine."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from eventsnn.plan import Plan

@final
class Engine:
    """State of a compiled network, and the loop over it."""

    time: float
    threads: int
    failure: tuple[int, float, str] | None
    counters: dict[str, int]
    samples: list[dict[str, NDArray[np.float64]]]

    def __init__(self, plan: Plan) -> None: ...
    def advance(self, stop: float, budget: int, threads: int = 1) -> bool: ...
    def set_trains(
        self, first: int, times: NDArray[np.float64], begin: NDArray[np.int64], end: NDArray[np.int64]
    ) -> None: ...
    def take_spikes(self) -> tuple[NDArray[np.float64], NDArray[np.int32]]: ...
    def set_samples(self, times: list[NDArray[np.float64]]) -> None: ...
    def verify(self) -> None: ...
    def state(self) -> dict[str, NDArray[np.float64]]: ...
