"""Pictures of sweeps: a quantity over two parameters as a heat map, over one as a curve. No pyplot, as in results."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from eventsnn.base.errors import InputError
from eventsnn.base.paths import AnyPath, as_path
from eventsnn.batch.grid import Value, axes
from eventsnn.batch.measures import label
from eventsnn.batch.swept import Swept
from eventsnn.batch.table import average
from eventsnn.results.picture import Picture
from eventsnn.results.style import COLOURS

MOST_PANELS, COLUMNS = 25, 5
MOST_TICKS = {"x": 6, "y": 10}
PANEL = (3.1, 2.5)  # inches
NAME_LENGTH = 40  # letters


def overview(sweep: Swept) -> Picture:
    """All quantities, at most 25: heat maps where the grid has two axes or more, curves where it has one, a point for
    each repeat where it has none."""
    shown = sweep.quantities[:MOST_PANELS]
    columns = max(min(COLUMNS, len(shown)), 1)
    rows = -(-max(len(shown), 1) // columns)
    picture = Picture(figsize=(PANEL[0] * columns, PANEL[1] * rows), layout="constrained")
    panels = picture.subplots(rows, columns, squeeze=False).ravel()
    names = axes(sweep.grid)
    for panel, quantity in zip(panels, shown, strict=False):
        if len(names) >= 2:
            heat_map(panel, sweep, quantity, names[0], names[1])
        elif names:
            curves(panel, sweep, quantity, names[0], None)
        else:
            repeats(panel, sweep, quantity)
    for panel in panels[len(shown) :]:
        panel.set_axis_off()
    if not shown:
        panels[0].text(0.5, 0.5, "nothing was measured", ha="center", va="center", color="0.5")
    return picture


def heat_map_figure(sweep: Swept, quantity: str, x: str | None, y: str | None) -> Picture:
    """One heat map; see Sweep.heat_map."""
    first, second = _chosen(sweep, x, y, "heat_map")
    if first is None or second is None:
        raise InputError("sweep: heat_map needs two parameters with several values; draw curves instead")
    picture = Picture(figsize=(4.6, 3.6), layout="constrained")
    heat_map(picture.subplots(), sweep, quantity, first, second)
    return picture


def curves_figure(sweep: Swept, quantity: str, x: str | None, by: str | None) -> Picture:
    """One panel of curves; see Sweep.curves."""
    first, second = _chosen(sweep, x, by, "curves")
    if first is None:
        raise InputError("sweep: curves needs a parameter with several values; the table has what was measured")
    picture = Picture(figsize=(5.2, 3.6), layout="constrained")
    curves(picture.subplots(), sweep, quantity, first, second)
    return picture


def written(picture: Picture, path: AnyPath | None) -> Picture:
    """The picture, in a file too if a path is given. Raises InputError if that cannot be written."""
    if path is not None:
        target = as_path(path, "the picture")
        try:
            picture.savefig(target, dpi=100)
        except (OSError, ValueError) as error:  # ValueError: a suffix that matplotlib does not know
            raise InputError(f"the picture {target} cannot be written: {error}") from None
    return picture


def heat_map(panel: Axes, sweep: Swept, quantity: str, x: str, y: str) -> None:
    """Draw the mean of a quantity at each value of x and y; grey where there is none."""
    mean = average(sweep.table(), quantity, [y, x], sweep.grid)[0]
    panel.set_facecolor("0.85")
    image = panel.imshow(np.ma.masked_invalid(mean), origin="lower", aspect="auto", cmap="viridis")
    _ticks(panel, sweep.grid[x], x, "x")
    _ticks(panel, sweep.grid[y], y, "y")
    panel.set_title(_text(label(quantity)), fontsize="medium")
    figure = panel.get_figure()
    if figure is not None and np.isfinite(mean).any():
        figure.colorbar(image, ax=panel)


def curves(panel: Axes, sweep: Swept, quantity: str, x: str, by: str | None) -> None:
    """Draw the mean of a quantity over x, with its standard deviation, in a colour for each value of `by`."""
    names = [x] if by is None else [by, x]
    mean, deviation = (np.atleast_2d(array) for array in average(sweep.table(), quantity, names, sweep.grid))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in sweep.grid[x])
    places = np.array(sweep.grid[x] if numbers else range(len(sweep.grid[x])), dtype=np.float64)
    order = np.argsort(places)
    labels = [None] if by is None else [f"{_text(by)} = {_value(value)}" for value in sweep.grid[by]]
    for row, (name, heights, bars) in enumerate(zip(labels, mean, deviation, strict=True)):
        panel.errorbar(
            places[order], heights[order], bars[order] if bars.any() else None, color=COLOURS[row % len(COLOURS)],
            marker="o", markersize=3, linewidth=1.0, capsize=2, linestyle=("-", "--", ":")[row // len(COLOURS) % 3],
            label=name,
        )  # fmt: skip
    if numbers:
        panel.set_xlabel(_text(x))
    else:
        _ticks(panel, sweep.grid[x], x, "x")
    if by is not None and len(labels) <= 3 * len(COLOURS):
        panel.legend(fontsize="small", frameon=False, ncols=1 + len(labels) // 9)
    _finish(panel, quantity)


def repeats(panel: Axes, sweep: Swept, quantity: str) -> None:
    """Draw a point for each cell: its repeat and the quantity."""
    table = sweep.table()
    panel.plot(table["repeat"], table[quantity], "o", color=COLOURS[0], markersize=3)
    panel.set_xlabel("repeat")
    _finish(panel, quantity)


def _finish(panel: Axes, quantity: str) -> None:
    panel.set_title(_text(label(quantity)), fontsize="medium")
    panel.spines[["top", "right"]].set_visible(False)


def _chosen(sweep: Swept, first: str | None, second: str | None, what: str) -> tuple[str | None, ...]:
    """Two names: those that were given, else the next parameters with several values, as far as there are any."""
    for name in (first, second):
        if name is not None:
            sweep.require_parameter(name)
    if first is not None and first == second:
        raise InputError(f"sweep: {what}: {first!r} cannot be on both axes; give two parameters")
    free = iter([name for name in axes(sweep.grid) if name not in (first, second)])
    return tuple(name if name is not None else next(free, None) for name in (first, second))


def _ticks(panel: Axes, values: Sequence[Value], name: str, axis: str) -> None:
    """Name the values beside the axis, every second or third of them if they are many."""
    step = -(-len(values) // MOST_TICKS[axis])
    places = list(range(0, len(values), step))
    panel.set(**{f"{axis}ticks": places, f"{axis}ticklabels": [_value(values[k]) for k in places]})
    panel.set(**{f"{axis}label": _text(name)})


def _value(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else _text(str(value))


def _text(name: str) -> str:
    """A name as it is drawn; what matplotlib would take for a formula stays a text."""
    if len(name) > NAME_LENGTH:
        name = f"{name[: NAME_LENGTH - 1]}…"
    return "".join(letter if letter.isprintable() else "?" for letter in name).replace("$", r"\$")
