"""Depressing and facilitating synapses at many frequencies (Tsodyks, Pawelzik & Markram 1998)

Source: M. Tsodyks, K. Pawelzik & H. Markram (1998), Neural networks with dynamic synapses, Neural Comput 10:821-835,
figure 1, with its parameters: a depressing synapse between pyramidal cells at 20 Hz, a facilitating one onto an
interneuron at 20 and 70 Hz. H. Markram, Y. Wang & M. Tsodyks (1998), PNAS 95:5323-5328, show stationary responses by
frequency. A spike takes the part u of the resources that are recovered, x, into the active state, where they are for
tau_inact; then they are inactive until they recover with tau_rec. u rises by U (1 - u) at a spike and falls with
tau_fac. The synapse transmits A u x.

The same 20 s of regular spikes at 16 frequencies go to each kind of synapse, with a neuron of its own that never fires.
What was transmitted is the jump of its synaptic current at an arrival. The last one is compared.

Expected: with E_k = exp(-T / tau_k) for spikes that are T apart, u = U / (1 - (1 - U) E_fac) and

    x = 1 / (1 + u [E_inact / (1 - E_inact) + k / ((1 - E_inact) (1 - E_rec))]),
    k = tau_rec / (tau_rec - tau_inact) (E_rec - E_inact),

to 1e-9. Depression: the response to a high frequency is as 1 / frequency, so that all frequencies above the limiting
one, 1 / (U tau_rec), transmit the same current. Facilitation: the response is largest near 1 / sqrt(U tau_fac tau_rec).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


class Kind(NamedTuple):
    """A synapse of figure 1 and its neuron: pA, ms, and MOhm."""

    name: str
    A: float
    U: float
    tau_rec: float
    tau_fac: float
    tau_inact: float
    tau_m: float
    resistance: float

    def stationary(self, frequency: Floats) -> Floats:
        """What each of many spikes at a frequency (Hz) transmits (pA)."""
        T = 1000.0 / frequency
        e_rec, e_inact = np.exp(-T / self.tau_rec), np.exp(-T / self.tau_inact)
        e_fac = np.exp(-T / self.tau_fac) if self.tau_fac else 0.0
        u = self.U / (1.0 - (1.0 - self.U) * e_fac)
        k = self.tau_rec / (self.tau_rec - self.tau_inact) * (e_rec - e_inact)
        taken = e_inact / (1.0 - e_inact) + k / ((1.0 - e_inact) * (1.0 - e_rec))
        response: Floats = self.A * u / (1.0 + u * taken)
        return response


DEPRESSING = Kind("depressing", A=250.0, U=0.5, tau_rec=800.0, tau_fac=0.0, tau_inact=3.0, tau_m=40.0, resistance=100.0)
FACILITATING = Kind(
    "facilitating", A=1540.0, U=0.03, tau_rec=130.0, tau_fac=530.0, tau_inact=1.5, tau_m=60.0, resistance=1000.0
)
FREQUENCIES = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 70.0, 100.0, 150.0])
SHOWN = (("depressing", 20.0), ("facilitating", 20.0), ("facilitating", 70.0))
DURATION = 20_000.0  # ms
SHORTEST_CHECK = 15_000.0  # ms, after which all are stationary to 1e-9
ONSET, DELAY, BEFORE = 100.0, 1.0, 0.25  # ms: the first spike, the axon, from the sample before to an arrival
COLOURS = {"depressing": "#0072B2", "facilitating": "#D55E00"}


def build(U: float = DEPRESSING.U, tau_rec: float = DEPRESSING.tau_rec) -> esn.Network:
    """Of the depressing synapse: the part of its resources that a spike takes, and how long (ms) they recover."""
    net = esn.Network()
    inputs = net.population(FREQUENCIES.size, esn.SpikeSource([spikes(f).tolist() for f in FREQUENCIES]), name="inputs")
    for kind in kinds({"U": U, "tau_rec": tau_rec}):
        model = esn.LIFExp(
            tau_m=kind.tau_m,
            C_m=1000.0 * kind.tau_m / kind.resistance,
            E_L=0.0,
            V_reset=0.0,
            V_th=1e6,  # never reached
            tau_syn_ex=kind.tau_inact,
        )
        rule = esn.TsodyksMarkram(U=kind.U, tau_rec=kind.tau_rec, tau_fac=kind.tau_fac, tau_psc=kind.tau_inact)
        neurons = net.population(FREQUENCIES.size, model, name=kind.name)
        net.connect(inputs, neurons, esn.OneToOne(), weight=kind.A, delay=DELAY, plasticity=rule)
        for i, frequency in enumerate(FREQUENCIES):
            arrivals = spikes(frequency) + DELAY
            around = np.column_stack((arrivals - BEFORE, arrivals)).ravel()
            net.record(neurons[[i]], "I_syn_ex", times=around, name=f"{kind.name}, {frequency:g} Hz")
        shown = [int(np.flatnonzero(frequency == FREQUENCIES)[0]) for name, frequency in SHOWN if name == kind.name]
        net.record(neurons, "V_m", times=np.arange(0.0, 1_200.0, 0.25), ids=shown)
    return net


def kinds(given: dict[str, Any]) -> tuple[Kind, Kind]:
    """Both synapses, with these parameters of the depressing one."""
    return DEPRESSING._replace(**given), FACILITATING


def spikes(frequency: float) -> Floats:
    """Regular spikes (ms), so that all arrive within DURATION."""
    times: Floats = np.arange(ONSET, DURATION - DELAY, 1000.0 / frequency, dtype=np.float64)
    return times


def transmitted(results: esn.Results, kind: Kind, frequency: float) -> Floats:
    """What each spike that has arrived has added to the synaptic current (pA)."""
    sampled = results.traces[f"{kind.name}, {frequency:g} Hz"]
    n = sampled.times.size // 2
    before, after = sampled.I_syn_ex[0, : 2 * n].reshape(n, 2).T
    earlier, arrival = sampled.times[: 2 * n].reshape(n, 2).T
    added: Floats = after - before * np.exp((earlier - arrival) / kind.tau_inact)
    return added


def limiting(kind: Kind) -> float:
    """The frequency (Hz) above which a depressing synapse transmits the same current at all."""
    return 1000.0 / (kind.U * kind.tau_rec)


def peak(kind: Kind) -> float:
    """The frequency (Hz) to which a facilitating synapse responds most."""
    return 1000.0 / math.sqrt(kind.U * kind.tau_fac * kind.tau_rec)


def check(results: esn.Results) -> list[esn.Check]:
    """Stationary responses against the closed form, the law of 1 / frequency, and the frequency of the peak."""
    given = results.summary["scenario"]["parameters"]
    if given != {"U": DEPRESSING.U, "tau_rec": DEPRESSING.tau_rec} or results.t_stop < SHORTEST_CHECK:
        return []
    checks = []
    last = {}
    for kind in kinds(given):
        last[kind.name] = np.array([transmitted(results, kind, frequency)[-1] for frequency in FREQUENCIES])
        off = np.abs(last[kind.name] / kind.stationary(FREQUENCIES) - 1.0).max()
        name = f"largest relative error of a stationary response, {kind.name}"
        checks.append(esn.Check(name, float(off), 0.0, 1e-9, "closed form"))
    high = FREQUENCIES >= 10.0 * limiting(DEPRESSING)
    slope = np.polyfit(np.log(FREQUENCIES[high]), np.log(last["depressing"][high]), 1)[0]
    source = "Tsodyks et al. 1998: as 1 / frequency"
    checks.append(
        esn.Check("depressing: power of the frequency, far above the limit", float(slope), -1.0, 0.05, source)
    )
    best = FREQUENCIES[np.argmax(last["facilitating"])]
    source = "Markram et al. 1998: 1 / sqrt(U tau_fac tau_rec)"
    checks.append(esn.Check("facilitating: frequency of the peak (Hz)", float(best), peak(FACILITATING), 5.0, source))
    return checks


def plot(results: esn.Results) -> Figure:
    """The three panels of figure 1, and beneath them responses spike by spike and by frequency."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.0, 7.5), layout="constrained")
    grid = figure.add_gridspec(2, 6)
    for column, (name, frequency) in enumerate(SHOWN):
        _potential(figure.add_subplot(grid[0, 2 * column : 2 * column + 2]), results, name, frequency)
    for column, kind in enumerate(kinds(results.summary["scenario"]["parameters"])):
        _responses(figure.add_subplot(grid[1, 3 * column : 3 * column + 3]), results, kind)
    for panel in figure.axes:
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def _potential(panel: Axes, results: esn.Results, name: str, frequency: float) -> None:
    sampled = results.traces[name]
    row = int(np.flatnonzero(FREQUENCIES[sampled.ids] == frequency)[0])
    until = 1_200.0 if frequency < 50.0 else 500.0
    shown = sampled.times < until
    panel.plot(sampled.times[shown], sampled.V_m[row, shown], color=COLOURS[name], linewidth=1.4)
    panel.set(xlabel="time (ms)", ylabel="EPSP (mV)", xlim=(0.0, until), ylim=(0.0, None))
    panel.set_title(f"{name}, {frequency:g} Hz", loc="left")


def _responses(panel: Axes, results: esn.Results, kind: Kind) -> None:
    curve = np.geomspace(FREQUENCIES[0], FREQUENCIES[-1], 400)
    found = [transmitted(results, kind, frequency) for frequency in FREQUENCIES]
    last = np.array([values[-1] if values.size else np.nan for values in found])
    panel.plot(curve, kind.stationary(curve), color="black", linewidth=1.2, label="closed form")
    panel.plot(FREQUENCIES, last, "o", color=COLOURS[kind.name], markersize=7.0, label="last response of the run")
    title = f"{kind.name}: U = {kind.U:g}, tau_rec = {kind.tau_rec:g} ms"
    if kind.tau_fac:
        title += f", tau_fac = {kind.tau_fac:g} ms"
        panel.axvline(peak(kind), color="0.4", linestyle="--", label=f"peak frequency, {peak(kind):.0f} Hz")
        panel.set_ylim(0.0, 1.25 * kind.stationary(curve).max())
    else:
        high = curve > 1.3 * limiting(kind)
        law = 1000.0 * kind.A / kind.tau_rec / curve[high]
        panel.plot(curve[high], law, color="0.4", linestyle=":", linewidth=2.0, label="A / (tau_rec frequency)")
        panel.axvline(limiting(kind), color="0.4", linestyle="--", label=f"limiting frequency, {limiting(kind):.2g} Hz")
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:g}")
    panel.set(xlabel="frequency (Hz)", ylabel="stationary response (pA)")
    panel.set_title(title, loc="left")
    panel.legend(frameon=False)
