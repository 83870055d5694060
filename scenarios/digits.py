"""Handwritten digits as first spikes of a layer

Source: the 8 x 8 images of scikit-learn's digits (E. Alpaydin and C. Kaynak 1998, Optical Recognition of Handwritten
Digits, UCI Machine Learning Repository), coded in latencies as in S. Thorpe, A. Delorme and R. Van Rullen (2001),
Spike-based strategies for rapid processing, Neural Networks 14:715-725.

A pixel of intensity x in (0, 16] sends a spike at window (1 - x / 16); a dark one is silent. It drives the LIF neuron
of its own place, which it lifts over threshold alone, and that neuron's eight neighbours with `blur` of that strength.
So a neuron fires the earlier, the brighter its pixel and the more of the neighbours have spoken before. Without
neighbours it fires delay + tau_m ln(4/3) after its pixel: tau_m = 2 tau_syn and R I = 16/3 of the threshold make the
crossing a quadratic equation with the root exp(-s / tau_m) = 3/4. The image is rebuilt as if no neuron had neighbours:
a first spike at t means 16 (1 - (t - delay - tau_m ln(4/3)) / window), none means 0.

Expected: each rebuilt image correlates with its original at 0.95 or more. No dark pixel's neuron fires (eight
neighbours at once lift it to 12.8 of 15 mV), and pixels beside brighter ones are brightened; without blur the image is
the original.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Images = NDArray[np.float64]

DURATION = 30.0  # ms
SIDE, BRIGHTEST = 8, 16.0
TAU_M, DELAY = 10.0, 1.0  # ms
WEIGHT = 2000.0  # pA: 80 mV times C_m / tau_m, 15 mV being the threshold
LATENCY = DELAY + TAU_M * math.log(4.0 / 3.0)  # ms, from a pixel's spike to its neuron's, without neighbours


def build(images: int = 10, window: float = 20.0, blur: float = 0.08) -> esn.Network:
    """The first `images` digits side by side; `window` is the time (ms) from the brightest to a dark pixel."""
    if not (math.isfinite(window) and window > 0.0):
        raise esn.InputError(f"digits: window = {window!r} ms must be positive")
    intensity = originals(images).ravel()
    spikes = [[window * (1.0 - x / BRIGHTEST)] if x > 0.0 else [] for x in intensity.tolist()]

    net = esn.Network()
    pixels = net.population(len(spikes), esn.SpikeSource(spikes), name="pixels")
    layer = net.population(len(spikes), esn.LIFExp(tau_m=TAU_M, tau_syn_ex=TAU_M / 2.0), name="layer")
    net.connect(pixels, layer, esn.OneToOne(), weight=WEIGHT, delay=DELAY)
    net.connect(pixels, layer, esn.Explicit(*neighbours(images)), weight=blur * WEIGHT, delay=DELAY, name="blur")
    return net


def originals(images: int) -> Images:
    """The first `images` digits, shape (images, 8, 8); InputError without scikit-learn or for more than it has."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise esn.InputError('digits: scikit-learn is not installed; pip install "eventsnn[data]" brings it') from None
    pictures: Images = load_digits().images
    if not 1 <= images <= len(pictures):
        raise esn.InputError(f"digits: images = {images} must be from 1 to {len(pictures)}, all there are")
    return pictures[:images]


def neighbours(images: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixels, and the neurons beside or diagonally beside them, as indices in the two populations."""
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    distance = np.maximum(np.abs(row[:, np.newaxis] - row), np.abs(column[:, np.newaxis] - column))
    pre, post = np.nonzero(distance == 1)
    first = SIDE * SIDE * np.arange(images)[:, np.newaxis]
    return (first + pre).ravel(), (first + post).ravel()


def first_spikes(results: esn.Results) -> Images:
    """Time (ms) of each neuron's first spike, NaN without one, shape (images, 8, 8)."""
    trains = results.spikes["layer"].trains()
    return np.array([train[0] if len(train) else np.nan for train in trains]).reshape(-1, SIDE, SIDE)


def rebuilt(results: esn.Results) -> Images:
    """The images as the first spikes tell them, shape (images, 8, 8)."""
    window = results.summary["scenario"]["parameters"]["window"]
    pictures: Images = BRIGHTEST * (1.0 - (first_spikes(results) - LATENCY) / window)
    return np.nan_to_num(pictures)


def correlations(results: esn.Results) -> NDArray[np.float64]:
    """Pearson correlation of each rebuilt image with its original, shape (images,)."""
    pictures = rebuilt(results)
    pairs = zip(pictures, originals(len(pictures)), strict=True)
    return np.array([np.corrcoef(picture.ravel(), original.ravel())[0, 1] for picture, original in pairs])


def check(results: esn.Results) -> list[esn.Check]:
    """The worst correlation, if the run lasted until the last neuron could fire."""
    if results.t_stop < results.summary["scenario"]["parameters"]["window"] + LATENCY:
        return []
    worst = float(correlations(results).min())
    return [esn.Check("lowest correlation of an image", worst, 1.0, 0.05, "required of a faithful image")]


def plot(results: esn.Results) -> Figure:
    """Originals, first-spike maps and rebuilt images of the first ten digits, one below the other."""
    from matplotlib.figure import Figure

    times, pictures, agreement = first_spikes(results)[:10], rebuilt(results)[:10], correlations(results)[:10]
    shown = len(times)
    latest = results.summary["scenario"]["parameters"]["window"] + LATENCY
    figure = Figure(figsize=(1.6 + 1.15 * shown, 4.4), layout="constrained")
    panels = figure.subplots(3, shown, squeeze=False)
    rows = [
        ("original", originals(shown), {"cmap": "gray", "vmin": 0.0, "vmax": BRIGHTEST}, "intensity"),
        ("first spikes", times, {"cmap": "viridis_r", "vmin": 0.0, "vmax": latest}, "time (ms)"),
        ("rebuilt", pictures, {"cmap": "gray", "vmin": 0.0, "vmax": BRIGHTEST}, "intensity"),
    ]
    for line, (name, values, scale, unit) in zip(panels, rows, strict=True):
        for panel, value in zip(line, values, strict=True):
            mesh = panel.imshow(value, **scale)
            panel.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
        figure.colorbar(mesh, ax=list(line), label=unit, pad=0.01)
    for panel, value in zip(panels[2], agreement, strict=True):
        panel.set_xlabel(f"r = {value:.3f}", fontsize="small")
    return figure
