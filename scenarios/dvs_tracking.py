"""A moving ball followed by an event camera and a layer of neurons

Source: the motion is known, since the video is computed; the camera is the pixel model of Hu, Liu and Delbruck (2021),
v2e, CVPR Workshops, with noise; neurons that fire when events coincide filter noise as in F. Barranco, C. Fermuller and
E. Ros (2018), Real-time clustering and multi-target tracking using event-based sensors, IROS.

A bright ball of 6 pixels' radius runs along a figure of eight over a dim background, one round a second. The camera
sees 100 frames a second, but its events come at the times at which each pixel's brightness passes a level. They reach a
layer of LIF neurons, one a pixel, with 7 x 7 synapses each (Conv2D): some ten events within a few milliseconds and
pixels make a neuron fire, single ones, which noise makes, do not. The ball is where the layer has fired: the centroid
of its spikes in windows of 20 ms.

Expected: the centroid lies within 1.5 pixels of the ball's centre on average, although each of the 5,184 pixels has
noise of up to 5 Hz, which draws the centroid of the events themselves away from the ball.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn.events import Events, from_video

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

DURATION = 1000.0  # ms, one round
SIZE = 72  # pixels
RADIUS, SWING = 6.0, (22.0, 18.0)  # pixels
FPS = 100.0
WINDOW = 20.0  # ms
DELAY, T_REF = 1.0, 10.0  # ms


def centre(t: Floats) -> Floats:
    """Where the ball is at these times (ms), (x, y) in pixels, shape (times, 2)."""
    phase = 2.0 * np.pi * np.asarray(t) / 1000.0
    return (SIZE - 1) / 2.0 + np.stack([SWING[0] * np.sin(phase), SWING[1] * np.sin(2.0 * phase)], axis=-1)


def video(duration: float) -> Floats:
    """Frames of the ball, (frames, height, width), 0 to 255."""
    y, x = np.mgrid[:SIZE, :SIZE]
    frames = []
    for at in centre(np.arange(0.0, duration + 1000.0 / FPS, 1000.0 / FPS)):
        distance = np.hypot(x - at[0], y - at[1])
        frames.append(40.0 + 160.0 / (1.0 + np.exp((distance - RADIUS) / 0.7)))
    return np.array(frames)


def recording(noise: float, seed: int) -> Events:
    """What the camera sees in one round; noise in Hz a pixel, in the dark."""
    return from_video(
        video(DURATION), FPS, threshold=0.2, mismatch=0.03, t_ref=1.0, leak=0.1, shot_noise=noise, seed=seed
    )


def build(noise: float = 5.0, seed: int = 1) -> esn.Network:
    """noise: events of each pixel (Hz, in the dark) that nothing has caused."""
    net = esn.Network(seed=seed)
    camera = net.population(2 * SIZE * SIZE, recording(noise, seed).to_source(start=0.0), name="camera")
    lif = esn.LIFDelta(tau_m=5.0, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=T_REF)
    layer = net.population(SIZE * SIZE, lif, name="layer")
    y, x = np.mgrid[-3:4, -3:4]
    kernel = np.exp(-0.5 * (x**2 + y**2) / 2.0**2)
    kernel *= 4.0 / kernel.sum()  # mV: 12 events around a neuron lift it to about V_th
    both = np.stack([kernel, kernel])[np.newaxis]
    rule = esn.Conv2D(both, shape=(2, SIZE, SIZE), padding=3)
    net.connect(camera, layer, rule, weight=1.0, delay=DELAY)
    return net


def centroids(times: Floats, x: Floats, y: Floats, stop: float) -> tuple[Floats, Floats]:
    """Mean place (windows, 2) and mean time (windows,) of what happens in each window up to stop; NaN if nothing."""
    windows = int(stop // WINDOW)
    k = np.minimum((times // WINDOW).astype(np.int64), windows)
    count = np.bincount(k, minlength=windows + 1)[:windows]
    sums = [np.bincount(k, values, minlength=windows + 1)[:windows] for values in (x, y, times)]
    with np.errstate(invalid="ignore"):
        mean_x, mean_y, mean_t = (values / count for values in sums)
    return np.stack([mean_x, mean_y], axis=-1), mean_t


def tracked(results: esn.Results, name: str) -> tuple[Floats, Floats, float]:
    """Centroids of a population's spikes, the ball's centres at their mean times, and the mean distance in pixels."""
    spikes = results.spikes[name]
    y, x = np.divmod(spikes.ids % (SIZE * SIZE), SIZE)
    delay = DELAY if name == "layer" else 0.0
    place, at = centroids(spikes.times - delay, x, y, min(results.t_stop, DURATION))
    true = centre(at)
    distance = np.hypot(*(place - true).T)
    return place, true, float(np.mean(distance[~np.isnan(distance)])) if (~np.isnan(distance)).any() else np.nan


def check(results: esn.Results) -> list[esn.Check]:
    """The mean distance of the layer's centroid from the ball's centre, and that it is never lost."""
    if results.t_stop < 2.0 * WINDOW:
        return []
    place, _, error = tracked(results, "layer")
    lost = int(np.isnan(place[:, 0]).sum())
    return [
        esn.Check("mean distance from the ball's centre (pixels)", error, 0.0, 1.5, "required"),
        esn.Check(f"windows of {WINDOW:g} ms without a spike", lost, 0, 0, "the ball always moves"),
    ]


def plot(results: esn.Results) -> Figure:
    """The ball's path with the centroids of the layer's spikes and of all events, and their errors over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 5.4), layout="constrained")
    path, errors = figure.subplots(1, 2, width_ratios=[1.0, 1.25])
    true = centre(np.linspace(0.0, min(results.t_stop, DURATION), 400))
    path.plot(*true.T, color="0.6", linewidth=6.0, alpha=0.6, label="the ball's centre")
    middle = WINDOW * (np.arange(int(min(results.t_stop, DURATION) // WINDOW)) + 0.5)
    for name, label, colour in (
        ("camera", "centroid of all events", "#E69F00"),
        ("layer", "centroid of the layer", "#0072B2"),
    ):
        place, there, error = tracked(results, name)
        path.plot(*place.T, "o", color=colour, markersize=5.0, label=label)
        mean = f": {error:.2f} on average" if error == error else ""
        errors.plot(middle, np.hypot(*(place - there).T), "o-", color=colour, label=f"{label}{mean}")
    path.set(xlim=(0, SIZE - 1), ylim=(SIZE - 1, 0), xlabel="x (pixels)", ylabel="y (pixels)", aspect="equal")
    path.legend(loc="lower center", frameon=False)
    errors.axhline(1.5, color="0.5", linestyle="--", label="1.5 pixels")
    errors.set(
        xlabel="time (ms)", ylabel="distance from the ball's centre (pixels)", ylim=(0.0, 1.35 * errors.get_ylim()[1])
    )
    errors.legend(loc="upper center", frameon=False)
    for panel in (path, errors):
        panel.spines[["top", "right"]].set_visible(False)
    rates = f"{len(results.spikes['camera']):,} events, {len(results.spikes['layer']):,} spikes of the layer"
    found = "finds the ball" if error < 1.5 else "does not find the ball"  # by the layer, the last one drawn
    figure.suptitle(f"Coincidence {found} in noise: {rates}", fontsize="x-large")
    return figure
