"""Eight firing patterns of the adaptive exponential neuron under a step of current (Naud et al. 2008)

Source: R. Naud, N. Marcille, C. Clopath and W. Gerstner (2008), Firing patterns in the adaptive exponential
integrate-and-fire model, Biol Cybern 99:335-347, the patterns of its figure 4 with the parameters of Brian2's example
of the same figure. Eight neurons at rest get a constant current from 20 ms on. What differs is how w follows V (a,
tau_w), what a spike adds to it (b), and whether V is reset to where it rises at once (V_reset).

Expected: the numbers of spikes in PATTERNS and first and last times to 1e-9 ms, as DOP853 gives them at a tolerance of
1e-13. The irregular neuron is chaotic: its last spike to 1e-6 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DURATION = 500.0  # ms
ONSET = 20.0  # ms
V_PEAK = 0.0  # mV


class Pattern(NamedTuple):
    """A neuron: C_m (pF), g_L (nS), E_L (mV), a (nS), tau_w (ms), b (pA), V_reset (mV), current (pA); its spikes."""

    name: str
    C_m: float
    g_L: float
    E_L: float
    a: float
    tau_w: float
    b: float
    V_reset: float
    current: float
    spikes: int
    first: float  # ms
    last: float  # ms


# fmt: off
PATTERNS = [
    Pattern("tonic spiking", 200.0, 10.0, -70.0, 2.0, 30.0, 0.0, -58.0, 500.0,
            49, 34.222912375707, 491.768856879565),
    Pattern("adaptation", 200.0, 12.0, -70.0, 2.0, 300.0, 60.0, -58.0, 500.0,
            10, 34.904018517447, 451.516424933573),
    Pattern("initial burst", 130.0, 18.0, -58.0, 4.0, 150.0, 120.0, -50.0, 400.0,
            10, 25.452507473245, 474.820612572437),
    Pattern("regular bursting", 200.0, 10.0, -58.0, 2.0, 120.0, 100.0, -46.0, 210.0,
            9, 36.136252463073, 458.360832671708),
    Pattern("delayed accelerating", 200.0, 12.0, -70.0, -10.0, 300.0, 0.0, -58.0, 300.0,
            34, 53.573690773274, 491.888443046828),
    Pattern("delayed regular bursting", 100.0, 10.0, -65.0, -10.0, 90.0, 30.0, -47.0, 110.0,
            24, 77.177715365749, 457.086392594664),
    Pattern("transient spiking", 100.0, 10.0, -65.0, 10.0, 90.0, 100.0, -47.0, 180.0,
            1, 50.290243317880, 50.290243317880),
    Pattern("irregular spiking", 100.0, 12.0, -60.0, -11.0, 130.0, 30.0, -48.0, 160.0,
            27, 35.634478445083, 495.109938704164),
]
# fmt: on
CHAOTIC = "irregular spiking"


def build(scale: float = 1.0) -> esn.Network:
    """One neuron a pattern; scale: multiplies all currents."""
    net = esn.Network()
    names = ("C_m", "g_L", "E_L", "a", "tau_w", "b", "V_reset")
    parameters = {name: [getattr(p, name) for p in PATTERNS] for name in names}
    neurons = net.population(len(PATTERNS), esn.AdEx(V_th=-50.0, Delta_T=2.0, V_peak=V_PEAK, **parameters), name="adex")
    for i, pattern in enumerate(PATTERNS):
        net.stimulate(neurons[i : i + 1], esn.StepCurrent([ONSET], [scale * pattern.current]), name=pattern.name)
    net.record(neurons, ["V_m", "w"], every=0.1)
    return net


def check(results: esn.Results) -> list[esn.Check]:
    """Numbers of spikes, and the largest errors of first and last times, under the published currents."""
    if results.summary["scenario"]["parameters"] != {"scale": 1.0} or results.t_stop < DURATION:
        return []
    source = "DOP853 at 1e-13"
    trains = [train[train < DURATION] for train in results.spikes["adex"].trains()]
    checks, errors, chaotic = [], [0.0], [0.0]
    for pattern, train in zip(PATTERNS, trains, strict=True):
        checks.append(esn.Check(f"spikes of {pattern.name}", len(train), pattern.spikes, 0, source))
        if len(train) == pattern.spikes:
            errors.append(abs(train[0] - pattern.first))
            (chaotic if pattern.name == CHAOTIC else errors).append(abs(train[-1] - pattern.last))
    name = "largest error of a first or last spike (ms)"
    checks.append(esn.Check(name, float(max(errors)), 0.0, 1e-9, source))
    checks.append(esn.Check(f"error of the last spike of {CHAOTIC} (ms)", float(max(chaotic)), 0.0, 1e-6, source))
    return checks


POTENTIAL, ADAPTATION = "#0072B2", "#D55E00"


def plot(results: esn.Results) -> Figure:
    """V of each neuron over its adaptation w."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(12.0, 11.0), layout="constrained")
    panels = figure.subplots(8, 2, sharex=True, height_ratios=[1.6, 0.8] * 4)
    for i, pattern in enumerate(PATTERNS):
        row, column = divmod(i, 2)
        above, below = panels[2 * row, column], panels[2 * row + 1, column]
        _potential(above, results, i)
        below.plot(results.traces["adex"].times, results.traces["adex"].w[i], color=ADAPTATION, linewidth=1.1)
        above.set_title(f"{pattern.name}   {pattern.current:g} pA", loc="left", fontsize="medium")
        for panel, unit in ((above, "mV"), (below, "pA")):
            panel.spines[["top", "right"]].set_visible(False)
            if column == 0:
                panel.set_ylabel(unit)
    for panel in panels[-1]:
        panel.set(xlabel="time (ms)", xlim=(results.t_start, results.t_stop))
    handles = [
        Line2D([], [], color=POTENTIAL, label="V_m, with spikes up to V_peak"),
        Line2D([], [], color=ADAPTATION, label="w"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _potential(panel: Axes, results: esn.Results, neuron: int) -> None:
    traces, train = results.traces["adex"], results.spikes["adex"].trains()[neuron]
    # Each spike goes up to its peak, which no sample shows: V is reset at that very time.
    place = np.searchsorted(traces.times, train)
    times, V_m = np.insert(traces.times, place, train), np.insert(traces.V_m[neuron], place, V_PEAK)
    panel.plot(times, V_m, color=POTENTIAL, linewidth=1.0)
    panel.set_ylim(-85.0, V_PEAK + 4.0)
