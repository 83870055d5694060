"""What the output neurons of a mini-batch did, and how the loss depends on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventsnn.base.arrays import Floats, Ints
from eventsnn.base.checks import floats
from eventsnn.base.errors import InputError


@dataclass(frozen=True, eq=False)
class Readout:
    """What the output neurons did in each sample of a mini-batch: all that a loss may depend on.

    Spikes are listed flat, sorted by sample, then neuron, then time. V is the membrane potential, E_L its rest.
    """

    first: Floats  # (samples, outputs) ms, the first spike of each output neuron, inf if it is silent
    sample: Ints  # (spikes,)
    neuron: Ints  # (spikes,), from 0 to outputs - 1
    time: Floats  # (spikes,) ms since the sample began
    v_max: Floats  # (samples, outputs) mV, the largest V - E_L of neurons that never fire, V_th >= 1e6; NaN of others
    v_integral: Floats  # (samples, outputs) mV ms, the integral of V - E_L from 0 to duration
    duration: float  # ms, of a sample

    def counts(self) -> Ints:
        """How many spikes each output neuron had, shape (samples, outputs)."""
        counts: Ints = np.bincount(self._place(), minlength=self.first.size)
        return counts.reshape(self.first.shape)

    def summed(self, values: Floats) -> Floats:
        """The sum of values (spikes,), one a spike, over the spikes of each neuron, shape (samples, outputs)."""
        values = floats(values, "summed: values", "an array with a number a spike")
        if values.shape != self.time.shape:
            raise InputError(
                f"summed: values of shape {values.shape} must have the shape {self.time.shape}, one a spike"
            )
        sums: Floats = np.asarray(np.bincount(self._place(), values, self.first.size), dtype=np.float64)
        return sums.reshape(self.first.shape)

    def _place(self) -> Ints:
        place: Ints = self.sample * self.first.shape[1] + self.neuron
        return place


@dataclass(frozen=True, eq=False)
class Errors:
    """The derivative of the loss with respect to what is in a Readout, each of the shape that this has; None: zero.

    What a silent neuron has no spike for has the derivative 0 in `first`.
    """

    first: Floats | None = None  # 1 / ms
    spikes: Floats | None = None  # 1 / ms, with respect to Readout.time
    v_max: Floats | None = None  # 1 / mV
    v_integral: Floats | None = None  # 1 / (mV ms)
