"""Neuron models: parameters, units, validation, and the equations that the reference engine runs."""

from eventsnn.models.conductance import LIFCondAlpha, LIFCondExp
from eventsnn.models.exponential import EIF, AdEx
from eventsnn.models.glif import GLIF
from eventsnn.models.hodgkin_huxley import HHTraub
from eventsnn.models.izhikevich import Izhikevich
from eventsnn.models.lif import IF, LIFAlpha, LIFDelta, LIFExp
from eventsnn.models.linear import Current, Linear, LinearModel, Membrane, Reset, Threshold
from eventsnn.models.mat2 import MAT2
from eventsnn.models.mihalas_niebur import MihalasNiebur
from eventsnn.models.quadratic import QIF

__all__ = [
    "AdEx",
    "Current",
    "EIF",
    "GLIF",
    "HHTraub",
    "IF",
    "Izhikevich",
    "LIFAlpha",
    "LIFCondAlpha",
    "LIFCondExp",
    "LIFDelta",
    "LIFExp",
    "Linear",
    "LinearModel",
    "MAT2",
    "Membrane",
    "MihalasNiebur",
    "QIF",
    "Reset",
    "Threshold",
]
