"""Pictures of results: rasters, population rates, recorded traces and what was injected.

Every function draws into axes that it is given; `figure` makes the overall picture. No pyplot, so no global state
and no window: figures work without a display, and `Figure.savefig` writes them.
"""

from __future__ import annotations

import colorsys
import math
import reprlib
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from eventsnn.base.checks import number, whole
from eventsnn.base.errors import InputError
from eventsnn.results.injected import current_curve, programmes
from eventsnn.results.picture import Picture
from eventsnn.results.recorded import Recorded
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.style import COLOURS, MOST_TRACES, RASTER_NEURONS, RASTER_POINTS
from eventsnn.results.traces import Traces, unit

RATE_BINS, FEWEST_BINS, MOST_BINS = 250, 5, 100_000
SPIKES_PER_BIN = 5  # fewer draw single spikes as spikes of rate
TRACE_PANELS = 6
NAMED_ROWS = 24  # population names beside the raster, or neurons beside a small one
LABEL_LENGTH = 28  # letters; longer names would leave no room for what they name
TITLE_LENGTH, LEGEND_LENGTH = 100, 100  # letters that a line of them holds
LINE = 0.15  # inches that a line of a small label takes

Curve = tuple[NDArray[np.float64], NDArray[np.float64], str]  # times, values, colour


def raster(axes: Axes, results: Recorded, height: float = 3.4) -> None:
    """Draw a mark per spike: time (ms) against neuron, population upon population, the first on top.

    Of a large network a part of the neurons is drawn, evenly spaced over each population, each population in
    proportion to its size, small ones somewhat above it; labels say how many. `height` of the axes (inches) is what
    labels are set apart by.
    """
    populations = _populations(results)
    shown = _sample(populations)
    rows = sum(map(len, shown))
    size = min(max(160.0 / max(rows, 1), 1.5), 14.0)
    colours = _colours(len(populations))
    first = 0
    ticks: list[tuple[float, str, str]] = []
    for index, (trains, neurons) in enumerate(zip(populations, shown, strict=True)):
        times, row = _rows(trains, neurons)
        axes.scatter(
            times, first + row, s=size**2, marker="|", linewidths=0.8 if rows > 50 else 1.2,
            color=colours[index], label=_text(trains.name), rasterized=True,
        )  # fmt: skip
        if index > 0:
            axes.axhline(first - 0.5, color="0.8", linewidth=0.6, zorder=0)
        labels = _raster_ticks(trains, neurons, first, rows, len(populations))
        ticks.extend((at, text, colours[index]) for at, text in labels)
        first += len(neurons)
    total = sum(trains.n for trains in populations)
    places = _apart([at for at, _, _ in ticks], [text for _, text, _ in ticks], LINE / height * rows, rows)
    axes.set_yticks(places, [text for _, text, _ in ticks], fontsize="small")
    for label, (_, _, colour) in zip(axes.get_yticklabels(), ticks, strict=True):
        label.set_color(colour)
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel("neurons" if rows == total else f"{rows:,} of {total:,} neurons")
    axes.set_ylim(max(rows, 1) - 0.5, -0.5)
    axes.set_xlim(*_limits(results))
    if all(len(trains) == 0 for trains in populations):
        _say(axes, "no spikes")


def rates(axes: Axes, results: Recorded, width: float | None = None) -> None:
    """Draw the mean rate of a neuron (Hz) in each population over time, in bins of `width` ms.

    Without a width, bins are 1, 2 or 5 times a power of ten, so wide that a population has some spikes in each, and at
    most 250. Colours are named in a legend, or beside the raster where they are too many for one.
    Raises InputError unless width > 0.
    """
    populations = _populations(results)
    if width is None:
        width = _round_width((results.t_stop - results.t_start) / min(max(_bins(populations), 1.0), RATE_BINS))
    top = 0.0
    colours = _colours(len(populations))
    for trains, colour in zip(populations, colours, strict=True):
        edges, rate = trains.psth(width)
        if len(rate) > 0:
            # matplotlib leaves out of legends what begins with _
            label = f"{' ' * trains.name.startswith('_')}{_text(trains.name)}, mean {trains.rate():.3g} Hz"
            axes.stairs(rate, edges, color=colour, label=label, linewidth=1.0, baseline=None)
            top = max(top, float(rate.max()))
    axes.set_xlim(*_limits(results))
    labels = axes.get_legend_handles_labels()[1]
    columns = max(min(3, len(labels), LEGEND_LENGTH // (max(map(len, labels), default=0) + 6)), 1)
    lines = math.ceil(len(labels) / columns) if len(labels) <= len(COLOURS) else 0
    if lines > 0:
        axes.legend(loc="upper right", ncols=columns, fontsize="small", frameon=False)
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

    With `spikes` (of the same population) a vertical mark stands at each spike time, on the higher one of the samples
    before and after it; none where the sample after it lies above the threshold, for then the trace itself shows the
    spike, as that of a Hodgkin-Huxley neuron does. With V_th (mV) the threshold is a dashed line.
    Raises AttributeError if the variable was not recorded.
    """
    values = getattr(sampled, variable)
    levels = np.append(values[np.isfinite(values)], [] if V_th is None else [V_th])
    low, high = (float(levels.min()), float(levels.max())) if len(levels) else (0.0, 1.0)
    span = high - low or 1.0
    for panel, neuron, curve in zip(axes, sampled.ids.tolist(), values, strict=False):
        panel.plot(sampled.times, curve, color=colour, linewidth=1.0)
        if V_th is not None:
            panel.axhline(V_th, color="0.5", linewidth=0.8, linestyle="--", zorder=0)
        marks = 0.0
        if spikes is not None and len(sampled.times):
            times, feet = _feet(sampled.times, curve, spikes.times[spikes.ids == neuron], V_th)
            panel.vlines(times, feet, high + 0.35 * span, color=colour, linewidth=1.2)
            marks = 0.35 if len(times) else 0.0
        panel.set_ylim(low - 0.08 * span, high + (marks + 0.1) * span)


def injected(axes: Axes, currents: Sequence[Curve]) -> None:
    """Draw injected currents (pA) over time (ms), and where 0 is."""
    axes.axhline(0.0, color="0.8", linewidth=0.6, zorder=0)
    for times, values, colour in currents:
        axes.plot(times, values, color=colour, linewidth=1.0)
    axes.set_ylabel("injected (pA)", fontsize="small")


def figure(
    results: Recorded,
    t0: float | None = None,
    t1: float | None = None,
    populations: str | Sequence[str] | None = None,
    traces: int = TRACE_PANELS,
    bin: float | None = None,
    title: str | None = None,
) -> Picture:
    """The overall picture, see Results.plot: raster, population rates, then recorded potentials and currents, then what
    was injected.

    summary["V_th"] = {population: mV}, where there is one, says where spikes begin on the potentials, and
    summary["currents"] what was injected, see eventsnn/results/injected.py.
    """
    if title is not None and not isinstance(title, str):
        raise InputError(f"plot: title = {reprlib.repr(title)} must be a text")
    whole(traces, "plot: traces", 0, MOST_TRACES)
    results = _part(results, t0, t1, populations)
    _require_bin(results, bin)
    panels = _trace_panels(results)
    drawn = _dealt(panels, traces)
    rows = sum(trains.n for trains in results.spikes.values())
    named = len(results.spikes) if len(results.spikes) <= NAMED_ROWS else 0
    heights = [max(min(max(0.6 + 0.25 * rows, 1.2), 3.4), LINE * (named + 1))]
    with_rates = bin is not None or _bins(_populations(results)) >= FEWEST_BINS
    currents = _injected(results, drawn)
    heights += [1.5] * with_rates + [1.25] * len(drawn) + [1.0] * bool(currents)
    picture = Picture(figsize=(8.0, 0.5 + sum(heights)), layout="constrained")
    axes = list(picture.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0])
    raster(axes[0], results, heights[0])
    if with_rates:
        rates(axes[1], results, bin)
    first = 1 + with_rates
    _draw_traces(axes[first : first + len(drawn)], results, drawn)
    if currents:
        injected(axes[-1], currents)
    if len(drawn) < len(panels) and drawn:
        note = f"{len(drawn)} of {len(panels):,} traces"
        axes[first].set_title(note, loc="right", fontsize="small", color="0.4")
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("time (ms)")
    axes[-1].xaxis.set_major_formatter("{x:,.10g}")
    picture.align_ylabels(axes[1:])
    if title:
        picture.suptitle(textwrap.fill(_text(" ".join(title.split()), math.inf), TITLE_LENGTH), fontsize="medium")
    return picture


# ---- what is drawn


def _part(recorded: Recorded, t0: Any, t1: Any, names: Any) -> Recorded:
    """The results of some populations in a window; of everything where None is given."""
    spikes, sampled = dict(recorded.spikes), dict(recorded.traces)
    if names is not None:
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
            raise InputError(
                f"plot: populations = {reprlib.repr(names)} must be the name of a population or a list of names"
            )
        spikes = {name: recorded.spikes[name] for name in names}
        sampled = {name: recorded.traces[name] for name in spikes if name in recorded.traces}
    start, stop = recorded.t_start, recorded.t_stop
    if t0 is None and t1 is None:
        return Recorded(spikes, sampled, start, stop, recorded.summary)
    t0 = start if t0 is None else number(t0, "plot: t0", "a finite number of ms")
    t1 = stop if t1 is None else number(t1, "plot: t1", "a finite number of ms")
    if not (t0 < t1 and t0 < stop and start < t1):
        raise InputError(
            f"plot: t0 = {t0:g} ms to t1 = {t1:g} ms is no part of what was simulated, {start:g} to {stop:g} ms; give "
            "t0 < t1 within it"
        )
    # the end of the run belongs to it: a spike at t_stop is drawn
    beyond = math.inf if t1 >= stop else t1
    return Recorded(
        {name: trains.between(t0, beyond) for name, trains in spikes.items()},
        {name: one.between(t0, beyond) for name, one in sampled.items()},
        max(t0, start),
        min(t1, stop),
        recorded.summary,
    )


def _require_bin(results: Recorded, bin: Any) -> None:
    if bin is None:
        return
    width = number(bin, "plot: bin", "a number of ms above 0", above=0.0)
    length = results.t_stop - results.t_start
    if length / width > MOST_BINS:
        raise InputError(
            f"plot: bin = {width:g} ms makes more than {MOST_BINS:,} bins of {length:g} ms; give a longer one"
        )


def _populations(results: Recorded) -> list[SpikeTrains]:
    return [trains for trains in results.spikes.values() if trains.n > 0]


def _bins(populations: Sequence[SpikeTrains]) -> float:
    """How many bins the spikes are enough for: those of the median population, so that a busy source sets no bins."""
    counts = [len(trains) for trains in populations if len(trains)]
    return float(np.median(counts)) / SPIKES_PER_BIN if counts else 0.0


def _trace_panels(results: Recorded) -> list[tuple[str, int, str]]:
    """(population, position in its traces, variable) of all that may be drawn."""
    return [
        (name, index, variable)
        for name, one in results.traces.items()
        if "weight" not in one.variables and len(one.times)
        for index in range(len(one.ids))
        for variable in one.variables
    ]


def _dealt(panels: list[tuple[str, int, str]], most: int) -> list[tuple[str, int, str]]:
    """At most so many of them, dealt out fairly to the populations, those of a population together."""
    by_turns = sorted(range(len(panels)), key=lambda k: panels[k][1])
    return [panels[k] for k in sorted(by_turns[:most])]


def _by_name(results: Recorded) -> dict[str, str]:
    """The colours of populations."""
    populations = _populations(results)
    return dict(zip([trains.name for trains in populations], _colours(len(populations)), strict=True))


def _injected(results: Recorded, panels: Sequence[tuple[str, int, str]]) -> list[Curve]:
    """Currents other than 0 that the neurons in the panels got, a curve for all that got the same: in the colour of
    their traces, in grey where these have several."""
    shown = {(name, int(results.traces[name].ids[index])) for name, index, _ in panels}
    colours, found = _by_name(results), []
    for neurons, pieces in programmes(results.summary):
        names = {name for name, ids in neurons.items() if not shown.isdisjoint((name, neuron) for neuron in ids)}
        times, values = current_curve(pieces, results.t_start, results.t_stop)
        if names and values.any():
            found.append((times, values, colours.get(min(names), "black") if len(names) == 1 else "0.4"))
    return found


def _draw_traces(axes: Sequence[Axes], results: Recorded, panels: Sequence[tuple[str, int, str]]) -> None:
    colours = _by_name(results)
    thresholds = results.summary.get("V_th")
    for panel, (name, index, variable) in zip(axes, panels, strict=True):
        sampled = results.traces[name]
        one = Traces(sampled.times, sampled.ids[index : index + 1], {variable: sampled.variables[variable][[index]]})
        threshold = thresholds.get(name) if isinstance(thresholds, Mapping) and variable == "V_m" else None
        # a summary from elsewhere may hold integers that no float holds
        V_th = float(threshold) if isinstance(threshold, int | float) and abs(threshold) < 1e100 else None
        colour = colours.get(name, "black")
        traces([panel], one, variable, results.spikes.get(name) if variable == "V_m" else None, V_th, colour)
        known = f" ({unit(variable)})" if unit(variable) else ""
        panel.set_title(f"{_text(name)} {sampled.ids[index]}", loc="left", fontsize="small", color=colour)
        panel.set_ylabel(f"{_text(variable)}{known}", fontsize="small")


def _feet(
    times: NDArray[np.float64], curve: NDArray[np.float64], spikes: NDArray[np.float64], V_th: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times of the spikes that the samples do not show by themselves, and where the trace ends at each."""
    after = np.minimum(np.searchsorted(times, spikes), len(times) - 1)
    before = np.maximum(after - 1, 0)
    foot = np.fmax(curve[before], curve[after])
    hidden = np.isfinite(foot)
    if V_th is not None:
        hidden &= ~(curve[after] > V_th)
    return spikes[hidden], foot[hidden]


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


# ---- words and colours


def _raster_ticks(
    trains: SpikeTrains, neurons: NDArray[np.int64], first: int, rows: int, populations: int
) -> list[tuple[float, str]]:
    count = len(neurons)
    name = _text(trains.name)
    if rows <= NAMED_ROWS:
        alone = trains.n == 1 and trains.selected is None
        return [
            (first + row, name if alone else f"{name} {neuron}")
            for row, neuron in enumerate(trains.neurons[neurons].tolist())
        ]
    if populations > NAMED_ROWS:
        return []
    middle = first + (count - 1) / 2.0
    if count == trains.n or populations > 4:
        return [(middle, name)]
    return [(middle, f"{name}\n{count:,} of\n{trains.n:,}")]


def _apart(places: Sequence[float], labels: Sequence[str], line: float, end: float) -> list[float]:
    """Places (rows) of labels, moved as far as it takes for none to lie over the one before; `line`: rows that one of
    their lines takes, `end`: the lowest row, beyond which they are pushed back up."""
    sizes = [line * (1 + label.count("\n")) for label in labels]
    moved = list(places)
    for k in range(1, len(moved)):
        moved[k] = max(moved[k], moved[k - 1] + (sizes[k - 1] + sizes[k]) / 2.0)
    for k in range(len(moved) - 1, -1, -1):
        last = end - sizes[k] / 2.0 if k == len(moved) - 1 else moved[k + 1] - (sizes[k] + sizes[k + 1]) / 2.0
        moved[k] = min(moved[k], last)
    return moved


def _text(name: str, longest: float = LABEL_LENGTH) -> str:
    """A name as it is drawn: in full where it is short; what matplotlib would take for a formula stays a text."""
    if len(name) > longest:
        name = f"{name[: int(longest) - 9]}…{name[-8:]}"
    return "".join(letter if letter.isprintable() else "?" for letter in name).replace("$", r"\$")


def _colours(count: int) -> list[str]:
    """So many colours, no two alike: those for colour-blind readers as far as they go, else around the circle."""
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    return [to_hex(colorsys.hls_to_rgb(k / count, (0.28, 0.45)[k % 2], 0.85)) for k in range(count)]


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
