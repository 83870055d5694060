"""BSA, Ben's spiker algorithm: spikes which, filtered, add up to the signal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from eventsnn.base.arrays import Floats
from eventsnn.base.checks import floats
from eventsnn.base.errors import InputError
from eventsnn.encode.base import Code, in_parts, signals
from eventsnn.results.trains import Trains

# A Gaussian of 20 steps whose sum is 1, so that a spike at every step adds up to 1. With it and the threshold below
# slow signals between 0 and 1 come back to within 0.02 (root mean square).
_BELL = np.exp(-0.5 * ((np.arange(20) - 9.5) / 4.0) ** 2)
TAPS = tuple((_BELL / _BELL.sum()).tolist())


@dataclass(frozen=True, repr=False)
class BSA(Code):
    """Ben's spiker algorithm: a spike at step k if the filter h fits the signal s there; h is then subtracted.

    It fits if sum_j |s(k + j) - h(j)| <= sum_j |s(k + j)| - threshold, over those j that there are at the end. The
    filtered spikes, sum of h(k - spike), are the signal again, as far as h lets it through: with the h that is given
    here, what is slow and not negative.

    Parameters: taps, the filter h, one value a step, in the unit of x; threshold, in the unit of x; dt (ms), of a step.
    Raises InputError for a parameter out of range.

    Source: Schrauwen & Van Campenhout 2003, IJCNN, 2825.
    """

    takes: ClassVar[Literal["image", "sound", "signal"]] = "sound"

    taps: tuple[float, ...] = TAPS
    threshold: float = 0.9
    dt: float = 1.0

    def __post_init__(self) -> None:
        h = floats(self.taps, "BSA: taps", "a list of numbers")
        if h.ndim != 1 or not h.size or not np.isfinite(h).all():
            raise InputError(f"BSA: taps have shape {h.shape}; one list of finite numbers is needed")
        object.__setattr__(self, "taps", tuple(h.tolist()))
        self._require("threshold", lambda _: True, "a finite number")
        self._require_positive("dt")

    def encode(self, x: ArrayLike) -> Trains:
        """Spike trains of x, shape (samples, *channels, time), which last dt times the number of steps.

        Raises InputError for a value that is not finite, with its index.
        """
        values = self._values(x, axes="channels and, the last, time")
        return in_parts(values, self._encode, values.shape[1:-1], self.dt * values.shape[-1])

    def _encode(self, x: Floats, _: int) -> Trains:
        steps, shape = x.shape[-1], x.shape[1:-1]
        left = signals(x)
        fires = np.zeros(left.shape, dtype=bool)
        for k in range(steps):
            part = left[:, k : k + len(self.taps)]
            h = np.array(self.taps[: steps - k])
            fires[:, k] = np.abs(part - h).sum(axis=1) <= np.abs(part).sum(axis=1) - self.threshold
            part[fires[:, k]] -= h
        which, fired = np.nonzero(fires)
        sample, channel = np.divmod(which, max(math.prod(shape), 1))
        return Trains.of(sample, self.dt * fired.astype(np.float64), channel, len(x), shape, self.dt * steps)

    def decode(self, trains: Trains) -> Floats:
        """The signals (samples, *channels, time): the sum of the filter over all spikes."""
        spikes = self._decodable(trains).binned(self.dt)
        steps = spikes.shape[-1]
        decoded = np.zeros(spikes.shape)
        for j, value in enumerate(self.taps[:steps]):
            decoded[..., j:] += value * spikes[..., : steps - j]
        return decoded
