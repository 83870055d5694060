"""warn_of_si: parameters that look as if they were given in s, V, F, S or A."""

from __future__ import annotations

import warnings

import numpy as np

from eventsnn.base.arrays import Bools, Floats
from eventsnn.base.errors import InputWarning
from eventsnn.draw.values import Values
from eventsnn.models.base import Model

# The SI unit that may have been meant, and how many of ours it has.
MEANT = {"ms": ("s", 1e3), "mV": ("V", 1e3), "pF": ("F", 1e12), "nS": ("S", 1e9), "pA": ("A", 1e12)}
# No membrane is as fast, and no rest as short (ms). Synapses may be.
FASTEST = {"tau_m": 0.1, "t_ref": 0.01}
# mV: potentials of neurons in V, which in mV would be no potential of a neuron, but not thresholds of models without
# units, which count from 0 up to 1.
POTENTIALS = (-0.2, -0.01)
# What capacitances in F, conductances in S and currents in A are.
TINY = (1e-14, 1e-6)


def warn_of_si(model: Model, values: Values, where: str) -> None:
    """One warning for a population, about the first parameter whose number is likely to be in an SI unit."""
    for name in model.parameters:
        unit = model.unit_of(name)
        likely = _looks_like_si(name, unit, values[name])
        if likely.any():
            value = float(values[name][int(np.argmax(likely))])
            other, factor = MEANT[unit]
            warnings.warn(
                f"{where}: {name} = {value:g} {unit} is hardly meant; did you mean {value * factor:g} {unit} "
                f"({value:g} {other})? Units here are ms, mV, pF, nS and pA",
                InputWarning,
                stacklevel=5,
            )
            return


def _looks_like_si(name: str, unit: str, value: Floats) -> Bools:
    low, high = {"ms": (0.0, FASTEST.get(name, 0.0)), "mV": POTENTIALS}.get(unit, TINY)
    size = np.abs(value) if unit == "pA" else value
    likely: Bools = (size > low) & (size < high) & (unit in MEANT)
    return likely
