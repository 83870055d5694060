"""How training went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from eventsnn.base.arrays import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class EpochStatus(NamedTuple):
    """Where training stands; `fit` hands one to `progress` after every epoch.

    accuracy and those of the validation are NaN where there are no labels or no validation.
    """

    epoch: int  # from 1
    epochs: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float  # on the wall, since training began


@dataclass
class History:
    """How training went, an array with an element for each epoch.

    loss, accuracy: of the training samples, with the weights with which each was presented. seconds: on the wall, of
    each epoch, without the validation. best: the epoch, from 0, whose parameters the network has.
    """

    loss: Floats = field(default_factory=lambda: np.empty(0))
    accuracy: Floats = field(default_factory=lambda: np.empty(0))
    validation_loss: Floats = field(default_factory=lambda: np.empty(0))
    validation_accuracy: Floats = field(default_factory=lambda: np.empty(0))
    seconds: Floats = field(default_factory=lambda: np.empty(0))
    best: int = -1

    def __len__(self) -> int:
        return self.loss.size

    def plot(self) -> Figure:
        """Loss and share of errors by epoch, as a matplotlib Figure."""
        from matplotlib.figure import Figure  # matplotlib takes long to import

        from eventsnn.train.plot import learning_curve

        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        others = (self.validation_loss, 1.0 - self.accuracy, 1.0 - self.validation_accuracy)
        shown = (None if np.isnan(column).all() else column for column in others)
        learning_curve(figure.subplots(), self.loss, *shown)
        return figure
