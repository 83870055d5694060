"""What scenarios that train a network have in common: samples shown one after the other, what training took, pictures.

Such a scenario trains its network in `run`, then shows it samples in the ordinary engine, which knows nothing of
gradients. What it measured while it trained, `measured`, is in results.summary["live"].
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import eventsnn as esn
from eventsnn import train

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

    from eventsnn.train import History

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def present(net: esn.Network, source: esn.Population, times: ArrayLike, every: float) -> None:
    """Let a SpikeSource show samples one after the other, from now on, when the network next runs.

    times: (samples, inputs), ms from the beginning of a sample, NaN or infinite for no spike. every: ms a sample, long
    enough for refractoriness to end and for currents and potentials to decay.
    """
    given = np.asarray(times, dtype=np.float64)
    sample, neuron = np.nonzero(np.isfinite(given))
    source.set(times=net.time + sample * every + given[sample, neuron], ids=neuron)


def first_spikes(results: esn.Results, name: str, n: int, every: float, end: float = np.inf) -> Floats:
    """When the neurons of a population first spiked in each of the last n samples of a run, shape (n, neurons).

    ms from the beginning of each sample, infinite for neurons that were silent before `end`; as many samples as were
    shown to their end, if these are fewer.
    """
    n = min(n, int(results.t_stop // every))
    if not n or results.t_stop - results.t_start < every:
        return np.empty((0, results.spikes[name].n))
    first = results.by_sample(every)[name].first()[-n:]
    return np.where(first < end, first, np.inf)


def learn_and_show(
    net: esn.Network,
    duration: float,
    learn: Callable[[], History],
    times: Floats,
    end: float,
    every: float,
    **options: Any,
) -> dict[str, Any]:
    """Let a network learn, then show it samples; a run that goes on goes on showing them.

    Returns what training took, and "apart", how far the first spikes of the population "output" up to `end` are from
    those that training sees (ms).
    """  # fmt: skip
    if net.time > 0.0:
        net.run(duration, **options)
        return {}
    began = time.perf_counter()
    history = learn()
    live = measured(history, time.perf_counter() - began)
    source = net.populations["input"]
    model = train.Trainable(net, source, net.populations["output"], end)
    parts = np.array_split(times, -(-len(times) // 64))
    there = np.concatenate([model.forward(part, all_spikes=False).first for part in parts])
    present(net, source, times, every)
    here = first_spikes(net.run(duration, **options), "output", len(times), every, end)
    there = there[: len(here)]
    # JSON knows no infinity: `end` says that the spike is there for one of both only.
    with np.errstate(invalid="ignore"):
        apart = np.where(here == there, 0.0, np.minimum(np.abs(here - there), end))
    return live | {"apart": float(apart.max(initial=0.0))}


def labels(first: Floats) -> Ints:
    """The neuron that spiked first in each sample, shape (samples,); -1 where all were silent."""
    return np.where(np.isinf(first).all(axis=1), -1, first.argmin(axis=1))


def measured(history: History, seconds: float) -> dict[str, Any]:
    """What training took: epochs, seconds, and by epoch the loss and, if there are labels, the errors (shares)."""
    live: dict[str, Any] = {"epochs": len(history), "seconds": seconds}
    live["loss"] = history.loss.tolist()
    for name, loss, accuracy in (
        ("errors", history.loss, history.accuracy),
        ("validation_errors", history.validation_loss, history.validation_accuracy),
    ):
        if name != "errors" and np.isfinite(loss).any():
            live["validation_loss"] = loss.tolist()
        if np.isfinite(accuracy).any():
            live[name] = (1.0 - accuracy).tolist()
    return live


def curve(axes: Axes, live: Mapping[str, Any]) -> None:
    """The learning curve, from what `measured` has kept of it, and how long learning took."""
    from eventsnn.train.plot import learning_curve

    names = ("validation_loss", "errors", "validation_errors")
    learning_curve(axes, live["loss"], *(live.get(name) for name in names))
    axes.set_title(f"Learning ({live['seconds']:.3g} s)")


def raster(
    axes: Axes, results: esn.Results, names: Sequence[str], sample: int, every: float, until: float, dots: float = 4.0
) -> None:
    """Spikes of some populations, one above the other, in one sample of a run: those up to `until` (ms)."""
    shown = results.by_sample(every)
    base, ticks = 0, []
    for k, name in enumerate(names):
        n, trains = results.spikes[name].n, shown[name][sample : sample + 1]
        axes.plot(trains.times, base + trains.ids, "o", color=COLOURS[k % len(COLOURS)], markersize=dots, mew=0.0)
        ticks.append(base + 0.5 * (n - 1))
        base += n
        if k < len(names) - 1:
            axes.axhline(base - 0.5, color="0.8", linewidth=0.8)
    axes.set(xlim=(-0.01 * until, until), ylim=(-0.5, base - 0.5), xlabel="time (ms)")
    axes.set_yticks(ticks, names)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right"]].set_visible(False)
