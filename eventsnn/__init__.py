"""Exact event-driven simulation of spiking neural networks.

    import eventsnn as esn

    net = esn.Network(seed=1)
    neurons = net.population(100, esn.LIFDelta(), name="neurons")
    net.stimulate(neurons, esn.Poisson(rate=1_000.0), weight=1.0)
    results = net.run(1000.0)

Units: ms, mV, pA, pF, nS, Hz. Start with `Network`.
"""

from importlib.metadata import version

from eventsnn import encode, events
from eventsnn.connect import (
    AllToAll,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
)
from eventsnn.connect_matrix import Conv2D, SparseMatrix
from eventsnn.currents import RampCurrent, SineCurrent, StepCurrent
from eventsnn.distributions import Exponential, LogNormal, Normal, Uniform
from eventsnn.engine import Simulation
from eventsnn.errors import InputError, RunawayError, StateError
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
from eventsnn.stimuli import SpikeSource
from eventsnn.storage import load

__version__ = version("eventsnn")

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
