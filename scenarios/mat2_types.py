"""Four types of cortical neuron by their thresholds alone (Kobayashi, Tsubo & Shinomoto 2009)

Source: R. Kobayashi, Y. Tsubo and S. Shinomoto (2009), Made-to-order spiking neuron model equipped with a
multi-timescale adaptive threshold, Front Comput Neurosci 3:9, figure 5B, with the parameters of the authors' program
for that figure (MAT_current.m): regular spiking (RS), intrinsic bursting (IB), fast spiking (FS) and chattering (CH)
under 0.6 nA from 100 to 600 ms. The potential is never reset, so it is the same in all four; what differs is how a
spike moves the threshold: by alpha_1, which fades in 10 ms, and alpha_2, which fades in 200 ms. R = 50 MOhm and tau_m =
5 ms are C_m = 100 pF. To predict recorded spikes under fluctuating current the authors use other values: (alpha_1,
alpha_2, omega - E_L) = (37, 2, 19) for RS, which are NEST's defaults, (1.7, 2, 26) for IB and (10, 0.002, 11) for FS.

Expected: the numbers of spikes in TYPES, their first and last times to 1e-9 ms. They are the zeros of sums of
exponentials, found and proved in 115 digits, and agree with DOP853. RS slows down from intervals
of 14 to 39 ms, IB starts with three spikes in 11 ms, FS fires at 170 Hz to the end, and CH fires in 8 bursts whose
spikes are a refractory period of 2 ms apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

import eventsnn as esn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DURATION = 700.0  # ms
ONSET, OFFSET = 100.0, 600.0  # ms
CURRENT = 600.0  # pA
E_L, T_REF = -65.0, 2.0  # mV, ms
BURST_GAP = 10.0  # ms; longer intervals part bursts


class Type(NamedTuple):
    """A column of figure 5B: parameters (mV) and what comes out (ms)."""

    name: str
    alpha_1: float
    alpha_2: float
    omega: float
    spikes: int
    first: float
    last: float


TYPES = [
    Type("regular spiking", 30.0, 2.0, -45.0, 16, 105.49306144334055, 563.3872047587118),
    Type("intrinsic bursting", 7.5, 1.5, -46.0, 25, 105.01651054431892, 597.8355844667236),
    Type("fast spiking", 10.0, 0.2, -55.0, 98, 102.02732554054082, 596.8007281969379),
    Type("chattering", -0.5, 0.4, -39.0, 38, 110.07451510271133, 553.0362339559055),
]


def build(current: float = CURRENT) -> esn.Network:
    """One neuron a type; `current` (pA) flows from 100 to 600 ms."""
    net = esn.Network()
    parameters = {name: [getattr(t, name) for t in TYPES] for name in ("alpha_1", "alpha_2", "omega")}
    model = esn.MAT2(tau_m=5.0, C_m=100.0, E_L=E_L, t_ref=T_REF, tau_1=10.0, tau_2=200.0, **parameters)
    neurons = net.population(len(TYPES), model, name="types")
    net.stimulate(neurons, esn.StepCurrent([ONSET, OFFSET], [current, 0.0]))
    net.record(neurons, ["V_m", "V_th"], every=0.05)
    return net


def bursts(train: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The spikes of a train, parted where more than 10 ms lie between them."""
    return np.split(train, np.flatnonzero(np.diff(train) > BURST_GAP) + 1) if len(train) else []


def check(results: esn.Results) -> list[esn.Check]:
    """Numbers of spikes, errors of their first and last times, and bursts of the chattering neuron."""
    if results.summary["scenario"]["parameters"] != {"current": CURRENT} or results.t_stop < OFFSET:
        return []
    checks = []
    errors = [0.0]
    source = "115 digits, and DOP853"
    trains = results.spikes["types"].trains()
    for kind, train in zip(TYPES, trains, strict=True):
        checks.append(esn.Check(f"spikes of {kind.name}", len(train), kind.spikes, 0, source))
        if len(train) == kind.spikes:
            errors += [abs(train[0] - kind.first), abs(train[-1] - kind.last)]
    checks.append(esn.Check("bursts of chattering", len(bursts(trains[3])), 8, 0, source))
    checks.append(esn.Check("largest error of a first or last spike (ms)", float(max(errors)), 0.0, 1e-9, source))
    return checks


POTENTIAL, THRESHOLD = "#0072B2", "#D55E00"


def plot(results: esn.Results) -> Figure:
    """Each type's potential, spikes and threshold, the beginning enlarged beside it; the current at the bottom."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    current = results.summary["scenario"]["parameters"]["current"]
    figure = Figure(figsize=(12.0, 9.0), layout="constrained")
    panels = figure.subplots(
        len(TYPES) + 1, 2, sharex="col", sharey="row", width_ratios=[2.2, 1.0], height_ratios=[1.0] * len(TYPES) + [0.4]
    )
    for i, kind in enumerate(TYPES):
        for panel in panels[i]:
            _potentials(panel, results, i)
        panels[i, 0].set_ylabel("mV")
        values = f"\u03b1\u2081 = {kind.alpha_1:g},  \u03b1\u2082 = {kind.alpha_2:g},  \u03c9 = {kind.omega:g} mV"
        panels[i, 0].set_title(f"{kind.name}:  {values}", loc="left", fontsize="medium")
    for panel in panels[-1]:
        panel.stairs([0.0, current, 0.0], [0.0, ONSET, OFFSET, DURATION], baseline=None, color="0.35", linewidth=1.3)
        panel.set(xlabel="time (ms)", ylim=(min(0.0, 1.2 * current), max(0.0, 1.2 * current) or 1.0))
    panels[-1, 0].set(ylabel="current\n(pA)", xlim=(results.t_start, results.t_stop))
    panels[-1, 1].set_xlim(ONSET - 5.0, ONSET + 75.0)
    for panel in panels.flat:
        panel.spines[["top", "right"]].set_visible(False)
    handles = [
        Line2D([], [], color=POTENTIAL, label="V_m, spikes as lines"),
        Line2D([], [], color=THRESHOLD, linestyle="--", label="threshold"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _potentials(panel: Axes, results: esn.Results, neuron: int) -> None:
    sampled = results.traces["types"]
    V_m, V_th = sampled.V_m[neuron], sampled.V_th[neuron]
    train = results.spikes["types"].trains()[neuron]
    panel.plot(sampled.times, V_m, color=POTENTIAL, linewidth=1.2)
    panel.plot(sampled.times, V_th, color=THRESHOLD, linewidth=0.9, linestyle="--")
    panel.vlines(train, np.interp(train, sampled.times, V_m), 5.0, color=POTENTIAL, linewidth=1.0)
    panel.set_ylim(-72.0, max(8.0, float(V_th.max(initial=0.0)) + 3.0))
