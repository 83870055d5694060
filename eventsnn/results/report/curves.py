"""Curves over time beneath the raster: rates of the populations, and traces with the spikes of their neurons.

A panel is fit for JSON: title, unit, lines [{name, colour, times, values}], marks (times of spikes, ms), level (a
dashed line, or null), zero (whether its axis begins at 0).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from eventsnn.base.arrays import Floats
from eventsnn.results.recorded import Recorded
from eventsnn.results.report.arrays import packed
from eventsnn.results.report.charts import Histogram, histogram, nothing, round_step
from eventsnn.results.report.facts import window
from eventsnn.results.spike_trains import SpikeTrains
from eventsnn.results.summaries import entries, real, text
from eventsnn.results.traces import Traces, unit

RATE_BINS, FEWEST_BINS, SPIKES_PER_BIN = 2_000, 5, 20
MOST_LINES, MOST_PANELS, MOST_POINTS, MOST_MARKS = 20, 10, 10_000, 10_000
WEIGHT_BINS, MOST_WEIGHTS = 50, 12


class Curves(NamedTuple):
    """Panels, and what a reader has to know of them."""

    panels: list[dict[str, Any]]
    notes: list[str]


def rate_curves(results: Recorded, colours: dict[str, str]) -> Curves:
    """The mean rates of a neuron (Hz) of each population, in bins that hold some spikes; no panel without bins."""
    populations = [trains for trains in results.spikes.values() if trains.n > 0 and len(trains)]
    shown = sorted(populations, key=len, reverse=True)[:MOST_LINES]
    t0, t1 = window(results)
    bins = min(float(np.median([len(trains) for trains in populations] or [0])) / SPIKES_PER_BIN, RATE_BINS)
    if bins < FEWEST_BINS:
        return Curves([], ["There are too few spikes for rates over time."])
    width = round_step((t1 - t0) / bins)
    lines = []
    for trains in (trains for trains in populations if trains in shown):
        edges, rate = trains.psth(width)
        lines.append(_line(trains.name, colours[trains.name], (edges[:-1] + edges[1:]) / 2.0, rate))
    panel = {"title": "rate", "unit": "Hz", "lines": lines, "marks": None, "level": None, "zero": True}
    notes = [f"Rates are means of a neuron in bins of {width:g} ms."]
    if len(shown) < len(populations):
        notes.append(f"They are those of the {len(shown)} of {len(populations):,} populations with the most spikes.")
    return Curves([panel], notes)


def trace_curves(results: Recorded, colours: dict[str, str]) -> Curves:
    """Some of what was sampled, dealt out fairly to the populations, each variable of a neuron in a panel."""
    every = [
        (name, index, variable)
        for name, one in results.traces.items()
        if "weight" not in one.variables and len(one.times)
        for index in range(len(one.ids))
        for variable in one.variables
    ]
    by_turns = sorted(range(len(every)), key=lambda k: every[k][1])
    panels = [_panel(results, *every[k], colours) for k in sorted(by_turns[:MOST_PANELS])]
    longest = max((len(one.times) for one in results.traces.values()), default=0)
    notes = []
    if len(panels) < len(every):
        notes.append(f"{len(panels)} of {len(every):,} sampled variables are shown.")
    if panels and longest > MOST_POINTS:
        notes.append(f"Of more than {MOST_POINTS:,} samples the lowest and the highest of successive ones are drawn.")
    if any(panel["marks"] for panel in panels):
        notes.append("Marks at the top are spikes of the neuron; a dashed line is the threshold.")
    return Curves(panels, notes)


def weight_charts(results: Recorded) -> list[str]:
    """Histograms of the weights of each projection that was sampled, at the first and the last sample."""
    sampled = [(name, one) for name, one in results.traces.items() if "weight" in one.variables and len(one.times)]
    return [_weights(name, one) for name, one in sampled[:MOST_WEIGHTS]]


def thinned(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """At most MOST_POINTS samples: the lowest and the highest of each so many successive ones, in their order."""
    if len(times) <= MOST_POINTS:
        return times, values
    each = math.ceil(len(times) / (MOST_POINTS // 2))
    firsts = np.arange(0, len(times), each)
    padded = np.append(values, np.full(-len(values) % each, values[-1])).reshape(-1, each)
    # what is no number must not hide others
    lowest = firsts + np.argmin(np.where(np.isnan(padded), np.inf, padded), axis=1)
    highest = firsts + np.argmax(np.where(np.isnan(padded), -np.inf, padded), axis=1)
    kept = np.minimum(np.unique(np.concatenate([lowest, highest])), len(times) - 1)
    return times[kept], values[kept]


def _panel(results: Recorded, name: str, index: int, variable: str, colours: dict[str, str]) -> dict[str, Any]:
    sampled = results.traces[name]
    neuron = int(sampled.ids[index])
    times, values = thinned(sampled.times, sampled.variables[variable][index])
    level = real(entries(results.summary.get("V_th")).get(name)) if variable == "V_m" else None
    spikes = _spikes_of(results.spikes.get(name), neuron)
    return {
        "title": f"{text(name)} {neuron}  {text(variable)}",
        "unit": unit(variable),
        "lines": [_line("", colours.get(name, "#1c2330"), times, values)],
        "marks": packed(spikes[:MOST_MARKS], "f8") if len(spikes) else None,
        "level": level,
        "zero": False,
    }


def _spikes_of(trains: SpikeTrains | None, neuron: int) -> Floats:
    return np.empty(0) if trains is None else trains.times[trains.ids == neuron]


def _line(name: str, colour: str, times: Floats, values: Floats) -> dict[str, Any]:
    with np.errstate(over="ignore"):
        return {"name": text(name), "colour": colour, "times": packed(times, "f8"), "values": packed(values, "f4")}


def _weights(name: str, one: Traces) -> str:
    weights = one.variables["weight"]
    title = f"{text(name)}: {len(one.ids):,} weights"
    ends = [weights[:, place][np.isfinite(weights[:, place])] for place in (0, -1)]
    if not all(end.size for end in ends):
        return nothing(title, "no finite weights")
    low, high = min(end.min() for end in ends), max(end.max() for end in ends)
    margin = (high - low) * 1e-9 or max(abs(low), 1.0) * 0.05
    edges = np.linspace(low - margin, high + margin, WEIGHT_BINS + 1)
    bars = [
        Histogram(edges, np.histogram(end, edges)[0].astype(np.float64), colour, f"{word}, {time:,.10g} ms")
        for end, time, word, colour in zip(
            ends, one.times[[0, -1]].tolist(), ("first", "last"), ("#9aa4b1", "#D55E00"), strict=True
        )
    ]
    return histogram(title, bars[: len(one.times)], "weight (unit of the model)", "synapses")
