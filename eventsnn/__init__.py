"""Exact event-driven simulation of spiking neural networks.

    import eventsnn as esn

    net = esn.Network(seed=1)
    neurons = net.population(100, esn.LIFDelta(), name="neurons")
    net.stimulate(neurons, esn.Poisson(rate=1_000.0), weight=1.0)
    results = net.run(1000.0)

Units: ms, mV, pA, pF, nS, Hz. Start with `Network`.
"""

from importlib.metadata import version as _version

import eventsnn.cli.start  # noqa: F401 - before all that takes long to import
from eventsnn import encode, events, models, plasticity, train
from eventsnn.base.errors import InputError, InputWarning, RunawayError, StateError
from eventsnn.batch.progress import SweepStatus
from eventsnn.batch.sweep import Sweep, load_sweep, sweep
from eventsnn.cli.scenario import scenario
from eventsnn.describe import processes, rules
from eventsnn.describe.conditions import SpikeCount
from eventsnn.describe.currents import RampCurrent, SineCurrent, StepCurrent
from eventsnn.describe.parts import Population, Projection
from eventsnn.describe.processes import *
from eventsnn.describe.rules import *
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.draw.distributions import Exponential, LogNormal, Normal, Uniform
from eventsnn.models import *
from eventsnn.network import Network
from eventsnn.plasticity import *
from eventsnn.results.results import Check, Results, load
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces
from eventsnn.run.progress import ProgressBar, RunStatus
from eventsnn.run.simulation import Simulation

__version__ = _version("eventsnn")

# Models, rules and processes are listed in their packages.
__all__ = [
    "Check",
    "Exponential",
    "InputError",
    "InputWarning",
    "LogNormal",
    "Network",
    "Normal",
    "Population",
    "ProgressBar",
    "Projection",
    "RampCurrent",
    "Results",
    "RunStatus",
    "RunawayError",
    "Simulation",
    "SineCurrent",
    "SpikeCount",
    "SpikeSource",
    "SpikeTrains",
    "StateError",
    "StepCurrent",
    "Sweep",
    "SweepStatus",
    "Traces",
    "Uniform",
    "encode",
    "events",
    "load",
    "load_sweep",
    "plasticity",
    "scenario",
    "sweep",
    "train",
]
__all__ += models.__all__
__all__ += plasticity.__all__
__all__ += processes.__all__
__all__ += rules.__all__


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
