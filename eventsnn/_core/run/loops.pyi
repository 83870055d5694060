from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS: dict[str, int]
NUMBERS_OF_A_STATE: int
ZERO: int
PADDING: int

def added(
    lanes: int,
    target: NDArray[Any],
    base: int,
    weight: NDArray[Any],
    shared: bool,
    currents: int,
    factors: Sequence[Sequence[float]],
    slots: Sequence[int],
    state: NDArray[np.int64],
) -> tuple[NDArray[np.int32], float]: ...
def begun(
    lanes: int,
    currents: int,
    least: Sequence[float],
    most: Sequence[float],
    at_end: Sequence[float],
    margin: float,
    low: int,
    lows: NDArray[np.int64] | None,
    external: NDArray[np.int64] | None,
    slot: int,
    state: NDArray[np.int64],
    flag: NDArray[np.uint8],
) -> NDArray[np.int32]: ...
def begun_jumps(
    by: int,
    before: NDArray[np.int64] | None,
    now: NDArray[np.int64] | None,
    external: NDArray[np.int64] | None,
    d: NDArray[np.int64],
) -> NDArray[np.int32]: ...
def lowest_lines(
    lanes: int, gap: NDArray[np.float64], above: float, unit: float, begin: float, end: float, margin: float
) -> NDArray[np.int64]: ...
def in_new_frames(lanes: int, kept: NDArray[np.float64], state: NDArray[np.int64]) -> None: ...
def jumps_in_new_frames(
    lanes: int, kept: float, lows: NDArray[np.int64] | None, low: int, flag: NDArray[np.uint8], d: NDArray[np.int64]
) -> None: ...
