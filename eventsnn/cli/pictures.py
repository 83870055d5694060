"""The picture of a run: its scenario's own, or the general one."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from eventsnn.base.errors import InputError
from eventsnn.cli.scenario import Scenario
from eventsnn.cli.tables import title
from eventsnn.results.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(results: Results, scenario: Scenario | None, folder: Path, keep: bool = False) -> Path:
    """Draw the scenario's own picture into the folder, or raster.png if it has none; with `keep`, if it is missing."""
    import matplotlib

    # Scenarios may use pyplot, which must not look for a display.
    matplotlib.use("Agg")
    path = folder / f"{scenario.name if scenario and scenario.plot else 'raster'}.png"
    if keep and path.exists():
        return path
    try:
        _picture(results, scenario).savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"picture {path} cannot be written: {error}") from error
    except Exception as error:
        if not keep:
            raise
        # What was read may have been altered, or written when the scenario was another one.
        raise InputError(
            f"picture {path} cannot be drawn of what {folder} holds ({type(error).__name__}: {error}); run it again"
        ) from error
    return path


def _picture(results: Results, scenario: Scenario | None) -> Figure:
    """With scenario, parameters and duration above it, but for what a user's own file draws."""
    words = title(results)
    if not scenario or not scenario.plot:
        return results.plot(title=words)
    figure = scenario.plot(results)
    if scenario.file is None and not figure.texts:
        lines = textwrap.fill(words, int(12.0 * figure.get_figwidth()))
        figure.suptitle(lines, fontsize="medium", parse_math=False)
    return figure
