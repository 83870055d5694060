"""Point processes: a family a file, listed here."""

from eventsnn.describe.processes.inhomogeneous import InhomogeneousPoisson
from eventsnn.describe.processes.poisson import Poisson
from eventsnn.describe.processes.renewal import Gamma, PoissonRefractory, Renewal
from eventsnn.describe.processes.sinusoidal import SinusoidalPoisson

__all__ = [
    "Gamma", "InhomogeneousPoisson", "Poisson", "PoissonRefractory", "Renewal", "SinusoidalPoisson",
]  # fmt: skip
