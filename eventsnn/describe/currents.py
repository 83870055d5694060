"""Currents that are injected into neurons, as functions of time."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.base.checks import floats
from eventsnn.base.errors import InputError
from eventsnn.describe.spike_source import distinct_times, numbers

# Frequency (1/ms), phase (turns) and amplitude (pA) of a sinusoidal current.
Sine = tuple[float, float, float]

# Hz: above, neither a phase nor a spike time is worth its digits.
HIGHEST_FREQUENCY = 1e6
LOWEST_FREQUENCY = 1e-6


class InjectedCurrent(ABC):
    """A current in pA: between its times it is a straight line plus sinusoidal currents; 0 before the first."""

    times: Floats

    @abstractmethod
    def lines(self, time: Floats) -> tuple[Floats, Floats]:
        """Value (pA) and slope (pA/ms) of the straight part, each from one of these times on."""

    def sines(self, time: float) -> list[Sine]:
        """The sinusoidal currents from `time` on."""
        return []


class StepCurrent(InjectedCurrent):
    """Piecewise constant current (NEST: step_current_generator): amplitudes[k] pA from times[k] ms on, 0 before.

    times: strictly ascending, not negative. Raises InputError otherwise, or if the lengths differ.
    """

    def __init__(self, times: Sequence[float] | Floats, amplitudes: Sequence[float] | Floats):
        self.times, self.amplitudes = points("StepCurrent", times, amplitudes)

    def __repr__(self) -> str:
        return f"StepCurrent({self.times.tolist()}, {self.amplitudes.tolist()})"

    def lines(self, time: Floats) -> tuple[Floats, Floats]:
        held = np.concatenate([[0.0], self.amplitudes])
        return held[np.searchsorted(self.times, time, side="right")], np.zeros(time.size)


class RampCurrent(InjectedCurrent):
    """Current along straight lines from (times[k], amplitudes[k]) to the next point, in ms and pA; 0 before the first
    point, from the last on its amplitude.

    times: strictly ascending, not negative. Raises InputError otherwise, or if the lengths differ.
    """

    def __init__(self, times: Sequence[float] | Floats, amplitudes: Sequence[float] | Floats):
        self.times, self.amplitudes = points("RampCurrent", times, amplitudes)
        with np.errstate(over="ignore"):
            slopes = np.diff(self.amplitudes) / np.diff(self.times)
        steep = np.flatnonzero(~np.isfinite(slopes))
        if steep.size:
            raise InputError(f"RampCurrent: the line from times[{steep[0]}] on is too steep; give less extreme points")
        self.slopes = np.concatenate([[0.0], slopes, [0.0]])

    def __repr__(self) -> str:
        return f"RampCurrent({self.times.tolist()}, {self.amplitudes.tolist()})"

    def lines(self, time: Floats) -> tuple[Floats, Floats]:
        place = np.searchsorted(self.times, time, side="right")
        start = np.concatenate([[0.0], self.times])[place]
        held = np.concatenate([[0.0], self.amplitudes])[place]
        slope = self.slopes[place]
        return held + slope * (time - start), slope


class SineCurrent(InjectedCurrent):
    """Sinusoidal current (NEST: ac_generator): offset + amplitude sin(2 pi frequency t + phase), from start to stop.

    amplitude, offset: pA; frequency: Hz, 1e-6 to 1e6; phase: degrees; start, stop: ms. t counts from 0, not from start.
    Raises InputError for anything else. Crossings are found with the same certainty as without it.
    """

    def __init__(
        self,
        amplitude: float,
        frequency: float,
        phase: float = 0.0,
        offset: float = 0.0,
        start: float = 0.0,
        stop: float = math.inf,
    ):
        self.amplitude = number(amplitude, "SineCurrent: amplitude", "pA")
        self.frequency = number(frequency, "SineCurrent: frequency", "Hz")
        self.phase = number(phase, "SineCurrent: phase", "degrees")
        self.offset = number(offset, "SineCurrent: offset", "pA")
        self.start = number(start, "SineCurrent: start", "ms")
        endless = isinstance(stop, float) and stop == math.inf
        self.stop = math.inf if endless else number(stop, "SineCurrent: stop", "ms")
        if not LOWEST_FREQUENCY <= self.frequency <= HIGHEST_FREQUENCY:
            raise InputError(
                f"SineCurrent: frequency = {self.frequency:g} Hz must lie between {LOWEST_FREQUENCY:g} and "
                f"{HIGHEST_FREQUENCY:g} Hz"
            )
        if not 0.0 <= self.start < self.stop:
            raise InputError(
                f"SineCurrent: start = {self.start:g} ms and stop = {self.stop:g} ms must obey 0 <= start < stop"
            )
        self.times = np.array([self.start] if self.stop == math.inf else [self.start, self.stop])

    def __repr__(self) -> str:
        return (
            f"SineCurrent({self.amplitude:g}, {self.frequency:g}, phase={self.phase:g}, offset={self.offset:g}, "
            f"start={self.start:g}, stop={self.stop:g})"
        )

    def lines(self, time: Floats) -> tuple[Floats, Floats]:
        return np.where((time >= self.start) & (time < self.stop), self.offset, 0.0), np.zeros(time.size)

    def sines(self, time: float) -> list[Sine]:
        active = self.start <= time < self.stop and self.amplitude != 0.0
        return [(self.frequency / 1000.0, self.phase / 360.0, self.amplitude)] if active else []


def points(what: str, times: Any, amplitudes: Any) -> tuple[Floats, Floats]:
    at, values = distinct_times(times, what), numbers(amplitudes, f"{what}: amplitudes")
    if at.shape != values.shape:
        raise InputError(f"{what}: {at.size} times but {values.size} amplitudes; give one amplitude a time")
    return at, values


def number(value: Any, what: str, unit: str) -> float:
    array = floats(value, what, f"a number of {unit}")
    if array.ndim or not np.isfinite(array):
        raise InputError(f"{what} = {value!r} must be one finite number of {unit}")
    return float(array)
