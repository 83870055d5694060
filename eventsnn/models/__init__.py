"""Neuron models: parameters, units, validation, and the equations that the reference engine runs."""

from eventsnn.models.base import Model, State
from eventsnn.models.glif import GLIF
from eventsnn.models.lif import IF, LIFAlpha, LIFDelta, LIFExp
from eventsnn.models.linear import Current, Linear, LinearModel, Membrane, Reset, Threshold
from eventsnn.models.mat2 import MAT2
from eventsnn.models.mihalas_niebur import MihalasNiebur

__all__ = [
    "GLIF",
    "IF",
    "MAT2",
    "Current",
    "LIFAlpha",
    "LIFDelta",
    "LIFExp",
    "Linear",
    "LinearModel",
    "Membrane",
    "MihalasNiebur",
    "Model",
    "Reset",
    "State",
    "Threshold",
]
