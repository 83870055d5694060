"""`eventsnn sweep`: a scenario simulated over a grid of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import Annotated, Any

import typer

from eventsnn.base.errors import InputError, suggest
from eventsnn.batch.grid import Grid, Value, spaced
from eventsnn.batch.jobs import SLURM_OPTIONS, Where
from eventsnn.batch.measures import standard
from eventsnn.batch.plan import Plan
from eventsnn.batch.sweep import Sweep, simulated
from eventsnn.cli.console import CHECK_FAILED, console, input_errors, interrupts
from eventsnn.cli.scenario import Scenario, load, parse_settings
from eventsnn.results.files import sha256

MOST_LISTED = 20  # failed cells that are printed


class Table(str, Enum):
    """The kinds of tables."""

    csv = "csv"
    parquet = "parquet"


@dataclass(frozen=True)
class ScenarioCell:
    """The task of a cell: the scenario of a name or file, which each process loads by itself, with some parameters set.

    duration, skip: ms.
    """

    scenario: str
    settings: dict[str, Any]
    duration: float
    skip: float
    threads: int

    def __call__(self, parameters: dict[str, Value], seed: int | None) -> Mapping[str, Any]:
        scenario = _loaded(self.scenario)
        chosen = {**self.settings, **parameters, **({} if seed is None else {"seed": seed})}
        network = scenario.build(**chosen)
        live = scenario.simulate(network, self.duration, chosen, threads=self.threads)
        numbers = {name: value for name, value in live.items() if isinstance(value, Real)}
        return {**standard(network.results(), self.skip), **numbers}


@lru_cache(maxsize=8)
def _loaded(name: str) -> Scenario:
    return load(name)


def sweep(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A scenario's name, or the path of your own .py file.")
    ],
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid",
            metavar="NAME=VALUES",
            help="Values of a parameter: 1,2,4, or 3:8:6 for six from 3 to 8, both included; may be given repeatedly.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter for all cells; may be given repeatedly."),
    ] = None,
    repeat: Annotated[int, typer.Option(metavar="N", min=1, help="Cells with seeds of their own at each point.")] = 1,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Cells at the same time, or jobs of Slurm.")] = 1,
    duration: Annotated[
        float | None, typer.Option(metavar="MS", help="Time to simulate in ms; the scenario's own if left out.")
    ] = None,
    skip: Annotated[
        float, typer.Option(metavar="MS", help="Leave so much of the beginning out of what is measured.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seeds of the cells follow from this one.")] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the cells; sweeps/NAME if left out.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Simulate cells again that failed.")] = False,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads of each cell.")] = 1,
    table: Annotated[Table, typer.Option(help="The kind of the table.")] = Table.csv,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Simulate in the workers of this scheduler of dask.")
    ] = None,
    slurm: Annotated[bool, typer.Option("--slurm", help="Simulate in jobs of Slurm, as many as --jobs.")] = False,
    slurm_options: Annotated[
        list[str] | None,
        typer.Option(
            "--slurm-option",
            metavar="NAME=VALUE",
            help="partition, minutes or memory (GB) of a job, or cluster=local to try it; may be given repeatedly.",
        ),
    ] = None,
) -> None:
    """Simulate a scenario at each point of a grid of its parameters, and measure.

    The folder gets a file for each cell as it is finished, then table.csv and sweep.png. The same command goes on with
    what is missing, after Ctrl-C too. What is measured depends on --seed and the cell's parameters, not on --jobs.
    Ends with 1 if cells have failed.
    """
    with input_errors():
        scenario = load(name)
        folder = out or Path("sweeps", scenario.name)
        with interrupts(f"interrupted; finished cells are in {folder}, and the same command goes on with the others"):
            places = Where(jobs, dask, _slurm(slurm, slurm_options or []))
            plan, task = _planned(scenario, name, grid or [], settings or [], repeat, seed, duration, skip, threads)
            found = simulated(plan, task, places, folder, retry_failed, True, _say)
            files = _write(found, folder, table)
        _print(found, files)
    if found.failed:
        raise typer.Exit(CHECK_FAILED)


def _planned(
    scenario: Scenario, name: str, grid: Sequence[str], settings: Sequence[str], repeat: int, seed: int,
    duration: float | None, skip: float, threads: int,
) -> tuple[Plan, ScenarioCell]:  # fmt: skip
    """The plan of the sweep, and what simulates a cell of it."""
    fixed = parse_settings(scenario, settings)
    values = grid_of(scenario, grid)
    twice = next((each for each in values if each in fixed), None)
    if twice is not None:
        raise InputError(f"{twice} is in --grid and in --set; give it once")
    length = scenario.duration if duration is None else duration
    if not (0.0 < length < float("inf") and 0.0 <= skip < length):
        raise InputError(f"--duration {length:g} and --skip {skip:g} must be finite ms, 0 <= skip < duration")
    all_set = scenario.defaults() | fixed
    seeded = "seed" in scenario.parameters and "seed" not in fixed
    varied = {*values, *(["seed"] if seeded else [])}
    what = {
        "scenario": scenario.name, "sha256": sha256(scenario.file) if scenario.file else None,
        "parameters": {each: value for each, value in all_set.items() if each not in varied},
        "duration": length, "skip": skip,
    }  # fmt: skip
    plan = Plan.of(values, repeat, seed, seeded, what)
    source = str(scenario.file) if scenario.file else name
    return plan, ScenarioCell(source, fixed, length, skip, threads)


def grid_of(scenario: Scenario, texts: Sequence[str]) -> Grid:
    """The values of each parameter that `--grid NAME=VALUES` texts say.

    Raises InputError for an unknown parameter, one given twice, and values of another type than the parameter's.
    """
    grid: Grid = {}
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not values:
            raise InputError(f"--grid takes name=values, such as g=3:8:6 or eta=1,2,4, not {text!r}")
        if name not in scenario.parameters:
            raise InputError(
                f"scenario {scenario.name} has no parameter {name!r}; {suggest(name, scenario.parameters)}"
            )
        if name in grid:
            raise InputError(f"--grid gives {name} twice; give all its values at once")
        grid[name] = [parse_settings(scenario, [f"{name}={value}"])[name] for value in _texts(values)]
    return grid


def _texts(values: str) -> list[str]:
    """The single values of `1,2,4` or `3:8:6`, as texts that read as the same numbers."""
    parts = values.split(":")
    if len(parts) == 1:
        return [value.strip() for value in values.split(",")]
    if len(parts) != 3 or not parts[2].strip().isdecimal():
        raise InputError(f"--grid {values}: a range is first:last:count, such as 3:8:6")
    return [repr(value) for value in spaced(parts[0], parts[1], int(parts[2]))]


def _slurm(wanted: bool, texts: Sequence[str]) -> dict[str, Any] | None:
    """The options of Slurm's jobs, None if there are to be no jobs."""
    if texts and not wanted:
        raise InputError("--slurm-option is of use with --slurm only")
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or name not in SLURM_OPTIONS:
            raise InputError(f"--slurm-option takes {', '.join(SLURM_OPTIONS)}, such as minutes=60, not {text!r}")
        found[name] = int(value) if value.isdecimal() else value
    return found if wanted else None


def _write(found: Sweep, folder: Path, kind: Table) -> list[Path]:
    path = folder / f"table.{kind.value}"
    (found.to_csv if kind is Table.csv else found.to_parquet)(path, force=True)
    if not found.quantities:
        return [path]
    found.plot(folder / "sweep.png")
    return [path, folder / "sweep.png"]


def _print(found: Sweep, files: Sequence[Path]) -> None:
    screen, errors = console(), console(stderr=True)
    for failure in found.failed[:MOST_LISTED]:
        point = ", ".join(f"{name}={value}" for name, value in failure.parameters.items())
        errors.print(f"cell {failure.cell} ({point}, seed {failure.seed}): {failure.error}", soft_wrap=True)
    if found.failed:
        count = len(found.failed)
        errors.print(
            f"eventsnn: {count} of {len(found.plan.cells)} cells failed; --retry-failed simulates them again",
            soft_wrap=True,
        )
    screen.print(repr(found).strip("<>"), soft_wrap=True)
    for path in files:
        screen.print(str(path), soft_wrap=True)


def _say(text: str) -> None:
    console(stderr=True).print(f"eventsnn: {text}", soft_wrap=True)
