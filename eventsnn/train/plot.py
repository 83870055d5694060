"""Pictures of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOSS, ERRORS = "#0072B2", "#D55E00"


def learning_curve(
    axes: Axes,
    loss: ArrayLike,
    validation_loss: ArrayLike | None = None,
    errors: ArrayLike | None = None,
    validation_errors: ArrayLike | None = None,
) -> None:
    """Draw the loss, on the left, and errors in percent, on the right, by epoch. errors: shares, from 0 to 1."""
    values = np.asarray(loss, dtype=np.float64)
    epochs = np.arange(1, values.size + 1)
    style: dict[str, Any] = {"marker": "o"} if epochs.size < 2 else {"linewidth": 1.2}
    lines = axes.plot(epochs, values, color=LOSS, label="loss", **style)
    if validation_loss is not None:
        lines += axes.plot(epochs, validation_loss, color=LOSS, linestyle=":", label="loss, held out")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss", color=LOSS)
    positive = values[values > 0.0]
    if positive.size and positive.max() > 5.0 * positive.min():
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    if errors is not None:
        right = axes.twinx()
        right.spines["top"].set_visible(False)
        right.set_ylabel("errors (%)", color=ERRORS)
        for share, label, line in ((errors, "errors", "-"), (validation_errors, "errors, held out", ":")):
            if share is not None:
                percent = 100.0 * np.asarray(share, dtype=np.float64)
                lines += right.plot(epochs, percent, color=ERRORS, linestyle=line, label=label, **style)
        right.set_ylim(bottom=0.0)
    if len(lines) > 1:
        axes.legend(handles=lines, frameon=False, loc="upper right")
