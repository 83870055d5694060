"""The grid of a sweep: its values, its points in order, and the cells with their seeds."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from eventsnn.base.checks import require_order
from eventsnn.base.errors import InputError

# Cells that a sweep may have: each is a file.
MOST_CELLS = 1_000_000
# Bytes of a seed: so many are exact in a float of any program that reads the table.
SEED_BYTES = 6
# Columns that every table has.
TAKEN = ("cell", "repeat")

Value = bool | int | float | str | None
Grid = dict[str, list[Value]]


@dataclass(frozen=True)
class Cell:
    """One simulation of a sweep.

    index: its place in the sweep, from 0. parameters: of the grid. repeat: from 0. seed: drawn for this cell, or None
    where the grid gives the seeds or the network has none.
    """

    index: int
    parameters: dict[str, Value]
    repeat: int
    seed: int | None


def spaced(first: str, last: str, count: int) -> list[float]:
    """`count` values from `first` to `last`, both included, each the float nearest to its exact decimal value.

    Raises InputError if the ends are no finite numbers or the count is below 2.
    """
    try:
        low, high = Fraction(first.strip()), Fraction(last.strip())
        ends = float(low), float(high)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise InputError(f"{first}:{last}:{count} must begin and end with finite numbers, such as 3:8:6") from None
    if count < 2 or count > MOST_CELLS:
        raise InputError(f"{first}:{last}:{count} must ask for 2 to {MOST_CELLS:,} values, such as 3:8:6")
    if ends[0] == ends[1]:
        raise InputError(f"{first}:{last}:{count} begins where it ends; give a single value")
    return [float(low + (high - low) * k / (count - 1)) for k in range(count)]


def checked_grid(grid: Any) -> Grid:
    """The grid as a dictionary of lists of plain values; InputError for one that makes no sense."""
    if not isinstance(grid, Mapping) or not all(isinstance(name, str) for name in grid):
        raise InputError(f"sweep: grid = {reprlib.repr(grid)} must be a dictionary such as {{'g': [3.0, 4.0]}}")
    taken = next((name for name in grid if name in TAKEN), None)
    if taken is not None:
        raise InputError(f"sweep: grid: a parameter {taken!r} would be taken for the table's own column; rename it")
    return {name: _values(name, values) for name, values in grid.items()}


def points(grid: Grid) -> list[dict[str, Value]]:
    """All combinations of the grid's values, those of the last parameter varying fastest."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def cells_of(grid: Grid, repeat: int, seed: int, seeded: bool) -> list[Cell]:
    """The cells of a sweep: the whole grid once, then once more for each further repeat."""
    count = math.prod(map(len, grid.values())) * repeat
    if count > MOST_CELLS:
        raise InputError(f"sweep: {count:,} cells are more than {MOST_CELLS:,}; give a smaller grid or fewer repeats")
    numbered = enumerate(itertools.product(range(repeat), points(grid)))
    return [
        Cell(index, parameters, k, cell_seed(seed, parameters, k) if seeded else None)
        for index, (k, parameters) in numbered
    ]


def cell_seed(seed: int, parameters: Mapping[str, Value], repeat: int) -> int:
    """The seed of a cell, from 0 to 2**48 - 1.

    It follows from the sweep's seed, the cell's parameters and its repeat alone: neither the other cells nor their
    order change it, nor whether a number was written as 3 or 3.0.
    """
    named = {name: _canonical(value) for name, value in parameters.items()}
    text = json.dumps([seed, named, repeat], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:SEED_BYTES], "big")


def _canonical(value: Value) -> Value:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _values(name: str, given: Any) -> list[Value]:
    what = f"sweep: grid: the values of {name}"
    require_order(given, what, "a list, such as [3.0, 4.0]")
    values = [_plain(value, what) for value in given]
    if not values:
        raise InputError(f"{what} are none; give at least one")
    if len(set(values)) < len(values):
        raise InputError(f"{what} = {reprlib.repr(values)} have one twice; use repeat for more than one run of each")
    return values


def _plain(value: Any, what: str) -> Value:
    if isinstance(value, np.generic):
        value = value.item()
    if not (value is None or isinstance(value, bool | int | float | str)):
        raise InputError(f"{what}: {reprlib.repr(value)} must be a number, a text, True, False or None")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{what}: {value} must be finite")
    return value


def axes(grid: Mapping[str, Sequence[Value]]) -> list[str]:
    """The parameters that have more than one value, in the order of the grid."""
    return [name for name, values in grid.items() if len(values) > 1]
