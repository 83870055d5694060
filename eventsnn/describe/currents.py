"""Currents that are injected into neurons, as functions of time."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Sequence
from typing import Any

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.base.checks import floats, number, require, scalar
from eventsnn.base.errors import InputError
from eventsnn.describe.spike_source import distinct_times

# Hz: above, neither a phase nor a spike time is worth its digits.
HIGHEST_FREQUENCY = 1e6
LOWEST_FREQUENCY = 1e-6


class InjectedCurrent(ABC):
    """A current in pA: from each of its times on a straight line plus, perhaps, a sinusoidal one; 0 before the first.

    Numbers that differ from neuron to neuron have a row a neuron; else there is one row, for all.
    """

    times: Floats  # ms
    value: Floats  # (rows, times): pA, at the beginning of the line
    slope: Floats  # (rows, times): pA/ms
    sine: Floats | None  # (rows, times, 3): frequency (1/ms), phase (turns) and amplitude (pA, 0 if there is none)
    shared: bool  # one row is for all

    def _keep(self, times: Floats, value: Floats, slope: Floats | None = None, sine: Floats | None = None) -> None:
        """value and slope: (times,) for all neurons, or (neurons, times); so is the beginning of the shape of sine."""
        self.times, self.shared, self.sine = times, value.ndim == 1, sine
        self.value = np.atleast_2d(value)
        self.slope = np.zeros_like(self.value) if slope is None else np.atleast_2d(slope)

    def require_rows(self, n: int, name: str) -> None:
        """Raise InputError unless each of the n neurons that stimulus `name` drives has a row, or one is for all."""
        if not self.shared and len(self.value) != n:
            raise InputError(
                f"{name}: {type(self).__name__} has numbers for {len(self.value)} neurons, but drives {n}; give a row "
                "for each, or one for all"
            )


class StepCurrent(InjectedCurrent):
    """Piecewise constant current (NEST: step_current_generator): amplitudes[k] pA from times[k] ms on, 0 before.

    times: strictly ascending, not negative. amplitudes: one list for all neurons, or an array (neurons, times). Raises
    InputError otherwise, or if the lengths differ; `Network.stimulate` if there are other neurons than rows.
    """

    def __init__(
        self, times: Sequence[float] | Floats, amplitudes: Sequence[float] | Sequence[Sequence[float]] | Floats
    ):
        self.times, self.amplitudes = points("StepCurrent", times, amplitudes)
        self._keep(self.times, self.amplitudes)

    def __repr__(self) -> str:
        return f"StepCurrent({self.times.tolist()}, {self.amplitudes.tolist()})"


class RampCurrent(InjectedCurrent):
    """Current along straight lines from (times[k], amplitudes[k]) to the next point, in ms and pA; 0 before the first
    point, from the last on its amplitude.

    times: strictly ascending, not negative. amplitudes: one list for all neurons, or an array (neurons, times). Raises
    InputError otherwise, or if the lengths differ; `Network.stimulate` if there are other neurons than rows.
    """

    def __init__(
        self, times: Sequence[float] | Floats, amplitudes: Sequence[float] | Sequence[Sequence[float]] | Floats
    ):
        self.times, self.amplitudes = points("RampCurrent", times, amplitudes)
        with np.errstate(over="ignore"):
            slopes = np.diff(self.amplitudes) / np.diff(self.times)
        steep = np.argwhere(~np.isfinite(slopes))
        if steep.size:
            k = steep[0, -1]
            raise InputError(f"RampCurrent: the line from times[{k}] on is too steep; give less extreme points")
        last = np.zeros((*slopes.shape[:-1], min(1, self.times.size)))
        self._keep(self.times, self.amplitudes, np.concatenate([slopes, last], axis=-1))

    def __repr__(self) -> str:
        return f"RampCurrent({self.times.tolist()}, {self.amplitudes.tolist()})"


class SineCurrent(InjectedCurrent):
    """Sinusoidal current (NEST: ac_generator): offset + amplitude sin(2 pi frequency t + phase), from start to stop.

    amplitude, offset: pA; frequency: Hz, 1e-6 to 1e6; phase: degrees: each a number, or an array with one value a
    neuron. start, stop: ms, numbers. t counts from 0, not from start. Raises InputError for anything else;
    `Network.stimulate` if there are other neurons than values. Crossings are found with the same certainty as without
    it.
    """

    def __init__(
        self,
        amplitude: float | Sequence[float] | Floats,
        frequency: float | Sequence[float] | Floats,
        phase: float | Sequence[float] | Floats = 0.0,
        offset: float | Sequence[float] | Floats = 0.0,
        start: float = 0.0,
        stop: float = math.inf,
    ):
        self.amplitude = per_neuron(amplitude, "SineCurrent: amplitude", "pA")
        self.frequency = per_neuron(frequency, "SineCurrent: frequency", "Hz")
        self.phase = per_neuron(phase, "SineCurrent: phase", "degrees", "degree")
        self.offset = per_neuron(offset, "SineCurrent: offset", "pA")
        self.start = number(start, "SineCurrent: start", "one finite number of ms", unit="ms")
        self.stop = scalar(stop, "SineCurrent: stop", "one number of ms", unit="ms")
        good = (self.frequency >= LOWEST_FREQUENCY) & (self.frequency <= HIGHEST_FREQUENCY)
        rule = f"must lie between {LOWEST_FREQUENCY:g} and {HIGHEST_FREQUENCY:g} Hz"
        require(good, self.frequency, "SineCurrent: frequency", rule, "Hz")
        if not 0.0 <= self.start < self.stop:
            raise InputError(
                f"SineCurrent: start = {self.start:g} ms and stop = {self.stop:g} ms must obey 0 <= start < stop"
            )
        numbers = {name: getattr(self, name) for name in ("amplitude", "frequency", "phase", "offset")}
        sizes = {name: array.size for name, array in numbers.items() if array.ndim}
        if len(set(sizes.values())) > 1:
            each = ", ".join(f"{size} of {name}" for name, size in sizes.items())
            raise InputError(f"SineCurrent: there are {each}; give one value a neuron of each, or one number for all")
        amplitude, frequency, phase, offset = np.broadcast_arrays(*numbers.values())
        endless = self.stop == math.inf
        of_sine = np.stack([frequency / 1000.0, phase / 360.0, amplitude], axis=-1)[..., np.newaxis, :]
        value = offset[..., np.newaxis]
        if not endless:
            of_sine = np.concatenate([of_sine, np.zeros_like(of_sine)], axis=-2)
            value = np.concatenate([value, np.zeros_like(value)], axis=-1)
        times = np.array([self.start] if endless else [self.start, self.stop])
        self._keep(times, value, sine=of_sine.reshape(-1, times.size, 3))

    def __repr__(self) -> str:
        amplitude, frequency, phase, offset = (
            f"{array:g}" if array.ndim == 0 else str(array.tolist())
            for array in (self.amplitude, self.frequency, self.phase, self.offset)
        )
        return (
            f"SineCurrent({amplitude}, {frequency}, phase={phase}, offset={offset}, "
            f"start={self.start:g}, stop={self.stop:g})"
        )


def points(what: str, times: Any, amplitudes: Any) -> tuple[Floats, Floats]:
    """Times, and the amplitudes at them: (times,) or (neurons, times)."""
    at = distinct_times(times, what)
    values = floats(amplitudes, f"{what}: amplitudes", "one list of numbers (pA), or one list a neuron", "pA")
    if values.ndim not in (1, 2):
        raise InputError(
            f"{what}: amplitudes is an array of shape {values.shape}; "
            "give one list of numbers (pA), or one list a neuron"
        )
    if values.shape[-1] != at.size:
        raise InputError(f"{what}: {at.size} times but {values.shape[-1]} amplitudes; give one amplitude a time")
    if not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0]
        index = ", ".join(map(str, place))
        raise InputError(f"{what}: amplitudes[{index}] = {values[tuple(place)]} must be finite")
    return at, values


def per_neuron(value: Any, what: str, text: str, unit: str = "") -> Floats:
    """A number, or one a neuron, all finite, as an array."""
    array = floats(value, what, f"a number of {text}, or one a neuron", unit or text)
    if array.ndim > 1:
        raise InputError(f"{what} is an array of shape {array.shape}; give one number of {text}, or one a neuron")
    require(np.isfinite(array), array, what, f"must be a finite number of {text}")
    return array
