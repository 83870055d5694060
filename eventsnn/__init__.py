"""Exact event-driven simulation of spiking neural networks.

    import eventsnn as esn

    net = esn.Network(seed=1)
    neurons = net.population(100, esn.LIFDelta(), name="neurons")
    net.stimulate(neurons, esn.Poisson(rate=1_000.0), weight=1.0)
    results = net.run(1000.0)

Units: ms, mV, pA, pF, nS, Hz. Start with `Network`.
"""

from importlib.metadata import version

from eventsnn.connect import (
    AllToAll,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
)
from eventsnn.distributions import Exponential, LogNormal, Normal, Uniform
from eventsnn.engine import Simulation
from eventsnn.errors import InputError, RunawayError, StateError
from eventsnn.models import LIFDelta, LIFExp
from eventsnn.network import Network, Population, Projection
from eventsnn.point_processes import (
    Gamma,
    InhomogeneousPoisson,
    Poisson,
    PoissonRefractory,
    Renewal,
    SinusoidalPoisson,
)
from eventsnn.progress import ProgressBar, RunStatus
from eventsnn.results import Check, Results, SpikeTrains, Traces
from eventsnn.stimuli import SpikeSource, StepCurrent
from eventsnn.storage import load

__version__ = version("eventsnn")

__all__ = [
    "AllToAll",
    "Check",
    "Explicit",
    "Exponential",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedProbability",
    "FixedTotalNumber",
    "Gamma",
    "InhomogeneousPoisson",
    "InputError",
    "LIFDelta",
    "LIFExp",
    "LogNormal",
    "Network",
    "Normal",
    "OneToOne",
    "Poisson",
    "PoissonRefractory",
    "Population",
    "ProgressBar",
    "Projection",
    "Renewal",
    "Results",
    "RunStatus",
    "RunawayError",
    "Simulation",
    "SinusoidalPoisson",
    "SpikeSource",
    "SpikeTrains",
    "StateError",
    "StepCurrent",
    "Traces",
    "Uniform",
    "load",
]
