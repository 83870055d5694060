"""The table of a sweep: a column for each parameter and quantity, a row for each cell that was simulated."""

from __future__ import annotations

import csv
import importlib
import os
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventsnn.base.errors import InputError, suggest
from eventsnn.base.paths import as_path, replacing
from eventsnn.batch.cells import Outcome
from eventsnn.batch.grid import TAKEN, Cell, Value
from eventsnn.results.hand_over import package

Column = NDArray[Any]
OWN = (*TAKEN, "seed")


def columns(cells: Sequence[Cell], outcomes: Mapping[int, Outcome]) -> dict[str, Column]:
    """The columns, in the order of the cells: cell, the grid's parameters, repeat, seed, then what was measured.

    A quantity that some cells lack is NaN there. Cells that failed have no row.
    """
    done = [cell for cell in cells if cell.index in outcomes and outcomes[cell.index].error is None]
    names = list(cells[0].parameters) if cells else []
    found = {"cell": _column([cell.index for cell in done])}
    found |= {name: _column([cell.parameters[name] for cell in done]) for name in names}
    found["repeat"] = _column([cell.repeat for cell in done])
    if any(cell.seed is not None for cell in done):
        found["seed"] = _column([cell.seed for cell in done])
    for quantity in quantities(outcomes):
        values = [outcomes[cell.index].measured.get(quantity, np.nan) for cell in done]
        # A parameter may have the name of a quantity.
        found[quantity if quantity not in found else f"{quantity} (measured)"] = np.array(values, dtype=np.float64)
    return found


def quantities(outcomes: Mapping[int, Outcome]) -> list[str]:
    """What was measured, in the order of the first cell that has it."""
    found: dict[str, None] = {}
    for index in sorted(outcomes):
        found |= dict.fromkeys(outcomes[index].measured)
    return list(found)


def write_csv(table: Mapping[str, Column], path: str | os.PathLike[str], force: bool) -> None:
    """A line of names, then one for each row; floats with all the digits that they need to be read back as they are."""
    target = as_path(path, "the table")
    with replacing(target, "the table", force) as staging, staging.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))


def write_parquet(table: Mapping[str, Column], path: str | os.PathLike[str], force: bool) -> None:
    """The same as Apache Parquet. Raises InputError without the packages pandas and pyarrow."""
    package("pyarrow", "parquet")
    frame = dataframe(table)
    target = as_path(path, "the table")
    with replacing(target, "the table", force) as staging:
        frame.to_parquet(staging, engine="pyarrow", index=False)


def dataframe(table: Mapping[str, Column]) -> Any:
    """The same as a pandas.DataFrame. Raises InputError without the package pandas."""
    package("pandas", "pandas")
    return importlib.import_module("pandas").DataFrame(dict(table))


def average(
    table: Mapping[str, Column], quantity: str, names: Sequence[str], grid: Mapping[str, Sequence[Value]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (ddof = 0) of a quantity over all rows that have the same values of some parameters.

    Both have an axis for each of `names`, with an entry for each of its values in the grid; NaN where no row has a
    number. Raises InputError for a quantity that was not measured.
    """
    if not isinstance(quantity, str) or quantity not in table or table[quantity].dtype.kind not in "iuf":
        raise InputError(f"sweep: {reprlib.repr(quantity)} was not measured; {suggest(quantity, table)}")
    shape = tuple(len(grid[name]) for name in names)
    places = [np.array([grid[name].index(value) for value in table[name].tolist()], dtype=np.int64) for name in names]
    values = np.asarray(table[quantity], dtype=np.float64)
    known = np.isfinite(values)
    flat = np.ravel_multi_index(places, shape) if names else np.zeros(len(values), dtype=np.int64)
    flat, values = np.asarray(flat, dtype=np.int64)[known], values[known]
    size = int(np.prod(shape))
    with np.errstate(invalid="ignore", divide="ignore"):
        count = np.bincount(flat, minlength=size)
        mean = np.bincount(flat, values, size) / count
        variance = np.bincount(flat, (values - mean[flat]) ** 2, size) / count
    return mean.reshape(shape), np.sqrt(variance).reshape(shape)


def _column(values: Sequence[Value]) -> Column:
    """An array of integers, floats, truths or texts; of objects where they are mixed."""
    kinds = {type(value) for value in values}
    if kinds <= {int, float} and kinds:
        return np.array(values, dtype=np.float64 if float in kinds else np.int64)
    if kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    if kinds == {str}:
        return np.array(values)
    return np.array(values, dtype=object) if kinds else np.array([], dtype=np.float64)
