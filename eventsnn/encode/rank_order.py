"""Rank order: only the order of the first spikes counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import floats
from eventsnn.base.errors import InputError
from eventsnn.encode.base import Code, first_spikes, rows
from eventsnn.results.trains import Trains


@dataclass(frozen=True, repr=False)
class RankOrder(Code):
    """Channels spike once, in the order of descending value, `interval` ms apart; ties are decided by index.

    A channel of rank r (0, 1, 2 ...) is worth m^r: a neuron with weights w has the activation sum_i w_i m^(rank of i),
    which is largest for the order in which its weights descend, and learns by dw_i ~ m^(rank of i).

    Parameters: m, in (0, 1); interval (ms); threshold: channels whose value is not above it are silent, None for none.
    Raises InputError for a parameter out of range.

    Source: Thorpe & Gautrais 1998, Rank order coding, in: Computational Neuroscience: Trends in Research, Plenum, 113.
    """

    m: float = 0.9
    interval: float = 1.0
    threshold: float | None = None

    def __post_init__(self) -> None:
        self._require("m", lambda m: 0.0 < m < 1.0, "a number between 0 and 1")
        self._require_positive("interval")
        if self.threshold is not None:
            self._require("threshold", lambda _: True, "a finite number or None")

    def encode(self, x: ArrayLike) -> Trains:
        """Spike trains of x, shape (samples, *channels), any finite numbers; a sample lasts `interval` a channel.

        Raises InputError for a value that is not finite, with its index.
        """
        values = self._values(x)
        shape = values.shape[1:]
        return first_spikes(values, self._times, shape, self.interval * int(np.prod(shape)))

    def _times(self, x: Floats) -> Floats:
        flat = rows(x)
        rank = np.empty(flat.shape, dtype=np.int64)
        order = np.argsort(-flat, axis=1, kind="stable")
        np.put_along_axis(rank, order, np.arange(flat.shape[1])[np.newaxis], axis=1)
        silent = False if self.threshold is None else flat <= self.threshold
        return np.where(silent, np.inf, self.interval * rank)

    def ranks(self, trains: Trains) -> Ints:
        """Rank of each channel, -1 if it is silent, shape (samples, *channels), by first spikes; ties by index."""
        t = rows(self._decodable(trains).first())
        order = np.argsort(t, axis=1, kind="stable")  # NaN comes last
        rank = np.empty(t.shape, dtype=np.int64)
        np.put_along_axis(rank, order, np.arange(t.shape[1])[np.newaxis], axis=1)
        return np.where(np.isnan(t), -1, rank).reshape(len(trains), *trains.shape)

    def decode(self, trains: Trains) -> Floats:
        """What each channel is worth: m^rank, 0 if it is silent, shape (samples, *channels)."""
        rank = self.ranks(trains)
        return np.where(rank < 0, 0.0, self.m ** rank.astype(np.float64))

    def activation(self, trains: Trains, weights: ArrayLike) -> Floats:
        """sum_i w_i m^(rank of i) of neurons with weights of shape (neurons, *channels): shape (samples, neurons).

        Raises InputError for weights that are no numbers or of another shape.
        """
        w = floats(weights, "RankOrder: weights", "an array of numbers")
        if w.shape[1:] != self._decodable(trains).shape or not np.isfinite(w).all():
            raise InputError(
                f"RankOrder: weights have shape {w.shape}; finite ones of (neurons, *{trains.shape}) are needed"
            )
        return np.asarray(rows(self.decode(trains)) @ rows(w).T)
