"""Thirty neurons tell the yin-yang symbol when their delays are learned too (Goeltz et al. 2025)

Source: J. Goeltz, J. Weber, L. Kriener et al. (2025), DelGrad: exact event-based gradients for training delays and
weights on spiking neuromorphic hardware, Nat Commun 16; data and points as in the scenario yin_yang.

As there, a point (x, y) becomes spikes at x, y, 1 - x and 1 - y times 1.85 ms, from 0.15 ms on, and the first of three
output neurons to spike is the answer. Between them are only 30 neurons, with tau_m = 2 ms and tau_syn = 1 ms, each of
which fires at most once for a point. Each synapse has a weight and a delay of its own, and both follow the exact
gradient of -ln softmax(-t / 0.05 ms)[label], where t are the first spikes of the outputs, by Adam in mini-batches of 20
of 5,000 points. All that the source leaves open was chosen by 5,000 points that are in no set here.

Expected: about as many of 1,000 other points are told as by the published network with a delay for each synapse, 98.8
%; by its weights alone, without delays, it is 96.7 %. With ten seeds, 11 to 20, it was 98.65 % (standard deviation
0.31 %).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn import train
from eventsnn.scenarios import _training, yin_yang

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

FIRST, SPAN = 0.15, 1.85  # ms: the earliest input, and the time from it to the latest
END = 6.0  # ms of a sample that training looks at
EVERY = 70.0  # ms from one sample to the next in the ordinary engine: nothing is left of the one before
EPOCHS = 100
LOSS = train.TimeToFirstSpike(tau0=0.05, alpha=0.0)
RATE = 0.01  # of learning at first; it falls to 0 like half a cosine
DURATION = (yin_yang.TEST[0] + yin_yang.SIDE**2) * EVERY


def build(hidden: int = 30, epochs: int = EPOCHS, seed: int = 1) -> esn.Network:
    """hidden: neurons between input and output; epochs: how often all points are learned from; seed: of the first
    weights and delays, and of the order of points."""
    if hidden < 1 or epochs < 1:
        raise esn.InputError(
            f"yin_yang_delays: hidden = {hidden} neurons and epochs = {epochs} must be at least 1; give larger ones"
        )
    rng = np.random.default_rng(seed)
    net = esn.Network(seed=seed)
    # Between END and EVERY, so that a neuron fires at most once for each point, and can again for the next.
    model = esn.LIFExp(
        tau_m=2.0, C_m=1.0, tau_syn_ex=1.0, tau_syn_in=1.0, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=0.5 * EVERY
    )
    source = net.population(4, esn.SpikeSource([], []), name="input")
    middle = net.population(hidden, model, name="hidden")
    output = net.population(3, model, name="output")
    for pre, post, weight, spread in ((source, middle, 1.5, 1.5), (middle, output, 1.0, 1.0)):
        shape = pre.n, post.n
        delay = np.maximum(rng.normal(0.5, 0.15, shape), 0.0)
        net.connect(pre, post, esn.AllToAll(), weight=rng.normal(weight, spread, shape), delay=delay)
    for population in (source, middle, output):
        net.record(population, "spikes")
    return net


def times_of(features: Floats) -> Floats:
    """Spikes of the four inputs for points (n, 2) of the square, ms."""
    times: Floats = FIRST + SPAN * np.c_[features, 1.0 - features]
    return times


def learn(net: esn.Network, epochs: int, seed: int, progress: bool = False) -> train.History:
    """Learn weights and delays from the 5,000 points."""
    features, labels = train.yin_yang(*yin_yang.TRAIN)
    return train.fit(
        net, times_of(features), labels, inputs=net.populations["input"], outputs=net.populations["output"],
        duration=END, loss=LOSS, learn=("weight", "delay"), epochs=epochs, batch_size=20, pull=10.0, seed=seed,
        optimizer=train.Adam(lambda epoch: RATE * math.cos(0.5 * math.pi * epoch / epochs) ** 2), progress=progress,
    )  # fmt: skip


def run(
    net: esn.Network, duration: float, parameters: dict[str, Any], training: bool = False, **options: Any
) -> dict[str, Any]:
    """Learn, then show the points held out and the square; a run that goes on goes on showing them."""

    def learned() -> train.History:
        return learn(net, parameters["epochs"], parameters["seed"], training)

    times = times_of(yin_yang.shown())
    live: dict[str, Any] = _training.learn_and_show(net, duration, learned, times, END, EVERY, **options)
    return live


def check(results: esn.Results) -> list[esn.Check]:
    """How many points held out are told, by a network of the published size that has learned long enough."""
    given = results.summary["scenario"]["parameters"]
    if given["hidden"] < 30 or given["epochs"] < EPOCHS:
        return []
    checks: list[esn.Check] = yin_yang.checks(results, EVERY, END, 0.988, "Goeltz et al. 2025: 98.8 %")
    return checks


def plot(results: esn.Results) -> Figure:
    """The answers over the square with all errors, the learning curve, and the spikes of three points."""
    given = results.summary["scenario"]["parameters"]
    about = f"{given['hidden']} hidden neurons, weights and delays learned, seed {given['seed']}"
    figure: Figure = yin_yang.picture(results, EVERY, END, about)
    return figure
