"""Burst: more spikes, closer together, for a larger value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError
from eventsnn.encode.base import Code, in_parts, require_few
from eventsnn.results.trains import Trains

# 100 * 0.07 is an ulp above 7 and must not be 8 spikes.
ROUNDING = 1e-15


@dataclass(frozen=True, repr=False)
class Burst(Code):
    """A burst from 0 on of N = ceil(n_max x) spikes, isi_max - (isi_max - isi_min) x ms apart, for x in [0, 1].

    Parameters: n_max; isi_min, isi_max (ms), isi_min <= isi_max. A sample lasts (n_max - 1) isi_max.
    Raises InputError for a parameter out of range.

    Source: Guo, Fouda, Eltawil & Salama 2021, Front Neurosci 15:638474, after Park, Kim, Choe & Yoon 2019 (DAC).
    """

    n_max: int = 5
    isi_min: float = 2.0
    isi_max: float = 10.0

    def __post_init__(self) -> None:
        self._require_whole("n_max", 1, 10**6)
        self._require_positive("isi_min", "isi_max")
        if self.isi_min > self.isi_max:
            raise InputError(f"Burst: isi_min = {self.isi_min:g} ms must not be above isi_max = {self.isi_max:g} ms")

    def encode(self, x: ArrayLike, clip: bool = False) -> Trains:
        """Spike trains of x, shape (samples, *channels).

        Raises InputError for a value that is NaN or not in [0, 1], with its index; clip=True moves it into the range.
        """
        values = self._values(x, 0.0, 1.0, clip)
        expected = self.n_max * values.sum(dtype=np.float64)
        require_few(expected, "Burst", "encode fewer samples, or take a smaller n_max")
        duration = (self.n_max - 1) * self.isi_max
        return in_parts(values, self._encode, values.shape[1:], duration, self.n_max)

    def _encode(self, x: Floats, _: int) -> Trains:
        flat = x.ravel()
        n = np.ceil(self.n_max * flat * (1.0 - ROUNDING)).astype(np.int64)
        which = np.repeat(np.arange(flat.size), n)
        number = np.arange(which.size) - np.repeat(np.cumsum(n) - n, n)
        times = number * (self.isi_max - (self.isi_max - self.isi_min) * flat)[which]
        sample, channel = np.divmod(which, max(x[0].size, 1))
        return Trains.of(sample, times, channel, len(x), x.shape[1:], (self.n_max - 1) * self.isi_max)

    def decode(self, trains: Trains) -> Floats:
        """Values (samples, *channels) from the intervals; without one, the middle of what so many spikes mean."""
        n = self._decodable(trains).counts()
        last = np.full(len(trains) * trains.n, np.nan)
        last[trains.channel] = trains.times
        with np.errstate(divide="ignore", invalid="ignore"):
            isi = (last.reshape(n.shape) - trains.first()) / (n - 1)
            x = (self.isi_max - isi) / (self.isi_max - self.isi_min)
        by_count = np.where(n > 0, (n - 0.5) / self.n_max, 0.0)
        return np.where((n > 1) & np.isfinite(x), x, by_count)
