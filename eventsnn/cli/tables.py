"""The tables of a run, on the screen. They show what a summary holds: it may have been put together by a script or come
from elsewhere, so nothing in it is sure to be there, or to be of its kind."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Any

from rich.table import Table
from rich.text import Text

from eventsnn.cli.console import console
from eventsnn.results.results import Results
from eventsnn.run.progress import duration as wall_time
from eventsnn.run.progress import short

# Of what nobody expects in a summary the beginning is enough.
_BRIEF = reprlib.Repr()
_BRIEF.maxlist = _BRIEF.maxtuple = _BRIEF.maxdict = 20
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 200


def print_tables(results: Results) -> None:
    summary, screen = results.summary, console()
    screen.print(title(results), style="bold", soft_wrap=True)
    populations = Table("population")
    for heading in ("neurons", "spikes", "rate (Hz)", "CV of ISI"):
        populations.add_column(heading, justify="right")
    rows = summary.get("populations")
    for name, row in (rows if isinstance(rows, Mapping) else population_summaries(results)).items():
        held = _entries(row)
        counts = [_count(held.get(key)) for key in ("neurons", "spikes")]
        populations.add_row(text(name), *counts, *[_number(held.get(key)) for key in ("rate", "cv")])
    screen.print(populations)
    given = summary.get("checks")
    checks = [check for check in given if isinstance(check, Mapping)] if isinstance(given, list | tuple) else []
    if checks:
        screen.print(_table_of(checks))
    elif not given and summary.get("scenario"):
        screen.print("no expected values apply to these parameters and this duration", soft_wrap=True)
    for fact in _facts(results):
        screen.print(fact)


def population_summaries(results: Results) -> dict[str, dict[str, Any]]:
    summaries = {}
    for name, trains in results.spikes.items():
        cv = trains.cv()
        # Mean over the neurons with enough spikes to have one.
        cv = cv[cv == cv]
        summaries[name] = {
            "neurons": trains.n,
            "spikes": len(trains.times),
            "rate": trains.rate(),
            "cv": float(cv.mean()) if len(cv) else math.nan,
        }
    return summaries


def text(value: Any) -> str:
    """What can be printed of any value; what a terminal would obey, or cannot encode, becomes a question mark."""
    words = value if isinstance(value, str) else _BRIEF.repr(value)
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def _table_of(checks: list[Mapping[str, Any]]) -> Table:
    table = Table("check", "measured", "expected", "tolerance", "source", "result")
    # Failures first: of many checks the terminal keeps the end of the table, and the eye its beginning.
    for check in sorted(checks, key=lambda check: check.get("passed") is not False):
        passed = check.get("passed")
        result = Text("pass", "green") if passed is True else Text("FAIL", "bold red") if passed is False else Text("-")
        numbers = [_number(check.get(key)) for key in ("measured", "expected", "tolerance")]
        table.add_row(_cell(check.get("name")), *numbers, _cell(check.get("source")), result)
    return table


def title(results: Results) -> str:
    """What was simulated, in a line: scenario, parameters and duration, as far as the summary tells."""
    duration = f"{results.t_stop - results.t_start:g} ms"
    scenario = _entries(results.summary.get("scenario"))
    if "name" not in scenario:
        return duration
    given = _entries(scenario.get("parameters"))
    parameters = ", ".join(f"{text(name)}={text(_BRIEF.repr(value))}" for name, value in given.items())
    stopped = results.summary.get("stopped")
    return f"{text(scenario['name'])}({parameters}), {duration}{f': {text(stopped)}' if stopped else ''}"


def _facts(results: Results) -> Iterator[str]:
    """How long the run took, and the events that it handled; results that a script put together may not tell."""
    summary, milliseconds = results.summary, results.t_stop - results.t_start
    seconds = _real(summary.get("wall_s"))
    if seconds is not None and seconds >= 0.0:
        threads = _real(summary.get("threads"))
        how = [f"{text(summary['engine'])} engine"] if isinstance(summary.get("engine"), str) else []
        how += [f"{threads:g} thread{'s' if threads > 1 else ''}"] if threads is not None else []
        speed = f" ({milliseconds / 1000 / seconds:.3g} x real time)" if seconds > 0 else ""
        took = f"{milliseconds:g} ms in {wall_time(seconds)}{speed}"
        yield f"{', '.join(how)}: {took}" if how else took
    events = _real(summary.get("synaptic_events"))
    if events is not None:
        flow = f" ({short(events / seconds)} a second)" if seconds and seconds > 0.0 else ""
        yield f"{short(events)} synaptic events{flow}"


def _entries(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _real(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has integers of any size
        return None
    return number if math.isfinite(number) else None


def _cell(value: Any) -> str:
    return "-" if value is None else text(value)


def _count(value: Any) -> str:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return text(f"{value:,}") if whole and _real(value) is not None else _number(value)


def _number(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    number = _real(value)
    return text(value) if number is None else f"{number:.6g}"
