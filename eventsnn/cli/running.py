"""A run of a scenario from the command line: its folder, the simulation, checks, files, picture and tables."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from eventsnn.base.errors import InputError, RunawayError
from eventsnn.base.paths import claimed
from eventsnn.cli.console import BAD_INPUT, CHECK_FAILED, RUNAWAY, console, exit_code, interrupts
from eventsnn.cli.pictures import draw
from eventsnn.cli.scenario import Scenario
from eventsnn.cli.tables import print_tables
from eventsnn.cli.trace import Trace
from eventsnn.network import Network
from eventsnn.results.files import SUMMARY
from eventsnn.results.results import Results, load
from eventsnn.results.storage import SPIKES, TRACES, refuse_overwriting
from eventsnn.results.summaries import population_summaries
from eventsnn.run.checkpoint import remove_store

# What a run that has not come to its end says of itself, for `eventsnn resume`.
REQUEST = "scenario.json"
LOST = "interrupted before the results were saved; nothing of this run is kept"


@dataclass(frozen=True)
class Request:
    """What is to be simulated, and how.

    duration: ms. limit_memory: GB, or None. stream: results go to the disk while the run goes on. checkpoint_every: ms
    between checkpoints, or None; they come with streamed results.
    """

    scenario: Scenario
    parameters: dict[str, Any]
    duration: float
    engine: str = "compiled"
    threads: int = 1
    limit_memory: float | None = None
    stream: bool = False
    checkpoint_every: float | None = None
    plot: bool = False
    progress: bool = True
    trace: Trace | None = None

    def __post_init__(self) -> None:
        every = self.checkpoint_every
        if every is not None and not 0.0 < every < math.inf:
            raise InputError(f"--checkpoint-every must be a finite number of ms above 0, not {every!r}")
        if self.streamed and self.scenario.run is not None:
            option = "--stream" if self.checkpoint_every is None else "--checkpoint-every"
            raise InputError(
                f"scenario {self.scenario.name} simulates in many runs of its own, so {option} cannot be used with it"
            )

    @property
    def streamed(self) -> bool:
        return self.stream or self.checkpoint_every is not None

    def options(self, folder: Path) -> dict[str, Any]:
        """The arguments of Network.run."""
        found: dict[str, Any] = {"threads": self.threads, "progress": self.progress, "engine": self.engine}
        if self.limit_memory is not None:
            found["limit_memory"] = 1e9 * self.limit_memory
        if self.checkpoint_every is not None:
            found |= {"checkpoint": folder, "every": self.checkpoint_every}
        elif self.stream:
            found["stream"] = folder
        return found


def build(request: Request) -> Network:
    """The network of the scenario."""
    network = request.scenario.build(**request.parameters)
    if network is None:
        raise InputError(f"scenario {request.scenario.name}: build must return an eventsnn.Network, not None")
    if request.trace is not None:
        request.trace.require(network, request.duration)  # a mistake is found before hours have passed
    return network


@contextmanager
def held(folder: Path, force: bool) -> Iterator[None]:
    """Refuse or make the folder before the simulation, which may take hours; take it away if it stays empty."""
    refuse_overwriting(folder.resolve(), folder, force)
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder} cannot be made: {error.strerror}") from error
    try:
        with claimed(folder, f"results cannot be saved in {folder}"):
            yield
    finally:
        with suppress(OSError):  # raised for the first one that is not empty, and so are those around it
            for path in new:
                path.rmdir()


def clear(folder: Path) -> None:
    """Remove the former results of a folder, which is to get new ones while they are made."""
    for name in (SUMMARY, SPIKES, TRACES, REQUEST):
        (folder / name).unlink(missing_ok=True)
    remove_store(folder)


def simulate_and_report(request: Request, network: Network, folder: Path, as_json: bool) -> None:
    """Simulate up to the end from where the network stands, and write, draw and print what came out."""
    results, code = _simulate(request, network, folder)
    with interrupts(f"interrupted; what was simulated is in {folder}"):
        _check_and_save(request.scenario, results, folder)
        traces, refused = _write_trace(request, network)
        remove_store(folder)
        (folder / REQUEST).unlink(missing_ok=True)
        if request.streamed:
            results = load(folder)
        pictures = [draw(results, request.scenario, folder)] if request.plot else []
        _report(results, folder, [*pictures, *traces], as_json)
        if refused:
            console(stderr=True).print(f"eventsnn: {refused}", soft_wrap=True)
    if code:
        raise typer.Exit(code)
    if refused:
        raise typer.Exit(BAD_INPUT)
    if not all(check["passed"] for check in results.summary["checks"]):
        raise typer.Exit(CHECK_FAILED)


def _write_trace(request: Request, network: Network) -> tuple[list[Path], InputError | None]:
    """The file of events, if one is asked for, or why there is none, which must not hide what was simulated."""
    if request.trace is None:
        return [], None
    try:
        return [request.trace.write(network)], None
    except InputError as error:
        return [], error


def _simulate(request: Request, network: Network, folder: Path) -> tuple[Results, int]:
    """Results, whose summary says why the run stopped early (None if it did not), and the exit code for that."""
    stopped, code, live = None, 0, {}
    duration = request.duration
    try:
        live = _run(request, network, folder)
    except KeyboardInterrupt as interrupt:
        if network.time == 0:
            raise
        if network.time < duration:
            stopped, code = f"interrupted at {network.time:g} of {duration:g} ms", exit_code(interrupt)
            if request.checkpoint_every is not None:
                console(stderr=True).print(
                    f"eventsnn: {stopped}; eventsnn resume {folder} goes on from there", soft_wrap=True
                )
                raise typer.Exit(code) from None
    except RunawayError as error:
        stopped, code = str(error).rstrip("."), RUNAWAY
    with interrupts(LOST):
        results = network.results()
    request.scenario.note(results, request.parameters, duration, live)
    results.summary["stopped"] = stopped
    return results, code


def _run(request: Request, network: Network, folder: Path) -> dict[str, Any]:
    """Simulate what is left; what the scenario has measured."""
    options = request.options(folder)
    if not request.streamed:
        return request.scenario.simulate(network, request.duration, request.parameters, **options)
    try:
        network.run(until=request.duration, **options)
    except InputError as error:
        if not network.started:
            clear(folder)
            raise
        how = f"eventsnn resume {folder} goes on" if request.checkpoint_every is not None else f"{folder} can be read"
        raise InputError(f"{error}; {how} with what was written before") from None
    return {}


def _check_and_save(scenario: Scenario, results: Results, folder: Path) -> None:
    results.summary["checks"] = []
    try:
        results.summary["populations"] = population_summaries(results)
        # Expected values hold for whole runs only.
        if scenario.check and not results.summary["stopped"]:
            checks = scenario.check(results)
            if not isinstance(checks, list | tuple):
                raise InputError(f"scenario {scenario.name}: check must return a list of esn.Check, not {checks!r}")
            results.summary["checks"] = [
                {
                    "name": check.name,
                    "measured": float(check.measured),
                    "expected": float(check.expected),
                    "tolerance": float(check.tolerance),
                    "source": check.source,
                    "passed": bool(check.passed),
                }
                for check in checks
            ]
    finally:
        # Also when the scenario's check is interrupted or fails with a defect: the simulation may have taken hours.
        with interrupts(LOST):
            _save(scenario, results, folder)


def _save(scenario: Scenario, results: Results, folder: Path) -> None:
    try:
        results.save(folder, force=True)
    except InputError as error:
        raise InputError(f"{error}; {_rescue(results, scenario.name)}") from None
    # A picture of the former run beside the new spikes would be taken for theirs.
    for picture in ("raster.png", f"{scenario.name}.png"):
        (folder / picture).unlink(missing_ok=True)


def _rescue(results: Results, name: str) -> str:
    """Save results where there may be room, and say where."""
    folder = Path(tempfile.mkdtemp(prefix=f"eventsnn-{name}-"))
    try:
        results.save(folder)
    except InputError:
        folder.rmdir()
        return f"nor is there room in {folder.parent}, so that nothing of this run is kept"
    return f"they are in {folder} instead"


def _report(results: Results, folder: Path, pictures: list[Path], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(json.loads((folder / "summary.json").read_text("utf-8"))["summary"], indent=2))
    else:
        print_tables(results)
        screen = console()
        files = [folder / file for file in ("spikes.h5", "traces.h5", "summary.json")]
        for path in [*files, *pictures]:
            if path.exists():
                screen.print(str(path), soft_wrap=True)
    if stopped := results.summary["stopped"]:
        console(stderr=True).print(f"eventsnn: {stopped}; what was simulated is in {folder}", soft_wrap=True)
