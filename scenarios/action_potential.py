"""Refractoriness of the action potential: Hodgkin-Huxley beside leaky integrate-and-fire

Source: A. L. Hodgkin and A. F. Huxley (1952), A quantitative description of membrane current and its application to
conduction and excitation in nerve, J Physiol 117:500-544, whose figure 20 shows how excitability returns; here with the
equations of `HHTraub` and a resting potential of -65 mV. A pulse of current (1 ms, 6 nA) makes each neuron fire, and a
second one follows after one of 22 intervals. There is a neuron for each interval and size of the second, and one a
size without a first: the least size that excites is the threshold. A spike of `HHTraub` counts where V crosses 0 mV.

Expected: thresholds of the Hodgkin-Huxley neuron as in HH_THRESHOLDS, found with Runge-Kutta steps of order 4 and 0.005
ms. Soon after the first pulse no size up to 12 nA excites (absolute refractoriness), then only large ones do, and less
and less is needed as sodium channels recover and potassium channels close (relative refractoriness). The
integrate-and-fire neuron has the first by decree, t_ref = 3 ms, and nothing of the second: it begins again from rest,
so that its threshold, worked out by hand, is that of a neuron that never fired, but for pulses of which t_ref takes a
part.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DURATION = 110.0  # ms
ONSET, LENGTH = 5.0, 1.0  # ms, of the first pulse and of both
FIRST = 6_000.0  # pA
INTERVALS = [
    1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.25, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0,
    80.0,
]  # fmt: skip
SIZES = 1000.0 * np.concatenate([np.arange(0.5, 7.1, 0.25), np.arange(7.5, 12.1, 0.5)])  # pA
ROWS = len(INTERVALS) + 1  # the last without a first pulse
SHOWN = int(np.flatnonzero(SIZES == FIRST)[0])
C_M, TAU_M, E_L, V_TH, T_REF = 200.0, 20.0, -65.0, -50.0, 3.0  # pF, ms, mV, mV, ms
# nA; nan where none of SIZES excites.
HH_THRESHOLDS = [
    math.nan, 9.0, 6.5, 5.75, 5.5, 5.25, 5.25, 5.25, 5.0, 5.0, 4.75, 4.75, 4.25, 4.0, 3.75, 3.5, 3.0, 2.5, 2.25, 2.0,
    1.5, 1.25, 1.25,
]  # fmt: skip


def build(t_ref: float = T_REF) -> esn.Network:
    """A neuron of each kind for each size and, beside each other, each interval; t_ref (ms) of integrate-and-fire."""
    net = esn.Network()
    n = SIZES.size * ROWS
    hh = net.population(n, esn.HHTraub(C_m=C_M, E_L=E_L, V_th=0.0, t_ref=1.0), name="hodgkin_huxley")
    model = esn.LIFDelta(C_m=C_M, tau_m=TAU_M, E_L=E_L, V_th=V_TH, V_reset=E_L, t_ref=t_ref)
    lif = net.population(n, model, name="integrate_and_fire")
    for size, amplitude in enumerate(SIZES):
        for row in range(ROWS):
            times, amplitudes = [ONSET, ONSET + LENGTH], [amplitude, 0.0]
            if row < len(INTERVALS):
                second = ONSET + INTERVALS[row]
                times, amplitudes = [*times, second, second + LENGTH], [FIRST, 0.0, amplitude, 0.0]
            i = size * ROWS + row
            for neurons in (hh, lif):
                net.stimulate(neurons[i : i + 1], esn.StepCurrent(times, amplitudes))
    for neurons in (hh, lif):
        net.record(neurons[SHOWN * ROWS : (SHOWN + 1) * ROWS], "V_m", every=0.05)
    return net


def thresholds(results: esn.Results, population: str) -> NDArray[np.float64]:
    """The least size (nA) of a second pulse that excites, for each interval and, at the end, without a first pulse."""
    counts = np.array([len(train) for train in results.spikes[population].trains()]).reshape(SIZES.size, ROWS)
    needed = np.full(ROWS, 2)
    needed[-1] = 1
    excites = counts >= needed
    return np.where(excites.any(0), SIZES[excites.argmax(0)] / 1000.0, math.nan)


def by_hand(t_ref: float) -> NDArray[np.float64]:
    """The same for integrate-and-fire: in what is left of the pulse V must rise from E_L to V_th."""
    R = TAU_M / C_M
    free = -TAU_M * math.log1p(-(V_TH - E_L) / (R * FIRST)) + t_ref
    found = []
    for interval in (*INTERVALS, math.inf):
        left = LENGTH - max(0.0, free - interval)
        least = (V_TH - E_L) / (R * -math.expm1(-left / TAU_M)) if left > 0.0 else math.inf
        enough = SIZES[SIZES >= least]
        found.append(enough[0] / 1000.0 if enough.size else math.nan)
    return np.array(found)


def difference(measured: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """The largest difference (nA); inf if one excites and the other does not."""
    if (np.isnan(measured) != np.isnan(expected)).any():
        return math.inf
    return float(np.nanmax(np.abs(measured - expected)))


def absolute(found: NDArray[np.float64]) -> float:
    """The longest interval (ms) after which no second pulse excites."""
    return max((d for d, size in zip(INTERVALS, found, strict=False) if math.isnan(size)), default=0.0)


def relative(found: NDArray[np.float64]) -> float:
    """The longest interval (ms) after which a larger pulse is needed than without a first."""
    return max((d for d, size in zip(INTERVALS, found, strict=False) if not size <= found[-1]), default=0.0)


def check(results: esn.Results) -> list[esn.Check]:
    """Thresholds of both neurons, and how long each is refractory as they show it."""
    t_ref = results.summary["scenario"]["parameters"]["t_ref"]
    if results.t_stop < DURATION:
        return []
    hh, lif = thresholds(results, "hodgkin_huxley"), thresholds(results, "integrate_and_fire")
    grid, hand = "Runge-Kutta of order 4, steps of 0.005 ms", "closed form"
    expected = np.array(HH_THRESHOLDS)
    checks = [esn.Check("Hodgkin-Huxley: largest error of a threshold (nA)", difference(hh, expected), 0.0, 0.0, grid)]
    name = "integrate-and-fire: largest error of a threshold (nA)"
    checks.append(esn.Check(name, difference(lif, by_hand(t_ref)), 0.0, 0.0, hand))
    for kind, found, right, source in (
        ("Hodgkin-Huxley", hh, expected, grid),
        ("integrate-and-fire", lif, by_hand(t_ref), hand),
    ):
        checks.append(esn.Check(f"{kind}: last interval without (ms)", absolute(found), absolute(right), 0.0, source))
        name = f"{kind}: last interval with a raised threshold (ms)"
        checks.append(esn.Check(name, relative(found), relative(right), 0.0, source))
    return checks


HH, LIF = "#0072B2", "#D55E00"
KINDS = [("hodgkin_huxley", "Hodgkin-Huxley", HH, "o"), ("integrate_and_fire", "leaky integrate-and-fire", LIF, "s")]


def plot(results: esn.Results) -> Figure:
    """V after each interval, the second pulse as large as the first; beneath, the threshold over the interval."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 8.5), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[1.0, 1.1])
    panels = [figure.add_subplot(grid[0, 0])]
    panels.append(figure.add_subplot(grid[0, 1], sharey=panels[0]))
    for panel, (population, title, color, _) in zip(panels, KINDS, strict=True):
        _potentials(panel, results, population, color)
        panel.set_title(f"{title}: two pulses of {FIRST / 1000.0:g} nA", loc="left", fontsize="medium")
    panels[0].set_ylabel("V_m (mV)")
    _thresholds(figure.add_subplot(grid[1, :]), results)
    return figure


def _potentials(panel: Axes, results: esn.Results, population: str, color: str) -> None:
    traces = results.traces[population]
    for row in range(len(INTERVALS)):
        panel.plot(traces.times - ONSET, traces.V_m[row], color=color, linewidth=0.9, alpha=0.55)
    if population == "integrate_and_fire":
        every = results.spikes[population].trains()
        for row in range(len(INTERVALS)):
            train = every[SHOWN * ROWS + row]
            panel.vlines(train - ONSET, V_TH, 0.0, color=color, linewidth=0.9, alpha=0.55)
    panel.set(xlim=(-2.0, 85.0), xlabel="time after the first pulse (ms)")
    panel.spines[["top", "right"]].set_visible(False)


def _thresholds(panel: Axes, results: esn.Results) -> None:
    for population, title, color, marker in KINDS:
        found = thresholds(results, population)
        panel.plot(INTERVALS, found[:-1], color=color, marker=marker, markersize=5, linewidth=1.4, label=title)
        panel.axhline(found[-1], color=color, linestyle=":", linewidth=1.0)
        last = absolute(found)
        panel.axvspan(0.0, last, color=color, alpha=0.12, linewidth=0, label=f"no pulse excites, to {last:g} ms")
    panel.set(xlim=(0.0, 82.0), ylim=(0.0, 12.5), xlabel="interval between the pulses (ms)")
    panel.set_ylabel("least second pulse that excites (nA)")
    panel.set_title("threshold; dotted: without a first pulse", loc="left", fontsize="medium")
    panel.legend(frameon=False)
    panel.spines[["top", "right"]].set_visible(False)
