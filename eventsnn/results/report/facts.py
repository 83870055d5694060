"""What ran: the cards, checks and counters of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eventsnn.results.recorded import Recorded
from eventsnn.results.report.charts import shares
from eventsnn.results.report.page import Section, cards, paragraph, table
from eventsnn.results.style import COLOURS
from eventsnn.results.summaries import (
    cell,
    checks_of,
    entries,
    number,
    passed,
    population_summaries,
    real,
    text,
)

MOST_ROWS = 200

COUNTERS = {
    "spikes": "spikes, of sources too",
    "synaptic_events": "spikes that arrived at neurons through synapses",
    "external_events": "spikes that arrived from outside, such as those of Poisson input",
    "queue_pops": "entries taken from the queues",
    "neuron_updates": "how often a neuron was taken up in a window",
    "bounds_due": "how often a time came before which a neuron could not spike, and its crossing was searched for",
    "threshold_tests": "quick tests of whether V stays below the threshold for some time",
    "threshold_tests_resolved": "those of them by which it does",
    "calm_looks": "how often it was asked of a neuron how much may arrive without a spike",
    "alert_arrivals": "what then arrived at neurons with no room for it",
    "windows": "stretches of time that the engine took up one after another",
    "under_way": "spikes on their way along a projection, summed over windows: divided by these, their mean number",
    "collecting_s": "seconds spent on finding out what happens in each window, by the first thread",
    "processing_s": "seconds spent on the neurons to which it happens, by the first thread",
    "waiting_s": "seconds of waiting for other threads, by the first thread",
}
# Numbers of a summary that the cards show.
SHOWN = {"seed", "threads", "duration_ms", "wall_s", "neurons", "synapses"}
PARTS = (("collecting_s", "collecting"), ("processing_s", "processing"), ("waiting_s", "waiting"))


def window(results: Recorded) -> tuple[float, float]:
    """From when to when (ms) there may be spikes; never empty."""
    t0 = min([results.t_start, *(trains.t_start for trains in results.spikes.values())])
    t1 = max([results.t_stop, *(trains.t_stop for trains in results.spikes.values())])
    return t0, t1 if t1 > t0 else t0 + 1.0


def title(results: Recorded) -> str:
    """The scenario's name, or what else the page is about."""
    name = entries(results.summary.get("scenario")).get("name")
    return text(name) if name is not None else "Results"


def subtitle(results: Recorded) -> str:
    """Duration, populations and spikes in a line."""
    spikes = sum(map(len, results.spikes.values()))
    neurons = sum(trains.n for trains in results.spikes.values())
    window = f"{results.t_start:,.10g} to {results.t_stop:,.10g} ms"
    noun = "population" if len(results.spikes) == 1 else "populations"
    stopped = results.summary.get("stopped")
    words = f"{window}, {spikes:,} spikes of {neurons:,} recorded neurons in {len(results.spikes):,} {noun}"
    return f"{words}; {text(stopped)}" if stopped else words


def run_section(results: Recorded) -> Section:
    """What ran, where, how long it took, and its checks."""
    summary = results.summary
    parts = [cards(_cards(results))]
    for name, heading in (("scenario", "Parameters"), ("machine", "Machine")):
        held = entries(summary.get(name))
        held = entries(held.get("parameters")) if name == "scenario" else held
        if held:
            parts += [f"<h3>{heading}</h3>", cards((text(key), text(held[key])) for key in list(held)[:MOST_ROWS])]
    if checks := checks_of(summary):
        headings = ("check", "measured", "expected", "tolerance", "result", "source")
        rows = [_check(check) for check in checks]
        parts += ["<h3>Checks</h3>", table(headings, rows[:MOST_ROWS], texts=(5,))]
    elif not summary.get("checks") and summary.get("scenario"):
        parts.append(paragraph("No expected values apply to these parameters and this duration."))
    return Section("Run", "".join(parts))


def populations_table(results: Recorded) -> str:
    """Neurons, spikes, rate and mean CV of the populations."""
    found = population_summaries(results, MOST_ROWS)
    rows = [
        [text(name), f"{row['neurons']:,}", f"{row['spikes']:,}", number(row["rate"]), number(row["cv"])]
        for name, row in found.items()
    ]
    more = len(results.spikes) - len(rows)
    note = paragraph(f"{more:,} more populations are not in the table.") if more else ""
    return table(("population", "neurons recorded", "spikes", "rate (Hz)", "CV of ISI"), rows) + note


def engine_section(results: Recorded) -> Section | None:
    """The numbers of the summary that count what the engine did, and how its time is divided; None without any."""
    summary = results.summary
    numbers = {key: real(value) for key, value in summary.items() if key not in SHOWN}
    held = {key: value for key, value in numbers.items() if value is not None}
    if not held:
        return None
    known = [name for name in COUNTERS if name in held]
    names = [*known, *sorted(set(held) - set(known), key=str)][:MOST_ROWS]
    wall = real(summary.get("wall_s"))
    rows = [_counter(name, held[name], wall) for name in names]
    parts = [table(("counter", "value", "per second of wall time", "what it counts"), rows, texts=(3,))]
    spent = [(word, held.get(name, 0.0)) for name, word in PARTS]
    if sum(seconds for _, seconds in spent) > 0.0 and min(seconds for _, seconds in spent) >= 0.0:
        rest = max((wall or 0.0) - sum(seconds for _, seconds in spent), 0.0)
        coloured = zip([*spent, ("all else", rest)], (*COLOURS[:3], "#c4cad2"), strict=True)
        bar = shares("wall time of the first thread", [(name, size, colour) for (name, size), colour in coloured])
        parts = ["<h3>Wall time of the first thread</h3>", bar, "<h3>Counters</h3>", *parts]
    derived = list(_derived(held))
    return Section("Engine", "".join([cards(derived), *parts] if derived else parts))


def _derived(held: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """What counters say of each other; nothing where one is missing or 0."""

    def ratio(above: str, below: str) -> float:
        return held.get(above, 0.0) / held[below] if held.get(below) else 0.0

    if depth := ratio("under_way", "windows"):
        yield "mean spikes under way", f"{depth:.4g}"
    if entries_taken := ratio("queue_pops", "windows"):
        yield "queue entries a window", f"{entries_taken:.4g}"
    if held.get("threshold_tests"):
        share = 100.0 * ratio("threshold_tests_resolved", "threshold_tests")
        yield "threshold tests resolved", f"{share:.1f} %"


def _cards(results: Recorded) -> Iterator[tuple[str, str]]:
    summary, milliseconds = results.summary, results.t_stop - results.t_start
    scenario = entries(summary.get("scenario"))
    for name, value in (("scenario", scenario.get("name")), ("file", scenario.get("file"))):
        if value is not None:
            yield name, text(value)
    yield "simulated", f"{milliseconds:,.10g} ms"
    wall = real(summary.get("wall_s"))
    if wall is not None and wall >= 0.0:
        yield "wall time", f"{wall:.4g} s"
        if wall > 0.0:
            yield "speed", f"{milliseconds / 1000.0 / wall:.3g} x real time"
    for name in ("engine", "threads", "seed", "version", "neurons", "synapses", "fingerprint"):
        value = summary.get(name)
        if value is not None:
            whole = isinstance(value, int) and name in ("neurons", "synapses") and real(value) is not None
            yield name if name != "version" else "eventsnn", f"{value:,}" if whole else text(value)


def _check(check: Mapping[str, Any]) -> list[str]:
    numbers = [number(check.get(key)) for key in ("measured", "expected", "tolerance")]
    return [cell(check.get("name")), *numbers, passed(check), cell(check.get("source"))]


def _counter(name: str, value: float, wall: float | None) -> list[str]:
    timed = name.endswith("_s")
    often = "" if timed or not wall or wall < 0.0 else f"{value / wall:,.0f}"
    shown = f"{value:,.0f}" if value == round(value) and not timed else f"{value:.6g}"
    return [text(name), shown, often, COUNTERS.get(name, "")]
