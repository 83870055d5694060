"""Population: each value is seen by a bank of Gaussian receptive fields."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError
from eventsnn.encode.base import Code, first_spikes
from eventsnn.encode.rank_order import RankOrder
from eventsnn.results.trains import Trains


@dataclass(frozen=True, repr=False)
class _Bank(Code):
    """m Gaussian receptive fields that cover the values from low to high."""

    low: float = 0.0
    high: float = 1.0
    m: int = 8
    beta: float = 1.5

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            self._require(name, lambda _: True, "a finite number")
        if not self.low < self.high:
            raise InputError(f"{type(self).__name__}: low = {self.low} must be below high = {self.high}")
        self._require_whole("m", 3, 2**15)
        self._require_positive("beta")
        if not 0.0 < self.sigma < math.inf:
            raise InputError(
                f"{type(self).__name__}: low = {self.low}, high = {self.high} and beta = {self.beta} make fields of "
                f"the width {self.sigma}; give less extreme ones"
            )

    @property
    def centres(self) -> Floats:
        """low + (2 i - 3) / 2 (high - low) / (m - 2) for i = 1 ... m, in the unit of the values."""
        i = np.arange(1, self.m + 1)
        return np.asarray(self.low + (2.0 * i - 3.0) / 2.0 * (self.high - self.low) / (self.m - 2))

    @property
    def sigma(self) -> float:
        """(high - low) / (beta (m - 2)), the width of a field."""
        return (self.high - self.low) / (self.beta * (self.m - 2))

    def activity(self, x: ArrayLike, clip: bool = False) -> Floats:
        """g = exp(-(x - centre)^2 / (2 sigma^2)) in [0, 1] of each field, shape (samples, *channels, m).

        Raises InputError for a value that is NaN or not in [low, high], with its index; clip=True moves it there.
        """
        return self._activity(np.asarray(self._values(x, self.low, self.high, clip), dtype=np.float64))

    def _activity(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):  # far outside of a field
            return np.asarray(np.exp(-0.5 * ((x[..., np.newaxis] - self.centres) / self.sigma) ** 2))

    def _require_bank(self, trains: Trains) -> None:
        shape = self._decodable(trains).shape
        if not shape or shape[-1] != self.m:
            raise InputError(f"{type(self).__name__}: trains have channels {shape}; the last axis must be m = {self.m}")


@dataclass(frozen=True, repr=False)
class Population(_Bank):
    """Each value becomes the latencies of a bank of Gaussian receptive fields: t = duration (1 - g).

    g = exp(-(x - c_i)^2 / (2 sigma^2)) with the centres c_i = low + (2 i - 3) / 2 (high - low) / (m - 2), i = 1 ... m,
    and sigma = (high - low) / (beta (m - 2)). A field whose spike would come after `late` is silent.

    Parameters: low, high, the range of the values; m, fields; beta; duration (ms); late (ms), 0.9 duration if None.
    Raises InputError for a parameter out of range; m is at least 3.

    Source: Bohte, Kok & La Poutre 2002, Neurocomputing 48:17.
    """

    duration: float = 10.0
    late: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_positive("duration")
        if self.late is not None:
            self._require("late", lambda late: 0.0 <= late <= self.duration, "a number from 0 to duration")

    @property
    def _late(self) -> float:
        return 0.9 * self.duration if self.late is None else self.late

    def encode(self, x: ArrayLike, clip: bool = False) -> Trains:
        """Spike trains of x, shape (samples, *channels); the trains have channels of shape (*channels, m).

        Raises InputError for a value that is NaN or not in [low, high], with its index; clip=True moves it there.
        """
        values = self._values(x, self.low, self.high, clip)
        return first_spikes(values, self._times, (*values.shape[1:], self.m), self.duration, self.m)

    def _times(self, x: Floats) -> Floats:
        times = self.duration * (1.0 - self._activity(x))
        return np.where(times <= self._late, times, np.inf)

    def decode(self, trains: Trains) -> Floats:
        """Values (samples, *channels) from first spikes; NaN where fewer than two fields of a bank spike.

        ln g_i + c_i^2 / (2 sigma^2) = x c_i / sigma^2 - x^2 / (2 sigma^2) is a straight line in c_i, whose slope gives
        x: by least squares with the weights g_i, and so without error where the spikes are those of the code.
        """
        self._require_bank(trains)
        g = np.nan_to_num(1.0 - trains.first() / self.duration)
        g = np.where(g > 0.0, g, 0.0)
        c = (self.centres - self.centres.mean()) / self.sigma
        with np.errstate(all="ignore"):
            line = np.where(g > 0.0, np.log(g) + 0.5 * c**2, 0.0)
            total = g.sum(axis=-1)
            mean_c, mean_line = (g * c).sum(axis=-1) / total, (g * line).sum(axis=-1) / total
            off = c - mean_c[..., np.newaxis]
            slope = (g * off * (line - mean_line[..., np.newaxis])).sum(axis=-1) / (g * off**2).sum(axis=-1)
        enough = np.count_nonzero(g, axis=-1) >= 2
        return np.where(enough, self.centres.mean() + self.sigma * slope, np.nan)

    def rate_vector(self, trains: Trains) -> Floats:
        """Relative firing rates of each bank, counts / sum of counts, shape (samples, *channels, m); NaN if silent.

        For any trains of such a bank, such as those of neurons driven with the rates `Rate().encode(bank.activity(x))`.
        """
        self._require_bank(trains)
        counts = trains.counts()
        with np.errstate(invalid="ignore"):
            return np.asarray(counts / counts.sum(axis=-1, keepdims=True))

    def decode_rates(self, trains: Trains) -> Floats:
        """Values (samples, *channels) from relative firing rates: sum_i r_i c_i; NaN if a bank is silent.

        It is the most likely value for independent Poisson spikes of rates proportional to g_i (Dayan & Abbott 2001,
        Theoretical Neuroscience, section 3.3).
        """
        return np.asarray(self.rate_vector(trains) @ self.centres)


@dataclass(frozen=True, repr=False)
class PopulationOrder(_Bank):
    """The bank of `Population`, of which only the order of firing is kept: rank r of a bank spikes at r interval.

    Fields whose activity g is below 1 - late are silent, as those of `Population` are that would be late.

    Parameters: low, high, m, beta as in `Population`; decay, in (0, 1): what a rank is worth beside the one before it;
    interval (ms); late, in [0, 1], in units of the duration that `Population` would take.
    Raises InputError for a parameter out of range.

    Source: Bohte, Kok & La Poutre 2002, Neurocomputing 48:17, for the bank; Thorpe & Gautrais 1998 for the order.
    """

    decay: float = 0.5
    interval: float = 1.0
    late: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("late", lambda late: 0.0 <= late <= 1.0, "a number from 0 to 1")
        self._require("decay", lambda decay: 0.0 < decay < 1.0, "a number between 0 and 1")
        self._require_positive("interval")

    def encode(self, x: ArrayLike, clip: bool = False) -> Trains:
        """Spike trains of x, shape (samples, *channels); the trains have channels of shape (*channels, m).

        Raises InputError for a value that is NaN or not in [low, high], with its index; clip=True moves it there.
        """
        values = self._values(x, self.low, self.high, clip)
        return first_spikes(values, self._times, (*values.shape[1:], self.m), self.interval * self.m, self.m)

    def _times(self, x: Floats) -> Floats:
        g = self._activity(x)
        silent = 1.0 - g > self.late
        times = RankOrder(interval=self.interval)._times(g.reshape(-1, self.m)).reshape(g.shape)
        return np.where(silent, np.inf, times)

    def decode(self, trains: Trains) -> Floats:
        """Values (samples, *channels) from first spikes; NaN if a bank is silent.

        sum_i c_i decay^(rank of i) / sum_i decay^(rank of i) of each bank.
        """
        self._require_bank(trains)
        banks = trains.first().reshape(-1, self.m)
        rank = np.argsort(np.argsort(banks, axis=1, kind="stable"), axis=1)
        worth = np.where(np.isnan(banks), 0.0, self.decay ** rank.astype(np.float64))
        with np.errstate(invalid="ignore"):
            values = worth @ self.centres / worth.sum(axis=1)
        return np.asarray(values.reshape(len(trains), *trains.shape[:-1]))
