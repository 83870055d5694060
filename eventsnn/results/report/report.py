"""The page of a run: raster, rates, statistics, traces, weights and what the engine counted."""

from __future__ import annotations

import os

from eventsnn.base.paths import as_path, replacing
from eventsnn.results.recorded import Recorded
from eventsnn.results.report.charts import colours
from eventsnn.results.report.curves import rate_curves, trace_curves, weight_charts
from eventsnn.results.report.facts import engine_section, populations_table, run_section, subtitle, title
from eventsnn.results.report.page import Section, asset, figures, page, paragraph
from eventsnn.results.report.spikes import Drawn, drawn_spikes
from eventsnn.results.report.statistics import population_charts

SCRIPTS = ("view.js", "raster.js", "report.js")
HOW = (
    "Wheel: zoom at the pointer. Drag: move. Shift and drag: zoom into a box. Double-click: everything. Wheel over the "
    "names or the time axis: that axis alone. Arrow keys, + and - work too."
)


def write_report(results: Recorded, path: str | os.PathLike[str], force: bool = False) -> None:
    """Write the page of `results` to `path`, complete or not at all.

    Raises InputError if there is a file already, unless force=True, or if it cannot be written.
    """
    target = as_path(path, "the report")
    with replacing(target, "the report", force) as staging:
        # a text from elsewhere may hold letters that no encoding has
        staging.write_bytes(report_page(results).encode("utf-8", "replace"))


def report_page(results: Recorded) -> str:
    """The whole HTML page."""
    # what lies in parts on disk is read once
    results = Recorded(dict(results.spikes), dict(results.traces), results.t_start, results.t_stop, results.summary)
    populations = [name for name, trains in results.spikes.items() if trains.n > 0]
    palette = colours(len(populations))
    by_name = dict(zip(populations, palette, strict=True))
    drawn = drawn_spikes(results, palette)
    rates, sampled = rate_curves(results, by_name), trace_curves(results, by_name)
    sections = [run_section(results), _activity(drawn, rates.notes, results)]
    if sampled.panels:
        sections.append(Section("Traces", f'<div id="traces"></div>{paragraph(" ".join(sampled.notes))}'))
    charts, notes = population_charts(results, by_name)
    if charts:
        sections.append(Section("Statistics", figures(charts) + paragraph(notes)))
    if weights := weight_charts(results):
        sections.append(Section("Weights", figures(weights)))
    if engine := engine_section(results):
        sections.append(engine)
    data = {"raster": drawn.data, "rates": rates.panels, "traces": sampled.panels}
    return page(title(results), sections, subtitle(results), data, _script())


def _script() -> str:
    """The files of the script, within a function that keeps their names apart from those of the browser."""
    return f'"use strict";\n(() => {{\n{"".join(map(asset, SCRIPTS))}}})();\n'


def _activity(drawn: Drawn, notes: list[str], results: Recorded) -> Section:
    if not drawn.data["populations"]:
        return Section("Activity", paragraph("No population was recorded."))
    said = [HOW]
    if drawn.every > 1:
        said.append(
            f"The raster has one of every {drawn.every:,} neurons of each population, with all of their spikes; "
            "everything else is of all neurons."
        )
    said.append(f"Times of spikes are rounded to {drawn.quantum:g} ms here; spikes.h5 has them in full.")
    places = '<div id="raster"><p>The raster is drawn by a script of this page.</p></div><div id="rates"></div>'
    body = places + paragraph(" ".join([*said, *notes])) + populations_table(results)
    return Section("Activity", body)
