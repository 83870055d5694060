"""What is measured of each cell of a sweep where the user asks for nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from eventsnn.base.errors import InputError
from eventsnn.results.recorded import Recorded
from eventsnn.results.spike_trains import SpikeTrains

SYNCHRONY_BIN = 2.0  # ms
# Names of the quantities with their units, as axes and tables show them.
UNITS = {"rate": "Hz", "frequency": "Hz"}


def standard(results: Recorded, skip: float = 0.0) -> dict[str, float]:
    """Five numbers for each population whose spikes were recorded, of the run without its first `skip` ms.

    NAME.rate: spikes of a neuron, Hz. NAME.cv: mean over neurons with three spikes or more of the coefficient of
    variation of their intervals; 1 for a Poisson process. NAME.synchrony: Fano factor of the population's spike count
    in bins of 2 ms, variance / mean; 1 for independent Poisson neurons, the number of neurons if all fire together.
    NAME.correlation: mean over pairs of neurons of Pearson's correlation of their counts in bins of 5 ms (of up to 200
    neurons that spike). NAME.frequency: where the spectrum of the population's rate is highest, Hz, which means
    something where synchrony is well above 1. NaN where spikes or bins are too few to tell.
    """
    found: dict[str, float] = {}
    for name, trains in results.spikes.items():
        late = trains.between(results.t_start + skip, np.inf) if skip > 0.0 else trains
        found[f"{name}.rate"] = late.rate()
        found[f"{name}.cv"] = _mean(late.cv())
        found[f"{name}.synchrony"] = synchrony(late)
        found[f"{name}.correlation"] = _correlation(late)
        found[f"{name}.frequency"] = _frequency(late)
    return found


def synchrony(trains: SpikeTrains, width: float = SYNCHRONY_BIN) -> float:
    """Fano factor of the population's spike count in bins of `width` ms: variance / mean; NaN without spikes.

    A last bin that is shorter is left out.
    """
    bins = int((trains.t_stop - trains.t_start) / width * (1.0 + 1e-12))
    edges = trains.t_start + width * np.arange(bins + 1)
    counts = np.diff(np.searchsorted(trains.times, edges)).astype(np.float64)
    mean = counts.mean() if bins > 1 else 0.0
    return float(counts.var() / mean) if mean > 0.0 else math.nan


def as_numbers(measured: Any) -> dict[str, float]:
    """What `measure` returned, as floats by name; InputError if it is no mapping of numbers."""
    if not isinstance(measured, Mapping) or not all(isinstance(name, str) and name for name in measured):
        raise InputError(f"measure must return a dictionary of numbers by name, not {type(measured).__name__}")
    return {name: _number(name, value) for name, value in measured.items()}


def label(quantity: str) -> str:
    """The name of a quantity with its unit, where that is known: `exc.rate (Hz)`."""
    unit = UNITS.get(quantity.rpartition(".")[2])
    return f"{quantity} ({unit})" if unit else quantity


def _number(name: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, Real | np.bool_):
        raise InputError(f"measure must return numbers, but {name} is a {type(value).__name__}")
    return float(value)


def _correlation(trains: SpikeTrains) -> float:
    from eventsnn.results.report.statistics import mean_correlation  # takes long to import

    return mean_correlation(trains)


def _frequency(trains: SpikeTrains) -> float:
    from eventsnn.results.report.statistics import spectrum

    frequencies, power = spectrum(trains)
    return float(frequencies[np.argmax(power)]) if power.size else math.nan


def _mean(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
