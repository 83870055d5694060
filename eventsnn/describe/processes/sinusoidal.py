"""SinusoidalPoisson: a rate that follows a sine."""

from __future__ import annotations

import numpy as np

from eventsnn._core.base.mathfunc import sin_turns
from eventsnn._core.draw.stream import SINE
from eventsnn.base.arrays import Floats
from eventsnn.base.checks import require
from eventsnn.describe.processes.base import (
    LOWEST_RATE,
    RATE_RULE,
    Key,
    PointProcess,
    Streams,
    cell_widths,
    in_range,
    positive,
    rates,
)
from eventsnn.draw.values import Value, own, resolve

# Candidates that a sinusoidal process may go through without a spike, in the part of a period in which it is silent.
MOST_CANDIDATES = 1e8


class SinusoidalPoisson(PointProcess):
    """Poisson process with the rate max(0, rate + amplitude sin(2 pi frequency t + phase)), t from 0
    (NEST: sinusoidal_poisson_generator).

    rate, amplitude: Hz, rate not negative; where amplitude is the larger, the mean rate is above `rate`. frequency: Hz,
    not negative; phase: degrees. A homogeneous process at the highest rate is thinned, so that the cost is that of
    rate + |amplitude|.
    """

    def __init__(self, rate: Value, amplitude: Value, frequency: Value, phase: Value = 0.0):
        self.rate, self.amplitude, self.frequency, self.phase = map(own, (rate, amplitude, frequency, phase))

    def compile(self, n: int, where: str, key: Key) -> Streams:
        rate = rates(self.rate, n, f"{where}: rate", key("rate"))
        amplitude = resolve(self.amplitude, n, f"{where}: amplitude", key("amplitude"))
        frequency = resolve(self.frequency, n, f"{where}: frequency", key("frequency"))
        phase = resolve(self.phase, n, f"{where}: phase", key("phase"))
        require(frequency >= 0.0, frequency, f"{where}: frequency", "must not be negative", "Hz")
        rate, amplitude, frequency, phase = np.broadcast_arrays(rate, amplitude, frequency, phase)
        peak = rate + np.abs(amplitude)
        require(in_range(peak), peak, f"{where}: rate + |amplitude|", RATE_RULE, "Hz")
        still = frequency == 0.0
        sine = np.array([sin_turns(degrees / 360.0) for degrees in phase.tolist()])
        constant: Floats = rate + amplitude * sine
        # At frequency 0 the rate is constant, and so must be what it is thinned from.
        peak = np.where(still, np.where(constant < LOWEST_RATE, 0.0, constant), peak)
        silent = (np.abs(amplitude) > rate) & ~still
        long = silent & (peak > MOST_CANDIDATES * frequency)
        require(
            ~long,
            frequency,
            f"{where}: frequency",
            f"is too low for rate + |amplitude| = {peak[int(np.argmax(long))]:g} Hz, since the rate is 0 for part of a "
            "period and this part would take long to pass; use InhomogeneousPoisson",
            "Hz",
        )
        on, peak = positive(peak, n)
        base, swing, frequency, phase = (
            np.broadcast_to(a, n)[on] for a in (rate, np.where(still, constant - rate, amplitude), frequency, phase)
        )
        still = np.broadcast_to(still, n)[on]
        width = cell_widths(peak)
        turns = np.where(still, 0.25, phase / 360.0)
        parameter = [width, peak / 1000.0 * width, base / peak, swing / peak, frequency / 1000.0, turns]
        return Streams(on, SINE, parameter)
