"""The command line: `eventsnn list`, `run`, `resume`, `verify`, `show`, `report`, `sweep` and `encode`."""

from __future__ import annotations

import math
import signal
import sys
import traceback
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventsnn.base.errors import InputError
from eventsnn.cli import again as cli_again
from eventsnn.cli import encode as cli_encode
from eventsnn.cli import report as cli_report
from eventsnn.cli import scenario as scenarios
from eventsnn.cli import sweep as cli_sweep
from eventsnn.cli.console import (
    DEFECT,
    LostOutput,
    console,
    guarded_output,
    ignore_signals,
    input_errors,
    interrupts,
    raise_signals,
)
from eventsnn.cli.pictures import draw
from eventsnn.cli.running import Request, build, clear, held, simulate_and_report
from eventsnn.cli.settings import default_text
from eventsnn.cli.tables import print_tables
from eventsnn.cli.trace import trace_of
from eventsnn.results.results import load

if TYPE_CHECKING:
    pass

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
    stream: Annotated[
        bool, typer.Option("--stream", help="Write spikes and samples to the disk while the run goes on.")
    ] = False,
    checkpoint_every: Annotated[
        float | None,
        typer.Option(
            metavar="MS", help="Stream, and save the whole state at each multiple of so many ms: see eventsnn resume."
        ),
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write events for Perfetto or chrome://tracing into this file.")
    ] = None,
    trace_window: Annotated[
        str | None, typer.Option(metavar="MS:MS", help="Of which time, as 80:100; the first 100 ms if left out.")
    ] = None,
    trace_neurons: Annotated[
        str | None,
        typer.Option(metavar="NAME:IDS,...", help="Of which neurons, as exc:0-9,inh:3; ten of each if left out."),
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
        request = Request(
            scenario, scenario.defaults() | chosen, _duration(scenario, duration), engine.value, threads, limit_memory,
            stream, checkpoint_every, plot, not as_json, trace_of(trace, trace_window, trace_neurons, force),
        )  # fmt: skip
        folder = out or Path("runs", scenario.name)
        with held(folder, force):
            network = build(request)
            if request.streamed:
                clear(folder)
                cli_again.write_request(request, folder)
            simulate_and_report(request, network, folder, as_json)


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


app.command()(cli_again.resume)
app.command()(cli_again.verify)
app.command()(cli_encode.encode)
app.command()(cli_report.report)
app.command()(cli_sweep.sweep)


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a finished run, such as runs/brunel.")],
) -> None:
    """Print the tables of a finished run and draw its picture if the folder lacks it."""
    with input_errors():
        results = load(folder)
        print_tables(results)
        picture = draw(results, _recorded_scenario(results.summary), folder, keep=True)
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
