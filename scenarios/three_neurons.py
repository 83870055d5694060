"""A chain and a loop of three neurons

Source: the textbook picture of synaptic integration, worked out by hand. The six neurons are LIFExp with tau_m = 10 ms,
tau_syn = 5 ms, tau_m / C_m = 0.1 mV/pA, rest and reset at 0, a threshold of 15 mV and t_ref = 2 ms; delays are 6 ms.

Chain 0 -> 1 -> 2: an input or a synapse has 400 pA and lifts V by 10 mV at most; a spike takes two of them at about the
same time. A pair of inputs makes neuron 0 fire. The first spike dies at neuron 1, whose own input comes too late; the
second is met in time there and at neuron 2 and runs through; four inputs make neuron 0 fire twice, which neuron 1 sums.
Loop 0 -> 1 -> 2 -> 0: a synapse of 800 pA carries a spike alone. One input starts it, and the spike goes round until an
inhibitory input to neuron 1 stops it.

Expected: the spike times in EXPECTED. With tau_m = 2 tau_syn and x = exp(-s / tau_m), the potential a time s after V
and I is (V + R I) x - R I x^2, so that a crossing is the larger root of a quadratic equation. The loop's first spike,
of R I = 80 mV at 10 ms, has x = 3/4: 10 + 10 ln(4/3) ms. All the others follow in the same way, event after event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DURATION = 150.0  # ms
V_TH = 15.0  # mV

# Input spikes (ms) of neurons 0, 1 and 2.
CHAIN_INPUT = [[10.0, 13.0, 50.0, 53.0, 110.0, 111.0, 112.0, 113.0], [42.0, 61.5], [71.0]]
LOOP_INPUT = [[10.0], [90.0], []]

EXPECTED = {  # ms
    "chain": [
        [14.82152844430501, 54.60163192927706, 112.6815115139724, 117.193486705337],
        [62.66362247400381, 124.7691171091953],
        [72.97959058073033],
    ],
    "loop": [
        [12.87682072451781, 38.78248431081322, 62.87665365456522, 86.53015204730732],
        [21.75364144903562, 46.88961192300361, 70.78450846545721],
        [30.63046217355343, 54.94684975490409, 78.67113124907167],
    ],
}


# Okabe and Ito's palette.
NEURON_COLOURS = ("#0072B2", "#009E73", "#CC79A7")
EXCITATION, INHIBITION = "black", "#D55E00"


def build(chain_weight: float = 400.0, loop_weight: float = 800.0, delay: float = 6.0) -> esn.Network:
    """Weights (pA) of inputs and synapses; delay (ms) between neurons."""
    net = esn.Network()
    lif = esn.LIFExp(tau_m=10.0, C_m=100.0, E_L=0.0, V_th=V_TH, V_reset=0.0, t_ref=2.0, tau_syn_ex=5.0, tau_syn_in=5.0)
    chain = net.population(3, lif, name="chain")
    loop = net.population(3, lif, name="loop")
    chain_input = net.population(3, esn.SpikeSource(CHAIN_INPUT), name="chain input")
    loop_input = net.population(3, esn.SpikeSource(LOOP_INPUT), name="loop input")
    net.connect(chain_input, chain, esn.OneToOne(), weight=chain_weight, delay=0.0)
    net.connect(loop_input, loop, esn.OneToOne(), weight=[loop_weight, -loop_weight, loop_weight], delay=0.0)
    net.connect(chain, chain, esn.Explicit([0, 1], [1, 2]), weight=chain_weight, delay=delay)
    net.connect(loop, loop, esn.Explicit([0, 1, 2], [1, 2, 0]), weight=loop_weight, delay=delay)
    for population in (chain, loop):
        net.record(population, "V_m", every=0.05)
    return net


def check(results: esn.Results) -> list[esn.Check]:
    """Number and times of the spikes worked out by hand, as far as the run goes."""
    given = results.summary["scenario"]["parameters"]
    if given != {"chain_weight": 400.0, "loop_weight": 800.0, "delay": 6.0}:
        return []
    checks = []
    for name, trains in EXPECTED.items():
        expected = [[t for t in train if t < results.t_stop] for train in trains]
        measured = [train.tolist() for train in results.spikes[name].trains()]
        source = "worked out by hand"
        found, wanted = sum(map(len, measured)), sum(map(len, expected))
        checks.append(esn.Check(f"spikes of the {name}", found, wanted, 0, source))
        if [len(train) for train in measured] == [len(train) for train in expected]:
            error = np.abs(np.concatenate(measured) - np.concatenate(expected)).max(initial=0.0)
            checks.append(esn.Check(f"largest error of a spike time, {name} (ms)", float(error), 0.0, 1e-9, source))
    return checks


def plot(results: esn.Results) -> Figure:
    """Each neuron's potential with spikes as lines, what arrives beneath it; at the bottom the spike trains aligned."""
    from matplotlib.figure import Figure

    delay = results.summary["scenario"]["parameters"]["delay"]
    figure = Figure(figsize=(11.0, 7.5), layout="constrained")
    panels = figure.subplots(7, 2, sharex=True, sharey="row", height_ratios=[1.7, 0.34] * 3 + [0.9])
    titles = {"chain": "chain:  0 \u2192 1 \u2192 2", "loop": "loop:  0 \u2192 1 \u2192 2 \u2192 0"}
    for (name, title), column in zip(titles.items(), panels.T, strict=True):
        trains = results.spikes[name].trains()
        inputs = results.spikes[f"{name} input"].trains()
        sampled = results.traces[name]
        for neuron, colour in enumerate(NEURON_COLOURS):
            potential, arrivals = column[2 * neuron : 2 * neuron + 2]
            potential.plot(sampled.times, sampled.V_m[neuron], color=colour, linewidth=1.2)
            potential.vlines(trains[neuron], V_TH, 25.0, color=colour, linewidth=1.4)
            potential.axhline(V_TH, color="0.5", linewidth=0.8, linestyle="--", zorder=0)
            _ticks(arrivals, inputs[neuron], INHIBITION if (name, neuron) == ("loop", 1) else EXCITATION)
            if neuron > 0 or name == "loop":
                _ticks(arrivals, trains[neuron - 1] + delay, NEURON_COLOURS[neuron - 1])
            column[6].eventplot([trains[neuron]], lineoffsets=neuron, linelengths=0.7, colors=[colour])
        column[0].set_title(title)
        column[6].set(xlabel="time (ms)", xlim=(results.t_start, results.t_stop))
    _label(figure, panels[:, 0])
    return figure


def _ticks(axes: Axes, times: NDArray[np.float64], colour: str) -> None:
    axes.eventplot([times], lineoffsets=0.5, linelengths=0.9, linewidths=1.8, colors=[colour])


def _label(figure: Figure, left: NDArray[np.object_]) -> None:
    from matplotlib.lines import Line2D

    for neuron in range(3):
        left[2 * neuron].set(ylabel=f"neuron {neuron}\nV_m (mV)", ylim=(-12.0, 27.0))
        left[2 * neuron + 1].set(yticks=[], ylim=(0.0, 1.0))
        left[2 * neuron + 1].set_ylabel("input", rotation=0, ha="right", va="center")
    left[6].set(yticks=range(3), ylim=(2.6, -0.6), ylabel="spikes of\nneuron")
    for panel in figure.axes:
        panel.spines[["top", "right"]].set_visible(False)
    meaning = {EXCITATION: "excitatory input", INHIBITION: "inhibitory input"}
    meaning |= {colour: f"spikes of neuron {neuron}" for neuron, colour in enumerate(NEURON_COLOURS)}
    handles = [Line2D([], [], color=colour, linewidth=1.8, label=text) for colour, text in meaning.items()]
    handles.append(Line2D([], [], color="0.5", linewidth=0.8, linestyle="--", label="threshold"))
    figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False)
