"""Latency: the stronger, the earlier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.base.arrays import Floats
from eventsnn.base.errors import InputError, suggest
from eventsnn.encode.base import Code, first_spikes
from eventsnn.results.trains import Trains

METHODS = ("linear", "rc")


@dataclass(frozen=True, repr=False)
class Latency(Code):
    """One spike a channel, the earlier the larger its value x; none for x <= threshold.

    method "linear": t = duration (1 - x), for x in [0, 1]. method "rc": a capacitor that x charges reaches the
    threshold theta at t = tau ln(x / (x - theta)), for x >= 0; what would spike after `duration` is silent.

    Parameters: duration (ms) of a sample; threshold (theta), in the unit of x; tau (ms), the time constant of "rc".
    Raises InputError for a parameter out of range; "rc" needs a threshold above 0.

    Source: Thorpe, Delorme & Van Rullen 2001, Neural Networks 14:715; "rc" is a leaky integrator of constant input,
    Gerstner & Kistler 2002, Spiking Neuron Models, section 4.1.
    """

    duration: float = 20.0
    method: Literal["linear", "rc"] = "linear"
    threshold: float = 0.0
    tau: float = 10.0

    def __post_init__(self) -> None:
        self._require_positive("duration", "tau")
        self._require("threshold", lambda theta: theta >= 0.0, "a finite number of at least 0")
        if not isinstance(self.method, str) or self.method not in METHODS:
            raise InputError(f"Latency: method = {self.method!r} is not known; {suggest(self.method, METHODS)}")
        if self.method == "rc" and self.threshold == 0.0:
            raise InputError("Latency: threshold = 0.0 is reached at once by any x; method 'rc' needs one above 0")

    def encode(self, x: ArrayLike, clip: bool = False) -> Trains:
        """Spike trains of x, shape (samples, *channels).

        Raises InputError for a value that is NaN or out of range, with its index; clip=True moves it into the range.
        """
        values = self._values(x, 0.0, 1.0 if self.method == "linear" else np.inf, clip)
        return first_spikes(values, self._times, values.shape[1:], self.duration)

    def _times(self, x: Floats) -> Floats:
        if self.method == "linear":
            return np.where(x > self.threshold, self.duration * (1.0 - x), np.inf)
        with np.errstate(all="ignore"):
            # One form of ln(x / (x - theta)) keeps its digits where x is large, the other near theta.
            near, far = np.log(x / (x - self.threshold)), -np.log1p(-self.threshold / x)
            times = np.where(x > self.threshold, self.tau * np.where(x < 2.0 * self.threshold, near, far), np.inf)
        return np.where(times <= self.duration, times, np.inf)

    def decode(self, trains: Trains) -> Floats:
        """Values (samples, *channels) from first spikes; 0 if silent.

        1 - t / duration, or theta / (1 - exp(-t / tau)).
        """
        t = self._decodable(trains).first()
        with np.errstate(divide="ignore"):
            x = 1.0 - t / self.duration if self.method == "linear" else -self.threshold / np.expm1(-t / self.tau)
        return np.where(np.isnan(t), 0.0, x)
