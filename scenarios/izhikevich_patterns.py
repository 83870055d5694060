"""The 20 firing patterns of Izhikevich's neuron (Izhikevich 2004)

Source: E. M. Izhikevich (2004), Which model to use for cortical spiking neurons?, IEEE Trans Neural Netw 15:1063-1070,
figure 1, with the parameters and currents of the program that its author published with it. Panels A to T are the 20
neurons of each of two populations: "exact" solves the equations, "figure" takes the forward steps of that program
(V first, then U with the new V, threshold tested at the end of a step), as the published figure was made;
`--set method=exact` or `method=figure1` runs one of them alone. G and L have 4.1 V + 108 in place of 5 V + 140, R has
dU/dt = a b (V + 65). A panel ends at its own `duration`.

Expected: the numbers of spikes of PATTERNS, which differ between the two for nine panels, and first and last spikes
of "exact" to 1e-9 ms of those that DOP853 gives at a tolerance of 1e-13. The reason is the length of the steps, 0.1 to
0.5 ms: a step takes the slope that V has at its beginning, which on the way to a spike is less than what follows, so
that each spike comes late. I is the clearest case: its spike comes 10 ms earlier than in the figure. With a thousandth
of the steps the program gives the exact numbers too, but for the last spike of H, 0.02 ms before its panel ends. T has
d = -0.7, as in PyNN's version of this figure: with the published d = -2 the exact solution fires faster and faster
without end, and the run stops with RunawayError (`--set d_of_T=-2`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DURATION = 400.0  # ms
SAMPLE = 0.1  # ms
TOP = 30.0  # mV, where spikes end
LATE = 5.0  # ms; a panel with a spike of the forward steps so long after the exact one counts as different


class Pattern(NamedTuple):
    """A panel: parameters, V at 0 (mV), length of a forward step and duration (ms), and what comes out.

    steps: (from in ms, pA). ramps: lists of (ms, pA), from the last of which on the current is 0 again.
    """

    name: str
    a: float
    b: float
    c: float
    d: float
    V_0: float
    step: float
    duration: float
    steps: list[tuple[float, float]]
    spikes: int
    of_figure: int
    first: float
    last: float
    ramps: list[list[tuple[float, float]]] = []


def pulses(height: float, length: float, *times: float, rest: float = 0.0) -> list[tuple[float, float]]:
    return [change for t in times for change in ((t, height), (t + length, rest))]


# fmt: off
PATTERNS = [
    Pattern("tonic spiking", 0.02, 0.2, -65.0, 6.0, -70.0, 0.25, 100.0, [(10.0, 14.0)], 5, 5,
            12.630523652672, 82.664650273216),
    Pattern("phasic spiking", 0.02, 0.25, -65.0, 6.0, -64.0, 0.25, 200.0, [(20.0, 0.5)], 1, 1,
            42.746376199812, 42.746376199812),
    Pattern("tonic bursting", 0.02, 0.2, -50.0, 2.0, -70.0, 0.25, 220.0, [(22.0, 15.0)], 29, 28,
            24.493590464916, 187.914840866268),
    Pattern("phasic bursting", 0.02, 0.25, -55.0, 0.05, -64.0, 0.2, 200.0, [(20.0, 0.6)], 8, 6,
            38.239656507713, 68.833952203091),
    Pattern("mixed mode", 0.02, 0.2, -55.0, 4.0, -70.0, 0.25, 160.0, [(16.0, 10.0)], 7, 6,
            19.451624915474, 155.877672804756),
    Pattern("spike frequency adaptation", 0.01, 0.2, -65.0, 8.0, -70.0, 0.25, 85.0, [(8.5, 30.0)], 6, 6,
            9.991406369214, 68.249671993382),
    Pattern("class 1", 0.02, -0.1, -55.0, 6.0, -60.0, 0.25, 300.0, [], 10, 10,
            83.941615181707, 290.492895084608,
            [[(30.0, 0.0), (300.0, 20.25)]]),
    Pattern("class 2", 0.2, 0.26, -65.0, 0.0, -64.0, 0.25, 300.0, [], 18, 14,
            104.337874377822, 299.977476054573,
            [[(0.0, -0.5), (30.0, -0.5), (300.0, 3.55)]]),
    Pattern("spike latency", 0.02, 0.2, -65.0, 6.0, -70.0, 0.2, 100.0, pulses(7.04, 3.0, 10.0), 1, 1,
            16.592594425869, 16.592594425869),
    Pattern("subthreshold oscillations", 0.05, 0.26, -60.0, 0.0, -62.0, 0.25, 200.0, pulses(2.0, 5.0, 20.0),
            1, 1, 25.632358257881, 25.632358257881),
    Pattern("resonator", 0.1, 0.26, -60.0, -1.0, -62.0, 0.25, 400.0, pulses(0.65, 4.0, 40.0, 60.0, 280.0, 320.0),
            1, 1, 336.733467227125, 336.733467227125),
    Pattern("integrator", 0.02, -0.1, -55.0, 6.0, -60.0, 0.25, 100.0,
            pulses(9.0, 2.0, 100 / 11, 100 / 11 + 5, 70.0, 80.0), 1, 1, 19.476681542460, 19.476681542460),
    Pattern("rebound spike", 0.03, 0.25, -60.0, 4.0, -64.0, 0.2, 200.0, pulses(-15.0, 5.0, 20.0), 1, 1,
            57.633919095144, 57.633919095144),
    Pattern("rebound burst", 0.03, 0.25, -52.0, 0.0, -64.0, 0.2, 200.0, pulses(-15.0, 5.0, 20.0), 14, 7,
            57.633919095144, 102.893551251297),
    Pattern("threshold variability", 0.03, 0.25, -60.0, 4.0, -64.0, 0.25, 100.0,
            pulses(1.0, 5.0, 10.0) + pulses(-6.0, 5.0, 70.0) + pulses(1.0, 5.0, 80.0), 1, 1,
            91.888901726552, 91.888901726552),
    Pattern("bistability", 0.1, 0.26, -60.0, 0.0, -61.0, 0.25, 300.0,
            [(0.0, 0.24), *pulses(1.24, 5.0, 37.5, 216.0, rest=0.24)], 7, 5,
            44.159982160576, 263.314166002764),
    Pattern("depolarizing afterpotential", 1.0, 0.2, -60.0, -21.0, -70.0, 0.1, 50.0, pulses(20.0, 2.0, 9.0),
            8, 1, 11.096424201026, 48.848779076221),
    Pattern("accommodation", 0.02, 1.0, -55.0, 4.0, -65.0, 0.5, 400.0, [], 1, 1,
            310.504027057461, 310.504027057461,
            [[(0.0, 0.0), (200.0, 8.0)], [(300.0, 0.0), (312.5, 4.0)]]),
    Pattern("inhibition-induced spiking", -0.02, -1.0, -60.0, 8.0, -63.8, 0.5, 350.0,
            [(0.0, 80.0), *pulses(75.0, 200.0, 50.0, rest=80.0)], 4, 3,
            93.217871945683, 254.577053351879),
    Pattern("inhibition-induced bursting", -0.026, -1.0, -45.0, -0.7, -63.8, 0.5, 350.0,
            [(0.0, 80.0), *pulses(75.0, 200.0, 50.0, rest=80.0)], 46, 12,
            85.149031278184, 223.059588840955),
]
# fmt: on
OTHER = {"class 1": (4.1, 108.0), "integrator": (4.1, 108.0)}  # k_1 and k_0
ACCOMMODATING = "accommodation"


POPULATIONS = {"exact": "exact", "figure1": "figure"}  # of each method


def build(
    method: Literal["both", "exact", "figure1"] = "both",
    d_of_T: float = PATTERNS[-1].d,
) -> esn.Network:
    """A neuron a pattern: exact, as in the figure, or one of each; d_of_T: mV/ms, what a spike adds to U of panel T."""
    net = esn.Network()
    columns = {name: [getattr(p, name) for p in PATTERNS] for name in ("a", "b", "c", "d", "step")}
    columns["d"] = [*columns["d"][:-1], d_of_T]
    columns["k_1"] = [OTHER.get(p.name, (5.0, 140.0))[0] for p in PATTERNS]
    columns["k_0"] = [OTHER.get(p.name, (5.0, 140.0))[1] for p in PATTERNS]
    columns["V_u"] = [-65.0 if p.name == ACCOMMODATING else 0.0 for p in PATTERNS]
    columns["leak_u"] = [0.0 if p.name == ACCOMMODATING else 1.0 for p in PATTERNS]
    V_m = [p.V_0 for p in PATTERNS]
    U_m = [-16.0 if p.name == ACCOMMODATING else p.b * p.V_0 for p in PATTERNS]
    for each, name in POPULATIONS.items():
        if method not in ("both", each):
            continue
        neurons = net.population(len(PATTERNS), esn.Izhikevich(each, **columns), name=name, V_m=V_m, U_m=U_m)
        for i, pattern in enumerate(PATTERNS):
            for k, current in enumerate(currents(pattern, each == "figure1")):
                net.stimulate(neurons[i : i + 1], current, name=f"{name}: {pattern.name} {k}")
        net.record(neurons, ["V_m", "U_m"], every=SAMPLE)
    return net


def currents(pattern: Pattern, on_grid: bool) -> list[esn.StepCurrent | esn.RampCurrent]:
    """What the neuron gets. On the grid of forward steps a current counts from the first one after it has begun."""
    found: list[esn.StepCurrent | esn.RampCurrent] = []
    if pattern.steps:
        times, amplitudes = zip(*pattern.steps, strict=True)
        if on_grid:
            # The program has t < 50 or t > 250 in panels S and T, and t > begin and t < end in all others.
            late = 1 if pattern.name.startswith("inhibition") else 0
            times = tuple(t if t == 0.0 else after(t, pattern.step, i % 2 == late) for i, t in enumerate(times))
            if pattern.steps[0][0] == 0.0 and not late:
                times = (0.0, *(after(t, pattern.step, i % 2 == 0) for i, (t, _) in enumerate(pattern.steps[1:])))
        found.append(esn.StepCurrent(times, amplitudes))
    for ramp in pattern.ramps:
        times, amplitudes = zip(*ramp, strict=True)
        found.append(esn.RampCurrent(times, amplitudes))
        if times[-1] < pattern.duration:
            found.append(esn.StepCurrent([times[-1]], [-amplitudes[-1]]))
    return found


def after(t: float, step: float, strictly: bool) -> float:
    """The first multiple of step at t or, if so wanted, after it."""
    number = math.ceil(t / step - 1e-9)
    return (number + 1 if strictly and abs(number * step - t) < 1e-9 else number) * step


def trains(results: esn.Results, population: str) -> list[NDArray[np.float64]]:
    """Spike times (ms) of each pattern before its end."""
    every = results.spikes[population].trains()
    return [train[train < pattern.duration] for train, pattern in zip(every, PATTERNS, strict=True)]


def differences(results: esn.Results) -> list[str]:
    """For each pattern in which way the forward steps differ from the exact solution; "" if they hardly do."""
    if len(results.spikes) < 2:
        return [""] * len(PATTERNS)
    found = []
    for exact, figure in zip(trains(results, "exact"), trains(results, "figure"), strict=True):
        if len(exact) != len(figure):
            found.append(f"exact {len(exact)}")
            continue
        late = float((figure - exact).max(initial=0.0))
        found.append(f"{late:.1f} ms late" if late > LATE else "")
    return found


def check(results: esn.Results) -> list[esn.Check]:
    """Numbers of spikes of every pattern that the run has finished; the errors of the exact first and last times."""
    checks = []
    errors = [0.0]
    counted = {name: trains(results, name) for name in results.spikes}
    for i, (pattern, difference) in enumerate(zip(PATTERNS, differences(results), strict=True)):
        if results.t_stop < pattern.duration:
            continue
        if "exact" in counted:
            train = counted["exact"][i]
            checks.append(esn.Check(f"spikes of {pattern.name}", len(train), pattern.spikes, 0, "DOP853 at 1e-13"))
            if len(train) == pattern.spikes:
                errors += [abs(train[0] - pattern.first), abs(train[-1] - pattern.last)]
        if "figure" in counted:
            name = f"spikes of {pattern.name}, forward steps"
            why = f"; {difference}, steps of {pattern.step:g} ms delay spikes" if difference else ""
            source = f"Izhikevich 2004, figure 1{why}"
            checks.append(esn.Check(name, len(counted["figure"][i]), pattern.of_figure, 0, source))
    if checks and "exact" in counted:
        name = "largest error of a first or last exact spike (ms)"
        checks.append(esn.Check(name, float(max(errors)), 0.0, 1e-9, "DOP853 at 1e-13"))
    return checks


def plot(results: esn.Results) -> Figure:
    """The paper's figure 1: the exact potential and, paler, that of the forward steps; beneath them the current.

    Panels in which the two differ are shaded, and say how.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = 4
    rows = len(PATTERNS) // columns
    figure = Figure(figsize=(13.0, 15.5), layout=ConstrainedLayoutEngine(h_pad=0.07))
    panels = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[1.7, 0.5] * rows)
    for i, (pattern, difference) in enumerate(zip(PATTERNS, differences(results), strict=True)):
        row, column = divmod(i, columns)
        above, below = panels[2 * row, column], panels[2 * row + 1, column]
        for population, colour, width in DRAWN:
            if population in results.spikes:
                _potential(above, results, population, i, colour, width)
        _current(below, pattern)
        above.set_title(f"{chr(ord('A') + i)}   {pattern.name}", loc="left", fontsize=9.0)
        if difference:
            above.set_facecolor(DIFFERENT)
            count = f"{len(trains(results, 'figure')[i])}, " if difference.startswith("exact") else ""
            above.set_title(f"{count}{difference}", loc="right", fontsize="small", color=MARKED)
        for panel in (above, below):
            panel.set_xlim(-0.01 * pattern.duration, 1.01 * pattern.duration)
            panel.spines[["top", "right"]].set_visible(False)
        if column == 0:
            above.set_ylabel("mV")
            below.set_ylabel("pA")
        if row == rows - 1:
            below.set_xlabel("time (ms)")
    _legend(figure, results)
    return figure


EXACT, PUBLISHED, CURRENT = "#0072B2", "#E69F00", "0.35"
DIFFERENT, MARKED = "#FFF4DD", "#8A5A00"  # the panel, and how it differs
DRAWN = [("figure", PUBLISHED, 0.8), ("exact", EXACT, 1.0)]


def _potential(panel: Axes, results: esn.Results, population: str, neuron: int, color: str, width: float) -> None:
    traces = results.traces[population]
    shown = traces.times < PATTERNS[neuron].duration
    times, V_m = traces.times[shown], np.minimum(traces.V_m[neuron][shown], TOP)
    train = trains(results, population)[neuron]
    # Each spike goes up to its peak, which no sample shows: V is reset at that very time.
    panel.plot(
        np.insert(times, np.searchsorted(times, train), train),
        np.insert(V_m, np.searchsorted(times, train), TOP),
        color=color,
        linewidth=width,
    )
    panel.set_ylim(-92.0, TOP + 3.0)
    panel.tick_params(labelbottom=False)


def _current(panel: Axes, pattern: Pattern) -> None:
    times = np.unique(np.concatenate([np.linspace(0.0, pattern.duration, 2001), [t for t, _ in pattern.steps]]))
    total = np.zeros(times.size)
    for current in currents(pattern, False):
        value, slope = current.value[0], current.slope[0]
        place = np.searchsorted(current.times, times, side="right") - 1
        begun = place >= 0
        total[begun] += value[place[begun]] + slope[place[begun]] * (times - current.times[place])[begun]
    panel.step(times, total, where="post", color=CURRENT, linewidth=1.3)
    span = float(np.ptp(total)) or 1.0
    panel.set_ylim(float(total.min()) - 0.2 * span, float(total.max()) + 0.2 * span)


def _legend(figure: Figure, results: esn.Results) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    labels = {"exact": "V_m, exact", "figure": "V_m, forward steps of the published figure"}
    drawn = [(colour, labels[name]) for name, colour, _ in reversed(DRAWN) if name in results.spikes]
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, label=label) for colour, label in [*drawn, (CURRENT, "current")]
    ]
    if len(drawn) == 2:
        label = f"other number of spikes (steps, exact), or a spike {LATE:g} ms late"
        handles.append(Patch(facecolor=DIFFERENT, edgecolor=PUBLISHED, label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
