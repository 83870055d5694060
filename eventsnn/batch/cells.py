"""The outcome of a cell: how it comes about, and its file in the folder of a sweep.

OUT/cells/NNNNNN.json is written beside its place and moved there, so that a process that is killed leaves a whole file
or none. It names the cell's parameters, seed and repeat, and has a SHA-256 of all that.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventsnn.base.errors import InputError
from eventsnn.batch.grid import Cell, Value
from eventsnn.batch.measures import as_numbers
from eventsnn.results.files import DAMAGE

CELLS = "cells"
FORMAT, VERSION = "eventsnn sweep cell", 1

# Simulates a cell, given all its parameters and its seed, and returns what was measured.
Task = Callable[[dict[str, Value], int | None], Mapping[str, Any]]


class DamagedCell(InputError):
    """The file of a cell that does not hold what was written there."""


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: the numbers measured, or why there are none.

    index: of the cell. error: None, or what was raised. wall_s: seconds that it took.
    """

    index: int
    measured: dict[str, float]
    error: str | None
    wall_s: float


def work(task: Task, cell: Cell) -> Outcome:
    """Simulate a cell. What goes wrong in it is its outcome, and does not keep the others from being simulated."""
    begun = time.perf_counter()
    try:
        measured, error = as_numbers(task(dict(cell.parameters), cell.seed)), None
    except Exception as failure:
        text = " ".join(str(failure).split())
        measured, error = {}, f"{type(failure).__name__}: {text}" if text else type(failure).__name__
    return Outcome(cell.index, measured, error, time.perf_counter() - begun)


def cell_path(folder: Path, index: int) -> Path:
    """The file of a cell in the folder of its sweep."""
    return folder / CELLS / f"{index:06d}.json"


def keep(folder: Path, cell: Cell, outcome: Outcome) -> None:
    """Write the file of a cell, whole or not at all. Raises InputError if it cannot be written."""
    path = cell_path(folder, cell.index)
    content = _head(cell) | {
        "measured": {name: _to_json(value) for name, value in outcome.measured.items()},
        "error": outcome.error,
        "wall_s": outcome.wall_s,
    }
    write_json(path, content | {"sha256": _sum_of(content)})


def read_outcome(folder: Path, cell: Cell) -> Outcome | None:
    """The outcome of a cell; None if it has none yet.

    Raises DamagedCell for a file that is damaged or of another cell, InputError for one that may not be read.
    """
    path = cell_path(folder, cell.index)
    try:
        content = json.loads(path.read_text("utf-8"))
        said = content.pop("sha256")
        if said != _sum_of(content):
            raise ValueError("its SHA-256 is not the one that it names")
        if {name: content[name] for name in _head(cell)} != _head(cell):
            raise ValueError("it is of another cell")
        measured = {str(name): _from_json(value) for name, value in content["measured"].items()}
        return Outcome(cell.index, measured, content["error"], float(content["wall_s"]))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise InputError(f"{path} may not be read; change its permissions") from None
    except DAMAGE as error:
        raise DamagedCell(f"{path} is damaged ({error})") from None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of JSON beside its place and move it there. Raises InputError if it cannot be written."""
    staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with staging.open("x", encoding="utf-8") as file:
            json.dump(content, file, indent=1, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            staging.unlink(missing_ok=True)


def _head(cell: Cell) -> dict[str, Any]:
    return {
        "format": FORMAT, "version": VERSION, "index": cell.index, "parameters": cell.parameters,
        "repeat": cell.repeat, "seed": cell.seed,
    }  # fmt: skip


def _sum_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _to_json(value: float) -> float | str:
    """JSON has neither NaN nor infinity: they are written as texts."""
    return value if math.isfinite(value) else repr(value)


def _from_json(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no number")
    return float(value)
