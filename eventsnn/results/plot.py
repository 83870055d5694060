"""Pictures of results: rasters, population rates, recorded traces.

Every function draws into axes that it is given; `figure` makes the overall picture. No pyplot, so no global state
and no window: figures work without a display, and `Figure.savefig` writes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eventsnn.results.recorded import Recorded
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.style import COLOURS, RASTER_NEURONS, RASTER_POINTS
from eventsnn.results.traces import Traces, unit

# Okabe and Ito's palette, which colour-blind readers can tell apart, with grey for its yellow
RATE_BINS = 250
SPIKES_PER_BIN = 5  # fewer draw single spikes as spikes of rate
TRACE_PANELS = 6
NAMED_ROWS = 24  # population names beside the raster, or neurons beside a small one


def raster(axes: Axes, results: Recorded) -> None:
    """Draw a mark per spike: time (ms) against neuron, population upon population, the first on top.

    Of a large network a part of the neurons is drawn, evenly spaced over each population, each population in
    proportion to its size, small ones somewhat above it; labels say how many.
    """
    populations = [trains for trains in results.spikes.values() if trains.n > 0]
    shown = _sample(populations)
    rows = sum(map(len, shown))
    size = min(max(160.0 / max(rows, 1), 1.5), 14.0)
    first = 0
    ticks: list[tuple[float, str]] = []
    for index, (trains, neurons) in enumerate(zip(populations, shown, strict=True)):
        times, row = _rows(trains, neurons)
        axes.scatter(
            times, first + row, s=size**2, marker="|", linewidths=0.8 if rows > 50 else 1.2,
            color=_colour(index), label=trains.name, rasterized=True,
        )  # fmt: skip
        if index > 0:
            axes.axhline(first - 0.5, color="0.8", linewidth=0.6, zorder=0)
        ticks.extend(_raster_ticks(trains, neurons, first, rows, len(populations)))
        first += len(neurons)
    total = sum(trains.n for trains in populations)
    axes.set_yticks([at for at, _ in ticks], [text for _, text in ticks], fontsize="small")
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel("neurons" if rows == total else f"{rows:,} of {total:,} neurons")
    axes.set_ylim(max(rows, 1) - 0.5, -0.5)
    axes.set_xlim(*_limits(results))
    if all(len(trains) == 0 for trains in populations):
        _say(axes, "no spikes")


def rates(axes: Axes, results: Recorded, width: float | None = None) -> None:
    """Draw the mean rate of a neuron (Hz) in each population over time, in bins of `width` ms.

    Without a width, bins are 1, 2 or 5 times a power of ten: at most 250, fewer where spikes are few.
    Raises InputError unless width > 0.
    """
    populations = [trains for trains in results.spikes.values() if trains.n > 0]
    if width is None:
        wanted = sum(map(len, populations)) / (SPIKES_PER_BIN * max(len(populations), 1))
        width = _round_width((results.t_stop - results.t_start) / min(max(wanted, 20.0), RATE_BINS))
    top = 0.0
    for index, trains in enumerate(populations):
        edges, rate = trains.psth(width)
        if len(rate) > 0:
            label = f"{trains.name}, mean {trains.rate():.3g} Hz"
            axes.stairs(rate, edges, color=_colour(index), label=label, linewidth=1.0, baseline=None)
            top = max(top, float(rate.max()))
    axes.set_xlim(*_limits(results))
    entries = len(axes.get_legend_handles_labels()[0])
    lines = math.ceil(entries / 3) if entries <= len(COLOURS) else 0
    if lines > 0:
        axes.legend(loc="upper right", ncols=min(entries, 3), fontsize="small", frameon=False)
    # room above the curves for the names
    axes.set_ylim(0.0, (1.1 + 0.2 * lines) * top if top > 0.0 else 1.0)
    axes.set_ylabel(f"rate (Hz)\nin {width:g} ms bins")


def traces(
    axes: Sequence[Axes],
    sampled: Traces,
    variable: str = "V_m",
    spikes: SpikeTrains | None = None,
    V_th: float | None = None,
    colour: str = COLOURS[0],
) -> None:
    """Draw `variable` of the first len(axes) sampled neurons, one in each of `axes`, over time (ms).

    With `spikes` (of the same population) a vertical mark stands at each spike time, from V_th upwards; without V_th
    (mV), from the highest value sampled. With V_th the threshold is a dashed line.
    Raises AttributeError if the variable was not recorded.
    """
    values = getattr(sampled, variable)
    levels = np.append(values[np.isfinite(values)], [] if V_th is None else [V_th])
    low, high = (float(levels.min()), float(levels.max())) if len(levels) else (0.0, 1.0)
    span = high - low or 1.0
    base = V_th if V_th is not None else high
    for panel, neuron, curve in zip(axes, sampled.ids.tolist(), values, strict=False):
        panel.plot(sampled.times, curve, color=colour, linewidth=1.0)
        if V_th is not None:
            panel.axhline(V_th, color="0.5", linewidth=0.8, linestyle="--", zorder=0)
        if spikes is not None:
            panel.vlines(spikes.times[spikes.ids == neuron], base, base + 0.35 * span, color=colour, linewidth=1.2)
        panel.set_ylim(low - 0.08 * span, (base if spikes is not None else high) + 0.45 * span)


def figure(results: Recorded) -> Figure:
    """The overall picture: raster, population rates, then up to six recorded potentials and synaptic currents.

    summary["V_th"] = {population: mV}, where there is one, says where spikes stand on the potentials.
    """
    panels = _trace_panels(results)
    rows = sum(trains.n for trains in results.spikes.values())
    heights = [min(max(0.6 + 0.25 * rows, 1.2), 3.4), 1.5] + [1.05] * len(panels)
    picture = Figure(figsize=(8.0, 0.5 + sum(heights)), layout="constrained")
    axes = list(picture.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0])
    raster(axes[0], results)
    rates(axes[1], results)
    thresholds = results.summary.get("V_th")
    names = [name for name, trains in results.spikes.items() if trains.n > 0]
    for panel, (name, index, variable) in zip(axes[2:], panels, strict=True):
        sampled = results.traces[name]
        one = Traces(sampled.times, sampled.ids[index : index + 1], {variable: sampled.variables[variable][[index]]})
        threshold = thresholds.get(name) if isinstance(thresholds, Mapping) and variable == "V_m" else None
        # a summary from elsewhere may hold integers that no float holds
        V_th = float(threshold) if isinstance(threshold, int | float) and abs(threshold) < 1e100 else None
        colour = _colour(names.index(name)) if name in names else "black"
        traces([panel], one, variable, results.spikes.get(name) if variable == "V_m" else None, V_th, colour)
        known = f" ({unit(variable)})" if unit(variable) else ""
        panel.set_ylabel(f"{name} {sampled.ids[index]}\n{variable}{known}", fontsize="small")
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("time (ms)")
    picture.align_ylabels(axes[1:])
    return picture


def _trace_panels(results: Recorded) -> list[tuple[str, int, str]]:
    """(population, position in its traces, variable) of what is drawn, dealt out fairly to the populations."""
    sampled = {name: one for name, one in results.traces.items() if "weight" not in one.variables and len(one.times)}
    order = list(sampled)
    panels = sorted(
        (index, order.index(name), place, variable)
        for name, one in sampled.items()
        for index in range(min(len(one.ids), TRACE_PANELS))
        for place, variable in enumerate(one.variables)
    )
    drawn = sorted(panels[:TRACE_PANELS], key=lambda panel: (panel[1], panel[0], panel[2]))
    return [(order[population], index, variable) for index, population, _, variable in drawn]


def _sample(populations: Sequence[SpikeTrains]) -> list[NDArray[np.int64]]:
    """For each population the positions of the neurons to draw, evenly spaced, at least one."""
    by_neurons = min(1.0, RASTER_NEURONS / max(sum(trains.n for trains in populations), 1))
    by_points = RASTER_POINTS / max(sum(map(len, populations)), 1)
    least = 1 if by_points < by_neurons else max(RASTER_NEURONS // (4 * max(len(populations), 1)), 1)
    wanted = [max(int(trains.n * min(by_neurons, by_points)), min(trains.n, least)) for trains in populations]
    return [np.arange(count) * trains.n // count for trains, count in zip(populations, wanted, strict=True)]


def _rows(trains: SpikeTrains, neurons: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times of the spikes of some neurons, and for each the position of its neuron among them."""
    part = trains[neurons]
    return part.times, part.rows


def _raster_ticks(
    trains: SpikeTrains, neurons: NDArray[np.int64], first: int, rows: int, populations: int
) -> list[tuple[float, str]]:
    count = len(neurons)
    if rows <= NAMED_ROWS:
        alone = trains.n == 1 and trains.selected is None
        return [
            (first + row, trains.name if alone else f"{trains.name} {neuron}")
            for row, neuron in enumerate(trains.neurons[neurons].tolist())
        ]
    if populations > NAMED_ROWS:
        return []
    middle = first + (count - 1) / 2.0
    if count == trains.n or populations > 4:
        return [(middle, trains.name)]
    return [(middle, f"{trains.name}\n{count:,} of\n{trains.n:,}")]


def _round_width(least: float) -> float:
    """The smallest number not below `least` that is 1, 2 or 5 times a power of ten."""
    if least <= 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(width for width in (power, 2.0 * power, 5.0 * power, 10.0 * power) if width >= least * (1.0 - 1e-9))


def _limits(results: Recorded) -> tuple[float, float]:
    return results.t_start, results.t_stop if results.t_stop > results.t_start else results.t_start + 1.0


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="0.5")


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]
