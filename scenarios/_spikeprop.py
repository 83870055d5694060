"""What the scenarios of SpikeProp have in common: its neurons and synapses, and tables that are learned from.

Source: S. Bohte, J. Kok and H. La Poutre (2002), Error-backpropagation in temporally encoded networks of spiking
neurons, Neurocomputing 48:17-37.

An input of weight w raises V by w (s / tau) exp(1 - s / tau) from s = 0 on, up to w at s = tau. Here it is the solution
of tau V' = -V + e I, tau I' = -I, so that C_m = tau / e (pF, with weights in pA) and both time constants are tau.
Every pair of neurons has 16 synapses, with delays of 1, 2, ... 16 ms, and every neuron fires once in a sample.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn
from eventsnn import encode, train
from eventsnn.scenarios import _training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from eventsnn.describe.parts import Neurons

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TAU = 7.0  # ms
DELAYS = np.arange(1.0, 17.0)  # ms
T_REF = 200.0  # ms, longer than any sample
EVERY = 500.0  # ms from one sample to the next in the ordinary engine: 40 tau after a neuron is released


def neuron() -> esn.LIFExp:
    """A neuron whose potential is that of SpikeProp until it fires: threshold 1, one spike a sample."""
    return esn.LIFExp(
        tau_m=TAU, C_m=TAU / math.e, tau_syn_ex=TAU, tau_syn_in=TAU, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=T_REF
    )


def connect(net: esn.Network, pre: Neurons, post: Neurons, weight: esn.Uniform, name: str) -> None:
    """16 synapses from each neuron to each."""
    i = np.arange(len(pre) * len(post) * DELAYS.size)
    pair, k = i // DELAYS.size, i % DELAYS.size
    net.connect(pre, post, esn.Explicit(pair // len(post), pair % len(post)), weight=weight, delay=DELAYS[k], name=name)


# ---- tables: features of samples, and their labels


class Table(NamedTuple):
    """Samples with their labels, and how features become spikes.

    Each feature is seen by `fields` Gaussian receptive fields over the range that it has in the samples learned from,
    and `bias` are the times (ms) of inputs that always spike.
    """

    features: Floats  # (samples, features)
    labels: Ints
    names: tuple[str, ...]  # of classes
    fields: int
    bias: tuple[float, ...]


class Plan(NamedTuple):
    """How a table is learned: sizes, seeds, and what the optimizer does."""

    hidden: int
    epochs: int
    folds: int
    repeats: int
    seed: int
    first: esn.Uniform  # weights of hidden and output neurons
    second: esn.Uniform
    learning_rate: float
    batch_size: int


WITHIN = 10.0  # ms, in which inputs spike
END = 40.0  # ms, of a sample
EARLY, LATE = 10.0, 16.0  # ms, when the output neuron of the right class shall fire, and the others
SHOWN = 20.0  # ms of a sample in pictures: nothing happens later


def network(table: Table, plan: Plan, seed: int) -> esn.Network:
    """A network that has learned nothing."""
    inputs = table.features.shape[1] * table.fields + len(table.bias)
    net = esn.Network(seed=seed)
    source = net.population(inputs, esn.SpikeSource([], []), name="input")
    hidden = net.population(plan.hidden, neuron(), name="hidden")
    output = net.population(len(table.names), neuron(), name="output")
    connect(net, source, hidden, plan.first, "first")
    connect(net, hidden, output, plan.second, "second")
    for population in (source, hidden, output):
        net.record(population, "spikes")
    return net


def parts(labels: Ints, folds: int, seed: int) -> Ints:
    """The part of each sample, from 0 to folds - 1: parts of equal size, with the same share of each class."""
    rng = np.random.default_rng(seed)
    part, n = np.empty(labels.size, dtype=np.int64), 0
    for label in np.unique(labels):
        mine = rng.permutation(np.flatnonzero(labels == label))
        part[mine] = (n + np.arange(mine.size)) % folds
        n += mine.size
    return part


def inputs_of(table: Table, learned: NDArray[np.bool_]) -> Floats:
    """Spikes (samples, inputs) of all samples, ms, NaN for none; ranges are those of the samples learned from."""
    low, high = table.features[learned].min(axis=0), table.features[learned].max(axis=0)
    code = encode.Population(0.0, 1.0, m=table.fields, beta=1.5, duration=WITHIN)
    times = code.encode((table.features - low) / np.where(high > low, high - low, 1.0), clip=True).first()
    bias = np.tile(table.bias, (len(times), 1))
    return np.hstack([times.reshape(len(times), -1), bias])


def learn(
    net: esn.Network, table: Table, plan: Plan, learned: NDArray[np.bool_], seed: int, progress: bool = False
) -> tuple[train.Trainable, train.History]:
    """Let a network learn a part of the samples."""
    model = train.Trainable(net, net.populations["input"], net.populations["output"], END)
    targets = np.where(np.arange(len(table.names)) == table.labels[:, np.newaxis], EARLY, LATE)
    history = train.fit(
        model, inputs_of(table, learned)[learned], targets[learned], loss=train.SpikeTime(),
        optimizer=train.Adam(plan.learning_rate), epochs=plan.epochs, batch_size=plan.batch_size,
        pull=10.0, seed=seed, progress=progress,
    )  # fmt: skip
    return model, history


def require(name: str, table: Table, hidden: int, epochs: int, folds: int, repeats: int) -> None:
    """InputError for parameters of a scenario that are out of range."""
    for what, value in (("hidden", hidden), ("epochs", epochs), ("repeats", repeats)):
        if value < 1:
            raise esn.InputError(f"{name}: {what} = {value} must be at least 1")
    least = int(np.bincount(table.labels).min())
    if not 2 <= folds <= least:
        raise esn.InputError(
            f"{name}: folds = {folds} must lie in 2 to {least}, the samples of the smallest class, so that each part "
            "has one"
        )


def cross_validate(
    net: esn.Network, table: Table, plan: Plan, duration: float, training: bool, **options: Any
) -> dict[str, Any]:
    """Learn all but one part of the samples and ask for that one, for each part and each repeat.

    The first of these networks is `net`, which then is shown its samples held out in the ordinary engine.
    """
    began, curves = time.perf_counter(), []
    shares: dict[str, list[float]] = {"train": [], "test": []}
    for repeat in range(plan.repeats):
        seed = plan.seed + repeat
        part, right = parts(table.labels, plan.folds, seed), {"train": 0, "test": 0}
        for fold in range(plan.folds):
            is_net = repeat == fold == 0
            learned = part != fold
            model, history = learn(
                net if is_net else network(table, plan, seed), table, plan, learned, seed, progress=training and is_net
            )
            told = train.predict(model, inputs_of(table, learned), train.SpikeTime()) == table.labels
            right["train"] += int(np.count_nonzero(told & learned))
            right["test"] += int(np.count_nonzero(told & ~learned))
            curves.append(history.loss)
            if is_net:
                live: dict[str, Any] = _training.measured(history, time.perf_counter() - began)
                first = model.forward(inputs_of(table, learned)[~learned], all_spikes=False).first
        shares["test"].append(right["test"] / table.labels.size)
        shares["train"].append(right["train"] / table.labels.size / (plan.folds - 1))
    live |= {"seconds": time.perf_counter() - began, "loss": np.mean(curves, axis=0).tolist()}
    live |= {"train_accuracy": shares["train"], "test_accuracy": shares["test"]}
    live["first"] = np.where(np.isinf(first), -1.0, first).tolist()  # ms, -1 for silence
    learned = parts(table.labels, plan.folds, plan.seed) != 0
    _training.present(net, net.populations["input"], inputs_of(table, learned)[~learned], EVERY)
    net.run(duration, **options)
    return live


def shown(results: esn.Results, first: Sequence[Sequence[float]]) -> tuple[Floats, Floats]:
    """First spikes of the output at samples held out, as the ordinary engine and as training knows them."""
    here = _training.first_spikes(results, "output", int(results.t_stop // EVERY), EVERY)[: len(first)]
    there = np.array(first, dtype=np.float64)[: len(here)]
    return here, np.where(there < 0.0, np.inf, there)


def check(results: esn.Results, published: float, tolerance: float, epochs: int) -> list[esn.Check]:
    """The spikes of the ordinary engine beside those of training, and after so many epochs accuracy beside the
    published one."""
    live = results.summary["live"]
    if not live:
        return []
    here, there = shown(results, live["first"])
    if not len(here):
        return []
    apart = float(np.abs(np.nan_to_num(here - there, nan=0.0)).max())
    same = float(np.mean(_training.labels(here) == _training.labels(there)))
    checks = [
        esn.Check("labels are those of training (share of samples)", same, 1.0, 0.0, "both are exact"),
        esn.Check("first spikes are those of training (ms)", apart, 0.0, 1e-9, "both are exact"),
    ]
    given = results.summary["scenario"]["parameters"]
    if given["folds"] == 10 and given["epochs"] >= epochs:
        measured = float(np.mean(live["test_accuracy"]))
        source = f"Bohte et al. 2002: {published:.1%}"
        checks.append(esn.Check("samples held out that are told (share)", measured, published, tolerance, source))
    return checks


def plot(results: esn.Results, table: Table, title: str) -> Figure:
    """The learning curve, when outputs fire at samples held out, and the spikes of one sample of each class."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.0, 7.5), layout="constrained")
    live = results.summary["live"]
    here, _ = shown(results, live["first"]) if live else (np.empty((0, len(table.names))), None)
    if not len(here):
        figure = Figure(figsize=(6.0, 2.0))
        figure.text(0.5, 0.5, f"no sample was shown for {EVERY:g} ms", ha="center", va="center")
        return figure
    given = results.summary["scenario"]["parameters"]
    labels = table.labels[parts(table.labels, given["folds"], given["seed"]) == 0][: len(here)]
    grid = figure.add_gridspec(2, 1, height_ratios=[1.0, 1.25])
    above = figure.add_subfigure(grid[0])
    left, right = above.subplots(1, 2)
    _training.curve(left, live)
    _draw_first(right, here, labels, table.names)
    samples = [int(np.argmax(labels == k)) for k in range(len(table.names)) if (labels == k).any()]
    panels = figure.add_subfigure(grid[1]).subplots(1, len(samples), sharey=True, squeeze=False)[0]
    for panel, sample in zip(panels, samples, strict=True):
        _training.raster(panel, results, ("input", "hidden", "output"), sample, EVERY, SHOWN)
        panel.set_title(table.names[labels[sample]])
    test, learned = live["test_accuracy"], live["train_accuracy"]
    times = f", {len(test)} times" if len(test) > 1 else ""
    figure.suptitle(
        f"{title}: {np.mean(test):.1%} of the samples held out are told ({given['folds']}-fold{times}), "
        f"{np.mean(learned):.1%} of those learned from",
        fontsize="x-large",
    )
    return figure


def _draw_first(panel: Axes, first: Floats, labels: Ints, names: Sequence[str]) -> None:
    """When each output neuron first fired, sample by sample, in the order of classes."""
    order = np.argsort(labels, kind="stable")
    for k, name in enumerate(names):
        panel.plot(first[order, k], "o", color=_training.COLOURS[k], markersize=4.0, label=name)
    for edge in np.flatnonzero(np.diff(labels[order])):
        panel.axvline(edge + 0.5, color="0.7", linewidth=0.8)
    for k, name in enumerate(names):
        if (labels == k).any():
            panel.text(np.flatnonzero(labels[order] == k).mean(), 0.98, name, color=_training.COLOURS[k], va="top",
                       ha="center", transform=panel.get_xaxis_transform())  # fmt: skip
    panel.set(xlabel="samples held out of the first network, by class", ylabel="first spike (ms)")
    panel.margins(y=0.2)
    panel.set_title("When the output neuron of each class fires")
    panel.spines[["top", "right"]].set_visible(False)
