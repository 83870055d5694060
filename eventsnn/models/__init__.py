"""Neuron models: parameters, units, validation, and the equations that the reference engine runs."""

from eventsnn.models.base import Model, State
from eventsnn.models.lif_delta import LIFDelta
from eventsnn.models.lif_exp import LIFExp

__all__ = ["LIFDelta", "LIFExp", "Model", "State"]
