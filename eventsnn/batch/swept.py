"""What came out of a sweep: which cells there are, what became of them, the table and its means."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from eventsnn.base.errors import InputError, suggest
from eventsnn.batch import table as tables
from eventsnn.batch.cells import Outcome
from eventsnn.batch.grid import Grid, Value, axes
from eventsnn.batch.plan import Plan


class Failure(NamedTuple):
    """A cell that could not be simulated.

    Attributes: cell (its index), parameters (of the grid), repeat, seed (or None), error (what was raised, as text).
    """

    cell: int
    parameters: dict[str, Value]
    repeat: int
    seed: int | None
    error: str


@dataclass(frozen=True)
class Swept:
    """The outcomes of a sweep; `Sweep` has pictures and files of them."""

    plan: Plan
    outcomes: dict[int, Outcome]
    folder: Path | None = None

    @property
    def grid(self) -> Grid:
        """The values of each parameter."""
        return self.plan.grid

    @property
    def quantities(self) -> list[str]:
        """The names of what was measured."""
        return [name for name in self.table() if name not in (*tables.OWN, *self.grid)]

    @property
    def failed(self) -> list[Failure]:
        """The cells that could not be simulated, in order."""
        return [
            Failure(cell.index, cell.parameters, cell.repeat, cell.seed, error)
            for cell in self.plan.cells
            if cell.index in self.outcomes and (error := self.outcomes[cell.index].error) is not None
        ]

    @property
    def missing(self) -> int:
        """How many cells were not simulated yet."""
        return len(self.plan.cells) - len(self.outcomes)

    def table(self) -> dict[str, tables.Column]:
        """Columns by name, a row for each cell that was simulated, in the order of the cells.

        The columns are cell, the parameters of the grid, repeat, seed (unless the grid gives it), and then a column of
        floats for each quantity, NaN where a cell lacks it.
        """
        return tables.columns(self.plan.cells, self.outcomes)

    def mean(self, quantity: str, *names: str) -> Any:
        """The mean of a quantity at each value of these parameters, over repeats and all other parameters.

        Without names those that have several values. An array with an axis for each; NaN where nothing was measured.
        Raises InputError for an unknown quantity or parameter.
        """
        chosen = list(names) or axes(self.grid)
        for name in chosen:
            self.require_parameter(name)
        return tables.average(self.table(), quantity, chosen, self.grid)[0]

    def require_parameter(self, name: object) -> None:
        """Raises InputError unless the grid has this parameter."""
        if not isinstance(name, str) or name not in self.grid:
            raise InputError(f"sweep: the grid has no parameter {reprlib.repr(name)}; {suggest(name, self.grid)}")
