"""`eventsnn report`: the results of a finished run, or a sweep, become one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eventsnn.base.paths import as_path, require_free
from eventsnn.batch.plan import is_sweep
from eventsnn.batch.sweep import load_sweep
from eventsnn.cli.console import console, input_errors, interrupts
from eventsnn.results.results import load


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of a finished run, such as runs/brunel, or a sweep.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the page; DIR/report.html if left out.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there already.")] = False,
) -> None:
    """Write the results of a finished run as one HTML page that needs no network.

    It has a raster to zoom into, rates, traces, statistics, weights, the checks and what the engine counted. That of a
    sweep has its pictures, its table and what failed.
    """
    with input_errors(), interrupts("interrupted; no report is written"):
        target = as_path(out or folder / "report.html", "the report")
        require_free(target, "the report", force)
        found = load_sweep(folder) if is_sweep(folder) else load(folder)
        found.report(target, force=force)
    console().print(str(target), soft_wrap=True)
