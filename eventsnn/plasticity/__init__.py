"""Rules of plasticity: how weights follow from spike times. `PlasticityRule` makes new ones."""

from eventsnn.plasticity.base import PlasticityRule, Trace
from eventsnn.plasticity.program import exp as exp
from eventsnn.plasticity.program import maximum as maximum
from eventsnn.plasticity.program import minimum as minimum
from eventsnn.plasticity.reward import RewardSTDP
from eventsnn.plasticity.short_term import TsodyksMarkram
from eventsnn.plasticity.stdp import STDP, PowerLawSTDP, TripletSTDP, VogelsSTDP

__all__ = [
    "STDP",
    "PlasticityRule",
    "PowerLawSTDP",
    "RewardSTDP",
    "Trace",
    "TripletSTDP",
    "TsodyksMarkram",
    "VogelsSTDP",
]
