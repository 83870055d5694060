"""Edges of an event recording, found by neurons that prefer an orientation

Source: orientation-selective cells of D. H. Hubel and T. N. Wiesel (1962), J Physiol 160:106, as a convolutional layer
of LIF neurons on the events of a camera, e.g. G. Orchard et al. (2015), HFirst, IEEE Trans PAMI 37:2028. The recording
is 80 ms of a falling model plane, seen by an ATIS camera (S. Afshar, T. J. Hamilton, J. Tapson, A. van Schaik and
G. Cohen 2019, Investigation of event-based surfaces for high-speed detection, Front Neurosci 12:1047); see
scenarios/data/README.md. The bar is a computed video, through the pixel model of eventsnn.events.from_video.

Eight neurons at every second pixel have 11 x 11 synapses from both polarities: a stripe of excitation along their
orientation, between two of inhibition. Events of an edge along the stripe come within some milliseconds and lift the
neuron over its threshold; those of an edge across it meet inhibition as well.

Expected: while a bar turns round once, the orientation that most spikes prefer, their mean by angle in windows of 25
ms, lies within 22.5 degrees of the bar's, half of what eight orientations are apart twice.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn.events import Events, from_video, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

PLANE = Path(__file__).parent / "data" / "plane.h5"
DURATION = 420.0  # ms
TURN = 400.0  # ms in which the bar turns by 180 degrees
BAR = (64, 40.0, 4.0)  # pixels of the video, length and thickness of the bar
FPS = 200.0
WINDOW = 25.0  # ms
STRIDE, REACH, DELAY = 2, 5, 1.0  # pixels, pixels, ms
FIRST = 20.0  # ms before anything is shown


def orientations(n: int) -> Floats:
    """Degrees counter-clockwise from the horizontal, shape (n,)."""
    return np.arange(n) * 180.0 / n


def kernel(n: int) -> Floats:
    """Weights (mV) of the n orientations, shape (n, 2, height, width): the same for both polarities."""
    y, x = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1].astype(np.float64)
    kernels = []
    for angle in np.deg2rad(orientations(n)):
        along, across = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
        stripe = np.exp(-0.5 * (along / 3.0) ** 2) * (
            np.exp(-0.5 * (across / 1.0) ** 2) - 0.5 * np.exp(-0.5 * (across / 2.5) ** 2)
        )
        stripe -= stripe.mean()
        kernels.append(stripe / np.abs(stripe).sum())
    weights = np.array(kernels)
    return np.stack([weights, weights], axis=1)


def bar() -> Events:
    """What a camera sees of a bar that turns by 180 degrees."""
    size, length, thickness = BAR
    y, x = np.mgrid[:size, :size] - (size - 1) / 2.0
    frames = []
    for t in np.arange(0.0, TURN + 1000.0 / FPS, 1000.0 / FPS):
        angle = np.pi * t / TURN
        along, across = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
        inside = [1.0 / (1.0 + np.exp(2.0 * (np.abs(a) - b / 2.0))) for a, b in ((along, length), (across, thickness))]
        frames.append(30.0 + 190.0 * inside[0] * inside[1])
    return from_video(np.array(frames), FPS, seed=1)


def build(n: int = 8, weight: float = 9.0) -> esn.Network:
    """n: orientations; weight: mV that all synapses of a neuron have together, without their signs."""
    if n < 2:
        raise esn.InputError(f"dvs_edges: n = {n} orientations must be at least 2")
    net = esn.Network()
    plane = read(PLANE)
    for name, recording, start in (("plane", plane, plane.t[0]), ("bar", bar(), 0.0)):
        shape = (2, recording.height, recording.width)
        camera = net.population(int(np.prod(shape)), recording.to_source(start=start - FIRST), name=f"{name} events")
        rule = esn.Conv2D(kernel(n), shape=shape, stride=STRIDE, padding=REACH)
        lif = esn.LIFDelta(tau_m=10.0, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=5.0)
        edges = net.population(int(np.prod(rule.post_shape)), lif, name=f"{name} edges")
        net.connect(camera, edges, rule, weight=weight, delay=DELAY)
    return net


def preferred(counts: Floats) -> Floats:
    """Degrees in [0, 180) that counts (n, ...) prefer: half the angle of the mean of exp(2 i orientation)."""
    angle = np.deg2rad(2.0 * orientations(len(counts)))
    mean = np.tensordot(np.exp(1j * angle), counts, axes=1)
    return np.asarray(np.rad2deg(np.angle(mean)) / 2.0 % 180.0)


def bar_errors(results: esn.Results, n: int) -> tuple[Floats, Floats, Floats]:
    """Middles of the windows (ms since the bar began to turn), preferred orientations, and their errors, in degrees."""
    spikes = results.spikes["bar edges"]
    orientation = spikes.ids // (spikes.n // n)
    windows = int(min(results.t_stop - FIRST, TURN) // WINDOW)
    k = ((spikes.times - FIRST - DELAY) // WINDOW).astype(np.int64)
    inside = (k >= 0) & (k < windows)
    counts = np.bincount(k[inside] * n + orientation[inside], minlength=windows * n).reshape(windows, n)
    middle = np.asarray(WINDOW * (np.arange(windows) + 0.5), dtype=np.float64)
    found = preferred(counts.T.astype(np.float64))
    error = (found - 180.0 * middle / TURN + 90.0) % 180.0 - 90.0
    return middle, found, np.where(counts.sum(axis=1) > 0, error, np.nan)


def check(results: esn.Results) -> list[esn.Check]:
    """The largest error of the bar's orientation, once it has turned, and that the plane's edges were found."""
    n = results.summary["scenario"]["parameters"]["n"]
    if results.t_stop < FIRST + TURN:
        return []
    _, _, errors = bar_errors(results, n)
    worst = float(np.abs(errors).max())
    source = "required of eight orientations"
    return [
        esn.Check("largest error of the bar's orientation (degrees)", worst, 0.0, 22.5, source),
        esn.Check("windows of the bar without a spike", int(np.isnan(errors).sum()), 0, 0, "the bar always turns"),
    ]


def plot(results: esn.Results) -> Figure:
    """The events of the plane, the orientations found in them, and the bar's beside the true one."""
    from matplotlib.figure import Figure

    n = results.summary["scenario"]["parameters"]["n"]
    window, middle_of_plane = 10.0, 40.0  # ms, in the middle of the recording
    if results.t_stop < FIRST + middle_of_plane + DELAY + window:
        figure = Figure(figsize=(6.0, 2.0))
        figure.text(0.5, 0.5, f"{results.t_stop:g} ms are too short for a picture", ha="center", va="center")
        return figure
    plane = read(PLANE)
    figure = Figure(figsize=(14.0, 5.0), layout="constrained")
    seen, found, turning = figure.subplots(1, 3, width_ratios=[1.0, 1.0, 1.2])
    start = plane.t[0] + middle_of_plane
    frame = plane.between(start, start + window).frames(window)[0]
    seen.imshow(frame, cmap="RdBu_r", vmin=-2, vmax=2)
    seen.set(title=f"{window:g} ms of events (red: brighter)", xlabel="x (pixels)", ylabel="y (pixels)")
    _draw_orientations(found, results, n, FIRST + middle_of_plane + DELAY, window)
    middle, orientation, errors = bar_errors(results, n)
    turning.plot(middle, 180.0 * middle / TURN, color="0.6", linewidth=5.0, alpha=0.7, label="the bar")
    near = 180.0 * middle / TURN + errors
    known = np.abs(errors[~np.isnan(errors)])
    most = f"; error at most {known.max():.1f}°" if known.size else ", of no spike"
    turning.plot(middle, near, "o", color="#0072B2", label=f"preferred{most}")
    turning.set(xlabel="time (ms)", ylabel="orientation (degrees)", title="A turning bar", yticks=range(0, 181, 45))
    turning.legend(frameon=False)
    turning.spines[["top", "right"]].set_visible(False)
    figure.suptitle("A layer of neurons tells how edges lie, from events alone", fontsize="x-large")
    return figure


def _draw_orientations(panel: Axes, results: esn.Results, n: int, start: float, window: float) -> None:
    from matplotlib.colors import hsv_to_rgb

    shape = esn.Conv2D(kernel(n), shape=(2, *_size()), stride=STRIDE, padding=REACH).post_shape
    counts = results.spikes["plane edges"].between(start, start + window).counts().reshape(shape).astype(np.float64)
    total = counts.sum(axis=0)
    hue = preferred(counts) / 180.0
    strength = np.clip(total / max(float(np.percentile(total[total > 0], 80)) if total.any() else 1.0, 1.0), 0.0, 1.0)
    colours = hsv_to_rgb(np.stack([hue, strength, np.ones_like(hue)], axis=-1))
    panel.imshow(colours, extent=(0, shape[2] * STRIDE, shape[1] * STRIDE, 0))
    panel.set(title="Orientation that the layer's spikes prefer", xlabel="x (pixels)", ylabel="y (pixels)")
    for angle in orientations(n):
        turn = np.deg2rad(angle)
        x, y = 0.86 * shape[2] * STRIDE, 0.14 * shape[1] * STRIDE
        dx, dy = 12.0 * np.cos(turn), -12.0 * np.sin(turn)
        colour = hsv_to_rgb((angle / 180.0, 1.0, 1.0))
        panel.plot([x - dx, x + dx], [y - dy, y + dy], color=colour, linewidth=3.0)


def _size() -> tuple[int, int]:
    plane = read(PLANE)
    return plane.height, plane.width
