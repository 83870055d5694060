"""The report of a sweep: what was swept, pictures, means at each point and the cells that failed, as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eventsnn.base.paths import AnyPath, as_path, replacing
from eventsnn.batch.grid import points
from eventsnn.batch.measures import label
from eventsnn.batch.plot import overview
from eventsnn.batch.swept import Swept
from eventsnn.batch.table import average
from eventsnn.results.html import image
from eventsnn.results.report.page import Section, cards, page, paragraph, table

MOST_ROWS = 2_000  # of a table, which the browser lays out as a whole
MOST_FAILED = 500


def write_report(sweep: Swept, path: AnyPath, force: bool) -> None:
    """Write the page. Raises InputError if there is a file already, unless force, or if it cannot be written."""
    target = as_path(path, "the report")
    with replacing(target, "the report", force) as staging:
        staging.write_text(report_page(sweep), encoding="utf-8")


def report_page(sweep: Swept) -> str:
    """The text of the page."""
    name = str(sweep.plan.what.get("scenario") or sweep.plan.what.get("build") or "network")
    sections = [
        Section("What was swept", _facts(sweep)),
        Section("Pictures", image(overview(sweep).png(), "each quantity over the parameters of the grid")),
        Section("Means at each point", _means(sweep)),
    ]
    if sweep.failed:
        sections.append(Section("Failed cells", _failed(sweep)))
    return page(f"Sweep of {name}", sections, repr(sweep).strip("<>"))


def _facts(sweep: Swept) -> str:
    plan = sweep.plan
    seconds = sum(outcome.wall_s for outcome in sweep.outcomes.values())
    counts = {
        "cells": len(plan.cells), "failed": len(sweep.failed), "missing": sweep.missing, "repeats": plan.repeat,
        "seed": plan.seed, "time of all cells": f"{seconds:,.1f} s",
    }  # fmt: skip
    units = {"duration": "duration (ms)", "skip": "skip (ms)"}
    facts = {**{units.get(name, name): value for name, value in plan.what.items()}, **counts}
    axes = table(["parameter", "values"], [(name, _listed(values)) for name, values in plan.grid.items()], texts=[1])
    return cards((name, _fact(value)) for name, value in facts.items() if value is not None) + axes


def _means(sweep: Swept) -> str:
    """A row for each point of the grid, the mean over its repeats and the standard deviation."""
    columns, names = sweep.table(), list(sweep.grid)
    quantities = sweep.quantities
    found = [average(columns, quantity, names, sweep.grid) for quantity in quantities]
    flat = [(mean.ravel(), deviation.ravel()) for mean, deviation in found]

    def rows() -> Iterator[list[str]]:
        for place, point in enumerate(points(sweep.grid)[:MOST_ROWS]):
            numbers = [_number(mean[place], deviation[place]) for mean, deviation in flat]
            yield [*(_text(value) for value in point.values()), *numbers]

    count = int(np.prod([len(values) for values in sweep.grid.values()]))
    left = f" The first {MOST_ROWS:,} of {count:,} points." if count > MOST_ROWS else ""
    note = paragraph(f"Mean and, of several repeats that differ, standard deviation.{left} table.csv has each cell.")
    return note + table([*names, *map(label, quantities)], rows())


def _failed(sweep: Swept) -> str:
    failed = sweep.failed
    rows = [
        (str(one.cell), ", ".join(f"{name} = {_text(value)}" for name, value in one.parameters.items()),
         str(one.repeat), str(one.seed), one.error)
        for one in failed[:MOST_FAILED]
    ]  # fmt: skip
    left = paragraph(f"The first {MOST_FAILED} of {len(failed):,}.") if len(failed) > MOST_FAILED else ""
    return left + table(["cell", "parameters", "repeat", "seed", "error"], rows, texts=[1, 4])


def _listed(values: Sequence[object]) -> str:
    texts = [_text(value) for value in values]
    return ", ".join(texts if len(texts) <= 30 else [*texts[:28], "…", texts[-1]])


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_text(each)}" for name, each in value.items())
    return _text(value)


def _number(mean: float, deviation: float) -> str:
    if not np.isfinite(mean):
        return "–"
    return f"{mean:.4g} ± {deviation:.2g}" if deviation > 0.0 else f"{mean:.4g}"


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
