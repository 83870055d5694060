"""Inhibition that learns to balance excitation (Vogels et al. 2011)

Source: T. P. Vogels, H. Sprekeler, F. Zenke, C. Clopath and W. Gerstner (2011), Inhibitory plasticity balances
excitation and inhibition in sensory pathways and memory networks, Science 334:1569-1573, figure 4, and two programs of
its authors: sim_isp_orig of Auryn, with synapses of 3 and 30 nS from excitatory and between inhibitory neurons, and an
example of Brian, with 0.3 and 3 nS. Neurons are leaky integrate-and-fire with conductances and a background current of
200 pA; 2 % of all pairs of 10,000 are connected. Synapses from inhibitory to excitatory neurons begin at 0. The rule
raises them where both sides fire together and lowers them at each presynaptic spike: they rest where the excitatory
neurons fire at rho0.

Every neuron has as many inputs as in the published network, 160 and 40 on average. The default has 2,000 neurons, that
is 10 % of all pairs, and learns ten times as fast, so that seconds do in place of minutes; the published network is
`--set n=10000 --set eta=0.01 --set w_exc=3 --set w_inh=30`. Half of the delay of 0.8 ms is dendritic. Weights are 0.4
and 2 nS: with 0.3 and 3 nS the rate comes to rest at 5.8 Hz, with 3 and 30 nS it stays at 7 Hz for long, or comes to
rho0 in a network that fires in waves. For the rule takes the spikes of both sides to be independent, while a strong
synapse keeps its target from firing after its own spikes, and so leaves out the pairs that it waits for.

Expected: without inhibition all excitatory neurons fire at 160 Hz, together and like clocks. Within a second their rate
falls to rho0 and stays within 10 % of it, in an asynchronous irregular state: 5.1 to 5.4 Hz, a coefficient of variation
of 0.77 to 0.80 and a correlation of 0.01 to 0.03 with seeds 1 to 3. A program apart from this, in steps of 0.1 ms,
gives 5.2 Hz, 0.78 and 0.02.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

DURATION = 10_000.0  # ms
SETTLED = 5_000.0  # ms, from when on the state is measured
INPUTS = 200  # of each neuron on average, as in the published network
DELAY = 0.8  # ms
W_MAX = 300.0  # nS
TAU = 20.0  # ms, of the traces
EVERY = 10.0  # ms, between two samples of the weights
SYNAPSES = 1_000  # that are recorded
BIN = 5.0  # ms, in which spikes count as together


def build(
    n: int = 2_000, eta: float = 0.1, rho0: float = 5.0, w_exc: float = 0.4, w_inh: float = 2.0, seed: int = 1
) -> esn.Network:
    """n neurons, a fifth of them inhibitory; eta: nS, the step of learning; rho0: Hz, the rate that is aimed at; w_exc,
    w_inh: nS, weights from excitatory neurons and between inhibitory ones."""
    if n < INPUTS:
        raise esn.InputError(f"inhibitory_balance: n = {n} must be at least {INPUTS}, the inputs of a neuron")
    n_exc = round(0.8 * n)
    net = esn.Network(seed=seed)
    lif = esn.LIFCondExp(
        C_m=200.0, g_L=10.0, E_L=-60.0, V_th=-50.0, V_reset=-60.0, t_ref=5.0, E_ex=0.0, E_in=-80.0, tau_syn_ex=5.0,
        tau_syn_in=10.0, I_e=200.0,
    )  # fmt: skip
    exc = net.population(n_exc, lif, name="exc", V_m=esn.Uniform(-60.0, -50.0))
    inh = net.population(n - n_exc, lif, name="inh", V_m=esn.Uniform(-60.0, -50.0))
    sparse = esn.FixedProbability(INPUTS / n, autapses=False)
    net.connect(exc, [exc, inh], sparse, weight=w_exc, delay=DELAY)
    net.connect(inh, inh, sparse, weight=w_inh, port="in", delay=DELAY)
    rule = esn.VogelsSTDP(tau=TAU, eta=eta, alpha=2.0 * rho0 / 1000.0 * TAU, w_max=W_MAX)
    plastic = net.connect(
        inh, exc, sparse, weight=0.0, port="in", axonal_delay=0.5 * DELAY, dendritic_delay=0.5 * DELAY,
        plasticity=rule, name="plastic",
    )  # fmt: skip
    synapses = len(plastic.synapses().pre)
    net.record(plastic, "weight", every=EVERY, ids=range(0, synapses, max(1, synapses // SYNAPSES)))
    return net


def synchrony(spikes: esn.SpikeTrains) -> float:
    """The mean correlation of two neurons' counts in bins of 5 ms, from how much the count of all of them varies."""
    edges = np.arange(spikes.t_start, spikes.t_stop, BIN)
    counts = np.histogram(spikes.times, edges)[0]
    # Were all independent and Poisson, the variance of the sum would be its mean.
    return float((counts.var() / counts.mean() - 1.0) / (spikes.n - 1)) if counts.any() else np.nan


def mean_cv(spikes: esn.SpikeTrains) -> float:
    """The mean coefficient of variation of the neurons that have one."""
    cv = spikes.cv()
    return float(cv[np.isfinite(cv)].mean()) if np.isfinite(cv).any() else np.nan


def check(results: esn.Results) -> list[esn.Check]:
    """Rate and irregularity once it has settled, and what there was before, for the network that was measured."""
    given = results.summary["scenario"]["parameters"]
    known = {"n": 2_000, "eta": 0.1, "rho0": 5.0, "w_exc": 0.4, "w_inh": 2.0}
    if any(given[name] != value for name, value in known.items()) or results.t_stop < DURATION:
        return []
    exc = results.spikes["exc"]
    late = exc.between(SETTLED, results.t_stop)
    source, measured = "Vogels et al. 2011, figure 4", "steps of 0.1 ms"
    return [
        esn.Check("excitatory rate in the first 20 ms (Hz)", exc.between(0.0, 20.0).rate(), 160.0, 20.0, measured),
        esn.Check("excitatory rate when settled (Hz)", late.rate(), 5.0, 0.5, source),
        esn.Check("coefficient of variation when settled", mean_cv(late), 1.0, 0.3, source),
        esn.Check("correlation of two neurons when settled", synchrony(late), 0.0, 0.05, measured),
    ]


def plot(results: esn.Results) -> Figure:
    """Rates and weights in time, spikes before and after, and how rates and irregularity are spread at the end."""
    from matplotlib.figure import Figure

    if results.t_stop < 20.0 * EVERY:
        figure = Figure(figsize=(6.0, 2.0))
        figure.text(0.5, 0.5, f"{results.t_stop:g} ms are too short for a picture", ha="center", va="center")
        return figure
    figure = Figure(figsize=(14.0, 8.0), layout="constrained")
    grid = figure.add_gridspec(2, 4, height_ratios=[1.0, 1.1])
    _draw_rates(figure.add_subplot(grid[0, :2]), results)
    _draw_weights(figure.add_subplot(grid[0, 2:]), results)
    width = min(200.0, results.t_stop / 2.0)
    _draw_spikes(figure.add_subplot(grid[1, 0]), results, 0.0, width, "At first: no inhibition")
    _draw_spikes(figure.add_subplot(grid[1, 1]), results, results.t_stop - width, results.t_stop, "At the end")
    late = results.spikes["exc"].between(min(SETTLED, results.t_stop / 2.0), results.t_stop)
    cv = late.cv()
    rates = np.asarray(late.counts() * (1000.0 / (late.t_stop - late.t_start)), np.float64)
    rho0 = results.summary["scenario"]["parameters"]["rho0"]
    _draw_distribution(figure.add_subplot(grid[1, 2]), rates, rho0, "rate (Hz)", "Excitatory neurons at the end")
    _draw_distribution(figure.add_subplot(grid[1, 3]), cv[np.isfinite(cv)], 1.0, "CV of intervals", "1 is Poisson")
    figure.suptitle(
        f"Inhibition learns to hold {results.spikes['exc'].n:,} excitatory neurons at {rho0:g} Hz: "
        f"{late.rate():.1f} Hz, irregular (CV {mean_cv(late):.2f})",
        fontsize="x-large",
    )
    return figure


def _draw_rates(panel: Axes, results: esn.Results) -> None:
    rho0 = results.summary["scenario"]["parameters"]["rho0"]
    edges = np.append(np.arange(0.0, 500.0, 50.0), np.geomspace(500.0, max(results.t_stop, 510.0), 30))
    for name, colour, label in (("exc", "#D55E00", "excitatory"), ("inh", "#0072B2", "inhibitory")):
        rates = np.histogram(results.spikes[name].times, edges)[0] / (np.diff(edges) / 1000.0 * results.spikes[name].n)
        panel.stairs(rates, edges / 1000.0, baseline=None, color=colour, linewidth=2.0, label=label)
    panel.axhline(rho0, color="0.4", linestyle="--", label=f"aim: {rho0:g} Hz")
    panel.set_yscale("log")
    panel.set(ylabel="mean rate (Hz)", ylim=(1.0, 300.0), title="Rates")
    _count_time(panel, results)
    panel.set_yticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
    panel.legend(frameon=False)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_weights(panel: Axes, results: esn.Results) -> None:
    traces = results.traces["plastic"]
    seconds = traces.times / 1000.0
    low, high = np.percentile(traces.weight, [5.0, 95.0], axis=0)
    panel.fill_between(seconds, low, high, color="#0072B2", alpha=0.2, linewidth=0.0, label="5 to 95 %")
    panel.plot(seconds, traces.weight.mean(axis=0), color="#0072B2", linewidth=2.0, label="mean")
    panel.set(ylabel="weight (nS)", ylim=(0.0, None))
    _count_time(panel, results)
    panel.set_title("Synapses from inhibitory to excitatory neurons")
    panel.legend(loc="lower right", frameon=False)
    panel.spines[["top", "right"]].set_visible(False)


def _count_time(panel: Axes, results: esn.Results) -> None:
    panel.set_xscale("log")
    panel.set(xlabel="time (s)", xlim=(EVERY / 1000.0, results.t_stop / 1000.0))
    ticks = [t for t in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0) if t <= results.t_stop / 1000.0]
    panel.set_xticks(ticks, [f"{t:g}" for t in ticks])


def _draw_spikes(panel: Axes, results: esn.Results, start: float, stop: float, title: str) -> None:
    shown = 400
    spikes = results.spikes["exc"][: min(shown, results.spikes["exc"].n)].between(start, stop)
    panel.plot(spikes.times - start, spikes.ids, ".", color="#D55E00", markersize=3.0)
    panel.set(xlim=(0.0, stop - start), ylim=(-1.0, shown), xlabel="time (ms)", ylabel="excitatory neuron", title=title)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_distribution(panel: Axes, values: Floats, expected: float, label: str, title: str) -> None:
    panel.hist(values, bins=40, color="0.6")
    panel.axvline(expected, color="0.2", linestyle="--")
    panel.set(xlabel=label, ylabel="neurons", title=title, xlim=(0.0, None))
    panel.spines[["top", "right"]].set_visible(False)
