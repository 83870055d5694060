"""The 20 firing patterns of one linear neuron (Mihalas & Niebur 2009)

Source: S. Mihalas and E. Niebur (2009), A generalized linear integrate-and-fire neural model produces diverse spiking
behaviors, Neural Comput 21:704-718, table 1 and figure 1. Panels A to T are the 20 neurons of one population; with
C_m = 1 pF the paper's A_j/C and I_e/C in V/s are numbers of pA. A panel ends at its own `duration`; what a neuron does
later belongs to no figure.

The table gives parameters and heights of the current, but neither the lengths of its pulses nor initial values. Lengths
are those that G. Detorakis (2017), [Re] A generalized linear integrate-and-fire neural model produces diverse spiking
behaviors, ReScience 3(1):7, read off figure 1, but for G, where his text has 756 ms, his program 755 ms and BrainPy's
example 750 ms, which is taken here. That example also has pulses of 20 ms in F, which do not bring the spike that the
panel is about, and of 10 ms in S, where the fast pair brings two spikes as the slow one does; and in K and L it lowers
Theta_inf to -120 mV, with a = 0, where the paper has a = 30 /s. Neurons start at rest, V_m = E_L and Theta = Theta_inf,
without internal currents. Detorakis starts with I_1 = 0.01 pA and I_2 = 0.001 pA, which moves spikes by less than 1 ms,
except in B: there by 64 ms, and a second spike follows. H starts with V_m and Theta at -30 mV, on the threshold, as
with him, and fires at once; BrainPy starts Theta alone there.

Expected: the numbers of spikes in PATTERNS, their first and last times to 1e-9 ms. They are the zeros of sums of
exponentials, found and proved in 115 digits, and agree with DOP853. A's are multiples of 20 ln 3 ms. In B, V
creeps up to the threshold at 1e-6 mV/ms and the last bit of V is worth 3.6e-9 ms, so that 1.5e-8 ms are allowed. On a
grid of 0.1 ms, as Detorakis simulates, forward Euler invents an eighth spike in the burst of O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DURATION = 1000.0  # ms
E_L, THETA_INF = -70.0, -50.0  # mV
SLOW = "class 1"  # its crossing is too slow for 1e-9 ms


class Pattern(NamedTuple):
    """A panel of figure 1: parameters (a in 1/ms, A in pA), current as (from in ms, pA), and what comes out (ms)."""

    name: str
    a: float
    A_1: float
    A_2: float
    duration: float
    current: list[tuple[float, float]]
    spikes: int
    first: float
    last: float
    start: float | None = None  # mV, V_m and Theta at 0 if not at rest


# fmt: off
PATTERNS = [
    Pattern("tonic spiking", 0.0, 0.0, 0.0, 200.0, [(0.0, 1.5)],
            9, 21.972245773362197, 197.75021196025975),
    Pattern("class 1", 0.0, 0.0, 0.0, 500.0, [(0.0, 1.0 + 1e-6)],
            1, 276.310231162031, 276.310231162031),
    Pattern("spike frequency adaptation", 0.005, 0.0, 0.0, 200.0, [(0.0, 2.0)],
            10, 14.694666622552976, 181.63256163545614),
    Pattern("phasic spiking", 0.005, 0.0, 0.0, 500.0, [(0.0, 1.5)],
            5, 25.199953611052525, 177.05826874875874),
    Pattern("accommodation", 0.005, 0.0, 0.0, 1000.0,
            [(0.0, 1.5), (100.0, 0.0), (600.0, 0.5), (700.0, 1.0), (800.0, 1.5), (900.0, 0.0)],
            3, 25.199953611052525, 87.85788168282443),
    Pattern("threshold variability", 0.005, 0.0, 0.0, 400.0,
            [(0.0, 1.5), (20.0, 0.0), (200.0, -1.5), (225.0, 0.0), (250.0, 1.5), (275.0, 0.0)],
            1, 274.5087949261426, 274.5087949261426),
    Pattern("rebound spike", 0.005, 0.0, 0.0, 1000.0, [(50.0, -3.5), (800.0, 0.0)],
            1, 849.1130720204221, 849.1130720204221),
    Pattern("class 2", 0.005, 0.0, 0.0, 300.0, [(0.0, 2.0 * (1.0 + 1e-6))],
            8, 0.0, 272.7352352569556, -30.0),
    Pattern("integrator", 0.005, 0.0, 0.0, 400.0,
            [(0.0, 1.5), (20.0, 0.0), (30.0, 1.5), (50.0, 0.0), (300.0, 1.5), (320.0, 0.0), (340.0, 1.5), (360.0, 0.0)],
            1, 49.318317582182935, 49.318317582182935),
    Pattern("input bistability", 0.005, 0.0, 0.0, 1000.0, [(0.0, 1.5), (100.0, 1.7), (500.0, 1.5), (600.0, 1.7)],
            14, 25.199953611052525, 482.53124034894245),
    Pattern("hyperpolarizing spiking", 0.03, 0.0, 0.0, 400.0, [(0.0, -1.0)],
            3, 131.937053859024, 366.681103700154),
    Pattern("hyperpolarizing bursting", 0.03, 10.0, -0.6, 400.0, [(0.0, -1.0)],
            13, 131.937053859024, 326.47937084788003),
    Pattern("tonic bursting", 0.005, 10.0, -0.6, 500.0, [(0.0, 2.0)],
            24, 14.694666622552976, 424.36396201905575),
    Pattern("phasic bursting", 0.005, 10.0, -0.6, 500.0, [(0.0, 1.5)],
            7, 25.199953611052525, 48.88997102467842),
    Pattern("rebound burst", 0.005, 10.0, -0.6, 1000.0, [(100.0, -3.5), (600.0, 0.0)],
            7, 652.4461273573395, 663.5345118929091),
    Pattern("mixed mode", 0.005, 5.0, -0.3, 500.0, [(0.0, 2.0)],
            19, 14.694666622552976, 486.947123883804),
    Pattern("afterpotentials", 0.005, 5.0, -0.3, 200.0, [(0.0, 2.0), (15.0, 0.0)],
            1, 14.694666622552976, 14.694666622552976),
    Pattern("basal bistability", 0.0, 8.0, -0.1, 200.0, [(0.0, 5.0), (10.0, 0.0), (100.0, 5.0), (110.0, 0.0)],
            25, 4.462871026284195, 111.99030201346345),
    Pattern("preferred frequency", 0.005, -3.0, 0.5, 800.0,
            [(0.0, 5.0), (5.0, 0.0), (10.0, 4.0), (15.0, 0.0), (400.0, 5.0), (405.0, 0.0), (450.0, 4.0), (455.0, 0.0)],
            3, 4.5213864020166294, 454.83464367004217),
    Pattern("spike latency", -0.08, 0.0, 0.0, 50.0, [(0.0, 8.0), (2.0, 0.0)],
            1, 16.176884730287718, 16.176884730287718),
]
# fmt: on


def build() -> esn.Network:
    """One neuron a pattern, each with its own parameters and current."""
    net = esn.Network()
    model = esn.MihalasNiebur(
        E_L=E_L, Theta_inf=THETA_INF, **{name: [getattr(p, name) for p in PATTERNS] for name in ("a", "A_1", "A_2")}
    )
    start = {
        "V_m": [E_L if p.start is None else p.start for p in PATTERNS],
        "Theta": [THETA_INF if p.start is None else p.start for p in PATTERNS],
    }
    neurons = net.population(len(PATTERNS), model, name="patterns", **start)
    for i, pattern in enumerate(PATTERNS):
        times, amplitudes = zip(*pattern.current, strict=True)
        net.stimulate(neurons[i : i + 1], esn.StepCurrent(times, amplitudes), name=pattern.name)
    net.record(neurons, ["V_m", "Theta"], every=0.05)
    return net


def trains(results: esn.Results) -> list[NDArray[np.float64]]:
    """Spike times (ms) of each pattern before its end."""
    return [
        train[train < pattern.duration]
        for train, pattern in zip(results.spikes["patterns"].trains(), PATTERNS, strict=True)
    ]


def check(results: esn.Results) -> list[esn.Check]:
    """Number of spikes of every pattern that the run has finished; the errors of their first and last times."""
    checks = []
    errors = [0.0]
    source = "115 digits, and DOP853"
    for pattern, train in zip(PATTERNS, trains(results), strict=True):
        if results.t_stop < pattern.duration:
            continue
        checks.append(esn.Check(f"spikes of {pattern.name}", len(train), pattern.spikes, 0, source))
        if len(train) != pattern.spikes:
            continue
        if pattern.name == SLOW:
            checks.append(
                esn.Check(f"spike time of {SLOW} (ms)", float(train[0]), pattern.first, 1.5e-8, "20 ln(1 + 1e6)")
            )
        else:
            errors += [abs(train[0] - pattern.first), abs(train[-1] - pattern.last)]
    if checks:
        name = "largest error of a first or last spike of the others (ms)"
        checks.append(esn.Check(name, float(max(errors)), 0.0, 1e-9, source))
    return checks


def plot(results: esn.Results) -> Figure:
    """The paper's figure 1: potential with its spikes, threshold and, beneath, current of each pattern."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = 4
    rows = len(PATTERNS) // columns
    figure = Figure(figsize=(13.0, 15.5), layout=ConstrainedLayoutEngine(h_pad=0.07))
    panels = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[1.7, 0.6] * rows)
    for i, (pattern, train) in enumerate(zip(PATTERNS, trains(results), strict=True)):
        row, column = divmod(i, columns)
        above, below = panels[2 * row, column], panels[2 * row + 1, column]
        _potentials(above, results, i, train)
        _current(below, pattern)
        above.set_title(f"{chr(ord('A') + i)}   {pattern.name}", loc="left", fontsize="medium")
        for panel in (above, below):
            panel.set_xlim(-0.01 * pattern.duration, 1.01 * pattern.duration)
        if column == 0:
            above.set_ylabel("mV")
            below.set_ylabel("pA")
        if row == rows - 1:
            below.set_xlabel("time (ms)")
    _legend(figure)
    return figure


POTENTIAL, THRESHOLD, CURRENT = "#0072B2", "#D55E00", "0.35"
TOP = -15.0  # mV, where spikes end


def _potentials(panel: Axes, results: esn.Results, neuron: int, train: NDArray[np.float64]) -> None:
    sampled = results.traces["patterns"]
    shown = sampled.times < PATTERNS[neuron].duration
    times, V_m, theta = sampled.times[shown], sampled.V_m[neuron][shown], sampled.Theta[neuron][shown]
    panel.plot(times, V_m, color=POTENTIAL, linewidth=1.0)
    panel.plot(times, theta, color=THRESHOLD, linewidth=1.0, linestyle="--")
    panel.vlines(train, np.interp(train, times, theta), TOP, color=POTENTIAL, linewidth=1.0)
    panel.set_ylim(float(V_m.min(initial=-90.0)) - 5.0, TOP)
    panel.tick_params(labelbottom=False)
    panel.spines[["top", "right"]].set_visible(False)


def _current(panel: Axes, pattern: Pattern) -> None:
    edges = [t for t, _ in pattern.current] + [pattern.duration]
    heights = [x for _, x in pattern.current]
    if edges[0] > 0.0:
        edges, heights = [0.0, *edges], [0.0, *heights]
    panel.stairs(heights, edges, baseline=0.0, color=CURRENT, linewidth=1.3, fill=False)
    span = max(heights + [0.0]) - min(heights + [0.0])
    panel.set_ylim(min(heights + [0.0]) - 0.2 * span, max(heights + [0.0]) + 0.2 * span)
    panel.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=POTENTIAL, label="V_m, spikes as lines"),
        Line2D([], [], color=THRESHOLD, linestyle="--", label="threshold"),
        Line2D([], [], color=CURRENT, label="current"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
