"""Exact event-driven simulation of spiking neural networks.

    import eventsnn as esn

    net = esn.Network(seed=1)
    neurons = net.population(100, esn.LIFDelta(), name="neurons")
    net.stimulate(neurons, esn.Poisson(rate=1_000.0), weight=1.0)
    results = net.run(1000.0)

Units: ms, mV, pA, pF, nS, Hz. Start with `Network`.
"""

from importlib.metadata import version as _version

from eventsnn import encode, events
from eventsnn.base.errors import InputError, RunawayError, StateError
from eventsnn.describe.currents import RampCurrent, SineCurrent, StepCurrent
from eventsnn.describe.parts import Population, Projection
from eventsnn.describe.processes import (
    Gamma,
    InhomogeneousPoisson,
    Poisson,
    PoissonRefractory,
    Renewal,
    SinusoidalPoisson,
)
from eventsnn.describe.rules import (
    AllToAll,
    Conv2D,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
    SparseMatrix,
)
from eventsnn.describe.spike_source import SpikeSource
from eventsnn.draw.distributions import Exponential, LogNormal, Normal, Uniform
from eventsnn.models import (
    EIF,
    GLIF,
    IF,
    MAT2,
    QIF,
    AdEx,
    Current,
    HHTraub,
    Izhikevich,
    LIFAlpha,
    LIFCondAlpha,
    LIFCondExp,
    LIFDelta,
    LIFExp,
    Linear,
    LinearModel,
    Membrane,
    MihalasNiebur,
    Reset,
    Threshold,
)
from eventsnn.network import Network
from eventsnn.results.results import Check, Results, load
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.traces import Traces
from eventsnn.run.progress import ProgressBar, RunStatus
from eventsnn.run.simulation import Simulation

__version__ = _version("eventsnn")

__all__ = [
    "AdEx",
    "AllToAll",
    "Check",
    "Conv2D",
    "Current",
    "EIF",
    "Explicit",
    "Exponential",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedProbability",
    "FixedTotalNumber",
    "GLIF",
    "Gamma",
    "HHTraub",
    "IF",
    "InhomogeneousPoisson",
    "InputError",
    "Izhikevich",
    "LIFAlpha",
    "LIFCondAlpha",
    "LIFCondExp",
    "LIFDelta",
    "LIFExp",
    "Linear",
    "LinearModel",
    "LogNormal",
    "MAT2",
    "Membrane",
    "MihalasNiebur",
    "Network",
    "Normal",
    "OneToOne",
    "Poisson",
    "PoissonRefractory",
    "Population",
    "ProgressBar",
    "Projection",
    "QIF",
    "RampCurrent",
    "Renewal",
    "Reset",
    "Results",
    "RunStatus",
    "RunawayError",
    "Simulation",
    "SineCurrent",
    "SinusoidalPoisson",
    "SparseMatrix",
    "SpikeSource",
    "SpikeTrains",
    "StateError",
    "StepCurrent",
    "Threshold",
    "Traces",
    "Uniform",
    "encode",
    "events",
    "load",
]


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
