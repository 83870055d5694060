"""Distributions from which parameters, initial states, weights and delays are drawn.

Element i of a sample depends on the key and on i alone: growing a population or a projection changes no earlier value.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eventsnn._core import philox
from eventsnn.errors import InputError, suggest

OUTSIDE = ("redraw", "clip", "error")


class Distribution(ABC):
    """What Uniform, Normal, LogNormal and Exponential have in common: values that are drawn element by element."""

    @abstractmethod
    def sample(self, key: int, index: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Draw one value for every element number in `index`, from the stream of this 64-bit key."""


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform in [low, high), in the unit of what is drawn; low = high gives that value.

    Raises InputError if a bound is not a finite number or low > high.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _set_numbers(self, "low", "high")
        if self.low > self.high:
            raise InputError(f"Uniform: low = {self.low} is above high = {self.high}; low <= high is needed")
        if math.isinf(self.high - self.low):
            raise InputError(f"Uniform: [low, high] = [{self.low}, {self.high}] is too wide; high - low must be finite")

    def sample(self, key: int, index: NDArray[np.uint64]) -> NDArray[np.float64]:
        values = self.low + (self.high - self.low) * philox.uniform(key, _elements(index))
        # Rounding may reach high; an initial V_m of exactly V_th, say, would fire at t = 0.
        return np.minimum(values, np.nextafter(self.high, self.low))


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal with this mean and standard deviation, in the unit of what is drawn, kept inside [low, high].

    A value outside the interval is drawn again (`outside="redraw"`, a truncated normal), set to the nearer bound
    (`"clip"`) or refused (`"error"`). With a `grid` every value is first rounded to the nearest multiple of it, as
    codes on a time grid round delays: Normal(1.5, 0.75, low=0.1, grid=0.1) draws again what is below 0.05 ms and rounds
    the rest to 0.1 ms. Polar method (Marsaglia & Bray, SIAM Review 6, 1964).

    Raises InputError if mean or std is not a finite number, std < 0, low > high or `outside` is unknown, if grid is
    not positive or low or high no multiple of it; and in sampling, if a value fell outside an interval with
    `outside="error"`, or redrawing practically never hits it.
    """

    mean: float
    std: float
    low: float = -math.inf
    high: float = math.inf
    outside: Literal["redraw", "clip", "error"] = "redraw"
    grid: float | None = None

    def __post_init__(self) -> None:
        _set_numbers(self, "mean", "std")
        _set_numbers(self, "low", "high", infinite=True)
        _check_not_negative(self, "std")
        if self.low > self.high:
            raise InputError(f"Normal: low = {self.low} is above high = {self.high}; low <= high is needed")
        if self.outside not in OUTSIDE:
            raise InputError(f"Normal: outside = {self.outside!r} is not known; {suggest(self.outside, OUTSIDE)}")
        if self.grid is not None:
            _set_numbers(self, "grid")
            _check_grid(self, self.grid)

    def sample(self, key: int, index: NDArray[np.uint64]) -> NDArray[np.float64]:
        half = 0.0 if self.grid is None else self.grid / 2.0  # what lies closer to a bound is rounded to it
        low, high = self.low - half, self.high + half
        drawn = (low, high) if self.outside == "redraw" else (-math.inf, math.inf)
        values = philox.normal(key, _elements(index), self.mean, self.std, *drawn)
        outside = int(np.count_nonzero((values < low) | (values > high))) if self.outside == "error" else 0
        if outside:
            raise InputError(
                f"Normal: {outside} of {values.size} values drawn with mean = {self.mean} and std = {self.std} fell "
                f"outside [low, high] = [{self.low}, {self.high}]; use outside='redraw' or 'clip', or a wider interval"
            )
        if self.grid is not None:
            values = self.grid * np.rint(values / self.grid) + 0.0  # 0, not -0
        return np.clip(values, self.low, self.high)


@dataclass(frozen=True)
class LogNormal(Distribution):
    """exp(mu + sigma z) with z standard normal: mu and sigma belong to the underlying normal, as in NEST.

    The mean is exp(mu + sigma^2 / 2). Raises InputError if a parameter is not a finite number or sigma < 0.
    """

    mu: float
    sigma: float

    def __post_init__(self) -> None:
        _set_numbers(self, "mu", "sigma")
        _check_not_negative(self, "sigma")

    def sample(self, key: int, index: NDArray[np.uint64]) -> NDArray[np.float64]:
        return philox.lognormal(key, _elements(index), self.mu, self.sigma)


@dataclass(frozen=True)
class Exponential(Distribution):
    """Exponential with this mean, in the unit of what is drawn.

    Raises InputError if the mean is not a finite number or negative.
    """

    mean: float

    def __post_init__(self) -> None:
        _set_numbers(self, "mean")
        _check_not_negative(self, "mean")

    def sample(self, key: int, index: NDArray[np.uint64]) -> NDArray[np.float64]:
        return philox.exponential(key, _elements(index), self.mean)


def _elements(index: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(index, dtype=np.uint64)


def _set_numbers(distribution: Distribution, *names: str, infinite: bool = False) -> None:
    """Replace the named parameters by floats, or say which is not a number (a finite one, unless infinite)."""
    for name in names:
        value = getattr(distribution, name)
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or math.isnan(value) or (math.isinf(value) and not infinite):
            allowed = "number" if infinite else "finite number"
            raise InputError(f"{type(distribution).__name__}: {name} = {value!r} is not a {allowed}")
        object.__setattr__(distribution, name, float(value))


def _check_not_negative(distribution: Distribution, name: str) -> None:
    value = getattr(distribution, name)
    if value < 0.0:
        raise InputError(f"{type(distribution).__name__}: {name} = {value} is negative; {name} >= 0 is needed")


def _check_grid(normal: Normal, grid: float) -> None:
    """Refuse a grid that is not positive, or of which a bound is no multiple: rounding would go beyond the bound."""
    if grid <= 0.0:
        raise InputError(f"Normal: grid = {grid} is not positive; give the distance of two values, or None")
    for name in ("low", "high"):
        bound = getattr(normal, name)
        steps = bound / grid
        # 0.3 is a multiple of 0.1, although 0.3 / 0.1 is not 3.
        if math.isfinite(steps) and abs(steps - round(steps)) > 1e-6:
            raise InputError(f"Normal: {name} = {bound} is no multiple of grid = {grid}; give {round(steps) * grid:g}")
