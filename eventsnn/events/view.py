"""Pictures of events: ON blue, OFF orange, in windows of time."""

from __future__ import annotations

import math
import os

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from eventsnn.base.checks import number, whole
from eventsnn.base.errors import InputError
from eventsnn.base.paths import as_path, replacing, require_free
from eventsnn.events.event_array import EventArray
from eventsnn.events.filters import MOST_FRAME_VALUES
from eventsnn.results.picture import Picture
from eventsnn.results.style import COLOURS

ON, OFF = COLOURS[0], COLOURS[1]
MAP = LinearSegmentedColormap.from_list("events", [OFF, "white", ON])

MOST_IMAGES = 2000

# Pixels: smaller sensors are enlarged to about this size; the strip below them has the text.
SIZE, STRIP = 480, 24


def figure(events: EventArray, panels: int = 4, every: float | None = None) -> Figure:
    """ON minus OFF events of each pixel in windows of `every` ms, at even distances over the recording."""
    whole(panels, "plot: panels", 1, 12)
    span = float(events.t[-1] - events.t[0]) if len(events) else 0.0
    if every is None:
        wanted = 0.1 * events.width * events.height / max(len(events), 1)
        every = _round(min(wanted, 1.0 / panels) * span) or 1.0
    every = number(every, "plot: every", "a finite number of ms above 0", above=0.0, unit="ms")
    windows = int(min(span / every, MOST_IMAGES)) + 1
    panels = min(panels, windows)
    columns = min(panels, 4)
    rows = -(-panels // columns)
    shape = events.height / events.width
    size = (max(2.6 * columns + 1.0, 4.6), max(rows * (2.4 * shape + 0.6), 2.2) + 0.6)
    picture = Picture(figsize=size, layout="constrained")
    axes = picture.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    begin = float(events.t[0]) if len(events) else 0.0
    starts = [begin + every * math.floor((k + 0.5) * span / panels / every) for k in range(panels)]
    images = [_image(events.between(start, start + every)) for start in starts]
    top = max(1, *(int(np.ceil(np.percentile(np.abs(image[image != 0]), 95))) for image in images if image.any()), 1)
    for panel, start, image in zip(axes.flat, starts, images, strict=False):
        drawn = panel.imshow(image, cmap=MAP, vmin=-top, vmax=top, interpolation="nearest")
        panel.set_title(f"{start - begin:,.6g} to {start - begin + every:,.6g} ms", fontsize="small")
    for panel in axes.flat[panels:]:
        panel.set_axis_off()
    for panel in axes[:, 0]:
        panel.set_ylabel("y (pixel)")
    for panel in axes[-1]:
        panel.set_xlabel("x (pixel)")
    ticks = MaxNLocator(5, integer=True)
    picture.colorbar(drawn, ax=axes, label="ON - OFF events", extend="both", shrink=0.8, ticks=ticks)
    picture.suptitle(f"{len(events):,} events of {events.width} x {events.height} pixels in {span:,.6g} ms")
    return picture


def _image(events: EventArray) -> NDArray[np.int64]:
    size = events.width * events.height
    if size > MOST_FRAME_VALUES:
        raise InputError(
            f"events: a sensor of {events.width} x {events.height} pixels is too large to draw; crop or downsample it"
        )
    at = events.y.astype(np.int64) * events.width + events.x
    on, off = (np.bincount(at[events.p == sign], minlength=size) for sign in (1, 0))
    return (on - off).reshape(events.height, events.width)


def _round(value: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above the value; 0 for 0."""
    if not value > 0.0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (5.0, 2.0, 1.0) if power * factor <= value * (1.0 + 1e-9))


def animate(
    events: EventArray, path: str | os.PathLike[str], every: float, fps: float = 20.0, force: bool = False
) -> None:
    """Write an animated GIF or PNG of windows of `every` ms, with the time below."""
    every = number(every, "animate: every", "a finite number of ms above 0", above=0.0, unit="ms")
    fps = number(fps, "animate: fps", "a number of Hz from 0.001 to 50", least=0.001, most=50.0, unit="Hz")
    target = as_path(path, "the animation")
    if target.suffix.lower() not in (".gif", ".png"):
        raise InputError(f"{path}: the suffix {target.suffix!r} is no animation; known are .gif and .png")
    require_free(target, "the animation", force)
    begin = float(events.t[0]) if len(events) else 0.0
    count = (float(events.t[-1]) - begin) / every + 1.0 if len(events) else 1.0
    if not count <= MOST_IMAGES:
        raise InputError(
            f"animate: every = {every} ms makes {count:,.0f} images, {MOST_IMAGES} are allowed; take a longer window, "
            "or a part of the events"
        )
    starts = begin + every * np.arange(int(count))
    # GIF counts in 10 ms, and players take less than 20 for a mistake.
    shown = max(round(1000.0 / fps), 20)
    speed = every / shown
    pace = f"{speed:,.3g} x as fast" if speed > 1.0 else f"{1.0 / speed:,.3g} x slower" if speed < 1.0 else "real time"
    images = [
        _page(events.between(start, start + every), f"{start - begin:,.6g} ms, {pace}") for start in starts.tolist()
    ]
    with replacing(target, "the animation", force) as staging:
        images[0].save(staging, save_all=True, append_images=images[1:], duration=shown, loop=0)


def _page(events: EventArray, text: str) -> Image.Image:
    """Each pixel in the colour of most of its events, and the text below."""
    image = _image(events)
    palette = [255, 255, 255, *bytes.fromhex(ON[1:]), *bytes.fromhex(OFF[1:]), 0, 0, 0]
    scale = max(round(SIZE / max(events.width, events.height)), 1)
    index = np.repeat(np.repeat(np.where(image > 0, 1, np.where(image < 0, 2, 0)), scale, axis=0), scale, axis=1)
    page = Image.new("P", (index.shape[1], index.shape[0] + STRIP), 0)
    page.putpalette(palette)
    page.paste(Image.fromarray(index.astype(np.uint8), "P"))
    draw = ImageDraw.Draw(page)
    draw.line((0, index.shape[0], index.shape[1], index.shape[0]), fill=3)
    draw.text((6, index.shape[0] + 6), text, fill=3)
    draw.text((index.shape[1] - 56, index.shape[0] + 6), "ON", fill=1)
    draw.text((index.shape[1] - 32, index.shape[0] + 6), "OFF", fill=2)
    return page
