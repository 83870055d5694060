"""What a run after another leaves, put together without copying again what the runs before it left."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Growing:
    """An array that grows along its last axis. What it grows by is copied a few times in all, however often it does."""

    def __init__(self, dtype: DTypeLike, *others: int):
        self._room: NDArray[Any] = np.empty((*others, 0), dtype=dtype)
        self._length = 0

    def append(self, values: NDArray[Any]) -> None:
        length = self._length + values.shape[-1]
        if length > self._room.shape[-1]:
            # Views of the present room stay as they are.
            grown = np.empty((*self._room.shape[:-1], max(length, 2 * self._length)), dtype=self._room.dtype)
            grown[..., : self._length] = self._room[..., : self._length]
            self._room = grown
        self._room[..., self._length : length] = values
        self._length = length

    @property
    def values(self) -> NDArray[Any]:
        """All of it, read-only; what comes later leaves this as it is."""
        view = self._room[..., : self._length]
        view.flags.writeable = False
        return view


class SpikeHistory:
    """Spikes of one population, in output order."""

    def __init__(self) -> None:
        self.times, self.ids = Growing(np.float64), Growing(np.int64)

    def append(self, times: NDArray[np.float64], ids: NDArray[np.int64]) -> None:
        self.times.append(times)
        self.ids.append(ids)


class TraceHistory:
    """Samples of one probe."""

    def __init__(self, variables: tuple[str, ...], n: int):
        self.times = Growing(np.float64)
        self.values = {name: Growing(np.float64, n) for name in variables}

    def append(self, times: NDArray[np.float64], values: dict[str, NDArray[np.float64]]) -> None:
        self.times.append(times)
        for name, array in values.items():
            self.values[name].append(array)
