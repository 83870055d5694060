"""Draws the two pictures of architecture.md: python docs/draw_architecture.py, from the repository.

The floors are drawn from the sources, by what tests/support/floors.py reads in them.
"""

import sys
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))
from floors import FLOORS, floor, sources

IMAGES = Path(__file__).parent / "images"
COLOURS = {"calm": "#8fb8de", "followed": "#e07a5f", "held": "#c9cad9", "apart": "#f2cc8f"}


def box(axes: Axes, x: float, y: float, width: float, height: float, text: str, colour: str, size: float = 9.0) -> None:
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.02", facecolor=colour, edgecolor="0.4"))
    axes.text(x + width / 2.0, y + height / 2.0, text, ha="center", va="center", fontsize=size)


def modules_of(number: int, kernels: bool) -> list[str]:
    """What stands on a floor in one of the trees, a folder's modules in brackets behind its name."""
    folders: dict[str, list[str]] = {}
    for module, files in sorted(sources().items()):
        folder = any(path.stem == "__init__" for path in files)
        if floor(module) != number or ("._core." in module) != kernels or module.endswith(".h") or folder:
            continue
        *folder_names, name = module.split(".")[3 if kernels else 2 :] or [module.split(".")[-1]]
        folders.setdefault("/".join(folder_names), []).append(name)
    plain = folders.pop("", [])
    return plain + [f"{folder} ({', '.join(names)})" for folder, names in folders.items()]


def floors() -> None:
    rows = []
    for number, (name, meaning) in enumerate(FLOORS.items()):
        texts = [
            textwrap.wrap("  ".join(modules_of(number, kernels)), width) for kernels, width in ((False, 74), (True, 60))
        ]
        rows.append((name, meaning, *texts, 0.24 * max(map(len, texts)) + 0.2))
    total = sum(row[-1] + 0.12 for row in rows)
    figure, axes = plt.subplots(figsize=(13.0, 0.95 * total))
    y = total
    axes.text(4.2, y + 0.1, "eventsnn/", ha="center", fontsize=10)
    axes.text(10.2, y + 0.1, "ext/eventsnn/_core/", ha="center", fontsize=10)
    for name, meaning, above, below, height in rows:
        y -= height + 0.12
        axes.text(0.0, y + height / 2.0 + 0.07, name, va="center", fontsize=10, weight="bold")
        axes.text(0.0, y + height / 2.0 - 0.13, meaning, va="center", fontsize=7.5, color="0.35")
        for x, width, lines, colour in ((1.4, 5.7, above, "#e8eef4"), (7.5, 5.4, below, "#f5ead7")):
            if lines:
                box(axes, x, y, width, height, "\n".join(lines), colour, 8.0)
    axes.set(xlim=(-0.1, 13.1), ylim=(-0.1, total + 0.3))
    axes.axis("off")
    figure.savefig(IMAGES / "floors.png", dpi=80, bbox_inches="tight")


def window() -> None:
    """One window: rows in order of time across four neurons, one of each sort."""
    figure, axes = plt.subplots(figsize=(9.0, 4.4))
    rows = [0.16, 0.34, 0.55, 0.55, 0.78]
    sorts = [
        ("calm", "D < 0 after every time"),
        ("followed", "from event to event"),
        ("held", "refractory: nothing is listed"),
    ]
    for k, (sort, what) in enumerate([*sorts, ("apart", "in its record, by the inbox")]):
        y = 3.0 - k
        axes.barh(y, 1.0, height=0.5, color=COLOURS[sort], edgecolor="0.4")
        axes.text(-0.02, y + 0.08, sort, ha="right", va="center", weight="bold")
        axes.text(-0.02, y - 0.14, what, ha="right", va="center", fontsize=8)
    for time in rows:
        axes.plot([time, time], [-0.4, 3.4], color="0.2", linewidth=1.2)
    axes.text(0.55, 3.5, "two rows of one time: added, then looked at", ha="center", fontsize=8)
    axes.plot([0.08, 0.25, 0.47, 0.66, 0.9], [2.0] * 5, "k.", markersize=6)
    axes.text(0.66, 2.33, "its external spikes, at their times", fontsize=8, ha="center")
    axes.plot([0.855], [2.0], "*", color="k", markersize=13)
    axes.text(0.86, 1.63, "spike: rows beyond the window", fontsize=8, ha="center")
    axes.annotate("begin_blocks", (0.0, -0.45), (0.0, -0.85), ha="center", arrowprops={"arrowstyle": "->"})
    axes.annotate("finish_window", (1.0, -0.45), (1.0, -0.85), ha="center", arrowprops={"arrowstyle": "->"})
    axes.text(0.5, -0.8, "deliver: rows in order of time", ha="center")
    axes.set(xlim=(-0.42, 1.08), ylim=(-1.0, 3.75))
    axes.axis("off")
    figure.savefig(IMAGES / "window.png", dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    floors()
    window()
