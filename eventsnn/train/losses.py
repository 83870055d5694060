"""Losses: how far what the output neurons did is from what they should have done, and the derivative of it.

A loss looks at a Readout alone. It gives the loss of each sample, and Errors, the derivative of their mean or sum with
respect to the spike times or voltages that it looked at; from there the backward pass of the gradient takes over. A
loss of one's own is a subclass of Loss.

Spikes that are not there have no derivative. What a loss makes of silent neurons is therefore a decision of its own,
and stands in its docstring.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventsnn.base.arrays import Bools, Floats, Ints
from eventsnn.base.checks import choice, floats, number
from eventsnn.base.errors import InputError
from eventsnn.train.readout import Errors, Readout

# The prediction for a sample in which no output neuron spiked: no label, so that it is never right.
NO_LABEL = -1
# exp(t / tau1) up to here can be squared, as Adam does, and multiplied by other large factors.
LARGEST_EXPONENT = 300.0


class Loss(ABC):
    """A loss: the base of SpikeTime, TimeToFirstSpike, MaxVoltage, IntegratedVoltage and SoftSpikeCount.

    reduction: the loss of a mini-batch is the "mean" over its samples, or their "sum".
    """

    reduction: Literal["mean", "sum"] = "mean"
    # Whether it looks at more than first spikes and voltages, which are found quicker.
    all_spikes: ClassVar[bool] = True

    @abstractmethod
    def __call__(self, readout: Readout, targets: NDArray[Any]) -> tuple[Floats, Errors]:
        """The loss of each sample, shape (samples,), and the derivative of their mean or sum.

        targets: those of these samples, as `check` returned them.
        """

    @abstractmethod
    def predict(self, readout: Readout) -> Ints:
        """The label that is read from each sample, shape (samples,): the number of an output neuron.

        The lowest of those that are tied; -1, which is never right, where no neuron gave an answer.
        """

    @abstractmethod
    def check(self, targets: ArrayLike, samples: int, outputs: int) -> NDArray[Any]:
        """The targets of so many samples as an array, or an InputError that names the first that is bad."""

    def wanted(self, targets: NDArray[Any], outputs: int) -> Bools | None:
        """Which output neurons should fire in each sample, shape (samples, outputs); None if none needs to."""
        return None

    def share(self, samples: int) -> float:
        """What the loss of a sample counts in that of the mini-batch."""
        return 1.0 if self.reduction == "sum" else 1.0 / max(samples, 1)

    def _set_parameters(self, unit: str = "", **named: float) -> None:
        """Keep parameters of this unit as floats above 0, or raise InputError; check the reduction."""
        choice(self.reduction, f"{type(self).__name__}: reduction", ("mean", "sum"))
        for name, value in named.items():
            what = f"{type(self).__name__}: {name}"
            object.__setattr__(self, name, number(value, what, "a finite number above 0", above=0.0, unit=unit))


class _Classification(Loss):
    """A loss whose targets are labels: the number of the output neuron that stands for the class of a sample."""

    def check(self, targets: ArrayLike, samples: int, outputs: int) -> Ints:
        """The labels of so many samples, shape (samples,), as int64.

        Raises InputError unless each is a whole number from 0 to outputs - 1.
        """
        name = type(self).__name__
        labels = floats(targets, f"{name}: targets", "labels, a whole number for each sample")
        if labels.shape != (samples,):
            remedy = "; of one-hot targets take targets.argmax(axis=1)" if labels.shape == (samples, outputs) else ""
            raise InputError(
                f"{name}: targets of shape {labels.shape} must have shape ({samples},), a label for each sample{remedy}"
            )
        good = (labels >= 0) & (labels < outputs) & (labels == np.floor(labels))
        if not good.all():
            sample = int(np.argmin(good))
            raise InputError(
                f"{name}: target {labels[sample]:g} of sample {sample} must be a whole number from 0 to {outputs - 1}, "
                "the number of an output neuron"
            )
        return labels.astype(np.int64)


def one_hot(labels: Ints, outputs: int) -> Bools:
    """True at the label of each sample, shape (samples, outputs)."""
    found: Bools = labels[:, np.newaxis] == np.arange(outputs)
    return found


def require_finite(values: Floats, loss: Loss) -> None:
    """Raise InputError naming the first sample of a mini-batch whose loss, shape (samples,), is NaN or infinite."""
    good = np.isfinite(values)
    if not good.all():
        sample = int(np.argmin(good))
        raise InputError(
            f"{type(loss).__name__}: the loss of sample {sample} of the mini-batch is {values[sample]:g}; the weights "
            "have grown beyond bounds: take a smaller learning_rate or smaller initial weights"
        )


# ---- of spike times


@dataclass(frozen=True)
class SpikeTime(Loss):
    """SpikeProp's squared error of first spikes.

        L = 1/2 sum_j (t_j - target_j)^2    (ms^2)

    where t_j is the first spike of output neuron j. Targets: ms, shape (samples, outputs), NaN where there is none. The
    error of a silent neuron counts as if it had spiked at the end of the sample, and has no derivative.

    Raises InputError for an unknown reduction.

    Source: Bohte, Kok & La Poutre 2002, Neurocomputing 48:17.
    """

    reduction: Literal["mean", "sum"] = "sum"
    all_spikes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._set_parameters()

    def __call__(self, readout: Readout, targets: NDArray[Any]) -> tuple[Floats, Errors]:
        error = np.minimum(readout.first, readout.duration) - targets
        error[np.isnan(targets)] = 0.0
        values: Floats = 0.5 * np.square(error).sum(axis=1)
        error *= self.share(len(error))
        error[np.isinf(readout.first)] = 0.0
        return values, Errors(first=error)

    def wanted(self, targets: NDArray[Any], outputs: int) -> Bools:
        """Those that have a target, shape (samples, outputs)."""
        wanted: Bools = ~np.isnan(targets)
        return wanted

    def predict(self, readout: Readout) -> Ints:
        """The output neuron that spikes first in each sample, shape (samples,).

        The lowest number of those that spike at the same time; -1, which is never right, where all are silent.
        """
        return _earliest(readout.first)

    def check(self, targets: ArrayLike, samples: int, outputs: int) -> Floats:
        """The times to spike at, shape (samples, outputs), as float64.

        Raises InputError for a time that is infinite or before the sample begins.
        """
        times = floats(targets, "SpikeTime: targets", "times in ms, NaN where a neuron has no target", "ms")
        if times.shape != (samples, outputs):
            raise InputError(
                f"SpikeTime: targets of shape {times.shape} must have shape ({samples}, {outputs}), a time in ms for "
                "each sample and output neuron, NaN where there is none"
            )
        bad = (times < 0.0) | np.isinf(times)
        if bad.any():
            sample, neuron = (int(k) for k in np.unravel_index(np.argmax(bad), bad.shape))
            raise InputError(
                f"SpikeTime: target {times[sample, neuron]:g} ms of sample {sample}, output neuron {neuron}, must be a "
                "finite time of at least 0 ms, or NaN for none"
            )
        return times


@dataclass(frozen=True)
class TimeToFirstSpike(_Classification):
    """Cross-entropy of the order of first spikes: the neuron of the right class shall be first, and soon.

        L = -ln(exp(-t_l / tau0) / sum_j exp(-t_j / tau0)) + alpha (exp(t_l / tau1) - 1)

    where t_j is the first spike of output neuron j and l the label. Targets: labels, shape (samples,).

    Silent neurons are infinitely late: they drop out of the sum. A silent neuron l counts as if it had spiked at the
    end of the sample, and has no derivative; the derivatives of the others push them to later times all the same.

    Parameters: tau0 (ms), how far apart spikes must be to tell them from each other; alpha and tau1 (ms), the size and
    the time constant of the term for late spikes.
    Raises InputError for tau0 or tau1 not above 0, or alpha below 0; and when called with samples of more than 300
    tau1, since exp(t / tau1) would overflow, unless alpha = 0.

    Source: Wunderlich & Pehle 2021, Sci Rep 11:12829; the first term alone: Goeltz et al. 2021, Nat Mach Intell 3:823.
    """

    tau0: float = 0.5
    tau1: float = 6.4
    alpha: float = 0.003
    reduction: Literal["mean", "sum"] = "mean"
    all_spikes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._set_parameters("ms", tau0=self.tau0, tau1=self.tau1)
        alpha = number(self.alpha, "TimeToFirstSpike: alpha", "a finite number of at least 0", least=0.0)
        object.__setattr__(self, "alpha", alpha)

    def __call__(self, readout: Readout, targets: NDArray[Any]) -> tuple[Floats, Errors]:
        first = readout.first
        if self.alpha and readout.duration > LARGEST_EXPONENT * self.tau1:
            raise InputError(
                f"TimeToFirstSpike: tau1 = {self.tau1:g} ms is too short for samples of {readout.duration:g} ms, where "
                f"exp(t / tau1) overflows; take one of at least {readout.duration / LARGEST_EXPONENT:g} ms, or alpha=0"
            )
        own = np.arange(len(first)), targets
        spiked = first[own]
        late = np.minimum(spiked, readout.duration)
        z = first * (-1.0 / self.tau0)
        z[own] = late * (-1.0 / self.tau0)
        values, slope = _cross_entropy(z, own, self.share(len(first)) / self.tau0)
        of_label = -slope[own]
        if self.alpha:
            growth = self.alpha * np.exp(late * (1.0 / self.tau1))
            values += growth
            values -= self.alpha
            growth *= self.share(len(first)) / self.tau1
            of_label += growth
        np.negative(slope, out=slope)
        slope[own] = np.where(spiked <= readout.duration, of_label, 0.0)
        return values, Errors(first=slope)

    def wanted(self, targets: NDArray[Any], outputs: int) -> Bools:
        """The neuron of the label, shape (samples, outputs)."""
        return one_hot(targets, outputs)

    def predict(self, readout: Readout) -> Ints:
        """The output neuron that spikes first in each sample, shape (samples,).

        The lowest number of those that spike at the same time; -1, which is never right, where all are silent.
        """
        return _earliest(readout.first)


@dataclass(frozen=True)
class SoftSpikeCount(_Classification):
    """Cross-entropy of spike counts: the neuron of the right class shall spike most often.

        L = -ln(exp(c_l / scale) / sum_j exp(c_j / scale)),    c_j = sum over the spikes t of j of (1 - t / duration)

    where l is the label. Targets: labels, shape (samples,). A count is a step, whose derivative is 0 wherever there is
    one. Here a spike counts the less, the later it is, and nothing at the end of the sample, where spikes come and go
    when weights change: L has no steps there. Silent neurons have c = 0.

    Parameters: scale, the difference of counts that tells neurons from each other.
    Raises InputError for a scale not above 0.

    Source: softmax of outputs as in Bridle 1990, Neurocomputing, NATO ASI F68:227; the counts are this package's.
    """

    scale: float = 1.0
    reduction: Literal["mean", "sum"] = "mean"

    def __post_init__(self) -> None:
        self._set_parameters(scale=self.scale)

    def __call__(self, readout: Readout, targets: NDArray[Any]) -> tuple[Floats, Errors]:
        z = self._counts(readout) / self.scale
        values, slope = _cross_entropy(z, (np.arange(len(z)), targets), self.share(len(z)) / self.scale)
        return values, Errors(spikes=slope[readout.sample, readout.neuron] / -readout.duration)

    def wanted(self, targets: NDArray[Any], outputs: int) -> Bools:
        """The neuron of the label, shape (samples, outputs)."""
        return one_hot(targets, outputs)

    def predict(self, readout: Readout) -> Ints:
        """The output neuron with the largest soft count c in each sample, shape (samples,).

        The lowest number of those that are tied; -1, which is never right, where all are silent.
        """
        return np.where(np.isinf(readout.first).all(axis=1), NO_LABEL, np.argmax(self._counts(readout), axis=1))

    def _counts(self, readout: Readout) -> Floats:
        return readout.summed(1.0 - readout.time / readout.duration)


# ---- of voltages


@dataclass(frozen=True)
class MaxVoltage(_Classification):
    """Cross-entropy of the largest voltages: the neuron of the right class shall be depolarised most, at some time.

        L = -ln(exp(v_l / scale) / sum_j exp(v_j / scale)),    v_j = max over t of V_j(t) - E_L

    where l is the label. Targets: labels, shape (samples,). Output neurons never spike: V_th of 1e6 mV or more.

    Parameters: scale (mV), the difference of voltages that tells neurons from each other.
    Raises InputError for a scale not above 0; and when called, for an output neuron that can spike, or a voltage that
    is not finite.

    Source: Wunderlich & Pehle 2021, Sci Rep 11:12829; Nowotny, Turner & Knight 2025, Neuromorph Comput Eng 5,
    doi 10.1088/2634-4386/ada852.
    """

    scale: float = 1.0
    reduction: Literal["mean", "sum"] = "mean"
    all_spikes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._set_parameters("mV", scale=self.scale)

    def __call__(self, readout: Readout, targets: NDArray[Any]) -> tuple[Floats, Errors]:
        z = self._voltages(readout) / self.scale
        values, slope = _cross_entropy(z, (np.arange(len(z)), targets), self.share(len(z)) / self.scale)
        return values, Errors(v_max=slope)

    def predict(self, readout: Readout) -> Ints:
        """The output neuron with the largest v in each sample, shape (samples,); the lowest number of equal ones."""
        label: Ints = np.argmax(self._voltages(readout), axis=1)
        return label

    def _voltages(self, readout: Readout) -> Floats:
        spiking = np.isnan(readout.v_max)
        if spiking.any():
            raise InputError(
                f"MaxVoltage: output neuron {np.argmax(spiking.any(axis=0))} can spike, so that its largest voltage is "
                "that of the threshold; give all output neurons V_th=1e6"
            )
        return _finite(readout.v_max, self)


@dataclass(frozen=True)
class IntegratedVoltage(_Classification):
    """Cross-entropy of integrated voltages: the neuron of the right class shall be depolarised most, in the mean.

        L = -ln(exp(a_l / scale) / sum_j exp(a_j / scale)),    a_j = integral from 0 to duration of V_j(t) - E_L

    where l is the label. Targets: labels, shape (samples,).

    Parameters: scale (mV ms), the difference of integrals that tells neurons from each other.
    Raises InputError for a scale not above 0; and when called, for an integral that is not finite.

    Source: Nowotny, Turner & Knight 2025, Neuromorph Comput Eng 5, doi 10.1088/2634-4386/ada852.
    """

    scale: float = 1.0
    reduction: Literal["mean", "sum"] = "mean"
    all_spikes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._set_parameters("mV ms", scale=self.scale)

    def __call__(self, readout: Readout, targets: NDArray[Any]) -> tuple[Floats, Errors]:
        z = _finite(readout.v_integral, self) / self.scale
        values, slope = _cross_entropy(z, (np.arange(len(z)), targets), self.share(len(z)) / self.scale)
        return values, Errors(v_integral=slope)

    def predict(self, readout: Readout) -> Ints:
        """The output neuron with the largest a in each sample, shape (samples,); the lowest number of equal ones."""
        label: Ints = np.argmax(_finite(readout.v_integral, self), axis=1)
        return label


# ---- what they share


def _cross_entropy(z: Floats, own: tuple[Ints, Ints], factor: float) -> tuple[Floats, Floats]:
    """-ln softmax(z)[label] of each sample, and its derivative with respect to z, times the factor.

    z: (samples, outputs), -inf for outputs that drop out, never that of the label, changed in place; own: the indices
    of the labels' elements. The largest element is taken off first, so that exp neither overflows nor makes all 0.
    """
    z -= z.max(axis=1, keepdims=True)
    of_label = z[own]
    np.exp(z, out=z)
    total = z.sum(axis=1)
    z *= (factor / total)[:, np.newaxis]
    z[own] -= factor
    return np.log(total) - of_label, z


def _earliest(first: Floats) -> Ints:
    return np.where(np.isinf(first).all(axis=1), NO_LABEL, np.argmin(first, axis=1))


def _finite(voltages: Floats, loss: Loss) -> Floats:
    """The voltages (samples, outputs), or an InputError: what is infinite would have no derivative."""
    good = np.isfinite(voltages)
    if not good.all():
        sample, neuron = (int(k) for k in np.unravel_index(np.argmin(good), good.shape))
        raise InputError(
            f"{type(loss).__name__}: the voltage of output neuron {neuron} in sample {sample} of the mini-batch is "
            f"{voltages[sample, neuron]:g}; the weights have grown beyond bounds: take a smaller learning_rate or "
            "smaller initial weights"
        )
    return voltages
