"""Training with exact gradients of spike times: SpikeProp and EventProp.

    from eventsnn import train

    history = train.fit(
        net, X, y, inputs=source, outputs=out, duration=60.0, loss=train.TimeToFirstSpike(), epochs=20
    )

`fit` takes any Network of LIFExp populations and SpikeSource inputs; its weights, and delays and time constants if
asked for, are learned, and the network then runs as any other. Trainable has the two passes by themselves. Losses say
what is wanted, optimizers how it is approached. SpikingClassifier does it all in the style of scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsnn.train.fit import evaluate, fit, predict
from eventsnn.train.history import EpochStatus, History
from eventsnn.train.losses import IntegratedVoltage, Loss, MaxVoltage, SoftSpikeCount, SpikeTime, TimeToFirstSpike
from eventsnn.train.optimizers import SGD, Adam, Optimizer
from eventsnn.train.readout import Errors, Readout
from eventsnn.train.saving import load, save
from eventsnn.train.trainable import Trainable
from eventsnn.train.yin_yang import yin_yang

if TYPE_CHECKING:
    from eventsnn.train.classifier import SpikingClassifier

__all__ = [
    "SGD",
    "Adam",
    "EpochStatus",
    "Errors",
    "History",
    "IntegratedVoltage",
    "Loss",
    "MaxVoltage",
    "Optimizer",
    "Readout",
    "SoftSpikeCount",
    "SpikeTime",
    "SpikingClassifier",
    "TimeToFirstSpike",
    "Trainable",
    "evaluate",
    "fit",
    "load",
    "predict",
    "save",
    "yin_yang",
]


def __getattr__(name: str) -> Any:
    if name == "SpikingClassifier":  # needs scikit-learn
        from eventsnn.train.classifier import SpikingClassifier

        return SpikingClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
