"""The command line: `eventsnn list`, `eventsnn run NAME|FILE`, `eventsnn show DIR`, `eventsnn encode FILE`."""

from __future__ import annotations

import json
import math
import signal
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventsnn.base.errors import InputError, RunawayError
from eventsnn.base.paths import claimed
from eventsnn.cli import encode as cli_encode
from eventsnn.cli import scenario as scenarios
from eventsnn.cli.console import (
    CHECK_FAILED,
    DEFECT,
    RUNAWAY,
    LostOutput,
    console,
    exit_code,
    guarded_output,
    ignore_signals,
    input_errors,
    interrupts,
    raise_signals,
)
from eventsnn.cli.settings import default_text
from eventsnn.cli.tables import population_summaries, print_tables, title
from eventsnn.results.results import Results, load
from eventsnn.results.storage import refuse_overwriting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXIT_CODES = """Exit codes:

0  the run finished and every check passed

1  a check failed: a measured value lies outside its tolerance

2  bad usage, bad input, a folder or an output that cannot be written, in one sentence

3  a neuron fired without bound and stopped the run; what was simulated is saved

70  a defect in eventsnn or in the scenario, shown with its traceback

130  interrupted by Ctrl-C; what was simulated is saved

141  whoever read the output closed it, as `head` does; what was simulated is saved

143, 129  ended by SIGTERM or SIGHUP, as batch systems send them; what was simulated is saved
"""

LOST = "interrupted before the results were saved; nothing of this run is kept"

app = typer.Typer(
    name="eventsnn",
    help="Exact event-driven simulation of spiking neural networks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Engine(str, Enum):
    """The engines that a run can use; both give the same event log."""

    compiled = "compiled"
    reference = "reference"


def main() -> None:
    """Entry point of the `eventsnn` command; exits with one of the codes that `eventsnn run --help` lists."""
    came = raise_signals()
    try:
        with guarded_output():
            app(prog_name="eventsnn")
    except LostOutput as lost:
        sys.exit(lost.report())
    except Exception:
        traceback.print_exc()
        sys.exit(DEFECT)
    except SystemExit as ending:
        # Outside of a command typer ends with 130 whatever the signal was.
        sys.exit(128 + came[0] if came and ending.code == 128 + signal.SIGINT else ending.code)
    finally:
        ignore_signals()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"eventsnn {version('eventsnn')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("list")
def list_scenarios(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="Show what one scenario says, and its parameters.")
    ] = None,
) -> None:
    """List the scenarios that come with eventsnn, or explain one."""
    screen = console()
    if name is not None:
        with input_errors():
            _explain(scenarios.load(name))
        return
    names = scenarios.available()
    width = max(map(len, names))
    for each in names:
        try:
            title = scenarios.load(each).title
        except InputError as error:
            title = str(error)  # one scenario that lacks an optional package must not hide the others
        screen.print(f"{each:{width}}  {title}", no_wrap=True, overflow="ellipsis", crop=False)
    screen.print(
        "\neventsnn list NAME explains one, eventsnn run NAME --set parameter=value simulates it.", soft_wrap=True
    )


def _explain(scenario: scenarios.Scenario) -> None:
    screen = console()
    screen.print(scenario.title, style="bold", soft_wrap=True)
    screen.print(f"\n{scenario.description.strip()}\n" if scenario.description.strip() else "", soft_wrap=True)
    width = max(map(len, scenario.parameters), default=0)
    for name, parameter in scenario.parameters.items():
        screen.print(f"  --set {name:{width}} = {default_text(parameter.default)}", soft_wrap=True)
    screen.print(f"  --duration {scenario.duration:g}", soft_wrap=True)


@app.command(epilog=EXIT_CODES)
def run(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A scenario's name, or the path of your own .py file.")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the scenario; may be given repeatedly."),
    ] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="MS", help="Time to simulate in ms; the scenario's own if left out.")
    ] = None,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Upper bound of the threads that simulate.")] = 1,
    seed: Annotated[int | None, typer.Option(metavar="N", help="The scenario's parameter seed.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results; runs/NAME if left out.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the results that the folder holds.")] = False,
    plot: Annotated[
        bool,
        typer.Option("--plot", help="Draw the scenario's own picture, NAME.png, or raster.png where it has none."),
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="The compiled kernels, or the slow and readable reference.")
    ] = Engine.compiled,
    limit_memory: Annotated[
        float | None,
        typer.Option(metavar="GB", help="Memory that the network and its samples may take; what is free if left out."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on stdout, and no tables and no progress.")
    ] = False,
) -> None:
    """Simulate a scenario, compare it with its expected values and save the results.

    The folder gets spikes.h5, summary.json and, with --plot, a picture.
    """
    with input_errors(), interrupts("interrupted before anything was simulated"):
        scenario = scenarios.load(name)
        chosen = scenarios.parse_settings(scenario, [*(settings or []), *_seed_setting(scenario, seed)])
        milliseconds = _duration(scenario, duration)
        folder = out or Path("runs", scenario.name)
        with _claimed(folder, force):
            results, code = _simulate(scenario, chosen, milliseconds, threads, engine, not as_json, limit_memory)
            with interrupts(f"interrupted; what was simulated is in {folder}"):
                _check_and_save(scenario, results, folder)
                pictures = [_draw(results, scenario, folder)] if plot else []
                _report(results, folder, pictures, as_json)
    if code:
        raise typer.Exit(code)
    if not all(check["passed"] for check in results.summary["checks"]):
        raise typer.Exit(CHECK_FAILED)


app.command()(cli_encode.encode)


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a finished run, such as runs/brunel.")],
) -> None:
    """Print the tables of a finished run and draw its picture if the folder lacks it."""
    with input_errors():
        results = load(folder)
        print_tables(results)
        picture = _draw(results, _recorded_scenario(results.summary), folder, keep=True)
    console().print(str(picture), soft_wrap=True)


def _recorded_scenario(summary: dict[str, Any]) -> scenarios.Scenario | None:
    recorded = summary.get("scenario")
    if not isinstance(recorded, dict):
        return None
    # A user's own file is not run again: looking at results that someone else sent must not execute code.
    if recorded.get("file", "unknown") or recorded.get("name") not in scenarios.available():
        return None
    try:
        return scenarios.load(recorded["name"])
    except InputError:
        return None


def _seed_setting(scenario: scenarios.Scenario, seed: int | None) -> list[str]:
    if seed is None:
        return []
    if "seed" not in scenario.parameters:
        raise InputError(f"scenario {scenario.name} has no parameter seed, so --seed {seed} cannot be used")
    return [f"seed={seed}"]


def _duration(scenario: scenarios.Scenario, duration: float | None) -> float:
    if duration is None:
        return scenario.duration
    if not (math.isfinite(duration) and duration > 0):
        raise InputError(f"--duration must be a finite number of ms above 0, not {duration!r}")
    return duration


@contextmanager
def _claimed(folder: Path, force: bool) -> Iterator[None]:
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


def _simulate(
    scenario: scenarios.Scenario,
    chosen: dict[str, Any],
    duration: float,
    threads: int,
    engine: Engine,
    progress: bool,
    limit_memory: float | None,
) -> tuple[Results, int]:
    """Results, whose summary says why the run stopped early (None if it did not), and the exit code for that."""
    network = scenario.build(**chosen)
    if network is None:
        raise InputError(f"scenario {scenario.name}: build must return an eventsnn.Network, not None")
    stopped, code, live = None, 0, {}
    limit: dict[str, Any] = {} if limit_memory is None else {"limit_memory": 1e9 * limit_memory}
    try:
        live = scenario.simulate(
            network, duration, chosen, threads=threads, progress=progress, engine=engine.value, **limit
        )
    except KeyboardInterrupt as interrupt:
        if network.time == 0:
            raise
        if network.time < duration:
            stopped, code = f"interrupted at {network.time:g} of {duration:g} ms", exit_code(interrupt)
    except RunawayError as error:
        stopped, code = str(error).rstrip("."), RUNAWAY
    with interrupts(LOST):
        results = network.results()
    scenario.note(results, chosen, duration, live)
    results.summary["stopped"] = stopped
    return results, code


def _check_and_save(scenario: scenarios.Scenario, results: Results, folder: Path) -> None:
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


def _save(scenario: scenarios.Scenario, results: Results, folder: Path) -> None:
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


def _draw(results: Results, scenario: scenarios.Scenario | None, folder: Path, keep: bool = False) -> Path:
    """Draw the scenario's own picture into the folder, or raster.png if it has none; with `keep`, if it is missing."""
    import matplotlib

    # Scenarios may use pyplot, which must not look for a display.
    matplotlib.use("Agg")
    path = folder / f"{scenario.name if scenario and scenario.plot else 'raster'}.png"
    if keep and path.exists():
        return path
    try:
        _picture(results, scenario).savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"picture {path} cannot be written: {error}") from error
    except Exception as error:
        if not keep:
            raise
        # What was read may have been altered, or written when the scenario was another one.
        raise InputError(
            f"picture {path} cannot be drawn of what {folder} holds ({type(error).__name__}: {error}); run it again"
        ) from error
    return path


def _picture(results: Results, scenario: scenarios.Scenario | None) -> Figure:
    """With scenario, parameters and duration above it, but for what a user's own file draws."""
    words = title(results)
    if not scenario or not scenario.plot:
        return results.plot(title=words)
    figure = scenario.plot(results)
    if scenario.file is None and not figure.texts:
        lines = textwrap.fill(words, int(12.0 * figure.get_figwidth()))
        figure.suptitle(lines, fontsize="medium", parse_math=False)
    return figure


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
