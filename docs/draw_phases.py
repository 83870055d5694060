"""Draws the phase diagram of docs/sweeps.md: python docs/draw_phases.py sweeps/brunel, from the repository.

sweeps/brunel is the sweep whose command that page gives.
"""

from __future__ import annotations

import sys
from pathlib import Path

import eventsnn as esn
from eventsnn.batch.measures import label
from eventsnn.batch.plot import heat_map
from eventsnn.results.picture import Picture

PICTURE = Path(__file__).parent / "images" / "phases.png"
QUANTITIES = ("exc.rate", "exc.cv", "exc.synchrony", "exc.frequency")
# Where Brunel's figure 8 is, A to D: g, eta and the regime.
REGIMES = ((3.0, 2.0, "SR"), (6.0, 4.0, "SI fast"), (5.0, 2.0, "AI"), (4.5, 0.9, "SI slow"))


def draw(sweep: esn.Sweep, path: Path) -> None:
    """Write the picture of the excitatory population's rate, CV, synchrony and frequency, with the regimes' names."""
    picture = Picture(figsize=(8.6, 6.2), layout="constrained")
    for panel, quantity in zip(picture.subplots(2, 2).ravel(), QUANTITIES, strict=True):
        heat_map(panel, sweep, quantity, "g", "eta")
        panel.set_title(label(quantity), fontsize="medium")
        for g, eta, name in REGIMES:
            at = sweep.grid["g"].index(g), sweep.grid["eta"].index(eta)
            box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
            panel.annotate(name, at, ha="center", va="center", fontsize="small", bbox=box)
    picture.savefig(path, dpi=80)


if __name__ == "__main__":
    draw(esn.load_sweep(sys.argv[1]), PICTURE)
