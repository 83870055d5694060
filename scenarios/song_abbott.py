"""Inputs that compete for a neuron's spikes: weights that end at either bound (Song, Miller & Abbott 2000)

Source: S. Song, K. D. Miller & L. F. Abbott (2000), Competitive Hebbian learning through spike-timing-dependent
synaptic plasticity, Nat Neurosci 3:919-926, figure 2. One integrate-and-fire neuron: tau_m = 20 ms, rest -70, threshold
-54, reset -60 mV, no refractory period. Its conductances, in units of the leak's, decay with 5 ms: 1,000 excitatory
inputs, reversal 0 mV, of at most 0.015, and 200 inhibitory ones at 10 Hz, reversal -70 mV, of 0.05. All inputs are
independent Poisson processes. Plasticity is additive and all-to-all, A+ = 0.005, A- = 1.05 A+, both with 20 ms. There
are three such neurons, with excitatory inputs at 10, 20 and 40 Hz, and synapses that are at full strength at first.

Potentiation and depression sit where the postsynaptic spike is fired: the 1 ms of delay is the axon's, so that a spike
meets its synapse and its neuron at once, as in the paper, which has no delays; what Poisson inputs sent a millisecond
ago is no other process. With a delay of the dendrite instead, an input would be seen to come earlier before the spike
that it caused than it did, by twice this delay, and would gain less.

Expected: the neurons fire at more than 100 Hz at first, driven by the mean of the input and regularly. Inputs then lose
strength until it takes their fluctuations to fire the neuron: irregularly, at 10 to 14 Hz, whatever the input's rate.
Only inputs that come shortly before spikes gain. In the end weights are near 0 or near the top, fewer near the top the
faster inputs are. OUTCOMES are means and standard deviations of 32 runs of another program on a grid of 0.005 ms; 5
of these are allowed. On a grid of 0.1 ms that program fires a fifth less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

DURATION = 1_000_000.0  # ms
G_LEAK = 10.0  # nS
WEIGHT_INH, W_MAX = 0.05 * G_LEAK, 0.015 * G_LEAK  # nS
DELAY, EVERY = 1.0, 10_000.0  # ms: the axon, between samples of the weights
N_EXC, N_INH, RATE_INH = 1_000, 200, 10.0  # Hz
EDGE = 0.1  # of the largest weight: what is near a bound
STANDARD_DEVIATIONS = 5.0
COLOURS = ("#0072B2", "#D55E00", "#009E73")


class Outcome(NamedTuple):
    """Mean and standard deviation, by the rate (Hz) of the inputs.

    weak, strong: shares of weights near 0 and near the top at the end. rate (Hz), cv: of the last quarter.
    """

    weak: tuple[float, float]
    strong: tuple[float, float]
    rate: tuple[float, float]
    cv: tuple[float, float]


OUTCOMES = {
    10.0: Outcome(weak=(0.209, 0.0077), strong=(0.297, 0.0112), rate=(12.44, 0.50), cv=(0.812, 0.0150)),
    20.0: Outcome(weak=(0.570, 0.0104), strong=(0.149, 0.0057), rate=(10.67, 0.50), cv=(0.826, 0.0175)),
    40.0: Outcome(weak=(0.763, 0.0083), strong=(0.075, 0.0034), rate=(13.71, 0.85), cv=(0.789, 0.0145)),
}


def build(a_plus: float = 0.005, ratio: float = 1.05, seed: int = 1) -> esn.Network:
    """a_plus: what one pair of spikes can add, a part of the largest weight; ratio: A- / A+."""
    rule = esn.STDP(tau_plus=20.0, tau_minus=20.0, lambda_=a_plus, alpha=ratio, mu_plus=0.0, mu_minus=0.0, w_max=W_MAX)
    lif = esn.LIFCondExp(
        C_m=20.0 * G_LEAK,
        g_L=G_LEAK,
        E_L=-70.0,
        V_th=-54.0,
        V_reset=-60.0,
        t_ref=0.0,
        E_ex=0.0,
        E_in=-70.0,
        tau_syn_ex=5.0,
        tau_syn_in=5.0,
    )
    net = esn.Network(seed=seed)
    neurons = net.population(len(OUTCOMES), lif, name="neurons")
    # Poisson processes that go to one neuron with one weight are one process of the sum of their rates.
    net.stimulate(neurons, esn.Poisson(rate=N_INH * RATE_INH), weight=-WEIGHT_INH, name="inhibition")
    for neuron, rate in zip(neurons, OUTCOMES, strict=True):
        inputs = net.population(N_EXC, esn.Poisson(rate=rate), name=f"inputs at {rate:g} Hz")
        name = f"synapses at {rate:g} Hz"
        synapses = net.connect(inputs, neuron, esn.AllToAll(), weight=W_MAX, delay=DELAY, plasticity=rule, name=name)
        net.record(synapses, "weight", every=EVERY)
    net.record(neurons, "spikes")  # of the inputs there are 70,000 a second
    return net


def weights(results: esn.Results, rate: float) -> Floats:
    """Those of the synapses whose inputs have this rate, parts of the largest, by synapse and sample."""
    shares: Floats = results.traces[f"synapses at {rate:g} Hz"].weight / W_MAX
    return shares


def firing(train: Floats, start: float, stop: float) -> tuple[float, float]:
    """The rate (Hz) from start to stop, and the coefficient of variation of the intervals, nan if there are too few."""
    intervals = np.diff(train[(train >= start) & (train < stop)])
    rate = 1000.0 * np.count_nonzero((train >= start) & (train < stop)) / (stop - start)
    return rate, float(intervals.std() / intervals.mean()) if intervals.size > 2 else np.nan


def check(results: esn.Results) -> list[esn.Check]:
    """Shares of weights near both bounds, rate and irregularity, for a whole run with the published parameters."""
    given = results.summary["scenario"]["parameters"]
    if (given["a_plus"], given["ratio"]) != (0.005, 1.05) or results.t_stop < DURATION:
        return []
    checks = []
    source = "another program, grid of 0.005 ms"
    for (rate, outcome), train in zip(OUTCOMES.items(), results.spikes["neurons"].trains(), strict=True):
        last = weights(results, rate)[:, -1]
        spikes, cv = firing(train, 0.75 * results.t_stop, results.t_stop)
        measured = (float(np.mean(last < EDGE)), float(np.mean(last > 1.0 - EDGE)), spikes, cv)
        names = ("weights near 0", "weights near the top", "firing rate (Hz)", "variation of intervals")
        for name, value, (mean, deviation) in zip(names, measured, outcome, strict=True):
            tolerance = STANDARD_DEVIATIONS * deviation
            checks.append(esn.Check(f"{name}, inputs at {rate:g} Hz", value, mean, tolerance, source))
    return checks


def plot(results: esn.Results) -> Figure:
    """The weights at the end; beneath, how those at 20 Hz came there, and rates and irregularity on the way."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.0, 7.5), layout="constrained")
    panels = figure.subplots(2, 3)
    for panel, rate, train, colour in zip(
        panels[0], OUTCOMES, results.spikes["neurons"].trains(), COLOURS, strict=True
    ):
        _histogram(panel, results, rate, train, colour)
    panels[0, 0].set_ylabel("synapses")
    _course(panels[1, 0], results, 20.0)
    _firing(panels[1, 1], panels[1, 2], results)
    for panel in figure.axes:
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def _histogram(panel: Axes, results: esn.Results, rate: float, train: Floats, colour: str) -> None:
    last = weights(results, rate)[:, -1]
    panel.hist(last, bins=20, range=(0.0, 1.0), color=colour)
    spikes, cv = firing(train, 0.75 * results.t_stop, results.t_stop)
    panel.margins(y=0.15)
    panel.set(xlabel="weight / largest weight", xlim=(0.0, 1.0))
    for x, side, share, text in (
        (0.02, "left", np.mean(last < EDGE), f"< {EDGE:g}"),
        (0.98, "right", np.mean(last > 1.0 - EDGE), f"> {1.0 - EDGE:g}"),
    ):
        panel.text(x, 0.93, f"{100.0 * share:.0f} % {text}", ha=side, transform=panel.transAxes, color="0.25")
    panel.set_title(f"inputs at {rate:g} Hz: fires at {spikes:.1f} Hz, CV {cv:.2f}", loc="left", fontsize="medium")


def _course(panel: Axes, results: esn.Results, rate: float) -> None:
    """How many weights are where at each time, as a grey value."""
    sampled = weights(results, rate)
    counts = np.stack([np.histogram(column, bins=25, range=(0.0, 1.0))[0] for column in sampled.T], axis=1)
    until = results.t_stop / 1000.0
    panel.imshow(np.log1p(counts), origin="lower", aspect="auto", extent=(0.0, until, 0.0, 1.0), cmap="Oranges")
    panel.set(xlabel="time (s)", ylabel="weight / largest weight")
    panel.set_title(f"weights of inputs at {rate:g} Hz, darker where there are more", loc="left", fontsize="medium")


def _firing(rates: Axes, variations: Axes, results: esn.Results) -> None:
    edges = np.linspace(0.0, results.t_stop, 51)
    middles = (edges[1:] + edges[:-1]) / 2000.0  # s
    for rate, train, colour in zip(OUTCOMES, results.spikes["neurons"].trains(), COLOURS, strict=True):
        found = np.array([firing(train, start, stop) for start, stop in zip(edges[:-1], edges[1:], strict=True)])
        rates.plot(middles, np.where(found[:, 0] > 0.0, found[:, 0], np.nan), color=colour, linewidth=1.6)
        variations.plot(middles, found[:, 1], color=colour, linewidth=1.6, label=f"inputs at {rate:g} Hz")
    rates.set_yscale("log")
    rates.yaxis.set_major_formatter("{x:g}")
    rates.set(xlabel="time (s)", ylabel="firing rate (Hz)")
    variations.axhline(1.0, color="0.5", linewidth=0.8, linestyle="--", label="Poisson process")
    variations.set(xlabel="time (s)", ylabel="CV of intervals", ylim=(0.0, 1.2))
    variations.legend(frameon=False, loc="lower right")
