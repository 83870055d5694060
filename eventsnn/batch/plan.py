"""What a sweep is: its grid, repeats and seed, and what is simulated; sweep.json in its folder says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eventsnn.base.checks import whole
from eventsnn.base.errors import InputError
from eventsnn.batch.cells import CELLS, write_json
from eventsnn.batch.grid import Cell, Grid, cells_of, checked_grid
from eventsnn.results.files import DAMAGE, plain

PLAN = "sweep.json"
FORMAT, VERSION = "eventsnn sweep", 1
REPEATS = 100_000


@dataclass(frozen=True)
class Plan:
    """The description of a sweep.

    grid: values by parameter. repeat: simulations of each point. seed: seeds of cells follow from it. seeded: whether
    cells have seeds of their own. what: all else that the numbers depend on, fit for JSON.
    """

    grid: Grid
    repeat: int
    seed: int
    seeded: bool
    what: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, grid: Any, repeat: Any, seed: Any, takes_seed: bool, what: Mapping[str, Any]) -> Plan:
        """The same of what a user gave. Raises InputError for what makes no sense, and for repeats that would all be
        the same."""
        values = checked_grid(grid)
        repeat, seed = whole(repeat, "sweep: repeat", 1, REPEATS), whole(seed, "sweep: seed", 0)
        seeded = takes_seed and "seed" not in values
        if repeat > 1 and not seeded:
            why = "the grid gives the seeds" if "seed" in values else "the network is built without a parameter seed"
            raise InputError(f"sweep: repeat = {repeat} would give the same numbers again, since {why}; give repeat 1")
        return cls(values, repeat, seed, seeded, plain({**what, "eventsnn": version("eventsnn")}))

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells, in order."""
        return cells_of(self.grid, self.repeat, self.seed, self.seeded)

    def write(self, folder: Path) -> None:
        """Say in a folder what is swept into it, or find that it says so already.

        Raises InputError if it is that of another sweep, holds something else, or cannot be written. More repeats than
        before are added to those that are there.
        """
        if (folder / PLAN).exists() and any((folder / CELLS).glob("*.json")):
            _require_same(read_plan(folder), self, folder)
        elif not (folder / PLAN).exists() and (other := next(_others(folder), None)):
            raise InputError(f"{folder} holds no sweep but other files, such as {other.name}; name another folder")
        content = {
            "format": FORMAT, "version": VERSION, "grid": self.grid, "repeat": self.repeat, "seed": self.seed,
            "seeded": self.seeded, "what": self.what,
        }  # fmt: skip
        write_json(folder / PLAN, content)
        make_folder(folder / CELLS)


def _others(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if not path.name.startswith("."))


def make_folder(folder: Path) -> None:
    """Make a folder and those around it, unless it is there. Raises InputError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the sweep's folder {folder} cannot be made: {error.strerror}") from None


def is_sweep(folder: Path) -> bool:
    """Whether a folder is that of a sweep."""
    return (folder / PLAN).is_file()


def read_plan(folder: Path) -> Plan:
    """What the folder of a sweep says that it is. Raises InputError if it is none, or damaged."""
    path = folder / PLAN
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT or content["version"] != VERSION or not isinstance(content["what"], dict):
            raise ValueError("it is not what this eventsnn writes")
        repeat, seed = whole(content["repeat"], "repeat", 1, REPEATS), whole(content["seed"], "seed", 0)
        return Plan(checked_grid(content["grid"]), repeat, seed, bool(content["seeded"]), content["what"])
    except FileNotFoundError:
        raise InputError(f"{folder} holds no sweep: there is no {PLAN}; eventsnn sweep --out makes one") from None
    except DAMAGE as error:
        raise InputError(f"{path} is damaged ({error}); name another folder") from None


def _require_same(kept: Plan, new: Plan, folder: Path) -> None:
    other = next((text for text in _differences(kept, new)), None)
    if other is not None:
        raise InputError(f"{folder} holds another sweep: {other}; name another folder for this one")
    if new.repeat < kept.repeat:
        raise InputError(f"{folder} has {kept.repeat} repeats, which cannot become {new.repeat}; name another folder")


def _differences(kept: Plan, new: Plan) -> list[str]:
    """In words, what one has otherwise than the other."""
    found = []
    if list(kept.grid) != list(new.grid):
        found.append(f"its grid is of {', '.join(kept.grid) or 'nothing'}, not of {', '.join(new.grid) or 'nothing'}")
    for name in kept.grid:
        if name in new.grid and kept.grid[name] != new.grid[name]:
            found.append(f"its grid has {name} = {kept.grid[name]}, not {new.grid[name]}")
    if kept.seed != new.seed:
        found.append(f"its seed is {kept.seed}, not {new.seed}")
    if replace(kept, grid={}, repeat=1, seed=0) != replace(new, grid={}, repeat=1, seed=0):
        names = [*kept.what, *(name for name in new.what if name not in kept.what)]
        found += [
            f"its {name}: {kept.what.get(name)}, not {new.what.get(name)}"
            for name in names
            if kept.what.get(name) != new.what.get(name)
        ] or ["its cells have seeds otherwise"]
    return found
