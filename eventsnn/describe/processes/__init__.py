"""Point processes: a family a file, listed here."""

from eventsnn.describe.processes.base import Pieces, PointProcess, Streams
from eventsnn.describe.processes.inhomogeneous import InhomogeneousPoisson
from eventsnn.describe.processes.poisson import Poisson
from eventsnn.describe.processes.renewal import Gamma, PoissonRefractory, Renewal
from eventsnn.describe.processes.sinusoidal import SinusoidalPoisson

__all__ = [
    "Gamma", "InhomogeneousPoisson", "Pieces", "PointProcess", "Poisson", "PoissonRefractory", "Renewal",
    "SinusoidalPoisson", "Streams",
]  # fmt: skip
