"""Five levels of one neuron under a step of current (Teeter et al. 2018)

Source: C. Teeter et al. (2018), Generalized leaky integrate-and-fire models classify multiple neuron types, Nat Commun
9:709. The levels add to a leaky integrate-and-fire neuron (LIF) reset rules with a threshold that jumps at a spike (R),
after-spike currents (ASC) and a threshold that follows the potential (A). Parameters are those of cell 490626718 of the
Allen Cell Types Database, the defaults of NEST's glif_psc; the step, 400 pA from 200 to 500 ms, is that of NEST's
example of the five levels (glif_psc_neuron.py).

NEST resets V from its value one step before the spike, the paper and this package from its value at the spike: the
threshold. With the paper's rule a spike of LIF-R, for instance, is followed by E_L + 0.20 (V - E_L) + 18.51 mV.

Expected: the numbers of spikes in LEVELS, their first and last times to 1e-9 ms. They are the zeros of sums of
exponentials, found and proved in 115 digits, and agree with DOP853. LIF is the textbook neuron of constant
intervals, 3.75 ms + (C_m / g) ln(R I / (R I - 27.17 mV)). The others adapt: their last interval is 1.44 times (R), 1.51
times (ASC), 2.05 times (R-ASC) and 2.04 times (R-ASC-A) the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DURATION = 600.0  # ms
ONSET, OFFSET = 200.0, 500.0  # ms
CURRENT = 400.0  # pA
V_TH = -51.68  # mV, without what moves it


class Level(NamedTuple):
    """What comes out of a level: spikes, times (ms) of the first and the last, last interval by the first."""

    name: str
    spikes: int
    first: float
    last: float
    slowing: float


LEVELS = [
    Level("LIF", 30, 206.37097805526003, 499.8793416578007, 1.0),
    Level("LIF-R", 45, 206.37097805526003, 498.83985386416623, 1.4354650816847887),
    Level("LIF-ASC", 14, 206.37097805526003, 477.95558816162423, 1.5136390709031344),
    Level("LIF-R-ASC", 14, 206.37097805526003, 474.38093542145765, 2.0506566072574253),
    Level("LIF-R-ASC-A", 14, 206.55025806484528, 497.8242453194563, 2.038205265732875),
]


def build(current: float = CURRENT) -> esn.Network:
    """One neuron a level; `current` (pA) flows from 200 to 500 ms."""
    net = esn.Network()
    for number, level in enumerate(LEVELS, 1):
        neuron = net.population(1, esn.GLIF(level=number, V_th=V_TH), name=level.name)
        net.stimulate(neuron, esn.StepCurrent([ONSET, OFFSET], [current, 0.0]), name=f"step into {level.name}")
        net.record(neuron, ["V_m", "V_th"] if _moves(level) else "V_m", every=0.05)
    return net


def _moves(level: Level) -> bool:
    """True if the level has a moving threshold."""
    return "-R" in level.name


def check(results: esn.Results) -> list[esn.Check]:
    """Numbers of spikes, errors of their first and last times, and how much each level slows down."""
    if results.summary["scenario"]["parameters"] != {"current": CURRENT} or results.t_stop < OFFSET:
        return []
    checks = []
    errors = [0.0]
    source = "115 digits, and DOP853"
    for level in LEVELS:
        (train,) = results.spikes[level.name].trains()
        checks.append(esn.Check(f"spikes of {level.name}", len(train), level.spikes, 0, source))
        if len(train) == level.spikes:
            intervals = np.diff(train)
            slowing = float(intervals[-1] / intervals[0])
            checks.append(esn.Check(f"last interval by the first, {level.name}", slowing, level.slowing, 1e-9, source))
            errors += [abs(train[0] - level.first), abs(train[-1] - level.last)]
    checks.append(esn.Check("largest error of a first or last spike (ms)", float(max(errors)), 0.0, 1e-9, source))
    return checks


POTENTIAL, THRESHOLD = "#0072B2", "#D55E00"
COLOURS = ("#000000", "#0072B2", "#009E73", "#D55E00", "#CC79A7")


def plot(results: esn.Results) -> Figure:
    """Potential, spikes and threshold of each level over the current; beside them how the intervals grow."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    current = results.summary["scenario"]["parameters"]["current"]
    figure = Figure(figsize=(13.0, 9.0), layout="constrained")
    grid = figure.add_gridspec(len(LEVELS) + 1, 2, width_ratios=[2.0, 1.0], height_ratios=[1.0] * len(LEVELS) + [0.5])
    left = [figure.add_subplot(grid[0, 0])]
    left += [figure.add_subplot(grid[i, 0], sharex=left[0]) for i in range(1, len(LEVELS) + 1)]
    right = figure.add_subplot(grid[:, 1])
    for panel, level, colour in zip(left, LEVELS, COLOURS, strict=False):
        _potentials(panel, results, level)
        (train,) = results.spikes[level.name].trains()
        right.plot(train[1:], np.diff(train), color=colour, marker="o", markersize=3.5, linewidth=1.2, label=level.name)
    left[-1].stairs([0.0, current, 0.0], [0.0, ONSET, OFFSET, DURATION], baseline=None, color="0.35", linewidth=1.3)
    left[-1].set(xlabel="time (ms)", ylabel="current\n(pA)", xlim=(ONSET - 20.0, OFFSET + 50.0))
    right.set(xlabel="time of the spike (ms)", ylabel="interval since the spike before (ms)", ylim=(0.0, None))
    right.set_title("adaptation", loc="left", fontsize="medium")
    right.legend(frameon=False)
    for panel in (*left, right):
        panel.spines[["top", "right"]].set_visible(False)
    handles = [
        Line2D([], [], color=POTENTIAL, label="V_m, spikes as lines"),
        Line2D([], [], color=THRESHOLD, linestyle="--", label="threshold"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _potentials(panel: Axes, results: esn.Results, level: Level) -> None:
    sampled = results.traces[level.name]
    threshold = sampled.V_th[0] if _moves(level) else np.full(len(sampled.times), V_TH)
    (train,) = results.spikes[level.name].trains()
    panel.plot(sampled.times, sampled.V_m[0], color=POTENTIAL, linewidth=1.0)
    panel.plot(sampled.times, threshold, color=THRESHOLD, linewidth=1.0, linestyle="--")
    panel.vlines(train, np.interp(train, sampled.times, threshold), -30.0, color=POTENTIAL, linewidth=1.2)
    panel.set(ylabel="mV", ylim=(-100.0, -28.0))
    panel.tick_params(labelbottom=False)
    panel.set_title(f"{level.name}: {len(train)} spikes", loc="left", fontsize="medium")
