"""Phase: the bits of a value as spikes at fixed phases of a cycle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.base.arrays import Floats
from eventsnn.encode.base import Code, in_parts, require_few, rows
from eventsnn.results.trains import Trains


@dataclass(frozen=True, repr=False)
class Phase(Code):
    """A spike at phase k of a cycle for each bit k of x that is set; bit k = 1, 2, ... has the weight 2^-k.

    x in [0, 1] is rounded to the nearest multiple of 2^-bits, the largest being 1 - 2^-bits. Bit k spikes at
    (k - 1) / bits of the cycle, and every cycle repeats the pattern.

    Parameters: bits; cycle (ms); cycles, how often it is repeated.
    Raises InputError for a parameter out of range.

    Source: Kim, Kim, Huh, Lee & Choi 2018, Neurocomputing 311:373.
    """

    bits: int = 8
    cycle: float = 8.0
    cycles: int = 1

    def __post_init__(self) -> None:
        self._require_whole("bits", 1, 31)
        self._require_positive("cycle")
        self._require_whole("cycles", 1, 10**6)

    def encode(self, x: ArrayLike, clip: bool = False) -> Trains:
        """Spike trains of x, shape (samples, *channels), which last `cycles` cycles.

        Raises InputError for a value that is NaN or not in [0, 1], with its index; clip=True moves it into the range.
        """
        values = self._values(x, 0.0, 1.0, clip)
        each = self.bits * self.cycles
        require_few(0.5 * each * values.size, "Phase", "encode fewer samples, or take fewer cycles")
        return in_parts(values, self._encode, values.shape[1:], self.cycle * self.cycles, each)

    def _encode(self, x: Floats, _: int) -> Trains:
        level = np.minimum(np.rint(rows(x) * 2.0**self.bits), 2.0**self.bits - 1.0).astype(np.int64)
        sample, channel, k = np.nonzero(level[..., np.newaxis] >> (self.bits - 1 - np.arange(self.bits)) & 1)
        start = self.cycle * np.arange(self.cycles)[:, np.newaxis]
        times = (start + self.cycle * (k / self.bits)).ravel()
        sample, channel = np.tile(sample, self.cycles), np.tile(channel, self.cycles)
        return Trains.of(sample, times, channel, len(x), x.shape[1:], self.cycle * self.cycles)

    def decode(self, trains: Trains) -> Floats:
        """The sum of 2^-k over the spikes at phases k, divided by the number of cycles, shape (samples, *channels)."""
        step = np.rint(self._decodable(trains).times * (self.bits / self.cycle)).astype(np.int64)
        weight = 2.0 ** -(step % self.bits + 1.0)
        sums = np.bincount(trains.channel, weight, minlength=len(trains) * trains.n)
        return np.asarray(sums.reshape(len(trains), *trains.shape) / self.cycles)
