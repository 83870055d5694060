"""The tables of a run, on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any

from rich.table import Table
from rich.text import Text

from eventsnn.cli.console import console
from eventsnn.results.results import Results
from eventsnn.results.summaries import brief, cell, checks_of, entries, number, passed, population_summaries, real, text
from eventsnn.run.progress import duration as wall_time
from eventsnn.run.progress import short


def print_tables(results: Results) -> None:
    summary, screen = results.summary, console()
    screen.print(title(results), style="bold", soft_wrap=True)
    populations = Table("population")
    for heading in ("neurons", "spikes", "rate (Hz)", "CV of ISI"):
        populations.add_column(heading, justify="right")
    rows = summary.get("populations")
    for name, row in (rows if isinstance(rows, Mapping) else population_summaries(results)).items():
        held = entries(row)
        counts = [_count(held.get(key)) for key in ("neurons", "spikes")]
        populations.add_row(text(name), *counts, *[number(held.get(key)) for key in ("rate", "cv")])
    screen.print(populations)
    if checks := checks_of(summary):
        screen.print(_table_of(checks))
    elif not summary.get("checks") and summary.get("scenario"):
        screen.print("no expected values apply to these parameters and this duration", soft_wrap=True)
    for fact in _facts(results):
        screen.print(fact)


def _table_of(checks: list[Mapping[str, Any]]) -> Table:
    table = Table("check", "measured", "expected", "tolerance", "source", "result")
    styles = {"pass": "green", "FAIL": "bold red"}
    for check in checks:
        result = passed(check)
        numbers = [number(check.get(key)) for key in ("measured", "expected", "tolerance")]
        table.add_row(
            cell(check.get("name")), *numbers, cell(check.get("source")), Text(result, styles.get(result, ""))
        )
    return table


def title(results: Results) -> str:
    """What was simulated, in a line: scenario, parameters and duration, as far as the summary tells."""
    duration = f"{results.t_stop - results.t_start:g} ms"
    scenario = entries(results.summary.get("scenario"))
    if "name" not in scenario:
        return duration
    given = entries(scenario.get("parameters"))
    parameters = ", ".join(f"{text(name)}={text(brief(value))}" for name, value in given.items())
    stopped = results.summary.get("stopped")
    return f"{text(scenario['name'])}({parameters}), {duration}{f': {text(stopped)}' if stopped else ''}"


def _facts(results: Results) -> Iterator[str]:
    """How long the run took, and the events that it handled; results that a script put together may not tell."""
    summary, milliseconds = results.summary, results.t_stop - results.t_start
    seconds = real(summary.get("wall_s"))
    if seconds is not None and seconds >= 0.0:
        threads = real(summary.get("threads"))
        how = [f"{text(summary['engine'])} engine"] if isinstance(summary.get("engine"), str) else []
        how += [f"{threads:g} thread{'s' if threads > 1 else ''}"] if threads is not None else []
        speed = f" ({milliseconds / 1000 / seconds:.3g} x real time)" if seconds > 0 else ""
        took = f"{milliseconds:g} ms in {wall_time(seconds)}{speed}"
        yield f"{', '.join(how)}: {took}" if how else took
    events = real(summary.get("synaptic_events"))
    if events is not None:
        flow = f" ({short(events / seconds)} a second)" if seconds and seconds > 0.0 else ""
        yield f"{short(events)} synaptic events{flow}"


def _count(value: Any) -> str:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return text(f"{value:,}") if whole and real(value) is not None else number(value)
