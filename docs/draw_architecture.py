"""Draws the two pictures of architecture.md: python docs/draw_architecture.py, from the repository."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

IMAGES = Path(__file__).parent / "images"
# From top to bottom; what is on a floor imports only what lies below it.
FLOORS = [
    ("doors", "cli  scenario  console  progress", ""),
    ("face", "network  Network, Population, Projection", ""),
    ("run", "engine  Simulation   reference   state  weights", "engine.pyx  team  state"),
    ("plan", "compilation  compile_*  plan  layout  groups  lanes", "connect  merge  rows  net"),
    ("words", "stimuli  currents  point_processes  connect  recording", "lines  values"),
    ("equations", "models/", "linear  izhikevich  exponential  ..."),
    ("solve", "models/closed_form  crossing  frames  taylor", "the same names"),
    ("chance", "distributions  streams", "philox  stream  cell.h  external.h"),
    ("data", "results  trains  storage  plot", ""),
    ("ground", "errors  outcome  checks  paths", "mathfunc  memory  integers.h"),
]
COLOURS = {"calm": "#8fb8de", "followed": "#e07a5f", "held": "#c9cad9", "apart": "#f2cc8f"}


def box(axes: Axes, x: float, y: float, width: float, height: float, text: str, colour: str, size: float = 9.0) -> None:
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.02", facecolor=colour, edgecolor="0.4"))
    axes.text(x + width / 2.0, y + height / 2.0, text, ha="center", va="center", fontsize=size)


def floors() -> None:
    figure, axes = plt.subplots(figsize=(9.0, 5.2))
    for k, (name, above, below) in enumerate(FLOORS):
        y = len(FLOORS) - 1.0 - k
        axes.text(0.0, y + 0.35, name, va="center", fontsize=10, weight="bold")
        box(axes, 1.3, y, 5.0, 0.7, above, "#e8eef4", 8.5)
        if below:
            box(axes, 6.6, y, 3.4, 0.7, below, "#f5ead7")
    axes.text(3.8, len(FLOORS) + 0.1, "eventsnn/", ha="center", fontsize=10)
    axes.text(8.3, len(FLOORS) + 0.1, "ext/eventsnn/_core/", ha="center", fontsize=10)
    axes.set(xlim=(-0.1, 10.2), ylim=(-0.2, len(FLOORS) + 0.5))
    axes.axis("off")
    figure.savefig(IMAGES / "floors.png", dpi=110, bbox_inches="tight")


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
