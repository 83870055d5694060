"""Draws the picture of the README that shows what exact means: python docs/draw_exact.py, from the repository.

One LIF neuron under random input, on grids of three steps and event by event. On a grid the potential goes on exactly
from step to step, as in most simulators of such neurons, but an input counts at the end of the step in which it comes,
and a spike at the end of that in which the threshold is crossed. Errors are against the closed form in 40 digits.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from mpmath import exp, log, mp, mpf
from numpy.typing import NDArray

import eventsnn as esn

PICTURE = Path(__file__).parent / "images" / "exact.png"
TAU, V_TH, T_REF = 20.0, 20.0, 2.0  # ms, mV, ms
REST, WEIGHT = 21.0, 1.0  # mV: where the current alone takes the potential, and what an input adds or takes
RATE, DURATION = 0.6, 10_000.0  # inputs a ms, ms
STEPS = {1.0: "#D55E00", 0.1: "#CC79A7", 0.01: "#009E73"}  # ms
EXACT = "#0072B2"
SEEN = 1e-16  # ms; smaller errors are drawn here

Floats = NDArray[np.float64]


def inputs() -> tuple[Floats, Floats]:
    """Times (ms) of inputs and their weights (mV), as many up as down."""
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0.0, DURATION, int(RATE * DURATION)))
    return times, rng.choice([WEIGHT, -WEIGHT], times.size)


def by_events(times: Floats, weights: Floats) -> esn.Results:
    """The neuron by eventsnn, its potential sampled every 0.05 ms."""
    net = esn.Network()
    model = esn.LIFDelta(tau_m=TAU, C_m=250.0, E_L=0.0, V_th=V_TH, V_reset=0.0, t_ref=T_REF, I_e=250.0 * REST / TAU)
    cell = net.population(1, model, name="cell")
    for name, weight in (("up", WEIGHT), ("down", -WEIGHT)):
        source = net.population(1, esn.SpikeSource(times[weights == weight]), name=name)
        net.connect(source, cell, esn.AllToAll(), weight=weight, delay=0.0)
    net.record(cell, "V_m", every=0.05)
    return net.run(DURATION)


def closed_form(times: Floats, weights: Floats) -> list[mpf]:
    """Spike times (ms) in 40 digits: between inputs V is REST + (V - REST) exp(-t / TAU)."""
    mp.dps = 40
    now, V, spikes = mpf(0), mpf(0), []
    for time, weight in [*zip(map(mpf, times), weights, strict=True), (mpf(DURATION), 0.0)]:
        while (crossing := now + TAU * log((V - REST) / (mpf(V_TH) - REST))) <= time:
            spikes.append(crossing)
            now, V = crossing + T_REF, mpf(0)
        if time < now:  # refractory, the input is lost
            continue
        now, V = time, REST + (V - REST) * exp((now - time) / TAU) + weight
        if V >= V_TH:
            spikes.append(time)
            now, V = time + T_REF, mpf(0)
    return [spike for spike in spikes if spike < DURATION]


def on_a_grid(times: Floats, weights: Floats, step: float) -> tuple[Floats, Floats]:
    """Potential (mV) after each step, and the times (ms) of spikes."""
    steps = round(DURATION / step)
    arriving = np.zeros(steps + 2)
    np.add.at(arriving, np.ceil(times / step).astype(int), weights)
    decay, held = math.exp(-step / TAU), round(T_REF / step)
    V, until, spikes = 0.0, 0, []
    potential = np.zeros(steps + 1)
    for k in range(1, steps + 1):
        if k > until:
            V = REST + (V - REST) * decay + arriving[k]
            if V >= V_TH:
                V, until = 0.0, k + held
                spikes.append(k * step)
        potential[k] = V
    return potential, np.array(spikes)


def errors(found: Floats, true: list[mpf]) -> Floats:
    """For each true spike how far from it the nearest one is that was found (ms); nan where none is within T_REF."""
    near = found[np.abs(np.array(true, float)[:, np.newaxis] - found).argmin(axis=1)]
    off = np.array([float(abs(mpf(one) - time)) for one, time in zip(near, true, strict=True)])
    return np.where(off < T_REF, off, np.nan)


def potentials(axes: Axes, results: esn.Results, grid: tuple[Floats, Floats], around: float) -> None:
    """Both around a time (ms), the grid being that of 1 ms."""
    potential, spikes = grid
    axes.plot(potential, ".-", markersize=7.0, color=STEPS[1.0], linewidth=1.2, label="on a grid of 1 ms")
    axes.vlines(spikes, potential[np.round(spikes).astype(int) - 1], V_TH + 3.0, color=STEPS[1.0], linewidth=2.0)
    sampled, spikes = results.traces["cell"], results.spikes["cell"].times
    axes.plot(sampled.times, sampled.V_m[0], color=EXACT, linewidth=1.6, label="event by event")
    before = sampled.V_m[0][np.searchsorted(sampled.times, spikes) - 1]
    axes.vlines(spikes, before, V_TH + 3.0, color=EXACT, linewidth=2.0)
    axes.axhline(V_TH, color="0.5", linewidth=0.8, linestyle="--", zorder=0)
    axes.set(xlim=(around - 12.0, around + 10.0), ylim=(11.0, 26.0), xlabel="time (ms)", ylabel="V_m (mV)")
    axes.xaxis.set_major_locator(MultipleLocator(5.0))
    axes.set_title("a spike between two steps; dashed: threshold", loc="left", fontsize="medium")
    axes.legend(frameon=False, loc="upper left")


def spread(axes: Axes, offs: dict[str, Floats]) -> None:
    """The error of each spike, and how many are lost."""
    labels = []
    for place, ((name, off), colour) in enumerate(zip(offs.items(), [*STEPS.values(), EXACT], strict=True)):
        found = np.maximum(off[np.isfinite(off)], SEEN)
        axes.plot(place + np.linspace(-0.3, 0.3, found.size), found, ".", color=colour, markersize=3.5)
        labels.append(f"{name}\n{np.isnan(off).sum()} of {off.size} lost")
    axes.set(yscale="log", ylim=(0.2 * SEEN, 10.0), ylabel="error of a spike time (ms)")
    axes.set_yticks([1.0, 1e-4, 1e-8, 1e-12, SEEN], ["1", "1e-4", "1e-8", "1e-12", "0"])
    axes.set_xticks(range(len(offs)), labels, fontsize="small")
    axes.set_title("every spike of 10 s", loc="left", fontsize="medium")


def draw(path: Path) -> dict[str, Floats]:
    """Draw the picture; returns the errors (ms) of each grid and of the solution event by event."""
    times, weights = inputs()
    true = closed_form(times, weights)
    results = by_events(times, weights)
    grids = {step: on_a_grid(times, weights, step) for step in STEPS}
    offs = {f"{step:g} ms": errors(spikes, true) for step, (_, spikes) in grids.items()}
    offs["event by event"] = errors(results.spikes["cell"].times, true)
    figure = Figure(figsize=(10.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    # the first spike that the coarsest grid loses
    potentials(left, results, grids[1.0], float(true[int(np.argmax(np.isnan(offs["1 ms"])))]))
    spread(right, offs)
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=100)
    return offs


if __name__ == "__main__":
    draw(PICTURE)
