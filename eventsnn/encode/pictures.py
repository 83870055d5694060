"""Pictures of codes, drawn without pyplot: no display is needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from eventsnn.base.arrays import Floats
from eventsnn.results.picture import Picture
from eventsnn.results.plot_trains import figure
from eventsnn.results.trains import Trains


def image_figure(
    image: Floats, trains: Trains, sigmas: Sequence[float], seen: Sequence[tuple[float, Floats]]
) -> Figure:
    """An image, the order in which its off and on cells spike, and what can be seen of the first spikes.

    seen: shares of all spikes, and the image that is decoded from the first of them.
    """
    order = np.full(trains.n, np.nan)
    order[trains.ids] = np.linspace(0.0, 100.0, trains.times.size)
    finest = order.reshape(-1, 2, *image.shape)[0]
    columns = max(3, len(seen))
    width = 3.6 * image.shape[1] / max(image.shape)
    height = 3.6 * image.shape[0] / max(image.shape)
    picture = Picture(figsize=(1.2 + columns * (width + 0.4), 1.4 + 2 * (height + 0.5)), layout="constrained")
    panels = picture.subplots(2, columns)
    for panel in panels.ravel():
        panel.set_axis_off()
    _show(panels[0, 0], image, "image", "gray", 0.0, 1.0)
    fine = f", sigma {sigmas[0]:g}" if len(sigmas) > 1 else ""
    for panel, ranks, name in zip(panels[0, 1:], finest, ("off cells", "on cells"), strict=False):
        shown = _show(panel, ranks, f"{name}{fine}: the darker, the earlier", "viridis", 0.0, 100.0)
    picture.colorbar(shown, ax=panels[0, 2], label="spikes before (%)", shrink=0.9)
    for panel, (share, decoded) in zip(panels[1], seen, strict=False):
        alike = ""
        if decoded.std() > 0.0 and image.std() > 0.0:
            alike = f"\nr = {np.corrcoef(decoded.ravel(), image.ravel())[0, 1]:.2f}"
        largest = np.abs(decoded).max() or 1.0
        _show(panel, decoded, f"first {share:.0%} of the spikes{alike}", "gray", -largest, largest)
    picture.suptitle(f"{trains.times.size:,} spikes, and what can be seen of the first", fontsize="x-large")
    return picture


def cochlea_figure(frequencies: Floats, trains: Trains) -> Figure:
    """Raster of the first sound's hair cells, low frequencies below."""
    picture = figure(trains[:1])
    (panel,) = picture.axes
    hertz = np.array([20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000])
    hertz = hertz[(hertz >= frequencies[0]) & (hertz <= frequencies[-1])]
    panel.set_yticks(np.interp(hertz, frequencies, np.arange(frequencies.size)), [f"{f:,}" for f in hertz])
    panel.set_ylim(-0.5, trains.n - 0.5)
    panel.set_ylabel("centre frequency (Hz)")
    return picture


def _show(panel: Axes, values: Floats, title: str, colours: str, low: float, high: float) -> AxesImage:
    shown = panel.imshow(values, cmap=colours, interpolation="nearest", vmin=low, vmax=high)
    panel.set_title(title)
    return shown
