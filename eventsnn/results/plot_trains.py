"""Pictures of Trains: maps of images, rasters of anything else."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eventsnn.base.checks import whole
from eventsnn.results.picture import Picture
from eventsnn.results.sampled_spikes import SampledSpikes
from eventsnn.results.style import COLOURS, RASTER_NEURONS, RASTER_POINTS

# Channels in two axes of at least so many are an image, as long as there are few of them in a sample.
IMAGE_SIDE, IMAGES = 8, 8


def figure(trains: SampledSpikes, samples: int = 4) -> Figure:
    """The first samples, a row each: maps of channels that form images, else rasters."""
    shown = trains[: whole(samples, "plot: samples", 1)]
    if _are_images(trains.shape[-2:], trains.shape[:-2]) and len(shown):
        picture = _maps(shown, (len(shown), -1, *trains.shape[-2:]))
    elif _are_images(trains.shape[:2], trains.shape[2:]) and len(shown):
        picture = _maps(shown, (len(shown), *trains.shape[:2], -1))
    else:
        picture = _rasters(shown)
    counted = f"{shown.times.size:,} spike{'s' * (shown.times.size != 1)}"
    total = f"{counted} of {trains.n:,} channel{'s' * (trains.n != 1)}"
    picture.suptitle(total if len(shown) == len(trains) else f"{total}, {len(shown)} of {len(trains):,} samples")
    return picture


def _are_images(sides: tuple[int, ...], others: tuple[int, ...]) -> bool:
    return len(sides) == 2 and min(sides) >= IMAGE_SIDE and 1 <= math.prod(others) <= IMAGES


def _maps(trains: SampledSpikes, shape: tuple[int, ...]) -> Figure:
    """When each channel spikes, or how often if some spike more than once.

    shape: samples, and then planes, height and width, or height, width and planes, of which those are many.
    """
    counts, first = trains.counts().reshape(shape), trains.first().reshape(shape)
    if shape[-1] == -1:
        counts, first = np.moveaxis(counts, -1, 1), np.moveaxis(first, -1, 1)
    planes, height, width = counts.shape[1:]
    once = counts.max(initial=0) <= 1
    values = first if once else np.where(counts > 0, counts, np.nan)
    columns = planes if len(trains) > 1 or planes <= 4 else -(-planes // 2)
    rows = len(trains) * planes // columns if len(trains) > 1 else -(-planes // columns)
    size = (1.6 + 3.0 * columns, 0.9 + 3.0 * rows * min(max(height / width, 0.4), 2.0))
    picture = Picture(figsize=size, layout="constrained")
    panels = picture.subplots(rows, columns, squeeze=False)
    low, high = (0.0, trains.duration or 1.0) if once else (0.0, float(max(counts.max(initial=1), 1)))
    for panel in panels.flat:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_color("0.8")
    for panel, plane in zip(panels.flat, values.reshape(-1, height, width), strict=False):
        drawn = panel.imshow(
            plane, cmap="viridis_r" if once else "viridis", vmin=low, vmax=high, interpolation="nearest"
        )
    for k, panel in enumerate(panels[:, 0] if len(trains) > 1 else ()):
        panel.set_ylabel(f"sample {k}")
    picture.colorbar(drawn, ax=panels, label="time of the spike (ms), none: white" if once else "spikes, none: white")
    return picture


def _rasters(trains: SampledSpikes) -> Figure:
    """Time since the sample began against the channel, of many channels some, evenly spaced."""
    rows = min(trains.n, RASTER_NEURONS)
    edge = max(trains.n, 1) - 0.5
    channels = np.arange(rows) * trains.n // max(rows, 1)
    height = min(max(0.5 + 0.12 * rows, 1.4), 4.5 if len(trains) == 1 else 2.6)
    picture = Picture(figsize=(8.0, 0.9 + max(len(trains), 1) * height), layout="constrained")
    panels = picture.subplots(max(len(trains), 1), 1, sharex=True, squeeze=False)[:, 0]
    row_of = np.full(trains.n, -1)
    row_of[channels] = np.arange(rows)
    for k, (panel, one) in enumerate(zip(panels, trains, strict=False)):
        row = row_of[one.ids]
        _raster(panel, one.times[row >= 0], channels[row[row >= 0]], rows)
        panel.set_ylim(edge, -0.5)
        panel.set_xlim(0.0, trains.duration or 1.0)
        what = "channel" if rows == trains.n else f"{rows} of {trains.n:,} channels"
        panel.set_ylabel(what if len(trains) == 1 else f"sample {k}\n{what}")
        panel.yaxis.set_major_locator(MaxNLocator(integer=True))
        panel.yaxis.set_major_formatter("{x:,.0f}")
        panel.spines[["top", "right"]].set_visible(False)
        if one.times.size == 0:
            panel.text(0.5, 0.5, "no spikes", transform=panel.transAxes, ha="center", va="center", color="0.5")
    panels[-1].set_xlabel("time (ms)")
    return picture


def _raster(panel: Axes, times: np.ndarray, channels: np.ndarray, rows: int) -> None:
    step = max(1, times.size // RASTER_POINTS)
    size = min(max(160.0 / max(rows, 1), 3.0), 14.0)
    panel.scatter(
        times[::step], channels[::step], s=size**2, marker="|", linewidths=1.0, color=COLOURS[0], rasterized=True
    )
