"""The window of spike-timing-dependent plasticity, by 60 pairs of spikes a synapse (Bi & Poo 1998)

Source: G. Bi & M. Poo (1998), Synaptic modifications in cultured hippocampal neurons, J Neurosci 18:10464-10472, figure
7: a presynaptic and a postsynaptic spike come delta t apart, 60 times at 1 Hz, and the synapse is stronger afterwards
where the presynaptic one was first. The two exponentials through the data are those of G. Bi & H. Wang (2002), Physiol
Behav 77:551-555: +77.7 % and 16.8 ms, -27.3 % and 33.7 ms.

One synapse for each of 401 delta t from -100 to 100 ms, with a neuron of its own that a strong input fires when it
shall. Delta t is what the synapse sees: the presynaptic spike after the delay of the axon, 1 ms, and the postsynaptic
one at once, since there is no dendrite. The input that fires the neuron takes 1 ms too, so that what is given is what
is seen. Where both come at one time, neither sees the other and nothing changes.

Expected: the rule is additive, so that the change after n pairs is the sum of the window over all n^2 pairs of spikes,
of neighbours too (they add less than 1e-11), to 1e-12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

PAIRS = 60
PERIOD = 1000.0  # ms
FIRST = 200.0  # ms, when the first presynaptic spike is sent
DELAY = 1.0  # ms
DURATION = PAIRS * PERIOD + 1.0  # ms; samples are before the end
DELTAS = np.linspace(-100.0, 100.0, 401)  # ms
WEIGHT, W_MAX = 1.0, 10.0  # mV; what is measured is a part of WEIGHT

POTENTIATION, DEPRESSION = "#0072B2", "#D55E00"
SHOWN = (5.0, 10.0, 20.0, 40.0)  # ms, of the weights that are followed over the pairs


def build(
    a_plus: float = 0.777, a_minus: float = 0.273, tau_plus: float = 16.8, tau_minus: float = 33.7
) -> esn.Network:
    """Amplitudes: what 60 pairs change at delta t = 0, a part of the weight; time constants (ms) of the window."""
    if not (0.0 < a_plus < W_MAX - WEIGHT and 0.0 <= a_minus < WEIGHT):
        raise esn.InputError(
            f"stdp_window: a_plus = {a_plus:g} must lie between 0 and {W_MAX - WEIGHT:g}, a_minus = {a_minus:g} "
            f"between 0 and {WEIGHT:g}, so that no weight comes to a bound"
        )
    rule = esn.STDP(
        tau_plus=tau_plus,
        tau_minus=tau_minus,
        lambda_=a_plus / PAIRS / W_MAX,
        alpha=a_minus / a_plus,
        mu_plus=0.0,
        mu_minus=0.0,
        w_max=W_MAX,
    )
    pre: Floats = FIRST + PERIOD * np.arange(PAIRS, dtype=np.float64)
    net = esn.Network()
    inputs = net.population(DELTAS.size, esn.SpikeSource(pre), name="presynaptic")
    teacher = net.population(DELTAS.size, esn.SpikeSource([pre + delta for delta in DELTAS]), name="teacher")
    neurons = net.population(DELTAS.size, esn.LIFDelta(), name="postsynaptic")
    net.connect(teacher, neurons, esn.OneToOne(), weight=100.0, delay=DELAY)
    synapses = net.connect(
        inputs, neurons, esn.OneToOne(), weight=WEIGHT, delay=DELAY, plasticity=rule, name="synapses"
    )
    net.record(synapses, "weight", every=PERIOD)
    return net


def window(delta: Floats, given: dict[str, Any]) -> Floats:
    """What one pair changes, as a part of the weight, where the postsynaptic spike comes `delta` ms later."""
    grown = given["a_plus"] * np.exp(-np.abs(delta) / given["tau_plus"])
    shrunk = given["a_minus"] * np.exp(-np.abs(delta) / given["tau_minus"])
    changes: Floats = np.where(delta > 0.0, grown, np.where(delta < 0.0, -shrunk, 0.0)) / PAIRS
    return changes


def expected(pairs: int, given: dict[str, Any]) -> Floats:
    """The change of each synapse after so many pairs: each spike meets all of the other side."""
    lags = np.arange(1 - pairs, pairs)
    times_met = pairs - np.abs(lags)
    changes: Floats = window(DELTAS[:, None] + PERIOD * lags, given) @ times_met
    return changes


def measured(results: esn.Results) -> tuple[int, Floats]:
    """How many pairs there were before the last sample, and what they changed."""
    sampled = results.traces["synapses"]
    return round(sampled.times[-1] / PERIOD), sampled.weight[:, -1] / WEIGHT - 1.0


def check(results: esn.Results) -> list[esn.Check]:
    """The window against the curve, as far as the run goes."""
    pairs, changes = measured(results)
    if pairs == 0:
        return []
    errors = np.abs(changes - expected(pairs, results.summary["scenario"]["parameters"]))
    source = "sum of two exponentials over all pairs of spikes"
    return [esn.Check("largest error of a weight's change", float(errors.max()), 0.0, 1e-12, source)]


def plot(results: esn.Results) -> Figure:
    """Change against delta t over the curve, and beside it how some of the weights got there."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.6, 1.0])
    _window(left, results)
    _course(right, results)
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def _window(panel: Axes, results: esn.Results) -> None:
    given = results.summary["scenario"]["parameters"]
    pairs, changes = measured(results)
    panel.axhline(0.0, color="0.6", linewidth=0.8)
    panel.axvline(0.0, color="0.6", linewidth=0.8)
    for sign, colour, text in ((1.0, POTENTIATION, "pre before post"), (-1.0, DEPRESSION, "post before pre")):
        here = (sign * DELTAS > 0.0) & (DELTAS % 2.0 == 0.0)
        panel.plot(DELTAS[here], 100.0 * changes[here], "o", color=colour, markersize=5.0, label=text)
        curve = sign * np.linspace(1e-6, np.abs(DELTAS).max(), 1_000)
        panel.plot(curve, 100.0 * pairs * window(curve, given), color="black", linewidth=1.2, zorder=3)
    panel.lines[-1].set_label("two exponentials")
    panel.set(xlabel="postsynaptic minus presynaptic spike at the synapse (ms)", xlim=(-103.0, 103.0))
    panel.set_ylabel(f"change of the weight by {pairs} pairs (%)")
    panel.legend(frameon=False, loc="upper left")
    if pairs:
        error = np.abs(changes - expected(pairs, given)).max()
        panel.set_title(f"{DELTAS.size} synapses, none more than {error:.0e} off the curve", fontsize="medium")


def _course(panel: Axes, results: esn.Results) -> None:
    sampled = results.traces["synapses"]
    for sign, colour in ((1.0, POTENTIATION), (-1.0, DEPRESSION)):
        for delta in SHOWN:
            weight = sampled.weight[np.flatnonzero(sign * delta == DELTAS)[0]]
            panel.step(sampled.times / PERIOD, weight / WEIGHT, where="post", color=colour, linewidth=1.4)
            panel.annotate(
                f"{sign * delta:+g} ms",
                (sampled.times[-1] / PERIOD, weight[-1] / WEIGHT),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=colour,
            )
    panel.set(xlabel="pairs, one a second", ylabel="weight / weight at the beginning")
    panel.set_xlim(0.0, 1.14 * max(sampled.times[-1] / PERIOD, 1.0))
    panel.set_title("on the way there, some of them", fontsize="medium")
