"""Distributions from which parameters, initial states, weights and delays are drawn.

Element i of a sample depends on the key and on i alone: growing a population or a projection changes no earlier value.
"""

import math
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eventsnn._core.base.mathfunc import exp
from eventsnn._core.draw.values import MOST_ATTEMPTS, Law
from eventsnn.base.arrays import Floats
from eventsnn.base.checks import as_array, choice, real, whole
from eventsnn.base.errors import InputError
from eventsnn.base.quantities import with_unit

# In standard deviations: the polar method reaches sqrt(-2 log(2^-104)), which is 12.01.
REACH = 13.0

OUTSIDE = ("redraw", "clip", "error")


class Distribution(ABC):
    """A distribution: the base of Uniform, Normal, LogNormal and Exponential. Values are drawn element by element.

    unit: that of the quantities it was made of, "" if these were plain numbers, which may be drawn for anything.
    """

    unit = ""

    @abstractmethod
    def sample(self, key: int, index: NDArray[np.uint64]) -> Floats:
        """Draw one value for every element number in `index`, from the stream of this 64-bit key."""

    @abstractmethod
    def law(self) -> Law:
        """The same draws for the kernels."""

    def values(self, most: int) -> Floats | None:
        """All values that can be drawn, ascending, and perhaps others; None if they may be more than `most`."""
        return None

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """A least and a largest value between which all draws lie; they need not reach them."""

    def require_unseen(self) -> None:  # noqa: B027 - most refuse none
        """Raise InputError if some draws might be refused, so that all must have been made before they are used."""

    def refuse(self, failed: int, size: int) -> None:
        """Raise InputError if values, so many of this number, could not be drawn."""
        if failed:
            raise InputError(f"{self!r}: {failed} of {size} values could not be drawn")


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform distribution in [low, high), in the unit of what is drawn; low = high gives that value.

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

    def sample(self, key: int, index: NDArray[np.uint64]) -> Floats:
        return _sample(self, key, index)

    def law(self) -> Law:
        # Rounding may reach high; an initial V_m of exactly V_th, say, would fire at t = 0.
        return Law("uniform", self.low, self.high - self.low, most=math.nextafter(self.high, self.low))

    def values(self, most: int) -> Floats | None:
        return np.array([self.low]) if self.low == self.high else None

    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal distribution with this mean and standard deviation, in the unit of what is drawn, kept in [low, high].

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
        grid = () if self.grid is None else ("grid",)
        _set_numbers(self, "mean", "std", "low", "high", *grid, infinite=("low", "high"))
        _check_not_negative(self, "std")
        if self.low > self.high:
            raise InputError(f"Normal: low = {self.low} is above high = {self.high}; low <= high is needed")
        choice(self.outside, "Normal: outside", OUTSIDE)
        if self.grid is not None:
            _check_grid(self, self.grid)

    def sample(self, key: int, index: NDArray[np.uint64]) -> Floats:
        return _sample(self, key, index)

    def law(self) -> Law:
        half = 0.0 if self.grid is None else self.grid / 2.0  # what lies closer to a bound is rounded to it
        low, high = (-math.inf, math.inf) if self.outside == "clip" else (self.low - half, self.high + half)
        refuses = self.outside == "error"
        return Law("normal", self.mean, self.std, low, high, self.grid or 0.0, self.low, self.high, refuses)

    def values(self, most: int) -> Floats | None:
        if self.grid is None:
            return None
        low, high = self.bounds()
        if not (high - low) / self.grid < most - 3:
            return None
        steps = np.arange(math.floor(low / self.grid) - 1, math.ceil(high / self.grid) + 2)
        return np.unique(np.clip(self.grid * steps + 0.0, self.low, self.high))

    def bounds(self) -> tuple[float, float]:
        reach = REACH * self.std + (self.grid or 0.0)
        low, high = np.clip([self.mean - reach, self.mean + reach], self.low, self.high).tolist()
        return low, high

    def require_unseen(self) -> None:
        if self.outside == "error":
            raise InputError("Normal: outside='error' looks at all draws beforehand; use 'redraw' or 'clip' here")
        scale = math.sqrt(2.0) * self.std
        share = 1.0
        if self.outside == "redraw" and scale > 0.0:
            share = 0.5 * (math.erf((self.high - self.mean) / scale) - math.erf((self.low - self.mean) / scale))
        elif self.outside == "redraw":
            share = float(self.low <= self.mean <= self.high)
        if share < 0.01:
            raise InputError(
                f"Normal: mean = {self.mean} and std = {self.std} give a value in [low, high] = [{self.low}, "
                f"{self.high}] in less than 1 % of draws, too few to redraw here; widen it or use outside='clip'"
            )

    def refuse(self, failed: int, size: int) -> None:
        if failed and self.outside == "error":
            raise InputError(
                f"Normal: {failed} of {size} values drawn with mean = {self.mean} and std = {self.std} fell outside "
                f"[low, high] = [{self.low}, {self.high}]; use outside='redraw' or 'clip', or a wider interval"
            )
        if failed:
            raise InputError(
                f"Normal: mean = {self.mean} and std = {self.std} practically never give a value in [low, high] = "
                f"[{self.low}, {self.high}] ({MOST_ATTEMPTS} attempts failed); widen the interval or use outside='clip'"
            )


@dataclass(frozen=True)
class LogNormal(Distribution):
    """Log-normal distribution, exp(mu + sigma z): mu and sigma belong to the underlying normal, as in NEST.

    The mean is exp(mu + sigma^2 / 2). Raises InputError if a parameter is not a finite number or sigma < 0.
    """

    mu: float
    sigma: float

    def __post_init__(self) -> None:
        _set_numbers(self, "mu", "sigma")
        if self.unit:
            raise InputError("LogNormal: mu and sigma belong to a logarithm, which has no unit; give plain numbers")
        _check_not_negative(self, "sigma")

    def sample(self, key: int, index: NDArray[np.uint64]) -> Floats:
        return _sample(self, key, index)

    def law(self) -> Law:
        return Law("lognormal", self.mu, self.sigma)

    def bounds(self) -> tuple[float, float]:
        return exp(self.mu - REACH * self.sigma), exp(self.mu + REACH * self.sigma)


@dataclass(frozen=True)
class Exponential(Distribution):
    """Exponential distribution with this mean, in the unit of what is drawn.

    Raises InputError if the mean is not a finite number or negative.
    """

    mean: float

    def __post_init__(self) -> None:
        _set_numbers(self, "mean")
        _check_not_negative(self, "mean")

    def sample(self, key: int, index: NDArray[np.uint64]) -> Floats:
        return _sample(self, key, index)

    def law(self) -> Law:
        return Law("exponential", self.mean)

    def bounds(self) -> tuple[float, float]:
        return 0.0, 37.0 * self.mean  # -log(2^-53) is 36.7


def _sample(distribution: Uniform | Normal | LogNormal | Exponential, key: int, index: NDArray[np.uint64]) -> Floats:
    what = type(distribution).__name__
    numbers = as_array(index)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or (numbers.size and numbers.min() < 0):
        raise InputError(f"{what}: index = {reprlib.repr(index)} must be a list of whole numbers, 0 or more")
    key = whole(key, f"{what}: key", 0, 2**64 - 1)
    values, failed = distribution.law().sample(key, np.ascontiguousarray(numbers, dtype=np.uint64))
    distribution.refuse(failed, values.size)
    return values


def _set_numbers(distribution: Distribution, *names: str, infinite: Sequence[str] = ()) -> None:
    """Replace the named parameters by floats, or say which is not a number; those not named in `infinite` are finite.

    Quantities must all have one dimension; the numbers are those in the unit that this has here.
    """
    what, units = type(distribution).__name__, {}
    for name in names:
        value = getattr(distribution, name)
        given, unit = with_unit(value, f"{what}: {name}")
        number = real(given)
        if math.isnan(number) or (math.isinf(number) and name not in infinite):
            allowed = "number" if name in infinite else "finite number"
            raise InputError(f"{what}: {name} = {value!r} is not a {allowed}")
        object.__setattr__(distribution, name, number)
        if math.isfinite(number):
            units[name] = unit
    if len(set(units.values())) > 1:
        each = ", ".join(f"{name} is {unit or 'a plain number'}" for name, unit in units.items())
        raise InputError(f"{what}: {each}; give all in one unit, or plain numbers")
    object.__setattr__(distribution, "unit", next(iter(units.values()), ""))


def _check_not_negative(distribution: Distribution, name: str) -> None:
    value = getattr(distribution, name)
    if value < 0.0:
        raise InputError(f"{type(distribution).__name__}: {name} = {value} is negative; {name} >= 0 is needed")


def _check_grid(normal: Normal, grid: float) -> None:
    """Refuse a grid that is not positive, and a bound that is no multiple of it, which rounding would go beyond."""
    if grid <= 0.0:
        raise InputError(f"Normal: grid = {grid} is not positive; give the distance of two values, or None")
    for name in ("low", "high"):
        bound = getattr(normal, name)
        steps = bound / grid
        # 0.3 is a multiple of 0.1, although 0.3 / 0.1 is not 3.
        if math.isfinite(steps) and abs(steps - round(steps)) > 1e-6:
            raise InputError(f"Normal: {name} = {bound} is no multiple of grid = {grid}; give {round(steps) * grid:g}")
